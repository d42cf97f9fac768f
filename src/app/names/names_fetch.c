/* SPDX-License-Identifier: ISC */
/*
 * names_fetch.c - what a secondary asks of a primary: its SOA by a datagram, some times, and the zone
 * over a stream (RFC 5936 §4, RFC 1995 §2) or over TLS (RFC 9103), signed where that was agreed on (RFC 8945).
 *
 * SKIPS RFC 1995 §2: differences are not asked for by datagrams.
 */
#include <errno.h>
#include <stdlib.h>

#include "app/names/internal.h"
#include "wire/dns/dns_serial.h"

enum { SLICE = 200 /* names a turn */ };

/* ---- the query ---- */

static bool put_known(struct names_fetch *f, struct dns_builder *b)
{
    const struct zone *zone = zone_set_get(names_zones(f->of->names, f->of->options.view), &f->of->options.zone);
    const struct rrset *soa = zone_rrset(zone->apex, DNS_SOA);
    struct dns_build_record record = {&f->of->options.zone, DNS_SOA, DNS_IN, soa->ttl,
                                      rrset_first(soa)};
    f->serial = zone_serial(zone);
    dns_build_section(b, DNS_AUTHORITY);
    return dns_build_record(b, &record);
}

/* Into f->query, behind room for its length. Each time with a new id. */
static bool make_query(struct names_fetch *f)
{
    struct names *names = f->of->names;
    struct dns_builder b;
    uint8_t *message = f->query + DNS_STREAM_LENGTH_LEN;
    struct dns_question question = {
        .type = !f->transfer ? DNS_SOA : f->incremental ? DNS_IXFR : DNS_AXFR, .class = DNS_IN};
    struct dns_edns edns = {
        .present = true, .udp_size = DNS_UDP_SIZE_DEFAULT, .options = bytes_empty()};
    dns_name_copy(&question.name, &f->of->options.zone);
    f->id = (uint16_t)prng_u32(loop_prng(names->loop));
    dns_build_start(&b, message, NAMES_FETCH_QUERY_MAX);
    bool fits = dns_build_question(&b, &question);
    if (f->incremental)
        fits &= put_known(f, &b);
    if (!f->transfer)
        fits &= dns_build_edns(&b, &edns);
    ASSERT(fits);
    f->query_len = dns_build_finish(&b, f->id, 0).len;
    tsig_client_end(&f->signing);
    f->signing.key = NULL;
    if (dns_name_is_root(&f->primary->key))
        return true;
    const struct tsig_key *key = tsig_keys_find(&names->keys, &f->primary->key);
    if (key == NULL)
        return false;
    tsig_client_init(&f->signing, key, &names->keys.hmac);
    size_t len = tsig_client_sign(&f->signing, (uint64_t)loop_wall_seconds(names->loop), message,
                                  f->query_len, NAMES_FETCH_QUERY_MAX);
    bool is_signed = len > f->query_len;
    f->query_len = len;
    return is_signed;
}

static struct bytes query_of(const struct names_fetch *f)
{
    return bytes_of(f->query + DNS_STREAM_LENGTH_LEN, f->query_len);
}

/* ---- what comes ---- */

/* Is it a reply to what was asked (RFC 5452 §9.1)? */
static bool is_ours(const struct names_fetch *f, const struct dns_summary *summary)
{
    const struct dns_question *question = &summary->question;
    uint16_t type = !f->transfer ? DNS_SOA : f->incremental ? DNS_IXFR : DNS_AXFR;
    if (summary->header.id != f->id || (summary->header.flags & DNS_QR) == 0 ||
        dns_opcode(summary->header.flags) != DNS_OPCODE_QUERY)
        return false;
    return summary->header.counts[DNS_QUESTION] == 0 ||
           (question->type == type && question->class == DNS_IN &&
            dns_name_equal(&question->name, &f->of->options.zone));
}

/* NULL, or what is wrong with its signature. */
static const char *check_signature(struct names_fetch *f, struct bytes message,
                                   const struct dns_summary *summary)
{
    uint64_t wall = (uint64_t)loop_wall_seconds(f->of->names->loop);
    if (f->signing.key == NULL)
        return NULL;
    switch (tsig_client_check(&f->signing, message, summary->tsig_at, wall)) {
    case TSIG_CLIENT_RIGHT:
        return NULL;
    case TSIG_CLIENT_LATER:
        return f->transfer ? NULL : "the reply is not signed";
    case TSIG_CLIENT_WRONG:
        break;
    }
    return f->signing.error != 0 ? dns_tsig_error_text(f->signing.error)
                                 : "the reply is not signed";
}

