/* SPDX-License-Identifier: BSD-2-Clause */
/* One classification rule: reading it, and its conditions. */
#include "lib/classify/rule.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/base/words.h"
#include "lib/classify/letters.h"

#include <stdlib.h>
#include <string.h>

#define ANY_DETAIL 999

/* --- Conditions ----------------------------------------------------------------------- */

/* A condition's values are parted by commas; each is handed to one of these. */
typedef bool reader(struct rule *rule, struct span value);

static void add_codes(struct rule *rule, unsigned first, unsigned last)
{
    for (unsigned code = first; code <= last; code++) {
        unsigned bit = code - RULE_CODE_FIRST;

        rule->codes[bit / 64] |= UINT64_C(1) << (bit % 64);
    }
    rule->has_codes = true;
}

/* "550", "55x", "5xx" */
static bool read_code(struct rule *rule, struct span value)
{
    unsigned first = 0;
    unsigned range = 1;
    size_t digits = span_digits(value);

    if (value.length != 3 || digits == 0 || !span_number(span_to(value, digits), 599, &first))
        return false;
    for (size_t i = digits; i < 3; i++) {
        if (value.start[i] != 'x')
            return false;
        first *= 10;
        range *= 10;
    }
    if (first < RULE_CODE_FIRST || first + range - 1 > RULE_CODE_LAST)
        return false;
    add_codes(rule, first, first + range - 1);
    return true;
}

/* A number, a range or "x".  false: none of these. */
static bool read_range(struct span text, uint16_t *first_r, uint16_t *last_r)
{
    size_t dash = span_find_char(text, '-');
    unsigned first = 0;
    unsigned last = ANY_DETAIL;

    if (!span_equals(text, "x")) {
        if (!span_number(span_to(text, dash), ANY_DETAIL, &first))
            return false;
        last = first;
        if (dash != SPAN_NONE && !span_number(span_from(text, dash + 1), ANY_DETAIL, &last))
            return false;
    }
    *first_r = (uint16_t)first;
    *last_r = (uint16_t)last;
    return first <= last;
}

static bool read_enhanced(struct rule *rule, struct span value)
{
    struct rule_enhanced *enhanced = &rule->enhanced[rule->nenhanced];
    size_t dot = span_find_char(span_from(value, 2), '.');
    uint16_t subject_last;

    if (rule->nenhanced == RULE_ENHANCED_MAX || value.length < 5 || value.start[1] != '.' ||
        dot == SPAN_NONE || strchr("245x", value.start[0]) == NULL ||
        !read_range(span_to(span_from(value, 2), dot), &enhanced->subject, &subject_last) ||
        enhanced->subject != subject_last ||
        !read_range(span_from(value, dot + 3), &enhanced->detail_first, &enhanced->detail_last))
        return false;
    enhanced->class = value.start[0] == 'x' ? 0 : (uint8_t)(value.start[0] - '0');
    rule->nenhanced++;
    return true;
}

static bool read_stage(struct rule *rule, struct span value)
{
    enum smtp_stage stage;

    if (!stage_parse(value, &stage))
        return false;
    rule->stages |= 1U << stage;
    return true;
}

static bool read_kind(struct rule *rule, struct span value)
{
    enum line_kind kind = LINE_FOREIGN;

    if (!span_equals(value, "reply") && (!line_kind_parse(value, &kind) || kind == LINE_FOREIGN))
        return false;
    rule->kinds |= 1U << kind;
    return true;
}

static bool read_relay(struct rule *rule, struct span value)
{
    char *name;

    if (value.length < 2)
        return false;
    name = mem_copy_n(value.start, value.length);
    strings_add(&rule->relays, name);
    free(name);
    return true;
}

static const struct condition {
    const char *name;
    reader *read;
    const char *expected;
} conditions[] = {
    {"dsn", read_enhanced, "enhanced codes such as x.1.1, 4.7.x or 5.7.606-649"},
    {"code", read_code, "reply codes such as 550, 55x or 5xx"},
    {"at", read_stage, "connect, helo, starttls, auth, mail, rcpt, data or end"},
    {"line", read_kind, "reply, or a kind of log line such as delivery, reject or login"},
    {"relay", read_relay, "names of servers, or ends of names such as .example.com"},
};
#define CONDITION_COUNT COUNT_OF(conditions)

