/* SPDX-License-Identifier: ISC */
/*
 * tcp_half_open.c - the SYN queue (RFC 4987 §3.2): connections in SYN-RECEIVED that came to a
 * listener, as entries. The acknowledgement of our SYN makes a connection of one. An entry belongs
 * to the group of listeners that tcp_find_group() finds for it, and is dealt with as the member wishes
 * that tcp_group_choose() names: it may be another one after a member has come or gone.
 *
 * Connections whose SYN was intercepted, that have taken text of it, or that were opened from both
 * sides, are struct tcp_connection in this state too.
 */
#include "stack/tcp/internal.h"

enum { VICTIM_STEPS = 32 };

static void freeze(const struct tcp_connection *c, struct tcp_entry *entry)
{
    entry->snd_scale = c->snd_scale & 15;
    entry->rcv_scale = c->rcv_scale & 15;
    entry->sack = c->sack;
    entry->timestamps = c->timestamps;
    entry->scaling = c->scaling;
    entry->ts_recent = c->ts_recent;
    entry->u.syn.irs = c->irs.n;
    entry->u.syn.iss = c->iss.n;
    entry->u.syn.peer_mss = c->peer_mss;
    entry->u.syn.cookie_granted = c->cookie_granted;
    entry->u.syn.cookie_experimental = c->cookie_experimental;
    entry->u.syn.ecn = c->ecn;
    entry->u.syn.ecn_marks = c->ecn_marks;
}

/* Into a connection that has its endpoints, its profile and its listener. */
static void thaw(const struct tcp_entry *entry, struct tcp_connection *c)
{
    c->passive = true;
    c->snd_scale = entry->snd_scale;
    c->rcv_scale = entry->rcv_scale;
    c->sack = entry->sack;
    c->timestamps = entry->timestamps;
    c->scaling = entry->scaling;
    c->ts_recent = entry->ts_recent;
    c->ts_recent_at = c->stack->now;
    c->irs = seq_of(entry->u.syn.irs);
    c->iss = seq_of(entry->u.syn.iss);
    c->peer_mss = entry->u.syn.peer_mss;
    c->cookie_granted = entry->u.syn.cookie_granted;
    c->cookie_experimental = entry->u.syn.cookie_experimental;
    c->ecn = entry->u.syn.ecn;
    c->ecn_marks = entry->u.syn.ecn_marks;
    c->syn_forgotten = entry->u.syn.forgotten;
    c->syn_deferred = entry->u.syn.acked;
    c->retries = entry->u.syn.retries;
    c->last_sent_at = c->stack->now - tcp_entry_age(c->stack, entry);
    c->last_received_at = c->stack->now;
    tcp_open_sending(c);
    c->rcv_nxt = seq_add(c->irs, 1);
    c->last_ack_sent = c->rcv_nxt;
    c->snd_wl1 = c->irs;
    c->rcv_adv = seq_add(c->rcv_nxt, tcp_syn_ack_window(c));
}

static void thaw_draft(struct tcp_draft *draft, struct tcp_listener *listener,
                       const struct tcp_entry *entry)
{
    tcp_draft_thaw(draft, listener->stack, listener->profile, entry);
    draft->c.listener = listener;
    draft->c.state = TCP_SYN_RECEIVED;
    thaw(entry, &draft->c);
}

void tcp_half_open_answer(struct tcp_draft *draft)
{
    struct tcp_path path;
    if (tcp_path_find(&draft->c, &path)) /* without a route: the timer asks again */
        (void)!tcp_transmit_syn(&draft->c, &path);
}

/* Of an entry, whose draft has only what a segment is looked at with. */
static void answer_again(struct tcp_draft *draft, struct tcp_entry *entry)
{
    tcp_draft_complete(draft);
    tcp_half_open_answer(draft);
    freeze(&draft->c, entry);
}

