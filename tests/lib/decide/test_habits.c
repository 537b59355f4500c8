/* SPDX-License-Identifier: BSD-2-Clause */
/* What of a message an account is remembered by, and what is made of the store's answers. */
#include "lib/decide/habits.h"

#include "lib/base/count.h"
#include "tests/support/conf_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MONDAY INT64_C(1800230400) /* 2027-01-18 00:00 UTC */
#define DAY 86400
static struct message *message_of(const char *user, const char *client, const char *helo,
                                  const char *agent)
{
    struct message *message = message_new(PROGRAM_MILTER, "mx.example.test");

    message->stage = STAGE_END_OF_MESSAGE;
    message->direction = DIRECTION_OUT;
    message_set_user(message, user);
    ip_parse(client, &message->client);
    message_set(&message->helo, helo);
    message_set_sender(message, "alice@example.test");
    message_add_recipient(message, "Bob+x@Example.net");
    message_add_recipient(message, "carol@example.net");
    message->nrecipients_total = 2;
    if (agent)
        message_add_header(message, "User-Agent", agent);
    return message;
}

static void test_plan(void **state)
{
    static const struct {
        const char *name, *client, *helo, *agent, *place, *wanted_client;
    } cases[] = {
        {"IPv4", "203.0.113.7", "h", NULL, "place:203.0.113.0/24", NULL},
        {"IPv6", "2001:db8:1:2::3", "h", NULL, "place:2001:db8:1::/48", NULL},
        {"our own host", "127.0.0.1", "h", NULL, "", NULL},
        {"version", "203.0.113.7", "Laptop-17.example", " Mozilla Thunderbird 115.3 (X11)",
         "place:203.0.113.0/24", "client:mozilla thunderbird|laptop-#.example"},
        {"slash", "203.0.113.7", "[192.168.1.5]", "Roundcube Webmail/1.6.1", "place:203.0.113.0/24",
         "client:roundcube webmail|[]"},
        {"v", "203.0.113.7", "h", "SquirrelMail v1.4", "place:203.0.113.0/24",
         "client:squirrelmail|h"},
        {"the next version of it", "203.0.113.7", "laptop-18.example",
         " Mozilla Thunderbird 128.0esr (Windows NT 10.0; x64)", "place:203.0.113.0/24",
         "client:mozilla thunderbird|laptop-#.example"},
        {"IPv6, another /64 of the site", "2001:db8:1:ffff::9", "h", NULL, "place:2001:db8:1::/48",
         NULL},
        {"nothing but a number", "203.0.113.7", "h", "17", "place:203.0.113.0/24", "client:|h"},
    };
    struct conf *conf = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct message *message =
            message_of("alice", cases[i].client, cases[i].helo, cases[i].agent);
        const struct habits *habits;

        habits_plan(conf, NULL, NULL, MONDAY, message);
        habits = message->facts.habits;
        if (!habits || strcmp(habits->place, cases[i].place) != 0 ||
            strcmp(habits->client ? habits->client : "-",
                   cases[i].wanted_client ? cases[i].wanted_client : "-") != 0)
            fail_msg("%s: %s, %s", cases[i].name, habits ? habits->place : "no plan",
                     habits && habits->client ? habits->client : "-");
        assert_int_equal(habits->nrecipients, 2);
        assert_true(habits->asked);
        message_free(&message);
    }
}

/* A thief's program may take the owner's names, and still speaks TLS in its own way. */
static void test_tls_is_of_the_client(void **state)
{
    static const struct {
        const char *protocol, *cipher, *wanted;
    } cases[] = {
        {"", "", "client:mutt|h"},
        {"TLSv1.3", "TLS_AES_256_GCM_SHA384", "client:mutt|h|tlsv1.3 tls_aes_256_gcm_sha384"},
        {"TLSv1.2", "AES128-SHA", "client:mutt|h|tlsv1.2 aes128-sha"},
    };
    struct conf *conf = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct message *message = message_of("alice", "203.0.113.7", "h", "Mutt/2.2");

        message_set(&message->tls_protocol, cases[i].protocol);
        message_set(&message->tls_cipher, cases[i].cipher);
        habits_plan(conf, NULL, NULL, MONDAY, message);
        assert_string_equal(message->facts.habits->client, cases[i].wanted);
        message_free(&message);
    }
}

/* A certificate is the same whatever the program that shows it, and the headers it is in. */
static void test_certificate(void **state)
{
    static const struct {
        const char *name, *subject, *issuer, *fingerprint, *agent, *wanted;
    } cases[] = {
        {"none", "", "", "", "Mutt/2.2", NULL},
        {"trusted", "Alice's phone", "Example CA", "AA:BB", "Mutt/2.2",
         "certificate:alice's phone, issued by example ca"},
        {"renewed", "Alice's phone", "Example CA", "CC:DD", NULL,
         "certificate:alice's phone, issued by example ca"},
        {"no issuer", "phone", NULL, NULL, NULL, "certificate:phone"},
        {"not trusted", "", "", "AA:BB", NULL, "certificate:aa:bb"},
        {"issuer alone says nothing", NULL, "Example CA", NULL, NULL, NULL},
    };
    struct conf *conf = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct message *message = message_of("alice", "203.0.113.7", "h", cases[i].agent);
        const char *found;

        message_set_certificate(message, cases[i].subject, cases[i].issuer, cases[i].fingerprint);
        habits_plan(conf, NULL, NULL, MONDAY, message);
        found = message->facts.habits->certificate;
        if (strcmp(found ? found : "-", cases[i].wanted ? cases[i].wanted : "-") != 0)
            fail_msg("%s: %s", cases[i].name, found ? found : "-");
        message_free(&message);
    }
}

