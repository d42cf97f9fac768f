/* SPDX-License-Identifier: ISC */
/* DHCP messages: what is decoded can be encoded, and is then decoded to the same. */
#include "base/compiler.h"
#include "fuzz/fuzz.h"
#include "wire/dhcp/dhcp_fqdn.h"

static void read_lists(struct bytes option)
{
    char name[DHCP_NAME_MAX];
    size_t at = 0;
    size_t before = 0;
    while (dhcp_search_next(option, &at, name)) {
        ASSERT(at > before && at <= option.len);
        ASSERT(strlen(name) > 0 && strlen(name) < sizeof name);
        uint8_t encoded[DHCP_NAME_MAX + 2];
        struct writer w = writer_of(encoded, sizeof encoded);
        ASSERT(dhcp_search_encode(&w, name) && !w.failed);
        before = at;
    }
    struct dhcp_route routes[8];
    size_t count = 0;
    if (dhcp_routes_decode(option, routes, 8, &count))
        for (size_t i = 0; i < count; i++)
            ASSERT(routes[i].to.len <= 32);
    char label[DHCP_LABEL_MAX];
    if (dhcp_host_label(option, label))
        ASSERT(strlen(label) > 0 && strlen(label) < sizeof label);
    if (dhcp_domain_text(option, name))
        ASSERT(strlen(name) > 0 && strlen(name) < sizeof name);
}

/* What a client is called, told back to it in either form. */
static void read_name(struct bytes option)
{
    struct dhcp_fqdn fqdn;
    if (!dhcp_fqdn_decode(option, &fqdn))
        return;
    for (int form = 0; form <= 1; form++) {
        uint8_t octets[DHCP_FQDN_OPTION_MAX];
        struct writer w = writer_of(octets, sizeof octets);
        struct dhcp_fqdn again;
        fqdn.flags ^= DHCP_FQDN_E;
        dhcp_fqdn_encode(&fqdn, "home.arpa", &w);
        ASSERT(dhcp_fqdn_decode(writer_bytes(&w), &again) && again.flags == fqdn.flags);
        ASSERT(strcmp(again.label, fqdn.label) == 0);
    }
}

static void same(const struct dhcp_message *a, const struct dhcp_message *b)
{
    ASSERT(memcmp(a, b, offsetof(struct dhcp_message, options)) == 0);
    ASSERT(a->option_count == b->option_count && a->octets_len == b->octets_len);
    for (size_t i = 0; i < a->option_count; i++)
        ASSERT(a->options[i].code == b->options[i].code && a->options[i].len == b->options[i].len);
    ASSERT(memcmp(a->octets, b->octets, a->octets_len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct dhcp_message m;
    if (dhcp_decode(bytes_of(data, len), &m) != WIRE_OK)
        return 0;
    for (size_t i = 0; i < m.option_count; i++) {
        struct bytes option;
        ASSERT(dhcp_find(&m, m.options[i].code, &option));
        read_lists(option);
        read_name(option);
    }
    uint8_t octets[DHCP_MESSAGE_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    if (dhcp_encode(&m, DHCP_MESSAGE_MAX, &w) != WIRE_OK) {
        ASSERT(len > 1000); /* full to the brim, and cut into other pieces than ours */
        return 0;
    }
    struct dhcp_message again;
    ASSERT(dhcp_decode(writer_bytes(&w), &again) == WIRE_OK);
    same(&m, &again);
    return 0;
}
