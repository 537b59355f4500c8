/* SPDX-License-Identifier: BSD-2-Clause */
/* The socket that libmilter listens on. */
#pragma once

#include "lib/conf/conf.h"

#include <stdbool.h>

/* Has libmilter bind to the configured address: as root, before there are threads.  A unix socket
 * that is left over is removed if nobody answers there, and gets its mode and group.
 * false: problem_r says why not (the caller frees it). */
bool listener_open(const struct conf *conf, char **problem_r);

/* Whether a configuration names the same address. */
bool listener_is_at(const struct conf *conf);

/* Gives the unix socket the mode and the group of another configuration.  false: problem_r says why
 * not (the caller frees it). */
bool listener_update(const struct conf *conf, char **problem_r);

/* Removes the unix socket, so that no new connection finds us and a successor can take its place.
 * Doing it again does nothing. */
void listener_remove(void);
