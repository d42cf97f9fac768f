/* SPDX-License-Identifier: ISC */
/* api_address.c - wholenet/types.h: addresses and their text. */
#include "api/internal.h"

_Static_assert(sizeof(struct wn_address) == sizeof(struct ip_address), "the same octets");
_Static_assert((int)WN_ENDPOINT_TEXT_SIZE == (int)ENDPOINT_TEXT_MAX, "the same room");

struct wn_address wn_address_v4(uint32_t value)
{
    struct wn_address out;
    struct ip_address address = address_v4(value);
    memcpy(out.octets, address.octets, sizeof out.octets);
    return out;
}

int wn_endpoint_parse(const char *text, struct wn_endpoint *out)
{
    struct endpoint endpoint;
    if (!endpoint_parse(text_in(text), &endpoint))
        return -EINVAL;
    *out = endpoint_out(&endpoint);
    return 0;
}

char *wn_endpoint_text(const struct wn_endpoint *endpoint, char out[WN_ENDPOINT_TEXT_SIZE])
{
    struct endpoint in = endpoint_in(endpoint);
    return endpoint_format(&in, out);
}
