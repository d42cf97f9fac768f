/* SPDX-License-Identifier: ISC */
/*
 * get_transfer.c - one URL: a request, and what its answer leads to, another place (RFC 9110 §15.4),
 * credentials (§11), another try, or octets for the output.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/fetch/fetch_proxy.h"
#include "cli/get.h"
#include "io/net.h"
#include "os/idna.h"
#include "wire/http/http_date.h"
#include "wire/http/http_list.h"
#include "wire/http/http_status.h"

static void start_next(struct get_transfer *t);

static void finish(struct get_transfer *t, enum get_status status)
{
    if (t->done)
        return;
    get_segments_end(t);
    get_socket_end(t);
    int error = get_output_close(&t->output);
    if (t->write_error == 0)
        t->write_error = error;
    t->status = t->write_error != 0 ? GET_NOT_WRITTEN : status;
    if (t->write_error != 0) {
        struct text reason = text_of(t->reason, sizeof t->reason);
        text_add_format(&reason, "cannot write %s: %s",
                        t->output.name != NULL ? t->output.name : "to standard output",
                        strerror(-t->write_error));
    }
    content_decoder_free(t->decoder);
    t->decoder = NULL;
    loop_clear_alarm(t->get->loop, &t->retry);
    loop_clear_alarm(t->get->loop, &t->timeout);
    t->done = true;
    loop_stop(t->get->loop);
}

void get_transfer_end(struct get_transfer *t, enum get_status status)
{
    finish(t, status);
}

void get_transfer_fail(struct get_transfer *t, enum get_status status, const char *format, ...)
{
    struct text reason = text_of(t->reason, sizeof t->reason);
    va_list arguments;
    va_start(arguments, format);
    text_add_format_list(&reason, format, arguments);
    va_end(arguments);
    if (t->fetch != NULL)
        fetch_cancel(t->fetch);
    t->fetch = NULL;
    finish(t, status);
}

/* ---- what the answer leads to ---- */

static bool is_passing(unsigned status)
{
    return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 ||
           status == 504;
}

/* RFC 9110 §10.2.3: seconds or a date. */
static usec retry_after(const struct get_transfer *t, const struct http_response_head *head)
{
    struct bytes value = http_field_value(&head->fields, "Retry-After");
    uint64_t seconds;
    int64_t date;
    usec wait = 0;
    if (http_number(value, UINT32_MAX, &seconds))
        wait = (usec)seconds * USEC_PER_SEC;
    else if (http_date_parse(value, loop_wall_seconds(t->get->loop), &date))
        wait = (date - loop_wall_seconds(t->get->loop)) * USEC_PER_SEC;
    return usec_min(usec_max(wait, 0), GET_RETRY_WAIT_MAX);
}

static enum get_next decide(struct get_transfer *t, const struct http_response_head *head)
{
    const struct get *g = t->get;
    bool own_origin = url_same_origin(&t->first, &t->url);
    bool user = own_origin && (g->user != NULL || t->first.user[0] != '\0');
    bool proxy_user = t->has_proxy && (g->proxy_user != NULL || t->proxy.user[0] != '\0');
    if (head->status == 401 && user &&
        http_challenge_take(&head->fields, "WWW-Authenticate", false, &t->challenge))
        return GET_NEXT_LOGIN;
    if (head->status == 407 && proxy_user &&
        http_challenge_take(&head->fields, "Proxy-Authenticate", true, &t->proxy_challenge))
        return GET_NEXT_PROXY_LOGIN;
    if (is_passing(head->status) && t->tries < g->retries) {
        t->retry_wait = retry_after(t, head);
        return GET_NEXT_RETRY;
    }
    if (t->item != NULL && t->output.memory_max == 0) { /* a mirror decides where it goes */
        t->led = http_redirect(head, t->method, &t->url, true, idna_to_ascii, &t->redirect) ==
                 HTTP_REDIRECT_FOLLOW;
        return GET_NEXT_NONE;
    }
    if (g->redirects_max == 0)
        return GET_NEXT_NONE;
    switch (http_redirect(head, t->method, &t->url, g->keep_method, idna_to_ascii, &t->redirect)) {
    case HTTP_REDIRECT_NONE:
        return GET_NEXT_NONE;
    case HTTP_REDIRECT_FOLLOW:
        return GET_NEXT_REDIRECT;
    case HTTP_REDIRECT_MALFORMED:
        get_transfer_fail(t, GET_BROKEN, "it leads elsewhere, but Location is no URL: %s",
             url_status_text(t->redirect.status));
        break;
    }
    return GET_NEXT_NONE;
}

