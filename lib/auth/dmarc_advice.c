/* SPDX-License-Identifier: BSD-2-Clause */
/* DMARC records to publish: each tag is tried by itself, and mended where it is known how. */
#include "lib/auth/dmarc_advice.h"

#include "lib/auth/dmarc_record.h"
#include "lib/base/ascii.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"

#include <stdlib.h>
#include <string.h>

#define TAGS_MAX 32
#define WHITE " \t"

struct mended {
    struct {
        char *name, *value;
    } tags[TAGS_MAX];
    size_t count;
};

/* Copies the octets without the white space around them. */
static char *trimmed(const char *start, size_t length)
{
    while (length > 0 && ascii_is_one_of(*start, WHITE)) {
        start++;
        length--;
    }
    while (length > 0 && ascii_is_one_of(start[length - 1], WHITE))
        length--;
    return mem_copy_n(start, length);
}

static bool is_right(const char *name, const char *value)
{
    char *text = mem_print("v=DMARC1; %s=%s", name, value);
    struct dmarc_record record;
    bool right;

    dmarc_record_parse(text, strlen(text), &record);
    right = record.problems.count == 0;
    dmarc_record_clear(&record);
    free(text);
    return right;
}

static bool is_policy(const char *name)
{
    return strcmp(name, "p") == 0 || strcmp(name, "sp") == 0 || strcmp(name, "np") == 0;
}

static bool is_reports(const char *name)
{
    return strcmp(name, "rua") == 0 || strcmp(name, "ruf") == 0;
}

/* "rejct" was meant to be "reject"; what has another first letter was never a policy. */
static bool policy_meant(const char *value, enum dmarc_policy *policy_r)
{
    for (int policy = DMARC_NONE; policy <= DMARC_REJECT; policy++)
        if (ascii_lower(value[0]) == dmarc_policy_name((enum dmarc_policy)policy)[0]) {
            *policy_r = (enum dmarc_policy)policy;
            return true;
        }
    return false;
}

/* --- report addresses ----------------------------------------------------------------- */

static bool has_item(const char *list, const char *item)
{
    const size_t length = strlen(item);

    for (const char *at = strstr(list, item); at != NULL; at = strstr(at + 1, item))
        if ((at == list || at[-1] == ',') && (at[length] == '\0' || at[length] == ','))
            return true;
    return false;
}

/* An address alone lacks its "mailto:". */
static void add_uri(struct text *list, char *uri)
{
    char *mail = mem_print("mailto:%s", uri);
    const char *right = is_right("rua", uri) && uri[0] != '\0' ? uri : NULL;

    if (right == NULL && strchr(uri, ':') == NULL && is_right("rua", mail))
        right = mail;
    if (right != NULL && !has_item(text_string(list), right))
        text_print(list, "%s%s", list->length > 0 ? "," : "", right);
    free(mail);
}

/* Adds the URIs of the value to those that are there (or NULL). */
static char *merge_reports(const char *there, const char *value)
{
    struct text list = TEXT_EMPTY;

    text_add_string(&list, there != NULL ? there : "");
    for (;; value++) {
        const size_t length = strcspn(value, ",");
        char *uri = trimmed(value, length);

        add_uri(&list, uri);
        free(uri);
        value += length;
        if (*value == '\0')
            break;
    }
    return text_take(&list);
}

/* --- tags ----------------------------------------------------------------------------- */

static size_t find_tag(const struct mended *mended, const char *name)
{
    size_t i = 0;

    while (i < mended->count && strcmp(mended->tags[i].name, name) != 0)
        i++;
    return i;
}

/* What the tag is to be, or NULL: it is to be left out, or to stay as it is. */
static char *make_value(const char *name, const char *there, const char *value)
{
    enum dmarc_policy meant, former;

    if (is_reports(name))
        return merge_reports(there, value);
    if (is_policy(name))
        return policy_meant(value, &meant) &&
                       (there == NULL || (policy_meant(there, &former) && meant < former))
                   ? mem_copy(dmarc_policy_name(meant))
                   : NULL;
    return there == NULL && value[0] != '\0' && is_right(name, value) ? mem_copy(value) : NULL;
}

static void keep_tag(struct mended *mended, const char *name, const char *value)
{
    const size_t i = find_tag(mended, name);
    char *made;

    if (i == TAGS_MAX || strcmp(name, "v") == 0)
        return;
    made = make_value(name, i < mended->count ? mended->tags[i].value : NULL, value);
    if (made == NULL || made[0] == '\0') {
        free(made);
        return;
    }
    if (i == mended->count) {
        mended->tags[i].name = mem_copy(name);
        mended->count++;
    } else {
        free(mended->tags[i].value);
    }
    mended->tags[i].value = made;
}

/* Where a semicolon was forgotten, the next tag begins behind white space: "p=none rua=...". */
static size_t tag_length(const char *start)
{
    const size_t most = strcspn(start, ";");

    for (size_t i = strcspn(start, "="); i < most; i++) {
        size_t word = i + 1;

        if (!ascii_is_one_of(start[i], WHITE))
            continue;
        while (word < most && ascii_is_alpha(start[word]))
            word++;
        if (word > i + 1 && start[word] == '=')
            return i;
    }
    return most;
}

static void read_record(struct mended *mended, const char *at)
{
    while (*at != '\0') {
        const size_t length = tag_length(at);
        const char *equals = memchr(at, '=', length);

        if (equals != NULL) {
            char *name = text_lower(trimmed(at, (size_t)(equals - at)));
            char *value = trimmed(equals + 1, length - (size_t)(equals + 1 - at));

            if (name[0] != '\0' && strspn(name, "abcdefghijklmnopqrstuvwxyz") == strlen(name))
                keep_tag(mended, name, value);
            free(name);
            free(value);
        }
        at += length;
        if (*at != '\0')
            at++;
    }
}

char *dmarc_advice_mend(const struct strings *records)
{
    struct mended mended = {.count = 0};
    struct text text = TEXT_EMPTY;
    size_t policy;

    for (size_t i = 0; i < records->count; i++)
        read_record(&mended, records->items[i]);
    policy = find_tag(&mended, "p");
    text_print(&text, "v=DMARC1; p=%s", policy < mended.count ? mended.tags[policy].value : "none");
    for (size_t i = 0; i < mended.count; i++) {
        if (i != policy)
            text_print(&text, "; %s=%s", mended.tags[i].name, mended.tags[i].value);
        free(mended.tags[i].name);
        free(mended.tags[i].value);
    }
    return text_take(&text);
}
