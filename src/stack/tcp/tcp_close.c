/* SPDX-License-Identifier: ISC */
/*
 * tcp_close.c - giving a connection up, in order and in haste (RFC 9293 §3.10.4, §3.10.5), and
 * refusing one that was intercepted.
 */
#include "stack/tcp/internal.h"
#include "wire/inet/icmp_message.h"
#include "wire/inet/ipv4.h"

/* What is left of TIME-WAIT an entry does. */
static bool over(const struct tcp_connection *c)
{
    return c->state == TCP_CLOSED || c->state == TCP_TIME_WAIT;
}

void tcp_abort(struct tcp_connection *c)
{
    c->owned = false;
    socket_done(&c->socket);
    if (over(c)) {
        tcp_connection_free(c);
        return;
    }
    tcp_reset_connection(c);
    tcp_fail(c, TCP_ABORTED);
}

void tcp_close(struct tcp_connection *c)
{
    bool deaf = c->received_len > 0 || c->state == TCP_SYN_SENT || c->unanswered;
    if (deaf && !over(c)) {
        tcp_abort(c);
        return;
    }
    c->owned = false;
    socket_done(&c->socket);
    if (over(c)) {
        tcp_connection_free(c);
        return;
    }
    tcp_queue_clear(c->stack, &c->received);
    c->received_len = 0;
    tcp_shutdown(c);
    tcp_wake(c); /* an orphan's timers are not those of others */
}

/* ICMP quotes the packet that it is about: the SYN, whose first octets are known. */
static void send_unreachable(struct tcp_connection *c, uint8_t code)
{
    uint8_t head[TCP_HEADER_LEN];
    struct tcp_header syn = {
        .source_port = c->remote.port,
        .target_port = c->local.port,
        .sequence = c->irs.n,
        .flags = TCP_SYN,
        .window = (uint16_t)c->snd_wnd,
    };
    struct writer w = writer_of(head, sizeof head);
    tcp_header_encode(&syn, &w);
    struct icmp_report report = {
        .type = ICMP_UNREACHABLE,
        .code = code,
        .protocol = IP_PROTOCOL_TCP,
        .source = c->remote.address,
        .target = c->local.address,
        .transport = writer_bytes(&w),
    };
    icmp_send_report(c->stack, &report);
}

void tcp_refuse(struct tcp_connection *c, int code)
{
    if (c->state != TCP_SYN_RECEIVED || !c->unanswered || code < 0) {
        tcp_abort(c);
        return;
    }
    c->owned = false;
    socket_done(&c->socket);
    send_unreachable(c, (uint8_t)code);
    tcp_fail(c, TCP_ABORTED);
}
