/* SPDX-License-Identifier: ISC */
/*
 * test_tcp_open.c - who may open a connection to whom, from which address, and whose SYN is none.
 */
#include "stack/tcp/internal.h"

#include "base/checksum.h"
#include "tests/support/one_stack.h"

static struct endpoint at(uint32_t address, uint16_t port)
{
    return (struct endpoint){address_v4(address), port};
}

static struct tcp_connection *open_to(struct one_stack *s, struct endpoint remote,
                                      struct endpoint local)
{
    struct tcp_connect_options options = {.remote = remote, .local = local};
    return tcp_connect(s->stack, &options);
}

/* Puts a segment without text in: IP's addresses and options are the caller's. */
static void segment(struct one_stack *s, const struct ipv4_header *ip, uint16_t from,
                    uint16_t flags)
{
    uint8_t octets[64];
    struct writer w = writer_of(octets, sizeof octets);
    struct tcp_header header = {.source_port = from,
                                .target_port = 80,
                                .sequence = 1000,
                                .flags = flags,
                                .window = 5000};
    tcp_header_encode(&header, &w);
    uint64_t sum = checksum_pseudo(&ip->source, &ip->target, IP_PROTOCOL_TCP,
                                   (uint32_t)writer_len(&w));
    write_u16_at(&w, TCP_CHECKSUM_OFFSET,
                 (uint16_t)~checksum_fold(checksum_add(sum, writer_bytes(&w), 0)));
    struct ipv4_header own = *ip;
    own.protocol = IP_PROTOCOL_TCP;
    one_stack_ip(s, &own, writer_bytes(&w));
}

/* The next frame must be a TCP segment. */
static struct tcp_header next_segment(struct one_stack *s, unsigned interface,
                                      struct ipv4_header *ip)
{
    struct tcp_header header;
    *ip = one_stack_next_ip(s, interface);
    assert_int_equal(ip->protocol, IP_PROTOCOL_TCP);
    assert_int_equal(tcp_header_decode(ip->payload, &header), WIRE_OK);
    return header;
}

static void listen_on_80(struct one_stack *s)
{
    struct tcp_listen_options options = {.local = {address_any_v4(), 80}};
    assert_non_null(tcp_listen(s->stack, &options));
}

/* RFC 9293 MUST-46 */
static void nobody_is_called_who_cannot_be_one_host(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t address;
        uint16_t port;
    } cases[] = {
        {"any address", 0, 80},
        {"limited broadcast", 0xffffffff, 80},
        {"the link's broadcast", 0x0a0000ff, 80},
        {"multicast", 0xe0000001, 80},
        {"multicast, the last one", 0xefffffff, 80},
        {"port 0", 0x0a000002, 0},
        {"where no route leads", 0xc6336401, 80},
    };
    struct one_stack s;
    one_stack_open(&s, NULL);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct endpoint remote = at(cases[i].address, cases[i].port);
        CHECK(cases[i].name, open_to(&s, remote, at(0, 0)) == NULL);
    }
    assert_int_equal(stack_counters(s.stack)->tcpConnections, 0);
    assert_false(one_stack_next(&s, 0));
    one_stack_close(&s);
}

/* RFC 9293 MUST-44, MUST-45: IP chooses by the route, and the choice holds. */
static void ip_chooses_the_local_address(void **state)
{
    (void)state;
    struct one_stack s;
    struct one_stack_options options = {.far_mtu = 1500};
    one_stack_open(&s, &options);
    struct ipv4_header ip;
    struct ip_address us = ADDRESS_US;
    struct ip_address far_us = ADDRESS_FAR_US;
    struct tcp_connection *near = open_to(&s, (struct endpoint){ADDRESS_PEER, 80}, at(0, 0));
    struct tcp_connection *far = open_to(&s, (struct endpoint){ADDRESS_FAR_PEER, 80}, at(0, 0));
    assert_non_null(near);
    assert_non_null(far);
    assert_true(address_equal(&tcp_local(near)->address, &us));
    assert_true(address_equal(&tcp_local(far)->address, &far_us));
    (void)next_segment(&s, 0, &ip);
    assert_true(address_equal(&ip.source, &us));
    (void)next_segment(&s, 1, &ip);
    assert_true(address_equal(&ip.source, &far_us));
    /* A nearer address that comes later changes nothing. */
    struct ip_prefix nearer = {address_v4(0x0a000102 - 1 + 0x10), 28};
    (void)!stack_add_address(s.stack, 1, &nearer, false);
    one_stack_wait(&s, 1100 * USEC_PER_MSEC);
    one_stack_drain(&s, 0);
    while (one_stack_next(&s, 1)) {
        struct ethernet_header ethernet;
        assert_int_equal(ethernet_decode(bytes_of(s.out, s.out_len), &ethernet), WIRE_OK);
        if (ethernet.type != ETHERNET_IPV4)
            continue;
        assert_int_equal(ipv4_decode(ethernet.payload, &ip), WIRE_OK);
        assert_true(address_equal(&ip.source, &far_us));
    }
    one_stack_close(&s);
}

