/* SPDX-License-Identifier: ISC */
/* dns_net.c - a small authoritative server from lines, and a network of them in virtual time. */
#include "tests/support/dns_net.h"

#include "tests/support/check.h"
#include "tests/support/dns_text.h"

enum { RECORDS_MAX = 256, RDATA_MAX = 512 };

/* ---- the server ---- */

struct line {
    struct dns_record record;
    uint8_t rdata[RDATA_MAX];
};

struct lines {
    struct line list[RECORDS_MAX];
    size_t count;
};

static void read_lines(const char *const *text, struct lines *out)
{
    out->count = 0;
    for (; *text != NULL; text++) {
        char reason[200];
        struct line *line = &out->list[out->count++];
        assert_true(out->count < RECORDS_MAX);
        struct writer w = writer_of(line->rdata, sizeof line->rdata);
        struct dns_error error = dns_error_of(reason, sizeof reason);
        struct dns_line_context context = {.ttl = 60};
        if (!dns_record_parse(bytes_of_text(*text), &context, &w, &line->record, &error))
            fail_msg("%s: %s", *text, reason);
    }
}

static bool add(struct dns_builder *b, const struct dns_record *r)
{
    return dns_build_record(
        b, &(struct dns_build_record){&r->owner, r->type, r->class, r->ttl, r->rdata});
}

/* Adds all records of that name and type; returns how many. */
static unsigned add_all(struct dns_builder *b, const struct lines *lines,
                        const struct dns_name *name, uint16_t type)
{
    unsigned count = 0;
    for (size_t i = 0; i < lines->count; i++) {
        const struct dns_record *r = &lines->list[i].record;
        if (r->type == type && dns_name_equal(&r->owner, name) && add(b, r))
            count++;
    }
    return count;
}

static const struct dns_record *find_cut(const struct lines *lines, const struct dns_name *zone,
                                         const struct dns_question *q)
{
    const struct dns_record *best = NULL;
    for (size_t i = 0; i < lines->count; i++) {
        const struct dns_record *r = &lines->list[i].record;
        if (r->type == DNS_NS && r->owner.len > zone->len && dns_name_within(&q->name, &r->owner) &&
            !(q->type == DNS_DS && dns_name_equal(&q->name, &r->owner)) &&
            (best == NULL || r->owner.len < best->owner.len))
            best = r;
    }
    return best;
}

static void add_referral(struct dns_builder *b, const struct lines *lines,
                         const struct dns_name *cut)
{
    dns_build_section(b, DNS_AUTHORITY);
    add_all(b, lines, cut, DNS_NS);
    dns_build_section(b, DNS_ADDITIONAL);
    for (size_t i = 0; i < lines->count; i++) {
        const struct dns_record *r = &lines->list[i].record;
        struct dns_name target;
        if (r->type == DNS_NS && dns_name_equal(&r->owner, cut) &&
            dns_rdata_target(DNS_NS, r->rdata, &target)) {
            add_all(b, lines, &target, DNS_A);
            add_all(b, lines, &target, DNS_AAAA);
        }
    }
}

static const struct dns_record *find_dname(const struct lines *lines, const struct dns_name *name)
{
    for (size_t i = 0; i < lines->count; i++) {
        const struct dns_record *r = &lines->list[i].record;
        if (r->type == DNS_DNAME && dns_name_within(name, &r->owner) && name->len > r->owner.len)
            return r;
    }
    return NULL;
}

/* CNAMEs as far as they lead within the zone; the RCODE. */
static unsigned add_answer(struct dns_builder *b, const struct lines *lines,
                           const struct dns_name *zone, const struct dns_question *q)
{
    struct dns_name name = q->name;
    unsigned links = 0;
    dns_build_section(b, DNS_ANSWER);
    while (links < 8 && dns_name_within(&name, zone)) {
        const struct dns_record *cname = NULL;
        const struct dns_record *dname = find_dname(lines, &name);
        if (dname != NULL && add(b, dname))
            return DNS_NOERROR;
        if (add_all(b, lines, &name, q->type) > 0)
            return DNS_NOERROR;
        for (size_t i = 0; i < lines->count && cname == NULL; i++)
            if (lines->list[i].record.type == DNS_CNAME &&
                dns_name_equal(&lines->list[i].record.owner, &name))
                cname = &lines->list[i].record;
        if (cname == NULL || !add(b, cname) ||
            !dns_rdata_target(DNS_CNAME, cname->rdata, &name))
            break;
        links++;
    }
    bool exists = links > 0 && !dns_name_within(&name, zone);
    for (size_t i = 0; i < lines->count; i++)
        exists |= dns_name_within(&lines->list[i].record.owner, &name);
    dns_build_section(b, DNS_AUTHORITY);
    if (links < 8 && dns_name_within(&name, zone))
        add_all(b, lines, zone, DNS_SOA);
    return exists ? DNS_NOERROR : DNS_NXDOMAIN;
}

