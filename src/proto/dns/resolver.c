/* SPDX-License-Identifier: ISC */
/* resolver.c - the table of tasks, who waits for them, and the crank. */
#include "proto/dns/resolver_internal.h"

enum { DUPLICATES_LOOKED_AT = 32 };

static bool task_equal(const void *item, const void *key)
{
    const struct dns_question *a = &((const struct task *)item)->question;
    const struct dns_question *b = key;
    return a->type == b->type && dns_name_equal(&a->name, &b->name);
}

static uint32_t question_hash(const struct resolver *r, const struct dns_question *q)
{
    uint8_t buffer[DNS_NAME_MAX + 2];
    struct writer w = writer_of(buffer, sizeof buffer);
    struct dns_name lower = q->name;
    dns_name_lower(&lower);
    write_u16(&w, q->type);
    write_bytes(&w, dns_name_bytes(&lower));
    return (uint32_t)siphash13(&r->key, writer_bytes(&w));
}

struct resolver *resolver_new(const struct resolver_options *options, struct prng *prng, usec now)
{
    ASSERT(options->hint_count <= RESOLVER_HINTS_MAX &&
           options->forward_count <= RESOLVER_FORWARDS_MAX);
    struct resolver *r = heap_zeroed(&options->heap, sizeof *r);
    if (r == NULL)
        return NULL;
    r->options = *options;
    r->cache = options->cache;
    prng_fork(prng, &r->prng);
    r->key.k0 = prng_u64(&r->prng);
    r->key.k1 = prng_u64(&r->prng);
    wheel_init(&r->wheel, now);
    map_init(&r->tasks_by_question, &options->heap, RESOLVER_TASKS, task_equal);
    list_init(&r->free);
    list_init(&r->run);
    list_init(&r->ready);
    list_init(&r->done);
    list_init(&r->free_clients);
    resolver_server_init(r);
    if (options->aggressive && resolver_validates(r)) {
        r->gaps = gaps_new(&options->heap, RESOLVER_GAPS);
        if (r->gaps == NULL) {
            resolver_free(r);
            return NULL;
        }
    }
    return r;
}

void resolver_free(struct resolver *r)
{
    if (r == NULL)
        return;
    struct heap heap = r->options.heap;
    gaps_free(r->gaps);
    map_done(&r->tasks_by_question);
    map_done(&r->servers_by_key);
    heap_release(&heap, r, sizeof *r);
}

/* ---- tasks ---- */

static void file(struct task *t, struct list_node *list, enum task_state state)
{
    t->state = state;
    list_remove(&t->node);
    if (list != NULL)
        list_append(list, &t->node);
}

void resolver_run(struct resolver *r, struct task *t)
{
    file(t, &r->run, TASK_RUN);
}

static void set_timer(struct resolver *r, struct task *t)
{
    usec due_at = t->give_up_at;
    if (t->state == TASK_ASKING)
        due_at = usec_min(due_at, dns_client_deadline(&t->client));
    wheel_arm(&r->wheel, &t->timer, due_at);
}

static void begin(struct resolver *r, struct task *t, const struct dns_question *question,
                  const struct task *parent, usec now)
{
    uint32_t index = (uint32_t)(t - r->tasks);
    t->generation++;
    t->question = *question;
    t->current = question->name;
    t->aliases = 0;
    t->ede = DNS_EDE_NONE;
    t->failed = false;
    t->silence = false;
    t->refresh = false;
    t->has_v4 = false;
    t->socket = false;
    t->give_up_at = now + RESOLVER_TIMEOUT;
    t->forward = NULL;
    t->ceiling = RESOLVER_NO_CEILING;
    t->lifts = 0;
    t->exhausted = false;
    t->primed = false;
    t->minimise = r->options.minimise;
    t->labels = 0;
    t->minimised = 0;
    t->proofs = 0;
    t->fetched = 0;
    t->fetches = parent != NULL ? parent->fetches : 0;
    t->depth = parent != NULL ? parent->depth + 1 : 0;
    t->queries = 0;
    t->root = parent != NULL ? parent->root : index;
    t->root_generation = parent != NULL ? parent->root_generation : t->generation;
    t->child = NULL;
    dns_name_root(&t->zone);
    dns_name_root(&t->fetched_zone);
    resolver_run(r, t);
    set_timer(r, t);
    r->counters.tasks++;
    r->counters.waiting++;
}

/* Does `t` wait, over others, for `wanted`? */
static bool waits_for(const struct task *t, const struct task *wanted)
{
    for (; t != NULL; t = t->child)
        if (t == wanted)
            return true;
    return false;
}

