/* SPDX-License-Identifier: ISC */
/*
 * dhcp_reply.h - what a DHCP server's reply holds, and where it goes (RFC 2131 §4.1, §4.3.1, table
 * 3). The server's own.
 */
#ifndef WN_PROTO_DHCP_DHCP_REPLY_H
#define WN_PROTO_DHCP_DHCP_REPLY_H

#include "wire/dhcp/dhcp_fqdn.h"

enum { DHCP_REPLY_DNS_MAX = 4 };

/* What every client is told; 0 and "": not told. */
struct dhcp_reply_config {
    uint32_t server;
    uint32_t mask;
    uint32_t router;
    uint32_t dns[DHCP_REPLY_DNS_MAX];
    size_t dns_count;
    uint16_t mtu;
    char domain[DHCP_NAME_MAX];
};

struct dhcp_reply {
    uint8_t type;           /* DHCP_OFFER, DHCP_ACK, DHCP_NAK */
    uint32_t yiaddr;        /* 0: the answer to an INFORM, or a NAK */
    uint32_t lease_seconds;
    const char *hostname;   /* that we give the client; NULL or "": none */
    const char *name;       /* what the client is called in the DNS; NULL or "": nothing */
    const char *text;       /* of a NAK */
};

/* False: more than the client takes in one message. */
MUST_USE bool dhcp_reply_write(const struct dhcp_reply_config *config,
                               const struct dhcp_message *request, const struct dhcp_reply *reply,
                               struct writer *w);

/* RFC 2131 §4.1. `has_mac`: to be sent to that MAC without asking ARP. */
void dhcp_reply_target(const struct dhcp_message *request, const struct dhcp_reply *reply,
                       const struct endpoint *from, struct endpoint *to, struct mac *mac,
                       bool *has_mac);

#endif