struct bytes dns_net_answer(const struct dns_net_server *server, struct bytes query,
                            uint8_t *buffer)
{
    static struct lines lines;
    struct dns_summary s;
    struct dns_builder b;
    struct dns_name zone = dns_text_name(server->zone);
    assert_int_equal(dns_summarise(query, &s), WIRE_OK);
    if (server->lower_case)
        dns_name_lower(&s.question.name);
    dns_build_start(&b, buffer, DNS_MESSAGE_MAX);
    assert_true(dns_build_question(&b, &s.question));
    if (server->rcode != 0)
        return dns_build_finish(&b, s.header.id, (uint16_t)(DNS_QR | server->rcode));
    if (server->plain && s.edns.present)
        return dns_build_finish(&b, s.header.id, DNS_QR | DNS_FORMERR);
    if (server->upward) {
        static const char *const root[] = {". 60 NS ns.evil.", "ns.evil. 60 A 192.0.2.66", NULL};
        read_lines(root, &lines);
        add_referral(&b, &lines, &(struct dns_name){.len = 1});
        return dns_build_finish(&b, s.header.id, DNS_QR);
    }
    if (!dns_name_within(&s.question.name, &zone))
        return dns_build_finish(&b, s.header.id, DNS_QR | DNS_REFUSED);
    read_lines(server->lines, &lines);
    const struct dns_record *cut = find_cut(&lines, &zone, &s.question);
    if (cut != NULL) {
        add_referral(&b, &lines, &cut->owner);
        return dns_build_finish(&b, s.header.id, DNS_QR);
    }
    unsigned rcode = add_answer(&b, &lines, &zone, &s.question);
    return dns_build_finish(&b, s.header.id,
                            (uint16_t)(DNS_QR | (server->recursive ? DNS_RA : DNS_AA) | rcode));
}

/* ---- the network ---- */

static void *resize(void *self UNUSED, void *old, size_t old_size UNUSED, size_t new_size)
{
    if (new_size > 0)
        return realloc(old, new_size);
    free(old);
    return NULL;
}

void dns_net_open(struct dns_net *net, struct dns_net_server *servers, size_t count)
{
    struct heap heap = {.resize = resize};
    struct siphash_key key = {3, 4};
    memset(net, 0, sizeof *net);
    net->servers = servers;
    net->server_count = count;
    net->log_text = text_of(net->log, sizeof net->log);
    prng_init_number(&net->prng, 7);
    cache_options_init(&net->cache_options, &heap, &key);
    net->options = (struct resolver_options){
        .heap = heap, .v4 = true, .v6 = true, .minimise = true, .hint_count = 1};
    assert_true(address_parse(bytes_of_text(servers[0].address), &net->options.hints[0]));
}

static void start(struct dns_net *net)
{
    if (net->resolver != NULL)
        return;
    net->cache = cache_new(&net->cache_options);
    net->options.cache = net->cache;
    net->resolver = resolver_new(&net->options, &net->prng, net->now);
    assert_true(net->cache != NULL && net->resolver != NULL);
}

void dns_net_close(struct dns_net *net)
{
    for (size_t i = 0; i < net->packet_count; i++)
        free(net->packets[i].octets);
    resolver_free(net->resolver);
    cache_free(net->cache);
}

static struct dns_net_server *server_at(struct dns_net *net, const struct ip_address *a)
{
    for (size_t i = 0; i < net->server_count; i++) {
        struct ip_address address;
        assert_true(address_parse(bytes_of_text(net->servers[i].address), &address));
        if (address_equal(&address, a))
            return &net->servers[i];
    }
    return NULL;
}

static void log_query(struct dns_net *net, const struct dns_client_send *send)
{
    char address[ADDRESS_TEXT_MAX], name[DNS_NAME_TEXT_MAX], type[DNS_TYPE_TEXT_MAX];
    struct dns_summary s;
    assert_int_equal(dns_summarise(send->message, &s), WIRE_OK);
    dns_name_lower(&s.question.name);
    text_add_format(&net->log_text, "%s%s %s %s; ", send->stream ? "tcp " : "",
                    address_format(&send->server.address, address),
                    dns_name_format(&s.question.name, name),
                    dns_type_format(s.question.type, type));
    net->queries++;
}

static void post(struct dns_net *net, const struct dns_net_packet *packet, struct bytes message)
{
    if (prng_chance(&net->prng, net->loss) && !packet->stream)
        return;
    assert_true(net->packet_count < DNS_NET_PACKETS_MAX);
    struct dns_net_packet *p = &net->packets[net->packet_count++];
    *p = *packet;
    p->len = message.len;
    p->octets = exact_copy(message.data, message.len);
}

static usec delay_of(const struct dns_net_server *server)
{
    return server->delay != 0 ? server->delay : 10 * USEC_PER_MSEC;
}

static void send_query(struct dns_net *net, const struct resolver_event *event)
{
    log_query(net, &event->send);
    net->attempts[event->task]++;
    struct dns_net_server *server = server_at(net, &event->send.server.address);
    if (server == NULL || server->dead)
        return;
    struct dns_net_packet packet = {.at = net->now + delay_of(server),
                                    .stream = event->send.stream,
                                    .task = event->task,
                                    .attempt = net->attempts[event->task],
                                    .server = event->send.server};
    post(net, &packet, event->send.message);
}

