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
        o->asking->streams--;
    }
    free(o->buffer);
    o->dgram = NULL;
    o->stream = NULL;
    o->buffer = NULL;
}

/* The attempt has come to nothing; the resolver says what follows, at the end of the turn. */
void names_outside_broken(struct names_outside *o)
{
    struct names_asking *asking = o->asking;
    shut(o);
    resolver_broken(asking->resolver, o->task, loop_now(asking->names->loop));
    loop_queue(asking->names->loop, &asking->task);
}

void names_outside_reply(struct names_outside *o, const struct endpoint *from,
                         struct bytes message)
{
    struct names_asking *asking = o->asking;
    loop_queue(asking->names->loop, &asking->task);
    resolver_input(asking->resolver, o->task, from, message, loop_now(asking->names->loop));
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
    int status = net_bind(o->asking->names->outside_net, &options, &dgram_handler, o, &o->dgram);
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
            dns_stream_input(&o->input, rest, loop_now(o->asking->names->loop), &event, &message);
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
    o->asking->streams--;
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
    struct names_asking *asking = o->asking;
    if (asking->streams >= NAMES_OUTSIDE_STREAMS_MAX)
        return -ENOSPC;
    o->buffer = malloc(DNS_MESSAGE_MAX);
    if (o->buffer == NULL)
        return -ENOMEM;
    dns_stream_init(&o->input, o->buffer, DNS_MESSAGE_MAX, USEC_NEVER, 0);
    int status = net_connect(asking->names->outside_net, &o->asked, NULL, &stream_handler, o, &o->stream);
    if (status == 0)
        asking->streams++;
    else
        o->stream = NULL;
    return status;
}

/* ---- the crank ---- */

int names_outside_again(struct names_outside *o)
{
    struct names_secure *secure = names_secure_find(o->asking, &o->server);
    if (secure != NULL)
        return names_secure_ask(secure, o, query_of(o));
    o->asked = names_secure_clear(o->asking, &o->server);
    return o->by_stream ? ask_by_stream(o) : ask_by_datagram(o);
}

void names_outside_send(struct names_asking *asking, uint32_t task,
                        const struct dns_client_send *send)
{
    struct names_outside *o = &asking->outside[task];
    shut(o);
    o->asking = asking;
    o->task = task;
    struct writer w = writer_of(o->query, sizeof o->query);
    dns_stream_write(&w, send->message);
    o->query_len = writer_len(&w);
    o->server = send->server;
    o->by_stream = send->stream;
    if (names_outside_again(o) != 0)
        names_outside_broken(o);
}

void names_outside_shut(struct names_asking *asking, uint32_t task)
{
    shut(&asking->outside[task]);
}

static void run(struct task *task)
{
    names_resolver_run(CONTAINER_OF(task, struct names_asking, task));
}

static void on_alarm(struct alarm *alarm)
{
    struct names_asking *asking = CONTAINER_OF(alarm, struct names_asking, alarm);
    resolver_tick(asking->resolver, loop_now(asking->names->loop));
    names_resolver_run(asking);
}

static int open_asking(struct names *names, size_t view, const struct names_recursion *recursion)
{
    struct names_asking *asking = calloc(1, sizeof *asking);
    if (asking == NULL)
        return -ENOMEM;
    *(view == NAMES_EVERYBODY ? &names->asking : &names->views[view].asking) = asking;
    asking->names = names;
    asking->view = view;
    task_init(&asking->task, run);
    alarm_init(&asking->alarm, on_alarm);
    asking->outside = calloc(RESOLVER_TASKS, sizeof *asking->outside);
    int status = asking->outside != NULL ? names_secure_open(asking, recursion) : -ENOMEM;
    return status == 0 ? names_resolver_open(asking, recursion) : status;
}

int names_outside_open(struct names *names, const struct names_options *options)
{
    int status = 0;
    names->outside_net = options->outside;
    if (options->recursion != NULL)
        status = open_asking(names, NAMES_EVERYBODY, options->recursion);
    for (size_t i = 0; i < names->view_count && status == 0; i++)
        if (options->view_recursion[i] != NULL)
            status = open_asking(names, i, options->view_recursion[i]);
    return status;
}

static void close_asking(struct names_asking *asking)
{
    if (asking == NULL)
        return;
    for (size_t i = 0; asking->outside != NULL && i < RESOLVER_TASKS; i++)
        shut(&asking->outside[i]);
    names_secure_close(asking);
    loop_unqueue(&asking->task);
    loop_clear_alarm(asking->names->loop, &asking->alarm);
    names_resolver_close(asking);
    free(asking->outside);
    free(asking);
}

void names_outside_close(struct names *names)
{
    close_asking(names->asking);
    names->asking = NULL;
    for (size_t i = 0; i < names->view_count; i++) {
        close_asking(names->views[i].asking);
        names->views[i].asking = NULL;
    }
}
