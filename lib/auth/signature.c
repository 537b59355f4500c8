/* SPDX-License-Identifier: BSD-2-Clause */
/* One message's signature. */
#include "lib/auth/fields.h"
#include "lib/auth/signer.h"
#include "lib/auth/tags.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"

#include <stdlib.h>
#include <string.h>

/* libopendkim cuts its list of the names that it signs, silently, at DKIM_MAXHEADER octets: what is
 * longer would leave headers unsigned. */
#define SIGNED_NAMES_MAX (DKIM_MAXHEADER - 256)

struct signature {
    struct signer *signer;
    const struct signer_key *key;
    DKIM *dkim;
    char last[2]; /* octets of the body */
    bool failed;
};

bool sign_is_failure(const char *reason)
{
    static const char *const failures[] = {SIGN_KEY_UNREADABLE, SIGN_HEADERS_CUT, SIGN_ERROR};

    for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++)
        if (strcmp(reason, failures[i]) == 0)
            return true;
    return false;
}

/* --- whether, and with which key ------------------------------------------------------ */

/* The one From address.  NULL: *address_r is it. */
static const char *find_from(const struct message *message, struct address *address_r)
{
    const struct header *from = message_header(message, "From", 0);
    struct address addresses[2];
    int count;

    if (from == NULL)
        return SIGN_NO_FROM;
    if (message_header(message, "From", 1) != NULL)
        return SIGN_MANY_FROM;
    memset(addresses, 0, sizeof(addresses));
    count = address_list_parse(from->value, addresses, 2);
    if (count != 1 || addresses[0].domain == NULL || addresses[0].domain[0] == '\0') {
        address_clear(&addresses[0]);
        address_clear(&addresses[1]);
        return count > 1 ? SIGN_MANY_FROM : SIGN_NO_FROM;
    }
    *address_r = addresses[0];
    return NULL;
}

static const char *choose_key(const struct signer *signer, const struct conf *conf,
                              const struct message *message, const struct signer_key **key_r)
{
    struct address from = {0};
    const struct signer_key *key;
    const char *reason;

    if (message->direction != DIRECTION_OUT)
        return SIGN_INBOUND;
    reason = find_from(message, &from);
    if (reason != NULL)
        return message->headers_cut ? SIGN_HEADERS_CUT : reason;
    key = signer_find(signer, from.domain);
    if (key == NULL)
        reason = SIGN_NO_KEY;
    else if (message->user[0] != '\0' && !conf_login_may_use(conf, message->user, from.text))
        reason = SIGN_NOT_ALLOWED; /* or one customer could sign as another */
    else if (key->problem != NULL)
        reason = SIGN_KEY_UNREADABLE;
    else if (message->headers_cut)
        reason = SIGN_HEADERS_CUT;
    address_clear(&from);
    *key_r = key;
    return reason;
}

/* Mail comes back from a content filter, or from the queue by postsuper -r, with our signature. */
static bool has_our_signature(const struct message *message, const struct signer_key *key)
{
    const struct header *header;

    for (size_t n = 0; (header = message_header(message, DKIM_SIGNHEADER, n)) != NULL; n++)
        if (tags_equal(header->value, "d", key->domain) &&
            tags_equal(header->value, "s", key->selector) && tags_have(header->value, "v") &&
            tags_have(header->value, "h") && tags_have(header->value, "bh") &&
            tags_have(header->value, "b"))
            return true;
    return false;
}

/* --- headers -------------------------------------------------------------------------- */

/* MTAs hand over folded values with bare LF; on the wire it is CRLF. */
static void make_field(const struct header *header, struct text *field)
{
    text_clear(field);
    text_add_string(field, header->name);
    text_add_char(field, ':');
    for (const char *rest = header->value; *rest != '\0';) {
        size_t length = strcspn(rest, "\n");

        text_add(field, rest, length);
        rest += length;
        if (*rest != '\n')
            continue;
        if (field->bytes[field->length - 1] != '\r')
            text_add_char(field, '\r');
        text_add_char(field, '\n');
        rest++;
    }
}

