/* SPDX-License-Identifier: ISC */
/*
 * script_flow.c - between the numbers of a script and those of the stack: ports, sequence numbers
 * that count from the initial ones, timestamps.
 *
 * A script speaks of one connection at a time: that of the last socket() or the last SYN that came
 * to a listener.
 */
#include "sim/script/script_play.h"
#include "wire/inet/ipv4.h"
#include "wire/inet/tcp_header.h"

struct play_flow *play_flow_new(struct play *p, enum flow_state state)
{
    struct play_flow *flow = arena_zeroed(&p->script->arena, sizeof *flow);
    if (flow == NULL) {
        play_fail(p, "no memory for another connection");
        return NULL;
    }
    flow->state = state;
    flow->live_fd = -1;
    flow->next = p->flows;
    p->flows = flow;
    p->under_test = flow;
    return flow;
}

void play_flow_connects(struct play *p, struct play_flow *flow)
{
    if (flow == NULL || flow->state != FLOW_NEW)
        return;
    flow->state = FLOW_CONNECTING;
    flow->remote = (struct endpoint){p->remote, p->connect_port};
}

/* ---- descriptors ---- */

struct play_descriptor *play_descriptor(struct play *p, int script)
{
    for (size_t i = 0; i < p->descriptor_count; i++)
        if (p->descriptors[i].open && p->descriptors[i].script == script)
            return &p->descriptors[i];
    return NULL;
}

void play_hide_descriptor(struct play *p, int script)
{
    struct play_descriptor *hidden = play_descriptor(p, script);
    if (hidden != NULL)
        hidden->script = -1;
}

bool play_add_descriptor(struct play *p, int script, int live, struct play_flow *flow)
{
    struct play_descriptor *place = NULL;
    if (play_descriptor(p, script) != NULL)
        return play_wrong(p, "the descriptor %d is in use already", script);
    for (size_t i = 0; i < p->descriptor_count && place == NULL; i++)
        if (!p->descriptors[i].open)
            place = &p->descriptors[i];
    if (place == NULL && p->descriptor_count < PLAY_DESCRIPTORS_MAX)
        place = &p->descriptors[p->descriptor_count++];
    if (place == NULL)
        return play_wrong(p, "more than %d descriptors", PLAY_DESCRIPTORS_MAX);
    *place = (struct play_descriptor){true, script, live, flow};
    return true;
}

/* ---- whose packet ---- */

/* A segment to a listener begins a new connection, which later packets then belong to. */
static struct play_flow *passive_flow(struct play *p, const struct script_packet *packet)
{
    struct play_flow *flow = p->under_test;
    if (packet->kind != SCRIPT_TCP || !packet->inbound ||
        (flow != NULL && flow->state != FLOW_LISTENING))
        return NULL;
    flow = play_flow_new(p, FLOW_SYN_RECEIVED);
    if (flow == NULL)
        return NULL;
    flow->local = (struct endpoint){p->local, p->bind_port};
    flow->remote = (struct endpoint){p->remote, p->next_port++};
    if (packet->source_port != 0)
        flow->remote.port = packet->source_port;
    if (packet->target_port != 0)
        flow->local.port = packet->target_port;
    flow->remote_isn = packet->sequence;
    return flow;
}

static struct play_flow *active_flow(struct play *p, const struct script_packet *packet)
{
    struct play_flow *flow = p->under_test;
    if (packet->kind != SCRIPT_TCP || packet->inbound || (packet->flags & TCP_SYN) == 0 ||
        (packet->flags & TCP_ACK) != 0 || flow == NULL || flow->state != FLOW_CONNECTING)
        return NULL;
    flow->state = FLOW_SYN_SENT;
    flow->script_local_isn = packet->sequence;
    return flow;
}

struct play_flow *play_flow_of_packet(struct play *p, const struct script_packet *packet)
{
    struct play_flow *flow = passive_flow(p, packet);
    if (flow == NULL)
        flow = active_flow(p, packet);
    if (flow == NULL && p->under_test != NULL &&
        (packet->kind == SCRIPT_ICMP || packet->kind == p->under_test->kind))
        flow = p->under_test;
    if (flow == NULL && !p->failed)
        play_wrong(p, "there is no socket that this packet could belong to");
    return flow;
}

