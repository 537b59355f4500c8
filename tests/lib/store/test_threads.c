/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests from several threads, as a milter has them: posted to the loop, which runs in its own.
 */
#include "lib/base/mem.h"
#include "lib/store/store.h"
#include "tests/lib/store/ask.h"
#include "tests/lib/store/local_store.h"
#include "tests/support/server_redis.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>

#define THREADS 8
#define CHARGES 300 /* of a thread */

struct house {
    struct loop *loop;
    struct store *store;
};

/* One thread that asks and waits. */
struct asker {
    struct house *house;
    int number;
    int charge;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t answered;
    bool has_answer;
    size_t accepted;
};

static void on_answer(const struct store_answer *answer, void *context)
{
    struct asker *asker = context;

    pthread_mutex_lock(&asker->lock);
    asker->has_answer = true;
    asker->accepted += answer->outcome == STORE_OUTCOME_DONE && !answer->local;
    pthread_cond_signal(&asker->answered);
    pthread_mutex_unlock(&asker->lock);
}

static void charge_in_loop(void *context)
{
    struct asker *asker = context;
    struct store_limit limit = {"user:a", 'm', 86400, 1, THREADS * CHARGES / 2, 0, true, NULL, 0};
    char identity[32];
    struct store_request request = {.identity = identity, .limits = &limit, .nlimits = 1};

    (void)snprintf(identity, sizeof(identity), "h/%d-%d", asker->number, asker->charge);
    store_charge(asker->house->store, &request, on_answer, asker);
}

static void *ask(void *context)
{
    struct asker *asker = context;

    for (asker->charge = 0; asker->charge < CHARGES; asker->charge++) {
        loop_post(asker->house->loop, charge_in_loop, asker);
        pthread_mutex_lock(&asker->lock);
        while (!asker->has_answer)
            pthread_cond_wait(&asker->answered, &asker->lock);
        asker->has_answer = false;
        pthread_mutex_unlock(&asker->lock);
    }
    return NULL;
}

static void stop(void *context)
{
    struct house *house = context;

    store_close(&house->store);
    loop_stop(house->loop);
}

static void *run(void *context)
{
    struct house *house = context;

    loop_run(house->loop);
    return NULL;
}

static void run_threads(struct store_settings settings)
{
    static struct asker askers[THREADS];
    struct house house;
    pthread_t thread;
    char *problem = NULL;
    size_t accepted = 0;

    memset(askers, 0, sizeof(askers));
    settings.timeout_ms = 60000;
    house.loop = loop_new();
    house.store = store_open(house.loop, &settings, &problem);
    assert_non_null(house.store);
    assert_int_equal(pthread_create(&thread, NULL, run, &house), 0);
    for (int i = 0; i < THREADS; i++) {
        askers[i].house = &house;
        askers[i].number = i;
        pthread_mutex_init(&askers[i].lock, NULL);
        pthread_cond_init(&askers[i].answered, NULL);
        assert_int_equal(pthread_create(&askers[i].thread, NULL, ask, &askers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(askers[i].thread, NULL);
        accepted += askers[i].accepted;
    }
    loop_post(house.loop, stop, &house);
    pthread_join(thread, NULL);
    loop_free(&house.loop);
    assert_int_equal(accepted, THREADS * CHARGES / 2);
}

static void test_memory(void **state)
{
    (void)state;
    run_threads((struct store_settings){.url = "memory:"});
}

/* By TCP and a name, so that the thread that looks it up takes part. */
static void test_redis(void **state)
{
    struct server_redis server;
    char *url;

    (void)state;
    if (!server_redis_is_installed())
        skip();
    server_redis_start(&server, NULL);
    url = mem_print("redis://localhost:%u", server.port);
    run_threads((struct store_settings){.url = url});
    free(url);
    server_redis_stop(&server);
}

/* With the thread that writes to the disk, which has what was charged when it is opened again. */
static void test_local(void **state)
{
    struct local_store local;
    struct store_limit limit = {"user:a", 'm', 86400, 1, THREADS * CHARGES, 0, true, NULL, 0};
    const struct store_request request = {.identity = "", .limits = &limit, .nlimits = 1};
    struct store_settings settings = {.serves = true};
    struct ask again;

    (void)state;
    local_store_listen(&local);
    settings.url = local.url;
    settings.serve_socket = local.socket;
    settings.serve_path = local.path;
    run_threads(settings);
    ask_open(&again, &settings);
    assert_int_equal(ask_look(&again, &request), STORE_OUTCOME_DONE);
    assert_int_equal(again.limits[0].used, THREADS * CHARGES / 2);
    ask_close(&again);
    local_store_stop(&local);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_redis),
        cmocka_unit_test(test_local),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
