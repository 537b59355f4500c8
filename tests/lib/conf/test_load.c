/* SPDX-License-Identifier: BSD-2-Clause */
/* What a configuration that loads says. */
#include "lib/base/count.h"
#include "lib/base/text.h"
#include "lib/conf/conf.h"
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

#include <cmocka.h>

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
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
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
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
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
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
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
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
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
    struct conf *conf = conf_load_text("test.conf", text, strlen(text), overrides,
                                       COUNT_OF(overrides), &test_words, &problems);

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
    for (size_t i = 0; i < COUNT_OF(domains); i++)
        if (conf_is_local_domain(conf, domains[i].domain) != domains[i].want)
            fail_msg("%s", domains[i].domain);
    for (size_t i = 0; i < COUNT_OF(addresses); i++) {
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
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *got = conf_duration(cases[i].ms);

        assert_string_equal(got, cases[i].want);
        free(got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signs),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_booleans),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_adding_to_defaults),
        cmocka_unit_test(test_store),
        cmocka_unit_test(test_listen),
        cmocka_unit_test(test_resolver),
        cmocka_unit_test(test_overrides),
        cmocka_unit_test(test_questions),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_durations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
