/* SPDX-License-Identifier: ISC */
/*
 * icmp_message.h - messages of the Internet Control Message Protocol for IPv4: RFC 792, address
 * masks (RFC 950, appendix I), router discovery (RFC 1256 §3), next-hop MTU (RFC 1191 §4).
 */
#ifndef WN_WIRE_INET_ICMP_MESSAGE_H
#define WN_WIRE_INET_ICMP_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/bytes.h"
#include "wire/status.h"

enum {
    ICMP_HEADER_LEN = 8,   /* of echoes and errors, before data or the quoted packet */
    ICMP_QUOTED_MAX = 548, /* so that an error fits in 576 octets (RFC 1812 §4.3.2.3) */
};

enum icmp_type {
    ICMP_ECHO_REPLY = 0,
    ICMP_UNREACHABLE = 3,
    ICMP_SOURCE_QUENCH = 4, /* neither sent nor acted upon any more (RFC 6633) */
    ICMP_REDIRECT = 5,
    ICMP_ECHO_REQUEST = 8,
    ICMP_ROUTER_ADVERTISEMENT = 9,
    ICMP_ROUTER_SOLICITATION = 10,
    ICMP_TIME_EXCEEDED = 11,
    ICMP_PARAMETER_PROBLEM = 12,
    ICMP_TIMESTAMP_REQUEST = 13,
    ICMP_TIMESTAMP_REPLY = 14,
    ICMP_INFORMATION_REQUEST = 15, /* deprecated (RFC 6918) */
    ICMP_INFORMATION_REPLY = 16,
    ICMP_MASK_REQUEST = 17,
    ICMP_MASK_REPLY = 18,
};

/* Codes of ICMP_UNREACHABLE (RFC 792; RFC 1122 §3.2.2.1; RFC 1812 §5.2.7.1). */
enum icmp_unreachable_code {
    ICMP_NET_UNREACHABLE = 0,
    ICMP_HOST_UNREACHABLE = 1,
    ICMP_PROTOCOL_UNREACHABLE = 2,
    ICMP_PORT_UNREACHABLE = 3,
    ICMP_FRAGMENTATION_NEEDED = 4,
    ICMP_SOURCE_ROUTE_FAILED = 5,
    ICMP_NET_UNKNOWN = 6,
    ICMP_HOST_UNKNOWN = 7,
    ICMP_SOURCE_ISOLATED = 8,
    ICMP_NET_PROHIBITED = 9,
    ICMP_HOST_PROHIBITED = 10,
    ICMP_NET_FOR_TOS = 11,
    ICMP_HOST_FOR_TOS = 12,
    ICMP_ADMIN_PROHIBITED = 13,
    ICMP_PRECEDENCE_VIOLATION = 14,
    ICMP_PRECEDENCE_CUTOFF = 15,
};

enum icmp_redirect_code { ICMP_REDIRECT_NET, ICMP_REDIRECT_HOST };
enum icmp_time_exceeded_code { ICMP_TTL_EXCEEDED, ICMP_REASSEMBLY_EXCEEDED };

struct icmp_message {
    uint8_t type; /* says which of these holds */
    uint8_t code;
    union {
        struct { /* ECHO_*, INFORMATION_*; the latter have no data */
            uint16_t identifier;
            uint16_t sequence;
            struct bytes data;
        } echo;
        struct { /* UNREACHABLE, SOURCE_QUENCH, REDIRECT, TIME_EXCEEDED, PARAMETER_PROBLEM */
            uint16_t mtu;              /* UNREACHABLE, code 4; 0: the router does not say */
            uint8_t pointer;           /* PARAMETER_PROBLEM, code 0: octet of the quoted header */
            struct ip_address gateway; /* REDIRECT */
            struct bytes quoted;       /* IP header and first octets: ipv4_decode_quoted() */
        } error;
        struct { /* TIMESTAMP_*: milliseconds since midnight UT */
            uint16_t identifier;
            uint16_t sequence;
            uint32_t originate;
            uint32_t receive;
            uint32_t transmit;
        } timestamp;
        struct { /* MASK_* */
            uint16_t identifier;
            uint16_t sequence;
            uint32_t mask;
        } mask;
        struct {               /* ROUTER_ADVERTISEMENT */
            uint16_t lifetime; /* seconds */
            uint8_t entry_count;
            uint8_t entry_words;  /* 32-bit words of each; at least 2 */
            struct bytes entries; /* icmp_router_at() */
        } routers;
    } u;
};

/* Is the type one that reports an error, of which no error may be told (RFC 1122 §3.2.2)? */
bool icmp_is_error(uint8_t type);

/*
 * `in` is the payload of the IP packet. WIRE_CHECKSUM when it does not verify; WIRE_UNSUPPORTED
 * for other types. On WIRE_OK fills *out, whose views borrow from `in`; on anything else leaves it
 * untouched. Codes are not checked.
 */
MUST_USE enum wire_status icmp_decode(struct bytes in, struct icmp_message *out);

/* Writes the message, its checksum computed. */
void icmp_encode(const struct icmp_message *message, struct writer *w);

struct icmp_router {
    struct ip_address address;
    int32_t preference; /* the highest is the default router; INT32_MIN: not to be one */
};

/* The router at `index` < entry_count of a decoded ROUTER_ADVERTISEMENT. */
struct icmp_router icmp_router_at(const struct icmp_message *message, size_t index);

#endif