static bool read_values(struct rule *rule, const struct condition *condition, struct span values,
                        char **problem_r)
{
    while (values.length > 0) {
        size_t comma = span_find_char(values, ',');
        struct span value = span_to(values, comma);

        if (value.length == 0 || !condition->read(rule, value)) {
            *problem_r = mem_print("%s=%.*s: expected %s", condition->name, (int)value.length,
                                   value.start, condition->expected);
            return false;
        }
        values = span_from(values, comma == SPAN_NONE ? values.length : comma + 1);
    }
    return true;
}

static bool read_condition(struct rule *rule, struct span word, char **problem_r)
{
    size_t equals = span_find_char(word, '=');
    const char *names[CONDITION_COUNT];
    const char *nearest;
    char *name;

    for (size_t i = 0; equals != SPAN_NONE && i < CONDITION_COUNT; i++)
        if (span_equals(span_to(word, equals), conditions[i].name) && equals + 1 < word.length)
            return read_values(rule, &conditions[i], span_from(word, equals + 1), problem_r);
    for (size_t i = 0; i < CONDITION_COUNT; i++)
        names[i] = conditions[i].name;
    name = mem_copy_n(word.start, equals == SPAN_NONE ? word.length : equals);
    nearest = words_nearest(name, names, CONDITION_COUNT);
    *problem_r =
        mem_print("\"%.*s\": expected dsn=, code=, at=, line=, relay= or a /pattern/%s%s%s",
                  (int)word.length, word.start, nearest != NULL ? "; did you mean " : "",
                  nearest != NULL ? nearest : "", nearest != NULL ? "=?" : "");
    free(name);
    return false;
}

/* --- Patterns ------------------------------------------------------------------------- */

/* Texts are in lower case: a pattern that is, too, matches faster without folding. */
static uint32_t case_option(const char *expression)
{
    for (const char *c = expression; *c != '\0'; c++) {
        if (*c == '\\' && c[1] != '\0')
            c++;
        else if (*c >= 'A' && *c <= 'Z')
            return PCRE2_CASELESS;
    }
    return 0;
}

static bool compile(struct rule_pattern *pattern, char **problem_r)
{
    uint32_t options = PCRE2_NO_AUTO_CAPTURE | PCRE2_NEVER_BACKSLASH_C;
    int error;
    size_t offset;
    PCRE2_UCHAR why[120];

    options |= case_option(pattern->expression);
    pattern->code = pcre2_compile((PCRE2_SPTR)pattern->expression, PCRE2_ZERO_TERMINATED, options,
                                  &error, &offset, NULL);
    if (pattern->code == NULL) {
        (void)pcre2_get_error_message(error, why, sizeof(why));
        *problem_r =
            mem_print("/%s/: %s at character %zu", pattern->expression, (const char *)why, offset);
        return false;
    }
    /* Without the right to make code at run time it is interpreted, which is slower. */
    (void)pcre2_jit_compile(pattern->code, PCRE2_JIT_COMPLETE);
    return true;
}

/* Reads "/pattern/" or "!/pattern/"; "\/" is a slash. */
static bool read_pattern(struct rule *rule, struct span *text, char **problem_r)
{
    struct rule_pattern *pattern = &rule->patterns[rule->npatterns];
    size_t length = 0;
    bool negated = span_skip(text, "!");
    char *as_written;

    *text = span_from(*text, 1);
    while (length < text->length && text->start[length] != '/')
        length += text->start[length] == '\\' ? 2 : 1;
    if (length >= text->length) {
        *problem_r = mem_copy("a pattern has no / at its end");
        return false;
    }
    if (length == 0 || rule->npatterns == RULE_PATTERNS_MAX) {
        *problem_r = length == 0 ? mem_copy("a pattern is empty")
                                 : mem_print("there are more than %d patterns", RULE_PATTERNS_MAX);
        return false;
    }
    as_written = mem_copy_n(text->start, length);
    pattern->expression = letters_folded(as_written);
    free(as_written);
    pattern->negated = negated;
    rule->npatterns++;
    *text = span_from(*text, length + 1);
    return compile(pattern, problem_r);
}

