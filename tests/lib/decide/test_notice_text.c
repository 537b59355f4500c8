/* SPDX-License-Identifier: BSD-2-Clause */
/* What a notice says. */
#include "lib/decide/notice_text.h"

#include "lib/base/count.h"
#include "lib/causes/causes.h"
#include "lib/decide/verdict.h"
#include "tests/support/conf_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char conf_text[] = "mode = enforce\nhostname = mx.example.test\n"
                                "notify a { causes = \"*\"  mail = {admin@example.test} }\n";

static struct message *message_of(const struct conf *conf)
{
    struct message *message = message_new(PROGRAM_POLICY, "mx.example.test");
    struct finding *finding;

    message_set_user(message, "eve\r\nBcc: victim@example.net");
    message_set_sender(message, "eve@example.test");
    finding = findings_add(&message->findings, cause_get(CAUSE_LIMIT_MESSAGES));
    finding->action_asked = -1;
    finding_field(finding, "limit", "daily");
    finding_sentence(finding, "100%% of it%s", ".");
    verdict_set(conf, message);
    return message;
}

static void test_templates(void **state)
{
    static const struct {
        const char *template, *want;
    } cases[] = {
        {"plain", "plain"},
        {"%{limit}", "daily"},
        {"<%{limit}%{cause}>", "<dailylimit.messages>"},
        {"%{unknown}", ""},
        {"100%% %", "100% %"},
        {"%{open", "%{open"},
        {"%%{limit}", "%{limit}"},
        {"%{sentence}", "100% of it."},
        {"%{user}", "eve  bcc: victim@example.net"},
        {"%{host}", "mx.example.test"},
    };
    struct conf *conf = conf_of(conf_text);
    struct message *message = message_of(conf);
    struct notice_words words;

    (void)state;
    notice_words_of(&words, conf, message, &message->findings.items[0]);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct text text = TEXT_EMPTY;

        notice_fill(&words, cases[i].template, &text);
        if (strcmp(text_string(&text), cases[i].want) != 0)
            fail_msg("%s: \"%s\"", cases[i].template, text_string(&text));
        text_free(&text);
    }
    assert_true(words.done);
    notice_words_clear(&words);
    message_free(&message);
    conf_release(&conf);
}

/* Nothing that a stranger wrote can end a line of the header. */
static void test_mail(void **state)
{
    struct conf *conf = conf_of(conf_text);
    struct message *message = message_of(conf);
    struct notice_words words;
    struct text text = TEXT_EMPTY;
    const char *body;

    (void)state;
    notice_words_of(&words, conf, message, &message->findings.items[0]);
    notice_mail(conf, &conf->notifies[0], &words, "admin@example.test", false, &text);
    assert_non_null(strstr(text_string(&text), "From: Sluice <postmaster@mx.example.test>\n"));
    assert_non_null(strstr(text_string(&text), "\nTo: admin@example.test\n"));
    assert_non_null(strstr(text_string(&text), "\nSubject: [limit.messages] user:eve  bcc: "));
    assert_null(strstr(text_string(&text), "\nBcc"));
    assert_null(strstr(text_string(&text), "\nbcc"));
    assert_null(strchr(text_string(&text), '\r'));
    body = strstr(text_string(&text), "\n\n");
    assert_non_null(body);
    assert_non_null(strstr(body, "100% of it."));
    text_free(&text);
    notice_words_clear(&words);
    message_free(&message);
    conf_release(&conf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_templates),
        cmocka_unit_test(test_mail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
