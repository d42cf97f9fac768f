/* SPDX-License-Identifier: ISC */
/*
 * mdns_respond.c - answers (RFC 6762 §6, §7.1, §7.2, §7.4): what of ours a query asks for, less what the
 * asker knows, told to all or to him alone, at once where nobody else can answer, and else after a while
 * in which others may.
 */
#include "proto/dns/mdns_internal.h"

enum { NSEC_SIZE = DNS_NAME_MAX + 2 + 32 };

/* ---- what a query asks for ---- */

/* A query under examination: what it wants told to all, and what to him alone. */
struct query {
    const struct mdns_input *in;
    struct dns_header header;
    bool legacy;             /* §6.7: he knows nothing of all this */
    bool probe;
    bool all_unique;         /* nobody else can have an answer to any of its questions */
    struct dns_question first;
    struct mdns_reply multicast, unicast;
};

static bool is_told(const struct mdns *m, const struct mdns_own *own)
{
    return own->rdata != NULL && mdns_name_is_ours(&m->names[own->name]);
}

/* §5.4: what others have not heard for a quarter of its time, all may hear again. */
static bool is_well_known(const struct mdns *m, const struct mdns_own *own)
{
    return m->now - own->multicast_at < (usec)own->ttl * USEC_PER_SEC / 4;
}

/* When the record may be multicast again; a defence may come sooner (§6). */
static usec may_go_at(const struct mdns_own *own, bool probe)
{
    return own->multicast_at + (probe ? MDNS_RATE_PROBE_INTERVAL : MDNS_RATE_INTERVAL);
}

static bool find_records(struct mdns *m, struct query *q, const struct dns_question *question,
                         bool wants_unicast)
{
    bool unique = false;
    for (size_t i = 0; i < MDNS_RECORDS_MAX; i++) {
        const struct mdns_own *own = &m->records[i];
        if (!is_told(m, own) || !mdns_type_answers(own->type, question->type) ||
            !dns_name_equal(&own->owner, &question->name))
            continue;
        unique |= !own->shared;
        bool alone = q->legacy || (wants_unicast && is_well_known(m, own));
        mdns_set_add(alone ? &q->unicast.records : &q->multicast.records, i);
    }
    return unique;
}

/* §6.1: the name is ours, and there is nothing of that type. */
static bool find_denial(struct mdns *m, struct query *q, const struct dns_question *question,
                        bool wants_unicast)
{
    for (size_t i = 0; i < MDNS_NAMES_MAX; i++) {
        if (!mdns_name_is_ours(&m->names[i]) ||
            !dns_name_equal(&m->names[i].name, &question->name))
            continue;
        bool alone = q->legacy || wants_unicast;
        *(alone ? &q->unicast.denials : &q->multicast.denials) |= UINT64_C(1) << i;
        return true;
    }
    return false;
}

static void take_question(struct mdns *m, struct query *q, const struct dns_question *question)
{
    bool wants_unicast = (question->class & MDNS_TOP_BIT) != 0 || !q->in->multicast;
    uint16_t class = question->class & (uint16_t)~MDNS_TOP_BIT;
    if (class != DNS_IN && class != DNS_CLASS_ANY)
        return;
    if (q->probe)
        mdns_tie_rival(m, q->in->message, &question->name);
    if (!find_records(m, q, question, wants_unicast) &&
        !find_denial(m, q, question, wants_unicast))
        q->all_unique = false;
}

/* §7.1: he has it, and not for too short a time. */
static void take_known(struct mdns *m, struct mdns_reply *reply, const struct dns_rr *rr,
                       struct bytes rdata)
{
    const struct mdns_own *own = mdns_own_find(m, &rr->owner, rr->type, rdata);
    if (own == NULL || rr->ttl < own->ttl / 2)
        return;
    m->counters.suppressed += mdns_set_has(&reply->records, (size_t)(own - m->records));
    mdns_set_remove(&reply->records, (size_t)(own - m->records));
}

