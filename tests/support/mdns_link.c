/* SPDX-License-Identifier: ISC */
/* mdns_link.c - hosts that speak multicast DNS, in virtual time. */
#include "tests/support/mdns_link.h"

#include "tests/support/dns_text.h"

enum { TOP_BIT = 0x8000 };
#define DELAY USEC_PER_MSEC

struct mdns_link *mdns_link_new(uint64_t seed)
{
    struct mdns_link *link = calloc(1, sizeof *link);
    assert_non_null(link);
    prng_init_number(&link->prng, seed);
    char *log = malloc(MDNS_LINK_LOG);
    assert_non_null(log);
    link->log = text_of(log, MDNS_LINK_LOG);
    return link;
}

void mdns_link_free(struct mdns_link *link)
{
    for (size_t i = 0; i < link->host_count; i++)
        mdns_free(link->hosts[i]);
    for (size_t i = 0; i < link->packet_count; i++)
        free(link->packets[i].octets);
    size_t blocks = link->counts.blocks;
    free(link->log.start);
    free(link);
    assert_int_equal(blocks, 0);
}

struct endpoint mdns_link_at(int host)
{
    return (struct endpoint){address_v4(0xc0000201u + (unsigned)host), MDNS_PORT};
}

int mdns_link_add(struct mdns_link *link)
{
    struct heap heap = counting_heap(&link->counts);
    int host = (int)link->host_count;
    struct ip_prefix address = {mdns_link_at(host).address, 24};
    link->hosts[host] = mdns_new(&heap, &link->prng, link->now);
    assert_non_null(link->hosts[host]);
    mdns_set_addresses(link->hosts[host], &address, 1);
    link->host_count++;
    return host;
}

int mdns_link_host(struct mdns_link *link, int host, const char *name)
{
    struct dns_name owner = dns_text_name(name);
    struct ip_address address = mdns_link_at(host).address;
    uint8_t octets[4];
    struct writer w = writer_of(octets, sizeof octets);
    write_u32(&w, address_v4_value(&address));
    int number = mdns_add_name(link->hosts[host], &owner, MDNS_STYLE_HOST, link->now);
    assert_true(number >= 0);
    struct mdns_record a = {.type = DNS_A, .ttl = MDNS_TTL_HOST, .rdata = writer_bytes(&w)};
    assert_true(mdns_add_record(link->hosts[host], number, &a, link->now));
    return number;
}

/* ---- what is said, as text ---- */

static void add_question(struct text *t, const struct dns_question *q)
{
    char name[DNS_NAME_TEXT_MAX], type[DNS_TYPE_TEXT_MAX];
    text_add_format(t, " %s %s%s;", dns_name_format(&q->name, name), dns_type_format(q->type, type),
                    (q->class & TOP_BIT) != 0 ? " qu" : "");
}

static void add_record(struct text *t, struct bytes message, const struct dns_rr *rr)
{
    static const char *const sections[] = {"qd", "an", "ns", "ar"};
    static uint8_t rdata[MDNS_MESSAGE_MAX];
    char name[DNS_NAME_TEXT_MAX], type[DNS_TYPE_TEXT_MAX];
    struct writer w = writer_of(rdata, sizeof rdata);
    assert_int_equal(dns_rdata_expand(rr->type, message, rr->rdata, &w), WIRE_OK);
    text_add_format(t, " %s %s %u %s %s ", sections[rr->section], dns_name_format(&rr->owner, name),
                    (unsigned)rr->ttl, (rr->class & TOP_BIT) != 0 ? "fl" : "IN",
                    dns_type_format(rr->type, type));
    dns_rdata_format(rr->type, writer_bytes(&w), t);
    text_add(t, ";");
}

