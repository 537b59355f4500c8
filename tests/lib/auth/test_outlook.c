/* SPDX-License-Identifier: BSD-2-Clause */
/* What receivers will find out about a message of ours. */
#include "lib/auth/outlook.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "tests/lib/auth/keys.h"
#include "tests/lib/auth/zone.h"
#include "tests/support/conf_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LINES_MAX 10
#define DIRECT "hostname = mx.test\noutgoing-addresses = {\"192.0.2.1\"}\n"
#define TWO "hostname = mx.test\noutgoing-addresses = {\"192.0.2.1\", \"2001:db8::1\"}\n"
#define RELAY                                                                                      \
    "hostname = mx.test\noutgoing-addresses = {\"192.0.2.1\"}\n"                                   \
    "relay smtp.relay.test { include = {\"_spf.relay.test\"} }\n"

static struct key rsa, ed25519; /* their private halves alone */

static int set_up(void **state)
{
    (void)state;
    rsa = (struct key){.private_key = keys_make_rsa(1024), .algorithm = KEY_RSA, .bits = 1024};
    ed25519 =
        (struct key){.private_key = keys_make_ed25519(), .algorithm = KEY_ED25519, .bits = 256};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    EVP_PKEY_free(rsa.private_key);
    EVP_PKEY_free(ed25519.private_key);
    return 0;
}

struct row {
    const char *name;
    const char *conf; /* NULL: DIRECT */
    const char *sender; /* NULL: joe@a.test */
    uint64_t routes; /* bits; 0: sent directly */
    bool signs; /* with s1/a.test (RSA) and e1/a.test, which are published as the zone says */
    const char *carried;
    const char *zone[LINES_MAX]; /* RSA and ED25519 stand for the records of those keys */
    const char *want;
};

