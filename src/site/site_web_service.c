/* SPDX-License-Identifier: ISC */
/* site_web_service.c - the web server of a running site, and what it asks the names. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "os/hmac.h"
#include "site/site_internal.h"
#include "site/site_tls.h"
#include "site/site_workers.h"

/* What differs goes over by a reload, with every connection that there is. */
bool site_web_same(const struct site_config *a, const struct site_config *b)
{
    return a->web.present == b->web.present && SITE_SAME(web.name) && SITE_SAME(domain);
}

void site_web_stop(struct site *site)
{
    web_free(site->web);
    site->web = NULL;
    hmac_free(site->web_hmac);
    site->web_hmac = NULL;
}

/* Questions by HTTP go to the names, whichever they are by then. */
static enum web_dns_verdict ask_names(void *self, const struct web_dns_query *query,
                                      struct bytes *reply, uint32_t *handle)
{
    struct site *site = self;
    const struct names_carrier carrier = {
        .from = query->peer,
        .secure = query->secure,
        .on_reply = web_dns_reply,
        .self = query->exchange,
    };
    if (site->names == NULL)
        return WEB_DNS_NONE;
    switch (names_ask(site->names, &carrier, query->message, reply, handle)) {
    case NAMES_NOW:
        return WEB_DNS_NOW;
    case NAMES_LATER:
        return WEB_DNS_LATER;
    case NAMES_MALFORMED:
        return WEB_DNS_MALFORMED;
    case NAMES_NONE:
    case NAMES_FULL:
        break;
    }
    return WEB_DNS_NONE;
}

static void forget_question(void *self, uint32_t handle)
{
    struct site *site = self;
    if (site->names != NULL)
        names_forget(site->names, handle);
}

static void on_message(void *self, const char *text)
{
    struct site *site = self;
    log_warning(site->log, "web: %s", text);
}

int site_web_start(struct site *site, struct text *error)
{
    const struct site_config *config = site->config;
    if (!config->web.present)
        return 0;
    site->web_hmac = hmac_new();
    if (site->web_hmac == NULL)
        return -ENOMEM;
    char server_name[SITE_LABEL_MAX + SITE_NAME_MAX];
    char complaint[512] = "";
    struct text reason = text_of(complaint, sizeof complaint);
    snprintf(server_name, sizeof server_name, "%s.%s", config->web.name, config->domain);
    const struct web_options options = {
        .server_name = server_name,
        .domain = config->domain,
        .config = &config->web.config,
        .site = {site->worker == 0 ? site_status : site_workers_status, site},
        .dns = {ask_names, forget_question, site},
        .hmac = {hmac_start, hmac_add, hmac_end, site->web_hmac},
        .several = site->workers != NULL,
        .first = site->worker > 0 ? site->first->web : NULL,
        .on_message = on_message,
        .on_message_self = site,
        .error = &reason,
    };
    int result = site_tls_web(site, &site->config->web.config, &reason);
    if (result == 0)
        result = web_new(site->inside, &options, &site->web);
    if (result < 0)
        text_add_format(error, "cannot serve web pages: %s", complaint);
    return result;
}

void site_web_reload(struct site *site)
{
    char complaint[512] = "";
    struct text error = text_of(complaint, sizeof complaint);
    if (site->web != NULL && (site_tls_web(site, &site->config->web.config, &error) < 0 ||
                              web_reload(site->web, &site->config->web.config, &error) < 0))
        log_error(site->log, "web: not reloaded, it stays as it was: %s", complaint);
}
