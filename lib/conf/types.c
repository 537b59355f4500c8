/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of types, and what they share. */
#include "lib/conf/types.h"

#include "lib/base/mem.h"
#include "lib/conf/dataset.h"
#include "lib/conf/store_url.h"
#include "lib/conf/table.h"

#include <stdlib.h>
#include <string.h>

enum range { RANGE_NONE, RANGE_NUMBER, RANGE_DURATION, RANGE_SECONDS, RANGE_SIZE };
enum stored { STORED_NUMBER, STORED_STRING, STORED_STRINGS, STORED_ARRAY };

/* What a type is: its reader, how it is spoken of, and what type_clear() has to free. */
struct type {
    type_reader *read;
    const char *noun;
    enum range range;
    const char *example;
    enum stored stored;
};

static const struct type types[TYPE_COUNT] = {
    [TYPE_BOOLEAN] = {type_read_boolean, "yes or no", 0, NULL, STORED_NUMBER},
    [TYPE_INTEGER] = {type_read_integer, "a number", RANGE_NUMBER, NULL, STORED_NUMBER},
    [TYPE_AMOUNT] = {type_read_amount, "a number", RANGE_NUMBER, NULL, STORED_NUMBER},
    [TYPE_DURATION] = {type_read_duration, "a time", RANGE_DURATION, "500ms, 90s, 10m or 24h",
                       STORED_NUMBER},
    [TYPE_PER] = {type_read_per, "message, or a time", RANGE_SECONDS, "1m, 24h or 7d",
                  STORED_NUMBER},
    [TYPE_SIZE] = {type_read_size, "a size", RANGE_SIZE, "500K or 10M", STORED_NUMBER},
    [TYPE_PERCENT] = {type_read_percent, "a percentage from 0 to 100", 0, "80%", STORED_NUMBER},
    [TYPE_MODE] = {type_read_mode, "an octal mode from 0000 to 0777", 0, "0660", STORED_NUMBER},
    [TYPE_FACTOR] = {type_read_factor, "a factor", RANGE_NUMBER, "1.5", STORED_NUMBER},
    [TYPE_DATE] = {type_read_date, "a date", 0, "2026-11-20", STORED_NUMBER},
    [TYPE_WORD] = {type_read_word, NULL, 0, NULL, STORED_NUMBER},
    [TYPE_ACTION] = {type_read_action, NULL, 0, NULL, STORED_NUMBER},
    [TYPE_OVER] = {type_read_over, NULL, 0, NULL, STORED_NUMBER},
    [TYPE_STRING] = {type_read_string, "a text", 0, NULL, STORED_STRING},
    [TYPE_ACCOUNT] = {type_read_account, "a name or number of the system's accounts", 0, NULL,
                      STORED_STRING},
    [TYPE_DELIMITERS] = {type_read_delimiters, "punctuation", 0, "+ or +-", STORED_STRING},
    [TYPE_HOSTNAME] = {type_read_hostname, "a host name", 0, "mx1.example.com", STORED_STRING},
    [TYPE_PATH] = {type_read_path, "a path from the root", 0, "/etc/sluice/file", STORED_STRING},
    [TYPE_DATASET] = {type_read_dataset,
                      "a path from the root, file:PATH, refile:PATH or csl:NAME=VALUE,...", 0,
                      "refile:/etc/opendkim/signing.table", STORED_STRING},
    [TYPE_FILES] = {type_read_files, "paths from the root", 0, "/etc/sluice/file", STORED_STRINGS},
    [TYPE_MAIL_LOG] = {type_read_mail_log, "paths from the root, stdin or journal", 0,
                       "/var/log/mail.log", STORED_STRINGS},
    [TYPE_SECRET] = {type_read_secret, "a path from the root", 0, "/etc/sluice/secret",
                     STORED_STRING},
    [TYPE_SELECTOR] = {type_read_selector, "a selector", 0, "s1 or 2026.mail", STORED_STRING},
    [TYPE_LOG] = {type_read_log, "syslog, syslog:/socket, stderr or file:/path", 0, NULL,
                  STORED_STRING},
    [TYPE_STORE] = {type_read_store,
                    "unix:/path, redis://[user[:password]@]host[:port][/db], "
                    "sentinel://host,...[/db]?master=name, cluster://host,..., local or memory:",
                    0, NULL, STORED_STRING},
    [TYPE_RESOLVER] = {type_read_resolver, "system, or addresses", 0, "127.0.0.1@5353",
                       STORED_STRING},
    [TYPE_LISTEN] = {type_read_listen, "unix:/path or inet:HOST:PORT", 0, "inet:127.0.0.1:10031",
                     STORED_ARRAY},
    [TYPE_NETWORK] = {type_read_network, "addresses and networks", 0, "10.0.0.0/8 or 2001:db8::/32",
                      STORED_ARRAY},
    [TYPE_ADDRESS] = {type_read_address, "addresses", 0, "198.51.100.9 or 2001:db8::9",
                      STORED_ARRAY},
    [TYPE_DOMAIN] = {type_read_domain, "domains", 0, "example.com or .example.com", STORED_STRINGS},
    [TYPE_EXTENSION] = {type_read_extension, "extensions of files", 0, "exe or js", STORED_STRINGS},
    [TYPE_FIELD] = {type_read_field, "names of header fields", 0, "Subject or List-*",
                    STORED_STRINGS},
    [TYPE_MEMBER] = {type_read_member, "addresses, logins, @domains, networks and tables", 0,
                     "news@example.com, @example.com, @.example.com, 192.0.2.0/24 or "
                     "texthash:/etc/sluice/members",
                     STORED_ARRAY},
    [TYPE_LOOKUP] = {type_read_lookup,
                     "store, socketmap:unix:/path:NAME or socketmap:inet:HOST:PORT:NAME", 0, NULL,
                     STORED_ARRAY},
    [TYPE_TEMPLATE] = {type_read_template, "a path from the root", 0, "/etc/sluice/notice.txt",
                       STORED_STRING},
    [TYPE_NAMES] = {type_read_names, "names", 0, NULL, STORED_STRINGS},
    [TYPE_LOGIN_RULE] = {type_read_login_rule, "equal, domain or a table", 0,
                         "texthash:/etc/sluice/senders", STORED_ARRAY},
    [TYPE_SUSPEND] = {type_read_suspend, "how long, and after how many in what time", 0,
                      "12h after 3 in 10m", STORED_NUMBER},
};

