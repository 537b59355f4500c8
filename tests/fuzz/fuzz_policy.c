/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Policy requests: however the bytes are cut, the parser says the same, and what it says can be
 * translated.
 *
 * The first two octets say where the cuts are, the rest is what a client sends.
 */
#include "lib/base/mem.h"
#include "lib/message/message.h"
#include "policy/protocol.h"
#include "policy/translate.h"
#include "tests/fuzz/fuzz.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MAX_REQUEST 4096 /* small enough for the fuzzer to reach it */

/* What a client's bytes amount to: how each request ends, and its values. */
struct outcome {
    enum protocol_status status;
    size_t used, requests;
    uint64_t values;
};

static void check(int holds)
{
    if (!holds)
        abort();
}

static void translate(const struct protocol_request *request)
{
    struct message *message = translate_begin(request, "mx.example.org");
    enum stage stage = STAGE_RCPT;
    char *identity;

    (void)translate_stage(request, &stage);
    translate_progress(message, request, stage);
    if (stage == STAGE_RCPT)
        (void)message_add_recipient(message, request->values[ATTRIBUTE_RECIPIENT]);
    else
        translate_recipients(message, request);
    check(message->nrecipients <= 1 && message->size >= 0);
    identity = message_identity(message);
    free(identity);
    message_free(&message);
}

/* Takes requests from length octets that come at most step at a time. */
static void take(const uint8_t *data, size_t length, size_t step, struct outcome *outcome_r)
{
    struct protocol_parser parser;
    struct protocol_request request;
    const char *problem = NULL;
    char *all = mem_copy_n((const char *)data, length);
    char *bytes = all;
    size_t have = step < length ? step : length;

    *outcome_r = (struct outcome){.status = PROTOCOL_MORE};
    protocol_begin(&parser);
    while (outcome_r->status != PROTOCOL_BAD) {
        size_t used = 0;
        const size_t left = have - (size_t)(bytes - all);

        outcome_r->status =
            protocol_parse(&parser, bytes, left, MAX_REQUEST, &used, &request, &problem);
        if (outcome_r->status == PROTOCOL_BAD)
            check(problem != NULL);
        if (outcome_r->status == PROTOCOL_REQUEST) {
            check(used > 0 && used <= left);
            for (size_t i = 0; i < ATTRIBUTE_COUNT; i++)
                outcome_r->values = outcome_r->values * 31 + strlen(request.values[i]);
            outcome_r->values = outcome_r->values * 31 + translate_fingerprint(&request);
            translate(&request);
            outcome_r->requests++;
            outcome_r->used += used;
            bytes += used;
            protocol_begin(&parser);
        } else if (outcome_r->status == PROTOCOL_MORE) {
            if (have == length)
                break;
            have = length - have > step ? have + step : length;
        }
    }
    free(all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct outcome whole, pieces;
    size_t step;

    if (size < 2)
        return 0;
    step = 1 + data[0] + (data[1] & 1u ? 256u * data[1] : 0);
    data += 2;
    size -= 2;
    take(data, size, size, &whole);
    take(data, size, step, &pieces);
    check(whole.status == pieces.status && whole.used == pieces.used &&
          whole.requests == pieces.requests && whole.values == pieces.values);
    return 0;
}
