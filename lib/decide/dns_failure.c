/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/decide/dns_failure.h"

#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "lib/causes/causes.h"

#include <stdlib.h>
#include <string.h>

#define NAMED_MAX 300 /* octets of a field; what goes beyond is counted, not named */

static struct finding *find(struct message *message)
{
    struct findings *findings = &message->findings;

    for (size_t i = 0; i < findings->count; i++)
        if (findings->items[i].cause == cause_get(CAUSE_DNS_FAILURE))
            return &findings->items[i];
    return NULL;
}

static const char *value_of(const struct finding *finding, const char *name)
{
    for (size_t i = 0; i < finding->nfields; i++)
        if (strcmp(finding->fields[i].name, name) == 0)
            return finding->fields[i].value;
    return "";
}

/* Whether the list, joined by separator, has the word. */
static bool has_word(const char *list, const char *word, char separator)
{
    const size_t length = strlen(word);

    for (; list != NULL;
         list = strchr(list, separator) != NULL ? strchr(list, separator) + 1 : NULL)
        if (strncmp(list, word, length) == 0 && (list[length] == separator || list[length] == '\0'))
            return true;
    return false;
}

static void add_word(struct finding *finding, const char *field, const char *word, char separator)
{
    const char *list = value_of(finding, field);

    if (list[0] == '\0')
        finding_field(finding, field, "%s", word);
    else if (!has_word(list, word, separator) && strlen(list) + strlen(word) < NAMED_MAX)
        finding_field(finding, field, "%s%c%s", list, separator, word);
}

/* "try \"dig MX a.test\", \"dig TXT b.test\"" */
static void write_hint(struct finding *finding)
{
    const char *lookup = value_of(finding, "lookups");
    struct text commands = TEXT_EMPTY;

    while (*lookup != '\0') {
        size_t length = strcspn(lookup, ",");

        text_print(&commands, "%s\"dig %.*s\"", commands.length > 0 ? ", " : "", (int)length,
                   lookup);
        lookup += length + (lookup[length] == ',');
    }
    finding_hint(finding, "the name servers of %s or our resolver do not answer: try %s",
                 value_of(finding, "domain"), text_string(&commands));
    text_free(&commands);
}

/* "example.com TXT: SERVFAIL" says which of several lookups it was; the caller frees both. */
static void read_problem(const struct dns_failure *failure, char **lookup_r, char **problem_r)
{
    const char *words = failure->problem, *colon, *blank;

    *lookup_r = mem_print("%s %s", failure->type, failure->name);
    while ((colon = strstr(words, ": ")) != NULL) {
        blank = memchr(words, ' ', (size_t)(colon - words));
        if (blank != NULL) {
            free(*lookup_r);
            *lookup_r = mem_print("%.*s %.*s", (int)(colon - blank - 1), blank + 1,
                                  (int)(blank - words), words);
        }
        words = colon + 2;
    }
    *problem_r = mem_copy(words);
}

void dns_failure_add(struct message *message, const struct dns_failure *failure)
{
    struct finding *finding = find(message);
    char *lookup, *problem;

    if (finding == NULL) {
        finding = findings_add(&message->findings, cause_get(CAUSE_DNS_FAILURE));
        if (finding == NULL)
            return;
        finding->recipient = failure->recipient;
    } else if (finding->recipient != failure->recipient) {
        finding->recipient = -1;
    }
    if (finding->sentence == NULL && failure->for_people != NULL)
        finding_sentence(finding, "%s", failure->for_people);
    read_problem(failure, &lookup, &problem);
    add_word(finding, "domain", failure->domain, ',');
    add_word(finding, "problem", problem, ';');
    add_word(finding, "lookups", lookup, ',');
    write_hint(finding);
    free(lookup);
    free(problem);
}
