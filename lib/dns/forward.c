/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One name server after the other.
 *
 * What a server answers is read at once, since it is borrowed, and passed on from a timer:
 * libunbound answers in the middle of its work, where nothing can be asked.
 */
#include "lib/dns/forward.h"

#include "lib/base/mem.h"
#include "lib/dns/servers.h"
#include "lib/dns/upstream.h"

#include <stdlib.h>
#include <string.h>

struct inquiry;

struct dns_forward {
    struct loop *loop;
    struct dns_upstream *upstreams[DNS_SERVERS_MAX];
    size_t count;
    size_t preferred; /* who answered last */
    struct inquiry *open; /* all there are */
    struct inquiry *answered; /* in the order of their answers, waiting for deliver */
    struct inquiry **answered_last;
    struct loop_timer *deliver;
};

/* One question to one server. */
struct inquiry_part {
    struct inquiry *inquiry;
    size_t server;
};

struct inquiry {
    struct dns_forward *forward;
    struct inquiry *before;
    struct inquiry *after;
    struct inquiry *next_answered;
    struct dns_name name;
    enum dns_type type;
    size_t first; /* the server asked first */
    size_t asked; /* how many were */
    size_t unanswered; /* how many of them did not answer yet */
    bool is_answered; /* by one of them, or all have failed */
    bool is_delivered;
    struct loop_timer *next; /* NULL with one server */
    struct inquiry_part parts[DNS_SERVERS_MAX];
    struct dns_records records;
    char *problem;
    dns_forward_callback *callback;
    void *context;
};

static void inquiry_free(struct inquiry *inquiry)
{
    if (inquiry->before != NULL)
        inquiry->before->after = inquiry->after;
    else
        inquiry->forward->open = inquiry->after;
    if (inquiry->after != NULL)
        inquiry->after->before = inquiry->before;
    loop_timer_free(&inquiry->next);
    dns_records_clear(&inquiry->records);
    free(inquiry->problem);
    free(inquiry);
}

static void deliver(void *context)
{
    struct dns_forward *forward = context;
    struct inquiry *inquiry;

    while ((inquiry = forward->answered) != NULL) {
        forward->answered = inquiry->next_answered;
        if (forward->answered == NULL)
            forward->answered_last = &forward->answered;
        inquiry->callback(&inquiry->records, inquiry->problem, inquiry->context);
        inquiry->is_delivered = true;
        if (inquiry->unanswered == 0)
            inquiry_free(inquiry);
    }
}

static void set_answered(struct inquiry *inquiry)
{
    struct dns_forward *forward = inquiry->forward;

    inquiry->is_answered = true;
    if (inquiry->next != NULL)
        loop_timer_stop(inquiry->next);
    if (forward->answered == NULL)
        loop_timer_start(forward->deliver, 0);
    *forward->answered_last = inquiry;
    forward->answered_last = &inquiry->next_answered;
}

static void on_reply(const struct dns_reply *reply, void *context);

/* Asks the next server that can be asked; nobody is left to wait for: that is the answer. */
static void ask_next(void *context)
{
    struct inquiry *inquiry = context;
    struct dns_forward *forward = inquiry->forward;
    char name[DNS_NAME_TEXT_ROOM];

    /* The root has no labels to write. */
    if (dns_name_format(&inquiry->name, name) == 0)
        memcpy(name, ".", sizeof("."));
    while (inquiry->asked < forward->count) {
        struct inquiry_part *part = &inquiry->parts[inquiry->asked];

        part->inquiry = inquiry;
        part->server = (inquiry->first + inquiry->asked++) % forward->count;
        inquiry->unanswered++;
        if (dns_upstream_ask(forward->upstreams[part->server], name, inquiry->type, on_reply, part))
            break;
        inquiry->unanswered--;
    }
    if (inquiry->is_answered)
        return;
    if (inquiry->asked < forward->count)
        loop_timer_start(inquiry->next, inquiry->unanswered > 0 ? DNS_NEXT_SERVER_MS : 0);
    else if (inquiry->unanswered == 0)
        set_answered(inquiry);
}

