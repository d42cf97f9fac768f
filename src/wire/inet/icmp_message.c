/* SPDX-License-Identifier: ISC */
/*
 * icmp_message.c - RFC 792, RFC 950 appendix I, RFC 1256 §3.
 * SKIPS RFC 4884: no extension is made, and those received are part of what is quoted.
 */
#include "wire/inet/icmp_message.h"

#include "base/checksum.h"

enum {
    CHECKSUM_OFFSET = 2,
    ROUTER_WORDS_MIN = 2, /* address and preference (RFC 1256 §3) */
};

bool icmp_is_error(uint8_t type)
{
    return type == ICMP_UNREACHABLE || type == ICMP_SOURCE_QUENCH || type == ICMP_REDIRECT ||
           type == ICMP_TIME_EXCEEDED || type == ICMP_PARAMETER_PROBLEM;
}

static void decode_error(struct reader *r, struct icmp_message *out)
{
    uint32_t word = read_u32(r);
    out->u.error.gateway = address_any_v4();
    out->u.error.mtu = 0;
    out->u.error.pointer = 0;
    if (out->type == ICMP_UNREACHABLE && out->code == ICMP_FRAGMENTATION_NEEDED)
        out->u.error.mtu = (uint16_t)word;
    else if (out->type == ICMP_PARAMETER_PROBLEM)
        out->u.error.pointer = (uint8_t)(word >> 24);
    else if (out->type == ICMP_REDIRECT)
        out->u.error.gateway = address_v4(word);
    out->u.error.quoted = read_rest(r);
}

static void decode_timestamp(struct reader *r, struct icmp_message *out)
{
    out->u.timestamp.identifier = read_u16(r);
    out->u.timestamp.sequence = read_u16(r);
    out->u.timestamp.originate = read_u32(r);
    out->u.timestamp.receive = read_u32(r);
    out->u.timestamp.transmit = read_u32(r);
}

static void decode_mask(struct reader *r, struct icmp_message *out)
{
    out->u.mask.identifier = read_u16(r);
    out->u.mask.sequence = read_u16(r);
    out->u.mask.mask = read_u32(r);
}

static enum wire_status decode_routers(struct reader *r, struct icmp_message *out)
{
    out->u.routers.entry_count = read_u8(r);
    out->u.routers.entry_words = read_u8(r);
    out->u.routers.lifetime = read_u16(r);
    if (r->failed)
        return WIRE_TRUNCATED;
    /* RFC 1256 §6.2: validity of an advertisement. */
    if (out->u.routers.entry_count < 1 || out->u.routers.entry_words < ROUTER_WORDS_MIN)
        return WIRE_MALFORMED;
    size_t len = (size_t)out->u.routers.entry_count * out->u.routers.entry_words * 4;
    out->u.routers.entries = read_bytes(r, len);
    return WIRE_OK;
}

/* What follows type, code and checksum. */
static enum wire_status decode_body(struct reader *r, struct icmp_message *out)
{
    switch (out->type) {
    case ICMP_ECHO_REPLY:
    case ICMP_ECHO_REQUEST:
        out->u.echo.identifier = read_u16(r);
        out->u.echo.sequence = read_u16(r);
        out->u.echo.data = read_rest(r);
        return WIRE_OK;
    case ICMP_INFORMATION_REQUEST:
    case ICMP_INFORMATION_REPLY:
        out->u.echo.identifier = read_u16(r);
        out->u.echo.sequence = read_u16(r);
        out->u.echo.data = bytes_empty();
        return WIRE_OK;
    case ICMP_UNREACHABLE:
    case ICMP_SOURCE_QUENCH:
    case ICMP_REDIRECT:
    case ICMP_TIME_EXCEEDED:
    case ICMP_PARAMETER_PROBLEM:
        decode_error(r, out);
        return WIRE_OK;
    case ICMP_TIMESTAMP_REQUEST:
    case ICMP_TIMESTAMP_REPLY:
        decode_timestamp(r, out);
        return WIRE_OK;
    case ICMP_MASK_REQUEST:
    case ICMP_MASK_REPLY:
        decode_mask(r, out);
        return WIRE_OK;
    case ICMP_ROUTER_ADVERTISEMENT:
        return decode_routers(r, out);
    case ICMP_ROUTER_SOLICITATION:
        read_skip(r, 4); /* reserved */
        return WIRE_OK;
    default:
        return WIRE_UNSUPPORTED;
    }
}

