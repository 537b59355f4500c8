/* SPDX-License-Identifier: BSD-2-Clause */
/* What an account usually does, and what this message adds to it: facts that lib/decide's habits
 * fill. */
#pragma once

#include "lib/base/ip.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Looked at, of one message: a sample tells new lists from old ones. */
#define HABITS_RECIPIENTS 16

#define HABITS_HOUR_SIZE 10

/* This hour's or day's recipients, and how many there usually are. */
struct habits_volume {
    int64_t now; /* this message included */
    int64_t usual; /* at least 1; 0 while there is too little history to say */
};

struct habits {
    /* Of this message */
    char *subject; /* "user:alice@example.com" */
    int64_t when_sec;
    int64_t amount; /* recipients */
    char place[6 + IP_TEXT_MAX]; /* "place:AS64500" or "place:203.0.113.0/24"; "" unknown */
    char place_mark[6 + IP_TEXT_MAX]; /* as the store names it, which may be a keyed hash */
    char country[8 + 3]; /* "country:NL"; "" unknown */
    char *client; /* "client:thunderbird|laptop.example.com|tlsv1.3 CIPHER"; NULL unknown */
    char *certificate; /* "certificate:phone, issued by example ca"; NULL: none was shown */
    char hour[HABITS_HOUR_SIZE], day[HABITS_HOUR_SIZE]; /* "hour:037" of the week (UTC), "day:1" */
    char hour_before[HABITS_HOUR_SIZE], hour_behind[HABITS_HOUR_SIZE]; /* beside it */
    char recipients[HABITS_RECIPIENTS][10]; /* hashes, as the store names them */
    size_t nrecipients;
    int64_t untold; /* recipients of the messages before that the store does not know of */
    bool asked; /* the store is asked; not: its last answer still holds */

    /* What the store remembers; only where known */
    bool known;
    /* and there were others before */
    bool place_is_new, country_is_new, client_is_new, certificate_is_new;
    /* new within the last hour; of certificates as of mail programs */
    bool place_is_recent, country_is_recent, client_is_recent;
    unsigned places, countries; /* distinct ones in locations-window, this one included */
    struct habits_volume in_hour, in_day;
    int64_t sampled, fresh; /* recipients of the last hour looked at; never written to before */
};

void habits_free(struct habits **habits);
