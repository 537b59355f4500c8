/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading answers (RFC 1035 section 4, RFC 3596, RFC 2308). */
#include "lib/dns/records.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define FLAGS_RESPONSE 0x8000
#define FLAGS_CUT 0x0200
#define FLAGS_RCODE 0x000f
#define RCODE_NOERROR 0
#define RCODE_NXDOMAIN 3
#define CLASS_IN 1
#define TYPE_CNAME 5
#define TYPE_SOA 6
#define TTL_TOP_BIT 0x80000000 /* RFC 2181 section 8: then it is zero */

static const char broken[] = "the answer is broken";

struct reader {
    const uint8_t *packet;
    size_t length;
    size_t at;
};

struct resource {
    struct dns_name owner;
    unsigned type;
    unsigned class;
    int64_t ttl_sec;
    size_t data; /* offset and length of RDATA, within the packet */
    size_t data_length;
};

/* An answer while it is read. */
struct answer {
    struct dns_name target; /* the name asked for, or what CNAMEs lead to */
    unsigned chain;
    int64_t ttl_sec; /* -1: nothing seen yet */
    struct dns_records *records;
};

static bool read_number(struct reader *reader, size_t octets, uint32_t *number_r)
{
    uint32_t number = 0;

    if (reader->length - reader->at < octets)
        return false;
    for (size_t i = 0; i < octets; i++)
        number = number << 8 | reader->packet[reader->at++];
    *number_r = number;
    return true;
}

static bool read_resource(struct reader *reader, struct resource *resource_r)
{
    uint32_t type, class, ttl, length;

    if (!dns_name_read(reader->packet, reader->length, &reader->at, &resource_r->owner) ||
        !read_number(reader, 2, &type) || !read_number(reader, 2, &class) ||
        !read_number(reader, 4, &ttl) || !read_number(reader, 2, &length) ||
        reader->length - reader->at < length)
        return false;
    resource_r->type = type;
    resource_r->class = class;
    resource_r->ttl_sec = (ttl & TTL_TOP_BIT) != 0 ? 0 : (int64_t)ttl;
    resource_r->data = reader->at;
    resource_r->data_length = length;
    reader->at += length;
    return true;
}

/* A name that is all of an RDATA from at on.  It may point back to before, so the packet goes
 * along. */
static bool read_data_name(const struct reader *reader, const struct resource *resource, size_t at,
                           struct dns_name *name_r)
{
    size_t end = resource->data + resource->data_length;

    return dns_name_read(reader->packet, end, &at, name_r) && at == end;
}

static bool read_data_text(const struct reader *reader, const struct resource *resource, size_t at,
                           struct dns_record *record_r)
{
    char text[DNS_NAME_TEXT_ROOM];
    struct dns_name name;

    if (!read_data_name(reader, resource, at, &name))
        return false;
    record_r->length = dns_name_format(&name, text);
    record_r->text = mem_copy_n(text, record_r->length);
    return true;
}

static bool read_a(const struct reader *reader, const struct resource *resource,
                   struct dns_record *record_r)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};

    if (resource->data_length != sizeof(v4.sin_addr))
        return false;
    memcpy(&v4.sin_addr, reader->packet + resource->data, sizeof(v4.sin_addr));
    return ip_from_sockaddr((const struct sockaddr *)&v4, &record_r->address);
}

static bool read_aaaa(const struct reader *reader, const struct resource *resource,
                      struct dns_record *record_r)
{
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

    if (resource->data_length != sizeof(v6.sin6_addr))
        return false;
    memcpy(&v6.sin6_addr, reader->packet + resource->data, sizeof(v6.sin6_addr));
    return ip_from_sockaddr((const struct sockaddr *)&v6, &record_r->address);
}

static bool read_mx(const struct reader *reader, const struct resource *resource,
                    struct dns_record *record_r)
{
    const uint8_t *data = reader->packet + resource->data;

    if (resource->data_length < 3)
        return false;
    record_r->preference = (uint16_t)(data[0] << 8 | data[1]);
    return read_data_text(reader, resource, resource->data + 2, record_r);
}

static bool read_ptr(const struct reader *reader, const struct resource *resource,
                     struct dns_record *record_r)
{
    return read_data_text(reader, resource, resource->data, record_r);
}

