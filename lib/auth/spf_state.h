/* SPDX-License-Identifier: BSD-2-Clause */
/* What one run of check_host() knows, for spf.c and spf_terms.c. */
#pragma once

#include "lib/auth/spf.h"
#include "lib/auth/spf_macro.h"
#include "lib/auth/spf_record.h"

#include <stdbool.h>

struct spf_state {
    const struct spf_query *query;
    const struct lookup *lookup;
    char *sender, *local, *sender_domain, *helo; /* as macros have them */
    unsigned lookups, voids;
    bool counted_validated; /* the lookup for %{p} is counted already */
    char *problem; /* of the error that ends the run */
};

/* What a record says of the client. */
struct spf_outcome {
    enum spf_status status;
    bool is_void; /* none: DNS had nothing for the name at all */
    char *mechanism; /* NULL where none decided */
    char *domain; /* of the record that mechanism is in, and the explanation */
    char *explanation; /* domain-spec of exp=, or NULL */
};

enum spf_step {
    SPF_STEP_GOES_ON, /* no match, or what was to be found out is known */
    SPF_STEP_MATCH,
    SPF_STEP_PENDING,
    SPF_STEP_TEMPERROR, /* state->problem says why */
    SPF_STEP_PERMERROR,
};

/* Evaluates a domain's record.  false: pending. */
bool spf_evaluate(struct spf_state *state, const char *domain, struct spf_outcome *outcome_r);
void spf_outcome_clear(struct spf_outcome *outcome);

/* Evaluates one term of domain's record. */
enum spf_step spf_term_evaluate(struct spf_state *state, const struct spf_term *term,
                                const char *domain);

/* Sets why the run ends, and returns step. */
enum spf_step spf_problem(struct spf_state *state, enum spf_step step, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* ... where it is that DNS failed. */
enum spf_step spf_dns_problem(struct spf_state *state, const struct dns_answer *answer);

/* The name that a domain-spec in domain's record stands for: no trailing dot, cut from the left
 * where it is too long.  It may still be a text that cannot be asked for.  The caller frees it. */
enum spf_step spf_target(struct spf_state *state, const char *spec, const char *domain,
                         char **name_r);

/* The same for a term or modifier that needs DNS and counts for it; without a spec it is about the
 * record's own domain. */
enum spf_step spf_count_target(struct spf_state *state, const char *spec, const char *domain,
                               char **name_r);

/* Expands any text in domain's record. */
enum spf_step spf_expand(struct spf_state *state, const char *text, const char *domain,
                         size_t enough, struct text *expanded);
