/* SPDX-License-Identifier: ISC */
/*
 * internal.h - the inside of a TCP connection, and how the files of stack/tcp/ call each other.
 *
 * The way in: tcp_input (demultiplexing) → tcp_segment_arrives (the checks of RFC 9293 §3.10.7.4 in
 * their order) → ack, scoreboard, recovery, congestion | receive, reorder. Input only decides: what
 * is to be sent it leaves in the connection, which tcp_wake() puts on the list of connections with
 * work. The way out: tcp_flush → tcp_output (asks in order what to send) → tcp_transmit_* (builds a
 * segment) → ip_output.
 *
 * A function that may end a connection says so in its result (enum tcp_verdict, bool alive); after
 * TCP_STOP the pointer may be dead.
 */
#ifndef WN_STACK_TCP_INTERNAL_H
#define WN_STACK_TCP_INTERNAL_H

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
    TCP_LISTENERS_MAX = 65536,
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

/*
 * What a connection needs only when something out of the ordinary has happened to it, or was wished,
 * and remembers to its end: made by the first loss, duplicate, gap, challenge, or TCP_OPTION_STATISTICS.
 * Until then a connection has the one of tcp_extra_none(), all zero and read-only, so that questions
 * need no test; whoever is about to write calls tcp_extra_begin().
 */
struct tcp_extra {
    uint64_t octets_retransmitted;
    uint32_t retransmits;    /* segments; SYNs too */
    uint32_t syn_retransmits;
    uint32_t window_limit;   /* of what is offered, while it grows; 0: the buffer's */
    uint32_t reorderings;    /* times that something came after what was sent later */
    uint32_t timeouts;
    uint32_t out_of_order;   /* segments of the peer that came before their time */
    uint32_t marked;         /* segments delivered, by ACKs that told of a mark (ECE) */
    uint32_t dsacks;         /* octets of ours that came twice, by reports (RFC 2883) */
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
    uint32_t (*ssthresh)(struct tcp_connection *c, uint32_t flight);
    void (*timed_out)(struct tcp_connection *c);
    /* Octets a second at which to send. NULL: as fast as the window allows, unless pacing is
     * wished for. */
    uint64_t (*pacing_rate)(const struct tcp_connection *c);
    /* Octets will be sent after a pause, in which nothing was under way. NULL: nothing to do. */
    void (*resumed)(struct tcp_connection *c, usec pause);
    /* The loss that ssthresh() was asked for, or the timeout, was none (RFC 4015): recovery has put
     * cwnd and ssthresh back. NULL: nothing else to put back. */
    void (*undo)(struct tcp_connection *c);
    /* A record was found lost, again perhaps. NULL: recovery's word for all of them will do. */
    void (*lost)(struct tcp_connection *c, const struct tcp_sent *sent);
};

/* Members are in the order of who uses them together; RFC 9293 §3.3.1 has the classic ones. */
struct tcp_connection {
    struct socket socket;
    struct list_node pending; /* in table->pending while there may be something to send */
    struct list_node place;   /* listener's ready; table's closed */
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
    uint16_t path_mtu;      /* learned by ICMP; 0: the route's */
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

    const struct tcp_congestion *congestion;
    uint32_t cwnd;
    uint32_t ssthresh;
    union {                 /* the algorithm's own */
        uint64_t congestion_state[2];
        struct tcp_cubic cubic;
        struct tcp_bbr *bbr; /* NULL: no memory yet */
    };

    usec last_sent_at;      /* data; SYN */
    usec last_received_at;
    uint32_t text_received_at; /* msec */
    uint32_t segments_in;
    uint32_t segments_out;
    uint32_t text_segments_in;
    uint32_t text_segments_out; /* with those sent again */
    uint64_t octets_acknowledged;
    uint64_t octets_received;
    struct tcp_extra *extra; /* never NULL: tcp_extra_none() in an uneventful life */

    struct timer timer;
    struct timer ack_timer;
};

