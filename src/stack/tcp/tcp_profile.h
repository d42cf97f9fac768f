/* SPDX-License-Identifier: ISC */
/*
 * tcp_profile.h - how a TCP behaves where the RFCs leave a choice, as plain data: the order of the
 * options in a SYN, windows, times, bounds, and what is switched on.
 *
 * A stack has one profile for all its connections. A connection whose application asks for something
 * else (tcp_set_option()) gets a copy of its own, so that a wish costs memory only where it is
 * wished.
 */
#ifndef WN_STACK_TCP_TCP_PROFILE_H
#define WN_STACK_TCP_TCP_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/usec.h"

/* The order of the options in a SYN, which is how a host's kind is known from far. */
enum tcp_syn_order {
    TCP_SYN_ORDER_LINUX,   /* mss, sackOK, TS, nop, wscale; mss, nop, nop, sackOK, nop, wscale */
    TCP_SYN_ORDER_FREEBSD, /* mss, nop, wscale, sackOK, TS */
    TCP_SYN_ORDER_COUNT
};

enum tcp_ecn { /* RFC 3168 §6.1 */
    TCP_ECN_OFF,
    TCP_ECN_ACCEPT, /* when the peer asks for it */
    TCP_ECN_ASK,
    TCP_ECN_COUNT
};

enum tcp_syn_cookies { /* RFC 4987 §3.6; in the order of Linux's tcp_syncookies */
    TCP_SYN_COOKIES_OFF,       /* when the SYN queue is full the oldest in it goes */
    TCP_SYN_COOKIES_WHEN_FULL,
    TCP_SYN_COOKIES_ALWAYS,
    TCP_SYN_COOKIES_COUNT
};

enum tcp_fast_open { /* RFC 7413, flags */
    TCP_FAST_OPEN_CLIENT = 1 << 0,
    TCP_FAST_OPEN_SERVER = 1 << 1,
    TCP_FAST_OPEN_CLIENT_NO_COOKIE = 1 << 2, /* text in a SYN without having a cookie */
    TCP_FAST_OPEN_SERVER_NO_COOKIE = 1 << 3, /* and taking it */
    TCP_FAST_OPEN_EVERY_LISTENER = 1 << 4,   /* without being asked for by TCP_OPTION_FAST_OPEN */
};

enum tcp_path_mtu_discovery { /* in the order of Linux's IP_PMTUDISC_… */
    TCP_PATH_MTU_DONT,  /* never DF; a router may fragment */
    TCP_PATH_MTU_WANT,  /* DF (RFC 1191), and segments follow what routers say */
    TCP_PATH_MTU_DO,
    TCP_PATH_MTU_PROBE, /* DF, and what routers say is not believed: the interface's MTU holds */
    TCP_PATH_MTU_COUNT
};

enum tcp_path_mtu_probing { /* RFC 4821; in the order of Linux's tcp_mtu_probing */
    TCP_PROBING_OFF,
    TCP_PROBING_WHEN_BLACK, /* when full segments vanish time and again */
    TCP_PROBING_ALWAYS,     /* from the beginning: a larger one only when a probe has arrived */
    TCP_PROBING_COUNT
};

enum tcp_remember { /* RFC 9040, flags: what a connection learns from those before it */
    TCP_REMEMBER_RTT = 1 << 0,      /* for the first timeout */
    TCP_REMEMBER_SSTHRESH = 1 << 1, /* may be of another hour's network */
    TCP_REMEMBER_PATH_MTU = 1 << 2,
};

enum tcp_challenge { /* RFC 5961 §7: how challenge ACKs are limited */
    TCP_CHALLENGE_PER_CONNECTION, /* one in challenge_interval for each connection */
    TCP_CHALLENGE_PER_STACK,      /* challenge_count in each second, all told */
    TCP_CHALLENGE_COUNT
};

