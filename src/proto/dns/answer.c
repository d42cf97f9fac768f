/* SPDX-License-Identifier: ISC */
/*
 * answer.c - queries judged and replies framed: the header, EDNS with its options, which operations
 * and classes there are. What is said is found in answer_zone.c.
 */
#include "proto/dns/answer_internal.h"

#include "wire/dns/dns_option.h"

enum {
    OPTIONS_MAX = 4 + ANSWER_IDENTITY_MAX + 4 + COOKIE_LEN + 4 + 2,
};
_Static_assert(DNS_HEADER_LEN + DNS_NAME_MAX + 4 + DNS_OPT_LEN + OPTIONS_MAX <= DNS_UDP_SIZE_MIN,
               "the question and OPT always fit");
_Static_assert(DNS_HEADER_LEN + DNS_NAME_MAX + 4 + DNS_OPT_LEN + OPTIONS_MAX + 2 * DNS_NAME_MAX +
                       DNS_TSIG_FIXED_LEN + DNS_TSIG_OTHER_LEN <=
                   ANSWER_SIGNED_MAX,
               "and so does a TSIG without a MAC");
_Static_assert(DNS_HEADER_LEN + DNS_NAME_MAX + 4 + DNS_OPT_LEN + OPTIONS_MAX + DNS_NAME_MAX + 32 +
                       DNS_TSIG_FIXED_LEN + TSIG_MAC_MAX + DNS_TSIG_OTHER_LEN <=
                   ANSWER_SIGNED_MAX,
               "or one of ours with it");

/* ---- the frame of a reply ---- */

static struct bytes identity_of(const struct answer_options *options)
{
    return bytes_first(bytes_of_text(options->identity), ANSWER_IDENTITY_MAX);
}

static struct bytes write_options(const struct answer_work *work, uint8_t *buffer)
{
    const struct answer_query *query = work->query;
    struct writer w = writer_of(buffer, OPTIONS_MAX);
    if (query->wants_nsid && work->options->identity != NULL)
        dns_option_write(&w, DNS_OPTION_NSID, identity_of(work->options));
    if (query->has_cookie)
        dns_option_write(&w, DNS_OPTION_COOKIE, bytes_of(query->cookie, COOKIE_LEN));
    if (query->wants_keepalive && query->path.keepalive != 0) {
        write_u16(&w, DNS_OPTION_KEEPALIVE);
        write_u16(&w, 2);
        write_u16(&w, query->path.keepalive);
    }
    ASSERT(!w.failed);
    return writer_bytes(&w);
}

void answer_begin(struct answer_work *work, const struct answer_options *options,
                  const struct answer_query *query, uint8_t *buffer)
{
    uint8_t edns_options[OPTIONS_MAX];
    work->options = options;
    work->query = query;
    work->rcode = DNS_NOERROR;
    work->kind = ANSWER_ERROR;
    work->source = NULL;
    work->authoritative = false;
    work->authentic = false;
    work->truncated = false;
    work->dropped = false;
    work->elsewhere = false;
    work->ede = DNS_EDE_NONE;
    work->until = 0;
    work->chain_len = 0;
    work->seen_count = 0;
    work->proof_count = 0;
    dns_build_start(&work->b, buffer, query->limit);
    bool fits = dns_build_question(&work->b, &query->question);
    ASSERT(fits);
    work->opt_len = query->edns ? DNS_OPT_LEN + write_options(work, edns_options).len : 0;
    work->tsig_len = tsig_room(&query->tsig);
    if (work->tsig_len > 0)
        work->tsig = query->tsig;
    dns_build_reserve(&work->b, (ptrdiff_t)(work->opt_len + work->tsig_len));
    dns_build_section(&work->b, DNS_ANSWER);
}

static uint16_t reply_flags(const struct answer_options *options, uint16_t query_flags)
{
    return (uint16_t)(DNS_QR | (query_flags & (DNS_RD | DNS_CD | DNS_OPCODE_MASK)) |
                      (options->recursion_available ? DNS_RA : 0));
}

/* How much more OPT may hold when it has options of so many octets. */
static size_t opt_room(const struct answer_work *work, size_t options_len)
{
    size_t len = writer_len(&work->b.w) + DNS_OPT_LEN + options_len + work->tsig_len;
    return len < work->query->limit ? work->query->limit - len : 0;
}

