/* SPDX-License-Identifier: ISC */
/* test_dns_client.c - asking: attempts, timeouts, and which answers are believed (RFC 5452). */
#include "proto/dns/dns_client.h"
#include "tests/support/check.h"
#include "tests/support/dns_text.h"

#define SEC USEC_PER_SEC

static const char *const answer_a[] = {"www.example. 60 A 192.0.2.1", NULL};

/* A client with its servers, and what it has sent last. */
struct scene {
    struct dns_servers servers;
    struct prng prng;
    struct dns_client client;
    struct dns_client_send send;
    uint8_t query[DNS_CLIENT_QUERY_MAX];
    uint8_t reply[1500];
};

static void ask(struct scene *s, usec now)
{
    struct dns_client_options options = {
        .question = {dns_text_name("www.example"), DNS_A, DNS_IN},
        .flags = DNS_RD,
        .stream_wanted = true,
    };
    dns_client_init(&s->client, &options, now);
}

static void begin(struct scene *s, size_t servers, uint64_t seed)
{
    memset(s, 0, sizeof *s);
    prng_init_number(&s->prng, seed);
    s->servers.count = servers;
    for (size_t i = 0; i < servers; i++)
        s->servers.list[i].endpoint =
            (struct endpoint){address_v4(0xc0000201 + (uint32_t)i), 53};
    ask(s, 0);
}

static void send(struct scene *s, usec now)
{
    assert_int_equal(s->client.state, DNS_CLIENT_READY);
    dns_client_send(&s->client, &s->servers, &s->prng, now, s->query, &s->send);
    assert_int_equal(s->client.state, DNS_CLIENT_WAITING);
}

/* Which server the last query was for. */
static unsigned server(const struct scene *s)
{
    return address_v4_value(&s->send.server.address) - 0xc0000200;
}

static bool input_from(struct scene *s, const struct endpoint *from, struct bytes reply, usec now)
{
    struct dns_summary summary;
    uint8_t *copy = exact_copy(reply.data, reply.len);
    bool answered =
        dns_client_input(&s->client, &s->servers, from, bytes_of(copy, reply.len), now, &summary);
    free(copy);
    return answered;
}

static bool reply(struct scene *s, uint16_t flags, const char *const *answers, usec now)
{
    struct bytes message =
        dns_text_reply(s->send.message, flags, answers, NULL, s->reply, sizeof s->reply);
    return input_from(s, &s->send.server, message, now);
}

static void asks_and_is_answered(void **state UNUSED)
{
    struct scene s;
    begin(&s, 1, 1);
    send(&s, 0);
    struct dns_summary query;
    assert_int_equal(dns_summarise(s.send.message, &query), WIRE_OK);
    assert_int_equal(query.header.flags, DNS_RD);
    assert_int_equal(query.edns.udp_size, DNS_UDP_SIZE_DEFAULT);
    struct dns_name want = dns_text_name("www.example");
    assert_true(dns_name_equal(&query.question.name, &want));
    assert_false(s.send.stream);
    assert_int_equal(dns_client_deadline(&s.client), 1 * SEC);
    assert_true(reply(&s, DNS_RA, answer_a, 10));
    assert_int_equal(s.client.state, DNS_CLIENT_DONE);
    assert_int_equal(dns_client_deadline(&s.client), USEC_NEVER);
    assert_false(reply(&s, DNS_RA, answer_a, 20)); /* once only */
}

static void ids_and_case_are_random(void **state UNUSED)
{
    unsigned different_ids = 0;
    unsigned different_cases = 0;
    uint16_t id = 0;
    struct dns_name sent = {0};
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct scene s;
        begin(&s, 1, seed);
        send(&s, 0);
        different_ids += s.client.id != id;
        different_cases += !dns_name_same(&s.client.sent, &sent);
        id = s.client.id;
        sent = s.client.sent;
    }
    assert_true(different_ids >= 19);
    assert_true(different_cases >= 17);
}

static void forged_answers_are_ignored(void **state UNUSED)
{
    struct scene s;
    begin(&s, 2, 2);
    send(&s, 0);
    struct bytes message = dns_text_reply(s.send.message, DNS_RA, answer_a, NULL, s.reply, 1500);
    struct endpoint other = s.servers.list[1].endpoint;
    assert_false(input_from(&s, &other, message, 1)); /* the wrong server */
    other = s.send.server;
    other.port = 54;
    assert_false(input_from(&s, &other, message, 1)); /* the wrong port */
    s.reply[1] ^= 1;
    assert_false(input_from(&s, &s.send.server, message, 1)); /* the wrong id */
    s.reply[1] ^= 1;
    s.reply[2] ^= 0x80;
    assert_false(input_from(&s, &s.send.server, message, 1)); /* a query */
    s.reply[2] ^= 0x80;
    s.reply[2] ^= 0x28;
    assert_false(input_from(&s, &s.send.server, message, 1)); /* another opcode */
    s.reply[2] ^= 0x28;
    s.reply[13] = 'x';
    assert_false(input_from(&s, &s.send.server, message, 1)); /* another name */
    s.reply[13] = s.send.message.data[13];
    s.reply[26] = DNS_AAAA;
    assert_false(input_from(&s, &s.send.server, message, 1)); /* another type */
    s.reply[26] = DNS_A;
    assert_false(input_from(&s, &s.send.server, bytes_first(message, message.len - 1), 1)); /* cut */
    assert_int_equal(s.client.state, DNS_CLIENT_WAITING);
    assert_true(input_from(&s, &s.send.server, message, 1));
}

