/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor - what on this host would spoil routing by source.
 *
 * Pure: the model, the policy and facts that somebody else has read go in,
 * findings come out. Each check is one function and one row of a table
 * (doctor.c); its id is part of the control interface and stays.
 */
#ifndef DOCTOR_H
#define DOCTOR_H

#include "core/subnet.h"
#include "doctor/facts.h"

enum severity {
	SEVERITY_ERROR,	  /* packets are lost or take the wrong path */
	SEVERITY_WARNING, /* they will, when something else happens */
	SEVERITY_HINT,	  /* worth knowing */
};

#define FINDING_TEXT_MAX 512
#define FINDING_FIXES	 5

struct finding {
	const char *id; /* of the check; static */
	enum severity severity;
	char subject[64];	     /* a link, a rule, a file; may be empty */
	char what[FINDING_TEXT_MAX]; /* what is wrong: one sentence or two */
	char breaks[FINDING_TEXT_MAX]; /* what that does to packets */
	/* Commands, or "FILE: LINE" to write; the first empty one ends it. */
	char fix[FINDING_FIXES][FINDING_TEXT_MAX];
};

VEC(finding_vec, struct finding);

/* One check; a table of them ends with a NULL id. */
struct check {
	const char *id;
	void (*run)(const struct view *view, const struct facts *facts,
		    struct finding_vec *ret);
};

extern const struct check doctor_checks[];

/**
 * doctor_examine() - every check
 * @ret: appended: by severity, then in the order of doctor_checks
 */
void doctor_examine(const struct view *view, const struct facts *facts,
		    struct finding_vec *ret);

#endif