static const struct answer_options answering = {.recursion_available = true};

static void tell_reply(struct dns_net *net, struct answer_work *work)
{
    net->replies++;
    if (work->dropped)
        snprintf(net->reply, sizeof net->reply, "dropped");
    else
        dns_text_of(answer_end(work), net->reply, sizeof net->reply);
}

static void take_reply(struct dns_net *net, const struct resolver_event *event)
{
    static uint8_t buffer[DNS_MESSAGE_MAX];
    struct answer_work work;
    assert_true(answer_resume(&work, &answering, &event->client.query, &event->target, buffer));
    resolver_fill(net->resolver, event->task, &work, net->now);
    tell_reply(net, &work);
}

static void take_events(struct dns_net *net)
{
    uint8_t buffer[DNS_CLIENT_QUERY_MAX];
    struct resolver_event event;
    while (resolver_next(net->resolver, net->now, buffer, &event)) {
        if (event.kind == RESOLVER_SEND) {
            send_query(net, &event);
        } else if (event.kind == RESOLVER_REPLY) {
            take_reply(net, &event);
        } else {
            net->attempts[event.task]++;
        }
    }
}

static void at_server(struct dns_net *net, const struct dns_net_packet *packet)
{
    static uint8_t buffer[DNS_MESSAGE_MAX];
    struct dns_net_server *server = server_at(net, &packet->server.address);
    if (server->dead)
        return;
    server->asked++;
    struct bytes query = bytes_of(packet->octets, packet->len);
    assert_int_equal((packet->octets[2] & 1) != 0, server->recursive); /* RD */
    struct bytes reply = server->reply != NULL ? server->reply(server, query, buffer)
                                               : dns_net_answer(server, query, buffer);
    if (server->truncates && !packet->stream)
        buffer[2] |= 2;
    struct dns_net_packet back = *packet;
    back.to_resolver = true;
    back.at = net->now + delay_of(server);
    post(net, &back, reply);
}

static void arrive(struct dns_net *net, const struct dns_net_packet *packet)
{
    if (!packet->to_resolver)
        at_server(net, packet);
    else if (packet->attempt == net->attempts[packet->task])
        resolver_input(net->resolver, packet->task, &packet->server,
                       bytes_of(packet->octets, packet->len), net->now);
    free(packet->octets);
}

/* The packet that arrives first, or packet_count. */
static size_t first_packet(const struct dns_net *net)
{
    size_t first = net->packet_count;
    for (size_t i = 0; i < net->packet_count; i++)
        if (first == net->packet_count || net->packets[i].at < net->packets[first].at)
            first = i;
    return first;
}

void dns_net_run(struct dns_net *net, usec until)
{
    start(net);
    for (;;) {
        take_events(net);
        size_t first = first_packet(net);
        usec deadline = resolver_deadline(net->resolver);
        usec at = first < net->packet_count ? usec_min(deadline, net->packets[first].at) : deadline;
        if (at == USEC_NEVER || at > until) {
            net->now = until == USEC_NEVER ? net->now : until;
            return;
        }
        net->now = usec_max(net->now, at);
        if (first < net->packet_count && net->packets[first].at <= net->now) {
            struct dns_net_packet packet = net->packets[first];
            net->packets[first] = net->packets[--net->packet_count];
            arrive(net, &packet);
        }
        resolver_tick(net->resolver, net->now);
    }
}

enum resolver_verdict dns_net_ask(struct dns_net *net, const char *name, uint16_t type)
{
    start(net);
    static uint8_t buffer[DNS_MESSAGE_MAX];
    struct answer_work work;
    struct resolver_client client = {0};
    struct answer_query query = {.id = net->next_id++,
                                 .flags = (uint16_t)(DNS_RD | net->flags),
                                 .edns = net->edns,
                                 .dnssec_ok = net->dnssec_ok,
                                 .limit = net->limit != 0 ? net->limit : DNS_MESSAGE_MAX,
                                 .path = {.size_max = DNS_UDP_SIZE_DEFAULT, .stream = net->stream,
                                          .from = address_v4(0x7f000001)},
                                 .question = {dns_text_name(name), type, DNS_IN}};
    assert_true(answer_resume(&work, &answering, &query, &query.question.name, buffer));
    if (net->policies != NULL)
        resolver_set_policies(net->resolver, net->policies);
    enum resolver_verdict verdict = resolver_ask(net->resolver, &client, &work, net->now);
    if (verdict == RESOLVER_ANSWERED)
        tell_reply(net, &work);
    return verdict;
}

const char *dns_net_look_up(struct dns_net *net, const char *name, uint16_t type)
{
    net->log_text = text_of(net->log, sizeof net->log);
    net->queries = 0;
    unsigned before = net->replies;
    snprintf(net->reply, sizeof net->reply, "no reply");
    (void)dns_net_ask(net, name, type);
    dns_net_run(net, USEC_NEVER);
    if (net->replies != before + 1)
        fail_msg("%s: %u replies", name, net->replies - before);
    return net->reply;
}
