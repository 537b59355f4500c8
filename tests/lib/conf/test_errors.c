/* SPDX-License-Identifier: BSD-2-Clause */
/* What is said about a configuration that does not load. */
#include "lib/base/count.h"
#include "lib/conf/conf.h"
#include "tests/lib/conf/support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define AND "\t"
#define LIMIT "limit daily { count = messages max = 1 per = 1h }\n"

static const struct {
    const char *name, *input;
    const char *want; /* must stand in the problems, each part of it */
} cases[] = {
    /* Names. */
    {"unknown option", "\n\nmod = observe",
     "test.conf:3: unknown option \"mod\"; did you mean \"mode\"?"},
    {"nothing near", "zzzzzz = 1", "test.conf:1: unknown option \"zzzzzz\"\n"},
    {"underscore", "store_timeout = 1s", "did you mean \"store-timeout\"?"},
    {"unknown section", "limt daily { max = 5 }",
     "test.conf:1: unknown section \"limt\"; did you mean \"limit\"?"},
    {"unknown without title", "foo { a = {b, c} d { e = f } }\nmod = x",
     "test.conf:1: unknown section \"foo\"" AND "test.conf:2: unknown option \"mod\""},
    {"unknown in a section", "limit daily {\n count = messages max = 1\n pre = 1h }",
     "test.conf:3: unknown option \"pre\" in a limit section; did you mean \"per\"?"},
    {"unknown list", "foo = {a, b}\nfoa += {c}",
     "test.conf:1: unknown option \"foo\"" AND "test.conf:2: unknown option \"foa\""},
    {"unknown call", "foo(a, b) mod = x", "unknown option \"foo\"" AND "unknown option \"mod\""},
    {"quoted name", "\"mode\" = observe", "expected the name of an option, without quotes"},
    /* Syntax. */
    {"no equal sign", "mode observe",
     "test.conf:1: unexpected \"observe\": expected = and a value after mode"},
    {"no value", "mode =\n",
     "test.conf:2: the file ends in the middle of a statement: expected a value of mode"},
    {"two equal signs", "mode = = x", "test.conf:1: unexpected \"=\": expected a value of mode"},
    {"no title", "limit { max = 5 }",
     "test.conf:1: unexpected \"{\": expected a name behind limit"},
    {"no brace", "limit daily max = 5",
     "test.conf:1: unexpected \"max\": expected { and the options of limit"},
    {"open section", "\nlimit daily {\n max = 5\n",
     "test.conf:2: the limit section that begins here has no end: expected }"},
    {"closed too often", "mode = observe }",
     "test.conf:1: this } closes nothing: expected the name of an option or a section"},
    {"no comma", "local-domains = {\n a.example\n b.example }",
     "test.conf:3: unexpected \"b.example\": expected a comma or } in the list of local-domains"},
    {"open list", "local-domains = { a.example,",
     "the file ends in the middle of a statement: expected a value or } in the list of "
     "local-domains"},
    {"nothing before the comma", "local-domains = {, a.example}",
     "test.conf:1: unexpected \",\": expected a value or } in the list of local-domains"},
    {"no name", "= observe", "test.conf:1: unexpected \"=\": expected the name of an option"},
    {"what stands before is told too", "near = 1\nmode = x\nlimit {",
     "test.conf:1: unknown option \"near\"; it stands in a limit section" AND
     "test.conf:3: unexpected \"{\"" AND "test.conf:2: mode = \"x\": expected observe"},
    {"of no section", LIMIT "limit b { mode = observe }",
     "test.conf:2: unknown option \"mode\" in a limit section; it stands outside of sections"},
    {"of the limit itself", LIMIT "class a { members = x limit daily { max = 2 per = 1h } }",
     "unknown option \"per\" in a limit section; it stands in a limit section outside of classes"},
    {"nearer than it looks", "modus = observe", "unknown option \"modus\"; did you mean \"mode\"?"},
    {"no limit is near", LIMIT "class a { members = x limit weekly { max = 2 } }",
     "test.conf:2: class a: there is no limit \"weekly\": expected daily"},
    {"no class is near",
     LIMIT "class a { members = x inherits = zz } class b { members = y inherits = a } "
           "class c { members = z limit daily { max = 1 } }",
     "test.conf:2: class a: inherits: there is no class \"zz\": expected b or c"},
    {"open string", "mode = \"obs\nerve\"",
     "test.conf:1: the string that begins here does not end"},
    {"open comment", "mode = observe\n/* x\n\n",
     "test.conf:2: the comment that begins here has no end"},
    {"environment", "contact = \"${HOME}\"",
     "test.conf:1: environment variables are not read here"},
    {"numeric escape", "contact = \"\\101\"", "test.conf:1: a numeric escape"},
    {"bare plus", "recipient-delimiter = +\n", "test.conf:1: '+' must stand in quotes"},
    {"control character", "mode = \001", "test.conf:1: a control character (octet 1)"},
    {"line after a comment", "/* a */ /* b\n\n*/ mode = x", "test.conf:3: mode = \"x\""},
    /* Types and ranges. */
    {"word", "mode = enforec",
     "test.conf:1: mode = \"enforec\": expected observe or enforce; did you "
     "mean \"enforce\"?"},
    {"list for one", "mode = {observe, enforce}",
     "mode takes one value, not a list: expected observe"},
    {"empty list for one", "mode = {}", "mode takes one value, not a list"},
    {"added to one", "mode += enforce", "test.conf:1: mode takes one value, not a list"},
    {"boolean", "store-hash-addresses = maybe", "expected yes or no"},
    {"number", "dns-cache-size = many", "expected a number from 0 to 10000000"},
    {"number too large", "dns-max-inflight = 65536",
     "out of range; expected a number from 1 to 65535"},
    {"number that overflows", "dns-max-inflight = 99999999999999999999",
     "expected a number from 1"},
    {"negative", "dns-max-inflight = -1", "expected a number from 1 to 65535"},
    {"no unit", "store-timeout = 5", "add a unit: 5s, 5m or 5h; expected a time from 10ms to 30s"},
    {"wrong unit", "store-timeout = 5x", "store-timeout = \"5x\": expected a time"},
    {"time too long", "dns-timeout = 11s", "out of range; expected a time from 10ms to 10s"},
    {"zero where it cannot be", "dns-timeout = 0", "out of range"},
    {"size", "max-message-size = 10X", "expected a size from 0 to 1T, such as 500K or 10M"},
    {"size too small", "policy-max-request = 10", "out of range; expected a size from 1K to 1M"},
    {"mode not octal", "policy-socket-mode = 0680", "expected an octal mode"},
    {"network with host bits", "internal-networks = {\n10.0.0.0/8,\n10.0.0.1/8}",
     "test.conf:3: internal-networks = \"10.0.0.1/8\": a bit is set"},
    {"network not one", "internal-networks = {example.com}", "not an IP address"},
    {"address not one", "outgoing-addresses = {\"1.2.3\"}",
     "outgoing-addresses = \"1.2.3\": expected addresses"},
    {"domain", "local-domains = {\"a..b\"}", "local-domains = \"a..b\": expected domains"},
    {"domain with blanks", "local-domains = {\"a b\"}", "expected domains"},
    {"host name", "hostname = \"-x-\"", "hostname = \"-x-\": expected a host name"},
    {"field of the way", "sign-headers = {Received}",
     "servers on the way add or change it; expected names of header fields"},
    {"field of the way, oversigned", "oversign-headers = {\"ARC-Seal\"}", "servers on the way"},
    {"field with a colon", "sign-headers = {\"Subject:\"}", "expected names of header fields"},
    {"every field", "sign-headers = {\"*\"}", "such as Subject or List-*"},
    {"extension with its dot", "attachment-types = {\".exe\"}", "the dot is not a part of it"},
    {"extension", "attachment-types = {\"*.exe\"}", "extensions of files, such as exe or js"},
    {"oversigned pattern", "oversign-headers = {\"List-*\"}", "oversign-headers = \"List-*\""},
    {"relative path", "state-directory = var/lib", "expected a path from the root"},
    {"relative file", "classify-rules = {\"/a\", \"b\"}",
     "classify-rules = \"b\": expected paths from the root, such as /etc/sluice/file"},
    {"log", "log = syslgo",
     "expected syslog, syslog:/socket, stderr or file:/path; did you mean \"syslog\"?"},
    {"log socket", "log = syslog:run/log", "expected syslog, syslog:/socket"},
    {"delimiter", "recipient-delimiter = a", "expected punctuation, such as + or +-"},
    {"resolver", "resolver = {system, 127.0.0.1}", "system stands alone"},
    {"resolver port", "resolver = 127.0.0.1@99999", "expected system, or addresses"},
    {"listen relative", "policy-listen = {\"unix:a\"}", "expected unix:/path or inet:HOST:PORT"},
    {"listen name", "policy-listen = {\"inet:mx.example:25\"}", "the host must be an address"},
    {"listen port", "policy-listen = {\"inet:*:0\"}", "a port is a number from 1 to 65535"},
    {"two milters", "milter-listen = {\"unix:/a\", \"unix:/b\"}",
     "milter-listen has 2 places: expected exactly one"},
    {"no rule", "sender-login = {}", "sender-login is empty"},
    {"rule", "sender-login = equl", "sender-login = \"equl\"" AND "did you mean \"equal\"?"},
    {"pcre", "sender-login = \"pcre:/etc/x\"", "write the patterns for regexp:"},
    {"kind of table", "sender-login = \"texhash:/x\"",
     "unknown kind of table \"texhash\"" AND "did you mean \"texthash\"?"},
    {"missing table", "sender-login = \"texthash:/no/such\"", "cannot read /no/such: No such file"},
    {"secret not there", "store-password-file = /no/such", "cannot read /no/such"},
    {"escape that makes a control character", "contact = \"a\\nb\"",
     "contact = \"a\\012b\": it holds a control character"},
    /* The store. */
    {"store", "store = foo", "store = \"foo\": expected unix:/path, redis://"},
    {"sentinel", "store = \"sentinel://h\"", "expected ?master=NAME"},
    {"sentinel name", "store = \"sentinel://h?master=a b\"", "expected ?master=NAME"},
    {"sentinel host", "store = \"sentinel://h,?master=m\"", "its host or port"},
    {"redis hosts", "store = \"redis://h,i\"", "its host or port"},
    {"redis query", "store = \"redis://h?master=m\"", "nothing is expected behind a ?"},
    {"local path", "store = \"local:s\"", "begins with /"},
    {"cluster database", "store = \"cluster://h:1,i:2/1\"", "no numbered databases"},
    {"store port", "store = \"redis://h:x\"", "its host or port"},
    {"store database", "store = \"redis://h/x\"", "its database is not a number"},
    {"user twice", "store = \"redis://u:p@h\" store-user = v", "expected it in one place"},
    {"tls files alone", "store-tls-ca = /ca", "of no use without TLS"},
    {"tls key alone", "store = \"rediss://h\" store-tls-key = /k", "expected both or neither"},
    {"tls on a socket", "store = \"unix:/s\" store-tls = yes",
     SLUICE_REDIS_TLS ? "expected store to name a host" : "let stunnel do it (contrib/stunnel)"},
    {"hash without key", "\nstore-hash-addresses = yes",
     "test.conf:2: store-hash-addresses = yes: expected store-hash-key-file"},
    /* Sections. */
    {"missing", "\nlimit daily { max = 5 }",
     "test.conf:2: limit daily: count is missing: expected messages" AND
     "limit daily: per is missing"},
    {"limit twice", LIMIT LIMIT,
     "test.conf:2: limit daily is written twice: the first is at test.conf:1"},
    {"class twice",
     LIMIT "class a { members = b limit daily { max = 1 } }\nclass a { members = c limit daily { "
           "max = 1 } }",
     "test.conf:3: class a is written twice"},
    {"sign twice",
     "sign a.example { selector = s key = /k }\nsign A.example { selector = s key = /k }",
     "test.conf:2: sign a.example (selector s) is written twice: the first is at test.conf:1"},
    {"per message of messages", "limit x { count = messages max = 1 per = message }",
     "limit x: each message is one message"},
    {"window too short", "limit x { count = messages max = 1 per = 500ms }",
     "limit x: per = \"500ms\": a window is of whole seconds"},
    {"window too long", "limit x { count = messages max = 1 per = 32d }",
     "out of range; expected message, or a time from 1s to 31d"},
    {"window without unit", "limit x { count = messages max = 1 per = 60 }",
     "add a unit: 60s, 60m or 60h"},
    {"size of messages", "limit x { count = messages max = 5M per = 1h }",
     "a limit of bytes alone takes a size"},
    {"percent", "limit x { count = messages max = 5 per = 1h near = 101% }",
     "out of range; expected a percentage"},
    {"action", "limit x { count = messages max = 5 per = 1h over = rejct }",
     "expected log, warn, hold, defer or reject; did you mean \"reject\"?"},
    {"ignoring a limit", "limit x { count = messages max = 5 per = 1h over = ignore }",
     "over = \"ignore\": expected log, warn"},
    {"subject", "limit x { subject = usr count = messages max = 5 per = 1h }",
     "did you mean \"user\"?"},
    {"name of a limit", "limit \"a b\" { count = messages max = 5 per = 1h }",
     "expected a name of at most 64 letters"},
    {"limit not there", LIMIT "class a { members = b\n limit dialy { max = 1 } }",
     "test.conf:3: class a: there is no limit \"dialy\"; did you mean \"daily\"?"},
    {"limit twice in a class",
     LIMIT "class a { members = b limit daily { max = 1 } limit daily { max = 2 } }",
     "class a: limit daily is written twice"},
    {"class without limit", "class a { members = b }", "class a names no limit"},
    {"inherits from nobody",
     LIMIT "class base { limit daily { max = 1 } }\nclass a { inherits = bas }",
     "test.conf:3: class a: inherits: there is no class \"bas\"; did you mean \"base\"?"},
    {"inherits from itself", LIMIT "class a { inherits = a }",
     "test.conf:2: class a: it inherits from itself"},
    {"inherits in a circle",
     LIMIT "class a { inherits = b }\nclass b { inherits = c }\nclass c { inherits = a }",
     "test.conf:4: class c: it inherits from itself, by way of a"},
    {"member's table",
     LIMIT "class a { members = {\"texthash:/no/such\"} limit daily { max = 1 } }", "/no/such"},
    {"kind of a member's table",
     LIMIT "class a { members = {\"hsah:/x\"} limit daily { max = 1 } }", "did you mean \"hash\"?"},
    {"member's subdomains", LIMIT "class a { members = {\"@.a..b\"} limit daily { max = 1 } }",
     "what follows the @ is not a domain"},
    {"member's network", LIMIT "class a { members = {\"10.0.0.0/33\"} limit daily { max = 1 } }",
     "class a: members = \"10.0.0.0/33\""},
    {"member", LIMIT "class a { members = {\"a@b c\"} limit daily { max = 1 } }",
     "class a: members = \"a@b c\""},
    {"member's domain", LIMIT "class a { members = {\"a@b..c\"} limit daily { max = 1 } }",
     "what follows the @ is not a domain"},
    {"warmup's title", "warmup \"a b\" { start = 2026-01-01 first = 1 ceiling = 2 }",
     "expected an IP address or a domain as its title"},
    {"no such day", "warmup a.example { start = 2026-02-30 first = 1 ceiling = 2 }",
     "there is no such day"},
    {"date", "warmup a.example { start = 1.1.2026 first = 1 ceiling = 2 }",
     "expected a date, such as 2026-11-20"},
    {"growth", "warmup a.example { start = 2026-01-01 first = 1 ceiling = 2 growth = 0.5 }",
     "out of range; expected a factor from 1 to 10"},
    {"ceiling", "warmup a.example { start = 2026-01-01 first = 5 ceiling = 2 }",
     "its ceiling is below its first day"},
    {"verify's title", "verify \"*.a\" { spf-fail = log }",
     "expected a domain, .DOMAIN or * as its title"},
    {"verify's action", "verify \"*\" { spf-fail = refuse }", "spf-fail = \"refuse\""},
    {"verify twice", "verify a.b { spf-fail = log }\nverify A.b { dkim-fail = log }",
     "verify a.b is written twice"},
    {"sign's title", "sign \"a b\" { selector = s key = /k }",
     "expected a domain or *.DOMAIN as its title"},
    {"sign table without keys", "\nsign-signing-table = \"refile:/s\"",
     "test.conf:2: expected sign-key-table and sign-signing-table together"},
    {"sign dataset", "sign-key-table = \"db:x\"", "expected a path from the root, file:PATH"},
    {"sign dataset of no kind", "sign-key-table = \"keys\"", "sign-key-table = \"keys\": expected"},
    {"sign dataset without a path", "sign-key-table = \"refile:\"",
     "expected a path from the root"},
    {"sign dataset with a database", "sign-key-table = \"ldap://h/dc=a\"", "expected a path"},
    {"sign wildcard twice",
     "sign \"*.a.example\" { selector = s key = /k }\nsign \"*.A.example\" { selector = s key = /k "
     "}",
     "test.conf:2: sign *.a.example (selector s) is written twice"},
    {"selector", "sign a.example { selector = \"s 1\" key = /k }", "expected a selector"},
    {"key", "sign a.example { selector = s key = k.pem }", "expected a path from the root"},
    {"cause", "cause dns.spf-fial { action = reject }",
     "there is no cause \"dns.spf-fial\"; did you mean \"dns.spf-fail\"?"},
    {"cause's action", "cause dns.spf-fail { action = refuse }",
     "expected ignore, log, warn, hold, defer or reject"},
    {"cause without action", "cause dns.spf-fail { }",
     "cause dns.spf-fail: nothing is said of it: expected action, mode or suspend"},
    /* Who is told, and who says which class. */
    {"notify tells nobody", "notify a { causes = \"limit.*\" }",
     "test.conf:1: notify a tells nobody: expected command, mail or to-user"},
    {"notify of no cause", "notify a { causes = dns.spf-fial mail = a@b.example }",
     "no cause is called \"dns.spf-fial\"" AND "did you mean \"dns.spf-fail\"?"},
    {"notify's command", "notify a { causes = \"*\" command = \"mail\" }",
     "notify a: command: expected a path from the root first"},
    {"notify's address", "notify a { causes = \"*\" mail = \"a b@c.example\" }",
     "notify a: mail: expected addresses"},
    {"notify's window", "notify a { causes = \"*\" mail = a@b.example per = message }",
     "notify a: per"},
    {"notify's sendmail", "notify-sendmail = sendmail", "notify-sendmail: expected a path"},
    {"lookup of no kind", "class-lookup = ldap", "class-lookup = \"ldap\""},
    {"lookup without a table", "class-lookup = \"socketmap:unix:/run/s\"", "class-lookup = "},
    {"lookup with an empty table", "class-lookup = \"socketmap:unix:/run/s:\"", "class-lookup = "},
    {"lookup at a relative path", "class-lookup = \"socketmap:unix:run/s:t\"", "class-lookup = "},
    {"lookup without a port", "class-lookup = \"socketmap:inet:127.0.0.1:t\"", "class-lookup = "},
    {"lookup at no port", "class-lookup = \"socketmap:inet:127.0.0.1:0:t\"", "class-lookup = "},
    {"lookup at no address", "class-lookup = \"socketmap:inet:a b:5000:t\"", "class-lookup = "},
    {"lookup everywhere", "class-lookup = \"socketmap:inet:*:5000:t\"", "class-lookup = "},
    /* Includes. */
    {"include not there", "\ninclude \"/no/such\"", "test.conf:2: cannot read /no/such"},
    {"include of a folder", "include /tmp", "cannot read /tmp: it is not a file"},
    {"include without an end", "include \"/dev/zero\"", "/dev/zero is too large"},
    {"include without a path", "include = x", "expected include \"path\""},
    {"include in a section", "limit x { include \"y\" }", "include works outside of sections only"},
    /* All of them, not the first alone. */
    {"several", "mod = x\nmode = y\nlimit a { max = z }",
     "unknown option \"mod\"" AND "limit a: max = \"z\""},
};

