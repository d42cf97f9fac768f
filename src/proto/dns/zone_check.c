/* SPDX-License-Identifier: ISC */
/* zone_check.c - does a zone hold together? One check over its names. */
#include "proto/dns/zone_check.h"

#include "wire/dns/dns_nsec3.h"

/* ---- what is said ---- */

static void say(struct zone_check *check, bool error, uint16_t type, const struct dns_name *target,
                const char *what)
{
    char line[ZONE_CHECK_TEXT_MAX];
    char name[DNS_NAME_TEXT_MAX];
    char type_text[DNS_TYPE_TEXT_MAX];
    struct text t = text_of(line, sizeof line);
    check->good &= !error;
    text_add_format(&t, "%.300s", dns_name_format(&check->owner, name));
    if (type != 0)
        text_add_format(&t, " %s", dns_type_format(type, type_text));
    if (target != NULL)
        text_add_format(&t, " %.300s", dns_name_format(target, name));
    text_add_format(&t, ": %s", what);
    check->checker->report(check->checker->self, error, line);
}

/* ---- names that records point at ---- */

/* A name whose labels look like 192.0.2.1: somebody meant the address. */
static bool looks_like_address(const struct dns_name *name)
{
    char text[DNS_NAME_TEXT_MAX];
    struct ip_address address;
    dns_name_format(name, text);
    size_t len = strlen(text);
    return address_parse(bytes_of(text, len - 1), &address);
}

static bool has_address(const struct zone_node *node)
{
    return zone_rrset(node, DNS_A) != NULL || zone_rrset(node, DNS_AAAA) != NULL;
}

/* RFC 2181 §10.3: NS and MX, and RFC 2782 for SRV, name hosts, not aliases. `needed`: without the
 * address nobody finds the zone (RFC 1912 §2.8, RFC 9471 §2.1). */
static void check_host(struct zone_check *check, uint16_t type, const struct dns_name *target, bool needed)
{
    struct zone_match match;
    if (!dns_name_within(target, &check->zone->name)) {
        if (looks_like_address(target))
            say(check, false, type, target, "an address where a name is expected");
        return;
    }
    zone_find_in(check->zone, target, &match);
    const struct zone_node *node =
        match.node != NULL || match.cut != NULL ? match.node : zone_wildcard(match.zone, match.encloser);
    if (match.dname != NULL)
        say(check, needed, type, target, "that name is below a DNAME");
    else if (node != NULL && zone_rrset(node, DNS_CNAME) != NULL)
        say(check, needed, type, target, "that name is an alias (CNAME)");
    else if (node != NULL && has_address(node))
        return;
    else if (match.cut == NULL)
        say(check, needed, type, target, "that name has no address (A or AAAA)");
    else if (type == DNS_NS && dns_name_within(target, &check->owner))
        say(check, false, type, target, "that name needs an address here, as glue (A or AAAA)");
}

static void check_targets(struct zone_check *check, const struct rrset *rrset, bool needed)
{
    struct rrset_place place = {0};
    struct bytes rdata;
    struct dns_name target;
    while (rrset_next(rrset, &place, &rdata))
        if (dns_rdata_target(rrset->type, rdata, &target) && !dns_name_is_root(&target))
            check_host(check, rrset->type, &target, needed);
}

/* ---- names ---- */

/* RFC 1123 §2.1: what has an address is a host, and hosts have letters, digits and hyphens. */
static bool is_host_name(const struct dns_name *name)
{
    struct dns_labels labels;
    dns_name_labels(name, &labels);
    for (size_t i = 0; i < labels.count; i++) {
        struct bytes label = dns_name_label(name, labels.at[i]);
        if (i == 0 && label.len == 1 && label.data[0] == '*')
            continue;
        for (size_t j = 0; j < label.len; j++) {
            uint8_t c = label.data[j];
            bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
            bool digit = c >= '0' && c <= '9';
            if (!letter && !digit && !(c == '-' && j > 0 && j + 1 < label.len))
                return false;
        }
    }
    return true;
}

static bool has_inner_wildcard(const struct zone_node *node)
{
    bool begins = true;
    for (size_t i = 0; i + 2 < node->key_len; i++) {
        if (begins && node->key[i] == '*' && node->key[i + 1] == 0)
            return true;
        begins = node->key[i] == 0;
    }
    return false;
}

static bool begins_with_wildcard(const struct dns_name *name)
{
    return name->octets[0] == 1 && name->octets[1] == '*';
}

/* ---- sets ---- */

