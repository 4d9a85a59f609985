/* SPDX-License-Identifier: GPL-2.0-or-later */
/* file.h - reads the configuration file, by the option table. */
#ifndef AGENT_CONFIG_FILE_H
#define AGENT_CONFIG_FILE_H

#include "config/config.h"

/*
 * Puts what the file says into *config. -ENOENT, without a word, if there is no such
 * file; any other -errno after one log line that names the file and the first line
 * that is wrong.
 */
int config_read_file(const char *path, struct config *config);

#endif
