/* SPDX-License-Identifier: ISC */
#include "app/web/web_log.h"

#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/support/check.h"

static struct web_request request(void)
{
    struct web_request r = {.method = "GET", .target = "/a", .protocol = "HTTP/1.1", .status = 200,
                            .octets = 1234, .duration = 1500, .user = "", .host = "example.org",
                            .referer = "", .agent = "curl/8 \"x\"\xe9"};
    assert_true(endpoint_parse(bytes_of_text("10.0.0.1:1000"), &r.peer));
    return r;
}

static void the_combined_format(void **state UNUSED)
{
    char line[WEB_LOG_LINE_MAX];
    struct web_request r = request();
    (void)web_log_format(WEB_LOG_COMBINED, &r, 784111777, line, sizeof line);
    assert_string_equal(line, "10.0.0.1 - - [06/Nov/1994:08:49:37 +0000] \"GET /a HTTP/1.1\" 200 1234 \"-\" "
                              "\"curl/8 \\x22x\\x22\\xe9\"");
    r.user = "a b";
    r.referer = "http://x/\n";
    (void)web_log_format(WEB_LOG_COMBINED, &r, 784111777, line, sizeof line);
    assert_string_equal(line, "10.0.0.1 - a\\x20b [06/Nov/1994:08:49:37 +0000] \"GET /a HTTP/1.1\" 200 1234 "
                              "\"http://x/\\x0a\" \"curl/8 \\x22x\\x22\\xe9\"");
}

static void json_can_be_read_whatever_was_sent(void **state UNUSED)
{
    char agent[161];
    char line[WEB_LOG_LINE_MAX];
    for (int first = 1; first < 256; first++) {
        for (size_t i = 0; i < sizeof agent - 1; i++)
            agent[i] = (char)((first + (int)i) % 255 + 1);
        agent[160] = '\0';
        struct web_request r = request();
        r.agent = r.referer = r.host = r.target = r.user = agent;
        size_t len = web_log_format(WEB_LOG_JSON, &r, 784111777, line, sizeof line);
        assert_true(len < sizeof line - 1);
        json_t *json = json_loads(line, 0, NULL);
        assert_non_null(json);
        assert_string_equal(json_string_value(json_object_get(json, "time")), "1994-11-06T08:49:37Z");
        assert_int_equal(json_integer_value(json_object_get(json, "status")), 200);
        json_decref(json);
    }
}

/* Reads the file anew, and takes it away. */
static size_t lines_in(const char *path)
{
    FILE *file = fopen(path, "r");
    size_t lines = 0;
    if (file == NULL)
        return 0;
    for (int c; (c = fgetc(file)) != EOF;)
        lines += c == '\n';
    (void)fclose(file);
    return lines;
}

static void lines_gather_and_files_are_changed(void **state UNUSED)
{
    char path[] = "/tmp/wholenet-log-XXXXXX";
    char moved[sizeof path + 2];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)close(fd);
    snprintf(moved, sizeof moved, "%s.1", path);
    struct loop *loop = loop_new_virtual(1000, 1);
    struct web_log *log;
    assert_int_equal(web_log_open(loop, path, WEB_LOG_COMBINED, &log), 0);
    struct web_request r = request();
    web_log_add(log, &r);
    assert_int_equal(lines_in(path), 0);
    (void)loop_run_until(loop, 2 * USEC_PER_SEC);
    assert_int_equal(lines_in(path), 1);
    for (int i = 0; i < 2000; i++)
        web_log_add(log, &r);
    assert_true(lines_in(path) > 1000); /* the buffer was full in between */
    assert_int_equal(rename(path, moved), 0);
    assert_int_equal(web_log_reopen(log), 0);
    assert_int_equal(lines_in(moved), 2001);
    web_log_add(log, &r);
    web_log_free(log);
    assert_int_equal(lines_in(path), 1);
    (void)unlink(path);
    (void)unlink(moved);
    assert_int_equal(web_log_open(loop, "/dev/full", WEB_LOG_JSON, &log), 0);
    for (int i = 0; i < 1000; i++)
        web_log_add(log, &r);
    assert_true(web_log_lost(log) > 100);
    web_log_free(log);
    loop_free(loop);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_combined_format),
        cmocka_unit_test(json_can_be_read_whatever_was_sent),
        cmocka_unit_test(lines_gather_and_files_are_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
