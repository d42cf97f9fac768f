/* SPDX-License-Identifier: ISC */
/*
 * tcp_state.h - what TCP remembers: the connection with its parts, listeners, destinations, the
 * table of a stack; and the bounds of all that. Only stack/tcp/ and its tests look in here.
 *
 * Of a connection struct tcp_connection is always there; tcp_sending, tcp_extra, tcp_reorder and
 * what congestion control keeps are blocks of their own, while they are needed.
 */
#ifndef WN_STACK_TCP_TCP_STATE_H
#define WN_STACK_TCP_TCP_STATE_H

#include "stack/internal.h"
#include "stack/tcp/tcp.h"
#include "stack/tcp/tcp_entry.h"
#include "stack/tcp/tcp_profile.h"
#include "wire/inet/ipv4.h"
#include "wire/inet/seq.h"
#include "wire/inet/tcp_header.h"

enum {
    IPV6_HEADER_LEN = 40,
    TCP_CONNECTIONS_DEFAULT = 65536,
    TCP_LISTENERS_MAX = 65536,      /* then tcp_listen() refuses */
    TCP_BACKLOG_DEFAULT = 128,
    TCP_DESTINATIONS_MAX = 1024,    /* the one used longest ago goes */
    TCP_FAST_OPEN_COOKIE_LEN = 8,   /* of ours; others' are as long as they like */
    TCP_BUFFER_MIN = 2048,
    TCP_BUFFER_MAX = 1 << 30,       /* a window is at most 2^30 - 2^14 (RFC 7323 §2.3) */
    TCP_SEND_FLOOR = 256 * 1024,    /* may always be queued, whatever cwnd is */
    TCP_MSS_DEFAULT = 536,          /* when SYN has no MSS option (RFC 9293 §3.7.1) */
    TCP_MSS_MIN = 88,               /* of what a peer may ask for: smaller ones only burn us */
    TCP_PATH_MTU_MIN = 552,         /* below it segments stay and may be fragmented */
    TCP_SUPER_SEGMENT_MAX = 65535,  /* IP's Total Length */
    TCP_R1 = 3,                     /* retransmissions, then the path is doubted (RFC 9293 §3.8.3) */
    TCP_REORDERING_MAX = 300,       /* segments: no worse disorder is waited for */
    TCP_RECORDS_MAX = 32768,        /* of one connection under way; new text waits beyond it */
    TCP_REORDER_RANGES_MAX = 256,   /* bounds memory and the time to find a place */
    TCP_COPY_MAX = 128,             /* up to this many octets are copied behind the header */
    TCP_SMALL_PAYLOAD = 1024,       /* received: up to this it is joined with its predecessor */
    TCP_CHUNK_MIN = 512,            /* a frame handed over with less is copied */
    TCP_PACKET = 2048,              /* frames that copies are gathered in: messages, */
    TCP_BLOCK = 16384,              /* and streams */
    TCP_SHORT_SHARE = 64 * 1024,    /* of each connection's queues while frames are short */
    TCP_SHORT_POOL = 1024 * 1024,   /* in smaller pools the share is a packet */
    TCP_RESETS_PER_SECOND = 1000,   /* for segments to nobody */
    TCP_TURN_FRAMES = 8,            /* of one connection, before the next one's turn; or more, */
    TCP_TURN_OCTETS = 48 * 1024,    /* up to so much: it is in the cache now, and later it is not */
    TCP_QUICK_ACKS = 16,            /* what TCP_OPTION_QUICK_ACK gives */
};

#define TCP_RTO_AFTER_SYN_LOSS (3 * USEC_PER_SEC) /* §5.7 */
#define TCP_ROOM_TIMEOUT (100 * USEC_PER_MSEC)   /* memory that was short is asked for again */
#define TCP_CORK_TIMEOUT (200 * USEC_PER_MSEC)   /* and a round trip */
#define TCP_RTT_MAX (60 * USEC_PER_SEC)          /* a longer one says nothing */
#define TCP_ANSWER_INTERVAL (60 * USEC_PER_SEC)  /* for tcp_answer() of an intercepted SYN */
#define TCP_PAWS_IDLE (24 * 24 * USEC_PER_HOUR)  /* RFC 7323 §5.5 */

enum tcp_verdict { TCP_CONTINUE, TCP_STOP };

