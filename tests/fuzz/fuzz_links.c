/* SPDX-License-Identifier: BSD-2-Clause */
/* Texts of strangers and the links in them: hosts are names or addresses and nothing else. */
#include "lib/content/host.h"
#include "lib/content/links.h"
#include "tests/fuzz/fuzz.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SIZE_MOST 65536

static void check_host(const char *host)
{
    if (host == NULL)
        return;
    must(host[0] != '\0' && strlen(host) < HOST_ROOM);
    for (; *host != '\0'; host++)
        must((unsigned char)*host > ' ' && (unsigned char)*host < 0x7f &&
             strchr("/\\?#@%\"<>", *host) == NULL);
}

static void check(const struct content_fact *fact)
{
    check_host(fact->shortener);
    check_host(fact->address);
    check_host(fact->disguise.shown);
    check_host(fact->disguise.host);
    must(fact->link_domains.count <= CONTENT_DOMAINS_MAX);
    for (size_t i = 0; i < fact->link_domains.count; i++)
        check_host(fact->link_domains.items[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char *items[] = {(char *)(uintptr_t) "bit.ly"};
    static const struct strings shorteners = {.items = items, .count = 1};
    struct content_fact fact = {0};
    struct links links = {.shorteners = &shorteners, .fact = &fact};
    char *text;

    if (size > SIZE_MOST)
        return 0;
    /* a copy of its very size, so that a look behind its end is seen */
    text = malloc(size > 0 ? size : 1);
    if (text == NULL)
        return 0;
    memcpy(text, data, size);
    links_plain(&links, text, size);
    links_html(&links, text, size);
    links_end(&links);
    check(&fact);
    content_fact_clear(&fact);
    free(text);
    return 0;
}
