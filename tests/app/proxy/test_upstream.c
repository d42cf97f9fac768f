/* SPDX-License-Identifier: ISC */
/* Which of several servers is chosen, and when one is left out. Time is virtual. */
#include "app/proxy/upstream.h"
#include "io/loop.h"
#include "tests/support/check.h"

static const struct siphash_key key = {1, 2};

/* Servers "a", "b", … with those weights, by the letters of `backups` backups. */
static struct upstream *group(struct loop *loop, enum upstream_balance balance, const char *weights,
                              const char *backups)
{
    static struct upstream_options options;
    memset(&options, 0, sizeof options);
    options.loop = loop;
    options.balance = balance;
    options.slow_start = 10 * USEC_PER_SEC;
    options.count = strlen(weights);
    for (size_t i = 0; i < options.count; i++) {
        options.servers[i].host[0] = (char)('a' + i);
        options.servers[i].port = 80;
        options.servers[i].weight = (uint8_t)(weights[i] - '0');
        options.servers[i].backup = strchr(backups, 'a' + (int)i) != NULL;
    }
    struct upstream *upstream = upstream_new(&options, &key);
    assert_non_null(upstream);
    return upstream;
}

static char letter(const struct upstream_server *server)
{
    return server->place.host[0];
}

/* So many choices, as letters. */
static const char *choices(struct upstream *upstream, size_t count)
{
    static char out[64];
    for (size_t i = 0; i < count; i++)
        out[i] = letter(upstream_choose(upstream, 0, 0, 0));
    out[count] = '\0';
    return out;
}

static struct upstream_server *server_of(struct upstream *upstream, char name)
{
    return (struct upstream_server *)(uintptr_t)upstream_server(upstream, (size_t)(name - 'a'));
}

static void report(struct upstream *upstream, char name, bool good, size_t times)
{
    while (times-- > 0)
        upstream_report(server_of(upstream, name), good);
}

static void pass(struct loop *loop, usec time)
{
    (void)loop_run_until(loop, loop_now(loop) + time);
}

static void turns_are_as_weights_say(void **state UNUSED)
{
    struct loop *loop = loop_new_virtual(0, 1);
    struct upstream *upstream = group(loop, UPSTREAM_ROUND_ROBIN, "111", "");
    assert_string_equal(choices(upstream, 7), "abcabca");
    upstream_retire(upstream);
    upstream = group(loop, UPSTREAM_ROUND_ROBIN, "511", "");
    assert_string_equal(choices(upstream, 14), "aabacaaaabacaa"); /* and not all five at once */
    upstream_retire(upstream);
    loop_free(loop);
}

static void one_that_fails_is_left_out_for_a_while(void **state UNUSED)
{
    struct loop *loop = loop_new_virtual(0, 1);
    struct upstream *upstream = group(loop, UPSTREAM_ROUND_ROBIN, "11", "");
    report(upstream, 'a', false, 2);
    assert_string_equal(choices(upstream, 4), "abab");
    report(upstream, 'a', true, 1); /* the row is broken */
    report(upstream, 'a', false, 2);
    assert_string_equal(choices(upstream, 4), "abab");
    report(upstream, 'a', false, 1);
    assert_string_equal(choices(upstream, 4), "bbbb");
    pass(loop, 11 * USEC_PER_SEC);
    assert_non_null(strchr(choices(upstream, 4), 'a'));
    report(upstream, 'a', false, 1); /* once is enough then, and it is twice as long */
    pass(loop, 11 * USEC_PER_SEC);
    assert_string_equal(choices(upstream, 4), "bbbb");
    pass(loop, 11 * USEC_PER_SEC);
    assert_non_null(strchr(choices(upstream, 4), 'a'));
    for (int i = 0; i < 20; i++)
        report(upstream, 'a', false, 1);
    pass(loop, UPSTREAM_DEAD_MAX + USEC_PER_SEC); /* but not for ever */
    assert_non_null(strchr(choices(upstream, 4), 'a'));
    /* Both are dead: perhaps they are not. */
    report(upstream, 'a', false, 3);
    report(upstream, 'b', false, 3);
    assert_non_null(strchr(choices(upstream, 4), 'a'));
    assert_non_null(strchr(choices(upstream, 4), 'b'));
    upstream_retire(upstream);
    loop_free(loop);
}

static void one_that_is_back_gets_its_share_bit_by_bit(void **state UNUSED)
{
    struct loop *loop = loop_new_virtual(0, 1);
    struct upstream *upstream = group(loop, UPSTREAM_ROUND_ROBIN, "11", "");
    report(upstream, 'a', false, 3);
    pass(loop, 11 * USEC_PER_SEC);
    report(upstream, 'a', true, 1);
    size_t last = 0;
    for (int i = 1; i <= 5; i++) {
        size_t count = 0;
        for (const char *c = choices(upstream, 40); *c != '\0'; c++)
            count += *c == 'a';
        assert_in_range(count, last, 20);
        if (i == 1)
            assert_in_range(count, 0, 3);
        last = count;
        pass(loop, 2500 * USEC_PER_MSEC);
    }
    assert_int_equal(last, 20);
    upstream_retire(upstream);
    loop_free(loop);
}

