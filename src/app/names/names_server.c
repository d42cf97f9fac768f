/* SPDX-License-Identifier: ISC */
/*
 * names_server.c - queries by UDP, TCP and TLS (RFC 1035 §4.2, RFC 7766, RFC 7858), and their replies.
 *
 * A datagram is answered within its callback. A connection is read message by message; one that
 * takes no replies is not read from, and one that brings no query for a while is closed, as is the
 * one that has been idle longest when another client comes and the table is full.
 */
#include <errno.h>
#include <stdlib.h>

#include "app/names/internal.h"

void names_count_reply(struct names *names, unsigned rcode)
{
    names->counters.answered++;
    names->counters.nxdomain += rcode == DNS_NXDOMAIN;
    names->counters.refused += rcode == DNS_REFUSED;
}

/* What others are asked for, if the client may have that; true: *result has a reply. */
static bool forward(struct names *names, const struct resolver_client *client,
                    struct answer_result *result)
{
    const struct names_reach *reach = names_reach_of(names, &result->query);
    bool wanted = (result->query.flags & DNS_RD) != 0; /* who does not want recursion gets none */
    bool allowed = wanted ? reach->recursion.count == 0 || names_allows(&reach->recursion, &result->query)
                          : names_allows(&reach->cache, &result->query);
    bool found = names->resolver != NULL && !reach->own_names_only;
    if (wanted && allowed && !reach->own_names_only &&
        names_local_wants(names, &result->work.target))
        return names_local_ask(names, client, result);
    if (found && wanted && allowed)
        return names_resolver_ask(names, client, result);
    if (found && allowed) {
        names_resolver_recall(names, result);
        return true;
    }
    if (result->work.chain_len == 0) /* RFC 8914 §4.19, §4.21 */
        result->work.ede = wanted && found ? DNS_EDE_PROHIBITED : DNS_EDE_NOT_AUTHORITATIVE;
    result->rcode = DNS_REFUSED;
    result->reply = answer_partial(&result->work, DNS_REFUSED);
    return true;
}

/* Is it a well-formed UPDATE, which is for names_update()? */
static bool is_update(const struct names *names, const struct answer_result *result)
{
    if (result->verdict != ANSWER_REPLY || dns_opcode(result->query.flags) != DNS_OPCODE_UPDATE)
        return false;
    return result->rcode == DNS_NOTIMP ||
           (names_has_strange_key(result) && names_forwards(names, &result->query));
}

/* ---- what is no question ---- */

/* NOTIFY (RFC 1996): there is news of a zone that is had from others. */
static void take_news(struct names *names, struct bytes message, struct answer_result *result)
{
    const struct answer_query *asked = &result->query;
    if (result->verdict != ANSWER_REPLY || result->rcode != DNS_NOTIMP || result->malformed ||
        dns_opcode(asked->flags) != DNS_OPCODE_NOTIFY)
        return;
    result->rcode = names_secondary_notified(names, asked, message);
    result->reply = answer_refuse(names_answering(names, asked), asked, result->rcode,
                                  names_reply_buffer(names));
}

/* Is it a transfer that was refused only because nobody but us knows who may have one? */
static bool may_transfer(const struct names *names, const struct answer_result *result)
{
    const struct answer_query *asked = &result->query;
    uint16_t type = asked->question.type;
    return result->verdict == ANSWER_REPLY && result->rcode == DNS_REFUSED &&
           (type == DNS_AXFR || type == DNS_IXFR) && asked->question.class == DNS_IN &&
           names_allows(&names->secondaries, asked);
}

/* RFC 1995 §2. What is whole does not come by datagrams (RFC 5936 §4.2). */
static void tell_difference(struct names *names, struct bytes message,
                            struct answer_result *result)
{
    const struct answer_query *asked = &result->query;
    uint8_t *buffer = names_reply_buffer(names);
    const struct answer_options *answering = names_answering(names, asked);
    if (!may_transfer(names, result) || asked->question.type != DNS_IXFR)
        return;
    result->rcode = transfer_datagram(answering, asked, message, buffer, &result->reply);
    names->counters.transfers += result->rcode == DNS_NOERROR;
    if (result->rcode != DNS_NOERROR)
        result->reply = answer_refuse(answering, asked, result->rcode, buffer);
}

/* Worker 0 cannot be told. */
static void refuse_passing(struct names *names, struct answer_result *result)
{
    const struct answer_query *asked = &result->query;
    result->rcode = DNS_SERVFAIL;
    result->reply = answer_refuse(names_answering(names, asked), asked, result->rcode,
                                  names_reply_buffer(names));
}

