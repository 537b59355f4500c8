/* SPDX-License-Identifier: BSD-2-Clause */
/* Which addresses a login may use as a sender. */
#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "lib/base/words.h"
#include "lib/conf/conf.h"
#include "lib/conf/names.h"
#include "lib/conf/table.h"
#include "lib/conf/types.h"

#include <stdlib.h>
#include <string.h>

/* What a rule is asked. */
struct asked {
    const struct conf *conf;
    const char *login; /* lower case, its domain as A-labels */
    const char *owner; /* the login without its subaddress: whose it is */
    const char *address; /* as login */
    const char *plain; /* the address without its subaddress */
};

bool type_read_login_rule(struct reading *reading, const char *value)
{
    static const char *const words[] = {"equal", "domain"};
    struct conf_login_rule *rule;
    struct table *table = NULL;
    char *problem = NULL;
    bool is_equal = strcmp(value, "equal") == 0;
    bool is_domain = strcmp(value, "domain") == 0;

    if (!is_equal && !is_domain) {
        if (strchr(value, ':') == NULL && *value != '/') {
            reading->nearest = mem_copy(words_nearest(value, words, 2));
            return false;
        }
        table = table_open(value, &problem);
        if (table == NULL) {
            text_add_string(&reading->why, problem);
            reading->expected = mem_copy("");
            free(problem);
            return false;
        }
    }
    rule = type_add(reading, sizeof(*rule));
    rule->kind = is_equal ? LOGIN_EQUAL : is_domain ? LOGIN_DOMAIN : LOGIN_MAP;
    rule->table = table;
    return true;
}

/* user+tag@domain as user@domain.  The caller frees it. */
static char *without_subaddress(const char *address, const char *delimiter)
{
    const char *at = names_at(address);
    size_t plain = strcspn(address, delimiter);

    if (at == NULL)
        at = address + strlen(address);
    if (plain == 0 || plain >= (size_t)(at - address))
        return mem_copy(address);
    return mem_print("%.*s%s", (int)plain, address, at);
}

static bool may_equal(const struct asked *asked)
{
    const char *at = names_at(asked->plain);
    size_t length = strlen(asked->owner);

    if (strcmp(asked->login, asked->address) == 0 || strcmp(asked->owner, asked->plain) == 0)
        return true;
    return at != NULL && names_at(asked->login) == NULL && length == (size_t)(at - asked->plain) &&
           memcmp(asked->owner, asked->plain, length) == 0 &&
           conf_is_local_domain(asked->conf, at + 1);
}

static bool may_domain(const struct asked *asked)
{
    const char *login = names_at(asked->login);
    const char *address = names_at(asked->address);

    return login != NULL && address != NULL && strcmp(login, address) == 0;
}

/* Whether a table's value, logins parted by commas or white space, has the login. */
static bool names_login(const char *value, const char *login)
{
    static const char separators[] = ", \t\r\n";

    while (*value != '\0') {
        size_t length;
        char *word;
        char *normal;
        bool same;

        value += strspn(value, separators);
        length = strcspn(value, separators);
        word = mem_copy_n(value, length);
        normal = names_address(word);
        same = length > 0 && normal != NULL && strcmp(normal, login) == 0;
        free(word);
        free(normal);
        if (same)
            return true;
        value += length;
    }
    return false;
}

static bool may_map(const struct asked *asked, const struct table *table)
{
    const char *at = names_at(asked->address);
    bool local = at != NULL && conf_is_local_domain(asked->conf, at + 1);
    char *value =
        table_find_address(table, asked->address, asked->conf->recipient_delimiter, local);
    bool may =
        value != NULL && (names_login(value, asked->login) || names_login(value, asked->owner));

    free(value);
    return may;
}

static bool has_rule(const struct conf *conf, enum login_rule_kind kind)
{
    for (size_t i = 0; i < conf->nlogin_rules; i++)
        if (conf->login_rules[i].kind == kind)
            return true;
    return false;
}

bool conf_login_may_use(const struct conf *conf, const char *login, const char *address)
{
    const char *at = names_at(login);

    /* The usual case, without reading both as addresses. */
    if (at != NULL && at > login && at[1] != '\0' && strcmp(login, address) == 0 &&
        has_rule(conf, LOGIN_EQUAL))
        return true;

    char *user = names_address(login);
    char *sender = names_address(address);
    char *plain = sender != NULL ? without_subaddress(sender, conf->recipient_delimiter) : NULL;
    char *owner = user != NULL ? without_subaddress(user, conf->recipient_delimiter) : NULL;
    struct asked asked = {conf, user, owner, sender, plain};
    bool may = *address == '\0'; /* bounces have no sender to own */

    for (size_t i = 0; i < conf->nlogin_rules && !may && user != NULL && sender != NULL; i++) {
        const struct conf_login_rule *rule = &conf->login_rules[i];

        if (rule->kind == LOGIN_EQUAL)
            may = may_equal(&asked);
        else if (rule->kind == LOGIN_DOMAIN)
            may = may_domain(&asked);
        else
            may = may_map(&asked, rule->table);
    }
    free(user);
    free(sender);
    free(plain);
    free(owner);
    return may;
}
