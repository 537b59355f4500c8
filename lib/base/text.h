/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A growing string: bytes with a NUL behind them that is not counted.
 *
 * A struct text starts zeroed (TEXT_EMPTY) and ends with text_free().  Not thread-safe.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
    char *bytes; /* NULL while nothing was added; text_string() never is */
    size_t length;
    size_t room;
};

#define TEXT_EMPTY                                                                                 \
    {                                                                                              \
        0                                                                                          \
    }

void text_add(struct text *text, const char *bytes, size_t length);
void text_add_string(struct text *text, const char *string);
void text_add_char(struct text *text, char c);
void text_add_number(struct text *text, int64_t number);
void text_print(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_vprint(struct text *text, const char *format, va_list arguments);

/* Adds a word that a shell takes as it is, in quotes where it needs them. */
void text_add_shell_word(struct text *text, const char *word);

/* Cuts the text to length, or empties it, keeping its memory. */
void text_cut(struct text *text, size_t length);
void text_clear(struct text *text);

/* The text as a string, "" when empty; borrowed until the next change. */
const char *text_string(const struct text *text);

/* Gives the bytes away; the text is empty afterwards.  The caller frees them. */
char *text_take(struct text *text);
void text_free(struct text *text);

/* Lower-cases ASCII letters in place and returns the string (RFC 4343 comparison, not locale). */
char *text_lower(char *string);
bool text_equal_case(const char *a,
                     const char *b); /* ASCII case-insensitive; NULL equals NULL only */

/* Reads length octets, all of which are decimal digits, 1 at least.  false: they are not, or the
 * number does not fit. */
bool text_number(const char *bytes, size_t length, int64_t *number_r);
