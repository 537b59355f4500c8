/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of checks: which causes each can find, where, from which facts.
 *
 * A check is pure: it reads the message, its facts and the configuration, and adds findings.  It
 * does no I/O, so a test hands it a literal.
 */
#pragma once

#include "lib/causes/causes.h"
#include "lib/conf/conf.h"
#include "lib/message/message.h"

#include <stddef.h>

/* Facts that a check needs, as bits: gather asks only for what some check of this stage needs. */
enum check_need {
    NEED_SENDER_DOMAIN = 1 << 0,
    NEED_RECIPIENT_DOMAINS = 1 << 1,
    NEED_LIMITS = 1 << 2,
    NEED_NOTES = 1 << 3, /* what the store remembers besides */
    NEED_OUTLOOK = 1 << 4,
    NEED_RECIPIENT_MX = 1 << 5,
    NEED_LISTINGS = 1 << 6,
};

#define CHECK_CAUSES_MAX 16

struct check {
    const char *name;
    enum cause_id causes[CHECK_CAUSES_MAX]; /* those it can find */
    size_t ncauses;
    unsigned stages; /* 1 << enum stage */
    unsigned programs; /* enum message_program */
    unsigned directions; /* 1 << enum direction */
    unsigned needs; /* enum check_need */
    void (*run)(const struct conf *conf, struct message *message);
};

extern const struct check checks[];
extern const size_t checks_count;

/* What the checks of the message's stage, program and direction need together; a check all of whose
 * causes are set to ignore needs nothing. */
unsigned checks_needs(const struct conf *conf, const struct message *message);

/* Runs them all, in the table's order; message->findings is replaced. */
void checks_run(const struct conf *conf, struct message *message);

/* The recipients that this stage is about: at RCPT the last, later all. */
size_t checks_first_recipient(const struct message *message);

/* Adds what is wrong with one host that takes a domain's mail (dns.mx-broken); recipient: whose
 * domain it is, or -1. */
void find_broken_mx(const struct conf *conf, struct message *message, const char *domain,
                    long recipient, const struct mx_flaw *flaw);
