/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/auth/results.h"

#include "lib/auth/arc.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "lib/base/utf8.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SHOWN_SIGNATURE 8 /* characters of b=, at least (RFC 6008 section 4) */
#define WHITE_SPACE " \t\r\n"

/* --- values --------------------------------------------------------------------------- */

/* A token of RFC 2045 section 5.1. */
static bool is_token_char(char c)
{
    return c > 0x20 && c < 0x7f && strchr("()<>@,;:\\\"/[]?=", c) == NULL;
}

/* A token, or an address or @domain whose parts are dots and tokens: what a property may have
 * without quotes (RFC 8601 section 2.2).  An apostrophe is right in both, and some readers stop at
 * it. */
static bool is_plain(const char *value)
{
    const char *at = strrchr(value, '@');
    const char *rest = at != NULL ? at + 1 : value;

    if (*rest == '\0')
        return false;
    for (const char *c = value; *c != '\0'; c++)
        if (c != at && (!is_token_char(*c) || strchr("'*%", *c) != NULL))
            return false;
    if (at != NULL && at > value && (value[0] == '.' || at[-1] == '.' || strstr(value, "..")))
        return false;
    return true;
}

/* What is no text is shown as a question mark. */
static void add_quoted(struct text *text, const char *value)
{
    size_t length = strlen(value);

    text_add_char(text, '"');
    while (length > 0) {
        uint32_t code = 0;
        size_t octets = utf8_next(value, length, &code);

        if (octets == 0 || utf8_is_control(code)) {
            octets = octets == 0 ? 1 : octets;
            text_add_char(text, '?');
        } else {
            if (*value == '"' || *value == '\\')
                text_add_char(text, '\\');
            text_add(text, value, octets);
        }
        value += octets;
        length -= octets;
    }
    text_add_char(text, '"');
}

static void add_value(struct text *text, const char *value)
{
    if (is_plain(value))
        text_add_string(text, value);
    else
        add_quoted(text, value);
}

static void add_property(struct text *text, const char *name, const char *value)
{
    if (value == NULL || *value == '\0' || strlen(value) > RESULTS_VALUE_MAX)
        return;
    text_print(text, " %s=", name);
    add_value(text, value);
}

static void add_reason(struct text *text, const char *reason)
{
    if (reason == NULL || strlen(reason) > RESULTS_VALUE_MAX)
        return;
    text_add_string(text, " reason=");
    add_quoted(text, reason);
}

/* --- methods -------------------------------------------------------------------------- */

/* Nothing of it is from outside. */
static void add_notes(struct text *text, const struct verify_signature *one)
{
    const char *before = " (";

    if (one->bits > 0 && one->signature.type == DKIM_KEY_RSA) {
        text_print(text, "%s%u-bit key", before, one->bits);
        before = ", ";
    }
    if (one->testing) {
        text_print(text, "%stest mode", before);
        before = ", ";
    }
    if (one->unsigned_octets > 0) {
        text_print(text, "%s%" PRIu64 " octets of the body are not signed", before,
                   one->unsigned_octets);
        before = ", ";
    }
    if (strcmp(before, ", ") == 0)
        text_add_char(text, ')');
}

/* As much of b= as tells it from the others. */
static void add_signature(struct text *text, const struct verify *verify, const char *encoded)
{
    size_t shown = SHOWN_SIGNATURE;
    char *value;

    if (encoded == NULL)
        return;
    for (size_t i = 0; i < verify->count; i++) {
        const char *other = verify->signatures[i].signature.encoded;
        size_t same = 0;

        if (other == NULL || strcmp(other, encoded) == 0)
            continue;
        while (encoded[same] == other[same])
            same++;
        if (shown <= same)
            shown = same + 1;
    }
    value = mem_copy_n(encoded,
                       strnlen(encoded, shown < RESULTS_VALUE_MAX ? shown : RESULTS_VALUE_MAX));
    add_property(text, "header.b", value);
    free(value);
}

static void add_dkim(struct text *text, const struct verify *verify,
                     const struct verify_signature *one)
{

    text_print(text, "dkim=%s", verify_status_name(one->status));
    add_notes(text, one);
    add_reason(text, one->problem);
    add_property(text, "header.d", one->signature.domain);
    add_property(text, "header.i", one->signature.identity);
    add_property(text, "header.s", one->signature.selector);
    add_property(text, "header.a", one->signature.algorithm);
    add_signature(text, verify, one->signature.encoded);
}

static void add_dkims(struct text *text, const struct verify *verify, const char *between)
{
    if (verify->count == 0)
        text_print(text, ";%sdkim=none", between);
    for (size_t i = 0; i < verify->count; i++) {
        text_print(text, ";%s", between);
        add_dkim(text, verify, &verify->signatures[i]);
    }
    if (verify->too_many)
        text_print(text, ";%sdkim=neutral reason=\"more signatures than are looked at\"", between);
}

static void add_spf(struct text *text, const struct spf_result *spf, const char *property,
                    const char *value, const char *between)
{
    text_print(text, ";%sspf=%s", between, spf_status_name(spf->status));
    add_reason(text, spf->status == SPF_NONE ? NULL : spf->problem);
    add_property(text, property, value);
}

