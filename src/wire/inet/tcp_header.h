/* SPDX-License-Identifier: ISC */
/*
 * tcp_header.h - the TCP header and its options (RFC 9293 §3.1, §3.2).
 *
 * Options read and written: end of list, no-operation, MSS (RFC 9293), window scale and timestamps
 * (RFC 7323), SACK-permitted and SACK (RFC 2018), user timeout (RFC 5482), fast open (RFC 7413, and
 * as it was before a kind was assigned: the experimental kind 254 with a magic number, RFC 6994).
 * Others, among them MD5 (RFC 2385) and TCP-AO (RFC 5925), are stepped over by their length and
 * noted in tcp_options.unknown.
 *
 * The checksum covers a pseudo-header, so the caller verifies it: checksum_pseudo().
 */
#ifndef WN_WIRE_INET_TCP_HEADER_H
#define WN_WIRE_INET_TCP_HEADER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/frame.h"
#include "wire/status.h"

enum {
    TCP_HEADER_LEN = 20, /* without options */
    TCP_HEADER_MAX = 60, /* Data Offset has four bits, counting words */
    TCP_OPTIONS_MAX = TCP_HEADER_MAX - TCP_HEADER_LEN,
    TCP_CHECKSUM_OFFSET = 16,  /* for frame_offload.checksum_offset */
    TCP_SACK_BLOCKS_MAX = 4,   /* RFC 2018 §3: as many as fit */
    TCP_WINDOW_SHIFT_MAX = 14, /* RFC 7323 §2.3 */
    TCP_COOKIE_MAX = 16,       /* RFC 7413 §4.1.1: 4 to 16 octets, or none to ask for one */
    TCP_COOKIE_MIN = 4,
    TCP_TIMESTAMPS_LEN = 12, /* with the two NOPs that align it (RFC 7323, appendix A) */
};

enum tcp_flag {
    TCP_FIN = 0x001,
    TCP_SYN = 0x002,
    TCP_RST = 0x004,
    TCP_PSH = 0x008,
    TCP_ACK = 0x010,
    TCP_URG = 0x020,
    TCP_ECE = 0x040, /* RFC 3168 §6.1 */
    TCP_CWR = 0x080,
    TCP_FLAGS_ALL = 0x0ff, /* the four bits above, "Rsrvd", are sent as zero and ignored */
};

/* Which of the fields of tcp_options are there. */
enum tcp_option_present {
    TCP_HAS_MSS = 1 << 0,
    TCP_HAS_WINDOW_SCALE = 1 << 1,
    TCP_HAS_SACK_PERMITTED = 1 << 2,
    TCP_HAS_SACK = 1 << 3,
    TCP_HAS_TIMESTAMPS = 1 << 4,
    TCP_HAS_USER_TIMEOUT = 1 << 5,
    TCP_HAS_COOKIE = 1 << 6,
};

/* The order in a SYN, by which a host's kind is known from far. */
enum tcp_option_order {
    TCP_OPTION_ORDER_LINUX,   /* mss, sackOK, TS, nop, wscale; mss, nop, nop, sackOK, nop, wscale */
    TCP_OPTION_ORDER_FREEBSD, /* mss, nop, wscale, sackOK, TS; mss, nop, wscale, sackOK, end */
    TCP_OPTION_ORDER_COUNT
};

/* Octets from `start` up to, not including, `end` have arrived (RFC 2018 §3). */
struct tcp_sack_block {
    uint32_t start;
    uint32_t end;
};

struct tcp_options {
    uint8_t present; /* of enum tcp_option_present; a field that is not there is zero */
    bool unknown;    /* decoding: an option of another kind was stepped over */
    bool malformed;  /* decoding: a length was wrong; that option and all behind it were ignored */
    uint8_t window_shift; /* as sent: values over TCP_WINDOW_SHIFT_MAX are the receiver's to cap */
    uint8_t sack_count;
    uint8_t cookie_len; /* 0 with TCP_HAS_COOKIE: a request for one */
    bool cookie_experimental; /* as kind 254 */
    uint8_t order;      /* encoding: enum tcp_option_order */
    uint16_t mss;
    uint16_t user_timeout; /* granularity bit and 15 bits of minutes or seconds, RFC 5482 §3 */
    uint32_t timestamp_value;
    uint32_t timestamp_echo;
    struct tcp_sack_block sack[TCP_SACK_BLOCKS_MAX];
    uint8_t cookie[TCP_COOKIE_MAX];
};

struct tcp_header {
    uint16_t source_port;
    uint16_t target_port;
    uint32_t sequence;
    uint32_t acknowledgement;
    uint16_t flags;  /* of enum tcp_flag */
    uint16_t window; /* as sent, not scaled */
    uint16_t checksum;
    uint16_t urgent;
    uint8_t header_len; /* with options. Encoding sets it by itself */
    struct tcp_options options;
    struct bytes payload; /* borrowed from the segment that was decoded */
};

/*
 * On WIRE_OK fills *out; on anything else leaves it untouched. `segment` is the payload of the IP
 * packet. Malformed options do not make the segment malformed: see tcp_options.malformed.
 */
MUST_USE enum wire_status tcp_header_decode(struct bytes segment, struct tcp_header *out);

/* Octets that the options take, padded to whole words; more than TCP_OPTIONS_MAX do not fit. */
size_t tcp_options_len(const struct tcp_options *options);

/*
 * Writes header and options, not the payload; `checksum` goes out as it stands. The options that
 * are present go in an order that hosts have settled on: MSS, SACK-permitted, timestamps, window
 * scale (or as `order` says), then user timeout, cookie, SACK; each aligned where it costs nothing.
 */
void tcp_header_encode(const struct tcp_header *header, struct writer *w);

/* The same in front of what the frame has. Returns the header's length. Options must fit, and
 * there must be headroom. */
size_t tcp_header_push(struct frame *frame, const struct tcp_header *header);

/* What a segment occupies of the sequence space: payload, SYN and FIN (RFC 9293 §3.4, SEG.LEN). */
static inline uint32_t tcp_segment_len(const struct tcp_header *header)
{
    return (uint32_t)header->payload.len + ((header->flags & TCP_SYN) != 0) +
           ((header->flags & TCP_FIN) != 0);
}

#endif
