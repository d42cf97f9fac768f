/* SPDX-License-Identifier: ISC */
/*
 * test_names_secondary.c - a primary and a secondary of ours over our own stack in virtual time: news,
 * refresh and expiry, primaries that are dead, silent or mad, and a wire that loses 30 %.
 */
#include <stdio.h>

#include "app/names/names.h"
#include "io/node.h"
#include "io/wire_port.h"
#include "os/hmac.h"
#include "os/memory.h"
#include "proto/dns/zone_history.h"
#include "tests/support/check.h"
#include "tests/support/dns_text.h"
#include "tests/support/dns_zone.h"
#include "wire/dns/dns_serial.h"

#define SEC USEC_PER_SEC

enum { PRIMARY = 0x0a000001, SECONDARY = 0x0a000002 };

/* Node 0 has the primary, node 1 the secondary. */
struct scene {
    struct loop *loop;
    struct frame_pool *frames;
    struct node *nodes[2];
    struct net *nets[2];
    struct wire_port *wire;
    struct hmac *hmac;
    struct names *names[2];
    struct zone *kept; /* of the primary while it is dead */
    unsigned events[NAMES_ZONE_EXPIRED + 1];
    unsigned incremental;
    char failure[200];
    struct listener *odd;      /* one that is no name server */
    struct stream *odd_streams[64];
    size_t odd_count;
    bool odd_talks;
};

static struct endpoint endpoint(uint32_t address, uint16_t port)
{
    return (struct endpoint){address_v4(address), port};
}

static void add_node(struct scene *s, int which)
{
    struct stack_options options = {.frames = s->frames};
    struct interface_options interface = {
        .name = "eth0", .mac = {{2, 0, 0, 0, 0, (uint8_t)(which + 1)}}, .mtu = 1500};
    struct ip_prefix address = {address_v4(PRIMARY + (uint32_t)which), 24};
    s->nodes[which] = node_new(s->loop, &options);
    assert_non_null(s->nodes[which]);
    assert_int_equal(stack_add_interface(node_stack(s->nodes[which]), &interface), 0);
    assert_true(stack_add_address(node_stack(s->nodes[which]), 0, &address, false));
    s->nets[which] = net_stack_new(s->nodes[which]);
}

static struct tsig_peer peer(uint32_t address, uint16_t port)
{
    return (struct tsig_peer){.at = endpoint(address, port), .key = dns_text_name("key")};
}

static void begin_server(struct scene *s, int which, uint16_t port)
{
    static struct tsig_key key;
    struct names_options options = {
        .listen = endpoint(PRIMARY + (uint32_t)which, port),
        .domain = "home.arpa",
        .server_name = "ns.home.arpa",
        .outside = s->nets[which],
        .hmac = {hmac_start, hmac_add, hmac_end, s->hmac},
    };
    struct names_manner manner = {.keys = &key, .key_count = 1};
    assert_true(tsig_key_parse(bytes_of_text("key:c2VjcmV0"), &key));
    manner.secondaries.count = 1;
    manner.secondaries.rules[0] = (struct names_rule){.any_network = true, .key = dns_text_name("key")};
    if (which == 0) {
        manner.notified.count = 1;
        manner.notified.peers[0] = peer(SECONDARY, 53);
    }
    assert_int_equal(names_new(s->nets[which], &options, &s->names[which]), 0);
    assert_int_equal(names_set_manner(s->names[which], &manner), 0);
}

static struct zone *zone_at(struct scene *s, int which)
{
    struct dns_name name = dns_text_name("example");
    struct zone *zone = zone_set_get(names_zones(s->names[which], NAMES_EVERYBODY), &name);
    return zone != NULL && zone_is_served(zone) ? zone : NULL;
}

static void install(struct scene *s, struct zone *zone)
{
    struct zone *old;
    assert_int_equal(zone_set_install(names_zones(s->names[0], NAMES_EVERYBODY), zone, &old), ZONE_OK);
}

/* Refresh 30 s, retry 5 s, expire 100 s. */
static void begin_zone(struct scene *s, unsigned expire)
{
    struct heap heap = memory_heap();
    struct dns_name name = dns_text_name("example");
    struct zone *zone = zone_new(&heap, &name, 10000);
    char line[100];
    snprintf(line, sizeof line, "example. SOA ns.example. h.example. 1 30 5 %u 60", expire);
    dns_zone_put(zone, line);
    dns_zone_put(zone, "example. NS ns.example.");
    dns_zone_put(zone, "ns.example. A 192.0.2.1");
    for (unsigned i = 0; i < 500; i++) {
        snprintf(line, sizeof line, "h%u.example. TXT \"%060u\"", i, i);
        dns_zone_put(zone, line);
    }
    zone->history = zone_history_new(&heap, 1 << 20);
    install(s, zone);
}

