/* SPDX-License-Identifier: ISC */
/* fuzz_ethernet.c - what was decoded encodes to the octets it came from, but for padding. */
#include "fuzz/fuzz.h"
#include "wire/link/ethernet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct ethernet_header header;
    if (ethernet_decode(bytes_of(data, len), &header) != WIRE_OK)
        return 0;
    ASSERT(header.header_len + header.payload.len <= len);
    static uint8_t out[1 << 17];
    struct writer w = writer_of(out, sizeof out);
    ethernet_encode(&header, &w);
    ASSERT(!w.failed);
    ASSERT(writer_len(&w) == header.header_len + header.payload.len);
    ASSERT(bytes_equal(writer_bytes(&w), bytes_of(data, writer_len(&w))));
    return 0;
}