/* A record without any string is illegal (RFC 1035 section 3.3.14), says nothing, and must not
 * spoil the others of its name. */
static bool read_txt(const struct reader *reader, const struct resource *resource,
                     struct dns_record *record_r)
{
    const uint8_t *data = reader->packet + resource->data;
    size_t at = 0;
    size_t length = 0;
    char *text;

    while (at < resource->data_length) {
        length += data[at];
        at += 1 + (size_t)data[at];
    }
    if (at != resource->data_length)
        return false;
    text = mem_new(length + 1, 1);
    length = 0;
    for (at = 0; at < resource->data_length; at += 1 + (size_t)data[at]) {
        memcpy(text + length, data + at + 1, data[at]);
        length += data[at];
    }
    record_r->text = text;
    record_r->length = length;
    return true;
}

static bool read_record(const struct reader *reader, const struct resource *resource,
                        struct dns_record *record_r)
{
    static const struct {
        unsigned type;
        bool (*read)(const struct reader *reader, const struct resource *resource,
                     struct dns_record *record_r);
    } types[] = {
        {DNS_A, read_a},     {DNS_AAAA, read_aaaa}, {DNS_MX, read_mx},
        {DNS_PTR, read_ptr}, {DNS_TXT, read_txt},
    };

    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (types[i].type == resource->type)
            return types[i].read(reader, resource, record_r);
    return false;
}

static bool add_record(struct answer *answer, const struct reader *reader,
                       const struct resource *resource)
{
    struct dns_records *records = answer->records;
    struct dns_record record = {0};

    if (!read_record(reader, resource, &record))
        return false;
    if (records->count == DNS_RECORDS_MAX) {
        free(record.text);
        return true;
    }
    /* full at each power of two */
    if ((records->count & (records->count - 1)) == 0)
        records->items =
            mem_grow(records->items, records->count > 0 ? records->count * 2 : 1, sizeof(record));
    records->items[records->count++] = record;
    return true;
}

static void note_ttl(struct answer *answer, int64_t ttl_sec)
{
    if (answer->ttl_sec < 0 || ttl_sec < answer->ttl_sec)
        answer->ttl_sec = ttl_sec;
}

/* One resource of the answer section: a record asked for, a step of the chain, or something beside
 * it. */
static bool take_answer(struct answer *answer, const struct reader *reader,
                        const struct resource *resource, enum dns_type type)
{
    if (resource->class != CLASS_IN || !dns_name_equal(&resource->owner, &answer->target))
        return true;
    if (resource->type == (unsigned)type) {
        note_ttl(answer, resource->ttl_sec);
        return add_record(answer, reader, resource);
    }
    if (resource->type == TYPE_CNAME && answer->records->count == 0) {
        note_ttl(answer, resource->ttl_sec);
        return answer->chain++ < DNS_CHAIN_MAX &&
               read_data_name(reader, resource, resource->data, &answer->target);
    }
    return true;
}

/* How long an absence is good for: the SOA's TTL or its MINIMUM, whichever is less. */
static bool take_authority(const struct reader *reader, const struct resource *resource,
                           int64_t *negative_sec_r)
{
    struct reader data = {reader->packet, resource->data + resource->data_length, resource->data};
    struct dns_name name;
    uint32_t serial, refresh, retry, expire, minimum;

    if (resource->class != CLASS_IN || resource->type != TYPE_SOA)
        return true;
    if (!dns_name_read(data.packet, data.length, &data.at, &name) ||
        !dns_name_read(data.packet, data.length, &data.at, &name) ||
        !read_number(&data, 4, &serial) || !read_number(&data, 4, &refresh) ||
        !read_number(&data, 4, &retry) || !read_number(&data, 4, &expire) ||
        !read_number(&data, 4, &minimum) || data.at != data.length)
        return false;
    if ((minimum & TTL_TOP_BIT) != 0)
        minimum = 0;
    *negative_sec_r = resource->ttl_sec < (int64_t)minimum ? resource->ttl_sec : (int64_t)minimum;
    return true;
}

static const char *read_question(struct reader *reader, uint32_t count, const struct dns_name *name,
                                 enum dns_type type)
{
    struct dns_name asked;
    uint32_t asked_type, asked_class;

