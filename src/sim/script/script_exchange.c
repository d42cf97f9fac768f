/* SPDX-License-Identifier: ISC */
/* script_exchange.c - packets put in, and packets that must have come out. */
#include "sim/script/script_play.h"
#include "wire/inet/tcp_header.h"
#include "wire/link/ethernet.h"

enum { ACTUAL_MAX = 256 };

static void tell_packet(struct play *p, const char *sign, const struct script_packet *packet)
{
    char text[ACTUAL_MAX];
    struct text out = text_of(text, sizeof text);
    if (!play_listened(p))
        return;
    script_packet_format(packet, &out);
    play_tell(p, "%s %s", sign, text);
}

void play_look(struct play *p, struct frame *frame)
{
    struct script_live_packet live;
    size_t len = frame_total(frame);
    bool small = len <= sizeof p->packet && len > ETHERNET_HEADER_LEN;
    if (small && !p->settings.device_drops) {
        frame_copy_out(frame, 0, p->packet, len);
        struct bytes octets = bytes_of(p->packet, len);
        if (p->options->sink.frame != NULL)
            p->options->sink.frame(p->options->sink.self, play_time(p), false, octets);
        if (p->seen_count == PLAY_SEEN_MAX)
            play_fail(p, "more than %d packets came that nothing in the script asks for",
                      PLAY_SEEN_MAX);
        else if (script_packet_decode(bytes_after(octets, ETHERNET_HEADER_LEN), &live)) {
            size_t place = (p->seen_first + p->seen_count++) % PLAY_SEEN_MAX;
            p->seen[place] = (struct play_seen){play_time(p), live};
        }
    }
    frame_unref(frame);
}

/* ---- inbound ---- */

static bool put_in(struct play *p, const struct script_packet *packet,
                   const struct play_flow *flow)
{
    struct endpoint source = flow->remote, target = flow->local;
    if (packet->source_port != 0)
        source.port = packet->source_port;
    if (packet->target_port != 0)
        target.port = packet->target_port;
    static const uint8_t header[ETHERNET_HEADER_LEN] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0};
    struct writer w = writer_of(p->packet, sizeof p->packet);
    write_copy(&w, header, sizeof header);
    script_packet_encode(packet, &source, &target, &w);
    if (w.failed)
        return play_wrong(p, "the packet is too long");
    struct frame *frame = frame_new(p->frames, writer_len(&w));
    if (frame == NULL)
        return play_fail(p, "no memory for a packet");
    frame_append(frame, writer_bytes(&w));
    if (p->options->sink.frame != NULL)
        p->options->sink.frame(p->options->sink.self, play_time(p), true, writer_bytes(&w));
    stack_input(p->stack, p->interface, frame, p->now);
    return true;
}

static bool play_inbound(struct play *p, const struct script_packet *packet,
                         struct play_flow *flow)
{
    if (!play_wait_for_event(p))
        return false;
    struct script_packet live = *packet;
    if (!play_flow_to_live(p, flow, &live))
        return false;
    tell_packet(p, "<", packet);
    return put_in(p, &live, flow);
}

/* ---- outbound ---- */

/* The next packet of the flow; NULL: none came in time. The others are passed over. */
static const struct play_seen *next_seen(struct play *p, struct play_flow *flow,
                                         const struct script_packet *expected, usec until)
{
    for (;;) {
        while (p->seen_count > 0) {
            struct play_seen *seen = &p->seen[p->seen_first];
            p->seen_first = (p->seen_first + 1) % PLAY_SEEN_MAX;
            p->seen_count--;
            if (play_flow_sent(p, flow, expected, &seen->live))
                return seen;
        }
        if (!play_advance(p, until, PLAY_PACKET) || p->seen_count == 0)
            return NULL;
    }
}

static bool mismatch(struct play *p, const struct script_packet *expected, const char *difference,
                     const struct script_packet *actual, usec at)
{
    char wanted[ACTUAL_MAX], got[ACTUAL_MAX];
    struct text wanted_out = text_of(wanted, sizeof wanted), got_out = text_of(got, sizeof got);
    script_packet_format(expected, &wanted_out);
    script_packet_format(actual, &got_out);
    return play_fail(p, "%s\nexpected %4lld.%06lld > %s\ngot      %4lld.%06lld > %s", difference,
                     (long long)(p->event_at / USEC_PER_SEC),
                     (long long)(p->event_at % USEC_PER_SEC), wanted,
                     (long long)(at / USEC_PER_SEC), (long long)(at % USEC_PER_SEC), got);
}

