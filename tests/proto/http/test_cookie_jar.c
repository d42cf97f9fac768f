/* SPDX-License-Identifier: ISC */
#include "proto/http/cookie_jar.h"
#include "os/memory.h"
#include "tests/support/check.h"

enum { NOW = 1700000000 };

static struct cookie_jar *new_jar(void)
{
    struct heap heap = memory_heap();
    struct cookie_jar *jar = cookie_jar_new(&heap);
    assert_non_null(jar);
    return jar;
}

static const struct url *url_of(const char *text)
{
    static struct url url;
    assert_int_equal(url_parse(bytes_of_text(text), NULL, &url), URL_OK);
    return &url;
}

static bool take(struct cookie_jar *jar, const char *url, const char *field)
{
    size_t len = strlen(field);
    uint8_t *copy = exact_copy(field, len);
    bool taken = cookie_jar_take(jar, url_of(url), bytes_of(copy, len), NOW);
    free(copy);
    return taken;
}

/* "" without any. */
static const char *sent_at(struct cookie_jar *jar, const char *url, int64_t now)
{
    static char out[4096];
    struct text t = text_of(out, sizeof out);
    bool any = cookie_jar_write(jar, url_of(url), now, &t);
    assert_int_equal(any, t.len > 0);
    return out;
}

static const char *sent(struct cookie_jar *jar, const char *url)
{
    return sent_at(jar, url, NOW);
}

