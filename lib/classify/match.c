/* SPDX-License-Identifier: BSD-2-Clause */
/* Matching the body of a log line with the table of shapes. */
#include "lib/classify/match.h"

#include "lib/classify/pairs.h"

#include <string.h>

#define TRIES_MAX 16 /* places where a field may end */
#define ID_MIN 5
#define SENDMAIL_ID_MIN 8
#define ID_MAX 32

/* How a field is taken.  What a form has behind a field says where the field ends. */
enum take {
    TAKE_NOTHING,
    TAKE_TEXT, /* up to the first place where what is behind it fits */
    TAKE_LAST, /* up to the last such place */
    TAKE_WORD, /* as TEXT, without blanks */
    TAKE_NUMBER, /* as WORD, and begins with a digit */
    TAKE_HOST, /* name[address]:port, three fields */
    TAKE_REPLY, /* up to the pairs that end the line, and those */
    TAKE_VALUE, /* a pair's value, and the pairs behind it */
    TAKE_PAIRS,
    TAKE_COUNTED, /* anvil's "service:address", two fields */
    TAKE_ID, /* to the end, without the <> around it */
};

static const struct code {
    enum take take;
    enum line_field field; /* FIELD_COUNT: not kept */
} codes[128] = {
    ['_'] = {TAKE_TEXT, FIELD_COUNT},       ['A'] = {TAKE_COUNTED, FIELD_COUNTED_SERVICE},
    ['C'] = {TAKE_HOST, FIELD_CLIENT_NAME}, ['L'] = {TAKE_LAST, FIELD_COUNT},
    ['R'] = {TAKE_VALUE, FIELD_RELAY},      ['T'] = {TAKE_REPLY, FIELD_TEXT},
    ['X'] = {TAKE_TEXT, FIELD_RECIPIENT},   ['a'] = {TAKE_WORD, FIELD_CLIENT_IP},
    ['b'] = {TAKE_NUMBER, FIELD_TLS_BITS},  ['c'] = {TAKE_VALUE, FIELD_CLIENT_NAME},
    ['d'] = {TAKE_WORD, FIELD_LIST},        ['e'] = {TAKE_TEXT, FIELD_COMMANDS},
    ['f'] = {TAKE_VALUE, FIELD_SENDER},     ['g'] = {TAKE_VALUE, FIELD_RULESET},
    ['h'] = {TAKE_HOST, FIELD_RELAY_HOST},  ['i'] = {TAKE_WORD, FIELD_TLS_CIPHER},
    ['j'] = {TAKE_TEXT, FIELD_ACTION},      ['k'] = {TAKE_WORD, FIELD_ACTION},
    ['l'] = {TAKE_WORD, FIELD_TLS_TRUST},   ['m'] = {TAKE_WORD, FIELD_MECHANISM},
    ['n'] = {TAKE_WORD, FIELD_NOTICE_ID},   ['o'] = {TAKE_NUMBER, FIELD_NUMBER},
    ['p'] = {TAKE_PAIRS, FIELD_COUNT},      ['q'] = {TAKE_WORD, FIELD_STATUS},
    ['r'] = {TAKE_VALUE, FIELD_RECIPIENT},  ['s'] = {TAKE_TEXT, FIELD_STAGE},
    ['t'] = {TAKE_TEXT, FIELD_TEXT},        ['u'] = {TAKE_TEXT, FIELD_USER},
    ['v'] = {TAKE_WORD, FIELD_TLS_VERSION}, ['w'] = {TAKE_WORD, FIELD_COUNTED_SERVICE},
    ['x'] = {TAKE_TEXT, FIELD_SENDER},      ['y'] = {TAKE_ID, FIELD_MESSAGE_ID},
    ['z'] = {TAKE_WORD, FIELD_RESULT},
};

bool match_knows_form(const char *form)
{
    for (; *form != '\0'; form++) {
        if (*form != '%')
            continue;
        form++;
        if ((unsigned char)*form >= 128 || codes[(unsigned char)*form].take == TAKE_NOTHING)
            return false;
    }
    return true;
}

static bool match_form(const char *form, struct span text, struct line *line);

static void set_field(struct line *line, enum line_field field, struct span value)
{
    if (field != FIELD_COUNT)
        line->fields[field] = value;
}

static bool is_taken(enum take take, struct span value)
{
    if (take == TAKE_TEXT || take == TAKE_LAST)
        return true;
    if (value.length == 0 || span_find_char(value, ' ') != SPAN_NONE)
        return false;
    return take == TAKE_WORD || is_digit(value.start[0]);
}

/* The first place, from start on, where words stand, or the last one up to start.  SPAN_NONE: there
 * is none. */
static size_t find_place(struct span text, const char *words, size_t length, size_t start,
                         bool last)
{
    const char *found;

    if (text.length < length || (!last && start > text.length - length))
        return SPAN_NONE;
    if (!last) {
        found = memmem(text.start + start, text.length - start, words, length);
        return found != NULL ? (size_t)(found - text.start) : SPAN_NONE;
    }
    for (size_t at = text.length - length + 1; at-- > 0;)
        if (at <= start && memcmp(text.start + at, words, length) == 0)
            return at;
    return SPAN_NONE;
}