/* A stretch of octets in a frame. Of a send queue, a receive queue or an out-of-order range. */
struct tcp_chunk {
    struct tcp_chunk *next;
    struct frame *owner; /* one reference */
    uint8_t *data;
    uint32_t len;
    struct seq start;
    bool ours; /* the frame was made here, so that only this queue writes behind the chunk */
    bool ends; /* a unit of the send queue ends here (tcp_units.c), */
    bool push; /* and a write */
};

struct tcp_queue {
    struct tcp_chunk *first;
    struct tcp_chunk *last;
};

/* What had been delivered when a record was sent (tcp_rate.c). */
struct tcp_rate_mark {
    uint32_t delivered;     /* octets */
    uint32_t delivered_at;  /* low bits of usec */
    uint32_t first_sent_at; /* of the flight that was delivered last then */
    uint32_t in_flight;     /* with it; this and the next one only for who asks (tcp_congestion.lost) */
    uint32_t lost;          /* found_lost */
    bool app_limited;
};

/* What one transmission carried, from snd_una on, in order. Ranges that are acknowledged in part
 * are cut, so that each is wholly in one condition. */
struct tcp_sent {
    struct tcp_sent *next;
    struct tcp_sent *previous;
    struct tcp_chunk *chunk; /* in which `start` lies; NULL: FIN alone */
    struct list_node by_time; /* while it may be found lost: the list of tcp_sending */
    usec sent_at;            /* last */
    uint32_t order;          /* of its last transmission among all of the connection's */
    struct seq start;
    struct seq end;          /* FIN counts one */
    uint8_t flags;           /* enum tcp_sent_flags */
    struct tcp_rate_mark rate;
};

enum tcp_sent_flags {
    TCP_SENT_SACKED = 1 << 0,
    TCP_SENT_LOST = 1 << 1,     /* thought to have left the network unseen */
    TCP_SENT_AGAIN = 1 << 2,    /* retransmitted since it was thought lost */
    TCP_SENT_EVER_AGAIN = 1 << 3, /* retransmitted at all: no sample of RTT (Karn) */
    TCP_SENT_FIN = 1 << 4,
    TCP_SENT_PUSH = 1 << 5,     /* a write ends here, or a unit: again when it is sent again */
};

/* HyStart++ (RFC 9406 §4.2), while in the first slow start. */
struct tcp_hystart {
    bool running;         /* a round has begun; else all the rest means nothing */
    bool conservative;    /* in CSS */
    uint8_t samples;      /* of RTT in this round, up to the number that is enough */
    uint8_t rounds;       /* of CSS */
    struct seq round_end;
    uint32_t last_min;    /* usec; UINT32_MAX: none */
    uint32_t current_min;
    uint32_t baseline;    /* what ends CSS */
    uint32_t credit;      /* octets of which CSS has not taken its part */
};

/* CUBIC (RFC 9438 §4.1), in octets: what lasts as long as the connection. */
struct tcp_cubic {
    uint32_t w_max;
    uint32_t cwnd_prior;
    uint32_t cwnd_epoch; /* 0: there is no epoch, the next ACK in congestion avoidance begins one */
    uint32_t epoch_at;   /* msec */
};

/* What belongs to an epoch and can be begun anew when nothing has been under way. */
struct tcp_cubic_epoch {
    struct tcp_cubic before; /* the last reduction: for undo */
    bool reduced;            /* `before` means something */
    bool running;
    uint32_t k;              /* msec */
    uint32_t w_est;
    uint32_t seen_at;        /* msec, of the last ACK */
    uint64_t credit;         /* octets * octets, below one octet of cwnd */
    uint64_t est_credit;
};

/* What BBR keeps of a connection that has been idle for long. */
struct tcp_bbr_rest {
    unsigned bw : 31;       /* in units of 128 octets a second; 0: there was none */
    unsigned full_bw_reached : 1;
    uint32_t inflight_longterm;
};

struct tcp_rate {
    uint32_t delivered_at;  /* as in tcp_rate_mark */
    uint32_t first_sent_at;
    uint32_t app_limited_end; /* `delivered` when all is delivered that was sent for want of more */
    bool app_limited;
    bool sampling;          /* `sample` is of a record that the present ACK speaks of */
    bool last_app_limited;
    bool sample_again;      /* of a record that was sent more than once */
    struct seq sample_end;
    usec sample_sent_at;
    struct tcp_rate_mark sample;
    uint64_t last;          /* octets a second */
};

/*
 * RFC 8985 §5.2, what was sent last of all that has arrived. Transmissions are numbered, so that
 * their order is known however coarse the clock is; those of one number are one super-segment, whose
 * octets left in the order of their sequence.
 */
