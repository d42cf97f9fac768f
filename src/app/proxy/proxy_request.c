/* SPDX-License-Identifier: ISC */
/*
 * proxy_request.c - requests as they come and as they go on: forms of targets (RFC 9112 §3.2), fields of
 * the connection (RFC 9110 §7.6.1), Via (§7.6.3), Forwarded (RFC 7239), and from where one may ask.
 */
#include <stdio.h>

#include "app/proxy/proxy_internal.h"
#include "base/encoding.h"
#include "wire/http/http_list.h"

/* ---- what is asked for ---- */

static const char *authority_of(const struct ip_address *address, char out[ADDRESS_TEXT_MAX + 2])
{
    char text[ADDRESS_TEXT_MAX];
    address_format(address, text);
    bool v4 = address_is_v4(address);
    snprintf(out, ADDRESS_TEXT_MAX + 2, "%s%s%s", v4 ? "" : "[", text, v4 ? "" : "]");
    return out;
}

unsigned proxy_request_uri(const struct proxy_caller *caller,
                           const struct http_server_event *event, struct proxy_asked *out)
{
    const struct proxy *proxy = caller->proxy;
    const struct uri_target *target = &event->target;
    bool transparent = caller->to.port != 0, secured = caller->secured;
    char address[ADDRESS_TEXT_MAX + 2];
    struct bytes host;
    out->own = target->form == URI_ASTERISK ||
               (target->form == URI_ORIGIN && !proxy->options.reverse && !transparent);
    out->uri_len = 0;
    uri_split(event->head.target, &out->parts);
    if (out->own)
        return 0;
    if (target->form == URI_ORIGIN) {
        out->parts = (struct uri_parts){.scheme = bytes_of_text(secured ? "https" : "http"),
                                        .path = target->path,
                                        .query = target->query,
                                        .fragment = bytes_empty(),
                                        .has_scheme = true,
                                        .has_authority = true,
                                        .has_query = target->has_query};
        bool named = http_field_find(&event->head.fields, "Host", &host) && host.len > 0;
        if (!named && transparent)
            host = bytes_of_text(authority_of(&caller->to.address, address));
        else if (!named)
            host = bytes_of_text(proxy->options.servers[0].host);
        out->parts.authority = host;
    }
    bool tls = bytes_equal_nocase(out->parts.scheme, bytes_of_text("https"));
    if (!tls && !bytes_equal_nocase(out->parts.scheme, bytes_of_text("http")))
        return 501; /* schemes that we have no protocol for */
    if (tls && proxy->options.tls_client == NULL && !proxy->options.reverse)
        return 501;
    struct writer w = writer_of(out->uri, sizeof out->uri);
    /* It is what answers are stored under, and must tell apart what servers may: the path goes on as it came. */
    if (!uri_normalise_origin(&out->parts, &w))
        return w.failed && writer_room(&w) == 0 ? 414 : 400;
    out->uri_len = writer_len(&w);
    return 0;
}

static bool is_one_of(struct bytes name, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (bytes_equal_nocase(name, bytes_of_text(list[i])))
            return true;
    return false;
}

static bool is_of_connection(const struct http_fields *fields, struct bytes name)
{
    static const char *const known[] = {"Connection",       "Keep-Alive", "Proxy-Connection",
                                        "TE",               "Upgrade",    "Transfer-Encoding",
                                        "Content-Length",   "Host",       "Proxy-Authorization",
                                        "Proxy-Authenticate", "HTTP2-Settings"};
    if (is_one_of(name, known, ARRAY_LEN(known)))
        return true;
    struct bytes wanted = bytes_of_text("Connection");
    for (size_t i = 0; i < fields->count; i++) {
        struct bytes rest = fields->list[i].value, option;
        if (!bytes_equal_nocase(fields->list[i].name, wanted))
            continue;
        while (http_list_next(&rest, &option))
            if (bytes_equal_nocase(option, name))
                return true;
    }
    return false;
}

bool proxy_may_switch(struct bytes protocols)
{
    static const char *const known[] = {"h2c", "h2", "h3", "http", "tls"};
    struct bytes protocol;
    while (http_list_next(&protocols, &protocol)) {
        struct bytes name = http_trim(bytes_first(protocol, bytes_find(protocol, '/')));
        if (is_one_of(name, known, ARRAY_LEN(known)))
            return false;
    }
    return true;
}

