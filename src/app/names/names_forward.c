/* SPDX-License-Identifier: ISC */
/*
 * names_forward.c - UPDATE messages for zones that are had from others, passed on to a primary over a stream, and
 * its replies passed back (RFC 2136 §6). Who has signed with a key of ours is believed or not here, and the message
 * signed anew with the primary's key; one with a key that is not ours goes, and comes back, as it is, for the
 * primary to judge (RFC 8945 §5.5).
 *
 * A primary that cannot be reached leaves it to the next. Once one has the message, no other gets it: it may have
 * been carried out though no reply comes.
 */
#include <errno.h>
#include <stdlib.h>

#include "app/names/internal.h"

enum { ARCOUNT_AT = 10, SIGNATURE_MAX = 1024 };
#define FORWARD_TIME (10 * USEC_PER_SEC)

/* One on its way. */
struct names_forwarded {
    struct list_node node;
    struct names *names;
    struct resolver_client client; /* who is owed a reply */
    bool as_it_is;                 /* with a signature that is not ours to judge */
    bool sent;
    struct tsig_peer primaries[SECONDARY_PRIMARIES_MAX];
    struct names_over_tls tls[SECONDARY_PRIMARIES_MAX];
    size_t primary_count, primary;
    uint16_t id;
    struct tsig_client signing;    /* .key NULL: it is not signed by us */
    struct stream *stream;
    struct dns_stream input;
    struct alarm alarm;
    size_t len;                    /* of the message as it came, but for a signature that was judged */
    size_t query_len;              /* of what is sent, with its length in front */
    uint8_t *query;
    uint8_t *buffer;               /* of the stream */
    uint8_t message[];
};

/* ---- ending ---- */

static void drop(struct names_forwarded *f)
{
    if (f->stream != NULL)
        stream_abort(f->stream);
    loop_clear_alarm(f->names->loop, &f->alarm);
    tsig_client_end(&f->signing);
    list_remove(&f->node);
    f->names->forwarded_count--;
    free(f->query);
    free(f->buffer);
    free(f);
}

/* With that RCODE; it is gone then. */
static void answer_client(struct names_forwarded *f, unsigned rcode)
{
    struct names *names = f->names;
    struct resolver_client client = f->client;
    drop(f);
    struct bytes reply = answer_refuse(names_answering(names, &client.query), &client.query, rcode,
                                       names_reply_buffer(names));
    names_reply_forwarded(names, &client, reply, rcode);
}

static void fail(struct names_forwarded *f)
{
    f->names->counters.updates_forward_failed++;
    answer_client(f, DNS_SERVFAIL);
}

/* What the primary has said, its signature too, to who can judge it: with the id that he knows. */
static void pass_back(struct names_forwarded *f, struct bytes message, unsigned rcode)
{
    struct names *names = f->names;
    struct resolver_client client = f->client;
    uint8_t *buffer = names_reply_buffer(names);
    memcpy(buffer, message.data, message.len);
    buffer[0] = (uint8_t)(client.query.id >> 8);
    buffer[1] = (uint8_t)client.query.id;
    drop(f);
    struct bytes reply = bytes_of(buffer, message.len);
    if (reply.len > client.query.limit)
        reply = answer_truncated(names_answering(names, &client.query), &client.query, buffer);
    names_reply_forwarded(names, &client, reply, rcode);
}

/* ---- sending ---- */

static void try_primary(struct names_forwarded *f);

/* This primary is of no use. */
static void try_next(struct names_forwarded *f)
{
    if (f->stream != NULL)
        stream_abort(f->stream);
    f->stream = NULL;
    f->primary++;
    if (f->sent || f->primary == f->primary_count)
        fail(f);
    else
        try_primary(f);
}

/* False: it cannot be signed. */
static bool make_query(struct names_forwarded *f)
{
    struct names *names = f->names;
    const struct tsig_peer *primary = &f->primaries[f->primary];
    uint8_t *message = f->query + DNS_STREAM_LENGTH_LEN;
    size_t len = f->len;
    f->id = (uint16_t)prng_u32(loop_prng(names->loop));
    memcpy(message, f->message, f->len);
    message[0] = (uint8_t)(f->id >> 8);
    message[1] = (uint8_t)f->id;
    tsig_client_end(&f->signing);
    f->signing.key = NULL;
    if (!f->as_it_is && !dns_name_is_root(&primary->key)) {
        const struct tsig_key *key = tsig_keys_find(&names->keys, &primary->key);
        if (key == NULL)
            return false;
        tsig_client_init(&f->signing, key, &names->keys.hmac);
        len = tsig_client_sign(&f->signing, (uint64_t)loop_wall_seconds(names->loop), message, f->len,
                               f->len + SIGNATURE_MAX);
        if (len == f->len || len > DNS_MESSAGE_MAX)
            return false;
    }
    f->query[0] = (uint8_t)(len >> 8);
    f->query[1] = (uint8_t)len;
    f->query_len = DNS_STREAM_LENGTH_LEN + len;
    return true;
}

static void on_open(void *self, struct stream *stream)
{
    struct names_forwarded *f = self;
    size_t sent = stream_send(stream, bytes_of(f->query, f->query_len));
    f->sent = sent > 0;
    if (sent != f->query_len)
        try_next(f);
}

/* ---- what comes ---- */

