/* SPDX-License-Identifier: ISC */
/* tsig.c - signing and judging messages (RFC 8945 §5). */
#include "proto/dns/tsig_internal.h"

enum {
    MAC_MIN = 10,                                   /* RFC 8945 §5.2.2.1 */
    VARIABLES_MAX = 2 * DNS_NAME_MAX + 18 + UINT8_MAX,
    OTHER_MAX = UINT8_MAX,                          /* octets: six are of use */
};

static size_t mac_len_of(const struct tsig_key *key)
{
    return tsig_algorithm_row(key->algorithm)->mac_len;
}

static void algorithm_name(enum tsig_algorithm algorithm, struct dns_name *out)
{
    bool ok = dns_name_parse(bytes_of_text(tsig_algorithm_text(algorithm)), NULL, out);
    ASSERT(ok);
}

/* ---- the MAC ---- */

/* Begins one over what came before: a MAC with its length (RFC 8945 §5.3); of a query, nothing. */
static void *start_mac(const struct tsig_hmac *hmac, const struct tsig_key *key,
                       struct bytes before)
{
    void *running = hmac->start(hmac->self, tsig_algorithm_row(key->algorithm)->sha,
                                bytes_of(key->secret, key->secret_len));
    if (running == NULL || before.len == 0)
        return running;
    uint8_t len[2] = {(uint8_t)(before.len >> 8), (uint8_t)before.len};
    hmac->add(running, bytes_of(len, sizeof len));
    hmac->add(running, before);
    return running;
}

/* The message as it was before TSIG was put behind it (RFC 8945 §4.3.2). */
static void add_stripped(const struct tsig_hmac *hmac, void *running, struct bytes message,
                         size_t at, uint16_t original_id)
{
    uint8_t header[DNS_HEADER_LEN];
    memcpy(header, message.data, DNS_HEADER_LEN);
    struct reader r = reader_of(bytes_of(header + 10, 2));
    uint16_t count = read_u16(&r);
    struct writer w = writer_of(header, 2);
    write_u16(&w, original_id);
    w = writer_of(header + 10, 2);
    write_u16(&w, (uint16_t)(count - 1));
    hmac->add(running, bytes_of(header, sizeof header));
    hmac->add(running, bytes_after(bytes_first(message, at), DNS_HEADER_LEN));
}

/* Adds the record's part and ends it. Returns the length of the whole MAC; 0: none. */
static size_t end_mac(const struct tsig_hmac *hmac, void *running, const struct dns_tsig *record,
                      bool timers_only, uint8_t out[TSIG_MAC_MAX])
{
    uint8_t buffer[VARIABLES_MAX];
    struct writer w = writer_of(buffer, sizeof buffer);
    if (timers_only)
        dns_tsig_write_timers(&w, record);
    else
        dns_tsig_write_variables(&w, record);
    ASSERT(!w.failed);
    hmac->add(running, writer_bytes(&w));
    return hmac->end(running, out);
}

/* RFC 8945 §5.2.2.1: no MAC is longer than its hash, nor shorter than half of it or ten octets. */
static bool possible_len(const struct tsig_key *key, size_t len)
{
    static const struct {
        unsigned sha;
        size_t len;
    } hashes[] = {{1, 20}, {224, 28}, {256, 32}, {384, 48}, {512, 64}};
    size_t whole = 0;
    for (size_t i = 0; i < ARRAY_LEN(hashes); i++)
        if (hashes[i].sha == tsig_algorithm_row(key->algorithm)->sha)
            whole = hashes[i].len;
    return len <= whole && len >= MAC_MIN && len >= whole / 2;
}

static bool equal_macs(struct bytes mine, struct bytes theirs)
{
    return theirs.len <= mine.len && bytes_equal_secret(bytes_first(mine, theirs.len), theirs);
}

static bool within_fudge(const struct dns_tsig *record, uint64_t now)
{
    uint64_t apart =
        now > record->time_signed ? now - record->time_signed : record->time_signed - now;
    return apart <= record->fudge;
}

/* ---- the server's side ---- */

static const struct tsig_key *key_of(const struct tsig_keys *keys, const struct dns_tsig *record)
{
    struct dns_name algorithm;
    const struct tsig_key *key = tsig_keys_find(keys, &record->key);
    if (key == NULL)
        return NULL;
    algorithm_name(key->algorithm, &algorithm);
    return dns_name_equal(&algorithm, &record->algorithm) ? key : NULL;
}

static enum tsig_verdict refuse(struct tsig *tsig, uint16_t error)
{
    tsig->error = error;
    return TSIG_REFUSED;
}

