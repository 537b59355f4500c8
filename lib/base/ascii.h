/* SPDX-License-Identifier: BSD-2-Clause */
/* What the grammars of RFC 5234 call ALPHA, DIGIT and HEXDIG.  <ctype.h> asks the locale, and must
 * not see a char below zero. */
#pragma once

#include <stdbool.h>
#include <string.h>

static inline bool ascii_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool ascii_is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* The value of a hexadecimal digit; -1: it is none. */
static inline int ascii_hex(char c)
{
    if (ascii_is_digit(c))
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Whether c is one of set's; NUL never is. */
static inline bool ascii_is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}
