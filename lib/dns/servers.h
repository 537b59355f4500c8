/* SPDX-License-Identifier: BSD-2-Clause */
/* The name servers that questions are forwarded to. */
#pragma once

#include "lib/base/strings.h"

#include <stdbool.h>

#define DNS_SERVERS_MAX 8

/* Reads resolver = ("system" or "ADDRESS[@PORT]" with ',' between several) into the form that
 * libunbound takes, "ADDRESS@PORT".  resolv_conf is the file that "system" means.  false: problem_r
 * says why (the caller frees it) and the list is empty. */
bool dns_servers_read(const char *resolver, const char *resolv_conf, struct strings *servers_r,
                      char **problem_r);
