/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SPF with a client, a sender, records and answers from strangers: an evaluation ends, within its
 * limits, and says the same whether it knows everything from the start or learns it wave by wave.
 *
 * Lines: the client's address, the HELO name, the sender, then a zone as tests/lib/auth/zone.h has
 * it.
 */
#include "lib/auth/spf.h"
#include "lib/base/mem.h"
#include "tests/fuzz/fuzz.h"
#include "tests/lib/auth/zone.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_ROOM 256
#define TYPE_ROOM 8

struct check {
    struct spf_query query;
    struct spf_result result;
};

static bool evaluate(const struct lookup *lookup, void *context)
{
    struct check *check = context;

    return spf_check(&check->query, lookup, &check->result);
}

static const char *take_line(char **rest)
{
    const char *line = strsep(rest, "\n");

    return line != NULL ? line : "";
}

static struct zone *read_zone(char *rest)
{
    struct zone *zone = zone_new();

    while (rest != NULL) {
        const char *line = take_line(&rest);
        char name[NAME_ROOM], type[TYPE_ROOM];
        int used = 0;

        if (sscanf(line, "%255s %7s%n", name, type, &used) == 2 && used > 0)
            zone_add(zone, name, type, line + used + (line[used] == ' '));
    }
    return zone;
}

static bool same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void check_result(const struct spf_result *result)
{
    bool decided = result->mechanism != NULL;

    must(decided == (result->status != SPF_NONE && result->status != SPF_TEMPERROR &&
                     result->status != SPF_PERMERROR));
    must(decided == (result->record_domain != NULL) && decided == (result->problem == NULL));
    must(result->domain != NULL && *spf_status_name(result->status) != '\0');
    must(result->lookups <= SPF_LOOKUPS_MAX + 1 && result->voids <= SPF_VOIDS_MAX + 1);
    must(result->explanation == NULL ||
         (result->status == SPF_FAIL && strlen(result->explanation) <= SPF_EXPLANATION_MAX));
    for (const char *c = result->explanation; c != NULL && *c != '\0'; c++)
        must(*c >= ' ' && *c <= '~');
}

static void compare(const struct spf_result *known, const struct spf_result *learned)
{
    must(known->status == learned->status && known->lookups == learned->lookups &&
         known->voids == learned->voids);
    must(same(known->domain, learned->domain) && same(known->mechanism, learned->mechanism) &&
         same(known->record_domain, learned->record_domain) &&
         same(known->explanation, learned->explanation) && same(known->problem, learned->problem));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = mem_copy_n((const char *)data, size);
    char *rest = text;
    const char *ip = take_line(&rest);
    struct check known = {.query = {.receiver = "mx.example.net", .now_sec = 1700000000}};
    struct check learned;
    struct zone *zone;

    known.query.helo = take_line(&rest);
    known.query.sender = take_line(&rest);
    if (!ip_parse(ip, &known.query.client))
        goto done;
    learned = known;
    zone = read_zone(rest);
    must(zone_run(zone, false, evaluate, &known) == 1);
    must(zone_run(zone, true, evaluate, &learned) > 0);
    check_result(&known.result);
    compare(&known.result, &learned.result);
    spf_result_clear(&known.result);
    spf_result_clear(&learned.result);
    zone_free(&zone);
done:
    free(text);
    return 0;
}
