/* SPDX-License-Identifier: ISC */
/* zone_secondary.c - rounds: each primary is asked until one is of use, and then there is a pause. */
#include "proto/dns/zone_secondary.h"

#include "wire/dns/dns_serial.h"

void secondary_init(struct zone_secondary *s, size_t primary_count, struct prng *prng, usec now)
{
    ASSERT(primary_count > 0 && primary_count <= SECONDARY_PRIMARIES_MAX);
    *s = (struct zone_secondary){
        .prng = prng,
        .primary_count = primary_count,
        .check_at = now,
        .expire_at = USEC_NEVER,
    };
}

static uint32_t bounded(uint32_t seconds, uint32_t least)
{
    return seconds < least                    ? least
           : seconds > SECONDARY_INTERVAL_MAX ? SECONDARY_INTERVAL_MAX
                                              : seconds;
}

/* REFRESH RETRY EXPIRE, behind the serial number. A zone that would expire before it is looked after
 * twice would come and go. */
static void take_soa(struct zone_secondary *s, struct bytes soa)
{
    struct reader r = reader_of(bytes_after(soa, soa.len - DNS_SOA_NUMBERS_LEN));
    s->serial = read_u32(&r);
    s->refresh = bounded(read_u32(&r), 1);
    s->retry = bounded(read_u32(&r), 1);
    s->expire = bounded(read_u32(&r), s->refresh + s->retry);
    s->held = true;
}

/* A tenth earlier or later, so that the zones of one server do not come all at once. */
static usec with_jitter(struct zone_secondary *s, uint32_t seconds)
{
    usec whole = (usec)seconds * USEC_PER_SEC;
    uint32_t parts = prng_below(s->prng, 200001);
    return whole - whole / 10 + whole / 1000000 * (usec)parts;
}

static void end_round(struct zone_secondary *s, uint32_t pause, usec now)
{
    s->in_round = false;
    s->wanted = SECONDARY_NOTHING;
    s->whole = false;
    s->asked = 0;
    s->check_at = s->again ? now : now + with_jitter(s, pause);
    s->again = false;
}

static void confirmed(struct zone_secondary *s, uint64_t age, usec now)
{
    uint64_t left = age < s->expire ? s->expire - age : 0;
    s->expire_at = now + (usec)left * USEC_PER_SEC;
    s->failures = 0;
}

void secondary_have(struct zone_secondary *s, struct bytes soa, uint64_t age, usec now)
{
    ASSERT(!s->in_round);
    take_soa(s, soa);
    confirmed(s, age, now);
    s->check_at = now + with_jitter(s, 1); /* it may have changed since */
}

enum secondary_action secondary_next(struct zone_secondary *s, usec now)
{
    if (s->busy)
        return SECONDARY_NOTHING;
    if (!s->in_round && now >= s->check_at) {
        s->in_round = true;
        s->wanted = s->held ? SECONDARY_ASK : SECONDARY_FETCH;
        s->whole = !s->held;
    }
    if (!s->in_round)
        return SECONDARY_NOTHING;
    s->busy = true;
    return s->wanted;
}

void secondary_serial_is(struct zone_secondary *s, uint32_t serial, usec now)
{
    ASSERT(s->busy);
    if (s->held && dns_serial_before(serial, s->serial)) {
        secondary_failed(s, now); /* it is behind us: perhaps another is not */
        return;
    }
    s->busy = false;
    if (!s->held || serial != s->serial) {
        s->wanted = SECONDARY_FETCH;
        s->whole = !s->held;
        return;
    }
    confirmed(s, 0, now);
    end_round(s, s->refresh, now);
}

void secondary_fetched(struct zone_secondary *s, struct bytes soa, usec now)
{
    ASSERT(s->busy);
    s->busy = false;
    take_soa(s, soa);
    confirmed(s, 0, now);
    end_round(s, s->refresh, now);
}

void secondary_fetch_whole(struct zone_secondary *s)
{
    ASSERT(s->busy);
    s->busy = false;
    s->wanted = SECONDARY_FETCH;
    s->whole = true;
}

static uint32_t pause_after_failure(const struct zone_secondary *s)
{
    if (s->held)
        return s->retry;
    uint32_t pause = SECONDARY_FIRST_RETRY;
    for (uint32_t i = 1; i < s->failures && pause < SECONDARY_FIRST_RETRY_MAX; i++)
        pause *= 2;
    return pause < SECONDARY_FIRST_RETRY_MAX ? pause : SECONDARY_FIRST_RETRY_MAX;
}

void secondary_failed(struct zone_secondary *s, usec now)
{
    ASSERT(s->busy);
    s->busy = false;
    s->primary = (s->primary + 1) % s->primary_count;
    s->asked++;
    s->wanted = s->held ? SECONDARY_ASK : SECONDARY_FETCH;
    s->whole = !s->held;
    if (s->asked < s->primary_count)
        return;
    s->failures++;
    end_round(s, pause_after_failure(s), now);
}

bool secondary_notified(struct zone_secondary *s, size_t primary, const uint32_t *serial, usec now)
{
    if (s->held && serial != NULL && !dns_serial_before(s->serial, *serial))
        return false;
    if (s->in_round) {
        s->again = true;
        return true;
    }
    s->primary = primary;
    s->check_at = now;
    return true;
}

bool secondary_expires(struct zone_secondary *s, usec now)
{
    if (!s->held || now < s->expire_at)
        return false;
    s->held = false;
    s->whole = true; /* there is nothing to which a difference could be applied */
    s->expire_at = USEC_NEVER;
    return true;
}

usec secondary_deadline(const struct zone_secondary *s)
{
    usec at = s->held ? s->expire_at : USEC_NEVER;
    usec next = s->busy ? USEC_NEVER : s->in_round ? 0 : s->check_at;
    return next < at ? next : at;
}
