/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/content/risk.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define EXTENSION_MAX 20 /* octets; longer ones are no extension */

#define SECTOR 512
#define MZ_HEADER 64 /* octets of the DOS header, the last four of which point to the next one */
#define MZ_POINTER 60
#define JAVA_OLDEST                                                                                \
    45 /* major version of the first class files; universal programs have fewer parts */

char *risk_extension(const char *name)
{
    size_t end = strlen(name), start;

    while (end > 0 && (name[end - 1] == '.' || name[end - 1] == ' '))
        end--;
    for (start = end; start > 0; start--) {
        char c = name[start - 1];

        if (c == '/' || c == '\\')
            return NULL;
        if (c == '.')
            break;
    }
    if (start == 0 || end == start || end - start > EXTENSION_MAX)
        return NULL;
    return text_lower(mem_copy_n(name + start, end - start));
}

char *risk_by_name(const char *name, const struct strings *types)
{
    char *extension = risk_extension(name);

    if (extension != NULL && !strings_have(types, extension)) {
        free(extension);
        extension = NULL;
    }
    return extension;
}

bool risk_is_macro(const char *path)
{
    const char *name = strrchr(path, '/');

    return strcasecmp(name != NULL ? name + 1 : path, "vbaProject.bin") == 0;
}

static uint32_t little_32(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

/* Two letters are no proof: the header behind them, or what it points to, has to be one. */
static bool is_dos_program(const unsigned char *bytes, size_t length)
{
    uint32_t next;

    if (length < MZ_HEADER || memcmp(bytes, "MZ", 2) != 0)
        return false;
    next = little_32(bytes + MZ_POINTER);
    if (next <= length - 4)
        return memcmp(bytes + next, "PE\0\0", 4) == 0 || memcmp(bytes + next, "NE", 2) == 0 ||
               memcmp(bytes + next, "LE", 2) == 0 || memchr(bytes, '\0', MZ_HEADER) != NULL;
    return memchr(bytes, '\0', MZ_HEADER) != NULL;
}

static const char *class_or_universal(const unsigned char *bytes, size_t length)
{
    if (length < 8 || memcmp(bytes, "\xca\xfe\xba\xbe", 4) != 0)
        return NULL;
    return bytes[4] == 0 && bytes[5] == 0 && bytes[6] == 0 && bytes[7] < JAVA_OLDEST
               ? "macOS program"
               : "Java program";
}

/* "#!/bin/sh": white space may stand before the path. */
static bool is_script(const unsigned char *bytes, size_t length)
{
    size_t at = 2;

    if (length < 4 || memcmp(bytes, "#!", 2) != 0)
        return false;
    while (at < length && (bytes[at] == ' ' || bytes[at] == '\t'))
        at++;
    return at < length && bytes[at] == '/';
}

/* The jump of a file system over its parameters, and the mark at the sector's end. */
static bool is_boot_sector(const unsigned char *bytes, size_t length)
{
    return length >= SECTOR && bytes[SECTOR - 2] == 0x55 && bytes[SECTOR - 1] == 0xaa &&
           ((bytes[0] == 0xeb && bytes[2] == 0x90) || bytes[0] == 0xe9);
}

const char *risk_in_archive(const unsigned char *bytes, size_t length)
{
    static const struct {
        const char *magic;
        size_t length;
        const char *kind;
    } known[] = {
        {"\x7f"
         "ELF",
         4, "Unix program"},
        {"\xfe\xed\xfa\xce", 4, "macOS program"},
        {"\xfe\xed\xfa\xcf", 4, "macOS program"},
        {"\xce\xfa\xed\xfe", 4, "macOS program"},
        {"\xcf\xfa\xed\xfe", 4, "macOS program"},
        {"L\0\0\0\x01\x14\x02\0", 8, "Windows shortcut"},
        {"dex\n03", 6, "Android program"},
        {"MSCF\0\0\0\0", 8, "Windows cabinet"},
        {"ITSF\x03\0\0\0", 8, "compiled help"},
        {"#@~^", 4, "encoded script"},
        {"vhdxfile", 8, "disk image"},
        {"conectix", 8, "disk image"},
        {"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3", 16, "OneNote file"},
    };

    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (length >= known[i].length && memcmp(bytes, known[i].magic, known[i].length) == 0)
            return known[i].kind;
    if (is_dos_program(bytes, length))
        return "Windows program";
    if (is_boot_sector(bytes, length))
        return "disk image";
    return class_or_universal(bytes, length);
}

const char *risk_by_magic(const unsigned char *bytes, size_t length)
{
    return is_script(bytes, length) ? "script" : risk_in_archive(bytes, length);
}

bool risk_is_zip(const unsigned char *bytes, size_t length)
{
    return length >= 4 && (memcmp(bytes, "PK\3\4", 4) == 0 || memcmp(bytes, "PK\5\6", 4) == 0);
}
