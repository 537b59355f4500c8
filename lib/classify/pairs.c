/* SPDX-License-Identifier: BSD-2-Clause */
/* The "name=value" lists of log lines. */
#include "lib/classify/pairs.h"

#include "lib/base/count.h"

#include <string.h>

/* How a value ends, and what else it says. */
enum value {
    VALUE_WORD, /* at a comma or, with Postfix, a blank */
    VALUE_ADDRESS, /* the same, or in <> */
    VALUE_RELAY,
    VALUE_CLIENT,
    VALUE_STATUS, /* Postfix: "bounced (why)" to the end */
    VALUE_STAT, /* Sendmail: "Deferred: why" to the end */
    VALUE_REST, /* to the end */
};

static const struct pair_name {
    const char *name;
    size_t length;
    enum line_field field;
    enum value value;
} names[] = {
#define NAME(name, field, value)                                                                   \
    {                                                                                              \
        name, sizeof(name) - 1, field, value                                                       \
    }
    NAME("to", FIELD_RECIPIENT, VALUE_ADDRESS),
    NAME("orig_to", FIELD_ORIGINAL_RECIPIENT, VALUE_ADDRESS),
    NAME("relay", FIELD_RELAY, VALUE_RELAY),
    NAME("delay", FIELD_DELAY, VALUE_WORD),
    NAME("delays", FIELD_DELAYS, VALUE_WORD),
    NAME("dsn", FIELD_DSN, VALUE_WORD),
    NAME("status", FIELD_STATUS, VALUE_STATUS),
    NAME("from", FIELD_SENDER, VALUE_ADDRESS),
    NAME("size", FIELD_SIZE, VALUE_WORD),
    NAME("nrcpt", FIELD_NRCPT, VALUE_WORD),
    NAME("proto", FIELD_PROTOCOL, VALUE_WORD),
    NAME("helo", FIELD_HELO, VALUE_ADDRESS),
    NAME("tls", FIELD_TLS_LEVEL, VALUE_WORD),
    NAME("client", FIELD_CLIENT_NAME, VALUE_CLIENT),
    NAME("sasl_method", FIELD_MECHANISM, VALUE_WORD),
    NAME("sasl_username", FIELD_USER, VALUE_ADDRESS),
    NAME("message-id", FIELD_MESSAGE_ID, VALUE_ADDRESS),
    NAME("stat", FIELD_STATUS, VALUE_STAT),
    NAME("mailer", FIELD_MAILER, VALUE_WORD),
    NAME("nrcpts", FIELD_NRCPT, VALUE_WORD),
    NAME("msgid", FIELD_MESSAGE_ID, VALUE_ADDRESS),
    NAME("reject", FIELD_TEXT, VALUE_REST),
    NAME("ruleset", FIELD_RULESET, VALUE_WORD),
    NAME("arg1", FIELD_ARGUMENT, VALUE_ADDRESS),
    NAME("reason", FIELD_TEXT, VALUE_WORD),
    NAME("user", FIELD_USER, VALUE_WORD),
    NAME("authid", FIELD_USER, VALUE_WORD),
    NAME("mech", FIELD_MECHANISM, VALUE_WORD),
    NAME("version", FIELD_TLS_VERSION, VALUE_WORD),
    NAME("verify", FIELD_TLS_TRUST, VALUE_WORD),
    NAME("cipher", FIELD_TLS_CIPHER, VALUE_WORD),
    NAME("bits", FIELD_TLS_BITS, VALUE_WORD),
#undef NAME
};

static const struct {
    const char *word;
    enum line_status status;
} statuses[] = {
    {"sent", LINE_STATUS_SENT},         {"Sent", LINE_STATUS_SENT},
    {"deferred", LINE_STATUS_DEFERRED}, {"Deferred", LINE_STATUS_DEFERRED},
    {"bounced", LINE_STATUS_BOUNCED},   {"deliverable", LINE_STATUS_SENT},
    {"expired", LINE_STATUS_EXPIRED},   {"undeliverable", LINE_STATUS_BOUNCED},
    {"queued", LINE_STATUS_QUEUED},     {"force-expired", LINE_STATUS_EXPIRED},
};

static const struct pair_name *find_name(struct span name)
{
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (names[i].length == name.length && memcmp(names[i].name, name.start, name.length) == 0)
            return &names[i];
    return NULL;
}

static enum line_status status_of(struct span word)
{
    for (size_t i = 0; i < COUNT_OF(statuses); i++)
        if (span_equals(word, statuses[i].word))
            return statuses[i].status;
    return LINE_STATUS_NONE;
}

void pairs_set_host(struct span text, enum line_field name, struct line *line)
{
    size_t open = span_find_char(text, '[');
    size_t close;
    struct span host = span_trim(span_to(text, open));
    struct span port;

    /* Sendmail writes names as the DNS does, with their last dot. */
    if (host.length > 1 && host.start[host.length - 1] == '.')
        host.length--;
    if (host.length > 0)
        line->fields[name] = host;
    if (open == SPAN_NONE)
        return;
    text = span_from(text, open + 1);
    close = span_find_char(text, ']');
    line->fields[name + 1] = span_to(text, close);
    if (close == SPAN_NONE)
        return;
    port = span_from(text, close + 1);
    if (span_skip(&port, ":"))
        line->fields[name + 2] = span_to(port, span_digits(port));
}

