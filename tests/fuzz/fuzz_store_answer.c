/* SPDX-License-Identifier: BSD-2-Clause */
/* What Redis, or somebody in its place, answers: to a charge with notes, and as an error. */
#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/store/memory.h"
#include "lib/store/redis_trouble.h"
#include "lib/store/script.h"
#include "tests/fuzz/fuzz.h"

#define NOW_MS INT64_C(1800000000000)
#define ENTRIES_MAX 100
#define NOTES_MAX 65536

static const struct subject_hiding plain;

static struct call *make_call(void)
{
    static const struct store_limit limits[] = {
        {.subject = "user:a",
         .count = 'm',
         .window_sec = 60,
         .amount = 1,
         .max = 5,
         .enforce = true},
        {.subject = "user:a", .count = 'r', .window_sec = 3600, .amount = 2, .max = 5, .near = 4},
        {.subject = "client:b", .count = 'm', .window_sec = 60, .amount = 1, .max = 5},
    };
    static const struct store_wish wishes[] = {{.subject = "user:a", .kind = "flag"},
                                               {.subject = "rcpt:c@d", .kind = ""}};
    const struct store_request request = {
        .identity = "h/1",
        .fingerprint = 1,
        .limits = limits,
        .nlimits = COUNT_OF(limits),
        .wishes = wishes,
        .nwishes = COUNT_OF(wishes),
    };

    return call_new(&plain, CALL_CHARGE, &request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct memory *memory = memory_new(ENTRIES_MAX, ENTRIES_MAX, NOTES_MAX);
    char *bytes = mem_copy_n((const char *)data, size); /* hiredis ends it with NUL too */
    struct call *call = make_call();
    char *trouble;

    if (script_answer(call, bytes, size))
        memory_learn(memory, call);
    call_release(call);
    trouble = redis_trouble(bytes);
    must(trouble != NULL);
    (void)redis_trouble_is_general(bytes);
    (void)redis_trouble_is_no_script(bytes);
    (void)redis_trouble_is_redirect(bytes);
    free(trouble);
    free(bytes);
    memory_free(&memory);
    return 0;
}
