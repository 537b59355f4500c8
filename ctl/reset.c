/* SPDX-License-Identifier: BSD-2-Clause */
/* sluicectl reset: forget what a subject used, and what deliveries taught of it. */
#include "ctl/ctl.h"
#include "ctl/subject.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "lib/decide/outcomes.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "daily 12 messages, rcpts 30 recipients" */
static void print_usage(const struct usage *usages, size_t count, struct text *text)
{
    for (size_t i = 0; i < count; i++)
        if (usages[i].answer.used > 0)
            text_print(text, "%s%s %" PRId64 " %s", text->length > 0 ? ", " : "",
                       usages[i].limit->name, usages[i].answer.used,
                       limit_count_name(usages[i].limit->count));
}

/* usages NULL: what is used could not be read. */
static void tell(const struct subject *subject, const struct usage *usages, size_t count,
                 bool known)
{
    struct text text = TEXT_EMPTY;

    if (usages != NULL)
        print_usage(usages, count, &text);
    if (known && usages == NULL)
        printf("%s: forgot what could not be read\n", subject->name);
    else if (!known)
        printf("%s: there was nothing to forget\n", subject->name);
    else if (text.length == 0)
        printf("%s: forgot what was left of older windows\n", subject->name);
    else
        printf("%s: forgot %s\n", subject->name, text_string(&text));
    text_free(&text);
}

/* --- what sluice-feedback has learned -------------------------------------------------------- */

/* Where it is kept, by the kind of subject. */
static void name_note(const struct subject *subject, const char *value, struct text *name)
{
    char *lower = text_lower(mem_copy(value));

    if (subject->kind == SUBJECT_RECIPIENT)
        outcome_recipient(lower, name);
    else if (subject->kind == SUBJECT_RECIPIENT_DOMAIN)
        outcome_destination(strchr(subject->name, ':') + 1, name);
    free(lower);
}

static bool latest(const struct note_fact *fact, struct outcome_seen *seen_r)
{
    struct store_pair pairs[OUTCOME_FIELDS_MAX];
    struct store_note note = {.pairs = pairs};

    for (; note.npairs < fact->npairs && note.npairs < OUTCOME_FIELDS_MAX; note.npairs++)
        pairs[note.npairs] =
            (struct store_pair){fact->pairs[note.npairs].name, fact->pairs[note.npairs].value};
    return outcome_latest(&note, 0, OUTCOME_ANY_SIZE, seen_r);
}

/* false: the store did not answer. */
static bool forget_failures(struct client *client, const struct subject *subject, const char *value)
{
    struct text name = TEXT_EMPTY;
    struct note_fact note = {.npairs = 0};
    struct outcome_seen seen;
    bool known = false;
    bool answered = true;

    name_note(subject, value, &name);
    if (name.length > 0)
        answered = client_note(client, text_string(&name), OUTCOME_KIND, &note, NULL) &&
                   client_forget(client, text_string(&name), OUTCOME_KIND, &known);
    if (answered && known && latest(&note, &seen))
        printf("%s: forgot %s, seen %" PRId64 " time%s: %s\n", strchr(subject->name, ':') + 1,
               seen.cause->id, seen.count, seen.count == 1 ? "" : "s", seen.text);
    note_fact_clear(&note);
    text_free(&name);
    return answered;
}

/* --- the command ------------------------------------------------------------------------------ */

static int reset(const struct conf *conf, struct subject *subject, const char *value)
{
    struct usage usages[STORE_LIMITS_MAX];
    struct client client;
    char *problem = NULL;
    size_t count = 0;
    bool opened = client_open(&client, conf, &problem);
    /* Of a key that is none of ours the use cannot be read; it is forgotten all the same. */
    bool looked = opened && subject_usage(conf, subject, &client, usages, &count);
    bool known = false;
    int status = EX_UNAVAILABLE;

    if (!opened) {
        ctl_complain("%s", problem);
    } else if (!client_reset(&client, subject->name, &known) ||
               !forget_failures(&client, subject, value)) {
        ctl_complain("the store did not answer in time; see sluicectl status");
    } else {
        tell(subject, looked ? usages : NULL, count, known);
        status = EX_OK;
    }
    client_close(&client);
    free(problem);
    return status;
}

/* The subject in the words of limits: "destination example.net", "dest:example.net" and the like
 * mean a recipient's domain.  NULL: two words that are none of these.  The caller frees it. */
static char *subject_words(int argc, char **argv)
{
    static const char *const synonyms[][2] = {{"recipient", "recipient"},
                                              {"recipient-domain", "recipient-domain"},

                                              {"destination", "recipient-domain"},
                                              {"dest", "recipient-domain"},
                                              {"rcpt", "recipient"}};
    const size_t kind = strcspn(argv[1], ":");
    const char *value = argc == 3 ? argv[2] : argv[1] + kind + (argv[1][kind] == ':');

    for (size_t i = 0; i < COUNT_OF(synonyms); i++)
        if (strlen(synonyms[i][0]) == kind && strncmp(synonyms[i][0], argv[1], kind) == 0 &&
            (argc == 3 || argv[1][kind] == ':'))
            return mem_print("%s:%s", synonyms[i][1], value);
    return argc == 3 ? NULL : mem_copy(argv[1]);
}

static int run(struct ctl *ctl, int argc, char **argv)
{
    struct subject subject;
    char *problem = NULL, *words;
    const char *colon;
    int status;

    words = argc == 2 || argc == 3 ? subject_words(argc, argv) : NULL;
    if (words == NULL || *words == '-' || *words == '\0') {
        free(words);
        return ctl_usage(argv[0], "expected one subject, such as alice@example.com");
    }
    if (!ctl_load(ctl)) {
        free(words);
        return EX_CONFIG;
    }
    colon = strchr(words, ':');
    if (subject_parse(ctl->conf, words, &subject, &problem))
        status = reset(ctl->conf, &subject, colon != NULL ? colon + 1 : words);
    else
        status = ctl_usage(argv[0], "%s", problem);
    subject_clear(&subject);
    free(words);
    free(problem);
    return status;
}

const struct verb verb_reset = {
    .name = "reset",
    .arguments = "SUBJECT",
    .summary = "forget what somebody used",
    .help = "Forgets all that the subject (see sluicectl limits --help) used, of every limit\n"
            "and window, and says what that was.  The configuration stays as it is.\n"
            "\n"
            "  recipient:ADDRESS   also forgets why mail to the address failed\n"
            "  destination:DOMAIN  (or recipient-domain:DOMAIN) also forgets what is wrong\n"
            "                      with the domain's mail servers: until the next failure,\n"
            "                      messages there have no finding\n"
            "\n"
            "The colon may be a space.\n"
            "\n"
            "Exit status: 0; 69 when the store does not answer.",
    .run = run,
};
