/* SPDX-License-Identifier: ISC */
/* Users: the file, Basic, and Digest's nonces. tests/app/web/test_web_serve.sh has curl say who it is. */
#include "app/web/web_auth.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "app/web/web_rules.h"
#include "tests/support/check.h"

static struct web_auth_context context = {.key = {1, 2}};

static int read_users(const char *text, struct web_users **out)
{
    char path[] = "/tmp/wholenet-users-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    (void)close(fd);
    int status = web_users_read(path, out);
    (void)unlink(path);
    return status;
}

/* The example's HA1 of RFC 7616 §3.9.1: "Mufasa:http-auth@example.org:Circle of Life". */
#define MUFASA_SHA256 "7987c64c30e25f1b74be53f966b49b90f2808aa92faf9a00262392d7b4794232"
#define MUFASA_MD5 "3d78807defe7de2157e2b0b6573a855f"

static const char users_text[] = "# who may\n\nada:$5$salt$nothing\r\n"
                                 "Mufasa:http-auth@example.org:" MUFASA_SHA256 "\n"
                                 "Mufasa:http-auth@example.org:" MUFASA_MD5 "\n";

static enum web_verdict ask(const struct web_rule *rule, const struct web_users *users,
                            const char *authorization, usec now)
{
    char name[WEB_USER_MAX] = "";
    struct web_credentials credentials = {.method = bytes_of_text("GET"),
                                          .target = bytes_of_text("/dir/index.html"),
                                          .authorization = bytes_of_text(authorization),
                                          .now = now};
    enum web_verdict verdict = web_auth_check(&context, rule, users, &credentials, name);
    if (verdict == WEB_ADMITTED)
        assert_string_equal(name, "Mufasa");
    return verdict;
}

