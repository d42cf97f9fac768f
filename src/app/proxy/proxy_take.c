/* SPDX-License-Identifier: ISC */
/*
 * proxy_take.c - a client's request has come: may it be asked, and of whom: the cache, and by it the origin;
 * the other end of a tunnel; or ourselves.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/proxy/proxy_internal.h"
#include "wire/http/http_list.h"

/* ---- requests ---- */

static void copy_printable(struct bytes in, char *out, size_t size)
{
    size_t len = in.len < size - 1 ? in.len : size - 1;
    for (size_t i = 0; i < len; i++)
        out[i] = in.data[i] > ' ' && in.data[i] < 0x7f ? (char)in.data[i] : '?';
    out[len] = '\0';
}

static bool is_method(const struct http_server_event *event, const char *method)
{
    return bytes_equal(event->head.method, bytes_of_text(method));
}

/* The content of the request goes along with it. */
static struct proxy_content content_of(struct proxy_session *session,
                                       const struct http_server_event *event)
{
    struct proxy_content content = {.upgrade = bytes_empty()};
    struct bytes value;
    if (event->framing.kind != HTTP_FRAMING_NONE) {
        content.has_body = true;
        content.body_len = event->framing.kind == HTTP_FRAMING_LENGTH ? event->framing.length
                                                                      : HTTP_CLIENT_LENGTH_UNKNOWN;
        session->body_done = !http_server_relay_body(&session->core, UINT64_MAX);
    }
    if (event->head.version == HTTP_VERSION_1_1 &&
        http_field_has(&event->head.fields, "Connection", "upgrade") &&
        http_field_find(&event->head.fields, "Upgrade", &value) && proxy_may_switch(value))
        content.upgrade = value;
    return content;
}

/* Was the client going to where the host that it names is not, as far as is known? What comes of there must
 * not be stored under that name. */
static bool is_elsewhere(struct proxy_session *session, const struct proxy_asked *asked)
{
    struct uri_parts parts;
    uri_split(bytes_of(asked->uri, asked->uri_len), &parts);
    return session->caller.to.port != 0 &&
           !proxy_verify(session->proxy, parts.authority, &session->caller.to.address);
}

static void forward(struct proxy_session *session, const struct http_server_event *event,
                    struct proxy_asked *asked)
{
    struct proxy *proxy = session->proxy;
    struct http_fields *fields = malloc(sizeof *fields);
    bool upgrade = http_field_has(&event->head.fields, "Connection", "upgrade") &&
                   http_field_count(&event->head.fields, "Upgrade") > 0 &&
                   proxy_may_switch(http_field_value(&event->head.fields, "Upgrade"));
    if (fields == NULL) {
        proxy_session_page(session, 503, NULL, NULL, 0);
        return;
    }
    proxy_request_fields(&event->head.fields, fields);
    struct http_cache_request request = {
        .trusted = proxy_is_loopback(&session->caller.peer.address),
        .method = event->head.method,
        .uri = bytes_of(asked->uri, asked->uri_len),
        .target = event->head.target,
        .fields = fields,
        .alone = upgrade || is_elsewhere(session, asked) || (event->framing.kind != HTTP_FRAMING_NONE &&
                             (is_method(event, "GET") || is_method(event, "HEAD"))),
    };
    session->caller.asked = true;
    session->state = PROXY_ASKING;
    http_cache_ask(proxy->cache, &session->caller.ask, &request, proxy_time(proxy));
    free(fields);
    struct http_cache_fill *fill = http_cache_ask_fill(&session->caller.ask);
    if (fill == NULL) {
        proxy_session_look(session);
        proxy_stir(proxy); /* a validation behind the answer */
        return;
    }
    struct proxy_job *job = proxy_job_new(proxy, fill, &session->caller);
    if (job == NULL)
        return;
    struct proxy_content content = content_of(session, event);
    proxy_job_describe(job, event->head.method, request.uri, &content);
    proxy_job_start(job);
}

static void connect_tunnel(struct proxy_session *session, const struct http_server_event *event)
{
    struct bytes host;
    uint16_t port = 0;
    if (session->proxy->options.reverse) {
        proxy_session_page(session, 405, NULL, NULL, 0);
        return;
    }
    if (!uri_authority_parse(event->target.authority, &host, &port) ||
        host.len >= PROXY_NAME_MAX || event->head.target.len >= sizeof session->target) {
        proxy_session_page(session, 400, NULL, NULL, 0);
        return;
    }
    if (!proxy_may_connect(session->proxy, port)) {
        session->proxy->counters.denied++;
        proxy_session_page(session, 403, NULL, NULL, 0);
        return;
    }
    struct proxy_job *job = proxy_job_new(session->proxy, NULL, &session->caller);
    if (job == NULL) {
        proxy_session_page(session, 503, NULL, NULL, 0);
        return;
    }
    memcpy(job->place.host, host.data, host.len);
    job->place.host[host.len] = '\0';
    job->place.port = port;
    session->state = PROXY_OPENING;
    session->core.status = 200;
    proxy_job_start(job);
}

static void tell_purged(struct proxy_session *session)
{
    char text[64];
    snprintf(text, sizeof text, "{\"purged\": %zu}\n", session->purged);
    proxy_session_page(session, 200, "application/json", strdup(text), strlen(text));
}

