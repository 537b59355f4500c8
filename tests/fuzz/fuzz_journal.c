/* SPDX-License-Identifier: BSD-2-Clause */
/* A journal's entry, as a file that was damaged may have it: what is read can be written, and is
 * the same when it is read again. */
#include "lib/store/journal_entry.h"
#include "lib/store/memory.h"
#include "tests/fuzz/fuzz.h"

#define NOW_MS INT64_C(1800000000000)
#define ENTRIES_MAX 100

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct call *call = journal_entry_read(data, size);
    struct memory *memory;
    struct text first = TEXT_EMPTY;
    struct text second = TEXT_EMPTY;

    if (call == NULL)
        return 0;
    journal_entry_write(call->operation, call, call->at_ms, &first);
    memory = memory_new(ENTRIES_MAX, ENTRIES_MAX, 0);
    memory_run(memory, call, NOW_MS);
    memory_free(&memory);
    call_release(call);
    call = journal_entry_read((const uint8_t *)first.bytes, first.length);
    must(call != NULL);
    journal_entry_write(call->operation, call, call->at_ms, &second);
    must(first.length == second.length && memcmp(first.bytes, second.bytes, first.length) == 0);
    call_release(call);
    text_free(&first);
    text_free(&second);
    return 0;
}
