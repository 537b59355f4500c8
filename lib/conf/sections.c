/* SPDX-License-Identifier: BSD-2-Clause */
/* From sections as they were written to the structs of conf.h. */
#include "lib/base/domain.h"
#include "lib/base/mem.h"
#include "lib/conf/private.h"
#include "lib/conf/types.h"

#include <stdlib.h>
#include <string.h>

#define WARMUP_WINDOW_SEC 86400
#define NAME_MAX_LENGTH 64 /* of a limit or class: it stands in log lines and in the store */

/* "limit daily: " before a problem, "" in the root. */
static void print_section(struct text *text, const struct raw_section *raw)
{
    if (raw->kind == SECTION_ROOT)
        return;
    text_print(text, "%s %s: ", schema_sections[raw->kind].name, raw->title);
}

static void complain(struct load *load, const struct raw_section *raw,
                     const struct conf_place *place, const char *what)
{
    struct text text = TEXT_EMPTY;

    print_section(&text, raw);
    text_add_string(&text, what);
    problem_add(load->problems, place, "%s", text_string(&text));
    text_free(&text);
}

/* name = "value": what is wrong: expected ...; did you mean "..."? */
static void value_problem(struct load *load, const struct raw_section *raw,
                          const struct raw_value *value, const struct reading *reading)
{
    const struct conf_option *option = reading->option;
    char *masked = type_masked(option, value->text);
    struct text text = TEXT_EMPTY;

    text_print(&text, "%s = ", option->name);
    problem_quote(&text, masked);
    text_add_string(&text, ": ");
    text_add(&text, text_string(&reading->why), reading->why.length);
    if (reading->expected == NULL || *reading->expected != '\0') {
        text_print(&text, "%sexpected ", reading->why.length > 0 ? "; " : "");
        if (reading->expected != NULL)
            text_add_string(&text, reading->expected);
        else
            type_expect(option, load->words, &text);
    }
    problem_suggest(&text, reading->nearest);
    complain(load, raw, &value->place, text_string(&text));
    free(masked);
    text_free(&text);
}

static void read_value(struct load *load, const struct raw_section *raw,
                       const struct raw_value *value, struct reading *reading)
{
    if (!type_read(reading, value->text))
        value_problem(load, raw, value, reading);
    text_free(&reading->why);
    free(reading->expected);
    free(reading->nearest);
    reading->expected = NULL;
    reading->nearest = NULL;
}

static void option_problem(struct load *load, const struct raw_section *raw,
                           const struct conf_place *place, const struct conf_option *option,
                           const char *what)
{
    struct text text = TEXT_EMPTY;

    text_print(&text, "%s %s: expected ", option->name, what);
    type_expect(option, load->words, &text);
    complain(load, raw, place, text_string(&text));
    text_free(&text);
}

static void read_option(struct load *load, const struct raw_section *raw, struct reading *reading)
{
    const struct conf_option *option = reading->option;
    const struct raw_option *given = raw_find(raw, option);

    if (given == NULL) {
        struct raw_value fallback = {(char *)(uintptr_t)option->fallback, raw->place};

        if (option->mandatory)
            option_problem(load, raw, &raw->place, option, "is missing");
        else if (option->fallback != NULL)
            read_value(load, raw, &fallback, reading);
    } else if (!option->list && given->nvalues != 1) {
        option_problem(load, raw,
                       given->nvalues > 0 ? &given->values[given->nvalues - 1].place : &raw->place,
                       option, "takes one value, not a list");
    } else {
        for (size_t i = 0; i < given->nvalues; i++)
            read_value(load, raw, &given->values[i], reading);
    }
}

/* Reads all options of the section's kind into base. */
static void read_options(struct load *load, const struct raw_section *raw, void *base, bool bytes)
{
    for (size_t i = 0; i < schema_option_count; i++) {
        struct reading reading = {
            .option = &schema_options[i], .words = load->words, .base = base, .bytes = bytes};

        if (schema_options[i].section == raw->kind)
            read_option(load, raw, &reading);
    }
}

