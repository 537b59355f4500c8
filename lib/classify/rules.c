/* SPDX-License-Identifier: BSD-2-Clause */
/* The classification rules: one automaton finds which of them a text can match at all, and PCRE2
 * confirms those. */
#include "lib/classify/rules.h"

#include "lib/base/mem.h"
#include "lib/classify/automaton.h"
#include "lib/classify/classify.rules.inc"
#include "lib/classify/definitions.h"
#include "lib/classify/literals.h"
#include "lib/classify/rule.h"
#include "lib/conf/files.h"

#include <stdlib.h>
#include <string.h>

/* Steps of one match; a pattern that needs more on a text does not match it. */
#define MATCH_LIMIT 20000
#define PROBLEMS_MAX 50 /* more than a person reads */

struct rules {
    struct strings files;
    struct rule *items;
    size_t count;
    struct rules_sentence *sentences;
    size_t nsentences;
    struct automaton *automaton;
    size_t nwords; /* of 64 marks; a rule has LITERALS_SETS of them */
    uint64_t *always; /* the marks that no literal sets */
    pcre2_match_context *context;
    struct definitions definitions; /* of the file that is being read */
    struct text problems;
    size_t nproblems;
};

struct rules_scratch {
    pcre2_match_data *match;
    uint64_t *marks;
};

static void add_problem(struct rules *rules, const char *file, unsigned line, const char *problem)
{
    if (rules->nproblems++ < PROBLEMS_MAX)
        text_print(&rules->problems, "%s:%u: %s\n", file, line, problem);
}

static void add_definition(struct rules *rules, const char *file, unsigned line, const char *text)
{
    char *problem = NULL;

    if (!definitions_read(&rules->definitions, text, &problem))
        add_problem(rules, file, line, problem);
    free(problem);
}

static void add_rule(struct rules *rules, const char *file, unsigned line, const char *text)
{
    struct text expanded = TEXT_EMPTY;
    struct rule *rule;
    char *problem = NULL;

    if (rules->count == RULES_MAX) {
        add_problem(rules, file, line, "there are too many rules");
        return;
    }
    rules->items = mem_grow(rules->items, rules->count + 1, sizeof(*rules->items));
    rule = &rules->items[rules->count++];
    *rule = (struct rule){.file = file, .line = line};
    if (!definitions_expand(&rules->definitions, text, &expanded, &problem) ||
        !rule_read(text_string(&expanded), rule, &problem))
        add_problem(rules, file, line, problem);
    text_free(&expanded);
    free(problem);
}

static void add_sentence(struct rules *rules, const char *file, unsigned line, const char *text)
{
    struct span sentence = span_trim(span_of(text));

    if (rules->count == 0) {
        add_problem(rules, file, line, "a test sentence stands before any rule");
        return;
    }
    rules->sentences = mem_grow(rules->sentences, rules->nsentences + 1, sizeof(*rules->sentences));
    rules->sentences[rules->nsentences++] = (struct rules_sentence){
        mem_copy_n(sentence.start, sentence.length), line, rules->count - 1};
}

static void add_line(struct rules *rules, const char *file, unsigned line, const char *text,
                     size_t length)
{
    struct span trimmed = span_trim((struct span){text, length});
    char *copy;

    if (trimmed.length == 0 || trimmed.start[0] == '#')
        return;
    if (length > RULE_LENGTH_MAX || memchr(text, '\0', length) != NULL) {
        add_problem(rules, file, line, "the line is too long, or holds a NUL");
        return;
    }
    copy = mem_copy_n(text, length);
    if (text[0] == ' ' || text[0] == '\t')
        add_sentence(rules, file, line, copy);
    else if (definitions_is_one(copy))
        add_definition(rules, file, line, copy);
    else
        add_rule(rules, file, line, copy);
    free(copy);
}

static void add_text(struct rules *rules, const char *name, const char *text, size_t length)
{
    const char *end = text + length;
    const char *file;
    unsigned line = 0;

    strings_add(&rules->files, name);
    file = rules->files.items[rules->files.count - 1];
    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *stop = newline != NULL ? newline : end;

        add_line(rules, file, ++line, text, (size_t)(stop - text));
        text = newline != NULL ? newline + 1 : end;
    }
    definitions_free(&rules->definitions);
}

static void add_file(struct rules *rules, const char *path)
{
    struct text text = TEXT_EMPTY;
    char *problem = NULL;

    if (file_read(path, RULES_FILE_MAX, &text, NULL, &problem))
        add_text(rules, path, text_string(&text), text.length);
    else if (rules->nproblems++ < PROBLEMS_MAX)
        text_print(&rules->problems, "%s\n", problem);
    free(problem);
    text_free(&text);
}

static size_t shortest(const struct strings *strings)
{
    size_t least = SIZE_MAX;

    for (size_t i = 0; i < strings->count; i++)
        if (strlen(strings->items[i]) < least)
            least = strlen(strings->items[i]);
    return strings->count > 0 ? least : 0;
}

/* Keeps the sets whose shortest string is longest; takes what literals hold. */
static void keep_best(struct strings best[LITERALS_SETS], struct strings *literals)
{
    for (size_t i = 0; i < LITERALS_SETS; i++) {
        if (shortest(literals) > shortest(&best[i])) {
            struct strings other = best[i];

            best[i] = *literals;
            *literals = other;
        }
    }
    strings_free(literals);
}

