/* SPDX-License-Identifier: ISC */
/* site_recursion.c - how other names are resolved: roots, anchors, and who is asked. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/names/names_resolver.h"
#include "os/file.h"
#include "site/resolvers.h"
#include "site/site_anchors.h"
#include "site/site_internal.h"
#include "site/site_names.h"
#include "site/site_tls.h"

static uint32_t seconds(usec duration)
{
    return (uint32_t)(duration / USEC_PER_SEC);
}

/* Reads a file of the option's name by one of the readers of names_resolver.h. */
static int read_records(const char *option, const char *path,
                        bool (*take)(struct bytes, struct names_recursion *, struct text *),
                        struct names_recursion *out, struct text *error)
{
    enum { RECORDS_FILE_MAX = 1024 * 1024 };
    char *content, complaint[256] = "";
    size_t len;
    struct text reason = text_of(complaint, sizeof complaint);
    int result = file_read(path, RECORDS_FILE_MAX, &content, &len);
    if (result < 0) {
        text_add_format(error, "%s: cannot read %s: %s", option, path, strerror(-result));
        return result;
    }
    bool good = take(bytes_of(content, len), out, &reason);
    free(content);
    if (!good)
        text_add_format(error, "%s: %s: %s", option, path, complaint);
    return good ? 0 : -EINVAL;
}

/* *out is the caller's to free. */
static int make_recursion(const struct site_recursion *r, const struct validate_crypto *crypto,
                          struct names_recursion **out, struct text *error)
{
    struct names_recursion *to = calloc(1, sizeof *to);
    *out = to;
    if (to == NULL)
        return site_failed(error, -ENOMEM, "cannot resolve names", NULL);
    names_recursion_init(to);
    to->crypto = crypto;
    to->date = r->date;
    to->v4 = r->v4;
    to->v6 = r->v6;
    to->minimise = r->minimise;
    to->aggressive = r->aggressive;
    to->dns64 = r->dns64;
    to->port = (uint16_t)r->port;
    to->cache_octets = (size_t)r->cache_octets;
    to->ttl_min = seconds(r->ttl_min);
    to->ttl_max = seconds(r->ttl_max);
    to->negative_ttl_max = seconds(r->negative_ttl_max);
    to->stale_max = seconds(r->stale_max);
    for (size_t i = 0; i < r->forward_count; i++) {
        struct dns_name domain;
        bool good = dns_name_parse(bytes_of_text(r->forwards[i].domain), NULL, &domain) &&
                    names_recursion_forward(to, &domain, r->forwards[i].servers,
                                            r->forwards[i].count);
        ASSERT(good); /* it was when it was read */
    }
    for (size_t i = 0; i < r->insecure_count; i++) {
        bool good = dns_name_parse(bytes_of_text(r->insecure[i]), NULL, &to->insecure[i]);
        ASSERT(good);
        to->insecure_count++;
    }
    int result = r->roots[0] != '\0'
                     ? read_records("roots", r->roots, names_recursion_hints, to, error)
                     : 0;
    if (result == 0 && strcmp(r->anchors, "root") == 0)
        result = names_recursion_anchors(bytes_of_text(names_root_anchors), to, error) ? 0 : -EINVAL;
    else if (result == 0 && r->anchors[0] != '\0')
        result = read_records("anchors", r->anchors, names_recursion_anchors, to, error);
    return result;
}
_Static_assert((int)SITE_SECURE_MAX == NAMES_SECURE_MAX &&
                   (int)SITE_FORWARDS_MAX < RESOLVER_FORWARDS_MAX &&
                   (int)SITE_FORWARDERS_MAX == DNS_SERVERS_MAX,
               "both sides have room for as much");

/* To whom all other names are forwarded: those in the site file, and the host's when asked for. */
static void find_resolvers(struct site *site)
{
    const struct site_names *names = &site->config->names;
    site->resolver_count = 0;
    for (size_t i = 0; i < names->forwarder_count; i++)
        site->resolvers[site->resolver_count++] = names->forwarders[i];
    if (names->forward_host)
        site->resolver_count += resolvers_of_host(site->resolvers + site->resolver_count,
                                                  SITE_FORWARDERS_MAX - site->resolver_count);
    if (names->forward_host && site->resolver_count == 0)
        log_warning(site->log, "the host has no resolvers in /etc/resolv.conf: only the site's own "
                               "names will be found");
}

