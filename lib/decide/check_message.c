/* SPDX-License-Identifier: BSD-2-Clause */
/* recipient.syntax and content.size: what the envelope alone shows. */
#include "lib/causes/causes.h"
#include "lib/decide/check_functions.h"
#include "lib/decide/checks.h"

#include <inttypes.h>

void check_recipient_syntax(const struct conf *conf, struct message *message)
{
    (void)conf;
    for (size_t i = checks_first_recipient(message); i < message->nrecipients; i++) {
        const struct recipient *recipient = &message->recipients[i];

        if (recipient->problem == ADDRESS_FINE)
            continue;

        struct finding *finding =
            findings_add(&message->findings, cause_get(CAUSE_RECIPIENT_SYNTAX));
        const char *problem = address_problem_text(recipient->problem);

        if (!finding)
            return;
        finding->recipient = (long)i;
        finding_field(finding, "rcpt", "%s", recipient->address.text);
        finding_field(finding, "problem", "%s", problem);
        finding_sentence(finding, "The recipient address <%s> is not a mail address: %s.",
                         recipient->address.text, problem);
        finding_hint(finding, "correct the address <%s>: %s", recipient->address.text, problem);
    }
}

void check_size(const struct conf *conf, struct message *message)
{
    if (conf->max_message_size == 0 || message->size <= conf->max_message_size)
        return;

    struct finding *finding = findings_add(&message->findings, cause_get(CAUSE_CONTENT_SIZE));

    finding_field(finding, "size", "%" PRId64, message->size);
    finding_field(finding, "max", "%" PRId64, conf->max_message_size);
    finding_sentence(
        finding,
        "This message has %" PRId64 " bytes and at most %" PRId64
        " are allowed. Put large files where the recipients can fetch them, and send the link.",
        message->size, conf->max_message_size);
    finding_hint(finding,
                 "send a link in place of the attachment, or raise max-message-size (now %" PRId64
                 " bytes)",
                 conf->max_message_size);
}
