/* SPDX-License-Identifier: BSD-2-Clause */
/* SPF records: parsing and the canonical form. */
#include "lib/auth/spf_record.h"

#include "lib/auth/spf_macro.h"
#include "lib/base/ascii.h"
#include "lib/base/count.h"
#include "lib/base/mem.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define VERSION "v=spf1"
#define PREFIX4_MAX 32
#define PREFIX6_MAX 128
#define TERM_SHOWN_MAX 100 /* octets of a wrong term that a problem shows */

/* A stretch of the record. */
struct slice {
    const char *start;
    size_t length;
};

enum target_rule { TARGET_NONE, TARGET_OPTIONAL, TARGET_NEEDED, TARGET_ADDRESS };

static const struct {
    const char *name;
    enum target_rule target;
    bool prefixes; /* dual-cidr-length */
} mechanisms[] = {
    [SPF_ALL] = {"all", TARGET_NONE, false},     [SPF_INCLUDE] = {"include", TARGET_NEEDED, false},
    [SPF_A] = {"a", TARGET_OPTIONAL, true},      [SPF_MX] = {"mx", TARGET_OPTIONAL, true},
    [SPF_PTR] = {"ptr", TARGET_OPTIONAL, false}, [SPF_IP4] = {"ip4", TARGET_ADDRESS, false},
    [SPF_IP6] = {"ip6", TARGET_ADDRESS, false},  [SPF_EXISTS] = {"exists", TARGET_NEEDED, false},
};
#define MECHANISMS COUNT_OF(mechanisms)
_Static_assert(MECHANISMS == SPF_EXISTS + 1, "every mechanism has its row");

/* Names are compared without regard to case, as all literals of the grammar (RFC 5234). */
static bool slice_is(struct slice slice, const char *name)
{
    size_t i = 0;

    while (i < slice.length && name[i] != '\0' && ascii_lower(slice.start[i]) == name[i])
        i++;
    return i == slice.length && name[i] == '\0';
}

static struct slice slice_from(struct slice slice, size_t offset)
{
    return (struct slice){slice.start + offset, slice.length - offset};
}

bool spf_record_is(const char *bytes, size_t length)
{
    size_t version = sizeof(VERSION) - 1;

    return length >= version && slice_is((struct slice){bytes, version}, VERSION) &&
           (length == version || bytes[version] == ' ');
}

/* --- values --------------------------------------------------------------------------- */

/* A prefix length: no sign, no leading zero, at most max. */
static bool parse_prefix(struct slice digits, unsigned max, uint8_t *prefix_r)
{
    unsigned prefix = 0;

    if (digits.length == 0 || digits.length > 3 || (digits.length > 1 && digits.start[0] == '0'))
        return false;
    for (size_t i = 0; i < digits.length; i++) {
        if (!ascii_is_digit(digits.start[i]))
            return false;
        prefix = prefix * 10 + (unsigned)(digits.start[i] - '0');
    }
    if (prefix > max)
        return false;
    *prefix_r = (uint8_t)prefix;
    return true;
}

/* Takes "/digits" off the end of value, where digits may be none; false: it does not end so.  No
 * domain-spec ends in a slash and digits, so nothing else can be meant. */
static bool cut_prefix(struct slice *value, struct slice *digits_r)
{
    size_t at = value->length;

    while (at > 0 && ascii_is_digit(value->start[at - 1]))
        at--;
    if (at == 0 || value->start[at - 1] != '/')
        return false;
    *digits_r = slice_from(*value, at);
    value->length = at - 1;
    return true;
}

/* Takes [ "/" ip4-prefix ] [ "//" ip6-prefix ] off the end of value. */
static const char *parse_prefixes(struct slice *value, struct spf_term *term)
{
    struct slice digits;

    term->prefix4 = PREFIX4_MAX;
    term->prefix6 = PREFIX6_MAX;
    if (!cut_prefix(value, &digits))
        return NULL;
    if (value->length > 0 && value->start[value->length - 1] == '/') {
        if (!parse_prefix(digits, PREFIX6_MAX, &term->prefix6))
            return "an IPv6 prefix is a number from 0 to 128";
        value->length--;
        if (!cut_prefix(value, &digits))
            return NULL;
    }
    if (!parse_prefix(digits, PREFIX4_MAX, &term->prefix4))
        return "an IPv4 prefix is a number from 0 to 32";
    return NULL;
}

