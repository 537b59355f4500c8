/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/conf/preset.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/base/words.h"
#include "lib/conf/files.h"
#include "lib/conf/preset.inc"
#include "lib/conf/problems.h"
#include "lib/conf/scan.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef SLUICE_PKGDATADIR
#define SLUICE_PKGDATADIR "/usr/share/sluice"
#endif

static const struct {
    const char *name;
    const char *text;
    size_t length;
} presets[] = {
#define PRESET(name, text)                                                                         \
    {                                                                                              \
        PRESET_PREFIX name, text, sizeof(text) - 1                                                 \
    }
    PRESET("google-workspace", google_workspace),
    PRESET("gmail", gmail),
    PRESET("exchange-online", exchange_online),
    PRESET("hosting", hosting),
    PRESET("campus", campus),
#undef PRESET
};
#define PRESET_COUNT COUNT_OF(presets)

static char *unknown_preset(const char *name)
{
    const char *names[PRESET_COUNT];
    struct text text = TEXT_EMPTY;

    problem_quote(&text, name);
    text_add_string(&text, " is no preset: expected ");
    for (size_t i = 0; i < PRESET_COUNT; i++) {
        names[i] = presets[i].name;
        text_print(&text, "%s%s", i == 0 ? "" : i + 1 == PRESET_COUNT ? " or " : ", ", names[i]);
    }
    problem_suggest(&text, words_nearest(name, names, PRESET_COUNT));
    return text_take(&text);
}

bool preset_read(const char *name, struct text *text_r, char **path_r, char **problem_r)
{
    for (size_t i = 0; i < PRESET_COUNT; i++) {
        char *path;

        if (strcmp(presets[i].name, name) != 0)
            continue;
        path = mem_print("%s/%s", SLUICE_PKGDATADIR, name);
        if (access(path, F_OK) == 0) {
            *path_r = path;
            return file_read(path, SCAN_FILE_MAX, text_r, NULL, problem_r);
        }
        free(path);
        *path_r = mem_copy(name);
        text_add(text_r, presets[i].text, presets[i].length);
        return true;
    }
    *path_r = mem_copy(name);
    *problem_r = unknown_preset(name);
    return false;
}
