/* SPDX-License-Identifier: ISC */
/* test_wire.c - what a wire does to frames: each effect alone, then all of them from seeds. */
#include "sim/wire.h"

#include "base/checksum.h"
#include "tests/support/check.h"
#include "wire/inet/ipv4.h"
#include "wire/link/ethernet.h"

struct bench {
    struct counting_heap counts;
    struct heap heap;
    struct frame_pool *frames;
    struct wire *wire;
    unsigned drops[DROP_REASON_COUNT];
};

static void on_event(void *self, const struct trace_event *event)
{
    struct bench *b = self;
    b->drops[event->u.drop.reason]++;
}

static void bench_open(struct bench *b, uint64_t seed, struct wire_impairments a_to_b)
{
    *b = (struct bench){0};
    b->heap = counting_heap(&b->counts);
    b->frames = frame_pool_new(&b->heap, 256 * 1024 * 1024);
    struct wire_options options = {
        .heap = b->heap, .seed = seed, .a_to_b = a_to_b, .trace = {on_event, b}};
    b->wire = wire_new(&options, 0);
    assert_non_null(b->wire);
}

static void bench_close(struct bench *b)
{
    wire_free(b->wire);
    struct frame_pool_counters frames;
    frame_pool_counters(b->frames, &frames);
    assert_int_equal(frames.frames, 0);
    frame_pool_free(b->frames);
    assert_int_equal(b->counts.blocks, 0);
}

/* A frame of `len` octets with a number in front. */
static void send_number(struct bench *b, enum wire_end from, uint32_t number, size_t len, usec now)
{
    struct frame *frame = frame_new(b->frames, len);
    assert_non_null(frame);
    memset(frame->data, 0x55, len);
    memcpy(frame->data, &number, sizeof number);
    frame->len = len;
    wire_send(b->wire, from, frame, now);
}

/* The number of the next frame at `to`; -1: there is none. */
static int64_t receive_number(struct bench *b, enum wire_end to, usec now)
{
    struct frame *frame = wire_receive(b->wire, to, now);
    if (frame == NULL)
        return -1;
    uint32_t number;
    memcpy(&number, frame->data, sizeof number);
    frame_unref(frame);
    return number;
}

static void test_an_ideal_wire_delivers_at_once_in_order(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, 1, (struct wire_impairments){0});
    assert_true(wire_deadline(b.wire) == USEC_NEVER);
    for (uint32_t i = 0; i < 500; i++) {
        send_number(&b, WIRE_A, i, 60, 10);
        send_number(&b, WIRE_B, 1000 + i, 60, 10);
    }
    assert_true(wire_deadline(b.wire) == 10);
    for (uint32_t i = 0; i < 500; i++) {
        assert_int_equal(receive_number(&b, WIRE_B, 10), i);
        assert_int_equal(receive_number(&b, WIRE_A, 10), 1000 + i);
    }
    assert_int_equal(receive_number(&b, WIRE_A, 10), -1);
    assert_true(wire_deadline(b.wire) == USEC_NEVER);
    struct wire_counters c;
    wire_counters(b.wire, WIRE_A, &c);
    assert_int_equal(c.sent, 500);
    assert_int_equal(c.delivered, 500);
    bench_close(&b);
}

static void test_delay(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, 1, (struct wire_impairments){.delay = 20 * USEC_PER_MSEC});
    send_number(&b, WIRE_A, 1, 60, 1000);
    send_number(&b, WIRE_B, 2, 60, 1000); /* the other direction has none */
    assert_int_equal(receive_number(&b, WIRE_A, 1000), 2);
    assert_true(wire_deadline(b.wire) == 21000);
    assert_int_equal(receive_number(&b, WIRE_B, 20999), -1);
    assert_int_equal(receive_number(&b, WIRE_B, 21000), 1);
    bench_close(&b);
}

