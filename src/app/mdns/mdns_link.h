/* SPDX-License-Identifier: ISC */
/*
 * mdns_link.h - multicast DNS on an interface of the host: the machine (proto/dns/mdns.h) with its
 * sockets, of both versions of IP, in the groups 224.0.0.251 and ff02::fb.
 *
 * Other programs on the host may do the same beside it (RFC 6762 §15). Over our own stack there is no
 * multicast yet: net_bind() says -EOPNOTSUPP.
 */
#ifndef WN_APP_MDNS_MDNS_LINK_H
#define WN_APP_MDNS_MDNS_LINK_H

#include "io/net.h"
#include "proto/dns/mdns.h"

enum { MDNS_LINK_SERVICES_MAX = MDNS_NAMES_MAX - 1 - MDNS_ADDRESSES_MAX };

struct mdns_link;

struct mdns_link_handler {
    /* Something has changed for a question or a name of the machine. */
    void (*on_event)(void *self, struct mdns_link *link, const struct mdns_event *event);
};

struct mdns_link_options {
    const char *interface; /* copied */
    const struct ip_prefix *addresses;
    size_t address_count;  /* 0: -EADDRNOTAVAIL */
    struct mdns_host *host; /* shared with the host's other links; borrowed. NULL: with none */
};

/* 0 or a negative errno. */
MUST_USE int mdns_link_new(struct net *net, const struct mdns_link_options *options,
                           const struct mdns_link_handler *handler, void *self,
                           struct mdns_link **out);

/* Says goodbye for what is ours. NULL: nothing. */
void mdns_link_free(struct mdns_link *link);

const char *mdns_link_interface(const struct mdns_link *link);

/* To ask it, and to look at what it knows; what it has to send goes out at the end of the turn. */
struct mdns *mdns_link_machine(struct mdns_link *link);

/* The host's name, "printer" for printer.local: its addresses are to be found under it, and it by them.
 * False: no label, or no room. Once. */
MUST_USE bool mdns_link_publish_host(struct mdns_link *link, const char *label);

/* A service of that host: mdns_add_service(). */
MUST_USE bool mdns_link_publish_service(struct mdns_link *link, const struct mdns_service *service);

/* The addresses have changed. */
void mdns_link_set_addresses(struct mdns_link *link, const struct ip_prefix *addresses, size_t count);

#endif
