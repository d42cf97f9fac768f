/* SPDX-License-Identifier: ISC */
#include "proto/http/http_session.h"
#include "os/hmac.h"
#include "tests/support/check.h"

enum { NOW = 1700000000 };

static struct prng prng;
static struct hmac *hmac;
static struct http_sessions sessions;

static int start(void **state UNUSED)
{
    prng_init_number(&prng, 7);
    hmac = hmac_new();
    const struct http_session_hmac callbacks = {hmac_start, hmac_add, hmac_end, hmac};
    http_sessions_init(&sessions, &callbacks, "mail", &prng);
    return hmac == NULL;
}

static int stop(void **state UNUSED)
{
    hmac_free(hmac);
    return 0;
}

static struct http_session some(int64_t expires)
{
    struct http_session session;
    http_session_begin(&session, expires, &prng);
    memcpy(session.data, "alice", 5);
    session.data_len = 5;
    return session;
}

/* What a browser sends back of a Set-Cookie field. */
static struct bytes pair_of(const char *field)
{
    struct bytes all = bytes_of_text(field);
    return bytes_first(all, bytes_find(all, ';'));
}

static void what_is_written_is_read_again(void **state UNUSED)
{
    for (int secure = 0; secure < 2; secure++) {
        char field[HTTP_SESSION_FIELD_MAX];
        struct http_session session = some(NOW + 60), got;
        assert_true(http_session_write(&sessions, &session, secure, NOW, field));
        assert_true(http_session_read(&sessions, pair_of(field), secure, NOW, &got));
        assert_memory_equal(&got, &session, sizeof got);
        assert_int_equal(strncmp(field, "__Host-mail=", 12) == 0, secure);
        assert_int_equal(strstr(field, "; Secure") != NULL, secure);
        assert_non_null(strstr(field, "; Path=/; Max-Age=60; HttpOnly; SameSite=Lax"));
        /* What came in clear counts for nothing over TLS, and the other way round. */
        assert_false(http_session_read(&sessions, pair_of(field), !secure, NOW, &got));
    }
}

static void the_largest_fits(void **state UNUSED)
{
    char field[HTTP_SESSION_FIELD_MAX];
    struct http_session session = some(INT64_MAX), got;
    session.data_len = HTTP_SESSION_DATA_MAX;
    prng_fill(&prng, session.data, sizeof session.data);
    assert_true(http_session_write(&sessions, &session, true, 0, field));
    assert_true(http_session_read(&sessions, pair_of(field), true, NOW, &got));
    assert_memory_equal(got.data, session.data, sizeof got.data);
}

static void it_is_found_among_others(void **state UNUSED)
{
    char field[HTTP_SESSION_FIELD_MAX], cookie[2 * HTTP_SESSION_FIELD_MAX];
    struct http_session session = some(NOW + 60), got;
    assert_true(http_session_write(&sessions, &session, false, NOW, field));
    struct bytes pair = pair_of(field);
    snprintf(cookie, sizeof cookie, "a=b; mail=forged.AAAA; %.*s ;c=d", (int)pair.len,
             (const char *)pair.data);
    assert_true(http_session_read(&sessions, bytes_of_text(cookie), false, NOW, &got));
    assert_false(http_session_read(&sessions, bytes_of_text("mail=; mail; =; ;"), false, NOW, &got));
    assert_false(http_session_read(&sessions, bytes_empty(), false, NOW, &got));
    snprintf(cookie, sizeof cookie, "x%.*s", (int)pair.len, (const char *)pair.data);
    assert_false(http_session_read(&sessions, bytes_of_text(cookie), false, NOW, &got));
}

static void no_letter_of_it_can_be_changed(void **state UNUSED)
{
    char field[HTTP_SESSION_FIELD_MAX], cookie[HTTP_SESSION_FIELD_MAX];
    struct http_session session = some(NOW + 60), got;
    assert_true(http_session_write(&sessions, &session, false, NOW, field));
    struct bytes pair = pair_of(field);
    for (size_t i = 5; i < pair.len; i++) {
        memcpy(cookie, pair.data, pair.len);
        cookie[i] = cookie[i] == 'A' ? 'B' : 'A';
        CHECK("changed", !http_session_read(&sessions, bytes_of(cookie, pair.len), false, NOW, &got));
        CHECK("cut", !http_session_read(&sessions, bytes_first(pair, i), false, NOW, &got));
    }
}

