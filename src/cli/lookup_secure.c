/* SPDX-License-Identifier: ISC */
/*
 * lookup_secure.c - `wholenet lookup` over TLS (RFC 7858) and HTTPS (RFC 8484). As with kdig(1) nobody's
 * certificate is checked (the opportunistic profile of RFC 8310, for people who look), unless a word asks for it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/encoding.h"
#include "cli/lookup.h"
#include "proto/http/http_client.h"

enum { QUERY_BLOCK = 128 /* RFC 8467 §4.1 */ };

bool lookup_secure_open(struct lookup *l)
{
    char complaint[256] = "";
    struct text error = text_of(complaint, sizeof complaint);
    struct lookup_secure *secure = &l->secure;
    const struct tls_client_options options = {
        .trust_file = secure->trust,
        .trust_anybody = !secure->verify && secure->pin_count == 0,
        .pins = secure->pins[0],
        .pin_count = secure->pin_count,
        .alpn = secure->https ? "http/1.1" : "dot",
    };
    int status = tls_client_new(l->loop, &options, &error, &secure->client);
    if (status < 0)
        cli_fail(l->command, 0, "%s", complaint[0] != '\0' ? complaint : strerror(-status));
    return status == 0;
}

void lookup_secure_close(struct lookup *l)
{
    tls_client_free(l->secure.client);
    l->secure.client = NULL;
}

size_t lookup_secure_pad(const struct lookup *l, uint8_t *query, size_t len, size_t size)
{
    static const uint8_t zeros[QUERY_BLOCK];
    if (!l->secure.tls || !l->secure.padding || !l->edns)
        return len;
    size_t rest = (len + DNS_OPTION_HEAD_LEN) % QUERY_BLOCK;
    struct bytes padding = {zeros, rest == 0 ? 0 : QUERY_BLOCK - rest};
    return dns_option_append(query, len, size, DNS_OPTION_PADDING, padding);
}

/* Whom we want to talk to: as said, as typed, or the address. */
static const char *name_of(const struct lookup *l, const struct lookup_ask *ask,
                           char address[ADDRESS_TEXT_MAX])
{
    if (l->secure.name != NULL)
        return l->secure.name;
    if (ask->server_name != NULL && strlen(ask->server_name) < TLS_NAME_MAX)
        return ask->server_name;
    return address_format(&ask->server.address, address);
}

int lookup_secure_connect(struct lookup *l, const struct lookup_ask *ask, struct stream *plain,
                          const struct stream_handler *handler, void *self, struct stream **out)
{
    char address[ADDRESS_TEXT_MAX];
    l->secure.facts[0] = '\0';
    return tls_connect(l->secure.client, plain, name_of(l, ask, address), handler, self, out);
}

void lookup_secure_note(struct lookup *l, const struct stream *stream)
{
    struct tls_facts facts;
    if (!tls_stream_facts(stream, &facts))
        return;
    struct text text = text_of(l->secure.facts, sizeof l->secure.facts);
    text_add_format(&text, "%s, %s, certificate of %s%s%s", facts.version, facts.cipher,
                    facts.peer[0] != '\0' ? facts.peer : "nobody",
                    l->secure.verify || l->secure.pin_count > 0 ? "" : " (not checked)",
                    facts.resumed ? ", resumed" : "");
}

void lookup_secure_failed(struct lookup *l, const struct stream *stream)
{
    snprintf(l->reason, sizeof l->reason, "%s", tls_stream_error(stream));
}

/* ---- HTTPS ---- */

struct lookup_http {
    struct lookup *lookup;
    struct http_client client;
    bool right;             /* the response is a message */
    size_t have;
    uint8_t body[LOOKUP_HTTP_MAX];
};

struct lookup_http *lookup_http_new(struct lookup *l)
{
    struct lookup_http *h = calloc(1, sizeof *h);
    if (h == NULL)
        return NULL;
    h->lookup = l;
    http_client_init(&h->client, sizeof h->body, loop_now(l->loop));
    return h;
}

void lookup_http_free(struct lookup_http *h)
{
    free(h);
}