void proxy_request_fields(const struct http_fields *in, struct http_fields *out)
{
    out->count = 0;
    for (size_t i = 0; i < in->count; i++)
        if (!is_of_connection(in, in->list[i].name))
            out->list[out->count++] = in->list[i];
}

/* ---- what we add ---- */

static void add(struct http_fields *fields, const char *name, const struct writer *w,
                const uint8_t *from)
{
    if (!w->failed && fields->count < HTTP_FIELDS_MAX)
        fields->list[fields->count++] =
            (struct http_field){bytes_of_text(name), bytes_of(from, (size_t)(w->next - from))};
}

static void add_text(struct http_fields *fields, const char *name, struct bytes value)
{
    if (fields->count < HTTP_FIELDS_MAX)
        fields->list[fields->count++] = (struct http_field){bytes_of_text(name), value};
}

/* All fields of that name become one, with `more` at its end; RFC 9110 §5.3 lets them. */
static void append(struct http_fields *fields, const char *name, const char *more,
                   struct writer *w)
{
    const uint8_t *from = w->next;
    size_t kept = 0;
    for (size_t i = 0; i < fields->count; i++) {
        if (!bytes_equal_nocase(fields->list[i].name, bytes_of_text(name))) {
            fields->list[kept++] = fields->list[i];
            continue;
        }
        write_bytes(w, fields->list[i].value);
        http_write_text(w, ", ");
    }
    fields->count = kept;
    http_write_text(w, more);
    add(fields, name, w, from);
}

/* What a client says of the way it has come nobody can check. By whom it has come is for logs; but what its
 * request was for a server would believe, and answers are stored that nobody else has asked for. */
static void drop_hearsay(struct http_fields *fields)
{
    static const char prefix[] = "X-Forwarded-";
    size_t kept = 0;
    for (size_t i = 0; i < fields->count; i++) {
        struct bytes name = fields->list[i].name;
        bool ours = bytes_equal_nocase(name, bytes_of_text("Forwarded")) ||
                    bytes_equal_nocase(bytes_first(name, sizeof prefix - 1), bytes_of_text(prefix));
        if (!ours || bytes_equal_nocase(name, bytes_of_text("X-Forwarded-For")))
            fields->list[kept++] = fields->list[i];
    }
    fields->count = kept;
}

static void add_forwarded(const struct proxy_job *job, const struct uri_parts *uri,
                          struct http_fields *fields, struct writer *w)
{
    char peer[ADDRESS_TEXT_MAX], from[ADDRESS_TEXT_MAX + 16];
    bool tls = bytes_equal(uri->scheme, bytes_of_text("https"));
    address_format(&job->caller->peer.address, peer);
    drop_hearsay(fields);
    append(fields, "X-Forwarded-For", peer, w);
    bool v6 = !address_is_v4(&job->caller->peer.address);
    snprintf(from, sizeof from, "for=%s%s%s", v6 ? "\"[" : "", peer, v6 ? "]\"" : "");
    const uint8_t *start = w->next;
    http_write_text(w, from);
    http_write_text(w, ";host=\"");
    write_bytes(w, uri->authority);
    http_write_text(w, tls ? "\";proto=https" : "\";proto=http");
    add(fields, "Forwarded", w, start);
    add_text(fields, "X-Forwarded-Host", uri->authority);
    add_text(fields, "X-Forwarded-Proto", bytes_of_text(tls ? "https" : "http"));
}

/* The authority as the origin is to see it. */
static void add_host(const struct proxy_job *job, const struct uri_parts *uri,
                     struct http_fields *fields, struct writer *w)
{
    const struct proxy_options *options = &job->proxy->options;
    const uint8_t *from = w->next;
    if (!options->reverse || options->keep_host) {
        write_bytes(w, uri->authority);
    } else {
        http_write_text(w, job->place.host);
        if (job->place.port != (job->place.tls ? 443 : 80)) {
            http_write_text(w, ":");
            http_write_number(w, job->place.port);
        }
    }
    add(fields, "Host", w, from);
}

