/* SPDX-License-Identifier: ISC */
/*
 * mdns_query.c - questions that are open (RFC 6762 §5): asked again ever more seldom, with what is known
 * of the answers (§7.1, §7.2), unless another asks the same (§7.3).
 */
#include "proto/dns/mdns_internal.h"

#include "wire/dns/dns_bitmap.h"

uint32_t mdns_ask(struct mdns *m, const struct dns_name *name, uint16_t type, usec now)
{
    m->now = now;
    for (size_t i = 0; i < MDNS_QUESTIONS_MAX; i++) {
        struct mdns_question *q = &m->questions[i];
        if (q->handle != 0)
            continue;
        *q = (struct mdns_question){.interval = USEC_PER_SEC, .changed = true};
        m->question_serial = (m->question_serial + 1) & 0xffffff;
        q->handle = (m->question_serial + 1) << 8 | (uint32_t)i;
        dns_name_copy(&q->question.name, name);
        q->question.type = type;
        q->question.class = DNS_IN;
        /* §5.2: hosts that are switched on together do not speak together. */
        q->send_at = mdns_random(m, now + 20 * USEC_PER_MSEC, 100 * USEC_PER_MSEC);
        mdns_cache_want(m, &q->question);
        return q->handle;
    }
    return 0;
}
_Static_assert(MDNS_QUESTIONS_MAX <= 256, "a handle's low octet is its place");

void mdns_close(struct mdns *m, uint32_t question)
{
    struct mdns_question *q = &m->questions[question & 0xff];
    if (question != 0 && q->handle == question)
        *q = (struct mdns_question){0};
}

/* ---- answers ---- */

/* Our own records come first; then those of the bucket. */
static const struct mdns_own *next_own(const struct mdns *m, const struct dns_question *q,
                                       const struct mdns_own *from)
{
    for (const struct mdns_own *own = from; own < m->records + MDNS_RECORDS_MAX; own++)
        if (own->rdata != NULL && mdns_name_is_ours(&m->names[own->name]) &&
            mdns_type_answers(own->type, q->type) && dns_name_equal(&own->owner, &q->name))
            return own;
    return NULL;
}

static const struct mdns_cached *next_cached(const struct mdns *m, const struct dns_question *q,
                                             const struct list_node *from)
{
    const struct list_node *head = mdns_cache_bucket(m, &q->name);
    for (const struct list_node *node = from; node != head; node = node->next) {
        const struct mdns_cached *c = CONTAINER_OF(node, struct mdns_cached, bucket);
        if (mdns_cached_answers(c, q))
            return c;
    }
    return NULL;
}

static void own_answer(const struct mdns_own *own, struct mdns_answer *out)
{
    dns_name_copy(&out->owner, &own->owner);
    out->type = own->type;
    out->ttl = own->ttl;
    out->serial = 0;
    out->rdata = bytes_of(own->rdata, own->rdata_len);
    out->unique = !own->shared;
}

static void cached_answer(const struct mdns_cached *c, usec now, struct mdns_answer *out)
{
    bool ok = dns_name_from_wire(mdns_cached_owner(c), &out->owner);
    ASSERT(ok);
    out->type = c->type;
    out->ttl = c->expires_at > now ? (uint32_t)((c->expires_at - now) / USEC_PER_SEC) : 0;
    out->serial = c->serial;
    out->rdata = mdns_cached_rdata(c);
    out->unique = c->unique;
}

static bool is_own(const struct mdns *m, const void *place)
{
    return (uintptr_t)place >= (uintptr_t)m->records &&
           (uintptr_t)place < (uintptr_t)(m->records + MDNS_RECORDS_MAX);
}

bool mdns_each_answer(const struct mdns *m, const struct dns_question *question, usec now,
                      const void **place, struct mdns_answer *out)
{
    const struct list_node *from = mdns_cache_bucket(m, &question->name)->next;
    if (*place == NULL || is_own(m, *place)) {
        const struct mdns_own *first =
            *place == NULL ? m->records : (const struct mdns_own *)*place + 1;
        const struct mdns_own *own = next_own(m, question, first);
        if (own != NULL) {
            *place = own;
            own_answer(own, out);
            return true;
        }
    } else {
        from = ((const struct mdns_cached *)*place)->bucket.next;
    }
    const struct mdns_cached *c = next_cached(m, question, from);
    *place = c;
    if (c == NULL)
        return false;
    cached_answer(c, now, out);
    return true;
}

