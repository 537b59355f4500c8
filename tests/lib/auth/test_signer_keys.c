/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys from sections, a folder and OpenDKIM's tables, by what they sign for a From address. */
#include "lib/auth/sign.h"
#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "tests/lib/auth/keys.h"

#include <errno.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char *folder;
static EVP_PKEY *key;
static struct conf_login_rule any = {.kind = LOGIN_EQUAL};

static int set_up(void **state)
{
    (void)state;
    folder = keys_folder();
    key = keys_make_ed25519();
    return 0;
}

static void remove_all(const char *path)
{
    char *command[] = {(char *)"rm", (char *)"-rf", mem_copy(path), NULL};
    pid_t child = fork();

    if (child == 0) {
        execvp(command[0], command);
        _exit(127);
    }
    (void)waitpid(child, NULL, 0);
    free(command[2]);
}

static int tear_down(void **state)
{
    (void)state;
    EVP_PKEY_free(key);
    remove_all(folder);
    free(folder);
    return 0;
}

/* A key at this path below the folder. */
static void put_key(const char *name)
{
    char *path = mem_print("%s/%s", folder, name);

    for (char *slash = path + strlen(folder) + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
        *slash = '/';
    }
    free(path);
    free(keys_write(folder, name, key, "", 0600));
}

static char *put_table(const char *kind, const char *name, const char *format)
{
    char *path, *value;
    struct text filled = TEXT_EMPTY;

    /* $ is the folder */
    for (; *format != '\0'; format++)
        if (*format == '$')
            text_add_string(&filled, folder);
        else
            text_add_char(&filled, *format);
    path = keys_write_text(folder, name, text_string(&filled), 0644);
    value = mem_print("%s%s", kind, path);
    free(path);
    text_free(&filled);
    return value;
}

/* What a message from this address, of somebody who may use it, is signed with. */
static char *names_for(struct signer *signer, const struct conf *conf, const char *from)
{
    struct message *message = message_new(PROGRAM_MILTER, "mx.example.com");
    const char *reason = "?";
    struct signature *signature;
    char *names;

    message->direction = DIRECTION_OUT;
    message_set_user(message, from);
    message_add_header(message, "From", from);
    signature = signature_begin(signer, conf, message, &reason);
    if (signature != NULL)
        assert_true(signature_end(signature, &reason));
    names = mem_copy(signature != NULL ? signature_names(signature) : reason);
    signature_free(&signature);
    message_free(&message);
    return names;
}

struct want {
    const char *from, *names;
};

static void check(const char *name, const struct conf *conf, const struct want *wants, size_t count)
{
    char *problem = NULL;
    struct signer *signer = signer_new(conf, NULL, &problem);

    if (signer == NULL)
        fail_msg("%s: %s", name, problem);
    for (size_t i = 0; i < count; i++) {
        char *names = names_for(signer, conf, wants[i].from);

        if (strcmp(names, wants[i].names) != 0)
            fail_msg("%s: %s: %s", name, wants[i].from, names);
        free(names);
    }
    signer_release(&signer);
}

#define CONF .login_rules = &any, .nlogin_rules = 1, .recipient_delimiter = (char *)"+"

static void test_sections(void **state)
{
    static const struct want wants[] = {
        {"a@example.com", "s1/example.com"},         {"a@sub.example.com", "w1/example.com"},
        {"a@own.example.com", "s1/own.example.com"}, {"a@customer.example", "s1/example.com"},
        {"a@www.customer.example", "no-key"},        {"a@example.org", "no-key"},
    };
    char *path = mem_print("%s/sections.pem", folder);
    char *customers[] = {(char *)"customer.example"};
    struct conf_sign sections[] = {
        {.domain = (char *)"example.com",
         .selector = (char *)"s1",
         .key = path,
         .third_parties = {.items = customers, .count = 1}},
        {.domain = (char *)"example.com",
         .subdomains = true,
         .selector = (char *)"w1",
         .key = path},
        {.domain = (char *)"own.example.com", .selector = (char *)"s1", .key = path},
    };
    struct conf conf = {CONF, .signs = sections, .nsigns = COUNT_OF(sections)};
    struct signer *signer;
    struct message *message = message_new(PROGRAM_MILTER, "mx.example.com");
    const char *reason = "";
    char *problem = NULL;

    (void)state;
    put_key("sections.pem");
    check("sections", &conf, wants, COUNT_OF(wants));
    /* a third party signs only for those who may use the address */
    signer = signer_new(&conf, NULL, &problem);
    message->direction = DIRECTION_OUT;
    message_set_user(message, "mallory@example.com");
    message_add_header(message, "From", "a@customer.example");
    assert_null(signature_begin(signer, &conf, message, &reason));
    assert_string_equal(reason, SIGN_NOT_ALLOWED);
    message_free(&message);
    signer_release(&signer);
    free(path);
}

