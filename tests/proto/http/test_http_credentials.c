/* SPDX-License-Identifier: ISC */
#include "proto/http/http_credentials.h"

#include <openssl/evp.h>

#include "tests/support/check.h"

static size_t digest(void *self UNUSED, enum http_digest_algorithm algorithm, struct bytes in,
                     uint8_t out[HTTP_DIGEST_MAX])
{
    unsigned len = 0;
    assert_int_equal(EVP_Digest(in.data, in.len, out, &len,
                                algorithm == HTTP_DIGEST_MD5 ? EVP_md5() : EVP_sha256(), NULL), 1);
    return len;
}

static const struct {
    const char *name, *field, *second; /* of WWW-Authenticate */
    enum http_scheme scheme;
    enum http_digest_algorithm algorithm;
    const char *realm, *nonce;
} challenges[] = {
    {"Basic", "Basic realm=\"a b\"", NULL, HTTP_SCHEME_BASIC, 0, "a b", ""},
    {"letters without case", "BASIC REALM=x", NULL, HTTP_SCHEME_BASIC, 0, "x", ""},
    {"no realm", "Basic", NULL, HTTP_SCHEME_BASIC, 0, "", ""},
    {"escapes", "Basic realm=\"a\\\"b\\\\c\"", NULL, HTTP_SCHEME_BASIC, 0, "a\"b\\c", ""},
    {"a comma in quotes", "Basic realm=\"a, Digest nonce=x\"", NULL, HTTP_SCHEME_BASIC, 0, "a, Digest nonce=x", ""},
    {"spaces around =", "Basic realm = \"x\" , charset=\"UTF-8\"", NULL, HTTP_SCHEME_BASIC, 0, "x", ""},
    {"Digest", "Digest realm=r, nonce=\"n\", qop=\"auth\"", NULL, HTTP_SCHEME_DIGEST, HTTP_DIGEST_MD5, "r", "n"},
    {"Digest, qop of two", "Digest nonce=n, qop=\"auth-int, auth\"", NULL, HTTP_SCHEME_DIGEST, HTTP_DIGEST_MD5, "", "n"},
    {"Digest without nonce", "Digest realm=r", NULL, HTTP_SCHEME_NONE, 0, "", ""},
    {"Digest, auth-int only", "Digest nonce=n, qop=\"auth-int\"", NULL, HTTP_SCHEME_NONE, 0, "", ""},
    {"Digest, another algorithm", "Digest nonce=n, algorithm=SHA-512-256", NULL, HTTP_SCHEME_NONE, 0, "", ""},
    {"the stronger in one field", "Basic realm=b, Digest nonce=n, algorithm=MD5, Digest nonce=m, algorithm=SHA-256",
     NULL, HTTP_SCHEME_DIGEST, HTTP_DIGEST_SHA256, "", "m"},
    {"the stronger of two fields", "Digest nonce=m, algorithm=SHA-256", "Digest nonce=n", HTTP_SCHEME_DIGEST,
     HTTP_DIGEST_SHA256, "", "m"},
    {"one we know of two", "Negotiate YWJj, Basic realm=x", NULL, HTTP_SCHEME_BASIC, 0, "x", ""},
    {"one we know in front", "Basic realm=x, Negotiate", NULL, HTTP_SCHEME_BASIC, 0, "x", ""},
    {"others' parameters are not ours", "Basic realm=x, Bearer realm=y", NULL, HTTP_SCHEME_BASIC, 0, "x", ""},
    {"none", "Bearer realm=y", NULL, HTTP_SCHEME_NONE, 0, "", ""},
    {"nothing", "", NULL, HTTP_SCHEME_NONE, 0, "", ""},
    {"no scheme", "realm=x", NULL, HTTP_SCHEME_NONE, 0, "", ""},
};

static void the_strongest_challenge_is_chosen(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(challenges); i++) {
        static struct http_fields fields;
        struct http_challenge c = {.realm = "", .nonce = ""};
        struct bytes name = bytes_of_text("www-authenticate");
        fields.count = 0;
        fields.list[fields.count++] = (struct http_field){name, bytes_of_text(challenges[i].field)};
        fields.list[fields.count++] =
            (struct http_field){bytes_of_text("Proxy-Authenticate"), bytes_of_text("Digest nonce=p")};
        if (challenges[i].second != NULL)
            fields.list[fields.count++] = (struct http_field){name, bytes_of_text(challenges[i].second)};
        bool any = http_challenge_choose(&fields, "WWW-Authenticate", &c);
        CHECK_EQUAL(challenges[i].name, any, challenges[i].scheme != HTTP_SCHEME_NONE);
        if (!any)
            continue;
        CHECK_EQUAL(challenges[i].name, c.scheme, challenges[i].scheme);
        CHECK_EQUAL(challenges[i].name, c.algorithm, challenges[i].algorithm);
        CHECK(challenges[i].name, strcmp(c.realm, challenges[i].realm) == 0);
        CHECK(challenges[i].name, strcmp(c.nonce, challenges[i].nonce) == 0);
    }
}

static const char *answer(struct http_challenge *c, const char *user, const char *password,
                          const char *method, const char *target, const char *cnonce)
{
    static char out[HTTP_CREDENTIALS_MAX];
    struct text t = text_of(out, sizeof out);
    struct http_login login = {user, password, digest, NULL};
    return http_credentials_write(c, &login, method, bytes_of_text(target), cnonce, &t) ? out : NULL;
}

