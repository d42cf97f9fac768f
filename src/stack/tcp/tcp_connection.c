/* SPDX-License-Identifier: ISC */
/*
 * tcp_connection.c - the life of a connection: its birth, its states (RFC 9293 §3.3.2) and its end.
 */
#include "stack/tcp/internal.h"

#define IN(state) (1u << (state))

/* Which states may follow which; checked on every change, so that a wrong edge dies where it is
 * made. The edges to CLOSED are RST, timeouts and the application's abort. */
static const unsigned next_states[] = {
    [TCP_CLOSED] = IN(TCP_SYN_SENT) | IN(TCP_SYN_RECEIVED),
    [TCP_LISTEN] = 0, /* listeners are not connections */
    [TCP_SYN_SENT] = IN(TCP_SYN_RECEIVED) | IN(TCP_ESTABLISHED) | IN(TCP_CLOSED),
    [TCP_SYN_RECEIVED] = IN(TCP_ESTABLISHED) | IN(TCP_CLOSED),
    [TCP_ESTABLISHED] = IN(TCP_FIN_WAIT_1) | IN(TCP_CLOSE_WAIT) | IN(TCP_CLOSED),
    [TCP_FIN_WAIT_1] =
        IN(TCP_FIN_WAIT_2) | IN(TCP_CLOSING) | IN(TCP_TIME_WAIT) | IN(TCP_CLOSED),
    [TCP_FIN_WAIT_2] = IN(TCP_TIME_WAIT) | IN(TCP_CLOSED),
    [TCP_CLOSE_WAIT] = IN(TCP_LAST_ACK) | IN(TCP_CLOSED),
    [TCP_CLOSING] = IN(TCP_TIME_WAIT) | IN(TCP_CLOSED),
    [TCP_LAST_ACK] = IN(TCP_CLOSED),
    [TCP_TIME_WAIT] = IN(TCP_CLOSED),
};
_Static_assert(ARRAY_LEN(next_states) == TCP_STATE_COUNT, "one row per state");

static const char *const state_texts[] = {
    [TCP_CLOSED] = "CLOSED",
    [TCP_LISTEN] = "LISTEN",
    [TCP_SYN_SENT] = "SYN-SENT",
    [TCP_SYN_RECEIVED] = "SYN-RECEIVED",
    [TCP_ESTABLISHED] = "ESTABLISHED",
    [TCP_FIN_WAIT_1] = "FIN-WAIT-1",
    [TCP_FIN_WAIT_2] = "FIN-WAIT-2",
    [TCP_CLOSE_WAIT] = "CLOSE-WAIT",
    [TCP_CLOSING] = "CLOSING",
    [TCP_LAST_ACK] = "LAST-ACK",
    [TCP_TIME_WAIT] = "TIME-WAIT",
};
_Static_assert(ARRAY_LEN(state_texts) == TCP_STATE_COUNT, "one name per state");

const char *tcp_state_text(enum tcp_state state)
{
    return (unsigned)state < TCP_STATE_COUNT ? state_texts[state] : "?";
}

static bool counts_as_established(uint8_t state)
{
    return state == TCP_ESTABLISHED || state == TCP_CLOSE_WAIT; /* RFC 4022 tcpCurrEstab */
}

static void count_change(struct tcp_connection *c, enum tcp_state to)
{
    struct stack_counters *counters = &c->stack->counters;
    counters->tcpCurrEstab -= counts_as_established(c->state);
    counters->tcpCurrEstab += counts_as_established((uint8_t)to);
    if (c->state == TCP_CLOSED && to == TCP_SYN_SENT)
        counters->tcpActiveOpens++;
    else if (c->state == TCP_CLOSED && to == TCP_SYN_RECEIVED)
        counters->tcpPassiveOpens++;
    else if ((c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECEIVED) && to == TCP_CLOSED)
        counters->tcpAttemptFails++;
    else if (counts_as_established(c->state) && to == TCP_CLOSED)
        counters->tcpEstabResets++;
}

