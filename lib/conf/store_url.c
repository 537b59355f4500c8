/* SPDX-License-Identifier: BSD-2-Clause */
/* Taking the store's URL apart. */
#include "lib/conf/store_url.h"

#include "lib/base/ascii.h"
#include "lib/base/count.h"
#include "lib/base/domain.h"
#include "lib/base/endpoint.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define DATABASE_MOST 65535

/* The ways to name servers. */
struct scheme {
    const char *name;
    uint16_t port; /* where a host has none */
    bool many; /* hosts, with commas between them */
    bool database;
    bool master; /* ?master=NAME is needed */
    bool tls;
};

static const struct scheme schemes[] = {
    {"redis://", 6379, false, true, false, false},
    {"rediss://", 6379, false, true, false, true},
    {"sentinel://", 26379, true, true, true, false},
    {"cluster://", 6379, true, false, false, false},
};

/* Takes %XX apart (RFC 3986 §2.1).  NULL: a broken one, or NUL. */
static char *decode(const char *bytes, size_t length)
{
    struct text text = TEXT_EMPTY;

    for (size_t i = 0; i < length; i++) {
        int high;
        int low;

        if (bytes[i] != '%') {
            text_add_char(&text, bytes[i]);
            continue;
        }
        high = i + 2 < length ? ascii_hex(bytes[i + 1]) : -1;
        low = i + 2 < length ? ascii_hex(bytes[i + 2]) : -1;
        if (high < 0 || low < 0 || high + low == 0) {
            text_free(&text);
            return NULL;
        }
        text_add_char(&text, (char)(high * 16 + low));
        i += 2;
    }
    return text_take(&text);
}

/* user:password of the authority, where '@' ends it. */
static bool parse_credentials(const char *bytes, size_t length, struct store_url *url)
{
    const char *colon = memchr(bytes, ':', length);
    size_t user = colon != NULL ? (size_t)(colon - bytes) : length;

    if (user > 0)
        url->user = decode(bytes, user);
    if (colon != NULL)
        url->password = decode(colon + 1, length - user - 1);
    return (user == 0 || url->user != NULL) && (colon == NULL || url->password != NULL);
}

/* Adds "host:port" to the address. */
static bool parse_host(const char *bytes, size_t length, const struct scheme *scheme,
                       struct text *address)
{
    char *host = NULL;
    char *normal = NULL;
    uint16_t port;

    if (!endpoint_parse(bytes, length, scheme->port, &host, &port))
        return false;
    normal = *bytes == '[' ? mem_print("[%s]", host) : domain_copy(host);
    if (normal != NULL)
        text_print(address, "%s:%u", normal, port);
    free(host);
    free(normal);
    return normal != NULL;
}

static bool parse_hosts(const char *bytes, size_t length, const struct scheme *scheme,
                        struct text *address)
{
    const char *end = bytes + length;

    for (;;) {
        const char *comma = scheme->many ? memchr(bytes, ',', (size_t)(end - bytes)) : NULL;

        if (!parse_host(bytes, (size_t)((comma != NULL ? comma : end) - bytes), scheme, address))
            return false;
        if (comma == NULL)
            return true;
        text_add_char(address, ',');
        bytes = comma + 1;
    }
}

/* The name under which Sentinels know the primary: what a configuration of theirs can hold. */
static bool parse_master(const char *query, struct text *address)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    static const char key[] = "master=";
    const char *name = query + strlen(key);

    if (strncmp(query, key, strlen(key)) != 0 || *name == '\0' ||
        name[strspn(name, letters)] != '\0')
        return false;
    text_print(address, "?%s", query);
    return true;
}

static const char *parse_rest(const char *path, const char *query, const struct scheme *scheme,
                              struct store_url *url, struct text *address)
{
    size_t length = strcspn(path, "?");
    int64_t database;

