/* SPDX-License-Identifier: ISC */
/*
 * tcp.h - TCP connections and listeners of a stack (RFC 9293).
 *
 * Octets are sent and received as views into frames: what a connection has received stays in the
 * frames it came in until the application consumes it, and what the application hands over as a
 * frame is what the device gathers. Nothing is sent inside these calls: stack_output() does it.
 *
 * Ownership: a connection belongs to the application from tcp_connect() or tcp_accept() until
 * tcp_close() or tcp_abort(); then the stack finishes it alone and the pointer is dead. A failed
 * connection stays (state CLOSED, tcp_error() set) until it is closed.
 */
#ifndef WN_STACK_TCP_TCP_H
#define WN_STACK_TCP_TCP_H

#include "stack/stack.h"

enum tcp_state { /* RFC 9293 §3.3.2 */
    TCP_CLOSED,
    TCP_LISTEN,
    TCP_SYN_SENT,
    TCP_SYN_RECEIVED,
    TCP_ESTABLISHED,
    TCP_FIN_WAIT_1,
    TCP_FIN_WAIT_2,
    TCP_CLOSE_WAIT,
    TCP_CLOSING,
    TCP_LAST_ACK,
    TCP_TIME_WAIT,
    TCP_STATE_COUNT
};

const char *tcp_state_text(enum tcp_state state); /* "ESTABLISHED" */

enum { TCP_FAST_OPEN_KEY_LEN = 16 };

enum tcp_error {
    TCP_OK,
    TCP_REFUSED,      /* RST in answer to our SYN */
    TCP_RESET,        /* RST later */
    TCP_TIMED_OUT,    /* retransmission, keepalive or user timeout */
    TCP_UNREACHABLE,  /* ICMP said so, and the connection was not established */
    TCP_ABORTED,      /* by us */
    TCP_ERROR_COUNT
};

struct tcp_listen_options {
    struct endpoint local; /* address any: all of the host's; port 0: a free one */
    bool intercept;        /* connections to foreign addresses of INTERCEPT interfaces, any port;
                              local.port 0. They wait for tcp_answer() or tcp_refuse(). */
    unsigned backlog;      /* connections not accepted yet; 0: 128. Beyond it SYNs are dropped. As
                              many more may be half open; beyond that see tcp_profile.syn_cookies */
    bool shared;           /* others that say so too may listen at the same endpoint: connections are
                              spread over them by a hash of both ends. When one is closed, only those
                              that wait to be accepted from it are lost */
    void *user;
    enum socket_refusal *why; /* NULL, or is told why the result is NULL */
};

/* NULL: somebody listens there who does not share it, or no memory. */
MUST_USE struct tcp_listener *tcp_listen(struct stack *stack,
                                         const struct tcp_listen_options *options);

/* Connections not accepted yet are reset. */
void tcp_listener_close(struct tcp_listener *listener);
struct socket *tcp_listener_base(struct tcp_listener *listener);
const struct endpoint *tcp_listener_local(const struct tcp_listener *listener);

/* Changes the bound on connections not accepted yet; those that wait stay. */
void tcp_listener_set_backlog(struct tcp_listener *listener, unsigned backlog);

/* What was said in the options, said anew: whether others may join from now on. */
void tcp_listener_set_shared(struct tcp_listener *listener, bool shared);

/* Can tcp_accept() give one? */
bool tcp_listener_waiting(const struct tcp_listener *listener);

/*
 * The oldest connection, which now belongs to the caller; NULL when there is none. From an ordinary
 * listener it is established (or has failed since). From an intercepting one it is in
 * SYN_RECEIVED and nothing has been sent: the caller says tcp_answer() or tcp_refuse() when it knows;
 * retransmitted SYNs are ignored meanwhile; SOCKET_OPENED comes when the handshake is complete.
 */
struct tcp_connection *tcp_accept(struct tcp_listener *listener, void *user);
void tcp_answer(struct tcp_connection *c);