/* The serial number of the zone's SOA, from an authoritative reply. */
static bool read_serial(const struct names_fetch *f, struct bytes message, uint32_t *out)
{
    struct dns_cursor cursor;
    struct dns_rr rr;
    uint8_t soa[2 * DNS_NAME_MAX + DNS_SOA_NUMBERS_LEN];
    if (dns_cursor_start(&cursor, message) != WIRE_OK || (cursor.header.flags & DNS_AA) == 0)
        return false;
    while (dns_cursor_record(&cursor, &rr) && rr.section == DNS_ANSWER) {
        struct writer w = writer_of(soa, sizeof soa);
        if (rr.type != DNS_SOA || !dns_name_equal(&rr.owner, &f->of->options.zone) ||
            dns_rdata_expand(DNS_SOA, message, rr.rdata, &w) != WIRE_OK || w.failed)
            continue;
        *out = dns_soa_serial(writer_bytes(&w));
        return true;
    }
    return false;
}

static void on_serial(struct names_fetch *f, struct bytes message,
                      const struct dns_summary *summary)
{
    uint32_t serial;
    unsigned rcode = dns_summary_rcode(summary);
    if (rcode != DNS_NOERROR)
        names_fetched_nothing(f->of, dns_rcode_text(rcode));
    else if (!read_serial(f, message, &serial))
        names_fetched_nothing(f->of, "it does not answer with authority for the zone");
    else
        names_fetched_serial(f->of, serial);
}

/* ---- UDP ---- */

static void on_datagram(void *self, struct dgram *dgram UNUSED, const struct dgram_message *m)
{
    struct names_fetch *f = self;
    struct dns_summary summary;
    if (f->dgram == NULL || !endpoint_equal(&m->from, &f->primary->at) ||
        dns_summarise(m->payload, &summary) != WIRE_OK || !is_ours(f, &summary))
        return;
    const char *wrong = check_signature(f, m->payload, &summary);
    /* Anybody could have sent it: what can be believed may still come (RFC 8945 §5.4). But that our key
     * is not known there is worth telling. */
    if (wrong != NULL && f->signing.error == 0)
        return;
    if (wrong != NULL)
        names_fetched_nothing(f->of, wrong);
    else
        on_serial(f, m->payload, &summary);
}

static void on_datagram_error(void *self, struct dgram *dgram UNUSED,
                              const struct endpoint *to UNUSED, int error)
{
    struct names_fetch *f = self;
    if (f->dgram != NULL)
        names_fetched_nothing(f->of, strerror(error));
}

static int send_query(struct names_fetch *f)
{
    if (!make_query(f))
        return -ENOKEY;
    struct dgram_message message = {.to = f->primary->at, .payload = query_of(f)};
    f->attempts++;
    f->due_at = loop_now(f->of->names->loop) + NAMES_ASK_PAUSE;
    int status = dgram_send(f->dgram, &message);
    return status == -EAGAIN ? 0 : status;
}

static int ask(struct names_fetch *f)
{
    static const struct dgram_handler handler = {on_datagram, on_datagram_error};
    bool v4 = address_is_v4(&f->primary->at.address);
    struct dgram_options options = {.local = {v4 ? address_any_v4() : address_any_v6(), 0}};
    int status = net_bind(f->of->names->peers_net, &options, &handler, f, &f->dgram);
    if (status != 0) {
        f->dgram = NULL;
        return status;
    }
    return send_query(f);
}

/* ---- TCP ---- */

/* The whole zone is here: does it hold together? */
static void check_slice(struct task *task)
{
    struct names_fetch *f = CONTAINER_OF(task, struct names_fetch, checking);
    if (!zone_check_step(&f->check, SLICE)) {
        loop_queue(f->of->names->loop, &f->checking);
        return;
    }
    if (f->check.good)
        names_fetched_zone(f->of);
    else
        names_fetched_nothing(f->of, f->error);
}

static void on_finding(void *self, bool error, const char *text)
{
    struct names_fetch *f = self;
    if (!error || f->error[0] != '\0')
        return;
    struct text t = text_of(f->error, sizeof f->error);
    text_add(&t, text);
}

static void begin_check(struct names_fetch *f)
{
    stream_abort(f->stream);
    f->stream = NULL;
    f->zone = zone_receive_take(f->receive);
    f->checker = (struct zone_checker){on_finding, f};
    zone_check_start(&f->check, f->zone, &f->checker);
    loop_queue(f->of->names->loop, &f->checking);
}

