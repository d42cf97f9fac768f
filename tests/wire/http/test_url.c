/* SPDX-License-Identifier: ISC */
#include "wire/http/url.h"
#include "tests/support/check.h"

/* A stand-in for IDNA: one name is known. */
static bool to_ascii(struct bytes host, struct text *out)
{
    if (!bytes_equal(host, bytes_of_text("b\xc3\xbc" "cher.example")))
        return false;
    text_add(out, "xn--bcher-kva.example");
    return true;
}

static struct url *parse(const char *text, enum url_status *status)
{
    static struct url url;
    size_t len = strlen(text);
    uint8_t *copy = exact_copy(text, len);
    *status = url_parse(bytes_of(copy, len), to_ascii, &url);
    free(copy);
    return &url;
}

static const struct {
    const char *text, *want; /* as url_add_text() writes it */
    enum url_status status;
} urls[] = {
    {"http://example.org", "http://example.org/", URL_OK},
    {"HTTP://Example.ORG:80/", "http://example.org/", URL_OK}, /* RFC 3986 §6.2.3 */
    {"https://example.org:443", "https://example.org/", URL_OK},
    {"https://example.org:80/a", "https://example.org:80/a", URL_OK},
    {"http://example.org:/a", "http://example.org/a", URL_OK},
    {" http://example.org/a ", "http://example.org/a", URL_OK},
    {"http://example.org?q", "http://example.org/?q", URL_OK},
    {"http://example.org/?", "http://example.org/?", URL_OK},
    {"http://example.org/a#part", "http://example.org/a", URL_OK},
    {"http://example.org#a?b", "http://example.org/", URL_OK},
    {"http://me:secret@example.org/", "http://example.org/", URL_OK},
    {"http://me:p@ss@example.org/", "http://example.org/", URL_OK},
    {"http://[2001:DB8::1]:8080/", "http://[2001:db8::1]:8080/", URL_OK},
    {"http://192.0.2.1/", "http://192.0.2.1/", URL_OK},
    {"http://a_b.example/", "http://a_b.example/", URL_OK},
    {"http://e%78ample.org/", "http://example.org/", URL_OK},
    {"http://b\xc3\xbc" "cher.example/", "http://xn--bcher-kva.example/", URL_OK},
    {"http://b%c3%bc" "cher.example/", "http://xn--bcher-kva.example/", URL_OK},
    {"http://x/%7euser/%c3%a9", "http://x/~user/%C3%A9", URL_OK}, /* §6.2.2 */
    {"http://x/a b/\xc3\xa9?c d", "http://x/a%20b/%C3%A9?c%20d", URL_OK},
    {"http://x/a/./b/../c", "http://x/a/c", URL_OK},
    {"http://x/a/%2e%2E/c", "http://x/c", URL_OK},
    {"http://x/../../c", "http://x/c", URL_OK},
    {"http://x/a/..", "http://x/", URL_OK},
    {"http://x/a%2fb", "http://x/a%2Fb", URL_OK},
    {"http://x/?a=../b", "http://x/?a=../b", URL_OK},
    {"http://x/<a>\"", "http://x/%3Ca%3E%22", URL_OK},
    {"ftp://x:2121/f", "ftp://x:2121/f", URL_OK},
    {"example.org/a", NULL, URL_NO_SCHEME},
    {"//example.org/a", NULL, URL_NO_SCHEME},
    {"/a", NULL, URL_NO_SCHEME},
    {"", NULL, URL_NO_SCHEME},
    {"1http://x/", NULL, URL_NO_SCHEME},
    {"averyveryverylongscheme://x/", NULL, URL_NO_SCHEME},
    {"http:///a", NULL, URL_NO_HOST},
    {"http:/a", NULL, URL_NO_HOST},
    {"mailto:a@example.org", NULL, URL_NO_HOST},
    {"http://:80/", NULL, URL_NO_HOST},
    {"http://ex ample/", NULL, URL_BAD_HOST},
    {"http://a%00b/", NULL, URL_BAD_HOST},
    {"http://a%2fb/", NULL, URL_BAD_HOST},
    {"http://a%4/", NULL, URL_BAD_HOST},
    {"http://[::1/", NULL, URL_BAD_HOST},
    {"http://[::1]x/", NULL, URL_BAD_HOST},
    {"http://[192.0.2.1]/", NULL, URL_BAD_HOST},
    {"http://[::ffff:192.0.2.1]/", NULL, URL_BAD_HOST},
    {"http://\xc3\xa9/", NULL, URL_BAD_HOST},
    {"http://x:0/", NULL, URL_BAD_PORT},
    {"http://x:65536/", NULL, URL_BAD_PORT},
    {"http://x:8a/", NULL, URL_BAD_PORT},
    {"http://x:-1/", NULL, URL_BAD_PORT},
    {"http://x/%", NULL, URL_BAD_ENCODING},
    {"http://x/%4", NULL, URL_BAD_ENCODING},
    {"http://x/?%zz", NULL, URL_BAD_ENCODING},
    {"http://x/a\r\nHost: y", NULL, URL_BAD_ENCODING},
    {"http://x/\x7f", NULL, URL_BAD_ENCODING},
};

