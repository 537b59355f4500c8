/* SPDX-License-Identifier: BSD-2-Clause */
/* Taking configuration text apart. */
#include "lib/conf/tokens.h"

#include "lib/base/ascii.h"
#include "lib/base/text.h"

#include <string.h>

void tokens_complain(const struct tokens *tokens, unsigned line, const char *what)
{
    struct conf_place place = {tokens->file, line};

    problem_add(tokens->problems, &place, "%s", what);
}

static bool is_word_char(char c)
{
    return (unsigned char)c > 0x20 && c != 0x7f && strchr("#\"'{}()+,=*", c) == NULL;
}

static void next_line(struct tokens *tokens)
{
    if (!tokens->fixed_line)
        tokens->line++;
}

static bool skip_block_comment(struct tokens *tokens)
{
    unsigned line = tokens->line;

    for (tokens->at += 2; tokens->end - tokens->at >= 2; tokens->at++) {
        if (tokens->at[0] == '*' && tokens->at[1] == '/') {
            tokens->at += 2;
            return true;
        }
        if (*tokens->at == '\n')
            next_line(tokens);
    }
    tokens_complain(tokens, line, "the comment that begins here has no end: expected */");
    return false;
}

/* To the next token.  false: a comment does not end. */
static bool skip_blanks(struct tokens *tokens)
{
    while (tokens->at < tokens->end) {
        size_t left = (size_t)(tokens->end - tokens->at);
        char c = *tokens->at;

        if (c == '\n')
            next_line(tokens);
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
            tokens->at++;
        } else if (c == '#' || (left >= 2 && memcmp(tokens->at, "//", 2) == 0)) {
            while (tokens->at < tokens->end && *tokens->at != '\n')
                tokens->at++;
        } else if (left >= 2 && memcmp(tokens->at, "/*", 2) == 0) {
            if (!skip_block_comment(tokens))
                return false;
        } else {
            break;
        }
    }
    return true;
}

/* What is wrong with the character at p of a quoted string, in a word that libConfuse would not
 * read as written; NULL: nothing. */
static const char *string_problem(const char *p, const char *end, char quote)
{
    unsigned char c = (unsigned char)*p;
    bool more = end - p >= 2;

    if (c == '\n' || (c == '\\' && more && p[1] == '\n'))
        return "the string that begins here does not end on its line: expected a closing quote";
    if (c < 0x20 && c != '\t')
        return "a control character in a string";
    if (quote == '"' && c == '$' && more && p[1] == '{')
        return "environment variables are not read here: put the value in single quotes to "
               "mean ${ itself";
    if (quote == '"' && c == '\\' && more && (ascii_is_digit(p[1]) || p[1] == 'x'))
        return "a numeric escape in a string: expected the character itself, or \\\\ for a "
               "backslash";
    return NULL;
}

static enum token_type take_string(struct tokens *tokens)
{
    char quote = *tokens->at;

    for (tokens->at++; tokens->at < tokens->end; tokens->at++) {
        const char *problem = string_problem(tokens->at, tokens->end, quote);

        if (problem != NULL) {
            tokens_complain(tokens, tokens->line, problem);
            return TOKEN_BAD;
        }
        if (*tokens->at == quote) {
            tokens->at++;
            return TOKEN_STRING;
        }
        if (*tokens->at == '\\' && tokens->end - tokens->at >= 2)
            tokens->at++;
    }
    tokens_complain(
        tokens, tokens->line,
        "the string that begins here does not end on its line: expected a closing quote");
    return TOKEN_BAD;
}

static enum token_type take_token(struct tokens *tokens)
{
    char c = *tokens->at;

    if (c == '"' || c == '\'')
        return take_string(tokens);
    if (strchr("{}()=,", c) != NULL && c != '\0') {
        tokens->at++;
        return (enum token_type)c;
    }
    if (c == '+' && tokens->end - tokens->at >= 2 && tokens->at[1] == '=') {
        tokens->at += 2;
        return TOKEN_APPEND;
    }
    if (!is_word_char(c)) {
        struct conf_place place = {tokens->file, tokens->line};

        if (c == '+' || c == '*')
            problem_add(tokens->problems, &place, "'%c' must stand in quotes: \"%c\"", c, c);
        else
            problem_add(tokens->problems, &place, "a control character (octet %u)",
                        (unsigned)(unsigned char)c);
        return TOKEN_BAD;
    }
    while (tokens->at < tokens->end && is_word_char(*tokens->at))
        tokens->at++;
    return TOKEN_WORD;
}

struct token tokens_next(struct tokens *tokens)
{
    struct token token = {.type = TOKEN_BAD};

    if (!skip_blanks(tokens))
        return token;
    token.bytes = tokens->at;
    token.line = tokens->line;
    token.type = tokens->at == tokens->end ? TOKEN_END : take_token(tokens);
    token.length = (size_t)(tokens->at - token.bytes);
    return token;
}

bool token_is_text(const struct token *token)
{
    return token->type == TOKEN_WORD || token->type == TOKEN_STRING;
}

char *token_text(const struct token *token)
{
    struct text text = TEXT_EMPTY;
    const char *p = token->bytes;
    const char *end = token->bytes + token->length;

    if (token->type == TOKEN_STRING) {
        p++;
        end--;
    }
    for (; p < end; p++) {
        if (token->type == TOKEN_STRING && *p == '\\' && end - p >= 2)
            p++;
        text_add_char(&text, *p);
    }
    return text_take(&text);
}
