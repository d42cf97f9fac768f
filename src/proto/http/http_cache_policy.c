/* SPDX-License-Identifier: ISC */
/* http_cache_policy.c - RFC 9111 §3 (storing), §4.2 (freshness), §5.2 (directives); RFC 5861. */
#include "proto/http/http_cache_policy.h"

#include "wire/http/http_date.h"
#include "wire/http/http_list.h"

static bool has(const struct http_cache_control *cc, enum http_cc_directive which)
{
    return http_cc_has(cc, which);
}

/* Statuses whose demands on caches we know and meet (§3, on must-understand). */
static bool is_understood(unsigned status)
{
    static const uint16_t known[] = {200, 201, 202, 203, 204, 205, 206, 300, 301, 302, 303, 304, 307,
                                     308, 400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411,
                                     412, 413, 414, 415, 416, 417, 421, 422, 426, 428, 429, 431, 451,
                                     500, 501, 502, 503, 504, 505, 511};
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (known[i] == status)
            return true;
    return false;
}

bool http_cache_heuristic_status(unsigned status)
{
    static const uint16_t known[] = {200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501};
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (known[i] == status)
            return true;
    return false;
}

static int64_t date_of(const struct http_fields *fields, const char *name, int64_t wall)
{
    struct bytes value;
    int64_t date;
    if (!http_field_find(fields, name, &value) || !http_date_parse(value, wall, &date))
        return HTTP_NO_DATE;
    return date;
}

static uint32_t clamp(int64_t seconds)
{
    if (seconds < 0)
        return 0;
    return seconds > HTTP_DELTA_MAX ? HTTP_DELTA_MAX : (uint32_t)seconds;
}

/* A tenth of the time since it was last changed (§4.2.2). */
static uint32_t heuristic(const struct http_cache_rules *rules,
                          const struct http_cache_facts *facts)
{
    if (!http_cache_heuristic_status(facts->status) && !has(&facts->cc, HTTP_CC_PUBLIC))
        return 0;
    if (facts->modified == HTTP_NO_DATE || facts->modified > facts->date)
        return 0;
    uint32_t lifetime = clamp((facts->date - facts->modified) / 10);
    return lifetime < rules->heuristic_max ? lifetime : rules->heuristic_max;
}

/* §4.2.1, in its order. Dates that are none lie in the past (§5.3). */
static uint32_t lifetime_of(const struct http_cache_rules *rules,
                            const struct http_fields *fields, int64_t wall,
                            const struct http_cache_facts *facts)
{
    if (rules->shared && has(&facts->cc, HTTP_CC_S_MAXAGE))
        return facts->cc.seconds[HTTP_CC_S_MAXAGE];
    if (has(&facts->cc, HTTP_CC_MAX_AGE))
        return facts->cc.seconds[HTTP_CC_MAX_AGE];
    if (facts->has_expires) {
        int64_t expires = date_of(fields, "Expires", wall);
        return expires == HTTP_NO_DATE ? 0 : clamp(expires - facts->date);
    }
    return heuristic(rules, facts);
}

void http_cache_facts(const struct http_cache_rules *rules, unsigned status,
                      const struct http_fields *fields, usec request_at,
                      struct http_cache_time time, struct http_cache_facts *out)
{
    struct bytes value;
    uint32_t age = 0;
    *out = (struct http_cache_facts){.status = status, .response_at = time.now};
    out->targeted = rules->targeted != NULL &&
                    http_cache_control_targeted(fields, rules->targeted, &out->cc);
    if (!out->targeted)
        http_cache_control_parse(fields, &out->cc);
    /* A targeted field that counts is all that counts (RFC 9213 §2.2). */
    out->has_expires = !out->targeted && http_field_find(fields, "Expires", &value);
    out->has_age = http_age(fields, &age);
    out->modified = date_of(fields, "Last-Modified", time.wall);
    out->date = date_of(fields, "Date", time.wall);
    if (out->date == HTTP_NO_DATE)
        out->date = time.wall; /* RFC 9110 §6.6.1 */
    out->lifetime = lifetime_of(rules, fields, time.wall, out);
    usec apparent = clamp(time.wall - out->date) * USEC_PER_SEC;
    usec corrected = age * USEC_PER_SEC + (time.now - request_at);
    out->initial_age = usec_max(apparent, corrected);
}

void http_cache_wishes(const struct http_fields *fields, struct http_cache_wishes *out)
{
    struct bytes value;
    http_cache_control_parse(fields, &out->cc);
    out->authorized = http_field_find(fields, "Authorization", &value);
    /* §5.4: from clients that know nothing else. */
    if (!http_field_find(fields, "Cache-Control", &value) &&
        http_field_has(fields, "Pragma", "no-cache"))
        out->cc.present |= UINT32_C(1) << HTTP_CC_NO_CACHE;
}

static bool explicitly_fresh(const struct http_cache_rules *rules,
                             const struct http_cache_facts *facts)
{
    return has(&facts->cc, HTTP_CC_MAX_AGE) || facts->has_expires ||
           (rules->shared && has(&facts->cc, HTTP_CC_S_MAXAGE));
}

