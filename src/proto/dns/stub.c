/* SPDX-License-Identifier: ISC */
/* stub.c - candidates, their questions, and what the answers make of them. */
#include "proto/dns/stub.h"

#include "wire/dns/dns_record.h"

/* ---- candidates ---- */

static void ask(struct stub *stub, const struct dns_name *name, uint16_t type,
                struct stub_question *out, usec now)
{
    const struct dns_client_options options = {
        .question = {*name, type, DNS_IN},
        .flags = (uint16_t)(DNS_RD | (stub->conf->trust_ad ? DNS_AD : 0)),
        .stream_wanted = true,
    };
    dns_client_init(&out->client, &options, now);
    out->result = STUB_UNDER_WAY;
}

static void finish(struct stub *stub, enum stub_result result)
{
    if (result == STUB_NO_NAME && stub->saw_no_data)
        result = STUB_NO_DATA;
    stub->result = result;
}

/* Begins with the next candidate of the search list, or ends. */
static void begin_candidate(struct stub *stub, usec now)
{
    struct dns_name name;
    struct bytes typed = bytes_of(stub->typed, stub->typed_len);
    if (!resolv_conf_candidate(stub->conf, typed, stub->turn++, &name)) {
        finish(stub, STUB_NO_NAME);
        return;
    }
    stub->name = name;
    for (size_t i = 0; i < stub->question_count; i++) {
        struct stub_question *q = &stub->questions[i];
        ask(stub, &name, q->client.options.question.type, q, now);
    }
}

static void take_servers(struct stub *stub, unsigned turn)
{
    const struct resolv_conf *conf = stub->conf;
    size_t count = conf->server_count;
    stub->servers = (struct dns_servers){.count = count};
    for (size_t i = 0; i < count; i++) {
        size_t from = conf->rotate ? (i + turn) % count : i;
        stub->servers.list[i].endpoint = conf->servers[from];
        stub->servers.list[i].timeout = conf->timeout;
    }
}
_Static_assert((int)RESOLV_SERVERS_MAX <= (int)DNS_SERVERS_MAX, "all of them fit");

static void init(struct stub *stub, const struct resolv_conf *conf, unsigned turn)
{
    *stub = (struct stub){.conf = conf, .result = STUB_UNDER_WAY, .authentic = conf->trust_ad};
    take_servers(stub, turn);
}

/* RFC 6761 §6.3, §6.4: is it, or does it end in, that label? */
static bool is_below(struct bytes name, const char *label)
{
    struct bytes last = bytes_of_text(label);
    if (name.len > 0 && name.data[name.len - 1] == '.')
        name = bytes_first(name, name.len - 1);
    if (name.len < last.len ||
        !bytes_equal_nocase(bytes_after(name, name.len - last.len), last))
        return false;
    return name.len == last.len || name.data[name.len - last.len - 1] == '.';
}

static bool is_special(struct stub *stub, struct bytes typed, bool v4, bool v6)
{
    if (is_below(typed, "localhost") && dns_name_parse(typed, NULL, &stub->name)) {
        if (v6)
            stub->addresses[stub->address_count++] = (struct ip_address){{[15] = 1}};
        if (v4)
            stub->addresses[stub->address_count++] = address_v4(0x7f000001);
        stub->result = STUB_FOUND;
        return true;
    }
    if (is_below(typed, "invalid"))
        stub->result = STUB_NO_NAME;
    return stub->result != STUB_UNDER_WAY;
}

void stub_start(struct stub *stub, const struct resolv_conf *conf, struct bytes typed, bool v4,
                bool v6, unsigned turn, usec now)
{
    ASSERT(v4 || v6);
    init(stub, conf, turn);
    if (typed.len == 0 || typed.len > sizeof stub->typed) {
        stub->result = STUB_NO_NAME;
        return;
    }
    if (is_special(stub, typed, v4, v6))
        return;
    if (stub->servers.count == 0) {
        stub->result = STUB_AGAIN;
        return;
    }
    memcpy(stub->typed, typed.data, typed.len);
    stub->typed_len = typed.len;
    if (v4)
        stub->questions[stub->question_count++].client.options.question.type = DNS_A;
    if (v6)
        stub->questions[stub->question_count++].client.options.question.type = DNS_AAAA;
    begin_candidate(stub, now);
}

