/* SPDX-License-Identifier: ISC */
/*
 * names_zones.c - the zones that the service is born with: the site's own; `localhost` and the
 * other special names (RFC 6761, RFC 7686, RFC 8375); and the reverse zones of addresses that are
 * not of the Internet (RFC 6303, RFC 7793), so that questions for them never leave the site.
 *
 * DEVIATES RFC 6303 §3: the empty zones' MNAME and NS are this server, and their TTLs the site's
 * own, since PTR records of the site's hosts come and go in them.
 */
#include <errno.h>

#include "app/names/internal.h"
#include "proto/dns/zone_difference.h"
#include "proto/dns/zone_history.h"

/* RFC 6303 §4.1 to §4.7, RFC 7793 (100.64.0.0/10 is added by a loop, as is 172.16.0.0/12). */
static const char *const private_zones[] = {
    "10.in-addr.arpa",
    "168.192.in-addr.arpa",
    "0.in-addr.arpa",
    "127.in-addr.arpa",
    "254.169.in-addr.arpa",
    "2.0.192.in-addr.arpa",
    "100.51.198.in-addr.arpa",
    "113.0.203.in-addr.arpa",
    "255.255.255.255.in-addr.arpa",
    "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa",
    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa",
    "d.f.ip6.arpa",
    "8.e.f.ip6.arpa",
    "9.e.f.ip6.arpa",
    "a.e.f.ip6.arpa",
    "b.e.f.ip6.arpa",
    "8.b.d.0.1.0.0.2.ip6.arpa",
};

/* Names that are not for the DNS of the Internet. SKIPS RFC 6762 §22.1 for "local", unless names of the link
 * are asked for there (names_local.c): many a site's resolver serves names in it. */
static const char *const special_zones[] = {
    "localhost", /* RFC 6761 §6.3 */
    "test",      /* §6.2 */
    "invalid",   /* §6.4 */
    "onion",     /* RFC 7686 §2 */
    "home.arpa", /* RFC 8375 §4 */
};

int names_errno_of(enum zone_result result)
{
    switch (result) {
    case ZONE_OK:
        return 0;
    case ZONE_FULL:
        return -ENOSPC;
    case ZONE_NO_MEMORY:
        return -ENOMEM;
    case ZONE_INVALID:
    case ZONE_CNAME_ALONE:
    case ZONE_ONLY_ONE:
    case ZONE_OUTSIDE:
    case ZONE_NOT_THERE:
    case ZONE_THERE:
    case ZONE_OTHER_VERSION:
    case ZONE_RESULT_COUNT:
        break;
    }
    return -EINVAL;
}

int names_put(struct names *names, struct zone_set *zones, const struct dns_name *owner, uint16_t type,
              struct bytes rdata)
{
    struct dns_record record = {.owner = *owner,
                                .type = type,
                                .class = DNS_IN,
                                .ttl = names->ttl,
                                .rdata = rdata};
    return names_errno_of(zone_add(zones, &record));
}

/* SOA RDATA (RFC 1035 §3.3.13). */
static struct bytes make_soa(const struct names *names, uint8_t *buffer, size_t size)
{
    struct writer w = writer_of(buffer, size);
    struct dns_name mailbox;
    if (!dns_name_child(bytes_of_text("hostmaster"), &names->domain, &mailbox))
        mailbox = names->domain;
    dns_name_write(&w, &names->server_name);
    dns_name_write(&w, &mailbox);
    write_u32(&w, (uint32_t)loop_wall_seconds(names->loop)); /* serial: grows over restarts */
    write_u32(&w, 3600);    /* refresh */
    write_u32(&w, 600);     /* retry */
    write_u32(&w, 604800);  /* expire */
    write_u32(&w, names->ttl); /* of negative answers */
    ASSERT(!w.failed);
    return writer_bytes(&w);
}

int names_add_zone(struct names *names, struct zone_set *zones, const struct dns_name *apex)
{
    uint8_t soa[2 * DNS_NAME_MAX + 20];
    struct zone_match match;
    zone_find(zones, apex, &match);
    if (match.node != NULL && zone_is_apex(match.node))
        return 0;
    int status = names_put(names, zones, apex, DNS_SOA, make_soa(names, soa, sizeof soa));
    if (status == 0)
        status = names_put(names, zones, apex, DNS_NS, dns_name_bytes(&names->server_name));
    return status;
}

static int add_named(struct names *names, const char *text)
{
    struct dns_name apex;
    bool ok = dns_name_parse(bytes_of_text(text), NULL, &apex);
    ASSERT(ok);
    return names_add_zone(names, names->zones, &apex);
}

