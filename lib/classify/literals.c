/* SPDX-License-Identifier: BSD-2-Clause */
/* Which strings a regular expression needs. */
#include "lib/classify/literals.h"

#include <string.h>

#define DEPTH_MAX 16 /* of groups */
#define CLASS_MAX 4 /* characters of a [...] that are taken one by one */

/* Strings, of which one stands wherever the part of an expression matches. */
struct set {
    size_t count;
    char items[LITERALS_MAX][LITERAL_LENGTH_MAX + 1];
};

/* What is known of a part: exact holds all that it can match; each of needed, strings of which it
 * cannot match without one, the most helpful set first. */
struct part {
    bool is_exact;
    struct set exact;
    struct set needed[LITERALS_SETS]; /* count 0: nothing is known */
};

struct reader {
    const char *at;
    unsigned depth;
    bool failed;
};

static const struct set empty_string = {.count = 1};

static size_t shortest(const struct set *set)
{
    size_t least = set->count > 0 ? LITERAL_LENGTH_MAX : 0;

    for (size_t i = 0; i < set->count; i++)
        if (strlen(set->items[i]) < least)
            least = strlen(set->items[i]);
    return least;
}

/* Whether a set helps more than another: by longer strings, or by fewer. */
static bool is_better(const struct set *set, const struct set *other)
{
    size_t ours = shortest(set);
    size_t theirs = shortest(other);

    return ours > theirs || (ours == theirs && set->count < other->count);
}

static bool is_same(const struct set *set, const struct set *other)
{
    if (set->count != other->count)
        return false;
    for (size_t i = 0; i < set->count; i++)
        if (strcmp(set->items[i], other->items[i]) != 0)
            return false;
    return true;
}

/* Keeps a set if it helps more than one of those that are known. */
static void need(struct part *part, const struct set *set)
{
    for (size_t i = 0; i < LITERALS_SETS; i++) {
        if (set->count == 0 || is_same(set, &part->needed[i]))
            return;
        if (!is_better(set, &part->needed[i]))
            continue;
        for (size_t j = LITERALS_SETS - 1; j > i; j--)
            part->needed[j] = part->needed[j - 1];
        part->needed[i] = *set;
        return;
    }
}

static void need_nothing(struct part *part)
{
    for (size_t i = 0; i < LITERALS_SETS; i++)
        part->needed[i].count = 0;
}

static bool add_item(struct set *set, const char *string, size_t length)
{
    if (length > LITERAL_LENGTH_MAX)
        length = LITERAL_LENGTH_MAX;
    for (size_t i = 0; i < set->count; i++)
        if (strlen(set->items[i]) == length && memcmp(set->items[i], string, length) == 0)
            return true;
    if (set->count == LITERALS_MAX)
        return false;
    memcpy(set->items[set->count], string, length);
    set->items[set->count][length] = '\0';
    set->count++;
    return true;
}

/* Every string of a with every one of b behind it.  false: too many, or one is at its full length:
 * what follows can no longer be told. */
static bool join(const struct set *a, const struct set *b, struct set *joined_r)
{
    char string[2 * LITERAL_LENGTH_MAX + 1];

    joined_r->count = 0;
    for (size_t i = 0; i < a->count; i++) {
        for (size_t j = 0; j < b->count; j++) {
            size_t length = strlen(a->items[i]);
            size_t more = strlen(b->items[j]);

            if (length + more > LITERAL_LENGTH_MAX)
                return false;
            memcpy(string, a->items[i], length);
            memcpy(string + length, b->items[j], more);
            if (!add_item(joined_r, string, length + more))
                return false;
        }
    }
    return true;
}

static bool unite(struct set *set, const struct set *other)
{
    for (size_t i = 0; i < other->count; i++)
        if (!add_item(set, other->items[i], strlen(other->items[i])))
            return false;
    return true;
}

static void read_alternatives(struct reader *reader, struct part *part_r);

/* One character, or nothing that is known where it stands for several. */
static void set_char(struct part *part, int c)
{
    char lower = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);

    *part = (struct part){.is_exact = c != 0};
    if (c != 0)
        (void)add_item(&part->exact, &lower, 1);
}

/* "[ab]" as its characters; longer classes, ranges and negations as anything. */
static void read_class(struct reader *reader, struct part *part)
{
    struct set set = {.count = 0};
    bool plain = true;

    reader->at++;
    if (*reader->at == '^' || *reader->at == ']')
        plain = false;
    if (*reader->at == '^')
        reader->at++;
    for (bool first = true; *reader->at != ']' || first; first = false) {
        char c = *reader->at;

        if (c == '\0') {
            reader->failed = true;
            return;
        }
        if (c == '\\' || c == '-' || c == '[')
            plain = false;
        if (c == '[' && reader->at[1] == ':') /* a POSIX class has a ] of its own */
            while (reader->at[1] != '\0' && !(reader->at[0] == ':' && reader->at[1] == ']'))
                reader->at++;
        else if (c == '\\' && reader->at[1] != '\0')
            reader->at++;
        c = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
        plain = plain && set.count < CLASS_MAX && add_item(&set, &c, 1);
        reader->at++;
    }
    reader->at++;
    *part = (struct part){.is_exact = plain, .exact = set};
}

/* Behind a backslash.  Assertions match nothing of the text; classes stand for something. */
static void read_escape(struct reader *reader, struct part *part)
{
    char c = reader->at[1];

    if (c == '\0') {
        reader->failed = true;
        return;
    }
    reader->at += 2;
    if (strchr("bBAzZG", c) != NULL)
        *part = (struct part){.is_exact = true, .exact = empty_string};
    else if (strchr("dDwWsShHvVNR", c) != NULL)
        set_char(part, 0);
    else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
        reader->failed = true; /* back references, code points and the like */
    else
        set_char(part, c);
}

