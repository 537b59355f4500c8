/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose maximum it is. */
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
#include <time.h>

#include <cmocka.h>

static const char text[] =
    "local-domains = {example.com}\n"
    "sender-login = {equal, \"inline:{ shared@example.com=alice@example.com }\"}\n"
    "limit daily { count = messages max = 100 per = 24h }\n"
    "limit other { count = messages max = 10 per = 1h }\n"
    "class net { members = {192.0.2.0/24} limit daily { max = 1 } }\n"
    "class host { members = {192.0.2.7} limit daily { max = 2 } }\n"
    "class six { members = {\"2001:db8::/32\"} limit daily { max = 3 } }\n"
    "class domain { members = {\"@example.com\"} limit daily { max = 4 } }\n"
    "class person { members = {\"Alice@Example.com\", carol} limit daily { max = 5 } }\n"
    "class later { members = {bob@example.com} limit daily { max = 6 } }\n"
    "class latest { members = {bob@example.com} limit daily { max = 7 } }\n"
    "class only-other { members = {dora@example.com} limit other { max = 8 } }\n"
    "class shared { members = {shared@example.com} limit daily { max = 9 } }\n"
    "class idn { members = {\"@bücher.example\"} limit daily { max = 11 } }\n";

static int64_t max_of(const struct conf *conf, size_t limit, const char *login, const char *sender)
{
    const struct conf_person person = {.login = login, .sender = sender};

    return conf_limit_max(conf, &conf->limits[limit], &person, NULL);
}

static void test_maxima(void **state)
{
    static const struct {
        const char *name, *login, *sender, *client;
        int64_t want;
        unsigned line;
    } cases[] = {
        {"nobody", "x@example.net", "x@example.net", "203.0.113.1", 100, 3},
        {"nothing known", "", "", "", 100, 3},
        {"network", "", "", "192.0.2.9", 1, 5},
        {"longer network", "", "", "192.0.2.7", 2, 6},
        {"mapped address", "", "", "::ffff:192.0.2.7", 2, 6},
        {"IPv6", "", "", "2001:db8::1", 3, 7},
        {"domain before network", "x@example.com", "", "192.0.2.7", 4, 8},
        {"address before domain", "alice@example.com", "", "192.0.2.7", 5, 9},
        {"case", "ALICE@EXAMPLE.COM", "", "", 5, 9},
        {"subaddress", "alice+tag@example.com", "", "", 5, 9},
        {"login without domain", "carol", "", "", 5, 9},
        {"the later one", "bob@example.com", "", "", 7, 11},
        {"a class that is silent about the limit", "dora@example.com", "", "", 4, 8},
        {"sender without login", "", "alice@example.com", "", 5, 9},
        {"sender's domain without login", "", "x@example.com", "", 4, 8},
        {"sender that is not the login's", "x@example.net", "bob@example.com", "", 100, 3},
        {"sender that is the login's", "alice@example.com", "shared@example.com", "", 9, 13},
        {"other's address, own class", "alice@example.com", "bob@example.com", "", 5, 9},
        {"IDN", "x@xn--bcher-kva.example", "", "", 11, 14},
    };
    struct conf *conf = load_good(text, NULL);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct conf_place *place = NULL;
        struct conf_match match;
        struct ip_address client = {.family = 0};
        int64_t got;

        if (*cases[i].client != '\0')
            assert_true(ip_parse(cases[i].client, &client));
        got = conf_limit_max(conf, &conf->limits[0],
                             &(struct conf_person){.login = cases[i].login,
                                                   .sender = cases[i].sender,
                                                   .client = &client},
                             &match);
        place = match.class != NULL ? &match.limit->place : &conf->limits[0].place;
        if (got != cases[i].want || place->line != cases[i].line)
            fail_msg("%s: %lld of line %u in place of %lld of line %u", cases[i].name,
                     (long long)got, place->line, (long long)cases[i].want, cases[i].line);
    }
    assert_int_equal(max_of(conf, 1, "dora@example.com", ""), 8);
    conf_release(&conf);
}

