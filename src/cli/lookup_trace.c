/* SPDX-License-Identifier: ISC */
/*
 * lookup_trace.c - +trace: what a resolver does that remembers nothing, step by step (RFC 1034
 * §5.3.3). It begins with the root servers that it was given (--roots, or those that the server
 * named with @ tells), and follows referrals until somebody answers.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/lookup.h"
#include "os/file.h"
#include "wire/dns/dns_master.h"

enum { SERVERS_MAX = 32, NAMES_MAX = 32, ROOTS_FILE_MAX = 64 * 1024 };

/* The servers of one zone. */
struct zone_servers {
    struct dns_name zone;
    size_t name_count;
    struct dns_name names[NAMES_MAX];
    size_t count;
    struct endpoint servers[SERVERS_MAX];
};

static void add_server(const struct lookup *l, struct zone_servers *z, const struct ip_address *a)
{
    bool v4 = address_is_v4(a);
    if (z->count == SERVERS_MAX || (l->v4 && !v4) || (l->v6 && v4))
        return;
    struct endpoint e = {*a, (uint16_t)l->port};
    for (size_t i = 0; i < z->count; i++)
        if (endpoint_equal(&z->servers[i], &e))
            return;
    z->servers[z->count++] = e;
}

static bool address_of(uint16_t type, struct bytes rdata, struct ip_address *out)
{
    struct reader r = reader_of(rdata);
    if (type == DNS_A && rdata.len == 4)
        *out = address_v4(read_u32(&r));
    else if (type == DNS_AAAA && rdata.len == 16)
        read_copy(&r, out->octets, 16);
    else
        return false;
    return true;
}

static bool is_server(const struct zone_servers *z, const struct dns_name *name)
{
    for (size_t i = 0; i < z->name_count; i++)
        if (dns_name_equal(&z->names[i], name))
            return true;
    return false;
}

/* NS records of the answer (the root's) or the authority section (a referral's), and their
 * addresses. False: it has none. */
static bool read_servers(struct lookup *l, const struct lookup_reply *reply,
                         enum dns_section section, struct zone_servers *z)
{
    struct dns_cursor cursor;
    struct dns_rr rr;
    *z = (struct zone_servers){.count = 0};
    if (dns_cursor_start(&cursor, reply->message) != WIRE_OK)
        return false;
    while (dns_cursor_record(&cursor, &rr)) {
        struct writer w = writer_of(l->rdata, sizeof l->rdata);
        if (dns_rdata_expand(rr.type, reply->message, rr.rdata, &w) != WIRE_OK)
            continue;
        struct ip_address a;
        if (rr.section == section && rr.type == DNS_NS && z->name_count < NAMES_MAX) {
            z->zone = rr.owner;
            z->name_count += dns_rdata_target(DNS_NS, writer_bytes(&w), &z->names[z->name_count]);
        } else if (rr.section == DNS_ADDITIONAL && is_server(z, &rr.owner) &&
                   address_of(rr.type, writer_bytes(&w), &a)) {
            add_server(l, z, &a);
        }
    }
    return z->name_count > 0;
}

/* ---- where to begin ---- */

static bool roots_from_file(struct lookup *l, struct zone_servers *z)
{
    char *content;
    size_t len;
    int status = file_read(l->roots, ROOTS_FILE_MAX, &content, &len);
    if (status < 0) {
        cli_fail(l->command, 0, "cannot read %s: %s", l->roots, strerror(-status));
        return false;
    }
    struct dns_name root;
    struct dns_master master;
    static struct dns_master_item item; /* of several KiB */
    dns_name_root(&root);
    dns_master_start(&master, bytes_of(content, len), &root);
    *z = (struct zone_servers){.zone = root};
    for (;;) {
        struct writer w = writer_of(l->rdata, sizeof l->rdata);
        struct ip_address a;
        if (dns_master_next(&master, &w, &item) != DNS_MASTER_RECORD)
            break;
        if (address_of(item.record.type, item.record.rdata, &a))
            add_server(l, z, &a);
    }
    free(content);
    if (item.kind == DNS_MASTER_ERROR)
        cli_fail(l->command, 0, "%s:%u: %s", l->roots, item.line, item.error);
    else if (z->count == 0)
        cli_fail(l->command, 0, "%s: expected A or AAAA records of root servers", l->roots);
    return item.kind != DNS_MASTER_ERROR && z->count > 0;
}

struct tracing {
    struct lookup *lookup;
    struct zone_servers roots;
    unsigned asked; /* in all, lest somebody leads us round and round */
};

enum { ASKED_MAX = 200 };

static void report(const struct lookup_reply *reply)
{
    char address[ADDRESS_TEXT_MAX];
    address_format(&reply->server.address, address);
    printf(";; Received %zu bytes from %s#%u(%s) in %lld ms\n\n", reply->message.len, address,
           (unsigned)reply->server.port, address, (long long)(reply->taken / USEC_PER_MSEC));
}