/* The raw value of an option that stands before another in meaning, or NULL. */
static const char *peek(const struct raw_section *raw, const char *name)
{
    const struct raw_option *option = raw_find(raw, schema_option(raw->kind, name));

    return option != NULL && option->nvalues == 1 ? option->values[0].text : NULL;
}

static void check_name(struct load *load, const struct raw_section *raw)
{
    size_t length = strlen(raw->title);

    for (const char *p = raw->title; *p != '\0'; p++)
        if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.", *p) == NULL)
            length = 0;
    if (length == 0 || length > NAME_MAX_LENGTH)
        complain(load, raw, &raw->place,
                 "expected a name of at most 64 letters, digits, '-', '_' and '.'");
}

static void read_limit(struct load *load, const struct raw_section *raw, void *element)
{
    struct conf_limit *limit = element;
    const char *count = peek(raw, "count");

    check_name(load, raw);
    limit->name = mem_copy(raw->title);
    limit->over = -1;
    read_options(load, raw, limit, count != NULL && strcmp(count, "bytes") == 0);
}

/* Each value made one member, unless it was wrong. */
static void set_member_places(const struct raw_section *raw, struct conf_class *class)
{
    const struct raw_option *given = raw_find(raw, schema_option(SECTION_CLASS, "members"));

    for (size_t i = 0; i < class->nmembers; i++)
        class->members[i].place = given != NULL && given->nvalues == class->nmembers
                                      ? given->values[i].place
                                      : raw->place;
}

static void read_class(struct load *load, const struct raw_section *raw, void *element)
{
    struct conf_class *class = element;

    check_name(load, raw);
    class->name = mem_copy(raw->title);
    read_options(load, raw, class, false);
    set_member_places(raw, class);
    class->limits = mem_new(raw->nchildren + 1, sizeof(*class->limits));
    for (size_t i = 0; i < raw->nchildren; i++) {
        const struct raw_section *child = &raw->children[i];
        struct conf_class_limit *limit = &class->limits[class->nlimits++];

        for (size_t j = 0; j < load->conf->nlimits; j++)
            if (strcmp(load->conf->limits[j].name, child->title) == 0)
                limit->limit = &load->conf->limits[j];
        limit->from = class;
        limit->place = child->place;
        read_options(load, child, limit,
                     limit->limit != NULL && limit->limit->count == COUNT_BYTES);
    }
}

/* Its name in log lines, and whose use it is in the store: "198.51.100.9/gmail.com". */
static char *warmup_name(const struct conf_warmup *warmup)
{
    struct text text = TEXT_EMPTY;

    text_add_string(&text, warmup->title);
    for (size_t i = 0; i < warmup->destinations.count; i++)
        text_print(&text, "%c%s", i == 0 ? '/' : ',', warmup->destinations.items[i]);
    return text_take(&text);
}

static void read_warmup(struct load *load, const struct raw_section *raw, void *element)
{
    struct conf_warmup *warmup = element;
    char text[IP_TEXT_MAX];

    if (ip_parse(raw->title, &warmup->address)) {
        ip_format(&warmup->address, text);
        warmup->title = mem_copy(text);
    } else {
        warmup->address.family = 0;
        warmup->title = domain_copy(raw->title);
    }
    if (warmup->title == NULL) {
        complain(load, raw, &raw->place, "expected an IP address or a domain as its title");
        warmup->title = mem_copy(raw->title);
    }
    warmup->limit = (struct conf_limit){.subject = SUBJECT_ALL,
                                        .count = COUNT_MESSAGES,
                                        .window_sec = WARMUP_WINDOW_SEC,
                                        .over = -1,
                                        .warmup = warmup,
                                        .place = raw->place};
    read_options(load, raw, warmup, false);
    warmup->limit.name = warmup_name(warmup);
}

