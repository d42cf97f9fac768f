/* SPDX-License-Identifier: ISC */
/*
 * dhcid.h - the DHCID record (RFC 4701): by which a name in the DNS is known to belong to a client, without
 * telling who that is.
 */
#ifndef WN_PROTO_DHCP_DHCID_H
#define WN_PROTO_DHCP_DHCID_H

#include "wire/dns/dns_name.h"

enum {
    DHCID_DIGEST_LEN = 32, /* SHA-256 */
    DHCID_LEN = 3 + DHCID_DIGEST_LEN,
    DHCID_INPUT_MAX = 255 + DNS_NAME_MAX,
};

/* §3.3 */
enum dhcid_kind { DHCID_HARDWARE, DHCID_CLIENT_ID, DHCID_DUID };

/* Who a client is: the identifier that it sent (option 61), of which one that holds a DUID is known
 * (RFC 4361 §6.1); or else (empty) its Ethernet address. */
struct dhcid_client {
    struct bytes client_id;
    struct mac mac;
};

/* What SHA-256 is to be taken of, for that client under that name (§3.5). The writer must have room for
 * DHCID_INPUT_MAX; client_id is at most 255 octets. */
enum dhcid_kind dhcid_input(const struct dhcid_client *client, const struct dns_name *name,
                            struct writer *w);

/* The record's RDATA. */
void dhcid_rdata(enum dhcid_kind kind, const uint8_t digest[DHCID_DIGEST_LEN], uint8_t out[DHCID_LEN]);

#endif
