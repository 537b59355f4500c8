/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/bench/store_load.h"

#include "lib/base/count.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#define STRIDE 7919 /* from one user to the next; prime, so that all have their turn */

/* Two counts over four windows. */
static const int64_t windows[] = {60, 3600, 86400, 7 * 86400};
static const char counts[] = "mr";
#define WINDOWS COUNT_OF(windows)

/* Charges that are under way. */
struct stream {
    struct store *store;
    const struct store_load *load;
    struct store_load_result *result; /* NULL: not measured */
    size_t sent, answered, wanted;
    bool fills;
};

static size_t messages; /* identities that were used */

static double own_cpu_us(void)
{
    struct rusage usage;

    (void)getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

void store_load_request(const struct store_load *load, size_t user, size_t message,
                        struct store_load_request *request_r)
{
    static const char *const kinds[STORE_LOAD_LIMITS_MAX] = {
        "user", "sender", "sender-domain", "client", "client-network", "helo", "recipient", "host"};

    (void)snprintf(request_r->identity, sizeof(request_r->identity), "mx.example.com/4XkP%08zu",
                   message);
    for (size_t i = 0; i < load->nlimits; i++) {
        (void)snprintf(request_r->subjects[i], sizeof(request_r->subjects[i]),
                       "%s:user%zu@example.com", kinds[load->apart ? i : 0], user);
        request_r->limits[i] =
            (struct store_limit){.subject = request_r->subjects[i],
                                 .count = counts[i / WINDOWS % (sizeof(counts) - 1)],
                                 .window_sec = windows[i % WINDOWS],
                                 .amount = 1,
                                 .max = INT64_C(1) << 40,
                                 .enforce = true};
    }
    request_r->request = (struct store_request){.identity = request_r->identity,
                                                .fingerprint = 1,
                                                .limits = request_r->limits,
                                                .nlimits = load->nlimits};
}

static void on_answer(const struct store_answer *answer, void *context);

static void charge_next(struct stream *stream)
{
    size_t user = stream->fills ? stream->sent : stream->sent * STRIDE % stream->load->users;
    struct store_load_request made;

    stream->sent++;
    store_load_request(stream->load, user, ++messages, &made);
    if (stream->fills)
        made.request.identity = ""; /* a million records besides would be something else */
    store_charge(stream->store, &made.request, on_answer, stream);
}

static void on_answer(const struct store_answer *answer, void *context)
{
    struct stream *stream = context;

    stream->answered++;
    if (stream->result != NULL) {
        stream->result->wrong += answer->outcome != STORE_OUTCOME_DONE || answer->local;
        bench_times_add(&stream->result->times, (uint64_t)answer->waited_us);
    }
    if (stream->sent < stream->wanted)
        charge_next(stream);
}

static void run(struct loop *loop, struct stream *stream)
{
    for (size_t i = 0; i < stream->load->under_way && stream->sent < stream->wanted; i++)
        charge_next(stream);
    while (stream->answered < stream->wanted)
        loop_run_once(loop, 1000);
}

struct store *store_load_open(struct loop *loop, const struct store_settings *settings)
{
    char *problem = NULL;
    struct store *store = store_open(loop, settings, &problem);

    if (store == NULL)
        bench_die(problem);
    while (!store_is_up(store))
        loop_run_once(loop, 10);
    return store;
}

void store_load_fill(struct loop *loop, struct store *store, const struct store_load *load)
{
    struct stream stream = {.store = store, .load = load, .wanted = load->users, .fills = true};

    run(loop, &stream);
}

void store_load_run(struct loop *loop, struct store *store, const struct store_load *load,
                    size_t charges, struct store_load_result *result_r)
{
    struct stream stream = {.store = store, .load = load, .wanted = charges, .result = result_r};
    double own_us = own_cpu_us();
    uint64_t start_us = bench_now_us();

    memset(result_r, 0, sizeof(*result_r));
    run(loop, &stream);
    result_r->rate = (double)charges * 1e6 / (double)(bench_now_us() - start_us);
    result_r->own_us = (own_cpu_us() - own_us) / (double)charges;
}