/* New is what others were there before. */
static void test_new_certificate(void **state)
{
    static const struct {
        const char *name, *mark;
        bool is_new;
    } cases[] = {
        {"the first", "client:mutt|h", false},
        {"this one", "certificate:phone", false},
        {"another one", "certificate:laptop", true},
    };
    const struct store_answer answer = {.outcome = STORE_OUTCOME_DONE};
    struct conf *conf = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct store_pair seen = {cases[i].mark, "1800000000 1800000000 9 0 0 "};
        const struct store_note notes[3] = {{&seen, 1}};
        struct message *message = message_of("alice", "203.0.113.7", "h", NULL);
        const struct habits *habits;

        message_set_certificate(message, "phone", NULL, NULL);
        habits_plan(conf, NULL, NULL, MONDAY, message);
        habits_answered(conf, &answer, notes, message);
        habits = message->facts.habits;
        if (habits->certificate_is_new != cases[i].is_new ||
            habits->client_is_recent != cases[i].is_new || habits->client_is_new)
            fail_msg("%s: %d %d", cases[i].name, habits->certificate_is_new,
                     habits->client_is_recent);
        message_free(&message);
    }
}

static void test_nothing_to_learn(void **state)
{
    struct conf *conf = *state;
    struct message *message = message_of("", "203.0.113.7", "h", "Mutt");

    habits_plan(conf, NULL, NULL, MONDAY, message);
    assert_null(message->facts.habits);
    message_set_user(message, "alice");
    message->stage = STAGE_RCPT;
    habits_plan(conf, NULL, NULL, MONDAY, message);
    assert_null(message->facts.habits);
    message_free(&message);
}

static void test_hours(void **state)
{
    static const struct {
        int64_t when_sec;
        const char *hour, *day;
    } cases[] = {
        {MONDAY, "hour:000", "day:0"},
        {MONDAY - 1, "hour:167", "day:6"},
        {MONDAY + 3 * DAY + 3599, "hour:072", "day:3"},
    };
    struct conf *conf = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct message *message = message_of("alice", "203.0.113.7", "h", NULL);

        habits_plan(conf, NULL, NULL, cases[i].when_sec, message);
        assert_string_equal(message->facts.habits->hour, cases[i].hour);
        assert_string_equal(message->facts.habits->day, cases[i].day);
        message_free(&message);
    }
}

/* The notes as the store has them: "seen", "hours", "known", and the user's flag. */
struct past {
    const char *name;
    struct store_pair seen[4], hours[3], known[2], flag[1];
    bool place_is_new;
    unsigned places;
    int64_t usual;
};

static size_t pairs(const struct store_pair *pairs, size_t most)
{
    size_t count = 0;

    while (count < most && pairs[count].name)
        count++;
    return count;
}

static const struct past pasts[] = {
    {.name = "nothing is known", .places = 1},
    {.name = "another place, an hour ago",
     .seen = {{"place:192.0.2.0/24", "1800000000 1800226700 9 0 0 "}},
     .place_is_new = true,
     .places = 1},
    {.name = "another place, just now",
     .seen = {{"place:192.0.2.0/24", "1800000000 1800230000 9 0 0 "}},
     .place_is_new = true,
     .places = 2},
    {.name = "that was forgiven",
     .seen = {{"place:192.0.2.0/24", "1800000000 1800230000 9 0 0 "}},
     .flag = {{"forgiven", "1800230001"}},
     .place_is_new = true,
     .places = 1},
    {.name = "this place",
     .seen = {{"place:192.0.2.0/24", "1800000000 1800230000 9 0 0 "},
              {"place:203.0.113.0/24", "1800000000 1800000000 1 0 0 "},
              {"client:mutt|h", "1800000000 1800230000 9 0 0 "}},
     .places = 2},
    {.name = "what is no mark is no place", .seen = {{"place:192.0.2.0/24", "yes"}}, .places = 1},
    {.name = "the first week",
     .hours = {{"all", "1799712000 1800144000 4 4000 5 "},
               {"hour:000", "1799712000 1799712000 4 4000 1 "}},
     .places = 1},
    {.name = "this hour of the week",
     .hours = {{"all", "1797552000 1800144000 40 40000 30 "},
               {"hour:000", "1797552000 1799625600 16 16400 4 "}},
     .places = 1,
     .usual = 16},
    {.name = "the hour before, when clocks were put back",
     .hours = {{"all", "1797552000 1800144000 40 40000 30 "},
               {"hour:167", "1797552000 1799622000 16 16400 4 "}},
     .places = 1,
     .usual = 16},
    {.name = "the hour behind, when clocks were put forward",
     .hours = {{"all", "1797552000 1800144000 40 40000 30 "},
               {"hour:001", "1797552000 1799629200 16 16400 4 "}},
     .places = 1,
     .usual = 16},
    {.name = "two hours off is another time",
     .hours = {{"all", "1797552000 1800144000 40 40000 30 "},
               {"hour:002", "1797552000 1799632800 16 16400 4 "}},
     .places = 1,
     .usual = 5},
    {.name = "an hour as any other",
     .hours = {{"all", "1797552000 1800144000 40 40000 30 "}},
     .places = 1,
     .usual = 5},
};