static void backups_are_for_when_others_are_out(void **state UNUSED)
{
    struct loop *loop = loop_new_virtual(0, 1);
    struct upstream *upstream = group(loop, UPSTREAM_ROUND_ROBIN, "111", "b");
    assert_string_equal(choices(upstream, 4), "acac");
    report(upstream, 'a', false, 3);
    assert_string_equal(choices(upstream, 2), "cc");
    report(upstream, 'c', false, 3);
    assert_string_equal(choices(upstream, 2), "bb");
    report(upstream, 'b', false, 3); /* all of them: not the backup */
    assert_string_equal(choices(upstream, 2), "ac");
    /* A request that has tried some goes to another, and when all were tried, to any that is well. */
    pass(loop, UPSTREAM_DEAD_MAX);
    for (char c = 'a'; c <= 'c'; c++)
        report(upstream, c, true, 1);
    uint32_t tried = upstream_bit(server_of(upstream, 'a'));
    assert_int_equal(letter(upstream_choose(upstream, 0, 0, tried)), 'c');
    tried |= upstream_bit(server_of(upstream, 'c'));
    assert_int_equal(letter(upstream_choose(upstream, 0, 0, tried)), 'b');
    tried |= upstream_bit(server_of(upstream, 'b'));
    assert_non_null(upstream_choose(upstream, 0, 0, tried));
    upstream_retire(upstream);
    loop_free(loop);
}

static void the_least_busy_is_chosen(void **state UNUSED)
{
    struct loop *loop = loop_new_virtual(0, 1);
    struct upstream *upstream = group(loop, UPSTREAM_LEAST_CONNECTIONS, "12", "");
    size_t counts[2] = {0, 0};
    for (int i = 0; i < 30; i++) {
        struct upstream_server *server = upstream_choose(upstream, 0, 0, 0);
        server->connections++;
        counts[letter(server) - 'a']++;
    }
    assert_int_equal(counts[0], 10);
    assert_int_equal(counts[1], 20);
    server_of(upstream, 'b')->connections = 0;
    assert_string_equal(choices(upstream, 2), "bb");
    upstream_retire(upstream);
    loop_free(loop);
}

static void a_hash_moves_only_what_it_must(void **state UNUSED)
{
    enum { TAGS = 5000 };
    struct loop *loop = loop_new_virtual(0, 1);
    struct upstream *upstream = group(loop, UPSTREAM_HASH, "1113", "");
    static char before[TAGS];
    size_t counts[4] = {0};
    for (uint32_t tag = 0; tag < TAGS; tag++) {
        before[tag] = letter(upstream_choose(upstream, tag * 7919, 0, 0));
        counts[before[tag] - 'a']++;
    }
    for (size_t i = 0; i < 3; i++)
        assert_in_range(counts[i], TAGS / 6 - TAGS / 40, TAGS / 6 + TAGS / 40);
    assert_in_range(counts[3], TAGS / 2 - TAGS / 25, TAGS / 2 + TAGS / 25);
    report(upstream, 'b', false, 3);
    for (uint32_t tag = 0; tag < TAGS; tag++) {
        char now = letter(upstream_choose(upstream, tag * 7919, 0, 0));
        assert_true(before[tag] == 'b' ? now != 'b' : now == before[tag]);
    }
    upstream_retire(upstream);
    loop_free(loop);
}

static void a_cookie_brings_to_the_same_one(void **state UNUSED)
{
    struct loop *loop = loop_new_virtual(0, 1);
    struct upstream *upstream = group(loop, UPSTREAM_COOKIE, "111", "");
    uint64_t id = server_of(upstream, 'b')->id;
    for (int i = 0; i < 5; i++)
        assert_int_equal(letter(upstream_choose(upstream, 0, id, 0)), 'b');
    assert_string_equal(choices(upstream, 3), "abc");
    assert_int_equal(letter(upstream_choose(upstream, 0, id + 2, 0)), 'a'); /* made up */
    /* In another group, after a reload, it is the same; when that one is out, another is taken. */
    struct upstream *other = group(loop, UPSTREAM_COOKIE, "11", "");
    assert_int_equal(letter(upstream_choose(other, 0, id, 0)), 'b');
    report(other, 'b', false, 3);
    assert_int_equal(letter(upstream_choose(other, 0, id, 0)), 'a');
    upstream_retire(other);
    /* Who remembers a server holds the group. */
    struct upstream_server *server = server_of(upstream, 'b');
    upstream_hold(server->upstream);
    upstream_retire(upstream);
    upstream_report(server, true);
    upstream_release(server->upstream);
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(turns_are_as_weights_say),
        cmocka_unit_test(one_that_fails_is_left_out_for_a_while),
        cmocka_unit_test(one_that_is_back_gets_its_share_bit_by_bit),
        cmocka_unit_test(backups_are_for_when_others_are_out),
        cmocka_unit_test(the_least_busy_is_chosen),
        cmocka_unit_test(a_hash_moves_only_what_it_must),
        cmocka_unit_test(a_cookie_brings_to_the_same_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
