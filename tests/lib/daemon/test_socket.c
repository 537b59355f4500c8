/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/daemon/socket.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/sluice-socket-XXXXXX";
static char *path;
static struct conf_listen where;
static const struct socket_access access_0620 = {.mode = 0620, .group = "", .owner = ""};

static int set_up(void **state)
{
    (void)state;
    memcpy(strrchr(folder, '-'), "-XXXXXX", 7);
    if (mkdtemp(folder) == NULL)
        return 1;
    path = mem_print("%s/made/socket", folder);
    where = (struct conf_listen){.is_unix = true, .path = path};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    (void)unlink(path);
    *strrchr(path, '/') = '\0';
    (void)rmdir(path);
    (void)rmdir(folder);
    free(path);
    return 0;
}

static int connect_to(const struct conf_listen *to)
{
    struct sockaddr_storage address;
    socklen_t length = socket_address(to, &address);
    int fd = socket(address.ss_family, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    if (connect(fd, (struct sockaddr *)&address, length) == 0)
        return fd;
    close(fd);
    return -1;
}

static int listen_at(const struct conf_listen *at)
{
    char *problem = NULL;
    int fd = socket_listen(at, &access_0620, &problem);

    if (fd < 0)
        fail_msg("%s", problem);
    return fd;
}

static void fails_at(const struct conf_listen *at, const char *why)
{
    char *problem = NULL;

    assert_int_equal(socket_listen(at, &access_0620, &problem), -1);
    if (problem == NULL || strstr(problem, why) == NULL)
        fail_msg("\"%s\" in place of \"%s\"", problem != NULL ? problem : "", why);
    free(problem);
}

/* The folder is made, the mode set, and what is accepted waits for nobody. */
static void test_unix(void **state)
{
    int fd = listen_at(&where);
    int client = connect_to(&where);
    struct stat status;

    (void)state;
    assert_true(client >= 0);
    assert_int_equal(lstat(path, &status), 0);
    assert_true(S_ISSOCK(status.st_mode));
    assert_int_equal(status.st_mode & 07777, 0620);
    assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
    assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    close(client);
    close(fd);
}

static void test_unix_taken(void **state)
{
    int fd = listen_at(&where);
    int client;

    (void)state;
    fails_at(&where, "another process listens there");
    client = connect_to(&where);
    assert_true(client >= 0); /* it is still theirs */
    close(client);
    close(fd);
    close(listen_at(&where)); /* now it is stale, and replaced */
    assert_int_equal(unlink(path), 0);
    fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    close(fd);
    fails_at(&where, "something else");
    assert_int_equal(access(path, F_OK), 0);
}

static void test_unix_impossible(void **state)
{
    static char deep[] = "/dev/null/sluice/socket";
    struct conf_listen at = {.is_unix = true, .path = deep};
    struct socket_access strange = {.mode = 0660, .group = "no-such-group", .owner = ""};
    char longer[200];
    char *problem = NULL;

    (void)state;
    fails_at(&at, "Not a directory");
    memset(longer, 'x', sizeof(longer) - 1);
    longer[0] = '/';
    longer[sizeof(longer) - 1] = '\0';
    at.path = longer;
    fails_at(&at, "107 octets");
    assert_int_equal(socket_listen(&where, &strange, &problem), -1);
    assert_non_null(strstr(problem, "no group \"no-such-group\""));
    free(problem);
    assert_int_equal(access(path, F_OK), -1); /* nothing is left behind */
}

static uint16_t port_of(int fd)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof(address);

    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    return ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                               : ((struct sockaddr_in *)&address)->sin_port);
}

static void test_inet(void **state)
{
    static char any[] = "*", ipv4[] = "127.0.0.1", nowhere[] = "192.0.2.77", none[] = "mx.example";
    struct conf_listen at = {.host = ipv4};
    int no_delay = 0;
    socklen_t length = sizeof(no_delay);
    int fd = listen_at(&at);
    int client;

    (void)state;
    at.port = port_of(fd);
    client = connect_to(&at);
    assert_true(client >= 0);
    close(client);
    assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &no_delay, &length), 0);
    assert_true(no_delay);
    fails_at(&at, "Address already in use");
    close(fd);
    at = (struct conf_listen){.host = nowhere, .port = 1};
    fails_at(&at, "assign requested address");
    at.host = none;
    fails_at(&at, "assign requested address");
    at = (struct conf_listen){.host = any};
    fd = listen_at(&at);
    at = (struct conf_listen){.host = ipv4, .port = port_of(fd)};
    client = connect_to(&at); /* IPv4 is in it */
    assert_true(client >= 0);
    close(client);
    close(fd);
}

static void test_name(void **state)
{
    static char here[] = "/run/s", ipv4[] = "192.0.2.1", ipv6[] = "2001:db8::1", any[] = "*";
    static const struct {
        struct conf_listen where;
        const char *want;
    } cases[] = {
        {{.is_unix = true, .path = here}, "unix:/run/s"},
        {{.host = ipv4, .port = 10040}, "inet:192.0.2.1:10040"},
        {{.host = ipv6, .port = 65535}, "inet:[2001:db8::1]:65535"},
        {{.host = any, .port = 1}, "inet:*:1"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *name = socket_name(&cases[i].where);

        assert_string_equal(name, cases[i].want);
        free(name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_unix, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unix_taken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unix_impossible, set_up, tear_down),
        cmocka_unit_test(test_inet),
        cmocka_unit_test(test_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
