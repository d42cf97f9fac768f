/* SPDX-License-Identifier: ISC */
/* test_dns_forwarder.c - many questions under way, in virtual time. */
#include "proto/dns/dns_forwarder.h"
#include "tests/support/check.h"
#include "tests/support/dns_text.h"

#define SEC USEC_PER_SEC

static const char *const answer_a[] = {"www.example. 60 A 192.0.2.1", NULL};

struct scene {
    struct counting_heap counts;
    struct dns_forwarder *f;
    uint8_t buffer[DNS_CLIENT_QUERY_MAX];
    struct dns_forwarder_event event;
};

static void begin(struct scene *s)
{
    memset(s, 0, sizeof *s);
    struct heap heap = counting_heap(&s->counts);
    struct prng prng;
    prng_init_number(&prng, 1);
    struct endpoint servers[] = {{address_v4(0xc0000201), 53}, {address_v4(0xc0000202), 53}};
    s->f = dns_forwarder_new(&heap, &prng, servers, 2, 0);
    assert_non_null(s->f);
}

static void end(struct scene *s)
{
    dns_forwarder_free(s->f);
    assert_int_equal(s->counts.blocks, 0);
}

static struct dns_forwarder_client client(uint16_t port, uint16_t id)
{
    return (struct dns_forwarder_client){
        .from = {address_v4(0x0a000005), port},
        .query = {.id = id, .flags = DNS_RD,
                  .question = {dns_text_name("www.example"), DNS_A, DNS_IN}},
    };
}

static enum dns_forwarder_verdict ask(struct scene *s, const struct dns_forwarder_client *c, usec now)
{
    return dns_forwarder_ask(s->f, c, &c->query.question.name, now);
}

static bool next(struct scene *s, usec now)
{
    return dns_forwarder_next(s->f, now, s->buffer, &s->event);
}

static bool reply(struct scene *s, uint16_t flags, usec now)
{
    uint8_t buffer[600];
    struct bytes message =
        dns_text_reply(s->event.send.message, flags, answer_a, NULL, buffer, sizeof buffer);
    return dns_forwarder_input(s->f, s->event.slot, &s->event.send.server, message, now);
}

static void forwards_and_is_answered(void **state UNUSED)
{
    struct scene s;
    begin(&s);
    assert_int_equal(dns_forwarder_deadline(s.f), USEC_NEVER);
    assert_false(next(&s, 0));
    struct dns_forwarder_client c = client(4000, 7);
    assert_int_equal(ask(&s, &c, 0), DNS_FORWARDER_TAKEN);
    assert_true(next(&s, 0));
    assert_false(s.event.failed);
    assert_false(next(&s, 0));
    assert_true(dns_forwarder_deadline(s.f) <= 1 * SEC);
    assert_true(reply(&s, DNS_RA, 5));
    assert_int_equal(dns_forwarder_waiting(s.f, s.event.slot)->query.id, 7);
    assert_int_equal(dns_forwarder_count(s.f), 1);
    assert_false(reply(&s, DNS_RA, 6)); /* a second answer, before release */
    dns_forwarder_release(s.f, s.event.slot);
    assert_int_equal(dns_forwarder_count(s.f), 0);
    assert_int_equal(dns_forwarder_deadline(s.f), USEC_NEVER);
    end(&s);
}

static void asks_for_the_name_that_an_alias_led_to(void **state UNUSED)
{
    struct scene s;
    begin(&s);
    struct dns_forwarder_client c = client(4000, 7);
    struct dns_name target = dns_text_name("target.example");
    c.query.flags = DNS_RD | DNS_CD | DNS_AA;
    c.query.dnssec_ok = true;
    assert_int_equal(dns_forwarder_ask(s.f, &c, &target, 0), DNS_FORWARDER_TAKEN);
    assert_true(next(&s, 0));
    struct dns_summary query;
    assert_int_equal(dns_summarise(s.event.send.message, &query), WIRE_OK);
    assert_true(dns_name_equal(&query.question.name, &target));
    assert_int_equal(query.header.flags, DNS_RD | DNS_CD);
    assert_true(query.edns.dnssec_ok);
    end(&s);
}

static void retransmissions_are_asked_once(void **state UNUSED)
{
    struct scene s;
    begin(&s);
    struct dns_forwarder_client c = client(4000, 7);
    assert_int_equal(ask(&s, &c, 0), DNS_FORWARDER_TAKEN);
    for (int i = 0; i < 100; i++)
        assert_int_equal(ask(&s, &c, i), DNS_FORWARDER_DUPLICATE);
    struct dns_forwarder_client other = client(4001, 7);
    assert_int_equal(ask(&s, &other, 0), DNS_FORWARDER_TAKEN);
    other = client(4000, 8);
    assert_int_equal(ask(&s, &other, 0), DNS_FORWARDER_TAKEN);
    other = client(4000, 7);
    other.query.question.type = DNS_AAAA;
    assert_int_equal(ask(&s, &other, 0), DNS_FORWARDER_TAKEN);
    other = client(4000, 7);
    other.stream = 9;
    assert_int_equal(ask(&s, &other, 0), DNS_FORWARDER_TAKEN);
    assert_int_equal(dns_forwarder_count(s.f), 5);
    /* Answered and released, it may be asked anew. */
    assert_true(next(&s, 0));
    assert_true(reply(&s, DNS_RA, 5));
    dns_forwarder_release(s.f, s.event.slot);
    assert_int_equal(ask(&s, &c, 6), DNS_FORWARDER_TAKEN);
    end(&s);
}

