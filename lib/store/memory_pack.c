/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory's contents as octets, and back. */
#include "lib/base/mem.h"
#include "lib/store/memory_private.h"
#include "lib/store/packed.h"

#include <string.h>

#define ENTRIES_MAX 100000 /* of a record that is read */

static void pack_record(const struct record *record, struct text *text)
{
    packed_number(text, 8, (int64_t)record->fingerprint);
    packed_number(text, 8, record->at_ms);
    packed_number(text, 8, record->given_back_ms);
    packed_number(text, 4, (int64_t)record->count);
    for (size_t i = 0; i < record->count; i++) {
        const struct record_entry *entry = &record->entries[i];

        packed_number(text, 8, (int64_t)entry->tag);
        packed_number(text, 8, entry->slice);
        packed_number(text, 8, entry->amount);
        packed_number(text, 8, entry->seen);
    }
}

static struct record *unpack_record(const char *bytes, size_t length)
{
    struct packed_reader reader = {bytes, bytes + length, false};
    struct record *record = mem_new(1, sizeof(*record));
    int64_t count;

    record->fingerprint = (uint64_t)packed_read_number(&reader, 8);
    record->at_ms = packed_read_number(&reader, 8);
    record->given_back_ms = packed_read_number(&reader, 8);
    count = packed_read_number(&reader, 4);
    for (int64_t i = 0; i < count && i < ENTRIES_MAX && !reader.bad; i++) {
        uint64_t tag = (uint64_t)packed_read_number(&reader, 8);
        int64_t slice = packed_read_number(&reader, 8);
        int64_t amount = packed_read_number(&reader, 8);

        record_add(record, tag, slice, amount, packed_read_number(&reader, 8));
    }
    if (!reader.bad && reader.at == reader.end)
        return record;
    record_free(record);
    return NULL;
}

bool memory_pack(const struct memory *memory, const struct memory_name *name, struct text *text,
                 int64_t *expires_ms_r)
{
    const struct record *record;
    const struct use *use;

    switch (name->table) {
    case MEMORY_USE:
        use = map_peek(memory->subjects, name->bytes, name->length);
        if (use == NULL)
            return false;
        *expires_ms_r = use->expires_ms;
        use_pack(use, text);
        return true;
    case MEMORY_RECORD:
        record = map_peek(memory->messages, name->bytes, name->length);
        if (record == NULL)
            return false;
        *expires_ms_r = record->at_ms + RECORD_LIFE_MS;
        pack_record(record, text);
        return true;
    case MEMORY_NOTE:
        return memory_notes_pack(memory->notes, name->bytes, name->bytes + strlen(name->bytes) + 1,
                                 text, expires_ms_r);
    }
    return false;
}

void memory_unpack(struct memory *memory, const struct memory_name *name, const char *bytes,
                   size_t length, int64_t expires_ms)
{
    struct record *record;
    struct use *use;

    switch (name->table) {
    case MEMORY_USE:
        use = use_unpack(bytes, length);
        if (use == NULL)
            break;
        use->expires_ms = expires_ms;
        use_free(map_put(memory->subjects, name->bytes, name->length, use));
        break;
    case MEMORY_RECORD:
        record = unpack_record(bytes, length);
        if (record != NULL)
            record_free(map_put(memory->messages, name->bytes, name->length, record));
        break;
    case MEMORY_NOTE:
        memory_notes_unpack(memory->notes, name->bytes, name->bytes + strlen(name->bytes) + 1,
                            bytes, length, expires_ms);
        break;
    }
}
