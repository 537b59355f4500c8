/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/log/record.h"

#include "lib/base/mem.h"
#include "lib/base/text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define QUEUE_ID_MAX 64

/* What is left of a line. */
struct rest {
    const char *at, *end;
};

static bool is_octal(char c)
{
    return c >= '0' && c <= '7';
}

/* The octet that a C escape stands for; at is behind the backslash. */
static char take_escape(struct rest *rest)
{
    static const char letters[] = "abfnrtv", octets[] = "\a\b\f\n\r\t\v";
    const char *letter;
    unsigned value = 0;

    if (is_octal(*rest->at)) {
        for (int i = 0; i < 3 && rest->at < rest->end && is_octal(*rest->at); i++)
            value = value * 8 + (unsigned)(*rest->at++ - '0');
        return (char)value;
    }
    letter = *rest->at != '\0' ? strchr(letters, *rest->at) : NULL;
    if (letter == NULL)
        return *rest->at++;
    rest->at++;
    return octets[letter - letters];
}

/* "..." with escapes; at is behind the first quote.  false: it has no end. */
static bool take_quoted(struct rest *rest, struct text *value)
{
    while (rest->at < rest->end && *rest->at != '"') {
        char c = *rest->at++;

        if (c == '\\') {
            if (rest->at == rest->end)
                return false;
            c = take_escape(rest);
        }
        /* Strings end at one, and no value of ours has any. */
        if (c == '\0')
            return false;
        text_add_char(value, c);
    }
    if (rest->at == rest->end)
        return false;
    rest->at++;
    return true;
}

static bool is_name(const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (strchr("abcdefghijklmnopqrstuvwxyz0123456789-_", bytes[i]) == NULL || bytes[i] == '\0')
            return false;
    return length > 0;
}

static void add_field(struct log_record *record, const char *name, size_t length, const char *value)
{
    char *copy = mem_copy_n(name, length);

    strings_add(&record->names, copy);
    strings_add(&record->values, value);
    free(copy);
}

/* One " name=value". */
static bool take_field(struct rest *rest, struct log_record *record, struct text *value)
{
    const char *name;
    const char *equal;
    const char *stop;

    if (*rest->at != ' ')
        return false;
    name = ++rest->at;
    equal = memchr(name, '=', (size_t)(rest->end - name));
    if (equal == NULL || !is_name(name, (size_t)(equal - name)))
        return false;
    text_clear(value);
    rest->at = equal + 1;
    if (rest->at < rest->end && *rest->at == '"') {
        rest->at++;
        if (!take_quoted(rest, value))
            return false;
    } else {
        stop = memchr(rest->at, ' ', (size_t)(rest->end - rest->at));
        if (stop == NULL)
            stop = rest->end;
        if (memchr(rest->at, '\0', (size_t)(stop - rest->at)) != NULL)
            return false;
        text_add(value, rest->at, (size_t)(stop - rest->at));
        rest->at = stop;
    }
    add_field(record, name, (size_t)(equal - name), text_string(value));
    return true;
}

static bool read_text(const char *bytes, size_t length, struct log_record *record)
{
    const char *colon = memchr(bytes, ':', length < QUEUE_ID_MAX ? length : QUEUE_ID_MAX);
    struct rest rest = {colon != NULL ? colon + 1 : bytes, bytes + length};
    struct text value = TEXT_EMPTY;
    bool done =
        colon != NULL && colon > bytes && memchr(bytes, ' ', (size_t)(colon - bytes)) == NULL;

    while (done && rest.at < rest.end && record->names.count < LOG_RECORD_FIELDS_MAX)
        done = take_field(&rest, record, &value);
    text_free(&value);
    done = done && record->names.count > 0 && strcmp(record->names.items[0], "event") == 0;
    if (done)
        record->queue_id = mem_copy_n(bytes, (size_t)(colon - bytes));
    return done;
}

static bool read_json(const char *bytes, size_t length, struct log_record *record)
{
    json_t *object = json_loadb(bytes, length, 0, NULL);
    const char *name;
    json_t *value;

    json_object_foreach(object, name, value)
    {
        char *number = NULL;

        if (record->names.count == LOG_RECORD_FIELDS_MAX)
            break;
        if (json_is_integer(value))
            number = mem_print("%lld", (long long)json_integer_value(value));
        if (json_is_string(value) || number != NULL)
            add_field(record, name, strlen(name),
                      number != NULL ? number : json_string_value(value));
        free(number);
    }
    json_decref(object);
    record->queue_id = mem_copy(log_record_value(record, "queue_id"));
    return record->queue_id != NULL;
}

bool log_record_read(const char *bytes, size_t length, struct log_record *record_r)
{
    bool done;

    memset(record_r, 0, sizeof(*record_r));
    if (length == 0 || length > LOG_RECORD_MAX)
        return false;
    done = *bytes == '{' ? read_json(bytes, length, record_r) : read_text(bytes, length, record_r);
    if (!done)
        log_record_clear(record_r);
    return done;
}

void log_record_clear(struct log_record *record)
{
    free(record->queue_id);
    record->queue_id = NULL;
    strings_free(&record->names);
    strings_free(&record->values);
}

const char *log_record_value(const struct log_record *record, const char *name)
{
    for (size_t i = 0; i < record->names.count; i++)
        if (strcmp(record->names.items[i], name) == 0)
            return record->values.items[i];
    return NULL;
}

int64_t log_record_number(const struct log_record *record, const char *name, int64_t otherwise)
{
    const char *value = log_record_value(record, name);
    int64_t number;

    if (value == NULL || !text_number(value, strlen(value), &number))
        return otherwise;
    return number;
}
