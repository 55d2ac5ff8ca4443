/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/config_value.h"

#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>

#include "config/config_near.h"
#include "config/config_scan.h"
#include "core/text.h"

/* --- errors --- */

/* "routes[2].via"; depth is limited where the text is read. */
static void put_path(struct text *text, const config_setting_t *setting)
{
	const config_setting_t *parent = config_setting_parent(setting);

	if (!parent)
		return;
	put_path(text, parent);
	if (config_setting_name(setting))
		text_put(text, "%s%.40s", text->len ? "." : "",
			 config_scan_name(config_setting_name(setting)));
	else
		text_put(text, "[%d]", config_setting_index(setting));
}

void config_reject(struct config_reader *reader,
		   const config_setting_t *setting, const char *format, ...)
{
	char path[128];
	char message[256];
	struct text text;
	va_list args;

	reader->rejected++;
	if (reader->errors->n > CONFIG_ERRORS_MAX)
		return;
	text_init(&text, path, sizeof(path));
	put_path(&text, setting);
	va_start(args, format);
	(void)vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	config_complain(reader->errors, config_setting_source_line(setting),
			"%s: %s", path, message);
}

const char *config_quote(const char *text, char *buf)
{
	struct text quoted;
	const char *c;

	text_init(&quoted, buf, CONFIG_QUOTED_MAX);
	text_put(&quoted, "\"");
	for (c = text; *c && quoted.len < CONFIG_QUOTED_MAX - 6; c++)
		text_put(&quoted, "%c", iscntrl((unsigned char)*c) ? '?' : *c);
	text_put(&quoted, *c ? "...\"" : "\"");
	return buf;
}

static const char *type_name(const config_setting_t *setting)
{
	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_GROUP:
		return "a group";
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		return "an integer";
	case CONFIG_TYPE_FLOAT:
		return "a decimal number";
	case CONFIG_TYPE_STRING:
		return "a string";
	case CONFIG_TYPE_BOOL:
		return "true or false";
	case CONFIG_TYPE_ARRAY:
		return "an array";
	case CONFIG_TYPE_LIST:
		return "a list";
	default:
		return "nothing";
	}
}

static void reject_type(struct config_reader *reader,
			const config_setting_t *setting, const char *expected)
{
	config_reject(reader, setting, "expected %s, not %s", expected,
		      type_name(setting));
}

/* --- numbers, booleans, choices --- */

/* Hexadecimal numbers of 32 bits come as negative ones. */
static int get_integer(const config_setting_t *setting, long long *ret)
{
	int type = config_setting_type(setting);

	if (type == CONFIG_TYPE_INT64)
		*ret = config_setting_get_int64(setting);
	else if (type != CONFIG_TYPE_INT)
		return -EINVAL;
	else if (config_setting_get_format(setting) != CONFIG_FORMAT_DEFAULT)
		*ret = (unsigned int)config_setting_get_int(setting);
	else
		*ret = config_setting_get_int(setting);
	return 0;
}

void config_read_number(struct config_reader *reader,
			const struct config_key *key,
			const config_setting_t *setting, void *ret)
{
	long long value;

	if (get_integer(setting, &value) < 0) {
		reject_type(reader, setting, "an integer");
		return;
	}
	if (value < key->min || value > key->max) {
		config_reject(reader, setting, "expected %u to %u, not %lld",
			      key->min, key->max, value);
		return;
	}
	if (key->size == sizeof(uint8_t))
		*(uint8_t *)ret = (uint8_t)value;
	else
		*(uint32_t *)ret = (uint32_t)value;
}

void config_read_bool(struct config_reader *reader,
		      const struct config_key *key,
		      const config_setting_t *setting, void *ret)
{
	(void)key;
	if (config_setting_type(setting) != CONFIG_TYPE_BOOL)
		reject_type(reader, setting, "true or false");
	else
		*(bool *)ret = config_setting_get_bool(setting);
}

void config_read_choice(struct config_reader *reader,
			const struct config_key *key,
			const config_setting_t *setting, void *ret)
{
	const char *name = config_text(reader, setting);
	const struct config_choice *choice;
	char quoted[CONFIG_QUOTED_MAX];
	char known[192];
	struct text text;

	if (!name)
		return;
	text_init(&text, known, sizeof(known));
	for (choice = key->choices; choice->name; choice++) {
		if (strcmp(choice->name, name) == 0) {
			memcpy(ret, &choice->value, sizeof(choice->value));
			return;
		}
		if (choice > key->choices)
			text_put(&text, choice[1].name ? ", " : " or ");
		text_put(&text, "\"%s\"", choice->name);
	}
	config_reject(reader, setting, "expected %s, not %s", known,
		      config_quote(name, quoted));
}

