/* SPDX-License-Identifier: BSD-2-Clause */
/* The life of a message. */
#include "lib/message/message.h"

#include "lib/base/count.h"
#include "lib/base/hash.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ARRAY_FIRST 4

/* What string members point to that are "", as most are: nothing to allocate, and never freed. */
static char empty[1];

/* The string members of a transaction, and those that stay as long as the client does. */
static const size_t transaction_members[] = {
    offsetof(struct message, queue_id),
    offsetof(struct message, instance),
};
static const size_t client_members[] = {
    offsetof(struct message, hostname),    offsetof(struct message, client_name),
    offsetof(struct message, helo),        offsetof(struct message, user),
    offsetof(struct message, auth_method), offsetof(struct message, tls_protocol),
    offsetof(struct message, tls_cipher),  offsetof(struct message, tls_certificate),
};

static char **member_at(struct message *message, size_t offset)
{
    return (char **)(void *)((char *)message + offset);
}

void message_set(char **member, const char *value)
{
    char *before = *member;

    *member = value == NULL || value[0] == '\0' ? empty : mem_copy(value);
    if (before != empty)
        free(before);
}

static void set_all_empty(struct message *message, const size_t *members, size_t count)
{
    for (size_t i = 0; i < count; i++)
        message_set(member_at(message, members[i]), NULL);
}

struct message *message_new(enum message_program program, const char *hostname)
{
    struct message *message = mem_new(1, sizeof(*message));

    message->program = program;
    set_all_empty(message, transaction_members, COUNT_OF(transaction_members));
    set_all_empty(message, client_members, COUNT_OF(client_members));
    message_set(&message->hostname, hostname);
    message_set_sender(message, "");
    return message;
}

static void recipient_clear(struct recipient *recipient)
{
    address_clear(&recipient->address);
    mail_domain_fact_clear(&recipient->domain);
}

static void transaction_clear(struct message *message)
{
    set_all_empty(message, transaction_members, COUNT_OF(transaction_members));
    address_clear(&message->sender);
    for (size_t i = 0; i < message->nrecipients; i++)
        recipient_clear(&message->recipients[i]);
    free(message->recipients);
    /* a header's value lies in the block of its name */
    for (size_t i = 0; i < message->nheaders; i++)
        free(message->headers[i].name);
    free(message->headers);
    facts_clear(&message->facts);
    findings_clear(&message->findings);
}

void message_free(struct message **message)
{
    if (*message == NULL)
        return;
    transaction_clear(*message);
    set_all_empty(*message, client_members, COUNT_OF(client_members));
    free(*message);
    *message = NULL;
}

void message_reset(struct message *message)
{
    transaction_clear(message);
    message->stage = STAGE_MAIL;
    message->started_us = 0;
    message->recipients = NULL;
    message->nrecipients = 0;
    message->nrecipients_total = 0;
    message->nlocal_unseen = 0;
    message->size = 0;
    message->headers = NULL;
    message->nheaders = 0;
    message->header_bytes = 0;
    message->headers_cut = false;
    message->identity_cut = false;
    message->wire = (struct wire){.complete = false};
    message->verdict = (struct verdict){0};
    message_set_sender(message, "");
}

void message_set_user(struct message *message, const char *login)
{
    message_set(&message->user, login);
    (void)text_lower(message->user);
}

/* Postfix' policy protocol has addresses without quotes, milters have them as they were given. */
static enum address_problem parse_path(const struct message *message, const char *path,
                                       struct address *address_r)
{
    if (message->program == PROGRAM_POLICY)
        return address_parse_unquoted(path, message->local_submission, address_r);
    return address_parse(path, message->local_submission, address_r);
}

static bool is_told(const char *value)
{
    return value != NULL && value[0] != '\0';
}

void message_set_certificate(struct message *message, const char *subject, const char *issuer,
                             const char *fingerprint)
{
    char *certificate = NULL;

    if (is_told(subject))
        certificate = mem_print("%s%s%s", subject, is_told(issuer) ? ", issued by " : "",
                                is_told(issuer) ? issuer : "");
    message_set(&message->tls_certificate, certificate != NULL ? certificate : fingerprint);
    free(certificate);
}

void message_set_sender(struct message *message, const char *reverse_path)
{
    address_clear(&message->sender);
    message->sender_problem =
        parse_path(message, reverse_path != NULL ? reverse_path : "", &message->sender);
}

