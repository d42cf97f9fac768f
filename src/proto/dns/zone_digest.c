/* SPDX-License-Identifier: ISC */
/* zone_digest.c - all records of a zone, in canonical order, into a digest. */
#include "proto/dns/zone_digest.h"

#include "wire/dns/dns_canonical.h"

enum { RECORDS_MAX = 4096, TYPES_MAX = 512, TTL_LEN = 4 };

struct walk {
    const struct zone *zone;
    const struct zone_digester *digester;
    uint8_t *scratch;
    struct dns_name owner;
    bool failed;
    struct dns_piece pieces[RECORDS_MAX]; /* of one type; in the octets before each is its TTL */
};

/* RFC 8976 §3.3.1: each record once. */
static void add_pieces(struct walk *w, uint16_t type, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct dns_piece *piece = &w->pieces[i];
        uint8_t head[DNS_NAME_MAX + 10];
        struct writer out = writer_of(head, sizeof head);
        if (i > 0 && dns_canonical_compare(w->scratch, piece - 1, piece) == 0)
            continue;
        dns_name_write(&out, &w->owner);
        write_u16(&out, type);
        write_u16(&out, DNS_IN);
        write_copy(&out, w->scratch + piece->at - TTL_LEN, TTL_LEN);
        write_u16(&out, (uint16_t)piece->len);
        w->digester->add(w->digester->self, writer_bytes(&out));
        w->digester->add(w->digester->self, bytes_of(w->scratch + piece->at, piece->len));
    }
}

/* §3.3.1.2: neither the digest nor what is signed over it is digested. */
static bool is_left_out(const struct zone_node *node, const struct rrset *rrset, bool hashed)
{
    struct reader r = reader_of(rrset_first(rrset));
    return !hashed && zone_is_apex(node) &&
           (rrset->type == DNS_ZONEMD ||
            (rrset->type == DNS_RRSIG && read_u16(&r) == DNS_ZONEMD));
}

/* All sets of one type at the name: of RRSIG there are several, which are one here. */
static void add_type(struct walk *w, const struct zone_node *node, uint16_t type, bool hashed)
{
    struct writer out = writer_of(w->scratch, ZONE_DIGEST_SCRATCH_LEN);
    size_t count = 0;
    for (const struct rrset *rrset = node->rrsets; rrset != NULL; rrset = rrset->next) {
        struct rrset_place place = {0};
        struct bytes rdata;
        if (rrset->type != type || is_left_out(node, rrset, hashed))
            continue;
        while (count < RECORDS_MAX && rrset_next(rrset, &place, &rdata)) {
            write_u32(&out, rrset->ttl);
            size_t at = writer_len(&out);
            dns_canonical_write(type, rdata, &out);
            size_t len = writer_len(&out) - at;
            w->pieces[count++] = (struct dns_piece){(uint32_t)at, (uint32_t)len};
        }
    }
    w->failed |= out.failed || count == RECORDS_MAX;
    if (w->failed)
        return;
    dns_canonical_sort(w->scratch, w->pieces, count);
    add_pieces(w, type, count);
}

/* The types at the name, ascending, each once. */
static size_t list_types(const struct zone_node *node, uint16_t types[TYPES_MAX])
{
    size_t count = 0;
    for (const struct rrset *rrset = node->rrsets; rrset != NULL; rrset = rrset->next) {
        size_t at = count;
        while (at > 0 && types[at - 1] > rrset->type)
            at--;
        if ((at > 0 && types[at - 1] == rrset->type) || count == TYPES_MAX)
            continue;
        memmove(types + at + 1, types + at, (count - at) * sizeof *types);
        types[at] = rrset->type;
        count++;
    }
    return count;
}

static void add_node(struct walk *w, const struct zone_node *node, bool hashed)
{
    uint16_t types[TYPES_MAX];
    size_t count = list_types(node, types);
    zone_node_name(w->zone, node, &w->owner);
    dns_name_lower(&w->owner);
    w->failed |= count == TYPES_MAX;
    for (size_t i = 0; i < count && !w->failed; i++)
        add_type(w, node, types[i], hashed);
}

static struct bytes key_of(const struct zone_node *node)
{
    return bytes_of(node->key, node->key_len);
}

static bool is_before(const struct zone_node *a, const struct zone_node *b)
{
    size_t len = a->key_len < b->key_len ? a->key_len : b->key_len;
    int order = memcmp(a->key, b->key, len);
    return order != 0 ? order < 0 : a->key_len < b->key_len;
}

/* Names and the owners of NSEC3, of which there may be one that is a name as well, merged. */
static void add_zone(struct walk *w)
{
    const struct zone *zone = w->zone;
    const struct zone_node *plain = trie_first(&zone->nodes);
    const struct zone_node *hashed = trie_first(&zone->hashed);
    while ((plain != NULL || hashed != NULL) && !w->failed) {
        if (hashed == NULL || (plain != NULL && is_before(plain, hashed))) {
            add_node(w, plain, false);
            plain = trie_after(&zone->nodes, key_of(plain));
        } else {
            add_node(w, hashed, true);
            hashed = trie_after(&zone->hashed, key_of(hashed));
        }
    }
}

size_t zone_digest(const struct zone *zone, const struct zone_digester *digester, uint8_t algorithm,
                   uint8_t *scratch, uint8_t out[ZONE_DIGEST_MAX])
{
    struct walk w;
    w.zone = zone;
    w.digester = digester;
    w.scratch = scratch;
    w.failed = false;
    if (!digester->start(digester->self, algorithm))
        return 0;
    add_zone(&w);
    size_t len = digester->end(digester->self, out);
    return w.failed ? 0 : len;
}
