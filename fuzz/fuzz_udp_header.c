/* SPDX-License-Identifier: ISC */
/* fuzz_udp_header.c - a decoded datagram encodes to its octets. */
#include "fuzz/fuzz.h"
#include "wire/inet/udp_header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct udp_header header;
    if (udp_decode(bytes_of(data, len), &header) != WIRE_OK)
        return 0;
    static uint8_t out[1 << 16];
    struct writer w = writer_of(out, sizeof out);
    udp_encode(&header, &w);
    ASSERT(!w.failed && writer_len(&w) <= len);
    ASSERT(bytes_equal(writer_bytes(&w), bytes_of(data, writer_len(&w))));
    return 0;
}
