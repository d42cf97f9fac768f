/* SPDX-License-Identifier: ISC */
/*
 * proxy_origin.c - connections to origins: the request out, the response into the cache as far as that
 * has room, and then waiting for the next request.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/proxy/proxy_internal.h"

static const struct stream_handler origin_handler;

struct proxy_origin *proxy_origin_new(struct proxy *proxy, struct stream *stream,
                                      const struct proxy_place *place)
{
    struct proxy_origin *origin = calloc(1, sizeof *origin);
    if (origin == NULL) {
        stream_abort(stream);
        return NULL;
    }
    origin->proxy = proxy;
    origin->stream = stream;
    origin->place = *place;
    origin->place.server = NULL;
    proxy_place_set(&origin->place, place->server);
    list_init(&origin->node);
    http_client_init(&origin->core, UINT64_MAX, proxy_now(proxy));
    http_client_set_timeout(&origin->core, proxy->options.answer_timeout);
    stream_set_handler(stream, &origin_handler, origin);
    if (place->server != NULL)
        place->server->connections++;
    return origin;
}

static void stop_waiting(struct proxy_origin *origin)
{
    if (origin->waits)
        origin->proxy->counters.origins_idle--;
    origin->waits = false;
    list_remove(&origin->node);
}

static void forget(struct proxy_origin *origin)
{
    stop_waiting(origin);
    if (origin->place.server != NULL)
        origin->place.server->connections--;
    proxy_place_set(&origin->place, NULL);
    free(origin);
}

void proxy_origin_close(struct proxy_origin *origin)
{
    ASSERT(origin->job == NULL);
    stream_abort(origin->stream);
    forget(origin);
}

/* ---- those that wait ---- */

static bool same_place(const struct proxy_place *a, const struct proxy_place *b)
{
    return a->port == b->port && a->tls == b->tls && a->parent == b->parent &&
           a->server == b->server && strcmp(a->host, b->host) == 0;
}

/* The one that was used last: the others may close. */
struct proxy_origin *proxy_origin_find(struct proxy *proxy, const struct proxy_place *place,
                                       bool trusted)
{
    for (struct list_node *node = proxy->idle.previous; node != &proxy->idle;
         node = node->previous) {
        struct proxy_origin *origin = CONTAINER_OF(node, struct proxy_origin, node);
        if (same_place(&origin->place, place) && (trusted || !origin->confined))
            return origin;
    }
    return NULL;
}

static void keep(struct proxy_origin *origin)
{
    struct proxy *proxy = origin->proxy;
    list_remove(&origin->node);
    origin->waits = true;
    list_append(&proxy->idle, &origin->node);
    stream_set_deadline(origin->stream, proxy_now(proxy) + PROXY_ORIGIN_IDLE);
    if (++proxy->counters.origins_idle > PROXY_IDLE_ORIGINS_MAX)
        proxy_origin_close(CONTAINER_OF(list_first(&proxy->idle), struct proxy_origin, node));
}

/* ---- the request ---- */

void proxy_origin_flush(struct proxy_origin *origin)
{
    struct bytes out;
    while ((out = http_client_output(&origin->core)).len > 0) {
        size_t sent = stream_send(origin->stream, out);
        if (sent == 0)
            break;
        http_client_sent(&origin->core, sent);
        http_client_wait(&origin->core, proxy_now(origin->proxy));
    }
    stream_set_deadline(origin->stream, http_client_deadline(&origin->core));
}

/* Lets go of the job; says whether the connection was used before it. */
static bool drop_job(struct proxy_origin *origin)
{
    bool used = origin->used > 1;
    origin->job->origin = NULL;
    origin->job = NULL;
    return used;
}

void proxy_origin_carry(struct proxy_origin *origin, struct proxy_job *job)
{
    struct proxy *proxy = origin->proxy;
    stop_waiting(origin);
    list_append(&proxy->busy, &origin->node);
    origin->job = job;
    job->origin = origin;
    origin->used++;
    origin->trailers = writer_of(origin->trailers_block, sizeof origin->trailers_block);
    http_client_keep_trailers(&origin->core, &origin->trailers);
    if (!proxy_job_send(job, origin)) {
        (void)drop_job(origin);
        proxy_origin_close(origin);
        proxy_job_fail(job, "the request has too many fields, or too long ones");
        return;
    }
    proxy_origin_flush(origin);
    if (job->caller != NULL)
        job->caller->ops->room(job->caller); /* its content may come now */
}

size_t proxy_origin_room(const struct proxy_origin *origin)
{
    size_t room = sizeof origin->core.output - http_client_output(&origin->core).len;
    return room > PROXY_BODY_ROOM ? room - PROXY_BODY_ROOM / 2 : 0;
}

