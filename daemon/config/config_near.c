/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/config_near.h"

#include <ctype.h>
#include <string.h>

#define NAME_MAX_LEN 32

static unsigned int min3(unsigned int a, unsigned int b, unsigned int c)
{
	unsigned int least = a < b ? a : b;

	return least < c ? least : c;
}

static bool is_same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Optimal string alignment: row @i says what the first @i of @a cost. */
unsigned int config_distance(const char *a, const char *b)
{
	unsigned int cost[NAME_MAX_LEN + 1][NAME_MAX_LEN + 1];
	size_t len_a = strnlen(a, NAME_MAX_LEN);
	size_t len_b = strnlen(b, NAME_MAX_LEN);
	size_t i;
	size_t j;

	for (j = 0; j <= len_b; j++)
		cost[0][j] = (unsigned int)j;
	for (i = 1; i <= len_a; i++) {
		cost[i][0] = (unsigned int)i;
		for (j = 1; j <= len_b; j++) {
			bool same = is_same(a[i - 1], b[j - 1]);

			cost[i][j] =
				min3(cost[i - 1][j] + 1, cost[i][j - 1] + 1,
				     cost[i - 1][j - 1] + !same);
			if (i > 1 && j > 1 && is_same(a[i - 1], b[j - 2]) &&
			    is_same(a[i - 2], b[j - 1]))
				cost[i][j] =
					min3(cost[i][j], cost[i - 2][j - 2] + 1,
					     cost[i][j]);
		}
	}
	return cost[len_a][len_b];
}

bool config_is_near(const char *written, const char *name)
{
	size_t len = strlen(written);
	size_t edits = len < 6 ? 1 : len / 3;

	if (len >= 3 && strstr(name, written))
		return true;
	return config_distance(written, name) <= edits;
}
