/* SPDX-License-Identifier: BSD-2-Clause */
/* Collecting what is wrong with a configuration. */
#include "lib/conf/problems.h"

#include "lib/base/words.h"

#include <stdbool.h>
#include <string.h>

#define NAMES_MAX 10 /* that are listed */
#define QUOTE_MAX 80 /* octets of a value that a problem repeats */

const char conf_command_line[] = "command line";
const char conf_defaults_place[] = "defaults";

static void print_place(struct problems *problems, const struct conf_place *place)
{
    struct text *text = &problems->text;

    if (place->file == conf_command_line && place->line > 0 &&
        place->line <= problems->noverrides) {
        const char *override = problems->overrides[place->line - 1];
        const char *equal = strchr(override, '=');
        size_t length = equal != NULL ? (size_t)(equal - override) : strlen(override);

        /* The value is left out: it may be a password. */
        text_print(text, "%s: -o %.*s: ", place->file, (int)length, override);
    } else if (place->line > 0) {
        text_print(text, "%s:%u: ", place->file, place->line);
    } else {
        text_print(text, "%s: ", place->file);
    }
}

void problem_add(struct problems *problems, const struct conf_place *place, const char *format, ...)
{
    va_list arguments;

    problems->count++;
    if (problems->count > PROBLEMS_MAX)
        return;
    print_place(problems, place);
    va_start(arguments, format);
    text_vprint(&problems->text, format, arguments);
    va_end(arguments);
    text_add_char(&problems->text, '\n');
}

void problem_quote(struct text *text, const char *string)
{
    size_t length = strlen(string);
    bool cut = length > QUOTE_MAX;

    if (cut) {
        length = QUOTE_MAX;
        /* Not in the middle of a UTF-8 character. */
        while (length > 0 && ((unsigned char)string[length] & 0xc0) == 0x80)
            length--;
    }
    text_add_char(text, '"');
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)string[i];

        if (c < 0x20 || c == 0x7f)
            text_print(text, "\\%03o", c);
        else
            text_add_char(text, (char)c);
    }
    text_add_string(text, cut ? "...\"" : "\"");
}

void problem_suggest(struct text *text, const char *word)
{
    if (word != NULL)
        text_print(text, "; did you mean \"%s\"?", word);
}

void problem_suggest_of(struct text *text, const char *word, const char *const *names, size_t count)
{
    const char *nearest = words_nearest(word, names, count);

    if (nearest != NULL) {
        problem_suggest(text, nearest);
        return;
    }
    for (size_t i = 0; i < count && i < NAMES_MAX; i++)
        text_print(text, "%s%s", i == 0 ? ": expected " : i + 1 == count ? " or " : ", ", names[i]);
    if (count > NAMES_MAX)
        text_add_string(text, ", ...");
}
