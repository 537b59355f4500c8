/* SPDX-License-Identifier: BSD-2-Clause */
/* The schema: what the sections of sluice.conf are, and the limits that are built in. */
#include "lib/conf/schema.h"

const struct section_schema schema_sections[SECTION_COUNT] = {
    [SECTION_ROOT] = {.name = "", .parent = SECTION_COUNT},
    [SECTION_LIMIT] =
        {.name = "limit",
         .parent = SECTION_ROOT,
         .title = "NAME",
         .example = "limit daily { subject = user  count = messages  max = 2000  per = 24h }",
         .about =
             "A sending limit. Its name stands in log lines and replies. In any interval of "
             "the length per, wherever it starts, at most max are let through. When a "
             "configuration names no limit at all, three are in force: daily (2000 messages "
             "a user in 24h), rcpts (10000 recipients a user in 24h) and fanout (500 "
             "recipients on one message). At RCPT only the recipient who is one too many is "
             "refused, and the others go on; what is over at the end of the message defers the "
             "whole of it. Bounces (from <>) and what our own postmaster answers are never "
             "refused, except by a limit that a login is over: who is logged in is limited with "
             "any "
             "sender, <> too, or that would be the way round every limit."},
    [SECTION_CLASS] =
        {.name = "class",
         .parent = SECTION_ROOT,
         .title = "NAME",
         .example = "class newsletter {\n"
                    "    members = {\"news@example.com\", \"@lists.example.com\"}\n"
                    "    limit daily { max = 50000 }\n"
                    "}",
         .about = "Members that have their own maximum for some limits. The most specific class "
                  "that names the limit wins: a whole address before its domain, that before the "
                  "domains above it and those before a network, a longer network before a shorter "
                  "one; of two alike, the one written later. It is always the sender that is in a "
                  "class, never a recipient: no recipient switches a limit off. sluicectl limits "
                  "--explain SUBJECT shows which line made each limit."},
    [SECTION_CLASS_LIMIT] =
        {.name = "limit",
         .parent = SECTION_CLASS,
         .title = "NAME",
         .about = "Inside a class: the class's own maximum for the limit of that name."},
    [SECTION_WARMUP] =
        {.name = "warmup",
         .parent = SECTION_ROOT,
         .title = "ADDRESS or DOMAIN",
         .example = "warmup \"198.51.100.9\" {\n"
                    "    start = 2026-11-20  first = 50  growth = 1.5  ceiling = 20000\n"
                    "}",
         .about = "A sending address or domain that is new to the world: it may send first "
                  "messages on its first day, and growth times the day before's on each day "
                  "after, up to ceiling. In any 24 hours no more than the day's allowance goes "
                  "out; what is over is limit.warmup. An address counts the mail of every host "
                  "that has it in outgoing-addresses (or names none there), a domain that of the "
                  "envelope senders in it. sluicectl warmup prints the plan and where it stands."},
    [SECTION_SIGN] =
        {.name = "sign",
         .parent = SECTION_ROOT,
         .title = "DOMAIN",
         .example =
             "sign example.com { selector = s1  key = \"/etc/sluice/keys/example.com.s1.pem\" }",
         .about =
             "A domain whose mail is signed with DKIM (RFC 6376) when its From address is "
             "of that domain and the login may use the address. Several sections for one "
             "domain, each with a selector of its own, add a signature each: an RSA key "
             "and an Ed25519 key (RFC 8463), say. \"*.example.com\" is for mail from the domains "
             "below example.com that have no section of their own; it is signed as "
             "example.com."},
    [SECTION_RELAY] =
        {.name = "relay",
         .parent = SECTION_ROOT,
         .title = "HOST",
         .example = "relay smtp.relay.example { include = {\"_spf.relay.example\"} }",
         .about =
             "A host by which mail goes out (Postfix' relayhost or a transport), so that the world "
             "sees it come from there: SPF is then foretold for the host's addresses in place of "
             "outgoing-addresses. What they are, its documentation says. Of several sections a "
             "message goes by the first that fits its sender's and its recipient's domain; mail "
             "that none fits goes out directly."},
    [SECTION_CAUSE] =
        {.name = "cause",
         .parent = SECTION_ROOT,
         .title = "ID",
         .example = "cause dns.spf-fail { action = reject }",
         .about = "What is done about one cause of the catalogue, in place of its own default; "
                  "sluicectl causes lists them."},
    [SECTION_NOTIFY] =
        {.name = "notify",
         .parent = SECTION_ROOT,
         .title = "NAME",
         .example =
             "notify admins {\n"
             "    causes = {account.suspended, \"limit.*\"}  per = 24h\n"
             "    mail = {\"postmaster@example.com\"}  to-user = yes\n"
             "    command = {\"/usr/local/bin/page\", \"--\", \"%{cause}\", \"%{subject}\"}\n"
             "}",
         .about =
             "Who is told of what was found in outgoing mail, and by sluice-feedback in the MTA's "
             "log of the last hour, by mail or by a command: of each cause once in a window for "
             "each subject (a login, a client; of destination.* the destination; of self.* the "
             "daemon), whichever host found it. In templates and arguments %{cause}, %{title}, "
             "%{sentence}, %{hint}, "
             "%{action}, %{subject}, %{user}, %{from}, %{client}, %{queue-id}, %{host}, "
             "%{contact} and the fields of the cause's log line (%{limit}, %{used}, %{max}) "
             "stand for what they name, and %% for a percent sign. The daemons must be allowed "
             "to run these programs: with the units of systemd, Postfix' sendmail(1), whose "
             "postdrop is set-gid, needs a drop-in with NoNewPrivileges=no and "
             "ReadWritePaths=/var/spool/postfix/maildrop /var/spool/postfix/public."},
    [SECTION_VERIFY] =
        {.name = "verify",
         .parent = SECTION_ROOT,
         .title = "DOMAIN, .DOMAIN or *",
         .example = "verify \"*\" { dmarc-reject = reject  dmarc-quarantine = hold }",
         .about = "What is done about mail from outside that does not prove that it comes from "
                  "the domain: the From address' for DMARC, the sender's for SPF, the signer's "
                  "for DKIM. .DOMAIN is its subdomains, * is every domain; the section that fits "
                  "best and names the result counts. Without one the results are only logged and "
                  "written to Authentication-Results."},
    [SECTION_BLOCKLIST] =
        {.name = "blocklist",
         .parent = SECTION_ROOT,
         .title = "ZONE",
         .example = "blocklist \"bl.example.org\" { kind = ip  codes = {\"127.0.0.2\"} }",
         .about = "A DNS blocklist (RFC 5782) that is asked whether outgoing-addresses, or the "
                  "domains in our mail, are on it. No list is asked by default: most want "
                  "questions from a resolver of one's own, and payment from busy sites. A list "
                  "whose test points are wrong, or that refuses our questions (127.255.255.0/24), "
                  "is not believed, and the log says so."},
};

const char schema_default_limits[] =
    "limit daily { subject = user count = messages max = 2000 per = 24h }\n"
    "limit rcpts { subject = user count = recipients max = 10000 per = 24h }\n"
    "limit fanout { subject = user count = recipients max = 500 per = message }\n";