static const struct row rows[] = {
    {.name = "nothing is published", .zone = {"a.test A 192.0.2.1"}, .want = "spf=none dmarc=none"},
    {.name = "SPF alone",
     .zone = {"a.test TXT v=spf1 ip4:192.0.2.1 -all", "mx.test TXT v=spf1 -all",
              "_dmarc.a.test TXT v=DMARC1; p=reject"},
     .want = "spf=pass helo=fail dmarc=pass(spf)"},
    {.name = "SPF of one address of two",
     .conf = TWO,
     .zone = {"a.test TXT v=spf1 ip4:192.0.2.1 ~all", "_dmarc.a.test TXT v=DMARC1; p=reject"},
     .want = "spf=softfail dmarc=fail"},
    {.name = "the worst of all counts",
     .conf = TWO,
     .zone = {"a.test TXT v=spf1 ip4:192.0.2.1 -all", "_dmarc.a.test FAIL any"},
     .want = "spf=fail dmarc=temperror"},
    {.name = "<> goes by HELO",
     .sender = "",
     .zone = {"mx.test TXT v=spf1 ip4:192.0.2.1 -all", "_dmarc.a.test TXT v=DMARC1; p=reject"},
     .want = "spf=pass helo=pass dmarc=fail"},
    {.name = "another domain's sender",
     .sender = "joe@b.test",
     .zone = {"b.test TXT v=spf1 +all", "_dmarc.a.test TXT v=DMARC1; p=none"},
     .want = "spf=pass dmarc=fail"},
    {.name = "no address is known",
     .conf = "hostname = mx.test\n",
     .zone = {"a.test TXT v=spf1 ip4:192.0.2.1 -all"},
     .want = "spf=? dmarc=none"},
    {.name = "no address is known, and none would help",
     .conf = "hostname = mx.test\n",
     .zone = {"a.test TXT v=spf1 ipv4:192.0.2.1 -all"},
     .want = "spf=permerror dmarc=none"},
    {.name = "by a relay, included",
     .conf = RELAY,
     .routes = 1,
     .zone = {"_spf.relay.test TXT v=spf1 ip4:198.51.100.0/24 -all",
              "a.test TXT v=spf1 include:_spf.relay.test -all"},
     .want = "spf=pass dmarc=none(spf) from=include:_spf.relay.test"},
    {.name = "by a relay, not included",
     .conf = RELAY,
     .routes = 1,
     .zone = {"_spf.relay.test TXT v=spf1 ip4:198.51.100.0/24 -all",
              "a.test TXT v=spf1 ip4:192.0.2.1 -all"},
     .want = "spf=fail dmarc=none from=include:_spf.relay.test"},
    {.name = "by a relay and directly",
     .conf = RELAY,
     .routes = 3,
     .zone = {"_spf.relay.test TXT v=spf1 ip4:198.51.100.0/24 -all",
              "a.test TXT v=spf1 include:_spf.relay.test -all"},
     .want = "spf=fail dmarc=none from=include:_spf.relay.test"},
    {.name = "by a relay whose record is not there",
     .conf = RELAY,
     .routes = 1,
     .zone = {"a.test TXT v=spf1 ip4:192.0.2.1 -all"},
     .want = "spf=? dmarc=none from=include:_spf.relay.test"},
    {.name = "a relay has a HELO name of its own",
     .conf = RELAY,
     .routes = 1,
     .zone = {"_spf.relay.test TXT v=spf1 ip4:198.51.100.0/24 -all",
              "a.test TXT v=spf1 include:_spf.relay.test -all",
              "mx.test TXT v=spf1 ip4:192.0.2.1 -all"},
     .want = "spf=pass dmarc=none(spf) from=include:_spf.relay.test"},
    {.name = "<> by a relay",
     .conf = RELAY,
     .sender = "",
     .routes = 1,
     .zone = {"_spf.relay.test TXT v=spf1 ip4:198.51.100.0/24 -all",
              "mx.test TXT v=spf1 ip4:192.0.2.1 -all", "_dmarc.a.test TXT v=DMARC1; p=reject"},
     .want = "spf=? dmarc=fail from=include:_spf.relay.test"},
    {.name = "<> by a relay and directly",
     .conf = RELAY,
     .sender = "",
     .routes = 3,
     .zone = {"_spf.relay.test TXT v=spf1 ip4:198.51.100.0/24 -all",
              "mx.test TXT v=spf1 ip4:192.0.2.1 -all"},
     .want = "spf=pass helo=pass dmarc=none from=include:_spf.relay.test"},
    {.name = "both keys are published",
     .signs = true,
     .zone = {"s1._domainkey.a.test TXT RSA", "e1._domainkey.a.test TXT ED25519",
              "_dmarc.a.test TXT v=DMARC1; p=reject"},
     .want = "spf=none s1=pass e1=pass dmarc=pass(dkim)"},
    {.name = "one key is not",
     .signs = true,
     .zone = {"s1._domainkey.a.test TXT RSA", "_dmarc.a.test TXT v=DMARC1; p=reject"},
     .want = "spf=none s1=pass e1=absent dmarc=pass(dkim)"},
    {.name = "the wrong keys",
     .signs = true,
     .zone = {"s1._domainkey.a.test TXT v=DKIM1; p=", "e1._domainkey.a.test TXT RSA",
              "_dmarc.a.test TXT v=DMARC1; p=reject"},
     .want = "spf=none s1=revoked e1=differs dmarc=fail"},
    {.name = "DNS fails for the keys",
     .signs = true,
     .zone = {"s1._domainkey.a.test FAIL TXT", "e1._domainkey.a.test FAIL any",
              "_dmarc.a.test TXT v=DMARC1; p=reject"},
     .want = "spf=none s1=failed e1=failed dmarc=fail"},
    {.name = "strict alignment",
     .sender = "joe@b.a.test",
     .zone = {"b.a.test TXT v=spf1 +all", "_dmarc.a.test TXT v=DMARC1; p=reject; aspf=s"},
     .want = "spf=pass dmarc=fail"},
    {.name = "relaxed alignment",
     .sender = "joe@b.a.test",
     .zone = {"b.a.test TXT v=spf1 +all", "_dmarc.a.test TXT v=DMARC1; p=reject"},
     .want = "spf=pass dmarc=pass(spf)"},
    {.name = "a signature that it came with",
     .carried = "a.test",
     .zone = {"_dmarc.a.test TXT v=DMARC1; p=reject"},
     .want = "spf=none dmarc=pass(dkim)"},
    {.name = "aligned without a record",
     .zone = {"a.test TXT v=spf1 +all"},
     .want = "spf=pass dmarc=none(spf)"},
    {.name = "reports to strangers",
     .zone = {"_dmarc.a.test TXT v=DMARC1; p=none; "
              "rua=mailto:r@a.test,mailto:r@b.test,mailto:r@c.test,mailto:r@x.a.test",
              "a.test._report._dmarc.c.test TXT v=DMARC1", "b.test A 192.0.2.1"},
     .want = "spf=none dmarc=fail reports=mailto:r@b.test/a.test._report._dmarc.b.test"},
    {.name = "reports to where DNS fails",
     .zone = {"_dmarc.a.test TXT v=DMARC1; p=none; rua=mailto:r@b.test",
              "a.test._report._dmarc.b.test FAIL any"},
     .want = "spf=none dmarc=fail"},
    {.name = "a record that asks for the sender",
     .zone = {"a.test TXT v=spf1 exists:%{l}.users.test -all", "joe.users.test A 127.0.0.2"},
     .want = "spf=pass dmarc=none(spf) by-sender"},
    {.name = "... in what it includes",
     .zone = {"a.test TXT v=spf1 include:b.test -all",
              "b.test TXT v=spf1 exists:%{S}.users.test -all"},
     .want = "spf=fail dmarc=none by-sender"},
};