/* It is no more than a hint (RFC 8914 §3). */
static void add_ede(const struct answer_work *work, struct writer *options)
{
    if (work->ede == DNS_EDE_NONE ||
        opt_room(work, writer_len(options)) < DNS_OPTION_HEAD_LEN + 2)
        return;
    write_u16(options, DNS_OPTION_EDE);
    write_u16(options, 2);
    write_u16(options, work->ede);
}

/* The last option of a reply that is whole but for its OPT: fills it up to the next multiple, or to what may be
 * sent (RFC 7830 §3, RFC 8467 §4.1). */
static void add_padding(const struct answer_work *work, struct writer *options)
{
    const struct answer_query *query = work->query;
    size_t multiple = query->path.padding;
    size_t room = opt_room(work, writer_len(options));
    if (!query->wants_padding || multiple == 0 || room < DNS_OPTION_HEAD_LEN)
        return;
    room -= DNS_OPTION_HEAD_LEN;
    size_t len = query->limit - room;
    size_t more = (multiple - len % multiple) % multiple;
    write_u16(options, DNS_OPTION_PADDING);
    write_u16(options, (uint16_t)(more < room ? more : room));
    write_zeros(options, more < room ? more : room);
}

static void put_edns(struct answer_work *work)
{
    uint8_t buffer[OPTIONS_MAX + DNS_OPTION_HEAD_LEN + 2 + DNS_OPTION_HEAD_LEN + ANSWER_PADDING_MAX];
    struct writer options = writer_of(buffer, sizeof buffer);
    options.next += write_options(work, buffer).len;
    add_ede(work, &options);
    add_padding(work, &options);
    ASSERT(!options.failed);
    struct dns_edns edns = {
        .present = true,
        .version = DNS_EDNS_VERSION,
        .rcode_high = (uint8_t)(work->rcode >> 4),
        .dnssec_ok = work->query->dnssec_ok,
        .udp_size = work->query->path.size_max,
        .options = writer_bytes(&options),
    };
    dns_build_reserve(&work->b, -(ptrdiff_t)work->opt_len);
    bool fits = dns_build_edns(&work->b, &edns);
    ASSERT(fits);
}

struct bytes answer_end(struct answer_work *work)
{
    const struct answer_query *query = work->query;
    uint16_t flags = reply_flags(work->options, query->flags);
    flags |= (uint16_t)(work->authoritative ? DNS_AA : 0);
    flags |= (uint16_t)(work->truncated ? DNS_TC : 0);
    /* For those who have asked for it (RFC 6840 §5.7), and not for what we put in front. */
    bool wants_ad = query->dnssec_ok || (query->flags & DNS_AD) != 0;
    flags |= (uint16_t)(work->authentic && wants_ad && work->chain_len == 0 ? DNS_AD : 0);
    if (query->edns)
        put_edns(work);
    flags |= (uint16_t)(work->rcode & DNS_RCODE_MASK);
    struct bytes reply = dns_build_finish(&work->b, query->id, flags);
    if (work->tsig_len == 0)
        return reply;
    uint8_t *message = work->b.w.start;
    return bytes_of(message, tsig_sign(&work->tsig, query->path.now, message, reply.len,
                                       reply.len + work->tsig_len));
}

/* A reply of a header alone, for what could not be read further. */
static struct bytes bare_reply(const struct answer_options *options,
                               const struct dns_header *header, unsigned rcode, uint8_t *buffer)
{
    struct dns_builder b;
    dns_build_start(&b, buffer, DNS_HEADER_LEN);
    return dns_build_finish(&b, header->id,
                            (uint16_t)(reply_flags(options, header->flags) | rcode));
}

/* ---- class CHAOS ---- */

static bool is_named(const struct dns_name *name, const char *text)
{
    struct dns_name other;
    return dns_name_parse(bytes_of_text(text), NULL, &other) && dns_name_equal(name, &other);
}

