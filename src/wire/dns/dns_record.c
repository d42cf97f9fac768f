/* SPDX-License-Identifier: ISC */
/*
 * dns_record.c - the table of record types, and RDATA on the wire (RFC 1035 §3.3, §3.4; the RFC of
 * each other type is in its row). The text is in dns_record_text.c.
 */
#include "wire/dns/dns_record.h"

#include "wire/dns/dns_field.h"

struct row {
    const char *name;
    const char *fields; /* NULL: not data of a zone */
};

static const struct row rows[] = {
    [DNS_A] = {"A", "a"},
    [DNS_NS] = {"NS", "n"},
    [DNS_CNAME] = {"CNAME", "n"},
    [DNS_SOA] = {"SOA", "nn4tttt"},
    [DNS_PTR] = {"PTR", "n"},
    [DNS_HINFO] = {"HINFO", "ss"},
    [DNS_MX] = {"MX", "2n"},
    [DNS_TXT] = {"TXT", "S"},
    [DNS_RP] = {"RP", "NN"},            /* RFC 1183 §2.2 */
    [DNS_AFSDB] = {"AFSDB", "2N"},      /* RFC 1183 §1 */
    [DNS_AAAA] = {"AAAA", "A"},         /* RFC 3596 */
    [DNS_LOC] = {"LOC", "L"},           /* RFC 1876 */
    [DNS_SRV] = {"SRV", "222N"},        /* RFC 2782 */
    [DNS_NAPTR] = {"NAPTR", "22sssN"},  /* RFC 3403 */
    [DNS_KX] = {"KX", "2N"},            /* RFC 2230 */
    [DNS_DNAME] = {"DNAME", "N"},       /* RFC 6672 */
    [DNS_OPT] = {"OPT", NULL},          /* RFC 6891 */
    [DNS_DS] = {"DS", "211x"},          /* RFC 4034 §5 */
    [DNS_SSHFP] = {"SSHFP", "11x"},     /* RFC 4255 */
    [DNS_RRSIG] = {"RRSIG", "T114dd2Nb"}, /* RFC 4034 §3 */
    [DNS_NSEC] = {"NSEC", "Nw"},        /* RFC 4034 §4 */
    [DNS_DNSKEY] = {"DNSKEY", "211b"},  /* RFC 4034 §2 */
    [DNS_DHCID] = {"DHCID", "b"},       /* RFC 4701 */
    [DNS_NSEC3] = {"NSEC3", "112lhw"},  /* RFC 5155 §3 */
    [DNS_NSEC3PARAM] = {"NSEC3PARAM", "112l"}, /* RFC 5155 §4 */
    [DNS_TLSA] = {"TLSA", "111x"},      /* RFC 6698 */
    [DNS_SMIMEA] = {"SMIMEA", "111x"},  /* RFC 8162 */
    [DNS_CDS] = {"CDS", "211x"},        /* RFC 7344 */
    [DNS_CDNSKEY] = {"CDNSKEY", "211b"}, /* RFC 7344 */
    [DNS_OPENPGPKEY] = {"OPENPGPKEY", "b"}, /* RFC 7929 */
    [DNS_CSYNC] = {"CSYNC", "42w"},     /* RFC 7477 */
    [DNS_ZONEMD] = {"ZONEMD", "411x"},  /* RFC 8976 */
    [DNS_SVCB] = {"SVCB", "2Np"},       /* RFC 9460 */
    [DNS_HTTPS] = {"HTTPS", "2Np"},     /* RFC 9460 */
    [DNS_SPF] = {"SPF", "S"},           /* RFC 7208 §3.1 */
    [DNS_TKEY] = {"TKEY", NULL},        /* RFC 2930 */
    [DNS_TSIG] = {"TSIG", NULL},        /* RFC 8945 */
    [DNS_IXFR] = {"IXFR", NULL},
    [DNS_AXFR] = {"AXFR", NULL},
    [DNS_MAILB] = {"MAILB", NULL},
    [DNS_MAILA] = {"MAILA", NULL},
    [DNS_ANY] = {"ANY", NULL},
    [DNS_URI] = {"URI", "22q"},         /* RFC 7553 */
    [DNS_CAA] = {"CAA", "1gq"},         /* RFC 8659 */
};

static const struct row *find(uint16_t type)
{
    return type < ARRAY_LEN(rows) && rows[type].name != NULL ? &rows[type] : NULL;
}