/* --- running -------------------------------------------------------------------------- */

static void fill_zone(struct zone *zone, const char *const *lines)
{
    const struct {
        const char *word;
        const struct key *key;
    } words[] = {{" TXT RSA", &rsa}, {" TXT ED25519", &ed25519}};

    for (size_t i = 0; i < LINES_MAX && lines[i] != NULL; i++) {
        const char *line[] = {lines[i], NULL};
        bool added = false;

        for (size_t w = 0; w < COUNT_OF(words); w++) {
            const size_t name = strcspn(lines[i], " ");

            if (strcmp(lines[i] + name, words[w].word) == 0) {
                char *record = keys_record(words[w].key->private_key);
                char *owner = mem_copy_n(lines[i], name);

                zone_add(zone, owner, "TXT", record);
                free(owner);
                free(record);
                added = true;
            }
        }
        if (!added)
            zone_add_lines(zone, line);
    }
}

static void describe_keys(const struct outlook *outlook, struct text *text)
{
    static const char *const states[] = {
        [OWN_KEY_MATCHES] = "matches",   [OWN_KEY_ABSENT] = "absent",
        [OWN_KEY_DIFFERS] = "differs",   [OWN_KEY_REVOKED] = "revoked",
        [OWN_KEY_UNUSABLE] = "unusable", [OWN_KEY_FAILED] = "failed",
    };

    for (size_t i = 0; i < outlook->nkeys; i++)
        text_print(text, " %s=%s", outlook->keys[i].selector,
                   outlook_key_passes(&outlook->keys[i]) ? "pass"
                                                         : states[outlook->keys[i].own.state]);
}

static char *describe(const struct outlook *outlook)
{
    const struct dmarc_result *dmarc = &outlook->dmarc;
    struct text text = TEXT_EMPTY;

    text_print(&text, "spf=%s", outlook->spf_known ? spf_status_name(outlook->spf_status) : "?");
    if (outlook->helo_records.count > 0 && outlook->nspf > 0 &&
        outlook->spf[outlook->nspf - 1].helo)
        text_print(&text, " helo=%s",
                   spf_status_name(outlook->spf[outlook->nspf - 1].result.status));
    describe_keys(outlook, &text);
    text_print(&text, " dmarc=%s", dmarc_status_name(dmarc->status));
    if (dmarc->spf_aligned || dmarc->dkim_aligned)
        text_print(&text, "(%s%s)", dmarc->spf_aligned ? "spf" : "",
                   dmarc->dkim_aligned ? "dkim" : "");
    for (size_t i = 0; i + 1 < outlook->foreign_reports.count; i += 2)
        text_print(&text, " reports=%s/%s", outlook->foreign_reports.items[i],
                   outlook->foreign_reports.items[i + 1]);
    if (outlook->sources[0].relay != NULL)
        text_print(&text, " from=%s", outlook->sources[0].term);
    if (outlook->by_sender)
        text_add_string(&text, " by-sender");
    return text_take(&text);
}

static void run(const struct row *row, bool waves)
{
    struct conf *conf = conf_of(row->conf != NULL ? row->conf : DIRECT);
    const struct signing_fact signing[] = {{"a.test", "s1", &rsa}, {"a.test", "e1", &ed25519}};
    const char *sender = row->sender != NULL ? row->sender : "joe@a.test";
    const char *at = strchr(sender, '@');
    struct strings carried = {0};
    const struct outlook_query query = {
        .conf = conf,
        .routes = row->routes != 0 ? row->routes : UINT64_C(1) << conf->nrelays,
        .from_domain = "a.test",
        .sender = sender,
        .sender_domain = at != NULL ? at + 1 : "",
        .signing = signing,
        .nsigning = row->signs ? COUNT_OF(signing) : 0,
        .carried = &carried,
    };
    struct zone *zone = zone_new();
    struct outlook_making *making = outlook_making_new(&query);
    struct outlook *outlook;
    char *got;

    if (row->carried != NULL)
        strings_add(&carried, row->carried);
    fill_zone(zone, row->zone);
    if (zone_run(zone, waves, outlook_evaluate, making) == 0)
        fail_msg("%s: pending for ever", row->name);
    outlook = outlook_making_end(&making);
    got = describe(outlook);
    if (strcmp(got, row->want) != 0)
        fail_msg("%s (waves %d): %s", row->name, waves, got);
    free(got);
    outlook_release(&outlook);
    zone_free(&zone);
    strings_free(&carried);
    conf_release(&conf);
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        run(&rows[i], false);
        run(&rows[i], true);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
    };

    return cmocka_run_group_tests_name("outlook", tests, set_up, tear_down);
}
