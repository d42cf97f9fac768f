/* SPDX-License-Identifier: ISC */
/* tcp_header.c - RFC 9293 §3.1; options as the header file lists them. */
#include "wire/inet/tcp_header.h"

/* Option kinds, as assigned, and their lengths with kind and length. */
enum {
    KIND_END = 0,
    KIND_NOP = 1,
    KIND_MSS = 2,
    KIND_WINDOW_SCALE = 3,
    KIND_SACK_PERMITTED = 4,
    KIND_SACK = 5,
    KIND_TIMESTAMPS = 8,
    KIND_USER_TIMEOUT = 28,
    KIND_FAST_OPEN = 34,
    KIND_EXPERIMENTAL = 254, /* RFC 4727 §2.2 */

    LEN_MSS = 4,
    LEN_WINDOW_SCALE = 3,
    LEN_SACK_PERMITTED = 2,
    LEN_SACK_BLOCK = 8,
    LEN_TIMESTAMPS = 10,
    LEN_USER_TIMEOUT = 4,

    MAGIC_FAST_OPEN = 0xf989, /* what the experiment is (RFC 6994; RFC 7413 §7) */
};

/* The layout of nearly every segment that has options at all (RFC 7323, appendix A). */
static const uint8_t aligned_timestamps[4] = {KIND_NOP, KIND_NOP, KIND_TIMESTAMPS, LEN_TIMESTAMPS};

static bool decode_sack(struct reader *value, struct tcp_options *out)
{
    size_t count = reader_left(value) / LEN_SACK_BLOCK;
    if (reader_left(value) % LEN_SACK_BLOCK != 0 || count < 1 || count > TCP_SACK_BLOCKS_MAX)
        return false;
    for (size_t i = 0; i < count; i++) {
        out->sack[i].start = read_u32(value);
        out->sack[i].end = read_u32(value);
    }
    out->sack_count = (uint8_t)count;
    out->present |= TCP_HAS_SACK;
    return true;
}

/* RFC 7413 §4.1.1: empty in a request, else 4 to 16 octets and even; what has another length is to
 * be ignored. */
static void decode_cookie(struct reader *value, bool experimental, struct tcp_options *out)
{
    size_t len = reader_left(value);
    if (len != 0 && (len < TCP_COOKIE_MIN || len > TCP_COOKIE_MAX || len % 2 != 0))
        return;
    memset(out->cookie, 0, sizeof out->cookie);
    read_copy(value, out->cookie, len);
    out->cookie_len = (uint8_t)len;
    out->cookie_experimental = experimental;
    out->present |= TCP_HAS_COOKIE;
}

static void decode_experimental(struct reader *value, struct tcp_options *out)
{
    if (read_u16(value) == MAGIC_FAST_OPEN && !value->failed)
        decode_cookie(value, true, out);
    else
        out->unknown = true;
}

/* One option of `kind`, whose value is exactly what the reader has; false when the length is not
 * that of the kind. */
static bool decode_option(uint8_t kind, struct reader *value, struct tcp_options *out)
{
    size_t len = reader_left(value) + 2;
    switch (kind) {
    case KIND_MSS:
        if (len != LEN_MSS)
            return false;
        out->mss = read_u16(value);
        out->present |= TCP_HAS_MSS;
        return true;
    case KIND_WINDOW_SCALE:
        if (len != LEN_WINDOW_SCALE)
            return false;
        out->window_shift = read_u8(value);
        out->present |= TCP_HAS_WINDOW_SCALE;
        return true;
    case KIND_SACK_PERMITTED:
        if (len != LEN_SACK_PERMITTED)
            return false;
        out->present |= TCP_HAS_SACK_PERMITTED;
        return true;
    case KIND_SACK:
        return decode_sack(value, out);
    case KIND_TIMESTAMPS:
        if (len != LEN_TIMESTAMPS)
            return false;
        out->timestamp_value = read_u32(value);
        out->timestamp_echo = read_u32(value);
        out->present |= TCP_HAS_TIMESTAMPS;
        return true;
    case KIND_USER_TIMEOUT:
        if (len != LEN_USER_TIMEOUT)
            return false;
        out->user_timeout = read_u16(value);
        out->present |= TCP_HAS_USER_TIMEOUT;
        return true;
    case KIND_FAST_OPEN:
        decode_cookie(value, false, out);
        return true;
    case KIND_EXPERIMENTAL:
        decode_experimental(value, out);
        return true;
    default:
        out->unknown = true;
        return true;
    }
}

