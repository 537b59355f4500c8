/* SPDX-License-Identifier: BSD-2-Clause */
/* Syslog headers: RFC 3164, RFC 5424, and the ISO time that rsyslog and journalctl put in
 * RFC 3164's place. */
#include "lib/classify/header.h"

#define PRIORITY_DIGITS_MAX 3
#define PID_MAX 4194304U /* Linux' largest, PID_MAX_LIMIT */
#define CLOCK_LENGTH 8 /* "18:13:50" */
#define DATE_LENGTH 10 /* "2026-10-26" */

static bool is_clock(struct span text)
{
    static const char pattern[] = "00:00:00";

    if (text.length < CLOCK_LENGTH)
        return false;
    for (size_t i = 0; i < CLOCK_LENGTH; i++)
        if (pattern[i] == ':' ? text.start[i] != ':' : !is_digit(text.start[i]))
            return false;
    return true;
}

/* "18:13:50" or "18:13:50.123456" */
static size_t clock_length(struct span text)
{
    size_t length = CLOCK_LENGTH;

    if (!is_clock(text))
        return 0;
    if (length < text.length && text.start[length] == '.')
        length += 1 + span_digits(span_from(text, length + 1));
    return length;
}

/* "Oct 26 18:13:50", "Oct  6 18:13:50", "Sep 7 07:14:19".  0: it is none. */
static size_t rfc3164_length(struct span text)
{
    size_t at = 3;
    size_t digits;
    size_t clock;

    if (text.length < at || !is_letter(text.start[0]) || !is_letter(text.start[1]) ||
        !is_letter(text.start[2]))
        return 0;
    while (at < text.length && at < 5 && text.start[at] == ' ')
        at++;
    digits = span_digits(span_from(text, at));
    if (at == 3 || digits < 1 || digits > 2)
        return 0;
    at += digits;
    if (at >= text.length || text.start[at] != ' ')
        return 0;
    clock = clock_length(span_from(text, at + 1));
    return clock > 0 ? at + 1 + clock : 0;
}

/* "2026-10-26T18:13:50.123+02:00", or with a blank for the T and no zone.  0: it is none. */
static size_t iso_length(struct span text)
{
    static const char pattern[] = "0000-00-00";
    struct span clock = span_from(text, DATE_LENGTH + 1);
    size_t length;

    if (!is_clock(clock))
        return 0;
    for (size_t i = 0; i < DATE_LENGTH; i++)
        if (pattern[i] == '-' ? text.start[i] != '-' : !is_digit(text.start[i]))
            return 0;
    if (text.start[DATE_LENGTH] == ' ')
        return DATE_LENGTH + 1 + clock_length(clock);
    length = span_find_char(text, ' ');
    return text.start[DATE_LENGTH] == 'T' && length != SPAN_NONE ? length : 0;
}

/* Takes the word before the next blank, and the blanks behind it.  false: there is no blank. */
static bool take_word(struct span *text, struct span *word_r)
{
    size_t length = span_find_char(*text, ' ');

    if (length == SPAN_NONE || length == 0)
        return false;
    *word_r = span_to(*text, length);
    while (length < text->length && text->start[length] == ' ')
        length++;
    *text = span_from(*text, length);
    return true;
}

static bool is_program_octet(char c)
{
    return is_letter(c) || is_digit(c) || c == '/' || c == '-' || c == '_' || c == '.';
}

/* "postfix/smtp[123]: " and "sendmail: ".  false: the line names no program. */
static bool take_program(struct span *text, struct line *line)
{
    struct span rest = *text;
    size_t length = 0;

    while (length < rest.length && is_program_octet(rest.start[length]))
        length++;
    if (length == 0)
        return false;
    rest = span_from(rest, length);
    if (rest.length > 0 && rest.start[0] == '[') {
        size_t digits = span_digits(span_from(rest, 1));

        (void)span_number(span_to(span_from(rest, 1), digits), PID_MAX, &line->pid);
        rest = span_from(rest, digits + 1);
        if (!span_skip(&rest, "]"))
            return false;
    }
    if (!span_skip(&rest, ":"))
        return false;
    (void)span_skip(&rest, " ");
    line->fields[FIELD_PROGRAM] = span_to(*text, length);
    *text = rest;
    return true;
}

/* Some write no host into their files: the program stands in its place, which a colon tells. */
static bool take_program_alone(struct span *text, struct line *line)
{
    size_t length = span_find_char(*text, ' ');

    return length != SPAN_NONE && length > 0 && text->start[length - 1] == ':' &&
           span_find_char(*text, ':') == length - 1 && take_program(text, line);
}

/* RFC 5424 §6: behind the time, HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA MSG. */
static bool take_rfc5424(struct span *text, struct line *line)
{
    struct span procid;
    struct span msgid;

    if (!take_word(text, &line->fields[FIELD_HOST]) ||
        !take_word(text, &line->fields[FIELD_PROGRAM]) || !take_word(text, &procid) ||
        !take_word(text, &msgid))
        return false;
    (void)span_number(procid, PID_MAX, &line->pid);
    while (text->length > 0 && text->start[0] == '[') {
        size_t at = 1;
        bool quoted = false;

        for (; at < text->length && (quoted || text->start[at] != ']'); at++) {
            if (text->start[at] == '\\')
                at++;
            else if (text->start[at] == '"')
                quoted = !quoted;
        }
        *text = span_from(*text, at + 1);
    }
    (void)span_skip(text, "-");
    (void)span_skip(text, " ");
    (void)span_skip(text, "\xef\xbb\xbf");
    return true;
}

/* Solaris puts "[ID 801593 mail.info] " before the message. */
static void skip_solaris_id(struct span *body)
{
    size_t end;

    if (!span_starts(*body, "[ID "))
        return;
    end = span_find(*body, "] ");
    if (end != SPAN_NONE)
        *body = span_from(*body, end + 2);
}

/* What forwards RFC 5424 to a file may leave out the priority that the version stands behind. */
static bool skip_version(struct span *text)
{
    if (!span_starts(*text, "1 ") || iso_length(span_from(*text, 2)) == 0)
        return false;
    *text = span_from(*text, 2);
    return true;
}

bool header_parse(struct span text, struct line *line, struct span *body_r)
{
    struct line parsed = *line;
    bool rfc5424 = false;
    size_t length;

    if (span_starts(text, "<")) {
        size_t digits = span_digits(span_from(text, 1));

        text = span_from(text, 1 + digits);
        if (digits == 0 || digits > PRIORITY_DIGITS_MAX || !span_skip(&text, ">"))
            return false;
        rfc5424 = span_skip(&text, "1 ");
    } else {
        rfc5424 = skip_version(&text);
    }
    length = iso_length(text);
    parsed.time_form = LINE_TIME_ISO;
    if (length == 0) {
        length = rfc3164_length(text);
        parsed.time_form = LINE_TIME_RFC3164;
    }
    if (length == 0 || length >= text.length || text.start[length] != ' ')
        return false;
    parsed.fields[FIELD_TIME] = span_to(text, length);
    text = span_from(text, length + 1);
    if (rfc5424) {
        if (!take_rfc5424(&text, &parsed))
            return false;
    } else if (!take_program_alone(&text, &parsed)) {
        if (!take_word(&text, &parsed.fields[FIELD_HOST]))
            return false;
        (void)take_program(&text, &parsed);
    }
    skip_solaris_id(&text);
    *line = parsed;
    *body_r = text;
    return true;
}
