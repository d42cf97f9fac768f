/* SPDX-License-Identifier: ISC */
/*
 * web_dns.c - DNS over HTTPS (RFC 8484): a query comes in the parameter "dns" of GET or as the body of POST,
 * goes to the name service, and its reply goes back, at once or when it comes.
 */
#include <stdio.h>
#include <stdlib.h>

#include "app/web/web_exchange.h"
#include "base/encoding.h"
#include "wire/dns/dns_message.h"

enum { QUERY_MAX = 4096 }; /* as by TCP: one question, and options */

static const char message_type[] = "application/dns-message";

struct web_question {
    uint32_t handle;         /* 0: it has not been asked */
    size_t len;
    uint8_t message[QUERY_MAX];
};

void web_dns_forget(struct web_exchange *exchange)
{
    const struct web_dns *dns = &exchange->web->dns;
    if (exchange->question == NULL)
        return;
    if (exchange->question->handle != 0)
        dns->forget(dns->self, exchange->question->handle);
    free(exchange->question);
    exchange->question = NULL;
}

/* ---- replies ---- */

/* How long it is fresh (RFC 8484 §5.1): as the shortest of its answers; what does not exist as its SOA says
 * (RFC 2308 §5). False: it does not say. */
static bool lifetime(struct bytes reply, uint32_t *out)
{
    enum { MINIMUM_LEN = 4, SERIAL_TO_MINIMUM = 20 };
    struct dns_cursor cursor;
    struct dns_rr rr;
    bool known = false;
    if (dns_cursor_start(&cursor, reply) != WIRE_OK)
        return false;
    while (dns_cursor_record(&cursor, &rr) && rr.section <= DNS_AUTHORITY) {
        bool soa = rr.section == DNS_AUTHORITY && rr.type == DNS_SOA &&
                   rr.rdata.len >= SERIAL_TO_MINIMUM;
        if (rr.section != DNS_ANSWER && !soa)
            continue;
        uint32_t ttl = rr.ttl > INT32_MAX ? 0 : rr.ttl; /* RFC 2181 §8 */
        if (soa) {
            struct reader r = reader_of(bytes_after(rr.rdata, rr.rdata.len - MINIMUM_LEN));
            uint32_t minimum = read_u32(&r);
            ttl = minimum < ttl ? minimum : ttl;
        }
        *out = known && *out < ttl ? *out : ttl;
        known = true;
    }
    return known && !cursor.reader.failed;
}

/* Any RCODE is a success of HTTP's (RFC 8484 §4.2.1). */
static void answer(struct web_exchange *exchange, struct bytes reply)
{
    char cache[40] = "no-store";
    uint32_t seconds;
    char *copy = reply.len > 0 ? malloc(reply.len) : NULL;
    web_dns_forget(exchange);
    if (copy == NULL) {
        web_reply_error(exchange, 503, NULL);
        return;
    }
    memcpy(copy, reply.data, reply.len);
    if (lifetime(reply, &seconds))
        snprintf(cache, sizeof cache, "max-age=%lu", (unsigned long)seconds);
    struct web_body body = web_body_of(bytes_of(copy, reply.len));
    body.owned = copy;
    web_reply(exchange, &(struct web_reply){.status = 200,
                                           .type = message_type,
                                           .cache = cache,
                                           .modified = INT64_MIN,
                                           .body = body});
}

void web_dns_reply(void *self, struct bytes reply)
{
    struct web_exchange *exchange = self;
    exchange->question->handle = 0; /* there is nothing to forget any more */
    exchange->transport->wake(exchange);
    answer(exchange, reply);
}

/* ---- queries ---- */

static void ask(struct web_exchange *exchange)
{
    const struct web_dns *dns = &exchange->web->dns;
    struct web_question *question = exchange->question;
    const struct web_dns_query query = {
        .message = bytes_of(question->message, question->len),
        .peer = exchange->peer,
        .secure = exchange->secure,
        .exchange = exchange,
    };
    struct bytes reply = bytes_empty();
    switch (dns->ask == NULL ? WEB_DNS_NONE
                             : dns->ask(dns->self, &query, &reply, &question->handle)) {
    case WEB_DNS_NOW:
    case WEB_DNS_NONE:
        answer(exchange, reply);
        break;
    case WEB_DNS_LATER:
        break;
    case WEB_DNS_MALFORMED:
        web_dns_forget(exchange);
        web_reply_error(exchange, 400, "That is no query.");
        break;
    }
}

/* The value of "dns" in the query of the URL; empty: there is none. */
static struct bytes parameter(const struct uri_target *target)
{
    const struct bytes name = bytes_of_text("dns=");
    struct bytes rest = target->has_query ? target->query : bytes_empty();
    while (rest.len > 0) {
        size_t end = bytes_find(rest, '&');
        struct bytes one = bytes_first(rest, end);
        if (bytes_equal(bytes_first(one, name.len), name))
            return bytes_after(one, name.len);
        rest = end < rest.len ? bytes_after(rest, end + 1) : bytes_empty();
    }
    return bytes_empty();
}

static void take_parameter(struct web_exchange *exchange)
{
    struct web_question *question = exchange->question;
    struct writer w = writer_of(question->message, sizeof question->message);
    struct bytes text = parameter(&exchange->event->target);
    bool good = text.len > 0 && encoding_decode(ENCODING_BASE64URL, text, &w);
    if (good && !w.failed) {
        question->len = writer_len(&w);
        ask(exchange);
        return;
    }
    web_dns_forget(exchange);
    if (w.failed)
        web_reply_error(exchange, 414, NULL);
    else
        web_reply_error(exchange, 400, "A query is wanted: ?dns=, in base64url without padding.");
}

static bool has_message(const struct http_fields *fields)
{
    struct bytes type = http_field_value(fields, "Content-Type");
    type = http_trim(bytes_first(type, bytes_find(type, ';')));
    return bytes_equal_nocase(type, bytes_of_text(message_type));
}

void web_dns_request(struct web_exchange *exchange)
{
    bool post = strcmp(exchange->method, "POST") == 0;
    if (post && !has_message(&exchange->event->head.fields)) {
        web_reply_error(exchange, 415, "A query is wanted, of the type application/dns-message.");
        return;
    }
    struct web_question *question = malloc(sizeof *question);
    if (question == NULL) {
        web_reply_error(exchange, 503, NULL);
        return;
    }
    question->handle = 0;
    question->len = 0;
    exchange->question = question;
    if (!post)
        take_parameter(exchange);
    else if (!exchange->transport->accept_body(exchange, QUERY_MAX))
        web_dns_forget(exchange);
}

void web_dns_body(struct web_exchange *exchange, struct bytes data)
{
    struct web_question *question = exchange->question;
    ASSERT(question->len + data.len <= sizeof question->message); /* no more was accepted */
    memcpy(question->message + question->len, data.data, data.len);
    question->len += data.len;
}

void web_dns_end(struct web_exchange *exchange)
{
    ask(exchange);
}
