/* SPDX-License-Identifier: ISC */
/* lookup_transfer.c - zone transfers: a reply of many messages, and where it ends. */
#include <stdio.h>

#include "cli/lookup.h"

/* A transfer ends with the SOA that it began with (RFC 5936 §2.2; RFC 1995 §4: in a list of
 * differences that serial is also where the last one begins). */
struct transfer {
    struct lookup *lookup;
    unsigned serial_seen; /* records that were the SOA of the new serial */
    uint32_t serial;
    bool incremental;
    bool failed;
    size_t records, messages, octets;
    struct lookup_reply last;
};

static bool soa_serial(struct lookup *l, const struct lookup_reply *reply, const struct dns_rr *rr,
                       uint32_t *out)
{
    struct writer w = writer_of(l->rdata, sizeof l->rdata);
    if (dns_rdata_expand(DNS_SOA, reply->message, rr->rdata, &w) != WIRE_OK || writer_len(&w) < 20)
        return false;
    struct reader r = reader_of(bytes_after(writer_bytes(&w), writer_len(&w) - 20));
    *out = read_u32(&r);
    return true;
}

/* True: that was the end of it. */
static bool count_soa(struct transfer *t, const struct lookup_reply *reply,
                      const struct dns_rr *rr)
{
    uint32_t serial;
    if (rr->type != DNS_SOA || !soa_serial(t->lookup, reply, rr, &serial))
        return false;
    if (t->records == 0)
        t->serial = serial;
    if (t->records == 1)
        t->incremental = serial != t->serial;
    t->serial_seen += serial == t->serial;
    return t->serial_seen == (t->incremental ? 3 : 2);
}

static bool take_transfer(void *self, const struct lookup_reply *reply)
{
    struct transfer *t = self;
    struct dns_cursor cursor;
    struct dns_rr rr;
    bool ended = false;
    t->messages++;
    t->octets += reply->message.len;
    t->last = *reply;
    t->failed = dns_summary_rcode(&reply->summary) != DNS_NOERROR || reply->wrong ||
                dns_cursor_start(&cursor, reply->message) != WIRE_OK;
    if (t->failed)
        return false;
    if (t->lookup->json)
        lookup_print_json(t->lookup, reply);
    else if (t->lookup->short_form)
        lookup_print_short(t->lookup, reply);
    else
        lookup_print_section(t->lookup, reply, DNS_ANSWER);
    while (!ended && dns_cursor_record(&cursor, &rr) && rr.section == DNS_ANSWER) {
        ended = count_soa(t, reply, &rr);
        t->failed |= t->records == 0 && rr.type != DNS_SOA;
        t->records++;
    }
    /* The one SOA is all there is for who has that serial number already. */
    bool current = reply->summary.question.type == DNS_IXFR && t->records == 1;
    return !ended && !current && !t->failed && t->records > 0;
}

enum lookup_status lookup_transfer(struct lookup *l, const struct lookup_ask *how)
{
    struct transfer t = {.lookup = l};
    struct lookup_ask ask = *how;
    ask.stream = true;
    ask.many = true;
    ask.take = take_transfer;
    ask.self = &t;
    struct lookup_reply reply;
    int status = lookup_exchange(l, &ask, &reply);
    if (status != 0) {
        lookup_complain(l, &ask.server, status);
        return t.messages == 0 ? LOOKUP_SILENCE : LOOKUP_REFUSED;
    }
    if (reply.wrong) {
        lookup_print_wrong(l, &reply);
        return LOOKUP_REFUSED;
    }
    if (t.failed || t.records == 0) {
        char rcode[16];
        const char *why = lookup_rcode_text(dns_summary_rcode(&t.last.summary), rcode);
        if (l->json)
            lookup_print_json(l, &t.last);
        else
            printf("; Transfer failed: %s\n", why);
        return LOOKUP_REFUSED;
    }
    if (!l->json && !l->short_form && l->show.stats) {
        lookup_print_stats(l, &t.last, t.octets);
        printf(";; XFR size: %zu records (messages %zu)\n\n", t.records, t.messages);
    }
    return LOOKUP_FOUND;
}

