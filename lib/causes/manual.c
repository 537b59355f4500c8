/* SPDX-License-Identifier: BSD-2-Clause */
/* The manual page sluice-causes(7), in mdoc(7). */
#include "lib/causes/causes.h"

#include "lib/base/count.h"
#include "lib/base/mdoc.h"
#include "lib/base/text.h"

static const char head[] =
    ".\\\" SPDX-License-Identifier: BSD-2-Clause\n"
    ".\\\" Made by sluicectl causes --manual.\n"
    ".Dd November 21, 2026\n"
    ".Dt SLUICE-CAUSES 7\n"
    ".Os\n"
    ".Sh NAME\n"
    ".Nm sluice-causes\n"
    ".Nd why mail does not go out or will not arrive, and what to do about it\n"
    ".Sh DESCRIPTION\n"
    "Whatever Sluice finds about a message is a cause with a name that does not\n"
    "change.\n"
    "It stands in the log as\n"
    ".Ql cause=dns.spf-fail ,\n"
    "at the end of the reply that a client gets as\n"
    ".Ql [dns.spf-fail] ,\n"
    "and in the configuration, where a section like\n"
    ".Bd -literal -offset indent\n"
    "cause dns.spf-fail { action = reject }\n"
    ".Ed\n"
    ".Pp\n"
    "sets what is done about it.\n"
    "The actions are, the weakest first:\n"
    ".Bl -tag -width ignore -offset indent\n"
    ".It Cm ignore\n"
    "Nothing; not even a log line.\n"
    ".It Cm log\n"
    "A log line.\n"
    ".It Cm warn\n"
    "A log line, and a header on the message.\n"
    ".It Cm hold\n"
    "The message is kept from delivery until somebody releases it.\n"
    ".It Cm defer\n"
    "A temporary refusal (4xx): the client may try again.\n"
    ".It Cm reject\n"
    "A refusal for good (5xx).\n"
    ".El\n"
    ".Pp\n"
    "The strongest action of a message's causes is its verdict.\n"
    "The defaults below are those of\n"
    ".Ql mode = enforce ;\n"
    "with\n"
    ".Ql mode = observe\n"
    "nothing is refused or held, and the log says what would be.\n"
    ".Pp\n"
    "This is the whole catalogue; a version of Sluice need not find all of it.\n"
    ".Sh CAUSES\n";

static const char tail[] = ".Sh SEE ALSO\n"
                           ".Xr sluice-log 5 ,\n"
                           ".Xr sluice.conf 5 ,\n"
                           ".Xr sluice-milter 8 ,\n"
                           ".Xr sluice-policyd 8 ,\n"
                           ".Xr sluicectl 8\n";

static void add_item(struct text *text, const char *name, const char *words)
{
    text_print(text, ".It Em %s\n", name);
    mdoc_prose(text, words);
}

/* "defer (450 4.7.28); severity warn." */
static void add_default(struct text *text, const struct cause *cause)
{
    struct text line = TEXT_EMPTY;
    char enhanced[CAUSE_ENHANCED_SIZE];
    unsigned code;

    cause_reply(cause, cause->action, &code, enhanced);
    text_add_string(&line, action_name(cause->action));
    if (code != 0)
        text_print(&line, cause->action >= ACTION_DEFER ? " (%u %s)" : " (%u %s where it refuses)",
                   code, enhanced);
    text_print(&line, "; severity %s.", severity_name(cause->severity));
    add_item(text, "Default", text_string(&line));
    text_free(&line);
}

static void add_found(struct text *text, const struct cause *cause)
{
    static const struct {
        unsigned found;
        const char *words;
    } places[] = {
        {FOUND_POLICY, "sluice-policyd"},
        {FOUND_MILTER, "sluice-milter"},
        {FOUND_FEEDBACK, "what the MTA logs"},
        {FOUND_CHECK, "a check by hand"},
    };
    struct text line = TEXT_EMPTY;

    for (size_t i = 0; i < COUNT_OF(places); i++)
        if ((cause->found & places[i].found) != 0)
            text_print(&line, "%s%s", line.length > 0 ? ", " : "", places[i].words);
    text_add_char(&line, '.');
    add_item(text, "Found by", text_string(&line));
    text_free(&line);
}

static void add_cause(struct text *text, const struct cause *cause)
{
    text_print(text, ".It Ic %s\n%s.\n.Bl -tag -width \"Found by\" -compact\n", cause->id,
               cause->title);
    add_default(text, cause);
    add_found(text, cause);
    if (cause->sentence != NULL)
        add_item(text, "Reply", cause->sentence);
    add_item(text, "Meaning", cause->explanation);
    add_item(text, "Remedy", cause->remedy);
    add_item(text, "Source", cause->source);
    text_add_string(text, ".El\n");
}

static void add_group(struct text *text, const struct cause_group *group)
{
    text_print(text, ".Ss %s: %s\n.Bl -tag -width Ds\n", group->name, group->title);
    for (int i = 0; i < CAUSE_COUNT; i++)
        if (cause_is_in(cause_get((enum cause_id)i), group->name))
            add_cause(text, cause_get((enum cause_id)i));
    text_add_string(text, ".El\n");
}

char *causes_manual(void)
{
    struct text text = TEXT_EMPTY;

    text_add_string(&text, head);
    for (size_t i = 0; i < cause_group_count; i++)
        add_group(&text, &cause_groups[i]);
    text_add_string(&text, tail);
    return text_take(&text);
}