static void lines_that_are_none(void **state UNUSED)
{
    struct web_users *users = NULL;
    static const char *const wrong[] = {"name\n", ":x\n", "name:\n", "a:b\nc\n"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_int_equal(read_users(wrong[i], &users), -EINVAL);
    assert_int_equal(read_users("", &users), 0);
    web_users_free(users);
    assert_int_equal(web_users_read("/nonexistent", &users), -ENOENT);
}

static void basic_is_a_name_and_a_password(void **state UNUSED)
{
    static const struct {
        const char *authorization;
        enum web_verdict want;
    } cases[] = {
        {"Basic TXVmYXNhOkNpcmNsZSBvZiBMaWZl", WEB_ADMITTED}, /* Mufasa:Circle of Life */
        {"basic   TXVmYXNhOkNpcmNsZSBvZiBMaWZl", WEB_ADMITTED},
        {"Basic TXVmYXNhOkNpcmNsZSBvZiBMaWZm", WEB_UNKNOWN},
        {"Basic TXVmYXNhOg==", WEB_UNKNOWN},
        {"Basic TXVmYXNh", WEB_UNKNOWN},
        {"Basic OkNpcmNsZQ==", WEB_UNKNOWN},
        {"Basic ???", WEB_UNKNOWN},
        {"Basic", WEB_UNKNOWN},
        {"", WEB_UNKNOWN},
        {"Bearer TXVmYXNhOkNpcmNsZSBvZiBMaWZl", WEB_UNKNOWN},
        {"Basic YWRhOng=", WEB_UNKNOWN},
    };
    struct web_users *users;
    struct web_rule rule = {.auth = WEB_AUTH_BASIC};
    assert_int_equal(read_users(users_text, &users), 0);
    for (int again = 0; again < 2; again++) /* what was verified must not let others in */
        for (size_t i = 0; i < ARRAY_LEN(cases); i++)
            CHECK_EQUAL(cases[i].authorization, ask(&rule, users, cases[i].authorization, 1000),
                        cases[i].want);
    web_users_free(users);
}

/* 9110/11.6.1-1: what is asked for is said. */
static void challenges_offer_what_the_file_has(void **state UNUSED)
{
    char out[2][WEB_CHALLENGE_MAX];
    struct web_users *users;
    struct web_rule rule = {.auth = WEB_AUTH_DIGEST, .realm = "r"};
    assert_int_equal(read_users(users_text, &users), 0);
    struct web_place place = {.rule = &rule, .users = users};
    assert_int_equal(web_auth_challenges(&context, &place, true, 1000, out), 2);
    assert_non_null(strstr(out[0], "Digest realm=\"r\", qop=\"auth\", algorithm=SHA-256, nonce=\""));
    assert_non_null(strstr(out[0], "stale=true"));
    assert_non_null(strstr(out[1], "algorithm=MD5"));
    web_users_free(users);
    assert_int_equal(read_users("a:r:" MUFASA_MD5 "\n", &users), 0);
    place.users = users;
    assert_int_equal(web_auth_challenges(&context, &place, false, 1000, out), 1);
    assert_non_null(strstr(out[0], "algorithm=MD5"));
    rule.auth = WEB_AUTH_BASIC;
    assert_int_equal(web_auth_challenges(&context, &place, false, 1000, out), 1);
    assert_string_equal(out[0], "Basic realm=\"r\", charset=\"UTF-8\"");
    web_users_free(users);
}

/* A nonce that is not ours, or has been changed, admits nobody; one that is old is stale only for who
 * knows the password. */
static void digests_that_do_not_fit(void **state UNUSED)
{
    struct web_users *users;
    struct web_rule rule = {.auth = WEB_AUTH_DIGEST, .realm = "http-auth@example.org"};
    assert_int_equal(read_users(users_text, &users), 0);
    static const char *const wrong[] = {
        "Digest",
        "Digest username=\"Mufasa\"",
        "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", uri=\"/dir/index.html\", "
        "algorithm=SHA-256, nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", nc=00000001, "
        "cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", qop=auth, "
        "response=\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1\"",
        "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", uri=\"/dir/index.html\", nonce="
        "\"00000000000003e80000000000000000\", qop=auth, response=\"\"",
    };
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        CHECK_EQUAL(wrong[i], ask(&rule, users, wrong[i], 1000), WEB_UNKNOWN);
    web_users_free(users);
}

static enum web_verdict guess(const struct web_rule *rule, const struct web_users *users,
                              const char *authorization, usec now)
{
    char name[WEB_USER_MAX] = "";
    struct web_credentials credentials = {.method = bytes_of_text("GET"),
                                          .target = bytes_of_text("/"),
                                          .authorization = bytes_of_text(authorization),
                                          .peer = {{0, 1, 2, 3}},
                                          .now = now};
    return web_auth_check(&context, rule, users, &credentials, name);
}

/* A guesser is not listened to any more, however right he is, but somebody who was right before is; no
 * credentials, or such as are none, are no guess. */
static void who_is_wrong_too_often(void **state UNUSED)
{
    static const char right[] = "Basic TXVmYXNhOkNpcmNsZSBvZiBMaWZl";
    struct web_users *users;
    struct web_users *others;
    struct web_rule rule = {.auth = WEB_AUTH_BASIC};
    usec now = USEC_PER_HOUR;
    assert_int_equal(read_users(users_text, &users), 0);
    assert_int_equal(read_users("ada:x:" MUFASA_MD5 "\n", &others), 0);
    assert_int_equal(guess(&rule, users, right, now), WEB_ADMITTED);
    for (int i = 0; i < GUESSES_MAX; i++) {
        CHECK_EQUAL("none", guess(&rule, users, "", now), WEB_UNKNOWN);
        CHECK_EQUAL("wrong", guess(&rule, users, "Basic YWRhOng=", now), WEB_UNKNOWN);
    }
    assert_int_equal(guess(&rule, users, "Basic YWRhOng=", now), WEB_TOO_OFTEN);
    assert_int_equal(guess(&rule, others, right, now), WEB_TOO_OFTEN);
    assert_int_equal(guess(&rule, users, right, now), WEB_ADMITTED);
    assert_int_equal(guess(&rule, users, "", now), WEB_UNKNOWN);
    assert_int_equal(guess(&rule, users, "Basic YWRhOng=", now + GUESSES_INTERVAL), WEB_UNKNOWN);
    assert_int_equal(guess(&rule, users, "Basic YWRhOng=", now + GUESSES_INTERVAL), WEB_TOO_OFTEN);
    web_users_free(others);
    web_users_free(users);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_that_are_none),
        cmocka_unit_test(basic_is_a_name_and_a_password),
        cmocka_unit_test(challenges_offer_what_the_file_has),
        cmocka_unit_test(digests_that_do_not_fit),
        cmocka_unit_test(who_is_wrong_too_often),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
