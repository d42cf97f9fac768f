/* SPDX-License-Identifier: ISC */
/*
 * mdns_own.c - names and records of ours: probing for a name, announcing what it has, giving way to who
 * had it before, and saying goodbye (RFC 6762 §8, §9, §10.1).
 */
#include "proto/dns/mdns_internal.h"

#include "wire/dns/dns_bitmap.h"

/* ---- adding ---- */

static void start_probing(struct mdns *m, struct mdns_own_name *n, usec delay)
{
    n->state = MDNS_NAME_WAITING;
    n->probe_due = false;
    n->sent = 0;
    n->due_at = m->now + delay;
}

int mdns_add_name(struct mdns *m, const struct dns_name *name, enum mdns_style style, usec now)
{
    m->now = now;
    for (int i = 0; i < MDNS_NAMES_MAX; i++) {
        struct mdns_own_name *n = &m->names[i];
        if (n->used)
            continue;
        *n = (struct mdns_own_name){.used = true, .style = style, .number = 2};
        n->conflict_at = MDNS_LONG_AGO;
        dns_name_copy(&n->name, name);
        dns_name_copy(&n->first, name);
        start_probing(m, n, mdns_random(m, 0, MDNS_PROBE_INTERVAL)); /* §8.1 */
        return i;
    }
    return -1;
}

static struct mdns_own *find_free(struct mdns *m)
{
    for (size_t i = 0; i < MDNS_RECORDS_MAX; i++)
        if (m->records[i].rdata == NULL)
            return &m->records[i];
    return NULL;
}

/* §8.4: what is added to a name of ours is announced as all was. */
static void announce(struct mdns *m, struct mdns_own_name *n)
{
    n->state = MDNS_NAME_ANNOUNCING;
    n->sent = 0;
    n->due_at = m->now;
}

bool mdns_add_record(struct mdns *m, int name, const struct mdns_record *record, usec now)
{
    ASSERT(name >= 0 && name < MDNS_NAMES_MAX && m->names[name].used);
    ASSERT(dns_rdata_valid(record->type, record->rdata) && record->rdata.len > 0);
    struct mdns_own_name *n = &m->names[name];
    struct mdns_own *own = find_free(m);
    m->now = now;
    if (own == NULL || record->rdata.len > MDNS_RDATA_MAX)
        return false;
    uint8_t *rdata = heap_array(&m->heap, record->rdata.len, 1);
    if (rdata == NULL)
        return false;
    memcpy(rdata, record->rdata.data, record->rdata.len);
    *own = (struct mdns_own){.rdata = rdata,
                             .rdata_len = (uint16_t)record->rdata.len,
                             .type = record->type,
                             .ttl = record->ttl,
                             .name = (uint8_t)name,
                             .shared = record->owner != NULL,
                             .multicast_at = MDNS_LONG_AGO};
    dns_name_copy(&own->owner, record->owner != NULL ? record->owner : &n->name);
    if (mdns_name_is_ours(n))
        announce(m, n);
    return true;
}

static void drop(struct mdns *m, size_t i)
{
    struct mdns_own *own = &m->records[i];
    heap_release(&m->heap, own->rdata, own->rdata_len);
    *own = (struct mdns_own){0};
    mdns_set_remove(&m->sending.records, i);
    mdns_set_remove(&m->goodbyes, i);
    for (size_t p = 0; p < MDNS_PENDING_MAX; p++)
        mdns_set_remove(&m->pending[p].reply.records, i);
}

void mdns_drop_records(struct mdns *m, int name, uint16_t type)
{
    for (size_t i = 0; i < MDNS_RECORDS_MAX; i++) {
        const struct mdns_own *own = &m->records[i];
        if (own->rdata != NULL && own->name == name && own->type == type && !own->shared)
            drop(m, i);
    }
}

/* What others have heard of is taken back; the rest is simply gone. */
static void withdraw_records(struct mdns *m, int name)
{
    for (size_t i = 0; i < MDNS_RECORDS_MAX; i++) {
        struct mdns_own *own = &m->records[i];
        if (own->rdata == NULL || own->name != name)
            continue;
        if (!mdns_name_is_ours(&m->names[name])) {
            drop(m, i);
            continue;
        }
        mdns_set_add(&m->goodbyes, i);
        mdns_set_remove(&m->sending.records, i);
        own->name = MDNS_NOBODY;
    }
}

void mdns_drop_name(struct mdns *m, int name, usec now)
{
    ASSERT(name >= 0 && name < MDNS_NAMES_MAX);
    m->now = now;
    withdraw_records(m, name);
    m->names[name] = (struct mdns_own_name){.used = false};
}

void mdns_withdraw(struct mdns *m, usec now)
{
    for (int i = 0; i < MDNS_NAMES_MAX; i++)
        mdns_drop_name(m, i, now);
    memset(m->pending, 0, sizeof m->pending);
    memset(&m->sending, 0, sizeof m->sending);
}

/* ---- services (RFC 6763) ---- */

