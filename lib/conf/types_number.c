/* SPDX-License-Identifier: BSD-2-Clause */
/* Types that are stored as numbers. */
#include "lib/conf/types.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/conf/conf.h"

#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>

/* A unit and how many of the stored one it is. */
struct unit {
    const char *name;
    int64_t factor;
};

static const struct unit durations[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
#define DAYS 4 /* their index */
#define MS_PER_SEC 1000
#define MS_PER_DAY INT64_C(86400000)
#define SUSPEND_WINDOW_MS INT64_C(3600000) /* where none is said, and so the first one suspends */
#define SUSPEND_WINDOW_MOST_MS (31 * MS_PER_DAY)
#define SUSPEND_LIFE_MOST_MS (366 * MS_PER_DAY)
#define SUSPEND_WORDS 5
#define SUSPEND_AFTER_MOST 1000000
static const struct unit sizes[] = {
    {"", 1}, {"K", 1024}, {"M", 1048576}, {"G", 1073741824}, {"T", INT64_C(1) << 40}};
#define UNITS(units) (units), COUNT_OF(units)

/* A number with a unit; of sizes, the unit's case does not matter. */
static bool parse_units(const char *value, const struct unit *units, size_t nunits,
                        int64_t *number_r)
{
    size_t digits = strspn(value, "0123456789");
    int64_t number;

    if (!text_number(value, digits, &number))
        return false;
    for (size_t i = 0; i < nunits; i++) {
        const char *unit = value + digits;

        if (strcmp(unit, units[i].name) == 0 ||
            (units == sizes && text_equal_case(unit, units[i].name))) {
            if (number > INT64_MAX / units[i].factor)
                return false;
            *number_r = number * units[i].factor;
            return true;
        }
    }
    return false;
}

/* The largest unit that leaves no rest. */
static void print_units(struct text *text, int64_t number, const struct unit *units, size_t nunits)
{
    size_t i = nunits - 1;

    while (i > 0 && number % units[i].factor != 0)
        i--;
    text_print(text, "%lld%s", (long long)(number / units[i].factor), units[i].name);
}

void type_print_duration(struct text *text, int64_t ms)
{
    if (ms == 0)
        text_add_char(text, '0');
    else if (ms == durations[DAYS].factor)
        text_add_string(text, "24h"); /* as everybody says it of limits */
    else
        print_units(text, ms, UNITS(durations));
}

void type_print_size(struct text *text, int64_t bytes)
{
    if (bytes == 0)
        text_add_char(text, '0');
    else
        print_units(text, bytes, UNITS(sizes));
}

bool conf_duration_parse(const char *text, int64_t *ms_r)
{
    return parse_units(text, UNITS(durations), ms_r);
}

char *conf_duration(int64_t ms)
{
    struct text text = TEXT_EMPTY;

    type_print_duration(&text, ms);
    return text_take(&text);
}

static bool store_in_range(struct reading *reading, int64_t number)
{
    const struct conf_option *option = reading->option;

    if (number < option->least || number > option->most) {
        text_add_string(&reading->why, "out of range");
        return false;
    }
    type_store(reading, number);
    return true;
}

bool type_read_boolean(struct reading *reading, const char *value)
{
    static const char *const words[] = {"no", "yes", "false", "true", "off", "on"};

    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (text_equal_case(value, words[i])) {
            type_store(reading, (int64_t)(i % 2));
            return true;
        }
    }
    return false;
}

bool type_read_integer(struct reading *reading, const char *value)
{
    int64_t number;

    return text_number(value, strlen(value), &number) && store_in_range(reading, number);
}

bool type_read_amount(struct reading *reading, const char *value)
{
    int64_t number;

    if (strcmp(value, "unlimited") == 0)
        return store_in_range(reading, CONF_UNLIMITED);
    if (reading->bytes) {
        if (parse_units(value, UNITS(sizes), &number))
            return store_in_range(reading, number);
        free(reading->expected);
        reading->expected = mem_copy("a size, such as 500M");
        return false;
    }
    if (!text_number(value, strlen(value), &number)) {
        if (parse_units(value, UNITS(sizes), &number))
            text_add_string(&reading->why, "a limit of bytes alone takes a size");
        return false;
    }
    return store_in_range(reading, number);
}

/* A number without a unit would be read as seconds by some and as milliseconds by others. */
static void ask_for_unit(struct reading *reading, const char *value)
{
    int64_t number;

    if (text_number(value, strlen(value), &number))
        text_print(&reading->why, "add a unit: %ss, %sm or %sh", value, value, value);
}

bool type_read_duration(struct reading *reading, const char *value)
{
    int64_t number;

    if (strcmp(value, "0") == 0)
        return store_in_range(reading, 0);
    if (parse_units(value, UNITS(durations), &number))
        return store_in_range(reading, number);
    ask_for_unit(reading, value);
    return false;
}