/* One cookie, set at one URL; what another is sent. */
static const struct {
    const char *name, *at, *field, *to, *want;
} cases[] = {
    {"a plain one", "http://a.test/", "n=v", "http://a.test/", "n=v"},
    {"spaces go", "http://a.test/", "  n  =  v w  ;x", "http://a.test/", "n=v w"},
    {"a value with =", "http://a.test/", "n=a=b", "http://a.test/", "n=a=b"},
    {"quotes stay", "http://a.test/", "n=\"v\"", "http://a.test/", "n=\"v\""},
    {"no name", "http://a.test/", "v", "http://a.test/", "v"},
    {"no value", "http://a.test/", "n=", "http://a.test/", "n="},
    {"nothing", "http://a.test/", "=", "http://a.test/", ""},
    {"a control character", "http://a.test/", "n=a\x01" "b", "http://a.test/", ""},
    {"another host", "http://a.test/", "n=v", "http://b.test/", ""},
    {"not for subdomains", "http://a.test/", "n=v", "http://x.a.test/", ""},
    {"ports do not matter", "http://a.test:81/", "n=v", "http://a.test/", "n=v"},
    {"with Domain for subdomains", "http://a.test/", "n=v; Domain=a.test", "http://x.a.test/", "n=v"},
    {"and itself", "http://a.test/", "n=v; Domain=a.test", "http://a.test/", "n=v"},
    {"a leading dot", "http://a.test/", "n=v; Domain=.A.TEST", "http://x.a.test/", "n=v"},
    {"for the parent", "http://x.a.test/", "n=v; Domain=a.test", "http://y.a.test/", "n=v"},
    {"a longer name is none", "http://x.a.test/", "n=v; Domain=a.test", "http://xa.test/", ""},
    {"another's domain", "http://a.test/", "n=v; Domain=b.test", "http://b.test/", ""},
    {"a child's domain", "http://a.test/", "n=v; Domain=x.a.test", "http://x.a.test/", ""},
    {"one label", "http://a.test/", "n=v; Domain=test", "http://a.test/", ""},
    {"one label for itself", "http://localhost/", "n=v; Domain=localhost", "http://localhost/", "n=v"},
    {"an address", "http://10.0.0.1/", "n=v", "http://10.0.0.1/", "n=v"},
    {"an address' end", "http://10.0.0.1/", "n=v; Domain=0.0.1", "http://10.0.0.1/", ""},
    {"an empty Domain", "http://a.test/", "n=v; Domain=", "http://a.test/", "n=v"},
    {"the last Domain holds", "http://x.a.test/", "n=v; Domain=b.test; Domain=a.test",
     "http://y.a.test/", "n=v"},
    {"the default path", "http://a.test/d/e/f", "n=v", "http://a.test/d/e/g", "n=v"},
    {"the default path's other side", "http://a.test/d/e/f", "n=v", "http://a.test/d/", ""},
    {"a path", "http://a.test/", "n=v; Path=/d", "http://a.test/d", "n=v"},
    {"below a path", "http://a.test/", "n=v; Path=/d", "http://a.test/d/e", "n=v"},
    {"a longer segment", "http://a.test/", "n=v; Path=/d", "http://a.test/de", ""},
    {"a path with a slash", "http://a.test/", "n=v; Path=/d/", "http://a.test/d", ""},
    {"a query is no path", "http://a.test/", "n=v; Path=/d", "http://a.test/d?x", "n=v"},
    {"a path that is none", "http://a.test/d/e", "n=v; Path=x", "http://a.test/d/", "n=v"},
    {"secure", "https://a.test/", "n=v; Secure", "https://a.test/", "n=v"},
    {"secure, sent openly", "https://a.test/", "n=v; Secure", "http://a.test/", ""},
    {"secure, set openly", "http://a.test/", "n=v; Secure", "https://a.test/", ""},
    {"expired", "http://a.test/", "n=v; Expires=Wed, 09 Jun 2021 10:18:14 GMT", "http://a.test/", ""},
    {"not expired", "http://a.test/", "n=v; Expires=Wed, 09 Jun 2100 10:18:14 GMT", "http://a.test/",
     "n=v"},
    {"no date", "http://a.test/", "n=v; Expires=soon", "http://a.test/", "n=v"},
    {"Max-Age 0", "http://a.test/", "n=v; Max-Age=0", "http://a.test/", ""},
    {"Max-Age -1", "http://a.test/", "n=v; Max-Age=-1", "http://a.test/", ""},
    {"Max-Age wins", "http://a.test/", "n=v; Max-Age=9; Expires=Wed, 09 Jun 2021 10:18:14 GMT",
     "http://a.test/", "n=v"},
    {"Max-Age that is none", "http://a.test/", "n=v; Max-Age=0x", "http://a.test/", "n=v"},
    {"__Secure-", "https://a.test/", "__Secure-n=v; Secure", "https://a.test/", "__Secure-n=v"},
    {"__Secure- without", "https://a.test/", "__secure-n=v", "https://a.test/", ""},
    {"__Host-", "https://a.test/", "__Host-n=v; Secure; Path=/", "https://a.test/", "__Host-n=v"},
    {"__Host- with Domain", "https://a.test/", "__Host-n=v; Secure; Path=/; Domain=a.test",
     "https://a.test/", ""},
    {"__Host- without Path", "https://a.test/", "__Host-n=v; Secure", "https://a.test/", ""},
    {"a prefix in a nameless value", "https://a.test/", "=__Secure-n=v", "https://a.test/", ""},
};

static void a_cookie_goes_where_it_belongs(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct cookie_jar *jar = new_jar();
        (void)take(jar, cases[i].at, cases[i].field);
        CHECK(cases[i].name, strcmp(sent(jar, cases[i].to), cases[i].want) == 0);
        cookie_jar_free(jar);
    }
}

static void one_takes_the_place_of_another(void **state UNUSED)
{
    struct cookie_jar *jar = new_jar();
    assert_true(take(jar, "http://a.test/", "n=1; Path=/"));
    assert_true(take(jar, "http://a.test/", "m=2; Path=/"));
    assert_true(take(jar, "http://a.test/d/", "n=3"));
    assert_string_equal(sent(jar, "http://a.test/d/x"), "n=3; n=1; m=2"); /* longer paths first */
    assert_true(take(jar, "http://a.test/", "n=4; Path=/"));
    assert_string_equal(sent(jar, "http://a.test/"), "n=4; m=2"); /* in its old place */
    assert_true(take(jar, "http://a.test/", "n=; Max-Age=0; Path=/"));
    assert_string_equal(sent(jar, "http://a.test/"), "m=2");
    assert_int_equal(cookie_jar_count(jar), 2);
    cookie_jar_free(jar);
}

