/* SPDX-License-Identifier: ISC */
/* anchor_track.c - the states of a trust anchor's keys (RFC 5011 §4). */
#include "proto/dns/anchor_track.h"

#include "base/encoding.h"

enum {
    FLAG_ZONE = 0x01,   /* in the first octet of a DNSKEY's flags */
    FLAG_SEP = 0x01,    /* in the second */
    FLAG_REVOKE = 0x80, /* in the second (§2.1) */
    KEY_HEAD_LEN = 4,
    RRSIG_TTL_AT = 4, /* RFC 4034 §3.1 */
};

void anchor_track_init(struct anchor_track *track, const struct dns_name *zone)
{
    *track = (struct anchor_track){.zone = *zone};
}

static struct bytes key_bytes(const struct anchor_key *key)
{
    return bytes_of(key->rdata, key->len);
}

static bool is_trusted(const struct anchor_key *key)
{
    return key->state == ANCHOR_VALID || key->state == ANCHOR_MISSING;
}

static bool is_gone(const struct anchor_key *key)
{
    return key->state == ANCHOR_REVOKED || key->state == ANCHOR_REMOVED;
}

/* ---- what is trusted ---- */

static bool is_configured(const struct anchor_track *track, const struct validate_crypto *crypto,
                          struct bytes configured, struct bytes key)
{
    struct reader r = reader_of(configured);
    struct bytes ds;
    while (cache_read_rdata(&r, &ds))
        if (validate_ds_is_of(crypto, &track->zone, ds, key))
            return true;
    return false;
}

static bool is_revoked_ds(const struct anchor_track *track, const struct validate_crypto *crypto,
                          struct bytes ds)
{
    for (size_t i = 0; i < track->key_count; i++)
        if (is_gone(&track->keys[i]) &&
            validate_ds_is_of(crypto, &track->zone, ds, key_bytes(&track->keys[i])))
            return true;
    return false;
}

static bool put(struct writer *out, struct bytes ds)
{
    if (writer_room(out) < 2 + ds.len)
        return false;
    cache_write_rdata(out, ds);
    return true;
}

/* DS of the keys as they are when revoked, which nothing is validated by: an empty list would be that of a zone
 * that is not signed. */
static bool put_revoked(const struct anchor_track *track, const struct validate_crypto *crypto,
                        struct writer *out)
{
    bool fits = true;
    for (size_t i = 0; i < track->key_count && writer_len(out) == 0; i++) {
        struct anchor_key key = track->keys[i];
        uint8_t buffer[VALIDATE_DS_LEN_MAX];
        if (!is_gone(&key))
            continue;
        key.rdata[1] |= FLAG_REVOKE;
        fits = put(out, validate_make_ds(crypto, &track->zone, key_bytes(&key), buffer));
    }
    return fits;
}

bool anchor_track_trusted(const struct anchor_track *track, const struct validate_crypto *crypto,
                          struct bytes configured, struct writer *out)
{
    struct reader r = reader_of(configured);
    struct bytes ds;
    bool fits = true;
    while (cache_read_rdata(&r, &ds))
        if (!is_revoked_ds(track, crypto, ds))
            fits &= put(out, ds);
    for (size_t i = 0; i < track->key_count; i++) {
        struct bytes key = key_bytes(&track->keys[i]);
        uint8_t buffer[VALIDATE_DS_LEN_MAX];
        if (is_trusted(&track->keys[i]) && !is_configured(track, crypto, configured, key))
            fits &= put(out, validate_make_ds(crypto, &track->zone, key, buffer));
    }
    return put_revoked(track, crypto, out) && fits;
}

/* ---- the table ---- */

static struct anchor_key *find(struct anchor_track *track, struct bytes rdata)
{
    for (size_t i = 0; i < track->key_count; i++)
        if (bytes_equal(key_bytes(&track->keys[i]), rdata))
            return &track->keys[i];
    return NULL;
}

static void drop(struct anchor_track *track, struct anchor_key *key)
{
    *key = track->keys[--track->key_count];
}

