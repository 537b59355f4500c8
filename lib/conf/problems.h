/* SPDX-License-Identifier: BSD-2-Clause */
/* The list of what is wrong with a configuration: one line a problem, in the order they were found.
 */
#pragma once

#include "lib/base/text.h"
#include "lib/conf/conf.h"

#define PROBLEMS_MAX 200 /* more than a person reads */

/* The files of places that are in no file; such a place is known by this very pointer. */
extern const char conf_command_line[]; /* the line counts the overrides from 1 */
extern const char conf_defaults_place[];

struct problems {
    struct text text;
    size_t count;
    const char *const *overrides; /* borrowed: quoted in the place of an override */
    size_t noverrides;
};

void problem_add(struct problems *problems, const struct conf_place *place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A string with its control characters escaped, cut where it is long. */
void problem_quote(struct text *text, const char *string);

/* Appends "; did you mean "word"?" where word is not NULL. */
void problem_suggest(struct text *text, const char *word);

/* Appends the nearest of these names to word; where none is near: which there are. */
void problem_suggest_of(struct text *text, const char *word, const char *const *names,
                        size_t count);