static const char *parse_domain_spec(struct slice value, char **spec_r)
{
    const char *problem = spf_macro_problem(value.start, value.length, SPF_MACRO_DOMAIN);

    if (problem == NULL && value.length > SPF_DOMAIN_SPEC_MAX)
        problem = "a domain that is far too long";
    if (problem == NULL)
        *spec_r = mem_copy_n(value.start, value.length);
    return problem;
}

/* ip4 and ip6.  Their networks may have host bits set.  An address is taken for the family that the
 * mechanism names: an IPv4-mapped one is an IPv6 address here, which no client has. */
static const char *parse_network(struct slice value, struct spf_term *term)
{
    bool is_v4 = term->mechanism == SPF_IP4;
    unsigned max = is_v4 ? PREFIX4_MAX : PREFIX6_MAX;
    const char *slash = memchr(value.start, '/', value.length);
    struct ip_address address = {.family = is_v4 ? 4 : 6};
    char plain[IP_TEXT_MAX];
    uint8_t prefix = (uint8_t)max;
    size_t length = slash != NULL ? (size_t)(slash - value.start) : value.length;

    if (slash != NULL && !parse_prefix(slice_from(value, length + 1), max, &prefix))
        return is_v4 ? "an IPv4 prefix is a number from 0 to 32"
                     : "an IPv6 prefix is a number from 0 to 128";
    if (length >= sizeof(plain) || memchr(value.start, '\0', length) != NULL)
        return is_v4 ? "no IPv4 address" : "no IPv6 address";
    memcpy(plain, value.start, length);
    plain[length] = '\0';
    if (inet_pton(is_v4 ? AF_INET : AF_INET6, plain, address.bytes) != 1)
        return is_v4 ? "no IPv4 address" : "no IPv6 address";
    term->network = ip_network_of(&address, prefix);
    return NULL;
}

/* --- terms ---------------------------------------------------------------------------- */

/* What follows a mechanism's name: a colon and a value, prefixes, both, or nothing. */
static const char *parse_value(struct slice rest, struct spf_term *term)
{
    enum target_rule rule = mechanisms[term->mechanism].target;
    const char *problem = NULL;

    if (mechanisms[term->mechanism].prefixes)
        problem = parse_prefixes(&rest, term);
    if (problem != NULL)
        return problem;
    if (rest.length == 0)
        return rule == TARGET_NEEDED || rule == TARGET_ADDRESS ? "a value is missing" : NULL;
    if (rest.start[0] != ':')
        return "what follows the name of the mechanism cannot follow it";
    if (rule == TARGET_NONE)
        return "a value where there is none";
    rest = slice_from(rest, 1);
    return rule == TARGET_ADDRESS ? parse_network(rest, term)
                                  : parse_domain_spec(rest, &term->target);
}

static const char *parse_mechanism(struct slice slice, struct spf_record *record)
{
    struct spf_term term = {.qualifier = '+'};
    struct slice name;
    const char *problem;
    size_t i = 0;

    if (slice.length > 0 && slice.start[0] != '\0' && strchr("+-~?", slice.start[0]) != NULL) {
        term.qualifier = slice.start[0];
        slice = slice_from(slice, 1);
    }
    name = slice;
    for (name.length = 0; name.length < slice.length; name.length++)
        if (slice.start[name.length] == ':' || slice.start[name.length] == '/')
            break;
    while (i < MECHANISMS && !slice_is(name, mechanisms[i].name))
        i++;
    if (i == MECHANISMS)
        return "no such mechanism";
    term.mechanism = (enum spf_mechanism)i;
    problem = parse_value(slice_from(slice, name.length), &term);
    if (problem != NULL)
        return problem;
    record->terms = mem_grow(record->terms, record->count + 1, sizeof(*record->terms));
    record->terms[record->count++] = term;
    return NULL;
}

