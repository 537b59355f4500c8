/* SPDX-License-Identifier: BSD-2-Clause */
/* Types that are stored as addresses, networks, domains and places to listen. */
#include "lib/conf/types.h"

#include "lib/base/domain.h"
#include "lib/base/endpoint.h"
#include "lib/base/ip.h"
#include "lib/base/mem.h"
#include "lib/conf/names.h"
#include "lib/conf/store_url.h"
#include "lib/conf/table.h"

#include <stdlib.h>
#include <string.h>

#define MEMBER_MAX 320 /* octets of an address: RFC 5321 §4.5.3.1, 64 + 1 + 255 */
#define HOST_MAX 64

bool type_read_store(struct reading *reading, const char *value)
{
    struct store_url url;
    const char *problem = NULL;

    if (!store_url_parse(value, &url, &problem)) {
        if (problem != NULL) {
            text_add_string(&reading->why, problem);
            reading->expected = mem_copy("");
        }
        return false;
    }
    store_url_clear(&url);
    type_store_string(reading, mem_copy(value));
    return true;
}

static bool is_resolver(const char *value)
{
    const char *at = strchr(value, '@');
    char *host = mem_copy_n(value, at != NULL ? (size_t)(at - value) : strlen(value));
    struct ip_address address;
    uint16_t port;
    bool known = ip_parse(host, &address) &&
                 (at == NULL || endpoint_parse_port(at + 1, strlen(at + 1), &port));

    free(host);
    return known;
}

bool type_read_resolver(struct reading *reading, const char *value)
{
    struct conf *conf = (struct conf *)(void *)reading->base;
    bool system = strcmp(value, "system") == 0;

    if (!system && !is_resolver(value))
        return false;
    if (conf->resolver == NULL) {
        conf->resolver = mem_copy(value);
        return true;
    }
    if (system || strcmp(conf->resolver, "system") == 0) {
        text_add_string(&reading->why, "system stands alone");
        return false;
    }
    type_store_string(reading, mem_print("%s,%s", conf->resolver, value));
    return true;
}

/* The host of an inet: place.  NULL: it is none.  The caller frees it. */
static char *listen_host(const char *bytes, size_t length)
{
    char host[HOST_MAX];
    char text[IP_TEXT_MAX];
    struct ip_address address;

    if (length == 1 && *bytes == '*')
        return mem_copy("*");
    if (length == 9 && memcmp(bytes, "localhost", 9) == 0)
        return mem_copy("127.0.0.1");
    if (length >= sizeof(host))
        return NULL;
    mem_copy_bytes(host, bytes, length);
    host[length] = '\0';
    if (!ip_parse(host, &address))
        return NULL;
    ip_format(&address, text);
    return mem_copy(text);
}

bool type_read_listen(struct reading *reading, const char *value)
{
    struct conf_listen *listen;
    const char *colon = strrchr(value, ':');
    char *host;
    uint16_t port;

    if (strncmp(value, "unix:/", 6) == 0) {
        if (!endpoint_is_path(value + 5)) {
            text_add_string(&reading->why, "a socket's path has at most 107 octets");
            return false;
        }
        listen = type_add(reading, sizeof(*listen));
        listen->is_unix = true;
        listen->path = mem_copy(value + 5);
        return true;
    }
    if (strncmp(value, "inet:", 5) != 0 || colon < value + 5)
        return false;
    if (!endpoint_parse_port(colon + 1, strlen(colon + 1), &port)) {
        text_add_string(&reading->why, "a port is a number from 1 to 65535");
        return false;
    }
    host = listen_host(value + 5, (size_t)(colon - value - 5));
    if (host == NULL) {
        text_add_string(&reading->why, "the host must be an address, with brackets where it is "
                                       "IPv6, or *");
        return false;
    }
    listen = type_add(reading, sizeof(*listen));
    listen->host = host;
    listen->port = port;
    return true;
}

/* socketmap:unix:/path:NAME or socketmap:inet:HOST:PORT:NAME, as socketmap_table(5) has it. */
static bool read_socketmap(const char *place, struct conf_lookup *lookup)
{
    const char *name = strrchr(place, ':');
    const char *colon;

    if (name == NULL || name[1] == '\0')
        return false;
    if (strncmp(place, "unix:", 5) == 0) {
        if (name <= place + 5)
            return false;
        lookup->path = mem_copy_n(place + 5, (size_t)(name - place - 5));
        return endpoint_is_path(lookup->path);
    }
    if (strncmp(place, "inet:", 5) != 0 || name <= place + 5)
        return false;
    for (colon = name - 1; colon > place + 5 && *colon != ':'; colon--)
        ;
    if (*colon != ':' || !endpoint_parse_port(colon + 1, (size_t)(name - colon - 1), &lookup->port))
        return false;
    lookup->host = listen_host(place + 5, (size_t)(colon - place - 5));
    return lookup->host != NULL && strcmp(lookup->host, "*") != 0;
}

