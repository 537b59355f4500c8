/* SPDX-License-Identifier: BSD-2-Clause */
/* What is done about mail from outside by what it proves. */
#include "lib/base/text.h"
#include "lib/conf/conf.h"

#include <string.h>

/* How well a title fits, more is better; 0: not at all. */
static size_t fit(const char *title, const char *domain)
{
    size_t length = strlen(domain), title_length = strlen(title);

    if (text_equal_case(title, domain))
        return title_length + 2;
    if (title[0] == '.' && length > title_length &&
        text_equal_case(domain + length - title_length, title))
        return title_length + 1;
    return strcmp(title, "*") == 0;
}

int conf_verify_action(const struct conf *conf, const char *domain, enum conf_result result)
{
    size_t best = 0;
    int action = -1;

    for (size_t i = 0; i < conf->nverifies; i++) {
        size_t fits = fit(conf->verifies[i].domain, domain);

        if (fits < best || fits == 0 || conf->verifies[i].actions[result] < 0)
            continue;
        best = fits;
        action = conf->verifies[i].actions[result];
    }
    return action;
}
