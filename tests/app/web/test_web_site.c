/* SPDX-License-Identifier: ISC */
/* The built-in site, and the methods of everything. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/check.h"
#include "tests/support/web_fixture.h"

static struct web_fixture f;

static int start(void **state UNUSED)
{
    f = (struct web_fixture){0};
    strcpy(f.status, "{\"program\": \"wholenet\", \"uptime\": 1.5}");
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
    const char *field; /* among the fields of the response; NULL: any */
    const char *body;  /* in the body; NULL: none at all */
} cases[] = {
    {"GET", "/", 200, "Content-Type: text/html; charset=utf-8\n", "You are <code>127.0.0.1</code>"},
    {"GET", "/?a=b", 200, NULL, "www.home.arpa"},
    {"GET", "http://anything/", 200, NULL, "home.arpa"},
    {"HEAD", "/", 200, "Content-Type: text/html; charset=utf-8\n", NULL},
    {"GET", "/status.json", 200, "Content-Type: application/json\n", "\"uptime\": 1.5"},
    {"GET", "/./x/..//status.json", 200, NULL, "\"uptime\": 1.5"},
    {"GET", "/healthz", 200, "Cache-Control: no-store\n", "ok\n"},
    {"GET", "/robots.txt", 200, "Content-Type: text/plain; charset=utf-8\n", "Disallow: /"},
    {"GET", "/favicon.svg", 200, "Content-Type: image/svg+xml\n", "<svg"},
    {"GET", "/style.css", 200, "Content-Type: text/css; charset=utf-8\n", "prefers-color-scheme"},
    {"GET", "/live.js", 200, "Cache-Control: no-cache\n", "fetch("},
    {"GET", "/docs/", 200, NULL, "<title>Handbook"},
    {"GET", "/docs/run.html", 200, NULL, "<title>Run a program in a network"},
    {"GET", "/docs/impairments.html", 200, NULL, "--loss"},
    {"GET", "/docs/../status.json", 200, NULL, "uptime"},
    {"GET", "/docs/nothing.html", 404, NULL, "404"},
    {"GET", "/layout.html", 404, NULL, "404"},
    {"GET", "/nothing", 404, "Content-Security-Policy: default-src 'none';", "Not Found"},
    {"GET", "/%3Cscript%3E", 404, NULL, "Not Found"},
    {"GET", "/a%2fb", 400, NULL, "Bad Request"},
    {"GET", "/%00", 400, NULL, "Bad Request"},
    {"GET", "/bytes/10", 200, "Content-Length: 10\n", ""},
    {"GET", "/bytes/0", 200, "Content-Length: 0\n", NULL},
    {"HEAD", "/bytes/1G", 200, "Content-Length: 1073741824\n", NULL},
    {"GET", "/bytes/", 404, NULL, "/bytes/1000"},
    {"GET", "/bytes/-1", 404, NULL, "404"},
    {"GET", "/bytes/99999999999999999999", 404, NULL, "404"},
    {"OPTIONS", "/", 204, "Allow: GET, HEAD, OPTIONS\n", NULL},
    {"OPTIONS", "*", 204, "Allow: GET, HEAD, OPTIONS\n", NULL},
    {"OPTIONS", "/sink", 204, "Allow: PUT, POST, OPTIONS\n", NULL},
    {"GET", "/sink", 405, "Allow: PUT, POST, OPTIONS\n", "Method Not Allowed"},
    {"POST", "/", 405, "Allow: GET, HEAD, OPTIONS\n", "405"},
    {"DELETE", "/status.json", 405, "Allow: GET, HEAD, OPTIONS\n", "405"},
    {"CONNECT", "h:80", 405, "Allow: GET, HEAD, OPTIONS\n", "405"},
    {"TRACE", "/", 405, NULL, "405"},
    {"BREW", "/", 501, NULL, "501"},
    {"get", "/", 501, NULL, "501"},
    {"PUT", "/sink", 411, NULL, "Length Required"},
};

/* 9110/9.1-3 9110/9.3.7-1 9110/9.3.8-1 9110/9.3.6-1 9110/15.1-1 9110/9.2.1-1. */
static void paths_and_methods(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char name[100];
        snprintf(name, sizeof name, "%s %s", cases[i].method, cases[i].target);
        struct fetched got = web_fetch(&f, cases[i].method, cases[i].target, NULL, NULL);
        CHECK_EQUAL(name, got.status, cases[i].status);
        CHECK(name, got.reusable);
        CHECK(name, cases[i].field == NULL || strstr(got.fields, cases[i].field) != NULL);
        CHECK(name, strstr(got.fields, "Date: ") != NULL);
        if (cases[i].body != NULL)
            CHECK(name, strstr(got.body, cases[i].body) != NULL && got.body_len > 0);
        else
            CHECK_EQUAL(name, got.body_len, 0);
        free(got.body);
    }
    assert_non_null(strstr(f.log, "GET / 200;GET /?a=b 200;"));
    struct web_counters counters;
    web_counters(f.web, &counters);
    assert_int_equal(counters.requests, ARRAY_LEN(cases));
    assert_int_equal(counters.responses[2] + counters.responses[4] + counters.responses[5],
                     ARRAY_LEN(cases));
}

static void the_pattern_is_the_same_wherever_it_is_cut(void **state UNUSED)
{
    struct fetched got = web_fetch(&f, "GET", "/bytes/3M", NULL, NULL);
    assert_int_equal(got.body_len, 3 << 20);
    for (size_t i = 0; i < got.body_len; i++)
        if ((uint8_t)got.body[i] != i % 251)
            fail_msg("octet %zu is %u", i, (uint8_t)got.body[i]);
    free(got.body);
}

static void the_sink_counts(void **state UNUSED)
{
    static char large[2000001];
    memset(large, 'x', sizeof large - 1);
    static const char *const methods[] = {"PUT", "POST"};
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        struct fetched got = web_fetch(&f, methods[i], "/sink", NULL, large);
        assert_int_equal(got.status, 200);
        assert_memory_equal(got.body, "{\"octets\": 2000000, \"seconds\": ", 31);
        free(got.body);
    }
    char *said = web_converse(&f,
                              "POST /sink HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"
                              "Connection: close\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n",
                              false);
    assert_non_null(strstr(said, "{\"octets\": 7, "));
    free(said);
}

static void without_a_status_the_page_still_says_who_you_are(void **state UNUSED)
{
    web_fixture_stop(&f);
    f = (struct web_fixture){0};
    web_fixture_start(&f, NULL);
    struct fetched got = web_fetch(&f, "GET", "/", NULL, NULL);
    assert_non_null(strstr(got.body, "You are <code>127.0.0.1</code>"));
    assert_null(strstr(got.body, "class=\"figures\""));
    free(got.body);
    got = web_fetch(&f, "GET", "/status.json", NULL, NULL);
    assert_string_equal(got.body, "{\"program\":\"wholenet\"}\n");
    free(got.body);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(paths_and_methods, start, stop),
        cmocka_unit_test_setup_teardown(the_pattern_is_the_same_wherever_it_is_cut, start, stop),
        cmocka_unit_test_setup_teardown(the_sink_counts, start, stop),
        cmocka_unit_test_setup_teardown(without_a_status_the_page_still_says_who_you_are, start,
                                        stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