/* RFC 9293 MUST-43 */
static void the_application_may_choose_it(void **state)
{
    (void)state;
    struct one_stack s;
    struct one_stack_options options = {.far_mtu = 1500};
    one_stack_open(&s, &options);
    struct endpoint local = {ADDRESS_FAR_US, 4711};
    struct tcp_connection *c = open_to(&s, (struct endpoint){ADDRESS_PEER, 80}, local);
    assert_non_null(c);
    struct ipv4_header ip;
    struct tcp_header syn = next_segment(&s, 0, &ip);
    assert_true(address_equal(&ip.source, &local.address));
    assert_int_equal(syn.source_port, 4711);
    /* The same connection twice cannot be. */
    assert_null(open_to(&s, (struct endpoint){ADDRESS_PEER, 80}, local));
    assert_non_null(open_to(&s, (struct endpoint){ADDRESS_PEER, 81}, local));
    one_stack_close(&s);
}

/* RFC 9293 MUST-41, MUST-42: whoever listens disturbs nobody, and is not disturbed. */
static void one_may_listen_beside_a_connection(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    struct ipv4_header ip = {.source = ADDRESS_PEER, .target = ADDRESS_US};
    struct tcp_connection *c =
        open_to(&s, (struct endpoint){ADDRESS_PEER, 9000}, (struct endpoint){ADDRESS_US, 80});
    assert_non_null(c);
    (void)next_segment(&s, 0, &ip);
    listen_on_80(&s); /* while the port is in SYN-SENT */
    assert_int_equal(tcp_state(c), TCP_SYN_SENT);
    struct tcp_listen_options again = {.local = {address_any_v4(), 80}};
    assert_null(tcp_listen(s.stack, &again));

    struct ipv4_header to_us = {.source = ADDRESS_PEER, .target = ADDRESS_US};
    segment(&s, &to_us, 9001, TCP_SYN); /* for the listener */
    struct tcp_header answer = next_segment(&s, 0, &ip);
    assert_int_equal(answer.flags, TCP_SYN | TCP_ACK);
    assert_int_equal(answer.target_port, 9001);
    segment(&s, &to_us, 9000, TCP_SYN); /* for the connection: simultaneous open */
    answer = next_segment(&s, 0, &ip);
    assert_int_equal(answer.flags, TCP_SYN | TCP_ACK);
    assert_int_equal(answer.target_port, 9000);
    assert_int_equal(tcp_state(c), TCP_SYN_RECEIVED);
    one_stack_close(&s);
}

/* RFC 9293 MUST-57, MUST-63: neither answered nor remembered. */
static void a_syn_of_or_to_many_is_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t source;
        uint32_t target;
        uint16_t port;
    } cases[] = {
        {"to the limited broadcast", 0x0a000002, 0xffffffff, 9000},
        {"to the link's broadcast", 0x0a000002, 0x0a0000ff, 9000},
        {"to all hosts", 0x0a000002, 0xe0000001, 9000},
        {"from nowhere", 0, 0x0a000001, 9000},
        {"from the limited broadcast", 0xffffffff, 0x0a000001, 9000},
        {"from the link's broadcast", 0x0a0000ff, 0x0a000001, 9000},
        {"from multicast", 0xe0000005, 0x0a000001, 9000},
        {"from loopback", 0x7f000001, 0x0a000001, 9000},
        {"from ourselves", 0x0a000001, 0x0a000001, 80},
        {"from port 0", 0x0a000002, 0x0a000001, 0},
    };
    struct one_stack s;
    one_stack_open(&s, NULL);
    listen_on_80(&s);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct ipv4_header ip = {.source = address_v4(cases[i].source),
                                 .target = address_v4(cases[i].target)};
        segment(&s, &ip, cases[i].port, TCP_SYN);
        CHECK(cases[i].name, !one_stack_next(&s, 0));
        CHECK_EQUAL(cases[i].name, stack_counters(s.stack)->tcpConnections, 0);
    }
    one_stack_close(&s);
}

