/* SPDX-License-Identifier: ISC */
/* parent_check.c - asks each server of the parent for the DS records of a zone. */
#include "site/parent_check.h"

#include <errno.h>
#include <stdlib.h>

#include "proto/dns/dns_client.h"
#include "wire/dns/dns_message.h"

struct parent_check {
    struct parent_check_options options;
    struct dns_servers servers; /* the one that is asked */
    size_t asked;               /* of them all */
    struct dns_client client;
    struct dgram *dgram; /* of the present attempt; NULL: none */
    struct alarm alarm;
};

static void forget_socket(struct parent_check *check)
{
    if (check->dgram != NULL)
        dgram_close(check->dgram);
    check->dgram = NULL;
}

void parent_check_free(struct parent_check *check)
{
    if (check == NULL)
        return;
    forget_socket(check);
    loop_clear_alarm(check->options.loop, &check->alarm);
    free(check);
}

static void end(struct parent_check *check, bool has_all)
{
    void (*on_end)(void *, bool) = check->options.on_end;
    void *self = check->options.self;
    parent_check_free(check);
    on_end(self, has_all);
}

/* Is that RDATA among the answer's DS records? */
static bool has_ds(const struct parent_check *check, struct bytes message, struct bytes wanted)
{
    struct dns_cursor cursor;
    struct dns_question question;
    struct dns_rr rr;
    bool found = false;
    if (dns_cursor_start(&cursor, message) != WIRE_OK)
        return false;
    while (dns_cursor_question(&cursor, &question))
        continue;
    while (!found && dns_cursor_record(&cursor, &rr))
        found = rr.section == DNS_ANSWER && rr.type == DNS_DS && rr.class == DNS_IN &&
                dns_name_equal(&rr.owner, &check->options.zone) && bytes_equal(rr.rdata, wanted);
    return found;
}

static bool has_all(const struct parent_check *check, struct bytes message)
{
    for (size_t i = 0; i < check->options.ds_count; i++)
        if (!has_ds(check, message, bytes_of(check->options.ds[i].octets, check->options.ds[i].len)))
            return false;
    return true;
}

static void go_on(struct parent_check *check);

static void begin_server(struct parent_check *check)
{
    const struct dns_client_options options = {
        .question = {check->options.zone, DNS_DS, DNS_IN}, .flags = DNS_RD};
    check->servers = (struct dns_servers){.count = 1};
    check->servers.list[0].endpoint = check->options.servers[check->asked];
    dns_client_init(&check->client, &options, loop_now(check->options.loop));
    go_on(check);
}

static void on_message(void *self, struct dgram *dgram UNUSED, const struct dgram_message *message)
{
    struct parent_check *check = self;
    struct dns_summary summary;
    if (!dns_client_input(&check->client, &check->servers, &message->from, message->payload,
                          loop_now(check->options.loop), &summary)) {
        go_on(check);
        return;
    }
    if (dns_summary_rcode(&summary) != DNS_NOERROR || !has_all(check, message->payload)) {
        end(check, false);
        return;
    }
    forget_socket(check);
    if (++check->asked == check->options.server_count)
        end(check, true);
    else
        begin_server(check);
}

static void on_error(void *self, struct dgram *dgram UNUSED, const struct endpoint *to UNUSED, int error UNUSED)
{
    struct parent_check *check = self;
    dns_client_broken(&check->client, &check->servers, loop_now(check->options.loop));
    go_on(check);
}

/* A query from a socket of its own: an answer to a guess has to hit its port too (RFC 5452 §9.2). */
static void send_query(struct parent_check *check)
{
    static const struct dgram_handler handler = {on_message, on_error};
    uint8_t buffer[DNS_CLIENT_QUERY_MAX];
    struct dns_client_send query;
    struct dgram_options options = {.lean = true};
    dns_client_send(&check->client, &check->servers, loop_prng(check->options.loop),
                    loop_now(check->options.loop), buffer, &query);
    forget_socket(check);
    options.local.address = address_is_v4(&query.server.address) ? address_any_v4() : address_any_v6();
    struct dgram_message message = {.to = query.server, .payload = query.message};
    if (net_bind(check->options.net, &options, &handler, check, &check->dgram) < 0 ||
        dgram_send(check->dgram, &message) < 0)
        dns_client_broken(&check->client, &check->servers, loop_now(check->options.loop));
}

static void go_on(struct parent_check *check)
{
    while (check->client.state == DNS_CLIENT_READY)
        send_query(check);
    if (check->client.state == DNS_CLIENT_FAILED)
        end(check, false);
    else
        loop_set_alarm(check->options.loop, &check->alarm, dns_client_deadline(&check->client));
}

static void on_alarm(struct alarm *alarm)
{
    struct parent_check *check = CONTAINER_OF(alarm, struct parent_check, alarm);
    dns_client_tick(&check->client, &check->servers, loop_now(check->options.loop));
    go_on(check);
}

/* In a turn of its own: whoever asks may be told in the same breath. */
static void on_begin(struct alarm *alarm)
{
    struct parent_check *check = CONTAINER_OF(alarm, struct parent_check, alarm);
    alarm->on_due = on_alarm;
    begin_server(check);
}

int parent_check_new(const struct parent_check_options *options, struct parent_check **out)
{
    struct parent_check *check = calloc(1, sizeof *check);
    if (check == NULL)
        return -ENOMEM;
    ASSERT(options->server_count > 0 && options->server_count <= PARENT_SERVERS_MAX);
    check->options = *options;
    alarm_init(&check->alarm, on_begin);
    loop_set_alarm(options->loop, &check->alarm, loop_now(options->loop));
    *out = check;
    return 0;
}
