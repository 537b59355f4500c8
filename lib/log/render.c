/* SPDX-License-Identifier: BSD-2-Clause */
/* An event as one line: escaping, and cutting at a field. */
#include "lib/log/render.h"

#include "lib/base/utf8.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define TEXT_CUT " truncated=yes"
#define JSON_CUT ",\"truncated\":\"yes\""

struct line {
    char *bytes; /* LOG_LINE_MAX of them, and one for the NUL */
    size_t length;
    bool over; /* something did not fit; the length is not to be trusted */
};

static void add(struct line *line, const char *bytes, size_t length)
{
    if (line->over || length > LOG_LINE_MAX - line->length) {
        line->over = true;
        return;
    }
    memcpy(line->bytes + line->length, bytes, length);
    line->length += length;
}

static void add_string(struct line *line, const char *string)
{
    add(line, string, strlen(string));
}

static bool is_plain(unsigned char octet)
{
    return octet > ' ' && octet < 0x7f && octet != '"' && octet != '=' && octet != '\\';
}

/* Characters that a viewer may take for a line's end, or that change how the rest of it looks:
 * controls, line and paragraph separators, and what reverses the direction of writing. */
static bool is_unsafe(uint32_t code)
{
    return utf8_is_control(code) || (code >= 0x2028 && code <= 0x202e) ||
           (code >= 0x2066 && code <= 0x2069);
}

/* One octet as a C escape. */
static void add_escaped(struct line *line, unsigned char octet)
{
    static const char named[] = "\"\\\a\b\f\n\r\t\v";
    static const char names[] = "\"\\abfnrtv";
    const char *at = octet != '\0' ? strchr(named, octet) : NULL;
    char escape[8];

    if (at != NULL)
        (void)snprintf(escape, sizeof(escape), "\\%c", names[at - named]);
    else
        (void)snprintf(escape, sizeof(escape), "\\%03o", octet);
    add_string(line, escape);
}

static void add_quoted(struct line *line, const char *value, size_t length)
{
    add(line, "\"", 1);
    while (length > 0) {
        uint32_t code = 0;
        size_t octets = utf8_next(value, length, &code);
        bool escaped = octets == 0 || is_unsafe(code) || code == '"' || code == '\\';

        if (octets == 0)
            octets = 1;
        if (escaped)
            for (size_t i = 0; i < octets; i++)
                add_escaped(line, (unsigned char)value[i]);
        else
            add(line, value, octets);
        value += octets;
        length -= octets;
    }
    add(line, "\"", 1);
}

/* Whether the value can stand without quotes: nothing that separates, none of is_unsafe(). */
static bool stands_alone(const char *value, size_t length)
{
    if (length == 0)
        return false;
    while (length > 0) {
        uint32_t code;
        size_t octets = 1;

        if (!is_plain((unsigned char)*value)) {
            octets = utf8_next(value, length, &code);
            if (octets < 2 || is_unsafe(code))
                return false;
        }
        value += octets;
        length -= octets;
    }
    return true;
}

static void add_text_field(struct line *line, const char *name, const char *value, size_t length,
                           bool bare)
{
    add(line, " ", 1);
    add_string(line, name);
    add(line, "=", 1);
    if (bare || stands_alone(value, length))
        add(line, value, length);
    else
        add_quoted(line, value, length);
}

/* Jansson takes UTF-8 only: each octet that is none becomes U+FFFD. */
static json_t *json_of(const char *value, size_t length)
{
    char valid[3 * LOG_LINE_MAX];
    size_t valid_length = 0;

    while (length > 0) {
        uint32_t code;
        size_t octets = utf8_next(value, length, &code);

        memcpy(valid + valid_length, octets > 0 ? value : "\xef\xbf\xbd", octets > 0 ? octets : 3);
        valid_length += octets > 0 ? octets : 3;
        octets = octets > 0 ? octets : 1;
        value += octets;
        length -= octets;
    }
    return json_stringn_nocheck(valid, valid_length);
}

/* Everything beyond ASCII is written as \u escapes, so that no character can end a line or turn its
 * direction, and so is DEL, the one control that JSON lets stand. */
static void add_json_string(struct line *line, const char *value, size_t length)
{
    char quoted[6 * LOG_LINE_MAX + 2];
    json_t *string = json_of(value, length);
    size_t left = json_dumpb(string, quoted, sizeof(quoted), JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
    const char *at = quoted;
    const char *delete;

    json_decref(string);
    if (left == 0 || left > sizeof(quoted)) { /* Jansson found no memory */
        line->over = true;
        return;
    }
    while ((delete = memchr(at, 0x7f, left)) != NULL) {
        add(line, at, (size_t)(delete - at));
        add_string(line, "\\u007F");
        left -= (size_t)(delete + 1 - at);
        at = delete + 1;
    }
    add(line, at, left);
}

static void add_json_field(struct line *line, const char *name, const char *value, size_t length,
                           bool bare)
{
    add(line, ",\"", 2);
    add_string(line, name);
    add(line, "\":", 2);
    if (bare)
        add(line, value, length);
    else
        add_json_string(line, value, length);
}

static const struct shape {
    const char *start;
    const char *after_queue_id;
    void (*add_field)(struct line *line, const char *name, const char *value, size_t length,
                      bool bare);
    const char *cut;
    const char *end;
} shapes[] = {
    [LOG_FORMAT_TEXT] = {"", ":", add_text_field, TEXT_CUT, ""},
    [LOG_FORMAT_JSON] = {"{\"queue_id\":\"", "\"", add_json_field, JSON_CUT, "}"},
};

size_t render_event(const struct log_event *event, enum log_format format,
                    char line_r[LOG_LINE_MAX + 1])
{
    const struct shape *shape = &shapes[format];
    size_t end = strlen(shape->end);
    size_t cut = strlen(shape->cut) + end;
    struct line line = {.bytes = line_r};
    size_t good; /* where the line can be cut so that both the cut's mark and the end fit */

    add_string(&line, shape->start);
    add_string(&line, event->queue_id); /* made harmless by log_begin() */
    add_string(&line, shape->after_queue_id);
    good = line.length;
    for (size_t i = 0; i < event->nfields && !line.over; i++) {
        const struct log_field *field = &event->fields[i];

        shape->add_field(&line, field->name, event->values + field->at, field->length, field->bare);
        if (!line.over && line.length + cut <= LOG_LINE_MAX)
            good = line.length;
    }
    if (line.over || event->truncated || line.length + end > LOG_LINE_MAX) {
        line.over = false;
        line.length = good;
        add_string(&line, shape->cut);
    }
    add_string(&line, shape->end);
    line_r[line.length] = '\0';
    return line.length;
}
