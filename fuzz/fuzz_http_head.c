/* SPDX-License-Identifier: ISC */
/*
 * fuzz_http_head.c - heads of requests and responses, and what stands in their fields. The end of a
 * head does not depend on how it was cut; a request that was taken survives encoding.
 */
#include <stdlib.h>

#include "base/bytes.h"
#include "fuzz/fuzz.h"
#include "wire/http/http_chunk.h"
#include "wire/http/http_head.h"
#include "wire/http/http_list.h"
#include "wire/http/http_range.h"

static enum http_find find_end(struct bytes in, size_t piece, size_t *len)
{
    struct http_finder finder = {0};
    enum http_find found = HTTP_FIND_MORE;
    for (size_t offered = 0; offered < in.len && found == HTTP_FIND_MORE;) {
        offered = piece < in.len - offered ? offered + piece : in.len;
        found = http_find_end(&finder, bytes_first(in, offered));
    }
    *len = finder.scanned;
    ASSERT(finder.scanned <= in.len);
    return found;
}

static void check_view(struct bytes whole, struct bytes part)
{
    if (part.len > 0)
        ASSERT(part.data >= whole.data && part.data + part.len <= whole.data + whole.len);
}

static void check_values(struct bytes in, const struct http_fields *fields)
{
    ASSERT(fields->count <= HTTP_FIELDS_MAX);
    for (size_t i = 0; i < fields->count; i++) {
        struct bytes value = fields->list[i].value;
        check_view(in, fields->list[i].name);
        check_view(in, value);
        struct bytes rest = value;
        struct bytes element;
        while (http_list_next(&rest, &element)) {
            check_view(value, element);
            check_view(element, http_element_name(element));
            ASSERT(http_element_quality(element) <= 1000);
        }
        (void)http_etag_listed(value, bytes_of_text("\"x\""), false);
        struct http_ranges ranges;
        if (http_range_parse(value, 1000, &ranges) == HTTP_RANGE_SATISFIABLE)
            for (size_t k = 0; k < ranges.count; k++)
                ASSERT(ranges.list[k].len > 0 &&
                       ranges.list[k].len <= 1000 - ranges.list[k].first);
    }
}

static void check_round_trip(const struct http_request_head *head)
{
    static uint8_t buffer[4 * HTTP_HEAD_MAX];
    char method[HTTP_METHOD_MAX + 1] = "";
    memcpy(method, head->method.data, head->method.len);
    struct writer w = writer_of(buffer, sizeof buffer);
    http_write_request_line(&w, method, head->target);
    for (size_t i = 0; i < head->fields.count; i++) {
        char *name = strndup((const char *)head->fields.list[i].name.data,
                             head->fields.list[i].name.len);
        http_write_field(&w, name, head->fields.list[i].value);
        free(name);
    }
    http_write_end(&w);
    ASSERT(!w.failed);
    static struct http_request_head again;
    unsigned refusal = http_request_decode(writer_bytes(&w), &again);
    /* As 1.1, what was 1.0 may lack Host; and spaces after colons may make it too long. */
    if (refusal == 0) {
        ASSERT(again.fields.count == head->fields.count);
        for (size_t i = 0; i < again.fields.count; i++)
            ASSERT(bytes_equal(again.fields.list[i].value, head->fields.list[i].value));
    } else {
        ASSERT(head->version == HTTP_VERSION_1_0 || refusal == 431 || refusal == 414);
    }
}

static void check_body(struct bytes in, size_t piece)
{
    struct http_chunk chunk;
    http_chunk_init(&chunk);
    uint64_t total = 0;
    for (size_t at = 0; at < in.len;) {
        struct bytes data;
        size_t used = http_chunk_input(&chunk, bytes_first(bytes_after(in, at), piece), &data);
        check_view(in, data);
        total += data.len;
        at += used;
        if (used == 0)
            break;
    }
    ASSERT(total <= in.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct http_request_head request;
    static struct http_response_head response;
    struct bytes in = bytes_of(data, len);
    size_t piece = len > 0 ? (size_t)1 + data[len - 1] % 37 : 1;
    size_t end;
    size_t end_in_pieces;
    enum http_find found = find_end(in, in.len + 1, &end);
    ASSERT(found == find_end(in, piece, &end_in_pieces));
    if (found == HTTP_FIND_DONE) {
        ASSERT(end == end_in_pieces);
        struct http_framing framing;
        struct bytes head = bytes_first(in, end);
        if (http_request_decode(head, &request) == 0) {
            check_values(in, &request.fields);
            check_round_trip(&request);
            (void)http_keeps_alive(request.version, &request.fields);
            if (http_request_framing(&request, &framing) == 0)
                ASSERT(framing.kind != HTTP_FRAMING_UNTIL_CLOSE);
        }
        if (http_response_decode(head, &response) == WIRE_OK) {
            ASSERT(response.status >= 100 && response.status <= 999);
            check_values(in, &response.fields);
            if (http_response_framing(&response, true, &framing) == WIRE_OK)
                ASSERT(framing.kind == HTTP_FRAMING_NONE);
        }
        check_body(bytes_after(in, end), piece);
    }
    check_body(in, piece);
    return 0;
}
