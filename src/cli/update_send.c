/* SPDX-License-Identifier: ISC */
/*
 * update_send.c - the message of an update (RFC 2136 §2): which zone it is for, which server is that zone's
 * primary (§4.1 to §4.3), and what comes back.
 */
#include <stdio.h>
#include <string.h>

#include "cli/update.h"

/* ---- the zone and its primary ---- */

/* Looks a name up with those of resolv.conf, or with the server that was said; unsigned. */
static bool look_up(struct update *u, const struct dns_name *name, uint16_t type,
                    struct lookup_reply *reply)
{
    struct lookup *l = u->lookup;
    bool named = l->server_count > 0;
    size_t count = named ? l->server_count : l->conf.server_count;
    struct tsig_key key = l->key;
    bool found = false;
    l->key.name.len = 0;
    for (unsigned try = 0; try < l->tries && !found; try++)
        for (size_t i = 0; i < count && !found; i++) {
            struct lookup_ask ask = {.question = {*name, type, DNS_IN},
                                     .server = named ? l->servers[i] : l->conf.servers[i],
                                     .recursion = true};
            ask.server.port = (uint16_t)l->port;
            found = lookup_exchange(l, &ask, reply) == 0 &&
                    lookup_status_of(reply) != LOOKUP_REFUSED;
        }
    l->key = key;
    explicit_bzero(&key, sizeof key);
    return found;
}

/* The SOA of a reply, in its answer or, of a name that is further down, in its authority section. */
static bool find_soa(struct update *u, const struct lookup_reply *reply, struct dns_name *zone,
                     struct dns_name *primary)
{
    struct dns_cursor cursor;
    struct dns_rr rr;
    if (dns_cursor_start(&cursor, reply->message) != WIRE_OK)
        return false;
    while (dns_cursor_record(&cursor, &rr)) {
        struct writer w = writer_of(u->rdata, sizeof u->rdata);
        if (rr.type != DNS_SOA || (rr.section != DNS_ANSWER && rr.section != DNS_AUTHORITY) ||
            dns_rdata_expand(DNS_SOA, reply->message, rr.rdata, &w) != WIRE_OK || w.failed)
            continue;
        struct reader r = reader_of(writer_bytes(&w));
        dns_name_read(&r, writer_bytes(&w), primary);
        *zone = rr.owner;
        return !r.failed;
    }
    return false;
}

/* From the name upwards, until somebody knows which zone that is. */
static bool find_zone(struct update *u, const struct dns_name *from, struct dns_name *zone,
                      struct dns_name *primary)
{
    struct dns_name name = *from;
    struct lookup_reply reply = {.transport = "UDP"};
    char text[DNS_NAME_TEXT_MAX];
    for (;;) {
        if (!look_up(u, &name, DNS_SOA, &reply)) {
            cli_fail(u->command, 0, "cannot find the zone of %s: no server answers",
                     dns_name_format(&name, text));
            return false;
        }
        if (find_soa(u, &reply, zone, primary) && dns_name_within(from, zone))
            return true;
        if (dns_name_is_root(&name))
            break;
        dns_name_parent(&name, &name);
    }
    cli_fail(u->command, 0, "cannot find the zone of %s", dns_name_format(from, text));
    return false;
}

static bool take_address(const struct lookup_reply *reply, uint16_t type, struct ip_address *out)
{
    struct dns_cursor cursor;
    struct dns_rr rr;
    if (dns_cursor_start(&cursor, reply->message) != WIRE_OK)
        return false;
    while (dns_cursor_record(&cursor, &rr)) {
        struct reader r = reader_of(rr.rdata);
        if (rr.section != DNS_ANSWER || rr.type != type || rr.rdata.len != (type == DNS_A ? 4 : 16))
            continue;
        if (type == DNS_A)
            *out = address_v4(read_u32(&r));
        else
            read_copy(&r, out->octets, sizeof out->octets);
        return true;
    }
    return false;
}

static bool find_address(struct update *u, const struct dns_name *name, struct ip_address *out)
{
    struct lookup_reply reply = {.transport = "UDP"};
    char text[DNS_NAME_TEXT_MAX];
    const struct lookup *l = u->lookup;
    if ((!l->v4 && look_up(u, name, DNS_AAAA, &reply) && take_address(&reply, DNS_AAAA, out)) ||
        (!l->v6 && look_up(u, name, DNS_A, &reply) && take_address(&reply, DNS_A, out)))
        return true;
    cli_fail(u->command, 0, "the zone's primary, %s, has no address", dns_name_format(name, text));
    return false;
}

/* For which zone, and to whom. */
static bool choose(struct update *u, struct dns_name *zone, struct endpoint *server)
{
    struct lookup *l = u->lookup;
    struct dns_name primary;
    bool known = u->zone.len > 0;
    if (known)
        *zone = u->zone;
    if (!known || u->server == NULL) {
        struct dns_name found;
        if (!find_zone(u, known ? zone : &u->first, &found, &primary))
            return false;
        if (!known)
            *zone = found;
    }
    if (u->server != NULL) {
        *server = l->servers[0];
    } else if (!find_address(u, &primary, &server->address)) {
        return false;
    }
    server->port = (uint16_t)l->port;
    return true;
}

/* ---- the message ---- */