static void test_answers(void **state)
{
    struct conf *conf = *state;

    for (size_t i = 0; i < COUNT_OF(pasts); i++) {
        const struct past *past = &pasts[i];
        struct message *message = message_of("alice", "203.0.113.7", "h", NULL);
        const struct store_note notes[] = {{past->seen, pairs(past->seen, 4)},
                                           {past->hours, pairs(past->hours, 3)},
                                           {past->known, pairs(past->known, 2)}};
        const struct store_answer answer = {.outcome = STORE_OUTCOME_DONE};
        const struct habits *habits;

        if (past->flag[0].name)
            note_fact_add(&message->facts.flag, past->flag[0].name, past->flag[0].value);
        habits_plan(conf, NULL, NULL, MONDAY, message);
        habits_answered(conf, &answer, notes, message);
        habits = message->facts.habits;
        if (!habits->known || habits->place_is_new != past->place_is_new ||
            habits->places != past->places || habits->in_hour.usual != past->usual)
            fail_msg("%s: new %d, places %u, usual %d", past->name, habits->place_is_new,
                     habits->places, (int)habits->in_hour.usual);
        assert_int_equal(habits->in_hour.now, 2);
        assert_int_equal(habits->sampled, 2);
        assert_int_equal(habits->fresh, 2);
        message_free(&message);
    }
}

static void test_no_answer_is_no_habit(void **state)
{
    static const struct store_answer answers[] = {{.outcome = STORE_OUTCOME_AWAY},
                                                  {.outcome = STORE_OUTCOME_DONE, .local = true}};
    const struct store_note notes[3] = {{NULL, 0}};
    struct conf *conf = *state;

    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        struct message *message = message_of("alice", "203.0.113.7", "h", NULL);

        habits_plan(conf, NULL, NULL, MONDAY, message);
        habits_answered(conf, &answers[i], notes, message);
        assert_false(message->facts.habits->known);
        message_free(&message);
    }
}

/* Ten seconds by the last answer; another place or hour asks anew, with what was not told yet. */
static void test_cache(void **state)
{
    static const struct {
        const char *name, *client;
        int64_t after_sec;
        bool asked;
        int64_t now, untold;
    } steps[] = {
        {"the first", "203.0.113.7", 0, true, 2, 0},
        {"at once", "203.0.113.7", 1, false, 4, 0},
        {"nine seconds later", "203.0.113.7", 9, false, 6, 2},
        {"from elsewhere", "198.51.100.1", 9, true, 6, 4},
        {"from elsewhere, again", "198.51.100.1", 10, false, 8, 0},
        {"a while later", "198.51.100.1", 60, true, 4, 2},
        {"a clock that goes back", "198.51.100.1", 20, true, 2, 0},
        {"the next hour", "198.51.100.1", 3600, true, 2, 0},
    };
    const struct store_answer answer = {.outcome = STORE_OUTCOME_DONE};
    const struct store_note notes[3] = {{NULL, 0}};
    struct habits_cache *cache = habits_cache_new();
    struct conf *conf = *state;

    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        struct message *message = message_of("alice", steps[i].client, "h", NULL);
        struct habits *habits;

        habits_plan(conf, NULL, cache, MONDAY + steps[i].after_sec, message);
        habits = message->facts.habits;
        if (habits->asked)
            habits_answered(conf, &answer, notes, message);
        if (habits->asked != steps[i].asked || habits->in_hour.now != steps[i].now ||
            habits->untold != steps[i].untold)
            fail_msg("%s: asked %d, now %d, untold %d", steps[i].name, habits->asked,
                     (int)habits->in_hour.now, (int)habits->untold);
        habits_cache_learn(cache, habits, true);
        message_free(&message);
    }
    habits_cache_free(&cache);
}

static int load(void **state)
{
    *state = conf_of("hostname = mx.example.test\n");
    return 0;
}

static int unload(void **state)
{
    struct conf *conf = *state;

    conf_release(&conf);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plan),
        cmocka_unit_test(test_tls_is_of_the_client),
        cmocka_unit_test(test_certificate),
        cmocka_unit_test(test_new_certificate),
        cmocka_unit_test(test_nothing_to_learn),
        cmocka_unit_test(test_hours),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_cache),
        cmocka_unit_test(test_no_answer_is_no_habit),
    };

    return cmocka_run_group_tests(tests, load, unload);
}
