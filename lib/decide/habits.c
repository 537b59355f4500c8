/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/decide/habits.h"

#include "lib/base/count.h"
#include "lib/base/hash.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "lib/decide/subjects.h"
#include "lib/store/subject.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOUR_SEC INT64_C(3600)
#define DAY_SEC INT64_C(86400)
#define WEEK_SEC (7 * DAY_SEC)
#define KEEP_SEC (90 * DAY_SEC)

#define SEEN_MAX 64
#define HOURS_MAX 192 /* 168 hours, 7 days, and "all" */
#define KNOWN_MAX 256

/* Privacy addresses and mobile networks change their /64 by the hour; a site has a /48. */
#define PLACE_PREFIX_IPV4 24
#define PLACE_PREFIX_IPV6 48

#define HISTORY_DAYS 7 /* before that, nothing is usual or unusual */
#define DAY_HOURS 8 /* in which people do the work of a day */

#define RECENT_SEC HOUR_SEC
#define CLIENT_MAX 120

/* The fields of "known" that count the others, by the hour: no hash looks like these. */
static const char sampled[] = "#all", fresh[] = "#new";
static const char all[] = "all";

/* --- what this message adds ----------------------------------------------------------- */

static void plan_place(const struct conf *conf, const struct geo *geo,
                       const struct message *message, struct habits *habits)
{
    struct geo_place place;

    if (message->client.family == 0 || conf_is_internal(conf, &message->client))
        return;
    geo_find(geo, &message->client, &place);
    if (place.country[0] != '\0')
        snprintf(habits->country, sizeof habits->country, "country:%.2s", place.country);
    if (place.as_number != 0) {
        snprintf(habits->place, sizeof habits->place, "place:AS%" PRIu32, place.as_number);
        return;
    }

    struct ip_network network = ip_network_of(
        &message->client, message->client.family == 4 ? PLACE_PREFIX_IPV4 : PLACE_PREFIX_IPV6);
    char text[IP_TEXT_MAX];

    ip_network_format(&network, text);
    snprintf(habits->place, sizeof habits->place, "place:%s", text);
}

/* A network says nearly as much of a person as an address does. */
static void name_place_mark(const struct conf *conf, struct habits *habits)
{
    struct subject_hiding hiding;
    char name[SUBJECT_NAME_SIZE];

    if (!conf->store_hash_addresses || habits->place[0] == '\0') {
        memcpy(habits->place_mark, habits->place, sizeof habits->place_mark);
        return;
    }
    subject_hiding_set(&hiding, conf->store_hash_key);
    (void)subject_name(&hiding, habits->place, name);
    snprintf(habits->place_mark, sizeof habits->place_mark, "%.*s",
             (int)sizeof habits->place_mark - 1, name);
}

/* "Mozilla Thunderbird 115.3 (X11)" is the program that version 116 is. */
static void add_program(const char *value, struct text *text)
{
    size_t length;

    value += strspn(value, " \t\r\n");
    length = strcspn(value, "/(;0123456789\r\n");
    while (length > 0 && strchr(" \t-_.v", value[length - 1]))
        length--;
    text_add(text, value, length);
}

/* An address literal says where the client is, and a number in a name which of many it is. */
static void add_helo(const char *helo, struct text *text)
{
    if (helo[0] == '[') {
        text_add_string(text, "[]");
        return;
    }
    for (bool digit = false; *helo; helo++) {
        bool is_digit = *helo >= '0' && *helo <= '9';

        if (!is_digit)
            text_add_char(text, *helo);
        else if (!digit)
            text_add_char(text, '#');
        digit = is_digit;
    }
}

/* The headers come to the milter only.  What the two sides agreed on for TLS is the library's that
 * the program is built with, as far as an MTA tells. */
static void plan_client(const struct message *message, struct habits *habits)
{
    const struct header *header = message_header(message, "User-Agent", 0);
    struct text text = TEXT_EMPTY;

    if (!header)
        header = message_header(message, "X-Mailer", 0);
    if (!header)
        return;
    text_add_string(&text, "client:");
    add_program(header->value, &text);
    text_add_char(&text, '|');
    add_helo(message->helo, &text);
    if (message->tls_protocol[0] != '\0')
        text_print(&text, "|%s %s", message->tls_protocol, message->tls_cipher);
    text_cut(&text, text.length < CLIENT_MAX ? text.length : CLIENT_MAX);
    habits->client = text_lower(text_take(&text));
}

