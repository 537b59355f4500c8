/* SPDX-License-Identifier: BSD-2-Clause */
/* DMARC policy records: a tag list with values of known forms. */
#include "lib/auth/dmarc_record.h"

#include "lib/base/ascii.h"
#include "lib/base/count.h"
#include "lib/base/mem.h"

#include <stdlib.h>
#include <string.h>

#define VERSION "DMARC1"
#define SHOWN_MAX 60 /* octets of a wrong tag that a problem shows */

struct slice {
    const char *start;
    size_t length;
};

/* Literals of the grammar are compared without regard to case (RFC 5234), but for the version. */
static bool slice_is(struct slice slice, const char *word)
{
    size_t i = 0;

    while (i < slice.length && word[i] != '\0' &&
           ascii_lower(slice.start[i]) == ascii_lower(word[i]))
        i++;
    return i == slice.length && word[i] == '\0';
}

static struct slice trim(struct slice slice)
{
    while (slice.length > 0 && (slice.start[0] == ' ' || slice.start[0] == '\t')) {
        slice.start++;
        slice.length--;
    }
    while (slice.length > 0 &&
           (slice.start[slice.length - 1] == ' ' || slice.start[slice.length - 1] == '\t'))
        slice.length--;
    return slice;
}

/* Takes what is before the first separator, or all, off rest. */
static struct slice cut(struct slice *rest, char separator)
{
    const char *at = rest->length > 0 ? memchr(rest->start, separator, rest->length) : NULL;
    struct slice first = *rest;

    if (at == NULL) {
        rest->length = 0;
        return first;
    }
    first.length = (size_t)(at - rest->start);
    rest->start = at + 1;
    rest->length -= first.length + 1;
    return first;
}

static void add_problem(struct dmarc_record *record, struct slice tag, const char *what)
{
    char *problem;

    if (record->problems.count == DMARC_PROBLEMS_MAX)
        return;
    problem = mem_print("\"%.*s\": %s", (int)(tag.length < SHOWN_MAX ? tag.length : SHOWN_MAX),
                        tag.start, what);
    strings_add(&record->problems, problem);
    free(problem);
}

/* --- values --------------------------------------------------------------------------- */

/* Each sets what the tag is about, or says what is wrong with the value. */
typedef const char *parse_value(struct slice value, struct dmarc_record *record, void *member);

static const char *parse_policy(struct slice value, struct dmarc_record *record, void *member)
{
    struct dmarc_policy_tag *tag = member;

    (void)record;
    tag->presence = DMARC_TAG_WRONG;
    for (int policy = DMARC_NONE; policy <= DMARC_REJECT; policy++)
        if (slice_is(value, dmarc_policy_name((enum dmarc_policy)policy))) {
            tag->presence = DMARC_TAG_GIVEN;
            tag->policy = (enum dmarc_policy)policy;
            return NULL;
        }
    return "a policy is none, quarantine or reject";
}

static const char *parse_alignment(struct slice value, struct dmarc_record *record, void *member)
{
    (void)record;
    if (!slice_is(value, "r") && !slice_is(value, "s"))
        return "an alignment is r or s";
    *(bool *)member = slice_is(value, "s");
    return NULL;
}

static const char *parse_test(struct slice value, struct dmarc_record *record, void *member)
{
    (void)record;
    if (!slice_is(value, "y") && !slice_is(value, "n"))
        return "it is y or n";
    *(bool *)member = slice_is(value, "y");
    return NULL;
}

static const char *parse_psd(struct slice value, struct dmarc_record *record, void *member)
{
    enum dmarc_psd *psd = member;

    (void)record;
    if (slice_is(value, "y"))
        *psd = DMARC_PSD_YES;
    else if (slice_is(value, "n"))
        *psd = DMARC_PSD_NO;
    else if (!slice_is(value, "u"))
        return "it is y, n or u";
    return NULL;
}

static const char *parse_percent(struct slice value, struct dmarc_record *record, void *member)
{
    unsigned percent = 0;

    (void)record;
    for (size_t i = 0; i < value.length; i++) {
        if (!ascii_is_digit(value.start[i]) || i == 3)
            return "it is a number from 0 to 100";
        percent = percent * 10 + (unsigned)(value.start[i] - '0');
    }
    if (value.length == 0 || percent > 100)
        return "it is a number from 0 to 100";
    *(unsigned *)member = percent;
    return NULL;
}