struct tcp_rack {
    struct list_node by_time;   /* records neither sacked nor waiting to be sent again, oldest first */
    uint32_t rtt;               /* RACK.rtt, usec */
    uint32_t order_last;        /* of all transmissions */
    uint32_t order;             /* of the one that arrived */
    struct seq end;             /* RACK.end_seq */
    struct seq fack;            /* RACK.fack: the highest end that has arrived */
    struct seq dsack_round;     /* RACK.dsack_round, while in_dsack_round */
    bool valid;                 /* something has arrived */
    bool in_dsack_round;
};

enum tcp_forward { /* RFC 5682 §3.1: was the timeout in vain? */
    TCP_FORWARD_OFF,  /* it was not, or nobody asks */
    TCP_FORWARD_ASK,  /* step 1: the first acknowledgement is waited for */
    TCP_FORWARD_TRY,  /* step 2 b: new text goes first */
    TCP_FORWARD_WAIT, /* step 3: it has; what it brings back tells, and nothing more is sent again */
};

/* RFC 9937 §6, in octets, since recovery began. */
struct tcp_prr {
    uint64_t delivered;         /* prr_delivered */
    uint64_t out;               /* prr_out */
    uint32_t flight;            /* RecoverFS */
};

/*
 * What a connection needs only while there is something queued or unacknowledged: the send queue,
 * the scoreboard, and the state of recovery. An idle connection has the one of tcp_sending_none(),
 * which is all zero and read-only, so that questions need no test; whoever is about to write calls
 * tcp_sending_begin().
 */
struct tcp_sending {
    struct tcp_queue queue;     /* from snd_una to snd_end */
    struct tcp_chunk *next;     /* where snd_nxt lies; NULL: search from the front */
    struct tcp_sent *first;
    struct tcp_sent *last;
    struct tcp_sent *lost_next; /* none before it waits to be sent again; NULL: look from the front */
    struct tcp_sent *places[TCP_SACK_BLOCKS_MAX]; /* where the last blocks of SACK lay */
    bool has_places;
    uint32_t records;           /* how many there are */
    uint32_t units;             /* of the application's writes, not wholly sent (tcp_units.c) */
    struct seq unit_start;      /* the last one begins here */
    bool has_ends;              /* there are, or were, chunks that end one */
    bool more;                  /* more is to come behind what was queued last */
    bool held;                  /* so a short segment of it waits, for some event */
    uint32_t sacked;            /* octets in records with that flag */
    uint32_t lost;
    uint32_t again;             /* lost ones that were sent again */
    uint32_t found_lost;        /* ever, so that one can see how much is new */
    uint32_t inflated;          /* without SACK: what duplicate ACKs say has left the network */

    /* When to do something about silence; USEC_NEVER: not. One timer serves all of them. */
    usec rto_at;                /* RFC 6298 §5 */
    usec reorder_at;            /* RFC 8985 §6.3: what is late then is lost */
    usec probe_at;              /* RFC 8985 §7.2 */
    bool probe_wanted;          /* it has come: the next segment is a tail loss probe, */
    bool probe_room;            /* and while new text is tried for it, cwnd is not asked */

    uint8_t forward;            /* enum tcp_forward */
    struct tcp_rack rack;
    struct tcp_prr prr;
    struct tcp_rate rate;

    /* Pacing: the next octet leaves at depart_at. */
    struct tcp_connection *connection;
    struct timer pace_timer;
    usec depart_at;
    uint64_t depart_rest;       /* of a usec, times the rate */
    usec burst_at;              /* the last burst began, and has */
    uint32_t burst_len;         /* this many octets so far */
    usec opened_at;             /* pace_timer came */
    uint32_t flight_most;       /* in the round trip that ends with this */
    struct seq flight_most_end;
    usec limited_at;            /* it was cwnd that kept more from being sent */
    struct tcp_hystart hystart;
    struct tcp_cubic_epoch cubic;
};

/* Octets that came before their time: contiguous ones make a range. */
struct tcp_range {
    struct tcp_range *next;
    struct tcp_queue queue;
    struct seq start;
    struct seq end;
    uint32_t stamp; /* of the last arrival, so that SACK tells the newest first */
};

struct tcp_reorder {
    struct tcp_range *first;
    uint32_t count;
    uint32_t octets;
    uint32_t stamp;
    bool fin;
    struct seq fin_at;
};