/* 16.172.in-addr.arpa to 31.172, 64.100.in-addr.arpa to 127.100. */
static int add_range(struct names *names, unsigned first, unsigned last, unsigned network)
{
    int status = 0;
    for (unsigned i = first; i <= last && status == 0; i++) {
        char zone[40];
        struct text t = text_of(zone, sizeof zone);
        text_add_format(&t, "%u.%u.in-addr.arpa", i, network);
        status = add_named(names, zone);
    }
    return status;
}

/* The addresses of localhost and of all names below it (RFC 6761 §6.3). */
static int add_localhost(struct names *names)
{
    static const char *const owners[] = {"localhost", "*.localhost"};
    static const uint8_t v4[] = {127, 0, 0, 1};
    static const uint8_t v6[16] = {[15] = 1};
    int status = 0;
    struct dns_name name;
    for (size_t i = 0; i < ARRAY_LEN(owners) && status == 0; i++) {
        bool ok = dns_name_parse(bytes_of_text(owners[i]), NULL, &name);
        ASSERT(ok);
        status = names_put(names, names->zones, &name, DNS_A, bytes_of(v4, sizeof v4));
        if (status == 0)
            status = names_put(names, names->zones, &name, DNS_AAAA, bytes_of(v6, sizeof v6));
    }
    bool ok = dns_name_parse(bytes_of_text("localhost"), NULL, &name);
    ASSERT(ok);
    struct ip_address addresses[] = {address_v4(0x7f000001), {{[15] = 1}}};
    for (size_t i = 0; i < ARRAY_LEN(addresses) && status == 0; i++) {
        struct dns_name reverse;
        dns_name_reverse(&addresses[i], &reverse);
        status = names_put(names, names->zones, &reverse, DNS_PTR, dns_name_bytes(&name));
    }
    return status;
}

/* Names of the link are asked for there. */
static bool is_left_out(const char *text, const struct names_options *options)
{
    struct dns_name name;
    return options->local && dns_name_parse(bytes_of_text(text), NULL, &name) &&
           mdns_is_local(&name);
}

int names_add_own_zones(struct names *names, const struct names_options *options)
{
    int status = 0;
    if (options->closed_world)
        status = add_named(names, ".");
    if (status == 0)
        status = names_add_zone(names, names->zones, &names->domain);
    for (size_t i = 0; i < ARRAY_LEN(special_zones) && status == 0; i++)
        status = add_named(names, special_zones[i]);
    for (size_t i = 0; i < ARRAY_LEN(private_zones) && status == 0; i++)
        if (!is_left_out(private_zones[i], options))
            status = add_named(names, private_zones[i]);
    if (status == 0)
        status = add_range(names, 16, 31, 172);
    if (status == 0)
        status = add_range(names, 64, 127, 100);
    if (status == 0)
        status = add_localhost(names);
    return status;
}

/* ---- zones that are made here ---- */

/* The change goes to the zone's history, which is that of the one before. */
static void inherit(struct names *names, struct zone *zone, struct zone *old, struct zone_change *change)
{
    zone_set_close(names->zones);
    zone->history = old->history;
    old->history = NULL;
    if (zone->history == NULL)
        zone->history = zone_history_new(&names->heap, ZONE_HISTORY_OCTETS_DEFAULT);
    if (zone->history != NULL)
        zone_history_add(zone->history, change);
    zone_set_open(names->zones);
}

enum zone_result names_replace_zone(struct names *names, struct zone *zone)
{
    struct zone *old = zone_set_get(names->zones, &zone->name);
    struct zone_change change;
    struct zone_difference d;
    bool same = false;
    zone_change_init(&change, &names->heap, ZONE_HISTORY_OCTETS_DEFAULT);
    if (old != NULL && zone_is_served(old) &&
        zone_difference_start(&d, old, zone, &change) == ZONE_OK &&
        zone_difference_step(&d, SIZE_MAX) == ZONE_DIFFERENCE_DONE) {
        same = zone_change_is_empty(&change);
        if (!same)
            inherit(names, zone, old, &change);
    }
    zone_change_done(&change);
    if (same) {
        zone_free(zone);
        return ZONE_OK;
    }
    struct dns_name name = zone->name;
    enum zone_result result = zone_set_install(names->zones, zone, &old);
    if (result != ZONE_OK)
        return result;
    names_discard_zone(names, old);
    names_zone_changed(names, NAMES_EVERYBODY, &name);
    return ZONE_OK;
}
