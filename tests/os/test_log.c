/* SPDX-License-Identifier: ISC */
/* test_log.c - levels, and lines that a peer's words cannot break. */
#include "os/log.h"

#include <fcntl.h>
#include <unistd.h>

#include "tests/support/check.h"

static const char *written(int fd)
{
    static char text[8192];
    ssize_t len = read(fd, text, sizeof text - 1);
    text[len > 0 ? len : 0] = '\0';
    return text;
}

static void open_log(struct log *log, int ends[2], enum log_level level)
{
    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    log_init(log, ends[1], "prog", level);
}

static void close_log(int ends[2])
{
    close(ends[0]);
    close(ends[1]);
}

static void messages_above_the_level_are_not_written(void **state UNUSED)
{
    struct log log;
    int ends[2];
    open_log(&log, ends, LOG_LEVEL_NOTICE);
    assert_false(log.colour); /* a pipe is no terminal */
    log_error(&log, "cannot open %s: %s", "x", "why");
    log_warning(&log, "careful");
    log_notice(&log, "ready");
    log_info(&log, "not this");
    log_debug(&log, "nor this");
    assert_string_equal(written(ends[0]), "prog: error: cannot open x: why\n"
                                          "prog: warning: careful\n"
                                          "prog: ready\n");
    log.level = LOG_LEVEL_DEBUG;
    log_debug(&log, "now");
    log_info(&log, "and this");
    assert_string_equal(written(ends[0]), "prog: debug: now\nprog: and this\n");
    log_error(NULL, "nobody listens");
    close_log(ends);
}

static void control_characters_are_shown(void **state UNUSED)
{
    struct log log;
    int ends[2];
    open_log(&log, ends, LOG_LEVEL_INFO);
    log_info(&log, "HELO a\r\nfake: line\033[2J\x7f \xc3\xa9");
    assert_string_equal(written(ends[0]),
                        "prog: HELO a\\x0d\\x0afake: line\\x1b[2J\\x7f \xc3\xa9\n");
    close_log(ends);
}

static void long_messages_are_cut_and_end_with_a_newline(void **state UNUSED)
{
    struct log log;
    int ends[2];
    static char words[5000];
    memset(words, 1, sizeof words - 1); /* each takes four characters */
    open_log(&log, ends, LOG_LEVEL_INFO);
    log.colour = true;
    log_error(&log, "%s", words);
    const char *text = written(ends[0]);
    size_t len = strlen(text);
    assert_in_range(len, LOG_LINE_MAX, LOG_LINE_MAX + 128);
    assert_string_equal(text + len - 5, "\033[0m\n");
    close_log(ends);
}

static void lines_may_carry_the_time(void **state UNUSED)
{
    struct log log;
    int ends[2];
    open_log(&log, ends, LOG_LEVEL_INFO);
    log.timestamps = true;
    log.name = NULL;
    log_info(&log, "hello");
    const char *text = written(ends[0]);
    assert_int_equal(strlen(text), strlen("2026-01-01T00:00:00.000Z hello\n"));
    assert_string_equal(text + strlen("2026-01-01T00:00:00.000"), "Z hello\n");
    close_log(ends);
}

static void levels_have_names(void **state UNUSED)
{
    for (int i = 0; i < LOG_LEVEL_COUNT; i++) {
        enum log_level level = LOG_LEVEL_COUNT;
        assert_true(log_level_parse(log_level_text((enum log_level)i), &level));
        assert_int_equal(level, i);
    }
    enum log_level level = LOG_LEVEL_COUNT;
    assert_false(log_level_parse("loud", &level));
    assert_int_equal(level, LOG_LEVEL_COUNT);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_above_the_level_are_not_written),
        cmocka_unit_test(control_characters_are_shown),
        cmocka_unit_test(long_messages_are_cut_and_end_with_a_newline),
        cmocka_unit_test(lines_may_carry_the_time),
        cmocka_unit_test(levels_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