/* Asks the servers in turn until one answers. */
static bool ask_any(struct tracing *t, const struct zone_servers *z,
                    const struct dns_question *question, bool recursion, bool quiet,
                    struct lookup_reply *reply)
{
    struct lookup *l = t->lookup;
    for (unsigned try = 0; try < l->tries; try++) {
        for (size_t i = 0; i < z->count; i++) {
            if (t->asked++ >= ASKED_MAX)
                return false;
            struct lookup_ask ask = {.question = *question,
                                     .server = z->servers[i],
                                     .stream = l->stream,
                                     .recursion = recursion};
            int status = lookup_exchange(l, &ask, reply);
            unsigned rcode = status == 0 ? dns_summary_rcode(&reply->summary) : DNS_NOERROR;
            if (status == 0 && (rcode == DNS_NOERROR || rcode == DNS_NXDOMAIN))
                return true;
            if (!quiet && status != 0)
                lookup_complain(l, &z->servers[i], status);
            if (status == 0 && i + 1 == z->count)
                return true;
        }
    }
    return false;
}

static bool walk(struct tracing *t, const struct dns_question *question, unsigned depth, bool quiet,
                 struct lookup_reply *reply);

/* The addresses of a referral's servers that came without: looked up from the root, too. */
static void find_addresses(struct tracing *t, struct zone_servers *z, unsigned depth)
{
    static const uint16_t types[] = {DNS_A, DNS_AAAA};
    struct lookup *l = t->lookup;
    for (size_t i = 0; i < z->name_count && z->count == 0 && depth < LOOKUP_DEPTH_MAX; i++) {
        for (size_t k = 0; k < ARRAY_LEN(types); k++) {
            struct dns_question q = {z->names[i], types[k], DNS_IN};
            struct lookup_reply reply;
            struct dns_cursor cursor;
            struct dns_rr rr;
            struct ip_address a;
            if ((types[k] == DNS_A ? l->v6 : l->v4) || !walk(t, &q, depth + 1, true, &reply) ||
                dns_cursor_start(&cursor, reply.message) != WIRE_OK)
                continue;
            while (dns_cursor_record(&cursor, &rr))
                if (rr.section == DNS_ANSWER && address_of(rr.type, rr.rdata, &a))
                    add_server(l, z, &a);
        }
    }
}

/* Down from the root until there is an answer. */
static bool walk(struct tracing *t, const struct dns_question *question, unsigned depth, bool quiet,
                 struct lookup_reply *reply)
{
    struct lookup *l = t->lookup;
    struct zone_servers here = t->roots;
    for (unsigned i = 0; i < LOOKUP_REFERRALS_MAX; i++) {
        if (!ask_any(t, &here, question, false, quiet, reply))
            return false;
        struct zone_servers next;
        bool answered = reply->summary.header.counts[DNS_ANSWER] > 0 ||
                        dns_summary_rcode(&reply->summary) != DNS_NOERROR ||
                        !read_servers(l, reply, DNS_AUTHORITY, &next);
        if (!quiet) {
            lookup_print_section(l, reply, DNS_ANSWER);
            lookup_print_section(l, reply, DNS_AUTHORITY);
            report(reply);
        }
        if (answered)
            return true;
        /* A referral leads down, and to where the name is (RFC 1034 §5.3.3, step 4b). */
        if (next.zone.len <= here.zone.len || !dns_name_within(&question->name, &next.zone)) {
            if (!quiet)
                printf(";; this leads nowhere: the referral is not to a zone below\n");
            return false;
        }
        if (next.count == 0)
            find_addresses(t, &next, depth);
        if (next.count == 0) {
            if (!quiet)
                printf(";; no address is known of any server of the zone\n");
            return false;
        }
        here = next;
    }
    return false;
}

/* Asks a server that is near for the root's. */
static bool roots_from_server(struct tracing *t)
{
    struct lookup *l = t->lookup;
    struct zone_servers near = {.count = 0};
    for (size_t i = 0; i < l->server_count; i++)
        add_server(l, &near, &l->servers[i].address);
    for (size_t i = 0; l->server_count == 0 && i < l->conf.server_count; i++)
        add_server(l, &near, &l->conf.servers[i].address);
    struct dns_question root = {.type = DNS_NS, .class = DNS_IN};
    struct lookup_reply reply;
    dns_name_root(&root.name);
    if (!ask_any(t, &near, &root, true, false, &reply))
        return false;
    lookup_print_section(l, &reply, DNS_ANSWER);
    report(&reply);
    if (!read_servers(l, &reply, DNS_ANSWER, &t->roots))
        return false;
    /* Who gives names without addresses is asked for those as well. */
    for (size_t i = 0; i < t->roots.name_count && t->roots.count < 4; i++) {
        struct dns_question q2 = {t->roots.names[i], l->v6 ? DNS_AAAA : DNS_A, DNS_IN};
        struct dns_cursor cursor;
        struct dns_rr rr;
        struct ip_address a;
        if (!ask_any(t, &near, &q2, true, true, &reply) ||
            dns_cursor_start(&cursor, reply.message) != WIRE_OK)
            continue;
        while (dns_cursor_record(&cursor, &rr))
            if (rr.section == DNS_ANSWER && address_of(rr.type, rr.rdata, &a))
                add_server(l, &t->roots, &a);
    }
    return t->roots.count > 0;
}

enum lookup_status lookup_trace(struct lookup *l, const struct lookup_question *question,
                                const struct dns_name *name)
{
    struct tracing t = {.lookup = l};
    struct dns_question q = {*name, question->type, question->class};
    struct lookup_reply reply;
    bool found = l->roots != NULL ? roots_from_file(l, &t.roots) : roots_from_server(&t);
    if (!found) {
        printf(";; no root server is known\n");
        return LOOKUP_SILENCE;
    }
    if (!walk(&t, &q, 0, false, &reply))
        return LOOKUP_SILENCE;
    return lookup_status_of(&reply);
}