static void read_query(struct mdns *m, struct query *q)
{
    struct dns_cursor cursor;
    struct dns_question question;
    struct dns_rr rr;
    struct bytes rdata;
    enum wire_status status = dns_cursor_start(&cursor, q->in->message);
    ASSERT(status == WIRE_OK);
    q->header = cursor.header;
    q->probe = cursor.header.counts[DNS_AUTHORITY] > 0 && !q->legacy;
    while (dns_cursor_question(&cursor, &question)) {
        if (q->first.name.len == 0)
            q->first = question;
        take_question(m, q, &question);
    }
    while (dns_cursor_record(&cursor, &rr)) {
        if (rr.section != DNS_ANSWER || !mdns_class_is_in(rr.class) ||
            !mdns_expand(m, q->in->message, &rr, &rdata))
            continue;
        take_known(m, &q->multicast, &rr, rdata);
        take_known(m, &q->unicast, &rr, rdata);
    }
}

/* §7.2: what he knows besides, without a question. */
static void take_further_known(struct mdns *m, const struct query *q)
{
    for (size_t i = 0; i < MDNS_PENDING_MAX; i++) {
        struct mdns_pending *p = &m->pending[i];
        struct dns_cursor cursor;
        struct dns_rr rr;
        struct bytes rdata;
        if (!p->used || !p->more || !endpoint_equal(&p->from, &q->in->from) ||
            dns_cursor_start(&cursor, q->in->message) != WIRE_OK)
            continue;
        while (dns_cursor_record(&cursor, &rr))
            if (rr.section == DNS_ANSWER && mdns_expand(m, q->in->message, &rr, &rdata))
                take_known(m, &p->reply, &rr, rdata);
        if ((q->header.flags & DNS_TC) != 0)
            p->due_at = mdns_random(m, m->now + 400 * USEC_PER_MSEC, 100 * USEC_PER_MSEC);
    }
}

/* ---- when ---- */

static bool is_empty(const struct mdns_reply *reply)
{
    return mdns_set_empty(&reply->records) && reply->denials == 0;
}

static usec when(struct mdns *m, const struct query *q, bool more)
{
    if (more)
        return mdns_random(m, m->now + 400 * USEC_PER_MSEC, 100 * USEC_PER_MSEC);
    if (q->all_unique || q->probe || q->legacy)
        return m->now;
    return mdns_random(m, m->now + 20 * USEC_PER_MSEC, 100 * USEC_PER_MSEC);
}

static void keep(struct mdns *m, const struct query *q, const struct mdns_reply *reply,
                 bool multicast)
{
    if (is_empty(reply))
        return;
    for (size_t i = 0; i < MDNS_PENDING_MAX; i++) {
        struct mdns_pending *p = &m->pending[i];
        if (p->used)
            continue;
        *p = (struct mdns_pending){.used = true,
                                   .multicast = multicast,
                                   .more = (q->header.flags & DNS_TC) != 0 && !q->legacy,
                                   .probe = q->probe,
                                   .legacy = q->legacy,
                                   .id = q->header.id,
                                   .question = q->first,
                                   .from = q->in->from,
                                   .reply = *reply};
        p->due_at = when(m, q, p->more);
        return;
    }
    m->counters.overfull++;
}

void mdns_respond_query(struct mdns *m, const struct mdns_input *in)
{
    struct query q = {.in = in, .legacy = in->from.port != MDNS_PORT, .all_unique = true};
    read_query(m, &q);
    if (q.header.counts[DNS_QUESTION] == 0) {
        take_further_known(m, &q);
        return;
    }
    keep(m, &q, &q.unicast, false);
    keep(m, &q, &q.multicast, true);
}

