/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>

#include "doctor/check.h"
#include "doctor/quote.h"

#define SYSCTL_FILE "/etc/sysctl.d/90-multihomed.conf"
#define KEY_MAX	    96

struct finding *finding_add(struct finding_vec *ret, enum severity severity,
			    const char *subject, ...)
{
	struct finding *finding;
	va_list args;

	vec_grow(ret);
	finding = &ret->items[ret->n++];
	memset(finding, 0, sizeof(*finding));
	finding->severity = severity;
	va_start(args, subject);
	(void)vsnprintf(finding->subject, sizeof(finding->subject), subject,
			args);
	va_end(args);
	return finding;
}

void finding_what(struct finding *finding, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(finding->what, sizeof(finding->what), format, args);
	va_end(args);
}

void finding_breaks(struct finding *finding, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(finding->breaks, sizeof(finding->breaks), format, args);
	va_end(args);
}

void finding_fix(struct finding *finding, const char *format, ...)
{
	va_list args;

	for (size_t i = 0; i < FINDING_FIXES; i++) {
		if (finding->fix[i][0])
			continue;
		va_start(args, format);
		(void)vsnprintf(finding->fix[i], sizeof(finding->fix[i]),
				format, args);
		va_end(args);
		return;
	}
}

void finding_fix_command(struct finding *finding, const char *format, ...)
{
	char words[FINDING_TEXT_MAX];
	char command[QUOTE_COMMAND_MAX];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	finding_fix(finding, "%s", quote_command(words, command));
}

void finding_fix_sysctl(struct finding *finding, const char *key, int value)
{
	finding_fix_command(finding, "sysctl -w %s=%d", key, value);
	finding_fix(finding, "%s: %s = %d", SYSCTL_FILE, key, value);
}

void finding_fix_link(struct finding *finding, const struct link_sysctl *sysctl)
{
	const char *ip = sysctl->family == AF_INET ? "ipv4" : "ipv6";
	char key[KEY_MAX];
	/* A name such as eth0.100 is one component only between slashes. */
	const char *format = strchr(sysctl->link, '.') ? "net/%s/conf/%s/%s"
						       : "net.%s.conf.%s.%s";

	(void)snprintf(key, sizeof(key), format, ip, sysctl->link,
		       sysctl->name);
	finding_fix_sysctl(finding, key, sysctl->value);
}

void finding_fix_list(struct finding *finding, const struct facts *facts,
		      const char *list, const char *entry, bool another)
{
	if (another)
		finding_fix(finding, "%s: %s, # first in %s = ( ... )",
			    facts->config, entry, list);
	else
		finding_fix(finding, "%s: %s = ( %s );", facts->config, list,
			    entry);
}

void finding_fix_route(struct finding *finding, const struct facts *facts,
		       const struct route_fix *route)
{
	char entry[FINDING_TEXT_MAX / 2];
	char to[IP_TEXT_MAX] = "default";
	char via[IP_TEXT_MAX] = "GATEWAY";
	char dev[QUOTE_NAME_MAX];

	if (route->to.len)
		(void)ip_prefix_format(&route->to, to);
	if (ip_addr_is_set(&route->via))
		(void)ip_addr_format(&route->via, via);
	(void)snprintf(entry, sizeof(entry),
		       "{ to = \"%s\"; via = \"%s\"; dev = %s; metric = %u; }",
		       to, via, quote_text(route->dev, dev), route->metric);
	finding_fix_list(finding, facts, "routes", entry, route->another);
	finding_fix(finding, "multihomectl reload");
}
