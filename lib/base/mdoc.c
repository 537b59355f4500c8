/* SPDX-License-Identifier: BSD-2-Clause */
/* Plain words as mdoc(7). */
#include "lib/base/mdoc.h"

#include <stdbool.h>
#include <string.h>

#define WIDTH 78 /* columns of a source line: mandoc's lint asks for at most 80 */
#define OPENING "(["
#define CLOSING ".,:;)]?!"

struct writer {
    struct text *text;
    size_t column;
};

static void end_line(struct writer *writer)
{
    if (writer->column > 0)
        text_add_char(writer->text, '\n');
    writer->column = 0;
}

static void add_escaped(struct text *text, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == '\\')
            text_add_string(text, "\\e");
        else
            text_add_char(text, bytes[i]);
    }
}

static void add_word(struct writer *writer, const char *word, size_t length)
{
    if (writer->column > 0 && writer->column + 1 + length > WIDTH)
        end_line(writer);
    if (writer->column > 0) {
        text_add_char(writer->text, ' ');
        writer->column++;
    } else if (*word == '.' || *word == '\'') {
        text_add_string(writer->text, "\\&");
    }
    add_escaped(writer->text, word, length);
    writer->column += length;
}

/* Punctuation that touches a macro's words: as arguments of their own it stays outside. */
static void add_delimiters(struct text *text, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        text_add_char(text, ' ');
        text_add_char(text, bytes[i]);
    }
}

/* Whether a sentence ends with the word: at a stop, perhaps with closing quotes behind it, and not
 * where it only breaks off ("...") and goes on. */
static bool ends_sentence(const char *word, size_t length)
{
    const char *next = word + length + strspn(word + length, " ");

    while (length > 0 && strchr("\")", word[length - 1]) != NULL)
        length--;
    return length > 0 && strchr(".!?", word[length - 1]) != NULL && *next < 'a';
}

/* A word in backquotes, which may hold spaces, and what touches it; returns what follows, or NULL:
 * there is none here. */
static const char *add_literal(struct writer *writer, const char *words)
{
    size_t before = strspn(words, OPENING);
    const char *start = words + before + 1;
    const char *end = words[before] == '`' ? strchr(start, '`') : NULL;
    size_t after;

    if (end == NULL)
        return NULL;
    after = strspn(end + 1, CLOSING);
    if (end[1 + after] != ' ' && end[1 + after] != '\0')
        return NULL;
    end_line(writer);
    text_add_string(writer->text, ".Ql");
    add_delimiters(writer->text, words, before);
    text_add_char(writer->text, ' ');
    add_escaped(writer->text, start, (size_t)(end - start));
    add_delimiters(writer->text, end + 1, after);
    text_add_char(writer->text, '\n');
    return end + 1 + after;
}

void mdoc_prose(struct text *text, const char *words)
{
    struct writer writer = {.text = text};

    while (*words != '\0') {
        const char *next = add_literal(&writer, words);

        if (next == NULL) {
            size_t length = strcspn(words, " ");

            add_word(&writer, words, length);
            next = words + length;
            if (ends_sentence(words, length))
                end_line(&writer);
        }
        words = next + strspn(next, " ");
    }
    end_line(&writer);
}
