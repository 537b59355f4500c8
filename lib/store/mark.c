/* SPDX-License-Identifier: BSD-2-Clause */
/* The numbers of a mark. */
#include "lib/store/mark.h"

#include "lib/base/count.h"

#include <string.h>

#define AMOUNT_MAX (INT64_C(1) << 40)
#define NUMBER_MAX (INT64_C(1) << 52) /* that Lua keeps whole */
#define GAP_MAX 60 /* periods without anything: the average is nothing long before */

static bool read_number(const char **at, int64_t *number_r)
{
    size_t digits = strspn(*at, "0123456789");

    if ((*at)[digits] != ' ' || !text_number(*at, digits, number_r) || *number_r > NUMBER_MAX)
        return false;
    *at += digits + 1;
    return true;
}

bool store_mark_read(const char *value, struct store_mark_value *mark_r)
{
    struct store_mark_value mark;

    if (!read_number(&value, &mark.first_sec) || !read_number(&value, &mark.last_sec) ||
        !read_number(&value, &mark.count) || !read_number(&value, &mark.usual_milli) ||
        !read_number(&value, &mark.periods))
        return false;
    mark.text = value;
    *mark_r = mark;
    return true;
}

#define BURST_TIMES 4
#define BURST_LEAST                                                                                \
    10000 /* thousandths: of what was hardly used anything within reason is learned */

static int64_t floor_quarter(int64_t number)
{
    return number >= 0 ? number / 4 : -((3 - number) / 4);
}

/* A burst teaches no more than BURST_TIMES the usual: what a thief sends once is not usual the next
 * time. */
static int64_t usual_with(int64_t usual, int64_t periods, int64_t count)
{
    const int64_t most = BURST_TIMES * (usual > BURST_LEAST ? usual : BURST_LEAST);

    if (periods == 0)
        return count * 1000;
    return usual + floor_quarter((count * 1000 < most ? count * 1000 : most) - usual);
}

/* The period that the mark was last seen in has ended, and ahead - 1 without anything behind it. */
static void complete_periods(struct store_mark_value *mark, int64_t ahead)
{
    mark->usual_milli = usual_with(mark->usual_milli, mark->periods, mark->count);
    for (int64_t n = 2; n <= ahead && n <= GAP_MAX; n++)
        mark->usual_milli = usual_with(mark->usual_milli, mark->periods + n - 1, 0);
    mark->periods += ahead;
    mark->count = 0;
}

static void add_numbers(const struct store_mark_value *mark, struct text *value)
{
    const int64_t numbers[] = {mark->first_sec, mark->last_sec, mark->count, mark->usual_milli,
                               mark->periods};

    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        text_add_number(value, numbers[i]);
        text_add_char(value, ' ');
    }
}

void mark_make(const char *before, const struct mark_made *made, int64_t now_sec,
               struct text *value_r)
{
    struct store_mark_value mark;
    bool there = before != NULL && store_mark_read(before, &mark);
    const char *text = there ? mark.text : "";
    size_t text_length = strlen(text);

    if (!there || now_sec - mark.last_sec > made->keep_sec) {
        mark = (struct store_mark_value){now_sec, now_sec, made->amount, 0, 0, NULL};
    } else {
        int64_t period = made->period_sec;

        if (period > 0 && now_sec / period > mark.last_sec / period)
            complete_periods(&mark, now_sec / period - mark.last_sec / period);
        mark.count += made->known ? 0 : made->amount;
        if (now_sec > mark.last_sec)
            mark.last_sec = now_sec;
    }
    if (mark.count > AMOUNT_MAX)
        mark.count = AMOUNT_MAX;
    if (made->text_length > 0) {
        text = made->text;
        text_length = made->text_length;
    }
    text_clear(value_r);
    add_numbers(&mark, value_r);
    text_add(value_r, text, text_length);
}
