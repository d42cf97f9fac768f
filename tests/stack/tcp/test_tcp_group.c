/* SPDX-License-Identifier: ISC */
/*
 * test_tcp_group.c - several listeners at one endpoint: who may join, how connections are spread over
 * them, and what becomes of handshakes when one of them closes.
 */
#include "stack/tcp/internal.h"

#include "base/checksum.h"
#include "tests/support/one_stack.h"
#include "tests/support/tcp_check.h"

enum { MEMBERS = 4, CLIENTS = 400 };

static struct tcp_listener *try_to_listen(struct one_stack *s, struct ip_address address, bool shared,
                                          enum socket_refusal *why)
{
    struct tcp_listen_options options = {
        .local = {address, 80}, .backlog = CLIENTS, .shared = shared, .why = why};
    return tcp_listen(s->stack, &options);
}

static struct tcp_listener *join(struct one_stack *s)
{
    struct tcp_listener *listener = try_to_listen(s, address_any_v4(), true, NULL);
    assert_non_null(listener);
    return listener;
}

static void put(struct one_stack *s, uint16_t port, uint16_t flags, uint32_t acknowledgement)
{
    uint8_t octets[80];
    struct writer w = writer_of(octets, sizeof octets);
    struct ipv4_header ip = {
        .source = ADDRESS_PEER, .target = ADDRESS_US, .protocol = IP_PROTOCOL_TCP};
    struct tcp_header header = {.source_port = port,
                                .target_port = 80,
                                .sequence = flags & TCP_SYN ? 7 : 8,
                                .acknowledgement = acknowledgement,
                                .flags = flags,
                                .window = 5000};
    tcp_header_encode(&header, &w);
    uint64_t sum = checksum_pseudo(&ip.source, &ip.target, IP_PROTOCOL_TCP,
                                   (uint32_t)writer_len(&w));
    write_u16_at(&w, TCP_CHECKSUM_OFFSET,
                 (uint16_t)~checksum_fold(checksum_add(sum, writer_bytes(&w), 0)));
    one_stack_ip(s, &ip, writer_bytes(&w));
}

static struct tcp_header answer(struct one_stack *s)
{
    struct tcp_header header;
    struct ipv4_header ip = one_stack_next_ip(s, 0);
    assert_int_equal(tcp_header_decode(ip.payload, &header), WIRE_OK);
    return header;
}

/* A client's SYN; the number of ours. */
static uint32_t syn(struct one_stack *s, uint16_t port)
{
    put(s, port, TCP_SYN, 0);
    struct tcp_header header = answer(s);
    assert_int_equal(header.flags, TCP_SYN | TCP_ACK);
    return header.sequence;
}

static unsigned accept_all(struct tcp_listener *listener)
{
    unsigned count = 0;
    while (tcp_accept(listener, NULL) != NULL)
        count++;
    return count;
}

static void who_may_join(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    enum socket_refusal why = SOCKET_NO_ROUTE;
    struct tcp_listener *first = join(&s);
    assert_null(try_to_listen(&s, address_any_v4(), false, &why));
    assert_int_equal(why, SOCKET_IN_USE);
    struct tcp_listener *second = join(&s);
    /* One that does not share any more keeps others out, and harms nobody who is there. */
    tcp_listener_set_shared(first, false);
    assert_null(try_to_listen(&s, address_any_v4(), true, &why));
    assert_int_equal(why, SOCKET_IN_USE);
    tcp_check_all(s.stack);
    tcp_listener_close(first);
    struct tcp_listener *third = join(&s);
    /* Another address is another endpoint. */
    struct tcp_listener *near = try_to_listen(&s, ADDRESS_US, false, &why);
    assert_non_null(near);
    assert_null(try_to_listen(&s, ADDRESS_US, true, &why));
    tcp_listener_close(second);
    tcp_listener_close(third);
    first = try_to_listen(&s, address_any_v4(), false, &why);
    assert_non_null(first);
    assert_null(try_to_listen(&s, address_any_v4(), true, &why));
    one_stack_close(&s);
}