static void read_sign(struct load *load, const struct raw_section *raw, void *element)
{
    struct conf_sign *sign = element;

    sign->subdomains = strncmp(raw->title, "*.", 2) == 0;
    sign->domain = domain_copy(raw->title + (sign->subdomains ? 2 : 0));
    if (sign->domain == NULL) {
        complain(load, raw, &raw->place, "expected a domain or *.DOMAIN as its title");
        sign->domain = mem_copy(raw->title);
    }
    sign->canonicalization = -1;
    sign->expire_ms = -1;
    read_options(load, raw, sign, false);
}

static void read_relay(struct load *load, const struct raw_section *raw, void *element)
{
    struct conf_relay *relay = element;

    relay->name = mem_copy(raw->title);
    read_options(load, raw, relay, false);
}

static void read_cause(struct load *load, const struct raw_section *raw, void *element)
{
    struct conf_cause *cause = element;

    cause->id = mem_copy(raw->title);
    cause->action = cause->mode = -1;
    if (raw->noptions == 0)
        complain(load, raw, &raw->place, "nothing is said of it: expected action, mode or suspend");
    read_options(load, raw, cause, false);
}

static void read_notify(struct load *load, const struct raw_section *raw, void *element)
{
    struct conf_notify *notify = element;

    check_name(load, raw);
    notify->name = mem_copy(raw->title);
    read_options(load, raw, notify, false);
}

/* "*", ".example.com" or "example.com". */
static char *verify_title(const char *title)
{
    char *domain = title[0] == '.' ? domain_copy(title + 1) : domain_copy(title);
    char *normal = NULL;

    if (strcmp(title, "*") == 0)
        normal = mem_copy(title);
    else if (domain != NULL)
        normal = mem_print("%s%s", title[0] == '.' ? "." : "", domain);
    free(domain);
    return normal;
}

static void read_verify(struct load *load, const struct raw_section *raw, void *element)
{
    struct conf_verify *verify = element;

    verify->domain = verify_title(raw->title);
    if (verify->domain == NULL) {
        complain(load, raw, &raw->place, "expected a domain, .DOMAIN or * as its title");
        verify->domain = mem_copy(raw->title);
    }
    for (size_t i = 0; i < CONF_RESULT_COUNT; i++)
        verify->actions[i] = -1;
    read_options(load, raw, verify, false);
}

static void read_blocklist(struct load *load, const struct raw_section *raw, void *element)
{
    struct conf_blocklist *blocklist = element;

    blocklist->zone = domain_copy(raw->title);
    if (blocklist->zone == NULL) {
        complain(load, raw, &raw->place, "expected a domain as its title");
        blocklist->zone = mem_copy(raw->title);
    }
    read_options(load, raw, blocklist, false);
}

/* The kinds of sections in the root, in the order in which they can be read: classes name limits.
 */
