/* SPDX-License-Identifier: ISC */
/*
 * names_stream.c - queries and replies on connections, by TCP and TLS (RFC 7766, RFC 7858).
 *
 * A connection is read message by message; one that takes no replies is not read from, and one that brings no query for
 * a while is closed, as is the one that has been idle longest when another client comes and the table is full.
 */
#include <stdlib.h>

#include "app/names/internal.h"

static void end_transfer(struct names_connection *c)
{
    if (c->transfer != NULL)
        transfer_end(c->transfer);
    free(c->transfer);
    c->transfer = NULL;
}

static void forget(struct names_connection *c)
{
    c->stream = NULL;
    free(c->rest);
    c->rest = NULL;
    c->names->long_updates -= c->update != NULL;
    free(c->update);
    c->update = NULL;
    end_transfer(c);
    list_remove(&c->node);
    list_append(&c->names->free, &c->node);
}

static void hang_up(struct names_connection *c, bool politely)
{
    if (politely)
        stream_close(c->stream);
    else
        stream_abort(c->stream);
    forget(c);
}

/* After each thing that happens: which list, which deadline, or the end. False: it is gone. */
static bool settle(struct names_connection *c)
{
    struct names *names = c->names;
    bool idle = c->input.owed == 0;
    if (c->ended && idle && !c->paused && c->rest == NULL) {
        hang_up(c, true);
        return false;
    }
    list_remove(&c->node);
    list_append(idle ? &names->idle : &names->busy, &c->node);
    usec deadline = dns_stream_deadline(&c->input);
    if (c->transfer != NULL)
        deadline = loop_now(names->loop) + NAMES_TRANSFER_PAUSE_MAX;
    stream_set_deadline(c->stream, deadline);
    return true;
}

/* Sends what is left of a reply. */
static void send_rest(struct names_connection *c)
{
    if (c->rest == NULL)
        return;
    struct bytes rest = bytes_of(c->rest + c->rest_at, c->rest_len - c->rest_at);
    c->rest_at += stream_send(c->stream, rest);
    if (c->rest_at == c->rest_len) {
        free(c->rest);
        c->rest = NULL;
    }
}

/* The reply lies in names_reply_buffer(). False: the connection had to be cut. */
static bool send_framed(struct names_connection *c, struct bytes reply)
{
    struct names *names = c->names;
    ASSERT(reply.data == names_reply_buffer(names) && c->rest == NULL);
    names->reply[0] = (uint8_t)(reply.len >> 8);
    names->reply[1] = (uint8_t)reply.len;
    struct bytes framed = bytes_of(names->reply, DNS_STREAM_LENGTH_LEN + reply.len);
    size_t sent = stream_send(c->stream, framed);
    if (sent == framed.len)
        return true;
    struct bytes rest = bytes_after(framed, sent);
    c->rest = malloc(rest.len);
    if (c->rest == NULL) {
        hang_up(c, false);
        return false;
    }
    memcpy(c->rest, rest.data, rest.len);
    c->rest_len = rest.len;
    c->rest_at = 0;
    return true;
}

/* ---- zones told to others ---- */

/* Tells on until the stream is full. False: the connection is gone. */
static bool tell_zone(struct names_connection *c)
{
    while (c->transfer != NULL && c->rest == NULL) {
        struct bytes message;
        enum transfer_status status =
            transfer_next(c->transfer, (uint64_t)loop_wall_seconds(c->names->loop),
                          names_reply_buffer(c->names), &message);
        if (status == TRANSFER_BROKEN) {
            hang_up(c, false);
            return false;
        }
        if (status == TRANSFER_WHOLE) {
            end_transfer(c);
            dns_stream_paid(&c->input, loop_now(c->names->loop));
        }
        if (!send_framed(c, message))
            return false;
    }
    return true;
}

/* Who may have the zone gets it; result->rcode is otherwise that of the refusal. */
static bool begin_transfer(struct names_connection *c, struct bytes query,
                           struct answer_result *result)
{
    struct names *names = c->names;
    const struct answer_query *asked = &result->query;
    if (!names_may_transfer(names, result))
        return false;
    const struct answer_options *answering = names_answering(names, asked);
    struct zone_transfer *transfer = calloc(1, sizeof *transfer);
    result->rcode = transfer == NULL ? DNS_SERVFAIL
                                     : transfer_start(transfer, answering, asked, query);
    if (result->rcode != DNS_NOERROR) {
        free(transfer);
        result->reply = answer_refuse(answering, asked, result->rcode, names_reply_buffer(names));
        return false;
    }
    c->transfer = transfer;
    names->counters.transfers++;
    dns_stream_owe(&c->input);
    return true;
}

/* False: the connection is gone. */
static bool on_query(struct names_connection *c, struct bytes query)
{
    struct names *names = c->names;
    struct answer_result result;
    struct resolver_client client = {.from = stream_peer(c->stream), .stream = c->handle};
    struct answer_path path = {
        .stream = true,
        .size_max = names->udp_size,
        .keepalive = (uint16_t)(DNS_STREAM_IDLE_TIMEOUT / (USEC_PER_SEC / 10)),
        .padding = c->secure ? NAMES_PADDING : 0,
        .now = (uint64_t)loop_wall_seconds(names->loop),
        .from = client.from.address,
    };
    enum names_judgement judgement = names_judge(names, &client, &path, query, &result);
    uint64_t *queries = c->secure ? &names->counters.queries_tls : &names->counters.queries_tcp;
    *queries += judgement != NAMES_NO_QUERY;
    switch (judgement) {
    case NAMES_TAKEN:
        dns_stream_owe(&c->input);
        return true;
    case NAMES_TWICE:
        return true;
    case NAMES_NO_QUERY: /* who sends that over a stream speaks no DNS */
    case NAMES_DROPPED:
        hang_up(c, false);
        return false;
    case NAMES_JUDGED:
        break;
    }
    bool whole = begin_transfer(c, query, &result);
    names_count_reply(names, result.rcode);
    return whole ? tell_zone(c) : send_framed(c, result.reply);
}

