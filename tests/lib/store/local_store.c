/* SPDX-License-Identifier: BSD-2-Clause */
/* A local store in a process of its own. */
#include "tests/lib/store/local_store.h"

#include "lib/base/mem.h"
#include "lib/store/store.h"
#include "tests/support/process.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void bind_socket(struct local_store *local)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = local->url + strlen("local:");

    (void)stpncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
    (void)unlink(path);
    local->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (local->socket < 0 ||
        bind(local->socket, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(local->socket, 64) != 0)
        abort();
}

void local_store_listen(struct local_store *local)
{
    memset(local, 0, sizeof(*local));
    local->folder = process_folder();
    local->path = mem_print("%s/store.lmdb", local->folder);
    local->url = mem_print("local:%s/socket", local->folder);
    bind_socket(local);
}

static _Noreturn void serve(const struct local_store *local)
{
    struct loop *loop = loop_new();
    char *problem = NULL;
    const struct store_settings settings = {
        .url = local->url,
        .timeout_ms = 1000,
        .serves = true,
        .serve_socket = local->socket,
        .serve_path = local->path,
    };

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (store_open(loop, &settings, &problem) == NULL) {
        fprintf(stderr, "%s\n", problem);
        _exit(1);
    }
    loop_run(loop);
    _exit(0);
}

static void run(struct local_store *local)
{
    local->pid = fork();
    if (local->pid < 0)
        abort();
    if (local->pid == 0)
        serve(local);
}

void local_store_start(struct local_store *local)
{
    local_store_listen(local);
    run(local);
}

void local_store_kill(struct local_store *local)
{
    process_kill(local->pid, SIGKILL);
    local->pid = 0;
    (void)close(local->socket);
}

void local_store_restart(struct local_store *local)
{
    bind_socket(local);
    run(local);
}

void local_store_stop(struct local_store *local)
{
    if (local->pid > 0)
        process_kill(local->pid, SIGKILL);
    (void)close(local->socket);
    process_folder_remove(&local->folder);
    free(local->path);
    free(local->url);
}
