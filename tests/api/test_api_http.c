/* SPDX-License-Identifier: ISC */
/*
 * test_api_http.c - wholenet/http.h before a server that says what is written here: over the kernel's loopback,
 * over two stacks on a wire in virtual time, and there with TLS.
 */
#include <errno.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>
#include <wholenet/http.h>
#include <wholenet/udp.h>
#include <zlib.h>

#include "api/api_loop.h"
#include "base/text.h"
#include "tests/support/check.h"
#include "tests/support/scripted_server.h"
#include "tests/support/tls_files.h"

enum kind { KERNEL, STACK, SECURE, KINDS };
static const char *const kinds[] = {"kernel", "stack", "stack, TLS"};

/* ---- the world ---- */

struct world {
    enum kind kind;
    struct wn_loop *loop;
    struct wn_stack *a, *b; /* NULL: the kernel */
    struct net *net;
    struct tls_files files;
    struct tls_server *tls;
    struct scripted_server *server;
    struct wn_http *http;
    char hosts[128];
};

static struct wn_stack *add_host(struct wn_loop *loop, const char *mac, const char *address)
{
    struct wn_stack *stack;
    assert_int_equal(wn_loop_stack(loop, NULL, &stack), 0);
    assert_int_equal(wn_stack_add_interface(stack, "eth0", mac, 1500, 0), 0);
    assert_int_equal(wn_stack_add_address(stack, 0, address), 0);
    return stack;
}

static void open_tls(struct world *w)
{
    static const char *const names[] = {"www.test", NULL};
    char reason[256];
    struct text error = text_of(reason, sizeof reason);
    tls_files_open(&w->files);
    size_t leaf = tls_files_add(&w->files, 0, 1, names, NULL);
    struct tls_certificate certificate = {.chain = w->files.files[leaf].chain,
                                          .key = w->files.files[leaf].key};
    struct tls_server_options options = {.certificates = &certificate, .certificate_count = 1};
    assert_int_equal(tls_server_new(api_loop_inside(w->loop), &options, &error, &w->tls), 0);
}

static void open_client(struct world *w, struct wn_http_options o)
{
    o.size = sizeof o;
    o.stack = w->a;
    o.hosts = w->hosts;
    if (w->kind == SECURE && o.trust_file == NULL && (o.flags & WN_HTTP_TRUST_ANYBODY) == 0)
        o.trust_file = w->files.files[0].chain;
    wn_http_free(w->http);
    assert_int_equal(wn_http_new(w->loop, &o, &w->http), 0);
}

static void open_world(struct world *w, enum kind kind, const struct scripted_answer *answers)
{
    const struct wn_impairments wire = {.delay = 5 * WN_MILLISECOND};
    *w = (struct world){.kind = kind};
    struct endpoint local = {address_v4(kind == KERNEL ? 0x7f000001 : 0x0a000002), 0};
    w->loop = kind == KERNEL ? wn_loop_new() : wn_loop_new_virtual(7);
    assert_non_null(w->loop);
    if (kind != KERNEL) {
        w->a = add_host(w->loop, "02:00:00:00:00:01", "10.0.0.1/24");
        w->b = add_host(w->loop, "02:00:00:00:00:02", "10.0.0.2/24");
        assert_int_equal(wn_loop_join(w->loop, w->a, 0, w->b, 0, &wire, &wire), 0);
    }
    w->net = w->b != NULL ? api_loop_net(w->loop, w->b) : net_kernel_new(api_loop_inside(w->loop));
    if (kind == SECURE)
        open_tls(w);
    w->server = scripted_server_new(w->net, w->tls, &local, answers);
    (void)snprintf(w->hosts, sizeof w->hosts, "%s www.test other.test\n",
                   kind == KERNEL ? "127.0.0.1" : "10.0.0.2");
    open_client(w, (struct wn_http_options){.flags = 0});
}

static void close_world(struct world *w)
{
    wn_http_free(w->http);
    scripted_server_free(w->server);
    (void)wn_loop_run_until(w->loop, wn_loop_now(w->loop) + 20 * WN_MILLISECOND);
    if (w->tls != NULL) {
        tls_server_free(w->tls);
        tls_files_close(&w->files);
    }
    net_free(w->net);
    wn_loop_free(w->loop);
    wn_stack_free(w->a);
    wn_stack_free(w->b);
}

static char *url_at(const struct world *w, const char *host, const char *path)
{
    static char url[512];
    (void)snprintf(url, sizeof url, "%s://%s:%u%s", w->kind == SECURE ? "https" : "http", host,
                   scripted_server_port(w->server), path);
    return url;
}

/* ---- a transfer, and what is told of it ---- */

enum { BODY_MAX = 1 << 20 };

struct seen {
    struct world *w;
    struct wn_http_transfer *transfer;
    unsigned callbacks, cancel_at; /* 0: never */
    unsigned interims, responses, interim_status, status;
    bool over, cancelled, pauses;
    int error;
    char why[256], url[256], type[64];
    struct wn_http_result result;
    size_t len;
    char body[BODY_MAX + 1];
};

static bool is_cancelled(struct seen *s, struct wn_http_transfer *t)
{
    assert_false(s->over || s->cancelled);
    if (++s->callbacks != s->cancel_at)
        return false;
    wn_http_cancel(t);
    s->cancelled = true;
    wn_loop_stop(s->w->loop);
    return true;
}

static void on_interim(void *self, struct wn_http_transfer *t, const struct wn_http_response *r)
{
    struct seen *s = self;
    s->interims++;
    s->interim_status = r->status;
    (void)is_cancelled(s, t);
}

static void on_response(void *self, struct wn_http_transfer *t, const struct wn_http_response *r)
{
    struct seen *s = self;
    const char *type = wn_http_field(r, "content-TYPE");
    s->responses++;
    s->status = r->status;
    (void)snprintf(s->url, sizeof s->url, "%s", r->url);
    (void)snprintf(s->type, sizeof s->type, "%s", type != NULL ? type : "");
    (void)is_cancelled(s, t);
}

static void on_body(void *self, struct wn_http_transfer *t, const void *data, size_t len)
{
    struct seen *s = self;
    assert_int_equal(s->responses, 1);
    size_t room = BODY_MAX - s->len;
    memcpy(s->body + s->len, data, len < room ? len : room);
    s->len += len < room ? len : room;
    s->body[s->len] = '\0';
    if (!is_cancelled(s, t) && s->pauses)
        wn_http_pause(t);
}

static void on_end(void *self, struct wn_http_transfer *t, const struct wn_http_result *r)
{
    struct seen *s = self;
    s->error = r->error;
    s->result = *r;
    (void)snprintf(s->why, sizeof s->why, "%s", r->why);
    assert_true((r->error == WN_HTTP_OK) == (r->why[0] == '\0'));
    assert_true((r->response != NULL) == (s->responses > 0));
    if (is_cancelled(s, t)) {
        s->over = true;
        return;
    }
    s->over = true;
    wn_loop_stop(s->w->loop);
}

static const struct wn_http_handler calls = {on_interim, on_response, on_body, on_end};

static void clear(struct seen *s, struct world *w)
{
    unsigned cancel_at = s->cancel_at;
    bool pauses = s->pauses;
    memset(s, 0, offsetof(struct seen, body));
    s->w = w;
    s->cancel_at = cancel_at;
    s->pauses = pauses;
    s->body[0] = '\0';
}

static void wait_for(struct seen *s)
{
    wn_time most = s->w->kind == KERNEL ? 20 * WN_SECOND : 600 * WN_SECOND;
    assert_int_equal(wn_loop_run_until(s->w->loop, wn_loop_now(s->w->loop) + most), 0);
    assert_true(s->over || s->cancelled);
}

