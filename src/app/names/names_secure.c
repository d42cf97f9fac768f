/* SPDX-License-Identifier: ISC */
/*
 * names_secure.c - servers that are asked over TLS (RFC 7858): all of the resolver's tasks that ask such a
 * server share one connection to it, which is opened when there is something to ask and ends when there has been
 * nothing for a while.
 *
 * Queries of several tasks may have the same id, so each has one of the connection's own. A connection that the
 * server has ended after it had answered is no failure (RFC 7766 §6.2.4): what it still owes is asked again on a
 * new one. With the opportunistic profile (RFC 8310 §5) a server that cannot be reached by TLS is asked in the
 * clear for a while; with the strict one it is not asked.
 */
#include <errno.h>
#include <stdlib.h>

#include "app/names/internal.h"
#include "wire/dns/dns_option.h"

static bool is_clear(const struct names_secure *secure)
{
    return loop_now(secure->asking->names->loop) < secure->clear_until;
}

struct names_secure *names_secure_find(struct names_asking *asking, const struct endpoint *server)
{
    for (size_t i = 0; i < asking->secure_count; i++)
        if (endpoint_equal(&asking->secure[i].server, server))
            return is_clear(&asking->secure[i]) ? NULL : &asking->secure[i];
    return NULL;
}

struct endpoint names_secure_clear(const struct names_asking *asking, const struct endpoint *server)
{
    for (size_t i = 0; i < asking->secure_count; i++)
        if (endpoint_equal(&asking->secure[i].server, server))
            return (struct endpoint){server->address, NAMES_CLEAR_PORT};
    return *server;
}

/* ---- the connection ---- */

static void drop(struct names_secure *secure)
{
    secure->stream = NULL;
    secure->answered = false;
    secure->asked_at = USEC_NEVER;
    free(secure->buffer);
    secure->buffer = NULL;
}

static void refresh_deadline(struct names_secure *secure)
{
    if (secure->stream != NULL)
        stream_set_deadline(secure->stream, secure->owed > 0
                                                ? USEC_NEVER
                                                : loop_now(secure->asking->names->loop) +
                                                      DNS_STREAM_IDLE_TIMEOUT);
}

static void release(struct names_secure *secure, size_t slot)
{
    secure->slots[slot] = NULL;
    secure->owed--;
}

/* The connection is gone. What it owes is asked again, where it was only at its end; else it has failed. */
static void lost(struct names_secure *secure)
{
    struct names_outside *owed[NAMES_SECURE_OWED_MAX];
    size_t count = 0;
    bool again = secure->answered;
    if (!again && secure->opportunistic) {
        secure->clear_until = loop_now(secure->asking->names->loop) + NAMES_CLEAR_TIME;
        again = true;
    }
    drop(secure);
    for (size_t slot = 0; slot < NAMES_SECURE_OWED_MAX; slot++) {
        if (secure->slots[slot] == NULL)
            continue;
        owed[count++] = secure->slots[slot];
        secure->slots[slot]->secure = NULL;
        release(secure, slot);
    }
    for (size_t i = 0; i < count; i++)
        if (!again || names_outside_again(owed[i]) != 0)
            names_outside_broken(owed[i]);
}

/* It says nothing any more. */
static void give_up(struct names_secure *secure)
{
    stream_abort(secure->stream);
    secure->answered = false; /* as if it had never been there */
    lost(secure);
}

static void on_message(struct names_secure *secure, struct bytes message)
{
    struct reader r = reader_of(message);
    uint16_t id = read_u16(&r);
    size_t slot = id % NAMES_SECURE_OWED_MAX;
    struct names_outside *o = secure->slots[slot];
    if (r.failed || o == NULL || o->secure_id != id)
        return; /* it has come too late */
    secure->answered = true;
    secure->asked_at = USEC_NEVER;
    /* The task's own id stands where ours was; the message lies in our buffer. */
    secure->buffer[0] = (uint8_t)(o->own_id >> 8);
    secure->buffer[1] = (uint8_t)o->own_id;
    names_outside_reply(o, &secure->server, message);
}

static size_t on_bytes(void *self, struct stream *stream, struct bytes in)
{
    struct names_secure *secure = self;
    struct bytes rest = in;
    while (rest.len > 0 && secure->stream == stream) {
        enum dns_stream_event event;
        struct bytes message;
        rest = bytes_after(rest, dns_stream_input(&secure->input, rest, 0, &event, &message));
        if (event == DNS_STREAM_MESSAGE)
            on_message(secure, message);
    }
    return in.len;
}

static void on_end(void *self, struct stream *stream)
{
    struct names_secure *secure = self;
    stream_close(stream);
    lost(secure);
}

static void on_closed(void *self, struct stream *stream UNUSED, int error UNUSED)
{
    lost(self);
}

static void on_deadline(void *self, struct stream *stream)
{
    stream_close(stream);
    drop(self);
}

