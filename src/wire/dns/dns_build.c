/* SPDX-License-Identifier: ISC */
/*
 * dns_build.c - building messages: name compression (RFC 1035 §4.1.4) and records that are written
 * whole or not at all (RFC 2181 §9).
 *
 * The builder remembers where suffixes of names begin, by a hash of the suffix. A name is hashed
 * from its end, so that one pass gives the hash of every suffix; only where a hash agrees is the
 * message itself compared.
 */
#include "wire/dns/dns_message.h"

enum {
    POINTER = 0xc000,
    POINTER_MAX = 0x3fff,
};

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

void dns_build_start(struct dns_builder *b, void *buffer, size_t size)
{
    ASSERT(size >= DNS_HEADER_LEN);
    b->w = writer_of(buffer, size < DNS_MESSAGE_MAX ? size : DNS_MESSAGE_MAX);
    write_zeros(&b->w, DNS_HEADER_LEN);
    memset(b->counts, 0, sizeof b->counts);
    b->section = DNS_QUESTION;
    b->suffix_count = 0;
    b->question_len = 0;
    b->question_remembered = false;
    b->for_link = false;
}

void dns_build_for_link(struct dns_builder *b)
{
    b->for_link = true;
}

void dns_build_reserve(struct dns_builder *b, ptrdiff_t len)
{
    ASSERT(len <= (ptrdiff_t)writer_room(&b->w));
    b->w.end -= len;
}

struct dns_mark dns_build_mark(const struct dns_builder *b)
{
    struct dns_mark mark = {.len = writer_len(&b->w),
                            .suffix_count = b->suffix_count,
                            .question_remembered = b->question_remembered};
    memcpy(mark.counts, b->counts, sizeof mark.counts);
    return mark;
}

void dns_build_back(struct dns_builder *b, const struct dns_mark *mark)
{
    b->w.next = b->w.start + mark->len;
    b->w.failed = false;
    b->suffix_count = mark->suffix_count;
    b->question_remembered = mark->question_remembered;
    memcpy(b->counts, mark->counts, sizeof b->counts);
}

/* ---- names ---- */

/* Is the name that was written at `at` this wire form? Pointers in it are our own. */
static bool written_equal(const struct dns_builder *b, size_t at, const uint8_t *wire)
{
    const uint8_t *message = b->w.start;
    for (;;) {
        uint8_t c = message[at];
        if (c >= POINTER >> 8) {
            at = (size_t)(c & 0x3f) << 8 | message[at + 1];
            continue;
        }
        if (c != *wire)
            return false;
        if (c == 0)
            return true;
        for (size_t i = 1; i <= c; i++)
            if (lower(message[at + i]) != lower(wire[i]))
                return false;
        at += (size_t)c + 1;
        wire += (size_t)c + 1;
    }
}

static size_t find_suffix(const struct dns_builder *b, uint16_t hash, const uint8_t *wire)
{
    for (size_t i = 0; i < b->suffix_count; i++)
        if (b->suffixes[i].hash == hash && written_equal(b, b->suffixes[i].at, wire))
            return b->suffixes[i].at;
    return 0;
}

static void remember(struct dns_builder *b, uint16_t hash, size_t at)
{
    if (b->suffix_count == DNS_SUFFIXES_MAX || at > POINTER_MAX)
        return;
    b->suffixes[b->suffix_count].hash = hash;
    b->suffixes[b->suffix_count].at = (uint16_t)at;
    b->suffix_count++;
}

static uint32_t hash_label(uint32_t hash, struct bytes label)
{
    for (size_t i = 0; i < label.len; i++)
        hash = (hash ^ lower(label.data[i])) * 16777619u;
    return (hash ^ (uint32_t)label.len) * 16777619u;
}

/* The hash of each suffix, in 16 bits. */
static void hash_suffixes(const struct dns_name *name, const struct dns_labels *labels,
                          uint16_t hashes[DNS_LABELS_MAX])
{
    uint32_t hash = 2166136261u;
    for (size_t i = labels->count; i-- > 0;) {
        hash = hash_label(hash, dns_name_label(name, labels->at[i]));
        hashes[i] = (uint16_t)(hash ^ hash >> 16);
    }
}

/* The question's name is hashed only when a name comes that is another one. */
static void remember_question(struct dns_builder *b)
{
    struct dns_name name;
    struct dns_labels labels;
    uint16_t hashes[DNS_LABELS_MAX];
    if (b->question_remembered || b->question_len == 0)
        return;
    b->question_remembered = true;
    name.len = b->question_len;
    memcpy(name.octets, b->w.start + DNS_HEADER_LEN, name.len);
    dns_name_labels(&name, &labels);
    hash_suffixes(&name, &labels, hashes);
    for (size_t i = 0; i < labels.count; i++)
        remember(b, hashes[i], DNS_HEADER_LEN + (size_t)labels.at[i]);
}

static bool is_question(const struct dns_builder *b, const struct dns_name *name)
{
    return b->question_len == name->len && name->len > 2 &&
           memcmp(b->w.start + DNS_HEADER_LEN, name->octets, name->len) == 0;
}

