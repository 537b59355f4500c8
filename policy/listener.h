/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sockets that policy clients connect to: opened as root, served without, changed by a reload.
 */
#pragma once

#include "lib/base/loop.h"
#include "lib/conf/conf.h"
#include "lib/log/log.h"

#include <stdbool.h>

struct listeners;

/* Takes over the descriptor. */
typedef void listeners_callback(int fd, void *context);
/* The process or the machine has no descriptors or memory left; called at each pause. */
typedef void listeners_short(const char *problem, void *context);

/* Opens all sockets of the configuration, or none.  NULL: problem_r says why (the caller frees it).
 */
struct listeners *listeners_open(const struct conf *conf, char **problem_r);

/* Begins to accept. */
void listeners_serve(struct listeners *listeners, struct loop *loop, struct log *log,
                     listeners_callback *accepted, listeners_short *short_of, void *context);

/* Opens what is new in the configuration and closes what is no longer there; what stays is not
 * touched but for its rights.  What fails is said in the log. */
void listeners_reload(struct listeners *listeners, const struct conf *conf);

/* Closes all sockets and removes those of unix that are still ours. */
void listeners_close(struct listeners **listeners);
