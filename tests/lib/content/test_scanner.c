/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/content/scanner.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "tests/lib/content/look.h"
#include "tests/support/conf_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OURS "trusted-scanners = {\"mx.example.test\"}\n"
#define FILTER "trusted-scanner-clients = {\"192.0.2.0/28\"}\n"
#define VERSION "X-Spam-Checker-Version: SpamAssassin 4.0.0 (2022-12-14) on "
#define RESULT                                                                                     \
    "X-Spamd-Result: default: True [18.31 / 15.00];\n\tBAYES_SPAM(5.10)[99.97%];\n"                \
    "\tURIBL_X(8.00)[a.test:url];\n"

static void test_scanner(void **state)
{
    static const struct {
        const char *name, *conf, *client, *header, *want;
    } cases[] = {
        {"SpamAssassin", OURS, "198.51.100.1",
         VERSION "mx.example.test\nX-Spam-Flag: YES\n"
                 "X-Spam-Status: Yes, score=9.3 required=5.0 tests=BAYES_99,HTML_MESSAGE,\n"
                 "\tURIBL_X autolearn=no version=4.0.0\n",
         "SpamAssassin X-Spam-Status 9.3/5.0 BAYES_99,HTML_MESSAGE,URIBL_X"},
        {"SpamAssassin's flag alone", OURS, "198.51.100.1",
         VERSION "MX.example.test\nX-Spam-Flag: YES\n", "SpamAssassin X-Spam-Flag / "},
        {"ham", OURS, "198.51.100.1",
         VERSION "mx.example.test\nX-Spam-Flag: NO\n"
                 "X-Spam-Status: No, score=0.3 required=5.0 tests=NONE\n",
         ""},
        {"Rspamd", OURS, "198.51.100.1", "X-Rspamd-Server: mx.example.test\n" RESULT,
         "Rspamd X-Spamd-Result 18.31/15.00 BAYES_SPAM,URIBL_X"},
        {"Rspamd's action", OURS, "198.51.100.1",
         "X-Rspamd-Server: mx.example.test\nX-Rspamd-Action: add header\n",
         "Rspamd X-Rspamd-Action / "},
        {"Rspamd's greylisting", OURS, "198.51.100.1",
         "X-Rspamd-Server: mx.example.test\nX-Rspamd-Action: greylist\n", ""},
        {"Rspamd's ham", OURS, "198.51.100.1",
         "X-Rspamd-Server: mx.example.test\nX-Spamd-Result: default: False [1.00 / 15.00]; X(1)\n",
         ""},
        {"nobody is trusted", "", "198.51.100.1", "X-Rspamd-Server: mx.example.test\n" RESULT, ""},
        {"another's scanner", OURS, "198.51.100.1", "X-Rspamd-Server: mx.evil.test\n" RESULT, ""},
        {"no name", OURS, "198.51.100.1", RESULT, ""},
        {"two scanners, one is another's", OURS, "198.51.100.1",
         "X-Rspamd-Server: mx.example.test\nX-Rspamd-Server: mx.evil.test\n" RESULT, ""},
        {"the other one's verdict", OURS, "198.51.100.1",
         VERSION "mx.example.test\nX-Spam-Status: No, score=1\n" RESULT, ""},
        {"a name in a comment", OURS, "198.51.100.1",
         VERSION "mx.evil.test (mx.example.test)\nX-Spam-Flag: YES\n", ""},
        {"from the filter", FILTER, "192.0.2.9", "X-Spam: Yes\n", "Rspamd X-Spam / "},
        {"not from the filter", FILTER, "192.0.2.19", "X-Spam: Yes\n", ""},
        {"odd numbers", FILTER, "192.0.2.9",
         "X-Spam-Status: Yes, score=99999999999999999999999999999999 required=\n",
         "SpamAssassin X-Spam-Status / "},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct conf *conf = conf_of(cases[i].conf);
        struct scanner_verdict verdict;
        struct text words = TEXT_EMPTY;
        struct mail mail;

        mail_parse(cases[i].header, strlen(cases[i].header), &mail);
        assert_true(ip_parse(cases[i].client, &mail.message->client));
        if (scanner_says_spam(conf, mail.message, &verdict))
            text_print(&words, "%s %s %s/%s %s", verdict.scanner, verdict.header, verdict.score,
                       verdict.required, verdict.symbols);
        if (strcmp(text_string(&words), cases[i].want) != 0)
            fail_msg("%s: \"%s\", wanted \"%s\"", cases[i].name, text_string(&words),
                     cases[i].want);
        text_free(&words);
        mail_free(&mail);
        conf_release(&conf);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_scanner)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
