/* SPDX-License-Identifier: ISC */
/* lookup_print.c - replies as text, in the layout that dig(1) has made everybody used to. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/calendar.h"
#include "base/encoding.h"
#include "cli/lookup.h"

const char *lookup_rcode_text(unsigned rcode, char out[16])
{
    const char *name = dns_rcode_text(rcode);
    if (strcmp(name, "RCODE") != 0)
        return name;
    struct text t = text_of(out, 16);
    text_add_format(&t, "RCODE%u", rcode);
    return out;
}

static const char *class_text(uint16_t class, char out[16])
{
    switch (class) {
    case DNS_IN:
        return "IN";
    case DNS_CH:
        return "CH";
    case DNS_HS:
        return "HS";
    case DNS_CLASS_NONE:
        return "NONE";
    case DNS_CLASS_ANY:
        return "ANY";
    default:
        break;
    }
    struct text t = text_of(out, 16);
    text_add_format(&t, "CLASS%u", (unsigned)class);
    return out;
}

void lookup_format_rdata(struct lookup *l, const struct lookup_reply *reply,
                         const struct dns_rr *rr, struct text *out)
{
    struct writer w = writer_of(l->rdata, sizeof l->rdata);
    if (dns_rdata_expand(rr->type, reply->message, rr->rdata, &w) == WIRE_OK && !w.failed) {
        dns_rdata_format(rr->type, writer_bytes(&w), out);
        return;
    }
    text_add_format(out, "\\# %zu ", rr->rdata.len);
    encoding_format(ENCODING_BASE16, rr->rdata, out);
}

static void print_record(struct lookup *l, const struct lookup_reply *reply,
                         const struct dns_rr *rr)
{
    char name[DNS_NAME_TEXT_MAX], type[DNS_TYPE_TEXT_MAX], class[16];
    struct text line = text_of(l->line, sizeof l->line);
    dns_name_format(&rr->owner, name);
    size_t len = strlen(name);
    text_add(&line, name);
    text_add(&line, len < 8 ? "\t\t\t" : len < 16 ? "\t\t" : "\t"); /* columns of tabs */
    text_add_format(&line, "%lu\t%s\t%s\t", (unsigned long)rr->ttl, class_text(rr->class, class),
                    dns_type_format(rr->type, type));
    lookup_format_rdata(l, reply, rr, &line);
    puts(l->line);
}

void lookup_print_section(struct lookup *l, const struct lookup_reply *reply,
                          enum dns_section section)
{
    struct dns_cursor cursor;
    struct dns_rr rr;
    if (dns_cursor_start(&cursor, reply->message) != WIRE_OK)
        return;
    while (dns_cursor_record(&cursor, &rr))
        if (rr.section == section && rr.type != DNS_OPT && rr.type != DNS_TSIG)
            print_record(l, reply, &rr);
}

void lookup_print_short(struct lookup *l, const struct lookup_reply *reply)
{
    struct dns_cursor cursor;
    struct dns_rr rr;
    if (dns_cursor_start(&cursor, reply->message) != WIRE_OK)
        return;
    while (dns_cursor_record(&cursor, &rr)) {
        if (rr.section != DNS_ANSWER)
            continue;
        struct text line = text_of(l->line, sizeof l->line);
        lookup_format_rdata(l, reply, &rr, &line);
        puts(l->line);
    }
}

/* ---- the header, and EDNS ---- */

