/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/content/mime.h"

#include "lib/base/mem.h"
#include "lib/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_ROOM (MIME_BOUNDARY_MAX + 64) /* a delimiter with the white space behind it */

#define PLAIN "text/plain"
#define MESSAGE "message/rfc822"

/* What holds other parts. */
struct level {
    char *boundary; /* NULL: a message within the message */
    size_t boundary_length;
    size_t children;
    bool is_digest; /* its parts are messages where they do not say otherwise */
};

enum state {
    SKIPPING, /* before the first delimiter, behind the last one, or no more parts are read */
    IN_HEADER,
    IN_LEAF,
};

struct mime {
    struct mime_limits limits;
    const struct mime_events *events;
    void *context;
    struct level *levels; /* limits.nesting of them */
    size_t depth;
    size_t boundaries; /* levels that have one */
    size_t parts;
    bool stopped;
    enum state state;
    struct text header;
    size_t header_line; /* octets of its line so far, without the CR */
    bool header_cut;
    bool at_line_start;
    char line[LINE_ROOM]; /* of what may be a delimiter */
    size_t line_length;
    struct mime_flaw flaw;
};

/* --- flaws ---------------------------------------------------------------------------- */

/* The number of the part at hand: each multipart adds a digit. */
static void part_number(const struct mime *mime, size_t depth, char number_r[MIME_NUMBER_ROOM])
{
    size_t length = 0;

    number_r[0] = '\0';
    for (size_t i = 0; i < depth; i++) {
        int printed;

        if (mime->levels[i].boundary == NULL)
            continue;
        printed = snprintf(number_r + length, MIME_NUMBER_ROOM - length, "%s%zu",
                           length > 0 ? "." : "", mime->levels[i].children);
        if (printed < 0 || (size_t)printed >= MIME_NUMBER_ROOM - length)
            return;
        length += (size_t)printed;
    }
}

static void complain(struct mime *mime, size_t depth, char *problem, char *remedy)
{
    char number[MIME_NUMBER_ROOM];

    if (mime->flaw.problem != NULL) {
        free(problem);
        free(remedy);
        return;
    }
    part_number(mime, depth, number);
    mime->flaw = (struct mime_flaw){problem, mem_copy(number), remedy};
}

void mime_complain(struct mime *mime, char *problem, char *remedy)
{
    complain(mime, mime->depth, problem, remedy);
}

const struct mime_flaw *mime_flaw(const struct mime *mime)
{
    return &mime->flaw;
}

/* --- levels --------------------------------------------------------------------------- */

static bool push(struct mime *mime, const char *boundary, bool is_digest)
{
    struct level *level;

    if (mime->depth == mime->limits.nesting) {
        complain(mime, mime->depth,
                 mem_print("parts are nested over %zu levels deep", mime->limits.nesting),
                 mem_print("send it with fewer messages inside each other, or raise mime-nesting "
                           "(now %zu)",
                           mime->limits.nesting));
        return false;
    }
    level = &mime->levels[mime->depth++];
    *level = (struct level){.is_digest = is_digest};
    if (boundary != NULL) {
        level->boundary = mem_copy(boundary);
        level->boundary_length = strlen(boundary);
        mime->boundaries++;
    }
    return true;
}

static void end_leaf(struct mime *mime, bool delimited)
{
    if (mime->state == IN_LEAF)
        mime->events->end(mime->context, delimited);
    mime->state = SKIPPING;
}

/* The innermost level is over; closed: by its own delimiter. */
static void pop(struct mime *mime, bool closed)
{
    struct level *level = &mime->levels[mime->depth - 1];

    if (level->boundary != NULL) {
        mime->boundaries--;
        if (!closed && level->children == 0)
            complain(mime, mime->depth - 1,
                     mem_print("its boundary \"%s\" never comes", level->boundary),
                     mem_print("each part has to begin with a line \"--%s\"", level->boundary));
        else if (!closed)
            complain(mime, mime->depth - 1,
                     mem_print("its last boundary \"%s\" is missing", level->boundary),
                     mem_print("the last part has to end with a line \"--%s--\"; the message may "
                               "have been cut short",
                               level->boundary));
    }
    free(level->boundary);
    mime->depth--;
}

/* --- parts ---------------------------------------------------------------------------- */

static void begin_leaf(struct mime *mime, const struct mime_fields *fields)
{
    char number[MIME_NUMBER_ROOM];

    part_number(mime, mime->depth, number);
    mime->state = IN_LEAF;
    mime->events->begin(mime->context, fields, number[0] != '\0' ? number : "1");
}