static void test_jitter_keeps_the_order(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, 3, (struct wire_impairments){.delay = 1000, .jitter = 900});
    usec now = 0;
    int64_t next = 0;
    usec least = USEC_NEVER;
    usec most = 0;
    for (uint32_t i = 0; i < 1000; i++, now += 2000) {
        send_number(&b, WIRE_A, i, 60, now);
        usec at = wire_deadline(b.wire);
        least = usec_min(least, at - now);
        most = usec_max(most, at - now);
        assert_int_equal(receive_number(&b, WIRE_B, at), next++);
    }
    assert_true(least >= 100 && least < 200);
    assert_true(most <= 1900 && most > 1800);
    /* Close together, none overtakes another. */
    for (uint32_t i = 0; i < 1000; i++)
        send_number(&b, WIRE_A, 1000 + i, 60, now + i);
    for (uint32_t i = 0; i < 1000; i++)
        assert_int_equal(receive_number(&b, WIRE_B, now + 10000), 1000 + i);
    bench_close(&b);
}

static void test_loss_is_as_asked_for(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, 7, (struct wire_impairments){.loss = 20000}); /* 2 % */
    for (uint32_t i = 0; i < 20000; i++) {
        send_number(&b, WIRE_A, i, 60, 0);
        (void)receive_number(&b, WIRE_B, 0);
    }
    struct wire_counters c;
    wire_counters(b.wire, WIRE_A, &c);
    assert_int_equal(c.lost + c.delivered, 20000);
    assert_int_equal(b.drops[DROP_WIRE_LOSS], c.lost);
    assert_true(c.lost > 330 && c.lost < 470);
    bench_close(&b);

    bench_open(&b, 7, (struct wire_impairments){.loss = 1000000});
    send_number(&b, WIRE_A, 1, 60, 0);
    assert_int_equal(receive_number(&b, WIRE_B, 0), -1);
    bench_close(&b);
}

static void test_rate_and_its_queue(void **state)
{
    (void)state;
    struct bench b;
    /* 1 Mbit/s: 1250 octets take 10 ms. One in transmission and three waiting. */
    bench_open(&b, 1, (struct wire_impairments){.rate = 1000000, .queue = 3});
    for (uint32_t i = 0; i < 6; i++)
        send_number(&b, WIRE_A, i, 1250, 0);
    assert_int_equal(b.drops[DROP_WIRE_QUEUE], 2);
    for (uint32_t i = 0; i < 4; i++) {
        assert_true(wire_deadline(b.wire) == (i + 1) * 10000);
        assert_int_equal(receive_number(&b, WIRE_B, (i + 1) * 10000 - 1), -1);
        assert_int_equal(receive_number(&b, WIRE_B, (i + 1) * 10000), i);
        if (i == 0) /* one place is free again, as the second began to leave */
            send_number(&b, WIRE_A, 4, 1250, 10000);
    }
    assert_int_equal(receive_number(&b, WIRE_B, 50000), 4);
    struct wire_counters c;
    wire_counters(b.wire, WIRE_A, &c);
    assert_int_equal(c.queue_full, 2);
    /* An idle line begins anew. */
    send_number(&b, WIRE_A, 9, 1250, 1000000);
    assert_true(wire_deadline(b.wire) == 1010000);
    bench_close(&b);
}

static void test_fast_rates_are_kept(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, 1, (struct wire_impairments){.rate = 10000000000, .queue = 60000});
    for (uint32_t i = 0; i < 50000; i++)
        send_number(&b, WIRE_A, i, 1250, 0); /* a microsecond each */
    usec last = 0;
    while (wire_deadline(b.wire) != USEC_NEVER) {
        last = wire_deadline(b.wire);
        assert_true(receive_number(&b, WIRE_B, last) >= 0);
    }
    assert_true(last == 50000);
    bench_close(&b);
}

