/* SPDX-License-Identifier: ISC */
/*
 * fuzz_tls_stream.c - a client and a server of TLS on streams that do what the input says: take as much, bring as
 * much, in such pieces, and end when it wants; or bring something else. Whatever happens, each side is told a
 * beginning of what the other has sent, in order, and all of it when nothing was spoilt; and both are gone in the
 * end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/compiler.h"
#include "fuzz/fuzz.h"
#include "io/loop.h"
#include "io/net_ops.h"
#include "io/tls.h"
#include "os/certificate.h"
#include "os/clock.h"

enum { PIPE_MAX = 48 * 1024, TURNS_MAX = 4000 };

/* One end of the pipe below. */
struct pipe_end {
    struct stream base;
    struct pipe_end *other;
    size_t room;       /* of what may wait for the other end */
    bool wants_room;
    bool finished;     /* no more will be sent */
    bool end_told;
    bool let_go;
    bool resume;
    size_t len;        /* that waits here */
    uint8_t octets[PIPE_MAX];
};

/* Who uses a stream of TLS. */
struct side {
    struct stream *s;
    size_t sent, received;
    bool open, ended, closed, refuses;
};

static struct loop *loop;
static struct net net;
static struct tls_server *server;
static struct tls_client *client;
static struct pipe_end ends[2];
static struct side sides[2];
static bool spoilt; /* octets were changed, or somebody has gone */

static uint8_t octet_at(size_t offset)
{
    return (uint8_t)((offset * 2654435761u) >> 13);
}

/* ---- the pipe ---- */

static struct pipe_end *end_of(const struct stream *base)
{
    return CONTAINER_OF((struct stream *)(uintptr_t)base, struct pipe_end, base);
}

static size_t pipe_room(const struct stream *base)
{
    const struct pipe_end *e = end_of(base);
    if (e->finished || e->let_go)
        return 0;
    return e->room > e->other->len ? e->room - e->other->len : 0;
}

static size_t pipe_send(struct stream *base, struct bytes in)
{
    struct pipe_end *e = end_of(base);
    size_t room = pipe_room(base);
    size_t taken = in.len < room ? in.len : room;
    memcpy(e->other->octets + e->other->len, in.data, taken);
    e->other->len += taken;
    e->wants_room = taken < in.len;
    return taken;
}

static void pipe_resume(struct stream *base)
{
    end_of(base)->resume = true;
}

static void pipe_finish(struct stream *base)
{
    end_of(base)->finished = true;
}

static void pipe_close(struct stream *base)
{
    end_of(base)->finished = true;
    end_of(base)->let_go = true;
}

static void pipe_set_deadline(struct stream *base UNUSED, usec at UNUSED)
{
}

static struct endpoint pipe_endpoint(const struct stream *base UNUSED)
{
    return (struct endpoint){address_v4(0x7f000001), 443};
}

static const struct stream_ops pipe_ops = {
    .send = pipe_send,
    .room = pipe_room,
    .resume = pipe_resume,
    .finish = pipe_finish,
    .close = pipe_close,
    .abort = pipe_close,
    .set_deadline = pipe_set_deadline,
    .local = pipe_endpoint,
    .peer = pipe_endpoint,
};

static void turn(void)
{
    int status = loop_run_until(loop, loop_now(loop) + 10);
    ASSERT(status == 0);
}

/* Brings at most `most` of what waits to an end, and tells what follows. */
static void deliver(struct pipe_end *e, size_t most)
{
    size_t len = e->len < most ? e->len : most;
    if (len > 0) {
        size_t used = e->let_go ? len
                                : e->base.handler->on_bytes(e->base.self, &e->base,
                                                            bytes_of(e->octets, len));
        ASSERT(used <= len);
        memmove(e->octets, e->octets + used, e->len - used);
        e->len -= used;
    }
    if (e->len == 0 && e->other->finished && !e->end_told && !e->let_go) {
        e->end_told = true;
        e->base.handler->on_end(e->base.self, &e->base);
    }
    if (e->other->wants_room && !e->other->let_go && pipe_room(&e->other->base) > 0) {
        e->other->wants_room = false;
        e->other->base.handler->on_room(e->other->base.self, &e->other->base);
    }
    turn();
}

/* Both ends have finished, and the connection below with them. */
static void close_ends(void)
{
    for (int i = 0; i < 2; i++) {
        struct pipe_end *e = &ends[i];
        if (e->let_go || !e->finished || !e->other->finished || e->len > 0 || !e->end_told)
            continue;
        e->let_go = true;
        e->base.handler->on_closed(e->base.self, &e->base, 0);
        turn();
    }
}

/* ---- who uses it ---- */

static void on_open(void *self, struct stream *s UNUSED)
{
    struct side *side = self;
    ASSERT(!side->open && !side->closed);
    side->open = true;
}

static size_t on_bytes(void *self, struct stream *s UNUSED, struct bytes in)
{
    struct side *side = self;
    ASSERT(side->open && !side->closed && in.len > 0 && in.len <= STREAM_PENDING_MAX);
    size_t used = side->refuses ? in.len / 3 : in.len;
    for (size_t i = 0; i < used; i++)
        ASSERT(in.data[i] == octet_at(side->received + i));
    side->received += used;
    ASSERT(side->received <= sides[side == sides].sent);
    return used;
}

static void on_end(void *self, struct stream *s UNUSED)
{
    struct side *side = self;
    ASSERT(side->open && !side->ended && !side->closed);
    side->ended = true;
}

static void on_closed(void *self, struct stream *s, int error)
{
    struct side *side = self;
    ASSERT(!side->closed);
    side->closed = true;
    side->s = NULL;
    ASSERT(error == 0 || tls_stream_error(s)[0] != '\0');
    ASSERT(error != 0 || side->ended);
}

