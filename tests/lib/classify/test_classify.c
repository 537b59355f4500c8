/* SPDX-License-Identifier: BSD-2-Clause */
/* Replies and log lines with the cause that they have, and rules that go wrong. */
#include "lib/classify/classify.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "tests/lib/classify/corpus.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OWN_REPLIES_MIN 300
#define SCORED_REPLIES_MIN 250

static unsigned complaints;

struct fixture {
    struct rules *rules;
    struct classify_scratch *scratch;
};

static int set_up(void **state)
{
    static const struct strings none = {.count = 0};
    struct fixture *fixture = mem_new(1, sizeof(*fixture));
    char *problems = NULL;

    fixture->rules = rules_load(&none, true, &problems);
    if (fixture->rules == NULL)
        print_message("%s", problems);
    free(problems);
    assert_non_null(fixture->rules);
    fixture->scratch = classify_scratch_new(fixture->rules);
    *state = fixture;
    complaints = 0;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    classify_scratch_free(&fixture->scratch);
    rules_free(&fixture->rules);
    free(fixture);
    return 0;
}

/* The cause's id, "delivered" or "-". */
static const char *outcome_of(const struct fixture *fixture, const char *text,
                              struct classification *classification_r)
{
    classify_text(fixture->rules, fixture->scratch, span_of(text), classification_r);
    switch (classification_r->outcome) {
    case OUTCOME_NONE:
        return "-";
    case OUTCOME_DELIVERED:
        return "delivered";
    case OUTCOME_FAILED:
        break;
    }
    return cause_get(classification_r->cause)->id;
}

static void expect(const struct fixture *fixture, const char *want, const char *text)
{
    struct classification classification;
    const char *got = outcome_of(fixture, text, &classification);

    if (strcmp(got, want) == 0)
        return;
    print_message("%s in place of %s by %s: %s\n", got, want,
                  classification.rule != NULL ? classification.rule : "no rule", text);
    complaints++;
}

static void test_sentences(void **state)
{
    const struct fixture *fixture = *state;
    struct text text = TEXT_EMPTY;

    if (!classify_check(fixture->rules, &text))
        print_message("%s", text_string(&text));
    assert_int_equal(text.length, 0);
    text_free(&text);
}

static void test_own_replies(void **state)
{
    struct corpus corpus;

    corpus_read_data("replies.tsv", 2, &corpus);
    assert_true(corpus.count >= OWN_REPLIES_MIN);
    for (size_t i = 0; i < corpus.count; i++)
        expect(*state, corpus.rows[i].columns[0], corpus.rows[i].columns[1]);
    corpus_free(&corpus);
    assert_int_equal(complaints, 0);
}

/* Which of our causes answer a reason of theirs. */
static const struct {
    const char *reason;
    const char *causes;
} reasons[] = {
    {"userunknown", "recipient.unknown"},
    {"hasmoved", "recipient.unknown"},
    {"user_unknown", "recipient.unknown"},
    {"suspend", "recipient.disabled"},
    {"mailbox_disabled", "recipient.disabled"},
    {"mailboxfull", "recipient.mailbox-full"},
    {"systemfull", "recipient.mailbox-full"},
    {"mailbox_full", "recipient.mailbox-full"},
    {"greylisting", "destination.greylisting"},
    {"speeding", "destination.throttling"},
    {"toomanyconn", "destination.throttling"},
    {"rate_limited", "destination.throttling"},
    {"blocked", "destination.blocks-us"},
    {"badreputation", "destination.blocks-us"},
    {"requireptr", "destination.blocks-us"},
    {"ip_blacklisted", "destination.blocks-us"},
    {"domain_blacklisted", "destination.blocks-us"},
    {"geo_blocked", "destination.blocks-us"},
    {"authfailure", "destination.auth-required"},
    {"auth_failure", "destination.auth-required"},
    {"failedstarttls", "destination.tls destination.login"},
    {"securityerror", "destination.tls destination.login"},
    {"norelaying", "destination.relay-denied"},
    {"relay_denied", "destination.relay-denied"},
    {"mesgtoobig", "destination.size recipient.refuses-size"},
    {"exceedlimit", "destination.size recipient.refuses-size"},
    {"hostunknown", "destination.dns dns.recipient-domain dns.recipient-no-mail"},
    {"notaccept", "destination.dns dns.recipient-domain dns.recipient-no-mail"},
    {"invalid_address",
     "recipient.unknown destination.dns dns.recipient-domain dns.recipient-no-mail"},
    {"networkerror", "destination.unreachable destination.dns"},
    {"expired", "destination.unreachable destination.dns"},
    {"server_error", "destination.unreachable destination.dns"},
    {"spamdetected", "destination.content"},
    {"virusdetected", "destination.content"},
    {"contenterror", "destination.content"},
    {"notcompliantrfc", "destination.content"},
    {"policyviolation", "destination.content"},
    {"spam_blocked", "destination.content"},
    {"virus_detected", "destination.content"},
    {"policy_blocked", "destination.content"},
};

