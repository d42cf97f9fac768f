/* SPDX-License-Identifier: ISC */
/* tcp_check.c - walks over queues, records and timers of connections and adds everything up again. */
#include "tests/support/tcp_check.h"

#include "stack/tcp/internal.h"

/* A queue's chunks follow each other; returns the octets. */
static uint32_t check_queue(const struct tcp_queue *queue, const struct seq *start)
{
    uint32_t len = 0;
    const struct tcp_chunk *last = NULL;
    for (const struct tcp_chunk *chunk = queue->first; chunk != NULL; chunk = chunk->next) {
        const struct frame *owner = chunk->owner;
        ASSERT(chunk->len > 0);
        ASSERT(chunk->data >= owner->storage);
        ASSERT(chunk->data + chunk->len <= owner->storage + owner->size);
        ASSERT(owner->refs > 0);
        if (start != NULL)
            ASSERT(seq_equal(chunk->start, seq_add(*start, len)));
        len += chunk->len;
        last = chunk;
    }
    ASSERT(last == queue->last);
    return len;
}

/* In the list by time are those that may be found lost, in the order of their transmission. */
static void check_by_time(const struct tcp_connection *c)
{
    const struct tcp_sending *s = c->sending;
    uint32_t records = 0;
    uint32_t candidates = 0;
    uint32_t listed = 0;
    const struct tcp_sent *before = NULL;
    for (const struct tcp_sent *sent = s->first; sent != NULL; sent = sent->next) {
        bool waits = (sent->flags & (TCP_SENT_LOST | TCP_SENT_AGAIN)) == TCP_SENT_LOST;
        bool candidate = !waits && !(sent->flags & TCP_SENT_SACKED);
        ASSERT(list_linked(&sent->by_time) == candidate);
        candidates += candidate;
        records++;
    }
    ASSERT(records == s->records && records <= TCP_RECORDS_MAX);
    if (records == 0)
        return;
    const struct list_node *head = &s->rack.by_time;
    for (const struct list_node *node = head->next; node != head; node = node->next) {
        const struct tcp_sent *sent = CONTAINER_OF(node, struct tcp_sent, by_time);
        ASSERT(before == NULL || (int32_t)(sent->order - before->order) > 0 ||
               (sent->order == before->order && seq_after(sent->start, before->start)));
        ASSERT((int32_t)(s->rack.order_last - sent->order) >= 0);
        before = sent;
        listed++;
    }
    ASSERT(listed == candidates);
}

static void check_records(const struct tcp_connection *c)
{
    uint32_t sacked = 0;
    uint32_t lost = 0;
    uint32_t again = 0;
    bool passed = false; /* the hint, before which nothing waits */
    struct seq at = c->snd_una;
    const struct tcp_sent *previous = NULL;
    for (const struct tcp_sent *sent = c->sending->first; sent != NULL; sent = sent->next) {
        uint32_t len = tcp_sent_len(sent);
        bool fin = (sent->flags & TCP_SENT_FIN) != 0;
        ASSERT(sent->previous == previous);
        ASSERT(seq_equal(sent->start, at));
        ASSERT(seq_before(sent->start, sent->end));
        ASSERT(!((sent->flags & TCP_SENT_SACKED) && (sent->flags & TCP_SENT_LOST)));
        ASSERT(!fin || sent->next == NULL);
        passed = passed || sent == c->sending->lost_next;
        if ((sent->flags & (TCP_SENT_LOST | TCP_SENT_AGAIN)) == TCP_SENT_LOST)
            ASSERT(c->sending->lost_next == NULL || passed);
        if (len > fin) {
            ASSERT(sent->chunk != NULL);
            ASSERT(seq_before_equal(sent->chunk->start, sent->start));
            ASSERT(seq_before(sent->start, seq_add(sent->chunk->start, sent->chunk->len)));
        }
        sacked += sent->flags & TCP_SENT_SACKED ? len : 0;
        lost += sent->flags & TCP_SENT_LOST ? len : 0;
        again += (sent->flags & (TCP_SENT_LOST | TCP_SENT_AGAIN)) ==
                         (TCP_SENT_LOST | TCP_SENT_AGAIN)
                     ? len
                     : 0;
        at = sent->end;
        previous = sent;
    }
    ASSERT(previous == c->sending->last);
    ASSERT(passed || c->sending->lost_next == NULL);
    ASSERT(c->sending->first == NULL || seq_equal(at, c->snd_nxt));
    ASSERT(sacked == c->sending->sacked && lost == c->sending->lost && again == c->sending->again);
    ASSERT(sacked + lost <= tcp_flight(c));
    ASSERT(again <= lost);
    ASSERT(tcp_pipe(c) <= tcp_flight(c));
    check_by_time(c);
}

