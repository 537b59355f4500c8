/* SPDX-License-Identifier: BSD-2-Clause */
/* Where Redis is: "unix:/path", "redis://host:port/db", "rediss://..." (TLS),
 * "sentinel://host:port,...?master=name" or "cluster://host:port,...". */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct redis_address {
    char *text; /* as it is reported */
    char *path; /* of a unix socket, or NULL */
    char *host; /* a name or an address without brackets, or NULL */
    int port;
};

enum redis_kind {
    REDIS_ALONE, /* any one of the addresses is it */
    REDIS_SENTINEL, /* the addresses are of Sentinels, who know where it is */
    REDIS_CLUSTER, /* the addresses are of some of its nodes */
};

struct redis_addresses {
    enum redis_kind kind;
    struct redis_address *items; /* to be tried in turn */
    size_t count;
    char *master; /* REDIS_SENTINEL: the primary's name */
    int database; /* named by the URL; -1: by no one */
    bool tls; /* to all of them */
};

/* "" gives the places where a local Redis usually is.  tls: whatever the URL says of it.  false:
 * problem_r says what is wrong (the caller frees it). */
bool redis_addresses_parse(const char *url, bool tls, struct redis_addresses *addresses_r,
                           char **problem_r);
/* The one address of a host, a name or an address without brackets. */
struct redis_addresses redis_addresses_of(const char *host, int port, bool tls);
/* What stands before host and port of an address. */
const char *redis_addresses_scheme(const struct redis_addresses *addresses);
void redis_addresses_free(struct redis_addresses *addresses);