static void print_header(const struct lookup_reply *reply)
{
    static const struct {
        uint16_t bit;
        const char *name;
    } flags[] = {{DNS_QR, "qr"}, {DNS_AA, "aa"}, {DNS_TC, "tc"}, {DNS_RD, "rd"},
                 {DNS_RA, "ra"}, {DNS_AD, "ad"}, {DNS_CD, "cd"}};
    static const char *const opcodes[] = {"QUERY", "IQUERY", "STATUS", "RESERVED3", "NOTIFY",
                                          "UPDATE"};
    const struct dns_header *h = &reply->summary.header;
    char rcode[16];
    unsigned opcode = dns_opcode(h->flags);
    printf(";; ->>HEADER<<- opcode: %s, status: %s, id: %u\n;; flags:",
           opcode < ARRAY_LEN(opcodes) ? opcodes[opcode] : "RESERVED",
           lookup_rcode_text(dns_summary_rcode(&reply->summary), rcode), (unsigned)h->id);
    for (size_t i = 0; i < ARRAY_LEN(flags); i++)
        if ((h->flags & flags[i].bit) != 0)
            printf(" %s", flags[i].name);
    printf("; QUERY: %u, ANSWER: %u, AUTHORITY: %u, ADDITIONAL: %u\n",
           (unsigned)h->counts[DNS_QUESTION], (unsigned)h->counts[DNS_ANSWER],
           (unsigned)h->counts[DNS_AUTHORITY], (unsigned)h->counts[DNS_ADDITIONAL]);
}

/* What a server wrote, for a terminal: what is not plain ASCII as dots. */
static void print_harmless(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        putchar(text.data[i] >= 0x20 && text.data[i] < 0x7f ? text.data[i] : '.');
}

static void print_hex(struct bytes octets, const char *between)
{
    for (size_t i = 0; i < octets.len; i++)
        printf("%s%02x", i > 0 ? between : "", octets.data[i]);
}

static void print_option(uint16_t code, struct bytes value)
{
    struct reader r = reader_of(value);
    switch (code) {
    case DNS_OPTION_NSID:
        printf("; NSID: ");
        print_hex(value, " ");
        printf(" (\"");
        print_harmless(value);
        printf("\")\n");
        return;
    case DNS_OPTION_COOKIE:
        printf("; COOKIE: ");
        print_hex(value, "");
        printf("%s\n", value.len > DNS_COOKIE_CLIENT_LEN ? " (good)" : "");
        return;
    case DNS_OPTION_EDE: {
        unsigned info = read_u16(&r);
        printf("; EDE: %u (%s)", info, dns_ede_text(info));
        struct bytes extra = read_rest(&r);
        if (extra.len > 0) {
            printf(": (");
            print_harmless(extra);
            printf(")");
        }
        printf("\n");
        return;
    }
    default:
        printf("; OPT=%u: ", (unsigned)code);
        print_hex(value, " ");
        printf("\n");
    }
}

static void print_edns(const struct dns_edns *edns)
{
    printf(";; OPT PSEUDOSECTION:\n; EDNS: version: %u, flags:%s; udp: %u\n",
           (unsigned)edns->version, edns->dnssec_ok ? " do" : "", (unsigned)edns->udp_size);
    struct reader r = reader_of(edns->options);
    while (reader_left(&r) > 0) {
        uint16_t code = read_u16(&r);
        uint16_t len = read_u16(&r);
        struct bytes value = read_bytes(&r, len);
        if (r.failed)
            return;
        print_option(code, value);
    }
}

static void print_question(const struct dns_question *q)
{
    char name[DNS_NAME_TEXT_MAX], type[DNS_TYPE_TEXT_MAX], class[16];
    dns_name_format(&q->name, name);
    size_t len = strlen(name);
    printf(";%s%s%s\t%s\n", name, len < 7 ? "\t\t\t" : len < 15 ? "\t\t" : "\t",
           class_text(q->class, class), dns_type_format(q->type, type));
}

/* RFC 8945 §4.2, as dig shows it. */
static void print_tsig(struct lookup *l, const struct lookup_reply *reply)
{
    struct dns_tsig tsig;
    char key[DNS_NAME_TEXT_MAX], algorithm[DNS_NAME_TEXT_MAX];
    if (dns_tsig_decode(reply->message, reply->summary.tsig_at, &tsig) != WIRE_OK)
        return;
    struct text mac = text_of(l->line, sizeof l->line);
    encoding_format(ENCODING_BASE64, tsig.mac, &mac);
    printf(";; TSIG PSEUDOSECTION:\n%s\t0\tANY\tTSIG\t%s %llu %u %zu %s%s%u %s %zu\n\n",
           dns_name_format(&tsig.key, key), dns_name_format(&tsig.algorithm, algorithm),
           (unsigned long long)tsig.time_signed, (unsigned)tsig.fudge, tsig.mac.len, l->line,
           tsig.mac.len > 0 ? " " : "", (unsigned)tsig.original_id,
           dns_tsig_error_text(tsig.error), tsig.other.len);
}

