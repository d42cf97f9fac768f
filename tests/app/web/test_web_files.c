/* SPDX-License-Identifier: ISC */
/* Files below a root: what is there, what is not, conditions and ranges. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "app/web/web_exchange.h"
#include "app/web/web_types.h"
#include "tests/support/check.h"
#include "tests/support/web_fixture.h"

static struct web_fixture f;

static void add_link(const char *target, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", f.root, name);
    assert_int_equal(symlink(target, path), 0);
}

static int start(void **state UNUSED)
{
    f = (struct web_fixture){0};
    web_fixture_make_root(&f);
    web_fixture_add_file(&f, "index.html", "<p>home", 7);
    web_fixture_add_file(&f, "a b.txt", NULL, 26);
    web_fixture_add_file(&f, "large.bin", NULL, 1500000);
    web_fixture_add_file(&f, "empty", "", 0);
    web_fixture_add_file(&f, "sub/index.html", "<p>sub", 6);
    web_fixture_add_file(&f, "list/file10.txt", NULL, 1500);
    web_fixture_add_file(&f, "list/file9.txt", NULL, 3);
    web_fixture_add_file(&f, "list/inner/x", "x", 1);
    web_fixture_add_file(&f, "list/<b>&'\".html", "x", 1);
    web_fixture_add_file(&f, "list/javascript:alert(1)", "x", 1);
    web_fixture_add_file(&f, "list/.hidden", "x", 1);
    web_fixture_add_file(&f, ".secret", "x", 1);
    web_fixture_add_file(&f, ".git/config", "x", 1);
    web_fixture_add_file(&f, ".well-known/x.txt", "known", 5);
    web_fixture_add_file(&f, ".well-known/.y", "x", 1);
    web_fixture_add_file(&f, "shut", "x", 1);
    char path[512];
    snprintf(path, sizeof path, "%s/fifo", f.root);
    assert_int_equal(mkfifo(path, 0600), 0);
    add_link("/etc/passwd", "out");
    add_link("../../../../../../etc", "out-too");
    add_link("a b.txt", "within");
    add_link("loop", "loop");
    web_fixture_start(&f, NULL);
    return 0;
}

static int stop(void **state UNUSED)
{
    web_fixture_stop(&f);
    return 0;
}

static const struct {
    const char *method, *target;
    unsigned status;
    const char *field; /* NULL: any */
    const char *body;  /* the beginning; NULL: any */
} cases[] = {
    {"GET", "/", 200, "Content-Type: text/html; charset=utf-8\n", "<p>home"},
    {"GET", "/index.html", 200, "Accept-Ranges: bytes\n", "<p>home"},
    {"GET", "/a%20b.txt", 200, "Content-Type: text/plain; charset=utf-8\n", "abcdefghijabc"},
    {"HEAD", "/a%20b.txt", 200, "Content-Length: 26\n", ""},
    {"GET", "/empty", 200, "Content-Type: application/octet-stream\n", ""},
    {"GET", "/within", 200, "Content-Length: 26\n", "abc"},
    {"GET", "/sub", 301, "Location: /sub/\n", ""},
    {"GET", "/sub?q=1", 301, "Location: /sub/?q=1\n", ""},
    {"GET", "//sub", 301, "Location: /sub/\n", ""}, /* never "//sub/", which is another host */
    {"GET", "/sub/", 200, NULL, "<p>sub"},
    {"GET", "/sub/../a%20b.txt", 200, NULL, "abc"},
    {"GET", "/.well-known/x.txt", 200, NULL, "known"},
    {"GET", "/a%20b.txt/", 404, NULL, NULL},
    {"GET", "/nothing", 404, NULL, NULL},
    {"GET", "/../../../../etc/passwd", 404, NULL, NULL},
    {"GET", "/%2e%2e/%2e%2e/etc/passwd", 404, NULL, NULL},
    {"GET", "/..%2f..%2fetc/passwd", 400, NULL, NULL},
    {"GET", "/out", 404, NULL, NULL},
    {"GET", "/out-too/passwd", 404, NULL, NULL},
    {"GET", "/loop", 404, NULL, NULL},
    {"GET", "/fifo", 404, NULL, NULL},
    {"GET", "/.secret", 404, NULL, NULL},
    {"GET", "/.git/config", 404, NULL, NULL},
    {"GET", "/list/.hidden", 404, NULL, NULL},
    {"GET", "/.well-known/.y", 404, NULL, NULL},
    {"GET", "/.wholenet", 404, NULL, NULL},
    {"GET", "/.wholenet/healthz", 200, NULL, "ok\n"},
    {"GET", "/.wholenet/", 200, NULL, "<!doctype html>"},
    {"GET", "/healthz", 404, NULL, NULL},
    {"PUT", "/new", 405, "Allow: GET, HEAD, OPTIONS\n", NULL},
    {"OPTIONS", "/a%20b.txt", 204, "Allow: GET, HEAD, OPTIONS\n", ""},
};

