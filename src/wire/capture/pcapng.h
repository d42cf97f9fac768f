/* SPDX-License-Identifier: ISC */
/*
 * pcapng.h - capture files in the PCAP Next Generation format (draft-ietf-opsawg-pcapng), written
 * and read: section headers, interface descriptions, packets, interface statistics.
 *
 * A file is a section header, one description per interface, then packets and statistics, which
 * name interfaces by their number in order of description. Timestamps count from 1970 in units of
 * the interface (10^-6 s here). Written in network byte order; read in either.
 */
#ifndef WN_WIRE_CAPTURE_PCAPNG_H
#define WN_WIRE_CAPTURE_PCAPNG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/bytes.h"
#include "base/frame.h"
#include "wire/status.h"

enum {
    PCAPNG_TEXT_MAX = 1024, /* written: names and comments are cut to this */
    /* What a block takes at most besides its captured octets, with the options written here. */
    PCAPNG_BLOCK_OVERHEAD = 64 + 4 * (PCAPNG_TEXT_MAX + 8),
};

enum pcapng_link_type { PCAPNG_ETHERNET = 1, PCAPNG_RAW_IP = 101 };

enum pcapng_direction { PCAPNG_UNKNOWN = 0, PCAPNG_INBOUND = 1, PCAPNG_OUTBOUND = 2 };

enum pcapng_block_type {
    PCAPNG_INTERFACE = 0x00000001,
    PCAPNG_SIMPLE_PACKET = 0x00000003,
    PCAPNG_STATISTICS = 0x00000005,
    PCAPNG_PACKET = 0x00000006,
    PCAPNG_SECTION = 0x0a0d0d0a,
};

/* Texts are UTF-8; empty ones are not written, and mean "not there" when read. */
struct pcapng_section {
    struct bytes hardware;
    struct bytes os;
    struct bytes application;
    struct bytes comment;
};

struct pcapng_interface {
    uint16_t link_type; /* enum pcapng_link_type */
    uint32_t snap_len;  /* 0: no limit */
    struct bytes name;
    struct bytes description;
    bool has_mac;
    struct mac mac;
    uint8_t resolution; /* reading: if_tsresol, 6 when not given. Written as 6 always */
};

struct pcapng_packet {
    uint32_t interface;
    uint64_t timestamp;
    uint32_t original_len; /* on the wire; at least captured.len */
    uint8_t direction;     /* enum pcapng_direction */
    struct bytes captured;
    struct bytes comment; /* the first, when read */
};

struct pcapng_statistics {
    uint32_t interface;
    uint64_t timestamp;
    bool has_received;
    bool has_dropped;
    uint64_t received; /* packets seen */
    uint64_t dropped;  /* packets not in the file for want of room */
};

void pcapng_write_section(struct writer *w, const struct pcapng_section *section);
void pcapng_write_interface(struct writer *w, const struct pcapng_interface *interface);
void pcapng_write_packet(struct writer *w, const struct pcapng_packet *packet);
void pcapng_write_statistics(struct writer *w, const struct pcapng_statistics *statistics);

/* As pcapng_write_packet() with what `frame` has, slices and all, cut to snap_len (0: no limit);
 * packet->captured and original_len are not looked at. */
void pcapng_write_frame(struct writer *w, const struct pcapng_packet *packet,
                        const struct frame *frame, size_t snap_len);

struct pcapng_block {
    uint32_t type; /* enum pcapng_block_type, or another: then only `body` holds */
    union {
        struct pcapng_section section;
        struct pcapng_interface interface;
        struct pcapng_packet packet; /* PCAPNG_SIMPLE_PACKET too, whose captured may be padded */
        struct pcapng_statistics statistics;
        struct bytes body;
    } u;
};

/* A cursor over whole blocks. */
struct pcapng_reader {
    struct bytes rest;
    bool little_endian; /* of the section being read */
    bool in_section;
};

struct pcapng_reader pcapng_reader_of(struct bytes file);

/*
 * Takes the next block. At the end of the file (rest.len is 0) and where a block is cut short:
 * WIRE_TRUNCATED. Blocks borrow from the file. After any status but WIRE_OK the reader has not
 * moved.
 */
MUST_USE enum wire_status pcapng_next(struct pcapng_reader *reader, struct pcapng_block *out);

#endif
