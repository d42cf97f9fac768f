/* SPDX-License-Identifier: ISC */
/* switch.c - learns which station is at which port (IEEE 802.1D §7.7, §7.8). */
#include "sim/switch.h"

#include "base/list.h"
#include "base/map.h"

struct station {
    struct list_node age; /* the one not heard from for longest first */
    struct mac mac;
    unsigned port;
    usec heard_at;
};

struct ethernet_switch {
    struct heap heap;
    unsigned ports;
    struct map map;
    struct list_node stations;
};

static bool station_equal(const void *item, const void *key)
{
    return mac_equal(&((const struct station *)item)->mac, key);
}

/* The hosts of a simulation are our own: nobody floods this table. */
static uint32_t mac_hash(const struct mac *mac)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < sizeof mac->octets; i++)
        hash = (hash ^ mac->octets[i]) * 16777619u;
    return hash;
}

struct ethernet_switch *switch_new(const struct heap *heap, unsigned ports)
{
    ASSERT(ports <= SWITCH_PORTS_MAX);
    struct ethernet_switch *s = heap_zeroed(heap, sizeof *s);
    if (s == NULL)
        return NULL;
    s->heap = *heap;
    s->ports = ports;
    map_init(&s->map, heap, SWITCH_STATIONS_MAX, station_equal);
    list_init(&s->stations);
    return s;
}

static void forget(struct ethernet_switch *s, struct station *station)
{
    (void)map_remove(&s->map, mac_hash(&station->mac), station);
    list_remove(&station->age);
    heap_release(&s->heap, station, sizeof *station);
}

void switch_free(struct ethernet_switch *s)
{
    if (s == NULL)
        return;
    struct list_node *first;
    while ((first = list_first(&s->stations)) != NULL)
        forget(s, CONTAINER_OF(first, struct station, age));
    map_done(&s->map);
    struct heap heap = s->heap;
    heap_release(&heap, s, sizeof *s);
}

static struct station *add(struct ethernet_switch *s, const struct mac *mac)
{
    if (s->map.count >= SWITCH_STATIONS_MAX)
        forget(s, CONTAINER_OF(list_first(&s->stations), struct station, age));
    struct station *station = heap_zeroed(&s->heap, sizeof *station);
    if (station == NULL)
        return NULL;
    station->mac = *mac;
    list_init(&station->age);
    if (!map_insert(&s->map, mac_hash(mac), station)) {
        heap_release(&s->heap, station, sizeof *station);
        return NULL;
    }
    return station;
}

static void learn(struct ethernet_switch *s, unsigned port, const struct mac *mac, usec now)
{
    struct station *station = map_find(&s->map, mac_hash(mac), mac);
    if (station == NULL)
        station = add(s, mac);
    if (station == NULL)
        return; /* without memory it floods, as a full switch does */
    station->port = port;
    station->heard_at = now;
    list_remove(&station->age);
    list_append(&s->stations, &station->age);
}

uint64_t switch_input(struct ethernet_switch *s, unsigned port, const struct frame *frame, usec now)
{
    struct mac target;
    struct mac source;
    if (port >= s->ports || frame->len < sizeof target + sizeof source)
        return 0;
    memcpy(&target, frame->data, sizeof target);
    memcpy(&source, frame->data + sizeof target, sizeof source);
    if (mac_is_multicast(&source))
        return 0;
    learn(s, port, &source, now);
    uint64_t all = s->ports == 64 ? UINT64_MAX : (UINT64_C(1) << s->ports) - 1;
    uint64_t others = all & ~(UINT64_C(1) << port);
    if (mac_is_multicast(&target))
        return others;
    const struct station *station = map_find(&s->map, mac_hash(&target), &target);
    if (station == NULL || now - station->heard_at > SWITCH_AGEING_TIME)
        return others;
    return others & UINT64_C(1) << station->port;
}