static void urls_are_normalised(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        enum url_status status;
        struct url *url = parse(urls[i].text, &status);
        CHECK_EQUAL(urls[i].text, status, urls[i].status);
        if (status != URL_OK)
            continue;
        static char out[URL_TEXT_MAX];
        struct text t = text_of(out, sizeof out);
        url_add_text(url, &t);
        CHECK(urls[i].text, strcmp(out, urls[i].want) == 0);
        /* Once more changes nothing. */
        url = parse(out, &status);
        CHECK_EQUAL(urls[i].text, status, URL_OK);
        t = text_of(out, sizeof out);
        url_add_text(url, &t);
        CHECK(urls[i].text, strcmp(out, urls[i].want) == 0);
    }
}

static void the_user_is_kept_apart(void **state UNUSED)
{
    enum url_status status;
    assert_string_equal(parse("http://me:p%40s@x/", &status)->user, "me:p%40s");
    assert_string_equal(parse("http://me:p@s@x/", &status)->user, "me:p@s");
    assert_string_equal(parse("http://@x/", &status)->user, "");
    assert_string_equal(parse("http://x/a@b", &status)->user, "");
    assert_string_equal(parse("http://x?a@b", &status)->host, "x");
}

static void what_is_too_long_is_refused(void **state UNUSED)
{
    static char text[2 * URL_TARGET_MAX];
    struct url url;
    struct text t = text_of(text, sizeof text);
    text_add(&t, "http://x/");
    for (size_t i = 1; i < URL_TARGET_MAX; i++)
        text_add(&t, "a");
    assert_int_equal(url_parse(text_bytes(&t), NULL, &url), URL_OK);
    assert_int_equal(url.target_len, URL_TARGET_MAX);
    text_add(&t, "a");
    assert_int_equal(url_parse(text_bytes(&t), NULL, &url), URL_TOO_LONG);
    t = text_of(text, sizeof text);
    text_add(&t, "http://");
    for (size_t i = 0; i <= URL_HOST_MAX; i++)
        text_add(&t, "a");
    assert_int_equal(url_parse(text_bytes(&t), NULL, &url), URL_TOO_LONG);
    /* Encoding makes it longer. */
    t = text_of(text, sizeof text);
    text_add(&t, "http://x/");
    for (size_t i = 0; i < URL_TARGET_MAX / 2; i++)
        text_add(&t, " ");
    text_add(&t, "a");
    assert_int_equal(url_parse(text_bytes(&t), NULL, &url), URL_TOO_LONG);
}

