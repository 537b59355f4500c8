/* SPDX-License-Identifier: BSD-2-Clause */
/* A complaint: somebody's "this is spam", as a report in the Abuse Reporting Format (RFC 5965). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define ARF_MAX ((size_t)4 * 1024 * 1024) /* octets of a report that are read */

struct arf {
    char *type; /* "abuse", in lower case */
    char *user; /* who had logged in to send the mail, from its Received fields; "" unknown */
    char *sender; /* its envelope sender, or else its From address; "" unknown */
    char *recipient; /* who complains; "" where that is left out */
    char *message_id; /* of the mail */
    char *reporter; /* the program that made the report */
    bool whole; /* the end of the report has been seen */
};

/* Before the first arf_read(), once. */
void arf_init(void);

/* Reads a message.  false: it is no such report, and arf_r is not set. */
bool arf_read(const char *bytes, size_t length, struct arf *arf_r);
void arf_clear(struct arf *arf);

/* Whether it says that mail was not wanted; "not-spam" (RFC 6430) and "auth-failure" (RFC 6591) do
 * not. */
bool arf_is_complaint(const struct arf *arf);
