/* SPDX-License-Identifier: ISC */
/*
 * script_packet.h - packets of a script and packets of a stack: made, read, compared, written out.
 *
 * What the stack sends is read into the same structure that a script's packet is, so that the two
 * are compared field by field and written in the same words.
 */
#ifndef WN_SIM_SCRIPT_SCRIPT_PACKET_H
#define WN_SIM_SCRIPT_SCRIPT_PACKET_H

#include "base/address.h"
#include "sim/script/script_tree.h"

/* Writes an IPv4 packet with its checksums; the payload is zeros. `window` must be given. */
void script_packet_encode(const struct script_packet *packet, const struct endpoint *source,
                          const struct endpoint *target, struct writer *w);

struct script_live_packet {
    struct script_packet packet; /* `inbound` false */
    struct endpoint source, target;
    bool zeros; /* the payload is nothing else */
};

/* Reads the first octets of an IPv4 packet. False: no TCP, UDP or ICMP over IPv4, or malformed. */
MUST_USE bool script_packet_decode(struct bytes ip, struct script_live_packet *out);

/* Of a TCP segment: its timestamps, when it has that option. */
bool script_packet_timestamps(const struct script_packet *packet, uint32_t *value, uint32_t *echo);
void script_packet_set_timestamps(struct script_packet *packet, uint32_t value, uint32_t echo);

/* Adds `offset` to the numbers in the SACK option. */
void script_packet_move_sack(struct script_packet *packet, uint32_t offset);

/* "P. 1:1001(1000) ack 1 win 257 <nop,nop,TS val 1 ecr 2>". */
void script_packet_format(const struct script_packet *packet, struct text *out);

/*
 * Does `actual` look as `expected` says? Otherwise false, and *difference has the first field that
 * does not: "sequence: expected 1, got 1001". Timestamps are looked at only in so far as the option
 * must be there; their values are the caller's to judge.
 */
MUST_USE bool script_packet_matches(const struct script_packet *expected,
                                    const struct script_packet *actual, struct text *difference);

/* Does `next` go on where `last` ends, as segments made of one large one do? Otherwise false, and
 * *difference says why. */
MUST_USE bool script_packet_continues(const struct script_packet *last,
                                      const struct script_packet *next, struct text *difference);

/* An option at the front of *options, which it is taken off; false: none, or malformed. */
struct script_tcp_option {
    uint8_t kind;
    struct bytes data; /* behind kind and length */
};
bool script_option_next(struct bytes *options, struct script_tcp_option *out);

#endif