static void on_gone(struct proxy_disk_wait *wait)
{
    tell_purged(CONTAINER_OF(wait, struct proxy_session, wait));
}

/* PURGE URL, with "Purge: prefix" all that begins so; with Cache-Tag what bears one of the tags. */
static void purge(struct proxy_session *session, const struct http_server_event *event,
                  const struct proxy_asked *asked)
{
    struct proxy *proxy = session->proxy;
    struct bytes value, tag;
    size_t count = 0;
    struct endpoint peer = stream_peer(session->stream);
    if (!proxy_may_purge(proxy, &peer.address)) {
        proxy->counters.denied++;
        proxy_session_page(session, 403, NULL, NULL, 0);
        return;
    }
    struct bytes uri = bytes_of(asked->uri, asked->uri_len);
    if (http_field_find(&event->head.fields, "Cache-Tag", &value)) {
        while (http_list_next(&value, &tag))
            count += http_cache_purge_tag(proxy->cache, tag);
    } else if (http_field_has(&event->head.fields, "Purge", "prefix")) {
        count = http_cache_purge_prefix(proxy->cache, uri);
    } else {
        count = http_cache_purge(proxy->cache, uri);
    }
    session->purged = count;
    if (proxy->disk == NULL) {
        tell_purged(session);
        return;
    }
    session->state = PROXY_PURGING;
    proxy_disk_wait(proxy->disk, &session->wait, on_gone);
}

/* Requests to the proxy itself. */
static void own_page(struct proxy_session *session, const struct http_server_event *event)
{
    struct bytes path = event->target.path;
    size_t len;
    if (event->target.form == URI_ASTERISK) {
        proxy_session_page(session, 204, NULL, NULL, 0);
        return;
    }
    if (bytes_equal(path, bytes_of_text("/proxy.pac")) ||
        bytes_equal(path, bytes_of_text("/wpad.dat"))) {
        char *page = proxy_page_pac(session->proxy,
                                    http_field_value(&event->head.fields, "Host"), &len);
        if (page != NULL) {
            proxy_session_page(session, 200, "application/x-ns-proxy-autoconfig", page, len);
            return;
        }
    }
    proxy_session_page(session, 404, NULL, NULL, 0);
}

/* RFC 9110 §7.6.2: at zero; proxy_request_count_hop() counts. */
static bool ends_here(const struct http_server_event *event)
{
    uint64_t hops;
    return is_method(event, "OPTIONS") &&
           http_number(http_field_value(&event->head.fields, "Max-Forwards"), UINT32_MAX, &hops) &&
           hops == 0;
}

/* 0, or the status to refuse the request with, before anything is asked of anybody. */
static unsigned check_request(struct proxy_session *session, const struct http_server_event *event)
{
    struct proxy *proxy = session->proxy;
    struct endpoint peer = stream_peer(session->stream);
    if (session->caller.to.port == 0 && !proxy_may_use(proxy, &peer.address))
        return 403;
    unsigned refusal = 0;
    if (proxy->users != NULL && session->caller.to.port == 0)
        refusal = proxy_users_check(proxy->users,
                                    http_field_value(&event->head.fields, "Proxy-Authorization"),
                                    &peer.address, proxy_now(proxy), session->user);
    if (refusal != 0)
        return refusal;
    if (proxy_is_loop(proxy, &event->head.fields))
        return 508;
    return is_method(event, "TRACE") ? 405 : 0;
}

void proxy_take_request(struct proxy_session *session, const struct http_server_event *event)
{
    struct proxy *proxy = session->proxy;
    proxy->counters.requests++;
    list_remove(&session->idle_node);
    session->caller.old = event->head.version == HTTP_VERSION_1_0;
    session->request_at = proxy_now(proxy);
    session->octets = 0;
    session->user[0] = '\0';
    session->caller.tried_status = 0;
    session->caller.answered_by = session->caller.wished = 0;
    if (proxy->upstream != NULL && upstream_balance(proxy->upstream) == UPSTREAM_COOKIE)
        session->caller.wished = proxy_request_wish(&event->head.fields);
    free(session->caller.tried);
    session->caller.tried = NULL;
    session->body_done = event->framing.kind == HTTP_FRAMING_NONE;
    copy_printable(event->head.method, session->method, sizeof session->method);
    copy_printable(event->head.target, session->target, sizeof session->target);
    unsigned refusal = check_request(session, event);
    if (refusal != 0) {
        proxy->counters.denied += refusal == 403 || refusal == 407 || refusal == 429;
        proxy_session_page(session, refusal, NULL, NULL, 0);
        return;
    }
    bool transparent = session->caller.to.port != 0;
    if (is_method(event, "CONNECT") && !transparent) {
        connect_tunnel(session, event);
        return;
    }
    struct proxy_asked *asked = malloc(sizeof *asked);
    refusal = asked == NULL ? 503 : proxy_request_uri(&session->caller, event, asked);
    if (refusal != 0)
        proxy_session_page(session, refusal, NULL, NULL, 0);
    else if (asked->own)
        own_page(session, event);
    else if (is_method(event, "PURGE") && !transparent)
        purge(session, event, asked);
    else if (ends_here(event))
        proxy_session_page(session, 204, NULL, NULL, 0);
    else
        forward(session, event, asked);
    free(asked);
}
