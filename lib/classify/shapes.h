/* SPDX-License-Identifier: BSD-2-Clause */
/* The shapes of log lines: which words each part of Postfix and Sendmail writes around its data. */
#pragma once

#include "lib/classify/line.h"

/* The parts of the MTAs, as bits. */
enum service {
    SERVICE_SMTP = 1 << 0,
    SERVICE_LMTP = 1 << 1,
    SERVICE_LOCAL = 1 << 2,
    SERVICE_VIRTUAL = 1 << 3,
    SERVICE_PIPE = 1 << 4,
    SERVICE_ERROR = 1 << 5,
    SERVICE_DISCARD = 1 << 6,
    SERVICE_BOUNCE = 1 << 7,
    SERVICE_QMGR = 1 << 8,
    SERVICE_SMTPD = 1 << 9,
    SERVICE_POSTSCREEN = 1 << 10,
    SERVICE_ANVIL = 1 << 11,
    SERVICE_CLEANUP = 1 << 12,
    SERVICE_PICKUP = 1 << 13,
    SERVICE_TLSPROXY = 1 << 14,
    SERVICE_DNSBLOG = 1 << 15,
    SERVICE_MASTER = 1 << 16,
    SERVICE_POSTSUPER = 1 << 17,
    SERVICE_POSTFIX = 1 << 18, /* any other part of it */
    SERVICE_SENDMAIL = 1 << 19,
};
#define SERVICES_POSTFIX ((unsigned)SERVICE_SENDMAIL - 1) /* every part of Postfix */

/* The service of that name: what stands behind the last '/' of a program's name, or all of it.
 * 0: it is no MTA's. */
unsigned service_find(struct span name, bool behind_slash);

/* Whether a queue id stands before ("NOQUEUE" is one), and whether a line without a header may be
 * taken for it. */
enum shape_id { NO_ID, ID, ANY_ID };
enum shape_bare { HEADED, BARE };

struct shape {
    unsigned services;
    enum shape_id id;
    enum shape_bare bare;
    enum line_kind kind;
    /* Words, and fields as %-letters, which match.c explains. */
    const char *form;
};

/* In the order in which they are tried. */
extern const struct shape line_shapes[];
extern const size_t line_shape_count;
