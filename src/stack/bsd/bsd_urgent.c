/* SPDX-License-Identifier: ISC */
/*
 * bsd_urgent.c - urgent data as programs see it: the last urgent octet is out of band (WN_MSG_OOB), and
 * skipped by who reads the stream, unless SO_OOBINLINE wants it there (RFC 6093 §3.3, §6). Reading
 * stops at the mark, so that SIOCATMARK can be asked.
 */
#include "stack/bsd/internal.h"

static enum tcp_urgent urgent(const struct bsd_socket *s, struct tcp_urgent_mark *out)
{
    return s->c != NULL ? tcp_urgent(s->c, out) : TCP_URGENT_NONE;
}

bool bsd_urgent_at_mark(const struct bsd_socket *s)
{
    struct tcp_urgent_mark mark;
    return urgent(s, &mark) != TCP_URGENT_NONE && mark.before == 0;
}

bool bsd_urgent_here(const struct bsd_socket *s)
{
    struct tcp_urgent_mark mark;
    return urgent(s, &mark) == TCP_URGENT_HERE;
}

bool bsd_urgent_skips(const struct bsd_socket *s)
{
    return !s->oob_inline && bsd_urgent_at_mark(s);
}

size_t bsd_urgent_readable(const struct bsd_socket *s)
{
    struct tcp_urgent_mark mark;
    size_t len = s->c != NULL ? tcp_received_len(s->c) : 0;
    if (s->oob_inline || urgent(s, &mark) == TCP_URGENT_NONE)
        return len;
    return mark.before < len ? mark.before : len;
}

size_t bsd_urgent_before(const struct bsd_socket *s)
{
    struct tcp_urgent_mark mark;
    bool stops = urgent(s, &mark) != TCP_URGENT_NONE && mark.before > 0;
    return stops ? mark.before : SIZE_MAX;
}

bool bsd_urgent_pass(struct bsd_socket *s, bool begun, size_t *most)
{
    size_t before = bsd_urgent_before(s);
    if (*most > before)
        *most = before;
    if (begun && bsd_urgent_at_mark(s))
        return false;
    if (bsd_urgent_skips(s) && tcp_received_len(s->c) > 0)
        tcp_consume(s->c, 1);
    return true;
}

/* Octets that come after a mark and a shutdown are not waited for. */
static long none_here(const struct bsd_socket *s)
{
    bool over = bsd_stream_state(s) == TCP_CLOSED || (bsd_stream_shut(s) & BSD_SHUT_RECEIVE);
    return over ? 0 : -EAGAIN;
}

long bsd_urgent_receive(struct bsd_socket *s, struct wn_msghdr *message, int flags, size_t len)
{
    struct tcp_urgent_mark mark;
    if (bsd_stream_state(s) == TCP_LISTEN)
        return -ENOTCONN;
    enum tcp_urgent state = urgent(s, &mark);
    if (s->oob_inline || state == TCP_URGENT_NONE || state == TCP_URGENT_TAKEN)
        return -EINVAL;
    if (bsd_stream_state(s) == TCP_CLOSED && !tcp_peer_finished(s->c))
        return -ENOTCONN;
    if (state == TCP_URGENT_COMING)
        return none_here(s);
    if (!(flags & WN_MSG_PEEK))
        tcp_urgent_take(s->c);
    message->msg_flags |= WN_MSG_OOB;
    if (len == 0) {
        message->msg_flags |= WN_MSG_TRUNC;
        return 0;
    }
    if (!(flags & WN_MSG_TRUNC))
        (void)bsd_message_fill(message, 0, bytes_of(&mark.octet, 1));
    return 1;
}

int bsd_urgent_set_in_line(struct bsd_socket *s, int value)
{
    s->oob_inline = value != 0;
    if (s->c != NULL)
        (void)tcp_set_option(s->c, TCP_OPTION_URGENT_IN_LINE, s->oob_inline);
    return 0;
}
