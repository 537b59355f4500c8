/* SPDX-License-Identifier: BSD-2-Clause */
/* What one subject used up, in this process's memory. */
#include "lib/store/use.h"

#include "lib/base/mem.h"
#include "lib/store/call.h"
#include "lib/store/packed.h"

#include <stdlib.h>
#include <string.h>

struct said {
    int64_t max;
    int64_t slice; /* in which it was said last */
};

struct use_field {
    char name[CALL_FIELD_SIZE];
    uint32_t length;
    uint16_t nsaid;
    uint8_t *bytes;
    struct said *said;
};

struct use *use_new(void)
{
    return mem_new(1, sizeof(struct use));
}

void use_free(struct use *use)
{
    if (use == NULL)
        return;
    for (size_t i = 0; i < use->count; i++) {
        free(use->fields[i].bytes);
        free(use->fields[i].said);
    }
    free(use->fields);
    free(use);
}

static struct use_field *find(const struct use *use, const char *field)
{
    for (size_t i = 0; use != NULL && i < use->count; i++)
        if (strcmp(use->fields[i].name, field) == 0)
            return &use->fields[i];
    return NULL;
}

static struct use_field *find_or_add(struct use *use, const char *field)
{
    struct use_field *found = find(use, field);

    if (found != NULL)
        return found;
    use->fields = mem_grow(use->fields, use->count + 1, sizeof(*use->fields));
    found = &use->fields[use->count++];
    memset(found, 0, sizeof(*found));
    memcpy(found->name, field, strlen(field) + 1);
    return found;
}

void use_read(const struct use *use, const char *field, struct window *window_r)
{
    const struct use_field *found = find(use, field);

    (void)window_unpack(found != NULL ? found->bytes : NULL, found != NULL ? found->length : 0,
                        window_r);
}

void use_write(struct use *use, const char *field, const struct window *window)
{
    struct use_field *found = find_or_add(use, field);
    uint8_t bytes[WINDOW_PACKED_MAX];
    size_t length = window_pack(window, bytes);

    if (length != found->length)
        found->bytes = mem_grow(found->bytes, length, 1);
    memcpy(found->bytes, bytes, length);
    found->length = (uint32_t)length;
}

struct sketch *use_sketch(const struct use *use, const char *field, int64_t current)
{
    const struct use_field *found = find(use, field);

    return sketch_new(found != NULL ? found->bytes : NULL, found != NULL ? found->length : 0,
                      current);
}

void use_write_sketch(struct use *use, const char *field, const struct sketch *sketch)
{
    struct use_field *found = find_or_add(use, field);
    size_t length;
    uint8_t *bytes = sketch_pack(sketch, &length);

    free(found->bytes);
    found->bytes = bytes;
    found->length = (uint32_t)length;
}

bool use_has(const struct use *use, const char *field)
{
    const struct use_field *found = find(use, field);

    return found != NULL && found->length > 0;
}

size_t use_bytes(const struct use *use, const char *field, uint8_t bytes_r[WINDOW_PACKED_MAX])
{
    const struct use_field *found = find(use, field);

    if (found == NULL || found->length > WINDOW_PACKED_MAX)
        return 0;
    mem_copy_bytes(bytes_r, found->bytes, found->length);
    return found->length;
}

void use_keep(struct use *use, int64_t now_ms, int64_t window_sec)
{
    /* The window and two slices, as charge.lua has it. */
    int64_t expires_ms = now_ms + window_sec * 1034;

    if (expires_ms > use->expires_ms)
        use->expires_ms = expires_ms;
}

bool use_say_near(struct use *use, const char *field, int64_t max, int64_t slice)
{
    struct use_field *found = find_or_add(use, field);
    struct said *said;
    size_t i = 0;
    bool say;

    while (i < found->nsaid && found->said[i].max != max)
        i++;
    if (i == found->nsaid) {
        found->said = mem_grow(found->said, found->nsaid + 1u, sizeof(*said));
        found->said[found->nsaid++] = (struct said){max, slice};
        return true;
    }
    said = &found->said[i];
    say = slice - said->slice > WINDOW_SLICES || said->slice - slice > WINDOW_SLICES;
    if (say)
        said->slice = slice;
    return say;
}

void use_pack(const struct use *use, struct text *text)
{
    packed_number(text, 4, (int64_t)use->count);
    for (size_t i = 0; i < use->count; i++) {
        const struct use_field *field = &use->fields[i];

        packed_name(text, field->name);
        packed_bytes(text, field->bytes, field->length);
        packed_number(text, 2, field->nsaid);
        for (size_t k = 0; k < field->nsaid; k++) {
            packed_number(text, 8, field->said[k].max);
            packed_number(text, 8, field->said[k].slice);
        }
    }
}

static void unpack_field(struct use *use, struct packed_reader *reader)
{
    const char *name = packed_read_name(reader);
    size_t length = (size_t)packed_read_number(reader, 4);
    const char *bytes = packed_read_bytes(reader, length);
    size_t nsaid = (size_t)packed_read_number(reader, 2);
    struct use_field *field;

    if (reader->bad || strlen(name) >= CALL_FIELD_SIZE || length > SKETCH_PACKED_MAX) {
        reader->bad = true;
        return;
    }
    field = find_or_add(use, name);
    field->bytes = mem_grow(field->bytes, length, 1);
    mem_copy_bytes(field->bytes, bytes, length);
    field->length = (uint32_t)length;
    field->said = mem_grow(field->said, nsaid, sizeof(*field->said));
    field->nsaid = (uint16_t)nsaid;
    for (size_t i = 0; i < nsaid; i++) {
        field->said[i].max = packed_read_number(reader, 8);
        field->said[i].slice = packed_read_number(reader, 8);
    }
}

struct use *use_unpack(const char *bytes, size_t length)
{
    struct packed_reader reader = {bytes, bytes + length, false};
    struct use *use = use_new();

    for (int64_t count = packed_read_number(&reader, 4); count > 0 && !reader.bad; count--)
        unpack_field(use, &reader);
    if (!reader.bad && reader.at == reader.end)
        return use;
    use_free(use);
    return NULL;
}
