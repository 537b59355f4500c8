/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many charges a second the store makes, against redis-benchmark with the same script, and what
 * a user costs in memory: four limits of one user, a message record for each charge.
 *
 * All of it runs on this machine at once: only the ratios of one run mean something.
 */
#include "lib/base/mem.h"
#include "lib/store/call.h"
#include "lib/store/script.h"
#include "tests/bench/bench.h"
#include "tests/support/process.h"
#include "tests/support/server_redis.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define LIMITS 4
#define USERS 1000
#define CHARGES 200000
#define MEMORY_USERS 20000
#define MEMORY_DAYS 3

static const int64_t windows[LIMITS] = {60, 3600, 86400, 7 * 86400};

struct load {
    struct loop *loop;
    struct store *store;
    size_t sent, answered, in_flight, wrong;
    struct bench_times times;
};

static double cpu_us_of(pid_t pid)
{
    char *path = mem_print("/proc/%d/stat", (int)pid);
    unsigned long user = 0;
    unsigned long kernel = 0;
    char line[1024] = "";
    FILE *file = fopen(path, "r");

    free(path);
    if (file == NULL || fgets(line, sizeof(line), file) == NULL)
        bench_die("no /proc");
    (void)fclose(file);
    (void)sscanf(strrchr(line, ')') + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
                 &user, &kernel);
    return (double)(user + kernel) * 1e6 / (double)sysconf(_SC_CLK_TCK);
}

