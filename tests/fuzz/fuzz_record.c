/* SPDX-License-Identifier: BSD-2-Clause */
/* A line of a log, read as one of ours. */
#include "lib/log/record.h"
#include "tests/fuzz/fuzz.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct log_record record;

    if (!log_record_read((const char *)data, size, &record))
        return 0;
    must(record.queue_id != NULL);
    must(record.names.count == record.values.count);
    must(record.names.count <= LOG_RECORD_FIELDS_MAX);
    for (size_t i = 0; i < record.names.count; i++)
        must(log_record_value(&record, record.names.items[i]) != NULL);
    log_record_clear(&record);
    return 0;
}
