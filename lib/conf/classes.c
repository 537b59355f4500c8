/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which maximum a limit has for someone.
 *
 * Asked for each limit of each message, with classes of any number of members: members are looked
 * up in tables, by name and by network.
 */
#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "lib/conf/names.h"
#include "lib/conf/private.h"

#include <stdlib.h>
#include <string.h>

#define NETWORK_KEY 18 /* family, prefix, address */

/* The classes that have one member, in the order in which they are written. */
struct class_list {
    const struct conf_class **classes;
    size_t count;
};

static void free_list(void *value)
{
    struct class_list *list = value;

    free(list->classes);
    free(list);
}

static void add_member(struct map *map, const void *key, size_t length,
                       const struct conf_class *class)
{
    struct class_list *list = map_peek(map, key, length);

    if (list == NULL) {
        list = mem_new(1, sizeof(*list));
        map_put(map, key, length, list);
    }
    list->classes = mem_grow(list->classes, list->count + 1, sizeof(*list->classes));
    list->classes[list->count++] = class;
}

/* Field by field: a key must have no padding in it. */
static void network_key(const struct ip_network *network, unsigned char key_r[NETWORK_KEY])
{
    key_r[0] = network->address.family;
    key_r[1] = network->prefix;
    memcpy(key_r + 2, network->address.bytes, sizeof(network->address.bytes));
}

void classes_index(const struct conf *conf, struct class_index *index)
{
    index->names = map_new();
    index->networks = map_new();
    for (size_t i = 0; i < conf->nclasses; i++) {
        const struct conf_class *class = &conf->classes[i];

        for (size_t j = 0; j < class->members.count; j++) {
            const char *member = class->members.items[j];
            struct ip_network network;
            const char *problem;
            unsigned char key[NETWORK_KEY];

            if (ip_network_parse(member, &network, &problem)) {
                network_key(&network, key);
                add_member(index->networks, key, sizeof(key), class);
                index->prefixes[network.address.family == 6][network.prefix] = true;
                index->any_networks = true;
            } else {
                add_member(index->names, member, strlen(member), class);
            }
        }
    }
}

void classes_clear(struct class_index *index)
{
    map_free(&index->names, free_list);
    map_free(&index->networks, free_list);
}

/* A class and what it says about the limit that was asked for; both NULL: none does. */
struct found {
    const struct conf_class *class;
    const struct conf_class_limit *limit;
};

/* The last class of the list that says something about the limit. */
static struct found last_in(const struct class_list *list, const struct conf_limit *limit)
{
    for (size_t i = list != NULL ? list->count : 0; i > 0; i--) {
        const struct conf_class *class = list->classes[i - 1];

        for (size_t j = 0; j < class->nlimits; j++)
            if (class->limits[j].limit == limit)
                return (struct found){class, &class->limits[j]};
    }
    return (struct found){NULL, NULL};
}

static struct found find_name(const struct class_index *index, const char *name, size_t length,
                              const struct conf_limit *limit)
{
    return last_in(map_peek(index->names, name, length), limit);
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

/* As written, and without its subaddress. */
static struct found find_whole(const struct class_index *index, const struct name *name,
                               const struct conf_limit *limit)
{
    struct found found = find_name(index, name->text, name->length, limit);
    char plain[CLASS_ADDRESS_MAX];
    size_t rest = name->length - name->local;

    if (found.limit != NULL || name->plain == name->local)
        return found;
    memcpy(plain, name->text, name->plain);
    memcpy(plain + name->plain, name->text + name->local, rest);
    return find_name(index, plain, name->plain + rest, limit);
}

static struct found find_domain(const struct class_index *index, const struct name *name,
                                const struct conf_limit *limit)
{
    /* From the '@' on; a name without one has no domain. */
    return find_name(index, name->text + name->local, name->length - name->local, limit);
}

static struct found find_network(const struct class_index *index, const struct ip_address *client,
                                 const struct conf_limit *limit)
{
    struct found found = {NULL, NULL};

    if (!index->any_networks || client == NULL || client->family == 0)
        return found;
    for (unsigned prefix = client->family == 4 ? 33 : 129; prefix-- > 0 && found.limit == NULL;) {
        struct ip_network network;
        unsigned char key[NETWORK_KEY];

        if (!index->prefixes[client->family == 6][prefix])
            continue;
        network = ip_network_of(client, prefix);
        network_key(&network, key);
        found = last_in(map_peek(index->networks, key, sizeof(key)), limit);
    }
    return found;
}

typedef struct found finder(const struct class_index *index, const struct name *name,
                            const struct conf_limit *limit);

static struct found find(const struct conf *conf, const struct conf_limit *limit, const char *login,
                         const char *sender, const struct ip_address *client)
{
    static finder *const steps[] = {find_whole, find_domain};
    const struct class_index *index = &conf_kept(conf)->classes;
    struct name user;
    struct name from;

    take_name(conf, login != NULL ? login : "", &user);
    take_name(conf, sender != NULL ? sender : "", &from);
    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
        struct found a = steps[i](index, &user, limit);
        struct found b = steps[i](index, &from, limit);

        /* Anyone can write any sender: with a login it counts only where the login may use it. */
        if (b.limit != NULL && (a.limit == NULL || b.class > a.class) &&
            (user.length == 0 || conf_login_may_use(conf, login, sender)))
            return b;
        if (a.limit != NULL)
            return a;
    }
    return find_network(index, client, limit);
}

int64_t conf_limit_max(const struct conf *conf, const struct conf_limit *limit, const char *login,
                       const char *sender, const struct ip_address *client,
                       const struct conf_place **place_r)
{
    struct found found = {NULL, NULL};

    if (conf->nclasses > 0)
        found = find(conf, limit, login, sender, client);
    if (place_r != NULL)
        *place_r = found.limit != NULL ? &found.limit->place : &limit->place;
    return found.limit != NULL ? found.limit->max : limit->max;
}
