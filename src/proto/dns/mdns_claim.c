/* SPDX-License-Identifier: ISC */
/*
 * mdns_claim.c - how a name becomes ours: probing for it, announcing what it has, and giving way to who had it before
 * (RFC 6762 §8, §9).
 */
#include "proto/dns/mdns_internal.h"

void mdns_start_probing(struct mdns *m, struct mdns_own_name *n, usec delay)
{
    n->state = MDNS_NAME_WAITING;
    n->probe_due = false;
    n->sent = 0;
    n->due_at = m->now + delay;
}

void mdns_announce(struct mdns *m, struct mdns_own_name *n)
{
    n->state = MDNS_NAME_ANNOUNCING;
    n->sent = 0;
    n->due_at = m->now;
}

/* ---- another name ---- */

/* Longer, and it would not be UTF-8, or a label, any more. */
static struct bytes cut_label(struct bytes label, size_t room)
{
    size_t len = label.len < room ? label.len : room;
    while (len > 0 && len < label.len && (label.data[len] & 0xc0) == 0x80)
        len--;
    return bytes_first(label, len);
}

/* RFC 6762 §9, RFC 6763 appendix D. */
static bool make_next_name(struct mdns_own_name *n, struct dns_name *out)
{
    char tail[16], label[DNS_LABEL_MAX + 1];
    struct dns_name parent;
    struct text t = text_of(tail, sizeof tail);
    text_add_format(&t, n->style == MDNS_STYLE_HOST ? "-%u" : " (%u)", n->number++);
    struct bytes base = cut_label(dns_name_label(&n->first, 0), DNS_LABEL_MAX - t.len);
    struct text whole = text_of(label, sizeof label);
    text_add_bytes(&whole, base);
    text_add(&whole, tail);
    dns_name_parent(&n->first, &parent);
    return dns_name_child(text_bytes(&whole), &parent, out);
}

/* The name in a PTR or SRV record, which is all of the rest of its RDATA. */
static bool target_at(const struct mdns_own *own, size_t *at)
{
    *at = own->type == DNS_SRV ? 6 : 0;
    return own->type == DNS_SRV || own->type == DNS_PTR || own->type == DNS_CNAME;
}

static void rename_target(struct mdns *m, struct mdns_own *own, const struct dns_name *old,
                          const struct dns_name *new)
{
    size_t at;
    if (!target_at(own, &at) ||
        !bytes_equal_nocase(bytes_of(own->rdata + at, own->rdata_len - at), dns_name_bytes(old)))
        return;
    uint8_t *rdata = heap_array(&m->heap, at + new->len, 1);
    if (rdata == NULL)
        return; /* it leads nowhere, or to who has the name now, until we start again */
    memcpy(rdata, own->rdata, at);
    memcpy(rdata + at, new->octets, new->len);
    heap_release(&m->heap, own->rdata, own->rdata_len);
    own->rdata = rdata;
    own->rdata_len = (uint16_t)(at + new->len);
    struct mdns_own_name *n = &m->names[own->name];
    if (mdns_name_is_ours(n))
        mdns_announce(m, n);
}

static void rename_records(struct mdns *m, const struct mdns_own_name *n,
                           const struct dns_name *new)
{
    for (size_t i = 0; i < MDNS_RECORDS_MAX; i++) {
        struct mdns_own *own = &m->records[i];
        if (own->rdata == NULL)
            continue;
        rename_target(m, own, &n->name, new);
        if (&m->names[own->name] == n && !own->shared)
            dns_name_copy(&own->owner, new);
        if (&m->names[own->name] == n)
            own->multicast_at = MDNS_LONG_AGO;
    }
}

/* §8.1: fifteen conflicts in ten seconds, and we are a nuisance. */
static usec pause_after_conflict(struct mdns *m, struct mdns_own_name *n)
{
    if (m->now - n->conflict_at > MDNS_CONFLICT_TIME) {
        n->conflict_at = m->now;
        n->conflicts = 0;
    }
    n->conflicts++;
    if (n->conflicts >= MDNS_CONFLICTS_MAX) {
        n->conflict_at = m->now;
        return MDNS_CONFLICT_PAUSE;
    }
    return mdns_random(m, 0, MDNS_PROBE_INTERVAL);
}

static void give_way(struct mdns *m, struct mdns_own_name *n)
{
    struct dns_name new;
    n->changed = true;
    if (n->style == MDNS_STYLE_FIXED || !make_next_name(n, &new)) {
        n->state = MDNS_NAME_LOST;
        n->probe_due = false;
        n->due_at = USEC_NEVER;
        return;
    }
    rename_records(m, n, &new);
    dns_name_copy(&n->name, &new);
    mdns_start_probing(m, n, pause_after_conflict(m, n));
}

/* ---- what others say ---- */

static void heard_of_name(struct mdns *m, size_t i, uint16_t type)
{
    struct mdns_own_name *n = &m->names[i];
    switch (n->state) {
    case MDNS_NAME_WAITING:
    case MDNS_NAME_PROBING: /* §8.1: who has it, has it */
        m->counters.conflicts++;
        give_way(m, n);
        break;
    case MDNS_NAME_ANNOUNCING:
    case MDNS_NAME_HELD: /* §9: both begin again; who is answered gives way */
        if (!mdns_own_has_type(m, i, type))
            return;
        m->counters.conflicts++;
        n->changed = true;
        mdns_start_probing(m, n, 0);
        break;
    case MDNS_NAME_LOST:
    case MDNS_NAME_STATE_COUNT:
        break;
    }
}