/* Whose it is stays when it is renewed. */
static void plan_certificate(const struct message *message, struct habits *habits)
{
    if (message->tls_certificate[0] != '\0')
        habits->certificate =
            text_lower(mem_print("certificate:%.*s", CLIENT_MAX, message->tls_certificate));
}

static void plan_recipients(const struct conf *conf, const struct message *message,
                            struct habits *habits)
{
    for (size_t i = 0; i < message->nrecipients && habits->nrecipients < HABITS_RECIPIENTS; i++) {
        char *counted = address_counted(&message->recipients[i].address, conf->recipient_delimiter);
        uint64_t hash = hash_stable(counted, strlen(counted));

        snprintf(habits->recipients[habits->nrecipients++], sizeof habits->recipients[0],
                 "%08" PRIx32, (uint32_t)(hash ^ hash >> 32));
        free(counted);
    }
}

/* The epoch was a Thursday; Monday's first hour is 0. */
static void name_hour(int64_t now_sec, char hour_r[HABITS_HOUR_SIZE], char day_r[HABITS_HOUR_SIZE])
{
    int64_t in_week = (now_sec + 3 * DAY_SEC) % WEEK_SEC;

    snprintf(hour_r, HABITS_HOUR_SIZE, "hour:%03d", (int)(in_week / HOUR_SEC));
    snprintf(day_r, HABITS_HOUR_SIZE, "day:%d", (int)(in_week / DAY_SEC));
}

static void name_hours(struct habits *habits)
{
    char unused[HABITS_HOUR_SIZE];

    name_hour(habits->when_sec, habits->hour, habits->day);
    name_hour(habits->when_sec - HOUR_SEC, habits->hour_before, unused);
    name_hour(habits->when_sec + HOUR_SEC, habits->hour_behind, unused);
}

void habits_plan(const struct conf *conf, const struct geo *geo, struct habits_cache *cache,
                 int64_t now_sec, struct message *message)
{
    struct text subject = TEXT_EMPTY;
    struct habits *habits;

    habits_free(&message->facts.habits);
    /* Before the charge nothing is learned, and what is unusual is said with it. */
    if (message->stage == STAGE_RCPT && conf->charge_at != CHARGE_AT_RCPT)
        return;
    if (message->user[0] == '\0' || !subjects_name(conf, message, SUBJECT_USER, NULL, &subject)) {
        text_free(&subject);
        return;
    }
    habits = message->facts.habits = mem_new(1, sizeof *habits);
    habits->subject = text_take(&subject);
    habits->when_sec = now_sec;
    habits->amount = (int64_t)message->nrecipients_total;
    name_hours(habits);
    plan_place(conf, geo, message, habits);
    name_place_mark(conf, habits);
    plan_client(message, habits);
    plan_certificate(message, habits);
    plan_recipients(conf, message, habits);
    habits->asked = !habits_cache_find(cache, habits);
}

/* --- what the store is asked and told ------------------------------------------------- */

static void add_mark(struct notes_request *room, const struct habits *habits,
                     const struct store_mark *like, const char *field)
{
    struct store_mark *mark;

    if (!field || field[0] == '\0')
        return;
    mark = notes_mark(room, habits->subject, like->kind, field);
    if (!mark)
        return;
    mark->amount = like->amount;
    mark->period_sec = like->period_sec;
    mark->fields_max = like->fields_max;
    mark->keep_sec = KEEP_SEC;
}

static void ask_seen(const struct habits *habits, struct notes_request *room)
{
    const struct store_mark like = {.kind = "seen", .amount = 1, .fields_max = SEEN_MAX};

    notes_wish(room, habits->subject, "seen");
    add_mark(room, habits, &like, habits->place_mark);
    add_mark(room, habits, &like, habits->country);
    add_mark(room, habits, &like, habits->client);
    add_mark(room, habits, &like, habits->certificate);
}

static void ask_hours(const struct habits *habits, struct notes_request *room)
{
    const struct {
        const char *field;
        int64_t period_sec;
    } hours[] = {{habits->hour, WEEK_SEC}, {habits->day, WEEK_SEC}, {all, DAY_SEC}};
    struct store_wish *wish = notes_wish(room, habits->subject, HABITS_HOURS_KIND);

    notes_wish_field(room, wish, habits->hour_before);
    notes_wish_field(room, wish, habits->hour_behind);
    for (size_t i = 0; i < COUNT_OF(hours); i++) {
        notes_wish_field(room, wish, hours[i].field);
        add_mark(room, habits,
                 &(struct store_mark){.kind = HABITS_HOURS_KIND,
                                      .amount = habits->amount + habits->untold,
                                      .fields_max = HOURS_MAX,
                                      .period_sec = hours[i].period_sec},
                 hours[i].field);
    }
}