/* §6.6: who says it with less than half of our time is put right. */
void mdns_respond_heard(struct mdns *m, const struct mdns_own *own, uint32_t ttl)
{
    size_t i = (size_t)(own - m->records);
    if (!is_told(m, own))
        return;
    if (ttl < own->ttl / 2) {
        if (may_go_at(own, false) <= m->now)
            mdns_set_add(&m->sending.records, i);
        return;
    }
    if (ttl < own->ttl)
        return;
    for (size_t p = 0; p < MDNS_PENDING_MAX; p++)
        if (m->pending[p].used && m->pending[p].multicast) {
            m->counters.suppressed += mdns_set_has(&m->pending[p].reply.records, i);
            mdns_set_remove(&m->pending[p].reply.records, i);
        }
}

/* ---- what is due ---- */

/* What may go, goes into m->sending; what may not waits. */
static void move(struct mdns *m, struct mdns_pending *p)
{
    usec next = USEC_NEVER;
    m->sending.denials |= p->reply.denials;
    p->reply.denials = 0;
    for (size_t i = 0; i < MDNS_RECORDS_MAX; i++) {
        if (!mdns_set_has(&p->reply.records, i))
            continue;
        usec at = may_go_at(&m->records[i], p->probe);
        if (at > m->now) {
            next = usec_min(next, at);
            continue;
        }
        mdns_set_remove(&p->reply.records, i);
        mdns_set_add(&m->sending.records, i);
    }
    p->due_at = next;
    p->more = false;
    p->used = next != USEC_NEVER;
}

/* §6.4: with one that is due go all that wait for company and nothing else. */
void mdns_respond_tick(struct mdns *m)
{
    bool due = false;
    for (size_t i = 0; i < MDNS_PENDING_MAX; i++) {
        struct mdns_pending *p = &m->pending[i];
        if (p->used && is_empty(&p->reply))
            p->used = false;
        due |= p->used && p->multicast && m->now >= p->due_at;
    }
    for (size_t i = 0; due && i < MDNS_PENDING_MAX; i++) {
        struct mdns_pending *p = &m->pending[i];
        if (p->used && p->multicast && (!p->more || m->now >= p->due_at))
            move(m, p);
    }
}

usec mdns_respond_deadline(const struct mdns *m)
{
    usec due = USEC_NEVER;
    if (!is_empty(&m->sending) || !mdns_set_empty(&m->goodbyes))
        return m->now;
    for (size_t i = 0; i < MDNS_PENDING_MAX; i++)
        if (m->pending[i].used)
            due = usec_min(due, m->pending[i].due_at);
    return due;
}

/* ---- the message ---- */

/* How records are to be written. */
struct manner {
    bool legacy, goodbye;
};

static bool put_record(const struct mdns *m, struct dns_builder *b, size_t i, struct manner how)
{
    const struct mdns_own *own = &m->records[i];
    bool flush = !own->shared && !how.legacy;
    uint32_t ttl = how.legacy && own->ttl > MDNS_TTL_LEGACY ? MDNS_TTL_LEGACY : own->ttl;
    return mdns_put(b, &own->owner, own->type, (uint16_t)(DNS_IN | (flush ? MDNS_TOP_BIT : 0)),
                    how.goodbye ? 0 : ttl, bytes_of(own->rdata, own->rdata_len));
}

/* §6.1: with the time of what is not there. */
static bool put_denial(const struct mdns *m, struct dns_builder *b, size_t name, bool legacy)
{
    uint8_t buffer[NSEC_SIZE];
    const struct mdns_own_name *n = &m->names[name];
    if (!mdns_name_is_ours(n))
        return true;
    return mdns_put(b, &n->name, DNS_NSEC, (uint16_t)(DNS_IN | (legacy ? 0 : MDNS_TOP_BIT)),
                    legacy ? MDNS_TTL_LEGACY : MDNS_TTL_HOST,
                    mdns_own_types(m, n, buffer, sizeof buffer));
}

/* What whoever asks for this record asks for next (RFC 6763 §12, RFC 6762 §6.1): all under the name that
 * it leads to, and for an address the others. */
