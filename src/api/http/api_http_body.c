/* SPDX-License-Identifier: ISC */
/*
 * api_http_body.c - bodies: a request's from memory or from the program, and a response's to the program, decoded
 * (RFC 9110 §8.4) within its limit, and held while the program has paused it.
 */
#include <errno.h>
#include <stdlib.h>

#include "api/http/api_http.h"

enum { DECODE_STEP = 512 /* coded octets; a pause is looked at between them */ };

/* ---- of the request ---- */

enum piece { PIECE_NONE, PIECE_LATER, PIECE_END, PIECE_HERE };

static uint64_t body_left(const struct wn_http_transfer *t)
{
    return t->wish.body_len == WN_HTTP_LENGTH_UNKNOWN ? UINT64_MAX : t->wish.body_len - t->body_at;
}

/* Asks the program. PIECE_NONE: the transfer has ended, or was cancelled. */
static enum piece read_piece(struct wn_http_transfer *t)
{
    uint64_t left = body_left(t);
    size_t size = left < HTTP_PIECE_MAX ? (size_t)left : HTTP_PIECE_MAX;
    if (t->piece == NULL)
        t->piece = malloc(HTTP_PIECE_MAX);
    if (t->piece == NULL) {
        http_end(t, WN_HTTP_NO_MEMORY, ENOMEM, "no memory for the request's body");
        return PIECE_NONE;
    }
    long len = t->wish.read(t->wish.body_self, t, t->piece, size);
    if (t->dead)
        return PIECE_NONE;
    if (len == WN_HTTP_LATER)
        return PIECE_LATER;
    if (len < 0 || (size_t)len > size || (len == 0 && left != UINT64_MAX)) {
        http_end(t, WN_HTTP_BAD_BODY, 0, len == 0 ? "expected %llu octets more of the request's body"
                                                  : "the request's body cannot be read, with %llu "
                                                    "octets to come", (unsigned long long)left);
        return PIECE_NONE;
    }
    t->was_read = true;
    t->read_all = len == 0;
    t->piece_at = 0;
    t->piece_len = (size_t)len;
    return len == 0 ? PIECE_END : PIECE_HERE;
}

static enum piece next_piece(struct wn_http_transfer *t, struct bytes *out)
{
    if (t->read_all || body_left(t) == 0)
        return PIECE_END;
    if (t->wish.body != NULL) {
        *out = bytes_of((const uint8_t *)t->wish.body + t->body_at, (size_t)body_left(t));
        return PIECE_HERE;
    }
    enum piece piece = t->piece_len > 0 ? PIECE_HERE : read_piece(t);
    if (piece == PIECE_HERE)
        *out = bytes_of(t->piece + t->piece_at, t->piece_len);
    return piece;
}

static void advance(struct wn_http_transfer *t, size_t taken)
{
    t->body_at += taken;
    if (t->wish.body != NULL)
        return;
    t->piece_at += taken;
    t->piece_len -= taken;
}

static void send_all(struct wn_http_transfer *t)
{
    for (;;) {
        struct bytes piece = bytes_empty();
        switch (next_piece(t, &piece)) {
        case PIECE_NONE:
        case PIECE_LATER:
            return;
        case PIECE_END:
            t->body_over = t->wish.body_len != WN_HTTP_LENGTH_UNKNOWN || fetch_body_end(t->fetch);
            t->has_room = t->body_over;
            return;
        case PIECE_HERE:
            break;
        }
        size_t taken = fetch_body(t->fetch, piece);
        advance(t, taken);
        if (taken == 0) {
            t->has_room = false; /* on_room follows */
            return;
        }
        http_touch(t);
    }
}

void http_send_body(struct wn_http_transfer *t)
{
    if (!t->sends_body || t->body_over || !t->has_room || t->fetch == NULL)
        return;
    http_enter(t);
    send_all(t);
    (void)http_leave(t);
}

bool http_rewind_body(struct wn_http_transfer *t)
{
    bool again = t->was_read;
    t->body_at = 0;
    t->body_over = false;
    t->has_room = false;
    t->read_all = false;
    t->was_read = false;
    t->piece_len = 0;
    return !again || (t->wish.rewind != NULL && t->wish.rewind(t->wish.body_self, t) == 0);
}

/* ---- of the response ---- */

/* Tells what came, within its limit. */
static void tell(void *self, struct bytes octets)
{
    struct wn_http_transfer *t = self;
    uint64_t max = t->wish.body_max;
    if (t->dead || octets.len == 0)
        return;
    if (max != 0 && octets.len > max - t->body_len) {
        http_end(t, WN_HTTP_TOO_LARGE, 0, "the body has more than %llu octets",
                 (unsigned long long)max);
        return;
    }
    t->body_len += octets.len;
    if (t->handler.on_body != NULL)
        t->handler.on_body(t->self, t, octets.data, octets.len);
}

static void hold(struct wn_http_transfer *t, struct bytes data)
{
    uint8_t *held = data.len > HTTP_HELD_MAX - t->held_len
                        ? NULL
                        : realloc(t->held, t->held_len + data.len);
    if (held == NULL) {
        http_end(t, WN_HTTP_BROKEN, ENOMEM,
                 "%s sends on while the transfer is paused, and there is no room to keep it",
                 t->url.host);
        return;
    }
    memcpy(held + t->held_len, data.data, data.len);
    t->held = held;
    t->held_len += data.len;
}

static void take(struct wn_http_transfer *t, struct bytes data)
{
    while (data.len > 0 && !t->dead && !t->paused && t->held == NULL) {
        struct bytes piece = t->decoder != NULL ? bytes_first(data, DECODE_STEP) : data;
        data = bytes_after(data, piece.len);
        if (t->decoder == NULL)
            tell(t, piece);
        else if (!content_decoder_feed(t->decoder, piece, tell, t))
            http_end(t, WN_HTTP_BAD_CONTENT, 0, "the body is not what its Content-Encoding says");
    }
    if (data.len > 0 && !t->dead)
        hold(t, data);
}

void http_take_body(struct wn_http_transfer *t, struct bytes data)
{
    http_enter(t);
    take(t, data);
    (void)http_leave(t);
}

void http_take_held(struct wn_http_transfer *t)
{
    uint8_t *held = t->held;
    struct bytes data = bytes_of(held, t->held_len);
    t->held = NULL;
    t->held_len = 0;
    if (held != NULL)
        take(t, data);
    free(held);
    if (t->dead || t->paused)
        return;
    if (t->has_outcome)
        http_conclude(t, &t->outcome);
    else if (t->fetch != NULL)
        fetch_resume(t->fetch);
}
