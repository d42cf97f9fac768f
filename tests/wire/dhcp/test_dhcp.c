/* SPDX-License-Identifier: ISC */
/* DHCP messages to and from octets: RFC 2131 §2, RFC 2132, RFC 3396. */
#include "tests/support/check.h"
#include "wire/dhcp/dhcp.h"

enum { OPTIONS_AT = DHCP_HEADER_LEN + 4, SNAME_AT = 44, FILE_AT = 108 };

/* A request with the given options area, and perhaps options in file and sname. */
struct sample {
    uint8_t octets[DHCP_MESSAGE_MAX + 64];
    size_t len;
};

static void sample_make(struct sample *s, const void *options, size_t len)
{
    memset(s, 0, sizeof *s);
    static const uint8_t head[] = {1, 1, 6, 0, 0xde, 0xad, 0xbe, 0xef, 0, 7, 0x80, 0};
    memcpy(s->octets, head, sizeof head);
    memcpy(s->octets + 12, "\x0a\x00\x02\x0f\x0a\x00\x02\x10\x0a\x00\x02\x11\x0a\x00\x02\x12", 16);
    memcpy(s->octets + 28, "\x02\x00\x00\x00\x00\x01", 6);
    memcpy(s->octets + DHCP_HEADER_LEN, "\x63\x82\x53\x63", 4);
    memcpy(s->octets + OPTIONS_AT, options, len);
    s->len = OPTIONS_AT + len;
}

static enum wire_status decode(const struct sample *s, struct dhcp_message *out)
{
    uint8_t *exact = exact_copy(s->octets, s->len);
    enum wire_status status = dhcp_decode(bytes_of(exact, s->len), out);
    free(exact);
    return status;
}

static void fixed_fields_are_read(void **state UNUSED)
{
    struct sample s;
    sample_make(&s, "\x35\x01\x01\xff", 4);
    memcpy(s.octets + SNAME_AT, "server", 6);
    memcpy(s.octets + FILE_AT, "boot", 4);
    struct dhcp_message m;
    assert_int_equal(decode(&s, &m), WIRE_OK);
    assert_int_equal(m.op, DHCP_BOOTREQUEST);
    assert_int_equal(m.htype, DHCP_HTYPE_ETHERNET);
    assert_int_equal(m.hlen, 6);
    assert_int_equal(m.xid, 0xdeadbeef);
    assert_int_equal(m.secs, 7);
    assert_int_equal(m.flags, DHCP_FLAG_BROADCAST);
    assert_int_equal(m.ciaddr, 0x0a00020f);
    assert_int_equal(m.yiaddr, 0x0a000210);
    assert_int_equal(m.siaddr, 0x0a000211);
    assert_int_equal(m.giaddr, 0x0a000212);
    assert_memory_equal(m.chaddr, "\x02\x00\x00\x00\x00\x01\x00", 7);
    assert_string_equal((const char *)m.sname, "server");
    assert_string_equal((const char *)m.file, "boot");
    assert_int_equal(dhcp_message_type(&m), DHCP_DISCOVER);
}

static const struct {
    const char *name;
    const char *options;
    size_t len;
    enum wire_status want;
    size_t count;
} cases[] = {
    {"no option at all is BOOTP with a cookie", "\xff", 1, WIRE_OK, 0},
    {"an empty options area is forgiven", "", 0, WIRE_OK, 0},
    {"a missing end option is forgiven", "\x35\x01\x01", 3, WIRE_OK, 1},
    {"pads are skipped wherever they are", "\x00\x00\x35\x01\x01\x00\x0c\x01h\x00\xff", 11, WIRE_OK, 2},
    {"what follows the end option is not read", "\x35\x01\x01\xff\x0c\x05", 6, WIRE_OK, 1},
    {"an option of no octets is kept", "\x50\x00\xff", 3, WIRE_OK, 1},
    {"unknown options are kept", "\xfe\x02xy\x35\x01\x01\xff", 8, WIRE_OK, 2},
    {"a code without a length", "\x35", 1, WIRE_TRUNCATED, 0},
    {"a length beyond the area", "\x35\x01\x01\x0c\x02h", 6, WIRE_TRUNCATED, 0},
    {"two overload options", "\x34\x01\x01\x34\x01\x01\xff", 7, WIRE_MALFORMED, 0},
    {"overload 0 (RFC 2132 §9.3)", "\x34\x01\x00\xff", 4, WIRE_MALFORMED, 0},
    {"overload 4", "\x34\x01\x04\xff", 4, WIRE_MALFORMED, 0},
    {"an overload of two octets", "\x34\x02\x01\x01\xff", 5, WIRE_MALFORMED, 0},
};