static const struct kind {
    size_t array; /* in struct conf */
    size_t count;
    size_t size;
    size_t title; /* in the element */
    size_t place;
    void (*read)(struct load *load, const struct raw_section *raw, void *element);
} kinds[SECTION_COUNT] = {
#define KIND(type, array_, title_, read_)                                                          \
    {                                                                                              \
        offsetof(struct conf, array_), offsetof(struct conf, n##array_), sizeof(struct type),      \
            offsetof(struct type, title_), offsetof(struct type, place), read_                     \
    }
    [SECTION_LIMIT] = KIND(conf_limit, limits, name, read_limit),
    [SECTION_CLASS] = KIND(conf_class, classes, name, read_class),
    [SECTION_WARMUP] = KIND(conf_warmup, warmups, title, read_warmup),
    [SECTION_SIGN] = KIND(conf_sign, signs, domain, read_sign),
    [SECTION_RELAY] = KIND(conf_relay, relays, name, read_relay),
    [SECTION_CAUSE] = KIND(conf_cause, causes, id, read_cause),
    [SECTION_NOTIFY] = KIND(conf_notify, notifies, name, read_notify),
    [SECTION_VERIFY] = KIND(conf_verify, verifies, domain, read_verify),
    [SECTION_BLOCKLIST] = KIND(conf_blocklist, blocklists, zone, read_blocklist),
};

static void *get_pointer(const void *base, size_t offset)
{
    void *pointer;

    memcpy(&pointer, (const char *)base + offset, sizeof(pointer));
    return pointer;
}

static void set_pointer(void *base, size_t offset, void *pointer)
{
    memcpy((char *)base + offset, &pointer, sizeof(pointer));
}

static size_t get_count(const struct conf *conf, const struct kind *kind)
{
    size_t count;

    memcpy(&count, (const char *)conf + kind->count, sizeof(count));
    return count;
}

static void read_sections(struct load *load, enum section_kind section)
{
    const struct kind *kind = &kinds[section];
    const struct raw_section *root = &load->kept->root;
    char *array = mem_new(root->nchildren + 1, kind->size);
    size_t count = 0;

    set_pointer(load->conf, kind->array, array);
    for (size_t i = 0; i < root->nchildren; i++) {
        const struct raw_section *raw = &root->children[i];
        char *element = array + count * kind->size;

        if (raw->kind != section)
            continue;
        kind->read(load, raw, element);
        memcpy(element + kind->place, &raw->place, sizeof(raw->place));
        count++;
        memcpy((char *)load->conf + kind->count, &count, sizeof(count));
    }
}

/* What must not be written twice: the title, as stored, since those that differ in letters or case
 * only name the same domain or address; a domain may be signed with several selectors.  The caller
 * frees it. */
static char *identity(enum section_kind section, const char *element)
{
    const struct conf_sign *sign = (const void *)element;

    if (section == SECTION_SIGN && sign->selector != NULL)
        return mem_print("%s%s (selector %s)", sign->subdomains ? "*." : "", sign->domain,
                         sign->selector);
    if (section == SECTION_WARMUP)
        return mem_copy(((const struct conf_warmup *)(const void *)element)->limit.name);
    return mem_copy(get_pointer(element, kinds[section].title));
}

/* A cause may be written again, and the last one holds: a file can so change what it includes. */
static void check_duplicates(struct load *load, enum section_kind section)
{
    const struct kind *kind = &kinds[section];
    const char *array = get_pointer(load->conf, kind->array);
    size_t count = get_count(load->conf, kind);
    struct map *seen = map_new();

    for (size_t i = 0; i < count && section != SECTION_CAUSE; i++) {
        const char *element = array + i * kind->size;
        char *name = identity(section, element);
        struct conf_place place;
        struct conf_place *first;

        memcpy(&place, element + kind->place, sizeof(place));
        first = map_peek(seen, name, strlen(name));
        if (first != NULL)
            problem_add(load->problems, &place, "%s %s is written twice: the first is at %s:%u",
                        schema_sections[section].name, name, first->file, first->line);
        else
            map_put(seen, name, strlen(name), (void *)(uintptr_t)(element + kind->place));
        free(name);
    }
    map_free(&seen, NULL);
}

void sections_read(struct load *load)
{
    read_options(load, &load->kept->root, load->conf, false);
    for (enum section_kind kind = SECTION_ROOT + 1; kind < SECTION_COUNT; kind++) {
        if (kinds[kind].read == NULL)
            continue;
        read_sections(load, kind);
        check_duplicates(load, kind);
    }
}

static void clear_options(enum section_kind section, void *base)
{
    for (size_t i = 0; i < schema_option_count; i++)
        if (schema_options[i].section == section)
            type_clear(&schema_options[i], base);
}

void sections_clear(struct conf *conf)
{
    for (size_t i = 0; i < conf->nclasses; i++)
        free(conf->classes[i].limits);
    for (size_t i = 0; i < conf->nwarmups; i++)
        free(conf->warmups[i].limit.name);
    for (enum section_kind section = SECTION_ROOT + 1; section < SECTION_COUNT; section++) {
        const struct kind *kind = &kinds[section];
        char *array;

        if (kind->read == NULL)
            continue;
        array = get_pointer(conf, kind->array);
        for (size_t i = 0; i < get_count(conf, kind); i++) {
            char *element = array + i * kind->size;

            free(get_pointer(element, kind->title));
            clear_options(section, element);
        }
        free(array);
    }
    clear_options(SECTION_ROOT, conf);
}
