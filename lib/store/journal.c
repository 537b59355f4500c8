/* SPDX-License-Identifier: BSD-2-Clause */
/* What was charged and given back while the store was away. */
#include "lib/store/journal.h"

#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "lib/store/journal_entry.h"
#include "lib/store/journal_file.h"

#include <stdlib.h>
#include <string.h>

/* When the file has grown to this and more than half of it is done with, it is written anew. */
#define REWRITE_SIZE ((size_t)4 << 20)

struct entry {
    uint8_t *bytes;
    size_t length;
    bool saved; /* in the file */
};

struct journal {
    struct entry *entries; /* a ring */
    size_t room, first, count, max;
    size_t octets; /* of all entries */
    size_t walked; /* while the file is written anew */
    struct journal_file *file; /* NULL: memory only */
    struct text text;
    char *problem;
};

static struct entry *entry_at(const struct journal *journal, size_t position)
{
    return &journal->entries[(journal->first + position) % journal->room];
}

static void make_room(struct journal *journal)
{
    size_t room = journal->room > 0 ? 2 * journal->room : 16;
    struct entry *entries;

    if (journal->count < journal->room)
        return;
    entries = mem_new(room, sizeof(*entries));
    for (size_t i = 0; i < journal->count; i++)
        entries[i] = *entry_at(journal, i);
    free(journal->entries);
    journal->entries = entries;
    journal->room = room;
    journal->first = 0;
}

static void keep(struct journal *journal, const uint8_t *bytes, size_t length, bool saved)
{
    struct entry *entry;

    make_room(journal);
    entry = entry_at(journal, journal->count++);
    entry->bytes = mem_new(length, 1);
    entry->length = length;
    entry->saved = saved;
    journal->octets += length;
    memcpy(entry->bytes, bytes, length);
}

/* Returns how many of them are in the file. */
static size_t forget(struct journal *journal, size_t count)
{
    size_t saved = 0;

    for (; count > 0 && journal->count > 0; count--) {
        struct entry *entry = entry_at(journal, 0);

        saved += entry->saved;
        journal->octets -= entry->length;
        free(entry->bytes);
        journal->first = (journal->first + 1) % journal->room;
        journal->count--;
    }
    return saved;
}

static void on_entry(void *context, const uint8_t *bytes, size_t length)
{
    keep(context, bytes, length, true);
}

static void on_done(void *context, uint64_t count)
{
    (void)forget(context, count);
}

struct journal *journal_open(const char *path, size_t entries_max, char **problem_r)
{
    struct journal *journal = mem_new(1, sizeof(*journal));

    journal->max = entries_max;
    if (path == NULL || *path == '\0' || entries_max == 0)
        return journal;
    journal->file = journal_file_open(path, on_entry, on_done, journal, problem_r);
    if (journal->file == NULL)
        journal_close(&journal);
    return journal;
}

void journal_close(struct journal **journal)
{
    if (*journal == NULL)
        return;
    (void)forget(*journal, (*journal)->count);
    journal_file_close(&(*journal)->file);
    text_free(&(*journal)->text);
    free((*journal)->entries);
    free((*journal)->problem);
    free(*journal);
    *journal = NULL;
}

static bool note(struct journal *journal, int error)
{
    free(journal->problem);
    journal->problem =
        error != 0 ? mem_print("the journal cannot be written: %s", strerror(error)) : NULL;
    return error == 0;
}

bool journal_add(struct journal *journal, enum call_operation operation, const struct call *call,
                 int64_t at_ms)
{
    const uint8_t *bytes;
    size_t length;
    bool saved = false;

    if (journal->count >= journal->max)
        return false;
    journal_entry_write(operation, call, at_ms, &journal->text);
    bytes = (const uint8_t *)journal->text.bytes;
    length = journal->text.length;
    if (journal->file != NULL)
        saved = note(journal, journal_file_add(journal->file, bytes, length));
    keep(journal, bytes, length, saved);
    return true;
}

size_t journal_count(const struct journal *journal)
{
    return journal->count;
}

size_t journal_max(const struct journal *journal)
{
    return journal->max;
}

struct call *journal_call(const struct journal *journal, size_t position)
{
    const struct entry *entry = entry_at(journal, position);

    return journal_entry_read(entry->bytes, entry->length);
}

static const uint8_t *next_entry(void *context, size_t *length_r)
{
    struct journal *journal = context;
    const struct entry *entry;

    if (journal->walked >= journal->count)
        return NULL;
    entry = entry_at(journal, journal->walked++);
    *length_r = entry->length;
    return entry->bytes;
}

/* Also the way back to a file that could not be written for a while. */
static void rewrite(struct journal *journal)
{
    journal->walked = 0;
    if (!note(journal, journal_file_rewrite(journal->file, next_entry, journal)))
        return;
    for (size_t i = 0; i < journal->count; i++)
        entry_at(journal, i)->saved = true;
}

void journal_done(struct journal *journal, size_t count)
{
    size_t saved = forget(journal, count);

    if (journal->file == NULL || count == 0)
        return;
    if (journal->count == 0)
        (void)note(journal, journal_file_clear(journal->file));
    else if (saved > 0)
        (void)note(journal, journal_file_add_done(journal->file, saved));
    if (journal_file_size(journal->file) > REWRITE_SIZE + 2 * journal->octets)
        rewrite(journal);
}

const char *journal_problem(const struct journal *journal)
{
    return journal->problem;
}
