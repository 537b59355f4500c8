/* SPDX-License-Identifier: BSD-2-Clause */
/* The links of a message: how many, where to, and what is suspicious about them. */
#pragma once

#include "lib/base/strings.h"
#include "lib/content/host.h"
#include "lib/message/content_fact.h"

#include <stddef.h>

/* Starts with what it needs set; nothing to free. */
struct links {
    const struct strings *shorteners; /* hosts; their subdomains too */
    struct content_fact *fact; /* what is found goes here */
    size_t nplain, nhtml; /* a message says the same in both */
    char last[HOST_ROOM]; /* the host of the last link: most lead to the same one */
};

void links_plain(struct links *links, const char *text, size_t length);
void links_html(struct links *links, const char *html, size_t length);

/* Sets the fact's number of links. */
void links_end(struct links *links);
