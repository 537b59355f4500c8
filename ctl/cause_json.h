/* SPDX-License-Identifier: BSD-2-Clause */
/* A row of the catalogue, as the verbs print it. */
#pragma once

#include "lib/causes/causes.h"
#include "lib/conf/conf.h"

#include <jansson.h>

/* The action that the configuration names for the cause, or NULL. */
const char *cause_configured(const struct conf *conf, const struct cause *cause);

/* Where causes are found, as words: "policy", "milter", "feedback", "check". */
#define CAUSE_FOUND_COUNT 4
struct cause_place {
    unsigned found; /* a bit of enum cause_found */
    const char *word;
    const char *meaning;
};
extern const struct cause_place cause_places[CAUSE_FOUND_COUNT];

/* Everything that the catalogue says; a new reference. */
json_t *cause_json(const struct conf *conf, const struct cause *cause);