/* In the place of the key that was removed first, when there is no other. NULL: there is none. */
static struct anchor_key *make_room(struct anchor_track *track)
{
    struct anchor_key *oldest = NULL;
    if (track->key_count < ANCHOR_KEYS_MAX)
        return &track->keys[track->key_count++];
    for (size_t i = 0; i < track->key_count; i++) {
        struct anchor_key *key = &track->keys[i];
        if (key->state == ANCHOR_REMOVED && (oldest == NULL || key->since < oldest->since))
            oldest = key;
    }
    return oldest;
}

static void enter(struct anchor_key *key, enum anchor_state state, int64_t now,
                  struct anchor_news *news)
{
    key->state = state;
    key->since = now;
    news->changed = true;
}

static struct anchor_key *add(struct anchor_track *track, struct bytes rdata,
                              struct anchor_news *news)
{
    struct anchor_key *key = make_room(track);
    if (key == NULL) {
        news->full = true;
        return NULL;
    }
    *key = (struct anchor_key){.len = rdata.len};
    memcpy(key->rdata, rdata.data, rdata.len);
    return key;
}

/* ---- what was seen ---- */

static bool is_key(struct bytes rdata)
{
    return rdata.len > KEY_HEAD_LEN && rdata.len <= ANCHOR_KEY_LEN_MAX &&
           (rdata.data[0] & FLAG_ZONE) != 0;
}

static bool is_in(const struct validate_set *set, struct bytes wanted)
{
    struct reader r = reader_of(set->records);
    struct bytes rdata;
    while (cache_read_rdata(&r, &rdata))
        if (bytes_equal(rdata, wanted))
            return true;
    return false;
}

/* §2.1: a key revokes itself; nobody else need have signed. Only one that is trusted can: of others nothing is to
 * be remembered, or strangers would fill the table. */
static void see_revocation(struct anchor_track *track, struct validate_context *v,
                           const struct validate_set *set, struct bytes configured,
                           struct bytes rdata, struct anchor_news *news)
{
    uint8_t buffer[ANCHOR_KEY_LEN_MAX];
    struct bytes was = bytes_of(buffer, rdata.len);
    memcpy(buffer, rdata.data, rdata.len);
    buffer[1] &= (uint8_t)~FLAG_REVOKE;
    struct anchor_key *key = find(track, was);
    bool trusted = key != NULL ? is_trusted(key)
                               : is_configured(track, v->crypto, configured, was);
    if (!trusted || !validate_revocation(v, set, rdata))
        return;
    if (key == NULL)
        key = add(track, was, news);
    if (key != NULL)
        enter(key, ANCHOR_REVOKED, v->wall_seconds, news);
}

static void see_revocations(struct anchor_track *track, struct validate_context *v,
                            const struct validate_set *set, struct bytes configured,
                            struct anchor_news *news)
{
    struct reader r = reader_of(set->records);
    struct bytes rdata;
    while (cache_read_rdata(&r, &rdata))
        if (is_key(rdata) && (rdata.data[1] & FLAG_REVOKE) != 0)
            see_revocation(track, v, set, configured, rdata, news);
}

/* §2.3 goes by the TTL as it was signed, and by the time until signatures expire; of several the least. */
static void see_times(struct anchor_track *track, const struct validate_set *set, int64_t now)
{
    struct reader r = reader_of(set->signatures);
    struct bytes rdata;
    bool first = true;
    while (cache_read_rdata(&r, &rdata)) {
        struct reader rd = reader_of(rdata);
        (void)read_bytes(&rd, RRSIG_TTL_AT);
        uint32_t ttl = read_u32(&rd);
        int32_t left = (int32_t)(read_u32(&rd) - (uint32_t)now); /* RFC 4034 §3.1.5 */
        uint32_t expires_in = left > 0 ? (uint32_t)left : 0;
        if (rd.failed)
            continue;
        track->ttl = first || ttl < track->ttl ? ttl : track->ttl;
        track->expires_in = first || expires_in < track->expires_in ? expires_in : track->expires_in;
        first = false;
    }
}

