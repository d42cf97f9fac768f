/* SPDX-License-Identifier: ISC */
/*
 * bsd_transfer.c - octets between the application's buffers and a stream's queues.
 *
 * What a call does at the end of a stream, after errors and after shutdown() is told in the order in
 * which Linux looks: what waits is read first, then the peer's end, then an error (once), then our own
 * shutdown.
 */
#include "stack/bsd/internal.h"

enum { VIEWS = 32, VIEWS_PEEKED = 256 };

long bsd_message_len(const struct wn_msghdr *message)
{
    if (message->msg_iovlen > BSD_IOVEC_MAX)
        return -EMSGSIZE;
    size_t len = 0;
    for (size_t i = 0; i < message->msg_iovlen; i++) {
        size_t part = message->msg_iov[i].iov_len;
        if (part > INT64_MAX || len + part > INT64_MAX)
            return -EINVAL;
        if (part > 0 && message->msg_iov[i].iov_base == NULL)
            return -EFAULT;
        len += part;
    }
    return (long)len;
}

struct wn_iovec bsd_message_piece(const struct wn_msghdr *message, size_t done)
{
    for (size_t i = 0; i < message->msg_iovlen; i++) {
        const struct wn_iovec *part = &message->msg_iov[i];
        if (done < part->iov_len)
            return (struct wn_iovec){(uint8_t *)part->iov_base + done, part->iov_len - done};
        done -= part->iov_len;
    }
    return (struct wn_iovec){NULL, 0};
}

size_t bsd_message_fill(const struct wn_msghdr *message, size_t done, struct bytes in)
{
    size_t filled = 0;
    while (filled < in.len) {
        struct wn_iovec piece = bsd_message_piece(message, done + filled);
        size_t len = in.len - filled < piece.iov_len ? in.len - filled : piece.iov_len;
        if (len == 0)
            break;
        memcpy(piece.iov_base, in.data + filled, len);
        filled += len;
    }
    return filled;
}

/* ---- sending ---- */

/* Why nothing can be sent; 0: it can. */
static int cannot_send(struct bsd_socket *s)
{
    enum tcp_state state = bsd_stream_state(s);
    if (bsd_stream_opening(s))
        return bsd_error(s) != 0 ? -bsd_take_error(s) : -EAGAIN;
    bool open = state == TCP_ESTABLISHED || state == TCP_CLOSE_WAIT || state == TCP_SYN_RECEIVED;
    if (open && bsd_error(s) == 0 && !(bsd_stream_shut(s) & BSD_SHUT_SEND))
        return 0;
    return bsd_error(s) != 0 ? -bsd_take_error(s) : -EPIPE;
}

/* A message of several parts is one write, and only its last part ends it. */
static unsigned send_flags(int flags, bool last)
{
    unsigned more = !last || (flags & WN_MSG_MORE) ? TCP_SEND_MORE : 0;
    return more | (last && (flags & WN_MSG_EOR) ? TCP_SEND_RECORD : 0);
}

long bsd_stream_send(struct bsd_socket *s, const struct wn_msghdr *message, int flags, size_t *done)
{
    long len = bsd_message_len(message);
    if (len < 0)
        return len;
    if ((flags & WN_MSG_FASTOPEN) || s->deferred) {
        long result = bsd_fast_open_send(s, message, flags, done);
        if (result != 0)
            return result;
    }
    int obstacle = cannot_send(s);
    if (obstacle < 0) {
        /* What went with a SYN that was refused has not been sent. */
        bool nothing = obstacle == -EAGAIN || s->fast_opening;
        s->fast_opening &= obstacle == -EAGAIN;
        return *done > 0 && !nothing ? (long)*done : obstacle;
    }
    s->fast_opening = false;
    if (*done > 0 && bsd_waits(s, flags) && !tcp_writable(s->c))
        return -EAGAIN; /* it goes on when there is room that is worth it */
    while (*done < (size_t)len) {
        struct wn_iovec piece = bsd_message_piece(message, *done);
        struct bytes text = bytes_of(piece.iov_base, piece.iov_len);
        unsigned how = send_flags(flags, *done + piece.iov_len == (size_t)len);
        size_t taken =
            flags & WN_MSG_OOB ? tcp_send_urgent(s->c, text) : tcp_send_as(s->c, text, how);
        *done += taken;
        if (taken < piece.iov_len)
            break;
    }
    if (*done == (size_t)len)
        return len;
    return *done > 0 && !bsd_waits(s, flags) ? (long)*done : -EAGAIN;
}

