/* SPDX-License-Identifier: ISC */
/* site_names_service.c - the name server of a running site, with all that is its own. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/names/names_resolver.h"
#include "os/digest.h"
#include "os/hmac.h"
#include "site/site_anchors.h"
#include "site/site_catalogs.h"
#include "site/site_internal.h"
#include "site/site_names.h"
#include "site/site_tls.h"
#include "store/store.h"

bool site_names_same(const struct site_config *a, const struct site_config *b)
{
    return SITE_SAME(names) && SITE_SAME(names_tls) && SITE_SAME(recursion) && SITE_SAME(views) &&
           SITE_SAME(domain) && SITE_SAME(web.present) && SITE_SAME(web.name) &&
           SITE_SAME(gateway.present) && SITE_SAME(gateway.host_loopback) &&
           SITE_SAME(gateway.host_address) && SITE_SAME(addresses);
}

void site_names_stop(struct site *site)
{
    lease_names_free(site->lease_names);
    site->lease_names = NULL;
    site_zones_free(site->zones);
    site->zones = NULL;
    site_catalogs_free(site->catalogs);
    site->catalogs = NULL;
    site_secondaries_free(site->secondaries);
    site->secondaries = NULL;
    site_anchors_free(site->anchors);
    site->anchors = NULL;
    names_free(site->names);
    site->names = NULL;
    site_policies_free(site->policies);
    site->policies = NULL;
    store_close(site->journal);
    site->journal = NULL;
    tls_server_free(site->names_tls);
    site->names_tls = NULL;
    tls_client_free(site->primaries_tls);
    site->primaries_tls = NULL;
    tls_client_free(site->primaries_tls_anybody);
    site->primaries_tls_anybody = NULL;
    tls_client_free(site->forwarders_tls);
    site->forwarders_tls = NULL;
    tls_client_free(site->forwarders_tls_anybody);
    site->forwarders_tls_anybody = NULL;
    digest_free(site->digest);
    site->digest = NULL;
    hmac_free(site->hmac);
    site->hmac = NULL;
}

static int start_catalogs(struct site *site)
{
    const struct site_catalogs_options options = {
        .loop = site->loop,
        .log = site->log,
        .names = site->names,
        .secondaries = site->secondaries,
        .zones = site->zones,
    };
    return site_catalogs_new(&options, site->config, &site->catalogs);
}

static int start_zones(struct site *site, struct text *error)
{
    int result = site_tls_primaries(site, error);
    if (result == 0)
        result = site_names_set_manner(site);
    if (result == 0)
        result = site_zones_new(site->outside, site->log, site->names, site->config, &site->zones,
                                error);
    if (result == 0)
        result = site_secondaries_new(site->loop, site->log, site->names, site->config,
                                      &site->secondaries);
    if (result == 0)
        result = start_catalogs(site);
    if (result == 0)
        site_catalogs_publish(site->catalogs);
    if (result == -ENOMEM)
        return site_failed(error, result, "cannot load zones", NULL);
    return result;
}

static void on_trouble(void *self, const char *text)
{
    const struct site *site = self;
    log_error(site->log, "names: %s", text);
}

/* A zone is another one: lists are made of some, and some say which others there are. */
static void on_zone(void *self, size_t view, const struct dns_name *zone)
{
    struct site *site = self;
    if (site->policies != NULL)
        site_policies_zone_changed(site->policies, view, zone);
    if (site->catalogs != NULL)
        site_catalogs_zone_changed(site->catalogs, view, zone);
}

static int open_journal(struct site *site, struct text *error)
{
    const char *path = site->config->names.journal;
    char whole[SITE_PATH_MAX];
    char reason[STORE_ERROR_MAX];
    if (path[0] == '\0')
        return 0;
    int result = store_open(site_path(site->config, path, whole), &site->journal, reason);
    if (result < 0)
        text_add_format(error, "journal: %s", reason);
    return result;
}

/* What is wrong in one of the files leaves all lists as they were. */
static void reload_policies(struct site *site)
{
    char complaint[512] = "";
    struct text error = text_of(complaint, sizeof complaint);
    if (site_policies_reload(site->policies, site->config, &error) < 0)
        log_error(site->log, "names: lists stay as they were: %s", complaint);
}

void site_names_reload(struct site *site)
{
    char complaint[512] = "";
    struct text error = text_of(complaint, sizeof complaint);
    if (site->names == NULL)
        return;
    site_tls_reload(site, &site->config->names_tls, "names", site->names_tls);
    if (site->worker > 0) /* the first has told them the rest */
        return;
    site_recursion_reload(site);
    if (site_tls_primaries(site, &error) < 0)
        log_error(site->log, "names: %s", complaint);
    if (site_names_set_manner(site) < 0)
        log_error(site->log, "names: no memory for the limit of replies");
    reload_policies(site);
    site_zones_reload(site->zones, site->config); /* what is in files now is no member's */
    site_catalogs_reload(site->catalogs, site->config);
    site_catalogs_publish(site->catalogs);
}

