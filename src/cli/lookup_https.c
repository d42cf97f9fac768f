/* SPDX-License-Identifier: ISC */
/*
 * lookup_https.c - `wholenet lookup` over HTTPS (RFC 8484): by HTTP/2 where the server speaks it, as §5.2 wants,
 * on one connection for all questions to a server.
 */
#include <errno.h>
#include <stdlib.h>

#include "app/fetch/fetch.h"
#include "base/encoding.h"
#include "cli/lookup.h"

struct https {
    struct lookup *lookup;
    struct bytes query;
    size_t sent;
    struct fetch_request request;
    struct http_field fields[2];
    struct url url;
    bool right;             /* the response is a message */
    bool done;
    int error;
    size_t have;
    uint8_t body[LOOKUP_HTTP_MAX];
};

static void on_head(void *self, struct fetch *fetch UNUSED, const struct http_response_head *head,
                    const struct http_framing *framing UNUSED)
{
    struct https *h = self;
    struct bytes type = http_field_value(&head->fields, "Content-Type");
    struct text reason = text_of(h->lookup->reason, sizeof h->lookup->reason);
    if (head->status < 200)
        return;
    h->right = head->status < 300 &&
               bytes_equal_nocase(text_trim(bytes_first(type, bytes_find(type, ';'))),
                                  bytes_of_text("application/dns-message"));
    if (head->status >= 300)
        text_add_format(&reason, "the server says by HTTP: %u", head->status);
    else if (!h->right)
        text_add(&reason, "what the server sends is no application/dns-message");
}

/* One octet more than a message has tells that it is none. */
static void on_body(void *self, struct fetch *fetch UNUSED, struct bytes data)
{
    struct https *h = self;
    data = bytes_first(data, sizeof h->body - h->have);
    memcpy(h->body + h->have, data.data, data.len);
    h->have += data.len;
}

static void on_room(void *self, struct fetch *fetch)
{
    struct https *h = self;
    h->sent += fetch_body(fetch, bytes_after(h->query, h->sent));
}

static void finish(struct https *h, int error)
{
    h->done = true;
    h->error = error;
    loop_stop(h->lookup->loop);
}

static int error_of(struct https *h, const struct fetch_outcome *outcome)
{
    if (outcome->result == FETCH_OK)
        return !h->right ? -EPROTO : h->have > DNS_MESSAGE_MAX ? -EMSGSIZE : 0;
    if (outcome->result == FETCH_NO_CONNECTION && outcome->error != 0)
        return -outcome->error;
    struct text reason = text_of(h->lookup->reason, sizeof h->lookup->reason);
    text_add(&reason, outcome->reason);
    return outcome->error != 0 ? -outcome->error : -EPROTO;
}

static void on_end(void *self, struct fetch *fetch UNUSED, const struct fetch_outcome *outcome)
{
    struct https *h = self;
    if (outcome->secured)
        lookup_secure_note(h->lookup, &outcome->tls, outcome->http2 ? ", HTTP/2" : ", HTTP/1.1");
    finish(h, error_of(h, outcome));
}

/* ---- the connection ---- */

static size_t find(void *self, const char *host UNUSED, uint16_t port UNUSED,
                   struct endpoint out[FETCH_ADDRESSES_MAX], struct text *reason UNUSED)
{
    const struct lookup *l = self;
    out[0] = l->secure.asked;
    return 1;
}

static struct tls_client *tls(void *self, bool http2, struct text *reason)
{
    struct lookup *l = self;
    if (!http2)
        text_add(reason, "it wants HTTP/1.1 after it has offered HTTP/2");
    return http2 ? l->secure.client : NULL;
}

static bool open_fetcher(struct lookup *l)
{
    const struct fetcher_options options = {
        .net = l->net, .find = find, .tls = tls, .self = l, .connect_timeout = l->timeout};
    if (l->secure.fetcher == NULL)
        l->secure.fetcher = fetcher_new(&options);
    return l->secure.fetcher != NULL;
}

void lookup_https_close(struct lookup *l)
{
    fetcher_free(l->secure.fetcher);
    l->secure.fetcher = NULL;
}

/* ---- the request ---- */

/* RFC 8484 §6: for GET the query is in the target, in base64url. */
static bool make_url(struct https *h, const struct lookup_ask *ask)
{
    const struct lookup *l = h->lookup;
    char address[ADDRESS_TEXT_MAX], text[1024 + 2 * LOOKUP_QUERY_MAX];
    struct text t = text_of(text, sizeof text);
    const char *name = lookup_secure_name(l, ask, address);
    text_add_format(&t, strchr(name, ':') != NULL ? "https://[%s]:%u%s" : "https://%s:%u%s", name,
                    ask->server.port, l->secure.path);
    if (l->secure.get) {
        text_add(&t, strchr(l->secure.path, '?') != NULL ? "&dns=" : "?dns=");
        encoding_format(ENCODING_BASE64URL, h->query, &t);
    }
    return !t.failed && url_parse(text_bytes(&t), NULL, &h->url) == URL_OK;
}

static void make_request(struct https *h, const struct lookup_ask *ask)
{
    struct lookup *l = h->lookup;
    bool get = l->secure.get;
    h->fields[0] = (struct http_field){bytes_of_text("Accept"),
                                       bytes_of_text("application/dns-message")};
    h->fields[1] = (struct http_field){bytes_of_text("Content-Type"),
                                       bytes_of_text("application/dns-message")};
    h->request = (struct fetch_request){
        .method = get ? "GET" : "POST",
        .url = &h->url,
        .fields = h->fields,
        .field_count = get ? 1 : 2,
        .has_body = !get,
        .body_len = get ? 0 : h->query.len,
        .fresh = !endpoint_equal(&l->secure.asked, &ask->server),
    };
    l->secure.asked = ask->server;
}

static int run(struct https *h, usec until)
{
    static const struct fetch_handler calls = {
        .on_head = on_head, .on_body = on_body, .on_room = on_room, .on_end = on_end};
    struct lookup *l = h->lookup;
    struct fetch *fetch = fetch_start(l->secure.fetcher, &h->request, &calls, h);
    if (fetch == NULL)
        return -ENOMEM;
    int status = loop_run_until(l->loop, until);
    if (h->done)
        return h->error;
    fetch_cancel(fetch);
    return status != 0 ? status : -ETIMEDOUT;
}

int lookup_https(struct lookup *l, const struct lookup_ask *ask, struct bytes query, usec until,
                 struct bytes *message)
{
    struct https *h = calloc(1, sizeof *h);
    if (h == NULL)
        return -ENOMEM;
    h->lookup = l;
    h->query = query;
    l->secure.facts[0] = '\0';
    int status = -EMSGSIZE;
    if (make_url(h, ask)) {
        make_request(h, ask);
        status = open_fetcher(l) ? run(h, until) : -ENOMEM;
    }
    if (status == 0) {
        memcpy(l->reply, h->body, h->have);
        *message = bytes_of(l->reply, h->have);
    }
    free(h);
    return status;
}
