/* SPDX-License-Identifier: ISC */
/*
 * fuzz_fastcgi.c - records of FastCGI: what is told does not depend on how the octets are cut; pairs that
 * were read can be written, and are the same.
 */
#include "fuzz/fuzz.h"
#include "wire/cgi/fastcgi.h"

struct told {
    uint64_t octets, sum, records;
    bool malformed;
};

static struct told read_all(struct bytes in, size_t piece_len)
{
    struct fastcgi_reader reader = {0};
    struct told told = {0};
    size_t start = 0, end = 0;
    while (end < in.len) {
        end = piece_len < in.len - end ? end + piece_len : in.len;
        for (;;) {
            struct fastcgi_piece piece;
            size_t used = fastcgi_input(&reader, bytes_of(in.data + start, end - start), &piece);
            ASSERT(used <= end - start);
            start += used;
            if (piece.present) {
                for (size_t i = 0; i < piece.content.len; i++)
                    told.sum = told.sum * 31 + piece.content.data[i] + piece.type;
                told.octets += piece.content.len;
                told.records += piece.last;
            }
            if (used == 0 && !piece.present)
                break;
        }
        if (reader.malformed)
            break;
        ASSERT(start == end); /* nothing has to be offered twice */
    }
    told.malformed = reader.malformed;
    return told;
}

static void check_pairs(struct bytes in)
{
    static uint8_t buffer[FASTCGI_CONTENT_MAX];
    struct reader r = reader_of(in);
    struct bytes name, value, name_again, value_again;
    while (reader_left(&r) > 0 && fastcgi_read_pair(&r, &name, &value) == WIRE_OK) {
        struct writer w = writer_of(buffer, sizeof buffer);
        fastcgi_write_pair(&w, name, value);
        if (w.failed)
            continue;
        struct reader again = reader_of(writer_bytes(&w));
        ASSERT(fastcgi_read_pair(&again, &name_again, &value_again) == WIRE_OK);
        ASSERT(bytes_equal(name, name_again) && bytes_equal(value, value_again));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct bytes in = bytes_of(data, len);
    struct told whole = read_all(in, len > 0 ? len : 1);
    static const size_t pieces[] = {1, 3, 8, 100};
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        struct told cut = read_all(in, pieces[i]);
        ASSERT(cut.malformed == whole.malformed);
        ASSERT(cut.octets == whole.octets && cut.sum == whole.sum && cut.records == whole.records);
    }
    uint32_t exit_status;
    enum fastcgi_end end;
    (void)!fastcgi_read_end(in, &exit_status, &end);
    check_pairs(in);
    return 0;
}
