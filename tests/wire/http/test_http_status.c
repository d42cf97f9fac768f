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

/* 9110/15.1-1: every status that is an error says what it means. */
static void errors_have_a_hint(void **state UNUSED)
{
    for (unsigned status = 400; status < 600; status++) {
        const char *text = http_status_text(status);
        bool known = strcmp(text, status < 500 ? "Client Error" : "Server Error") != 0;
        if (known && status != 510 && http_status_hint(status)[0] == '\0')
            fail_msg("%u has no hint", status);
        if (!known)
            assert_string_equal(http_status_hint(status), "");
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(phrases),
                                              cmocka_unit_test(errors_have_a_hint)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
