/* SPDX-License-Identifier: BSD-2-Clause */
/* A local store in a process of its own. */
#pragma once

#include <sys/types.h>

struct local_store {
    char *folder, *path, *url; /* of the file on disk; of the socket */
    int socket;
    pid_t pid; /* 0: it does not run */
};

/* Only the socket and the places. */
void local_store_listen(struct local_store *local);
void local_store_start(struct local_store *local);
/* kill -9, and the start of another one at the same places. */
void local_store_kill(struct local_store *local);
void local_store_restart(struct local_store *local);
void local_store_stop(struct local_store *local);
