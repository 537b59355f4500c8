/* SPDX-License-Identifier: BSD-2-Clause */
/* Tag lists by the whole grammar of RFC 6376 section 3.2, as signatures and key records have them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define TAG_LIST_MAX 64 /* tags of one list */
#define TAG_LIST_BYTES_MAX 65536 /* of one list */

struct tag {
    const char *name;
    char *value; /* without the white space around it */
};

/* Filled by tag_list_parse(), ends with tag_list_clear(). */
struct tag_list {
    char *text; /* what the tags point into */
    struct tag tags[TAG_LIST_MAX];
    size_t count;
};

/* false: it is none: a wrong name or octet, a tag that is there twice or has no '=', an empty one
 * before the end, or more than is read.  list_r needs no clearing then. */
bool tag_list_parse(const char *bytes, size_t length, struct tag_list *list_r);
void tag_list_clear(struct tag_list *list);

/* The tag's value, or NULL. */
const char *tag_list_get(const struct tag_list *list, const char *name);

/* The same without any white space.  NULL: there is no such tag; the caller frees it. */
char *tag_list_get_compact(const struct tag_list *list, const char *name);

/* Whether a colon-separated list has the word, without regard to case; white space around words
 * does not count. */
bool tag_words_have(const char *words, const char *word);
