/* SPDX-License-Identifier: BSD-2-Clause */
/* sluicectl reset: forget what a subject used. */
#include "ctl/ctl.h"
#include "ctl/subject.h"

#include "lib/base/text.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

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

static int reset(const struct conf *conf, struct subject *subject)
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
    } else if (!client_reset(&client, subject->name, &known)) {
        ctl_complain("the store did not answer in time; see sluicectl status");
    } else {
        tell(subject, looked ? usages : NULL, count, known);
        status = EX_OK;
    }
    client_close(&client);
    free(problem);
    return status;
}

static int run(struct ctl *ctl, int argc, char **argv)
{
    struct subject subject;
    char *problem = NULL;
    int status;

    if (argc != 2 || argv[1][0] == '-')
        return ctl_usage(argv[0], "expected one subject, such as alice@example.com");
    if (!ctl_load(ctl))
        return EX_CONFIG;
    if (subject_parse(ctl->conf, argv[1], &subject, &problem))
        status = reset(ctl->conf, &subject);
    else
        status = ctl_usage(argv[0], "%s", problem);
    subject_clear(&subject);
    free(problem);
    return status;
}

const struct verb verb_reset = {
    .name = "reset",
    .arguments = "SUBJECT",
    .summary = "forget what somebody used",
    .help = "Forgets all that the subject (see sluicectl limits --help) used, of every limit and\n"
            "window, and says what that was.  The configuration stays as it is.\n"
            "\n"
            "Exit status: 0; 69 when the store does not answer.",
    .run = run,
};
