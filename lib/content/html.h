/* SPDX-License-Identifier: BSD-2-Clause */
/* The links of an HTML text, read as leniently as mail programs read it.  Thread-safe. */
#pragma once

#include <stddef.h>

#define HTML_TEXT_MAX 512 /* octets of a link's text that are kept */
#define HTML_URL_MAX 2048 /* octets of an address that are read */

/* Calls link for each a and area element with an href: its address and text with the entities
 * resolved and without tags.  Both are borrowed, and end with a NUL. */
void html_links(const char *html, size_t length,
                void (*link)(void *context, const char *url, const char *text), void *context);
