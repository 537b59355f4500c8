/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading the logical lines of Postfix' table files (postconf(5)'s rules, which all its tables
 * share). */
#include "lib/conf/table_lines.h"

#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

/* The next physical line, without its newline. */
static size_t take_line(struct table_lines *lines, const char **bytes_r)
{
    size_t left = (size_t)(lines->end - lines->next);
    const char *newline = memchr(lines->next, '\n', left);
    size_t length = newline != NULL ? (size_t)(newline - lines->next) : left;

    *bytes_r = lines->next;
    lines->next += length + (newline != NULL ? 1 : 0);
    lines->counted++;
    return length;
}

/* Whether a line says nothing: it is blank, or its first character that is not is '#'. */
static bool is_nothing(const char *bytes, size_t length)
{
    while (length > 0 && is_blank(*bytes)) {
        bytes++;
        length--;
    }
    return length == 0 || *bytes == '#';
}

static void add_trimmed(struct text *text, const char *bytes, size_t length)
{
    while (length > 0 && is_blank(bytes[length - 1]))
        length--;
    text_add(text, bytes, length);
}

bool table_lines_next(struct table_lines *lines, struct text *line_r)
{
    const char *bytes;
    size_t length;

    text_clear(line_r);
    do {
        if (lines->next >= lines->end)
            return false;
        length = take_line(lines, &bytes);
    } while (is_nothing(bytes, length));
    lines->line = lines->counted;
    while (length > 0 && is_blank(*bytes)) {
        bytes++;
        length--;
    }
    add_trimmed(line_r, bytes, length);
    /* What may continue the line begins with white space; what says nothing ends nothing. */
    while (lines->next < lines->end && strchr(" \t\r\f\v#\n", *lines->next) != NULL) {
        length = take_line(lines, &bytes);
        if (!is_nothing(bytes, length))
            add_trimmed(line_r, bytes, length);
    }
    return true;
}
