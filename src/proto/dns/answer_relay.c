/* SPDX-License-Identifier: ISC */
/* answer_relay.c - what others have said, behind what our own zones say. */
#include "proto/dns/answer_internal.h"

/* True: the record is in the reply, or need not be. */
static bool relay_record(struct answer_work *work, const struct dns_rr *rr, struct bytes upstream,
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
static bool relay_records(struct answer_work *work, struct bytes upstream, uint8_t *scratch)
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
    struct answer_work work;
    struct dns_summary summary;
    answer_begin(&work, options, query, buffer);
    answer_run(&work);
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
    /* AD is for those who have asked for it (RFC 6840 §5.7), and not for what we put in front. */
    bool wanted = query->dnssec_ok || (query->flags & DNS_AD) != 0;
    work.authentic = wanted && work.chain_len == 0 && (summary.header.flags & DNS_AD) != 0;
    return answer_end(&work);
}
