/* SPDX-License-Identifier: ISC */
/* pcapng.c - writing blocks of draft-ietf-opsawg-pcapng, §3 and §4. pcapng_read.c reads them. */
#include "wire/capture/pcapng.h"

#include "wire/capture/pcapng_format.h"

/* Starts a block; its length is put in by end_block(). */
static size_t begin_block(struct writer *w, uint32_t type)
{
    size_t start = writer_len(w);
    write_u32(w, type);
    write_u32(w, 0);
    return start;
}

static void end_block(struct writer *w, size_t start)
{
    size_t len = writer_len(w) - start + 4;
    write_u32(w, (uint32_t)len);
    write_u16_at(w, start + 4, (uint16_t)(len >> 16));
    write_u16_at(w, start + 6, (uint16_t)len);
}

static void pad(struct writer *w, size_t len)
{
    write_zeros(w, pcapng_padding(len));
}

static void write_option(struct writer *w, uint16_t code, struct bytes value)
{
    value = bytes_first(value, PCAPNG_TEXT_MAX);
    write_u16(w, code);
    write_u16(w, (uint16_t)value.len);
    write_bytes(w, value);
    pad(w, value.len);
}

static void write_text(struct writer *w, uint16_t code, struct bytes text)
{
    if (text.len > 0)
        write_option(w, code, text);
}

static void write_count(struct writer *w, uint16_t code, bool there, uint64_t count)
{
    if (!there)
        return;
    write_u16(w, code);
    write_u16(w, 8);
    write_u64(w, count);
}

static void write_end_of_options(struct writer *w)
{
    write_u32(w, (uint32_t)PCAPNG_OPTION_END << 16);
}

void pcapng_write_section(struct writer *w, const struct pcapng_section *section)
{
    size_t start = begin_block(w, PCAPNG_SECTION);
    write_u32(w, PCAPNG_BYTE_ORDER_MAGIC);
    write_u16(w, PCAPNG_VERSION_MAJOR);
    write_u16(w, 0);
    write_u64(w, UINT64_MAX); /* the section's length is not known beforehand */
    write_text(w, PCAPNG_OPTION_COMMENT, section->comment);
    write_text(w, PCAPNG_SECTION_HARDWARE, section->hardware);
    write_text(w, PCAPNG_SECTION_OS, section->os);
    write_text(w, PCAPNG_SECTION_APPLICATION, section->application);
    write_end_of_options(w);
    end_block(w, start);
}

void pcapng_write_interface(struct writer *w, const struct pcapng_interface *interface)
{
    static const uint8_t resolution = PCAPNG_RESOLUTION_DEFAULT;
    size_t start = begin_block(w, PCAPNG_INTERFACE);
    write_u16(w, interface->link_type);
    write_u16(w, 0);
    write_u32(w, interface->snap_len);
    write_text(w, PCAPNG_INTERFACE_NAME, interface->name);
    write_text(w, PCAPNG_INTERFACE_DESCRIPTION, interface->description);
    if (interface->has_mac) {
        struct bytes octets = bytes_of(interface->mac.octets, sizeof interface->mac.octets);
        write_option(w, PCAPNG_INTERFACE_MAC, octets);
    }
    write_option(w, PCAPNG_INTERFACE_RESOLUTION, bytes_of(&resolution, 1));
    write_end_of_options(w);
    end_block(w, start);
}

static size_t begin_packet(struct writer *w, const struct pcapng_packet *packet, size_t captured,
                           size_t original)
{
    ASSERT(captured <= PCAPNG_CAPTURED_MAX && original >= captured);
    size_t start = begin_block(w, PCAPNG_PACKET);
    write_u32(w, packet->interface);
    write_u64(w, packet->timestamp);
    write_u32(w, (uint32_t)captured);
    write_u32(w, (uint32_t)original);
    return start;
}

static void end_packet(struct writer *w, size_t start, const struct pcapng_packet *packet,
                       size_t captured)
{
    pad(w, captured);
    write_text(w, PCAPNG_OPTION_COMMENT, packet->comment);
    if (packet->direction != PCAPNG_UNKNOWN) {
        write_u16(w, PCAPNG_PACKET_FLAGS);
        write_u16(w, 4);
        write_u32(w, packet->direction & PCAPNG_DIRECTION_MASK);
    }
    if (packet->comment.len > 0 || packet->direction != PCAPNG_UNKNOWN)
        write_end_of_options(w);
    end_block(w, start);
}

void pcapng_write_packet(struct writer *w, const struct pcapng_packet *packet)
{
    size_t start = begin_packet(w, packet, packet->captured.len, packet->original_len);
    write_bytes(w, packet->captured);
    end_packet(w, start, packet, packet->captured.len);
}

void pcapng_write_frame(struct writer *w, const struct pcapng_packet *packet,
                        const struct frame *frame, size_t snap_len)
{
    size_t total = frame_total(frame);
    size_t captured = snap_len != 0 && snap_len < total ? snap_len : total;
    size_t start = begin_packet(w, packet, captured, total);
    if (!w->failed && writer_room(w) >= captured) {
        frame_copy_out(frame, 0, w->next, captured);
        w->next += captured;
    } else {
        w->failed = true;
    }
    end_packet(w, start, packet, captured);
}

void pcapng_write_statistics(struct writer *w, const struct pcapng_statistics *statistics)
{
    size_t start = begin_block(w, PCAPNG_STATISTICS);
    write_u32(w, statistics->interface);
    write_u64(w, statistics->timestamp);
    write_count(w, PCAPNG_STATISTICS_RECEIVED, statistics->has_received, statistics->received);
    write_count(w, PCAPNG_STATISTICS_DROPPED, statistics->has_dropped, statistics->dropped);
    write_end_of_options(w);
    end_block(w, start);
}
