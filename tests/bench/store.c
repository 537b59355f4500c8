/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many charges a second the store makes wherever its counters are, as a share of what
 * redis-benchmark makes of the same script; and what a user costs in Redis' memory.
 *
 * All of it runs on this machine at once: only the ratios of one run mean something.
 */
#include "tests/bench/store_load.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "tests/bench/redis_rate.h"
#include "tests/bench/store_memory.h"
#include "tests/lib/store/local_store.h"
#include "tests/support/cluster_redis.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_MAX 16
#define USERS_MOST 10000000
#define CHARGES_MOST 100000000
#define TIMEOUT_MS 30000
#define MEDIAN_MOST 1024 /* octets of a user with four limits */
#define MEMORY_LIMITS 4

static const char usage[] =
    "usage: store [-p PLACES] [-l LIMITS] [-u USERS] [-d MESSAGES] [-m USERS] [-n CHARGES] [-w N]\n"
    "  -p redis,cluster,local,local-itself,memory   where the counters are (all of them)\n"
    "  -l 1,2,4,8            limits of a message, of one subject and of as many\n"
    "  -u 1000               users; up to 1000000\n"
    "  -n 50000              charges of each row\n"
    "  -w 64                 charges under way\n"
    "  -m 20000              users of the rows about memory; 0: no such rows\n"
    "  -d 3,20,100           messages that each of them wrote a day\n";

struct list {
    size_t items[LIST_MAX], count;
};

struct plan {
    const char *places;
    struct list limits, users, days;
    size_t charges, under_way, memory_users;
    double ceilings[STORE_LOAD_LIMITS_MAX + 1]; /* of the users at hand, by limits; 0: not known */
};

static struct list read_list(const char *text, int64_t least, int64_t most)
{
    struct list list = {.count = 0};

    for (;;) {
        size_t length = strcspn(text, ",");
        int64_t number;

        if (list.count == LIST_MAX || !text_number(text, length, &number) || number < least ||
            number > most)
            bench_die(usage);
        list.items[list.count++] = (size_t)number;
        if (text[length] == '\0')
            return list;
        text += length + 1;
    }
}

static bool wants(const struct plan *plan, const char *place)
{
    const char *found = plan->places;
    size_t length = strlen(place);

    for (; (found = strstr(found, place)) != NULL; found += length)
        if ((found == plan->places || found[-1] == ',') &&
            (found[length] == ',' || found[length] == '\0'))
            return true;
    return *plan->places == '\0';
}

static void print_row(const char *place, const struct store_load *load,
                      const struct store_load_result *result, double ceiling)
{
    printf("%-13s %6zu %8s %9zu %9.0f ", place, load->nlimits, load->apart ? "each" : "one",
           load->users, result->rate);
    if (ceiling > 0)
        printf("%6.2f ", result->rate / ceiling);
    else
        printf("%6s ", "-");
    printf("%7.1f ", result->own_us);
    bench_times_print(&result->times);
    printf("%s\n", result->wrong > 0 ? "  NOT ALL ANSWERED BY THE STORE" : "");
}

/* What is possible with that Redis, measured just before the row that is a share of it: the machine
 * has other work too. */
static void run_ceiling(struct plan *plan, const struct server_redis *server,
                        const struct store_load *load)
{
    double rate = redis_rate(server, load, plan->charges);

    plan->ceilings[load->nlimits] = rate;
    printf("%-13s %6zu %8s %9zu %9.0f %6.2f\n", "redis-bench", load->nlimits, "one", load->users,
           rate, 1.0);
}

/* One place with so many users: all numbers of limits, of one subject and of several.  server: the
 * Redis where the ceiling is to be measured; NULL: it was. */
static void run_rows(struct plan *plan, const char *place, const struct store_settings *settings,
                     const struct server_redis *server, size_t users)
{
    struct loop *loop = loop_new();
    struct store *store = store_load_open(loop, settings);

    for (size_t i = 0; i < plan->limits.count; i++)
        for (int apart = 0; apart <= (plan->limits.items[i] > 1); apart++) {
            const struct store_load load = {.nlimits = plan->limits.items[i],
                                            .users = users,
                                            .apart = apart != 0,
                                            .under_way = plan->under_way};
            struct store_load_result result;

            store_load_fill(loop, store, &load);
            if (server != NULL && apart == 0)
                run_ceiling(plan, server, &load);
            store_load_run(loop, store, &load, plan->charges, &result);
            print_row(place, &load, &result, apart != 0 ? 0 : plan->ceilings[load.nlimits]);
        }
    store_close(&store);
    loop_free(&loop);
}

static void run_redis(struct plan *plan, size_t users)
{
    struct server_redis server;
    struct store_settings settings = {.timeout_ms = TIMEOUT_MS};
    char *url;

    server_redis_start(&server, NULL);
    settings.url = url = mem_print("unix:%s", server.socket);
    run_rows(plan, "redis", &settings, &server, users);
    free(url);
    server_redis_stop(&server);
}

