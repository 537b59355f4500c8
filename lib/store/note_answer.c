/* SPDX-License-Identifier: BSD-2-Clause */
/* What was answered about notes. */
#include "lib/base/mem.h"
#include "lib/store/note.h"

#include <stdlib.h>
#include <string.h>

#define COUNT_SIZE 4
#define LENGTH_SIZE 2

/* Where reading has come to. */
struct answer_reader {
    const char *at, *end;
    bool bad;
};

static size_t read_number(struct answer_reader *reader, size_t size)
{
    size_t value = 0;

    if (reader->bad || (size_t)(reader->end - reader->at) < size) {
        reader->bad = true;
        return 0;
    }
    for (size_t i = size; i > 0; i--)
        value = value << 8 | (uint8_t)reader->at[i - 1];
    reader->at += size;
    return value;
}

static struct note_part read_string(struct answer_reader *reader)
{
    size_t length = read_number(reader, LENGTH_SIZE);
    struct note_part part = {reader->at, length};

    if (reader->bad || (size_t)(reader->end - reader->at) < length) {
        reader->bad = true;
        return (struct note_part){reader->end, 0};
    }
    reader->at += length;
    return part;
}

/* Every string is as long in memory, with its NUL, as the answer has it with its length: none
 * needs more room than the answer does. */
static const char *keep_string(char **to, struct note_part part)
{
    char *string = *to;

    mem_copy_bytes(string, part.bytes, part.length);
    string[part.length] = '\0';
    *to += part.length + 1;
    return string;
}

/* The number of pairs in all notes; the reader comes to the answer's end, or is bad. */
static size_t count_pairs(struct answer_reader *reader, size_t count)
{
    size_t pairs = 0;

    for (size_t i = 0; i < count && !reader->bad; i++) {
        size_t strings = read_number(reader, COUNT_SIZE);

        for (size_t s = 0; s < strings && !reader->bad; s++)
            (void)read_string(reader);
        reader->bad = reader->bad || strings % 2 != 0;
        pairs += strings / 2;
    }
    reader->bad = reader->bad || reader->at != reader->end;
    return pairs;
}

bool note_answer_read(struct note_answer *answer_r, const char *bytes, size_t length, size_t count)
{
    struct answer_reader reader = {bytes, bytes + length, false};
    size_t npairs = count_pairs(&reader, count);
    struct store_pair *pair;
    char *at;

    if (reader.bad)
        return false;
    note_answer_free(answer_r);
    if (count == 0)
        return true;
    answer_r->memory = mem_new(1, count * sizeof(struct store_note) +
                                      npairs * sizeof(struct store_pair) + length + 1);
    answer_r->notes = (struct store_note *)(void *)answer_r->memory;
    answer_r->count = count;
    pair = (struct store_pair *)(void *)(answer_r->notes + count);
    at = (char *)(pair + npairs);
    reader.at = bytes;
    for (size_t i = 0; i < count; i++) {
        struct store_note *note = &answer_r->notes[i];

        *note = (struct store_note){pair, read_number(&reader, COUNT_SIZE) / 2};
        for (size_t p = 0; p < note->npairs; p++, pair++) {
            pair->name = keep_string(&at, read_string(&reader));
            pair->value = keep_string(&at, read_string(&reader));
        }
    }
    return true;
}

void note_answer_free(struct note_answer *answer)
{
    free(answer->memory);
    memset(answer, 0, sizeof(*answer));
}

size_t note_answer_start(struct text *answer)
{
    static const char none[COUNT_SIZE] = {0};
    size_t start = answer->length;

    text_add(answer, none, COUNT_SIZE);
    return start;
}

void note_answer_string(struct text *answer, size_t start, const char *bytes, size_t length)
{
    char size[LENGTH_SIZE] = {(char)(length & 0xff), (char)(length >> 8 & 0xff)};

    /* The count is a little-endian number: one more. */
    for (size_t i = 0; i < COUNT_SIZE && ++answer->bytes[start + i] == 0; i++)
        continue;
    text_add(answer, size, LENGTH_SIZE);
    text_add(answer, bytes, length);
}

const char *store_note_value(const struct store_note *note, const char *name)
{
    for (size_t i = 0; i < note->npairs; i++)
        if (strcmp(note->pairs[i].name, name) == 0)
            return note->pairs[i].value;
    return NULL;
}
