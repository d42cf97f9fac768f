/* SPDX-License-Identifier: ISC */
/* fuzz_ipv4.c - the checksum is put right first, or hardly any input would get behind it. A decoded
 * header encodes to its octets, but for the reserved flag; options end. */
#include "base/checksum.h"
#include "fuzz/fuzz.h"
#include "wire/inet/ipv4.h"

enum { INPUT_MAX = 1 << 17, FLAGS_AT = 6, RESERVED_FLAG = 0x80 };

static void walk_options(struct bytes options)
{
    struct ipv4_option option;
    size_t len = options.len;
    while (ipv4_option_next(&options, &option) == IPV4_OPTION_FOUND) {
        ASSERT(options.len + option.data.len + 2 <= len);
        len = options.len;
    }
    ASSERT(options.len == 0);
}

static void correct_checksum(uint8_t *packet, size_t len)
{
    size_t header_len = len > 0 ? (packet[0] & 15u) * 4 : 0;
    if (header_len < IPV4_HEADER_LEN || header_len > len)
        return;
    packet[FLAGS_AT] &= (uint8_t)~RESERVED_FLAG;
    packet[IPV4_CHECKSUM_OFFSET] = 0;
    packet[IPV4_CHECKSUM_OFFSET + 1] = 0;
    uint16_t sum = checksum_of(bytes_of(packet, header_len));
    packet[IPV4_CHECKSUM_OFFSET] = (uint8_t)(sum >> 8);
    packet[IPV4_CHECKSUM_OFFSET + 1] = (uint8_t)sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct ipv4_header header;
    walk_options(bytes_of(data, len));
    if (ipv4_decode_quoted(bytes_of(data, len), &header) == WIRE_OK)
        ASSERT(header.header_len + header.payload.len == len);
    (void)!ipv4_decode(bytes_of(data, len), &header);

    static uint8_t packet[INPUT_MAX];
    if (len > sizeof packet)
        return 0;
    memcpy(packet, data, len);
    correct_checksum(packet, len);
    if (ipv4_decode(bytes_of(packet, len), &header) != WIRE_OK)
        return 0;
    ASSERT(header.header_len + header.payload.len == header.total_len);
    walk_options(header.options);
    uint8_t out[IPV4_HEADER_MAX];
    struct writer w = writer_of(out, sizeof out);
    ipv4_encode(&header, &w);
    ASSERT(!w.failed);
    ASSERT(bytes_equal(writer_bytes(&w), bytes_of(packet, header.header_len)));
    return 0;
}
