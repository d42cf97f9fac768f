/* SPDX-License-Identifier: ISC */
/*
 * fuzz_fetch.c - octets of servers to app/fetch/, over HTTP/1 or HTTP/2, while several requests are under way of
 * which some have bodies and some are given up: each ends once, or not at all when it was given up; no body comes
 * without a head; and nothing is left when the fetcher has gone.
 */
#include <errno.h>

#include "app/fetch/fetch.h"
#include "fuzz/fake_stream.h"
#include "fuzz/fuzz.h"
#include "io/loop.h"

enum { STREAMS_MAX = 16, FETCHES_MAX = 4, UPLOAD = 70000 };

struct asked {
    struct fetch *fetch; /* NULL: it has ended, or was given up */
    struct fetch_request request;
    size_t sent;
    bool final, cancels;
    unsigned heads;
};

static struct fake_stream streams[STREAMS_MAX];
static size_t stream_count;
static size_t room_at_a_time;
static struct asked list[FETCHES_MAX];
static struct net fake_net;
static struct url url;

/* ---- the net ---- */

static int fake_connect(struct net *net, const struct endpoint *to UNUSED,
                        const struct endpoint *local UNUSED, const struct stream_handler *handler,
                        void *self, struct stream **out)
{
    if (stream_count == STREAMS_MAX)
        return -ECONNREFUSED;
    struct fake_stream *s = &streams[stream_count++];
    fake_stream_init(s, net, room_at_a_time);
    stream_set_handler(&s->base, handler, self);
    s->opening = true;
    *out = &s->base;
    return 0;
}

static const struct net_ops net_ops = {.connect = fake_connect};

static size_t find(void *self UNUSED, const char *host UNUSED, uint16_t port,
                   struct endpoint out[FETCH_ADDRESSES_MAX], struct text *reason UNUSED)
{
    out[0] = (struct endpoint){address_v4(0x0a000001), port};
    return 1;
}

/* Lets happen what is to happen now. */
static void turn(usec until)
{
    for (int round = 0; round < 50; round++) {
        bool any = false;
        (void)loop_run_until(fake_net.loop, until);
        for (size_t i = 0; i < stream_count; i++) {
            struct fake_stream *s = &streams[i];
            if (s->opening && !s->gone) {
                s->opening = false;
                s->base.handler->on_open(s->base.self, &s->base);
                any = true;
            } else if (s->room_wanted && !s->gone) {
                s->room = room_at_a_time;
                s->room_wanted = false;
                s->base.handler->on_room(s->base.self, &s->base);
                any = true;
            }
        }
        if (!any)
            return;
    }
}

static struct fake_stream *newest(void)
{
    for (size_t i = stream_count; i-- > 0;)
        if (!streams[i].gone)
            return &streams[i];
    return NULL;
}

static void offer(struct fake_stream *s, struct bytes in)
{
    fake_stream_offer(s, in);
    while (fake_stream_goes_on(s))
        fake_stream_offer(s, bytes_empty());
    turn(loop_now(fake_net.loop));
}

/* ---- requests ---- */

static void on_head(void *self, struct fetch *fetch, const struct http_response_head *head,
                    const struct http_framing *framing UNUSED)
{
    struct asked *a = self;
    ASSERT(a->fetch == fetch && !a->final && ++a->heads <= HTTP_CLIENT_INTERIM_MAX + 1);
    a->final = head->status >= 200;
    if (a->final && a->cancels && head->fields.count % 2 == 0) {
        a->fetch = NULL;
        fetch_cancel(fetch);
    }
}

static void on_body(void *self, struct fetch *fetch, struct bytes data)
{
    struct asked *a = self;
    ASSERT(a->fetch == fetch && a->final && data.len > 0);
    if (a->cancels) {
        a->fetch = NULL;
        fetch_cancel(fetch);
    }
}