/* A task that nobody uses; NULL: all are in use. */
static struct task *free_task(struct resolver *r)
{
    if (!list_empty(&r->free))
        return CONTAINER_OF(list_first(&r->free), struct task, node);
    if (r->task_count == RESOLVER_TASKS)
        return NULL;
    struct task *t = &r->tasks[r->task_count++];
    timer_init(&t->timer, 0);
    list_init(&t->node);
    list_init(&t->clients);
    list_init(&t->parents);
    list_init(&t->parent_node);
    list_append(&r->free, &t->node);
    return t;
}

struct task *resolver_task(struct resolver *r, const struct dns_question *question,
                           struct task *parent, usec now)
{
    uint32_t hash = question_hash(r, question);
    struct task *t = map_find(&r->tasks_by_question, hash, question);
    if (t != NULL && waits_for(t, parent)) {
        r->counters.rings++;
        return NULL;
    }
    if (t != NULL)
        return t;
    t = free_task(r);
    if (t == NULL || !map_insert(&r->tasks_by_question, hash, t))
        return NULL;
    t->hash = hash;
    begin(r, t, question, parent, now);
    return t;
}

void resolver_wait(struct resolver *r, struct task *parent, struct task *child)
{
    ASSERT(parent->child == NULL);
    file(parent, NULL, TASK_WAITING);
    parent->child = child;
    list_append(&child->parents, &parent->parent_node);
    set_timer(r, parent);
}

bool resolver_charge(struct resolver *r, struct task *t)
{
    struct task *root = &r->tasks[t->root];
    t->queries++;
    bool well = t->queries <= RESOLVER_QUERIES_MAX;
    if (root != t && root->generation == t->root_generation && root->state != TASK_FREE)
        well &= ++root->queries <= RESOLVER_QUERIES_MAX;
    r->counters.over_budget += !well;
    return well;
}

void resolver_finish(struct resolver *r, struct task *t, bool failed, uint16_t ede, usec now)
{
    bool removed = map_remove(&r->tasks_by_question, t->hash, t);
    ASSERT(removed);
    wheel_disarm(&r->wheel, &t->timer);
    list_remove(&t->parent_node); /* whom it waited for goes on without it */
    t->child = NULL;
    t->failed = failed;
    t->ede = ede;
    file(t, &r->done, TASK_DONE);
    if (failed) {
        r->counters.failures++;
        if (ede != DNS_EDE_CACHED_ERROR && t->silence)
            cache_put_silence(r->cache, &t->question.name, t->question.type, ede, now);
        else if (ede != DNS_EDE_CACHED_ERROR)
            cache_put_failure(r->cache, &t->question.name, t->question.type, ede, now);
    }
    while (!list_empty(&t->parents)) {
        struct list_node *node = list_first(&t->parents);
        struct task *parent = CONTAINER_OF(node, struct task, parent_node);
        list_remove(node);
        parent->child = NULL;
        parent->silence |= failed && (t->silence || ede == DNS_EDE_CACHED_ERROR);
        resolver_run(r, parent);
    }
}

static void release(struct resolver *r, struct task *t)
{
    ASSERT(list_empty(&t->clients) && list_empty(&t->parents));
    file(t, &r->free, TASK_FREE);
    r->counters.waiting--;
}

/* ---- clients ---- */

static bool is_duplicate(const struct task *t, const struct resolver_client *client, uint16_t id)
{
    unsigned looked_at = 0;
    for (const struct list_node *node = t->clients.next;
         node != &t->clients && looked_at < DUPLICATES_LOOKED_AT; node = node->next) {
        const struct waiting *w = CONTAINER_OF(node, struct waiting, node);
        if (w->client.query.id == id && w->client.stream == client->stream &&
            endpoint_equal(&w->client.from, &client->from))
            return true;
        looked_at++;
    }
    return false;
}

/* Asks again for what is nearly over, with nobody waiting. */
static void prefetch(struct resolver *r, const struct dns_question *question, usec now)
{
    if (map_find(&r->tasks_by_question, question_hash(r, question), question) != NULL)
        return;
    struct task *t = resolver_task(r, question, NULL, now);
    if (t == NULL)
        return;
    t->refresh = true;
    r->counters.prefetches++;
}

void resolver_renew(struct resolver *r, const struct dns_question *question, usec now)
{
    prefetch(r, question, now);
}

/* A place for one who waits; NULL: all are taken. */
static struct waiting *free_client(struct resolver *r)
{
    if (!list_empty(&r->free_clients))
        return CONTAINER_OF(list_first(&r->free_clients), struct waiting, node);
    if (r->client_count == RESOLVER_CLIENTS)
        return NULL;
    struct waiting *w = &r->clients[r->client_count++];
    list_init(&w->node);
    list_append(&r->free_clients, &w->node);
    return w;
}

