/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The classification rules: ordered, the first one that fits decides.
 *
 * conf/classify.rules describes the format and holds the rules that are built in.  Rules are
 * constant once loaded; any thread may match with a scratch of its own.
 */
#pragma once

#include "lib/base/strings.h"
#include "lib/base/text.h"
#include "lib/causes/causes.h"
#include "lib/classify/line.h"
#include "lib/classify/reply.h"

#define RULES_MAX 4096 /* of all files */
#define RULES_FILE_MAX ((size_t)1024 * 1024) /* octets */
#define RULES_BUILT_IN                                                                             \
    "classify.rules" /* the file of the built-in rules, in names and problems                      \
                      */

struct rules;
struct rules_scratch;

/* What a rule looks at. */
struct rules_case {
    unsigned code;
    struct enhanced enhanced;
    enum smtp_stage stage;
    enum line_kind kind; /* LINE_FOREIGN: a reply that is in no log line */
    struct span relay; /* the server's name, or absent */
    struct span text; /* in normal_form() */
};

/* A sentence that stands beside a rule, to be decided by it. */
struct rules_sentence {
    const char *text;
    unsigned line;
    size_t rule;
};

/* Loads the files in their order (built_in: and the rules that are built in behind them) and
 * compiles them.  NULL: problems_r has one line per problem, "file:line: what is wrong" (the caller
 * frees it). */
struct rules *rules_load(const struct strings *files, bool built_in, char **problems_r);

/* The same from one text, whose name stands in names and problems. */
struct rules *rules_load_text(const char *name, const char *text, size_t length, char **problems_r);
void rules_free(struct rules **rules);

size_t rules_count(const struct rules *rules);
enum cause_id rule_cause(const struct rules *rules, size_t rule);
const char *rule_name(const struct rules *rules, size_t rule); /* "classify.rules:42" */
const char *rule_file(const struct rules *rules, size_t rule);

size_t rules_sentence_count(const struct rules *rules);
const struct rules_sentence *rules_sentence(const struct rules *rules, size_t index);

struct rules_scratch *rules_scratch_new(const struct rules *rules);
void rules_scratch_free(struct rules_scratch **scratch);

#define RULE_NONE ((size_t)-1)
/* The first rule that fits, or RULE_NONE. */
size_t rules_match(const struct rules *rules, struct rules_scratch *scratch,
                   const struct rules_case *facts);
