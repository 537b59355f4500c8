/* SPDX-License-Identifier: BSD-2-Clause */
/* The contract of the store, on each of its backends and each way to a Redis. */
#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "tests/lib/store/cases.h"
#include "tests/lib/store/local_store.h"
#include "tests/support/cluster_redis.h"
#include "tests/support/process.h"
#include "tests/support/server_redis.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PASSWORD "a pass\"word %s"
#define PATIENCE_MS 60000

static void run_table(const char *backend, const struct store_settings *settings,
                      const struct contract_case *cases, size_t count)
{
    struct ask ask;

    for (size_t i = 0; i < count; i++) {
        fprintf(stderr, "%s: %s\n", backend, cases[i].name);
        ask_open(&ask, settings);
        cases[i].run(&ask);
        if (ask.events.downs != 0)
            fail_msg("%s: %s", cases[i].name, ask.events.problem);
        ask_close(&ask);
    }
}

/* How fast a backend is, is no part of the contract. */
static void run_cases(const char *backend, const struct store_settings *settings)
{
    struct store_settings patient = *settings;

    patient.timeout_ms = PATIENCE_MS;
    run_table(backend, &patient, contract_cases, contract_case_count);
    run_table(backend, &patient, note_cases, note_case_count);
    run_table(backend, &patient, distinct_cases, distinct_case_count);
}

static void test_memory(void **state)
{
    (void)state;
    run_cases("memory", &(struct store_settings){.url = "memory:"});
}

static void run_redis(const char *name, const char *const *options, struct store_settings settings,
                      bool tcp)
{
    struct server_redis server;
    char *url;
    char *answer;

    if (!server_redis_is_installed())
        skip();
    server_redis_start(&server, options);
    url = tcp ? mem_print("redis://127.0.0.1:%u/3", server.port)
              : mem_print("unix:%s", server.socket);
    settings.url = url;
    run_cases(name, &settings);
    answer = server_redis_ask(&server, "PING");
    assert_non_null(answer);
    free(answer);
    free(url);
    server_redis_stop(&server);
}

static void test_unix(void **state)
{
    (void)state;
    run_redis("unix", NULL, (struct store_settings){.client_name = "test"}, false);
}

static void test_tcp_database_3(void **state)
{
    (void)state;
    run_redis("tcp", NULL, (struct store_settings){.client_name = "test"}, true);
}

static void test_password(void **state)
{
    static const char *const options[] = {"--requirepass", PASSWORD, NULL};

    (void)state;
    run_redis("password", options, (struct store_settings){.password = PASSWORD}, false);
}

/* As the advice on a missing permission has it: all that counting needs. */
static void test_acl_user(void **state)
{
    static const char *const options[] = {
        "--user",      "sluice", "on",      ">secret", "~sluice:*", "+@all",
        "-@dangerous", "--user", "default", "off",     NULL,
    };

    (void)state;
    run_redis("ACL", options,
              (struct store_settings){.user = "sluice", .password = "secret", .database = 2},
              false);
}

static bool has_ended(void *context)
{
    return !process_is_running(*(const pid_t *)context);
}

/* A certificate for 127.0.0.1 that signed itself, and its key. */
static void make_certificate(const char *certificate, const char *key, const char *output)
{
    char *program = process_find("openssl");
    const char *const argv[] = {program,
                                "req",
                                "-x509",
                                "-newkey",
                                "ec",
                                "-pkeyopt",
                                "ec_paramgen_curve:P-256",
                                "-nodes",
                                "-days",
                                "2",
                                "-subj",
                                "/CN=test",
                                "-addext",
                                "subjectAltName=IP:127.0.0.1",
                                "-keyout",
                                key,
                                "-out",
                                certificate,
                                NULL};
    pid_t pid;

    assert_non_null(program);
    pid = process_start(argv, output);
    assert_true(process_poll(has_ended, &pid, 20000));
    free(program);
}

