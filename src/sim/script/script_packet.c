/* SPDX-License-Identifier: ISC */
/* script_packet.c - to octets and back. */
#include "sim/script/script_packet.h"

#include "base/checksum.h"
#include "wire/inet/icmp_message.h"
#include "wire/inet/ipv4.h"
#include "wire/inet/tcp_header.h"
#include "wire/inet/udp_header.h"

enum { TTL = 64, OPTION_SACK = 5, OPTION_TIMESTAMPS = 8, QUOTED_OCTETS = 8 };

bool script_option_next(struct bytes *options, struct script_tcp_option *out)
{
    if (options->len == 0)
        return false;
    uint8_t kind = options->data[0];
    size_t len = 1;
    if (kind > 1) {
        if (options->len < 2 || options->data[1] < 2 || options->data[1] > options->len)
            return false;
        len = options->data[1];
    }
    out->kind = kind;
    out->data = kind > 1 ? bytes_first(bytes_after(*options, 2), len - 2) : bytes_empty();
    *options = bytes_after(*options, len);
    return true;
}

/* Where the data of the first option of that kind and length lies in packet->options, or -1. */
static int find_option(const struct script_packet *packet, uint8_t kind, size_t len)
{
    struct bytes rest = bytes_of(packet->options, packet->option_len);
    struct script_tcp_option option;
    while (script_option_next(&rest, &option))
        if (option.kind == kind && (len == 0 || option.data.len == len))
            return (int)(option.data.data - packet->options);
    return -1;
}

bool script_packet_timestamps(const struct script_packet *packet, uint32_t *value, uint32_t *echo)
{
    int at = find_option(packet, OPTION_TIMESTAMPS, 8);
    if (at < 0)
        return false;
    struct reader r = reader_of(bytes_of(packet->options + at, 8));
    *value = read_u32(&r);
    *echo = read_u32(&r);
    return true;
}

void script_packet_set_timestamps(struct script_packet *packet, uint32_t value, uint32_t echo)
{
    int at = find_option(packet, OPTION_TIMESTAMPS, 8);
    if (at < 0)
        return;
    struct writer w = writer_of(packet->options + at, 8);
    write_u32(&w, value);
    write_u32(&w, echo);
}

void script_packet_move_sack(struct script_packet *packet, uint32_t offset)
{
    int at = find_option(packet, OPTION_SACK, 0);
    if (at < 0)
        return;
    size_t len = (packet->options[at - 1] - 2u) / 4 * 4;
    struct reader r = reader_of(bytes_of(packet->options + at, len));
    struct writer w = writer_of(packet->options + at, len);
    while (writer_room(&w) > 0) {
        uint32_t number = read_u32(&r);
        write_u32(&w, number + offset);
    }
}

/* ---- to octets ---- */

static void put_checksum(struct writer *w, size_t start, size_t offset, uint64_t sum)
{
    struct bytes segment = bytes_after(writer_bytes(w), start);
    if (!w->failed)
        write_u16_at(w, start + offset, (uint16_t)~checksum_fold(sum + checksum_sum(segment)));
}

static void encode_tcp(const struct script_packet *packet, const struct endpoint *source,
                       const struct endpoint *target, struct writer *w)
{
    size_t start = writer_len(w);
    unsigned words = (SCRIPT_TCP_HEADER_LEN + packet->option_len) / 4u;
    write_u16(w, source->port);
    write_u16(w, target->port);
    write_u32(w, packet->sequence);
    write_u32(w, packet->acknowledgement);
    write_u16(w, (uint16_t)(words << 12 | packet->flags));
    write_u16(w, (uint16_t)packet->window);
    write_u16(w, 0);
    write_u16(w, packet->urgent);
    write_copy(w, packet->options, packet->option_len);
    write_zeros(w, packet->payload_len);
    put_checksum(w, start, TCP_CHECKSUM_OFFSET,
                 checksum_pseudo(&source->address, &target->address, IP_PROTOCOL_TCP,
                                 (uint32_t)(writer_len(w) - start)));
}

static void encode_udp(const struct script_packet *packet, const struct endpoint *source,
                       const struct endpoint *target, struct writer *w)
{
    size_t start = writer_len(w);
    write_u16(w, source->port);
    write_u16(w, target->port);
    write_u16(w, (uint16_t)(UDP_HEADER_LEN + packet->payload_len));
    write_u16(w, 0);
    write_zeros(w, packet->payload_len);
    put_checksum(w, start, UDP_CHECKSUM_OFFSET,
                 checksum_pseudo(&source->address, &target->address, IP_PROTOCOL_UDP,
                                 (uint32_t)(writer_len(w) - start)));
}

/* The error quotes what the target sent to the source: header and eight octets (RFC 792). */
static void write_quoted(const struct script_packet *packet, const struct endpoint *source,
                         const struct endpoint *target, struct writer *w)
{
    bool tcp = packet->quoted_protocol == IP_PROTOCOL_TCP;
    size_t header = tcp ? TCP_HEADER_LEN : UDP_HEADER_LEN;
    struct ipv4_header quoted = {
        .source = target->address,
        .target = source->address,
        .total_len = (uint16_t)(IPV4_HEADER_LEN + header + packet->quoted_len),
        .dont_fragment = true,
        .ttl = TTL,
        .protocol = packet->quoted_protocol,
        .options = bytes_empty(),
    };
    ipv4_encode(&quoted, w);
    write_u16(w, target->port);
    write_u16(w, source->port);
    if (tcp)
        write_u32(w, packet->quoted_sequence);
    else {
        write_u16(w, (uint16_t)(UDP_HEADER_LEN + packet->quoted_len));
        write_u16(w, 0);
    }
}

