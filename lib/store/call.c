/* SPDX-License-Identifier: BSD-2-Clause */
/* A request on its way through the store. */
#include "lib/store/call.h"

#include "lib/base/hash.h"
#include "lib/base/mem.h"
#include "lib/store/window.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define TAG_MASK UINT64_C(0xffffffffffff)

/* Tags must be the same in every program; the key only makes them hard to aim at one another. */
static const uint8_t tag_key[HASH_KEY_SIZE] = "sluice field tag";

struct ordered {
    size_t index;
    size_t subject; /* the first limit in the request that has the same subject */
};

static int64_t clip(int64_t value, int64_t least, int64_t most)
{
    if (value < least)
        return least;
    return value < most ? value : most;
}

/* "m86400" */
static void write_field(char field_r[CALL_FIELD_SIZE], char count, int64_t window_sec)
{
    char digits[CALL_FIELD_SIZE];
    size_t length = 0;

    *field_r++ = count;
    for (; window_sec > 0; window_sec /= 10)
        digits[length++] = (char)('0' + window_sec % 10);
    while (length > 0)
        *field_r++ = digits[--length];
    *field_r = '\0';
}

static uint64_t tag_of(const struct call_limit *limit)
{
    char bytes[SUBJECT_NAME_SIZE + CALL_FIELD_SIZE];
    size_t subject = strlen(limit->subject);
    size_t field = strlen(limit->field);

    memcpy(bytes, limit->subject, subject + 1);
    memcpy(bytes + subject + 1, limit->field, field);
    return hash_keyed(tag_key, bytes, subject + 1 + field) & TAG_MASK;
}

/* Before: by subject, in the order in which the request names them, then by field. */
static bool goes_before(const struct store_request *request, const struct ordered *a,
                        const struct ordered *b)
{
    const struct store_limit *first = &request->limits[a->index];
    const struct store_limit *second = &request->limits[b->index];

    if (a->subject != b->subject)
        return a->subject < b->subject;
    if (first->count != second->count)
        return first->count < second->count;
    return first->window_sec < second->window_sec;
}

static void put_in_order(const struct store_request *request, struct ordered *order)
{
    for (size_t i = 0; i < request->nlimits; i++) {
        struct ordered limit = {i, 0};
        size_t place = i;

        while (strcmp(request->limits[limit.subject].subject, request->limits[i].subject) != 0)
            limit.subject++;
        for (; place > 0 && goes_before(request, &limit, &order[place - 1]); place--)
            order[place] = order[place - 1];
        order[place] = limit;
    }
}

/* The limits of one field are charged as one: what the message comes to is the same for all of
 * them. */
static void join_fields(struct call *call)
{
    size_t field = 0; /* the first limit of the field */

    for (size_t i = 0; i < call->nlimits; i++) {
        struct call_limit *limit = &call->limits[i];

        limit->first = i == 0 || limit[-1].subject != limit->subject;
        limit->same_field = !limit->first && strcmp(limit[-1].field, limit->field) == 0;
        call->nsubjects += limit->first;
        field = limit->same_field ? field : i;
        if (limit->amount > call->limits[field].amount)
            call->limits[field].amount = limit->amount;
    }
    for (size_t i = 1; i < call->nlimits; i++)
        if (call->limits[i].same_field)
            call->limits[i].amount = call->limits[i - 1].amount;
}

static struct call *allocate(enum call_operation operation, size_t nlimits, size_t text_size,
                             char **text_r)
{
    struct call *call = mem_new(1, sizeof(*call) + nlimits * sizeof(struct call_limit) +
                                       nlimits * sizeof(struct store_limit_answer) + text_size);

    call->holders = 1;
    call->operation = operation;
    call->message = "";
    call->limits = (struct call_limit *)(call + 1);
    call->nlimits = nlimits;
    call->answers = (struct store_limit_answer *)(call->limits + nlimits);
    *text_r = (char *)(call->answers + nlimits);
    return call;
}

static void copy_limit(struct call_limit *to, const struct store_limit *from,
                       enum call_operation operation)
{
    to->window_sec = clip(from->window_sec, 1, WINDOW_SEC_MAX);
    to->amount = operation == CALL_GIVE_BACK ? 0 : clip(from->amount, 0, CALL_AMOUNT_MAX);
    to->max = clip(from->max, 0, WINDOW_COUNT_MAX);
    to->near = clip(from->near, 0, WINDOW_COUNT_MAX);
    to->enforce = from->enforce;
    write_field(to->field, from->count, to->window_sec);
    if (from->count != STORE_DISTINCT || operation == CALL_GIVE_BACK)
        return;
    to->ncodes = from->nmembers < STORE_MEMBERS_MAX ? from->nmembers : STORE_MEMBERS_MAX;
    to->codes = mem_new(to->ncodes + 1, sizeof(*to->codes));
    for (size_t i = 0; i < to->ncodes; i++)
        to->codes[i] = sketch_code(from->members[i]);
}

