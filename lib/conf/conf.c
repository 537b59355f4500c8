/* SPDX-License-Identifier: BSD-2-Clause */
/* A loaded configuration: references, the slot, and the plain questions. */
#include "lib/conf/conf.h"

#include "lib/base/domain.h"
#include "lib/base/mem.h"
#include "lib/conf/private.h"
#include "lib/conf/schema.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct conf *conf_hold(struct conf *conf)
{
    atomic_fetch_add_explicit(&conf_kept(conf)->references, 1, memory_order_relaxed);
    return conf;
}

static void conf_free(struct conf *conf)
{
    struct conf_private *kept = conf->private_;

    classes_clear(&kept->classes);
    map_free(&kept->local_domains, NULL);
    sections_clear(conf);
    raw_clear(&kept->root);
    strings_free(&kept->files);
    free(kept);
    free(conf);
}

void conf_release(struct conf **conf)
{
    if (*conf == NULL)
        return;
    if (atomic_fetch_sub_explicit(&conf_kept(*conf)->references, 1, memory_order_acq_rel) == 1)
        conf_free(*conf);
    *conf = NULL;
}

struct conf_slot {
    pthread_mutex_t lock;
    struct conf *conf;
};

struct conf_slot *conf_slot_new(struct conf *conf)
{
    struct conf_slot *slot = mem_new(1, sizeof(*slot));

    pthread_mutex_init(&slot->lock, NULL);
    slot->conf = conf;
    return slot;
}

void conf_slot_free(struct conf_slot **slot)
{
    if (*slot == NULL)
        return;
    conf_release(&(*slot)->conf);
    pthread_mutex_destroy(&(*slot)->lock);
    free(*slot);
    *slot = NULL;
}

struct conf *conf_slot_get(struct conf_slot *slot)
{
    struct conf *conf;

    /* The lock closes the gap between reading the pointer and holding what it points to. */
    pthread_mutex_lock(&slot->lock);
    conf = conf_hold(slot->conf);
    pthread_mutex_unlock(&slot->lock);
    return conf;
}

void conf_slot_set(struct conf_slot *slot, struct conf *conf)
{
    struct conf *old;

    pthread_mutex_lock(&slot->lock);
    old = slot->conf;
    slot->conf = conf;
    pthread_mutex_unlock(&slot->lock);
    conf_release(&old);
}

const char *conf_authserv_id(const struct conf *conf)
{
    return conf->authserv_id[0] != '\0' ? conf->authserv_id : conf->hostname;
}

bool conf_is_internal(const struct conf *conf, const struct ip_address *address)
{
    for (size_t i = 0; i < conf->ninternal_networks; i++)
        if (ip_network_contains(&conf->internal_networks[i], address))
            return true;
    return false;
}

bool conf_is_local_domain(const struct conf *conf, const char *domain)
{
    const struct map *domains = conf_kept(conf)->local_domains;
    char *normal = domain_copy(domain);
    bool local = false;

    if (normal == NULL)
        return false;
    local = map_peek(domains, normal, strlen(normal)) != NULL;
    for (const char *dot = strchr(normal, '.'); dot != NULL && !local; dot = strchr(dot + 1, '.'))
        local = map_peek(domains, dot, strlen(dot)) != NULL;
    free(normal);
    return local;
}

int conf_cause_action(const struct conf *conf, const char *cause_id)
{
    /* The last one written holds. */
    for (size_t i = conf->ncauses; i > 0; i--)
        if (conf->causes[i - 1].action >= 0 && strcmp(conf->causes[i - 1].id, cause_id) == 0)
            return conf->causes[i - 1].action;
    return -1;
}

const struct conf_suspend *conf_cause_suspend(const struct conf *conf, const char *cause_id)
{
    /* The last section that says it holds: a file can so change what it includes. */
    for (size_t i = conf->ncauses; i > 0; i--)
        if (conf->causes[i - 1].suspend.life_ms > 0 &&
            strcmp(conf->causes[i - 1].id, cause_id) == 0)
            return &conf->causes[i - 1].suspend;
    return NULL;
}

enum conf_mode conf_cause_mode(const struct conf *conf, const char *cause_id)
{
    for (size_t i = conf->ncauses; i > 0; i--)
        if (conf->causes[i - 1].mode >= 0 && strcmp(conf->causes[i - 1].id, cause_id) == 0)
            return (enum conf_mode)conf->causes[i - 1].mode;
    return conf->mode;
}

bool conf_enforces(const struct conf *conf)
{
    bool enforces = conf->mode == MODE_ENFORCE;

    for (size_t i = 0; i < conf->ncauses && !enforces; i++)
        enforces = conf_cause_mode(conf, conf->causes[i].id) == MODE_ENFORCE;
    return enforces;
}

static const char *word_of(const struct option_word *words, int value)
{
    while (words->word != NULL && words->value != value)
        words++;
    return words->word;
}

/* Each message names the subjects of its limits, more than once: the table is searched but once. */
const char *limit_subject_name(enum limit_subject subject)
{
    static const struct option_word *_Atomic words;

    if (atomic_load(&words) == NULL)
        atomic_store(&words, schema_option(SECTION_LIMIT, "subject")->words);
    return word_of(atomic_load(&words), (int)subject);
}

bool limit_subject_parse(const char *name, enum limit_subject *subject_r)
{
    for (const struct option_word *word = schema_option(SECTION_LIMIT, "subject")->words;
         word->word != NULL; word++) {
        if (strcasecmp(word->word, name) == 0) {
            *subject_r = (enum limit_subject)word->value;
            return true;
        }
    }
    return false;
}

const char *limit_count_name(enum limit_count count)
{
    return word_of(schema_option(SECTION_LIMIT, "count")->words, (int)count);
}
