/* SPDX-License-Identifier: BSD-2-Clause */
/* DMARC records from strangers: what is kept is within its caps, and a policy is one. */
#include "lib/auth/dmarc_record.h"
#include "tests/fuzz/fuzz.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static void check_uris(const struct strings *uris)
{
    must(uris->count <= DMARC_URIS_MAX);
    for (size_t i = 0; i < uris->count; i++)
        must(strchr(uris->items[i], ':') != NULL && strpbrk(uris->items[i], ",!; ") == NULL);
}

static void check(const struct dmarc_record *record)
{
    check_uris(&record->rua);
    check_uris(&record->ruf);
    must(record->percent <= 100 && record->problems.count <= DMARC_PROBLEMS_MAX);
    for (int scope = DMARC_DOMAIN; scope <= DMARC_NONEXISTENT; scope++) {
        enum dmarc_policy policy;

        if (dmarc_record_policy(record, (enum dmarc_scope)scope, scope % 2 == 0, &policy))
            must(*dmarc_policy_name(policy) != '\0');
        else
            must(record->rua.count == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data;
    struct dmarc_record record;

    if (!dmarc_record_is(bytes, size))
        return 0;
    dmarc_record_parse(bytes, size, &record);
    check(&record);
    dmarc_record_clear(&record);
    return 0;
}