/* code < 0: RST; else ICMP Destination Unreachable of that code. Closes the connection. */
void tcp_refuse(struct tcp_connection *c, int code);

struct tcp_connect_options {
    struct endpoint remote;
    struct endpoint local; /* address any: by route; port 0: ephemeral. A foreign address is
                              allowed: a gateway may speak for another host */
    bool fast_open;        /* RFC 7413: what is queued in this turn goes with the SYN, where the
                              profile wants it and the host's cookie is known; else the SYN asks
                              for one. What arrives twice must do no harm (§2.1) */
    bool direct;           /* only when the remote host is on the link: nothing goes by a router */
    void *user;
    enum socket_refusal *why; /* NULL, or is told why the result is NULL */
};

/* NULL: no route, no free port, the connection exists, or the table is full. */
MUST_USE struct tcp_connection *tcp_connect(struct stack *stack,
                                            const struct tcp_connect_options *options);

/* How much of what is queued from now on will go with the SYN; 0: nothing, or it has gone. */
size_t tcp_fast_open_room(const struct tcp_connection *c);

/* Would a connection so opened have such room? */
bool tcp_fast_open_known(struct stack *stack, const struct tcp_connect_options *options);

/* The keys of the cookies that listeners give: 16 octets, or 32: the older one behind the newer.
 * False: another length. A listener without its own has the stack's, which are random at first. */
MUST_USE bool tcp_set_fast_open_keys(struct stack *stack, const uint8_t *keys, size_t len);
MUST_USE bool tcp_listener_set_fast_open_keys(struct tcp_listener *listener, const uint8_t *keys,
                                              size_t len);
size_t tcp_listener_fast_open_keys(const struct tcp_listener *listener,
                                   uint8_t out[2 * TCP_FAST_OPEN_KEY_LEN]);

/* Forgets what earlier connections have learned of other hosts (RFC 9040): cookies, round trips,
 * path MTUs. */
void tcp_forget_destinations(struct stack *stack);

struct socket *tcp_base(struct tcp_connection *c);
enum tcp_state tcp_state(const struct tcp_connection *c);
enum tcp_error tcp_error(const struct tcp_connection *c);
const struct endpoint *tcp_local(const struct tcp_connection *c);
const struct endpoint *tcp_remote(const struct tcp_connection *c);

/* What the peer has sent and we have not consumed, in order: up to `max` views into frames, valid
 * until tcp_consume() or the next stack call. Returns how many. */
size_t tcp_received(const struct tcp_connection *c, struct slice *views, size_t max);
size_t tcp_received_len(const struct tcp_connection *c);

/* Lets go of the first `len` received octets; the window opens accordingly. */
void tcp_consume(struct tcp_connection *c, size_t len);

/* The peer has sent FIN, and all before it was consumed. */
bool tcp_at_end(const struct tcp_connection *c);

/* The peer has sent FIN, whether all before it was consumed or not. */
bool tcp_peer_finished(const struct tcp_connection *c);

/* Octets that can be sent now. When a send took less than offered, SOCKET_WRITABLE tells when
 * there is room again (half the buffer at least). */
size_t tcp_send_room(const struct tcp_connection *c);

/* Queues a copy; returns how much was taken. 0 after tcp_shutdown() or failure. */
size_t tcp_send(struct tcp_connection *c, struct bytes in);

enum tcp_send_flags {
    TCP_SEND_MORE = 1 << 0,   /* more comes at once: what does not fill a segment waits for it, or for
                                 the next acknowledgement, 200 ms at most; no PSH */
    TCP_SEND_RECORD = 1 << 1, /* a message ends: no segment goes beyond its end, the first time or
                                 again */
};
size_t tcp_send_as(struct tcp_connection *c, struct bytes in, unsigned flags);

/* Queues the linear octets of `frame` without a copy. Takes the frame when true. False: no room at
 * all, and the caller keeps it; any room is room for a whole frame. The octets must not change
 * any more. */