_Static_assert(sizeof(struct tcp_connection) <= 480,
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
    unsigned backlog;
    unsigned count;             /* of those in the list; at most the backlog */
    unsigned half_open;         /* entries of its SYN queue; at most the backlog */
    struct list_node ready;     /* for tcp_accept(), oldest first */
    struct list_node all;       /* in table->listeners_all */
    uint32_t hash;
    uint32_t fast_open_count;   /* connections with text of a SYN, whose client is not proved */
    uint32_t fast_open_reset;   /* of these: were reset */
    usec fast_open_reset_at;
    struct tcp_fast_open_keys fast_open_keys; /* count 0: the stack's */
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
    struct map listeners;   /* by local endpoint */
    struct tcp_listener *interceptor;
    struct list_node listeners_all;
    struct list_node pending;
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

/* ---- tcp_table.c ---- */
void *tcp_alloc(struct stack *stack, enum tcp_cache_kind kind); /* not zeroed; NULL: no memory */
void tcp_free(struct stack *stack, enum tcp_cache_kind kind, void *block);
uint32_t tcp_hash(const struct stack *stack, const struct endpoint *local,
                  const struct endpoint *remote);
struct tcp_connection *tcp_find(const struct stack *stack, const struct endpoint *local,
                                const struct endpoint *remote);
/* The same in two steps: is it the one found last (segments come in trains)? And where not: */
struct tcp_connection *tcp_find_again(const struct stack *stack, const struct endpoint *local,
                                      const struct endpoint *remote);
struct tcp_connection *tcp_find_hashed(const struct stack *stack, uint32_t hash,
                                       const struct endpoint *local,
                                       const struct endpoint *remote);
/* May we open a connection between these? */
enum tcp_pair {
    TCP_PAIR_UNUSED,
    TCP_PAIR_REUSABLE, /* from TIME-WAIT */
    TCP_PAIR_TAKEN,
};
enum tcp_pair tcp_pair_of(const struct stack *stack, const struct endpoint *local,
                          const struct endpoint *remote);
struct tcp_listener *tcp_find_listener(const struct stack *stack, const struct endpoint *local,
                                       bool foreign);
struct seq tcp_initial_sequence(const struct stack *stack, const struct endpoint *local,
                                const struct endpoint *remote, uint32_t *ts_offset);
struct tcp_listener *tcp_listener_at(const struct stack *stack, const struct endpoint *local);
MUST_USE bool tcp_listener_add(struct tcp_listener *listener);
void tcp_listener_remove(struct tcp_listener *listener);
MUST_USE bool tcp_choose_port(struct stack *stack, struct endpoint *local,
                              const struct endpoint *remote);

/* ---- tcp_connection.c ---- */
/* In state CLOSED and in the table; NULL: limit or memory. */
MUST_USE struct tcp_connection *tcp_connection_new(struct stack *stack,
                                                   const struct endpoint *local,
                                                   const struct endpoint *remote);
void tcp_connection_free(struct tcp_connection *c); /* silently, whatever its state */
void tcp_set_state(struct tcp_connection *c, enum tcp_state state);
void tcp_raise(struct tcp_connection *c, unsigned events);
void tcp_wake(struct tcp_connection *c);
/* The connection is over. Frees it when nobody has it. */
void tcp_fail(struct tcp_connection *c, enum tcp_error error);
void tcp_finish(struct tcp_connection *c);
/* An entry goes on in its place. The connection is only what the application still has of it; or
 * nobody has it, and it is gone. */
void tcp_enter_time_wait(struct tcp_connection *c);
void tcp_established(struct tcp_connection *c);

/* ---- tcp_options.c ---- */
/* A copy of a profile that several have: the first member is what they point at. */
struct tcp_shared_profile {
    struct tcp_profile profile;
    uint32_t references;
};
/* Takes the stack's profile, or the listener's when there is one. */
void tcp_profile_inherit(struct tcp_connection *c, const struct tcp_listener *listener);
void tcp_profile_release(struct tcp_connection *c);
void tcp_listener_profile_release(struct tcp_listener *listener);

/* ---- tcp_queue.c ---- */
/* Adds `text`, octets in `frame`, whose first has number `start`, at the end. Copies where that is
 * cheaper than holding the frame. False: no memory. */
MUST_USE bool tcp_queue_add(struct stack *stack, struct tcp_queue *queue, struct frame *frame,
                            struct bytes text, struct seq start);
MUST_USE bool tcp_queue_add_whole(struct stack *stack, struct tcp_queue *queue,
                                  struct frame *frame, struct bytes text, struct seq start);
/* Octets that may be appended to the last frame: when nobody else has it. */
size_t tcp_queue_room(const struct tcp_queue *queue);
/* Appends what fits there. Returns how much. */
size_t tcp_queue_extend(struct tcp_queue *queue, struct bytes text);
MUST_USE struct tcp_chunk *tcp_queue_add_room(struct stack *stack, struct tcp_queue *queue,
                                              size_t room, struct seq start);
void tcp_queue_join(struct tcp_queue *queue, struct tcp_queue *more); /* `more` is empty then */
void tcp_queue_drop(struct stack *stack, struct tcp_queue *queue, size_t len);
void tcp_queue_clear(struct stack *stack, struct tcp_queue *queue);

/* ---- tcp_listen.c ---- */
/* A segment for a listener (RFC 9293 §3.10.7.2). `after`: numbers to begin beyond, or NULL. */
void tcp_listen_arrives(struct tcp_listener *listener, struct tcp_segment *seg,
                        const struct seq *after);
void tcp_listener_free(struct tcp_listener *listener);
void tcp_listener_ready(struct tcp_connection *c);  /* may be accepted now */
void tcp_listener_forget(struct tcp_connection *c); /* it failed before it was accepted */

/* Are the frames of the stack nearly used up? Then connections that hold many get no more, so that
 * there are some left for all others and for what must be sent. */
bool tcp_frames_are_short(const struct stack *stack);

/* Begins the send sequence space at c->iss. */
void tcp_open_sending(struct tcp_connection *c);

/* ---- tcp_syn.c ---- */
struct tcp_path;
void tcp_take_syn_options(struct tcp_connection *c, const struct tcp_header *header);
/* The least scale with which a window of `buffer` octets can be told; of all that it may become. */
uint8_t tcp_scale_for(uint32_t buffer);
uint8_t tcp_syn_scale(const struct tcp_profile *profile, uint32_t buffer);
/* The field's value; `mss` is what the peer will send at most. */
uint16_t tcp_syn_window(const struct tcp_profile *profile, uint32_t buffer, uint32_t mss);
uint16_t tcp_syn_ack_window(const struct tcp_connection *c); /* as it goes out now */
/* What we offer to receive, where the link, or the path, carries `mtu` octets. */
uint16_t tcp_syn_mss(const struct tcp_profile *profile, const struct ip_address *remote,
                     uint32_t mtu);
MUST_USE bool tcp_transmit_syn(struct tcp_connection *c, const struct tcp_path *path);

/* ---- tcp_destination.c ---- */
void tcp_destinations_init(struct stack *stack);
void tcp_destinations_done(struct stack *stack);
struct tcp_destination *tcp_destination_find(const struct stack *stack,
                                             const struct ip_address *local,
                                             const struct ip_address *remote);
/* The connection's, made when there is none; NULL: no memory. Until the next call. */
struct tcp_destination *tcp_destination_of(struct tcp_connection *c);
void tcp_destination_recall_path(struct tcp_connection *c); /* before the first segment */
void tcp_destination_recall(struct tcp_connection *c);      /* established */
void tcp_destination_store(struct tcp_connection *c);

/* ---- tcp_fast_open.c ---- */
/* False: it is neither one key nor two. */
MUST_USE bool tcp_fast_open_keys_set(struct tcp_fast_open_keys *keys, const uint8_t *octets,
                                     size_t len);
enum tcp_fast_open_verdict {
    TCP_FAST_OPEN_NOT,
    TCP_FAST_OPEN_GRANT,          /* a cookie; the text has to come again */
    TCP_FAST_OPEN_TAKE,           /* the text */
    TCP_FAST_OPEN_TAKE_AND_GRANT, /* the cookie was made with the older key */
};
enum tcp_fast_open_verdict tcp_fast_open_asked(struct tcp_listener *listener,
                                               const struct tcp_segment *seg);
void tcp_fast_open_grant(const struct tcp_listener *listener, const struct ip_address *client,
                         const struct ip_address *server, struct tcp_options *out);
/* Takes the text of the SYN into a connection in SYN-RECEIVED. */
void tcp_fast_open_child(struct tcp_connection *c, const struct tcp_segment *seg);
/* The client of such a child is there after all; or the child is gone before it was known. */
void tcp_fast_open_proved(struct tcp_connection *c, bool reset);
/* Adds what the SYN that is being made has of fast open; returns how much text goes with it. */
uint32_t tcp_fast_open_ask(struct tcp_connection *c, struct tcp_options *options);
/* Our SYN is acknowledged, and perhaps what went with it. */
void tcp_fast_open_answered(struct tcp_connection *c, const struct tcp_segment *seg);
void tcp_fast_open_unanswered(struct tcp_connection *c); /* after two timeouts */

/* ---- tcp_input.c ---- */
void tcp_segment_arrives(struct tcp_connection *c, struct tcp_segment *seg);
/* The steps before the acknowledgement is looked at, and those from there on. */
MUST_USE enum tcp_verdict tcp_segment_may_speak(struct tcp_connection *c, struct tcp_segment *seg);
void tcp_segment_speaks(struct tcp_connection *c, struct tcp_segment *seg);

/* ---- tcp_draft.c ---- */
void tcp_draft_begin(struct tcp_draft *draft, struct stack *stack,
                     const struct tcp_profile *profile, const struct endpoint *local,
                     const struct endpoint *remote);
void tcp_draft_end(struct tcp_draft *draft); /* no list knows it any more */
/* What all entries have, to and fro. */
void tcp_draft_thaw(struct tcp_draft *draft, struct stack *stack,
                    const struct tcp_profile *profile, const struct tcp_entry *entry);
void tcp_draft_freeze(const struct tcp_draft *draft, struct tcp_entry *entry);
/* And what is needed only when something is sent: our clock of timestamps, the path's MTU. */
void tcp_draft_complete(struct tcp_draft *draft);

/* ---- tcp_half_open.c ---- */
/* Is the listener's SYN queue full? */
bool tcp_half_open_full(const struct tcp_listener *listener);
/* A SYN has come for the listener. `grant`: SYN,ACK has a cookie of fast open. */
void tcp_half_open_new(struct tcp_listener *listener, const struct tcp_segment *seg,
                       const struct seq *after, bool grant);
void tcp_half_open_unreachable(struct stack *stack, struct tcp_entry *entry, struct seq seq);
void tcp_half_open_arrives(struct stack *stack, struct tcp_entry *entry, struct tcp_segment *seg);
/* False: the segment's acknowledgement is no cookie of ours. */
MUST_USE bool tcp_half_open_by_cookie(struct tcp_listener *listener, struct tcp_segment *seg);
void tcp_half_open_answer(struct tcp_draft *draft); /* SYN,ACK */
void tcp_half_open_timed_out(struct stack *stack, struct tcp_entry *entry);
void tcp_half_open_refuse_all(struct tcp_listener *listener);
void tcp_half_open_adopt(struct tcp_listener *listener); /* which is new */

/* ---- tcp_syn_cookie.c ---- */
bool tcp_syn_cookie_wanted(const struct tcp_listener *listener);
/* Answers the SYN that the draft was made of. */
void tcp_syn_cookie_send(struct tcp_draft *draft);
/* Fills an entry, which is in no row, with what the cookie says. */
MUST_USE bool tcp_syn_cookie_check(const struct tcp_listener *listener,
                                   const struct tcp_segment *seg, struct tcp_entry *out);

/* ---- tcp_time_wait.c ---- */
void tcp_time_wait_new(struct tcp_connection *c);
void tcp_time_wait_over(struct stack *stack, struct tcp_entry *entry);
void tcp_time_wait_arrives(struct stack *stack, struct tcp_entry *entry, struct tcp_segment *seg);
/* By a connection of ours. */
bool tcp_time_wait_may_be_reused(const struct stack *stack, const struct tcp_entry *entry);
/* Ends it; its successor's numbers begin there. */
MUST_USE struct seq tcp_time_wait_reuse(struct stack *stack, struct tcp_entry *entry);

/* ---- tcp_open.c ---- */
void tcp_syn_sent_arrives(struct tcp_connection *c, struct tcp_segment *seg);
void tcp_unanswered_arrives(struct tcp_connection *c, const struct tcp_segment *seg);
MUST_USE bool tcp_handshake_acknowledged(struct tcp_connection *c, const struct tcp_segment *seg);

/* ---- tcp_checks.c: steps of SEGMENT ARRIVES ---- */
enum tcp_verdict tcp_check_paws(struct tcp_connection *c, struct tcp_segment *seg);
enum tcp_verdict tcp_check_sequence(struct tcp_connection *c, struct tcp_segment *seg);
enum tcp_verdict tcp_check_rst(struct tcp_connection *c, struct tcp_segment *seg);
enum tcp_verdict tcp_check_syn(struct tcp_connection *c, struct tcp_segment *seg);

/* ---- tcp_ack.c, tcp_receive.c ---- */
void tcp_take_timestamp(struct tcp_connection *c, const struct tcp_segment *seg);
enum tcp_verdict tcp_check_ack(struct tcp_connection *c, struct tcp_segment *seg);
enum tcp_verdict tcp_process_text(struct tcp_connection *c, struct tcp_segment *seg);
enum tcp_verdict tcp_check_fin(struct tcp_connection *c, struct tcp_segment *seg);
/* May the peer still send text? */
bool tcp_takes_text(const struct tcp_connection *c);
/* The window field's value for now, moving rcv_adv. */
uint16_t tcp_window_to_offer(struct tcp_connection *c);
/* What is offered begins with what our SYN has offered, where the profile wants that. */
void tcp_window_begin(struct tcp_connection *c);
bool tcp_window_update_due(const struct tcp_connection *c);
static inline uint32_t tcp_window_offered(const struct tcp_connection *c)
{
    return (uint32_t)seq_diff(c->rcv_adv, c->rcv_nxt);
}

/* ---- tcp_urgent.c ---- */
enum tcp_verdict tcp_check_urgent(struct tcp_connection *c, struct tcp_segment *seg);
/* Octets were consumed while there is a mark. */
void tcp_urgent_consumed(struct tcp_connection *c);
/* While c->urgent_sending: snd_una has moved; the urgent pointer of a segment that begins at `seq`. */
void tcp_urgent_acknowledged(struct tcp_connection *c);
void tcp_urgent_point(const struct tcp_connection *c, struct seq seq, struct tcp_header *header);

/* ---- tcp_tuning.c ---- */
/* May the receive buffer grow? */
static inline bool tcp_tunable(const struct tcp_connection *c)
{
    return !c->receive_fixed && c->receive_buffer < c->profile->receive_buffer_max;
}
/* Text in order has come; the application has consumed some. */
void tcp_tune_round_trip(struct tcp_connection *c, const struct tcp_segment *seg);
void tcp_tune_receive(struct tcp_connection *c);

/* ---- tcp_reorder.c ---- */
enum tcp_reorder_status { TCP_REORDER_KEPT, TCP_REORDER_DUPLICATE, TCP_REORDER_REFUSED };
enum tcp_reorder_status tcp_reorder_add(struct tcp_connection *c, const struct tcp_segment *seg);
/* Moves what has become contiguous to the received queue. Returns how many octets. */
uint32_t tcp_reorder_collect(struct tcp_connection *c);
void tcp_reorder_clear(struct tcp_connection *c);
void tcp_reorder_note_fin(struct tcp_connection *c, const struct tcp_segment *seg);
unsigned tcp_reorder_blocks(const struct tcp_connection *c, struct tcp_sack_block *blocks,
                            unsigned max);

/* ---- tcp_connection.c: what is only needed while sending ---- */
struct tcp_sending *tcp_sending_none(void);
/* Makes c->sending writable. False: no memory. */
MUST_USE bool tcp_sending_begin(struct tcp_connection *c);
/* Gives it back when nothing is queued or unacknowledged any more. */
void tcp_sending_end(struct tcp_connection *c);

/* ---- tcp_extra.c: what is rare, and counting ---- */
struct tcp_extra *tcp_extra_none(void);
/* Makes c->extra writable. False: no memory. */
MUST_USE bool tcp_extra_begin(struct tcp_connection *c);
void tcp_extra_end(struct tcp_connection *c);
static inline uint32_t tcp_segments_of(uint32_t len, uint32_t mss)
{
    return LIKELY(len <= mss) ? 1 : (len + mss - 1) / mss;
}
/* `len` octets of text, 0: none, in segments of `mss` have been handed to IP. */
static inline void tcp_count_sent(struct tcp_connection *c, uint32_t len, uint32_t mss)
{
    uint32_t segments = tcp_segments_of(len, mss);
    c->stack->counters.tcpOutSegs += segments;
    c->segments_out += segments;
    c->text_segments_out += len > 0 ? segments : 0;
}
static inline void tcp_count_received(struct tcp_connection *c, const struct tcp_segment *seg)
{
    uint32_t len = (uint32_t)seg->text.len;
    uint32_t segments = tcp_segments_of(len, seg->part_len);
    c->segments_in += segments;
    c->text_segments_in += len > 0 ? segments : 0;
}
/* Something new was acknowledged, or the peer's window has opened. */
static inline void tcp_progress(struct tcp_connection *c)
{
    if (UNLIKELY(c->extra->stalled_at != 0))
        c->extra->stalled_at = 0;
    if (UNLIKELY(c->extra->trouble != TCP_TROUBLE_NONE))
        c->extra->trouble = TCP_TROUBLE_NONE;
}
void tcp_count_retransmitted(struct tcp_connection *c, uint32_t len);
void tcp_count_timeout(struct tcp_connection *c);
/* Octets that came twice, for the next acknowledgement to report (RFC 2883 §4). */
void tcp_note_duplicate(struct tcp_connection *c, struct seq start, struct seq end);
/* Tells the application of something that may explain what it sees, and ends nothing. */
void tcp_note_trouble(struct tcp_connection *c, enum tcp_trouble trouble, uint8_t type,
                      uint8_t code);
enum tcp_limit tcp_limit(const struct tcp_connection *c); /* what keeps text from being sent */
/* It has perhaps changed. */
void tcp_limit_settle(struct tcp_connection *c);

/* ---- tcp_trace.c ---- */
void tcp_trace_windows(struct tcp_connection *c); /* tells them when they have changed */

/* ---- tcp_scoreboard.c: records of what is under way ---- */
/* NULL: no memory, or too many. */
MUST_USE struct tcp_sent *tcp_sent_new(struct tcp_connection *c);
void tcp_sent_append(struct tcp_connection *c, struct tcp_sent *sent);
/* It goes out now. */
void tcp_sent_stamp(struct tcp_connection *c, struct tcp_sent *sent);
/* Cuts the record in two at `at`, strictly inside. False: no memory. */
MUST_USE bool tcp_sent_split(struct tcp_connection *c, struct tcp_sent *sent, struct seq at);
/* Drops what lies below `ack`; puts the sample of RTT into the event. */
void tcp_sent_acknowledge(struct tcp_connection *c, struct seq ack, struct tcp_ack_event *event);
/* Takes the blocks of SACK, and adds to the event what is news in them. */
void tcp_sent_sack(struct tcp_connection *c, struct tcp_ack_event *event);
void tcp_sent_set(struct tcp_connection *c, struct tcp_sent *sent, uint8_t flags);
/* Waits to be sent again, also when that has been done once. */
void tcp_sent_lose(struct tcp_connection *c, struct tcp_sent *sent);
void tcp_sent_mark_lost(struct tcp_connection *c); /* RFC 6675 IsLost() over all */
void tcp_sent_mark_all_lost(struct tcp_connection *c);
void tcp_sent_mark_none_lost(struct tcp_connection *c); /* what is marked is under way after all */
void tcp_sent_forget_sack(struct tcp_connection *c);
void tcp_sent_clear(struct tcp_connection *c);
/* The chunk in which `at` lies, searched from `from` on. */
struct tcp_chunk *tcp_chunk_at(struct tcp_chunk *from, struct seq at);
static inline uint32_t tcp_sent_len(const struct tcp_sent *sent)
{
    return (uint32_t)seq_diff(sent->end, sent->start);
}

static inline uint32_t tcp_flight(const struct tcp_connection *c)
{
    return (uint32_t)seq_diff(c->snd_nxt, c->snd_una);
}

/* Octets thought to be in the network (RFC 6675 §2 "pipe"). */
static inline uint32_t tcp_pipe(const struct tcp_connection *c)
{
    const struct tcp_sending *s = c->sending;
    int64_t pipe = (int64_t)tcp_flight(c) - s->sacked - s->lost + s->again - s->inflated;
    return pipe > 0 ? (uint32_t)pipe : 0;
}

/* ---- tcp_recovery.c ---- */
void tcp_recovery_acked(struct tcp_connection *c, struct tcp_ack_event *event);
void tcp_recovery_timed_out(struct tcp_connection *c);
/* More was found lost, though nothing has come. */
void tcp_recovery_late(struct tcp_connection *c);
/* The next record to be retransmitted, or NULL. */
struct tcp_sent *tcp_recovery_next(struct tcp_connection *c);

/* ---- tcp_ecn.c ---- */
uint16_t tcp_ecn_syn_flags(struct tcp_connection *c); /* of the SYN that is being made */
void tcp_ecn_take_syn(struct tcp_connection *c, const struct tcp_segment *seg);
/* The peer's SYN has come once more. */
void tcp_ecn_syn_again(struct tcp_connection *c, const struct tcp_segment *seg);
/* Only while c->ecn: text has come. */
void tcp_ecn_take_text(struct tcp_connection *c, const struct tcp_segment *seg);
/* Does the segment's ACK tell of a mark? */
bool tcp_ecn_echoed(const struct tcp_connection *c, const struct tcp_segment *seg);
void tcp_ecn_reduced(struct tcp_connection *c); /* the window, for whatever reason */
struct tcp_stretch;
/* The codepoint with which IP sends the text; adds CWR to the flags where it is due. */
uint8_t tcp_ecn_mark_text(struct tcp_connection *c, const struct tcp_stretch *stretch,
                          uint16_t *flags);

/* ---- tcp_rack.c ---- */
/* The record has arrived as far as `end`, as the acknowledgement says that is being looked at. */
void tcp_rack_arrived(struct tcp_connection *c, const struct tcp_sent *sent, struct seq end,
                      struct tcp_ack_event *event);
/* After all of an acknowledgement: what it says of the path. */
void tcp_rack_acked(struct tcp_connection *c, const struct tcp_ack_event *event);
/* What begins at `start` has come after what is known to have arrived. */
void tcp_rack_reordered(struct tcp_connection *c, struct seq start);
void tcp_rack_recovery_over(struct tcp_connection *c);
/* Marks as lost what was sent long enough before what has arrived; sets rack's deadline for what
 * may be late. */
void tcp_rack_detect(struct tcp_connection *c);
void tcp_rack_timed_out(struct tcp_connection *c); /* RFC 8985 §6.3 */
bool tcp_rack_in_use(const struct tcp_connection *c);

/* ---- tcp_tail_probe.c ---- */
void tcp_tail_probe_schedule(struct tcp_connection *c);
void tcp_tail_probe_due(struct tcp_connection *c);
MUST_USE struct tcp_sent *tcp_tail_probe_segment(struct tcp_connection *c);
void tcp_tail_probe_sent(struct tcp_connection *c, bool again);
/* Before snd_una moves. Only while c->extra->probing. */
void tcp_tail_probe_acked(struct tcp_connection *c, struct tcp_ack_event *event);

/* ---- tcp_undo.c ---- */
enum tcp_vain { TCP_VAIN_NOT, TCP_VAIN_LATE, TCP_VAIN_TWICE };
void tcp_undo_begin(struct tcp_connection *c);
void tcp_undo_sent_again(struct tcp_connection *c, uint32_t len);
/* An acknowledgement came, perhaps long after. */
void tcp_undo_acked(struct tcp_connection *c, const struct tcp_ack_event *event);
/* Was all in vain that was sent again since tcp_undo_begin(), and how is it known? */
enum tcp_vain tcp_undo_reason(const struct tcp_connection *c, const struct tcp_ack_event *event);
void tcp_undo(struct tcp_connection *c);

/* ---- tcp_prr.c ---- */
bool tcp_prr_in_use(const struct tcp_connection *c);
void tcp_prr_begin(struct tcp_connection *c, const struct tcp_ack_event *event);
void tcp_prr_acked(struct tcp_connection *c, const struct tcp_ack_event *event);
void tcp_prr_sent(struct tcp_connection *c, uint32_t len);
void tcp_prr_end(struct tcp_connection *c);

/* ---- tcp_congestion.c, and a file for each algorithm ---- */
enum { TCP_CWND_MAX = 1 << 30 };
const struct tcp_congestion *tcp_cubic(void);
const struct tcp_congestion *tcp_bbr(void);
const struct tcp_congestion *tcp_newreno(void);
/* Takes the algorithm that the profile names; a live connection begins anew with it. */
void tcp_congestion_choose(struct tcp_connection *c);
void tcp_congestion_open(struct tcp_connection *c); /* the handshake is over */
void tcp_congestion_idle(struct tcp_connection *c); /* about to send after a pause */
uint32_t tcp_initial_window(const struct tcp_connection *c);
/* How much cwnd grows in slow start for an ACK that took `event->acknowledged` octets away. */
/* Was the window used up, so that it may grow (RFC 7661 §4.3)? */
static inline bool tcp_window_used(const struct tcp_connection *c)
{
    /* Between two bursts it seldom is; within a round trip it must have been. */
    return c->cwnd_limited ||
           (c->paced && c->stack->now - c->sending->limited_at <= (usec)(c->srtt / 8));
}
uint32_t tcp_slow_start(struct tcp_connection *c, const struct tcp_ack_event *event);
/* The same with HyStart++; sets ssthresh when it is over. */
uint32_t tcp_hystart(struct tcp_connection *c, const struct tcp_ack_event *event);
/* For the tests: floor of the cube root; W_cubic() at t msec (RFC 9438 §4.2, figure 1), K. */
uint32_t tcp_cube_root(uint64_t x);
int64_t tcp_cubic_window(uint32_t mss, uint32_t w_max, int64_t t, int64_t k);
uint32_t tcp_cubic_k(uint32_t mss, uint32_t w_max, uint32_t cwnd);

/* ---- tcp_rate.c ---- */
uint32_t tcp_delivered(const struct tcp_connection *c); /* octets that have arrived, low bits */
void tcp_rate_sent(struct tcp_connection *c, struct tcp_sent *sent); /* it goes out now */
/* The record has arrived as far as `end`, by the acknowledgement that is being looked at. */
void tcp_rate_arrived(struct tcp_connection *c, const struct tcp_sent *sent, struct seq end);
/* All of the acknowledgement was looked at: fills event->rate_*. */
void tcp_rate_sample(struct tcp_connection *c, struct tcp_ack_event *event);
void tcp_rate_app_limited(struct tcp_connection *c); /* there is nothing to send just now */
/* What is under way is less than it could be: it says nothing of the path's rate. */
void tcp_rate_mark_app_limited(struct tcp_connection *c);

/* ---- tcp_pacing.c ---- */
uint64_t tcp_pacing_rate(const struct tcp_connection *c); /* octets a second; UINT64_MAX: no limit */
/* How fast the window goes round, or somewhat faster. UINT64_MAX: nobody knows yet. */
uint64_t tcp_window_rate(const struct tcp_connection *c);
/* The profile or the algorithm has changed. */
void tcp_pacing_choose(struct tcp_connection *c);
/* Octets that leave together. */
uint32_t tcp_pacing_burst(const struct tcp_connection *c);
/* May something leave now? If not, the connection is woken when it may. */
bool tcp_pacing_open(struct tcp_connection *c);
void tcp_pacing_sent(struct tcp_connection *c, uint32_t len);
/* Nothing is queued or under way; but must c->sending be kept, since it knows when the next octet may
 * leave? It is given back then. */
bool tcp_pacing_keeps(struct tcp_connection *c);
void tcp_pacing_timer(struct tcp_sending *s);

/* ---- tcp_rtt.c ---- */
void tcp_rtt_sample(struct tcp_connection *c, usec rtt);
usec tcp_rto(const struct tcp_connection *c); /* with backoff */
void tcp_min_rtt_sample(struct tcp_connection *c, usec rtt);
uint32_t tcp_timestamp(const struct tcp_connection *c); /* TSval for now */
uint32_t tcp_timestamp_at(const struct tcp_connection *c, usec at);
/* What TSecr says; -1: nothing. */
usec tcp_timestamp_rtt(const struct tcp_connection *c, const struct tcp_options *options);

/* ---- tcp_units.c ---- */
bool tcp_units_count(const struct tcp_connection *c); /* is all text kept in units? */
uint32_t tcp_units_cost(const struct tcp_connection *c);  /* beside the octets */
uint32_t tcp_units_limit(const struct tcp_connection *c); /* of octets and cost */
/* With `queued` octets: how many more may come; and are they so few that it is worth telling? */
size_t tcp_units_room(const struct tcp_connection *c, uint32_t queued, uint32_t limit);
bool tcp_units_roomy(const struct tcp_connection *c, uint32_t queued, uint32_t limit);
void tcp_units_grow(struct tcp_connection *c); /* the send buffer, by cwnd */
bool tcp_unit_is_open(const struct tcp_connection *c);
bool tcp_unit_full(const struct tcp_connection *c);
uint32_t tcp_unit_left(const struct tcp_connection *c, uint32_t len); /* that many, or fewer */
void tcp_unit_add(struct tcp_connection *c, uint32_t len); /* was queued: moves snd_end */
void tcp_unit_end(struct tcp_connection *c, bool push);
/* Octets from snd_nxt to the end of the unit in which it lies; does a write end there? */
uint32_t tcp_unit_rest(const struct tcp_connection *c, bool *push);
void tcp_units_sent(struct tcp_connection *c, bool ended); /* snd_nxt has moved, to the end of one */

/* ---- tcp_send.c ---- */
/* Does it matter for the room there is what has been sent, and not only what was acknowledged? */
static inline bool tcp_send_watches_unsent(const struct tcp_connection *c)
{
    return c->profile->unit_cost != 0 || c->profile->not_sent_low != UINT32_MAX;
}
uint32_t tcp_send_limit(const struct tcp_connection *c); /* octets that may be queued */
/* The queue got shorter, or the limit of it changed: perhaps the application may go on. */
void tcp_send_room_changed(struct tcp_connection *c);

/* ---- tcp_timers.c ---- */
void tcp_timer_set(struct tcp_connection *c, enum tcp_timer_purpose purpose, usec due_at);
void tcp_timer_stop(struct tcp_connection *c);
/* The retransmission timeout, but not later than the user timeout ends. */
usec tcp_patience(const struct tcp_connection *c);
/* Counts the retransmission timeout from now on (RFC 6298 §5.1, §5.3). */
void tcp_rto_restart(struct tcp_connection *c);
/* Nothing is unacknowledged any more. */
void tcp_flight_over(struct tcp_connection *c);
/* A deadline of c->sending has changed. */
void tcp_timer_rearm(struct tcp_connection *c);
/* Arms what the connection needs now that it has nothing more to send in this turn. */
void tcp_timer_settle(struct tcp_connection *c);

/* ---- tcp_user_timeout.c ---- */
usec tcp_user_timeout(const struct tcp_connection *c); /* 0: `retries` decides */
/* Adds the option to a segment's others, if it fits; else it is due with the next one. */
void tcp_user_timeout_tell(struct tcp_connection *c, struct tcp_options *out);
void tcp_user_timeout_heard(struct tcp_connection *c, const struct tcp_options *options);

/* ---- tcp_output.c ---- */
/* Makes at most `budget` segments; returns how many. *more: there is more to send at once. */
unsigned tcp_output(struct tcp_connection *c, unsigned budget, bool *more);

/* ---- tcp_burst.c ---- */
struct tcp_path;
struct tcp_burst { /* what new text could go as one piece */
    uint32_t unsent;
    uint32_t window; /* what the peer's window, */
    uint32_t room;   /* and cwnd have room for */
};
/* Is it better to wait for an acknowledgement, so that the piece becomes longer? */
bool tcp_burst_waits(const struct tcp_connection *c, const struct tcp_path *path,
                     const struct tcp_burst *burst);
/* Octets of a super-segment, as the profile has it. */
uint32_t tcp_burst_wanted(const struct tcp_connection *c, uint32_t mss);
/* Lowers path->burst_max to what the profile, or the pace, lets go as one piece. */
void tcp_burst_shorten(const struct tcp_connection *c, struct tcp_path *path);

/* ---- tcp_transmit.c ---- */
struct tcp_path {
    struct route_choice route;
    uint32_t mss;        /* payload of a segment without SACK blocks */
    uint32_t frame_max;  /* payload of what is handed down in one piece; a multiple of mss */
    uint32_t burst_max;  /* payload of what goes at once: a piece, or several */
    uint16_t probe;      /* octets of IP, of a probe of the path (RFC 4821); 0: it is none */
    bool partial;        /* the device computes checksums */
};
MUST_USE bool tcp_path_find(struct tcp_connection *c, struct tcp_path *out);
struct tcp_stretch {     /* of the send queue, to go out as one (super-)segment */
    struct tcp_chunk *chunk; /* in which `start` lies; may be NULL when len is 0 */
    struct seq start;
    uint32_t len;
    bool fin;            /* behind it, if all of it fits */
    bool push;
};
/* Everything we owe the peer goes with the segment that is being made. */
void tcp_acknowledged(struct tcp_connection *c);
/* Takes the frame, whose data is text. What IP cannot send is lost like on the way. */
void tcp_transmit_segment(struct tcp_connection *c, const struct tcp_path *path,
                          struct frame *frame, const struct tcp_header *header, uint8_t ecn);
bool tcp_transmit_ack(struct tcp_connection *c, const struct tcp_path *path, struct seq seq);
/* Returns how much of the sequence space went out, which may be less; 0: no memory. */
uint32_t tcp_transmit_text(struct tcp_connection *c, const struct tcp_path *path,
                           const struct tcp_stretch *stretch);

/* ---- tcp_path_mtu.c ---- */
/* The largest packet that is sent where the interface carries `mtu`. */
uint32_t tcp_path_mtu(struct tcp_connection *c, uint32_t mtu);
/* A router says so; 0: it does not say how large one may be. */
void tcp_path_mtu_lowered(struct tcp_connection *c, uint32_t mtu);
void tcp_path_search_established(struct tcp_connection *c);
void tcp_path_search_recalled(struct tcp_connection *c, uint32_t mtu);
/* One more timeout, after several. */
void tcp_path_black_hole(struct tcp_connection *c);
/* While c->mtu_search: snd_una has moved. */
void tcp_path_search_acked(struct tcp_connection *c);
enum tcp_probe_step {
    TCP_PROBE_NONE, /* go on as usual */
    TCP_PROBE_WAIT, /* send nothing until there is room for one */
    TCP_PROBE_SEND, /* *out is for the next segment of new text */
};
enum tcp_probe_step tcp_path_probe(struct tcp_connection *c, const struct tcp_path *path,
                                   struct tcp_path *out);
void tcp_path_probe_sent(struct tcp_connection *c, const struct tcp_path *path, struct seq start);
/* While extra->mtu_probe: something is lost. True: the probe alone, which is sent again in smaller
 * segments, and is no congestion. */
MUST_USE bool tcp_path_probe_lost(struct tcp_connection *c);
void tcp_path_probe_timed_out(struct tcp_connection *c);

/* ---- tcp_reset.c ---- */
/* RST in answer to a segment, as its target (RFC 9293 §3.10.7.1). Never to a RST. */
void tcp_reset_segment(struct stack *stack, const struct tcp_segment *seg);
void tcp_reset_connection(struct tcp_connection *c);
/* An ACK for something odd, at most one in a while (RFC 5961 §7). */
void tcp_challenge(struct tcp_connection *c);

#endif
