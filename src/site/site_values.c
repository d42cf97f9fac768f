/* SPDX-License-Identifier: ISC */
/*
 * site_values.c - the readers of the kinds of values that more than one block has.
 */
#include "site/site_values.h"

bool site_copy_text(struct bytes text, char *field, size_t size)
{
    if (text.len == 0 || text.len >= size || memchr(text.data, '\0', text.len) != NULL)
        return false;
    memcpy(field, text.data, text.len);
    field[text.len] = '\0';
    return true;
}

bool site_label_valid(struct bytes label)
{
    if (label.len == 0 || label.len >= SITE_LABEL_MAX)
        return false;
    for (size_t i = 0; i < label.len; i++) {
        uint8_t c = label.data[i];
        bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        bool digit = c >= '0' && c <= '9';
        bool inner = i > 0 && i + 1 < label.len;
        if (!letter && !digit && !(c == '-' && inner))
            return false;
    }
    return true;
}

bool site_name_valid(struct bytes name)
{
    if (name.len == 0 || name.len >= SITE_NAME_MAX)
        return false;
    for (;;) {
        size_t dot = bytes_find(name, '.');
        if (!site_label_valid(bytes_first(name, dot)))
            return false;
        if (dot == name.len)
            return true;
        name = bytes_after(name, dot + 1);
    }
}

bool site_parse_text(struct bytes text, void *field, const struct site_option *option)
{
    return site_copy_text(text, field, (size_t)option->max);
}

bool site_parse_path(struct bytes text, void *field, const struct site_option *option)
{
    return site_parse_text(text, field, option);
}

/* A path, or a word. */
bool site_parse_anchors(struct bytes text, void *field, const struct site_option *option)
{
    return site_parse_text(text, field, option);
}

bool site_parse_label(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    return site_label_valid(text) && site_copy_text(text, field, SITE_LABEL_MAX);
}

bool site_parse_name(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    return site_name_valid(text) && site_copy_text(text, field, SITE_NAME_MAX);
}

/* A local interface that everybody knows is not what a site is to be called, nor a path. */
bool site_parse_interface(struct bytes text, void *field, const struct site_option *option)
{
    return bytes_find(text, '/') == text.len && bytes_find(text, ' ') == text.len &&
           site_copy_text(text, field, (size_t)option->max);
}

bool site_parse_number(struct bytes text, void *field, const struct site_option *option)
{
    uint64_t number;
    if (!text_parse_number(text, option->max, &number) || number < option->min)
        return false;
    *(uint32_t *)field = (uint32_t)number;
    return true;
}

/* One of the names; the field is which. */
bool site_parse_one_of(struct bytes text, void *field, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes_equal(text, bytes_of(names[i], strlen(names[i])))) {
            *(uint8_t *)field = (uint8_t)i;
            return true;
        }
    }
    return false;
}

bool site_parse_seed(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    return text_parse_number(text, UINT64_MAX, field);
}

bool site_parse_duration(struct bytes text, void *field, const struct site_option *option)
{
    usec duration;
    if (!text_parse_duration(text, &duration) || duration < (usec)option->min ||
        duration > (usec)option->max)
        return false;
    *(usec *)field = duration;
    return true;
}

bool site_parse_size(struct bytes text, void *field, const struct site_option *option)
{
    uint64_t size;
    if (!text_parse_size(text, &size) || size < option->min || size > option->max)
        return false;
    *(uint64_t *)field = size;
    return true;
}

bool site_parse_chance(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    return text_parse_chance(text, field);
}

bool site_parse_rate(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    if (text.len == 1 && text.data[0] == '0') {
        *(uint64_t *)field = 0;
        return true;
    }
    return text_parse_rate(text, field);
}

bool site_parse_switch(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    static const struct {
        const char *word;
        bool on;
    } words[] = {{"on", true},   {"yes", true}, {"true", true},
                 {"off", false}, {"no", false}, {"false", false}};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (bytes_equal_nocase(text, bytes_of_text(words[i].word))) {
            *(bool *)field = words[i].on;
            return true;
        }
    }
    return false;
}

bool site_parse_address_v4(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    struct ip_address address;
    if (!address_parse(text, &address) || !address_is_v4(&address) || address_is_any(&address) ||
        address_is_multicast(&address) || address_is_broadcast(&address))
        return false;
    *(struct ip_address *)field = address;
    return true;
}

bool site_parse_mac(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    struct mac mac;
    static const struct mac zeros;
    if (!mac_parse(text, &mac) || mac_is_multicast(&mac) || mac_equal(&mac, &zeros))
        return false;
    *(struct mac *)field = mac;
    return true;
}

/* ADDRESS, ADDRESS:PORT, [ADDRESS]:PORT or PORT. */
bool site_listen_parse(struct bytes text, uint16_t default_port, struct endpoint *listen)
{
    uint64_t port;
    struct endpoint endpoint;
    struct ip_address address;
    if (text_parse_number(text, UINT16_MAX, &port) && port > 0) {
        listen->port = (uint16_t)port;
    } else if (endpoint_parse(text, &endpoint) && endpoint.port > 0) {
        *listen = endpoint;
    } else if (address_parse(text, &address)) {
        listen->address = address;
        listen->port = default_port;
    } else {
        return false;
    }
    return true;
}

bool site_parse_listen(struct bytes text, void *field, const struct site_option *option)
{
    return site_listen_parse(text, (uint16_t)option->min, field);
}

bool site_server_parse_port(struct bytes text, uint16_t port, struct endpoint *out)
{
    struct endpoint endpoint;
    memset(&endpoint, 0, sizeof endpoint); /* a reload compares it octet by octet */
    endpoint.port = port;
    if ((!endpoint_parse(text, &endpoint) && !address_parse(text, &endpoint.address)) ||
        endpoint.port == 0 || address_is_any(&endpoint.address) ||
        address_is_multicast(&endpoint.address))
        return false;
    *out = endpoint;
    return true;
}

bool site_server_parse(struct bytes text, struct endpoint *out)
{
    return site_server_parse_port(text, 53, out);
}

bool site_network_parse(struct bytes text, struct ip_prefix *out)
{
    struct ip_prefix prefix;
    memset(&prefix, 0, sizeof prefix);
    if (!prefix_parse(text, &prefix)) {
        if (!address_parse(text, &prefix.address))
            return false;
        prefix.len = address_is_v4(&prefix.address) ? 32 : 128;
    }
    *out = prefix;
    return true;
}
