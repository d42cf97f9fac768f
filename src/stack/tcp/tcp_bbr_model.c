/* SPDX-License-Identifier: ISC */
/*
 * tcp_bbr_model.c - what BBR believes of the path (draft-ietf-ccwg-bbr §5.5): how fast it delivers, how
 * long it is when there is no queue, how much it takes, and how it bundles acknowledgements.
 *
 * DEVIATES draft-ietf-ccwg-bbr §5.5.9: the maximum of extra_acked over ten rounds is kept in two slots of
 * five; the filter forgets after five to ten.
 * DEVIATES draft-ietf-ccwg-bbr §5.5.10.3: a round that has lost no more than the threshold and has seen
 * no queue does not lower the bounds. That loss is not of our making; by the draft it costs its share of
 * the rate in every round until the next probe, a quarter of it at 1 % in 50 ms.
 */
#include "stack/tcp/tcp_bbr.h"

void bbr_start_round(struct tcp_connection *c)
{
    bbr_of(c)->next_round_delivered = tcp_delivered(c);
}

void bbr_reset_congestion_signals(struct tcp_bbr *b)
{
    b->is_loss_in_round = false;
    b->bw_latest = 0;
    b->inflight_latest = 0;
}

void bbr_reset_short_term(struct tcp_bbr *b)
{
    b->bw_shortterm = BBR_NO_RATE;
    b->inflight_shortterm = BBR_NO_VOLUME;
}

void bbr_model_init(struct tcp_connection *c)
{
    struct tcp_bbr *b = bbr_of(c);
    usec now = c->stack->now;
    b->seen_rtt = c->srtt != 0;
    b->min_rtt = b->seen_rtt ? c->srtt / 8 : BBR_NO_RTT;
    b->min_rtt_stamp = now;
    b->probe_rtt_min_delay = b->min_rtt;
    b->probe_rtt_min_stamp = now;
    b->extra_acked_interval_start = now;
    b->inflight_longterm = BBR_NO_VOLUME;
    b->probe_up_acked_per_inc = BBR_NO_VOLUME;
    b->loss_round_delivered = tcp_delivered(c);
    b->round_rtt = BBR_NO_RTT;
    bbr_reset_congestion_signals(b);
    bbr_reset_short_term(b);
    bbr_start_round(c);
}

/* What is known again after a rest. How long the path is must be seen anew, at once. */
void bbr_model_recall(struct tcp_connection *c)
{
    struct tcp_bbr *b = bbr_of(c);
    const struct tcp_bbr_rest *rest = &c->bbr_rest;
    b->max_bw = (uint64_t)rest->bw * BBR_REST_UNIT;
    b->max_bw_filter[1] = b->max_bw;
    b->bw = b->max_bw;
    b->full_bw_reached = rest->full_bw_reached;
    b->inflight_longterm = rest->inflight_longterm;
    b->min_rtt_stamp -= BBR_MIN_RTT_FILTER + 1;
    b->probe_rtt_min_stamp -= BBR_MIN_RTT_FILTER + 1;
}

void bbr_model_rest(struct tcp_connection *c)
{
    const struct tcp_bbr *b = bbr_of(c);
    uint64_t units = b->max_bw / BBR_REST_UNIT;
    c->bbr_rest = (struct tcp_bbr_rest){
        .bw = (units < BBR_REST_MAX ? (unsigned)units : BBR_REST_MAX) & BBR_REST_MAX,
        .full_bw_reached = b->full_bw_reached,
        .inflight_longterm = b->inflight_longterm,
    };
}

uint32_t bbr_min_pipe(const struct tcp_connection *c)
{
    return BBR_MIN_PIPE_SEGMENTS * (uint32_t)c->mss;
}

static uint32_t volume(uint64_t octets)
{
    return octets < TCP_CWND_MAX ? (uint32_t)octets : TCP_CWND_MAX;
}

/* §5.6.4.2, BDPMultiple() */
uint32_t bbr_bdp(const struct tcp_connection *c, uint64_t bw, unsigned gain)
{
    const struct tcp_bbr *b = bbr_of(c);
    if (b->min_rtt == BBR_NO_RTT)
        return tcp_initial_window(c);
    uint32_t rtt = b->min_rtt > 0 ? b->min_rtt : 1;
    uint64_t most = (uint64_t)TCP_CWND_MAX * USEC_PER_SEC / rtt;
    uint64_t bdp = (bw < most ? bw : most) * rtt / USEC_PER_SEC;
    return volume(bbr_part(bdp, gain));
}

/* QuantizationBudget(): three quanta (§5.5.8), and as much as keeps delayed acknowledgements coming. */
static uint32_t quantized(const struct tcp_connection *c, uint32_t cap)
{
    uint32_t budget = 3 * tcp_pacing_burst(c);
    if (cap < budget)
        cap = budget;
    if (cap < bbr_min_pipe(c))
        cap = bbr_min_pipe(c);
    if (bbr_of(c)->phase == BBR_PROBE_UP)
        cap += 2 * (uint32_t)c->mss;
    return cap;
}

