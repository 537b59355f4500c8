/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local store: the counters of one host without Redis, in the memory of the program that
 * serves them (sluice-policyd), on its disk, and at a socket for the others.
 */
#pragma once

#include "lib/store/backend.h"
#include "lib/store/memory.h"

struct local_settings {
    const char *address; /* "local:/run/sluice/store.sock" */
    const char *path; /* of the file on disk; NULL or "": none */
    int socket; /* listens; borrowed */
    const struct clock *wall;
};

/* What is on disk is in the memory when it returns.  kind NULL: problem_r says why (the caller
 * frees it). */
struct backend backend_local(struct loop *loop, struct memory *memory,
                             const struct local_settings *settings,
                             const struct backend_owner *owner, char **problem_r);

/* Why the disk does not take what it should; NULL when it does. */
const char *backend_local_problem(const struct backend *backend);
