/* SPDX-License-Identifier: BSD-2-Clause */
/* Directories of zip archives, of every form. */
#include "lib/content/archive.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "tests/lib/content/make_zip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TEXT(string) .bytes = (string), .length = sizeof(string) - 1

static struct strings types = {
    .items = (char *[]){(char *)(uintptr_t) "exe", (char *)(uintptr_t) "js"}, .count = 2};

static void on_found(void *context, const char *path, const char *kind, enum content_by by)
{
    text_print(context, "%s=%s%s;", path, kind,
               by == CONTENT_BY_ENCRYPTION ? "(encrypted)"
               : by == CONTENT_BY_DEPTH    ? "(deep)"
               : by == CONTENT_BY_SIZE     ? "(large)"
               : by == CONTENT_BY_MAGIC    ? "(magic)"
               : by == CONTENT_BY_MACRO    ? "(macro)"
                                           : "");
}

static char *found_in(const struct zip_tail *tail)
{
    struct text found = TEXT_EMPTY;
    struct archive_search search = {
        .types = &types, .budget = ARCHIVE_BUDGET, .found = on_found, .context = &found};

    archive_search(&search, tail);
    return found.length > 0 ? text_take(&found) : mem_copy("");
}

static void check(const char *name, const struct text *zip, const char *want)
{
    const struct zip_tail tail = {(const unsigned char *)zip->bytes, zip->length, zip->length};
    char *found = found_in(&tail);

    if (strcmp(found, want) != 0)
        fail_msg("%s: \"%s\", wanted \"%s\"", name, found, want);
    free(found);
}

