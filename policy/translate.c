/* SPDX-License-Identifier: BSD-2-Clause */
/* From a policy request to a struct message. */
#include "policy/translate.h"

#include "lib/base/count.h"
#include "lib/base/hash.h"
#include "lib/base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Postfix says DATA where the client said BDAT; others may not. */
static const struct {
    const char *state;
    enum stage stage;
} stages[] = {
    {"RCPT", STAGE_RCPT}, {"END-OF-MESSAGE", STAGE_END_OF_MESSAGE},
    {"DATA", STAGE_DATA}, {"MAIL", STAGE_MAIL},
    {"BDAT", STAGE_DATA},
};

bool translate_stage(const struct protocol_request *request, enum stage *stage_r)
{
    const char *state = request->values[ATTRIBUTE_PROTOCOL_STATE];

    for (size_t i = 0; i < COUNT_OF(stages); i++) {
        if (strcmp(stages[i].state, state) == 0) {
            *stage_r = stages[i].stage;
            return true;
        }
    }
    return false;
}

/* A decimal number, or 0 for what is none. */
static int64_t number_of(const char *digits)
{
    char *end;
    long long number;

    if (*digits < '0' || *digits > '9')
        return 0;
    errno = 0;
    number = strtoll(digits, &end, 10);
    return errno == 0 && *end == '\0' ? number : 0;
}

static const char *known(const char *name)
{
    return strcmp(name, "unknown") == 0 ? "" : name;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Of xtext (RFC 3461 section 4): "+20" is a space.  A '+' that begins no code is itself. */
static void decode(const char *xtext, struct text *text)
{
    for (; *xtext != '\0'; xtext++) {
        const int high = *xtext == '+' ? hex_digit(xtext[1]) : -1;
        const int low = high >= 0 ? hex_digit(xtext[2]) : -1;

        if (low < 0 || (high | low) == 0) {
            text_add_char(text, *xtext);
            continue;
        }
        text_add_char(text, (char)(high << 4 | low));
        xtext += 2;
    }
}

static void set_certificate(struct message *message, const char *const *values)
{
    struct text subject = TEXT_EMPTY, issuer = TEXT_EMPTY;

    decode(values[ATTRIBUTE_CCERT_SUBJECT], &subject);
    decode(values[ATTRIBUTE_CCERT_ISSUER], &issuer);
    message_set_certificate(message, text_string(&subject), text_string(&issuer),
                            values[ATTRIBUTE_CCERT_FINGERPRINT]);
    text_free(&issuer);
    text_free(&subject);
}

struct message *translate_begin(const struct protocol_request *request, const char *hostname)
{
    struct message *message = message_new(PROGRAM_POLICY, hostname);
    const char *const *values = request->values;
    const int64_t port = number_of(values[ATTRIBUTE_SERVER_PORT]);
    const int64_t bits = number_of(values[ATTRIBUTE_ENCRYPTION_KEYSIZE]);

    (void)ip_parse(values[ATTRIBUTE_CLIENT_ADDRESS], &message->client);
    message_set(&message->client_name, known(values[ATTRIBUTE_CLIENT_NAME]));
    message_set(&message->helo, values[ATTRIBUTE_HELO_NAME]);
    message_set_user(message, values[ATTRIBUTE_SASL_USERNAME]);
    message_set(&message->auth_method, values[ATTRIBUTE_SASL_METHOD]);
    message_set(&message->tls_protocol, values[ATTRIBUTE_ENCRYPTION_PROTOCOL]);
    message_set(&message->tls_cipher, values[ATTRIBUTE_ENCRYPTION_CIPHER]);
    set_certificate(message, values);
    message->tls_told = true;
    message->tls_bits = bits <= TLS_BITS_MAX ? (int)bits : 0;
    message_set(&message->instance, values[ATTRIBUTE_INSTANCE]);
    message_set_sender(message, values[ATTRIBUTE_SENDER]);
    message->server_port = port <= UINT16_MAX ? (uint16_t)port : 0;
    return message;
}

void translate_progress(struct message *message, const struct protocol_request *request,
                        enum stage stage)
{
    const char *queue_id = request->values[ATTRIBUTE_QUEUE_ID];
    const int64_t size = number_of(request->values[ATTRIBUTE_SIZE]);

    message->stage = stage;
    if (queue_id[0] != '\0' && strcmp(queue_id, message->queue_id) != 0)
        message_set(&message->queue_id, queue_id);
    if (size > 0)
        message->size = size;
}

void translate_recipients(struct message *message, const struct protocol_request *request)
{
    const char *recipient = request->values[ATTRIBUTE_RECIPIENT];
    const int64_t count = number_of(request->values[ATTRIBUTE_RECIPIENT_COUNT]);

    /* Postfix names the recipient where there is only one: others that were collected are gone. */
    if (recipient[0] != '\0' && (count == 1 || message->nrecipients == 0)) {
        message->nrecipients_total = message->nrecipients;
        while (message->nrecipients > 0)
            message_drop_recipient(message);
        (void)message_add_recipient(message, recipient);
    }
    if (count > 0)
        message->nrecipients_total = (size_t)count;
}

uint64_t translate_fingerprint(const struct protocol_request *request)
{
    static const enum protocol_attribute members[] = {ATTRIBUTE_CLIENT_ADDRESS, ATTRIBUTE_SENDER,
                                                      ATTRIBUTE_SASL_USERNAME};
    uint64_t fingerprint = hash_stable("", 0);

    /* With their NULs, so that no two sets of values run together to the same octets. */
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        const char *value = request->values[members[i]];

        fingerprint = hash_stable_more(fingerprint, value, strlen(value) + 1);
    }
    return fingerprint;
}
