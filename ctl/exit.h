/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exit - what the exit status says. `multihomectl help` tells users.
 */
#ifndef EXIT_H
#define EXIT_H

enum exit_code {
	EXIT_FINE = 0,
	EXIT_BAD_NEWS = 1,
	EXIT_USAGE = 2,
	EXIT_NO_DAEMON = 3,
};

#endif