static void test_duplicates_follow_their_frame(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, 1, (struct wire_impairments){.duplicate = 1000000, .delay = 5});
    for (uint32_t i = 0; i < 10; i++)
        send_number(&b, WIRE_A, i, 60, i);
    for (uint32_t i = 0; i < 10; i++) {
        assert_int_equal(receive_number(&b, WIRE_B, 100), i);
        assert_int_equal(receive_number(&b, WIRE_B, 100), i);
    }
    assert_int_equal(receive_number(&b, WIRE_B, 100), -1);
    bench_close(&b);
}

static void test_reordering_with_a_delay_overtakes(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, 5, (struct wire_impairments){.delay = 1000, .reorder = 250000});
    int64_t arrived[40];
    for (uint32_t i = 0; i < 40; i++)
        send_number(&b, WIRE_A, i, 60, i * 10);
    struct wire_counters c;
    wire_counters(b.wire, WIRE_A, &c);
    assert_true(c.reordered > 3 && c.reordered < 20);
    unsigned early = 0;
    unsigned count = 0;
    for (usec now = 0; now < 5000; now++) {
        while ((arrived[count] = receive_number(&b, WIRE_B, now)) >= 0) {
            early += now < 1000;
            if (now < 1000)
                assert_true(now == arrived[count] * 10); /* at once */
            else
                assert_true(now == arrived[count] * 10 + 1000);
            count++;
            assert_true(count <= 40);
            if (count == 40)
                break;
        }
        if (count == 40)
            break;
    }
    assert_int_equal(count, 40);
    assert_int_equal(early, c.reordered);
    bench_close(&b);
}

static void test_reordering_without_a_delay_holds_back(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, 1, (struct wire_impairments){.reorder = 1000000});
    send_number(&b, WIRE_A, 0, 60, 0);
    assert_int_equal(receive_number(&b, WIRE_B, 0), -1);
    assert_true(wire_deadline(b.wire) == 10 * USEC_PER_MSEC);
    send_number(&b, WIRE_A, 1, 60, 1);
    assert_int_equal(receive_number(&b, WIRE_B, 1), 1);
    assert_int_equal(receive_number(&b, WIRE_B, 1), -1);
    send_number(&b, WIRE_A, 2, 60, 2);
    assert_int_equal(receive_number(&b, WIRE_B, 2), 2);
    assert_int_equal(receive_number(&b, WIRE_B, 2), 0); /* behind two later ones */
    send_number(&b, WIRE_A, 3, 60, 3);
    assert_int_equal(receive_number(&b, WIRE_B, 10002), -1);
    assert_int_equal(receive_number(&b, WIRE_B, 10003), 3); /* or after 10 ms */
    assert_true(wire_deadline(b.wire) == USEC_NEVER);
    bench_close(&b);
}

static void test_corruption_flips_one_bit(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, 1, (struct wire_impairments){.corrupt = 1000000});
    unsigned positions[60] = {0};
    for (int i = 0; i < 2000; i++) {
        struct frame *frame = frame_new(b.frames, 60);
        memset(frame->data, 0, 60);
        frame->len = 60;
        struct frame *kept = frame_ref(frame); /* another holder does not see it */
        wire_send(b.wire, WIRE_A, frame, 0);
        frame = wire_receive(b.wire, WIRE_B, 0);
        unsigned bits = 0;
        for (size_t k = 0; k < 60; k++) {
            assert_int_equal(kept->data[k], 0);
            if (frame->data[k] == 0)
                continue;
            positions[k]++;
            bits += (frame->data[k] & (frame->data[k] - 1)) == 0 ? 1 : 2;
        }
        assert_int_equal(bits, 1);
        frame_unref(frame);
        frame_unref(kept);
    }
    for (size_t k = 0; k < 60; k++)
        assert_true(positions[k] > 5);
    bench_close(&b);
}