static const struct stream_handler handler = {
    .on_open = on_open, .on_bytes = on_bytes, .on_end = on_end, .on_closed = on_closed};

static void send_octets(struct side *side, size_t len)
{
    static uint8_t octets[40000];
    if (side->s == NULL)
        return;
    for (size_t i = 0; i < len; i++)
        octets[i] = octet_at(side->sent + i);
    size_t room = stream_room(side->s);
    size_t taken = stream_send(side->s, bytes_of(octets, len));
    ASSERT(taken <= len && taken >= (room < len ? room : len));
    side->sent += taken;
    turn();
}

static void act(uint8_t op, uint8_t how)
{
    int which = op & 1;
    struct side *side = &sides[which];
    switch (op >> 1 & 15) {
    case 0: case 1: case 2: case 3: case 4:
        deliver(&ends[which], (size_t)how * how + 1);
        break;
    case 5: case 6:
        send_octets(side, how);
        break;
    case 7:
        send_octets(side, (size_t)how * 156);
        break;
    case 8:
        ends[which].room = how < 200 ? (size_t)how * 20 : PIPE_MAX;
        break;
    case 9:
        side->refuses = (how & 1) != 0;
        if (side->s != NULL)
            stream_resume(side->s);
        break;
    case 10:
        if (side->s != NULL && how < 100)
            stream_finish(side->s);
        break;
    case 11:
        if (side->s != NULL && how < 20) {
            (how & 1) != 0 ? stream_close(side->s) : stream_abort(side->s);
            side->s = NULL;
            spoilt = true;
        }
        break;
    case 12: /* something that nobody has sent */
        if (how < 60 && ends[which].len > 0) {
            spoilt = true;
            ends[which].octets[how % ends[which].len] ^= (uint8_t)(how | 1);
        }
        break;
    case 13:
        if (how < 10) { /* cut short */
            ends[which].finished = true;
            spoilt = true;
        }
        break;
    case 14:
        for (int i = 0; i < 2; i++)
            if (ends[i].resume && !ends[i].let_go) {
                ends[i].resume = false;
                deliver(&ends[i], ends[i].len);
            }
        break;
    default:
        close_ends();
        break;
    }
    turn();
}

/* ---- the world ---- */

static void set_up(void)
{
    static const char *const names[] = {"localhost"};
    char chain[] = "/tmp/fuzz-tls-XXXXXX", key[64], reason[256];
    struct text error = text_of(reason, sizeof reason);
    int64_t now = clock_wall_seconds();
    int fd = mkstemp(chain);
    ASSERT(fd >= 0);
    close(fd);
    snprintf(key, sizeof key, "%s.key", chain);
    const struct certificate_options options = {.subject = "localhost",
                                                .names = names,
                                                .name_count = 1,
                                                .valid_from = now - 86400,
                                                .valid_until = now + 86400};
    const struct certificate_files files = {chain, key};
    int status = certificate_make(&options, NULL, &files, &error);
    ASSERT(status == 0);
    loop = loop_new_virtual(USEC_PER_SEC, 1);
    net.loop = loop;
    const struct tls_certificate certificate = {.chain = chain, .key = key};
    const struct tls_server_options server_options = {.certificates = &certificate,
                                                      .certificate_count = 1};
    const struct tls_client_options client_options = {.trust_file = chain};
    status = tls_server_new(loop, &server_options, &error, &server);
    ASSERT(status == 0);
    status = tls_client_new(loop, &client_options, &error, &client);
    ASSERT(status == 0);
    unlink(chain);
    unlink(key);
}

static void begin(void)
{
    static const struct stream_handler nothing;
    memset(sides, 0, sizeof sides);
    spoilt = false;
    for (int i = 0; i < 2; i++) {
        struct pipe_end *e = &ends[i];
        e->base = (struct stream){&pipe_ops, &net, &nothing, NULL};
        e->other = &ends[!i];
        e->room = PIPE_MAX;
        e->wants_room = e->finished = e->end_told = e->let_go = e->resume = false;
        e->len = 0;
    }
    int status = tls_connect(client, &ends[0].base, "localhost", &handler, &sides[0], &sides[0].s);
    ASSERT(status == 0);
    status = tls_accept(server, &ends[1].base, &handler, &sides[1], &sides[1].s);
    ASSERT(status == 0);
    turn();
}

/* All that is under way arrives. */
static void settle(void)
{
    enum { ROUNDS = 200 };
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < 2; i++) {
            ends[i].room = PIPE_MAX;
            sides[i].refuses = false;
            if (sides[i].s != NULL)
                stream_resume(sides[i].s);
            deliver(&ends[i], PIPE_MAX);
        }
    for (int i = 0; i < 2; i++)
        ASSERT(spoilt || (sides[i].open && sides[i].received == sides[!i].sent));
}

/* Whoever is left is let go: what lingers is given up in time. */
static void end(void)
{
    settle();
    for (int i = 0; i < 2; i++) {
        if (sides[i].s != NULL)
            stream_abort(sides[i].s);
        sides[i].s = NULL;
    }
    int status = loop_run_until(loop, loop_now(loop) + STREAM_LINGER + TLS_HANDSHAKE_TIMEOUT);
    ASSERT(status == 0);
    ASSERT(ends[0].let_go && ends[1].let_go);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (loop == NULL)
        set_up();
    begin();
    for (size_t i = 0; i + 1 < len && i < TURNS_MAX; i += 2)
        act(data[i], data[i + 1]);
    end();
    return 0;
}