static void test_tls(void **state)
{
    char *folder;
    char *certificate, *key, *output, *port, *url;
    struct server_redis server;

    (void)state;
    if (!SLUICE_REDIS_TLS || !server_redis_is_installed())
        skip();
    folder = process_folder();
    certificate = mem_print("%s/redis.pem", folder);
    key = mem_print("%s/redis.key", folder);
    output = mem_print("%s/output", folder);
    port = mem_print("%u", process_free_port());
    url = mem_print("rediss://127.0.0.1:%s/3", port);
    make_certificate(certificate, key, output);
    server_redis_start(&server,
                       (const char *const[]){"--tls-port", port, "--tls-cert-file", certificate,
                                             "--tls-key-file", key, "--tls-ca-cert-file",
                                             certificate, "--tls-auth-clients", "no", NULL});
    run_cases("TLS", &(struct store_settings){.url = url, .tls = {.ca = certificate}});
    server_redis_stop(&server);
    process_folder_remove(&folder);
    free(certificate);
    free(key);
    free(output);
    free(port);
    free(url);
}

static void test_cluster(void **state)
{
    struct cluster_redis cluster;

    (void)state;
    if (!server_redis_is_installed())
        skip();
    cluster_redis_start(&cluster, 3);
    run_cases("cluster", &(struct store_settings){.url = cluster.url, .client_name = "test"});
    cluster_redis_stop(&cluster);
}

/* As another program sees it, through its socket; and again after it was killed. */
static void test_local(void **state)
{
    struct local_store local;

    (void)state;
    local_store_start(&local);
    run_cases("local", &(struct store_settings){.url = local.url, .client_name = "test"});
    local_store_stop(&local);
}

/* As the program that has it sees it. */
static void test_local_itself(void **state)
{
    struct local_store local;
    struct store_settings settings = {.serves = true};

    (void)state;
    local_store_listen(&local);
    settings.url = local.url;
    settings.serve_socket = local.socket;
    settings.serve_path = local.path;
    run_cases("local itself", &settings);
    local_store_stop(&local);
}

static void test_hidden_addresses(void **state)
{
    struct server_redis server;
    struct ask ask;
    struct store_limit limit = {.subject = "user:alice@example.com",
                                .count = 'm',
                                .window_sec = 60,
                                .amount = 1,
                                .max = 5,
                                .enforce = true};
    struct store_request request = {.identity = "mx/1", .limits = &limit, .nlimits = 1};
    struct store_settings settings = {.hash_key = "secret"};
    char *url;
    char *keys;

    (void)state;
    if (!server_redis_is_installed())
        skip();
    server_redis_start(&server, NULL);
    settings.url = url = mem_print("unix:%s", server.socket);
    ask_open(&ask, &settings);
    assert_int_equal(ask_charge(&ask, &request), STORE_OUTCOME_DONE);
    ask_close(&ask);
    keys = server_redis_ask(&server, "KEYS *");
    assert_null(strstr(keys, "alice"));
    assert_non_null(strstr(keys, "sluice:{user:~"));
    free(keys);
    free(url);
    server_redis_stop(&server);
}

/* Nothing is kept for longer than it counts. */
static void test_everything_expires(void **state)
{
    struct server_redis server;
    struct ask ask;
    struct store_limit limits[] = {
        {.subject = "user:a", .count = 'm', .window_sec = 60, .amount = 1, .max = 5, .near = 1},
        {.subject = "user:a", .count = 'm', .window_sec = 3600, .amount = 1, .max = 5},
    };
    struct store_limit shorter = {
        .subject = "user:a", .count = 'r', .window_sec = 60, .amount = 1, .max = 5};
    struct store_request request = {.identity = "mx/1", .limits = limits, .nlimits = 2};
    struct store_settings settings = {0};
    char *url;
    char *life;

    (void)state;
    if (!server_redis_is_installed())
        skip();
    server_redis_start(&server, NULL);
    settings.url = url = mem_print("unix:%s", server.socket);
    ask_open(&ask, &settings);
    assert_int_equal(ask_charge(&ask, &request), STORE_OUTCOME_DONE);
    /* A shorter window alone does not shorten it. */
    request = (struct store_request){.identity = "mx/2", .limits = &shorter, .nlimits = 1};
    assert_int_equal(ask_charge(&ask, &request), STORE_OUTCOME_DONE);
    life = server_redis_ask(&server, "TTL sluice:{user:a}:use");
    assert_in_range(strtol(life, NULL, 10), 3600 + 60, 3600 + 3 * 60);
    free(life);
    life = server_redis_ask(&server, "TTL sluice:{msg:mx/1}");
    assert_in_range(strtol(life, NULL, 10), 3500, 3600);
    free(life);
    ask_close(&ask);
    free(url);
    server_redis_stop(&server);
}

