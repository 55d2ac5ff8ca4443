/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config_scan - from the text of one file into the joined text, thing by thing.
 *
 * Knows how libconfig reads: comments, strings, words, brackets. What libconfig
 * would refuse without a useful message, or not refuse at all, is complained
 * about here; everything else is copied and left to it.
 */
#ifndef CONFIG_SCAN_H
#define CONFIG_SCAN_H

#include "config/config_source.h"

/* A name that was set in a group that is still open. */
struct config_name {
	size_t at; /* in the joined text */
	size_t len;
	unsigned int line;
};

struct config_bracket {
	char closing; /* what ends it; 0: the text as a whole */
	unsigned int line;
	size_t names; /* how many names stand before it */
	struct config_name
		name; /* whose value it is; of a list's element none */
	size_t index; /* of a list: of its element, from 0 */
};

VEC(config_name_vec, struct config_name);
VEC(config_bracket_vec, struct config_bracket);

/* What goes on from a file into the files it includes. */
struct config_scan {
	struct config_source *source;
	struct config_error_vec *errors;
	unsigned int line;		/* joined */
	struct config_bracket_vec open; /* never empty */
	struct config_name_vec names;
	struct config_name name; /* the last one */
	size_t bytes;		 /* that all files have so far */
	size_t mild; /* errors with which the text can still be read */
	/* The last thing that was not blank: a mark, 'w'ord or '"'; 0: none. */
	char last;
	bool stop; /* going on would only add noise */
};

/* One file on its way into the joined text. */
struct config_input {
	struct char_vec text; /* NUL-terminated, no NUL inside */
	size_t at;
	size_t file; /* index into the source's files */
	unsigned int line;
	unsigned int depth; /* how many files wait for it */
};

void config_scan_init(struct config_scan *scan, struct config_source *source,
		      struct config_error_vec *errors);
void config_scan_done(struct config_scan *scan);

/** config_scan_emit() - append to the joined text */
void config_scan_emit(struct config_scan *scan, char c);

/** config_scan_next() - move the next thing of @input, which is not at its end
 */
void config_scan_next(struct config_scan *scan, struct config_input *input);

/**
 * config_scan_name() - a name of the joined text as it stands in the file
 *
 * libconfig takes no name twice in a group, so the second one is made another,
 * "*1*model", and its value is read and checked too.
 */
const char *config_scan_name(const char *name);

/** config_scan_end() - complain about what is still open */
void config_scan_end(struct config_scan *scan);

#endif