/* 9110/17.3-1 9110/9.1-1 9110/9.1-2 9110/15.5.6-1. */
static void what_is_there_and_what_is_not(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char name[100];
        snprintf(name, sizeof name, "%s %s", cases[i].method, cases[i].target);
        struct fetched got = web_fetch(&f, cases[i].method, cases[i].target, NULL, NULL);
        CHECK_EQUAL(name, got.status, cases[i].status);
        CHECK(name, cases[i].field == NULL || strstr(got.fields, cases[i].field) != NULL);
        if (cases[i].body != NULL)
            CHECK(name, strncmp(got.body, cases[i].body, strlen(cases[i].body)) == 0);
        if (cases[i].body != NULL && cases[i].body[0] == '\0')
            CHECK_EQUAL(name, got.body_len, 0);
        free(got.body);
    }
}

static void a_large_file_arrives_whole(void **state UNUSED)
{
    struct fetched got = web_fetch(&f, "GET", "/large.bin", NULL, NULL);
    assert_int_equal(got.body_len, 1500000);
    for (size_t i = 0; i < got.body_len; i++)
        if (got.body[i] != (char)('a' + i % 10))
            fail_msg("octet %zu is %c", i, got.body[i]);
    free(got.body);
}

static void a_folder_without_an_index_is_listed(void **state UNUSED)
{
    struct fetched got = web_fetch(&f, "GET", "/list/", NULL, NULL);
    assert_int_equal(got.status, 200);
    const char *inner = strstr(got.body, "<a href=\"./inner/\">inner/</a>");
    const char *nine = strstr(got.body, "<a href=\"./file9.txt\">file9.txt</a>");
    const char *ten = strstr(got.body, "<a href=\"./file10.txt\">file10.txt</a>");
    assert_true(inner != NULL && inner < nine && nine < ten);
    assert_non_null(strstr(ten, "1.5&nbsp;KiB"));
    assert_non_null(strstr(got.body, "\"./%3Cb%3E&amp;&#39;%22.html\">&lt;b&gt;&amp;&#39;&quot;.html<"));
    assert_non_null(strstr(got.body, "<a href=\"./javascript:alert(1)\">"));
    assert_null(strstr(got.body, ".hidden"));
    free(got.body);
}

static void field_of(const struct fetched *got, const char *name, char *out, size_t size)
{
    const char *at = strstr(got->fields, name);
    assert_non_null(at);
    at += strlen(name) + 2;
    snprintf(out, size, "%.*s", (int)strcspn(at, "\n"), at);
}

/* 9110/13.2.2-1 9110/15.4.5-1: RFC 9110 §13.2.2. */
static void conditions_are_looked_at_in_their_order(void **state UNUSED)
{
    char etag[100];
    char date[100];
    struct fetched got = web_fetch(&f, "GET", "/a%20b.txt", NULL, NULL);
    field_of(&got, "ETag", etag, sizeof etag);
    field_of(&got, "Last-Modified", date, sizeof date);
    free(got.body);
    static const char past[] = "Sun, 06 Nov 1994 08:49:37 GMT";
    const struct {
        const char *first, *first_value, *second, *second_value;
        unsigned want;
    } conditions[] = {
        {"If-None-Match", etag, NULL, NULL, 304},
        {"If-None-Match", "*", NULL, NULL, 304},
        {"If-None-Match", "\"x\"", NULL, NULL, 200},
        {"If-None-Match", "\"x\"", "If-Modified-Since", date, 200}, /* the tag decides */
        {"If-Modified-Since", date, NULL, NULL, 304},
        {"If-Modified-Since", past, NULL, NULL, 200},
        {"If-Modified-Since", "rubbish", NULL, NULL, 200},
        {"If-Match", etag, NULL, NULL, 200},
        {"If-Match", "\"x\"", NULL, NULL, 412},
        {"If-Match", "*", NULL, NULL, 200},
        {"If-Match", etag, "If-None-Match", etag, 304},
        {"If-Unmodified-Since", date, NULL, NULL, 200},
        {"If-Unmodified-Since", past, NULL, NULL, 412},
        {"If-Unmodified-Since", "rubbish", NULL, NULL, 200},
        {"If-Match", etag, "If-Unmodified-Since", past, 200},
    };
    for (size_t i = 0; i < ARRAY_LEN(conditions); i++) {
        char fields[400];
        int len = snprintf(fields, sizeof fields, "%s: %s\n", conditions[i].first,
                           conditions[i].first_value);
        if (conditions[i].second != NULL)
            snprintf(fields + len, sizeof fields - (size_t)len, "%s: %s\n", conditions[i].second,
                     conditions[i].second_value);
        got = web_fetch(&f, "GET", "/a%20b.txt", fields, NULL);
        CHECK_EQUAL(fields, got.status, conditions[i].want);
        if (conditions[i].want != 412) /* which has a page */
            CHECK_EQUAL(fields, got.body_len, conditions[i].want == 200 ? 26 : 0);
        CHECK(fields, (strstr(got.fields, etag) != NULL) == (conditions[i].want != 412));
        free(got.body);
    }
}

