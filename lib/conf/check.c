/* SPDX-License-Identifier: BSD-2-Clause */
/* What no single value of a configuration shows. */
#include "lib/base/mem.h"
#include "lib/base/words.h"
#include "lib/conf/private.h"
#include "lib/conf/store_url.h"

#include <stdlib.h>
#include <string.h>

/* Where an option of the root was written. */
static struct conf_place place_of(const struct load *load, const char *name)
{
    const struct raw_option *option =
        raw_find(&load->kept->root, schema_option(SECTION_ROOT, name));

    if (option != NULL && option->nvalues > 0)
        return option->values[0].place;
    return load->kept->root.place;
}

static size_t values_of(const struct load *load, const char *name)
{
    const struct raw_option *option =
        raw_find(&load->kept->root, schema_option(SECTION_ROOT, name));

    return option != NULL ? option->nvalues : 0;
}

static bool is_set(const char *string)
{
    return string != NULL && *string != '\0';
}

/* The files without TLS would be a belief in it. */
static void check_store_tls(struct load *load, const struct store_url *url)
{
    const struct conf *conf = load->conf;
    bool files = is_set(conf->store_tls_ca) || is_set(conf->store_tls_certificate) ||
                 is_set(conf->store_tls_key) || is_set(conf->store_tls_name);
    struct conf_place place = place_of(load, url->tls ? "store" : "store-tls");

    if (conf->store_tls && !SLUICE_REDIS_TLS)
        problem_add(load->problems, &place,
                    "this build does not speak TLS to Redis itself: let stunnel do it "
                    "(contrib/stunnel) and name its socket as redis://127.0.0.1:6380, or build "
                    "Sluice with hiredis 1.0 or newer");
    else if (conf->store_tls && !url->remote)
        problem_add(load->problems, &place,
                    "store-tls = yes: expected store to name a host (redis://, sentinel:// or "
                    "cluster://)");
    place = place_of(load, "store-tls");
    if (files && !conf->store_tls)
        problem_add(load->problems, &place,
                    "store-tls-ca, -certificate, -key and -name are of no use without TLS: "
                    "expected store-tls = yes or store = rediss://...");
    place = place_of(load, "store-tls-certificate");
    if (is_set(conf->store_tls_certificate) != is_set(conf->store_tls_key))
        problem_add(load->problems, &place,
                    "store-tls-certificate and store-tls-key: expected both or neither");
}

/* What the URL says goes where the options of their own say it. */
static void check_store(struct load *load)
{
    struct conf *conf = load->conf;
    struct conf_place place = place_of(load, "store");
    struct store_url url;
    const char *problem;

    if (conf->store == NULL || !store_url_parse(conf->store, &url, &problem))
        return; /* told when it was read */
    if ((url.user != NULL && is_set(conf->store_user)) ||
        (url.password != NULL && is_set(conf->store_password)) ||
        (url.database >= 0 && conf->store_database > 0 && url.database != conf->store_database))
        problem_add(load->problems, &place,
                    "store names a user, password or database that store-user, "
                    "store-password-file or store-database names too: expected it in one place");
    free(conf->store);
    conf->store = mem_copy(url.address);
    if (url.user != NULL && !is_set(conf->store_user)) {
        free(conf->store_user);
        conf->store_user = mem_copy(url.user);
    }
    if (url.password != NULL && !is_set(conf->store_password)) {
        free(conf->store_password);
        conf->store_password = mem_copy(url.password);
    }
    if (url.database >= 0)
        conf->store_database = url.database;
    conf->store_tls |= url.tls;
    check_store_tls(load, &url);
    store_url_clear(&url);
}

static void check_root(struct load *load)
{
    struct conf *conf = load->conf;
    struct conf_place place;

    check_store(load);
    if (conf->store_hash_addresses && !is_set(conf->store_hash_key)) {
        place = place_of(load, "store-hash-addresses");
        problem_add(load->problems, &place,
                    "store-hash-addresses = yes: expected store-hash-key-file too");
    }
    if (values_of(load, "milter-listen") != 1) {
        place = place_of(load, "milter-listen");
        problem_add(load->problems, &place,
                    "milter-listen has %zu places: expected exactly one, since libmilter "
                    "listens at one",
                    values_of(load, "milter-listen"));
    }
    if (values_of(load, "sender-login") == 0) {
        place = place_of(load, "sender-login");
        problem_add(load->problems, &place,
                    "sender-login is empty, so that no login may use any address: expected "
                    "equal, domain or a table");
    }
}