static void read_group(struct reader *reader, struct part *part)
{
    bool negative = false;
    bool ahead = false;

    reader->at++;
    if (*reader->at == '?') {
        if (strncmp(reader->at, "?:", 2) == 0) {
            reader->at += 2;
        } else if (strncmp(reader->at, "?=", 2) == 0 || strncmp(reader->at, "?!", 2) == 0) {
            negative = reader->at[1] == '!';
            ahead = true;
            reader->at += 2;
        } else {
            reader->failed = true;
            return;
        }
    } else if (*reader->at == '*') {
        reader->failed = true;
        return;
    }
    if (++reader->depth > DEPTH_MAX) {
        reader->failed = true;
        return;
    }
    read_alternatives(reader, part);
    reader->depth--;
    if (*reader->at != ')')
        reader->failed = true;
    else
        reader->at++;
    if (ahead) {
        /* It takes nothing of the text; what it needs lies ahead, and is needed all the same. */
        if (part->is_exact)
            need(part, &part->exact);
        if (negative)
            need_nothing(part);
        part->is_exact = false;
        part->exact.count = 0;
    }
}

static void read_atom(struct reader *reader, struct part *part)
{
    char c = *reader->at;

    if (c == '\\') {
        read_escape(reader, part);
    } else if (c == '[') {
        read_class(reader, part);
    } else if (c == '(') {
        read_group(reader, part);
    } else {
        reader->at++;
        if (c == '.')
            set_char(part, 0);
        else if (c == '^' || c == '$')
            *part = (struct part){.is_exact = true, .exact = empty_string};
        else
            set_char(part, (unsigned char)c);
    }
}

/* A quantifier.  What may be missing is not needed; what may come again is not exact. */
static void read_quantifier(struct reader *reader, struct part *part)
{
    char c = *reader->at;
    bool missing = c == '?' || c == '*' || (c == '{' && reader->at[1] == '0') ||
                   (c == '{' && reader->at[1] == ',');

    if (c == '\0' || strchr("?*+{", c) == NULL)
        return;
    if (c == '{') {
        size_t length = strspn(reader->at + 1, "0123456789,");

        if (length == 0 || reader->at[length + 1] != '}') {
            reader->failed = true;
            return;
        }
        reader->at += length + 2;
    } else {
        reader->at++;
    }
    if (*reader->at != '\0' && strchr("?+", *reader->at) != NULL)
        reader->at++;
    if (missing)
        need_nothing(part);
    if (c == '?' && part->is_exact && unite(&part->exact, &empty_string))
        return;
    if (part->is_exact && !missing)
        need(part, &part->exact);
    part->is_exact = false;
}

/* What stands between two bars: the exact strings that end here grow as long as they can. */
static void read_sequence(struct reader *reader, struct part *sequence_r)
{
    *sequence_r = (struct part){.is_exact = true, .exact = empty_string};
    while (!reader->failed && *reader->at != '\0' && *reader->at != '|' && *reader->at != ')') {
        struct part part = {.is_exact = false};
        struct set joined;

        read_atom(reader, &part);
        if (reader->failed)
            return;
        read_quantifier(reader, &part);
        if (part.is_exact && join(&sequence_r->exact, &part.exact, &joined)) {
            sequence_r->exact = joined;
            continue;
        }
        need(sequence_r, &sequence_r->exact);
        for (size_t i = 0; i < LITERALS_SETS; i++)
            need(sequence_r, &part.needed[i]);
        sequence_r->is_exact = false;
        sequence_r->exact = part.is_exact ? part.exact : empty_string;
    }
    need(sequence_r, &sequence_r->exact);
}

/* What one of several needs is among what each of them needs; one that needs less than others has
 * its last set counted again. */
static void unite_needs(struct part *part, const struct part *sequence, bool known[LITERALS_SETS])
{
    const struct set *needed = &sequence->needed[0];

    for (size_t i = 0; i < LITERALS_SETS; i++) {
        if (shortest(&sequence->needed[i]) > 0)
            needed = &sequence->needed[i];
        known[i] = known[i] && shortest(needed) > 0 && unite(&part->needed[i], needed);
    }
}

static void read_alternatives(struct reader *reader, struct part *part_r)
{
    bool known[LITERALS_SETS] = {true, true};

    *part_r = (struct part){.is_exact = true};
    for (;;) {
        struct part sequence;

        read_sequence(reader, &sequence);
        if (reader->failed)
            return;
        part_r->is_exact =
            part_r->is_exact && sequence.is_exact && unite(&part_r->exact, &sequence.exact);
        unite_needs(part_r, &sequence, known);
        if (*reader->at != '|')
            break;
        reader->at++;
    }
    for (size_t i = 0; i < LITERALS_SETS; i++)
        if (!known[i])
            part_r->needed[i].count = 0;
    /* Where all needed one set only, it was counted twice. */
    if (is_same(&part_r->needed[0], &part_r->needed[1]))
        part_r->needed[1].count = 0;
    if (!part_r->is_exact)
        part_r->exact.count = 0;
}

bool literals_find(const char *expression, struct strings literals_r[LITERALS_SETS])
{
    struct reader reader = {.at = expression};
    struct part part;
    size_t count = 0;

    read_alternatives(&reader, &part);
    if (reader.failed || *reader.at != '\0')
        return false;
    for (size_t i = 0; i < LITERALS_SETS; i++) {
        if (shortest(&part.needed[i]) < LITERAL_LENGTH_MIN)
            continue;
        for (size_t j = 0; j < part.needed[i].count; j++)
            strings_add(&literals_r[count], part.needed[i].items[j]);
        count++;
    }
    return count > 0;
}
