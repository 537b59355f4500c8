/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/bench/redis_rate.h"

#include "lib/base/mem.h"
#include "lib/store/call.h"
#include "lib/store/resp.h"
#include "lib/store/script.h"
#include "tests/support/process.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONNECTIONS 16
#define OPTIONS 16
#define PATIENCE_MS 600000
#define KEYS 3 /* where a command's keys begin: EVALSHA, the script, how many keys */

static const struct subject_hiding plain;

/* redis-benchmark takes no argument with NULs, so the plan stands in its script. */
static char *load_script(const struct server_redis *server, const struct script_word *plan)
{
    static const char plan_argument[] = "ARGV[#ARGV]";
    const char *source = script_source();
    const char *found = strstr(source, plan_argument);
    struct text script = TEXT_EMPTY;
    char *sha;

    if (found == NULL)
        bench_die("the script does not take its plan as its last argument");
    text_add(&script, source, (size_t)(found - source));
    text_add_char(&script, '\'');
    for (size_t i = 0; i < plan->length; i++)
        text_print(&script, "\\%03u", (unsigned)(uint8_t)plan->bytes[i]);
    text_add_char(&script, '\'');
    text_add_string(&script, found + strlen(plan_argument));
    sha = server_redis_ask(server, "SCRIPT LOAD %s", text_string(&script));
    if (sha == NULL || strlen(sha) != SCRIPT_SHA_SIZE - 1)
        bench_die("SCRIPT LOAD");
    text_free(&script);
    return sha;
}

/* Another message and another user each time; redis-benchmark has one range for all numbers. */
static char *vary(const struct script_word *key)
{
    static const char random[] = "__rand_int__";
    char *name = mem_copy_n(key->bytes, key->length);
    const char *number = strstr(name, "user0@");
    char *varied;

    if (number == NULL)
        varied = mem_print("sluice:{msg:mx.example.com/%s%s%s}", random, random, random);
    else
        varied =
            mem_print("%.*suser%s%s", (int)(number - name), name, random, number + strlen("user0"));
    free(name);
    return varied;
}

static bool has_ended(void *context)
{
    return !process_is_running(*(const pid_t *)context);
}

/* The rate is the second word of the second line of the CSV. */
static double run(const struct server_redis *server, const char *const *argv)
{
    char *output = mem_print("%s/benchmark", server->folder);
    pid_t pid = process_start(argv, output);
    char line[1024] = "";
    const char *rate = NULL;
    FILE *file;

    if (!process_poll(has_ended, &pid, PATIENCE_MS))
        process_stop(pid);
    file = fopen(output, "r");
    if (file == NULL || fgets(line, sizeof(line), file) == NULL ||
        fgets(line, sizeof(line), file) == NULL || (rate = strstr(line, "\",\"")) == NULL)
        bench_die("redis-benchmark");
    (void)fclose(file);
    (void)unlink(output); /* it would be added to */
    free(output);
    return strtod(rate + 3, NULL);
}

static double run_command(const struct server_redis *server, const struct store_load *load,
                          size_t charges, const struct script_word *words, size_t count)
{
    char *program = process_find("redis-benchmark");
    char *sha = load_script(server, &words[count - 1]);
    char *pipeline = mem_print("%zu", (load->under_way + CONNECTIONS - 1) / CONNECTIONS);
    char *number = mem_print("%zu", charges);
    char *users = mem_print("%zu", load->users);
    const char *options[OPTIONS] = {program, "-s",     server->socket, "-c",   "16",
                                    "-P",    pipeline, "-n",           number, "-r",
                                    users,   "--csv",  "EVALSHA",      sha};
    const char *argv[OPTIONS + SCRIPT_WORDS_MAX];
    char *made[SCRIPT_WORDS_MAX];
    size_t nkeys = (size_t)(words[2].bytes[0] - '0');
    size_t first = 0;
    double rate;

    if (program == NULL)
        bench_die("redis-benchmark is missing: apt-get install redis-tools");
    while (options[first] != NULL) {
        argv[first] = options[first];
        first++;
    }
    for (size_t i = 2; i < count - 1; i++) {
        bool key = i >= KEYS && i < KEYS + nkeys;

        made[i] = key ? vary(&words[i]) : mem_copy_n(words[i].bytes, words[i].length);
        argv[first++] = made[i];
    }
    argv[first] = NULL;
    rate = run(server, argv);
    for (size_t i = 2; i < count - 1; i++)
        free(made[i]);
    free(program);
    free(sha);
    free(pipeline);
    free(number);
    free(users);
    return rate;
}

double redis_rate(const struct server_redis *server, const struct store_load *load, size_t charges)
{
    struct script_word words[SCRIPT_WORDS_MAX];
    struct store_load_request made;
    struct text command = TEXT_EMPTY;
    struct call *call;
    const char *at;
    size_t count;
    double rate;

    store_load_request(load, 0, 1, &made);
    call = call_new(&plain, CALL_CHARGE, &made.request);
    script_command(call, "0000000000000000000000000000000000000000", &command);
    at = command.bytes;
    if (resp_parse(&at, command.bytes + command.length, words, &count) != RESP_WHOLE)
        bench_die("the charge's command");
    rate = run_command(server, load, charges, words, count);
    call_release(call);
    text_free(&command);
    return rate;
}
