/* SPDX-License-Identifier: ISC */
/* dhcp_frame.c - Ethernet, IPv4 (RFC 791) and UDP (RFC 768) around a DHCP message. */
#include "app/addresses/dhcp_frame.h"

#include "base/checksum.h"
#include "wire/inet/ipv4.h"
#include "wire/inet/udp_header.h"
#include "wire/link/ethernet.h"

enum { TTL = 64, DSCP_CS6 = 0xc0 /* network control, as other clients mark it */ };

void dhcp_frame_encode(const struct dhcp_frame *frame, struct writer *w)
{
    uint16_t udp_len = (uint16_t)(UDP_HEADER_LEN + frame->message.len);
    struct ethernet_header link = {
        .target = frame->target,
        .source = frame->source,
        .type = ETHERNET_IPV4,
        .payload = bytes_empty(),
    };
    struct ipv4_header ip = {
        .source = frame->from,
        .target = frame->to,
        .total_len = (uint16_t)(IPV4_HEADER_LEN + udp_len),
        .dont_fragment = true,
        .ttl = TTL,
        .protocol = IP_PROTOCOL_UDP,
        .traffic_class = DSCP_CS6,
        .options = bytes_empty(),
    };
    struct udp_header udp = {
        .source_port = DHCP_CLIENT_PORT,
        .target_port = DHCP_SERVER_PORT,
        .payload = frame->message,
    };
    ethernet_encode(&link, w);
    ipv4_encode(&ip, w);
    size_t udp_at = writer_len(w);
    udp_encode(&udp, w);
    if (w->failed)
        return;
    uint64_t sum = checksum_pseudo(&frame->from, &frame->to, IP_PROTOCOL_UDP, udp_len);
    sum += checksum_sum(bytes_after(writer_bytes(w), udp_at));
    uint16_t checksum = (uint16_t)~checksum_fold(sum);
    write_u16_at(w, udp_at + UDP_CHECKSUM_OFFSET, checksum != 0 ? checksum : 0xffff);
}

static bool checksum_holds(const struct ipv4_header *ip, const struct udp_header *udp)
{
    if (udp->checksum == 0)
        return true; /* none was made */
    size_t len = UDP_HEADER_LEN + udp->payload.len;
    uint64_t pseudo = checksum_pseudo(&ip->source, &ip->target, IP_PROTOCOL_UDP, (uint32_t)len);
    if (udp->checksum == checksum_fold(pseudo))
        return true;
    return checksum_fold(pseudo + checksum_sum(bytes_first(ip->payload, len))) == 0xffff;
}

bool dhcp_frame_decode(struct bytes octets, struct dhcp_frame *out)
{
    struct ethernet_header link;
    struct ipv4_header ip;
    struct udp_header udp;
    if (ethernet_decode(octets, &link) != WIRE_OK || link.type != ETHERNET_IPV4 ||
        ipv4_decode(link.payload, &ip) != WIRE_OK || ip.protocol != IP_PROTOCOL_UDP ||
        ipv4_is_fragment(&ip) || udp_decode(ip.payload, &udp) != WIRE_OK ||
        udp.target_port != DHCP_CLIENT_PORT || !checksum_holds(&ip, &udp))
        return false;
    *out = (struct dhcp_frame){link.source, link.target, ip.source, ip.target, udp.payload};
    return true;
}
