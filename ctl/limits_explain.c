/* SPDX-License-Identifier: BSD-2-Clause */
/* Which lines of the configuration made somebody's limits. */
#include "ctl/limits_explain.h"

#include "ctl/ctl.h"
#include "lib/base/mem.h"
#include "lib/decide/limits.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define MATCHES_MAX 64 /* classes of one subject that are told */

void limits_explain_place(const struct conf_place *place, struct text *text)
{
    text_add_string(text, place->file);
    if (place->line > 0)
        text_print(text, ":%u", place->line);
}

static char *place_text(const struct conf_place *place)
{
    struct text text = TEXT_EMPTY;

    if (place->file == NULL)
        return NULL;
    limits_explain_place(place, &text);
    return text_take(&text);
}

static char *max_text(int64_t max)
{
    return max == CONF_UNLIMITED ? mem_copy("unlimited") : mem_print("%" PRId64, max);
}

/* Everything that makes one of the lines. */
struct rule {
    const struct conf_match *match; /* NULL: the limit itself */
    char *max, *set_at, *member_at, *entry_at;
};

static struct rule rule_of(const struct conf_limit *limit, const struct conf_match *match)
{
    struct rule rule = {.match = match};

    rule.max = max_text(match != NULL ? match->limit->max : limit->max);
    rule.set_at = place_text(match != NULL ? &match->limit->place : &limit->place);
    if (match != NULL && match->member != NULL) {
        rule.member_at = place_text(&match->member->place);
        rule.entry_at = place_text(&match->entry);
    }
    return rule;
}

static void rule_clear(struct rule *rule)
{
    free(rule->max);
    free(rule->set_at);
    free(rule->member_at);
    free(rule->entry_at);
}

static const char *inherited_from(const struct rule *rule)
{
    const struct conf_match *match = rule->match;

    return match != NULL && match->limit->from != match->class ? match->limit->from->name : NULL;
}

static void print_rule(const struct conf_limit *limit, const struct rule *rule, bool holds)
{
    const char *from = inherited_from(rule);

    printf("  %-5s  max %s at %s", holds ? "holds" : "", rule->max, rule->set_at);
    if (rule->match == NULL)
        printf(": limit %s itself\n", limit->name);
    else
        printf(": class %s", rule->match->class->name);
    if (rule->match == NULL)
        return;
    if (from != NULL)
        printf(", inherited from class %s", from);
    if (rule->match->member != NULL)
        printf(", member %s at %s", rule->match->member->text, rule->member_at);
    else
        printf(", assigned by class-lookup");
    if (rule->entry_at != NULL)
        printf(", by %s", rule->entry_at);
    putchar('\n');
}

static json_t *json_of_rule(const struct rule *rule, bool holds)
{
    const struct conf_match *match = rule->match;
    const struct conf_member *member = match != NULL ? match->member : NULL;

    return json_pack("{s:b, s:s, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?}", "holds", (int)holds, "max",
                     rule->max, "set-at", rule->set_at, "class",
                     match != NULL ? match->class->name : NULL, "inherited-from",
                     inherited_from(rule), "member", member != NULL ? member->text : NULL,
                     "member-at", rule->member_at, "entry-at", rule->entry_at);
}

static json_t *explain_limit(const struct conf *conf, const struct conf_limit *limit,
                             const struct conf_person *person, bool json)
{
    struct conf_match matches[MATCHES_MAX];
    size_t count = conf_matches(conf, limit, person, matches, MATCHES_MAX);
    json_t *rules = json_array();
    char words[96];

    limits_words(limit, count > 0 ? matches[0].limit->max : limit->max, words, sizeof(words));
    if (!json)
        printf("%s: %s\n", limit->name, words);
    for (size_t i = 0; i <= count; i++) {
        struct rule rule = rule_of(limit, i < count ? &matches[i] : NULL);

        if (json)
            json_array_append_new(rules, json_of_rule(&rule, i == 0));
        else
            print_rule(limit, &rule, i == 0);
        rule_clear(&rule);
    }
    return json_pack("{s:s, s:s, s:o}", "limit", limit->name, "words", words, "rules", rules);
}

/* What class-lookup says; the configuration's own lines are told without it, too. */
static void find_class(const struct conf *conf, struct subject *subject)
{
    struct client client;
    char *problem = NULL;

    if (subject->kind != SUBJECT_USER || conf->nclasses == 0 || conf->nclass_lookups == 0)
        return;
    if (client_open(&client, conf, &problem))
        subject_find_class(conf, subject, &client);
    else
        ctl_complain("%s; a class that sluicectl class has set is not known", problem);
    client_close(&client);
    free(problem);
    if (subject->class != NULL && conf_class(conf, subject->class) == NULL)
        ctl_complain("%s was put into class \"%s\", and there is none of that name", subject->name,
                     subject->class);
}

int limits_explain(const struct conf *conf, struct subject *subject, bool json)
{
    struct conf_person person;
    json_t *limits = json_array();
    size_t count = 0;

    find_class(conf, subject);
    person = subject_person(subject);
    if (!json)
        printf("%s\n", subject->name);
    for (size_t i = 0; i < conf->nlimits; i++) {
        if (conf->limits[i].subject != subject->kind)
            continue;
        json_array_append_new(limits, explain_limit(conf, &conf->limits[i], &person, json));
        count++;
    }
    if (json)
        ctl_print_json(json_pack("{s:s, s:O}", "subject", subject->name, "limits", limits));
    json_decref(limits);
    if (count > 0)
        return EX_OK;
    if (!json)
        ctl_complain("no limit counts %s", subject->name);
    return EXIT_NEGATIVE;
}
