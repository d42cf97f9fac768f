/* SPDX-License-Identifier: ISC */
/* dns_canonical.c - the canonical form of RDATA, and its order. */
#include "wire/dns/dns_canonical.h"

/* Types whose names are in lower case in what is signed (RFC 4034 §6.2, RFC 6840 §5.1). */
static bool has_lower_names(uint16_t type)
{
    static const uint16_t types[] = {DNS_NS,    DNS_CNAME, DNS_SOA, DNS_PTR, DNS_MX,    DNS_RP,
                                     DNS_AFSDB, DNS_NAPTR, DNS_KX,  DNS_SRV, DNS_DNAME, DNS_RRSIG};
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (types[i] == type)
            return true;
    return false;
}

/* One field of RDATA; names in lower case. */
static void copy_field(char field, struct reader *r, struct bytes rdata, struct writer *w)
{
    struct dns_name name;
    switch (field) {
    case 'n':
    case 'N':
        dns_name_read(r, rdata, &name);
        dns_name_lower(&name);
        dns_name_write(w, &name);
        break;
    case '1':
        write_u8(w, read_u8(r));
        break;
    case '2':
    case 'T':
        write_u16(w, read_u16(r));
        break;
    case '4':
    case 't':
    case 'd':
        write_u32(w, read_u32(r));
        break;
    case 's': {
        uint8_t len = read_u8(r);
        write_u8(w, len);
        write_bytes(w, read_bytes(r, len));
        break;
    }
    default:
        write_bytes(w, read_rest(r));
    }
}

void dns_canonical_write(uint16_t type, struct bytes rdata, struct writer *w)
{
    if (!has_lower_names(type)) {
        write_bytes(w, rdata);
        return;
    }
    struct reader r = reader_of(rdata);
    for (const char *field = dns_type_fields(type); *field != '\0'; field++)
        copy_field(*field, &r, rdata, w);
    w->failed |= r.failed;
}

int dns_canonical_compare(const uint8_t *base, const struct dns_piece *a, const struct dns_piece *b)
{
    size_t len = a->len < b->len ? a->len : b->len;
    int order = memcmp(base + a->at, base + b->at, len);
    return order != 0 ? order : (a->len > b->len) - (a->len < b->len);
}

void dns_canonical_sort(const uint8_t *base, struct dns_piece *list, size_t count)
{
    for (size_t gap = count / 2; gap > 0; gap /= 2) /* Shell's */
        for (size_t i = gap; i < count; i++) {
            struct dns_piece piece = list[i];
            size_t at = i;
            for (; at >= gap && dns_canonical_compare(base, &list[at - gap], &piece) > 0; at -= gap)
                list[at] = list[at - gap];
            list[at] = piece;
        }
}
