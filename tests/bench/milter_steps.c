/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/bench/milter_steps.h"

#include "lib/base/count.h"
#include "tests/bench/bench.h"

#include <inttypes.h>
#include <libmilter/mfapi.h>
#include <libmilter/mfdef.h>
#include <stdio.h>
#include <string.h>

#define OFFERED_ACTIONS 0x1ffu
#define OFFERED_STEPS 0x1fffffu
#define CHUNK 65535u
#define HEADERS 9u
#define VALUE_ROOM 256

/* --- the steps --------------------------------------------------------------------- */

static const struct {
    char command;
    uint32_t declined, quiet; /* the flags by which a milter does without it, or without a reply */
    int stage; /* of the macros that go before it, or -1 */
} steps[] = {
    [NEGOTIATE] = {SMFIC_OPTNEG, 0, 0, -1},
    [CONNECT] = {SMFIC_CONNECT, SMFIP_NOCONNECT, SMFIP_NR_CONN, SMFIM_CONNECT},
    [HELO] = {SMFIC_HELO, SMFIP_NOHELO, SMFIP_NR_HELO, SMFIM_HELO},
    [MAIL] = {SMFIC_MAIL, SMFIP_NOMAIL, SMFIP_NR_MAIL, SMFIM_ENVFROM},
    [RCPT] = {SMFIC_RCPT, SMFIP_NORCPT, SMFIP_NR_RCPT, SMFIM_ENVRCPT},
    [DATA] = {SMFIC_DATA, SMFIP_NODATA, SMFIP_NR_DATA, SMFIM_DATA},
    [HEADER] = {SMFIC_HEADER, SMFIP_NOHDRS, SMFIP_NR_HDR, SMFIM_EOM},
    [HEADERS_END] = {SMFIC_EOH, SMFIP_NOEOH, SMFIP_NR_EOH, SMFIM_EOH},
    [BODY] = {SMFIC_BODY, SMFIP_NOBODY, SMFIP_NR_BODY, SMFIM_EOM},
    [END] = {SMFIC_BODYEOB, 0, 0, SMFIM_EOM},
};

/* The lists that Postfix sends unless the milter asks for others. */
static const char *const usual_macros[] = {
    [SMFIM_CONNECT] = "j {daemon_name} {daemon_addr} v _",
    [SMFIM_HELO] = "{tls_version} {cipher} {cipher_bits}",
    [SMFIM_ENVFROM] = "i {auth_type} {auth_authen} {mail_addr} {mail_host} {mail_mailer}",
    [SMFIM_ENVRCPT] = "i {rcpt_addr} {rcpt_host} {rcpt_mailer}",
    [SMFIM_DATA] = "i",
    [SMFIM_EOM] = "i",
    [SMFIM_EOH] = "i",
};
_Static_assert(COUNT_OF(usual_macros) == STAGES, "a stage lacks macros");

/* --- macros --------------------------------------------------------------------------- */

static const char *queue_id(const struct connection *connection, char value_r[VALUE_ROOM])
{
    (void)snprintf(value_r, VALUE_ROOM, "4Q%09" PRIX64, connection->message);
    return value_r;
}

static const char *user_name(const struct connection *connection, char value_r[VALUE_ROOM])
{
    (void)snprintf(value_r, VALUE_ROOM, "user%zu@example.com", connection->user);
    return value_r;
}

static const char *macro_value(const struct connection *connection, const char *name,
                               char room[VALUE_ROOM])
{
    static const struct {
        const char *name, *value;
    } fixed[] = {
        {"j", "mx.example.com"},        {"v", "Postfix 3.7.11"},
        {"_", "unknown [127.0.0.1]"},   {"{daemon_name}", "mx.example.com"},
        {"{daemon_addr}", "127.0.0.1"}, {"{daemon_port}", "587"},
        {"{tls_version}", "TLSv1.3"},   {"{cipher}", "TLS_AES_256_GCM_SHA384"},
        {"{cipher_bits}", "256"},       {"{auth_type}", "PLAIN"},
        {"{mail_host}", "example.com"}, {"{mail_mailer}", "smtp"},
        {"{rcpt_host}", "example.net"}, {"{rcpt_mailer}", "smtp"},
        {"{client_resolve}", "OK"},     {"{rcpt_addr}", "bob@example.net"},
    };

    for (size_t i = 0; i < COUNT_OF(fixed); i++)
        if (strcmp(fixed[i].name, name) == 0)
            return fixed[i].value;
    if (strcmp(name, "{auth_authen}") == 0 || strcmp(name, "{mail_addr}") == 0)
        return user_name(connection, room);
    /* Postfix has no queue file before the first recipient is accepted. */
    return strcmp(name, "i") == 0 && connection->step > RCPT ? queue_id(connection, room) : NULL;
}

static void add_macros(struct connection *connection, char command, int stage)
{
    char names[STAGE_MACROS_ROOM], *rest = names, *name;
    size_t begin = packet_open(&connection->out, SMFIC_MACRO);

    memcpy(names, connection->macros[stage], sizeof(names));
    buffer_add(&connection->out, &command, 1);
    while ((name = strsep(&rest, " ")) != NULL) {
        char room[VALUE_ROOM];
        const char *value = macro_value(connection, name, room);

        if (value == NULL)
            continue;
        buffer_string(&connection->out, name);
        buffer_string(&connection->out, value);
    }
    packet_close(&connection->out, begin);
}

