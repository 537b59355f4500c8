/* SPDX-License-Identifier: BSD-2-Clause */
/* A subject as an operator writes it, and what it used. */
#include "ctl/subject.h"

#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "lib/base/words.h"
#include "lib/decide/class_lookup.h"
#include "lib/decide/limits.h"
#include "lib/decide/subjects.h"

#include <stdlib.h>
#include <string.h>

#define CLASS_STEP_MS 100
#define LOGIN_LENGTH_MAX 320 /* an address's (RFC 5321 section 4.5.3.1) */

/* Where the kind ends and the value begins; a value alone is a client, its network or
 * a user. */
static bool split(const char *string, enum limit_subject *kind_r, const char **value_r,
                  char **problem_r)
{
    const char *colon = strchr(string, ':');
    char *word = mem_copy_n(string, colon != NULL ? (size_t)(colon - string) : strlen(string));
    struct ip_address address;
    struct ip_network network;
    const char *problem;
    bool known = limit_subject_parse(word, kind_r);
    bool done = true;

    if (known && (colon != NULL || *kind_r == SUBJECT_ALL || *kind_r == SUBJECT_HOST)) {
        *value_r = colon != NULL ? colon + 1 : "";
    } else if (ip_parse(string, &address)) {
        *kind_r = SUBJECT_CLIENT;
        *value_r = string;
    } else if (strchr(string, '/') != NULL && ip_network_parse(string, &network, &problem)) {
        *kind_r = SUBJECT_CLIENT_NETWORK;
        *value_r = string;
    } else if (colon == NULL) {
        *kind_r = SUBJECT_USER;
        *value_r = string;
    } else {
        const char *names[SUBJECT_COUNT];
        const char *nearest;

        for (size_t i = 0; i < SUBJECT_COUNT; i++)
            names[i] = limit_subject_name((enum limit_subject)i);
        nearest = words_nearest(word, names, SUBJECT_COUNT);
        *problem_r =
            mem_print("unknown kind of subject \"%s\": expected user:, sender:, sender-domain:, "
                      "client:, client-network:, helo:, recipient-domain:, recipient:, host: or "
                      "everything%s%s%s",
                      word, nearest != NULL ? "; did you mean \"" : "",
                      nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "");
        done = false;
    }
    free(word);
    return done;
}

/* What no login, and no domain, can be; NULL: it can. */
static const char *find_fault(enum limit_subject kind, const char *value)
{
    const bool is_login = kind == SUBJECT_USER;

    if (!is_login && kind != SUBJECT_SENDER_DOMAIN && kind != SUBJECT_RECIPIENT_DOMAIN)
        return NULL;
    if (*value == '\0')
        return "it is empty";
    for (const char *p = value; *p != '\0'; p++)
        if ((unsigned char)*p <= ' ' || *p == 0x7f)
            return "there is a space or a control character in it";
    if (strlen(value) > LOGIN_LENGTH_MAX)
        return "it is too long";
    if (!is_login)
        return strchr(value, '@') != NULL ? "there is an \"@\" in it" : NULL;
    if (*value == '@')
        return "nothing stands before its \"@\"; a whole domain is a class's to name";
    if (value[strlen(value) - 1] == '@')
        return "nothing stands behind its \"@\"";
    if (strpbrk(value, "<>,;\"") != NULL)
        return "one of < > , ; \" is in it";
    return NULL;
}

/* A message of the subject's, so that it is named as the daemons name it. */
static struct message *message_of(const struct conf *conf, enum limit_subject kind,
                                  const char *value)
{
    struct message *message = message_new(PROGRAM_POLICY, conf->hostname);
    char *someone = mem_print("x@%s", value);
    struct ip_network network;
    const char *problem;

    if (kind == SUBJECT_USER)
        message_set_user(message, value);
    else if (kind == SUBJECT_SENDER)
        message_set_sender(message, value);
    else if (kind == SUBJECT_SENDER_DOMAIN)
        message_set_sender(message, someone);
    else if (kind == SUBJECT_HELO)
        message_set(&message->helo, value);
    else if (kind == SUBJECT_RECIPIENT)
        (void)message_add_recipient(message, value);
    else if (kind == SUBJECT_RECIPIENT_DOMAIN)
        (void)message_add_recipient(message, someone);
    else if (kind == SUBJECT_CLIENT)
        (void)ip_parse(value, &message->client);
    else if (kind == SUBJECT_CLIENT_NETWORK && ip_network_parse(value, &network, &problem))
        message->client = network.address;
    free(someone);
    return message;
}

