/* SPDX-License-Identifier: ISC */
/* site_mdns_options.c - the options of the block "mdns". */
#include "site/site_values.h"
#include "wire/dns/dns_name.h"

static bool parse_interface(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    struct site_mdns *mdns = field;
    const struct site_option name = {.max = SITE_DEVICE_MAX};
    if (mdns->interface_count == SITE_MDNS_LINKS_MAX ||
        !site_parse_interface(text, mdns->interfaces[mdns->interface_count], &name))
        return false;
    mdns->interface_count++;
    return true;
}

/* "_http._tcp": two labels that begin with "_", of which the second is a transport (RFC 6763 §7). */
static bool is_service_type(struct bytes text)
{
    struct bytes service = bytes_first(text, bytes_find(text, '.'));
    struct bytes transport = bytes_after(text, service.len + 1);
    return service.len >= 2 && service.len <= 16 && service.data[0] == '_' &&
           site_name_valid(bytes_after(service, 1)) &&
           (bytes_equal(transport, bytes_of_text("_tcp")) ||
            bytes_equal(transport, bytes_of_text("_udp")));
}

/* "; key=value; key": strings of a TXT record (RFC 6763 §6). */
static bool take_txt(struct bytes rest, struct site_mdns_service *out)
{
    struct writer w = writer_of(out->txt, sizeof out->txt);
    while (rest.len > 0) {
        size_t end = bytes_find(rest, ';');
        struct bytes string = text_trim(bytes_first(rest, end));
        rest = bytes_after(rest, end + 1);
        if (string.len == 0)
            continue;
        if (string.len > 255 || string.data[0] == '=')
            return false;
        write_u8(&w, (uint8_t)string.len);
        write_bytes(&w, string);
    }
    out->txt_len = (uint16_t)writer_len(&w);
    return !w.failed;
}

/* TYPE PORT [INSTANCE] [; KEY=VALUE]… */
static bool parse_service(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    struct site_mdns *mdns = field;
    struct site_mdns_service service;
    memset(&service, 0, sizeof service);
    uint64_t port;
    size_t semicolon = bytes_find(text, ';');
    struct bytes head = text_trim(bytes_first(text, semicolon));
    struct bytes type = bytes_first(head, bytes_find(head, ' '));
    head = text_trim(bytes_after(head, type.len));
    struct bytes number = bytes_first(head, bytes_find(head, ' '));
    struct bytes instance = text_trim(bytes_after(head, number.len));
    if (mdns->service_count == SITE_MDNS_SERVICES_MAX || !is_service_type(type) ||
        !site_copy_text(type, service.type, sizeof service.type) ||
        !text_parse_number(number, UINT16_MAX, &port) || port == 0 ||
        (instance.len > 0 && !site_copy_text(instance, service.instance, sizeof service.instance)) ||
        !take_txt(bytes_after(text, semicolon + 1), &service))
        return false;
    service.port = (uint16_t)port;
    mdns->services[mdns->service_count++] = service;
    return true;
}

static const struct site_option options[] = {
    {"mdns", "interface", parse_interface, SITE_AT(mdns), 0, 0, true,
     "names of network devices of the host, at most 16"},
    {"mdns", "host", site_parse_label, SITE_AT(mdns.host), 0, 0, false,
     "one label of letters, digits and hyphens"},
    {"mdns", "service", parse_service, SITE_AT(mdns), 0, 0, true,
     "a service's type and port, and perhaps its name and what else is to be said, such as "
     "\"_http._tcp 80 Front Door; path=/\", at most 31 of them"},
};

const struct site_option_table site_mdns_options = {options, ARRAY_LEN(options)};
