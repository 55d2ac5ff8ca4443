/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trial - the command reload, and the new configuration on trial.
 *
 * With --try on a terminal it asks whether to keep the new configuration while
 * the time runs down. Nothing has to be done for the old one to return: the
 * daemon sees to it, whatever happens to this program and to the connection
 * that it is used over.
 */
#ifndef TRIAL_H
#define TRIAL_H

#include "command.h"

int trial_reload(const struct command *command, const struct options *options);

#endif
