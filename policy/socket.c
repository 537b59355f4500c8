/* SPDX-License-Identifier: BSD-2-Clause */
/* Listening sockets. */
#include "policy/socket.h"

#include "lib/base/ip.h"
#include "lib/base/mem.h"
#include "lib/base/privileges.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define SOCKET_FLAGS (SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK)

char *socket_name(const struct conf_listen *where)
{
    if (where->is_unix)
        return mem_print("unix:%s", where->path);
    if (strchr(where->host, ':') != NULL)
        return mem_print("inet:[%s]:%u", where->host, where->port);
    return mem_print("inet:%s:%u", where->host, where->port);
}

static char *system_problem(const struct conf_listen *where, const char *what)
{
    char *name = socket_name(where);
    char *problem = mem_print("cannot listen on %s: %s: %s", name, what, strerror(errno));

    free(name);
    return problem;
}

/* --- unix ----------------------------------------------------------------------------- */

bool socket_set_access(const char *path, const struct socket_access *access, char **problem_r)
{
    gid_t group = (gid_t)-1;
    uid_t owner = (uid_t)-1;
    const struct passwd *user =
        access->owner[0] != '\0' && geteuid() == 0 ? getpwnam(access->owner) : NULL;

    if (user != NULL)
        owner = user->pw_uid;
    if (access->group[0] != '\0' && !privileges_find_group(access->group, &group)) {
        *problem_r = mem_print("%s: there is no group \"%s\"", path, access->group);
        return false;
    }
    /* The mode comes last: a change of owner may take bits away. */
    if ((owner != (uid_t)-1 || group != (gid_t)-1) && chown(path, owner, group) != 0) {
        *problem_r = mem_print("%s: cannot give it to group \"%s\": %s", path, access->group,
                               strerror(errno));
        return false;
    }
    if (chmod(path, access->mode) != 0) {
        *problem_r = mem_print("%s: cannot set its mode: %s", path, strerror(errno));
        return false;
    }
    return true;
}

/* The folder, where it is the only thing that is missing: /run is empty after a start of the
 * machine. */
static void make_folder(const char *path, const struct socket_access *access)
{
    const char *slash = strrchr(path, '/');
    const struct passwd *user = access->owner[0] != '\0' ? getpwnam(access->owner) : NULL;
    char *folder;

    if (slash == NULL || slash == path)
        return;
    folder = mem_copy_n(path, (size_t)(slash - path));
    if (mkdir(folder, 0755) == 0 && user != NULL && geteuid() == 0 &&
        chown(folder, user->pw_uid, user->pw_gid) != 0)
        (void)rmdir(folder);
    free(folder);
}

/* Removes what a dead process left behind.  false: it is alive, or not a socket; errno says so. */
static bool remove_stale(const struct sockaddr_un *name)
{
    struct stat status;
    bool refused;
    int fd;

    if (lstat(name->sun_path, &status) != 0)
        return errno == ENOENT;
    if (!S_ISSOCK(status.st_mode)) {
        errno = EEXIST;
        return false;
    }
    fd = socket(AF_UNIX, SOCKET_FLAGS, 0);
    if (fd < 0)
        return false;
    refused =
        connect(fd, (const struct sockaddr *)name, sizeof(*name)) != 0 && errno == ECONNREFUSED;
    close(fd);
    if (!refused) {
        errno = EADDRINUSE;
        return false;
    }
    return unlink(name->sun_path) == 0;
}

static int listen_unix(const struct conf_listen *where, const struct socket_access *access,
                       char **problem_r)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    const size_t length = strlen(where->path);
    mode_t before;
    bool bound;
    int fd = -1;

    if (length >= sizeof(name.sun_path)) {
        *problem_r = mem_print("cannot listen on unix:%s: a socket's path has at most %zu octets",
                               where->path, sizeof(name.sun_path) - 1);
        return -1;
    }
    mem_copy_bytes(name.sun_path, where->path, length);
    make_folder(where->path, access);
    if (!remove_stale(&name)) {
        *problem_r = system_problem(where, "it is there already");
        return -1;
    }
    fd = socket(AF_UNIX, SOCKET_FLAGS, 0);
    /* Nobody may connect before the rights are as they should be. */
    before = umask(0177);
    bound = fd >= 0 && bind(fd, (const struct sockaddr *)&name, sizeof(name)) == 0;
    umask(before);
    if (!bound)
        *problem_r = system_problem(where, "bind");
    else if (socket_set_access(where->path, access, problem_r)) {
        if (listen(fd, SOMAXCONN) == 0)
            return fd;
        *problem_r = system_problem(where, "listen");
    }
    if (bound)
        (void)unlink(where->path);
    if (fd >= 0)
        close(fd);
    return -1;
}

/* --- inet ----------------------------------------------------------------------------- */

static bool set_option(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof(value)) == 0;
}

/* "*" is IPv6 that takes IPv4 too, and IPv4 alone where the machine has no other. */
static socklen_t inet_name(const struct conf_listen *where, struct sockaddr_storage *name_r,
                           bool v4_only)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)name_r;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)name_r;
    const bool any = strcmp(where->host, "*") == 0;
    struct ip_address address = {.family = v4_only ? 4 : 6};

    memset(name_r, 0, sizeof(*name_r));
    if (!any && !ip_parse(where->host, &address))
        return 0;
    if (address.family == 4) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(where->port);
        memcpy(&v4->sin_addr, address.bytes, sizeof(v4->sin_addr));
        return sizeof(*v4);
    }
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(where->port);
    memcpy(&v6->sin6_addr, address.bytes, sizeof(v6->sin6_addr));
    return sizeof(*v6);
}

static int open_inet(const struct conf_listen *where, bool v4_only)
{
    struct sockaddr_storage name;
    const socklen_t length = inet_name(where, &name, v4_only);
    const bool any = strcmp(where->host, "*") == 0;
    int problem;
    int fd;

    if (length == 0) {
        errno = EADDRNOTAVAIL;
        return -1;
    }
    fd = socket(name.ss_family, SOCKET_FLAGS, 0);
    if (fd < 0)
        return -1;
    if (set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1) &&
        (name.ss_family != AF_INET6 || set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, any ? 0 : 1)) &&
        /* On Linux what is accepted inherits it. */
        set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1) &&
        bind(fd, (const struct sockaddr *)&name, length) == 0 && listen(fd, SOMAXCONN) == 0)
        return fd;
    problem = errno;
    close(fd);
    errno = problem;
    return -1;
}

static int listen_inet(const struct conf_listen *where, char **problem_r)
{
    int fd = open_inet(where, false);

    if (fd < 0 && strcmp(where->host, "*") == 0 &&
        (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL))
        fd = open_inet(where, true);
    if (fd < 0)
        *problem_r = system_problem(where, "bind");
    return fd;
}

int socket_listen(const struct conf_listen *where, const struct socket_access *access,
                  char **problem_r)
{
    return where->is_unix ? listen_unix(where, access, problem_r) : listen_inet(where, problem_r);
}
