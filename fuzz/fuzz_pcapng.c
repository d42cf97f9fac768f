/* SPDX-License-Identifier: ISC */
/* fuzz_pcapng.c - the reader moves forward within the file, and what it reads can be written. */
#include "fuzz/fuzz.h"
#include "wire/capture/pcapng.h"

static void check_written(const struct pcapng_block *block)
{
    static uint8_t out[1 << 17];
    struct writer w = writer_of(out, sizeof out);
    static const struct pcapng_section section = {{(const uint8_t *)"", 0},
                                                  {(const uint8_t *)"", 0},
                                                  {(const uint8_t *)"", 0},
                                                  {(const uint8_t *)"", 0}};
    pcapng_write_section(&w, &section);
    if (block->type == PCAPNG_PACKET &&
        block->u.packet.original_len >= block->u.packet.captured.len)
        pcapng_write_packet(&w, &block->u.packet);
    else if (block->type == PCAPNG_STATISTICS)
        pcapng_write_statistics(&w, &block->u.statistics);
    else if (block->type == PCAPNG_INTERFACE)
        pcapng_write_interface(&w, &block->u.interface);
    else
        return;
    ASSERT(!w.failed);
    struct pcapng_reader reader = pcapng_reader_of(writer_bytes(&w));
    struct pcapng_block again;
    ASSERT(pcapng_next(&reader, &again) == WIRE_OK);
    ASSERT(pcapng_next(&reader, &again) == WIRE_OK);
    ASSERT(reader.rest.len == 0 && again.type == block->type);
    if (block->type == PCAPNG_PACKET) {
        ASSERT(bytes_equal(again.u.packet.captured, block->u.packet.captured));
        ASSERT(again.u.packet.timestamp == block->u.packet.timestamp);
        ASSERT(again.u.packet.direction == block->u.packet.direction);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct pcapng_reader reader = pcapng_reader_of(bytes_of(data, len));
    struct pcapng_block block;
    size_t left = len;
    while (pcapng_next(&reader, &block) == WIRE_OK) {
        ASSERT(reader.rest.len <= left - 12);
        left = reader.rest.len;
        check_written(&block);
    }
    ASSERT(reader.rest.len == left);
    return 0;
}
