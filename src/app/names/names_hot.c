/* SPDX-License-Identifier: ISC */
/*
 * names_hot.c - replies from the cache that are sent again as they are (hot_answers.h): what else than the
 * query they depend on, and what ends them before their time.
 *
 * Only those by datagrams, without a limit of replies (which looks at what they are made of).
 */
#include <errno.h>

#include "app/names/internal.h"

enum {
    HOT_OCTETS_MAX = 8 << 20, /* 32768 replies */
    HOT_SHARE = 16,           /* and no more than that part of the cache's size */
};

int names_hot_open(struct names *names, const struct names_recursion *recursion)
{
    struct prng *prng = loop_prng(names->loop);
    struct siphash_key key = {.k0 = prng_u64(prng)};
    size_t octets = recursion->cache_octets / HOT_SHARE;
    key.k1 = prng_u64(prng);
    names->hot = hot_answers_new(&names->heap, octets < HOT_OCTETS_MAX ? octets : HOT_OCTETS_MAX, &key);
    return names->hot != NULL ? 0 : -ENOMEM;
}

void names_hot_forget(struct names *names)
{
    names->hot_epoch++;
}

/* What the first worker has done, and whether a name that was nobody's may be in a zone by now. */
static void catch_up(struct names *names)
{
    uint64_t seen = names->first->hot_epoch + zone_set_changes(names->zones);
    for (size_t i = 0; i < names->view_count; i++)
        seen += zone_set_changes(names->views[i].zones);
    if (seen != names->hot_seen)
        hot_answers_clear(names->hot);
    names->hot_seen = seen;
}

/* An unsigned query that wants recursion, as far as rules look at it. */
static void who_asks(const struct answer_path *path, struct answer_query *out)
{
    out->path.from = path->from;
    out->tsig.key = NULL;
}

/* By which view he is answered, and how large datagrams may be. False: not everything is told to him. */
static bool context_of(const struct names *names, const struct answer_path *path, uint16_t *out)
{
    struct answer_query query;
    who_asks(path, &query);
    const struct names_reach *reach = names_reach_of(names, &query);
    size_t view = 0;
    while (view < names->view_count && reach != &names->views[view].view.reach)
        view++;
    *out = (uint16_t)(view << 1 | (path->size_max == NAMES_UDP_LOOPBACK));
    return !reach->own_names_only &&
           (reach->queries.count == 0 || names_allows(&reach->queries, &query)) &&
           (reach->recursion.count == 0 || names_allows(&reach->recursion, &query));
}

/* RD, in the octet of the flags that has it. */
static bool wants_recursion(struct bytes message)
{
    return message.len >= DNS_HEADER_LEN && (message.data[2] & DNS_RD >> 8) != 0;
}

bool names_hot_answer(struct names *names, const struct answer_path *path, struct bytes message,
                      struct names_hot *hot)
{
    uint16_t context;
    hot->usable = names->hot != NULL && names->first->rate_limit == NULL && wants_recursion(message) &&
                  context_of(names, path, &context) &&
                  hot_answers_read(names->hot, message, context, &hot->query);
    if (!hot->usable)
        return false;
    catch_up(names);
    if (!hot_answers_find(names->hot, &hot->query, loop_now(names->loop), names_reply_buffer(names),
                          &hot->reply))
        return false;
    hot->rcode = hot->reply.data[3] & DNS_RCODE_MASK;
    resolver_answered(names->asking->resolver);
    return true;
}

void names_hot_keep(struct names *names, const struct names_hot *hot,
                    const struct answer_result *result)
{
    const struct answer_work *work = &result->work;
    if (!hot->usable || result->verdict != ANSWER_ELSEWHERE || work->chain_len > 0 ||
        (result->rcode != DNS_NOERROR && result->rcode != DNS_NXDOMAIN))
        return;
    const struct hot_time time = {loop_now(names->loop), work->ttl_until, work->until};
    hot_answers_keep(names->hot, &hot->query, result->reply, &time);
}
