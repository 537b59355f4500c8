/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which maximum a limit has for someone.
 *
 * Asked for each limit of each message, with classes of any number of members: members are looked
 * up in tables, by name and by network.
 */
#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "lib/conf/names.h"
#include "lib/conf/private.h"
#include "lib/conf/table.h"

#include <stdlib.h>
#include <string.h>

#define NETWORK_KEY 18 /* family, prefix, address */

/* The classes that have one member, and as which of theirs. */
struct class_list {
    struct class_entry *entries;
    size_t count;
};

static void free_list(void *value)
{
    struct class_list *list = value;

    free(list->entries);
    free(list);
}

static void add_member(struct map *map, const void *key, size_t length, struct class_entry entry)
{
    struct class_list *list = map_peek(map, key, length);

    if (list == NULL) {
        list = mem_new(1, sizeof(*list));
        map_put(map, key, length, list);
    }
    list->entries = mem_grow(list->entries, list->count + 1, sizeof(*list->entries));
    list->entries[list->count++] = entry;
}

/* Field by field: a key must have no padding in it. */
static void network_key(const struct ip_network *network, unsigned char key_r[NETWORK_KEY])
{
    key_r[0] = network->address.family;
    key_r[1] = network->prefix;
    memcpy(key_r + 2, network->address.bytes, sizeof(network->address.bytes));
}

static void index_member(struct class_index *index, struct class_entry entry)
{
    const char *text = entry.member->text;
    struct ip_network network;
    const char *problem;
    unsigned char key[NETWORK_KEY];

    if (entry.member->table != NULL) {
        index->tables = mem_grow(index->tables, index->ntables + 1, sizeof(*index->tables));
        index->tables[index->ntables++] = entry;
    } else if (ip_network_parse(text, &network, &problem)) {
        network_key(&network, key);
        add_member(index->networks, key, sizeof(key), entry);
        index->prefixes[network.address.family == 6][network.prefix] = true;
        index->any_networks = true;
    } else {
        add_member(index->names, text, strlen(text), entry);
        index->subdomains = index->subdomains || strncmp(text, "@.", 2) == 0;
    }
}

void classes_index(const struct conf *conf, struct class_index *index)
{
    index->names = map_new();
    index->networks = map_new();
    for (size_t i = 0; i < conf->nclasses; i++)
        for (size_t j = 0; j < conf->classes[i].nmembers; j++)
            index_member(index,
                         (struct class_entry){&conf->classes[i], &conf->classes[i].members[j]});
}

void classes_clear(struct class_index *index)
{
    map_free(&index->names, free_list);
    map_free(&index->networks, free_list);
    free(index->tables);
    index->tables = NULL;
}

const struct conf_class *conf_class(const struct conf *conf, const char *name)
{
    for (size_t i = 0; i < conf->nclasses; i++)
        if (strcmp(conf->classes[i].name, name) == 0)
            return &conf->classes[i];
    return NULL;
}

/* Someone's name as the index has it. */
struct name {
    char text[CLASS_ADDRESS_MAX];
    size_t length; /* 0: there is none */
    size_t local; /* octets before the '@' */
    size_t plain; /* octets before a subaddress */
};

static void take_name(const struct conf *conf, const char *string, struct name *name_r)
{
    const char *at;

    name_r->length = strlen(string);
    if (name_r->length >= sizeof(name_r->text))
        name_r->length = 0;
    memcpy(name_r->text, string, name_r->length);
    name_r->text[name_r->length] = '\0';
    text_lower(name_r->text);
    at = names_at(name_r->text);
    name_r->local = at != NULL ? (size_t)(at - name_r->text) : name_r->length;
    name_r->plain = strcspn(name_r->text, conf->recipient_delimiter);
    if (name_r->plain == 0 || name_r->plain > name_r->local)
        name_r->plain = name_r->local;
}

/* What is looked for, and what was found. */
struct search {
    const struct conf *conf;
    const struct class_index *index;
    const struct conf_limit *limit;
    const struct conf_person *person;
    struct name user, sender;
    enum { UNKNOWN, MAY, MAY_NOT } sender_use; /* whether the login may use the sender */
    struct conf_match *matches;
    size_t count, room;
    size_t begin; /* of those that are alike */
};

/* Anyone can write any sender: with a login it counts only where the login may use it. */
static bool sender_counts(struct search *search)
{
    const struct conf_person *person = search->person;

    if (search->sender_use == UNKNOWN)
        search->sender_use = search->user.length == 0 ||
                                     conf_login_may_use(search->conf, person->login, person->sender)
                                 ? MAY
                                 : MAY_NOT;
    return search->sender_use == MAY;
}

static const struct conf_class_limit *limit_in(const struct conf_class *class,
                                               const struct conf_limit *limit)
{
    for (size_t i = 0; i < class->nlimits; i++)
        if (class->limits[i].limit == limit)
            return &class->limits[i];
    return NULL;
}

/* Keeps a class in its place among those that are alike: the later one first. */
static void add_match(struct search *search, struct class_entry entry, struct conf_place place)
{
    const struct conf_class_limit *limit = limit_in(entry.class, search->limit);
    size_t at = search->count;

    for (size_t i = 0; i < search->count; i++)
        if (search->matches[i].class == entry.class)
            return;
    while (at > search->begin && search->matches[at - 1].class < entry.class)
        at--;
    if (limit == NULL || at == search->room)
        return;
    if (search->count == search->room)
        search->count--;
    memmove(&search->matches[at + 1], &search->matches[at],
            (search->count - at) * sizeof(*search->matches));
    search->matches[at] = (struct conf_match){entry.class, limit, entry.member, place};
    search->count++;
}