/* ---- the answer itself ---- */

/* The head as text, for -i and for what is told afterwards. Its first line is of HTTP/1 whatever it came by. */
static void keep_head(struct get_transfer *t, const struct http_response_head *head)
{
    char *text = malloc(HTTP_HEAD_MAX + 64);
    if (text == NULL)
        return;
    struct writer w = writer_of(text, HTTP_HEAD_MAX + 64);
    char line[64];
    struct text start = text_of(line, sizeof line);
    text_add_format(&start, "HTTP/1.%d %u ", head->version == HTTP_VERSION_1_1 ? 1 : 0,
                    head->status);
    write_bytes(&w, text_bytes(&start));
    write_bytes(&w, head->reason);
    http_write_text(&w, "\r\n");
    for (size_t i = 0; i < head->fields.count; i++) {
        write_bytes(&w, head->fields.list[i].name);
        http_write_text(&w, ": ");
        write_bytes(&w, head->fields.list[i].value);
        http_write_text(&w, "\r\n");
    }
    http_write_end(&w);
    free(t->head);
    t->http2 = t->fetch != NULL && fetch_is_http2(t->fetch);
    t->head = text;
    t->head_len = writer_len(&w);
}

/* What If-Range may have (RFC 9110 §13.1.5): a strong ETag, or else a date. */
static void keep_validator(struct get_transfer *t, const struct http_response_head *head)
{
    struct bytes etag = http_field_value(&head->fields, "ETag");
    struct bytes date = http_field_value(&head->fields, "Last-Modified");
    bool weak = etag.len < 2 || etag.data[0] != '"';
    struct text v = text_of(t->validator, sizeof t->validator);
    text_add_bytes(&v, weak ? date : etag);
    if (v.failed)
        t->validator[0] = '\0';
}

/* "bytes 100-199/200" -> 100; false: something else. */
static bool content_range_start(const struct http_response_head *head, uint64_t *start)
{
    struct bytes value = http_field_value(&head->fields, "Content-Range");
    struct bytes unit = bytes_of_text("bytes ");
    if (!bytes_equal_nocase(bytes_first(value, unit.len), unit))
        return false;
    value = bytes_after(value, unit.len);
    return http_number(bytes_first(value, bytes_find(value, '-')), UINT64_MAX, start);
}

/* Does "bytes * / 200" say that we have all of it? */
static bool is_complete(const struct get_transfer *t, const struct http_response_head *head)
{
    struct bytes value = http_field_value(&head->fields, "Content-Range");
    uint64_t size;
    value = bytes_after(value, bytes_find(value, '/') + 1);
    return head->status == 416 && t->resumed_at > 0 && http_number(value, UINT64_MAX, &size) &&
           size == t->resumed_at;
}

/* False: the transfer has ended. */
static bool settle_resumption(struct get_transfer *t, const struct http_response_head *head)
{
    uint64_t start;
    if (is_complete(t, head)) {
        struct text reason = text_of(t->reason, sizeof t->reason);
        text_add_format(&reason, "%s has all of it already", t->output.name);
        t->outcome.status = 416;
        fetch_cancel(t->fetch);
        t->fetch = NULL;
        finish(t, GET_DONE);
        return false;
    }
    if (head->status != 206) {
        t->resumed_at = head->status >= 400 ? t->resumed_at : 0;
        return true;
    }
    if (t->resumed_at == 0 || (content_range_start(head, &start) && start == t->resumed_at))
        return true;
    get_transfer_fail(t, GET_BROKEN, "asked for octets from %llu on, and got others",
         (unsigned long long)t->resumed_at);
    return false;
}

static void write_out(void *self, struct bytes octets)
{
    struct get_transfer *t = self;
    uint64_t max = t->get->size_max;
    if (max != 0 && (t->too_large || octets.len > max - t->output.written)) {
        t->too_large = true; /* a bomb is not unpacked to see how large it is */
        return;
    }
    if (t->write_error == 0)
        t->write_error = get_output_write(&t->output, octets);
}

static void open_decoder(struct get_transfer *t, const struct http_response_head *head)
{
    struct bytes value = http_field_value(&head->fields, "Content-Encoding");
    enum content_coding coding;
    if (t->get->raw || head->status == 206 || !content_coding_parse(value, &coding) ||
        coding == CONTENT_IDENTITY)
        return;
    t->decoder = content_decoder_new(coding);
}

