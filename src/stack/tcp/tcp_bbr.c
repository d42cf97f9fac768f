/* SPDX-License-Identifier: ISC */
/*
 * tcp_bbr.c - BBR (draft-ietf-ccwg-bbr): sends as fast as the path has been seen to deliver, and keeps
 * about as much under way as fits into it without a queue. Loss tells that there is too much when it is
 * more than a 50th; below that it tells nothing.
 *
 * Here is what the rest of TCP calls, and what follows from the model for the window and the rate. What
 * it remembers is a block of its own; without memory for one the window stays as it is, and the next
 * acknowledgement tries again.
 *
 * DEVIATES draft-ietf-ccwg-bbr §3.5: which leaves ECN open: a mark is congestion as loss beyond the
 * threshold is, once in a round trip.
 */
#include "stack/tcp/tcp_bbr.h"

enum { PACING_MARGIN = 1 };

void bbr_save_cwnd(struct tcp_connection *c)
{
    struct tcp_bbr *b = bbr_of(c);
    if ((!b->recovering && b->phase != BBR_PROBE_RTT) || b->prior_cwnd < c->cwnd)
        b->prior_cwnd = c->cwnd;
}

void bbr_restore_cwnd(struct tcp_connection *c)
{
    if (c->cwnd < bbr_of(c)->prior_cwnd)
        c->cwnd = bbr_of(c)->prior_cwnd;
}

/* §5.6.2: before there is a rate, the first window in a round trip. */
static void init_pacing_rate(struct tcp_connection *c)
{
    uint64_t srtt = c->srtt != 0 ? c->srtt / 8 : USEC_PER_MSEC;
    uint64_t nominal = (uint64_t)c->cwnd * USEC_PER_SEC / (srtt > 0 ? srtt : 1);
    bbr_of(c)->pacing_rate = bbr_part(nominal, bbr_pacing_gain(bbr_of(c)));
}

void bbr_set_pacing_rate(struct tcp_connection *c, unsigned gain)
{
    struct tcp_bbr *b = bbr_of(c);
    uint64_t rate = bbr_part(bbr_part(b->bw, gain), 100 - PACING_MARGIN);
    if (rate > 0 && (b->full_bw_reached || rate > b->pacing_rate))
        b->pacing_rate = rate;
}

/* After a rest: as a connection goes on that has been idle (§5.4.1). */
static void recall(struct tcp_connection *c)
{
    bbr_model_recall(c);
    if (c->bbr->full_bw_reached)
        bbr_enter_cruise(c);
    bbr_set_pacing_rate(c, bbr_pacing_gain(c->bbr));
}

static bool begin(struct tcp_connection *c)
{
    if (LIKELY(c->bbr != NULL))
        return true;
    c->bbr = heap_zeroed(&c->stack->heap, sizeof *c->bbr);
    if (c->bbr == NULL)
        return false;
    tcp_watch_begin(c, &c->bbr->watch, TCP_WATCHED_CONGESTION);
    c->bbr->undo_phase = BBR_PHASE_COUNT;
    bbr_model_init(c);
    bbr_enter_startup(c->bbr);
    init_pacing_rate(c);
    if (c->bbr_rest.bw != 0)
        recall(c);
    return true;
}

static void bbr_init(struct tcp_connection *c)
{
    c->ssthresh = TCP_CWND_MAX; /* there is none */
    c->bbr_rest = (struct tcp_bbr_rest){0};
    (void)!begin(c);
}

static void bbr_done(struct tcp_connection *c)
{
    if (c->bbr != NULL)
        tcp_watch_end(&c->bbr->watch);
    heap_release(&c->stack->heap, c->bbr, sizeof *c->bbr);
    c->bbr = NULL;
}

static void bbr_rest(struct tcp_connection *c)
{
    if (c->bbr->phase == BBR_PROBE_RTT || c->bbr->recovering)
        bbr_restore_cwnd(c);
    bbr_model_rest(c);
    bbr_done(c);
}

static uint64_t bbr_pacing_rate(const struct tcp_connection *c)
{
    if (LIKELY(c->bbr != NULL))
        return c->bbr->pacing_rate;
    return c->bbr_rest.bw != 0 ? (uint64_t)c->bbr_rest.bw * BBR_REST_UNIT : UINT64_MAX;
}

