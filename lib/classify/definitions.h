/* SPDX-License-Identifier: BSD-2-Clause */
/* Words that several rules of one file share: "let who = user|mailbox" gives {who} a meaning. */
#pragma once

#include "lib/base/strings.h"
#include "lib/base/text.h"

#define DEFINITIONS_MAX 64
#define DEFINITIONS_TEXT_MAX 8192 /* octets of a rule with all its words put in */

struct definitions {
    struct strings names;
    struct strings values; /* expanded themselves */
};

/* Reads "let NAME = VALUE"; VALUE may use what was defined before.  false: problem_r says what is
 * wrong (the caller frees it). */
bool definitions_read(struct definitions *definitions, const char *text, char **problem_r);

/* Whether a line is one. */
bool definitions_is_one(const char *text);

/* Adds text to text_r with "(?:VALUE)" for each "{NAME}" inside a pattern.  false: a name is
 * unknown, or the text grows too long; problem_r says so. */
bool definitions_expand(const struct definitions *definitions, const char *text,
                        struct text *text_r, char **problem_r);
void definitions_free(struct definitions *definitions);
