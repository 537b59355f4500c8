/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/lib/content/make_zip.h"

#include "lib/base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static void put(struct text *text, uint64_t value, size_t octets)
{
    while (octets-- > 0) {
        text_add_char(text, (char)(value & 0xff));
        value >>= 8;
    }
}

static struct text packed(const struct zip_file *file)
{
    struct text text = TEXT_EMPTY;
    size_t room = file->length + 256;
    unsigned char *bytes;
    z_stream stream = {0};

    if (!file->deflated) {
        text_add(&text, file->bytes, file->length);
        return text;
    }
    bytes = mem_new(1, room);
    (void)deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY);
    stream.next_in = (unsigned char *)(uintptr_t)file->bytes;
    stream.avail_in = (unsigned)file->length;
    stream.next_out = bytes;
    stream.avail_out = (unsigned)room;
    (void)deflate(&stream, Z_FINISH);
    text_add(&text, (const char *)bytes, room - stream.avail_out);
    (void)deflateEnd(&stream);
    free(bytes);
    return text;
}

static unsigned flags_of(const struct zip_file *file)
{
    return (file->encrypted ? 1u : 0u) | (file->masked ? 0x2000u : 0u);
}

static void put_local(struct text *zip, const struct zip_file *file, const struct text *data)
{
    text_add(zip, "PK\3\4", 4);
    put(zip, 20, 2);
    put(zip, flags_of(file), 2);
    put(zip, file->deflated ? 8 : 0, 2);
    put(zip, 0, 4 + 4); /* time, checksum */
    put(zip, data->length, 4);
    put(zip, file->length, 4);
    put(zip, strlen(file->name), 2);
    put(zip, 0, 2);
    text_add_string(zip, file->name);
    text_add(zip, data->bytes, data->length);
}

static void put_entry(struct text *directory, const struct zip_file *file, size_t length,
                      size_t offset, bool zip64)
{
    const uint64_t claimed = file->claimed > 0 ? file->claimed : file->length;
    size_t unicode = file->unicode_name != NULL ? 4 + 5 + strlen(file->unicode_name) : 0;

    text_add(directory, "PK\1\2", 4);
    put(directory, 20, 2);
    put(directory, 20, 2);
    put(directory, flags_of(file), 2);
    put(directory, file->deflated ? 8 : 0, 2);
    put(directory, 0, 4 + 4);
    put(directory, zip64 ? 0xffffffff : length, 4);
    put(directory, zip64 ? 0xffffffff : claimed, 4);
    put(directory, strlen(file->name), 2);
    put(directory, unicode + (zip64 ? 28 : 0), 2);
    put(directory, 0, 2 + 2 + 2 + 4);
    put(directory, zip64 ? 0xffffffff : offset, 4);
    text_add_string(directory, file->name);
    if (zip64) {
        put(directory, 1, 2);
        put(directory, 24, 2);
        put(directory, claimed, 8);
        put(directory, length, 8);
        put(directory, offset, 8);
    }
    if (file->unicode_name != NULL) {
        put(directory, 0x7075, 2);
        put(directory, unicode - 4, 2);
        put(directory, 0, 5);
        text_add_string(directory, file->unicode_name);
    }
}

static void put_end64(struct text *zip, size_t count, size_t size, size_t offset, size_t record)
{
    text_add(zip, "PK\6\6", 4);
    put(zip, 44, 8);
    put(zip, 45, 2 + 2 + 4);
    put(zip, 0, 4);
    put(zip, count, 8);
    put(zip, count, 8);
    put(zip, size, 8);
    put(zip, offset, 8);
    text_add(zip, "PK\6\7", 4);
    put(zip, 0, 4);
    put(zip, record, 8);
    put(zip, 1, 4);
}

struct text make_zip(const struct zip_file *files, const struct zip_form *form)
{
    static const struct zip_form plain;
    struct text zip = TEXT_EMPTY, directory = TEXT_EMPTY;
    size_t count = 0, begin;

    if (form == NULL)
        form = &plain;
    if (form->before != NULL)
        text_add_string(&zip, form->before);
    begin = zip.length;
    for (; files[count].name != NULL; count++) {
        struct text data = packed(&files[count]);

        put_entry(&directory, &files[count], data.length, zip.length - begin, form->zip64);
        put_local(&zip, &files[count], &data);
        text_free(&data);
    }
    if (directory.length > 0)
        text_add(&zip, directory.bytes, directory.length);
    if (form->zip64)
        put_end64(&zip, count, directory.length, zip.length - directory.length - begin,
                  zip.length - begin);
    text_add(&zip, "PK\5\6", 4);
    put(&zip, 0, 4);
    put(&zip, form->zip64 ? 0xffff : count, 2);
    put(&zip, form->zip64 ? 0xffff : count, 2);
    put(&zip, form->zip64 ? 0xffffffff : directory.length, 4);
    put(&zip, form->zip64 ? 0xffffffff : zip.length - 16 - directory.length - begin, 4);
    put(&zip, form->comment != NULL ? strlen(form->comment) : 0, 2);
    if (form->comment != NULL)
        text_add_string(&zip, form->comment);
    text_free(&directory);
    return zip;
}
