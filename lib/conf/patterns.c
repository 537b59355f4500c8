/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables of patterns, on the C library's regular expressions. */
#include "lib/conf/patterns.h"

#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "lib/conf/table_lines.h"

#include <regex.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define GROUPS_MAX 10 /* $0 is not used by Postfix; $1 to $9 are */
#define NESTING_MAX 32 /* of if ... endif */

enum rule_kind { RULE_VALUE, RULE_IF, RULE_ENDIF };

struct rule {
    enum rule_kind kind;
    regex_t regex; /* not for RULE_ENDIF */
    bool compiled;
    bool negated;
    char *value; /* RULE_VALUE */
    size_t skip_to; /* RULE_IF: the rule to go on with when it does not hold */
    unsigned line;
};

struct patterns {
    struct rule *rules;
    size_t count;
};

/* The reading of one line. */
struct pattern_line {
    const char *file;
    unsigned line;
    const char *at;
    char **problem_r;
};

static const char blanks[] = " \t";

static bool complain(const struct pattern_line *reading, const char *what)
{
    *reading->problem_r = mem_print("%s:%u: %s", reading->file, reading->line, what);
    return false;
}

/* Flags behind the pattern: each toggles (regexp_table(5)). */
static bool take_flags(struct pattern_line *reading, int *flags)
{
    for (; *reading->at != '\0' && strchr(blanks, *reading->at) == NULL; reading->at++) {
        switch (*reading->at) {
        case 'i':
            *flags ^= REG_ICASE;
            break;
        case 'm':
            *flags ^= REG_NEWLINE;
            break;
        case 'x':
            *flags ^= REG_EXTENDED;
            break;
        default:
            return complain(reading, "unknown flag behind the pattern: expected i, m or x");
        }
    }
    return true;
}

/* [!]/pattern/flags */
static bool take_pattern(struct pattern_line *reading, struct rule *rule)
{
    int flags = REG_EXTENDED | REG_ICASE;
    struct text pattern = TEXT_EMPTY;
    char delimiter;
    int result;
    bool done = false;

    while (*reading->at == '!') {
        rule->negated = !rule->negated;
        reading->at += 1 + strspn(reading->at + 1, blanks);
    }
    delimiter = *reading->at;
    if (delimiter == '\0' || strchr(blanks, delimiter) != NULL || delimiter == '\\' ||
        (delimiter >= '0' && delimiter <= '9') || (delimiter >= 'A' && delimiter <= 'Z') ||
        (delimiter >= 'a' && delimiter <= 'z'))
        return complain(reading, "expected /pattern/flags and a value");
    for (reading->at++; *reading->at != '\0' && *reading->at != delimiter; reading->at++) {
        /* An escaped delimiter is the delimiter; every other escape is the pattern's. */
        if (*reading->at == '\\' && reading->at[1] == delimiter)
            reading->at++;
        else if (*reading->at == '\\' && reading->at[1] != '\0')
            text_add_char(&pattern, *reading->at++);
        text_add_char(&pattern, *reading->at);
    }
    if (*reading->at != delimiter) {
        complain(reading, "the pattern has no end");
        goto done;
    }
    reading->at++;
    if (!take_flags(reading, &flags))
        goto done;
    if (rule->negated || rule->kind == RULE_IF)
        flags |= REG_NOSUB;
    result = regcomp(&rule->regex, text_string(&pattern), flags);
    if (result != 0) {
        char what[128];

        regerror(result, &rule->regex, what, sizeof(what));
        complain(reading, what);
        goto done;
    }
    rule->compiled = true;
    reading->at += strspn(reading->at, blanks);
    done = true;
done:
    text_free(&pattern);
    return done;
}

/* The number of the group that a $ at p refers to (0: none, a literal), and how long the reference
 * is. */
static size_t group_at(const char *p, size_t *length_r)
{
    char close = '\0';
    size_t digit = 1;

    *length_r = 1;
    if (p[1] == '{' || p[1] == '(') {
        close = p[1] == '{' ? '}' : ')';
        digit = 2;
    }
    if (p[digit] < '1' || p[digit] > '9' || (close != '\0' && p[digit + 1] != close))
        return 0;
    *length_r = digit + (close != '\0' ? 2 : 1);
    return (size_t)(p[digit] - '0');
}

static bool check_value(const struct pattern_line *reading, const struct rule *rule)
{
    for (const char *p = rule->value; *p != '\0'; p++) {
        size_t length;
        size_t group;

        if (*p != '$')
            continue;
        if (p[1] == '$') {
            p++;
            continue;
        }
        group = group_at(p, &length);
        if (group == 0)
            return complain(reading, "a $ in the value must be $1 to $9, or $$ for itself");
        if (rule->negated)
            return complain(reading, "a !/pattern/ has no $1 to put into its value");
        if (group > rule->regex.re_nsub)
            return complain(reading,
                            "the value names a group ($1, $2, ...) that the pattern has not");
        p += length - 1;
    }
    return true;
}

