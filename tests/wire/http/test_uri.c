/* SPDX-License-Identifier: ISC */
#include "wire/http/uri.h"
#include "tests/support/check.h"

static const struct {
    const char *path, *want; /* NULL: refused */
} paths[] = {
    {"/", "/"},
    {"/a/b", "/a/b"},
    {"/a/b/", "/a/b/"},
    {"/a//b///c", "/a/b/c"},
    {"//", "/"},
    {"/a/./b/../c", "/a/c"},
    {"/mid/content=5/../6", "/mid/6"}, /* RFC 3986 §5.2.4 */
    {"/a/b/c/./../../g", "/a/g"},      /* the same section */
    {"/..", "/"},
    {"/../../etc/passwd", "/etc/passwd"},
    {"/a/..", "/"},
    {"/a/../", "/"},
    {"/a/.", "/a/"},
    {"/a/b/..", "/a/"},
    {"/%2e%2e/x", "/x"},
    {"/a/%2E./x", "/x"},
    {"/.../x", "/.../x"},
    {"/..a/.b/c..", "/..a/.b/c.."},
    {"/a%20b", "/a b"},
    {"/%c3%a9", "/\xc3\xa9"},
    {"/a%2", NULL},
    {"/a%", NULL},
    {"/a%zz", NULL},
    {"/a%00b", NULL},
    {"/a%2fb", NULL},
    {"/a%2F..%2f..%2fetc", NULL},
    {"/a\\b", NULL},
    {"/a%5c..", NULL},
    {"/a%0d%0ab", NULL},
    {"/a%7f", NULL},
    {"a", NULL},
    {"", NULL},
};

/* 9110/17.3-1. */
static void decoded_paths_stay_below_the_root(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        size_t len = strlen(paths[i].path);
        uint8_t *copy = exact_copy(paths[i].path, len);
        char *out = malloc(len + 1);
        size_t got = uri_path_decode(bytes_of(copy, len), out, len);
        CHECK_EQUAL(paths[i].path, got, paths[i].want != NULL ? strlen(paths[i].want) : 0);
        if (paths[i].want != NULL)
            CHECK(paths[i].path, memcmp(out, paths[i].want, got) == 0);
        free(out);
        free(copy);
    }
}

static void a_path_without_room_is_refused(void **state UNUSED)
{
    char out[4];
    assert_int_equal(uri_path_decode(bytes_of_text("/abc"), out, 4), 4);
    assert_int_equal(uri_path_decode(bytes_of_text("/abcd"), out, 4), 0);
    assert_int_equal(uri_path_decode(bytes_of_text("/"), out, 0), 0);
    assert_int_equal(uri_path_encode(bytes_of_text("/a b"), out, 4), 0);
}

static void encoding_is_the_inverse(void **state UNUSED)
{
    char name[256] = "/";
    size_t len = 1;
    for (unsigned c = 0x20; c < 256; c++)
        if (c != '/' && c != '\\' && c != 0x7f)
            name[len++] = (char)c;
    char encoded[800];
    char decoded[256];
    size_t encoded_len = uri_path_encode(bytes_of(name, len), encoded, sizeof encoded);
    assert_true(encoded_len > len);
    assert_int_equal(uri_path_decode(bytes_of(encoded, encoded_len), decoded, sizeof decoded), len);
    assert_memory_equal(decoded, name, len);
}

