/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * complete - words for the completion of a shell, one on a line.
 *
 * `multihomectl complete links|subnets|commands`. Where there is no daemon
 * there are no words, and no complaint: somebody is typing a command line. A
 * name that a shell would take apart or obey is left out, since a link may be
 * named with any bytes.
 */
#ifndef COMPLETE_H
#define COMPLETE_H

#include "command.h"

int complete_run(const struct command *command, const struct options *options);

#endif