static void check_limit(struct load *load, const struct conf_limit *limit,
                        const struct raw_section *raw)
{
    const struct raw_option *per = raw_find(raw, schema_option(SECTION_LIMIT, "per"));
    const struct raw_option *count = raw_find(raw, schema_option(SECTION_LIMIT, "count"));

    /* As written: where one of them could not be read, that is told already. */
    if (per != NULL && per->nvalues == 1 && strcmp(per->values[0].text, "message") == 0 &&
        count != NULL && count->nvalues == 1 && strcmp(count->values[0].text, "messages") == 0)
        problem_add(load->problems, &limit->place,
                    "limit %s: each message is one message: expected per = a time, or count = "
                    "recipients, external-recipients or bytes",
                    limit->name);
}

/* The names that would have been right. */
static void suggest_limit(const struct conf *conf, const char *name, struct text *text)
{
    const char **names = mem_new(conf->nlimits + 1, sizeof(*names));

    for (size_t i = 0; i < conf->nlimits; i++)
        names[i] = conf->limits[i].name;
    problem_suggest_of(text, name, names, conf->nlimits);
    free(names);
}

static void check_class(struct load *load, const struct conf_class *class,
                        const struct raw_section *raw)
{
    struct text text = TEXT_EMPTY;

    for (size_t i = 0; i < class->nlimits; i++) {
        const char *name = raw->children[i].title;

        if (class->limits[i].limit == NULL) {
            text_clear(&text);
            problem_quote(&text, name);
            suggest_limit(load->conf, name, &text);
            problem_add(load->problems, &class->limits[i].place, "class %s: there is no limit %s",
                        class->name, text_string(&text));
        }
        for (size_t j = 0; j < i; j++)
            if (strcmp(raw->children[j].title, name) == 0)
                problem_add(load->problems, &class->limits[i].place,
                            "class %s: limit %s is written twice: the first is at %s:%u",
                            class->name, name, class->limits[j].place.file,
                            class->limits[j].place.line);
    }
    if (class->nlimits == 0 && class->inherits.count == 0)
        problem_add(load->problems, &class->place,
                    "class %s names no limit: expected limit NAME { max = N } or inherits = CLASS "
                    "in it",
                    class->name);
    text_free(&text);
}

static void check_limits_and_classes(struct load *load)
{
    const struct raw_section *root = &load->kept->root;
    size_t nlimits = 0;
    size_t nclasses = 0;

    for (size_t i = 0; i < root->nchildren; i++) {
        if (root->children[i].kind == SECTION_LIMIT)
            check_limit(load, &load->conf->limits[nlimits++], &root->children[i]);
        else if (root->children[i].kind == SECTION_CLASS)
            check_class(load, &load->conf->classes[nclasses++], &root->children[i]);
    }
}

static void check_warmups(struct load *load)
{
    for (size_t i = 0; i < load->conf->nwarmups; i++) {
        const struct conf_warmup *warmup = &load->conf->warmups[i];

        if (warmup->ceiling > 0 && warmup->ceiling < warmup->first)
            problem_add(load->problems, &warmup->place,
                        "warmup %s: its ceiling is below its first day: expected at least %lld",
                        warmup->title, (long long)warmup->first);
    }
}

static void check_signs(struct load *load)
{
    const struct conf *conf = load->conf;
    struct conf_place place = place_of(load, "sign-signing-table");

    if (is_set(conf->sign_signing_table) != is_set(conf->sign_key_table))
        problem_add(load->problems, &place,
                    "expected sign-key-table and sign-signing-table together: one names the keys, "
                    "the other who signs with them");
    for (size_t i = 0; i < conf->nsigns; i++) {
        size_t before = 0;

        for (size_t j = 0; j < i; j++)
            before += strcmp(conf->signs[j].domain, conf->signs[i].domain) == 0 &&
                      conf->signs[j].subdomains == conf->signs[i].subdomains;
        if (before == CONF_SIGNS_MAX)
            problem_add(load->problems, &conf->signs[i].place,
                        "sign %s is written more than %d times: expected that many keys at most",
                        conf->signs[i].domain, CONF_SIGNS_MAX);
    }
}