void stub_start_reverse(struct stub *stub, const struct resolv_conf *conf,
                        const struct ip_address *address, unsigned turn, usec now)
{
    struct dns_name name;
    init(stub, conf, turn);
    stub->reverse = true;
    if (stub->servers.count == 0) {
        stub->result = STUB_AGAIN;
        return;
    }
    /* The name that comes back may share letters with the question: as they are, for people. */
    for (size_t i = 0; i < stub->servers.count; i++)
        stub->servers.list[i].plain_case = true;
    dns_name_reverse(address, &name);
    stub->question_count = 1;
    ask(stub, &name, DNS_PTR, &stub->questions[0], now);
}

bool stub_finished(const struct stub *stub)
{
    return stub->result != STUB_UNDER_WAY;
}

/* ---- answers ---- */

static bool keep_address(struct stub *stub, const struct dns_rr *rr)
{
    struct ip_address a;
    struct reader r = reader_of(rr->rdata);
    if (rr->type == DNS_A)
        a = address_v4(read_u32(&r));
    else
        read_copy(&r, a.octets, sizeof a.octets);
    if (r.failed || reader_left(&r) > 0)
        return false;
    if (stub->address_count == STUB_ADDRESSES_MAX)
        return true;
    /* IPv4 first, whichever answer came first. */
    size_t at = stub->address_count++;
    for (; rr->type == DNS_A && at > 0 && !address_is_v4(&stub->addresses[at - 1]); at--)
        stub->addresses[at] = stub->addresses[at - 1];
    stub->addresses[at] = a;
    return true;
}

/* The name in a record's RDATA. */
static bool read_target(struct bytes message, const struct dns_rr *rr, struct dns_name *out)
{
    struct reader r = {rr->rdata.data, rr->rdata.data + rr->rdata.len, false};
    struct dns_name name;
    dns_name_read(&r, message, &name);
    if (r.failed)
        return false;
    *out = name;
    return true;
}

/* Where the aliases of the answer lead from `name`; records may come in any order. */
static void follow_aliases(struct bytes message, struct dns_name *name)
{
    for (int i = 0; i < STUB_ALIASES_MAX; i++) {
        struct dns_cursor cursor;
        struct dns_rr rr;
        bool moved = false;
        if (dns_cursor_start(&cursor, message) != WIRE_OK)
            return;
        while (!moved && dns_cursor_record(&cursor, &rr))
            moved = rr.section == DNS_ANSWER && rr.type == DNS_CNAME &&
                    dns_name_equal(&rr.owner, name) && read_target(message, &rr, name);
        if (!moved)
            return;
    }
}

static enum stub_result take_records(struct stub *stub, struct stub_question *q,
                                     struct bytes message)
{
    struct dns_name name = q->client.options.question.name;
    uint16_t type = q->client.options.question.type;
    struct dns_cursor cursor;
    struct dns_rr rr;
    enum stub_result result = STUB_NO_DATA;
    follow_aliases(message, &name);
    /* Its letters may be those of our question, which has them of any case. */
    if (!dns_name_equal(&name, &q->client.options.question.name))
        dns_name_lower(&name);
    if (dns_cursor_start(&cursor, message) != WIRE_OK)
        return STUB_AGAIN;
    while (dns_cursor_record(&cursor, &rr)) {
        if (rr.section != DNS_ANSWER || rr.type != type || rr.class != DNS_IN ||
            !dns_name_equal(&rr.owner, &name))
            continue;
        bool kept = type == DNS_PTR ? result != STUB_FOUND && read_target(message, &rr, &stub->name)
                                    : keep_address(stub, &rr);
        if (kept)
            result = STUB_FOUND;
    }
    if (result == STUB_FOUND && type != DNS_PTR)
        stub->name = name;
    return result;
}

static void judge(struct stub *stub, struct stub_question *q, const struct dns_summary *summary,
                  struct bytes message)
{
    stub->authentic = stub->authentic && (summary->header.flags & DNS_AD) != 0;
    switch (dns_summary_rcode(summary)) {
    case DNS_NOERROR:
        q->result = take_records(stub, q, message);
        break;
    case DNS_NXDOMAIN:
        q->result = STUB_NO_NAME;
        break;
    default:
        q->result = STUB_AGAIN;
        break;
    }
}

