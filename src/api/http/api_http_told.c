/* SPDX-License-Identifier: ISC */
/* api_http_told.c - responses and results as the program sees them: text with a NUL, in one block. */
#include <stdlib.h>

#include "api/http/api_http.h"
#include "base/text.h"

const char *wn_http_field(const struct wn_http_response *response, const char *name)
{
    for (size_t i = 0; i < response->field_count; i++)
        if (bytes_equal_nocase(bytes_of_text(response->fields[i].name), bytes_of_text(name)))
            return response->fields[i].value;
    return NULL;
}

/* A copy of the octets with a NUL behind them. */
static const char *put(char **place, struct bytes text)
{
    char *copy = *place;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    *place += text.len + 1;
    return copy;
}

static enum wn_http_version version_of(const struct http_response_head *head, bool http2)
{
    if (http2)
        return WN_HTTP_2;
    return head->version == HTTP_VERSION_1_0 ? WN_HTTP_1_0 : WN_HTTP_1_1;
}

static uint64_t length_of(const struct http_framing *framing)
{
    switch (framing->kind) {
    case HTTP_FRAMING_NONE:
        return 0;
    case HTTP_FRAMING_LENGTH:
        return framing->length;
    case HTTP_FRAMING_CHUNKED:
    case HTTP_FRAMING_UNTIL_CLOSE:
        break;
    }
    return WN_HTTP_LENGTH_UNKNOWN;
}

struct http_told *http_tell(const struct wn_http_transfer *t, const struct http_response_head *head,
                            const struct http_framing *framing, bool http2)
{
    char url[URL_TEXT_MAX];
    struct text where = text_of(url, sizeof url);
    size_t count = head->fields.count;
    url_add_text(&t->url, &where);
    size_t size = head->reason.len + where.len + 2;
    for (size_t i = 0; i < count; i++)
        size += head->fields.list[i].name.len + head->fields.list[i].value.len + 2;
    struct http_told *told = malloc(sizeof *told + count * sizeof told->fields[0] + size);
    if (told == NULL)
        return NULL;
    char *place = (char *)&told->fields[count];
    for (size_t i = 0; i < count; i++) {
        told->fields[i].name = put(&place, head->fields.list[i].name);
        told->fields[i].value = put(&place, head->fields.list[i].value);
    }
    told->response = (struct wn_http_response){
        .status = head->status,
        .version = version_of(head, http2),
        .reason = put(&place, head->reason),
        .url = put(&place, text_bytes(&where)),
        .fields = told->fields,
        .field_count = count,
        .body_len = length_of(framing),
    };
    return told;
}

struct http_told *http_tell_again(const struct wn_http_response *response)
{
    size_t count = response->field_count;
    size_t size = strlen(response->reason) + strlen(response->url) + 2;
    for (size_t i = 0; i < count; i++)
        size += strlen(response->fields[i].name) + strlen(response->fields[i].value) + 2;
    struct http_told *told = malloc(sizeof *told + count * sizeof told->fields[0] + size);
    if (told == NULL)
        return NULL;
    char *place = (char *)&told->fields[count];
    for (size_t i = 0; i < count; i++) {
        told->fields[i].name = put(&place, bytes_of_text(response->fields[i].name));
        told->fields[i].value = put(&place, bytes_of_text(response->fields[i].value));
    }
    told->response = *response;
    told->response.reason = put(&place, bytes_of_text(response->reason));
    told->response.url = put(&place, bytes_of_text(response->url));
    told->response.fields = told->fields;
    return told;
}

void http_fill_result(const struct wn_http_transfer *t, const struct fetch_outcome *outcome,
                      struct wn_http_result *out)
{
    out->response = t->told != NULL ? &t->told->response : NULL;
    out->body_len = t->body_len;
    out->redirects = t->redirects;
    out->octets_in = outcome->octets_in;
    out->octets_out = outcome->octets_out;
    out->reused = outcome->reused;
    out->server = endpoint_out(&outcome->server);
    if (outcome->secured) {
        out->tls_version = outcome->tls.version;
        out->tls_cipher = outcome->tls.cipher;
    }
    out->times = (struct wn_http_times){
        .begun = t->begun,
        .found = outcome->times.found,
        .connected = outcome->times.connected,
        .secured = outcome->times.secured,
        .sent = outcome->times.sent,
        .first = outcome->times.first,
        .ended = outcome->times.ended != 0 ? outcome->times.ended : loop_look(t->http->loop),
    };
}