static void write_name(struct dns_builder *b, const struct dns_name *name)
{
    if (is_question(b, name)) {
        write_u16(&b->w, POINTER | DNS_HEADER_LEN);
        return;
    }
    remember_question(b);
    struct dns_labels labels;
    uint16_t hashes[DNS_LABELS_MAX];
    dns_name_labels(name, &labels);
    hash_suffixes(name, &labels, hashes);
    size_t first = labels.count; /* the longest suffix that is there already begins here */
    size_t target = 0;
    for (size_t i = labels.count; i-- > 0;) {
        size_t found = find_suffix(b, hashes[i], name->octets + labels.at[i]);
        if (found != 0) {
            target = found;
            first = i;
        }
    }
    size_t at = writer_len(&b->w);
    size_t len = first < labels.count ? labels.at[first] : (size_t)name->len - 1;
    write_copy(&b->w, name->octets, len);
    if (target != 0)
        write_u16(&b->w, (uint16_t)(POINTER | target));
    else
        write_u8(&b->w, 0);
    if (b->w.failed)
        return;
    for (size_t i = 0; i < first; i++)
        remember(b, hashes[i], at + labels.at[i]);
}

/* A name within RDATA, of a type that allows it to be compressed. */
static void write_rdata_name(struct dns_builder *b, struct reader *r)
{
    const uint8_t *start = r->next;
    dns_name_skip(r);
    struct bytes wire = bytes_of(start, (size_t)(r->next - start));
    struct dns_name name;
    if (dns_name_from_wire(wire, &name))
        write_name(b, &name);
}

/* Integers in front of names, and behind them; a type with names has fields of fixed length only,
 * or like NAPTR names that are not compressed. */
static void write_rdata(struct dns_builder *b, uint16_t type, struct bytes rdata)
{
    struct reader r = reader_of(rdata);
    for (const char *field = dns_type_fields(type); *field != '\0'; field++) {
        size_t len = 0;
        switch (*field) {
        case '1':
            len = 1;
            break;
        case '2':
            len = 2;
            break;
        case '4':
        case 't':
        case 'a':
            len = 4;
            break;
        case 'n':
            write_rdata_name(b, &r);
            break;
        case 'N':
            if (b->for_link && (type == DNS_SRV || type == DNS_NSEC))
                write_rdata_name(b, &r);
            else
                len = reader_left(&r);
            break;
        default:
            len = reader_left(&r);
            break;
        }
        write_bytes(&b->w, read_bytes(&r, len));
    }
}

/* ---- sections ---- */

bool dns_build_question(struct dns_builder *b, const struct dns_question *question)
{
    ASSERT(b->section == DNS_QUESTION);
    struct dns_mark mark = dns_build_mark(b);
    bool first = b->counts[DNS_QUESTION] == 0;
    if (first)
        dns_name_write(&b->w, &question->name);
    else
        write_name(b, &question->name);
    write_u16(&b->w, question->type);
    write_u16(&b->w, question->class);
    if (b->w.failed) {
        dns_build_back(b, &mark);
        return false;
    }
    if (first)
        b->question_len = question->name.len;
    b->counts[DNS_QUESTION]++;
    return true;
}

void dns_build_section(struct dns_builder *b, enum dns_section section)
{
    ASSERT(section >= b->section);
    b->section = (uint8_t)section;
}

bool dns_build_record(struct dns_builder *b, const struct dns_build_record *record)
{
    ASSERT(b->section != DNS_QUESTION);
    struct dns_mark mark = dns_build_mark(b);
    if (b->counts[b->section] == UINT16_MAX)
        return false;
    write_name(b, record->owner);
    write_u16(&b->w, record->type);
    write_u16(&b->w, record->class);
    write_u32(&b->w, record->ttl);
    size_t len_at = writer_len(&b->w);
    write_u16(&b->w, 0);
    write_rdata(b, record->type, record->rdata);
    if (b->w.failed) {
        dns_build_back(b, &mark);
        return false;
    }
    write_u16_at(&b->w, len_at, (uint16_t)(writer_len(&b->w) - len_at - 2));
    b->counts[b->section]++;
    return true;
}

bool dns_build_edns(struct dns_builder *b, const struct dns_edns *edns)
{
    struct dns_mark mark = dns_build_mark(b);
    dns_build_section(b, DNS_ADDITIONAL);
    write_u8(&b->w, 0);
    write_u16(&b->w, DNS_OPT);
    write_u16(&b->w, edns->udp_size);
    write_u8(&b->w, edns->rcode_high);
    write_u8(&b->w, edns->version);
    write_u16(&b->w, edns->dnssec_ok ? DNS_EDNS_DO : 0);
    write_u16(&b->w, (uint16_t)edns->options.len);
    write_bytes(&b->w, edns->options);
    if (b->w.failed || b->counts[DNS_ADDITIONAL] == UINT16_MAX) {
        dns_build_back(b, &mark);
        return false;
    }
    b->counts[DNS_ADDITIONAL]++;
    return true;
}

struct bytes dns_build_finish(struct dns_builder *b, uint16_t id, uint16_t flags)
{
    ASSERT(!b->w.failed);
    write_u16_at(&b->w, 0, id);
    write_u16_at(&b->w, 2, flags);
    for (size_t i = 0; i < DNS_SECTION_COUNT; i++)
        write_u16_at(&b->w, 4 + 2 * i, b->counts[i]);
    return writer_bytes(&b->w);
}
