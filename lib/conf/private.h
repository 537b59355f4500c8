/* SPDX-License-Identifier: BSD-2-Clause */
/* What a struct conf keeps beside its members, and the steps of loading one. */
#pragma once

#include "lib/base/map.h"
#include "lib/conf/conf.h"
#include "lib/conf/problems.h"
#include "lib/conf/raw.h"

#include <stdatomic.h>

#define CLASS_ADDRESS_MAX 400 /* octets of a login or address that can be in a class */

/* A class and one of its members. */
struct class_entry {
    const struct conf_class *class;
    const struct conf_member *member;
};

/* Who is in which class. */
struct class_index {
    struct map *names; /* login, address, "@domain" or "@.domain": struct class_list */
    struct map *networks; /* struct ip_network: struct class_list */
    struct class_entry *tables; /* those members that are tables */
    size_t ntables;
    bool subdomains; /* there are some */
    bool prefixes[2][129]; /* those in use, of IPv4 and IPv6 */
    bool any_networks;
};

struct conf_private {
    atomic_uint references;
    struct raw_section root; /* everything as written, the defaults included */
    struct strings files; /* the names that places point to */
    struct map *local_domains;
    struct class_index classes;
};

/* A load that is going on. */
struct load {
    struct conf *conf;
    struct conf_private *kept;
    struct problems *problems;
    const struct conf_words *words;
};

/* From text to values: fills conf from the raw sections. */
void sections_read(struct load *load);
/* What no single value shows: names that must exist, and values that exclude each other. */
void sections_check(struct load *load);
/* Frees what sections_read() made. */
void sections_clear(struct conf *conf);

/* Hands down what classes inherit, once all are read. */
void classes_inherit(struct load *load);
void classes_index(const struct conf *conf, struct class_index *index);
void classes_clear(struct class_index *index);

/* The machine's full name, from its own files alone: nothing here asks the DNS.  The caller frees
 * it. */
char *hostname_find(void);

static inline struct conf_private *conf_kept(const struct conf *conf)
{
    return conf->private_;
}
