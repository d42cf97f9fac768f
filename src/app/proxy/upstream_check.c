/* SPDX-License-Identifier: ISC */
/*
 * upstream_check.c - servers are asked for a path in intervals: a connection of its own each time, so that
 * what is found is how a new one would fare.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/proxy/upstream.h"
#include "io/dial.h"
#include "io/loop.h"
#include "proto/http/http_client.h"

enum { BODY_MAX = 1024 * 1024 };

struct upstream_probe {
    struct upstream_server *server;
    struct loop *loop;
    struct net *net;
    struct tls_client *tls_client;
    struct host_lookup *lookup;
    struct upstream_health health;
    struct alarm alarm;              /* the next check; during one, its end */
    bool under_way;
    struct host_question *question;
    struct dial dial;
    struct stream *stream;           /* NULL: not connected */
    struct http_client core;
};

static void stop(struct upstream_probe *probe)
{
    host_lookup_cancel(probe->question);
    probe->question = NULL;
    dial_cancel(&probe->dial);
    if (probe->stream != NULL)
        stream_abort(probe->stream);
    probe->stream = NULL;
    probe->under_way = false;
}

/* So it was found; what counts is how often in a row it was otherwise than thought. */
static void found(struct upstream_probe *probe, bool good)
{
    struct upstream_server *server = probe->server;
    usec now = loop_now(probe->loop);
    server->checks++;
    server->checks_failed += !good;
    server->streak = good == server->down ? server->streak + 1 : 0;
    if (server->streak >= (good ? probe->health.rise : probe->health.fall)) {
        server->down = !good;
        server->streak = 0;
        server->back_at = now;
        if (good) { /* it need not wait for a request to find that out */
            server->failures = server->ejections = 0;
            server->dead_until = 0;
        }
    }
    stop(probe);
    loop_set_alarm(probe->loop, &probe->alarm, now + probe->health.interval);
}

static void flush(struct upstream_probe *probe)
{
    struct bytes out;
    while ((out = http_client_output(&probe->core)).len > 0) {
        size_t sent = stream_send(probe->stream, out);
        if (sent == 0)
            return;
        http_client_sent(&probe->core, sent);
    }
}

/* True: it is decided. */
static bool decided(struct upstream_probe *probe, const struct http_client_event *event)
{
    switch (event->kind) {
    case HTTP_CLIENT_NO_EVENT:
    case HTTP_CLIENT_INTERIM:
    case HTTP_CLIENT_BODY:
        return false;
    case HTTP_CLIENT_HEAD:
        found(probe, event->head.status >= probe->health.status_first &&
                         event->head.status <= probe->health.status_last);
        return true;
    case HTTP_CLIENT_END:
    case HTTP_CLIENT_SWITCHED:
    case HTTP_CLIENT_FAILED:
        break;
    }
    found(probe, false);
    return true;
}

static size_t on_bytes(void *self, struct stream *stream UNUSED, struct bytes in)
{
    struct upstream_probe *probe = self;
    struct http_client_event *event = malloc(sizeof *event);
    size_t used = 0, step;
    bool over = event == NULL;
    if (over)
        found(probe, false);
    while (!over) {
        step = http_client_input(&probe->core, bytes_after(in, used), loop_now(probe->loop), event);
        used += step;
        over = decided(probe, event);
        if (step == 0 && event->kind == HTTP_CLIENT_NO_EVENT)
            break;
    }
    free(event);
    return over ? in.len : used;
}

static void on_room(void *self, struct stream *stream UNUSED)
{
    flush(self);
}

static void on_end(void *self, struct stream *stream UNUSED)
{
    found(self, false);
}

static void on_closed(void *self, struct stream *stream UNUSED, int error UNUSED)
{
    struct upstream_probe *probe = self;
    probe->stream = NULL;
    found(probe, false);
}