enum tcp_congestion_kind { /* who decides how much may be under way */
    TCP_CONGESTION_CUBIC,   /* RFC 9438 */
    TCP_CONGESTION_NEWRENO, /* RFC 5681, 6582 */
    TCP_CONGESTION_BBR,     /* draft-ietf-ccwg-bbr */
    TCP_CONGESTION_COUNT
};

/*
 * The options of tcp.h change these for one connection. receive_low is heeded by stack/bsd only.
 */
struct tcp_profile {
    const char *name;

    /* Handshake. */
    enum tcp_syn_order syn_order;
    bool sack;               /* RFC 2018 */
    bool dsack;              /* RFC 2883 */
    bool timestamps;         /* RFC 7323 */
    bool timestamps_may_miss; /* a segment without them is not dropped for that (§3.2 wishes it) */
    bool window_scaling;
    uint8_t syn_cookies;     /* enum tcp_syn_cookies */
    uint8_t ecn;             /* enum tcp_ecn */
    uint32_t fast_open;      /* enum tcp_fast_open */
    uint32_t fast_open_queue; /* see TCP_OPTION_FAST_OPEN_QUEUE; 0: `fast_open` says */
    usec fast_open_pause;    /* when SYNs with text vanish, doubled each time; 0: none */
    unsigned remember;       /* enum tcp_remember */
    bool syn_window_segments; /* the first window is a multiple of the MSS */
    uint16_t mss_max;        /* of what we offer and send; 0: as the link allows */
    uint8_t syn_retries;     /* SYNs beyond the first */
    uint8_t syn_ack_retries;
    usec defer_accept;       /* a listener's: the connection is not offered before text came, this
                                long; 0: it is */

    /* Sending. */
    uint8_t congestion;      /* enum tcp_congestion_kind */
    uint16_t initial_window; /* segments (RFC 6928) */
    bool hystart;            /* RFC 9406, in the first slow start of CUBIC */
    bool abe;                /* RFC 8511: a mark costs less of the window than a loss; not with BBR */
    bool restart_after_idle; /* RFC 5681 §4.1 */
    bool nodelay;            /* Nagle off */
    bool cork;               /* short segments wait, at most 200 ms */
    bool push_each_burst;    /* PSH on the last segment of each super-segment, as Linux has since
                              * 4.20: whoever gathers them knows where one ends */
    bool push_each_write;    /* PSH on the last segment of each write, not of the queue only */
    uint8_t burst_divisor;   /* a super-segment waits to become longer while less than this part of
                              * the window is free and an ACK is near; 0: it does not */
    usec burst_patience;     /* near: what was sent last and the ACK that is expected are no
                              * further away than that, the ACK half a round trip at most;
                              * 0: something will be acknowledged, some time */
    uint8_t burst_min;       /* 0: super-segments are as long as the device takes them; else as the
                              * rate of the window gives in a millisecond, half of cwnd at most, and
                              * so many segments at least */
    bool empty_probes;       /* a closed window is asked with an old number rather than an octet */
    bool pacing;             /* also for algorithms that do not need it */
    uint8_t pacing_after;    /* segments of a connection that are not paced; then time in which none
                              * left shortens the next interval, by half at most. 0: neither */
    uint64_t pacing_rate_max; /* octets a second; 0: none */
    uint32_t send_buffer;    /* octets queued and unacknowledged */
    uint32_t send_buffer_max; /* auto-tuning goes up to it; <= send_buffer: none */
    uint16_t unit_cost;      /* octets by which each unit of the send queue, one super-segment at
                              * most, counts against send_buffer; 0: there are no units */
    uint32_t not_sent_low;   /* octets; while more wait the application is not told WRITABLE */

