/* SPDX-License-Identifier: ISC */
/* test_tcp_receive.c - what a connection keeps when the frames of the stack run out. */
#include "base/checksum.h"
#include "stack/tcp/internal.h"
#include "tests/support/one_stack.h"
#include "tests/support/tcp_check.h"

enum { HOGS = 900, TEXT_LEN = 1400 };

/* A connection as after the handshake. */
static struct tcp_connection *open_one(struct one_stack *s, uint16_t port)
{
    struct endpoint local = {ADDRESS_US, 80};
    struct endpoint remote = {ADDRESS_PEER, port};
    struct tcp_connection *c = tcp_connection_new(s->stack, &local, &remote);
    assert_non_null(c);
    tcp_open_sending(c);
    c->snd_una = c->snd_nxt;
    c->snd_wl2 = c->snd_nxt;
    c->snd_wnd = 65535;
    c->snd_wnd_max = 65535;
    c->owned = true;
    tcp_set_state(c, TCP_SYN_RECEIVED);
    tcp_established(c);
    c->rcv_nxt = seq_of(UINT32_MAX - 1000);
    c->last_ack_sent = c->rcv_nxt;
    c->rcv_adv = seq_add(c->rcv_nxt, 1 << 20);
    return c;
}

static void peer_sends(struct one_stack *s, const struct tcp_connection *c, struct seq seq)
{
    uint8_t octets[TCP_HEADER_LEN + TEXT_LEN];
    struct writer w = writer_of(octets, sizeof octets);
    struct tcp_header header = {.source_port = c->remote.port, .target_port = 80,
                                .sequence = seq.n, .acknowledgement = c->snd_nxt.n,
                                .flags = TCP_ACK, .window = 65535};
    tcp_header_encode(&header, &w);
    write_zeros(&w, TEXT_LEN);
    struct ipv4_header ip = {.source = ADDRESS_PEER, .target = ADDRESS_US,
                             .protocol = IP_PROTOCOL_TCP};
    uint64_t sum = checksum_pseudo(&ip.source, &ip.target, ip.protocol, (uint32_t)writer_len(&w));
    write_u16_at(&w, TCP_CHECKSUM_OFFSET,
                 (uint16_t)~checksum_fold(checksum_add(sum, writer_bytes(&w), 0)));
    one_stack_ip(s, &ip, writer_bytes(&w));
    tcp_check_all(s->stack);
}

static void one_that_is_not_read_leaves_frames_to_others(void **state)
{
    (void)state;
    struct one_stack s;
    static struct frame *hogs[HOGS];
    one_stack_open(&s, NULL);
    struct tcp_connection *idle = open_one(&s, 1000);
    struct tcp_connection *other = open_one(&s, 1001);
    for (size_t i = 0; i < HOGS; i++)
        hogs[i] = frame_new(s.frames, 65536);
    assert_non_null(hogs[HOGS - 1]);
    assert_true(tcp_frames_are_short(s.stack));
    for (unsigned i = 0; i < 100; i++)
        peer_sends(&s, idle, idle->rcv_nxt);
    assert_in_range(tcp_received_len(idle), TCP_SHORT_SHARE, TCP_SHORT_SHARE + TEXT_LEN);
    assert_int_equal(s.last_drop, DROP_NO_MEMORY);
    peer_sends(&s, other, other->rcv_nxt);
    assert_int_equal(tcp_received_len(other), TEXT_LEN);
    assert_int_equal(tcp_send_room(other), TCP_SHORT_SHARE);
    /* What is out of order counts too. */
    for (unsigned i = 1; i < 100; i++)
        peer_sends(&s, other, seq_add(other->rcv_nxt, i * TEXT_LEN));
    assert_in_range(other->reorder->octets, TCP_SHORT_SHARE - 2 * TEXT_LEN, TCP_SHORT_SHARE);
    /* But not against what fills the hole, or nobody could ever go on. */
    uint32_t behind = other->reorder->octets;
    peer_sends(&s, other, other->rcv_nxt);
    assert_int_equal(tcp_received_len(other), 2 * TEXT_LEN + behind);

    tcp_consume(idle, tcp_received_len(idle));
    peer_sends(&s, idle, idle->rcv_nxt);
    assert_int_equal(tcp_received_len(idle), TEXT_LEN);
    for (size_t i = 0; i < HOGS; i++)
        frame_unref(hogs[i]);
    for (unsigned i = 0; i < 100; i++)
        peer_sends(&s, idle, idle->rcv_nxt);
    assert_int_equal(tcp_received_len(idle), 101 * TEXT_LEN);
    one_stack_close(&s);
}

static unsigned events_of(struct one_stack *s, const struct tcp_connection *c)
{
    struct socket_event event;
    unsigned events = 0;
    while (stack_next_event(s->stack, &event))
        if (socket_tcp(event.socket) == c)
            events |= event.events;
    return events;
}

/* With nothing under way no acknowledgement will come to say that there is room again. */
static void who_found_no_memory_is_told_when_there_is(void **state)
{
    (void)state;
    struct one_stack s;
    struct frame_queue hogs = {0};
    one_stack_open(&s, NULL);
    struct tcp_connection *c = open_one(&s, 1000);
    struct frame *frame;
    for (size_t room = 65536; room > 0; room /= 2)
        while ((frame = frame_new(s.frames, room)) != NULL)
            frame_queue_push(&hogs, frame);
    (void)one_stack_drain(&s, 0);
    assert_int_equal(tcp_send(c, bytes_of("abc", 3)), 0);
    (void)events_of(&s, c);
    assert_int_equal(one_stack_drain(&s, 0), 0);
    frame_queue_clear(&hogs);
    one_stack_wait(&s, USEC_PER_SEC);
    assert_true(events_of(&s, c) & SOCKET_WRITABLE);
    assert_int_equal(tcp_send(c, bytes_of("abc", 3)), 3);
    assert_int_equal(one_stack_drain(&s, 0), 1);
    one_stack_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_is_not_read_leaves_frames_to_others),
        cmocka_unit_test(who_found_no_memory_is_told_when_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
