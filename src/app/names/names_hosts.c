/* SPDX-License-Identifier: ISC */
/*
 * names_hosts.c - the names of hosts, forward and reverse, which come and go with their leases. Each is a
 * change of its zone like others, so that secondaries are told of it (RFC 1995, RFC 1996).
 */
#include <errno.h>

#include "app/names/internal.h"
#include "proto/dns/zone_history.h"

enum { CHANGE_OCTETS_MAX = 1 << 20 };

void names_remember(struct names *names, struct zone *zone, struct zone_change *change)
{
    zone_set_close(names->zones);
    if (zone->history == NULL)
        zone->history = zone_history_new(&zone->heap, ZONE_HISTORY_OCTETS_DEFAULT);
    if (zone->history != NULL)
        zone_history_add(zone->history, change);
    zone_set_open(names->zones);
    names_zone_changed(names, NAMES_EVERYBODY, &zone->name);
}

/* ---- one change ---- */

static struct dns_record record_of(const struct names *names, const struct dns_name *owner,
                                   uint16_t type, struct bytes rdata)
{
    return (struct dns_record){.owner = *owner,
                               .type = type,
                               .class = DNS_IN,
                               .ttl = names->ttl,
                               .rdata = rdata};
}

/* Begins to change the zone that the name is in. 0, -ENOENT: it is in none, or -ENOMEM. */
static int begin(struct names *names, const struct dns_name *name, struct zone_edit *edit)
{
    struct zone *zone = zone_set_find(names->zones, name, false);
    if (zone == NULL || !zone_is_served(zone))
        return -ENOENT;
    return names_errno_of(zone_edit_start(edit, names->zones, zone));
}

/* Makes the change, if everything was well so far. */
static int end(struct names *names, struct zone_edit *edit, enum zone_result result)
{
    struct zone_change change;
    zone_change_init(&change, &names->heap, CHANGE_OCTETS_MAX);
    if (result == ZONE_THERE)
        result = ZONE_OK;
    if (result == ZONE_OK)
        result = zone_edit_settle(edit, &change);
    bool changed = zone_change_octets(&change) > 0;
    zone_set_close(names->zones);
    if (result == ZONE_OK && changed)
        result = zone_edit_commit(edit);
    if (result == ZONE_OK && changed)
        names_remember(names, edit->zone, &change);
    zone_set_open(names->zones);
    zone_change_done(&change);
    zone_edit_done(edit);
    return names_errno_of(result);
}

/* ---- hosts ---- */

/* A name within the domain, or one label under it. Hosts name themselves, by DHCP: none gets to be
 * the wildcard. */
static bool complete(const struct names *names, const char *text, struct dns_name *out)
{
    struct dns_name name;
    if (!dns_name_parse(bytes_of_text(text), NULL, &name))
        return false;
    struct dns_labels labels;
    dns_name_labels(&name, &labels);
    size_t len = strlen(text);
    bool absolute = len > 0 && text[len - 1] == '.';
    if (name.octets[0] == 1 && name.octets[1] == '*')
        return false;
    if (dns_name_within(&name, &names->domain)) {
        *out = name;
        return true;
    }
    return labels.count == 1 && !absolute &&
           dns_name_child(dns_name_label(&name, 0), &names->domain, out);
}

static struct bytes address_rdata(const struct ip_address *a)
{
    return address_is_v4(a) ? bytes_of(a->octets + 12, 4) : bytes_of(a->octets, 16);
}

/* The reverse name of a public address lies in no zone of ours: it becomes one, of that name alone,
 * so that its neighbours are still asked for outside. */
static int put_reverse(struct names *names, const struct ip_address *a, const struct dns_name *name)
{
    struct zone_edit edit;
    struct dns_name reverse;
    dns_name_reverse(a, &reverse);
    bool in_zone = zone_set_find(names->zones, &reverse, false) != NULL;
    int status = in_zone ? 0 : names_add_zone(names, names->zones, &reverse);
    if (status == 0)
        status = begin(names, &reverse, &edit);
    if (status != 0)
        return status;
    struct dns_record record = record_of(names, &reverse, DNS_PTR, dns_name_bytes(name));
    return end(names, &edit, zone_edit_add(&edit, &record));
}

static void remove_reverse(struct names *names, const struct ip_address *a,
                           const struct dns_name *name)
{
    struct zone_edit edit;
    struct dns_name reverse;
    struct zone_match match;
    dns_name_reverse(a, &reverse);
    if (begin(names, &reverse, &edit) == 0) {
        struct dns_record record = record_of(names, &reverse, DNS_PTR, dns_name_bytes(name));
        enum zone_result result = zone_edit_remove(&edit, &record);
        if (end(names, &edit, result) == -ENOMEM)
            names_trouble(names, "no memory to take the name of an address away");
    }
    zone_find(names->zones, &reverse, &match);
    /* A zone of that one name has lost its purpose; those of RFC 6303 are never without one. */
    bool ours = address_is_any(a) || address_is_loopback(a) || address_is_broadcast(a);
    if (match.node == NULL || !zone_is_apex(match.node) || ours ||
        zone_rrset(match.node, DNS_PTR) != NULL)
        return;
    (void)zone_set_remove(names->zones, &reverse);
}

int names_add_address(struct names *names, const char *name, const struct ip_address *a,
                      struct bytes dhcid)
{
    struct dns_name owner;
    struct zone_edit edit;
    if (!complete(names, name, &owner))
        return -EINVAL;
    int status = begin(names, &owner, &edit);
    if (status != 0)
        return status;
    struct dns_record address =
        record_of(names, &owner, address_is_v4(a) ? DNS_A : DNS_AAAA, address_rdata(a));
    struct dns_record client = record_of(names, &owner, DNS_DHCID, dhcid);
    enum zone_result result = zone_edit_add(&edit, &address);
    if (dhcid.len > 0 && (result == ZONE_OK || result == ZONE_THERE))
        result = zone_edit_add(&edit, &client);
    status = end(names, &edit, result);
    if (status == 0)
        status = put_reverse(names, a, &owner);
    if (status != 0 && begin(names, &owner, &edit) == 0) {
        (void)!zone_edit_remove(&edit, &client);
        (void)!end(names, &edit, zone_edit_remove(&edit, &address));
    }
    return status;
}

static void remove_reverses(struct names *names, const struct rrset *rrset,
                            const struct dns_name *name)
{
    struct rrset_place place = {0};
    struct bytes rdata;
    while (rrset != NULL && rrset_next(rrset, &place, &rdata)) {
        struct ip_address a;
        struct reader r = reader_of(rdata);
        if (rrset->type == DNS_A)
            a = address_v4(read_u32(&r));
        else
            read_copy(&r, a.octets, sizeof a.octets);
        remove_reverse(names, &a, name);
    }
}

void names_remove(struct names *names, const char *name)
{
    struct dns_name owner;
    struct zone_match match;
    struct zone_edit edit;
    if (!complete(names, name, &owner))
        return;
    zone_find(names->zones, &owner, &match);
    if (match.node != NULL) {
        remove_reverses(names, zone_rrset(match.node, DNS_A), &owner);
        remove_reverses(names, zone_rrset(match.node, DNS_AAAA), &owner);
    }
    size_t count;
    if (begin(names, &owner, &edit) == 0 &&
        end(names, &edit, zone_edit_remove_type(&edit, &owner, DNS_ANY, &count)) == -ENOMEM)
        names_trouble(names, "no memory to take a name away");
}
