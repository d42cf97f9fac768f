/* SPDX-License-Identifier: ISC */
/*
 * site_mdns.c - multicast DNS on the host's links: what is said of the host, by the first worker, and what the
 * name service of each worker asks for. Links and addresses may come and go.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/mdns/mdns_link.h"
#include "os/interfaces.h"
#include "site/site_internal.h"
#include "site/site_values.h"

/* For addresses that a link is being given: IPv6 ones are looked at by the kernel first, and come one by one. */
#define SETTLE (500 * USEC_PER_MSEC)

struct site_mdns_links {
    struct site *site;
    struct mdns_link *links[SITE_MDNS_LINKS_MAX];
    size_t count;
    struct watch watch;      /* of the host's interfaces */
    struct alarm settling;
    char host[SITE_LABEL_MAX];
    struct mdns_host shared; /* of all links */
};

bool site_mdns_same(const struct site_config *a, const struct site_config *b)
{
    return SITE_SAME(mdns) && SITE_SAME(names.local);
}

static void on_event(void *self, struct mdns_link *link, const struct mdns_event *event)
{
    const struct site_mdns_links *links = self;
    struct site *site = links->site;
    char name[DNS_NAME_TEXT_MAX];
    if (event->kind == MDNS_ANSWERS_CHANGED) {
        if (site->names != NULL)
            names_local_heard(site->names, link, event->question);
        return;
    }
    const struct mdns *m = mdns_link_machine(link);
    dns_name_format(mdns_name(m, event->name), name);
    switch (mdns_name_state(m, event->name)) {
    case MDNS_NAME_ANNOUNCING:
    case MDNS_NAME_HELD:
        log_notice(site->log, "mdns: %s: %s is ours", mdns_link_interface(link), name);
        break;
    case MDNS_NAME_LOST:
        log_error(site->log, "mdns: %s: another has %s", mdns_link_interface(link), name);
        break;
    case MDNS_NAME_WAITING:
    case MDNS_NAME_PROBING:
        log_info(site->log, "mdns: %s: %s is tried for", mdns_link_interface(link), name);
        break;
    case MDNS_NAME_STATE_COUNT:
        break;
    }
}

struct mdns_link *site_mdns_link(const struct site *site, size_t i)
{
    return site->mdns != NULL && i < site->mdns->count ? site->mdns->links[i] : NULL;
}

/* ---- what is said ---- */

static bool publish(const struct site_mdns_links *links, struct mdns_link *link)
{
    const struct site_mdns *config = &links->site->config->mdns;
    bool good = mdns_link_publish_host(link, links->host);
    for (size_t i = 0; i < config->service_count && good; i++) {
        const struct site_mdns_service *s = &config->services[i];
        const char *instance = s->instance[0] != '\0' ? s->instance : links->host;
        struct mdns_service service = {bytes_of_text(instance), bytes_of_text(s->type), s->port,
                                       bytes_of(s->txt, s->txt_len)};
        good = mdns_link_publish_service(link, &service);
    }
    return good;
}

/* ---- links ---- */

static bool is_wanted(const struct site_mdns *config, const struct host_interface *interface)
{
    for (size_t i = 0; i < config->interface_count; i++)
        if (strcmp(config->interfaces[i], interface->name) == 0)
            return true;
    return config->interface_count == 0 && interface->up && interface->multicast &&
           !interface->loopback;
}

static struct mdns_link *find_link(const struct site_mdns_links *links, const char *interface)
{
    for (size_t i = 0; i < links->count; i++)
        if (strcmp(mdns_link_interface(links->links[i]), interface) == 0)
            return links->links[i];
    return NULL;
}

static void add_link(struct site_mdns_links *links, const struct host_interface *interface)
{
    static const struct mdns_link_handler handler = {on_event};
    struct site *site = links->site;
    const struct mdns_link_options options = {interface->name, interface->addresses,
                                              interface->address_count, &links->shared};
    struct mdns_link *link;
    if (links->count == SITE_MDNS_LINKS_MAX || interface->address_count == 0)
        return;
    int status = mdns_link_new(site->outside, &options, &handler, links, &link);
    if (status < 0) {
        log_error(site->log, "mdns: %s: %s", interface->name, strerror(-status));
        return;
    }
    links->links[links->count++] = link;
    if (site->worker == 0 && site->config->mdns.present && !publish(links, link))
        log_error(site->log, "mdns: %s: not all could be announced", interface->name);
}

static void drop_link(struct site_mdns_links *links, size_t i)
{
    mdns_link_free(links->links[i]);
    links->links[i] = links->links[--links->count];
}