static void basic_is_rfc_7617(void **state UNUSED)
{
    struct http_challenge c = {.scheme = HTTP_SCHEME_BASIC};
    assert_string_equal(answer(&c, "Aladdin", "open sesame", "GET", "/", ""),
                        "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    assert_string_equal(answer(&c, "test", "123\xc2\xa3", "GET", "/", ""), "Basic dGVzdDoxMjPCow==");
    assert_null(answer(&c, "a:b", "c", "GET", "/", "")); /* §2 */
    assert_string_equal(answer(&c, "a", "b:c", "GET", "/", ""), "Basic YTpiOmM=");
}

/* RFC 7616 §3.9.1 */
static void digest_is_rfc_7616(void **state UNUSED)
{
    static struct http_fields fields;
    static const char *const parts[] = {
        "username=\"Mufasa\"", "realm=\"http-auth@example.org\"", "uri=\"/dir/index.html\"",
        "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\"", "nc=00000001",
        "cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\"", "qop=auth",
        "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"",
    };
    static const struct {
        const char *algorithm, *response;
    } cases[] = {
        {"MD5", "response=\"8ca523f5e9506fed4657c9700eebdbec\""},
        {"SHA-256",
         "response=\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1\""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char field[512];
        struct http_challenge c;
        struct text t = text_of(field, sizeof field);
        text_add_format(&t,
                        "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=%s, "
                        "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", "
                        "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"",
                        cases[i].algorithm);
        fields.count = 1;
        fields.list[0] = (struct http_field){bytes_of_text("WWW-Authenticate"), text_bytes(&t)};
        assert_true(http_challenge_choose(&fields, "WWW-Authenticate", &c));
        const char *out = answer(&c, "Mufasa", "Circle of Life", "GET", "/dir/index.html",
                                 "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ");
        assert_non_null(out);
        for (size_t j = 0; j < ARRAY_LEN(parts); j++)
            CHECK(parts[j], strstr(out, parts[j]) != NULL);
        CHECK(cases[i].algorithm, strstr(out, cases[i].response) != NULL);
        out = answer(&c, "Mufasa", "Circle of Life", "GET", "/dir/index.html", "x");
        assert_non_null(strstr(out, "nc=00000002"));
    }
}

static void older_and_rarer_kinds_of_digest(void **state UNUSED)
{
    /* RFC 2069: no qop, no counter. */
    struct http_challenge c = {.scheme = HTTP_SCHEME_DIGEST, .realm = "r", .nonce = "n"};
    const char *out = answer(&c, "u", "p", "GET", "/", "x");
    assert_null(strstr(out, "qop"));
    assert_null(strstr(out, "cnonce"));
    assert_non_null(strstr(out, "response=\"f23121ca97143c6b358da620220c83b4\""));
    /* A user that is hashed, one that is not ASCII, one with a quote. */
    c.hashes_user = true;
    out = answer(&c, "u", "p", "GET", "/", "x");
    assert_non_null(strstr(out, "username=\"ba84be203fdfc7d34e054a76d285d0c9\", userhash=true"));
    assert_null(strstr(out, "username=\"u\""));
    c.hashes_user = false;
    assert_non_null(strstr(answer(&c, "J\xc3\xa4s\xc3\xb8n", "p", "GET", "/", "x"),
                           "username*=UTF-8''J%C3%A4s%C3%B8n"));
    assert_non_null(strstr(answer(&c, "a\"b", "p", "GET", "/", "x"), "username=\"a\\\"b\""));
}

static bool take(const char *value, bool unasked, struct http_challenge *answered)
{
    static struct http_fields fields;
    fields.count = 1;
    fields.list[0] = (struct http_field){bytes_of_text("WWW-Authenticate"), bytes_of_text(value)};
    return http_challenge_take(&fields, "WWW-Authenticate", unasked, answered);
}

/* RFC 7616 §3.3: credentials that were wrong once are wrong. */
static void a_challenge_is_answered_once(void **state UNUSED)
{
    struct http_challenge c = {.scheme = HTTP_SCHEME_NONE};
    assert_false(take("Bearer realm=x", false, &c));
    assert_true(take("Basic realm=x", false, &c));
    assert_false(take("Basic realm=x", false, &c));
    assert_false(take("Basic realm=x", true, &c));
    assert_false(take("Digest nonce=n", false, &c));
    assert_true(take("Digest nonce=n", true, &c)); /* Basic had gone without being asked for */
    assert_false(take("Digest nonce=n", false, &c));
    assert_false(take("Digest nonce=m", false, &c));
    assert_false(take("Digest nonce=n, stale=true", false, &c));
    assert_true(take("Digest nonce=m, stale=true", false, &c));
    assert_string_equal(c.nonce, "m");
}

static void users_come_as_text_and_in_urls(void **state UNUSED)
{
    static struct url url;
    struct http_user user;
    assert_true(http_user_split("a%40b:c:d", &user));
    assert_string_equal(user.name, "a%40b");
    assert_string_equal(user.password, "c:d");
    assert_true(http_user_split("alone", &user));
    assert_string_equal(user.name, "alone");
    assert_string_equal(user.password, "");
    assert_int_equal(url_parse(bytes_of_text("http://a%40b:c%3ad@h.test/"), NULL, &url), URL_OK);
    assert_true(http_user_of_url(&url, &user));
    assert_string_equal(user.name, "a@b");
    assert_string_equal(user.password, "c:d");
    char pair[2 * URL_USER_MAX];
    memset(pair, 'n', sizeof pair);
    pair[sizeof pair - 1] = '\0';
    assert_false(http_user_split(pair, &user));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_strongest_challenge_is_chosen),
        cmocka_unit_test(basic_is_rfc_7617),
        cmocka_unit_test(digest_is_rfc_7616),
        cmocka_unit_test(older_and_rarer_kinds_of_digest),
        cmocka_unit_test(a_challenge_is_answered_once),
        cmocka_unit_test(users_come_as_text_and_in_urls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