static int connect_to(struct names_secure *secure)
{
    static const struct stream_handler nothing;
    static const struct stream_handler handler = {
        .on_bytes = on_bytes,
        .on_end = on_end,
        .on_closed = on_closed,
        .on_deadline = on_deadline,
    };
    struct names *names = secure->asking->names;
    struct stream *plain;
    secure->buffer = malloc(DNS_MESSAGE_MAX);
    if (secure->buffer == NULL)
        return -ENOMEM;
    dns_stream_init(&secure->input, secure->buffer, DNS_MESSAGE_MAX, USEC_NEVER, 0);
    int status = net_connect(names->outside_net, &secure->server, NULL, &nothing, NULL, &plain);
    if (status == 0)
        status = tls_connect(secure->client, plain, secure->name, &handler, secure,
                             &secure->stream);
    else
        plain = NULL;
    if (status == 0)
        return 0;
    if (plain != NULL)
        stream_abort(plain);
    drop(secure);
    return status;
}

/* ---- asking ---- */

static size_t free_slot(const struct names_secure *secure)
{
    size_t slot = 0;
    while (slot < NAMES_SECURE_OWED_MAX && secure->slots[slot] != NULL)
        slot++;
    return slot;
}

/* RFC 8467 §4.1: queries are multiples of 128 octets. */
static size_t pad(uint8_t *message, size_t len)
{
    static const uint8_t zeros[NAMES_QUERY_PADDING];
    size_t rest = (len + DNS_OPTION_HEAD_LEN) % NAMES_QUERY_PADDING;
    struct bytes padding = {zeros, rest == 0 ? 0 : NAMES_QUERY_PADDING - rest};
    return dns_option_append(message, len, NAMES_QUERY_MAX, DNS_OPTION_PADDING, padding);
}

int names_secure_ask(struct names_secure *secure, struct names_outside *o, struct bytes query)
{
    uint8_t framed[DNS_STREAM_LENGTH_LEN + NAMES_QUERY_MAX];
    uint8_t *message = framed + DNS_STREAM_LENGTH_LEN;
    size_t slot = free_slot(secure);
    if (slot == NAMES_SECURE_OWED_MAX || query.len < DNS_HEADER_LEN)
        return -ENOSPC;
    usec now = loop_now(secure->asking->names->loop);
    if (secure->stream != NULL && secure->asked_at < now - NAMES_SECURE_SILENCE) {
        give_up(secure);
        return names_outside_again(o);
    }
    int status = secure->stream == NULL ? connect_to(secure) : 0;
    if (status != 0)
        return status;
    memcpy(message, query.data, query.len);
    o->own_id = (uint16_t)(message[0] << 8 | message[1]);
    uint32_t chance = prng_u32(loop_prng(secure->asking->names->loop));
    o->secure_id = (uint16_t)(slot | (chance & ~(uint32_t)(NAMES_SECURE_OWED_MAX - 1)));
    size_t len = pad(message, query.len);
    struct writer w = writer_of(framed, sizeof framed);
    write_u16(&w, (uint16_t)len);
    write_u16(&w, o->secure_id);
    struct bytes all = bytes_of(framed, DNS_STREAM_LENGTH_LEN + len);
    if (stream_room(secure->stream) < all.len)
        return -ENOSPC; /* it takes nothing: the resolver asks another */
    size_t taken = stream_send(secure->stream, all);
    ASSERT(taken == all.len);
    if (secure->asked_at == USEC_NEVER)
        secure->asked_at = now;
    secure->slots[slot] = o;
    secure->owed++;
    o->secure = secure;
    refresh_deadline(secure);
    return 0;
}

void names_secure_forget(struct names_outside *o)
{
    struct names_secure *secure = o->secure;
    if (secure == NULL)
        return;
    o->secure = NULL;
    release(secure, o->secure_id % NAMES_SECURE_OWED_MAX);
    refresh_deadline(secure);
}

/* ---- opening ---- */

int names_secure_open(struct names_asking *asking, const struct names_recursion *recursion)
{
    ASSERT(recursion->secure_count <= NAMES_SECURE_MAX);
    asking->secure = calloc(NAMES_SECURE_MAX, sizeof *asking->secure);
    if (asking->secure == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < recursion->secure_count; i++) {
        const struct names_secure_server *from = &recursion->secure[i];
        struct names_secure *secure = &asking->secure[asking->secure_count++];
        char address[ADDRESS_TEXT_MAX];
        struct text name = text_of(secure->name, sizeof secure->name);
        secure->asking = asking;
        secure->asked_at = USEC_NEVER;
        secure->server = from->server;
        secure->opportunistic = from->name[0] == '\0';
        secure->client = secure->opportunistic ? recursion->tls_anybody : recursion->tls;
        ASSERT(secure->client != NULL);
        text_add(&name, secure->opportunistic ? address_format(&from->server.address, address)
                                              : from->name);
    }
    return 0;
}

void names_secure_close(struct names_asking *asking)
{
    for (size_t i = 0; i < asking->secure_count; i++) {
        if (asking->secure[i].stream != NULL)
            stream_abort(asking->secure[i].stream);
        drop(&asking->secure[i]);
    }
    free(asking->secure);
    asking->secure = NULL;
    asking->secure_count = 0;
}