/* Where we say something else, and why that is right: by how the reply begins. */
static const struct {
    const char *begins;
    const char *cause;
    const char *why;
} argued[] = {
    {"421 4.7.28 Gmail has detected an unusual rate of mail", "destination.throttling",
     "4.7.28 is a rate, it says so, and it passes: slow down, as with the other 4.7.28"},
    {"553 5.1.2 We weren't able to find the recipient domain", "dns.recipient-domain",
     "the domain is what is unknown, as the code and the words say"},
    {"553 5.1.3 ", "recipient.syntax", "the address is malformed: no user of that name can be"},
    {"501 Malformed address", "recipient.syntax", "the same without the enhanced code"},
    {"552 Message too large", "destination.size",
     "a message that is too large does not make a mailbox full"},
};

/* Whether one of the reasons, parted by "|", is answered by that cause; scored_r: by any. */
static bool answers(const char *list, const char *cause, bool *scored_r)
{
    bool right = false;

    *scored_r = false;
    for (const char *reason = list; *reason != '\0'; reason += strspn(reason, "|")) {
        const size_t length = strcspn(reason, "|");

        for (size_t i = 0; i < COUNT_OF(reasons); i++) {
            if (strlen(reasons[i].reason) != length ||
                memcmp(reasons[i].reason, reason, length) != 0)
                continue;
            *scored_r = true;
            right = right || strstr(reasons[i].causes, cause) != NULL;
        }
        reason += length;
    }
    return right;
}

static bool is_argued(const char *text, const char *cause)
{
    for (size_t i = 0; i < COUNT_OF(argued); i++)
        if (strncmp(text, argued[i].begins, strlen(argued[i].begins)) == 0 &&
            strcmp(cause, argued[i].cause) == 0)
            return true;
    return false;
}

static void test_corpus(void **state)
{
    struct corpus corpus;
    struct classification classification;
    size_t scored = 0;

    corpus_read("replies/replies.tsv", 3, NULL, &corpus);
    for (size_t i = 0; i < corpus.count; i++) {
        const char *text = corpus.rows[i].columns[1];
        const char *got = outcome_of(*state, text, &classification);
        bool is_scored;
        bool right = answers(corpus.rows[i].columns[0], got, &is_scored);

        scored += is_scored;
        if (!is_scored || right || is_argued(text, got))
            continue;
        print_message("%s for %s: %s\n", got, corpus.rows[i].columns[0], text);
        complaints++;
    }
    corpus_free(&corpus);
    assert_true(scored >= SCORED_REPLIES_MIN);
    assert_int_equal(complaints, 0);
}

static void test_how_lasting(void **state)
{
    static const struct {
        const char *text;
        enum failure failure;
    } rows[] = {
        {"550 5.1.1 <a@b.example>: User unknown", FAILURE_HARD},
        {"452 4.2.2 The mailbox is over quota", FAILURE_SOFT},
        {"450 4.7.1 Greylisted, try again in 5 minutes", FAILURE_SOFT},
        {"connect to mx.b.example[192.0.2.1]:25: Connection refused", FAILURE_TRANSPORT},
        {"lost connection with mx.b.example[192.0.2.1] while sending RCPT TO", FAILURE_TRANSPORT},
        {"X-Postfix; connect to mx.b.example[192.0.2.1]:25: No route to host", FAILURE_TRANSPORT},
        {"552 5.2.2 The mailbox is full", FAILURE_SOFT},
        {"5.1.1 User unknown", FAILURE_HARD},
        {"4.7.1 Access denied", FAILURE_SOFT},
        {"585 No such user", FAILURE_HARD},
        {"454 4.7.0 TLS not available due to local problem", FAILURE_SOFT},
        {"Oct  1 10:00:00 mx postfix/smtp[7]: 4XkP2q1ZzzzB: to=<a@b.example>, relay=none, "
         "delay=1, delays=0/0/1/0, dsn=4.4.3, status=deferred (Host or domain name not found. "
         "Name service error for name=b.example type=MX: Host not found, try again)",
         FAILURE_TRANSPORT},
        {"Oct  1 10:00:00 mx postfix/smtp[7]: 4XkP2q1ZzzzB: to=<a@b.example>, "
         "relay=mx.b.example[192.0.2.1]:25, delay=1, delays=0/0/1/0, dsn=4.0.0, "
         "status=deferred (host mx.b.example[192.0.2.1] refused to talk to me: 554 Blocked)",
         FAILURE_SOFT},
    };
    struct classification classification;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        (void)outcome_of(*state, rows[i].text, &classification);
        if (classification.outcome != OUTCOME_FAILED || classification.failure != rows[i].failure) {
            print_message("%s: %s\n", rows[i].text, failure_name(classification.failure));
            complaints++;
        }
    }
    assert_int_equal(complaints, 0);
}