static void a_server_that_changes_case_is_asked_plainly(void **state UNUSED)
{
    struct scene s;
    begin(&s, 1, 3);
    send(&s, 0);
    uint16_t first_id = s.client.id;
    struct bytes message = dns_text_reply(s.send.message, DNS_RA, answer_a, NULL, s.reply, 1500);
    s.reply[13] ^= 0x20;
    assert_false(input_from(&s, &s.send.server, message, 1));
    send(&s, 1);
    assert_true(s.client.id != first_id);
    struct dns_name plain = dns_text_name("www.example");
    assert_true(dns_name_same(&s.client.sent, &plain));
    message = dns_text_reply(s.send.message, DNS_RA, answer_a, NULL, s.reply, 1500);
    s.reply[13] ^= 0x20; /* whatever it does to it */
    assert_true(input_from(&s, &s.send.server, message, 2));
    /* Others have learnt it. */
    ask(&s, 10);
    send(&s, 10);
    assert_true(dns_name_same(&s.client.sent, &plain));
}

static void tries_the_next_server_after_a_second(void **state UNUSED)
{
    struct scene s;
    begin(&s, 2, 4);
    send(&s, 0);
    assert_int_equal(server(&s), 1);
    uint8_t late_query[DNS_CLIENT_QUERY_MAX];
    memcpy(late_query, s.query, sizeof late_query);
    struct dns_client_send late = s.send;
    late.message = bytes_of(late_query, s.send.message.len);
    dns_client_tick(&s.client, &s.servers, 1 * SEC - 1);
    assert_int_equal(s.client.state, DNS_CLIENT_WAITING);
    dns_client_tick(&s.client, &s.servers, 1 * SEC);
    send(&s, 1 * SEC);
    assert_int_equal(server(&s), 2);
    /* The first one answers now: that attempt is over. */
    struct bytes message = dns_text_reply(late.message, DNS_RA, answer_a, NULL, s.reply, 1500);
    assert_false(input_from(&s, &late.server, message, 1 * SEC));
    assert_true(reply(&s, DNS_RA, answer_a, 1 * SEC + 1));

    /* For a while the silent one is asked last. */
    ask(&s, 2 * SEC);
    send(&s, 2 * SEC);
    assert_int_equal(server(&s), 2);
    ask(&s, 32 * SEC);
    send(&s, 32 * SEC);
    assert_int_equal(server(&s), 1);
    /* An answer makes it well at once. */
    s.servers.list[0].avoid_until = 100 * SEC;
    assert_true(reply(&s, DNS_RA, answer_a, 33 * SEC));
    assert_int_equal(s.servers.list[0].avoid_until, 0);
}

static void gives_up_after_eight_seconds(void **state UNUSED)
{
    static const usec want[] = {0, 1 * SEC, 3 * SEC, 5 * SEC};
    struct scene s;
    begin(&s, 1, 5);
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        send(&s, want[i]);
        usec due = dns_client_deadline(&s.client);
        assert_int_equal(due, i + 1 < ARRAY_LEN(want) ? want[i + 1] : 8 * SEC);
        dns_client_tick(&s.client, &s.servers, due);
    }
    assert_int_equal(s.client.state, DNS_CLIENT_FAILED);
}

static void no_attempt_outlasts_the_question(void **state UNUSED)
{
    struct scene s;
    begin(&s, 2, 5);
    send(&s, 0);
    assert_false(reply(&s, DNS_SERVFAIL, NULL, 900000)); /* shifts all that follows */
    usec now = 900000;
    while (s.client.state == DNS_CLIENT_READY) {
        send(&s, now);
        now = dns_client_deadline(&s.client);
        dns_client_tick(&s.client, &s.servers, now);
    }
    assert_int_equal(s.client.state, DNS_CLIENT_FAILED);
    assert_int_equal(now, 8 * SEC);
}

