/* SPDX-License-Identifier: ISC */
/*
 * dns_record.c - the table of record types, and RDATA on the wire (RFC 1035 §3.3, §3.4; RFC 3596
 * AAAA, RFC 2782 SRV, RFC 3403 NAPTR, RFC 6672 DNAME, RFC 4034 DS, RFC 4255 SSHFP, RFC 6698 TLSA,
 * RFC 7553 URI, RFC 8659 CAA). The text is in dns_record_text.c.
 */
#include "wire/dns/dns_record.h"

static const struct row {
    uint16_t type;
    const char *name;
    const char *fields;
} rows[] = {
    {DNS_A, "A", "a"},
    {DNS_NS, "NS", "n"},
    {DNS_CNAME, "CNAME", "n"},
    {DNS_SOA, "SOA", "nn4tttt"},
    {DNS_PTR, "PTR", "n"},
    {DNS_HINFO, "HINFO", "ss"},
    {DNS_MX, "MX", "2n"},
    {DNS_TXT, "TXT", "S"},
    {DNS_AAAA, "AAAA", "A"},
    {DNS_SRV, "SRV", "222N"},
    {DNS_NAPTR, "NAPTR", "22sssN"},
    {DNS_DNAME, "DNAME", "N"},
    {DNS_DS, "DS", "211x"},
    {DNS_SSHFP, "SSHFP", "11x"},
    {DNS_TLSA, "TLSA", "111x"},
    {DNS_URI, "URI", "22q"},
    {DNS_CAA, "CAA", "1gq"},
};

/* Types of questions and of the protocol itself: named, but never in a zone. */
static const struct row meta_rows[] = {
    {DNS_OPT, "OPT", "x"},     {DNS_TSIG, "TSIG", "x"},   {DNS_IXFR, "IXFR", "x"},
    {DNS_AXFR, "AXFR", "x"},   {DNS_MAILB, "MAILB", "x"}, {DNS_MAILA, "MAILA", "x"},
    {DNS_ANY, "ANY", "x"},
};

static const struct row *find(uint16_t type)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].type == type)
            return &rows[i];
    return NULL;
}

const char *dns_type_fields(uint16_t type)
{
    const struct row *row = find(type);
    return row != NULL ? row->fields : "x";
}

bool dns_type_is_data(uint16_t type)
{
    /* 128 to 255 are QTYPEs and meta-types (RFC 6895 §3.1). */
    return type != 0 && type != DNS_OPT && (type < 128 || type > 255);
}

char *dns_type_format(uint16_t type, char out[DNS_TYPE_TEXT_MAX])
{
    struct text t = text_of(out, DNS_TYPE_TEXT_MAX);
    const struct row *row = find(type);
    for (size_t i = 0; row == NULL && i < ARRAY_LEN(meta_rows); i++)
        if (meta_rows[i].type == type)
            row = &meta_rows[i];
    if (row != NULL)
        text_add(&t, row->name);
    else
        text_add_format(&t, "TYPE%u", (unsigned)type);
    return out;
}

bool dns_type_parse(struct bytes text, uint16_t *out)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (bytes_equal_nocase(text, bytes_of_text(rows[i].name))) {
            *out = rows[i].type;
            return true;
        }
    for (size_t i = 0; i < ARRAY_LEN(meta_rows); i++)
        if (bytes_equal_nocase(text, bytes_of_text(meta_rows[i].name))) {
            *out = meta_rows[i].type;
            return true;
        }
    uint64_t number;
    if (!bytes_equal_nocase(bytes_first(text, 4), bytes_of_text("TYPE")) ||
        !text_parse_number(bytes_after(text, 4), UINT16_MAX, &number))
        return false;
    *out = (uint16_t)number;
    return true;
}

/* ---- RDATA on the wire ---- */

static void expand_name(struct reader *r, struct bytes message, struct writer *out)
{
    struct dns_name name;
    dns_name_read(r, message, &name);
    if (!r->failed)
        dns_name_write(out, &name);
}

static void expand_string(struct reader *r, struct writer *out)
{
    uint8_t len = read_u8(r);
    struct bytes octets = read_bytes(r, len);
    write_u8(out, len);
    write_bytes(out, octets);
}