/* A date before that of what has happened: the clock was put back, or had been wrong. Waiting begins anew, so
 * that nothing is trusted early. */
static void mend_date(struct anchor_key *key, int64_t now, struct anchor_news *news)
{
    if (key->since > now)
        enter(key, key->state, now, news);
}

/* The transitions of §4.1 for a key in the table. False: back to Start. */
static bool step(struct anchor_key *key, bool present, int64_t now, struct anchor_news *news)
{
    mend_date(key, now, news);
    switch (key->state) {
    case ANCHOR_PENDING: /* §2.2: whoever stole a key cannot keep another one there without being seen */
        if (!present)
            return false;
        if (now - key->since >= key->hold)
            enter(key, ANCHOR_VALID, now, news);
        break;
    case ANCHOR_VALID:
        if (!present)
            enter(key, ANCHOR_MISSING, now, news);
        break;
    case ANCHOR_MISSING:
        if (present)
            enter(key, ANCHOR_VALID, now, news);
        break;
    case ANCHOR_REVOKED:
        if (now - key->since >= ANCHOR_HOLD_DOWN)
            enter(key, ANCHOR_REMOVED, now, news);
        break;
    case ANCHOR_REMOVED:
    case ANCHOR_STATE_COUNT:
        break;
    }
    return true;
}

static void step_all(struct anchor_track *track, const struct validate_set *set, int64_t now,
                     struct anchor_news *news)
{
    for (size_t i = track->key_count; i-- > 0;) {
        struct anchor_key *key = &track->keys[i];
        if (step(key, is_in(set, key_bytes(key)), now, news))
            continue;
        drop(track, key);
        news->changed = true;
    }
}

/* A key that is not known, or that the administrator has come to trust: the latter needs no waiting. */
static void see_key(struct anchor_track *track, struct validate_context *v, struct bytes configured,
                    struct bytes rdata, struct anchor_news *news)
{
    struct anchor_key *key = find(track, rdata);
    bool trusted = (key == NULL || key->state == ANCHOR_PENDING) &&
                   is_configured(track, v->crypto, configured, rdata);
    if (key == NULL && !trusted && (rdata.data[1] & FLAG_SEP) == 0) /* §3 */
        return;
    if (key != NULL && !trusted)
        return;
    if (key == NULL)
        key = add(track, rdata, news);
    if (key == NULL)
        return;
    /* §2.4.1: 30 days, or the TTL if that is longer. */
    key->hold = track->ttl > ANCHOR_HOLD_DOWN ? track->ttl : ANCHOR_HOLD_DOWN;
    enter(key, trusted ? ANCHOR_VALID : ANCHOR_PENDING, v->wall_seconds, news);
}

static void see_keys(struct anchor_track *track, struct validate_context *v,
                     const struct validate_set *set, struct bytes configured,
                     struct anchor_news *news)
{
    struct reader r = reader_of(set->records);
    struct bytes rdata;
    while (cache_read_rdata(&r, &rdata))
        if (is_key(rdata) && (rdata.data[1] & FLAG_REVOKE) == 0)
            see_key(track, v, configured, rdata, news);
}

