/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mptcp/endpoints_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "state_file.h"

static void write_lines(FILE *file, const void *data)
{
	const struct endpoints *endpoints = data;
	const struct own_endpoint *own;
	char text[IP_TEXT_MAX];

	if (endpoints->limits.raised)
		(void)fprintf(file,
			      "limits %" PRIu32 " %" PRIu32 " %" PRIu32
			      " %" PRIu32 "\n",
			      endpoints->limits.before.subflows,
			      endpoints->limits.before.accepted,
			      endpoints->limits.set.subflows,
			      endpoints->limits.set.accepted);
	vec_foreach(&endpoints->ours, own)
		(void)fprintf(file, "endpoint %s %u %u\n",
			      ip_addr_format(&own->endpoint.addr, text),
			      own->endpoint.id, own->endpoint.flags);
}

void endpoints_file_save(struct endpoints *endpoints, uint64_t now_ms)
{
	int error;

	endpoints->save_ms = 0;
	if (endpoints->ours.n == 0 && !endpoints->limits.raised) {
		(void)unlink(endpoints->path);
		return;
	}
	error = state_file_write(endpoints->path, write_lines, endpoints);
	if (!error)
		return;
	endpoints->save_ms = now_ms + STATE_FILE_RETRY_MS;
	log_limited(LOG_KIND_STATE_FILE, now_ms, LOG_WARNING,
		    "%s: %s; after a restart our MPTCP endpoints are "
		    "taken for somebody else's",
		    endpoints->path, strerror(-error));
}

static bool parse_limits(const char *line, struct limits *ret)
{
	struct limits limits = {.raised = true};

	if (sscanf(line,
		   "limits %" SCNu32 " %" SCNu32 " %" SCNu32 " %" SCNu32 "\n",
		   &limits.before.subflows, &limits.before.accepted,
		   &limits.set.subflows, &limits.set.accepted) != 4)
		return false;
	*ret = limits;
	return true;
}

static bool parse_line(const char *line, struct endpoints *ret)
{
	struct own_endpoint own = {0};
	char addr[IP_TEXT_MAX];
	unsigned int id;
	unsigned int flags;

	if (parse_limits(line, &ret->limits))
		return true;
	if (sscanf(line, "endpoint %63s %u %u\n", addr, &id, &flags) != 3 ||
	    ip_addr_parse(addr, &own.endpoint.addr) != 0 || id > UINT8_MAX ||
	    flags > UINT8_MAX || ret->ours.n == ENDPOINTS_MAX)
		return false;
	own.endpoint.id = (uint8_t)id;
	own.endpoint.flags = (uint8_t)flags;
	vec_push(&ret->ours, own);
	return true;
}

/* What the file says is checked like anything from outside. */
void endpoints_file_load(struct endpoints *endpoints)
{
	FILE *file = state_file_read(endpoints->path);
	bool good = file && state_file_is_of_this_boot(file);
	char line[256];

	if (!file)
		return;
	while (good && fgets(line, sizeof(line), file))
		good = parse_line(line, endpoints);
	if (!good)
		log_warn("%s: it makes no sense, or is not of this boot; MPTCP "
			 "endpoints of an earlier life are left alone",
			 endpoints->path);
	(void)fclose(file);
}
