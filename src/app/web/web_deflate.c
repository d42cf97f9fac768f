/* SPDX-License-Identifier: ISC */
/* web_deflate.c - permessage-deflate: RFC 7692 §7.1 (agreement), §7.2.1 (compression), §7.2.2. */
#include "app/web/web_deflate.h"

#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/text.h"
#include "wire/http/http_list.h"
#include "wire/http/http_octets.h"

enum { BUFFER_SIZE = 16 * 1024, WINDOW_BITS = 15, TAIL_LEN = 4 };

/* What a flush ends with, and a message leaves out. */
static const uint8_t tail[TAIL_LEN] = {0x00, 0x00, 0xff, 0xff};

/* ---- agreement ---- */

static bool is(struct bytes text, const char *word)
{
    return bytes_equal_nocase(text, bytes_of_text(word));
}

struct offer {
    bool server_bits, client_bits; /* both of a parameter seen: once is enough */
    bool server_fresh, client_fresh;
};

static bool once(bool *seen)
{
    bool first = !*seen;
    *seen = true;
    return first;
}

/* A parameter of an offer (§7.1.1, §7.1.2). False: unknown, twice, or what we do not do: our window has its
 * full size. The client's may have any: 32 KiB read them all. */
static bool take_parameter(struct bytes parameter, struct offer *offer)
{
    size_t equals = bytes_find(parameter, '=');
    struct bytes name = http_trim(bytes_first(parameter, equals));
    struct bytes value = http_trim(bytes_after(parameter, equals + 1));
    bool has_value = equals < parameter.len;
    uint64_t bits = 0;
    if (value.len >= 2 && value.data[0] == '"' && value.data[value.len - 1] == '"')
        value = bytes_of(value.data + 1, value.len - 2);
    if (is(name, "server_no_context_takeover"))
        return !has_value && once(&offer->server_fresh);
    if (is(name, "client_no_context_takeover"))
        return !has_value && once(&offer->client_fresh);
    if (is(name, "client_max_window_bits"))
        return once(&offer->client_bits) &&
               (!has_value || (http_number(value, WINDOW_BITS, &bits) && bits >= 8));
    return is(name, "server_max_window_bits") && once(&offer->server_bits) &&
           http_number(value, WINDOW_BITS, &bits) && bits == WINDOW_BITS;
}

static bool suits(struct bytes element, struct offer *offer)
{
    size_t end = bytes_find(element, ';');
    if (!is(http_trim(bytes_first(element, end)), "permessage-deflate"))
        return false;
    while (end < element.len) {
        element = bytes_after(element, end + 1);
        end = bytes_find(element, ';');
        if (!take_parameter(bytes_first(element, end), offer))
            return false;
    }
    return true;
}

bool web_deflate_agree(struct bytes offers, char out[WEB_DEFLATE_ANSWER_MAX])
{
    struct bytes element;
    while (http_list_next(&offers, &element)) {
        struct offer offer = {0};
        if (!suits(element, &offer))
            continue;
        snprintf(out, WEB_DEFLATE_ANSWER_MAX,
                 "permessage-deflate; server_no_context_takeover; client_no_context_takeover%s",
                 offer.server_bits ? "; server_max_window_bits=15" : "");
        return true;
    }
    return false;
}

/* A server may say of itself what it likes, but of the client's window only what the client has offered (§7.1.2.2).
 * Its own window may be smaller than ours. */
static bool take_chosen(struct bytes parameter, struct offer *seen)
{
    size_t equals = bytes_find(parameter, '=');
    struct bytes name = http_trim(bytes_first(parameter, equals));
    struct bytes value = http_trim(bytes_after(parameter, equals + 1));
    uint64_t bits = 0;
    if (is(name, "client_max_window_bits"))
        return false;
    if (!is(name, "server_max_window_bits"))
        return take_parameter(parameter, seen);
    if (value.len >= 2 && value.data[0] == '"' && value.data[value.len - 1] == '"')
        value = bytes_of(value.data + 1, value.len - 2);
    return once(&seen->server_bits) && http_number(value, WINDOW_BITS, &bits) && bits >= 8;
}

