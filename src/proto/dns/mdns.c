/* SPDX-License-Identifier: ISC */
/* mdns.c - multicast DNS: the machine's life, messages in and out, and what a name is of the link. */
#include "proto/dns/mdns_internal.h"

struct mdns *mdns_new(const struct heap *heap, struct prng *prng, usec now)
{
    struct mdns *m = heap_zeroed(heap, sizeof *m);
    if (m == NULL)
        return NULL;
    m->heap = *heap;
    m->now = now;
    m->unicast_bit = MDNS_TOP_BIT;
    prng_fork(prng, &m->prng);
    m->host = &m->alone;
    mdns_cache_open(m);
    return m;
}

void mdns_free(struct mdns *m)
{
    if (m == NULL)
        return;
    mdns_cache_close(m);
    for (size_t i = 0; i < MDNS_RECORDS_MAX; i++)
        heap_release(&m->heap, m->records[i].rdata, m->records[i].rdata_len);
    struct heap heap = m->heap;
    heap_release(&heap, m, sizeof *m);
}

usec mdns_random(struct mdns *m, usec least, usec range)
{
    return least + (usec)prng_below(&m->prng, (uint32_t)range);
}

/* RFC 6762 §3, §4. */
bool mdns_is_local(const struct dns_name *name)
{
    static const char *const domains[] = {"local",          "254.169.in-addr.arpa",
                                          "8.e.f.ip6.arpa", "9.e.f.ip6.arpa",
                                          "a.e.f.ip6.arpa", "b.e.f.ip6.arpa"};
    for (size_t i = 0; i < ARRAY_LEN(domains); i++) {
        struct dns_name domain;
        bool ok = dns_name_parse(bytes_of_text(domains[i]), NULL, &domain);
        ASSERT(ok);
        if (dns_name_within(name, &domain))
            return true;
    }
    return false;
}

void mdns_set_addresses(struct mdns *m, const struct ip_prefix *addresses, size_t count)
{
    m->address_count = count < MDNS_ADDRESSES_MAX ? count : MDNS_ADDRESSES_MAX;
    for (size_t i = 0; i < m->address_count; i++)
        m->addresses[i] = addresses[i];
}

void mdns_share_host(struct mdns *m, struct mdns_host *host)
{
    m->host = host;
}

void mdns_share_port(struct mdns *m)
{
    m->unicast_bit = 0;
}

void mdns_counters(const struct mdns *m, struct mdns_counters *out)
{
    *out = m->counters;
}

bool mdns_put(struct dns_builder *b, const struct dns_name *owner, uint16_t type, uint16_t class,
              uint32_t ttl, struct bytes rdata)
{
    struct dns_build_record record = {
        .owner = owner, .type = type, .class = class, .ttl = ttl, .rdata = rdata};
    return dns_build_record(b, &record);
}

bool mdns_expand(struct mdns *m, struct bytes message, const struct dns_rr *rr, struct bytes *out)
{
    struct writer w = writer_of(m->rdata, sizeof m->rdata);
    if (dns_rdata_expand(rr->type, message, rr->rdata, &w) != WIRE_OK || w.failed)
        return false;
    *out = writer_bytes(&w);
    return true;
}

/* ---- in ---- */

static bool is_our_address(const struct mdns *m, const struct ip_address *a)
{
    for (size_t i = 0; i < m->address_count; i++)
        if (address_equal(&m->addresses[i].address, a))
            return true;
    for (size_t i = 0; i < m->host->address_count; i++)
        if (address_equal(&m->host->addresses[i], a))
            return true;
    return false;
}

/* RFC 6762 §11: what was sent to the group cannot come from elsewhere. */
static bool is_on_link(const struct mdns *m, const struct mdns_input *in)
{
    if (in->multicast || address_is_link_local(&in->from.address))
        return true;
    for (size_t i = 0; i < m->address_count; i++)
        if (prefix_contains(&m->addresses[i], &in->from.address))
            return true;
    return false;
}

/* FNV-1a: it is our own messages that are told from others, of which an equal one does no harm. */
static uint32_t hash_of(struct bytes message)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < message.len; i++)
        h = (h ^ message.data[i]) * 16777619u;
    return h;
}

/* The group's members on this host hear what it says, and so do we; on another link, too, if the two are one. */
static bool is_echo(const struct mdns *m, const struct mdns_input *in)
{
    if (!in->multicast || !is_our_address(m, &in->from.address))
        return false;
    uint32_t hash = hash_of(in->message);
    const struct mdns_host *host = m->host;
    for (size_t i = 0; i < host->echo_count; i++)
        if (host->echoes[i].hash == hash && m->now - host->echoes[i].sent_at <= MDNS_ECHO_TIME)
            return true;
    return false;
}

