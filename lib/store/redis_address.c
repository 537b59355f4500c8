/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a Redis is. */
#include "lib/store/redis_address.h"

#include "lib/base/count.h"
#include "lib/base/endpoint.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"

#include <stdlib.h>
#include <string.h>

#define REDIS_PORT 6379
#define DATABASE_MAX 65535
#define UNIX_PREFIX "unix:"
#define TCP_PREFIX "redis://"
#define TLS_PREFIX "rediss://"

static const struct {
    const char *prefix;
    enum redis_kind kind;
    uint16_t port;
    bool tls;
} schemes[] = {
    {TCP_PREFIX, REDIS_ALONE, 6379, false},
    {TLS_PREFIX, REDIS_ALONE, 6379, true},
    {"sentinel://", REDIS_SENTINEL, 26379, false},
    {"cluster://", REDIS_CLUSTER, 6379, false},
};

/* Debian's, the one of other systems' packages, and Valkey's. */
static const char *const usual_sockets[] = {
    "/run/redis/redis-server.sock",
    "/run/redis/redis.sock",
    "/run/valkey/valkey-server.sock",
    "/run/valkey/valkey.sock",
};

static struct redis_address *add_address(struct redis_addresses *addresses)
{
    addresses->items = mem_grow(addresses->items, addresses->count + 1, sizeof(*addresses->items));
    memset(&addresses->items[addresses->count], 0, sizeof(*addresses->items));
    return &addresses->items[addresses->count++];
}

static bool add_socket(struct redis_addresses *addresses, const char *path, char **problem_r)
{
    struct redis_address *address;

    if (addresses->tls) {
        *problem_r = mem_print("unix:%s is no place for TLS: name a host", path);
        return false;
    }
    if (!endpoint_is_path(path)) {
        *problem_r = mem_print("unix:%s is not an absolute path of at most %d octets", path,
                               ENDPOINT_PATH_MAX);
        return false;
    }
    address = add_address(addresses);
    address->path = mem_copy(path);
    address->text = mem_print("%s%s", UNIX_PREFIX, path);
    return true;
}

const char *redis_addresses_scheme(const struct redis_addresses *addresses)
{
    return addresses->tls ? TLS_PREFIX : TCP_PREFIX;
}

static void add_host(struct redis_addresses *addresses, char *host, int port)
{
    struct redis_address *address = add_address(addresses);
    bool brackets = strchr(host, ':') != NULL;

    address->host = host;
    address->port = port;
    address->text = mem_print(brackets ? "%s[%s]:%d" : "%s%s:%d", redis_addresses_scheme(addresses),
                              host, port);
}

static bool parse_hosts(const char *hosts, size_t length, uint16_t fallback,
                        struct redis_addresses *addresses)
{
    const char *end = hosts + length;
    const char *comma;
    uint16_t port;
    char *host;

    do {
        comma = memchr(hosts, ',', (size_t)(end - hosts));
        if (!endpoint_parse(hosts, (size_t)((comma != NULL ? comma : end) - hosts), fallback, &host,
                            &port))
            return false;
        add_host(addresses, host, port);
        if (comma != NULL)
            hosts = comma + 1;
    } while (comma != NULL);
    return addresses->count == 1 || addresses->kind != REDIS_ALONE;
}

static bool parse_servers(const char *rest, uint16_t port, struct redis_addresses *addresses,
                          char **problem_r)
{
    static const char master[] = "?master=";
    size_t authority = strcspn(rest, "/?");
    const char *path = rest + authority + (rest[authority] == '/');
    size_t length = strcspn(path, "?");
    const char *query = path + length;
    int64_t database = addresses->database;

    if (strchr(rest, '@') != NULL) {
        *problem_r = mem_copy("no user and password belong in the URL: "
                              "set store-user and store-password-file");
        return false;
    }
    if (length > 0 && (!text_number(path, length, &database) || database > DATABASE_MAX))
        return false;
    if (strncmp(query, master, strlen(master)) == 0 && addresses->kind == REDIS_SENTINEL)
        addresses->master = mem_copy(query + strlen(master));
    else if (*query != '\0' || addresses->kind == REDIS_SENTINEL)
        return false;
    addresses->database = (int)database;
    return parse_hosts(rest, authority, port, addresses);
}

static bool parse_scheme(const char *url, struct redis_addresses *addresses, char **problem_r)
{
    for (size_t i = 0; i < COUNT_OF(schemes); i++) {
        size_t length = strlen(schemes[i].prefix);

        if (strncmp(url, schemes[i].prefix, length) != 0)
            continue;
        addresses->kind = schemes[i].kind;
        addresses->tls |= schemes[i].tls;
        return parse_servers(url + length, schemes[i].port, addresses, problem_r);
    }
    return false;
}

bool redis_addresses_parse(const char *url, bool tls, struct redis_addresses *addresses_r,
                           char **problem_r)
{
    bool good = false;

    *problem_r = NULL;
    *addresses_r = (struct redis_addresses){.database = -1, .tls = tls};
    if (*url == '\0') {
        for (size_t i = 0; !tls && i < COUNT_OF(usual_sockets); i++)
            (void)add_socket(addresses_r, usual_sockets[i], problem_r);
        add_host(addresses_r, mem_copy("127.0.0.1"), REDIS_PORT);
        return true;
    }
    if (strncmp(url, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0)
        good = add_socket(addresses_r, url + strlen(UNIX_PREFIX), problem_r);
    else
        good = parse_scheme(url, addresses_r, problem_r);
    if (good)
        return true;
    if (*problem_r == NULL)
        *problem_r = mem_print("%s is no store: write unix:/path, redis[s]://host:port/database, "
                               "sentinel://host:port,...?master=name, cluster://host:port,... "
                               "or memory:",
                               url);
    redis_addresses_free(addresses_r);
    return false;
}

struct redis_addresses redis_addresses_of(const char *host, int port, bool tls)
{
    struct redis_addresses addresses = {.database = -1, .tls = tls};

    add_host(&addresses, mem_copy(host), port);
    return addresses;
}

void redis_addresses_free(struct redis_addresses *addresses)
{
    for (size_t i = 0; i < addresses->count; i++) {
        free(addresses->items[i].text);
        free(addresses->items[i].path);
        free(addresses->items[i].host);
    }
    free(addresses->items);
    free(addresses->master);
    addresses->items = NULL;
    addresses->master = NULL;
    addresses->count = 0;
}