static void check_relays(struct load *load)
{
    const struct conf *conf = load->conf;

    for (size_t i = 0; i < conf->nrelays; i++) {
        const struct conf_relay *relay = &conf->relays[i];

        if (relay->includes.count == 0 && relay->naddresses == 0)
            problem_add(load->problems, &relay->place,
                        "relay %s does not say what it sends from: expected include or addresses",
                        relay->name);
        if (i == CONF_RELAYS_MAX)
            problem_add(load->problems, &relay->place,
                        "there are too many relay sections: expected %d at most", CONF_RELAYS_MAX);
    }
}

static void check_causes(struct load *load)
{
    const struct conf_words *words = load->words;

    for (size_t i = 0; i < load->conf->ncauses; i++) {
        const struct conf_cause *cause = &load->conf->causes[i];
        struct text text = TEXT_EMPTY;
        bool known = false;

        for (size_t j = 0; j < words->ncauses; j++)
            known = known || strcmp(words->causes[j], cause->id) == 0;
        if (!known) {
            problem_quote(&text, cause->id);
            problem_suggest(&text, words_nearest(cause->id, words->causes, words->ncauses));
            problem_add(load->problems, &cause->place,
                        "there is no cause %s (sluicectl causes lists them)", text_string(&text));
        }
        text_free(&text);
    }
}

static bool is_cause_pattern(const struct conf_words *words, const char *pattern)
{
    size_t length = strlen(pattern);
    bool open = pattern[length - 1] == '*';

    for (size_t i = 0; i < words->ncauses; i++)
        if (open ? strncmp(words->causes[i], pattern, length - 1) == 0
                 : strcmp(words->causes[i], pattern) == 0)
            return true;
    return false;
}

static void check_notify(struct load *load, const struct conf_notify *notify)
{
    const struct conf_words *words = load->words;

    for (size_t i = 0; i < notify->causes.count; i++) {
        const char *pattern = notify->causes.items[i];
        struct text text = TEXT_EMPTY;

        if (!is_cause_pattern(words, pattern)) {
            problem_quote(&text, pattern);
            problem_suggest(&text, words_nearest(pattern, words->causes, words->ncauses));
            problem_add(load->problems, &notify->place,
                        "notify %s: no cause is called %s (sluicectl causes lists them)",
                        notify->name, text_string(&text));
        }
        text_free(&text);
    }
    if (notify->command.count + notify->mail.count == 0 && !notify->user)
        problem_add(load->problems, &notify->place,
                    "notify %s tells nobody: expected command, mail or to-user", notify->name);
    if (notify->command.count > 0 && notify->command.items[0][0] != '/')
        problem_add(load->problems, &notify->place,
                    "notify %s: command: expected a path from the root first", notify->name);
    for (size_t i = 0; i < notify->mail.count; i++)
        if (strchr(notify->mail.items[i], '@') == NULL ||
            strpbrk(notify->mail.items[i], " ,<>") != NULL)
            problem_add(load->problems, &notify->place,
                        "notify %s: mail: expected addresses, such as postmaster@example.com",
                        notify->name);
    if (notify->window_sec == 0 && notify->causes.count > 0)
        problem_add(load->problems, &notify->place, "notify %s: per: expected a time, such as 24h",
                    notify->name);
}

static void check_notifies(struct load *load)
{
    const struct conf *conf = load->conf;
    struct conf_place place = place_of(load, "notify-sendmail");

    for (size_t i = 0; i < conf->nnotifies; i++)
        check_notify(load, &conf->notifies[i]);
    if (conf->notify_sendmail.count == 0 || conf->notify_sendmail.items[0][0] != '/')
        problem_add(load->problems, &place,
                    "notify-sendmail: expected a path from the root, maybe with arguments");
}

void sections_check(struct load *load)
{
    check_root(load);
    check_limits_and_classes(load);
    check_warmups(load);
    check_signs(load);
    check_relays(load);
    check_causes(load);
    check_notifies(load);
}