uint32_t bbr_inflight(const struct tcp_connection *c, uint64_t bw, unsigned gain)
{
    return quantized(c, bbr_bdp(c, bw, gain));
}

uint32_t bbr_max_inflight(const struct tcp_connection *c)
{
    const struct tcp_bbr *b = bbr_of(c);
    uint32_t extra = b->extra_acked[0] > b->extra_acked[1] ? b->extra_acked[0] : b->extra_acked[1];
    uint64_t cap = (uint64_t)bbr_bdp(c, b->bw, bbr_cwnd_gain(b)) + extra;
    return quantized(c, volume(cap));
}

uint32_t bbr_target_inflight(const struct tcp_connection *c)
{
    uint32_t bdp = bbr_bdp(c, bbr_of(c)->bw, 100);
    return bdp < c->cwnd ? bdp : c->cwnd;
}

uint32_t bbr_inflight_with_headroom(const struct tcp_connection *c)
{
    uint32_t most = bbr_of(c)->inflight_longterm;
    if (most == BBR_NO_VOLUME)
        return BBR_NO_VOLUME;
    uint32_t headroom = (uint32_t)bbr_part(most, BBR_HEADROOM);
    if (headroom < c->mss)
        headroom = c->mss;
    uint32_t rest = most > headroom ? most - headroom : 0;
    return rest > bbr_min_pipe(c) ? rest : bbr_min_pipe(c);
}

/* §5.5.10.3, UpdateLatestDeliverySignals() */
void bbr_update_latest(struct tcp_connection *c, const struct bbr_sample *rs)
{
    struct tcp_bbr *b = bbr_of(c);
    b->loss_round_start = false;
    if (!rs->valid)
        return;
    if (b->bw_latest < rs->delivery_rate)
        b->bw_latest = rs->delivery_rate;
    if (b->inflight_latest < rs->delivered)
        b->inflight_latest = rs->delivered;
    if (rs->rtt >= 0 && rs->rtt < (usec)b->round_rtt)
        b->round_rtt = (uint32_t)rs->rtt;
    if ((int32_t)(rs->prior_delivered - b->loss_round_delivered) >= 0) {
        b->loss_round_delivered = tcp_delivered(c);
        b->loss_round_start = true;
    }
}

void bbr_advance_latest(struct tcp_connection *c, const struct bbr_sample *rs)
{
    struct tcp_bbr *b = bbr_of(c);
    if (!b->loss_round_start)
        return;
    b->bw_latest = rs->delivery_rate;
    b->inflight_latest = rs->delivered;
    b->round_rtt = rs->rtt >= 0 ? (uint32_t)usec_min(rs->rtt, TCP_RTT_MAX) : BBR_NO_RTT;
    b->losses = 0;
}

/* §5.5.1, UpdateRound() */
static void update_round(struct tcp_connection *c, const struct bbr_sample *rs)
{
    struct tcp_bbr *b = bbr_of(c);
    b->round_start = rs->valid && (int32_t)(rs->prior_delivered - b->next_round_delivered) >= 0;
    if (!b->round_start)
        return;
    bbr_start_round(c);
    b->round_count++;
    if (b->rounds_since_probe_up < UINT8_MAX)
        b->rounds_since_probe_up++;
}

/* §5.5.5. What the application kept low says nothing, unless it is more than was known. */
static void update_max_bw(struct tcp_connection *c, const struct bbr_sample *rs)
{
    struct tcp_bbr *b = bbr_of(c);
    update_round(c, rs);
    if (rs->delivery_rate == 0 || (rs->app_limited && rs->delivery_rate < b->max_bw))
        return;
    if (b->max_bw_filter[1] < rs->delivery_rate)
        b->max_bw_filter[1] = rs->delivery_rate;
    b->max_bw = b->max_bw_filter[0] > b->max_bw_filter[1] ? b->max_bw_filter[0]
                                                         : b->max_bw_filter[1];
}

/* §5.5.6. A cycle that has seen nothing to rely on is none. */
void bbr_advance_max_bw(struct tcp_bbr *b)
{
    if (b->max_bw_filter[1] == 0)
        return;
    b->max_bw_filter[0] = b->max_bw_filter[1];
    b->max_bw_filter[1] = 0;
    b->max_bw = b->max_bw_filter[0];
}

