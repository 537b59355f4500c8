/* SPDX-License-Identifier: BSD-2-Clause */
/* Lookup tables: kinds, keys and values, and how an address is looked up. */
#include "lib/conf/table.h"

#include "lib/base/count.h"
#include "lib/base/map.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "lib/base/words.h"
#include "lib/conf/names.h"
#include "lib/conf/files.h"
#include "lib/conf/table_lines.h"
#include "lib/conf/patterns.h"

#include <stdlib.h>
#include <string.h>

struct entry {
    char *value;
    unsigned line;
};

struct table {
    char *file; /* NULL: it is in none */
    struct map *values; /* struct entry by the key in lower case; NULL for patterns */
    struct patterns *patterns;
};

typedef bool table_reader(struct table *table, const char *argument, char **problem_r);

static bool read_text(struct table *table, const char *path, char **problem_r);
static bool read_patterns(struct table *table, const char *path, char **problem_r);
static bool read_inline(struct table *table, const char *argument, char **problem_r);

/* For the indexed kinds the source text is read, which stands beside the index. */
static const struct {
    const char *name;
    table_reader *read; /* NULL: known, and not read */
} kinds[] = {
    {"texthash", read_text},   {"hash", read_text},     {"lmdb", read_text},
    {"cdb", read_text},        {"btree", read_text},    {"dbm", read_text},
    {"regexp", read_patterns}, {"inline", read_inline}, {"pcre", NULL},
};
#define KIND_COUNT COUNT_OF(kinds)

static const char blanks[] = " \t\r\n\f\v";

/* Adds an entry; of two with one key the first stays, as with postmap(1). */
static void add_entry(struct table *table, const char *key, size_t length, const char *value,
                      unsigned line)
{
    char *lower = text_lower(mem_copy_n(key, length));

    if (map_peek(table->values, lower, length) == NULL) {
        struct entry *entry = mem_new(1, sizeof(*entry));

        *entry = (struct entry){mem_copy(value), line};
        map_put(table->values, lower, length, entry);
    }
    free(lower);
}

static void free_entry(void *value)
{
    struct entry *entry = value;

    free(entry->value);
    free(entry);
}

static bool read_text(struct table *table, const char *path, char **problem_r)
{
    struct text text = TEXT_EMPTY;
    struct text line = TEXT_EMPTY;
    struct table_lines lines;
    bool done = false;

    if (!file_read(path, TABLE_FILE_MAX, &text, NULL, problem_r))
        goto done;
    lines =
        (struct table_lines){.next = text_string(&text), .end = text_string(&text) + text.length};
    table->file = mem_copy(path);
    table->values = map_new();
    while (table_lines_next(&lines, &line)) {
        const char *key = text_string(&line);
        size_t length = strcspn(key, blanks);
        const char *value = key + length + strspn(key + length, blanks);

        if (*value == '\0') {
            *problem_r =
                mem_print("%s:%u: expected a key, white space and a value", path, lines.line);
            goto done;
        }
        add_entry(table, key, length, value, lines.line);
    }
    done = true;
done:
    text_free(&text);
    text_free(&line);
    return done;
}

static bool read_patterns(struct table *table, const char *path, char **problem_r)
{
    struct text text = TEXT_EMPTY;
    bool done = false;

    if (file_read(path, TABLE_FILE_MAX, &text, NULL, problem_r)) {
        table->file = mem_copy(path);
        table->patterns = patterns_read(path, text_string(&text), text.length, problem_r);
        done = table->patterns != NULL;
    }
    text_free(&text);
    return done;
}

/* One "key = value" of an inline table. */
static bool add_inline(struct table *table, const char *bytes, size_t length)
{
    const char *equal = memchr(bytes, '=', length);
    size_t key;
    size_t start;
    char *value;

    if (equal == NULL)
        return false;
    key = (size_t)(equal - bytes);
    start = key + 1;
    while (key > 0 && strchr(blanks, bytes[key - 1]) != NULL)
        key--;
    while (start < length && strchr(blanks, bytes[start]) != NULL)
        start++;
    while (length > start && strchr(blanks, bytes[length - 1]) != NULL)
        length--;
    if (key == 0 || start == length)
        return false;
    value = mem_copy_n(bytes + start, length - start);
    add_entry(table, bytes, key, value, 0);
    free(value);
    return true;
}

