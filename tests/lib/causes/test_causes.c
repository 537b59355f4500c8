/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/causes/causes.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DAEMONS (FOUND_POLICY | FOUND_MILTER)

static bool is_id(const char *id)
{
    const char *dot = strchr(id, '.');
    size_t length = strlen(id);

    return dot != NULL && dot != id && dot[1] != '\0' &&
           strspn(id, "abcdefghijklmnopqrstuvwxyz-.") == length && strchr(dot + 1, '.') == NULL &&
           id[length - 1] != '-' && dot[1] != '-';
}

/* A text for people: ASCII, since SMTP replies and terminals may know no more; ends as asked. */
static const char *problem_of_text(const char *text, size_t least, size_t most, bool sentences)
{
    size_t length;

    if (text == NULL)
        return "is missing";
    length = strlen(text);
    if (length < least || length > most)
        return "is too short or too long";
    for (const char *at = text; *at != '\0'; at++)
        if (*at < ' ' || *at > '~')
            return "is not printable ASCII";
    if (text[0] == ' ' || text[length - 1] == ' ' || strstr(text, "  ") != NULL)
        return "has stray spaces";
    if (strchr(text, '%') != NULL && strstr(text, " %") == NULL)
        return "looks like a format";
    return sentences == (text[length - 1] == '.') ? NULL : "has a wrong end";
}

static void check_texts(const struct cause *cause)
{
    const struct {
        const char *name, *text;
        size_t least, most;
        bool sentences;
    } texts[] = {
        {"title", cause->title, 8, 50, false},
        /* With the codes, the id and a contact, a reply has to stay below SMTP's 512 octets. */
        {"sentence", cause->sentence, 30, 200, true},
        {"explanation", cause->explanation, 60, 700, true},
        {"remedy", cause->remedy, 20, 700, true},
        {"source", cause->source, 6, 120, false},
    };

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        const char *problem;

        if (texts[i].text == NULL && texts[i].text == cause->sentence &&
            (cause->found & DAEMONS) == 0)
            continue;
        problem = problem_of_text(texts[i].text, texts[i].least, texts[i].most, texts[i].sentences);
        if (problem != NULL)
            fail_msg("%s: the %s %s", cause->id, texts[i].name, problem);
    }
}

static void test_rows(void **state)
{
    (void)state;
    for (int i = 0; i < CAUSE_COUNT; i++) {
        const struct cause *cause = cause_get((enum cause_id)i);

        if (!is_id(cause->id) || strcmp(cause_ids()[i], cause->id) != 0)
            fail_msg("%s: spelled wrongly", cause->id);
        if (cause_find(cause->id) != cause)
            fail_msg("%s: there twice, or not found", cause->id);
        if (cause->found == 0)
            fail_msg("%s: never found", cause->id);
        if (cause->action == ACTION_IGNORE)
            fail_msg("%s: ignored", cause->id);
        if (cause->action > ACTION_HOLD && cause->severity == SEVERITY_INFO)
            fail_msg("%s: refused, and only %s", cause->id, severity_name(cause->severity));
        check_texts(cause);
    }
    assert_null(cause_find("limit.message"));
    assert_null(cause_find(""));
}

static void test_titles_differ(void **state)
{
    (void)state;
    for (int i = 0; i < CAUSE_COUNT; i++)
        for (int j = 0; j < i; j++) {
            const struct cause *a = cause_get((enum cause_id)i), *b = cause_get((enum cause_id)j);

            if (text_equal_case(a->title, b->title))
                fail_msg("%s and %s: one title", a->id, b->id);
        }
}

static void test_replies(void **state)
{
    (void)state;
    for (int i = 0; i < CAUSE_COUNT; i++) {
        const struct cause *cause = cause_get((enum cause_id)i);
        unsigned class = cause->reply_code / 100;

        if ((cause->reply_code != 0) != (cause->enhanced != NULL))
            fail_msg("%s: half a reply", cause->id);
        if (cause->action > ACTION_WARN && cause->reply_code == 0)
            fail_msg("%s: refused without a reply", cause->id);
        if (cause->reply_code == 0)
            continue;
        if ((class != 4 && class != 5) || cause->enhanced[0] != (char)('0' + class) ||
            cause->enhanced[1] != '.')
            fail_msg("%s: %u with %s", cause->id, cause->reply_code, cause->enhanced);
        if (cause->action == ACTION_DEFER && class != 4)
            fail_msg("%s: defers with %u", cause->id, cause->reply_code);
        if (cause->action == ACTION_REJECT && class != 5)
            fail_msg("%s: rejects with %u", cause->id, cause->reply_code);
    }
}

