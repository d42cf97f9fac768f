/* SPDX-License-Identifier: ISC */
/* get_write_out.c - --write-out: what became of a URL, in words of one's own, with the names that curl(1) has. */
#include <stdio.h>

#include "cli/get.h"

static double since(usec from, usec to)
{
    return from != 0 && to > from ? (double)(to - from) / USEC_PER_SEC : 0;
}

static void add_type(struct text *out, const struct get_transfer *t)
{
    struct http_response_head head;
    if (t->head != NULL && http_response_decode(bytes_of(t->head, t->head_len), &head) == WIRE_OK)
        text_add_bytes(out, http_field_value(&head.fields, "Content-Type"));
}

static void add_address(struct text *out, const struct get_transfer *t)
{
    char address[ADDRESS_TEXT_MAX];
    if (t->outcome.server.port != 0)
        text_add(out, address_format(&t->outcome.server.address, address));
}

/* False: there is no such name. */
static bool add_value(struct text *out, const struct get_transfer *t, struct bytes name)
{
    const struct fetch_times *at = &t->outcome.times;
    const struct {
        const char *name;
        double value;
        int decimals;
    } numbers[] = {
        {"http_code", t->outcome.status, 0},
        {"response_code", t->outcome.status, 0},
        {"exitcode", t->status, 0},
        {"num_redirects", t->redirects, 0},
        {"size_download", (double)t->received, 0},
        {"remote_port", t->outcome.server.port, 0},
        {"time_namelookup", since(at->begun, at->found), 6},
        {"time_connect", since(at->begun, at->connected), 6},
        {"time_appconnect", since(at->begun, at->secured), 6},
        {"time_pretransfer", since(at->begun, at->sent), 6},
        {"time_starttransfer", since(at->begun, at->first), 6},
        {"time_total", since(at->begun, at->ended), 6},
    };
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        if (bytes_equal(name, bytes_of_text(numbers[i].name))) {
            text_add_format(out, "%.*f", numbers[i].decimals, numbers[i].value);
            return true;
        }
    }
    if (bytes_equal(name, bytes_of_text("url")))
        text_add(out, t->asked);
    else if (bytes_equal(name, bytes_of_text("url_effective")))
        url_add_text(&t->url, out);
    else if (bytes_equal(name, bytes_of_text("method")))
        text_add(out, t->method);
    else if (bytes_equal(name, bytes_of_text("content_type")))
        add_type(out, t);
    else if (bytes_equal(name, bytes_of_text("remote_ip")))
        add_address(out, t);
    else if (bytes_equal(name, bytes_of_text("filename_effective")))
        text_add(out, t->output.name != NULL ? t->output.name : "");
    else if (bytes_equal(name, bytes_of_text("errormsg")))
        text_add(out, t->reason);
    else if (bytes_equal(name, bytes_of_text("http_version")))
        text_add(out, t->outcome.status == 0 ? "0" : t->outcome.http2 ? "2"
                      : t->get->version == FETCH_HTTP_1_0             ? "1.0"
                                                                      : "1.1");
    else
        return false;
    return true;
}

/* \n, \r, \t and \\; others stay as they are. Returns how many octets of the format that was. */
static size_t add_escape(struct text *out, struct bytes format)
{
    static const char letters[] = "nrt\\";
    static const char meant[] = "\n\r\t\\";
    const char *found = format.len > 1 ? memchr(letters, format.data[1], sizeof letters - 1) : NULL;
    text_add_format(out, "%c", found != NULL ? meant[found - letters] : '\\');
    return found != NULL ? 2 : 1;
}

static size_t add_name(struct text *out, const struct get_transfer *t, struct bytes format)
{
    size_t end = bytes_find(format, '}');
    if (format.len > 1 && format.data[1] == '%') {
        text_add(out, "%");
        return 2;
    }
    if (format.len < 2 || format.data[1] != '{' || end == format.len) {
        text_add(out, "%");
        return 1;
    }
    if (!add_value(out, t, bytes_of(format.data + 2, end - 2)))
        text_add_bytes(out, bytes_first(format, end + 1)); /* as it stands there, so that it is seen */
    return end + 1;
}

void get_write_out(const struct get_transfer *t)
{
    static char buffer[16 * 1024];
    struct text out = text_of(buffer, sizeof buffer);
    struct bytes format = bytes_of_text(t->get->write_out != NULL ? t->get->write_out : "");
    while (format.len > 0) {
        size_t used = 1;
        if (format.data[0] == '\\')
            used = add_escape(&out, format);
        else if (format.data[0] == '%')
            used = add_name(&out, t, format);
        else
            text_add_bytes(&out, bytes_first(format, 1));
        format = bytes_after(format, used);
    }
    (void)fwrite(out.start, 1, out.len, stdout);
    (void)fflush(stdout);
}
