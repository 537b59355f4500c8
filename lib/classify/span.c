/* SPDX-License-Identifier: BSD-2-Clause */
/* A stretch of somebody else's text. */
#include "lib/classify/span.h"

#include <string.h>
#include <strings.h>

struct span span_of(const char *string)
{
    return (struct span){string, strlen(string)};
}

struct span span_from(struct span span, size_t count)
{
    if (count > span.length)
        count = span.length;
    if (count > 0) { /* an absent span has no address to add to */
        span.start += count;
        span.length -= count;
    }
    return span;
}

struct span span_to(struct span span, size_t count)
{
    return (struct span){span.start, count < span.length ? count : span.length};
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct span span_trim(struct span span)
{
    while (span.length > 0 && is_blank(span.start[0]))
        span = span_from(span, 1);
    while (span.length > 0 && is_blank(span.start[span.length - 1]))
        span.length--;
    return span;
}

bool span_equals(struct span span, const char *string)
{
    size_t length = strlen(string);

    return span.length == length && (length == 0 || memcmp(span.start, string, length) == 0);
}

bool span_starts(struct span span, const char *string)
{
    size_t length = strlen(string);

    return span.length >= length && (length == 0 || memcmp(span.start, string, length) == 0);
}

bool span_starts_case(struct span span, const char *string)
{
    size_t length = strlen(string);

    return span.length >= length && (length == 0 || strncasecmp(span.start, string, length) == 0);
}

bool span_ends(struct span span, const char *string)
{
    size_t length = strlen(string);

    return span.length >= length && span_equals(span_from(span, span.length - length), string);
}

bool span_ends_case(struct span span, const char *string)
{
    size_t length = strlen(string);

    return span.length >= length &&
           (length == 0 || strncasecmp(span.start + (span.length - length), string, length) == 0);
}

size_t span_find(struct span span, const char *string)
{
    const char *found =
        span.length > 0 ? memmem(span.start, span.length, string, strlen(string)) : NULL;

    return found != NULL ? (size_t)(found - span.start) : SPAN_NONE;
}

size_t span_find_char(struct span span, char c)
{
    const char *found = span.length > 0 ? memchr(span.start, c, span.length) : NULL;

    return found != NULL ? (size_t)(found - span.start) : SPAN_NONE;
}

bool span_skip(struct span *span, const char *string)
{
    if (!span_starts(*span, string))
        return false;
    *span = span_from(*span, strlen(string));
    return true;
}

size_t span_digits(struct span span)
{
    size_t count = 0;

    while (count < span.length && is_digit(span.start[count]))
        count++;
    return count;
}

bool span_number(struct span span, unsigned max, unsigned *number_r)
{
    unsigned number = 0;

    if (span.length == 0 || span_digits(span) != span.length)
        return false;
    for (size_t i = 0; i < span.length; i++) {
        unsigned digit = (unsigned)(span.start[i] - '0');

        if (digit > max || number > (max - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    *number_r = number;
    return true;
}

bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}
