/* SPDX-License-Identifier: BSD-2-Clause */
/* What sluicectl check can be asked to look at. */
#pragma once

#include "ctl/ctl.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What stands behind the subject. */
struct check_words {
    char **names;
    size_t count;
    bool json;
    const char *authorities; /* --ca, or NULL */
    const char *name; /* --name, or NULL */
    int64_t timeout_ms;
};

/* One subject; the configuration is loaded.  Returns the status to exit with. */
struct check_subject {
    const char *name;
    int (*run)(struct ctl *ctl, const struct check_words *words);
};

int check_dns(struct ctl *ctl, const struct check_words *words);
int check_endpoints(struct ctl *ctl, const struct check_words *words);
