/* SPDX-License-Identifier: ISC */
/*
 * tcp_time_wait.c - TIME-WAIT (RFC 9293 §3.6.1) as an entry: what comes is answered as §3.10.7.4
 * wants, a RST does not end it (RFC 1337), and a successor may come early where timestamps or
 * sequence numbers tell it from what is left on the way (RFC 6191).
 */
#include "stack/tcp/internal.h"

#define REUSE_AGE USEC_PER_SEC /* the timestamps' clock has surely gone on */

static void freeze(const struct tcp_connection *c, struct tcp_entry *entry)
{
    uint32_t largest = c->snd_wnd_max >> c->snd_scale;
    if (largest << c->snd_scale < c->snd_wnd_max)
        largest++;
    entry->snd_scale = c->snd_scale & 15;
    entry->rcv_scale = c->rcv_scale & 15;
    entry->sack = c->sack;
    entry->timestamps = c->timestamps;
    entry->ts_recent = c->ts_recent;
    entry->u.wait.snd_nxt = c->snd_nxt.n;
    entry->u.wait.rcv_nxt = c->rcv_nxt.n;
    entry->u.wait.rcv_window = (uint16_t)(tcp_window_offered(c) >> c->rcv_scale);
    entry->u.wait.snd_window_max = (uint16_t)(largest < UINT16_MAX ? largest : UINT16_MAX);
}

static void thaw(struct tcp_draft *draft, struct stack *stack, const struct tcp_entry *entry)
{
    struct tcp_connection *c = &draft->c;
    tcp_draft_thaw(draft, stack, &stack->tcp->profile, entry);
    c->state = TCP_TIME_WAIT;
    c->shutdown = c->fin_sent = c->fin_received = true;
    c->snd_scale = entry->snd_scale;
    c->rcv_scale = entry->rcv_scale;
    c->sack = entry->sack;
    c->timestamps = entry->timestamps;
    c->ts_recent = entry->ts_recent;
    c->ts_recent_at = stack->now - tcp_entry_age(stack, entry);
    c->snd_nxt = c->snd_una = c->snd_wl2 = seq_of(entry->u.wait.snd_nxt);
    c->snd_end = seq_subtract(c->snd_nxt, 1);
    c->snd_wnd = c->snd_wnd_max = (uint32_t)entry->u.wait.snd_window_max << entry->snd_scale;
    c->rcv_nxt = c->last_ack_sent = seq_of(entry->u.wait.rcv_nxt);
    c->snd_wl1 = c->rcv_nxt;
    c->rcv_adv = seq_add(c->rcv_nxt, (uint32_t)entry->u.wait.rcv_window << entry->rcv_scale);
    c->receive_buffer = 0; /* the window stays as it was told */
}

void tcp_time_wait_new(struct tcp_connection *c)
{
    struct stack *stack = c->stack;
    if (stack->tcp->entries.time_wait >= TCP_TIME_WAIT_MAX) {
        stack->counters.tcpTimeWaitOverflow++;
        tcp_time_wait_over(stack, tcp_entry_first(stack, TCP_ROW_TIME_WAIT));
    }
    struct tcp_entry *entry =
        tcp_entry_new(stack, c->hash, &c->local, &c->remote, TCP_ROW_TIME_WAIT);
    if (entry != NULL)
        freeze(c, entry);
    else
        stack->counters.tcpTimeWaitOverflow++;
}

void tcp_time_wait_over(struct stack *stack, struct tcp_entry *entry)
{
    struct tcp_draft draft;
    thaw(&draft, stack, entry);
    tcp_set_state(&draft.c, TCP_CLOSED);
    tcp_entry_free(stack, tcp_entry_hash(stack, entry), entry);
}

/* RFC 6191 §2, RFC 9293 §3.6.1 (MAY-2): is the SYN surely newer than all of the connection before? */
static bool newer(const struct tcp_draft *draft, const struct tcp_segment *seg)
{
    const struct tcp_connection *c = &draft->c;
    const struct tcp_options *options = &seg->header.options;
    bool beyond = seq_after(seg->seq, c->rcv_nxt);
    if (!c->profile->timestamps || !(options->present & TCP_HAS_TIMESTAMPS))
        return beyond;
    if (!c->timestamps) /* a segment without any cannot be taken for one of the new connection */
        return true;
    int32_t later = (int32_t)(options->timestamp_value - c->ts_recent);
    return later > 0 || (later == 0 && beyond);
}

/* Numbers of a successor begin here. */
static struct seq beyond_all(const struct tcp_entry *entry)
{
    return seq_add(seq_of(entry->u.wait.snd_nxt), 65535);
}

/* A SYN that may open a successor. True: it did, and the entry is gone. */
static bool reused(struct stack *stack, struct tcp_entry *entry, const struct tcp_draft *draft,
                   struct tcp_segment *seg)
{
    if ((seg->header.flags & (TCP_SYN | TCP_ACK | TCP_RST)) != TCP_SYN || !newer(draft, seg))
        return false;
    struct tcp_listener *listener =
        tcp_find_listener(stack, &draft->c.local, seg->hash, seg->packet->foreign);
    if (listener == NULL)
        return false;
    struct seq after = beyond_all(entry);
    stack->counters.tcpTimeWaitReused++;
    tcp_time_wait_over(stack, entry);
    tcp_listen_arrives(listener, seg, &after);
    return true;
}

void tcp_time_wait_arrives(struct stack *stack, struct tcp_entry *entry, struct tcp_segment *seg)
{
    struct tcp_draft draft;
    struct tcp_path path;
    thaw(&draft, stack, entry);
    if (reused(stack, entry, &draft, seg))
        return;
    if (tcp_segment_may_speak(&draft.c, seg) == TCP_CONTINUE)
        tcp_segment_speaks(&draft.c, seg);
    tcp_draft_end(&draft);
    if (draft.c.purpose == TCP_TIMER_TIME_WAIT)
        tcp_entry_wait(stack, entry, TCP_ROW_TIME_WAIT);
    tcp_draft_freeze(&draft, entry);
    if (!draft.c.ack_now)
        return;
    tcp_draft_complete(&draft);
    if (tcp_path_find(&draft.c, &path))
        (void)!tcp_transmit_ack(&draft.c, &path, draft.c.snd_nxt);
}

bool tcp_time_wait_may_be_reused(const struct stack *stack, const struct tcp_entry *entry)
{
    const struct tcp_profile *profile = &stack->tcp->profile;
    return entry->row == TCP_ROW_TIME_WAIT && profile->time_wait_reuse && profile->timestamps &&
           entry->timestamps && tcp_entry_age(stack, entry) > REUSE_AGE;
}

struct seq tcp_time_wait_reuse(struct stack *stack, struct tcp_entry *entry)
{
    struct seq after = beyond_all(entry);
    stack->counters.tcpTimeWaitReused++;
    tcp_time_wait_over(stack, entry);
    return after;
}