bool type_read_lookup(struct reading *reading, const char *value)
{
    struct conf_lookup lookup = {.text = NULL};
    struct conf_lookup *element;

    if (strcmp(value, "store") != 0 &&
        (strncmp(value, "socketmap:", 10) != 0 || !read_socketmap(value + 10, &lookup))) {
        free(lookup.path);
        free(lookup.host);
        return false;
    }
    if (strcmp(value, "store") != 0)
        lookup.table = mem_copy(strrchr(value, ':') + 1);
    lookup.text = mem_copy(value);
    element = type_add(reading, sizeof(*element));
    *element = lookup;
    return true;
}

bool type_read_network(struct reading *reading, const char *value)
{
    struct ip_network network;
    struct ip_network *element;
    const char *problem = NULL;

    if (!ip_network_parse(value, &network, &problem)) {
        if (problem != NULL)
            text_add_string(&reading->why, problem);
        return false;
    }
    element = type_add(reading, sizeof(*element));
    *element = network;
    return true;
}

bool type_read_address(struct reading *reading, const char *value)
{
    struct ip_address address;
    struct ip_address *element;

    if (!ip_parse(value, &address))
        return false;
    element = type_add(reading, sizeof(*element));
    *element = address;
    return true;
}

bool type_read_domain(struct reading *reading, const char *value)
{
    bool subdomains = *value == '.';
    char *normal = domain_copy(value + (subdomains ? 1 : 0));
    char *item;

    if (normal == NULL)
        return false;
    item = mem_print("%s%s", subdomains ? "." : "", normal);
    strings_add(type_strings(reading), item);
    free(item);
    free(normal);
    return true;
}

static void add_member(const struct reading *reading, char *text, struct table *table)
{
    struct conf_member *member = type_add(reading, sizeof(*member));

    member->text = text;
    member->table = table;
}

/* texthash:/path and its like. */
static bool read_member_table(struct reading *reading, const char *value)
{
    char *problem = NULL;
    struct table *table = table_open(value, &problem);

    if (table == NULL) {
        text_add_string(&reading->why, problem);
        reading->expected = mem_copy("");
        free(problem);
        return false;
    }
    add_member(reading, mem_copy(value), table);
    return true;
}

/* "@.example.com" or ".example.com". */
static char *member_subdomains(const char *value)
{
    char *domain = domain_copy(value + (*value == '@' ? 2 : 1));
    char *normal = domain != NULL ? mem_print("@.%s", domain) : NULL;

    free(domain);
    return normal;
}

bool type_read_member(struct reading *reading, const char *value)
{
    static const char network_chars[] = "0123456789abcdefABCDEF.:/";
    struct ip_network network;
    const char *problem = NULL;
    char text[IP_TEXT_MAX];
    char *normal;

    if (ip_network_parse(value, &network, &problem)) {
        ip_network_format(&network, text);
        add_member(reading, mem_copy(text), NULL);
        return true;
    }
    if (strchr(value, '/') != NULL && value[0] != '/' &&
        strspn(value, network_chars) == strlen(value)) {
        if (problem != NULL)
            text_add_string(&reading->why, problem);
        return false;
    }
    if (value[0] == '/' || (strchr(value, ':') != NULL && strchr(value, '@') == NULL) ||
        strncmp(value, "inline:", 7) == 0)
        return read_member_table(reading, value);
    if (*value == '\0' || strlen(value) > MEMBER_MAX || strchr(value, ' ') != NULL)
        return false;
    normal = value[0] == '.' || strncmp(value, "@.", 2) == 0 ? member_subdomains(value)
                                                             : names_address(value);
    if (normal == NULL) {
        text_add_string(&reading->why, value[0] == '.' ? "what follows the dot is not a domain"
                                                       : "what follows the @ is not a domain");
        return false;
    }
    add_member(reading, normal, NULL);
    return true;
}

bool type_read_names(struct reading *reading, const char *value)
{
    if (*value == '\0')
        return false;
    strings_add(type_strings(reading), value);
    return true;
}