/* RFC 4892 §3, and the older names of the same. */
static const char *chaos_text(const struct answer_options *options, const struct dns_name *name)
{
    if (is_named(name, "version.bind") || is_named(name, "version.server"))
        return options->version;
    if (is_named(name, "id.server") || is_named(name, "hostname.bind"))
        return options->identity;
    return NULL;
}

static void answer_chaos(struct answer_work *work)
{
    const struct dns_question *question = &work->query->question;
    const char *text = chaos_text(work->options, &question->name);
    if (text == NULL) {
        work->rcode = DNS_REFUSED;
        return;
    }
    work->authoritative = true;
    work->kind = ANSWER_DATA;
    if (question->type != DNS_TXT && question->type != DNS_ANY)
        return;
    uint8_t rdata[1 + ANSWER_IDENTITY_MAX];
    struct bytes octets = bytes_first(bytes_of_text(text), ANSWER_IDENTITY_MAX);
    struct writer w = writer_of(rdata, sizeof rdata);
    write_u8(&w, (uint8_t)octets.len);
    write_bytes(&w, octets);
    struct dns_build_record record = {&question->name, DNS_TXT, DNS_CH, 0, writer_bytes(&w)};
    work->truncated = !dns_build_record(&work->b, &record);
}

/* ---- queries ---- */

/* FORMERR or NOERROR. */
static unsigned keep_cookie(const struct answer_options *options, const struct dns_edns *edns,
                            struct answer_query *out)
{
    struct bytes cookie;
    if (options->cookies == NULL || !dns_edns_option(edns, DNS_OPTION_COOKIE, &cookie))
        return DNS_NOERROR;
    enum cookie_verdict verdict = cookie_check(options->cookies, cookie, &out->path.from,
                                               (uint32_t)out->path.now, out->cookie);
    out->has_cookie = verdict != COOKIE_MALFORMED;
    out->proven |= verdict == COOKIE_VALID;
    return verdict != COOKIE_MALFORMED ? DNS_NOERROR : DNS_FORMERR;
}

static unsigned keep(const struct answer_options *options, const struct dns_summary *summary,
                     const struct answer_path *path, struct answer_query *out)
{
    struct bytes ignored;
    const struct dns_edns *edns = &summary->edns;
    out->id = summary->header.id;
    out->flags = summary->header.flags;
    out->question.type = summary->question.type;
    out->question.class = summary->question.class;
    dns_name_copy(&out->question.name, &summary->question.name);
    out->edns = edns->present;
    out->dnssec_ok = edns->dnssec_ok;
    out->proven = path->stream;
    out->has_cookie = false;
    out->wants_nsid = false;
    out->wants_keepalive = false;
    out->wants_padding = false;
    out->tsig.key = NULL;
    out->tsig.error = 0;
    out->path = *path;
    uint16_t limit = DNS_UDP_SIZE_MIN;
    if (out->edns && edns->udp_size > limit)
        limit = edns->udp_size; /* smaller ones count as 512 (RFC 6891 §6.2.5) */
    if (limit > path->size_max)
        limit = path->size_max;
    out->limit = path->stream ? DNS_MESSAGE_MAX : limit;
    if (edns->options.len == 0 || edns->version != DNS_EDNS_VERSION)
        return DNS_NOERROR;
    out->wants_nsid = dns_edns_option(edns, DNS_OPTION_NSID, &ignored);
    /* RFC 7828 §3.2.1: over datagrams it is ignored. */
    out->wants_keepalive = path->stream && dns_edns_option(edns, DNS_OPTION_KEEPALIVE, &ignored);
    out->wants_padding = path->padding != 0 && dns_edns_option(edns, DNS_OPTION_PADDING, &ignored);
    return keep_cookie(options, edns, out);
}

/* The RCODE for what is not answered here at all; NOERROR: go on. */
static unsigned objection(const struct answer_options *options, const struct dns_summary *summary,
                          const struct answer_query *query)
{
    uint16_t type = query->question.type;
    uint16_t class = query->question.class;
    if (query->edns && summary->edns.version > DNS_EDNS_VERSION)
        return DNS_BADVERS;
    if (dns_opcode(query->flags) != DNS_OPCODE_QUERY)
        return DNS_NOTIMP;
    if (options->cookies_required && query->edns && query->has_cookie && !query->proven)
        return DNS_BADCOOKIE; /* RFC 7873 §5.2.3 */
    if (class != DNS_IN && class != DNS_CH)
        return DNS_REFUSED;
    if (type == DNS_AXFR || type == DNS_IXFR)
        return DNS_REFUSED;
    if (type == DNS_ANY || dns_type_is_data(type))
        return DNS_NOERROR;
    return type == DNS_OPT || type == 0 ? DNS_FORMERR : DNS_NOTIMP;
}