static void add_companions(const struct mdns *m, const struct mdns_set *of, struct mdns_reply *out)
{
    for (size_t i = 0; i < MDNS_RECORDS_MAX; i++) {
        struct dns_name target;
        if (!mdns_set_has(of, i))
            continue;
        const struct mdns_own *own = &m->records[i];
        bool address = own->type == DNS_A || own->type == DNS_AAAA;
        if (address)
            dns_name_copy(&target, &own->owner);
        else if (!dns_rdata_target(own->type, bytes_of(own->rdata, own->rdata_len), &target))
            continue;
        for (size_t j = 0; j < MDNS_RECORDS_MAX; j++) {
            const struct mdns_own *other = &m->records[j];
            if (!is_told(m, other) || other->shared || !dns_name_equal(&other->owner, &target))
                continue;
            mdns_set_add(&out->records, j);
            if (address)
                out->denials |= UINT64_C(1) << other->name;
        }
    }
}

static bool is_host_with_both(const struct mdns *m, size_t name)
{
    bool v4 = false, v6 = false;
    for (size_t i = 0; i < MDNS_RECORDS_MAX; i++)
        if (m->records[i].rdata != NULL && m->records[i].name == name && !m->records[i].shared) {
            v4 |= m->records[i].type == DNS_A;
            v6 |= m->records[i].type == DNS_AAAA;
        }
    return v4 && v6;
}

/* As many as fit; *told gets those that did. */
static void put_companions(struct mdns *m, struct dns_builder *b, const struct mdns_reply *answered,
                           bool legacy, struct mdns_set *told)
{
    struct mdns_reply more = {.denials = 0};
    add_companions(m, &answered->records, &more);
    struct mdns_set first = more.records;
    add_companions(m, &first, &more);
    dns_build_section(b, DNS_ADDITIONAL);
    for (size_t i = 0; i < MDNS_RECORDS_MAX; i++)
        if (mdns_set_has(&more.records, i) && !mdns_set_has(&answered->records, i) &&
            may_go_at(&m->records[i], false) <= m->now &&
            put_record(m, b, i, (struct manner){.legacy = legacy}))
            mdns_set_add(told, i);
    for (size_t i = 0; i < MDNS_NAMES_MAX; i++)
        if ((more.denials & ~answered->denials) >> i & 1 && !is_host_with_both(m, i) &&
            !put_denial(m, b, i, legacy))
            break;
}

static size_t count_of(const struct dns_builder *b)
{
    return b->counts[DNS_ANSWER];
}

/* Writes answers of *reply and takes them off it; *told gets those that fitted. What has been lost since
 * is not told. */
static void put_answers(struct mdns *m, struct dns_builder *b, struct mdns_reply *reply,
                        struct manner how, struct mdns_reply *told)
{
    for (size_t i = 0; i < MDNS_RECORDS_MAX; i++) {
        if (!mdns_set_has(&reply->records, i))
            continue;
        bool ours = how.goodbye || is_told(m, &m->records[i]);
        if (ours && !put_record(m, b, i, how))
            continue;
        if (ours)
            mdns_set_add(&told->records, i);
        mdns_set_remove(&reply->records, i);
    }
    for (size_t i = 0; i < MDNS_NAMES_MAX; i++)
        if ((reply->denials >> i & 1) != 0 && put_denial(m, b, i, how.legacy)) {
            told->denials |= UINT64_C(1) << i;
            reply->denials &= ~(UINT64_C(1) << i);
        }
}

/* One message with some of *reply; false: there is nothing to say. A record that is longer than an ordinary
 * message gets a longer one (§17); one that fits nowhere is taken off all the same. */