static void ask(struct world *w, struct seen *s, struct wn_http_request r)
{
    clear(s, w);
    r.size = sizeof r;
    int result = wn_http_start(w->http, &r, &calls, s, &s->transfer);
    if (result != 0)
        fail_msg("%s: %d: %s", r.url, result, wn_http_why(w->http));
    wait_for(s);
}

static void get(struct world *w, struct seen *s, const char *path)
{
    ask(w, s, (struct wn_http_request){.url = url_at(w, "www.test", path)});
}

static struct seen seen; /* large */

static bool asked(const struct world *w, const char *text)
{
    return strstr(scripted_server_last(w->server), text) != NULL;
}

/* ---- answers as they should be ---- */

static const struct scripted_answer good[] = {
    {"GET /one?q=1%202 ", "HTTP/1.1 200 Fine\r\nContent-Type: text/x\r\nContent-Length: 5\r\n\r\nhello", 0, 0, 0},
    {"GET /one ", "HTTP/1.1 200 Fine\r\nContent-Type: text/x\r\nContent-Length: 5\r\n\r\nhello", 0, 0, 0},
    {"GET /early ", "HTTP/1.1 103 Early\r\nLink: </x>\r\n\r\nHTTP/1.1 204 Nothing\r\n\r\n", 0, 0, 0},
    {"GET /chunks ", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", 0, 0, 0},
    {"GET /close ", "HTTP/1.0 200 OK\r\n\r\nto the end", SCRIPTED_CLOSE, 0, 0},
    {"HEAD /one ", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Encoding: gzip\r\n\r\n", 0, 0, 0},
    {"GET /big ", "HTTP/1.1 200 OK\r\nContent-Length: 8000000\r\n\r\n", 0, 8000000, 0},
    {"GET /slow ", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nit drips.", SCRIPTED_SLOW, 0, 0},
    {"GET /refused ", "HTTP/1.1 404 Gone\r\nContent-Length: 4\r\n\r\nnone", 0, 0, 0},
    {NULL, NULL, 0, 0, 0},
};

static void answers_are_told(void **state UNUSED)
{
    for (enum kind kind = KERNEL; kind < KINDS; kind++) {
        struct world w;
        open_world(&w, kind, good);
        get(&w, &seen, "/one?q=1 2"); /* what is not quite a URI is made one */
        assert_string_equal(seen.why, "");
        assert_int_equal(seen.status, 200);
        assert_string_equal(seen.body, "hello");
        assert_string_equal(seen.type, "text/x");
        assert_string_equal(seen.url, url_at(&w, "www.test", "/one?q=1%202"));
        assert_true(asked(&w, "GET /one?q=1%202 HTTP/1.1\r\nHost: www.test:"));
        assert_true(asked(&w, "\r\nUser-Agent: wholenet/"));
        assert_int_equal(seen.result.body_len, 5);
        assert_int_equal(seen.result.server.port, scripted_server_port(w.server));
        assert_int_equal(seen.result.reused, 0);
        CHECK(kinds[kind], (seen.result.tls_version != NULL) == (kind == SECURE));
        const struct wn_http_times *t = &seen.result.times;
        assert_true(t->begun != 0 || kind != KERNEL);
        assert_true(t->begun <= t->found && t->found <= t->connected && t->connected <= t->sent &&
                    t->sent <= t->first && t->first <= t->ended);
        get(&w, &seen, "/early ");
        assert_int_equal(seen.interims, 1);
        assert_int_equal(seen.interim_status, 103);
        assert_int_equal(seen.status, 204);
        assert_int_equal(seen.result.reused, 1);
        get(&w, &seen, "/chunks");
        assert_string_equal(seen.body, "abcde");
        ask(&w, &seen, (struct wn_http_request){.url = url_at(&w, "www.test", "/one"), .method = "HEAD"});
        assert_string_equal(seen.why, "");
        assert_int_equal(seen.result.body_len, 0);
        get(&w, &seen, "/refused");
        assert_int_equal(seen.error, WN_HTTP_OK);
        assert_string_equal(seen.body, "none");
        ask(&w, &seen, (struct wn_http_request){.url = url_at(&w, "www.test", "/refused"), .flags = WN_HTTP_FAIL});
        assert_int_equal(seen.error, WN_HTTP_REFUSED);
        assert_int_equal(seen.status, 404);
        assert_int_equal(scripted_server_connections(w.server), 1);
        get(&w, &seen, "/close");
        assert_string_equal(seen.why, "");
        assert_string_equal(seen.body, "to the end");
        ask(&w, &seen, (struct wn_http_request){.url = url_at(&w, "www.test", "/one"), .flags = WN_HTTP_FRESH});
        ask(&w, &seen, (struct wn_http_request){.url = url_at(&w, "www.test", "/one"), .flags = WN_HTTP_FRESH});
        assert_int_equal(scripted_server_connections(w.server), 3);
        close_world(&w);
    }
}

/* ---- redirects and credentials ---- */

static const struct scripted_answer elsewhere[] = {
    {"GET /to ", "HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 3\r\n\r\nold", 0, 0, 0},
    {"POST /to ", "HTTP/1.1 302 Found\r\nLocation: there\r\nContent-Length: 0\r\n\r\n", 0, 0, 0},
    {"POST /same ", "HTTP/1.1 307 Same\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n", 0, 0, 0},
    {"GET /there ", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ngot", 0, 0, 0},
    {"POST /there ", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nput", 0, 0, 0},
    {"GET /loop ", "HTTP/1.1 301 Loop\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n", 0, 0, 0},
    {"GET /bad ", "HTTP/1.1 301 Bad\r\nLocation: http://[/\r\nContent-Length: 0\r\n\r\n", 0, 0, 0},
    {"GET /ftp ", "HTTP/1.1 301 Ftp\r\nLocation: ftp://www.test/\r\nContent-Length: 0\r\n\r\n", 0, 0, 0},
    {"GET /endless ", "HTTP/1.1 301 To\r\nLocation: /there\r\nTransfer-Encoding: chunked\r\n\r\nffffff\r\n", 0, 9000000, 0},
    {"GET /login ", "HTTP/1.1 401 Who\r\nWWW-Authenticate: Digest realm=r, nonce=n, qop=\"auth\"\r\nContent-Length: 0\r\n\r\n", 0, 0, 0},
    {"GET /basic ", "HTTP/1.1 401 Who\r\nWWW-Authenticate: Basic realm=r\r\nContent-Length: 0\r\n\r\n", 0, 0, 0},
    {"POST /login ", "HTTP/1.1 401 Who\r\nWWW-Authenticate: Basic realm=r\r\nContent-Length: 0\r\n\r\n", 0, 0, 0},
    {NULL, NULL, 0, 0, 0},
};

static void redirects_are_followed(void **state UNUSED)
{
    static const struct {
        const char *name, *path, *method, *body;
        unsigned flags;
        int redirects_max, error;
        const char *want, *last;
        unsigned redirects;
    } cases[] = {
        {"GET stays GET", "/to", NULL, NULL, 0, 0, WN_HTTP_OK, "got", "GET /there ", 1},
        {"POST becomes GET (RFC 9110 §15.4.3)", "/to", NULL, "x", 0, 0, WN_HTTP_OK, "got", "GET /there ", 1},
        {"or stays POST", "/to", NULL, "x", WN_HTTP_KEEP_METHOD, 0, WN_HTTP_OK, "put", "\r\n\r\nx", 1},
        {"307 keeps the body (§15.4.8)", "/same", NULL, "body", 0, 0, WN_HTTP_OK, "put", "\r\n\r\nbody", 1},
        {"none is followed", "/to", NULL, NULL, 0, -1, WN_HTTP_OK, "old", "GET /to ", 0},
        {"a loop ends", "/loop", NULL, NULL, 0, 0, WN_HTTP_MANY_REDIRECTS, "", "GET /loop ", 20},
        {"as was asked for", "/loop", NULL, NULL, 0, 2, WN_HTTP_MANY_REDIRECTS, "", "GET /loop ", 2},
        {"Location is none", "/bad", NULL, NULL, 0, 0, WN_HTTP_BAD_REDIRECT, "", "GET /bad ", 0},
        {"another scheme", "/ftp", NULL, NULL, 0, 0, WN_HTTP_UNSUPPORTED, "", "GET /ftp ", 1},
        {"its body without end is not waited for", "/endless", NULL, NULL, 0, 0, WN_HTTP_OK, "got", "GET /there ", 1},
    };
    for (enum kind kind = KERNEL; kind < KINDS; kind++) {
        struct world w;
        open_world(&w, kind, elsewhere);
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
            ask(&w, &seen, (struct wn_http_request){
                .url = url_at(&w, "www.test", cases[i].path), .method = cases[i].method,
                .body = cases[i].body, .body_len = cases[i].body != NULL ? strlen(cases[i].body) : 0,
                .flags = cases[i].flags, .redirects_max = cases[i].redirects_max});
            CHECK_EQUAL(cases[i].name, seen.error, cases[i].error);
            CHECK(cases[i].name, strcmp(seen.body, cases[i].want) == 0);
            CHECK(cases[i].name, asked(&w, cases[i].last));
            CHECK_EQUAL(cases[i].name, seen.result.redirects, cases[i].redirects);
        }
        close_world(&w);
    }
}

/* Credentials and cookies of one origin are not for another (RFC 9110 §15.4, RFC 6265 §5.4). */
static void secrets_stay_at_their_origin(void **state UNUSED)
{
    struct world w;
    static char response[256], to_login[256];
    static struct scripted_answer answers[] = {
        {"GET /other ", response, 0, 0, 0},
        {"GET /other-login ", to_login, 0, 0, 0},
        {"GET /there ", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0, 0, 0},
        {"GET /login ", "HTTP/1.1 401 Who\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n", 0, 0, 0},
        {NULL, NULL, 0, 0, 0},
    };
    const struct wn_http_field fields[] = {{"Authorization", "secret"}, {"cookie", "secret"}, {"X-Y", "z"}, {"Accept", NULL}};
    open_world(&w, STACK, answers);
    (void)snprintf(response, sizeof response, "HTTP/1.1 301 To\r\nSet-Cookie: jar=1\r\nContent-Length: 0\r\n"
                   "Location: //other.test:%u/there\r\n\r\n", scripted_server_port(w.server));
    (void)snprintf(to_login, sizeof to_login, "HTTP/1.1 302 To\r\nContent-Length: 0\r\n"
                   "Location: http://other.test:%u/login\r\n\r\n", scripted_server_port(w.server));
    open_client(&w, (struct wn_http_options){.flags = WN_HTTP_COOKIES});
    ask(&w, &seen, (struct wn_http_request){.url = url_at(&w, "user:pass@www.test", "/other-login")});
    assert_int_equal(seen.status, 401);
    assert_int_equal(scripted_server_requests(w.server), 2); /* there is nothing to try again with */
    struct wn_http_request r = {.url = url_at(&w, "www.test", "/there"), .fields = fields, .field_count = 4};
    ask(&w, &seen, r);
    assert_true(asked(&w, "\r\nAuthorization: secret") && asked(&w, "\r\ncookie: secret"));
    assert_true(asked(&w, "\r\nX-Y: z"));
    assert_false(asked(&w, "\r\nAccept:"));
    r.url = url_at(&w, "www.test", "/other");
    ask(&w, &seen, r);
    assert_string_equal(seen.url, url_at(&w, "other.test", "/there"));
    assert_true(asked(&w, "\r\nX-Y: z"));
    assert_false(asked(&w, "secret"));
    assert_false(asked(&w, "jar=1"));
    r = (struct wn_http_request){.url = url_at(&w, "user:pass@www.test", "/other"), .flags = WN_HTTP_BASIC_FIRST};
    ask(&w, &seen, r);
    assert_false(asked(&w, "\r\nAuthorization:") || asked(&w, "Cookie"));
    get(&w, &seen, "/there");
    assert_true(asked(&w, "\r\nCookie: jar=1\r\n"));
    ask(&w, &seen, (struct wn_http_request){.url = url_at(&w, "www.test", "/there"), .user = "user:pass",
                                            .flags = WN_HTTP_BASIC_FIRST});
    assert_true(asked(&w, "\r\nAuthorization: Basic dXNlcjpwYXNz\r\n"));
    close_world(&w);
}

static void credentials_answer_challenges(void **state UNUSED)
{
    struct world w;
    open_world(&w, STACK, elsewhere);
    ask(&w, &seen, (struct wn_http_request){.url = url_at(&w, "u%40:p@www.test", "/basic")});
    assert_int_equal(seen.status, 401); /* they were given, once */
    assert_true(asked(&w, "\r\nAuthorization: Basic dUA6cA==\r\n"));
    assert_int_equal(scripted_server_requests(w.server), 2);
    ask(&w, &seen, (struct wn_http_request){.url = url_at(&w, "www.test", "/login"), .user = "u:p"});
    assert_true(asked(&w, "\r\nAuthorization: Digest username=\"u\", realm=\"r\", uri=\"/login\""));
    assert_int_equal(scripted_server_requests(w.server), 4);
    get(&w, &seen, "/login");
    assert_int_equal(scripted_server_requests(w.server), 5);
    close_world(&w);
}

/* ---- bodies of requests ---- */

struct source {
    struct wn_http_transfer *transfer;
    const char *text;
    size_t at, step;
    unsigned later, rewinds;
    long fails_with;
    bool cannot_rewind, cancels;
};

static long read_source(void *self, struct wn_http_transfer *t, void *out, size_t size)
{
    struct source *s = self;
    size_t len = strlen(s->text) - s->at;
    s->transfer = t;
    if (s->cancels)
        wn_http_cancel(t);
    if (s->later > 0) {
        s->later--;
        return WN_HTTP_LATER;
    }
    if (len == 0 && s->fails_with != 0)
        return s->fails_with;
    len = len < s->step ? len : s->step;
    len = len < size ? len : size;
    memcpy(out, s->text + s->at, len);
    s->at += len;
    return (long)len;
}

static int rewind_source(void *self, struct wn_http_transfer *t UNUSED)
{
    struct source *s = self;
    s->rewinds++;
    s->at = 0;
    return s->cannot_rewind ? -1 : 0;
}

static const struct scripted_answer taking[] = {
    {"POST /x ", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 0, 0, 0},
    {"POST /401 ", "HTTP/1.1 401 Who\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n", 0, 0, 0},
    {"PUT /x ", "HTTP/1.1 201 OK\r\nContent-Length: 0\r\n\r\n", 0, 0, 0},
    {"POST /late ", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0, 0, 0},
    {NULL, NULL, 0, 0, 0},
};

static void bodies_are_sent(void **state UNUSED)
{
    for (enum kind kind = KERNEL; kind < KINDS; kind++) {
        struct world w;
        static char large[200000];
        memset(large, 'L', sizeof large - 1);
        open_world(&w, kind, taking);
        ask(&w, &seen, (struct wn_http_request){.url = url_at(&w, "www.test", "/x"), .body = "text", .body_len = 4});
        assert_true(asked(&w, "\r\nContent-Length: 4\r\n\r\ntext"));
        ask(&w, &seen, (struct wn_http_request){.url = url_at(&w, "www.test", "/x"), .body = large,
                                                .body_len = sizeof large - 1});
        assert_string_equal(seen.body, "ok");
        assert_string_equal(strstr(scripted_server_last(w.server), "\r\n\r\n") + 4, large);
        ask(&w, &seen, (struct wn_http_request){.url = url_at(&w, "www.test", "/x"), .method = "PUT"});
        assert_true(asked(&w, "\r\nContent-Length: 0\r\n"));
        struct source source = {.text = "piece by piece", .step = 4};
        struct wn_http_request r = {.url = url_at(&w, "www.test", "/x"), .body_len = 14, .read = read_source,
                                    .rewind = rewind_source, .body_self = &source};
        ask(&w, &seen, r);
        assert_true(asked(&w, "\r\nContent-Length: 14\r\n\r\npiece by piece"));
        const struct wn_http_field trailers[] = {{"X-Sum", "1"}, {"X-T", NULL}};
        source.at = 0;
        r.body_len = WN_HTTP_LENGTH_UNKNOWN;
        r.trailers = trailers;
        r.trailer_count = 2;
        ask(&w, &seen, r);
        assert_string_equal(seen.why, "");
        assert_true(asked(&w, "\r\nTransfer-Encoding: chunked\r\n"));
        assert_true(asked(&w, "\r\n4\r\npiec\r\n"));
        assert_true(asked(&w, "\r\n0\r\nX-Sum: 1\r\nX-T: \r\n\r\n"));
        assert_int_equal(source.rewinds, 0);
        source.text = large;
        source.at = 0;
        source.step = 100000;
        r.body_len = sizeof large - 1;
        ask(&w, &seen, r);
        assert_string_equal(strstr(scripted_server_last(w.server), "\r\n\r\n") + 4, large);
        close_world(&w);
    }
}

static void run_for(struct world *w, wn_time time)
{
    (void)wn_loop_run_until(w->loop, wn_loop_now(w->loop) + time);
}

static void bodies_come_late_or_not_at_all(void **state UNUSED)
{
    struct world w;
    open_world(&w, STACK, taking);
    struct source source = {.text = "late", .step = 9, .later = 1};
    struct wn_http_request r = {.size = sizeof r, .url = url_at(&w, "www.test", "/late"), .body_len = 4,
                                .read = read_source, .rewind = rewind_source, .body_self = &source};
    clear(&seen, &w);
    assert_int_equal(wn_http_start(w.http, &r, &calls, &seen, NULL), 0);
    run_for(&w, WN_SECOND);
    assert_int_equal(scripted_server_requests(w.server), 0);
    wn_http_body_ready(source.transfer);
    wait_for(&seen);
    assert_int_equal(seen.error, WN_HTTP_OK);
    assert_true(asked(&w, "\r\n\r\nlate"));
    source = (struct source){.text = "short", .step = 9};
    r.body_len = 6;
    ask(&w, &seen, r);
    assert_int_equal(seen.error, WN_HTTP_BAD_BODY);
    assert_non_null(strstr(seen.why, "expected 1 octets more"));
    source = (struct source){.text = "short", .step = 9, .fails_with = -5};
    r.body_len = WN_HTTP_LENGTH_UNKNOWN;
    ask(&w, &seen, r);
    assert_int_equal(seen.error, WN_HTTP_BAD_BODY);
    /* Credentials want it again. */
    r.url = url_at(&w, "u:p@www.test", "/401");
    source = (struct source){.text = "again", .step = 9};
    ask(&w, &seen, r);
    assert_int_equal(seen.status, 401);
    assert_int_equal(source.rewinds, 1);
    assert_true(asked(&w, "Authorization: Basic") && asked(&w, "again"));
    source = (struct source){.text = "again", .step = 9, .cannot_rewind = true};
    ask(&w, &seen, r);
    assert_int_equal(seen.error, WN_HTTP_BAD_BODY);
    r.rewind = NULL;
    source.at = 0;
    ask(&w, &seen, r);
    assert_int_equal(seen.error, WN_HTTP_BAD_BODY);
    /* It is cancelled in the middle of being read. */
    source = (struct source){.text = "x", .step = 9, .cancels = true};
    clear(&seen, &w);
    assert_int_equal(wn_http_start(w.http, &r, &calls, &seen, NULL), 0);
    run_for(&w, WN_SECOND);
    assert_int_equal(seen.callbacks, 0);
    close_world(&w);
}

/* RFC 9110 §10.1.1. */
static void expectations_are_kept(void **state UNUSED)
{
    static struct scripted_answer answers[] = {
        {"POST /100 ", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", SCRIPTED_EARLY, 0, 0},
        {"POST /no ", "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n", SCRIPTED_EARLY, 0, 0},
        {"POST /silent ", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0, 0, 0},
        {"POST /417 ", "HTTP/1.1 417 What\r\nContent-Length: 0\r\n\r\n", SCRIPTED_EARLY, 0, 0},
        {NULL, NULL, 0, 0, 0},
    };
    struct world w;
    open_world(&w, STACK, answers);
    struct source source = {.text = "body", .step = 9};
    struct wn_http_request r = {.url = url_at(&w, "www.test", "/no"), .body_len = 4, .read = read_source,
                                .body_self = &source, .flags = WN_HTTP_EXPECT};
    ask(&w, &seen, r);
    assert_int_equal(seen.status, 403);
    assert_int_equal(source.at, 0); /* not a single octet */
    assert_true(asked(&w, "\r\nExpect: 100-continue\r\n"));
    r.url = url_at(&w, "www.test", "/silent");
    wn_time before = wn_loop_now(w.loop);
    ask(&w, &seen, r);
    assert_int_equal(seen.status, 200);
    assert_true(asked(&w, "\r\n\r\nbody"));
    assert_true(wn_loop_now(w.loop) - before >= WN_SECOND);
    assert_true(wn_loop_now(w.loop) - before < 2 * WN_SECOND);
    source.at = 0;
    r.url = url_at(&w, "www.test", "/417");
    ask(&w, &seen, r);
    assert_int_equal(seen.status, 417); /* asked for a second time, without it */
    assert_false(asked(&w, "Expect"));
    close_world(&w);
}

/* ---- codings, limits, pauses ---- */

static char packed[100000];

/* `len` octets of "z" in gzip, without the last `cut`, behind a head. Returns how long that is. */
static size_t pack(size_t len, size_t cut)
{
    static uint8_t out[90000];
    char *plain = malloc(len);
    z_stream z = {.next_out = out, .avail_out = sizeof out};
    assert_non_null(plain);
    memset(plain, 'z', len);
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (uint8_t *)plain;
    z.avail_in = (unsigned)len;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    size_t octets = (size_t)z.total_out - cut;
    int head = snprintf(packed, sizeof packed, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
                        "Content-Length: %zu\r\n\r\n", octets);
    memcpy(packed + head, out, octets);
    (void)deflateEnd(&z);
    free(plain);
    return (size_t)head + octets;
}

static void codings_are_undone_within_limits(void **state UNUSED)
{
    static struct scripted_answer answers[] = {
        {"GET /packed ", packed, 0, 0, 1},
        {"GET /garbage ", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nABCD", 0, 0, 0},
        {"GET /empty ", "HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 0\r\n\r\n", 0, 0, 0},
        {"GET /five ", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", 0, 0, 0},
        {NULL, NULL, 0, 0, 0},
    };
    for (enum kind kind = KERNEL; kind < KINDS; kind++) {
        struct world w;
        open_world(&w, kind, answers);
        struct wn_http_request r = {.url = url_at(&w, "www.test", "/packed")};
        answers[0].response_len = pack(50000, 0);
        ask(&w, &seen, r);
        assert_string_equal(seen.why, "");
        assert_int_equal(seen.len, 50000);
        assert_true(asked(&w, "\r\nAccept-Encoding: gzip, br, deflate\r\n"));
        r.flags = WN_HTTP_RAW;
        ask(&w, &seen, r);
        assert_true(seen.len < 1000);
        assert_false(asked(&w, "Accept-Encoding"));
        r.flags = 0;
        answers[0].response_len = pack(50 << 20, 0); /* 50 MiB in 50 KB */
        r.body_max = 1 << 20;
        ask(&w, &seen, r);
        assert_int_equal(seen.error, WN_HTTP_TOO_LARGE);
        assert_true(seen.result.body_len <= 1 << 20);
        answers[0].response_len = pack(50000, 5);
        ask(&w, &seen, r);
        assert_int_equal(seen.error, WN_HTTP_BAD_CONTENT);
        get(&w, &seen, "/garbage");
        assert_int_equal(seen.error, WN_HTTP_BAD_CONTENT);
        get(&w, &seen, "/empty");
        assert_int_equal(seen.error, WN_HTTP_OK);
        static const struct { uint64_t max; int error; size_t len; } limits[] = {
            {5, WN_HTTP_OK, 5}, {4, WN_HTTP_TOO_LARGE, 3}, {2, WN_HTTP_TOO_LARGE, 0}};
        for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
            ask(&w, &seen, (struct wn_http_request){.url = url_at(&w, "www.test", "/five"), .body_max = limits[i].max});
            assert_int_equal(seen.error, limits[i].error);
            assert_int_equal(seen.len, limits[i].len);
        }
        close_world(&w);
    }
}

/* A reader that takes a piece a second holds the server up, and nothing is lost. */
static void a_pause_reaches_the_server(void **state UNUSED)
{
    for (enum kind kind = KERNEL; kind < KINDS; kind++) {
        struct world w;
        open_world(&w, kind, good);
        seen.pauses = true;
        clear(&seen, &w);
        struct wn_http_request r = {.size = sizeof r, .url = url_at(&w, "www.test", "/big"),
                                    .idle_timeout = kind == KERNEL ? 0 : 200 * WN_MILLISECOND};
        assert_int_equal(wn_http_start(w.http, &r, &calls, &seen, &seen.transfer), 0);
        for (int i = 0; i < 100 && seen.len == 0; i++)
            run_for(&w, 100 * WN_MILLISECOND);
        run_for(&w, kind == KERNEL ? 300 * WN_MILLISECOND : 300 * WN_SECOND);
        assert_false(seen.over);
        assert_int_equal(seen.responses, 1);
        assert_true(seen.len > 0 && seen.len <= 256 * 1024);
        CHECK(kinds[kind], scripted_server_sent(w.server) < 8000000);
        for (int i = 0; i < 50; i++) {
            size_t before = seen.len;
            wn_http_resume(seen.transfer);
            run_for(&w, 20 * WN_MILLISECOND);
            assert_true(seen.len > before || i > 0 || kind == KERNEL);
        }
        seen.pauses = false;
        wn_http_resume(seen.transfer);
        wait_for(&seen);
        assert_string_equal(seen.why, "");
        assert_int_equal(seen.result.body_len, 8000000);
        get(&w, &seen, "/one"); /* over the same connection: nothing is left of the one before */
        assert_int_equal(seen.result.reused, 1);
        close_world(&w);
    }
}

/* What is compressed stops in the middle of a piece, and the end waits, too. */
static void a_pause_holds_the_end(void **state UNUSED)
{
    static struct scripted_answer answers[] = {{"GET /packed ", packed, SCRIPTED_CLOSE, 0, 1}, {NULL, NULL, 0, 0, 0}};
    for (enum kind kind = KERNEL; kind < KINDS; kind++) {
        struct world w;
        open_world(&w, kind, answers);
        answers[0].response_len = pack(20 << 20, 0);
        seen.pauses = true;
        clear(&seen, &w);
        struct wn_http_request r = {.size = sizeof r, .url = url_at(&w, "www.test", "/packed")};
        assert_int_equal(wn_http_start(w.http, &r, &calls, &seen, &seen.transfer), 0);
        unsigned pauses = 0;
        for (run_for(&w, 100 * WN_MILLISECOND); !seen.over && pauses < 200; pauses++) {
            size_t before = seen.callbacks;
            run_for(&w, 20 * WN_MILLISECOND);
            assert_int_equal(seen.callbacks, before);
            wn_http_resume(seen.transfer);
            run_for(&w, 20 * WN_MILLISECOND);
        }
        assert_string_equal(seen.why, "");
        assert_true(pauses > 10);
        assert_int_equal(seen.result.body_len, 20 << 20);
        seen.pauses = false;
        close_world(&w);
    }
}

/* ---- servers that are slow, wrong, or not there ---- */

static void slow_and_hostile_servers(void **state UNUSED)
{
    static char many[20000], long_head[40000];
    for (size_t at = 0; at < 30; at++)
        strcat(many, "HTTP/1.1 102 Wait\r\n\r\n");
    strcpy(long_head, "HTTP/1.1 200 OK\r\nX: ");
    memset(long_head + strlen(long_head), 'x', 30000);
    static const struct scripted_answer answers[] = {
        {"GET /silent ", "", 0, 0, 0},
        {"GET /half ", "HTTP/1.1 200 O", 0, 0, 0},
        {"GET /cut-head ", "HTTP/1.1 200 O", SCRIPTED_CLOSE, 0, 0},
        {"GET /cut-body ", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", SCRIPTED_CLOSE, 0, 0},
        {"GET /cut-chunk ", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc", SCRIPTED_CLOSE, 0, 0},
        {"GET /reset ", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", SCRIPTED_RESET, 0, 0},
        {"GET /garbage ", "SSH-2.0-OpenSSH\r\n\r\n", 0, 0, 0},
        {"GET /bad-chunk ", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nabc", 0, 0, 0},
        {"GET /both ", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 0, 0, 0},
        {"GET /switch ", "HTTP/1.1 101 Other\r\nUpgrade: x\r\n\r\n", 0, 0, 0},
        {"GET /many ", many, 0, 0, 0},
        {"GET /long ", long_head, 0, 0, 0},
        {"GET /drip ", "HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n"
                       "0123456789012345678901234567890123456789012345678901234567890123456789", SCRIPTED_SLOW, 0, 0},
        {"GET /two ", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb", 0, 0, 0},
        {NULL, NULL, 0, 0, 0},
    };
    static const struct {
        const char *path;
        wn_time timeout, idle;
        int error;
        wn_time least, most; /* virtual time */
    } cases[] = {
        {"/silent", 0, 0, WN_HTTP_TIMED_OUT, 60 * WN_SECOND, 61 * WN_SECOND},
        {"/silent", 0, 3 * WN_SECOND, WN_HTTP_TIMED_OUT, 3 * WN_SECOND, 4 * WN_SECOND},
        {"/silent", 0, 100 * WN_SECOND, WN_HTTP_TIMED_OUT, 100 * WN_SECOND, 101 * WN_SECOND},
        {"/silent", 5 * WN_SECOND, 0, WN_HTTP_TIMED_OUT, 5 * WN_SECOND, 6 * WN_SECOND},
        {"/half", 0, WN_SECOND, WN_HTTP_TIMED_OUT, WN_SECOND, 2 * WN_SECOND},
        {"/drip", WN_SECOND, WN_SECOND / 2, WN_HTTP_TIMED_OUT, WN_SECOND, 2 * WN_SECOND},
        {"/cut-head", 0, 0, WN_HTTP_BROKEN, 0, WN_SECOND},
        {"/cut-body", 0, 0, WN_HTTP_BROKEN, 0, WN_SECOND},
        {"/cut-chunk", 0, 0, WN_HTTP_BROKEN, 0, WN_SECOND},
        {"/reset", 0, 0, WN_HTTP_BROKEN, 0, WN_SECOND},
        {"/garbage", 0, 0, WN_HTTP_BROKEN, 0, WN_SECOND},
        {"/bad-chunk", 0, 0, WN_HTTP_BROKEN, 0, WN_SECOND},
        {"/both", 0, 0, WN_HTTP_BROKEN, 0, WN_SECOND},
        {"/switch", 0, 0, WN_HTTP_BROKEN, 0, WN_SECOND},
        {"/many", 0, 0, WN_HTTP_BROKEN, 0, WN_SECOND},
        {"/long", 0, 0, WN_HTTP_BROKEN, 0, WN_SECOND},
        {"/two", 0, 0, WN_HTTP_OK, 0, WN_SECOND},
        {"/two", 0, 0, WN_HTTP_OK, 0, WN_SECOND},
    };
    for (enum kind kind = KERNEL; kind < KINDS; kind++) {
        struct world w;
        open_world(&w, kind, answers);
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
            wn_time begun = wn_loop_now(w.loop);
            if (kind == KERNEL && cases[i].least > 2 * WN_SECOND)
                continue;
            ask(&w, &seen, (struct wn_http_request){.url = url_at(&w, "www.test", cases[i].path),
                                                    .timeout = cases[i].timeout, .idle_timeout = cases[i].idle});
            wn_time taken = wn_loop_now(w.loop) - begun;
            CHECK_EQUAL(cases[i].path, seen.error, cases[i].error);
            CHECK(cases[i].path, taken >= cases[i].least || kind == KERNEL);
            CHECK(cases[i].path, taken < cases[i].most || kind == KERNEL);
            CHECK(cases[i].path, strcmp(cases[i].path, "/two") != 0 || seen.len == 1);
        }
        close_world(&w);
    }
}

static void nobody_is_there(void **state UNUSED)
{
    for (enum kind kind = KERNEL; kind <= STACK; kind++) {
        struct world w;
        open_world(&w, kind, good);
        ask(&w, &seen, (struct wn_http_request){.url = kind == KERNEL ? "http://127.0.0.1:1/" : "http://10.0.0.2:1/"});
        assert_int_equal(seen.error, WN_HTTP_NO_CONNECTION);
        assert_int_equal(seen.result.system_error, ECONNREFUSED);
        ask(&w, &seen, (struct wn_http_request){.url = "http://no-such-name.invalid/"});
        assert_int_equal(seen.error, WN_HTTP_NO_NAME);
        assert_non_null(strstr(seen.why, "no-such-name.invalid"));
        close_world(&w);
    }
    struct world w;
    open_world(&w, STACK, good);
    open_client(&w, (struct wn_http_options){.connect_timeout = 2 * WN_SECOND});
    wn_time begun = wn_loop_now(w.loop);
    ask(&w, &seen, (struct wn_http_request){.url = "http://10.0.0.77/"});
    assert_int_equal(seen.error, WN_HTTP_NO_CONNECTION);
    assert_true(wn_loop_now(w.loop) - begun <= 3 * WN_SECOND);
    close_world(&w);
}

static void servers_prove_who_they_are(void **state UNUSED)
{
    static const struct {
        const char *host;
        unsigned flags;
        bool trusts;
        int error;
    } cases[] = {
        {"www.test", 0, true, WN_HTTP_OK},
        {"other.test", 0, true, WN_HTTP_NO_TLS}, /* the certificate is another's */
        {"www.test", 0, false, WN_HTTP_NO_TLS},  /* the host knows no such root */
        {"other.test", WN_HTTP_TRUST_ANYBODY, false, WN_HTTP_OK},
    };
    struct world w;
    open_world(&w, SECURE, good);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        open_client(&w, (struct wn_http_options){
            .flags = cases[i].flags, .trust_file = cases[i].trusts ? NULL : "/etc/ssl/certs/ca-certificates.crt"});
        ask(&w, &seen, (struct wn_http_request){.url = url_at(&w, cases[i].host, "/one")});
        CHECK_EQUAL(cases[i].host, seen.error, cases[i].error);
    }
    ask(&w, &seen, (struct wn_http_request){.url = url_at(&w, "www.test", "/one"), .version = WN_HTTP_2});
    assert_int_equal(seen.error, WN_HTTP_UNSUPPORTED);
    close_world(&w);
}

/* ---- cancelling ---- */

static const struct scripted_answer eventful[] = {
    {"POST /begin ", "HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 307 On\r\nLocation: /on\r\nContent-Length: 2\r\n\r\nno", 0, 0, 0},
    {"POST /on ", "HTTP/1.1 102 Wait\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", SCRIPTED_SLOW, 0, 0},
    {NULL, NULL, 0, 0, 0},
};

/* In each callback, and at each instant. */
static void it_can_be_cancelled_anywhere(void **state UNUSED)
{
    for (enum kind kind = KERNEL; kind < KINDS; kind++) {
        struct world w;
        open_world(&w, kind, eventful);
        struct wn_http_request r = {.size = sizeof r, .url = url_at(&w, "www.test", "/begin"), .body = "body",
                                    .body_len = 4};
        for (seen.cancel_at = 1; ; seen.cancel_at++) {
            ask(&w, &seen, r);
            if (!seen.cancelled)
                break;
            assert_int_equal(seen.callbacks, seen.cancel_at);
        }
        assert_true(seen.cancel_at > 4);
        assert_string_equal(seen.why, "");
        assert_string_equal(seen.body, "abcde");
        seen.cancel_at = 0;
        for (wn_time at = 0; !seen.over || at == 0; at += kind == KERNEL ? 170 * WN_MILLISECOND : WN_MILLISECOND) {
            r.flags = at % (2 * WN_MILLISECOND) == 0 ? WN_HTTP_FRESH : 0;
            clear(&seen, &w);
            assert_int_equal(wn_http_start(w.http, &r, &calls, &seen, &seen.transfer), 0);
            run_for(&w, at);
            if (!seen.over)
                wn_http_cancel(seen.transfer);
        }
        /* The client goes with transfers under way. */
        clear(&seen, &w);
        for (int i = 0; i < 5; i++)
            assert_int_equal(wn_http_start(w.http, &r, &calls, &seen, NULL), 0);
        run_for(&w, 30 * WN_MILLISECOND);
        close_world(&w);
    }
}

static void transfers_are_bounded(void **state UNUSED)
{
    struct world w;
    open_world(&w, STACK, good);
    struct wn_http_request r = {.size = sizeof r, .url = url_at(&w, "www.test", "/one")};
    const struct wn_http_handler nobody = {NULL, NULL, NULL, NULL};
    for (int i = 0; i < WN_HTTP_TRANSFERS_MAX; i++)
        assert_int_equal(wn_http_start(w.http, &r, &nobody, NULL, NULL), 0);
    assert_int_equal(wn_http_start(w.http, &r, &nobody, NULL, NULL), WN_HTTP_TOO_MANY);
    run_for(&w, 10 * WN_SECOND);
    assert_int_equal(scripted_server_requests(w.server), WN_HTTP_TRANSFERS_MAX);
    assert_int_equal(wn_http_start(w.http, &r, &nobody, NULL, NULL), 0);
    close_world(&w);
}

/* ---- waiting ---- */

static void call_waits_in_a_callback(void *self, struct wn_http_transfer *t UNUSED, const struct wn_http_result *r UNUSED)
{
    struct seen *s = self;
    struct wn_http_answer *answer;
    const struct wn_http_request request = {.size = sizeof request, .url = "http://10.0.0.2/"};
    s->error = wn_http_do(s->w->http, &request, &answer);
    assert_null(answer);
    s->over = true;
    wn_loop_stop(s->w->loop);
}

static void calls_may_wait(void **state UNUSED)
{
    for (enum kind kind = KERNEL; kind < KINDS; kind++) {
        struct world w;
        struct wn_http_answer *answer;
        open_world(&w, kind, good);
        struct wn_http_request r = {.size = sizeof r, .url = url_at(&w, "www.test", "/one")};
        assert_int_equal(wn_http_do(w.http, &r, &answer), 0);
        assert_string_equal(answer->body, "hello");
        assert_int_equal(answer->body_len, 5);
        assert_int_equal(answer->result.response->status, 200);
        assert_string_equal(wn_http_field(answer->result.response, "content-type"), "text/x");
        wn_http_answer_free(answer);
        r.url = url_at(&w, "www.test", "/big");
        assert_int_equal(wn_http_do(w.http, &r, &answer), 0);
        assert_int_equal(answer->body_len, 8000000);
        assert_int_equal(strspn(answer->body, "0"), 8000000);
        wn_http_answer_free(answer);
        r.body_max = 1000;
        assert_int_equal(wn_http_do(w.http, &r, &answer), WN_HTTP_TOO_LARGE);
        assert_string_equal(answer->result.why, wn_http_why(w.http));
        wn_http_answer_free(answer);
        r.url = "gopher://x/";
        assert_int_equal(wn_http_do(w.http, &r, &answer), WN_HTTP_UNSUPPORTED);
        wn_http_answer_free(answer);
        clear(&seen, &w);
        r = (struct wn_http_request){.size = sizeof r, .url = url_at(&w, "www.test", "/one")};
        const struct wn_http_handler waits = {.on_end = call_waits_in_a_callback};
        assert_int_equal(wn_http_start(w.http, &r, &waits, &seen, NULL), 0);
        wait_for(&seen);
        assert_int_equal(seen.error, WN_HTTP_BAD_OPTION);
        close_world(&w);
    }
}

/* wn_http_get() has a loop of its own: another process is the server. */
static void one_call_is_enough(void **state UNUSED)
{
    struct world w;
    struct wn_http_answer *answer;
    assert_int_equal(wn_http_get("http://127.0.0.1:1/", 0, WN_SECOND, &answer), WN_HTTP_NO_CONNECTION);
    assert_non_null(strstr(answer->result.why, "127.0.0.1"));
    assert_string_equal(answer->body, "");
    wn_http_answer_free(answer);
    open_world(&w, KERNEL, good);
    char *url = url_at(&w, "127.0.0.1", "/one");
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        bool good_answer = wn_http_get(url, 0, 10 * WN_SECOND, &answer) == 0 && strcmp(answer->body, "hello") == 0;
        bool bounded = wn_http_get(url, 4, 10 * WN_SECOND, &answer) == WN_HTTP_TOO_LARGE;
        (void)!write(ends[1], good_answer && bounded ? "y" : "n", 1);
        _exit(0);
    }
    char said = '?';
    struct pollfd told = {.fd = ends[0], .events = POLLIN};
    for (int i = 0; i < 1000 && poll(&told, 1, 0) == 0; i++)
        run_for(&w, 20 * WN_MILLISECOND);
    assert_int_equal(read(ends[0], &said, 1), 1);
    assert_int_equal(said, 'y');
    assert_int_equal(waitpid(child, NULL, 0), child);
    close(ends[0]);
    close(ends[1]);
    close_world(&w);
}

/* ---- names, cookies, proxies ---- */

/* A name server that knows one address for every name (RFC 1035 §4.1). */
static void answer_names(void *self UNUSED, const struct wn_event *event)
{
    uint8_t octets[600];
    struct wn_endpoint from;
    long len;
    if (event->kind != WN_EVENT_UDP)
        return;
    while ((len = wn_udp_receive(event->udp, octets, 512, &from)) >= 12) {
        size_t end = 12;
        while (octets[end] != 0)
            end += octets[end] + 1u;
        bool a = octets[end + 2] == 1;
        octets[2] |= 0x80;
        octets[7] = a;
        memset(octets + 8, 0, 4);
        memcpy(octets + end + 5, "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x0a\0\0\2", 16);
        assert_int_equal(wn_udp_send(event->udp, &from, octets, end + 5 + (a ? 16 : 0)), 0);
    }
}

static void answer_nothing(void *self UNUSED, const struct wn_event *event UNUSED)
{
}

static void names_are_found_over_a_stack(void **state UNUSED)
{
    struct world w;
    struct wn_udp *udp;
    struct wn_endpoint own;
    open_world(&w, STACK, good);
    assert_int_equal(wn_endpoint_parse("10.0.0.2:53", &own), 0);
    wn_stack_on_event(w.b, answer_names, NULL);
    assert_int_equal(wn_udp_open(w.b, &own, 0, NULL, &udp), 0);
    struct wn_sockets_options options = {.size = sizeof options};
    struct wn_sockets *sockets = wn_sockets_new(w.a, &options);
    struct wn_resolver_options conf = {.size = sizeof conf, .resolv_conf = "nameserver 10.0.0.2\n"};
    struct wn_resolver *resolver = wn_resolver_new(sockets, &conf);
    assert_non_null(resolver);
    open_client(&w, (struct wn_http_options){.resolver = resolver});
    ask(&w, &seen, (struct wn_http_request){.url = url_at(&w, "found.example", "/one")});
    assert_string_equal(seen.why, "");
    assert_string_equal(seen.body, "hello");
    /* Given up while it is looked for; and nobody answers any more. */
    struct wn_http_request r = {.size = sizeof r, .url = url_at(&w, "other.example", "/one")};
    clear(&seen, &w);
    assert_int_equal(wn_http_start(w.http, &r, &calls, &seen, &seen.transfer), 0);
    run_for(&w, 2 * WN_MILLISECOND);
    wn_http_cancel(seen.transfer);
    run_for(&w, WN_SECOND); /* the answer comes, and finds nobody */
    wn_stack_on_event(w.b, answer_nothing, NULL);
    open_client(&w, (struct wn_http_options){.resolver = resolver, .connect_timeout = 3 * WN_SECOND});
    wn_time begun = wn_loop_now(w.loop);
    ask(&w, &seen, r);
    assert_int_equal(seen.error, WN_HTTP_NO_NAME);
    assert_true(wn_loop_now(w.loop) - begun <= 3 * WN_SECOND + WN_MILLISECOND);
    assert_int_equal(wn_http_start(w.http, &r, &calls, &seen, NULL), 0);
    run_for(&w, WN_MILLISECOND);
    wn_http_free(w.http);
    w.http = NULL;
    wn_resolver_free(resolver);
    wn_sockets_free(sockets);
    close_world(&w);
}

static void cookies_are_kept(void **state UNUSED)
{
    static const struct scripted_answer answers[] = {
        {"GET /give ", "HTTP/1.1 200 OK\r\nSet-Cookie: a=1; Max-Age=99\r\nSet-Cookie: b=2\r\nContent-Length: 0\r\n\r\n", 0, 0, 0},
        {"GET /have ", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0, 0, 0},
        {NULL, NULL, 0, 0, 0},
    };
    struct world w;
    char path[] = "/tmp/wn-cookies-XXXXXX";
    assert_true(close(mkstemp(path)) == 0);
    open_world(&w, STACK, answers);
    get(&w, &seen, "/give");
    get(&w, &seen, "/have");
    assert_false(asked(&w, "Cookie")); /* not asked for */
    open_client(&w, (struct wn_http_options){.flags = WN_HTTP_COOKIES});
    get(&w, &seen, "/give");
    get(&w, &seen, "/have");
    assert_true(asked(&w, "\r\nCookie: a=1; b=2\r\n"));
    assert_int_equal(wn_http_save_cookies(w.http, path), 0);
    open_client(&w, (struct wn_http_options){.flags = 0});
    assert_int_equal(wn_http_load_cookies(w.http, path), 0);
    get(&w, &seen, "/have");
    assert_true(asked(&w, "\r\nCookie: a=1; b=2\r\n"));
    assert_int_equal(wn_http_load_cookies(w.http, "/nonexistent/jar"), -ENOENT);
    assert_non_null(strstr(wn_http_why(w.http), "/nonexistent/jar"));
    assert_int_equal(wn_http_save_cookies(w.http, "/nonexistent/jar"), -ENOENT);
    close_world(&w);
    unlink(path);
}

static void a_proxy_is_asked_in_its_form(void **state UNUSED)
{
    static const struct scripted_answer answers[] = {
        {"GET http://far.example/x HTTP/1.1\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nfar", 0, 0, 0},
        {"CONNECT far.example:443 HTTP/1.1\r\n", "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n", 0, 0, 0},
        {NULL, NULL, 0, 0, 0},
    };
    struct world w;
    char proxy[64];
    open_world(&w, STACK, answers);
    (void)snprintf(proxy, sizeof proxy, "http://u:p@www.test:%u", scripted_server_port(w.server));
    open_client(&w, (struct wn_http_options){.proxy = proxy});
    ask(&w, &seen, (struct wn_http_request){.url = "http://far.example/x"});
    assert_string_equal(seen.body, "far");
    assert_true(asked(&w, "\r\nHost: far.example\r\n") && asked(&w, "\r\nProxy-Authorization: Basic dTpw\r\n"));
    ask(&w, &seen, (struct wn_http_request){.url = "https://far.example/x"});
    assert_int_equal(seen.error, WN_HTTP_NO_TUNNEL);
    assert_false(asked(&w, "User-Agent"));
    open_client(&w, (struct wn_http_options){.flags = WN_HTTP_PROXY_ENVIRONMENT});
    setenv("http_proxy", proxy, 1);
    ask(&w, &seen, (struct wn_http_request){.url = "http://far.example/x"});
    assert_string_equal(seen.body, "far");
    setenv("no_proxy", "far.example", 1);
    ask(&w, &seen, (struct wn_http_request){.url = "http://far.example/x"});
    assert_int_equal(seen.error, WN_HTTP_NO_NAME);
    unsetenv("http_proxy");
    unsetenv("no_proxy");
    close_world(&w);
}

/* ---- what cannot be ---- */

static void what_cannot_be(void **state UNUSED)
{
    static const struct wn_http_field host[] = {{"Host", "x"}}, split[] = {{"X", "a\r\nY: b"}}, token[] = {{"X Y", "a"}};
    static char long_url[9000] = "http://www.test/";
    memset(long_url + 16, 'a', sizeof long_url - 17);
    static const struct wn_http_request cases[] = {
        {.url = NULL}, {.url = ""}, {.url = "/x"}, {.url = "http://"}, {.url = long_url}, {.url = "http://x/", .method = "G T"},
        {.url = "http://x/", .method = "CONNECT"}, {.url = "http://x/", .fields = host, .field_count = 1},
        {.url = "http://x/", .fields = split, .field_count = 1}, {.url = "http://x/", .fields = token, .field_count = 1},
        {.url = "http://x/", .body_len = 4}, {.url = "http://x/", .timeout = -1},
        {.url = "http://x/", .body = "", .body_len = WN_HTTP_LENGTH_UNKNOWN},
        {.url = "http://x/", .flags = WN_HTTP_HTTPS_ONLY}, {.url = "http://x/", .version = (enum wn_http_version)9},
    };
    struct world w;
    char why[200];
    struct wn_http *none = NULL;
    open_world(&w, STACK, good);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct wn_http_request r = cases[i];
        r.size = sizeof r;
        CHECK_EQUAL("request", wn_http_start(w.http, &r, &calls, NULL, NULL), WN_HTTP_BAD_OPTION);
        assert_true(strlen(wn_http_why(w.http)) > 10);
    }
    struct wn_http_request r = {.url = "http://x/"};
    assert_int_equal(wn_http_start(w.http, &r, &calls, NULL, NULL), WN_HTTP_BAD_OPTION);
    struct wn_http_options o = {.size = sizeof o, .why = why, .why_size = sizeof why};
    assert_int_equal(wn_http_new(w.loop, &o, &none), WN_HTTP_BAD_OPTION); /* virtual, without a stack */
    assert_non_null(strstr(why, "virtual"));
    o.stack = w.a;
    o.trust_file = "/nonexistent";
    assert_int_equal(wn_http_new(w.loop, &o, &none), WN_HTTP_BAD_OPTION);
    assert_non_null(strstr(why, "/nonexistent"));
    o.trust_file = NULL;
    o.proxy = "ftp://x";
    assert_int_equal(wn_http_new(w.loop, &o, &none), WN_HTTP_BAD_OPTION);
    o = (struct wn_http_options){.size = 1};
    assert_int_equal(wn_http_new(w.loop, &o, &none), WN_HTTP_BAD_OPTION);
    assert_null(none);
    wn_http_free(NULL);
    wn_http_cancel(NULL);
    wn_http_answer_free(NULL);
    close_world(&w);
    for (int error = 0; error >= WN_HTTP_STOPPED; error--)
        assert_true(strcmp(wn_http_error_text(error), "an unknown error") != 0);
    assert_string_equal(wn_http_error_text(1), "an unknown error");
    assert_string_equal(wn_http_error_text(WN_HTTP_STOPPED - 1), "an unknown error");
}

static void urls_are_resolved(void **state UNUSED)
{
    char out[WN_HTTP_URL_MAX];
    assert_int_equal(wn_http_url("http://A.test/b/c?d", "../e f#g", out, sizeof out), 0);
    assert_string_equal(out, "http://a.test/e%20f");
    assert_int_equal(wn_http_url(NULL, "HTTPS://u:p@x.test:443", out, sizeof out), 0);
    assert_string_equal(out, "https://x.test/");
    assert_int_equal(wn_http_url(NULL, "x", out, sizeof out), -EINVAL);
    assert_int_equal(wn_http_url(NULL, "http://x/", out, 9), -ENAMETOOLONG);
    assert_int_equal(wn_http_url(NULL, "http://x/", out, 10), 0);
    assert_int_equal(wn_http_url_encode("a b/\xff", 5, out, 12), 0);
    assert_string_equal(out, "a%20b%2F%FF");
    assert_int_equal(wn_http_url_encode("a b/\xff", 5, out, 11), -ENAMETOOLONG);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_told),
        cmocka_unit_test(redirects_are_followed),
        cmocka_unit_test(secrets_stay_at_their_origin),
        cmocka_unit_test(credentials_answer_challenges),
        cmocka_unit_test(bodies_are_sent),
        cmocka_unit_test(bodies_come_late_or_not_at_all),
        cmocka_unit_test(expectations_are_kept),
        cmocka_unit_test(codings_are_undone_within_limits),
        cmocka_unit_test(a_pause_reaches_the_server),
        cmocka_unit_test(a_pause_holds_the_end),
        cmocka_unit_test(slow_and_hostile_servers),
        cmocka_unit_test(nobody_is_there),
        cmocka_unit_test(servers_prove_who_they_are),
        cmocka_unit_test(it_can_be_cancelled_anywhere),
        cmocka_unit_test(transfers_are_bounded),
        cmocka_unit_test(calls_may_wait),
        cmocka_unit_test(one_call_is_enough),
        cmocka_unit_test(names_are_found_over_a_stack),
        cmocka_unit_test(cookies_are_kept),
        cmocka_unit_test(a_proxy_is_asked_in_its_form),
        cmocka_unit_test(what_cannot_be),
        cmocka_unit_test(urls_are_resolved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