/* ---- the response ---- */

/* The connection is of no more use. */
static void broken(struct proxy_origin *origin, const char *why, bool timed_out)
{
    struct proxy_job *job = origin->job;
    bool used = false;
    if (job != NULL) {
        used = drop_job(origin);
        job->timed_out = timed_out;
        if (!used)
            proxy_job_health(&origin->place, false);
    }
    proxy_origin_close(origin);
    if (job != NULL)
        proxy_job_broken(job, why, used);
}

static uint64_t length_of(const struct http_client_event *event, const struct proxy_origin *origin)
{
    struct bytes value;
    uint64_t length;
    switch (event->framing.kind) {
    case HTTP_FRAMING_LENGTH:
        return event->framing.length;
    case HTTP_FRAMING_NONE:
        if (!origin->core.head_only)
            return 0;
        return http_field_find(&event->head.fields, "Content-Length", &value) &&
                       http_number(value, INT64_MAX, &length)
                   ? length
                   : HTTP_CACHE_LENGTH_UNKNOWN;
    case HTTP_FRAMING_CHUNKED:
    case HTTP_FRAMING_UNTIL_CLOSE:
        break;
    }
    return HTTP_CACHE_LENGTH_UNKNOWN;
}

/* False: the job, and this connection with it, is over for now. */
static bool take_head(struct proxy_origin *origin, const struct http_client_event *event)
{
    struct proxy_job *job = origin->job;
    struct proxy *proxy = origin->proxy;
    if (job->fill == NULL) { /* a parent that refuses a tunnel */
        char why[64];
        snprintf(why, sizeof why, "no tunnel: status %u", event->head.status);
        (void)drop_job(origin);
        proxy_origin_close(origin);
        proxy_job_fail(job, why);
        return false;
    }
    job->head_seen = true;
    if (job->caller != NULL && origin->place.server != NULL)
        job->caller->answered_by = origin->place.server->id;
    if (origin->confined)
        http_cache_fill_confine(job->fill);
    proxy_job_health(&origin->place, event->head.status != 502 && event->head.status != 503);
    struct http_cache_response response = {.status = event->head.status,
                                           .fields = &event->head.fields,
                                           .length = length_of(event, origin)};
    enum http_cache_step step = http_cache_fill_head(job->fill, &response, proxy_time(proxy));
    proxy_stir(proxy);
    if (step != HTTP_CACHE_AGAIN)
        return true;
    (void)drop_job(origin);
    proxy_origin_close(origin);
    proxy_job_again(job);
    return false;
}

/* Trailers go on but for what must not be one (RFC 9110 §6.5.1). */
static struct bytes trailers_of(const struct proxy_origin *origin)
{
    static const char *const barred[] = {"\nContent-Length:", "\nTransfer-Encoding:", "\nHost:",
                                         "\nCache-Control:", "\nContent-", "\nSet-Cookie:",
                                         "\nAuthorization:", "\nTrailer:", "\nConnection:",
                                         "\nVary:", "\nAge:", "\nExpires:", "\nDate:"};
    struct bytes lines = writer_bytes(&origin->trailers);
    if (origin->trailers.failed)
        return bytes_empty();
    for (size_t i = 0; i + 1 < lines.len; i++) {
        for (size_t k = 0; k < ARRAY_LEN(barred); k++) {
            size_t len = strlen(barred[k]) - 1;
            if ((i == 0 || lines.data[i - 1] == '\n') &&
                bytes_equal_nocase(bytes_first(bytes_after(lines, i), len),
                                   bytes_of(barred[k] + 1, len)))
                return bytes_empty();
        }
    }
    return lines;
}

static void take_end(struct proxy_origin *origin)
{
    struct proxy_job *job = origin->job;
    struct proxy *proxy = origin->proxy;
    http_cache_fill_end(job->fill, trailers_of(origin));
    (void)drop_job(origin);
    proxy_job_free(job);
    if (http_client_reusable(&origin->core) && !origin->ended)
        keep(origin);
    else
        proxy_origin_close(origin);
    proxy_stir(proxy);
}

/* What follows is not HTTP: who asked for that has the connection. */
static void take_switch(struct proxy_origin *origin, const struct http_response_head *head)
{
    struct proxy_job *job = origin->job;
    struct proxy_caller *caller = job->caller;
    struct proxy *proxy = origin->proxy;
    struct stream *stream = origin->stream;
    struct http_cache_fill *fill = job->fill;
    if (caller == NULL) {
        broken(origin, "nobody to switch for", false);
        return;
    }
    (void)drop_job(origin);
    proxy_job_free(job);
    forget(origin);
    if (fill != NULL) {
        if (caller->asked)
            http_cache_ask_done(&caller->ask);
        caller->asked = false;
        http_cache_fill_fail(fill, proxy_time(proxy));
        proxy_stir(proxy);
    }
    caller->ops->switched(caller, stream, fill != NULL ? head : NULL);
}