/* Memory that lacks is told apart, and leaves everything as it was. */
static void no_memory_to_join(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    for (size_t i = 1; i <= 4; i++) { /* the listener, the group, its members, the map */
        enum socket_refusal why = SOCKET_IN_USE;
        s.counts.fail_at = s.counts.allocations + i;
        struct tcp_listener *listener = try_to_listen(&s, address_any_v4(), true, &why);
        s.counts.fail_at = 0;
        assert_null(listener);
        assert_int_equal(why, SOCKET_NO_MEMORY);
    }
    (void)join(&s);
    for (size_t i = 1; i <= 2; i++) { /* the listener, the members */
        enum socket_refusal why = SOCKET_IN_USE;
        s.counts.fail_at = s.counts.allocations + i;
        struct tcp_listener *listener = try_to_listen(&s, address_any_v4(), true, &why);
        s.counts.fail_at = 0;
        assert_null(listener);
        assert_int_equal(why, SOCKET_NO_MEMORY);
        tcp_check_all(s.stack);
    }
    struct tcp_listener *second = join(&s);
    (void)syn(&s, 1000);
    tcp_check_all(s.stack);
    tcp_listener_close(second);
    one_stack_close(&s);
}

/* Each has about its part, and nobody can tell which: another key gives other parts. */
static void connections_are_spread(void **state)
{
    (void)state;
    unsigned parts[2][MEMBERS];
    for (unsigned seed = 0; seed < 2; seed++) {
        struct one_stack s;
        struct one_stack_options options = {.stack.seed = {(uint8_t)(seed + 1)}};
        one_stack_open(&s, &options);
        struct tcp_listener *members[MEMBERS];
        for (unsigned i = 0; i < MEMBERS; i++)
            members[i] = join(&s);
        for (uint16_t i = 0; i < CLIENTS; i++)
            put(&s, 1000 + i, TCP_ACK, syn(&s, 1000 + i) + 1);
        tcp_check_all(s.stack);
        unsigned all = 0;
        for (unsigned i = 0; i < MEMBERS; i++) {
            parts[seed][i] = accept_all(members[i]);
            assert_in_range(parts[seed][i], CLIENTS / MEMBERS / 2, 3 * CLIENTS / MEMBERS / 2);
            all += parts[seed][i];
        }
        assert_int_equal(all, CLIENTS);
        one_stack_close(&s);
    }
    assert_memory_not_equal(parts[0], parts[1], sizeof parts[0]);
}

/* What waits in the queue of one that closes is lost; what is half open is not, and neither is what the
 * others have. */
static void one_closes(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    struct tcp_listener *members[MEMBERS];
    static uint32_t iss[CLIENTS];
    for (unsigned i = 0; i < MEMBERS; i++)
        members[i] = join(&s);
    for (uint16_t i = 0; i < CLIENTS; i++)
        iss[i] = syn(&s, 1000 + i);
    for (uint16_t i = 0; i < CLIENTS / 2; i++)
        put(&s, 1000 + i, TCP_ACK, iss[i] + 1);
    unsigned lost = members[1]->count;
    assert_true(lost > 0);
    tcp_listener_close(members[1]);
    assert_int_equal(one_stack_drain(&s, 0), lost); /* RST */
    tcp_check_all(s.stack);
    for (uint16_t i = CLIENTS / 2; i < CLIENTS; i++)
        put(&s, 1000 + i, TCP_ACK, iss[i] + 1);
    assert_int_equal(one_stack_drain(&s, 0), 0);
    unsigned all = 0;
    for (unsigned i = 0; i < MEMBERS; i++)
        all += i != 1 ? accept_all(members[i]) : 0;
    assert_int_equal(all, CLIENTS - lost);
    tcp_check_all(s.stack);
    one_stack_close(&s);
}

