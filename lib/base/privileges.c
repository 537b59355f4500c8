/* SPDX-License-Identifier: BSD-2-Clause */
/* Giving up root, once, for good. */
#include "lib/base/privileges.h"

#include "lib/base/mem.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RECORD_ROOM_FIRST 4096
#define RECORD_ROOM_MAX (1024 * 1024) /* a group may have very many members */

struct account {
    char *name;
    uid_t uid;
    gid_t gid;
};

static bool parse_id(const char *string, unsigned *id_r)
{
    unsigned long id;
    char *end;

    if (string[0] < '0' || string[0] > '9')
        return false;
    errno = 0;
    id = strtoul(string, &end, 10);
    /* The highest one means "leave as it is" to setresuid(2) and chown(2). */
    if (errno != 0 || *end != '\0' || id >= UINT_MAX)
        return false;
    *id_r = (unsigned)id;
    return true;
}

static bool find_user(const char *name, struct account *account_r)
{
    struct passwd record;
    struct passwd *found = NULL;
    char *room = NULL;
    size_t size = RECORD_ROOM_FIRST;
    unsigned id;
    int problem;

    do {
        room = mem_grow(room, size, 1);
        problem = getpwnam_r(name, &record, room, size, &found);
        if (problem != ERANGE && found == NULL && parse_id(name, &id))
            problem = getpwuid_r(id, &record, room, size, &found);
        size *= 2;
    } while (problem == ERANGE && size <= RECORD_ROOM_MAX);
    if (found != NULL)
        *account_r = (struct account){mem_copy(found->pw_name), found->pw_uid, found->pw_gid};
    free(room);
    return found != NULL;
}

bool privileges_find_user(const char *name, uid_t *uid_r, gid_t *gid_r)
{
    struct account account;

    if (!find_user(name, &account))
        return false;
    *uid_r = account.uid;
    *gid_r = account.gid;
    free(account.name);
    return true;
}

bool privileges_find_group(const char *name, gid_t *gid_r)
{
    struct group record;
    struct group *found = NULL;
    char *room = NULL;
    size_t size = RECORD_ROOM_FIRST;
    unsigned id;
    int problem;

    do {
        room = mem_grow(room, size, 1);
        problem = getgrnam_r(name, &record, room, size, &found);
        size *= 2;
    } while (problem == ERANGE && size <= RECORD_ROOM_MAX);
    free(room);
    if (found != NULL) {
        *gid_r = record.gr_gid;
        return true;
    }
    /* A group given by its number need not have a name: containers map them. */
    if (!parse_id(name, &id))
        return false;
    *gid_r = id;
    return true;
}

static bool is_for_good(const struct account *account)
{
    uid_t real, effective, saved;
    gid_t real_group, effective_group, saved_group;

    if (getresuid(&real, &effective, &saved) != 0 ||
        getresgid(&real_group, &effective_group, &saved_group) != 0)
        return false;
    return real == account->uid && effective == account->uid && saved == account->uid &&
           real_group == account->gid && effective_group == account->gid &&
           saved_group == account->gid && setuid(0) != 0 && seteuid(0) != 0;
}

/* Whom user and group name; account_r->name is the caller's. */
static bool find_target(const char *user, const char *group, struct account *account_r,
                        char **problem_r)
{
    if (!find_user(user, account_r)) {
        *problem_r = mem_print("user = %s: there is no such user", user);
        return false;
    }
    if (account_r->uid == 0) {
        *problem_r = mem_print("user = %s is root: name one without rights", user);
        return false;
    }
    if (group != NULL && group[0] != '\0' && !privileges_find_group(group, &account_r->gid)) {
        *problem_r = mem_print("group = %s: there is no such group", group);
        return false;
    }
    return true;
}

bool privileges_check(const char *user, const char *group, char **problem_r)
{
    struct account account = {0};
    const bool found =
        user == NULL || user[0] == '\0' || find_target(user, group, &account, problem_r);

    free(account.name);
    return found;
}

bool privileges_drop(const char *user, const char *group, char **problem_r)
{
    struct account account = {0};
    bool dropped = false;

    if (user == NULL || user[0] == '\0' || geteuid() != 0)
        return true;
    if (!find_target(user, group, &account, problem_r))
        goto done;
    if (initgroups(account.name, account.gid) != 0 ||
        setresgid(account.gid, account.gid, account.gid) != 0 ||
        setresuid(account.uid, account.uid, account.uid) != 0) {
        *problem_r = mem_print("cannot become user %s: %s", user, strerror(errno));
        goto done;
    }
    if (!is_for_good(&account)) {
        *problem_r = mem_print("cannot give up root for user %s: there is a way back", user);
        goto done;
    }
    dropped = true;
done:
    free(account.name);
    return dropped;
}
