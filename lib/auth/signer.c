/* SPDX-License-Identifier: BSD-2-Clause */
/* What the signatures of one configuration are made with: their forms, and the keys. */
#include "lib/auth/signer.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct signer {
    atomic_size_t references;
    struct signer_form *forms; /* of all, then of each sign section */
    size_t nforms;
    struct signer_keys keys;
};

/* --- life ----------------------------------------------------------------------------- */

static void free_signer(struct signer *signer)
{
    signer_keys_clear(&signer->keys);
    for (size_t i = 0; i < signer->nforms; i++)
        signer_form_clear(&signer->forms[i]);
    free(signer->forms);
    free(signer);
}

/* The first form is that of all keys whose section says nothing of it. */
static bool make_forms(struct signer *signer, const struct conf *conf)
{
    bool made;

    signer->forms = mem_new(conf->nsigns + 1, sizeof(*signer->forms));
    signer->nforms = conf->nsigns + 1;
    made = signer_form_make(&signer->forms[0], conf, NULL);
    for (size_t i = 0; i < conf->nsigns && made; i++)
        if (signer_form_is_own(&conf->signs[i]))
            made = signer_form_make(&signer->forms[i + 1], conf, &conf->signs[i]);
    return made;
}

struct signer *signer_new(const struct conf *conf, const struct signer *previous, char **problem_r)
{
    struct signer *signer = mem_new(1, sizeof(*signer));
    bool complete;

    atomic_init(&signer->references, 1);
    complete = make_forms(signer, conf);
    if (!complete)
        *problem_r = mem_copy("libopendkim does not start");
    complete = complete && signer_keys_read(&signer->keys, conf,
                                            previous != NULL ? &previous->keys : NULL, problem_r);
    if (!complete) {
        free_signer(signer);
        return NULL;
    }
    return signer;
}

struct signer *signer_hold(struct signer *signer)
{
    atomic_fetch_add(&signer->references, 1);
    return signer;
}

void signer_release(struct signer **signer)
{
    if (*signer != NULL && atomic_fetch_sub(&(*signer)->references, 1) == 1)
        free_signer(*signer);
    *signer = NULL;
}

const struct signer_keys *signer_keys(const struct signer *signer)
{
    return &signer->keys;
}

void signer_note_key(const struct signer_key *key, struct signer_note *note_r)
{
    *note_r = (struct signer_note){
        .domain = key->domain,
        .selector = key->selector,
        .path = key->path,
        .problem = key->problem,
        .trouble = key->trouble,
        .bits = key->key.bits,
        .weak = key->problem == NULL && key_is_weak(&key->key),
        .exposure = key->exposure,
        .kept = key->kept,
    };
}

bool sign_is_failure(const char *reason)
{
    static const char *const failures[] = {SIGN_KEY_UNREADABLE, SIGN_KEY_WEAK, SIGN_HEADERS_CUT,
                                           SIGN_ERROR};

    for (size_t i = 0; i < COUNT_OF(failures); i++)
        if (strcmp(reason, failures[i]) == 0)
            return true;
    return false;
}

bool signer_note(const struct signer *signer, size_t n, struct signer_note *note_r)
{
    if (n >= signer->keys.count)
        return false;
    signer_note_key(&signer->keys.items[n], note_r);
    return true;
}

const struct signer_form *signer_form(const struct signer *signer, const struct signer_key *key)
{
    const struct signer_form *own = &signer->forms[key->section];

    return own->library != NULL ? own : &signer->forms[0];
}

bool signer_view(const struct signer *signer, const struct address *from, size_t n,
                 struct signer_view *view_r)
{
    struct signer_match matches[CONF_SIGNS_MAX];
    const struct signer_key *key;

    if (n >= signer_rules_match(signer->keys.rules, from, matches))
        return false;
    key = &signer->keys.items[matches[n].key];
    *view_r = (struct signer_view){
        .domain = strcmp(key->domain, "%") == 0 ? from->domain : key->domain,
        .selector = key->selector,
        .path = key->path,
        .problem = key->problem,
        .trouble = key->trouble,
        .bits = key->key.bits,
        .key = key->problem == NULL ? &key->key : NULL,
        .exposure = key->exposure,
        .state = key->state,
    };
    return true;
}
