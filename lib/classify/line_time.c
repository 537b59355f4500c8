/* SPDX-License-Identifier: BSD-2-Clause */
/* When a log line was written. */
#include "lib/classify/line.h"

#include <string.h>
#include <time.h>

#define US_PER_SEC INT64_C(1000000)
#define US_PER_DAY (86400 * US_PER_SEC)
#define FRACTION_DIGITS 6
#define AHEAD_MAX_US US_PER_DAY /* a clock of another host may be ahead */

/* The number that the next digits make, count of them.  false: they are no digits. */
static bool take_digits(struct span *text, size_t count, int *number_r)
{
    unsigned number;

    if (text->length < count || !span_number(span_to(*text, count), 9999, &number))
        return false;
    *number_r = (int)number;
    *text = span_from(*text, count);
    return true;
}

/* ".123456" in microseconds; what there is more of is dropped. */
static int64_t take_fraction(struct span *text)
{
    int64_t fraction = 0;
    size_t digits;

    if (!span_skip(text, "."))
        return 0;
    digits = span_digits(*text);
    for (size_t i = 0; i < FRACTION_DIGITS; i++)
        fraction = fraction * 10 + (i < digits ? text->start[i] - '0' : 0);
    *text = span_from(*text, digits);
    return fraction;
}

static bool take_clock(struct span *text, struct tm *time, int64_t *fraction_r)
{
    if (!take_digits(text, 2, &time->tm_hour) || !span_skip(text, ":") ||
        !take_digits(text, 2, &time->tm_min) || !span_skip(text, ":") ||
        !take_digits(text, 2, &time->tm_sec))
        return false;
    *fraction_r = take_fraction(text);
    return time->tm_hour < 24 && time->tm_min < 60 && time->tm_sec <= 60;
}

/* "+02:00", "+0200", "Z": seconds east of Greenwich. */
static bool take_zone(struct span *text, int *seconds_r)
{
    int hours;
    int minutes;
    int sign;

    if (span_skip(text, "Z")) {
        *seconds_r = 0;
        return text->length == 0;
    }
    sign = span_starts(*text, "-") ? -1 : 1;
    if ((!span_skip(text, "-") && !span_skip(text, "+")) || !take_digits(text, 2, &hours))
        return false;
    (void)span_skip(text, ":");
    if (!take_digits(text, 2, &minutes))
        return false;
    *seconds_r = sign * (hours * 3600 + minutes * 60);
    return text->length == 0;
}

static bool iso_time(struct span text, int64_t *time_us_r)
{
    struct tm time = {.tm_isdst = -1};
    int64_t fraction;
    int zone;
    time_t seconds;

    if (!take_digits(&text, 4, &time.tm_year) || !span_skip(&text, "-") ||
        !take_digits(&text, 2, &time.tm_mon) || !span_skip(&text, "-") ||
        !take_digits(&text, 2, &time.tm_mday) || time.tm_mon < 1 || time.tm_mon > 12 ||
        time.tm_mday < 1 || time.tm_mday > 31)
        return false;
    time.tm_year -= 1900;
    time.tm_mon--;
    text = span_from(text, 1);
    if (!take_clock(&text, &time, &fraction))
        return false;
    if (text.length == 0)
        seconds = mktime(&time);
    else if (take_zone(&text, &zone))
        seconds = timegm(&time) - zone;
    else
        return false;
    *time_us_r = seconds * US_PER_SEC + fraction;
    return true;
}

static int month_of(struct span text)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    for (int month = 0; month < 12 && text.length >= 3; month++)
        if (memcmp(text.start, months + month * 3, 3) == 0)
            return month;
    return -1;
}

static bool rfc3164_time(struct span text, int64_t now_us, int64_t *time_us_r)
{
    struct tm parsed = {.tm_mon = month_of(text)};
    struct tm now;
    time_t now_sec = (time_t)(now_us / US_PER_SEC);
    int64_t fraction;
    size_t digits;

    text = span_trim(span_from(text, 3));
    digits = span_digits(text);
    if (parsed.tm_mon < 0 || digits > 2 || !take_digits(&text, digits, &parsed.tm_mday) ||
        parsed.tm_mday < 1 || parsed.tm_mday > 31 || !span_skip(&text, " ") ||
        !take_clock(&text, &parsed, &fraction) || localtime_r(&now_sec, &now) == NULL)
        return false;
    /* The latest year in which it is not in the future; February 29 may take some. */
    for (int year = now.tm_year + 1; year > now.tm_year - 9; year--) {
        struct tm time = parsed;
        int64_t time_us;

        time.tm_year = year;
        time.tm_isdst = -1;
        time_us = mktime(&time) * US_PER_SEC + fraction;
        if (time.tm_mon != parsed.tm_mon || time_us > now_us + AHEAD_MAX_US)
            continue;
        *time_us_r = time_us;
        return true;
    }
    return false;
}

bool line_time(const struct line *line, int64_t now_us, int64_t *time_us_r)
{
    struct span text = line->fields[FIELD_TIME];

    if (line->time_form == LINE_TIME_ISO)
        return iso_time(text, time_us_r);
    return line->time_form == LINE_TIME_RFC3164 && rfc3164_time(text, now_us, time_us_r);
}
