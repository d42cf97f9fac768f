/* SPDX-License-Identifier: ISC */
/*
 * tcp_bbr_phase.c - the phases of BBR (draft-ietf-ccwg-bbr §5.3): Startup doubles the rate until the
 * path gives no more, Drain empties the queue that this has made; then ProbeBW goes in circles, below
 * the path's rate, at it, and for a moment above it; and ProbeRTT now and then lets every queue run
 * empty, so that the round trip without one is seen.
 *
 * DEVIATES draft-ietf-ccwg-bbr §5.3.1.2: that the rate has grown by a quarter may be seen on any
 * acknowledgement of a round, not only on its first one, which is often a sample of little.
 */
#include "stack/tcp/tcp_bbr.h"

unsigned bbr_pacing_gain(const struct tcp_bbr *b)
{
    static const uint16_t gains[] = {
        [BBR_STARTUP] = 277, [BBR_DRAIN] = 50,         [BBR_PROBE_DOWN] = 90, [BBR_PROBE_CRUISE] = 100,
        [BBR_PROBE_REFILL] = 100, [BBR_PROBE_UP] = 125, [BBR_PROBE_RTT] = 100,
    };
    _Static_assert(ARRAY_LEN(gains) == BBR_PHASE_COUNT, "one gain per phase");
    return gains[b->phase];
}

unsigned bbr_cwnd_gain(const struct tcp_bbr *b)
{
    if (b->phase == BBR_PROBE_RTT)
        return 50;
    return b->phase == BBR_PROBE_UP ? 225 : 200;
}

uint32_t bbr_probe_rtt_cwnd(const struct tcp_connection *c)
{
    uint32_t half = bbr_bdp(c, bbr_of(c)->bw, 50);
    return half > bbr_min_pipe(c) ? half : bbr_min_pipe(c);
}

void bbr_enter_startup(struct tcp_bbr *b)
{
    b->phase = BBR_STARTUP;
}

void bbr_reset_full_bw(struct tcp_bbr *b)
{
    b->full_bw = 0;
    b->full_bw_count = 0;
    b->full_bw_now = false;
}

/* §5.3.1.2, CheckFullBWReached() */
static void check_full_bw(struct tcp_bbr *b, const struct bbr_sample *rs)
{
    if (b->full_bw_now || !rs->valid || rs->app_limited)
        return;
    if (rs->delivery_rate >= b->full_bw + b->full_bw / 4) {
        bbr_reset_full_bw(b);
        b->full_bw = rs->delivery_rate;
        return;
    }
    if (!b->round_start)
        return;
    b->full_bw_now = ++b->full_bw_count >= 3;
    b->full_bw_reached = b->full_bw_reached || b->full_bw_now;
}

bool bbr_inflight_too_high(const struct tcp_connection *c, uint32_t lost, uint32_t tx_in_flight)
{
    return lost > bbr_part(tx_in_flight, BBR_LOSS_THRESHOLD) || (lost > 0 && !c->sack);
}

/* §5.3.1.3, CheckStartupHighLoss(). A mark is worth as much (§3.5). */
static void check_startup_loss(struct tcp_connection *c, const struct bbr_sample *rs)
{
    struct tcp_bbr *b = bbr_of(c);
    if (b->phase != BBR_STARTUP || b->full_bw_reached)
        return;
    bool lossy = c->recovery == TCP_RECOVERY && b->loss_round_start &&
                 b->losses >= (c->sack ? BBR_STARTUP_LOSSES : 1) &&
                 bbr_inflight_too_high(c, rs->lost, rs->tx_in_flight);
    if (!lossy && !rs->marked)
        return;
    b->undo_phase = lossy ? BBR_STARTUP : BBR_PHASE_COUNT;
    b->full_bw_reached = true;
    uint32_t bdp = bbr_bdp(c, b->bw, 100);
    b->inflight_longterm = bdp > b->inflight_latest ? bdp : b->inflight_latest;
}

static void check_startup_done(struct tcp_connection *c, const struct bbr_sample *rs)
{
    struct tcp_bbr *b = bbr_of(c);
    check_startup_loss(c, rs);
    if (b->phase != BBR_STARTUP || !b->full_bw_reached)
        return;
    b->phase = BBR_DRAIN;
    b->drain_start_round = b->round_count;
}

/* PickProbeWait(): 2 to 3 seconds, and a round more or less (§5.3.3.6). */
static void pick_probe_wait(struct tcp_connection *c)
{
    struct tcp_bbr *b = bbr_of(c);
    b->rounds_since_probe_up = (uint8_t)prng_below(&c->stack->prng, 2);
    b->bw_probe_wait = 2 * USEC_PER_SEC + prng_below(&c->stack->prng, USEC_PER_SEC);
}