static const char many_text[] =
    "local-domains = {example.com}\n"
    "sender-login = domain\n"
    "limit daily { count = messages max = 100 per = 24h }\n"
    "limit bytes { count = bytes max = 1M per = 24h }\n"
    "class base { limit daily { max = 1 } limit bytes { max = 2M } }\n"
    "class heir { inherits = base members = heir@example.com limit daily { max = 2 } }\n"
    "class grandchild { inherits = {heir, base} members = {grand@example.com} }\n"
    "class below { members = {\"@.example.com\"} limit daily { max = 3 } }\n"
    "class dot { members = {.b.example.com} limit daily { max = 4 } }\n"
    "class exempt { members = {free@example.com} limit daily { max = unlimited }\n"
    "  limit bytes { max = unlimited } }\n"
    "class table { members = {\"texthash:%s\"} limit daily { max = 5 } }\n"
    "class pattern { members = {\"inline:{ p@q.example=x, @t.example=x, @.s.example=x, "
    "192.0.2=x, 198.51.100.7=x }\"}\n  limit daily { max = 6 } }\n"
    "class regexp { members = {\"regexp:%s\"} limit daily { max = 7 } }\n";

static struct conf *load_many(void)
{
    struct text text_of = TEXT_EMPTY;
    char *table, *regexp;
    struct conf *conf;

    make_folder();
    table = strdup(make_file("table", "# members\nm@example.org yes\n@example.org yes\n"));
    regexp = strdup(make_file("regexp", "/^nobody@/ x\n/^r[0-9]+@example.org$/ x\n"));
    text_print(&text_of, many_text, table, regexp);
    conf = load_good(text_string(&text_of), NULL);
    text_free(&text_of);
    free(table);
    free(regexp);
    remove_folder();
    return conf;
}

static void test_kinds_of_members(void **state)
{
    static const struct {
        const char *name, *login, *sender, *client, *class, *from;
        int64_t want;
        unsigned entry;
    } cases[] = {
        {"base has no members", "base@example.com", "", "", NULL, NULL, 100, 0},
        {"its own before what it inherits", "heir@example.com", "", "", "heir", "heir", 2, 0},
        {"of several, the first", "grand@example.com", "", "", "grandchild", "heir", 2, 0},
        {"subdomain", "x@a.example.com", "", "", "below", "below", 3, 0},
        {"deep subdomain", "x@c.a.example.com", "", "", "below", "below", 3, 0},
        {"the nearer one", "x@a.b.example.com", "", "", "dot", "dot", 4, 0},
        {"not the domain itself", "x@example.com", "", "", NULL, NULL, 100, 0},
        {"unlimited", "free@example.com", "", "", "exempt", "exempt", CONF_UNLIMITED, 0},
        {"table", "M@example.org", "", "", "table", "table", 5, 2},
        {"table's domain", "x@example.org", "", "", "table", "table", 5, 3},
        {"table, subaddress", "m+x@example.org", "", "", "table", "table", 5, 2},
        {"sender by table, login by nothing", "x@example.net", "m@example.org", "", NULL, NULL, 100,
         0},
        {"inline table", "p@q.example", "", "", "pattern", "pattern", 6, 0},
        {"inline table's domain", "x@t.example", "", "", "pattern", "pattern", 6, 0},
        {"inline table's subdomain", "x@y.s.example", "", "", "pattern", "pattern", 6, 0},
        {"table's octets", "", "", "192.0.2.9", "pattern", "pattern", 6, 0},
        {"table's client", "", "", "198.51.100.7", "pattern", "pattern", 6, 0},
        {"not that client", "", "", "198.51.100.8", NULL, NULL, 100, 0},
        {"pattern, later than the table's domain", "r12@example.org", "", "", "regexp", "regexp", 7,
         2},
        {"no pattern", "rx@example.org", "", "", "table", "table", 5, 3},
    };
    struct conf *conf = load_many();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct ip_address client = {.family = 0};
        struct conf_match match;
        int64_t got;

        if (*cases[i].client != '\0')
            assert_true(ip_parse(cases[i].client, &client));
        got = conf_limit_max(conf, &conf->limits[0],
                             &(struct conf_person){.login = cases[i].login,
                                                   .sender = cases[i].sender,
                                                   .client = &client},
                             &match);
        if (got != cases[i].want || (match.class == NULL) != (cases[i].class == NULL))
            fail_msg("%s: %lld in place of %lld", cases[i].name, (long long)got,
                     (long long)cases[i].want);
        if (match.class != NULL && (strcmp(match.class->name, cases[i].class) != 0 ||
                                    strcmp(match.limit->from->name, cases[i].from) != 0 ||
                                    match.entry.line != cases[i].entry))
            fail_msg("%s: class %s, from %s, line %u", cases[i].name, match.class->name,
                     match.limit->from->name, match.entry.line);
    }
    assert_int_equal(max_of(conf, 1, "grand@example.com", ""), 2 * 1024 * 1024);
    assert_int_equal(max_of(conf, 1, "free@example.com", ""), CONF_UNLIMITED);
    conf_release(&conf);
}