/* Is it the reply, and to be believed? */
static bool is_reply(struct names_forwarded *f, struct bytes message, struct dns_summary *summary)
{
    if (dns_summarise(message, summary) != WIRE_OK || summary->header.id != f->id ||
        (summary->header.flags & DNS_QR) == 0 ||
        dns_opcode(summary->header.flags) != DNS_OPCODE_UPDATE)
        return false;
    return f->signing.key == NULL ||
           tsig_client_check(&f->signing, message, summary->tsig_at,
                             (uint64_t)loop_wall_seconds(f->names->loop)) == TSIG_CLIENT_RIGHT;
}

/* It is gone then. */
static void on_message(struct names_forwarded *f, struct bytes message)
{
    struct dns_summary summary;
    if (!is_reply(f, message, &summary)) {
        fail(f);
        return;
    }
    f->names->counters.updates_forwarded++;
    if (f->as_it_is)
        pass_back(f, message, dns_summary_rcode(&summary));
    else
        answer_client(f, dns_summary_rcode(&summary));
}

static size_t on_bytes(void *self, struct stream *stream UNUSED, struct bytes in)
{
    struct names_forwarded *f = self;
    struct bytes rest = in;
    while (rest.len > 0) {
        enum dns_stream_event event;
        struct bytes message;
        rest = bytes_after(rest, dns_stream_input(&f->input, rest, loop_now(f->names->loop), &event,
                                                  &message));
        if (event == DNS_STREAM_MESSAGE) {
            on_message(f, message);
            return in.len;
        }
        if (event == DNS_STREAM_TOO_LONG) {
            fail(f);
            return in.len;
        }
    }
    return in.len;
}

static void on_end(void *self, struct stream *stream UNUSED)
{
    try_next(self);
}

static void on_closed(void *self, struct stream *stream UNUSED, int error UNUSED)
{
    struct names_forwarded *f = self;
    f->stream = NULL;
    try_next(f);
}

static void on_alarm(struct alarm *alarm)
{
    fail(CONTAINER_OF(alarm, struct names_forwarded, alarm));
}

static void try_primary(struct names_forwarded *f)
{
    static const struct stream_handler handler = {
        .on_open = on_open, .on_bytes = on_bytes, .on_end = on_end, .on_closed = on_closed};
    for (; f->primary < f->primary_count; f->primary++) {
        dns_stream_init(&f->input, f->buffer, DNS_MESSAGE_MAX, USEC_NEVER, 0);
        if (make_query(f) && names_peer_connect(f->names, &f->primaries[f->primary],
                                                &f->tls[f->primary], &handler, f, &f->stream) == 0)
            return;
        f->stream = NULL;
    }
    fail(f);
}

/* ---- beginning ---- */

bool names_forwards(const struct names *names, const struct answer_query *query)
{
    return names_allows(&names->forwards, query) &&
           names_secondary_of(names, query, &query->question.name) != NULL;
}

/* A signature that was judged is taken off. */
static size_t without_signature(struct bytes message, uint8_t *out)
{
    struct dns_summary summary;
    size_t len = message.len;
    memcpy(out, message.data, message.len);
    if (dns_summarise(message, &summary) != WIRE_OK || summary.tsig_at == 0)
        return len;
    unsigned count = (unsigned)out[ARCOUNT_AT] << 8 | out[ARCOUNT_AT + 1];
    count--;
    out[ARCOUNT_AT] = (uint8_t)(count >> 8);
    out[ARCOUNT_AT + 1] = (uint8_t)count;
    return summary.tsig_at;
}

static void on_task_alarm(struct alarm *alarm)
{
    struct names_forwarded *f = CONTAINER_OF(alarm, struct names_forwarded, alarm);
    alarm_init(&f->alarm, on_alarm);
    loop_set_alarm(f->names->loop, &f->alarm, loop_now(f->names->loop) + FORWARD_TIME);
    try_primary(f);
}

bool names_forward(struct names *names, const struct resolver_client *client, struct bytes message)
{
    const struct answer_query *query = &client->query;
    const struct names_secondary *s = names_secondary_of(names, query, &query->question.name);
    struct names_forwarded *f = NULL;
    if (names->forwarded_count < NAMES_FORWARDED_MAX)
        f = calloc(1, sizeof *f + message.len);
    if (f == NULL)
        return false;
    f->names = names;
    f->client = *client;
    f->as_it_is = query->tsig.key == NULL && query->tsig.error != 0;
    f->client.query.tsig.error = 0;
    f->primary_count = s->options.primary_count;
    memcpy(f->primaries, s->options.primaries, sizeof f->primaries);
    memcpy(f->tls, s->options.tls, sizeof f->tls);
    f->len = message.len;
    if (f->as_it_is)
        memcpy(f->message, message.data, message.len);
    else
        f->len = without_signature(message, f->message);
    f->query = malloc(DNS_STREAM_LENGTH_LEN + f->len + SIGNATURE_MAX);
    f->buffer = malloc(DNS_MESSAGE_MAX);
    alarm_init(&f->alarm, on_task_alarm);
    list_append(&names->forwarded, &f->node);
    names->forwarded_count++;
    if (f->query == NULL || f->buffer == NULL) {
        drop(f);
        return false;
    }
    /* In the next turn: a reply, be it that nobody is there, comes when it is known that one is owed. */
    loop_set_alarm(names->loop, &f->alarm, loop_now(names->loop));
    return true;
}

void names_forward_open(struct names *names)
{
    list_init(&names->forwarded);
}

void names_forward_close(struct names *names)
{
    while (!list_empty(&names->forwarded))
        drop(CONTAINER_OF(list_first(&names->forwarded), struct names_forwarded, node));
}