static void on_room(void *self, struct fetch *fetch)
{
    static const uint8_t zeros[8192];
    struct asked *a = self;
    size_t taken;
    ASSERT(a->fetch == fetch);
    do {
        size_t left = UPLOAD - a->sent;
        taken = fetch_body(fetch, bytes_of(zeros, left < sizeof zeros ? left : sizeof zeros));
        a->sent += taken;
    } while (taken > 0 && a->sent < UPLOAD);
    if (a->sent == UPLOAD && a->request.body_len == HTTP_CLIENT_LENGTH_UNKNOWN &&
        !fetch_body_end(fetch))
        return; /* it is asked for again */
}

static void on_end(void *self, struct fetch *fetch, const struct fetch_outcome *outcome)
{
    struct asked *a = self;
    ASSERT(a->fetch == fetch && outcome->result < FETCH_RESULT_COUNT);
    ASSERT(outcome->result != FETCH_OK || a->final);
    a->fetch = NULL;
}

static void ask(struct fetcher *fetcher, struct asked *a, unsigned how, bool http2)
{
    static const struct fetch_handler calls = {
        .on_head = on_head, .on_body = on_body, .on_room = on_room, .on_end = on_end};
    bool body = (how & 2) != 0;
    *a = (struct asked){.cancels = (how & 1) != 0};
    a->request = (struct fetch_request){
        .method = body ? "PUT" : (how & 4) != 0 ? "HEAD" : "GET",
        .url = &url,
        .has_body = body,
        .body_len = (how & 4) != 0 ? HTTP_CLIENT_LENGTH_UNKNOWN : UPLOAD,
        .version = http2 ? FETCH_HTTP_2 : FETCH_HTTP_1_1,
    };
    a->fetch = fetch_start(fetcher, &a->request, &calls, a);
    ASSERT(a->fetch != NULL);
}

/* Whoever waits is told by a deadline. */
static void wait_for_the_end(void)
{
    struct fake_stream *s;
    for (int i = 0; i < 200 && (s = newest()) != NULL; i++) {
        ASSERT(s->deadline != USEC_NEVER);
        turn(usec_max(s->deadline, loop_now(fake_net.loop)));
        if (!s->gone && s->deadline <= loop_now(fake_net.loop))
            s->base.handler->on_deadline(s->base.self, &s->base);
        turn(loop_now(fake_net.loop));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (fake_net.loop == NULL) {
        fake_net = (struct net){.ops = &net_ops, .loop = loop_new_virtual(USEC_PER_SEC, 1)};
        ASSERT(fake_net.loop != NULL);
        ASSERT(url_parse(bytes_of_text("http://h/"), NULL, &url) == URL_OK);
    }
    if (len < 4)
        return 0;
    bool http2 = (data[0] & 1) != 0;
    size_t piece = 1 + (data[0] >> 1) * 16u;
    size_t count = 1 + data[1] % FETCHES_MAX;
    struct bytes rest = bytes_of(data + 4, len - 4);
    struct fake_stream *s;
    room_at_a_time = 100u + data[3] * 200u;
    stream_count = 0;
    struct fetcher_options options = {.net = &fake_net, .find = find};
    struct fetcher *fetcher = fetcher_new(&options);
    ASSERT(fetcher != NULL);
    for (size_t i = 0; i < count; i++)
        ask(fetcher, &list[i], data[2] >> i, http2);
    turn(loop_now(fake_net.loop));
    while (rest.len > 0 && (s = newest()) != NULL) {
        offer(s, bytes_first(rest, piece));
        rest = bytes_after(rest, piece);
    }
    if ((data[1] & 0x40) != 0 && (s = newest()) != NULL) {
        s->base.handler->on_end(s->base.self, &s->base);
        turn(loop_now(fake_net.loop));
    }
    if ((data[1] & 0x80) != 0 && (s = newest()) != NULL) {
        s->gone = true;
        s->base.handler->on_closed(s->base.self, &s->base, ECONNRESET);
        turn(loop_now(fake_net.loop));
    }
    if ((data[1] & 0x20) != 0) {
        wait_for_the_end();
        for (size_t i = 0; i < count; i++)
            ASSERT(list[i].fetch == NULL);
    }
    fetcher_free(fetcher);
    ASSERT(newest() == NULL);
    return 0;
}