static void encode_icmp(const struct script_packet *packet, const struct endpoint *source,
                        const struct endpoint *target, struct writer *w)
{
    size_t start = writer_len(w);
    write_u8(w, packet->icmp_type);
    write_u8(w, packet->icmp_code);
    write_u16(w, 0);
    write_u16(w, packet->icmp_id);
    write_u16(w, packet->icmp_mtu);
    if (packet->quoted_protocol != 0)
        write_quoted(packet, source, target, w);
    else if (packet->payload_len > ICMP_HEADER_LEN)
        write_zeros(w, packet->payload_len - ICMP_HEADER_LEN);
    put_checksum(w, start, 2, 0);
}

void script_packet_encode(const struct script_packet *packet, const struct endpoint *source,
                          const struct endpoint *target, struct writer *w)
{
    static const uint8_t protocols[] = {
        [SCRIPT_TCP] = IP_PROTOCOL_TCP,
        [SCRIPT_UDP] = IP_PROTOCOL_UDP,
        [SCRIPT_ICMP] = IP_PROTOCOL_ICMP,
    };
    size_t len = packet->kind == SCRIPT_TCP
                     ? (size_t)SCRIPT_TCP_HEADER_LEN + packet->option_len + packet->payload_len
                 : packet->kind == SCRIPT_UDP ? UDP_HEADER_LEN + (size_t)packet->payload_len
                 : packet->quoted_protocol != 0
                     ? (size_t)ICMP_HEADER_LEN + IPV4_HEADER_LEN + QUOTED_OCTETS
                     : (size_t)packet->payload_len;
    if (len + IPV4_HEADER_LEN > IPV4_PACKET_MAX) {
        w->failed = true;
        return;
    }
    struct ipv4_header header = {
        .source = source->address,
        .target = target->address,
        .total_len = (uint16_t)(IPV4_HEADER_LEN + len),
        .ttl = packet->ttl != 0 ? packet->ttl : TTL,
        .protocol = protocols[packet->kind],
        .traffic_class = packet->traffic_class,
        .options = bytes_empty(),
    };
    ipv4_encode(&header, w);
    if (packet->kind == SCRIPT_TCP)
        encode_tcp(packet, source, target, w);
    else if (packet->kind == SCRIPT_UDP)
        encode_udp(packet, source, target, w);
    else
        encode_icmp(packet, source, target, w);
}

/* ---- and back ---- */

static bool all_zeros(struct bytes in)
{
    for (size_t i = 0; i < in.len; i++)
        if (in.data[i] != 0)
            return false;
    return true;
}

static bool decode_tcp(struct bytes in, struct script_live_packet *live)
{
    struct script_packet *packet = &live->packet;
    struct reader r = reader_of(in);
    packet->kind = SCRIPT_TCP;
    live->source.port = read_u16(&r);
    live->target.port = read_u16(&r);
    packet->sequence = read_u32(&r);
    packet->acknowledgement = read_u32(&r);
    uint16_t flags = read_u16(&r);
    packet->window = read_u16(&r);
    read_u16(&r);
    packet->urgent = read_u16(&r);
    size_t header = (size_t)(flags >> 12) * 4;
    if (r.failed || header < SCRIPT_TCP_HEADER_LEN)
        return false;
    packet->flags = flags & 0x1ff;
    packet->option_len = (uint8_t)(header - SCRIPT_TCP_HEADER_LEN);
    read_copy(&r, packet->options, packet->option_len);
    struct bytes payload = read_rest(&r);
    packet->payload_len = (uint32_t)payload.len;
    live->zeros = all_zeros(payload);
    return !r.failed;
}

static bool decode_icmp(struct bytes in, struct script_live_packet *live)
{
    struct script_packet *packet = &live->packet;
    struct reader r = reader_of(in);
    packet->kind = SCRIPT_ICMP;
    packet->icmp_type = read_u8(&r);
    packet->icmp_code = read_u8(&r);
    read_u16(&r);
    packet->icmp_id = read_u16(&r);
    packet->icmp_mtu = read_u16(&r);
    packet->payload_len = (uint32_t)reader_left(&r);
    live->zeros = true;
    struct ipv4_header quoted;
    if (!r.failed && icmp_is_error(packet->icmp_type) &&
        ipv4_decode_quoted(read_rest(&r), &quoted) == WIRE_OK) {
        packet->quoted_protocol = quoted.protocol;
        packet->quoted_len = quoted.total_len;
    }
    return !r.failed;
}

bool script_packet_decode(struct bytes ip, struct script_live_packet *out)
{
    struct ipv4_header header;
    struct script_live_packet live = {0};
    struct udp_header udp;
    if (ipv4_decode(ip, &header) != WIRE_OK || ipv4_is_fragment(&header))
        return false;
    live.source.address = header.source;
    live.target.address = header.target;
    live.packet.traffic_class = header.traffic_class;
    live.packet.ttl = header.ttl;
    if (header.protocol == IP_PROTOCOL_TCP) {
        if (!decode_tcp(header.payload, &live))
            return false;
    } else if (header.protocol == IP_PROTOCOL_ICMP) {
        if (!decode_icmp(header.payload, &live))
            return false;
    } else if (header.protocol == IP_PROTOCOL_UDP && udp_decode(header.payload, &udp) == WIRE_OK) {
        live.packet.kind = SCRIPT_UDP;
        live.source.port = udp.source_port;
        live.target.port = udp.target_port;
        live.packet.payload_len = (uint32_t)udp.payload.len;
        live.zeros = all_zeros(udp.payload);
    } else
        return false;
    *out = live;
    return true;
}