static void note_addresses(struct site_mdns_links *links, const struct host_interfaces *all)
{
    struct mdns_host *shared = &links->shared;
    shared->address_count = 0;
    for (size_t i = 0; i < all->count; i++)
        for (size_t k = 0; k < all->list[i].address_count; k++)
            if (shared->address_count < MDNS_HOST_ADDRESSES_MAX)
                shared->addresses[shared->address_count++] = all->list[i].addresses[k].address;
}

/* All that there is now: links that have gone are let go, others get their addresses, new ones are added. */
static int look_around(struct site_mdns_links *links)
{
    struct site *site = links->site;
    struct host_interfaces *all = calloc(1, sizeof *all);
    if (all == NULL)
        return -ENOMEM;
    int status = host_interfaces_list(all);
    if (status < 0) {
        free(all);
        return status;
    }
    if (site->names != NULL)
        names_set_local(site->names, NULL, 0);
    note_addresses(links, all);
    for (size_t i = links->count; i-- > 0;) {
        const struct host_interface *interface =
            host_interfaces_find(all, mdns_link_interface(links->links[i]));
        if (interface == NULL || !interface->up || !is_wanted(&site->config->mdns, interface))
            drop_link(links, i);
        else
            mdns_link_set_addresses(links->links[i], interface->addresses, interface->address_count);
    }
    for (size_t i = 0; i < all->count; i++)
        if (is_wanted(&site->config->mdns, &all->list[i]) &&
            find_link(links, all->list[i].name) == NULL)
            add_link(links, &all->list[i]);
    free(all);
    site_mdns_lend(site);
    return 0;
}

static void on_settled(struct alarm *alarm)
{
    struct site_mdns_links *links = CONTAINER_OF(alarm, struct site_mdns_links, settling);
    int status = look_around(links);
    if (status < 0)
        log_error(links->site->log, "mdns: cannot look at the host's interfaces: %s",
                  strerror(-status));
}

static void on_change(struct watch *watch, unsigned ready UNUSED)
{
    struct site_mdns_links *links = CONTAINER_OF(watch, struct site_mdns_links, watch);
    host_interfaces_changed(watch->fd);
    loop_set_alarm(links->site->loop, &links->settling, loop_now(links->site->loop) + SETTLE);
}

void site_mdns_lend(struct site *site)
{
    if (site->names != NULL && site->mdns != NULL && site->config->names.local)
        names_set_local(site->names, site->mdns->links, site->mdns->count);
}

/* ---- life ---- */

/* The first label of what the host is called, if it is one. */
static void choose_host(struct site_mdns_links *links)
{
    char name[SITE_NAME_MAX] = "";
    const char *said = links->site->config->mdns.host;
    struct text host = text_of(links->host, sizeof links->host);
    (void)gethostname(name, sizeof name - 1);
    struct bytes label = bytes_first(bytes_of_text(name), bytes_find(bytes_of_text(name), '.'));
    if (said[0] != '\0')
        label = bytes_of_text(said);
    else if (!site_label_valid(label))
        label = bytes_of_text("wholenet");
    text_add_bytes(&host, label);
}

int site_mdns_start(struct site *site, struct text *error)
{
    const struct site_config *config = site->config;
    bool asks = config->names.present && config->names.local;
    if (!asks && (!config->mdns.present || site->worker > 0))
        return 0;
    struct site_mdns_links *links = calloc(1, sizeof *links);
    if (links == NULL)
        return site_failed(error, -ENOMEM, "cannot speak multicast DNS", NULL);
    site->mdns = links;
    links->site = site;
    alarm_init(&links->settling, on_settled);
    choose_host(links);
    links->watch.fd = host_interfaces_watch();
    int result = links->watch.fd;
    if (result >= 0)
        result = loop_watch(site->loop, &links->watch, links->watch.fd, LOOP_READ, on_change);
    if (result >= 0)
        result = look_around(links);
    return result < 0 ? site_failed(error, result, "cannot look at the host's interfaces", NULL) : 0;
}

void site_mdns_stop(struct site *site)
{
    struct site_mdns_links *links = site->mdns;
    if (links == NULL)
        return;
    if (site->names != NULL)
        names_set_local(site->names, NULL, 0);
    while (links->count > 0)
        drop_link(links, links->count - 1);
    loop_unwatch(&links->watch);
    if (links->watch.fd >= 0)
        (void)close(links->watch.fd);
    loop_clear_alarm(site->loop, &links->settling);
    free(links);
    site->mdns = NULL;
}
