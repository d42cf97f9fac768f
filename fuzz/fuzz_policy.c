/* SPDX-License-Identifier: ISC */
/*
 * fuzz_policy.c - any text as a policy zone and as a hosts file: what was taken is found, by the
 * names and addresses that the text itself has, and within the bounds.
 */
#include <stdlib.h>

#include "fuzz/fuzz.h"
#include "proto/dns/cache.h"
#include "proto/dns/policy.h"
#include "wire/dns/dns_master.h"

enum { RULES_MAX = 50 };

static void *resize(void *self, void *old, size_t old_size, size_t new_size)
{
    (void)self;
    (void)old_size;
    if (new_size > 0)
        return realloc(old, new_size);
    free(old);
    return NULL;
}

static void look(const struct policy *policy, const struct dns_name *name,
                 const struct ip_address *address)
{
    for (enum policy_trigger t = 0; t < POLICY_TRIGGER_COUNT; t++) {
        struct policy_rule rule = {.data = bytes_empty()};
        struct cache_record record;
        bool named = t == POLICY_QNAME || t == POLICY_NSDNAME;
        if (!(named ? policy_find_name(policy, t, name, &rule)
                    : policy_find_address(policy, t, address, &rule)))
            continue;
        ASSERT(policy_has(policy, t) && rule.action < POLICY_ACTION_COUNT);
        ASSERT(rule.data.len <= POLICY_DATA_LEN_MAX);
        struct reader r = reader_of(rule.data);
        while (cache_read_record(&r, &record))
            continue;
        ASSERT(!r.failed && reader_left(&r) == 0);
    }
}

static void take_zone(struct policy *policy, struct bytes text, const struct ip_address *address)
{
    static struct dns_master_item item;
    static uint8_t rdata[DNS_RDATA_MAX];
    struct dns_master master;
    struct dns_name root;
    dns_name_root(&root);
    dns_master_start(&master, text, &root);
    for (unsigned i = 0; i < 200; i++) {
        struct writer w = writer_of(rdata, sizeof rdata);
        if (dns_master_next(&master, &w, &item) != DNS_MASTER_RECORD)
            return;
        (void)policy_add(policy, &item.record);
        look(policy, &item.record.owner, address);
        if (i % 4 == 3)
            policy_forget(policy, &item.record.owner);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct heap heap = {.resize = resize};
    struct dns_name root;
    struct ip_address address = {{0}};
    unsigned line;
    dns_name_root(&root);
    memcpy(address.octets, data, len < 16 ? len : 16);
    struct policy *policy = policy_new(&heap, &root, RULES_MAX);
    ASSERT(policy != NULL);
    take_zone(policy, bytes_of(data, len), &address);
    (void)policy_add_hosts(policy, bytes_of(data, len), 60, &line);
    look(policy, &root, &address);
    ASSERT(policy_count(policy) <= RULES_MAX);
    policy_free(policy);
    return 0;
}
