/* SPDX-License-Identifier: ISC */
/*
 * http_play.h - plays a client's octets to an HTTP server machine with a small service behind it, and
 * records what the service was told and what the client was sent. For tests and fuzz targets.
 *
 *      /take…   accepts a body of up to 100 octets and answers with it
 *      /stream  ten octets of a length that is not announced       /none   204
 *      /big     100,000 octets, passed by the machine              /close  "bye", and closes
 *      /short   announces ten octets and gives three               /wait   answered by play_answer()
 *      others   "hello"
 */
#ifndef WN_TESTS_SUPPORT_HTTP_PLAY_H
#define WN_TESTS_SUPPORT_HTTP_PLAY_H

#include <stdio.h>
#include <stdlib.h>

#include "proto/http/http_server.h"

enum { PLAY_EVENTS_MAX = 8192, PLAY_OUT_MAX = 1 << 20, PLAY_TAKE_MAX = 100, PLAY_BIG = 100000 };

struct play {
    struct http_server server;
    usec now;
    size_t reader;     /* octets that the client reads at a time */
    bool client_stuck; /* it reads nothing */
    char events[PLAY_EVENTS_MAX];
    size_t events_len;
    char *out; /* with a NUL */
    size_t out_len;
    size_t out_size;
    uint8_t *pending; /* offered and not used */
    size_t pending_len;
    char taken[PLAY_TAKE_MAX + 1];
    size_t taken_len;
    struct bytes body; /* of the response, still to go */
    bool body_open;    /* a body_end() is due after it */
};

static inline void play_init(struct play *p, size_t reader)
{
    memset(p, 0, sizeof *p);
    p->reader = reader;
    p->now = 1000000;
    p->out_size = 4096;
    p->out = calloc(1, p->out_size);
    p->body = bytes_empty();
    ASSERT(p->out != NULL);
    http_server_init(&p->server, NULL, p->now);
}

static inline void play_done(struct play *p)
{
    free(p->out);
    free(p->pending);
}

static inline void play_tell(struct play *p, const char *text, size_t len)
{
    if (len > PLAY_EVENTS_MAX - p->events_len - 2)
        len = PLAY_EVENTS_MAX - p->events_len - 2;
    memcpy(p->events + p->events_len, text, len);
    p->events_len += len;
    p->events[p->events_len] = '\0';
}

static inline void play_send(struct play *p, const uint8_t *data, size_t len)
{
    ASSERT(len < PLAY_OUT_MAX - p->out_len);
    while (p->out_size - p->out_len <= len) {
        p->out_size *= 2;
        p->out = realloc(p->out, p->out_size);
        ASSERT(p->out != NULL);
    }
    memcpy(p->out + p->out_len, data, len);
    p->out_len += len;
    p->out[p->out_len] = '\0';
}

/* 100,000 times "x", made on first use. */
static inline struct bytes play_big(void)
{
    static uint8_t big[PLAY_BIG];
    memset(big, 'x', sizeof big);
    return bytes_of(big, sizeof big);
}

static inline void play_respond(struct play *p, unsigned status, uint64_t length,
                                struct bytes body, bool close)
{
    struct http_response response = {.status = status, .length = length, .close = close};
    p->body = body;
    p->body_open = length == HTTP_LENGTH_UNKNOWN || length > body.len;
    if (!http_server_respond(&p->server, &response))
        play_tell(p, "!", 1);
}

static inline void play_answer(struct play *p)
{
    play_respond(p, 200, 5, bytes_of_text("hello"), false);
}

static inline void play_request(struct play *p, const struct http_server_event *event)
{
    const struct uri_target *target = &event->target;
    play_tell(p, (const char *)event->head.method.data, event->head.method.len);
    play_tell(p, " ", 1);
    play_tell(p, (const char *)event->head.target.data, event->head.target.len);
    play_tell(p, ";", 1);
    if (bytes_equal(bytes_first(target->path, 5), bytes_of_text("/take"))) {
        p->taken_len = 0;
        if (!http_server_accept_body(&p->server, PLAY_TAKE_MAX))
            play_tell(p, "too large;", 10);
    } else if (bytes_equal(target->path, bytes_of_text("/stream"))) {
        play_respond(p, 200, HTTP_LENGTH_UNKNOWN, bytes_of_text("0123456789"), false);
    } else if (bytes_equal(target->path, bytes_of_text("/none"))) {
        play_respond(p, 204, 0, bytes_empty(), false);
    } else if (bytes_equal(target->path, bytes_of_text("/big"))) {
        play_respond(p, 200, PLAY_BIG, play_big(), false);
    } else if (bytes_equal(target->path, bytes_of_text("/close"))) {
        play_respond(p, 200, 3, bytes_of_text("bye"), true);
    } else if (bytes_equal(target->path, bytes_of_text("/short"))) {
        play_respond(p, 200, 10, bytes_of_text("abc"), false);
    } else if (!bytes_equal(target->path, bytes_of_text("/wait"))) {
        play_answer(p);
    }
}

