/* SPDX-License-Identifier: ISC */
/* fuzz_tcp_header.c - options that fit encode, decode to the same, and encode to the same again. */
#include "fuzz/fuzz.h"
#include "wire/inet/tcp_header.h"

static struct bytes encoded(const struct tcp_header *header, uint8_t out[TCP_HEADER_MAX])
{
    struct writer w = writer_of(out, TCP_HEADER_MAX);
    tcp_header_encode(header, &w);
    ASSERT(!w.failed);
    ASSERT(writer_len(&w) == TCP_HEADER_LEN + tcp_options_len(&header->options));
    return writer_bytes(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct tcp_header header;
    if (tcp_header_decode(bytes_of(data, len), &header) != WIRE_OK)
        return 0;
    ASSERT(header.header_len + header.payload.len == len);
    ASSERT(header.options.sack_count <= TCP_SACK_BLOCKS_MAX);
    ASSERT(header.options.cookie_len <= TCP_COOKIE_MAX);
    ASSERT(tcp_options_len(&header.options) % 4 == 0);
    if (tcp_options_len(&header.options) > TCP_OPTIONS_MAX)
        return 0; /* unaligned, they were smaller */
    uint8_t first[TCP_HEADER_MAX];
    uint8_t second[TCP_HEADER_MAX];
    struct bytes once = encoded(&header, first);
    struct tcp_header again;
    ASSERT(tcp_header_decode(once, &again) == WIRE_OK);
    ASSERT(again.options.present == header.options.present);
    ASSERT(!again.options.malformed && !again.options.unknown);
    ASSERT(bytes_equal(encoded(&again, second), once));
    return 0;
}
