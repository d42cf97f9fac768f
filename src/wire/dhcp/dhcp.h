/* SPDX-License-Identifier: ISC */
/*
 * dhcp.h - BOOTP and DHCP messages (RFC 951, RFC 1542, RFC 2131 §2, RFC 2132, RFC 3396).
 *
 * A message owns everything that is in it: its options are copied to its own storage, each code
 * once and in the order of first appearance, whatever areas (options, file, sname: RFC 2132 §9.3)
 * and pieces (RFC 3396) they came in. So the octets it was decoded from may go, the struct may be
 * copied, and the same struct is built to be sent. Unknown options are kept like the others.
 *
 * IPv4 addresses are values, most significant octet first, as address_v4() takes them: 10.0.2.1 is
 * 0x0a000201; 0 is none.
 */
#ifndef WN_WIRE_DHCP_DHCP_H
#define WN_WIRE_DHCP_DHCP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/bytes.h"
#include "wire/status.h"

enum {
    DHCP_SERVER_PORT = 67,
    DHCP_CLIENT_PORT = 68,
    DHCP_HEADER_LEN = 236,        /* up to the magic cookie */
    DHCP_MESSAGE_MIN = 300,       /* what BOOTP relays and clients may insist on, RFC 1542 §2.1 */
    DHCP_MESSAGE_DEFAULT = 548,   /* what everyone takes: 576 with IP and UDP, RFC 2131 §2 */
    DHCP_MESSAGE_MAX = 1472,      /* what an Ethernet packet carries */
    DHCP_SNAME_LEN = 64,
    DHCP_FILE_LEN = 128,
    DHCP_CHADDR_LEN = 16,
    DHCP_OPTIONS_MAX = 254,       /* codes 1 to 254 */
    DHCP_OPTIONS_SIZE = DHCP_MESSAGE_MAX - DHCP_HEADER_LEN - 4 + DHCP_SNAME_LEN + DHCP_FILE_LEN,
};

enum { DHCP_BOOTREQUEST = 1, DHCP_BOOTREPLY = 2 };
enum { DHCP_HTYPE_ETHERNET = 1 };
enum { DHCP_FLAG_BROADCAST = 0x8000 };

#define DHCP_INFINITY UINT32_MAX /* as a lease time, RFC 2131 §3.3 */

/* Values of the message type option, RFC 2132 §9.6. */
enum dhcp_type {
    DHCP_NO_TYPE, /* plain BOOTP */
    DHCP_DISCOVER,
    DHCP_OFFER,
    DHCP_REQUEST,
    DHCP_DECLINE,
    DHCP_ACK,
    DHCP_NAK,
    DHCP_RELEASE,
    DHCP_INFORM,
};

/* Option codes, RFC 2132 and the RFC that is named. */
enum {
    DHCP_PAD = 0,
    DHCP_SUBNET_MASK = 1,
    DHCP_ROUTER = 3,
    DHCP_DNS_SERVER = 6,
    DHCP_HOST_NAME = 12,
    DHCP_DOMAIN_NAME = 15,
    DHCP_INTERFACE_MTU = 26,
    DHCP_BROADCAST_ADDRESS = 28,
    DHCP_NTP_SERVER = 42,
    DHCP_REQUESTED_ADDRESS = 50,
    DHCP_LEASE_TIME = 51,
    DHCP_OVERLOAD = 52, /* never among a message's options: decoding resolves it */
    DHCP_MESSAGE_TYPE = 53,
    DHCP_SERVER_ID = 54,
    DHCP_PARAMETER_LIST = 55,
    DHCP_MESSAGE_TEXT = 56,
    DHCP_MAX_SIZE = 57,
    DHCP_T1 = 58,
    DHCP_T2 = 59,
    DHCP_VENDOR_CLASS = 60,
    DHCP_CLIENT_ID = 61,
    DHCP_CLIENT_FQDN = 81,      /* RFC 4702 */
    DHCP_RELAY_AGENT = 82,      /* RFC 3046 */
    DHCP_DOMAIN_SEARCH = 119,   /* RFC 3397 */
    DHCP_CLASSLESS_ROUTES = 121, /* RFC 3442 */
    DHCP_END = 255,
};