    if (length > 0 && !scheme->database)
        return "a cluster has no numbered databases";
    if (length > 0) {
        if (!text_number(path, length, &database) || database > DATABASE_MOST)
            return "its database is not a number from 0 to 65535";
        url->database = (int)database;
    }
    if (scheme->master && (*query == '\0' || !parse_master(query + 1, address)))
        return "it names no primary: expected ?master=NAME, as Sentinel's configuration has it";
    if (!scheme->master && *query != '\0')
        return "nothing is expected behind a ?";
    return NULL;
}

static bool parse_servers(const char *rest, const struct scheme *scheme, struct store_url *url,
                          const char **problem_r)
{
    struct text address = TEXT_EMPTY;
    size_t authority = strcspn(rest, "/?");
    const char *path = rest + authority + (rest[authority] == '/');
    const char *at = memrchr(rest, '@', authority);
    const char *hosts = at != NULL ? at + 1 : rest;

    text_add_string(&address, scheme->name);
    if (at != NULL && !parse_credentials(rest, (size_t)(at - rest), url))
        *problem_r = "its user or password has a broken % escape";
    else if (!parse_hosts(hosts, authority - (size_t)(hosts - rest), scheme, &address))
        *problem_r = "its host or port is not one: expected host, host:port or [address]:port";
    else
        *problem_r = parse_rest(path, path + strcspn(path, "?"), scheme, url, &address);
    if (*problem_r == NULL)
        url->address = text_take(&address);
    text_free(&address);
    return *problem_r == NULL;
}

static const struct scheme *find_scheme(const char *string)
{
    for (size_t i = 0; i < COUNT_OF(schemes); i++)
        if (strncmp(string, schemes[i].name, strlen(schemes[i].name)) == 0)
            return &schemes[i];
    return NULL;
}

/* The local store: where sluice-policyd serves it to the other programs. */
static bool parse_local(const char *path, struct store_url *url, const char **problem_r)
{
    if (*path == '\0')
        path = SLUICE_RUNSTATEDIR "/store.sock";
    else if (*path == ':')
        path++;
    if (!endpoint_is_path(path)) {
        *problem_r = "a socket's path begins with / and has at most 107 octets";
        return false;
    }
    url->address = mem_print("local:%s", path);
    return true;
}

static bool parse_unix(const char *path, struct store_url *url, const char **problem_r)
{
    if (!endpoint_is_path(path)) {
        *problem_r = "a socket's path begins with / and has at most 107 octets";
        return false;
    }
    url->address = mem_print("unix:%s", path);
    return true;
}

bool store_url_parse(const char *string, struct store_url *url_r, const char **problem_r)
{
    const struct scheme *scheme = find_scheme(string);
    struct store_url url = {.database = -1};
    bool done = false;

    *problem_r = NULL;
    if (*string == '\0' || strcmp(string, "memory:") == 0) {
        url.address = mem_copy(string);
        done = true;
    } else if (strncmp(string, "unix:", 5) == 0) {
        done = parse_unix(string + 5, &url, problem_r);
    } else if (strcmp(string, "local") == 0 || strncmp(string, "local:", 6) == 0) {
        done = parse_local(string + 5, &url, problem_r);
    } else if (scheme != NULL) {
        url.remote = true;
        url.tls = scheme->tls;
        done = parse_servers(string + strlen(scheme->name), scheme, &url, problem_r);
    }
    if (done)
        *url_r = url;
    else
        store_url_clear(&url);
    return done;
}

void store_url_clear(struct store_url *url)
{
    free(url->address);
    free(url->user);
    if (url->password != NULL)
        explicit_bzero(url->password, strlen(url->password));
    free(url->password);
    memset(url, 0, sizeof(*url));
}

char *store_url_masked(const char *string)
{
    const char *scheme = strstr(string, "://");
    const char *start = scheme != NULL ? scheme + 3 : string;
    const char *at = strrchr(start, '@');
    const char *colon = at != NULL ? memchr(start, ':', (size_t)(at - start)) : NULL;

    if (colon == NULL)
        return mem_copy(string);
    return mem_print("%.*s:***%s", (int)(colon - string), string, at);
}