/* What all workers' have alike. */
static void make_options(struct site *site, const char *server_name, struct names_options *out)
{
    const struct site_config *config = site->config;
    *out = (struct names_options){
        .listen = config->names.listen,
        .listen_tls = config->names_tls.listen,
        .domain = config->domain,
        .server_name = server_name,
        .closed_world = config->names.closed,
        .local = config->names.local,
        .outside = site->outside,
        .ttl = (uint32_t)(config->names.ttl / USEC_PER_SEC),
        .view_count = config->authority.view_count,
        .on_trouble = on_trouble,
        .trouble_self = site,
        .on_zone = on_zone,
        .zone_self = site,
        .crew = site->crew,
        .worker = site->worker,
    };
    if (site->worker > 0) /* port 0 is any, but the same for all */
        out->listen = names_local(site->first->names);
}

static int make_crypto(struct site *site, struct names_options *options, struct text *error)
{
    site->digest = digest_sha1_new();
    if (site->digest == NULL)
        return site_failed(error, -ENOMEM, "cannot hash names", NULL);
    site->hmac = hmac_new();
    if (site->hmac == NULL)
        return site_failed(error, -ENOMEM, "cannot sign replies", NULL);
    options->hmac = (struct tsig_hmac){hmac_start, hmac_add, hmac_end, site->hmac};
    options->sha1 = (struct dns_sha1){digest_sha1, site->digest};
    site_crypto_init(&site->crypto, site->digest);
    return 0;
}

/* How names of others are found, for everybody and for views that have a way of their own. */
static int make_recursions(struct site *site, struct names_recursion *recursions[SITE_VIEWS_MAX + 1],
                           struct names_options *options, struct text *error)
{
    int result = site_recursion_new(site, &recursions[SITE_VIEWS_MAX], error);
    options->recursion = recursions[SITE_VIEWS_MAX];
    for (size_t i = 0; i < site->config->authority.view_count && result == 0; i++) {
        result = site_recursion_new_of_view(site, i, &recursions[i], error);
        options->view_recursion[i] = recursions[i];
    }
    return result;
}

static void free_recursions(struct names_recursion *recursions[SITE_VIEWS_MAX + 1])
{
    for (size_t i = 0; i <= SITE_VIEWS_MAX; i++)
        free(recursions[i]);
}

static int start_server(struct site *site, struct text *error)
{
    const struct site_tls *tls = &site->config->names_tls;
    char server_name[SITE_NAME_MAX + 4];
    struct names_options options;
    struct names_recursion *recursions[SITE_VIEWS_MAX + 1] = {NULL}; /* the last one is everybody's */
    snprintf(server_name, sizeof server_name, "ns.%s", site->config->domain);
    make_options(site, server_name, &options);
    int result = make_crypto(site, &options, error);
    if (result == 0)
        result = make_recursions(site, recursions, &options, error);
    if (result == 0 && site->worker == 0)
        result = open_journal(site, error);
    if (result == 0 && tls->listen.port != 0)
        result = site_tls_start(site, tls, "names", "dot", &site->names_tls, error);
    if (result < 0) {
        free_recursions(recursions);
        return result;
    }
    options.journal = site->journal;
    options.tls = site->names_tls;
    result = names_new(site->inside, &options, &site->names);
    free_recursions(recursions);
    return result < 0 ? site_failed(error, result, "cannot serve names", &options.listen) : 0;
}

static int start_name_service(struct site *site, struct text *error)
{
    int result = start_server(site, error);
    if (result < 0)
        return result;
    if (site->anchors != NULL)
        site_anchors_start(site->anchors, site->names);
    result = start_zones(site, error);
    return result == 0 ? site_policies_new(site->loop, site->log, site->names, site->config,
                                           &site->policies, error)
                       : result;
}

int site_names_start(struct site *site, struct text *error)
{
    int result = 0;
    if (site->worker > 0) { /* the rest is the first one's */
        result = site->config->names.present ? start_server(site, error) : 0;
        site_mdns_lend(site);
        return result;
    }
    result = site_lease_names_open(site, error);
    if (result == 0 && site->config->names.present)
        result = start_name_service(site, error);
    site_mdns_lend(site);
    return result == 0 ? site_lease_names_fill(site, error) : result;
}