/* What loss, or what seemed to be loss, has changed. */
struct tcp_undo {
    uint32_t cwnd, ssthresh; /* before */
    uint32_t octets;         /* sent again since, and not reported to have arrived twice */
    uint32_t stamp;          /* TSval of the first of them, once */
    bool sent_again;
    bool possible;
    struct seq from;         /* snd_una at that time */
};

/* What was last said of the windows (tcp_trace.c). */
struct tcp_told {
    uint32_t cwnd, ssthresh, window;
    uint8_t condition;
};

/* What a block of a connection is in while it may be given back, when the connection has been idle for
 * a while (tcp_idle.c). */
enum tcp_watched { TCP_WATCHED_EXTRA, TCP_WATCHED_CONGESTION };
struct tcp_watch {
    struct list_node node; /* in table->watched; in none: it stays */
    struct tcp_connection *connection;
    usec look_at;
    uint8_t what;          /* enum tcp_watched */
};

/*
 * What a connection needs only when something out of the ordinary has happened to it, or was wished:
 * made by the first loss, duplicate, challenge, by 64 KiB received, or TCP_OPTION_STATISTICS, and given
 * back when it has been idle for a while, where nothing in it is to outlive that.
 * Until then a connection has the one of tcp_extra_none(), all zero and read-only, so that questions
 * need no test; whoever is about to write calls tcp_extra_begin().
 */
struct tcp_extra {
    struct tcp_watch watch;
    uint32_t window_limit;   /* of what is offered, while it grows; 0: the buffer's */
    uint32_t challenge_at;   /* msec */
    struct tcp_undo undo;
    struct seq probe_end;    /* RFC 8985 §7.1, TLP.end_seq, while probing */
    bool probing;
    bool probe_again;        /* TLP.is_retrans */
    struct seq dsack_start;  /* to be reported, while c->dsack */
    struct seq dsack_end;
    uint32_t tune_rtt;       /* of the receiver (tcp_tuning.c); 0: no sample yet */
    uint32_t tune_space;     /* most that was consumed in a round trip */
    uint32_t tune_consumed;  /* when this one began */
    struct seq tune_rtt_seq; /* the next sample is taken here */
    usec tune_at;
    usec tune_rtt_at;
    usec stalled_at;         /* since then there is no progress; 0: there is */
    struct tcp_told told;    /* to whoever reads the trace */
    uint8_t limit;           /* enum tcp_limit: since limit_at */
    uint8_t trouble;         /* enum tcp_trouble */
    uint8_t icmp_type;       /* of TCP_TROUBLE_ICMP */
    uint8_t icmp_code;
    uint8_t urgent;          /* enum tcp_urgent */
    uint8_t urgent_octet;
    struct seq urgent_last;  /* of the peer's urgent octets */
    struct seq snd_up;       /* behind ours, while c->urgent_sending */
    uint16_t search_use;     /* octets of IP, while c->mtu_search (tcp_path_mtu.c): at most in use, */
    uint16_t search_low;     /* RFC 4821 §7.1: has arrived, */
    uint16_t search_high;    /* not larger */
    uint16_t mtu_probe;      /* of the probe that is under way; 0: none */
    struct seq mtu_probe_start;
    struct seq mtu_probe_end;
    uint32_t search_at;      /* seconds: search_high was learned */
    uint32_t peer_user_timeout; /* seconds: RFC 5482, REMOTE_UTO; 0: not told */
    bool search_again;       /* the next probe is as large as what was lost */
    bool search_black;       /* larger ones have vanished, */
    bool search_proved;      /* and something has arrived since */
    usec limit_at;
    usec limited[TCP_LIMIT_COUNT]; /* before that */
};

enum tcp_recovery_state { /* in the order of Linux's tcpi_ca_state */
    TCP_OPEN,
    TCP_DISORDER, /* duplicates or SACK, and not enough to speak of loss */
    TCP_REDUCING, /* the window is to shrink though nothing is missing: congestion was told of */
    TCP_RECOVERY, /* fast recovery (RFC 5681 §3.2, RFC 6582, RFC 6675) */
    TCP_LOSS,     /* after a timeout, until all that was outstanding is acknowledged */
};

enum tcp_timer_purpose {
    TCP_TIMER_NONE,
    TCP_TIMER_RETRANSMIT,
    TCP_TIMER_PERSIST,
    TCP_TIMER_CORK,
    TCP_TIMER_ROOM,
    TCP_TIMER_KEEPALIVE,
    TCP_TIMER_FIN_WAIT_2,
    TCP_TIMER_TIME_WAIT, /* of a draft only: the entry is to wait anew */
    TCP_TIMER_ANSWER,
};