/* The counts stand behind what they count. */
static void ask_known(const struct habits *habits, struct notes_request *room)
{
    struct store_wish *wish = notes_wish(room, habits->subject, "known");
    struct store_mark like = {.kind = "known", .amount = 1, .fields_max = KNOWN_MAX};

    for (size_t i = 0; i < habits->nrecipients; i++) {
        notes_wish_field(room, wish, habits->recipients[i]);
        add_mark(room, habits, &like, habits->recipients[i]);
    }
    notes_wish_field(room, wish, fresh);
    notes_wish_field(room, wish, sampled);
    like.period_sec = HOUR_SEC;
    like.amount = STORE_AMOUNT_NEW;
    add_mark(room, habits, &like, fresh);
    like.amount = (int64_t)habits->nrecipients;
    add_mark(room, habits, &like, sampled);
}

void habits_ask(const struct conf *conf, const struct message *message, struct notes_request *room)
{
    const struct habits *habits = message->facts.habits;

    (void)conf;
    if (!habits || !habits->asked)
        return;
    ask_seen(habits, room);
    ask_hours(habits, room);
    ask_known(habits, room);
}

/* --- what the store says -------------------------------------------------------------- */

static bool starts_with(const char *string, const char *prefix)
{
    return strncmp(string, prefix, strlen(prefix)) == 0;
}

struct sight {
    bool is_new; /* there are others of its kind, but not this one */
    bool is_recent; /* new, or new within the last hour: another program may have told of it */
    unsigned distinct; /* since since_sec, this one included */
};

static struct sight judge_seen(const struct store_note *seen, const char *field, const char *prefix,
                               int64_t since_sec, int64_t now_sec)
{
    struct sight sight = {.distinct = field && field[0] != '\0' ? 1 : 0};
    int64_t first_sec = now_sec;
    bool older = false, here = false, others = false;

    for (size_t i = 0; i < seen->npairs; i++) {
        struct store_mark_value mark;
        bool same = field && strcmp(seen->pairs[i].name, field) == 0;

        if (!starts_with(seen->pairs[i].name, prefix) ||
            !store_mark_read(seen->pairs[i].value, &mark))
            continue;
        here = here || same;
        if (same) {
            first_sec = mark.first_sec;
            continue;
        }
        others = true;
        older = older || mark.first_sec <= now_sec - RECENT_SEC;
        if (mark.last_sec > since_sec)
            sight.distinct++;
    }
    sight.is_new = sight.distinct > 0 && others && !here && field && field[0] != '\0';
    sight.is_recent = sight.is_new || (here && older && first_sec > now_sec - RECENT_SEC);
    return sight;
}

static bool read_mark(const struct store_note *note, const char *field,
                      struct store_mark_value *mark_r)
{
    const char *value = store_note_value(note, field);

    *mark_r = (struct store_mark_value){0};
    return value && store_mark_read(value, mark_r);
}