static void test_folder(void **state)
{
    static const struct want wants[] = {
        {"a@one.example", "a/one.example,b/one.example"},
        {"a@two.example", "2026.mail/two.example"},
        {"a@sub.two.example", "w/two.example"},
        {"a@three.example", "no-key"},
    };
    char *path = mem_print("%s/keys", folder);
    struct conf conf = {CONF, .sign_keys = path};

    (void)state;
    put_key("keys/one.example/b.pem");
    put_key("keys/one.example/a.pem");
    put_key("keys/one.example/c.txt");
    put_key("keys/one.example/.hidden.pem");
    put_key("keys/two.example/2026.mail.pem");
    put_key("keys/*.two.example/w.pem");
    put_key("keys/.hidden/x.pem");
    put_key("keys/README.pem");
    check("folder", &conf, wants, COUNT_OF(wants));
    free(path);
}

static void test_tables(void **state)
{
    static const struct want first[] = {
        {"a@one.example", "s1/one.example"},  {"alice@two.example", "s2/one.example"},
        {"bob@two.example", "m/two.example"}, {"bob@three.example", "m/three.example"},
        {"bob@four.example", "no-key"},
    };
    static const struct want all[] = {
        {"a@one.example", "s1/one.example,e1/one.example"},
        {"alice@two.example", "s2/one.example,m/two.example"},
        {"bob@three.example", "m/three.example"},
    };
    char *keys = put_table("", "KeyTable",
                           "# keys\none one.example:s1:$/kt/one.pem\n"
                           "also one.example:e1:$/kt/one.pem\n"
                           "alice one.example:s2:$/kt/one.pem\neach %:m:$/kt/%/mail.pem\n");
    char *signing = put_table("refile:", "SigningTable",
                              "*@one.example one\n*@one.example also\nalice@* alice\n*@* each\n");
    struct conf conf = {CONF, .sign_key_table = keys, .sign_signing_table = signing};

    (void)state;
    put_key("kt/one.pem");
    put_key("kt/two.example/mail.pem");
    put_key("kt/three.example/mail.pem");
    check("first match", &conf, first, COUNT_OF(first));
    conf.sign_all_matches = true;
    check("all matches", &conf, all, COUNT_OF(all));
    free(keys);
    free(signing);
}

/* The tables of a small site stand in opendkim.conf itself. */
static void test_lists(void **state)
{
    static const struct want wants[] = {
        {"a@one.example", "s1/one.example"},
        {"b@two.example", "s2/two.example"},
        {"b@three.example", "no-key"},
    };
    struct conf conf = {CONF};

    (void)state;
    put_key("csl/one.pem");
    conf.sign_key_table = mem_print("csl:one=one.example:s1:%s/csl/one.pem,"
                                    "two=%%:s2:%s/csl/one.pem",
                                    folder, folder);
    conf.sign_signing_table = mem_copy("csl:one.example=one, .two.example=one,two.example=two");
    check("lists", &conf, wants, COUNT_OF(wants));
    free(conf.sign_key_table);
    free(conf.sign_signing_table);
}

/* The key as one line of PEM, or with no lines around it. */
static char *inline_key(bool pem)
{
    unsigned char *der = NULL;
    int length = i2d_PrivateKey(key, &der);
    char *text = mem_new((size_t)length * 2, 1), *line;

    (void)EVP_EncodeBlock((unsigned char *)text, der, length);
    OPENSSL_free(der);
    line = pem ? mem_print("-----BEGIN PRIVATE KEY-----%s-----END PRIVATE KEY-----", text)
               : mem_copy(text);
    free(text);
    return line;
}