static bool read_inline(struct table *table, const char *argument, char **problem_r)
{
    size_t length = strlen(argument);
    const char *p = argument + 1;
    const char *end;

    table->values = map_new();
    if (length < 2 || argument[0] != '{' || argument[length - 1] != '}')
        goto bad;
    end = argument + length - 1;
    for (;;) {
        const char *start;
        size_t part;

        while (p < end && (*p == ',' || strchr(blanks, *p) != NULL))
            p++;
        if (p == end)
            return true;
        start = *p == '{' ? p + 1 + strspn(p + 1, blanks) : p;
        if (*p == '{')
            part = strcspn(start, "}");
        else
            part = strcspn(start, ", \t}");
        if (start + part > end || (*p == '{' && start + part == end))
            goto bad;
        if (!add_inline(table, start, part))
            goto bad;
        p = start + part + (*p == '{' ? 1 : 0);
    }
bad:
    *problem_r =
        mem_print("inline:%s: expected inline:{ key=value, { key = longer value } }", argument);
    return false;
}

static char *unknown_kind(const char *specification, size_t length)
{
    const char *names[KIND_COUNT];
    char *name = mem_copy_n(specification, length);
    struct text text = TEXT_EMPTY;
    const char *nearest;

    for (size_t i = 0; i < KIND_COUNT; i++)
        names[i] = kinds[i].name;
    nearest = words_nearest(name, names, KIND_COUNT - 1);
    text_print(&text,
               "unknown kind of table \"%s\": expected texthash:, hash:, lmdb:, cdb:, btree:, "
               "dbm:, regexp: or inline:",
               name);
    if (nearest != NULL)
        text_print(&text, "; did you mean \"%s\"?", nearest);
    free(name);
    return text_take(&text);
}

static bool read_table(struct table *table, const char *specification, char **problem_r)
{
    size_t length = strcspn(specification, ":");

    if (specification[0] == '/')
        return read_text(table, specification, problem_r);
    for (size_t i = 0; specification[length] == ':' && i < KIND_COUNT; i++) {
        if (strlen(kinds[i].name) != length || memcmp(kinds[i].name, specification, length) != 0)
            continue;
        if (kinds[i].read != NULL)
            return kinds[i].read(table, specification + length + 1, problem_r);
        *problem_r = mem_copy("pcre: tables are not read: write the patterns for regexp:, which "
                              "takes POSIX extended ones");
        return false;
    }
    *problem_r = unknown_kind(specification, length);
    return false;
}

struct table *table_open(const char *specification, char **problem_r)
{
    struct table *table = mem_new(1, sizeof(*table));

    if (!read_table(table, specification, problem_r))
        table_free(&table);
    return table;
}

void table_free(struct table **table)
{
    if (*table == NULL)
        return;
    map_free(&(*table)->values, free_entry);
    free((*table)->file);
    patterns_free(&(*table)->patterns);
    free(*table);
    *table = NULL;
}

char *table_find_place(const struct table *table, const char *key, const char **file_r,
                       unsigned *line_r)
{
    size_t length = strlen(key);
    const struct entry *entry;
    char *lower;

    *file_r = table->file;
    if (length > TABLE_KEY_MAX)
        return NULL;
    if (table->patterns != NULL)
        return patterns_find(table->patterns, key, line_r);
    lower = text_lower(mem_copy(key));
    entry = map_peek(table->values, lower, length);
    free(lower);
    if (entry == NULL)
        return NULL;
    *line_r = entry->line;
    return mem_copy(entry->value);
}

char *table_find(const struct table *table, const char *key)
{
    const char *file;
    unsigned line;

    return table_find_place(table, key, &file, &line);
}

bool table_has_patterns(const struct table *table)
{
    return table->patterns != NULL;
}

/* The value of the first length octets of address with rest behind them. */
static char *find_part(const struct table *table, const char *address, size_t length,
                       const char *rest)
{
    char *key = mem_print("%.*s%s", (int)length, address, rest);
    char *value = table_find(table, key);

    free(key);
    return value;
}

char *table_find_address(const struct table *table, const char *address, const char *delimiter,
                         bool is_local)
{
    const char *at = names_at(address);
    size_t local = at != NULL ? (size_t)(at - address) : strlen(address);
    size_t plain = strcspn(address, delimiter);
    /* A delimiter that comes first begins no extension: there is no user before it. */
    bool extended = plain > 0 && plain < local;
    char *value = table_find(table, address);

    if (table->patterns != NULL || local > TABLE_KEY_MAX)
        return value;
    if (value == NULL && extended)
        value = find_part(table, address, plain, at != NULL ? at : "");
    if (value == NULL && is_local && at != NULL)
        value = find_part(table, address, local, "");
    if (value == NULL && is_local && at != NULL && extended)
        value = find_part(table, address, plain, "");
    if (value == NULL && at != NULL)
        value = table_find(table, at);
    return value;
}
