/* SPDX-License-Identifier: ISC */
/*
 * names_outside.c - the resolver's sockets: a new one, and so a new source port, for every attempt
 * (RFC 5452 §9.2).
 */
#include <errno.h>
#include <stdlib.h>

#include "app/names/internal.h"

static void shut(struct names_outside *o)
{
    names_secure_forget(o);
    if (o->dgram != NULL)
        dgram_close(o->dgram);
    if (o->stream != NULL) {
        stream_abort(o->stream);
        o->names->outside_streams--;
    }
    free(o->buffer);
    o->dgram = NULL;
    o->stream = NULL;
    o->buffer = NULL;
}

/* The attempt has come to nothing; the resolver says what follows, at the end of the turn. */
void names_outside_broken(struct names_outside *o)
{
    struct names *names = o->names;
    shut(o);
    resolver_broken(names->resolver, o->task, loop_now(names->loop));
    loop_queue(names->loop, &names->resolving);
}

void names_outside_reply(struct names_outside *o, const struct endpoint *from,
                         struct bytes message)
{
    struct names *names = o->names;
    loop_queue(names->loop, &names->resolving);
    resolver_input(names->resolver, o->task, from, message, loop_now(names->loop));
}

/* Without its length. */
static struct bytes query_of(const struct names_outside *o)
{
    return bytes_after(bytes_of(o->query, o->query_len), DNS_STREAM_LENGTH_LEN);
}

/* ---- UDP ---- */

static void on_outside_message(void *self, struct dgram *dgram UNUSED,
                               const struct dgram_message *message)
{
    struct names_outside *o = self;
    bool is_it = endpoint_equal(&message->from, &o->asked);
    names_outside_reply(o, is_it ? &o->server : &message->from, message->payload);
}

/* An error may be that of what another has sent from there before. */
static void on_outside_error(void *self, struct dgram *dgram UNUSED, const struct endpoint *to,
                             int error UNUSED)
{
    struct names_outside *o = self;
    if (endpoint_equal(to, &o->asked))
        names_outside_broken(o);
}

static const struct dgram_handler dgram_handler = {
    .on_message = on_outside_message,
    .on_error = on_outside_error,
};

static int ask_by_datagram(struct names_outside *o)
{
    bool v4 = address_is_v4(&o->asked.address);
    struct dgram_options options = {
        .local = {v4 ? address_any_v4() : address_any_v6(), 0},
        .lean = true,
    };
    int status = net_bind(o->names->outside_net, &options, &dgram_handler, o, &o->dgram);
    if (status != 0)
        return status;
    struct dgram_message message = {.to = o->asked, .payload = query_of(o)};
    return dgram_send(o->dgram, &message);
}

/* ---- TCP ---- */

static void on_outside_open(void *self, struct stream *stream)
{
    struct names_outside *o = self;
    if (stream_send(stream, bytes_of(o->query, o->query_len)) != o->query_len)
        names_outside_broken(o);
}

static size_t on_outside_bytes(void *self, struct stream *stream, struct bytes in)
{
    struct names_outside *o = self;
    struct bytes rest = in;
    while (rest.len > 0 && o->stream == stream) {
        enum dns_stream_event event;
        struct bytes message;
        size_t used =
            dns_stream_input(&o->input, rest, loop_now(o->names->loop), &event, &message);
        rest = bytes_after(rest, used);
        if (event == DNS_STREAM_MESSAGE)
            names_outside_reply(o, &o->server, message);
    }
    return in.len;
}

static void on_outside_end(void *self, struct stream *stream UNUSED)
{
    names_outside_broken(self);
}

static void on_outside_closed(void *self, struct stream *stream UNUSED, int error UNUSED)
{
    struct names_outside *o = self;
    o->stream = NULL;
    o->names->outside_streams--;
    names_outside_broken(o);
}

static const struct stream_handler stream_handler = {
    .on_open = on_outside_open,
    .on_bytes = on_outside_bytes,
    .on_end = on_outside_end,
    .on_closed = on_outside_closed,
};

static int ask_by_stream(struct names_outside *o)
{
    struct names *names = o->names;
    if (names->outside_streams >= NAMES_OUTSIDE_STREAMS_MAX)
        return -ENOSPC;
    o->buffer = malloc(DNS_MESSAGE_MAX);
    if (o->buffer == NULL)
        return -ENOMEM;
    dns_stream_init(&o->input, o->buffer, DNS_MESSAGE_MAX, USEC_NEVER, 0);
    int status = net_connect(names->outside_net, &o->asked, NULL, &stream_handler, o, &o->stream);
    if (status == 0)
        names->outside_streams++;
    else
        o->stream = NULL;
    return status;
}

/* ---- the crank ---- */

int names_outside_again(struct names_outside *o)
{
    struct names *names = o->names;
    struct names_secure *secure = names_secure_find(names, &o->server);
    if (secure != NULL)
        return names_secure_ask(secure, o, query_of(o));
    o->asked = names_secure_clear(names, &o->server);
    return o->by_stream ? ask_by_stream(o) : ask_by_datagram(o);
}

void names_outside_send(struct names *names, uint32_t task, const struct dns_client_send *send)
{
    struct names_outside *o = &names->outside[task];
    shut(o);
    o->names = names;
    o->task = task;
    struct writer w = writer_of(o->query, sizeof o->query);
    dns_stream_write(&w, send->message);
    o->query_len = writer_len(&w);
    o->server = send->server;
    o->by_stream = send->stream;
    if (names_outside_again(o) != 0)
        names_outside_broken(o);
}

void names_outside_shut(struct names *names, uint32_t task)
{
    shut(&names->outside[task]);
}

static void run(struct task *task)
{
    names_resolver_run(CONTAINER_OF(task, struct names, resolving));
}

static void on_alarm(struct alarm *alarm)
{
    struct names *names = CONTAINER_OF(alarm, struct names, alarm);
    resolver_tick(names->resolver, loop_now(names->loop));
    names_resolver_run(names);
}

int names_outside_open(struct names *names, const struct names_options *options)
{
    names->outside_net = options->outside;
    names->outside = calloc(RESOLVER_TASKS, sizeof *names->outside);
    if (names->outside == NULL)
        return -ENOMEM;
    task_init(&names->resolving, run);
    alarm_init(&names->alarm, on_alarm);
    int status = names_secure_open(names, options->recursion);
    if (status != 0)
        return status;
    return names_resolver_open(names, options->recursion);
}

void names_outside_close(struct names *names)
{
    if (names->outside == NULL)
        return;
    for (size_t i = 0; i < RESOLVER_TASKS; i++)
        shut(&names->outside[i]);
    names_secure_close(names);
    loop_unqueue(&names->resolving);
    loop_clear_alarm(names->loop, &names->alarm);
    names_resolver_close(names);
    free(names->outside);
    names->outside = NULL;
}