/* A corrupted frame must not pass for sound: what the device would have completed is there. */
static void test_corruption_completes_partial_checksums(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, 1, (struct wire_impairments){.corrupt = 1000000});
    struct frame *frame = frame_new(b.frames, 60);
    struct frame *body = frame_new(b.frames, 60);
    memset(frame->data, 1, 20);
    frame->len = 20;
    frame->data[6] = frame->data[7] = 0;
    memset(body->data, 2, 40);
    body->len = 40;
    frame_add_slice(frame, body, frame_bytes(body));
    frame_unref(body);
    frame->offload = (struct frame_offload){.checksum = FRAME_CHECKSUM_PARTIAL,
                                            .checksum_start = (uint32_t)frame_headroom(frame),
                                            .checksum_offset = 6};
    struct frame *sound = frame_copy(frame);
    checksum_complete(sound);
    assert_int_equal(checksum_of(frame_bytes(sound)), 0);
    wire_send(b.wire, WIRE_A, frame, 0);
    frame = wire_receive(b.wire, WIRE_B, 0);
    assert_int_equal(frame->offload.checksum, FRAME_CHECKSUM_FULL);
    assert_int_equal(frame->len, 60);
    unsigned flipped = 0;
    for (size_t i = 0; i < 60; i++)
        for (unsigned bit = 0; bit < 8; bit++)
            flipped += ((frame->data[i] ^ sound->data[i]) >> bit & 1) != 0;
    assert_int_equal(flipped, 1);
    frame_unref(sound);
    frame_unref(frame);
    bench_close(&b);
}

static void test_a_cut_wire_loses(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, 1, (struct wire_impairments){.delay = 5});
    send_number(&b, WIRE_A, 1, 60, 0);
    wire_set_up(b.wire, false);
    send_number(&b, WIRE_A, 2, 60, 0);
    wire_set_up(b.wire, true);
    send_number(&b, WIRE_A, 3, 60, 0);
    assert_int_equal(receive_number(&b, WIRE_B, 5), 1);
    assert_int_equal(receive_number(&b, WIRE_B, 5), 3);
    assert_int_equal(b.drops[DROP_WIRE_LOSS], 1);
    bench_close(&b);
}

static void test_large_frames_fall_into_a_hole(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, 1, (struct wire_impairments){.delay = 5});
    wire_set_hole(b.wire, 576);
    send_number(&b, WIRE_A, 1, 14 + 576, 0);
    send_number(&b, WIRE_A, 2, 14 + 577, 0);
    send_number(&b, WIRE_B, 3, 14 + 577, 0);
    wire_set_hole(b.wire, 0);
    send_number(&b, WIRE_A, 4, 14 + 577, 0);
    assert_int_equal(receive_number(&b, WIRE_B, 5), 1);
    assert_int_equal(receive_number(&b, WIRE_B, 5), 4);
    assert_int_equal(b.drops[DROP_WIRE_LOSS], 2);
    bench_close(&b);
}

static void test_what_is_under_way_is_bounded(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, 1, (struct wire_impairments){.delay = USEC_PER_HOUR});
    for (uint32_t i = 0; i < WIRE_IN_FLIGHT_MAX + 10; i++)
        send_number(&b, WIRE_A, i, 60, 0);
    assert_int_equal(b.drops[DROP_WIRE_QUEUE], 10);
    bench_close(&b);
}

/* Everything at once: nothing is created or lost but what the counters say, in time order, and the
 * same seed gives the same run. */
static void run_all(uint64_t seed, uint64_t *digest)
{
    struct bench b;
    struct wire_impairments all = {.delay = 3000,
                                   .jitter = 2000,
                                   .loss = 50000,
                                   .duplicate = 50000,
                                   .reorder = 50000,
                                   .corrupt = 50000,
                                   .rate = 10000000,
                                   .queue = 20};
    if (seed % 2 == 1)
        all.delay = all.jitter = 0;
    bench_open(&b, seed, all);
    usec now = 0;
    *digest = 0;
    uint64_t got = 0;
    for (uint32_t i = 0; i < 300 || wire_deadline(b.wire) != USEC_NEVER; i++) {
        if (i < 300)
            send_number(&b, WIRE_A, i, 60 + i % 1400, now);
        usec at = wire_deadline(b.wire);
        assert_true(at >= now);
        if (at != USEC_NEVER && (i >= 300 || i % 3 == 0))
            now = at;
        int64_t number;
        while ((number = receive_number(&b, WIRE_B, now)) >= 0) {
            *digest = *digest * 31 + (uint64_t)number * 1000003 + (uint64_t)now;
            got++;
        }
    }
    struct wire_counters c;
    wire_counters(b.wire, WIRE_A, &c);
    assert_int_equal(c.sent, 300);
    assert_int_equal(c.delivered, got);
    assert_int_equal(c.sent + c.duplicated, c.delivered + c.lost + c.queue_full);
    bench_close(&b);
}

