/* SPDX-License-Identifier: ISC */
/* scripted_server.c - see scripted_server.h. Every surprise fails the test. */
#include "tests/support/scripted_server.h"

#include "base/list.h"
#include "base/text.h"
#include "tests/support/check.h"

enum { REQUEST_MAX = 256 * 1024 };
#define PACE (10 * USEC_PER_MSEC)

struct scripted_server {
    struct net *net;
    struct listener *listener;
    const struct scripted_answer *answers;
    struct list_node sessions;
    unsigned requests, connections;
    uint64_t sent;
    char last[REQUEST_MAX];
};

struct session {
    struct list_node node;
    struct scripted_server *server;
    struct stream *stream;
    const struct scripted_answer *answer; /* being said; NULL: none */
    size_t said;
    uint64_t zeros;
    size_t len;
    char request[REQUEST_MAX];
};

static void end(struct session *s)
{
    list_remove(&s->node);
    free(s);
}

static void speak(struct session *s);

/* Where the body ends behind the head; 0: it is not all there. */
static size_t end_of(const struct session *s, bool early)
{
    const char *head = strstr(s->request, "\r\n\r\n");
    if (head == NULL)
        return 0;
    size_t at = (size_t)(head - s->request) + 4;
    const char *length = strstr(s->request, "\r\nContent-Length: ");
    bool chunked = strstr(s->request, "\r\nTransfer-Encoding: chunked") != NULL;
    if (early)
        return at;
    if (length != NULL && length < head)
        return at + strtoul(length + 18, NULL, 10) <= s->len ? at + strtoul(length + 18, NULL, 10) : 0;
    if (!chunked)
        return at;
    const char *last = strstr(s->request + at - 2, "\r\n0\r\n");
    const char *over = last != NULL ? strstr(last + 3, "\r\n\r\n") : NULL;
    return over != NULL ? (size_t)(over - s->request) + 4 : 0;
}

static const struct scripted_answer *find(const struct session *s)
{
    for (const struct scripted_answer *a = s->server->answers; a->request != NULL; a++)
        if (strncmp(s->request, a->request, strlen(a->request)) == 0)
            return a;
    fail_msg("nothing is written for: %s", s->request);
    return NULL;
}

static void listen_to(struct session *s)
{
    if (s->answer != NULL || strstr(s->request, "\r\n\r\n") == NULL)
        return;
    const struct scripted_answer *answer = find(s);
    size_t end = end_of(s, (answer->manner & SCRIPTED_EARLY) != 0);
    if (end == 0)
        return;
    s->server->requests++;
    memcpy(s->server->last, s->request, end);
    s->server->last[end] = '\0';
    memmove(s->request, s->request + end, s->len - end + 1);
    s->len -= end;
    s->answer = answer;
    s->said = 0;
    s->zeros = answer->zeros;
    speak(s);
}

/* Behind an answer. False: the session is over. */
static bool finish(struct session *s)
{
    unsigned manner = s->answer->manner;
    s->answer = NULL;
    if ((manner & SCRIPTED_RESET) != 0)
        stream_abort(s->stream);
    else if ((manner & SCRIPTED_CLOSE) != 0)
        stream_close(s->stream);
    else
        return true;
    end(s);
    return false;
}

static bool say_zeros(struct session *s)
{
    static char zeros[16384];
    memset(zeros, '0', sizeof zeros);
    while (s->zeros > 0) {
        size_t len = s->zeros < sizeof zeros ? (size_t)s->zeros : sizeof zeros;
        size_t taken = stream_send(s->stream, bytes_of(zeros, len));
        s->zeros -= taken;
        s->server->sent += taken;
        if (taken < len)
            return false;
    }
    return true;
}

static void speak(struct session *s)
{
    struct bytes all = s->answer->response_len > 0
                           ? bytes_of(s->answer->response, s->answer->response_len)
                           : bytes_of_text(s->answer->response);
    struct bytes rest = bytes_after(all, s->said);
    bool slow = (s->answer->manner & SCRIPTED_SLOW) != 0;
    size_t taken = stream_send(s->stream, bytes_first(rest, slow ? 1 : rest.len));
    s->said += taken;
    s->server->sent += taken;
    if (taken < rest.len) {
        if (slow)
            stream_set_deadline(s->stream, loop_now(net_loop(s->server->net)) + PACE);
        return;
    }
    if (say_zeros(s) && finish(s))
        listen_to(s);
}

static size_t on_bytes(void *self, struct stream *stream UNUSED, struct bytes in)
{
    struct session *s = self;
    assert_true(s->len + in.len < sizeof s->request);
    memcpy(s->request + s->len, in.data, in.len);
    s->len += in.len;
    s->request[s->len] = '\0';
    listen_to(s);
    return in.len;
}

static void on_end(void *self, struct stream *stream)
{
    stream_close(stream);
    end(self);
}

static void on_closed(void *self, struct stream *stream UNUSED, int error UNUSED)
{
    end(self);
}

static void go_on(void *self, struct stream *stream UNUSED)
{
    struct session *s = self;
    if (s->answer != NULL)
        speak(s);
}

static void on_accept(void *self, struct listener *listener UNUSED, struct stream *stream)
{
    static const struct stream_handler calls = {.on_bytes = on_bytes,
                                                .on_end = on_end,
                                                .on_closed = on_closed,
                                                .on_room = go_on,
                                                .on_deadline = go_on};
    struct scripted_server *server = self;
    struct session *s = calloc(1, sizeof *s);
    s->server = server;
    s->stream = stream;
    list_init(&s->node);
    list_append(&server->sessions, &s->node);
    server->connections++;
    stream_set_handler(stream, &calls, s);
}

struct scripted_server *scripted_server_new(struct net *net, struct tls_server *tls,
                                            const struct endpoint *local,
                                            const struct scripted_answer *answers)
{
    static const struct listener_handler calls = {on_accept};
    struct listen_options options = {.local = *local};
    struct scripted_server *server = calloc(1, sizeof *server);
    assert_non_null(server);
    server->net = net;
    server->answers = answers;
    list_init(&server->sessions);
    if (tls != NULL)
        assert_int_equal(tls_listen(tls, net, &options, &calls, server, &server->listener), 0);
    else
        assert_int_equal(net_listen(net, &options, &calls, server, &server->listener), 0);
    return server;
}

void scripted_server_free(struct scripted_server *server)
{
    while (!list_empty(&server->sessions)) {
        struct session *s = CONTAINER_OF(list_first(&server->sessions), struct session, node);
        stream_abort(s->stream);
        end(s);
    }
    listener_close(server->listener);
    free(server);
}

uint16_t scripted_server_port(const struct scripted_server *server)
{
    return listener_local(server->listener).port;
}

const char *scripted_server_last(const struct scripted_server *server)
{
    return server->last;
}

unsigned scripted_server_requests(const struct scripted_server *server)
{
    return server->requests;
}

unsigned scripted_server_connections(const struct scripted_server *server)
{
    return server->connections;
}

uint64_t scripted_server_sent(const struct scripted_server *server)
{
    return server->sent;
}