MUST_USE bool tcp_send_frame(struct tcp_connection *c, struct frame *frame);

/* There is room, and no WRITABLE is owed. False: WRITABLE will tell when. */
bool tcp_writable(const struct tcp_connection *c);

/*
 * Urgent data (RFC 9293 §3.8.5). Its octets are in the stream like others, which is where RFC 6093 §6
 * wants them read; a mark says which is the last of them. tcp_send_urgent() sets it to the last octet
 * that it takes, and is tcp_send() otherwise. SOCKET_URGENT: the peer's mark has come, or moved on, or
 * its octet has arrived.
 */
enum tcp_urgent {
    TCP_URGENT_NONE,   /* no mark, or all up to it was consumed */
    TCP_URGENT_COMING, /* announced, and not arrived */
    TCP_URGENT_HERE,   /* perhaps before octets that precede it */
    TCP_URGENT_TAKEN,  /* tcp_urgent_take() was said; it still lies in the stream */
};
struct tcp_urgent_mark {
    uint32_t before; /* octets to be consumed before the last urgent one; perhaps more than have come */
    uint8_t octet;   /* when it is HERE or TAKEN */
};
size_t tcp_send_urgent(struct tcp_connection *c, struct bytes in);
enum tcp_urgent tcp_urgent(const struct tcp_connection *c, struct tcp_urgent_mark *out);
void tcp_urgent_take(struct tcp_connection *c);

/* No more will be sent: FIN after what is queued. */
void tcp_shutdown(struct tcp_connection *c);

/* Gives the connection up. Queued octets and FIN are still delivered; if received octets were not
 * consumed, or more arrive, the peer is reset (RFC 9293 §3.6.1, RFC 2525 §2.17). */
void tcp_close(struct tcp_connection *c);

/* RST now, and gone. */
void tcp_abort(struct tcp_connection *c);

void tcp_set_user(struct tcp_connection *c, void *user);

/*
 * What an application may wish differently from the stack's profile (stack/tcp/tcp_profile.h says
 * what each means, under the same name). Switches are 0 or 1, times are usec, sizes octets. Most
 * wishes give the connection its own copy of the profile.
 */
enum tcp_option {
    TCP_OPTION_NODELAY,
    TCP_OPTION_CORK,           /* short segments wait, 200 ms at most; lifting it sends them */
    TCP_OPTION_QUICK_ACK,      /* not for ever: 1: at once for a while; 0: delayed */
    TCP_OPTION_MSS_MAX,        /* 88 at least; 0: as the link allows. For the SYN: before it */
    TCP_OPTION_KEEPALIVE,
    TCP_OPTION_KEEPALIVE_IDLE,
    TCP_OPTION_KEEPALIVE_INTERVAL,
    TCP_OPTION_KEEPALIVE_PROBES,
    TCP_OPTION_SYN_RETRIES,
    TCP_OPTION_RETRIES,
    TCP_OPTION_ORPHAN_RETRIES,
    TCP_OPTION_USER_TIMEOUT,   /* 0: TCP_OPTION_RETRIES decides */
    TCP_OPTION_RTO_MIN,
    TCP_OPTION_RTO_MAX,
    TCP_OPTION_DELAYED_ACK,    /* half a second at most (RFC 9293 §3.8.6.3) */
    TCP_OPTION_FIN_WAIT_2,     /* how long after tcp_close() the peer's FIN is waited for */
    TCP_OPTION_DEFER_ACCEPT,   /* of a listener: not before there is something to read */
    TCP_OPTION_WINDOW_CLAMP,   /* 0 only before the connection is established */
    TCP_OPTION_NOT_SENT_LOW,
    TCP_OPTION_RECEIVE_LOW,
    TCP_OPTION_RECEIVE_BUFFER, /* 2048 octets at least; no auto-tuning any more */
    TCP_OPTION_SEND_BUFFER,
    TCP_OPTION_TTL,
    TCP_OPTION_TRAFFIC_CLASS,
    TCP_OPTION_PATH_MTU_DISCOVERY, /* enum tcp_path_mtu_discovery */
    TCP_OPTION_ECN,            /* enum tcp_ecn; before the connection is established */
    TCP_OPTION_FAST_OPEN,      /* enum tcp_fast_open, flags; before the SYN */
    TCP_OPTION_PACING_RATE_MAX, /* octets a second; 0: none */
    TCP_OPTION_URGENT_IN_LINE,
    TCP_OPTION_STATISTICS,     /* all of struct tcp_info from now on */
    TCP_OPTION_CONGESTION,     /* enum tcp_congestion_kind; any time */
    TCP_OPTION_FAST_OPEN_QUEUE, /* a listener's: connections that may have taken text of a SYN from
                                  clients that are not proved yet; 0: none */
    TCP_OPTION_TTL_MIN,        /* RFC 5082; of a listener too */
    TCP_OPTION_USER_TIMEOUT_TOLD, /* RFC 5482: the peer is told this one, and what it tells counts: the
                                  longer of both, 100 s to an hour. 0: neither */
    TCP_OPTION_DIRECT,         /* as in struct tcp_connect_options; any time */
    TCP_OPTION_RTO_INITIAL,    /* of a listener, for SYN,ACK too; or before the SYN */
    TCP_OPTION_SYN_COOKIES,    /* enum tcp_syn_cookies, of a listener */
    TCP_OPTION_COUNT
};