static bool nothing_came(struct play *p, const struct script_packet *expected)
{
    char wanted[ACTUAL_MAX];
    struct text out = text_of(wanted, sizeof wanted);
    script_packet_format(expected, &out);
    return play_fail(p, "no packet came until %lld.%06lld s\nexpected %4lld.%06lld > %s",
                     (long long)(play_time(p) / USEC_PER_SEC),
                     (long long)(play_time(p) % USEC_PER_SEC),
                     (long long)(p->event_at / USEC_PER_SEC),
                     (long long)(p->event_at % USEC_PER_SEC), wanted);
}

/* The values of outbound timestamps must go with the time, when the script says how fast. */
static bool check_timestamp(struct play *p, const struct script_packet *expected,
                            const struct script_packet *actual, usec at)
{
    uint32_t wanted, got, echo;
    if (p->timestamp_tick == 0 || !script_packet_timestamps(expected, &wanted, &echo) ||
        !script_packet_timestamps(actual, &got, &echo))
        return true;
    int64_t difference = (int32_t)(got - wanted);
    usec off = (difference < 0 ? -difference : difference) * p->timestamp_tick;
    if (off <= play_tolerance(p, p->event_at))
        return true;
    return mismatch(p, expected, "the timestamp's value is off", actual, at);
}

/* Segments made of one large one are put together, up to what is expected. */
static bool gather(struct play *p, struct play_flow *flow, const struct script_packet *expected,
                   struct script_packet *actual, usec until)
{
    char text[256];
    uint32_t segment = actual->payload_len;
    struct script_packet last = *actual;
    while (actual->payload_len < expected->payload_len && !p->strict_segments &&
           expected->kind == SCRIPT_TCP) {
        struct text difference = text_of(text, sizeof text);
        const struct play_seen *seen = next_seen(p, flow, expected, until);
        if (seen == NULL)
            return p->failed ? false
                             : mismatch(p, expected, "the rest of the text did not come", actual,
                                        play_time(p));
        struct script_packet next = seen->live.packet;
        play_flow_to_script(flow, &next);
        uint32_t missing = expected->payload_len - actual->payload_len;
        if (!script_packet_continues(&last, &next, &difference))
            return mismatch(p, expected, text, &next, seen->at);
        if (next.payload_len < missing && next.payload_len != segment)
            return mismatch(p, expected, "a segment in the middle has another length", &next,
                            seen->at);
        actual->payload_len += next.payload_len;
        /* FIN and PSH are what the last one has; CWR what the first has. */
        actual->flags = (actual->flags & TCP_CWR) | (next.flags & (uint16_t)~TCP_CWR);
        last = next;
    }
    return true;
}

static bool play_outbound(struct play *p, const struct script_packet *expected,
                          struct play_flow *flow)
{
    char text[512];
    struct text difference = text_of(text, sizeof text);
    usec due = usec_max(p->event_at, p->event_end_at);
    usec until = p->start + usec_max(due, play_time(p)) + PLAY_PATIENCE * USEC_PER_SEC;
    if (p->event->time_kind == SCRIPT_TIME_ANY)
        until = p->now + USEC_PER_HOUR;
    const struct play_seen *seen = next_seen(p, flow, expected, until);
    if (seen == NULL)
        return p->failed ? false : nothing_came(p, expected);
    usec at = seen->at;
    bool zeros = seen->live.zeros;
    struct script_packet actual = seen->live.packet;
    play_flow_to_script(flow, &actual);
    if (!gather(p, flow, expected, &actual, until))
        return false;
    play_flow_timestamp(flow, expected, &actual);
    actual.ip_check = expected->ip_check != SCRIPT_IP_ANY ? SCRIPT_IP_ECN : SCRIPT_IP_ANY;
    tell_packet(p, ">", &actual);
    if (!script_packet_matches(expected, &actual, &difference))
        return mismatch(p, expected, text, &actual, at);
    if (!zeros)
        return mismatch(p, expected, "the text is not what was written", &actual, at);
    if (!check_timestamp(p, expected, &actual, at))
        return false;
    return play_time_fits(p, at, "the packet");
}

bool play_packet(struct play *p, const struct script_packet *packet)
{
    struct play_flow *flow = play_flow_of_packet(p, packet);
    if (flow == NULL)
        return false;
    return packet->inbound ? play_inbound(p, packet, flow) : play_outbound(p, packet, flow);
}
