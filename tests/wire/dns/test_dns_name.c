/* SPDX-License-Identifier: ISC */
/* test_dns_name.c - names on the wire and as text (RFC 1035 §3.1, §4.1.4, §5.1). */
#include "tests/support/check.h"
#include "wire/dns/dns_name.h"

static struct dns_name name_of(const char *text)
{
    struct dns_name name;
    if (!dns_name_parse(bytes_of_text(text), NULL, &name))
        fail_msg("not a name: %s", text);
    return name;
}

/* Messages: 12 octets of header, then what is given. The name is read at `at`. */
static const struct {
    const char *name;
    const char *in;
    size_t len;
    size_t at;
    const char *want; /* NULL: fails */
    size_t after;     /* where reading goes on */
} wire_cases[] = {
    {"the root", "\0", 1, 12, ".", 13},
    {"two labels", "\3www\2ab", 8, 12, "www.ab.", 20},
    {"case is kept", "\3WwW", 5, 12, "WwW.", 17},
    {"RFC 1035 4.1.4: F.ISI.ARPA, then FOO and a pointer", "\1F\3ISI\4ARPA\0\3FOO\300\14", 18, 24,
     "FOO.F.ISI.ARPA.", 30},
    {"a pointer alone", "\1F\3ISI\4ARPA\0\300\16", 14, 24, "ISI.ARPA.", 26},
    {"a pointer to a pointer", "\1a\0\300\14\300\17", 7, 17, "a.", 19},
    {"an empty message", "", 0, 12, NULL, 0},
    {"no root octet", "\3www", 4, 12, NULL, 0},
    {"a label beyond the end", "\4www", 4, 12, NULL, 0},
    {"half a pointer", "\1a\300", 3, 12, NULL, 0},
    {"a pointer to itself", "\300\14", 2, 12, NULL, 0},
    {"a pointer forwards", "\300\16\1a", 5, 12, NULL, 0},
    {"a loop of two", "\1a\300\20\1b\300\14", 8, 16, NULL, 0},
    {"a name that runs into its own pointer", "\1a\300\14", 4, 12, NULL, 0},
    {"a pointer into the header", "\300\0", 2, 12, NULL, 0},
    {"label type 01", "\101a\0", 3, 12, NULL, 0},
    {"label type 10", "\201a\0", 3, 12, NULL, 0},
};

static void reads_names_from_messages(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(wire_cases); i++) {
        const char *name = wire_cases[i].name;
        uint8_t data[64] = {0};
        size_t len = 12 + wire_cases[i].len;
        memcpy(data + 12, wire_cases[i].in, wire_cases[i].len);
        uint8_t *copy = exact_copy(data, len);
        struct bytes message = bytes_of(copy, len);
        struct reader r = reader_of(message);
        read_skip(&r, wire_cases[i].at);
        struct reader skipper = r;
        struct dns_name got;
        dns_name_read(&r, message, &got);
        CHECK_EQUAL(name, r.failed, wire_cases[i].want == NULL);
        if (wire_cases[i].want != NULL) {
            char text[DNS_NAME_TEXT_MAX];
            assert_string_equal(dns_name_format(&got, text), wire_cases[i].want);
            CHECK_EQUAL(name, r.next - copy, wire_cases[i].after);
            dns_name_skip(&skipper);
            CHECK_EQUAL(name, skipper.failed, false);
            CHECK_EQUAL(name, skipper.next - copy, wire_cases[i].after);
        } else {
            CHECK(name, dns_name_is_root(&got));
        }
        free(copy);
    }
}

static void a_name_in_rdata_ends_with_it(void **state UNUSED)
{
    static const uint8_t data[] = "............\3www\2ab";
    struct bytes message = bytes_of(data, sizeof data);
    struct reader r = reader_of(bytes_of(data + 12, 5));
    struct dns_name got;
    dns_name_read(&r, message, &got);
    assert_true(r.failed);
}