static void check_reorder(const struct tcp_connection *c)
{
    const struct tcp_reorder *reorder = c->reorder;
    if (reorder == NULL)
        return;
    uint32_t count = 0;
    uint32_t octets = 0;
    struct seq at = c->rcv_nxt;
    for (const struct tcp_range *range = reorder->first; range != NULL; range = range->next) {
        ASSERT(seq_before(at, range->start)); /* else it were in order, or two ranges one */
        ASSERT(seq_before(range->start, range->end));
        ASSERT(check_queue(&range->queue, &range->start) ==
               (uint32_t)seq_diff(range->end, range->start));
        octets += (uint32_t)seq_diff(range->end, range->start);
        at = range->end;
        count++;
    }
    ASSERT(count == reorder->count && octets == reorder->octets);
    ASSERT(count <= TCP_REORDER_RANGES_MAX);
    ASSERT(count > 0 || reorder->fin);
    ASSERT(count == 0 || seq_before_equal(at, c->rcv_adv));
}

static void check_sending(const struct tcp_connection *c)
{
    bool handshake = c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECEIVED;
    ASSERT(seq_before_equal(c->snd_una, c->snd_nxt));
    ASSERT(c->fin_sent ? seq_equal(c->snd_nxt, seq_add(c->snd_end, 1))
                       : seq_before_equal(c->snd_nxt, c->snd_end));
    struct seq first = handshake ? seq_add(c->iss, 1) : seq_min(c->snd_una, c->snd_end);
    ASSERT(check_queue(&c->sending->queue, &first) == (uint32_t)seq_diff(c->snd_end, first));
    ASSERT(handshake || tcp_flight(c) == 0 || c->sending->first != NULL);
    check_records(c);
    if (!handshake)
        ASSERT(c->cwnd >= c->mss);
    /* Something is under way, so something must make it go on. */
    bool waits = tcp_flight(c) > 0 || seq_before(c->snd_nxt, c->snd_end);
    if (waits && c->state != TCP_CLOSED)
        ASSERT(timer_armed(&c->timer) || timer_armed(&c->sending->pace_timer) ||
               list_linked(&c->pending));
}

/* The timer's purpose is one that the state has. Whoever is in the list of those with work may have
 * to settle it yet. */
static void check_purpose(const struct tcp_connection *c)
{
    ASSERT(timer_armed(&c->timer) == (c->purpose != TCP_TIMER_NONE));
    ASSERT(c->purpose != TCP_TIMER_TIME_WAIT);
    if (list_linked(&c->pending))
        return;
    if (c->purpose == TCP_TIMER_RETRANSMIT)
        ASSERT(tcp_flight(c) > 0 || c->fast_open_child);
    if (c->purpose == TCP_TIMER_PERSIST)
        ASSERT(tcp_flight(c) == 0);
    if (c->purpose == TCP_TIMER_FIN_WAIT_2)
        ASSERT(c->state == TCP_FIN_WAIT_2 && !c->owned);
    if (c->purpose == TCP_TIMER_ANSWER)
        ASSERT(c->unanswered);
}

/* Which marks may go together, by RFC 9293 §3.3.2. */
static void check_state(const struct tcp_connection *c)
{
    bool fin_came = c->state == TCP_CLOSE_WAIT || c->state == TCP_CLOSING ||
                    c->state == TCP_LAST_ACK;
    bool closing = c->state >= TCP_FIN_WAIT_1 && c->state != TCP_CLOSE_WAIT;
    bool fin_home = c->state == TCP_FIN_WAIT_2;
    ASSERT(c->fin_received == fin_came);
    ASSERT(c->shutdown || !closing);
    ASSERT(!c->fin_sent || c->shutdown);
    if (fin_home)
        ASSERT(c->fin_sent && tcp_flight(c) == 0);
    if (c->state == TCP_CLOSING)
        ASSERT(!c->fin_sent || tcp_flight(c) > 0);
    ASSERT(c->listener == NULL || !c->owned);
}

static void check_connection(const struct tcp_connection *c)
{
    ASSERT(c->state != TCP_CLOSED && c->state != TCP_TIME_WAIT && c->mapped && !c->draft);
    /* What has come to a listener is an entry as long as it is half open. */
    ASSERT(c->state != TCP_SYN_RECEIVED || !c->passive || c->fast_open_child || c->unanswered ||
           c->listener == NULL);
    check_sending(c);
    ASSERT(check_queue(&c->received, NULL) == c->received_len);
    ASSERT(seq_before_equal(c->rcv_nxt, c->rcv_adv) || c->state == TCP_SYN_SENT ||
           c->unanswered);
    check_reorder(c);
    check_purpose(c);
    check_state(c);
    /* In a handshake it is a SYN that acknowledges, and its own timer sends it again. */
    bool handshake = c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECEIVED;
    if (c->ack_pending || c->ack_now)
        ASSERT(timer_armed(&c->ack_timer) || list_linked(&c->pending) ||
               (handshake && timer_armed(&c->timer)));
    ASSERT(c->owned || c->socket.events == 0);
}

/* How many are in the list, whose nodes are there in each. */
static unsigned check_places(const struct list_node *list, size_t place)
{
    unsigned count = 0;
    for (const struct list_node *node = list->next; node != list; node = node->next) {
        const struct tcp_connection *c = (const void *)((const char *)node - place);
        ASSERT(node->next->previous == node && c->socket.kind == SOCKET_TCP);
        count++;
    }
    return count;
}

