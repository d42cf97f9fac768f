/* SPDX-License-Identifier: ISC */
/* site_sign.c - a block "signing": what it leaves out, and what does not fit together. */
#include "site/site_sign.h"

#include <stdio.h>

#include "site/site_names.h"
#include "wire/dns/dns_name.h"

enum { ALGORITHM_DEFAULT = 13 }; /* ECDSA P-256: RFC 8624 §3.1 */

static void take_seconds(usec duration, uint32_t *out)
{
    if (duration != 0)
        *out = (uint32_t)(duration / USEC_PER_SEC);
}

/* A validity that is given without the others has them in proportion. */
static void set_policy(struct site_signature_block *block)
{
    struct sign_policy *policy = &block->signature.policy;
    struct sign_policy otherwise;
    sign_policy_init(&otherwise);
    policy->validity = otherwise.validity;
    policy->offset = otherwise.offset;
    take_seconds(block->validity, &policy->validity);
    policy->jitter = policy->validity / 7;
    policy->refresh = policy->validity / 2;
    take_seconds(block->jitter, &policy->jitter);
    take_seconds(block->refresh, &policy->refresh);
    take_seconds(block->key_ttl, &policy->key_ttl);
    policy->iterations = (uint16_t)block->iterations;
}

static void set_roll(struct site_signature_block *block)
{
    struct roll_policy *roll = &block->signature.roll;
    roll_policy_init(roll);
    roll->zone_ttl = 0; /* what the zone has */
    take_seconds(block->key_ttl, &roll->key_ttl);
    take_seconds(block->ds_ttl, &roll->ds_ttl);
    take_seconds(block->propagation, &roll->propagation);
    roll->parent_propagation = roll->propagation;
    take_seconds(block->parent_propagation, &roll->parent_propagation);
    take_seconds(block->zsk_lifetime, &roll->zsk_lifetime);
    take_seconds(block->ksk_lifetime, &roll->ksk_lifetime);
}

static const char *find_fault(const struct site_signature_block *block)
{
    const struct sign_policy *policy = &block->signature.policy;
    if (!block->signature.off && block->keys[0] == '\0')
        return "expected keys, the directory of its keys";
    if (policy->jitter >= policy->validity || policy->refresh >= policy->validity - policy->jitter)
        return "expected a refresh and a jitter that are less than the validity together";
    if (policy->opt_out && !policy->nsec3)
        return "opt-out: expected nsec3 = on beside it";
    return NULL;
}

/* "*" is a domain name as well, though not of a zone. */
static bool has_signature(const struct site_signatures *all, const char *title)
{
    struct dns_name name, other;
    if (!dns_name_parse(bytes_of_text(title), NULL, &name))
        return false;
    for (size_t i = 0; i < all->count; i++)
        if (dns_name_parse(bytes_of_text(all->zones[i].zone), NULL, &other) &&
            dns_name_equal(&name, &other))
            return true;
    return false;
}

bool site_finish_signature(struct site_config *config, const char *title, void *block_of,
                           struct text *error)
{
    struct site_signature_block *block = block_of;
    struct site_signatures *all = &config->signatures;
    struct site_signature *signature = &block->signature;
    struct dns_name name;
    bool named = strlen(title) < SITE_NAME_MAX && dns_name_parse(bytes_of_text(title), NULL, &name);
    if (strcmp(title, "*") != 0 && !named) {
        text_add_format(error, "signing \"%.100s\": expected the name of a zone, or *", title);
        return false;
    }
    if (all->count == SITE_SIGNATURES_MAX) {
        text_add_format(error, "more than %d blocks signing", SITE_SIGNATURES_MAX);
        return false;
    }
    if (has_signature(all, title)) {
        text_add_format(error, "signing \"%s\": there are two for that zone", title);
        return false;
    }
    set_policy(block);
    set_roll(block);
    if (signature->algorithm == 0)
        signature->algorithm = ALGORITHM_DEFAULT;
    const char *fault = find_fault(block);
    if (fault != NULL) {
        text_add_format(error, "signing \"%s\": %s", title, fault);
        return false;
    }
    snprintf(signature->zone, sizeof signature->zone, "%s", title);
    (void)site_path(config, block->keys, signature->keys);
    all->zones[all->count++] = *signature;
    return true;
}