/* -i: as it came. */
static void write_head(struct get_transfer *t)
{
    struct bytes head = bytes_of(t->head, t->head_len);
    char line[32];
    struct text start = text_of(line, sizeof line);
    if (t->http2) { /* RFC 9113 §8.3.2: there is no reason, and no line; as curl(1) shows it */
        struct http_response_head decoded;
        if (http_response_decode(head, &decoded) == WIRE_OK)
            text_add_format(&start, "HTTP/2 %u\r\n", decoded.status);
        head = bytes_after(head, bytes_find(head, '\n') + 1);
    }
    write_out(t, text_bytes(&start));
    write_out(t, head);
}

static void deliver(struct get_transfer *t, const struct http_response_head *head,
                    const struct http_framing *framing)
{
    const struct get *g = t->get;
    bool refused = head->status >= 400;
    t->delivers = true;
    t->received = 0;
    t->expected = framing->kind == HTTP_FRAMING_LENGTH ? framing->length : UINT64_MAX;
    if (t->segments != NULL && get_segments_go_on(t, head)) {
        if (t->write_error != 0)
            get_transfer_fail(t, GET_NOT_WRITTEN, "%s", "");
        return;
    }
    if (!settle_resumption(t, head))
        return;
    keep_validator(t, head);
    open_decoder(t, head);
    /* A page about an error is no replacement for a file, and no page is a message. */
    t->discards = (refused && (t->output.name != NULL || g->fail)) || (t->item != NULL && head->status >= 300) ||
                  t->socket != NULL;
    if (!t->discards && g->size_max != 0 && t->expected != UINT64_MAX &&
        (t->resumed_at > g->size_max || t->expected > g->size_max - t->resumed_at)) {
        get_transfer_fail(t, GET_FAILED, "larger than --max-size");
        return;
    }
    if (!t->discards)
        t->write_error = get_output_open(&t->output, t->resumed_at, false);
    if ((g->include || g->head_only) && !t->discards && t->head != NULL)
        write_head(t);
    if (t->write_error != 0)
        get_transfer_fail(t, GET_NOT_WRITTEN, "%s", "");
    else
        get_segments_begin(t, head, framing);
}

static void take_cookies(struct get_transfer *t, const struct http_response_head *head)
{
    for (size_t i = 0; i < head->fields.count; i++)
        if (bytes_equal_nocase(head->fields.list[i].name, bytes_of_text("Set-Cookie")))
            (void)cookie_jar_take(t->get->jar, &t->url, head->fields.list[i].value,
                                  loop_wall_seconds(t->get->loop));
}

static void on_sent(void *self, struct fetch *fetch)
{
    const struct get_transfer *t = self;
    if (t->get->verbose)
        get_show_request(t, fetch_is_http2(fetch));
}

static void on_head(void *self, struct fetch *fetch, const struct http_response_head *head,
                    const struct http_framing *framing)
{
    struct get_transfer *t = self;
    if (t->get->verbose)
        get_show_head(head, fetch_is_http2(fetch));
    if (head->status < 200)
        return;
    keep_head(t, head);
    take_cookies(t, head);
    t->next = decide(t, head);
    if (!t->done && t->next == GET_NEXT_NONE)
        deliver(t, head, framing);
}

static void on_body(void *self, struct fetch *fetch UNUSED, struct bytes data)
{
    struct get_transfer *t = self;
    if (!t->delivers)
        return;
    if (get_segments_running(t)) {
        get_segments_take(t, data);
        return;
    }
    t->received += data.len;
    t->get->total.octets += data.len;
    bool good = true;
    if (!t->discards && t->decoder != NULL)
        good = content_decoder_feed(t->decoder, data, write_out, t);
    else if (!t->discards)
        write_out(t, data);
    if (t->write_error != 0)
        get_transfer_fail(t, GET_NOT_WRITTEN, "%s", "");
    else if (!good)
        get_transfer_fail(t, GET_BROKEN, "the body is not what Content-Encoding says");
    else if (t->too_large)
        get_transfer_fail(t, GET_FAILED, "larger than --max-size");
    else
        get_show_progress(t, false);
}

static void on_room(void *self, struct fetch *fetch)
{
    struct get_transfer *t = self;
    struct get_body *body = &t->get->body;
    struct get_place *place = &t->body;
    static uint8_t buffer[64 * 1024];
    size_t taken;
    do {
        int error;
        struct bytes piece = get_body_read(body, place, buffer, sizeof buffer, &error);
        if (error != 0) {
            get_transfer_fail(t, GET_FAILED, "cannot read what is to be sent: %s", strerror(-error));
            return;
        }
        if (piece.len == 0 && (!body->unknown_len || fetch_body_end(fetch)))
            return;
        taken = fetch_body(fetch, piece);
        get_body_advance(body, place, taken);
    } while (taken > 0);
}