/* --- steps ---------------------------------------------------------------------------- */

static void add_options(struct buffer *out)
{
    buffer_number(out, SMFI_PROT_VERSION);
    buffer_number(out, OFFERED_ACTIONS);
    buffer_number(out, OFFERED_STEPS);
}

static void add_client(struct buffer *out)
{
    static const char client[] = "client.example.com\0"
                                 "4\x9c\x40"
                                 "127.0.0.1";

    buffer_add(out, client, sizeof(client));
}

static void add_header(struct connection *connection)
{
    static const char *const names[HEADERS] = {
        "From",         "To",           "Subject",
        "Date",         "Message-ID",   "User-Agent",
        "MIME-Version", "Content-Type", "Content-Transfer-Encoding"};
    static const char *const fixed[HEADERS] = {
        [1] = "Bob <bob@example.net>",
        [3] = "Thu, 1 Jan 2026 00:00:00 +0000",
        [5] = "milterload",
        [6] = "1.0",
        [7] = "text/plain; charset=us-ascii",
        [8] = "7bit",
    };
    const bool spaced = (connection->flags & SMFIP_HDR_LEADSPC) != 0;
    char room[VALUE_ROOM], value[2 * VALUE_ROOM];

    if (connection->header == 0)
        (void)snprintf(value, sizeof(value), "Alice <%s>", user_name(connection, room));
    else if (connection->header == 2)
        (void)snprintf(value, sizeof(value), "message %" PRIu64, connection->message);
    else if (connection->header == 4)
        (void)snprintf(value, sizeof(value), "<%" PRIu64 "@example.com>", connection->message);
    else
        (void)snprintf(value, sizeof(value), "%s", fixed[connection->header]);
    buffer_string(&connection->out, names[connection->header]);
    if (spaced)
        buffer_add(&connection->out, " ", 1);
    buffer_string(&connection->out, value);
}

static void add_body(struct connection *connection, const struct load *load)
{
    size_t left = load->size - connection->sent_body;
    size_t length = left < CHUNK ? left : CHUNK;

    buffer_add(&connection->out, load->body + connection->sent_body, length);
    connection->sent_body += length;
}

static void add_contents(struct connection *connection, const struct load *load)
{
    char room[VALUE_ROOM], address[VALUE_ROOM + 2];

    switch (connection->step) {
    case NEGOTIATE:
        add_options(&connection->out);
        break;
    case CONNECT:
        add_client(&connection->out);
        break;
    case HELO:
        buffer_string(&connection->out, "client.example.com");
        break;
    case MAIL:
        (void)snprintf(address, sizeof(address), "<%s>", user_name(connection, room));
        buffer_string(&connection->out, address);
        break;
    case RCPT:
        buffer_string(&connection->out, "<bob@example.net>");
        break;
    case HEADER:
        add_header(connection);
        break;
    case BODY:
        add_body(connection, load);
        break;
    case DATA:
    case HEADERS_END:
    case END:
        break;
    }
}

void steps_advance(struct connection *connection, const struct load *load)
{
    const bool declined = (connection->flags & steps[connection->step].declined) != 0;

    if (connection->step == HEADER && !declined && ++connection->header < HEADERS)
        return;
    if (connection->step == BODY && !declined && connection->sent_body < load->size)
        return;
    connection->step++;
}

bool steps_send(struct connection *connection, const struct load *load)
{
    const enum step step = connection->step;
    size_t begin;

    if (steps[step].stage >= 0)
        add_macros(connection, steps[step].command, steps[step].stage);
    if (connection->flags & steps[step].declined)
        return false;
    begin = packet_open(&connection->out, steps[step].command);
    add_contents(connection, load);
    packet_close(&connection->out, begin);
    return !(connection->flags & steps[step].quiet);
}

/* --- beginnings ----------------------------------------------------------------------- */

void steps_begin_connection(struct connection *connection)
{
    connection->step = NEGOTIATE;
    connection->flags = 0;
    connection->on_connection = 0;
    connection->waiting = connection->listening_for_writes = false;
    connection->in.length = connection->out.length = 0;
    for (size_t i = 0; i < STAGES; i++)
        (void)snprintf(connection->macros[i], STAGE_MACROS_ROOM, "%s", usual_macros[i]);
}

void steps_begin_message(struct connection *connection, const struct load *load, uint64_t number)
{
    connection->message = number;
    connection->user = (size_t)(number * 2654435761u % load->users);
    connection->header = 0;
    connection->sent_body = 0;
    connection->on_connection++;
}

/* --- negotiation ---------------------------------------------------------------------- */

void steps_take_options(struct connection *connection, const char *packet, size_t length)
{
    const char *end = packet + length;

    if (length < 12)
        bench_die("negotiation");
    connection->flags = packet_number(packet + 8);
    for (packet += 12; packet + 4 < end; packet += strlen(packet) + 1) {
        uint32_t stage = packet_number(packet);

        packet += 4;
        if (memchr(packet, '\0', (size_t)(end - packet)) == NULL)
            bench_die("macros");
        if (stage < STAGES)
            (void)snprintf(connection->macros[stage], STAGE_MACROS_ROOM, "%s", packet);
    }
}
