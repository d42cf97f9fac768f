/* SPDX-License-Identifier: ISC */
#include "app/web/page_text.h"
#include "tests/support/check.h"

static struct page_text page;

static void expect(const char *want)
{
    if (!bytes_equal(page_bytes(&page), bytes_of_text(want)))
        fail_msg("%.*s, expected %s", (int)page.len, page.data, want);
    assert_false(page.failed);
    page_done(&page);
}

static void text_is_escaped(void **state UNUSED)
{
    page_add_text(&page, "<a href=\"x\" title='y'>&amp;</a>");
    expect("&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;amp;&lt;/a&gt;");
    page_add_escaped(&page, bytes_of("a\0b\x1b\x7f\xc3\xa9", 7));
    expect("a\xef\xbf\xbd"
           "b\xef\xbf\xbd\xef\xbf\xbd\xc3\xa9");
    page_add_text(&page, "");
    assert_int_equal(page.len, 0);
}

static void numbers_for_people(void **state UNUSED)
{
    page_add_count(&page, 0);
    page_add(&page, " ");
    page_add_count(&page, 999);
    page_add(&page, " ");
    page_add_count(&page, UINT64_MAX);
    expect("0 999 18\u202f446\u202f744\u202f073\u202f709\u202f551\u202f615");

    static const struct {
        uint64_t octets;
        const char *want;
    } sizes[] = {
        {0, "<span title=\"0 octets\">0&nbsp;B</span>"},
        {1023, "<span title=\"1023 octets\">1023&nbsp;B</span>"},
        {1536, "<span title=\"1536 octets\">1.5&nbsp;KiB</span>"},
        {UINT64_MAX, "<span title=\"18446744073709551615 octets\">16.0&nbsp;EiB</span>"},
    };
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        page_add_size(&page, sizes[i].octets);
        expect(sizes[i].want);
    }
    static const struct {
        double seconds;
        const char *want;
    } times[] = {
        {0, "0.0\u00a0s"},         {9.95, "9.9\u00a0s"},
        {59, "59\u00a0s"},         {60, "1\u00a0min 0\u00a0s"},
        {3725, "1\u00a0h 2\u00a0min"}, {200000, "2\u00a0d 7\u00a0h"},
        {-5, "0.0\u00a0s"},        {1e300, "0.0\u00a0s"},
    };
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        page_add_seconds(&page, times[i].seconds);
        expect(times[i].want);
    }
}

static bool on_name(void *self, struct page_text *out, struct bytes name)
{
    unsigned *calls = self;
    (*calls)++;
    if (!bytes_equal(name, bytes_of_text("name")))
        return false;
    page_add(out, "{{name}}"); /* what was put in is not expanded again */
    return true;
}

static void names_in_a_source_are_replaced(void **state UNUSED)
{
    static const struct {
        const char *source, *want;
        unsigned calls;
    } cases[] = {
        {"a {{name}} b{{name}}", "a {{name}} b{{name}}", 2},
        {"{{other}}", "{{other}}", 1},
        {"{{}}", "{{}}", 1},
        {"x {{name", "x {{name", 0},
        {"{ {name} }}", "{ {name} }}", 0},
        {"", "", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        unsigned calls = 0;
        size_t len = strlen(cases[i].source);
        uint8_t *copy = exact_copy(cases[i].source, len);
        page_expand(&page, bytes_of(copy, len), on_name, &calls);
        expect(cases[i].want);
        CHECK_EQUAL(cases[i].source, calls, cases[i].calls);
        free(copy);
    }
}

static void a_page_has_a_limit(void **state UNUSED)
{
    static uint8_t block[1 << 20];
    for (size_t i = 0; i < PAGE_TEXT_MAX / sizeof block; i++)
        page_add_bytes(&page, bytes_of(block, sizeof block));
    assert_false(page.failed);
    page_add(&page, "x");
    assert_true(page.failed);
    page_done(&page);
    assert_false(page.failed);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_escaped),
        cmocka_unit_test(numbers_for_people),
        cmocka_unit_test(names_in_a_source_are_replaced),
        cmocka_unit_test(a_page_has_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