/* Keys that stand in the KeyTable itself. */
static void test_inline_keys(void **state)
{
    static const struct want wants[] = {
        {"a@one.example", "s1/one.example"},
        {"a@two.example", "s2/two.example"},
        {"a@three.example", "key-unreadable"},
    };
    char *pem = inline_key(true), *base64 = inline_key(false);
    char *text = mem_print("1 one.example:s1:%s\n2 %%:s2:%s\n3 three.example:s3:MIIEnonsense\n",
                           pem, base64);
    char *path = put_table("", "InlineTable", text), *problem = NULL;
    struct conf conf = {CONF, .sign_key_table = path,
                        .sign_signing_table =
                            (char *)"csl:one.example=1,two.example=2,three.example=3"};
    struct signer *signer;
    struct signer_note note;

    (void)state;
    check("in the table", &conf, wants, COUNT_OF(wants));
    signer = signer_new(&conf, NULL, &problem);
    assert_true(signer_note(signer, 0, &note));
    assert_string_equal(note.path, path);
    assert_non_null(strstr(note.exposure, "(mode 0644)"));
    assert_true(signer_note(signer, 2, &note));
    assert_non_null(strstr(note.problem, "(line 3)"));
    assert_null(strstr(note.problem, "MIIE"));
    signer_release(&signer);
    assert_int_equal(chmod(path, 0640), 0);
    signer = signer_new(&conf, NULL, &problem);
    assert_true(signer_note(signer, 0, &note));
    assert_null(note.exposure);
    signer_release(&signer);
    conf.sign_key_table =
        mem_print("1=one.example:s1:%s, 2=%%:s2:%s,3=a.example:s3:x", pem, base64);
    check("in a list", &conf, wants, 2);
    free(conf.sign_key_table);
    free(path);
    free(text);
    free(pem);
    free(base64);
}

/* ./ and ../ are from BaseDirectory, from where the program runs, or beside the table. */
static void test_relative_paths(void **state)
{
    static const struct {
        const char *name, *here, *base; /* below the folder; base NULL: none */
        const char *key, *names;
    } cases[] = {
        {"here", "rel/here", NULL, "./h.pem", "s1/one.example"},
        {"above here", "rel/here", NULL, "../r.pem", "s1/one.example"},
        {"beside the table", "", NULL, "./h.pem", "s1/one.example"},
        {"base", "", "rel/base", "./b.pem", "s1/one.example"},
        {"above base", "", "rel/base", "../r.pem", "s1/one.example"},
        {"nothing beside a base", "", "rel/base", "./h.pem", "key-unreadable"},
        {"nowhere", "", NULL, "./n.pem", "key-unreadable"},
        {"domain", "", "rel", "./%/d.pem", "s1/one.example"},
        {"domain beside the table", "", NULL, "./../%/d.pem", "s1/one.example"},
    };
    char *before = getcwd(NULL, 0);

    (void)state;
    put_key("rel/here/h.pem");
    put_key("rel/base/b.pem");
    put_key("rel/r.pem");
    put_key("rel/one.example/d.pem");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *line = mem_print("k %%:s1:%s\n", cases[i].key);
        struct want want = {"a@one.example", cases[i].names};
        struct conf conf = {CONF, .sign_signing_table = (char *)"csl:*=k"};
        char *here = mem_print("%s/%s", folder, cases[i].here);

        conf.sign_key_table = put_table("file:", "rel/here/table", line);
        if (cases[i].base != NULL)
            conf.sign_base_directory = mem_print("%s/%s", folder, cases[i].base);
        assert_int_equal(chdir(here), 0);
        check(cases[i].name, &conf, &want, 1);
        free(conf.sign_key_table);
        free(conf.sign_base_directory);
        free(line);
        free(here);
    }
    assert_int_equal(chdir(before), 0);
    free(before);
}

/* Whatever else a table may say. */
static void test_table_rules(void **state)
{
    static const struct {
        const char *name, *kind, *keys, *from, *names;
    } cases[] = {
        {"the first of a name", "", "k %:s1:$/tr/k.pem\nk %:s2:$/tr/k.pem\n", "a@one.example",
         "s1/one.example"},
        {"names keep their case", "", "K %:s1:$/tr/k.pem\nk %:s2:$/tr/k.pem\n", "a@one.example",
         "s2/one.example"},
        {"patterns", "refile:", "?* %:s0:$/tr/k.pem\n* %:s1:$/tr/k.pem\nk %:s2:$/tr/k.pem\n",
         "a@one.example", "s1/one.example"},
        {"a name before patterns", "refile:", "k %:s1:$/tr/k.pem\n* %:s2:$/tr/k.pem\n",
         "a@one.example", "s1/one.example"},
        {"% and the domain that is named", "", "k one.example:s1:$/tr/%.pem\n", "a@sub.one.example",
         "s1/one.example"},
        {"% and the From domain", "", "k one.example:s1:$/tr/%/k.pem\n", "a@sub.one.example",
         "s1/one.example"},
        {"% without a file", "", "k %:s1:$/tr/none/%.pem\n", "a@one.example", "no-key"},
        {"kinds in any case", "File:", "k %:s1:$/tr/k.pem\n", "a@one.example", "s1/one.example"},
    };

    (void)state;
    put_key("tr/k.pem");
    put_key("tr/one.example.pem");
    put_key("tr/sub.one.example/k.pem");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct want want = {cases[i].from, cases[i].names};
        struct conf conf = {CONF, .sign_signing_table = (char *)"*=k"};

        conf.sign_key_table = put_table(cases[i].kind, "tr/table", cases[i].keys);
        check(cases[i].name, &conf, &want, 1);
        free(conf.sign_key_table);
    }
}

