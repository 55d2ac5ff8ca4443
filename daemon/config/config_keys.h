/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config_keys - every key of the config file, in tables.
 */
#ifndef CONFIG_KEYS_H
#define CONFIG_KEYS_H

#include "config/config_value.h"

/** config_read_root() - all settings under @root into @reader's config */
void config_read_root(struct config_reader *reader,
		      const config_setting_t *root);

#endif
