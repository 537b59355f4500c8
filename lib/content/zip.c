/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/content/zip.h"

#include <string.h>

/* Sizes of the records without what varies (APPNOTE 4.3). */
#define END_SIZE 22
#define END_COMMENT_MAX 65535
#define LOCATOR_SIZE 20
#define END64_SIZE 56
#define ENTRY_SIZE 46
#define LOCAL_SIZE 30

#define FLAG_ENCRYPTED 0x0001
#define FLAG_MASKED 0x2000 /* the names are not those of the files */

#define EXTRA_ZIP64 0x0001
#define EXTRA_UNICODE_NAME 0x7075
#define UNICODE_NAME_HEAD 5 /* version and checksum before the name */

#define NOT_HERE_16 0xffffu /* the value stands in the zip64 record */
#define NOT_HERE_32 0xffffffffu

static unsigned read_16(const unsigned char *at)
{
    return at[0] | (unsigned)at[1] << 8;
}

static uint32_t read_32(const unsigned char *at)
{
    return read_16(at) | (uint32_t)read_16(at + 2) << 16;
}

static uint64_t read_64(const unsigned char *at)
{
    return read_32(at) | (uint64_t)read_32(at + 4) << 32;
}

static bool is_record(const unsigned char *at, const char *magic)
{
    return memcmp(at, magic, 4) == 0;
}

/* --- the end of the archive ----------------------------------------------------------- */

/* Where the directory lies in the tail. */
struct directory {
    size_t end; /* behind its last octet */
    uint64_t size;
    uint64_t offset; /* as the archive says */
};

/* The last record, which a comment may follow. */
static bool find_end(const struct zip_tail *tail, size_t *at_r)
{
    size_t last, first;

    if (tail->length < END_SIZE)
        return false;
    last = tail->length - END_SIZE;
    first = last > END_COMMENT_MAX ? last - END_COMMENT_MAX : 0;
    for (size_t at = last + 1; at-- > first;) {
        if (tail->bytes[at] == 'P' && is_record(tail->bytes + at, "PK\5\6")) {
            *at_r = at;
            return true;
        }
    }
    return false;
}

/* The zip64 record stands before its locator, which stands before the end. */
static void take_zip64(const struct zip_tail *tail, size_t end, struct directory *directory)
{
    const unsigned char *locator, *record;
    uint64_t offset, before = tail->total - tail->length;

    if (end < LOCATOR_SIZE + END64_SIZE)
        return;
    locator = tail->bytes + end - LOCATOR_SIZE;
    if (!is_record(locator, "PK\6\7"))
        return;
    offset = read_64(locator + 8);
    if (offset >= before && offset - before <= end - LOCATOR_SIZE - END64_SIZE &&
        is_record(tail->bytes + (offset - before), "PK\6\6"))
        directory->end = (size_t)(offset - before);
    else
        directory->end = end - LOCATOR_SIZE - END64_SIZE; /* something stands before the archive */
    record = tail->bytes + directory->end;
    if (!is_record(record, "PK\6\6")) {
        directory->end = end;
        return;
    }
    directory->size = read_64(record + 40);
    directory->offset = read_64(record + 48);
}

static bool find_directory(const struct zip_tail *tail, struct directory *directory_r)
{
    const unsigned char *record;
    size_t end;

    if (!find_end(tail, &end))
        return false;
    record = tail->bytes + end;
    *directory_r = (struct directory){
        .end = end, .size = read_32(record + 12), .offset = read_32(record + 16)};
    if (directory_r->size == NOT_HERE_32 || directory_r->offset == NOT_HERE_32 ||
        read_16(record + 10) == NOT_HERE_16)
        take_zip64(tail, end, directory_r);
    return true;
}

/* --- entries -------------------------------------------------------------------------- */

/* The values that did not fit stand in this order. */
static void take_extra_zip64(const unsigned char *at, size_t length, struct zip_entry *entry)
{
    size_t used = 0;

    if (entry->unpacked == NOT_HERE_32 && used + 8 <= length) {
        entry->unpacked = read_64(at + used);
        used += 8;
    }
    if (entry->packed == NOT_HERE_32 && used + 8 <= length) {
        entry->packed = read_64(at + used);
        used += 8;
    }
    if (entry->offset == NOT_HERE_32 && used + 8 <= length)
        entry->offset = read_64(at + used);
}

