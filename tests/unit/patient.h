/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * patient - a host for doctor, written as text: a scene and made-up facts.
 *
 * The facts start as those of a host in good health: loose rp_filter on all
 * links, kernel defaults else, no networkd, MPTCP on. Every link of the scene
 * but lo has them. What stands behind a line "----" in the scene happens later,
 * when the rest is in place. One line changes some facts:
 *
 *   all|NAME SETTING=VALUE...   rp_filter, arp_ignore, arp_announce,
 *        arp_filter, linkdown4, linkdown6, forwarding6, accept_ra, local
 *   router ADDR dev NAME mac TEXT   (at most 6 letters, taken as bytes)
 *   lease ADDR dev NAME
 *   networkd running|unknown
 *   networkd-rules|networkd-routes yes|no FILE
 *   mptcp VALUE, manager VALUE, limit VALUE, listener PORT, compat VALUE
 */
#ifndef PATIENT_H
#define PATIENT_H

#include "doctor/doctor.h"
#include "tests/unit/scene.h"

struct patient {
	struct scene scene;
	struct facts facts;
	struct finding_vec findings;
};

/**
 * patient_examine() - the host, with our rules in place, and what is found
 *
 * A line that cannot be read aborts. Free with patient_done().
 */
void patient_examine(struct patient *patient, const char *scene,
		     const char *facts);
void patient_done(struct patient *patient);

/** patient_find() - the first finding of @id, or NULL */
const struct finding *patient_find(const struct patient *patient,
				   const char *id);

#define PATIENT_TEXT_MAX 1000

/** patient_text() - "id severity subject; ..." in the findings' order */
const char *patient_text(const struct patient *patient, char *ret);

#endif
