/* SPDX-License-Identifier: BSD-2-Clause */
/* Loading configurations in tests. */
#pragma once

#include "lib/conf/conf.h"

extern const struct conf_words test_words;

/* From a text named "test.conf".  NULL: *problems_r, which the caller frees. */
struct conf *load_text(const char *text, char **problems_r);

/* The same, with one override where that is not NULL; fails the test when it does not load. */
struct conf *load_good(const char *text, const char *override);

/* A private folder, and a file in it.  Both paths are static until the next call. */
const char *make_folder(void);
const char *make_file(const char *name, const char *text);
void remove_folder(void);
