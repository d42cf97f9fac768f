/* SPDX-License-Identifier: ISC */
/*
 * pingsock.h - ICMP echo through the host kernel (RFC 792, RFC 4443 §4): the unprivileged datagram
 * socket that net.ipv4.ping_group_range allows, else a raw one if the process may.
 */
#ifndef WN_OS_PINGSOCK_H
#define WN_OS_PINGSOCK_H

#include "base/address.h"

struct pingsock {
    int fd;              /* non-blocking, close-on-exec; close it */
    bool raw;
    bool v6;
    uint16_t identifier; /* of requests; on a datagram socket the kernel chooses: 0 */
};

struct pingsock_reply {
    struct ip_address from;
    uint16_t sequence;
    struct bytes payload; /* in the caller's buffer; empty with an error */
    int error;           /* positive errno: an ICMP error came back from `from`; 0: a reply */
    uint8_t type, code;  /* with an error: ICMP's */
};

/* 0 or a negative errno (-EACCES or -EPERM: neither kind is permitted). */
MUST_USE int pingsock_open(bool v6, uint16_t identifier, struct pingsock *out);

/* Sends an echo request. 0 or a negative errno. `ttl` 0: the host's default. */
MUST_USE int pingsock_send(const struct pingsock *ping, const struct ip_address *to,
                           uint16_t sequence, uint8_t ttl, struct bytes payload);

/* The next reply to a request of ours, or error; -EAGAIN: none waits. On a raw socket everybody's
 * replies pass here, and others' are skipped. */
MUST_USE int pingsock_receive(const struct pingsock *ping, void *buffer, size_t size,
                              struct pingsock_reply *out);

#endif
