/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/evaluate.h"

#include "ctl/ctl.h"
#include "lib/base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MS 20000 /* RFC 7208 section 4.6.4 asks for no less */
#define STEP_MS 100

static void tell(const struct spf_engine_event *event, void *context)
{
    const struct spf_question *question = event->question;

    (void)context;
    if (event->happening == SPF_ENGINE_DOWN)
        ctl_complain("libspf2: %s; our own result of SPF stands", event->problem);
    else if (event->happening == SPF_ENGINE_DIFFERS)
        ctl_complain("libspf2 says %s of %s, our own evaluation %s by %s; %s stands",
                     spf_status_name(event->opinion->said), question->domain,
                     spf_status_name(question->own), question->mechanism,
                     spf_status_name(event->opinion->stands));
}

bool evaluator_open(struct evaluator *evaluator, const struct conf *conf)
{
    const struct dns_settings settings = {
        .resolver = conf->resolver,
        .timeout_ms = conf->dns_timeout_ms,
        .max_inflight = (size_t)conf->dns_max_inflight,
        .cache_size = (size_t)conf->dns_cache_size,
    };
    const struct spf_engine_settings spf_engine = {.engine = conf->spf_engine, .tell = tell};
    char *problem = NULL;

    evaluator->loop = loop_new();
    if (evaluator->loop == NULL)
        problem = mem_print("cannot make an event loop: %s", strerror(errno));
    else
        evaluator->dns = dns_new(evaluator->loop, &settings, &problem);
    if (evaluator->dns != NULL)
        evaluator->spf_engine = spf_engine_new(evaluator->loop, &spf_engine);
    if (problem != NULL)
        ctl_complain("%s", problem);
    free(problem);
    return evaluator->dns != NULL;
}

struct evaluation {
    lookups_evaluate *evaluate;
    void *context;
    bool ended;
};

static bool run(const struct lookup *lookup, void *context)
{
    struct evaluation *evaluation = context;

    return evaluation->evaluate(lookup, evaluation->context);
}

static void end(int64_t ttl_sec, void *context)
{
    (void)ttl_sec;
    ((struct evaluation *)context)->ended = true;
}

void evaluator_run(struct evaluator *evaluator, lookups_evaluate *evaluate, void *context)
{
    struct evaluation evaluation = {.evaluate = evaluate, .context = context};

    (void)lookups_start_with(evaluator->loop, evaluator->dns, evaluator->spf_engine, TIMEOUT_MS,
                             run, end, &evaluation);
    while (!evaluation.ended)
        loop_run_once(evaluator->loop, STEP_MS);
}

void evaluator_close(struct evaluator *evaluator)
{
    if (evaluator->dns != NULL)
        dns_free(&evaluator->dns);
    spf_engine_free(&evaluator->spf_engine);
    if (evaluator->loop != NULL)
        loop_free(&evaluator->loop);
}
