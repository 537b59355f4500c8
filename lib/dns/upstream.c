/* SPDX-License-Identifier: BSD-2-Clause */
/* libunbound as a forwarder on our loop. */
#include "lib/dns/upstream.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/dns/unbound_events.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unbound-event.h>
#include <unbound.h>
#include <unistd.h>

#define CLASS_IN 1
#define RCODE_SERVFAIL 2
#define SEC_BOGUS 1

struct upstream_question {
    struct dns_upstream *upstream;
    struct upstream_question *before;
    struct upstream_question *after;
    dns_upstream_callback *callback;
    void *context;
};

struct dns_upstream {
    struct ub_event_base *events;
    struct ub_ctx *unbound;
    struct upstream_question *first; /* asked and not answered */
};

static int set_options(struct ub_ctx *unbound, bool validate)
{
    const struct {
        const char *name;
        const char *value;
    } options[] = {
        {"module-config:", validate ? "validator iterator" : "iterator"},
        {"do-not-query-localhost:", "no"},
        /* sockets at a time; what is asked beyond them waits */
        {"outgoing-range:", "512"},
        {"outgoing-num-tcp:", "16"},
        /* Our cache is in front, and it knows for how long a failure is one: libunbound's keeps
           next to nothing. */
        {"msg-cache-size:", "64k"},
        {"rrset-cache-size:", "256k"},
        /* There is one server to ask, so what it did a moment ago is no reason not to: libunbound
         * would leave one alone for minutes.  Who is asked next, and when nobody is, is decided
         * above. */
        {"infra-host-ttl:", "1"},
        {"infra-keep-probing:", "yes"},
        {"outbound-msg-retry:", "4"},
        /* Private names are the forwarder's to answer for. */
        {"unblock-lan-zones:", "yes"},
        {"insecure-lan-zones:", "yes"},
    };

    for (size_t i = 0; i < COUNT_OF(options); i++) {
        int code = ub_ctx_set_option(unbound, options[i].name, options[i].value);

        if (code != 0)
            return code;
    }
    return 0;
}

/* The zones that libunbound would answer itself, besides those of unblock-lan-zones. */
static int remove_local_zones(struct ub_ctx *unbound)
{
    static const char *const zones[] = {
        "localhost.",
        "127.in-addr.arpa.",
        "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa.",
        "home.arpa.",
        "resolver.arpa.",
        "service.arpa.",
        "onion.",
        "test.",
        "invalid.",
    };

    for (size_t i = 0; i < COUNT_OF(zones); i++) {
        int code = ub_ctx_zone_remove(unbound, zones[i]);

        if (code != 0)
            return code;
    }
    return 0;
}

static int configure(struct ub_ctx *unbound, const char *server, const char *trust_anchor_file)
{
    int code;

    /* It has no business on our standard error; what fails is an answer. */
    (void)ub_ctx_debugout(unbound, NULL);
    code = set_options(unbound, trust_anchor_file != NULL);
    if (code == 0)
        code = ub_ctx_set_fwd(unbound, server);
    if (code == 0 && trust_anchor_file != NULL)
        code = ub_ctx_add_ta_file(unbound, trust_anchor_file);
    /* This puts the options into force, so it is the last. */
    if (code == 0)
        code = remove_local_zones(unbound);
    return code;
}

struct dns_upstream *dns_upstream_new(struct loop *loop, const char *server,
                                      const char *trust_anchor_file, char **problem_r)
{
    struct dns_upstream *upstream;
    int code;

    if (trust_anchor_file != NULL && access(trust_anchor_file, R_OK) != 0) {
        *problem_r = mem_print("trust anchor %s: %s", trust_anchor_file, strerror(errno));
        return NULL;
    }
    upstream = mem_new(1, sizeof(*upstream));
    upstream->events = unbound_events_new(loop_base(loop));
    upstream->unbound = ub_ctx_create_ub_event(upstream->events);
    if (upstream->unbound == NULL) {
        *problem_r = mem_print("libunbound does not start: %s", strerror(errno));
        dns_upstream_free(&upstream);
        return NULL;
    }
    code = configure(upstream->unbound, server, trust_anchor_file);
    if (code != 0) {
        *problem_r = mem_print("libunbound does not take its configuration: %s", ub_strerror(code));
        dns_upstream_free(&upstream);
    }
    return upstream;
}

static void answer(struct upstream_question *question, const struct dns_reply *reply)
{
    if (question->before != NULL)
        question->before->after = question->after;
    else
        question->upstream->first = question->after;
    if (question->after != NULL)
        question->after->before = question->before;
    question->callback(reply, question->context);
    free(question);
}

void dns_upstream_free(struct dns_upstream **upstream)
{
    const struct dns_reply failed = {.rcode = RCODE_SERVFAIL};
    struct dns_upstream *old = *upstream;

    if (old == NULL)
        return;
    /* This may answer what is open, or forget it. */
    ub_ctx_delete(old->unbound);
    while (old->first != NULL)
        answer(old->first, &failed);
    free(old->events);
    free(old);
    *upstream = NULL;
}

static void on_answer(void *context, int rcode, void *packet, int length, int security,
                      char *why_bogus, int rate_limited)
{
    struct dns_reply reply = {
        .rcode = (unsigned)rcode,
        .packet = packet,
        .length = length > 0 ? (size_t)length : 0,
        .bogus = security == SEC_BOGUS,
        .why_bogus = why_bogus,
    };

    (void)rate_limited;
    if (reply.rcode == 0 && (packet == NULL || length <= 0))
        reply.rcode = RCODE_SERVFAIL;
    answer(context, &reply);
}

bool dns_upstream_ask(struct dns_upstream *upstream, const char *name, enum dns_type type,
                      dns_upstream_callback *callback, void *context)
{
    struct upstream_question *question = mem_new(1, sizeof(*question));

    question->upstream = upstream;
    question->callback = callback;
    question->context = context;
    question->after = upstream->first;
    if (upstream->first != NULL)
        upstream->first->before = question;
    upstream->first = question;
    if (ub_resolve_event(upstream->unbound, name, (int)type, CLASS_IN, question, on_answer, NULL) ==
        0)
        return true;
    /* Not asked, so not answered: it is still the first. */
    upstream->first = question->after;
    if (upstream->first != NULL)
        upstream->first->before = NULL;
    free(question);
    return false;
}
