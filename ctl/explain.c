/* SPDX-License-Identifier: BSD-2-Clause */
/* sluicectl explain: what a cause means, how it is found, and how to repair it. */
#include "ctl/cause_json.h"
#include "ctl/ctl.h"

#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "lib/base/words.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INDENT 12
#define WIDTH 80

/* "[dns.spf-fail]", as replies and headers have it, is as good as the id alone. */
static const struct cause *find(const char *words)
{
    size_t length = strlen(words);
    bool brackets = length > 2 && words[0] == '[' && words[length - 1] == ']';
    char *id = brackets ? mem_copy_n(words + 1, length - 2) : mem_copy(words);
    const struct cause *cause = cause_find(text_lower(id));

    free(id);
    return cause;
}

/* "label      words", broken between words at the width of a terminal. */
static void print_item(const char *label, const char *words)
{
    size_t column = INDENT;

    printf("%-*s", INDENT, label);
    while (*words != '\0') {
        size_t length = strcspn(words, " ");

        if (column > INDENT && column + 1 + length > WIDTH) {
            printf("\n%*s", INDENT, "");
            column = INDENT;
        }
        column += (size_t)printf("%s%.*s", column > INDENT ? " " : "", (int)length, words);
        words += length + (words[length] == ' ');
    }
    putchar('\n');
}

static void print_found(const struct cause *cause)
{
    struct text text = TEXT_EMPTY;

    for (size_t i = 0; i < CAUSE_FOUND_COUNT; i++)
        if (cause->found & cause_places[i].found)
            text_print(&text, "%s%s", text.length > 0 ? ", " : "", cause_places[i].meaning);
    print_item("found by", text_string(&text));
    text_free(&text);
}

static void print_action(const struct conf *conf, const struct cause *cause)
{
    const char *configured = cause_configured(conf, cause);
    struct text text = TEXT_EMPTY;

    text_print(&text, "%s in enforce mode", action_name(cause->action));
    if (configured != NULL)
        text_print(&text, "; the configuration says %s", configured);
    if (conf->mode == MODE_OBSERVE && conf_cause_mode(conf, cause->id) != MODE_ENFORCE)
        text_add_string(&text, "; now observed only");
    print_item("action", text_string(&text));
    text_free(&text);
}

static void print_reply(const struct cause *cause)
{
    char *reply;

    if (cause->sentence == NULL)
        return;
    reply = cause->reply_code != 0 ? mem_print("%u %s %s [%s]", cause->reply_code, cause->enhanced,
                                               cause->sentence, cause->id)
                                   : mem_print("%s [%s]", cause->sentence, cause->id);
    print_item("reply", reply);
    free(reply);
}

static void print_cause(const struct conf *conf, const struct cause *cause)
{
    printf("%s: %s\n\n", cause->id, cause->title);
    print_item("meaning", cause->explanation);
    print_found(cause);
    print_item("severity", severity_name(cause->severity));
    print_action(conf, cause);
    print_reply(cause);
    print_item("repair", cause->remedy);
    print_item("source", cause->source);
}

static int explain(const struct conf *conf, const char *verb, const char *words, bool json)
{
    const struct cause *cause = find(words);
    const char *nearest;

    if (cause != NULL) {
        if (json)
            ctl_print_json(cause_json(conf, cause));
        else
            print_cause(conf, cause);
        return EX_OK;
    }
    nearest = words_nearest(words, cause_ids(), CAUSE_COUNT);
    return nearest != NULL
               ? ctl_usage(verb, "no cause is called \"%s\"; did you mean \"%s\"?", words, nearest)
               : ctl_usage(verb, "no cause is called \"%s\"; sluicectl causes lists them", words);
}

static int run(struct ctl *ctl, int argc, char **argv)
{
    bool json;
    int status = ctl_parse(argc, argv, 1, &json);

    if (status >= 0)
        return status;
    if (optind == argc)
        return ctl_usage(argv[0], "expected a cause, as in dns.spf-fail");
    if (!ctl_load(ctl))
        return EX_CONFIG;
    return explain(ctl->conf, argv[0], argv[optind], json);
}

const struct verb verb_explain = {
    .name = "explain",
    .arguments = "[--json] CAUSE",
    .summary = "say what a cause means",
    .help = "Explains a cause of the log or of a reply: what it means and how it is found,\n"
            "what is done about it, how to repair it, and the document or RFC that it comes\n"
            "from.\n"
            "\n"
            "  -j, --json   as JSON",
    .run = run,
};