static inline void play_event(struct play *p, const struct http_server_event *event)
{
    switch (event->kind) {
    case HTTP_SERVER_NO_EVENT:
        break;
    case HTTP_SERVER_REQUEST:
        play_request(p, event);
        break;
    case HTTP_SERVER_BODY:
        ASSERT(event->data.len > 0 && event->data.len <= PLAY_TAKE_MAX - p->taken_len);
        memcpy(p->taken + p->taken_len, event->data.data, event->data.len);
        p->taken_len += event->data.len;
        break;
    case HTTP_SERVER_BODY_END:
        play_tell(p, "end;", 4);
        play_respond(p, 200, p->taken_len, bytes_of(p->taken, p->taken_len), false);
        break;
    case HTTP_SERVER_BODY_FAILED:
        play_tell(p, "failed;", 7);
        break;
    }
}

/* Lets the client read some; returns how much it got, body_end() counting as one. */
static inline size_t play_flush(struct play *p)
{
    struct http_server *s = &p->server;
    size_t total = 0;
    p->client_stuck |= p->out_len > PLAY_OUT_MAX - 2 * PLAY_BIG; /* enough for one test */
    if (p->client_stuck)
        return 0;
    struct bytes out = bytes_first(http_server_output(s), p->reader);
    if (out.len > 0) {
        play_send(p, out.data, out.len);
        http_server_sent(s, out.len, p->now);
        total += out.len;
    }
    if (http_server_body_left(s) == 0)
        return total;
    if (p->body.len > 0) {
        size_t gone;
        if (http_server_may_pass(s)) {
            gone = p->body.len < p->reader ? p->body.len : p->reader;
            play_send(p, p->body.data, gone);
            http_server_passed(s, gone, p->now);
        } else {
            gone = http_server_body(s, p->body);
        }
        p->body = bytes_after(p->body, gone);
        total += gone;
    } else if (p->body_open) {
        p->body_open = false;
        http_server_body_end(s);
        total++;
    }
    return total;
}

static inline void play_pump(struct play *p)
{
    size_t progress;
    do {
        static struct http_server_event event;
        struct bytes in = bytes_of(p->pending, p->pending_len);
        size_t used = http_server_input(&p->server, in, p->now, &event);
        ASSERT(used <= in.len);
        progress = used + (event.kind != HTTP_SERVER_NO_EVENT);
        play_event(p, &event);
        /* What was used is gone, into a block of exactly the rest's size. */
        size_t left = p->pending_len - used;
        uint8_t *rest = malloc(left > 0 ? left : 1);
        ASSERT(rest != NULL);
        if (left > 0)
            memcpy(rest, p->pending + used, left);
        free(p->pending);
        p->pending = rest;
        p->pending_len = left;
        progress += play_flush(p);
    } while (progress > 0);
    ASSERT(http_server_deadline(&p->server) > p->now);
}

static inline void play_feed(struct play *p, struct bytes in)
{
    uint8_t *grown = malloc(p->pending_len + in.len + 1);
    ASSERT(grown != NULL);
    if (p->pending_len > 0)
        memcpy(grown, p->pending, p->pending_len);
    memcpy(grown + p->pending_len, in.data, in.len);
    free(p->pending);
    p->pending = grown;
    p->pending_len += in.len;
    play_pump(p);
}

static inline void play_end(struct play *p)
{
    http_server_end(&p->server, p->now);
    play_pump(p);
}

/* Time passes, with a tick at every deadline on the way. */
static inline void play_wait(struct play *p, usec interval)
{
    usec until = p->now + interval;
    while (http_server_deadline(&p->server) <= until) {
        p->now = usec_max(p->now, http_server_deadline(&p->server));
        http_server_tick(&p->server, p->now);
        play_pump(p);
    }
    p->now = until;
}

/* The whole of `in`, in pieces. */
static inline void play_all(struct play *p, struct bytes in, size_t piece)
{
    for (size_t at = 0; at < in.len; at += piece)
        play_feed(p, bytes_first(bytes_after(in, at), piece));
}

#endif