/* What the answering core has left to us. */
static void judge_rest(struct names *names, struct bytes message, struct answer_result *result)
{
    names->counters.signatures_refused +=
        result->rcode == DNS_NOTAUTH && result->query.tsig.error != 0;
    take_news(names, message, result);
    if (!result->query.path.stream)
        tell_difference(names, message, result);
}

enum names_judgement names_judge(struct names *names, struct resolver_client *client,
                                 const struct answer_path *path, struct bytes query,
                                 struct answer_result *result)
{
    answer(&names->answering, query, path, names_reply_buffer(names), result);
    names->counters.malformed += result->malformed;
    if (result->verdict == ANSWER_NOTHING)
        return NAMES_NO_QUERY;
    if (result->verdict == ANSWER_ELSEWHERE) {
        uint64_t forwarded = names->counters.forwarded;
        if (!forward(names, client, result))
            return names->counters.forwarded != forwarded ? NAMES_TAKEN : NAMES_TWICE;
        if (result->dropped)
            return NAMES_DROPPED;
    }
    if (names_crew_passes(names, result)) {
        if (names_crew_pass(names, client, path, query))
            return NAMES_TAKEN;
        refuse_passing(names, result);
    }
    if (is_update(names, result)) {
        client->query = result->query;
        if (!names_update(names, client, query, result))
            return NAMES_TAKEN;
    }
    judge_rest(names, query, result);
    return NAMES_JUDGED;
}

/* ---- UDP ---- */

static void send_datagram(struct names *names, const struct resolver_client *client,
                          struct bytes reply)
{
    struct dgram_message message = {
        .from = client->to, /* a reply comes from where the query went */
        .to = client->from,
        .payload = reply,
        .interface = client->interface,
        .has_interface = client->has_interface,
    };
    /* A reply that is lost here is asked for again by the client. */
    (void)dgram_send(names->dgram, &message);
}

/* The accounts are those of all workers: whom a client's datagrams come to is no merit of his. */
static enum rate_verdict check_limit(struct names *names, const struct answer_result *result)
{
    struct names *first = names->first;
    if (names->crew != NULL)
        lock_take(&first->rate_lock);
    enum rate_verdict verdict = rate_limit_check(first->rate_limit, &result->query.path.from,
                                                 result->kind, result->source, loop_now(names->loop));
    if (names->crew != NULL)
        lock_give(&first->rate_lock);
    return verdict;
}

/* False: nothing is to be sent. Who has shown his address is not limited, and needs no help. */
static bool keeps_to_the_limit(struct names *names, struct answer_result *result)
{
    const struct answer_query *query = &result->query;
    if (names->first->rate_limit == NULL || query->proven)
        return true;
    switch (check_limit(names, result)) {
    case RATE_SEND:
        return true;
    case RATE_SLIP:
        names->counters.rate_slipped++;
        if (!result->malformed)
            result->reply = answer_truncated(names_answering(names, query), query,
                                             names_reply_buffer(names));
        return true;
    case RATE_DROP:
        break;
    }
    names->counters.rate_dropped++;
    return false;
}

void names_take_datagram(struct names *names, const struct dgram_message *message)
{
    if (address_is_multicast(&message->to.address) ||
        address_is_broadcast(&message->to.address) || message->from.port == 0)
        return; /* a reply could not come from there, or go there */
    struct answer_result result;
    struct resolver_client client = {
        .from = message->from,
        .to = message->to,
        .interface = message->interface,
        .has_interface = message->has_interface,
    };
    struct answer_path path = {
        .size_max = address_is_loopback(&message->from.address) ? NAMES_UDP_LOOPBACK
                                                                : names->udp_size,
        .from = message->from.address,
    };
    struct names_hot hot;
    if (names_hot_answer(names, &path, message->payload, &hot)) {
        names->counters.queries_udp++;
        names_count_reply(names, hot.rcode);
        send_datagram(names, &client, hot.reply);
        return;
    }
    path.now = (uint64_t)loop_wall_seconds(names->loop);
    answer(&names->answering, message->payload, &path, names_reply_buffer(names), &result);
    if (names_crew_passes(names, &result) &&
        names_crew_pass(names, &client, &path, message->payload))
        return; /* and counts there */
    names->counters.malformed += result.malformed;
    names->counters.queries_udp += result.verdict != ANSWER_NOTHING;
    if (result.verdict == ANSWER_NOTHING || names_crew_passes(names, &result))
        return;
    if (result.verdict == ANSWER_ELSEWHERE && (!forward(names, &client, &result) || result.dropped))
        return;
    if (is_update(names, &result)) {
        client.query = result.query;
        if (!names_update(names, &client, message->payload, &result))
            return;
    }
    judge_rest(names, message->payload, &result);
    if (!keeps_to_the_limit(names, &result))
        return;
    names_hot_keep(names, &hot, &result);
    names_count_reply(names, result.rcode);
    send_datagram(names, &client, result.reply);
}

