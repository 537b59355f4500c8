/* SPDX-License-Identifier: BSD-2-Clause */
/* One line of an MTA's log. */
#include "lib/classify/line.h"

#include "lib/base/count.h"
#include "lib/classify/header.h"
#include "lib/classify/match.h"

static const char *const kind_names[LINE_KIND_COUNT] = {
    [LINE_FOREIGN] = "foreign",
    [LINE_OTHER] = "other",
    [LINE_DELIVERY] = "delivery",
    [LINE_ATTEMPT] = "attempt",
    [LINE_CONNECT] = "connect",
    [LINE_EXPIRED] = "expired",
    [LINE_RELAY_LOGIN] = "relay-login",
    [LINE_TLS_OUT] = "tls-out",
    [LINE_TLS_IN] = "tls-in",
    [LINE_TLS] = "tls",
    [LINE_REJECT] = "reject",
    [LINE_SCREEN] = "screen",
    [LINE_LOGIN] = "login",
    [LINE_RATE] = "rate",
    [LINE_PASSED] = "passed",
    [LINE_QUEUED] = "queued",
    [LINE_REMOVED] = "removed",
    [LINE_NOTICE] = "notice",
    [LINE_CLIENT] = "client",
    [LINE_LISTED] = "listed",
    [LINE_STATISTICS] = "statistics",
    [LINE_ADMIN] = "admin",
    [LINE_NOTE] = "note",
    [LINE_WARNING] = "warning",
};

const char *line_kind_name(enum line_kind kind)
{
    return kind_names[kind];
}

bool line_kind_parse(struct span name, enum line_kind *kind_r)
{
    for (enum line_kind kind = 0; kind < LINE_KIND_COUNT; kind++) {
        if (span_equals(name, kind_names[kind])) {
            *kind_r = kind;
            return true;
        }
    }
    return false;
}

/* Which part of which MTA the program is; sets instance and service. */
static unsigned find_service(struct line *line)
{
    struct span program = line->fields[FIELD_PROGRAM];
    struct span name = program;
    size_t slash;
    bool behind_slash = false;
    unsigned service;

    while ((slash = span_find_char(name, '/')) != SPAN_NONE) {
        behind_slash = true;
        name = span_from(name, slash + 1);
    }
    service = service_find(name, behind_slash);
    if (service == 0)
        return 0;
    line->fields[FIELD_SERVICE] = name;
    if (behind_slash)
        line->fields[FIELD_INSTANCE] = span_to(program, program.length - name.length - 1);
    line->mta = service == SERVICE_SENDMAIL ? LINE_MTA_SENDMAIL : LINE_MTA_POSTFIX;
    return service;
}

static void match(unsigned services, struct span body, struct line *line)
{
    line->kind = LINE_OTHER;
    line->fields[FIELD_BODY] = body;
    if (!match_shapes(services, false, body, line))
        line->fields[FIELD_TEXT] = body;
}

/* Which MTA a line without a header is from, if any: only Sendmail uses these names. */
static enum line_mta mta_of(struct span body)
{
    static const char *const marks[] = {", stat=",  "ruleset=", "STARTTLS=", "AUTH failure",
                                        "Milter: ", "milter=",  ">... ",     ", nrcpts="};

    for (size_t i = 0; i < COUNT_OF(marks); i++)
        if (span_find(body, marks[i]) != SPAN_NONE && span_find(body, ", status=") == SPAN_NONE)
            return LINE_MTA_SENDMAIL;
    return LINE_MTA_POSTFIX;
}

/* "550 5.1.1 ...", as no line of a log begins. */
static bool is_reply(struct span text)
{
    return text.length > 3 && span_digits(span_to(text, 3)) == 3 &&
           (text.start[3] == ' ' || text.start[3] == '-');
}

static bool parse_bare(struct span body, struct line *line)
{
    if (is_reply(body))
        return false;
    line->mta = mta_of(body);
    if (!match_shapes(line->mta == LINE_MTA_SENDMAIL ? SERVICE_SENDMAIL : SERVICES_POSTFIX, true,
                      body, line)) {
        *line = (struct line){.kind = LINE_FOREIGN};
        return false;
    }
    line->fields[FIELD_BODY] = body;
    return true;
}

bool line_parse(const char *text, size_t length, struct line *line_r)
{
    struct span all = {text, length < LINE_MAX_LENGTH ? length : LINE_MAX_LENGTH};
    struct span body;
    unsigned services;

    *line_r = (struct line){.kind = LINE_FOREIGN};
    while (all.length > 0 &&
           (all.start[all.length - 1] == '\r' || all.start[all.length - 1] == '\n'))
        all.length--;
    if (!header_parse(all, line_r, &body))
        return parse_bare(all, line_r);
    line_r->fields[FIELD_BODY] = body;
    services = find_service(line_r);
    if (services != 0)
        match(services, body, line_r);
    return true;
}

void line_parse_body(const char *program, const char *text, size_t length, struct line *line_r)
{
    struct span body = {text, length < LINE_MAX_LENGTH ? length : LINE_MAX_LENGTH};
    unsigned services;

    *line_r = (struct line){.kind = LINE_FOREIGN};
    line_r->fields[FIELD_PROGRAM] = span_of(program);
    services = find_service(line_r);
    if (services != 0)
        match(services, body, line_r);
}

bool line_next_recipient(struct span *list, struct span *recipient_r)
{
    size_t comma;

    *list = span_trim(*list);
    if (list->length == 0)
        return false;
    comma = span_find_char(*list, ',');
    *recipient_r = span_trim(span_to(*list, comma == SPAN_NONE ? list->length : comma));
    *list = span_from(*list, comma == SPAN_NONE ? list->length : comma + 1);
    if (span_starts(*recipient_r, "<"))
        *recipient_r = span_from(*recipient_r, 1);
    if (span_ends(*recipient_r, ">"))
        *recipient_r = span_to(*recipient_r, recipient_r->length - 1);
    return true;
}