/* RFC 4034 §5.1.4, RFC 4509, RFC 6605 §2: the digests that have a length. */
static void check_ds(struct zone_check *check, const struct zone_node *node, const struct rrset *rrset)
{
    static const uint8_t lengths[] = {[1] = 20, [2] = 32, [4] = 48};
    struct rrset_place place = {0};
    struct bytes rdata;
    while (rrset_next(rrset, &place, &rdata)) {
        uint8_t type = rdata.data[3];
        if (type < ARRAY_LEN(lengths) && lengths[type] != 0 && rdata.len - 4u != lengths[type])
            say(check, true, DNS_DS, NULL, "the digest has not the length of its type");
    }
    if (!(node->flags & ZONE_HAS_NS))
        say(check, false, DNS_DS, NULL, "there is no delegation here (NS)");
}

static void check_nsec3param(struct zone_check *check, const struct rrset *rrset)
{
    struct rrset_place place = {0};
    struct bytes rdata;
    struct dns_nsec3 how;
    while (rrset_next(rrset, &place, &rdata))
        if (dns_nsec3_decode(rdata, &how) && how.iterations > ZONE_NSEC3_ITERATIONS_MAX)
            say(check, true, DNS_NSEC3PARAM, NULL,
                "more than 150 iterations: no resolver believes that (RFC 9276 §3.2)");
}

static void check_set(struct zone_check *check, const struct zone_node *node, const struct rrset *rrset)
{
    switch (rrset->type) {
    case DNS_A:
    case DNS_AAAA:
        if (!is_host_name(&check->owner))
            say(check, false, rrset->type, NULL, "not the name of a host (RFC 1123 §2.1)");
        break;
    case DNS_NS:
        if (begins_with_wildcard(&check->owner))
            say(check, true, DNS_NS, NULL, "a wildcard cannot be delegated (RFC 4592 §4.2)");
        check_targets(check, rrset, zone_is_apex(node));
        break;
    case DNS_MX:
        if (!is_host_name(&check->owner))
            say(check, false, rrset->type, NULL, "not the name of a host (RFC 1123 §2.1)");
        check_targets(check, rrset, false);
        break;
    case DNS_SRV:
        check_targets(check, rrset, false);
        break;
    case DNS_DS:
        check_ds(check, node, rrset);
        break;
    case DNS_NSEC3PARAM:
        check_nsec3param(check, rrset);
        break;
    case DNS_SPF:
        if (zone_rrset(node, DNS_TXT) == NULL)
            say(check, false, DNS_SPF, NULL, "nobody reads that: it is a TXT record now (RFC 7208 §3.1)");
        break;
    default:
        break;
    }
}

/* RFC 6672 §2.4, RFC 1034 §4.2.1: what lies below a DNAME or a cut is not of this zone. */
static void check_hidden(struct zone_check *check, const struct zone_node *node)
{
    const struct zone_node *above = check->above;
    if (above == NULL || node->key_len <= above->key_len ||
        memcmp(node->key, above->key, above->key_len) != 0) {
        bool cut = (node->flags & ZONE_HAS_NS) != 0 && !zone_is_apex(node);
        if (cut || (node->flags & ZONE_HAS_DNAME) != 0)
            check->above = node;
        return;
    }
    if ((above->flags & ZONE_HAS_DNAME) != 0) {
        say(check, false, 0, NULL, "nobody will see that: it is below a DNAME");
        return;
    }
    for (const struct rrset *rrset = node->rrsets; rrset != NULL; rrset = rrset->next)
        if (rrset->type != DNS_A && rrset->type != DNS_AAAA)
            say(check, false, rrset->type, NULL, "nobody will see that: it is below a delegation");
}

static void check_node(struct zone_check *check, const struct zone_node *node)
{
    if (node->rrsets == NULL)
        return;
    zone_node_name(check->zone, node, &check->owner);
    if (has_inner_wildcard(node))
        say(check, false, 0, NULL,
            "a \"*\" that is not the first label is no wildcard (RFC 4592 §2.1.1)");
    for (const struct rrset *rrset = node->rrsets; rrset != NULL; rrset = rrset->next)
        check_set(check, node, rrset);
    check_hidden(check, node);
}

void zone_check_start(struct zone_check *check, const struct zone *zone,
                      const struct zone_checker *checker)
{
    *check = (struct zone_check){
        .zone = zone, .checker = checker, .next = trie_first(&zone->nodes), .good = true};
    dns_name_copy(&check->owner, &zone->name);
    if (!zone_is_served(zone))
        say(check, true, 0, NULL, "the zone has no SOA record");
    if (zone_rrset(zone->apex, DNS_NS) == NULL)
        say(check, true, 0, NULL, "the zone has no NS record");
}

bool zone_check_step(struct zone_check *check, size_t names)
{
    for (size_t i = 0; i < names && check->next != NULL; i++) {
        const struct zone_node *node = check->next;
        check_node(check, node);
        check->next = trie_after(&check->zone->nodes, bytes_of(node->key, node->key_len));
    }
    return check->next == NULL;
}
