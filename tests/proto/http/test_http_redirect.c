/* SPDX-License-Identifier: ISC */
#include "proto/http/http_redirect.h"
#include "tests/support/check.h"

static const struct {
    const char *name, *method, *head; /* of the response, status and fields */
    bool keep_method;
    enum http_redirect_kind kind;
    const char *want;
    bool as_get, other_origin;
} cases[] = {
    {"301", "GET", "301 x\r\nLocation: /b\r\n", false, HTTP_REDIRECT_FOLLOW, "http://a:81/b", false, false},
    {"302", "GET", "302 x\r\nLocation: http://b/\r\n", false, HTTP_REDIRECT_FOLLOW, "http://b/", false, true},
    {"another scheme", "GET", "307 x\r\nLocation: https://a:81/\r\n", false, HTTP_REDIRECT_FOLLOW,
     "https://a:81/", false, true},
    {"301 after POST", "POST", "301 x\r\nLocation: b\r\n", false, HTTP_REDIRECT_FOLLOW, "http://a:81/d/b", true, false},
    {"302 after POST", "POST", "302 x\r\nLocation: b\r\n", false, HTTP_REDIRECT_FOLLOW, "http://a:81/d/b", true, false},
    {"301 after POST, kept", "POST", "301 x\r\nLocation: b\r\n", true, HTTP_REDIRECT_FOLLOW, "http://a:81/d/b", false, false},
    {"301 after PUT", "PUT", "301 x\r\nLocation: b\r\n", false, HTTP_REDIRECT_FOLLOW, "http://a:81/d/b", false, false},
    {"303 after PUT", "PUT", "303 x\r\nLocation: b\r\n", true, HTTP_REDIRECT_FOLLOW, "http://a:81/d/b", true, false},
    {"303 after HEAD", "HEAD", "303 x\r\nLocation: b\r\n", false, HTTP_REDIRECT_FOLLOW, "http://a:81/d/b", false, false},
    {"307 after POST", "POST", "307 x\r\nLocation: b\r\n", false, HTTP_REDIRECT_FOLLOW, "http://a:81/d/b", false, false},
    {"308 after POST", "POST", "308 x\r\nLocation: b\r\n", false, HTTP_REDIRECT_FOLLOW, "http://a:81/d/b", false, false},
    {"300 is for people", "GET", "300 x\r\nLocation: b\r\n", false, HTTP_REDIRECT_NONE, NULL, false, false},
    {"304", "GET", "304 x\r\nLocation: b\r\n", false, HTTP_REDIRECT_NONE, NULL, false, false},
    {"305 is deprecated", "GET", "305 x\r\nLocation: b\r\n", false, HTTP_REDIRECT_NONE, NULL, false, false},
    {"201", "PUT", "201 x\r\nLocation: b\r\n", false, HTTP_REDIRECT_NONE, NULL, false, false},
    {"no Location", "GET", "301 x\r\n", false, HTTP_REDIRECT_NONE, NULL, false, false},
    {"an empty one", "GET", "301 x\r\nLocation:\r\n", false, HTTP_REDIRECT_NONE, NULL, false, false},
    {"no host", "GET", "301 x\r\nLocation: http://\r\n", false, HTTP_REDIRECT_MALFORMED, NULL, false, false},
    {"no URL with a host", "GET", "301 x\r\nLocation: mailto:x\r\n", false, HTTP_REDIRECT_MALFORMED, NULL, false, false},
};

static void redirections_are_followed(void **state UNUSED)
{
    static struct url from;
    assert_int_equal(url_parse(bytes_of_text("http://me:pw@a:81/d/e?f"), NULL, &from), URL_OK);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[256];
        static char got[URL_TEXT_MAX];
        static struct http_redirect out;
        struct http_response_head head;
        struct text t = text_of(text, sizeof text);
        text_add_format(&t, "HTTP/1.1 %s\r\n", cases[i].head);
        assert_int_equal(http_response_decode(text_bytes(&t), &head), WIRE_OK);
        CHECK_EQUAL(cases[i].name,
                    http_redirect(&head, cases[i].method, &from, cases[i].keep_method, NULL, &out),
                    cases[i].kind);
        if (cases[i].kind != HTTP_REDIRECT_FOLLOW)
            continue;
        struct text g = text_of(got, sizeof got);
        url_add_text(&out.url, &g);
        CHECK(cases[i].name, strcmp(got, cases[i].want) == 0);
        CHECK_EQUAL(cases[i].name, out.as_get, cases[i].as_get);
        CHECK_EQUAL(cases[i].name, out.other_origin, cases[i].other_origin);
        CHECK(cases[i].name, out.url.user[0] == '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(redirections_are_followed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
