/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config_value - from libconfig's settings to values, driven by tables of keys.
 *
 * A group is a table of keys; each key names the function that reads it and the
 * field it goes to. A setting that is not as it must be is rejected: one error,
 * the field untouched, and on with the next one.
 */
#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H

#include <libconfig.h>

#include "config/config_source.h"

#define CONFIG_QUOTED_MAX 48

struct config_reader {
	struct config *config; /* being filled */
	struct config_error_vec *errors;
	size_t rejected; /* counts on where the errors stop */
};

struct config_choice {
	const char *name; /* NULL: the end of the table */
	int value;
};

struct config_key;
struct config_group;

/* @ret: the field, in the struct that the group fills */
typedef void config_read_fn(struct config_reader *reader,
			    const struct config_key *key,
			    const config_setting_t *setting, void *ret);

struct config_key {
	const char *name; /* NULL: the end of the table */
	config_read_fn *read;
	size_t at; /* of the field */
	size_t size;
	bool required;
	/* A number's range; a list's greatest length is @max. */
	uint32_t min;
	uint32_t max;
	const struct config_choice *choices;
	const struct config_group *group; /* of a group, of a list's elements */
};

/* Place and size of a field, for initializers. */
#define CONFIG_FIELD(type, field)                                              \
	.at = offsetof(type, field), .size = sizeof(((type *)0)->field)

struct config_group {
	const struct config_key *keys;
	size_t size; /* of the struct that is filled, if in a list */
	/*
	 * What no key can tell alone; NULL: nothing. Called when no member was
	 * rejected. @item: what was filled
	 */
	void (*finish)(struct config_reader *reader,
		       const config_setting_t *setting, void *item);
};

/** config_reject() - complain about @setting; its path is put in front */
__attribute__((format(printf, 3, 4))) void
config_reject(struct config_reader *reader, const config_setting_t *setting,
	      const char *format, ...);

/** config_quote() - as it may stand in a message; @buf: CONFIG_QUOTED_MAX */
const char *config_quote(const char *text, char *buf);

/** config_text() - the string that @setting is, or NULL, and then rejected */
const char *config_text(struct config_reader *reader,
			const config_setting_t *setting);

/** config_copy() - a string into @key's field; too long: -ENAMETOOLONG */
int config_copy(struct config_reader *reader, const config_setting_t *setting,
		const struct config_key *key, void *ret);

/** config_prefix() - the prefix that @setting is, or rejected and -EINVAL */
int config_prefix(struct config_reader *reader, const config_setting_t *setting,
		  struct ip_prefix *ret);

/* What a field must be for each; the list's finish() puts elements away. */
config_read_fn config_read_number; /* uint8_t or uint32_t */
config_read_fn config_read_bool;   /* bool */
config_read_fn config_read_choice; /* an enum, or int */
config_read_fn config_read_router; /* struct ip_addr */
config_read_fn config_read_dev;	   /* char[] */
config_read_fn config_read_group;  /* the struct that its keys fill */
config_read_fn config_read_list;   /* none */

#endif
