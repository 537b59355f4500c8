/* SPDX-License-Identifier: BSD-2-Clause */
/* What an empty configuration says, and the example of the manual. */
#include "lib/conf/conf.h"
#include "tests/lib/conf/support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <syslog.h>

#include <cmocka.h>

static void test_defaults(void **state)
{
    struct conf *conf = load_good("", NULL);

    (void)state;
    assert_int_equal(conf->mode, MODE_OBSERVE);
    assert_true(strlen(conf->hostname) > 0);
    assert_string_equal(conf->contact, "");
    assert_int_equal(conf->ninternal_networks, 2);
    assert_string_equal(conf->recipient_delimiter, "+");
    assert_int_equal(conf->max_message_size, 50 * 1024 * 1024);
    assert_int_equal(conf->charge_at, CHARGE_AT_END);
    assert_int_equal(conf->nlogin_rules, 1);
    assert_int_equal(conf->login_rules[0].kind, LOGIN_EQUAL);
    assert_string_equal(conf->store, "");
    assert_string_equal(conf->store_password, "");
    assert_int_equal(conf->store_failure, STORE_FAILURE_LOCAL);
    assert_int_equal(conf->store_timeout_ms, 200);
    assert_int_equal(conf->store_journal_size, 100000);
    assert_false(conf->store_hash_addresses);
    assert_string_equal(conf->state_directory, SLUICE_LOCALSTATEDIR);
    assert_string_equal(conf->resolver, "system");
    assert_int_equal(conf->dns_timeout_ms, 2000);
    assert_int_equal(conf->dns_max_inflight, 512);
    assert_int_equal(conf->dns_cache_size, 10000);
    assert_string_equal(conf->log, "syslog");
    assert_false(conf->log_json);
    assert_int_equal(conf->log_facility, LOG_MAIL);
    assert_string_equal(conf->user, "");
    assert_int_equal(conf->drain_timeout_ms, 30000);
    assert_int_equal(conf->npolicy_listen, 1);
    assert_true(conf->policy_listen[0].is_unix);
    assert_string_equal(conf->policy_listen[0].path, SLUICE_RUNSTATEDIR "/policy.sock");
    assert_int_equal(conf->policy_socket_mode, 0660);
    assert_int_equal(conf->policy_max_connections, 5000);
    assert_int_equal(conf->policy_idle_timeout_ms, 1000 * 1000);
    assert_int_equal(conf->policy_max_request, 64 * 1024);
    assert_int_equal(conf->nmilter_listen, 1);
    assert_string_equal(conf->milter_listen[0].path, SLUICE_RUNSTATEDIR "/milter.sock");
    assert_int_equal(conf->sign_failure, SIGN_FAILURE_SEND);
    assert_int_equal(conf->nclasses + conf->nwarmups + conf->nsigns + conf->ncauses, 0);
    conf_release(&conf);
    assert_null(conf);
}

static void assert_limit(const struct conf_limit *limit, const char *name, enum limit_count count,
                         int64_t max, int64_t window_sec)
{
    assert_string_equal(limit->name, name);
    assert_int_equal(limit->subject, SUBJECT_USER);
    assert_int_equal(limit->count, count);
    assert_int_equal(limit->max, max);
    assert_int_equal(limit->window_sec, window_sec);
    assert_int_equal(limit->over, -1);
    assert_int_equal(limit->near_percent, 80);
}

static void test_default_limits(void **state)
{
    struct conf *conf = load_good("", NULL);

    (void)state;
    assert_int_equal(conf->nlimits, 3);
    assert_limit(&conf->limits[0], "daily", COUNT_MESSAGES, 2000, 86400);
    assert_limit(&conf->limits[1], "rcpts", COUNT_RECIPIENTS, 10000, 86400);
    assert_limit(&conf->limits[2], "fanout", COUNT_RECIPIENTS, 500, 0);
    assert_string_equal(conf->limits[0].place.file, "defaults");
    assert_int_equal(conf->limits[0].place.line, 0);
    conf_release(&conf);

    conf = load_good("", "limit.daily.max=7");
    assert_int_equal(conf->nlimits, 3);
    assert_int_equal(conf->limits[0].max, 7);
    conf_release(&conf);

    conf = load_good("\nlimit\none\n{\ncount = messages max = 1 per = 1h }", NULL);
    assert_int_equal(conf->limits[0].place.line, 2);
    conf_release(&conf);

    conf = load_good("limit one { count = bytes max = 5M per = 1h }", NULL);
    assert_int_equal(conf->nlimits, 1);
    assert_int_equal(conf->limits[0].max, 5 * 1024 * 1024);
    assert_string_equal(conf->limits[0].place.file, "test.conf");
    assert_int_equal(conf->limits[0].place.line, 1);
    conf_release(&conf);
}

/* The example of the project's contracts, word for word. */
static const char example[] =
    "mode = observe                      # or enforce\n"
    "hostname = mx1.example.com\n"
    "store = \"unix:/run/redis/redis.sock\"   # redis://host:port/db, sentinel://…?master=mail\n"
    "internal-networks = {\"127.0.0.0/8\", \"10.0.0.0/8\"}\n"
    "local-domains = {\"example.com\"}\n"
    "outgoing-addresses = {\"198.51.100.9\", \"2001:db8::9\"}\n"
    "\n"
    "limit daily   { subject = user  count = messages    max = 2000   per = 24h  over = defer }\n"
    "limit rcpts   { subject = user  count = recipients  max = 10000  per = 24h }\n"
    "limit burst   { subject = user  count = messages    max = 60     per = 1m  }\n"
    "limit fanout  { count = recipients max = 500 per = message }\n"
    "class newsletter { members = {\"news@example.com\", \"@lists.example.com\"}\n"
    "                   limit daily { max = 50000 } }\n"
    "warmup \"198.51.100.9\" { start = 2026-11-20  first = 50  growth = 1.5  ceiling = 20000 }\n"
    "\n"
    "sign example.com { selector = s1  key = \"/etc/sluice/keys/example.com.s1.pem\" }\n"
    "cause dns.spf-fail { action = reject }\n";

static void test_example(void **state)
{
    struct conf *conf = load_good(example, NULL);

    (void)state;
    assert_string_equal(conf->hostname, "mx1.example.com");
    assert_string_equal(conf->store, "unix:/run/redis/redis.sock");
    assert_int_equal(conf->noutgoing_addresses, 2);
    assert_int_equal(conf->nlimits, 4);
    assert_int_equal(conf->limits[0].over, 4);
    assert_int_equal(conf->limits[2].window_sec, 60);
    assert_int_equal(conf->limits[3].window_sec, 0);
    assert_int_equal(conf->nclasses, 1);
    assert_int_equal(conf->classes[0].nmembers, 2);
    assert_ptr_equal(conf->classes[0].limits[0].limit, &conf->limits[0]);
    assert_int_equal(conf->classes[0].limits[0].max, 50000);
    assert_int_equal(conf->classes[0].limits[0].place.line, 13);
    assert_int_equal(conf->nwarmups, 1);
    assert_int_equal(conf->warmups[0].start_day, 20777);
    assert_true(conf->warmups[0].growth > 1.49 && conf->warmups[0].growth < 1.51);
    assert_string_equal(conf->signs[0].domain, "example.com");
    assert_string_equal(conf->signs[0].selector, "s1");
    assert_int_equal(conf_cause_action(conf, "dns.spf-fail"), 5);
    assert_int_equal(conf_cause_action(conf, "dns.ptr"), -1);
    conf_release(&conf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_default_limits),
        cmocka_unit_test(test_example),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
