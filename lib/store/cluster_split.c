/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls taken apart by subject, and answers put together. */
#include "lib/store/cluster_private.h"

#include "lib/base/endpoint.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"

#include <stdlib.h>
#include <string.h>

#define AGAIN_MS 10
#define HOPS_MAX 16 /* answers that name another node: then the cluster does not know itself */

static int64_t steady_us(void)
{
    return clock_now_us(&clock_steady);
}

static struct part *part_of(struct call *call)
{
    return (struct part *)call->reserve; /* its first member */
}

/* --- one part ------------------------------------------------------------------------- */

static void end_round(struct split *split);

static void finish(struct part *part, enum backend_result result)
{
    part->result = result;
    if (--part->split->open == 0)
        end_round(part->split);
}

static void wait_for_change(struct part *part)
{
    struct cluster *cluster = part->split->cluster;

    if (cluster->waiting == NULL && !cluster->closing)
        loop_timer_start(cluster->again, AGAIN_MS);
    part->behind = cluster->waiting;
    cluster->waiting = part;
}

static void send_part(struct part *part)
{
    struct cluster *cluster = part->split->cluster;
    struct cluster_node *node = part->target != NULL ? part->target : cluster->slots[part->slot];

    if (cluster->closing || (node == NULL && !cluster->fresh)) {
        finish(part, part->call->sent_us != 0 ? BACKEND_UNCERTAIN : BACKEND_UNSENT);
        return;
    }
    if (node == NULL) {
        wait_for_change(part);
        return;
    }
    part->reserve.asking = part->target != NULL;
    part->call->sent_us = 0;
    part->call->deadline_us = part->split->deadline_us;
    redis_submit(node->redis, part->call);
}

void cluster_go_on(void *context)
{
    struct cluster *cluster = context;
    struct part *part = cluster->waiting;
    int64_t now_us = steady_us();

    cluster->waiting = NULL;
    while (part != NULL) {
        struct part *behind = part->behind;

        if (part->split->deadline_us <= now_us) {
            cluster->fresh = false;
            finish(part, BACKEND_UNSENT);
        } else {
            send_part(part);
        }
        part = behind;
    }
}

static void take_over(struct cluster *cluster, uint16_t slot, struct cluster_node *node)
{
    if (cluster->slots[slot] != NULL)
        cluster->slots[slot]->slots--;
    cluster->slots[slot] = node;
    node->slots++;
}

/* "MOVED 3999 192.0.2.1:6381", "ASK 3999 192.0.2.1:6381"; without a host it is the same one. */
static struct cluster_node *named_node(struct cluster_node *node, const char *error)
{
    const char *place = strrchr(error, ' ');
    const char *colon = place != NULL ? strrchr(place, ':') : NULL;
    struct cluster_node *named = NULL;
    char *host;
    uint16_t port;

    if (colon == NULL || !endpoint_parse_port(colon + 1, strlen(colon + 1), &port))
        return NULL;
    host = mem_copy_n(place + 1, (size_t)(colon - place - 1));
    named = cluster_node_at(node->cluster, *host != '\0' ? host : node->host, port);
    free(host);
    return named;
}

void cluster_redirected(struct cluster_node *node, struct call *call, const char *error)
{
    struct part *part = part_of(call);
    struct cluster *cluster = node->cluster;
    bool moved = strncmp(error, "MOVED ", strlen("MOVED ")) == 0;
    bool again = strncmp(error, "TRYAGAIN", strlen("TRYAGAIN")) == 0;
    struct cluster_node *named = again ? NULL : named_node(node, error);

    /* It was not carried out. */
    call->sent_us = 0;
    part->target = NULL;
    if (again) {
        wait_for_change(part);
        return;
    }
    if (named == NULL || ++part->hops > HOPS_MAX) {
        finish(part, BACKEND_UNSENT);
        return;
    }
    if (moved) {
        take_over(cluster, part->slot, named);
        cluster_refresh_soon(cluster);
    } else {
        part->target = named;
    }
    send_part(part);
}

void cluster_part_done(struct call *call, enum backend_result result)
{
    finish(part_of(call), result);
}

/* --- a call --------------------------------------------------------------------------- */

struct split *cluster_split_new(struct cluster *cluster, struct call *call, size_t count)
{
    struct split *split = mem_new(1, sizeof(*split) + count * sizeof(struct part));

