/* SPDX-License-Identifier: ISC */
/*
 * lookup_exchange.c - a query and its reply over the host's sockets (RFC 1035 §4.2, RFC 7766), and
 * zone transfers, of which the reply is many messages (RFC 5936, RFC 1995).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/lookup.h"
#include "os/clock.h"
#include "os/hmac.h"

enum { RCODE_BADCOOKIE = 23 }; /* RFC 7873 §8 */

struct exchange {
    struct lookup *lookup;
    const struct lookup_ask *ask;
    struct bytes query;
    uint16_t id;
    const char *transport;
    bool done;
    int error;
    usec sent_at;
    struct dns_stream input;
    struct lookup_reply *out;
    struct tsig_hmac hmac;
    struct tsig_client *signing; /* NULL: the query is not signed */
};

static void finish(struct exchange *x, int error)
{
    x->done = true;
    x->error = error;
    loop_stop(x->lookup->loop);
}

/* Is it the reply to our question (RFC 5452 §9.1)? Later messages of a transfer may have no
 * question (RFC 5936 §2.2.2), and errors of old servers have none either. */
static bool is_ours(const struct exchange *x, const struct lookup_reply *reply,
                    enum wire_status status)
{
    const struct dns_summary *s = &reply->summary;
    if (status == WIRE_TRUNCATED || s->header.id != x->id || (s->header.flags & DNS_QR) == 0)
        return false;
    if (status == WIRE_OK && s->header.counts[DNS_QUESTION] > 0)
        return s->question.type == x->ask->question.type &&
               s->question.class == x->ask->question.class &&
               dns_name_equal(&s->question.name, &x->ask->question.name);
    return s->header.counts[DNS_QUESTION] == 0;
}

static void check_signature(struct exchange *x, struct bytes message, struct lookup_reply *reply)
{
    uint64_t now = (uint64_t)loop_wall_seconds(x->lookup->loop);
    reply->wrong = false;
    if (x->signing == NULL)
        return;
    enum tsig_client_verdict verdict =
        tsig_client_check(x->signing, message, reply->summary.tsig_at, now);
    reply->wrong = verdict == TSIG_CLIENT_WRONG || (verdict == TSIG_CLIENT_LATER && !x->ask->many);
    reply->tsig_error = x->signing->error;
}

static void on_reply(struct exchange *x, struct bytes message)
{
    struct lookup_reply *reply = x->out;
    struct dns_summary summary = {.edns.options = bytes_empty()};
    /* It is looked at after its buffer has gone, by views of it. */
    ASSERT(message.len <= sizeof x->lookup->reply);
    if (message.data != x->lookup->reply) /* where those of HTTPS are already */
        memcpy(x->lookup->reply, message.data, message.len);
    message = bytes_of(x->lookup->reply, message.len);
    enum wire_status status = x->ask->many ? dns_summarise_further(message, &summary)
                                           : dns_summarise(message, &summary);
    reply->summary = summary;
    if (status != WIRE_OK)
        reply->summary.question = x->ask->question;
    if (!is_ours(x, reply, status))
        return;
    check_signature(x, message, reply);
    reply->message = message;
    reply->server = x->ask->server;
    reply->transport = x->transport;
    reply->wall_seconds = loop_wall_seconds(x->lookup->loop);
    reply->taken = clock_monotonic() - x->sent_at;
    if (x->ask->take == NULL || !x->ask->take(x->ask->self, reply))
        finish(x, 0);
}

/* ---- UDP ---- */

static void on_datagram(void *self, struct dgram *dgram UNUSED, const struct dgram_message *m)
{
    struct exchange *x = self;
    if (!x->done && endpoint_equal(&m->from, &x->ask->server))
        on_reply(x, m->payload);
}

static void on_datagram_error(void *self, struct dgram *dgram UNUSED,
                              const struct endpoint *to UNUSED, int error)
{
    struct exchange *x = self;
    if (!x->done)
        finish(x, -error);
}

static int by_datagram(struct exchange *x, usec until)
{
    static const struct dgram_handler handler = {on_datagram, on_datagram_error};
    struct lookup *l = x->lookup;
    bool v4 = address_is_v4(&x->ask->server.address);
    struct dgram_options options = {.local = {v4 ? address_any_v4() : address_any_v6(), 0}};
    struct dgram *dgram;
    int status = net_bind(l->net, &options, &handler, x, &dgram);
    if (status != 0)
        return status;
    struct dgram_message message = {.to = x->ask->server, .payload = x->query};
    x->sent_at = clock_monotonic();
    status = dgram_send(dgram, &message);
    if (status == 0 && !x->done)
        status = loop_run_until(l->loop, until);
    dgram_close(dgram);
    return status;
}