/* ---- receiving ---- */

/* Copies what waits, `most` octets of it, from `done` octets of the parts on; how much. */
static size_t copy_out(const struct wn_msghdr *message, size_t done, const struct slice *views,
                       size_t count, size_t most)
{
    size_t copied = 0;
    for (size_t i = 0; i < count && copied < most; i++) {
        struct bytes view = bytes_first(bytes_of(views[i].data, views[i].len), most - copied);
        size_t part = bsd_message_fill(message, done + copied, view);
        copied += part;
        if (part < view.len)
            break;
    }
    return copied;
}

static size_t peek(struct bsd_socket *s, const struct wn_msghdr *message)
{
    struct slice views[VIEWS_PEEKED];
    size_t count = tcp_received(s->c, views, VIEWS_PEEKED);
    if (count > 0 && bsd_urgent_skips(s)) {
        views[0].data++;
        views[0].len--;
    }
    return copy_out(message, 0, views, count, bsd_urgent_before(s));
}

/* With WN_MSG_TRUNC what waits is thrown away unseen. */
static size_t take(struct bsd_socket *s, const struct wn_msghdr *message, size_t done, size_t len,
                   bool unseen)
{
    size_t taken = 0;
    while (done + taken < len) {
        struct slice views[VIEWS];
        size_t most = len - done - taken;
        if (!bsd_urgent_pass(s, done + taken > 0, &most))
            break;
        size_t count = tcp_received(s->c, views, VIEWS);
        if (count == 0)
            break;
        size_t part;
        if (unseen) {
            size_t waits = tcp_received_len(s->c);
            part = most < waits ? most : waits;
        } else {
            part = copy_out(message, done + taken, views, count, most);
        }
        tcp_consume(s->c, part);
        taken += part;
    }
    return taken;
}

/* What is said when nothing waits: 0 is the end. */
static long nothing_waits(struct bsd_socket *s)
{
    if (s->c != NULL && tcp_peer_finished(s->c))
        return 0;
    if (bsd_error(s) != 0)
        return -bsd_take_error(s);
    if (bsd_stream_shut(s) & BSD_SHUT_RECEIVE)
        return 0;
    return bsd_stream_state(s) == TCP_CLOSED ? -ENOTCONN : -EAGAIN;
}

/* Will there be no more than what has come? */
static bool no_more(struct bsd_socket *s)
{
    return bsd_error(s) != 0 || (bsd_stream_shut(s) & BSD_SHUT_RECEIVE) ||
           bsd_stream_state(s) == TCP_CLOSED;
}

static size_t wanted(const struct bsd_socket *s, int flags, size_t len)
{
    size_t low = s->receive_low > 0 ? (size_t)s->receive_low : 1;
    size_t want = (flags & WN_MSG_WAITALL) || low > len ? len : low;
    return want > 0 ? want : 1;
}

long bsd_stream_receive(struct bsd_socket *s, struct wn_msghdr *message, int flags, size_t *done)
{
    long sum = bsd_message_len(message);
    if (sum < 0)
        return sum;
    size_t len = (size_t)sum;
    message->msg_namelen = 0; /* nobody asks who is at the other end of a stream */
    if (flags & WN_MSG_OOB)
        return bsd_urgent_receive(s, message, flags, len);
    if (s->listener != NULL)
        return -ENOTCONN;
    bool peeks = (flags & WN_MSG_PEEK) != 0;
    size_t waited = s->c != NULL ? tcp_received_len(s->c) : 0;
    size_t total = *done;
    if (s->c != NULL && peeks)
        total = peek(s, message);
    else if (s->c != NULL)
        total += take(s, message, *done, len, (flags & WN_MSG_TRUNC) != 0);
    if (!peeks)
        *done = total;
    if (len == 0 && waited > 0)
        return 0;
    bool enough = total >= wanted(s, flags, len) || !bsd_waits(s, flags) || no_more(s) ||
                  bsd_urgent_at_mark(s);
    if (total > 0)
        return enough ? (long)total : -EAGAIN;
    return nothing_waits(s);
}
