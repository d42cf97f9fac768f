/* SPDX-License-Identifier: ISC */
/* Connections of the web service: persistence, limits, peers that misbehave; and curl, if there. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/web/web_exchange.h"
#include "tests/support/check.h"
#include "tests/support/web_fixture.h"

static struct web_fixture f;

static int start(void **state UNUSED)
{
    f = (struct web_fixture){0};
    web_fixture_start(&f, NULL);
    return 0;
}

static int stop(void **state UNUSED)
{
    web_fixture_stop(&f);
    return 0;
}

static size_t count(const char *text, const char *part)
{
    size_t found = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at += strlen(part))
        found++;
    return found;
}

static uint64_t open_connections(void)
{
    struct web_counters counters;
    web_counters(f.web, &counters);
    return counters.open;
}

/* 9112/9.3.2-1. */
static void pipelined_requests_are_answered_in_order(void **state UNUSED)
{
    char *said = web_converse(&f,
                              "GET /bytes/700000 HTTP/1.1\r\nHost: h\r\n\r\n"
                              "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n"
                              "PUT /sink HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
                              "GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
                              "GET /never HTTP/1.1\r\nHost: h\r\n\r\n",
                              false);
    assert_string_equal(f.log, "GET /bytes/700000 200;HEAD / 200;PUT /sink 200;GET /healthz 200;");
    assert_int_equal(count(said, "HTTP/1.1 200 OK\r\n"), 1); /* what follows is behind a zero octet */
    assert_int_equal(open_connections(), 0);
    free(said);
}

static void a_client_that_has_sent_its_fin_gets_all_its_answers(void **state UNUSED)
{
    char *said = web_converse(&f,
                              "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"
                              "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"
                              "GET /healthz HTT",
                              true);
    assert_int_equal(count(said, "HTTP/1.1 200 OK\r\n"), 2);
    assert_int_equal(count(said, "HTTP/1.1"), 2);
    assert_int_equal(open_connections(), 0);
    free(said);
}

static void what_is_no_request_is_refused_and_logged(void **state UNUSED)
{
    char *said = web_converse(&f, "GET / HTTP/1.1\r\nHost: h\r\nA : b\r\n\r\n", false);
    assert_memory_equal(said, "HTTP/1.1 400 Bad Request\r\nDate: ", 32);
    assert_string_equal(f.log, "- - 400;");
    free(said);
    said = web_converse(&f, "GET /healthz HTTP/1.0\n\n", false);
    assert_memory_equal(said, "HTTP/1.1 400", 12);
    free(said);
    said = web_converse(&f, "GET /healthz HTTP/1.0\r\n\r\n", false);
    assert_memory_equal(said, "HTTP/1.1 200", 12);
    assert_non_null(strstr(said, "Connection: close\r\n"));
    free(said);
}

/* ---- many connections ---- */

enum { CROWD = 80 };

struct crowd {
    struct stream *streams[CROWD];
    bool ended[CROWD];
    char first[CROWD][13]; /* "HTTP/1.1 503" */
};

static struct crowd crowd;

static size_t on_bytes(void *self, struct stream *stream UNUSED, struct bytes in)
{
    size_t i = (size_t)((char *)self - (char *)crowd.first) / sizeof crowd.first[0];
    if (in.len >= 12)
        memcpy(crowd.first[i], in.data, 12);
    return in.len;
}

static void on_end(void *self, struct stream *stream UNUSED)
{
    crowd.ended[(size_t)((char *)self - (char *)crowd.first) / sizeof crowd.first[0]] = true;
}

static void on_closed(void *self, struct stream *stream UNUSED, int error UNUSED)
{
    size_t i = (size_t)((char *)self - (char *)crowd.first) / sizeof crowd.first[0];
    crowd.streams[i] = NULL;
    crowd.ended[i] = true;
}

static const struct stream_handler crowd_handler = {
    .on_bytes = on_bytes, .on_end = on_end, .on_closed = on_closed};

static void turn(void)
{
    for (int i = 0; i < 20; i++)
        (void)loop_run_until(f.loop, loop_now(f.loop) + 500);
}

static void join(size_t i, const char *says)
{
    int status = net_connect(f.client, &f.at, NULL, &crowd_handler, crowd.first[i], &crowd.streams[i]);
    assert_int_equal(status, 0);
    (void)stream_send(crowd.streams[i], bytes_of_text(says));
    turn();
}

static void disperse(void)
{
    for (size_t i = 0; i < CROWD; i++)
        if (crowd.streams[i] != NULL)
            stream_abort(crowd.streams[i]);
    crowd = (struct crowd){0};
    turn();
}

/* In virtual time: who comes when is no matter of how busy the machine is. */
static const struct net_world_kind virtual_time = {.name = "virtual time"};

static void start_small(unsigned connections_max)
{
    f = (struct web_fixture){.kind = &virtual_time};
    web_fixture_start(&f, &(struct web_options){.connections_max = connections_max});
}