static bool is_syn_of(const struct play_flow *flow, const struct script_live_packet *live)
{
    bool first = flow->state == FLOW_SYN_SENT || flow->state == FLOW_CONNECTING;
    if (!first || !endpoint_equal(&live->target, &flow->remote) ||
        live->packet.kind != flow->kind)
        return false;
    return flow->kind == SCRIPT_UDP ||
           (live->packet.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

bool play_flow_sent(struct play *p, struct play_flow *flow, const struct script_packet *expected,
                    const struct script_live_packet *live)
{
    if (flow != p->under_test)
        return false;
    bool known = endpoint_equal(&live->source, &flow->local) &&
                 endpoint_equal(&live->target, &flow->remote);
    if (!known && is_syn_of(flow, live)) {
        flow->local = live->source;
        flow->local_isn = live->packet.sequence;
        known = true;
    }
    if (!known)
        return expected->kind == SCRIPT_ICMP && live->packet.kind == SCRIPT_ICMP &&
               address_equal(&live->target.address, &flow->remote.address);
    if (flow->state == FLOW_SYN_RECEIVED && expected->kind == SCRIPT_TCP &&
        (expected->flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK)) {
        flow->state = FLOW_SYN_ACK_SENT;
        flow->script_local_isn = expected->sequence;
        flow->local_isn = live->packet.sequence;
    }
    return true;
}

/* ---- numbers ---- */

/* Sequence numbers in segments with SYN are as they are; in all others they count from it. */
static uint32_t remote_offset(const struct play_flow *flow, bool syn)
{
    return syn ? 0 : flow->remote_isn;
}

static uint32_t local_offset(const struct play_flow *flow, bool syn)
{
    return syn ? flow->local_isn - flow->script_local_isn : flow->local_isn;
}

static bool live_timestamp(const struct play *p, const struct play_flow *flow, uint32_t *value)
{
    for (size_t i = flow->timestamp_count; i > 0; i--)
        if (flow->timestamps[i - 1].script == *value) {
            *value = flow->timestamps[i - 1].live;
            return true;
        }
    if (!p->timestamp_scaled || !flow->timestamp_seen)
        return false;
    *value = *value - flow->first_script_timestamp + flow->first_live_timestamp;
    return true;
}

static bool echo_to_live(struct play *p, const struct play_flow *flow,
                         struct script_packet *packet)
{
    uint32_t value, echo;
    if ((packet->flags & TCP_ACK) == 0 || !script_packet_timestamps(packet, &value, &echo))
        return true;
    uint32_t live = echo;
    if (!live_timestamp(p, flow, &live))
        return play_wrong(p, "no packet went out with the timestamp that is echoed: %u", echo);
    script_packet_set_timestamps(packet, value, live);
    return true;
}

bool play_flow_to_live(struct play *p, struct play_flow *flow, struct script_packet *packet)
{
    bool syn = (packet->flags & TCP_SYN) != 0;
    bool ack = (packet->flags & TCP_ACK) != 0;
    if (packet->kind == SCRIPT_ICMP) {
        if (packet->quoted_protocol == IP_PROTOCOL_TCP)
            packet->quoted_sequence += local_offset(flow, false);
        return true;
    }
    if (packet->kind != SCRIPT_TCP)
        return true;
    if (flow->state == FLOW_SYN_ACK_SENT && ack)
        flow->state = FLOW_ESTABLISHED;
    else if (flow->state == FLOW_SYN_SENT && syn && ack) {
        flow->state = FLOW_SYN_ACKED;
        flow->remote_isn = packet->sequence;
    }
    packet->sequence += remote_offset(flow, syn);
    if (ack)
        packet->acknowledgement += local_offset(flow, syn);
    script_packet_move_sack(packet, local_offset(flow, syn));
    return echo_to_live(p, flow, packet);
}

void play_flow_to_script(const struct play_flow *flow, struct script_packet *packet)
{
    bool syn = (packet->flags & TCP_SYN) != 0;
    if (packet->kind != SCRIPT_TCP)
        return;
    packet->sequence -= local_offset(flow, syn);
    if ((packet->flags & TCP_ACK) != 0)
        packet->acknowledgement -= remote_offset(flow, syn);
    script_packet_move_sack(packet, 0 - remote_offset(flow, syn));
}

void play_flow_timestamp(struct play_flow *flow, const struct script_packet *expected,
                         struct script_packet *actual)
{
    uint32_t value, echo, live, live_echo;
    if (!script_packet_timestamps(expected, &value, &echo) ||
        !script_packet_timestamps(actual, &live, &live_echo))
        return;
    if (flow->timestamp_count == PLAY_TIMESTAMPS_MAX) {
        /* The oldest half is not echoed any more. */
        flow->timestamp_count = PLAY_TIMESTAMPS_MAX / 2;
        memmove(flow->timestamps, flow->timestamps + flow->timestamp_count,
                flow->timestamp_count * sizeof flow->timestamps[0]);
    }
    flow->timestamps[flow->timestamp_count].script = value;
    flow->timestamps[flow->timestamp_count++].live = live;
    if (!flow->timestamp_seen) {
        flow->timestamp_seen = true;
        flow->first_script_timestamp = value;
        flow->first_live_timestamp = live;
    }
    script_packet_set_timestamps(
        actual, flow->first_script_timestamp + (live - flow->first_live_timestamp), live_echo);
}