/* The next message is one of the zone's. */
static void on_part(struct names_fetch *f, struct bytes message)
{
    enum zone_receive_status status = zone_receive_message(f->receive, message);
    if (status == ZONE_RECEIVE_MORE)
        return;
    if (status != ZONE_RECEIVE_FAILED && f->signing.key != NULL &&
        !tsig_client_settled(&f->signing)) {
        names_fetched_nothing(f->of, "the end of the transfer is not signed");
        return;
    }
    switch (status) {
    case ZONE_RECEIVE_ZONE:
        begin_check(f);
        return;
    case ZONE_RECEIVE_CHANGES:
        names_fetched_changes(f->of);
        return;
    case ZONE_RECEIVE_CURRENT:
        names_fetched_current(f->of);
        return;
    case ZONE_RECEIVE_FAILED:
    case ZONE_RECEIVE_MORE:
        break;
    }
    if (f->incremental)
        names_fetch_whole_instead(f->of, zone_receive_error(f->receive));
    else
        names_fetched_nothing(f->of, zone_receive_error(f->receive));
}

static void on_transfer_message(struct names_fetch *f, struct bytes message)
{
    struct dns_summary summary;
    if (dns_summarise_further(message, &summary) != WIRE_OK || !is_ours(f, &summary)) {
        names_fetched_nothing(f->of, "it sends what was not asked for");
        return;
    }
    const char *wrong = check_signature(f, message, &summary);
    unsigned rcode = dns_summary_rcode(&summary);
    if (wrong != NULL)
        names_fetched_nothing(f->of, wrong);
    else if (f->incremental && (rcode == DNS_FORMERR || rcode == DNS_NOTIMP))
        names_fetch_whole_instead(f->of, dns_rcode_text(rcode)); /* RFC 1995 §4 */
    else if (rcode != DNS_NOERROR)
        names_fetched_nothing(f->of, dns_rcode_text(rcode));
    else
        on_part(f, message);
}

static void on_open(void *self, struct stream *stream)
{
    struct names_fetch *f = self;
    struct writer w = writer_of(f->query, DNS_STREAM_LENGTH_LEN);
    write_u16(&w, (uint16_t)f->query_len);
    struct bytes framed = bytes_of(f->query, DNS_STREAM_LENGTH_LEN + f->query_len);
    if (stream_send(stream, framed) != framed.len)
        names_fetched_nothing(f->of, "it does not take the query");
}

/* A fetch that ends in the middle is another one, or none, for its secondary. */
static size_t on_bytes(void *self, struct stream *stream, struct bytes in)
{
    struct names_fetch *f = self;
    struct names_secondary *s = f->of;
    struct bytes rest = in;
    while (rest.len > 0 && s->fetch == f && f->stream == stream) {
        enum dns_stream_event event;
        struct bytes message;
        usec now = loop_now(s->names->loop);
        rest = bytes_after(rest, dns_stream_input(&f->input, rest, now, &event, &message));
        if (event != DNS_STREAM_MESSAGE)
            continue;
        f->due_at = now + NAMES_FETCH_PAUSE_MAX;
        on_transfer_message(f, message);
    }
    return in.len;
}

static void cut(struct names_fetch *f, const char *why)
{
    bool unused = f->receive != NULL && zone_receive_octets(f->receive) == 0;
    if (f->incremental && unused)
        names_fetch_whole_instead(f->of, why); /* some hang up on what they do not know */
    else
        names_fetched_nothing(f->of, why);
}

static void on_end(void *self, struct stream *stream UNUSED)
{
    cut(self, "the connection ends before the zone does");
}

static void on_closed(void *self, struct stream *stream, int error)
{
    struct names_fetch *f = self;
    const char *tls = tls_stream_error(stream);
    f->stream = NULL;
    if (tls[0] != '\0')
        names_fetched_nothing(f->of, tls);
    else if (error == ECONNREFUSED || error == ETIMEDOUT || error == EHOSTUNREACH)
        names_fetched_nothing(f->of, strerror(error));
    else
        cut(f, error != 0 ? strerror(error) : "the connection ends before the zone does");
}

