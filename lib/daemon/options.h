/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line that all programs share: which configuration, and what overrides it. */
#pragma once

#include "lib/base/strings.h"
#include "lib/conf/conf.h"

#include <sysexits.h>

struct options {
    const char *conf_file; /* NULL: the default one, if it is there */
    struct strings overrides; /* -o name=value */
    bool check_only; /* -t */
};

/* Parses a daemon's options.  Returns -1 to go on, else the status to exit with (--help, --version,
 * wrong usage, which has been told on standard error). */
int options_parse(int argc, char **argv, const char *program, const char *summary,
                  struct options *options_r);

/* Loads the configuration that the options name; problems go to problems_r as conf_load() makes
 * them. */
struct conf *options_load(const struct options *options, char **problems_r);

void options_free(struct options *options);
