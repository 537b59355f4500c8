/* SPDX-License-Identifier: BSD-2-Clause */
/* A configuration as it was written: sections, options and values as text, each with its place. */
#pragma once

#include "lib/conf/scan.h"
#include "lib/conf/schema.h"

struct raw_value {
    char *text;
    struct conf_place place;
};

struct raw_option {
    const struct conf_option *option;
    struct raw_value *values;
    size_t nvalues;
};

struct raw_section {
    enum section_kind kind;
    char *title; /* NULL for the root */
    struct conf_place place;
    struct raw_option *options;
    size_t noptions;
    struct raw_section *children;
    size_t nchildren;
};

/* Has libConfuse parse a source into the root section, which is the caller's to raw_clear() either
 * way. false: the syntax is wrong; a problem says where, and the root holds what stood before it.
 */
bool raw_parse(const struct source *source, struct problems *problems, struct raw_section *root_r);

const struct raw_option *raw_find(const struct raw_section *section,
                                  const struct conf_option *option);

/* Moves what is set in from into into: an option replaces the one there, sections with the same
 * title merge. */
void raw_merge(struct raw_section *into, struct raw_section *from);

/* Takes a child out and clears it. */
void raw_remove_child(struct raw_section *section, size_t index);
void raw_clear(struct raw_section *section);

/* Sets an option to one value. */
void raw_set(struct raw_section *section, const struct conf_option *option, const char *value,
             const struct conf_place *place);
