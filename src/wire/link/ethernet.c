/* SPDX-License-Identifier: ISC */
/* ethernet.c - the header in front of every frame, in its three framings. */
#include "wire/link/ethernet.h"

enum {
    SNAP_SAP = 0xaa,
    LLC_UNNUMBERED = 0x03,
    TYPE_MIN = 0x0600, /* types begin here; between this and 1500 the field means nothing */
};

static struct mac read_mac(struct reader *r)
{
    struct mac mac;
    read_copy(r, mac.octets, sizeof mac.octets);
    return mac;
}

/* Behind an 802.3 length: LLC, with SNAP or another. */
static enum wire_status decode_llc(struct reader *r, uint16_t length, struct ethernet_header *out)
{
    static const uint8_t rfc1042[6] = {SNAP_SAP, SNAP_SAP, LLC_UNNUMBERED, 0, 0, 0};
    struct bytes llc = read_bytes(r, length);
    if (r->failed)
        return WIRE_TRUNCATED;
    if (llc.len < ETHERNET_SNAP_LEN || memcmp(llc.data, rfc1042, sizeof rfc1042) != 0) {
        out->framing = ETHERNET_LLC;
        out->payload = llc;
        return WIRE_OK;
    }
    out->framing = ETHERNET_SNAP;
    out->header_len += ETHERNET_SNAP_LEN;
    out->type = (uint16_t)(llc.data[6] << 8 | llc.data[7]);
    out->payload = bytes_after(llc, ETHERNET_SNAP_LEN);
    return WIRE_OK;
}

enum wire_status ethernet_decode(struct bytes frame, struct ethernet_header *out)
{
    struct reader r = reader_of(frame);
    struct ethernet_header header = {.header_len = ETHERNET_HEADER_LEN};
    header.target = read_mac(&r);
    header.source = read_mac(&r);
    uint16_t type = read_u16(&r);
    if (type == ETHERNET_VLAN) {
        header.tagged = true;
        header.header_len += ETHERNET_TAG_LEN;
        header.tag = read_u16(&r);
        type = read_u16(&r);
    }
    if (r.failed)
        return WIRE_TRUNCATED;

    if (type <= ETHERNET_LENGTH_MAX) {
        enum wire_status status = decode_llc(&r, type, &header);
        if (status != WIRE_OK)
            return status;
    } else if (type < TYPE_MIN) {
        return WIRE_MALFORMED; /* IEEE 802.3 §3.2.6: neither a length nor a type */
    } else {
        header.type = type;
        header.payload = read_rest(&r);
    }
    *out = header;
    return WIRE_OK;
}

static size_t header_len_of(const struct ethernet_header *header)
{
    return ETHERNET_HEADER_LEN + (header->tagged ? (size_t)ETHERNET_TAG_LEN : 0) +
           (header->framing == ETHERNET_SNAP ? (size_t)ETHERNET_SNAP_LEN : 0);
}

static void encode_header(const struct ethernet_header *header, size_t payload_len,
                          struct writer *w)
{
    write_copy(w, header->target.octets, sizeof header->target.octets);
    write_copy(w, header->source.octets, sizeof header->source.octets);
    if (header->tagged) {
        write_u16(w, ETHERNET_VLAN);
        write_u16(w, header->tag);
    }
    if (header->framing == ETHERNET_II) {
        write_u16(w, header->type);
        return;
    }
    size_t length = payload_len;
    if (header->framing == ETHERNET_SNAP)
        length += ETHERNET_SNAP_LEN;
    ASSERT(length <= ETHERNET_LENGTH_MAX);
    write_u16(w, (uint16_t)length);
    if (header->framing == ETHERNET_LLC)
        return;
    write_u8(w, SNAP_SAP);
    write_u8(w, SNAP_SAP);
    write_u8(w, LLC_UNNUMBERED);
    write_zeros(w, 3);
    write_u16(w, header->type);
}

void ethernet_encode(const struct ethernet_header *header, struct writer *w)
{
    encode_header(header, header->payload.len, w);
    write_bytes(w, header->payload);
}

void ethernet_push(struct frame *frame, const struct ethernet_header *header)
{
    size_t payload_len = frame_total(frame);
    size_t len = header_len_of(header);
    struct writer w = writer_of(frame_push(frame, len), len);
    encode_header(header, payload_len, &w);
}

struct mac ethernet_broadcast(void)
{
    return (struct mac){{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
}

struct mac ethernet_multicast(const struct ip_address *group)
{
    const uint8_t *p = group->octets;
    if (address_is_v4(group))
        return (struct mac){{0x01, 0x00, 0x5e, p[13] & 0x7f, p[14], p[15]}};
    return (struct mac){{0x33, 0x33, p[12], p[13], p[14], p[15]}};
}
