/* SPDX-License-Identifier: ISC */
/*
 * web_page_status.c - the status object (docs/status.md) as HTML, for the page about this network. Whatever is
 * missing from the object is left out of the page.
 */
#include <jansson.h>
#include <stdlib.h>

#include "app/web/web_exchange.h"

/* ---- reading the object ---- */

/* The status object, or NULL when there is none, no memory, or it is not JSON. */
static json_t *load_status(const struct web_site *site)
{
    if (site->status == NULL)
        return NULL;
    char *text = malloc(WEB_STATUS_MAX);
    if (text == NULL)
        return NULL;
    size_t len = site->status(site->self, text, WEB_STATUS_MAX);
    json_t *status = len <= WEB_STATUS_MAX ? json_loadb(text, len, 0, NULL) : NULL;
    free(text);
    return status;
}

static const char *text_of_member(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static double number_of_member(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

static uint64_t count_of(const json_t *value)
{
    double number = json_number_value(value);
    if (json_is_integer(value))
        return json_integer_value(value) > 0 ? (uint64_t)json_integer_value(value) : 0;
    return number > 0 && number < 1e18 ? (uint64_t)number : 0;
}

static uint64_t count_of_member(const json_t *object, const char *key)
{
    return count_of(json_object_get(object, key));
}

/* ---- small pieces ---- */

static void add_code(struct page_text *page, const char *text)
{
    page_add(page, "<code>");
    page_add_text(page, text);
    page_add(page, "</code>");
}

/* A cell with text; a dash when there is none. */
static void add_cell(struct page_text *page, const char *text)
{
    page_add(page, "<td>");
    page_add_text(page, text != NULL && text[0] != '\0' ? text : "\xe2\x80\x93");
    page_add(page, "</td>");
}

static void add_count_cell(struct page_text *page, uint64_t count)
{
    page_add(page, "<td class=\"number\">");
    page_add_count(page, count);
    page_add(page, "</td>");
}

static void add_size_cell(struct page_text *page, uint64_t octets)
{
    page_add(page, "<td class=\"number\">");
    page_add_size(page, octets);
    page_add(page, "</td>");
}

static void add_duration(struct page_text *page, double seconds)
{
    if (seconds >= 1)
        page_add_format(page, "%.3g\xc2\xa0s", seconds < 1e9 ? seconds : 1e9);
    else if (seconds >= 1e-3)
        page_add_format(page, "%.3g\xc2\xa0ms", seconds * 1e3);
    else
        page_add_format(page, "%.3g\xc2\xa0\xc2\xb5s", seconds > 0 ? seconds * 1e6 : 0);
}

/* The head of a table; `columns` in order, those that begin with "#" hold numbers. */
static void open_table(struct page_text *page, const char *title, const char *const *columns)
{
    page_add_format(page, "<section class=\"panel\"><h2>%s</h2><div class=\"scroll\"><table>"
                          "<thead><tr>", title);
    for (; *columns != NULL; columns++)
        page_add_format(page, **columns == '#' ? "<th class=\"number\">%s</th>" : "<th>%s</th>",
                        *columns + (**columns == '#'));
    page_add(page, "</tr></thead><tbody>");
}

static void close_table(struct page_text *page)
{
    page_add(page, "</tbody></table></div></section>\n");
}

/* ---- the way to the Internet ---- */

static void add_impairments(struct page_text *page, const json_t *link)
{
    static const struct {
        const char *key, *label;
        enum { DURATION, CHANCE, RATE } kind;
    } shown[] = {{"delay", "delay", DURATION},    {"jitter", "jitter", DURATION},
                 {"loss", "loss", CHANCE},        {"duplicate", "duplicates", CHANCE},
                 {"reorder", "reorder", CHANCE},  {"corrupt", "corrupt", CHANCE},
                 {"rate", "rate", RATE}};
    const json_t *impairments = json_object_get(link, "impairments");
    for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
        double value = number_of_member(impairments, shown[i].key);
        if (!(value > 0) || value > 1e15)
            continue;
        page_add_format(page, "<span class=\"fault\">%s ", shown[i].label);
        if (shown[i].kind == DURATION)
            add_duration(page, value);
        else if (shown[i].kind == CHANCE)
            page_add_format(page, "%.3g\xc2\xa0%%", value * 100);
        else if (value >= 1e6)
            page_add_format(page, "%.4g\xc2\xa0Mbit/s", value / 1e6);
        else
            page_add_format(page, "%.4g\xc2\xa0kbit/s", value / 1e3);
        page_add(page, "</span>");
    }
}

static void add_stop(struct page_text *page, const char *kind, const char *title,
                     const char *address, const char *note)
{
    page_add_format(page, "<li class=\"stop %s\"><b>%s</b>", kind, title);
    if (address != NULL)
        add_code(page, address);
    page_add(page, "<small>");
    page_add_text(page, note != NULL ? note : "");
    page_add(page, "</small></li>\n");
}

static const char *lease_name(const json_t *status, const char *address)
{
    size_t i;
    json_t *lease;
    json_array_foreach(json_object_get(status, "leases"), i, lease)
    {
        const char *other = text_of_member(lease, "address");
        if (other != NULL && strcmp(other, address) == 0)
            return text_of_member(lease, "name");
    }
    return NULL;
}

/* You, the link with what it does to packets, the gateway, and what lies beyond. */
static void add_way(struct page_text *page, const json_t *status, const char *client)
{
    const json_t *site = json_object_get(status, "site");
    const json_t *link = json_array_get(json_object_get(status, "links"), 0);
    const char *internet = text_of_member(site, "internet");
    const char *name = lease_name(status, client);
    bool closed = internet == NULL || strcmp(internet, "host") != 0;
    page_add(page, "<ol class=\"way\">");
    add_stop(page, "you", "You", client, name != NULL ? name : "");
    page_add(page, "<li class=\"hop\"><small>");
    page_add_text(page, text_of_member(link, "name") != NULL ? text_of_member(link, "name") : "");
    page_add(page, "</small>");
    add_impairments(page, link);
    page_add(page, "</li>\n");
    add_stop(page, "gateway", "Gateway", text_of_member(site, "gateway"), "addresses, names, web");
    page_add_format(page, "<li class=\"hop%s\"><small>%s</small></li>\n", closed ? " cut" : "",
                    closed ? "closed" : "host\xe2\x80\x99s sockets");
    add_stop(page, "outside", "Internet", NULL, closed ? "not reachable" : "through this machine");
    page_add(page, "</ol>\n");
}

/* ---- figures ---- */

static void open_figure(struct page_text *page, const char *label)
{
    page_add_format(page, "<div><dt>%s</dt><dd>", label);
}

static void close_figure(struct page_text *page)
{
    page_add(page, "</dd></div>");
}

static uint64_t sum_of_links(const json_t *status, const char *direction, const char *key)
{
    uint64_t sum = 0;
    size_t i;
    json_t *link;
    json_array_foreach(json_object_get(status, "links"), i, link)
        sum += count_of_member(json_object_get(link, direction), key);
    return sum;
}

static void add_figures(struct page_text *page, const json_t *status)
{
    const json_t *services = json_object_get(status, "services");
    const json_t *names = json_object_get(services, "names");
    uint64_t in = sum_of_links(status, "in", "octets");
    uint64_t out = sum_of_links(status, "out", "octets");
    page_add_format(page, "<dl class=\"figures\" data-in=\"%llu\" data-out=\"%llu\">",
                    (unsigned long long)in, (unsigned long long)out);
    open_figure(page, "up for");
    page_add_seconds(page, number_of_member(status, "uptime"));
    close_figure(page);
    open_figure(page, "from hosts");
    page_add_size(page, in);
    close_figure(page);
    open_figure(page, "to hosts");
    page_add_size(page, out);
    close_figure(page);
    open_figure(page, "connections");
    page_add_count(page, count_of_member(status, "connections_total"));
    close_figure(page);
    open_figure(page, "leases");
    page_add_count(page, json_array_size(json_object_get(status, "leases")));
    close_figure(page);
    open_figure(page, "names asked");
    page_add_count(page, count_of_member(names, "queries_udp") +
                             count_of_member(names, "queries_tcp"));
    close_figure(page);
    page_add(page, "</dl>\n<div id=\"traffic\" class=\"traffic\"></div>\n");
}

/* ---- tables ---- */

static void add_links(struct page_text *page, const json_t *status)
{
    static const char *const columns[] = {"Link",        "Address",     "MAC",  "#MTU",
                                          "#Frames in",  "#Octets in",  "#Frames out",
                                          "#Octets out", "#Discards",   "Impairments", NULL};
    const json_t *links = json_object_get(status, "links");
    size_t i;
    json_t *link;
    if (json_array_size(links) == 0)
        return;
    open_table(page, "Links", columns);
    json_array_foreach(links, i, link)
    {
        const json_t *in = json_object_get(link, "in");
        const json_t *out = json_object_get(link, "out");
        page_add(page, "<tr>");
        add_cell(page, text_of_member(link, "name"));
        add_cell(page, text_of_member(link, "address"));
        add_cell(page, text_of_member(link, "mac"));
        add_count_cell(page, count_of_member(link, "mtu"));
        add_count_cell(page, count_of_member(in, "frames"));
        add_size_cell(page, count_of_member(in, "octets"));
        add_count_cell(page, count_of_member(out, "frames"));
        add_size_cell(page, count_of_member(out, "octets"));
        add_count_cell(page, count_of_member(in, "discards") + count_of_member(out, "discards"));
        page_add(page, "<td class=\"wrap\">");
        add_impairments(page, link);
        page_add(page, json_is_object(json_object_get(link, "impairments")) ? "" : "none");
        page_add(page, "</td></tr>");
    }
    close_table(page);
}

static void add_leases(struct page_text *page, const json_t *status, int64_t now)
{
    static const char *const columns[] = {"Address", "Name", "MAC", "#Lease ends in", NULL};
    const json_t *leases = json_object_get(status, "leases");
    size_t i;
    json_t *lease;
    if (json_array_size(leases) == 0)
        return;
    open_table(page, "Hosts and their leases", columns);
    json_array_foreach(leases, i, lease)
    {
        const json_t *expires = json_object_get(lease, "expires");
        page_add(page, "<tr>");
        add_cell(page, text_of_member(lease, "address"));
        add_cell(page, text_of_member(lease, "name"));
        add_cell(page, text_of_member(lease, "mac"));
        page_add(page, "<td class=\"number\">");
        if (json_is_integer(expires))
            page_add_seconds(page, json_number_value(expires) - (double)now);
        else
            page_add(page, "never");
        page_add(page, "</td></tr>");
    }
    close_table(page);
}

static void add_connections(struct page_text *page, const json_t *status)
{
    static const char *const columns[] = {"Host",        "Server", "State",       "#Octets in",
                                          "#Octets out", "#RTT",   "#Retransmits", NULL};
    const json_t *connections = json_object_get(status, "connections");
    size_t i;
    json_t *connection;
    if (json_array_size(connections) == 0)
        return;
    open_table(page, "Connections of this moment", columns);
    json_array_foreach(connections, i, connection)
    {
        page_add(page, "<tr>");
        add_cell(page, text_of_member(connection, "remote"));
        add_cell(page, text_of_member(connection, "local"));
        add_cell(page, text_of_member(connection, "state"));
        add_size_cell(page, count_of_member(connection, "octets_in"));
        add_size_cell(page, count_of_member(connection, "octets_out"));
        page_add(page, "<td class=\"number\">");
        add_duration(page, number_of_member(connection, "rtt"));
        page_add(page, "</td>");
        add_count_cell(page, count_of_member(connection, "retransmits"));
        page_add(page, "</tr>");
    }
    close_table(page);
}

static void add_published(struct page_text *page, const json_t *status)
{
    static const char *const columns[] = {"Outside", "Inside", "Protocol", NULL};
    const json_t *published = json_object_get(json_object_get(status, "site"), "published");
    size_t i;
    json_t *port;
    if (json_array_size(published) == 0)
        return;
    open_table(page, "Published ports", columns);
    json_array_foreach(published, i, port)
    {
        page_add(page, "<tr>");
        add_cell(page, text_of_member(port, "outside"));
        page_add_format(page, "<td>port %llu</td>",
                        (unsigned long long)count_of_member(port, "inside_port"));
        add_cell(page, text_of_member(port, "protocol"));
        page_add(page, "</tr>");
    }
    close_table(page);
}

static void add_drops(struct page_text *page, const json_t *status)
{
    static const char *const columns[] = {"Dropped because", "#Packets", NULL};
    const json_t *drops = json_object_get(status, "drops");
    size_t i;
    json_t *drop;
    if (json_array_size(drops) == 0)
        return;
    open_table(page, "Drops", columns);
    json_array_foreach(drops, i, drop)
    {
        page_add(page, "<tr>");
        add_cell(page, text_of_member(drop, "reason"));
        add_count_cell(page, count_of_member(drop, "count"));
        page_add(page, "</tr>");
    }
    close_table(page);
}

/* An object of counters as a list: "queries_udp" is shown as "queries udp". */
static void add_counters(struct page_text *page, json_t *counters)
{
    const char *key;
    json_t *value;
    page_add(page, "<dl class=\"counters\">");
    json_object_foreach(counters, key, value)
    {
        if (!json_is_number(value))
            continue;
        page_add(page, "<div><dt>");
        for (const char *c = key; *c != '\0'; c++)
            page_add_escaped(page, bytes_of(*c == '_' ? " " : c, 1));
        page_add(page, "</dt><dd>");
        page_add_count(page, count_of(value));
        page_add(page, "</dd></div>");
    }
    page_add(page, "</dl>");
}

static void add_services(struct page_text *page, const json_t *status)
{
    json_t *services = json_object_get(status, "services");
    json_t *counters = json_object_get(status, "counters");
    const char *key;
    json_t *value;
    if (json_object_size(services) > 0)
        page_add(page, "<section class=\"panel\"><h2>Services</h2><div class=\"cards\">");
    json_object_foreach(services, key, value)
    {
        page_add(page, "<div class=\"card\"><h3>");
        page_add_text(page, key);
        page_add(page, "</h3>");
        add_counters(page, value);
        page_add(page, "</div>");
    }
    if (json_object_size(services) > 0)
        page_add(page, "</div></section>\n");
    if (json_object_size(counters) == 0)
        return;
    page_add(page, "<details id=\"mib\" class=\"panel\"><summary>All counters, by their names in "
                   "the MIBs</summary>");
    add_counters(page, counters);
    page_add(page, "</details>\n");
}

/* ---- all of it ---- */

void web_page_status(const struct web_exchange *exchange, const char *client, struct page_text *out)
{
    struct loop *loop = net_loop(exchange->web->net);
    json_t *status = load_status(&exchange->web->site);
    if (status == NULL)
        return;
    add_way(out, status, client);
    add_figures(out, status);
    add_links(out, status);
    add_leases(out, status, loop_wall_seconds(loop));
    add_published(out, status);
    add_connections(out, status);
    add_drops(out, status);
    add_services(out, status);
    json_decref(status);
}