static void note(struct mdns_link *link, int from, const char *to, struct bytes message)
{
    struct text *t = &link->log;
    struct dns_cursor cursor;
    struct dns_question question;
    struct dns_rr rr;
    assert_int_equal(dns_cursor_start(&cursor, message), WIRE_OK);
    text_add_format(t, "%llu.%06llu %c %c%s", (unsigned long long)(link->now / USEC_PER_SEC),
                    (unsigned long long)(link->now % USEC_PER_SEC), from >= 0 ? 'a' + from : '?',
                    (cursor.header.flags & DNS_QR) != 0 ? 'R' : 'Q', to);
    if (cursor.header.id != 0)
        text_add_format(t, " id%u", (unsigned)cursor.header.id);
    if ((cursor.header.flags & DNS_AA) != 0)
        text_add(t, " aa");
    if ((cursor.header.flags & DNS_TC) != 0)
        text_add(t, " tc");
    while (dns_cursor_question(&cursor, &question))
        add_question(t, &question);
    while (dns_cursor_record(&cursor, &rr))
        add_record(t, message, &rr);
    assert_false(cursor.reader.failed);
    text_add(t, "\n");
    assert_false(t->failed);
}

/* ---- on the way ---- */

static void post(struct mdns_link *link, const struct mdns_link_packet *packet, struct bytes message)
{
    assert_true(link->packet_count < MDNS_LINK_PACKETS);
    struct mdns_link_packet *p = &link->packets[link->packet_count++];
    *p = *packet;
    p->at = link->now + DELAY;
    p->len = message.len;
    p->octets = exact_copy(message.data, message.len);
}

static int host_at(const struct mdns_link *link, const struct ip_address *a)
{
    for (int i = 0; i < (int)link->host_count; i++) {
        struct endpoint at = mdns_link_at(i);
        if (address_equal(&at.address, a))
            return i;
    }
    return MDNS_LINK_HOSTS; /* nobody that we know */
}

static void send_out(struct mdns_link *link, int from, const struct mdns_output *out)
{
    link->sent_len = out->message.len;
    memcpy(link->sent, out->message.data, out->message.len);
    char to[ENDPOINT_TEXT_MAX + 4] = "*";
    if (!out->multicast) {
        memcpy(to, "> ", 2);
        endpoint_format(&out->to, to + 2);
    }
    note(link, from, to, out->message);
    if (link->down[from])
        return;
    post(link,
         &(struct mdns_link_packet){.from = from,
                                    .to = out->multicast ? -1 : host_at(link, &out->to.address),
                                    .source = mdns_link_at(from)},
         out->message);
}

static void deliver(struct mdns_link *link, const struct mdns_link_packet *p)
{
    for (int i = 0; i < (int)link->host_count; i++) {
        if (link->down[i] || (p->to >= 0 && p->to != i) || (p->to < 0 && p->from == i && !link->echo) ||
            prng_chance(&link->prng, link->loss))
            continue;
        struct mdns_input in = {p->source, p->to < 0, bytes_of(p->octets, p->len)};
        mdns_input(link->hosts[i], &in, link->now);
    }
    free(p->octets);
}

static void turn(struct mdns_link *link)
{
    static uint8_t buffer[MDNS_MESSAGE_MAX];
    struct mdns_output out;
    for (size_t i = 0; i < link->packet_count;) {
        if (link->packets[i].at > link->now) {
            i++;
            continue;
        }
        struct mdns_link_packet p = link->packets[i];
        memmove(&link->packets[i], &link->packets[i + 1],
                (link->packet_count - i - 1) * sizeof link->packets[0]);
        link->packet_count--;
        deliver(link, &p);
    }
    for (int i = 0; i < (int)link->host_count; i++)
        for (int sent = 0; mdns_next(link->hosts[i], link->now, buffer, &out); sent++) {
            assert_true(sent < 100);
            send_out(link, i, &out);
        }
}

void mdns_link_run(struct mdns_link *link, usec until)
{
    for (;;) {
        turn(link);
        usec next = until;
        for (size_t i = 0; i < link->packet_count; i++)
            next = usec_min(next, link->packets[i].at);
        for (size_t i = 0; i < link->host_count; i++) {
            usec due = mdns_deadline(link->hosts[i]);
            assert_true(due > link->now); /* all that was due has been done */
            next = usec_min(next, due);
        }
        link->now = next;
        if (next >= until)
            break;
    }
    turn(link);
}