bool mdns_denied(const struct mdns *m, const struct dns_question *question)
{
    struct dns_question nsec = *question;
    nsec.type = DNS_NSEC;
    const struct list_node *head = mdns_cache_bucket(m, &question->name);
    for (const struct list_node *node = head->next; node != head; node = node->next) {
        const struct mdns_cached *c = CONTAINER_OF(node, struct mdns_cached, bucket);
        struct reader r = reader_of(mdns_cached_rdata(c));
        if (c->type != DNS_NSEC || !mdns_cached_answers(c, &nsec))
            continue;
        dns_name_skip(&r);
        /* Block 0 alone speaks (§6.1). */
        return question->type < 256 && question->type != DNS_ANY &&
               !dns_bitmap_has(read_rest(&r), question->type);
    }
    for (size_t i = 0; i < MDNS_NAMES_MAX; i++)
        if (mdns_name_is_ours(&m->names[i]) && dns_name_equal(&m->names[i].name, &question->name))
            return next_own(m, question, m->records) == NULL;
    return false;
}

/* ---- when ---- */

static bool answers(uint16_t type, struct bytes owner, const struct mdns_question *q)
{
    return q->handle != 0 && mdns_type_answers(type, q->question.type) &&
           bytes_equal_nocase(owner, dns_name_bytes(&q->question.name));
}

void mdns_query_changed(struct mdns *m, struct bytes owner, uint16_t type, bool gone)
{
    for (size_t i = 0; i < MDNS_QUESTIONS_MAX; i++) {
        struct mdns_question *q = &m->questions[i];
        if (q->handle != 0 && type == DNS_NSEC &&
            bytes_equal_nocase(owner, dns_name_bytes(&q->question.name)))
            q->changed = true;
        if (!answers(type, owner, q))
            continue;
        q->changed = true;
        if (gone && q->send_at > m->now + USEC_PER_SEC) { /* perhaps another has it now */
            q->send_at = mdns_random(m, m->now + 20 * USEC_PER_MSEC, 100 * USEC_PER_MSEC);
            q->interval = USEC_PER_SEC;
        }
    }
}

bool mdns_query_refresh(struct mdns *m, struct bytes owner, uint16_t type)
{
    bool wanted = false;
    for (size_t i = 0; i < MDNS_QUESTIONS_MAX; i++)
        if (answers(type, owner, &m->questions[i])) {
            m->questions[i].due = true;
            wanted = true;
        }
    return wanted;
}

/* §5.2: who has all that there can be need not ask for it, before it ends. */
static bool is_settled(const struct mdns *m, const struct mdns_question *q)
{
    if (q->question.type == DNS_ANY)
        return false;
    const struct mdns_cached *c =
        next_cached(m, &q->question, mdns_cache_bucket(m, &q->question.name)->next);
    return (c != NULL && c->unique) || mdns_denied(m, &q->question);
}

/* §5.2: a second, then twice as long each time, up to an hour. */
static void plan_next(struct mdns *m, struct mdns_question *q)
{
    q->send_at = m->now + q->interval;
    q->interval = usec_min(2 * q->interval, MDNS_QUERY_INTERVAL_MAX);
}

void mdns_query_tick(struct mdns *m)
{
    for (size_t i = 0; i < MDNS_QUESTIONS_MAX; i++) {
        struct mdns_question *q = &m->questions[i];
        if (q->handle == 0 || m->now < q->send_at)
            continue;
        q->due |= !is_settled(m, q);
        plan_next(m, q);
    }
}

usec mdns_query_deadline(const struct mdns *m)
{
    usec due = list_empty(&m->known) ? USEC_NEVER : m->now;
    for (size_t i = 0; i < MDNS_QUESTIONS_MAX; i++)
        if (m->questions[i].handle != 0)
            due = usec_min(due, m->questions[i].due ? m->now : m->questions[i].send_at);
    return due;
}

/* ---- another asks ---- */

static bool would_say(const struct mdns *m, const struct dns_question *question,
                      const struct dns_rr *rr, struct bytes rdata)
{
    const struct list_node *node = mdns_cache_bucket(m, &question->name)->next;
    const struct mdns_cached *c = next_cached(m, question, node);
    for (; c != NULL; c = next_cached(m, question, c->bucket.next))
        if (c->type == rr->type && mdns_cached_is_fresh(c, m->now) &&
            dns_rdata_equal(c->type, mdns_cached_rdata(c), rdata))
            return true;
    return false;
}

/* Has he no known answer that we have not? */
static bool knows_no_more(struct mdns *m, struct bytes message, const struct dns_question *question)
{
    struct dns_cursor cursor;
    struct dns_rr rr;
    struct bytes rdata;
    if (dns_cursor_start(&cursor, message) != WIRE_OK)
        return false;
    while (dns_cursor_record(&cursor, &rr)) {
        if (rr.section != DNS_ANSWER || !mdns_type_answers(rr.type, question->type) ||
            !dns_name_equal(&rr.owner, &question->name))
            continue;
        if (!mdns_expand(m, message, &rr, &rdata) || !would_say(m, question, &rr, rdata))
            return false;
    }
    return true;
}

