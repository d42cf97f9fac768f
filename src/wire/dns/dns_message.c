/* SPDX-License-Identifier: ISC */
/*
 * dns_message.c - reading messages (RFC 1035 §4.1) and the OPT record (RFC 6891 §6.1). The builder
 * is in dns_build.c.
 */
#include "wire/dns/dns_message.h"

const char *dns_rcode_text(unsigned rcode)
{
    static const char *const names[] = {
        [DNS_NOERROR] = "NOERROR",   [DNS_FORMERR] = "FORMERR", [DNS_SERVFAIL] = "SERVFAIL",
        [DNS_NXDOMAIN] = "NXDOMAIN", [DNS_NOTIMP] = "NOTIMP",   [DNS_REFUSED] = "REFUSED",
        [DNS_NOTAUTH] = "NOTAUTH",   [DNS_BADVERS] = "BADVERS", [DNS_YXDOMAIN] = "YXDOMAIN",
        [DNS_BADCOOKIE] = "BADCOOKIE", [DNS_YXRRSET] = "YXRRSET", [DNS_NXRRSET] = "NXRRSET",
        [DNS_NOTZONE] = "NOTZONE",
    };
    return rcode < ARRAY_LEN(names) && names[rcode] != NULL ? names[rcode] : "RCODE";
}

enum wire_status dns_cursor_start(struct dns_cursor *cursor, struct bytes message)
{
    struct reader r = reader_of(message);
    struct dns_header header;
    header.id = read_u16(&r);
    header.flags = read_u16(&r);
    for (size_t i = 0; i < DNS_SECTION_COUNT; i++)
        header.counts[i] = read_u16(&r);
    if (r.failed)
        return WIRE_TRUNCATED;
    cursor->message = message;
    cursor->reader = r;
    cursor->header = header;
    cursor->section = DNS_QUESTION;
    cursor->left = header.counts[DNS_QUESTION];
    return WIRE_OK;
}

bool dns_cursor_question(struct dns_cursor *cursor, struct dns_question *out)
{
    if (cursor->section != DNS_QUESTION || cursor->left == 0)
        return false;
    cursor->left--;
    dns_name_read(&cursor->reader, cursor->message, &out->name);
    out->type = read_u16(&cursor->reader);
    out->class = read_u16(&cursor->reader);
    return !cursor->reader.failed;
}

static void skip_questions(struct dns_cursor *cursor)
{
    while (cursor->left > 0 && !cursor->reader.failed) {
        cursor->left--;
        dns_name_skip(&cursor->reader);
        read_skip(&cursor->reader, 4);
    }
}

bool dns_cursor_record(struct dns_cursor *cursor, struct dns_rr *out)
{
    struct reader *r = &cursor->reader;
    if (cursor->section == DNS_QUESTION)
        skip_questions(cursor);
    while (cursor->left == 0 && cursor->section != DNS_ADDITIONAL) {
        cursor->section++;
        cursor->left = cursor->header.counts[cursor->section];
    }
    if (cursor->left == 0 || r->failed)
        return false;
    cursor->left--;
    out->at = (size_t)(r->next - cursor->message.data);
    out->section = cursor->section;
    dns_name_read(r, cursor->message, &out->owner);
    out->type = read_u16(r);
    out->class = read_u16(r);
    out->ttl = read_u32(r);
    uint16_t len = read_u16(r);
    out->rdata = read_bytes(r, len);
    return !r->failed;
}

/* ---- EDNS(0) ---- */

enum wire_status dns_edns_decode(const struct dns_rr *rr, struct dns_edns *out)
{
    if (rr->type != DNS_OPT || rr->section != DNS_ADDITIONAL || !dns_name_is_root(&rr->owner))
        return WIRE_MALFORMED;
    struct reader r = reader_of(rr->rdata);
    while (reader_left(&r) > 0 && !r.failed) {
        read_skip(&r, 2);
        read_skip(&r, read_u16(&r));
    }
    if (r.failed)
        return WIRE_MALFORMED;
    *out = (struct dns_edns){
        .present = true,
        .rcode_high = (uint8_t)(rr->ttl >> 24),
        .version = (uint8_t)(rr->ttl >> 16),
        .dnssec_ok = (rr->ttl & DNS_EDNS_DO) != 0,
        .udp_size = rr->class,
        .options = rr->rdata,
    };
    return WIRE_OK;
}

bool dns_edns_option(const struct dns_edns *edns, uint16_t code, struct bytes *out)
{
    if (!edns->present)
        return false;
    struct reader r = reader_of(edns->options);
    while (reader_left(&r) > 0) {
        uint16_t found = read_u16(&r);
        uint16_t len = read_u16(&r);
        struct bytes value = read_bytes(&r, len);
        if (r.failed)
            return false;
        if (found == code) {
            *out = value;
            return true;
        }
    }
    return false;
}

static enum wire_status summarise(struct bytes message, bool may_lack_question,
                                  struct dns_summary *out)
{
    struct dns_cursor cursor;
    enum wire_status status = dns_cursor_start(&cursor, message);
    if (status != WIRE_OK)
        return status;
    out->header = cursor.header;
    out->edns = (struct dns_edns){.options = bytes_empty()};
    out->tsig_at = 0;
    if (cursor.header.counts[DNS_QUESTION] == 0 && may_lack_question) {
        out->question.type = out->question.class = 0;
        dns_name_root(&out->question.name);
    } else if (cursor.header.counts[DNS_QUESTION] != 1 ||
               !dns_cursor_question(&cursor, &out->question)) {
        return WIRE_MALFORMED;
    }
    out->question_end = (size_t)(cursor.reader.next - message.data);

    struct dns_rr rr;
    while (dns_cursor_record(&cursor, &rr)) {
        if (out->tsig_at != 0)
            return WIRE_MALFORMED;
        if (rr.type == DNS_TSIG) {
            if (rr.section != DNS_ADDITIONAL)
                return WIRE_MALFORMED;
            out->tsig_at = rr.at;
        }
        if (rr.type != DNS_OPT)
            continue;
        if (out->edns.present || dns_edns_decode(&rr, &out->edns) != WIRE_OK)
            return WIRE_MALFORMED;
    }
    return cursor.reader.failed ? WIRE_MALFORMED : WIRE_OK;
}

enum wire_status dns_summarise(struct bytes message, struct dns_summary *out)
{
    return summarise(message, false, out);
}

enum wire_status dns_summarise_further(struct bytes message, struct dns_summary *out)
{
    return summarise(message, true, out);
}

unsigned dns_summary_rcode(const struct dns_summary *summary)
{
    return (unsigned)summary->edns.rcode_high << 4 | (summary->header.flags & DNS_RCODE_MASK);
}
