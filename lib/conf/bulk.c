/* SPDX-License-Identifier: BSD-2-Clause */
/* Who sends bulk mail. */
#include "lib/conf/conf.h"

#define MATCHES_MAX 16 /* classes of one person that are looked at, for each limit */

static bool any_bulk(const struct conf *conf)
{
    for (size_t i = 0; i < conf->nclasses; i++)
        if (conf->classes[i].bulk)
            return true;
    return false;
}

const struct conf_class *conf_bulk_class(const struct conf *conf, const struct conf_person *person)
{
    struct conf_match matches[MATCHES_MAX];

    if (!any_bulk(conf))
        return NULL;
    /* every class has a maximum for some limit */
    for (size_t i = 0; i < conf->nlimits; i++) {
        size_t count = conf_matches(conf, &conf->limits[i], person, matches, MATCHES_MAX);

        for (size_t j = 0; j < count; j++)
            if (matches[j].class->bulk)
                return matches[j].class;
    }
    return NULL;
}