/* The literals of a rule's patterns announce it: one of each set has to stand in a text. */
static void announce(struct rules *rules, size_t index)
{
    const struct rule *rule = &rules->items[index];
    struct strings best[LITERALS_SETS] = {{.count = 0}};

    for (size_t i = 0; i < rule->npatterns; i++) {
        struct strings literals[LITERALS_SETS] = {{.count = 0}};

        if (!rule->patterns[i].negated)
            (void)literals_find(rule->patterns[i].expression, literals);
        for (size_t j = 0; j < LITERALS_SETS; j++)
            keep_best(best, &literals[j]);
    }
    for (size_t i = 0; i < LITERALS_SETS; i++) {
        const size_t mark = index * LITERALS_SETS + i;
        bool added = best[i].count > 0;

        for (size_t j = 0; j < best[i].count && added; j++)
            added = automaton_add(rules->automaton, span_of(best[i].items[j]), (uint32_t)mark);
        if (!added)
            rules->always[mark / 64] |= UINT64_C(1) << (mark % 64);
        strings_free(&best[i]);
    }
}

static struct rules *begin(void)
{
    return mem_new(1, sizeof(struct rules));
}

static struct rules *finish(struct rules *rules, char **problems_r)
{
    if (rules->nproblems > 0) {
        if (rules->nproblems > PROBLEMS_MAX)
            text_print(&rules->problems, "and %zu more\n", rules->nproblems - PROBLEMS_MAX);
        *problems_r = text_take(&rules->problems);
        rules_free(&rules);
        return NULL;
    }
    rules->nwords = rules->count * LITERALS_SETS / 64 + 1;
    rules->always = mem_new(rules->nwords, sizeof(*rules->always));
    rules->automaton = automaton_new();
    for (size_t i = 0; i < rules->count; i++)
        announce(rules, i);
    automaton_build(rules->automaton);
    rules->context = pcre2_match_context_create(NULL);
    (void)pcre2_set_match_limit(rules->context, MATCH_LIMIT);
    return rules;
}

struct rules *rules_load(const struct strings *files, bool built_in, char **problems_r)
{
    struct rules *rules = begin();

    for (size_t i = 0; i < files->count; i++)
        add_file(rules, files->items[i]);
    if (built_in)
        add_text(rules, RULES_BUILT_IN, classify_rules, sizeof(classify_rules) - 1);
    return finish(rules, problems_r);
}

struct rules *rules_load_text(const char *name, const char *text, size_t length, char **problems_r)
{
    struct rules *rules = begin();

    add_text(rules, name, text, length);
    return finish(rules, problems_r);
}

void rules_free(struct rules **rules)
{
    struct rules *old = *rules;

    if (old == NULL)
        return;
    for (size_t i = 0; i < old->count; i++)
        rule_clear(&old->items[i]);
    for (size_t i = 0; i < old->nsentences; i++)
        free((char *)(uintptr_t)old->sentences[i].text);
    automaton_free(&old->automaton);
    pcre2_match_context_free(old->context);
    strings_free(&old->files);
    text_free(&old->problems);
    free(old->always);
    free(old->sentences);
    free(old->items);
    free(old);
    *rules = NULL;
}

size_t rules_count(const struct rules *rules)
{
    return rules->count;
}

enum cause_id rule_cause(const struct rules *rules, size_t rule)
{
    return rules->items[rule].cause;
}

const char *rule_name(const struct rules *rules, size_t rule)
{
    return rules->items[rule].name;
}

const char *rule_file(const struct rules *rules, size_t rule)
{
    return rules->items[rule].file;
}

size_t rules_sentence_count(const struct rules *rules)
{
    return rules->nsentences;
}

const struct rules_sentence *rules_sentence(const struct rules *rules, size_t index)
{
    return &rules->sentences[index];
}

struct rules_scratch *rules_scratch_new(const struct rules *rules)
{
    struct rules_scratch *scratch = mem_new(1, sizeof(*scratch));

    scratch->match = pcre2_match_data_create(1, NULL);
    scratch->marks = mem_new(rules->nwords, sizeof(*scratch->marks));
    return scratch;
}

void rules_scratch_free(struct rules_scratch **scratch)
{
    if (*scratch == NULL)
        return;
    pcre2_match_data_free((*scratch)->match);
    free((*scratch)->marks);
    free(*scratch);
    *scratch = NULL;
}

static bool patterns_match(const struct rules *rules, struct rules_scratch *scratch,
                           const struct rule *rule, struct span text)
{
    for (size_t i = 0; i < rule->npatterns; i++) {
        int result = pcre2_match(rule->patterns[i].code, (PCRE2_SPTR)text.start, text.length, 0, 0,
                                 scratch->match, rules->context);

        /* A match that is given up is none, also where none is wanted. */
        if (result < 0 && result != PCRE2_ERROR_NOMATCH)
            return false;
        if ((result >= 0) == rule->patterns[i].negated)
            return false;
    }
    return true;
}

/* The first bit of each rule of whose sets all have their mark. */
static uint64_t complete(uint64_t marks)
{
    return marks & (marks >> 1) & UINT64_C(0x5555555555555555);
}
_Static_assert(LITERALS_SETS == 2, "complete() looks at pairs of marks");

size_t rules_match(const struct rules *rules, struct rules_scratch *scratch,
                   const struct rules_case *facts)
{
    memcpy(scratch->marks, rules->always, rules->nwords * sizeof(*scratch->marks));
    automaton_scan(rules->automaton, facts->text, scratch->marks);
    for (size_t word = 0; word < rules->nwords; word++) {
        for (uint64_t left = complete(scratch->marks[word]); left != 0; left &= left - 1) {
            size_t index = (word * 64 + (size_t)__builtin_ctzll(left)) / LITERALS_SETS;
            const struct rule *rule = &rules->items[index];

            if (rule_fits(rule, facts) && patterns_match(rules, scratch, rule, facts->text))
                return index;
        }
    }
    return RULE_NONE;
}
