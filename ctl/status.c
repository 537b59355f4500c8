/* SPDX-License-Identifier: BSD-2-Clause */
/* sluicectl status: does everything answer? */
#include "ctl/client.h"
#include "ctl/columns.h"
#include "ctl/ctl.h"
#include "ctl/probe.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "lib/base/words.h"
#include "lib/dns/dns.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROBE_TIMEOUT_MS 2000
#define STEP_MS 100

/* What was found out about one part. */
struct part {
    const char *name;
    bool good;
    int64_t took_us;
    struct text address;
    struct text detail; /* version, answer; or the problem and what to do about it */
};

/* Everything that is found, in the order in which it is asked. */
struct report {
    struct columns columns;
    json_t *json;
    bool good;
};

static void report_part(struct report *report, struct part *part)
{
    struct text took = TEXT_EMPTY;
    json_t *json;

    if (part->good)
        text_print(&took, "%.2f ms", (double)part->took_us / 1000);
    columns_add(&report->columns, part->name);
    columns_add(&report->columns, part->good ? "ok" : "FAILED");
    columns_add(&report->columns, text_string(&took));
    columns_add(&report->columns, text_string(&part->address));
    columns_add(&report->columns, text_string(&part->detail));
    json = json_pack("{s:s, s:b, s:s, s:s}", "part", part->name, "ok", part->good, "address",
                     text_string(&part->address), "detail", text_string(&part->detail));
    if (part->good)
        json_object_set_new(json, "ms", json_real((double)part->took_us / 1000));
    json_array_append_new(report->json, json);
    report->good = report->good && part->good;
    text_free(&took);
    text_free(&part->address);
    text_free(&part->detail);
}

static void report_store(const struct conf *conf, struct report *report)
{
    /* A limit of nobody, by which nothing is counted: the round trip is what matters. */
    const struct store_limit limit = {
        .subject = "probe:", .count = 'm', .window_sec = 1, .amount = 0, .max = 1};
    const struct store_request request = {.identity = "", .limits = &limit, .nlimits = 1};
    struct part part = {.name = "store"};
    struct store_limit_answer answer;
    struct store_status status = {.up = false};
    struct client client;
    char *problem = NULL;

    if (client_open(&client, conf, &problem)) {
        part.good = client_look(&client, &request, &answer, &part.took_us);
        if (!part.good)
            problem = mem_copy("it did not answer in time: raise store-timeout, or see what keeps "
                               "Redis busy");
    }
    if (client.store != NULL) {
        store_status(client.store, &status);
        text_add_string(&part.address, status.address != NULL ? status.address : conf->store);
        if (part.good && status.server != NULL)
            text_add_string(&part.detail, status.server);
    } else {
        text_add_string(&part.address, conf->store);
    }
    if (strcmp(conf->store, "memory:") == 0) {
        part.good = true;
        text_add_string(&part.detail, "each daemon counts in its own memory");
    } else if (!part.good) {
        text_add_string(&part.detail, problem != NULL ? problem : "");
    }
    report_part(report, &part);
    client_close(&client);
    free(problem);
}

/* The answer to the one question. */
struct resolved {
    bool answered;
    enum dns_status status;
    char *problem;
};

static void on_resolved(const struct dns_answer *answer, void *context)
{
    struct resolved *resolved = context;

    resolved->answered = true;
    resolved->status = answer->status;
    resolved->problem = mem_copy(answer->problem);
}

/* A name to ask for: one of ours, so that nobody else is bothered. */
static const char *name_to_ask(const struct conf *conf)
{
    for (size_t i = 0; i < conf->local_domains.count; i++)
        if (conf->local_domains.items[i][0] != '.')
            return conf->local_domains.items[i];
    return conf->hostname;
}

static bool resolve(const struct conf *conf, struct loop *loop, struct part *part, char **problem_r)
{
    static const char *const words[] = {
        [DNS_FOUND] = "found",
        [DNS_NO_DATA] = "exists, no address",
        [DNS_ABSENT] = "no such name",
        [DNS_FAILED] = "failed",
        [DNS_BOGUS] = "DNSSEC says forged",
    };
    const struct dns_settings settings = {.resolver = conf->resolver,
                                          .timeout_ms = conf->dns_timeout_ms,
                                          .max_inflight = (size_t)conf->dns_max_inflight};
    struct dns *dns = dns_new(loop, &settings, problem_r);
    struct resolved resolved = {.answered = false};
    const char *name = name_to_ask(conf);
    int64_t start_us = clock_now_us(&clock_steady);

    if (dns == NULL)
        return false;
    (void)dns_ask(dns, name, DNS_A, 0, on_resolved, &resolved);
    while (!resolved.answered)
        loop_run_once(loop, STEP_MS);
    part->took_us = clock_now_us(&clock_steady) - start_us;
    part->good = resolved.status != DNS_FAILED;
    if (part->good)
        text_print(&part->detail, "%s: %s", name, words[resolved.status]);
    else
        *problem_r = mem_print("%s: %s: correct resolver, or see whether it runs", name,
                               resolved.problem != NULL ? resolved.problem : "failed");
    free(resolved.problem);
    dns_free(&dns);
    return part->good;
}