static bool put_srv(struct mdns *m, int name, int host, uint16_t port, usec now)
{
    uint8_t octets[6 + DNS_NAME_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    write_u16(&w, 0); /* priority */
    write_u16(&w, 0); /* weight */
    write_u16(&w, port);
    dns_name_write(&w, &m->names[host].name);
    struct mdns_record srv = {
        .type = DNS_SRV, .ttl = MDNS_TTL_HOST, .rdata = writer_bytes(&w)};
    return mdns_add_record(m, name, &srv, now);
}

/* §4.1 PTR of the type, §9 of the types that there are, SRV, and TXT, which is always there (§6.1). */
static bool put_service(struct mdns *m, int name, int host, const struct mdns_service *service,
                        const struct dns_name *type, usec now)
{
    struct dns_name browse;
    bool ok = dns_name_parse(bytes_of_text("_services._dns-sd._udp.local"), NULL, &browse);
    ASSERT(ok);
    struct mdns_record ptr = {.owner = type,
                              .type = DNS_PTR,
                              .ttl = MDNS_TTL_OTHER,
                              .rdata = dns_name_bytes(&m->names[name].name)};
    struct mdns_record of_types = {
        .owner = &browse, .type = DNS_PTR, .ttl = MDNS_TTL_OTHER, .rdata = dns_name_bytes(type)};
    static const uint8_t nothing[1] = {0};
    struct mdns_record txt = {
        .type = DNS_TXT,
        .ttl = MDNS_TTL_OTHER,
        .rdata = service->txt.len > 0 ? service->txt : bytes_of(nothing, sizeof nothing)};
    return put_srv(m, name, host, service->port, now) && mdns_add_record(m, name, &txt, now) &&
           mdns_add_record(m, name, &ptr, now) && mdns_add_record(m, name, &of_types, now);
}

int mdns_add_service(struct mdns *m, int host, const struct mdns_service *service, usec now)
{
    struct dns_name local, type, name;
    ASSERT(host >= 0 && host < MDNS_NAMES_MAX && m->names[host].used);
    bool ok = dns_name_parse(bytes_of_text("local"), NULL, &local);
    ASSERT(ok);
    if (!dns_name_parse(service->type, &local, &type) ||
        !dns_name_child(service->instance, &type, &name))
        return -1;
    int number = mdns_add_name(m, &name, MDNS_STYLE_SERVICE, now);
    if (number < 0)
        return -1;
    if (put_service(m, number, host, service, &type, now))
        return number;
    mdns_drop_name(m, number, now);
    return -1;
}

bool mdns_each_name(const struct mdns *m, int *name)
{
    for (int i = *name + 1; i < MDNS_NAMES_MAX; i++)
        if (m->names[i].used) {
            *name = i;
            return true;
        }
    return false;
}

static const char *const state_texts[] = {
    [MDNS_NAME_WAITING] = "waiting",       [MDNS_NAME_PROBING] = "probing",
    [MDNS_NAME_ANNOUNCING] = "announcing", [MDNS_NAME_HELD] = "held",
    [MDNS_NAME_LOST] = "lost",
};
_Static_assert(ARRAY_LEN(state_texts) == MDNS_NAME_STATE_COUNT, "one for each state");

const char *mdns_name_state_text(enum mdns_name_state state)
{
    ASSERT(state < MDNS_NAME_STATE_COUNT);
    return state_texts[state];
}

enum mdns_name_state mdns_name_state(const struct mdns *m, int name)
{
    ASSERT(name >= 0 && name < MDNS_NAMES_MAX);
    return m->names[name].used ? m->names[name].state : MDNS_NAME_LOST;
}

const struct dns_name *mdns_name(const struct mdns *m, int name)
{
    ASSERT(name >= 0 && name < MDNS_NAMES_MAX);
    return &m->names[name].name;
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
        announce(m, n);
}

static void rename_records(struct mdns *m, const struct mdns_own_name *n, const struct dns_name *new)
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
    start_probing(m, n, pause_after_conflict(m, n));
}

/* ---- what others say ---- */

struct mdns_own *mdns_own_find(struct mdns *m, const struct dns_name *owner, uint16_t type,
                               struct bytes rdata)
{
    for (size_t i = 0; i < MDNS_RECORDS_MAX; i++) {
        struct mdns_own *own = &m->records[i];
        if (own->rdata != NULL && own->type == type && m->names[own->name].used &&
            m->names[own->name].state != MDNS_NAME_LOST && dns_name_equal(&own->owner, owner) &&
            dns_rdata_equal(type, bytes_of(own->rdata, own->rdata_len), rdata))
            return own;
    }
    return NULL;
}

static bool has_type(const struct mdns *m, size_t name, uint16_t type)
{
    for (size_t i = 0; i < MDNS_RECORDS_MAX; i++) {
        const struct mdns_own *own = &m->records[i];
        if (own->rdata != NULL && own->name == name && own->type == type && !own->shared)
            return true;
    }
    return false;
}

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
        if (!has_type(m, i, type))
            return;
        m->counters.conflicts++;
        n->changed = true;
        start_probing(m, n, 0);
        break;
    case MDNS_NAME_LOST:
    case MDNS_NAME_STATE_COUNT:
        break;
    }
}

