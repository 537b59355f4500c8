/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stretch of somebody else's text, borrowed.
 *
 * An absent span has start NULL; an empty one has a start and no length.  No function looks beyond
 * the length, and none needs a NUL.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct span {
    const char *start;
    size_t length;
};

struct span span_of(const char *string);

/* The span behind its first count octets (all of them at most), and its first count octets. */
struct span span_from(struct span span, size_t count);
struct span span_to(struct span span, size_t count);

/* Without the blanks at both ends. */
struct span span_trim(struct span span);

bool span_equals(struct span span, const char *string);
bool span_starts(struct span span, const char *string);
bool span_starts_case(struct span span, const char *string); /* ASCII case-insensitive */
bool span_ends(struct span span, const char *string);
bool span_ends_case(struct span span, const char *string);

/* Where string, or the character c, first stands: an index, or SPAN_NONE. */
#define SPAN_NONE ((size_t)-1)
size_t span_find(struct span span, const char *string);
size_t span_find_char(struct span span, char c);

/* Cuts off the beginning if it is string.  false: it is not, and nothing is changed. */
bool span_skip(struct span *span, const char *string);

/* How many decimal digits it begins with. */
size_t span_digits(struct span span);

/* Reads a decimal number that is all of the span, at most max.  false: it is none. */
bool span_number(struct span span, unsigned max, unsigned *number_r);

bool is_digit(char c);
bool is_letter(char c); /* ASCII */
