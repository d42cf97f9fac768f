/* SPDX-License-Identifier: ISC */
/*
 * internal.h - what the files of stack/bsd/ share. For bsd_*.c only.
 *
 * A descriptor leads to one struct bsd_socket: a stream (TCP), a datagram socket (UDP), a ping socket
 * or an epoll. What can be asked of the connection below is asked of it when it is needed; kept here
 * is only what the connection does not know: what the application has said (options, shutdown), and
 * which errors it has been told.
 */
#ifndef WN_STACK_BSD_INTERNAL_H
#define WN_STACK_BSD_INTERNAL_H

#include <errno.h>

#include "stack/bsd/bsd.h"
#include "stack/echo.h"
#include "stack/internal.h"
#include "stack/tcp/tcp.h"
#include "stack/tcp/tcp_profile.h"
#include "stack/udp.h"

enum bsd_kind { BSD_STREAM, BSD_UDP, BSD_PING, BSD_EPOLL };

/* What the application knows of the association. A stream that listens is UNCONNECTED. */
enum bsd_phase { BSD_UNCONNECTED, BSD_CONNECTING, BSD_CONNECTED };

enum bsd_shut { BSD_SHUT_RECEIVE = 1 << 0, BSD_SHUT_SEND = 1 << 1, BSD_SHUT_BOTH = 3 };

/* Bits that come together. */
enum {
    READY_IN = WN_POLLIN | WN_POLLRDNORM,
    READY_OUT = WN_POLLOUT | WN_POLLWRNORM,
    READY_ALWAYS = WN_POLLERR | WN_POLLHUP, /* told without being asked for */
    READY_ANY = 0,                          /* a wake-up for everybody */
};

/* Waiting at the end of a datagram that is put together by several calls (WN_MSG_MORE). */
struct bsd_cork {
    struct frame *frame;
    struct endpoint to;
};

struct bsd_epoll;

/* What was said of TCP before there was a connection or a listener. */
struct bsd_wishes {
    bool said[TCP_OPTION_COUNT];
    uint64_t values[TCP_OPTION_COUNT];
};

struct bsd_socket {
    struct bsd *bsd;
    int fd;
    int error;       /* SO_ERROR, not of the connection; see bsd_error() */
    uint8_t kind;    /* enum bsd_kind */
    uint8_t phase;   /* enum bsd_phase */
    uint8_t shut;    /* enum bsd_shut, by shutdown() */
    bool inet6;
    bool nonblock;
    bool holds_port;    /* `local` is more than a memory; see bsd_holds_port() */
    bool bound_port;    /* by the application: survives the connection */
    bool bound_address;
    bool port_shared;   /* SO_REUSEPORT was on when the port was taken: others may join though it is not
                           any more */
    bool error_told;    /* that of the connection */

    /* Options that are ours to keep; the rest are TCP's. Those of bsd_inherit_options(). */
    bool reuse_address;
    bool reuse_port;
    bool free_bind;
    bool v6only;
    bool broadcast;
    bool keepalive;
    bool no_linger_2;
    bool linger;
    bool oob_inline;
    bool dont_route;
    bool bind_without_port;
    bool receive_errors;     /* IP_RECVERR: of unconnected sockets too */
    bool send_buffer_set;
    bool receive_buffer_set;
    bool fast_open_connect;  /* TCP_FASTOPEN_CONNECT */
    int tos;
    int ttl;                 /* 0: the default */
    int mtu_discover;
    int priority;
    bool pacing_limited;     /* SO_MAX_PACING_RATE was said: */
    uint64_t pacing_rate_max; /* octets a second */
    int busy_poll;           /* SO_BUSY_POLL, TCP_THIN_...: told, and of no meaning here */
    bool thin_timeouts;
    int ttl_min;
    int linger_seconds;
    int receive_low;         /* SO_RCVLOWAT; 0: 1 */
    int not_sent_low;        /* TCP_NOTSENT_LOWAT; 0: the stack's */
    uint32_t send_buffer;    /* octets, as we count them */
    uint32_t receive_buffer;
    usec receive_timeout;    /* USEC_NEVER: none */
    usec send_timeout;

    uint32_t backlog;
    int defer_accept;        /* seconds; one that was accepted does not have it */
    struct endpoint local;   /* what getsockname() tells */
    struct endpoint remote;  /* port 0: none */
    struct list_node watchers; /* struct bsd_watch, of epolls */
    struct bsd_wishes *wishes; /* NULL: none */
    bool deferred;             /* connect() has said yes, and the SYN waits for text */
    bool fast_opening;         /* a call that waits has begun it with text */
    uint8_t fast_open_keys[2 * TCP_FAST_OPEN_KEY_LEN]; /* for listen() */
    uint8_t fast_open_keys_len;
    struct tcp_connection *c;
    struct tcp_listener *listener;
    struct udp_socket *udp;
    struct echo_socket *echo;
    struct frame *peeked;    /* the oldest datagram, taken from the stack's queue */
    struct endpoint peeked_from;
    struct bsd_cork cork;
    struct bsd_epoll *epoll;
};

