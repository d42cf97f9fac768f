/* SPDX-License-Identifier: ISC */
/* test_reassembly.c - fragments in every order, those that lie, and those that never come. */
#include "stack/ip.h"

#include "stack/udp.h"
#include "tests/support/one_stack.h"

struct piece {
    uint16_t offset;
    uint16_t len;
    bool more;
};

static uint8_t datagram[65536 + 256];

/* A UDP datagram to port 7, without checksum, as payload to be cut. */
static void make_datagram(size_t len)
{
    for (size_t i = 0; i < sizeof datagram; i++)
        datagram[i] = (uint8_t)(i * 13 >> 2);
    struct writer w = writer_of(datagram, UDP_HEADER_LEN);
    write_u16(&w, 9);
    write_u16(&w, 7);
    write_u16(&w, (uint16_t)len);
    write_u16(&w, 0);
}

static void put_marked(struct one_stack *s, uint16_t id, struct piece piece, uint8_t ecn)
{
    struct ipv4_header ip = {
        .source = ADDRESS_PEER,
        .target = ADDRESS_US,
        .protocol = IP_PROTOCOL_UDP,
        .identification = id,
        .fragment_offset = piece.offset,
        .more_fragments = piece.more,
        .traffic_class = ecn,
    };
    one_stack_ip(s, &ip, bytes_of(datagram + piece.offset, piece.len));
}

static void put(struct one_stack *s, uint16_t id, struct piece piece)
{
    put_marked(s, id, piece, 0);
}

static struct udp_socket *listen_on(struct one_stack *s)
{
    struct udp_socket *socket =
        udp_open(s->stack, &(struct udp_options){.local = {address_any_v4(), 7}});
    assert_non_null(socket);
    return socket;
}

/* How many datagrams came out; each must be the one that was cut. */
static size_t received(struct udp_socket *socket, size_t len)
{
    struct udp_datagram got;
    size_t count = 0;
    while (udp_receive(socket, &got)) {
        assert_int_equal(got.payload.len, len - UDP_HEADER_LEN);
        assert_memory_equal(got.payload.data, datagram + UDP_HEADER_LEN, got.payload.len);
        frame_unref(got.frame);
        count++;
    }
    return count;
}

static void test_every_order(void **state)
{
    (void)state;
    static const struct piece pieces[] = {
        {0, 16, true}, {16, 800, true}, {816, 8, true}, {824, 1400, true}, {2224, 3, false}};
    make_datagram(2227);
    struct one_stack s;
    one_stack_open(&s, NULL);
    struct udp_socket *socket = listen_on(&s);
    uint16_t id = 0;
    for (unsigned code = 0; code < 5 * 5 * 5 * 5 * 5; code++) {
        unsigned order[5];
        unsigned rest = code;
        unsigned seen = 0;
        for (unsigned i = 0; i < 5; i++, rest /= 5) {
            order[i] = rest % 5;
            seen |= 1u << order[i];
        }
        if (seen != 31)
            continue;
        for (unsigned i = 0; i < 5; i++) {
            assert_int_equal(received(socket, 2227), 0);
            put(&s, id, pieces[order[i]]);
        }
        assert_int_equal(received(socket, 2227), 1);
        id++;
    }
    assert_int_equal(id, 120);
    assert_int_equal(stack_counters(s.stack)->ipReasmOKs, 120);
    assert_int_equal(stack_counters(s.stack)->ipReasmReqds, 600);
    assert_int_equal(stack_counters(s.stack)->ipReasmFails, 0);
    one_stack_wait(&s, USEC_PER_MINUTE);
    assert_int_equal(one_stack_drain(&s, 0), 0);
    one_stack_close(&s);
}