/* Failure reporting options are not used here, but a wrong one is worth telling. */
static const char *parse_options(struct slice value, struct dmarc_record *record, void *member)
{
    static const char options[] = "01ds";
    bool seen[sizeof(options)] = {false};

    (void)record;
    (void)member;
    while (value.length > 0) {
        struct slice option = trim(cut(&value, ':'));
        const char *at;

        if (option.length != 1 || !ascii_is_one_of(ascii_lower(option.start[0]), options))
            return "an option is 0, 1, d or s";
        at = strchr(options, ascii_lower(option.start[0]));
        if (seen[at - options])
            return "an option is there twice";
        seen[at - options] = true;
    }
    return seen[0] && seen[1] ? "options 0 and 1 exclude each other" : NULL;
}

/* What RFC 9989 took out says nothing any more. */
static const char *parse_nothing(struct slice value, struct dmarc_record *record, void *member)
{
    (void)value;
    (void)record;
    (void)member;
    return NULL;
}

/* --- report URIs ---------------------------------------------------------------------- */

/* Characters of RFC 3986 section 2, less "," and "!", which a record has other uses for. */
static bool is_uri_text(struct slice uri)
{
    for (size_t i = 0; i < uri.length; i++) {
        char c = uri.start[i];

        if (ascii_is_alpha(c) || ascii_is_digit(c) || ascii_is_one_of(c, "-._~:/?#[]@$&'()*+;="))
            continue;
        if (c != '%' || i + 2 >= uri.length)
            return false;
        for (size_t digit = 1; digit <= 2; digit++)
            if (!ascii_is_one_of(ascii_lower(uri.start[i + digit]), "0123456789abcdef"))
                return false;
    }
    return true;
}

static bool is_scheme(struct slice scheme)
{
    if (scheme.length == 0 || !ascii_is_alpha(scheme.start[0]))
        return false;
    for (size_t i = 0; i < scheme.length; i++)
        if (!ascii_is_alpha(scheme.start[i]) && !ascii_is_digit(scheme.start[i]) &&
            !ascii_is_one_of(scheme.start[i], "+-."))
            return false;
    return true;
}

static bool is_uri(struct slice uri)
{
    struct slice rest = uri;
    struct slice scheme = cut(&rest, ':');
    const char *at;

    if (scheme.length == uri.length || !is_scheme(scheme) || rest.length == 0 || !is_uri_text(rest))
        return false;
    at = memchr(rest.start, '@', rest.length);
    return !slice_is(scheme, "mailto") ||
           (at != NULL && at > rest.start && at + 1 < rest.start + rest.length && at[1] != '?');
}

/* "!" and a size: obsolete, and nothing that we send is that large. */
static bool is_size(struct slice size)
{
    if (size.length > 0 && ascii_is_one_of(ascii_lower(size.start[size.length - 1]), "kmgt"))
        size.length--;
    for (size_t i = 0; i < size.length; i++)
        if (!ascii_is_digit(size.start[i]))
            return false;
    return size.length > 0;
}

static const char *parse_uris(struct slice value, struct dmarc_record *record, void *member)
{
    struct strings *uris = member;

    while (value.length > 0) {
        struct slice all = trim(cut(&value, ','));
        struct slice size = all;
        struct slice uri = cut(&size, '!');
        char *kept;

        if (!is_uri(uri) || (uri.length < all.length && !is_size(size))) {
            add_problem(record, all, "no URI for reports");
            continue;
        }
        if (uris->count == DMARC_URIS_MAX)
            break;
        kept = mem_copy_n(uri.start, uri.length);
        strings_add(uris, kept);
        free(kept);
    }
    return NULL;
}

/* --- tags ----------------------------------------------------------------------------- */