/* What cannot be read at all is told at the start, and keeps a reload from taking effect. */
static void test_problems(void **state)
{
    static const struct {
        const char *name, *keys, *key_table, *signing_table, *problem;
    } cases[] = {
        {"absent folder", "/absent.example", NULL, NULL,
         "sign-keys = /absent.example: No such file"},
        {"a name that is no domain", "bad", NULL, NULL, "expected DOMAIN/SELECTOR.pem"},
        {"absent table", NULL, "/absent.example", NULL,
         "sign-key-table = /absent.example: cannot read"},
        {"wrong line", NULL, "\nk a.example\n", NULL, "line 2: expected a selector"},
        {"wrong item", NULL, "csl:k=a.example:s:/k,l", "csl:*=k",
         "csl:...: item 2: expected a domain"},
        {"wrong item of patterns", NULL, "csl:k=a.example:s:/k", "csl:*=k,a@b",
         "item 2: expected a"},
        {"unknown key", NULL, "k a.example:s:/k\n", "* l\n", "line 1: sign-key-table has no key l"},
    };

    (void)state;
    put_key("bad/a..b/s.pem");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct conf conf = {CONF};
        char *problem = NULL;
        struct signer *signer;

        if (cases[i].keys != NULL)
            conf.sign_keys = cases[i].keys[0] == '/' ? mem_copy(cases[i].keys)
                                                     : mem_print("%s/%s", folder, cases[i].keys);
        if (cases[i].key_table != NULL)
            conf.sign_key_table = strchr("/c", cases[i].key_table[0]) != NULL
                                      ? mem_copy(cases[i].key_table)
                                      : put_table("", "bad-keys", cases[i].key_table);
        if (cases[i].signing_table != NULL)
            conf.sign_signing_table =
                cases[i].signing_table[0] == 'c'
                    ? mem_copy(cases[i].signing_table)
                    : put_table("refile:", "bad-signing", cases[i].signing_table);
        signer = signer_new(&conf, NULL, &problem);
        if (signer != NULL || strstr(problem, cases[i].problem) == NULL)
            fail_msg("%s: %s", cases[i].name, problem != NULL ? problem : "none");
        free(problem);
        free(conf.sign_keys);
        free(conf.sign_key_table);
        free(conf.sign_signing_table);
    }
}

/* After a reload the daemon is no longer root, and cannot even look into the folders. */
static void test_keeps_keys_at_reload(void **state)
{
    static const struct want wants[] = {{"a@one.example", "s1/one.example"},
                                        {"a@sub.one.example", "w/one.example"},
                                        {"a@two.example", "m/two.example"}};
    char *keys = mem_print("%s/private", folder), *more = mem_print("%s/more", folder);
    char *key_table = put_table("file:", "more-keys", "each %:m:$/more/%.pem\n");
    char *signing_table = put_table("", "more-signing", "two.example each\n");
    struct conf conf = {CONF, .sign_keys = keys, .sign_key_table = key_table,
                        .sign_signing_table = signing_table};
    char *problem = NULL;
    struct signer *before, *after;

    (void)state;
    if (geteuid() != 0)
        skip();
    put_key("private/one.example/s1.pem");
    put_key("private/*.one.example/w.pem");
    put_key("more/two.example.pem");
    before = signer_new(&conf, NULL, &problem);
    assert_int_equal(chmod(folder, 0755), 0);
    assert_int_equal(chmod(keys, 0700), 0);
    assert_int_equal(chmod(more, 0700), 0);
    assert_int_equal(seteuid(65534), 0);
    after = signer_new(&conf, before, &problem);
    assert_int_equal(seteuid(0), 0);
    signer_release(&before);
    if (after == NULL)
        fail_msg("%s", problem);
    for (size_t i = 0; i < COUNT_OF(wants); i++) {
        char *names = names_for(after, &conf, wants[i].from);

        assert_string_equal(names, wants[i].names);
        free(names);
    }
    signer_release(&after);
    free(keys);
    free(more);
    free(key_table);
    free(signing_table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sections),
        cmocka_unit_test(test_folder),
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_inline_keys),
        cmocka_unit_test(test_relative_paths),
        cmocka_unit_test(test_table_rules),
        cmocka_unit_test(test_problems),
        cmocka_unit_test(test_keeps_keys_at_reload),
    };

    return cmocka_run_group_tests_name("signer_keys", tests, set_up, tear_down);
}
