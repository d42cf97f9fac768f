/* SPDX-License-Identifier: ISC */
/*
 * storm.c - hostile frames from inside a private network, for the tests of the gateway.
 *
 *      storm INTERFACE OCTETS SEED
 *
 * Sends at least OCTETS octets through a packet socket: random ones, and sound ARP, ICMP, UDP, TCP and
 * fragment frames with mutations. What it sends depends on SEED alone. The network it is let loose
 * in must have no way out (--internet none): the target addresses are random, too.
 */
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/checksum.h"
#include "base/prng.h"

enum { ETHERNET = 14, IP = 20, FRAME_MAX = 1514, GATEWAY = 0x0a000201, GUEST = 0x0a00020f };

static struct prng prng;
static uint8_t own_mac[6];

static uint32_t below(uint32_t limit)
{
    return prng_below(&prng, limit);
}

static size_t put_ethernet(uint8_t *frame, uint16_t type)
{
    static const uint8_t gateway_mac[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    memcpy(frame, gateway_mac, 6);
    memcpy(frame + 6, own_mac, 6);
    frame[12] = (uint8_t)(type >> 8);
    frame[13] = (uint8_t)type;
    return ETHERNET;
}

static uint32_t some_target(void)
{
    switch (below(4)) {
    case 0:
        return GATEWAY + 1; /* the host */
    case 1:
        return prng_u32(&prng);
    default:
        return GATEWAY;
    }
}

static size_t make_arp(uint8_t *frame)
{
    struct writer w = writer_of(frame + put_ethernet(frame, 0x0806), 28);
    write_u32(&w, 0x00010800);
    write_u32(&w, 0x06040000 | (below(2) ? 1 : 2));
    write_copy(&w, own_mac, 6);
    write_u32(&w, below(2) ? GUEST : prng_u32(&prng));
    write_zeros(&w, 6);
    write_u32(&w, some_target());
    return ETHERNET + writer_len(&w);
}

/* IP with a transport of random contents but sensible ports and a correct checksum. */
static size_t make_ip(uint8_t *frame)
{
    static const uint8_t protocols[] = {1, 6, 6, 6, 17, 17, 2, 99};
    uint8_t protocol = protocols[below(sizeof protocols)];
    size_t payload_len = below(4) == 0 ? below(FRAME_MAX - ETHERNET - IP) : 8 + below(60);
    uint32_t target = some_target();
    size_t at = put_ethernet(frame, 0x0800);
    struct writer w = writer_of(frame + at, IP);
    write_u16(&w, 0x4500);
    write_u16(&w, (uint16_t)(IP + payload_len));
    write_u16(&w, (uint16_t)below(8));
    write_u16(&w, below(3) == 0 ? (uint16_t)(below(2) << 13 | below(40)) : 0x4000);
    write_u16(&w, (uint16_t)((1 + below(255)) << 8 | protocol));
    write_u16(&w, 0);
    write_u32(&w, below(8) ? GUEST : prng_u32(&prng));
    write_u32(&w, target);
    write_u16_at(&w, 10, checksum_of(bytes_of(frame + at, IP)));
    uint8_t *transport = frame + at + IP;
    prng_fill(&prng, transport, payload_len);
    static const uint16_t ports[] = {53, 67, 68, 80, 1, 0, 65535};
    uint16_t port = ports[below(ARRAY_LEN(ports))];
    transport[2] = (uint8_t)(port >> 8);
    transport[3] = (uint8_t)port;
    size_t checksum_at = protocol == 6 ? 16 : protocol == 17 ? 6 : 2;
    if (protocol == 17) {
        transport[4] = (uint8_t)(payload_len >> 8);
        transport[5] = (uint8_t)payload_len;
    }
    if (protocol == 6 && payload_len > 13) {
        transport[12] = (uint8_t)((5 + below(11)) << 4);
        transport[13] = below(2) ? 0x02 : (uint8_t)below(64); /* many a SYN */
    }
    if (payload_len >= checksum_at + 2 && (protocol == 6 || protocol == 17 || protocol == 1)) {
        struct ip_address source = address_v4(GUEST), destination = address_v4(target);
        memset(transport + checksum_at, 0, 2);
        uint64_t sum = protocol == 1 ? 0 : checksum_pseudo(&source, &destination, protocol,
                                                           (uint32_t)payload_len);
        uint16_t field = (uint16_t)~checksum_fold(
            checksum_add(sum, bytes_of(transport, payload_len), 0));
        transport[checksum_at] = (uint8_t)(field >> 8);
        transport[checksum_at + 1] = (uint8_t)field;
    }
    return at + IP + payload_len;
}

static size_t make_frame(uint8_t *frame)
{
    size_t len;
    uint32_t kind = below(10);
    if (kind == 0) {
        len = ETHERNET + below(FRAME_MAX - ETHERNET);
        prng_fill(&prng, frame, len);
    } else {
        len = kind == 1 ? make_arp(frame) : make_ip(frame);
    }
    if (below(2) == 0)
        for (uint32_t edits = 1 + below(4); edits > 0; edits--)
            frame[12 + below((uint32_t)len - 12)] ^= (uint8_t)(1u << below(8));
    if (below(10) == 0)
        len = ETHERNET + below((uint32_t)(len - ETHERNET) + 1);
    return len;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: storm INTERFACE OCTETS SEED\n");
        return 2;
    }
    int fd = socket(AF_PACKET, SOCK_RAW, 0);
    struct ifreq request = {0};
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", argv[1]);
    if (fd < 0 || ioctl(fd, SIOCGIFHWADDR, &request) < 0) {
        perror("storm");
        return 1;
    }
    memcpy(own_mac, request.ifr_hwaddr.sa_data, 6);
    struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_halen = 6,
                             .sll_ifindex = (int)if_nametoindex(argv[1])};
    unsigned long long wanted = strtoull(argv[2], NULL, 10), octets = 0, frames = 0, refused = 0;
    prng_init_number(&prng, strtoull(argv[3], NULL, 10));
    while (octets < wanted) {
        uint8_t frame[FRAME_MAX + 64];
        size_t len = make_frame(frame);
        if (sendto(fd, frame, len, 0, (struct sockaddr *)&to, sizeof to) == (ssize_t)len) {
            octets += len;
            frames++;
        } else if (++refused % 16 == 0) {
            usleep(500); /* the device's queue is full */
        }
    }
    printf("%llu frames, %llu octets\n", frames, octets);
    close(fd);
    return 0;
}