/* One event. False: the connection is not to be read on. */
static bool act(struct proxy_origin *origin, const struct http_client_event *event)
{
    switch (event->kind) {
    case HTTP_CLIENT_NO_EVENT:
        break;
    case HTTP_CLIENT_INTERIM:
        if (origin->job->caller != NULL)
            origin->job->caller->ops->interim(origin->job->caller, &event->head);
        break;
    case HTTP_CLIENT_HEAD:
        return take_head(origin, event);
    case HTTP_CLIENT_BODY:
        (void)http_cache_fill_body(origin->job->fill, event->data);
        origin->proxy->counters.octets_in += event->data.len;
        proxy_stir(origin->proxy);
        break;
    case HTTP_CLIENT_END:
        take_end(origin);
        return false;
    case HTTP_CLIENT_SWITCHED:
        take_switch(origin, &event->head);
        return false;
    case HTTP_CLIENT_FAILED:
        broken(origin, http_client_failure_text(event->failure),
               event->failure == HTTP_CLIENT_TIMED_OUT);
        return false;
    }
    return true;
}

/* Reads as much of `in` as there is room for. *alive: the connection is still there, and the job too. */
static size_t read_on(struct proxy_origin *origin, struct bytes in, bool *alive)
{
    struct http_client_event *event = &origin->proxy->origin_event;
    size_t used = 0;
    for (;;) {
        struct bytes rest = bytes_after(in, used);
        if (origin->job->head_seen)
            rest = bytes_first(rest, http_cache_fill_room(origin->job->fill));
        size_t step = http_client_input(&origin->core, rest, proxy_now(origin->proxy), event);
        bool told = event->kind != HTTP_CLIENT_NO_EVENT;
        used += step;
        *alive = act(origin, event);
        if (!*alive || (step == 0 && !told))
            return used;
    }
}

/* The origin's FIN counts when all before it has been read. */
static void finish_reading(struct proxy_origin *origin)
{
    bool alive;
    http_client_end(&origin->core, proxy_now(origin->proxy));
    (void)read_on(origin, bytes_empty(), &alive);
}

static size_t on_bytes(void *self, struct stream *stream UNUSED, struct bytes in)
{
    struct proxy_origin *origin = self;
    if (origin->job == NULL) { /* an answer to nothing */
        proxy_origin_close(origin);
        return in.len;
    }
    bool alive;
    size_t used = read_on(origin, in, &alive);
    if (!alive)
        return used;
    origin->unread = in.len - used;
    if (origin->ended && origin->unread == 0)
        finish_reading(origin);
    return used;
}

static void on_end(void *self, struct stream *stream UNUSED)
{
    struct proxy_origin *origin = self;
    origin->ended = true;
    if (origin->job == NULL) {
        proxy_origin_close(origin);
        return;
    }
    if (origin->unread == 0)
        finish_reading(origin);
}

static void on_room(void *self, struct stream *stream UNUSED)
{
    struct proxy_origin *origin = self;
    proxy_origin_flush(origin);
    if (origin->job != NULL && origin->job->caller != NULL)
        origin->job->caller->ops->room(origin->job->caller);
}

static void on_closed(void *self, struct stream *stream, int error)
{
    struct proxy_origin *origin = self;
    struct proxy_job *job = origin->job;
    char why[300];
    const char *said = tls_stream_error(stream);
    snprintf(why, sizeof why, "%s",
             said[0] != '\0' ? said : error != 0 ? strerror(error) : "the connection was closed");
    bool used = job != NULL && drop_job(origin);
    forget(origin);
    if (job != NULL)
        proxy_job_broken(job, why, used);
}

static void on_deadline(void *self, struct stream *stream UNUSED)
{
    struct proxy_origin *origin = self;
    if (origin->job == NULL) {
        proxy_origin_close(origin);
        return;
    }
    bool alive;
    http_client_tick(&origin->core, proxy_now(origin->proxy));
    (void)read_on(origin, bytes_empty(), &alive);
}

static const struct stream_handler origin_handler = {.on_bytes = on_bytes,
                                                     .on_end = on_end,
                                                     .on_room = on_room,
                                                     .on_closed = on_closed,
                                                     .on_deadline = on_deadline};