static void run_cluster(struct plan *plan, size_t users)
{
    struct cluster_redis cluster;
    struct store_settings settings = {.timeout_ms = TIMEOUT_MS};

    cluster_redis_start(&cluster, 3);
    settings.url = cluster.url;
    run_rows(plan, "cluster of 3", &settings, NULL, users);
    cluster_redis_stop(&cluster);
}

static void run_local(struct plan *plan, size_t users)
{
    struct local_store local;
    struct store_settings settings = {.timeout_ms = TIMEOUT_MS};

    local_store_start(&local);
    settings.url = local.url;
    run_rows(plan, "local", &settings, NULL, users);
    local_store_stop(&local);
}

static void run_local_itself(struct plan *plan, size_t users)
{
    struct local_store local;
    struct store_settings settings = {.timeout_ms = TIMEOUT_MS, .serves = true};

    local_store_listen(&local);
    settings.url = local.url;
    settings.serve_socket = local.socket;
    settings.serve_path = local.path;
    run_rows(plan, "local-itself", &settings, NULL, users);
    local_store_stop(&local);
}

static void run_memory(struct plan *plan, size_t users)
{
    const struct store_settings settings = {.url = "memory:", .timeout_ms = TIMEOUT_MS};

    run_rows(plan, "memory", &settings, NULL, users);
}

static void run_rates(struct plan *plan)
{
    static const struct {
        const char *place;
        void (*run)(struct plan *plan, size_t users);
    } places[] = {{"redis", run_redis},
                  {"cluster", run_cluster},
                  {"local", run_local},
                  {"local-itself", run_local_itself},
                  {"memory", run_memory}};

    printf("%-13s %6s %8s %9s %9s %6s %7s\n", "place", "limits", "subjects", "users", "per sec",
           "ratio", "CPU us");
    for (size_t i = 0; i < plan->users.count; i++) {
        memset(plan->ceilings, 0, sizeof(plan->ceilings));
        for (size_t j = 0; j < COUNT_OF(places); j++)
            if (wants(plan, places[j].place))
                places[j].run(plan, plan->users.items[i]);
    }
}

/* true: the median is what it is to be. */
static bool run_memory_row(const struct plan *plan, int a_day)
{
    const struct store_load load = {.nlimits = MEMORY_LIMITS, .users = plan->memory_users};
    struct server_redis server;
    struct store_memory memory;
    long long before;
    bool good;

    server_redis_start(&server, NULL);
    before = store_memory_used(&server);
    store_memory_fill(&server, &load, a_day);
    store_memory_measure(&server, load.users, before, &memory);
    good = memory.median < MEDIAN_MOST;
    printf("%s %zu users, %d limits, %d messages a day: octets of a user: median %lld (less than "
           "%d), most %lld, mean with all that Redis needs %lld\n",
           good ? "met   " : "MISSED", load.users, MEMORY_LIMITS, a_day, memory.median, MEDIAN_MOST,
           memory.most, memory.mean);
    server_redis_stop(&server);
    return good;
}

static size_t read_number(const char *text, int64_t most)
{
    return read_list(text, 0, most).items[0];
}

static void read_options(int argc, char **argv, struct plan *plan)
{
    int option;

    while ((option = getopt(argc, argv, "p:l:u:d:m:n:w:h")) != -1) {
        switch (option) {
        case 'p':
            plan->places = optarg;
            break;
        case 'l':
            plan->limits = read_list(optarg, 1, STORE_LOAD_LIMITS_MAX);
            break;
        case 'u':
            plan->users = read_list(optarg, 1, USERS_MOST);
            break;
        case 'd':
            plan->days = read_list(optarg, 1, 1000);
            break;
        case 'm':
            plan->memory_users = read_number(optarg, USERS_MOST);
            break;
        case 'n':
            plan->charges = read_number(optarg, CHARGES_MOST);
            break;
        case 'w':
            plan->under_way = read_number(optarg, 4096);
            break;
        default:
            fputs(usage, option == 'h' ? stdout : stderr);
            exit(option == 'h' ? 0 : 64);
        }
    }
}

int main(int argc, char **argv)
{
    struct plan plan = {
        .places = "",
        .limits = {{1, 2, 4, 8}, 4},
        .users = {{1000}, 1},
        .days = {{3, 20, 100}, 3},
        .charges = 50000,
        .under_way = 64,
        .memory_users = 20000,
    };
    bool good = true;

    if (!server_redis_is_installed())
        return 1;
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    read_options(argc, argv, &plan);
    if (plan.charges > 0)
        run_rates(&plan);
    for (size_t i = 0; i < plan.days.count && plan.memory_users > 0; i++)
        good &= run_memory_row(&plan, (int)plan.days.items[i]);
    return good ? 0 : 1;
}
