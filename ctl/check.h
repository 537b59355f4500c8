/* SPDX-License-Identifier: BSD-2-Clause */
/* What sluicectl check can be asked to look at. */
#pragma once

#include "ctl/ctl.h"

#include <stdbool.h>
#include <stddef.h>

/* One subject; the configuration is loaded.  names are the words after it.  Returns the status to
 * exit with. */
struct check_subject {
    const char *name;
    int (*run)(struct ctl *ctl, char **names, size_t count, bool json);
};

int check_dns(struct ctl *ctl, char **names, size_t count, bool json);
