/* SPDX-License-Identifier: BSD-2-Clause */
/* Organizational domains, through libpsl. */
#include "lib/auth/orgdomain.h"

#include "lib/auth/lookup.h"

#include <libpsl.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

static psl_ctx_t *list;

static void close_list(void)
{
    psl_free(list);
    list = NULL;
}

static void open_list(void)
{
    list = psl_latest(NULL);
    (void)atexit(close_list);
}

const char *orgdomain_by_list(const char *domain)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, open_list);
    /* libpsl has an answer to any text */
    return list != NULL && lookup_is_name(domain) ? psl_registrable_domain(list, domain) : NULL;
}