static struct tcp_group *group_of(const struct stack *stack, const struct tcp_entry *entry)
{
    struct endpoint local = tcp_entry_local(entry);
    struct tcp_group *group = tcp_find_group(stack, &local);
    ASSERT(group != NULL && group->half_open > 0);
    return group;
}

static struct tcp_listener *listener_of(const struct stack *stack, const struct tcp_entry *entry)
{
    const struct tcp_group *group = group_of(stack, entry);
    return group->count == 1 ? group->members[0]
                             : tcp_group_choose(group, tcp_entry_hash(stack, entry));
}

static void forget(struct tcp_listener *listener, uint32_t hash, struct tcp_entry *entry)
{
    listener->group->half_open--;
    tcp_entry_free(listener->stack, hash, entry);
}

/* It comes to nothing. */
static void give_up(struct tcp_listener *listener, struct tcp_entry *entry, bool reset)
{
    struct tcp_draft draft;
    thaw_draft(&draft, listener, entry);
    if (reset)
        tcp_reset_connection(&draft.c);
    tcp_set_state(&draft.c, TCP_CLOSED);
    tcp_draft_end(&draft);
    forget(listener, tcp_entry_hash(listener->stack, entry), entry);
}

/* ---- room ---- */

/* The oldest of that group, or of all. Where others have filled the queues it may not be found
 * soon, and the newest goes instead. */
static struct tcp_entry *oldest(struct stack *stack, const struct tcp_group *group)
{
    unsigned steps = 0;
    for (unsigned row = TCP_ROW_HALF_OPEN; row <= TCP_ROW_HALF_OPEN_LAST; row++) {
        struct tcp_entry *entry = tcp_entry_first(stack, row);
        for (; entry != NULL && steps < VICTIM_STEPS; entry = tcp_entry_next(stack, entry)) {
            if (group == NULL || group_of(stack, entry) == group)
                return entry;
            steps++;
        }
    }
    return NULL;
}

/* RFC 4987 §3.5: recycles the oldest, where cookies are not wanted. */
static bool make_room(struct tcp_listener *listener)
{
    struct stack *stack = listener->stack;
    bool full = stack->tcp->entries.half_open >= TCP_HALF_OPEN_MAX;
    if (!full && !tcp_half_open_full(listener))
        return true;
    struct tcp_entry *victim = oldest(stack, full ? NULL : listener->group);
    stack->counters.tcpReqQFullDrop++;
    if (victim == NULL)
        return false;
    give_up(listener_of(stack, victim), victim, false);
    return true;
}

bool tcp_half_open_full(const struct tcp_listener *listener)
{
    return listener->group->half_open >= listener->group->backlog;
}

/* How long the next acknowledgement of a SYN,ACK that was sent again so often is waited for. */
static usec timeout_of(const struct tcp_listener *listener, unsigned retries)
{
    const struct tcp_profile *profile = listener->profile;
    usec timeout = profile->rto_initial;
    for (; retries > 0 && timeout < profile->rto_max; retries--)
        timeout *= 2;
    return usec_min(timeout, profile->rto_max);
}

/* ---- segments ---- */

void tcp_half_open_new(struct tcp_listener *listener, const struct tcp_segment *seg,
                       const struct seq *after, bool grant)
{
    struct stack *stack = listener->stack;
    struct endpoint local = {seg->packet->target, seg->header.target_port};
    struct endpoint remote = {seg->packet->source, seg->header.source_port};
    struct tcp_draft draft;
    struct tcp_connection *c = &draft.c;
    tcp_draft_begin(&draft, stack, listener->profile, &local, &remote);
    c->listener = listener;
    c->passive = true;
    c->iss = tcp_initial_sequence(stack, &local, &remote, &c->ts_offset);
    /* RFC 6191 §2: the numbers of a successor begin beyond those of its predecessor. */
    if (after != NULL && seq_before(c->iss, *after))
        c->iss = *after;
    tcp_take_syn_options(c, &seg->header);
    tcp_ecn_take_syn(c, seg);
    c->cookie_granted = grant;
    c->cookie_experimental = seg->header.options.cookie_experimental;
    tcp_destination_recall_path(c);
    tcp_open_sending(c);
    if (after == NULL && tcp_syn_cookie_wanted(listener)) {
        tcp_syn_cookie_send(&draft);
        return;
    }
    struct tcp_entry *entry = NULL;
    if (make_room(listener))
        entry = tcp_entry_new(stack, seg->hash, &local, &remote, tcp_entry_row(stack, timeout_of(listener, 0)));
    if (entry == NULL) {
        stack_drop(stack, DROP_TCP_BACKLOG, seg->packet->frame);
        return;
    }
    listener->group->half_open++;
    freeze(c, entry);
    tcp_set_state(c, TCP_SYN_RECEIVED);
    tcp_half_open_answer(&draft);
    tcp_draft_end(&draft);
}