static void ask(struct upstream_probe *probe)
{
    const struct upstream_place *place = &probe->server->place;
    char host[UPSTREAM_NAME_MAX + 8];
    static const struct http_field agent = {{(const uint8_t *)"User-Agent", 10},
                                            {(const uint8_t *)"wholenet health check", 21}};
    bool usual = place->port == (place->tls ? 443 : 80);
    if (usual)
        snprintf(host, sizeof host, "%s", place->host);
    else
        snprintf(host, sizeof host, "%s:%u", place->host, (unsigned)place->port);
    struct http_request request = {.method = "GET",
                                   .target = bytes_of_text(probe->health.path),
                                   .host = host,
                                   .fields = &agent,
                                   .field_count = 1,
                                   .close = true};
    http_client_init(&probe->core, BODY_MAX, loop_now(probe->loop));
    if (http_client_request(&probe->core, &request, loop_now(probe->loop)))
        flush(probe);
    else
        found(probe, false);
}

static void on_open(void *self, struct stream *stream UNUSED)
{
    ask(self);
}

static const struct stream_handler handler = {.on_open = on_open,
                                              .on_bytes = on_bytes,
                                              .on_end = on_end,
                                              .on_room = on_room,
                                              .on_closed = on_closed};

static void on_connected(void *self, struct stream *stream, const struct endpoint *to UNUSED)
{
    struct upstream_probe *probe = self;
    if (!probe->server->place.tls) {
        probe->stream = stream;
        stream_set_handler(stream, &handler, probe);
        ask(probe);
        return;
    }
    if (probe->tls_client == NULL ||
        tls_connect(probe->tls_client, stream, probe->server->place.host, &handler, probe,
                    &probe->stream) < 0) {
        stream_close(stream);
        found(probe, false);
    }
}

static void on_not_connected(void *self, int error UNUSED, const struct endpoint *to UNUSED)
{
    found(self, false);
}

static const struct dial_handler dial_handler = {.on_connected = on_connected,
                                                 .on_failed = on_not_connected};

static void connect_to(struct upstream_probe *probe, const struct host_answer *answer)
{
    struct endpoint to[LOOKUP_ADDRESSES_MAX];
    for (size_t i = 0; i < answer->count; i++)
        to[i] = (struct endpoint){answer->addresses[i], probe->server->place.port};
    if (answer->count == 0)
        found(probe, false);
    else
        dial_start(&probe->dial, probe->net, to, answer->count, USEC_NEVER, &dial_handler, probe);
}

static void on_answer(void *self, const struct host_answer *answer)
{
    struct upstream_probe *probe = self;
    probe->question = NULL;
    connect_to(probe, answer);
}

static void on_due(struct alarm *alarm)
{
    struct upstream_probe *probe = CONTAINER_OF(alarm, struct upstream_probe, alarm);
    struct host_answer answer;
    if (probe->under_way) {
        found(probe, false);
        return;
    }
    probe->under_way = true;
    loop_set_alarm(probe->loop, &probe->alarm, loop_now(probe->loop) + probe->health.timeout);
    if (host_lookup_ask(probe->lookup, probe->server->place.host, on_answer, probe, &answer,
                        &probe->question))
        connect_to(probe, &answer);
    else if (probe->question == NULL)
        found(probe, false);
}

bool upstream_probe_begin(struct upstream_server *server, const struct upstream_options *options,
                          struct loop *loop)
{
    struct upstream_probe *probe = calloc(1, sizeof *probe);
    if (probe == NULL)
        return false;
    probe->server = server;
    probe->loop = loop;
    probe->net = options->net;
    probe->tls_client = options->tls_client;
    probe->lookup = options->lookup;
    probe->health = options->health;
    alarm_init(&probe->alarm, on_due);
    server->probe = probe;
    /* Not all at once. */
    loop_set_alarm(loop, &probe->alarm,
                   loop_now(loop) +
                       (usec)(prng_u64(loop_prng(loop)) % (uint64_t)(probe->health.interval / 4 + 1)));
    return true;
}

void upstream_probe_end(struct upstream_server *server)
{
    struct upstream_probe *probe = server->probe;
    if (probe == NULL)
        return;
    stop(probe);
    loop_clear_alarm(probe->loop, &probe->alarm);
    free(probe);
    server->probe = NULL;
}