const char *dns_type_fields(uint16_t type)
{
    const struct row *row = find(type);
    return row != NULL && row->fields != NULL ? row->fields : "x";
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
    if (row != NULL)
        text_add(&t, row->name);
    else
        text_add_format(&t, "TYPE%u", (unsigned)type);
    return out;
}

bool dns_type_parse(struct bytes text, uint16_t *out)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].name != NULL && bytes_equal_nocase(text, bytes_of_text(rows[i].name))) {
            *out = (uint16_t)i;
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

static bool is_tag_octet(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* RFC 8659 §4.1: letters and digits, at least one. */
static void take_tag(struct reader *r)
{
    uint8_t len = read_u8(r);
    struct bytes octets = read_bytes(r, len);
    for (size_t i = 0; i < octets.len; i++)
        if (!is_tag_octet(octets.data[i]))
            r->failed = true;
    if (len == 0)
        r->failed = true;
}

static void take_string(struct reader *r)
{
    uint8_t len = read_u8(r);
    read_skip(r, len);
}

static void take_strings(struct reader *r)
{
    do
        take_string(r);
    while (!r->failed && reader_left(r) > 0);
}

/* RFC 5155 §3.1.7: a hash has octets. */
static void take_hash(struct reader *r)
{
    uint8_t len = read_u8(r);
    read_skip(r, len);
    if (len == 0)
        r->failed = true;
}

/* Goes past one field that is not a name; the reader fails when it is not valid. */
static void take_field(char field, struct reader *r)
{
    switch (field) {
    case '1':
        read_skip(r, 1);
        break;
    case '2':
    case 'T':
        read_skip(r, 2);
        break;
    case '4':
    case 't':
    case 'd':
    case 'a':
        read_skip(r, 4);
        break;
    case 'A':
        read_skip(r, 16);
        break;
    case 's':
    case 'l':
        take_string(r);
        break;
    case 'S':
        take_strings(r);
        break;
    case 'g':
        take_tag(r);
        break;
    case 'h':
        take_hash(r);
        break;
    case 'w':
        dns_bitmap_take(r);
        break;
    case 'p':
        dns_svcb_take(r);
        break;
    case 'L':
        dns_loc_take(r);
        break;
    default: /* q, b and x */
        read_skip(r, reader_left(r));
        break;
    }
}

static bool is_name(char field)
{
    return field == 'n' || field == 'N';
}

static void expand_field(char field, struct reader *r, struct bytes message, struct writer *out)
{
    const uint8_t *start = r->next;
    if (is_name(field)) {
        struct dns_name name;
        dns_name_read(r, message, &name);
        if (!r->failed)
            dns_name_write(out, &name);
        return;
    }
    take_field(field, r);
    if (!r->failed)
        write_copy(out, start, (size_t)(r->next - start));
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
        if (!is_name(*field))
            take_field(*field, &r);
        else if (!take_name(&r, &name))
            return false;
    }
    return !r.failed && reader_left(&r) == 0;
}

/* Length octets of labels are no letters, so a name is compared as octets that have no case. */
bool dns_rdata_equal(uint16_t type, struct bytes a, struct bytes b)
{
    if (a.len != b.len)
        return false;
    struct reader r = reader_of(a);
    for (const char *field = dns_type_fields(type); *field != '\0'; field++) {
        size_t at = a.len - reader_left(&r);
        struct dns_name name;
        if (!is_name(*field))
            take_field(*field, &r);
        else if (!take_name(&r, &name))
            return false;
        size_t len = a.len - reader_left(&r) - at;
        struct bytes x = bytes_first(bytes_after(a, at), len);
        struct bytes y = bytes_first(bytes_after(b, at), len);
        if (is_name(*field) ? !bytes_equal_nocase(x, y) : !bytes_equal(x, y))
            return false;
    }
    return true;
}

bool dns_rdata_target(uint16_t type, struct bytes rdata, struct dns_name *out)
{
    switch (type) {
    case DNS_NS:
    case DNS_CNAME:
    case DNS_PTR:
    case DNS_MX:
    case DNS_AFSDB:
    case DNS_SRV:
    case DNS_NAPTR:
    case DNS_KX:
    case DNS_DNAME:
    case DNS_SVCB:
    case DNS_HTTPS:
        break;
    default:
        return false;
    }
    struct reader r = reader_of(rdata);
    const char *field = dns_type_fields(type);
    for (; !is_name(*field); field++)
        take_field(*field, &r);
    return take_name(&r, out);
}
