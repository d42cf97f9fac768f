/* SPDX-License-Identifier: ISC */
/* dns_cookie.c - interoperable server cookies (RFC 9018 §4). */
#include "proto/dns/dns_cookie.h"

enum { VERSION = 1, HASHED_MAX = 16 + 16, HEAD_LEN = 16 };

/* RFC 9018 §4.4: over the client's part, the head of ours, and the client's address. */
static void make(const struct siphash_key *secret, const uint8_t head[HEAD_LEN],
                 const struct ip_address *client, uint8_t out[COOKIE_LEN])
{
    uint8_t octets[HASHED_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    write_copy(&w, head, HEAD_LEN);
    if (address_is_v4(client))
        write_copy(&w, client->octets + 12, 4);
    else
        write_copy(&w, client->octets, 16);
    uint64_t hash = siphash24(secret, writer_bytes(&w));
    memmove(out, head, HEAD_LEN);
    for (size_t i = 0; i < 8; i++) /* SipHash gives its octets lowest first */
        out[HEAD_LEN + i] = (uint8_t)(hash >> 8 * i);
}

static bool is_by(const struct siphash_key *secret, struct bytes option,
                  const struct ip_address *client)
{
    uint8_t want[COOKIE_LEN];
    make(secret, option.data, client, want);
    return bytes_equal_secret(bytes_of(want, sizeof want), option);
}

static uint32_t made_at(struct bytes option)
{
    struct reader r = reader_of(bytes_after(option, COOKIE_CLIENT_LEN + 4));
    return read_u32(&r);
}

static bool is_valid(const struct cookie_secrets *secrets, struct bytes option,
                     const struct ip_address *client, uint32_t now)
{
    if (option.len != COOKIE_LEN || option.data[COOKIE_CLIENT_LEN] != VERSION)
        return false;
    int32_t age = (int32_t)(now - made_at(option)); /* RFC 1982 arithmetic, RFC 9018 §4.3 */
    if (age > COOKIE_VALID_FOR || age < -COOKIE_AHEAD_MAX)
        return false;
    return is_by(&secrets->active, option, client) ||
           (secrets->has_previous && is_by(&secrets->previous, option, client));
}

enum cookie_verdict cookie_check(const struct cookie_secrets *secrets, struct bytes option,
                                 const struct ip_address *client, uint32_t now,
                                 uint8_t out[COOKIE_LEN])
{
    bool whole = option.len >= COOKIE_OPTION_MIN && option.len <= COOKIE_OPTION_MAX;
    if (option.len != COOKIE_CLIENT_LEN && !whole)
        return COOKIE_MALFORMED;
    bool valid = is_valid(secrets, option, client, now);
    int32_t age = valid ? (int32_t)(now - made_at(option)) : COOKIE_RENEW_AFTER + 1;
    if (age <= COOKIE_RENEW_AFTER && is_by(&secrets->active, option, client)) {
        memcpy(out, option.data, COOKIE_LEN);
        return COOKIE_VALID;
    }
    uint8_t head[HEAD_LEN] = {0};
    struct writer w = writer_of(head, sizeof head);
    write_copy(&w, option.data, COOKIE_CLIENT_LEN);
    write_u8(&w, VERSION);
    write_zeros(&w, 3);
    write_u32(&w, now);
    make(&secrets->active, head, client, out);
    return valid ? COOKIE_VALID : COOKIE_CLIENT_ONLY;
}