/* What was counted in the period that now lies in. */
static int64_t count_now(const struct store_mark_value *mark, int64_t now_sec, int64_t period_sec)
{
    return mark->last_sec / period_sec == now_sec / period_sec ? mark->count : 0;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t rounded(int64_t milli)
{
    return most(1, (milli + 500) / 1000);
}

/* What is usual in this hour of the week, the one before or behind it, or in an hour of a usual
 * day: whichever is most, so that a new hour of work or a holiday is no reason for alarm, and
 * clocks that are put forward or back (the hours are UTC's) are none either. */
static void judge_volume(const struct store_note *hours, int64_t added, struct habits *habits)
{
    struct store_mark_value hour, before, behind, day, days;
    bool history =
        read_mark(hours, all, &days) && habits->when_sec - days.first_sec >= HISTORY_DAYS * DAY_SEC;

    read_mark(hours, habits->hour, &hour);
    read_mark(hours, habits->hour_before, &before);
    read_mark(hours, habits->hour_behind, &behind);
    read_mark(hours, habits->day, &day);
    habits->in_hour.now = count_now(&hour, habits->when_sec, WEEK_SEC) + added;
    habits->in_day.now = count_now(&day, habits->when_sec, WEEK_SEC) + added;
    if (!history)
        return;
    habits->in_hour.usual = rounded(most(most(hour.usual_milli, days.usual_milli / DAY_HOURS),
                                         most(before.usual_milli, behind.usual_milli)));
    habits->in_day.usual = rounded(most(day.usual_milli, days.usual_milli));
}

void habits_volumes(const struct store_note *hours, int64_t now_sec,
                    struct habits_volume *in_hour_r, struct habits_volume *in_day_r)
{
    struct habits habits = {.when_sec = now_sec};

    name_hours(&habits);
    judge_volume(hours, 0, &habits);
    *in_hour_r = habits.in_hour;
    *in_day_r = habits.in_day;
}

static void judge_recipients(const struct store_note *known, size_t added, struct habits *habits)
{
    struct store_mark_value mark;

    read_mark(known, sampled, &mark);
    habits->sampled = count_now(&mark, habits->when_sec, HOUR_SEC);
    read_mark(known, fresh, &mark);
    habits->fresh = count_now(&mark, habits->when_sec, HOUR_SEC);
    for (size_t i = 0; i < added; i++) {
        habits->sampled++;
        if (!store_note_value(known, habits->recipients[i]))
            habits->fresh++;
    }
}

/* When an operator last said that all was well. */
static int64_t forgiven_sec(const struct message *message)
{
    const char *value = note_fact_value(&message->facts.flag, HABITS_FORGIVEN_FIELD);

    return value ? strtoll(value, NULL, 10) : 0;
}

/* Lately: what was new then is known by now. */
static bool is_forgiven(const struct message *message)
{
    return message->facts.habits->when_sec - forgiven_sec(message) < RECENT_SEC;
}

void habits_answered(const struct conf *conf, const struct store_answer *answer,
                     const struct store_note *notes, struct message *message)
{
    struct habits *habits = message->facts.habits;
    const struct store_note *seen = &notes[0], *hours = &notes[1], *known = &notes[2];
    int64_t since_sec = habits->when_sec - conf->locations_window_ms / 1000;
    struct sight place, country, client, certificate;

    habits->known = answer->outcome != STORE_OUTCOME_AWAY && !answer->local;
    if (!habits->known)
        return;
    since_sec = most(since_sec, forgiven_sec(message));
    place = judge_seen(seen, habits->place_mark, "place:", since_sec, habits->when_sec);
    country = judge_seen(seen, habits->country, "country:", since_sec, habits->when_sec);
    client = judge_seen(seen, habits->client, "client:", since_sec, habits->when_sec);
    certificate =
        judge_seen(seen, habits->certificate, "certificate:", since_sec, habits->when_sec);
    habits->place_is_new = place.is_new;
    habits->place_is_recent = place.is_recent && !is_forgiven(message);
    habits->country_is_new = country.is_new;
    habits->country_is_recent = country.is_recent && !is_forgiven(message);
    habits->client_is_new = client.is_new;
    habits->certificate_is_new = certificate.is_new;
    habits->client_is_recent = (client.is_recent || certificate.is_recent) && !is_forgiven(message);
    habits->places = place.distinct;
    habits->countries = country.distinct;
    judge_volume(hours, (answer->known ? 0 : habits->amount) + habits->untold, habits);
    judge_recipients(known, answer->known ? 0 : habits->nrecipients, habits);
}

void habits_forgive(struct store *store, const char *subject, int64_t now_sec,
                    store_callback *callback, void *context)
{
    char hour[HABITS_HOUR_SIZE], day[HABITS_HOUR_SIZE], now[24];
    const char *const hours[] = {hour, day}, *const known[] = {sampled, fresh};
    const struct store_pair forgiven = {HABITS_FORGIVEN_FIELD, now};
    const struct store_note_change change = {.subject = subject,
                                             .kind = "flag",
                                             .pairs = &forgiven,
                                             .npairs = 1,
                                             .life_ms = KEEP_SEC * 1000};

    name_hour(now_sec, hour, day);
    snprintf(now, sizeof now, "%" PRId64, now_sec);
    store_note_remove(store, subject, HABITS_HOURS_KIND, hours, 2, NULL, NULL);
    store_note_remove(store, subject, "known", known, 2, NULL, NULL);
    store_note_set(store, &change, callback, context);
}