static double own_cpu_us(void)
{
    struct rusage usage;

    (void)getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void fill_limits(struct store_limit limits[LIMITS], const char *subject)
{
    for (size_t i = 0; i < LIMITS; i++)
        limits[i] = (struct store_limit){.subject = subject,
                                         .count = 'm',
                                         .window_sec = windows[i],
                                         .amount = 1,
                                         .max = INT64_C(1) << 40,
                                         .enforce = true};
}

static void on_answer(const struct store_answer *answer, void *context);

static void charge_next(struct load *load)
{
    struct store_limit limits[LIMITS];
    char subject[64];
    char identity[64];
    const struct store_request request = {
        .identity = identity, .fingerprint = 1, .limits = limits, .nlimits = LIMITS};

    (void)snprintf(subject, sizeof(subject), "user:user%zu@example.com", load->sent * 7 % USERS);
    (void)snprintf(identity, sizeof(identity), "mx.example.com/4XkP%08zu", load->sent++);
    fill_limits(limits, subject);
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

static void run_store(const char *name, const char *url, size_t in_flight, pid_t redis)
{
    const struct store_settings settings = {.url = url, .timeout_ms = 30000};
    struct load load = {.loop = loop_new()};
    char *problem = NULL;
    double own_us;
    double redis_us;
    uint64_t start_us;
    double seconds;

    load.store = store_open(load.loop, &settings, &problem);
    if (load.store == NULL)
        bench_die(problem);
    while (!store_is_up(load.store))
        loop_run_once(load.loop, 10);
    own_us = own_cpu_us();
    redis_us = redis > 0 ? cpu_us_of(redis) : 0;
    start_us = bench_now_us();
    for (size_t i = 0; i < in_flight; i++)
        charge_next(&load);
    while (load.answered < CHARGES)
        loop_run_once(load.loop, 1000);
    seconds = (double)(bench_now_us() - start_us) / 1e6;
    own_us = own_cpu_us() - own_us;
    redis_us = redis > 0 ? cpu_us_of(redis) - redis_us : 0;
    printf("%-28s %8.0f/s  own CPU %5.1f us  Redis' %5.1f us ", name, (double)CHARGES / seconds,
           own_us / CHARGES, redis_us / CHARGES);
    bench_times_print(&load.times);
    printf("%s\n", load.wrong > 0 ? "  NOT ALL ANSWERED BY REDIS" : "");
    store_close(&load.store);
    loop_free(&load.loop);
}

/* redis-benchmark takes no argument with NULs, so the plan stands in its script. */
static char *load_script(redisContext *connection, const struct call *call)
{
    static const char plan_argument[] = "ARGV[#ARGV]";
    const char *source = script_source();
    const char *found = strstr(source, plan_argument);
    struct text command = TEXT_EMPTY;
    struct text script = TEXT_EMPTY;
    redisReply *reply;
    char *sha;
    size_t plan;

    if (found == NULL)
        bench_die("the script does not take its plan as its last argument");
    script_command(call, "0000000000000000000000000000000000000000", &command);
    plan = 16 + call->nsubjects + call->nlimits * 29;
    text_add(&script, source, (size_t)(found - source));
    text_add_char(&script, '\'');
    for (size_t i = command.length - 2 - plan; i < command.length - 2; i++)
        text_print(&script, "\\%03u", (unsigned)(uint8_t)command.bytes[i]);
    text_add_char(&script, '\'');
    text_add_string(&script, found + strlen(plan_argument));
    reply = redisCommand(connection, "SCRIPT LOAD %s", text_string(&script));
    if (reply == NULL || reply->type != REDIS_REPLY_STRING)
        bench_die("SCRIPT LOAD");
    sha = mem_copy(reply->str);
    freeReplyObject(reply);
    text_free(&command);
    text_free(&script);
    return sha;
}

static bool has_ended(void *context)
{
    return !process_is_running(*(const pid_t *)context);
}

/* Runs it and returns the rate, which is the second word of the second line of its CSV. */
static double rate_of(const struct server_redis *server, const char *sha, const char *pipeline)
{
    char *program = process_find("redis-benchmark");
    char *output = mem_print("%s/benchmark-%s", server->folder, pipeline);
    char *charges = mem_print("%d", CHARGES);
    char *users = mem_print("%d", USERS);
    const char *const argv[] = {program,
                                "-s",
                                server->socket,
                                "-c",
                                "16",
                                "-P",
                                pipeline,
                                "-n",
                                charges,
                                "-r",
                                users,
                                "--csv",
                                "EVALSHA",
                                sha,
                                "2",
                                "sluice:{msg:mx.example.com/__rand_int____rand_int____rand_int__}",
                                "sluice:{user:user__rand_int__@example.com}:use",
                                "m60",
                                "m3600",
                                "m86400",
                                "m604800",
                                NULL};
    char line[1024] = "";
    const char *rate = NULL;
    FILE *file;
    pid_t pid;

    if (program == NULL)
        bench_die("redis-benchmark");
    pid = process_start(argv, output);
    if (!process_poll(has_ended, &pid, 120000))
        process_stop(pid);
    file = fopen(output, "r");
    if (file == NULL || fgets(line, sizeof(line), file) == NULL ||
        fgets(line, sizeof(line), file) == NULL || (rate = strstr(line, "\",\"")) == NULL)
        bench_die("redis-benchmark");
    (void)fclose(file);
    free(program);
    free(output);
    free(charges);
    free(users);
    return strtod(rate + 3, NULL);
}

static void run_redis_benchmark(const struct server_redis *server, const char *pipeline)
{
    static const struct subject_hiding plain;
    struct store_limit limits[LIMITS];
    const struct store_request request = {
        .identity = "host/1", .fingerprint = 1, .limits = limits, .nlimits = LIMITS};
    redisContext *connection = redisConnectUnix(server->socket);
    struct call *call;
    double redis_us;
    double rate;
    char *sha;

    if (connection == NULL || connection->err != 0)
        bench_die("redis");
    fill_limits(limits, "user:a");
    call = call_new(&plain, CALL_CHARGE, &request);
    sha = load_script(connection, call);
    redis_us = cpu_us_of(server->pid);
    rate = rate_of(server, sha, pipeline);
    redis_us = cpu_us_of(server->pid) - redis_us;
    printf("redis-benchmark -c 16 -P %-3s %8.0f/s                    Redis' %5.1f us\n", pipeline,
           rate, redis_us / CHARGES);
    call_release(call);
    free(sha);
    redisFree(connection);
}

static long long redis_memory(const struct server_redis *server)
{
    char *info = server_redis_ask(server, "INFO memory");
    const char *found = info != NULL ? strstr(info, "used_memory:") : NULL;
    long long octets = found != NULL ? atoll(found + strlen("used_memory:")) : 0;

    free(info);
    return octets;
}

/* Users who wrote so many messages a day, at any time of it. */
static void run_memory(const struct server_redis *server, int a_day)
{
    static const struct subject_hiding plain;
    redisContext *connection = redisConnectUnix(server->socket);
    struct text command = TEXT_EMPTY;
    struct store_limit limits[LIMITS];
    redisReply *reply = redisCommand(connection, "FLUSHALL");
    long long before = redis_memory(server);
    int64_t start_us = clock_now_us(&clock_wall) - MEMORY_DAYS * INT64_C(86400000000);
    char sha[SCRIPT_SHA_SIZE];

    freeReplyObject(reply);
    reply = redisCommand(connection, "SCRIPT LOAD %s", script_source());
    memcpy(sha, reply->str, SCRIPT_SHA_SIZE);
    freeReplyObject(reply);
    srand(1);
    for (int user = 0; user < MEMORY_USERS; user++) {
        int charges = MEMORY_DAYS * a_day;
        int64_t step_us = MEMORY_DAYS * INT64_C(86400000000) / charges;
        int64_t at_us = start_us;
        char subject[64];
        struct store_request request = {.identity = "", .limits = limits, .nlimits = LIMITS};

        (void)snprintf(subject, sizeof(subject), "user:user%d@example.com", user);
        fill_limits(limits, subject);
        for (int i = 0; i < charges; i++) {
            struct call *call;

            at_us += rand() % (2 * (step_us / 1000000)) * INT64_C(1000000);
            request.at_us = at_us;
            call = call_new(&plain, CALL_CHARGE, &request);
            text_clear(&command);
            script_command(call, sha, &command);
            call_release(call);
            (void)redisAppendFormattedCommand(connection, command.bytes, command.length);
        }
        for (int i = 0; i < charges; i++) {
            if (redisGetReply(connection, (void **)&reply) != REDIS_OK)
                bench_die("redis");
            freeReplyObject(reply);
        }
    }
    printf("a user with four limits and %3d messages a day: %4lld octets of Redis' memory\n", a_day,
           (redis_memory(server) - before) / MEMORY_USERS);
    text_free(&command);
    redisFree(connection);
}

int main(void)
{
    struct server_redis server;
    char *url;

    if (!server_redis_is_installed())
        return 1;
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    server_redis_start(&server, NULL);
    url = mem_print("unix:%s", server.socket);
    run_redis_benchmark(&server, "1");
    run_store("store, 16 under way", url, 16, server.pid);
    run_redis_benchmark(&server, "16");
    run_store("store, 256 under way", url, 256, server.pid);
    run_store("memory:", "memory:", 16, 0);
    run_memory(&server, 3);
    run_memory(&server, 20);
    run_memory(&server, 100);
    free(url);
    server_redis_stop(&server);
    return 0;
}
