/* SPDX-License-Identifier: ISC */
/* dhcp_fqdn.c - one option in its two forms. */
#include "wire/dhcp/dhcp_fqdn.h"

#include "base/text.h"

enum { RCODE_UNUSED = 255, LABEL_OCTETS_MAX = 63, NAME_OCTETS_MAX = 255 };

/* §2.3.1: labels as in the DNS, without compression; the last one, of no octets, is missing when the name
 * is not whole. */
static bool first_label(struct reader *r, struct bytes *out)
{
    bool first = true;
    *out = bytes_empty();
    if (reader_left(r) > NAME_OCTETS_MAX)
        return false;
    while (reader_left(r) > 0) {
        uint8_t len = read_u8(r);
        struct bytes label = read_bytes(r, len);
        if (r->failed || len > LABEL_OCTETS_MAX)
            return false;
        if (len == 0)
            return reader_left(r) == 0;
        if (first)
            *out = label;
        first = false;
    }
    return true;
}

bool dhcp_fqdn_decode(struct bytes option, struct dhcp_fqdn *out)
{
    struct reader r = reader_of(option);
    struct dhcp_fqdn fqdn = {.flags = read_u8(&r)};
    read_skip(&r, 2); /* RCODE1 and RCODE2, which mean nothing any more (§2.2) */
    if (r.failed)
        return false;
    struct bytes name;
    if ((fqdn.flags & DHCP_FQDN_E) == 0)
        name = read_rest(&r);
    else if (!first_label(&r, &name))
        return false;
    /* In wire form a dot is part of a label, which is then none for a host. */
    bool dotted = bytes_find(name, '.') < name.len;
    if (((fqdn.flags & DHCP_FQDN_E) && dotted) || !dhcp_host_label(name, fqdn.label))
        fqdn.label[0] = '\0';
    *out = fqdn;
    return true;
}

void dhcp_fqdn_encode(const struct dhcp_fqdn *fqdn, const char *domain, struct writer *w)
{
    char name[DHCP_LABEL_MAX + DHCP_NAME_MAX];
    struct text t = text_of(name, sizeof name);
    text_add(&t, fqdn->label);
    if (fqdn->label[0] != '\0' && domain[0] != '\0')
        text_add_format(&t, ".%s", domain);
    write_u8(w, fqdn->flags);
    write_u8(w, RCODE_UNUSED);
    write_u8(w, RCODE_UNUSED);
    if (name[0] == '\0')
        return;
    if ((fqdn->flags & DHCP_FQDN_E) == 0)
        write_bytes(w, bytes_of_text(name));
    else
        (void)!dhcp_search_encode(w, name); /* a name that is too long is left out */
}
