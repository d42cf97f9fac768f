/* SPDX-License-Identifier: ISC */
/* web_fixture.c - see web_fixture.h. */
#include "tests/support/web_fixture.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Of an exchange; a virtual second passes in no time. */
static usec patience(const struct web_fixture *f)
{
    return (loop_is_virtual(f->loop) ? 600 : 5) * USEC_PER_SEC;
}

static size_t on_status(void *self, char *out, size_t size)
{
    struct web_fixture *f = self;
    size_t len = strlen(f->status);
    ASSERT(len <= size);
    memcpy(out, f->status, len);
    return len;
}

static void on_request(void *self, const struct web_request *request)
{
    struct web_fixture *f = self;
    size_t len = strlen(f->log);
    snprintf(f->log + len, sizeof f->log - len, "%s %s %u;", request->method, request->target,
             request->status);
}

static void open_world(struct web_fixture *f, struct endpoint *listen)
{
    if (f->kind != NULL) {
        net_world_open(&f->world, f->kind, f->seed);
        f->loop = f->world.loop;
        f->net = f->world.server;
        f->client = f->world.client;
        *listen = (struct endpoint){f->world.address, 80};
        return;
    }
    f->loop = loop_new();
    ASSERT(f->loop != NULL);
    f->net = net_kernel_new(f->loop);
    ASSERT(f->net != NULL);
    f->client = f->net;
    bool good = endpoint_parse(bytes_of_text("127.0.0.1:0"), listen);
    ASSERT(good);
}

void web_fixture_start(struct web_fixture *f, const struct web_options *options)
{
    struct web_options actual = options != NULL ? *options : (struct web_options){0};
    open_world(f, &actual.listen);
    actual.server_name = "www.home.arpa";
    actual.domain = "home.arpa";
    actual.root = f->root;
    actual.on_request = on_request;
    actual.on_request_self = f;
    static struct web_config config;
    if (actual.config != NULL) {
        config = *actual.config;
        config.listens[0].at = actual.listen;
        config.listen_count = 1;
        actual.config = &config;
    }
    if (f->status[0] != '\0')
        actual.site = (struct web_site){on_status, f};
    int status = web_new(f->net, &actual, &f->web);
    ASSERT(status == 0);
    f->at = web_local(f->web);
}

static int remove_one(const char *path, const struct stat *facts UNUSED, int kind UNUSED,
                      struct FTW *place UNUSED)
{
    return remove(path);
}

void web_fixture_stop(struct web_fixture *f)
{
    web_free(f->web);
    if (f->kind != NULL) {
        net_world_run(&f->world, 120 * USEC_PER_SEC);
        net_world_close(&f->world);
    } else {
        (void)loop_run_until(f->loop, loop_now(f->loop) + 1000);
        net_free(f->net);
        loop_free(f->loop);
    }
    if (f->root != NULL)
        (void)nftw(f->root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(f->root);
}

void web_fixture_make_root(struct web_fixture *f)
{
    char path[] = "/tmp/wholenet-test-XXXXXX";
    ASSERT(mkdtemp(path) != NULL);
    f->root = strdup(path);
}

void web_fixture_add_file(struct web_fixture *f, const char *name, const char *content, size_t len)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", f->root, name);
    for (char *slash = strchr(path + strlen(f->root) + 1, '/'); slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(path, 0700);
        *slash = '/';
    }
    FILE *file = fopen(path, "wb");
    ASSERT(file != NULL);
    for (size_t i = 0; i < len; i++)
        (void)fputc(content != NULL ? content[i] : 'a' + (int)(i % 10), file);
    ASSERT(fclose(file) == 0);
    const time_t before = time(NULL) - 60; /* a file that has just changed has a weak tag for a moment */
    const struct timespec times[2] = {{before, 1}, {before, 1}};
    ASSERT(utimensat(AT_FDCWD, path, times, 0) == 0);
}

/* ---- a client with the HTTP machine ---- */

struct fetch {
    struct loop *loop;
    struct stream *stream;
    struct http_client core;
    struct bytes body; /* of the request, still to go */
    struct fetched *out;
    size_t body_size;
    bool done;
};

static void finish(struct fetch *fetch)
{
    fetch->done = true;
    loop_stop(fetch->loop);
}

static void push(struct fetch *fetch)
{
    struct http_client *c = &fetch->core;
    for (;;) {
        fetch->body = bytes_after(fetch->body, http_client_body(c, fetch->body));
        struct bytes out = http_client_output(c);
        size_t sent = out.len > 0 ? stream_send(fetch->stream, out) : 0;
        http_client_sent(c, sent);
        if (sent == 0)
            return;
    }
}

static void hear(struct fetch *fetch, const struct http_client_event *event)
{
    struct fetched *out = fetch->out;
    switch (event->kind) {
    case HTTP_CLIENT_NO_EVENT:
    case HTTP_CLIENT_INTERIM:
    case HTTP_CLIENT_SWITCHED:
        break;
    case HTTP_CLIENT_HEAD:
        out->status = event->head.status;
        for (size_t i = 0; i < event->head.fields.count; i++) {
            const struct http_field *field = &event->head.fields.list[i];
            size_t len = strlen(out->fields);
            snprintf(out->fields + len, sizeof out->fields - len, "%.*s: %.*s\n",
                     (int)field->name.len, (const char *)field->name.data, (int)field->value.len,
                     (const char *)field->value.data);
        }
        break;
    case HTTP_CLIENT_BODY:
        while (out->body_len + event->data.len >= fetch->body_size) {
            fetch->body_size *= 2;
            out->body = realloc(out->body, fetch->body_size);
            ASSERT(out->body != NULL);
        }
        memcpy(out->body + out->body_len, event->data.data, event->data.len);
        out->body_len += event->data.len;
        out->body[out->body_len] = '\0';
        break;
    case HTTP_CLIENT_END:
        out->reusable = http_client_reusable(&fetch->core);
        finish(fetch);
        break;
    case HTTP_CLIENT_FAILED:
        out->status = 0;
        finish(fetch);
        break;
    }
}

