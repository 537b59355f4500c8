/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/auth/arc.h"

#include "lib/auth/verify_one.h"
#include "lib/base/mem.h"

#include <stdlib.h>
#include <string.h>

#define RESULTS "ARC-Authentication-Results"
#define MESSAGE_SIGNATURE "ARC-Message-Signature"
#define SEAL "ARC-Seal"
#define WHITE_SPACE " \t\r\n"

const char *arc_status_name(enum arc_status status)
{
    static const char *const names[] = {
        [ARC_NONE] = "none", [ARC_PASS] = "pass", [ARC_FAIL] = "fail", [ARC_UNKNOWN] = "fail"};

    return names[status];
}

enum arc_status arc_status(const struct arc *arc)
{
    return arc != NULL ? arc->status : ARC_NONE;
}

/* The first problem is the one. */
static void fail(struct arc *arc, const char *problem)
{
    if (arc->problem == NULL)
        arc->problem = mem_copy(problem);
}

/* --- the sets ------------------------------------------------------------------------- */

/* The instance of an ARC-Authentication-Results, which begins with it; 0: it has none. */
static unsigned results_instance(const char *value)
{
    unsigned instance = 0;

    value += strspn(value, WHITE_SPACE);
    if (*value != 'i')
        return 0;
    value += 1 + strspn(value + 1, WHITE_SPACE);
    if (*value != '=')
        return 0;
    value += 1 + strspn(value + 1, WHITE_SPACE);
    for (; *value >= '0' && *value <= '9' && instance <= ARC_SETS_MAX; value++)
        instance = instance * 10 + (unsigned)(*value - '0');
    value += strspn(value, WHITE_SPACE);
    return *value == ';' ? instance : 0;
}

static unsigned signature_instance(const struct header *field, enum dkim_field kind,
                                   int64_t now_sec)
{
    struct dkim_signature signature;
    unsigned instance;

    dkim_signature_parse_as(field->value, kind, now_sec, &signature);
    instance = signature.instance;
    dkim_signature_clear(&signature);
    return instance;
}

/* The place for a field of that instance; NULL: there is none. */
static struct arc_set *set_of(struct arc *arc, unsigned instance)
{
    if (instance == 0 || instance > ARC_SETS_MAX)
        return NULL;
    if (instance > arc->count)
        arc->count = instance;
    return &arc->sets[instance - 1];
}

static void put(struct arc *arc, const struct header **place, const struct header *field)
{
    if (*place != NULL)
        fail(arc, "a field is there twice");
    *place = field;
}

static void take_field(struct arc *arc, const struct header *field, int64_t now_sec)
{
    struct arc_set *set;

    if (verify_is_named(field, RESULTS)) {
        set = set_of(arc, results_instance(field->value));
        if (set != NULL)
            put(arc, &set->results, field);
    } else if (verify_is_named(field, MESSAGE_SIGNATURE)) {
        set = set_of(arc, signature_instance(field, DKIM_FIELD_ARC_MESSAGE, now_sec));
        if (set != NULL)
            put(arc, &set->message_signature, field);
    } else if (verify_is_named(field, SEAL)) {
        set = set_of(arc, signature_instance(field, DKIM_FIELD_ARC_SEAL, now_sec));
        if (set != NULL)
            put(arc, &set->seal, field);
    } else {
        return;
    }
    if (set == NULL)
        fail(arc, "a field has no instance");
}

/* RFC 8617 section 5.2, steps 2 and 3: the sets are complete, and none says that it saw a broken
 * chain. */
static void check_sets(struct arc *arc)
{
    for (size_t i = 0; i < arc->count; i++) {
        const struct arc_set *set = &arc->sets[i];

        if (set->results == NULL || set->message_signature == NULL || set->seal == NULL)
            fail(arc, "a set is not complete");
        else if (set->sealed.signature.problem == NULL &&
                 set->sealed.signature.chain != (i == 0 ? DKIM_CHAIN_NONE : DKIM_CHAIN_PASS))
            fail(arc, "a forwarder found the chain broken");
    }
}

static void parse_seals(struct arc *arc, int64_t now_sec)
{
    for (size_t i = 0; i < arc->count; i++) {
        struct arc_set *set = &arc->sets[i];

        if (set->seal == NULL)
            continue;
        set->sealed.field = set->seal;
        dkim_signature_parse_as(set->seal->value, DKIM_FIELD_ARC_SEAL, now_sec,
                                &set->sealed.signature);
    }
}

/* Earlier message signatures are those of the message as it was before the last forwarder changed
 * it. */
