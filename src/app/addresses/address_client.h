/* SPDX-License-Identifier: ISC */
/*
 * address_client.h - asks a DHCP server for the address of an interface of the host, and keeps it.
 *
 * It speaks through a packet socket of that interface, which gives and takes whole Ethernet frames
 * with datagrams to port 68 (os/packet.h: packet_open_udp(index, 68)), so that it works before the
 * interface has an address. What to do with the lease (addresses, routes, resolver) is the
 * caller's.
 */
#ifndef WN_APP_ADDRESSES_ADDRESS_CLIENT_H
#define WN_APP_ADDRESSES_ADDRESS_CLIENT_H

#include "io/loop.h"
#include "proto/dhcp/dhcp_client.h"

struct address_client;

struct address_client_options {
    int packet_fd;             /* non-blocking; stays the caller's, to be closed after free */
    struct mac mac;            /* of the interface */
    const char *hostname;      /* told to the server; NULL: none. Copied */
    struct ip_address reboot;  /* an address that we had before; all zero: none */
    usec timeout;              /* without a lease for so long: on_failed(). 0: tries for ever */
    usec first_retry;          /* 0: DHCP_CLIENT_FIRST_RETRY */
    /* The first lease, a new one after a loss, and each renewal. */
    void (*on_bound)(void *self, const struct dhcp_lease *lease, bool renewed);
    /* No lease within the timeout (ETIMEDOUT), or the socket failed (its errno). Once; the client
     * does nothing more then. */
    void (*on_failed)(void *self, int error);
    /* The lease is over: take the address away. The client goes on and asks for another. */
    void (*on_lost)(void *self);
    void *self;
};

/* Callbacks come from the loop. 0 or a negative errno. */
MUST_USE int address_client_new(struct loop *loop, const struct address_client_options *options,
                                struct address_client **out);

/* `release`: gives the lease back to the server first. */
void address_client_free(struct address_client *client, bool release);

/*
 * The whole exchange, blocking, without a loop of the caller's: for a process that sets up its
 * network before it runs a program. Repeats quickly, since the server is near. 0; -ETIMEDOUT; or
 * another negative errno. The times in *out are of the monotonic clock.
 */
MUST_USE int address_client_acquire(int packet_fd, const struct mac *mac, const char *hostname,
                                    usec timeout, struct dhcp_lease *out);

#endif
