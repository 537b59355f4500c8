/* SPDX-License-Identifier: BSD-2-Clause */
/* Log lines and replies from strangers: every field lies within the text, and every failure has a
 * cause. */
#include "lib/classify/classify.h"
#include "tests/fuzz/fuzz.h"

#include <stddef.h>
#include <stdint.h>

static struct rules *rules;
static struct classify_scratch *scratch;

static void load(void)
{
    static const struct strings none = {.count = 0};
    char *problems = NULL;

    rules = rules_load(&none, true, &problems);
    must(rules != NULL && problems == NULL);
    scratch = classify_scratch_new(rules);
}

static void check(struct span text, const struct line *line)
{
    int64_t time_us;

    must(line->kind < LINE_KIND_COUNT && *line_kind_name(line->kind) != '\0');
    for (size_t i = 0; i < FIELD_COUNT; i++)
        must(line->fields[i].start == NULL ||
             (line->fields[i].start >= text.start &&
              line->fields[i].start + line->fields[i].length <= text.start + text.length));
    (void)line_time(line, INT64_C(1790000000000000), &time_us);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct span text = {(const char *)data, size};
    struct classification classification;
    struct line line;

    if (rules == NULL)
        load();
    line_parse(text.start, text.length, &line);
    check(text, &line);
    classify_line(rules, scratch, &line, &classification);
    classify_text(rules, scratch, text, &classification);
    if (classification.outcome == OUTCOME_FAILED)
        must(cause_get(classification.cause) != NULL);
    return 0;
}