/* Both questions of a candidate have ended: is that it, or is there another one? */
static void conclude(struct stub *stub, usec now)
{
    bool found = false, again = false, no_data = false;
    for (size_t i = 0; i < stub->question_count; i++) {
        enum stub_result result = stub->questions[i].result;
        if (result == STUB_UNDER_WAY)
            return;
        found |= result == STUB_FOUND;
        again |= result == STUB_AGAIN;
        no_data |= result == STUB_NO_DATA;
    }
    stub->saw_no_data |= no_data;
    if (found)
        stub->result = STUB_FOUND;
    else if (again)
        stub->result = STUB_AGAIN;
    else if (stub->reverse)
        finish(stub, STUB_NO_NAME);
    else
        begin_candidate(stub, now);
}

/* ---- turning the crank ---- */

static void look(struct stub *stub, struct stub_question *q, usec now)
{
    if (q->result == STUB_UNDER_WAY && q->client.state == DNS_CLIENT_FAILED)
        q->result = STUB_AGAIN;
    conclude(stub, now);
}

/* single-request: one after the other, for a way that drops the second reply (resolv.conf(5)). */
static bool is_held_back(const struct stub *stub, size_t question)
{
    return stub->conf->single_request && question > 0 &&
           stub->questions[question - 1].result == STUB_UNDER_WAY;
}

static usec patience_of(const struct stub *stub)
{
    const struct resolv_conf *conf = stub->conf;
    return conf->timeout * (usec)conf->attempts * (usec)stub->servers.count;
}

bool stub_next(struct stub *stub, struct prng *prng, usec now, uint8_t *buffer, size_t *question,
               struct dns_client_send *out)
{
    for (size_t i = 0; i < stub->question_count && !stub_finished(stub); i++) {
        struct stub_question *q = &stub->questions[i];
        if (q->result != STUB_UNDER_WAY || q->client.state != DNS_CLIENT_READY ||
            is_held_back(stub, i))
            continue;
        if (q->client.attempts == 0) /* it may have been held back till now */
            q->client.give_up_at = now + patience_of(stub);
        dns_client_send(&q->client, &stub->servers, prng, now, buffer, out);
        if (stub->conf->stream) {
            q->client.stream = true;
            out->stream = true;
        }
        *question = i;
        return true;
    }
    return false;
}

bool stub_waits(const struct stub *stub, size_t question)
{
    return !stub_finished(stub) && question < stub->question_count &&
           stub->questions[question].result == STUB_UNDER_WAY &&
           stub->questions[question].client.state == DNS_CLIENT_WAITING;
}

void stub_input(struct stub *stub, size_t question, const struct endpoint *from,
                struct bytes message, usec now)
{
    struct dns_summary summary;
    if (!stub_waits(stub, question))
        return;
    struct stub_question *q = &stub->questions[question];
    if (dns_client_input(&q->client, &stub->servers, from, message, now, &summary))
        judge(stub, q, &summary, message);
    look(stub, q, now);
}

void stub_broken(struct stub *stub, size_t question, usec now)
{
    if (!stub_waits(stub, question))
        return;
    struct stub_question *q = &stub->questions[question];
    dns_client_broken(&q->client, &stub->servers, now);
    look(stub, q, now);
}

usec stub_deadline(const struct stub *stub)
{
    usec due_at = USEC_NEVER;
    for (size_t i = 0; i < stub->question_count && !stub_finished(stub); i++)
        if (stub_waits(stub, i))
            due_at = usec_min(due_at, dns_client_deadline(&stub->questions[i].client));
    return due_at;
}

void stub_tick(struct stub *stub, usec now)
{
    for (size_t i = 0; i < stub->question_count && !stub_finished(stub); i++) {
        struct stub_question *q = &stub->questions[i];
        if (q->result != STUB_UNDER_WAY)
            continue;
        dns_client_tick(&q->client, &stub->servers, now);
        look(stub, q, now);
    }
}
