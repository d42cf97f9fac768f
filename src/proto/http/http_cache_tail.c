/* SPDX-License-Identifier: ISC */
/* http_cache_tail.c - numbers of fixed size, then texts with their lengths before them, then the end. */
#include "proto/http/http_cache_tail.h"

#include "proto/http/http_cache_vary.h"
#include "wire/http/http_octets.h"
#include "wire/http/uri_reference.h"

enum { DIGEST_LEN = 8 };
enum { FLAG_SHARED = 1, FLAG_CONFINED = 2, FLAG_OF_PARTS = 4, FLAG_TARGETED = 8, FLAG_EXPIRES = 16, FLAG_AGE = 32 };
static const uint8_t magic[8] = {'W', 'N', 'c', 'a', 'c', 'h', 'e', '1'};

/* It guards against what breaks off and what rots, not against who can write to the directory. */
uint64_t http_cache_tail_digest(struct bytes in)
{
    static const struct siphash_key key = {0x776e2d6361636865, 0x7461696c};
    return siphash24(&key, in);
}

/* ---- writing ---- */

static void write_text(struct writer *w, struct bytes text)
{
    write_u32(w, (uint32_t)text.len);
    write_bytes(w, text);
}

static void write_facts(struct writer *w, const struct http_cache_facts *facts)
{
    write_u16(w, (uint16_t)facts->status);
    write_u32(w, facts->lifetime);
    write_u64(w, (uint64_t)facts->initial_age);
    write_u64(w, (uint64_t)facts->date);
    write_u64(w, (uint64_t)facts->modified);
    write_u32(w, facts->cc.present);
    for (size_t i = 0; i < HTTP_CC_TIMES; i++)
        write_u32(w, facts->cc.seconds[i]);
}

bool http_cache_tail_write(const struct http_cache_tail *tail, struct writer *w)
{
    const uint8_t *from = w->next;
    const struct http_cache_facts *facts = &tail->facts;
    unsigned flags = tail->shared * FLAG_SHARED | tail->confined * FLAG_CONFINED |
                     tail->of_parts * FLAG_OF_PARTS | facts->targeted * FLAG_TARGETED |
                     facts->has_expires * FLAG_EXPIRES | facts->has_age * FLAG_AGE;
    write_u16(w, (uint16_t)flags);
    write_facts(w, facts);
    write_u64(w, (uint64_t)tail->response_wall);
    write_text(w, tail->uri);
    write_text(w, tail->names);
    write_text(w, tail->key);
    write_text(w, tail->head);
    write_text(w, tail->trailers);
    size_t len = (size_t)(w->next - from) + HTTP_CACHE_TAIL_END;
    write_copy(w, magic, sizeof magic);
    write_u64(w, tail->end.body_len);
    write_u32(w, (uint32_t)len);
    write_u32(w, tail->end.crc);
    if (w->failed || len > HTTP_CACHE_TAIL_MAX)
        return false;
    write_u64(w, http_cache_tail_digest(bytes_of(from, len - DIGEST_LEN)));
    return !w->failed;
}

/* ---- reading ---- */

bool http_cache_tail_end(struct bytes in, struct http_cache_tail_end *out)
{
    struct http_cache_tail_end end;
    struct reader r = reader_of(in);
    struct bytes name = read_bytes(&r, sizeof magic);
    end.body_len = read_u64(&r);
    end.tail_len = read_u32(&r);
    end.crc = read_u32(&r);
    if (in.len != HTTP_CACHE_TAIL_END || r.failed ||
        !bytes_equal(name, bytes_of(magic, sizeof magic)) || end.body_len > INT64_MAX ||
        end.tail_len < HTTP_CACHE_TAIL_END || end.tail_len > HTTP_CACHE_TAIL_MAX)
        return false;
    *out = end;
    return true;
}

static struct bytes read_text(struct reader *r, size_t max)
{
    uint32_t len = read_u32(r);
    r->failed |= len > max;
    return read_bytes(r, len);
}

static void read_facts(struct reader *r, struct http_cache_facts *facts)
{
    facts->status = read_u16(r);
    facts->lifetime = read_u32(r);
    facts->initial_age = (usec)read_u64(r);
    facts->date = (int64_t)read_u64(r);
    facts->modified = (int64_t)read_u64(r);
    facts->cc.present = read_u32(r);
    for (size_t i = 0; i < HTTP_CC_TIMES; i++)
        facts->cc.seconds[i] = read_u32(r);
}

/* Lines as http_cache_head.c writes them, and no more than it reads. */
static bool are_lines(struct bytes lines)
{
    size_t count = 0;
    while (lines.len > 0) {
        size_t end = bytes_find(lines, '\r');
        struct bytes line = bytes_first(lines, end);
        size_t colon = bytes_find(line, ':');
        struct bytes rest = bytes_after(lines, end);
        if (++count > HTTP_FIELDS_MAX || !http_is_token(bytes_first(line, colon)) ||
            line.len < colon + 2 || line.data[colon + 1] != ' ' ||
            !http_octets_are(bytes_after(line, colon + 2), HTTP_OCTET_FIELD) || rest.len < 2 ||
            rest.data[1] != '\n')
            return false;
        lines = bytes_after(rest, 2);
    }
    return true;
}

static bool is_sensible(const struct http_cache_tail *tail)
{
    const struct http_cache_facts *facts = &tail->facts;
    return facts->status >= 200 && facts->status <= 599 && facts->initial_age >= 0 &&
           facts->initial_age <= (usec)HTTP_DELTA_MAX * 2 * USEC_PER_SEC && tail->uri.len > 0 &&
           tail->response_wall >= 0 && tail->response_wall < INT64_MAX / USEC_PER_SEC / 2 &&
           are_lines(tail->head) && are_lines(tail->trailers);
}

bool http_cache_tail_read(struct bytes in, struct http_cache_tail *out)
{
    struct http_cache_tail tail = {.shared = false};
    if (in.len < HTTP_CACHE_TAIL_END)
        return false;
    size_t meta_len = in.len - HTTP_CACHE_TAIL_END;
    if (!http_cache_tail_end(bytes_after(in, meta_len), &tail.end) || tail.end.tail_len != in.len)
        return false;
    struct reader digest = reader_of(bytes_after(in, in.len - DIGEST_LEN));
    if (read_u64(&digest) != http_cache_tail_digest(bytes_first(in, in.len - DIGEST_LEN)))
        return false;
    struct reader r = reader_of(bytes_first(in, meta_len));
    unsigned flags = read_u16(&r);
    read_facts(&r, &tail.facts);
    tail.response_wall = (int64_t)read_u64(&r);
    tail.uri = read_text(&r, URI_MAX);
    tail.names = read_text(&r, HTTP_VARY_NAMES_MAX);
    tail.key = read_text(&r, HTTP_VARY_KEY_MAX);
    tail.head = read_text(&r, HTTP_CACHE_TAIL_MAX);
    tail.trailers = read_text(&r, HTTP_CACHE_TRAILERS_MAX);
    tail.shared = (flags & FLAG_SHARED) != 0;
    tail.confined = (flags & FLAG_CONFINED) != 0;
    tail.of_parts = (flags & FLAG_OF_PARTS) != 0;
    tail.facts.targeted = (flags & FLAG_TARGETED) != 0;
    tail.facts.has_expires = (flags & FLAG_EXPIRES) != 0;
    tail.facts.has_age = (flags & FLAG_AGE) != 0;
    if (r.failed || reader_left(&r) > 0 || !is_sensible(&tail))
        return false;
    *out = tail;
    return true;
}