bool type_read(struct reading *reading, const char *value)
{
    /* Values go into log lines, replies and DNS names: none has use for these. */
    for (const char *p = value; *p != '\0'; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f) {
            text_add_string(&reading->why, "it holds a control character");
            return false;
        }
    }
    return types[reading->option->type].read(reading, value);
}

static void add_range(const struct conf_option *option, enum range range, struct text *text)
{
    int64_t bounds[2] = {option->least, option->most};

    if (range == RANGE_NONE || (option->least == 0 && option->most == 0))
        return;
    for (size_t i = 0; i < 2; i++) {
        text_add_string(text, i == 0 ? " from " : " to ");
        if (range == RANGE_NUMBER)
            text_print(text, "%lld", (long long)bounds[i]);
        else if (range == RANGE_SIZE)
            type_print_size(text, bounds[i]);
        else
            type_print_duration(text, range == RANGE_SECONDS ? bounds[i] * 1000 : bounds[i]);
    }
}

static void add_word(struct text *text, const char *word, bool last)
{
    if (text->length > 0)
        text_add_string(text, last ? " or " : ", ");
    text_add_string(text, word);
}

static void add_words(const struct conf_option *option, const struct conf_words *words,
                      struct text *text)
{
    struct text list = TEXT_EMPTY;

    if (option->type == TYPE_WORD) {
        for (const struct option_word *word = option->words; word->word != NULL; word++)
            add_word(&list, word->word, word[1].word == NULL);
    } else if (words != NULL) {
        for (size_t i = option->type == TYPE_OVER ? 1 : 0; i < words->nactions; i++)
            add_word(&list, words->actions[i], i + 1 == words->nactions);
    } else {
        text_add_string(&list, "an action");
    }
    text_add(text, text_string(&list), list.length);
    text_free(&list);
}

