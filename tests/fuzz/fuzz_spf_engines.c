/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Both SPF engines with a client, a sender, records and answers from strangers: whatever our
 * evaluation has libspf2 asked can be read back, and libspf2 survives it.
 *
 * Lines as in fuzz_spf.c.
 */
#include "engine/libspf2.h"
#include "lib/auth/spf_second.h"
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
    const struct lookup *zone;
    struct spf_opinion opinion;
};

static const struct dns_answer *find(void *context, const char *name, enum dns_type type)
{
    const struct lookup *zone = ((struct check *)context)->zone;

    return zone->find(zone->context, name, type);
}

static const struct spf_opinion *ask(void *context, const struct spf_question *question)
{
    struct check *check = context;
    struct spf_request request;
    struct lookup lookup;

    for (size_t i = 0; i < question->length; i++)
        must(question->text[i] == '\n' || (question->text[i] >= ' ' && question->text[i] <= '~'));
    must(spf_request_parse(question->text, question->length, &request));
    lookup = spf_request_lookup(&request);
    check->opinion = (struct spf_opinion){.given = true, .stands = question->own};
    must(spf_status_parse(libspf2_check(&request.client, request.domain, &lookup),
                          &check->opinion.said));
    spf_request_clear(&request);
    return &check->opinion;
}

static bool evaluate(const struct lookup *zone, void *context)
{
    struct check *check = context;
    const struct lookup lookup = {.find = find, .second = ask, .context = check};

    check->zone = zone;
    return spf_check(&check->query, &lookup, &check->result);
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool opened;
    char *text = mem_copy_n((const char *)data, size);
    char *rest = text;
    const char *ip = take_line(&rest);
    struct check check = {.query = {.receiver = "mx.example.net", .now_sec = 1700000000}};
    struct zone *zone;

    if (!opened)
        libspf2_open();
    opened = true;
    check.query.helo = take_line(&rest);
    check.query.sender = take_line(&rest);
    if (!ip_parse(ip, &check.query.client))
        goto done;
    zone = read_zone(rest);
    must(zone_run(zone, false, evaluate, &check) == 1);
    spf_result_clear(&check.result);
    zone_free(&zone);
done:
    free(text);
    return 0;
}
