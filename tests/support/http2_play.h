/* SPDX-License-Identifier: ISC */
/*
 * http2_play.h - plays a peer's octets to a session of HTTP/2 with a small user behind it, and records what that
 * was told and what frames went out. For tests and fuzz targets.
 *
 * The server answers each request with 200 and as many octets as the path says ("/5"; others: none); "/wait" is not answered, "/up" after the whole of its body, "/hold" the
 * same, and uses up nothing of it; "/trailers" with trailers.
 */
#ifndef WN_TESTS_SUPPORT_HTTP2_PLAY_H
#define WN_TESTS_SUPPORT_HTTP2_PLAY_H

#include <stdio.h>
#include <stdlib.h>

#include "proto/http/http2_session.h"

enum { HTTP2_PLAY_TEXT_MAX = 1 << 16, HTTP2_PLAY_STREAMS = 256 };

struct http2_play_stream {
    struct http2_stream core;
    struct http2_play *play;
    bool used;
    char path[16];
    uint64_t left;
    uint64_t received;
};

struct http2_play {
    struct http2_session session;
    struct http2_scratch scratch;
    usec now;
    bool deaf;       /* the peer reads nothing */
    bool slow;       /* the user has no octets of bodies */
    char events[HTTP2_PLAY_TEXT_MAX];
    size_t events_len;
    char frames[HTTP2_PLAY_TEXT_MAX];
    size_t frames_len;
    uint8_t out[9 + 16384];
    size_t out_len;  /* of a frame that has not gone as a whole */
    uint8_t *pending;
    size_t pending_len;
    size_t blocks;   /* of the heap */
    uint64_t sent;   /* octets of DATA */
    uint64_t data[HTTP2_PLAY_STREAMS]; /* by stream */
    unsigned windows; /* updates of them */
    struct http2_play_stream streams[HTTP2_PLAY_STREAMS];
};

static inline void *http2_play_resize(void *self, void *old, size_t old_size UNUSED, size_t new_size)
{
    struct http2_play *p = self;
    if (old == NULL && new_size > 0)
        p->blocks++;
    if (old != NULL && new_size == 0)
        p->blocks--;
    if (new_size > 0)
        return realloc(old, new_size);
    free(old);
    return NULL;
}

static inline void http2_play_init(struct http2_play *p, bool client)
{
    struct http2_options options = {
        .client = client, .streams_max = 4, .window = 1000, .connection_window = HTTP2_WINDOW_DEFAULT};
    memset(p, 0, sizeof *p);
    p->now = USEC_PER_SEC;
    struct heap heap = {.resize = http2_play_resize, .self = p};
    http2_session_init(&p->session, &options, &heap, &p->scratch, p->now);
}

static inline void http2_play_done(struct http2_play *p)
{
    http2_session_done(&p->session);
    ASSERT(p->blocks == 0);
    free(p->pending);
}

static inline void http2_play_say(char *text, size_t *len, const char *name, uint32_t id,
                                  const char *more)
{
    int n = snprintf(text + *len, HTTP2_PLAY_TEXT_MAX - *len, "%s %u%s;", name, (unsigned)id, more);
    if (n > 0 && *len + (size_t)n < HTTP2_PLAY_TEXT_MAX)
        *len += (size_t)n;
}

#define HTTP2_PLAY_TELL(p, name, id, more) \
    http2_play_say((p)->events, &(p)->events_len, name, id, more)

static inline const char *http2_play_error(const uint8_t *octets)
{
    struct reader r = reader_of(bytes_of(octets, 4));
    return http2_error_text(read_u32(&r));
}

/* One frame of ours, whole: its kind, stream, and what matters of it. DATA is told when it ends, and WINDOW_UPDATE not
 * at all, so that what is told does not depend on how octets came. */
