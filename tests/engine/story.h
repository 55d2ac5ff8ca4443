/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * story - two uplinks, and what the engine makes of them, as text.
 *
 * Table 7100 is that of 192.0.2.0/24, 7101 of 198.51.100.0/24, 7102 of
 * 2001:db8:1::/64 and 7103 of 2001:db8:2::/64. With one family alone its tables
 * are 7100 and 7101.
 */
#ifndef STORY_H
#define STORY_H

// clang-format off
#define STORY_V4 \
	"route add 0.0.0.0/0 via 192.0.2.1 dev d1 metric 100\n" \
	"route add 0.0.0.0/0 via 198.51.100.1 dev d2 metric 200\n"
#define STORY_V6 \
	"route add ::/0 via fe80::1 dev d1 metric 100\n" \
	"route add ::/0 via fe80::2 dev d2 metric 200\n"
#define STORY STORY_V4 STORY_V6

/* Who begins anew takes a router that does not answer for dead. */
#define STORY_ROUTERS \
	"neigh replace 192.0.2.1 dev d1 lladdr 02:00:00:00:00:01 " \
	"nud reachable\n" \
	"neigh replace 198.51.100.1 dev d2 lladdr 02:00:00:00:00:02 " \
	"nud reachable\n"

#define STORY_HELD4 \
	"rule 7109 from 192.0.2.0/24 iif lo lookup 7100\n" \
	"rule 7109 from 198.51.100.0/24 iif lo lookup 7101\n" \
	"7100 0.0.0.0/0 via 192.0.2.1 dev d1\n" \
	"7100 192.0.2.0/24 dev d1\n" \
	"7100 198.51.100.0/24 dev d2\n" \
	"7101 0.0.0.0/0 via 198.51.100.1 dev d2\n" \
	"7101 192.0.2.0/24 dev d1\n" \
	"7101 198.51.100.0/24 dev d2\n"
#define STORY_HELD6 \
	"rule 7100 from all to fe80::/10 iif lo lookup main\n" \
	"rule 7165 from 2001:db8:1::/64 iif lo lookup 7102\n" \
	"rule 7165 from 2001:db8:2::/64 iif lo lookup 7103\n" \
	"7102 ::/0 via fe80::1 dev d1\n" \
	"7102 2001:db8:1::/64 dev d1\n" \
	"7102 2001:db8:2::/64 dev d2\n" \
	"7103 ::/0 via fe80::2 dev d2\n" \
	"7103 2001:db8:1::/64 dev d1\n" \
	"7103 2001:db8:2::/64 dev d2\n"
#define STORY_HELD STORY_HELD4 STORY_HELD6

/* Of d2's router; the kernel says so itself. */
#define STORY_FAILED "neigh replace 198.51.100.1 dev d2 nud failed"
#define STORY_RECOVERED \
	"neigh replace 198.51.100.1 dev d2 lladdr 02:00:00:00:00:02 " \
	"nud reachable"
// clang-format on

#endif
