/* SPDX-License-Identifier: ISC */
/*
 * dns_forwarder.c - the table of questions under way. Slots are in one list by what they wait for;
 * their timers are in a wheel; a map by client, id and question finds retransmissions.
 */
#include "proto/dns/dns_forwarder.h"

#include "base/map.h"
#include "base/wheel.h"

struct slot {
    struct list_node node; /* in free, ready, failed, or (waiting and done) in none */
    struct timer timer;
    bool used;
    uint32_t hash;
    struct dns_forwarder_client waiting;
    struct dns_client client;
};

struct dns_forwarder {
    struct heap heap;
    struct siphash_key key;
    struct prng prng;
    struct dns_servers servers;
    struct wheel wheel;
    struct map asked;
    struct list_node free;
    struct list_node ready;
    struct list_node failed;
    size_t count;
    struct slot slots[DNS_FORWARDER_SLOTS];
};

/* The same client, the same id, the same question: a retransmission. */
static bool slot_equal(const void *item, const void *key)
{
    const struct dns_forwarder_client *a = &((const struct slot *)item)->waiting;
    const struct dns_forwarder_client *b = key;
    return a->query.id == b->query.id && a->stream == b->stream &&
           endpoint_equal(&a->from, &b->from) &&
           a->query.question.type == b->query.question.type &&
           dns_name_equal(&a->query.question.name, &b->query.question.name);
}

static uint32_t client_hash(const struct dns_forwarder *f, const struct dns_forwarder_client *client)
{
    uint8_t buffer[16 + 2 + 4 + 2];
    struct writer w = writer_of(buffer, sizeof buffer);
    write_copy(&w, client->from.address.octets, 16);
    write_u16(&w, client->from.port);
    write_u32(&w, client->stream);
    write_u16(&w, client->query.id);
    return (uint32_t)siphash13(&f->key, writer_bytes(&w));
}

struct dns_forwarder *dns_forwarder_new(const struct heap *heap, struct prng *prng,
                                        const struct endpoint *servers, size_t count, usec now)
{
    ASSERT(count > 0 && count <= DNS_SERVERS_MAX);
    struct dns_forwarder *f = heap_zeroed(heap, sizeof *f);
    if (f == NULL)
        return NULL;
    f->heap = *heap;
    prng_fork(prng, &f->prng);
    f->key.k0 = prng_u64(&f->prng);
    f->key.k1 = prng_u64(&f->prng);
    f->servers.count = count;
    for (size_t i = 0; i < count; i++)
        f->servers.list[i].endpoint = servers[i];
    wheel_init(&f->wheel, now);
    map_init(&f->asked, heap, DNS_FORWARDER_SLOTS, slot_equal);
    list_init(&f->free);
    list_init(&f->ready);
    list_init(&f->failed);
    for (size_t i = 0; i < DNS_FORWARDER_SLOTS; i++) {
        timer_init(&f->slots[i].timer, 0);
        list_init(&f->slots[i].node);
        list_append(&f->free, &f->slots[i].node);
    }
    return f;
}

void dns_forwarder_free(struct dns_forwarder *f)
{
    if (f == NULL)
        return;
    struct heap heap = f->heap;
    map_done(&f->asked);
    heap_release(&heap, f, sizeof *f);
}

/* Files the slot under what its client waits for now. */
static void file(struct dns_forwarder *f, struct slot *slot)
{
    list_remove(&slot->node);
    if (slot->client.state == DNS_CLIENT_READY)
        list_append(&f->ready, &slot->node);
    else if (slot->client.state == DNS_CLIENT_FAILED)
        list_append(&f->failed, &slot->node);
    wheel_arm(&f->wheel, &slot->timer, dns_client_deadline(&slot->client));
}