static const struct {
    const char *name;
    struct piece pieces[6];
    size_t count;
    enum drop_reason drop; /* told last */
    size_t whole;          /* datagrams that come out */
} cases[] = {
    {"an exact repetition is ignored (RFC 8200 §4.5)",
     {{0, 16, true}, {0, 16, true}, {16, 8, false}},
     3,
     DROP_NONE,
     1},
    {"a repetition of the last one",
     {{16, 8, false}, {16, 8, false}, {0, 16, true}},
     3,
     DROP_NONE,
     1},
    {"an overlap spoils the datagram (RFC 5722 §4)",
     {{0, 16, true}, {8, 16, true}, {16, 8, false}},
     3,
     DROP_FRAGMENT_OVERLAP,
     0},
    {"also what comes later",
     {{0, 16, true}, {8, 16, true}, {0, 16, true}, {16, 8, false}},
     4,
     DROP_FRAGMENT_OVERLAP,
     0},
    {"covered wholly", {{0, 24, true}, {8, 8, true}, {24, 8, false}}, 3, DROP_FRAGMENT_OVERLAP, 0},
    {"covering another",
     {{8, 8, true}, {0, 24, true}, {24, 8, false}},
     3,
     DROP_FRAGMENT_OVERLAP,
     0},
    {"overlapping the end of the one before",
     {{16, 16, true}, {8, 16, true}, {32, 8, false}},
     3,
     DROP_FRAGMENT_OVERLAP,
     0},
    {"two different ends",
     {{16, 8, false}, {24, 8, false}, {0, 16, true}},
     3,
     DROP_FRAGMENT_OVERLAP,
     0},
    {"octets behind the end",
     {{16, 8, false}, {24, 8, true}, {0, 16, true}},
     3,
     DROP_FRAGMENT_OVERLAP,
     0},
    {"an end before octets that are here",
     {{24, 8, true}, {16, 8, false}, {0, 16, true}},
     3,
     DROP_FRAGMENT_OVERLAP,
     0},
    {"more to come, but no multiple of 8", {{0, 20, true}}, 1, DROP_FRAGMENT_MALFORMED, 0},
    {"nothing in it", {{8, 0, true}}, 1, DROP_FRAGMENT_MALFORMED, 0},
    {"the ping of death", {{65528, 100, false}}, 1, DROP_IP_MALFORMED, 0},
    {"a whole larger than a packet", {{65512, 4, false}}, 1, DROP_FRAGMENT_MALFORMED, 0},
    {"just not larger", {{65512, 3, false}}, 1, DROP_NONE, 0},
};

static void test_those_that_lie(void **state)
{
    (void)state;
    make_datagram(24);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct one_stack s;
        one_stack_open(&s, NULL);
        struct udp_socket *socket = listen_on(&s);
        for (size_t k = 0; k < cases[i].count; k++)
            put(&s, 77, cases[i].pieces[k]);
        CHECK_EQUAL(cases[i].name, s.last_drop, cases[i].drop);
        CHECK_EQUAL(cases[i].name, received(socket, 24), cases[i].whole);
        one_stack_close(&s);
    }
}

/* An exact repetition of place, but with other octets, is an overlap. */
static void test_a_repetition_with_other_octets(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    struct udp_socket *socket = listen_on(&s);
    make_datagram(24);
    put(&s, 1, (struct piece){0, 16, true});
    datagram[12] ^= 1;
    put(&s, 1, (struct piece){0, 16, true});
    assert_int_equal(s.last_drop, DROP_FRAGMENT_OVERLAP);
    put(&s, 1, (struct piece){16, 8, false});
    assert_int_equal(received(socket, 24), 0);
    one_stack_close(&s);
}

