/* SPDX-License-Identifier: BSD-2-Clause */
/* How the signatures of one sign section are made, or of all that have none of their own. */
#pragma once

#include "lib/auth/dkim_canon.h"
#include "lib/auth/fields.h"
#include "lib/conf/conf.h"

#include <opendkim/dkim.h>

struct signer_form {
    enum dkim_canon headers, body;
    int64_t expire_sec; /* 0: never */
    struct fields fields;
    DKIM_LIB *library; /* libopendkim's handle for messages that lack a Date or a Message-ID */
    DKIM_LIB *library_with_dates;
};

/* section: what it says goes before the options that hold for all; NULL: those alone.  false:
 * libopendkim does not start.  The form ends with signer_form_clear() either way. */
bool signer_form_make(struct signer_form *form, const struct conf *conf,
                      const struct conf_sign *section);
void signer_form_clear(struct signer_form *form);

/* Whether a section says anything of it. */
bool signer_form_is_own(const struct conf_sign *section);

DKIM_LIB *signer_form_library(const struct signer_form *form, const struct message *message);
