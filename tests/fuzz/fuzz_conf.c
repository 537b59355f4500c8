/* SPDX-License-Identifier: BSD-2-Clause */
/* Configuration text: what loads, prints and loads again to the same; what does not, says why. */
#include "lib/conf/conf.h"
#include "tests/fuzz/fuzz.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char *const causes[] = {"limit.messages", "dns.spf-fail"};
static const char *const actions[] = {"ignore", "log", "warn", "hold", "defer", "reject"};
static const struct conf_words words = {causes, 2, actions, 6};

static struct conf *load(const char *text, size_t length, const char *override)
{
    char *problems = NULL;
    struct conf *conf = conf_load_text("fuzz", text, length, &override, override != NULL ? 1 : 0,
                                       &words, &problems);

    must((conf == NULL) == (problems != NULL));
    must(problems == NULL || strlen(problems) > 0);
    free(problems);
    return conf;
}

/* The comments behind the values name places, which differ. */
static void drop_places(char *string)
{
    char *to = string;

    for (const char *from = string; *from != '\0';) {
        if (strncmp(from, "  # ", 4) == 0)
            from += strcspn(from, "\n");
        else
            *to++ = *from++;
    }
    *to = '\0';
}

static void check(const struct conf *conf)
{
    char *first = conf_effective(conf);
    struct conf *again = load(first, strlen(first), NULL);
    char *second;

    must(again != NULL);
    second = conf_effective(again);
    drop_places(first);
    drop_places(second);
    must(strcmp(first, second) == 0);
    for (size_t i = 0; i < conf->nlimits; i++)
        (void)conf_limit_max(
            conf, &conf->limits[i],
            &(struct conf_person){.login = "a@example.com", .sender = "b+c@example.com"}, NULL);
    (void)conf_login_may_use(conf, "a", "a@example.com");
    conf_release(&again);
    free(first);
    free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    struct conf *conf;

    must(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    conf = load(text, size, NULL);
    if (conf != NULL)
        check(conf);
    conf_release(&conf);
    conf = load("", 0, text);
    if (conf != NULL)
        check(conf);
    conf_release(&conf);
    free(text);
    return 0;
}