/* The last one takes what is half open with it, and the peers are told. */
static void the_last_one_closes(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    struct tcp_listener *members[2] = {join(&s), join(&s)};
    for (uint16_t i = 0; i < 10; i++)
        (void)syn(&s, 1000 + i);
    tcp_listener_close(members[0]);
    assert_int_equal(one_stack_drain(&s, 0), 0);
    assert_int_equal(members[1]->group->half_open, 10);
    tcp_listener_close(members[1]);
    assert_int_equal(one_stack_drain(&s, 0), 10);
    assert_int_equal(stack_counters(s.stack)->tcpConnections, 0);
    put(&s, 1000, TCP_SYN, 0);
    assert_int_equal(answer(&s).flags, TCP_RST | TCP_ACK);
    one_stack_close(&s);
}

/* A half-open connection of one that is gone is timed and answered as another's. */
static void a_timer_finds_another(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    struct tcp_listener *members[2] = {join(&s), join(&s)};
    for (uint16_t i = 0; i < 10; i++)
        (void)syn(&s, 1000 + i);
    tcp_listener_close(members[0]);
    one_stack_wait(&s, 1100 * USEC_PER_MSEC);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(answer(&s).flags, TCP_SYN | TCP_ACK);
    tcp_check_all(s.stack);
    one_stack_wait(&s, 100 * USEC_PER_SEC);
    (void)one_stack_drain(&s, 0);
    assert_int_equal(stack_counters(s.stack)->tcpConnections, 0);
    assert_int_equal(members[1]->group->half_open, 0);
    one_stack_close(&s);
}

/* RFC 4987 §3.6: nothing is remembered of it, and any member may take it. */
static void a_cookie_is_everybodys(void **state)
{
    (void)state;
    struct tcp_profile profile = tcp_profile_default;
    profile.syn_cookies = TCP_SYN_COOKIES_ALWAYS;
    struct one_stack_options options = {.stack.tcp_profile = &profile};
    struct one_stack s;
    one_stack_open(&s, &options);
    static uint32_t iss[CLIENTS];
    struct tcp_listener *members[MEMBERS];
    for (unsigned i = 0; i < MEMBERS; i++)
        members[i] = join(&s);
    for (uint16_t i = 0; i < CLIENTS; i++)
        iss[i] = syn(&s, 1000 + i);
    tcp_listener_close(members[0]);
    tcp_listener_close(members[2]);
    for (uint16_t i = 0; i < CLIENTS; i++)
        put(&s, 1000 + i, TCP_ACK, iss[i] + 1);
    assert_int_equal(one_stack_drain(&s, 0), 0);
    assert_int_equal(accept_all(members[1]) + accept_all(members[3]), CLIENTS);
    one_stack_close(&s);
}

/* The SYN queue is as long as all backlogs together. */
static void backlogs_add_up(void **state)
{
    (void)state;
    struct tcp_profile profile = tcp_profile_default;
    profile.syn_cookies = TCP_SYN_COOKIES_OFF;
    struct one_stack_options options = {.stack.tcp_profile = &profile};
    struct one_stack s;
    one_stack_open(&s, &options);
    struct tcp_listener *members[2] = {join(&s), join(&s)};
    tcp_listener_set_backlog(members[0], 10);
    tcp_listener_set_backlog(members[1], 5);
    tcp_check_all(s.stack);
    for (uint16_t i = 0; i < 20; i++)
        (void)syn(&s, 1000 + i);
    assert_int_equal(members[0]->group->half_open, 15);
    tcp_listener_close(members[0]);
    (void)syn(&s, 1020); /* for which one goes */
    assert_int_equal(members[1]->group->half_open, 15);
    tcp_check_all(s.stack);
    one_stack_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_may_join),
        cmocka_unit_test(no_memory_to_join),
        cmocka_unit_test(connections_are_spread),
        cmocka_unit_test(one_closes),
        cmocka_unit_test(the_last_one_closes),
        cmocka_unit_test(a_timer_finds_another),
        cmocka_unit_test(a_cookie_is_everybodys),
        cmocka_unit_test(backlogs_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
