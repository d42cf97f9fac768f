/* SPDX-License-Identifier: ISC */
/*
 * dns_client.c - attempts, and which reply is believed (RFC 5452 §9.1: id, addresses, ports and the
 * question must all agree).
 */
#include "proto/dns/dns_client.h"

void dns_client_init(struct dns_client *client, const struct dns_client_options *options, usec now)
{
    *client = (struct dns_client){
        .options = *options,
        .state = DNS_CLIENT_READY,
        .due_at = USEC_NEVER,
        .give_up_at = now + DNS_CLIENT_TIMEOUT,
    };
}

static void finish(struct dns_client *client, enum dns_client_state state)
{
    client->state = state;
    client->due_at = USEC_NEVER;
}

static bool all_tried(const struct dns_client *client, const struct dns_servers *servers)
{
    return (client->tried & ((1u << servers->count) - 1)) == (1u << servers->count) - 1;
}

static void try_again(struct dns_client *client, usec now)
{
    bool more = client->attempts < DNS_CLIENT_ATTEMPTS_MAX && now < client->give_up_at;
    finish(client, more ? DNS_CLIENT_READY : DNS_CLIENT_FAILED);
}

/* The first that is well; else the one that has been left in peace longest. */
static uint8_t choose(struct dns_client *client, const struct dns_servers *servers, usec now)
{
    if (all_tried(client, servers))
        client->tried = 0;
    size_t best = servers->count;
    for (size_t i = 0; i < servers->count; i++) {
        if ((client->tried & 1u << i) != 0)
            continue;
        if (servers->list[i].avoid_until <= now)
            return (uint8_t)i;
        if (best == servers->count ||
            servers->list[i].avoid_until < servers->list[best].avoid_until)
            best = i;
    }
    return (uint8_t)best;
}

/* draft-vixie-dnsext-dns0x20: every letter's case is one more bit that a forger must guess. */
static void randomise_case(struct dns_name *name, struct prng *prng)
{
    uint32_t bits = 0;
    unsigned left = 0;
    for (size_t at = 0; name->octets[at] != 0; at += (size_t)name->octets[at] + 1) {
        for (size_t i = at + 1; i <= at + name->octets[at]; i++) {
            uint8_t letter = name->octets[i] | 0x20;
            if (letter < 'a' || letter > 'z')
                continue;
            if (left == 0) {
                bits = prng_u32(prng);
                left = 32;
            }
            name->octets[i] = (uint8_t)((bits & 1) != 0 ? letter & ~0x20 : letter);
            bits >>= 1;
            left--;
        }
    }
}

static usec attempt_timeout(const struct dns_client *client, const struct dns_server *server)
{
    static const uint8_t seconds[] = {1, 2, 2, 3};
    size_t at = client->timeouts < ARRAY_LEN(seconds) ? client->timeouts : ARRAY_LEN(seconds) - 1;
    return server->timeout != 0 ? server->timeout : seconds[at] * DNS_CLIENT_FIRST_TIMEOUT;
}

void dns_client_send(struct dns_client *client, const struct dns_servers *servers,
                     struct prng *prng, usec now, uint8_t *buffer, struct dns_client_send *out)
{
    ASSERT(client->state == DNS_CLIENT_READY && servers->count > 0);
    if (!client->same_server) {
        client->server = choose(client, servers, now);
        client->stream = false;
        client->plain = false;
    }
    client->same_server = false;
    client->tried |= (uint8_t)(1u << client->server);
    client->attempts++;
    client->id = (uint16_t)prng_u32(prng);
    client->sent = client->options.question.name;
    client->sent_plain = servers->list[client->server].plain_case;
    if (!client->sent_plain)
        randomise_case(&client->sent, prng);

    struct dns_builder b;
    struct dns_question question = client->options.question;
    question.name = client->sent;
    dns_build_start(&b, buffer, DNS_CLIENT_QUERY_MAX);
    bool fits = dns_build_question(&b, &question);
    if (!client->plain) {
        struct dns_edns edns = {
            .present = true,
            .dnssec_ok = client->options.dnssec_ok,
            .udp_size = DNS_UDP_SIZE_DEFAULT,
            .options = bytes_empty(),
        };
        fits &= dns_build_edns(&b, &edns);
    }
    ASSERT(fits);
    out->server = servers->list[client->server].endpoint;
    out->stream = client->stream;
    out->message = dns_build_finish(&b, client->id, client->options.flags);
    client->state = DNS_CLIENT_WAITING;
    client->sent_at = now;
    client->due_at = usec_min(now + attempt_timeout(client, &servers->list[client->server]),
                              client->give_up_at);
}