static void test_no_failure(void **state)
{
    expect(*state, "delivered", "250 2.0.0 OK  1700000000 a1b2 - gsmtp");
    expect(*state, "delivered",
           "Oct  1 10:00:00 mx postfix/smtp[7]: 4XkP2q1ZzzzB: to=<a@b.example>, "
           "relay=mx.b.example[192.0.2.1]:25, delay=1, delays=0/0/1/0, dsn=2.0.0, status=sent "
           "(250 2.0.0 Ok)");
    expect(*state, "-", "");
    expect(*state, "-",
           "Oct  1 10:00:00 mx postfix/qmgr[7]: 4XkP2q1ZzzzB: from=<a@b.example>, size=500, "
           "nrcpt=1 (queue active)");
    expect(*state, "-", "Oct  1 10:00:00 mx sshd[7]: Failed password for root from 192.0.2.1");
    assert_int_equal(complaints, 0);
}

/* A failure that no rule knows, from what says that it is one. */
static void test_unknown(void **state)
{
    expect(*state, "destination.other", "550 Ymmv");
    expect(*state, "destination.other", "590 Ymmv");
    expect(*state, "destination.other", "5.0.0 Ymmv");
    expect(*state, "destination.other", "x-thing; Ymmv");
    expect(*state, "destination.other",
           "Oct  1 10:00:00 mx postfix/smtp[7]: 4XkP2q1ZzzzB: to=<a@b.example>, relay=none, "
           "delay=1, delays=0/0/1/0, dsn=5.0.0, status=bounced (ymmv)");
    expect(*state, "-", "Ymmv");
    expect(*state, "-", "290 Ymmv");
    expect(*state, "-", "\xff\xfe\x80");
    assert_int_equal(complaints, 0);
}

/* Where a reply has no code, what else says whether it passes stands for it. */
static void test_missing_code(void **state)
{
    expect(*state, "destination.unreachable", "4.3.0 Not now, try again");
    expect(*state, "destination.other", "5.3.0 Not now, try again");
    expect(*state, "destination.unreachable",
           "Oct  1 10:00:00 mx postfix/smtp[7]: 4XkP2q1ZzzzB: to=<a@b.example>, relay=none, "
           "delay=1, delays=0/0/1/0, status=deferred (not now, try again)");
    expect(*state, "destination.other",
           "Oct  1 10:00:00 mx postfix/smtp[7]: 4XkP2q1ZzzzB: to=<a@b.example>, relay=none, "
           "delay=1, delays=0/0/1/0, status=bounced (not now, try again)");
    assert_int_equal(complaints, 0);
}

static void test_bad_rules(void **state)
{
    static const struct {
        const char *rules;
        const char *problem;
    } rows[] = {
        {"destination.nothing /x/\n    550 x\n", "own:1: "},
        {"\ndestination.other /(/\n    550 x\n", "own:2: "},
        {"destination.other code=650\n", "own:1: "},
        {"destination.other code=150\n", "own:1: "},
        {"destination.other code=xxx\n", "own:1: "},
        {"destination.other\n", "own:1: "},
        {"destination.other /x\n", "own:1: "},
        {"destination.other //\n", "own:1: "},
        {"let x\n", "own:1: "},
        {"let x = a\nlet x = b\n", "own:2: "},
        {"destination.other dsn=9.1.1\n", "own:1: "},
        {"destination.other at=lunch\n", "own:1: "},
        {"destination.other line=lunch\n", "own:1: "},
        {"destination.other /{unheard-of}/\n", "own:1: "},
        {"    a sentence of no rule\n", "own:1: "},
    };

    (void)state;
    complaints = 0;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char *problems = NULL;
        struct rules *rules =
            rules_load_text("own", rows[i].rules, strlen(rows[i].rules), &problems);

        if (rules != NULL || problems == NULL || strstr(problems, rows[i].problem) == NULL) {
            print_message("%s: %s\n", rows[i].rules, problems != NULL ? problems : "accepted");
            complaints++;
        }
        rules_free(&rules);
        free(problems);
    }
    assert_int_equal(complaints, 0);
}

/* A sentence that another rule decides is told with its line. */
static void test_wrong_sentence(void **state)
{
    static const char own[] = "recipient.unknown /no such user/\n"
                              "    550 mailbox full\n"
                              "recipient.mailbox-full /full/\n"
                              "    550 mailbox full\n";
    char *problems = NULL;
    struct rules *rules = rules_load_text("own", own, sizeof(own) - 1, &problems);
    struct text text = TEXT_EMPTY;

    (void)state;
    assert_non_null(rules);
    assert_false(classify_check(rules, &text));
    assert_non_null(strstr(text_string(&text), "own:2: "));
    assert_null(strstr(text_string(&text), "own:4: "));
    text_free(&text);
    rules_free(&rules);
    free(problems);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_sentences, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_own_replies, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_corpus, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_how_lasting, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_failure, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unknown, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_missing_code, set_up, tear_down),
        cmocka_unit_test(test_bad_rules),
        cmocka_unit_test(test_wrong_sentence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
