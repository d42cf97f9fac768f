/* SPDX-License-Identifier: ISC */
/*
 * fuzz_http_client.c - octets of a server to the client machine: what the client hears does not depend
 * on how the octets were cut, and every response ends or fails.
 */
#include <stdlib.h>

#include "fuzz/fuzz.h"
#include "proto/http/http_client.h"

struct heard {
    uint32_t digest;
    uint64_t body_len;
    unsigned ends, failures;
};

static void add(struct heard *h, struct bytes data)
{
    for (size_t i = 0; i < data.len; i++)
        h->digest = (h->digest ^ data.data[i]) * 16777619u;
}

static void hear(struct http_client *c, const struct http_client_event *event, struct heard *h)
{
    uint8_t kind = (uint8_t)event->kind;
    switch (event->kind) {
    case HTTP_CLIENT_NO_EVENT:
        return;
    case HTTP_CLIENT_SWITCHED:
        ASSERT(false); /* it was not asked for */
        break;
    case HTTP_CLIENT_INTERIM:
    case HTTP_CLIENT_HEAD:
        ASSERT(event->head.status >= 100 && event->head.status <= 999);
        add(h, event->head.reason);
        break;
    case HTTP_CLIENT_BODY:
        ASSERT(event->data.len > 0);
        add(h, event->data);
        h->body_len += event->data.len;
        return; /* how many events a body takes does depend on the cuts */
    case HTTP_CLIENT_END:
        h->ends++;
        break;
    case HTTP_CLIENT_FAILED:
        ASSERT(event->failure != HTTP_CLIENT_OK && !http_client_reusable(c));
        h->failures++;
        break;
    }
    add(h, bytes_of(&kind, 1));
}

static void request(struct http_client *c, const char *method)
{
    bool written = http_client_request(
        c, &(struct http_request){.method = method, .target = bytes_of_text("/"), .host = "h"}, 0);
    ASSERT(written);
    http_client_sent(c, http_client_output(c).len);
}

static struct heard play(struct bytes in, size_t piece, const char *method)
{
    static struct http_client c;
    static struct http_client_event event;
    struct heard h = {0};
    size_t at = 0;
    http_client_init(&c, UINT64_MAX, 0);
    request(&c, method);
    for (size_t offered = 0; offered < in.len || !c.ended;) {
        if (offered == in.len)
            http_client_end(&c, 0);
        offered = piece < in.len - offered ? offered + piece : in.len;
        size_t used;
        do {
            struct bytes rest = bytes_of(in.data + at, offered - at);
            uint8_t *copy = malloc(rest.len > 0 ? rest.len : 1);
            ASSERT(copy != NULL);
            memcpy(copy, rest.data, rest.len);
            used = http_client_input(&c, bytes_of(copy, rest.len), 0, &event);
            ASSERT(used <= rest.len);
            hear(&c, &event, &h);
            free(copy);
            at += used;
            if (event.kind == HTTP_CLIENT_END && http_client_reusable(&c))
                request(&c, method);
        } while (used > 0 || event.kind != HTTP_CLIENT_NO_EVENT);
    }
    ASSERT(h.failures <= 1 && h.ends + h.failures > 0);
    return h;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len < 1)
        return 0;
    struct bytes in = bytes_of(data + 1, len - 1);
    const char *method = data[0] & 1 ? "HEAD" : "GET";
    struct heard whole = play(in, in.len + 1, method);
    struct heard cut = play(in, (size_t)(data[0] >> 1) + (len > 400 ? 64 : 1), method);
    ASSERT(whole.digest == cut.digest && whole.body_len == cut.body_len);
    ASSERT(whole.ends == cut.ends && whole.failures == cut.failures);
    return 0;
}
