/* SPDX-License-Identifier: ISC */
/*
 * bsd_dgram.c - datagram sockets: UDP (RFC 768, RFC 1122 §4.1), and ping sockets, on which a whole
 * ICMP echo message is a datagram (RFC 792) whose identifier is the socket's port.
 */
#include "stack/bsd/internal.h"
#include "stack/ip.h"
#include "wire/inet/icmp_message.h"

enum { DGRAM_MAX = 65507 };

/* ---- names ---- */

/* The ping socket's port is its identifier, which the stack chooses. */
static int open_ping(struct bsd_socket *s, const struct endpoint *local)
{
    struct echo_options options = {.user = s};
    s->echo = echo_open(s->bsd->stack, &options);
    if (s->echo == NULL)
        return -EADDRINUSE;
    bsd_own(echo_socket_base(s->echo), s);
    s->local = (struct endpoint){local->address, echo_identifier(s->echo)};
    s->holds_port = true;
    return 0;
}

static int open_udp(struct bsd_socket *s, const struct endpoint *local)
{
    enum socket_refusal why;
    struct udp_options options = {
        .local = *local,
        .broadcast = s->broadcast,
        .share_address = s->reuse_address,
        .share_port = s->reuse_port,
        .queue_octets_max = s->receive_buffer,
        .user = s,
        .why = &why,
    };
    s->udp = udp_open(s->bsd->stack, &options);
    if (s->udp == NULL)
        return bsd_refused(why);
    bsd_own(udp_socket_base(s->udp), s);
    s->local = (struct endpoint){local->address, udp_local(s->udp)->port};
    s->holds_port = true;
    return 0;
}

static int open_at(struct bsd_socket *s, const struct endpoint *local)
{
    return s->kind == BSD_UDP ? open_udp(s, local) : open_ping(s, local);
}

static bool is_open(const struct bsd_socket *s)
{
    return s->udp != NULL || s->echo != NULL;
}

static void close_below(struct bsd_socket *s)
{
    if (s->udp != NULL)
        udp_close(s->udp);
    if (s->echo != NULL)
        echo_close(s->echo);
    s->udp = NULL;
    s->echo = NULL;
}

int bsd_dgram_bind(struct bsd_socket *s, const struct endpoint *local)
{
    if (s->kind == BSD_PING && local->port != 0)
        return -EADDRINUSE; /* the stack chooses identifiers */
    if (local->port != 0 && !bsd_port_free(s, local))
        return -EADDRINUSE;
    int result = open_at(s, local);
    if (result < 0)
        return result;
    s->bound_port = local->port != 0;
    s->bound_address = !address_is_any(&local->address);
    return 0;
}

static int open_anywhere(struct bsd_socket *s)
{
    struct endpoint any = {s->local.address, 0};
    return is_open(s) ? 0 : open_at(s, &any);
}

/* May it send to that address, by this way? With `direct` only to a host on the link. */
static int check_way(const struct bsd_socket *s, const struct ip_address *to, bool direct,
                     struct ip_address *source)
{
    struct route_choice route;
    if (address_is_broadcast(to) && !s->broadcast)
        return -EACCES;
    if (!ip_route(s->bsd->stack, to, &route) || (direct && !route_is_direct(&route, to)))
        return -ENETUNREACH;
    if (route.broadcast && !s->broadcast)
        return -EACCES;
    *source = route.source;
    return 0;
}

static struct endpoint meant(const struct endpoint *to)
{
    struct endpoint out = *to;
    if (address_is_any(&to->address))
        out.address = address_v4(0x7f000001);
    return out;
}

int bsd_dgram_connect(struct bsd_socket *s, const struct endpoint *remote)
{
    struct endpoint to = meant(remote);
    struct ip_address source;
    int result = check_way(s, &to.address, s->dont_route, &source);
    if (result == 0)
        result = open_anywhere(s);
    if (result < 0)
        return result;
    if (!s->bound_address)
        s->local.address = source;
    s->remote = to;
    s->phase = BSD_CONNECTED;
    if (s->udp != NULL)
        udp_connect(s->udp, to.port != 0 ? &to : NULL, &s->local.address);
    return 0;
}