/* Was it chance, rather than a queue that ran over? */
static bool loss_is_chance(const struct tcp_connection *c, const struct bbr_sample *rs)
{
    const struct tcp_bbr *b = bbr_of(c);
    uint32_t slack = b->min_rtt / 8 > USEC_PER_MSEC ? b->min_rtt / 8 : USEC_PER_MSEC;
    bool draining = b->phase == BBR_DRAIN || b->phase == BBR_PROBE_DOWN; /* a queue of our own */
    bool queue = b->round_rtt == BBR_NO_RTT ||
                 (b->round_rtt > b->min_rtt + slack && !draining);
    bool much = rs->lost > c->mss && bbr_inflight_too_high(c, rs->lost, rs->tx_in_flight);
    return !queue && !b->marked_in_round && !much;
}

/* §5.5.10.3, AdaptLowerBoundsFromCongestion(): towards what the last round has delivered. */
static void adapt_lower_bounds(struct tcp_connection *c, const struct bbr_sample *rs)
{
    struct tcp_bbr *b = bbr_of(c);
    if (b->phase == BBR_STARTUP || b->phase == BBR_PROBE_REFILL || b->phase == BBR_PROBE_UP ||
        !b->is_loss_in_round || loss_is_chance(c, rs))
        return;
    if (b->bw_shortterm == BBR_NO_RATE)
        b->bw_shortterm = b->max_bw;
    if (b->inflight_shortterm == BBR_NO_VOLUME)
        b->inflight_shortterm = c->cwnd;
    uint64_t bw = bbr_part(b->bw_shortterm, BBR_BETA);
    uint32_t inflight = (uint32_t)bbr_part(b->inflight_shortterm, BBR_BETA);
    b->bw_shortterm = b->bw_latest > bw ? b->bw_latest : bw;
    b->inflight_shortterm = b->inflight_latest > inflight ? b->inflight_latest : inflight;
}

void bbr_update_congestion(struct tcp_connection *c, const struct bbr_sample *rs)
{
    struct tcp_bbr *b = bbr_of(c);
    update_max_bw(c, rs);
    if (!b->loss_round_start)
        return;
    adapt_lower_bounds(c, rs);
    b->is_loss_in_round = false;
    b->marked_in_round = false;
}

/* §5.5.10.2, NoteLoss() */
void bbr_note_loss(struct tcp_connection *c)
{
    struct tcp_bbr *b = bbr_of(c);
    if (!b->is_loss_in_round)
        b->loss_round_delivered = tcp_delivered(c);
    b->is_loss_in_round = true;
}

/* The slot that is filled now, the older one forgotten when it has been filled long enough. */
static uint32_t *extra_acked_slot(struct tcp_bbr *b)
{
    unsigned rounds = b->full_bw_reached ? BBR_EXTRA_ACKED_ROUNDS : 1;
    if (b->round_start && ++b->extra_acked_rounds >= rounds) {
        b->extra_acked_rounds = 0;
        b->extra_acked_slot ^= 1;
        b->extra_acked[b->extra_acked_slot] = 0;
    }
    return &b->extra_acked[b->extra_acked_slot];
}

/* §5.5.9, UpdateACKAggregation() */
void bbr_update_aggregation(struct tcp_connection *c, const struct bbr_sample *rs)
{
    struct tcp_bbr *b = bbr_of(c);
    usec interval = usec_min(c->stack->now - b->extra_acked_interval_start, USEC_PER_HOUR);
    uint64_t expected = b->bw / 1000 * (uint64_t)interval / 1000;
    if (b->extra_acked_delivered <= expected) {
        b->extra_acked_delivered = 0;
        b->extra_acked_interval_start = c->stack->now;
        expected = 0;
    }
    b->extra_acked_delivered = volume((uint64_t)b->extra_acked_delivered + rs->newly_acked);
    uint64_t extra = b->extra_acked_delivered > expected ? b->extra_acked_delivered - expected : 0;
    if (extra > c->cwnd)
        extra = c->cwnd;
    uint32_t *slot = extra_acked_slot(b);
    if (*slot < extra)
        *slot = (uint32_t)extra;
}

/* §5.3.4.3, UpdateMinRTT() */
void bbr_update_min_rtt(struct tcp_connection *c, const struct bbr_sample *rs)
{
    struct tcp_bbr *b = bbr_of(c);
    usec now = c->stack->now;
    b->probe_rtt_expired = now > b->probe_rtt_min_stamp + BBR_PROBE_RTT_INTERVAL;
    if (rs->rtt >= 0 && (rs->rtt < (usec)b->probe_rtt_min_delay || b->probe_rtt_expired)) {
        b->probe_rtt_min_delay = (uint32_t)usec_min(rs->rtt, TCP_RTT_MAX);
        b->probe_rtt_min_stamp = now;
    }
    bool expired = now > b->min_rtt_stamp + BBR_MIN_RTT_FILTER;
    if (b->probe_rtt_min_delay < b->min_rtt || expired) {
        b->min_rtt = b->probe_rtt_min_delay;
        b->min_rtt_stamp = b->probe_rtt_min_stamp;
    }
}
