/* SPDX-License-Identifier: BSD-2-Clause */
/* sluicectl check dns: what receivers find out about our domains. */
#include "ctl/check.h"
#include "ctl/evaluate.h"
#include "ctl/outlook_of.h"
#include "ctl/trouble.h"

#include "lib/auth/key.h"
#include "lib/base/count.h"
#include "lib/base/domain.h"
#include "lib/causes/causes.h"
#include "lib/decide/foresight.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct inspection {
    struct evaluator evaluator;
    const struct conf *conf;
    struct signer *signer;
    json_t *domains; /* NULL: print */
    bool wrong; /* a warning or an error was found */
    bool unanswered;
};

static const char *state_name(enum conf_key_state state)
{
    static const char *const names[] = {[KEY_STATE_ACTIVE] = "active",
                                        [KEY_STATE_PUBLISH] = "publish",
                                        [KEY_STATE_RETIRE] = "retire"};

    return names[state];
}

/* --- what was found -------------------------------------------------------------------- */

static const char *key_words(enum own_key_state state)
{
    static const char *const words[] = {
        [OWN_KEY_MATCHES] = "the published key is ours",
        [OWN_KEY_ABSENT] = "no key is published",
        [OWN_KEY_DIFFERS] = "another key is published",
        [OWN_KEY_REVOKED] = "the published key is revoked",
        [OWN_KEY_UNUSABLE] = "the published record cannot be used",
        [OWN_KEY_FAILED] = "the DNS does not answer",
    };

    return words[state];
}

static const struct outlook_key *key_of(const struct outlook *outlook,
                                        const struct signer_view *view)
{
    for (size_t i = 0; i < outlook->nkeys; i++)
        if (strcmp(outlook->keys[i].selector, view->selector) == 0 &&
            strcmp(outlook->keys[i].domain, view->domain) == 0)
            return &outlook->keys[i];
    return NULL;
}

static void print_keys(const struct domain_outlook *found)
{
    for (size_t i = 0; i < found->nviews; i++) {
        const struct signer_view *view = &found->views[i];
        const struct outlook_key *key = key_of(found->message->facts.outlook, view);

        printf("  DKIM   %s/%s: %s, state %s", view->selector, view->domain,
               view->problem != NULL ? "the key cannot be used"
               : key != NULL         ? key_words(key->own.state)
                                     : "signs no more",
               state_name(view->state));
        if (key != NULL && key->rsa)
            printf(", RSA of %u bits", key->bits);
        else if (key != NULL)
            printf(", Ed25519");
        putchar('\n');
        /* what is revoked stays so: its hint asks for a new key */
        if (key != NULL && key->own.state != OWN_KEY_MATCHES && key->own.state != OWN_KEY_REVOKED)
            printf("         to publish at %s._domainkey.%s: \"%s\"\n", view->selector,
                   view->domain, key->wanted);
    }
}

static void print_spf(const struct outlook *outlook)
{
    for (size_t i = 0; i < outlook->nspf; i++) {
        const struct outlook_spf *spf = &outlook->spf[i];
        const struct outlook_source *source = &outlook->sources[spf->source];
        char address[IP_TEXT_MAX];

        ip_format(&source->address, address);
        printf("  %s   %s from %s%s%s: %s", spf->helo ? "HELO" : "SPF ",
               spf->helo ? outlook->helo : outlook->sender_domain,
               source->relay != NULL ? source->relay : "",
               source->relay != NULL && address[0] != '\0' ? " " : "",
               address[0] != '\0'      ? address
               : source->relay != NULL ? ""
                                       : "an address that is not known (outgoing-addresses)",
               spf_status_name(spf->result.status));
        if (spf->result.mechanism != NULL)
            printf(" by %s", spf->result.mechanism);
        printf(", %u of %d lookups, %u of %d void\n", spf->result.lookups, SPF_LOOKUPS_MAX,
               spf->result.voids, SPF_VOIDS_MAX);
    }
}

static void print_dmarc(const struct outlook *outlook)
{
    const struct dmarc_result *dmarc = &outlook->dmarc;
    bool unknown =
        dmarc->status == DMARC_STATUS_FAIL && foresight_alignment(outlook) == FORESIGHT_UNKNOWN;

    printf("  DMARC  %s", unknown ? "not known" : dmarc_status_name(dmarc->status));
    if (dmarc->policy_domain != NULL)
        printf(", policy %s at _dmarc.%s", dmarc_policy_name(dmarc->policy), dmarc->policy_domain);
    if (dmarc->percent != 100)
        printf(" (p=%s; pct=%u)", dmarc_policy_name(dmarc->published), dmarc->percent);
    printf("; aligned: SPF %s, DKIM %s\n", dmarc->spf_aligned ? "yes" : "no",
           dmarc->dkim_aligned ? "yes" : "no");
}

/* --- findings -------------------------------------------------------------------------- */

static void tell(struct inspection *inspection, json_t *list, const struct trouble *trouble)
{
    if (trouble->cause == cause_get(CAUSE_DNS_FAILURE))
        inspection->unanswered = true;
    else if (trouble->severity > SEVERITY_INFO)
        inspection->wrong = true;
    if (list != NULL)
        (void)json_array_append_new(list, trouble_json(trouble));
    else
        trouble_print(trouble);
}