/* 127 labels of one octet fill 255 octets; 128 do not fit. A pointer may complete them. */
static void holds_255_octets_and_not_one_more(void **state UNUSED)
{
    uint8_t data[12 + 300] = {0};
    for (size_t i = 0; i < 128; i++) {
        data[12 + 2 * i] = 1;
        data[13 + 2 * i] = 'a';
    }
    for (size_t labels = 127; labels <= 128; labels++) {
        struct bytes message = bytes_of(data, sizeof data);
        struct reader r = reader_of(message);
        read_skip(&r, 12 + 2 * (128 - labels));
        struct dns_name got;
        dns_name_read(&r, message, &got);
        assert_int_equal(r.failed, labels == 128);
        if (labels == 127) {
            assert_int_equal(got.len, 255);
            struct dns_labels at;
            dns_name_labels(&got, &at);
            assert_int_equal(at.count, 127);
            struct dns_name longer;
            assert_false(dns_name_child(bytes_of_text("b"), &got, &longer));
        }
    }
    /* 255 octets of labels leave no room for the root. */
    data[10] = 2;
    data[11] = 'a';
    data[12] = 'a';
    memmove(data + 13, data + 14, 254);
    data[13 + 252] = 0;
    uint8_t long_name[12 + 256] = {0};
    memcpy(long_name + 12, data + 10, 256);
    struct reader long_reader = reader_of(bytes_of(long_name, sizeof long_name));
    read_skip(&long_reader, 12);
    struct dns_name long_got;
    dns_name_read(&long_reader, bytes_of(long_name, sizeof long_name), &long_got);
    assert_true(long_reader.failed);
    for (size_t i = 0; i < 128; i++) {
        data[12 + 2 * i] = 1;
        data[13 + 2 * i] = 'a';
    }

    /* Two more labels through a pointer to 126 of them. */
    data[12 + 252] = 0;
    static const uint8_t tail[] = {1, 'b', 0xc0, 12, 1, 'b', 1, 'b', 0xc0, 12};
    memcpy(data + 12 + 253, tail, sizeof tail);
    struct bytes message = bytes_of(data, 12 + 253 + sizeof tail);
    struct dns_name got;
    struct reader r = reader_of(message);
    read_skip(&r, 12 + 253);
    dns_name_read(&r, message, &got);
    assert_false(r.failed);
    assert_int_equal(got.len, 255);
    dns_name_read(&r, message, &got);
    assert_true(r.failed);
}

static const struct {
    const char *name;
    const char *in;
    const char *origin;
    const char *want; /* NULL: refused */
} text_cases[] = {
    {"absolute", "www.example.com.", "home.arpa", "www.example.com."},
    {"relative", "www", "home.arpa", "www.home.arpa."},
    {"relative, without an origin", "www.x", NULL, "www.x."},
    {"the origin", "@", "home.arpa", "home.arpa."},
    {"the root", ".", "home.arpa", "."},
    {"a dot in a label", "a\\.b.c", NULL, "a\\.b.c."},
    {"an escaped final dot is no end", "a\\.", "z", "a\\..z."},
    {"a decimal escape", "a\\000b\\255.c.", NULL, "a\\000b\\255.c."},
    {"a needless escape", "\\w\\119w.", NULL, "www."},
    {"a space", "a\\032b.", NULL, "a\\032b."},
    {"special characters", "\\@\\;\\(\\\"\\$.", NULL, "\\@\\;\\(\\\"\\$."},
    {"empty", "", NULL, NULL},
    {"an empty label", "a..b", NULL, NULL},
    {"a leading dot", ".a", NULL, NULL},
    {"an open escape", "a\\", NULL, NULL},
    {"a short decimal escape", "a\\12", NULL, NULL},
    {"a decimal escape with a letter", "a\\12x", NULL, NULL},
    {"a decimal escape beyond 255", "a\\256", NULL, NULL},
    {"a label of 63", "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg.", NULL,
     "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg."},
    {"a label of 64", "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg.", NULL,
     NULL},
};

static void reads_and_writes_text(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(text_cases); i++) {
        const char *name = text_cases[i].name;
        struct dns_name origin;
        if (text_cases[i].origin != NULL)
            origin = name_of(text_cases[i].origin);
        size_t len = strlen(text_cases[i].in);
        uint8_t *copy = exact_copy(text_cases[i].in, len);
        struct dns_name got;
        bool ok = dns_name_parse(bytes_of(copy, len),
                                 text_cases[i].origin != NULL ? &origin : NULL, &got);
        free(copy);
        CHECK_EQUAL(name, ok, text_cases[i].want != NULL);
        if (!ok)
            continue;
        char text[DNS_NAME_TEXT_MAX];
        assert_string_equal(dns_name_format(&got, text), text_cases[i].want);
        struct dns_name again;
        assert_true(dns_name_from_wire(dns_name_bytes(&got), &again));
        assert_true(dns_name_same(&got, &again));
    }
}