/* Whoever is watched is looked at in time, and in turn. */
static void check_watched(const struct tcp_table *table)
{
    usec before = 0;
    const struct list_node *all = &table->watched;
    ASSERT(list_empty(all) || timer_armed(&table->watch_timer));
    for (const struct list_node *node = all->next; node != all; node = node->next) {
        const struct tcp_watch *watch = CONTAINER_OF(node, struct tcp_watch, node);
        ASSERT(watch->look_at >= before);
        ASSERT(watch->what != TCP_WATCHED_EXTRA || &watch->connection->extra->watch == watch);
        before = watch->look_at;
    }
}

/* Those that have failed before they were accepted. */
static unsigned count_closed(const struct list_node *list)
{
    unsigned count = 0;
    for (const struct list_node *node = list->next; node != list; node = node->next)
        count += CONTAINER_OF(node, struct tcp_connection, socket.ready)->state == TCP_CLOSED;
    return count;
}

static unsigned count_half_open(const struct stack *stack, const struct tcp_group *group)
{
    unsigned count = 0;
    for (unsigned row = 0; row <= TCP_ROW_HALF_OPEN_LAST; row++) {
        const struct tcp_entry *entry = tcp_entry_first(stack, row);
        for (; entry != NULL; entry = tcp_entry_next(stack, entry)) {
            struct endpoint local = tcp_entry_local(entry);
            count += tcp_find_group(stack, &local) == group;
        }
    }
    return count;
}

/* The listener is a member, of those that share what is its endpoint. */
static void check_group(const struct tcp_listener *listener)
{
    const struct tcp_group *group = listener->group;
    unsigned backlog = 0;
    unsigned times = 0;
    for (uint32_t i = 0; i < group->count; i++) {
        const struct tcp_listener *member = group->members[i];
        ASSERT(member->group == group && endpoint_equal(&member->local, &group->local));
        backlog += member->backlog;
        times += member == listener;
    }
    ASSERT(times == 1 && backlog == group->backlog);
    ASSERT(listener->intercept || tcp_group_at(listener->stack, &group->local) == group);
    ASSERT(group->half_open == count_half_open(listener->stack, group));
    ASSERT(group->fast_open_reset <= group->fast_open_count);
}

/* Each stands in one row, which is in the order of time, and is found by its endpoints, where there
 * is no connection. */
static void check_entries(const struct stack *stack)
{
    const struct tcp_entries *entries = &stack->tcp->entries;
    size_t count = 0;
    for (unsigned row = 0; row < TCP_ROW_COUNT; row++) {
        const struct tcp_entry *entry = tcp_entry_first(stack, row);
        usec age = USEC_NEVER;
        for (; entry != NULL; entry = tcp_entry_next(stack, entry)) {
            struct endpoint local = tcp_entry_local(entry);
            struct endpoint remote = tcp_entry_remote(entry);
            uint32_t hash = tcp_hash(stack, &local, &remote);
            ASSERT(entry->row == row);
            ASSERT(tcp_entry_age(stack, entry) <= age);
            ASSERT(tcp_entry_find(stack, hash, &local, &remote) == entry);
            ASSERT(tcp_find(stack, &local, &remote) == NULL);
            age = tcp_entry_age(stack, entry);
            count++;
        }
    }
    ASSERT(count == entries->map.count && count == entries->half_open + entries->time_wait);
    ASSERT(timer_armed(&entries->timer) || count == 0);
    ASSERT(entries->half_open <= TCP_HALF_OPEN_MAX && entries->time_wait <= TCP_TIME_WAIT_MAX);
}

/* Returns how many connections wait for tcp_accept() and are closed. */
static unsigned check_listeners(const struct tcp_table *table)
{
    unsigned closed = 0;
    const struct list_node *all = &table->listeners_all;
    for (const struct list_node *node = all->next; node != all; node = node->next) {
        const struct tcp_listener *listener = CONTAINER_OF(node, struct tcp_listener, all);
        ASSERT(listener->count == check_places(&listener->ready, offsetof(struct tcp_connection, socket.ready)));
        check_group(listener);
        ASSERT(listener->count <= listener->backlog);
        closed += count_closed(&listener->ready);
    }
    return closed;
}

/* What is counted along is what is there. */
static void check_table(const struct stack *stack, unsigned established)
{
    const struct tcp_table *table = stack->tcp;
    unsigned closed = check_places(&table->closed, offsetof(struct tcp_connection, pending));
    closed += check_listeners(table);
    check_entries(stack);
    check_watched(table);
    ASSERT(stack->counters.tcpConnections ==
           table->connections.count + closed + table->entries.map.count);
    ASSERT(stack->counters.tcpCurrEstab == established);
}

void tcp_check_all(const struct stack *stack)
{
    size_t place = 0;
    unsigned established = 0;
    const struct tcp_connection *c;
    while ((c = tcp_each(stack, &place)) != NULL) {
        check_connection(c);
        established += c->state == TCP_ESTABLISHED || c->state == TCP_CLOSE_WAIT;
    }
    check_table(stack, established);
}