void tcp_set_state(struct tcp_connection *c, enum tcp_state state)
{
    ASSERT(next_states[c->state] & IN(state));
    if (stack_traced(c->stack)) {
        struct trace_event event = {.kind = TRACE_TCP_STATE, .at = c->stack->now};
        event.u.tcp_state.local = c->local;
        event.u.tcp_state.remote = c->remote;
        event.u.tcp_state.from = c->state;
        event.u.tcp_state.to = (uint8_t)state;
        c->stack->trace.emit(c->stack->trace.self, &event);
    }
    count_change(c, state);
    c->state = (uint8_t)state;
}

struct tcp_sending *tcp_sending_none(void)
{
    /* Nobody writes to it; the pointer is not const since the same member points to others. */
    static const struct tcp_sending none;
    return (struct tcp_sending *)&none;
}

bool tcp_sending_begin(struct tcp_connection *c)
{
    if (c->sending != tcp_sending_none())
        return true;
    struct tcp_sending *sending = tcp_alloc(c->stack, TCP_CACHE_SENDING);
    if (sending == NULL)
        return false;
    memset(sending, 0, sizeof *sending);
    list_init(&sending->rack.by_time);
    sending->connection = c;
    sending->rate.app_limited = true; /* what is sent now had to be waited for */
    sending->rate.app_limited_end = (uint32_t)c->octets_acknowledged;
    timer_init(&sending->pace_timer, STACK_TIMER_TCP_PACE);
    c->sending = sending;
    sending->rto_at = USEC_NEVER;
    sending->reorder_at = USEC_NEVER;
    sending->probe_at = USEC_NEVER;
    return true;
}

void tcp_sending_end(struct tcp_connection *c)
{
    struct tcp_sending *sending = c->sending;
    if (sending == tcp_sending_none() || sending->first != NULL || sending->queue.first != NULL)
        return;
    if (UNLIKELY(c->paced) && tcp_pacing_keeps(c))
        return;
    if (timer_armed(&sending->pace_timer))
        wheel_disarm(&c->stack->wheel, &sending->pace_timer);
    c->sending = tcp_sending_none();
    tcp_free(c->stack, TCP_CACHE_SENDING, sending);
}

struct tcp_connection *tcp_connection_new(struct stack *stack, const struct endpoint *local,
                                          const struct endpoint *remote)
{
    struct tcp_table *table = stack->tcp;
    struct tcp_connection *c = tcp_alloc(stack, TCP_CACHE_CONNECTION);
    if (c == NULL)
        return NULL;
    memset(c, 0, sizeof *c);
    c->hash = tcp_hash(stack, local, remote);
    if (!map_insert(&table->connections, c->hash, c)) {
        tcp_free(stack, TCP_CACHE_CONNECTION, c);
        return NULL;
    }
    c->mapped = true;
    c->stack = stack;
    c->local = *local;
    c->remote = *remote;
    socket_init(&c->socket, SOCKET_TCP, NULL);
    list_init(&c->pending);
    timer_init(&c->timer, STACK_TIMER_TCP);
    timer_init(&c->ack_timer, STACK_TIMER_TCP_ACK);
    c->extra = tcp_extra_none();
    tcp_profile_inherit(c, NULL);
    c->iss = tcp_initial_sequence(stack, local, remote, &c->ts_offset);
    c->peer_mss = TCP_MSS_DEFAULT;
    c->rcv_mss = TCP_MSS_DEFAULT;
    c->mss = TCP_MSS_DEFAULT;
    c->reordering = c->profile->reordering;
    c->reorder_steps = 1;
    c->sending = tcp_sending_none();
    stack->counters.tcpConnections++;
    return c;
}

/* Lets go of all that only a live connection needs. */
static void release_sending(struct tcp_connection *c)
{
    tcp_timer_stop(c);
    wheel_disarm(&c->stack->wheel, &c->ack_timer);
    list_remove(&c->pending);
    tcp_sent_clear(c);
    if (c->sending != tcp_sending_none()) {
        tcp_queue_clear(c->stack, &c->sending->queue);
        c->paced = false;
        tcp_sending_end(c);
    }
    tcp_reorder_clear(c);
}

