/* SPDX-License-Identifier: ISC */
/* Answers from memory: tags and ranges of embedded files, and the pages that say what is wrong. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/check.h"
#include "tests/support/web_fixture.h"

static struct web_fixture f;

static int start(void **state UNUSED)
{
    f = (struct web_fixture){0};
    web_fixture_start(&f, NULL);
    return 0;
}

static int stop(void **state UNUSED)
{
    web_fixture_stop(&f);
    return 0;
}

static void an_embedded_file_is_asked_for_again_and_has_not_changed(void **state UNUSED)
{
    char fields[200];
    struct fetched got = web_fetch(&f, "GET", "/robots.txt", NULL, NULL);
    const char *etag = strstr(got.fields, "ETag: ");
    assert_non_null(etag);
    snprintf(fields, sizeof fields, "If-None-Match: \"x\", W/%.*s\n", (int)strcspn(etag + 6, "\n"),
             etag + 6);
    struct fetched again = web_fetch(&f, "GET", "/robots.txt", fields, NULL);
    assert_int_equal(again.status, 304);
    assert_int_equal(again.body_len, 0);
    assert_null(strstr(again.fields, "Content-Length"));
    free(again.body);
    again = web_fetch(&f, "GET", "/favicon.svg", fields, NULL);
    assert_int_equal(again.status, 200);
    free(again.body);
    again = web_fetch(&f, "GET", "/robots.txt", "Range: bytes=2-5\n", NULL);
    assert_int_equal(again.status, 206);
    assert_int_equal(again.body_len, 4);
    assert_memory_equal(again.body, got.body + 2, 4);
    free(again.body);
    free(got.body);
}

static void an_error_page_says_what_is_wrong_and_nothing_that_was_sent(void **state UNUSED)
{
    struct fetched got = web_fetch(&f, "GET", "/nothing<script>alert(1)</script>", NULL, NULL);
    assert_int_equal(got.status, 404);
    assert_null(strstr(got.body, "alert"));
    assert_non_null(strstr(got.body, "<title>Not Found · home.arpa</title>"));
    assert_non_null(strstr(got.fields, "Cache-Control: no-store\n"));
    assert_non_null(strstr(got.fields, "X-Content-Type-Options: nosniff\n"));
    free(got.body);
    got = web_fetch(&f, "HEAD", "/nothing", NULL, NULL);
    assert_int_equal(got.status, 404);
    assert_int_equal(got.body_len, 0);
    free(got.body);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_embedded_file_is_asked_for_again_and_has_not_changed,
                                        start, stop),
        cmocka_unit_test_setup_teardown(an_error_page_says_what_is_wrong_and_nothing_that_was_sent,
                                        start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
