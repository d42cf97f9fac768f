/* SPDX-License-Identifier: ISC */
/* hot_answers.c - a table of two places for each key; a reply's question is the key's name. */
#include "proto/dns/hot_answers.h"

#include "wire/dns/dns_message.h"

enum {
    SLOTS_FIRST = 64,
};

struct hot_slot {
    usec until;       /* 0: nothing is there */
    uint32_t hash;
    uint16_t key_len;
    uint8_t reply_len;
    uint8_t ttl_count;
    uint8_t head[HOT_KEY_HEAD_LEN];
    uint32_t ttl_left; /* microseconds before `until`: from then on TTLs are others */
    uint8_t ttls[HOT_TTLS_MAX]; /* where they lie */
    uint8_t reply[HOT_REPLY_MAX]; /* its question in lower case */
};
_Static_assert(HOT_REPLY_MAX <= UINT8_MAX, "places in a reply are octets");
_Static_assert(sizeof(struct hot_slot) == 256, "slots begin where lines of a processor's cache do");

struct hot_answers {
    struct heap heap;
    struct siphash_key key;
    size_t slots_max;
    size_t slot_count; /* a power of two; 0: none so far */
    struct hot_slot *slots;
    size_t displaced;  /* of what was still good, since … */
    usec since;
};

struct hot_answers *hot_answers_new(const struct heap *heap, size_t octets,
                                    const struct siphash_key *key)
{
    struct hot_answers *hot = heap_zeroed(heap, sizeof *hot);
    if (hot == NULL)
        return NULL;
    hot->heap = *heap;
    hot->key = *key;
    hot->slots_max = SLOTS_FIRST;
    while (2 * hot->slots_max * sizeof *hot->slots <= octets)
        hot->slots_max *= 2;
    return hot;
}

void hot_answers_free(struct hot_answers *hot)
{
    if (hot == NULL)
        return;
    struct heap heap = hot->heap;
    heap_release(&heap, hot->slots, hot->slot_count * sizeof *hot->slots);
    heap_release(&heap, hot, sizeof *hot);
}

/* ---- queries ---- */

/* The octets of the question's name; 0: it is none, or not one without compression. */
static size_t name_len(struct bytes message)
{
    size_t at = DNS_HEADER_LEN;
    while (at < message.len && message.data[at] != 0) {
        if (message.data[at] > DNS_LABEL_MAX)
            return 0;
        at += 1 + (size_t)message.data[at];
    }
    size_t len = at + 1 - DNS_HEADER_LEN;
    return at < message.len && len <= DNS_NAME_MAX ? len : 0;
}

/* ASCII letters in lower case, eight octets at a time. Lengths of labels are below any letter. */
static void lower(uint8_t *octets, size_t len)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    for (size_t i = 0; i < len; i += 8) {
        uint64_t x;
        memcpy(&x, octets + i, sizeof x);
        uint64_t seven = x & ones * 0x7f;
        uint64_t from_a = seven + ones * (0x80 - 'A');
        uint64_t behind_z = seven + ones * (0x7f - 'Z');
        uint64_t letters = (from_a ^ behind_z) & ~x & ones * 0x80;
        x |= letters >> 2;
        memcpy(octets + i, &x, sizeof x);
    }
}

/* What there is of EDNS: its payload size and whether DO is set. False: there is more to it. */
static bool read_edns(struct bytes opt, uint8_t count, uint16_t *size, uint8_t *edns)
{
    struct reader r = reader_of(opt);
    *size = 0;
    *edns = 0;
    if (count == 0)
        return opt.len == 0;
    uint8_t owner = read_u8(&r);
    uint16_t type = read_u16(&r);
    *size = read_u16(&r);
    uint32_t flags = read_u32(&r);
    uint16_t options_len = read_u16(&r);
    *edns = flags == DNS_EDNS_DO ? 2 : 1;
    return !r.failed && reader_left(&r) == 0 && owner == 0 && type == DNS_OPT && options_len == 0 &&
           (flags == 0 || flags == DNS_EDNS_DO);
}

bool hot_answers_read(const struct hot_answers *hot, struct bytes message, uint16_t context,
                      struct hot_query *out)
{
    struct reader r = reader_of(message);
    read_skip(&r, 2);
    uint16_t flags = read_u16(&r);
    uint16_t questions = read_u16(&r);
    uint32_t records = read_u32(&r);
    uint16_t additional = read_u16(&r);
    if (r.failed || (flags & ~(DNS_RD | DNS_AD | DNS_CD)) != 0 || questions != 1 || records != 0 ||
        additional > 1)
        return false;
    size_t len = name_len(message);
    struct bytes name = read_bytes(&r, len);
    uint32_t fixed = read_u32(&r);
    if (len == 0 || r.failed || (fixed & 0xffff) != DNS_IN)
        return false;
    uint16_t size;
    uint8_t edns;
    if (!read_edns(read_rest(&r), (uint8_t)additional, &size, &edns))
        return false;
    struct writer w = writer_of(out->key, sizeof out->key);
    write_u16(&w, flags);
    write_u16(&w, size);
    write_u8(&w, edns);
    write_u8(&w, 0);
    write_u16(&w, context);
    write_bytes(&w, name);
    memset(w.next, 0, (8 - len % 8) % 8);
    lower(out->key + HOT_KEY_HEAD_LEN, len);
    write_u32(&w, fixed);
    out->message = message;
    out->key_len = (uint16_t)writer_len(&w);
    out->hash = (uint32_t)siphash13(&hot->key, writer_bytes(&w));
    return true;
}

/* ---- the table ---- */

static struct hot_slot *slot_of(const struct hot_answers *hot, const struct hot_query *query,
                                size_t place)
{
    return &hot->slots[((query->hash & (hot->slot_count - 1)) ^ place)];
}