/* Room for one more: arrays are full at each power of two from ARRAY_FIRST on. */
static void *array_grow(void *array, size_t count, size_t size)
{
    if (count == 0)
        return mem_grow(array, ARRAY_FIRST, size);
    if (count >= ARRAY_FIRST && (count & (count - 1)) == 0)
        return mem_grow(array, count * 2, size);
    return array;
}

struct recipient *message_add_recipient(struct message *message, const char *forward_path)
{
    struct recipient *recipient;

    message->nrecipients_total++;
    if (message->nrecipients == MESSAGE_RECIPIENTS_MAX)
        return NULL;
    message->recipients = array_grow(message->recipients, message->nrecipients, sizeof(*recipient));
    recipient = &message->recipients[message->nrecipients++];
    *recipient = (struct recipient){0};
    recipient->problem =
        parse_path(message, forward_path != NULL ? forward_path : "", &recipient->address);
    /* Only a reverse-path may be null (RFC 5321 section 4.1.2). */
    if (recipient->problem == ADDRESS_FINE && address_is_null(&recipient->address))
        recipient->problem = ADDRESS_BAD_LOCAL;
    return recipient;
}

void message_drop_recipient(struct message *message)
{
    if (message->nrecipients_total == 0)
        return;
    if (message->nrecipients_total == message->nrecipients)
        recipient_clear(&message->recipients[--message->nrecipients]);
    message->nrecipients_total--;
}

/* Whoever could hide one of these behind thousands of others would have it believed elsewhere. */
static bool is_of_identity(const char *name, size_t length)
{
    static const char *const names[] = {"From",           "Sender", "Authentication-Results",
                                        "DKIM-Signature", "Date",   "Message-ID"};

    /* before the colon there may be white space (RFC 5322 section 4.5) */
    while (length > 0 && (name[length - 1] == ' ' || name[length - 1] == '\t'))
        length--;
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (strlen(names[i]) == length && strncasecmp(names[i], name, length) == 0)
            return true;
    return false;
}

/* Whether there is room for one more field of that many octets. */
static bool has_room(struct message *message, const char *name, size_t octets)
{
    bool is_room = message->nheaders < MESSAGE_HEADERS_MAX &&
                   message->header_bytes + octets <= MESSAGE_HEADER_BYTES_MAX;

    if (is_room)
        return true;
    message->headers_cut = true;
    if (!is_of_identity(name, strlen(name)))
        return false;
    is_room =
        message->nheaders < MESSAGE_HEADERS_MAX + MESSAGE_HEADERS_SPARE &&
        message->header_bytes + octets <= MESSAGE_HEADER_BYTES_MAX + MESSAGE_HEADER_BYTES_SPARE;
    message->identity_cut = message->identity_cut || !is_room;
    return is_room;
}

void message_add_header(struct message *message, const char *name, const char *value)
{
    size_t name_room = strlen(name) + 1;
    size_t value_room = strlen(value) + 1;
    struct header *header;

    if (!has_room(message, name, name_room + value_room))
        return;
    message->headers = array_grow(message->headers, message->nheaders, sizeof(*header));
    header = &message->headers[message->nheaders++];
    header->name = mem_grow(NULL, name_room + value_room, 1);
    header->value = header->name + name_room;
    memcpy(header->name, name, name_room);
    memcpy(header->value, value, value_room);
    message->header_bytes += name_room + value_room;
}

const struct header *message_header(const struct message *message, const char *name, size_t n)
{
    for (size_t i = 0; i < message->nheaders; i++)
        if (text_equal_case(message->headers[i].name, name) && n-- == 0)
            return &message->headers[i];
    return NULL;
}

char *message_identity(const struct message *message)
{
    const char *id = message->queue_id[0] != '\0' ? message->queue_id : message->instance;
    const size_t hostname = strlen(message->hostname);
    const size_t length = strlen(id);
    char *identity;

    if (length == 0)
        return mem_copy("");
    /* By hand: it is made several times for a message, and printf(3) would be slow. */
    identity = mem_grow(NULL, hostname + 1 + length + 1, 1);
    memcpy(identity, message->hostname, hostname);
    identity[hostname] = '/';
    memcpy(identity + hostname + 1, id, length + 1);
    return identity;
}

void message_trace(const struct message *message, char trace_r[17])
{
    char *identity = message_identity(message);

    (void)snprintf(trace_r, 17, "%016" PRIx64, hash_stable(identity, strlen(identity)));
    free(identity);
}