/* RFC 3986 §5.4, of what has an authority; fragments are dropped. */
static const struct {
    const char *reference, *want;
} references[] = {
    {"g", "http://a/b/c/g"},
    {"./g", "http://a/b/c/g"},
    {"g/", "http://a/b/c/g/"},
    {"/g", "http://a/g"},
    {"//g", "http://g/"},
    {"?y", "http://a/b/c/d;p?y"},
    {"g?y", "http://a/b/c/g?y"},
    {"#s", "http://a/b/c/d;p?q"},
    {"g#s", "http://a/b/c/g"},
    {"g?y#s", "http://a/b/c/g?y"},
    {";x", "http://a/b/c/;x"},
    {"g;x", "http://a/b/c/g;x"},
    {"g;x?y#s", "http://a/b/c/g;x?y"},
    {"", "http://a/b/c/d;p?q"},
    {".", "http://a/b/c/"},
    {"./", "http://a/b/c/"},
    {"..", "http://a/b/"},
    {"../", "http://a/b/"},
    {"../g", "http://a/b/g"},
    {"../..", "http://a/"},
    {"../../", "http://a/"},
    {"../../g", "http://a/g"},
    {"../../../g", "http://a/g"},
    {"../../../../g", "http://a/g"},
    {"/./g", "http://a/g"},
    {"/../g", "http://a/g"},
    {"g.", "http://a/b/c/g."},
    {".g", "http://a/b/c/.g"},
    {"g..", "http://a/b/c/g.."},
    {"..g", "http://a/b/c/..g"},
    {"./../g", "http://a/b/g"},
    {"./g/.", "http://a/b/c/g/"},
    {"g/./h", "http://a/b/c/g/h"},
    {"g/../h", "http://a/b/c/h"},
    {"g;x=1/./y", "http://a/b/c/g;x=1/y"},
    {"g;x=1/../y", "http://a/b/c/y"},
    {"g?y/./x", "http://a/b/c/g?y/./x"},
    {"g?y/../x", "http://a/b/c/g?y/../x"},
    {"https://h:8443/x", "https://h:8443/x"},
    {"?", "http://a/b/c/d;p?"},
};

static void references_are_resolved(void **state UNUSED)
{
    struct url base;
    assert_int_equal(url_parse(bytes_of_text("http://me:pw@a/b/c/d;p?q"), NULL, &base), URL_OK);
    for (size_t i = 0; i < ARRAY_LEN(references); i++) {
        static struct url out;
        static char text[URL_TEXT_MAX];
        struct text t = text_of(text, sizeof text);
        CHECK_EQUAL(references[i].reference,
                    url_resolve(&base, bytes_of_text(references[i].reference), NULL, &out), URL_OK);
        url_add_text(&out, &t);
        CHECK(references[i].reference, strcmp(text, references[i].want) == 0);
        CHECK(references[i].reference, out.user[0] == '\0'); /* not for whoever is pointed at */
    }
    static struct url out;
    assert_int_equal(url_resolve(&base, bytes_of_text("mailto:x@y"), NULL, &out), URL_NO_HOST);
    assert_int_equal(url_resolve(&base, bytes_of_text("a\r\nb"), NULL, &out), URL_BAD_ENCODING);
}

static void origins_are_compared(void **state UNUSED)
{
    static struct url a, b;
    static const struct {
        const char *other;
        bool same;
    } cases[] = {{"http://A/other", true},
                 {"http://a:80", true},
                 {"http://a:81", false},
                 {"https://a", false},
                 {"http://b", false}};
    assert_int_equal(url_parse(bytes_of_text("http://a/x"), NULL, &a), URL_OK);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(url_parse(bytes_of_text(cases[i].other), NULL, &b), URL_OK);
        CHECK_EQUAL(cases[i].other, url_same_origin(&a, &b), cases[i].same);
    }
}

static void percent_encoding_goes_both_ways(void **state UNUSED)
{
    char encoded[32];
    char decoded[8];
    struct text e = text_of(encoded, sizeof encoded);
    url_encode(bytes_of("a &=\0\xff~", 7), &e);
    assert_string_equal(encoded, "a%20%26%3D%00%FF~");
    struct text d = text_of(decoded, sizeof decoded);
    assert_true(url_decode(text_bytes(&e), &d));
    assert_int_equal(d.len, 7);
    assert_memory_equal(decoded, "a &=\0\xff~", 7);
    d = text_of(decoded, 7);
    assert_false(url_decode(text_bytes(&e), &d));
    d = text_of(decoded, sizeof decoded);
    assert_false(url_decode(bytes_of_text("%4"), &d));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_normalised),
        cmocka_unit_test(the_user_is_kept_apart),
        cmocka_unit_test(what_is_too_long_is_refused),
        cmocka_unit_test(references_are_resolved),
        cmocka_unit_test(origins_are_compared),
        cmocka_unit_test(percent_encoding_goes_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