int bsd_dgram_disconnect(struct bsd_socket *s)
{
    s->phase = BSD_UNCONNECTED;
    s->remote = (struct endpoint){address_any_v4(), 0};
    if (!s->bound_address)
        s->local.address = address_any_v4();
    if (s->udp != NULL)
        udp_connect(s->udp, NULL, NULL);
    if (!s->bound_port) {
        close_below(s);
        s->local.port = 0;
        s->holds_port = false;
    }
    return 0;
}

/* ---- errors ---- */

/* What ICMP's codes of Destination Unreachable mean to a program. `hard`: told to connected sockets
 * without being asked for. */
static const struct {
    int error;
    bool hard;
} meanings[] = {
    [ICMP_NET_UNREACHABLE] = {ENETUNREACH, false},
    [ICMP_HOST_UNREACHABLE] = {EHOSTUNREACH, false},
    [ICMP_PROTOCOL_UNREACHABLE] = {ENOPROTOOPT, true},
    [ICMP_PORT_UNREACHABLE] = {ECONNREFUSED, true},
    [ICMP_FRAGMENTATION_NEEDED] = {EMSGSIZE, true},
    [ICMP_SOURCE_ROUTE_FAILED] = {EOPNOTSUPP, false},
    [ICMP_NET_UNKNOWN] = {ENETUNREACH, true},
    [ICMP_HOST_UNKNOWN] = {EHOSTUNREACH, true},
    [ICMP_SOURCE_ISOLATED] = {EHOSTUNREACH, true},
    [ICMP_NET_PROHIBITED] = {ENETUNREACH, true},
    [ICMP_HOST_PROHIBITED] = {EHOSTUNREACH, true},
    [ICMP_NET_FOR_TOS] = {ENETUNREACH, false},
    [ICMP_HOST_FOR_TOS] = {EHOSTUNREACH, false},
    [ICMP_ADMIN_PROHIBITED] = {EHOSTUNREACH, true},
    [ICMP_PRECEDENCE_VIOLATION] = {EHOSTUNREACH, true},
    [ICMP_PRECEDENCE_CUTOFF] = {EHOSTUNREACH, true},
};

void bsd_dgram_errors(struct bsd_socket *s)
{
    struct udp_error error;
    while (s->udp != NULL && udp_next_error(s->udp, &error)) {
        if (error.type != ICMP_UNREACHABLE || error.code >= ARRAY_LEN(meanings))
            continue;
        if (error.code == ICMP_FRAGMENTATION_NEEDED &&
            s->mtu_discover == WN_IP_PMTUDISC_DONT)
            continue;
        bool connected = s->remote.port != 0;
        if (s->receive_errors || (connected && meanings[error.code].hard))
            s->error = meanings[error.code].error;
    }
}

/* ---- sending ---- */

static struct frame *gather(struct bsd_socket *s, const struct wn_msghdr *message, size_t len)
{
    struct frame *frame = frame_new(s->bsd->stack->frames, len);
    for (size_t done = 0; frame != NULL && done < len;) {
        struct wn_iovec piece = bsd_message_piece(message, done);
        frame_append(frame, bytes_of(piece.iov_base, piece.iov_len));
        done += piece.iov_len;
    }
    return frame;
}

static int errno_of(enum udp_status status)
{
    static const int errors[] = {
        [UDP_SENT] = 0,
        [UDP_TOO_BIG] = -EMSGSIZE,
        [UDP_NO_ROUTE] = -ENETUNREACH,
        [UDP_NO_MEMORY] = -ENOBUFS,
        [UDP_NOT_ALLOWED] = -EACCES,
    };
    return errors[status];
}

/* Takes the frame. */
static int send_udp(struct bsd_socket *s, const struct endpoint *to, struct frame *frame)
{
    struct udp_send_options options = {
        .to = *to,
        .from = {s->local.address, 0},
        .interface = -1,
        .ttl = (uint8_t)s->ttl,
        .traffic_class = (uint8_t)s->tos,
        .dont_fragment = s->mtu_discover == WN_IP_PMTUDISC_DO ||
                         s->mtu_discover == WN_IP_PMTUDISC_PROBE,
    };
    return errno_of(udp_send_frame(s->udp, &options, frame));
}

