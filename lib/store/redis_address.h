/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a Redis is: "unix:/path" or "redis://host:port/db". */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct redis_address {
    char *text; /* as it is reported */
    char *path; /* of a unix socket, or NULL */
    char *host; /* a name or an address without brackets, or NULL */
    int port;
};

struct redis_addresses {
    struct redis_address *items; /* to be tried in turn */
    size_t count;
    int database; /* named by the URL; -1: by no one */
};

/* "" gives the places where a local Redis usually is.  false: problem_r says what is wrong (the
 * caller frees it). */
bool redis_addresses_parse(const char *url, struct redis_addresses *addresses_r, char **problem_r);
void redis_addresses_free(struct redis_addresses *addresses);
