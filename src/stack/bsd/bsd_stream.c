/* SPDX-License-Identifier: ISC */
/*
 * bsd_stream.c - streams: from TCP's states (RFC 9293 §3.3.2) to what a program on Linux sees of
 * them, and the calls that open and close.
 */
#include "stack/bsd/internal.h"

/* A connection that was closed in order has its FIN acknowledged and the peer's received. On Linux
 * the socket is CLOSED then, and something smaller waits in TIME-WAIT. */
static bool is_over(enum tcp_state state)
{
    return state == TCP_CLOSED || state == TCP_TIME_WAIT;
}

enum tcp_state bsd_stream_state(const struct bsd_socket *s)
{
    if (s->listener != NULL)
        return TCP_LISTEN;
    if (s->deferred)
        return TCP_SYN_SENT;
    return s->c == NULL || is_over(tcp_state(s->c)) ? TCP_CLOSED : tcp_state(s->c);
}

bool bsd_stream_opening(const struct bsd_socket *s)
{
    enum tcp_state state = bsd_stream_state(s);
    return state == TCP_SYN_SENT || (state == TCP_SYN_RECEIVED && s->phase != BSD_CONNECTED);
}

static int errno_of(const struct bsd_socket *s)
{
    static const int errors[] = {
        [TCP_OK] = 0,
        [TCP_REFUSED] = ECONNREFUSED,
        [TCP_RESET] = ECONNRESET,
        [TCP_TIMED_OUT] = ETIMEDOUT,
        [TCP_UNREACHABLE] = EHOSTUNREACH,
        [TCP_ABORTED] = ECONNABORTED,
    };
    _Static_assert(ARRAY_LEN(errors) == TCP_ERROR_COUNT, "one errno per error");
    enum tcp_error error = tcp_error(s->c);
    /* A reset in CLOSE-WAIT: there is nothing to be missed but what we would have sent. */
    if (error == TCP_RESET && tcp_peer_finished(s->c) && !(s->shut & BSD_SHUT_SEND))
        return EPIPE;
    return errors[error];
}

int bsd_stream_error(const struct bsd_socket *s)
{
    return s->c != NULL && !s->error_told ? errno_of(s) : 0;
}

unsigned bsd_stream_shut(const struct bsd_socket *s)
{
    unsigned shut = s->shut;
    if (s->c != NULL && tcp_peer_finished(s->c))
        shut |= BSD_SHUT_RECEIVE;
    if (s->c != NULL && is_over(tcp_state(s->c)))
        shut = BSD_SHUT_BOTH;
    return shut;
}

/* How much must have come for the socket to be readable: SO_RCVLOWAT, as far as it can come true. */
static size_t readable_from(const struct bsd_socket *s)
{
    size_t low = s->receive_low > 0 ? (size_t)s->receive_low : 1;
    size_t most = (size_t)tcp_get_option(s->c, TCP_OPTION_RECEIVE_BUFFER) / 2;
    return low < most ? low : most;
}

unsigned bsd_stream_ready(const struct bsd_socket *s)
{
    if (s->listener != NULL)
        return tcp_listener_waiting(s->listener) ? READY_IN : 0;
    enum tcp_state state = bsd_stream_state(s);
    unsigned shut = bsd_stream_shut(s);
    unsigned ready = bsd_error(s) != 0 ? WN_POLLERR : 0;
    if (shut == BSD_SHUT_BOTH || state == TCP_CLOSED)
        ready |= WN_POLLHUP;
    if (shut & BSD_SHUT_RECEIVE)
        ready |= READY_IN | WN_POLLRDHUP;
    if (bsd_stream_opening(s))
        return s->deferred ? ready | READY_OUT : ready;
    size_t received = s->c != NULL ? tcp_received_len(s->c) : 0;
    if (received > 0 && received >= readable_from(s) + bsd_urgent_skips(s))
        ready |= READY_IN;
    if (bsd_urgent_here(s))
        ready |= WN_POLLPRI;
    if ((shut & BSD_SHUT_SEND) || s->c == NULL || tcp_writable(s->c))
        ready |= READY_OUT;
    return ready;
}

/* ---- opening ---- */

/* To the wildcard is to oneself. */
static struct endpoint meant(const struct endpoint *to)
{
    struct endpoint out = *to;
    if (address_is_any(&to->address))
        out.address = address_v4(0x7f000001);
    return out;
}

int bsd_stream_begin(struct bsd_socket *s, const struct endpoint *remote, bool fast_open)
{
    struct endpoint to = meant(remote);
    if (to.port == 0)
        return -EADDRNOTAVAIL;
    enum socket_refusal why;
    struct tcp_connect_options options = {
        .remote = to,
        .local = s->local,
        .fast_open = fast_open,
        .direct = s->dont_route,
        .why = &why,
    };
    if (!bsd_holds_port(s))
        options.local.port = 0;
    if (!s->bound_address)
        options.local.address = address_any_v4();
    s->c = tcp_connect(s->bsd->stack, &options);
    if (s->c == NULL) /* no port, or the very connection exists; or why there can be none */
        return why == SOCKET_IN_USE ? -EADDRNOTAVAIL : bsd_refused(why);
    bsd_own(tcp_base(s->c), s);
    s->error_told = false;
    s->error = 0;
    s->local = *tcp_local(s->c);
    s->holds_port = true;
    s->remote = to;
    (void)bsd_urgent_set_in_line(s, s->oob_inline);
    bsd_apply_options(s);
    return 0;
}

