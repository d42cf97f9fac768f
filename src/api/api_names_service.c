/* SPDX-License-Identifier: ISC */
/* api_names_service.c - services and their ports: those of a services(5), or well-known ones (RFC 6335). */
#include "api/api_names.h"
#include "base/text.h"

enum { TCP = 1, UDP = 2 };

static const struct {
    const char *name;
    uint16_t port;
    uint8_t protocols;
} services[] = {
    {"echo", 7, TCP | UDP},     {"discard", 9, TCP | UDP},   {"daytime", 13, TCP | UDP},
    {"chargen", 19, TCP | UDP}, {"ftp-data", 20, TCP},       {"ftp", 21, TCP},
    {"ssh", 22, TCP},           {"telnet", 23, TCP},         {"smtp", 25, TCP},
    {"time", 37, TCP | UDP},    {"domain", 53, TCP | UDP},   {"bootps", 67, UDP},
    {"bootpc", 68, UDP},        {"tftp", 69, UDP},           {"http", 80, TCP},
    {"kerberos", 88, TCP | UDP}, {"pop3", 110, TCP},         {"sunrpc", 111, TCP | UDP},
    {"ntp", 123, UDP},          {"imap2", 143, TCP},         {"imap", 143, TCP},
    {"snmp", 161, TCP | UDP},   {"snmp-trap", 162, TCP | UDP}, {"bgp", 179, TCP},
    {"ldap", 389, TCP | UDP},   {"https", 443, TCP | UDP},   {"submissions", 465, TCP},
    {"syslog", 514, UDP},       {"submission", 587, TCP},    {"ldaps", 636, TCP | UDP},
    {"domain-s", 853, TCP | UDP}, {"imaps", 993, TCP},       {"pop3s", 995, TCP},
    {"sip", 5060, TCP | UDP},   {"sip-tls", 5061, TCP | UDP}, {"mdns", 5353, UDP},
};

static struct bytes next_word(struct bytes *rest)
{
    size_t start = 0, len = 0;
    while (start < rest->len && (rest->data[start] == ' ' || rest->data[start] == '\t' ||
                                 rest->data[start] == '\r'))
        start++;
    *rest = bytes_after(*rest, start);
    while (len < rest->len && rest->data[len] != ' ' && rest->data[len] != '\t' &&
           rest->data[len] != '\r')
        len++;
    struct bytes word = bytes_first(*rest, len);
    *rest = bytes_after(*rest, len);
    return word;
}

struct service_line {
    struct bytes name;
    struct bytes aliases;
    uint16_t port;
    bool datagrams;
};

/* "name port/protocol alias…" */
static bool read_line(struct bytes line, struct service_line *out)
{
    uint64_t port;
    line = bytes_first(line, bytes_find(line, '#'));
    out->name = next_word(&line);
    struct bytes place = next_word(&line);
    size_t slash = bytes_find(place, '/');
    struct bytes protocol = bytes_after(place, slash + 1);
    if (!text_parse_number(bytes_first(place, slash), UINT16_MAX, &port))
        return false;
    out->port = (uint16_t)port;
    out->datagrams = bytes_equal(protocol, bytes_of_text("udp"));
    out->aliases = line;
    return out->datagrams || bytes_equal(protocol, bytes_of_text("tcp"));
}

static bool next_service(struct bytes *rest, struct service_line *out)
{
    while (rest->len > 0) {
        size_t end = bytes_find(*rest, '\n');
        struct bytes line = bytes_first(*rest, end);
        *rest = bytes_after(*rest, end + 1);
        if (read_line(line, out))
            return true;
    }
    return false;
}

static bool has_name(const struct service_line *line, struct bytes name)
{
    struct bytes rest = line->aliases;
    if (bytes_equal(line->name, name))
        return true;
    for (struct bytes word = next_word(&rest); word.len > 0; word = next_word(&rest))
        if (bytes_equal(word, name))
            return true;
    return false;
}

bool service_port(const struct wn_resolver *resolver, struct bytes name, bool datagrams,
                  uint16_t *out)
{
    if (resolver->services != NULL) {
        struct bytes rest = bytes_of_text(resolver->services);
        struct service_line line;
        while (next_service(&rest, &line))
            if (line.datagrams == datagrams && has_name(&line, name)) {
                *out = line.port;
                return true;
            }
        return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(services); i++)
        if ((services[i].protocols & (datagrams ? UDP : TCP)) != 0 &&
            bytes_equal(name, bytes_of_text(services[i].name))) {
            *out = services[i].port;
            return true;
        }
    return false;
}

struct bytes service_name(const struct wn_resolver *resolver, uint16_t port, bool datagrams)
{
    if (resolver->services != NULL) {
        struct bytes rest = bytes_of_text(resolver->services);
        struct service_line line;
        while (next_service(&rest, &line))
            if (line.datagrams == datagrams && line.port == port)
                return line.name;
        return bytes_empty();
    }
    for (size_t i = 0; i < ARRAY_LEN(services); i++)
        if ((services[i].protocols & (datagrams ? UDP : TCP)) != 0 && services[i].port == port)
            return bytes_of_text(services[i].name);
    return bytes_empty();
}
