/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/conf_text.h"

#include "lib/causes/causes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct conf *conf_of(const char *text)
{
    const struct conf_words words = {.causes = cause_ids(),
                                     .ncauses = CAUSE_COUNT,
                                     .actions = action_names(),
                                     .nactions = ACTION_COUNT};
    char *problems = NULL;
    struct conf *conf = conf_load_text("test.conf", text, strlen(text), NULL, 0, &words, &problems);

    if (!conf)
        fail_msg("%s", problems);
    return conf;
}
