/* SPDX-License-Identifier: ISC */
/* names_notify.c - telling secondaries that a zone has changed (RFC 1996). */
#include <errno.h>

#include "app/names/internal.h"

static void on_message(void *self, struct dgram *dgram UNUSED, const struct dgram_message *message)
{
    struct names *names = self;
    unsigned rcode;
    struct notify_item *item =
        notify_answered(&names->notify, &message->from, message->payload,
                        (uint64_t)loop_wall_seconds(names->loop), &rcode);
    if (item == NULL)
        return;
    notify_drop(&names->notify, item); /* whatever it says, it knows */
    loop_set_alarm(names->loop, &names->notify_alarm, loop_now(names->loop)); /* sockets are closed there */
}

/* One socket for each family, while there is somebody to tell. */
static struct dgram *socket_for(struct names *names, const struct ip_address *to)
{
    static const struct dgram_handler handler = {.on_message = on_message};
    bool v4 = address_is_v4(to);
    struct dgram **dgram = v4 ? &names->notify_v4 : &names->notify_v6;
    struct dgram_options options = {.local = {v4 ? address_any_v4() : address_any_v6(), 0}};
    if (*dgram == NULL && net_bind(names->peers_net, &options, &handler, names, dgram) != 0)
        *dgram = NULL;
    return *dgram;
}

static void send(struct names *names, struct notify_item *item)
{
    uint8_t buffer[NOTIFY_MESSAGE_MAX];
    const struct zone *zone = zone_set_get(names_zones(names, item->view), &item->zone);
    struct dgram *dgram = socket_for(names, &item->target.at.address);
    if (dgram == NULL || zone == NULL || !zone_is_served(zone))
        return;
    const struct rrset *soa = zone_rrset(zone->apex, DNS_SOA);
    struct dgram_message message = {
        .to = item->target.at,
        .payload = notify_build(&names->notify, item, soa->ttl, rrset_first(soa),
                                (uint64_t)loop_wall_seconds(names->loop), buffer),
    };
    names->counters.notifies_out++;
    (void)dgram_send(dgram, &message); /* it is sent again until it is answered */
}

static void run(struct names *names)
{
    bool given_up;
    struct notify_item *item;
    while ((item = notify_due(&names->notify, loop_now(names->loop), &given_up)) != NULL) {
        if (given_up) {
            names->counters.notifies_unanswered++;
            notify_drop(&names->notify, item);
        } else {
            send(names, item);
        }
    }
    if (names->notify.count == 0) {
        if (names->notify_v4 != NULL)
            dgram_close(names->notify_v4);
        if (names->notify_v6 != NULL)
            dgram_close(names->notify_v6);
        names->notify_v4 = names->notify_v6 = NULL;
    }
    loop_set_alarm(names->loop, &names->notify_alarm, notify_deadline(&names->notify));
}

static void on_alarm(struct alarm *alarm)
{
    run(CONTAINER_OF(alarm, struct names, notify_alarm));
}

void names_notify_open(struct names *names)
{
    notify_init(&names->notify, &names->heap, loop_prng(names->loop), &names->keys);
    alarm_init(&names->notify_alarm, on_alarm);
}

void names_notify_close(struct names *names)
{
    notify_done(&names->notify);
    loop_clear_alarm(names->loop, &names->notify_alarm);
    if (names->notify_v4 != NULL)
        dgram_close(names->notify_v4);
    if (names->notify_v6 != NULL)
        dgram_close(names->notify_v6);
}

void names_notify_all(struct names *names, size_t view, const struct dns_name *zone,
                      const struct names_notified *whom)
{
    for (size_t i = 0; i < whom->count; i++)
        if (notify_add(&names->notify, zone, view, &whom->peers[i], loop_now(names->loop)) != 0)
            names->counters.notifies_unanswered++; /* it looks for itself, in time */
    /* In a moment: a change is often one of several. */
    usec soon = loop_now(names->loop) + USEC_PER_SEC / 20;
    usec due = notify_deadline(&names->notify);
    if (whom->count > 0)
        loop_set_alarm(names->loop, &names->notify_alarm, due > soon ? due : soon);
}
