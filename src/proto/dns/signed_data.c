/* SPDX-License-Identifier: ISC */
/* signed_data.c - the octets that a signature is over. */
#include "proto/dns/signed_data.h"

void signed_data_start(struct signed_data *data, uint16_t type, void *scratch, size_t size)
{
    data->w = writer_of(scratch, size);
    data->count = 0;
    data->type = type;
}

void signed_data_add(struct signed_data *data, struct bytes rdata)
{
    size_t at = writer_len(&data->w);
    if (data->count == SIGNED_DATA_RECORDS_MAX) {
        data->w.failed = true;
        return;
    }
    dns_canonical_write(data->type, rdata, &data->w);
    size_t len = writer_len(&data->w) - at;
    data->pieces[data->count++] = (struct dns_piece){(uint32_t)at, (uint32_t)len};
}

/* The set's records, each once. */
static void write_set(const struct signed_data *data, const struct dns_name *owner, uint32_t ttl,
                      struct writer *w)
{
    const uint8_t *base = data->w.start;
    for (size_t i = 0; i < data->count; i++) {
        const struct dns_piece *piece = &data->pieces[i];
        if (i > 0 && dns_canonical_compare(base, piece - 1, piece) == 0)
            continue;
        dns_name_write(w, owner);
        write_u16(w, data->type);
        write_u16(w, DNS_IN);
        write_u32(w, ttl);
        write_u16(w, (uint16_t)piece->len);
        write_copy(w, base + piece->at, piece->len);
    }
}

bool signed_data_finish(struct signed_data *data, const struct signed_head *head,
                        const struct dns_name *owner, uint32_t ttl, struct bytes *out)
{
    struct writer w = data->w; /* a copy: the next signature is over the same set */
    struct dns_name signer;
    dns_canonical_sort(data->w.start, data->pieces, data->count);
    dns_name_copy(&signer, head->signer);
    dns_name_lower(&signer);
    write_bytes(&w, head->octets);
    dns_name_write(&w, &signer);
    write_set(data, owner, ttl, &w);
    *out = bytes_after(writer_bytes(&w), writer_len(&data->w));
    return !w.failed;
}

bool rrsig_read(struct bytes rdata, struct rrsig *out)
{
    struct reader r = reader_of(rdata);
    out->head = bytes_first(rdata, SIGNED_DATA_HEAD_LEN);
    out->type = read_u16(&r);
    out->algorithm = read_u8(&r);
    out->labels = read_u8(&r);
    out->ttl = read_u32(&r);
    out->expires_at = read_u32(&r);
    out->valid_from = read_u32(&r);
    out->tag = read_u16(&r);
    dns_name_read(&r, rdata, &out->signer);
    out->octets = read_rest(&r);
    return !r.failed;
}
