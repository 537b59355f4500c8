/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/auth/key_table.h"

#include "lib/base/count.h"
#include "lib/base/domain.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"

#include <stdlib.h>
#include <string.h>

#define BLANK " \t\r\n"

/* A line without its comment or an item of a list, cut into the name and what follows it. */
struct line {
    char *name; /* "" where the line is empty */
    char *value;
    unsigned number;
};

/* A key may stand in it. */
static void free_wiped(char *text)
{
    if (text != NULL)
        explicit_bzero(text, strlen(text));
    free(text);
}

static char *copy_trimmed(const char *start, size_t length)
{
    while (length > 0 && strchr(BLANK, start[length - 1]) != NULL)
        length--;
    while (length > 0 && strchr(BLANK, *start) != NULL)
        start++, length--;
    return mem_copy_n(start, length);
}

static void cut_line(const char *start, size_t whole, struct line *line)
{
    const char *comment = memchr(start, '#', whole);
    char *text = copy_trimmed(start, comment != NULL ? (size_t)(comment - start) : whole);
    const size_t name = strcspn(text, BLANK);

    line->name = mem_copy_n(text, name);
    line->value = copy_trimmed(text + name, strlen(text + name));
    free_wiped(text);
}

static void cut_item(const char *start, size_t whole, struct line *line)
{
    const char *equals = memchr(start, '=', whole);
    const size_t name = equals != NULL ? (size_t)(equals - start) : whole;

    line->name = copy_trimmed(start, name);
    line->value = copy_trimmed(start + name + (equals != NULL), whole - name - (equals != NULL));
}

static const struct form {
    const char *unit, *end;
    void (*cut)(const char *start, size_t whole, struct line *line);
} forms[] = {
    [TABLE_LINES] = {"line", "\n", cut_line},
    [TABLE_LIST] = {"item", ",", cut_item},
};

const char *table_form_unit(enum table_form form)
{
    return forms[form].unit;
}

/* Takes the next line from *rest.  false: there is none.  The line is cleared by clear_line(). */
static bool next_line(const char **rest, enum table_form form, struct line *line)
{
    const char *start = *rest;
    const size_t whole = strcspn(start, forms[form].end);

    if (*start == '\0')
        return false;
    *rest = start + whole + (start[whole] != '\0');
    line->number++;
    forms[form].cut(start, whole, line);
    return true;
}

static void clear_line(struct line *line)
{
    free(line->name);
    free_wiped(line->value);
    line->name = line->value = NULL;
}

/* What stands before the next ':', or all; *rest is behind it then.  The caller frees it. */
static char *take_field(const char **rest)
{
    size_t length = strcspn(*rest, ":");
    char *field = mem_copy_n(*rest, length);

    *rest += length + ((*rest)[length] == ':');
    return field;
}

/* --- KeyTable ------------------------------------------------------------------------- */

/* What is wrong with the value, or NULL. */
static const char *read_key(const char *value, struct key_entry *entry)
{
    char *domain = take_field(&value), *selector = take_field(&value);
    const char *problem = NULL;

    entry->domain = strcmp(domain, "%") == 0 ? mem_copy(domain) : domain_copy(domain);
    entry->selector = domain_copy(selector);
    entry->key = mem_copy(value);
    if (entry->domain == NULL)
        problem = "expected a domain or % before the first colon";
    else if (entry->selector == NULL)
        problem = "expected a selector before the second colon";
    else if (entry->key[0] == '\0')
        problem = "expected the path of a key file, or the key, behind the second colon";
    free(domain);
    free(selector);
    return problem;
}

bool key_entry_is_path(const struct key_entry *entry)
{
    static const char *const starts[] = {"/", "./", "../"};

    for (size_t i = 0; i < COUNT_OF(starts); i++)
        if (strncmp(entry->key, starts[i], strlen(starts[i])) == 0)
            return true;
    return false;
}

bool key_table_parse(const char *text, enum table_form form, struct key_table *table_r,
                     char **problem_r)
{
    struct line line = {.number = 0};
    const char *problem = NULL;

    while (problem == NULL && next_line(&text, form, &line)) {
        if (line.name[0] != '\0') {
            struct key_entry *entry;

            table_r->entries =
                mem_grow(table_r->entries, table_r->count + 1, sizeof(*table_r->entries));
            entry = &table_r->entries[table_r->count++];
            *entry = (struct key_entry){.name = mem_copy(line.name), .number = line.number};
            problem = read_key(line.value, entry);
        }
        clear_line(&line);
    }
    if (problem != NULL)
        *problem_r = mem_print("%s %u: %s", forms[form].unit, line.number, problem);
    return problem == NULL;
}

void key_table_clear(struct key_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        free(table->entries[i].name);
        free(table->entries[i].domain);
        free(table->entries[i].selector);
        free_wiped(table->entries[i].key);
    }
    free(table->entries);
    *table = (struct key_table){0};
}

/* --- SigningTable --------------------------------------------------------------------- */

bool signing_table_parse(const char *text, enum table_form form, struct signing_table *table_r,
                         char **problem_r)
{
    struct line line = {.number = 0};
    bool complete = true;

    table_r->form = form;
    while (complete && next_line(&text, form, &line)) {
        if (line.name[0] != '\0') {
            const char *value = line.value;
            struct signing_entry *entry;

            table_r->entries =
                mem_grow(table_r->entries, table_r->count + 1, sizeof(*table_r->entries));
            entry = &table_r->entries[table_r->count++];
            *entry = (struct signing_entry){.number = line.number};
            entry->pattern = text_lower(mem_copy(line.name));
            entry->name = take_field(&value);
            entry->signer = *value != '\0' ? mem_copy(value) : NULL;
            complete = entry->name[0] != '\0';
        }
        clear_line(&line);
    }
    if (!complete)
        *problem_r = mem_print("%s %u: expected a pattern and the name of a key", forms[form].unit,
                               line.number);
    return complete;
}

void signing_table_clear(struct signing_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        free(table->entries[i].pattern);
        free(table->entries[i].name);
        free(table->entries[i].signer);
    }
    free(table->entries);
    *table = (struct signing_table){0};
}
