/* SPDX-License-Identifier: ISC */
/*
 * site.c - starts, changes and stops a site: the node with its link, and the parts on it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/tap.h"
#include "site/site_internal.h"
#include "site/site_workers.h"
#include "stack/tcp/tcp.h"
#include "stack/tcp/tcp_profile.h"

bool site_wants_offload(const struct site_config *config)
{
    return wire_is_ideal(&config->link.impairments);
}

static int add_interface(struct site *site, struct text *error)
{
    const struct site_config *config = site->config;
    struct interface_options options = {
        .mac = site_config_mac(config),
        .mtu = (uint16_t)config->link.mtu,
        .features = config->gateway.present ? INTERFACE_INTERCEPT : 0,
    };
    snprintf(options.name, sizeof options.name, "%s", site->device);
    if (site_wants_offload(config))
        options.features |= INTERFACE_CHECKSUM | INTERFACE_TSO4 | INTERFACE_TSO6;
    int interface = stack_add_interface(node_stack(site->node), &options);
    if (interface < 0 || !stack_add_address(node_stack(site->node), (unsigned)interface,
                                            &config->link.address, false)) {
        text_add(error, "cannot add the interface to the stack");
        return -ENOSPC;
    }
    site->interface = (unsigned)interface;
    return 0;
}

static int start_node(struct site *site, struct text *error)
{
    struct tcp_profile profile = tcp_profile_default;
    profile.congestion = site->config->link.congestion;
    profile.ecn = site->config->link.ecn;
    profile.syn_cookies = site->config->link.syn_cookies;
    struct stack_options options = {.tcp_profile = &profile};
    if (site->capture != NULL)
        options.trace = capture_trace(site->capture);
    site->node = node_new(site->loop, &options);
    if (site->node == NULL) {
        text_add(error, "no memory for a network stack");
        return -ENOMEM;
    }
    int result = add_interface(site, error);
    if (result < 0)
        return result;
    site->inside = net_stack_new(site->node);
    if (site->inside == NULL) {
        text_add(error, "no memory for the sockets of the stack");
        return -ENOMEM;
    }
    return 0;
}

static void stop_parts(struct site *site, const bool *which)
{
    for (size_t i = SITE_PARTS; i-- > 0;)
        if (which == NULL || which[i]) {
            site_workers_stop(site, &site_parts[i]);
            site_parts[i].stop(site);
        }
}

/* Those of `which`, all for NULL. */
static int start_parts(struct site *site, const bool *which, struct text *error)
{
    for (size_t i = 0; i < SITE_PARTS; i++) {
        if (which != NULL && !which[i])
            continue;
        int result = site_parts[i].start(site, error);
        if (result == 0)
            result = site_workers_start(site, &site_parts[i], error);
        if (result < 0)
            return result;
    }
    return 0;
}

int site_new(const struct site_options *options, struct site **out, struct text *error)
{
    struct site *site = calloc(1, sizeof *site);
    if (site == NULL) {
        site_config_free(options->config);
        text_add(error, "no memory for a site");
        return -ENOMEM;
    }
    site->loop = options->loop;
    site->first = site;
    site->log = options->log;
    site->capture = options->capture;
    site->capture_path = options->capture_path;
    site->config = options->config;
    site->started_at = loop_now(options->loop);
    site->guest = address_any_v4();
    snprintf(site->device, sizeof site->device, "%s", site->config->link.name);
    site->outside = net_kernel_new(options->loop);
    int result = site->outside == NULL ? -ENOMEM : 0;
    if (result < 0)
        text_add(error, "no memory for the host's sockets");
    else if (site->config->link.device == SITE_DEVICE_HOST)
        site->inside = site->outside;
    else
        result = start_node(site, error);
    if (result == 0)
        result = site_workers_new(site, error);
    if (result == 0)
        result = start_parts(site, NULL, error);
    if (result < 0) {
        site_free(site);
        return result;
    }
    site_workers_ready(site);
    *out = site;
    return 0;
}

void site_free(struct site *site)
{
    if (site == NULL)
        return;
    stop_parts(site, NULL);
    site_workers_free(site);
    if (site->inside != NULL && site->inside != site->outside)
        net_free(site->inside);
    if (site->outside != NULL)
        net_free(site->outside);
    tap_port_free(site->port);
    if (site->node != NULL)
        node_free(site->node);
    site_config_free(site->config);
    free(site);
}

