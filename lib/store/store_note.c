/* SPDX-License-Identifier: BSD-2-Clause */
/* The front's calls that are about notes alone. */
#include "lib/store/store_note.h"

#include "lib/base/mem.h"
#include "lib/store/store_private.h"

#include <stdlib.h>
#include <string.h>

#define KEY_PREFIX "sluice:{"

void store_note_set(struct store *store, const struct store_note_change *change,
                    store_callback *callback, void *context)
{
    struct note_items items;

    note_items_change(&items, &store->hiding, change->replace ? NOTE_REPLACE : NOTE_SET, change);
    store_start(store, call_new_note(&items), callback, context);
}

void store_note_remove(struct store *store, const char *subject, const char *kind,
                       const char *const *fields, size_t nfields, store_callback *callback,
                       void *context)
{
    struct store_pair pairs[STORE_NOTE_FIELDS_MAX];
    struct store_note_change change = {.subject = subject, .kind = kind, .pairs = pairs};
    struct note_items items;

    for (; fields != NULL && change.npairs < nfields && change.npairs < STORE_NOTE_FIELDS_MAX;
         change.npairs++)
        pairs[change.npairs].name = fields[change.npairs];
    note_items_change(&items, &store->hiding, NOTE_REMOVE, &change);
    store_start(store, call_new_note(&items), callback, context);
}

/* --- changes made while the store is away --------------------------------------------------- */

static bool changes_notes(const struct call *call)
{
    return call->notes.nreads < call->notes.count;
}

void store_note_keep(struct store *store, const struct call *call)
{
    struct note_items items;

    if (store->closing || !store->mirrors || !changes_notes(call))
        return;
    if (store->nchanges == STORE_CHANGES_MAX) {
        call_release(store->changes[0]);
        memmove(store->changes, store->changes + 1, --store->nchanges * sizeof(store->changes[0]));
    }
    note_items_copy(&items, &call->notes);
    store->changes[store->nchanges++] = call_new_note(&items);
}

void store_note_bring(struct store *store)
{
    struct call *changes[STORE_CHANGES_MAX];
    size_t count = store->nchanges;

    memcpy(changes, store->changes, count * sizeof(changes[0]));
    store->nchanges = 0;
    for (size_t i = 0; i < count; i++) {
        changes[i]->brought = true;
        store_submit(store, changes[i]);
    }
}

void store_note_brought(struct store *store, struct call *call, enum backend_result result)
{
    if (result == BACKEND_UNSENT || result == BACKEND_UNCERTAIN)
        store_note_keep(store, call);
    call_release(call);
}

void store_note_forget(struct store *store)
{
    while (store->nchanges > 0)
        call_release(store->changes[--store->nchanges]);
}

/* --- all notes of a kind ---------------------------------------------------------------------- */

struct listing {
    struct store *store;
    char *kind;
    struct store_note_list list;
};

static void ask_page(struct listing *listing, const char *cursor);

/* "sluice:{user:alice@example.com}:flag" */
static void show(const struct listing *listing, const char *key, const struct store_pair *pairs,
                 size_t npairs)
{
    const struct store_note note = {pairs, npairs};
    const char *end = strrchr(key, '}');
    char *subject;

    if (strncmp(key, KEY_PREFIX, strlen(KEY_PREFIX)) != 0 || end == NULL || npairs == 0)
        return;
    key += strlen(KEY_PREFIX);
    subject = mem_copy_n(key, (size_t)(end - key));
    listing->list.show(subject, &note, listing->list.context);
    free(subject);
}

/* A name that is empty comes before a key's name, and before the first of them, the cursor. */
static void on_page(const struct store_answer *answer, void *context)
{
    struct listing *listing = context;
    const struct store_note *page = answer->notes;
    bool complete =
        answer->outcome == STORE_OUTCOME_DONE && answer->nnotes == 1 && page->npairs > 0;
    size_t next;

    for (size_t i = 1; complete && i < page->npairs; i = next) {
        next = i + 1;
        while (next < page->npairs && *page->pairs[next].name != '\0')
            next++;
        show(listing, page->pairs[i].value, &page->pairs[i + 1], next - i - 1);
    }
    if (complete && strcmp(page->pairs[0].value, "0") != 0) {
        ask_page(listing, page->pairs[0].value);
        return;
    }
    listing->list.done(complete, listing->list.context);
    free(listing->kind);
    free(listing);
}

static void ask_page(struct listing *listing, const char *cursor)
{
    struct note_items items;

    note_items_list(&items, listing->kind, cursor);
    store_start(listing->store, call_new_note(&items), on_page, listing);
}

void store_note_list(struct store *store, const char *kind, const struct store_note_list *list)
{
    struct listing *listing = mem_new(1, sizeof(*listing));

    *listing = (struct listing){store, mem_copy(kind), *list};
    ask_page(listing, "0");
}