static void test_all_matches(void **state)
{
    static const char *const want[] = {"latest", "later", "domain", "net"};
    struct conf *conf = load_good(text, NULL);
    struct ip_address client;
    struct conf_match matches[8];
    const struct conf_person bob = {.login = "bob@example.com", .client = &client};
    const struct conf_person named = {
        .login = "bob@example.com", .client = &client, .class = "person"};

    (void)state;
    assert_true(ip_parse("192.0.2.99", &client));
    assert_int_equal(conf_matches(conf, &conf->limits[0], &bob, matches, 8), 4);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(matches[i].class->name, want[i]);
    assert_int_equal(matches[3].member->place.line, 5);
    assert_int_equal(conf_matches(conf, &conf->limits[0], &bob, matches, 2), 2);
    assert_string_equal(matches[1].class->name, "later");
    assert_int_equal(conf_matches(conf, &conf->limits[0], &named, matches, 8), 5);
    assert_string_equal(matches[0].class->name, "person");
    assert_null(matches[0].member);
    assert_int_equal(conf_limit_max(conf, &conf->limits[0], &named, NULL), 5);
    conf_release(&conf);
}

static void test_long_names(void **state)
{
    struct conf *conf = load_good(text, NULL);
    char name[4000];

    (void)state;
    memset(name, 'a', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    assert_int_equal(max_of(conf, 0, name, name), 100);
    assert_int_equal(max_of(conf, 0, "@", "@@"), 100);
    assert_int_equal(max_of(conf, 0, "+@+", "+"), 100);
    conf_release(&conf);
}

/* The time per question does not grow with the members: all of them are asked about in no more time
 * than a walk through all of them would take for a few.  With more members the sanitizers spend a
 * minute on reading the file. */
static void test_many_members(void **state)
{
    enum { MEMBERS = 20000 };
    struct text big = TEXT_EMPTY;
    struct conf *conf;
    clock_t start;
    char login[64];

    (void)state;
    text_add_string(&big, "limit daily { count = messages max = 1 per = 1h }\n"
                          "class big { limit daily { max = 2 } members = {\n");
    for (int i = 0; i < MEMBERS; i++)
        text_print(&big, "user%d@example.com,\n", i);
    text_add_string(&big, "last@example.com } }\n");
    conf = load_good(text_string(&big), NULL);
    start = clock(); /* of this process alone, however busy the machine is */
    for (int i = 0; i < MEMBERS; i++) {
        (void)snprintf(login, sizeof(login), "user%d@example.com", i);
        if (max_of(conf, 0, login, login) != 2)
            fail_msg("%s", login);
    }
    /* A walk would make four hundred million comparisons. */
    assert_true(clock() - start < 2 * CLOCKS_PER_SEC);
    conf_release(&conf);
    text_free(&big);
}

static void test_bulk(void **state)
{
    struct conf *conf =
        load_good("local-domains = {example.com}\n"
                  "limit daily { count = messages max = 100 per = 24h }\n"
                  "class staff { members = {\"@example.com\"} limit daily { max = 4 } }\n"
                  "class news { members = {news@example.com}  bulk = yes\n"
                  "  limit daily { max = 5 } }\n"
                  "class named { bulk = yes  inherits = {news} }\n",
                  NULL);
    static const struct {
        const char *login, *class, *want;
    } cases[] = {
        {"news@example.com", NULL, "news"},
        {"alice@example.com", NULL, ""},
        {"alice@example.com", "named", "named"},
        {"", NULL, ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct conf_person person = {.login = cases[i].login, .class = cases[i].class};
        const struct conf_class *class = conf_bulk_class(conf, &person);

        assert_string_equal(class != NULL ? class->name : "", cases[i].want);
    }
    conf_release(&conf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bulk),
        cmocka_unit_test(test_maxima),
        cmocka_unit_test(test_kinds_of_members),
        cmocka_unit_test(test_all_matches),
        cmocka_unit_test(test_long_names),
        cmocka_unit_test(test_many_members),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