/* A new version, with one record more. */
static void change_zone(struct scene *s)
{
    struct zone *zone = zone_at(s, 0);
    struct heap heap = memory_heap();
    struct zone_change change;
    uint8_t soa[200], a[4] = {192, 0, 2, 9};
    struct bytes rdata = rrset_first(zone_rrset(zone->apex, DNS_SOA));
    uint32_t serial = zone_serial(zone);
    char name[40];
    zone_change_init(&change, &heap, 1 << 16);
    struct dns_record record = {.owner = zone->name, .type = DNS_SOA, .class = DNS_IN, .ttl = 60, .rdata = rdata};
    assert_int_equal(zone_change_add(&change, ZONE_REMOVED, &record), ZONE_OK);
    memcpy(soa, rdata.data, rdata.len);
    dns_soa_set_serial(soa, rdata.len, serial + 1);
    record.rdata = bytes_of(soa, rdata.len);
    assert_int_equal(zone_change_add(&change, ZONE_ADDED, &record), ZONE_OK);
    snprintf(name, sizeof name, "n%u.example", (unsigned)serial);
    record.owner = dns_text_name(name);
    record.type = DNS_A;
    record.rdata = bytes_of(a, sizeof a);
    assert_int_equal(zone_change_add(&change, ZONE_ADDED, &record), ZONE_OK);
    struct zone_set *set = names_zones(s->names[0], NAMES_EVERYBODY);
    assert_int_equal(zone_change_commit(set, zone, &change), ZONE_OK);
    zone_change_done(&change);
    names_zone_changed(s->names[0], NAMES_EVERYBODY, &zone->name);
}

static void on_event(void *self, const struct names_secondary_event *event)
{
    struct scene *s = self;
    s->events[event->kind]++;
    s->incremental += event->kind == NAMES_ZONE_NEW && event->incremental;
    if (event->kind == NAMES_ZONE_FAILED)
        snprintf(s->failure, sizeof s->failure, "%s", event->text);
}

static void begin_secondary(struct scene *s, const struct tsig_peer *primaries, size_t count)
{
    struct names_secondary_options options = {.view = NAMES_EVERYBODY, .zone = dns_text_name("example"), .primary_count = count};
    const struct names_secondary_handler handler = {on_event, s};
    memcpy(options.primaries, primaries, count * sizeof *primaries);
    assert_int_equal(names_set_secondaries(s->names[1], &options, 1, &handler), 0);
}

static void begin(struct scene *s, uint64_t seed, uint32_t loss)
{
    struct heap heap = memory_heap();
    struct wire_options wire = {.seed = seed, .a_to_b = {.loss = loss}, .b_to_a = {.loss = loss}};
    memset(s, 0, sizeof *s);
    s->loop = loop_new_virtual(0, seed);
    s->frames = frame_pool_new(&heap, 64 << 20);
    s->hmac = hmac_new();
    add_node(s, 0);
    add_node(s, 1);
    assert_int_equal(wire_port_join(s->loop, s->nodes[0], 0, s->nodes[1], 0, &wire, &s->wire), 0);
    begin_server(s, 0, 53);
    begin_server(s, 1, 53);
}

static void run(struct scene *s, usec duration)
{
    (void)loop_run_until(s->loop, loop_now(s->loop) + duration);
}

static void end(struct scene *s)
{
    names_free(s->names[0]);
    names_free(s->names[1]);
    if (s->odd != NULL)
        listener_close(s->odd);
    for (size_t i = 0; i < s->odd_count; i++)
        if (s->odd_streams[i] != NULL)
            stream_abort(s->odd_streams[i]);
    run(s, 100 * SEC);
    net_free(s->nets[0]);
    net_free(s->nets[1]);
    wire_port_free(s->wire);
    node_free(s->nodes[0]);
    node_free(s->nodes[1]);
    frame_pool_free(s->frames);
    loop_free(s->loop);
    hmac_free(s->hmac);
}

static void check_same(struct scene *s)
{
    assert_non_null(zone_at(s, 1));
    assert_int_equal(zone_serial(zone_at(s, 1)), zone_serial(zone_at(s, 0)));
    assert_int_equal(zone_at(s, 1)->record_count, zone_at(s, 0)->record_count);
}