/* ---- TCP ---- */

static void on_open(void *self, struct stream *stream)
{
    struct exchange *x = self;
    struct writer w = writer_of(x->lookup->query, DNS_STREAM_LENGTH_LEN);
    struct tls_facts facts;
    if (tls_stream_facts(stream, &facts))
        lookup_secure_note(x->lookup, &facts, "");
    write_u16(&w, (uint16_t)x->query.len); /* in front of the message (RFC 1035 §4.2.2) */
    /* A new connection has room for it. */
    (void)stream_send(stream, bytes_of(x->lookup->query, DNS_STREAM_LENGTH_LEN + x->query.len));
}

static size_t on_bytes(void *self, struct stream *stream UNUSED, struct bytes in)
{
    struct exchange *x = self;
    struct bytes rest = in;
    while (rest.len > 0 && !x->done) {
        enum dns_stream_event event;
        struct bytes message;
        size_t used =
            dns_stream_input(&x->input, rest, loop_now(x->lookup->loop), &event, &message);
        rest = bytes_after(rest, used);
        if (event == DNS_STREAM_MESSAGE)
            on_reply(x, message);
    }
    return in.len;
}

static void on_end(void *self, struct stream *stream UNUSED)
{
    struct exchange *x = self;
    if (!x->done)
        finish(x, -EPIPE);
}

static void on_closed(void *self, struct stream *stream, int error)
{
    struct exchange *x = self;
    lookup_secure_failed(x->lookup, stream);
    x->input.buffer = NULL; /* the stream is gone */
    if (!x->done)
        finish(x, error != 0 ? -error : -EPIPE);
}

static int open_stream(struct exchange *x, struct stream **out)
{
    static const struct stream_handler nothing;
    static const struct stream_handler handler = {
        .on_open = on_open, .on_bytes = on_bytes, .on_end = on_end, .on_closed = on_closed};
    struct lookup *l = x->lookup;
    struct stream *plain;
    if (!l->secure.tls)
        return net_connect(l->net, &x->ask->server, NULL, &handler, x, out);
    int status = net_connect(l->net, &x->ask->server, NULL, &nothing, NULL, &plain);
    if (status != 0)
        return status;
    status = lookup_secure_connect(l, x->ask, plain, &handler, x, out);
    if (status != 0)
        stream_abort(plain);
    return status;
}

static int by_stream(struct exchange *x, usec until)
{
    struct lookup *l = x->lookup;
    struct stream *stream;
    uint8_t *buffer = malloc(DNS_MESSAGE_MAX);
    if (buffer == NULL)
        return -ENOMEM;
    dns_stream_init(&x->input, buffer, DNS_MESSAGE_MAX, USEC_NEVER, 0);
    x->sent_at = clock_monotonic();
    int status = open_stream(x, &stream);
    if (status == 0) {
        if (!x->done)
            status = loop_run_until(l->loop, until);
        if (x->input.buffer != NULL)
            stream_abort(stream);
    }
    free(buffer);
    return status;
}

/* ---- HTTPS ---- */

static int by_https(struct exchange *x, usec until)
{
    struct bytes message;
    x->sent_at = clock_monotonic();
    int status = lookup_https(x->lookup, x->ask, x->query, until, &message);
    if (status != 0)
        return status;
    on_reply(x, message);
    if (!x->done)
        finish(x, -EBADMSG);
    return 0;
}

/* ---- the query ---- */

static void add_options(struct lookup *l, struct writer *w)
{
    if (l->nsid)
        dns_option_write(w, DNS_OPTION_NSID, bytes_empty());
    if (l->cookie)
        dns_option_write(w, DNS_OPTION_COOKIE, bytes_of(l->cookie_octets, l->cookie_len));
}

/* An incremental transfer says which serial number we have: a SOA of which only that matters (RFC
 * 1995 §3). */
static bool add_serial(struct dns_builder *b, const struct lookup_ask *ask)
{
    uint8_t soa[2 + 20] = {0};
    struct writer w = writer_of(soa + 2, 4);
    write_u32(&w, ask->serial);
    dns_build_section(b, DNS_AUTHORITY);
    return dns_build_record(b, &(struct dns_build_record){.owner = &ask->question.name,
                                                          .type = DNS_SOA,
                                                          .class = ask->question.class,
                                                          .rdata = bytes_of(soa, sizeof soa)});
}

/* Another message than a query, as it is. */
static struct bytes copy_message(const struct lookup_ask *ask, uint16_t id, uint8_t *buffer)
{
    struct writer w = writer_of(buffer, DNS_MESSAGE_MAX - LOOKUP_SIGNATURE_MAX);
    write_bytes(&w, ask->message);
    write_u16_at(&w, 0, id);
    ASSERT(!w.failed);
    return writer_bytes(&w);
}

