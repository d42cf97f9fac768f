/* SPDX-License-Identifier: ISC */
/*
 * dhcp_fqdn.h - the Client FQDN option (RFC 4702 §2): what a client is called, and who tells the DNS.
 */
#ifndef WN_WIRE_DHCP_DHCP_FQDN_H
#define WN_WIRE_DHCP_DHCP_FQDN_H

#include "wire/dhcp/dhcp_options.h"

enum dhcp_fqdn_flag {
    DHCP_FQDN_S = 1 << 0, /* the server is to do (does) the A record */
    DHCP_FQDN_O = 1 << 1, /* the server has overridden what the client wanted of S */
    DHCP_FQDN_E = 1 << 2, /* the name is in wire form, not in ASCII */
    DHCP_FQDN_N = 1 << 3, /* the server is to do (does) nothing at all */
};

enum { DHCP_FQDN_OPTION_MAX = 3 + 255 };

struct dhcp_fqdn {
    uint8_t flags;              /* enum dhcp_fqdn_flag */
    char label[DHCP_LABEL_MAX]; /* the name's first one, in lower case; "": none, or none for a host */
};

/* From the option's octets. False: it has no flags, or a name in wire form that is none. */
MUST_USE bool dhcp_fqdn_decode(struct bytes option, struct dhcp_fqdn *out);

/* Writes the option's octets, with the name completed by `domain` ("": none): in the form that the flags
 * say. Both names must be clean. RCODE1 and RCODE2 are 255, as servers send them (§2.2). */
void dhcp_fqdn_encode(const struct dhcp_fqdn *fqdn, const char *domain, struct writer *w);

#endif