int site_attach(struct site *site, int fd, const char *name, struct text *error)
{
    ASSERT(site->node != NULL && site->port == NULL);
    const struct site_link *link = &site->config->link;
    struct wire_options wire = {
        .seed = link->seed,
        .a_to_b = link->impairments,
        .b_to_a = link->impairments,
    };
    if (site->capture != NULL)
        wire.trace = capture_trace(site->capture);
    const struct tap_port_options options = {
        .fd = fd,
        .interface = site->interface,
        .vnet = true,
        .mtu = (uint16_t)link->mtu,
        .name = name,
        .mac = site_config_mac(site->config),
        .capture = site->capture,
        .wire = wire_is_ideal(&link->impairments) ? NULL : &wire,
    };
    snprintf(site->device, sizeof site->device, "%s", name);
    /* In a record each datagram is to be seen. */
    bool joins = site_wants_offload(site->config) && site->capture == NULL && tap_cuts_datagrams(fd);
    int result = tap_port_new(site->node, &options, &site->port);
    if (result < 0)
        text_add_format(error, "cannot attach the device %s: %s", name, strerror(-result));
    else if (joins)
        stack_add_features(node_stack(site->node), site->interface, INTERFACE_USO4);
    return result;
}

static void reload_part(struct site *site, const struct site_part *part)
{
    part->reload(site);
    site_workers_reload(site, part);
}

int site_reload(struct site *site, struct site_config *config, struct text *error)
{
    if (memcmp(&site->config->link, &config->link, sizeof config->link) != 0) {
        text_add(error, "the link has changed: that takes a restart");
        site_config_free(config);
        return -EBUSY;
    }
    if (site_workers_wanted(site->config) != site_workers_wanted(config)) {
        text_add(error, "the number of workers has changed: that takes a restart");
        site_config_free(config);
        return -EBUSY;
    }
    bool changed[SITE_PARTS];
    for (size_t i = 0; i < SITE_PARTS; i++)
        changed[i] = !site_parts[i].same(site->config, config);
    struct site_config *old = site->config;
    stop_parts(site, changed);
    site->config = config;
    int result = start_parts(site, changed, error);
    if (result == 0) {
        for (size_t i = 0; i < SITE_PARTS; i++)
            if (changed[i])
                log_info(site->log, "%s: as the site file has it now", site_parts[i].name);
            else if (site_parts[i].reload != NULL)
                reload_part(site, &site_parts[i]);
        site_workers_configure(site);
        site_config_free(old);
        return 0;
    }
    char complaint[256] = "";
    struct text again = text_of(complaint, sizeof complaint);
    stop_parts(site, changed);
    site->config = old;
    if (start_parts(site, changed, &again) < 0)
        log_error(site->log, "the old configuration does not start again either: %s", complaint);
    site_workers_configure(site);
    site_config_free(config);
    return result;
}

const struct site_config *site_config(const struct site *site)
{
    return site->config;
}

bool site_idle(const struct site *site)
{
    size_t place = 0;
    const struct tcp_connection *c;
    while (site->node != NULL && (c = tcp_each(node_stack(site->node), &place)) != NULL)
        if (tcp_state(c) != TCP_TIME_WAIT && tcp_state(c) != TCP_CLOSED)
            return false;
    struct tcp_entry_info entry;
    place = 0;
    while (site->node != NULL && tcp_each_entry(node_stack(site->node), &place, &entry))
        if (entry.state != TCP_TIME_WAIT)
            return false;
    return true;
}

void site_log_summary(const struct site *site)
{
    if (site->port == NULL || !log_wants(site->log, LOG_LEVEL_INFO))
        return;
    struct tap_port_counters counters;
    tap_port_counters(site->port, &counters);
    uint64_t drops = 0;
    for (unsigned i = 1; i < DROP_REASON_COUNT; i++)
        drops += stack_drops(node_stack(site->node), (enum drop_reason)i);
    char in[32], out[32];
    struct text in_text = text_of(in, sizeof in), out_text = text_of(out, sizeof out);
    text_add_size(&in_text, counters.octets_in);
    text_add_size(&out_text, counters.octets_out);
    log_info(site->log, "%s: %" PRIu64 " frames (%s) from the program, %" PRIu64
             " frames (%s) to it, %" PRIu64 " dropped, %.3f s", site->device, counters.frames_in,
             in, counters.frames_out, out, drops,
             (double)(loop_now(site->loop) - site->started_at) / USEC_PER_SEC);
    for (unsigned i = 1; i < DROP_REASON_COUNT; i++) {
        uint64_t count = stack_drops(node_stack(site->node), (enum drop_reason)i);
        if (count > 0)
            log_debug(site->log, "dropped %" PRIu64 ": %s", count,
                      drop_reason_text((enum drop_reason)i));
    }
}
