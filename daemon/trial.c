/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trial.h"

#include <errno.h>
#include <stdio.h>

#include "daemon.h"
#include "log.h"

static void forget(struct trial *trial)
{
	if (trial->until_ms)
		config_done(&trial->before);
	memset(trial, 0, sizeof(*trial));
}

void trial_done(struct trial *trial)
{
	forget(trial);
}

uint64_t trial_next(const struct trial *trial)
{
	return trial->until_ms;
}

/* --- a new one --- */

/* Where the new one stands; if it is gone, there is no line. */
static void refuse_change(const struct config *config, enum config_fixed key,
			  struct config_error_vec *errors)
{
	struct config_error error = {.line = config->fixed[key].line};

	memcpy(error.file, config->fixed[key].file, sizeof(error.file));
	(void)snprintf(error.message, sizeof(error.message),
		       "%s: cannot change while the daemon runs; restart it",
		       config_fixed_names[key]);
	vec_push(errors, error);
}

static int load(const struct daemon *daemon, struct config *ret,
		struct config_error_vec *errors)
{
	const struct config *old = &daemon->config;
	struct config config;

	if (config_load(daemon->config_path, &config, errors) < 0)
		return -EINVAL;
	if (config.policy.protocol != old->policy.protocol)
		refuse_change(&config, CONFIG_PROTOCOL, errors);
	if (!daemon->socket && strcmp(config.socket, old->socket) != 0)
		refuse_change(&config, CONFIG_SOCKET, errors);
	if (strcmp(config.group, old->group) != 0)
		refuse_change(&config, CONFIG_GROUP, errors);
	if (errors->n) {
		config_done(&config);
		return -EINVAL;
	}
	memcpy(config.socket, old->socket, sizeof(config.socket));
	*ret = config;
	return 0;
}

static void begin(struct daemon *daemon, unsigned int seconds)
{
	struct trial *trial = &daemon->trial;
	char why[96];

	if (trial->until_ms)
		config_done(&daemon->config); /* was on trial, too */
	else
		trial->before = daemon->config;
	trial->until_ms = daemon_now() + (uint64_t)seconds * 1000;
	(void)snprintf(why, sizeof(why),
		       "a configuration was put on trial for %u s", seconds);
	round_led(&daemon->round, why);
	log_notice("configuration read again, on trial for %u s", seconds);
}

int trial_reload(struct daemon *daemon, unsigned int seconds,
		 struct config_error_vec *errors)
{
	struct config config;

	if (load(daemon, &config, errors) < 0)
		return -EINVAL;
	if (seconds) {
		begin(daemon, seconds);
	} else {
		forget(&daemon->trial);
		config_done(&daemon->config);
		round_led(&daemon->round, "the configuration was read again");
		log_notice("configuration read again");
	}
	daemon_adopt(daemon, &config);
	return 0;
}

/* --- the end --- */

static void go_back(struct daemon *daemon, const char *why)
{
	const struct config before = daemon->trial.before;

	memset(&daemon->trial, 0, sizeof(daemon->trial)); /* @before is ours */
	config_done(&daemon->config);
	daemon_adopt(daemon, &before);
	round_led(&daemon->round, why);
}

int trial_confirm(struct daemon *daemon, bool keep)
{
	if (!daemon->trial.until_ms)
		return -ESRCH;
	if (keep) {
		forget(&daemon->trial);
		log_notice("the configuration on trial is kept");
		return 0;
	}
	go_back(daemon, "the trial of a configuration was ended, and the old "
			"one returned");
	log_notice("the trial is ended; the configuration from before it is "
		   "back");
	return 0;
}

void trial_expire(struct daemon *daemon, uint64_t now_ms)
{
	if (!daemon->trial.until_ms || now_ms < daemon->trial.until_ms)
		return;
	go_back(daemon, "nobody confirmed the configuration on trial, and the "
			"old one returned");
	log_warn("nobody confirmed the configuration on trial; the one from "
		 "before it is back, but the file still holds the new one");
}
