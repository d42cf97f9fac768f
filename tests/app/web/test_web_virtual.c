/* SPDX-License-Identifier: ISC */
/* The web service over our own TCP, in virtual time: the same answers on a perfect wire and a bad one. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/check.h"
#include "tests/support/web_fixture.h"

static const struct net_world_kind perfect = {.name = "a perfect wire"};
static const struct net_world_kind bad = {.name = "a bad wire", .impaired = true};
static struct web_fixture f;

static void check_pattern(const struct fetched *got, size_t len)
{
    assert_int_equal(got->status, 200);
    assert_int_equal(got->body_len, len);
    for (size_t i = 0; i < len; i++)
        if ((uint8_t)got->body[i] != i % 251)
            fail_msg("octet %zu is %u", i, (uint8_t)got->body[i]);
}

static void exchange(const struct net_world_kind *kind, uint64_t seed)
{
    static char large[150001];
    memset(large, 'y', sizeof large - 1);
    f = (struct web_fixture){.kind = kind, .seed = seed};
    strcpy(f.status, "{\"uptime\": 1}");
    web_fixture_start(&f, NULL);

    struct fetched got = web_fetch(&f, "GET", "/", NULL, NULL);
    assert_int_equal(got.status, 200);
    assert_non_null(strstr(got.body, "You are <code>"));
    free(got.body);
    got = web_fetch(&f, "GET", "/bytes/600000", NULL, NULL);
    check_pattern(&got, 600000);
    free(got.body);
    got = web_fetch(&f, "PUT", "/sink", NULL, large);
    assert_memory_equal(got.body, "{\"octets\": 150000, ", 19);
    free(got.body);
    char *said = web_converse(&f,
                              "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"
                              "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n",
                              true);
    assert_string_equal(f.log, "GET / 200;GET /bytes/600000 200;PUT /sink 200;GET /healthz 200;"
                               "GET /healthz 200;");
    free(said);
    web_fixture_stop(&f);
}

static void over_a_perfect_wire(void **state UNUSED)
{
    exchange(&perfect, 1);
}

static void over_a_bad_wire(void **state UNUSED)
{
    for (uint64_t seed = 1; seed <= 4; seed++)
        exchange(&bad, seed);
}

/* RFC 9112 §9.5: what a client leaves open does not stay for ever. */
static void what_is_left_open_is_closed_in_time(void **state UNUSED)
{
    f = (struct web_fixture){.kind = &perfect, .seed = 1};
    web_fixture_start(&f, NULL);
    usec start = loop_now(f.loop);
    char *said = web_converse(&f, "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n", false);
    assert_non_null(strstr(said, "ok\n"));
    assert_in_range(loop_now(f.loop) - start, 60 * USEC_PER_SEC, 61 * USEC_PER_SEC);
    free(said);
    start = loop_now(f.loop);
    said = web_converse(&f, "GET /healthz HTT", false);
    assert_memory_equal(said, "HTTP/1.1 408", 12);
    assert_in_range(loop_now(f.loop) - start, 10 * USEC_PER_SEC, 11 * USEC_PER_SEC);
    free(said);
    web_fixture_stop(&f);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(over_a_perfect_wire),
        cmocka_unit_test(over_a_bad_wire),
        cmocka_unit_test(what_is_left_open_is_closed_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
