/* SPDX-License-Identifier: BSD-2-Clause */
/* A feedback report, which anybody may mail to us. */
#include "feedback/arf.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool begun;
    struct arf arf;

    if (!begun)
        arf_init();
    begun = true;
    if (!arf_read((const char *)data, size, &arf))
        return 0;
    must(arf.type != NULL && arf.user != NULL && arf.sender != NULL && arf.recipient != NULL &&
         arf.message_id != NULL && arf.reporter != NULL);
    (void)arf_is_complaint(&arf);
    arf_clear(&arf);
    return 0;
}
