/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the logs say of a queue id, a message id, a login, an address or a recipients' domain: the
 * lines of the MTA and of
 * all of Sluice's programs, joined by queue id and put in order.
 */
#pragma once

#include "lib/base/map.h"
#include "lib/base/strings.h"
#include "lib/classify/line.h"
#include "lib/log/record.h"

#define TIMELINE_MAX ((size_t)5000) /* lines; beyond them the oldest are left out */

struct timeline_entry {
    int64_t time_us; /* 0: the line does not say */
    size_t order; /* in which it was read */
    char *text; /* the line */
    struct line line; /* its fields point into text */
    struct log_record record; /* of a line of ours; without names otherwise */
};

struct timeline {
    struct timeline_entry *entries; /* oldest first, once all is read */
    size_t count;
    size_t left_out;
};

/* Reads the files, packed with gzip or not.  since_us: lines before it are left out.  false: one
 * cannot be read; problem_r says why (the caller frees it). */
bool timeline_read(struct timeline *timeline_r, const struct strings *files, const char *target,
                   int64_t since_us, char **problem_r);
void timeline_free(struct timeline *timeline);
