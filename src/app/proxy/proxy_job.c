/* SPDX-License-Identifier: ISC */
/*
 * proxy_job.c - a request on its way to an origin: which server it is for, a connection to it (one that
 * waits, or a new one), and once more when a connection breaks before anything was answered (RFC 9110
 * §9.2.2, RFC 9112 §9.3.1).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/proxy/proxy_internal.h"

static void complain(struct proxy_job *job, const char *why)
{
    text_add_format(&job->tried, "%s%s:%u: %s", job->tried.len > 0 ? "\n" : "", job->place.host,
                    (unsigned)job->place.port, why);
}

/* ---- servers ---- */

void proxy_place_set(struct proxy_place *place, struct upstream_server *server)
{
    if (server != NULL)
        upstream_hold(server->upstream);
    if (place->server != NULL)
        upstream_release(place->server->upstream);
    place->server = server;
}

void proxy_job_health(const struct proxy_place *place, bool good)
{
    if (place->server != NULL)
        upstream_report(place->server, good);
}

static void place_server(struct proxy_job *job)
{
    struct proxy *proxy = job->proxy;
    struct proxy_place *place = &job->place;
    uint64_t wished = job->caller != NULL ? job->caller->wished : 0;
    struct upstream_server *server =
        upstream_choose(proxy->upstream, job->tag, wished, job->tried_servers);
    job->tried_servers |= upstream_bit(server);
    memcpy(place->host, server->place.host, sizeof place->host);
    place->port = server->place.port;
    place->tls = server->place.tls;
    place->parent = !proxy->options.reverse;
    proxy_place_set(place, server);
}

/* Where the request goes. False: its host's name is too long for one. */
static bool find_place(struct proxy_job *job)
{
    struct http_cache_forward *forward;
    struct uri_parts parts;
    struct bytes host;
    uint16_t port = 0;
    if (job->proxy->upstream != NULL) {
        place_server(job);
        return true;
    }
    if (job->fill == NULL)
        return true; /* CONNECT says itself */
    if (job->caller != NULL && job->caller->to.port != 0) { /* it was on its way there */
        address_format(&job->caller->to.address, job->place.host);
        job->place.port = job->caller->to.port;
        job->place.tls = false;
        proxy_place_set(&job->place, NULL);
        return true;
    }
    uint8_t scratch[HTTP_CACHE_SCRATCH];
    struct writer w = writer_of(scratch, sizeof scratch);
    forward = malloc(sizeof *forward);
    if (forward == NULL)
        return false;
    http_cache_fill_request(job->fill, &w, forward);
    uri_split(forward->uri, &parts);
    bool good = uri_authority_parse(parts.authority, &host, &port) && host.len < PROXY_NAME_MAX;
    if (good) {
        memcpy(job->place.host, host.data, host.len);
        job->place.host[host.len] = '\0';
        job->place.tls = bytes_equal(parts.scheme, bytes_of_text("https"));
        job->place.port = port != 0 ? port : job->place.tls ? 443 : 80;
        proxy_place_set(&job->place, NULL);
    }
    free(forward);
    return good;
}

/* ---- connecting ---- */

static void carry(struct proxy_job *job, struct proxy_origin *origin)
{
    loop_clear_alarm(job->proxy->loop, &job->alarm);
    proxy_origin_carry(origin, job);
}

/* A stream that is open, for whatever the job is about. */
static void opened(struct proxy_job *job, struct stream *stream)
{
    struct proxy *proxy = job->proxy;
    proxy->counters.origin_connections++;
    if (job->fill == NULL && !job->place.parent) {
        struct proxy_caller *caller = job->caller;
        proxy_job_free(job);
        caller->ops->switched(caller, stream, NULL);
        return;
    }
    struct endpoint peer = stream_peer(stream);
    struct proxy_origin *origin = proxy_origin_new(proxy, stream, &job->place);
    if (origin == NULL) {
        proxy_job_fail(job, "no memory");
        return;
    }
    origin->confined = job->place.server == NULL && proxy_is_loopback(&peer.address);
    carry(job, origin);
}