enum wire_status icmp_decode(struct bytes in, struct icmp_message *out)
{
    struct reader r = reader_of(in);
    struct icmp_message message = {0};
    message.type = read_u8(&r);
    message.code = read_u8(&r);
    read_skip(&r, 2); /* the checksum is verified over the whole */
    if (r.failed)
        return WIRE_TRUNCATED;
    if (checksum_of(in) != 0)
        return WIRE_CHECKSUM;
    enum wire_status status = decode_body(&r, &message);
    if (status != WIRE_OK)
        return status;
    if (r.failed)
        return WIRE_TRUNCATED;
    *out = message;
    return WIRE_OK;
}

static void encode_error(const struct icmp_message *message, struct writer *w)
{
    uint32_t word = 0;
    if (message->type == ICMP_UNREACHABLE && message->code == ICMP_FRAGMENTATION_NEEDED)
        word = message->u.error.mtu;
    else if (message->type == ICMP_PARAMETER_PROBLEM)
        word = (uint32_t)message->u.error.pointer << 24;
    else if (message->type == ICMP_REDIRECT)
        word = address_v4_value(&message->u.error.gateway);
    write_u32(w, word);
    write_bytes(w, message->u.error.quoted);
}

static void encode_timestamp(const struct icmp_message *message, struct writer *w)
{
    write_u16(w, message->u.timestamp.identifier);
    write_u16(w, message->u.timestamp.sequence);
    write_u32(w, message->u.timestamp.originate);
    write_u32(w, message->u.timestamp.receive);
    write_u32(w, message->u.timestamp.transmit);
}

static void encode_mask(const struct icmp_message *message, struct writer *w)
{
    write_u16(w, message->u.mask.identifier);
    write_u16(w, message->u.mask.sequence);
    write_u32(w, message->u.mask.mask);
}

static void encode_routers(const struct icmp_message *message, struct writer *w)
{
    write_u8(w, message->u.routers.entry_count);
    write_u8(w, message->u.routers.entry_words);
    write_u16(w, message->u.routers.lifetime);
    write_bytes(w, message->u.routers.entries);
}

static void encode_body(const struct icmp_message *message, struct writer *w)
{
    switch (message->type) {
    case ICMP_ECHO_REPLY:
    case ICMP_ECHO_REQUEST:
        write_u16(w, message->u.echo.identifier);
        write_u16(w, message->u.echo.sequence);
        write_bytes(w, message->u.echo.data);
        return;
    case ICMP_INFORMATION_REQUEST:
    case ICMP_INFORMATION_REPLY:
        write_u16(w, message->u.echo.identifier);
        write_u16(w, message->u.echo.sequence);
        return;
    case ICMP_TIMESTAMP_REQUEST:
    case ICMP_TIMESTAMP_REPLY:
        encode_timestamp(message, w);
        return;
    case ICMP_MASK_REQUEST:
    case ICMP_MASK_REPLY:
        encode_mask(message, w);
        return;
    case ICMP_ROUTER_ADVERTISEMENT:
        encode_routers(message, w);
        return;
    case ICMP_ROUTER_SOLICITATION:
        write_u32(w, 0);
        return;
    default:
        ASSERT(icmp_is_error(message->type));
        encode_error(message, w);
        return;
    }
}

void icmp_encode(const struct icmp_message *message, struct writer *w)
{
    size_t start = writer_len(w);
    write_u8(w, message->type);
    write_u8(w, message->code);
    write_u16(w, 0);
    encode_body(message, w);
    uint16_t checksum = checksum_of(bytes_after(writer_bytes(w), start));
    write_u16_at(w, start + CHECKSUM_OFFSET, checksum);
}

struct icmp_router icmp_router_at(const struct icmp_message *message, size_t index)
{
    ASSERT(message->type == ICMP_ROUTER_ADVERTISEMENT && index < message->u.routers.entry_count);
    size_t entry_len = (size_t)message->u.routers.entry_words * 4;
    struct reader r = reader_of(bytes_after(message->u.routers.entries, index * entry_len));
    uint32_t address = read_u32(&r);
    uint32_t preference = read_u32(&r);
    ASSERT(!r.failed);
    return (struct icmp_router){address_v4(address), (int32_t)preference};
}
