/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/content/risk.h"

#include "lib/base/count.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_extension(void **state)
{
    static const struct {
        const char *name, *want;
    } cases[] = {
        {"a.exe", "exe"},
        {"a.PDF.ExE", "exe"},
        {"a.exe.", "exe"},
        {"a.exe . .", "exe"},
        {"a", ""},
        {"", ""},
        {"...", ""},
        {".profile", "profile"},
        {"a.b/c", ""},
        {"a.b\\c.js", "js"},
        {"a.tar.gz", "gz"},
        {"\xe2\x80\xae"
         "fdp.exe",
         "exe"},
        {"a.settingcontent-ms", "settingcontent-ms"},
        {"a.not-an-extension-at-all", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *extension = risk_extension(cases[i].name);

        if (strcmp(extension != NULL ? extension : "", cases[i].want) != 0)
            fail_msg("%s: \"%s\"", cases[i].name, extension);
        free(extension);
    }
}

#define BYTES(string) (string), sizeof(string) - 1
#define ZEROS_12 "\0\0\0\0\0\0\0\0\0\0\0\0"
#define MZ "MZ\x90\0" ZEROS_12 ZEROS_12 ZEROS_12 ZEROS_12 "\0\0\0\0\0\0\0\0"

static void test_magic(void **state)
{
    static const struct {
        const char *name, *bytes;
        size_t length;
        const char *want;
    } cases[] = {
        {"PE", BYTES(MZ "\x40\0\0\0PE\0\0"), "Windows program"},
        {"PE behind what is kept", BYTES(MZ "\x80\0\0\0"), "Windows program"},
        {"text that begins with MZ",
         BYTES("MZ is the code of Mozambique, and also of much else that is written about here"),
         ""},
        {"MZ alone", BYTES("MZ"), ""},
        {"ELF", BYTES("\177ELF\2\1\1"), "Unix program"},
        {"Mach-O", BYTES("\xcf\xfa\xed\xfe\7\0\0\1"), "macOS program"},
        {"universal", BYTES("\xca\xfe\xba\xbe\0\0\0\2"), "macOS program"},
        {"Java class", BYTES("\xca\xfe\xba\xbe\0\0\0\x34"), "Java program"},
        {"shell script", BYTES("#!/bin/sh\n"), "script"},
        {"script with a space", BYTES("#! /usr/bin/perl\n"), "script"},
        {"text that begins with #!", BYTES("#!important\n"), ""},
        {"shortcut", BYTES("L\0\0\0\1\x14\2\0\0\0"), "Windows shortcut"},
        {"cabinet", BYTES("MSCF\0\0\0\0"), "Windows cabinet"},
        {"text about MSCF", BYTES("MSCF is a file system"), ""},
        {"help", BYTES("ITSF\3\0\0\0"), "compiled help"},
        {"encoded script", BYTES("#@~^XQ4AAA=="), "encoded script"},
        {"VHD", BYTES("conectix\0\0\0\2"), "disk image"},
        {"VHDX", BYTES("vhdxfile"), "disk image"},
        {"OneNote", BYTES("\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3"),
         "OneNote file"},
        {"PDF", BYTES("%PDF-1.7\n"), ""},
        {"PNG", BYTES("\x89PNG\r\n\x1a\n"), ""},
        {"zip", BYTES("PK\3\4\x14\0"), ""},
        {"nothing", BYTES(""), ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *kind = risk_by_magic((const unsigned char *)cases[i].bytes, cases[i].length);

        if (strcmp(kind != NULL ? kind : "", cases[i].want) != 0)
            fail_msg("%s: \"%s\"", cases[i].name, kind);
    }
}

static void test_boot_sector(void **state)
{
    static const struct {
        const char *name;
        unsigned char first[3], last[2];
        size_t length;
        const char *want;
    } cases[] = {
        {"short jump", {0xeb, 0x3c, 0x90}, {0x55, 0xaa}, 512, "disk image"},
        {"long jump", {0xe9, 0x10, 0x00}, {0x55, 0xaa}, 512, "disk image"},
        {"no mark", {0xeb, 0x3c, 0x90}, {0x55, 0xab}, 512, ""},
        {"no jump", {0xeb, 0x3c, 0x91}, {0x55, 0xaa}, 512, ""},
        {"short of a sector", {0xeb, 0x3c, 0x90}, {0x55, 0xaa}, 511, ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        unsigned char bytes[512] = {0};
        const char *kind;

        memcpy(bytes, cases[i].first, sizeof(cases[i].first));
        memcpy(bytes + 510, cases[i].last, sizeof(cases[i].last));
        kind = risk_by_magic(bytes, cases[i].length);
        if (strcmp(kind != NULL ? kind : "", cases[i].want) != 0)
            fail_msg("%s: \"%s\"", cases[i].name, kind);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_extension),
        cmocka_unit_test(test_magic),
        cmocka_unit_test(test_boot_sector),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