void mdns_claim_heard(struct mdns *m, const struct dns_rr *rr, struct bytes rdata)
{
    struct mdns_own *own = mdns_own_find(m, &rr->owner, rr->type, rdata);
    if (own != NULL) {
        mdns_respond_heard(m, own, rr->ttl);
        return;
    }
    if (rr->ttl == 0 || rr->type == DNS_NSEC)
        return; /* a goodbye, or what follows from something else */
    for (size_t i = 0; i < MDNS_NAMES_MAX; i++)
        if (m->names[i].used && dns_name_equal(&m->names[i].name, &rr->owner))
            heard_of_name(m, i, rr->type);
}

/* ---- probes and announcements ---- */

static void announce_records(struct mdns *m, size_t name)
{
    for (size_t i = 0; i < MDNS_RECORDS_MAX; i++)
        if (m->records[i].rdata != NULL && m->records[i].name == name)
            mdns_set_add(&m->sending.records, i);
}

/* When all of the name's records may be multicast again (§6). */
static usec may_announce_at(const struct mdns *m, size_t name)
{
    usec at = MDNS_LONG_AGO;
    for (size_t i = 0; i < MDNS_RECORDS_MAX; i++)
        if (m->records[i].rdata != NULL && m->records[i].name == name)
            at = usec_max(at, m->records[i].multicast_at + MDNS_RATE_INTERVAL);
    return at;
}

/* §8.3: a second apart. */
static void tick_announcing(struct mdns *m, size_t i)
{
    struct mdns_own_name *n = &m->names[i];
    usec at = may_announce_at(m, i);
    if (at > m->now) {
        n->due_at = at;
        return;
    }
    announce_records(m, i);
    n->sent++;
    n->due_at = m->now + MDNS_ANNOUNCE_INTERVAL;
    if (n->sent == MDNS_ANNOUNCEMENTS) {
        n->state = MDNS_NAME_HELD;
        n->due_at = USEC_NEVER;
    }
}

static void tick_name(struct mdns *m, size_t i)
{
    struct mdns_own_name *n = &m->names[i];
    switch (n->state) {
    case MDNS_NAME_WAITING:
    case MDNS_NAME_PROBING:
        if (n->sent < MDNS_PROBES) {
            n->state = MDNS_NAME_PROBING;
            n->probe_due = true;
            n->sent++;
            n->due_at = m->now + MDNS_PROBE_INTERVAL;
            return;
        }
        n->changed = true;
        mdns_announce(m, n);
        tick_announcing(m, i);
        break;
    case MDNS_NAME_ANNOUNCING:
        tick_announcing(m, i);
        break;
    case MDNS_NAME_HELD:
    case MDNS_NAME_LOST:
    case MDNS_NAME_STATE_COUNT:
        n->due_at = USEC_NEVER;
        break;
    }
}

void mdns_claim_tick(struct mdns *m)
{
    for (size_t i = 0; i < MDNS_NAMES_MAX; i++)
        if (m->names[i].used && m->now >= m->names[i].due_at)
            tick_name(m, i);
}

usec mdns_claim_deadline(const struct mdns *m)
{
    usec due = USEC_NEVER;
    for (size_t i = 0; i < MDNS_NAMES_MAX; i++)
        if (m->names[i].used)
            due = m->names[i].probe_due ? m->now : usec_min(due, m->names[i].due_at);
    return due;
}

/* §8.1: for anything under the name, and what we mean to have there in the authority section. */
static bool put_proposals(const struct mdns *m, struct dns_builder *b, size_t name)
{
    for (size_t i = 0; i < MDNS_RECORDS_MAX; i++) {
        const struct mdns_own *own = &m->records[i];
        if (own->rdata != NULL && own->name == name && !own->shared &&
            !mdns_put(b, &own->owner, own->type, DNS_IN, own->ttl,
                      bytes_of(own->rdata, own->rdata_len)))
            return false;
    }
    return true;
}

/* A question for each name first, then the records: as many names as fit. */
static size_t build_probe(const struct mdns *m, struct dns_builder *b, size_t most)
{
    size_t count = 0;
    for (size_t i = 0; i < MDNS_NAMES_MAX && count < most; i++) {
        const struct mdns_own_name *n = &m->names[i];
        struct dns_question question = {.type = DNS_ANY, .class = DNS_IN | m->unicast_bit};
        dns_name_copy(&question.name, &n->name);
        if (!n->used || !n->probe_due)
            continue;
        if (!dns_build_question(b, &question))
            return 0;
        count++;
    }
    dns_build_section(b, DNS_AUTHORITY);
    size_t put = 0;
    for (size_t i = 0; i < MDNS_NAMES_MAX && put < count; i++) {
        if (!m->names[i].used || !m->names[i].probe_due)
            continue;
        if (!put_proposals(m, b, i))
            return 0;
        put++;
    }
    return count;
}

static void probes_sent(struct mdns *m, size_t count)
{
    for (size_t i = 0; i < MDNS_NAMES_MAX && count > 0; i++)
        if (m->names[i].used && m->names[i].probe_due) {
            m->names[i].probe_due = false;
            count--;
        }
}

bool mdns_claim_probe(struct mdns *m, uint8_t *buffer, struct bytes *out)
{
    struct dns_builder b;
    size_t due = 0;
    for (size_t i = 0; i < MDNS_NAMES_MAX; i++)
        due += m->names[i].used && m->names[i].probe_due;
    for (size_t most = due; most > 0; most /= 2) {
        /* One name may be longer than an ordinary message (§17). */
        dns_build_start(&b, buffer, most > 1 ? MDNS_SEND_MAX : MDNS_MESSAGE_MAX);
        dns_build_for_link(&b);
        size_t count = build_probe(m, &b, most);
        if (count == 0)
            continue;
        probes_sent(m, count);
        *out = dns_build_finish(&b, 0, 0);
        return true;
    }
    probes_sent(m, due > 0 ? 1 : 0); /* it does not fit anywhere: it is announced unprobed */
    return false;
}