/* RFC 9293 MUST-50: options of IP do not keep a SYN from its answer; source routes are refused. */
static void options_of_ip_are_ignored(void **state)
{
    (void)state;
    static const uint8_t record_route[] = {7, 7, 4, 0, 0, 0, 0, 0};
    static const uint8_t unknown[] = {0x9e, 4, 1, 2};
    static const uint8_t stamps[] = {68, 8, 5, 0, 0, 0, 0, 0};
    static const uint8_t no_operations[] = {1, 1, 1, 0};
    static const uint8_t source_route[] = {131, 7, 4, 10, 0, 0, 9, 0};
    const struct {
        const char *name;
        struct bytes options;
        bool answered;
    } cases[] = {
        {"record route", bytes_of(record_route, sizeof record_route), true},
        {"an unknown one", bytes_of(unknown, sizeof unknown), true},
        {"timestamps", bytes_of(stamps, sizeof stamps), true},
        {"no-operations", bytes_of(no_operations, sizeof no_operations), true},
        {"a source route", bytes_of(source_route, sizeof source_route), false},
    };
    struct one_stack s;
    one_stack_open(&s, NULL);
    listen_on_80(&s);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct ipv4_header ip = {
            .source = ADDRESS_PEER, .target = ADDRESS_US, .options = cases[i].options};
        segment(&s, &ip, (uint16_t)(9000 + i), TCP_SYN);
        CHECK_EQUAL(cases[i].name, one_stack_drain(&s, 0), 1); /* the refusal by ICMP */
        CHECK_EQUAL(cases[i].name, stack_counters(s.stack)->tcpConnections, i + cases[i].answered);
    }
    one_stack_close(&s);
}

/* The next frame's link-layer target; NULL: there is none. */
static const struct mac *next_target(struct one_stack *s, uint16_t *type)
{
    static struct mac target;
    struct ethernet_header ethernet;
    if (!one_stack_next(s, 0))
        return NULL;
    assert_int_equal(ethernet_decode(bytes_of(s->out, s->out_len), &ethernet), WIRE_OK);
    target = ethernet.target;
    *type = ethernet.type;
    return &target;
}

/* RFC 9293 MUST-20, RFC 1122 §4.2.3.5: after R1 retransmissions IP is told, which asks the neighbour anew; one
 * that has got another address in between is found before R2 is over. With and without a handshake. */
static void ip_is_told_at_r1(void **state)
{
    (void)state;
    for (unsigned established = 0; established < 2; established++) {
        struct one_stack s;
        one_stack_open(&s, &(struct one_stack_options){.unresolved = true});
        struct endpoint any = {address_any_v4(), 0};
        struct tcp_connection *c = open_to(&s, at(0x0a000002, 80), any);
        assert_non_null(c);
        (void)one_stack_next_arp(&s, 0);
        one_stack_arp(&s, ARP_REPLY, &mac_peer, ADDRESS_PEER, ADDRESS_US);
        assert_int_equal(one_stack_drain(&s, 0), 1); /* SYN */
        if (established) {
            c->snd_una = c->snd_nxt;
            c->snd_wnd = 5000;
            tcp_set_state(c, TCP_ESTABLISHED);
            tcp_timer_stop(c);
            c->syn_wanted = false;
            c->cwnd = 5000;
            one_stack_wait(&s, 2 * USEC_PER_SEC);
            assert_int_equal(tcp_send(c, bytes_of_text("x")), 1);
        }
        unsigned sent = 0, asked = 0;
        for (unsigned ms = 0; ms < 7500 && asked == 0; ms += 10) {
            const struct mac *to;
            uint16_t type;
            one_stack_wait(&s, 10 * USEC_PER_MSEC);
            while ((to = next_target(&s, &type)) != NULL) {
                assert_true(mac_equal(to, &mac_peer));
                sent += type == ETHERNET_IPV4;
                asked += type == ETHERNET_ARP;
            }
        }
        assert_int_equal(asked, 1);
        assert_int_equal(c->retries, TCP_R1);
        assert_in_range(sent, TCP_R1 - 1, TCP_R1 + 2); /* a tail loss probe is one, too */
        one_stack_arp(&s, ARP_REPLY, &mac_far_peer, ADDRESS_PEER, ADDRESS_US);
        (void)one_stack_drain(&s, 0);
        one_stack_wait(&s, 9 * USEC_PER_SEC);
        uint16_t type;
        assert_true(mac_equal(next_target(&s, &type), &mac_far_peer));
        assert_int_equal(type, ETHERNET_IPV4);
        one_stack_close(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_is_called_who_cannot_be_one_host),
        cmocka_unit_test(ip_chooses_the_local_address),
        cmocka_unit_test(the_application_may_choose_it),
        cmocka_unit_test(one_may_listen_beside_a_connection),
        cmocka_unit_test(a_syn_of_or_to_many_is_nothing),
        cmocka_unit_test(options_of_ip_are_ignored),
        cmocka_unit_test(ip_is_told_at_r1),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
