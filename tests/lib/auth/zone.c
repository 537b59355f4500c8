/* SPDX-License-Identifier: BSD-2-Clause */
/* A small DNS for evaluations. */
#include "tests/lib/auth/zone.h"

#include "lib/base/map.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RUNS_MAX 100
#define CNAMES_MAX 8

struct entry {
    char *name; /* lower case */
    char *type;
    char *value;
    size_t length;
};

struct kept {
    struct dns_answer answer;
    struct dns_record *records;
    bool known;
};

struct zone {
    struct entry *entries;
    size_t count;
    struct map *kept; /* struct kept by question */
    bool waves;
};

struct zone *zone_new(void)
{
    struct zone *zone = mem_new(1, sizeof(*zone));

    zone->kept = map_new();
    return zone;
}

static void free_kept(void *value)
{
    struct kept *kept = value;

    for (size_t i = 0; i < kept->answer.count; i++)
        free(kept->records[i].text);
    free(kept->records);
    free((void *)(uintptr_t)kept->answer.name);
    free(kept);
}

void zone_free(struct zone **zone)
{
    for (size_t i = 0; i < (*zone)->count; i++) {
        free((*zone)->entries[i].name);
        free((*zone)->entries[i].type);
        free((*zone)->entries[i].value);
    }
    free((*zone)->entries);
    map_free(&(*zone)->kept, free_kept);
    free(*zone);
    *zone = NULL;
}

static void add(struct zone *zone, const char *name, const char *type, const char *bytes,
                size_t length)
{
    struct entry entry = {
        .name = text_lower(mem_copy(name)),
        .type = mem_copy(type),
        .value = mem_copy_n(bytes, length),
        .length = length,
    };

    if (entry.name[0] != '\0' && entry.name[strlen(entry.name) - 1] == '.')
        entry.name[strlen(entry.name) - 1] = '\0';
    zone->entries = mem_grow(zone->entries, zone->count + 1, sizeof(entry));
    zone->entries[zone->count++] = entry;
}

void zone_add_txt(struct zone *zone, const char *name, const char *bytes, size_t length)
{
    add(zone, name, "TXT", bytes, length);
}

void zone_add(struct zone *zone, const char *name, const char *type, const char *value)
{
    add(zone, name, type, value, strlen(value));
}

void zone_add_lines(struct zone *zone, const char *const *lines)
{
    char name[300], type[10];

    for (; *lines != NULL; lines++) {
        int used = 0;

        if (sscanf(*lines, "%299s %9s %n", name, type, &used) < 2 || used == 0) {
            fprintf(stderr, "not a line of a zone: %s\n", *lines);
            abort();
        }
        zone_add(zone, name, type, *lines + used);
    }
}

static const char *type_name(enum dns_type type)
{
    return type == DNS_A      ? "A"
           : type == DNS_AAAA ? "AAAA"
           : type == DNS_MX   ? "MX"
           : type == DNS_PTR  ? "PTR"
                              : "TXT";
}

static bool is_below(const char *name, const char *above)
{
    size_t length = strlen(name), short_length = strlen(above);

    return length > short_length && name[length - short_length - 1] == '.' &&
           strcmp(name + length - short_length, above) == 0;
}

static char *host(const char *value)
{
    size_t length = strlen(value);

    return text_lower(
        mem_copy_n(value, length > 0 && value[length - 1] == '.' ? length - 1 : length));
}

static bool make_record(const struct entry *entry, enum dns_type type, struct dns_record *record_r)
{
    const char *value = entry->value;
    char *end;

    *record_r = (struct dns_record){0};
    switch (type) {
    case DNS_A:
    case DNS_AAAA:
        return ip_parse(value, &record_r->address);
    case DNS_MX:
        record_r->preference = (uint16_t)strtoul(value, &end, 10);
        record_r->text = host(end + strspn(end, " "));
        break;
    case DNS_PTR:
        record_r->text = host(value);
        break;
    case DNS_TXT:
        record_r->text = mem_copy_n(value, entry->length);
        record_r->length = entry->length;
        return true;
    }
    record_r->length = strlen(record_r->text);
    return true;
}

static int by_preference(const void *a, const void *b)
{
    const struct dns_record *first = a, *second = b;

    return first->preference - second->preference;
}

static void collect(const struct zone *zone, const char *name, struct kept *kept, unsigned depth)
{
    const char *type = type_name(kept->answer.type);
    const char *other = NULL;
    bool failed = depth > CNAMES_MAX;

    for (size_t i = 0; i < zone->count; i++) {
        const struct entry *entry = &zone->entries[i];
        struct dns_record record;

        if (kept->answer.status == DNS_ABSENT &&
            (strcmp(entry->name, name) == 0 || is_below(entry->name, name)))
            kept->answer.status = DNS_NO_DATA;
        if (strcmp(entry->name, name) != 0)
            continue;
        if (strcmp(entry->type, "CNAME") == 0)
            other = entry->value;
        if (strcmp(entry->type, "FAIL") == 0)
            failed = failed || strcmp(entry->value, type) == 0 || strcmp(entry->value, "any") == 0;
        if (strcmp(entry->type, type) != 0 || !make_record(entry, kept->answer.type, &record))
            continue;
        kept->records = mem_grow(kept->records, kept->answer.count + 1, sizeof(record));
        kept->records[kept->answer.count++] = record;
        kept->answer.status = DNS_FOUND;
    }
    if (other != NULL && !failed) {
        char *target = host(other);

        kept->answer.alias = true;
        kept->answer.status = DNS_ABSENT;
        collect(zone, target, kept, depth + 1);
        free(target);
    }
    if (failed && kept->answer.count == 0) {
        kept->answer.status = DNS_FAILED;
        kept->answer.problem = "SERVFAIL";
    }
}

static const struct dns_answer *find(void *context, const char *name, enum dns_type type)
{
    struct zone *zone = context;
    struct text key = TEXT_EMPTY;
    struct kept *kept;

    text_print(&key, "%s %s", name, type_name(type));
    kept = map_peek(zone->kept, key.bytes, key.length);
    if (kept == NULL) {
        kept = mem_new(1, sizeof(*kept));
        kept->known = !zone->waves;
        kept->answer = (struct dns_answer){
            .status = DNS_ABSENT, .type = type, .name = mem_copy(name), .ttl_sec = 60};
        collect(zone, name, kept, 0);
        if (type == DNS_MX && kept->answer.count > 1)
            qsort(kept->records, kept->answer.count, sizeof(*kept->records), by_preference);
        kept->answer.records = kept->records;
        (void)map_put(zone->kept, key.bytes, key.length, kept);
    }
    text_free(&key);
    return kept->known ? &kept->answer : NULL;
}

static void learn(const void *key, size_t key_length, void *value, void *context)
{
    (void)key;
    (void)key_length;
    (void)context;
    ((struct kept *)value)->known = true;
}

unsigned zone_run(struct zone *zone, bool waves, lookups_evaluate *evaluate, void *context)
{
    struct lookup lookup = {.find = find, .context = zone};

    map_free(&zone->kept, free_kept);
    zone->kept = map_new();
    zone->waves = waves;
    for (unsigned runs = 1; runs < RUNS_MAX; runs++) {
        if (evaluate(&lookup, context))
            return runs;
        map_each(zone->kept, learn, NULL);
    }
    return 0;
}

size_t zone_asked(const struct zone *zone)
{
    return map_count(zone->kept);
}

bool zone_was_asked(const struct zone *zone, const char *question)
{
    return map_peek(zone->kept, question, strlen(question)) != NULL;
}