/* ---- signed queries ---- */

/* Whatever comes back must have room for what is told in any case. */
static void make_room(struct answer_query *query)
{
    size_t needed = DNS_HEADER_LEN + query->question.name.len + 4 +
                    (query->edns ? DNS_OPT_LEN + (size_t)OPTIONS_MAX : 0) + tsig_room(&query->tsig);
    if (query->limit < needed)
        query->limit = (uint16_t)needed;
}

/* Who cannot be believed is told so, and why (RFC 8945 §5.3.2). */
static void refuse_signature(struct answer_work *work, const struct dns_tsig *record,
                             uint16_t error, struct answer_result *out)
{
    work->rcode = out->rcode = DNS_NOTAUTH;
    struct bytes reply = answer_end(work);
    uint8_t *message = work->b.w.start;
    out->reply = bytes_of(message,
                          tsig_refuse(record, error, message, reply.len, ANSWER_SIGNED_MAX));
}

/* RFC 8945 §5.2. True: the reply is made. */
static bool check_signature(const struct answer_options *options, struct bytes message,
                            const struct dns_summary *summary, uint8_t *buffer,
                            struct answer_result *out)
{
    struct dns_tsig record;
    struct answer_work work;
    struct answer_query *query = &out->query;
    enum tsig_verdict verdict = tsig_check(options->keys, message, summary->tsig_at,
                                           query->path.now, &query->tsig, &record);
    make_room(query);
    query->proven |= verdict == TSIG_RIGHT;
    if (verdict == TSIG_RIGHT)
        return false;
    out->malformed = verdict == TSIG_MALFORMED;
    answer_begin(&work, options, query, buffer);
    if (verdict == TSIG_REFUSED && query->tsig.key == NULL) {
        refuse_signature(&work, &record, query->tsig.error, out);
        return true;
    }
    work.rcode = out->rcode = verdict == TSIG_MALFORMED ? DNS_FORMERR : DNS_NOTAUTH;
    out->reply = answer_end(&work);
    return true;
}

/* RFC 7873 §5.4: a query without a question asks for a cookie. */
static bool asks_for_cookie(struct bytes message, struct dns_summary *summary)
{
    struct dns_cursor cursor;
    struct dns_rr rr;
    struct bytes cookie;
    if (dns_cursor_start(&cursor, message) != WIRE_OK || cursor.header.counts[DNS_QUESTION] != 0 ||
        dns_opcode(cursor.header.flags) != DNS_OPCODE_QUERY)
        return false;
    summary->edns = (struct dns_edns){.options = bytes_empty()};
    while (dns_cursor_record(&cursor, &rr))
        if (rr.type == DNS_OPT &&
            (summary->edns.present || dns_edns_decode(&rr, &summary->edns) != WIRE_OK))
            return false;
    return !cursor.reader.failed && dns_edns_option(&summary->edns, DNS_OPTION_COOKIE, &cookie);
}

static void reply_with_cookie(const struct answer_options *options, uint8_t *buffer,
                              struct answer_result *out)
{
    struct answer_work work = {.options = options, .query = &out->query, .rcode = out->rcode,
                               .ede = DNS_EDE_NONE};
    dns_build_start(&work.b, buffer, out->query.limit);
    out->reply = answer_end(&work);
}

