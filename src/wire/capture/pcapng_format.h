/* SPDX-License-Identifier: ISC */
/* pcapng_format.h - the numbers of the format, for its writer and its reader. */
#ifndef WN_WIRE_CAPTURE_PCAPNG_FORMAT_H
#define WN_WIRE_CAPTURE_PCAPNG_FORMAT_H

#include <stddef.h>

enum {
    PCAPNG_BYTE_ORDER_MAGIC = 0x1a2b3c4d,
    PCAPNG_VERSION_MAJOR = 1,
    PCAPNG_BLOCK_LEN_MIN = 12, /* type, length, and the length again */
    PCAPNG_CAPTURED_MAX = 1 << 24,
    PCAPNG_RESOLUTION_DEFAULT = 6, /* microseconds */
    PCAPNG_DIRECTION_MASK = 3,

    /* Option codes. */
    PCAPNG_OPTION_END = 0,
    PCAPNG_OPTION_COMMENT = 1,
    PCAPNG_SECTION_HARDWARE = 2,
    PCAPNG_SECTION_OS = 3,
    PCAPNG_SECTION_APPLICATION = 4,
    PCAPNG_INTERFACE_NAME = 2,
    PCAPNG_INTERFACE_DESCRIPTION = 3,
    PCAPNG_INTERFACE_MAC = 6,
    PCAPNG_INTERFACE_RESOLUTION = 9,
    PCAPNG_PACKET_FLAGS = 2,
    PCAPNG_STATISTICS_RECEIVED = 4,
    PCAPNG_STATISTICS_DROPPED = 5,
};

/* Zeros behind a field of `len` octets, up to a multiple of four. */
static inline size_t pcapng_padding(size_t len)
{
    return (4 - len % 4) % 4;
}

#endif
