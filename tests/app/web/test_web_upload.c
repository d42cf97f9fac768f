/* SPDX-License-Identifier: ISC */
/* test_web_upload.c - PUT and DELETE by a root of their own: over the kernel, where a thread waits for the
 * disk, and in virtual time, where nobody does. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/web/web_config.h"
#include "io/net.h"
#include "os/clock.h"
#include "tests/support/check.h"
#include "tests/support/web_fixture.h"

static const struct net_world_kind perfect = {.name = "virtual time"};
static const struct net_world_kind bad = {.name = "virtual time, bad wire", .impaired = true};
static const struct net_world_kind *const worlds[] = {NULL, &perfect, &bad};

static struct web_fixture f;
static struct web_config config;

static void start(const struct net_world_kind *kind)
{
    f = (struct web_fixture){.kind = kind, .seed = 1};
    web_fixture_make_root(&f);
    web_fixture_add_file(&f, "old", "old", 3);
    memset(&config, 0, sizeof config);
    struct web_rule *rule = web_config_add_rule(&config, NULL);
    rule->upload = true;
    rule->body_max = 100000;
    snprintf(rule->root, sizeof rule->root, "%s", f.root);
    config.host_count = 1;
    config.hosts[0].rule_count = 1;
    web_fixture_start(&f, &(struct web_options){.config = &config});
}

static void stop(void)
{
    web_fixture_stop(&f);
    web_config_done(&config);
}

static bool has_content(const char *name, const char *content)
{
    char path[512], text[512];
    snprintf(path, sizeof path, "%s/%s", f.root, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return content == NULL;
    size_t len = fread(text, 1, sizeof text - 1, file);
    (void)fclose(file);
    text[len] = '\0';
    return content != NULL && strcmp(text, content) == 0;
}

static unsigned files_there(void)
{
    unsigned count = 0;
    DIR *folder = opendir(f.root);
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    (void)closedir(folder);
    return count;
}

static unsigned ask(const char *method, const char *target, const char *fields, const char *body)
{
    struct fetched got = web_fetch(&f, method, target, fields, body);
    free(got.body);
    return got.status;
}

/* RFC 9110 §9.3.4, §9.3.5: 201 for what is new, 204 for what was there. */
static void what_is_said_to_be_there_is_there(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(worlds); i++) {
        start(worlds[i]);
        assert_int_equal(ask("PUT", "/new", NULL, "first"), 201);
        assert_true(has_content("new", "first"));
        assert_int_equal(ask("PUT", "/new", NULL, "second"), 204);
        assert_true(has_content("new", "second"));
        assert_int_equal(ask("PUT", "/empty", NULL, ""), 201);
        assert_true(has_content("empty", ""));
        assert_int_equal(files_there(), 3);
        assert_int_equal(ask("DELETE", "/new", NULL, NULL), 204);
        assert_true(has_content("new", NULL));
        assert_int_equal(ask("DELETE", "/new", NULL, NULL), 404);
        assert_int_equal(ask("PUT", "/none/new", NULL, "x"), 409);
        assert_int_equal(ask("PUT", "/.hidden", NULL, "x"), 403);
        assert_int_equal(files_there(), 2);
        stop();
    }
}

static void conditions_hold_when_the_name_is_taken(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(worlds); i++) {
        start(worlds[i]);
        assert_int_equal(ask("PUT", "/old", "If-None-Match: *\n", "x"), 412);
        assert_int_equal(ask("PUT", "/old", "If-Match: \"other\"\n", "x"), 412);
        assert_int_equal(ask("DELETE", "/old", "If-Match: \"other\"\n", NULL), 412);
        assert_true(has_content("old", "old"));
        assert_int_equal(ask("PUT", "/old", "If-Match: *\n", "x"), 204);
        assert_int_equal(ask("PUT", "/new", "If-None-Match: *\n", "x"), 201);
        assert_true(has_content("old", "x") && has_content("new", "x"));
        assert_int_equal(files_there(), 2);
        stop();
    }
}

static void what_does_not_come_whole_leaves_nothing(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(worlds); i++) {
        start(worlds[i]);
        char *said = web_converse(&f, "PUT /old HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc", true);
        assert_memory_equal(said, "HTTP/1.1 400", 12);
        free(said);
        said = web_converse(&f, "PUT /old HTTP/1.1\r\nHost: h\r\nContent-Length: 100001\r\n\r\nabc", true);
        assert_memory_equal(said, "HTTP/1.1 413", 12);
        free(said);
        said = web_converse(&f, "PUT /old HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab", true);
        assert_memory_equal(said, "HTTP/1.1 400", 12);
        free(said);
        assert_int_equal(ask("PUT", "/old", "Content-Range: bytes 0-0/3\n", "x"), 400);
        assert_true(has_content("old", "old"));
        assert_int_equal(files_there(), 1);
        stop();
    }
}

