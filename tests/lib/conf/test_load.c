/* SPDX-License-Identifier: BSD-2-Clause */
/* What a configuration that loads says. */
#include "lib/base/strings.h"
#include "lib/base/text.h"
#include "lib/conf/conf.h"
#include "lib/conf/schema.h"
#include "tests/lib/conf/support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

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

static void test_signs(void **state)
{
    struct conf *conf = load_good("sign \"*.Example.com\" { selector = s1 key = /k }\n"
                                  "sign example.com { selector = s1 key = /k\n"
                                  "    for = {\"customer.example\", \".Many.example\"} }\n"
                                  "sign example.com { selector = s2 key = /l }\n",
                                  NULL);

    (void)state;
    assert_int_equal(conf->nsigns, 3);
    assert_string_equal(conf->signs[0].domain, "example.com");
    assert_true(conf->signs[0].subdomains);
    assert_int_equal(conf->signs[0].third_parties.count, 0);
    assert_string_equal(conf->signs[1].domain, "example.com");
    assert_false(conf->signs[1].subdomains);
    assert_int_equal(conf->signs[1].third_parties.count, 2);
    assert_string_equal(conf->signs[1].third_parties.items[1], ".many.example");
    assert_string_equal(conf->signs[2].selector, "s2");
    conf_release(&conf);
}

/* One line and what conf_effective() makes of the option. */
static void test_values(void **state)
{
    static const struct {
        const char *name, *input, *option;
        size_t offset;
        int64_t want;
    } cases[] = {
#define NUMBER(member) offsetof(struct conf, member)
        {"bare word", "store-timeout = 500ms", "int64", NUMBER(store_timeout_ms), 500},
        {"quotes", "store-timeout = \"2s\"", "int64", NUMBER(store_timeout_ms), 2000},
        {"single quotes", "store-timeout = '2s'", "int64", NUMBER(store_timeout_ms), 2000},
        {"zero needs no unit", "drain-timeout = 0", "int64", NUMBER(drain_timeout_ms), 0},
        {"minutes", "drain-timeout = 2m", "int64", NUMBER(drain_timeout_ms), 120000},
        {"hours", "policy-idle-timeout = 1h", "int64", NUMBER(policy_idle_timeout_ms), 3600000},
        {"days", "policy-idle-timeout = 1d", "int64", NUMBER(policy_idle_timeout_ms), 86400000},
        {"plain bytes", "max-message-size = 12345", "int64", NUMBER(max_message_size), 12345},
        {"kibibytes", "max-message-size = 500K", "int64", NUMBER(max_message_size), 512000},
        {"small letter", "max-message-size = 1g", "int64", NUMBER(max_message_size), 1 << 30},
        {"no limit", "max-message-size = 0", "int64", NUMBER(max_message_size), 0},
        {"number", "dns-max-inflight = 7", "int64", NUMBER(dns_max_inflight), 7},
        {"the last one holds", "dns-max-inflight = 7\ndns-max-inflight = 8", "int64",
         NUMBER(dns_max_inflight), 8},
        {"list of one as scalar", "mode = {enforce}", "int", NUMBER(mode), MODE_ENFORCE},
        {"database", "store-database = 15", "int", NUMBER(store_database), 15},
        {"database of the URL", "store = 'redis://h/3'", "int", NUMBER(store_database), 3},
        {"mode", "policy-socket-mode = 0600", "int", NUMBER(policy_socket_mode), 0600},
        {"word", "store-failure = accept", "int", NUMBER(store_failure), STORE_FAILURE_ACCEPT},
        {"facility", "log-facility = local3", "int", NUMBER(log_facility), LOG_LOCAL3},
        {"json", "log-format = json", "bool", NUMBER(log_json), 1},
        {"hash comment", "mode = enforce # mode = observe", "int", NUMBER(mode), MODE_ENFORCE},
        {"slash comment", "mode = enforce // mode = observe", "int", NUMBER(mode), MODE_ENFORCE},
        {"block comment", "/* mode =\n{{{ */ mode = enforce", "int", NUMBER(mode), MODE_ENFORCE},
        {"carriage returns", "mode = enforce\r\nmode = observe\r\n", "int", NUMBER(mode),
         MODE_OBSERVE},
        {"byte order mark", "\xef\xbb\xbfmode = enforce", "int", NUMBER(mode), MODE_ENFORCE},
        {"one line", "mode=enforce dns-timeout=1s", "int", NUMBER(mode), MODE_ENFORCE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct conf *conf = load_good(cases[i].input, NULL);
        const char *member = (const char *)conf + cases[i].offset;
        int64_t got;

        if (strcmp(cases[i].option, "int64") == 0)
            memcpy(&got, member, sizeof(got));
        else if (strcmp(cases[i].option, "int") == 0)
            got = *(const int *)(const void *)member;
        else
            got = *(const bool *)(const void *)member;
        if (got != cases[i].want)
            fail_msg("%s: %lld in place of %lld", cases[i].name, (long long)got,
                     (long long)cases[i].want);
        conf_release(&conf);
    }
}

static void test_booleans(void **state)
{
    static const struct {
        const char *word;
        bool want;
    } cases[] = {{"yes", true}, {"no", false},  {"true", true}, {"false", false},
                 {"on", true},  {"off", false}, {"YES", true},  {"Off", false}};
    char text[512];

    (void)state;
    make_folder();
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const char *key = make_file("key", "secret\n");
        struct conf *conf;

        chmod(key, 0600);
        (void)snprintf(text, sizeof(text), "store-hash-addresses = %s store-hash-key-file = \"%s\"",
                       cases[i].word, key);
        conf = load_good(text, NULL);
        if (conf->store_hash_addresses != cases[i].want)
            fail_msg("%s", cases[i].word);
        assert_string_equal(conf->store_hash_key, "secret");
        conf_release(&conf);
    }
    remove_folder();
}