/* What was learned of trust anchors takes the place of those that are configured. */
static int open_anchors(struct site *site, const struct site_recursion *r,
                        struct names_recursion *recursion, struct text *error)
{
    char path[SITE_PATH_MAX];
    const struct site_anchors_options options = {
        .loop = site->loop,
        .log = site->log,
        .crypto = &site->crypto,
        .path = site_path(site->config, r->anchors_state, path),
        .date = r->date,
    };
    int result = site_anchors_new(&options, &site->anchors, error);
    if (result == 0)
        site_anchors_apply(site->anchors, recursion);
    return result;
}

/* With the trust anchors that are known by now, and its servers over TLS. */
static int complete(struct site *site, const struct site_recursion *r, struct names_recursion *to,
                    struct text *error)
{
    if (site->worker > 0 && site->first->anchors != NULL)
        site_anchors_copy(site->first->anchors, to);
    else if (site->anchors != NULL)
        site_anchors_apply(site->anchors, to);
    return site_tls_forwarders(site, r, to, error);
}

static void forward_all(struct names_recursion *to, const struct endpoint *servers, size_t count)
{
    struct dns_name root;
    dns_name_root(&root);
    bool good = names_recursion_forward(to, &root, servers, count);
    ASSERT(good);
}

int site_recursion_new(struct site *site, struct names_recursion **out, struct text *error)
{
    const struct site_recursion *r = &site->config->recursion;
    *out = NULL;
    find_resolvers(site);
    bool forwards = r->resolve == SITE_RESOLVE_FORWARD;
    if (r->resolve == SITE_RESOLVE_NONE ||
        (forwards && site->resolver_count == 0 && r->forward_count == 0))
        return 0;
    int result = make_recursion(r, &site->crypto, out, error);
    if (result == 0 && site->worker == 0 && r->anchors_state[0] != '\0')
        result = open_anchors(site, r, *out, error);
    if (result == 0)
        result = complete(site, r, *out, error);
    if (result == 0 && forwards)
        forward_all(*out, site->resolvers, site->resolver_count);
    return result;
}

/* As everybody's, but for what the view says. */
static struct site_recursion recursion_of(const struct site_config *config, size_t index)
{
    const struct site_recursion *own = &config->views[index].own;
    struct site_recursion r = config->recursion;
    r.resolve = own->resolve;
    memcpy(r.forwards, own->forwards, sizeof r.forwards);
    r.forward_count = own->forward_count;
    memcpy(r.secure, own->secure, sizeof r.secure);
    r.secure_count = own->secure_count;
    if (own->cache_octets > 0)
        r.cache_octets = own->cache_octets;
    return r;
}

int site_recursion_new_of_view(struct site *site, size_t index, struct names_recursion **out,
                               struct text *error)
{
    const struct site_view *view = &site->config->views[index];
    *out = NULL;
    if (!view->asks)
        return 0;
    const struct site_recursion r = recursion_of(site->config, index);
    int result = make_recursion(&r, &site->crypto, out, error);
    if (result == 0)
        result = complete(site, &r, *out, error);
    if (result == 0 && view->forwarder_count > 0)
        forward_all(*out, view->forwarders, view->forwarder_count);
    return result;
}

static bool resolves(const struct site_config *config)
{
    bool any = config->recursion.resolve != SITE_RESOLVE_NONE;
    for (size_t i = 0; i < config->authority.view_count; i++)
        any |= config->views[i].asks;
    return any;
}

void site_recursion_reload(struct site *site)
{
    char complaint[512] = "";
    struct text error = text_of(complaint, sizeof complaint);
    struct names_recursion *recursion = NULL;
    int result = 0;
    if (resolves(site->config))
        result = make_recursion(&site->config->recursion, &site->crypto, &recursion, &error);
    if (result == 0 && recursion != NULL && site->anchors != NULL)
        site_anchors_apply(site->anchors, recursion);
    if (result == 0 && recursion != NULL)
        result = names_set_roots(site->names, recursion);
    if (result < 0)
        log_error(site->log, "names: roots and anchors stay as they were: %s", complaint);
    free(recursion);
}
