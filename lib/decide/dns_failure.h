/* SPDX-License-Identifier: BSD-2-Clause */
/* dns.failure: one finding per message, whichever of its lookups failed. */
#pragma once

#include "lib/message/message.h"

struct dns_failure {
    const char *domain; /* whose it is */
    const char *type, *name; /* what was asked for: "MX", "example.com" */
    const char *problem;
    const char *for_people; /* the sentence of the reply, or NULL for the catalogue's */
    long recipient; /* index, or -1 for the whole message */
};

/* Adds it to what the message's finding names already, or makes one. */
void dns_failure_add(struct message *message, const struct dns_failure *failure);
