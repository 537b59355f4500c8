/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many charges a second the store makes wherever its counters are: one Redis, a cluster of
 * three, the local store at its socket and in the program that has it.  Four limits, of one subject
 * or of as many subjects as there are limits; 64 charges under way.
 *
 * All of it runs on this machine at once: only the ratios of one run mean something.
 */
#include "lib/base/mem.h"
#include "tests/bench/bench.h"
#include "tests/lib/store/local_store.h"
#include "tests/support/cluster_redis.h"
#include "tests/support/server_redis.h"

#include "lib/store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMITS 4
#define USERS 1000
#define CHARGES 20000
#define UNDER_WAY 64

struct load {
    struct loop *loop;
    struct store *store;
    bool apart; /* each limit has a subject of its own */
    size_t sent, answered, wrong;
    struct bench_times times;
};

static void on_answer(const struct store_answer *answer, void *context);

static void charge_next(struct load *load)
{
    static const char *const kinds[LIMITS] = {"user", "sender", "sender-domain", "client"};
    static const int64_t windows[LIMITS] = {60, 3600, 86400, 7 * 86400};
    struct store_limit limits[LIMITS];
    char subjects[LIMITS][64];
    char identity[64];
    const struct store_request request = {
        .identity = identity, .fingerprint = 1, .limits = limits, .nlimits = LIMITS};

    (void)snprintf(identity, sizeof(identity), "mx.example.com/4XkP%08zu", load->sent);
    for (size_t i = 0; i < LIMITS; i++) {
        (void)snprintf(subjects[i], sizeof(subjects[i]), "%s:user%zu@example.com",
                       kinds[load->apart ? i : 0], load->sent * 7 % USERS);
        limits[i] = (struct store_limit){.subject = subjects[i],
                                         .count = 'm',
                                         .window_sec = windows[i],
                                         .amount = 1,
                                         .max = INT64_C(1) << 40,
                                         .enforce = true};
    }
    load->sent++;
    store_charge(load->store, &request, on_answer, load);
}

static void on_answer(const struct store_answer *answer, void *context)
{
    struct load *load = context;

    load->answered++;
    load->wrong += answer->outcome != STORE_OUTCOME_DONE || answer->local;
    bench_times_add(&load->times, (uint64_t)answer->waited_us);
    if (load->sent < CHARGES)
        charge_next(load);
}

static void run(const char *name, const struct store_settings *settings, bool apart)
{
    struct load load = {.loop = loop_new(), .apart = apart};
    char *problem = NULL;
    uint64_t start_us;

    load.store = store_open(load.loop, settings, &problem);
    if (load.store == NULL)
        bench_die(problem);
    while (!store_is_up(load.store))
        loop_run_once(load.loop, 10);
    start_us = bench_now_us();
    for (size_t i = 0; i < UNDER_WAY; i++)
        charge_next(&load);
    while (load.answered < CHARGES)
        loop_run_once(load.loop, 1000);
    printf("%-20s %d subject%c %8.0f/s ", name, apart ? LIMITS : 1, apart ? 's' : ' ',
           (double)CHARGES * 1e6 / (double)(bench_now_us() - start_us));
    bench_times_print(&load.times);
    printf("%s\n", load.wrong > 0 ? "  NOT ALL ANSWERED BY THE STORE" : "");
    store_close(&load.store);
    loop_free(&load.loop);
}

static void run_both(const char *name, const char *url)
{
    const struct store_settings settings = {.url = url, .timeout_ms = 30000};

    run(name, &settings, false);
    run(name, &settings, true);
}

static void run_local(void)
{
    struct local_store local;
    struct store_settings itself = {.timeout_ms = 30000, .serves = true};

    local_store_start(&local);
    run_both("local, its socket", local.url);
    local_store_stop(&local);
    local_store_listen(&local);
    itself.url = local.url;
    itself.serve_socket = local.socket;
    itself.serve_path = local.path;
    run("local, itself", &itself, false);
    run("local, itself", &itself, true);
    local_store_stop(&local);
}

int main(void)
{
    struct server_redis server;
    struct cluster_redis cluster;
    char *url;

    if (!server_redis_is_installed())
        return 1;
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    server_redis_start(&server, NULL);
    url = mem_print("unix:%s", server.socket);
    run_both("one Redis", url);
    free(url);
    server_redis_stop(&server);
    cluster_redis_start(&cluster, 3);
    run_both("cluster of three", cluster.url);
    cluster_redis_stop(&cluster);
    run_local();
    return 0;
}
