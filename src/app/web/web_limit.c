/* SPDX-License-Identifier: ISC */
/* web_limit.c - accounts of addresses; a rate is a virtual clock that each request moves on. */
#include "app/web/web_limit.h"

#include <stdlib.h>

struct web_account {
    struct list_node node;
    struct ip_address who;
    uint32_t hash;
    uint32_t connections;
    usec paid_until; /* all requests so far are within the rate from then on */
};

static bool equal(const void *item, const void *key)
{
    const struct web_account *account = item;
    return address_equal(&account->who, key);
}

void web_limit_init(struct web_limit *limit, const struct heap *heap, uint64_t random)
{
    *limit = (struct web_limit){.key = {random, ~random}};
    lock_init(&limit->lock);
    map_init(&limit->map, heap, WEB_ACCOUNTS_MAX, equal);
    list_init(&limit->accounts);
}

static void forget(struct web_limit *limit, struct web_account *account)
{
    (void)map_remove(&limit->map, account->hash, account);
    list_remove(&account->node);
    free(account);
}

void web_limit_done(struct web_limit *limit)
{
    struct list_node *node;
    while ((node = list_first(&limit->accounts)) != NULL)
        forget(limit, CONTAINER_OF(node, struct web_account, node));
    map_done(&limit->map);
    lock_done(&limit->lock);
}

static struct ip_address household(const struct ip_address *from)
{
    struct ip_address who = *from;
    if (!address_is_v4(from))
        memset(who.octets + 8, 0, 8);
    return who;
}

static uint32_t hash_of(const struct web_limit *limit, const struct ip_address *who)
{
    return (uint32_t)siphash13(&limit->key, bytes_of(who->octets, sizeof who->octets));
}

/* NULL: no memory, or all accounts have connections. */
static struct web_account *account_new(struct web_limit *limit, const struct ip_address *who,
                                       uint32_t hash)
{
    if (limit->map.count >= WEB_ACCOUNTS_MAX) {
        struct web_account *oldest =
            CONTAINER_OF(list_first(&limit->accounts), struct web_account, node);
        if (oldest->connections > 0)
            return NULL;
        forget(limit, oldest);
    }
    struct web_account *account = calloc(1, sizeof *account);
    if (account == NULL)
        return NULL;
    account->who = *who;
    account->hash = hash;
    if (!map_insert(&limit->map, hash, account)) {
        free(account);
        return NULL;
    }
    list_append(&limit->accounts, &account->node);
    return account;
}

static struct web_account *account_of(struct web_limit *limit, const struct ip_address *from)
{
    struct ip_address who = household(from);
    uint32_t hash = hash_of(limit, &who);
    struct web_account *account = map_find(&limit->map, hash, &who);
    if (account == NULL)
        return account_new(limit, &who, hash);
    list_remove(&account->node);
    list_append(&limit->accounts, &account->node);
    return account;
}

static bool request(struct web_limit *limit, const struct ip_address *from, uint32_t rate,
                    uint32_t burst, usec now)
{
    struct web_account *account = account_of(limit, from);
    if (account == NULL || rate == 0)
        return true;
    usec cost = USEC_PER_SEC / rate;
    usec credit = (usec)(burst > 0 ? burst : rate) * cost;
    if (account->paid_until < now)
        account->paid_until = now;
    if (account->paid_until + cost > now + credit + cost / 2)
        return false;
    account->paid_until += cost;
    return true;
}

bool web_limit_request(struct web_limit *limit, const struct ip_address *from, uint32_t rate,
                       uint32_t burst, usec now)
{
    lock_take(&limit->lock);
    bool keeps = request(limit, from, rate, burst, now);
    lock_give(&limit->lock);
    return keeps;
}

bool web_limit_enter(struct web_limit *limit, const struct ip_address *from, uint32_t max)
{
    lock_take(&limit->lock);
    struct web_account *account = account_of(limit, from);
    bool enters = account == NULL || account->connections < max;
    if (account != NULL && enters) /* without one, leave() will not find it either */
        account->connections++;
    lock_give(&limit->lock);
    return enters;
}

void web_limit_leave(struct web_limit *limit, const struct ip_address *from)
{
    struct ip_address who = household(from);
    lock_take(&limit->lock);
    struct web_account *account = map_find(&limit->map, hash_of(limit, &who), &who);
    if (account != NULL && account->connections > 0)
        account->connections--;
    lock_give(&limit->lock);
}
