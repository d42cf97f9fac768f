/* SPDX-License-Identifier: ISC */
/* pcapng_read.c - reading blocks of draft-ietf-opsawg-pcapng, §3 and §4, in either byte order. */
#include "wire/capture/pcapng.h"
#include "wire/capture/pcapng_format.h"

/* A cursor for integers in the order of the section. */
struct ordered {
    struct reader r;
    bool little_endian;
};

static uint16_t ordered_u16(struct ordered *in)
{
    uint16_t value = read_u16(&in->r);
    return in->little_endian ? (uint16_t)(value << 8 | value >> 8) : value;
}

static uint32_t ordered_u32(struct ordered *in)
{
    uint32_t first = ordered_u16(in);
    uint32_t second = ordered_u16(in);
    return in->little_endian ? second << 16 | first : first << 16 | second;
}

/* 64 bits as an option has them. */
static uint64_t ordered_u64(struct ordered *in)
{
    uint64_t first = ordered_u32(in);
    uint64_t second = ordered_u32(in);
    return in->little_endian ? second << 32 | first : first << 32 | second;
}

/* A timestamp: its high half comes first in either order (§4.3). */
static uint64_t ordered_timestamp(struct ordered *in)
{
    uint64_t high = ordered_u32(in);
    uint64_t low = ordered_u32(in);
    return high << 32 | low;
}

struct option {
    uint16_t code;
    struct bytes value;
};

/* The next option; false at their end, which may be the end of the block, or one cut short. */
static bool next_option(struct ordered *in, struct option *out)
{
    if (in->r.failed || reader_left(&in->r) == 0)
        return false;
    out->code = ordered_u16(in);
    uint16_t len = ordered_u16(in);
    out->value = read_bytes(&in->r, len);
    read_skip(&in->r, pcapng_padding(len));
    return !in->r.failed && out->code != PCAPNG_OPTION_END;
}

static struct ordered value_of(const struct option *option, const struct ordered *in)
{
    return (struct ordered){reader_of(option->value), in->little_endian};
}

static enum wire_status read_section(struct ordered *in, struct pcapng_section *out)
{
    *out = (struct pcapng_section){bytes_empty(), bytes_empty(), bytes_empty(), bytes_empty()};
    read_skip(&in->r, 4); /* the magic, which told the order */
    uint16_t major = ordered_u16(in);
    read_skip(&in->r, 2 + 8); /* minor version; the section's length */
    if (in->r.failed)
        return WIRE_TRUNCATED;
    if (major != PCAPNG_VERSION_MAJOR)
        return WIRE_UNSUPPORTED;
    struct option option;
    while (next_option(in, &option)) {
        if (option.code == PCAPNG_OPTION_COMMENT && out->comment.len == 0)
            out->comment = option.value;
        else if (option.code == PCAPNG_SECTION_HARDWARE)
            out->hardware = option.value;
        else if (option.code == PCAPNG_SECTION_OS)
            out->os = option.value;
        else if (option.code == PCAPNG_SECTION_APPLICATION)
            out->application = option.value;
    }
    return WIRE_OK;
}

static void read_interface(struct ordered *in, struct pcapng_interface *out)
{
    *out = (struct pcapng_interface){
        .name = bytes_empty(),
        .description = bytes_empty(),
        .resolution = PCAPNG_RESOLUTION_DEFAULT,
    };
    out->link_type = ordered_u16(in);
    read_skip(&in->r, 2);
    out->snap_len = ordered_u32(in);
    struct option option;
    while (next_option(in, &option)) {
        struct bytes value = option.value;
        if (option.code == PCAPNG_INTERFACE_NAME) {
            out->name = value;
        } else if (option.code == PCAPNG_INTERFACE_DESCRIPTION) {
            out->description = value;
        } else if (option.code == PCAPNG_INTERFACE_MAC && value.len == sizeof out->mac.octets) {
            memcpy(out->mac.octets, value.data, value.len);
            out->has_mac = true;
        } else if (option.code == PCAPNG_INTERFACE_RESOLUTION && value.len == 1) {
            out->resolution = value.data[0];
        }
    }
}