static void judge_odd(const struct answer_options *options, struct bytes message,
                      const struct answer_path *path, struct dns_summary *summary, uint8_t *buffer,
                      struct answer_result *out)
{
    unsigned opcode = dns_opcode(summary->header.flags);
    bool known = opcode == DNS_OPCODE_QUERY || opcode == DNS_OPCODE_UPDATE ||
                 opcode == DNS_OPCODE_NOTIFY;
    out->query.flags = summary->header.flags;
    out->verdict = ANSWER_REPLY;
    if (options->cookies != NULL && asks_for_cookie(message, summary)) {
        summary->question = (struct dns_question){.class = DNS_IN};
        dns_name_root(&summary->question.name);
        out->rcode = keep(options, summary, path, &out->query);
        reply_with_cookie(options, buffer, out);
        return;
    }
    out->malformed = known; /* other operations may give the sections another meaning */
    out->rcode = known ? DNS_FORMERR : DNS_NOTIMP;
    out->reply = bare_reply(options, &summary->header, out->rcode, buffer);
}

/* RFC 8914 §4.19. */
static void refuse_client(struct answer_work *work)
{
    work->rcode = DNS_REFUSED;
    work->ede = DNS_EDE_PROHIBITED;
}

void answer(const struct answer_options *options, struct bytes message,
            const struct answer_path *path, uint8_t *buffer, struct answer_result *out)
{
    struct dns_summary summary;
    struct answer_work *work = &out->work;
    out->verdict = ANSWER_NOTHING;
    out->kind = ANSWER_ERROR;
    out->malformed = false;
    out->dropped = false;
    out->rcode = DNS_NOERROR;
    out->source = NULL;
    out->query.flags = 0; /* until more is known */
    out->query.question.type = 0;
    out->query.tsig.key = NULL;
    out->query.tsig.error = 0;
    out->query.proven = path->stream;
    out->query.path.stream = path->stream;
    out->query.path.from = path->from;
    enum wire_status status = dns_summarise(message, &summary);
    if (status == WIRE_TRUNCATED || (summary.header.flags & DNS_QR) != 0)
        return;
    if (status != WIRE_OK) {
        judge_odd(options, message, path, &summary, buffer, out);
        return;
    }
    out->verdict = ANSWER_REPLY;
    unsigned rcode = keep(options, &summary, path, &out->query);
    if (summary.tsig_at != 0 && options->keys != NULL &&
        check_signature(options, message, &summary, buffer, out))
        return;
    out->malformed = rcode == DNS_FORMERR;
    const struct answer_options *chosen = options;
    if (options->choose != NULL)
        chosen = options->choose(options->self, &out->query);
    answer_begin(work, chosen != NULL ? chosen : options, &out->query, buffer);
    work->rcode = rcode != DNS_NOERROR ? rcode : objection(options, &summary, &out->query);
    if (work->rcode == DNS_NOERROR && chosen == NULL)
        refuse_client(work);
    if (work->rcode == DNS_NOERROR && out->query.question.class == DNS_CH)
        answer_chaos(work);
    else if (work->rcode == DNS_NOERROR)
        answer_run(work);
    if (work->elsewhere) {
        out->verdict = ANSWER_ELSEWHERE;
        return;
    }
    out->rcode = work->rcode;
    out->kind = work->kind;
    out->source = work->source;
    out->reply = answer_end(work);
}

struct bytes answer_refuse(const struct answer_options *options, const struct answer_query *query,
                           unsigned rcode, uint8_t *buffer)
{
    struct answer_work work;
    answer_begin(&work, options, query, buffer);
    work.rcode = rcode;
    return answer_end(&work);
}

struct bytes answer_truncated(const struct answer_options *options,
                              const struct answer_query *query, uint8_t *buffer)
{
    struct answer_work work;
    answer_begin(&work, options, query, buffer);
    work.truncated = true;
    return answer_end(&work);
}

bool answer_resume(struct answer_work *work, const struct answer_options *options,
                   const struct answer_query *query, const struct dns_name *target, uint8_t *buffer)
{
    answer_begin(work, options, query, buffer);
    if (dns_name_equal(target, &query->question.name)) {
        dns_name_copy(&work->target, &query->question.name);
        return true;
    }
    answer_run(work);
    if (work->elsewhere && dns_name_equal(&work->target, target))
        return true;
    if (work->elsewhere)
        work->rcode = DNS_SERVFAIL; /* who asks again will be told */
    return false;
}

struct bytes answer_partial(struct answer_work *work, unsigned rcode)
{
    if (work->chain_len == 0)
        work->rcode = rcode;
    else
        answer_put_proofs(work);
    return answer_end(work);
}