/* 9110/14.2-1 9110/14.2-2 9110/14.2-3 9110/14.4-1 9110/15.5.17-1 9110/15.3.7-1. */
static void ranges_of_a_file(void **state UNUSED)
{
    char etag[100];
    char same[300];
    char weak[300];
    struct fetched got = web_fetch(&f, "GET", "/a%20b.txt", NULL, NULL);
    field_of(&got, "ETag", etag, sizeof etag);
    free(got.body);
    snprintf(same, sizeof same, "Range: bytes=1-2\nIf-Range: %s\n", etag);
    snprintf(weak, sizeof weak, "Range: bytes=1-2\nIf-Range: W/%s\n", etag);
    const struct {
        const char *fields;
        unsigned want;
        const char *body, *content_range;
    } ranges[] = {
        {"Range: bytes=1-3\n", 206, "bcd", "bytes 1-3/26"},
        {"Range: bytes=-2\n", 206, "ef", "bytes 24-25/26"},
        {"Range: bytes=20-\n", 206, "abcdef", "bytes 20-25/26"},
        {"Range: bytes=0-20,1-21\n", 200, "abcdefghijabcdefghijabcdef", NULL},
        {"Range: bytes=1-2\nRange: bytes=3-4\n", 200, "abcdefghijabcdefghijabcdef", NULL},
        {"Range: lines=1-2\n", 200, "abcdefghijabcdefghijabcdef", NULL},
        {"Range: bytes=26-\n", 416, NULL, "bytes */26"},
        {same, 206, "bc", "bytes 1-2/26"},
        {weak, 200, "abcdefghijabcdefghijabcdef", NULL},
        {"Range: bytes=1-2\nIf-Range: \"x\"\n", 200, "abcdefghijabcdefghijabcdef", NULL},
        {"Range: bytes=1-2\nIf-Range: Sun, 06 Nov 1994 08:49:37 GMT\n", 200,
         "abcdefghijabcdefghijabcdef", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
        got = web_fetch(&f, "GET", "/a%20b.txt", ranges[i].fields, NULL);
        CHECK_EQUAL(ranges[i].fields, got.status, ranges[i].want);
        if (ranges[i].body != NULL)
            CHECK(ranges[i].fields, strcmp(got.body, ranges[i].body) == 0);
        CHECK(ranges[i].fields, (ranges[i].content_range != NULL) ==
                                    (strstr(got.fields, "Content-Range: ") != NULL));
        if (ranges[i].content_range != NULL)
            CHECK(ranges[i].fields, strstr(got.fields, ranges[i].content_range) != NULL);
        free(got.body);
    }
    got = web_fetch(&f, "HEAD", "/a%20b.txt", "Range: bytes=1-3\n", NULL);
    assert_int_equal(got.status, 200); /* a range is for GET alone (RFC 9110 §14.2) */
    free(got.body);
}

/* 9110/14.6-1 9110/14.2-3: several ranges are parts, each of which says what it is; the length is right. */
static void several_ranges_are_parts(void **state UNUSED)
{
    char type[100];
    char want[600];
    struct fetched got = web_fetch(&f, "GET", "/a%20b.txt", "Range: bytes=0-1, -3,30-\n", NULL);
    assert_int_equal(got.status, 206);
    assert_null(strstr(got.fields, "Content-Range: "));
    field_of(&got, "Content-Type", type, sizeof type);
    static const char begin[] = "multipart/byteranges; boundary=";
    assert_memory_equal(type, begin, sizeof begin - 1);
    const char *boundary = type + sizeof begin - 1;
    snprintf(want, sizeof want,
             "--%s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes 0-1/26\r\n\r\nab"
             "\r\n--%s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes 23-25/26\r\n"
             "\r\ndef\r\n--%s--\r\n",
             boundary, boundary, boundary);
    assert_string_equal(got.body, want);
    free(got.body);
    got = web_fetch(&f, "GET", "/large.bin", "Range: bytes=0-699999,800000-1499999\n", NULL);
    assert_int_equal(got.status, 206);
    assert_in_range(got.body_len, 1400000, 1400800);
    free(got.body);
}

/* 9110/13.2.1-1: conditions are of what is there; 9110/8.8.2.1-1: a file of tomorrow is of now. */
static void conditions_need_something_to_hold_of(void **state UNUSED)
{
    static const char *const targets[] = {"/nothing", "/sub", "/.secret"};
    for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
        struct fetched plain = web_fetch(&f, "GET", targets[i], NULL, NULL);
        struct fetched got = web_fetch(&f, "GET", targets[i], "If-Match: \"x\"\nIf-None-Match: *\n", NULL);
        CHECK_EQUAL(targets[i], got.status, plain.status);
        free(plain.body);
        free(got.body);
    }
    char path[512];
    char date[100];
    char modified[100];
    snprintf(path, sizeof path, "%s/a b.txt", f.root);
    struct timespec tomorrow[2] = {{.tv_sec = time(NULL) + 86400}, {.tv_sec = time(NULL) + 86400}};
    assert_int_equal(utimensat(AT_FDCWD, path, tomorrow, 0), 0);
    struct fetched got = web_fetch(&f, "GET", "/a%20b.txt", NULL, NULL);
    field_of(&got, "Date", date, sizeof date);
    field_of(&got, "Last-Modified", modified, sizeof modified);
    assert_string_equal(date, modified);
    free(got.body);
}

