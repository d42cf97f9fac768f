/* SPDX-License-Identifier: ISC */
/* fuzz_arp_packet.c - a decoded packet encodes to its octets. */
#include "fuzz/fuzz.h"
#include "wire/link/arp_packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct arp_packet packet;
    if (arp_decode(bytes_of(data, len), &packet) != WIRE_OK)
        return 0;
    uint8_t out[ARP_LEN];
    struct writer w = writer_of(out, sizeof out);
    arp_encode(&packet, &w);
    ASSERT(!w.failed);
    ASSERT(bytes_equal(writer_bytes(&w), bytes_of(data, ARP_LEN)));
    ASSERT(!(arp_is_probe(&packet) && arp_is_announcement(&packet)));
    return 0;
}