static void test_reply_forms(void **state)
{
    static const struct {
        const char *id;
        enum action action;
        unsigned code;
        const char *enhanced;
    } cases[] = {
        {"limit.messages", ACTION_DEFER, 450, "4.7.28"},
        {"limit.messages", ACTION_REJECT, 550, "5.7.28"},
        {"limit.messages", ACTION_LOG, 450, "4.7.28"},
        {"account.unauthenticated", ACTION_REJECT, 530, "5.7.0"},
        {"account.unauthenticated", ACTION_DEFER, 450, "4.7.0"},
        {"account.sender-mismatch", ACTION_REJECT, 553, "5.7.1"},
        {"account.sender-mismatch", ACTION_DEFER, 450, "4.7.1"},
        {"reputation.ip-listed", ACTION_DEFER, 450, "4.7.1"},
        {"content.size", ACTION_REJECT, 552, "5.3.4"},
        {"content.size", ACTION_DEFER, 452, "4.3.4"},
        {"recipient.mailbox-full", ACTION_REJECT, 552, "5.2.2"},
        {"recipient.mailbox-full", ACTION_DEFER, 452, "4.2.2"},
        {"recipient.syntax", ACTION_REJECT, 501, "5.1.3"},
        {"recipient.syntax", ACTION_DEFER, 450, "4.1.3"},
        {"dns.recipient-no-mail", ACTION_REJECT, 556, "5.1.10"},
        {"dns.recipient-no-mail", ACTION_DEFER, 450, "4.1.10"},
        {"dns.spf-fail", ACTION_WARN, 550, "5.7.23"},
        {"content.spam-score", ACTION_HOLD, 550, "5.7.1"},
        {"dns.spf-missing", ACTION_REJECT, 550, "5.7.1"},
        {"dns.spf-missing", ACTION_DEFER, 450, "4.7.1"},
        {"dns.spf-missing", ACTION_WARN, 0, ""},
        {"limit.near", ACTION_IGNORE, 0, ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char enhanced[CAUSE_ENHANCED_SIZE] = "x";
        unsigned code = 1;

        cause_reply(cause_find(cases[i].id), cases[i].action, &code, enhanced);
        if (code != cases[i].code || strcmp(enhanced, cases[i].enhanced) != 0)
            fail_msg("%s, %s: got %u %s", cases[i].id, action_name(cases[i].action), code,
                     enhanced);
    }
}

static void test_names(void **state)
{
    static const char *const actions[] = {"ignore", "log", "warn", "hold", "defer", "reject"};
    enum action action = ACTION_HOLD;

    (void)state;
    assert_int_equal(ACTION_COUNT, COUNT_OF(actions));
    for (int i = 0; i < ACTION_COUNT; i++) {
        assert_string_equal(action_name((enum action)i), actions[i]);
        assert_string_equal(action_names()[i], actions[i]);
        assert_true(action_parse(actions[i], &action));
        assert_int_equal(action, i);
    }
    assert_false(action_parse("Reject", &action));
    assert_false(action_parse("", &action));
    assert_int_equal(action, ACTION_REJECT);
    assert_string_equal(severity_name(SEVERITY_INFO), "info");
    assert_string_equal(severity_name(SEVERITY_WARN), "warn");
    assert_string_equal(severity_name(SEVERITY_ERROR), "error");
}

/* --- the page that the catalogue is a contract of ------------------------------------------ */

#define CELLS_MAX 6
#define NONE "\xe2\x80\x93" /* the page's dash */

static FILE *open_page(void)
{
    const char *page = getenv("SLUICE_CAUSES_PAGE");
    const char *source = getenv("top_srcdir");
    char *path = page != NULL
                     ? mem_copy(page)
                     : mem_print("%s/../shared/design/causes.md", source != NULL ? source : ".");
    FILE *file = fopen(path, "re");

    free(path);
    return file;
}

/* Splits "| a | b |" in place; 0 when it is no row of a table. */
static size_t split_row(char *line, char *cells_r[CELLS_MAX])
{
    size_t count = 0;

    if (line[0] != '|')
        return 0;
    line++;
    while (count < CELLS_MAX && strchr(line, '|') != NULL) {
        char *end = strchr(line, '|');
        char *last = end;

        line += strspn(line, " ");
        while (last > line && last[-1] == ' ')
            last--;
        *last = '\0';
        cells_r[count++] = line;
        line = end + 1;
    }
    return count;
}

static unsigned found_of(const char *cell)
{
    static const char letters[] = "PMFC";
    unsigned found = 0;

    for (; *cell != '\0' && *cell != '('; cell++)
        for (size_t i = 0; letters[i] != '\0'; i++)
            if (*cell == letters[i])
                found |= 1U << i;
    return found;
}

static void compare_row(const struct cause *cause, char *const cells[], size_t count)
{
    const char *reply = count >= 5 ? cells[3] : NONE;
    char ours[32] = NONE;

    if (strcmp(cause->id, cells[0]) != 0)
        fail_msg("%s: the page has %s here", cause->id, cells[0]);
    /* The page is the least: the milter finds config.port too, for a Sendmail has no policy daemon.
     */
    if ((found_of(cells[1]) & ~cause->found) != 0)
        fail_msg("%s: the page says found by %s", cause->id, cells[1]);
    if (strcmp(cells[2], NONE) == 0 ? cause->action != ACTION_LOG || (cause->found & DAEMONS) != 0
                                    : strcmp(action_name(cause->action), cells[2]) != 0)
        fail_msg("%s: the page says %s", cause->id, cells[2]);
    if (cause->reply_code != 0)
        (void)snprintf(ours, sizeof(ours), "%u %s", cause->reply_code, cause->enhanced);
    if (strcmp(ours, reply) != 0)
        fail_msg("%s: the page says %s", cause->id, reply);
}

static void test_page(void **state)
{
    FILE *page = open_page();
    char *line = NULL;
    size_t room = 0;
    int row = 0;

    (void)state;
    if (page == NULL)
        return;
    while (getline(&line, &room, page) > 0) {
        char *cells[CELLS_MAX];
        size_t count = split_row(line, cells);

        if (count < 4 || !is_id(cells[0]))
            continue;
        if (row == CAUSE_COUNT)
            fail_msg("%s: not in the catalogue", cells[0]);
        compare_row(cause_get((enum cause_id)row++), cells, count);
    }
    free(line);
    (void)fclose(page);
    assert_int_equal(row, CAUSE_COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),    cmocka_unit_test(test_titles_differ),
        cmocka_unit_test(test_replies), cmocka_unit_test(test_reply_forms),
        cmocka_unit_test(test_names),   cmocka_unit_test(test_page),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
