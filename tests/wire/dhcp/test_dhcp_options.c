/* SPDX-License-Identifier: ISC */
/* Structured DHCP options: masks, RFC 3442 routes, RFC 3397 search lists, names. */
#include "tests/support/check.h"
#include "wire/dhcp/dhcp_options.h"

static void masks(void **state UNUSED)
{
    uint8_t len = 99;
    assert_true(dhcp_mask_len(0xffffff00, &len) && len == 24);
    assert_true(dhcp_mask_len(0xffffffff, &len) && len == 32);
    assert_true(dhcp_mask_len(0, &len) && len == 0);
    assert_true(dhcp_mask_len(0x80000000, &len) && len == 1);
    assert_false(dhcp_mask_len(0xff00ff00, &len));
    assert_false(dhcp_mask_len(0x7fffffff, &len));
    assert_false(dhcp_mask_len(1, &len));
    assert_int_equal(len, 1);
}

static const struct {
    const char *name;
    const char *in;
    size_t len;
    bool want;
    size_t count;
} route_cases[] = {
    {"default route: width 0, no octets", "\x00\x0a\x00\x02\x01", 5, true, 1},
    {"a /24 and a /32", "\x18\x0a\x00\x05\x0a\x00\x02\x01\x20\x0a\x01\x01\x01\x0a\x00\x02\x02", 17, true, 2},
    {"a /9 has two significant octets", "\x09\x0a\x80\x0a\x00\x02\x01", 7, true, 1},
    {"nothing", "", 0, true, 0},
    {"width 33", "\x21\x0a\x00\x00\x00\x00\x0a\x00\x02\x01", 10, false, 0},
    {"cut in the destination", "\x18\x0a\x00", 3, false, 0},
    {"cut in the router", "\x08\x0a\x0a\x00\x02", 5, false, 0},
};

static void classless_routes(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(route_cases); i++) {
        struct dhcp_route routes[4];
        size_t count = 99;
        uint8_t *exact = exact_copy(route_cases[i].in, route_cases[i].len);
        struct bytes in = bytes_of(exact, route_cases[i].len);
        bool ok = dhcp_routes_decode(in, routes, 4, &count);
        CHECK_EQUAL(route_cases[i].name, ok, route_cases[i].want);
        CHECK_EQUAL(route_cases[i].name, count, ok ? route_cases[i].count : 99);
        if (ok) {
            uint8_t out[32];
            struct writer w = writer_of(out, sizeof out);
            for (size_t j = 0; j < count; j++)
                dhcp_route_encode(&w, &routes[j]);
            CHECK(route_cases[i].name, bytes_equal(writer_bytes(&w), in));
        }
        free(exact);
    }
    struct dhcp_route route;
    size_t count;
    assert_true(dhcp_routes_decode(bytes_of("\x08\x0a\x0a\x00\x02\x01\x00\x0a\x00\x02\x02", 11), &route,
                                   1, &count));
    assert_int_equal(count, 1); /* the rest has no room, but is checked */
    assert_int_equal(route.to.len, 8);
    assert_int_equal(address_v4_value(&route.to.address), 0x0a000000);
    assert_int_equal(address_v4_value(&route.via), 0x0a000201);
    /* Bits beyond the width are none of the route's. */
    assert_true(dhcp_routes_decode(bytes_of("\x09\x0a\xff\x0a\x00\x02\x01", 7), &route, 1, &count));
    assert_int_equal(address_v4_value(&route.to.address), 0x0a800000);
}

static const struct {
    const char *name;
    const char *in;
    size_t len;
    bool clean; /* read to its end */
    const char *want;
} search_cases[] = {
    {"one name", "\x04home\x04" "arpa\x00", 11, true, "home.arpa "},
    {"two names", "\x01" "a\x00\x01" "b\x01" "c\x00", 8, true, "a b.c "},
    {"RFC 3397 §2: a pointer to the tail of the first name",
     "\x03" "eng\x05" "apple\x03" "com\x00\x09" "marketing\xc0\x04", 27, true, "eng.apple.com marketing.apple.com "},
    {"a pointer to itself", "\xc0\x00", 2, false, ""},
    {"a pointer forwards", "\x01" "a\xc0\x05\x01" "b\x00", 7, false, ""},
    {"a loop of pointers", "\x01" "a\x00\x01" "b\xc0\x03", 7, false, "a "},
    {"cut in a label", "\x05hom", 4, false, ""},
    {"cut before the end of the name", "\x04home", 5, false, ""},
    {"cut in a pointer", "\x01" "a\xc0", 3, false, ""},
    {"a label type of RFC 1035's future", "\x80" "a\x00", 3, false, ""},
    {"an octet that a resolver's file must not see", "\x03" "a b\x00", 5, false, ""},
    {"a new line neither", "\x02" "a\n\x00", 4, false, ""},
    {"the root is no search domain", "\x00", 1, false, ""},
    {"nothing", "", 0, true, ""},
};