void resolver_answered(struct resolver *r)
{
    r->counters.asked++;
    r->counters.answered_from_cache++;
}

enum resolver_verdict resolver_ask(struct resolver *r, const struct resolver_client *client,
                                   struct answer_work *work, usec now)
{
    struct dns_question question;
    struct reply_outcome outcome;
    r->counters.asked++;
    bool known = resolver_reply(r, work, false, now, &outcome);
    r->counters.answered_from_cache += known;
    if (known && !outcome.prefetch)
        return RESOLVER_ANSWERED;
    dns_name_copy(&question.name, &outcome.missing);
    question.type = work->query->question.type;
    question.class = DNS_IN;
    if (known) {
        prefetch(r, &question, now);
        return RESOLVER_ANSWERED;
    }
    struct task *t = map_find(&r->tasks_by_question, question_hash(r, &question), &question);
    if (t != NULL && is_duplicate(t, client, work->query->id))
        return RESOLVER_DUPLICATE;
    if (t != NULL)
        r->counters.collapsed++;
    struct waiting *w = free_client(r);
    if (t == NULL && w != NULL)
        t = resolver_task(r, &question, NULL, now);
    if (t == NULL || w == NULL) {
        r->counters.refused++;
        return RESOLVER_FULL;
    }
    w->client = *client;
    w->client.query = *work->query;
    w->asked_at = now;
    dns_name_copy(&w->target, &work->target);
    list_remove(&w->node);
    list_append(&t->clients, &w->node);
    return RESOLVER_TAKEN;
}

/* ---- the crank ---- */

void resolver_fill(struct resolver *r, uint32_t index, struct answer_work *work, usec now)
{
    ASSERT(index < RESOLVER_TASKS && r->tasks[index].state == TASK_DONE);
    const struct task *t = &r->tasks[index];
    struct reply_outcome outcome;
    if (resolver_reply(r, work, false, now, &outcome))
        return;
    if (t->failed && r->options.stale && resolver_reply(r, work, true, now, &outcome)) {
        r->counters.stale++;
        return;
    }
    if (!t->failed && !dns_name_equal(&outcome.missing, &t->question.name)) {
        /* A list leads from what was found to what was not: the client asks again, and it is there. */
        struct dns_question more = {outcome.missing, t->question.type, DNS_IN};
        (void)resolver_task(r, &more, NULL, now);
        work->dropped = true;
        return;
    }
    work->rcode = DNS_SERVFAIL;
    work->ede = t->ede;
}

usec resolver_latency_max(unsigned class)
{
    static const unsigned msec[RESOLVER_LATENCIES] = {1,  2,   5,   10,   20,   50,
                                                      100, 200, 500, 1000, 5000, 0};
    ASSERT(class < RESOLVER_LATENCIES);
    return msec[class] != 0 ? msec[class] * USEC_PER_MSEC : USEC_NEVER;
}

static void count_latency(struct resolver *r, usec latency)
{
    unsigned class = 0;
    while (latency > resolver_latency_max(class))
        class++;
    r->counters.latency[class]++;
}

/* One of a task's last things: a reply, the end of its socket. False: it is over. */
static bool wind_up(struct resolver *r, struct task *t, usec now, struct resolver_event *out)
{
    out->task = (uint32_t)(t - r->tasks);
    if (!list_empty(&t->clients)) {
        struct waiting *w = CONTAINER_OF(list_first(&t->clients), struct waiting, node);
        list_remove(&w->node);
        list_append(&r->free_clients, &w->node);
        count_latency(r, now - w->asked_at);
        out->kind = RESOLVER_REPLY;
        out->client = w->client;
        out->target = w->target;
        return true;
    }
    bool open = t->socket;
    t->socket = false;
    release(r, t);
    out->kind = RESOLVER_CLOSE;
    return open;
}

/* False: it may not ask any more. */
static bool send_query(struct resolver *r, struct task *t, usec now, uint8_t *buffer,
                       struct resolver_event *out)
{
    if (!resolver_charge(r, t)) {
        t->silence = false; /* it is too dear, whoever answers */
        resolver_finish(r, t, true, DNS_EDE_NO_REACHABLE_AUTHORITY, now);
        return false;
    }
    dns_client_send(&t->client, &t->servers, &r->prng, now, buffer, &out->send);
    out->kind = RESOLVER_SEND;
    out->task = (uint32_t)(t - r->tasks);
    t->socket = true;
    file(t, NULL, TASK_ASKING);
    set_timer(r, t);
    r->counters.queries++;
    r->counters.queries_tcp += out->send.stream;
    return true;
}

