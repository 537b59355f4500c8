/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/auth/key_table.h"

#include "lib/base/domain.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"

#include <stdlib.h>
#include <string.h>

#define BLANK " \t\r"

/* A line without its comment, cut into the name and what follows it. */
struct line {
    char *name; /* "" where the line is empty */
    char *value;
    unsigned number;
};

/* Takes the next line from *rest.  false: there is none.  The line is cleared by clear_line(). */
static bool next_line(const char **rest, struct line *line)
{
    const char *start = *rest;
    size_t whole = strcspn(start, "\n"), length = strcspn(start, "#\n"), name;

    if (*start == '\0')
        return false;
    *rest = start + whole + (start[whole] == '\n');
    line->number++;
    while (length > 0 && strchr(BLANK, start[length - 1]) != NULL)
        length--;
    while (length > 0 && strchr(BLANK, *start) != NULL)
        start++, length--;
    for (name = 0; name < length && strchr(BLANK, start[name]) == NULL;)
        name++;
    line->name = mem_copy_n(start, name);
    while (name < length && strchr(BLANK, start[name]) != NULL)
        name++;
    line->value = mem_copy_n(start + name, length - name);
    return true;
}

static void clear_line(struct line *line)
{
    free(line->name);
    free(line->value);
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
    else if (entry->key[0] != '/')
        problem = "expected the path of a key file, from the root, behind the second colon";
    free(domain);
    free(selector);
    return problem;
}

bool key_table_parse(const char *text, struct key_table *table_r, char **problem_r)
{
    struct line line = {.number = 0};
    const char *problem = NULL;

    while (problem == NULL && next_line(&text, &line)) {
        if (line.name[0] != '\0') {
            struct key_entry *entry;

            table_r->entries =
                mem_grow(table_r->entries, table_r->count + 1, sizeof(*table_r->entries));
            entry = &table_r->entries[table_r->count++];
            *entry = (struct key_entry){.name = mem_copy(line.name), .line = line.number};
            problem = read_key(line.value, entry);
        }
        clear_line(&line);
    }
    if (problem != NULL)
        *problem_r = mem_print("line %u: %s", line.number, problem);
    return problem == NULL;
}

void key_table_clear(struct key_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        free(table->entries[i].name);
        free(table->entries[i].domain);
        free(table->entries[i].selector);
        free(table->entries[i].key);
    }
    free(table->entries);
    *table = (struct key_table){0};
}

/* --- SigningTable --------------------------------------------------------------------- */

bool signing_table_parse(const char *text, struct signing_table *table_r, char **problem_r)
{
    struct line line = {.number = 0};
    bool complete = true;

    while (complete && next_line(&text, &line)) {
        if (line.name[0] != '\0') {
            const char *value = line.value;
            struct signing_entry *entry;

            table_r->entries =
                mem_grow(table_r->entries, table_r->count + 1, sizeof(*table_r->entries));
            entry = &table_r->entries[table_r->count++];
            *entry = (struct signing_entry){.line = line.number};
            entry->pattern = text_lower(mem_copy(line.name));
            entry->name = take_field(&value);
            entry->signer = *value != '\0' ? mem_copy(value) : NULL;
            complete = entry->name[0] != '\0';
        }
        clear_line(&line);
    }
    if (!complete)
        *problem_r = mem_print("line %u: expected a pattern and the name of a key", line.number);
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