/* The connection goes; the socket can be used anew. */
static void detach(struct bsd_socket *s)
{
    s->c = NULL;
    s->deferred = false;
    s->fast_opening = false;
    s->error_told = false;
    s->shut = 0;
    s->remote = (struct endpoint){address_any_v4(), 0};
    if (!s->bound_address)
        s->local.address = address_any_v4();
    s->holds_port = s->bound_port;
    bsd_wake(s, READY_ANY);
}

int bsd_stream_disconnect(struct bsd_socket *s)
{
    enum tcp_state state = bsd_stream_state(s);
    if (s->listener != NULL) {
        tcp_listener_close(s->listener);
        s->listener = NULL;
        detach(s);
        return 0;
    }
    int error = bsd_error(s);
    if (s->c != NULL)
        tcp_abort(s->c);
    detach(s);
    s->phase = BSD_UNCONNECTED;
    s->error = error; /* what nobody was told of is still to be told */
    /* Who waits for it is told. */
    if (state != TCP_CLOSED && state != TCP_LAST_ACK && state != TCP_CLOSING)
        s->error = ECONNRESET;
    return 0;
}

/* Asked again about a connection that was begun. */
static int connect_result(struct bsd_socket *s, int pending)
{
    switch (bsd_stream_state(s)) {
    case TCP_SYN_SENT:
    case TCP_SYN_RECEIVED:
        return pending;
    case TCP_CLOSED: {
        int error = bsd_take_error(s);
        if (s->c != NULL)
            tcp_abort(s->c);
        detach(s);
        s->phase = BSD_UNCONNECTED;
        return error != 0 ? -error : -ECONNABORTED;
    }
    case TCP_LISTEN:
    case TCP_ESTABLISHED:
    case TCP_FIN_WAIT_1:
    case TCP_FIN_WAIT_2:
    case TCP_CLOSE_WAIT:
    case TCP_CLOSING:
    case TCP_LAST_ACK:
    case TCP_TIME_WAIT:
    case TCP_STATE_COUNT:
        break;
    }
    s->phase = BSD_CONNECTED;
    return 0;
}

int bsd_stream_connect(struct bsd_socket *s, const struct endpoint *to)
{
    int pending = -EALREADY;
    if (s->phase == BSD_CONNECTED || bsd_stream_state(s) == TCP_LISTEN)
        return -EISCONN;
    if (s->phase == BSD_UNCONNECTED) {
        if (s->c != NULL)
            return -EISCONN;
        if (s->fast_open_connect)
            return bsd_fast_open_connect(s, to);
        int result = bsd_stream_begin(s, to, false);
        if (result < 0)
            return result;
        s->phase = BSD_CONNECTING;
        pending = -EINPROGRESS;
    }
    return connect_result(s, pending);
}

/* ---- listening ---- */

int bsd_stream_listen(struct bsd_socket *s, int backlog)
{
    if (s->phase != BSD_UNCONNECTED || s->c != NULL)
        return -EINVAL;
    /* One more than was asked for, as ever since 4.2BSD. */
    unsigned queue = backlog < 0 || backlog > BSD_BACKLOG_MAX ? BSD_BACKLOG_MAX : (unsigned)backlog;
    s->backlog = queue;
    if (s->listener != NULL) {
        tcp_listener_set_backlog(s->listener, queue + 1);
        return 0;
    }
    int result = bsd_port_listen(s);
    if (result < 0)
        return result;
    enum socket_refusal why;
    struct tcp_listen_options options = {
        .local = s->local, .backlog = queue + 1, .shared = s->reuse_port, .why = &why};
    s->listener = tcp_listen(s->bsd->stack, &options);
    if (s->listener == NULL)
        return bsd_refused(why);
    bsd_own(tcp_listener_base(s->listener), s);
    s->shut = 0;
    bsd_apply_options(s);
    bsd_fast_open_listens(s);
    bsd_wake(s, READY_ANY);
    return 0;
}

int bsd_stream_accept(struct bsd_socket *s, int flags, struct bsd_socket **out)
{
    if (s->listener == NULL)
        return -EINVAL;
    if (!tcp_listener_waiting(s->listener))
        return -EAGAIN;
    struct bsd_socket *child;
    int fd = bsd_add(s->bsd, BSD_STREAM, &child);
    if (fd < 0)
        return fd;
    child->c = tcp_accept(s->listener, child);
    tcp_base(child->c)->face = SOCKET_FACE_BSD;
    child->nonblock = (flags & WN_SOCK_NONBLOCK) != 0;
    child->phase = BSD_CONNECTED;
    child->local = *tcp_local(child->c);
    child->remote = *tcp_remote(child->c);
    child->holds_port = true;
    bsd_inherit_options(child, s);
    (void)bsd_urgent_set_in_line(child, child->oob_inline);
    *out = child;
    return fd;
}

/* ---- closing ---- */

int bsd_stream_shutdown(struct bsd_socket *s, unsigned how)
{
    enum tcp_state state = bsd_stream_state(s);
    if (state == TCP_LISTEN)
        return how & BSD_SHUT_RECEIVE ? bsd_stream_disconnect(s) : 0;
    if (state == TCP_SYN_SENT)
        return bsd_stream_disconnect(s);
    s->shut |= (uint8_t)how;
    if (state != TCP_CLOSED && (how & BSD_SHUT_SEND))
        tcp_shutdown(s->c);
    bsd_wake(s, READY_ANY);
    return state == TCP_CLOSED ? -ENOTCONN : 0;
}

void bsd_stream_close(struct bsd_socket *s)
{
    if (s->listener != NULL)
        tcp_listener_close(s->listener);
    s->listener = NULL;
    if (s->c == NULL)
        return;
    /* SO_LINGER with no time: the peer learns that something was lost. */
    if (s->linger && s->linger_seconds == 0)
        tcp_abort(s->c);
    else
        tcp_close(s->c);
    s->c = NULL;
}