enum tcp_option_status {
    TCP_OPTION_SET,
    TCP_OPTION_RANGE,    /* the value cannot be */
    TCP_OPTION_STATE,    /* not in this state any more */
    TCP_OPTION_NO_MEMORY,
};

enum tcp_option_status tcp_set_option(struct tcp_connection *c, enum tcp_option option,
                                      uint64_t value);
uint64_t tcp_get_option(const struct tcp_connection *c, enum tcp_option option);

/* The same for a listener: connections that come from now on inherit it. */
enum tcp_option_status tcp_listener_set_option(struct tcp_listener *listener,
                                               enum tcp_option option, uint64_t value);
uint64_t tcp_listener_get_option(const struct tcp_listener *listener, enum tcp_option option);

/* What one that is still to be opened would have: of the stack's profile. */
uint64_t tcp_default_option(const struct stack *stack, enum tcp_option option);

/* Queued by the application and not acknowledged; of these, not sent yet. */
size_t tcp_unacknowledged(const struct tcp_connection *c);
size_t tcp_not_sent(const struct tcp_connection *c);

/* What keeps the sender from sending (more) now. */
enum tcp_limit {
    TCP_LIMIT_IDLE,        /* there is nothing queued or under way */
    TCP_LIMIT_APPLICATION, /* it gives no more, or has asked to wait (Nagle, cork) */
    TCP_LIMIT_CONGESTION,  /* cwnd */
    TCP_LIMIT_RECEIVER,    /* the peer's window */
    TCP_LIMIT_BUFFER,      /* the send buffer is full, and all of it is under way */
    TCP_LIMIT_PACING,
    TCP_LIMIT_COUNT
};

/* What may explain that nothing goes on, and may pass (RFC 5461 §2): the last one noticed since
 * something was acknowledged. */
enum tcp_trouble {
    TCP_TROUBLE_NONE,
    TCP_TROUBLE_ICMP,      /* icmp_type, icmp_code */
    TCP_TROUBLE_NO_ANSWER, /* to three retransmissions (RFC 9293 §3.8.3, R1) */
};

enum tcp_condition { /* of the sending side, in the order of Linux's tcpi_ca_state */
    TCP_CONDITION_OPEN,
    TCP_CONDITION_DISORDER, /* something seems to be out of order */
    TCP_CONDITION_REDUCED,  /* cwnd is, for congestion without loss */
    TCP_CONDITION_RECOVERY,
    TCP_CONDITION_LOSS,     /* after a timeout */
};

