/* SPDX-License-Identifier: ISC */
/* inside_init.h - the first process of the private network; only for inside.c and its parts. */
#ifndef WN_SITE_INSIDE_INIT_H
#define WN_SITE_INSIDE_INIT_H

#include "site/inside.h"

/* Lives in the new namespaces from its first instruction on; never returns. `socket` is its end of
 * the socket to the outside, where it first waits for one message: that its ids are mapped. */
_Noreturn void inside_init(const struct inside_options *options, int socket);

/* Parts of it; each returns 0, or a negative errno with *error. */

struct inside_link {
    struct inside_network network;
    usec duration; /* of DHCP */
    int packet_fd; /* it was asked with: every frame that comes in meets its filter, and the kernel
                      takes milliseconds to close it: later, when nobody waits. -1: none */
};

/* Sends the TAP over `socket`, and configures it. */
MUST_USE int inside_link_up(const struct inside_options *options, int socket,
                            struct inside_link *link, struct text *error);

/* What unprivileged programs inside may do that the host's settings forbid. Best effort. */
void inside_relax_sysctls(void);

/* Cuts the mounts off from the outside's, and mounts a /proc of the new process namespace. */
MUST_USE int inside_mounts(struct text *error);

/* Puts options->trusted in the place of the host's trusted certificates. */
MUST_USE int inside_trust(const struct inside_options *options, struct text *error);

/* Puts a resolv.conf for the network in the place of the host's. */
MUST_USE int inside_resolver(const struct inside_network *network, struct text *error);

#endif