static void report_resolver(const struct conf *conf, struct report *report)
{
    struct part part = {.name = "resolver"};
    struct loop *loop = loop_new();
    char *problem = NULL;

    text_add_string(&part.address, conf->resolver);
    if (loop == NULL)
        problem = mem_copy(strerror(errno));
    else
        part.good = resolve(conf, loop, &part, &problem);
    if (problem != NULL)
        text_add_string(&part.detail, problem);
    report_part(report, &part);
    if (loop != NULL)
        loop_free(&loop);
    free(problem);
}

static void report_daemon(const char *name, const struct conf_listen *listen, size_t count,
                          enum probe_protocol protocol, struct report *report)
{
    for (size_t i = 0; i < count; i++) {
        struct part part = {.name = name};
        struct probe probe;

        probe_run(&listen[i], protocol, PROBE_TIMEOUT_MS, &probe);
        part.good = probe.answers;
        part.took_us = probe.took_us;
        text_add_string(&part.address, probe.address);
        if (!probe.answers)
            text_print(&part.detail, "%s: start sluice-%s, or see its log", probe.problem, name);
        report_part(report, &part);
        probe_clear(&probe);
    }
}

static void report_policyd(const struct conf *conf, struct report *report)
{
    report_daemon("policyd", conf->policy_listen, conf->npolicy_listen, PROBE_POLICY, report);
}

static void report_milter(const struct conf *conf, struct report *report)
{
    report_daemon("milter", conf->milter_listen, conf->nmilter_listen, PROBE_MILTER, report);
}

static const struct {
    const char *name;
    void (*report)(const struct conf *conf, struct report *report);
} parts[] = {{"store", report_store},
             {"resolver", report_resolver},
             {"policyd", report_policyd},
             {"milter", report_milter}};
#define PART_COUNT COUNT_OF(parts)

static size_t find_part(const char *name)
{
    size_t i = 0;

    while (i < PART_COUNT && strcmp(parts[i].name, name) != 0)
        i++;
    return i;
}

static int unknown_part(const char *verb, const char *name)
{
    const char *names[PART_COUNT];
    const char *nearest;

    for (size_t i = 0; i < PART_COUNT; i++)
        names[i] = parts[i].name;
    nearest = words_nearest(name, names, PART_COUNT);
    return ctl_usage(verb, "unknown part \"%s\": expected store, resolver, policyd or milter%s%s%s",
                     name, nearest != NULL ? "; did you mean \"" : "",
                     nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "");
}

static int run(struct ctl *ctl, int argc, char **argv)
{
    struct report report = {.columns = {.count = 5, .right = {[2] = true}}, .good = true};
    bool json;
    int status = ctl_parse(argc, argv, (int)PART_COUNT, &json);

    if (status >= 0)
        return status;
    for (int i = optind; i < argc; i++)
        if (find_part(argv[i]) == PART_COUNT)
            return unknown_part(argv[0], argv[i]);
    if (!ctl_load(ctl))
        return EX_CONFIG;
    report.json = json_array();
    for (size_t i = 0; optind == argc && i < PART_COUNT; i++)
        parts[i].report(ctl->conf, &report);
    for (int i = optind; i < argc; i++)
        parts[find_part(argv[i])].report(ctl->conf, &report);
    if (json)
        ctl_print_json(json_pack("{s:b, s:O}", "ok", report.good, "parts", report.json));
    else
        columns_print(&report.columns, stdout);
    json_decref(report.json);
    columns_free(&report.columns);
    return report.good ? EX_OK : EXIT_NEGATIVE;
}

const struct verb verb_status = {
    .name = "status",
    .arguments = "[--json] [PART]...",
    .summary = "ask whether all answer",
    .help = "Asks the store, the resolver and both daemons, or only the parts that are named\n"
            "(store, resolver, policyd, milter): whether each answers, how fast, and what to\n"
            "do where it does not.\n"
            "\n"
            "  -j, --json   as JSON\n"
            "\n"
            "Exit status: 0 when all answer, 1 when one does not.",
    .run = run,
};
