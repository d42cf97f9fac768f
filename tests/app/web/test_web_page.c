/* SPDX-License-Identifier: ISC */
/* The page about this network, from status objects of all kinds. */
#include <stdio.h>
#include <stdlib.h>

#include "app/web/web_exchange.h"
#include "tests/support/check.h"
#include "tests/support/web_fixture.h"

static struct web_fixture f;

/* The page for that status object; free it. */
static char *render(const char *status)
{
    f = (struct web_fixture){0};
    snprintf(f.status, sizeof f.status, "%s", status);
    web_fixture_start(&f, NULL);
    struct fetched got = web_fetch(&f, "GET", "/", NULL, NULL);
    assert_int_equal(got.status, 200);
    web_fixture_stop(&f);
    return got.body;
}

#define HOSTILE "<script>alert(\\\"1\\\")</script>"

static void everything_that_is_known_is_shown(void **state UNUSED)
{
    char *page = render(
        "{\"uptime\": 192.5, \"site\": {\"domain\": \"home.arpa\", \"gateway\": \"10.0.2.1\","
        "\"internet\": \"host\", \"published\": [{\"outside\": \"127.0.0.1:8080\","
        "\"inside_port\": 80, \"protocol\": \"tcp\"}]},"
        "\"links\": [{\"name\": \"eth0\", \"address\": \"10.0.2.1/24\", \"mtu\": 1500,"
        "\"in\": {\"frames\": 1234567, \"octets\": 2048}, \"out\": {\"octets\": 5},"
        "\"impairments\": {\"delay\": 0.02, \"loss\": 0.015, \"rate\": 10000000}}],"
        "\"leases\": [{\"address\": \"127.0.0.1\", \"name\": \"guest.home.arpa\","
        "\"expires\": null}],"
        "\"connections\": [{\"local\": \"10.0.2.1:80\", \"remote\": \"10.0.2.15:1\","
        "\"state\": \"ESTABLISHED\", \"rtt\": 0.0003}], \"connections_total\": 7,"
        "\"services\": {\"names\": {\"queries_udp\": 2}, \"web\": {\"requests\": 3}},"
        "\"counters\": {\"ipInReceives\": 10},"
        "\"drops\": [{\"reason\": \"checksum\", \"count\": 2}]}");
    static const char *const wanted[] = {
        "3\u00a0min 12\u00a0s", "guest.home.arpa", "<code>10.0.2.1</code>",
        "1\u202f234\u202f567", "2.0&nbsp;KiB", "delay 20\u00a0ms", "loss 1.5\u00a0%",
        "rate 10\u00a0Mbit/s", "never", "ESTABLISHED", "300\u00a0\u00b5s", "queries udp", "ipInReceives", "checksum",
        "127.0.0.1:8080", "data-in=\"2048\" data-out=\"5\"",
    };
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
        CHECK(wanted[i], strstr(page, wanted[i]) != NULL);
    free(page);
}

static void what_others_have_chosen_is_escaped(void **state UNUSED)
{
    char *page = render(
        "{\"site\": {\"gateway\": \"" HOSTILE "\", \"internet\": \"" HOSTILE "\","
        "\"published\": [{\"outside\": \"" HOSTILE "\", \"protocol\": \"" HOSTILE "\"}]},"
        "\"links\": [{\"name\": \"" HOSTILE "\", \"address\": \"" HOSTILE "\", \"mac\": \"" HOSTILE
        "\"}], \"leases\": [{\"address\": \"127.0.0.1\", \"name\": \"" HOSTILE "\"}],"
        "\"connections\": [{\"local\": \"" HOSTILE "\", \"state\": \"" HOSTILE "\"}],"
        "\"services\": {\"" HOSTILE "\": {\"" HOSTILE "\": 1}}, \"counters\": {\"" HOSTILE "\": 1},"
        "\"drops\": [{\"reason\": \"" HOSTILE "\"}]}");
    assert_null(strstr(page, "<script>"));
    assert_null(strstr(page, "alert(\""));
    assert_non_null(strstr(page, "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;"));
    free(page);
}

static void a_status_of_any_shape_makes_a_page(void **state UNUSED)
{
    static const char *const shapes[] = {
        "{}",
        "[]",
        "not JSON",
        "{\"links\": {}, \"leases\": 3, \"connections\": \"x\", \"services\": [], \"drops\": null}",
        "{\"links\": [1, null, []], \"leases\": [[]], \"services\": {\"a\": 1, \"b\": []},"
        "\"uptime\": \"x\", \"connections\": [{}], \"drops\": [1]}",
        "{\"uptime\": 1e300, \"connections_total\": -5, \"links\": [{\"mtu\": 1e300,"
        "\"impairments\": {\"delay\": 1e300, \"loss\": -1, \"rate\": 1}}],"
        "\"leases\": [{\"expires\": -9223372036854775807}]}",
    };
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
        char *page = render(shapes[i]);
        CHECK(shapes[i], strstr(page, "You are") != NULL && strstr(page, "</html>") != NULL);
        free(page);
    }
}

static void pages_of_the_site_are_embedded(void **state UNUSED)
{
    assert_non_null(web_page_find(bytes_of_text("/layout.html")));
    assert_non_null(web_page_find(bytes_of_text("/docs/run.html")));
    assert_null(web_page_find(bytes_of_text("/docs")));
    assert_null(web_page_find(bytes_empty()));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_that_is_known_is_shown),
        cmocka_unit_test(what_others_have_chosen_is_escaped),
        cmocka_unit_test(a_status_of_any_shape_makes_a_page),
        cmocka_unit_test(pages_of_the_site_are_embedded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