/* What §3 demands of every response, whatever makes it storable. */
static bool nothing_forbids(const struct http_cache_rules *rules,
                            const struct http_cache_wishes *wishes,
                            const struct http_cache_facts *facts)
{
    const struct http_cache_control *cc = &facts->cc;
    bool understood = is_understood(facts->status);
    if (facts->status < 200 || has(&wishes->cc, HTTP_CC_NO_STORE))
        return false;
    if (has(cc, HTTP_CC_MUST_UNDERSTAND) && !understood)
        return false;
    /* Who understands the status does as must-understand says, and not as no-store (§5.2.2.3). */
    if (has(cc, HTTP_CC_NO_STORE) && !(has(cc, HTTP_CC_MUST_UNDERSTAND) && understood))
        return false;
    if (!rules->shared)
        return true;
    if (has(cc, HTTP_CC_PRIVATE))
        return false;
    return !wishes->authorized || has(cc, HTTP_CC_MUST_REVALIDATE) || has(cc, HTTP_CC_PUBLIC) ||
           has(cc, HTTP_CC_S_MAXAGE); /* §3.5 */
}

bool http_cache_may_store(const struct http_cache_rules *rules,
                          const struct http_cache_wishes *wishes,
                          const struct http_cache_facts *facts)
{
    if (facts->status == 304 || !nothing_forbids(rules, wishes, facts))
        return false;
    return has(&facts->cc, HTTP_CC_PUBLIC) || (!rules->shared && has(&facts->cc, HTTP_CC_PRIVATE)) ||
           explicitly_fresh(rules, facts) || http_cache_heuristic_status(facts->status);
}

bool http_cache_may_store_post(const struct http_cache_rules *rules,
                               const struct http_cache_wishes *wishes,
                               const struct http_cache_facts *facts)
{
    return facts->status == 200 && nothing_forbids(rules, wishes, facts) &&
           explicitly_fresh(rules, facts);
}

usec http_cache_age(const struct http_cache_facts *facts, usec now)
{
    return facts->initial_age + (now - facts->response_at);
}

int64_t http_cache_ttl(const struct http_cache_facts *facts, usec now)
{
    return facts->lifetime - http_cache_age(facts, now) / USEC_PER_SEC;
}

static usec seconds_of(const struct http_cache_control *cc, enum http_cc_directive which)
{
    return has(cc, which) ? cc->seconds[which] * USEC_PER_SEC : 0;
}

/* §4.2.4: who forbids stale use altogether. */
static bool never_stale(const struct http_cache_rules *rules,
                        const struct http_cache_facts *facts)
{
    return has(&facts->cc, HTTP_CC_MUST_REVALIDATE) || has(&facts->cc, HTTP_CC_NO_CACHE) ||
           (rules->shared && has(&facts->cc, HTTP_CC_PROXY_REVALIDATE));
}

/* s-maxage means proxy-revalidate too (§5.2.2.10), but does not take back what the same response
 * allows by RFC 5861. */
static bool stale_unsaid(const struct http_cache_rules *rules,
                         const struct http_cache_facts *facts)
{
    return !never_stale(rules, facts) && !(rules->shared && has(&facts->cc, HTTP_CC_S_MAXAGE));
}

enum http_cache_use http_cache_judge(const struct http_cache_rules *rules,
                                     const struct http_cache_facts *facts,
                                     const struct http_cache_wishes *wishes, usec now)
{
    const struct http_cache_control *cc = &wishes->cc;
    usec age = http_cache_age(facts, now);
    usec left = facts->lifetime * USEC_PER_SEC - age;
    if (has(cc, HTTP_CC_NO_CACHE) || has(&facts->cc, HTTP_CC_NO_CACHE))
        return HTTP_CACHE_USE_VALID;
    if (has(cc, HTTP_CC_MAX_AGE) && age > seconds_of(cc, HTTP_CC_MAX_AGE))
        return HTTP_CACHE_USE_VALID;
    if (has(cc, HTTP_CC_MIN_FRESH) && left < seconds_of(cc, HTTP_CC_MIN_FRESH))
        return HTTP_CACHE_USE_VALID;
    if (left > 0)
        return HTTP_CACHE_USE;
    if (has(cc, HTTP_CC_MAX_STALE) && stale_unsaid(rules, facts) &&
        -left <= seconds_of(cc, HTTP_CC_MAX_STALE))
        return HTTP_CACHE_USE;
    /* A client that names an age does not want a stale one (§5.2.1.1). */
    if (has(&facts->cc, HTTP_CC_STALE_WHILE_REVALIDATE) && !never_stale(rules, facts) &&
        !has(cc, HTTP_CC_MAX_AGE) &&
        -left <= seconds_of(&facts->cc, HTTP_CC_STALE_WHILE_REVALIDATE))
        return HTTP_CACHE_USE_BEHIND;
    return HTTP_CACHE_USE_VALID;
}

bool http_cache_use_after_error(const struct http_cache_rules *rules,
                                const struct http_cache_facts *facts,
                                const struct http_cache_wishes *wishes, bool unreachable, usec now)
{
    usec staleness = http_cache_age(facts, now) - facts->lifetime * USEC_PER_SEC;
    if (never_stale(rules, facts))
        return false;
    if (has(&facts->cc, HTTP_CC_STALE_IF_ERROR) &&
        staleness <= seconds_of(&facts->cc, HTTP_CC_STALE_IF_ERROR))
        return true;
    if (has(&wishes->cc, HTTP_CC_STALE_IF_ERROR) && stale_unsaid(rules, facts) &&
        staleness <= seconds_of(&wishes->cc, HTTP_CC_STALE_IF_ERROR))
        return true;
    return unreachable && stale_unsaid(rules, facts) && !has(&wishes->cc, HTTP_CC_NO_CACHE) &&
           !has(&wishes->cc, HTTP_CC_MAX_AGE) && !has(&wishes->cc, HTTP_CC_MIN_FRESH) &&
           staleness <= rules->stale_max * USEC_PER_SEC;
}