static void options_areas_are_checked(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sample s;
        struct dhcp_message m;
        m.option_count = 99;
        sample_make(&s, cases[i].options, cases[i].len);
        CHECK_EQUAL(cases[i].name, decode(&s, &m), cases[i].want);
        CHECK_EQUAL(cases[i].name, m.option_count, cases[i].want == WIRE_OK ? cases[i].count : 99);
    }
}

static void fixed_part_is_checked(void **state UNUSED)
{
    struct sample s;
    struct dhcp_message m;
    sample_make(&s, "\xff", 1);
    for (s.len = 0; s.len < DHCP_HEADER_LEN; s.len++)
        CHECK_EQUAL("cut in the fixed part", decode(&s, &m), WIRE_TRUNCATED);
    for (; s.len < OPTIONS_AT; s.len++)
        CHECK_EQUAL("cut in the cookie", decode(&s, &m), WIRE_UNSUPPORTED);
    s.len = DHCP_MESSAGE_MAX + 1;
    CHECK_EQUAL("longer than we take", decode(&s, &m), WIRE_UNSUPPORTED);
    s.len = DHCP_MESSAGE_MAX;
    CHECK_EQUAL("as long as we take", decode(&s, &m), WIRE_OK);
    s.octets[0] = 3;
    CHECK_EQUAL("neither request nor reply", decode(&s, &m), WIRE_MALFORMED);
    s.octets[0] = 2;
    s.octets[2] = 17;
    CHECK_EQUAL("a hardware address longer than its field", decode(&s, &m), WIRE_MALFORMED);
    s.octets[2] = 16;
    CHECK_EQUAL("a hardware address as long as its field", decode(&s, &m), WIRE_OK);
}

static void pieces_of_an_option_are_joined(void **state UNUSED)
{
    struct sample s;
    struct dhcp_message m;
    sample_make(&s, "\x0c\x02wh\x35\x01\x05\x0c\x03ole\x34\x01\x03\xff", 15);
    memcpy(s.octets + FILE_AT, "\x0c\x01n\xff", 4);
    memcpy(s.octets + SNAME_AT, "\x0c\x02" "et\x36\x04\x0a\x00\x02\x01\xff", 11);
    assert_int_equal(decode(&s, &m), WIRE_OK);
    struct bytes name;
    assert_true(dhcp_find(&m, DHCP_HOST_NAME, &name));
    assert_true(bytes_equal(name, bytes_of_text("wholenet"))); /* options, file, sname: RFC 3396 §5 */
    uint32_t server = 0;
    assert_true(dhcp_find_u32(&m, DHCP_SERVER_ID, &server));
    assert_int_equal(server, 0x0a000201);
    assert_false(dhcp_has(&m, DHCP_OVERLOAD));
    assert_int_equal(m.sname[0], 0);
    assert_int_equal(m.file[0], 0);
    assert_int_equal(m.options[0].code, DHCP_HOST_NAME);
    assert_int_equal(m.options[1].code, DHCP_MESSAGE_TYPE);
}

static void only_the_named_field_is_overloaded(void **state UNUSED)
{
    struct sample s;
    struct dhcp_message m;
    sample_make(&s, "\x34\x01\x02\x35\x01\x02\xff", 7);
    memcpy(s.octets + FILE_AT, "\x0c\x01n\xff", 4);
    memcpy(s.octets + SNAME_AT, "\x0c\x01s\xff", 4);
    assert_int_equal(decode(&s, &m), WIRE_OK);
    struct bytes name;
    assert_true(dhcp_find(&m, DHCP_HOST_NAME, &name));
    assert_true(bytes_equal(name, bytes_of_text("s")));
    assert_memory_equal(m.file, "\x0c\x01n\xff", 4);
    assert_int_equal(m.sname[0], 0);
    /* An overload option within an overloaded field is none. */
    memcpy(s.octets + SNAME_AT, "\x34\x01\x01\xff", 4);
    assert_int_equal(decode(&s, &m), WIRE_OK);
    assert_false(dhcp_has(&m, DHCP_HOST_NAME));
}