static inline void http2_play_frame(struct http2_play *p, const struct http2_frame *f, const uint8_t *payload)
{
    static const char *const names[] = {"DATA", "HEADERS", "PRIORITY", "RST", "SETTINGS", "PUSH",
                                        "PING", "GOAWAY", "WINDOW", "CONTINUATION"};
    char more[64] = "";
    ASSERT(f->type < ARRAY_LEN(names) && f->len <= HTTP2_FRAME_MAX);
    if (f->type == HTTP2_RST_STREAM)
        snprintf(more, sizeof more, " %s", http2_play_error(payload));
    else if (f->type == HTTP2_GOAWAY)
        snprintf(more, sizeof more, " %u %s", payload[3], http2_play_error(payload + 4));
    else if (f->type == HTTP2_DATA)
        snprintf(more, sizeof more, " %llu END",
                 (unsigned long long)(p->data[f->stream % HTTP2_PLAY_STREAMS] += f->len));
    else if (f->type == HTTP2_HEADERS)
        snprintf(more, sizeof more, "%s%s", f->flags & HTTP2_END_STREAM ? " END" : "",
                 f->flags & HTTP2_END_HEADERS ? "" : " ...");
    else if (f->type == HTTP2_SETTINGS || f->type == HTTP2_PING)
        snprintf(more, sizeof more, "%s", f->flags & HTTP2_ACK ? " ACK" : "");
    if (f->type == HTTP2_DATA)
        p->sent += f->len;
    if (f->type == HTTP2_WINDOW_UPDATE)
        p->windows++;
    if (f->type == HTTP2_WINDOW_UPDATE || (f->type == HTTP2_DATA && (f->flags & HTTP2_END_STREAM) == 0))
        return;
    http2_play_say(p->frames, &p->frames_len, names[f->type], f->stream, more);
}

static inline void http2_play_read(struct http2_play *p, struct bytes octets)
{
    while (octets.len > 0) {
        size_t want = p->out_len < 9 ? 9 - p->out_len : 0;
        struct http2_frame f = {0};
        if (want == 0) {
            f = http2_frame_read(bytes_of(p->out, 9));
            ASSERT(f.len <= HTTP2_FRAME_MAX);
            want = 9 + f.len - p->out_len;
        }
        struct bytes piece = bytes_first(octets, want);
        memcpy(p->out + p->out_len, piece.data, piece.len);
        p->out_len += piece.len;
        octets = bytes_after(octets, piece.len);
        if (p->out_len < 9)
            continue;
        f = http2_frame_read(bytes_of(p->out, 9));
        if (p->out_len == 9 + (size_t)f.len) {
            http2_play_frame(p, &f, p->out + 9);
            p->out_len = 0;
        }
    }
}

static inline void http2_play_fill(struct http2_play *p, const struct http2_slot *slot)
{
    struct http2_play_stream *s = CONTAINER_OF(slot->stream, struct http2_play_stream, core);
    size_t len = s->left < slot->room ? (size_t)s->left : slot->room;
    memset(slot->at, 'x', len);
    s->left -= len;
    bool trailers = s->left == 0 && strcmp(s->path, "/trailers") == 0;
    http2_fill(&p->session, slot, len, s->left == 0 && !trailers);
    if (trailers) {
        http2_begin_head(&p->session, &s->core);
        http2_add(&p->session, bytes_of_text("X-End"), bytes_of_text("1"));
        http2_end_head(&p->session, true, true);
    }
}

/* What is closed is told and let go. */
static inline void http2_play_closed(struct http2_play *p)
{
    struct http2_stream *over;
    while ((over = http2_next_closed(&p->session)) != NULL) {
        if (over->error != HTTP2_NO_ERROR)
            HTTP2_PLAY_TELL(p, "closed", over->id, over->unprocessed ? " unprocessed" : " broken");
        CONTAINER_OF(over, struct http2_play_stream, core)->used = false;
    }
}

/* What there is to send goes. */
static inline void http2_play_turn(struct http2_play *p)
{
    struct http2_slot slot;
    for (;;) {
        while (!p->slow && http2_next_slot(&p->session, &slot))
            http2_play_fill(p, &slot);
        http2_play_closed(p);
        struct bytes out = http2_output(&p->session);
        if (out.len == 0 || p->deaf)
            return;
        size_t len = out.len > 5000 ? 5000 : out.len;
        if (p->session.preface_at == HTTP2_PREFACE_LEN && p->session.options.client &&
            p->frames_len == 0 && p->out_len == 0 && memcmp(out.data, HTTP2_PREFACE, 24) == 0) {
            http2_sent(&p->session, HTTP2_PREFACE_LEN);
            continue;
        }
        http2_play_read(p, bytes_of(out.data, len));
        http2_sent(&p->session, len);
    }
}

static inline void http2_play_respond(struct http2_play *p, struct http2_play_stream *s)
{
    http2_begin_head(&p->session, &s->core);
    http2_add_number(&p->session, HPACK_STATUS, 200);
    http2_add(&p->session, bytes_of_text("Server"), bytes_of_text("play"));
    http2_add(&p->session, bytes_of_text("Connection"), bytes_of_text("close"));
    http2_end_head(&p->session, true, s->left == 0);
}

