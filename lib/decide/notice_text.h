/* SPDX-License-Identifier: BSD-2-Clause */
/* The words of a notice: templates and what is filled into them. */
#pragma once

#include "lib/base/strings.h"
#include "lib/base/text.h"
#include "lib/conf/conf.h"
#include "lib/message/message.h"

#include <stdbool.h>

/* What %{name} stands for.  Values come from strangers: no control characters are left in them. */
struct notice_words {
    struct strings names, values;
    bool done; /* what the finding asks for was done, not only observed */
};

void notice_words_of(struct notice_words *words_r, const struct conf *conf,
                     const struct message *message, const struct finding *finding);
const char *notice_words_value(const struct notice_words *words, const char *name); /* "": none */
void notice_words_clear(struct notice_words *words);

/* Adds a template with its %{name}s filled in; %% is a percent sign. */
void notice_fill(const struct notice_words *words, const char *template, struct text *text);

/* Adds what a notice says, and the same as a mail with its header. */
void notice_body(const struct conf_notify *notify, const struct notice_words *words, bool to_user,
                 struct text *text);
void notice_mail(const struct conf *conf, const struct conf_notify *notify,
                 const struct notice_words *words, const char *to, bool to_user, struct text *text);