static void on_message(void *self, struct dgram *dgram UNUSED, const struct dgram_message *message)
{
    names_take_datagram(self, message);
}

/* ---- TCP ---- */

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
    if (!may_transfer(names, result))
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
        names->long_updates == NAMES_LONG_UPDATES_MAX || (c->update = malloc(DNS_MESSAGE_MAX)) == NULL)
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
    while (total < in.len && c->rest == NULL && c->transfer == NULL && c->input.owed < NAMES_OWED_MAX) {
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

static void on_accept(void *self, struct listener *listener UNUSED, struct stream *stream)
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

void names_reply_forwarded(struct names *names, const struct resolver_client *client,
                           struct bytes reply, unsigned rcode)
{
    if (client->stream == 0 && reply.len == 0)
        return;
    if ((client->stream & NAMES_CARRIED) != 0) {
        names_carried_reply(names, client->stream, reply, rcode);
        return;
    }
    if (client->stream == 0) {
        names_count_reply(names, rcode);
        send_datagram(names, client, reply);
        return;
    }
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

/* ---- opening ---- */

static const struct listener_handler listener_handler = {.on_accept = on_accept};

/* Both on one port: that of the options, or where those have 0 the one that TCP was given. */
static int open_sockets(struct names *names, const struct endpoint *listen)
{
    static const struct dgram_handler dgram_handler = {.on_message = on_message};
    bool shared = names->crew != NULL;
    bool claim = names->worker == 0; /* others are ours, but not other people's */
    struct listen_options stream = {.local = *listen, .reuse_port = shared, .claim = claim};
    int status = net_listen(names->net, &stream, &listener_handler, names, &names->listener);
    if (status != 0) {
        names->listener = NULL;
        return status;
    }
    /* A reply comes from where the query went, which goes without saying for one address. */
    struct dgram_options dgram = {
        .local = listener_local(names->listener),
        .lean = !address_is_any(&listen->address) && !address_is_link_local(&listen->address),
        .reuse_port = shared,
        .claim = claim,
    };
    status = net_bind(names->net, &dgram, &dgram_handler, names, &names->dgram);
    if (status != 0) {
        listener_close(names->listener);
        names->listener = NULL;
        names->dgram = NULL;
    }
    return status;
}

static int open_tls(struct names *names, const struct names_options *options)
{
    if (options->tls == NULL)
        return 0;
    struct listen_options listen = {.local = options->listen_tls,
                                    .reuse_port = names->crew != NULL,
                                    .claim = names->worker == 0};
    int status = tls_listen(options->tls, names->net, &listen, &listener_handler, names,
                            &names->listener_tls);
    if (status != 0)
        names->listener_tls = NULL;
    return status;
}

int names_server_open(struct names *names, const struct names_options *options)
{
    enum { PORT_ATTEMPTS = 8 };
    const struct endpoint *listen = &options->listen;
    for (uint32_t i = 0; i < NAMES_CONNECTIONS_MAX; i++) {
        struct names_connection *c = &names->connections[i];
        c->names = names;
        c->handle = i;
        list_init(&c->node);
        list_append(&names->free, &c->node);
    }
    int status = open_sockets(names, listen);
    for (int i = 1; i < PORT_ATTEMPTS && status == -EADDRINUSE && listen->port == 0; i++)
        status = open_sockets(names, listen);
    return status == 0 ? open_tls(names, options) : status;
}

void names_server_close(struct names *names)
{
    for (size_t i = 0; i < NAMES_CONNECTIONS_MAX; i++)
        if (names->connections[i].stream != NULL)
            hang_up(&names->connections[i], false);
    if (names->listener != NULL)
        listener_close(names->listener);
    if (names->listener_tls != NULL)
        listener_close(names->listener_tls);
    if (names->dgram != NULL)
        dgram_close(names->dgram);
}
