/* SPDX-License-Identifier: ISC */
/*
 * answer.c - RFC 1034 §4.3.2 as code: find the name, follow aliases, fill the sections. Records are
 * written straight into the reply; a set of records that does not fit is taken back whole
 * (RFC 2181 §9).
 */
#include "proto/dns/answer.h"

enum { YXDOMAIN = 6, ADDITIONAL_MAX = 16, ADDRESS_TARGETS_MAX = 13 };

/* One reply under construction. */
struct work {
    const struct answer_options *options;
    const struct answer_query *query;
    struct dns_builder b;
    unsigned rcode;
    bool authoritative;
    bool truncated;
    bool elsewhere;       /* the chain leaves our zones at `target` */
    unsigned chain_len;
    struct dns_name target;
    const struct zone_node *seen[ADDITIONAL_MAX]; /* whose addresses are in the reply already */
    size_t seen_count;
};

/* ---- the frame of a reply ---- */

static struct dns_edns own_edns(const struct answer_query *query, unsigned rcode)
{
    return (struct dns_edns){
        .present = true,
        .version = DNS_EDNS_VERSION,
        .rcode_high = (uint8_t)(rcode >> 4),
        .dnssec_ok = query->dnssec_ok,
        .udp_size = query->path.size_max,
        .options = bytes_empty(),
    };
}

static void begin(struct work *work, const struct answer_options *options,
                  const struct answer_query *query, uint8_t *buffer)
{
    work->options = options;
    work->query = query;
    work->rcode = DNS_NOERROR;
    work->authoritative = false;
    work->truncated = false;
    work->elsewhere = false;
    work->chain_len = 0;
    work->seen_count = 0;
    dns_build_start(&work->b, buffer, query->limit);
    bool fits = dns_build_question(&work->b, &query->question);
    ASSERT(fits); /* 12 + 255 + 4 + 11 < 512 */
    if (query->edns)
        dns_build_reserve(&work->b, DNS_OPT_LEN);
    dns_build_section(&work->b, DNS_ANSWER);
}

static uint16_t reply_flags(const struct answer_options *options, uint16_t query_flags)
{
    return (uint16_t)(DNS_QR | (query_flags & (DNS_RD | DNS_CD | DNS_OPCODE_MASK)) |
                      (options->recursion_available ? DNS_RA : 0));
}

static struct bytes end(struct work *work)
{
    const struct answer_query *query = work->query;
    uint16_t flags = reply_flags(work->options, query->flags);
    flags |= (uint16_t)(work->authoritative ? DNS_AA : 0);
    flags |= (uint16_t)(work->truncated ? DNS_TC : 0);
    if (query->edns) {
        struct dns_edns edns = own_edns(query, work->rcode);
        dns_build_reserve(&work->b, -DNS_OPT_LEN);
        bool fits = dns_build_edns(&work->b, &edns);
        ASSERT(fits);
    }
    flags |= (uint16_t)(work->rcode & DNS_RCODE_MASK);
    return dns_build_finish(&work->b, query->id, flags);
}

/* ---- records ---- */

static bool put_set(struct work *work, const struct dns_name *owner, const struct rrset *rrset,
                    uint32_t ttl)
{
    struct dns_mark mark = dns_build_mark(&work->b);
    struct rrset_place place = {0};
    struct bytes rdata;
    while (rrset_next(rrset, &place, &rdata)) {
        struct dns_build_record record = {owner, rrset->type, DNS_IN, ttl, rdata};
        if (!dns_build_record(&work->b, &record)) {
            dns_build_back(&work->b, &mark);
            return false;
        }
    }
    return true;
}

/* Into a section that must be whole: when it does not fit, the reply is truncated. */
static void put(struct work *work, const struct dns_name *owner, const struct rrset *rrset)
{
    if (!work->truncated && !put_set(work, owner, rrset, rrset->ttl))
        work->truncated = true;
}

static bool seen(struct work *work, const struct zone_node *node)
{
    for (size_t i = 0; i < work->seen_count; i++)
        if (work->seen[i] == node)
            return true;
    if (work->seen_count == ADDITIONAL_MAX)
        return true;
    work->seen[work->seen_count++] = node;
    return false;
}

/* The addresses of the names that a set points at, as far as they are ours and fit (RFC 1034
 * §4.3.2 step 6). Glue within the delegated zone must not be lost silently (RFC 9471 §2.1). */
