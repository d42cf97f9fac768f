/* SPDX-License-Identifier: ISC */
/*
 * fake_stream.h - a stream whose peer is the fuzzer: takes what is sent as far as it has room, keeps what was offered and
 * not used, and knows when it has been let go; nothing may be asked of it then.
 */
#ifndef WN_FUZZ_FAKE_STREAM_H
#define WN_FUZZ_FAKE_STREAM_H

#include <string.h>

#include "base/bytes.h"
#include "io/net_ops.h"

enum { FAKE_KEPT_MAX = 128 * 1024 };

struct fake_stream {
    struct stream base;
    bool opening;     /* on_open() is still to come */
    bool finished;
    bool gone;        /* closed or aborted */
    bool resumed;
    bool room_wanted;
    bool deaf;        /* the peer reads no more */
    usec deadline;
    size_t room;      /* octets that it takes before it is full */
    size_t kept_len;
    uint8_t kept[FAKE_KEPT_MAX]; /* offered and not used */
};

static struct fake_stream *fake_of(const struct stream *base)
{
    return CONTAINER_OF((struct stream *)(uintptr_t)base, struct fake_stream, base);
}

static size_t fake_send(struct stream *base, struct bytes in)
{
    struct fake_stream *s = fake_of(base);
    ASSERT(!s->gone && !s->opening);
    size_t taken = in.len < s->room ? in.len : s->room;
    s->room -= taken;
    s->room_wanted = taken < in.len;
    return taken;
}

static size_t fake_room(const struct stream *base)
{
    return fake_of(base)->room;
}

static void fake_resume(struct stream *base)
{
    fake_of(base)->resumed = true;
}

static void fake_finish(struct stream *base)
{
    ASSERT(!fake_of(base)->gone);
    fake_of(base)->finished = true;
}

static void fake_close(struct stream *base)
{
    ASSERT(!fake_of(base)->gone);
    fake_of(base)->gone = true;
}

static void fake_set_deadline(struct stream *base, usec at)
{
    ASSERT(!fake_of(base)->gone);
    fake_of(base)->deadline = at;
}

static struct endpoint fake_endpoint(const struct stream *base UNUSED)
{
    return (struct endpoint){address_v4(0x0a000001), 1000};
}

static const struct stream_ops fake_stream_ops = {
    .send = fake_send,
    .room = fake_room,
    .resume = fake_resume,
    .finish = fake_finish,
    .close = fake_close,
    .abort = fake_close,
    .set_deadline = fake_set_deadline,
    .local = fake_endpoint,
    .peer = fake_endpoint,
};

/* As new, with so much room; who opens it sets its handler, if that is not done by the one who accepts it. */
static inline void fake_stream_init(struct fake_stream *s, struct net *net, size_t room)
{
    memset(s, 0, offsetof(struct fake_stream, kept));
    s->base = (struct stream){.ops = &fake_stream_ops, .net = net};
    s->deadline = USEC_NEVER;
    s->room = room;
}

/* As a stream does: offers `in` behind what was not used. */
static inline void fake_stream_offer(struct fake_stream *s, struct bytes in)
{
    size_t len = in.len < FAKE_KEPT_MAX - s->kept_len ? in.len : FAKE_KEPT_MAX - s->kept_len;
    memcpy(s->kept + s->kept_len, in.data, len);
    s->kept_len += len;
    s->resumed = false;
    size_t used =
        s->base.handler->on_bytes(s->base.self, &s->base, bytes_of(s->kept, s->kept_len));
    if (s->gone)
        return;
    ASSERT(used <= s->kept_len);
    memmove(s->kept, s->kept + used, s->kept_len - used);
    s->kept_len -= used;
}

/* Is what was left to be offered again? */
static inline bool fake_stream_goes_on(const struct fake_stream *s)
{
    return !s->gone && s->resumed && s->kept_len > 0;
}

#endif
