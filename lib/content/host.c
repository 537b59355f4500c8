/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/content/host.h"

#include "lib/base/ascii.h"
#include "lib/base/count.h"
#include "lib/base/domain.h"
#include "lib/base/ip.h"
#include "lib/base/text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <libpsl.h>
#include <string.h>
#include <strings.h>

#define SHOWN_MAX 512 /* octets of a link's text that are read */

/* %77 is w: browsers read a host that is written so. */
static size_t decode_percent(const char *bytes, size_t length, char *decoded_r)
{
    size_t count = 0;

    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == '%' && length - i > 2 && ascii_hex(bytes[i + 1]) >= 0 &&
            ascii_hex(bytes[i + 2]) >= 0) {
            decoded_r[count++] = (char)(ascii_hex(bytes[i + 1]) * 16 + ascii_hex(bytes[i + 2]));
            i += 2;
        } else {
            decoded_r[count++] = bytes[i];
        }
    }
    return count;
}

/* All forms of inet_aton(3), which browsers know too: 127.1, 0x7f000001, 017700000001. */
static bool read_address(const char *host, char host_r[HOST_ROOM])
{
    struct ip_address address = {0};
    struct in_addr number;

    if (host[0] == '[' && ip_parse(host, &address)) {
        ip_format(&address, host_r);
        return true;
    }
    if (!isdigit((unsigned char)host[0]) ||
        strspn(host, "0123456789abcdefxABCDEFX.") != strlen(host) || inet_aton(host, &number) == 0)
        return false;
    (void)inet_ntop(AF_INET, &number, host_r, HOST_ROOM);
    return true;
}

static bool is_plausible(const char *host)
{
    for (; *host != '\0'; host++)
        if ((unsigned char)*host <= ' ' || *host == 0x7f || strchr("<>\"'`{}|^", *host) != NULL)
            return false;
    return true;
}

/* The authority of an address is known: user, host and port. */
static bool take_authority(const char *bytes, size_t length, char host_r[HOST_ROOM],
                           bool *is_address_r)
{
    char host[HOST_ROOM], normal[DOMAIN_ROOM];
    const char *at = memrchr(bytes, '@', length);
    size_t count;
    char *colon;

    if (at != NULL) {
        length -= (size_t)(at + 1 - bytes);
        bytes = at + 1;
    }
    if (length == 0 || length >= sizeof(host))
        return false;
    count = decode_percent(bytes, length, host);
    host[count] = '\0';
    if (strlen(host) != count || !is_plausible(host))
        return false;
    colon = host[0] == '[' ? strstr(host, "]:") : strchr(host, ':');
    if (colon != NULL)
        colon[host[0] == '['] = '\0';
    count = strlen(host);
    if (count > 0 && host[count - 1] == '.')
        host[--count] = '\0';
    *is_address_r = read_address(host, host_r);
    if (*is_address_r)
        return true;
    if (count == 0 || domain_normal(host, count, normal) != DOMAIN_FINE)
        return false;
    memcpy(host_r, normal, strlen(normal) + 1);
    return true;
}

/* "http://", "https:\\", "//": octets before the authority; 0: there is none. */
static size_t scheme_length(const char *url, size_t length)
{
    static const char *const schemes[] = {"https:", "http:", ""};

    for (size_t i = 0; i < COUNT_OF(schemes); i++) {
        size_t own = strlen(schemes[i]);

        if (length > own + 2 && strncasecmp(url, schemes[i], own) == 0 &&
            strchr("/\\", url[own]) != NULL && strchr("/\\", url[own + 1]) != NULL)
            return own + 2;
    }
    return 0;
}

static size_t authority_length(const char *bytes, size_t length)
{
    size_t count = 0;

    while (count < length && strchr("/\\?#", bytes[count]) == NULL)
        count++;
    return count;
}

bool host_of_url(const char *url, size_t length, char host_r[HOST_ROOM], bool *is_address_r)
{
    size_t skip;

    while (length > 0 && (unsigned char)*url <= ' ') {
        url++;
        length--;
    }
    skip = scheme_length(url, length);
    if (skip == 0)
        return false;
    return take_authority(url + skip, authority_length(url + skip, length - skip), host_r,
                          is_address_r);
}

/* --- what a text shows ---------------------------------------------------------------- */

static bool is_known_suffix(const char *host)
{
    const char *dot = strrchr(host, '.');

    return dot != NULL && dot != host &&
           psl_is_public_suffix2(psl_builtin(), dot + 1, PSL_TYPE_ANY | PSL_TYPE_NO_STAR_RULE);
}

bool host_pretended(const char *url, size_t length, char host_r[HOST_ROOM])
{
    size_t skip = scheme_length(url, length);
    bool is_address = false;
    const char *at;

    if (skip == 0)
        return false;
    url += skip;
    at = memrchr(url, '@', authority_length(url, length - skip));
    return at != NULL && memchr(url, '.', (size_t)(at - url)) != NULL &&
           take_authority(url, (size_t)(at - url), host_r, &is_address) && !is_address &&
           is_known_suffix(host_r);
}

/* One word of the text. */
static bool word_shows(const char *word, size_t length, bool alone, char host_r[HOST_ROOM])
{
    bool has_scheme = scheme_length(word, length) > 0, is_address = false;

    while (length > 0 && strchr(".,;:!?)>\"'", word[length - 1]) != NULL)
        length--;
    if (has_scheme)
        return host_of_url(word, length, host_r, &is_address);
    if (!(length > 4 && strncasecmp(word, "www.", 4) == 0) && !alone)
        return false;
    if (memchr(word, '@', length) != NULL || memchr(word, '.', length) == NULL)
        return false;
    return take_authority(word, authority_length(word, length), host_r, &is_address) &&
           (is_address || is_known_suffix(host_r));
}

bool host_shown(const char *text, size_t length, char host_r[HOST_ROOM])
{
    const char *end = text + (length < SHOWN_MAX ? length : SHOWN_MAX);
    const char *at = text;

    while (at < end) {
        const char *word;

        while (at < end && (unsigned char)*at <= ' ')
            at++;
        word = at;
        while (at < end && (unsigned char)*at > ' ')
            at++;
        if (at > word) {
            const char *rest = at;

            while (rest < end && (unsigned char)*rest <= ' ')
                rest++;
            if (word_shows(word, (size_t)(at - word), rest == end && word <= text + 1, host_r))
                return true;
        }
    }
    return false;
}

const char *host_domain(const char *host)
{
    const char *domain = psl_registrable_domain(psl_builtin(), host);

    return domain != NULL ? domain : host;
}

bool host_is_related(const char *a, const char *b)
{
    return strcmp(a, b) == 0 || strcmp(host_domain(a), host_domain(b)) == 0;
}
