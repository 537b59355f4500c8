/* SPDX-License-Identifier: BSD-2-Clause */
/* The configuration as text: in force, and by default. */
#include "lib/conf/print.h"

#include "lib/conf/private.h"
#include "lib/conf/types.h"

#include <stdlib.h>
#include <string.h>

#define WIDTH 88 /* columns of a comment */

void print_quoted(struct text *text, const char *string)
{
    text_add_char(text, '"');
    for (const char *p = string; *p != '\0'; p++) {
        if (*p == '"' || *p == '\\' || *p == '$')
            text_add_char(text, '\\');
        text_add_char(text, *p);
    }
    text_add_char(text, '"');
}

/* The string bare where a file may say it so, else quoted. */
static void print_word(struct text *text, const char *string)
{
    size_t length = strlen(string);

    if (length > 0 &&
        strspn(string, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.%") ==
            length)
        text_add_string(text, string);
    else
        print_quoted(text, string);
}

static void print_values(struct text *text, const struct raw_option *given)
{
    const struct conf_option *option = given->option;

    text_print(text, "%s = ", option->name);
    if (option->list)
        text_add_char(text, '{');
    for (size_t i = 0; i < given->nvalues; i++) {
        char *value = type_masked(option, given->values[i].text);

        if (i > 0)
            text_add_string(text, ", ");
        if (option->list)
            print_quoted(text, value);
        else
            print_word(text, value);
        free(value);
    }
    if (option->list)
        text_add_char(text, '}');
}

static bool has_control(const char *string)
{
    for (; *string != '\0'; string++)
        if ((unsigned char)*string < 0x20 || *string == 0x7f)
            return true;
    return false;
}

/* Where it was written, for whoever asks why it is so; outer has been told already. */
static void print_place(struct text *text, const struct conf_place *place,
                        const struct conf_place *outer)
{
    if (place->file == conf_defaults_place || has_control(place->file) ||
        (place->file == outer->file && place->line == outer->line))
        return;
    if (place->file == conf_command_line)
        text_print(text, "  # %s", place->file);
    else
        text_print(text, "  # %s:%u", place->file, place->line);
}

static void print_option(struct text *text, const struct raw_section *section,
                         const struct conf_option *option, const char *indent)
{
    const struct raw_option *given = raw_find(section, option);

    if (given == NULL && option->fallback == NULL)
        return;
    text_add_string(text, indent);
    if (given == NULL) {
        text_print(text, "%s = ", option->name);
        print_word(text, option->fallback);
    } else {
        print_values(text, given);
        if (given->nvalues > 0)
            print_place(text, &given->values[given->nvalues - 1].place, &section->place);
    }
    text_add_char(text, '\n');
}

static void print_options(struct text *text, const struct raw_section *section, const char *indent)
{
    for (size_t i = 0; i < schema_option_count; i++)
        if (schema_options[i].section == section->kind)
            print_option(text, section, &schema_options[i], indent);
}

static void open_section(struct text *text, const struct raw_section *section,
                         const struct raw_section *outer, const char *indent)
{
    text_print(text, "%s%s ", indent, schema_sections[section->kind].name);
    print_word(text, section->title);
    text_add_string(text, " {");
    print_place(text, &section->place, &outer->place);
    text_add_char(text, '\n');
}

char *conf_effective(const struct conf *conf)
{
    const struct raw_section *root = &conf_kept(conf)->root;
    struct text text = TEXT_EMPTY;

    print_options(&text, root, "");
    for (size_t i = 0; i < root->nchildren; i++) {
        const struct raw_section *section = &root->children[i];

        text_add_char(&text, '\n');
        open_section(&text, section, root, "");
        print_options(&text, section, "    ");
        for (size_t j = 0; j < section->nchildren; j++) {
            open_section(&text, &section->children[j], section, "    ");
            print_options(&text, &section->children[j], "        ");
            text_add_string(&text, "    }\n");
        }
        text_add_string(&text, "}\n");
    }
    return text_take(&text);
}

/* A comment, wrapped. */
static void print_comment(struct text *text, const char *prefix, const char *words)
{
    size_t column = WIDTH;

    for (const char *p = words; *p != '\0';) {
        size_t length = strcspn(p, " ");

        if (column + 1 + length > WIDTH) {
            text_print(text, "%s%s", p == words ? "" : "\n", prefix);
            column = strlen(prefix);
        }
        text_print(text, " %.*s", (int)length, p);
        column += 1 + length;
        p += length + strspn(p + length, " ");
    }
    text_add_char(text, '\n');
}

/* Lines of an example, each with # before it. */
static void print_example(struct text *text, const char *example)
{
    while (*example != '\0') {
        size_t length = strcspn(example, "\n");

        text_print(text, "#%.*s\n", (int)length, example);
        example += length + (example[length] == '\n' ? 1 : 0);
    }
}

static void print_default(struct text *text, const struct conf_option *option)
{
    text_print(text, "#%s = ", option->name);
    if (!option->list)
        print_word(text, option->fallback);
    else if (strchr(option->fallback, '"') != NULL || *option->fallback == '\0')
        text_print(text, "{%s}", option->fallback);
    else
        text_print(text, "{\"%s\"}", option->fallback);
    text_add_char(text, '\n');
}

static void print_section_example(struct text *text, enum section_kind kind)
{
    const struct section_schema *section = &schema_sections[kind];

    text_add_char(text, '\n');
    print_comment(text, "#", section->about);
    for (size_t i = 0; i < schema_option_count; i++) {
        const struct conf_option *option = &schema_options[i];
        struct text words = TEXT_EMPTY;

        if (option->section != kind)
            continue;
        text_print(&words, "%s: %s", option->name, option->about);
        if (option->fallback != NULL)
            text_print(&words, " Default: %s.",
                       *option->fallback != '\0' ? option->fallback : "empty");
        print_comment(text, "#  ", text_string(&words));
        text_free(&words);
    }
    if (section->example != NULL)
        print_example(text, section->example);
}

char *conf_defaults(void)
{
    struct text text = TEXT_EMPTY;

    print_comment(&text, "#",
                  "The configuration of Sluice, with every option at its default: sluice.conf(5). "
                  "Sluice works without any of it. To change an option, take the # away before "
                  "it. include \"file\" reads another file in its place, and include "
                  "preset/google-workspace (gmail, exchange-online, hosting, campus) limits that "
                  "others publish.");
    for (size_t i = 0; i < schema_option_count; i++) {
        const struct conf_option *option = &schema_options[i];

        if (option->section != SECTION_ROOT)
            continue;
        if (option->heading != NULL)
            text_print(&text, "\n# --- %s ---\n", option->heading);
        text_add_char(&text, '\n');
        print_comment(&text, "#", option->about);
        print_default(&text, option);
    }
    text_add_string(&text, "\n# --- Sections ---\n");
    for (enum section_kind kind = SECTION_ROOT + 1; kind < SECTION_COUNT; kind++)
        if (schema_sections[kind].example != NULL)
            print_section_example(&text, kind);
    return text_take(&text);
}