/* Takes the frame: an echo request, whose identifier and checksum are the stack's business. */
static int send_ping(struct bsd_socket *s, const struct endpoint *to, struct frame *frame)
{
    struct bytes in = frame_bytes(frame);
    struct reader r = reader_of(in);
    uint8_t type = read_u8(&r);
    uint8_t code = read_u8(&r);
    (void)read_u16(&r); /* checksum */
    (void)read_u16(&r); /* identifier */
    uint16_t sequence = read_u16(&r);
    bool good = !r.failed && type == ICMP_ECHO_REQUEST && code == 0;
    bool sent = false;
    if (good) {
        struct echo_message request = {
            .from = s->local.address,
            .to = to->address,
            .sequence = sequence,
            .ttl = (uint8_t)s->ttl,
            .payload = bytes_after(in, ICMP_HEADER_LEN),
        };
        sent = echo_send(s->echo, &request);
    }
    frame_unref(frame);
    if (!good)
        return -EINVAL;
    return sent ? 0 : -ENOBUFS;
}

/* To whom: the message's address, or the one that was connected to. */
static int addressee(const struct bsd_socket *s, const struct wn_msghdr *message,
                     struct endpoint *out)
{
    if (message->msg_name == NULL) {
        if (s->phase != BSD_CONNECTED)
            return -EDESTADDRREQ;
        *out = s->remote;
    } else {
        struct endpoint to;
        int result = bsd_address_in(s, message->msg_name, message->msg_namelen, &to);
        if (result < 0)
            return result;
        *out = meant(&to);
    }
    return s->kind == BSD_UDP && out->port == 0 ? -EINVAL : 0;
}

/* WN_MSG_MORE: what is said now is the beginning of a datagram. Takes the frame. */
static int hold_back(struct bsd_socket *s, const struct endpoint *to, struct frame *more)
{
    struct bsd_cork *cork = &s->cork;
    if (cork->frame == NULL) {
        cork->frame = frame_new(s->bsd->stack->frames, DGRAM_MAX);
        cork->to = *to;
    }
    int result = cork->frame == NULL ? -ENOBUFS : 0;
    if (result == 0 && cork->frame->len + more->len > DGRAM_MAX)
        result = -EMSGSIZE;
    if (result == 0)
        frame_append(cork->frame, frame_bytes(more));
    frame_unref(more);
    return result;
}

static int deliver(struct bsd_socket *s, const struct endpoint *to, struct frame *frame, int flags)
{
    struct endpoint target = *to;
    if (s->kind == BSD_UDP && (s->cork.frame != NULL || (flags & WN_MSG_MORE))) {
        int result = hold_back(s, to, frame);
        if (result < 0 || (flags & WN_MSG_MORE))
            return result;
        frame = s->cork.frame;
        target = s->cork.to;
        s->cork.frame = NULL;
    }
    return s->kind == BSD_UDP ? send_udp(s, &target, frame) : send_ping(s, &target, frame);
}

long bsd_dgram_send(struct bsd_socket *s, const struct wn_msghdr *message, int flags)
{
    long len = bsd_message_len(message);
    if (len < 0)
        return len;
    if (len > (s->kind == BSD_UDP ? DGRAM_MAX : DGRAM_MAX + 8))
        return -EMSGSIZE;
    if (flags & WN_MSG_OOB)
        return -EOPNOTSUPP;
    struct endpoint to;
    struct ip_address source;
    int result = open_anywhere(s);
    if (result == 0)
        result = addressee(s, message, &to);
    if (result == 0)
        result = check_way(s, &to.address, s->dont_route || (flags & WN_MSG_DONTROUTE), &source);
    if (result == 0 && bsd_error(s) != 0)
        result = -bsd_take_error(s);
    if (result == 0 && (s->shut & BSD_SHUT_SEND))
        result = -EPIPE;
    if (result < 0)
        return result;
    struct frame *frame = gather(s, message, (size_t)len);
    if (frame == NULL)
        return -ENOBUFS;
    result = deliver(s, &to, frame, flags);
    return result < 0 ? result : len;
}