static void add_list(struct search *search, const struct class_list *list, bool of_sender)
{
    static const struct conf_place nowhere = {NULL, 0};

    for (size_t i = list != NULL ? list->count : 0; i > 0; i--)
        if (!of_sender || sender_counts(search))
            add_match(search, list->entries[i - 1], nowhere);
}

/* Patterns are asked for what is whole only. */
static void search_tables(struct search *search, const char *key, bool whole, bool of_sender)
{
    for (size_t i = search->index->ntables; i > 0; i--) {
        struct class_entry entry = search->index->tables[i - 1];
        struct conf_place place = {NULL, 0};
        char *value = NULL;

        if (whole || !table_has_patterns(entry.member->table))
            value = table_find_place(entry.member->table, key, &place.file, &place.line);
        if (value != NULL && (!of_sender || sender_counts(search)))
            add_match(search, entry, place);
        free(value);
    }
}

static void search_name(struct search *search, const char *key, size_t length, bool whole,
                        const struct name *name)
{
    bool of_sender = name == &search->sender;

    if (length == 0)
        return;
    add_list(search, map_peek(search->index->names, key, length), of_sender);
    if (search->index->ntables > 0)
        search_tables(search, key, whole, of_sender);
}

static void search_whole(struct search *search, const struct name *name)
{
    search_name(search, name->text, name->length, true, name);
}

/* Without its subaddress. */
static void search_plain(struct search *search, const struct name *name)
{
    char plain[CLASS_ADDRESS_MAX];

    if (name->plain == name->local)
        return;
    memcpy(plain, name->text, name->plain);
    /* With the zero. */
    memcpy(plain + name->plain, name->text + name->local, name->length - name->local + 1);
    search_name(search, plain, strlen(plain), false, name);
}

/* From the '@' on; a name without one has no domain. */
static void search_domain(struct search *search, const struct name *name)
{
    search_name(search, name->text + name->local, name->length - name->local, false, name);
}

typedef void step(struct search *search, const struct name *name);

/* Whether there is enough, so that those of the next step are not needed. */
static bool end_step(struct search *search)
{
    search->begin = search->count;
    return search->count == search->room;
}

static bool search_both(struct search *search, step *look)
{
    look(search, &search->user);
    look(search, &search->sender);
    return end_step(search);
}

/* The domains above a name's, the nearest first. */
static void search_above(struct search *search, const struct name *name)
{
    char key[CLASS_ADDRESS_MAX + 1] = "@";

    if (name->local == name->length)
        return;
    for (const char *dot = strchr(name->text + name->local, '.'); dot != NULL;
         dot = strchr(dot + 1, '.')) {
        mem_copy_bytes(key + 1, dot, strlen(dot) + 1);
        search_name(search, key, strlen(key), false, name);
        if (end_step(search))
            return;
    }
}

/* As access(5) has them: the address, then its first octets. */
static void search_client_tables(struct search *search)
{
    char key[IP_TEXT_MAX];
    bool whole = true;

    ip_format(search->person->client, key);
    for (char *end = key + strlen(key); end != NULL; end = strrchr(key, '.')) {
        *end = '\0';
        search_tables(search, key, whole, false);
        if (end_step(search))
            return;
        whole = false;
    }
}

static void search_networks(struct search *search)
{
    const struct class_index *index = search->index;
    const struct ip_address *client = search->person->client;

    if (client == NULL || client->family == 0)
        return;
    if (index->ntables > 0)
        search_client_tables(search);
    if (!index->any_networks)
        return;
    for (unsigned prefix = client->family == 4 ? 33 : 129; prefix-- > 0;) {
        unsigned char key[NETWORK_KEY];
        struct ip_network network;

        if (!index->prefixes[client->family == 6][prefix])
            continue;
        network = ip_network_of(client, prefix);
        network_key(&network, key);
        add_list(search, map_peek(index->networks, key, sizeof(key)), false);
        if (end_step(search))
            return;
    }
}

size_t conf_matches(const struct conf *conf, const struct conf_limit *limit,
                    const struct conf_person *person, struct conf_match *matches_r, size_t room)
{
    static step *const steps[] = {search_whole, search_plain, search_domain};
    static const struct conf_place nowhere = {NULL, 0};
    struct search search = {.conf = conf,
                            .index = &conf_kept(conf)->classes,
                            .limit = limit,
                            .person = person,
                            .matches = matches_r,
                            .room = room};
    const struct conf_class *named = person->class ? conf_class(conf, person->class) : NULL;

    if (conf->nclasses == 0 || room == 0)
        return 0;
    if (named != NULL)
        add_match(&search, (struct class_entry){named, NULL}, nowhere);
    if (end_step(&search))
        return search.count;
    take_name(conf, person->login != NULL ? person->login : "", &search.user);
    take_name(conf, person->sender != NULL ? person->sender : "", &search.sender);
    for (size_t i = 0; i < COUNT_OF(steps); i++)
        if (search_both(&search, steps[i]))
            return search.count;
    if (search.index->subdomains || search.index->ntables > 0) {
        search_above(&search, &search.user);
        search_above(&search, &search.sender);
    }
    if (search.count < room)
        search_networks(&search);
    return search.count;
}

int64_t conf_limit_max(const struct conf *conf, const struct conf_limit *limit,
                       const struct conf_person *person, struct conf_match *match_r)
{
    struct conf_match match = {.class = NULL};
    size_t count = conf_matches(conf, limit, person, &match, 1);

    if (match_r != NULL)
        *match_r = match;
    return count > 0 ? match.limit->max : limit->max;
}
