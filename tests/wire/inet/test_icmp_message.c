/* SPDX-License-Identifier: ISC */
/* test_icmp_message.c - every message of RFC 792, 950 and 1256, both ways. */
#include "tests/support/check.h"

#include "base/checksum.h"
#include "wire/inet/icmp_message.h"

/* The octets of a case with the checksum put right. */
static uint8_t *message_of(const uint8_t *in, size_t len)
{
    uint8_t *message = exact_copy(in, len);
    if (len >= 4) {
        message[2] = message[3] = 0;
        uint16_t sum = checksum_of(bytes_of(message, len));
        message[2] = (uint8_t)(sum >> 8);
        message[3] = (uint8_t)sum;
    }
    return message;
}

static const struct {
    const char *name;
    uint8_t in[24];
    size_t len;
    enum wire_status want;
} cases[] = {
    {"echo", {8, 0, 0, 0, 1, 2, 3, 4, 'p', 'i', 'n'}, 11, WIRE_OK},
    {"echo reply without data", {0, 0, 0, 0, 1, 2, 3, 4}, 8, WIRE_OK},
    {"echo cut in the header", {8, 0, 0, 0, 1, 2, 3}, 7, WIRE_TRUNCATED},
    {"port unreachable", {3, 3, 0, 0, 0, 0, 0, 0, 0x45, 0, 0, 20}, 12, WIRE_OK},
    {"fragmentation needed", {3, 4, 0, 0, 0, 0, 5, 0xdc, 0x45, 0, 0, 20}, 12, WIRE_OK},
    {"unreachable cut", {3, 3, 0, 0, 0, 0, 0}, 7, WIRE_TRUNCATED},
    {"source quench", {4, 0, 0, 0, 0, 0, 0, 0, 0x45}, 9, WIRE_OK},
    {"redirect", {5, 1, 0, 0, 10, 0, 2, 1, 0x45, 0}, 10, WIRE_OK},
    {"TTL exceeded", {11, 0, 0, 0, 0, 0, 0, 0, 0x45, 0}, 10, WIRE_OK},
    {"parameter problem", {12, 0, 0, 0, 20, 0, 0, 0, 0x45, 0}, 10, WIRE_OK},
    {"timestamp", {13, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3}, 20, WIRE_OK},
    {"timestamp reply", {14, 0, 0, 0, 1, 2, 3, 4, 9, 0, 0, 1, 9, 0, 0, 2, 9, 0, 0, 3}, 20, WIRE_OK},
    {"timestamp cut",
     {13, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0},
     19,
     WIRE_TRUNCATED},
    {"information request", {15, 0, 0, 0, 1, 2, 3, 4}, 8, WIRE_OK},
    {"information reply", {16, 0, 0, 0, 1, 2, 3, 4}, 8, WIRE_OK},
    {"mask request", {17, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0}, 12, WIRE_OK},
    {"mask reply", {18, 0, 0, 0, 1, 2, 3, 4, 255, 255, 255, 0}, 12, WIRE_OK},
    {"mask cut", {18, 0, 0, 0, 1, 2, 3, 4, 255, 255, 255}, 11, WIRE_TRUNCATED},
    {"router solicitation", {10, 0, 0, 0, 0, 0, 0, 0}, 8, WIRE_OK},
    {"router solicitation cut", {10, 0, 0, 0, 0, 0, 0}, 7, WIRE_TRUNCATED},
    {"router advertisement",
     {9, 0, 0, 0, 2, 2, 7, 8, 10, 0, 0, 1, 0, 0, 0, 5, 10, 0, 0, 2, 0x80, 0, 0, 0},
     24,
     WIRE_OK},
    {"advertisement of more than is there",
     {9, 0, 0, 0, 2, 2, 7, 8, 10, 0, 0, 1, 0, 0, 0, 5, 10, 0, 0, 2, 0x80, 0, 0},
     23,
     WIRE_TRUNCATED},
    {"advertisement of nobody", {9, 0, 0, 0, 0, 2, 7, 8}, 8, WIRE_MALFORMED},
    {"advertisement of entries too small",
     {9, 0, 0, 0, 1, 1, 7, 8, 10, 0, 0, 1},
     12,
     WIRE_MALFORMED},
    {"an unknown type", {19, 0, 0, 0, 1, 2, 3, 4}, 8, WIRE_UNSUPPORTED},
    {"IPv6's echo", {128, 0, 0, 0, 1, 2, 3, 4}, 8, WIRE_UNSUPPORTED},
    {"cut before the checksum", {8, 0, 0}, 3, WIRE_TRUNCATED},
    {"nothing", {0}, 0, WIRE_TRUNCATED},
};

