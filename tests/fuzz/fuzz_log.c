/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events of hostile values: every line, read back, holds the fields that were put in and no other.
 *
 * Input: the queue id up to a NUL, then fields: an octet for the type, one for the length, the
 * value.
 */
#include "lib/base/mem.h"
#include "lib/base/utf8.h"
#include "lib/log/log.h"
#include "tests/fuzz/fuzz.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#define FIELDS_MAX (LOG_FIELDS_MAX + 8)
#define VALUE_MAX 256

struct field {
    char name[8];
    char value[VALUE_MAX];
};

struct input {
    const uint8_t *bytes;
    size_t left;
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void require(bool holds, const char *what, const char *line)
{
    if (holds)
        return;
    (void)fprintf(stderr, "%s: %s\n", what, line);
    abort();
}

/* The next octets up to length or a NUL, as a string. */
static void take(struct input *input, size_t length, char value_r[VALUE_MAX])
{
    if (length > input->left)
        length = input->left;
    if (length > VALUE_MAX - 1)
        length = VALUE_MAX - 1;
    mem_copy_bytes(value_r, input->bytes, length);
    value_r[length] = '\0';
    input->bytes += length;
    input->left -= length;
}

static uint8_t take_octet(struct input *input)
{
    input->left--;
    return *input->bytes++;
}

static void add_field(struct log_event *event, struct input *input, struct field *field)
{
    uint8_t type = take_octet(input);
    size_t length = input->left > 0 ? take_octet(input) : 0;
    int64_t number = (int64_t)length * (type % 2 == 0 ? 1 : -1);

    take(input, length, field->value);
    switch (type % 4) {
    case 0:
    case 1:
        log_string(event, field->name, field->value);
        break;
    case 2:
        log_print(event, field->name, "%s", field->value);
        break;
    default:
        (void)snprintf(field->value, sizeof(field->value), "%" PRId64, number);
        log_number(event, field->name, number);
        break;
    }
}

/* Reads one value of a text line, undoing quotes and escapes; returns what stands behind it. */
static const char *read_value(const char *at, char value_r[LOG_LINE_MAX + 1])
{
    static const char names[] = "\"\\abfnrtv";
    static const char octets[] = "\"\\\a\b\f\n\r\t\v";
    size_t length = 0;

    if (*at != '"') {
        while (*at != ' ' && *at != '\0')
            value_r[length++] = *at++;
        value_r[length] = '\0';
        return at;
    }
    for (at++; *at != '"' && *at != '\0'; at++) {
        const char *name;

        if (*at != '\\') {
            value_r[length++] = *at;
            continue;
        }
        at++;
        name = *at != '\0' ? strchr(names, *at) : NULL;
        if (name != NULL) {
            value_r[length++] = octets[name - names];
        } else {
            require(strspn(at, "01234567") >= 3, "no escape", at);
            value_r[length++] = (char)((at[0] - '0') * 64 + (at[1] - '0') * 8 + (at[2] - '0'));
            at += 2;
        }
    }
    require(*at == '"', "open quotes", at);
    value_r[length] = '\0';
    return at + 1;
}

static void check_safe(const char *line)
{
    size_t left = strlen(line);

    require(left <= LOG_LINE_MAX, "too long", line);
    for (const char *at = line; left > 0;) {
        uint32_t code = 0;
        size_t octets = utf8_next(at, left, &code);

        require(octets > 0, "not UTF-8", line);
        require(code >= ' ' && (code < 0x7f || code > 0x9f) && code != 0x2028 && code != 0x2029,
                "control", line);
        at += octets;
        left -= octets;
    }
}

static void check_text(const char *line, const struct field *fields, size_t count)
{
    const char *at = strchr(line, ':');
    char value[LOG_LINE_MAX + 1];
    size_t seen = 0;

    check_safe(line);
    require(at != NULL && strcspn(line, " \"=") > (size_t)(at - line), "no queue id", line);
    require(strncmp(at, ": event=fuzz", 12) == 0, "no event", line);
    for (at += 12; *at != '\0'; seen++) {
        size_t name_length = strcspn(at, "=");

        require(*at == ' ' && at[name_length] == '=', "no field", line);
        if (strcmp(at, " truncated=yes") == 0)
            return;
        require(seen < count && strncmp(at + 1, fields[seen].name, name_length - 1) == 0 &&
                    fields[seen].name[name_length - 1] == '\0',
                "another field", line);
        at = read_value(at + name_length + 1, value);
        require(strcmp(value, fields[seen].value) == 0, "another value", line);
    }
    require(seen == count, "fields are missing", line);
}

static bool is_utf8(const char *string)
{
    size_t left = strlen(string);
    size_t octets;
    uint32_t code;

    for (; left > 0; left -= octets, string += octets) {
        octets = utf8_next(string, left, &code);
        if (octets == 0)
            return false;
    }
    return true;
}

static void check_json(const char *line, const struct field *fields, size_t count)
{
    json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
    size_t seen = 0;
    bool truncated;

    check_safe(line);
    require(json_is_object(object), "not JSON", line);
    truncated = json_object_get(object, "truncated") != NULL;
    require(json_is_string(json_object_get(object, "queue_id")), "no queue id", line);
    for (; seen < count; seen++) {
        const json_t *member = json_object_get(object, fields[seen].name);

        if (member == NULL)
            break;
        if (json_is_integer(member))
            require(json_integer_value(member) == strtoll(fields[seen].value, NULL, 10),
                    "another number", line);
        else if (is_utf8(fields[seen].value))
            require(strcmp(json_string_value(member), fields[seen].value) == 0, "another value",
                    line);
    }
    require(seen == count || truncated, "fields are missing", line);
    require(json_object_size(object) == seen + 2 + (truncated ? 1 : 0), "other members", line);
    json_decref(object);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static struct field fields[FIELDS_MAX];
    struct input input = {bytes, length};
    const uint8_t *end = length > 0 ? memchr(bytes, '\0', length) : NULL;
    char queue_id[VALUE_MAX];
    struct log_event event;
    size_t count = 0;
    char *line;

    take(&input, end != NULL ? (size_t)(end - bytes) : length, queue_id);
    if (input.left > 0)
        (void)take_octet(&input); /* the NUL, or what was too long */
    log_begin(&event, NULL, LOG_INFO, queue_id, "fuzz");
    for (; count < FIELDS_MAX && input.left > 0; count++) {
        (void)snprintf(fields[count].name, sizeof(fields[count].name), "f%zu", count);
        add_field(&event, &input, &fields[count]);
    }
    line = log_format(&event, LOG_FORMAT_TEXT);
    check_text(line, fields, count);
    free(line);
    line = log_format(&event, LOG_FORMAT_JSON);
    check_json(line, fields, count);
    free(line);
    return 0;
}
