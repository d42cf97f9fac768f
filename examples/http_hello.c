/* SPDX-License-Identifier: ISC */
/*
 * http_hello.c - an HTTP server in a program: it greets, echoes what is posted to /echo, and ends when /end is asked
 * for.
 *
 *      cc http_hello.c $(pkg-config --cflags --libs wholenet-http) && ./a.out 127.0.0.1:8080 [CERTIFICATE KEY]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wholenet/http_server.h>

enum { BODY_MAX = 65536 };

/* What is kept with a call. */
struct visit {
    int is_last;
    size_t len;
    char body[BODY_MAX];
};

static void on_request(void *self, struct wn_http_call *call, const struct wn_http_server_request *request)
{
    static const struct wn_http_field text[] = {{"Content-Type", "text/plain"}};
    struct visit *visit = calloc(1, sizeof *visit);
    (void)self;
    printf("%s %s\n", request->method, request->target);
    fflush(stdout);
    wn_http_call_set_user(call, visit);
    if (visit == NULL) {
        wn_http_call_reply(call, 503, NULL, 0, NULL, 0);
    } else if (strcmp(request->target, "/echo") == 0) {
        if (wn_http_call_take_body(call, BODY_MAX) != 0)
            printf("that was too much\n");
    } else {
        visit->is_last = strcmp(request->target, "/end") == 0;
        wn_http_call_reply(call, 200, text, 1, "hello\n", 6);
    }
}

static void on_body(void *self, struct wn_http_call *call, const void *data, size_t len)
{
    struct visit *visit = wn_http_call_user(call);
    (void)self;
    memcpy(visit->body + visit->len, data, len);
    visit->len += len;
}

static void on_body_end(void *self, struct wn_http_call *call, int whole)
{
    const struct visit *visit = wn_http_call_user(call);
    (void)self;
    if (whole)
        wn_http_call_reply(call, 200, NULL, 0, visit->body, visit->len);
}

static void on_done(void *self, struct wn_http_call *call, int whole)
{
    struct visit *visit = wn_http_call_user(call);
    (void)whole;
    if (visit != NULL && visit->is_last)
        wn_loop_stop(self);
    free(visit);
}

int main(int argc, char **argv)
{
    static const struct wn_http_server_handler calls = {on_request, on_body, on_body_end, NULL, on_done};
    struct wn_http_server_options options;
    struct wn_http_server *server;
    struct wn_endpoint local;
    char why[256] = "no memory", address[WN_ENDPOINT_TEXT_SIZE];
    if (argc < 2 || wn_endpoint_parse(argv[1], &local) != 0)
        return fprintf(stderr, "usage: http_hello ADDRESS:PORT [CERTIFICATE KEY]\n"), 2;
    memset(&options, 0, sizeof options);
    options.size = sizeof options;
    options.certificate = argc > 2 ? argv[2] : NULL;
    options.key = argc > 3 ? argv[3] : NULL;
    options.why = why;
    options.why_size = sizeof why;
    struct wn_loop *loop = wn_loop_new();
    if (loop == NULL || wn_http_server_new(loop, &options, &calls, loop, &server) != 0)
        return fprintf(stderr, "%s\n", why), 1;
    int error = wn_http_server_listen(server, &local);
    if (error < 0)
        return fprintf(stderr, "%s: %s\n", argv[1], strerror(-error)), 1;
    printf("listening at %s\n", wn_endpoint_text(&local, address));
    fflush(stdout);
    wn_loop_run(loop);
    wn_http_server_free(server);
    wn_loop_free(loop);
    return 0;
}
