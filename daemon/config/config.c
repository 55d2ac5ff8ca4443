/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/config.h"

#include <errno.h>
#include <libconfig.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "config/config_keys.h"

const char *const config_fixed_names[CONFIG_FIXED] = {
	[CONFIG_PROTOCOL] = "protocol",
	[CONFIG_SOCKET] = "control.socket",
	[CONFIG_GROUP] = "control.group",
};

void config_defaults(struct config *config)
{
	*config = (struct config){
		.socket = CONFIG_SOCKET_DEFAULT,
		.group = CONFIG_GROUP_DEFAULT,
		.log_level = LOG_INFO,
	};
	policy_init(&config->policy);
}

void config_done(struct config *config)
{
	policy_done(&config->policy);
}

/* @n: how many strings in lists came before; depth is limited by the source. */
static void mend_lines(config_setting_t *setting,
		       const struct line_vec *list_strings, size_t *n)
{
	bool in_group = config_setting_is_group(setting);
	config_setting_t *element;
	unsigned int i;

	for (i = 0; (element = config_setting_get_elem(setting, i)); i++) {
		bool is_string =
			config_setting_type(element) == CONFIG_TYPE_STRING;

		if (is_string && !in_group && *n < list_strings->n)
			element->line = list_strings->items[(*n)++];
		mend_lines(element, list_strings, n);
	}
}

static void complain_syntax(const config_t *tree,
			    const struct config_source *source,
			    struct config_error_vec *errors)
{
	unsigned int line = (unsigned int)config_error_line(tree);
	unsigned int last = config_source_last(source);
	char text[100];

	/* What is missing at the end would be looked for where nothing is. */
	if (line > last) {
		config_complain(errors, last, "%s at the end",
				config_error_text(tree));
		return;
	}

	config_complain(errors, line, "%s here or just before: %s",
			config_error_text(tree),
			config_source_line(source, line, text, sizeof(text)));
}

static void note_places(const config_t *tree,
			const struct config_source *source, struct config *ret)
{
	for (size_t i = 0; i < CONFIG_FIXED; i++) {
		const config_setting_t *setting =
			config_lookup(tree, config_fixed_names[i]);
		struct config_place *place = &ret->fixed[i];

		if (!setting)
			continue;
		place->line = config_setting_source_line(setting);
		(void)snprintf(place->file, sizeof(place->file), "%s",
			       config_source_at(source, &place->line));
	}
}

static void read_source(const struct config_source *source, struct config *ret,
			struct config_error_vec *errors)
{
	struct config_reader reader = {.config = ret, .errors = errors};
	size_t n_strings = 0;
	config_t tree;

	config_init(&tree);
	if (config_read_string(&tree, source->text.items)) {
		mend_lines(config_root_setting(&tree), &source->list_strings,
			   &n_strings);
		config_read_root(&reader, config_root_setting(&tree));
		note_places(&tree, source, ret);
	} else {
		complain_syntax(&tree, source, errors);
	}
	config_destroy(&tree);
}

/* An error without a line has no file yet either: it is about @path. */
static void hand_out(const char *path, struct config_error_vec *found,
		     struct config_error_vec *errors)
{
	struct config_error *error;

	vec_foreach(found, error) {
		if (!error->file[0])
			(void)snprintf(error->file, sizeof(error->file), "%s",
				       path);
		vec_push(errors, *error);
	}
}

/* @ret: what could be read, over the defaults; the caller frees it always. */
static int load(const char *path, struct config *ret,
		struct config_error_vec *errors)
{
	const char *file = path ? path : CONFIG_PATH_DEFAULT;
	struct config_error_vec found = {0};
	struct config_source source;
	int r;

	config_defaults(ret);
	r = config_source_read(file, &source, &found);
	if (r == -ENOENT && !path)
		vec_clear(&found); /* the defaults then */
	else if (r == 0)
		read_source(&source, ret, &found);
	for (size_t i = 0; i < CONFIG_FIXED; i++)
		if (!ret->fixed[i].line)
			(void)snprintf(ret->fixed[i].file,
				       sizeof(ret->fixed[i].file), "%s", file);
	config_source_locate(&source, &found);
	hand_out(file, &found, errors);
	config_source_done(&source);

	r = found.n > 0 ? -EINVAL : 0;
	vec_done(&found);
	return r;
}

int config_load(const char *path, struct config *ret,
		struct config_error_vec *errors)
{
	struct config config;
	int r = load(path, &config, errors);

	if (r == 0)
		*ret = config;
	else
		config_done(&config);
	return r;
}

void config_salvage(const char *path, struct config *ret,
		    struct config_error_vec *errors)
{
	struct config config;
	int r = load(path, &config, errors);

	if (r == 0) {
		*ret = config;
		return;
	}
	config_defaults(ret);
	/* Of others nobody knows whether they fit together. */
	ret->policy.protocol = config.policy.protocol;
	memcpy(ret->socket, config.socket, sizeof(ret->socket));
	config_done(&config);
}