static void test_seeds_repeat(void **state)
{
    (void)state;
    uint64_t last = 0;
    for (uint64_t seed = 0; seed < 100; seed++) {
        uint64_t first;
        uint64_t second;
        run_all(seed, &first);
        run_all(seed, &second);
        assert_true(first == second);
        assert_true(first != last);
        last = first;
    }
}

/* More loss loses more of the same: the rest of the luck stays as it was. */
static void test_effects_do_not_disturb_each_other(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        bool twice[2][200];
        for (int lossy = 0; lossy < 2; lossy++) {
            struct bench b;
            bench_open(&b, seed,
                       (struct wire_impairments){.duplicate = 300000, .loss = lossy ? 300000 : 0});
            for (uint32_t i = 0; i < 200; i++) {
                if (i % 3 == 0) /* traffic the other way makes no difference */
                    send_number(&b, WIRE_B, i, 60, i);
                send_number(&b, WIRE_A, i, 60, i);
                unsigned count = 0;
                while (receive_number(&b, WIRE_B, i) >= 0)
                    count++;
                twice[lossy][i] = count == 2;
                if (lossy && count == 2)
                    assert_true(twice[0][i]);
            }
            bench_close(&b);
        }
    }
}

/* An Ethernet frame with an IPv4 or IPv6 packet of that traffic class. */
static void send_packet(struct bench *b, bool v6, uint8_t traffic_class, usec now)
{
    struct frame *frame = frame_new(b->frames, 1000);
    assert_non_null(frame);
    if (v6) {
        frame->len = 1000;
        memset(frame->data, 0, 1000);
        frame->data[0] = (uint8_t)(0x60 | traffic_class >> 4);
        frame->data[1] = (uint8_t)(traffic_class << 4 | 0xf); /* and the flow label */
    } else {
        struct ipv4_header ip = {.source = address_v4(0x0a000001), .target = address_v4(0x0a000002),
                                 .ttl = 64, .protocol = 17, .traffic_class = traffic_class,
                                 .options = bytes_empty()};
        frame->len = 980;
        ipv4_push(frame, &ip);
    }
    struct ethernet_header ethernet = {.type = v6 ? ETHERNET_IPV6 : ETHERNET_IPV4};
    ethernet_push(frame, &ethernet);
    wire_send(b->wire, WIRE_A, frame, now);
}

/* The traffic class of the next packet at B; the header must be whole. */
static unsigned receive_class(struct bench *b, usec now)
{
    struct frame *frame = wire_receive(b->wire, WIRE_B, now);
    assert_non_null(frame);
    const uint8_t *ip = frame->data + ETHERNET_HEADER_LEN;
    unsigned traffic_class = (unsigned)(ip[0] & 0xf) << 4 | ip[1] >> 4;
    if (ip[0] >> 4 == 4) {
        struct ipv4_header header;
        struct bytes packet = bytes_of(ip, frame->len - ETHERNET_HEADER_LEN);
        assert_int_equal(ipv4_decode(packet, &header), WIRE_OK);
        traffic_class = header.traffic_class;
    } else {
        assert_int_equal(ip[1] & 0xf, 0xf);
    }
    frame_unref(frame);
    return traffic_class;
}

