/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The promise of the windows, against a log that remembers every charge.
 *
 * Many clients, each with a store of its own, charge random amounts to random limits at random
 * times, and give some of it back.  No interval of a window's length may ever hold more than its
 * maximum, wherever it begins; and what is refused would not have fitted either into a window that
 * is longer by one slice.
 */
#include "lib/base/mem.h"
#include "lib/store/store.h"
#include "tests/support/server_redis.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define WORLDS 12 /* each with subjects and limits of its own */
#define ROUNDS 300
#define CLIENTS 8
#define TOGETHER 24 /* requests of a round, all at one time */
#define SUBJECTS 3
#define LIMITS 4 /* of a subject */
#define PATIENCE_MS 60000
#define START_MS INT64_C(1800000000000)
#define RECORD_MS 3000000 /* after that a message's charge cannot be given back */

struct rule {
    char count;
    int64_t window_sec, max;
};

/* A charge that the store took. */
struct entry {
    int64_t at_ms, amount;
    size_t message;
    bool given_back;
};

struct log {
    struct entry *entries;
    size_t count;
};

struct message {
    struct world *world;
    size_t number;
    int64_t at_ms;
    size_t client;
    size_t nlimits;
    struct store_limit limits[SUBJECTS * LIMITS];
    size_t rules[SUBJECTS * LIMITS]; /* subject * LIMITS + rule */
    bool charged, given_back;
    bool refused; /* and not yet checked */
    bool over[SUBJECTS * LIMITS];
};

struct world {
    struct loop *loop;
    struct store *clients[CLIENTS];
    size_t nclients;
    char subjects[SUBJECTS][32];
    struct rule rules[SUBJECTS][LIMITS];
    struct log logs[SUBJECTS * LIMITS];
    struct message *messages[ROUNDS * TOGETHER];
    size_t nmessages;
    size_t open;
    size_t accepted, refused;
    uint64_t random;
};

static uint64_t draw(struct world *world, uint64_t below)
{
    world->random ^= world->random << 13;
    world->random ^= world->random >> 7;
    world->random ^= world->random << 17;
    return (world->random >> 11) % below;
}

/* Small ones are as likely as large ones. */
static int64_t draw_size(struct world *world, int64_t least, int64_t most)
{
    int64_t range = most;

    for (uint64_t halvings = draw(world, 24); halvings > 0 && range / 2 > least; halvings--)
        range /= 2;
    return least + (int64_t)draw(world, (uint64_t)(range - least + 1));
}

static void make_rules(struct world *world, unsigned number)
{
    for (size_t s = 0; s < SUBJECTS; s++) {
        (void)snprintf(world->subjects[s], sizeof(world->subjects[s]), "user:w%u-%zu", number, s);
        for (size_t r = 0; r < LIMITS; r++) {
            struct rule *rule = &world->rules[s][r];

            rule->count = "mreb"[r];
            rule->window_sec = draw_size(world, 1, 31 * 86400);
            rule->max = draw_size(world, 1, r == 3 ? INT64_C(1) << 38 : 4000);
        }
    }
}

static int64_t sum_between(const struct log *log, int64_t first_ms, int64_t last_ms)
{
    int64_t sum = 0;

    for (size_t i = log->count; i > 0; i--) {
        const struct entry *entry = &log->entries[i - 1];

        if (entry->at_ms < first_ms)
            break;
        if (entry->at_ms <= last_ms && !entry->given_back)
            sum += entry->amount;
    }
    return sum;
}

static void add_entry(struct log *log, const struct message *message, int64_t amount)
{
    if ((log->count & (log->count - 1)) == 0)
        log->entries =
            mem_grow(log->entries, log->count > 0 ? 2 * log->count : 1, sizeof(struct entry));
    log->entries[log->count++] = (struct entry){message->at_ms, amount, message->number, false};
}

static const struct rule *rule_of(const struct message *message, size_t i)
{
    return &message->world->rules[message->rules[i] / LIMITS][message->rules[i] % LIMITS];
}

static void check_charged(struct message *message, const struct store_answer *answer)
{
    struct world *world = message->world;

    for (size_t i = 0; i < message->nlimits; i++) {
        const struct rule *rule = rule_of(message, i);
        struct log *log = &world->logs[message->rules[i]];
        int64_t sum;

        add_entry(log, message, message->limits[i].amount);
        sum = sum_between(log, message->at_ms - rule->window_sec * 1000, message->at_ms);
        if (sum > rule->max || answer->limits[i].over)
            fail_msg("message %zu: a window of %lld s holds %lld, its maximum is %lld, "
                     "the store says %lld",
                     message->number, (long long)rule->window_sec, (long long)sum,
                     (long long)rule->max, (long long)answer->limits[i].used);
    }
    message->charged = true;
    world->accepted++;
}