static const char *parse_modifier(struct slice name, struct slice value, struct spf_record *record)
{
    char **known = slice_is(name, "redirect") ? &record->redirect
                   : slice_is(name, "exp")    ? &record->explanation
                                              : NULL;

    if (known == NULL)
        return spf_macro_problem(value.start, value.length, SPF_MACRO_MODIFIER);
    if (*known != NULL)
        return "a modifier that may be there once only";
    return parse_domain_spec(value, known);
}

/* The length of the name before "=" when the term is a modifier, else 0. */
static size_t modifier_name(struct slice term)
{
    size_t length = 0;

    if (!ascii_is_alpha(term.start[0]))
        return 0;
    while (length < term.length &&
           (ascii_is_alpha(term.start[length]) || ascii_is_digit(term.start[length]) ||
            term.start[length] == '-' || term.start[length] == '_' || term.start[length] == '.'))
        length++;
    return length < term.length && term.start[length] == '=' ? length : 0;
}

static const char *parse_term(struct slice term, struct spf_record *record)
{
    size_t name = modifier_name(term);

    if (name == 0)
        return parse_mechanism(term, record);
    return parse_modifier((struct slice){term.start, name}, slice_from(term, name + 1), record);
}

bool spf_record_parse(const char *bytes, size_t length, struct spf_record *record_r,
                      char **problem_r)
{
    struct spf_record record = {0};
    struct slice rest = {bytes, length};
    struct slice term;
    const char *problem;

    if (!spf_record_is(bytes, length)) {
        *problem_r = mem_copy("no \"" VERSION "\" at the start");
        return false;
    }
    if (length > SPF_RECORD_MAX) {
        *problem_r = mem_print("the record has over %d octets", SPF_RECORD_MAX);
        return false;
    }
    for (rest = slice_from(rest, sizeof(VERSION) - 1); rest.length > 0;
         rest = slice_from(rest, term.length)) {
        term = rest;
        if (term.start[0] == ' ') {
            term.length = 1;
            continue;
        }
        for (term.length = 0; term.length < rest.length && term.start[term.length] != ' ';)
            term.length++;
        problem = parse_term(term, &record);
        if (problem != NULL) {
            *problem_r = mem_print(
                "\"%.*s\": %s", (int)(term.length < TERM_SHOWN_MAX ? term.length : TERM_SHOWN_MAX),
                term.start, problem);
            spf_record_clear(&record);
            return false;
        }
    }
    *record_r = record;
    return true;
}

void spf_record_clear(struct spf_record *record)
{
    for (size_t i = 0; i < record->count; i++)
        free(record->terms[i].target);
    free(record->terms);
    free(record->redirect);
    free(record->explanation);
    *record = (struct spf_record){0};
}

/* --- the canonical form --------------------------------------------------------------- */

void spf_term_format(const struct spf_term *term, struct text *text)
{
    char network[IP_TEXT_MAX];

    if (term->qualifier != '+')
        text_add_char(text, term->qualifier);
    text_add_string(text, mechanisms[term->mechanism].name);
    if (mechanisms[term->mechanism].target == TARGET_ADDRESS) {
        ip_network_format(&term->network, network);
        text_print(text, ":%s", network);
    }
    if (term->target != NULL)
        text_print(text, ":%s", term->target);
    if (mechanisms[term->mechanism].prefixes && term->prefix4 < PREFIX4_MAX)
        text_print(text, "/%u", term->prefix4);
    if (mechanisms[term->mechanism].prefixes && term->prefix6 < PREFIX6_MAX)
        text_print(text, "//%u", term->prefix6);
}

void spf_record_format(const struct spf_record *record, struct text *text)
{
    text_add_string(text, VERSION);
    for (size_t i = 0; i < record->count; i++) {
        text_add_char(text, ' ');
        spf_term_format(&record->terms[i], text);
    }
    if (record->redirect != NULL)
        text_print(text, " redirect=%s", record->redirect);
    if (record->explanation != NULL)
        text_print(text, " exp=%s", record->explanation);
}
