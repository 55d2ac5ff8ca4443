/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config - the config file: text to values, or every error in it.
 *
 * Parsed into a new struct and checked completely; the caller swaps it in only
 * when there is no error, so a bad file never disturbs a running daemon. All
 * keys are optional; an unknown key is an error that names the nearest one.
 */
#ifndef CONFIG_H
#define CONFIG_H

#include "core/policy.h"

#define CONFIG_PATH_DEFAULT   "/etc/multihomed.conf"
#define CONFIG_SOCKET_DEFAULT "/run/multihomed/io.multihomed"
#define CONFIG_GROUP_DEFAULT  "multihomed"

#define CONFIG_ERRORS_MAX 100

/* Settings that cannot change while the daemon runs. */
enum config_fixed {
	CONFIG_PROTOCOL, /* our mark in the kernel */
	CONFIG_SOCKET,	 /* the door that clients stand at */
	CONFIG_GROUP,
};

#define CONFIG_FIXED (CONFIG_GROUP + 1)

/* As the file has them: "control.socket". */
extern const char *const config_fixed_names[CONFIG_FIXED];

struct config_place {
	char file[256];
	unsigned int line; /* 0: the setting is not there */
};

struct config {
	struct policy policy;
	char socket[104];  /* ".new" must fit behind it in a sun_path */
	char group[64];	   /* may read the control socket */
	bool group_is_set; /* by the file: a missing group is then an error */
	int log_level;	   /* syslog(3) level: LOG_ERR .. LOG_DEBUG */
	struct config_place fixed[CONFIG_FIXED]; /* where they stand */
};

struct config_error {
	char file[256];
	unsigned int line; /* 0: about the file as a whole */
	char message[400]; /* "settle_ms: expected 0 to 60000, not -1" */
};

VEC(config_error_vec, struct config_error);

/**
 * config_defaults() - fill in the defaults; config_done() frees
 *
 * Not config_init(): that name is libconfig's, and the linker would mix them.
 */
void config_defaults(struct config *config);
void config_done(struct config *config);

/**
 * config_load() - read @path over the defaults
 * @path:   NULL: CONFIG_PATH_DEFAULT, which need not exist
 * @ret:    initialised by this call and set on success only
 * @errors: appended, in the file's order; all errors, not the first only, but
 *	a text with broken syntax hides what is wrong with values, and after
 *	CONFIG_ERRORS_MAX the last one says that there are more
 *
 * Return: 0, or -EINVAL with at least one error.
 */
int config_load(const char *path, struct config *ret,
		struct config_error_vec *errors);

/**
 * config_salvage() - the same, but whatever the errors there is a result
 *
 * With errors it is the defaults, with the mark in the kernel and the socket's
 * path of the file where these could be read: enough to find what is ours.
 */
void config_salvage(const char *path, struct config *ret,
		    struct config_error_vec *errors);

#endif
