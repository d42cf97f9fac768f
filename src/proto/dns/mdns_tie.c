/* SPDX-License-Identifier: ISC */
/* mdns_tie.c - two hosts probe for one name at the same time: whose it is (RFC 6762 §8.2). */
#include "proto/dns/mdns_internal.h"

struct tie_record {
    uint16_t class, type;
    struct bytes rdata;
};

struct tie {
    struct tie_record list[MDNS_TIE_RECORDS];
    size_t count;
};

static int compare_octets(struct bytes a, struct bytes b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = memcmp(a.data, b.data, len);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_records(const struct tie_record *a, const struct tie_record *b)
{
    if (a->class != b->class)
        return a->class < b->class ? -1 : 1;
    if (a->type != b->type)
        return a->type < b->type ? -1 : 1;
    return compare_octets(a->rdata, b->rdata);
}

/* In ascending order. What is more than we can compare, nobody needs for one name. */
static void tie_add(struct tie *t, const struct tie_record *record)
{
    size_t at = t->count;
    if (t->count == MDNS_TIE_RECORDS)
        return;
    while (at > 0 && compare_records(&t->list[at - 1], record) > 0) {
        t->list[at] = t->list[at - 1];
        at--;
    }
    t->list[at] = *record;
    t->count++;
}

/* The first that differs decides; then, which list is longer (§8.2.1). */
static int tie_compare(const struct tie *a, const struct tie *b)
{
    for (size_t i = 0; i < a->count && i < b->count; i++) {
        int order = compare_records(&a->list[i], &b->list[i]);
        if (order != 0)
            return order;
    }
    return (a->count > b->count) - (a->count < b->count);
}

static void tie_of_ours(const struct mdns *m, size_t name, struct tie *out)
{
    out->count = 0;
    for (size_t i = 0; i < MDNS_RECORDS_MAX; i++) {
        const struct mdns_own *own = &m->records[i];
        if (own->rdata != NULL && own->name == name && !own->shared)
            tie_add(out, &(struct tie_record){DNS_IN, own->type,
                                              bytes_of(own->rdata, own->rdata_len)});
    }
}

static void tie_of_theirs(struct mdns *m, struct bytes message, const struct dns_name *name,
                          struct tie *out)
{
    struct dns_cursor cursor;
    struct dns_rr rr;
    struct writer w = writer_of(m->rdata, sizeof m->rdata);
    enum wire_status status = dns_cursor_start(&cursor, message);
    ASSERT(status == WIRE_OK);
    out->count = 0;
    while (dns_cursor_record(&cursor, &rr)) {
        if (rr.section != DNS_AUTHORITY || !dns_name_equal(&rr.owner, name))
            continue;
        size_t at = writer_len(&w);
        if (dns_rdata_expand(rr.type, message, rr.rdata, &w) != WIRE_OK || w.failed)
            return;
        tie_add(out, &(struct tie_record){rr.class & (uint16_t)~MDNS_TOP_BIT, rr.type,
                                          bytes_of(w.start + at, writer_len(&w) - at)});
    }
}

void mdns_tie_rival(struct mdns *m, struct bytes message, const struct dns_name *name)
{
    for (size_t i = 0; i < MDNS_NAMES_MAX; i++) {
        struct mdns_own_name *n = &m->names[i];
        struct tie ours, theirs;
        if (!n->used || (n->state != MDNS_NAME_WAITING && n->state != MDNS_NAME_PROBING) ||
            !dns_name_equal(&n->name, name))
            continue;
        tie_of_ours(m, i, &ours);
        tie_of_theirs(m, message, name, &theirs);
        if (theirs.count > 0 && tie_compare(&ours, &theirs) < 0)
            mdns_start_probing(m, n, USEC_PER_SEC); /* by then he has it, or is gone */
    }
}
