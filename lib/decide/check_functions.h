/* SPDX-License-Identifier: BSD-2-Clause */
/* The functions behind the table of checks, one file per group of causes. */
#pragma once

#include "lib/conf/conf.h"
#include "lib/message/message.h"

void check_limits(const struct conf *conf, struct message *message);
void check_store(const struct conf *conf, struct message *message);
void check_suspended(const struct conf *conf, struct message *message);
void check_sender_mismatch(const struct conf *conf, struct message *message);
void check_unauthenticated(const struct conf *conf, struct message *message);
void check_new_location(const struct conf *conf, struct message *message);
void check_many_locations(const struct conf *conf, struct message *message);
void check_new_client(const struct conf *conf, struct message *message);
void check_anomaly(const struct conf *conf, struct message *message);
void check_sender_domain(const struct conf *conf, struct message *message);
void check_recipient_domains(const struct conf *conf, struct message *message);
void check_spf(const struct conf *conf, struct message *message);
void check_dkim(const struct conf *conf, struct message *message);
void check_dmarc(const struct conf *conf, struct message *message);
void check_recipient_syntax(const struct conf *conf, struct message *message);
void check_headers(const struct conf *conf, struct message *message);
void check_port(const struct conf *conf, struct message *message);
void check_plaintext(const struct conf *conf, struct message *message);
void check_weak_tls(const struct conf *conf, struct message *message);
void check_helo(const struct conf *conf, struct message *message);
void check_attachment_size(const struct conf *conf, struct message *message);
void check_attachment_type(const struct conf *conf, struct message *message);
void check_links(const struct conf *conf, struct message *message);
void check_bulk_headers(const struct conf *conf, struct message *message);
void check_spam_score(const struct conf *conf, struct message *message);
void check_malformed(const struct conf *conf, struct message *message);
void check_recipient_history(const struct conf *conf, struct message *message);
void check_destinations(const struct conf *conf, struct message *message);
void check_bounce_rate(const struct conf *conf, struct message *message);
void check_complaints(const struct conf *conf, struct message *message);
void check_mx(const struct conf *conf, struct message *message);
void check_standing(const struct conf *conf, struct message *message);
void check_listings(const struct conf *conf, struct message *message);
void check_size(const struct conf *conf, struct message *message);
