/* SPDX-License-Identifier: BSD-2-Clause */
/* Asking a daemon's socket whether anybody answers there. */
#include "ctl/probe.h"

#include "ctl/talk.h"

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/daemon/socket.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* SMTPD_POLICY_README: a stage at which nothing is decided. */
static const char policy_question[] =
    "request=smtpd_access_policy\nprotocol_state=VRFY\nprotocol_name=ESMTP\n\n";
static const char policy_answer[] = "action=";

/* The milter protocol, version 6: length, SMFIC_OPTNEG, version, actions, steps; then SMFIC_QUIT,
 * so that the session ends in order. */
static const char milter_question[] = "\0\0\0\rO\0\0\0\6\0\0\1\xff\0\x1f\xff\xff";
static const char milter_goodbye[] = "\0\0\0\1Q";
#define MILTER_ANSWER_COMMAND 4 /* where the answer's command stands, behind its length */

/* NULL: it answers as it should. */
static const char *talk_policy(struct talk *talk)
{
    char answer[sizeof(policy_answer) - 1];

    if (!talk_send(talk, policy_question, sizeof(policy_question) - 1) ||
        !talk_receive(talk, answer, sizeof(answer)))
        return talk_problem(talk);
    if (memcmp(answer, policy_answer, sizeof(answer)) != 0)
        return "what answers there is no policy service";
    return NULL;
}

static const char *talk_milter(struct talk *talk)
{
    char answer[MILTER_ANSWER_COMMAND + 1];

    if (!talk_send(talk, milter_question, sizeof(milter_question) - 1) ||
        !talk_receive(talk, answer, sizeof(answer)))
        return talk_problem(talk);
    if (answer[MILTER_ANSWER_COMMAND] != 'O')
        return "what answers there is no milter";
    (void)talk_send(talk, milter_goodbye, sizeof(milter_goodbye) - 1);
    return NULL;
}

/* Where to connect; of all addresses, the loopback one.  0: there is no such address. */
static socklen_t make_address(const struct conf_listen *listen, struct sockaddr_storage *address_r)
{
    static char loopback[] = "127.0.0.1";
    struct conf_listen where = *listen;

    if (!where.is_unix && strcmp(where.host, "*") == 0)
        where.host = loopback;
    return socket_address(&where, address_r);
}

void probe_run(const struct conf_listen *listen, enum probe_protocol protocol, int64_t timeout_ms,
               struct probe *probe_r)
{
    int64_t start_us = clock_now_us(&clock_steady);
    struct sockaddr_storage address;
    socklen_t length = make_address(listen, &address);
    struct talk talk;
    const char *problem;

    memset(probe_r, 0, sizeof(*probe_r));
    probe_r->address = socket_name(listen);
    if (!talk_connect(&talk, &address, length, timeout_ms))
        problem = talk_problem(&talk);
    else
        problem = protocol == PROBE_POLICY ? talk_policy(&talk) : talk_milter(&talk);
    probe_r->answers = problem == NULL;
    probe_r->problem = mem_copy(problem);
    probe_r->took_us = clock_now_us(&clock_steady) - start_us;
    talk_close(&talk);
}

void probe_clear(struct probe *probe)
{
    free(probe->address);
    free(probe->problem);
    memset(probe, 0, sizeof(*probe));
}