static void on_secured(void *self, struct stream *stream)
{
    struct proxy_job *job = self;
    job->securing = NULL;
    opened(job, stream);
}

static void on_not_secured(void *self, struct stream *stream, int error)
{
    struct proxy_job *job = self;
    char why[300];
    const char *said = tls_stream_error(stream);
    snprintf(why, sizeof why, "TLS: %s", said[0] != '\0' ? said : strerror(error));
    job->securing = NULL;
    proxy_job_health(&job->place, false);
    proxy_job_broken(job, why, false);
}

static const struct stream_handler securing_handler = {.on_open = on_secured,
                                                       .on_closed = on_not_secured};

static void on_connected(void *self, struct stream *stream, const struct endpoint *to UNUSED)
{
    struct proxy_job *job = self;
    if (!job->place.tls) {
        opened(job, stream);
        return;
    }
    int status = job->proxy->options.tls_client == NULL
                     ? -EPROTONOSUPPORT
                     : tls_connect(job->proxy->options.tls_client, stream, job->place.host,
                                   &securing_handler, job, &job->securing);
    if (status < 0) {
        stream_close(stream);
        proxy_job_fail(job, strerror(-status));
    }
}

static void on_not_connected(void *self, int error, const struct endpoint *to UNUSED)
{
    struct proxy_job *job = self;
    job->timed_out = error == ETIMEDOUT;
    proxy_job_health(&job->place, false);
    proxy_job_broken(job, strerror(error), false);
}

static const struct dial_handler dial_handler = {.on_connected = on_connected,
                                                 .on_failed = on_not_connected};

/* What listens on this host's own loopback is not for clients from elsewhere to name; nor what is of use on its
 * links alone, such as the services that tell a machine of a cloud its secrets. */
static bool may_reach(const struct proxy_job *job, const struct ip_address *address)
{
    return job->trusted || job->place.server != NULL ||
           (!proxy_is_loopback(address) && !address_is_link_local(address));
}

static void connect_to(struct proxy_job *job, const struct host_answer *answer)
{
    struct endpoint to[LOOKUP_ADDRESSES_MAX];
    size_t count = 0;
    if (answer->count == 0) {
        proxy_job_health(&job->place, false);
        proxy_job_broken(job, answer->error, false);
        return;
    }
    for (size_t i = 0; i < answer->count; i++)
        if (may_reach(job, &answer->addresses[i]))
            to[count++] = (struct endpoint){answer->addresses[i], job->place.port};
    if (count == 0) {
        job->denied = true;
        proxy_job_fail(job, "it is the proxy's own host or link, which others may not ask for");
        return;
    }
    dial_start(&job->dial, job->proxy->options.outside, to, count,
               proxy_now(job->proxy) + job->proxy->options.connect_timeout, &dial_handler, job);
}

static void on_answer(void *self, const struct host_answer *answer)
{
    struct proxy_job *job = self;
    job->question = NULL;
    connect_to(job, answer);
}

static void on_late(struct alarm *alarm)
{
    struct proxy_job *job = CONTAINER_OF(alarm, struct proxy_job, alarm);
    job->timed_out = true;
    proxy_job_health(&job->place, false);
    proxy_job_fail(job, "no connection in time");
}

/* ---- its life ---- */

struct proxy_job *proxy_job_new(struct proxy *proxy, struct http_cache_fill *fill,
                                struct proxy_caller *caller)
{
    struct proxy_job *job = calloc(1, sizeof *job);
    if (job == NULL) {
        if (fill != NULL)
            http_cache_fill_fail(fill, proxy_time(proxy));
        proxy_stir(proxy);
        return NULL;
    }
    job->proxy = proxy;
    job->fill = fill;
    job->caller = caller;
    job->tried = text_of(job->tried_text, sizeof job->tried_text);
    alarm_init(&job->alarm, on_late);
    list_append(&proxy->jobs, &job->node);
    if (caller != NULL)
        caller->job = job;
    if (fill != NULL) {
        http_cache_fill_set_owner(fill, job);
        job->trusted = http_cache_fill_trusted(fill);
    } else {
        job->trusted = proxy_is_loopback(&caller->peer.address);
    }
    return job;
}

