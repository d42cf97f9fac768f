/* SPDX-License-Identifier: ISC */
/* notify.c - NOTIFY from the side of who has the news. */
#include "proto/dns/notify.h"

#include <errno.h>

#include "wire/dns/dns_message.h"

void notify_init(struct notify *n, const struct heap *heap, struct prng *prng,
                 const struct tsig_keys *keys)
{
    *n = (struct notify){.heap = *heap, .prng = prng, .keys = keys};
    list_init(&n->items);
}

void notify_drop(struct notify *n, struct notify_item *item)
{
    tsig_client_end(&item->signing);
    list_remove(&item->node);
    heap_release(&n->heap, item, sizeof *item);
    n->count--;
}

static struct notify_item *first(const struct notify *n)
{
    struct list_node *node = list_first(&n->items);
    return node != NULL ? CONTAINER_OF(node, struct notify_item, node) : NULL;
}

static struct notify_item *after(const struct notify *n, const struct notify_item *item)
{
    struct list_node *node = item->node.next;
    return node != &n->items ? CONTAINER_OF(node, struct notify_item, node) : NULL;
}

void notify_done(struct notify *n)
{
    for (struct notify_item *item = first(n); item != NULL; item = first(n))
        notify_drop(n, item);
}

int notify_add(struct notify *n, const struct dns_name *zone, size_t view,
               const struct tsig_peer *target, usec now)
{
    struct notify_item *item = first(n);
    while (item != NULL && !(item->view == view && endpoint_equal(&item->target.at, &target->at) &&
                             dns_name_equal(&item->zone, zone)))
        item = after(n, item);
    if (item == NULL) {
        if (n->count == NOTIFY_PENDING_MAX)
            notify_drop(n, first(n));
        item = heap_zeroed(&n->heap, sizeof *item);
        if (item == NULL)
            return -ENOMEM;
        list_init(&item->node);
        list_append(&n->items, &item->node);
        n->count++;
    }
    dns_name_copy(&item->zone, zone);
    item->target = *target;
    item->view = view;
    item->attempts = 0;
    item->due_at = now;
    return 0;
}

struct notify_item *notify_due(struct notify *n, usec now, bool *given_up)
{
    for (struct notify_item *item = first(n); item != NULL; item = after(n, item)) {
        if (item->due_at > now)
            continue;
        *given_up = item->attempts == NOTIFY_ATTEMPTS;
        item->due_at = now + (NOTIFY_FIRST_PAUSE << item->attempts);
        item->attempts += !*given_up;
        return item;
    }
    return NULL;
}

struct bytes notify_build(struct notify *n, struct notify_item *item, uint32_t soa_ttl,
                          struct bytes soa, uint64_t wall, uint8_t *buffer)
{
    struct dns_builder b;
    struct dns_question question = {.type = DNS_SOA, .class = DNS_IN};
    dns_name_copy(&question.name, &item->zone);
    const struct tsig_key *key =
        dns_name_is_root(&item->target.key) ? NULL : tsig_keys_find(n->keys, &item->target.key);
    item->id = (uint16_t)prng_u32(n->prng);
    dns_build_start(&b, buffer, NOTIFY_MESSAGE_MAX);
    bool fits = dns_build_question(&b, &question);
    ASSERT(fits);
    dns_build_section(&b, DNS_ANSWER);
    struct dns_build_record record = {&item->zone, DNS_SOA, DNS_IN, soa_ttl, soa};
    fits = soa.len == 0 || dns_build_record(&b, &record);
    ASSERT(fits); /* three names and some numbers */
    struct bytes message =
        dns_build_finish(&b, item->id, (uint16_t)(DNS_OPCODE_NOTIFY << 11 | DNS_AA));
    tsig_client_end(&item->signing);
    item->signing.key = NULL;
    if (key == NULL)
        return message;
    tsig_client_init(&item->signing, key, &n->keys->hmac);
    return bytes_of(buffer, tsig_client_sign(&item->signing, wall, buffer, message.len,
                                             NOTIFY_MESSAGE_MAX));
}

static bool answers(struct notify_item *item, const struct endpoint *from, struct bytes message,
                    const struct dns_summary *summary, uint64_t wall)
{
    if (item->attempts == 0 || item->id != summary->header.id ||
        !endpoint_equal(&item->target.at, from) || summary->question.type != DNS_SOA ||
        !dns_name_equal(&item->zone, &summary->question.name))
        return false;
    return item->signing.key == NULL ||
           tsig_client_check(&item->signing, message, summary->tsig_at, wall) == TSIG_CLIENT_RIGHT;
}

struct notify_item *notify_answered(struct notify *n, const struct endpoint *from,
                                    struct bytes message, uint64_t wall, unsigned *rcode)
{
    struct dns_summary summary;
    if (dns_summarise(message, &summary) != WIRE_OK || (summary.header.flags & DNS_QR) == 0 ||
        dns_opcode(summary.header.flags) != DNS_OPCODE_NOTIFY)
        return NULL;
    for (struct notify_item *item = first(n); item != NULL; item = after(n, item))
        if (answers(item, from, message, &summary, wall)) {
            *rcode = dns_summary_rcode(&summary);
            return item;
        }
    return NULL;
}

usec notify_deadline(const struct notify *n)
{
    usec at = USEC_NEVER;
    for (const struct notify_item *item = first(n); item != NULL; item = after(n, item))
        at = item->due_at < at ? item->due_at : at;
    return at;
}