static void test_lists(void **state)
{
    static const struct {
        const char *name, *input;
        const char *want; /* the domains, with a space behind each */
    } cases[] = {
        {"one without braces", "local-domains = example.com", "example.com "},
        {"several", "local-domains = {a.example, 'b.example', \"c.example\"}",
         "a.example b.example c.example "},
        {"over lines", "local-domains = {\n  a.example,\n\n  b.example }", "a.example b.example "},
        {"empty", "local-domains = {a.example}\nlocal-domains = {}", ""},
        {"replaced", "local-domains = {a.example}\nlocal-domains = {b.example}", "b.example "},
        {"added",
         "local-domains = {a.example}\nlocal-domains += {b.example}\n"
         "local-domains += c.example",
         "a.example b.example c.example "},
        {"case and trailing dot", "local-domains = {Example.COM.}", "example.com "},
        {"subdomains", "local-domains = {.Example.com}", ".example.com "},
        {"U-label", "local-domains = {bücher.example}", "xn--bcher-kva.example "},
        {"upper case U-label", "local-domains = {BÜCHER.example}", "xn--bcher-kva.example "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct conf *conf = load_good(cases[i].input, NULL);
        struct text got = TEXT_EMPTY;

        for (size_t j = 0; j < conf->local_domains.count; j++)
            text_print(&got, "%s ", conf->local_domains.items[j]);
        if (strcmp(text_string(&got), cases[i].want) != 0)
            fail_msg("%s: \"%s\" in place of \"%s\"", cases[i].name, text_string(&got),
                     cases[i].want);
        text_free(&got);
        conf_release(&conf);
    }
}

static void test_adding_to_defaults(void **state)
{
    struct conf *conf = load_good("internal-networks += {\"10.0.0.0/8\"}", NULL);

    (void)state;
    assert_int_equal(conf->ninternal_networks, 3);
    conf_release(&conf);
}

static void test_store(void **state)
{
    static const struct {
        const char *input, *store, *user, *password;
        int database;
    } cases[] = {
        {"memory:", "memory:", "", "", 0},
        {"unix:/run/redis.sock", "unix:/run/redis.sock", "", "", 0},
        {"redis://localhost", "redis://localhost:6379", "", "", 0},
        {"redis://Redis.Example.com:7000/", "redis://redis.example.com:7000", "", "", 0},
        {"redis://127.0.0.1/4", "redis://127.0.0.1:6379", "", "", 4},
        {"redis://[::1]:7000/2", "redis://[::1]:7000", "", "", 2},
        {"redis://u:p@h:1", "redis://h:1", "u", "p", 0},
        {"redis://:p%40%3a@h", "redis://h:6379", "", "p@:", 0},
        {"redis://u@h", "redis://h:6379", "u", "", 0},
        {"sentinel://A,b:1/3?master=mail", "sentinel://a:26379,b:1?master=mail", "", "", 3},
        {"sentinel://u:p@[::1],b?master=m-1", "sentinel://[::1]:26379,b:26379?master=m-1", "u", "p",
         0},
        {"local", "local:" SLUICE_RUNSTATEDIR "/store.sock", "", "", 0},
        {"local:/tmp/s", "local:/tmp/s", "", "", 0},
        {"cluster://a:7000,b", "cluster://a:7000,b:6379", "", "", 0},
        {"cluster://:p@a", "cluster://a:6379", "", "p", 0},
        {"redis://u:a@b@h", "redis://h:6379", "u", "a@b", 0},
    };
    char text[256];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct conf *conf;

        (void)snprintf(text, sizeof(text), "store = \"%s\"", cases[i].input);
        conf = load_good(text, NULL);
        if (strcmp(conf->store, cases[i].store) != 0 ||
            strcmp(conf->store_user, cases[i].user) != 0 ||
            strcmp(conf->store_password, cases[i].password) != 0 ||
            conf->store_database != cases[i].database)
            fail_msg("%s: %s, user %s, password %s, database %d", cases[i].input, conf->store,
                     conf->store_user, conf->store_password, conf->store_database);
        conf_release(&conf);
    }
}