static void set_failure(struct inquiry *inquiry, enum dns_status status, const char *problem)
{
    dns_records_clear(&inquiry->records);
    inquiry->records.status = status;
    free(inquiry->problem);
    inquiry->problem = mem_copy(problem);
}

static void read_reply(struct inquiry *inquiry, const struct dns_reply *reply)
{
    if (reply->bogus) {
        set_failure(inquiry, DNS_BOGUS,
                    reply->why_bogus != NULL ? reply->why_bogus : "DNSSEC validation failed");
        return;
    }
    if (reply->rcode != 0) {
        set_failure(inquiry, DNS_FAILED, dns_rcode_name(reply->rcode));
        return;
    }
    dns_records_clear(&inquiry->records);
    free(inquiry->problem);
    dns_records_read(reply->packet, reply->length, &inquiry->name, inquiry->type,
                     &inquiry->records);
    inquiry->problem = mem_copy(inquiry->records.problem);
}

static void on_reply(const struct dns_reply *reply, void *context)
{
    const struct inquiry_part *part = context;
    struct inquiry *inquiry = part->inquiry;
    struct dns_forward *forward = inquiry->forward;

    inquiry->unanswered--;
    if (inquiry->is_answered) {
        if (inquiry->is_delivered && inquiry->unanswered == 0)
            inquiry_free(inquiry);
        return;
    }
    read_reply(inquiry, reply);
    if (inquiry->records.status != DNS_FAILED) {
        forward->preferred = part->server;
        set_answered(inquiry);
        return;
    }
    /* Asking is for later here, as for everybody. */
    if (inquiry->asked < forward->count)
        loop_timer_start(inquiry->next, 0);
    else if (inquiry->unanswered == 0)
        set_answered(inquiry);
}

struct dns_forward *dns_forward_new(struct loop *loop, const struct strings *servers,
                                    const char *trust_anchor_file, char **problem_r)
{
    struct dns_forward *forward = mem_new(1, sizeof(*forward));

    forward->loop = loop;
    forward->deliver = loop_timer_new(loop, deliver, forward);
    forward->answered_last = &forward->answered;
    for (size_t i = 0; i < servers->count && i < DNS_SERVERS_MAX; i++) {
        forward->upstreams[i] =
            dns_upstream_new(loop, servers->items[i], trust_anchor_file, problem_r);
        if (forward->upstreams[i] == NULL) {
            dns_forward_free(&forward);
            return NULL;
        }
        forward->count++;
    }
    return forward;
}

void dns_forward_free(struct dns_forward **forward)
{
    struct dns_forward *old = *forward;

    if (old == NULL)
        return;
    /* They answer what is open, but nobody is told. */
    for (struct inquiry *inquiry = old->open; inquiry != NULL; inquiry = inquiry->after) {
        inquiry->is_answered = true;
        inquiry->is_delivered = false;
    }
    for (size_t i = 0; i < old->count; i++)
        dns_upstream_free(&old->upstreams[i]);
    while (old->open != NULL)
        inquiry_free(old->open);
    loop_timer_free(&old->deliver);
    free(old);
    *forward = NULL;
}

void dns_forward_ask(struct dns_forward *forward, const struct dns_name *name, enum dns_type type,
                     dns_forward_callback *callback, void *context)
{
    struct inquiry *inquiry = mem_new(1, sizeof(*inquiry));

    inquiry->forward = forward;
    inquiry->after = forward->open;
    if (forward->open != NULL)
        forward->open->before = inquiry;
    forward->open = inquiry;
    inquiry->name = *name;
    inquiry->type = type;
    inquiry->first = forward->preferred;
    inquiry->callback = callback;
    inquiry->context = context;
    set_failure(inquiry, DNS_FAILED, "it could not be asked");
    if (forward->count > 1)
        inquiry->next = loop_timer_new(forward->loop, ask_next, inquiry);
    ask_next(inquiry);
}
