/* SPDX-License-Identifier: BSD-2-Clause */
/* One listener a process: libmilter has no more.  Each test is a process of its own. */
#include "milter/listener.h"
#include "milter/callbacks.h"
#include "tests/support/conf_text.h"

#include "lib/base/mem.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/sluice-listener-XXXXXX";
static char *path, *conf_text;

static int set_up(void **state)
{
    (void)state;
    memcpy(strrchr(folder, '-'), "-XXXXXX", 7);
    if (mkdtemp(folder) == NULL)
        return 1;
    path = mem_print("%s/milter.sock", folder);
    conf_text = mem_print("milter-listen = {\"unix:%s\"}\nmilter-socket-mode = 0620\n", path);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    (void)unlink(path);
    (void)rmdir(folder);
    free(path);
    free(conf_text);
    return 0;
}

/* Opens the listener in a child, which ends with what check() says (0 is fine), or prints the
 * problem. */
static void in_child(const char *text, const char *problem, int (*check)(void))
{
    struct conf *conf = conf_of(text);
    pid_t child = fork();
    int status;

    if (child == 0) {
        char *said = NULL;
        bool open = smfi_register(callbacks) == MI_SUCCESS && listener_open(conf, &said);

        if (open != (problem == NULL) || (said != NULL && strstr(said, problem) == NULL)) {
            fprintf(stderr, "%s\n", said != NULL ? said : "it opened");
            _exit(99);
        }
        _exit(check != NULL ? check() : 0);
    }
    conf_release(&conf);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static int connect_unix(void)
{
    struct sockaddr_un where = {.sun_family = AF_UNIX};
    int descriptor = socket(AF_UNIX, SOCK_STREAM, 0);

    memcpy(where.sun_path, path, strlen(path) + 1);
    if (connect(descriptor, (struct sockaddr *)&where, sizeof(where)) != 0) {
        close(descriptor);
        return -1;
    }
    return descriptor;
}

static int check_unix(void)
{
    struct stat status;
    struct conf *same = conf_of(conf_text);

    if (stat(path, &status) != 0 || (status.st_mode & 07777) != 0620)
        return 1;
    if (connect_unix() < 0)
        return 2;
    if (!listener_is_at(same))
        return 3;
    listener_remove();
    listener_remove();
    conf_release(&same);
    return stat(path, &status) == 0 ? 4 : 0;
}

static void test_listener_unix(void **state)
{
    (void)state;
    in_child(conf_text, NULL, check_unix);
}

/* A socket that somebody listens on stays theirs. */
static void test_listener_in_use(void **state)
{
    struct sockaddr_un where = {.sun_family = AF_UNIX};
    int descriptor = socket(AF_UNIX, SOCK_STREAM, 0), connection;

    (void)state;
    memcpy(where.sun_path, path, strlen(path) + 1);
    assert_int_equal(bind(descriptor, (struct sockaddr *)&where, sizeof(where)), 0);
    assert_int_equal(listen(descriptor, 1), 0);
    in_child(conf_text, "another process listens there", NULL);
    connection = connect_unix();
    assert_true(connection >= 0);
    close(connection);
    close(descriptor);
    in_child(conf_text, NULL, check_unix); /* now it is stale */
}

static void test_listener_no_socket(void **state)
{
    FILE *file = fopen(path, "w");

    (void)state;
    assert_non_null(file);
    fclose(file);
    in_child(conf_text, "something else", NULL);
    assert_int_equal(access(path, F_OK), 0);
}

static void test_listener_impossible(void **state)
{
    (void)state;
    in_child("milter-listen = {\"unix:/dev/null/sluice/m.sock\"}\n", "Not a directory", NULL);
    in_child("milter-listen = {\"inet:192.0.2.77:8891\"}\n", "assign requested address", NULL);
}

static uint16_t free_port(void)
{
    struct sockaddr_in where = {.sin_family = AF_INET};
    socklen_t length = sizeof(where);
    int descriptor = socket(AF_INET, SOCK_STREAM, 0);

    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(descriptor, (struct sockaddr *)&where, sizeof(where)), 0);
    assert_int_equal(getsockname(descriptor, (struct sockaddr *)&where, &length), 0);
    close(descriptor);
    return ntohs(where.sin_port);
}

/* The one listening socket of this process: an accepted one inherits what it has. */
static int check_no_delay(void)
{
    for (int descriptor = 3; descriptor < 1024; descriptor++) {
        int listening = 0, no_delay = 0;
        socklen_t room = sizeof(int);

        if (getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listening, &room) != 0 || !listening)
            continue;
        room = sizeof(int);
        return getsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &no_delay, &room) == 0 && no_delay
                   ? 0
                   : 1;
    }
    return 2;
}

static void test_listener_inet(void **state)
{
    char *text = mem_print("milter-listen = {\"inet:127.0.0.1:%u\"}\n", free_port());

    (void)state;
    in_child(text, NULL, check_no_delay);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_listener_unix, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_listener_in_use, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_listener_no_socket, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_listener_impossible, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_listener_inet, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("listener", tests, NULL, NULL);
}