static void it_ends_at_its_time(void **state UNUSED)
{
    char field[HTTP_SESSION_FIELD_MAX];
    struct http_session session = some(NOW + 60), got;
    assert_true(http_session_write(&sessions, &session, false, NOW, field));
    assert_true(http_session_read(&sessions, pair_of(field), false, NOW + 59, &got));
    assert_false(http_session_read(&sessions, pair_of(field), false, NOW + 60, &got));
    http_session_write_end(&sessions, true, field);
    assert_string_equal(field, "__Host-mail=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure");
}

static void a_key_holds_until_the_second_roll(void **state UNUSED)
{
    char field[HTTP_SESSION_FIELD_MAX], token[HTTP_SESSION_TOKEN_LEN + 1];
    struct http_session session = some(NOW + 60), got;
    assert_true(http_session_write(&sessions, &session, false, NOW, field));
    http_session_token(&sessions, &session, &prng, token);
    for (int rolls = 1; rolls <= 2; rolls++) {
        http_sessions_roll(&sessions, &prng);
        assert_int_equal(http_session_read(&sessions, pair_of(field), false, NOW, &got), rolls < 2);
        assert_int_equal(http_session_token_fits(&sessions, &session, bytes_of_text(token)), rolls < 2);
    }
}

static void another_cookies_name_is_another_signature(void **state UNUSED)
{
    char field[HTTP_SESSION_FIELD_MAX], renamed[HTTP_SESSION_FIELD_MAX + 8];
    struct http_session session = some(NOW + 60), got;
    struct http_sessions other = sessions;
    strcpy(other.name, "liam");
    assert_true(http_session_write(&sessions, &session, false, NOW, field));
    struct bytes pair = pair_of(field);
    snprintf(renamed, sizeof renamed, "liam%.*s", (int)pair.len - 4, (const char *)pair.data + 4);
    assert_false(http_session_read(&other, bytes_of_text(renamed), false, NOW, &got));
}

static void tokens_are_of_one_session_and_never_the_same(void **state UNUSED)
{
    char one[HTTP_SESSION_TOKEN_LEN + 1], two[HTTP_SESSION_TOKEN_LEN + 1];
    struct http_session session = some(NOW), other = some(NOW);
    http_session_token(&sessions, &session, &prng, one);
    http_session_token(&sessions, &session, &prng, two);
    assert_int_equal(strlen(one), HTTP_SESSION_TOKEN_LEN);
    assert_string_not_equal(one, two);
    assert_true(http_session_token_fits(&sessions, &session, bytes_of_text(one)));
    assert_true(http_session_token_fits(&sessions, &session, bytes_of_text(two)));
    assert_false(http_session_token_fits(&sessions, &other, bytes_of_text(one)));
    assert_false(http_session_token_fits(&sessions, &session, bytes_empty()));
    for (size_t i = 0; i < HTTP_SESSION_TOKEN_LEN; i++) {
        char changed[HTTP_SESSION_TOKEN_LEN + 1];
        strcpy(changed, one);
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        CHECK("changed", !http_session_token_fits(&sessions, &session, bytes_of_text(changed)));
        CHECK("cut", !http_session_token_fits(&sessions, &session, bytes_of(one, i)));
    }
}

static void *no_start(void *self UNUSED, unsigned sha UNUSED, struct bytes secret UNUSED)
{
    return NULL;
}

static void without_hmac_nothing_is_right(void **state UNUSED)
{
    char field[HTTP_SESSION_FIELD_MAX], token[HTTP_SESSION_TOKEN_LEN + 1];
    struct http_session session = some(NOW + 60), got;
    assert_true(http_session_write(&sessions, &session, false, NOW, field));
    http_session_token(&sessions, &session, &prng, token);
    sessions.hmac.start = no_start;
    assert_false(http_session_read(&sessions, pair_of(field), false, NOW, &got));
    assert_false(http_session_token_fits(&sessions, &session, bytes_of_text(token)));
    assert_false(http_session_write(&sessions, &session, false, NOW, field));
    http_session_token(&sessions, &session, &prng, token);
    assert_string_equal(token, "");
}

#define SESSION_TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SESSION_TEST(what_is_written_is_read_again),
        SESSION_TEST(the_largest_fits),
        SESSION_TEST(it_is_found_among_others),
        SESSION_TEST(no_letter_of_it_can_be_changed),
        SESSION_TEST(it_ends_at_its_time),
        SESSION_TEST(a_key_holds_until_the_second_roll),
        SESSION_TEST(another_cookies_name_is_another_signature),
        SESSION_TEST(tokens_are_of_one_session_and_never_the_same),
        SESSION_TEST(without_hmac_nothing_is_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
