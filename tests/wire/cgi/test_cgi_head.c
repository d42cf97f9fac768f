/* SPDX-License-Identifier: ISC */
#include "wire/cgi/cgi_head.h"

#include "tests/support/check.h"

static const struct {
    const char *name;
    const char *head;
    enum wire_status want;
    enum cgi_head_kind kind;
    unsigned status;
    size_t fields;
} cases[] = {
    {"a document (RFC 3875 §6.2.1)", "Content-Type: text/html\n\n", WIRE_OK, CGI_DOCUMENT, 200, 1},
    {"lines may end as HTTP's", "Content-Type: text/html\r\nX: y\r\n\r\n", WIRE_OK, CGI_DOCUMENT, 200, 2},
    {"endings may differ", "Content-Type: a/b\r\nX: y\n\r\n", WIRE_OK, CGI_DOCUMENT, 200, 2},
    {"a status with its phrase", "Status: 404 Not Found\nContent-Type: a/b\n\n", WIRE_OK,
     CGI_DOCUMENT, 404, 1},
    {"a status alone", "status:204\n\n", WIRE_OK, CGI_DOCUMENT, 204, 0},
    {"a local redirect (§6.2.2)", "Location: /a?b\n\n", WIRE_OK, CGI_LOCAL_REDIRECT, 302, 1},
    {"a client's (§6.2.3)", "Location: http://h/\n\n", WIRE_OK, CGI_CLIENT_REDIRECT, 302, 1},
    {"another host without a scheme is none of ours", "Location: //h/\n\n", WIRE_OK,
     CGI_CLIENT_REDIRECT, 302, 1},
    {"what is no path is the client's to resolve", "Location: /a b\n\n", WIRE_OK,
     CGI_CLIENT_REDIRECT, 302, 1},
    {"one with a document (§6.2.4)", "Status: 301 x\nLocation: /a\nContent-Type: a/b\n\n", WIRE_OK,
     CGI_CLIENT_REDIRECT, 301, 2},
    {"201 says where, and is no redirect", "Status: 201 Created\nLocation: /a\n\n", WIRE_OK,
     CGI_DOCUMENT, 201, 1},
    {"early hints (RFC 8297)", "Status: 103\nLink: </a>\n\n", WIRE_OK, CGI_INTERIM, 103, 1},
    {"fields of the connection are not the program's",
     "Connection: close\nTransfer-Encoding: chunked\nDate: x\nServer: y\nContent-Type: a/b\n\n",
     WIRE_OK, CGI_DOCUMENT, 200, 1},
    {"a length is kept apart", "Content-Length: 12\nContent-Type: a/b\n\n", WIRE_OK, CGI_DOCUMENT,
     200, 1},
    {"nothing said", "\n", WIRE_MALFORMED, 0, 0, 0},
    {"nothing said that counts", "X: y\n\n", WIRE_MALFORMED, 0, 0, 0},
    {"no colon", "Content-Type\n\n", WIRE_MALFORMED, 0, 0, 0},
    {"a space before the colon", "Content-Type : a/b\n\n", WIRE_MALFORMED, 0, 0, 0},
    {"a folded line", "Content-Type: a/b\n c: d\n\n", WIRE_MALFORMED, 0, 0, 0},
    {"a carriage return within", "Content-Type: a/b\rX: y\n\n", WIRE_MALFORMED, 0, 0, 0},
    {"101 is not a program's to say", "Status: 101 x\n\n", WIRE_MALFORMED, 0, 0, 0},
    {"a status that is none", "Status: 20 x\n\n", WIRE_MALFORMED, 0, 0, 0},
    {"two statuses", "Status: 200\nStatus: 404\n\n", WIRE_MALFORMED, 0, 0, 0},
    {"two lengths", "Content-Length: 1\nContent-Length: 1\nStatus: 200\n\n", WIRE_MALFORMED, 0, 0, 0},
    {"a length that is none", "Content-Length: -1\nStatus: 200\n\n", WIRE_MALFORMED, 0, 0, 0},
    {"two types", "Content-Type: a/b\nContent-Type: a/b\n\n", WIRE_MALFORMED, 0, 0, 0},
    {"an empty location", "Location:\n\n", WIRE_MALFORMED, 0, 0, 0},
    {"no end", "Content-Type: a/b\n", WIRE_TRUNCATED, 0, 0, 0},
};

static void test_heads(void **state UNUSED)
{
    struct cgi_head head;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t len = strlen(cases[i].head);
        uint8_t *copy = exact_copy(cases[i].head, len);
        CHECK_EQUAL(cases[i].name, cgi_head_decode(bytes_of(copy, len), &head), cases[i].want);
        if (cases[i].want == WIRE_OK) {
            CHECK_EQUAL(cases[i].name, head.kind, cases[i].kind);
            CHECK_EQUAL(cases[i].name, head.status, cases[i].status);
            CHECK_EQUAL(cases[i].name, head.fields.count, cases[i].fields);
        }
        free(copy);
    }
}

static void test_length(void **state UNUSED)
{
    struct cgi_head head;
    const char text[] = "Content-Length: 4294967296\nStatus: 200\n\n";
    assert_int_equal(cgi_head_decode(bytes_of_text(text), &head), WIRE_OK);
    assert_true(head.has_length);
    assert_int_equal(head.length, UINT64_C(4294967296));
}

static void test_too_many_fields(void **state UNUSED)
{
    struct cgi_head head;
    char text[8 * (HTTP_FIELDS_MAX + 2)] = "";
    for (int i = 0; i <= HTTP_FIELDS_MAX; i++)
        strcat(text, "X: y\n");
    strcat(text, "\n");
    assert_int_equal(cgi_head_decode(bytes_of_text(text), &head), WIRE_UNSUPPORTED);
}

/* The end is found where it is, however the octets come. */
static void test_find_end(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[400];
        size_t head_len = strlen(cases[i].head);
        bool whole = cases[i].want != WIRE_TRUNCATED;
        int len = snprintf(text, sizeof text, "%s%s", cases[i].head, whole ? "body\n\nmore" : "");
        size_t scanned = 0;
        size_t found = 0;
        for (int n = 0; n <= len && found == 0; n++)
            found = cgi_head_find_end(bytes_of(text, (size_t)n), &scanned);
        CHECK_EQUAL(cases[i].name, found, whole ? head_len : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heads),
        cmocka_unit_test(test_length),
        cmocka_unit_test(test_too_many_fields),
        cmocka_unit_test(test_find_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
