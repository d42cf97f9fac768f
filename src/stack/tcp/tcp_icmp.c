/* SPDX-License-Identifier: ISC */
/*
 * tcp_icmp.c - what routers and hosts say of our segments (RFC 9293 §3.9.2.2), believed only as far
 * as somebody on the path could say it (RFC 5927): path MTU discovery (RFC 1191, tcp_path_mtu.c), and refusals
 * while a connection is being opened.
 */
#include "stack/tcp/internal.h"
#include "wire/inet/icmp_message.h"

/* RFC 9293 §3.9.2.2 calls most errors soft, and while a connection lives all are (RFC 5927 §5.2):
 * its application is told. One that is being opened by an application that waits for it fails (RFC
 * 5461 §4.1). */
static void unreachable(struct tcp_connection *c, const struct icmp_report *report)
{
    bool refused = report->type == ICMP_UNREACHABLE;
    bool hard = refused && (report->code == ICMP_PROTOCOL_UNREACHABLE ||
                            report->code == ICMP_PORT_UNREACHABLE);
    tcp_note_trouble(c, TCP_TROUBLE_ICMP, report->type, report->code);
    if ((c->state == TCP_SYN_SENT && refused) || (c->fast_open_child && refused) ||
        (c->state == TCP_SYN_RECEIVED && hard && !c->passive))
        tcp_fail(c, TCP_UNREACHABLE);
}

void tcp_icmp(struct stack *stack, const struct icmp_report *report)
{
    struct reader r = reader_of(report->transport);
    struct endpoint local = {report->source, read_u16(&r)};
    struct endpoint remote = {report->target, read_u16(&r)};
    struct seq seq = seq_of(read_u32(&r));
    if (r.failed)
        return;
    bool nowhere = report->type == ICMP_UNREACHABLE && report->code <= ICMP_HOST_UNREACHABLE;
    struct tcp_entry *entry =
        tcp_entry_find(stack, tcp_hash(stack, &local, &remote), &local, &remote);
    if (entry != NULL && entry->row != TCP_ROW_TIME_WAIT) {
        if (nowhere)
            tcp_half_open_unreachable(stack, entry, seq);
        return;
    }
    struct tcp_connection *c = tcp_find(stack, &local, &remote);
    if (c == NULL || c->unanswered || c->state == TCP_TIME_WAIT)
        return;
    /* Only of something that is under way (RFC 5927 §4.1). */
    bool opening = c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECEIVED;
    struct seq first = opening ? c->iss : c->snd_una;
    if (!seq_in_window(seq, first, (uint32_t)seq_diff(c->snd_nxt, first)))
        return;
    if (report->type == ICMP_UNREACHABLE && report->code == ICMP_FRAGMENTATION_NEEDED)
        tcp_path_mtu_lowered(c, report->mtu);
    else
        unreachable(c, report);
}