/* When all of its round have answered: what kept it out may have told its own client later. */
static void check_refused(struct message *message)
{
    struct world *world = message->world;
    bool over = false;

    for (size_t i = 0; i < message->nlimits; i++) {
        const struct rule *rule = rule_of(message, i);
        int64_t slice_ms = (rule->window_sec * 1000 + 59) / 60;
        int64_t sum =
            sum_between(&world->logs[message->rules[i]],
                        message->at_ms - rule->window_sec * 1000 - slice_ms, message->at_ms);

        if (!message->over[i])
            continue;
        over = true;
        if (sum + message->limits[i].amount <= rule->max)
            fail_msg("message %zu: refused %lld, but a window of %lld s and a slice hold %lld of "
                     "%lld",
                     message->number, (long long)message->limits[i].amount,
                     (long long)rule->window_sec, (long long)sum, (long long)rule->max);
    }
    assert_true(over);
    message->refused = false;
    world->refused++;
}

static void on_charged(const struct store_answer *answer, void *context)
{
    struct message *message = context;

    message->world->open--;
    assert_false(answer->local);
    assert_false(answer->known);
    assert_int_not_equal(answer->outcome, STORE_OUTCOME_AWAY);
    if (answer->outcome == STORE_OUTCOME_DONE) {
        check_charged(message, answer);
        return;
    }
    message->refused = true;
    for (size_t i = 0; i < message->nlimits; i++)
        message->over[i] = answer->limits[i].over;
}

static void on_given_back(const struct store_answer *answer, void *context)
{
    struct message *message = context;
    struct world *world = message->world;

    world->open--;
    assert_int_equal(answer->outcome, STORE_OUTCOME_DONE);
    assert_true(answer->known);
    for (size_t i = 0; i < message->nlimits; i++) {
        struct log *log = &world->logs[message->rules[i]];

        for (size_t e = log->count; e > 0; e--)
            if (log->entries[e - 1].message == message->number)
                log->entries[e - 1].given_back = true;
    }
}

static void ask(struct message *message, int64_t at_ms, bool charge)
{
    struct world *world = message->world;
    char identity[48];
    struct store_request request = {.identity = identity,
                                    .fingerprint = message->number,
                                    .limits = message->limits,
                                    .nlimits = message->nlimits,
                                    .at_us = at_ms * 1000};

    (void)snprintf(identity, sizeof(identity), "%s/%zu", world->subjects[0], message->number);
    world->open++;
    if (charge)
        store_charge(world->clients[message->client], &request, on_charged, message);
    else
        store_give_back(world->clients[message->client], &request, on_given_back, message);
}

static void draw_limits(struct world *world, struct message *message)
{
    for (size_t place = 0; place < SUBJECTS * LIMITS; place++) {
        const struct rule *rule = &world->rules[place / LIMITS][place % LIMITS];
        struct store_limit *limit = &message->limits[message->nlimits];

        if (draw(world, 3) > 0)
            continue;
        *limit = (struct store_limit){
            .subject = world->subjects[place / LIMITS],
            .count = rule->count,
            .window_sec = rule->window_sec,
            .amount = draw_size(world, 1, 1 + rule->max / 2),
            .max = rule->max,
            .enforce = true,
        };
        message->rules[message->nlimits++] = place;
    }
}

static void charge_some(struct world *world, int64_t at_ms)
{
    for (uint64_t left = 1 + draw(world, TOGETHER); left > 0; left--) {
        struct message *message = mem_new(1, sizeof(*message));

        message->world = world;
        message->number = world->nmessages;
        message->at_ms = at_ms;
        message->client = draw(world, world->nclients);
        draw_limits(world, message);
        world->messages[world->nmessages++] = message;
        ask(message, at_ms, true);
    }
}

/* By any client, not only by the one that charged. */
static void give_some_back(struct world *world, int64_t at_ms)
{
    size_t first = world->nmessages > 200 ? world->nmessages - 200 : 0;

    for (size_t i = first; i < world->nmessages; i++) {
        struct message *message = world->messages[i];

        if (!message->charged || message->given_back || message->nlimits == 0 ||
            at_ms - message->at_ms > RECORD_MS || draw(world, 8) > 0)
            continue;
        message->given_back = true;
        message->client = draw(world, world->nclients);
        ask(message, at_ms, false);
    }
}