bool web_deflate_accept(struct bytes answer)
{
    struct bytes element, other;
    struct offer seen = {0};
    if (!http_list_next(&answer, &element) || http_list_next(&answer, &other))
        return false;
    size_t end = bytes_find(element, ';');
    bool good = is(http_trim(bytes_first(element, end)), "permessage-deflate");
    while (good && end < element.len) {
        element = bytes_after(element, end + 1);
        end = bytes_find(element, ';');
        good = take_chosen(bytes_first(element, end), &seen);
    }
    return good;
}

/* ---- compression ---- */

struct web_deflater {
    z_stream z;
};

struct web_deflater *web_deflater_new(void)
{
    struct web_deflater *deflater = calloc(1, sizeof *deflater);
    if (deflater != NULL && deflateInit2(&deflater->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED,
                                         -WINDOW_BITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        free(deflater);
        deflater = NULL;
    }
    return deflater;
}

void web_deflater_free(struct web_deflater *deflater)
{
    if (deflater == NULL)
        return;
    (void)deflateEnd(&deflater->z);
    free(deflater);
}

bool web_deflate(struct web_deflater *deflater, struct bytes message, struct web_flow *out)
{
    z_stream *z = &deflater->z;
    uint8_t buffer[BUFFER_SIZE];
    size_t before = out->len;
    bool good = deflateReset(z) == Z_OK;
    z->next_in = (Bytef *)(uintptr_t)message.data;
    z->avail_in = (uInt)message.len;
    do {
        z->next_out = buffer;
        z->avail_out = sizeof buffer;
        good = good && deflate(z, Z_SYNC_FLUSH) != Z_STREAM_ERROR &&
               web_flow_add(out, bytes_of(buffer, sizeof buffer - z->avail_out));
    } while (good && z->avail_out == 0);
    if (!good) {
        out->len = before;
        return false;
    }
    ASSERT(out->len - before >= TAIL_LEN);
    out->len -= TAIL_LEN; /* §7.2.1: the empty block at the end */
    return true;
}

struct web_inflater {
    z_stream z;
};

struct web_inflater *web_inflater_new(void)
{
    struct web_inflater *inflater = calloc(1, sizeof *inflater);
    if (inflater != NULL && inflateInit2(&inflater->z, -WINDOW_BITS) != Z_OK) {
        free(inflater);
        inflater = NULL;
    }
    return inflater;
}

void web_inflater_free(struct web_inflater *inflater)
{
    if (inflater == NULL)
        return;
    (void)inflateEnd(&inflater->z);
    free(inflater);
}

/* §7.2.3.4: a final block is allowed, and another may follow, which may refer to what was before it. */
static bool go_on(z_stream *z)
{
    uint8_t window[1 << WINDOW_BITS];
    uInt len = 0;
    return inflateGetDictionary(z, window, &len) == Z_OK && inflateReset(z) == Z_OK &&
           (len == 0 || inflateSetDictionary(z, window, len) == Z_OK);
}

static enum web_inflate inflate_piece(struct web_inflater *inflater, struct bytes piece, size_t max,
                                      struct web_flow *out)
{
    z_stream *z = &inflater->z;
    uint8_t buffer[BUFFER_SIZE];
    z->next_in = (Bytef *)(uintptr_t)piece.data;
    z->avail_in = (uInt)piece.len;
    do {
        z->next_out = buffer;
        z->avail_out = sizeof buffer;
        int result = inflate(z, Z_SYNC_FLUSH);
        size_t len = sizeof buffer - z->avail_out;
        if (result == Z_STREAM_END) {
            if (!go_on(z))
                return WEB_INFLATE_MALFORMED;
        } else if (result != Z_OK && result != Z_BUF_ERROR) {
            return WEB_INFLATE_MALFORMED;
        }
        if (len > max - out->len)
            return WEB_INFLATE_TOO_BIG;
        if (!web_flow_add(out, bytes_of(buffer, len)))
            return WEB_INFLATE_TOO_BIG;
        if (result == Z_BUF_ERROR)
            break;
    } while (z->avail_in > 0 || z->avail_out == 0);
    return WEB_INFLATED;
}

enum web_inflate web_inflate(struct web_inflater *inflater, struct bytes piece, bool last,
                             size_t max, struct web_flow *out)
{
    enum web_inflate result = inflate_piece(inflater, piece, max, out);
    if (result != WEB_INFLATED || !last)
        return result;
    return inflate_piece(inflater, bytes_of(tail, TAIL_LEN), max, out);
}
