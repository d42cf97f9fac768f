/* SPDX-License-Identifier: ISC */
#include "wire/websocket/websocket.h"

#include "tests/support/check.h"

static const struct {
    const char *name;
    uint8_t octets[16];
    size_t len;
    enum wire_status want;
    size_t header_len;
    uint64_t length;
} cases[] = {
    {"a text frame (RFC 6455 §5.7)", {0x81, 0x05}, 2, WIRE_OK, 2, 5},
    {"a masked one (§5.7)", {0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d}, 6, WIRE_OK, 6, 5},
    {"a fragment (§5.7)", {0x01, 0x03}, 2, WIRE_OK, 2, 3},
    {"a continuation (§5.7)", {0x80, 0x02}, 2, WIRE_OK, 2, 2},
    {"a ping (§5.7)", {0x89, 0x05}, 2, WIRE_OK, 2, 5},
    {"256 octets (§5.7)", {0x82, 0x7e, 0x01, 0x00}, 4, WIRE_OK, 4, 256},
    {"64 KiB (§5.7)", {0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0}, 10, WIRE_OK, 10, 65536},
    {"compressed (RFC 7692 §7.2.3.1)", {0xc1, 0x07}, 2, WIRE_OK, 2, 7},
    {"half a header", {0x82, 0x7e, 0x01}, 3, WIRE_TRUNCATED, 0, 0},
    {"a mask that has not come", {0x81, 0x85, 0x37}, 3, WIRE_TRUNCATED, 0, 0},
    {"nothing", {0}, 0, WIRE_TRUNCATED, 0, 0},
    {"RSV2", {0xa1, 0x00}, 2, WIRE_MALFORMED, 0, 0},
    {"RSV3 is told by the first octet", {0x91}, 1, WIRE_MALFORMED, 0, 0},
    {"a reserved opcode", {0x83, 0x00}, 2, WIRE_MALFORMED, 0, 0},
    {"a reserved control opcode", {0x8b, 0x00}, 2, WIRE_MALFORMED, 0, 0},
    {"a ping in fragments (§5.5)", {0x09, 0x00}, 2, WIRE_MALFORMED, 0, 0},
    {"a long ping (§5.5)", {0x89, 0x7e, 0x00, 0x7e}, 4, WIRE_MALFORMED, 0, 0},
    {"a compressed continuation (RFC 7692 §6.1)", {0xc0, 0x00}, 2, WIRE_MALFORMED, 0, 0},
    {"a compressed ping", {0xc9, 0x00}, 2, WIRE_MALFORMED, 0, 0},
    {"125 octets said in two (§5.2)", {0x82, 0x7e, 0x00, 0x7d}, 4, WIRE_MALFORMED, 0, 0},
    {"65535 octets said in eight", {0x82, 0x7f, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 10, WIRE_MALFORMED, 0, 0},
    {"a length with its highest bit", {0x82, 0x7f, 0x80, 0, 0, 0, 0, 0, 0, 0}, 10, WIRE_MALFORMED, 0, 0},
};

static void headers(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct websocket_header header;
        size_t len = 0;
        uint8_t *copy = exact_copy(cases[i].octets, cases[i].len);
        CHECK_EQUAL(cases[i].name,
                    websocket_header_decode(bytes_of(copy, cases[i].len), &header, &len),
                    cases[i].want);
        free(copy);
        if (cases[i].want != WIRE_OK)
            continue;
        CHECK_EQUAL(cases[i].name, len, cases[i].header_len);
        CHECK_EQUAL(cases[i].name, header.length, cases[i].length);
        uint8_t again[WEBSOCKET_HEADER_MAX];
        struct writer w = writer_of(again, sizeof again);
        websocket_header_encode(&w, &header);
        CHECK(cases[i].name, bytes_equal(writer_bytes(&w), bytes_of(cases[i].octets, cases[i].len)));
    }
}

/* §5.7: "Hello" with its mask; and in pieces as in one. */
static void masks(void **state UNUSED)
{
    static const uint8_t key[4] = {0x37, 0xfa, 0x21, 0x3d};
    static const uint8_t masked[5] = {0x7f, 0x9f, 0x4d, 0x51, 0x58};
    uint8_t data[100], pieces[100];
    memcpy(data, "Hello", 5);
    websocket_mask(data, 5, key, 0);
    assert_memory_equal(data, masked, 5);
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = pieces[i] = (uint8_t)(i * 7);
    websocket_mask(data, sizeof data, key, 0);
    for (size_t at = 0, len = 1; at < sizeof pieces; at += len, len = (len * 5 + 3) % 23) {
        if (len > sizeof pieces - at)
            len = sizeof pieces - at;
        websocket_mask(pieces + at, len, key, at);
    }
    assert_memory_equal(data, pieces, sizeof data);
    for (size_t i = 0; i < sizeof data; i++)
        assert_int_equal(data[i], (uint8_t)(i * 7) ^ key[i % 4]);
}

static const struct {
    const char *name;
    const char *text;
    bool good, whole;
} texts[] = {
    {"letters", "Hello", true, true},
    {"two octets", "\xc2\xa2", true, true},
    {"three", "\xe2\x82\xac", true, true},
    {"four", "\xf0\x9f\x98\x80", true, true},
    {"the last character", "\xf4\x8f\xbf\xbf", true, true},
    {"one beyond", "\xf4\x90\x80\x80", false, false},
    {"half of one", "\xe2\x82", true, false},
    {"overlong slash", "\xc0\xaf", false, false},
    {"overlong in three", "\xe0\x9f\xbf", false, false},
    {"overlong in four", "\xf0\x8f\xbf\xbf", false, false},
    {"a surrogate (RFC 6455 §8.1)", "\xed\xa0\x80", false, false},
    {"before the surrogates", "\xed\x9f\xbf", true, true},
    {"a continuation alone", "\x80", false, false},
    {"no octet of any text", "\xff", false, false},
    {"a letter within a character", "\xe2x", false, false},
};

static void utf8(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        for (size_t piece = 1; piece <= 4; piece++) {
            struct websocket_utf8 utf8_state = {0};
            struct bytes rest = bytes_of_text(texts[i].text);
            bool good = true;
            while (rest.len > 0 && good) {
                good = websocket_utf8_input(&utf8_state, bytes_first(rest, piece));
                rest = bytes_after(rest, piece);
            }
            CHECK_EQUAL(texts[i].name, good, texts[i].good);
            if (good)
                CHECK_EQUAL(texts[i].name, websocket_utf8_whole(&utf8_state), texts[i].whole);
        }
    }
}

/* §7.4. */
static void codes(void **state UNUSED)
{
    static const unsigned good[] = {1000, 1001, 1002, 1003, 1007, 1011, 1014, 3000, 4999};
    static const unsigned bad[] = {0, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65535};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(websocket_code_valid(good[i]));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(websocket_code_valid(bad[i]));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers),
        cmocka_unit_test(masks),
        cmocka_unit_test(utf8),
        cmocka_unit_test(codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
