/* SPDX-License-Identifier: ISC */
/* cgi_head.c - RFC 3875 §6.2 and §6.3. SKIPS RFC 3875 §5 (NPH): what a program writes is always read. */
#include "wire/cgi/cgi_head.h"

#include "wire/http/http_octets.h"

size_t cgi_head_find_end(struct bytes in, size_t *scanned)
{
    while (*scanned < in.len) {
        struct bytes rest = bytes_after(in, *scanned);
        size_t end = bytes_find(rest, '\n');
        if (end == rest.len)
            return 0; /* half a line: it is looked at again, with its end */
        *scanned += end + 1;
        if (end == 0 || (end == 1 && rest.data[0] == '\r'))
            return *scanned;
    }
    return 0;
}

static bool is(struct bytes name, const char *text)
{
    return bytes_equal_nocase(name, bytes_of_text(text));
}

/* Fields of the server's or of one connection: a program has no say in them (§6.3.5). */
static bool is_not_for_client(struct bytes name)
{
    static const char *const names[] = {"Connection", "Keep-Alive", "Proxy-Connection", "TE",
                                        "Trailer", "Transfer-Encoding", "Upgrade", "Date", "Server"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (is(name, names[i]))
            return true;
    return false;
}

/* Status = "Status:" status-code SP reason-phrase (§6.3.3); the phrase is often left out. */
static bool take_status(struct bytes value, unsigned *out)
{
    uint64_t status;
    struct bytes code = bytes_first(value, bytes_find(value, ' '));
    if (*out != 0 || code.len != 3 || !http_number(code, 999, &status) || status < 100 ||
        status == 101)
        return false;
    *out = (unsigned)status;
    return true;
}

struct seen {
    unsigned status; /* 0: none */
    bool type;
    bool location;
};

/* False: it may not stand there. */
static bool take_field(struct bytes name, struct bytes value, struct seen *seen,
                       struct cgi_head *out)
{
    if (is(name, "Status"))
        return take_status(value, &seen->status);
    if (is(name, "Content-Length")) {
        if (out->has_length)
            return false;
        out->has_length = true;
        return http_number(value, INT64_MAX, &out->length);
    }
    if (is_not_for_client(name))
        return true;
    if (is(name, "Content-Type")) {
        if (seen->type)
            return false;
        seen->type = true;
    }
    if (is(name, "Location")) {
        if (seen->location || value.len == 0)
            return false;
        seen->location = true;
        out->location = value;
    }
    out->fields.list[out->fields.count++] = (struct http_field){name, value};
    return true;
}

static enum wire_status take_line(struct bytes line, struct seen *seen, struct cgi_head *out)
{
    size_t colon = bytes_find(line, ':');
    struct bytes name = bytes_first(line, colon);
    struct bytes value = http_trim(bytes_after(line, colon + 1));
    if (colon == line.len || !http_is_token(name) || !http_octets_are(value, HTTP_OCTET_FIELD))
        return WIRE_MALFORMED;
    if (out->fields.count == HTTP_FIELDS_MAX)
        return WIRE_UNSUPPORTED;
    return take_field(name, value, seen, out) ? WIRE_OK : WIRE_MALFORMED;
}

/* "/path" without a status is of this server (§6.2.2); "//host/path" is another. */
static bool is_local(struct bytes location)
{
    return location.len > 0 && location.data[0] == '/' &&
           (location.len == 1 || location.data[1] != '/') &&
           http_octets_are(location, HTTP_OCTET_TARGET);
}

static enum wire_status judge(const struct seen *seen, struct cgi_head *out)
{
    if (!seen->type && !seen->location && seen->status == 0)
        return WIRE_MALFORMED; /* §6.2: at least one */
    out->kind = CGI_DOCUMENT;
    out->status = seen->status != 0 ? seen->status : 200;
    if (out->status < 200) {
        out->kind = CGI_INTERIM;
    } else if (seen->location && seen->status == 0) {
        out->kind = is_local(out->location) ? CGI_LOCAL_REDIRECT : CGI_CLIENT_REDIRECT;
        out->status = 302;
    } else if (seen->location && out->status / 100 == 3) {
        out->kind = CGI_CLIENT_REDIRECT;
    }
    return WIRE_OK;
}

enum wire_status cgi_head_decode(struct bytes head, struct cgi_head *out)
{
    struct seen seen = {0};
    out->location = bytes_empty();
    out->has_length = false;
    out->length = 0;
    out->fields.count = 0; /* the list is large, and not looked at beyond that */
    for (;;) {
        size_t end = bytes_find(head, '\n');
        if (end == head.len)
            return WIRE_TRUNCATED;
        struct bytes line = bytes_first(head, end);
        head = bytes_after(head, end + 1);
        if (line.len > 0 && line.data[line.len - 1] == '\r')
            line.len--;
        if (line.len == 0)
            return judge(&seen, out);
        enum wire_status status = take_line(line, &seen, out);
        if (status != WIRE_OK)
            return status;
    }
}