static void news_come_at_once(void **state UNUSED)
{
    struct scene s;
    const struct tsig_peer primary = peer(PRIMARY, 53);
    struct names_counters counters;
    begin(&s, 1, 0);
    begin_zone(&s, 100);
    begin_secondary(&s, &primary, 1);
    assert_null(zone_at(&s, 1)); /* not served yet, but nobody else's */
    run(&s, SEC);
    check_same(&s);
    assert_int_equal(s.events[NAMES_ZONE_NEW], 1);
    assert_int_equal(s.incremental, 0);
    for (unsigned i = 0; i < 5; i++) {
        change_zone(&s);
        run(&s, SEC);
        check_same(&s);
    }
    assert_int_equal(s.incremental, 5);
    names_counters(s.names[0], &counters);
    assert_int_equal(counters.notifies_out, 5);
    assert_int_equal(counters.notifies_unanswered, 0);
    names_counters(s.names[1], &counters);
    assert_int_equal(counters.notifies_in, 5);
    assert_int_equal(counters.transfers_in, 6);
    assert_int_equal(counters.secondaries_served, 1);
    /* And when nothing is new it looks by itself, every thirty seconds or so. */
    run(&s, 300 * SEC);
    assert_in_range(s.events[NAMES_ZONE_CURRENT], 9, 11);
    assert_int_equal(s.events[NAMES_ZONE_FAILED], 0);
    end(&s);
}

static void what_nobody_confirms_is_not_served_for_ever(void **state UNUSED)
{
    struct scene s;
    const struct tsig_peer primary = peer(PRIMARY, 53);
    struct dns_name name = dns_text_name("example");
    begin(&s, 2, 0);
    begin_zone(&s, 100);
    begin_secondary(&s, &primary, 1);
    run(&s, SEC);
    check_same(&s);
    struct zone *kept = zone_set_take(names_zones(s.names[0], NAMES_EVERYBODY), &name);
    names_free(s.names[0]);
    run(&s, 97 * SEC);
    assert_non_null(zone_at(&s, 1));
    assert_int_equal(s.events[NAMES_ZONE_EXPIRED], 0);
    assert_true(s.events[NAMES_ZONE_FAILED] > 5);
    run(&s, 40 * SEC);
    assert_null(zone_at(&s, 1));
    assert_int_equal(s.events[NAMES_ZONE_EXPIRED], 1);
    begin_server(&s, 0, 53);
    install(&s, kept);
    run(&s, 700 * SEC); /* pauses have grown meanwhile */
    check_same(&s);
    assert_int_equal(s.events[NAMES_ZONE_EXPIRED], 1);
    end(&s);
}

/* ---- primaries that are none ---- */

static size_t on_odd_bytes(void *self, struct stream *stream, struct bytes in)
{
    struct scene *s = self;
    static const uint8_t noise[] = {0, 5, 1, 2, 3, 4, 5, 0, 200, 7};
    if (s->odd_talks)
        (void)stream_send(stream, bytes_of(noise, sizeof noise));
    return in.len;
}

static void on_odd_closed(void *self, struct stream *stream, int error UNUSED)
{
    struct scene *s = self;
    for (size_t i = 0; i < s->odd_count; i++)
        if (s->odd_streams[i] == stream)
            s->odd_streams[i] = NULL;
}

static void on_odd_end(void *self, struct stream *stream)
{
    on_odd_closed(self, stream, 0);
    stream_abort(stream);
}

static void on_odd_accept(void *self, struct listener *listener UNUSED, struct stream *stream)
{
    static const struct stream_handler handler = {
        .on_bytes = on_odd_bytes, .on_end = on_odd_end, .on_closed = on_odd_closed};
    struct scene *s = self;
    assert_true(s->odd_count < ARRAY_LEN(s->odd_streams));
    s->odd_streams[s->odd_count++] = stream;
    stream_set_handler(stream, &handler, s);
}

static void listen_oddly(struct scene *s)
{
    static const struct listener_handler handler = {.on_accept = on_odd_accept};
    struct listen_options options = {.local = endpoint(PRIMARY, 99)};
    assert_int_equal(net_listen(s->nets[0], &options, &handler, s, &s->odd), 0);
}

static void one_that_is_silent_is_cut(void **state UNUSED)
{
    struct scene s;
    const struct tsig_peer primaries[] = {peer(PRIMARY, 99), peer(PRIMARY, 53)};
    begin(&s, 3, 0);
    begin_zone(&s, 100);
    listen_oddly(&s);
    begin_secondary(&s, primaries, 2);
    run(&s, 29 * SEC);
    assert_null(zone_at(&s, 1));
    run(&s, 3 * SEC);
    assert_string_equal(s.failure, "it sends no more");
    check_same(&s);
    end(&s);
}

