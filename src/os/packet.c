/* SPDX-License-Identifier: ISC */
/* packet.c - packet(7) with a filter that keeps all but one UDP port out (RFC 768, RFC 791). */
#include "os/packet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdalign.h>
#include <sys/socket.h>
#include <unistd.h>

/* Before it is bound, a socket of protocol 0 receives nothing: no frame slips past the filter. */
static int attach_filter(int fd, uint16_t udp_port)
{
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),                   /* EtherType */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 0, 8),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, ETH_HLEN + 9),         /* protocol */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 6),
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, ETH_HLEN + 6),         /* flags and fragment offset */
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x3fff, 4, 0),
        BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, ETH_HLEN),            /* header length */
        BPF_STMT(BPF_LD | BPF_H | BPF_IND, ETH_HLEN + 2),         /* target port */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, udp_port, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0xffff),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_fprog filter = {ARRAY_LEN(program), program};
    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) < 0)
        return -errno;
    int on = 1;
    return setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof on) < 0 ? -errno : 0;
}

int packet_open_udp(unsigned index, uint16_t udp_port)
{
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    struct sockaddr_ll local = {.sll_family = AF_PACKET,
                                .sll_protocol = htons(ETH_P_IP),
                                .sll_ifindex = (int)index};
    int status = attach_filter(fd, udp_port);
    if (status == 0 && bind(fd, (struct sockaddr *)&local, sizeof local) < 0)
        status = -errno;
    if (status < 0) {
        (void)close(fd);
        return status;
    }
    return fd;
}

int packet_receive(int fd, void *buffer, size_t size, bool *checksummed)
{
    alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
    struct iovec part = {buffer, size};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    ssize_t len = recvmsg(fd, &message, 0);
    if (len < 0)
        return -errno;
    if (message.msg_flags & MSG_TRUNC)
        return -EMSGSIZE;
    *checksummed = true;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c != NULL; c = CMSG_NXTHDR(&message, c)) {
        struct tpacket_auxdata facts;
        if (c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA)
            continue;
        memcpy(&facts, CMSG_DATA(c), sizeof facts);
        *checksummed = (facts.tp_status & TP_STATUS_CSUMNOTREADY) == 0;
    }
    return (int)len;
}

int packet_send(int fd, struct bytes frame)
{
    return send(fd, frame.data, frame.len, MSG_NOSIGNAL) < 0 ? -errno : 0;
}
