/* SPDX-License-Identifier: ISC */
/*
 * fetch.c - requests, and the connection that each gets (RFC 9112 §9.3): one that is kept for the same
 * server, or a new one; another, once, when a kept one turns out to be closed (§9.3.1).
 */
#include "app/fetch/fetch.h"

#include <errno.h>
#include <stdlib.h>

#include "app/fetch/internal.h"

struct fetcher *fetcher_new(const struct fetcher_options *options)
{
    struct fetcher *fetcher = calloc(1, sizeof *fetcher);
    if (fetcher == NULL)
        return NULL;
    fetcher->options = *options;
    if (fetcher->options.connect_timeout == 0)
        fetcher->options.connect_timeout = FETCH_CONNECT_TIMEOUT;
    fetcher->loop = net_loop(options->net);
    list_init(&fetcher->kept);
    list_init(&fetcher->busy);
    list_init(&fetcher->fetches);
    return fetcher;
}

void fetcher_free(struct fetcher *fetcher)
{
    if (fetcher == NULL)
        return;
    while (!list_empty(&fetcher->fetches))
        fetch_cancel(CONTAINER_OF(list_first(&fetcher->fetches), struct fetch, node));
    while (!list_empty(&fetcher->kept))
        fetch_connection_free(
            CONTAINER_OF(list_first(&fetcher->kept), struct fetch_connection, node));
    free(fetcher);
}

/* ---- the end of a fetch ---- */

static void release(struct fetch *fetch)
{
    if (fetch->connection != NULL)
        fetch_connection_free(fetch->connection);
    loop_unqueue(&fetch->start);
    list_remove(&fetch->node);
    free(fetch);
}

void fetch_finish(struct fetch *fetch, enum fetch_result result, const char *format, ...)
{
    struct text t = text_of(fetch->reason, sizeof fetch->reason);
    va_list arguments;
    va_start(arguments, format);
    text_add_format_list(&t, format, arguments);
    va_end(arguments);
    fetch->outcome.result = result;
    fetch->outcome.reason = fetch->reason;
    fetch->outcome.times.ended = loop_look(fetch->fetcher->loop);
    fetch->handler->on_end(fetch->self, fetch, &fetch->outcome);
    release(fetch);
}

void fetch_cancel(struct fetch *fetch)
{
    release(fetch);
}

/* ---- connections that are kept ---- */

static void keep(struct fetch_connection *c)
{
    struct fetcher *fetcher = c->fetcher;
    c->fetch = NULL;
    list_remove(&c->node);
    list_append(&fetcher->kept, &c->node);
    fetcher->kept_count++;
    stream_set_deadline(c->stream, loop_now(fetcher->loop) + FETCH_KEEP_TIMEOUT);
    if (fetcher->kept_count > FETCH_KEPT_MAX)
        fetch_connection_free(
            CONTAINER_OF(list_first(&fetcher->kept), struct fetch_connection, node));
}

static struct fetch_connection *find_kept(struct fetcher *fetcher, const char *key)
{
    for (struct list_node *n = fetcher->kept.previous; n != &fetcher->kept; n = n->previous) {
        struct fetch_connection *c = CONTAINER_OF(n, struct fetch_connection, node);
        if (strcmp(c->key, key) == 0)
            return c;
    }
    return NULL;
}

void fetch_complete(struct fetch *fetch)
{
    struct fetch_connection *c = fetch->connection;
    fetch->outcome.octets_in = c->octets_in;
    fetch->outcome.octets_out = c->octets_out;
    fetch->outcome.body_refused = !http_client_body_complete(&c->http);
    fetch->connection = NULL;
    if (http_client_reusable(&c->http) && !fetch->request->close && c->surplus == 0)
        keep(c);
    else
        fetch_connection_free(c);
    fetch_finish(fetch, FETCH_OK, "%s", "");
}

/* ---- requests ---- */

/* RFC 9110 §9.2.2 */
static bool is_idempotent(const char *method)
{
    static const char *const methods[] = {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"};
    for (size_t i = 0; i < ARRAY_LEN(methods); i++)
        if (strcmp(method, methods[i]) == 0)
            return true;
    return false;
}

void fetch_lost(struct fetch *fetch, enum http_client_failure failure, int error)
{
    /* The server closed a connection that it had kept for long enough, while our request was on its
     * way. */
    bool stale = fetch->outcome.reused && !fetch->started && !fetch->again &&
                 failure == HTTP_CLIENT_CUT_OFF && is_idempotent(fetch->request->method);
    if (stale) {
        fetch->again = true;
        (void)fetch_connection_open(fetch);
        return;
    }
    fetch->outcome.failure = failure;
    fetch->outcome.error = error;
    fetch_finish(fetch, FETCH_BROKEN, "%s: %s%s%s", fetch->request->url->host,
                 http_client_failure_text(failure), error != 0 ? ": " : "",
                 error != 0 ? strerror(error) : "");
}

static void start(struct task *task)
{
    struct fetch *fetch = CONTAINER_OF(task, struct fetch, start);
    const struct fetch_request *r = fetch->request;
    fetch->outcome.times.begun = loop_look(fetch->fetcher->loop);
    bool secure = strcmp(r->url->scheme, "https") == 0 && fetch->fetcher->options.tls != NULL;
    if (!secure && strcmp(r->url->scheme, "http") != 0) {
        fetch_finish(fetch, FETCH_UNSUPPORTED, "there is nothing here that speaks \"%s\"",
                     r->url->scheme);
        return;
    }
    struct fetch_connection *kept = r->fresh ? NULL : find_kept(fetch->fetcher, fetch->key);
    if (kept == NULL) {
        (void)fetch_connection_open(fetch);
        return;
    }
    kept->octets_in = 0;
    kept->octets_out = 0;
    fetch->fetcher->kept_count--;
    fetch_connection_use(kept, fetch);
}

static void make_key(struct fetch *fetch)
{
    const struct fetch_request *r = fetch->request;
    struct text t = text_of(fetch->key, sizeof fetch->key);
    bool forwarded = r->proxy != NULL && strcmp(r->url->scheme, "http") == 0;
    if (r->proxy != NULL)
        text_add_format(&t, "%s:%u ", r->proxy->host, r->proxy->port);
    if (!forwarded)
        text_add_format(&t, "%s %s:%u", r->url->scheme, r->url->host, r->url->port);
    ASSERT(!t.failed);
}

struct fetch *fetch_start(struct fetcher *fetcher, const struct fetch_request *request,
                          const struct fetch_handler *handler, void *self)
{
    struct fetch *fetch = calloc(1, sizeof *fetch);
    if (fetch == NULL)
        return NULL;
    fetch->fetcher = fetcher;
    fetch->request = request;
    fetch->handler = handler;
    fetch->self = self;
    list_init(&fetch->node);
    list_append(&fetcher->fetches, &fetch->node);
    make_key(fetch);
    task_init(&fetch->start, start);
    loop_queue(fetcher->loop, &fetch->start);
    return fetch;
}

size_t fetch_body(struct fetch *fetch, struct bytes in)
{
    size_t taken = http_client_body(&fetch->connection->http, in);
    if (taken > 0)
        fetch->started = true;
    fetch_connection_flush(fetch->connection);
    return taken;
}

bool fetch_body_end(struct fetch *fetch)
{
    bool done = http_client_body_end(&fetch->connection->http, bytes_empty());
    fetch_connection_flush(fetch->connection);
    return done;
}
