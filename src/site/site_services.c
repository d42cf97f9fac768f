/* SPDX-License-Identifier: ISC */
/*
 * site_services.c - the table of a running site's parts, and the control socket.
 * Each part starts from the site's configuration alone, so that a reload can exchange one and leave
 * the others as they are.
 */
#include <errno.h>
#include <string.h>

#include "site/control.h"
#include "site/site_internal.h"
#include "site/site_proxy.h"

int site_failed(struct text *error, int result, const char *what, const struct endpoint *where)
{
    char text[ENDPOINT_TEXT_MAX];
    text_add(error, what);
    if (where != NULL)
        text_add_format(error, " on %s", endpoint_format(where, text));
    text_add_format(error, ": %s", strerror(-result));
    if (result == -EACCES)
        text_add(error, "; ports below 1024 are for root (sysctl "
                        "net.ipv4.ip_unprivileged_port_start)");
    return result;
}

static bool control_same(const struct site_config *a, const struct site_config *b)
{
    return SITE_SAME(control);
}

static void control_stop(struct site *site)
{
    control_free(site->control);
    site->control = NULL;
}

static int control_start(struct site *site, struct text *error)
{
    const char *name = site->config->control;
    int result = control_new(site->loop, name[0] != '\0' ? name : NULL, site_answer, site,
                             &site->control);
    if (result == -EADDRINUSE) {
        text_add_format(error, "control \"%s\": a running wholenet has this name", name);
        return result;
    }
    return result < 0 ? site_failed(error, result, "cannot open the control socket", NULL) : 0;
}

const struct site_part site_parts[SITE_PARTS] = {
    {"control", control_same, control_start, control_stop, NULL, false},
    {"gateway", site_gateway_same, site_gateway_start, site_gateway_stop, NULL, false},
    {"names", site_names_same, site_names_start, site_names_stop, site_names_reload, true},
    {"mdns", site_mdns_same, site_mdns_start, site_mdns_stop, NULL, true},
    {"addresses", site_addresses_same, site_addresses_start, site_addresses_stop, NULL, false},
    {"web", site_web_same, site_web_start, site_web_stop, site_web_reload, true},
    {"proxy", site_proxy_same, site_proxy_start, site_proxy_stop, site_proxy_reload, false},
};
