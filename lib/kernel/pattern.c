/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/pattern.h"

#include "kernel/encode.h"

#define PATTERNS      16
#define PATTERN_BYTES 256

/* A message that was encoded, and may serve for other prefixes. */
struct pattern {
	uint64_t run; /* patterns.run when it was kept; 0: there is none */
	enum op_kind kind;
	bool hidden;
	uint8_t family;
	struct route route;
	uint32_t bytes[PATTERN_BYTES / sizeof(uint32_t)];
};

struct patterns {
	const struct attrset_store *attrs;
	uint8_t protocol;
	uint64_t run;
	struct pattern items[PATTERNS];
};

struct patterns *patterns_new(void)
{
	return xalloc(sizeof(struct patterns));
}

void patterns_free(struct patterns *patterns)
{
	free(patterns);
}

void patterns_begin(struct patterns *patterns,
		    const struct attrset_store *attrs, uint8_t protocol)
{
	patterns->attrs = attrs;
	patterns->protocol = protocol;
	patterns->run++;
}

static struct pattern *pattern_of(struct patterns *patterns,
				  const struct op *op)
{
	const struct route *route = &op->route.route;

	if ((op->kind != OP_ROUTE_PUT && op->kind != OP_ROUTE_DELETE) ||
	    op->route.prefix.len == 0)
		return NULL;
	return &patterns->items[(route->table + 5 * route->attrs) % PATTERNS];
}

static bool fits(const struct patterns *patterns, const struct pattern *pattern,
		 const struct op *op)
{
	return pattern->run == patterns->run && pattern->kind == op->kind &&
	       pattern->hidden == op->route.hidden &&
	       pattern->family == op->route.prefix.addr.family &&
	       route_equal(&pattern->route, &op->route.route);
}

static void keep(const struct patterns *patterns, struct pattern *pattern,
		 const struct op *op, const struct nlmsghdr *hdr)
{
	pattern->run = 0;
	if (hdr->nlmsg_len > sizeof(pattern->bytes))
		return;
	pattern->run = patterns->run;
	pattern->kind = op->kind;
	pattern->hidden = op->route.hidden;
	pattern->family = op->route.prefix.addr.family;
	pattern->route = op->route.route;
	memcpy(pattern->bytes, hdr, hdr->nlmsg_len);
}

int patterns_encode(struct patterns *patterns, const struct op *op,
		    struct nl_msg *msg, struct nlmsghdr **ret)
{
	struct pattern *pattern = pattern_of(patterns, op);
	int r;

	if (pattern && fits(patterns, pattern, op)) {
		*ret = (struct nlmsghdr *)pattern->bytes;
		encode_move(*ret, &op->route.prefix);
		return 0;
	}
	r = encode_op(op, patterns->attrs, patterns->protocol, msg);
	if (r)
		return r;
	*ret = nlmsg_hdr(msg);
	if (pattern)
		keep(patterns, pattern, op, *ret);
	return 0;
}