void lookup_print_wrong(const struct lookup *l, const struct lookup_reply *reply)
{
    const char *why = reply->tsig_error != 0 ? dns_tsig_error_text(reply->tsig_error)
                                             : "there is none, or none that could be checked";
    if (!reply->wrong)
        return;
    if (l->json || l->short_form)
        cli_fail(l->command, 0, "the signature is not right: %s", why);
    else
        printf(";; WARNING: the signature is not right: %s\n", why);
}

/* ---- the whole ---- */

static void print_records(struct lookup *l, const struct lookup_reply *reply,
                          enum dns_section section, bool wanted, const char *title)
{
    unsigned count = reply->summary.header.counts[section];
    if (section == DNS_ADDITIONAL && reply->summary.edns.present && count > 0)
        count--;
    if (section == DNS_ADDITIONAL && reply->summary.tsig_at != 0 && count > 0)
        count--;
    if (!wanted || count == 0)
        return;
    if (l->show.comments)
        printf(";; %s SECTION:\n", title);
    lookup_print_section(l, reply, section);
    printf("\n");
}

static const char *weekday(unsigned day)
{
    static const char names[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    return names[day % 7];
}

static const char *month_name(unsigned month)
{
    static const char names[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    return names[(month - 1) % 12];
}

void lookup_print_stats(struct lookup *l, const struct lookup_reply *reply, size_t octets)
{
    char address[ADDRESS_TEXT_MAX];
    if (!l->show.stats)
        return;
    struct calendar c = calendar_of(reply->wall_seconds);
    address_format(&reply->server.address, address);
    printf(";; Query time: %lld msec\n", (long long)(reply->taken / USEC_PER_MSEC));
    printf(";; SERVER: %s#%u(%s) (%s)\n", address, (unsigned)reply->server.port, address,
           reply->transport);
    if (l->secure.facts[0] != '\0')
        printf(";; TLS: %s\n", l->secure.facts);
    printf(";; WHEN: %s %s %02u %02u:%02u:%02u UTC %lld\n", weekday(c.weekday),
           month_name(c.month), c.day, c.hour, c.minute, c.second, (long long)c.year);
    printf(";; MSG SIZE  rcvd: %zu\n\n", octets);
}

void lookup_print_message(struct lookup *l, const struct lookup_reply *reply)
{
    if (l->show.comments) {
        printf(";; Got answer:\n");
        print_header(reply);
        bool wanted = (reply->summary.header.flags & DNS_RD) != 0;
        if (wanted && (reply->summary.header.flags & DNS_RA) == 0)
            printf(";; WARNING: recursion requested but not available\n");
        printf("\n");
        if (reply->summary.edns.present)
            print_edns(&reply->summary.edns);
    }
    if (l->show.question && reply->summary.header.counts[DNS_QUESTION] > 0) {
        if (l->show.comments)
            printf(";; QUESTION SECTION:\n");
        print_question(&reply->summary.question);
        printf("\n");
    }
    print_records(l, reply, DNS_ANSWER, l->show.answer, "ANSWER");
    print_records(l, reply, DNS_AUTHORITY, l->show.authority, "AUTHORITY");
    print_records(l, reply, DNS_ADDITIONAL, l->show.additional, "ADDITIONAL");
    if (reply->summary.tsig_at != 0 && l->show.additional)
        print_tsig(l, reply);
    lookup_print_stats(l, reply, reply->message.len);
}