struct anchor_news anchor_track_see(struct anchor_track *track, struct validate_context *v,
                                    const struct validate_set *set, struct bytes configured)
{
    enum { TRUSTED_MAX = 8192 };
    uint8_t buffer[TRUSTED_MAX];
    struct anchor_news news = {false, false, false};
    struct writer w = writer_of(buffer, sizeof buffer);
    see_revocations(track, v, set, configured, &news);
    news.full |= !anchor_track_trusted(track, v->crypto, configured, &w);
    news.validated = validate_keys(v, set, writer_bytes(&w)).security == CACHE_SECURE;
    if (!news.validated)
        return news;
    see_times(track, set, v->wall_seconds);
    step_all(track, set, v->wall_seconds, &news);
    see_keys(track, v, set, configured, &news);
    return news;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

uint32_t anchor_track_interval(const struct anchor_track *track, bool validated)
{
    uint32_t shorter = least(track->ttl, track->expires_in);
    uint32_t wanted = validated ? least(ANCHOR_QUERY_MAX, shorter / 2)
                                : least(ANCHOR_RETRY_MAX, shorter / 10);
    return wanted > ANCHOR_QUERY_MIN ? wanted : ANCHOR_QUERY_MIN;
}

/* ---- text ---- */

static const char *const state_names[ANCHOR_STATE_COUNT] = {"pending", "valid", "missing", "revoked",
                                                            "removed"};

const char *anchor_state_name(enum anchor_state state)
{
    return state_names[state];
}

/* "ZONE STATE SINCE HOLD FLAGS PROTOCOL ALGORITHM BASE64" */
void anchor_key_format(const struct dns_name *zone, const struct anchor_key *key, struct text *out)
{
    char name[DNS_NAME_TEXT_MAX];
    struct reader r = reader_of(key_bytes(key));
    unsigned flags = read_u16(&r), protocol = read_u8(&r), algorithm = read_u8(&r);
    text_add_format(out, "%s %s %lld %lu %u %u %u ", dns_name_format(zone, name),
                    state_names[key->state], (long long)key->since, (unsigned long)key->hold, flags,
                    protocol, algorithm);
    encoding_format(ENCODING_BASE64, read_rest(&r), out);
}

/* The next word, which one space ends. */
static struct bytes next_word(struct bytes *line)
{
    size_t len = bytes_find(*line, ' ');
    struct bytes word = bytes_first(*line, len);
    *line = bytes_after(*line, len + 1);
    return word;
}

static bool read_state(struct bytes word, enum anchor_state *out)
{
    for (size_t i = 0; i < ANCHOR_STATE_COUNT; i++) {
        *out = (enum anchor_state)i;
        if (bytes_equal(word, bytes_of_text(state_names[i])))
            return true;
    }
    return false;
}

static const char *parse_rdata(struct bytes *line, struct anchor_key *out)
{
    uint64_t flags, protocol, algorithm;
    if (!text_parse_number(next_word(line), UINT16_MAX, &flags) ||
        !text_parse_number(next_word(line), UINT8_MAX, &protocol) ||
        !text_parse_number(next_word(line), UINT8_MAX, &algorithm))
        return "expected flags, protocol and algorithm of a key";
    struct writer w = writer_of(out->rdata, sizeof out->rdata);
    write_u16(&w, (uint16_t)flags);
    write_u8(&w, (uint8_t)protocol);
    write_u8(&w, (uint8_t)algorithm);
    if (!encoding_decode(ENCODING_BASE64, next_word(line), &w) || w.failed || line->len > 0)
        return "expected a key in base64";
    out->len = writer_len(&w);
    if (!is_key(writer_bytes(&w)) || (out->rdata[1] & FLAG_REVOKE) != 0)
        return "not the key of a zone";
    return NULL;
}

const char *anchor_key_parse(struct bytes line, struct dns_name *zone, struct anchor_key *out)
{
    uint64_t since, hold;
    struct dns_name root;
    dns_name_root(&root);
    *out = (struct anchor_key){0};
    if (!dns_name_parse(next_word(&line), &root, zone))
        return "expected the name of a zone";
    if (!read_state(next_word(&line), &out->state))
        return "expected a state";
    if (!text_parse_number(next_word(&line), INT64_MAX, &since) ||
        !text_parse_number(next_word(&line), UINT32_MAX, &hold))
        return "expected two numbers of seconds";
    out->since = (int64_t)since;
    out->hold = (uint32_t)hold;
    return parse_rdata(&line, out);
}

bool anchor_track_restore(struct anchor_track *track, const struct anchor_key *key)
{
    if (track->key_count == ANCHOR_KEYS_MAX || find(track, key_bytes(key)) != NULL)
        return false;
    track->keys[track->key_count++] = *key;
    return true;
}