static const struct {
    const char *name;
    parse_value *parse;
    size_t member;
} tags[] = {
    {"p", parse_policy, offsetof(struct dmarc_record, p)},
    {"sp", parse_policy, offsetof(struct dmarc_record, sp)},
    {"np", parse_policy, offsetof(struct dmarc_record, np)},
    {"psd", parse_psd, offsetof(struct dmarc_record, psd)},
    {"t", parse_test, offsetof(struct dmarc_record, test)},
    {"adkim", parse_alignment, offsetof(struct dmarc_record, strict_dkim)},
    {"aspf", parse_alignment, offsetof(struct dmarc_record, strict_spf)},
    {"rua", parse_uris, offsetof(struct dmarc_record, rua)},
    {"ruf", parse_uris, offsetof(struct dmarc_record, ruf)},
    {"fo", parse_options, 0},
    {"pct", parse_percent, offsetof(struct dmarc_record, percent)},
    {"rf", parse_nothing, 0},
    {"ri", parse_nothing, 0},
};
#define TAGS COUNT_OF(tags)

static bool is_name(struct slice name)
{
    for (size_t i = 0; i < name.length; i++)
        if (!ascii_is_alpha(name.start[i]))
            return false;
    return name.length > 0;
}

/* An unknown tag is none of our business.  Of a tag that is there twice the first one counts. */
static void parse_tag(struct slice tag, struct dmarc_record *record, bool seen[TAGS])
{
    struct slice value = tag;
    struct slice name = trim(cut(&value, '='));
    const char *problem = NULL;
    size_t i = 0;

    if (memchr(tag.start, '=', tag.length) == NULL || !is_name(name)) {
        add_problem(record, tag, "no tag");
        return;
    }
    value = trim(value);
    while (i < TAGS && !slice_is(name, tags[i].name))
        i++;
    if (i == TAGS) {
        if (slice_is(name, "v"))
            add_problem(record, tag, "a tag that is there twice");
        return;
    }
    if (seen[i]) {
        add_problem(record, tag, "a tag that is there twice");
        return;
    }
    seen[i] = true;
    problem = tags[i].parse(value, record, (char *)record + tags[i].member);
    if (problem == NULL && value.length == 0)
        problem = "a tag without a value";
    if (problem != NULL)
        add_problem(record, tag, problem);
}

bool dmarc_record_is(const char *bytes, size_t length)
{
    struct slice rest = {bytes, length};
    struct slice value = cut(&rest, ';');
    struct slice name = cut(&value, '=');

    if (name.length == 0 || ascii_lower(name.start[0]) != 'v' || trim(name).length != 1)
        return false;
    value = trim(value);
    return value.length == sizeof(VERSION) - 1 && memcmp(value.start, VERSION, value.length) == 0;
}

void dmarc_record_parse(const char *bytes, size_t length, struct dmarc_record *record_r)
{
    struct slice rest = {bytes, length};
    bool seen[TAGS] = {false};

    *record_r = (struct dmarc_record){.percent = 100};
    (void)cut(&rest, ';');
    while (rest.length > 0) {
        struct slice tag = trim(cut(&rest, ';'));

        if (tag.length > 0)
            parse_tag(tag, record_r, seen);
        else if (rest.length > 0)
            add_problem(record_r, tag, "an empty tag");
    }
}

void dmarc_record_clear(struct dmarc_record *record)
{
    strings_free(&record->rua);
    strings_free(&record->ruf);
    strings_free(&record->problems);
    *record = (struct dmarc_record){0};
}

static bool lacks_only_p(const struct dmarc_record *record)
{
    return record->p.presence == DMARC_TAG_ABSENT && record->problems.count == 0;
}

bool dmarc_record_policy(const struct dmarc_record *record, enum dmarc_scope scope, bool p_optional,
                         enum dmarc_policy *policy_r)
{
    if (record->p.presence != DMARC_TAG_GIVEN || record->sp.presence == DMARC_TAG_WRONG ||
        record->np.presence == DMARC_TAG_WRONG) {
        if (record->rua.count == 0 && !(p_optional && lacks_only_p(record)))
            return false;
        *policy_r = DMARC_NONE;
        return true;
    }
    if (scope == DMARC_NONEXISTENT && record->np.presence == DMARC_TAG_GIVEN)
        *policy_r = record->np.policy;
    else if (scope != DMARC_DOMAIN && record->sp.presence == DMARC_TAG_GIVEN)
        *policy_r = record->sp.policy;
    else
        *policy_r = record->p.policy;
    return true;
}

const char *dmarc_policy_name(enum dmarc_policy policy)
{
    static const char *const names[] = {
        [DMARC_NONE] = "none",
        [DMARC_QUARANTINE] = "quarantine",
        [DMARC_REJECT] = "reject",
    };

    return names[policy];
}