static const struct {
    const char *name;
    enum store_failure_mode mode;
    enum store_outcome first, second, back;
    size_t journal;
} broken_modes[] = {
    {"local", STORE_ON_FAILURE_LOCAL, STORE_OUTCOME_DONE, STORE_OUTCOME_OVER, STORE_OUTCOME_DONE,
     2},
    {"accept", STORE_ON_FAILURE_ACCEPT, STORE_OUTCOME_AWAY, STORE_OUTCOME_AWAY, STORE_OUTCOME_AWAY,
     3},
    {"defer", STORE_ON_FAILURE_DEFER, STORE_OUTCOME_AWAY, STORE_OUTCOME_AWAY, STORE_OUTCOME_AWAY,
     1},
};

static void test_broken(void **state)
{
    struct store_limit limit = {.subject = "user:a",
                                .count = 'm',
                                .window_sec = 60,
                                .amount = 1,
                                .max = 1,
                                .enforce = true};
    struct store_request request = {.limits = &limit, .nlimits = 1};
    struct store_status status;
    struct ask ask;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(broken_modes); i++) {
        fprintf(stderr, "broken: %s\n", broken_modes[i].name);
        ask_open(&ask,
                 &(struct store_settings){
                     .url = "broken:", .on_failure = broken_modes[i].mode, .journal_size = 10});
        ask_wait_down(&ask);
        request.identity = "h/1";
        assert_int_equal(ask_charge(&ask, &request), broken_modes[i].first);
        assert_int_equal(ask.answer.limits == NULL, broken_modes[i].first == STORE_OUTCOME_AWAY);
        request.identity = "h/2";
        assert_int_equal(ask_charge(&ask, &request), broken_modes[i].second);
        request.identity = "h/1";
        assert_int_equal(ask_give_back(&ask, &request), broken_modes[i].back);
        assert_int_equal(ask_look(&ask, &request), broken_modes[i].back);
        assert_int_equal(ask_reset(&ask, "user:a"), STORE_OUTCOME_AWAY);
        store_status(ask.store, &status);
        assert_false(status.up);
        assert_int_equal(status.journal, broken_modes[i].journal);
        assert_int_equal(ask.events.downs, 1);
        ask_close(&ask);
    }
}

static void test_settings_that_cannot_be(void **state)
{
    static const char *const urls[] = {"sentinel://x", "sentinel://x,?master=m", "redis://x,y",
                                       "redis:",       "unix:relative",          "nonsense"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(urls); i++) {
        struct loop *loop = loop_new();
        char *problem = NULL;

        assert_null(store_open(loop, &(struct store_settings){.url = urls[i]}, &problem));
        assert_non_null(problem);
        free(problem);
        loop_free(&loop);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_unix),
        cmocka_unit_test(test_tcp_database_3),
        cmocka_unit_test(test_password),
        cmocka_unit_test(test_acl_user),
        cmocka_unit_test(test_tls),
        cmocka_unit_test(test_cluster),
        cmocka_unit_test(test_local),
        cmocka_unit_test(test_local_itself),
        cmocka_unit_test(test_hidden_addresses),
        cmocka_unit_test(test_everything_expires),
        cmocka_unit_test(test_broken),
        cmocka_unit_test(test_settings_that_cannot_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
