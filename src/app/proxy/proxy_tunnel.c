/* SPDX-License-Identifier: ISC */
/*
 * proxy_tunnel.c - two connections that have become one (RFC 9110 §9.3.6, §7.8). What one side does not
 * take is not read from the other; either side may end first, and the other goes on.
 */
#include "app/proxy/proxy_internal.h"

static usec timeout_of(const struct proxy *proxy)
{
    return proxy->options.tunnel_timeout;
}

static void touch(struct proxy_session *session)
{
    struct proxy *proxy = session->proxy;
    loop_set_alarm(proxy->loop, &session->tunnel_alarm, proxy_now(proxy) + timeout_of(proxy));
}

static void on_tunnel_idle(struct alarm *alarm)
{
    proxy_tunnel_end(CONTAINER_OF(alarm, struct proxy_session, tunnel_alarm), true);
}

void proxy_tunnel_begin(struct proxy_session *session, struct stream *other)
{
    session->state = PROXY_TUNNEL;
    session->other = other;
    session->proxy->counters.tunnels++;
    alarm_init(&session->tunnel_alarm, on_tunnel_idle);
    stream_set_handler(other, &proxy_tunnel_handler, session);
    stream_set_deadline(session->stream, USEC_NEVER);
    touch(session);
    stream_resume(other);
    stream_resume(session->stream);
}

void proxy_tunnel_end(struct proxy_session *session, bool abort)
{
    proxy_session_log(session, session->core.status, "tunnel");
    if (session->other != NULL && abort)
        stream_abort(session->other);
    else if (session->other != NULL)
        stream_close(session->other);
    session->other = NULL;
    if (abort)
        stream_abort(session->stream);
    else
        stream_close(session->stream);
    session->stream = NULL;
    proxy_session_close(session);
}

/* ---- from the client ---- */

size_t proxy_tunnel_bytes(struct proxy_session *session, struct bytes in)
{
    touch(session);
    return stream_send(session->other, in);
}

void proxy_tunnel_client_end(struct proxy_session *session)
{
    session->ended[0] = true;
    stream_finish(session->other);
    if (session->ended[1])
        proxy_tunnel_end(session, false);
}

void proxy_tunnel_client_room(struct proxy_session *session)
{
    if (session->pending_len > 0)
        proxy_session_put(session, bytes_empty());
    stream_resume(session->other);
}

/* ---- from the other side ---- */

static size_t on_bytes(void *self, struct stream *stream UNUSED, struct bytes in)
{
    struct proxy_session *session = self;
    touch(session);
    if (session->pending_len > 0)
        return 0; /* our own words first */
    size_t taken = stream_send(session->stream, bytes_first(in, proxy_session_may(session)));
    proxy_session_charge(session, taken);
    session->octets += taken;
    session->proxy->counters.octets_out += taken;
    return taken;
}

static void on_end(void *self, struct stream *stream UNUSED)
{
    struct proxy_session *session = self;
    session->ended[1] = true;
    stream_finish(session->stream);
    if (session->ended[0])
        proxy_tunnel_end(session, false);
}

static void on_room(void *self, struct stream *stream UNUSED)
{
    struct proxy_session *session = self;
    stream_resume(session->stream);
}

static void on_closed(void *self, struct stream *stream UNUSED, int error)
{
    struct proxy_session *session = self;
    session->other = NULL;
    proxy_tunnel_end(session, error != 0);
}

const struct stream_handler proxy_tunnel_handler = {
    .on_bytes = on_bytes, .on_end = on_end, .on_room = on_room, .on_closed = on_closed};
