/* SPDX-License-Identifier: BSD-2-Clause */
/* What is advised about a failed delivery: the real server, domain, number, command.
 */
#include "lib/decide/advice.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PARTS_MAX 6

struct row {
    const char *name;
    enum cause_id cause;
    const char *relay, *text;
    const char *has[PARTS_MAX]; /* of the advice, in this order */
};

static const struct row rows[] = {
    {"refused connection",
     CAUSE_DESTINATION_UNREACHABLE,
     "none",
     "connect to mx.b.example[192.0.2.9]:25: Connection refused",
     {"b.example: ", "nc -vz mx.b.example 25", "tries b.example again"}},
    {"lost connection, other port",
     CAUSE_DESTINATION_UNREACHABLE,
     "mx.b.example[192.0.2.9]:2525",
     "lost connection with mx.b.example[192.0.2.9] while sending RCPT TO",
     {"nc -vz mx.b.example 2525"}},
    {"no server known", CAUSE_DESTINATION_UNREACHABLE, "none", "no route", {"dig MX b.example"}},
    {"greylisting",
     CAUSE_DESTINATION_GREYLISTING,
     "mx.b.example[192.0.2.9]:25",
     "450 4.7.1 Greylisted",
     {"300 seconds", "every mail to b.example", "SPF for a.example"}},
    {"throttling",
     CAUSE_DESTINATION_THROTTLING,
     "mx.b.example[192.0.2.9]:25",
     "421 4.7.0 slow down",
     {"\"b.example slow:\"", "slow_destination_rate_delay", "sluicectl why Q1"}},
    {"blocklist, page and address",
     CAUSE_DESTINATION_BLOCKS_US,
     "mx.b.example[192.0.2.9]:25",
     "554 5.7.1 Service unavailable; Client host [198.51.100.9] blocked using zen.spamhaus.org; "
     "https://www.spamhaus.org/query/ip/198.51.100.9.",
     {"spam through 198.51.100.9", "ask zen.spamhaus.org to let 198.51.100.9 in",
      ": https://www.spamhaus.org/query/ip/198.51.100.9"}},
    {"blocked by the server itself",
     CAUSE_DESTINATION_BLOCKS_US,
     "mx.b.example[2001:db8::9]:25",
     "host mx.b.example[2001:db8::9] said: 554 5.7.1 [2001:db8::25] has a poor reputation",
     {"through 2001:db8::25", "ask mx.b.example to let 2001:db8::25 in"}},
    {"nothing named",
     CAUSE_DESTINATION_BLOCKS_US,
     "none",
     "554 go away",
     {"sends spam, then ask b.example to let us in"}},
    {"authentication",
     CAUSE_DESTINATION_AUTH_REQUIRED,
     "mx.b.example[192.0.2.9]:25",
     "550 5.7.26 Unauthenticated",
     {"sluicectl check dns a.example", "dns.* lines of Q1"}},
    {"content",
     CAUSE_DESTINATION_CONTENT,
     "mx.b.example[192.0.2.9]:25",
     "550 5.7.1 spam",
     {"ask al@a.example", "sluicectl suspend al@a.example --reason abuse", "sluicectl why Q1"}},
    {"TLS",
     CAUSE_DESTINATION_TLS,
     "mx.b.example[192.0.2.9]:25",
     "Server certificate not verified",
     {"-connect mx.b.example:25 -servername mx.b.example", "postmaster@b.example",
      "\"b.example may\" in smtp_tls_policy_maps"}},
    {"relay denied, Sendmail",
     CAUSE_DESTINATION_RELAY_DENIED,
     "mx.b.example. [192.0.2.9]",
     "554 5.7.1 Relay access denied",
     {"compare mx.b.example with what dig MX b.example", "the domain b.example"}},
    {"login",
     CAUSE_DESTINATION_LOGIN,
     "relay.example[192.0.2.9]:587",
     "535 5.7.8 authentication failed",
     {"\"[relay.example]:587\"", "smtp_sasl_password_maps", "postqueue -f"}},
    {"DNS",
     CAUSE_DESTINATION_DNS,
     "none",
     "Host or domain name not found",
     {"dig MX b.example", "correct the address bob@b.example"}},
    {"size with its limit",
     CAUSE_DESTINATION_SIZE,
     "mx.b.example[192.0.2.9]:25",
     "552 5.3.4 message size 27000000 exceeds size limit 10485760 of server",
     {"ask al@a.example", "27000000 octets", "at most 10485760 octets"}},
    {"size of a mailbox",
     CAUSE_RECIPIENT_REFUSES_SIZE,
     "mx.b.example[192.0.2.9]:25",
     "552 5.2.3 too large",
     {"bob@b.example: ", "send a link", "27000000 octets"}},
    {"a page",
     CAUSE_DESTINATION_OTHER,
     "mx.b.example[192.0.2.9]:25",
     "550 see <http://b.example/why>",
     {"read http://b.example/why, to", "sluicectl why Q1"}},
    {"words alone",
     CAUSE_DESTINATION_OTHER,
     "mx.b.example[192.0.2.9]:25",
     "550 the moon",
     {"read what mx.b.example said", "postmaster@b.example"}},
    {"unknown",
     CAUSE_RECIPIENT_UNKNOWN,
     "mx.b.example[192.0.2.9]:25",
     "550 5.1.1",
     {"bob@b.example: ask al@a.example", "7 days", "sluicectl reset recipient:bob@b.example"}},
    {"full",
     CAUSE_RECIPIENT_MAILBOX_FULL,
     "mx.b.example[192.0.2.9]:25",
     "452 4.2.2",
     {"ask al@a.example", "take bob@b.example off"}},
    {"disabled",
     CAUSE_RECIPIENT_DISABLED,
     "mx.b.example[192.0.2.9]:25",
     "550 5.2.1",
     {"who had bob@b.example"}},
};

