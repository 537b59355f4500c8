/* SPDX-License-Identifier: BSD-2-Clause */
/* What every fuzz target has: its entry, and a promise whose breach is a crash. */
#pragma once

#include "lib/causes/causes.h"
#include "lib/conf/conf.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void must(bool truth)
{
    if (!truth)
        abort();
}

/* The configuration of a text that has no problem; conf_unref() it. */
static inline struct conf *fuzz_conf(const char *text)
{
    const struct conf_words words = {.causes = cause_ids(),
                                     .ncauses = CAUSE_COUNT,
                                     .actions = action_names(),
                                     .nactions = ACTION_COUNT};
    char *problems = NULL;
    struct conf *conf = conf_load_text("fuzz", text, strlen(text), NULL, 0, &words, &problems);

    must(conf != NULL);
    return conf;
}