static void add_client(struct text *text, const struct incoming *incoming, const char *between)
{
    char address[IP_TEXT_MAX];

    if (incoming->sender[0] != '\0')
        add_spf(text, &incoming->spf, "smtp.mailfrom", incoming->sender, between);
    add_spf(text, &incoming->helo_spf, "smtp.helo", incoming->helo, between);
    ip_format(&incoming->client, address);
    text_print(text, ";%siprev=%s", between, incoming_reverse_name(incoming->reverse));
    add_property(text, "policy.iprev", address);
}

static void add_dmarc(struct text *text, const struct incoming *incoming, const char *between)
{
    const struct dmarc_result *dmarc = &incoming->dmarc;

    text_print(text, ";%sdmarc=%s", between, dmarc_status_name(dmarc->status));
    add_reason(text, dmarc->problem);
    add_property(text, "header.from", incoming->from_domain);
    add_property(text, "policy.dmarc", dmarc_policy_name(dmarc->policy));
    if (dmarc->percent != 100 && dmarc->policy_domain != NULL)
        text_print(text, " (p=%s; pct=%u)", dmarc_policy_name(dmarc->published), dmarc->percent);
}

/* What forwarders sealed (RFC 8617 section 10).  The sealer's name was read as a domain: it has no
 * character that could end the comment. */
static void add_arc(struct text *text, const struct incoming *incoming, const char *between)
{
    const struct arc *arc = incoming->verify->arc;
    char address[IP_TEXT_MAX];

    text_print(text, ";%sarc=%s", between, arc_status_name(arc_status(arc)));
    if (arc == NULL)
        return;
    if (arc->sealer != NULL)
        text_print(text, " (i=%zu, sealed by %s)", arc->count, arc->sealer);
    add_reason(text, arc->problem);
    ip_format(&incoming->client, address);
    add_property(text, "smtp.remote-ip", address);
}

char *results_format(const struct incoming *incoming, const char *authserv_id, const char *between)
{
    struct text text = TEXT_EMPTY;

    text_add_string(&text, authserv_id);
    add_dkims(&text, incoming->verify, between);
    if (incoming_has_client(incoming))
        add_client(&text, incoming, between);
    add_dmarc(&text, incoming, between);
    add_arc(&text, incoming, between);
    return text_take(&text);
}

/* --- Received-SPF --------------------------------------------------------------------- */

static void add_pair(struct text *text, const char *name, const char *value, const char *between)
{
    if (value == NULL || *value == '\0' || strlen(value) > RESULTS_VALUE_MAX)
        return;
    text_print(text, "%s%s=", between, name);
    add_quoted(text, value);
    text_add_char(text, ';');
}

char *results_received_spf(const struct incoming *incoming, bool helo, const char *between)
{
    const struct spf_result *spf = helo ? &incoming->helo_spf : &incoming->spf;
    char address[IP_TEXT_MAX];
    struct text text = TEXT_EMPTY;

    ip_format(&incoming->client, address);
    text_add_string(&text, spf_status_name(spf->status));
    add_pair(&text, "client-ip", address, between);
    add_pair(&text, "envelope-from", incoming->sender, between);
    add_pair(&text, "helo", incoming->helo, between);
    add_pair(&text, "identity", helo ? "helo" : "mailfrom", between);
    add_pair(&text, "mechanism", spf->mechanism, between);
    add_pair(&text, "problem", spf->problem, between);
    add_pair(&text, "receiver", incoming->receiver, between);
    text_cut(&text, text.length - 1);
    return text_take(&text);
}

/* --- whose it is ---------------------------------------------------------------------- */

/* Behind comments and white space; NULL: a comment does not end. */
static const char *skip_comments(const char *c)
{
    size_t depth = 0;

    for (; *c != '\0'; c++) {
        if (*c == '(')
            depth++;
        else if (*c == ')' && depth > 0)
            depth--;
        else if (*c == '\\' && depth > 0 && c[1] != '\0')
            c++;
        else if (depth == 0 && strchr(WHITE_SPACE, *c) == NULL)
            break;
    }
    return depth == 0 ? c : NULL;
}

/* Reads a token or quoted string; NULL: there is none. */
static const char *read_id(const char *c, struct text *id)
{
    if (*c != '"') {
        while (is_token_char(*c) || (unsigned char)*c >= 0x80)
            text_add_char(id, *c++);
        return id->length > 0 ? c : NULL;
    }
    for (c++; *c != '\0' && *c != '"'; c++) {
        if (*c == '\\' && c[1] != '\0')
            c++;
        if (*c != '\r' && *c != '\n')
            text_add_char(id, *c);
    }
    return *c == '"' ? c + 1 : NULL;
}

/* Whether the id stands anywhere before the first result. */
static bool mentions(const char *value, const char *authserv_id)
{
    size_t length = strlen(authserv_id);
    const char *end = value + strcspn(value, ";");

    for (; (size_t)(end - value) >= length; value++)
        if (strncasecmp(value, authserv_id, length) == 0)
            return true;
    return false;
}

bool results_claim(const char *value, const char *authserv_id)
{
    struct text id = TEXT_EMPTY;
    const char *after = skip_comments(value);
    bool ours;

    if (after != NULL)
        after = read_id(after, &id);
    if (after != NULL)
        after = skip_comments(after);
    /* a version may follow (RFC 8601 section 2.2) */
    if (after != NULL && *after >= '0' && *after <= '9')
        after = skip_comments(after + strspn(after, "0123456789"));
    if (after != NULL && (*after == ';' || *after == '\0'))
        ours = text_equal_case(text_string(&id), authserv_id);
    else
        ours = mentions(value, authserv_id);
    text_free(&id);
    return ours;
}
