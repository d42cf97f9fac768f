/* SPDX-License-Identifier: ISC */
#include "app/web/web_limit.h"

#include "os/memory.h"
#include "tests/support/check.h"

static struct ip_address address(const char *text)
{
    struct ip_address out;
    assert_true(address_parse(bytes_of_text(text), &out));
    return out;
}

static void start(struct web_limit *limit)
{
    struct heap heap = memory_heap();
    web_limit_init(limit, &heap, 1);
}

static void a_burst_and_then_the_rate(void **state UNUSED)
{
    struct web_limit limit;
    struct ip_address a = address("10.0.0.1");
    struct ip_address b = address("10.0.0.2");
    start(&limit);
    usec now = USEC_PER_SEC;
    for (int i = 0; i < 5; i++)
        assert_true(web_limit_request(&limit, &a, 10, 5, now));
    assert_false(web_limit_request(&limit, &a, 10, 5, now));
    assert_true(web_limit_request(&limit, &b, 10, 5, now)); /* another's account */
    unsigned admitted = 0;
    for (int i = 0; i < 1000; i++, now += 10000) /* ten seconds at 100 a second */
        admitted += web_limit_request(&limit, &a, 10, 5, now);
    assert_in_range(admitted, 99, 101);
    now += 100 * USEC_PER_SEC;
    for (int i = 0; i < 5; i++)
        assert_true(web_limit_request(&limit, &a, 10, 5, now));
    assert_false(web_limit_request(&limit, &a, 10, 5, now));
    web_limit_done(&limit);
}

static void connections_of_one_household(void **state UNUSED)
{
    struct web_limit limit;
    struct ip_address a = address("2001:db8::1");
    struct ip_address same = address("2001:db8::2");
    struct ip_address other = address("2001:db8:0:1::1");
    start(&limit);
    assert_true(web_limit_enter(&limit, &a, 2));
    assert_true(web_limit_enter(&limit, &same, 2));
    assert_false(web_limit_enter(&limit, &a, 2));
    assert_true(web_limit_enter(&limit, &other, 2));
    web_limit_leave(&limit, &same);
    assert_true(web_limit_enter(&limit, &a, 2));
    web_limit_done(&limit);
}

static void the_accounts_have_a_bound(void **state UNUSED)
{
    struct web_limit limit;
    start(&limit);
    struct ip_address held = address_v4(1);
    assert_true(web_limit_enter(&limit, &held, 1));
    for (uint32_t i = 2; i < WEB_ACCOUNTS_MAX + 1000; i++) {
        struct ip_address who = address_v4(i);
        assert_true(web_limit_request(&limit, &who, 1, 1, 1000));
    }
    assert_true(limit.map.count <= WEB_ACCOUNTS_MAX);
    web_limit_done(&limit);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_and_then_the_rate),
        cmocka_unit_test(connections_of_one_household),
        cmocka_unit_test(the_accounts_have_a_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