static const char *add_headers(DKIM *dkim, const struct message *message)
{
    struct text field = TEXT_EMPTY;
    const char *reason = NULL;
    size_t names = 0;

    for (size_t i = 0; i < message->nheaders && reason == NULL; i++) {
        const struct header *header = &message->headers[i];

        if (!fields_is_signed(header->name))
            continue;
        names += strlen(header->name) + 1;
        make_field(header, &field);
        if (names > SIGNED_NAMES_MAX)
            reason = SIGN_HEADERS_CUT;
        else if (dkim_header(dkim, (u_char *)field.bytes, field.length) != DKIM_STAT_OK)
            reason = SIGN_ERROR;
    }
    text_free(&field);
    if (reason == NULL && dkim_eoh(dkim) != DKIM_STAT_OK)
        reason = SIGN_ERROR;
    return reason;
}

/* --- the signature -------------------------------------------------------------------- */

/* Relaxed for both: what servers on the way do to white space (unfolding, trailing blanks) does not
 * break the signature then, and nothing of what it says is lost (RFC 6376 §3.4). */
static DKIM *start_library(const struct signer *signer, const struct signer_key *key,
                           bool with_dates)
{
    DKIM_STAT status;

    return dkim_sign(signer_library(signer, with_dates), (const u_char *)key->name, NULL,
                     (u_char *)key->key.pem, (const u_char *)key->selector,
                     (const u_char *)key->domain, DKIM_CANON_RELAXED, DKIM_CANON_RELAXED,
                     DKIM_SIGN_RSASHA256, -1, &status);
}

struct signature *signature_begin(struct signer *signer, const struct conf *conf,
                                  const struct message *message, const char **reason_r)
{
    struct signature *signature = NULL;
    const struct signer_key *key = NULL;
    const char *reason = choose_key(signer, conf, message, &key);

    if (reason == NULL && has_our_signature(message, key))
        reason = SIGN_ALREADY_SIGNED;
    if (reason != NULL)
        goto done;
    signature = mem_new(1, sizeof(*signature));
    signature->signer = signer_hold(signer);
    signature->key = key;
    signature->dkim = start_library(signer, key,
                                    message_header(message, "Date", 0) != NULL &&
                                        message_header(message, "Message-ID", 0) != NULL);
    reason = signature->dkim == NULL ? SIGN_ERROR : add_headers(signature->dkim, message);
done:
    if (reason != NULL) {
        signature_free(&signature);
        *reason_r = reason;
    }
    return signature;
}

static void remember_last(struct signature *signature, const char *bytes, size_t length)
{
    if (length == 0)
        return;
    signature->last[0] = length > 1 ? bytes[length - 2] : signature->last[1];
    signature->last[1] = bytes[length - 1];
}

/* A body that does not end with CRLF gets one on its way (RFC 6376 §3.4.4); libopendkim refuses it.
 */
static void end_last_line(struct signature *signature)
{
    const char *last = signature->last;

    if (last[1] != '\0' && !(last[0] == '\r' && last[1] == '\n'))
        (void)signature_body(signature, "\r\n", 2);
}

bool signature_body(struct signature *signature, const void *bytes, size_t length)
{
    remember_last(signature, bytes, length);
    /* libopendkim only reads the body, its prototype lacks the const. */
    if (!signature->failed && length > 0 &&
        dkim_body(signature->dkim, (u_char *)(uintptr_t)bytes, length) != DKIM_STAT_OK)
        signature->failed = true;
    return !signature->failed;
}

char *signature_end(struct signature *signature, const char **reason_r)
{
    struct text value = TEXT_EMPTY;
    u_char *bytes = NULL;
    size_t length = 0;

    end_last_line(signature);
    if (signature->failed || dkim_eom(signature->dkim, NULL) != DKIM_STAT_OK ||
        dkim_getsighdr_d(signature->dkim, sizeof(DKIM_SIGNHEADER ": ") - 1, &bytes, &length) !=
            DKIM_STAT_OK ||
        length == 0) {
        signature->failed = true;
        *reason_r = SIGN_ERROR;
        return NULL;
    }
    for (size_t i = 0; i < length; i++)
        if (bytes[i] != '\r')
            text_add_char(&value, (char)bytes[i]);
    return text_take(&value);
}

const char *signature_name(const struct signature *signature)
{
    return signature->key->name;
}

void signature_free(struct signature **signature)
{
    if (*signature == NULL)
        return;
    if ((*signature)->dkim != NULL)
        dkim_free((*signature)->dkim);
    signer_release(&(*signature)->signer);
    free(*signature);
    *signature = NULL;
}
