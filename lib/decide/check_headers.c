/* SPDX-License-Identifier: BSD-2-Clause */
/* config.headers: headers and lines that receivers refuse or that break the signature on the way.
 */
#include "lib/base/count.h"
#include "lib/causes/causes.h"
#include "lib/decide/check_functions.h"
#include "lib/decide/maker.h"

#include "lib/base/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* RFC 5322 section 3.6 wants the first two, and Message-ID so much that receivers do. */
static const char *const wanted[] = {"Date", "From", "Message-ID"};

#define WANTED_COUNT COUNT_OF(wanted)

static struct finding *find(struct message *message, const char *problem)
{
    struct finding *finding = findings_add(&message->findings, cause_get(CAUSE_CONFIG_HEADERS));

    finding_field(finding, "problem", "%s", problem);
    return finding;
}

/* Those of the wanted headers that are there so often: none, or several. */
static void list_wanted(const struct message *message, bool repeated, struct text *names)
{
    for (size_t i = 0; i < WANTED_COUNT; i++) {
        if (message_header(message, wanted[i], repeated ? 1 : 0) != NULL ? !repeated : repeated)
            continue;
        if (names->length > 0)
            text_add_string(names, ", ");
        text_add_string(names, wanted[i]);
    }
}

static void hint_missing(const struct message *message, struct finding *finding, const char *names)
{
    char *maker = maker_words(message), *domain = maker_domain(message);
    const bool lacks_id = strstr(names, "Message-ID") != NULL;

    finding_hint(finding, "let %s write %s%s%s", maker, names,
                 lacks_id ? "; a Message-ID is new for each message and ends in @" : "",
                 lacks_id ? domain : "");
    free(maker);
    free(domain);
}

static void check_presence(struct message *message, bool repeated)
{
    struct text names = TEXT_EMPTY;
    struct finding *finding;
    char *maker;

    list_wanted(message, repeated, &names);
    if (names.length == 0)
        goto done;
    finding = find(message, repeated ? "repeated" : "missing");
    finding_field(finding, "header", "%s", text_string(&names));
    if (repeated) {
        finding_sentence(finding, "The message has more than one header of these: %s.",
                         text_string(&names));
        maker = maker_words(message);
        finding_hint(finding, "let %s write %s once: receivers refuse what has two", maker,
                     text_string(&names));
        free(maker);
    } else {
        finding_sentence(finding, "The message lacks headers that every message must have: %s.",
                         text_string(&names));
        hint_missing(message, finding, text_string(&names));
    }
done:
    text_free(&names);
}

#define FROM_MAX 16 /* addresses that are looked at */

static bool is_sender_list(const char *value)
{
    struct address addresses[FROM_MAX];
    int count = address_list_parse(value, addresses, FROM_MAX);
    bool good = count > 0;

    for (int i = 0; i < FROM_MAX; i++) {
        if (i < count && (addresses[i].domain == NULL || addresses[i].domain[0] == '\0'))
            good = false;
        address_clear(&addresses[i]);
    }
    return good;
}

static void check_from(struct message *message)
{
    const struct header *from = message_header(message, "From", 0);
    struct finding *finding;
    const char *own, *value;
    char *maker;

    if (from == NULL || is_sender_list(from->value))
        return;
    value = from->value + strspn(from->value, " \t\r\n");
    own = strchr(message->user, '@') != NULL ? message->user : message->sender.text;
    maker = maker_words(message);
    finding = find(message, "unparsable");
    finding_field(finding, "header", "From");
    finding_field(finding, "value", "%.200s", value);
    finding_sentence(finding, "The message's From header is no mail address.");
    finding_hint(finding,
                 "let %s write \"From: Name <%s>\" in place of \"%.200s\", with quotes around a "
                 "name that has commas, dots or brackets",
                 maker, own != NULL && own[0] != '\0' ? own : "user@domain", value);
    free(maker);
}

static void check_line_ends(struct message *message)
{
    const struct wire *wire = &message->wire;
    struct finding *finding;
    char *maker;

    if (wire->bare_returns == 0 && wire->bare_feeds == 0)
        return;
    finding = find(message, wire->bare_returns > 0 ? "bare-cr" : "bare-lf");
    finding_field(finding, "bare-cr", "%" PRIu64, wire->bare_returns);
    finding_field(finding, "bare-lf", "%" PRIu64, wire->bare_feeds);
    finding_sentence(finding, "The message has line ends that are none: CR or LF alone.");
    maker = maker_words(message);
    finding_hint(finding,
                 "let %s end each line with CRLF (%" PRIu64 " CR and %" PRIu64
                 " LF stand alone), or encode the part in base64: servers replace them, which "
                 "breaks the signature",
                 maker, wire->bare_returns, wire->bare_feeds);
    free(maker);
}

static void check_line_length(struct message *message)
{
    const struct wire *wire = &message->wire;
    struct finding *finding;
    char *maker;

    if (wire->long_lines == 0)
        return;
    finding = find(message, "line-998");
    finding_field(finding, "lines", "%" PRIu64, wire->long_lines);
    finding_field(finding, "longest", "%" PRIu64, wire->longest);
    finding_field(finding, "max", "%d", WIRE_LINE_MAX);
    finding_sentence(finding,
                     "The message has a line of %" PRIu64 " octets; at most %d are allowed.",
                     wire->longest, WIRE_LINE_MAX);
    maker = maker_words(message);
    finding_hint(finding,
                 "let %s encode its text as quoted-printable or base64, or fold its headers: "
                 "%" PRIu64 " of its lines %s over %d octets (the longest has %" PRIu64
                 "), and the MTA breaks them after signing",
                 maker, wire->long_lines, wire->long_lines == 1 ? "is" : "are", WIRE_LINE_MAX,
                 wire->longest);
    free(maker);
}

void check_headers(const struct conf *conf, struct message *message)
{
    (void)conf;
    if (!message->wire.complete)
        return;
    if (!message->headers_cut) {
        check_presence(message, false);
        check_from(message);
    }
    check_presence(message, true);
    check_line_ends(message);
    check_line_length(message);
}
