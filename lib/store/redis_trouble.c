/* SPDX-License-Identifier: BSD-2-Clause */
/* What an error that Redis answers means. */
#include "lib/store/redis_trouble.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"

#include <stddef.h>
#include <string.h>

struct trouble {
    const char *start; /* of the error */
    const char *advice;
};

static const struct trouble troubles[] = {
    {"OOM", "Redis is out of memory: raise maxmemory, or let it evict keys that expire "
            "(maxmemory-policy volatile-ttl)"},
    {"READONLY", "this Redis is a replica: point store at the primary"},
    {"LOADING", "Redis is loading its data from disk: it will take charges when it is done"},
    {"NOAUTH", "Redis wants a password: set store-password-file"},
    /* Before a login it takes no bulk as long as the counting script. */
    {"ERR Protocol error: unauthenticated", "Redis wants a password: set store-password-file"},
    {"WRONGPASS", "Redis does not know this user and password: "
                  "compare store-user and store-password-file with Redis' ACL or requirepass"},
    {"ERR invalid password", "the password is wrong: "
                             "compare store-password-file with Redis' requirepass"},
    {"ERR Client sent AUTH, but no password is set", "Redis has no password, but "
                                                     "store-password-file gives one: remove it"},
    {"ERR AUTH", "Redis has no such login: compare store-user and store-password-file with Redis' "
                 "ACL or requirepass"},
    {"NOPERM", "the user may not do what counting needs: "
               "ACL SETUSER it with ~sluice:* and +@all -@dangerous"},
    {"MISCONF", "Redis cannot save to disk and takes no writes: see Redis' log, free disk space"},
    {"NOREPLICAS", "Redis takes no writes because too few replicas are there: "
                   "see min-replicas-to-write"},
    {"MASTERDOWN", "this Redis is a replica that lost its primary: point store at the primary"},
    {"BUSY", "another script keeps Redis busy: SCRIPT KILL ends it"},
    {"CLUSTERDOWN", "the Redis cluster is down"},
    {"MOVED", "this Redis is part of a cluster: write store = cluster://host:port,..."},
    {"CROSSSLOT", "this Redis is part of a cluster: write store = cluster://host:port,..."},
    {"ERR DB index", "there is no such database: see Redis' setting databases"},
    {"ERR max number of clients", "Redis has no room for another connection: raise maxclients"},
    {"DENIED", "Redis runs in protected mode: bind it to loopback or set a password"},
};

/* Before Redis 7, an error of a command within a script stands behind a text about the script. */
static const char *core_of(const char *error)
{
    static const char wrapping[] = "ERR Error running script";
    static const char before[] = ": -";
    const char *core = NULL;

    if (strncmp(error, wrapping, strlen(wrapping)) == 0)
        core = strstr(error, before);
    return core != NULL ? core + strlen(before) : error;
}

static const struct trouble *find(const char *error)
{
    for (size_t i = 0; i < COUNT_OF(troubles); i++)
        if (strncmp(error, troubles[i].start, strlen(troubles[i].start)) == 0)
            return &troubles[i];
    return NULL;
}

char *redis_trouble(const char *error)
{
    const struct trouble *trouble;

    error = core_of(error);
    trouble = find(error);
    if (trouble == NULL)
        return mem_print("Redis answered: %s", error);
    return mem_print("%s (Redis answered: %s)", trouble->advice, error);
}

bool redis_trouble_is_general(const char *error)
{
    return find(core_of(error)) != NULL;
}

bool redis_trouble_is_no_script(const char *error)
{
    return strncmp(error, "NOSCRIPT", strlen("NOSCRIPT")) == 0;
}

bool redis_trouble_is_redirect(const char *error)
{
    static const char *const starts[] = {"MOVED ", "ASK ", "TRYAGAIN"};

    for (size_t i = 0; i < COUNT_OF(starts); i++)
        if (strncmp(error, starts[i], strlen(starts[i])) == 0)
            return true;
    return false;
}