static void start_probe_down(struct tcp_connection *c)
{
    struct tcp_bbr *b = bbr_of(c);
    bbr_reset_congestion_signals(b);
    b->probe_up_acked_per_inc = BBR_NO_VOLUME;
    pick_probe_wait(c);
    b->cycle_stamp = c->stack->now;
    b->ack_phase = BBR_ACKS_PROBE_STOPPING;
    bbr_start_round(c);
    b->phase = BBR_PROBE_DOWN;
}

void bbr_start_probe_refill(struct tcp_connection *c)
{
    struct tcp_bbr *b = bbr_of(c);
    bbr_reset_short_term(b);
    b->bw_probe_up_rounds = 0;
    b->bw_probe_up_acked = 0;
    b->prev_probe_precautionary = false;
    b->ack_phase = BBR_ACKS_REFILLING;
    bbr_start_round(c);
    b->phase = BBR_PROBE_REFILL;
}

static void raise_longterm_slope(struct tcp_connection *c)
{
    struct tcp_bbr *b = bbr_of(c);
    uint32_t per_inc = c->cwnd >> b->bw_probe_up_rounds;
    if (b->bw_probe_up_rounds < 30)
        b->bw_probe_up_rounds++;
    b->probe_up_acked_per_inc = per_inc > c->mss ? per_inc : c->mss;
}

static void start_probe_up(struct tcp_connection *c, const struct bbr_sample *rs)
{
    struct tcp_bbr *b = bbr_of(c);
    b->is_bw_probe_sample = true;
    b->ack_phase = BBR_ACKS_PROBE_STARTING;
    bbr_start_round(c);
    bbr_reset_full_bw(b);
    b->full_bw = rs->delivery_rate;
    b->phase = BBR_PROBE_UP;
    raise_longterm_slope(c);
}

static void check_drain_done(struct tcp_connection *c, const struct bbr_sample *rs)
{
    struct tcp_bbr *b = bbr_of(c);
    if (b->phase == BBR_DRAIN && (rs->inflight <= bbr_inflight(c, b->bw, 100) ||
                                  b->round_count > b->drain_start_round + 3))
        start_probe_down(c);
}

void bbr_handle_too_high(struct tcp_connection *c, uint32_t tx_in_flight, bool app_limited)
{
    struct tcp_bbr *b = bbr_of(c);
    b->prev_probe_too_high = true;
    b->is_bw_probe_sample = false; /* once a probe */
    if (!app_limited) {
        uint32_t least = (uint32_t)bbr_part(bbr_target_inflight(c), BBR_BETA);
        b->inflight_longterm = tx_in_flight > least ? tx_in_flight : least;
    }
    if (b->phase == BBR_PROBE_UP) {
        b->undo_phase = BBR_PROBE_UP;
        start_probe_down(c);
    }
}

/* ProbeInflightLongtermUpward() */
static void probe_longterm_upward(struct tcp_connection *c, const struct bbr_sample *rs)
{
    struct tcp_bbr *b = bbr_of(c);
    if (!tcp_window_used(c) || c->cwnd < b->inflight_longterm)
        return;
    b->bw_probe_up_acked += rs->newly_acked;
    if (b->bw_probe_up_acked >= b->probe_up_acked_per_inc) {
        uint32_t delta = b->bw_probe_up_acked / b->probe_up_acked_per_inc;
        b->bw_probe_up_acked -= delta * b->probe_up_acked_per_inc;
        b->inflight_longterm += delta * c->mss;
        if (b->inflight_longterm > TCP_CWND_MAX)
            b->inflight_longterm = TCP_CWND_MAX;
    }
    if (b->round_start)
        raise_longterm_slope(c);
}

/* The round after a probe is over: what it has shown is known. True: another one begins at once. */
static bool probe_acked(struct tcp_connection *c, const struct bbr_sample *rs)
{
    struct tcp_bbr *b = bbr_of(c);
    b->is_bw_probe_sample = false;
    b->ack_phase = BBR_ACKS_INIT;
    if (!bbr_in_probe_bw(b))
        return false;
    if (!rs->app_limited)
        bbr_advance_max_bw(b);
    if (!b->prev_probe_precautionary || b->prev_probe_too_high)
        return false;
    bbr_start_probe_refill(c);
    return true;
}

/* AdaptLongTermModel(). True: the phase is decided. */
static bool adapt_long_term(struct tcp_connection *c, const struct bbr_sample *rs)
{
    struct tcp_bbr *b = bbr_of(c);
    if (b->ack_phase == BBR_ACKS_PROBE_STARTING && b->round_start)
        b->ack_phase = BBR_ACKS_PROBE_FEEDBACK;
    if (b->ack_phase == BBR_ACKS_PROBE_STOPPING && b->round_start && probe_acked(c, rs))
        return true;
    if (!rs->valid || bbr_inflight_too_high(c, rs->lost, rs->tx_in_flight) ||
        b->inflight_longterm == BBR_NO_VOLUME)
        return false;
    if (rs->tx_in_flight > b->inflight_longterm)
        b->inflight_longterm = rs->tx_in_flight;
    if (b->phase == BBR_PROBE_UP)
        probe_longterm_upward(c, rs);
    return false;
}

