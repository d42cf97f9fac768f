/* SPDX-License-Identifier: ISC */
/*
 * internal.h - how the files of stack/tcp/ call each other. What they work on is in tcp_state.h.
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

#include "stack/tcp/tcp_state.h"

/* ---- tcp_table.c ---- */
void *tcp_alloc(struct stack *stack, enum tcp_cache_kind kind); /* not zeroed; NULL: no memory */
void tcp_free(struct stack *stack, enum tcp_cache_kind kind, void *block);
static inline uint32_t tcp_hash(const struct stack *stack, const struct endpoint *local,
                                const struct endpoint *remote)
{
    return stack_pair_hash(stack, local, remote);
}
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
struct seq tcp_initial_sequence(const struct stack *stack, const struct endpoint *local,
                                const struct endpoint *remote, uint32_t *ts_offset);
MUST_USE bool tcp_choose_port(struct stack *stack, struct endpoint *local,
                              const struct endpoint *remote);

/* ---- tcp_group.c ---- */
void tcp_groups_init(struct stack *stack);
/* At that very endpoint; and who takes what is for it: those for any address too. NULL: nobody. */
struct tcp_group *tcp_group_at(const struct stack *stack, const struct endpoint *local);
struct tcp_group *tcp_find_group(const struct stack *stack, const struct endpoint *local);
/* Its listener for a connection of that tcp_hash(). */
struct tcp_listener *tcp_group_choose(const struct tcp_group *group, uint32_t hash);
struct tcp_listener *tcp_find_listener(const struct stack *stack, const struct endpoint *local,
                                       uint32_t hash, bool foreign);
bool tcp_group_shared(const struct tcp_group *group); /* do all members say so? */
/* False: too many, or no memory. Whether it may join was asked before. */
MUST_USE bool tcp_listener_add(struct tcp_listener *listener);
void tcp_listener_remove(struct tcp_listener *listener);

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
/* Is the SYN queue of the listener's group full? */
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
void tcp_half_open_refuse_all(struct tcp_group *group);
void tcp_half_open_adopt(struct tcp_group *group); /* which is new */

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
/* The connection has been idle for long: gives it back, if nothing in it must outlive that. */
void tcp_extra_rest(struct tcp_connection *c);
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

/* ---- tcp_idle.c ---- */
void tcp_watch_begin(struct tcp_connection *c, struct tcp_watch *watch, enum tcp_watched what);
void tcp_watch_end(struct tcp_watch *watch); /* the block goes */
void tcp_watch_timer(struct stack *stack);

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
