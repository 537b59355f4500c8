/* SPDX-License-Identifier: BSD-2-Clause */
/* A subject as an operator writes it, and what it used. */
#pragma once

#include "ctl/client.h"
#include "lib/conf/conf.h"
#include "lib/message/message.h"

struct subject {
    enum limit_subject kind;
    char *name; /* as the store has it: "user:alice@example.com" */
    char *login; /* for its classes: one of these is set, or none */
    char *sender;
    struct ip_address client;
    char *class; /* which it was put into elsewhere than in the configuration; or NULL */
};

/* "user:alice@example.com", "client:192.0.2.1", "all"; without a kind, an IP address is a client,
 * and all else is a user.  false: problem_r says what was expected (the caller frees it). */
bool subject_parse(const struct conf *conf, const char *string, struct subject *subject_r,
                   char **problem_r);
void subject_clear(struct subject *subject);

/* Asks those of class-lookup for the class of a user; the store is the client's, which may be
 * closed (store NULL). */
void subject_find_class(const struct conf *conf, struct subject *subject, struct client *client);

/* One limit that counts the subject. */
struct usage {
    const struct conf_limit *limit;
    int64_t max;
    struct conf_match match; /* the class that it is from, or none */
    struct store_limit_answer answer; /* zero for a limit per message */
};

/* Asks the store about all limits that count the subject; usages_r has room for STORE_LIMITS_MAX.
 * false: the store did not answer. */
bool subject_usage(const struct conf *conf, struct subject *subject, struct client *client,
                   struct usage *usages_r, size_t *count_r);

/* What the subject is to the classes; borrows its strings. */
struct conf_person subject_person(const struct subject *subject);