static bool message_has(struct mdns *m, struct bytes message, const struct mdns_cached *c)
{
    struct dns_cursor cursor;
    struct dns_rr rr;
    struct bytes rdata;
    if (dns_cursor_start(&cursor, message) != WIRE_OK)
        return false;
    while (dns_cursor_record(&cursor, &rr))
        if (rr.section == DNS_ANSWER && rr.type == c->type &&
            bytes_equal_nocase(mdns_cached_owner(c), dns_name_bytes(&rr.owner)) &&
            mdns_expand(m, message, &rr, &rdata) &&
            dns_rdata_equal(c->type, mdns_cached_rdata(c), rdata))
            return true;
    return false;
}

/* §10.5: he does not have what we have, and asks; if nobody answers him, it is gone. */
static void watch_for_failure(struct mdns *m, struct bytes message,
                              const struct dns_question *question)
{
    const struct list_node *node = mdns_cache_bucket(m, &question->name)->next;
    const struct mdns_cached *c = next_cached(m, question, node);
    for (; c != NULL; c = next_cached(m, question, c->bucket.next))
        if (!message_has(m, message, c))
            mdns_cache_doubt(m, (struct mdns_cached *)(uintptr_t)c);
}

static void take_question(struct mdns *m, const struct mdns_input *in, bool whole,
                          const struct dns_question *question)
{
    if (question->class != DNS_IN) /* without QU */
        return;
    if (whole)
        watch_for_failure(m, in->message, question);
    for (size_t i = 0; whole && i < MDNS_QUESTIONS_MAX; i++) {
        struct mdns_question *q = &m->questions[i];
        if (q->handle == 0 || q->question.type != question->type ||
            !dns_name_equal(&q->question.name, &question->name) ||
            (!q->due && q->send_at > m->now + USEC_PER_SEC) ||
            !knows_no_more(m, in->message, question))
            continue;
        q->due = false;
        q->asked = true;
        plan_next(m, q);
    }
}

void mdns_query_heard(struct mdns *m, const struct mdns_input *in)
{
    struct dns_cursor cursor;
    struct dns_question question;
    if (!in->multicast || in->from.port != MDNS_PORT ||
        dns_cursor_start(&cursor, in->message) != WIRE_OK)
        return;
    /* A probe is no question (§8.1), and of known answers that go on elsewhere we do not see all. */
    bool whole = cursor.header.counts[DNS_AUTHORITY] == 0 && (cursor.header.flags & DNS_TC) == 0;
    while (dns_cursor_question(&cursor, &question))
        take_question(m, in, whole, &question);
}

/* ---- the query ---- */

static void list_known(struct mdns *m, const struct dns_question *question)
{
    const struct list_node *node = mdns_cache_bucket(m, &question->name)->next;
    const struct mdns_cached *c = next_cached(m, question, node);
    for (; c != NULL; c = next_cached(m, question, c->bucket.next)) {
        struct mdns_cached *known = (struct mdns_cached *)(uintptr_t)c;
        if (mdns_cached_is_fresh(c, m->now) && !list_linked(&known->known))
            list_append(&m->known, &known->known);
    }
}

/* §5.4: who asks for the first time may be answered alone; those after him listen anyway. */
static void put_questions(struct mdns *m, struct dns_builder *b)
{
    for (size_t i = 0; i < MDNS_QUESTIONS_MAX; i++) {
        struct mdns_question *q = &m->questions[i];
        if (q->handle == 0 || !q->due)
            continue;
        struct dns_question question = q->question;
        question.class = (uint16_t)(DNS_IN | (q->asked ? 0 : m->unicast_bit));
        if (!dns_build_question(b, &question))
            return;
        q->due = false;
        q->asked = true;
        list_known(m, &q->question);
    }
}

/* One that does not fit into an empty message either is left out: it will be told once more. */
static void put_known(struct mdns *m, struct dns_builder *b)
{
    dns_build_section(b, DNS_ANSWER);
    while (!list_empty(&m->known)) {
        struct mdns_cached *c = CONTAINER_OF(list_first(&m->known), struct mdns_cached, known);
        struct dns_name owner;
        bool ok = dns_name_from_wire(mdns_cached_owner(c), &owner);
        ASSERT(ok);
        uint32_t left = (uint32_t)((c->expires_at - m->now) / USEC_PER_SEC);
        bool alone = b->counts[DNS_ANSWER] == 0 && b->counts[DNS_QUESTION] == 0;
        if (!mdns_put(b, &owner, c->type, DNS_IN, left, mdns_cached_rdata(c)) && !alone)
            return;
        list_remove(&c->known);
    }
}

bool mdns_query_next(struct mdns *m, uint8_t *buffer, struct bytes *out)
{
    struct dns_builder b;
    dns_build_start(&b, buffer, MDNS_SEND_MAX);
    dns_build_for_link(&b);
    if (list_empty(&m->known))
        put_questions(m, &b);
    put_known(m, &b);
    if (b.counts[DNS_QUESTION] == 0 && b.counts[DNS_ANSWER] == 0)
        return false;
    *out = dns_build_finish(&b, 0, list_empty(&m->known) ? 0 : DNS_TC);
    return true;
}
