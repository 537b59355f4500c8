/* SPDX-License-Identifier: BSD-2-Clause */
/* From an outlook to what receivers will say. */
#pragma once

#include "lib/auth/outlook.h"
#include "lib/conf/conf.h"
#include "lib/message/message.h"

enum foresight {
    FORESIGHT_PASSES,
    FORESIGHT_FAILS,
    FORESIGHT_UNKNOWN, /* DNS failed, or nobody said which addresses are ours */
};

enum foresight foresight_spf(const struct outlook *outlook);
enum foresight foresight_dkim(const struct outlook *outlook, const struct strings *carried);
/* Whether one of the two passes for the From domain. */
enum foresight foresight_alignment(const struct outlook *outlook);

/* For spf= and dmarc= in the log; NULL: not known.  The caller frees the second. */
const char *foresight_spf_word(const struct outlook *outlook);
char *foresight_dmarc_word(const struct outlook *outlook);

/* "gmail:5.7.26,outlook:5.7.515": the receivers that would refuse the message, each with its
 * enhanced status code; NULL: none would, or it stays with us.  The findings are those of the
 * message.  The caller frees it. */
char *foresight_predict(const struct conf *conf, const struct message *message);

/* A post that a list of ours passes on in the name of its author, who is of another domain, proves
 * what such mail can: the finding is only logged. */
void foresight_spare_list(const struct conf *conf, const struct message *message,
                          const char *from_domain, struct finding *finding);