/* --- texts --- */

const char *config_text(struct config_reader *reader,
			const config_setting_t *setting)
{
	if (config_setting_type(setting) == CONFIG_TYPE_STRING)
		return config_setting_get_string(setting);
	reject_type(reader, setting, "a string");
	return NULL;
}

int config_copy(struct config_reader *reader, const config_setting_t *setting,
		const struct config_key *key, void *ret)
{
	const char *text = config_setting_get_string(setting);
	size_t len = strlen(text);
	char quoted[CONFIG_QUOTED_MAX];

	if (len >= key->size) {
		config_reject(reader, setting,
			      "expected at most %zu characters, not %zu: %s",
			      key->size - 1, len, config_quote(text, quoted));
		return -ENAMETOOLONG;
	}
	memcpy(ret, text, len + 1);
	return 0;
}

/* As the kernel has it: a link's name is also the name of a file. */
static bool is_link_name(const char *text)
{
	const char *c;

	if (!*text || strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
		return false;
	for (c = text; *c; c++) {
		if (*c == '/' || *c == ':' || isspace((unsigned char)*c))
			return false;
	}
	return true;
}

void config_read_dev(struct config_reader *reader, const struct config_key *key,
		     const config_setting_t *setting, void *ret)
{
	const char *text = config_text(reader, setting);
	char quoted[CONFIG_QUOTED_MAX];

	if (!text)
		return;
	if (is_link_name(text))
		(void)config_copy(reader, setting, key, ret);
	else
		config_reject(reader, setting,
			      "expected the name of a link, not %s",
			      config_quote(text, quoted));
}

/* --- addresses --- */

static const char *why_no_router(const struct ip_addr *addr)
{
	static const uint8_t broadcast[4] = {255, 255, 255, 255};

	if (ip_addr_is_any(addr))
		return "the unspecified address";
	if (ip_addr_is_loopback(addr))
		return "a loopback address";
	if (ip_addr_is_multicast(addr))
		return "a multicast address";
	if (ip_addr_is_mapped(addr))
		return "IPv4 in the form of IPv6";
	if (addr->family == AF_INET && memcmp(addr->bytes, broadcast, 4) == 0)
		return "the broadcast address";
	return NULL;
}

void config_read_router(struct config_reader *reader,
			const struct config_key *key,
			const config_setting_t *setting, void *ret)
{
	const char *text = config_text(reader, setting);
	char quoted[CONFIG_QUOTED_MAX];
	struct ip_addr addr;
	const char *why;

	(void)key;
	if (!text)
		return;
	if (ip_addr_parse(text, &addr) < 0) {
		config_reject(
			reader, setting,
			strchr(text, '%')
				? "expected an address alone, its link "
				  "stands in dev, not %s"
				: "expected the address of a router, not %s",
			config_quote(text, quoted));
		return;
	}
	why = why_no_router(&addr);
	if (why)
		config_reject(reader, setting,
			      "expected the address of a router, not %s, %s",
			      config_quote(text, quoted), why);
	else
		*(struct ip_addr *)ret = addr;
}

/* Return: whether @text is a prefix but for its host bits. */
static bool has_host_bits(const char *text, struct ip_prefix *ret)
{
	const char *slash = strchr(text, '/');
	char part[IP_TEXT_MAX];
	struct ip_addr addr;
	char *end;
	unsigned long len;

	if (!slash || slash - text >= IP_TEXT_MAX ||
	    !isdigit((unsigned char)slash[1]))
		return false;
	(void)snprintf(part, sizeof(part), "%.*s", (int)(slash - text), text);
	len = strtoul(slash + 1, &end, 10);
	if (*end || ip_addr_parse(part, &addr) < 0 ||
	    len > ip_bits(addr.family))
		return false;
	*ret = ip_prefix_make(&addr, (uint8_t)len);
	return true;
}

static const char *why_not_routed(const struct ip_prefix *prefix)
{
	static const struct {
		const char *prefix;
		const char *why;
	} special[] = {
		{"224.0.0.0/4", "multicast"},
		{"ff00::/8", "multicast"},
		{"127.0.0.0/8", "loopback"},
		{"::1/128", "loopback"},
		{"169.254.0.0/16", "link-local"},
		{"fe80::/10", "link-local"},
		{"::ffff:0.0.0.0/96", "IPv4 in the form of IPv6"},
	};
	struct ip_prefix outer;
	size_t i;

	for (i = 0; i < sizeof(special) / sizeof(special[0]); i++) {
		if (ip_prefix_parse(special[i].prefix, &outer) == 0 &&
		    ip_prefix_covers(&outer, prefix))
			return special[i].why;
	}
	return NULL;
}

int config_prefix(struct config_reader *reader, const config_setting_t *setting,
		  struct ip_prefix *ret)
{
	const char *text = config_text(reader, setting);
	char quoted[CONFIG_QUOTED_MAX];
	char meant[IP_TEXT_MAX];
	struct ip_prefix prefix;
	const char *why;

	if (!text)
		return -EINVAL;
	if (ip_prefix_parse(text, &prefix) < 0) {
		if (has_host_bits(text, &prefix))
			config_reject(reader, setting,
				      "expected no host bits in %s: did you "
				      "mean \"%s\"?",
				      config_quote(text, quoted),
				      ip_prefix_format(&prefix, meant));
		else
			config_reject(reader, setting,
				      "expected a prefix with its length, as "
				      "\"192.0.2.0/24\", not %s",
				      config_quote(text, quoted));
		return -EINVAL;
	}
	why = why_not_routed(&prefix);
	if (why) {
		config_reject(reader, setting,
			      "expected a prefix that is routed, not %s, %s",
			      config_quote(text, quoted), why);
		return -EINVAL;
	}
	*ret = prefix;
	return 0;
}

/* --- groups and lists --- */

static void reject_unknown(struct config_reader *reader,
			   const config_setting_t *setting,
			   const struct config_key *keys)
{
	const char *name = config_scan_name(config_setting_name(setting));
	const struct config_key *nearest = NULL;
	const struct config_key *key;
	char known[144];
	struct text text;

	text_init(&text, known, sizeof(known));
	for (key = keys; key->name; key++) {
		text_put(&text, "%s%s", key > keys ? ", " : "", key->name);
		if (config_is_near(name, key->name) &&
		    (!nearest || config_distance(name, key->name) <
					 config_distance(name, nearest->name)))
			nearest = key;
	}
	if (nearest)
		config_reject(reader, setting, "unknown key: did you mean %s?",
			      nearest->name);
	else
		config_reject(reader, setting, "unknown key: known are %s",
			      known);
}

static const struct config_key *key_find(const struct config_key *keys,
					 const char *name)
{
	for (; keys->name; keys++) {
		if (strcmp(keys->name, name) == 0)
			return keys;
	}
	return NULL;
}

static void read_members(struct config_reader *reader,
			 const struct config_group *group,
			 const config_setting_t *setting, void *ret)
{
	const struct config_key *key;
	config_setting_t *member;
	unsigned int i;

	for (key = group->keys; key->name; key++) {
		if (key->required &&
		    !config_setting_get_member(setting, key->name))
			config_reject(reader, setting, "%s is missing",
				      key->name);
	}
	for (i = 0; (member = config_setting_get_elem(setting, i)); i++) {
		key = key_find(group->keys,
			       config_scan_name(config_setting_name(member)));
		if (key)
			key->read(reader, key, member, (char *)ret + key->at);
		else
			reject_unknown(reader, member, group->keys);
	}
}

void config_read_group(struct config_reader *reader,
		       const struct config_key *key,
		       const config_setting_t *setting, void *ret)
{
	size_t rejected = reader->rejected;

	if (!config_setting_is_group(setting)) {
		reject_type(reader, setting, "a group { ... }");
		return;
	}
	read_members(reader, key->group, setting, ret);
	if (key->group->finish && reader->rejected == rejected)
		key->group->finish(reader, setting, ret);
}

void config_read_list(struct config_reader *reader,
		      const struct config_key *key,
		      const config_setting_t *setting, void *ret)
{
	config_setting_t *element;
	unsigned int i;

	(void)ret;
	if (!config_setting_is_list(setting) &&
	    !config_setting_is_array(setting)) {
		reject_type(reader, setting, "a list ( { ... }, ... )");
		return;
	}
	if ((uint32_t)config_setting_length(setting) > key->max) {
		config_reject(reader, setting,
			      "expected at most %u entries, not %d", key->max,
			      config_setting_length(setting));
		return;
	}
	for (i = 0; (element = config_setting_get_elem(setting, i)); i++) {
		void *item = xalloc(key->group->size);

		config_read_group(reader, key, element, item);
		free(item);
	}
}