/* RFC 9103 §8: a connection on TLS. */
static int connect_over_tls(struct names *names, const struct tsig_peer *peer, const char *name,
                            const struct stream_handler *handler, void *self, struct stream **out)
{
    static const struct stream_handler nothing;
    struct tls_client *client = name[0] != '\0' ? names->peers_tls : names->peers_tls_anybody;
    char address[ADDRESS_TEXT_MAX];
    struct stream *plain;
    if (client == NULL)
        return -EPROTONOSUPPORT;
    if (name[0] == '\0') /* it is not looked for in the certificate */
        name = address_format(&peer->at.address, address);
    int status = net_connect(names->peers_net, &peer->at, NULL, &nothing, NULL, &plain);
    if (status != 0)
        return status;
    status = tls_connect(client, plain, name, handler, self, out);
    if (status != 0)
        stream_abort(plain);
    return status;
}

int names_peer_connect(struct names *names, const struct tsig_peer *peer, const struct names_over_tls *tls,
                       const struct stream_handler *handler, void *self, struct stream **out)
{
    int status = tls->secure
                     ? connect_over_tls(names, peer, tls->name, handler, self, out)
                     : net_connect(names->peers_net, &peer->at, NULL, handler, self, out);
    if (status != 0)
        *out = NULL;
    return status;
}

static int fetch(struct names_fetch *f)
{
    static const struct stream_handler handler = {
        .on_open = on_open, .on_bytes = on_bytes, .on_end = on_end, .on_closed = on_closed};
    const struct names_secondary_options *options = &f->of->options;
    struct names *names = f->of->names;
    if (!make_query(f))
        return -ENOKEY;
    const struct zone_receive_options receive = {
        .heap = names->heap,
        .name = &options->zone,
        .incremental = f->incremental,
        .serial = f->serial,
        .records_max = options->records_max != 0 ? options->records_max : NAMES_RECORDS_MAX,
        .octets_max = options->octets_max != 0 ? options->octets_max : NAMES_FETCH_OCTETS_MAX,
        .change_octets_max = NAMES_CHANGE_OCTETS_MAX,
    };
    f->buffer = malloc(DNS_MESSAGE_MAX);
    f->receive = zone_receive_new(&receive);
    if (f->buffer == NULL || f->receive == NULL)
        return -ENOMEM;
    dns_stream_init(&f->input, f->buffer, DNS_MESSAGE_MAX, USEC_NEVER, 0);
    f->due_at = f->started_at + NAMES_FETCH_PAUSE_MAX;
    return names_peer_connect(names, f->primary, f->tls, &handler, f, &f->stream);
}

/* ---- life ---- */

int names_fetch_start(struct names_secondary *s, bool transfer, bool incremental)
{
    ASSERT(s->fetch == NULL);
    struct names_fetch *f = calloc(1, sizeof *f);
    if (f == NULL)
        return -ENOMEM;
    s->fetch = f;
    f->of = s;
    f->primary = &s->options.primaries[s->timers.primary];
    f->tls = &s->options.tls[s->timers.primary];
    f->transfer = transfer;
    f->incremental = incremental;
    f->started_at = loop_now(s->names->loop);
    task_init(&f->checking, check_slice);
    *(transfer ? &s->names->fetches : &s->names->asks) += 1;
    return transfer ? fetch(f) : ask(f);
}

void names_fetch_end(struct names_secondary *s)
{
    struct names_fetch *f = s->fetch;
    if (f == NULL)
        return;
    s->fetch = NULL;
    *(f->transfer ? &s->names->fetches : &s->names->asks) -= 1;
    loop_unqueue(&f->checking);
    if (f->dgram != NULL)
        dgram_close(f->dgram);
    if (f->stream != NULL)
        stream_abort(f->stream);
    tsig_client_end(&f->signing);
    zone_receive_free(f->receive);
    names_discard_zone(s->names, f->zone);
    free(f->buffer);
    free(f);
}

void names_fetch_tick(struct names_secondary *s)
{
    struct names_fetch *f = s->fetch;
    usec now = loop_now(s->names->loop);
    if (f->zone != NULL || now < names_fetch_deadline(s))
        return;
    if (f->transfer) {
        bool long_ago = now >= f->started_at + NAMES_FETCH_TIME_MAX;
        names_fetched_nothing(s, long_ago ? "it takes too long" : "it sends no more");
        return;
    }
    int status = f->attempts < NAMES_ASK_ATTEMPTS ? send_query(f) : -ETIMEDOUT;
    if (status != 0)
        names_fetched_nothing(s, strerror(-status));
}

usec names_fetch_deadline(const struct names_secondary *s)
{
    const struct names_fetch *f = s->fetch;
    if (f->zone != NULL)
        return USEC_NEVER; /* it is only looked at */
    usec end = f->started_at + NAMES_FETCH_TIME_MAX;
    return f->due_at < end ? f->due_at : end;
}