static void test_time_runs_out(void **state)
{
    (void)state;
    make_datagram(24);
    for (int first = 0; first < 2; first++) {
        struct one_stack s;
        one_stack_open(&s, NULL);
        struct udp_socket *socket = listen_on(&s);
        put(&s, 1, first ? (struct piece){0, 16, true} : (struct piece){16, 8, false});
        one_stack_wait(&s, REASSEMBLY_TIMEOUT - 1000);
        assert_int_equal(one_stack_drain(&s, 0), 0);
        one_stack_wait(&s, 2000);
        assert_int_equal(stack_drops(s.stack, DROP_FRAGMENT_TIMEOUT), 1);
        assert_int_equal(stack_counters(s.stack)->ipReasmFails, 1);
        if (first) { /* RFC 1122 §3.3.2: only with the first fragment at hand */
            struct ipv4_header ip;
            struct icmp_message message = one_stack_next_icmp(&s, 0, &ip);
            assert_int_equal(message.type, ICMP_TIME_EXCEEDED);
            assert_int_equal(message.code, ICMP_REASSEMBLY_EXCEEDED);
            struct ipv4_header quoted;
            assert_int_equal(ipv4_decode_quoted(message.u.error.quoted, &quoted), WIRE_OK);
            assert_int_equal(quoted.identification, 1);
        }
        assert_int_equal(one_stack_drain(&s, 0), 0);
        /* What comes after that begins anew. */
        put(&s, 1, first ? (struct piece){16, 8, false} : (struct piece){0, 16, true});
        assert_int_equal(received(socket, 24), 0);
        one_stack_close(&s);
    }
}

static void test_bounds(void **state)
{
    (void)state;
    make_datagram(24);
    struct one_stack s;
    one_stack_open(&s, NULL);
    struct udp_socket *socket = listen_on(&s);
    for (uint16_t id = 0; id < REASSEMBLY_DATAGRAMS_MAX + 10; id++)
        put(&s, id, (struct piece){0, 16, true});
    assert_int_equal(stack_drops(s.stack, DROP_FRAGMENT_LIMIT), 10);
    put(&s, 9, (struct piece){16, 8, false}); /* evicted; begins anew, and evicts number 10 */
    assert_int_equal(received(socket, 24), 0);
    put(&s, 11, (struct piece){16, 8, false});
    assert_int_equal(received(socket, 24), 1);
    one_stack_close(&s);

    /* Of one datagram: more fragments than anyone needs. */
    one_stack_open(&s, NULL);
    for (uint16_t i = 0; i <= REASSEMBLY_FRAGMENTS_MAX; i++)
        put(&s, 1, (struct piece){(uint16_t)(i * 16), 8, true});
    assert_int_equal(s.last_drop, DROP_FRAGMENT_LIMIT);
    struct frame_pool_counters frames;
    frame_pool_counters(s.frames, &frames);
    assert_int_equal(frames.frames, 0);
    one_stack_close(&s);

    /* In octets of storage. */
    one_stack_open(&s, &(struct one_stack_options){.stack.reassembly_octets_max = 20000});
    for (uint16_t i = 0; i < 40; i++)
        put(&s, i, (struct piece){0, 1400, true});
    frame_pool_counters(s.frames, &frames);
    assert_true(frames.octets <= 20000);
    assert_true(frames.frames > 5);
    one_stack_close(&s);
}

/* Memory is what the bound means: a small fragment in a large buffer is moved. */
static void test_small_fragments_do_not_hold_large_buffers(void **state)
{
    (void)state;
    make_datagram(24);
    struct one_stack s;
    one_stack_open(&s, NULL);
    struct frame *frame = frame_new(s.frames, 65536);
    struct writer w = writer_of(frame->data, 128);
    struct ethernet_header ethernet = {
        .target = mac_us, .source = mac_peer, .type = ETHERNET_IPV4, .payload = bytes_empty()};
    ethernet_encode(&ethernet, &w);
    struct ipv4_header ip = {.source = ADDRESS_PEER,
                             .target = ADDRESS_US,
                             .ttl = 64,
                             .total_len = 36,
                             .more_fragments = true,
                             .protocol = IP_PROTOCOL_UDP,
                             .options = bytes_empty()};
    ipv4_encode(&ip, &w);
    write_zeros(&w, 16);
    frame->len = writer_len(&w);
    stack_input(s.stack, 0, frame, s.now);
    struct frame_pool_counters frames;
    frame_pool_counters(s.frames, &frames);
    assert_int_equal(frames.frames, 1);
    assert_true(frames.octets < 1000);
    one_stack_close(&s);
}

