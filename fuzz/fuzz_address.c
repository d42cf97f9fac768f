/* SPDX-License-Identifier: ISC */
/* fuzz_address.c - what was parsed has one canonical text, which parses to the same. */
#include "base/address.h"
#include "fuzz/fuzz.h"

static void check_address(struct bytes in)
{
    struct ip_address a;
    struct ip_address b;
    char text[ADDRESS_TEXT_MAX];
    if (!address_parse(in, &a))
        return;
    ASSERT(address_parse(bytes_of_text(address_format(&a, text)), &b) && address_equal(&a, &b));
}

static void check_prefix(struct bytes in)
{
    struct ip_prefix a;
    struct ip_prefix b;
    char text[PREFIX_TEXT_MAX];
    if (!prefix_parse(in, &a))
        return;
    ASSERT(prefix_contains(&a, &a.address));
    ASSERT(prefix_parse(bytes_of_text(prefix_format(&a, text)), &b));
    ASSERT(a.len == b.len && address_equal(&a.address, &b.address));
}

static void check_endpoint(struct bytes in)
{
    struct endpoint a;
    struct endpoint b;
    char text[ENDPOINT_TEXT_MAX];
    if (!endpoint_parse(in, &a))
        return;
    ASSERT(endpoint_parse(bytes_of_text(endpoint_format(&a, text)), &b));
    ASSERT(endpoint_equal(&a, &b));
}

static void check_mac(struct bytes in)
{
    struct mac a;
    char text[MAC_TEXT_MAX];
    if (mac_parse(in, &a))
        ASSERT(bytes_equal_nocase(bytes_of_text(mac_format(&a, text)), in));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct bytes in = bytes_of(data, len);
    check_address(in);
    check_prefix(in);
    check_endpoint(in);
    check_mac(in);
    return 0;
}