void type_expect(const struct conf_option *option, const struct conf_words *words,
                 struct text *text)
{
    const struct type *type = &types[option->type];

    if (type->noun == NULL)
        add_words(option, words, text);
    else
        text_add_string(text, type->noun);
    add_range(option, type->range, text);
    if (type->example != NULL)
        text_print(text, ", such as %s", type->example);
}

void type_store(const struct reading *reading, int64_t number)
{
    char *member = reading->base + reading->option->offset;
    int as_int = (int)number;
    bool as_bool = number != 0;

    switch (reading->option->width) {
    case sizeof(int64_t):
        memcpy(member, &number, sizeof(number));
        break;
    case sizeof(int):
        memcpy(member, &as_int, sizeof(as_int));
        break;
    case sizeof(bool):
        memcpy(member, &as_bool, sizeof(as_bool));
        break;
    default:
        abort(); /* the schema names a member of another type */
    }
}

/* The pointer in a member; its type differs, its representation does not. */
static void *get_pointer(const char *member)
{
    void *pointer;

    memcpy(&pointer, member, sizeof(pointer));
    return pointer;
}

static void set_pointer(char *member, void *pointer)
{
    memcpy(member, &pointer, sizeof(pointer));
}

void type_store_string(const struct reading *reading, char *string)
{
    char *member = reading->base + reading->option->offset;

    free(get_pointer(member));
    set_pointer(member, string);
}

struct strings *type_strings(const struct reading *reading)
{
    return (struct strings *)(void *)(reading->base + reading->option->offset);
}

void *type_add(const struct reading *reading, size_t size)
{
    char *member = reading->base + reading->option->offset;
    size_t *count = (size_t *)(void *)(reading->base + reading->option->count_offset);
    char *array = mem_grow(get_pointer(member), *count + 1, size);
    char *element = array + *count * size;

    memset(element, 0, size);
    set_pointer(member, array);
    ++*count;
    return element;
}

/* What the elements of an array own. */
static void clear_elements(const struct conf_option *option, void *array, size_t count)
{
    struct conf_listen *listen = array;
    struct conf_login_rule *rules = array;
    struct conf_member *members = array;
    struct conf_lookup *lookups = array;

    for (size_t i = 0; i < count; i++) {
        if (option->type == TYPE_LISTEN) {
            free(listen[i].path);
            free(listen[i].host);
        } else if (option->type == TYPE_LOGIN_RULE) {
            table_free(&rules[i].table);
        } else if (option->type == TYPE_LOOKUP) {
            free(lookups[i].text);
            free(lookups[i].path);
            free(lookups[i].host);
            free(lookups[i].table);
        } else if (option->type == TYPE_MEMBER) {
            free(members[i].text);
            table_free(&members[i].table);
        }
    }
}

char *type_masked(const struct conf_option *option, const char *value)
{
    if (option->type == TYPE_STORE)
        return store_url_masked(value);
    return option->type == TYPE_DATASET ? dataset_masked(value) : mem_copy(value);
}

void type_clear(const struct conf_option *option, char *base)
{
    char *member = base + option->offset;
    enum stored stored = types[option->type].stored;
    size_t *count = (size_t *)(void *)(base + option->count_offset);

    if (stored == STORED_STRINGS) {
        strings_free((struct strings *)(void *)member);
    } else if (stored == STORED_STRING) {
        char *string = get_pointer(member);

        if (string != NULL && (option->type == TYPE_SECRET || option->type == TYPE_DATASET))
            explicit_bzero(string, strlen(string));
        free(string);
        set_pointer(member, NULL);
    } else if (stored == STORED_ARRAY) {
        clear_elements(option, get_pointer(member), *count);
        free(get_pointer(member));
        set_pointer(member, NULL);
        *count = 0;
    }
}
