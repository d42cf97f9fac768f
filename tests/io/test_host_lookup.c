/* SPDX-License-Identifier: ISC */
#include "io/host_lookup.h"

#include "io/loop.h"
#include "tests/support/check.h"

enum { QUESTIONS = 40 };

struct heard {
    struct loop *loop;
    unsigned answers, wanted;
    struct host_answer last;
};

static void on_answer(void *self, const struct host_answer *answer)
{
    struct heard *heard = self;
    heard->last = *answer;
    if (++heard->answers == heard->wanted)
        loop_stop(heard->loop);
}

static void addresses_and_names_of_this_host(void **state UNUSED)
{
    struct loop *loop = loop_new();
    struct heard heard = {.loop = loop, .wanted = 1};
    struct host_lookup *lookup;
    struct host_question *question;
    struct host_answer answer;
    assert_int_equal(host_lookup_new(loop, &lookup), 0);
    assert_true(host_lookup_ask(lookup, "192.0.2.1", on_answer, &heard, &answer, &question));
    assert_int_equal(answer.count, 1);
    assert_true(host_lookup_ask(lookup, "2001:db8::1", on_answer, &heard, &answer, &question));
    assert_false(host_lookup_ask(lookup, "localhost", on_answer, &heard, &answer, &question));
    assert_non_null(question);
    assert_int_equal(loop_run_until(loop, loop_now(loop) + 20 * USEC_PER_SEC), 0);
    assert_int_equal(heard.answers, 1);
    assert_in_range(heard.last.count, 1, LOOKUP_ADDRESSES_MAX);
    assert_true(host_lookup_ask(lookup, "localhost", on_answer, &heard, &answer, &question));
    assert_int_equal(answer.count, heard.last.count); /* remembered */
    char name[LOOKUP_NAME_MAX + 10];
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_false(host_lookup_ask(lookup, name, on_answer, &heard, &answer, &question));
    assert_null(question);
    host_lookup_free(lookup);
    loop_free(loop);
}

/* More than there are threads; some are cancelled, some still run when the lookup goes. */
static void many_questions_at_once(void **state UNUSED)
{
    struct loop *loop = loop_new();
    struct heard heard = {.loop = loop, .wanted = QUESTIONS - 5};
    struct host_lookup *lookup;
    struct host_question *questions[QUESTIONS], *late;
    struct host_answer answer;
    assert_int_equal(host_lookup_new(loop, &lookup), 0);
    for (unsigned i = 0; i < QUESTIONS; i++) {
        assert_false(host_lookup_ask(lookup, "localhost", on_answer, &heard, &answer, &questions[i]));
        assert_non_null(questions[i]);
    }
    for (unsigned i = 0; i < QUESTIONS; i += QUESTIONS / 5)
        host_lookup_cancel(questions[i]);
    assert_int_equal(loop_run_until(loop, loop_now(loop) + 20 * USEC_PER_SEC), 0);
    assert_int_equal(heard.answers, QUESTIONS - 5);
    for (unsigned i = 0; i < QUESTIONS; i++)
        (void)host_lookup_ask(lookup, i % 2 == 0 ? "localhost." : "no-such-name.invalid", on_answer,
                              &heard, &answer, &late);
    host_lookup_free(lookup);
    loop_free(loop);
}

static void in_virtual_time_only_addresses_are_known(void **state UNUSED)
{
    struct loop *loop = loop_new_virtual(0, 1);
    struct host_lookup *lookup;
    struct host_question *question;
    struct host_answer answer;
    assert_int_equal(host_lookup_new(loop, &lookup), 0);
    assert_true(host_lookup_ask(lookup, "127.0.0.1", on_answer, NULL, &answer, &question));
    assert_false(host_lookup_ask(lookup, "localhost", on_answer, NULL, &answer, &question));
    assert_null(question);
    host_lookup_free(lookup);
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_and_names_of_this_host),
        cmocka_unit_test(many_questions_at_once),
        cmocka_unit_test(in_virtual_time_only_addresses_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