static void typed_reads_check_the_length(void **state UNUSED)
{
    struct sample s;
    struct dhcp_message m;
    sample_make(&s, "\x35\x02\x01\x01\x33\x03\x00\x00\x01\x39\x01\x05\x06\x06\x01\x02\x03\x04\x05\x06"
                    "\x03\x08\x01\x02\x03\x04\x05\x06\x07\x08\xff", 31);
    assert_int_equal(decode(&s, &m), WIRE_OK);
    assert_int_equal(dhcp_message_type(&m), DHCP_NO_TYPE);
    uint32_t lease = 42;
    uint16_t size = 42;
    uint32_t list[4] = {0};
    assert_false(dhcp_find_u32(&m, DHCP_LEASE_TIME, &lease));
    assert_false(dhcp_find_u16(&m, DHCP_MAX_SIZE, &size));
    assert_int_equal(lease, 42);
    assert_int_equal(size, 42);
    assert_int_equal(dhcp_find_addresses(&m, DHCP_DNS_SERVER, list, 4), 0);
    assert_int_equal(dhcp_find_addresses(&m, DHCP_NTP_SERVER, list, 4), 0);
    assert_int_equal(dhcp_find_addresses(&m, DHCP_ROUTER, list, 1), 1);
    assert_int_equal(dhcp_find_addresses(&m, DHCP_ROUTER, list, 4), 2);
    assert_int_equal(list[0], 0x01020304);
    assert_int_equal(list[1], 0x05060708);
}

static void canonical_messages_survive_the_round_trip(void **state UNUSED)
{
    struct sample s;
    struct dhcp_message m;
    sample_make(&s, "\x35\x01\x01\x3d\x07\x01\x02\x00\x00\x00\x00\x01\x37\x03\x01\x03\x06\x0c\x01h\xff", 21);
    memcpy(s.octets + FILE_AT, "boot", 4);
    s.len = DHCP_MESSAGE_MIN;
    assert_int_equal(decode(&s, &m), WIRE_OK);
    uint8_t out[DHCP_MESSAGE_MAX];
    struct writer w = writer_of(out, sizeof out);
    assert_int_equal(dhcp_encode(&m, DHCP_MESSAGE_DEFAULT, &w), WIRE_OK);
    assert_int_equal(writer_len(&w), DHCP_MESSAGE_MIN);
    assert_memory_equal(out, s.octets, DHCP_MESSAGE_MIN);
}

static void reply_with(struct dhcp_message *m, size_t len)
{
    uint8_t value[600];
    for (size_t i = 0; i < sizeof value; i++)
        value[i] = (uint8_t)(i * 7);
    dhcp_message_init(m);
    m->op = DHCP_BOOTREPLY;
    dhcp_put_u8(m, DHCP_MESSAGE_TYPE, DHCP_ACK);
    dhcp_put_u16(m, DHCP_INTERFACE_MTU, 1500);
    dhcp_put_u32(m, DHCP_LEASE_TIME, 3600);
    dhcp_put(m, DHCP_CLASSLESS_ROUTES, bytes_of(value, len));
}

/* Encodes within size_max, decodes, and wants the same options again. */
static enum wire_status there_and_back(const struct dhcp_message *m, size_t size_max, size_t *len)
{
    uint8_t out[DHCP_MESSAGE_MAX];
    struct writer w = writer_of(out, sizeof out);
    enum wire_status status = dhcp_encode(m, size_max, &w);
    *len = writer_len(&w);
    if (status != WIRE_OK)
        return status;
    assert_in_range(*len, DHCP_MESSAGE_MIN, size_max);
    struct dhcp_message again;
    uint8_t *exact = exact_copy(out, *len);
    assert_int_equal(dhcp_decode(bytes_of(exact, *len), &again), WIRE_OK);
    free(exact);
    assert_int_equal(again.option_count, m->option_count);
    for (size_t i = 0; i < m->option_count; i++) {
        struct bytes a;
        struct bytes b = bytes_empty();
        uint8_t code = m->options[i].code;
        assert_int_equal(again.options[i].code, code);
        assert_true(dhcp_find(m, code, &a) && dhcp_find(&again, code, &b));
        assert_true(bytes_equal(a, b));
    }
    assert_memory_equal(again.file, m->file, sizeof m->file);
    assert_memory_equal(again.sname, m->sname, sizeof m->sname);
    return WIRE_OK;
}

