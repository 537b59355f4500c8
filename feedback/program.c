/* SPDX-License-Identifier: BSD-2-Clause */
#include "feedback/program.h"

#include "feedback/follower.h"
#include "feedback/reports.h"

#include "lib/base/mem.h"

#include <stdlib.h>

struct program {
    struct daemon *daemon;
    struct follower *follower;
    struct reports *reports;
    struct rules *rules; /* read, and not yet the follower's */
};

static bool program_bind(struct daemon *daemon, const struct conf *conf, char **problem_r)
{
    struct program *program = mem_new(1, sizeof(*program));

    (void)conf;
    (void)problem_r;
    program->daemon = daemon;
    daemon->state = program;
    return true;
}

static bool program_prepare(struct daemon *daemon, const struct conf *conf, char **problem_r)
{
    struct program *program = daemon->state;

    rules_free(&program->rules);
    program->rules = rules_load(&conf->classify_rules, true, problem_r);
    return program->rules != NULL;
}

static void on_ended(void *context)
{
    struct program *program = context;

    daemon_drained(program->daemon);
}

static bool program_serve(struct daemon *daemon, char **problem_r)
{
    struct program *program = daemon->state;

    program->follower =
        follower_new(&daemon->services, daemon->conf, program->rules, on_ended, program, problem_r);
    if (program->follower == NULL)
        return false;
    program->rules = NULL;
    program->reports = reports_new(&daemon->services, daemon->conf);
    return true;
}

static void program_reloaded(struct daemon *daemon, const struct conf *conf)
{
    struct program *program = daemon->state;

    (void)conf;
    follower_set_rules(program->follower, program->rules);
    program->rules = NULL;
}

static void program_drain(struct daemon *daemon)
{
    struct program *program = daemon->state;

    follower_drain(program->follower);
}

static void program_stop(struct daemon *daemon)
{
    struct program *program = daemon->state;

    daemon->state = NULL;
    if (program == NULL)
        return;
    reports_free(&program->reports);
    if (program->follower != NULL)
        follower_free(&program->follower);
    rules_free(&program->rules);
    free(program);
}

const struct daemon_program feedback_program = {
    .name = "sluice-feedback",
    .summary = "learns from the MTA's log what becomes of mail",
    .bind = program_bind,
    .prepare = program_prepare,
    .serve = program_serve,
    .reloaded = program_reloaded,
    .drain = program_drain,
    .stop = program_stop,
};