struct tcp_connection;

/* What an acknowledgement did, for recovery and congestion control. */
struct tcp_ack_event {
    uint32_t acknowledged;  /* octets below the new snd_una that were not */
    uint32_t sacked;        /* octets newly reported */
    uint32_t delivered;     /* octets of which it is news that they arrived, either way */
    uint32_t lost;          /* octets newly thought lost */
    uint32_t flight_before; /* snd_nxt - snd_una before it */
    bool ecn;               /* ECE: the peer has seen a mark of congestion (RFC 3168 §6.1.2) */
    bool rate_sampled;      /* there is a sample of the delivery rate: */
    bool rate_app_limited;
    uint32_t rate_prior;    /* tcp_delivered() when what arrived was sent */
    uint32_t rate_octets;   /* delivered since, in */
    uint32_t rate_interval; /* usec; 0: a coarse clock has seen none */
    uint32_t rate_in_flight; /* when what arrived was sent, as in tcp_rate_mark; */
    uint32_t rate_lost;
    usec rate_rtt;          /* of it; negative: sent more than once */
    bool duplicate;         /* RFC 5681 §2, or with news of SACK (RFC 6675 §2) */
    bool dsack_of_probe;    /* that duplicate is our tail loss probe */
    bool dsack;             /* reports octets that arrived twice (RFC 2883), from to: */
    bool again_arrived;     /* octets arrived that were sent more than once, */
    bool original_arrived;  /* and such that were sent once, before a timeout (RFC 5682) */
    struct seq dsack_start;
    struct seq dsack_end;
    struct seq fack_before; /* RACK.fack before it, */
    bool fack_valid;        /* if there was any */
    struct seq reordered;   /* lowest start of what came after later octets, while */
    bool was_reordered;
    struct seq ack;         /* of the segment; may lie below snd_una */
    const struct tcp_options *options;
    usec rtt;               /* sample; negative: none */
};

enum tcp_congested {
    TCP_BY_LOSS,
    TCP_BY_MARK,            /* of a router (RFC 3168); a lesser sign where the profile has abe */
    TCP_BY_LOSS_AFTER_MARK, /* in the same round trip: the reduction for the mark was too small */
};

/* One algorithm. What it needs to remember beyond congestion_state it gets and frees itself. */
struct tcp_congestion {
    const char *name;
    /* It sets cwnd itself at all times: recovery leaves it alone, but for a timeout, and acked() is
     * called for every acknowledgement. */
    bool own_window;
    void (*init)(struct tcp_connection *c);
    void (*done)(struct tcp_connection *c); /* NULL: nothing to free */
    /* Outside fast recovery only. */
    void (*acked)(struct tcp_connection *c, const struct tcp_ack_event *event);
    /* The new one: loss was noticed, or a mark, while so many octets were under way. */
    uint32_t (*ssthresh)(struct tcp_connection *c, uint32_t flight, enum tcp_congested by);
    void (*timed_out)(struct tcp_connection *c);
    /* Octets a second at which to send. NULL: as fast as the window allows, unless pacing is
     * wished for. */
    uint64_t (*pacing_rate)(const struct tcp_connection *c);
    /* Octets will be sent after a pause, in which nothing was under way. NULL: nothing to do. */
    void (*resumed)(struct tcp_connection *c, usec pause);
    /* The loss that ssthresh() was asked for, or the timeout, was none (RFC 4015): recovery has put
     * cwnd and ssthresh back. NULL: nothing else to put back. */
    void (*undo)(struct tcp_connection *c);
    /* The connection has been idle for long: what is watched goes, or stays for good. NULL: nothing is
     * watched. */
    void (*rest)(struct tcp_connection *c);
    /* A record was found lost, again perhaps. NULL: recovery's word for all of them will do. */
    void (*lost)(struct tcp_connection *c, const struct tcp_sent *sent);
};

/* Members are in the order of who uses them together; RFC 9293 §3.3.1 has the classic ones. */
struct tcp_connection {
    struct socket socket;
    struct list_node pending; /* in table->pending while there may be something to send; in
                               * table->closed when it is over and somebody has it. While it is nobody's
                               * and waits to be accepted, socket.ready is its place in the listener's
                               * list: it has nobody to tell of events */
    struct stack *stack;
    const struct tcp_profile *profile; /* the stack's, or a shared copy */
    struct tcp_listener *listener; /* while not accepted */
    struct endpoint local;
    struct endpoint remote;
    uint32_t hash;

