/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/content/links.h"

#include "lib/base/count.h"
#include "lib/base/text.h"
#include "lib/content/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_host_of_url(void **state)
{
    static const struct {
        const char *url, *want; /* with a * behind an address */
    } cases[] = {
        {"http://example.com/", "example.com"},
        {"HTTPS://Example.COM:8443/a?b#c", "example.com"},
        {"  https://example.com", "example.com"},
        {"http:\\\\example.com\\path", "example.com"},
        {"//example.com/a", "example.com"},
        {"http://example.com./", "example.com"},
        {"http://user:pass@example.com/", "example.com"},
        {"http://good.example@evil.example/", "evil.example"},
        {"http://good.example/@evil.example", "good.example"},
        {"http://%65vil.example/", "evil.example"},
        {"http://b\xc3\xbc"
         "cher.example/",
         "xn--bcher-kva.example"},
        {"http://192.0.2.1/", "192.0.2.1*"},
        {"http://3221225985/", "192.0.2.1*"},
        {"http://0xc0.0.02.1/", "192.0.2.1*"},
        {"http://[2001:db8::1]:80/", "2001:db8::1*"},
        {"http://1.2.3.4.example/", "1.2.3.4.example"},
        {"mailto:a@example.com", ""},
        {"ftp://example.com/", ""},
        {"http://", ""},
        {"http:///path", ""},
        {"http://exa mple.com/", ""},
        {"http://{{host}}/", ""},
        {"http://..", ""},
        {"#top", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char host[HOST_ROOM] = "", got[HOST_ROOM + 1];
        bool is_address = false;
        bool found = host_of_url(cases[i].url, strlen(cases[i].url), host, &is_address);

        (void)snprintf(got, sizeof(got), "%s%s", host, found && is_address ? "*" : "");
        if (strcmp(got, cases[i].want) != 0)
            fail_msg("%s: \"%s\"", cases[i].url, got);
    }
}

static void test_host_shown(void **state)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"https://bank.example.com/login", "bank.example.com"},
        {"Log in at www.example.com now", "www.example.com"},
        {"example.com", "example.com"},
        {" Example.com/path ", "example.com"},
        {"(www.example.com).", ""},
        {"Click here", ""},
        {"see example.com for more", ""},
        {"report.pdf", ""},
        {"Version 1.2", ""},
        {"alice@example.com", ""},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char host[HOST_ROOM] = "";

        if (!host_shown(cases[i].text, strlen(cases[i].text), host))
            host[0] = '\0';
        if (strcmp(host, cases[i].want) != 0)
            fail_msg("%s: \"%s\"", cases[i].text, host);
    }
}

static char *shortener[] = {(char *)(uintptr_t) "bit.ly"};

static void check(const char *name, const char *plain, const char *html, const char *want)
{
    const struct strings shorteners = {.items = shortener, .count = 1};
    struct content_fact fact = {0};
    struct links links = {.shorteners = &shorteners, .fact = &fact};
    struct text text = TEXT_EMPTY;

    if (plain != NULL)
        links_plain(&links, plain, strlen(plain));
    if (html != NULL)
        links_html(&links, html, strlen(html));
    links_end(&links);
    text_print(&text, "%zu", fact.nlinks);
    for (size_t i = 0; i < fact.link_domains.count; i++)
        text_print(&text, " %s", fact.link_domains.items[i]);
    if (fact.ndisguised > 0)
        text_print(&text, " %zu:%s>%s", fact.ndisguised, fact.disguise.shown, fact.disguise.host);
    if (fact.shortener != NULL)
        text_print(&text, " short:%s", fact.shortener);
    if (fact.address != NULL)
        text_print(&text, " address:%s", fact.address);
    if (strcmp(text_string(&text), want) != 0)
        fail_msg("%s: \"%s\", wanted \"%s\"", name, text_string(&text), want);
    text_free(&text);
    content_fact_clear(&fact);
}