/* RFC 8484 §6: the query in the target, in base64url. */
static bool make_target(const struct lookup *l, struct bytes query, struct text *target)
{
    text_add(target, l->secure.path);
    if (l->secure.get) {
        text_add(target, strchr(l->secure.path, '?') != NULL ? "&dns=" : "?dns=");
        encoding_format(ENCODING_BASE64URL, query, target);
    }
    return !target->failed;
}

int lookup_http_ask(struct lookup_http *h, const struct lookup_ask *ask, struct bytes query,
                    struct stream *stream)
{
    struct lookup *l = h->lookup;
    char address[ADDRESS_TEXT_MAX], host[TLS_NAME_MAX + 16], text[512 + 2 * LOOKUP_QUERY_MAX];
    struct text target = text_of(text, sizeof text);
    bool get = l->secure.get;
    const struct http_field fields[] = {
        {bytes_of_text("Accept"), bytes_of_text("application/dns-message")},
        {bytes_of_text("Content-Type"), bytes_of_text("application/dns-message")},
    };
    const char *name = name_of(l, ask, address);
    bool v6 = strchr(name, ':') != NULL;
    snprintf(host, sizeof host, l->port == 443 ? "%s%s%s" : "%s%s%s:%u", v6 ? "[" : "", name,
             v6 ? "]" : "", l->port);
    if (!make_target(l, query, &target))
        return -EMSGSIZE;
    const struct http_request request = {
        .method = get ? "GET" : "POST",
        .target = text_bytes(&target),
        .host = host,
        .fields = fields,
        .field_count = get ? 1 : 2,
        .body_len = get ? 0 : query.len,
        .has_body = !get,
        .close = true,
        .upgrade = bytes_empty(),
    };
    if (!http_client_request(&h->client, &request, loop_now(l->loop)) ||
        (!get && http_client_body(&h->client, query) != query.len))
        return -EMSGSIZE;
    struct bytes output = http_client_output(&h->client);
    size_t sent = stream_send(stream, output); /* a new connection has room for it */
    http_client_sent(&h->client, sent);
    return 0;
}

static int on_head(struct lookup_http *h, const struct http_response_head *head)
{
    struct bytes type = http_field_value(&head->fields, "Content-Type");
    struct text reason = text_of(h->lookup->reason, sizeof h->lookup->reason);
    size_t end = bytes_find(type, ';');
    h->right = head->status / 100 == 2 &&
               bytes_equal_nocase(text_trim(bytes_first(type, end)),
                                  bytes_of_text("application/dns-message"));
    if (head->status / 100 != 2)
        text_add_format(&reason, "the server says by HTTP: %u", head->status);
    else if (!h->right)
        text_add(&reason, "what the server sends is no application/dns-message");
    return h->right ? 0 : -EPROTO;
}

int lookup_http_input(struct lookup_http *h, struct bytes in, bool ended, struct bytes *message)
{
    struct lookup *l = h->lookup;
    if (ended)
        http_client_end(&h->client, loop_now(l->loop));
    for (;;) {
        struct http_client_event event;
        size_t used = http_client_input(&h->client, in, loop_now(l->loop), &event);
        in = bytes_after(in, used);
        int status = 0;
        switch (event.kind) {
        case HTTP_CLIENT_NO_EVENT:
            if (used == 0)
                return 0;
            break;
        case HTTP_CLIENT_HEAD:
            status = on_head(h, &event.head);
            break;
        case HTTP_CLIENT_BODY:
            if (event.data.len > sizeof h->body - h->have)
                return -EMSGSIZE;
            memcpy(h->body + h->have, event.data.data, event.data.len);
            h->have += event.data.len;
            break;
        case HTTP_CLIENT_END:
            if (!h->right || h->have > DNS_MESSAGE_MAX)
                return -EBADMSG;
            *message = bytes_of(h->body, h->have);
            return 1;
        case HTTP_CLIENT_FAILED:
            snprintf(l->reason, sizeof l->reason, "HTTP: %s",
                     http_client_failure_text(event.failure));
            return -EPROTO;
        case HTTP_CLIENT_INTERIM:
        case HTTP_CLIENT_SWITCHED:
            break;
        }
        if (status != 0)
            return status;
    }
}
