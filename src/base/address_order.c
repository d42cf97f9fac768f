/* SPDX-License-Identifier: ISC */
/* address_order.c - the rules of RFC 6724 §6, one after the other. */
#include "base/address_order.h"

enum { SCOPE_LINK = 2, SCOPE_SITE = 5, SCOPE_GLOBAL = 14 };

/* RFC 6724 §2.1. The longest prefix counts. */
static const struct policy {
    uint8_t prefix[16];
    uint8_t len;
    uint8_t precedence;
    uint8_t label;
} policies[] = {
    {{[15] = 1}, 128, 50, 0},
    {{[10] = 0xff, 0xff}, 96, 35, 4},
    {{0}, 96, 1, 3},
    {{0x20, 0x01}, 32, 5, 5},
    {{0x20, 0x02}, 16, 30, 2},
    {{0x3f, 0xfe}, 16, 1, 12},
    {{0xfe, 0xc0}, 10, 1, 11},
    {{0xfc}, 7, 3, 13},
    {{0}, 0, 40, 1},
};

static unsigned common_len(const uint8_t *a, const uint8_t *b)
{
    unsigned len = 0;
    while (len < 128 && ((a[len / 8] ^ b[len / 8]) >> (7 - len % 8) & 1) == 0)
        len++;
    return len;
}

static const struct policy *policy_of(const struct ip_address *a)
{
    size_t i = 0;
    while (common_len(a->octets, policies[i].prefix) < policies[i].len)
        i++;
    return &policies[i];
}

/* RFC 6724 §3.1, §3.2; RFC 4291 §2.7 for multicast. */
static unsigned scope_of(const struct ip_address *a)
{
    if (address_is_v4(a))
        return address_is_loopback(a) || address_is_link_local(a) ? SCOPE_LINK : SCOPE_GLOBAL;
    if (a->octets[0] == 0xff)
        return a->octets[1] & 0x0f;
    if (address_is_loopback(a) || address_is_link_local(a))
        return SCOPE_LINK;
    bool site = a->octets[0] == 0xfe && (a->octets[1] & 0xc0) == 0xc0;
    return site ? SCOPE_SITE : SCOPE_GLOBAL;
}

/* RFC 6724 §2.2: no longer than the source's network. */
static unsigned shared_len(const struct address_candidate *c)
{
    bool v4 = address_is_v4(&c->source.address);
    unsigned network = c->source.len + (v4 ? 96u : 0u);
    unsigned len = common_len(c->address.octets, c->source.address.octets);
    if (v4 && len < network)
        return 0;
    return len < network ? len : network;
}

/* Positive: `a` is to come first. */
static int prefer(int a, int b)
{
    return a - b;
}

static int compare(const struct address_candidate *a, const struct address_candidate *b)
{
    int order = prefer(a->reachable, b->reachable); /* rule 1 */
    if (order != 0)
        return order;
    bool sources = a->reachable; /* else what goes by them says nothing */
    const struct policy *pa = policy_of(&a->address);
    const struct policy *pb = policy_of(&b->address);
    unsigned scope_a = scope_of(&a->address);
    unsigned scope_b = scope_of(&b->address);
    if (sources) /* rule 2 */
        order = prefer(scope_a == scope_of(&a->source.address),
                       scope_b == scope_of(&b->source.address));
    if (order == 0 && sources) /* rule 5 */
        order = prefer(pa->label == policy_of(&a->source.address)->label,
                       pb->label == policy_of(&b->source.address)->label);
    if (order == 0) /* rule 6 */
        order = prefer(pa->precedence, pb->precedence);
    if (order == 0) /* rule 8 */
        order = prefer(-(int)scope_a, -(int)scope_b);
    if (order == 0 && sources && address_is_v4(&a->address) == address_is_v4(&b->address)) /* rule 9 */
        order = prefer((int)shared_len(a), (int)shared_len(b));
    return order;
}

void address_order(struct address_candidate *list, size_t count)
{
    for (size_t i = 1; i < count; i++) { /* they are few */
        struct address_candidate moving = list[i];
        size_t at = i;
        for (; at > 0 && compare(&moving, &list[at - 1]) > 0; at--)
            list[at] = list[at - 1];
        list[at] = moving;
    }
}
