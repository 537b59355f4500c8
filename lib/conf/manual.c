/* SPDX-License-Identifier: BSD-2-Clause */
/* The manual page sluice.conf(5), in mdoc(7). */
#include "lib/conf/conf.h"

#include "lib/base/mdoc.h"
#include "lib/base/text.h"
#include "lib/conf/schema.h"
#include "lib/conf/types.h"

static const char head[] =
    ".\\\" SPDX-License-Identifier: BSD-2-Clause\n"
    ".\\\" Made by sluicectl config --manual.\n"
    ".Dd November 21, 2026\n"
    ".Dt SLUICE.CONF 5\n"
    ".Os\n"
    ".Sh NAME\n"
    ".Nm sluice.conf\n"
    ".Nd configuration of Sluice\n"
    ".Sh DESCRIPTION\n"
    ".Nm\n"
    "is read by\n"
    ".Xr sluice-policyd 8 ,\n"
    ".Xr sluice-milter 8 ,\n"
    ".Xr sluice-feedback 8\n"
    "and\n"
    ".Xr sluicectl 8 .\n"
    "Sluice works without it.\n"
    ".Pp\n"
    "A file holds options and sections:\n"
    ".Bd -literal -offset indent\n"
    "mode = observe               # a comment\n"
    "local-domains = {\"example.com\", \"example.net\"}\n"
    "limit daily { subject = user  count = messages\n"
    "              max = 2000  per = 24h }\n"
    "include \"local.conf\"\n"
    ".Ed\n"
    ".Pp\n"
    "A value that holds spaces or any of # \\(dq \\(aq { } ( ) + , = * stands in\n"
    "quotes.\n"
    "In double quotes a backslash takes the meaning from the next character;\n"
    "in single quotes all but the backslash and the quote itself is as written.\n"
    "A list stands in braces, its values parted by commas; a list of one needs no\n"
    "braces.\n"
    "An option that is written again replaces the earlier value;\n"
    ".Ic +=\n"
    "adds to a list.\n"
    "Comments are\n"
    ".Ic # ,\n"
    ".Ic //\n"
    "and\n"
    ".Ic /* */ .\n"
    ".Ic include\n"
    "reads another file in its place, relative to the folder of the file that it\n"
    "stands in; of a pattern such as \\(dqconf.d/*.conf\\(dq, all files that match, in\n"
    "the order of their names; none may, but the folder has to be there.\n"
    ".Ic include preset/google-workspace\n"
    "(or gmail, exchange-online, hosting, campus) reads the limits that others\n"
    "publish, each with its source and date; a folder preset beside the file goes\n"
    "before those that came with Sluice.\n"
    ".Pp\n"
    "Times have a unit: ms, s, m, h or d, as in 500ms, 90s, 24h.\n"
    "Sizes are octets, or have one: K, M or G, as in 64K and 50M.\n"
    "Yes and no may also be written true and false, or on and off.\n"
    "Domains may be written as they are read; they are compared as A-labels\n"
    "(RFC 5890).\n"
    ".Pp\n"
    "An unknown name, a wrong type or an impossible value is an error that names the\n"
    "file, the line, what was expected and the nearest valid word.\n"
    "A daemon does not start on one, and a reload (SIGHUP) keeps the old\n"
    "configuration.\n"
    ".Pp\n"
    "Every program takes\n"
    ".Fl o Ar name Ns = Ns Ar value ,\n"
    "which stands over the files, as in\n"
    ".Fl o Cm mode=enforce\n"
    "and, for an option in a section,\n"
    ".Fl o Cm limit.daily.max=500 .\n";

static const char tail[] = ".Sh FILES\n"
                           ".Bl -tag -width Ds\n"
                           ".It Pa " SLUICE_CONF_FILE "\n"
                           "The file that is read where no other is named.\n"
                           ".El\n"
                           ".Sh SEE ALSO\n"
                           ".Xr sluice-causes 7 ,\n"
                           ".Xr sluice-feedback 8 ,\n"
                           ".Xr sluice-milter 8 ,\n"
                           ".Xr sluice-policyd 8 ,\n"
                           ".Xr sluicectl 8\n";

static void add_option(struct text *text, const struct conf_option *option)
{
    struct text words = TEXT_EMPTY;

    text_print(text, ".It Ic %s\n", option->name);
    mdoc_prose(text, option->about);
    type_expect(option, NULL, &words);
    text_add_string(text, ".Pp\n");
    if (option->type == TYPE_ACTION)
        text_add_string(text, "Mandatory.\n");
    else if (option->type == TYPE_OVER)
        text_add_string(text, "Takes log, warn, hold, defer or reject.\n");
    else {
        struct text line = TEXT_EMPTY;

        text_print(&line, "Takes %s%s.", option->list ? "a list of: " : "", text_string(&words));
        if (option->mandatory)
            text_add_string(&line, " Mandatory.");
        else if (option->fallback != NULL)
            text_print(&line, " Default: %s",
                       *option->fallback != '\0' ? option->fallback : "empty");
        mdoc_prose(text, text_string(&line));
        text_free(&line);
    }
    text_free(&words);
}

static void add_options(struct text *text)
{
    bool open = false;

    text_add_string(text, ".Sh OPTIONS\n");
    for (size_t i = 0; i < schema_option_count; i++) {
        const struct conf_option *option = &schema_options[i];

        if (option->section != SECTION_ROOT)
            continue;
        if (option->heading != NULL) {
            text_print(text, "%s.Ss %s\n.Bl -tag -width Ds\n", open ? ".El\n" : "",
                       option->heading);
            open = true;
        }
        add_option(text, option);
    }
    text_add_string(text, ".El\n");
}

static void add_section(struct text *text, enum section_kind kind)
{
    const struct section_schema *section = &schema_sections[kind];
    bool inner = section->parent != SECTION_ROOT;

    text_print(text, ".Ss %s%s%s %s\n", inner ? schema_sections[section->parent].name : "",
               inner ? ": " : "", section->name, section->title);
    mdoc_prose(text, section->about);
    text_add_string(text, ".Bl -tag -width Ds\n");
    for (size_t i = 0; i < schema_option_count; i++)
        if (schema_options[i].section == kind)
            add_option(text, &schema_options[i]);
    text_add_string(text, ".El\n");
    if (section->example != NULL)
        text_print(text, ".Pp\nAn example:\n.Bd -literal -offset indent\n%s\n.Ed\n",
                   section->example);
}

char *conf_manual(void)
{
    struct text text = TEXT_EMPTY;

    text_add_string(&text, head);
    add_options(&text);
    text_add_string(&text, ".Sh SECTIONS\n"
                           "A section has a name, a title and options in braces.\n");
    for (enum section_kind kind = SECTION_ROOT + 1; kind < SECTION_COUNT; kind++)
        add_section(&text, kind);
    text_add_string(&text, tail);
    return text_take(&text);
}