static void put_addresses(struct work *work, const struct rrset *rrset,
                          const struct dns_name *cut)
{
    static const uint16_t types[] = {DNS_A, DNS_AAAA};
    struct rrset_place place = {0};
    struct bytes rdata;
    while (place.done < ADDRESS_TARGETS_MAX && rrset_next(rrset, &place, &rdata)) {
        struct dns_name target;
        struct zone_match match;
        if (work->truncated || !dns_rdata_target(rrset->type, rdata, &target))
            return;
        zone_find(work->options->zones, &target, &match);
        if (match.node == NULL || match.node->rrsets == NULL || seen(work, match.node))
            continue;
        for (size_t i = 0; i < ARRAY_LEN(types); i++) {
            const struct rrset *addresses = zone_rrset(match.node, types[i]);
            if (addresses == NULL || put_set(work, &target, addresses, addresses->ttl))
                continue;
            work->truncated = cut != NULL && dns_name_within(&target, cut);
        }
    }
}

/* Whether a name does not exist, or only not with that type, the SOA tells for how long (RFC 2308
 * §3). */
static void put_negative(struct work *work, const struct zone *zone)
{
    const struct rrset *soa = zone_rrset(zone->apex, DNS_SOA);
    dns_build_section(&work->b, DNS_AUTHORITY);
    if (!work->truncated && !put_set(work, &zone->name, soa, zone_negative_ttl(soa)))
        work->truncated = true;
}

/* ---- the steps of the algorithm ---- */

static void put_referral(struct work *work, const struct zone_match *match)
{
    struct dns_name cut;
    const struct rrset *ns = zone_rrset(match->cut, DNS_NS);
    zone_node_name(match->zone, match->cut, &cut);
    dns_build_section(&work->b, DNS_AUTHORITY);
    put(work, &cut, ns);
    dns_build_section(&work->b, DNS_ADDITIONAL);
    put_addresses(work, ns, &cut);
}

/* RFC 8482 §4.1: over datagrams one of the sets will do; a stream proves the client's address, and
 * gets all of them. */
static void put_any(struct work *work, const struct dns_name *owner, const struct zone_node *node)
{
    for (const struct rrset *rrset = node->rrsets; rrset != NULL; rrset = rrset->next) {
        put(work, owner, rrset);
        if (!work->query->path.stream)
            return;
    }
}

/* Goes on at the name that the alias points to. False: the chain ends here. */
static bool follow(struct work *work, const struct dns_name *target)
{
    if (++work->chain_len > ANSWER_CHAIN_MAX) {
        work->rcode = DNS_SERVFAIL; /* a loop, in all likelihood (RFC 1034 §3.6.2) */
        return false;
    }
    work->target = *target;
    return true;
}

/* RFC 6672 §2.2, §3.1: the DNAME, and a CNAME made from it for those who do not know DNAMEs. */
static bool follow_dname(struct work *work, const struct zone_match *match)
{
    const struct rrset *rrset = zone_rrset(match->dname, DNS_DNAME);
    struct dns_name owner;
    struct dns_name name;
    struct dns_name target;
    zone_node_name(match->zone, match->dname, &owner);
    put(work, &owner, rrset);
    if (!dns_rdata_target(DNS_DNAME, rrset_first(rrset), &name))
        return false;
    size_t prefix_len = (size_t)work->target.len - owner.len;
    if (prefix_len + name.len > DNS_NAME_MAX) {
        work->rcode = YXDOMAIN;
        return false;
    }
    memcpy(target.octets, work->target.octets, prefix_len);
    memcpy(target.octets + prefix_len, name.octets, name.len);
    target.len = (uint8_t)(prefix_len + name.len);
    struct dns_build_record cname = {&work->target, DNS_CNAME, DNS_IN, rrset->ttl,
                                     dns_name_bytes(&target)};
    if (!work->truncated && !dns_build_record(&work->b, &cname))
        work->truncated = true;
    return follow(work, &target);
}

/* The node has the name, or is the wildcard that stands for it (RFC 4592 §3.3.1). */
static bool answer_from(struct work *work, const struct zone_match *match,
                        const struct zone_node *node)
{
    uint16_t type = work->query->question.type;
    const struct dns_name *owner = &work->target;
    if (type == DNS_ANY && node->rrsets != NULL) {
        put_any(work, owner, node);
        return false;
    }
    const struct rrset *rrset = zone_rrset(node, type);
    if (rrset != NULL) {
        put(work, owner, rrset);
        if (type == DNS_NS || type == DNS_MX || type == DNS_SRV) {
            dns_build_section(&work->b, DNS_ADDITIONAL);
            put_addresses(work, rrset, NULL);
        }
        return false;
    }
    const struct rrset *cname = zone_rrset(node, DNS_CNAME);
    struct dns_name target;
    if (cname == NULL || !dns_rdata_target(DNS_CNAME, rrset_first(cname), &target)) {
        put_negative(work, match->zone);
        return false;
    }
    put(work, owner, cname);
    return follow(work, &target);
}