static void an_open_connection_does_not_touch_secure_ones(void **state UNUSED)
{
    struct cookie_jar *jar = new_jar();
    assert_true(take(jar, "https://a.test/", "n=1; Secure; Path=/"));
    assert_false(take(jar, "http://a.test/", "n=2; Path=/"));
    assert_false(take(jar, "http://x.a.test/", "n=2; Path=/; Domain=a.test"));
    assert_true(take(jar, "http://a.test/", "m=2; Path=/"));
    assert_string_equal(sent(jar, "https://a.test/"), "n=1; m=2");
    cookie_jar_free(jar);
}

static void life_has_an_end(void **state UNUSED)
{
    struct cookie_jar *jar = new_jar();
    assert_true(take(jar, "http://a.test/", "n=1; Max-Age=10"));
    assert_true(take(jar, "http://a.test/", "m=1; Max-Age=99999999999999999999"));
    assert_true(take(jar, "http://a.test/", "s=1"));
    assert_string_equal(sent_at(jar, "http://a.test/", NOW + 9), "n=1; m=1; s=1");
    assert_string_equal(sent_at(jar, "http://a.test/", NOW + 10), "m=1; s=1");
    assert_string_equal(sent_at(jar, "http://a.test/", NOW + COOKIE_LIFE_MAX), "s=1");
    cookie_jar_end_session(jar);
    assert_string_equal(sent(jar, "http://a.test/"), "n=1; m=1");
    cookie_jar_free(jar);
}

static void the_jar_is_bounded(void **state UNUSED)
{
    struct cookie_jar *jar = new_jar();
    char url[64];
    char field[32];
    for (unsigned i = 0; i < 2 * COOKIES_OF_DOMAIN_MAX; i++) {
        struct text f = text_of(field, sizeof field);
        text_add_format(&f, "n%u=v", i);
        assert_true(take(jar, "http://a.test/", field));
        assert_true(strlen(sent(jar, "http://a.test/")) > 0); /* all are used */
        if (i == 0)
            assert_true(take(jar, "http://b.test/", "rare=1"));
    }
    assert_int_equal(cookie_jar_count(jar), COOKIES_OF_DOMAIN_MAX + 1);
    for (unsigned i = 0; i < COOKIES_MAX + 10; i++) {
        struct text u = text_of(url, sizeof url);
        text_add_format(&u, "http://h%u.test/", i);
        assert_true(take(jar, url, "n=v"));
    }
    assert_int_equal(cookie_jar_count(jar), COOKIES_MAX);
    assert_string_equal(sent(jar, "http://b.test/"), ""); /* used longest ago */
    assert_string_equal(sent(jar, "http://h9.test/"), "");
    assert_string_equal(sent(jar, "http://h10.test/"), "n=v");
    cookie_jar_free(jar);
}

static void too_long_is_refused(void **state UNUSED)
{
    static char field[COOKIE_PAIR_MAX + 64];
    struct cookie_jar *jar = new_jar();
    struct text t = text_of(field, sizeof field);
    text_add(&t, "n=");
    while (t.len < COOKIE_PAIR_MAX + 1)
        text_add(&t, "v");
    assert_true(take(jar, "http://a.test/", field));
    text_add(&t, "v");
    assert_false(take(jar, "http://a.test/", field));
    t = text_of(field, sizeof field);
    text_add(&t, "n=v; Path=/");
    while (t.len < COOKIE_ATTRIBUTE_MAX + 32)
        text_add(&t, "p");
    assert_true(take(jar, "http://b.test/d/", field)); /* as if Path were not there */
    assert_string_equal(sent(jar, "http://b.test/d/"), "n=v");
    cookie_jar_free(jar);
}