    uint8_t state;  /* enum tcp_state */
    uint8_t error;  /* enum tcp_error */
    uint8_t recovery; /* enum tcp_recovery_state */
    uint8_t purpose;  /* of the timer: enum tcp_timer_purpose */
    bool owned : 1;         /* by the application: events may be raised */
    bool mapped : 1;        /* in the table of connections */
    bool passive : 1;       /* came from LISTEN */
    bool draft : 1;         /* of a struct tcp_draft */
    bool syn_forgotten : 1; /* SYN,ACK had a cookie: nobody knows when it went out */
    bool unanswered : 1;    /* intercepted, and neither tcp_answer() nor tcp_refuse() was said */
    bool syn_wanted : 1;
    bool shutdown : 1;      /* nothing more from the application: FIN after the queue */
    bool fin_sent : 1;
    bool fin_received : 1;  /* and all before it */
    bool ack_pending : 1;   /* something came that wants an acknowledgement, sooner or later */
    bool ack_now : 1;
    bool sack : 1;          /* both sides permit it */
    bool timestamps : 1;
    bool scaling : 1;
    bool send_full : 1;     /* WRITABLE is to be raised when half of the room is free */
    bool probe_forced : 1;  /* the persist timer has fired: send whatever fits, or one octet */
    bool push_forced : 1;   /* neither Nagle nor cork holds what is queued now */
    bool retransmit_forced : 1; /* the next retransmission does not ask cwnd */
    bool reordering_seen : 1; /* RFC 8985 §6.2, RACK.reordering_seen */
    bool paced : 1;         /* tcp_pacing_open() is to be asked */
    bool cwnd_limited : 1;  /* it was cwnd that kept the last turn from sending more */
    bool dsack : 1;         /* there are octets that came twice to be reported: extra->dsack_start */
    bool may_fragment : 1;  /* the path's MTU is too small to make segments for */
    bool keepalive_probe : 1; /* is to be sent */
    bool own_profile : 1;   /* `profile` is a tcp_shared_profile */
    bool nodelay : 1;       /* these begin as the profile's; wishing them needs no copy of it */
    bool cork : 1;
    bool keepalive : 1;
    bool receive_fixed : 1; /* no auto-tuning: the application has said how much */
    bool send_fixed : 1;
    bool fast_open : 1;       /* the first SYN may have text (RFC 7413) */
    bool fast_open_child : 1; /* has taken text of a SYN, and was given to its listener with it */
    bool cookie_asked : 1;    /* our SYN had one, or asked for it */
    bool cookie_granted : 1;  /* SYN,ACK has one */
    bool cookie_experimental : 1;
    bool syn_text_taken : 1;  /* by whoever got the SYN */
    bool syn_deferred : 1;    /* was acknowledged earlier, without text (TCP_OPTION_DEFER_ACCEPT) */
    bool user_timeout_due : 1; /* the next segment tells it (RFC 5482) */
    bool mtu_search : 1;      /* extra->search_use is the most that is sent */
    bool urgent_in_line : 1;  /* see tcp_profile.h */
    bool urgent_coming : 1;   /* the peer's last urgent octet is announced, and not here */
    bool urgent_sending : 1;  /* urgent octets of ours are not acknowledged */
    bool direct : 1;          /* likewise the profile's at first */
    bool ecn_asked : 1;       /* a SYN of ours had the flags of ECN (RFC 3168 §6.1.1) */
    bool ecn : 1;             /* both want it: marks are echoed, */
    bool ecn_marks : 1;       /* and what we send may be marked */
    bool ecn_seen : 1;        /* something came that may be, or was */
    bool ecn_echo : 1;        /* ECE until the peer says CWR */
    bool ecn_reduced : 1;     /* CWR with the next new text */
    uint8_t snd_scale;
    uint8_t rcv_scale;
    uint8_t dup_acks;
    uint8_t retries;        /* timeouts since the last progress */
    uint8_t backoff;        /* doublings of rto */
    uint8_t quick_acks;
    uint8_t syn_retransmits;
    uint16_t path_mtu;      /* learned by ICMP; 0: the route's */