static void search_lists(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(search_cases); i++) {
        uint8_t *exact = exact_copy(search_cases[i].in, search_cases[i].len);
        char all[600] = "";
        char name[DHCP_NAME_MAX];
        size_t at = 0;
        while (dhcp_search_next(bytes_of(exact, search_cases[i].len), &at, name)) {
            strcat(all, name);
            strcat(all, " ");
        }
        free(exact);
        CHECK(search_cases[i].name, strcmp(all, search_cases[i].want) == 0);
        CHECK_EQUAL(search_cases[i].name, at == search_cases[i].len, search_cases[i].clean);
    }
}

static void search_names_are_encoded(void **state UNUSED)
{
    uint8_t out[300];
    struct writer w = writer_of(out, sizeof out);
    assert_true(dhcp_search_encode(&w, "home.arpa."));
    assert_int_equal(writer_len(&w), 11);
    assert_memory_equal(out, "\x04home\x04" "arpa\x00", 11);
    assert_false(dhcp_search_encode(&w, ""));
    assert_false(dhcp_search_encode(&w, "."));
    assert_false(dhcp_search_encode(&w, "a..b"));
    assert_false(dhcp_search_encode(&w, ".a"));
    assert_int_equal(writer_len(&w), 11);
}

static void the_longest_name_fits(void **state UNUSED)
{
    uint8_t in[300];
    struct writer w = writer_of(in, sizeof in);
    for (int i = 0; i < 4; i++) {
        size_t len = i < 3 ? 63 : 61;
        write_u8(&w, (uint8_t)len);
        for (size_t j = 0; j < len; j++)
            write_u8(&w, 'x');
    }
    write_u8(&w, 0);
    char name[DHCP_NAME_MAX];
    size_t at = 0;
    assert_true(dhcp_search_next(writer_bytes(&w), &at, name));
    assert_int_equal(strlen(name), 253);
    in[3 * 64] = 62; /* one octet more */
    in[3 * 64 + 62] = 'x';
    in[3 * 64 + 63] = 0;
    at = 0;
    assert_false(dhcp_search_next(bytes_of(in, 3 * 64 + 64), &at, name));
}

static const struct {
    const char *in;
    const char *want; /* NULL: not a label */
} host_cases[] = {
    {"laptop", "laptop"},   {"LapTop-7", "laptop-7"}, {"laptop.example.com", "laptop"},
    {"", NULL},             {".a", NULL},             {"-a", NULL},
    {"a-", NULL},           {"a b", NULL},            {"a_b", NULL},
    {"caf\xc3\xa9", NULL},  {"7", "7"},               {"a/../b", NULL},
};

static void host_names(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(host_cases); i++) {
        char out[DHCP_LABEL_MAX] = "untouched";
        bool ok = dhcp_host_label(bytes_of_text(host_cases[i].in), out);
        CHECK_EQUAL(host_cases[i].in, ok, host_cases[i].want != NULL);
        CHECK(host_cases[i].in, strcmp(out, ok ? host_cases[i].want : "untouched") == 0);
    }
    char out[DHCP_LABEL_MAX];
    char label[65];
    memset(label, 'x', sizeof label);
    assert_true(dhcp_host_label(bytes_of(label, 63), out));
    assert_int_equal(strlen(out), 63);
    assert_false(dhcp_host_label(bytes_of(label, 64), out));
    assert_true(dhcp_host_label(bytes_of("pc\0", 3), out));
    assert_string_equal(out, "pc");
}

static void domain_names(void **state UNUSED)
{
    char out[DHCP_NAME_MAX];
    assert_true(dhcp_domain_text(bytes_of("home.arpa.\0", 11), out));
    assert_string_equal(out, "home.arpa");
    assert_true(dhcp_domain_text(bytes_of_text("_tcp.local"), out));
    assert_false(dhcp_domain_text(bytes_of_text("home..arpa"), out));
    assert_false(dhcp_domain_text(bytes_of_text("home arpa"), out));
    assert_false(dhcp_domain_text(bytes_of("a\0b", 3), out));
    assert_false(dhcp_domain_text(bytes_empty(), out));
    char text[300];
    memset(text, 'x', sizeof text);
    for (size_t i = 50; i < sizeof text; i += 50)
        text[i] = '.';
    assert_true(dhcp_domain_text(bytes_of(text, 253), out));
    assert_false(dhcp_domain_text(bytes_of(text, 254), out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masks),
        cmocka_unit_test(classless_routes),
        cmocka_unit_test(search_lists),
        cmocka_unit_test(search_names_are_encoded),
        cmocka_unit_test(the_longest_name_fits),
        cmocka_unit_test(host_names),
        cmocka_unit_test(domain_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