static void long_options_are_split_and_spill_over(void **state UNUSED)
{
    struct dhcp_message m;
    size_t len;
    reply_with(&m, 600);
    assert_int_equal(there_and_back(&m, DHCP_MESSAGE_MAX, &len), WIRE_OK);
    assert_int_equal(len, OPTIONS_AT + 3 + 4 + 6 + 600 + 3 * 2 + 1);
    /* Every length in a message that ends within options, within file, within sname, or nowhere. */
    size_t last = 0;
    for (size_t n = 0; n <= 600; n++) {
        reply_with(&m, n);
        enum wire_status status = there_and_back(&m, DHCP_MESSAGE_DEFAULT, &len);
        if (status == WIRE_OK)
            assert_int_equal(last, n == 0 ? 0 : n - 1);
        if (status == WIRE_OK)
            last = n;
    }
    /* 548 - 240 - 3 (overload) - 1 - 13, two headers; 127 and 63 in the fields, a header each. */
    assert_int_equal(last, 291 - 4 + 125 + 61);
}

static void fields_in_use_are_not_overloaded(void **state UNUSED)
{
    struct dhcp_message m;
    size_t len;
    reply_with(&m, 300);
    memcpy(m.file, "boot", 4);
    assert_int_equal(there_and_back(&m, DHCP_MESSAGE_DEFAULT, &len), WIRE_OK);
    memcpy(m.sname, "server", 6);
    assert_int_equal(there_and_back(&m, DHCP_MESSAGE_DEFAULT, &len), WIRE_NO_ROOM);
    assert_int_equal(len, 0);
    assert_int_equal(there_and_back(&m, DHCP_MESSAGE_MAX, &len), WIRE_OK);
}

static void a_message_that_overflows_is_not_encoded(void **state UNUSED)
{
    struct dhcp_message m;
    size_t len;
    static const uint8_t big[1000];
    dhcp_message_init(&m);
    dhcp_put(&m, 200, bytes_of(big, sizeof big));
    assert_false(m.overflow);
    dhcp_put(&m, 201, bytes_of(big, sizeof big));
    assert_true(m.overflow);
    assert_int_equal(there_and_back(&m, DHCP_MESSAGE_MAX, &len), WIRE_NO_ROOM);
    uint8_t small[DHCP_MESSAGE_MIN - 1];
    struct writer w = writer_of(small, sizeof small);
    reply_with(&m, 0);
    assert_int_equal(dhcp_encode(&m, DHCP_MESSAGE_DEFAULT, &w), WIRE_NO_ROOM);
    assert_int_equal(writer_len(&w), 0);
}

static void every_code_fits_in_one_message(void **state UNUSED)
{
    struct dhcp_message m;
    size_t len;
    dhcp_message_init(&m);
    m.op = DHCP_BOOTREPLY;
    for (unsigned code = 1; code < 255; code++)
        if (code != DHCP_OVERLOAD)
            dhcp_put_u8(&m, (uint8_t)code, (uint8_t)code);
    assert_int_equal(m.option_count, DHCP_OPTIONS_MAX - 1);
    assert_int_equal(there_and_back(&m, DHCP_MESSAGE_MAX, &len), WIRE_OK);
}

static void types_have_names(void **state UNUSED)
{
    assert_string_equal(dhcp_type_text(DHCP_NAK), "NAK");
    assert_string_equal(dhcp_type_text(DHCP_INFORM), "INFORM");
    assert_string_equal(dhcp_type_text(9), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixed_fields_are_read),
        cmocka_unit_test(options_areas_are_checked),
        cmocka_unit_test(fixed_part_is_checked),
        cmocka_unit_test(pieces_of_an_option_are_joined),
        cmocka_unit_test(only_the_named_field_is_overloaded),
        cmocka_unit_test(typed_reads_check_the_length),
        cmocka_unit_test(canonical_messages_survive_the_round_trip),
        cmocka_unit_test(long_options_are_split_and_spill_over),
        cmocka_unit_test(fields_in_use_are_not_overloaded),
        cmocka_unit_test(a_message_that_overflows_is_not_encoded),
        cmocka_unit_test(every_code_fits_in_one_message),
        cmocka_unit_test(types_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