static void the_longest_idle_makes_room(void **state UNUSED)
{
    start_small(2);
    join(0, "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n");
    join(1, "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n");
    (void)stream_send(crowd.streams[0], bytes_of_text("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
    turn();
    join(2, "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_true(crowd.ended[1]);
    assert_false(crowd.ended[0] || crowd.ended[2]);
    assert_string_equal(crowd.first[2], "HTTP/1.1 200");
    struct web_counters counters;
    web_counters(f.web, &counters);
    assert_int_equal(counters.shed, 1);
    assert_int_equal(counters.refused, 0);
    assert_int_equal(counters.open, 2);
    disperse();
    assert_int_equal(open_connections(), 0);
    web_fixture_stop(&f);
}

/* Slowloris: heads that do not come to their end make room after a second, those that are at work do
 * not. */
static void half_heads_make_room(void **state UNUSED)
{
    start_small(CROWD / 2);
    for (size_t i = 0; i < CROWD / 2; i++)
        join(i, "GET / HTTP/1.1\r\nHost: h\r\nX-a: b\r\n");
    assert_int_equal(open_connections(), CROWD / 2);
    join(CROWD / 2, "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_string_equal(crowd.first[CROWD / 2], "HTTP/1.1 503"); /* they may still mean well */
    (void)loop_run_until(f.loop, loop_now(f.loop) + WEB_HEAD_PATIENCE);
    for (size_t i = CROWD / 2 + 1; i < CROWD; i++) {
        join(i, "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n");
        CHECK_EQUAL(crowd.first[i], strcmp(crowd.first[i], "HTTP/1.1 200"), 0);
    }
    assert_true(crowd.ended[0] && !crowd.ended[CROWD / 2 - 1]); /* the oldest, and no more than need be */
    struct web_counters counters;
    web_counters(f.web, &counters);
    assert_true(counters.open <= CROWD / 2);
    disperse();
    web_fixture_stop(&f);
}

static void one_too_many_is_told_503(void **state UNUSED)
{
    start_small(2);
    join(0, "PUT /sink HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc");
    join(1, "PUT /sink HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc");
    for (size_t i = 2; i < CROWD; i++)
        join(i, "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_string_equal(crowd.first[2], "HTTP/1.1 503");
    assert_true(crowd.ended[2]);
    assert_true(crowd.ended[CROWD - 1]); /* beyond 64 of those: reset, without a word */
    assert_string_equal(crowd.first[CROWD - 1], "");
    struct web_counters counters;
    web_counters(f.web, &counters);
    assert_int_equal(counters.refused, CROWD - 2);
    assert_int_equal(counters.open, 2);
    (void)stream_send(crowd.streams[0], bytes_of_text("def123"));
    turn();
    assert_string_equal(crowd.first[0], "HTTP/1.1 200");
    disperse();
    web_fixture_stop(&f);
}

static void clients_that_vanish_leave_nothing(void **state UNUSED)
{
    static const char *const says[] = {
        "", "GET /bytes/1G HTTP/1.1\r\nHost: h\r\n\r\n", "GET / HT",
        "PUT /sink HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc",
        "GET /bytes/5M HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
    };
    start_small(0);
    for (size_t i = 0; i < ARRAY_LEN(says); i++)
        join(i, says[i]);
    for (int i = 0; i < 300 && open_connections() < ARRAY_LEN(says); i++)
        turn(); /* the kernel waits for a word for a second */
    assert_int_equal(open_connections(), ARRAY_LEN(says));
    disperse();
    assert_int_equal(open_connections(), 0);
    web_fixture_stop(&f);
}

/* ---- files ---- */

static bool deaf;

/* Uses nothing at first, so that the server's octets pile up. */
static size_t listen_late(void *self UNUSED, struct stream *stream UNUSED, struct bytes in)
{
    return deaf ? 0 : in.len;
}

/* 9112/8-1. */
static void a_file_that_shrinks_is_never_taken_for_whole(void **state UNUSED)
{
    char path[512];
    f = (struct web_fixture){0};
    web_fixture_make_root(&f);
    web_fixture_add_file(&f, "x", NULL, 30 << 20);
    web_fixture_start(&f, NULL);
    snprintf(path, sizeof path, "%s/x", f.root);
    static const struct stream_handler late = {.on_bytes = listen_late, .on_closed = on_closed};
    deaf = true;
    int status = net_connect(f.net, &f.at, NULL, &late, crowd.first[0], &crowd.streams[0]);
    assert_int_equal(status, 0);
    (void)stream_send(crowd.streams[0], bytes_of_text("GET /x HTTP/1.1\r\nHost: h\r\n\r\n"));
    turn();
    assert_int_equal(truncate(path, 1000), 0);
    deaf = false;
    stream_resume(crowd.streams[0]);
    turn();
    assert_true(crowd.ended[0]);
    assert_int_equal(open_connections(), 0); /* reset, rather than ended */
    disperse();
    web_fixture_stop(&f);
}

/* ---- curl ---- */

/* Runs curl beside the loop; its output. */
static char *curl(const char *arguments)
{
    char command[600];
    char at[ENDPOINT_TEXT_MAX];
    snprintf(command, sizeof command, "curl -sS --max-time 10 %s http://%s/%s 2>&1", arguments,
             endpoint_format(&f.at, at), "healthz");
    int pipe_fds[2];
    assert_int_equal(pipe(pipe_fds), 0);
    pid_t pid = fork();
    if (pid == 0) {
        (void)dup2(pipe_fds[1], 1);
        (void)close(pipe_fds[0]);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    (void)close(pipe_fds[1]);
    int status;
    for (int i = 0; i < 10000 && waitpid(pid, &status, WNOHANG) == 0; i++)
        (void)loop_run_until(f.loop, loop_now(f.loop) + 1000);
    char *out = calloc(1, 65536);
    ssize_t got = read(pipe_fds[0], out, 65535);
    assert_true(got >= 0);
    (void)close(pipe_fds[0]);
    return out;
}

static void curl_is_served(void **state UNUSED)
{
    if (system("command -v curl >/dev/null 2>&1") != 0)
        skip();
    char at[ENDPOINT_TEXT_MAX];
    char arguments[300];
    endpoint_format(&f.at, at);
    static const struct {
        const char *arguments; /* %s: the server */
        const char *want;
    } cases[] = {
        {"", "ok\n"},
        {"-I", "HTTP/1.1 200 OK"},
        {"-0 -i", "Connection: close"},
        {"--compressed -H 'Range: bytes=0-0'", "ok\n"},
        {"-T /etc/hostname -o /dev/null -w '%%{http_code}'", "405"},
        {"http://%s/bytes/3M -o /dev/null -o /dev/null -w '%%{http_code} %%{size_download} "
         "%%{num_connects};'", "200 3145728 1;200 3 0;"},
        {"-T /bin/sh -H 'Expect: 100-continue' http://%s/sink", "\"octets\": "},
        {"-H 'Transfer-Encoding: chunked' -d abcde http://%s/sink", "\"octets\": 5,"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
        snprintf(arguments, sizeof arguments, cases[i].arguments, at);
#pragma GCC diagnostic pop
        char *said = curl(arguments);
        if (strstr(said, cases[i].want) == NULL)
            fail_msg("curl %s said %s", arguments, said);
        free(said);
    }
}

/* 9112/3.2.2-2: the authority of an absolute target chooses the host, whatever Host says. */
static void an_absolute_target_goes_before_host(void **state UNUSED)
{
    static struct web_config config;
    static const struct {
        const char *head, *want;
    } cases[] = {
        {"GET /a HTTP/1.1\r\nHost: other.test\r\n", "Which: other"},
        {"GET http://other.test/a HTTP/1.1\r\nHost: h\r\n", "Which: other"},
        {"GET http://h/a HTTP/1.1\r\nHost: other.test\r\n", "Which: first"},
        {"GET http://other.test:8080/a HTTP/1.0\r\n", "Which: other"},
        {"GET /a HTTP/1.0\r\n", "Which: first"},
    };
    config = (struct web_config){.host_count = 2};
    strcpy(config.hosts[1].names[0], "other.test");
    config.hosts[1].name_count = 1;
    for (uint32_t i = 0; i < 2; i++) {
        struct web_rule *rule = web_config_add_rule(&config, NULL);
        strcpy(rule->headers[0], i == 0 ? "Which: first" : "Which: other");
        rule->header_count = 1;
        config.hosts[i].rule_first = i;
        config.hosts[i].rule_count = 1;
    }
    f = (struct web_fixture){0};
    web_fixture_start(&f, &(struct web_options){.config = &config});
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[200];
        snprintf(text, sizeof text, "%sConnection: close\r\n\r\n", cases[i].head);
        char *said = web_converse(&f, text, false);
        CHECK(cases[i].head, strstr(said, cases[i].want) != NULL);
        free(said);
    }
    web_config_done(&config);
    web_fixture_stop(&f);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(pipelined_requests_are_answered_in_order, start, stop),
        cmocka_unit_test_setup_teardown(a_client_that_has_sent_its_fin_gets_all_its_answers, start,
                                        stop),
        cmocka_unit_test(an_absolute_target_goes_before_host),
        cmocka_unit_test(half_heads_make_room),
        cmocka_unit_test_setup_teardown(what_is_no_request_is_refused_and_logged, start, stop),
        cmocka_unit_test(the_longest_idle_makes_room),
        cmocka_unit_test(one_too_many_is_told_503),
        cmocka_unit_test(clients_that_vanish_leave_nothing),
        cmocka_unit_test(a_file_that_shrinks_is_never_taken_for_whole),
        cmocka_unit_test_setup_teardown(curl_is_served, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
