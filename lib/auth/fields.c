/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/auth/fields.h"

#include "lib/base/text.h"

/* RFC 6376 §5.4.1, and what RFC 8058 §4 (one-click unsubscription) and Gmail (Feedback-ID) want
 * covered.  Received, Return-Path and the like are left out: servers on the way change them. */
const char *const fields_signed[] = {
    "From",
    "Sender",
    "Reply-To",
    "Subject",
    "Date",
    "Message-ID",
    "To",
    "Cc",
    "In-Reply-To",
    "References",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "Content-Disposition",
    "Content-ID",
    "Content-Description",
    "Resent-Date",
    "Resent-From",
    "Resent-Sender",
    "Resent-To",
    "Resent-Cc",
    "Resent-Message-ID",
    "List-Id",
    "List-Help",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "List-Subscribe",
    "List-Post",
    "List-Owner",
    "List-Archive",
    "Feedback-ID",
    NULL,
};

/* What a reader sees or what decides how the body is read.  Sender, Resent-* and List-* are not
 * among them: lists and forwarders rightly add those. */
#define OVERSIGNED                                                                                 \
    "From", "Reply-To", "Subject", "To", "Cc", "MIME-Version", "Content-Type",                     \
        "Content-Transfer-Encoding"

const char *const fields_oversigned[] = {OVERSIGNED, NULL};

/* Sendmail adds a Date and a Message-ID that are missing when it delivers, long after its milters.
 */
const char *const fields_oversigned_with_dates[] = {OVERSIGNED, "Date", "Message-ID", NULL};

bool fields_is_signed(const char *name)
{
    for (size_t i = 0; fields_signed[i] != NULL; i++)
        if (text_equal_case(fields_signed[i], name))
            return true;
    return false;
}
