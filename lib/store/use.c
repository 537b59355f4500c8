/* SPDX-License-Identifier: BSD-2-Clause */
/* What one subject used up, in this process's memory. */
#include "lib/store/use.h"

#include "lib/base/mem.h"
#include "lib/store/call.h"

#include <stdlib.h>
#include <string.h>

struct said {
    int64_t max;
    int64_t slice; /* in which it was said last */
};

struct use_field {
    char name[CALL_FIELD_SIZE];
    uint16_t length;
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
    found->length = (uint16_t)length;
}

bool use_has(const struct use *use, const char *field)
{
    const struct use_field *found = find(use, field);

    return found != NULL && found->length > 0;
}

size_t use_bytes(const struct use *use, const char *field, uint8_t bytes_r[WINDOW_PACKED_MAX])
{
    const struct use_field *found = find(use, field);

    if (found == NULL)
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
