/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a table of OpenDKIM's is, as opendkim.conf(5) writes data sets. */
#pragma once

enum dataset_kind {
    DATASET_FILE, /* a path, or file: before it */
    DATASET_PATTERNS, /* refile: before the path; * in its names stands for any characters */
    DATASET_LIST, /* NAME=VALUE,..., with csl: before it or not */
    DATASET_UNKNOWN, /* a database, or nothing that a table could be */
};

/* The kind, and the path or list in value; borrowed. */
enum dataset_kind dataset_kind(const char *value, const char **rest_r);

/* The value with *** for the keys that stand in a list of DOMAIN:SELECTOR:KEY.  The caller frees
 * it. */
char *dataset_masked(const char *value);
