/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages in files. */
#pragma once

#include "lib/message/message.h"

#include <stdbool.h>
#include <stddef.h>

#define MAIL_FILE_MAX (256 * 1024 * 1024) /* octets of a message */

/* Ends with mail_free(). */
struct mail {
    struct message *message; /* its headers; nothing of an envelope */
    char *bytes; /* with CRLF at the ends of lines */
    const char *body; /* in bytes */
    size_t body_length;
    size_t total; /* octets of bytes */
};

/* Reads a message; "-" is standard input.  Lines may end with LF alone where the first one does.
 * false: problem_r says why (the caller frees it). */
bool mail_read(const char *path, struct mail *mail_r, char **problem_r);

/* The same from memory. */
void mail_parse(const char *bytes, size_t length, struct mail *mail_r);
void mail_free(struct mail *mail);
