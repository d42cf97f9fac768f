/* SPDX-License-Identifier: ISC */
#include "wire/http/http_status.h"
#include "tests/support/check.h"

static void phrases(void **state UNUSED)
{
    assert_string_equal(http_status_text(200), "OK");
    assert_string_equal(http_status_text(413), "Content Too Large");
    assert_string_equal(http_status_text(505), "HTTP Version Not Supported");
    assert_string_equal(http_status_text(299), "Success"); /* RFC 9110 §15: as x00 of its class */
    assert_string_equal(http_status_text(499), "Client Error");
    assert_string_equal(http_status_text(999), "Unknown");
    assert_string_equal(http_status_text(0), "Unknown");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(phrases)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
