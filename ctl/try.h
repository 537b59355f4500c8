/* SPDX-License-Identifier: BSD-2-Clause */
/* A message that is judged without being sent: what is said of it, and what becomes of that. */
#pragma once

#include "ctl/mail.h"

#include "lib/base/strings.h"
#include "lib/conf/conf.h"
#include "lib/decide/assess.h"

/* What the words of the command say. */
struct trial {
    const char *user, *client, *helo, *from, *tls, *certificate;
    struct strings recipients;
    const char *path; /* of the message, or NULL */
    unsigned port;
    int64_t size; /* of a message that is not given */
    bool as_policy, as_milter, json;
    enum stage stage; /* of the policy daemon */
    struct mail mail;
};

/* Judges it as the programs that are asked for would, and prints all that comes of it.  Nothing is
 * charged.  Returns the exit status: 0 it would pass, 1 it would be held or refused. */
int trial_run(const struct trial *trial, const struct conf *conf, struct services *services);