static bool is_tag_octet(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* RFC 8659 §4.1: letters and digits, at least one. */
static void expand_tag(struct reader *r, struct writer *out)
{
    uint8_t len = read_u8(r);
    struct bytes octets = read_bytes(r, len);
    for (size_t i = 0; i < octets.len; i++)
        if (!is_tag_octet(octets.data[i]))
            r->failed = true;
    if (len == 0)
        r->failed = true;
    write_u8(out, len);
    write_bytes(out, octets);
}

static void expand_field(char field, struct reader *r, struct bytes message, struct writer *out)
{
    switch (field) {
    case '1':
        write_bytes(out, read_bytes(r, 1));
        break;
    case '2':
        write_bytes(out, read_bytes(r, 2));
        break;
    case '4':
    case 't':
    case 'a':
        write_bytes(out, read_bytes(r, 4));
        break;
    case 'A':
        write_bytes(out, read_bytes(r, 16));
        break;
    case 'n':
    case 'N':
        expand_name(r, message, out);
        break;
    case 's':
        expand_string(r, out);
        break;
    case 'S':
        do
            expand_string(r, out);
        while (!r->failed && reader_left(r) > 0);
        break;
    case 'g':
        expand_tag(r, out);
        break;
    default: /* q and x */
        write_bytes(out, read_rest(r));
        break;
    }
}

enum wire_status dns_rdata_expand(uint16_t type, struct bytes message, struct bytes rdata,
                                  struct writer *out)
{
    struct reader r = reader_of(rdata);
    struct writer w = *out;
    for (const char *field = dns_type_fields(type); *field != '\0'; field++)
        expand_field(*field, &r, message, &w);
    if (r.failed || reader_left(&r) > 0)
        return WIRE_MALFORMED;
    if (w.failed)
        return WIRE_NO_ROOM;
    *out = w;
    return WIRE_OK;
}

/* Goes past one field of RDATA that has its names uncompressed. */
static void skip_field(char field, struct reader *r)
{
    switch (field) {
    case '1':
        read_skip(r, 1);
        break;
    case '2':
        read_skip(r, 2);
        break;
    case '4':
    case 't':
    case 'a':
        read_skip(r, 4);
        break;
    case 'A':
        read_skip(r, 16);
        break;
    case 's':
    case 'g':
        read_skip(r, read_u8(r));
        break;
    default:
        read_skip(r, reader_left(r));
        break;
    }
}

/* An uncompressed name out of RDATA. */
static bool take_name(struct reader *r, struct dns_name *out)
{
    const uint8_t *start = r->next;
    for (;;) {
        uint8_t c = read_u8(r);
        if (c > DNS_LABEL_MAX)
            r->failed = true;
        if (r->failed)
            return false;
        if (c == 0)
            return dns_name_from_wire(bytes_of(start, (size_t)(r->next - start)), out);
        read_skip(r, c);
    }
}

bool dns_rdata_valid(uint16_t type, struct bytes rdata)
{
    if (rdata.len > DNS_RDATA_MAX)
        return false;
    struct reader r = reader_of(rdata);
    for (const char *field = dns_type_fields(type); *field != '\0'; field++) {
        struct dns_name name;
        if (*field == 'n' || *field == 'N') {
            if (!take_name(&r, &name))
                return false;
        } else if (*field == 'g') {
            uint8_t scratch[1 + UINT8_MAX];
            struct writer w = writer_of(scratch, sizeof scratch);
            expand_tag(&r, &w);
        } else if (*field == 'S') {
            do
                skip_field('s', &r);
            while (!r.failed && reader_left(&r) > 0);
        } else {
            skip_field(*field, &r);
        }
    }
    return !r.failed && reader_left(&r) == 0;
}

bool dns_rdata_target(uint16_t type, struct bytes rdata, struct dns_name *out)
{
    if (type != DNS_NS && type != DNS_CNAME && type != DNS_PTR && type != DNS_MX &&
        type != DNS_SRV && type != DNS_DNAME)
        return false;
    struct reader r = reader_of(rdata);
    const char *field = dns_type_fields(type);
    for (; *field != 'n' && *field != 'N'; field++)
        skip_field(*field, &r);
    return take_name(&r, out);
}
