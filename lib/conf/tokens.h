/* SPDX-License-Identifier: BSD-2-Clause */
/* The tokens of configuration text, as libConfuse reads them, and what it would misread refused. */
#pragma once

#include "lib/conf/problems.h"

#include <stdbool.h>
#include <stddef.h>

enum token_type {
    TOKEN_END,
    TOKEN_BAD, /* a problem was reported */
    TOKEN_WORD,
    TOKEN_STRING, /* with its quotes */
    TOKEN_APPEND, /* += */
    TOKEN_OPEN = '{',
    TOKEN_CLOSE = '}',
    TOKEN_LEFT = '(',
    TOKEN_RIGHT = ')',
    TOKEN_ASSIGN = '=',
    TOKEN_COMMA = ',',
};

struct token {
    enum token_type type;
    const char *bytes;
    size_t length;
    unsigned line;
};

/* A text that is being read. */
struct tokens {
    const char *at;
    const char *end;
    const char *file;
    unsigned line;
    bool fixed_line; /* newlines do not count */
    struct problems *problems;
};

struct token tokens_next(struct tokens *tokens);

/* Whether it is a word or a string: a name, a title or a value. */
bool token_is_text(const struct token *token);

/* The text of such a token without its quotes and escapes.  The caller frees it. */
char *token_text(const struct token *token);

/* A problem of that line. */
void tokens_complain(const struct tokens *tokens, unsigned line, const char *what);