static void decode_options(struct bytes in, struct tcp_options *out)
{
    struct reader r = reader_of(in);
    if (LIKELY(in.len == TCP_TIMESTAMPS_LEN && memcmp(in.data, aligned_timestamps, 4) == 0)) {
        read_skip(&r, sizeof aligned_timestamps);
        out->timestamp_value = read_u32(&r);
        out->timestamp_echo = read_u32(&r);
        out->present = TCP_HAS_TIMESTAMPS;
        return;
    }
    while (reader_left(&r) > 0) {
        uint8_t kind = read_u8(&r);
        if (kind == KIND_END)
            return;
        if (kind == KIND_NOP)
            continue;
        uint8_t len = read_u8(&r);
        struct bytes value = read_bytes(&r, len >= 2 ? len - 2u : 0);
        struct reader value_reader = reader_of(value);
        if (r.failed || len < 2 || !decode_option(kind, &value_reader, out)) {
            out->malformed = true;
            return;
        }
    }
}

enum wire_status tcp_header_decode(struct bytes segment, struct tcp_header *out)
{
    struct reader r = reader_of(segment);
    struct tcp_header header = {0};
    header.source_port = read_u16(&r);
    header.target_port = read_u16(&r);
    header.sequence = read_u32(&r);
    header.acknowledgement = read_u32(&r);
    uint16_t offset_and_flags = read_u16(&r);
    header.window = read_u16(&r);
    header.checksum = read_u16(&r);
    header.urgent = read_u16(&r);
    if (r.failed)
        return WIRE_TRUNCATED;

    header.header_len = (uint8_t)((offset_and_flags >> 12) * 4);
    header.flags = offset_and_flags & TCP_FLAGS_ALL;
    if (header.header_len < TCP_HEADER_LEN)
        return WIRE_MALFORMED;
    struct bytes options = read_bytes(&r, header.header_len - (size_t)TCP_HEADER_LEN);
    if (r.failed)
        return WIRE_TRUNCATED;

    decode_options(options, &header.options);
    header.payload = read_rest(&r);
    *out = header;
    return WIRE_OK;
}

static bool has(const struct tcp_options *options, unsigned which)
{
    return (options->present & which) != 0;
}

static size_t cookie_len(const struct tcp_options *options)
{
    return (options->cookie_experimental ? 4u : 2u) + options->cookie_len;
}

/* NOPs behind the cookie, so that what follows begins with a word. */
static size_t cookie_padding(const struct tcp_options *options)
{
    return (4 - cookie_len(options) % 4) % 4;
}

size_t tcp_options_len(const struct tcp_options *options)
{
    size_t len = 0;
    if (has(options, TCP_HAS_MSS))
        len += LEN_MSS;
    /* SACK-permitted takes the place of the timestamps' two NOPs when both are there. */
    if (has(options, TCP_HAS_TIMESTAMPS))
        len += TCP_TIMESTAMPS_LEN;
    else if (has(options, TCP_HAS_SACK_PERMITTED))
        len += 4;
    if (has(options, TCP_HAS_WINDOW_SCALE))
        len += 4;
    if (has(options, TCP_HAS_USER_TIMEOUT))
        len += LEN_USER_TIMEOUT;
    if (has(options, TCP_HAS_COOKIE))
        len += cookie_len(options) + cookie_padding(options);
    if (has(options, TCP_HAS_SACK))
        len += 4 + (size_t)LEN_SACK_BLOCK * options->sack_count;
    return len;
}

static void write_kind(struct writer *w, uint8_t kind, size_t len)
{
    write_u8(w, kind);
    write_u8(w, (uint8_t)len);
}

static void write_nops(struct writer *w, size_t count)
{
    for (size_t i = 0; i < count; i++)
        write_u8(w, KIND_NOP);
}

static void encode_sack(const struct tcp_options *options, struct writer *w)
{
    ASSERT(options->sack_count <= TCP_SACK_BLOCKS_MAX);
    write_nops(w, 2);
    write_kind(w, KIND_SACK, 2 + (size_t)LEN_SACK_BLOCK * options->sack_count);
    for (size_t i = 0; i < options->sack_count; i++) {
        write_u32(w, options->sack[i].start);
        write_u32(w, options->sack[i].end);
    }
}

static void encode_timestamps(const struct tcp_options *options, struct writer *w)
{
    write_kind(w, KIND_TIMESTAMPS, LEN_TIMESTAMPS);
    write_u32(w, options->timestamp_value);
    write_u32(w, options->timestamp_echo);
}