    /* Loss recovery. */
    bool rack;               /* RFC 8985 */
    bool tail_loss_probe;    /* RFC 8985 §7 */
    bool prr;                /* RFC 6937 */
    bool forward_rto;        /* RFC 5682 */
    bool undo;               /* RFC 4015, 3708: spurious retransmissions do not cost the window */
    uint8_t reordering;      /* RFC 5681's three duplicate ACKs */
    uint8_t retries;         /* timeouts without an answer, then the connection is given up */
    uint8_t orphan_retries;  /* the same for one that the application has closed */
    usec rto_initial;        /* RFC 6298 §2 */
    usec rto_min;            /* beyond the round trip: the least of 4 * RTTVAR */
    usec rto_max;
    bool rtt_each_ack;       /* a sample of the round trip for each ACK, not for each round trip */
    bool silent_on_future_ack; /* an ACK of what was never sent gets no answer (RFC 9293 §3.10.7.4,
                              * fifth, wishes one) */
    bool half_open_unreachable; /* ICMP about a host or net ends one that came from LISTEN */
    usec user_timeout;       /* RFC 9293 §3.8.3, R2; 0: `retries` decides */
    usec user_timeout_told;  /* RFC 5482, ADV_UTO: the peer is told so, and heeded; 0: neither */

    /* Receiving. */
    uint32_t receive_buffer; /* octets received and not consumed; what the first window offers */
    uint32_t receive_buffer_max; /* auto-tuning */
    bool window_grows;       /* what is offered begins with the SYN's window and grows with what
                              * comes, up to the buffer; and is rounded up as the field tells it */
    uint32_t window_clamp;   /* of what is offered; 0: none */
    uint32_t receive_low;    /* octets; below it the application is not told READABLE */
    usec delayed_ack;        /* RFC 9293 §3.8.6.3 */
    uint8_t quick_acks;      /* acknowledged at once while the peer's window is young */
    bool urgent_in_line;     /* RFC 6093 §6: urgent octets are read like others; else of two in a row
                              * the first is lost to a reader who stands before it */

    /* The rest of a life. */
    bool keepalive;
    usec keepalive_idle;     /* RFC 1122 §4.2.3.6 */
    usec keepalive_interval;
    uint8_t keepalive_probes;
    usec fin_wait_2;         /* of a connection that nobody has any more */
    usec time_wait;          /* 2 MSL; half an hour at most */
    bool time_wait_reuse;    /* by a connection of ours, where timestamps tell the two apart */
    enum tcp_challenge challenge;
    usec challenge_interval;
    uint32_t challenge_count;
    uint8_t ttl;             /* 0: 64 */
    uint8_t ttl_min;         /* RFC 5082: segments with a lower one are not heard; 0: all are */
    uint8_t traffic_class;   /* DSCP; the ECN bits are TCP's own */
    bool direct;             /* only to hosts on the link (RFC 1122 §3.3.1.1), never by a router */
    uint8_t path_mtu_discovery; /* enum tcp_path_mtu_discovery */
    uint8_t path_mtu_probing; /* enum tcp_path_mtu_probing */
    uint16_t path_mtu_base;  /* octets of IP: the size to begin the search with */
    usec path_mtu_interval;  /* then larger ones are tried again */
    bool statistics;         /* all of struct tcp_info, from a connection's first moment on */
};

extern const struct tcp_profile tcp_profile_default; /* what we think is best */
extern const struct tcp_profile tcp_profile_linux;
extern const struct tcp_profile tcp_profile_freebsd;
extern const struct tcp_profile tcp_profile_tiny;    /* little memory: fixed pools, no heap */

/* By name ("default", "linux", …); NULL: there is none. */
const struct tcp_profile *tcp_profile_find(const char *name);

/* The names, in turn from *place = 0; NULL ends. */
const char *tcp_profile_each(unsigned *place);

/* Congestion control by name ("newreno", ...): enum tcp_congestion_kind; -1: there is none. */
int tcp_congestion_find(const char *name);
const char *tcp_congestion_name(enum tcp_congestion_kind kind);

/* The names, in turn from *place = 0; NULL ends. */
const char *tcp_congestion_each(unsigned *place);

#endif
