/* SPDX-License-Identifier: BSD-2-Clause */
/* sluicectl keygen: a new DKIM key, and what to publish for it. */
#include "ctl/ctl.h"

#include "lib/auth/key_make.h"
#include "lib/base/count.h"
#include "lib/base/domain.h"
#include "lib/base/mem.h"
#include "lib/conf/schema.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TXT_STRING_MAX 255 /* RFC 1035 §3.3 */

struct wish {
    char *domain;
    char *selector;
    enum key_algorithm algorithm;
    const char *directory;
};

/* "s20261121": the day says which of several is the newest. */
static char *selector_of_today(void)
{
    char text[16] = "s1";
    time_t now = time(NULL);
    struct tm day;

    if (gmtime_r(&now, &day) != NULL)
        (void)strftime(text, sizeof(text), "s%Y%m%d", &day);
    return mem_copy(text);
}

/* The record in the form of zone files; what is said beside it is a comment there. */
static void print_record(const struct wish *wish, const char *path, const char *record)
{
    printf("%s._domainkey.%s. IN TXT (", wish->selector, wish->domain);
    for (size_t length = strlen(record), part; length > 0; record += part, length -= part) {
        part = length < TXT_STRING_MAX ? length : TXT_STRING_MAX;
        printf("\n    \"%.*s\"", (int)part, record);
    }
    printf(
        " )\n"
        "; The private key is in %s.\n"
        "; 1. Publish the record above in the zone of %s.\n"
        "; 2. Wait until it can be seen: dig +short TXT %s._domainkey.%s\n"
        "; 3. Put this line into sluice.conf (where sign-keys names the folder of all keys, the\n"
        ";    key is found without it), and reload sluice-milter:\n"
        ";    sign %s { selector = %s  key = \"%s\" }\n"
        ";    Beside an older key, add state = publish (in the folder: let its name end with\n"
        ";    .publish in place of .pem): it then signs when 2. is done.\n",
        path, wish->domain, wish->selector, wish->domain, wish->domain, wish->selector, path);
}

static int make(const struct wish *wish)
{
    char *path = mem_print("%s/%s/%s.pem", wish->directory, wish->domain, wish->selector);
    EVP_PKEY *key = key_make(wish->algorithm);
    char *problem = NULL, *record = NULL;
    bool done = key != NULL && key_write(key, path, &problem);

    if (done) {
        record = key_record(key);
        print_record(wish, path, record);
    } else {
        ctl_complain("no key was made: %s", problem != NULL ? problem : "libcrypto fails");
    }
    free(record);
    free(problem);
    free(path);
    EVP_PKEY_free(key);
    return done ? EX_OK : EXIT_NEGATIVE;
}

static bool read_algorithm(const char *word, enum key_algorithm *algorithm_r)
{
    static const struct {
        const char *word;
        enum key_algorithm algorithm;
    } words[] = {{"rsa2048", KEY_RSA}, {"ed25519", KEY_ED25519}};

    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (strcmp(words[i].word, word) == 0) {
            *algorithm_r = words[i].algorithm;
            return true;
        }
    }
    return false;
}

/* Returns -1 to go on, else the status to exit with. */
static int parse(int argc, char **argv, struct wish *wish)
{
    static const struct option options[] = {{"selector", required_argument, NULL, 's'},
                                            {"algorithm", required_argument, NULL, 'a'},
                                            {"directory", required_argument, NULL, 'd'},
                                            {NULL, 0, NULL, 0}};
    int option;

    while ((option = getopt_long(argc, argv, "s:a:d:", options, NULL)) != -1) {
        if (option == 's') {
            free(wish->selector);
            wish->selector = domain_copy(optarg);
            if (wish->selector == NULL)
                return ctl_usage(argv[0], "\"%s\" is no selector", optarg);
        } else if (option == 'a' && !read_algorithm(optarg, &wish->algorithm)) {
            return ctl_usage(argv[0], "expected --algorithm rsa2048 or ed25519");
        } else if (option == 'd') {
            wish->directory = optarg;
        } else if (option != 'a') {
            return ctl_usage(argv[0], "wrong option");
        }
    }
    if (argc - optind != 1)
        return ctl_usage(argv[0], "expected one domain");
    wish->domain = domain_copy(argv[optind]);
    if (wish->domain == NULL)
        return ctl_usage(argv[0], "\"%s\" is no domain", argv[optind]);
    if (wish->directory[0] != '/')
        return ctl_usage(argv[0], "expected --directory with a path from the root");
    return -1;
}

static int run(struct ctl *ctl, int argc, char **argv)
{
    struct wish wish = {.selector = selector_of_today(),
                        .algorithm = KEY_RSA,
                        .directory = SLUICE_SYSCONFDIR "/keys"};
    int status = parse(argc, argv, &wish);

    (void)ctl;
    if (status < 0)
        status = make(&wish);
    free(wish.domain);
    free(wish.selector);
    return status;
}

const struct verb verb_keygen = {
    .name = "keygen",
    .arguments = "[--selector S] ... DOMAIN",
    .summary = "make a DKIM key",
    .help = "Makes a key pair: writes the private key to DIRECTORY/DOMAIN/SELECTOR.pem (mode\n"
            "0600, never over a file that is there), and prints the TXT record of the public\n"
            "key as a zone file has it, with what to do next as comments.\n"
            "\n"
            "  -s, --selector S     the name of the key; without it, the day, as in s20261121\n"
            "  -a, --algorithm A    rsa2048 (the default) or ed25519, which is for a second\n"
            "                       signature beside an RSA one\n"
            "  -d, --directory D    in place of " SLUICE_SYSCONFDIR "/keys\n"
            "\n"
            "Exit status: 0 done, 1 the file is there or cannot be written.",
    .run = run,
};