bool resolver_next(struct resolver *r, usec now, uint8_t *buffer, struct resolver_event *out)
{
    for (;;) {
        struct list_node *node;
        if ((node = list_first(&r->run)) != NULL) {
            resolver_step(r, CONTAINER_OF(node, struct task, node), now);
        } else if ((node = list_first(&r->done)) != NULL) {
            if (wind_up(r, CONTAINER_OF(node, struct task, node), now, out))
                return true;
        } else if ((node = list_first(&r->ready)) != NULL) {
            if (send_query(r, CONTAINER_OF(node, struct task, node), now, buffer, out))
                return true;
        } else {
            return false;
        }
    }
}

/* Files the task under what its client wants now. */
static void go_on(struct resolver *r, struct task *t)
{
    switch (t->client.state) {
    case DNS_CLIENT_READY:
        file(t, &r->ready, TASK_READY);
        break;
    case DNS_CLIENT_FAILED:
        t->exhausted = true;
        resolver_run(r, t);
        break;
    case DNS_CLIENT_WAITING:
    case DNS_CLIENT_DONE:
        break;
    }
    set_timer(r, t);
}

static struct task *asking(struct resolver *r, uint32_t index)
{
    ASSERT(index < RESOLVER_TASKS);
    return r->tasks[index].state == TASK_ASKING ? &r->tasks[index] : NULL;
}

static void take(struct resolver *r, struct task *t, struct bytes message,
                 const struct dns_summary *summary, usec now)
{
    const struct dns_server *server = &t->servers.list[t->client.server];
    uint64_t referrals = r->counters.referrals;
    r->counters.responses++;
    resolver_server_answered(r, &t->zone, server, now - t->client.sent_at, now);
    enum response_verdict verdict = resolver_response(r, t, message, summary, now);
    if (verdict != RESPONSE_PROGRESS) {
        if (verdict == RESPONSE_USELESS) {
            r->counters.lame++;
            resolver_server_lame(r, &t->zone, server, now);
        }
        dns_client_reject(&t->client, &t->servers, now);
        go_on(r, t);
        return;
    }
    if (r->counters.referrals == referrals)
        t->refresh = false;
    t->ceiling = RESOLVER_NO_CEILING;
    t->silence = false;
    resolver_run(r, t);
    set_timer(r, t);
}

void resolver_input(struct resolver *r, uint32_t index, const struct endpoint *from,
                    struct bytes message, usec now)
{
    struct task *t = asking(r, index);
    struct dns_summary summary;
    if (t == NULL)
        return;
    if (dns_client_input(&t->client, &t->servers, from, message, now, &summary))
        take(r, t, message, &summary, now);
    else
        go_on(r, t);
}

void resolver_broken(struct resolver *r, uint32_t index, usec now)
{
    struct task *t = asking(r, index);
    if (t == NULL)
        return;
    t->silence = true;
    resolver_server_silent(r, &t->zone, &t->servers.list[t->client.server], now);
    dns_client_broken(&t->client, &t->servers, now);
    go_on(r, t);
}

usec resolver_deadline(const struct resolver *r)
{
    return wheel_deadline(&r->wheel);
}

void resolver_tick(struct resolver *r, usec now)
{
    struct timer *timer;
    while ((timer = wheel_expire(&r->wheel, now)) != NULL) {
        struct task *t = CONTAINER_OF(timer, struct task, timer);
        t->silence = true;
        if (now >= t->give_up_at) {
            resolver_finish(r, t, true, DNS_EDE_NO_REACHABLE_AUTHORITY, now);
        } else if (t->state == TASK_ASKING) {
            r->counters.timeouts++;
            resolver_server_silent(r, &t->zone, &t->servers.list[t->client.server], now);
            dns_client_tick(&t->client, &t->servers, now);
            go_on(r, t);
        }
    }
}

void resolver_counters(const struct resolver *r, struct resolver_counters *out)
{
    *out = r->counters;
}

void resolver_forget(struct resolver *r)
{
    if (r->gaps != NULL)
        gaps_clear(r->gaps);
}

bool resolver_set_roots(struct resolver *r, const struct resolver_options *options)
{
    struct resolver_options *own = &r->options;
    struct dns_name root;
    if (own->hint_count == options->hint_count && own->anchor_count == options->anchor_count &&
        memcmp(own->hints, options->hints, sizeof own->hints) == 0 &&
        memcmp(own->anchors, options->anchors, sizeof own->anchors) == 0)
        return false;
    own->hint_count = options->hint_count;
    memcpy(own->hints, options->hints, sizeof own->hints);
    own->anchor_count = options->anchor_count;
    memcpy(own->anchors, options->anchors, sizeof own->anchors);
    dns_name_root(&root);
    resolver_forget(r);
    (void)cache_flush(r->cache, &root, true);
    return true;
}
