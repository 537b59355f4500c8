/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of line shapes. */
#include "lib/classify/shapes.h"

#include "lib/base/count.h"

#define POSTFIX (SERVICE_SENDMAIL - 1) /* every part of Postfix */
#define AGENTS                                                                                     \
    (SERVICE_SMTP | SERVICE_LMTP | SERVICE_LOCAL | SERVICE_VIRTUAL | SERVICE_PIPE |                \
     SERVICE_ERROR | SERVICE_DISCARD)
#define CLIENTS (SERVICE_SMTP | SERVICE_LMTP | SERVICE_TLSPROXY)
#define SERVERS (SERVICE_SMTPD | SERVICE_TLSPROXY)
#define SENDMAIL SERVICE_SENDMAIL

const struct shape line_shapes[] = {
    {AGENTS | SERVICE_QMGR, ID, BARE, LINE_DELIVERY, "to=%r"},
    {CLIENTS, ID, BARE, LINE_ATTEMPT, "host %h said: %t"},
    {CLIENTS, ID, BARE, LINE_ATTEMPT, "host %h refused to talk to me: %t"},
    {CLIENTS, ID, BARE, LINE_ATTEMPT, "lost connection with %h while %s"},
    {CLIENTS, ID, BARE, LINE_ATTEMPT, "conversation with %h timed out while %s"},
    {CLIENTS, ID, HEADED, LINE_NOTE, "enabling PIX workarounds: %_ for %h"},
    {CLIENTS, ANY_ID, BARE, LINE_CONNECT, "connect to %h: %t"},
    {CLIENTS, ANY_ID, BARE, LINE_RELAY_LOGIN, "SASL authentication failed; server %h said: %t"},
    {CLIENTS, ANY_ID, BARE, LINE_RELAY_LOGIN,
     "SASL authentication failed; cannot authenticate to server %h: %t"},
    {CLIENTS, ANY_ID, HEADED, LINE_RELAY_LOGIN, "warning: SASL authentication failure: %t"},
    {CLIENTS, ANY_ID, BARE, LINE_TLS_OUT, "SSL_connect error to %h: %t"},
    {CLIENTS, ANY_ID, HEADED, LINE_TLS_OUT, "warning: TLS library problem: %t"},
    {CLIENTS, ANY_ID, BARE, LINE_TLS_OUT, "certificate verification failed for %h: %t"},
    {CLIENTS, ANY_ID, BARE, LINE_TLS_OUT, "server certificate verification failed for %h: %t"},
    {CLIENTS, ANY_ID, HEADED, LINE_TLS_OUT, "TLS is required, but was not offered by host %h"},
    {CLIENTS, ID, HEADED, LINE_TLS_OUT, "Cannot start TLS: %t"},
    {CLIENTS, ID, HEADED, LINE_TLS_OUT, "Server certificate not %t"},
    {CLIENTS, ANY_ID, BARE, LINE_TLS,
     "%l TLS connection established to %h: %v with cipher %i (%b bits)%_"},
    {CLIENTS, ANY_ID, HEADED, LINE_TLS,
     "%l TLS connection reused to %h: %v with cipher %i (%b bits)%_"},

    {SERVICE_SMTPD, ID, BARE, LINE_QUEUED, "client=%c"},
    {SERVICE_SMTPD | SERVICE_CLEANUP, ID, BARE, LINE_REJECT, "%k: %s from %C: %T"},
    {SERVICE_SMTPD, ANY_ID, BARE, LINE_REJECT, "proxy-%k: %s: %T"},
    {SERVICE_SMTPD, NO_ID, BARE, LINE_CLIENT, "connect from %C"},
    {SERVICE_SMTPD, NO_ID, BARE, LINE_CLIENT, "disconnect from %C %e"},
    {SERVICE_SMTPD, NO_ID, BARE, LINE_CLIENT, "disconnect from %C"},
    {SERVICE_SMTPD, NO_ID, HEADED, LINE_NOTE, "discarding EHLO keywords: %t"},
    {SERVICE_SMTPD, NO_ID, BARE, LINE_CLIENT, "lost connection after %s (%o bytes) from %C"},
    {SERVICE_SMTPD, NO_ID, BARE, LINE_CLIENT, "lost connection after %s from %C"},
    {SERVICE_SMTPD, NO_ID, BARE, LINE_CLIENT, "timeout after %s (%o bytes) from %C"},
    {SERVICE_SMTPD, NO_ID, BARE, LINE_CLIENT, "timeout after %s from %C"},
    {SERVICE_SMTPD, NO_ID, BARE, LINE_CLIENT, "too many errors after %s from %C"},
    {SERVICE_SMTPD, NO_ID, HEADED, LINE_CLIENT, "improper command pipelining after %s from %C: %t"},
    {SERVICE_SMTPD, NO_ID, HEADED, LINE_CLIENT, "improper command pipelining after %s from %C"},
    {SERVICE_SMTPD, NO_ID, HEADED, LINE_CLIENT, "bare <LF> received after %s from %C"},
    {SERVICE_SMTPD, NO_ID, HEADED, LINE_CLIENT, "warning: non-SMTP command from %C: %t"},
    {SERVICE_SMTPD, NO_ID, HEADED, LINE_CLIENT,
     "warning: Illegal address syntax from %C in %s command: %t"},
    {SERVICE_SMTPD, NO_ID, HEADED, LINE_CLIENT,
     "warning: hostname %_ does not resolve to address %a: %t"},
    {SERVICE_SMTPD, NO_ID, HEADED, LINE_CLIENT,
     "warning: hostname %_ does not resolve to address %a"},
    {SERVICE_SMTPD, NO_ID, HEADED, LINE_CLIENT, "warning: hostname %_ verification failed: %t"},
    {SERVICE_SMTPD, ANY_ID, BARE, LINE_LOGIN,
     "warning: %C: SASL %m authentication failed: %t, sasl_username=%u"},
    {SERVICE_SMTPD, ANY_ID, BARE, LINE_LOGIN, "warning: %C: SASL %m authentication failed: %t"},
    {SERVICE_SMTPD, ANY_ID, HEADED, LINE_LOGIN, "warning: %C: SASL %m authentication failed:"},
    {SERVICE_SMTPD, ANY_ID, HEADED, LINE_LOGIN, "warning: %C: SASL %m authentication aborted"},
    {SERVICE_SMTPD, ANY_ID, HEADED, LINE_LOGIN, "warning: SASL authentication failure: %t"},
    {SERVICE_SMTPD, NO_ID, HEADED, LINE_RATE,
     "warning: %_ limit exceeded: %o from %C for service %w"},
    {SERVERS, ANY_ID, BARE, LINE_TLS_IN, "SSL_accept error from %C: %t"},
    {SERVERS, ANY_ID, HEADED, LINE_TLS_IN, "warning: TLS library problem: %t"},
    {SERVERS, ANY_ID, BARE, LINE_TLS,
     "%l TLS connection established from %C: %v with cipher %i (%b bits)%_"},
    {SERVERS, NO_ID, HEADED, LINE_CLIENT, "setting up TLS connection from %C"},

    {SERVICE_POSTSCREEN, ID, BARE, LINE_SCREEN, "%k: %s from %C: %T"},
    {SERVICE_POSTSCREEN | SERVICE_TLSPROXY, NO_ID, HEADED, LINE_CLIENT, "CONNECT from %C to %_"},
    {SERVICE_POSTSCREEN | SERVICE_TLSPROXY, NO_ID, HEADED, LINE_CLIENT, "CONNECT from %C"},
    {SERVICE_POSTSCREEN | SERVICE_TLSPROXY, NO_ID, HEADED, LINE_CLIENT, "DISCONNECT %C"},
    {SERVICE_POSTSCREEN, NO_ID, HEADED, LINE_CLIENT, "PASS %k %C"},
    {SERVICE_POSTSCREEN, NO_ID, HEADED, LINE_CLIENT, "PREGREET %o after %_ from %C: %t"},
    {SERVICE_POSTSCREEN, NO_ID, HEADED, LINE_CLIENT, "HANGUP after %_ from %C in %s"},
    {SERVICE_POSTSCREEN, NO_ID, HEADED, LINE_CLIENT, "DNSBL rank %o for %C"},
    {SERVICE_POSTSCREEN, NO_ID, HEADED, LINE_CLIENT, "COMMAND PIPELINING from %C after %s: %t"},
    {SERVICE_POSTSCREEN, NO_ID, HEADED, LINE_CLIENT, "NON-SMTP COMMAND from %C after %s: %t"},
    {SERVICE_POSTSCREEN, NO_ID, HEADED, LINE_CLIENT, "BARE NEWLINE from %C after %s"},
    {SERVICE_POSTSCREEN, NO_ID, HEADED, LINE_CLIENT, "COMMAND %_ LIMIT from %C after %s"},
    {SERVICE_POSTSCREEN, NO_ID, HEADED, LINE_CLIENT, "%kLIST VETO %C"},
    {SERVICE_POSTSCREEN, NO_ID, HEADED, LINE_CLIENT, "%kLISTED %C"},
    {SERVICE_DNSBLOG, NO_ID, BARE, LINE_LISTED, "addr %a listed by domain %d as %z"},

    {SERVICE_CLEANUP, ID, BARE, LINE_QUEUED, "message-id=%y"},
    {SERVICE_CLEANUP, ID, BARE, LINE_QUEUED, "resent-message-id=%y"},
    {SERVICE_CLEANUP | SERVICE_SMTPD, ID, BARE, LINE_REJECT, "%k: %w %L from %C; from=%f"},
    {SERVICE_CLEANUP | SERVICE_SMTPD, ID, BARE, LINE_REJECT, "%k: %w %L from local; from=%f"},
    {SERVICE_PICKUP, ID, BARE, LINE_QUEUED, "uid=%_ from=%f"},
    {SERVICE_QMGR, ID, BARE, LINE_EXPIRED, "from=<%x>, status=%q, returned to sender"},
    {SERVICE_QMGR, ID, BARE, LINE_QUEUED, "from=%f"},
    {SERVICE_QMGR, ID, BARE, LINE_REMOVED, "removed"},
    {SERVICE_QMGR, ID, HEADED, LINE_NOTE, "skipped, still being delivered"},
    {SERVICE_BOUNCE, ID, BARE, LINE_NOTICE, "%j notification: %n"},
    {SERVICE_POSTSUPER, ID, HEADED, LINE_ADMIN, "%j"},
    {SERVICE_POSTSUPER, NO_ID, HEADED, LINE_ADMIN, "%j: %o message%_"},
    {SERVICE_MASTER, NO_ID, HEADED, LINE_ADMIN, "daemon started -- %_"},
    {SERVICE_MASTER, NO_ID, HEADED, LINE_ADMIN, "reload -- %_"},
    {SERVICE_MASTER, NO_ID, HEADED, LINE_ADMIN, "terminating on signal %_"},
    {SERVICE_POSTFIX, NO_ID, HEADED, LINE_ADMIN, "%_ the Postfix mail system"},
    {SERVICE_POSTFIX, NO_ID, HEADED, LINE_ADMIN, "the Postfix mail system %_"},
    {SERVICE_ANVIL, NO_ID, BARE, LINE_STATISTICS, "statistics: max %L %o for (%A) at %_"},
    {SERVICE_ANVIL, NO_ID, BARE, LINE_STATISTICS, "statistics: max cache size %o at %_"},
    {POSTFIX, NO_ID, HEADED, LINE_STATISTICS, "statistics: %_"},
    {POSTFIX, NO_ID, HEADED, LINE_STATISTICS, "cache %_ cleanup: retained=%o dropped=%_ entries"},
    {POSTFIX, ANY_ID, HEADED, LINE_WARNING, "warning: %t"},
    {POSTFIX, ANY_ID, HEADED, LINE_WARNING, "error: %t"},
    {POSTFIX, ANY_ID, HEADED, LINE_WARNING, "fatal: %t"},
    {POSTFIX, ANY_ID, HEADED, LINE_WARNING, "panic: %t"},

    {SENDMAIL, ID, BARE, LINE_DELIVERY, "to=%r"},
    {SENDMAIL, ID, BARE, LINE_QUEUED, "from=%f"},
    {SENDMAIL, ANY_ID, BARE, LINE_REJECT, "ruleset=%g"},
    {SENDMAIL, ID, BARE, LINE_REJECT, "Milter: %s, reject=%t"},
    {SENDMAIL, ID, BARE, LINE_REJECT, "milter=%p"},
    {SENDMAIL, ID, HEADED, LINE_PASSED, "Milter%_"},
    {SENDMAIL, ID, BARE, LINE_REJECT, "<%X>... %t"},
    {SENDMAIL, ANY_ID, BARE, LINE_LOGIN, "AUTH failure (%m): %T"},
    {SENDMAIL, ANY_ID, HEADED, LINE_CLIENT, "AUTH=%p"},
    {SENDMAIL, ANY_ID, BARE, LINE_TLS_IN, "STARTTLS=server, error: %p"},
    {SENDMAIL, ANY_ID, BARE, LINE_TLS_OUT, "STARTTLS=client, error: %p"},
    {SENDMAIL, ANY_ID, HEADED, LINE_OTHER, "STARTTLS=%_, cert verify: %p"},
    {SENDMAIL, ANY_ID, BARE, LINE_TLS, "STARTTLS=%_, relay=%R"},
    {SENDMAIL, ANY_ID, HEADED, LINE_WARNING, "STARTTLS%_"},
    {SENDMAIL, ANY_ID, HEADED, LINE_REMOVED, "done; %_"},
    {SENDMAIL, ID, HEADED, LINE_NOTICE, "%n: DSN: %t"},
    {SENDMAIL, ID, HEADED, LINE_NOTICE, "%n: return to sender: %t"},
    {SENDMAIL, ID, HEADED, LINE_NOTICE, "%n: sender notify: %t"},
    {SENDMAIL, ID, HEADED, LINE_NOTICE, "%n: postmaster notify: %t"},
    {SENDMAIL, ANY_ID, HEADED, LINE_CLIENT, "lost input channel from %h to %_ after %s"},
    {SENDMAIL, ANY_ID, HEADED, LINE_CLIENT, "timeout waiting for input from %h during %s"},
    {SENDMAIL, ANY_ID, HEADED, LINE_CLIENT, "rejecting commands from %h due to %t"},
    {SENDMAIL, ANY_ID, HEADED, LINE_CLIENT, "%h did not issue %t"},
    {SENDMAIL, ANY_ID, HEADED, LINE_CLIENT, "%h: possible SMTP attack: %t"},
    {SENDMAIL, ANY_ID, HEADED, LINE_WARNING, "SYSERR%_: %t"},
    {SENDMAIL, ANY_ID, HEADED, LINE_ADMIN, "starting daemon %_"},
};

