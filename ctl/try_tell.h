/* SPDX-License-Identifier: BSD-2-Clause */
/* What sluicectl try says of one program's judgement: a JSON object, and the same in lines. */
#pragma once

#include "lib/auth/incoming.h"
#include "lib/auth/sign.h"
#include "lib/conf/conf.h"
#include "lib/message/message.h"

#include <jansson.h>
#include <stdbool.h>

struct judgement {
    const char *program; /* "sluice-milter" */
    const char *recipient; /* that is asked about at RCPT, or NULL */
    const char *client;
    const struct conf *conf;
    struct message *message;
    struct signature *signature; /* of mail of ours; NULL: there is none */
    const char *unsigned_reason; /* why there is none; NULL: this program does not sign it */
    const struct incoming *incoming; /* of mail from outside, concluded; or NULL */
    json_t *lookups; /* borrowed */
};

/* Whether it would be let through. */
bool judgement_passes(const struct message *message);

/* May write to the message for a while, and ends the signature. */
json_t *judgement_json(const struct judgement *judgement);
void judgement_print(const json_t *judgement);