static void encode_window_scale(const struct tcp_options *options, struct writer *w)
{
    write_nops(w, 1);
    write_kind(w, KIND_WINDOW_SCALE, LEN_WINDOW_SCALE);
    write_u8(w, options->window_shift);
}

/* SACK-permitted and timestamps fill words together; each alone needs two octets more. */
static void encode_linux_order(const struct tcp_options *options, struct writer *w)
{
    bool both = has(options, TCP_HAS_SACK_PERMITTED) && has(options, TCP_HAS_TIMESTAMPS);
    if (!both && (has(options, TCP_HAS_SACK_PERMITTED) || has(options, TCP_HAS_TIMESTAMPS)))
        write_nops(w, 2);
    if (has(options, TCP_HAS_SACK_PERMITTED))
        write_kind(w, KIND_SACK_PERMITTED, LEN_SACK_PERMITTED);
    if (has(options, TCP_HAS_TIMESTAMPS))
        encode_timestamps(options, w);
    if (has(options, TCP_HAS_WINDOW_SCALE))
        encode_window_scale(options, w);
}

static void encode_freebsd_order(const struct tcp_options *options, struct writer *w)
{
    bool last = !has(options, TCP_HAS_USER_TIMEOUT | TCP_HAS_COOKIE | TCP_HAS_SACK);
    if (has(options, TCP_HAS_WINDOW_SCALE))
        encode_window_scale(options, w);
    if (has(options, TCP_HAS_SACK_PERMITTED))
        write_kind(w, KIND_SACK_PERMITTED, LEN_SACK_PERMITTED);
    else if (has(options, TCP_HAS_TIMESTAMPS))
        write_nops(w, 2);
    if (has(options, TCP_HAS_TIMESTAMPS))
        encode_timestamps(options, w);
    else if (has(options, TCP_HAS_SACK_PERMITTED) && last)
        write_zeros(w, 2); /* end of list, and an octet behind it */
    else if (has(options, TCP_HAS_SACK_PERMITTED))
        write_nops(w, 2);
}

static void encode_cookie(const struct tcp_options *options, struct writer *w)
{
    ASSERT(options->cookie_len <= TCP_COOKIE_MAX);
    bool experimental = options->cookie_experimental;
    write_kind(w, experimental ? KIND_EXPERIMENTAL : KIND_FAST_OPEN, cookie_len(options));
    if (experimental)
        write_u16(w, MAGIC_FAST_OPEN);
    write_copy(w, options->cookie, options->cookie_len);
    write_nops(w, cookie_padding(options));
}

static void encode_options(const struct tcp_options *options, struct writer *w)
{
    if (has(options, TCP_HAS_MSS)) {
        write_kind(w, KIND_MSS, LEN_MSS);
        write_u16(w, options->mss);
    }
    if (options->order == TCP_OPTION_ORDER_FREEBSD)
        encode_freebsd_order(options, w);
    else
        encode_linux_order(options, w);
    if (has(options, TCP_HAS_USER_TIMEOUT)) {
        write_kind(w, KIND_USER_TIMEOUT, LEN_USER_TIMEOUT);
        write_u16(w, options->user_timeout);
    }
    if (has(options, TCP_HAS_COOKIE))
        encode_cookie(options, w);
    if (has(options, TCP_HAS_SACK))
        encode_sack(options, w);
}

void tcp_header_encode(const struct tcp_header *header, struct writer *w)
{
    size_t len = TCP_HEADER_LEN + tcp_options_len(&header->options);
    if (len > TCP_HEADER_MAX) {
        w->failed = true;
        return;
    }
    write_u16(w, header->source_port);
    write_u16(w, header->target_port);
    write_u32(w, header->sequence);
    write_u32(w, header->acknowledgement);
    write_u16(w, (uint16_t)(len / 4 << 12 | (header->flags & TCP_FLAGS_ALL)));
    write_u16(w, header->window);
    write_u16(w, header->checksum);
    write_u16(w, header->urgent);
    encode_options(&header->options, w);
}

size_t tcp_header_push(struct frame *frame, const struct tcp_header *header)
{
    size_t len = TCP_HEADER_LEN + tcp_options_len(&header->options);
    struct writer w = writer_of(frame_push(frame, len), len);
    tcp_header_encode(header, &w);
    ASSERT(!w.failed);
    return len;
}