enum tsig_verdict tsig_check(const struct tsig_keys *keys, struct bytes message, size_t at,
                             uint64_t now, struct tsig *out, struct dns_tsig *record)
{
    uint8_t mac[TSIG_MAC_MAX];
    out->key = NULL;
    out->hmac = &keys->hmac;
    out->error = 0;
    out->further = false;
    out->mac_len = 0;
    if (dns_tsig_decode(message, at, record) != WIRE_OK || record->other.len > OTHER_MAX)
        return TSIG_MALFORMED;
    const struct tsig_key *key = key_of(keys, record);
    if (key == NULL)
        return refuse(out, DNS_TSIG_BADKEY);
    if (!possible_len(key, record->mac.len))
        return TSIG_MALFORMED;
    void *running = start_mac(&keys->hmac, key, bytes_empty());
    if (running == NULL)
        return refuse(out, DNS_TSIG_BADSIG);
    add_stripped(&keys->hmac, running, message, at, record->original_id);
    size_t len = end_mac(&keys->hmac, running, record, false, mac);
    if (!equal_macs(bytes_of(mac, len), record->mac))
        return refuse(out, DNS_TSIG_BADSIG);
    out->key = key;
    out->time_signed = record->time_signed;
    out->mac_len = (uint8_t)record->mac.len;
    memcpy(out->mac, record->mac.data, record->mac.len);
    if (!within_fudge(record, now))
        return refuse(out, DNS_TSIG_BADTIME);
    if (record->mac.len < mac_len_of(key))
        return refuse(out, DNS_TSIG_BADTRUNC);
    return TSIG_RIGHT;
}

/* The record of a message of ours, but for the MAC. */
static void make_record(const struct tsig_key *key, uint64_t now, const uint8_t *message,
                        struct dns_tsig *out)
{
    struct reader r = reader_of(bytes_of(message, 2));
    dns_name_copy(&out->key, &key->name);
    algorithm_name(key->algorithm, &out->algorithm);
    out->time_signed = now & DNS_TSIG_TIME_MAX;
    out->fudge = TSIG_FUDGE;
    out->mac = bytes_empty();
    out->original_id = read_u16(&r);
    out->error = 0;
    out->other = bytes_empty();
}

static struct bytes write_time(uint64_t now, uint8_t out[DNS_TSIG_OTHER_LEN])
{
    struct writer w = writer_of(out, DNS_TSIG_OTHER_LEN);
    write_u16(&w, (uint16_t)(now >> 32));
    write_u32(&w, (uint32_t)now);
    return writer_bytes(&w);
}

size_t tsig_room(const struct tsig *tsig)
{
    if (tsig->key == NULL)
        return 0;
    struct dns_name algorithm;
    algorithm_name(tsig->key->algorithm, &algorithm);
    return tsig->key->name.len + algorithm.len + (size_t)DNS_TSIG_FIXED_LEN +
           mac_len_of(tsig->key) + (tsig->error == DNS_TSIG_BADTIME ? DNS_TSIG_OTHER_LEN : 0);
}

/* What is signed, and what comes of it. */
struct signing {
    const struct tsig_hmac *hmac;
    const struct tsig_key *key;
    struct bytes before;       /* the MAC that this one continues */
    bool further;
    size_t mac_len;
    uint8_t mac[TSIG_MAC_MAX];
};

/* Returns the message's new length; `len`: there is no MAC, or no room. */
static size_t sign(struct signing *s, struct dns_tsig *record, uint8_t *message, size_t len,
                   size_t size)
{
    void *running = start_mac(s->hmac, s->key, s->before);
    if (running == NULL)
        return len;
    s->hmac->add(running, bytes_of(message, len));
    size_t whole = end_mac(s->hmac, running, record, s->further, s->mac);
    s->mac_len = mac_len_of(s->key);
    if (whole < s->mac_len)
        return len;
    record->mac = bytes_of(s->mac, s->mac_len);
    return dns_tsig_append(message, len, size, record);
}

size_t tsig_sign(struct tsig *tsig, uint64_t now, uint8_t *message, size_t len, size_t size)
{
    struct dns_tsig record;
    uint8_t time[DNS_TSIG_OTHER_LEN];
    struct signing signing = {
        .hmac = tsig->hmac,
        .key = tsig->key,
        .before = bytes_of(tsig->mac, tsig->mac_len),
        .further = tsig->further,
    };
    ASSERT(tsig->key != NULL);
    make_record(tsig->key, now, message, &record);
    record.error = tsig->error;
    if (tsig->error == DNS_TSIG_BADTIME) { /* RFC 8945 §5.2.3 */
        record.other = write_time(now, time);
        record.time_signed = tsig->time_signed;
    }
    size_t signed_len = sign(&signing, &record, message, len, size);
    if (signed_len == len)
        return len;
    tsig->further = true;
    tsig->mac_len = (uint8_t)signing.mac_len;
    memcpy(tsig->mac, signing.mac, signing.mac_len);
    return signed_len;
}

