/* SPDX-License-Identifier: ISC */
#include "app/web/web_flow.h"

#include "tests/support/check.h"

static unsigned lows;

static void on_low(struct web_flow *flow UNUSED)
{
    lows++;
}

/* What goes in comes out in its order, whatever the pieces. */
static void a_queue_keeps_the_order(void **state UNUSED)
{
    struct web_flow flow = {0};
    uint8_t next_in = 0, next_out = 0;
    size_t in = 0, out = 0;
    for (unsigned i = 0; i < 5000; i++) {
        uint8_t piece[97];
        size_t len = i * 31 % sizeof piece;
        for (size_t k = 0; k < len; k++)
            piece[k] = next_in++;
        assert_true(web_flow_add(&flow, bytes_of(piece, len)));
        in += len;
        struct bytes there = bytes_first(web_flow_bytes(&flow), i * 17 % 101);
        for (size_t k = 0; k < there.len; k++)
            assert_int_equal(there.data[k], next_out++);
        out += there.len;
        web_flow_drop(&flow, there.len);
        assert_int_equal(flow.len, in - out);
    }
    web_flow_done(&flow);
}

static void an_empty_one_owns_nothing(void **state UNUSED)
{
    struct web_flow flow = {0};
    assert_true(web_flow_waits(&flow));
    assert_true(web_flow_add(&flow, bytes_of_text("x")));
    assert_false(web_flow_waits(&flow));
    web_flow_drop(&flow, 1);
    assert_null(flow.octets);
    assert_true(web_flow_waits(&flow));
    flow.ended = true;
    assert_false(web_flow_waits(&flow));
}

static void who_fills_it_is_told_once_when_it_is_low(void **state UNUSED)
{
    static const uint8_t octets[WEB_FLOW_FULL];
    struct web_flow flow = {.on_low = on_low};
    lows = 0;
    assert_true(web_flow_add(&flow, bytes_of(octets, WEB_FLOW_FULL - 1)));
    assert_false(web_flow_full(&flow));
    assert_true(web_flow_add(&flow, bytes_of(octets, 1)));
    assert_true(web_flow_full(&flow));
    web_flow_drop(&flow, 1);
    assert_true(web_flow_full(&flow)); /* not to and fro at the mark */
    web_flow_drop(&flow, WEB_FLOW_FULL - WEB_FLOW_LOW - 2);
    assert_int_equal(lows, 0);
    web_flow_drop(&flow, 1);
    assert_int_equal(lows, 1);
    assert_false(web_flow_full(&flow));
    web_flow_drop(&flow, WEB_FLOW_LOW);
    assert_int_equal(lows, 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_queue_keeps_the_order),
        cmocka_unit_test(an_empty_one_owns_nothing),
        cmocka_unit_test(who_fills_it_is_told_once_when_it_is_low),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