/* ---- the end of an exchange ---- */

static enum get_status status_of(enum fetch_result result)
{
    switch (result) {
    case FETCH_OK:
        return GET_DONE;
    case FETCH_NO_NAME:
        return GET_NO_NAME;
    case FETCH_NO_CONNECTION:
    case FETCH_NO_TUNNEL:
    case FETCH_NO_TLS:
        return GET_NO_CONNECTION;
    case FETCH_BROKEN:
        return GET_BROKEN;
    case FETCH_UNSUPPORTED:
    case FETCH_TOO_LONG:
    case FETCH_RESULT_COUNT:
        break;
    }
    return GET_FAILED;
}

static bool may_repeat(const struct get_transfer *t, const struct fetch_outcome *outcome)
{
    static const char *const methods[] = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"};
    if (outcome->result == FETCH_NO_NAME || outcome->result == FETCH_NO_CONNECTION)
        return true;
    for (size_t i = 0; i < ARRAY_LEN(methods); i++)
        if (strcmp(t->method, methods[i]) == 0)
            return outcome->result == FETCH_BROKEN;
    return false;
}

static void wait_and_retry(struct get_transfer *t)
{
    struct loop *loop = t->get->loop;
    usec wait = t->retry_wait;
    if (wait == 0)
        wait = usec_min(USEC_PER_SEC << (t->tries < 6 ? t->tries : 6), GET_RETRY_WAIT_MAX);
    t->tries++;
    t->retry_wait = 0;
    if (!t->get->quiet && !t->get->json) {
        char text[32];
        struct text w = text_of(text, sizeof text);
        text_add_duration(&w, wait);
        cli_fail(t->get->command, 0, "%s: %s; again in %s", t->asked,
                 t->reason[0] != '\0' ? t->reason : http_status_text(t->outcome.status), text);
    }
    t->reason[0] = '\0';
    loop_set_alarm(loop, &t->retry, loop_look(loop) + wait);
}

/* What has been written stays, if the server can say whether it still goes with the rest. */
static bool can_go_on(struct get_transfer *t)
{
    if (!t->delivers || t->output.written == t->resumed_at)
        return true; /* nothing was written */
    if (!t->output.is_file || t->discards)
        return false;
    bool resumes = t->validator[0] != '\0' && t->decoder == NULL && t->get->range == NULL &&
                   !t->get->include;
    t->resumed_at = resumes ? t->output.written : 0;
    return true;
}

static void take_failure(struct get_transfer *t, const struct fetch_outcome *outcome)
{
    struct text reason = text_of(t->reason, sizeof t->reason);
    text_add(&reason, outcome->reason);
    get_show_progress(t, true);
    if (t->tries < t->get->retries && may_repeat(t, outcome) && can_go_on(t)) {
        t->next = GET_NEXT_RETRY;
        content_decoder_free(t->decoder);
        t->decoder = NULL;
        t->write_error = get_output_close(&t->output);
        wait_and_retry(t);
        return;
    }
    finish(t, status_of(outcome->result));
}

void get_transfer_complete(struct get_transfer *t)
{
    unsigned status = t->outcome.status;
    bool cut = !t->discards && t->decoder != NULL && !content_decoder_at_end(t->decoder);
    struct text reason = text_of(t->reason, sizeof t->reason);
    get_show_progress(t, true);
    if (cut)
        text_add(&reason, "the body ends before its Content-Encoding does");
    else if (status >= 400 || t->socket != NULL)
        text_add_format(&reason, "%u %s%s", status, http_status_text(status),
                        status < 400 ? ": it has no WebSocket there" : "");
    finish(t, cut ? GET_BROKEN : status >= 400 || t->socket != NULL ? GET_REFUSED : GET_DONE);
}

/* RFC 6455 §4.1: the connection is a WebSocket's from now on. */
static void on_switched(void *self, const struct fetch_outcome *outcome,
                        const struct http_response_head *head, struct stream *stream)
{
    struct get_transfer *t = self;
    t->fetch = NULL;
    t->outcome = *outcome;
    t->outcome.reason = "";
    if (t->get->verbose)
        get_show_head(head, false);
    keep_head(t, head);
    take_cookies(t, head);
    t->write_error = get_output_open(&t->output, 0, false);
    if (t->write_error == 0 && t->get->include && t->head != NULL)
        write_head(t);
    if (t->write_error == 0) {
        get_socket_open(t, head, stream);
    } else {
        stream_abort(stream);
        get_transfer_fail(t, GET_NOT_WRITTEN, "%s", "");
    }
}