static const struct {
    const char *method, *target;
    bool want;
    enum uri_form form;
    const char *authority, *path, *query;
} targets[] = {
    {"GET", "/where?q=now", true, URI_ORIGIN, "", "/where", "q=now"},
    {"GET", "/?", true, URI_ORIGIN, "", "/", ""},
    {"GET", "/a?b?c", true, URI_ORIGIN, "", "/a", "b?c"},
    {"GET", "http://www.example.org/pub/a.html", true, URI_ABSOLUTE, "www.example.org",
     "/pub/a.html", ""},
    {"GET", "http://h:8080?x", true, URI_ABSOLUTE, "h:8080", "/", "x"},
    {"GET", "http://h", true, URI_ABSOLUTE, "h", "/", ""},
    {"CONNECT", "www.example.com:80", true, URI_AUTHORITY, "www.example.com:80", "", ""},
    {"CONNECT", "[::1]:443", true, URI_AUTHORITY, "[::1]:443", "", ""},
    {"CONNECT", "www.example.com", false, 0, "", "", ""},
    {"CONNECT", "/", false, 0, "", "", ""},
    {"OPTIONS", "*", true, URI_ASTERISK, "", "", ""},
    {"GET", "*", false, 0, "", "", ""},
    {"GET", "where", false, 0, "", "", ""},
    {"GET", "http:/x", false, 0, "", "", ""},
    {"GET", "http://user@h/", false, 0, "", "", ""},
    {"GET", "http:///x", false, 0, "", "", ""},
    {"GET", "1http://h/", false, 0, "", "", ""},
    {"GET", "/a#b", false, 0, "", "", ""},
    {"GET", "/a b", false, 0, "", "", ""},
    {"GET", "/\xc3\xa9", false, 0, "", "", ""},
    {"GET", "", false, 0, "", "", ""},
};

/* 9112/3.2.1-1 9112/3.2.2-1 9112/3.2.4-1. */
static void targets_have_four_forms(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
        size_t len = strlen(targets[i].target);
        uint8_t *copy = exact_copy(targets[i].target, len);
        struct uri_target out;
        bool got = uri_target_parse(bytes_of_text(targets[i].method), bytes_of(copy, len), &out);
        CHECK_EQUAL(targets[i].target, got, targets[i].want);
        if (got) {
            CHECK_EQUAL(targets[i].target, out.form, targets[i].form);
            CHECK(targets[i].target,
                  bytes_equal(out.authority, bytes_of_text(targets[i].authority)));
            CHECK(targets[i].target, bytes_equal(out.path, bytes_of_text(targets[i].path)));
            CHECK(targets[i].target, bytes_equal(out.query, bytes_of_text(targets[i].query)));
        }
        free(copy);
    }
}

static void authorities_are_hosts_and_ports(void **state UNUSED)
{
    static const struct {
        const char *text, *host; /* NULL: refused */
        uint16_t port;
    } cases[] = {
        {"www.home.arpa", "www.home.arpa", 0}, {"h:80", "h", 80}, {"h:", "h", 0},
        {"10.0.2.1:65535", "10.0.2.1", 65535}, {"[fe80::1]", "fe80::1", 0},
        {"[::]:1", "::", 1},                   {"h:65536", NULL, 0}, {"h:x", NULL, 0},
        {"[::1", NULL, 0},                     {"[::1]x", NULL, 0}, {"[]", NULL, 0},
        {"::1", NULL, 0},                      {":80", NULL, 0}, {"u@h", NULL, 0},
        {"a/b", NULL, 0},                      {"a b", NULL, 0}, {"", NULL, 0},
        {"[x]", NULL, 0},                      {"a]b", NULL, 0}, {"[", NULL, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t len = strlen(cases[i].text);
        uint8_t *copy = exact_copy(cases[i].text, len);
        struct bytes host;
        uint16_t port = 7;
        bool got = uri_authority_parse(bytes_of(copy, len), &host, &port);
        CHECK_EQUAL(cases[i].text, got, cases[i].host != NULL);
        CHECK_EQUAL(cases[i].text, port, got ? cases[i].port : 7);
        if (got)
            CHECK(cases[i].text, bytes_equal(host, bytes_of_text(cases[i].host)));
        free(copy);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(decoded_paths_stay_below_the_root),
        cmocka_unit_test(a_path_without_room_is_refused),
        cmocka_unit_test(encoding_is_the_inverse),
        cmocka_unit_test(targets_have_four_forms),
        cmocka_unit_test(authorities_are_hosts_and_ports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