static void an_unreachable_server_costs_no_time(void **state UNUSED)
{
    struct scene s;
    begin(&s, 3, 6);
    for (unsigned i = 1; i <= 3; i++) {
        send(&s, 5);
        assert_int_equal(server(&s), i);
        dns_client_broken(&s.client, &s.servers, 5);
    }
    assert_int_equal(s.client.state, DNS_CLIENT_FAILED);
}

static void a_server_that_cannot_is_not_the_last_word(void **state UNUSED)
{
    static const uint16_t codes[] = {DNS_SERVFAIL, DNS_REFUSED, DNS_NOTIMP};
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        struct scene s;
        begin(&s, 2, 7);
        send(&s, 0);
        assert_false(reply(&s, (uint16_t)(DNS_RA | codes[i]), NULL, 1));
        send(&s, 1);
        assert_int_equal(server(&s), 2);
        assert_true(reply(&s, (uint16_t)(DNS_RA | codes[i]), NULL, 2)); /* all say so */
    }
    struct scene s;
    begin(&s, 2, 7);
    send(&s, 0);
    assert_true(reply(&s, DNS_RA | DNS_NXDOMAIN, NULL, 1)); /* that is an answer */
}

static void without_edns_for_those_who_do_not_know_it(void **state UNUSED)
{
    struct scene s;
    begin(&s, 2, 8);
    send(&s, 0);
    /* FORMERR in a bare header (RFC 6891 §7). */
    uint8_t bare[DNS_HEADER_LEN] = {0};
    bare[0] = s.query[0];
    bare[1] = s.query[1];
    bare[2] = 0x81;
    bare[3] = DNS_FORMERR;
    assert_false(input_from(&s, &s.send.server, bytes_of(bare, sizeof bare), 1));
    send(&s, 1);
    assert_int_equal(server(&s), 1);
    struct dns_summary query;
    assert_int_equal(dns_summarise(s.send.message, &query), WIRE_OK);
    assert_false(query.edns.present);
    assert_true(reply(&s, DNS_RA, answer_a, 2));

    /* Or with the question, but without OPT. */
    ask(&s, 5);
    send(&s, 5);
    struct bytes message = dns_text_reply(s.send.message, DNS_NOTIMP, NULL, NULL, s.reply, 1500);
    s.reply[11] = 0;
    message.len -= DNS_OPT_LEN;
    assert_false(input_from(&s, &s.send.server, message, 6));
    send(&s, 6);
    assert_int_equal(server(&s), 1);
    assert_true(s.client.plain);
    /* Another server is spoken to as usual. */
    dns_client_broken(&s.client, &s.servers, 7);
    send(&s, 7);
    assert_int_equal(server(&s), 2);
    assert_false(s.client.plain);

    /* A bare header that claims success is nothing. */
    bare[0] = s.query[0];
    bare[1] = s.query[1];
    bare[3] = DNS_NOERROR;
    assert_false(input_from(&s, &s.send.server, bytes_of(bare, sizeof bare), 8));
    assert_int_equal(s.client.state, DNS_CLIENT_WAITING);
}

static void truncated_answers_are_asked_for_over_a_stream(void **state UNUSED)
{
    struct scene s;
    begin(&s, 2, 9);
    send(&s, 0);
    assert_false(reply(&s, DNS_RA | DNS_TC, NULL, 1));
    send(&s, 1);
    assert_true(s.send.stream);
    assert_int_equal(server(&s), 1);
    assert_true(reply(&s, DNS_RA, answer_a, 2));

    /* Not for those who asked by datagram themselves: they are told. */
    begin(&s, 2, 9);
    s.client.options.stream_wanted = false;
    send(&s, 0);
    assert_true(reply(&s, DNS_RA | DNS_TC, NULL, 1));

    /* A stream that breaks: the next server, by datagram. */
    begin(&s, 2, 9);
    send(&s, 0);
    assert_false(reply(&s, DNS_RA | DNS_TC, NULL, 1));
    send(&s, 1);
    dns_client_broken(&s.client, &s.servers, 2);
    send(&s, 2);
    assert_false(s.send.stream);
    assert_int_equal(server(&s), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_and_is_answered),
        cmocka_unit_test(ids_and_case_are_random),
        cmocka_unit_test(forged_answers_are_ignored),
        cmocka_unit_test(a_server_that_changes_case_is_asked_plainly),
        cmocka_unit_test(tries_the_next_server_after_a_second),
        cmocka_unit_test(gives_up_after_eight_seconds),
        cmocka_unit_test(no_attempt_outlasts_the_question),
        cmocka_unit_test(an_unreachable_server_costs_no_time),
        cmocka_unit_test(a_server_that_cannot_is_not_the_last_word),
        cmocka_unit_test(without_edns_for_those_who_do_not_know_it),
        cmocka_unit_test(truncated_answers_are_asked_for_over_a_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