static void take_sample(const struct tcp_connection *c, const struct tcp_ack_event *event,
                        struct bbr_sample *rs)
{
    *rs = (struct bbr_sample){
        .newly_acked = event->delivered,
        .inflight = tcp_pipe(c),
        .rtt = -1,
        .valid = event->rate_sampled,
        .marked = event->ecn,
    };
    if (!rs->valid)
        return;
    rs->delivered = event->rate_octets;
    rs->prior_delivered = event->rate_prior;
    rs->tx_in_flight = event->rate_in_flight;
    rs->lost = c->sending->found_lost - event->rate_lost;
    rs->app_limited = event->rate_app_limited;
    rs->rtt = event->rate_rtt;
    /* §4.1.2.3: what took less than a round trip was not measured well. */
    if (event->rate_interval > 0 && event->rate_interval >= c->min_rtt)
        rs->delivery_rate = (uint64_t)event->rate_octets * USEC_PER_SEC / event->rate_interval;
}

/* §5.6.4.7 */
static void bound_cwnd_for_model(struct tcp_connection *c)
{
    const struct tcp_bbr *b = bbr_of(c);
    uint32_t cap = BBR_NO_VOLUME;
    if (b->phase == BBR_PROBE_RTT || b->phase == BBR_PROBE_CRUISE)
        cap = bbr_inflight_with_headroom(c);
    else if (bbr_in_probe_bw(b))
        cap = b->inflight_longterm;
    if (cap > b->inflight_shortterm)
        cap = b->inflight_shortterm;
    if (cap < bbr_min_pipe(c))
        cap = bbr_min_pipe(c);
    if (c->cwnd > cap)
        c->cwnd = cap;
}

/* §5.6.4.6, SetCwnd() */
static void set_cwnd(struct tcp_connection *c, const struct bbr_sample *rs)
{
    const struct tcp_bbr *b = bbr_of(c);
    uint32_t most = bbr_max_inflight(c);
    uint64_t delivered = c->octets_acknowledged + c->sending->sacked;
    uint32_t grown = c->cwnd + rs->newly_acked;
    if (b->full_bw_reached)
        c->cwnd = grown < most ? grown : most;
    else if (c->cwnd < most || delivered < tcp_initial_window(c))
        c->cwnd = grown;
    if (c->cwnd < bbr_min_pipe(c))
        c->cwnd = bbr_min_pipe(c);
    if (b->phase == BBR_PROBE_RTT && c->cwnd > bbr_probe_rtt_cwnd(c))
        c->cwnd = bbr_probe_rtt_cwnd(c);
    bound_cwnd_for_model(c);
    if (c->cwnd > TCP_CWND_MAX)
        c->cwnd = TCP_CWND_MAX;
}

/* A round trip's first mark (RFC 3168 §6.1.2), as loss beyond the threshold. */
static void heed_mark(struct tcp_connection *c, const struct bbr_sample *rs)
{
    bbr_note_loss(c);
    bbr_of(c)->marked_in_round = true;
    if (rs->valid && bbr_of(c)->is_bw_probe_sample)
        bbr_handle_too_high(c, rs->tx_in_flight, rs->app_limited);
}

/* §5.2.3, UpdateOnACK() */
static void bbr_acked(struct tcp_connection *c, const struct tcp_ack_event *event)
{
    struct bbr_sample rs;
    if (!begin(c))
        return;
    struct tcp_bbr *b = c->bbr;
    if (b->recovering && c->recovery < TCP_RECOVERY) {
        b->recovering = false;
        bbr_restore_cwnd(c); /* §5.6.4.4 */
    }
    if (!b->seen_rtt && c->srtt != 0) {
        b->seen_rtt = true;
        init_pacing_rate(c);
    }
    if (event->delivered == 0 && !event->ecn)
        return;
    take_sample(c, event, &rs);
    if (rs.marked)
        heed_mark(c, &rs);
    bbr_update_latest(c, &rs);
    bbr_update_congestion(c, &rs);
    bbr_update_aggregation(c, &rs);
    bbr_update_phase(c, &rs);
    bbr_update_min_rtt(c, &rs);
    bbr_check_probe_rtt(c, &rs);
    bbr_advance_latest(c, &rs);
    b->bw = b->max_bw < b->bw_shortterm ? b->max_bw : b->bw_shortterm;
    bbr_set_pacing_rate(c, bbr_pacing_gain(b));
    set_cwnd(c, &rs);
}

/* §5.5.10.2, InflightAtLoss(): where in the record did losses become more than the threshold? */
static uint32_t inflight_at_loss(uint32_t size, uint32_t tx_in_flight, uint32_t lost)
{
    uint64_t inflight_prev = tx_in_flight > size ? tx_in_flight - size : 0;
    uint64_t lost_prev = lost > size ? lost - size : 0;
    uint64_t allowed = bbr_part(inflight_prev, BBR_LOSS_THRESHOLD);
    uint64_t prefix = 0;
    if (allowed > lost_prev)
        prefix = (allowed - lost_prev) * 100 / (100 - BBR_LOSS_THRESHOLD);
    return (uint32_t)(inflight_prev + prefix);
}

