/* SPDX-License-Identifier: ISC */
/*
 * lookup_json.c - replies as JSON (RFC 8427): an object for each message, each on a line of its own,
 * so that a stream of them can be read line by line.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/calendar.h"
#include "base/encoding.h"
#include "cli/lookup.h"

/* Names and RDATA are ASCII: other octets are escaped in presentation format. */
static void put_name(json_t *object, const char *key, const struct dns_name *name)
{
    char text[DNS_NAME_TEXT_MAX];
    json_object_set_new(object, key, json_string(dns_name_format(name, text)));
}

static void put_type(json_t *object, const char *number_key, const char *name_key, uint16_t type)
{
    char text[DNS_TYPE_TEXT_MAX];
    json_object_set_new(object, number_key, json_integer(type));
    json_object_set_new(object, name_key, json_string(dns_type_format(type, text)));
}

static void put_hex(struct lookup *l, json_t *object, const char *key, struct bytes octets)
{
    struct text t = text_of(l->line, sizeof l->line);
    encoding_format(ENCODING_BASE16, octets, &t);
    json_object_set_new(object, key, json_stringn(l->line, t.len));
}

static json_t *record(struct lookup *l, const struct lookup_reply *reply, const struct dns_rr *rr)
{
    char key[8 + DNS_TYPE_TEXT_MAX], type[DNS_TYPE_TEXT_MAX];
    json_t *object = json_object();
    put_name(object, "NAME", &rr->owner);
    put_type(object, "TYPE", "TYPEname", rr->type);
    json_object_set_new(object, "CLASS", json_integer(rr->class));
    if (rr->class == DNS_IN)
        json_object_set_new(object, "CLASSname", json_string("IN"));
    json_object_set_new(object, "TTL", json_integer(rr->ttl));
    json_object_set_new(object, "RDLENGTH", json_integer((json_int_t)rr->rdata.len));
    if (rr->type == DNS_OPT) {
        put_hex(l, object, "RDATAHEX", rr->rdata);
        return object;
    }
    struct text t = text_of(l->line, sizeof l->line);
    lookup_format_rdata(l, reply, rr, &t);
    snprintf(key, sizeof key, "rdata%s", dns_type_format(rr->type, type));
    json_object_set_new(object, key, json_stringn(l->line, t.len));
    return object;
}

static void put_sections(struct lookup *l, json_t *object, const struct lookup_reply *reply)
{
    static const char *const keys[] = {[DNS_ANSWER] = "answerRRs",
                                       [DNS_AUTHORITY] = "authorityRRs",
                                       [DNS_ADDITIONAL] = "additionalRRs"};
    struct dns_cursor cursor;
    struct dns_rr rr;
    if (dns_cursor_start(&cursor, reply->message) != WIRE_OK)
        return;
    json_t *list = NULL;
    enum dns_section section = DNS_QUESTION;
    while (dns_cursor_record(&cursor, &rr)) {
        if (rr.section != section) {
            section = rr.section;
            list = json_array();
            json_object_set_new(object, keys[section], list);
        }
        json_array_append_new(list, record(l, reply, &rr));
    }
}

static void put_header(json_t *object, const struct lookup_reply *reply)
{
    static const struct {
        const char *key;
        uint16_t bit;
    } flags[] = {{"QR", DNS_QR}, {"AA", DNS_AA}, {"TC", DNS_TC}, {"RD", DNS_RD},
                 {"RA", DNS_RA}, {"AD", DNS_AD}, {"CD", DNS_CD}};
    static const char *const counts[DNS_SECTION_COUNT] = {"QDCOUNT", "ANCOUNT", "NSCOUNT",
                                                          "ARCOUNT"};
    const struct dns_header *h = &reply->summary.header;
    unsigned rcode = dns_summary_rcode(&reply->summary);
    char text[16];
    json_object_set_new(object, "ID", json_integer(h->id));
    json_object_set_new(object, "Opcode", json_integer(dns_opcode(h->flags)));
    for (size_t i = 0; i < ARRAY_LEN(flags); i++)
        json_object_set_new(object, flags[i].key, json_integer((h->flags & flags[i].bit) != 0));
    json_object_set_new(object, "RCODE", json_integer(rcode));
    json_object_set_new(object, "RCODEname", json_string(lookup_rcode_text(rcode, text)));
    for (size_t i = 0; i < DNS_SECTION_COUNT; i++)
        json_object_set_new(object, counts[i], json_integer(h->counts[i]));
}

static void put_origin(json_t *object, const struct lookup_reply *reply)
{
    char address[ADDRESS_TEXT_MAX], date[32];
    struct calendar c = calendar_of(reply->wall_seconds);
    snprintf(date, sizeof date, "%04lld-%02u-%02uT%02u:%02u:%02uZ", (long long)c.year, c.month,
             c.day, c.hour, c.minute, c.second);
    json_object_set_new(object, "dateString", json_string(date));
    json_object_set_new(object, "dateSeconds", json_integer(reply->wall_seconds));
    json_object_set_new(object, "server",
                        json_string(address_format(&reply->server.address, address)));
    json_object_set_new(object, "port", json_integer(reply->server.port));
    char transport[8] = "";
    for (size_t i = 0; i + 1 < sizeof transport && reply->transport[i] != '\0'; i++)
        transport[i] = (char)(reply->transport[i] | 0x20);
    json_object_set_new(object, "transport", json_string(transport));
    json_object_set_new(object, "usec", json_integer(reply->taken));
    json_object_set_new(object, "octets", json_integer((json_int_t)reply->message.len));
}

void lookup_print_json(struct lookup *l, const struct lookup_reply *reply)
{
    json_t *object = json_object();
    const struct dns_question *q = &reply->summary.question;
    struct bytes ede;
    put_origin(object, reply);
    put_header(object, reply);
    put_name(object, "QNAME", &q->name);
    put_type(object, "QTYPE", "QTYPEname", q->type);
    json_object_set_new(object, "QCLASS", json_integer(q->class));
    put_sections(l, object, reply);
    if (dns_edns_option(&reply->summary.edns, DNS_OPTION_EDE, &ede) && ede.len >= 2)
        json_object_set_new(object, "EDE", json_integer(ede.data[0] << 8 | ede.data[1]));
    char *text = json_dumps(object, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII);
    if (text != NULL)
        puts(text);
    free(text);
    json_decref(object);
}
