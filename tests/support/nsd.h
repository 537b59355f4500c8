/* SPDX-License-Identifier: BSD-2-Clause */
/* A private authoritative name server for tests: Debian's nsd in a folder of its own, on a free
 * port of 127.0.0.1. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct nsd_zone {
    const char *name; /* without the dot at the end; "" is the root */
    const char *records; /* in master file format; SOA and NS are added */
    const char *file; /* or this file as it is */
};

struct nsd;

/* Whether nsd is installed; says on standard error when it is not. */
bool nsd_is_installed(void);

/* Starts it and waits until it answers; the zones end with one without a name.  port 0: any that is
 * free. NULL: it does not start. */
struct nsd *nsd_start(const struct nsd_zone *zones, uint16_t port);
uint16_t nsd_port(const struct nsd *nsd);
void nsd_stop(struct nsd **nsd);
