/* SPDX-License-Identifier: ISC */
/*
 * dns_serial.h - the serial numbers of zones: arithmetic on a ring (RFC 1982), and where a SOA record
 * has its own (RFC 1035 §3.3.13).
 */
#ifndef WN_WIRE_DNS_DNS_SERIAL_H
#define WN_WIRE_DNS_DNS_SERIAL_H

#include "base/bytes.h"

enum { DNS_SOA_NUMBERS_LEN = 20 }; /* SERIAL REFRESH RETRY EXPIRE MINIMUM, at the end of RDATA */

/* Is `a` the older one? Of two that are half the ring apart neither is (RFC 1982 §3.2). */
static inline bool dns_serial_before(uint32_t a, uint32_t b)
{
    return a != b && b - a < UINT32_C(1) << 31;
}

/* The next one, but not 0, which some take for "none". */
static inline uint32_t dns_serial_next(uint32_t serial)
{
    return serial == UINT32_MAX ? 1 : serial + 1;
}

/* From valid RDATA of a SOA record. */
static inline uint32_t dns_soa_serial(struct bytes rdata)
{
    struct reader r = reader_of(bytes_after(rdata, rdata.len - DNS_SOA_NUMBERS_LEN));
    return read_u32(&r);
}

/* Puts a serial number into valid RDATA of a SOA record. */
static inline void dns_soa_set_serial(uint8_t *rdata, size_t len, uint32_t serial)
{
    struct writer w = writer_of(rdata + len - DNS_SOA_NUMBERS_LEN, sizeof serial);
    write_u32(&w, serial);
}

#endif