static struct bytes make_query(struct lookup *l, const struct lookup_ask *ask, uint16_t id,
                               uint8_t *buffer)
{
    struct dns_builder b;
    if (ask->message.len > 0)
        return copy_message(ask, id, buffer);
    uint8_t options[128];
    struct writer w = writer_of(options, sizeof options);
    uint16_t flags = (uint16_t)((ask->recursion ? DNS_RD : 0) | (l->authentic_data ? DNS_AD : 0) |
                                (l->checking_disabled ? DNS_CD : 0));
    add_options(l, &w);
    dns_build_start(&b, buffer, LOOKUP_QUERY_MAX);
    bool fits = dns_build_question(&b, &ask->question);
    if (ask->question.type == DNS_IXFR)
        fits &= add_serial(&b, ask);
    if (l->edns) {
        struct dns_edns edns = {.present = true,
                                .dnssec_ok = l->dnssec,
                                .udp_size = (uint16_t)l->bufsize,
                                .options = writer_bytes(&w)};
        fits &= dns_build_edns(&b, &edns);
    }
    ASSERT(fits && !w.failed);
    return dns_build_finish(&b, id, flags);
}

static int exchange_once(struct lookup *l, const struct lookup_ask *ask, bool stream,
                         struct lookup_reply *out)
{
    uint8_t *query = l->query + DNS_STREAM_LENGTH_LEN;
    struct tsig_client signing;
    struct exchange x = {.lookup = l, .ask = ask, .out = out};
    x.transport = l->secure.https ? "HTTPS" : l->secure.tls ? "TLS" : stream ? "TCP" : "UDP";
    /* RFC 8484 §4.1: alike queries are to look alike to caches. */
    x.id = l->secure.https ? 0 : (uint16_t)prng_u32(loop_prng(l->loop));
    x.query = make_query(l, ask, x.id, query);
    if (ask->message.len == 0)
        x.query = bytes_of(query, lookup_secure_pad(l, query, x.query.len, LOOKUP_QUERY_MAX));
    l->reason[0] = '\0';
    x.hmac = (struct tsig_hmac){hmac_start, hmac_add, hmac_end, l->hmac};
    if (l->key.name.len > 0) {
        tsig_client_init(&signing, &l->key, &x.hmac);
        x.signing = &signing;
        size_t len = tsig_client_sign(&signing, (uint64_t)loop_wall_seconds(l->loop), query,
                                      x.query.len, DNS_MESSAGE_MAX);
        if (len == x.query.len)
            return -ENOMEM;
        x.query = bytes_of(query, len);
    }
    usec until = clock_monotonic() + l->timeout;
    int status = l->secure.https                ? by_https(&x, until)
                 : stream || l->secure.tls ? by_stream(&x, until)
                                           : by_datagram(&x, until);
    if (status == 0 && ask->many && x.signing != NULL && !out->wrong)
        out->wrong = !tsig_client_settled(&signing);
    if (x.signing != NULL)
        tsig_client_end(&signing);
    if (status != 0)
        return status;
    return x.done ? x.error : -ETIMEDOUT;
}

/* RFC 7873 §5.3: the server's cookie is to be sent along, and the question asked again. */
static bool take_cookie(struct lookup *l, const struct lookup_reply *reply)
{
    struct bytes cookie;
    if (!l->cookie || dns_summary_rcode(&reply->summary) != RCODE_BADCOOKIE ||
        !dns_edns_option(&reply->summary.edns, DNS_OPTION_COOKIE, &cookie) ||
        cookie.len <= DNS_COOKIE_CLIENT_LEN || cookie.len > DNS_COOKIE_MAX ||
        !bytes_equal(bytes_first(cookie, DNS_COOKIE_CLIENT_LEN),
                     bytes_of(l->cookie_octets, DNS_COOKIE_CLIENT_LEN)))
        return false;
    memcpy(l->cookie_octets, cookie.data, cookie.len);
    l->cookie_len = cookie.len;
    return true;
}

int lookup_exchange(struct lookup *l, const struct lookup_ask *ask, struct lookup_reply *out)
{
    int status = exchange_once(l, ask, ask->stream, out);
    if (status == 0 && take_cookie(l, out))
        status = exchange_once(l, ask, ask->stream, out);
    bool truncated = status == 0 && (out->summary.header.flags & DNS_TC) != 0;
    if (truncated && !ask->stream && !l->secure.tls && !l->ignore_truncation) {
        if (l->show.comments && !l->short_form && !l->json && !l->trace)
            printf(";; Truncated, retrying over TCP.\n");
        status = exchange_once(l, ask, true, out);
    }
    return status;
}