static void begin_header(struct mime *mime)
{
    mime->state = IN_HEADER;
    mime->header_line = 0;
    mime->header_cut = false;
    text_clear(&mime->header);
}

static bool begin_multipart(struct mime *mime, const struct mime_fields *fields)
{
    if (fields->encoding == MIME_BASE64 || fields->encoding == MIME_QUOTED)
        complain(mime, mime->depth, mem_copy("a multipart is encoded as a whole"),
                 mem_copy("encode each part by itself (RFC 2045 section 6.4)"));
    if (fields->boundary[0] == '\0') {
        complain(mime, mime->depth, mem_print("%s has no boundary parameter", fields->type),
                 mem_print("write Content-Type: %s; boundary=\"...\"", fields->type));
        return false;
    }
    if (strlen(fields->boundary) > MIME_BOUNDARY_MAX) {
        complain(mime, mime->depth,
                 mem_print("its boundary has %zu octets", strlen(fields->boundary)),
                 mem_copy("use a boundary of at most 70 octets (RFC 2046 section 5.1.1)"));
        return false;
    }
    if (!push(mime, fields->boundary, strcmp(fields->type, "multipart/digest") == 0))
        return false;
    mime->state = SKIPPING;
    return true;
}

static bool is_message(const struct mime_fields *fields)
{
    return (strcmp(fields->type, MESSAGE) == 0 || strcmp(fields->type, "message/global") == 0) &&
           fields->encoding == MIME_IDENTITY;
}

/* The part's fields are known: is it one that holds others? */
static void begin_part(struct mime *mime, const struct mime_fields *fields)
{
    if (fields->problem != NULL)
        complain(mime, mime->depth, mem_copy(fields->problem),
                 mem_print("repair the header of the part (read as %s)", fields->type));
    if (++mime->parts > mime->limits.parts) {
        complain(mime, mime->depth, mem_print("it has more than %zu parts", mime->limits.parts),
                 mem_print("send it in several messages or as one archive, or raise mime-parts "
                           "(now %zu)",
                           mime->limits.parts));
        mime->stopped = true;
        mime->state = SKIPPING;
        return;
    }
    if (strncmp(fields->type, "multipart/", 10) == 0 && begin_multipart(mime, fields))
        return;
    if (is_message(fields) && push(mime, NULL, false))
        begin_header(mime);
    else
        begin_leaf(mime, fields);
}

static void header_done(struct mime *mime)
{
    const struct level *level = mime->depth > 0 ? &mime->levels[mime->depth - 1] : NULL;
    struct mime_fields fields;

    if (mime->header_cut)
        complain(mime, mime->depth,
                 mem_print("its header has more than %d octets", MIME_HEADER_MAX),
                 mem_copy("shorten the header of the part"));
    mime_fields_read(text_string(&mime->header), mime->header.length,
                     level != NULL && level->is_digest ? MESSAGE : PLAIN, &fields);
    begin_part(mime, &fields);
    mime_fields_clear(&fields);
}

/* --- lines ---------------------------------------------------------------------------- */

/* Octets of a header up to the end of its line; returns how many there are.  Parts that are read
 * end at the empty line. */
static size_t take_header(struct mime *mime, const char *bytes, size_t length)
{
    const char *newline = memchr(bytes, '\n', length);
    size_t used = newline != NULL ? (size_t)(newline - bytes) + 1 : length;

    for (size_t i = 0; i < used; i++)
        mime->header_line += bytes[i] != '\r' && bytes[i] != '\n';
    if (newline != NULL && mime->header_line == 0) {
        header_done(mime);
        return used;
    }
    if (newline != NULL)
        mime->header_line = 0;
    if (mime->header.length + used <= MIME_HEADER_MAX)
        text_add(&mime->header, bytes, used);
    else
        mime->header_cut = true;
    return used;
}

static void take(struct mime *mime, const char *bytes, size_t length)
{
    while (length > 0) {
        size_t used = length;

        if (mime->state == IN_LEAF)
            mime->events->octets(mime->context, bytes, length);
        else if (mime->state == IN_HEADER)
            used = take_header(mime, bytes, length);
        bytes += used;
        length -= used;
    }
}

