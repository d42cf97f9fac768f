/* SPDX-License-Identifier: ISC */
/* test_trace.c - every reason has words of its own. */
#include "stack/trace.h"

#include "tests/support/check.h"

static void test_every_reason_has_its_own_text(void **state)
{
    (void)state;
    for (int i = 0; i < DROP_REASON_COUNT; i++) {
        const char *text = drop_reason_text((enum drop_reason)i);
        assert_non_null(text);
        assert_true(strlen(text) > 3);
        for (int k = 0; k < i; k++)
            assert_string_not_equal(text, drop_reason_text((enum drop_reason)k));
    }
    assert_string_equal(drop_reason_text((enum drop_reason)9999), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_reason_has_its_own_text)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
