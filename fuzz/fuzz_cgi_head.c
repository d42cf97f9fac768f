/* SPDX-License-Identifier: ISC */
/*
 * fuzz_cgi_head.c - what a CGI program writes. The end of its head does not depend on how the octets come;
 * what of it goes to a client may stand in a head of HTTP.
 */
#include "fuzz/fuzz.h"
#include "wire/cgi/cgi_head.h"
#include "wire/http/http_octets.h"

static size_t find(struct bytes in, size_t piece)
{
    size_t scanned = 0;
    size_t found = 0;
    for (size_t offered = 0; offered < in.len && found == 0;) {
        offered = piece < in.len - offered ? offered + piece : in.len;
        found = cgi_head_find_end(bytes_first(in, offered), &scanned);
    }
    return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct cgi_head head;
    struct bytes in = bytes_of(data, len);
    size_t end = find(in, len > 0 ? len : 1);
    ASSERT(end <= len && find(in, 1) == end && find(in, 7) == end);
    if (cgi_head_decode(bytes_first(in, end > 0 ? end : len), &head) != WIRE_OK)
        return 0;
    ASSERT(end > 0 && head.status >= 100 && head.status <= 999 && head.status != 101);
    ASSERT((head.kind == CGI_INTERIM) == (head.status < 200));
    ASSERT(head.kind != CGI_LOCAL_REDIRECT || head.location.data[0] == '/');
    ASSERT(head.fields.count <= HTTP_FIELDS_MAX);
    for (size_t i = 0; i < head.fields.count; i++) {
        ASSERT(http_is_token(head.fields.list[i].name));
        ASSERT(http_octets_are(head.fields.list[i].value, HTTP_OCTET_FIELD));
        ASSERT(!bytes_equal_nocase(head.fields.list[i].name, bytes_of_text("Transfer-Encoding")));
    }
    return 0;
}