static bool build(struct mdns *m, uint8_t *buffer, struct mdns_reply *reply,
                  const struct mdns_pending *p, struct mdns_reply *told, struct bytes *out)
{
    struct dns_builder b;
    struct manner how = {.legacy = p != NULL && p->legacy};
    static const size_t sizes[] = {MDNS_SEND_MAX, MDNS_MESSAGE_MAX};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        dns_build_start(&b, buffer, sizes[i]);
        if (!how.legacy) /* §18.14: who does not know of this protocol may not know of that either */
            dns_build_for_link(&b);
        bool fits = !how.legacy || dns_build_question(&b, &p->question);
        dns_build_section(&b, DNS_ANSWER);
        *told = (struct mdns_reply){.denials = 0};
        if (fits)
            put_answers(m, &b, reply, how, told);
        if (count_of(&b) > 0)
            break;
    }
    if (count_of(&b) == 0) {
        *reply = (struct mdns_reply){.denials = 0};
        return false;
    }
    struct mdns_set more = {.words = {0}};
    put_companions(m, &b, told, how.legacy, &more);
    for (size_t i = 0; i < MDNS_SET_WORDS; i++)
        told->records.words[i] |= more.words[i];
    /* §18: the id of a query only to who waits for it. */
    *out = dns_build_finish(&b, how.legacy ? p->id : 0, DNS_QR | DNS_AA);
    return true;
}

/* All have heard it: who waits for it among all needs it no more. */
static void note_multicast(struct mdns *m, const struct mdns_set *told)
{
    for (size_t i = 0; i < MDNS_RECORDS_MAX; i++) {
        if (!mdns_set_has(told, i))
            continue;
        m->records[i].multicast_at = m->now;
        mdns_set_remove(&m->sending.records, i);
        for (size_t p = 0; p < MDNS_PENDING_MAX; p++)
            if (m->pending[p].used && m->pending[p].multicast)
                mdns_set_remove(&m->pending[p].reply.records, i);
    }
}

static void next_goodbye(struct mdns *m, uint8_t *buffer, struct mdns_output *out)
{
    struct dns_builder b;
    struct mdns_reply reply = {.records = m->goodbyes}, told = {.denials = 0};
    for (size_t size = MDNS_SEND_MAX; size <= MDNS_MESSAGE_MAX;
         size += MDNS_MESSAGE_MAX - MDNS_SEND_MAX) {
        dns_build_start(&b, buffer, size);
        dns_build_for_link(&b);
        dns_build_section(&b, DNS_ANSWER);
        put_answers(m, &b, &reply, (struct manner){.goodbye = true}, &told);
        if (count_of(&b) > 0)
            break;
    }
    for (size_t i = 0; i < MDNS_RECORDS_MAX; i++)
        if (mdns_set_has(&told.records, i)) {
            heap_release(&m->heap, m->records[i].rdata, m->records[i].rdata_len);
            m->records[i] = (struct mdns_own){0};
        }
    m->goodbyes = count_of(&b) > 0 ? reply.records : (struct mdns_set){.words = {0}};
    out->message = dns_build_finish(&b, 0, DNS_QR | DNS_AA);
}

static bool next_unicast(struct mdns *m, uint8_t *buffer, struct mdns_output *out)
{
    struct mdns_reply told;
    for (size_t i = 0; i < MDNS_PENDING_MAX; i++) {
        struct mdns_pending *p = &m->pending[i];
        if (!p->used || p->multicast || m->now < p->due_at)
            continue;
        *out = (struct mdns_output){.to = p->from};
        bool something = build(m, buffer, &p->reply, p, &told, &out->message);
        p->used = !p->legacy && !is_empty(&p->reply); /* §6.7: one message is what he waits for */
        if (something)
            return true;
    }
    return false;
}

bool mdns_respond_next(struct mdns *m, uint8_t *buffer, struct mdns_output *out)
{
    struct mdns_reply told;
    if (!mdns_set_empty(&m->goodbyes)) {
        next_goodbye(m, buffer, out);
        return true;
    }
    if (next_unicast(m, buffer, out))
        return true;
    *out = (struct mdns_output){.multicast = true};
    if (is_empty(&m->sending) || !build(m, buffer, &m->sending, NULL, &told, &out->message))
        return false;
    note_multicast(m, &told.records);
    return true;
}