static void test_listen(void **state)
{
    struct conf *conf = load_good("policy-listen = {\"unix:/a/b\", \"inet:127.0.0.1:10031\", "
                                  "\"inet:[::1]:25\", \"inet:*:65535\", \"inet:localhost:1\"}",
                                  NULL);

    (void)state;
    assert_int_equal(conf->npolicy_listen, 5);
    assert_true(conf->policy_listen[0].is_unix);
    assert_string_equal(conf->policy_listen[0].path, "/a/b");
    assert_string_equal(conf->policy_listen[1].host, "127.0.0.1");
    assert_int_equal(conf->policy_listen[1].port, 10031);
    assert_string_equal(conf->policy_listen[2].host, "::1");
    assert_string_equal(conf->policy_listen[3].host, "*");
    assert_int_equal(conf->policy_listen[3].port, 65535);
    assert_string_equal(conf->policy_listen[4].host, "127.0.0.1");
    conf_release(&conf);
}

static void test_resolver(void **state)
{
    struct conf *conf = load_good("resolver = {127.0.0.1@5353, \"::1\"}", NULL);

    (void)state;
    assert_string_equal(conf->resolver, "127.0.0.1@5353,::1");
    conf_release(&conf);
}

static void test_overrides(void **state)
{
    static const char *const overrides[] = {
        "mode=enforce",
        "local-domains=a.example,b.example",
        "policy-listen={\"unix:/x\", \"inet:*:25\"}",
        "limit.daily.max=5",
        "class.c.limit.daily.max=6",
        "class.c.members=one@a.example",
        "cause.dns.spf-fail.action=reject",
        "contact=say \"hello\" to ${HOME} \\ now",
        "sender-login=domain,inline:{a@b=c,d@e=f},equal",
    };
    static const char text[] = "limit daily { count = messages max = 1 per = 1h }\n"
                               "class c { members = two@a.example limit daily { max = 2 } }\n"
                               "mode = observe\n";
    char *problems = NULL;
    struct conf *conf =
        conf_load_text("test.conf", text, strlen(text), overrides,
                       sizeof(overrides) / sizeof(*overrides), &test_words, &problems);

    (void)state;
    if (conf == NULL)
        fail_msg("%s", problems);
    assert_int_equal(conf->mode, MODE_ENFORCE);
    assert_int_equal(conf->local_domains.count, 2);
    assert_int_equal(conf->npolicy_listen, 2);
    assert_int_equal(conf->limits[0].max, 5);
    assert_int_equal(conf->limits[0].window_sec, 3600);
    assert_int_equal(conf->nclasses, 1);
    assert_int_equal(conf->classes[0].limits[0].max, 6);
    assert_string_equal(conf->classes[0].members[0].text, "one@a.example");
    assert_int_equal(conf_cause_action(conf, "dns.spf-fail"), 5);
    assert_string_equal(conf->contact, "say \"hello\" to ${HOME} \\ now");
    assert_int_equal(conf->nlogin_rules, 3);
    conf_release(&conf);
}