static void tell_key(struct inspection *inspection, json_t *list, const struct signer_view *view,
                     enum key_trouble key_trouble, const char *problem)
{
    char *hint = key_remedy(key_trouble, view->path, problem, view->domain, view->selector);
    const struct finding_field fields[] = {
        {"domain", (char *)(uintptr_t)view->domain},
        {"selector", (char *)(uintptr_t)view->selector},
        {"key", (char *)(uintptr_t)view->path},
        {"problem", (char *)(uintptr_t)problem},
    };
    const struct trouble trouble = {
        .cause = cause_get(key_trouble == KEY_TOO_SHORT ? CAUSE_DNS_DKIM_WEAK
                                                        : CAUSE_SELF_KEY_UNREADABLE),
        .severity = SEVERITY_ERROR,
        .hint = hint,
        .fields = fields,
        .nfields = COUNT_OF(fields),
    };

    tell(inspection, list, &trouble);
    free(hint);
}

static void tell_all(struct inspection *inspection, json_t *list,
                     const struct domain_outlook *found)
{
    const struct findings *findings = &found->message->findings;

    for (size_t i = 0; i < found->nviews; i++) {
        const struct signer_view *view = &found->views[i];

        if (view->problem != NULL)
            tell_key(inspection, list, view, view->trouble, view->problem);
        if (view->exposure != NULL)
            tell_key(inspection, list, view, KEY_EXPOSED, view->exposure);
    }
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];
        const struct trouble trouble = trouble_of(finding);

        if (finding->cause->found & FOUND_CHECK || cause_is_in(finding->cause, "dns"))
            tell(inspection, list, &trouble);
    }
}

/* --- domains --------------------------------------------------------------------------- */

static void inspect(struct inspection *inspection, const char *domain)
{
    struct domain_outlook found;
    json_t *object, *list;

    outlook_of(&inspection->evaluator, inspection->conf, inspection->signer, domain, &found);
    if (inspection->domains == NULL) {
        printf("%s\n", domain);
        print_keys(&found);
        print_spf(found.message->facts.outlook);
        print_dmarc(found.message->facts.outlook);
        tell_all(inspection, NULL, &found);
    } else {
        object = json_object();
        list = json_array();
        tell_all(inspection, list, &found);
        json_object_set_new(object, "domain", json_string(domain));
        json_object_set_new(object, "spf",
                            found.message->facts.spf != NULL ? json_string(found.message->facts.spf)
                                                             : json_null());
        json_object_set_new(object, "dmarc",
                            found.message->facts.dmarc != NULL
                                ? json_string(found.message->facts.dmarc)
                                : json_null());
        json_object_set_new(object, "causes", list);
        (void)json_array_append_new(inspection->domains, object);
    }
    outlook_of_clear(&found);
}

static void add_domain(struct strings *domains, const char *domain)
{
    if (domain[0] != '.' && !strings_have(domains, domain))
        strings_add(domains, domain);
}

/* false: one of the names is no domain. */
static bool list_domains(const struct conf *conf, char **names, size_t count,
                         struct strings *domains_r)
{
    for (size_t i = 0; i < count; i++) {
        char *domain = domain_copy(names[i]);

        if (domain == NULL) {
            (void)ctl_usage("check", "\"%s\" is no domain", names[i]);
            return false;
        }
        add_domain(domains_r, domain);
        free(domain);
    }
    for (size_t i = 0; count == 0 && i < conf->local_domains.count; i++)
        add_domain(domains_r, conf->local_domains.items[i]);
    for (size_t i = 0; count == 0 && i < conf->nsigns; i++)
        if (!conf->signs[i].subdomains)
            add_domain(domains_r, conf->signs[i].domain);
    if (domains_r->count == 0)
        (void)ctl_usage("check", "expected a domain: local-domains has none");
    return domains_r->count > 0;
}

int check_dns(struct ctl *ctl, const struct check_words *words)
{
    struct inspection inspection = {.conf = ctl->conf};
    struct strings domains = {0};
    char *problem = NULL;
    int status = EX_USAGE;

    if (!list_domains(ctl->conf, words->names, words->count, &domains))
        goto done;
    status = EX_CONFIG;
    inspection.signer = signer_new(ctl->conf, NULL, &problem);
    if (inspection.signer == NULL) {
        ctl_complain("%s", problem);
        goto done;
    }
    status = EX_UNAVAILABLE;
    if (!evaluator_open(&inspection.evaluator, ctl->conf))
        goto done;
    inspection.domains = words->json ? json_array() : NULL;
    for (size_t i = 0; i < domains.count; i++)
        inspect(&inspection, domains.items[i]);
    if (words->json)
        ctl_print_json(inspection.domains);
    status = inspection.wrong ? EXIT_NEGATIVE : inspection.unanswered ? EX_UNAVAILABLE : EX_OK;
done:
    evaluator_close(&inspection.evaluator);
    signer_release(&inspection.signer);
    strings_free(&domains);
    free(problem);
    return status;
}
