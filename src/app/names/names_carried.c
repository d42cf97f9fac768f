/* SPDX-License-Identifier: ISC */
/*
 * names_carried.c - queries that another service carries, such as HTTP (RFC 8484). What can be answered
 * at once is; the others wait in a table until the resolver or the journal has something to say.
 */
#include "app/names/internal.h"

void names_carried_open(struct names *names)
{
    list_init(&names->carried_free);
    for (uint32_t i = 0; i < NAMES_CARRIED_MAX; i++) {
        struct names_carried *carried = &names->carried[i];
        carried->handle = NAMES_CARRIED | i;
        list_init(&carried->node);
        list_append(&names->carried_free, &carried->node);
    }
}

/* Who knows the old handle finds nobody any more. */
static void let_go(struct names *names, struct names_carried *carried)
{
    carried->waits = false;
    carried->handle = (carried->handle + NAMES_CARRIED_MAX) | NAMES_CARRIED;
    list_append(&names->carried_free, &carried->node);
}

/* NULL: it is over. */
static struct names_carried *find(struct names *names, uint32_t handle)
{
    struct names_carried *carried = &names->carried[handle % NAMES_CARRIED_MAX];
    return carried->waits && carried->handle == handle ? carried : NULL;
}

enum names_verdict names_carry(struct names *names, const struct names_carrier *carrier,
                               const struct answer_path *path, struct bytes query,
                               struct bytes *reply, uint32_t *handle)
{
    struct answer_result result;
    struct list_node *node = list_first(&names->carried_free);
    if (node == NULL)
        return NAMES_FULL;
    struct names_carried *carried = CONTAINER_OF(node, struct names_carried, node);
    struct resolver_client client = {.from = carrier->from, .stream = carried->handle};
    switch (names_judge(names, &client, path, query, &result)) {
    case NAMES_TAKEN:
    case NAMES_TWICE: /* it cannot be: nobody has the same handle */
        list_remove(node);
        carried->waits = true;
        carried->carrier = *carrier;
        *handle = carried->handle;
        return NAMES_LATER;
    case NAMES_DROPPED:
        return NAMES_NONE;
    case NAMES_NO_QUERY:
        return NAMES_MALFORMED;
    case NAMES_JUDGED:
        break;
    }
    names_count_reply(names, result.rcode);
    *reply = result.reply;
    return NAMES_NOW;
}

enum names_verdict names_ask(struct names *names, const struct names_carrier *carrier,
                             struct bytes query, struct bytes *reply, uint32_t *handle)
{
    const struct answer_path path = {
        .stream = true,
        .size_max = names->udp_size,
        .padding = carrier->secure ? NAMES_PADDING : 0,
        .now = (uint64_t)loop_wall_seconds(names->loop),
        .from = carrier->from.address,
    };
    enum names_verdict verdict = names_carry(names, carrier, &path, query, reply, handle);
    names->counters.queries_https += verdict != NAMES_MALFORMED && verdict != NAMES_FULL;
    return verdict;
}

void names_forget(struct names *names, uint32_t handle)
{
    struct names_carried *carried = find(names, handle);
    if (carried != NULL)
        let_go(names, carried);
}

void names_carried_reply(struct names *names, uint32_t handle, struct bytes reply, unsigned rcode)
{
    struct names_carried *carried = find(names, handle);
    if (carried == NULL)
        return; /* the client has not waited */
    struct names_carrier carrier = carried->carrier;
    if (reply.len > 0)
        names_count_reply(names, rcode);
    let_go(names, carried);
    carrier.on_reply(carrier.self, reply);
}

void names_carried_close(struct names *names)
{
    for (size_t i = 0; i < NAMES_CARRIED_MAX; i++)
        if (names->carried[i].waits)
            names_carried_reply(names, names->carried[i].handle, bytes_empty(), DNS_SERVFAIL);
}