static const char file[] = "# Netscape HTTP Cookie File\n"
                           "a.test\tFALSE\t/\tFALSE\t0\tsession\t1\n"
                           ".a.test\tTRUE\t/d\tFALSE\t1700000100\twide\t2\r\n"
                           "#HttpOnly_a.test\tFALSE\t/\tTRUE\t1700000100\tonly\t3\n"
                           "\n"
                           "a.test\tFALSE\t/\tFALSE\t1600000000\told\t4\n"
                           "a.test\tFALSE\t/\tFALSE\tx\tbad\t5\n"
                           "a.test\tFALSE\tno\tFALSE\t0\tbad\t6\n"
                           "a.test FALSE / FALSE 0 bad 7\n";

static void files_are_read_and_written(void **state UNUSED)
{
    struct cookie_jar *jar = new_jar();
    assert_int_equal(cookie_jar_load(jar, bytes_of_text(file), NOW), 4);
    assert_int_equal(cookie_jar_count(jar), 3);
    assert_string_equal(sent(jar, "http://a.test/d"), "wide=2; session=1");
    assert_string_equal(sent(jar, "https://x.a.test/d"), "wide=2");
    assert_string_equal(sent(jar, "https://a.test/"), "session=1; only=3");
    char out[2048];
    struct text t = text_of(out, sizeof out);
    const struct cookie *place = NULL;
    while (cookie_jar_save(jar, NOW, &place, &t))
        ;
    assert_string_equal(out, "a.test\tFALSE\t/\tFALSE\t0\tsession\t1\n"
                             ".a.test\tTRUE\t/d\tFALSE\t1700000100\twide\t2\n"
                             "#HttpOnly_a.test\tFALSE\t/\tTRUE\t1700000100\tonly\t3\n");
    char whole[4 * COOKIE_LINE_MAX];
    assert_true(cookie_jar_text_max(jar) <= sizeof whole);
    struct text all = text_of(whole, cookie_jar_text_max(jar));
    cookie_jar_write_text(jar, NOW, &all);
    assert_false(all.failed);
    assert_memory_equal(whole, "# Netscape HTTP Cookie File\n", 28);
    assert_string_equal(whole + 28, out);
    cookie_jar_free(jar);
}

static bool is_suffix(struct bytes domain)
{
    return bytes_equal(domain, bytes_of_text("co.test")) || bytes_equal(domain, bytes_of_text("host.test"));
}

/* RFC 6265bis §5.7 step 9. */
static void no_cookies_for_domains_of_everybody(void **state UNUSED)
{
    struct cookie_jar *jar = new_jar();
    assert_true(take(jar, "http://shop.co.test/", "before=1; Domain=co.test"));
    cookie_jar_set_suffixes(jar, is_suffix);
    assert_false(take(jar, "http://shop.co.test/", "a=1; Domain=co.test"));
    assert_false(take(jar, "http://shop.co.test/", "a=1; Domain=.CO.TEST"));
    assert_true(take(jar, "http://shop.co.test/", "b=1; Domain=shop.co.test"));
    assert_true(take(jar, "http://host.test/", "c=1; Domain=host.test"));
    assert_string_equal(sent(jar, "http://x.shop.co.test/"), "before=1; b=1");
    assert_string_equal(sent(jar, "http://host.test/"), "c=1");
    assert_string_equal(sent(jar, "http://x.host.test/"), "");
    cookie_jar_free(jar);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_cookies_for_domains_of_everybody),
        cmocka_unit_test(a_cookie_goes_where_it_belongs),
        cmocka_unit_test(one_takes_the_place_of_another),
        cmocka_unit_test(an_open_connection_does_not_touch_secure_ones),
        cmocka_unit_test(life_has_an_end),
        cmocka_unit_test(the_jar_is_bounded),
        cmocka_unit_test(too_long_is_refused),
        cmocka_unit_test(files_are_read_and_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
