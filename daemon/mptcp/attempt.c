/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mptcp/attempt.h"

#include <errno.h>

#include "core/backoff.h"

#define RETRY_MS     1000
#define RETRY_MAX_MS 256000

bool attempt_note(struct attempt *attempt, int error, uint64_t now_ms)
{
	bool is_news = error != attempt->error;

	attempt->error = error;
	attempt->failures = error ? attempt->failures + 1 : 0;
	attempt->next_ms = error && error != -ENOENT
				   ? now_ms + backoff_ms(RETRY_MS, RETRY_MAX_MS,
							 attempt->failures)
				   : 0;
	return is_news;
}

bool attempt_is_due(const struct attempt *attempt, uint64_t now_ms)
{
	return attempt->error != -ENOENT && attempt->next_ms <= now_ms;
}
