/* SPDX-License-Identifier: ISC */
/* mdns_link.c - the sockets of multicast DNS on an interface, and the records of the host there. */
#include "app/mdns/mdns_link.h"

#include <errno.h>
#include <stdlib.h>

#include "io/loop.h"

enum { V4, V6, FAMILIES };

struct mdns_link {
    struct loop *loop;
    char interface[16];
    const struct mdns_link_handler *handler;
    void *self;
    struct mdns *machine;
    struct dgram *dgrams[FAMILIES]; /* NULL: no address of that version, or none can be had */
    struct net *net;
    struct task running;
    struct alarm alarm;
    int host;                       /* our name; -1: none */
    struct ip_prefix addresses[MDNS_ADDRESSES_MAX];
    size_t address_count;
    int reverse[MDNS_ADDRESSES_MAX]; /* of each address; -1: none */
};

static struct ip_address group_of(int family)
{
    struct ip_address group;
    bool ok = address_parse(bytes_of_text(family == V4 ? "224.0.0.251" : "ff02::fb"), &group);
    ASSERT(ok);
    return group;
}

/* ---- the machine ---- */

static void send_to(struct mdns_link *link, int family, const struct endpoint *to, struct bytes message)
{
    struct dgram_message m = {.to = *to, .payload = message};
    /* A message that is lost here may be lost on the way, too. */
    if (link->dgrams[family] != NULL)
        (void)dgram_send(link->dgrams[family], &m);
}

static void send_out(struct mdns_link *link, const struct mdns_output *out)
{
    if (!out->multicast) {
        send_to(link, address_is_v4(&out->to.address) ? V4 : V6, &out->to, out->message);
        return;
    }
    for (int family = 0; family < FAMILIES; family++) {
        struct endpoint group = {group_of(family), MDNS_PORT};
        send_to(link, family, &group, out->message);
    }
}

static void send_all(struct mdns_link *link)
{
    uint8_t buffer[MDNS_MESSAGE_MAX];
    struct mdns_output out;
    while (mdns_next(link->machine, loop_now(link->loop), buffer, &out))
        send_out(link, &out);
}

static void run(struct mdns_link *link)
{
    struct mdns_event event;
    send_all(link);
    while (mdns_next_event(link->machine, &event))
        if (link->handler->on_event != NULL)
            link->handler->on_event(link->self, link, &event);
    loop_set_alarm(link->loop, &link->alarm, mdns_deadline(link->machine));
}

static void on_run(struct task *task)
{
    run(CONTAINER_OF(task, struct mdns_link, running));
}

static void on_alarm(struct alarm *alarm)
{
    run(CONTAINER_OF(alarm, struct mdns_link, alarm));
}

struct mdns *mdns_link_machine(struct mdns_link *link)
{
    loop_queue(link->loop, &link->running);
    return link->machine;
}

/* ---- sockets ---- */

static void on_message(void *self, struct dgram *dgram UNUSED, const struct dgram_message *message)
{
    struct mdns_link *link = self;
    struct mdns_input in = {.from = message->from,
                            .multicast = address_is_multicast(&message->to.address),
                            .message = message->payload};
    mdns_input(link->machine, &in, loop_now(link->loop));
    loop_queue(link->loop, &link->running);
}

static int bind_family(struct mdns_link *link, int family)
{
    static const struct dgram_handler handler = {.on_message = on_message};
    struct dgram_options options = {
        .local = {family == V4 ? address_any_v4() : address_any_v6(), MDNS_PORT},
        .interface = link->interface,
        .group = group_of(family),
    };
    return net_bind(link->net, &options, &handler, link, &link->dgrams[family]);
}

static bool has_family(const struct mdns_link *link, int family)
{
    for (size_t i = 0; i < link->address_count; i++)
        if (address_is_v4(&link->addresses[i].address) == (family == V4))
            return true;
    return false;
}

/* What there is no address of is let go; what there is one of is opened. 0, or why there is nothing. */
static int open_sockets(struct mdns_link *link)
{
    int status = -EADDRNOTAVAIL;
    for (int family = 0; family < FAMILIES; family++) {
        bool wanted = has_family(link, family);
        if (wanted && link->dgrams[family] == NULL) {
            int result = bind_family(link, family);
            status = result == 0 || status != 0 ? result : status;
        } else if (!wanted && link->dgrams[family] != NULL) {
            dgram_close(link->dgrams[family]);
            link->dgrams[family] = NULL;
        }
    }
    return link->dgrams[V4] != NULL || link->dgrams[V6] != NULL ? 0 : status;
}

static void take_addresses(struct mdns_link *link, const struct ip_prefix *addresses, size_t count)
{
    link->address_count = count < MDNS_ADDRESSES_MAX ? count : MDNS_ADDRESSES_MAX;
    memcpy(link->addresses, addresses, link->address_count * sizeof *addresses);
    mdns_set_addresses(link->machine, link->addresses, link->address_count);
}

