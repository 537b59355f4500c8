/* SPDX-License-Identifier: BSD-2-Clause */
/* Listening sockets. */
#include "lib/daemon/socket.h"

#include "lib/base/count.h"
#include "lib/base/ip.h"
#include "lib/base/mem.h"
#include "lib/base/privileges.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
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

static char *problem_of(const struct conf_listen *where, const char *what)
{
    char *name = socket_name(where);
    char *problem = mem_print("cannot listen on %s: %s", name, what);

    free(name);
    return problem;
}

/* What errno says, and what to do about it. */
static char *failure_of(const struct conf_listen *where, int number)
{
    static const struct {
        int number;
        const char *advice;
    } advices[] = {
        {EADDRINUSE, "another program listens there; stop it, or configure another port"},
        {EADDRNOTAVAIL, "this host has no such address; configure one that it has"},
        {EACCES, "start it as root, or configure a place that this user may use"},
        {ENOENT, "its folder is not there; make it, or configure another"},
    };
    char *what, *problem;

    for (size_t i = 0; i < COUNT_OF(advices); i++) {
        if (advices[i].number != number)
            continue;
        what = mem_print("%s: %s", strerror(number), advices[i].advice);
        problem = problem_of(where, what);
        free(what);
        return problem;
    }
    return problem_of(where, strerror(number));
}

static socklen_t unix_address(const char *path, struct sockaddr_un *address)
{
    const size_t length = strlen(path);

    if (length >= sizeof(address->sun_path))
        return 0;
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path, length);
    return sizeof(*address);
}

socklen_t socket_address(const struct conf_listen *where, struct sockaddr_storage *address_r)
{
    struct ip_address address = {.family = 6};

    memset(address_r, 0, sizeof(*address_r));
    if (where->is_unix)
        return unix_address(where->path, (struct sockaddr_un *)address_r);
    if (strcmp(where->host, "*") != 0 && !ip_parse(where->host, &address))
        return 0;
    return ip_to_sockaddr(&address, where->port, address_r);
}

/* --- unix ----------------------------------------------------------------------------- */

bool socket_set_access(const char *path, const struct socket_access *access, char **problem_r)
{
    gid_t group = (gid_t)-1, its_own;
    uid_t owner = (uid_t)-1;

    if (access->owner[0] != '\0' && geteuid() == 0)
        (void)privileges_find_user(access->owner, &owner, &its_own);
    if (access->group[0] != '\0' && !privileges_find_group(access->group, &group)) {
        *problem_r = mem_print("%s: there is no group \"%s\"", path, access->group);
        return false;
    }
    /* The folder may be the owner's, who could put a link in the socket's place: no link is
     * followed. The mode comes last: a change of owner may take bits away. */
    if ((owner != (uid_t)-1 || group != (gid_t)-1) && lchown(path, owner, group) != 0) {
        *problem_r = mem_print("%s: cannot give it to group \"%s\": %s", path, access->group,
                               strerror(errno));
        return false;
    }
    if (fchmodat(AT_FDCWD, path, access->mode, AT_SYMLINK_NOFOLLOW) != 0) {
        *problem_r = mem_print("%s: cannot set its mode: %s", path, strerror(errno));
        return false;
    }
    return true;
}

bool socket_update_access(const char *path, const struct socket_access *access, char **problem_r)
{
    struct stat status;
    gid_t group = (gid_t)-1;

    if (lstat(path, &status) != 0)
        return true;
    if ((status.st_mode & 07777) == access->mode &&
        (access->group[0] == '\0' ||
         (privileges_find_group(access->group, &group) && group == status.st_gid)))
        return true;
    return socket_set_access(path, access, problem_r);
}

/* The folder, where it is the only thing that is missing: /run is empty after a start of the
 * machine. */
static void make_folder(const char *path, const struct socket_access *access)
{
    const char *slash = strrchr(path, '/');
    uid_t owner;
    gid_t group;
    bool given = access->owner[0] != '\0' && geteuid() == 0 &&
                 privileges_find_user(access->owner, &owner, &group);
    char *folder;

    if (slash == NULL || slash == path)
        return;
    folder = mem_copy_n(path, (size_t)(slash - path));
    if (mkdir(folder, 0755) == 0 && given && chown(folder, owner, group) != 0)
        (void)rmdir(folder);
    free(folder);
}

/* Removes what a dead process left behind.  NULL, or why it is not to be removed. */
static const char *remove_stale(const struct conf_listen *where)
{
    struct sockaddr_storage address;
    const socklen_t length = socket_address(where, &address);
    struct stat status;
    bool refused;
    int fd;

    if (length == 0)
        return "a socket's path has at most 107 octets";
    if (lstat(where->path, &status) != 0)
        return errno == ENOENT ? NULL : strerror(errno);
    if (!S_ISSOCK(status.st_mode))
        return "File exists: something else than a socket; move it away";
    fd = socket(AF_UNIX, SOCKET_FLAGS, 0);
    if (fd < 0)
        return strerror(errno);
    refused = connect(fd, (const struct sockaddr *)&address, length) != 0 && errno == ECONNREFUSED;
    close(fd);
    if (!refused)
        return "Address already in use: another process listens there; stop it, or configure "
               "another path";
    return unlink(where->path) == 0 ? NULL : strerror(errno);
}

bool socket_make_way(const struct conf_listen *where, const struct socket_access *access,
                     char **problem_r)
{
    const char *problem;

    make_folder(where->path, access);
    problem = remove_stale(where);
    if (problem != NULL)
        *problem_r = problem_of(where, problem);
    return problem == NULL;
}

static int listen_unix(const struct conf_listen *where, const struct socket_access *access,
                       char **problem_r)
{
    struct sockaddr_storage name;
    const socklen_t length = socket_address(where, &name);
    mode_t before;
    bool bound;
    int fd;

    if (!socket_make_way(where, access, problem_r))
        return -1;
    fd = socket(AF_UNIX, SOCKET_FLAGS, 0);
    /* Nobody may connect before the rights are as they should be. */
    before = umask(0177);
    bound = fd >= 0 && bind(fd, (const struct sockaddr *)&name, length) == 0;
    umask(before);
    if (!bound)
        *problem_r = failure_of(where, errno);
    else if (socket_set_access(where->path, access, problem_r)) {
        if (listen(fd, SOMAXCONN) == 0)
            return fd;
        *problem_r = failure_of(where, errno);
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

static int open_inet(const struct conf_listen *where, bool any)
{
    struct sockaddr_storage name;
    const socklen_t length = socket_address(where, &name);
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

/* "*" is IPv6 that takes IPv4 too, and IPv4 alone where the machine has no other. */
static int listen_inet(const struct conf_listen *where, char **problem_r)
{
    static char unspecified[] = "0.0.0.0";
    const struct conf_listen ipv4 = {.host = unspecified, .port = where->port};
    const bool any = strcmp(where->host, "*") == 0;
    int fd = open_inet(where, any);

    if (fd < 0 && any && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL))
        fd = open_inet(&ipv4, any);
    if (fd < 0)
        *problem_r = failure_of(where, errno);
    return fd;
}

int socket_listen(const struct conf_listen *where, const struct socket_access *access,
                  char **problem_r)
{
    return where->is_unix ? listen_unix(where, access, problem_r) : listen_inet(where, problem_r);
}
