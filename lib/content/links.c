/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/content/links.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/content/html.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* What ends an address in a plain text (RFC 3986 appendix C). */
static bool ends_url(char c)
{
    return (unsigned char)c <= ' ' || strchr("<>\"", c) != NULL;
}

/* The entry itself or below it. */
static bool is_within(const char *host, const char *domain)
{
    size_t length = strlen(host), own = strlen(domain);

    return length >= own && strcmp(host + length - own, domain) == 0 &&
           (length == own || host[length - own - 1] == '.');
}

static void keep_first(char **kept, const char *value)
{
    if (*kept == NULL)
        *kept = mem_copy(value);
}

static void note_host(struct links *links, const char *host, bool is_address)
{
    struct content_fact *fact = links->fact;
    const char *domain;

    if (strcmp(host, links->last) == 0)
        return;
    memcpy(links->last, host, strlen(host) + 1);
    if (is_address) {
        keep_first(&fact->address, host);
        return;
    }
    for (size_t i = 0; i < links->shorteners->count; i++)
        if (is_within(host, links->shorteners->items[i]))
            keep_first(&fact->shortener, host);
    domain = host_domain(host);
    if (fact->link_domains.count < CONTENT_DOMAINS_MAX &&
        !strings_have(&fact->link_domains, domain))
        strings_add(&fact->link_domains, domain);
}

/* --- plain text ----------------------------------------------------------------------- */

/* The octets of "http" or "https" before at. */
static size_t scheme_before(const char *text, const char *at)
{
    size_t before = (size_t)(at - text);

    if (before >= 5 && strncasecmp(at - 5, "https", 5) == 0)
        return 5;
    return before >= 4 && strncasecmp(at - 4, "http", 4) == 0 ? 4 : 0;
}

void links_plain(struct links *links, const char *text, size_t length)
{
    const char *at = text, *end = text + length;

    while (at < end && (at = memmem(at, (size_t)(end - at), "://", 3)) != NULL) {
        const char *url = at - scheme_before(text, at);
        char host[HOST_ROOM];
        bool is_address = false;
        bool has_scheme = url < at;

        while (at < end && !ends_url(*at))
            at++;
        if (has_scheme && host_of_url(url, (size_t)(at - url), host, &is_address)) {
            links->nplain++;
            note_host(links, host, is_address);
        }
    }
}

/* --- HTML ----------------------------------------------------------------------------- */

/* Services that scan mail put themselves between the text of a link and where it leads; answers
 * quote such links. */
static bool is_rewritten(const char *host)
{
    static const char *const services[] = {
        "safelinks.protection.outlook.com",
        "urldefense.com",
        "urldefense.proofpoint.com",
        "secure-web.cisco.com",
        "linkprotect.cudasvc.com",
        "protection.sophos.com",
        "mimecastprotect.com",
        "mimecast.com",
    };

    for (size_t i = 0; i < COUNT_OF(services); i++)
        if (is_within(host, services[i]))
            return true;
    return false;
}

static void on_link(void *context, const char *url, const char *text)
{
    struct links *links = context;
    struct content_fact *fact = links->fact;
    char host[HOST_ROOM], shown[HOST_ROOM];
    bool is_address = false;

    if (!host_of_url(url, strlen(url), host, &is_address))
        return;
    links->nhtml++;
    note_host(links, host, is_address);
    if (is_rewritten(host))
        return;
    if ((!host_shown(text, strlen(text), shown) || host_is_related(shown, host)) &&
        (!host_pretended(url, strlen(url), shown) || host_is_related(shown, host)))
        return;
    if (fact->ndisguised++ == 0) {
        fact->disguise.shown = mem_copy(shown);
        fact->disguise.host = mem_copy(host);
    }
}

void links_html(struct links *links, const char *html, size_t length)
{
    html_links(html, length, on_link, links);
}

void links_end(struct links *links)
{
    links->fact->nlinks = links->nhtml > links->nplain ? links->nhtml : links->nplain;
}
