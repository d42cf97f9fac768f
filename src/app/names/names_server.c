/* SPDX-License-Identifier: ISC */
/*
 * names_server.c - what a query comes to; those that come by UDP (RFC 1035 §4.2.1), and the sockets.
 *
 * A datagram is answered within its callback.
 */
#include <errno.h>

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
    bool allowed =
        wanted ? reach->recursion.count == 0 || names_allows(&reach->recursion, &result->query)
               : names_allows(&reach->cache, &result->query);
    struct names_asking *asking = names_asking_in(names, names_view_of(names, &result->query));
    bool found = asking != NULL && !reach->own_names_only;
    if (wanted && allowed && !reach->own_names_only &&
        names_local_wants(names, &result->work.target))
        return names_local_ask(names, client, result);
    if (found && wanted && allowed)
        return names_resolver_ask(asking, client, result);
    if (found && allowed) {
        names_resolver_recall(asking, result);
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

bool names_may_transfer(const struct names *names, const struct answer_result *result)
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
    if (!names_may_transfer(names, result) || asked->question.type != DNS_IXFR)
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
    enum rate_verdict verdict =
        rate_limit_check(first->rate_limit, &result->query.path.from, result->kind, result->source,
                         loop_now(names->loop));
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
    names_stream_reply(names, client, reply, rcode);
}

/* ---- opening ---- */

static const struct listener_handler listener_handler = {.on_accept = names_stream_accept};

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
    names_streams_open(names);
    int status = open_sockets(names, listen);
    for (int i = 1; i < PORT_ATTEMPTS && status == -EADDRINUSE && listen->port == 0; i++)
        status = open_sockets(names, listen);
    return status == 0 ? open_tls(names, options) : status;
}

void names_server_close(struct names *names)
{
    names_streams_close(names);
    if (names->listener != NULL)
        listener_close(names->listener);
    if (names->listener_tls != NULL)
        listener_close(names->listener_tls);
    if (names->dgram != NULL)
        dgram_close(names->dgram);
}