static void test_questions(void **state)
{
    struct conf *conf = load_good("local-domains = {example.com, .example.org}\n"
                                  "internal-networks = {10.0.0.0/8, \"2001:db8::/32\"}\n"
                                  "cause dns.spf-fail { action = reject }\n"
                                  "cause dns.spf-fail { action = log }\n",
                                  NULL);
    static const struct {
        const char *domain;
        bool want;
    } domains[] = {{"example.com", true},
                   {"Example.COM", true},
                   {"a.example.com", false},
                   {"example.org", false},
                   {"a.example.org", true},
                   {"a.b.example.org", true},
                   {"notexample.com", false},
                   {"", false},
                   {"com", false}};
    static const struct {
        const char *address;
        bool want;
    } addresses[] = {{"10.1.2.3", true},
                     {"11.0.0.1", false},
                     {"2001:db8:1::1", true},
                     {"::ffff:10.0.0.1", true},
                     {"::1", false}};

    (void)state;
    for (size_t i = 0; i < sizeof(domains) / sizeof(*domains); i++)
        if (conf_is_local_domain(conf, domains[i].domain) != domains[i].want)
            fail_msg("%s", domains[i].domain);
    for (size_t i = 0; i < sizeof(addresses) / sizeof(*addresses); i++) {
        struct ip_address address;

        assert_true(ip_parse(addresses[i].address, &address));
        if (conf_is_internal(conf, &address) != addresses[i].want)
            fail_msg("%s", addresses[i].address);
    }
    assert_int_equal(conf_cause_action(conf, "dns.spf-fail"), 1);
    conf_release(&conf);
}

static void test_names(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SUBJECT_COUNT; i++) {
        enum limit_subject subject = SUBJECT_COUNT;
        const char *name = limit_subject_name((enum limit_subject)i);

        assert_non_null(name);
        assert_true(limit_subject_parse(name, &subject));
        assert_int_equal(subject, i);
    }
    for (unsigned i = 0; i < COUNT_COUNT; i++)
        assert_non_null(limit_count_name((enum limit_count)i));
    assert_string_equal(limit_subject_name(SUBJECT_SENDER_DOMAIN), "sender-domain");
}

static void test_durations(void **state)
{
    static const struct {
        int64_t ms;
        const char *want;
    } cases[] = {{0, "0"},        {500, "500ms"},    {90000, "90s"},    {600000, "10m"},
                 {3600000, "1h"}, {86400000, "24h"}, {90000000, "25h"}, {1001, "1001ms"}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char *got = conf_duration(cases[i].ms);

        assert_string_equal(got, cases[i].want);
        free(got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),  cmocka_unit_test(test_default_limits),
        cmocka_unit_test(test_example),   cmocka_unit_test(test_signs),
        cmocka_unit_test(test_values),    cmocka_unit_test(test_booleans),
        cmocka_unit_test(test_lists),     cmocka_unit_test(test_adding_to_defaults),
        cmocka_unit_test(test_store),     cmocka_unit_test(test_listen),
        cmocka_unit_test(test_resolver),  cmocka_unit_test(test_overrides),
        cmocka_unit_test(test_questions), cmocka_unit_test(test_names),
        cmocka_unit_test(test_durations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