static void take_extras(const unsigned char *at, size_t length, struct zip_entry *entry)
{
    while (length >= 4) {
        unsigned id = read_16(at);
        size_t size = read_16(at + 2);

        at += 4;
        length -= 4;
        if (size > length)
            return;
        if (id == EXTRA_ZIP64)
            take_extra_zip64(at, size, entry);
        if (id == EXTRA_UNICODE_NAME && size > UNICODE_NAME_HEAD) {
            entry->unicode_name = (const char *)at + UNICODE_NAME_HEAD;
            entry->unicode_name_length = size - UNICODE_NAME_HEAD;
        }
        at += size;
        length -= size;
    }
}

/* Returns the octets of the record; 0: there is none. */
static size_t read_entry(const unsigned char *at, size_t length, struct zip_entry *entry_r,
                         unsigned *flags_r)
{
    size_t name, extra, comment;

    if (length < ENTRY_SIZE || !is_record(at, "PK\1\2"))
        return 0;
    name = read_16(at + 28);
    extra = read_16(at + 30);
    comment = read_16(at + 32);
    if (name + extra + comment > length - ENTRY_SIZE)
        return 0;
    *flags_r = read_16(at + 8);
    *entry_r = (struct zip_entry){
        .name = (const char *)at + ENTRY_SIZE,
        .name_length = name,
        .encrypted = *flags_r & FLAG_ENCRYPTED,
        .method = read_16(at + 10),
        .packed = read_32(at + 20),
        .unpacked = read_32(at + 24),
        .offset = read_32(at + 42),
    };
    take_extras(at + ENTRY_SIZE + name, extra, entry_r);
    return ENTRY_SIZE + name + extra + comment;
}

/* Where the first entry begins that is kept. */
static size_t first_entry(const struct zip_tail *tail, const struct directory *directory,
                          bool *cut_r)
{
    *cut_r = directory->size > directory->end;
    if (!*cut_r)
        return directory->end - (size_t)directory->size;
    for (size_t at = 0; at + 4 <= directory->end; at++)
        if (is_record(tail->bytes + at, "PK\1\2"))
            return at;
    return directory->end;
}

enum zip_status zip_list(const struct zip_tail *tail, zip_visit *visit, void *context)
{
    struct directory directory;
    struct zip_entry entry;
    size_t at, used, count = 0;
    unsigned flags = 0;
    uint64_t before;
    bool cut;

    if (!find_directory(tail, &directory))
        return ZIP_NONE;
    at = first_entry(tail, &directory, &cut);
    /* what stands before the archive (a program that unpacks it) shifts all its offsets */
    before = tail->total - tail->length + at - (cut ? 0 : directory.offset);
    while (count < ZIP_ENTRIES_MAX &&
           (used = read_entry(tail->bytes + at, directory.end - at, &entry, &flags)) > 0) {
        entry.offset += cut ? 0 : before;
        if (flags & FLAG_MASKED)
            return ZIP_HIDDEN;
        visit(context, &entry);
        at += used;
        count++;
    }
    if (count == 0 && directory.size > 0)
        return ZIP_HIDDEN;
    return cut || count == ZIP_ENTRIES_MAX ? ZIP_CUT : ZIP_READ;
}

const unsigned char *zip_data(const struct zip_tail *tail, const struct zip_entry *entry,
                              size_t *length_r)
{
    const unsigned char *local;
    size_t left, skip;

    if (tail->length != tail->total || entry->offset >= tail->length)
        return NULL;
    local = tail->bytes + entry->offset;
    left = tail->length - (size_t)entry->offset;
    if (left < LOCAL_SIZE || !is_record(local, "PK\3\4"))
        return NULL;
    skip = LOCAL_SIZE + read_16(local + 26) + (size_t)read_16(local + 28);
    if (skip > left || entry->packed > left - skip)
        return NULL;
    *length_r = (size_t)entry->packed;
    return local + skip;
}