/* A connection of what the entry knows, which may be in no row. NULL: no room, or no memory. */
static struct tcp_connection *grow_up(struct tcp_listener *listener,
                                      const struct tcp_entry *entry,
                                      const struct tcp_segment *seg)
{
    struct stack *stack = listener->stack;
    struct endpoint local = tcp_entry_local(entry);
    struct endpoint remote = tcp_entry_remote(entry);
    if (listener->count >= listener->backlog) { /* as Linux: the ACK comes again, or text */
        stack->counters.tcpListenOverflows++;
        stack_drop(stack, DROP_TCP_BACKLOG, seg->packet->frame);
        return NULL;
    }
    struct tcp_connection *c = tcp_connection_new(stack, &local, &remote);
    if (c == NULL) {
        stack_drop(stack, DROP_TCP_LIMIT, seg->packet->frame);
        return NULL;
    }
    c->listener = listener;
    listener->count++;
    tcp_profile_inherit(c, listener);
    tcp_destination_recall_path(c);
    thaw(entry, c);
    c->segments_out = 1u + c->retries;
    c->retransmits = c->retries;
    c->syn_retransmits = c->retries;
    c->timeouts = c->retries;
    return c;
}

/* How often the timeout may come before an acknowledgement without text is enough, as on Linux: at least
 * as long as the listener wishes. */
static unsigned deferrals(const struct tcp_listener *listener)
{
    usec until = 0;
    unsigned count = 0;
    for (; until < listener->profile->defer_accept && count < UINT8_MAX; count++)
        until += timeout_of(listener, count);
    return count;
}

/* Is it to be waited for text? */
static bool defers(const struct tcp_listener *listener, struct tcp_entry *entry,
                   const struct tcp_segment *seg)
{
    if (LIKELY(listener->profile->defer_accept == 0) || seg->text.len > 0 || seg->fin ||
        entry->u.syn.retries >= deferrals(listener))
        return false;
    entry->u.syn.acked = true;
    return true;
}

/* Its ACK is good. False: it must wait. */
static bool complete(struct tcp_listener *listener, struct tcp_entry *entry,
                     struct tcp_segment *seg)
{
    struct tcp_connection *c = grow_up(listener, entry, seg);
    if (c == NULL)
        return false;
    forget(listener, seg->hash, entry);
    c->state = TCP_SYN_RECEIVED; /* of which was told when the entry was made */
    tcp_segment_speaks(c, seg);
    return true;
}

bool tcp_half_open_by_cookie(struct tcp_listener *listener, struct tcp_segment *seg)
{
    struct tcp_entry entry;
    if (!tcp_syn_cookie_check(listener, seg, &entry))
        return false;
    struct tcp_connection *c = grow_up(listener, &entry, seg);
    if (c == NULL)
        return true;
    tcp_set_state(c, TCP_SYN_RECEIVED);
    tcp_segment_speaks(c, seg);
    return true;
}