static void wait_for_answers(struct world *world)
{
    int64_t end_us = clock_now_us(&clock_steady) + PATIENCE_MS * 1000;

    while (world->open > 0) {
        if (clock_now_us(&clock_steady) > end_us)
            fail_msg("%zu requests have no answer", world->open);
        loop_run_once(world->loop, 100);
    }
    for (size_t i = world->nmessages; i > 0 && i + TOGETHER > world->nmessages; i--)
        if (world->messages[i - 1]->refused)
            check_refused(world->messages[i - 1]);
}

/* Some milliseconds, or something like a slice or a window of one of the limits. */
static int64_t draw_step(struct world *world)
{
    const struct rule *rule = &world->rules[draw(world, SUBJECTS)][draw(world, LIMITS)];
    int64_t window_ms = rule->window_sec * 1000;

    switch (draw(world, 8)) {
    case 0:
        return (int64_t)draw(world, 50);
    case 1:
        return window_ms / 60;
    case 2:
        return window_ms;
    case 3:
        return (int64_t)draw(world, (uint64_t)window_ms);
    case 4:
        return draw(world, 10) == 0 ? 2 * window_ms : 0;
    default:
        return (int64_t)draw(world, (uint64_t)window_ms / 30 + 1);
    }
}

/* The whole log once more, when all is done: each interval that begins with a charge. */
static void check_all_windows(const struct world *world)
{
    for (size_t place = 0; place < SUBJECTS * LIMITS; place++) {
        const struct log *log = &world->logs[place];
        const struct rule *rule = &world->rules[place / LIMITS][place % LIMITS];

        for (size_t i = 0; i < log->count; i++) {
            int64_t first_ms = log->entries[i].at_ms;
            int64_t sum = 0;

            for (size_t e = i;
                 e < log->count && log->entries[e].at_ms <= first_ms + rule->window_sec * 1000; e++)
                sum += log->entries[e].given_back ? 0 : log->entries[e].amount;
            if (sum > rule->max)
                fail_msg("a window of %lld s that begins at %lld holds %lld of %lld",
                         (long long)rule->window_sec, (long long)first_ms, (long long)sum,
                         (long long)rule->max);
        }
    }
}

static void open_clients(struct world *world, const char *url, size_t count)
{
    const struct store_settings settings = {.url = url, .timeout_ms = PATIENCE_MS};
    char *problem = NULL;

    world->loop = loop_new();
    world->nclients = count;
    for (size_t i = 0; i < count; i++) {
        world->clients[i] = store_open(world->loop, &settings, &problem);
        assert_non_null(world->clients[i]);
    }
}

static void close_world(struct world *world)
{
    for (size_t i = 0; i < world->nclients; i++)
        store_close(&world->clients[i]);
    loop_free(&world->loop);
    for (size_t i = 0; i < world->nmessages; i++)
        free(world->messages[i]);
    for (size_t i = 0; i < SUBJECTS * LIMITS; i++)
        free(world->logs[i].entries);
    free(world);
}

static uint64_t seed(void)
{
    const char *given = getenv("SLUICE_SEED");

    return given != NULL ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
}

static void run_worlds(const char *url, size_t nclients)
{
    uint64_t first = seed();
    size_t accepted = 0;
    size_t refused = 0;

    fprintf(stderr, "SLUICE_SEED=%llu\n", (unsigned long long)first);
    for (unsigned number = 0; number < WORLDS; number++) {
        struct world *world = mem_new(1, sizeof(*world));
        int64_t at_ms = START_MS;

        world->random = (first + number) * UINT64_C(0x9e3779b97f4a7c15) | 1;
        make_rules(world, number);
        open_clients(world, url, nclients);
        for (size_t round = 0; round < ROUNDS; round++) {
            at_ms += draw_step(world);
            charge_some(world, at_ms);
            wait_for_answers(world);
            if (draw(world, 3) > 0)
                continue;
            at_ms += (int64_t)draw(world, 20);
            give_some_back(world, at_ms);
            wait_for_answers(world);
        }
        check_all_windows(world);
        accepted += world->accepted;
        refused += world->refused;
        close_world(world);
    }
    fprintf(stderr, "%zu accepted, %zu refused\n", accepted, refused);
    /* Neither may be rare, or nothing was tested. */
    assert_true(accepted > 1000 && refused > 1000);
}

static void test_memory(void **state)
{
    (void)state;
    run_worlds("memory:", 1);
}

static void test_redis(void **state)
{
    struct server_redis server;
    char *url;

    (void)state;
    if (!server_redis_is_installed())
        skip();
    server_redis_start(&server, NULL);
    url = mem_print("unix:%s", server.socket);
    run_worlds(url, CLIENTS);
    free(url);
    server_redis_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_redis),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