/* A server that says it cannot: another may. True: ask again. */
static bool ask_another(struct dns_client *client, const struct dns_servers *servers, usec now)
{
    if (all_tried(client, servers))
        return false;
    try_again(client, now);
    return client->state == DNS_CLIENT_READY;
}

static void ask_the_same(struct dns_client *client, usec now)
{
    client->same_server = true;
    try_again(client, now);
}

/* A header without a question is how some servers say that they did not understand; it is taken for
 * no more than that. */
static void on_bare_header(struct dns_client *client, struct dns_servers *servers,
                           const struct dns_header *header, usec now)
{
    unsigned rcode = header->flags & DNS_RCODE_MASK;
    if (header->counts[DNS_QUESTION] != 0 || rcode == DNS_NOERROR || rcode == DNS_NXDOMAIN)
        return;
    if (rcode == DNS_FORMERR && !client->plain) {
        client->plain = true; /* RFC 6891 §7 */
        ask_the_same(client, now);
    } else if (!ask_another(client, servers, now)) {
        finish(client, DNS_CLIENT_FAILED);
    }
}

static bool question_agrees(struct dns_client *client, struct dns_servers *servers,
                            const struct dns_question *question, usec now)
{
    const struct dns_question *asked = &client->options.question;
    if (question->type != asked->type || question->class != asked->class ||
        !dns_name_equal(&question->name, &client->sent))
        return false;
    if (client->sent_plain || dns_name_same(&question->name, &client->sent))
        return true;
    /* All but the case: a server that does not keep it, or a forger who has guessed the rest. The
     * server is asked once more as plainly as it wants it, from a new port with a new id. */
    servers->list[client->server].plain_case = true;
    ask_the_same(client, now);
    return false;
}

/* What a genuine answer means for the question. True: it is to be given to who asked. */
static bool take(struct dns_client *client, struct dns_servers *servers,
                 const struct dns_summary *summary, usec now)
{
    unsigned rcode = dns_summary_rcode(summary);
    if ((rcode == DNS_FORMERR || rcode == DNS_NOTIMP) && !client->plain &&
        !summary->edns.present) {
        client->plain = true;
        ask_the_same(client, now);
        return false;
    }
    bool refused = rcode == DNS_SERVFAIL || rcode == DNS_REFUSED || rcode == DNS_NOTIMP;
    if (refused && ask_another(client, servers, now))
        return false;
    if ((summary->header.flags & DNS_TC) != 0 && !client->stream && client->options.stream_wanted) {
        client->stream = true; /* RFC 7766 §5 */
        ask_the_same(client, now);
        return false;
    }
    finish(client, DNS_CLIENT_DONE);
    return true;
}

bool dns_client_input(struct dns_client *client, struct dns_servers *servers,
                      const struct endpoint *from, struct bytes message, usec now,
                      struct dns_summary *out)
{
    if (client->state != DNS_CLIENT_WAITING ||
        !endpoint_equal(from, &servers->list[client->server].endpoint))
        return false;
    enum wire_status status = dns_summarise(message, out);
    if (status == WIRE_TRUNCATED || out->header.id != client->id ||
        (out->header.flags & DNS_QR) == 0 ||
        dns_opcode(out->header.flags) != DNS_OPCODE_QUERY)
        return false;
    if (status != WIRE_OK) {
        on_bare_header(client, servers, &out->header, now);
        return false;
    }
    if (!question_agrees(client, servers, &out->question, now))
        return false;
    servers->list[client->server].avoid_until = 0;
    return take(client, servers, out, now);
}

void dns_client_reject(struct dns_client *client, const struct dns_servers *servers, usec now)
{
    ASSERT(client->state == DNS_CLIENT_DONE);
    if (!ask_another(client, servers, now))
        finish(client, DNS_CLIENT_FAILED);
}

void dns_client_broken(struct dns_client *client, struct dns_servers *servers, usec now)
{
    if (client->state != DNS_CLIENT_WAITING)
        return;
    servers->list[client->server].avoid_until = now + DNS_SERVER_AVOID_INTERVAL;
    if (!ask_another(client, servers, now))
        finish(client, DNS_CLIENT_FAILED);
}

usec dns_client_deadline(const struct dns_client *client)
{
    return client->due_at;
}

void dns_client_tick(struct dns_client *client, struct dns_servers *servers, usec now)
{
    if (client->state != DNS_CLIENT_WAITING || now < client->due_at)
        return;
    servers->list[client->server].avoid_until = now + DNS_SERVER_AVOID_INTERVAL;
    client->timeouts++;
    try_again(client, now);
}
