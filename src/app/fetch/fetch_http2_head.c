/* SPDX-License-Identifier: ISC */
/* fetch_http2_head.c - field lists of HTTP/2 (RFC 9113 §8.2, §8.3). */
#include "app/fetch/fetch_http2_head.h"

#include "wire/http/http_octets.h"

/* ---- responses ---- */

void http2_head_begin(struct http2_head *h)
{
    h->text_len = 0;
    h->field_count = 0;
    h->too_large = false;
}

void http2_head_add(struct http2_head *h, struct bytes name, struct bytes value)
{
    struct writer w = writer_of(h->text + h->text_len, sizeof h->text - h->text_len);
    write_bytes(&w, name);
    write_bytes(&w, value);
    if (w.failed || h->field_count == ARRAY_LEN(h->fields))
        h->too_large = true;
    if (h->too_large)
        return;
    h->fields[h->field_count++] = (struct http2_place){
        .name = (uint16_t)h->text_len,
        .name_len = (uint16_t)name.len,
        .value = (uint16_t)(h->text_len + name.len),
        .value_len = (uint16_t)value.len,
    };
    h->text_len += writer_len(&w);
}

bool http2_head_decode(const struct http2_head *h, struct http_response_head *out)
{
    out->version = HTTP_VERSION_1_1;
    out->status = 0;
    out->reason = bytes_empty();
    out->fields.count = 0;
    for (size_t i = 0; i < h->field_count; i++) {
        const struct http2_place *place = &h->fields[i];
        struct bytes name = bytes_of(h->text + place->name, place->name_len);
        struct bytes value = bytes_of(h->text + place->value, place->value_len);
        uint64_t status;
        if (bytes_equal(name, bytes_of_text(":status")) && http_number(value, 999, &status))
            out->status = (unsigned)status;
        else if (name.len > 0 && name.data[0] != ':' && out->fields.count < HTTP_FIELDS_MAX)
            out->fields.list[out->fields.count++] = (struct http_field){name, http_trim(value)};
        else
            return false;
    }
    return !h->too_large && out->status >= 100;
}

/* ---- requests ---- */

static void add_nv(struct http2_block *block, struct bytes name, struct bytes value)
{
    uint8_t *begin = block->names.next;
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.data[i];
        write_u8(&block->names, c >= 'A' && c <= 'Z' ? c | 0x20 : c);
    }
    if (block->count == ARRAY_LEN(block->list) || block->names.failed) {
        block->names.failed = true;
        return;
    }
    block->list[block->count++] = (nghttp2_nv){
        .name = begin,
        .namelen = name.len,
        .value = (uint8_t *)(uintptr_t)value.data,
        .valuelen = value.len,
    };
}

/* §8.2.2: what is of a connection of HTTP/1 has no place here. */
static bool is_of_connection(const struct http_field *field)
{
    static const char *const names[] = {"Connection", "Keep-Alive", "Proxy-Connection",
                                        "Transfer-Encoding", "Upgrade", "Host"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (bytes_equal_nocase(field->name, bytes_of_text(names[i])))
            return true;
    return bytes_equal_nocase(field->name, bytes_of_text("TE")) &&
           !bytes_equal_nocase(field->value, bytes_of_text("trailers"));
}

static void add_fields(struct http2_block *block, const struct fetch_request *r)
{
    for (size_t i = 0; i < r->field_count; i++) {
        const struct http_field *field = &r->fields[i];
        if (!http_is_token(field->name) || !http_octets_are(field->value, HTTP_OCTET_FIELD))
            block->names.failed = true;
        if (!is_of_connection(field))
            add_nv(block, field->name, field->value);
    }
}

bool http2_block_make(struct http2_block *block, const struct fetch_request *r)
{
    struct text authority = text_of(block->host, sizeof block->host);
    struct text length = text_of(block->length, sizeof block->length);
    block->count = 0;
    block->names = writer_of(block->text, sizeof block->text);
    if (r->host != NULL)
        text_add(&authority, r->host);
    else
        url_add_authority(r->url, &authority);
    add_nv(block, bytes_of_text(":method"), bytes_of_text(r->method));
    add_nv(block, bytes_of_text(":scheme"), bytes_of_text(r->url->scheme));
    add_nv(block, bytes_of_text(":authority"), text_bytes(&authority));
    add_nv(block, bytes_of_text(":path"), url_target(r->url));
    add_fields(block, r);
    if (r->has_body && r->body_len != HTTP_CLIENT_LENGTH_UNKNOWN) {
        text_add_format(&length, "%llu", (unsigned long long)r->body_len);
        add_nv(block, bytes_of_text("content-length"), text_bytes(&length));
    }
    return !block->names.failed && !authority.failed;
}
