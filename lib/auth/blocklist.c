/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/auth/blocklist.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"

#include <stdlib.h>
#include <string.h>

static const struct ip_network loopback = {.address = {4, {127}}, .prefix = 8};
static const struct ip_network refusals = {.address = {4, {127, 255, 255}}, .prefix = 24};

/* RFC 5782 sections 2.1 and 2.4: as in reverse names, without their zone. */
char *blocklist_address_key(const struct ip_address *address)
{
    char *name = dns_reverse_name(address);
    char *zone = strstr(name, address->family == 6 ? ".ip6.arpa" : ".in-addr.arpa");

    if (zone != NULL)
        *zone = '\0';
    return name;
}

void listing_clear(struct listing *listing)
{
    free(listing->code);
    free(listing->text);
    free(listing->problem);
    *listing = (struct listing){.state = LISTING_UNKNOWN};
}

/* Whether an answer of the list is one that the configuration counts. */
static bool counts(const struct conf_blocklist *list, const struct ip_address *code)
{
    if (list->ncodes == 0)
        return true;
    for (size_t i = 0; i < list->ncodes; i++)
        if (ip_network_contains(&list->codes[i], code))
            return true;
    return false;
}

static void judge_codes(const struct conf_blocklist *list, const struct dns_answer *answer,
                        struct listing *listing)
{
    char text[IP_TEXT_MAX];

    listing->state = LISTING_NO;
    for (size_t i = 0; i < answer->count; i++) {
        const struct ip_address *code = &answer->records[i].address;
        const bool refused = ip_network_contains(&refusals, code);

        ip_format(code, text);
        if (refused || !ip_network_contains(&loopback, code)) {
            listing->state = LISTING_REFUSED;
            listing->problem = refused ? mem_print("it refuses our questions (%s)", text)
                                       : mem_print("%s is no answer of a blocklist", text);
            return;
        }
        if (listing->state == LISTING_NO && counts(list, code)) {
            listing->state = LISTING_YES;
            listing->code = mem_copy(text);
        }
    }
}

/* What a list says of itself is a stranger's words. */
static char *quote(const struct dns_answer *answer)
{
    const struct dns_record *record = answer->records;
    char *text;

    if (answer->status != DNS_FOUND)
        return NULL;
    text = mem_copy_n(record->text,
                      record->length < BLOCKLIST_TEXT_MAX ? record->length : BLOCKLIST_TEXT_MAX);
    for (char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || (unsigned char)*c > '~')
            *c = '?';
    return text;
}

bool blocklist_look(const struct lookup *lookup, const struct conf_blocklist *list, const char *key,
                    struct listing *listing_r)
{
    char *name = mem_print("%s.%s", key, list->zone);
    const struct dns_answer *codes = NULL, *text = NULL;
    struct listing listing = {.state = LISTING_UNKNOWN};
    bool known = true;

    if (!lookup_is_name(name)) {
        listing.problem = mem_copy("its name is too long to ask for");
        goto done;
    }
    codes = lookup_find(lookup, name, DNS_A);
    known = codes != NULL;
    if (!known)
        goto done;
    if (lookup_failed(codes))
        listing.problem = mem_copy(codes->problem != NULL ? codes->problem : "no answer");
    else if (lookup_is_void(codes))
        listing.state = LISTING_NO;
    else
        judge_codes(list, codes, &listing);
    if (listing.state == LISTING_YES) {
        text = lookup_find(lookup, name, DNS_TXT);
        known = text != NULL;
        listing.text = known ? quote(text) : NULL;
    }
done:
    free(name);
    if (known)
        *listing_r = listing;
    else
        listing_clear(&listing);
    return known;
}

/* --- test points (RFC 5782 section 5) ---------------------------------------------------- */

struct point {
    const char *name;
    bool listed; /* has to be, or must not be */
};

#define NIBBLES_OF_ZERO "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0"
/* Those of IPv6 (::FFFF:7F00:2 and 1) come behind those of IPv4. */
static const struct point address_points[] = {
    {.name = "2.0.0.127", .listed = true},
    {.name = "1.0.0.127"},
    {.name = "2.0.0.0.0.0.f.7.f.f.f.f." NIBBLES_OF_ZERO, .listed = true},
    {.name = "1.0.0.0.0.0.f.7.f.f.f.f." NIBBLES_OF_ZERO},
};
static const struct point domain_points[] = {{.name = "test", .listed = true}, {.name = "invalid"}};
#define POINTS_MAX COUNT_OF(address_points)

/* A list of both families need not have both points that are listed, but one; and none that is not
 * to be. */
static char *judge_points(const struct conf_blocklist *list, const struct point *points,
                          size_t count, const struct listing *listings)
{
    bool listed = false;

    for (size_t i = 0; i < count; i++) {
        if (listings[i].problem != NULL)
            return mem_copy(listings[i].problem);
        if (!points[i].listed && listings[i].state != LISTING_NO)
            return mem_print("%s.%s is listed, as if it listed everything", points[i].name,
                             list->zone);
        listed = listed || (points[i].listed && listings[i].state == LISTING_YES);
    }
    return listed ? NULL
                  : mem_print("its test point %s.%s is not listed", points[0].name, list->zone);
}

bool blocklist_test(const struct lookup *lookup, const struct conf_blocklist *list, bool ipv6,
                    char **problem_r)
{
    const bool addresses = list->kind == BLOCKLIST_OF_ADDRESSES;
    const struct point *points = addresses ? address_points : domain_points;
    const size_t count = addresses ? (ipv6 ? POINTS_MAX : POINTS_MAX / 2) : POINTS_MAX / 2;
    struct listing listings[POINTS_MAX] = {{.state = LISTING_UNKNOWN}};
    /* the answers to the test points need not be among the codes that count */
    const struct conf_blocklist any = {.zone = list->zone, .kind = list->kind};
    bool known = true;

    for (size_t i = 0; i < count; i++)
        known = blocklist_look(lookup, &any, points[i].name, &listings[i]) && known;
    if (known)
        *problem_r = judge_points(list, points, count, listings);
    for (size_t i = 0; i < count; i++)
        listing_clear(&listings[i]);
    return known;
}
