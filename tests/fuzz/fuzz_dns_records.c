/* SPDX-License-Identifier: BSD-2-Clause */
/* DNS packets from strangers: the first octet chooses the type asked for, the rest is the packet.
 */
#include "lib/base/count.h"
#include "lib/dns/records.h"
#include "tests/fuzz/fuzz.h"

#include <stdint.h>
#include <string.h>

static void check_record(const struct dns_record *record, enum dns_type type)
{
    if (type == DNS_A || type == DNS_AAAA) {
        must(record->text == NULL && record->address.family != 0);
        return;
    }
    must(record->text != NULL && record->text[record->length] == '\0');
    if (type == DNS_TXT)
        return;
    must(strlen(record->text) == record->length && record->length < DNS_NAME_TEXT_ROOM);
    for (const char *c = record->text; *c != '\0'; c++)
        must(*c > ' ' && *c <= '~' && !(*c >= 'A' && *c <= 'Z'));
}

static void check(const struct dns_records *records, enum dns_type type)
{
    must((records->status == DNS_FOUND) == (records->count > 0));
    must((records->status == DNS_FAILED) == (records->problem != NULL));
    must(records->status != DNS_BOGUS && records->ttl_sec >= 0);
    must(records->count <= DNS_RECORDS_MAX);
    for (size_t i = 0; i < records->count; i++) {
        check_record(&records->items[i], type);
        must(type != DNS_MX || i == 0 ||
             records->items[i - 1].preference <= records->items[i].preference);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum dns_type types[] = {DNS_A, DNS_AAAA, DNS_MX, DNS_PTR, DNS_TXT};
    struct dns_records records;
    struct dns_name name;
    enum dns_type type;

    if (size == 0)
        return 0;
    type = types[data[0] % COUNT_OF(types)];
    must(dns_name_parse("example.test", &name));
    dns_records_read(data + 1, size - 1, &name, type, &records);
    check(&records, type);
    dns_records_clear(&records);
    return 0;
}
