/* SPDX-License-Identifier: ISC */
/* test_status.c - every verdict has a text. */
#include "tests/support/check.h"

#include "wire/status.h"

static void test_every_status_has_a_text(void **state UNUSED)
{
    for (unsigned i = 0; i < WIRE_STATUS_COUNT; i++) {
        assert_non_null(wire_status_text((enum wire_status)i));
        assert_true(strlen(wire_status_text((enum wire_status)i)) > 1);
    }
    assert_string_equal(wire_status_text(WIRE_TRUNCATED), "truncated");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_status_has_a_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
