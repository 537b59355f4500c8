/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/listener.h"

#include "lib/base/mem.h"
#include "lib/base/privileges.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmilter/mfapi.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
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

static socklen_t unix_sockaddr(const char *path, struct sockaddr_storage *storage_r)
{
    struct sockaddr_un *where = (struct sockaddr_un *)storage_r;

    memset(storage_r, 0, sizeof(*storage_r));
    if (strlen(path) >= sizeof(where->sun_path))
        return 0;
    where->sun_family = AF_UNIX;
    memcpy(where->sun_path, path, strlen(path) + 1);
    return sizeof(*where);
}

static socklen_t inet_sockaddr(const struct conf_listen *listen, struct sockaddr_storage *storage_r)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_PASSIVE,
                                   .ai_socktype = SOCK_STREAM};
    const char *host = strcmp(listen->host, "*") == 0 ? "0.0.0.0" : listen->host;
    struct addrinfo *found = NULL;
    char port[8];
    socklen_t length = 0;

    (void)snprintf(port, sizeof(port), "%u", listen->port);
    if (getaddrinfo(host, port, &hints, &found) != 0)
        return 0;
    memcpy(storage_r, found->ai_addr, found->ai_addrlen);
    length = found->ai_addrlen;
    freeaddrinfo(found);
    return length;
}

/* libmilter tells only syslog why it could not bind: ask again. */
static char *describe_failure(const struct conf_listen *listen)
{
    struct sockaddr_storage where;
    socklen_t length =
        listen->is_unix ? unix_sockaddr(listen->path, &where) : inet_sockaddr(listen, &where);
    int descriptor, one = 1;
    const char *why = "the system log may say why";

    if (length == 0)
        return mem_print("cannot listen on %s: no such address, or it is too long", address);
    descriptor = socket(where.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor >= 0) {
        (void)setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
        if (bind(descriptor, (struct sockaddr *)&where, length) != 0)
            why = strerror(errno);
        else if (listen->is_unix)
            (void)unlink(listen->path);
        close(descriptor);
    }
    return mem_print("cannot listen on %s: %s", address, why);
}

/* --- unix sockets --------------------------------------------------------------------- */

/* Only a socket that nobody listens on any more is removed. */
static char *remove_stale(const char *path)
{
    struct sockaddr_storage where;
    socklen_t length = unix_sockaddr(path, &where);
    struct stat status;
    char *problem = NULL;
    int descriptor;

    if (length == 0)
        return mem_print("cannot listen on %s: the path is too long for a socket", address);
    if (lstat(path, &status) != 0)
        return NULL;
    if (!S_ISSOCK(status.st_mode))
        return mem_print("cannot listen on %s: there is something else at this path", address);
    descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0)
        return mem_print("cannot make a socket: %s", strerror(errno));
    /* only "refused" means that nobody is there: a full queue or a lack of rights does not */
    if (connect(descriptor, (struct sockaddr *)&where, length) == 0 || errno != ECONNREFUSED)
        problem = mem_print("cannot listen on %s: another process does", address);
    else if (unlink(path) != 0)
        problem = mem_print("cannot remove the old socket %s: %s", path, strerror(errno));
    close(descriptor);
    return problem;
}

static char *give_access(const struct conf *conf, const char *path)
{
    gid_t group;

    if (conf->milter_socket_group[0] != '\0') {
        if (!privileges_find_group(conf->milter_socket_group, &group))
            return mem_print("there is no group %s for the socket", conf->milter_socket_group);
        if (chown(path, (uid_t)-1, group) != 0)
            return mem_print("cannot give %s to group %s: %s", path, conf->milter_socket_group,
                             strerror(errno));
    }
    if (chmod(path, conf->milter_socket_mode) != 0)
        return mem_print("cannot set the mode of %s: %s", path, strerror(errno));
    return NULL;
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

bool listener_open(const struct conf *conf, char **problem_r)
{
    const struct conf_listen *listen = &conf->milter_listen[0];
    char *problem = NULL;
    mode_t mask;
    bool open;

    address = libmilter_address(listen);
    if (listen->is_unix)
        problem = remove_stale(listen->path);
    if (problem != NULL)
        goto done;
    allow_many_descriptors();
    /* nobody may connect before the mode is set */
    mask = umask(0777);
    open = smfi_setconn(address) == MI_SUCCESS && smfi_setbacklog(BACKLOG) == MI_SUCCESS &&
           smfi_opensocket(false) == MI_SUCCESS;
    (void)umask(mask);
    if (!open) {
        problem = describe_failure(listen);
    } else if (listen->is_unix) {
        unix_path = mem_copy(listen->path);
        problem = give_access(conf, unix_path);
    } else {
        set_no_delay(listen->port);
    }
done:
    if (problem == NULL)
        return true;
    listener_remove();
    *problem_r = problem;
    return false;
}

bool listener_is_at(const struct conf *conf)
{
    char *wanted = libmilter_address(&conf->milter_listen[0]);
    bool same = address != NULL && strcmp(address, wanted) == 0;

    free(wanted);
    return same;
}

void listener_remove(void)
{
    if (unix_path != NULL)
        (void)unlink(unix_path);
    free(unix_path);
    unix_path = NULL;
}