static void has_all(const struct row *row, const char *advice)
{
    const char *at = advice;

    for (size_t i = 0; i < PARTS_MAX && row->has[i] != NULL; i++) {
        const char *found = strstr(at, row->has[i]);

        if (found == NULL)
            fail_msg("%s: no \"%s\" in: %s", row->name, row->has[i], advice);
        else
            at = found + strlen(row->has[i]);
    }
}

static void test_names_are_real(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char queue_id[] = "Q1", user[] = "al@a.example", recipient[] = "bob@b.example";
        char domain[] = "b.example";
        char *relay = mem_copy(rows[i].relay), *text = mem_copy(rows[i].text);
        char *advice = advice_make(&(struct advice_case){
            .cause = rows[i].cause,
            .queue_id = queue_id,
            .user = user,
            .sender = user,
            .recipient = recipient,
            .domain = domain,
            .relay = relay,
            .text = text,
            .size = 27000000,
            .retry_after_sec = 300,
        });

        has_all(&rows[i], advice);
        free(advice);
        free(relay);
        free(text);
    }
}

/* The store tells the next message what others' met: whoever sends now did not send that. */
static void test_earlier_content(void **state)
{
    char *advice = advice_make(&(struct advice_case){.cause = CAUSE_DESTINATION_CONTENT,
                                                     .earlier = true,
                                                     .user = "al@a.example",
                                                     .sender = "al@a.example",
                                                     .domain = "b.example",
                                                     .text = "550 5.7.1 spam"});

    (void)state;
    assert_non_null(strstr(advice, "b.example: sluicectl why b.example names who sent"));
    assert_null(strstr(advice, "al@a.example"));
    free(advice);
}

/* As a summary has it. */
static void test_nothing_is_known(void **state)
{
    (void)state;
    for (int cause = 0; cause < CAUSE_COUNT; cause++) {
        char *advice = advice_make(&(struct advice_case){.cause = (enum cause_id)cause});

        if (advice[0] == '\0' || strstr(advice, "(null)") != NULL)
            fail_msg("%s: %s", cause_get((enum cause_id)cause)->id, advice);
        free(advice);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_are_real),
        cmocka_unit_test(test_earlier_content),
        cmocka_unit_test(test_nothing_is_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