struct dhcp_option {
    uint16_t at; /* in `octets` */
    uint16_t len;
    uint8_t code;
};

struct dhcp_message {
    uint8_t op;
    uint8_t htype;
    uint8_t hlen; /* at most DHCP_CHADDR_LEN */
    uint8_t hops;
    uint32_t xid;
    uint16_t secs;
    uint16_t flags;
    uint32_t ciaddr;
    uint32_t yiaddr;
    uint32_t siaddr;
    uint32_t giaddr;
    uint8_t chaddr[DHCP_CHADDR_LEN];
    uint8_t sname[DHCP_SNAME_LEN]; /* zeros when it carried options */
    uint8_t file[DHCP_FILE_LEN];
    struct dhcp_option options[DHCP_OPTIONS_MAX];
    uint16_t option_count;
    uint16_t octets_len;
    bool overflow; /* dhcp_put() had no room: encoding will say so */
    uint8_t octets[DHCP_OPTIONS_SIZE];
};

/*
 * On WIRE_OK fills *out; on anything else leaves it untouched. WIRE_UNSUPPORTED: no magic cookie
 * (SKIPS RFC 951: the vendor area of BOOTP without RFC 1048's cookie), or a message longer than
 * DHCP_MESSAGE_MAX. A missing end option is forgiven, as deployed software does.
 */
MUST_USE enum wire_status dhcp_decode(struct bytes datagram, struct dhcp_message *out);

/*
 * Appends the message in at most `size_max` octets (DHCP_MESSAGE_MIN to DHCP_MESSAGE_MAX), padded
 * to DHCP_MESSAGE_MIN. Options longer than 255 octets are split; what the options area has no room
 * for goes to `file` and `sname` if those are empty. On WIRE_NO_ROOM nothing is written.
 */
MUST_USE enum wire_status dhcp_encode(const struct dhcp_message *message, size_t size_max,
                                      struct writer *w);

/* Everything zero: a message without options. */
void dhcp_message_init(struct dhcp_message *message);

/* The option's octets, valid as long as the message; false when it is not there. */
bool dhcp_find(const struct dhcp_message *message, uint8_t code, struct bytes *out);
bool dhcp_has(const struct dhcp_message *message, uint8_t code);

/* These are false also when the option has another length than its type; *out is then untouched. */
bool dhcp_find_u8(const struct dhcp_message *message, uint8_t code, uint8_t *out);
bool dhcp_find_u16(const struct dhcp_message *message, uint8_t code, uint16_t *out);
bool dhcp_find_u32(const struct dhcp_message *message, uint8_t code, uint32_t *out);

/* A list of addresses: how many were put into `out`, at most `max`; 0 when absent or malformed. */
size_t dhcp_find_addresses(const struct dhcp_message *message, uint8_t code, uint32_t *out,
                           size_t max);

/* The message type, DHCP_NO_TYPE when absent or of a wrong length. May be one not in the enum. */
uint8_t dhcp_message_type(const struct dhcp_message *message);

/* Appends an option whose code is neither there yet, nor DHCP_PAD, DHCP_END or DHCP_OVERLOAD. */
void dhcp_put(struct dhcp_message *message, uint8_t code, struct bytes value);
void dhcp_put_u8(struct dhcp_message *message, uint8_t code, uint8_t value);
void dhcp_put_u16(struct dhcp_message *message, uint8_t code, uint16_t value);
void dhcp_put_u32(struct dhcp_message *message, uint8_t code, uint32_t value);

/* "DISCOVER", …; "BOOTP" and "unknown". Static. */
const char *dhcp_type_text(uint8_t type);

#endif