/* A field that ends where the rest of the form fits. */
static bool match_until(struct code code, const char *form, struct span text, struct line *line)
{
    size_t length = strcspn(form, "%");
    bool last = code.take == TAKE_LAST;
    size_t place = last ? text.length : 0;

    if (*form == '\0') {
        if (!is_taken(code.take, text))
            return false;
        set_field(line, code.field, text);
        return true;
    }
    for (unsigned tries = 0; tries < TRIES_MAX; tries++) {
        place = find_place(text, form, length, place, last);
        if (place == SPAN_NONE)
            return false;
        if (is_taken(code.take, span_to(text, place)) &&
            match_form(form, span_from(text, place), line)) {
            set_field(line, code.field, span_to(text, place));
            return true;
        }
        if (last && place == 0)
            return false;
        place = last ? place - 1 : place + 1;
    }
    return false;
}

/* The length of "name[address]:port"; Sendmail has "name. [address] (may be forged)", and a bare
 * name where it knows no address. */
static size_t host_length(struct span text, enum line_mta mta)
{
    static const char forged[] = " (may be forged)";
    size_t blank = span_find_char(text, ' ');
    size_t open = span_find_char(text, '[');
    size_t close;
    size_t length;

    if (mta == LINE_MTA_SENDMAIL && open != SPAN_NONE && blank == open - 1)
        blank = SPAN_NONE;
    if (open == SPAN_NONE || blank < open)
        return mta == LINE_MTA_SENDMAIL && blank != SPAN_NONE ? blank : 0;
    close = span_find_char(span_from(text, open), ']');
    if (close == SPAN_NONE)
        return 0;
    length = open + close + 1;
    if (length < text.length && text.start[length] == ':')
        length += span_digits(span_from(text, length + 1)) > 0
                      ? 1 + span_digits(span_from(text, length + 1))
                      : 0;
    else if (span_starts(span_from(text, length), forged))
        length += sizeof(forged) - 1;
    return length;
}

static bool match_host(struct code code, const char *form, struct span text, struct line *line)
{
    size_t length = host_length(text, line->mta);

    if (length == 0 || !match_form(form, span_from(text, length), line))
        return false;
    pairs_set_host(span_to(text, length), code.field, line);
    return true;
}

/* A reply and the pairs behind it; its own words may hold addresses of strangers, and so may the
 * pairs: what looks like the pairs' beginning first is taken for it. */
static void take_reply(struct code code, struct span text, struct line *line)
{
    static const char *const beginnings[][3] = {
        [LINE_MTA_NONE] = {NULL, NULL, NULL},
        [LINE_MTA_POSTFIX] = {"; from=<", "; to=<", "; proto="},
        [LINE_MTA_SENDMAIL] = {", user=", ", relay=", NULL},
    };
    size_t end = text.length;

    for (size_t i = 0; i < 3 && beginnings[line->mta][i] != NULL; i++) {
        size_t at = span_find(text, beginnings[line->mta][i]);

        if (at < end)
            end = at;
    }
    set_field(line, code.field, span_to(text, end));
    if (end < text.length)
        pairs_read(span_from(text, end + 2), line);
}

/* "smtpd:192.0.2.1", "127.0.0.1:2525:127.0.0.1", "smtpd:2001:db8::3": the service is a name, or an
 * IPv4 address or one in brackets with a port. */
static bool match_counted(struct code code, const char *form, struct span text, struct line *line)
{
    size_t end = span_find_char(text, ')');
    size_t skip = span_starts(text, "[") ? span_find_char(text, ']') : 0;
    size_t colon;

    if (end == SPAN_NONE || skip == SPAN_NONE || !match_form(form, span_from(text, end), line))
        return false;
    text = span_to(text, end);
    if (skip == 0 && text.length > 0 && is_digit(text.start[0]))
        skip = span_find_char(text, ':') + 1;
    else if (skip > 0)
        skip += 2;
    colon = span_find_char(span_from(text, skip), ':');
    if (colon == SPAN_NONE)
        return false;
    set_field(line, code.field, span_to(text, skip + colon));
    set_field(line, FIELD_CLIENT_IP, span_from(text, skip + colon + 1));
    return true;
}

static bool match_field(struct code code, const char *form, struct span text, struct line *line)
{
    switch (code.take) {
    case TAKE_HOST:
        return match_host(code, form, text, line);
    case TAKE_COUNTED:
        return match_counted(code, form, text, line);
    case TAKE_REPLY:
        take_reply(code, text, line);
        return true;
    case TAKE_VALUE:
        pairs_read_value(text, code.field, line);
        return true;
    case TAKE_PAIRS:
        pairs_read(text, line);
        return true;
    case TAKE_ID:
        if (span_starts(text, "<") && span_ends(text, ">") && text.length > 1)
            text = (struct span){text.start + 1, text.length - 2};
        set_field(line, code.field, text);
        return true;
    default:
        return match_until(code, form, text, line);
    }
}

