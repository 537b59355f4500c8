/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Notes in a cluster: each is a key, and a part of its own.
 *
 * Marks are made when all have taken the charge, and nobody waits for them.  A list goes from node
 * to node: its cursor is "number of the node:cursor of the node".
 */
#include "lib/store/cluster_private.h"

#include "lib/base/mem.h"
#include "lib/base/text.h"

#include <stdlib.h>
#include <string.h>

static bool is_mark(const struct note_item *item)
{
    return item->action == NOTE_MARK;
}

size_t cluster_note_parts(const struct call *call)
{
    size_t count = 0;

    for (size_t i = 0; i < call->notes.count; i++)
        count += !is_mark(&call->notes.items[i]);
    return count;
}

bool cluster_lists(const struct call *call)
{
    return call->notes.count == 1 && call->notes.items[0].action == NOTE_LIST;
}

/* The primary with that number, in the order in which they became known. */
static struct cluster_node *primary(const struct cluster *cluster, int64_t number)
{
    for (size_t i = 0; i < cluster->nnodes; i++)
        if (cluster->nodes[i]->slots > 0 && number-- == 0)
            return cluster->nodes[i];
    return NULL;
}

static void cursor_of(const struct call *call, int64_t *number_r, char **rest_r)
{
    struct note_reader reader;
    struct note_part part = {"", 0};
    const char *colon;

    note_reader_start(&reader, &call->notes.items[0]);
    (void)note_reader_part(&reader, &part);
    colon = memchr(part.bytes, ':', part.length);
    *number_r = 0;
    if (colon == NULL || !text_number(part.bytes, (size_t)(colon - part.bytes), number_r)) {
        *rest_r = mem_copy("0");
        return;
    }
    *rest_r = mem_copy_n(colon + 1, part.length - (size_t)(colon + 1 - part.bytes));
}

static void split_list(struct split *split, const struct call *call)
{
    struct note_items items;
    struct cluster_node *node;
    struct call *page;
    int64_t number;
    char *rest;

    cursor_of(call, &number, &rest);
    note_items_list(&items, call->notes.items[0].kind, rest);
    free(rest);
    node = primary(split->cluster, number);
    page = call_new_note(&items);
    page->subject = node != NULL ? node->redis->probe : "";
    cluster_set_part(split, 0, page, page->subject);
    split->parts[0].target = node;
    split->parts[0].first = (size_t)number;
}

void cluster_split_notes(struct split *split, const struct call *call, size_t part)
{
    if (cluster_lists(call)) {
        split_list(split, call);
        return;
    }
    for (size_t i = 0; i < call->notes.count; i++) {
        const struct note_item *item = &call->notes.items[i];
        struct note_items items;
        struct call *its;

        if (is_mark(item))
            continue;
        note_items_pick(&items, &call->notes, i);
        its = call_new_note(&items);
        cluster_set_part(split, part++, its, item->subject);
    }
}

static void add_page(const struct split *split, const struct store_note *note, struct text *answer)
{
    size_t start = note_answer_start(answer);
    int64_t number = (int64_t)split->parts[0].first;
    struct text cursor = TEXT_EMPTY;

    for (size_t i = 0; i < note->npairs; i++) {
        const char *value = note->pairs[i].value;

        if (i == 0 && strcmp(value, "0") != 0)
            text_print(&cursor, "%lld:%s", (long long)number, value);
        else if (i == 0 && primary(split->cluster, number + 1) != NULL)
            text_print(&cursor, "%lld:0", (long long)number + 1);
        if (i == 0 && cursor.length > 0)
            value = text_string(&cursor);
        note_answer_string(answer, start, note->pairs[i].name, strlen(note->pairs[i].name));
        note_answer_string(answer, start, value, strlen(value));
    }
    text_free(&cursor);
}

static void add_note(const struct store_note *note, struct text *answer)
{
    size_t start = note_answer_start(answer);

    for (size_t i = 0; i < note->npairs; i++) {
        const struct store_pair *pair = &note->pairs[i];

        note_answer_string(answer, start, pair->name, strlen(pair->name));
        note_answer_string(answer, start, pair->value, strlen(pair->value));
    }
}

void cluster_join_notes(struct split *split)
{
    struct call *call = split->call;
    struct text answer = TEXT_EMPTY;

    for (size_t i = 0; i < split->count; i++) {
        const struct note_answer *its = &split->parts[i].call->note_answer;

        if (its->count == 1 && cluster_lists(call))
            add_page(split, &its->notes[0], &answer);
        else if (its->count == 1)
            add_note(&its->notes[0], &answer);
    }
    (void)note_answer_read(&call->note_answer, text_string(&answer), answer.length,
                           call->notes.nreads);
    text_free(&answer);
}

void cluster_make_marks(struct cluster *cluster, const struct call *call)
{
    size_t count = call->notes.count - cluster_note_parts(call);
    struct split *split;

    if (count == 0 || call->operation != CALL_CHARGE || call->refused || cluster->closing)
        return;
    split = cluster_split_new(cluster, NULL, count);
    for (size_t i = 0, part = 0; i < call->notes.count; i++) {
        struct note_items items;
        struct call *its;

        if (!is_mark(&call->notes.items[i]))
            continue;
        note_items_pick(&items, &call->notes, i);
        its = call_new_note(&items);
        its->operation = CALL_CHARGE;
        its->at_ms = call->at_ms;
        cluster_set_part(split, part, its, call->notes.items[i].subject);
        split->parts[part++].reserve.mode = call->known ? CALL_KEEP : CALL_PLAIN;
    }
    cluster_send(split);
}
