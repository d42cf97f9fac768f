/* SPDX-License-Identifier: ISC */
/* DHCP messages as Ethernet frames: RFC 2131 §4.1, RFC 791, RFC 768. */
#include "app/addresses/dhcp_frame.h"

#include "base/checksum.h"
#include "tests/support/check.h"

enum { IP_AT = 14, UDP_AT = 34, MESSAGE_AT = 42 };

struct sample {
    uint8_t octets[128];
    size_t len;
};

/* A server's answer, "hello", with right checksums. */
static void sample_make(struct sample *s)
{
    struct dhcp_frame frame = {
        .source = {{2, 0, 0, 0, 0, 1}},
        .target = {{2, 0, 0, 0, 0, 15}},
        .from = address_v4(0x0a000201),
        .to = address_v4(0x0a00020f),
        .message = bytes_of_text("hello"),
    };
    struct writer w = writer_of(s->octets, sizeof s->octets);
    dhcp_frame_encode(&frame, &w);
    assert_false(w.failed);
    s->len = writer_len(&w);
    s->octets[UDP_AT + 1] = DHCP_SERVER_PORT; /* the ports change places: the sum stays */
    s->octets[UDP_AT + 3] = DHCP_CLIENT_PORT;
}

static bool decode(const struct sample *s, struct dhcp_frame *out)
{
    uint8_t *exact = exact_copy(s->octets, s->len);
    bool ok = dhcp_frame_decode(bytes_of(exact, s->len), out);
    if (ok)
        assert_true(bytes_equal(out->message, bytes_of_text("hello")));
    free(exact);
    return ok;
}

static void a_frame_goes_there_and_back(void **state UNUSED)
{
    struct sample s;
    struct dhcp_frame frame;
    sample_make(&s);
    assert_int_equal(s.len, MESSAGE_AT + 5);
    assert_true(decode(&s, &frame));
    assert_int_equal(frame.source.octets[5], 1);
    assert_int_equal(frame.target.octets[5], 15);
    assert_int_equal(address_v4_value(&frame.from), 0x0a000201);
    assert_int_equal(address_v4_value(&frame.to), 0x0a00020f);
    s.octets[s.len++] = 0; /* padding of the link */
    assert_true(decode(&s, &frame));
}

static void what_is_not_for_a_client_is_passed_over(void **state UNUSED)
{
    static const struct {
        const char *name;
        size_t at;
        uint8_t octet;
    } cases[] = {
        {"another EtherType", 13, 0x06},
        {"IP version 6", IP_AT, 0x65},
        {"TCP", IP_AT + 9, 6},
        {"the header's checksum", IP_AT + 10, 0},
        {"another port", UDP_AT + 3, 69},
        {"another octet than was sent", MESSAGE_AT, 'H'},
        {"a UDP length beyond the packet", UDP_AT + 5, 14},
    };
    struct sample s;
    struct dhcp_frame frame;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        sample_make(&s);
        CHECK(cases[i].name, s.octets[cases[i].at] != cases[i].octet);
        s.octets[cases[i].at] = cases[i].octet;
        CHECK(cases[i].name, !decode(&s, &frame));
    }
    sample_make(&s);
    for (size_t len = s.len - 1; len > 0; len--) {
        s.len = len;
        assert_false(decode(&s, &frame));
    }
}

static void a_fragment_is_no_message(void **state UNUSED)
{
    struct sample s;
    struct dhcp_frame frame;
    sample_make(&s);
    s.octets[IP_AT + 6] = 0x20; /* more fragments */
    s.octets[IP_AT + 10] = s.octets[IP_AT + 11] = 0;
    uint16_t sum = checksum_of(bytes_of(s.octets + IP_AT, 20));
    s.octets[IP_AT + 10] = (uint8_t)(sum >> 8);
    s.octets[IP_AT + 11] = (uint8_t)sum;
    assert_false(decode(&s, &frame));
}

static void a_checksum_may_be_missing_or_half_made(void **state UNUSED)
{
    struct sample s;
    struct dhcp_frame frame;
    sample_make(&s);
    s.octets[UDP_AT + 6] = s.octets[UDP_AT + 7] = 0;
    assert_true(decode(&s, &frame));
    struct ip_address from = address_v4(0x0a000201);
    struct ip_address to = address_v4(0x0a00020f);
    uint16_t partial = checksum_fold(checksum_pseudo(&from, &to, 17, 8 + 5));
    s.octets[UDP_AT + 6] = (uint8_t)(partial >> 8); /* as it is on a veth or a TAP */
    s.octets[UDP_AT + 7] = (uint8_t)partial;
    assert_true(decode(&s, &frame));
    s.octets[UDP_AT + 7]++;
    assert_false(decode(&s, &frame));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_goes_there_and_back),
        cmocka_unit_test(what_is_not_for_a_client_is_passed_over),
        cmocka_unit_test(a_fragment_is_no_message),
        cmocka_unit_test(a_checksum_may_be_missing_or_half_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