static void text_of_the_longest_name_fits(void **state UNUSED)
{
    uint8_t wire[255];
    size_t at = 0;
    for (size_t label = 0; label < 4; label++) {
        size_t len = label < 3 ? 63 : 61;
        wire[at++] = (uint8_t)len;
        memset(wire + at, 0xff, len);
        at += len;
    }
    wire[at++] = 0;
    assert_int_equal(at, 255);
    struct dns_name name;
    assert_true(dns_name_from_wire(bytes_of(wire, at), &name));
    char *text = malloc(DNS_NAME_TEXT_MAX);
    dns_name_format(&name, text);
    assert_int_equal(strlen(text), DNS_NAME_TEXT_MAX - 1);
    struct dns_name again;
    assert_true(dns_name_parse(bytes_of_text(text), NULL, &again));
    assert_true(dns_name_same(&name, &again));
    /* One octet more in the text is refused. */
    struct dns_name origin = name_of("x");
    text[strlen(text) - 1] = '\0';
    assert_false(dns_name_parse(bytes_of_text(text), &origin, &again));
    free(text);
}

static void wire_form_must_be_whole(void **state UNUSED)
{
    struct dns_name name;
    assert_false(dns_name_from_wire(bytes_of("\1a", 2), &name));
    assert_false(dns_name_from_wire(bytes_of("\1a\0\0", 4), &name));
    assert_false(dns_name_from_wire(bytes_of("\5a\0", 3), &name));
    assert_false(dns_name_from_wire(bytes_of("\300\14", 2), &name));
    assert_false(dns_name_from_wire(bytes_empty(), &name));
}

static void compares_without_case(void **state UNUSED)
{
    struct dns_name a = name_of("WWW.Example.com");
    struct dns_name b = name_of("www.eXample.COM");
    assert_true(dns_name_equal(&a, &b));
    assert_false(dns_name_same(&a, &b));
    assert_int_equal(dns_name_hash(&a), dns_name_hash(&b));
    dns_name_lower(&a);
    dns_name_lower(&b);
    assert_true(dns_name_same(&a, &b));
    struct dns_name c = name_of("[www.example.com");
    struct dns_name d = name_of("{www.example.com");
    assert_false(dns_name_equal(&c, &d)); /* letters only */
}

static void knows_ancestors_by_label(void **state UNUSED)
{
    static const struct {
        const char *name;
        const char *ancestor;
        bool want;
    } cases[] = {
        {"a.b.c", "b.c", true},   {"a.b.c", "B.C", true}, {"b.c", "b.c", true},
        {"a.b.c", ".", true},     {".", ".", true},       {"b.c", "a.b.c", false},
        {"ab.c", "b.c", false},   {"a.b.c", "a.c", false}, {".", "c", false},
        {"a\\.b.c", "b.c", false},
        {"x\\001b.c", "b.c", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct dns_name name = name_of(cases[i].name);
        struct dns_name ancestor = name_of(cases[i].ancestor);
        CHECK_EQUAL(cases[i].name, dns_name_within(&name, &ancestor), cases[i].want);
    }
    struct dns_name name = name_of("a.b");
    dns_name_parent(&name, &name);
    struct dns_name b = name_of("b");
    assert_true(dns_name_same(&name, &b));
    dns_name_parent(&name, &name);
    dns_name_parent(&name, &name);
    assert_true(dns_name_is_root(&name));
}

static void reverses_addresses(void **state UNUSED)
{
    static const struct {
        const char *address;
        const char *name;
    } cases[] = {
        {"192.0.2.10", "10.2.0.192.in-addr.arpa."},
        {"0.255.100.9", "9.100.255.0.in-addr.arpa."},
        {"2001:db8::567:89ab",
         "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa."},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct ip_address address;
        assert_true(address_parse(bytes_of_text(cases[i].address), &address));
        struct dns_name name;
        dns_name_reverse(&address, &name);
        char text[DNS_NAME_TEXT_MAX];
        assert_string_equal(dns_name_format(&name, text), cases[i].name);
        struct ip_address back;
        assert_true(dns_name_reverse_address(&name, &back));
        assert_true(address_equal(&address, &back));
    }
    static const char *const others[] = {
        "2.0.192.in-addr.arpa",    "1.10.2.0.192.in-addr.arpa", "010.2.0.192.in-addr.arpa",
        "256.2.0.192.in-addr.arpa", "x.2.0.192.in-addr.arpa",    "10.2.0.192.in-addr.arpb",
        "10.2.0.192.ip6.arpa",      "b.a.9.8.ip6.arpa",          ".",
    };
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        struct dns_name name = name_of(others[i]);
        struct ip_address address;
        CHECK(others[i], !dns_name_reverse_address(&name, &address));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_names_from_messages),
        cmocka_unit_test(a_name_in_rdata_ends_with_it),
        cmocka_unit_test(holds_255_octets_and_not_one_more),
        cmocka_unit_test(reads_and_writes_text),
        cmocka_unit_test(text_of_the_longest_name_fits),
        cmocka_unit_test(wire_form_must_be_whole),
        cmocka_unit_test(compares_without_case),
        cmocka_unit_test(knows_ancestors_by_label),
        cmocka_unit_test(reverses_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
