/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/daemon/state_directory.h"

#include "lib/base/count.h"
#include "lib/base/privileges.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Journals of the store, places in the MTA's logs, since when new keys are visible, the local
 * store; and what is written in place of one when it stopped half-way. */
static const char *const suffixes[] = {".journal", ".journal.new", ".place",
                                       ".keys",    ".keys.new",    "store.lmdb"};

static bool is_ours(const char *name)
{
    const size_t length = strlen(name);

    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return true;
    for (size_t i = 0; i < COUNT_OF(suffixes); i++) {
        const size_t suffix = strlen(suffixes[i]);

        if (length >= suffix && name[0] != '.' && strcmp(name + length - suffix, suffixes[i]) == 0)
            return true;
    }
    return false;
}

/* Whether nothing but ours is in it: a folder that serves others, as /var/lib, is not to be
 * given away. */
static bool holds_only_ours(const char *path)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;
    bool only = folder != NULL;

    while (only && (entry = readdir(folder)) != NULL)
        only = is_ours(entry->d_name);
    if (folder != NULL)
        closedir(folder);
    return only;
}

/* What a start without user = has left; as long as the folder is root's alone, nobody can have put
 * another file in its place. */
static bool give_journals(const char *path, uid_t uid, gid_t gid)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;
    bool given = folder != NULL;

    while (given && (entry = readdir(folder)) != NULL)
        given = entry->d_name[0] == '.' ||
                fchownat(dirfd(folder), entry->d_name, uid, gid, AT_SYMLINK_NOFOLLOW) == 0;
    if (folder != NULL)
        closedir(folder);
    return given;
}

void state_directory_make(const struct conf *conf)
{
    const char *path = conf->state_directory;
    struct stat status;
    uid_t uid;
    gid_t gid;

    if (path[0] == '\0')
        return;
    (void)mkdir(path, 0750);
    if (conf->user[0] == '\0' || !privileges_find_user(conf->user, &uid, &gid))
        return;
    if (conf->group[0] != '\0')
        (void)privileges_find_group(conf->group, &gid);
    /* systemd's StateDirectory= leaves it to root when the unit starts as root. */
    if (stat(path, &status) != 0 || status.st_uid != 0 ||
        (status.st_mode & (S_IWGRP | S_IWOTH)) != 0 || !holds_only_ours(path))
        return;
    if (!give_journals(path, uid, gid) || chown(path, uid, gid) != 0)
        return;
}