/* §5.3.3.6: as often as Reno would lose something on such a path, so that it can live beside us. */
static bool time_to_probe(struct tcp_connection *c)
{
    struct tcp_bbr *b = bbr_of(c);
    uint32_t reno_rounds = bbr_target_inflight(c) / c->mss;
    uint32_t rounds = reno_rounds < 63 ? reno_rounds : 63;
    if (c->stack->now <= b->cycle_stamp + b->bw_probe_wait && b->rounds_since_probe_up < rounds)
        return false;
    bbr_start_probe_refill(c);
    return true;
}

static bool time_to_cruise(const struct tcp_connection *c, const struct bbr_sample *rs)
{
    return rs->inflight <= bbr_inflight_with_headroom(c) &&
           rs->inflight <= bbr_inflight(c, bbr_of(c)->max_bw, 100);
}

static bool time_to_go_down(struct tcp_connection *c, const struct bbr_sample *rs)
{
    struct tcp_bbr *b = bbr_of(c);
    if (b->prev_probe_too_high && rs->inflight >= b->inflight_longterm) {
        b->prev_probe_precautionary = true;
        return true;
    }
    if (tcp_window_used(c) && c->cwnd >= b->inflight_longterm) {
        bbr_reset_full_bw(b); /* it is that which limits the rate */
        b->full_bw = rs->delivery_rate;
        return false;
    }
    return b->full_bw_now;
}

/* UpdateProbeBWCyclePhase() */
static void update_cycle(struct tcp_connection *c, const struct bbr_sample *rs)
{
    struct tcp_bbr *b = bbr_of(c);
    if (!b->full_bw_reached || adapt_long_term(c, rs))
        return;
    switch ((unsigned)b->phase) {
    case BBR_PROBE_DOWN:
        if (!time_to_probe(c) && time_to_cruise(c, rs))
            b->phase = BBR_PROBE_CRUISE;
        break;
    case BBR_PROBE_CRUISE:
        (void)time_to_probe(c);
        break;
    case BBR_PROBE_REFILL:
        if (b->round_start)
            start_probe_up(c, rs);
        break;
    case BBR_PROBE_UP:
        if (time_to_go_down(c, rs)) {
            b->prev_probe_too_high = false;
            start_probe_down(c);
        }
        break;
    default:
        break;
    }
}

void bbr_update_phase(struct tcp_connection *c, const struct bbr_sample *rs)
{
    check_full_bw(bbr_of(c), rs);
    check_startup_done(c, rs);
    check_drain_done(c, rs);
    update_cycle(c, rs);
}

void bbr_enter_cruise(struct tcp_connection *c)
{
    start_probe_down(c);
    bbr_of(c)->phase = BBR_PROBE_CRUISE; /* there is nothing to drain */
}

static void exit_probe_rtt(struct tcp_connection *c)
{
    struct tcp_bbr *b = bbr_of(c);
    bbr_reset_short_term(b);
    if (b->full_bw_reached)
        bbr_enter_cruise(c);
    else
        bbr_enter_startup(b);
}

void bbr_check_probe_rtt_done(struct tcp_connection *c)
{
    struct tcp_bbr *b = bbr_of(c);
    if (b->probe_rtt_done_stamp == 0 || c->stack->now <= b->probe_rtt_done_stamp)
        return;
    b->probe_rtt_min_stamp = c->stack->now;
    bbr_restore_cwnd(c);
    exit_probe_rtt(c);
}

/* §5.3.4.3, HandleProbeRTT() */
static void handle_probe_rtt(struct tcp_connection *c, const struct bbr_sample *rs)
{
    struct tcp_bbr *b = bbr_of(c);
    tcp_rate_mark_app_limited(c); /* such low rates say nothing of the path */
    if (b->probe_rtt_done_stamp == 0) {
        if (rs->inflight > bbr_probe_rtt_cwnd(c))
            return;
        b->probe_rtt_done_stamp = c->stack->now + BBR_PROBE_RTT_DURATION;
        b->probe_rtt_round_done = false;
        bbr_start_round(c);
        return;
    }
    if (b->round_start)
        b->probe_rtt_round_done = true;
    if (b->probe_rtt_round_done)
        bbr_check_probe_rtt_done(c);
}

void bbr_check_probe_rtt(struct tcp_connection *c, const struct bbr_sample *rs)
{
    struct tcp_bbr *b = bbr_of(c);
    if (b->phase != BBR_PROBE_RTT && b->probe_rtt_expired && !b->idle_restart) {
        bbr_save_cwnd(c);
        b->phase = BBR_PROBE_RTT;
        b->probe_rtt_done_stamp = 0;
        b->ack_phase = BBR_ACKS_PROBE_STOPPING;
        bbr_start_round(c);
    }
    if (b->phase == BBR_PROBE_RTT)
        handle_probe_rtt(c, rs);
    if (rs->delivered > 0)
        b->idle_restart = false;
}
