/* SPDX-License-Identifier: ISC */
#include "wire/http/http_cache_control.h"
#include "tests/support/check.h"

static void add(struct http_fields *fields, const char *name, const char *value)
{
    fields->list[fields->count++] =
        (struct http_field){bytes_of_text(name), bytes_of_text(value)};
}

static struct http_cache_control parsed(const char *value)
{
    struct http_fields fields = {0};
    struct http_cache_control cc;
    add(&fields, "cache-control", value);
    http_cache_control_parse(&fields, &cc);
    return cc;
}

#define BIT(which) (UINT32_C(1) << HTTP_CC_##which)

static void directives_are_found(void **state UNUSED)
{
    static const struct {
        const char *value;
        uint32_t present;
        enum http_cc_directive time;
        uint32_t seconds;
    } cases[] = {
        {"", 0, 0, 0},
        {"max-age=60", BIT(MAX_AGE), HTTP_CC_MAX_AGE, 60},
        {"MAX-AGE=\"60\"", BIT(MAX_AGE), HTTP_CC_MAX_AGE, 60},
        {"max-age=60, max-age=10", BIT(MAX_AGE), HTTP_CC_MAX_AGE, 60},
        {"max-age=1.5", BIT(MAX_AGE), HTTP_CC_MAX_AGE, 0},
        {"max-age=-1", BIT(MAX_AGE), HTTP_CC_MAX_AGE, 0},
        {"max-age", BIT(MAX_AGE), HTTP_CC_MAX_AGE, 0},
        {"max-age= 5", BIT(MAX_AGE), HTTP_CC_MAX_AGE, 0},
        {"max-age=99999999999999999999", BIT(MAX_AGE), HTTP_CC_MAX_AGE, HTTP_DELTA_MAX},
        {"max-age=2147483649", BIT(MAX_AGE), HTTP_CC_MAX_AGE, HTTP_DELTA_MAX},
        {"s-maxage=x", BIT(S_MAXAGE), HTTP_CC_S_MAXAGE, 0},
        {"max-stale", BIT(MAX_STALE), HTTP_CC_MAX_STALE, HTTP_DELTA_MAX},
        {"max-stale=5", BIT(MAX_STALE), HTTP_CC_MAX_STALE, 5},
        {"max-stale=x", 0, 0, 0},
        {"min-fresh=3", BIT(MIN_FRESH), HTTP_CC_MIN_FRESH, 3},
        {"stale-if-error=9", BIT(STALE_IF_ERROR), HTTP_CC_STALE_IF_ERROR, 9},
        {"stale-while-revalidate=9", BIT(STALE_WHILE_REVALIDATE), HTTP_CC_STALE_WHILE_REVALIDATE,
         9},
        {"private", BIT(PRIVATE), 0, 0},
        {"private=\"a, b\"", BIT(PRIVATE_FIELDS), 0, 0},
        {"private=a", BIT(PRIVATE_FIELDS), 0, 0},
        {"private=\"\"", BIT(PRIVATE), 0, 0},
        {"private=\"a b\"", BIT(PRIVATE), 0, 0},
        {"no-cache", BIT(NO_CACHE), 0, 0},
        {"no-cache=\"a\", no-cache", BIT(NO_CACHE) | BIT(NO_CACHE_FIELDS), 0, 0},
        {"public,no-store , must-revalidate", BIT(PUBLIC) | BIT(NO_STORE) | BIT(MUST_REVALIDATE),
         0, 0},
        {"no-store=1", BIT(NO_STORE), 0, 0},
        {"proxy-revalidate, no-transform, only-if-cached, must-understand, immutable",
         BIT(PROXY_REVALIDATE) | BIT(NO_TRANSFORM) | BIT(ONLY_IF_CACHED) | BIT(MUST_UNDERSTAND) |
             BIT(IMMUTABLE),
         0, 0},
        {"x=\"max-age=60\", community=\"UCI\"", 0, 0, 0},
        {"xmax-age=5, max-agex=5", 0, 0, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct http_cache_control cc = parsed(cases[i].value);
        CHECK_EQUAL(cases[i].value, cc.present, cases[i].present);
        if (cases[i].present != 0)
            CHECK_EQUAL(cases[i].value, cc.seconds[cases[i].time], cases[i].seconds);
    }
}

static void fields_add_up_to_one_list(void **state UNUSED)
{
    struct http_fields fields = {0};
    struct http_cache_control cc;
    add(&fields, "Cache-Control", "max-age=5");
    add(&fields, "X", "no-store");
    add(&fields, "CACHE-CONTROL", "public, max-age=7");
    http_cache_control_parse(&fields, &cc);
    assert_int_equal(cc.present, BIT(MAX_AGE) | BIT(PUBLIC));
    assert_int_equal(cc.seconds[HTTP_CC_MAX_AGE], 5);
    uint8_t joined[64];
    struct writer w = writer_of(joined, sizeof joined);
    http_fields_join(&fields, "cache-control", &w);
    assert_true(bytes_equal(writer_bytes(&w), bytes_of_text("max-age=5, public, max-age=7")));
}

/* RFC 9213 §2.1 */
static void targeted_fields_are_dictionaries_or_nothing(void **state UNUSED)
{
    static const struct {
        const char *value;
        bool valid;
        uint32_t present;
        uint32_t max_age;
    } cases[] = {
        {"max-age=60", true, BIT(MAX_AGE), 60},
        {"max-age=60, max-age=10", true, BIT(MAX_AGE), 10},
        {"max-age=60;x, public", true, BIT(MAX_AGE) | BIT(PUBLIC), 60},
        {"max-age=\"60\"", true, 0, 0},
        {"max-age=6.0, no-store", true, BIT(NO_STORE), 0},
        {"max-age", true, 0, 0},
        {"max-age=-1", true, 0, 0},
        {"no-store=?0", true, 0, 0},
        {"no-store=5", true, 0, 0},
        {"no-cache=\"set-cookie\"", true, BIT(NO_CACHE_FIELDS), 0},
        {"MAX-AGE=60", false, 0, 0},
        {"max-age=60,", false, 0, 0},
        {"max-age=", false, 0, 0},
        {"", false, 0, 0},
        {"  ", false, 0, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct http_fields fields = {0};
        struct http_cache_control cc = {0};
        add(&fields, "CDN-Cache-Control", cases[i].value);
        CHECK_EQUAL(cases[i].value, http_cache_control_targeted(&fields, "cdn-cache-control", &cc),
                    cases[i].valid);
        CHECK_EQUAL(cases[i].value, cc.present, cases[i].present);
        CHECK_EQUAL(cases[i].value, cc.seconds[HTTP_CC_MAX_AGE], cases[i].max_age);
    }
    struct http_fields fields = {0};
    struct http_cache_control cc;
    assert_false(http_cache_control_targeted(&fields, "CDN-Cache-Control", &cc));
}

static void listed_fields_are_found_whatever_their_case(void **state UNUSED)
{
    struct http_fields fields = {0};
    add(&fields, "Cache-Control", "max-age=5, private=\"Set-Cookie, X-A\"");
    add(&fields, "Cache-Control", "no-cache=x-b");
    assert_true(http_cache_control_names(&fields, "Cache-Control", "private",
                                         bytes_of_text("set-cookie")));
    assert_true(http_cache_control_names(&fields, "Cache-Control", "private",
                                         bytes_of_text("x-a")));
    assert_false(http_cache_control_names(&fields, "Cache-Control", "private",
                                          bytes_of_text("x-b")));
    assert_true(http_cache_control_names(&fields, "Cache-Control", "no-cache",
                                         bytes_of_text("X-B")));
}

/* RFC 9111 §5.1 */
static void ages_that_are_none_are_ignored(void **state UNUSED)
{
    static const struct {
        const char *value;
        bool valid;
        uint32_t age;
    } cases[] = {
        {"0", true, 0},     {"60", true, 60},     {"60, 70", true, 60}, {"x, 70", false, 0},
        {"-1", false, 0},   {"1.5", false, 0},    {"", false, 0},       {"99999999999", true, HTTP_DELTA_MAX},
        {"60;x", false, 0}, {"\"60\"", false, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct http_fields fields = {0};
        uint32_t age = 0;
        add(&fields, "Age", cases[i].value);
        CHECK_EQUAL(cases[i].value, http_age(&fields, &age), cases[i].valid);
        CHECK_EQUAL(cases[i].value, age, cases[i].age);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(directives_are_found),
        cmocka_unit_test(fields_add_up_to_one_list),
        cmocka_unit_test(targeted_fields_are_dictionaries_or_nothing),
        cmocka_unit_test(listed_fields_are_found_whatever_their_case),
        cmocka_unit_test(ages_that_are_none_are_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
