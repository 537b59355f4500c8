/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sluice-libspf2: says what libspf2 makes of the answers that it is given (lib/auth/spf_second.h).
 *
 * It reads a packet for each question from standard input, a socket, and writes one for the answer:
 * the result's name, and a question mark where more was asked for than is known.  What it cannot
 * read ends it, and so does anything that needs more than memory: who asks does without, then.
 */
#include "engine/libspf2.h"
#include "engine/sandbox.h"

#include "lib/auth/spf_second.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static bool answer(const char *bytes, size_t length)
{
    struct spf_request request;
    struct lookup lookup;
    struct text reply = TEXT_EMPTY;
    bool good;

    if (!spf_request_parse(bytes, length, &request))
        return false;
    lookup = spf_request_lookup(&request);
    text_add_string(&reply, libspf2_check(&request.client, request.domain, &lookup));
    if (request.missed)
        text_add_char(&reply, '?');
    good = write(STDIN_FILENO, reply.bytes, reply.length) == (ssize_t)reply.length;
    text_free(&reply);
    spf_request_clear(&request);
    return good;
}

/* Whoever stops a daemon may mean all its processes: this one ends when nobody asks any more. */
static void ignore_signals(void)
{
    (void)signal(SIGHUP, SIG_IGN);
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGTERM, SIG_IGN);
}

int main(void)
{
    static char question[SPF_SECOND_MAX];
    ssize_t length;

    ignore_signals();
    libspf2_open();
    if (!sandbox_enter()) {
        fprintf(stderr, "sluice-libspf2: cannot shut itself in: %s\n", strerror(errno));
        return EX_OSERR;
    }
    do
        length = read(STDIN_FILENO, question, sizeof(question));
    while (length > 0 && answer(question, (size_t)length));
    /* what runs at a usual end may need more */
    _exit(length == 0 ? EX_OK : EX_DATAERR);
}
