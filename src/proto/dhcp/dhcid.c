/* SPDX-License-Identifier: ISC */
/* dhcid.c - RFC 4701 §3: a kind, the digest's kind, and the digest. */
#include "proto/dhcp/dhcid.h"

#include "wire/dhcp/dhcp.h"

enum {
    DIGEST_SHA256 = 1,  /* §3.4 */
    ID_WITH_DUID = 255, /* RFC 4361 §6.1: then an IAID of four octets, and the DUID */
    DUID_AT = 5,
};

enum dhcid_kind dhcid_input(const struct dhcid_client *client, const struct dns_name *name,
                            struct writer *w)
{
    struct bytes id = client->client_id;
    struct dns_name lower;
    enum dhcid_kind kind = DHCID_CLIENT_ID;
    if (id.len == 0) {
        kind = DHCID_HARDWARE;
        write_u8(w, DHCP_HTYPE_ETHERNET);
        write_copy(w, client->mac.octets, sizeof client->mac.octets);
    } else if (id.data[0] == ID_WITH_DUID && id.len > DUID_AT) {
        kind = DHCID_DUID;
        write_bytes(w, bytes_after(id, DUID_AT));
    } else {
        write_bytes(w, id);
    }
    dns_name_copy(&lower, name);
    dns_name_lower(&lower);
    dns_name_write(w, &lower);
    return kind;
}

void dhcid_rdata(enum dhcid_kind kind, const uint8_t digest[DHCID_DIGEST_LEN], uint8_t out[DHCID_LEN])
{
    struct writer w = writer_of(out, DHCID_LEN);
    write_u16(&w, (uint16_t)kind);
    write_u8(&w, DIGEST_SHA256);
    write_copy(&w, digest, DHCID_DIGEST_LEN);
    ASSERT(!w.failed);
}