/* The words of a phrase; returns how many there are, more than SUSPEND_WORDS being one more. */
static size_t split_words(char *phrase, const char *words_r[SUSPEND_WORDS])
{
    size_t count = 0;

    for (;;) {
        phrase += strspn(phrase, " ");
        if (*phrase == '\0' || count == SUSPEND_WORDS)
            return count + (*phrase != '\0');
        words_r[count++] = phrase;
        phrase += strcspn(phrase, " ");
        if (*phrase != '\0')
            *phrase++ = '\0';
    }
}

static bool parse_suspend(char *phrase, struct conf_suspend *suspend_r)
{
    const char *words[SUSPEND_WORDS];
    size_t count = split_words(phrase, words);

    *suspend_r = (struct conf_suspend){.after = 1, .window_ms = SUSPEND_WINDOW_MS};
    if ((count != 1 && count != SUSPEND_WORDS) ||
        !parse_units(words[0], UNITS(durations), &suspend_r->life_ms))
        return false;
    return count == 1 || (strcmp(words[1], "after") == 0 && strcmp(words[3], "in") == 0 &&
                          text_number(words[2], strlen(words[2]), &suspend_r->after) &&
                          parse_units(words[4], UNITS(durations), &suspend_r->window_ms));
}

/* "12h", or "12h after 3 in 10m". */
bool type_read_suspend(struct reading *reading, const char *value)
{
    struct conf_suspend suspend;
    char *phrase = mem_copy(value);
    bool parsed = parse_suspend(phrase, &suspend);

    free(phrase);
    if (!parsed)
        return false;
    if (suspend.life_ms < MS_PER_SEC || suspend.life_ms > SUSPEND_LIFE_MOST_MS) {
        text_add_string(&reading->why, "a suspension lasts from 1s to 366d");
        return false;
    }
    if (suspend.after < 1 || suspend.after > SUSPEND_AFTER_MOST || suspend.window_ms < MS_PER_SEC ||
        suspend.window_ms > SUSPEND_WINDOW_MOST_MS) {
        text_add_string(&reading->why, "it counts from 1 to 1000000 in 1s to 31d");
        return false;
    }
    *(struct conf_suspend *)(void *)(reading->base + reading->option->offset) = suspend;
    return true;
}

bool type_read_per(struct reading *reading, const char *value)
{
    int64_t number;

    if (strcmp(value, "message") == 0) {
        type_store(reading, 0);
        return true;
    }
    if (parse_units(value, UNITS(durations), &number)) {
        if (number % 1000 == 0)
            return store_in_range(reading, number / 1000);
        text_add_string(&reading->why, "a window is of whole seconds");
        return false;
    }
    ask_for_unit(reading, value);
    return false;
}

bool type_read_size(struct reading *reading, const char *value)
{
    int64_t number;

    return parse_units(value, UNITS(sizes), &number) && store_in_range(reading, number);
}

bool type_read_percent(struct reading *reading, const char *value)
{
    size_t length = strlen(value);
    int64_t number;

    if (length > 0 && value[length - 1] == '%')
        length--;
    return text_number(value, length, &number) && store_in_range(reading, number);
}

bool type_read_mode(struct reading *reading, const char *value)
{
    int64_t mode = 0;
    size_t length = strlen(value);

    if (length < 3 || length > 4 || strspn(value, "01234567") != length)
        return false;
    for (const char *p = value; *p != '\0'; p++)
        mode = mode * 8 + (*p - '0');
    if (mode > 0777)
        return false;
    type_store(reading, mode);
    return true;
}

bool type_read_factor(struct reading *reading, const char *value)
{
    size_t whole = strspn(value, "0123456789");
    size_t length = strlen(value);
    int64_t number;
    int64_t hundredths = 0;
    double factor;

    /* By hand: strtod(3) reads what the locale says. */
    if (!text_number(value, whole, &number))
        return false;
    if (value[whole] == '.') {
        size_t digits = length - whole - 1;

        if (digits > 2 || !text_number(value + whole + 1, digits, &hundredths))
            return false;
        if (digits == 1)
            hundredths *= 10;
    } else if (whole != length) {
        return false;
    }
    factor = (double)number + (double)hundredths / 100;
    if (factor < (double)reading->option->least || factor > (double)reading->option->most) {
        text_add_string(&reading->why, "out of range");
        return false;
    }
    memcpy(reading->base + reading->option->offset, &factor, sizeof(factor));
    return true;
}

bool type_read_date(struct reading *reading, const char *value)
{
    struct tm day = {.tm_isdst = 0};
    struct tm check;
    int64_t year;
    int64_t month;
    int64_t date;
    time_t when;

    if (strlen(value) != 10 || value[4] != '-' || value[7] != '-' ||
        !text_number(value, 4, &year) || !text_number(value + 5, 2, &month) ||
        !text_number(value + 8, 2, &date) || year < 1970)
        return false;
    day.tm_year = (int)year - 1900;
    day.tm_mon = (int)month - 1;
    day.tm_mday = (int)date;
    when = timegm(&day);
    if (gmtime_r(&when, &check) == NULL || check.tm_mon != (int)month - 1 ||
        check.tm_mday != (int)date) {
        text_add_string(&reading->why, "there is no such day");
        return false;
    }
    type_store(reading, (int64_t)when / 86400);
    return true;
}