enum dns_forwarder_verdict dns_forwarder_ask(struct dns_forwarder *f,
                                             const struct dns_forwarder_client *client,
                                             const struct dns_name *target, usec now)
{
    uint32_t hash = client_hash(f, client);
    if (map_find(&f->asked, hash, client) != NULL)
        return DNS_FORWARDER_DUPLICATE;
    if (list_empty(&f->free))
        return DNS_FORWARDER_FULL;
    struct slot *slot = CONTAINER_OF(list_first(&f->free), struct slot, node);
    if (!map_insert(&f->asked, hash, slot))
        return DNS_FORWARDER_FULL;
    struct dns_client_options options = {
        .question = client->query.question,
        .flags = DNS_RD | (client->query.flags & (DNS_CD | DNS_AD)),
        .dnssec_ok = client->query.dnssec_ok,
        .stream_wanted = client->stream != 0,
    };
    options.question.name = *target;
    slot->used = true;
    slot->hash = hash;
    slot->waiting = *client;
    dns_client_init(&slot->client, &options, now);
    f->count++;
    file(f, slot);
    return DNS_FORWARDER_TAKEN;
}

bool dns_forwarder_next(struct dns_forwarder *f, usec now, uint8_t *buffer,
                        struct dns_forwarder_event *out)
{
    bool failed = !list_empty(&f->failed);
    struct list_node *node = list_first(failed ? &f->failed : &f->ready);
    if (node == NULL)
        return false;
    struct slot *slot = CONTAINER_OF(node, struct slot, node);
    out->slot = (uint32_t)(slot - f->slots);
    out->failed = failed;
    if (failed)
        list_remove(node);
    else {
        dns_client_send(&slot->client, &f->servers, &f->prng, now, buffer, &out->send);
        file(f, slot);
    }
    return true;
}

static struct slot *used_slot(struct dns_forwarder *f, uint32_t slot)
{
    ASSERT(slot < DNS_FORWARDER_SLOTS && f->slots[slot].used);
    return &f->slots[slot];
}

bool dns_forwarder_input(struct dns_forwarder *f, uint32_t number, const struct endpoint *from,
                         struct bytes message, usec now)
{
    struct slot *slot = used_slot(f, number);
    struct dns_summary summary;
    if (slot->client.state != DNS_CLIENT_WAITING)
        return false;
    bool answered = dns_client_input(&slot->client, &f->servers, from, message, now, &summary);
    file(f, slot);
    return answered;
}

void dns_forwarder_broken(struct dns_forwarder *f, uint32_t number, usec now)
{
    struct slot *slot = used_slot(f, number);
    if (slot->client.state != DNS_CLIENT_WAITING)
        return;
    dns_client_broken(&slot->client, &f->servers, now);
    file(f, slot);
}

const struct dns_forwarder_client *dns_forwarder_waiting(const struct dns_forwarder *f,
                                                         uint32_t slot)
{
    ASSERT(slot < DNS_FORWARDER_SLOTS && f->slots[slot].used);
    return &f->slots[slot].waiting;
}

void dns_forwarder_release(struct dns_forwarder *f, uint32_t number)
{
    struct slot *slot = used_slot(f, number);
    bool removed = map_remove(&f->asked, slot->hash, slot);
    ASSERT(removed);
    wheel_disarm(&f->wheel, &slot->timer);
    list_remove(&slot->node);
    list_append(&f->free, &slot->node);
    slot->used = false;
    f->count--;
}

usec dns_forwarder_deadline(const struct dns_forwarder *f)
{
    return wheel_deadline(&f->wheel);
}

void dns_forwarder_tick(struct dns_forwarder *f, usec now)
{
    struct timer *timer;
    while ((timer = wheel_expire(&f->wheel, now)) != NULL) {
        struct slot *slot = CONTAINER_OF(timer, struct slot, timer);
        dns_client_tick(&slot->client, &f->servers, now);
        file(f, slot);
    }
}

size_t dns_forwarder_count(const struct dns_forwarder *f)
{
    return f->count;
}
