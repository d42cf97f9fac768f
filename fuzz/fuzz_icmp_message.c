/* SPDX-License-Identifier: ISC */
/* fuzz_icmp_message.c - the checksum is put right first. What was decoded and encoded decodes to
 * the same: encoding it again makes the same octets. */
#include "base/checksum.h"
#include "fuzz/fuzz.h"
#include "wire/inet/icmp_message.h"

enum { INPUT_MAX = 1 << 17 };

static struct bytes encoded(const struct icmp_message *message, uint8_t *out)
{
    struct writer w = writer_of(out, INPUT_MAX);
    icmp_encode(message, &w);
    ASSERT(!w.failed);
    return writer_bytes(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static uint8_t in[INPUT_MAX];
    static uint8_t first[INPUT_MAX];
    static uint8_t second[INPUT_MAX];
    struct icmp_message message;
    (void)!icmp_decode(bytes_of(data, len), &message);
    if (len < 4 || len > sizeof in)
        return 0;
    memcpy(in, data, len);
    in[2] = in[3] = 0;
    uint16_t sum = checksum_of(bytes_of(in, len));
    in[2] = (uint8_t)(sum >> 8);
    in[3] = (uint8_t)sum;
    if (icmp_decode(bytes_of(in, len), &message) != WIRE_OK)
        return 0;
    if (message.type == ICMP_ROUTER_ADVERTISEMENT)
        for (size_t i = 0; i < message.u.routers.entry_count; i++)
            (void)icmp_router_at(&message, i);
    struct bytes once = encoded(&message, first);
    struct icmp_message again;
    ASSERT(icmp_decode(once, &again) == WIRE_OK);
    ASSERT(bytes_equal(encoded(&again, second), once));
    ASSERT(once.len <= len);
    return 0;
}