/* §5.5.10.2, HandleLostPacket() */
static void bbr_lost(struct tcp_connection *c, const struct tcp_sent *sent)
{
    struct tcp_bbr *b = c->bbr;
    if (b == NULL)
        return;
    bbr_note_loss(c);
    bool next = b->losses > 0 && b->lost_any && seq_equal(sent->start, b->lost_end);
    if (!next && b->losses < UINT8_MAX)
        b->losses++;
    b->lost_end = sent->end;
    b->lost_any = true;
    if (!b->is_bw_probe_sample)
        return;
    uint32_t lost = c->sending->found_lost - sent->rate.lost;
    if (bbr_inflight_too_high(c, lost, sent->rate.in_flight)) {
        uint32_t at = inflight_at_loss(tcp_sent_len(sent), sent->rate.in_flight, lost);
        bbr_handle_too_high(c, at, sent->rate.app_limited);
    }
}

/* §5.5.11.1, SaveStateUponLoss() */
static void save_state(struct tcp_connection *c)
{
    struct tcp_bbr *b = c->bbr;
    bbr_save_cwnd(c);
    b->recovering = true;
    b->undo = true;
    b->undo_phase = BBR_PHASE_COUNT;
    b->undo_bw_shortterm = b->bw_shortterm;
    b->undo_inflight_shortterm = b->inflight_shortterm;
    b->undo_inflight_longterm = b->inflight_longterm;
}

/* Loss is to be mended, or a mark was told of: the model knows what that means. */
static uint32_t bbr_ssthresh(struct tcp_connection *c, uint32_t flight, enum tcp_congested by)
{
    (void)flight;
    (void)by;
    if (c->bbr != NULL && c->recovery >= TCP_RECOVERY)
        save_state(c);
    return TCP_CWND_MAX;
}

static void bbr_timed_out(struct tcp_connection *c)
{
    if (c->bbr != NULL)
        save_state(c);
}

/* §5.4.1, HandleRestartFromIdle() */
static void bbr_resumed(struct tcp_connection *c, usec pause)
{
    (void)pause;
    if (!begin(c) || !c->sending->rate.app_limited)
        return;
    struct tcp_bbr *b = c->bbr;
    b->idle_restart = true;
    b->extra_acked_interval_start = c->stack->now;
    b->extra_acked_delivered = 0;
    if (bbr_in_probe_bw(b))
        bbr_set_pacing_rate(c, 100);
    else if (b->phase == BBR_PROBE_RTT)
        bbr_check_probe_rtt_done(c);
}

/* §5.5.11.2, HandleSpuriousLossDetection() */
static void bbr_undo(struct tcp_connection *c)
{
    struct tcp_bbr *b = c->bbr;
    if (b == NULL || !b->undo)
        return;
    b->undo = false;
    b->recovering = false;
    bbr_restore_cwnd(c);
    b->is_loss_in_round = false;
    bbr_reset_full_bw(b);
    if (b->bw_shortterm < b->undo_bw_shortterm)
        b->bw_shortterm = b->undo_bw_shortterm;
    if (b->inflight_shortterm < b->undo_inflight_shortterm)
        b->inflight_shortterm = b->undo_inflight_shortterm;
    if (b->inflight_longterm < b->undo_inflight_longterm)
        b->inflight_longterm = b->undo_inflight_longterm;
    if (b->undo_phase == BBR_STARTUP && b->phase != BBR_STARTUP) {
        b->full_bw_reached = false;
        if (b->phase != BBR_PROBE_RTT)
            bbr_enter_startup(b);
    } else if (b->undo_phase == BBR_PROBE_UP && b->phase != BBR_PROBE_UP &&
               b->phase != BBR_PROBE_RTT) {
        bbr_start_probe_refill(c);
    }
    b->undo_phase = BBR_PHASE_COUNT;
}

const struct tcp_congestion *tcp_bbr(void)
{
    static const struct tcp_congestion bbr = {
        .name = "bbr",
        .own_window = true,
        .init = bbr_init,
        .done = bbr_done,
        .acked = bbr_acked,
        .ssthresh = bbr_ssthresh,
        .timed_out = bbr_timed_out,
        .pacing_rate = bbr_pacing_rate,
        .resumed = bbr_resumed,
        .rest = bbr_rest,
        .undo = bbr_undo,
        .lost = bbr_lost,
    };
    return &bbr;
}
