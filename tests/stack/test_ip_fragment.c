/* SPDX-License-Identifier: ISC */
/* test_ip_fragment.c - what is cut can be put together again, at every size and MTU. */
#include "stack/ip.h"

#include "tests/support/one_stack.h"

/* Takes all fragments; the payloads are put where they say. Returns the length of the whole. */
static size_t collect(struct one_stack *s, unsigned interface, uint16_t mtu, uint8_t *whole,
                      bool *tail)
{
    size_t end = 0;
    size_t next = 0;
    bool first = true;
    uint16_t id = 0;
    *tail = false;
    while (one_stack_next(s, interface)) {
        struct ipv4_header ip;
        assert_int_equal(ipv4_decode(bytes_of(s->out + 14, s->out_len - 14), &ip), WIRE_OK);
        assert_true(ip.total_len <= mtu);
        assert_false(*tail);
        assert_true(first || ip.identification == id);
        assert_true(first || ip.fragment_offset == next);
        assert_true(!ip.more_fragments || ip.payload.len % 8 == 0);
        /* As full as they can be, but for the last. */
        assert_true(!ip.more_fragments || ip.total_len + 8 > mtu);
        id = ip.identification;
        first = false;
        memcpy(whole + ip.fragment_offset, ip.payload.data, ip.payload.len);
        next = ip.fragment_offset + ip.payload.len;
        end = next;
        *tail = !ip.more_fragments;
    }
    return end;
}

static void test_every_size(void **state)
{
    (void)state;
    static const uint16_t mtus[] = {576, 577, 583, 584, 1500, 9000};
    static const size_t sizes[] = {1,    556,  557,  560,  1112, 1113,  1479, 1480,
                                   1481, 1488, 2960, 8980, 8981, 20000, 65515};
    static uint8_t payload[65535];
    static uint8_t whole[65536 + 9000];
    for (size_t i = 0; i < sizeof payload; i++)
        payload[i] = (uint8_t)(i * 31 >> 3);
    for (size_t m = 0; m < ARRAY_LEN(mtus); m++) {
        struct one_stack s;
        one_stack_open(&s, &(struct one_stack_options){.mtu = mtus[m]});
        for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
            struct frame *frame = frame_new(s.frames, sizes[i]);
            frame_append(frame, bytes_of(payload, sizes[i]));
            struct ip_send send = {.target = ADDRESS_PEER, .protocol = 99, .interface = -1};
            assert_int_equal(ip_output(s.stack, &send, frame), IP_SENT);
            bool tail;
            assert_int_equal(collect(&s, 0, mtus[m], whole, &tail), sizes[i]);
            assert_true(tail);
            assert_memory_equal(whole, payload, sizes[i]);
        }
        one_stack_close(&s);
    }
}

static void test_slices_are_cut_too(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    struct frame *frame = frame_new(s.frames, 100);
    struct frame *body = frame_new(s.frames, 5000);
    memset(frame->data, 1, 10);
    frame->len = 10;
    memset(body->data, 2, 5000);
    body->len = 5000;
    frame_add_slice(frame, body, frame_bytes(body));
    frame_unref(body);
    struct ip_send send = {.target = ADDRESS_PEER, .protocol = 99, .interface = -1};
    assert_int_equal(ip_output(s.stack, &send, frame), IP_SENT);
    static uint8_t whole[8192];
    bool tail;
    assert_int_equal(collect(&s, 0, 1500, whole, &tail), 5010);
    assert_int_equal(whole[9], 1);
    assert_int_equal(whole[10], 2);
    assert_int_equal(whole[5009], 2);
    assert_int_equal(stack_counters(s.stack)->ipOutFragOKs, 1);
    assert_int_equal(stack_counters(s.stack)->ipOutFragCreates, 4);
    one_stack_close(&s);
}

/* RFC 791 §3.1: an option goes into later fragments only when its copied flag is set. */
static void test_fragments_in_passing_keep_offset_flag_and_options(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, &(struct one_stack_options){.far_mtu = 576, .stack.forwarding = true});
    static uint8_t payload[1200];
    static const uint8_t options[] = {7, 7, 4, 0, 0, 0, 0, 148, 4, 0, 0, 0};
    struct ipv4_header ip = {
        .source = ADDRESS_PEER,
        .target = ADDRESS_FAR_PEER,
        .protocol = 99,
        .identification = 0x1234,
        .fragment_offset = 800,
        .more_fragments = true,
        .options = bytes_of(options, sizeof options),
    };
    one_stack_ip(&s, &ip, bytes_of(payload, sizeof payload));
    struct ipv4_header part = one_stack_next_ip(&s, 1);
    assert_int_equal(part.fragment_offset, 800);
    assert_int_equal(part.identification, 0x1234);
    assert_true(part.more_fragments);
    assert_int_equal(part.options.len, 12);
    size_t sent = part.payload.len;
    while (sent < sizeof payload) {
        part = one_stack_next_ip(&s, 1);
        assert_int_equal(part.fragment_offset, 800 + sent);
        assert_true(part.more_fragments); /* the last part is not the last fragment */
        assert_int_equal(part.options.len, 4);
        assert_int_equal(part.options.data[0], 148);
        sent += part.payload.len;
    }
    assert_int_equal(sent, sizeof payload);
    assert_int_equal(one_stack_drain(&s, 1), 0);
    one_stack_close(&s);
}

static void test_no_memory_half_way(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    struct frame *frame = frame_new(s.frames, 20000);
    memset(frame->data, 0, 20000);
    frame->len = 20000;
    s.counts.fail_at = s.counts.allocations + 4;
    struct ip_send send = {.target = ADDRESS_PEER, .protocol = 99, .interface = -1};
    assert_int_equal(ip_output(s.stack, &send, frame), IP_NO_MEMORY);
    assert_int_equal(s.last_drop, DROP_NO_MEMORY);
    assert_int_equal(stack_counters(s.stack)->ipOutFragFails, 1);
    s.counts.fail_at = 0;
    one_stack_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_size),
        cmocka_unit_test(test_slices_are_cut_too),
        cmocka_unit_test(test_fragments_in_passing_keep_offset_flag_and_options),
        cmocka_unit_test(test_no_memory_half_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
