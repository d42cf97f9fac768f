/* SPDX-License-Identifier: ISC */
/* tcp_trace.c - what a connection's windows have become, for whoever reads the trace. */
#include "stack/tcp/internal.h"

/* Only with a reader: what was told last is kept with what is rare. */
void tcp_trace_windows(struct tcp_connection *c)
{
    if (c->state < TCP_ESTABLISHED || !tcp_extra_begin(c))
        return;
    struct tcp_told *told = &c->extra->told;
    struct tcp_told now = {c->cwnd, c->ssthresh, c->snd_wnd, c->recovery};
    if (told->cwnd == now.cwnd && told->ssthresh == now.ssthresh && told->window == now.window &&
        told->condition == now.condition)
        return;
    *told = now;
    struct trace_event event = {.kind = TRACE_TCP_WINDOW, .at = c->stack->now};
    event.u.tcp_window.local = c->local;
    event.u.tcp_window.remote = c->remote;
    event.u.tcp_window.cwnd = now.cwnd;
    event.u.tcp_window.ssthresh = now.ssthresh;
    event.u.tcp_window.window = now.window;
    event.u.tcp_window.flight = tcp_flight(c);
    event.u.tcp_window.condition = now.condition;
    c->stack->trace.emit(c->stack->trace.self, &event);
}