/* The next request waits for the answer of the one before, and reads what that has written. */
static void what_follows_on_the_connection_sees_it(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(worlds); i++) {
        start(worlds[i]);
        char *said = web_converse(&f,
                                  "PUT /new HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"
                                  "GET /new HTTP/1.1\r\nHost: h\r\n\r\n"
                                  "DELETE /new HTTP/1.1\r\nHost: h\r\n\r\n"
                                  "GET /new HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
                                  false);
        assert_string_equal(f.log, "PUT /new 201;GET /new 200;DELETE /new 204;GET /new 404;");
        assert_non_null(strstr(said, "\r\n\r\nhelloHTTP/1.1 204"));
        free(said);
        stop();
    }
}

/* ---- several at a time ---- */

enum { CLIENTS = 8 };

struct client {
    struct stream *stream;
    char said[2048];
    size_t len;
};

static struct client clients[CLIENTS];

static size_t on_bytes(void *self, struct stream *stream UNUSED, struct bytes in)
{
    struct client *client = self;
    size_t room = sizeof client->said - 1 - client->len;
    memcpy(client->said + client->len, in.data, in.len < room ? in.len : room);
    client->len += in.len < room ? in.len : room;
    return in.len;
}

static void on_closed(void *self, struct stream *stream UNUSED, int error UNUSED)
{
    ((struct client *)self)->stream = NULL;
}

static const struct stream_handler client_handler = {.on_bytes = on_bytes, .on_closed = on_closed};

static void begin_all(const char *text)
{
    memset(clients, 0, sizeof clients);
    for (size_t i = 0; i < CLIENTS; i++) {
        assert_int_equal(net_connect(f.client, &f.at, NULL, &client_handler, &clients[i],
                                     &clients[i].stream), 0);
        assert_int_equal(stream_send(clients[i].stream, bytes_of_text(text)), strlen(text));
    }
}

static void abort_all(void)
{
    for (size_t i = 0; i < CLIENTS; i++)
        if (clients[i].stream != NULL)
            stream_abort(clients[i].stream);
    memset(clients, 0, sizeof clients);
}

static void run_for(usec duration)
{
    assert_int_equal(loop_run_until(f.loop, loop_look(f.loop) + duration), 0);
}

/* RFC 9110 §13.1.2: "lost update": none takes the place of what another has put there meanwhile. */
static void one_of_many_is_first(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(worlds); i++) {
        start(worlds[i]);
        begin_all("PUT /one HTTP/1.1\r\nHost: h\r\nIf-None-Match: *\r\nContent-Length: 4\r\n\r\nmine");
        unsigned answered = 0;
        for (int turn = 0; turn < 500 && answered < CLIENTS; turn++) {
            run_for((worlds[i] == NULL ? 10 : 1000) * USEC_PER_MSEC);
            answered = 0;
            for (size_t k = 0; k < CLIENTS; k++)
                answered += clients[k].len > 12;
        }
        unsigned first = 0, late = 0;
        for (size_t k = 0; k < CLIENTS; k++) {
            first += strncmp(clients[k].said, "HTTP/1.1 201", 12) == 0;
            late += strncmp(clients[k].said, "HTTP/1.1 412", 12) == 0;
        }
        assert_int_equal(first, 1);
        assert_int_equal(late, CLIENTS - 1);
        assert_true(has_content("one", "mine"));
        assert_int_equal(files_there(), 2);
        abort_all();
        stop();
    }
}

/* Whoever goes while the disk is at work leaves all or nothing behind; so does the service. */
static void nobody_need_wait_for_the_disk(void **state UNUSED)
{
    static const char text[] = "PUT /one HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nmine";
    for (usec patience = 0; patience < 2000; patience += 100) {
        start(NULL);
        begin_all(text);
        run_for(1000 + patience);
        abort_all();
        if (patience % 200 == 0)
            run_for(20 * USEC_PER_MSEC);
        web_free(f.web);
        f.web = NULL;
        assert_true(has_content("one", NULL) || has_content("one", "mine"));
        assert_int_equal(files_there(), has_content("one", NULL) ? 1 : 2);
        stop();
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_said_to_be_there_is_there),
        cmocka_unit_test(conditions_hold_when_the_name_is_taken),
        cmocka_unit_test(what_does_not_come_whole_leaves_nothing),
        cmocka_unit_test(what_follows_on_the_connection_sees_it),
        cmocka_unit_test(one_of_many_is_first),
        cmocka_unit_test(nobody_need_wait_for_the_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
