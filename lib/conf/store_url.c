/* SPDX-License-Identifier: BSD-2-Clause */
/* Taking the store's URL apart. */
#include "lib/conf/store_url.h"

#include "lib/base/domain.h"
#include "lib/base/endpoint.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"

#include <stdlib.h>
#include <string.h>

#define REDIS_SCHEME "redis://"
#define REDIS_PORT 6379
#define DATABASE_MOST 65535

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

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
        high = i + 2 < length ? hex_digit(bytes[i + 1]) : -1;
        low = i + 2 < length ? hex_digit(bytes[i + 2]) : -1;
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

static bool parse_host(const char *bytes, size_t length, struct store_url *url)
{
    char *host = NULL;
    char *normal = NULL;
    uint16_t port;

    if (!endpoint_parse(bytes, length, REDIS_PORT, &host, &port))
        return false;
    normal = *bytes == '[' ? mem_print("[%s]", host) : domain_copy(host);
    if (normal != NULL)
        url->address = mem_print(REDIS_SCHEME "%s:%u", normal, port);
    free(host);
    free(normal);
    return url->address != NULL;
}

static bool parse_redis(const char *rest, struct store_url *url, const char **problem_r)
{
    size_t authority = strcspn(rest, "/");
    const char *at = NULL;
    int64_t database;

    for (size_t i = 0; i < authority; i++)
        if (rest[i] == '@')
            at = rest + i;
    if (at != NULL && !parse_credentials(rest, (size_t)(at - rest), url)) {
        *problem_r = "its user or password has a broken % escape";
        return false;
    }
    if (!parse_host(at != NULL ? at + 1 : rest,
                    authority - (at != NULL ? (size_t)(at + 1 - rest) : 0), url)) {
        *problem_r = "its host or port is not one: expected host, host:port or [address]:port";
        return false;
    }
    if (rest[authority] == '/' && rest[authority + 1] != '\0') {
        const char *digits = rest + authority + 1;

        if (!text_number(digits, strlen(digits), &database) || database > DATABASE_MOST) {
            *problem_r = "its database is not a number from 0 to 65535";
            return false;
        }
        url->database = (int)database;
    }
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
    struct store_url url = {.database = -1};
    bool done = false;

    *problem_r = NULL;
    if (*string == '\0' || strcmp(string, "memory:") == 0) {
        url.address = mem_copy(string);
        done = true;
    } else if (strncmp(string, "unix:", 5) == 0) {
        done = parse_unix(string + 5, &url, problem_r);
    } else if (strncmp(string, REDIS_SCHEME, strlen(REDIS_SCHEME)) == 0) {
        done = parse_redis(string + strlen(REDIS_SCHEME), &url, problem_r);
    } else if (strncmp(string, "sentinel://", 11) == 0) {
        *problem_r = "this build does not follow Redis Sentinel yet: name the Redis itself";
    } else if (strncmp(string, "cluster://", 10) == 0) {
        *problem_r = "this build does not follow Redis Cluster yet: name one Redis";
    } else if (strncmp(string, "rediss://", 9) == 0) {
        *problem_r = "this build does not speak TLS to Redis itself: use a tunnel";
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