int mdns_link_new(struct net *net, const struct mdns_link_options *options,
                  const struct mdns_link_handler *handler, void *self, struct mdns_link **out)
{
    struct mdns_link *link = calloc(1, sizeof *link);
    struct loop *loop = net_loop(net);
    struct heap heap = loop_heap(loop);
    if (link == NULL)
        return -ENOMEM;
    link->net = net;
    link->loop = loop;
    link->handler = handler;
    link->self = self;
    link->host = -1;
    struct text name = text_of(link->interface, sizeof link->interface);
    text_add(&name, options->interface);
    task_init(&link->running, on_run);
    alarm_init(&link->alarm, on_alarm);
    link->machine = mdns_new(&heap, loop_prng(loop), loop_now(loop));
    int status = link->machine == NULL ? -ENOMEM : name.failed ? -ENODEV : 0;
    if (status == 0) {
        mdns_share_port(link->machine);
        if (options->host != NULL)
            mdns_share_host(link->machine, options->host);
        take_addresses(link, options->addresses, options->address_count);
        status = open_sockets(link);
    }
    if (status != 0) {
        mdns_link_free(link);
        return status;
    }
    *out = link;
    return 0;
}

void mdns_link_free(struct mdns_link *link)
{
    if (link == NULL)
        return;
    if (link->machine != NULL) {
        mdns_withdraw(link->machine, loop_now(link->loop));
        send_all(link);
    }
    for (int family = 0; family < FAMILIES; family++)
        if (link->dgrams[family] != NULL)
            dgram_close(link->dgrams[family]);
    loop_unqueue(&link->running);
    loop_clear_alarm(link->loop, &link->alarm);
    mdns_free(link->machine);
    free(link);
}

const char *mdns_link_interface(const struct mdns_link *link)
{
    return link->interface;
}

/* ---- records of the host ---- */

static bool add_address(struct mdns_link *link, const struct ip_address *a)
{
    bool v4 = address_is_v4(a);
    struct mdns_record record = {
        .type = v4 ? DNS_A : DNS_AAAA,
        .ttl = MDNS_TTL_HOST,
        .rdata = bytes_of(a->octets + (v4 ? 12 : 0), v4 ? 4 : 16),
    };
    return mdns_add_record(link->machine, link->host, &record, loop_now(link->loop));
}

/* RFC 6762 §4. Whoever else claims it has it: our name is what matters. */
static int add_reverse(struct mdns_link *link, const struct ip_address *a)
{
    struct dns_name owner;
    usec now = loop_now(link->loop);
    dns_name_reverse(a, &owner);
    int name = mdns_add_name(link->machine, &owner, MDNS_STYLE_FIXED, now);
    if (name < 0)
        return -1;
    struct mdns_record record = {
        .type = DNS_PTR,
        .ttl = MDNS_TTL_HOST,
        .rdata = dns_name_bytes(mdns_name(link->machine, link->host)),
    };
    if (mdns_add_record(link->machine, name, &record, now))
        return name;
    mdns_drop_name(link->machine, name, now);
    return -1;
}

static bool publish_addresses(struct mdns_link *link)
{
    bool good = true;
    for (size_t i = 0; i < link->address_count; i++)
        good &= add_address(link, &link->addresses[i].address);
    return good;
}

/* The names of addresses that are still there stay. */
static void publish_reverse(struct mdns_link *link, const struct ip_prefix *before, size_t count,
                            const int *reverse)
{
    bool kept[MDNS_ADDRESSES_MAX] = {false};
    for (size_t i = 0; i < link->address_count; i++) {
        link->reverse[i] = -1;
        for (size_t j = 0; j < count; j++)
            if (address_equal(&before[j].address, &link->addresses[i].address) && reverse[j] >= 0) {
                link->reverse[i] = reverse[j];
                kept[j] = true;
            }
    }
    for (size_t j = 0; j < count; j++)
        if (!kept[j] && reverse[j] >= 0)
            mdns_drop_name(link->machine, reverse[j], loop_now(link->loop));
    for (size_t i = 0; i < link->address_count; i++)
        if (link->reverse[i] < 0)
            link->reverse[i] = add_reverse(link, &link->addresses[i].address);
}

bool mdns_link_publish_host(struct mdns_link *link, const char *label)
{
    struct dns_name local, name;
    ASSERT(link->host < 0);
    bool ok = dns_name_parse(bytes_of_text("local"), NULL, &local);
    ASSERT(ok);
    if (!dns_name_child(bytes_of_text(label), &local, &name))
        return false;
    link->host = mdns_add_name(mdns_link_machine(link), &name, MDNS_STYLE_HOST, loop_now(link->loop));
    if (link->host < 0 || !publish_addresses(link))
        return false;
    publish_reverse(link, NULL, 0, NULL);
    return true;
}

bool mdns_link_publish_service(struct mdns_link *link, const struct mdns_service *service)
{
    ASSERT(link->host >= 0);
    return mdns_add_service(mdns_link_machine(link), link->host, service, loop_now(link->loop)) >= 0;
}

void mdns_link_set_addresses(struct mdns_link *link, const struct ip_prefix *addresses, size_t count)
{
    struct mdns *machine = mdns_link_machine(link);
    if (count == link->address_count &&
        memcmp(addresses, link->addresses, count * sizeof *addresses) == 0)
        return;
    struct ip_prefix before[MDNS_ADDRESSES_MAX];
    int reverse[MDNS_ADDRESSES_MAX];
    size_t before_count = link->address_count;
    memcpy(before, link->addresses, sizeof before);
    memcpy(reverse, link->reverse, sizeof reverse);
    take_addresses(link, addresses, count);
    (void)open_sockets(link); /* without any it is silent until there are others */
    if (link->host < 0)
        return;
    mdns_drop_records(machine, link->host, DNS_A);
    mdns_drop_records(machine, link->host, DNS_AAAA);
    (void)publish_addresses(link); /* what does not fit is not told */
    publish_reverse(link, before, before_count, reverse);
}
