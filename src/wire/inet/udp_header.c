/* SPDX-License-Identifier: ISC */
/* udp_header.c - RFC 768. */
#include "wire/inet/udp_header.h"

enum wire_status udp_decode(struct bytes datagram, struct udp_header *out)
{
    struct reader r = reader_of(datagram);
    struct udp_header header = {0};
    header.source_port = read_u16(&r);
    header.target_port = read_u16(&r);
    uint16_t length = read_u16(&r);
    header.checksum = read_u16(&r);
    if (r.failed)
        return WIRE_TRUNCATED;

    /* Length counts the header too, so anything under 8 is a lie (RFC 768, "Length"). */
    if (length < UDP_HEADER_LEN)
        return WIRE_MALFORMED;

    header.payload = read_bytes(&r, (size_t)length - UDP_HEADER_LEN);
    if (r.failed)
        return WIRE_TRUNCATED;

    *out = header;
    return WIRE_OK;
}

static void encode_header(const struct udp_header *header, size_t payload_len, struct writer *w)
{
    ASSERT(payload_len <= UDP_PAYLOAD_MAX);
    write_u16(w, header->source_port);
    write_u16(w, header->target_port);
    write_u16(w, (uint16_t)(UDP_HEADER_LEN + payload_len));
    write_u16(w, header->checksum);
}

void udp_encode(const struct udp_header *header, struct writer *w)
{
    encode_header(header, header->payload.len, w);
    write_bytes(w, header->payload);
}

void udp_push(struct frame *frame, const struct udp_header *header)
{
    size_t payload_len = frame_total(frame);
    struct writer w = writer_of(frame_push(frame, UDP_HEADER_LEN), UDP_HEADER_LEN);
    encode_header(header, payload_len, &w);
}
