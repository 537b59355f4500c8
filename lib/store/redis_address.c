/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a Redis is. */
#include "lib/store/redis_address.h"

#include "lib/base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#define REDIS_PORT 6379
#define DATABASE_MAX 99999
#define UNIX_PREFIX "unix:"
#define TCP_PREFIX "redis://"

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

    if (*path != '/' || strlen(path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path)) {
        *problem_r = mem_print("unix:%s is not an absolute path of at most %zu octets", path,
                               sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1);
        return false;
    }
    address = add_address(addresses);
    address->path = mem_copy(path);
    address->text = mem_print("%s%s", UNIX_PREFIX, path);
    return true;
}

static void add_host(struct redis_addresses *addresses, char *host, int port)
{
    struct redis_address *address = add_address(addresses);
    bool brackets = strchr(host, ':') != NULL;

    address->host = host;
    address->port = port;
    address->text = mem_print(brackets ? TCP_PREFIX "[%s]:%d" : TCP_PREFIX "%s:%d", host, port);
}

/* A whole number up to most; *end_r is what follows it.  -1: there is none. */
static int read_number(const char *string, int most, const char **end_r)
{
    int value = -1;

    for (; *string >= '0' && *string <= '9' && value <= most; string++)
        value = (value < 0 ? 0 : value) * 10 + (*string - '0');
    *end_r = string;
    return value <= most ? value : -1;
}

static bool parse_host(const char *rest, struct redis_addresses *addresses, char **problem_r)
{
    bool brackets = *rest == '[';
    const char *host = rest + brackets;
    const char *end = host + strcspn(host, brackets ? "]" : ":/");
    size_t length = (size_t)(end - host);
    int port = REDIS_PORT;

    if (strchr(rest, '@') != NULL) {
        *problem_r = mem_copy("no user and password belong in the URL: "
                              "set store-user and store-password-file");
        return false;
    }
    if (length == 0 || (brackets && *end++ != ']'))
        return false;
    if (*end == ':' && (port = read_number(end + 1, 65535, &end)) <= 0)
        return false;
    if (strcmp(end, "/") == 0)
        end++;
    if (*end == '/' && (addresses->database = read_number(end + 1, DATABASE_MAX, &end)) < 0)
        return false;
    if (*end != '\0')
        return false;
    add_host(addresses, mem_copy_n(host, length), port);
    return true;
}

bool redis_addresses_parse(const char *url, struct redis_addresses *addresses_r, char **problem_r)
{
    bool good = false;

    *problem_r = NULL;
    *addresses_r = (struct redis_addresses){.database = -1};
    if (*url == '\0') {
        for (size_t i = 0; i < sizeof(usual_sockets) / sizeof(usual_sockets[0]); i++)
            (void)add_socket(addresses_r, usual_sockets[i], problem_r);
        add_host(addresses_r, mem_copy("127.0.0.1"), REDIS_PORT);
        return true;
    }
    if (strncmp(url, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0)
        good = add_socket(addresses_r, url + strlen(UNIX_PREFIX), problem_r);
    else if (strncmp(url, TCP_PREFIX, strlen(TCP_PREFIX)) == 0)
        good = parse_host(url + strlen(TCP_PREFIX), addresses_r, problem_r);
    if (good)
        return true;
    if (*problem_r == NULL)
        *problem_r = mem_print("%s is no store: write unix:/path, redis://host:port/database "
                               "or memory:",
                               url);
    redis_addresses_free(addresses_r);
    return false;
}

void redis_addresses_free(struct redis_addresses *addresses)
{
    for (size_t i = 0; i < addresses->count; i++) {
        free(addresses->items[i].text);
        free(addresses->items[i].path);
        free(addresses->items[i].host);
    }
    free(addresses->items);
    addresses->items = NULL;
    addresses->count = 0;
}