/* The names that a request needs, one behind the other, before it is known how long they are. */
struct names {
    char bytes[(STORE_LIMITS_MAX + 1) * SUBJECT_NAME_SIZE];
    size_t length;
};

static void add_names(const struct subject_hiding *hiding, const struct store_request *request,
                      const struct ordered *order, struct names *names)
{
    names->length = 0;
    if (*request->identity != '\0')
        names->length = subject_message(request->identity, names->bytes) + 1;
    for (size_t i = 0; i < request->nlimits; i++)
        if (i == 0 || order[i].subject != order[i - 1].subject)
            names->length += 1 + subject_name(hiding, request->limits[order[i].index].subject,
                                              names->bytes + names->length);
}

struct call *call_new(const struct subject_hiding *hiding, enum call_operation operation,
                      const struct store_request *request)
{
    struct ordered order[STORE_LIMITS_MAX];
    struct names names;
    struct call *call;
    const char *name;
    char *text;

    assert(request->nlimits <= STORE_LIMITS_MAX);
    put_in_order(request, order);
    add_names(hiding, request, order, &names);
    call = allocate(operation, request->nlimits, names.length, &text);
    memcpy(text, names.bytes, names.length);
    name = text;
    call->fingerprint = request->fingerprint;
    call->at_ms = request->at_us / 1000;
    if (*request->identity != '\0') {
        call->message = name;
        name += strlen(name) + 1;
    }
    for (size_t i = 0; i < call->nlimits; i++) {
        struct call_limit *limit = &call->limits[i];

        if (i > 0 && order[i].subject != order[i - 1].subject)
            name += strlen(name) + 1;
        copy_limit(limit, &request->limits[order[i].index], operation);
        limit->index = order[i].index;
        limit->subject = name;
        limit->tag = tag_of(limit);
    }
    join_fields(call);
    note_items_request(&call->notes, hiding, request, operation == CALL_CHARGE);
    return call;
}

struct call *call_new_note(struct note_items *items)
{
    char *text;
    struct call *call = allocate(CALL_NOTE, 0, 0, &text);

    call->notes = *items;
    return call;
}

struct call *call_new_bare(const struct subject_hiding *hiding, enum call_operation operation,
                           const char *subject)
{
    char name[SUBJECT_NAME_SIZE];

    (void)subject_name(hiding, subject, name);
    return call_new_raw(operation, name);
}

struct call *call_new_raw(enum call_operation operation, const char *name)
{
    char *text;
    struct call *call = allocate(operation, 0, strlen(name) + 1, &text);

    (void)stpcpy(text, name);
    call->subject = text;
    return call;
}

struct call *call_new_named(enum call_operation operation, const char *message,
                            const struct call_limit *limits, size_t nlimits)
{
    size_t room = strlen(message) + 1;
    struct call *call;
    char *text;

    for (size_t i = 0; i < nlimits; i++)
        room += strlen(limits[i].subject) + 1;
    call = allocate(operation, nlimits, room, &text);
    if (*message != '\0')
        call->message = text;
    text = stpcpy(text, message) + 1;
    for (size_t i = 0; i < nlimits; i++) {
        struct call_limit *limit = &call->limits[i];

        *limit = limits[i];
        limit->index = i;
        if (limits[i].codes != NULL) {
            limit->codes = mem_new(limit->ncodes + 1, sizeof(*limit->codes));
            mem_copy_bytes(limit->codes, limits[i].codes, limit->ncodes * sizeof(*limit->codes));
        }
        if (i > 0 && strcmp(limits[i].subject, limits[i - 1].subject) == 0) {
            limit->subject = limit[-1].subject;
        } else {
            limit->subject = text;
            text = stpcpy(text, limits[i].subject) + 1;
        }
        write_field(limit->field, limits[i].field[0], limit->window_sec);
        limit->tag = tag_of(limit);
    }
    join_fields(call);
    return call;
}

bool call_is_distinct(const struct call_limit *limit)
{
    return limit->field[0] == STORE_DISTINCT;
}

void call_hold(struct call *call)
{
    call->holders++;
}

void call_release(struct call *call)
{
    if (--call->holders > 0)
        return;
    for (size_t i = 0; i < call->nlimits; i++)
        free(call->limits[i].codes);
    note_items_free(&call->notes);
    note_answer_free(&call->note_answer);
    free(call);
}
