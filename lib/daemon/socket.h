/* SPDX-License-Identifier: BSD-2-Clause */
/* The sockets that the MTA connects to: what both daemons do about them. */
#pragma once

#include "lib/conf/conf.h"

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>

/* Who may use a unix socket. */
struct socket_access {
    mode_t mode;
    const char *group; /* "": leave it */
    const char *owner; /* to whom root gives it, so that they can remove it later; "": keep it */
};

/* Opens a listening socket that does not block; what it accepts on TCP sends without delay.  A unix
 * socket that nobody answers on is replaced.  -1: problem_r says why (the caller frees it). */
int socket_listen(const struct conf_listen *where, const struct socket_access *access,
                  char **problem_r);

/* The part of it that comes before bind(2), for a unix socket that somebody else binds: makes the
 * folder if that alone is missing, and removes what a dead process left.  false: problem_r. */
bool socket_make_way(const struct conf_listen *where, const struct socket_access *access,
                     char **problem_r);

/* Gives an existing unix socket these rights.  false: problem_r. */
bool socket_set_access(const char *path, const struct socket_access *access, char **problem_r);

/* The same where it has others: without root we may no longer be allowed to. */
bool socket_update_access(const char *path, const struct socket_access *access, char **problem_r);

/* Where to bind or connect; "*" is IPv6's unspecified address.  Returns the length of what is used,
 * or 0: there is no such address, or the path is too long. */
socklen_t socket_address(const struct conf_listen *where, struct sockaddr_storage *address_r);

/* "unix:/run/sluice/policy.sock", "inet:127.0.0.1:10040"; the caller frees it. */
char *socket_name(const struct conf_listen *where);
