/* SPDX-License-Identifier: BSD-2-Clause */
/* What the verbs of sluicectl share. */
#pragma once

#include "lib/conf/conf.h"
#include "lib/daemon/options.h"

#include <jansson.h>
#include <stdbool.h>
#include <sysexits.h>

/* Exit statuses: EX_OK, EX_USAGE (64), EX_UNAVAILABLE (69: the store), EX_CONFIG (78), and: */
#define EXIT_NEGATIVE 1 /* it works, and the answer is no */

struct ctl {
    struct options options;
    struct conf *conf; /* NULL until ctl_load() */
};

/* A verb.  run() gets its own name as argv[0] and returns the exit status. */
struct verb {
    const char *name;
    const char *arguments; /* "[-j] SUBJECT" */
    const char *summary; /* at most 26 columns */
    const char *help; /* the rest of --help */
    int (*run)(struct ctl *ctl, int argc, char **argv);
};

extern const struct verb verb_check, verb_causes, verb_classify, verb_config, verb_explain;
extern const struct verb verb_keygen, verb_limits, verb_reset, verb_spf;
extern const struct verb verb_status, verb_try, verb_verify, verb_enforce;
extern const struct verb verb_class, verb_replay, verb_warmup;
extern const struct verb verb_report, verb_why;
extern const struct verb verb_suspend, verb_suspended, verb_unsuspend, verb_release, verb_top;

/* Loads the configuration.  false: its problems were written to standard error; EX_CONFIG. */
bool ctl_load(struct ctl *ctl);

/* A line on standard error, with the program's name before it. */
void ctl_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The one option that most verbs have, --json, and how many arguments may follow.
 * Returns -1 to go on (optind is at the first argument), else the status to exit with. */
int ctl_parse(int argc, char **argv, int most, bool *json_r);

/* Says what is wrong with a verb's words, and how to get help.  Returns EX_USAGE. */
int ctl_usage(const char *verb, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Writes a JSON value as one indented document and releases it. */
void ctl_print_json(json_t *value);
