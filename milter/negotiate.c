/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/negotiate.h"

#include "lib/base/count.h"

#include <libmilter/mfapi.h>

#define ACTIONS (SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_QUARANTINE | SMFIF_SETSYMLIST)

/* The signature begins with the first octet of the body, so nobody needs the end of the headers.
 * DATA brings the queue id: without it a message that dies in another milter has no name. */
#define STEPS_NOT_NEEDED (SMFIP_NOUNKNOWN | SMFIP_NOEOH)

/* Each reply that the MTA need not wait for saves a round trip (RFC 5321's commands are answered by
 * the MTA meanwhile).  libmilter answers for us where an MTA does not know of this. */
#define NO_REPLIES                                                                                 \
    (SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_MAIL | SMFIP_NR_DATA | SMFIP_NR_HDR | SMFIP_NR_BODY)

/* They override the lists of main.cf and sendmail.cf, in Postfix and in Sendmail from 8.14 on.
 * {mail_addr} is always there, so that the macros of MAIL are always sent: libmilter keeps those of
 * the connection's last message otherwise. */
const struct negotiate_macros negotiate_macros[] = {
    {SMFIM_CONNECT, "v {daemon_port} {client_resolve}"},
    {SMFIM_ENVFROM,
     "i {auth_authen} {auth_type} {tls_version} {cipher} {cipher_bits} {verify} {cert_subject} "
     "{cert_issuer} {mail_addr}"},
    {SMFIM_ENVRCPT, "i {rcpt_mailer}"},
    {SMFIM_DATA, "i {auth_authen}"},
    {SMFIM_EOM, "i {auth_authen}"},
};
const unsigned negotiate_macros_count = COUNT_OF(negotiate_macros);

void negotiate_flags(bool enforces, unsigned long offered_actions, unsigned long offered_protocol,
                     unsigned long *actions_r, unsigned long *protocol_r)
{
    unsigned long wanted = STEPS_NOT_NEEDED | NO_REPLIES | SMFIP_HDR_LEADSPC;

    /* where nothing is enforced nothing is refused, so no recipient either */
    if (!enforces)
        wanted |= SMFIP_NR_RCPT;
    *actions_r = ACTIONS & offered_actions;
    *protocol_r = wanted & offered_protocol;
}