static size_t on_bytes(void *self, struct stream *stream UNUSED, struct bytes in)
{
    struct fetch *fetch = self;
    struct http_client_event event;
    size_t total = 0;
    size_t used;
    do {
        used = http_client_input(&fetch->core, bytes_after(in, total), loop_now(fetch->loop),
                                 &event);
        total += used;
        hear(fetch, &event);
    } while (!fetch->done && (used > 0 || event.kind != HTTP_CLIENT_NO_EVENT));
    return total;
}

static void on_open(void *self, struct stream *stream UNUSED)
{
    push(self);
}

static void on_end(void *self, struct stream *stream)
{
    struct fetch *fetch = self;
    http_client_end(&fetch->core, loop_now(fetch->loop));
    (void)on_bytes(self, stream, bytes_empty());
}

static void on_closed(void *self, struct stream *stream UNUSED, int error UNUSED)
{
    struct fetch *fetch = self;
    fetch->stream = NULL;
    if (!fetch->done) {
        fetch->out->status = 0;
        finish(fetch);
    }
}

static const struct stream_handler handler = {
    .on_open = on_open,
    .on_bytes = on_bytes,
    .on_end = on_end,
    .on_room = on_open,
    .on_closed = on_closed,
};

static size_t split_fields(const char *text, struct http_field *fields, size_t max)
{
    size_t count = 0;
    struct bytes rest = bytes_of_text(text != NULL ? text : "");
    while (rest.len > 0 && count < max) {
        struct bytes line = bytes_first(rest, bytes_find(rest, '\n'));
        size_t colon = bytes_find(line, ':');
        fields[count].name = bytes_first(line, colon);
        fields[count++].value = bytes_after(line, colon + 2);
        rest = bytes_after(rest, line.len + 1);
    }
    return count;
}

struct fetched web_fetch(struct web_fixture *f, const char *method, const char *target,
                         const char *fields, const char *body)
{
    static struct fetch fetch;
    struct http_field list[16];
    struct fetched out = {.body = calloc(1, 4096)};
    fetch = (struct fetch){.loop = f->loop, .out = &out, .body_size = 4096};
    fetch.body = bytes_of_text(body != NULL ? body : "");
    struct http_request request = {.method = method,
                                   .target = bytes_of_text(target),
                                   .host = "www.home.arpa",
                                   .fields = list,
                                   .field_count = split_fields(fields, list, 16),
                                   .has_body = body != NULL,
                                   .body_len = fetch.body.len};
    http_client_init(&fetch.core, UINT64_MAX, loop_now(f->loop));
    bool written = http_client_request(&fetch.core, &request, loop_now(f->loop));
    ASSERT(written);
    int status = net_connect(f->client, &f->at, NULL, &handler, &fetch, &fetch.stream);
    ASSERT(status == 0);
    (void)loop_run_until(f->loop, loop_now(f->loop) + patience(f));
    if (!fetch.done)
        out.status = 0;
    if (fetch.stream != NULL)
        stream_close(fetch.stream);
    (void)loop_run_until(f->loop, loop_now(f->loop));
    return out;
}

/* ---- a client with nothing ---- */

struct converse {
    struct loop *loop;
    struct stream *stream;
    struct bytes text;
    bool end;
    char *out;
    size_t len;
};

static void talk(void *self, struct stream *stream)
{
    struct converse *c = self;
    c->text = bytes_after(c->text, stream_send(stream, c->text));
    if (c->end && c->text.len == 0)
        stream_finish(stream);
}

static size_t listen_to(void *self, struct stream *stream UNUSED, struct bytes in)
{
    struct converse *c = self;
    c->out = realloc(c->out, c->len + in.len + 1);
    ASSERT(c->out != NULL);
    memcpy(c->out + c->len, in.data, in.len);
    c->len += in.len;
    c->out[c->len] = '\0';
    return in.len;
}

static void hang_up(void *self, struct stream *stream)
{
    struct converse *c = self;
    stream_close(stream);
    c->stream = NULL;
    loop_stop(c->loop);
}

static void hung_up(void *self, struct stream *stream UNUSED, int error UNUSED)
{
    struct converse *c = self;
    c->stream = NULL;
    loop_stop(c->loop);
}

static const struct stream_handler converse_handler = {
    .on_open = talk,
    .on_bytes = listen_to,
    .on_end = hang_up,
    .on_room = talk,
    .on_closed = hung_up,
};

char *web_converse(struct web_fixture *f, const char *text, bool end)
{
    static struct converse c;
    c = (struct converse){
        .loop = f->loop, .text = bytes_of_text(text), .end = end, .out = calloc(1, 1)};
    int status = net_connect(f->client, &f->at, NULL, &converse_handler, &c, &c.stream);
    ASSERT(status == 0);
    (void)loop_run_until(f->loop, loop_now(f->loop) + patience(f));
    if (c.stream != NULL)
        stream_abort(c.stream);
    (void)loop_run_until(f->loop, loop_now(f->loop));
    return c.out;
}