const size_t line_shape_count = COUNT_OF(line_shapes);

static const struct {
    const char *name;
    enum service service;
} services[] = {
    {"smtp", SERVICE_SMTP},
    {"smtpd", SERVICE_SMTPD},
    {"qmgr", SERVICE_QMGR},
    {"cleanup", SERVICE_CLEANUP},
    {"postscreen", SERVICE_POSTSCREEN},
    {"lmtp", SERVICE_LMTP},
    {"local", SERVICE_LOCAL},
    {"virtual", SERVICE_VIRTUAL},
    {"pipe", SERVICE_PIPE},
    {"error", SERVICE_ERROR},
    {"retry", SERVICE_ERROR},
    {"discard", SERVICE_DISCARD},
    {"bounce", SERVICE_BOUNCE},
    {"anvil", SERVICE_ANVIL},
    {"pickup", SERVICE_PICKUP},
    {"tlsproxy", SERVICE_TLSPROXY},
    {"dnsblog", SERVICE_DNSBLOG},
    {"master", SERVICE_MASTER},
    {"postsuper", SERVICE_POSTSUPER},
    {"nqmgr", SERVICE_QMGR},
    {"oqmgr", SERVICE_QMGR},
    {"flush", SERVICE_POSTFIX},
    {"postdrop", SERVICE_POSTFIX},
    {"postfix-script", SERVICE_POSTFIX},
    {"postlogd", SERVICE_POSTFIX},
    {"postqueue", SERVICE_POSTFIX},
    {"proxymap", SERVICE_POSTFIX},
    {"scache", SERVICE_POSTFIX},
    {"sendmail", SERVICE_POSTFIX},
    {"showq", SERVICE_POSTFIX},
    {"spawn", SERVICE_POSTFIX},
    {"tlsmgr", SERVICE_POSTFIX},
    {"trivial-rewrite", SERVICE_POSTFIX},
    {"verify", SERVICE_POSTFIX},
};

unsigned service_find(struct span name, bool behind_slash)
{
    static const char *const sendmail[] = {"sendmail", "sm-mta", "sm-msp", "sm-msp-queue",
                                           "sm-que"};

    for (size_t i = 0; !behind_slash && i < COUNT_OF(sendmail); i++)
        if (span_starts(name, sendmail[i]))
            return SERVICE_SENDMAIL;
    for (size_t i = 0; i < COUNT_OF(services); i++)
        if (span_equals(name, services[i].name))
            return services[i].service;
    return 0;
}
