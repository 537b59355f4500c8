/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/listener.h"

#include "lib/base/mem.h"
#include "lib/daemon/socket.h"

#include <libmilter/mfapi.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define BACKLOG                                                                                    \
    4096 /* the kernel cuts it at net.core.somaxconn; Postfix waits a second on a full one */
#define DESCRIPTORS_SEARCHED 1024

static char *address; /* as libmilter takes it */
static char *unix_path; /* while there is something to remove */

/* --- addresses ------------------------------------------------------------------------ */

static char *libmilter_address(const struct conf_listen *listen)
{
    const char *family = strchr(listen->host != NULL ? listen->host : "", ':') ? "inet6" : "inet";

    if (listen->is_unix)
        return mem_print("unix:%s", listen->path);
    if (strcmp(listen->host, "*") == 0)
        return mem_print("inet:%u", listen->port);
    return mem_print("%s:%u@[%s]", family, listen->port, listen->host);
}

/* libmilter tells only syslog why it could not bind: ask again. */
static char *describe_failure(const struct conf_listen *listen, const struct socket_access *access)
{
    char *problem = NULL;
    int descriptor = socket_listen(listen, access, &problem);

    if (descriptor < 0)
        return problem;
    close(descriptor);
    if (listen->is_unix)
        (void)unlink(listen->path);
    return mem_print("cannot listen on %s: the system log may say why", address);
}

/* --- inet sockets --------------------------------------------------------------------- */

/* libmilter writes a header change in two pieces: with Nagle's algorithm the second waits for the
 * MTA's delayed acknowledgement, 40 ms.  On Linux an accepted socket inherits the setting;
 * libmilter does not tell which descriptor listens. */
static void set_no_delay(uint16_t port)
{
    for (int descriptor = 0; descriptor < DESCRIPTORS_SEARCHED; descriptor++) {
        struct sockaddr_storage where;
        socklen_t length = sizeof(where), room = sizeof(int);
        int listening = 0, one = 1;
        uint16_t found = 0;

        if (getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listening, &room) != 0 ||
            !listening || getsockname(descriptor, (struct sockaddr *)&where, &length) != 0)
            continue;
        if (where.ss_family == AF_INET)
            found = ntohs(((struct sockaddr_in *)&where)->sin_port);
        else if (where.ss_family == AF_INET6)
            found = ntohs(((struct sockaddr_in6 *)&where)->sin6_port);
        if (found == port)
            (void)setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    }
}

/* --- the listener --------------------------------------------------------------------- */

/* Each SMTP session at the MTA holds a connection. */
static void allow_many_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* Nobody may connect before the mode is set. */
static bool bind_closed(void)
{
    mode_t mask = umask(0777);
    bool open = smfi_setconn(address) == MI_SUCCESS && smfi_setbacklog(BACKLOG) == MI_SUCCESS &&
                smfi_opensocket(false) == MI_SUCCESS;

    (void)umask(mask);
    return open;
}

static struct socket_access access_of(const struct conf *conf)
{
    return (struct socket_access){
        .mode = conf->milter_socket_mode, .group = conf->milter_socket_group, .owner = conf->user};
}

bool listener_open(const struct conf *conf, char **problem_r)
{
    const struct conf_listen *listen = &conf->milter_listen[0];
    const struct socket_access access = access_of(conf);

    address = libmilter_address(listen);
    if (listen->is_unix && !socket_make_way(listen, &access, problem_r))
        return false;
    allow_many_descriptors();
    if (!bind_closed()) {
        *problem_r = describe_failure(listen, &access);
        return false;
    }
    if (!listen->is_unix) {
        set_no_delay(listen->port);
        return true;
    }
    unix_path = mem_copy(listen->path);
    if (socket_set_access(unix_path, &access, problem_r))
        return true;
    listener_remove();
    return false;
}

bool listener_is_at(const struct conf *conf)
{
    char *wanted = libmilter_address(&conf->milter_listen[0]);
    bool same = address != NULL && strcmp(address, wanted) == 0;

    free(wanted);
    return same;
}

bool listener_update(const struct conf *conf, char **problem_r)
{
    const struct socket_access access = access_of(conf);

    return unix_path == NULL || socket_update_access(unix_path, &access, problem_r);
}

void listener_remove(void)
{
    if (unix_path != NULL)
        (void)unlink(unix_path);
    free(unix_path);
    unix_path = NULL;
}