    split->cluster = cluster;
    split->call = call;
    split->count = count;
    split->deadline_us = steady_us() + cluster->timeout_ms * 1000;
    return split;
}

static void release_part(struct part *part)
{
    text_free(&part->extra);
    call_release(part->call);
}

static void split_free(struct split *split)
{
    for (size_t i = 0; i < split->count; i++)
        release_part(&split->parts[i]);
    free(split);
}

void cluster_send(struct split *split)
{
    /* One more, so that the round cannot end before all of it is sent. */
    split->open = split->count + 1;
    for (size_t i = 0; i < split->count; i++)
        send_part(&split->parts[i]);
    if (--split->open == 0)
        end_round(split);
}

void cluster_set_part(struct split *split, size_t index, struct call *call, const char *subject)
{
    struct part *part = &split->parts[index];

    part->split = split;
    part->call = call;
    part->slot = slot_of(subject, strlen(subject));
    part->reserve.extra = "";
    call->reserve = &part->reserve;
}

/* The part's limits in a call of their own. */
static struct call *part_call(enum call_operation operation, const struct call *from, size_t first,
                              size_t count)
{
    struct call *call = call_new_named(operation, from->message, from->limits + first, count);

    call->fingerprint = from->fingerprint;
    call->at_ms = from->at_ms;
    return call;
}

/* A call that gives back all of the part's charges beyond what is left in its limits.  It makes
 * nothing void that another program charged for the message before: its time is long ago. */
static struct call *undo_call(const struct call *charge)
{
    struct call *undo =
        part_call(charge->at_ms > 0 ? CALL_GIVE_BACK : CALL_RETURN, charge, 0, charge->nlimits);

    if (charge->at_ms == 0)
        undo->at_ms = 1;
    return undo;
}

static void reserve(struct part *part)
{
    struct call *undo = undo_call(part->call);

    for (size_t i = 0; i < undo->nlimits; i++)
        undo->limits[i].amount = 0;
    script_plan(undo, &part->extra);
    call_release(undo);
    part->reserve.mode = CALL_RESERVE;
    part->reserve.extra = text_string(&part->extra);
    part->reserve.extra_length = part->extra.length;
}

static bool was_charged(const struct part *part)
{
    return part->result == BACKEND_ANSWERED && part->call->nlimits > 0 && !part->call->refused;
}

/* What a refused message was charged is given back; nobody waits for it, and if it fails, the
 * reservation ends. */
static void drop(const struct split *split)
{
    size_t charged = 0;
    struct split *back;

    for (size_t i = 0; i < split->count; i++)
        charged += was_charged(&split->parts[i]);
    if (charged == 0 || split->cluster->closing)
        return;
    back = cluster_split_new(split->cluster, NULL, charged);
    for (size_t i = 0, next = 0; i < split->count; i++) {
        const struct part *part = &split->parts[i];
        struct part *its;
        struct call *undo;

        if (!was_charged(part))
            continue;
        undo = undo_call(part->call);
        its = &back->parts[next];
        for (size_t k = 0; k < undo->nlimits; k++) {
            const struct call_limit *limit = &part->call->limits[k];

            undo->limits[k].amount -= limit->added;
            if (part->call->answers[limit->index].near)
                text_print(&its->extra, "%s:%lld\n", limit->field, (long long)limit->max);
        }
        cluster_set_part(back, next++, undo, undo->limits[0].subject);
        its->reserve.mode = CALL_DROP;
        its->reserve.extra = text_string(&its->extra);
        its->reserve.extra_length = its->extra.length;
    }
    cluster_send(back);
}

static void add_answer(struct call *call, const struct part *part)
{
    const struct call *its = part->call;

    call->known = call->known || its->known;
    call->now_ms = its->now_ms > call->now_ms ? its->now_ms : call->now_ms;
    for (size_t i = 0; i < its->nlimits; i++) {
        struct store_limit_answer *answer = &call->answers[call->limits[part->first + i].index];

        *answer = its->answers[its->limits[i].index];
        if (call->refused && !its->refused) {
            answer->used -= its->limits[i].added;
            answer->near = false;
        }
    }
}

/* Of one key: it is its own only part, and has its answer already. */
static bool is_whole(const struct split *split)
{
    return split->count == 1 && split->parts[0].call == split->call;
}