    if (count != 1 || !dns_name_read(reader->packet, reader->length, &reader->at, &asked) ||
        !read_number(reader, 2, &asked_type) || !read_number(reader, 2, &asked_class))
        return broken;
    if (!dns_name_equal(&asked, name) || asked_type != (uint32_t)type || asked_class != CLASS_IN)
        return "the answer is to another question";
    return NULL;
}

static int compare_mx(const void *a, const void *b)
{
    const struct dns_record *one = a;
    const struct dns_record *other = b;

    if (one->preference != other->preference)
        return one->preference < other->preference ? -1 : 1;
    return strcmp(one->text, other->text);
}

/* Answer and authority sections.  NULL: read to the end. */
static const char *read_sections(struct reader *reader, struct answer *answer, enum dns_type type,
                                 uint32_t answers, uint32_t authorities, int64_t *negative_sec_r)
{
    struct resource resource;

    for (uint32_t i = 0; i < answers; i++)
        if (!read_resource(reader, &resource) || !take_answer(answer, reader, &resource, type))
            return broken;
    for (uint32_t i = 0; i < authorities; i++)
        if (!read_resource(reader, &resource) || !take_authority(reader, &resource, negative_sec_r))
            return broken;
    return NULL;
}

static const char *read_packet(struct reader *reader, const struct dns_name *name,
                               enum dns_type type, struct dns_records *records)
{
    struct answer answer = {.target = *name, .ttl_sec = -1, .records = records};
    uint32_t id, flags, questions, answers, authorities, additional;
    int64_t negative_sec = 0;
    const char *problem;
    unsigned rcode;

    if (!read_number(reader, 2, &id) || !read_number(reader, 2, &flags) ||
        !read_number(reader, 2, &questions) || !read_number(reader, 2, &answers) ||
        !read_number(reader, 2, &authorities) || !read_number(reader, 2, &additional))
        return broken;
    rcode = flags & FLAGS_RCODE;
    if ((flags & FLAGS_RESPONSE) == 0)
        return broken;
    if (rcode != RCODE_NOERROR && rcode != RCODE_NXDOMAIN)
        return dns_rcode_name(rcode);
    if ((flags & FLAGS_CUT) != 0)
        return "the answer is cut";
    problem = read_question(reader, questions, name, type);
    if (problem == NULL)
        problem = read_sections(reader, &answer, type, answers, authorities, &negative_sec);
    if (problem != NULL)
        return problem;
    records->alias = answer.chain > 0;
    if (records->count > 0) {
        records->status = DNS_FOUND;
        records->ttl_sec = answer.ttl_sec;
        return NULL;
    }
    records->status = rcode == RCODE_NXDOMAIN ? DNS_ABSENT : DNS_NO_DATA;
    /* The alias that led to the absence may end sooner than it. */
    note_ttl(&answer, negative_sec);
    records->ttl_sec = answer.ttl_sec;
    return NULL;
}

void dns_records_read(const uint8_t *packet, size_t length, const struct dns_name *name,
                      enum dns_type type, struct dns_records *records_r)
{
    struct reader reader = {packet, length, 0};
    const char *problem;

    *records_r = (struct dns_records){0};
    problem = read_packet(&reader, name, type, records_r);
    if (problem != NULL) {
        dns_records_clear(records_r);
        records_r->status = DNS_FAILED;
        records_r->problem = problem;
    } else if (type == DNS_MX && records_r->count > 1) {
        qsort(records_r->items, records_r->count, sizeof(records_r->items[0]), compare_mx);
    }
}

void dns_records_clear(struct dns_records *records)
{
    for (size_t i = 0; i < records->count; i++)
        free(records->items[i].text);
    free(records->items);
    *records = (struct dns_records){0};
}

const char *dns_rcode_name(unsigned rcode)
{
    static const char *const names[] = {
        [0] = "NOERROR", [1] = "FORMERR", [2] = "SERVFAIL", [3] = "NXDOMAIN",
        [4] = "NOTIMP",  [5] = "REFUSED", [6] = "YXDOMAIN", [7] = "YXRRSET",
        [8] = "NXRRSET", [9] = "NOTAUTH", [10] = "NOTZONE",
    };

    return rcode < COUNT_OF(names) ? names[rcode] : "an unknown response code";
}