void mdns_own_heard(struct mdns *m, const struct dns_rr *rr, struct bytes rdata)
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

/* ---- simultaneous probes (§8.2) ---- */

struct tie_record {
    uint16_t class, type;
    struct bytes rdata;
};

struct tie {
    struct tie_record list[MDNS_TIE_RECORDS];
    size_t count;
};

static int compare_octets(struct bytes a, struct bytes b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = memcmp(a.data, b.data, len);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_records(const struct tie_record *a, const struct tie_record *b)
{
    if (a->class != b->class)
        return a->class < b->class ? -1 : 1;
    if (a->type != b->type)
        return a->type < b->type ? -1 : 1;
    return compare_octets(a->rdata, b->rdata);
}

/* In ascending order. What is more than we can compare, nobody needs for one name. */
static void tie_add(struct tie *t, const struct tie_record *record)
{
    size_t at = t->count;
    if (t->count == MDNS_TIE_RECORDS)
        return;
    while (at > 0 && compare_records(&t->list[at - 1], record) > 0) {
        t->list[at] = t->list[at - 1];
        at--;
    }
    t->list[at] = *record;
    t->count++;
}

/* The first that differs decides; then, which list is longer (§8.2.1). */
static int tie_compare(const struct tie *a, const struct tie *b)
{
    for (size_t i = 0; i < a->count && i < b->count; i++) {
        int order = compare_records(&a->list[i], &b->list[i]);
        if (order != 0)
            return order;
    }
    return (a->count > b->count) - (a->count < b->count);
}

static void tie_of_ours(const struct mdns *m, size_t name, struct tie *out)
{
    out->count = 0;
    for (size_t i = 0; i < MDNS_RECORDS_MAX; i++) {
        const struct mdns_own *own = &m->records[i];
        if (own->rdata != NULL && own->name == name && !own->shared)
            tie_add(out, &(struct tie_record){DNS_IN, own->type,
                                              bytes_of(own->rdata, own->rdata_len)});
    }
}

static void tie_of_theirs(struct mdns *m, struct bytes message, const struct dns_name *name,
                          struct tie *out)
{
    struct dns_cursor cursor;
    struct dns_rr rr;
    struct writer w = writer_of(m->rdata, sizeof m->rdata);
    enum wire_status status = dns_cursor_start(&cursor, message);
    ASSERT(status == WIRE_OK);
    out->count = 0;
    while (dns_cursor_record(&cursor, &rr)) {
        if (rr.section != DNS_AUTHORITY || !dns_name_equal(&rr.owner, name))
            continue;
        size_t at = writer_len(&w);
        if (dns_rdata_expand(rr.type, message, rr.rdata, &w) != WIRE_OK || w.failed)
            return;
        tie_add(out, &(struct tie_record){rr.class & (uint16_t)~MDNS_TOP_BIT, rr.type,
                                          bytes_of(w.start + at, writer_len(&w) - at)});
    }
}

void mdns_own_rival(struct mdns *m, struct bytes message, const struct dns_name *name)
{
    for (size_t i = 0; i < MDNS_NAMES_MAX; i++) {
        struct mdns_own_name *n = &m->names[i];
        struct tie ours, theirs;
        if (!n->used || (n->state != MDNS_NAME_WAITING && n->state != MDNS_NAME_PROBING) ||
            !dns_name_equal(&n->name, name))
            continue;
        tie_of_ours(m, i, &ours);
        tie_of_theirs(m, message, name, &theirs);
        if (theirs.count > 0 && tie_compare(&ours, &theirs) < 0)
            start_probing(m, n, USEC_PER_SEC); /* by then he has it, or is gone */
    }
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
        announce(m, n);
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

void mdns_own_tick(struct mdns *m)
{
    for (size_t i = 0; i < MDNS_NAMES_MAX; i++)
        if (m->names[i].used && m->now >= m->names[i].due_at)
            tick_name(m, i);
}

usec mdns_own_deadline(const struct mdns *m)
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

bool mdns_own_probe(struct mdns *m, uint8_t *buffer, struct bytes *out)
{
    struct dns_builder b;
    size_t due = 0;
    for (size_t i = 0; i < MDNS_NAMES_MAX; i++)
        due += m->names[i].used && m->names[i].probe_due;
    for (size_t most = due; most > 0; most /= 2) {
        /* One name may be longer than an ordinary message (§17). */
        dns_build_start(&b, buffer, most > 1 ? MDNS_SEND_MAX : MDNS_MESSAGE_MAX);
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

/* ---- what there is not (§6.1) ---- */

struct bytes mdns_own_types(const struct mdns *m, const struct mdns_own_name *n, uint8_t *buffer,
                            size_t size)
{
    uint16_t types[MDNS_RECORDS_MAX];
    size_t count = 0;
    for (unsigned type = 1; type < 256; type++) /* block 0 alone */
        if (has_type(m, (size_t)(n - m->names), (uint16_t)type))
            types[count++] = (uint16_t)type;
    struct writer w = writer_of(buffer, size);
    dns_name_write(&w, &n->name);
    dns_bitmap_write(&w, types, count);
    ASSERT(!w.failed);
    return writer_bytes(&w);
}
