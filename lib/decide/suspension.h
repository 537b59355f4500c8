/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Suspensions: who may not send, why, until when, and who said so.
 *
 * They stand in the flag of the user in the store, beside other fields, so that every daemon on
 * every host finds them with the next message.
 */
#pragma once

#include "lib/log/log.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stdint.h>

#define SUSPENSION_KIND "flag"
#define SUSPENSION_TIME_SIZE 24 /* "2026-11-24 03:48 UTC" */

struct suspension {
    int64_t since_sec;
    int64_t until_sec; /* 0: until it is lifted */
    const char *reason; /* "abuse", "billing", ..., or "cause dns.spf-fail" */
    const char *by; /* "root@mx1.example.com", "sluice-policyd@mx1.example.com" */
    const char *note; /* the operator's words, or "" */
};

/* What the fields of a flag say; false: the user is not suspended at that time.  Strings are
 * borrowed from them. */
typedef const char *suspension_field(const void *flag, const char *name);
bool suspension_read(suspension_field *field, const void *flag, int64_t now_sec,
                     struct suspension *suspension_r);

/* Writes it to the store, and takes it out again (answer->known: there was one).  subject:
 * "user:alice@example.com". */
void suspension_set(struct store *store, const char *subject, const struct suspension *suspension,
                    store_callback *callback, void *context);
void suspension_lift(struct store *store, const char *subject, store_callback *callback,
                     void *context);

/* Adds to an event what a suspension is. */
void suspension_log(struct log_event *event, const struct suspension *suspension);

/* A time in words; "" for 0. */
void suspension_time(int64_t at_sec, char text_r[SUSPENSION_TIME_SIZE]);
