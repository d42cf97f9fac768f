/* SPDX-License-Identifier: ISC */
/*
 * fuzz_web.c - octets of a client to the web service, of HTTP/1 or HTTP/2, over a stream that takes what
 * is sent in pieces: nothing is left when it has gone, and it goes in time by itself.
 */
#include <errno.h>

#include "app/web/web.h"
#include "fuzz/fake_stream.h"
#include "fuzz/fuzz.h"
#include "io/loop.h"

static struct fake_stream stream;
static struct net fake_net;
static struct listener fake_listener;
static struct web *web;

static int fake_listen(struct net *net UNUSED, const struct listen_options *options UNUSED,
                       const struct listener_handler *handler, void *self, struct listener **out)
{
    fake_listener.handler = handler;
    fake_listener.self = self;
    *out = &fake_listener;
    return 0;
}

static const struct net_ops net_ops = {.listen = fake_listen};

/* The built-in site, and a WebSocket that sends messages back at /e. */
static struct web_config *config(void)
{
    static struct web_config two;
    two.listen_count = two.host_count = 1;
    two.hosts[0].rule_count = 2;
    ASSERT(web_config_add_rule(&two, NULL) != NULL);
    struct web_rule *rule = web_config_add_rule(&two, NULL);
    ASSERT(rule != NULL && web_rule_set_pattern(rule, bytes_of_text("= /e")));
    memcpy(rule->websocket, WEB_SOCKET_ECHO, sizeof WEB_SOCKET_ECHO);
    return &two;
}

static void start(void)
{
    fake_net = (struct net){.ops = &net_ops, .loop = loop_new_virtual(USEC_PER_SEC, 1)};
    ASSERT(fake_net.loop != NULL);
    int status = web_new(&fake_net, &(struct web_options){.server_name = "h", .config = config()}, &web);
    ASSERT(status == 0);
}

static void turn(usec until)
{
    (void)loop_run_until(fake_net.loop, until);
    for (int i = 0; i < 100 && !stream.gone && stream.room_wanted && !stream.deaf; i++) {
        stream.room += 5000;
        stream.room_wanted = false;
        stream.base.handler->on_room(stream.base.self, &stream.base);
    }
}

static void offer(struct bytes in)
{
    fake_stream_offer(&stream, in);
    turn(loop_now(fake_net.loop));
    while (fake_stream_goes_on(&stream)) {
        fake_stream_offer(&stream, bytes_empty());
        turn(loop_now(fake_net.loop));
    }
}

static void wait_for_the_end(void)
{
    for (int i = 0; i < 1000 && !stream.gone; i++) {
        stream.deaf = i > 20; /* an answer may be endless */
        if (stream.deadline == USEC_NEVER) { /* a WebSocket has a time of its own */
            turn(loop_now(fake_net.loop) + 20 * USEC_PER_SEC);
            continue;
        }
        usec at = usec_max(stream.deadline, loop_now(fake_net.loop));
        turn(at);
        if (stream.gone)
            return;
        stream.base.handler->on_deadline(stream.base.self, &stream.base);
        turn(at);
    }
    ASSERT(stream.gone);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    if (web == NULL)
        start();
    if (len < 2)
        return 0;
    fake_stream_init(&stream, &fake_net, 100u + data[1] * 40u);
    fake_listener.handler->on_accept(fake_listener.self, &fake_listener, &stream.base);
    if ((data[0] & 1) != 0 && !stream.gone)
        offer(bytes_of(preface, sizeof preface - 1));
    size_t piece = 1 + (data[0] >> 1) * 16u;
    struct bytes rest = bytes_of(data + 2, len - 2);
    while (rest.len > 0 && !stream.gone) {
        offer(bytes_first(rest, piece));
        rest = bytes_after(rest, piece);
    }
    if (!stream.gone && (data[1] & 1) != 0) {
        stream.base.handler->on_end(stream.base.self, &stream.base);
        turn(loop_now(fake_net.loop));
    }
    if (!stream.gone && (data[1] & 2) != 0) {
        stream.gone = true;
        stream.base.handler->on_closed(stream.base.self, &stream.base, ECONNRESET);
    } else if (!stream.gone) {
        wait_for_the_end();
    }
    struct web_counters counters;
    web_counters(web, &counters);
    ASSERT(counters.open == 0);
    return 0;
}