static bool is_of(const struct hot_slot *slot, const struct hot_query *query)
{
    return slot->hash == query->hash && slot->key_len == query->key_len &&
           memcmp(slot->head, query->key, HOT_KEY_HEAD_LEN) == 0 &&
           memcmp(slot->reply + DNS_HEADER_LEN, query->key + HOT_KEY_HEAD_LEN,
                  (size_t)query->key_len - HOT_KEY_HEAD_LEN) == 0;
}

/* As many seconds have begun since the TTLs were right. */
static uint32_t seconds_over(const struct hot_slot *slot, usec now)
{
    usec right_until = slot->until - slot->ttl_left;
    return now < right_until ? 0 : 1 + (uint32_t)((now - right_until) / USEC_PER_SEC);
}

static void age(const struct hot_slot *slot, uint32_t seconds, uint8_t *reply)
{
    for (size_t i = 0; i < slot->ttl_count; i++) {
        uint8_t *at = reply + slot->ttls[i];
        struct reader r = reader_of(bytes_of(at, 4));
        struct writer w = writer_of(at, 4);
        uint32_t ttl = read_u32(&r);
        write_u32(&w, ttl > seconds ? ttl - seconds : 0);
    }
}

bool hot_answers_find(const struct hot_answers *hot, const struct hot_query *query, usec now,
                      uint8_t *buffer, struct bytes *out)
{
    if (hot->slot_count == 0)
        return false;
    for (size_t place = 0; place < 2; place++) {
        const struct hot_slot *slot = slot_of(hot, query, place);
        if (slot->until <= now || !is_of(slot, query))
            continue;
        const uint8_t *asked = query->message.data;
        memcpy(buffer, slot->reply, slot->reply_len);
        memcpy(buffer, asked, 2); /* the id, and the name as the client spells it (§4.1.1 of RFC 1035) */
        memcpy(buffer + DNS_HEADER_LEN, asked + DNS_HEADER_LEN,
               (size_t)query->key_len - HOT_KEY_HEAD_LEN);
        uint32_t seconds = seconds_over(slot, now);
        if (seconds > 0)
            age(slot, seconds, buffer);
        *out = bytes_of(buffer, slot->reply_len);
        return true;
    }
    return false;
}

/* Twice as many places, in which nothing is: what there was would have been over within a second. */
static void grow(struct hot_answers *hot)
{
    size_t count = hot->slot_count == 0 ? SLOTS_FIRST : 2 * hot->slot_count;
    struct hot_slot *slots = heap_array(&hot->heap, count, sizeof *slots);
    if (slots == NULL)
        return;
    heap_release(&hot->heap, hot->slots, hot->slot_count * sizeof *hot->slots);
    hot->slots = slots;
    hot->slot_count = count;
}

/* Something good has to give way. */
static void count_displaced(struct hot_answers *hot, usec now)
{
    if (now - hot->since >= USEC_PER_SEC) {
        hot->since = now;
        hot->displaced = 0;
    }
    if (++hot->displaced <= hot->slot_count / 4 || hot->slot_count >= hot->slots_max)
        return;
    grow(hot);
    hot->displaced = 0;
}

/* Where the TTLs of its records lie. False: there are too many. */
static bool find_ttls(struct bytes reply, uint8_t *ttls, uint8_t *count)
{
    struct dns_cursor cursor;
    struct dns_rr rr;
    enum { TTL_BEFORE_RDATA = 4 + 2 };
    *count = 0;
    if (dns_cursor_start(&cursor, reply) != WIRE_OK)
        return false;
    while (dns_cursor_record(&cursor, &rr)) {
        if (rr.type == DNS_OPT)
            continue;
        if (*count == HOT_TTLS_MAX)
            return false;
        ttls[(*count)++] = (uint8_t)(rr.rdata.data - reply.data - TTL_BEFORE_RDATA);
    }
    return !cursor.reader.failed;
}

void hot_answers_keep(struct hot_answers *hot, const struct hot_query *query, struct bytes reply,
                      const struct hot_time *time)
{
    size_t question_len = (size_t)query->key_len - HOT_KEY_HEAD_LEN;
    uint8_t ttls[HOT_TTLS_MAX];
    uint8_t ttl_count;
    usec now = time->now;
    if (reply.len > HOT_REPLY_MAX || reply.len < DNS_HEADER_LEN + question_len ||
        time->until <= now || !find_ttls(reply, ttls, &ttl_count))
        return;
    if (hot->slot_count == 0)
        grow(hot);
    if (hot->slot_count == 0)
        return;
    struct hot_slot *first = slot_of(hot, query, 0);
    struct hot_slot *second = slot_of(hot, query, 1);
    struct hot_slot *slot = first;
    if (!is_of(first, query) && first->until > now)
        slot = second;
    if (slot == second && !is_of(second, query) && second->until > now) {
        count_displaced(hot, now);
        slot = slot_of(hot, query, 0);
    }
    slot->until = time->until;
    slot->ttl_left = (uint32_t)usec_max(time->until - time->ttl_until, 0);
    slot->ttl_count = ttl_count;
    memcpy(slot->ttls, ttls, sizeof ttls);
    slot->hash = query->hash;
    slot->key_len = query->key_len;
    slot->reply_len = (uint8_t)reply.len;
    memcpy(slot->head, query->key, HOT_KEY_HEAD_LEN);
    memcpy(slot->reply, reply.data, reply.len);
    memcpy(slot->reply + DNS_HEADER_LEN, query->key + HOT_KEY_HEAD_LEN, question_len);
}

void hot_answers_clear(struct hot_answers *hot)
{
    for (size_t i = 0; i < hot->slot_count; i++)
        hot->slots[i].until = 0;
}