/* A DS record is the parent's at a delegation, also where the child is ours as well (RFC 4035
 * §3.1.4.1). */
static void find(const struct work *work, struct zone_match *out)
{
    const struct zone *parent = NULL;
    if (work->query->question.type == DNS_DS)
        parent = zone_set_find(work->options->zones, &work->target, true);
    if (parent != NULL)
        zone_find_in(parent, &work->target, out);
    if (parent == NULL || out->cut != out->node || out->cut == NULL)
        zone_find(work->options->zones, &work->target, out);
}

/* One name of the chain. True: work->target is the next. */
static bool answer_step(struct work *work)
{
    struct zone_match match;
    find(work, &match);
    if (match.zone == NULL) {
        work->elsewhere = true;
        return false;
    }
    bool of_parent = work->query->question.type == DNS_DS && match.cut == match.node;
    if (match.cut != NULL && !of_parent) {
        put_referral(work, &match);
        return false;
    }
    work->authoritative = true; /* AA is about the first name (RFC 1035 §4.1.1) */
    if (match.dname != NULL)
        return follow_dname(work, &match);
    const struct zone_node *node =
        match.node != NULL ? match.node : zone_wildcard(match.zone, match.encloser);
    if (node == NULL) {
        work->rcode = DNS_NXDOMAIN;
        put_negative(work, match.zone);
        return false;
    }
    return answer_from(work, &match, node);
}

static void run(struct work *work, const struct answer_options *options,
                const struct answer_query *query, uint8_t *buffer)
{
    begin(work, options, query, buffer);
    work->target = query->question.name;
    while (answer_step(work))
        continue;
}

/* ---- queries ---- */

/* A reply of a header alone, for what could not be read further. */
static struct bytes bare_reply(const struct answer_options *options,
                               const struct dns_header *header, unsigned rcode, uint8_t *buffer)
{
    struct dns_builder b;
    dns_build_start(&b, buffer, DNS_HEADER_LEN);
    return dns_build_finish(&b, header->id,
                            (uint16_t)(reply_flags(options, header->flags) | rcode));
}

static void keep(const struct dns_summary *summary, const struct answer_path *path,
                 struct answer_query *out)
{
    out->id = summary->header.id;
    out->flags = summary->header.flags;
    out->question = summary->question;
    out->edns = summary->edns.present;
    out->dnssec_ok = summary->edns.dnssec_ok;
    out->path = *path;
    uint16_t limit = DNS_UDP_SIZE_MIN;
    if (out->edns && summary->edns.udp_size > limit)
        limit = summary->edns.udp_size; /* smaller ones count as 512 (RFC 6891 §6.2.5) */
    if (limit > path->size_max)
        limit = path->size_max;
    out->limit = path->stream ? DNS_MESSAGE_MAX : limit;
}

/* The RCODE for what is not answered here at all; NOERROR: go on. */
static unsigned objection(const struct dns_summary *summary)
{
    uint16_t type = summary->question.type;
    if (summary->edns.present && summary->edns.version > DNS_EDNS_VERSION)
        return DNS_BADVERS;
    if (dns_opcode(summary->header.flags) != DNS_OPCODE_QUERY)
        return DNS_NOTIMP;
    if (summary->question.class != DNS_IN)
        return DNS_REFUSED;
    if (type == DNS_AXFR || type == DNS_IXFR)
        return DNS_REFUSED;
    if (type == DNS_ANY || dns_type_is_data(type))
        return DNS_NOERROR;
    return type == DNS_OPT || type == 0 ? DNS_FORMERR : DNS_NOTIMP;
}