/* Words that must stand here, up to the first field, and then that.  Fields are set only once all
 * behind them fits. */
static bool match_form(const char *form, struct span text, struct line *line)
{
    size_t length = strcspn(form, "%");

    if (text.length < length || (length > 0 && memcmp(text.start, form, length) != 0))
        return false;
    text = span_from(text, length);
    form += length;
    if (*form == '\0')
        return text.length == 0;
    return match_field(codes[(unsigned char)form[1] & 127], form + 2, text, line);
}

/* Postfix' short ids are upper-case hexadecimal, its long ones are of digits and letters as
 * Sendmail's are: a word of letters alone is none. */
static bool is_queue_id(struct span id, enum line_mta mta)
{
    size_t digits = 0;
    size_t hex = 0;

    if (id.length > ID_MAX || id.length < ID_MIN)
        return false;
    for (size_t i = 0; i < id.length; i++) {
        char c = id.start[i];

        if (!is_digit(c) && !is_letter(c))
            return false;
        digits += is_digit(c);
        hex += is_digit(c) || (c >= 'A' && c <= 'F');
    }
    if (mta == LINE_MTA_SENDMAIL)
        return id.length >= SENDMAIL_ID_MIN;
    return hex == id.length || digits > 0;
}

/* Takes "4XkP2q1Zzz: " or "NOQUEUE: ". */
static bool take_queue_id(struct span *body, struct line *line)
{
    size_t length = span_find_char(span_to(*body, ID_MAX + 1), ':');
    struct span id;

    if (length == SPAN_NONE || length + 1 >= body->length || body->start[length + 1] != ' ')
        return false;
    id = span_to(*body, length);
    if (!span_equals(id, "NOQUEUE") && !is_queue_id(id, line->mta))
        return false;
    line->fields[FIELD_QUEUE_ID] = id;
    *body = span_from(*body, length + 2);
    return true;
}

/* Postfix ends a server's reply with " (in reply to RCPT TO command)". */
static void take_stage(struct line *line)
{
    static const char before[] = " (in reply to ";
    static const char after[] = " command)";
    struct span text = line->fields[FIELD_TEXT];
    size_t at;

    if (!span_ends(text, after))
        return;
    at = find_place(text, before, sizeof(before) - 1, text.length, true);
    if (at == SPAN_NONE)
        return;
    line->fields[FIELD_TEXT] = span_to(text, at);
    text = span_from(text, at + sizeof(before) - 1);
    line->fields[FIELD_STAGE] = span_to(text, text.length - (sizeof(after) - 1));
}

/* What a shape alone does not tell. */
static void settle(struct span body, struct line *line)
{
    struct span action = line->fields[FIELD_ACTION];
    bool refused = action.start == NULL || span_equals(action, "reject") ||
                   span_equals(action, "milter-reject");

    if (line->fields[FIELD_TEXT].start != NULL)
        take_stage(line);
    /* "lost connection with ... while ..." is the reason itself. */
    if (line->kind == LINE_ATTEMPT && line->fields[FIELD_TEXT].start == NULL)
        line->fields[FIELD_TEXT] = body;
    if (line->kind == LINE_WARNING && line->fields[FIELD_QUEUE_ID].start == NULL)
        (void)take_queue_id(&line->fields[FIELD_TEXT], line);
    if ((line->kind == LINE_REJECT || line->kind == LINE_SCREEN) &&
        (!refused || line->fields[FIELD_TEXT].start == NULL))
        line->kind = LINE_PASSED;
    /* Sendmail calls the peer its relay, whoever connected to whom. */
    if (line->mta == LINE_MTA_SENDMAIL && line->kind != LINE_DELIVERY &&
        line->kind != LINE_TLS_OUT && line->kind != LINE_TLS) {
        for (enum line_field part = 0; part < 3; part++) {
            line->fields[FIELD_CLIENT_NAME + part] = line->fields[FIELD_RELAY_HOST + part];
            line->fields[FIELD_RELAY_HOST + part] = (struct span){NULL, 0};
        }
        line->fields[FIELD_RELAY] = (struct span){NULL, 0};
    }
}

bool match_shapes(unsigned services, bool bare, struct span body, struct line *line)
{
    bool has_id = take_queue_id(&body, line);

    for (size_t i = 0; i < line_shape_count; i++) {
        const struct shape *shape = &line_shapes[i];

        if ((shape->services & services) == 0 || (bare && shape->bare != BARE) ||
            (shape->id != ANY_ID && (shape->id == ID) != has_id))
            continue;
        if (!match_form(shape->form, body, line))
            continue;
        line->kind = shape->kind;
        settle(body, line);
        return true;
    }
    return false;
}