/* RFC 3168 §5: only what may be marked, and only while so many wait. */
static void test_a_queue_marks(void **state)
{
    (void)state;
    static const struct {
        bool v6;
        uint8_t sent, marked;
    } cases[] = {{false, 0xb8, 0xb8}, {false, 0xb9, 0xbb}, {false, 0xba, 0xbb}, {false, 0xbb, 0xbb},
                 {true, 0xb8, 0xb8},  {true, 0xb9, 0xbb},  {true, 0xba, 0xbb},  {true, 0xbb, 0xbb}};
    struct bench b;
    bench_open(&b, 1, (struct wire_impairments){.rate = 8000000, .mark = 2}); /* 1 ms each */
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        usec now = (usec)i * USEC_PER_SEC;
        for (unsigned k = 0; k < 4; k++) /* two wait when the fourth comes, behind the first */
            send_packet(&b, cases[i].v6, cases[i].sent, now);
        for (unsigned k = 0; k < 4; k++)
            assert_int_equal(receive_class(&b, now + 10 * USEC_PER_MSEC),
                             k < 3 ? cases[i].sent : cases[i].marked);
    }
    struct wire_counters counters;
    wire_counters(b.wire, WIRE_A, &counters);
    assert_int_equal(counters.marked, 4);
    bench_close(&b);
}

/* A frame that its sender still has is not changed under its hands; what is no IP packet at all is let
 * alone. */
static void test_a_mark_touches_nothing_else(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, 1, (struct wire_impairments){.rate = 8000000, .mark = 1});
    send_number(&b, WIRE_A, 1, 1000, 0);
    send_number(&b, WIRE_A, 2, 1000, 0);
    send_number(&b, WIRE_A, 3, 1000, 0);
    send_number(&b, WIRE_A, 4, 12, 0);
    assert_int_equal(receive_number(&b, WIRE_B, 10000), 1);
    assert_int_equal(receive_number(&b, WIRE_B, 10000), 2);
    assert_int_equal(receive_number(&b, WIRE_B, 10000), 3);
    assert_int_equal(receive_number(&b, WIRE_B, 10000), 4);
    send_packet(&b, false, IP_ECT_0, 20000);
    struct frame *kept = wire_receive(b.wire, WIRE_B, 30000);
    send_packet(&b, false, IP_ECT_0, 30000);
    send_packet(&b, false, IP_ECT_0, 30000);
    wire_send(b.wire, WIRE_A, frame_ref(kept), 30000);
    assert_int_equal(receive_class(&b, 40000), IP_ECT_0);
    assert_int_equal(receive_class(&b, 40000), IP_ECT_0);
    assert_int_equal(receive_class(&b, 40000), IP_CE);
    assert_int_equal(kept->data[ETHERNET_HEADER_LEN + 1], IP_ECT_0);
    frame_unref(kept);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_ideal_wire_delivers_at_once_in_order),
        cmocka_unit_test(test_delay),
        cmocka_unit_test(test_jitter_keeps_the_order),
        cmocka_unit_test(test_loss_is_as_asked_for),
        cmocka_unit_test(test_rate_and_its_queue),
        cmocka_unit_test(test_fast_rates_are_kept),
        cmocka_unit_test(test_a_queue_marks),
        cmocka_unit_test(test_a_mark_touches_nothing_else),
        cmocka_unit_test(test_duplicates_follow_their_frame),
        cmocka_unit_test(test_reordering_with_a_delay_overtakes),
        cmocka_unit_test(test_reordering_without_a_delay_holds_back),
        cmocka_unit_test(test_corruption_flips_one_bit),
        cmocka_unit_test(test_corruption_completes_partial_checksums),
        cmocka_unit_test(test_a_cut_wire_loses),
        cmocka_unit_test(test_large_frames_fall_into_a_hole),
        cmocka_unit_test(test_what_is_under_way_is_bounded),
        cmocka_unit_test(test_seeds_repeat),
        cmocka_unit_test(test_effects_do_not_disturb_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