static void loss_then_the_other_server(void **state UNUSED)
{
    struct scene s;
    begin(&s);
    struct dns_forwarder_client c = client(4000, 7);
    assert_int_equal(ask(&s, &c, 0), DNS_FORWARDER_TAKEN);
    assert_true(next(&s, 0));
    struct dns_forwarder_event first = s.event;
    usec now = 0;
    while (!next(&s, now)) {
        now = dns_forwarder_deadline(s.f);
        assert_true(now <= 1 * SEC + 1000);
        dns_forwarder_tick(s.f, now);
    }
    assert_true(now >= 1 * SEC);
    assert_int_equal(s.event.slot, first.slot);
    assert_false(endpoint_equal(&s.event.send.server, &first.send.server));
    assert_true(reply(&s, DNS_RA, now));
    dns_forwarder_release(s.f, s.event.slot);
    end(&s);
}

static void silence_fails_after_eight_seconds(void **state UNUSED)
{
    struct scene s;
    begin(&s);
    struct dns_forwarder_client c = client(4000, 7);
    assert_int_equal(ask(&s, &c, 0), DNS_FORWARDER_TAKEN);
    usec now = 0;
    unsigned sent = 0;
    for (;;) {
        if (next(&s, now)) {
            if (s.event.failed)
                break;
            sent++;
            continue;
        }
        now = dns_forwarder_deadline(s.f);
        assert_true(now != USEC_NEVER);
        dns_forwarder_tick(s.f, now);
    }
    assert_int_equal(sent, 4);
    assert_true(now >= 8 * SEC && now < 8 * SEC + 1000);
    assert_int_equal(dns_forwarder_waiting(s.f, s.event.slot)->query.id, 7);
    dns_forwarder_release(s.f, s.event.slot);
    assert_int_equal(dns_forwarder_count(s.f), 0);
    end(&s);
}

static void broken_sockets_fail_at_once(void **state UNUSED)
{
    struct scene s;
    begin(&s);
    struct dns_forwarder_client c = client(4000, 7);
    assert_int_equal(ask(&s, &c, 0), DNS_FORWARDER_TAKEN);
    for (int i = 0; i < 2; i++) {
        assert_true(next(&s, 0));
        assert_false(s.event.failed);
        dns_forwarder_broken(s.f, s.event.slot, 0);
    }
    assert_true(next(&s, 0));
    assert_true(s.event.failed);
    dns_forwarder_broken(s.f, s.event.slot, 0); /* too late to matter */
    assert_false(next(&s, 0));
    dns_forwarder_release(s.f, s.event.slot);
    end(&s);
}

static void the_table_is_bounded(void **state UNUSED)
{
    struct scene s;
    begin(&s);
    for (unsigned i = 0; i < DNS_FORWARDER_SLOTS; i++) {
        struct dns_forwarder_client c = client(4000, (uint16_t)i);
        assert_int_equal(ask(&s, &c, 0), DNS_FORWARDER_TAKEN);
    }
    struct dns_forwarder_client c = client(4000, DNS_FORWARDER_SLOTS);
    assert_int_equal(ask(&s, &c, 0), DNS_FORWARDER_FULL);
    size_t allocations = s.counts.allocations;
    while (next(&s, 0)) {
        assert_true(reply(&s, DNS_RA, 1));
        dns_forwarder_release(s.f, s.event.slot);
    }
    assert_int_equal(dns_forwarder_count(s.f), 0);
    assert_int_equal(ask(&s, &c, 0), DNS_FORWARDER_TAKEN);
    assert_int_equal(s.counts.allocations, allocations);
    end(&s);
}

/* Every question ends, answered or not, whatever is lost. */
static void every_question_ends(void **state UNUSED)
{
    struct scene s;
    begin(&s);
    struct prng dice;
    prng_init_number(&dice, 11);
    unsigned asked = 0;
    unsigned ended = 0;
    usec now = 0;
    while (ended < 2000) {
        if (asked < 2000 && prng_below(&dice, 2) == 0) {
            struct dns_forwarder_client c = client(4000, (uint16_t)asked);
            asked += ask(&s, &c, now) == DNS_FORWARDER_TAKEN;
        }
        while (next(&s, now)) {
            if (s.event.failed || (prng_below(&dice, 3) == 0 && reply(&s, DNS_RA, now))) {
                dns_forwarder_release(s.f, s.event.slot);
                ended++;
            } else if (prng_below(&dice, 4) == 0) {
                dns_forwarder_broken(s.f, s.event.slot, now);
            }
        }
        now += prng_below(&dice, 100000);
        dns_forwarder_tick(s.f, now);
        assert_true(now < 10000 * SEC);
    }
    assert_int_equal(asked, 2000);
    assert_int_equal(dns_forwarder_count(s.f), 0);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forwards_and_is_answered),
        cmocka_unit_test(asks_for_the_name_that_an_alias_led_to),
        cmocka_unit_test(retransmissions_are_asked_once),
        cmocka_unit_test(loss_then_the_other_server),
        cmocka_unit_test(silence_fails_after_eight_seconds),
        cmocka_unit_test(broken_sockets_fail_at_once),
        cmocka_unit_test(the_table_is_bounded),
        cmocka_unit_test(every_question_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