static bool has_parts(const char *problems, const char *want)
{
    char part[512];

    while (*want != '\0') {
        size_t length = strcspn(want, AND);

        assert_true(length < sizeof(part));
        memcpy(part, want, length);
        part[length] = '\0';
        if (strstr(problems, part) == NULL)
            return false;
        want += length + (want[length] != '\0' ? 1 : 0);
    }
    return true;
}

static void test_problems(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *problems = NULL;
        struct conf *conf = load_text(cases[i].input, &problems);

        if (conf != NULL)
            fail_msg("%s: it loads", cases[i].name);
        if (!has_parts(problems, cases[i].want))
            fail_msg("%s: \"%s\" in place of \"%s\"", cases[i].name, problems, cases[i].want);
        free(problems);
    }
}

static void test_overrides(void **state)
{
    static const struct {
        const char *override, *want;
    } overrides[] = {
        {"mode", "command line: -o mode: expected NAME=VALUE"},
        {"=x", "expected NAME=VALUE"},
        {"mod=x", "command line: -o mod: unknown option \"mod\"; did you mean \"mode\"?"},
        {"mode=x", "command line: -o mode: mode = \"x\": expected observe or enforce"},
        {"limit.dayly.max=5",
         "command line: -o limit.dayly.max: there is no limit \"dayly\"; did you mean \"daily\"?"},
        {"limit.daily.mx=5", "unknown option \"mx\" in a limit section; did you mean \"max\"?"},
        {"limit.daily.max=x", "command line: -o limit.daily.max: limit daily: max = \"x\""},
        {"lmit.daily.max=x", "unknown section \"lmit\""},
        {"cause.dns.spf-fial.action=log", "there is no cause \"dns.spf-fial\""},
        {"class.x.limit.daily.max=5", "there is no class \"x\""},
        {"mode=a\nb", "command line: -o mode: "},
        {"policy-listen={\"unix:/a\"", "command line: -o policy-listen: "},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(overrides); i++) {
        char *problems = NULL;
        struct conf *conf =
            conf_load_text("test.conf", "", 0, &overrides[i].override, 1, &test_words, &problems);

        if (conf != NULL)
            fail_msg("%s: it loads", overrides[i].override);
        if (strstr(problems, overrides[i].want) == NULL)
            fail_msg("%s: \"%s\" in place of \"%s\"", overrides[i].override, problems,
                     overrides[i].want);
        free(problems);
    }
}