/* A message is longer than any query: where zones are changed, it may be an update. */
static bool make_room(struct names_connection *c)
{
    struct names *names = c->names;
    if (c->update != NULL || names->update_count == 0 ||
        names->long_updates == NAMES_LONG_UPDATES_MAX ||
        (c->update = malloc(DNS_MESSAGE_MAX)) == NULL)
        return false;
    names->long_updates++;
    c->input.buffer = c->update;
    c->input.size = DNS_MESSAGE_MAX;
    return true;
}

static size_t on_bytes(void *self, struct stream *stream UNUSED, struct bytes in)
{
    struct names_connection *c = self;
    usec now = loop_now(c->names->loop);
    size_t total = 0;
    while (total < in.len && c->rest == NULL && c->transfer == NULL &&
           c->input.owed < NAMES_OWED_MAX) {
        enum dns_stream_event event;
        struct bytes message;
        total += dns_stream_input(&c->input, bytes_after(in, total), now, &event, &message);
        if (event == DNS_STREAM_TOO_LONG && make_room(c))
            continue;
        if (event == DNS_STREAM_TOO_LONG) {
            c->names->counters.malformed++;
            hang_up(c, false);
            return in.len;
        }
        if (event == DNS_STREAM_MESSAGE && !on_query(c, message))
            return in.len;
    }
    c->paused = total < in.len;
    (void)settle(c);
    return total;
}

static void on_end(void *self, struct stream *stream UNUSED)
{
    struct names_connection *c = self;
    c->ended = true;
    (void)settle(c);
}

static void on_room(void *self, struct stream *stream)
{
    struct names_connection *c = self;
    send_rest(c);
    if (c->rest != NULL || !tell_zone(c))
        return;
    if (c->paused && c->rest == NULL)
        stream_resume(stream);
    else
        (void)settle(c);
}

static void on_closed(void *self, struct stream *stream UNUSED, int error UNUSED)
{
    forget(self);
}

static void on_deadline(void *self, struct stream *stream UNUSED)
{
    struct names_connection *c = self;
    /* In the middle of something, it is slow; else it is done. */
    hang_up(c, c->rest == NULL && c->input.have == 0);
}

static const struct stream_handler stream_handler = {
    .on_bytes = on_bytes,
    .on_end = on_end,
    .on_room = on_room,
    .on_closed = on_closed,
    .on_deadline = on_deadline,
};

void names_stream_accept(void *self, struct listener *listener UNUSED, struct stream *stream)
{
    struct names *names = self;
    struct list_node *oldest = list_first(&names->idle);
    if (list_empty(&names->free) && oldest != NULL)
        hang_up(CONTAINER_OF(oldest, struct names_connection, node), true);
    struct list_node *node = list_first(&names->free);
    if (node == NULL) {
        stream_abort(stream);
        return;
    }
    struct names_connection *c = CONTAINER_OF(node, struct names_connection, node);
    c->stream = stream;
    c->handle = (c->handle + NAMES_CONNECTIONS_MAX) & ~NAMES_CARRIED;
    if (c->handle < NAMES_CONNECTIONS_MAX)
        c->handle += NAMES_CONNECTIONS_MAX; /* it has wrapped: 0 stands for datagrams */
    c->secure = stream_is_tls(stream);
    c->ended = false;
    c->paused = false;
    dns_stream_init(&c->input, c->query, sizeof c->query, DNS_STREAM_IDLE_TIMEOUT,
                    loop_now(names->loop));
    stream_set_handler(stream, &stream_handler, c);
    (void)settle(c);
}

void names_stream_reply(struct names *names, const struct resolver_client *client,
                        struct bytes reply, unsigned rcode)
{
    struct names_connection *c = &names->connections[client->stream % NAMES_CONNECTIONS_MAX];
    if (c->stream == NULL || c->handle != client->stream)
        return; /* the client has not waited */
    names_count_reply(names, rcode);
    dns_stream_paid(&c->input, loop_now(names->loop));
    if (c->rest != NULL || reply.len == 0) {
        hang_up(c, false); /* it asks and asks, and takes no answer */
        return;
    }
    if (!send_framed(c, reply) || !settle(c))
        return;
    if (c->paused && c->rest == NULL)
        stream_resume(c->stream);
}

void names_streams_open(struct names *names)
{
    for (uint32_t i = 0; i < NAMES_CONNECTIONS_MAX; i++) {
        struct names_connection *c = &names->connections[i];
        c->names = names;
        c->handle = i;
        list_init(&c->node);
        list_append(&names->free, &c->node);
    }
}

void names_streams_close(struct names *names)
{
    for (size_t i = 0; i < NAMES_CONNECTIONS_MAX; i++)
        if (names->connections[i].stream != NULL)
            hang_up(&names->connections[i], false);
}
