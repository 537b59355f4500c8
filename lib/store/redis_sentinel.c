/* SPDX-License-Identifier: BSD-2-Clause */
/* The Sentinels: asked, and listened to. */
#include "lib/store/redis_sentinel.h"

#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "lib/store/redis_private.h"

#include <stdlib.h>
#include <string.h>

#define ANSWER_MS 500 /* then another Sentinel is asked */
#define PORT_MAX 65535
#define HOST_MAX 255 /* octets: RFC 1035, section 2.3.4 */

struct redis_sentinel {
    struct redis *primary;
    struct redis *link;
    char *master;
    bool asked; /* and the primary's connection waits for an answer */
    struct loop_timer *patience;
};

static void fail(struct redis_sentinel *sentinel, char *problem)
{
    loop_timer_stop(sentinel->patience);
    redis_link_fail(sentinel->link, problem);
}

static void tell(struct redis_sentinel *sentinel, const char *host, const char *port)
{
    int64_t number;

    if (*host == '\0' || strlen(host) > HOST_MAX || !text_number(port, strlen(port), &number) ||
        number < 1 || number > PORT_MAX) {
        fail(sentinel, mem_copy("a Sentinel says something else than where the primary is"));
        return;
    }
    sentinel->asked = false;
    redis_link_found(sentinel->primary, host, (int)number);
}

static void on_address(redisAsyncContext *connection, void *answer, void *context)
{
    struct redis_sentinel *sentinel = context;
    const redisReply *reply = answer;

    if (reply == NULL || sentinel->link == NULL || sentinel->link->connection != connection)
        return; /* told as a lost connection */
    loop_timer_stop(sentinel->patience);
    if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
        reply->element[0]->type == REDIS_REPLY_STRING &&
        reply->element[1]->type == REDIS_REPLY_STRING)
        tell(sentinel, reply->element[0]->str, reply->element[1]->str);
    else if (reply->type == REDIS_REPLY_ERROR)
        fail(sentinel, mem_print("a Sentinel answers: %s", reply->str));
    else
        fail(sentinel, mem_print("the Sentinels know no primary called %s", sentinel->master));
}

/* "mail 192.0.2.1 6379 192.0.2.2 6379": the name, where it was, where it is. */
static void take_news(struct redis_sentinel *sentinel, const char *news)
{
    char *copy = mem_copy(news);
    char *words[5] = {NULL};
    char *rest = copy;
    size_t count = 0;

    while (count < 5 && (words[count] = strsep(&rest, " ")) != NULL)
        count++;
    if (count == 5 && rest == NULL && strcmp(words[0], sentinel->master) == 0)
        tell(sentinel, words[3], words[4]);
    free(copy);
}

static void on_message(redisAsyncContext *connection, void *answer, void *context)
{
    struct redis_sentinel *sentinel = context;
    const redisReply *reply = answer;

    if (reply == NULL || sentinel->link == NULL || sentinel->link->connection != connection)
        return;
    if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 3 &&
        reply->element[0]->type == REDIS_REPLY_STRING &&
        strcmp(reply->element[0]->str, "message") == 0 &&
        reply->element[2]->type == REDIS_REPLY_STRING)
        take_news(sentinel, reply->element[2]->str);
}

static void on_up(void *context, int64_t now_ms)
{
    struct redis_sentinel *sentinel = context;
    redisAsyncContext *connection = sentinel->link->connection;

    (void)now_ms;
    (void)redisAsyncCommand(connection, on_address, sentinel, "SENTINEL get-master-addr-by-name %s",
                            sentinel->master);
    /* In the same packet, so that no failover is in between. */
    (void)redisAsyncCommand(connection, on_message, sentinel, "SUBSCRIBE +switch-master");
    loop_timer_start(sentinel->patience, ANSWER_MS);
}

static void on_down(void *context, const char *problem)
{
    struct redis_sentinel *sentinel = context;

    /* The one at hand has failed; unless it was the last of them, the next one is tried at once. */
    if (!sentinel->asked || sentinel->link == NULL || sentinel->link->address != 0)
        return;
    sentinel->asked = false;
    redis_link_not_found(sentinel->primary,
                         mem_print("no Sentinel says where the primary is: %s", problem));
}

static void on_no_answer(void *context)
{
    struct redis_sentinel *sentinel = context;

    fail(sentinel, mem_copy("a Sentinel does not answer"));
}

/* It is given no calls. */
static void on_done(void *context, struct call *call, enum backend_result result)
{
    (void)context;
    (void)call;
    (void)result;
}

void redis_sentinel_ask(struct redis_sentinel *sentinel)
{
    /* Who was asked before has said what was of no use. */
    if (sentinel->link->state == LINK_UP)
        fail(sentinel, mem_copy("asked again"));
    sentinel->asked = true;
    redis_link_hurry(sentinel->link);
}

struct redis_sentinel *redis_sentinel_new(struct redis *primary,
                                          const struct redis_settings *settings)
{
    struct redis_sentinel *sentinel = mem_new(1, sizeof(*sentinel));
    const struct backend_owner owner = {sentinel, on_done, on_up, on_down};

    sentinel->primary = primary;
    sentinel->master = mem_copy(settings->addresses.master);
    sentinel->patience = loop_timer_new(primary->loop, on_no_answer, sentinel);
    sentinel->link = redis_new(primary->loop, settings, &owner);
    sentinel->link->plain = true;
    return sentinel;
}

void redis_sentinel_free(struct redis_sentinel **sentinel)
{
    struct redis_sentinel *old = *sentinel;
    struct redis *link;

    if (old == NULL)
        return;
    link = old->link;
    old->link = NULL;
    redis_free(link);
    loop_timer_free(&old->patience);
    free(old->master);
    free(old);
    *sentinel = NULL;
}