static bool put_section(struct dns_builder *b, enum dns_section where,
                        const struct update_section *section)
{
    struct reader r = reader_of(bytes_of(section->octets, section->len));
    dns_build_section(b, where);
    while (reader_left(&r) > 0) {
        struct dns_name owner;
        dns_name_read(&r, bytes_of(section->octets, section->len), &owner);
        struct dns_build_record record = {.owner = &owner, .type = read_u16(&r)};
        record.class = read_u16(&r);
        record.ttl = read_u32(&r);
        uint16_t len = read_u16(&r);
        record.rdata = read_bytes(&r, len);
        ASSERT(!r.failed);
        if (!dns_build_record(b, &record))
            return false;
    }
    return true;
}

static bool build(struct update *u, const struct dns_name *zone, struct bytes *out)
{
    struct dns_builder b;
    struct dns_question question = {*zone, DNS_SOA, DNS_IN};
    dns_build_start(&b, u->message, sizeof u->message - LOOKUP_SIGNATURE_MAX);
    if (!dns_build_question(&b, &question) ||
        !put_section(&b, DNS_PREREQUISITE, &u->prerequisites) ||
        !put_section(&b, DNS_UPDATE, &u->changes))
        return update_complain(u, "that is more than one message has room for");
    *out = dns_build_finish(&b, 0, DNS_OPCODE_UPDATE << 11);
    return true;
}

static const char *class_text(uint16_t class)
{
    return class == DNS_IN ? "IN" : class == DNS_CLASS_ANY ? "ANY" : "NONE";
}

static void show_section(struct update *u, const char *title, const struct update_section *section)
{
    struct reader r = reader_of(bytes_of(section->octets, section->len));
    char name[DNS_NAME_TEXT_MAX], type[DNS_TYPE_TEXT_MAX];
    if (section->count > 0)
        printf(";; %s SECTION:\n", title);
    while (reader_left(&r) > 0) {
        struct dns_name owner;
        struct lookup *l = u->lookup;
        struct text line = text_of(l->line, sizeof l->line);
        dns_name_read(&r, bytes_of(section->octets, section->len), &owner);
        uint16_t of_type = read_u16(&r);
        uint16_t class = read_u16(&r);
        uint32_t ttl = read_u32(&r);
        uint16_t len = read_u16(&r);
        struct bytes rdata = read_bytes(&r, len);
        text_add_format(&line, "%s\t%lu\t%s\t%s", dns_name_format(&owner, name), (unsigned long)ttl,
                        class_text(class), dns_type_format(of_type, type));
        if (len > 0) {
            text_add(&line, "\t");
            dns_rdata_format(of_type, rdata, &line);
        }
        puts(l->line);
    }
    if (section->count > 0)
        printf("\n");
}

void update_show(struct update *u)
{
    char name[DNS_NAME_TEXT_MAX];
    printf(";; Outgoing update:\n");
    if (u->zone.len > 0)
        printf(";; ZONE SECTION:\n;%s\tIN\tSOA\n\n", dns_name_format(&u->zone, name));
    show_section(u, "PREREQUISITE", &u->prerequisites);
    show_section(u, "UPDATE", &u->changes);
}

/* ---- there and back ---- */

static void forget(struct update *u)
{
    u->prerequisites.len = u->changes.len = 0;
    u->prerequisites.count = u->changes.count = 0;
    u->first.len = 0;
}

static enum update_status judge(struct update *u, const struct endpoint *server)
{
    char at[ENDPOINT_TEXT_MAX], rcode[16];
    unsigned code = dns_summary_rcode(&u->reply.summary);
    endpoint_format(server, at);
    if (u->lookup->json)
        lookup_print_json(u->lookup, &u->reply);
    else if (u->verbose)
        lookup_print_message(u->lookup, &u->reply);
    if (u->reply.wrong) {
        cli_fail(u->command, 0, "%s: the signature of the reply is not right: %s", at,
                 u->reply.tsig_error != 0 ? dns_tsig_error_text(u->reply.tsig_error) : "there is none");
        return UPDATE_REFUSED;
    }
    if (code == DNS_NOERROR)
        return UPDATE_DONE;
    bool unmet = u->prerequisites.count > 0 && (code == DNS_YXDOMAIN || code == DNS_YXRRSET ||
                                                code == DNS_NXRRSET || code == DNS_NXDOMAIN);
    cli_fail(u->command, 0, "%s: %s%s", at, lookup_rcode_text(code, rcode),
             unmet ? ", a prerequisite does not hold" : "");
    return unmet ? UPDATE_UNMET : UPDATE_REFUSED;
}

enum update_status update_send(struct update *u)
{
    struct lookup *l = u->lookup;
    struct dns_name zone;
    struct endpoint server;
    struct bytes message;
    if (u->prerequisites.count + u->changes.count == 0)
        return UPDATE_DONE;
    if (u->show_only) {
        update_show(u);
        forget(u);
        return UPDATE_DONE;
    }
    if (!choose(u, &zone, &server))
        return UPDATE_SILENCE;
    if (!build(u, &zone, &message))
        return UPDATE_WRONG;
    struct lookup_ask ask = {.question = {zone, DNS_SOA, DNS_IN},
                             .message = message,
                             .server = server,
                             .server_name = l->server_count > 0 ? l->server_names[0] : NULL,
                             .stream = l->stream || message.len > UPDATE_DATAGRAM_MAX};
    int status = -1;
    u->reply = (struct lookup_reply){.transport = "UDP"};
    for (unsigned try = 0; try < l->tries && status != 0; try++) {
        status = lookup_exchange(l, &ask, &u->reply);
        if (status != 0)
            lookup_complain(l, &server, status);
    }
    u->replied = status == 0;
    enum update_status result = status == 0 ? judge(u, &server) : UPDATE_SILENCE;
    forget(u);
    return result;
}