/* Postfix: "bounced (why)".  What is cut off has no last bracket. */
static void set_status(struct span text, struct line *line)
{
    size_t length = span_find(text, " (");
    struct span why;

    line->fields[FIELD_STATUS] =
        length == SPAN_NONE ? span_to(text, span_find_char(text, ',')) : span_to(text, length);
    line->status = status_of(line->fields[FIELD_STATUS]);
    if (length == SPAN_NONE)
        return;
    why = span_from(text, length + 2);
    if (span_ends(why, ")"))
        why.length--;
    line->fields[FIELD_TEXT] = why;
}

/* Sendmail: "Sent (250 Ok)", "Deferred: Connection refused by mx.example.com.", "User unknown". */
static void set_stat(struct span text, struct line *line)
{
    size_t length = 0;
    struct span why;

    while (length < text.length && is_letter(text.start[length]))
        length++;
    why = span_from(text, length);
    line->status = status_of(span_to(text, length));
    if (line->status == LINE_STATUS_NONE) {
        line->status =
            span_starts(line->fields[FIELD_DSN], "4") ? LINE_STATUS_DEFERRED : LINE_STATUS_BOUNCED;
        line->fields[FIELD_STATUS] = text;
        line->fields[FIELD_TEXT] = text;
        return;
    }
    line->fields[FIELD_STATUS] = span_to(text, length);
    if (!span_skip(&why, ": ") && span_skip(&why, " (") && span_ends(why, ")"))
        why.length--;
    line->fields[FIELD_TEXT] = why.length > 0 ? why : text;
}

static void set_value(struct span value, enum line_field field, enum value how, struct line *line)
{
    if (how == VALUE_RELAY) {
        line->fields[field] = value;
        pairs_set_host(value, FIELD_RELAY_HOST, line);
    } else if (how == VALUE_CLIENT) {
        pairs_set_host(value, field, line);
    } else if (how == VALUE_STATUS) {
        set_status(value, line);
    } else if (how == VALUE_STAT) {
        set_stat(value, line);
    } else {
        line->fields[field] = value;
    }
}

/* Whether an address may end here: the '>' is followed by what parts pairs, or by nothing. */
static bool ends_address(struct span text, size_t at, bool sendmail)
{
    if (text.start[at] != '>')
        return false;
    if (at + 1 == text.length)
        return true;
    return strchr(sendmail ? "," : ",: ;", text.start[at + 1]) != NULL;
}

/* The value's length, with its brackets. */
static size_t value_length(struct span text, enum value how, bool sendmail)
{
    if (how == VALUE_STATUS || how == VALUE_STAT || how == VALUE_REST)
        return text.length;
    if (how == VALUE_ADDRESS && span_starts(text, "<") && !sendmail) {
        for (size_t i = 1; i < text.length; i++)
            if (ends_address(text, i, sendmail))
                return i + 1;
        return text.length;
    }
    for (size_t i = 0; i < text.length; i++) {
        if (sendmail) {
            if (text.start[i] == ',' && (i + 1 == text.length || text.start[i + 1] == ' '))
                return i;
        } else if (text.start[i] == ',' || text.start[i] == ' ') {
            return i;
        }
    }
    return text.length;
}

/* Reads a value and what parts it from the next pair; what is left. */
static struct span take_value(struct span text, enum line_field field, enum value how,
                              struct line *line)
{
    size_t length = value_length(text, how, line->mta == LINE_MTA_SENDMAIL);
    struct span value = span_to(text, length);

    if (how == VALUE_ADDRESS && span_starts(value, "<") && span_ends(value, ">") &&
        value.length > 1)
        value = (struct span){value.start + 1, value.length - 2};
    set_value(value, field, how, line);
    text = span_from(text, length);
    /* Postfix' cleanup ends its pairs with ": " and what it has to say. */
    if (line->mta == LINE_MTA_POSTFIX && span_skip(&text, ": ")) {
        line->fields[FIELD_TEXT] = text;
        return span_from(text, text.length);
    }
    return text;
}

void pairs_read(struct span text, struct line *line)
{
    while (text.length > 0) {
        size_t length;
        const struct pair_name *name;

        while (text.length > 0 && strchr(" ,;", text.start[0]) != NULL && text.start[0] != '\0')
            text = span_from(text, 1);
        length = 0;
        while (length < text.length && text.start[length] != '=' && text.start[length] != ' ' &&
               text.start[length] != ',')
            length++;
        if (length == text.length)
            return;
        if (text.start[length] != '=') {
            text = span_from(text, length + 1);
            continue;
        }
        name = find_name(span_to(text, length));
        text = span_from(text, length + 1);
        if (name != NULL)
            text = take_value(text, name->field, name->value, line);
        else
            text =
                span_from(text, value_length(text, VALUE_ADDRESS, line->mta == LINE_MTA_SENDMAIL));
    }
}

void pairs_read_value(struct span text, enum line_field field, struct line *line)
{
    enum value how = VALUE_WORD;

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (names[i].field == field) {
            how = names[i].value;
            break;
        }
    }
    pairs_read(take_value(text, field, how, line), line);
}