static bool take_rule(struct pattern_line *reading, struct rule *rule)
{
    size_t word = strcspn(reading->at, " \t");

    rule->line = reading->line;
    if (word == 5 && strncasecmp(reading->at, "endif", word) == 0) {
        rule->kind = RULE_ENDIF;
        return true;
    }
    /* "if" may stand right before its pattern. */
    if (strncasecmp(reading->at, "if", 2) == 0 && strchr(" \t!/", reading->at[2]) != NULL &&
        reading->at[2] != '\0') {
        rule->kind = RULE_IF;
        reading->at += 2 + strspn(reading->at + 2, blanks);
        return take_pattern(reading, rule);
    }
    if (!take_pattern(reading, rule))
        return false;
    if (*reading->at == '\0')
        return complain(reading, "expected a value behind the pattern");
    rule->value = mem_copy(reading->at);
    return check_value(reading, rule);
}

/* Follows if and endif, and notes where an if that does not hold goes on. */
static bool follow(struct patterns *patterns, const struct pattern_line *reading, size_t *open,
                   size_t *nopen)
{
    size_t last = patterns->count - 1;

    if (patterns->rules[last].kind == RULE_IF) {
        if (*nopen == NESTING_MAX)
            return complain(reading, "if is nested more than 32 deep");
        open[(*nopen)++] = last;
    } else if (patterns->rules[last].kind == RULE_ENDIF) {
        if (*nopen == 0)
            return complain(reading, "endif without if");
        patterns->rules[open[--*nopen]].skip_to = last;
    }
    return true;
}

struct patterns *patterns_read(const char *file, const char *text, size_t length, char **problem_r)
{
    struct patterns *patterns = mem_new(1, sizeof(*patterns));
    struct table_lines lines = {.next = text, .end = text + length};
    struct text line = TEXT_EMPTY;
    size_t open[NESTING_MAX];
    size_t nopen = 0;
    bool done = false;

    while (table_lines_next(&lines, &line)) {
        struct pattern_line reading = {file, lines.line, text_string(&line), problem_r};

        patterns->rules = mem_grow(patterns->rules, patterns->count + 1, sizeof(*patterns->rules));
        memset(&patterns->rules[patterns->count], 0, sizeof(*patterns->rules));
        patterns->count++;
        if (!take_rule(&reading, &patterns->rules[patterns->count - 1]) ||
            !follow(patterns, &reading, open, &nopen))
            goto done;
    }
    if (nopen > 0) {
        struct pattern_line reading = {file, patterns->rules[open[nopen - 1]].line, "", problem_r};

        complain(&reading, "if without endif");
        goto done;
    }
    done = true;
done:
    text_free(&line);
    if (!done)
        patterns_free(&patterns);
    return patterns;
}

void patterns_free(struct patterns **patterns)
{
    if (*patterns == NULL)
        return;
    for (size_t i = 0; i < (*patterns)->count; i++) {
        struct rule *rule = &(*patterns)->rules[i];

        if (rule->compiled)
            regfree(&rule->regex);
        free(rule->value);
    }
    free((*patterns)->rules);
    free(*patterns);
    *patterns = NULL;
}

static char *fill_in(const char *value, const char *key, const regmatch_t *groups)
{
    struct text text = TEXT_EMPTY;

    for (const char *p = value; *p != '\0'; p++) {
        size_t length;
        size_t group;

        if (*p != '$') {
            text_add_char(&text, *p);
            continue;
        }
        group = group_at(p, &length);
        if (group == 0) {
            text_add_char(&text, '$');
            p++; /* $$ */
            continue;
        }
        if (groups[group].rm_so >= 0)
            text_add(&text, key + groups[group].rm_so,
                     (size_t)(groups[group].rm_eo - groups[group].rm_so));
        p += length - 1;
    }
    return text_take(&text);
}

char *patterns_find(const struct patterns *patterns, const char *key, unsigned *line_r)
{
    regmatch_t groups[GROUPS_MAX];

    for (size_t i = 0; i < patterns->count; i++) {
        const struct rule *rule = &patterns->rules[i];
        bool holds;

        if (rule->kind == RULE_ENDIF)
            continue;
        holds = (regexec(&rule->regex, key, GROUPS_MAX, groups, 0) == 0) != rule->negated;
        if (rule->kind == RULE_IF) {
            if (!holds)
                i = rule->skip_to;
        } else if (holds) {
            *line_r = rule->line;
            return fill_in(rule->value, key, groups);
        }
    }
    return NULL;
}