    /* Send sequence space. */
    struct seq iss;
    struct seq snd_una;
    struct seq snd_nxt;     /* highest sent; retransmission does not move it */
    struct seq snd_end;     /* of what the application has queued */
    struct seq snd_wl1;
    struct seq snd_wl2;
    struct seq snd_small;   /* end of the last segment sent below mss (Minshall) */
    uint32_t snd_wnd;
    uint32_t snd_wnd_max;
    uint32_t send_buffer;
    uint32_t retransmits;   /* segments; SYNs too */
    struct tcp_sending *sending; /* never NULL: tcp_sending_none() while nothing is queued */

    /* Receive sequence space. */
    struct seq irs;
    struct seq rcv_nxt;
    struct seq rcv_adv;     /* right edge of the window as the peer knows it; never moves back */
    struct seq last_ack_sent;
    uint32_t received_len;
    uint32_t receive_buffer;
    struct tcp_queue received;
    struct tcp_reorder *reorder; /* NULL when nothing is out of order */

    uint16_t mss;           /* what we send at most, options not counted */
    uint16_t peer_mss;      /* from the option */
    uint16_t rcv_mss;       /* what the peer seems to send at most */
    uint16_t syn_text;      /* octets that went with our SYN */
    uint32_t reorderings;   /* times that something came after what was sent later */
    uint32_t path_mtu_at;   /* seconds */

    /* RFC 7323. */
    uint32_t ts_recent;
    uint32_t ts_offset;
    usec ts_recent_at;

    /* RFC 6298, in usec; srtt 0: no sample yet. */
    uint32_t srtt;
    uint32_t rttvar;
    uint32_t rto;
    struct seq rtt_seq;     /* one sample a round trip: the next one at an ACK beyond this */

    struct seq recover;     /* RFC 6582 §3.2, RFC 6675 §2 RecoveryPoint */
    uint32_t min_rtt;       /* usec, at least 1; 0: no sample yet */
    uint16_t reordering;    /* segments by which the path is known to mix up at most */
    uint8_t reorder_steps;  /* RFC 8985 §6.2, RACK.reo_wnd_mult */
    uint8_t reorder_persist; /* RACK.reo_wnd_persist */
    uint32_t timeouts;

    const struct tcp_congestion *congestion;
    uint32_t cwnd;
    uint32_t ssthresh;
    union {                 /* the algorithm's own */
        uint64_t congestion_state[2];
        struct tcp_cubic cubic;
        struct {
            struct tcp_bbr *bbr; /* NULL: no memory yet, or idle for long; then: */
            struct tcp_bbr_rest bbr_rest;
        };
    };

    usec last_sent_at;      /* data; SYN */
    usec last_received_at;
    uint32_t text_received_at; /* msec */
    uint32_t segments_in;
    uint32_t segments_out;
    uint32_t text_segments_in;
    uint32_t text_segments_out; /* with those sent again */
    uint32_t out_of_order;  /* segments of the peer that came before their time */
    uint32_t marked;        /* segments delivered, by ACKs that told of a mark (ECE) */
    uint32_t dsacks;        /* reports that octets of ours came twice (RFC 2883) */
    uint64_t octets_retransmitted;
    uint64_t octets_acknowledged;
    uint64_t octets_received;
    struct tcp_extra *extra; /* never NULL: tcp_extra_none() in an uneventful life */

    struct timer timer;
    struct timer ack_timer;
};

_Static_assert(sizeof(struct tcp_connection) <= 472,
               "an idle connection costs half a KiB, all told: with its place in the table");

/* What a segment for an entry is looked at with; on the C stack, and nobody keeps a pointer to it. */
struct tcp_draft {
    struct tcp_connection c;
    struct tcp_extra extra;
};

/* The newest key first; cookies made with the older one are good too (RFC 7413 §4.1.2). */
struct tcp_fast_open_keys {
    struct siphash_key keys[2];
    uint8_t octets[2][TCP_FAST_OPEN_KEY_LEN];
    uint8_t count;
};

struct tcp_listener {
    struct socket socket;
    struct stack *stack;
    const struct tcp_profile *profile; /* its connections inherit it */
    bool own_profile;
    struct endpoint local;
    bool intercept;
    bool shared;                /* see struct tcp_listen_options */
    struct tcp_group *group;
    unsigned backlog;
    unsigned count;             /* of those in the list; at most the backlog */
    struct list_node ready;     /* for tcp_accept(), oldest first */
    struct list_node all;       /* in table->listeners_all */
    struct tcp_fast_open_keys fast_open_keys; /* count 0: the stack's */
};