/* One descriptor in one epoll. */
struct bsd_watch {
    struct list_node of_socket; /* in the socket's `watchers` */
    struct list_node of_epoll;  /* in epoll->all */
    struct list_node ready;     /* in epoll->ready when it may have something to tell */
    struct bsd_socket *socket;
    struct bsd_epoll *epoll;
    uint32_t events;            /* none but the mode: disabled by WN_EPOLLONESHOT */
    wn_epoll_data_t data;
};

struct bsd_epoll {
    struct bsd_socket *socket; /* whose descriptor it is */
    struct list_node all;
    struct list_node ready;
};

struct bsd {
    struct stack *stack;
    struct heap heap;
    struct bsd_socket **table; /* by fd - first; grows to descriptors_max */
    size_t size;
    size_t lowest;             /* no free place before it */
    size_t count;
    size_t descriptors_max;
    size_t watch_count;
    int first;
    uint64_t changes;
};

/* ---- bsd_table.c ---- */
struct bsd_socket *bsd_find(const struct bsd *bsd, int fd); /* NULL: -EBADF */

/* A socket: -EBADF, and for an epoll -ENOTSOCK. */
MUST_USE int bsd_socket_at(const struct bsd *bsd, int fd, struct bsd_socket **out);

/* A new one with the lowest number; -EMFILE, -ENOMEM. */
MUST_USE int bsd_add(struct bsd *bsd, enum bsd_kind kind, struct bsd_socket **out);
void bsd_remove(struct bsd_socket *s); /* frees it; what is below must be closed */
struct bsd_socket *bsd_each(const struct bsd *bsd, size_t *place); /* NULL ends */

/* The stack's socket tells its events to `s`. */
void bsd_own(struct socket *base, struct bsd_socket *s);

/* Somebody may wait for `bits` (READY_ANY: for anything). */
void bsd_wake(struct bsd_socket *s, unsigned bits);

/* ---- bsd_address.c ---- */
MUST_USE int bsd_address_in(const struct bsd_socket *s, const void *address, wn_socklen_t len,
                            struct endpoint *out);
int bsd_address_out(const struct bsd_socket *s, const struct endpoint *from, void *address,
                    wn_socklen_t *len);

/* WN_AF_UNSPEC, or that of the address; negative: too short. */
int bsd_address_family(const void *address, wn_socklen_t len);

/* ---- bsd_stream.c: TCP ---- */
int bsd_stream_error(const struct bsd_socket *s); /* positive errno, not told yet; 0: none */
enum tcp_state bsd_stream_state(const struct bsd_socket *s); /* CLOSED without a connection */
unsigned bsd_stream_shut(const struct bsd_socket *s);        /* enum bsd_shut, by anybody */

/* Is the handshake still to be waited for? Not by one that was accepted with the text of its SYN. */
bool bsd_stream_opening(const struct bsd_socket *s);
unsigned bsd_stream_ready(const struct bsd_socket *s);
int bsd_stream_connect(struct bsd_socket *s, const struct endpoint *to);
int bsd_stream_disconnect(struct bsd_socket *s);
int bsd_stream_listen(struct bsd_socket *s, int backlog);
int bsd_stream_accept(struct bsd_socket *s, int flags, struct bsd_socket **out);
int bsd_stream_shutdown(struct bsd_socket *s, unsigned how);
void bsd_stream_close(struct bsd_socket *s);

/* Begins a connection; with `fast_open` its SYN takes text, or asks for a cookie. */
MUST_USE int bsd_stream_begin(struct bsd_socket *s, const struct endpoint *to, bool fast_open);

/* ---- bsd_fast_open.c: text in a SYN (RFC 7413) ---- */
/* connect() with TCP_FASTOPEN_CONNECT. */
int bsd_fast_open_connect(struct bsd_socket *s, const struct endpoint *to);

/* The first part of sending with WN_MSG_FASTOPEN, or on a socket whose SYN waits for text. 0: go on
 * as usual. */
long bsd_fast_open_send(struct bsd_socket *s, const struct wn_msghdr *message, int flags,
                        size_t *done);
int bsd_fast_open_set_connect(struct bsd_socket *s, int value);
int bsd_fast_open_set_queue(struct bsd_socket *s, int value);
int bsd_fast_open_set_no_cookie(struct bsd_socket *s, int value);
int bsd_fast_open_get_no_cookie(const struct bsd_socket *s);
int bsd_fast_open_set_keys(struct bsd_socket *s, const void *value, wn_socklen_t len);
size_t bsd_fast_open_get_keys(const struct bsd_socket *s, uint8_t out[2 * TCP_FAST_OPEN_KEY_LEN]);

/* What was said before listen(). */
void bsd_fast_open_listens(struct bsd_socket *s);