/* --- Rules ---------------------------------------------------------------------------- */

static bool read_cause(struct rule *rule, struct span word, char **problem_r)
{
    char *id = mem_copy_n(word.start, word.length);
    const char *nearest;
    bool found = false;

    for (size_t i = 0; i < CAUSE_COUNT && !found; i++) {
        found = strcmp(cause_get((enum cause_id)i)->id, id) == 0;
        rule->cause = (enum cause_id)i;
    }
    if (!found) {
        nearest = words_nearest(id, cause_ids(), CAUSE_COUNT);
        *problem_r = mem_print("no cause is called \"%s\"%s%s%s", id,
                               nearest != NULL ? "; did you mean \"" : "",
                               nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "");
    }
    free(id);
    return found;
}

static struct span take_word(struct span *text)
{
    size_t length = span_find_char(*text, ' ');
    struct span word = span_to(*text, length);

    *text = span_trim(span_from(*text, word.length));
    return word;
}

bool rule_read(const char *text, struct rule *rule_r, char **problem_r)
{
    struct span rest = span_trim(span_of(text));

    rule_r->name = mem_print("%s:%u", rule_r->file, rule_r->line);
    if (!read_cause(rule_r, take_word(&rest), problem_r))
        return false;
    if (rest.length == 0) {
        *problem_r = mem_copy("a rule without conditions would decide everything");
        return false;
    }
    while (rest.length > 0) {
        bool done = span_starts(rest, "/") || span_starts(rest, "!/")
                        ? read_pattern(rule_r, &rest, problem_r)
                        : read_condition(rule_r, take_word(&rest), problem_r);

        if (!done)
            return false;
        rest = span_trim(rest);
    }
    return true;
}

void rule_clear(struct rule *rule)
{
    for (size_t i = 0; i < rule->npatterns; i++) {
        pcre2_code_free(rule->patterns[i].code);
        free(rule->patterns[i].expression);
    }
    strings_free(&rule->relays);
    free(rule->name);
}

static bool fits_code(const struct rule *rule, unsigned code)
{
    unsigned bit = code - RULE_CODE_FIRST;

    return code >= RULE_CODE_FIRST && code <= RULE_CODE_LAST &&
           (rule->codes[bit / 64] & (UINT64_C(1) << (bit % 64))) != 0;
}

static bool fits_enhanced(const struct rule *rule, const struct enhanced *enhanced)
{
    for (size_t i = 0; i < rule->nenhanced; i++) {
        const struct rule_enhanced *wanted = &rule->enhanced[i];

        if ((wanted->class == 0 ? enhanced->class >= 4 : wanted->class == enhanced->class) &&
            wanted->subject == enhanced->subject && wanted->detail_first <= enhanced->detail &&
            wanted->detail_last >= enhanced->detail)
            return true;
    }
    return false;
}

/* A name is the server's own, or, with a dot before it, the end of it. */
static bool fits_relay(const struct rule *rule, struct span relay)
{
    for (size_t i = 0; i < rule->relays.count; i++) {
        const char *name = rule->relays.items[i];

        if (relay.start != NULL && span_ends_case(relay, name) &&
            (name[0] == '.' || relay.length == strlen(name)))
            return true;
    }
    return false;
}

bool rule_fits(const struct rule *rule, const struct rules_case *facts)
{
    return (!rule->has_codes || fits_code(rule, facts->code)) &&
           (rule->nenhanced == 0 || fits_enhanced(rule, &facts->enhanced)) &&
           (rule->stages == 0 || (rule->stages & (1U << facts->stage)) != 0) &&
           (rule->kinds == 0 || (rule->kinds & (1U << facts->kind)) != 0) &&
           (rule->relays.count == 0 || fits_relay(rule, facts->relay));
}