static void test_links(void **state)
{
    static const struct {
        const char *name, *plain, *html, *want;
    } cases[] = {
        {"none", "Hello.", "<p>Hello.</p>", "0"},
        {"plain", "See https://www.example.com/a and <http://b.example.net>.", NULL,
         "2 example.com example.net"},
        {"no scheme that counts", "ftp://a.example.com mailto://b ://", NULL, "0"},
        {"both are the same mail", "https://a.example.com/", "<a href=https://a.example.com/>x</a>",
         "1 example.com"},
        {"related", NULL, "<a href='https://click.example.com/x'>www.example.com</a>",
         "1 example.com"},
        {"disguised", NULL, "<a href=\"https://evil.test/\">https://bank.example.com/</a>",
         "1 evil.test 1:bank.example.com>evil.test"},
        {"rewritten by who scans mail", NULL,
         "<a href=\"https://eur01.safelinks.protection.outlook.com/?url=x\">www.bank.com</a>",
         "1 outlook.com"},
        {"not by such a service", NULL,
         "<a href=\"https://safelinks.protection.outlook.com.evil.test/\">www.bank.com</a>",
         "1 evil.test 1:www.bank.com>safelinks.protection.outlook.com.evil.test"},
        {"disguised within tags", NULL,
         "<A class=x HREF = \"https://evil.test/\"><b>www.<i>bank</i>.com</b></A>",
         "1 evil.test 1:www.bank.com>evil.test"},
        {"disguised by entities", NULL,
         "<a href=\"https&#58;//evil&#x2e;test/\">www&period;bank.com</a>",
         "1 evil.test 1:www.bank.com>evil.test"},
        {"a tag without an end", NULL, "<a href=\"https://evil.test/\">www.bank.com",
         "1 evil.test 1:www.bank.com>evil.test"},
        {"words", NULL, "<a href=\"https://evil.test/?a=1&amp;b=2\">Unsubscribe &gt;</a>",
         "1 evil.test"},
        {"in a comment", NULL, "<!-- <a href=\"https://evil.test/\">www.bank.com</a> -->", "0"},
        {"in a script", NULL, "<SCRIPT>'<a href=https://evil.test/>'</SCRIPT>", "0"},
        {"an anchor", NULL, "<a name=top></a><a href=\"#top\">www.bank.com</a>", "0"},
        {"another attribute", NULL, "<a data-href=\"https://evil.test/\">x</a>", "0"},
        {"not the tag", NULL, "<abbr href=\"https://evil.test/\">x</abbr>", "0"},
        {"a map", NULL, "<area href=\"https://a.test/\">", "1 a.test"},
        {"shortener", "https://bit.ly/x https://www.bit.ly/y https://notbit.ly", NULL,
         "3 bit.ly notbit.ly short:bit.ly"},
        {"address", NULL, "<a href=\"http://0x7f.1/\">x</a>", "1 address:127.0.0.1"},
        {"a quote that does not end", NULL, "<a href=\"https://a.test/>x</a>", "1 a.test"},
        {"a user that looks like a host", NULL,
         "<a href=\"https://www.bank.com@evil.test/\">Log in</a>",
         "1 evil.test 1:www.bank.com>evil.test"},
        {"a user and a password", NULL, "<a href=\"https://bank.com:x@evil.test/\">Log in</a>",
         "1 evil.test 1:bank.com>evil.test"},
        {"a user that is a person", NULL,
         "<a href=\"https://al:x@a.test/\">Log in</a><a href=\"https://al.x@a.test/\">y</a>",
         "2 a.test"},
        {"a user who is related", NULL, "<a href=\"https://www.bank.com@login.bank.com/\">x</a>",
         "1 bank.com"},
        {"a base", NULL, "<base href=\"https://evil.test/x/\"><a href=\"login\">www.bank.com</a>",
         "1 evil.test 1:www.bank.com>evil.test"},
        {"a base with all kinds of addresses", NULL,
         "<base href='https://a.test/'><base href='https://b.test/'><a href='/x'>1</a>"
         "<a href='?y'>2</a><a href='#z'>-</a><a href='mailto:x'>-</a><a href='//c.test/'>3</a>"
         "<a href='https://d.test/'>4</a>",
         "4 a.test c.test d.test"},
        {"no base", NULL, "<a href='/login'>www.bank.com</a>", "0"},
        {"cut", NULL, "<a href=", "0"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        check(cases[i].name, cases[i].plain, cases[i].html, cases[i].want);
}

static void test_bounds(void **state)
{
    struct text html = TEXT_EMPTY;
    struct text want = TEXT_EMPTY;

    (void)state;
    text_print(&want, "%d", 1000);
    for (int i = 0; i < 1000; i++) {
        text_print(&html, "<a href=http://h%d.test/>x</a>", i);
        if (i < CONTENT_DOMAINS_MAX)
            text_print(&want, " h%d.test", i);
    }
    check("domains that are kept", NULL, text_string(&html), text_string(&want));
    text_clear(&html);
    text_add_string(&html, "<a href=\"http://a.test/");
    for (int i = 0; i < 100000; i++)
        text_add_string(&html, "&amp;<x");
    check("a long address", NULL, text_string(&html), "1 a.test");
    text_free(&html);
    text_free(&want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_host_of_url),
        cmocka_unit_test(test_host_shown),
        cmocka_unit_test(test_links),
        cmocka_unit_test(test_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