static void follow(struct get_transfer *t)
{
    if (t->redirects == t->get->redirects_max) {
        get_transfer_fail(t, GET_TOO_MANY_REDIRECTS, "led elsewhere more than %u times (--max-redirects)",
             t->get->redirects_max);
        return;
    }
    t->redirects++;
    t->url = t->redirect.url;
    if (t->redirect.as_get) {
        t->method = "GET";
        t->sends_body = false;
    }
    t->challenge = (struct http_challenge){.scheme = HTTP_SCHEME_NONE};
    start_next(t);
}

static void on_end(void *self, struct fetch *fetch UNUSED, const struct fetch_outcome *outcome)
{
    struct get_transfer *t = self;
    t->fetch = NULL;
    t->outcome = *outcome;
    t->outcome.reason = "";
    if (get_segments_running(t)) {
        get_segments_first_ended(t, outcome);
        return;
    }
    if (outcome->result != FETCH_OK) {
        take_failure(t, outcome);
        return;
    }
    switch (t->next) {
    case GET_NEXT_NONE:
        get_transfer_complete(t);
        break;
    case GET_NEXT_REDIRECT:
        follow(t);
        break;
    case GET_NEXT_LOGIN:
    case GET_NEXT_PROXY_LOGIN:
        start_next(t);
        break;
    case GET_NEXT_RETRY:
        wait_and_retry(t);
        break;
    }
}

/* ---- requests ---- */

/* --proxy, "" for none, or the environment's. */
static enum url_status choose_proxy(struct get_transfer *t)
{
    const char *given = t->get->proxy;
    const char *proxy = given == NULL ? fetch_environment_proxy(&t->url) : given;
    t->has_proxy = proxy != NULL && proxy[0] != '\0';
    return t->has_proxy ? get_parse_url(proxy, &t->proxy) : URL_OK;
}

static void start_next(struct get_transfer *t)
{
    static const struct fetch_handler calls = {on_sent, on_head, on_body, on_room, on_end, on_switched};
    struct get *g = t->get;
    t->next = GET_NEXT_NONE;
    t->delivers = false;
    if (!get_socket_prepare(t)) {
        get_transfer_fail(t, GET_FAILED, "no memory");
        return;
    }
    enum url_status status = choose_proxy(t);
    if (status != URL_OK) {
        get_transfer_fail(t, GET_USAGE, "the proxy's URL: %s", url_status_text(status));
        return;
    }
    if (t->sends_body && !get_body_rewind(&g->body, &t->body)) {
        get_transfer_fail(t, GET_FAILED, "what came from standard input cannot be sent a second time");
        return;
    }
    if (!get_request_make(t)) {
        finish(t, GET_USAGE);
        return;
    }
    t->fetch = fetch_start(g->fetcher, &t->request, &calls, t);
    if (t->fetch == NULL)
        get_transfer_fail(t, GET_FAILED, "no memory");
}

void get_transfer_restart(struct get_transfer *t)
{
    if (t->fetch != NULL)
        fetch_cancel(t->fetch);
    t->fetch = NULL;
    get_segments_end(t);
    t->in_one_piece = true;
    t->resumed_at = 0;
    t->write_error = get_output_close(&t->output);
    start_next(t);
}

static void on_retry(struct alarm *alarm)
{
    start_next(CONTAINER_OF(alarm, struct get_transfer, retry));
}

static void on_timeout(struct alarm *alarm)
{
    struct get_transfer *t = CONTAINER_OF(alarm, struct get_transfer, timeout);
    char text[32];
    struct text limit = text_of(text, sizeof text);
    text_add_duration(&limit, t->get->timeout);
    get_show_progress(t, true);
    get_transfer_fail(t, GET_TIMED_OUT, "not done within %s (--timeout)", text);
}

void get_transfer_start(struct get_transfer *t)
{
    struct get *g = t->get;
    usec now = loop_look(g->loop);
    alarm_init(&t->retry, on_retry);
    alarm_init(&t->timeout, on_timeout);
    if (g->timeout != GET_TIMEOUT_NONE)
        loop_set_alarm(g->loop, &t->timeout, now + g->timeout);
    if (g->resume && !get_segments_load(t))
        t->resumed_at = get_output_size(&t->output);
    start_next(t);
}

void get_transfer_give_up(struct get_transfer *t, int error)
{
    get_transfer_fail(t, GET_FAILED, "%s", strerror(-error));
}
