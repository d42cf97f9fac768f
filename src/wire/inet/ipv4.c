/* SPDX-License-Identifier: ISC */
/* ipv4.c - RFC 791 §3.1. */
#include "wire/inet/ipv4.h"

#include "base/checksum.h"

enum {
    VERSION = 4,
    FLAG_DONT_FRAGMENT = 0x4000,
    FLAG_MORE_FRAGMENTS = 0x2000,
    OFFSET_MASK = 0x1fff, /* counts units of 8 octets */
};

/* The fixed fields and the options; what follows them is left in the reader. */
static enum wire_status decode_fields(struct reader *r, struct ipv4_header *out)
{
    uint8_t version_and_len = read_u8(r);
    out->traffic_class = read_u8(r);
    out->total_len = read_u16(r);
    out->identification = read_u16(r);
    uint16_t flags_and_offset = read_u16(r);
    out->ttl = read_u8(r);
    out->protocol = read_u8(r);
    read_skip(r, 2); /* the checksum is verified over the whole */
    uint32_t source = read_u32(r);
    uint32_t target = read_u32(r);
    if (r->failed)
        return WIRE_TRUNCATED;
    if (version_and_len >> 4 != VERSION)
        return WIRE_UNSUPPORTED;

    out->header_len = (uint8_t)((version_and_len & 0x0f) * 4);
    if (out->header_len < IPV4_HEADER_LEN)
        return WIRE_MALFORMED;
    out->options = read_bytes(r, (size_t)out->header_len - IPV4_HEADER_LEN);
    if (r->failed)
        return WIRE_TRUNCATED;

    out->dont_fragment = (flags_and_offset & FLAG_DONT_FRAGMENT) != 0;
    out->more_fragments = (flags_and_offset & FLAG_MORE_FRAGMENTS) != 0;
    out->fragment_offset = (uint16_t)((flags_and_offset & OFFSET_MASK) * 8);
    out->source = address_v4(source);
    out->target = address_v4(target);
    return WIRE_OK;
}

enum wire_status ipv4_decode(struct bytes packet, struct ipv4_header *out)
{
    struct reader r = reader_of(packet);
    struct ipv4_header header = {0};
    enum wire_status status = decode_fields(&r, &header);
    if (status != WIRE_OK)
        return status;

    if (header.total_len < header.header_len)
        return WIRE_MALFORMED;
    size_t payload_len = (size_t)header.total_len - header.header_len;
    header.payload = read_bytes(&r, payload_len);
    if (r.failed)
        return WIRE_TRUNCATED;
    /* No whole packet can reach that far: the "ping of death". */
    if (header.fragment_offset + payload_len > IPV4_PACKET_MAX)
        return WIRE_MALFORMED;
    if (checksum_of(bytes_first(packet, header.header_len)) != 0)
        return WIRE_CHECKSUM;

    *out = header;
    return WIRE_OK;
}

enum wire_status ipv4_decode_quoted(struct bytes quoted, struct ipv4_header *out)
{
    struct reader r = reader_of(quoted);
    struct ipv4_header header = {0};
    enum wire_status status = decode_fields(&r, &header);
    if (status != WIRE_OK)
        return status;
    header.payload = read_rest(&r);
    *out = header;
    return WIRE_OK;
}

static size_t padded_options_len(const struct ipv4_header *header)
{
    size_t len = (header->options.len + 3) / 4 * 4;
    ASSERT(len <= IPV4_HEADER_MAX - IPV4_HEADER_LEN);
    return len;
}

static uint16_t flags_and_offset_of(const struct ipv4_header *header)
{
    ASSERT(header->fragment_offset % 8 == 0);
    unsigned word = header->fragment_offset / 8u;
    if (header->dont_fragment)
        word |= FLAG_DONT_FRAGMENT;
    if (header->more_fragments)
        word |= FLAG_MORE_FRAGMENTS;
    return (uint16_t)word;
}

static void encode(const struct ipv4_header *header, uint16_t total_len, struct writer *w)
{
    size_t options_len = padded_options_len(header);
    size_t header_len = IPV4_HEADER_LEN + options_len;
    size_t start = writer_len(w);
    write_u8(w, (uint8_t)(VERSION << 4 | header_len / 4));
    write_u8(w, header->traffic_class);
    write_u16(w, total_len);
    write_u16(w, header->identification);
    write_u16(w, flags_and_offset_of(header));
    write_u8(w, header->ttl);
    write_u8(w, header->protocol);
    write_u16(w, 0);
    write_u32(w, address_v4_value(&header->source));
    write_u32(w, address_v4_value(&header->target));
    write_bytes(w, header->options);
    write_zeros(w, options_len - header->options.len);
    uint16_t checksum = checksum_of(bytes_after(writer_bytes(w), start));
    write_u16_at(w, start + IPV4_CHECKSUM_OFFSET, checksum);
}

void ipv4_encode(const struct ipv4_header *header, struct writer *w)
{
    encode(header, header->total_len, w);
}

void ipv4_push(struct frame *frame, const struct ipv4_header *header)
{
    size_t header_len = IPV4_HEADER_LEN + padded_options_len(header);
    struct writer w = writer_of(frame_push(frame, header_len), header_len);
    size_t total_len = frame_total(frame);
    ASSERT(total_len <= IPV4_PACKET_MAX);
    encode(header, (uint16_t)total_len, &w);
}

enum ipv4_option_status ipv4_option_next(struct bytes *options, struct ipv4_option *out)
{
    struct reader r = reader_of(*options);
    uint8_t type = IPV4_OPTION_NOP;
    while (type == IPV4_OPTION_NOP && reader_left(&r) > 0)
        type = read_u8(&r);
    if (type == IPV4_OPTION_NOP || type == IPV4_OPTION_END) {
        *options = bytes_empty();
        return IPV4_OPTION_NONE;
    }
    uint8_t len = read_u8(&r);
    struct bytes data = read_bytes(&r, len >= 2 ? len - 2u : 0);
    if (r.failed || len < 2) {
        *options = bytes_empty();
        return IPV4_OPTION_MALFORMED;
    }
    *out = (struct ipv4_option){type, data};
    *options = read_rest(&r);
    return IPV4_OPTION_FOUND;
}