void answer(const struct answer_options *options, struct bytes message,
            const struct answer_path *path, uint8_t *buffer, struct answer_result *out)
{
    struct dns_summary summary;
    out->verdict = ANSWER_NOTHING;
    out->malformed = false;
    out->rcode = DNS_NOERROR;
    enum wire_status status = dns_summarise(message, &summary);
    if (status == WIRE_TRUNCATED || (summary.header.flags & DNS_QR) != 0) {
        out->malformed = status == WIRE_TRUNCATED;
        return; /* replying to replies would never end */
    }
    out->verdict = ANSWER_REPLY;
    if (status != WIRE_OK) {
        bool is_query = dns_opcode(summary.header.flags) == DNS_OPCODE_QUERY;
        out->malformed = is_query; /* other operations may give the sections another meaning */
        out->rcode = is_query ? DNS_FORMERR : DNS_NOTIMP;
        out->reply = bare_reply(options, &summary.header, out->rcode, buffer);
        return;
    }
    keep(&summary, path, &out->query);
    out->rcode = objection(&summary);
    if (out->rcode != DNS_NOERROR) {
        out->reply = answer_refuse(options, &out->query, out->rcode, buffer);
        return;
    }
    struct work work;
    run(&work, options, &out->query, buffer);
    if (work.elsewhere) {
        out->verdict = ANSWER_ELSEWHERE;
        out->target = work.target;
        return;
    }
    out->rcode = work.rcode;
    out->reply = end(&work);
}

struct bytes answer_refuse(const struct answer_options *options, const struct answer_query *query,
                           unsigned rcode, uint8_t *buffer)
{
    struct work work;
    begin(&work, options, query, buffer);
    work.rcode = rcode;
    return end(&work);
}

struct bytes answer_partial(const struct answer_options *options, const struct answer_query *query,
                            unsigned rcode, uint8_t *buffer)
{
    struct work work;
    run(&work, options, query, buffer);
    if (work.chain_len == 0)
        work.rcode = rcode;
    return end(&work);
}

/* ---- what others said ---- */

/* True: the record is in the reply, or need not be. */
static bool relay_record(struct work *work, const struct dns_rr *rr, struct bytes upstream,
                         struct writer scratch, bool *malformed)
{
    if (rr->type == DNS_OPT || rr->type == DNS_TSIG)
        return true; /* between them and us only */
    if (dns_rdata_expand(rr->type, upstream, rr->rdata, &scratch) != WIRE_OK) {
        *malformed = true;
        return true;
    }
    struct dns_build_record record = {&rr->owner, rr->type, rr->class, rr->ttl,
                                      writer_bytes(&scratch)};
    dns_build_section(&work->b, rr->section);
    return dns_build_record(&work->b, &record) || rr->section == DNS_ADDITIONAL;
}

/* False: it is not to be believed. What does not fit leaves only the question, and TC. */
static bool relay_records(struct work *work, struct bytes upstream, uint8_t *scratch)
{
    struct dns_cursor cursor;
    struct dns_rr rr;
    struct dns_mark mark = dns_build_mark(&work->b);
    bool malformed = false;
    if (dns_cursor_start(&cursor, upstream) != WIRE_OK)
        return false;
    while (!malformed && dns_cursor_record(&cursor, &rr)) {
        struct writer w = writer_of(scratch, DNS_RDATA_MAX);
        if (!relay_record(work, &rr, upstream, w, &malformed)) {
            dns_build_back(&work->b, &mark);
            work->truncated = true;
            return true;
        }
    }
    return !malformed && !cursor.reader.failed;
}

struct bytes answer_relay(const struct answer_options *options, const struct answer_query *query,
                          struct bytes upstream, uint8_t *scratch, uint8_t *buffer,
                          unsigned *rcode)
{
    struct work work;
    struct dns_summary summary;
    run(&work, options, query, buffer);
    *rcode = DNS_SERVFAIL;
    if (dns_summarise(upstream, &summary) != WIRE_OK || !work.elsewhere)
        return answer_refuse(options, query, DNS_SERVFAIL, buffer);
    if (!work.truncated && !relay_records(&work, upstream, scratch))
        return answer_refuse(options, query, DNS_SERVFAIL, buffer);
    work.rcode = dns_summary_rcode(&summary);
    if (work.rcode > DNS_RCODE_MASK && !query->edns)
        work.rcode = DNS_SERVFAIL; /* no room for it without OPT */
    work.truncated |= (summary.header.flags & DNS_TC) != 0;
    *rcode = work.rcode;
    struct bytes reply = end(&work);
    /* AD is for those who have asked for it (RFC 6840 §5.7), and not for what we put in front. */
    bool wanted = query->dnssec_ok || (query->flags & DNS_AD) != 0;
    if (wanted && work.chain_len == 0 && (summary.header.flags & DNS_AD) != 0)
        buffer[3] |= DNS_AD;
    return reply;
}
