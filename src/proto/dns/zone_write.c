/* SPDX-License-Identifier: ISC */
/* zone_write.c - names in canonical order, each with its records. */
#include "proto/dns/zone_write.h"

#include "base/encoding.h"

struct sink {
    void (*on_line)(void *self, struct bytes line);
    void *self;
};

void zone_write_start(struct zone_write *w, const struct zone *zone)
{
    ASSERT(zone_is_served(zone));
    *w = (struct zone_write){.phase = ZONE_WRITE_SOA, .serial = zone_serial(zone)};
}

/* The form of RFC 3597 §5, for what would be too long as it is usually written: a list of many
 * thousands of types. */
static void format_plainly(const struct dns_record *record, struct text *out)
{
    char owner[DNS_NAME_TEXT_MAX];
    text_add_format(out, "%s %lu IN TYPE%u \\# %zu ", dns_name_format(&record->owner, owner),
                    (unsigned long)record->ttl, (unsigned)record->type, record->rdata.len);
    encoding_format(ENCODING_BASE16, record->rdata, out);
}

static void write_set(const struct zone *zone, const struct zone_node *node,
                      const struct rrset *rrset, const struct sink *sink)
{
    char line[ZONE_WRITE_LINE_MAX];
    struct rrset_place place = {0};
    struct dns_record record = {.type = rrset->type, .class = DNS_IN, .ttl = rrset->ttl};
    zone_node_name(zone, node, &record.owner);
    while (rrset_next(rrset, &place, &record.rdata)) {
        struct text text = text_of(line, sizeof line - 1); /* and the end of the line */
        dns_record_format(&record, &text);
        if (text.failed) {
            text = text_of(line, sizeof line - 1);
            format_plainly(&record, &text);
        }
        text.size = sizeof line;
        text_add(&text, "\n");
        ASSERT(!text.failed);
        sink->on_line(sink->self, text_bytes(&text));
    }
}

static void write_node(const struct zone *zone, const struct zone_node *node,
                       const struct sink *sink)
{
    for (const struct rrset *rrset = node->rrsets; rrset != NULL; rrset = rrset->next)
        if (rrset->type != DNS_SOA)
            write_set(zone, node, rrset, sink);
}

/* True: there are none left. */
static bool write_names(struct zone_write *w, const struct zone *zone, const struct trie *nodes,
                        size_t *names, const struct sink *sink)
{
    const struct zone_node *node =
        w->inside ? trie_after(nodes, bytes_of(w->key, w->key_len)) : trie_first(nodes);
    for (; node != NULL && *names > 0; (*names)--) {
        write_node(zone, node, sink);
        w->inside = true;
        w->key_len = node->key_len;
        memcpy(w->key, node->key, node->key_len);
        node = trie_after(nodes, bytes_of(w->key, w->key_len));
    }
    w->inside = w->inside && node != NULL;
    return node == NULL;
}

enum zone_write_status zone_write_step(struct zone_write *w, const struct zone *zone, size_t names,
                                       void (*on_line)(void *self, struct bytes line), void *self)
{
    const struct sink sink = {on_line, self};
    if (zone == NULL || !zone_is_served(zone) || zone_serial(zone) != w->serial)
        return ZONE_WRITE_CHANGED;
    if (w->phase == ZONE_WRITE_SOA) {
        write_set(zone, zone->apex, zone_rrset(zone->apex, DNS_SOA), &sink);
        w->phase = ZONE_WRITE_NAMES;
    }
    if (w->phase == ZONE_WRITE_NAMES && write_names(w, zone, &zone->nodes, &names, &sink))
        w->phase = ZONE_WRITE_HASHED;
    if (w->phase == ZONE_WRITE_HASHED && write_names(w, zone, &zone->hashed, &names, &sink))
        w->phase = ZONE_WRITE_DONE;
    return w->phase == ZONE_WRITE_DONE ? ZONE_WRITE_WHOLE : ZONE_WRITE_MORE;
}
