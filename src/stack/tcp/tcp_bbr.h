/* SPDX-License-Identifier: ISC */
/*
 * tcp_bbr.h - the inside of BBR (draft-ietf-ccwg-bbr, as of August 2026, which is version 3 of the
 * algorithm): what it believes of the path (tcp_bbr_model.c), and which of its phases is on
 * (tcp_bbr_phase.c). tcp_bbr.c is between them and the rest of TCP.
 *
 * Names are the draft's. Rates are octets a second, volumes octets, gains and shares percent.
 */
#ifndef WN_STACK_TCP_TCP_BBR_H
#define WN_STACK_TCP_TCP_BBR_H

#include "stack/tcp/internal.h"

#define BBR_NO_RATE UINT64_MAX    /* the draft's Infinity */
#define BBR_NO_VOLUME UINT32_MAX
#define BBR_NO_RTT UINT32_MAX
#define BBR_MIN_RTT_FILTER (10 * USEC_PER_SEC)
#define BBR_PROBE_RTT_INTERVAL (5 * USEC_PER_SEC)
#define BBR_PROBE_RTT_DURATION (200 * USEC_PER_MSEC)

enum {
    BBR_LOSS_THRESHOLD = 2,
    BBR_BETA = 70,
    BBR_HEADROOM = 15,
    BBR_MIN_PIPE_SEGMENTS = 4,
    BBR_STARTUP_LOSSES = 6,    /* BBRStartupFullLossCnt */
    BBR_EXTRA_ACKED_ROUNDS = 5, /* of each of two slots: ExtraAckedFilterLen is 10 */
    BBR_REST_UNIT = 128,        /* octets a second, of tcp_bbr_rest.bw */
    BBR_REST_MAX = 0x7fffffff,
};

enum bbr_phase { /* the draft's BBR.state */
    BBR_STARTUP,
    BBR_DRAIN,
    BBR_PROBE_DOWN,
    BBR_PROBE_CRUISE,
    BBR_PROBE_REFILL,
    BBR_PROBE_UP,
    BBR_PROBE_RTT,
    BBR_PHASE_COUNT
};

enum bbr_ack_phase { /* what the acknowledgements that come are about */
    BBR_ACKS_INIT,
    BBR_ACKS_REFILLING,
    BBR_ACKS_PROBE_STARTING,
    BBR_ACKS_PROBE_FEEDBACK,
    BBR_ACKS_PROBE_STOPPING,
};

/* RS: what the present acknowledgement says, and C.inflight after it. */
struct bbr_sample {
    uint64_t delivery_rate; /* 0: none that could be relied on */
    uint32_t delivered;
    uint32_t prior_delivered;
    uint32_t newly_acked;
    uint32_t tx_in_flight;
    uint32_t lost;
    uint32_t inflight;
    usec rtt;               /* negative: none */
    bool valid;             /* there is a sample at all */
    bool app_limited;
    bool marked;            /* ECE */
};

struct tcp_bbr {
    struct tcp_watch watch;
    uint8_t phase;     /* enum bbr_phase */
    uint8_t ack_phase; /* enum bbr_ack_phase */
    bool round_start : 1;
    bool idle_restart : 1;
    bool full_bw_reached : 1;
    bool full_bw_now : 1;
    bool is_bw_probe_sample : 1;
    bool is_loss_in_round : 1;
    bool marked_in_round : 1;
    bool loss_round_start : 1;
    bool prev_probe_too_high : 1;
    bool prev_probe_precautionary : 1;
    bool probe_rtt_expired : 1;
    bool probe_rtt_round_done : 1;
    bool recovering : 1;    /* in loss recovery, as of the last acknowledgement */
    bool seen_rtt : 1;
    bool undo : 1;          /* undo_… mean something */
    bool lost_any : 1;      /* lost_end means something */
    uint8_t full_bw_count;
    uint8_t bw_probe_up_rounds;
    uint8_t rounds_since_probe_up; /* up to 255 */
    uint8_t losses;         /* stretches lost in this round */
    uint8_t undo_phase;     /* enum bbr_phase; BBR_PHASE_COUNT: none */
    uint8_t extra_acked_rounds;
    uint8_t extra_acked_slot;

    /* Rounds, in tcp_delivered(). */
    uint32_t next_round_delivered;
    uint32_t loss_round_delivered;
    uint32_t round_count;
    uint32_t drain_start_round;

    /* Long term. */
    uint64_t max_bw_filter[2]; /* of the cycle before, and of this one */
    uint64_t max_bw;
    uint32_t inflight_longterm;
    uint32_t min_rtt;       /* usec */
    usec min_rtt_stamp;
    /* Short term. */
    uint64_t bw_shortterm;
    uint32_t inflight_shortterm;
    uint64_t bw_latest;
    uint32_t inflight_latest;
    uint32_t round_rtt;     /* usec, the shortest of this round */

