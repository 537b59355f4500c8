/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What another program writes to the local store's socket: commands, and the calls that they make.
 *
 * However the octets are cut, they are the same commands.
 */
#include "lib/base/mem.h"
#include "lib/store/memory.h"
#include "lib/store/resp.h"
#include "lib/store/script.h"
#include "tests/fuzz/fuzz.h"

#define NOW_MS INT64_C(1800000000000)
#define SUBJECTS_MAX 100
#define NOTES_MAX 65536

struct outcome {
    enum resp_parsed parsed;
    size_t used, commands, calls;
};

static void carry_out(struct memory *memory, struct call *call)
{
    struct text answer = TEXT_EMPTY;

    memory_run(memory, call, NOW_MS);
    if (call->operation != CALL_RESET) {
        script_write_answer(call, &answer);
        must(answer.length > 0);
    }
    text_free(&answer);
    call_release(call);
}

static void take(const char *bytes, size_t length, size_t step, struct outcome *outcome_r)
{
    struct memory *memory = memory_new(SUBJECTS_MAX, SUBJECTS_MAX, NOTES_MAX);
    struct script_word words[SCRIPT_WORDS_MAX];
    size_t have = step < length ? step : length;

    *outcome_r = (struct outcome){.parsed = RESP_PART};
    while (outcome_r->parsed != RESP_BAD) {
        char *all = mem_copy_n(bytes, have); /* its end is the sanitizer's */
        const char *at = all + outcome_r->used;
        struct call *call = NULL;
        size_t count = 0;

        outcome_r->parsed = resp_parse(&at, all + have, words, &count);
        if (outcome_r->parsed == RESP_WHOLE) {
            must(count > 0 && count <= SCRIPT_WORDS_MAX && at <= all + have);
            for (size_t i = 0; i < count; i++)
                must(words[i].bytes + words[i].length <= all + have);
            outcome_r->used = (size_t)(at - all);
            outcome_r->commands++;
            call = script_call(words, count);
        }
        if (call != NULL) {
            outcome_r->calls++;
            carry_out(memory, call);
        }
        free(all);
        if (outcome_r->parsed == RESP_PART && have == length)
            break;
        if (outcome_r->parsed == RESP_PART)
            have = length - have > step ? have + step : length;
    }
    memory_free(&memory);
}

/* The first octet says where the cuts are. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct outcome whole, pieces;

    if (size < 1 || size > 65536)
        return 0;
    take((const char *)data + 1, size - 1, size, &whole);
    take((const char *)data + 1, size - 1, 16 + data[0] * 8u, &pieces);
    must(whole.parsed == pieces.parsed && whole.used == pieces.used &&
         whole.commands == pieces.commands && whole.calls == pieces.calls);
    return 0;
}