/* ---- receiving ---- */

/* Requests get here only on intercepting sockets; a reply is written as it was on the wire. */
static struct frame *reply_frame(struct bsd_socket *s, const struct echo_message *message)
{
    size_t len = ICMP_HEADER_LEN + message->payload.len;
    struct frame *frame = frame_new(s->bsd->stack->frames, len);
    if (frame == NULL)
        return NULL;
    struct icmp_message icmp = {.type = ICMP_ECHO_REPLY};
    icmp.u.echo.identifier = message->identifier;
    icmp.u.echo.sequence = message->sequence;
    icmp.u.echo.data = message->payload;
    struct writer w = writer_of(frame->data, len);
    icmp_encode(&icmp, &w);
    ASSERT(!w.failed);
    frame->len = len;
    return frame;
}

/* The oldest one that is for us lies in s->peeked. False: none. */
static bool look(struct bsd_socket *s)
{
    struct udp_datagram datagram;
    struct echo_message message;
    while (s->peeked == NULL && s->udp != NULL && udp_receive(s->udp, &datagram)) {
        s->peeked = datagram.frame;
        s->peeked_from = datagram.from;
    }
    while (s->peeked == NULL && s->echo != NULL && echo_receive(s->echo, &message)) {
        bool stranger = s->phase == BSD_CONNECTED &&
                        !address_equal(&s->remote.address, &message.from);
        if (!stranger && message.reply) {
            s->peeked = reply_frame(s, &message);
            s->peeked_from = (struct endpoint){message.from, 0};
        }
        frame_unref(message.frame);
    }
    return s->peeked != NULL;
}

static void drop_peeked(struct bsd_socket *s)
{
    if (s->peeked != NULL)
        frame_unref(s->peeked);
    s->peeked = NULL;
}

size_t bsd_dgram_next_len(struct bsd_socket *s)
{
    return look(s) ? s->peeked->len : 0;
}

long bsd_dgram_receive(struct bsd_socket *s, struct wn_msghdr *message, int flags)
{
    long room = bsd_message_len(message);
    if (room < 0)
        return room;
    if (flags & WN_MSG_ERRQUEUE)
        return -EAGAIN; /* always empty */
    if (s->kind == BSD_PING && (flags & WN_MSG_OOB))
        return -EOPNOTSUPP;
    if (bsd_error(s) != 0)
        return -bsd_take_error(s);
    if (!look(s))
        return (s->shut & BSD_SHUT_RECEIVE) && bsd_waits(s, flags) ? 0 : -EAGAIN;
    struct bytes in = frame_bytes(s->peeked);
    size_t len = bsd_message_fill(message, 0, in);
    int result =
        bsd_address_out(s, &s->peeked_from, message->msg_name, &message->msg_namelen);
    if (len < in.len)
        message->msg_flags |= WN_MSG_TRUNC;
    long told = (long)(flags & WN_MSG_TRUNC ? in.len : len);
    if (!(flags & WN_MSG_PEEK))
        drop_peeked(s);
    return result < 0 ? result : told;
}

unsigned bsd_dgram_ready(const struct bsd_socket *s)
{
    unsigned ready = READY_OUT | WN_POLLWRBAND;
    if (bsd_error(s) != 0)
        ready |= WN_POLLERR;
    if (s->shut & BSD_SHUT_RECEIVE)
        ready |= READY_IN | WN_POLLRDHUP;
    if (s->shut == BSD_SHUT_BOTH)
        ready |= WN_POLLHUP;
    if (look((struct bsd_socket *)(uintptr_t)s))
        ready |= READY_IN;
    return ready;
}

void bsd_dgram_close(struct bsd_socket *s)
{
    drop_peeked(s);
    if (s->cork.frame != NULL)
        frame_unref(s->cork.frame);
    s->cork.frame = NULL;
    close_below(s);
}
