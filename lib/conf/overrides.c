/* SPDX-License-Identifier: BSD-2-Clause */
/* Overrides: written as the statements that they stand for, and read as those. */
#include "lib/conf/overrides.h"

#include "lib/base/mem.h"
#include "lib/conf/print.h"

#include <stdlib.h>
#include <string.h>

static const char name_chars[] = "abcdefghijklmnopqrstuvwxyz0123456789-";

/* An override taken apart: limit.daily.max=5, class.x.limit.daily.max=5, mode=enforce. */
struct override {
    char *section; /* NULL in the root */
    char *title;
    char *inner_section; /* of a limit in a class, else NULL */
    char *inner_title;
    char *name;
    const char *value;
};

static void clear(struct override *override)
{
    free(override->section);
    free(override->title);
    free(override->inner_section);
    free(override->inner_title);
    free(override->name);
}

static bool is_name(const char *string)
{
    return *string != '\0' && string[strspn(string, name_chars)] == '\0';
}

/* class.TITLE.limit.TITLE: the title ends where a section's name stands between dots. */
static void split_title(struct override *override)
{
    char *inner = strstr(override->title, ".limit.");

    if (strcmp(override->section, "class") != 0 || inner == NULL)
        return;
    override->inner_section = mem_copy("limit");
    override->inner_title = mem_copy(inner + strlen(".limit."));
    *inner = '\0';
}

static bool take_apart(const char *string, struct override *override_r)
{
    const char *equal = strchr(string, '=');
    const char *first = strchr(string, '.');
    const char *last = NULL;

    memset(override_r, 0, sizeof(*override_r));
    if (equal == NULL)
        return false;
    override_r->value = equal + 1;
    for (const char *p = string; p < equal; p++)
        if (*p == '.')
            last = p;
    if (last == NULL) {
        override_r->name = mem_copy_n(string, (size_t)(equal - string));
        return is_name(override_r->name);
    }
    override_r->name = mem_copy_n(last + 1, (size_t)(equal - last - 1));
    override_r->section = mem_copy_n(string, (size_t)(first - string));
    if (first == last)
        return false;
    override_r->title = mem_copy_n(first + 1, (size_t)(last - first - 1));
    split_title(override_r);
    return is_name(override_r->name) && is_name(override_r->section);
}

static const struct conf_option *find_option(const struct override *override)
{
    enum section_kind kind = SECTION_ROOT;

    if (override->section != NULL)
        kind = schema_section(SECTION_ROOT, override->section);
    if (override->inner_section != NULL && kind != SECTION_COUNT)
        kind = schema_section(kind, override->inner_section);
    return kind != SECTION_COUNT ? schema_option(kind, override->name) : NULL;
}

/* a,b,c as {"a", "b", "c"}; a comma in the braces of an inline: table is the table's. */
static void print_list(struct text *text, const char *value)
{
    size_t depth = 0;
    const char *start = value;

    text_add_char(text, '{');
    for (const char *p = value;; p++) {
        if (*p == '{')
            depth++;
        else if (*p == '}' && depth > 0)
            depth--;
        if (*p != '\0' && (*p != ',' || depth > 0))
            continue;
        if (p > start) {
            char *item = mem_copy_n(start, (size_t)(p - start));

            if (text->bytes[text->length - 1] != '{')
                text_add_string(text, ", ");
            print_quoted(text, item);
            free(item);
        }
        start = p + 1;
        if (*p == '\0')
            break;
    }
    text_add_char(text, '}');
}

static void print_value(struct text *text, const struct override *override)
{
    const struct conf_option *option = find_option(override);

    if (override->value[0] == '{')
        text_add_string(text, override->value);
    else if (option != NULL && option->list)
        print_list(text, override->value);
    else
        print_quoted(text, override->value);
}

static void print_statement(struct text *text, const struct override *override)
{
    if (override->section != NULL) {
        text_print(text, "%s ", override->section);
        print_quoted(text, override->title);
        text_add_string(text, " { ");
    }
    if (override->inner_section != NULL) {
        text_print(text, "%s ", override->inner_section);
        print_quoted(text, override->inner_title);
        text_add_string(text, " { ");
    }
    text_print(text, "%s = ", override->name);
    print_value(text, override);
    text_add_string(text, override->inner_section != NULL ? " } }"
                          : override->section != NULL     ? " }"
                                                          : "");
}

void overrides_add(struct source *source, struct problems *problems)
{
    for (size_t i = 0; i < problems->noverrides; i++) {
        struct conf_place place = {conf_command_line, (unsigned)(i + 1)};
        struct text text = TEXT_EMPTY;
        struct override override;

        if (take_apart(problems->overrides[i], &override)) {
            print_statement(&text, &override);
            scan_text(source, problems, place, false, text_string(&text), text.length);
        } else {
            problem_add(problems, &place,
                        "expected NAME=VALUE or SECTION.TITLE.NAME=VALUE, such as "
                        "limit.daily.max=500");
        }
        clear(&override);
        text_free(&text);
    }
}

static bool has_section(const struct raw_section *root, const struct raw_section *like)
{
    for (size_t i = 0; i < root->nchildren; i++) {
        const struct raw_section *child = &root->children[i];

        if (child->kind == like->kind && strcmp(child->title, like->title) == 0)
            return true;
    }
    return false;
}

/* There is nothing to override: a cause's section may be new, all others must be there. */
static void missing_section(const struct raw_section *root, const struct raw_section *section,
                            struct problems *problems)
{
    const char **titles = mem_new(root->nchildren + 1, sizeof(*titles));
    struct text text = TEXT_EMPTY;
    size_t count = 0;

    for (size_t i = 0; i < root->nchildren; i++)
        if (root->children[i].kind == section->kind)
            titles[count++] = root->children[i].title;
    problem_quote(&text, section->title);
    problem_suggest_of(&text, section->title, titles, count);
    problem_add(problems, &section->place, "there is no %s %s", schema_sections[section->kind].name,
                text_string(&text));
    free(titles);
    text_free(&text);
}

void overrides_merge(struct raw_section *root, struct problems *problems)
{
    struct raw_section from = {.kind = SECTION_ROOT};
    size_t kept = 0;

    from.children = mem_new(root->nchildren + 1, sizeof(*from.children));
    for (size_t i = 0; i < root->nchildren; i++) {
        if (root->children[i].place.file == conf_command_line)
            from.children[from.nchildren++] = root->children[i];
        else
            root->children[kept++] = root->children[i];
    }
    root->nchildren = kept;
    for (size_t i = from.nchildren; i > 0; i--) {
        const struct raw_section *child = &from.children[i - 1];

        if (child->kind != SECTION_CAUSE && !has_section(root, child)) {
            missing_section(root, child, problems);
            raw_remove_child(&from, i - 1);
        }
    }
    raw_merge(root, &from);
}