static void parse_newest(struct arc *arc, struct verify *verify, int64_t now_sec)
{
    const struct arc_set *last = &arc->sets[arc->count - 1];

    arc->sealer = last->sealed.signature.domain;
    if (last->message_signature == NULL)
        return;
    arc->newest.field = last->message_signature;
    dkim_signature_parse_as(last->message_signature->value, DKIM_FIELD_ARC_MESSAGE, now_sec,
                            &arc->newest.signature);
    verify_want_body(verify, &arc->newest);
}

static bool has_fields(const struct message *message)
{
    for (size_t i = 0; i < message->nheaders; i++)
        if (verify_is_named(&message->headers[i], RESULTS) ||
            verify_is_named(&message->headers[i], MESSAGE_SIGNATURE) ||
            verify_is_named(&message->headers[i], SEAL))
            return true;
    return false;
}

struct arc *arc_new(struct verify *verify, int64_t now_sec)
{
    const struct message *message = verify->message;
    struct arc *arc;

    if (!has_fields(message))
        return NULL;
    arc = mem_new(1, sizeof(*arc));
    for (size_t i = 0; i < message->nheaders; i++)
        take_field(arc, &message->headers[i], now_sec);
    parse_seals(arc, now_sec);
    check_sets(arc);
    if (arc->count > 0)
        parse_newest(arc, verify, now_sec);
    return arc;
}

void arc_free(struct arc **arc)
{
    if (*arc == NULL)
        return;
    for (size_t i = 0; i < (*arc)->count; i++)
        verify_one_clear(&(*arc)->sets[i].sealed);
    verify_one_clear(&(*arc)->newest);
    free((*arc)->problem);
    free(*arc);
    *arc = NULL;
}

/* --- keys ----------------------------------------------------------------------------- */

bool arc_learn_keys(struct arc *arc, const struct lookup *lookup)
{
    bool known;

    if (arc == NULL || arc->problem != NULL)
        return true;
    known = verify_one_learn(&arc->newest, lookup);
    for (size_t i = 0; i < arc->count; i++)
        known = verify_one_learn(&arc->sets[i].sealed, lookup) && known;
    return known;
}

/* --- the judgement -------------------------------------------------------------------- */

static void add_field(const char *name, const char *value, struct text *text)
{
    dkim_canon_field(DKIM_RELAXED, name, value, text);
}

/* What a seal covers: all sets up to its own, and itself without what b= says (RFC 8617 section
 * 5.1.1). */
static void add_sealed(const struct arc *arc, size_t last, struct text *text)
{
    char *value = dkim_signature_unsigned(arc->sets[last].seal->value);

    for (size_t i = 0; i <= last; i++) {
        add_field(RESULTS, arc->sets[i].results->value, text);
        text_add_string(text, "\r\n");
        add_field(MESSAGE_SIGNATURE, arc->sets[i].message_signature->value, text);
        text_add_string(text, "\r\n");
        add_field(SEAL, i == last ? value : arc->sets[i].seal->value, text);
        if (i < last)
            text_add_string(text, "\r\n");
    }
    free(value);
}

static void judge_seal(struct arc *arc, size_t n)
{
    struct verify_signature *one = &arc->sets[n].sealed;
    struct text content = TEXT_EMPTY;

    if (!verify_one_is_judgeable(one))
        return;
    add_sealed(arc, n, &content);
    verify_one_judge(one, true, &content);
    text_free(&content);
}

/* What one signature means for the chain. */
static void conclude(struct arc *arc, const struct verify_signature *one, const char *what,
                     size_t instance)
{
    char *problem = NULL;

    if (one->status == VERIFY_PASS || arc->status == ARC_FAIL)
        return;
    arc->status = one->status == VERIFY_TEMPERROR ? ARC_UNKNOWN : ARC_FAIL;
    problem = mem_print("%s %zu: %s", what, instance, one->problem);
    free(arc->problem);
    arc->problem = problem;
}

void arc_judge(struct arc *arc, struct verify *verify)
{
    if (arc == NULL)
        return;
    if (verify->message->headers_cut)
        fail(arc, "too many header fields");
    arc->status = ARC_FAIL;
    if (arc->problem != NULL)
        return;
    arc->status = ARC_PASS;
    verify_judge_field(verify, &arc->newest);
    conclude(arc, &arc->newest, "message signature", arc->count);
    for (size_t i = arc->count; i-- > 0 && arc->status != ARC_FAIL;) {
        judge_seal(arc, i);
        conclude(arc, &arc->sets[i].sealed, "seal", i + 1);
    }
}