/* The level whose delimiter the line is, counted from 1 (0: it is none); closes_r: its last one. */
static size_t delimited_level(const struct mime *mime, const char *line, size_t length,
                              bool *closes_r)
{
    while (length > 0 && strchr(" \t\r\n", line[length - 1]) != NULL)
        length--;
    if (length < 3)
        return 0;
    line += 2;
    length -= 2;
    for (size_t i = mime->depth; i-- > 0;) {
        const struct level *level = &mime->levels[i];
        size_t own = level->boundary_length;

        if (level->boundary == NULL || length < own || length > own + 2 || length == own + 1 ||
            memcmp(line, level->boundary, own) != 0)
            continue;
        *closes_r = length > own;
        if (length == own || memcmp(line + own, "--", 2) == 0)
            return i + 1;
    }
    return 0;
}

static void delimiter(struct mime *mime, size_t level, bool closes)
{
    if (mime->state == IN_HEADER)
        header_done(mime); /* a part without a body */
    end_leaf(mime, true);
    while (mime->depth > level)
        pop(mime, false);
    if (closes) {
        pop(mime, true);
        return;
    }
    mime->levels[level - 1].children++;
    if (!mime->stopped)
        begin_header(mime);
}

static void line_done(struct mime *mime)
{
    bool closes = false;
    size_t length = mime->line_length;
    size_t level = delimited_level(mime, mime->line, length, &closes);

    mime->line_length = 0;
    if (level > 0)
        delimiter(mime, level, closes);
    else
        take(mime, mime->line, length);
}

/* What stands at the beginning of a line, as long as it may be a delimiter; returns how many octets
 * were used. */
static size_t take_line_start(struct mime *mime, const char *bytes, size_t length)
{
    size_t used = 0;

    while (used < length) {
        char c = bytes[used];

        if (mime->line_length < 2 && c != '-')
            break;
        mime->line[mime->line_length++] = c;
        used++;
        if (c == '\n') {
            line_done(mime);
            return used;
        }
        if (mime->line_length == sizeof(mime->line))
            break;
    }
    if (used == length && mime->line_length < sizeof(mime->line))
        return used; /* the rest of the line is still to come */
    take(mime, mime->line, mime->line_length);
    mime->line_length = 0;
    mime->at_line_start = false;
    return used;
}

/* The octets before the next line that begins with a hyphen. */
static size_t before_hyphen(const char *bytes, size_t length)
{
    const char *end = bytes + length, *at = bytes + 1;

    while (at < end && (at = memchr(at, '-', (size_t)(end - at))) != NULL) {
        if (at[-1] == '\n')
            return (size_t)(at - bytes);
        at++;
    }
    return length;
}

void mime_body(struct mime *mime, const char *bytes, size_t length)
{
    while (length > 0 && !mime->stopped) {
        size_t used = length;

        if (mime->at_line_start) {
            used = take_line_start(mime, bytes, length);
        } else {
            if (mime->state != IN_LEAF || mime->boundaries > 0)
                used = before_hyphen(bytes, length);
            take(mime, bytes, used);
            mime->at_line_start = bytes[used - 1] == '\n';
        }
        bytes += used;
        length -= used;
    }
}

/* --- life ----------------------------------------------------------------------------- */

struct mime *mime_new(const struct mime_limits *limits, const struct mime_events *events,
                      void *context, const struct mime_fields *fields)
{
    struct mime *mime = mem_new(1, sizeof(*mime));

    mime->limits = *limits;
    if (mime->limits.nesting > MIME_NESTING_MOST)
        mime->limits.nesting = MIME_NESTING_MOST;
    mime->events = events;
    mime->context = context;
    mime->at_line_start = true;
    mime->levels = mem_new(mime->limits.nesting + 1, sizeof(*mime->levels));
    begin_part(mime, fields);
    return mime;
}

void mime_end(struct mime *mime)
{
    if (mime->line_length > 0)
        line_done(mime);
    if (mime->state == IN_HEADER && !mime->stopped)
        header_done(mime);
    end_leaf(mime, false);
    while (mime->depth > 0)
        pop(mime, false);
}

void mime_free(struct mime **mime)
{
    if (*mime == NULL)
        return;
    while ((*mime)->depth > 0)
        free((*mime)->levels[--(*mime)->depth].boundary);
    free((*mime)->levels);
    text_free(&(*mime)->header);
    free((*mime)->flaw.problem);
    free((*mime)->flaw.number);
    free((*mime)->flaw.remedy);
    free(*mime);
    *mime = NULL;
}
