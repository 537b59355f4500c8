/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/message/wire.h"

#include "lib/base/count.h"
#include "lib/base/text.h"

#include <string.h>
#include <strings.h>

#define HIGH_BITS UINT64_C(0x8080808080808080)

static void end_line(struct wire *wire)
{
    if (wire->line > wire->longest)
        wire->longest = wire->line;
    wire->long_lines += wire->line > WIRE_LINE_MAX;
    wire->line = 0;
}

/* --- octets --------------------------------------------------------------------------- */

static bool has_high_bit(const char *bytes, size_t length)
{
    uint64_t word, seen = 0;

    for (; length >= sizeof(word); bytes += sizeof(word), length -= sizeof(word)) {
        memcpy(&word, bytes, sizeof(word));
        seen |= word;
    }
    for (; length > 0; bytes++, length--)
        seen |= (unsigned char)*bytes;
    return (seen & HIGH_BITS) != 0;
}

static uint64_t count_of(const char *bytes, size_t length, char octet)
{
    const char *end = bytes + length;
    uint64_t count = 0;

    while (bytes < end && (bytes = memchr(bytes, octet, (size_t)(end - bytes))) != NULL) {
        count++;
        bytes++;
    }
    return count;
}

static void look_at_octets(struct wire *wire, const char *bytes, size_t length)
{
    wire->eight_bit = wire->eight_bit || has_high_bit(bytes, length);
    wire->nuls += count_of(bytes, length, '\0');
}

/* --- what parts say of their encoding ------------------------------------------------- */

#define ENCODING "content-transfer-encoding"

/* Servers go by this word when they encode a part anew for a server that takes 7 bits only. */
static bool is_8bit(const char *value, size_t length)
{
    static const char *const words[] = {"8bit", "binary"};
    size_t begin = 0;

    while (begin < length && strchr(" \t\r\n\"", value[begin]) != NULL && value[begin] != '\0')
        begin++;
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (length - begin >= strlen(words[i]) &&
            strncasecmp(value + begin, words[i], strlen(words[i])) == 0)
            return true;
    return false;
}

/* Keeps the beginning of a line that may be such a header of a part. */
static void keep_head(struct wire *wire, const char *bytes, size_t length)
{
    size_t room = sizeof(wire->head) - wire->head_length;
    size_t kept = length < room ? length : room;

    if (length == 0 || (wire->head_length == 0 && (wire->line > 0 || (*bytes | 0x20) != 'c')))
        return;
    memcpy(wire->head + wire->head_length, bytes, kept);
    wire->head_length += kept;
}

static void read_head(struct wire *wire)
{
    const size_t name = strlen(ENCODING ":");

    if (wire->head_length > name && strncasecmp(wire->head, ENCODING ":", name) == 0 &&
        is_8bit(wire->head + name, wire->head_length - name))
        wire->encoded_8bit = true;
    wire->head_length = 0;
}

/* --- header fields -------------------------------------------------------------------- */

void wire_header(struct wire *wire, const char *name, const char *value, bool space)
{
    const char *line = value;
    size_t length = strlen(value);

    look_at_octets(wire, name, strlen(name));
    look_at_octets(wire, value, length);
    if (strcasecmp(name, ENCODING) == 0 && is_8bit(value, length))
        wire->encoded_8bit = true;
    wire->line = strlen(name) + sizeof(":") - 1 + space;
    for (const char *c; (c = strchr(line, '\n')) != NULL; line = c + 1) {
        const bool returned = c > line && c[-1] == '\r';

        wire->line += (uint64_t)(c - line) - returned;
        wire->bare_returns += count_of(line, (size_t)(c - line) - returned, '\r');
        wire->bare_feeds += c[1] != ' ' && c[1] != '\t'; /* else the value is folded there */
        end_line(wire);
    }
    wire->line += strlen(line);
    wire->bare_returns += count_of(line, strlen(line), '\r');
    end_line(wire);
}

/* --- the body ------------------------------------------------------------------------- */

/* The CR that ended the last piece is not followed by an LF. */
static void keep_return(struct wire *wire)
{
    wire->bare_returns += wire->after_return;
    wire->line += wire->after_return;
    wire->after_return = false;
}

/* An LF, and what stands before it in this piece. */
static void end_body_line(struct wire *wire, const char *line, size_t length)
{
    const bool returned = length > 0 ? line[length - 1] == '\r' : wire->after_return;
    const bool ends_with_return = length > 0 && returned;

    if (length > 0)
        keep_return(wire);
    keep_head(wire, line, length);
    read_head(wire);
    wire->bare_returns += count_of(line, length - ends_with_return, '\r');
    wire->bare_feeds += !returned;
    wire->line += length - ends_with_return;
    wire->after_return = false;
    end_line(wire);
}

static void begin_body_line(struct wire *wire, const char *line, size_t length)
{
    const bool returns = line[length - 1] == '\r';

    keep_return(wire);
    keep_head(wire, line, length);
    wire->bare_returns += count_of(line, length - returns, '\r');
    wire->line += length - returns;
    wire->after_return = returns;
}

void wire_body(struct wire *wire, const void *bytes, size_t length)
{
    const char *line = bytes, *end = line + length;

    look_at_octets(wire, line, length);
    while (line < end) {
        const char *feed = memchr(line, '\n', (size_t)(end - line));

        if (feed == NULL) {
            begin_body_line(wire, line, (size_t)(end - line));
            return;
        }
        end_body_line(wire, line, (size_t)(feed - line));
        line = feed + 1;
    }
}

void wire_end(struct wire *wire)
{
    keep_return(wire);
    read_head(wire);
    end_line(wire);
    wire->complete = true;
}

/* --- what follows from it ------------------------------------------------------------- */

char *wire_survival(const struct wire *wire)
{
    const struct {
        const char *name;
        bool applies;
    } risks[] = {
        {"line-998", wire->long_lines > 0},
        {"bare-cr", wire->bare_returns > 0},
        {"bare-lf", wire->bare_feeds > 0},
        {"nul", wire->nuls > 0},
        {"8bit", wire->eight_bit || wire->encoded_8bit},
    };
    struct text text = TEXT_EMPTY;

    for (size_t i = 0; i < COUNT_OF(risks); i++)
        if (risks[i].applies)
            text_print(&text, "%s%s", text.length > 0 ? "," : "at-risk:", risks[i].name);
    if (text.length == 0)
        text_add_string(&text, "likely");
    return text_take(&text);
}