static void put_together(struct split *split)
{
    struct call *call = split->call;

    if (call == NULL || is_whole(split))
        return;
    call->refused = false;
    call->known = false;
    call->now_ms = 0;
    for (size_t i = 0; i < split->count; i++)
        call->refused = call->refused || split->parts[i].call->refused;
    for (size_t i = 0; i < split->count; i++)
        add_answer(call, &split->parts[i]);
    cluster_join_notes(split);
}

static enum backend_result merged_result(const struct split *split)
{
    size_t counts[BACKEND_FAILED + 1] = {0};

    for (size_t i = 0; i < split->count; i++)
        counts[split->parts[i].result]++;
    if (counts[BACKEND_FAILED] > 0)
        return BACKEND_FAILED;
    if (counts[BACKEND_ANSWERED] == split->count)
        return BACKEND_ANSWERED;
    return counts[BACKEND_UNSENT] == split->count && !split->second ? BACKEND_UNSENT
                                                                    : BACKEND_UNCERTAIN;
}

static void tell(struct split *split, enum backend_result result)
{
    struct call *call = split->call;
    struct cluster *cluster = split->cluster;

    split_free(split);
    if (call == NULL)
        return;
    call->reserve = NULL;
    cluster->owner.done(cluster->owner.context, call, result);
    call_release(call);
}

static void keep(struct split *split)
{
    split->second = true;
    /* Notes were read, and are not read again; they stand behind the subjects. */
    while (split->count > split->call->nsubjects)
        release_part(&split->parts[--split->count]);
    for (size_t i = 0; i < split->count; i++) {
        struct part *part = &split->parts[i];
        struct call *call = part_call(CALL_CHARGE, part->call, 0, part->call->nlimits);

        for (size_t k = 0; k < call->nlimits; k++) {
            call->limits[k].enforce = false;
            call->limits[k].near = 0;
        }
        call_release(part->call);
        part->call = call;
        call->reserve = &part->reserve;
        part->hops = 0;
        part->reserve = (struct call_reserve){.mode = CALL_KEEP, .extra = ""};
    }
    cluster_send(split);
}

static void end_round(struct split *split)
{
    enum backend_result result = merged_result(split);
    struct call *call = split->call;

    if (result == BACKEND_ANSWERED && !split->second)
        put_together(split);
    if (split->reserves && !split->second) {
        if (result == BACKEND_ANSWERED && !call->refused && !split->cluster->closing) {
            keep(split);
            return;
        }
        if (result == BACKEND_ANSWERED || result == BACKEND_FAILED)
            drop(split);
    }
    if (call != NULL && result == BACKEND_ANSWERED && !is_whole(split))
        cluster_make_marks(split->cluster, call);
    tell(split, result);
}

static bool can_refuse(const struct call *call)
{
    for (size_t i = 0; i < call->nlimits; i++)
        if (call->limits[i].enforce)
            return call->operation == CALL_CHARGE;
    return false;
}

static const char *only_subject(const struct call *call)
{
    if (call->subject != NULL)
        return call->subject;
    if (call->notes.count > 0)
        return call->notes.items[0].subject;
    return call->nlimits > 0 ? call->limits[0].subject : "";
}

static void split_limits(struct split *split, const struct call *call)
{
    size_t part = 0;

    for (size_t i = 0; i < call->nlimits; part++) {
        size_t first = i++;

        while (i < call->nlimits && !call->limits[i].first)
            i++;
        cluster_set_part(split, part, part_call(call->operation, call, first, i - first),
                         call->limits[first].subject);
        split->parts[part].first = first;
        if (split->reserves)
            reserve(&split->parts[part]);
    }
}

void cluster_split_call(struct cluster *cluster, struct call *call)
{
    size_t count = call->nsubjects + cluster_note_parts(call);
    bool whole = call->nsubjects + call->notes.count <= 1 && !cluster_lists(call);
    struct split *split = cluster_split_new(cluster, call, whole ? 1 : count);

    call_hold(call);
    split->reserves = call->nsubjects > 1 && can_refuse(call);
    if (whole) {
        call_hold(call);
        cluster_set_part(split, 0, call, only_subject(call));
    } else {
        split_limits(split, call);
        cluster_split_notes(split, call, call->nsubjects);
    }
    cluster_send(split);
}