/* ---- bsd_transfer.c: octets of streams ---- */
long bsd_stream_send(struct bsd_socket *s, const struct wn_msghdr *message, int flags,
                     size_t *done);
long bsd_stream_receive(struct bsd_socket *s, struct wn_msghdr *message, int flags, size_t *done);

/* The octets of all parts; negative: too many parts, or more than a result can tell. */
long bsd_message_len(const struct wn_msghdr *message);

/* The next piece of the parts after `done` octets. Empty: none. */
struct wn_iovec bsd_message_piece(const struct wn_msghdr *message, size_t done);

/* Copies into the parts, as much as there is room; how much. */
size_t bsd_message_fill(const struct wn_msghdr *message, size_t done, struct bytes in);

/* ---- bsd_urgent.c: the octet out of band ---- */
bool bsd_urgent_at_mark(const struct bsd_socket *s); /* what is read next is the last urgent octet */
bool bsd_urgent_skips(const struct bsd_socket *s);   /* and it is not for who reads the stream */
bool bsd_urgent_here(const struct bsd_socket *s);    /* WN_MSG_OOB would give it */
/* Octets that one call may read at most, from what is read next on. */
size_t bsd_urgent_before(const struct bsd_socket *s);
size_t bsd_urgent_readable(const struct bsd_socket *s); /* FIONREAD */

/* Before some of the stream is read: cuts *most at the mark; passes it when nothing was read yet
 * (`begun`), leaving out what is out of band. False: this call has read up to it, and ends. */
bool bsd_urgent_pass(struct bsd_socket *s, bool begun, size_t *most);
long bsd_urgent_receive(struct bsd_socket *s, struct wn_msghdr *message, int flags, size_t len);
int bsd_urgent_set_in_line(struct bsd_socket *s, int value);

/* ---- bsd_port.c ---- */
/* A port that the system chose goes with the connection, though its number is still told. */
bool bsd_holds_port(const struct bsd_socket *s);

/* May the socket have it beside the others of its kind? */
bool bsd_port_free(const struct bsd_socket *s, const struct endpoint *local);

static inline int bsd_refused(enum socket_refusal why)
{
    return why == SOCKET_IN_USE ? -EADDRINUSE : why == SOCKET_NO_ROUTE ? -ENETUNREACH : -ENOMEM;
}

/* Takes the local endpoint for a stream: -EADDRINUSE, -EADDRNOTAVAIL. Port 0: a free one. */
MUST_USE int bsd_bind_stream(struct bsd_socket *s, const struct endpoint *local);
MUST_USE int bsd_port_listen(struct bsd_socket *s); /* one that has none yet gets one */

/* ---- bsd_dgram.c: UDP and ping ---- */
int bsd_dgram_bind(struct bsd_socket *s, const struct endpoint *local);
int bsd_dgram_connect(struct bsd_socket *s, const struct endpoint *to);
int bsd_dgram_disconnect(struct bsd_socket *s);
long bsd_dgram_send(struct bsd_socket *s, const struct wn_msghdr *message, int flags);
long bsd_dgram_receive(struct bsd_socket *s, struct wn_msghdr *message, int flags);
unsigned bsd_dgram_ready(const struct bsd_socket *s);
void bsd_dgram_errors(struct bsd_socket *s); /* what ICMP said is taken into s->error */
void bsd_dgram_close(struct bsd_socket *s);
size_t bsd_dgram_next_len(struct bsd_socket *s); /* FIONREAD */

/* ---- bsd_options.c ---- */
int bsd_error(const struct bsd_socket *s); /* SO_ERROR, not consumed */
int bsd_take_error(struct bsd_socket *s);  /* positive; consumed */

/* What was said before there was a connection or a listener. */
void bsd_apply_options(struct bsd_socket *s);

void bsd_forget_wishes(struct bsd_socket *s);

/* An option of TCP: of the connection, of the listener, or of what it will be. */
int bsd_wish(struct bsd_socket *s, enum tcp_option option, uint64_t value);
uint64_t bsd_wished(const struct bsd_socket *s, enum tcp_option option);

/* An accepted socket has what its listener had. */
void bsd_inherit_options(struct bsd_socket *s, const struct bsd_socket *listener);

/* ---- bsd_epoll.c ---- */
void bsd_epoll_close(struct bsd_socket *s);
void bsd_epoll_forget(struct bsd_socket *s); /* it leaves all epolls */
bool bsd_epoll_ready(const struct bsd_socket *s, int depth);
void bsd_epoll_wake(struct bsd_socket *s, unsigned bits, int depth);

/* ---- bsd_poll.c ---- */
unsigned bsd_socket_ready(const struct bsd_socket *s, int depth);

static inline bool bsd_is_datagram(const struct bsd_socket *s)
{
    return s->kind == BSD_UDP || s->kind == BSD_PING;
}

static inline bool bsd_waits(const struct bsd_socket *s, int flags)
{
    return !s->nonblock && !(flags & WN_MSG_DONTWAIT);
}

#endif