/* Listeners at one endpoint, and what is under way towards any of them (tcp_group.c). */
struct tcp_group {
    struct endpoint local;
    struct tcp_listener **members;
    uint32_t count;             /* one at least; several only when it is shared */
    uint32_t size;
    unsigned half_open;         /* entries of the SYN queue; */
    unsigned backlog;           /* at most so many: of all members together */
    uint32_t fast_open_count;   /* connections with text of a SYN, whose client is not proved */
    uint32_t fast_open_reset;   /* of these: were reset */
    usec fast_open_reset_at;
};

/* What is remembered of the way from `local` to `remote` (RFC 9040, RFC 7413 §4.1.3). */
struct tcp_destination {
    struct list_node used; /* in table->destinations_used */
    struct ip_address local;
    struct ip_address remote;
    usec fast_open_again_at; /* not before: text in a SYN has made it vanish */
    uint32_t hash;
    uint32_t srtt;         /* as in tcp_connection; 0: not known, as all that follow */
    uint32_t rttvar;
    uint32_t ssthresh;
    uint32_t path_mtu_at;
    uint16_t path_mtu;
    bool path_mtu_guessed; /* no router has said so */
    uint16_t mss;          /* that it has told with a SYN,ACK of fast open */
    uint8_t cookie_len;
    uint8_t cookie[TCP_COOKIE_MAX];
    bool cookie_experimental;
    uint8_t cookie_attempt; /* requests in vain: 1: the experimental kind is next; 2: never again */
    uint8_t syn_losses;     /* with text, in a row */
    uint8_t black_holes;    /* times that fast open was left for a while, in a row */
};

/* Blocks of one size, kept warm. */
struct tcp_cache {
    void *first;
    uint32_t count;
    uint32_t count_max;
    uint32_t size;
};

enum tcp_cache_kind {
    TCP_CACHE_CONNECTION,
    TCP_CACHE_SENDING,
    TCP_CACHE_EXTRA,
    TCP_CACHE_CHUNK,
    TCP_CACHE_SENT,
    TCP_CACHE_RANGE,
    TCP_CACHE_REORDER,
    TCP_CACHE_COUNT
};

struct tcp_table {
    struct map connections; /* by both endpoints */
    struct tcp_connection *found; /* the last one of them that was looked for; or NULL */
    struct map groups;      /* of listeners, by local endpoint */
    struct tcp_listener *interceptor;
    struct list_node listeners_all;
    uint32_t listener_count;
    struct list_node pending;
    struct list_node watched;   /* blocks that may be given back, those first that are looked at first */
    struct timer watch_timer;
    struct list_node closed;    /* failed, finished, or in TIME-WAIT (where an entry stands for
                                   them); the application still has them */
    struct tcp_entries entries;
    struct siphash_key cookie_key; /* of SYN cookies */
    usec cookies_until;            /* then the last one that was given is too old */
    size_t short_reserve;       /* frames are short when the pool has fewer octets left, */
    uint32_t short_share;       /* and then a connection may queue so many in each direction */
    struct tcp_profile profile;
    uint32_t port_counter;
    struct siphash_key isn_key;
    struct tcp_fast_open_keys fast_open_keys;
    struct map destinations;
    struct list_node destinations_used; /* the one used longest ago first */
    usec resets_at;
    uint32_t resets_left;
    usec challenges_at;
    uint32_t challenges_left;
    struct tcp_cache caches[TCP_CACHE_COUNT];
};

/* A segment on its way up: the header, and what IP knew of it. */
struct tcp_segment {
    struct tcp_header header;
    const struct ip_packet *packet;
    struct seq seq;       /* of the first octet of `text`, or of SYN */
    struct seq ack;
    struct bytes text;    /* what is left of the payload after trimming */
    bool fin;             /* after `text` */
    bool cut;             /* there was more, beyond the window */
    uint16_t part_len;    /* octets of one segment, where the frame is a super-segment */
    uint32_t hash;        /* of both ends, when there is no connection */
};

/* RFC 5082 §3: has it crossed more routers than whom it is for would hear of? Then it is dropped. */
MUST_USE bool tcp_comes_too_far(struct stack *stack, const struct tcp_profile *profile,
                                const struct tcp_segment *seg);

/* The end of the segment in sequence space. */
static inline struct seq tcp_segment_end(const struct tcp_segment *seg)
{
    return seq_add(seg->seq, (uint32_t)seg->text.len + seg->fin);
}

#endif
