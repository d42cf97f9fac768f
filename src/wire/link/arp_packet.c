/* SPDX-License-Identifier: ISC */
/* arp_packet.c - RFC 826, "Packet format". */
#include "wire/link/arp_packet.h"

enum { HARDWARE_ETHERNET = 1, PROTOCOL_IPV4 = 0x0800, MAC_LEN = 6, IPV4_LEN = 4 };

enum wire_status arp_decode(struct bytes in, struct arp_packet *out)
{
    struct reader r = reader_of(in);
    struct arp_packet packet;
    uint16_t hardware = read_u16(&r);
    uint16_t protocol = read_u16(&r);
    uint8_t hardware_len = read_u8(&r);
    uint8_t protocol_len = read_u8(&r);
    packet.operation = read_u16(&r);
    if (r.failed)
        return WIRE_TRUNCATED;
    if (hardware != HARDWARE_ETHERNET || protocol != PROTOCOL_IPV4)
        return WIRE_UNSUPPORTED;
    if (hardware_len != MAC_LEN || protocol_len != IPV4_LEN)
        return WIRE_MALFORMED;

    read_copy(&r, packet.source_mac.octets, MAC_LEN);
    packet.source = address_v4(read_u32(&r));
    read_copy(&r, packet.target_mac.octets, MAC_LEN);
    packet.target = address_v4(read_u32(&r));
    if (r.failed)
        return WIRE_TRUNCATED;
    *out = packet;
    return WIRE_OK;
}

void arp_encode(const struct arp_packet *packet, struct writer *w)
{
    write_u16(w, HARDWARE_ETHERNET);
    write_u16(w, PROTOCOL_IPV4);
    write_u8(w, MAC_LEN);
    write_u8(w, IPV4_LEN);
    write_u16(w, packet->operation);
    write_copy(w, packet->source_mac.octets, MAC_LEN);
    write_u32(w, address_v4_value(&packet->source));
    write_copy(w, packet->target_mac.octets, MAC_LEN);
    write_u32(w, address_v4_value(&packet->target));
}
