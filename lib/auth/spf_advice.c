/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/auth/spf_advice.h"

#include "lib/base/mem.h"
#include "lib/base/text.h"

#include <stdlib.h>
#include <string.h>

#define VERSION "v=spf1"

char *spf_advice_term(const struct ip_address *address)
{
    char text[IP_TEXT_MAX];

    ip_format(address, text);
    return mem_print("ip%u:%s", (unsigned)address->family, text);
}

/* --- terms ---------------------------------------------------------------------------- */

static void split(const char *record, struct strings *terms_r)
{
    while (*record != '\0') {
        size_t length = strcspn(record, " ");
        char *term = mem_copy_n(record, length);

        if (length > 0)
            strings_add(terms_r, term);
        free(term);
        record += length + strspn(record + length, " ");
    }
}

static const char *without_qualifier(const char *term)
{
    return term + (*term != '\0' && strchr("+-~?", *term) != NULL);
}

static bool is_all(const char *term)
{
    return text_equal_case(without_qualifier(term), "all");
}

static bool begins(const char *term, const char *name)
{
    char *start = mem_copy_n(term, strnlen(term, strlen(name)));
    bool equal = text_equal_case(start, name);

    free(start);
    return equal;
}

/* What decides for everybody that no term before it names. */
static bool is_end(const char *term)
{
    return is_all(term) || begins(term, "redirect=");
}

static void add(struct text *record, const char *term)
{
    if (record->length > 0)
        text_add_char(record, ' ');
    text_add_string(record, term);
}

static void add_missing(struct text *record, const struct strings *present,
                        const struct strings *terms)
{
    for (size_t i = 0; i < terms->count; i++)
        if (!strings_have_case(present, terms->items[i]))
            add(record, terms->items[i]);
}

/* --- records -------------------------------------------------------------------------- */

char *spf_advice_add(const char *record, const struct strings *terms, bool first)
{
    struct strings present = {0};
    struct text text = TEXT_EMPTY;
    bool added = false;

    split(record != NULL ? record : VERSION " -all", &present);
    for (size_t i = 0; i < present.count; i++) {
        if (!added && i > 0 && (first || is_end(present.items[i]))) {
            add_missing(&text, &present, terms);
            added = true;
        }
        add(&text, present.items[i]);
    }
    if (!added)
        add_missing(&text, &present, terms);
    strings_free(&present);
    return text_take(&text);
}

/* How much a qualifier keeps out. */
static int strictness(const char *all)
{
    static const char order[] = "+?~-";
    const char *at = strchr(order, *all);

    return *all != '\0' && at != NULL ? (int)(at - order) : 0;
}

char *spf_advice_merge(const struct strings *records)
{
    struct strings terms = {0}, kept = {0};
    struct text text = TEXT_EMPTY;
    const char *all = NULL;

    for (size_t i = 0; i < records->count; i++)
        split(records->items[i], &terms);
    add(&text, VERSION);
    for (size_t i = 0; i < terms.count; i++) {
        const char *term = terms.items[i];

        if (is_all(term) && (all == NULL || strictness(term) > strictness(all)))
            all = term;
        if (is_all(term) || text_equal_case(term, VERSION) || strings_have_case(&kept, term))
            continue;
        strings_add(&kept, term);
        add(&text, term);
    }
    if (all != NULL)
        add(&text, all);
    strings_free(&kept);
    strings_free(&terms);
    return text_take(&text);
}