static void leave_map(struct tcp_connection *c)
{
    struct tcp_table *table = c->stack->tcp;
    if (c->mapped)
        (void)map_remove(&table->connections, c->hash, c);
    if (table->found == c)
        table->found = NULL;
    c->mapped = false;
}

void tcp_connection_free(struct tcp_connection *c)
{
    struct stack *stack = c->stack;
    release_sending(c);
    leave_map(c);
    if (c->state != TCP_CLOSED)
        stack->counters.tcpCurrEstab -= counts_as_established(c->state);
    socket_done(&c->socket);
    tcp_queue_clear(stack, &c->received);
    stack->counters.tcpConnections--;
    if (c->congestion->done != NULL)
        c->congestion->done(c);
    tcp_profile_release(c);
    tcp_extra_end(c);
    tcp_free(stack, TCP_CACHE_CONNECTION, c);
}

void tcp_raise(struct tcp_connection *c, unsigned events)
{
    if (c->owned)
        socket_raise(c->stack, &c->socket, events);
}

void tcp_wake(struct tcp_connection *c)
{
    if (!list_linked(&c->pending))
        list_append(&c->stack->tcp->pending, &c->pending);
}

static void end(struct tcp_connection *c)
{
    if (c->draft) { /* whoever made it looks at the state */
        tcp_set_state(c, TCP_CLOSED);
        return;
    }
    bool half_open = c->state == TCP_SYN_RECEIVED && !c->fast_open_child;
    if (c->state == TCP_SYN_RECEIVED && c->fast_open_child)
        tcp_fast_open_proved(c, c->error == TCP_RESET);
    tcp_destination_store(c);
    leave_map(c);
    tcp_set_state(c, TCP_CLOSED);
    release_sending(c);
    if (c->listener != NULL && !half_open && c->error != TCP_ABORTED)
        return; /* whoever accepts it gets what it has received, and its error */
    if (c->listener != NULL)
        tcp_listener_forget(c);
    if (c->owned)
        list_append(&c->stack->tcp->closed, &c->pending);
    else
        tcp_connection_free(c);
}

void tcp_fail(struct tcp_connection *c, enum tcp_error error)
{
    c->error = (uint8_t)error;
    tcp_raise(c, SOCKET_FAILED);
    end(c);
}

void tcp_finish(struct tcp_connection *c)
{
    end(c);
}

void tcp_enter_time_wait(struct tcp_connection *c)
{
    struct tcp_path path;
    tcp_set_state(c, TCP_TIME_WAIT);
    tcp_raise(c, SOCKET_FINISHED);
    if ((c->ack_now || c->ack_pending) && tcp_path_find(c, &path))
        (void)!tcp_transmit_ack(c, &path, c->snd_nxt);
    tcp_destination_store(c);
    leave_map(c);
    tcp_time_wait_new(c);
    release_sending(c);
    if (c->owned)
        list_append(&c->stack->tcp->closed, &c->pending);
    else
        tcp_connection_free(c);
}

void tcp_established(struct tcp_connection *c)
{
    struct tcp_path path;
    tcp_path_search_established(c);
    (void)!tcp_path_find(c, &path); /* for c->mss, now that the peer's is known */
    tcp_set_state(c, TCP_ESTABLISHED);
    if (!c->fast_open_child) /* which may have sent something already */
        tcp_congestion_open(c);
    tcp_destination_recall(c);
    if (tcp_units_count(c))
        tcp_units_grow(c);
    if (!c->fast_open_child)
        tcp_window_begin(c);
    tcp_timer_stop(c);
    c->retries = 0;
    c->backoff = 0;
    c->quick_acks = c->profile->quick_acks;
    c->stack->counters.tcpEcnOpens += c->ecn;
    c->text_received_at = (uint32_t)(c->stack->now / USEC_PER_MSEC);
    if (c->shutdown)
        tcp_set_state(c, TCP_FIN_WAIT_1);
    if (c->fast_open_child) /* it was given away with the SYN */
        tcp_fast_open_proved(c, false);
    else if (c->listener != NULL)
        tcp_listener_ready(c);
    else
        tcp_raise(c, SOCKET_OPENED);
    c->fast_open_child = false;
    tcp_wake(c);
}
