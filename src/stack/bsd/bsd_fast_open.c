/* SPDX-License-Identifier: ISC */
/*
 * bsd_fast_open.c - TCP Fast Open as programs on Linux ask for it: sendto() with MSG_FASTOPEN connects
 * and sends at once; after TCP_FASTOPEN_CONNECT connect() says yes where a cookie is known, and the
 * first write takes the SYN with it; TCP_FASTOPEN and TCP_FASTOPEN_KEY are for listeners.
 */
#include "stack/bsd/internal.h"

static bool is_enabled(const struct bsd_socket *s)
{
    return (tcp_default_option(s->bsd->stack, TCP_OPTION_FAST_OPEN) & TCP_FAST_OPEN_CLIENT) != 0;
}

/* ---- options ---- */

int bsd_fast_open_set_connect(struct bsd_socket *s, int value)
{
    if (value < 0 || value > 1)
        return -EINVAL;
    if (!is_enabled(s))
        return -EOPNOTSUPP;
    if (bsd_stream_state(s) != TCP_CLOSED)
        return -EINVAL;
    s->fast_open_connect = value != 0;
    return 0;
}

int bsd_fast_open_set_queue(struct bsd_socket *s, int value)
{
    enum tcp_state state = bsd_stream_state(s);
    if (value < 0 || (state != TCP_CLOSED && state != TCP_LISTEN))
        return -EINVAL;
    return bsd_wish(s, TCP_OPTION_FAST_OPEN_QUEUE, (uint64_t)value);
}

int bsd_fast_open_set_no_cookie(struct bsd_socket *s, int value)
{
    const uint64_t bits = TCP_FAST_OPEN_CLIENT_NO_COOKIE | TCP_FAST_OPEN_SERVER_NO_COOKIE;
    uint64_t flags = bsd_wished(s, TCP_OPTION_FAST_OPEN) & ~bits;
    enum tcp_state state = bsd_stream_state(s);
    if (value < 0 || value > 1 || (state != TCP_CLOSED && state != TCP_LISTEN))
        return -EINVAL;
    return bsd_wish(s, TCP_OPTION_FAST_OPEN, value != 0 ? flags | bits : flags);
}

int bsd_fast_open_get_no_cookie(const struct bsd_socket *s)
{
    return (bsd_wished(s, TCP_OPTION_FAST_OPEN) & TCP_FAST_OPEN_CLIENT_NO_COOKIE) != 0;
}

int bsd_fast_open_set_keys(struct bsd_socket *s, const void *value, wn_socklen_t len)
{
    if (len != TCP_FAST_OPEN_KEY_LEN && len != 2 * TCP_FAST_OPEN_KEY_LEN)
        return -EINVAL;
    memcpy(s->fast_open_keys, value, len);
    s->fast_open_keys_len = (uint8_t)len;
    bsd_fast_open_listens(s);
    return 0;
}

size_t bsd_fast_open_get_keys(const struct bsd_socket *s, uint8_t out[2 * TCP_FAST_OPEN_KEY_LEN])
{
    if (s->listener != NULL)
        return tcp_listener_fast_open_keys(s->listener, out);
    memcpy(out, s->fast_open_keys, s->fast_open_keys_len);
    return s->fast_open_keys_len;
}

void bsd_fast_open_listens(struct bsd_socket *s)
{
    if (s->listener != NULL && s->fast_open_keys_len > 0)
        (void)!tcp_listener_set_fast_open_keys(s->listener, s->fast_open_keys,
                                               s->fast_open_keys_len);
}

/* ---- connecting ---- */

int bsd_fast_open_connect(struct bsd_socket *s, const struct endpoint *to)
{
    struct tcp_connect_options options = {.remote = *to, .local = s->local, .fast_open = true};
    if (!s->bound_address)
        options.local.address = address_any_v4();
    if (is_enabled(s) && (bsd_fast_open_get_no_cookie(s) != 0 ||
                          tcp_fast_open_known(s->bsd->stack, &options))) {
        s->deferred = true;
        s->remote = *to;
        s->phase = BSD_CONNECTED;
        bsd_wake(s, READY_OUT);
        return 0;
    }
    int result = bsd_stream_begin(s, to, true);
    if (result < 0)
        return result;
    s->phase = BSD_CONNECTING;
    return -EINPROGRESS;
}

/* Begins the connection that the message is for. */
static int begin(struct bsd_socket *s, const struct wn_msghdr *message)
{
    struct endpoint to = s->remote;
    if (s->deferred) {
        s->deferred = false;
        return bsd_stream_begin(s, &to, true);
    }
    if (message->msg_name == NULL)
        return -EINVAL;
    int family = bsd_address_family(message->msg_name, message->msg_namelen);
    if (family == WN_AF_UNSPEC)
        return -EOPNOTSUPP;
    int result = bsd_address_in(s, message->msg_name, message->msg_namelen, &to);
    if (result == 0)
        result = bsd_stream_begin(s, &to, true);
    if (result == 0)
        s->phase = BSD_CONNECTING;
    return result;
}

/* What goes with the SYN. */
static void queue(struct bsd_socket *s, const struct wn_msghdr *message, size_t *done)
{
    size_t room = tcp_fast_open_room(s->c);
    while (room > 0) {
        struct wn_iovec piece = bsd_message_piece(message, *done);
        size_t len = piece.iov_len < room ? piece.iov_len : room;
        size_t taken = len > 0 ? tcp_send(s->c, bytes_of(piece.iov_base, len)) : 0;
        *done += taken;
        room -= taken;
        if (taken == 0 || taken < len)
            break;
    }
}

long bsd_fast_open_send(struct bsd_socket *s, const struct wn_msghdr *message, int flags,
                        size_t *done)
{
    if (s->fast_opening) /* the same call, which waits */
        return 0;
    if (!s->deferred) {
        if (!is_enabled(s))
            return -EOPNOTSUPP;
        if (s->listener != NULL)
            return -EINVAL;
        enum tcp_state state = bsd_stream_state(s);
        if (s->phase == BSD_CONNECTING && state != TCP_SYN_SENT && state != TCP_CLOSED) {
            s->phase = BSD_CONNECTED; /* it is over, and this call is the first to see it */
            return 0;
        }
        if (s->c != NULL || s->phase != BSD_UNCONNECTED)
            return state == TCP_SYN_SENT ? -EALREADY : -EISCONN;
    }
    int result = begin(s, message);
    if (result < 0)
        return result;
    queue(s, message, done);
    if (bsd_waits(s, flags)) {
        s->fast_opening = true;
        return 0;
    }
    return *done > 0 ? (long)*done : -EINPROGRESS;
}