/* A second load must not stumble over what the first left in libConfuse's lexer. */
static void test_good_after_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *problems = NULL;
        struct conf *conf = load_text(cases[i].input, &problems);

        assert_null(conf);
        free(problems);
        conf = load_good("mode = enforce", NULL);
        assert_int_equal(conf->mode, MODE_ENFORCE);
        conf_release(&conf);
    }
}

static void test_secrets(void **state)
{
    static const struct {
        const char *name, *text;
        mode_t mode;
        const char *want;
    } files[] = {
        {"readable by others", "secret\n", 0644, "others can read or write "},
        {"writable by others", "secret\n", 0602, "run chmod o= "},
        {"empty", "\n", 0600, "must hold one line"},
        {"two lines", "a\nb\n", 0600, "must hold one line"},
    };
    char text[512];

    (void)state;
    make_folder();
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        const char *path = make_file("secret", files[i].text);
        char *problems = NULL;

        chmod(path, files[i].mode);
        (void)snprintf(text, sizeof(text), "store-password-file = \"%s\"", path);
        assert_null(load_text(text, &problems));
        if (strstr(problems, files[i].want) == NULL)
            fail_msg("%s: %s", files[i].name, problems);
        free(problems);
    }
    remove_folder();
}

static void test_no_secret_in_problems(void **state)
{
    static const char *const texts[] = {
        "store = \"redis://u:geheim@h:x\"",
        "store = \"sentinel://u:geheim@h\"",
        "store = \"redis://u:geheim@h/x\"",
    };
    static const char *const override = "store=redis://u:geheim@h:x";
    char *problems = NULL;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        assert_null(load_text(texts[i], &problems));
        if (strstr(problems, "geheim") != NULL)
            fail_msg("%s", problems);
        free(problems);
    }
    assert_null(conf_load_text("test.conf", "", 0, &override, 1, &test_words, &problems));
    assert_null(strstr(problems, "geheim"));
    free(problems);
}

static void test_missing_file(void **state)
{
    char *problems = NULL;

    (void)state;
    assert_null(conf_load("/no/such/file.conf", NULL, 0, &test_words, &problems));
    assert_string_equal(
        problems,
        "/no/such/file.conf: cannot read /no/such/file.conf: No such file or directory\n");
    free(problems);
}

static void test_too_many(void **state)
{
    char text[4000] = "";
    char *problems = NULL;

    (void)state;
    for (size_t i = 0; i + 6 < sizeof(text); i += 6)
        memcpy(text + i, "zz = 1", 6);
    for (size_t i = 5; i < sizeof(text) - 6; i += 6)
        text[i] = '\n';
    for (size_t i = 0; i + 6 < sizeof(text); i += 6)
        memcpy(text + i, "zz =1\n", 6);
    assert_null(load_text(text, &problems));
    assert_non_null(strstr(problems, "more\n"));
    free(problems);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_problems),
        cmocka_unit_test(test_overrides),
        cmocka_unit_test(test_good_after_bad),
        cmocka_unit_test(test_secrets),
        cmocka_unit_test(test_no_secret_in_problems),
        cmocka_unit_test(test_missing_file),
        cmocka_unit_test(test_too_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