/* RFC 9110 §9.2.2 */
static bool is_repeatable(struct bytes method)
{
    static const char *const known[] = {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"};
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (bytes_equal(method, bytes_of_text(known[i])))
            return true;
    return false;
}

void proxy_job_describe(struct proxy_job *job, struct bytes method, struct bytes uri,
                        const struct proxy_content *content)
{
    job->repeatable = is_repeatable(method);
    job->tag = 2166136261u;
    for (size_t i = 0; i < uri.len; i++)
        job->tag = (job->tag ^ uri.data[i]) * 16777619u;
    if (content == NULL)
        return;
    job->has_body = content->has_body;
    job->body_len = content->body_len;
    size_t len = content->upgrade.len < sizeof job->upgrade ? content->upgrade.len
                                                            : sizeof job->upgrade - 1;
    for (size_t i = 0; i < len; i++)
        job->upgrade[i] = content->upgrade.data[i] > ' ' && content->upgrade.data[i] < 0x7f
                              ? (char)content->upgrade.data[i]
                              : '?';
}

void proxy_caller_leave(struct proxy_caller *caller, bool content_whole)
{
    struct proxy *proxy = caller->proxy;
    struct proxy_job *job = caller->job;
    struct http_cache_fill *fill = job != NULL ? job->fill : NULL;
    caller->job = NULL;
    if (job != NULL)
        job->caller = NULL;
    /* Content that will not come whole must not look as if it had; and nobody opens a tunnel for. */
    if (job != NULL && (fill == NULL || (job->has_body && !content_whole))) {
        proxy_job_free(job);
        if (fill != NULL)
            http_cache_fill_fail(fill, proxy_time(proxy));
    }
}

void proxy_job_start(struct proxy_job *job)
{
    struct proxy *proxy = job->proxy;
    struct host_answer answer;
    if (!find_place(job)) {
        proxy_job_fail(job, "the host's name is none");
        return;
    }
    job->tries++;
    struct proxy_origin *origin =
        job->fill != NULL ? proxy_origin_find(proxy, &job->place, job->trusted) : NULL;
    if (origin != NULL) {
        carry(job, origin);
        return;
    }
    loop_set_alarm(proxy->loop, &job->alarm, proxy_now(proxy) + proxy->options.connect_timeout +
                                                 USEC_PER_SEC);
    if (host_lookup_ask(proxy->lookup, job->place.host, on_answer, job, &answer, &job->question))
        connect_to(job, &answer);
    else if (job->question == NULL)
        proxy_job_fail(job, "too many names are being looked up");
}

/* Lets go of what is on the way to a connection. */
static void stop_connecting(struct proxy_job *job)
{
    host_lookup_cancel(job->question);
    job->question = NULL;
    dial_cancel(&job->dial);
    if (job->securing != NULL)
        stream_abort(job->securing);
    job->securing = NULL;
    loop_clear_alarm(job->proxy->loop, &job->alarm);
}

void proxy_job_free(struct proxy_job *job)
{
    stop_connecting(job);
    list_remove(&job->node);
    if (job->caller != NULL)
        job->caller->job = NULL;
    if (job->origin != NULL) {
        job->origin->job = NULL;
        proxy_origin_close(job->origin);
    }
    proxy_place_set(&job->place, NULL);
    free(job);
}

void proxy_job_fail(struct proxy_job *job, const char *why)
{
    struct proxy *proxy = job->proxy;
    struct proxy_caller *caller = job->caller;
    struct http_cache_fill *fill = job->fill;
    complain(job, why);
    proxy->counters.origin_failures++;
    if (caller != NULL) {
        free(caller->tried);
        caller->tried = strdup(job->tried_text);
        caller->tried_status = job->denied ? 403 : job->timed_out ? 504 : 502;
    }
    proxy_job_free(job);
    if (fill != NULL) {
        http_cache_fill_fail(fill, proxy_time(proxy));
        proxy_stir(proxy);
    } else if (caller != NULL) {
        caller->ops->refused(caller);
    }
}

void proxy_job_again(struct proxy_job *job)
{
    job->head_seen = false;
    proxy_job_start(job);
}

void proxy_job_broken(struct proxy_job *job, const char *why, bool was_used)
{
    stop_connecting(job);
    /* A connection that was kept may have been closed while the request was on its way; it was not
     * looked at then (RFC 9112 §9.3.1), but only what is idempotent is surely safe. */
    bool again = !job->body_begun && !job->head_seen && job->tries < PROXY_TRIES_MAX &&
                 (job->repeatable || job->fill == NULL) &&
                 (was_used || (job->place.server != NULL && job->proxy->options.server_count > 1));
    if (!again) {
        proxy_job_fail(job, why);
        return;
    }
    complain(job, why);
    job->proxy->counters.retries++;
    proxy_job_start(job);
}

/* ---- the request ---- */

/* RFC 9112 §3.2.1, §3.2.2, §3.2.4: what the origin is to see of the target. */
static struct bytes target_of(const struct proxy_job *job,
                               const struct http_cache_forward *forward)
{
    struct uri_parts parts;
    struct bytes from = forward->target;
    if (job->place.parent)
        return forward->uri;
    uri_split(from, &parts);
    if (parts.path.len == 0 && !parts.has_query &&
        bytes_equal(forward->method, bytes_of_text("OPTIONS")))
        return bytes_of_text("*");
    if (parts.path.len == 0) { /* the normal form has one */
        from = forward->uri;
        uri_split(from, &parts);
    }
    return bytes_of(parts.path.data, from.len - (size_t)(parts.path.data - from.data));
}

static bool send_connect(struct proxy_job *job, struct proxy_origin *origin)
{
    const char *authority = job->caller->authority;
    struct http_request request = {.method = "CONNECT",
                                   .target = bytes_of_text(authority),
                                   .host = authority};
    return http_client_request(&origin->core, &request, proxy_now(job->proxy));
}

bool proxy_job_send(struct proxy_job *job, struct proxy_origin *origin)
{
    struct proxy *proxy = job->proxy;
    char method[HTTP_METHOD_MAX + 1];
    if (job->fill == NULL)
        return send_connect(job, origin);
    struct http_cache_forward *forward = malloc(sizeof *forward);
    uint8_t *scratch = malloc(HTTP_CACHE_SCRATCH + PROXY_FORWARD_MAX);
    bool good = false;
    if (forward != NULL && scratch != NULL) {
        struct writer w = writer_of(scratch, HTTP_CACHE_SCRATCH);
        struct writer more = writer_of(scratch + HTTP_CACHE_SCRATCH, PROXY_FORWARD_MAX);
        http_cache_fill_request(job->fill, &w, forward);
        proxy_request_add(job, forward->uri, &forward->fields, &more);
        proxy_request_count_hop(forward->method, &forward->fields, &more);
        snprintf(method, sizeof method, "%.*s", (int)forward->method.len,
                 (const char *)forward->method.data);
        struct http_request request = {.method = method,
                                       .target = target_of(job, forward),
                                       .fields = forward->fields.list,
                                       .field_count = forward->fields.count,
                                       .has_body = job->has_body,
                                       .body_len = job->body_len,
                                       .upgrade = bytes_of_text(job->upgrade)};
        good = !more.failed && http_client_request(&origin->core, &request, proxy_now(proxy));
        http_cache_fill_sent(job->fill, proxy_now(proxy));
        proxy->counters.origin_requests++;
    }
    free(forward);
    free(scratch);
    return good;
}
