/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The schema: the one table of everything that sluice.conf can say.
 *
 * Parsing, errors, defaults, the printed configuration and the manual page are made from it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef SLUICE_SYSCONFDIR
#define SLUICE_SYSCONFDIR "/etc/sluice"
#endif
#ifndef SLUICE_LOCALSTATEDIR
#define SLUICE_LOCALSTATEDIR "/var/lib/sluice"
#endif
#ifndef SLUICE_RUNSTATEDIR
#define SLUICE_RUNSTATEDIR "/run/sluice"
#endif
#ifndef SLUICE_CONF_FILE
#define SLUICE_CONF_FILE SLUICE_SYSCONFDIR "/sluice.conf"
#endif

enum section_kind {
    SECTION_ROOT,
    SECTION_LIMIT,
    SECTION_CLASS,
    SECTION_CLASS_LIMIT,
    SECTION_WARMUP,
    SECTION_SIGN,
    SECTION_RELAY,
    SECTION_CAUSE,
    SECTION_VERIFY,
    SECTION_BLOCKLIST,
    SECTION_NOTIFY,
    SECTION_COUNT
};

enum option_type {
    TYPE_BOOLEAN,
    TYPE_INTEGER,
    TYPE_AMOUNT, /* of what a limit counts: a number, or a size where it counts bytes */
    TYPE_DURATION, /* milliseconds */
    TYPE_PER, /* "message", or seconds */
    TYPE_SIZE, /* bytes */
    TYPE_PERCENT,
    TYPE_MODE, /* of a file, octal */
    TYPE_FACTOR, /* double */
    TYPE_DATE, /* days since the epoch */
    TYPE_WORD, /* one of the option's words */
    TYPE_ACTION, /* one of the catalogue's actions */
    TYPE_OVER, /* the same without "ignore" */
    TYPE_STRING,
    TYPE_ACCOUNT, /* user or group: a name or a number */
    TYPE_DELIMITERS,
    TYPE_HOSTNAME,
    TYPE_PATH, /* absolute, or empty */
    TYPE_FILES, /* list of absolute paths in struct strings */
    TYPE_MAIL_LOG, /* list of absolute paths, "stdin" and "journal" in struct strings */
    TYPE_DATASET, /* a path, maybe with file: or refile: before it; or empty */
    TYPE_SECRET, /* path of a file whose contents are stored */
    TYPE_SELECTOR,
    TYPE_LOG,
    TYPE_STORE,
    TYPE_RESOLVER, /* list, joined by ',' */
    TYPE_LISTEN, /* list of struct conf_listen */
    TYPE_NETWORK, /* list of struct ip_network */
    TYPE_ADDRESS, /* list of struct ip_address */
    TYPE_DOMAIN, /* list in struct strings; ".example.com" is allowed */
    TYPE_EXTENSION, /* list in struct strings, lower case */
    TYPE_FIELD, /* list in struct strings: names of header fields that can be signed */
    TYPE_MEMBER, /* list of struct conf_member */
    TYPE_LOOKUP, /* list of struct conf_lookup */
    TYPE_TEMPLATE, /* path of a file whose text is stored; or empty */
    TYPE_NAMES, /* list in struct strings */
    TYPE_LOGIN_RULE, /* list of struct conf_login_rule */
    TYPE_SUSPEND, /* struct conf_suspend; the words need no quotes */
    TYPE_COUNT
};

/* A word and the number it is stored as. */
struct option_word {
    const char *word; /* NULL ends the list */
    int value;
};

struct conf_option {
    const char *name;
    enum section_kind section;
    enum option_type type;
    bool list;
    bool mandatory;
    size_t offset; /* in struct conf, struct conf_limit, ... */
    size_t width; /* of that member */
    size_t count_offset; /* for an array: its number of elements */
    const char *fallback; /* the default as a file would say it; NULL: none */
    const struct option_word *words;
    int64_t least; /* range, in the unit that is stored */
    int64_t most;
    const char *heading; /* opens a group of options */
    const char *about;
};

struct section_schema {
    const char *name;
    enum section_kind parent;
    const char *title; /* what the title is, for the manual and for errors */
    const char
        *example; /* for the manual and the commented defaults; NULL: shown inside its parent's */
    const char *about;
};

extern const struct conf_option schema_options[];
extern const size_t schema_option_count;
extern const struct section_schema schema_sections[SECTION_COUNT];

/* The limits in force when none is written, as a file would say them. */
extern const char schema_default_limits[];

/* NULL, or SECTION_COUNT: there is none. */
const struct conf_option *schema_option(enum section_kind section, const char *name);
enum section_kind schema_section(enum section_kind parent, const char *name);

/* The name of an option or section of that section that is nearest to name, or NULL. */
const char *schema_nearest(enum section_kind section, const char *name);

/* The option of that very name in another section, or NULL. */
const struct conf_option *schema_elsewhere(enum section_kind section, const char *name);
