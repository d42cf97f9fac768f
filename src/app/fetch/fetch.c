/* SPDX-License-Identifier: ISC */
/*
 * fetch.c - requests, and the connection that each gets (RFC 9112 §9.3, RFC 9113 §9.1): one that is kept for
 * the same server, one of HTTP/2 that others use, or a new one; another when a kept one turns out to be
 * closed (RFC 9112 §9.3.1). While one is being opened that may turn out to be of HTTP/2, other requests to
 * the same origin wait for it.
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
    while (!list_empty(&fetcher->busy))
        fetch_connection_free(
            CONTAINER_OF(list_first(&fetcher->busy), struct fetch_connection, node));
    free(fetcher);
}

/* ---- the end of a fetch ---- */

/* Lets go of its connection. */
static void detach(struct fetch *fetch)
{
    struct fetch_connection *c = fetch->connection;
    if (c == NULL)
        return;
    if (c->state == FETCH_READY) {
        c->carrier->abandon(fetch);
        return;
    }
    fetch_wake_waiting(fetch->fetcher, c->key, false);
    fetch_connection_free(c);
}

static void release(struct fetch *fetch)
{
    detach(fetch);
    loop_unqueue(&fetch->start);
    loop_unqueue(&fetch->go_on);
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
    detach(fetch);
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

void fetch_switched(struct fetch *fetch, const struct http_response_head *head, struct stream *stream)
{
    fetch->outcome.result = FETCH_OK;
    fetch->outcome.reason = "";
    fetch->outcome.status = head->status;
    fetch->outcome.times.first = fetch->outcome.times.ended = loop_look(fetch->fetcher->loop);
    fetch->handler->on_switched(fetch->self, &fetch->outcome, head, stream);
    release(fetch);
}

/* ---- which connection ---- */

static struct fetch_connection *find_in(struct list_node *list, const char *key)
{
    for (struct list_node *n = list->previous; n != list; n = n->previous) {
        struct fetch_connection *c = CONTAINER_OF(n, struct fetch_connection, node);
        if (c->state == FETCH_READY && strcmp(c->key, key) == 0 && c->carrier->accepts(c))
            return c;
    }
    return NULL;
}

static bool is_being_opened(const struct fetcher *fetcher, const char *key)
{
    for (const struct list_node *n = fetcher->busy.next; n != &fetcher->busy; n = n->next) {
        const struct fetch_connection *c = CONTAINER_OF(n, struct fetch_connection, node);
        if (c->state != FETCH_READY && strcmp(c->key, key) == 0 &&
            !c->fetch->request->fresh)
            return true;
    }
    return false;
}

void fetch_wake_waiting(struct fetcher *fetcher, const char *key, bool many)
{
    for (struct list_node *n = fetcher->fetches.next; n != &fetcher->fetches; n = n->next) {
        struct fetch *fetch = CONTAINER_OF(n, struct fetch, node);
        if (!fetch->waiting || strcmp(fetch->key, key) != 0)
            continue;
        fetch->waiting = false;
        fetch->alone = !many;
        loop_queue(fetcher->loop, &fetch->start);
    }
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

void fetch_restart(struct fetch *fetch)
{
    fetch->again++;
    loop_queue(fetch->fetcher->loop, &fetch->start);
}

void fetch_lost(struct fetch *fetch, enum http_client_failure failure, int error)
{
    /* The server closed a connection that it had kept for long enough, while our request was on its
     * way. */
    bool stale = fetch->outcome.reused && !fetch->started && fetch->again < FETCH_AGAIN_MAX &&
                 failure == HTTP_CLIENT_CUT_OFF && is_idempotent(fetch->request->method);
    if (stale) {
        fetch->stale = true;
        fetch_restart(fetch);
        return;
    }
    fetch->outcome.failure = failure;
    fetch->outcome.error = error;
    fetch_finish(fetch, FETCH_BROKEN, "%s: %s%s%s", fetch->request->url->host,
                 http_client_failure_text(failure), error != 0 ? ": " : "",
                 error != 0 ? strerror(error) : "");
}

void fetch_refused(struct fetch *fetch, const char *why)
{
    if (!fetch->started && fetch->again < FETCH_AGAIN_MAX) {
        fetch_restart(fetch);
        return;
    }
    fetch->outcome.failure = HTTP_CLIENT_CUT_OFF;
    fetch_finish(fetch, FETCH_BROKEN, "%s: %s", fetch->request->url->host, why);
}

void fetch_take_head(struct fetch *fetch, const struct http_response_head *head,
                     const struct http_framing *framing)
{
    fetch->started = true;
    if (fetch->outcome.times.first == 0)
        fetch->outcome.times.first = loop_look(fetch->fetcher->loop);
    if (head->status >= 200)
        fetch->outcome.status = head->status;
    fetch->handler->on_head(fetch->self, fetch, head, framing);
}

bool fetch_may_be_http2(const struct fetch *fetch)
{
    const struct fetch_request *r = fetch->request;
    if (fetch_is_forwarded(r) || fetch->only_http1)
        return false;
    return r->version == FETCH_HTTP_2 ||
           (r->version == FETCH_HTTP_ANY && strcmp(r->url->scheme, "https") == 0);
}

static void make_key(struct fetch *fetch)
{
    const struct fetch_request *r = fetch->request;
    struct text t = text_of(fetch->key, sizeof fetch->key);
    text_add(&t, fetch_may_be_http2(fetch) ? "2 " : "1 ");
    if (r->proxy != NULL)
        text_add_format(&t, "%s:%u ", r->proxy->host, r->proxy->port);
    if (!fetch_is_forwarded(r))
        text_add_format(&t, "%s %s:%u", r->url->scheme, r->url->host, r->url->port);
    ASSERT(!t.failed);
}

static bool speaks(const struct fetcher *fetcher, const struct fetch_request *r)
{
    const char *scheme = r->url->scheme;
    if (strcmp(scheme, "http") == 0 || (strcmp(scheme, "ws") == 0 && r->upgrade != NULL))
        return true;
    return fetcher->options.tls != NULL &&
           (strcmp(scheme, "https") == 0 || (strcmp(scheme, "wss") == 0 && r->upgrade != NULL));
}

static void start(struct task *task)
{
    struct fetch *fetch = CONTAINER_OF(task, struct fetch, start);
    struct fetcher *fetcher = fetch->fetcher;
    const struct fetch_request *r = fetch->request;
    if (fetch->outcome.times.begun == 0)
        fetch->outcome.times.begun = loop_look(fetcher->loop);
    if (!speaks(fetcher, r)) {
        fetch_finish(fetch, FETCH_UNSUPPORTED, "there is nothing here that speaks \"%s\"",
                     r->url->scheme);
        return;
    }
    make_key(fetch);
    /* When one was lost, others that were kept are likely to be as old. */
    struct fetch_connection *c = NULL;
    if (!r->fresh && !fetch->stale)
        c = find_in(&fetcher->kept, fetch->key);
    if (!r->fresh && c == NULL)
        c = find_in(&fetcher->busy, fetch->key);
    if (c != NULL)
        fetch_connection_use(c, fetch);
    else if (!r->fresh && !fetch->alone && fetch_may_be_http2(fetch) &&
             is_being_opened(fetcher, fetch->key))
        fetch->waiting = true;
    else
        fetch_connection_open(fetch);
}

/* What carries its request; NULL: nothing yet, or no more. */
static const struct fetch_carrier *carrier_of(const struct fetch *fetch)
{
    return fetch->connection != NULL ? fetch->connection->carrier : NULL;
}

static void go_on(struct task *task)
{
    struct fetch *fetch = CONTAINER_OF(task, struct fetch, go_on);
    const struct fetch_carrier *carrier = carrier_of(fetch);
    if (!fetch->paused && carrier != NULL && carrier->resume != NULL)
        carrier->resume(fetch);
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
    task_init(&fetch->start, start);
    task_init(&fetch->go_on, go_on);
    loop_queue(fetcher->loop, &fetch->start);
    return fetch;
}

size_t fetch_body(struct fetch *fetch, struct bytes in)
{
    const struct fetch_carrier *carrier = carrier_of(fetch);
    size_t taken = carrier != NULL ? carrier->body(fetch, in) : 0;
    if (taken > 0)
        fetch->started = true;
    return taken;
}

bool fetch_body_end(struct fetch *fetch)
{
    const struct fetch_carrier *carrier = carrier_of(fetch);
    return carrier != NULL && carrier->body_end(fetch);
}

void fetch_pause(struct fetch *fetch)
{
    fetch->paused = true;
}

void fetch_resume(struct fetch *fetch)
{
    if (!fetch->paused)
        return;
    fetch->paused = false;
    loop_queue(fetch->fetcher->loop, &fetch->go_on);
}

bool fetch_is_http2(const struct fetch *fetch)
{
    return fetch->outcome.http2;
}

const struct fetch_outcome *fetch_so_far(struct fetch *fetch)
{
    fetch->outcome.reason = "";
    fetch->outcome.times.ended = loop_look(fetch->fetcher->loop);
    return &fetch->outcome;
}