void tcp_half_open_arrives(struct stack *stack, struct tcp_entry *entry, struct tcp_segment *seg)
{
    struct tcp_listener *listener = listener_of(stack, entry);
    struct tcp_draft draft;
    struct tcp_connection *c = &draft.c;
    if (tcp_comes_too_far(stack, listener->profile, seg))
        return;
    thaw_draft(&draft, listener, entry);
    enum tcp_verdict verdict = tcp_segment_may_speak(c, seg);
    tcp_draft_end(&draft);
    if (c->state == TCP_CLOSED) {
        forget(listener, seg->hash, entry);
        return;
    }
    if (c->syn_wanted || c->ack_now)
        answer_again(&draft, entry);
    tcp_draft_freeze(&draft, entry);
    if (verdict == TCP_STOP)
        return;
    if (!(seg->header.flags & TCP_ACK)) {
        stack_drop(stack, DROP_TCP_BAD_ACK, seg->packet->frame);
    } else if (!seq_equal(seg->ack, c->snd_nxt)) {
        stack_drop(stack, DROP_TCP_BAD_ACK, seg->packet->frame);
        tcp_reset_segment(stack, seg);
    } else if (!defers(listener, entry, seg)) {
        (void)complete(listener, entry, seg);
    }
}

/* A stranger would have to guess the number of our SYN (RFC 5927 §4.1). */
void tcp_half_open_unreachable(struct stack *stack, struct tcp_entry *entry, struct seq seq)
{
    struct tcp_listener *listener = listener_of(stack, entry);
    if (listener->profile->half_open_unreachable && seq.n == entry->u.syn.iss)
        give_up(listener, entry, false);
}

/* ---- time, and the end of the listener ---- */

void tcp_half_open_timed_out(struct stack *stack, struct tcp_entry *entry)
{
    struct tcp_listener *listener = listener_of(stack, entry);
    struct tcp_draft draft;
    unsigned deferred = entry->u.syn.acked ? deferrals(listener) : 0;
    if (entry->u.syn.retries >= listener->profile->syn_ack_retries &&
        entry->u.syn.retries >= deferred) {
        stack->counters.tcpTimeouts++;
        give_up(listener, entry, false);
        return;
    }
    unsigned retries = ++entry->u.syn.retries;
    tcp_entry_wait(stack, entry, tcp_entry_row(stack, timeout_of(listener, retries)));
    if (retries < deferred)
        return; /* it has answered; when the time is over, it is asked once more */
    thaw_draft(&draft, listener, entry);
    tcp_count_timeout(&draft.c);
    tcp_count_retransmitted(&draft.c, 0);
    answer_again(&draft, entry);
    tcp_draft_end(&draft);
}

void tcp_half_open_refuse_all(struct tcp_group *group)
{
    struct tcp_listener *listener = group->members[0];
    struct stack *stack = listener->stack;
    for (unsigned row = 0; row <= TCP_ROW_HALF_OPEN_LAST && group->half_open > 0; row++) {
        struct tcp_entry *next;
        for (struct tcp_entry *entry = tcp_entry_first(stack, row); entry != NULL; entry = next) {
            next = tcp_entry_next(stack, entry);
            if (group_of(stack, entry) == group)
                give_up(listener, entry, true);
        }
    }
}

/* Those of the group for any address that the new one is nearer to. */
void tcp_half_open_adopt(struct tcp_group *group)
{
    struct stack *stack = group->members[0]->stack;
    struct endpoint any = {address_any_v6(), group->local.port};
    struct tcp_group *wide = tcp_group_at(stack, &any);
    if (wide == NULL || wide == group || wide->half_open == 0)
        return;
    for (unsigned row = 0; row <= TCP_ROW_HALF_OPEN_LAST; row++) {
        struct tcp_entry *entry = tcp_entry_first(stack, row);
        for (; entry != NULL; entry = tcp_entry_next(stack, entry)) {
            struct endpoint local = tcp_entry_local(entry);
            if (!endpoint_equal(&local, &group->local))
                continue;
            wide->half_open--;
            group->half_open++;
        }
    }
}
