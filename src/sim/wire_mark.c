/* SPDX-License-Identifier: ISC */
/* wire_mark.c - Congestion Experienced (RFC 3168 §5), in IPv4 and IPv6 headers. */
#include "sim/wire_mark.h"

#include "base/checksum.h"
#include "wire/inet/ipv4.h"
#include "wire/link/ethernet.h"

/* Version, header length and traffic class lie in the first two octets of both: the low bits of the
 * class are those of octet 1 in IPv4, and bits 4 and 5 of it in IPv6. */
static unsigned shift_of(const uint8_t *ip)
{
    return ip[0] >> 4 == 6 ? 4 : 0;
}

/* Where the IP header begins; 0: there is none. */
static size_t find_ip(const struct frame *frame)
{
    struct ethernet_header header;
    if (ethernet_decode(frame_bytes(frame), &header) != WIRE_OK)
        return 0;
    size_t least = header.type == ETHERNET_IPV4 ? IPV4_HEADER_LEN : 2;
    bool ip = header.type == ETHERNET_IPV4 || header.type == ETHERNET_IPV6;
    return ip && frame->len >= header.header_len + least ? header.header_len : 0;
}

static void set_mark(uint8_t *ip)
{
    uint16_t old_word = (uint16_t)(ip[0] << 8 | ip[1]);
    ip[1] |= (uint8_t)(IP_CE << shift_of(ip));
    if (ip[0] >> 4 != 4)
        return;
    uint16_t new_word = (uint16_t)(ip[0] << 8 | ip[1]);
    uint8_t *field = ip + IPV4_CHECKSUM_OFFSET;
    uint16_t sum = checksum_update((uint16_t)(field[0] << 8 | field[1]), old_word, new_word);
    field[0] = (uint8_t)(sum >> 8);
    field[1] = (uint8_t)sum;
}

bool wire_mark(struct frame **frame)
{
    size_t at = find_ip(*frame);
    if (at == 0)
        return false;
    const uint8_t *ip = (*frame)->data + at;
    unsigned now = ip[1] >> shift_of(ip) & IP_ECN_MASK;
    if (now == IP_NOT_ECT || now == IP_CE)
        return false;
    if ((*frame)->refs > 1) {
        struct frame *copy = frame_copy(*frame);
        if (copy == NULL)
            return false;
        frame_unref(*frame);
        *frame = copy;
    }
    set_mark((*frame)->data + at);
    return true;
}