/* What a class looks for. */
static void set_classes(struct subject *subject, const struct message *message)
{
    if (subject->kind == SUBJECT_USER)
        subject->login = mem_copy(message->user);
    else if (subject->kind == SUBJECT_SENDER)
        subject->sender = mem_copy(message->sender.text);
    else if (subject->kind == SUBJECT_SENDER_DOMAIN)
        subject->sender = mem_print("@%s", message->sender.domain);
    subject->client = message->client;
}

bool subject_parse(const struct conf *conf, const char *string, struct subject *subject_r,
                   char **problem_r)
{
    struct text name = TEXT_EMPTY;
    struct message *message = NULL;
    const struct recipient *recipient = NULL;
    const char *value = "";
    const char *fault;
    bool done = false;

    memset(subject_r, 0, sizeof(*subject_r));
    if (!split(string, &subject_r->kind, &value, problem_r))
        return false;
    fault = find_fault(subject_r->kind, value);
    if (fault != NULL) {
        *problem_r = mem_print("\"%s\" cannot be a %s: %s", value,
                               subject_r->kind == SUBJECT_USER ? "login" : "domain", fault);
        return false;
    }
    message = message_of(conf, subject_r->kind, value);
    if (message->nrecipients > 0)
        recipient = &message->recipients[0];
    if (!subjects_name(conf, message, subject_r->kind, recipient, &name)) {
        *problem_r = mem_print("\"%s\" is no %s", value, limit_subject_name(subject_r->kind));
        goto done;
    }
    if (subject_r->kind == SUBJECT_HOST && *value != '\0') {
        text_clear(&name);
        text_print(&name, "%s:%s", limit_subject_name(SUBJECT_HOST), value);
        text_lower(name.bytes);
    }
    subject_r->name = text_take(&name);
    set_classes(subject_r, message);
    done = true;
done:
    text_free(&name);
    message_free(&message);
    return done;
}

void subject_clear(struct subject *subject)
{
    free(subject->name);
    free(subject->login);
    free(subject->sender);
    free(subject->class);
    memset(subject, 0, sizeof(*subject));
}

struct conf_person subject_person(const struct subject *subject)
{
    return (struct conf_person){.login = subject->login,
                                .sender = subject->sender,
                                .client = &subject->client,
                                .class = subject->class};
}

/* A class that is being looked for. */
struct class_search {
    struct subject *subject;
    bool done;
};

static void class_found(const char *class, void *context)
{
    struct class_search *search = context;

    search->subject->class = mem_copy(class);
    search->done = true;
}

void subject_find_class(const struct conf *conf, struct subject *subject, struct client *client)
{
    struct class_search search = {.subject = subject};
    struct services services = {.loop = client->loop, .store = client->store};
    struct class_lookup *lookup;
    struct message *message;

    if (subject->kind != SUBJECT_USER || client->store == NULL || subject->class != NULL)
        return;
    message = message_of(conf, SUBJECT_USER, subject->login);
    lookup = class_lookup_new(client->loop);
    class_lookup_find(lookup, &services, conf, message, class_found, &search);
    while (!search.done)
        loop_run_once(client->loop, CLASS_STEP_MS);
    class_lookup_free(&lookup);
    message_free(&message);
}

bool subject_usage(const struct conf *conf, struct subject *subject, struct client *client,
                   struct usage *usages_r, size_t *count_r)
{
    struct store_limit limits[STORE_LIMITS_MAX];
    struct store_limit_answer answers[STORE_LIMITS_MAX];
    struct store_request request = {.identity = "", .limits = limits};
    struct conf_person person;
    size_t asked[STORE_LIMITS_MAX];
    const uint64_t someone = 0; /* for who is counted by whom they are: another one */
    size_t count = 0;

    subject_find_class(conf, subject, client);
    person = subject_person(subject);
    for (size_t i = 0; i < conf->nlimits && count < STORE_LIMITS_MAX; i++) {
        const struct conf_limit *limit = &conf->limits[i];
        struct usage *usage = &usages_r[count];

        if (limit->subject != subject->kind)
            continue;
        memset(usage, 0, sizeof(*usage));
        usage->limit = limit;
        usage->max = conf_limit_max(conf, limit, &person, &usage->match);
        if (limit->window_sec > 0) {
            asked[request.nlimits] = count;
            /* One more: so the answer says when that would fit. */
            limits[request.nlimits++] = (struct store_limit){.subject = subject->name,
                                                             .count = limits_letter(limit->count),
                                                             .window_sec = limit->window_sec,
                                                             .amount = 1,
                                                             .max = usage->max,
                                                             .members = &someone,
                                                             .nmembers = 1};
        }
        count++;
    }
    *count_r = count;
    if (request.nlimits > 0 && !client_look(client, &request, answers, NULL))
        return false;
    for (size_t i = 0; i < request.nlimits; i++)
        usages_r[asked[i]].answer = answers[i];
    return true;
}
