/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages of strangers are looked into: it does not matter in which pieces they come, and what is
 * found keeps within its bounds. */
#include "lib/base/mem.h"
#include "lib/causes/causes.h"
#include "tests/fuzz/fuzz.h"
#include "tests/lib/content/look.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SIZE_MOST 65536

static const char conf_text[] = "hostname = mx.test\n"
                                "mime-nesting = 5\n"
                                "mime-parts = 20\n"
                                "content-time = 60s\n";

static void check(const struct content_fact *fact, size_t size)
{
    must(fact->seen && fact->nrisks <= CONTENT_RISKS_MAX && fact->nrisks <= fact->nrisks_total);
    must(fact->link_domains.count <= CONTENT_DOMAINS_MAX && fact->ndisguised <= fact->nlinks);
    must(fact->attachment_octets >= 0 && fact->attachment_octets <= (int64_t)size);
    must((fact->malformed == NULL) == (fact->malformed_remedy == NULL));
    must((fact->nattachments == 0) == (fact->largest_name == NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct conf *conf;
    struct content_fact whole = {0}, pieces = {0};
    char *words, *again;

    if (size > SIZE_MOST)
        return 0;
    if (conf == NULL)
        conf = fuzz_conf(conf_text);
    look_into(conf, (const char *)data, size, SIZE_MOST * 2, &whole);
    look_into(conf, (const char *)data, size, 1 + size % 7, &pieces);
    check(&whole, 2 * size); /* each line end may have become two octets */
    words = look_words(&whole);
    again = look_words(&pieces);
    must(strcmp(words, again) == 0);
    free(words);
    free(again);
    content_fact_clear(&whole);
    content_fact_clear(&pieces);
    return 0;
}
