/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the store is, taken apart. */
#pragma once

#include <stdbool.h>

struct store_url {
    /* "", "memory:", "local:/path", "unix:/path", "redis://host:port", "rediss://host:port" (TLS),
     * "sentinel://host:port,...?master=name" or "cluster://host:port,..."; an IPv6 host has
     * brackets. */
    char *address;
    char *user; /* NULL when the URL has none */
    char *password;
    int database; /* -1 when the URL has none */
    bool remote; /* it names hosts, which can be spoken to over TLS */
    bool tls; /* and says so itself */
};

/* false: problem_r says what is wrong in a few words, or is NULL when it is no store at all. */
bool store_url_parse(const char *string, struct store_url *url_r, const char **problem_r);
void store_url_clear(struct store_url *url);

/* The URL with its password, if any, as "***".  The caller frees it. */
char *store_url_masked(const char *string);
