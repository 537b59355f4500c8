/* SPDX-License-Identifier: BSD-2-Clause */
/* Probing sockets at which all kinds of servers answer, or none. */
#include "ctl/probe.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE_MS 5000
#define SHORT_MS 200 /* where the server never answers */

/* A server of one connection: reads until it has seen want, answers, and closes. */
struct server {
    int listener;
    const char *want; /* NULL: does not read */
    size_t want_length;
    const char *answer; /* NULL: waits for the client to go */
    size_t answer_length;
    char seen[256];
    size_t nseen;
    pthread_t thread;
};

static char folder[64];
static char path[128];

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/sluice-probe-XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/s", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    rmdir(folder);
    return 0;
}

static void *serve(void *context)
{
    struct server *server = context;
    int client = accept(server->listener, NULL, NULL);
    ssize_t got = 1;

    while (got > 0 && server->nseen < server->want_length) {
        got = recv(client, server->seen + server->nseen, sizeof(server->seen) - server->nseen, 0);
        if (got > 0)
            server->nseen += (size_t)got;
    }
    /* In two pieces: the probe must put them together. */
    if (server->answer != NULL) {
        (void)send(client, server->answer, 1, MSG_NOSIGNAL);
        (void)send(client, server->answer + 1, server->answer_length - 1, MSG_NOSIGNAL);
    }
    while (got > 0) {
        got = recv(client, server->seen + server->nseen, sizeof(server->seen) - server->nseen, 0);
        if (got > 0)
            server->nseen += (size_t)got;
    }
    close(client);
    return NULL;
}

static void start_unix(struct server *server)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    memcpy(address.sun_path, path, strlen(path) + 1);
    server->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server->listener, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(server->listener, 1), 0);
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void finish(struct server *server)
{
    pthread_join(server->thread, NULL);
    close(server->listener);
    unlink(path);
}

#define POLICY_END "\n\n"
#define BYTES(string) (string), sizeof(string) - 1

static void test_servers(void **state)
{
    static const struct {
        const char *name;
        enum probe_protocol protocol;
        int64_t patience_ms;
        size_t want_length;
        const char *answer;
        size_t answer_length;
        const char *problem; /* NULL: it answers */
    } cases[] = {
        {"policy", PROBE_POLICY, PATIENCE_MS, 40, BYTES("action=DUNNO\n\n"), NULL},
        {"no policy", PROBE_POLICY, PATIENCE_MS, 40, BYTES("220 mx ESMTP\r\n"),
         "what answers there is no policy service"},
        {"milter", PROBE_MILTER, PATIENCE_MS, 17, BYTES("\0\0\0\rO\0\0\0\6\0\0\0\0\0\0\0\0"), NULL},
        {"no milter", PROBE_MILTER, PATIENCE_MS, 17, BYTES("220 mx ESMTP\r\n"),
         "what answers there is no milter"},
        {"silent", PROBE_POLICY, SHORT_MS, 40, NULL, 0, "timed out"},
        {"silent milter", PROBE_MILTER, SHORT_MS, 17, NULL, 0, "timed out"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct server server = {.want_length = cases[i].want_length,
                                .answer = cases[i].answer,
                                .answer_length = cases[i].answer_length};
        struct conf_listen where = {.is_unix = true, .path = path};
        struct probe probe;

        start_unix(&server);
        probe_run(&where, cases[i].protocol, cases[i].patience_ms, &probe);
        finish(&server);
        if (probe.answers != (cases[i].problem == NULL))
            fail_msg("%s: %s", cases[i].name, probe.problem);
        if (cases[i].problem != NULL && strstr(probe.problem, cases[i].problem) == NULL)
            fail_msg("%s: %s", cases[i].name, probe.problem);
        if (cases[i].protocol == PROBE_POLICY &&
            (server.nseen < 2 || memcmp(server.seen + server.nseen - 2, POLICY_END, 2) != 0))
            fail_msg("%s: the request has no end", cases[i].name);
        probe_clear(&probe);
    }
}

static void test_nobody(void **state)
{
    struct conf_listen where = {.is_unix = true, .path = path};
    struct probe probe;

    (void)state;
    probe_run(&where, PROBE_POLICY, PATIENCE_MS, &probe);
    assert_false(probe.answers);
    assert_string_equal(probe.problem, "No such file or directory");
    assert_non_null(strstr(probe.address, "unix:/tmp/"));
    probe_clear(&probe);
}

/* Bound, but not listening: the connection is refused, in the inet family. */
static void test_refused(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof(address);
    int bound = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct conf_listen where = {.host = mem_copy("*")};
    struct probe probe;

    (void)state;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(bound, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(getsockname(bound, (struct sockaddr *)&address, &length), 0);
    where.port = ntohs(address.sin_port);
    probe_run(&where, PROBE_MILTER, PATIENCE_MS, &probe);
    assert_false(probe.answers);
    assert_string_equal(probe.problem, "Connection refused");
    probe_clear(&probe);
    close(bound);
    free(where.host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_servers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nobody, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
