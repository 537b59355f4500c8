/* SPDX-License-Identifier: BSD-2-Clause */
/* Looking into messages that are written down in tests. */
#pragma once

#include "ctl/mail.h"
#include "lib/conf/conf.h"
#include "lib/message/content_fact.h"

#include <stddef.h>

/* Parses the message and looks into it, its body in pieces of that many octets; fact_r is the
 * caller's to clear. */
void look_into(const struct conf *conf, const char *bytes, size_t length, size_t piece,
               struct content_fact *fact_r);

/* What was found in one line: "attachments=1/12 file=a.pdf/12 risk=name:exe:a.exe@1 links=2
 * disguised=a>b shortener=h address=h domains=d malformed=part:problem"; what there is not is left
 * out.  The caller frees it. */
char *look_words(const struct content_fact *fact);
