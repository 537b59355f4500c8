/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a server is, as text: "host", "host:port", "[2001:db8::1]:port", or a unix socket's path.
 * Thread-safe. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ENDPOINT_PATH_MAX 107 /* octets of a unix socket's path; unix(7) */

/* Takes length octets apart.  A host is anything without a colon, or an IPv6 address in brackets;
 * what names a host is the caller's to say.  Without a port it is fallback.  false: neither. */
bool endpoint_parse(const char *bytes, size_t length, uint16_t fallback, char **host_r,
                    uint16_t *port_r);

/* A decimal number from 1 to 65535. */
bool endpoint_parse_port(const char *bytes, size_t length, uint16_t *port_r);

/* Whether a unix socket can have that path: it is absolute, and not too long. */
bool endpoint_is_path(const char *path);
