/* SPDX-License-Identifier: ISC */
#include "wire/http/uri_reference.h"
#include "tests/support/check.h"

static const char *resolved(const char *base, const char *reference)
{
    static char out[300];
    uint8_t buffer[200];
    struct writer w = writer_of(buffer, sizeof buffer);
    uint8_t *b = exact_copy(base, strlen(base)), *r = exact_copy(reference, strlen(reference));
    bool good = uri_resolve(bytes_of(b, strlen(base)), bytes_of(r, strlen(reference)), true, &w);
    snprintf(out, sizeof out, "%.*s", good ? (int)writer_len(&w) : 1, good ? (char *)buffer : "-");
    free(b);
    free(r);
    return out;
}

/* RFC 3986 §5.4, for http. */
static void references_are_resolved(void **state UNUSED)
{
    static const char *const cases[][2] = {
        {"g", "http://a/b/c/g"},          {"./g", "http://a/b/c/g"},
        {"g/", "http://a/b/c/g/"},        {"/g", "http://a/g"},
        {"//g", "http://g/"},             {"?y", "http://a/b/c/d;p?y"},
        {"g?y", "http://a/b/c/g?y"},      {"#s", "http://a/b/c/d;p?q#s"},
        {"g#s", "http://a/b/c/g#s"},      {"g?y#s", "http://a/b/c/g?y#s"},
        {";x", "http://a/b/c/;x"},        {"g;x", "http://a/b/c/g;x"},
        {"", "http://a/b/c/d;p?q"},       {".", "http://a/b/c/"},
        {"./", "http://a/b/c/"},          {"..", "http://a/b/"},
        {"../", "http://a/b/"},           {"../g", "http://a/b/g"},
        {"../..", "http://a/"},           {"../../", "http://a/"},
        {"../../g", "http://a/g"},        {"../../../g", "http://a/g"},
        {"../../../../g", "http://a/g"},  {"/./g", "http://a/g"},
        {"/../g", "http://a/g"},          {"g.", "http://a/b/c/g."},
        {".g", "http://a/b/c/.g"},        {"g..", "http://a/b/c/g.."},
        {"..g", "http://a/b/c/..g"},      {"./../g", "http://a/b/g"},
        {"./g/.", "http://a/b/c/g/"},     {"g/./h", "http://a/b/c/g/h"},
        {"g/../h", "http://a/b/c/h"},     {"g;x=1/./y", "http://a/b/c/g;x=1/y"},
        {"g;x=1/../y", "http://a/b/c/y"}, {"g?y/./x", "http://a/b/c/g?y/./x"},
        {"g:h", "-"},                     {"https://B:443/%7e%2F", "https://b/~%2F"},
        {"http:g", "-"},                  {"//u@h/", "-"},
        {"g h", "-"},                     {"%zz", "-"},
        {"//[::1]:8080/x", "http://[::1]:8080/x"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *got = resolved("http://a/b/c/d;p?q", cases[i][0]);
        if (strcmp(got, cases[i][1]) != 0)
            fail_msg("%s: got %s, expected %s", cases[i][0], got, cases[i][1]);
    }
    assert_string_equal(resolved("http://a", "g"), "http://a/g");
    assert_string_equal(resolved("http://a?q", ""), "http://a/?q");
}

/* RFC 3986 §6.2.2, RFC 9110 §4.2.3 */
static void equal_uris_become_the_same(void **state UNUSED)
{
    static const char *const cases[][2] = {
        {"HTTP://EXAMPLE.org:80", "http://example.org/"},
        {"http://a:/", "http://a/"},
        {"https://a:443/x", "https://a/x"},
        {"http://a:443/x", "http://a:443/x"},
        {"http://a/%7Euser/%c3%bc%2f", "http://a/~user/%C3%BC%2F"},
        {"http://a/a/../b/./c//d", "http://a/a/../b/./c//d"},
        {"http://a/%2e%2E/", "http://a/%2E%2E/"},
        {"http://a/x?", "http://a/x?"},
        {"http://a?q=%41#frag", "http://a/?q=A"},
        {"ftp://a/", "-"},
        {"/x", "-"},
        {"http:///x", "-"},
        {"http://a/\x01", "-"},
        {"http://a/%4", "-"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t buffer[200];
        char got[200];
        struct uri_parts parts;
        struct writer w = writer_of(buffer, sizeof buffer);
        uri_split(bytes_of_text(cases[i][0]), &parts);
        bool good = uri_normalise(&parts, &w);
        snprintf(got, sizeof got, "%.*s", good ? (int)writer_len(&w) : 1, good ? (char *)buffer : "-");
        if (strcmp(got, cases[i][1]) != 0)
            fail_msg("%s: got %s, expected %s", cases[i][0], got, cases[i][1]);
    }
    static const char *const origins[][2] = {
        {"HTTP://EXAMPLE.org:80", "http://example.org/"},
        {"http://A:8/%7Euser/%c3%bc%2f?q=%41#frag", "http://a:8/%7Euser/%c3%bc%2f?q=%41"},
        {"http://a/%4", "-"},
        {"http://a/?%4", "-"},
        {"http://a/ x", "-"},
        {"http://u@a/x", "-"},
    };
    for (size_t i = 0; i < ARRAY_LEN(origins); i++) {
        uint8_t buffer[200];
        char got[200];
        struct uri_parts parts;
        struct writer w = writer_of(buffer, sizeof buffer);
        uri_split(bytes_of_text(origins[i][0]), &parts);
        bool good = uri_normalise_origin(&parts, &w);
        snprintf(got, sizeof got, "%.*s", good ? (int)writer_len(&w) : 1, good ? (char *)buffer : "-");
        assert_string_equal(got, origins[i][1]);
    }
    uint8_t small[10];
    struct uri_parts parts;
    struct writer w = writer_of(small, sizeof small);
    uri_split(bytes_of_text("http://example.org/"), &parts);
    assert_false(uri_normalise(&parts, &w));
}

static void origins_are_compared(void **state UNUSED)
{
    assert_true(uri_same_origin(bytes_of_text("http://a/x"), bytes_of_text("http://a/y?z")));
    assert_false(uri_same_origin(bytes_of_text("http://a/"), bytes_of_text("https://a/")));
    assert_false(uri_same_origin(bytes_of_text("http://a/"), bytes_of_text("http://a:8/")));
    assert_false(uri_same_origin(bytes_of_text("http://a/"), bytes_of_text("http://ab/")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(references_are_resolved),
        cmocka_unit_test(equal_uris_become_the_same),
        cmocka_unit_test(origins_are_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