static void test_forms(void **state)
{
    static const struct {
        const char *name;
        struct zip_file files[4];
        struct zip_form form;
        const char *want;
    } cases[] = {
        {"empty", {{.name = NULL}}, {0}, ""},
        {"harmless", {{.name = "letter.pdf", TEXT("x")}, {.name = "exe/", TEXT("")}}, {0}, ""},
        {"a program",
         {{.name = "a.txt", TEXT("x")}, {.name = "b.EXE", TEXT("x")}},
         {0},
         "b.EXE=exe;"},
        {"in a folder", {{.name = "a/b/c.js", TEXT("x")}}, {0}, "a/b/c.js=js;"},
        {"with a comment",
         {{.name = "c.js", TEXT("x")}},
         {.comment = "PK\5\6 is no end"},
         "c.js=js;"},
        {"behind a program", {{.name = "c.js", TEXT("x")}}, {.before = "MZ...."}, "c.js=js;"},
        {"zip64",
         {{.name = "c.js", TEXT("x")}, {.name = "d.exe", TEXT("y")}},
         {.zip64 = true},
         "c.js=js;d.exe=exe;"},
        {"zip64 behind a program",
         {{.name = "c.js", TEXT("x")}},
         {.before = "MZ....", .zip64 = true},
         "c.js=js;"},
        {"encrypted program", {{.name = "c.js", TEXT("x"), .encrypted = true}}, {0}, "c.js=js;"},
        {"encrypted letter", {{.name = "c.pdf", TEXT("x"), .encrypted = true}}, {0}, ""},
        {"encrypted archive",
         {{.name = "c.rar", TEXT("x"), .encrypted = true}},
         {0},
         "c.rar=rar(encrypted);"},
        {"masked directory",
         {{.name = "1", TEXT("x"), .encrypted = true, .masked = true}},
         {0},
         "=zip(encrypted);"},
        {"another name for those who see",
         {{.name = "a.txt", TEXT("x"), .unicode_name = "a.exe"}},
         {0},
         "a.exe=exe;"},
        {"dots and spaces at the end", {{.name = "a.exe. .", TEXT("x")}}, {0}, "a.exe. .=exe;"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct text zip = make_zip(cases[i].files, &cases[i].form);

        check(cases[i].name, &zip, cases[i].want);
        text_free(&zip);
    }
}

/* An archive with the one before in it, depth times. */
static struct text nested(unsigned depth, bool deflated, bool zip64)
{
    struct zip_file innermost[] = {{.name = "setup.exe", TEXT("MZ")}, {.name = NULL}};
    struct text zip = make_zip(innermost, NULL);
    const struct zip_form form = {.zip64 = zip64};

    while (--depth > 0) {
        struct zip_file files[] = {
            {.name = "in.zip", .bytes = zip.bytes, .length = zip.length, .deflated = deflated},
            {.name = NULL}};
        struct text outer = make_zip(files, &form);

        text_free(&zip);
        zip = outer;
    }
    return zip;
}

static void test_nested(void **state)
{
    static const struct {
        const char *name;
        unsigned depth;
        bool deflated, zip64;
        const char *want;
    } cases[] = {
        {"stored", 2, false, false, "in.zip/setup.exe=exe;"},
        {"deflated", 2, true, false, "in.zip/setup.exe=exe;"},
        {"zip64", 2, true, true, "in.zip/setup.exe=exe;"},
        {"three deep", 3, true, false, "in.zip/in.zip/setup.exe=exe;"},
        {"as deep as is read", ARCHIVE_DEPTH, true, false, "in.zip/in.zip/in.zip/setup.exe=exe;"},
        {"deeper", ARCHIVE_DEPTH + 1, true, false, "in.zip/in.zip/in.zip/in.zip=zip(deep);"},
        {"nine deep", 9, false, false, "in.zip/in.zip/in.zip/in.zip=zip(deep);"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct text zip = nested(cases[i].depth, cases[i].deflated, cases[i].zip64);

        check(cases[i].name, &zip, cases[i].want);
        text_free(&zip);
    }
}

/* What unpacks to more than the budget is not unpacked further. */
static void test_bomb(void **state)
{
    const size_t length = 64 * 1024 * 1024;
    char *zeros = mem_new(1, length);
    struct zip_file files[] = {
        {.name = "in.zip", .bytes = zeros, .length = length, .deflated = true},
        {.name = "c.js", TEXT("x")},
        {.name = NULL}};
    struct text zip = make_zip(files, NULL);

    (void)state;
    check("bomb", &zip, "in.zip=zip(large);c.js=js;");
    text_free(&zip);
    files[0].name = "in.dat";
    zip = make_zip(files, NULL);
    check("zeros", &zip, "c.js=js;");
    text_free(&zip);
    free(zeros);
}

/* What the directory promises is enough to know a bomb that is not an archive in an archive. */
static void test_flat_bomb(void **state)
{
    static const struct {
        const char *name;
        uint64_t claimed; /* by each of two files */
        bool zip64;
        const char *want;
    } cases[] = {
        {"half a gigabyte each", (uint64_t)512 << 20, false, ""},
        {"a little more", ((uint64_t)512 << 20) + 1, false, "=zip(large);"},
        {"more than is there", (uint64_t)1 << 62, true, "=zip(large);"},
        {"more than can be counted", UINT64_MAX, true, "=zip(large);"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct zip_form form = {.zip64 = cases[i].zip64};
        struct zip_file files[] = {{.name = "a", TEXT("x"), .claimed = cases[i].claimed},
                                   {.name = "b", TEXT("y"), .claimed = cases[i].claimed},
                                   {.name = NULL}};
        struct text zip = make_zip(files, &form);

        check(cases[i].name, &zip, cases[i].want);
        text_free(&zip);
    }
}

#define PROGRAM "\177ELF\2\1\1"

/* Files whose names say nothing of what they are. */
static void test_harmless_names(void **state)
{
    static const struct {
        const char *name;
        struct zip_file files[3];
        const char *want;
    } cases[] = {
        {"program", {{.name = "photo.png", TEXT(PROGRAM)}}, "photo.png=Unix program(magic);"},
        {"deflated program",
         {{.name = "photo.png", TEXT(PROGRAM), .deflated = true}},
         "photo.png=Unix program(magic);"},
        {"encrypted program", {{.name = "photo.png", TEXT(PROGRAM), .encrypted = true}}, ""},
        {"script among sources", {{.name = "run.sh", TEXT("#!/bin/sh")}}, ""},
        {"macros", {{.name = "word/vbaProject.bin", TEXT("x")}}, "=macros(macro);"},
        {"macros, as others write it",
         {{.name = "XL/VBAPROJECT.BIN", TEXT("x")}},
         "=macros(macro);"},
        {"something like macros", {{.name = "word/myvbaProject.bin", TEXT("x")}}, ""},
        {"a name that ends like it", {{.name = "vbaProject.bin/x", TEXT("x")}}, ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct text zip = make_zip(cases[i].files, NULL);

        check(cases[i].name, &zip, cases[i].want);
        text_free(&zip);
    }
}

/* An archive under another name, as a document is: looked into as deep, but ordinary as deep. */
static void test_documents(void **state)
{
    static const struct {
        const char *name, *part;
        unsigned depth;
        const char *want;
    } cases[] = {
        {"document", "word/document.xml", 1, ""},
        {"document with macros", "word/vbaProject.bin", 1, "report.docx/=macros(macro);"},
        {"deep document", "word/document.xml", 3, ""},
        {"deep document with macros", "ppt/vbaProject.bin", 2,
         "in.zip/report.docx/=macros(macro);"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct zip_file part[] = {{.name = cases[i].part, TEXT("x"), .deflated = true},
                                  {.name = NULL}};
        struct text zip = make_zip(part, NULL);
        const char *name = "report.docx";

        for (unsigned depth = 0; depth < cases[i].depth; depth++) {
            struct zip_file outer[] = {
                {.name = name, .bytes = zip.bytes, .length = zip.length, .deflated = true},
                {.name = NULL}};
            struct text wrapped = make_zip(outer, NULL);

            text_free(&zip);
            zip = wrapped;
            name = "in.zip";
        }
        check(cases[i].name, &zip, cases[i].want);
        text_free(&zip);
    }
}

/* So many files are looked at, and no more. */
static void test_heads(void **state)
{
    enum { COUNT = ARCHIVE_HEADS_MAX + 5 };
    struct zip_file files[COUNT + 1] = {{.name = NULL}};
    struct text zip, want = TEXT_EMPTY;

    (void)state;
    for (size_t i = 0; i < COUNT; i++)
        files[i] = (struct zip_file){.name = "a", TEXT(PROGRAM)};
    for (size_t i = 0; i < ARCHIVE_HEADS_MAX; i++)
        text_add_string(&want, "a=Unix program(magic);");
    zip = make_zip(files, NULL);
    check("many", &zip, text_string(&want));
    text_free(&zip);
    text_free(&want);
}

/* Of a long archive the end is kept. */
static void test_tail(void **state)
{
    static char padding[5000];
    struct zip_file files[] = {{.name = "long", .bytes = padding, .length = sizeof(padding)},
                               {.name = "a.exe", TEXT("x")},
                               {.name = "b.exe", TEXT("x")},
                               {.name = NULL}};

    (void)state;
    for (int zip64 = 0; zip64 < 2; zip64++) {
        const struct zip_form form = {.zip64 = zip64};
        struct text zip = make_zip(files, &form);
        const unsigned char *bytes = (const unsigned char *)zip.bytes;

        for (size_t kept = 0; kept <= zip.length; kept++) {
            const struct zip_tail tail = {bytes + zip.length - kept, kept, zip.length};
            char *found = found_in(&tail);

            if (kept > 600 && strcmp(found, "a.exe=exe;b.exe=exe;") != 0)
                fail_msg("%zu octets kept: \"%s\"", kept, found);
            free(found);
        }
        text_free(&zip);
    }
}

/* No octet of an archive is trusted. */
static void test_any_octet(void **state)
{
    (void)state;
    for (int zip64 = 0; zip64 < 2; zip64++) {
        struct text zip = nested(2, false, zip64);

        for (size_t i = 0; i < zip.length; i++) {
            static const unsigned char values[] = {0x00, 0x7f, 0xff};

            for (size_t j = 0; j < sizeof(values); j++) {
                const struct zip_tail tail = {(const unsigned char *)zip.bytes, zip.length,
                                              zip.length};
                char kept = zip.bytes[i];

                zip.bytes[i] = (char)values[j];
                free(found_in(&tail));
                zip.bytes[i] = kept;
            }
        }
        text_free(&zip);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),          cmocka_unit_test(test_nested),
        cmocka_unit_test(test_bomb),           cmocka_unit_test(test_flat_bomb),
        cmocka_unit_test(test_harmless_names), cmocka_unit_test(test_documents),
        cmocka_unit_test(test_heads),          cmocka_unit_test(test_tail),
        cmocka_unit_test(test_any_octet),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
