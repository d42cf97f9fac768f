/* SPDX-License-Identifier: ISC */
/* drill_packets.c - IP packets between the packetdrill tool and the stack's Ethernet. */
#include <string.h>

#include "api/drill/drill_adapter.h"
#include "api/internal.h"
#include "base/checksum.h"

/* How long a packet is waited for: longer than any timeout of TCP (RFC 6298 §2.5). */
#define PACKET_PATIENCE (130 * USEC_PER_SEC)

static const uint8_t link_header[] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00};
enum { LINK_HEADER_LEN = sizeof link_header, TYPE_AT = 12, TYPE_LEN = 2 };

void drill_collect(struct drill *drill)
{
    struct wn_frame *frame;
    while ((frame = wn_stack_output(drill->stack, 0)) != NULL) {
        const uint8_t *type = frame_in(frame)->data + TYPE_AT;
        bool is_ip = memcmp(type, link_header + TYPE_AT, TYPE_LEN) == 0;
        if (!is_ip || drill->packet_count == DRILL_PACKETS_MAX) {
            wn_frame_release(frame); /* the tool knows nothing of ARP */
            continue;
        }
        size_t place = (drill->first_packet + drill->packet_count++) % DRILL_PACKETS_MAX;
        drill->packets[place] = (struct drill_packet){frame, drill->now};
    }
}

static int packet_arrives(void *self, const void *data, size_t len)
{
    struct drill *drill = self;
    int result = -1;
    (void)drill_enter(drill);
    bool is_ipv4 = len > 0 && *(const uint8_t *)data >> 4 == 4;
    size_t size = LINK_HEADER_LEN + len;
    struct wn_frame *frame = is_ipv4 ? wn_frame_new(wn_stack_frames(drill->stack), size) : NULL;
    if (frame != NULL) {
        uint8_t *out = wn_frame_room(frame);
        memcpy(out, link_header, sizeof link_header);
        memcpy(out + LINK_HEADER_LEN, data, len);
        (void)wn_frame_set_len(frame, size);
        result = wn_stack_input(drill->stack, 0, frame);
    }
    drill_leave(drill);
    return result < 0 ? -1 : 0;
}

static int packet_leaves(void *self, void *data, size_t *len, long long *at)
{
    struct drill *drill = self;
    size_t room = *len;
    *len = 0;
    (void)drill_enter(drill);
    if (drill->packet_count > 0 || drill_pass_time(drill, drill->time + PACKET_PATIENCE, true)) {
        const struct drill_packet *packet = &drill->packets[drill->first_packet];
        struct frame *frame = frame_in(packet->frame);
        checksum_complete(frame);
        size_t whole = frame_total(frame) - LINK_HEADER_LEN;
        *len = whole < room ? whole : room;
        frame_copy_out(frame, LINK_HEADER_LEN, data, *len);
        *at = packet->sent_at;
        frame_unref(frame);
        drill->first_packet = (drill->first_packet + 1) % DRILL_PACKETS_MAX;
        drill->packet_count--;
    }
    drill_leave(drill);
    return 0;
}

void drill_set_packets(struct drill_interface *out)
{
    out->netdev_send = packet_arrives;
    out->netdev_receive = packet_leaves;
}