    uint64_t bw;            /* min (max_bw, bw_shortterm) */
    uint64_t pacing_rate;
    uint64_t full_bw;
    uint32_t prior_cwnd;
    uint32_t extra_acked[2];
    uint32_t extra_acked_delivered;
    usec extra_acked_interval_start;

    uint32_t bw_probe_up_acked;
    uint32_t probe_up_acked_per_inc;
    usec cycle_stamp;
    usec bw_probe_wait;

    uint32_t probe_rtt_min_delay;
    usec probe_rtt_min_stamp;
    usec probe_rtt_done_stamp; /* 0: not yet */

    uint64_t undo_bw_shortterm;
    uint32_t undo_inflight_shortterm;
    uint32_t undo_inflight_longterm;
    struct seq lost_end;    /* of the last record found lost in this round */
};

/* ---- tcp_bbr.c ---- */
static inline struct tcp_bbr *bbr_of(const struct tcp_connection *c)
{
    return c->bbr;
}
static inline bool bbr_in_probe_bw(const struct tcp_bbr *b)
{
    return b->phase >= BBR_PROBE_DOWN && b->phase <= BBR_PROBE_UP;
}
/* So much of it, in percent. */
static inline uint64_t bbr_part(uint64_t whole, unsigned percent)
{
    return whole / 100 * percent + whole % 100 * percent / 100;
}
void bbr_save_cwnd(struct tcp_connection *c);
void bbr_restore_cwnd(struct tcp_connection *c);
void bbr_set_pacing_rate(struct tcp_connection *c, unsigned gain);

/* ---- tcp_bbr_model.c ---- */
void bbr_model_init(struct tcp_connection *c);
void bbr_model_rest(struct tcp_connection *c);   /* into c->bbr_rest, */
void bbr_model_recall(struct tcp_connection *c); /* and back into a new model */
void bbr_start_round(struct tcp_connection *c);
uint32_t bbr_min_pipe(const struct tcp_connection *c); /* BBR.MinPipeCwnd */
/* BDPMultiple() and Inflight(), with `bw` for BBR.bw. */
uint32_t bbr_bdp(const struct tcp_connection *c, uint64_t bw, unsigned gain);
uint32_t bbr_inflight(const struct tcp_connection *c, uint64_t bw, unsigned gain);
uint32_t bbr_max_inflight(const struct tcp_connection *c);
uint32_t bbr_target_inflight(const struct tcp_connection *c);
uint32_t bbr_inflight_with_headroom(const struct tcp_connection *c);
void bbr_update_latest(struct tcp_connection *c, const struct bbr_sample *rs);
void bbr_update_congestion(struct tcp_connection *c, const struct bbr_sample *rs);
void bbr_update_aggregation(struct tcp_connection *c, const struct bbr_sample *rs);
void bbr_update_min_rtt(struct tcp_connection *c, const struct bbr_sample *rs);
void bbr_advance_latest(struct tcp_connection *c, const struct bbr_sample *rs);
void bbr_advance_max_bw(struct tcp_bbr *b);
void bbr_reset_congestion_signals(struct tcp_bbr *b);
void bbr_reset_short_term(struct tcp_bbr *b);
/* A record was found lost, or a mark was told of: the round has met congestion. */
void bbr_note_loss(struct tcp_connection *c);

/* ---- tcp_bbr_phase.c ---- */
void bbr_enter_startup(struct tcp_bbr *b);
void bbr_enter_cruise(struct tcp_connection *c); /* there is no queue */
void bbr_start_probe_refill(struct tcp_connection *c);
void bbr_reset_full_bw(struct tcp_bbr *b);
/* All that may change the phase, on an acknowledgement. */
void bbr_update_phase(struct tcp_connection *c, const struct bbr_sample *rs);
void bbr_check_probe_rtt(struct tcp_connection *c, const struct bbr_sample *rs);
void bbr_check_probe_rtt_done(struct tcp_connection *c);
bool bbr_inflight_too_high(const struct tcp_connection *c, uint32_t lost, uint32_t tx_in_flight);
/* A probe has put too much under way. */
void bbr_handle_too_high(struct tcp_connection *c, uint32_t tx_in_flight, bool app_limited);
unsigned bbr_pacing_gain(const struct tcp_bbr *b);
unsigned bbr_cwnd_gain(const struct tcp_bbr *b);
uint32_t bbr_probe_rtt_cwnd(const struct tcp_connection *c);

#endif
