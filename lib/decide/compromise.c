/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/decide/compromise.h"

#include "lib/base/count.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Points. Unusual volume is the strongest sign, as it is what a thief wants the account for. */
#define VOLUME_LEAST 30 /* at usual-factor */
#define VOLUME_DOUBLING 10 /* for each doubling beyond */
#define VOLUME_MOST 60
#define PLACES_USUAL 2 /* home or office, and a telephone */
#define PLACE_MORE 10
#define PLACES_MOST 50
#define COUNTRY_MORE 20
#define COUNTRIES_MOST 40
#define NEW_PLACE 10
#define NEW_COUNTRY 20
#define NEW_CLIENT 10
#define FRESH_SAMPLE                                                                               \
    10 /* recipients in the hour, from which on their share of new ones means something */
#define FRESH_PERCENT 50
#define FRESH_MOST 30

static const struct habits_volume *unusual(const struct conf *conf,
                                           const struct habits_volume *volume)
{
    bool is = volume->usual > 0 && volume->now >= conf->usual_floor &&
              volume->now / volume->usual >= conf->usual_factor;

    return is ? volume : NULL;
}

/* The hour or the day: whichever is further from the usual. */
static const struct habits_volume *worst(const struct conf *conf, const struct habits *habits)
{
    const struct habits_volume *hour = unusual(conf, &habits->in_hour);
    const struct habits_volume *day = unusual(conf, &habits->in_day);

    if (!hour || !day)
        return hour ? hour : day;
    return hour->now / hour->usual >= day->now / day->usual ? hour : day;
}

int64_t compromise_times_usual(const struct conf *conf, const struct habits *habits)
{
    const struct habits_volume *volume = worst(conf, habits);

    return volume ? volume->now / volume->usual : 0;
}

bool compromise_many_locations(const struct conf *conf, const struct habits *habits)
{
    return habits->places > (unsigned)conf->locations_max ||
           habits->countries > (unsigned)conf->countries_max;
}

/* --- the kinds of evidence ------------------------------------------------------------ */

static unsigned at_most(unsigned most, unsigned points)
{
    return points < most ? points : most;
}

static unsigned from_volume(const struct conf *conf, const struct habits *habits, struct text *text)
{
    const struct habits_volume *volume = worst(conf, habits);
    unsigned points = VOLUME_LEAST;
    int64_t times;

    if (!volume)
        return 0;
    times = volume->now / volume->usual;
    text_print(text, "%" PRId64 "x usual (%" PRId64 " recipients this %s, usually %" PRId64 ")",
               times, volume->now, volume == &habits->in_hour ? "hour" : "day", volume->usual);
    for (times /= conf->usual_factor; times > 1; times /= 2)
        points += VOLUME_DOUBLING;
    return at_most(VOLUME_MOST, points);
}

static unsigned from_places(const struct conf *conf, const struct habits *habits, struct text *text)
{
    char *window;

    if (habits->places <= PLACES_USUAL)
        return 0;
    window = conf_duration(conf->locations_window_ms);
    text_print(text, "%u networks in %s", habits->places, window);
    free(window);
    return at_most(PLACES_MOST, PLACE_MORE * (habits->places - PLACES_USUAL));
}

static unsigned from_countries(const struct conf *conf, const struct habits *habits,
                               struct text *text)
{
    char *window;

    if (habits->countries < 2)
        return 0;
    window = conf_duration(conf->locations_window_ms);
    text_print(text, "%u countries in %s", habits->countries, window);
    free(window);
    return at_most(COUNTRIES_MOST, COUNTRY_MORE * (habits->countries - 1));
}

static unsigned from_fresh(const struct conf *conf, const struct habits *habits, struct text *text)
{
    int64_t percent;

    (void)conf;
    if (habits->sampled < FRESH_SAMPLE)
        return 0;
    percent = habits->fresh * 100 / habits->sampled;
    if (percent < FRESH_PERCENT)
        return 0;
    text_print(text, "%" PRId64 "%% new recipients", percent);
    return at_most(FRESH_MOST, (unsigned)(percent - FRESH_PERCENT) * 2 / 3 + 5);
}

static unsigned from_new_place(const struct conf *conf, const struct habits *habits,
                               struct text *text)
{
    (void)conf;
    if (habits->country_is_recent) {
        text_print(text, "first mail from %s", habits->country + strlen("country:"));
        return NEW_COUNTRY;
    }
    if (!habits->place_is_recent)
        return 0;
    text_print(text, "first mail from %s", habits->place + strlen("place:"));
    return NEW_PLACE;
}

static unsigned from_new_client(const struct conf *conf, const struct habits *habits,
                                struct text *text)
{
    (void)conf;
    if (!habits->client_is_recent)
        return 0;
    text_add_string(text, "a new mail program");
    return NEW_CLIENT;
}

unsigned compromise_score(const struct conf *conf, const struct habits *habits,
                          struct text *evidence_r)
{
    static unsigned (*const kinds[])(const struct conf *, const struct habits *, struct text *) = {
        from_volume, from_places, from_countries, from_fresh, from_new_place, from_new_client};
    unsigned score = 0;

    text_clear(evidence_r);
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct text one = TEXT_EMPTY;

        score += kinds[i](conf, habits, &one);
        if (one.length > 0 && evidence_r->length > 0)
            text_add_string(evidence_r, ", ");
        text_add(evidence_r, text_string(&one), one.length);
        text_free(&one);
    }
    return score;
}