static void read_packet(struct ordered *in, struct pcapng_packet *out)
{
    *out = (struct pcapng_packet){.captured = bytes_empty(), .comment = bytes_empty()};
    out->interface = ordered_u32(in);
    out->timestamp = ordered_timestamp(in);
    uint32_t captured_len = ordered_u32(in);
    out->original_len = ordered_u32(in);
    out->captured = read_bytes(&in->r, captured_len);
    read_skip(&in->r, pcapng_padding(captured_len));
    struct option option;
    while (next_option(in, &option)) {
        struct ordered value = value_of(&option, in);
        if (option.code == PCAPNG_OPTION_COMMENT && out->comment.len == 0)
            out->comment = option.value;
        else if (option.code == PCAPNG_PACKET_FLAGS && option.value.len == 4)
            out->direction = (uint8_t)(ordered_u32(&value) & PCAPNG_DIRECTION_MASK);
    }
}

static void read_simple_packet(struct ordered *in, struct pcapng_packet *out)
{
    *out = (struct pcapng_packet){.comment = bytes_empty()};
    out->original_len = ordered_u32(in);
    struct bytes captured = read_rest(&in->r);
    out->captured = bytes_first(captured, out->original_len);
}

static void read_statistics(struct ordered *in, struct pcapng_statistics *out)
{
    *out = (struct pcapng_statistics){0};
    out->interface = ordered_u32(in);
    out->timestamp = ordered_timestamp(in);
    struct option option;
    while (next_option(in, &option)) {
        struct ordered value = value_of(&option, in);
        if (option.value.len != 8)
            continue;
        if (option.code == PCAPNG_STATISTICS_RECEIVED) {
            out->received = ordered_u64(&value);
            out->has_received = true;
        } else if (option.code == PCAPNG_STATISTICS_DROPPED) {
            out->dropped = ordered_u64(&value);
            out->has_dropped = true;
        }
    }
}

static enum wire_status read_body(struct ordered *in, struct pcapng_block *out)
{
    enum wire_status status = WIRE_OK;
    switch (out->type) {
    case PCAPNG_SECTION:
        status = read_section(in, &out->u.section);
        break;
    case PCAPNG_INTERFACE:
        read_interface(in, &out->u.interface);
        break;
    case PCAPNG_PACKET:
        read_packet(in, &out->u.packet);
        break;
    case PCAPNG_SIMPLE_PACKET:
        read_simple_packet(in, &out->u.packet);
        break;
    case PCAPNG_STATISTICS:
        read_statistics(in, &out->u.statistics);
        break;
    default:
        out->u.body = read_rest(&in->r);
        break;
    }
    /* The block's own length held; something in it reaches beyond it. */
    return status == WIRE_OK && in->r.failed ? WIRE_MALFORMED : status;
}

struct pcapng_reader pcapng_reader_of(struct bytes file)
{
    return (struct pcapng_reader){.rest = file};
}

/* The order of the section that begins here; false when the magic is none. */
static bool find_order(struct bytes block, bool *little_endian)
{
    struct reader r = reader_of(block);
    read_skip(&r, 8);
    uint32_t magic = read_u32(&r);
    *little_endian = magic == 0x4d3c2b1a;
    return magic == PCAPNG_BYTE_ORDER_MAGIC || *little_endian;
}

enum wire_status pcapng_next(struct pcapng_reader *reader, struct pcapng_block *out)
{
    struct reader plain = reader_of(reader->rest);
    if (reader_left(&plain) < PCAPNG_BLOCK_LEN_MIN)
        return WIRE_TRUNCATED;
    /* The section header's type reads the same either way (§4.1). */
    bool is_section = read_u32(&plain) == PCAPNG_SECTION;
    bool little_endian = reader->little_endian;
    if (is_section ? !find_order(reader->rest, &little_endian) : !reader->in_section)
        return WIRE_MALFORMED;

    struct ordered in = {reader_of(reader->rest), little_endian};
    struct pcapng_block block = {.type = ordered_u32(&in)};
    uint32_t len = ordered_u32(&in);
    if (len < PCAPNG_BLOCK_LEN_MIN || len % 4 != 0)
        return WIRE_MALFORMED;
    struct bytes body = read_bytes(&in.r, len - PCAPNG_BLOCK_LEN_MIN);
    uint32_t len_again = ordered_u32(&in);
    if (in.r.failed)
        return WIRE_TRUNCATED;
    if (len_again != len)
        return WIRE_MALFORMED;

    struct ordered body_reader = {reader_of(body), little_endian};
    enum wire_status status = read_body(&body_reader, &block);
    if (status != WIRE_OK)
        return status;
    reader->rest = bytes_after(reader->rest, len);
    reader->little_endian = little_endian;
    reader->in_section = true;
    *out = block;
    return WIRE_OK;
}