static inline struct http2_play_stream *http2_play_stream_new(struct http2_play *p)
{
    for (size_t i = 0; i < HTTP2_PLAY_STREAMS; i++) {
        if (!p->streams[i].used) {
            p->streams[i].used = true;
            p->streams[i].left = p->streams[i].received = 0;
            p->streams[i].path[0] = '\0';
            return &p->streams[i];
        }
    }
    ASSERT(false);
    return NULL;
}

static inline bool http2_play_waits(const struct http2_play_stream *s)
{
    return strcmp(s->path, "/wait") == 0 || strcmp(s->path, "/up") == 0 || strcmp(s->path, "/hold") == 0;
}

static inline void http2_play_request(struct http2_play *p, const struct http2_event *e)
{
    struct http2_play_stream *s = http2_play_stream_new(p);
    snprintf(s->path, sizeof s->path, "%.*s", (int)e->head.request.target.len,
             (const char *)e->head.request.target.data);
    s->left = strtoull(s->path + 1, NULL, 10) % 1000000;
    if (strcmp(s->path, "/trailers") == 0)
        s->left = 3;
    http2_accept(&p->session, &s->core);
    char more[64];
    snprintf(more, sizeof more, " %.*s %.40s%s%s", (int)(e->head.request.method.len % 20),
             (const char *)e->head.request.method.data, s->path, e->too_large ? " LARGE" : "",
             e->ended ? " END" : "");
    HTTP2_PLAY_TELL(p, "request", e->id, more);
    if (!http2_play_waits(s) || (e->ended && strcmp(s->path, "/wait") != 0))
        http2_play_respond(p, s);
}

/* Pieces of a body are told when it has ended, so that what is told does not depend on how it came. */
static inline void http2_play_body(struct http2_play *p, const struct http2_event *e)
{
    struct http2_play_stream *s = CONTAINER_OF(e->stream, struct http2_play_stream, core);
    char more[64];
    s->received += e->data.len;
    if (strcmp(s->path, "/hold") != 0)
        http2_consume(&p->session, &s->core, e->data.len);
    if (!e->ended)
        return;
    snprintf(more, sizeof more, " %llu", (unsigned long long)s->received);
    HTTP2_PLAY_TELL(p, "body", e->id, more);
    if (!p->session.options.client && http2_play_waits(s) && strcmp(s->path, "/wait") != 0)
        http2_play_respond(p, s);
}

static inline void http2_play_event(struct http2_play *p, const struct http2_event *e)
{
    char more[64];
    http2_play_closed(p); /* it was so before the event */
    switch (e->kind) {
    case HTTP2_REQUEST:
        http2_play_request(p, e);
        break;
    case HTTP2_INTERIM:
    case HTTP2_RESPONSE:
        snprintf(more, sizeof more, " %u%s%s", e->head.response.status, e->too_large ? " LARGE" : "",
                 e->ended ? " END" : "");
        HTTP2_PLAY_TELL(p, e->kind == HTTP2_INTERIM ? "interim" : "response", e->id, more);
        break;
    case HTTP2_TRAILERS:
        snprintf(more, sizeof more, " %u", (unsigned)e->head.trailers.count);
        HTTP2_PLAY_TELL(p, "trailers", e->id, more);
        break;
    case HTTP2_BODY:
        http2_play_body(p, e);
        break;
    case HTTP2_GOING_AWAY:
        HTTP2_PLAY_TELL(p, "going away", 0, "");
        break;
    case HTTP2_FAILED:
        snprintf(more, sizeof more, " %s", http2_error_text(e->error));
        HTTP2_PLAY_TELL(p, "failed", 0, more);
        break;
    case HTTP2_NO_EVENT:
        break;
    }
}

/* Offers what is pending. */
static inline void http2_play_offer(struct http2_play *p)
{
    static struct http2_event e;
    size_t used, at = 0;
    do {
        struct bytes rest = bytes_of(p->pending + at, p->pending_len - at);
        used = http2_input(&p->session, rest, p->now, &e);
        ASSERT(used <= rest.len);
        at += used;
        http2_play_event(p, &e);
        http2_play_turn(p);
    } while (used > 0 || e.kind != HTTP2_NO_EVENT);
    memmove(p->pending, p->pending + at, p->pending_len - at);
    p->pending_len -= at;
}

static inline void http2_play_input(struct http2_play *p, struct bytes in, size_t piece)
{
    http2_play_turn(p);
    while (in.len > 0) {
        struct bytes next = bytes_first(in, piece);
        p->pending = realloc(p->pending, p->pending_len + next.len + 1);
        ASSERT(p->pending != NULL);
        memcpy(p->pending + p->pending_len, next.data, next.len);
        p->pending_len += next.len;
        in = bytes_after(in, next.len);
        http2_play_offer(p);
    }
}

#endif
