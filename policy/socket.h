/* SPDX-License-Identifier: BSD-2-Clause */
/* Listening sockets. */
#pragma once

#include "lib/conf/conf.h"

#include <stdbool.h>
#include <sys/types.h>

/* Who may use a unix socket. */
struct socket_access {
    mode_t mode;
    const char *group; /* "": leave it */
    const char
        *owner; /* to whom root gives the socket, so that he can remove it later; "": keep it */
};

/* Opens a listening socket that does not block; what it accepts on TCP sends without delay.  A unix
 * socket that nobody answers on is replaced.  -1: problem_r says why (the caller frees it). */
int socket_listen(const struct conf_listen *where, const struct socket_access *access,
                  char **problem_r);

/* Gives an existing unix socket these rights.  false: problem_r. */
bool socket_set_access(const char *path, const struct socket_access *access, char **problem_r);

/* "unix:/run/sluice/policy.sock", "inet:127.0.0.1:10040"; the caller frees it. */
char *socket_name(const struct conf_listen *where);