size_t tsig_refuse(const struct dns_tsig *record, uint16_t error, uint8_t *message, size_t len,
                   size_t size)
{
    struct dns_tsig reply = *record;
    struct reader r = reader_of(bytes_of(message, 2));
    reply.mac = bytes_empty();
    reply.other = bytes_empty();
    reply.original_id = read_u16(&r);
    reply.error = error;
    return dns_tsig_append(message, len, size, &reply);
}

/* ---- the client's side ---- */

void tsig_client_init(struct tsig_client *c, const struct tsig_key *key,
                      const struct tsig_hmac *hmac)
{
    *c = (struct tsig_client){.key = key, .hmac = hmac};
}

void tsig_client_end(struct tsig_client *c)
{
    uint8_t ignored[TSIG_MAC_MAX];
    if (c->running != NULL)
        (void)c->hmac->end(c->running, ignored);
    c->running = NULL;
}

size_t tsig_client_sign(struct tsig_client *c, uint64_t now, uint8_t *message, size_t len,
                        size_t size)
{
    struct dns_tsig record;
    struct signing signing = {.hmac = c->hmac, .key = c->key, .before = bytes_empty()};
    make_record(c->key, now, message, &record);
    size_t signed_len = sign(&signing, &record, message, len, size);
    if (signed_len > len) {
        c->mac_len = (uint8_t)signing.mac_len;
        memcpy(c->mac, signing.mac, signing.mac_len);
    }
    return signed_len;
}

static enum tsig_client_verdict wrong(struct tsig_client *c, uint16_t error)
{
    c->error = error;
    tsig_client_end(c);
    return TSIG_CLIENT_WRONG;
}

/* RFC 8945 §5.3.1: it counts with the next that is signed. */
static enum tsig_client_verdict take_unsigned(struct tsig_client *c, struct bytes message)
{
    if (!c->further || c->unsigned_count == TSIG_UNSIGNED_MAX)
        return wrong(c, 0);
    c->unsigned_count++;
    c->hmac->add(c->running, message);
    return TSIG_CLIENT_LATER;
}

/* What the server's record says of the MAC, RFC 8945 §5.4. */
static enum tsig_client_verdict judge(struct tsig_client *c, const struct dns_tsig *record,
                                      uint64_t now, struct bytes mac)
{
    if (record->mac.len < mac_len_of(c->key) || !equal_macs(mac, record->mac))
        return wrong(c, DNS_TSIG_BADSIG);
    if (record->error != 0)
        return wrong(c, record->error);
    if (!within_fudge(record, now))
        return wrong(c, DNS_TSIG_BADTIME);
    c->further = true;
    c->unsigned_count = 0;
    c->mac_len = (uint8_t)record->mac.len;
    memcpy(c->mac, record->mac.data, record->mac.len);
    return TSIG_CLIENT_RIGHT;
}

enum tsig_client_verdict tsig_client_check(struct tsig_client *c, struct bytes message, size_t at,
                                           uint64_t now)
{
    struct dns_tsig record;
    struct dns_name algorithm;
    uint8_t mac[TSIG_MAC_MAX];
    c->error = 0;
    if (c->running == NULL)
        c->running = start_mac(c->hmac, c->key, bytes_of(c->mac, c->mac_len));
    if (c->running == NULL)
        return wrong(c, 0);
    if (at == 0)
        return take_unsigned(c, message);
    if (dns_tsig_decode(message, at, &record) != WIRE_OK || record.other.len > OTHER_MAX)
        return wrong(c, DNS_FORMERR);
    algorithm_name(c->key->algorithm, &algorithm);
    if (!dns_name_equal(&record.key, &c->key->name) ||
        !dns_name_equal(&record.algorithm, &algorithm))
        return wrong(c, DNS_TSIG_BADKEY);
    if (record.mac.len == 0 && record.error != 0)
        return wrong(c, record.error); /* unsigned: it may be true */
    if (!possible_len(c->key, record.mac.len))
        return wrong(c, DNS_FORMERR);
    add_stripped(c->hmac, c->running, message, at, record.original_id);
    size_t len = end_mac(c->hmac, c->running, &record, c->further, mac);
    c->running = NULL;
    return judge(c, &record, now, bytes_of(mac, len));
}