/* ---- strangers ---- */

static void put_question(struct dns_builder *b, const char *line)
{
    char name[300], type[32], qu[8] = "";
    assert_true(sscanf(line, "%299s %31s %7s", name, type, qu) >= 2);
    struct dns_question q = {.name = dns_text_name(name),
                             .class = (uint16_t)(DNS_IN | (qu[0] != '\0' ? TOP_BIT : 0))};
    assert_true(dns_type_parse(bytes_of_text(type), &q.type));
    assert_true(dns_build_question(b, &q));
}

static void put_records(struct dns_builder *b, const char *const *lines)
{
    for (; lines != NULL && *lines != NULL; lines++) {
        char line[2048], reason[200];
        uint8_t rdata[2048];
        snprintf(line, sizeof line, "%s", *lines);
        char *flush = strstr(line, " fl ");
        if (flush != NULL)
            memcpy(flush, " IN ", 4);
        struct writer w = writer_of(rdata, sizeof rdata);
        struct dns_error error = dns_error_of(reason, sizeof reason);
        struct dns_record r;
        struct dns_line_context context = {.ttl = 120};
        if (!dns_record_parse(bytes_of_text(line), &context, &w, &r, &error))
            fail_msg("%s: %s", line, reason);
        uint16_t class = (uint16_t)(DNS_IN | (flush != NULL ? TOP_BIT : 0));
        assert_true(dns_build_record(
            b, &(struct dns_build_record){&r.owner, r.type, class, r.ttl, r.rdata}));
    }
}

void mdns_link_say(struct mdns_link *link, const struct mdns_link_words *words)
{
    static uint8_t buffer[MDNS_MESSAGE_MAX];
    struct dns_builder b;
    dns_build_start(&b, buffer, sizeof buffer);
    for (const char *const *q = words->questions; q != NULL && *q != NULL; q++)
        put_question(&b, *q);
    dns_build_section(&b, DNS_ANSWER);
    put_records(&b, words->answers);
    dns_build_section(&b, DNS_AUTHORITY);
    put_records(&b, words->authority);
    struct bytes message = dns_build_finish(&b, words->id, words->flags);
    struct mdns_link_packet packet = {.from = -1, .to = words->to, .source = words->from};
    post(link, &packet, message);
}

/* ---- what was said ---- */

void mdns_link_clear(struct mdns_link *link)
{
    link->log.len = 0;
    link->log.start[0] = '\0';
}

static const char *find_line(const struct mdns_link *link, const char *text, unsigned n)
{
    const char *at = link->log.start;
    while ((at = strstr(at, text)) != NULL) {
        const char *line = at;
        while (line > link->log.start && line[-1] != '\n')
            line--;
        if (n-- == 0)
            return line;
        at = strchr(at, '\n');
    }
    return NULL;
}

unsigned mdns_link_count(const struct mdns_link *link, const char *text)
{
    unsigned count = 0;
    while (find_line(link, text, count) != NULL)
        count++;
    return count;
}

usec mdns_link_when(const struct mdns_link *link, const char *text, unsigned n)
{
    unsigned long long seconds, micros;
    const char *line = find_line(link, text, n);
    if (line == NULL || sscanf(line, "%llu.%6llu", &seconds, &micros) != 2)
        fail_msg("never said: %s (%u), but:\n%s", text, n, link->log.start);
    return (usec)(seconds * USEC_PER_SEC + micros);
}

const char *mdns_link_known(struct mdns_link *link, int host, const char *name, uint16_t type)
{
    static char out[4096];
    struct text t = text_of(out, sizeof out);
    struct dns_question question = {dns_text_name(name), type, DNS_IN};
    const void *place = NULL;
    struct mdns_answer answer;
    while (mdns_each_answer(link->hosts[host], &question, link->now, &place, &answer)) {
        if (t.len > 0)
            text_add(&t, " ");
        dns_rdata_format(answer.type, answer.rdata, &t);
    }
    if (t.len == 0)
        text_add(&t, mdns_denied(link->hosts[host], &question) ? "!" : "-");
    return out;
}
