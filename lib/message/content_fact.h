/* SPDX-License-Identifier: BSD-2-Clause */
/* What is in a message, as lib/content found it: numbers and names, nothing of the text itself. */
#pragma once

#include "lib/base/strings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONTENT_NAME_MAX 255 /* octets of a file's name that are kept */
#define CONTENT_RISKS_MAX 8 /* dangerous attachments that are kept; more are counted */
#define CONTENT_DOMAINS_MAX 64 /* domains of links that are kept */

/* How an attachment shows what it is. */
enum content_by {
    CONTENT_BY_NAME,
    CONTENT_BY_MAGIC,
    CONTENT_BY_ARCHIVE,
    CONTENT_BY_ENCRYPTION, /* an archive within an encrypted one */
    CONTENT_BY_DEPTH, /* an archive within too many others */
    CONTENT_BY_SIZE, /* an archive that unpacks to too much */
    CONTENT_BY_MACRO, /* an Office document, by the macros in it */
};

struct content_risk {
    enum content_by by;
    char *name; /* of the attachment; "" when it has none */
    char *inner; /* path of the file within the archive, or NULL */
    char *kind; /* "exe", "Windows program" */
    char *part; /* number of the part, as in IMAP: "2.1" */
};

/* What links do that makes filters suspicious; the first one of each kind is kept. */
struct content_disguise {
    char *shown; /* the host that the text shows */
    char *host; /* the host that it leads to */
};

struct content_fact {
    bool seen; /* the message was looked into; all else is zero where it was not */

    size_t nattachments;
    int64_t attachment_octets; /* of all of them, decoded */
    char *largest_name; /* of the largest attachment; NULL: there is none */
    int64_t largest_octets;

    struct content_risk risks[CONTENT_RISKS_MAX];
    size_t nrisks; /* kept */
    size_t nrisks_total;

    size_t nlinks;
    size_t ndisguised; /* links whose text shows another host */
    struct content_disguise disguise;
    char *shortener; /* host of the first link through a shortener, or NULL */
    char *address; /* the first bare address that a link leads to, or NULL */
    struct strings link_domains; /* each once, lower case, A-labels: what a blocklist is asked */

    char *malformed; /* what is wrong with the structure, in words; NULL: nothing */
    char *malformed_part; /* the number of the part, or "" for the message itself */
    char *malformed_remedy; /* what to do about just that */
};

void content_fact_clear(struct content_fact *fact);