void proxy_request_add(const struct proxy_job *job, struct bytes uri, struct http_fields *fields,
                       struct writer *w)
{
    const struct proxy *proxy = job->proxy;
    struct uri_parts parts;
    char via[HTTP_CACHE_NAME_MAX + 8];
    uri_split(uri, &parts);
    add_host(job, &parts, fields, w);
    bool old = job->caller != NULL && job->caller->old;
    snprintf(via, sizeof via, "1.%c %s", old ? '0' : '1', proxy->name);
    append(fields, "Via", via, w);
    if (proxy->options.forwarded && job->caller != NULL)
        add_forwarded(job, &parts, fields, w);
}

void proxy_request_count_hop(struct bytes method, struct http_fields *fields, struct writer *w)
{
    uint64_t hops;
    if (!bytes_equal(method, bytes_of_text("OPTIONS")))
        return;
    for (size_t i = 0; i < fields->count; i++) {
        struct http_field *field = &fields->list[i];
        if (!bytes_equal_nocase(field->name, bytes_of_text("Max-Forwards")) ||
            !http_number(field->value, UINT32_MAX, &hops) || hops == 0)
            continue;
        const uint8_t *from = w->next;
        http_write_number(w, hops - 1);
        field->value = bytes_of(from, (size_t)(w->next - from));
    }
}

uint64_t proxy_request_wish(const struct http_fields *fields)
{
    static const char name[] = PROXY_COOKIE "=";
    for (size_t i = 0; i < fields->count; i++) {
        struct bytes rest = fields->list[i].value;
        if (!bytes_equal_nocase(fields->list[i].name, bytes_of_text("Cookie")))
            continue;
        while (rest.len > 0) {
            size_t end = bytes_find(rest, ';');
            struct bytes pair = http_trim(bytes_first(rest, end));
            uint8_t id[8];
            struct writer w = writer_of(id, sizeof id);
            if (bytes_equal(bytes_first(pair, sizeof name - 1), bytes_of_text(name)) &&
                encoding_decode(ENCODING_BASE16, bytes_after(pair, sizeof name - 1), &w) &&
                !w.failed && writer_len(&w) == sizeof id) {
                struct reader r = reader_of(writer_bytes(&w));
                return read_u64(&r);
            }
            rest = bytes_after(rest, end + 1);
        }
    }
    return 0;
}

bool proxy_is_loop(const struct proxy *proxy, const struct http_fields *fields)
{
    for (size_t i = 0; i < fields->count; i++) {
        struct bytes rest = fields->list[i].value, element;
        if (!bytes_equal_nocase(fields->list[i].name, bytes_of_text("Via")))
            continue;
        while (http_list_next(&rest, &element)) {
            struct bytes by = http_trim(bytes_after(element, bytes_find(element, ' ')));
            if (bytes_equal(bytes_first(by, bytes_find(by, ' ')), bytes_of_text(proxy->name)))
                return true;
        }
    }
    return false;
}

/* ---- who may ---- */

static bool is_in(const struct ip_prefix *list, size_t count, const struct ip_address *peer)
{
    for (size_t i = 0; i < count; i++)
        if (prefix_contains(&list[i], peer))
            return true;
    return false;
}

bool proxy_may_use(const struct proxy *proxy, const struct ip_address *peer)
{
    const struct proxy_options *options = &proxy->options;
    return options->allowed_count == 0 || is_in(options->allowed, options->allowed_count, peer);
}

bool proxy_is_loopback(const struct ip_address *address)
{
    static const char *const known[] = {"127.0.0.0/8", "0.0.0.0/8", "::1/128", "::/128"};
    struct ip_prefix prefix;
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (prefix_parse(bytes_of_text(known[i]), &prefix) && prefix_contains(&prefix, address))
            return true;
    return false;
}

bool proxy_may_purge(const struct proxy *proxy, const struct ip_address *peer)
{
    const struct proxy_options *options = &proxy->options;
    if (options->purger_count > 0)
        return is_in(options->purgers, options->purger_count, peer);
    return proxy_is_loopback(peer);
}

bool proxy_may_connect(const struct proxy *proxy, uint16_t port)
{
    const struct proxy_options *options = &proxy->options;
    for (size_t i = 0; i < options->port_count; i++)
        if (port >= options->ports[i].first && port <= options->ports[i].last)
            return true;
    return options->port_count == 0 && port == 443;
}
