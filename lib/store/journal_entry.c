/* SPDX-License-Identifier: BSD-2-Clause */
/* A call as octets. */
#include "lib/store/journal_entry.h"

#include "lib/base/mem.h"
#include "lib/store/window.h"

#include <stdlib.h>
#include <string.h>

/* Where reading has come to; bad once anything did not fit. */
struct reader {
    const uint8_t *at, *end;
    bool bad;
};

static void add_number(struct text *text, size_t size, int64_t value)
{
    char bytes[8];

    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)((uint64_t)value >> (8 * i));
    text_add(text, bytes, size);
}

/* With its NUL, so that it can be read where it stands. */
static void add_name(struct text *text, const char *name)
{
    text_add(text, name, strlen(name) + 1);
}

void journal_entry_write(enum call_operation operation, const struct call *call, int64_t at_ms,
                         struct text *entry_r)
{
    text_clear(entry_r);
    add_number(entry_r, 1, operation);
    add_number(entry_r, 1, (int64_t)call->nlimits);
    add_number(entry_r, 6, at_ms);
    add_number(entry_r, 8, (int64_t)call->fingerprint);
    add_name(entry_r, call->message);
    for (size_t i = 0; i < call->nlimits; i++) {
        const struct call_limit *limit = &call->limits[i];

        add_name(entry_r, limit->first ? limit->subject : "");
        add_number(entry_r, 1, limit->field[0]);
        add_number(entry_r, 4, limit->window_sec);
        add_number(entry_r, 6, limit->amount);
        if (!call_is_distinct(limit))
            continue;
        add_number(entry_r, 2, (int64_t)limit->ncodes);
        for (size_t code = 0; code < limit->ncodes; code++)
            add_number(entry_r, 2, limit->codes[code]);
    }
}

static int64_t read_number(struct reader *reader, size_t size)
{
    uint64_t value = 0;

    if ((size_t)(reader->end - reader->at) < size) {
        reader->bad = true;
        return 0;
    }
    for (size_t i = size; i > 0; i--)
        value = value << 8 | reader->at[i - 1];
    reader->at += size;
    return (int64_t)value;
}

static const char *read_name(struct reader *reader)
{
    const char *name = (const char *)reader->at;
    const void *end = memchr(name, '\0', (size_t)(reader->end - reader->at));

    if (end == NULL || (const char *)end - name >= SUBJECT_NAME_SIZE) {
        reader->bad = true;
        return "";
    }
    reader->at = (const uint8_t *)end + 1;
    return name;
}

static void read_codes(struct reader *reader, struct call_limit *limit_r)
{
    size_t count = (size_t)read_number(reader, 2);

    if ((size_t)(reader->end - reader->at) < 2 * count)
        reader->bad = true;
    if (reader->bad)
        return;
    limit_r->ncodes = count;
    limit_r->codes = mem_new(count + 1, sizeof(*limit_r->codes));
    for (size_t i = 0; i < count; i++)
        limit_r->codes[i] = (uint16_t)read_number(reader, 2);
}

static void read_limit(struct reader *reader, const char *subject, enum call_operation operation,
                       struct call_limit *limit_r)
{
    const char *name = read_name(reader);

    memset(limit_r, 0, sizeof(*limit_r));
    limit_r->subject = *name != '\0' ? name : subject;
    limit_r->field[0] = (char)read_number(reader, 1);
    limit_r->window_sec = read_number(reader, 4);
    limit_r->amount = read_number(reader, 6);
    limit_r->max = operation == CALL_REPLAY ? WINDOW_COUNT_MAX : 0;
    if (call_is_distinct(limit_r))
        read_codes(reader, limit_r);
    reader->bad = reader->bad || *limit_r->subject == '\0' || limit_r->window_sec < 1 ||
                  limit_r->field[0] <= ' ' || limit_r->amount > CALL_AMOUNT_MAX;
}

struct call *journal_entry_read(const uint8_t *bytes, size_t length)
{
    struct reader reader = {bytes, bytes + length, false};
    enum call_operation operation = (enum call_operation)read_number(&reader, 1);
    size_t nlimits = (size_t)read_number(&reader, 1);
    int64_t at_ms = read_number(&reader, 6);
    uint64_t fingerprint = (uint64_t)read_number(&reader, 8);
    const char *message = read_name(&reader);
    struct call_limit limits[STORE_LIMITS_MAX];
    const char *subject = "";
    struct call *call = NULL;
    size_t read = 0;

    if ((operation != CALL_REPLAY && operation != CALL_RETURN) || nlimits > STORE_LIMITS_MAX)
        return NULL;
    for (; read < nlimits && !reader.bad; read++) {
        read_limit(&reader, subject, operation, &limits[read]);
        subject = limits[read].subject;
    }
    if (reader.bad || reader.at != reader.end)
        goto done;
    call = call_new_named(operation, message, limits, nlimits);
    call->fingerprint = fingerprint;
    call->at_ms = at_ms;
done:
    while (read > 0)
        free(limits[--read].codes);
    return call;
}