/*
 * A superset of Linux's struct tcp_info. Times are usec, sizes octets; what is counted in segments
 * says so (of `mss`, the last one shorter). `limited` counts from when TCP_OPTION_STATISTICS was on, or
 * from the first event that is out of the ordinary on (a loss, a duplicate), and then no longer than
 * until the connection has been idle for a while, when receive_space and receive_rtt are forgotten, too;
 * everything else from the connection's first moment.
 */
struct tcp_info {
    enum tcp_state state;
    enum tcp_error error;
    enum tcp_condition condition;
    enum tcp_trouble trouble;
    uint8_t icmp_type, icmp_code; /* also of what ended it (TCP_UNREACHABLE) */
    const char *congestion; /* the algorithm's name */
    bool sack, timestamps, window_scale;
    bool ecn, ecn_seen;     /* agreed on; something came that could be marked */
    uint8_t send_scale, receive_scale;
    uint8_t retries;        /* timeouts, or probes, since the last progress */
    uint8_t backoff;        /* doublings of rto */

    uint32_t mss;           /* of what we send */
    uint32_t peer_mss;      /* what the peer has offered */
    uint32_t advertised_mss; /* what we have */
    uint32_t receive_mss;   /* what the peer seems to send */
    uint32_t path_mtu;      /* octets of IP */

    uint32_t cwnd, ssthresh;
    uint32_t send_window, receive_window;
    uint32_t send_buffer, receive_buffer; /* as they are now: auto-tuned */
    uint32_t receive_space; /* most that was consumed in a round trip */
    uint32_t flight;        /* sent and not acknowledged */
    uint32_t not_sent;      /* queued only */
    uint32_t segments_unacknowledged, segments_sacked, segments_lost;
    uint32_t segments_again; /* lost, and sent again */

    usec srtt, rttvar, rto;
    usec min_rtt;            /* 0: no sample yet */
    uint32_t reordering;     /* segments by which the path is known to mix up at most */
    usec receive_rtt;        /* as the receiver sees it, of auto-tuning; 0: not known */
    usec since_sent;         /* text, or SYN */
    usec since_received;     /* text */
    usec since_acknowledged; /* any acceptable segment */
    enum tcp_limit limit;
    usec limited[TCP_LIMIT_COUNT];

    uint64_t octets_acknowledged, octets_received;
    uint64_t octets_sent;    /* with those sent again */
    uint64_t octets_retransmitted;
    uint32_t segments_in, segments_out;
    uint32_t text_segments_in, text_segments_out;
    uint32_t retransmits;    /* segments */
    uint32_t segments_delivered; /* by what SACK says too; the SYN is one */
    uint32_t reorderings;    /* times that something of ours came after what was sent later */
    uint32_t timeouts;
    uint32_t segments_out_of_order; /* of the peer's */
    uint32_t segments_marked; /* delivered, by acknowledgements that told of a mark (ECE) */
    uint32_t dsacks;         /* reports that octets of ours came twice */
    bool syn_text;          /* all text that went with the SYN was taken (RFC 7413) */
};
void tcp_info(const struct tcp_connection *c, struct tcp_info *out);

/* Changes the stack's profile: what is done from now on goes by it, on the connections that there are
 * too, unless they have wishes of their own. */
void tcp_set_profile(struct stack *stack, const struct tcp_profile *profile);

/* Every connection of the stack, for status pages: start with *place = 0; NULL ends. */
const struct tcp_connection *tcp_each(const struct stack *stack, size_t *place);

/* Those that are mere entries: opened by a peer and not established yet, or in TIME-WAIT. False
 * ends. */
struct tcp_entry_info {
    enum tcp_state state;
    struct endpoint local;
    struct endpoint remote;
};
bool tcp_each_entry(const struct stack *stack, size_t *place, struct tcp_entry_info *out);

#endif
