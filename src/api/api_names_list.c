/* SPDX-License-Identifier: ISC */
/* api_names_list.c - addresses in the order of RFC 6724, as the list that getaddrinfo(3) gives. */
#include "api/api_names.h"
#include "base/address_order.h"

/* A list is one block, with this in front. */
struct addrinfo_block {
    struct heap heap;
    size_t size;
    struct wn_addrinfo list[];
};

static const struct {
    int kind;
    int protocol;
} kinds[] = {{WN_SOCK_STREAM, WN_IPPROTO_TCP}, {WN_SOCK_DGRAM, WN_IPPROTO_UDP}};

/* The addresses that are wanted, in order. Returns how many. */
static size_t choose(const struct wn_resolver *resolver, const struct lookup_wish *wish,
                     const struct ip_address *addresses, size_t count,
                     struct address_candidate *out)
{
    size_t chosen = 0;
    bool has_v6 = false;
    for (size_t i = 0; i < count; i++)
        has_v6 |= !address_is_v4(&addresses[i]);
    for (size_t i = 0; i < count; i++) {
        bool mapped = address_is_v4(&addresses[i]) && wish->family == WN_AF_INET6;
        if (mapped && has_v6 && (wish->flags & WN_AI_ALL) == 0)
            continue;
        uint16_t mtu;
        struct address_candidate *c = &out[chosen++];
        *c = (struct address_candidate){.address = addresses[i]};
        c->reachable =
            stack_route(resolver->stack->stack, &addresses[i], &c->source.address, &mtu);
        c->source.len = 32; /* rule 9 says nothing of IPv4 then */
    }
    address_order(out, chosen);
    return chosen;
}

static uint16_t network_order(uint16_t value)
{
    uint16_t out;
    memcpy(&out, (const uint8_t[]){(uint8_t)(value >> 8), (uint8_t)value}, sizeof out);
    return out;
}

static void fill(const struct lookup_wish *wish, size_t kind, const struct ip_address *a,
                 struct wn_sockaddr_in6 *room, struct wn_addrinfo *out)
{
    bool v4 = address_is_v4(a) && wish->family != WN_AF_INET6;
    out->ai_flags = wish->flags;
    out->ai_family = v4 ? WN_AF_INET : WN_AF_INET6;
    out->ai_socktype = kinds[kind].kind;
    out->ai_protocol = kinds[kind].protocol;
    out->ai_addr = (struct wn_sockaddr *)(void *)room;
    if (v4) {
        struct wn_sockaddr_in in = {.sin_family = WN_AF_INET,
                                    .sin_port = network_order(wish->ports[kind])};
        memcpy(&in.sin_addr, a->octets + 12, 4);
        memcpy(room, &in, sizeof in);
        out->ai_addrlen = sizeof in;
    } else {
        room->sin6_family = WN_AF_INET6;
        room->sin6_port = network_order(wish->ports[kind]);
        memcpy(&room->sin6_addr, a->octets, 16);
        out->ai_addrlen = sizeof *room;
    }
}

static bool wants_kind(const struct lookup_wish *wish, size_t kind)
{
    return wish->has_port[kind] && (wish->kind == 0 || wish->kind == kinds[kind].kind) &&
           (wish->protocol == 0 || wish->protocol == kinds[kind].protocol);
}

int lookup_make_list(const struct wn_resolver *resolver, const struct lookup_wish *wish,
                     const struct ip_address *addresses, size_t count, struct wn_addrinfo **out)
{
    struct address_candidate chosen[STUB_ADDRESSES_MAX];
    ASSERT(count <= STUB_ADDRESSES_MAX);
    count = choose(resolver, wish, addresses, count, chosen);
    size_t each = (size_t)wants_kind(wish, 0) + (size_t)wants_kind(wish, 1);
    size_t entries = count * each;
    if (entries == 0)
        return WN_EAI_NODATA;
    size_t entry_size = sizeof(struct wn_addrinfo) + sizeof(struct wn_sockaddr_in6);
    size_t size = sizeof(struct addrinfo_block) + entries * entry_size + NODE_MAX;
    struct addrinfo_block *block = heap_zeroed(&resolver->heap, size);
    if (block == NULL)
        return WN_EAI_MEMORY;
    block->heap = resolver->heap;
    block->size = size;
    struct wn_sockaddr_in6 *rooms = (void *)(block->list + entries);
    size_t at = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t kind = 0; kind < ARRAY_LEN(kinds); kind++)
            if (wants_kind(wish, kind)) {
                fill(wish, kind, &chosen[i].address, &rooms[at], &block->list[at]);
                block->list[at].ai_next = at + 1 < entries ? &block->list[at + 1] : NULL;
                at++;
            }
    if ((wish->flags & WN_AI_CANONNAME) != 0) {
        block->list[0].ai_canonname = (char *)(void *)(rooms + entries);
        memcpy(block->list[0].ai_canonname, wish->canonical, NODE_MAX);
    }
    *out = block->list;
    return 0;
}

void wn_freeaddrinfo(struct wn_addrinfo *list)
{
    if (list == NULL)
        return;
    struct addrinfo_block *block = CONTAINER_OF(list, struct addrinfo_block, list);
    struct heap heap = block->heap;
    heap_release(&heap, block, block->size);
}