static void a_file_without_the_right_to_read_it(void **state UNUSED)
{
    char path[512];
    snprintf(path, sizeof path, "%s/shut", f.root);
    assert_int_equal(chmod(path, 0), 0);
    if (access(path, R_OK) == 0)
        skip(); /* root may read everything */
    struct fetched got = web_fetch(&f, "GET", "/shut", NULL, NULL);
    assert_int_equal(got.status, 403);
    free(got.body);
}

static void types_follow_the_ending(void **state UNUSED)
{
    assert_string_equal(web_type_of(bytes_of_text("/a/b.PNG")), "image/png");
    assert_string_equal(web_type_of(bytes_of_text("x.tar.gz")), "application/gzip");
    assert_string_equal(web_type_of(bytes_of_text("/a.html/x")), "application/octet-stream");
    assert_string_equal(web_type_of(bytes_of_text("html")), "application/octet-stream");
    assert_string_equal(web_type_of(bytes_of_text("")), "application/octet-stream");
    assert_string_equal(web_type_of(bytes_of_text("x.")), "application/octet-stream");
}

static void a_root_that_is_none(void **state UNUSED)
{
    struct web_options options = {.root = "/nonexistent/folder"};
    struct web *web = NULL;
    assert_true(endpoint_parse(bytes_of_text("127.0.0.1:0"), &options.listen));
    assert_int_equal(web_new(f.net, &options, &web), -ENOENT);
    assert_null(web);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_there_and_what_is_not, start, stop),
        cmocka_unit_test_setup_teardown(a_large_file_arrives_whole, start, stop),
        cmocka_unit_test_setup_teardown(a_folder_without_an_index_is_listed, start, stop),
        cmocka_unit_test_setup_teardown(conditions_are_looked_at_in_their_order, start, stop),
        cmocka_unit_test_setup_teardown(ranges_of_a_file, start, stop),
        cmocka_unit_test_setup_teardown(several_ranges_are_parts, start, stop),
        cmocka_unit_test_setup_teardown(conditions_need_something_to_hold_of, start, stop),
        cmocka_unit_test_setup_teardown(a_file_without_the_right_to_read_it, start, stop),
        cmocka_unit_test(types_follow_the_ending),
        cmocka_unit_test_setup_teardown(a_root_that_is_none, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