/* A message is taken whole or not at all. */
static bool is_well_formed(struct bytes message, struct dns_header *out)
{
    struct dns_cursor cursor;
    struct dns_question question;
    struct dns_rr rr;
    if (message.len > MDNS_MESSAGE_MAX || dns_cursor_start(&cursor, message) != WIRE_OK)
        return false;
    while (dns_cursor_question(&cursor, &question))
        continue;
    while (dns_cursor_record(&cursor, &rr))
        continue;
    *out = cursor.header;
    return !cursor.reader.failed;
}

/* RFC 6762 §10: all of a response is of interest, but for its authority section. */
static void take_response(struct mdns *m, struct bytes message)
{
    struct dns_cursor cursor;
    struct dns_rr rr;
    struct bytes rdata;
    enum wire_status status = dns_cursor_start(&cursor, message);
    ASSERT(status == WIRE_OK);
    while (dns_cursor_record(&cursor, &rr)) {
        if (rr.section == DNS_AUTHORITY || rr.type == DNS_OPT || !dns_type_is_data(rr.type) ||
            !mdns_class_is_in(rr.class) || !mdns_expand(m, message, &rr, &rdata))
            continue;
        mdns_claim_heard(m, &rr, rdata);
        mdns_cache_take(m, &rr, rdata);
    }
}

void mdns_input(struct mdns *m, const struct mdns_input *in, usec now)
{
    struct dns_header header;
    m->now = now;
    m->from = in->from.address;
    if (in->from.port == 0 || !is_on_link(m, in) || is_echo(m, in) ||
        !is_well_formed(in->message, &header) ||
        dns_opcode(header.flags) != DNS_OPCODE_QUERY ||  /* §18.3 */
        (header.flags & DNS_RCODE_MASK) != 0) {          /* §18.11 */
        m->counters.ignored++;
        return;
    }
    if ((header.flags & DNS_QR) == 0) {
        m->counters.queries_in++;
        mdns_query_heard(m, in);
        mdns_respond_query(m, in);
    } else if (in->from.port == MDNS_PORT) { /* §6: from no other */
        m->counters.responses_in++;
        take_response(m, in->message);
    } else {
        m->counters.ignored++;
    }
}

/* ---- out ---- */

static void remember_echo(struct mdns *m, struct bytes message)
{
    struct mdns_host *host = m->host;
    host->echoes[host->echo_next].hash = hash_of(message);
    host->echoes[host->echo_next].sent_at = m->now;
    host->echo_next = (host->echo_next + 1) % MDNS_ECHOES_MAX;
    if (host->echo_count < MDNS_ECHOES_MAX)
        host->echo_count++;
}

static bool next(struct mdns *m, uint8_t *buffer, struct mdns_output *out)
{
    *out = (struct mdns_output){.multicast = true};
    if (mdns_claim_probe(m, buffer, &out->message)) {
        m->counters.probes_out++;
        return true;
    }
    if (mdns_respond_next(m, buffer, out)) {
        m->counters.responses_out++;
        return true;
    }
    if (mdns_query_next(m, buffer, &out->message)) {
        m->counters.queries_out++;
        return true;
    }
    return false;
}

bool mdns_next(struct mdns *m, usec now, uint8_t *buffer, struct mdns_output *out)
{
    m->now = now;
    mdns_claim_tick(m);
    mdns_cache_tick(m);
    mdns_respond_tick(m);
    mdns_query_tick(m);
    if (!next(m, buffer, out))
        return false;
    if (out->multicast)
        remember_echo(m, out->message);
    return true;
}

bool mdns_next_event(struct mdns *m, struct mdns_event *out)
{
    for (int i = 0; i < MDNS_NAMES_MAX; i++)
        if (m->names[i].used && m->names[i].changed) {
            m->names[i].changed = false;
            *out = (struct mdns_event){.kind = MDNS_NAME_CHANGED, .name = i};
            return true;
        }
    for (size_t i = 0; i < MDNS_QUESTIONS_MAX; i++)
        if (m->questions[i].handle != 0 && m->questions[i].changed) {
            m->questions[i].changed = false;
            *out = (struct mdns_event){.kind = MDNS_ANSWERS_CHANGED,
                                       .question = m->questions[i].handle};
            return true;
        }
    return false;
}

usec mdns_deadline(const struct mdns *m)
{
    usec due = usec_min(mdns_claim_deadline(m), mdns_respond_deadline(m));
    return usec_min(usec_min(due, mdns_query_deadline(m)), m->cache_due_at);
}
