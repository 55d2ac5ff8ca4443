/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trial - another configuration for the running daemon, for good or on trial.
 *
 * On trial: unless it is confirmed in time, the configuration from before the
 * trial returns by itself. So somebody on the far side of a link can change how
 * that link is used. A second configuration during a trial starts the time
 * anew, and what returns is what was there before the first one.
 *
 * The trial is the daemon's alone: the file holds the new configuration, and a
 * daemon that is started again takes that.
 */
#ifndef TRIAL_H
#define TRIAL_H

#include "config/config.h"

struct daemon;

/* Zeroed: there is no trial. */
struct trial {
	uint64_t until_ms;    /* 0: no trial, and nothing in @before */
	struct config before; /* what returns */
};

/** trial_done() - frees; the configuration stays as it is */
void trial_done(struct trial *trial);

/**
 * trial_reload() - read the configuration again
 * @seconds: of the trial; 0: for good, which also ends a trial
 * @errors:  appended
 *
 * On an error the configuration, and a trial that is under way, stay as they
 * are. Return: 0, or -EINVAL with at least one error.
 */
int trial_reload(struct daemon *daemon, unsigned int seconds,
		 struct config_error_vec *errors);

/**
 * trial_confirm() - end the trial now
 * @keep: the new configuration stays; else the old one returns
 *
 * Return: 0, or -ESRCH when there is none.
 */
int trial_confirm(struct daemon *daemon, bool keep);

/** trial_expire() - the old configuration returns if the time is over */
void trial_expire(struct daemon *daemon, uint64_t now_ms);

/** trial_next() - when the time is over; 0: there is no trial */
uint64_t trial_next(const struct trial *trial);

#endif