static void one_that_is_mad_is_passed_over(void **state UNUSED)
{
    struct scene s;
    const struct tsig_peer primaries[] = {peer(PRIMARY, 99), peer(PRIMARY, 53)};
    begin(&s, 4, 0);
    begin_zone(&s, 100);
    listen_oddly(&s);
    s.odd_talks = true;
    begin_secondary(&s, primaries, 2);
    run(&s, SEC);
    assert_string_equal(s.failure, "it sends what was not asked for");
    check_same(&s);
    /* Who is not allowed to have it says so, and that is that. */
    struct names_manner manner = {0};
    assert_int_equal(names_set_manner(s.names[0], &manner), 0);
    change_zone(&s);
    run(&s, 60 * SEC);
    assert_true(zone_serial(zone_at(&s, 1)) < zone_serial(zone_at(&s, 0)));
    end(&s);
}

static void a_zone_that_does_not_hold_together_is_not_taken(void **state UNUSED)
{
    struct scene s;
    struct heap heap = memory_heap();
    struct dns_name name = dns_text_name("example");
    const struct tsig_peer primary = peer(PRIMARY, 53);
    begin(&s, 5, 0);
    struct zone *zone = zone_new(&heap, &name, 100);
    dns_zone_put(zone, "example. SOA ns.example. h.example. 1 30 5 100 60"); /* no name servers */
    dns_zone_put(zone, "www.example. A 192.0.2.1");
    install(&s, zone);
    begin_secondary(&s, &primary, 1);
    run(&s, 20 * SEC);
    assert_null(zone_at(&s, 1));
    assert_true(s.events[NAMES_ZONE_FAILED] > 1);
    assert_non_null(strstr(s.failure, "NS"));
    end(&s);
}

static void what_is_too_large_is_not_taken(void **state UNUSED)
{
    struct scene s;
    const struct names_secondary_handler handler = {on_event, &s};
    struct names_secondary_options options = {.view = NAMES_EVERYBODY, .zone = dns_text_name("example"), .primary_count = 1,
                                              .octets_max = 10000};
    begin(&s, 6, 0);
    begin_zone(&s, 100);
    options.primaries[0] = peer(PRIMARY, 53);
    assert_int_equal(names_set_secondaries(s.names[1], &options, 1, &handler), 0);
    run(&s, SEC);
    assert_null(zone_at(&s, 1));
    assert_string_equal(s.failure, "the zone is larger than it may be");
    options.octets_max = 0;
    options.records_max = 100;
    assert_int_equal(names_set_secondaries(s.names[1], &options, 1, &handler), 0);
    run(&s, 10 * SEC);
    assert_null(zone_at(&s, 1));
    assert_non_null(strstr(s.failure, zone_result_text(ZONE_FULL)));
    /* It is not kept any more: it is no zone of ours. */
    assert_int_equal(names_set_secondaries(s.names[1], &options, 0, &handler), 0);
    struct dns_name name = dns_text_name("example");
    assert_null(zone_set_get(names_zones(s.names[1], NAMES_EVERYBODY), &name));
    end(&s);
}

/* Changes at odd moments over an hour, on a wire that loses three frames of ten. */
static void on_a_bad_wire_it_has_all_in_the_end(void **state UNUSED)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct scene s;
        const struct tsig_peer primary = peer(PRIMARY, 53);
        begin(&s, seed, 300000);
        begin_zone(&s, 3600);
        begin_secondary(&s, &primary, 1);
        for (unsigned i = 0; i < 60; i++) {
            change_zone(&s);
            run(&s, (usec)prng_below(loop_prng(s.loop), 120) * SEC);
        }
        run(&s, 300 * SEC);
        check_same(&s);
        assert_int_equal(s.events[NAMES_ZONE_EXPIRED], 0);
        assert_true(s.incremental > 20);
        end(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(news_come_at_once),
        cmocka_unit_test(what_nobody_confirms_is_not_served_for_ever),
        cmocka_unit_test(one_that_is_silent_is_cut),
        cmocka_unit_test(one_that_is_mad_is_passed_over),
        cmocka_unit_test(a_zone_that_does_not_hold_together_is_not_taken),
        cmocka_unit_test(what_is_too_large_is_not_taken),
        cmocka_unit_test(on_a_bad_wire_it_has_all_in_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
