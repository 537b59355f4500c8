/* SPDX-License-Identifier: BSD-2-Clause */
/* Words that several rules of one file share. */
#include "lib/classify/definitions.h"

#include "lib/base/mem.h"
#include "lib/base/words.h"
#include "lib/classify/span.h"

#include <stdlib.h>
#include <string.h>

static const char let[] = "let ";

bool definitions_is_one(const char *text)
{
    return strncmp(text, let, sizeof(let) - 1) == 0;
}

static bool is_name(struct span name)
{
    for (size_t i = 0; i < name.length; i++)
        if (!is_letter(name.start[i]) && name.start[i] != '-')
            return false;
    return name.length > 0;
}

bool definitions_read(struct definitions *definitions, const char *text, char **problem_r)
{
    struct span rest = span_from(span_of(text), sizeof(let) - 1);
    size_t equals = span_find_char(rest, '=');
    struct span name = span_trim(span_to(rest, equals));
    struct text value = TEXT_EMPTY;
    char *string = NULL;
    bool done = false;

    if (equals == SPAN_NONE || !is_name(name)) {
        *problem_r = mem_copy("expected let NAME = PATTERN");
        return false;
    }
    string = mem_copy_n(name.start, name.length);
    if (strings_have(&definitions->names, string)) {
        *problem_r = mem_print("{%s} is defined twice", string);
        goto done;
    }
    if (definitions->names.count == DEFINITIONS_MAX) {
        *problem_r = mem_print("there are more than %d definitions", DEFINITIONS_MAX);
        goto done;
    }
    rest = span_trim(span_from(rest, equals + 1));
    if (!definitions_expand(definitions, rest.start, &value, problem_r))
        goto done;
    strings_add(&definitions->names, string);
    strings_add(&definitions->values, text_string(&value));
    done = true;
done:
    text_free(&value);
    free(string);
    return done;
}

static const char *find(const struct definitions *definitions, const char *name)
{
    for (size_t i = 0; i < definitions->names.count; i++)
        if (strcmp(definitions->names.items[i], name) == 0)
            return definitions->values.items[i];
    return NULL;
}

static char *unknown(const struct definitions *definitions, const char *name)
{
    const char *nearest = words_nearest(name, (const char *const *)definitions->names.items,
                                        definitions->names.count);

    if (nearest == NULL)
        return mem_print("{%s} is not defined", name);
    return mem_print("{%s} is not defined; did you mean {%s}?", name, nearest);
}

bool definitions_expand(const struct definitions *definitions, const char *text,
                        struct text *text_r, char **problem_r)
{
    while (*text != '\0') {
        size_t plain = strcspn(text, "{\\");
        struct span name;
        const char *value;
        char *string;

        text_add(text_r, text, plain);
        text += plain;
        if (text_r->length > DEFINITIONS_TEXT_MAX) {
            *problem_r = mem_copy("the rule becomes too long");
            return false;
        }
        if (*text == '\\') {
            size_t length = text[1] != '\0' ? 2 : 1;

            text_add(text_r, text, length);
            text += length;
            continue;
        }
        if (*text == '\0')
            break;
        name = (struct span){text + 1, strcspn(text + 1, "}")};
        if (!is_name(name)) { /* a quantifier */
            text_add_char(text_r, *text++);
            continue;
        }
        string = mem_copy_n(name.start, name.length);
        value = find(definitions, string);
        if (value == NULL)
            *problem_r = unknown(definitions, string);
        free(string);
        if (value == NULL)
            return false;
        text_print(text_r, "(?:%s)", value);
        text += name.length + 1 + (name.start[name.length] == '}' ? 1 : 0);
    }
    return true;
}

void definitions_free(struct definitions *definitions)
{
    strings_free(&definitions->names);
    strings_free(&definitions->values);
}