static void test_both_ways(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *name = cases[i].name;
        uint8_t *octets = message_of(cases[i].in, cases[i].len);
        struct bytes in = bytes_of(octets, cases[i].len);
        struct icmp_message message = {.type = 77};
        CHECK_EQUAL(name, icmp_decode(in, &message), cases[i].want);
        if (cases[i].want == WIRE_OK) {
            uint8_t out[2 + 24];
            struct writer w = writer_of(out, 2 + cases[i].len);
            write_u16(&w, 0x1234); /* a message may begin anywhere in what is written */
            icmp_encode(&message, &w);
            CHECK(name, !w.failed);
            CHECK(name, bytes_equal(bytes_after(writer_bytes(&w), 2), in));
        } else {
            CHECK_EQUAL(name, message.type, 77);
        }
        free(octets);
    }
}

static struct icmp_message decoded(const char *name, uint8_t octets[24])
{
    struct icmp_message message = {0};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (strcmp(cases[i].name, name) != 0)
            continue;
        uint8_t *copy = message_of(cases[i].in, cases[i].len);
        memcpy(octets, copy, cases[i].len);
        free(copy);
        assert_int_equal(icmp_decode(bytes_of(octets, cases[i].len), &message), WIRE_OK);
        return message;
    }
    fail_msg("no case %s", name);
    return message;
}

static void test_values(void **state UNUSED)
{
    uint8_t octets[24];
    struct icmp_message m = decoded("echo", octets);
    assert_int_equal(m.u.echo.identifier, 0x0102);
    assert_int_equal(m.u.echo.sequence, 0x0304);
    assert_true(bytes_equal(m.u.echo.data, bytes_of_text("pin")));
    m = decoded("fragmentation needed", octets);
    assert_int_equal(m.u.error.mtu, 1500);
    assert_int_equal(m.u.error.quoted.len, 4);
    m = decoded("redirect", octets);
    assert_int_equal(address_v4_value(&m.u.error.gateway), 0x0a000201);
    m = decoded("parameter problem", octets);
    assert_int_equal(m.u.error.pointer, 20);
    m = decoded("timestamp", octets);
    assert_int_equal(m.u.timestamp.originate, 1);
    assert_int_equal(m.u.timestamp.receive, 2);
    assert_int_equal(m.u.timestamp.transmit, 3);
    m = decoded("mask reply", octets);
    assert_int_equal(m.u.mask.mask, 0xffffff00);
    m = decoded("router advertisement", octets);
    assert_int_equal(m.u.routers.lifetime, 0x0708);
    struct icmp_router router = icmp_router_at(&m, 0);
    assert_int_equal(address_v4_value(&router.address), 0x0a000001);
    assert_int_equal(router.preference, 5);
    router = icmp_router_at(&m, 1);
    assert_int_equal(address_v4_value(&router.address), 0x0a000002);
    assert_int_equal(router.preference, INT32_MIN);
}

static void test_every_bit_is_in_the_checksum(void **state UNUSED)
{
    for (size_t bit = 0; bit < 88; bit++) {
        uint8_t *octets = message_of(cases[0].in, cases[0].len);
        octets[bit / 8] = (uint8_t)(octets[bit / 8] ^ 1u << bit % 8);
        struct icmp_message message;
        assert_int_equal(icmp_decode(bytes_of(octets, cases[0].len), &message), WIRE_CHECKSUM);
        free(octets);
    }
}

static void test_which_are_errors(void **state UNUSED)
{
    for (unsigned type = 0; type < 256; type++) {
        bool want = type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
        assert_int_equal(icmp_is_error((uint8_t)type), want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ways),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_every_bit_is_in_the_checksum),
        cmocka_unit_test(test_which_are_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
