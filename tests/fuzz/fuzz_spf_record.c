/* SPDX-License-Identifier: BSD-2-Clause */
/* SPF records from strangers: what parses has a canonical form that parses to itself. */
#include "lib/auth/spf_record.h"
#include "tests/fuzz/fuzz.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void format(const struct spf_record *record, struct text *text)
{
    for (size_t i = 0; i < record->count; i++)
        must(strchr("+-~?", record->terms[i].qualifier) != NULL && record->terms[i].prefix4 <= 32 &&
             record->terms[i].prefix6 <= 128);
    spf_record_format(record, text);
}

static void check_canonical(const struct spf_record *record)
{
    struct text first = TEXT_EMPTY;
    struct text second = TEXT_EMPTY;
    struct spf_record again;
    char *problem = NULL;

    format(record, &first);
    must(spf_record_is(first.bytes, first.length));
    must(spf_record_parse(first.bytes, first.length, &again, &problem));
    format(&again, &second);
    must(strcmp(first.bytes, second.bytes) == 0);
    spf_record_clear(&again);
    text_free(&first);
    text_free(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data;
    struct spf_record record;
    char *problem = NULL;

    /* half the cap, since a canonical form can be the longer one */
    if (size > SPF_RECORD_MAX / 2)
        return 0;
    if (spf_record_parse(bytes, size, &record, &problem)) {
        must(spf_record_is(bytes, size) && problem == NULL);
        check_canonical(&record);
        spf_record_clear(&record);
    } else {
        must(problem != NULL && *problem != '\0');
    }
    free(problem);
    return 0;
}