/* RFC 1858, RFC 3128: the TCP header lies in the first fragment or nowhere. */
static void test_tcp_headers_cannot_be_hidden(void **state)
{
    (void)state;
    static const struct {
        struct piece piece;
        enum drop_reason drop;
    } tiny[] = {
        {{0, 8, true}, DROP_FRAGMENT_MALFORMED},
        {{8, 16, true}, DROP_FRAGMENT_MALFORMED},
        {{0, 24, true}, DROP_NONE},
        {{16, 24, true}, DROP_NONE},
    };
    for (size_t i = 0; i < ARRAY_LEN(tiny); i++) {
        struct one_stack s;
        one_stack_open(&s, NULL);
        struct ipv4_header ip = {.source = ADDRESS_PEER,
                                 .target = ADDRESS_US,
                                 .protocol = IP_PROTOCOL_TCP,
                                 .fragment_offset = tiny[i].piece.offset,
                                 .more_fragments = tiny[i].piece.more};
        one_stack_ip(&s, &ip, bytes_of(datagram, tiny[i].piece.len));
        assert_int_equal(s.last_drop, tiny[i].drop);
        one_stack_close(&s);
    }
}

static void test_congestion_marks(void **state)
{
    (void)state;
    static const struct {
        uint8_t first, second;
        bool whole;
    } marks[] = {
        {IP_NOT_ECT, IP_NOT_ECT, true}, {IP_ECT_0, IP_CE, true},    {IP_CE, IP_CE, true},
        {IP_NOT_ECT, IP_CE, false},     {IP_CE, IP_NOT_ECT, false},
    };
    make_datagram(24);
    for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
        struct one_stack s;
        one_stack_open(&s, NULL);
        struct udp_socket *socket = listen_on(&s);
        put_marked(&s, 1, (struct piece){0, 16, true}, marks[i].first);
        put_marked(&s, 1, (struct piece){16, 8, false}, marks[i].second);
        assert_int_equal(received(socket, 24), marks[i].whole);
        one_stack_close(&s);
    }
}

static void test_different_datagrams_do_not_mix(void **state)
{
    (void)state;
    make_datagram(24);
    struct one_stack s;
    one_stack_open(&s, NULL);
    struct udp_socket *socket = listen_on(&s);
    put(&s, 1, (struct piece){0, 16, true});
    put(&s, 2, (struct piece){16, 8, false});
    assert_int_equal(received(socket, 24), 0);
    struct ipv4_header ip = {.source = address_v4(0x0a000003),
                             .target = ADDRESS_US,
                             .protocol = IP_PROTOCOL_UDP,
                             .identification = 1,
                             .fragment_offset = 16};
    one_stack_ip(&s, &ip, bytes_of(datagram + 16, 8));
    ip.source = ADDRESS_PEER;
    ip.protocol = 99;
    one_stack_ip(&s, &ip, bytes_of(datagram + 16, 8));
    assert_int_equal(received(socket, 24), 0);
    put(&s, 1, (struct piece){16, 8, false});
    assert_int_equal(received(socket, 24), 1);
    one_stack_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_order),
        cmocka_unit_test(test_those_that_lie),
        cmocka_unit_test(test_a_repetition_with_other_octets),
        cmocka_unit_test(test_time_runs_out),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_small_fragments_do_not_hold_large_buffers),
        cmocka_unit_test(test_tcp_headers_cannot_be_hidden),
        cmocka_unit_test(test_congestion_marks),
        cmocka_unit_test(test_different_datagrams_do_not_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
