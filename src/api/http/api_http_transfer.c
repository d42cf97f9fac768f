/* SPDX-License-Identifier: ISC */
/*
 * api_http_transfer.c - a transfer: one exchange after the other (app/fetch/), as long as answers lead to another
 * place (RFC 9110 §15.4) or ask for credentials (§11); then the answer, and the end.
 */
#include <errno.h>
#include <stdlib.h>

#include "api/http/api_http.h"
#include "base/text.h"
#include "os/idna.h"
#include "wire/http/http_status.h"

enum { DROP_MAX = 64 * 1024 /* of a body that nobody wants, to save the connection */ };
#define PATIENCE USEC_PER_SEC /* with 100 (Continue) */

static void start_next(struct wn_http_transfer *t);

/* ---- life ---- */

/* No callback any more; its memory is still there. */
static void retire(struct wn_http_transfer *t)
{
    struct loop *loop = t->http->loop;
    t->dead = true;
    if (t->fetch != NULL)
        fetch_cancel(t->fetch);
    t->fetch = NULL;
    loop_unqueue(&t->task);
    loop_clear_alarm(loop, &t->timeout);
    loop_clear_alarm(loop, &t->idle);
    loop_clear_alarm(loop, &t->patience);
    list_remove(&t->node);
    t->http->transfer_count--;
}

static void release(struct wn_http_transfer *t)
{
    content_decoder_free(t->decoder);
    free(t->told);
    free(t->piece);
    free(t->held);
    free(t->copy);
    free(t);
}

void http_enter(struct wn_http_transfer *t)
{
    t->busy++;
}

bool http_leave(struct wn_http_transfer *t)
{
    bool alive = !t->dead;
    t->busy--;
    if (!alive && t->busy == 0)
        release(t);
    return alive;
}

void wn_http_cancel(struct wn_http_transfer *t)
{
    if (t == NULL || t->dead)
        return;
    retire(t);
    if (t->busy == 0)
        release(t);
}

static void end_with(struct wn_http_transfer *t, int error, int system_error, const char *why,
                     const struct fetch_outcome *outcome)
{
    struct wn_http_result result = {.error = error, .why = why, .system_error = system_error};
    http_fill_result(t, outcome, &result);
    http_enter(t);
    retire(t);
    if (t->handler.on_end != NULL)
        t->handler.on_end(t->self, t, &result);
    (void)http_leave(t);
}

void http_end(struct wn_http_transfer *t, int error, int system_error, const char *format, ...)
{
    char why[HTTP_WHY_MAX];
    struct text reason = text_of(why, sizeof why);
    struct fetch_outcome outcome = t->outcome;
    va_list arguments;
    if (t->dead)
        return;
    va_start(arguments, format);
    text_add_format_list(&reason, format, arguments);
    va_end(arguments);
    if (t->fetch != NULL)
        outcome = *fetch_so_far(t->fetch);
    end_with(t, error, system_error, why, &outcome);
}

void http_touch(struct wn_http_transfer *t)
{
    struct loop *loop = t->http->loop;
    if (t->wish.idle_timeout > 0)
        loop_set_alarm(loop, &t->idle,
                       t->paused ? USEC_NEVER : loop_look(loop) + t->wish.idle_timeout);
}

/* ---- what an answer leads to ---- */

/* False: the transfer has ended. */
static bool take_redirect(struct wn_http_transfer *t, const struct http_response_head *head)
{
    bool keeps = (t->wish.flags & WN_HTTP_KEEP_METHOD) != 0;
    int most = t->wish.redirects_max == 0 ? WN_HTTP_REDIRECTS_MAX : t->wish.redirects_max;
    if (most < 0)
        return true;
    switch (http_redirect(head, t->method, &t->url, keeps, idna_to_ascii, &t->redirect)) {
    case HTTP_REDIRECT_NONE:
        return true;
    case HTTP_REDIRECT_MALFORMED:
        http_end(t, WN_HTTP_BAD_REDIRECT, 0, "expected a URL in Location: %s",
                 url_status_text(t->redirect.status));
        return false;
    case HTTP_REDIRECT_FOLLOW:
        break;
    }
    if ((t->wish.flags & WN_HTTP_HTTPS_ONLY) != 0 && strcmp(t->redirect.url.scheme, "https") != 0) {
        http_end(t, WN_HTTP_BAD_REDIRECT, 0, "expected to be led to https, not to %s://%s",
                 t->redirect.url.scheme, t->redirect.url.host);
        return false;
    }
    if (t->redirects == (unsigned)most) {
        http_end(t, WN_HTTP_MANY_REDIRECTS, 0, "led elsewhere more than %d times, last to %s", most,
                 t->redirect.url.host);
        return false;
    }
    t->next = HTTP_NEXT_REDIRECT;
    return true;
}

/* t->next is what this answer leads to. False: the transfer has ended. */
static bool decide(struct wn_http_transfer *t, const struct http_response_head *head)
{
    bool user = t->has_user && url_same_origin(&t->first, &t->url);
    bool proxy_user = t->has_proxy && t->proxy.user[0] != '\0';
    t->next = HTTP_NEXT_NONE;
    if (head->status == 401 && user &&
        http_challenge_take(&head->fields, "WWW-Authenticate", false, &t->challenge))
        t->next = HTTP_NEXT_AGAIN;
    else if (head->status == 407 && proxy_user &&
             http_challenge_take(&head->fields, "Proxy-Authenticate", true, &t->proxy_challenge))
        t->next = HTTP_NEXT_AGAIN;
    else if (head->status == 417 && t->expects) /* RFC 9110 §10.1.1 */
        t->next = HTTP_NEXT_AGAIN;
    if (head->status == 417)
        t->expects = false;
    return t->next != HTTP_NEXT_NONE || take_redirect(t, head);
}

static void follow(struct wn_http_transfer *t)
{
    t->redirects++;
    t->url = t->redirect.url;
    if (t->redirect.as_get) {
        t->method = "GET";
        t->sends_body = false;
    }
    t->challenge = (struct http_challenge){.scheme = HTTP_SCHEME_NONE};
    start_next(t);
}

static void go_where_it_leads(struct wn_http_transfer *t)
{
    if (t->next == HTTP_NEXT_REDIRECT)
        follow(t);
    else
        start_next(t);
}

/* ---- the answer ---- */

static void take_cookies(struct wn_http_transfer *t, const struct http_response_head *head)
{
    const struct wn_http *http = t->http;
    for (size_t i = 0; i < head->fields.count && http->jar != NULL; i++)
        if (bytes_equal_nocase(head->fields.list[i].name, bytes_of_text("Set-Cookie")))
            (void)cookie_jar_take(http->jar, &t->url, head->fields.list[i].value,
                                  loop_wall_seconds(http->loop));
}

static void take_interim(struct wn_http_transfer *t, const struct http_response_head *head)
{
    static const struct http_framing none = {HTTP_FRAMING_NONE, 0};
    http_enter(t);
    if (head->status != 100 && t->handler.on_interim != NULL) {
        struct http_told *told = http_tell(t, head, &none, fetch_is_http2(t->fetch));
        if (told != NULL) /* else it may be left out, as any interim response (RFC 9110 §15.2) */
            t->handler.on_interim(t->self, t, &told->response);
        free(told);
    }
    if (http_leave(t) && head->status == 100 && t->waits) {
        t->waits = false;
        http_send_body(t);
    }
}

/* False: the transfer has ended. */
static bool open_decoder(struct wn_http_transfer *t, const struct http_response_head *head,
                         const struct http_framing *framing)
{
    struct bytes value = http_field_value(&head->fields, "Content-Encoding");
    enum content_coding coding;
    bool none = framing->kind == HTTP_FRAMING_NONE ||
                (framing->kind == HTTP_FRAMING_LENGTH && framing->length == 0);
    if ((t->wish.flags & WN_HTTP_RAW) != 0 || none || head->status == 206 ||
        !content_coding_parse(value, &coding) || coding == CONTENT_IDENTITY)
        return true;
    t->decoder = content_decoder_new(coding);
    if (t->decoder == NULL)
        http_end(t, WN_HTTP_NO_MEMORY, ENOMEM, "no memory to decode the body");
    return !t->dead;
}

static void deliver(struct wn_http_transfer *t, const struct http_response_head *head,
                    const struct http_framing *framing)
{
    t->told = http_tell(t, head, framing, fetch_is_http2(t->fetch));
    if (t->told == NULL) {
        http_end(t, WN_HTTP_NO_MEMORY, ENOMEM, "no memory for the response");
        return;
    }
    if (t->decoder == NULL && framing->kind == HTTP_FRAMING_LENGTH && t->wish.body_max != 0 &&
        framing->length > t->wish.body_max) {
        http_end(t, WN_HTTP_TOO_LARGE, 0, "expected at most %llu octets, not %llu",
                 (unsigned long long)t->wish.body_max, (unsigned long long)framing->length);
        return;
    }
    if (t->handler.on_response != NULL)
        t->handler.on_response(t->self, t, &t->told->response);
}

static void on_sent(void *self, struct fetch *fetch UNUSED)
{
    struct wn_http_transfer *t = self;
    t->has_room = false;
    t->waits = t->expects && t->sends_body;
    http_touch(t);
}

static void on_head(void *self, struct fetch *fetch UNUSED, const struct http_response_head *head,
                    const struct http_framing *framing)
{
    struct wn_http_transfer *t = self;
    http_touch(t);
    if (head->status < 200) {
        take_interim(t, head);
        return;
    }
    http_enter(t);
    loop_clear_alarm(t->http->loop, &t->patience);
    t->body_over = t->body_over || t->waits; /* answered without it */
    take_cookies(t, head);
    if (decide(t, head) && t->next == HTTP_NEXT_NONE && open_decoder(t, head, framing))
        deliver(t, head, framing);
    (void)http_leave(t);
}

static void on_body(void *self, struct fetch *fetch, struct bytes data)
{
    struct wn_http_transfer *t = self;
    http_touch(t);
    if (t->next == HTTP_NEXT_NONE) {
        http_take_body(t, data);
        return;
    }
    t->dropped += data.len;
    if (t->dropped <= DROP_MAX)
        return;
    fetch_cancel(fetch);
    t->fetch = NULL;
    go_where_it_leads(t);
}

static void on_patience_over(struct alarm *alarm)
{
    struct wn_http_transfer *t = CONTAINER_OF(alarm, struct wn_http_transfer, patience);
    t->waits = false;
    http_send_body(t);
}

static void on_room(void *self, struct fetch *fetch UNUSED)
{
    struct wn_http_transfer *t = self;
    bool first = !t->has_room;
    t->has_room = true;
    if (!t->waits)
        http_send_body(t);
    else if (first)
        loop_set_alarm(t->http->loop, &t->patience, loop_look(t->http->loop) + PATIENCE);
}

/* ---- the end of an exchange ---- */

static int error_of(const struct fetch_outcome *outcome)
{
    static const int errors[] = {
        [FETCH_OK] = WN_HTTP_OK,
        [FETCH_NO_NAME] = WN_HTTP_NO_NAME,
        [FETCH_NO_CONNECTION] = WN_HTTP_NO_CONNECTION,
        [FETCH_NO_TUNNEL] = WN_HTTP_NO_TUNNEL,
        [FETCH_NO_TLS] = WN_HTTP_NO_TLS,
        [FETCH_UNSUPPORTED] = WN_HTTP_UNSUPPORTED,
        [FETCH_TOO_LONG] = WN_HTTP_BAD_OPTION,
        [FETCH_BROKEN] = WN_HTTP_BROKEN,
    };
    _Static_assert(ARRAY_LEN(errors) == FETCH_RESULT_COUNT, "one error per result");
    if (outcome->result == FETCH_BROKEN && outcome->failure == HTTP_CLIENT_TIMED_OUT)
        return WN_HTTP_TIMED_OUT;
    return errors[outcome->result];
}

void http_conclude(struct wn_http_transfer *t, const struct fetch_outcome *outcome)
{
    bool cut = t->decoder != NULL && !content_decoder_at_end(t->decoder);
    if (outcome->result != FETCH_OK)
        end_with(t, error_of(outcome), outcome->error, outcome->reason, outcome);
    else if (cut)
        end_with(t, WN_HTTP_BAD_CONTENT, 0, "the body ends before its Content-Encoding does", outcome);
    else if ((t->wish.flags & WN_HTTP_FAIL) != 0 && outcome->status >= 400)
        http_end(t, WN_HTTP_REFUSED, 0, "%u %s", outcome->status, http_status_text(outcome->status));
    else
        end_with(t, WN_HTTP_OK, 0, "", outcome);
}

static void on_end(void *self, struct fetch *fetch UNUSED, const struct fetch_outcome *outcome)
{
    struct wn_http_transfer *t = self;
    t->fetch = NULL;
    t->outcome = *outcome;
    struct text reason = text_of(t->reason, sizeof t->reason);
    text_add(&reason, outcome->reason);
    t->outcome.reason = t->reason;
    if (outcome->result == FETCH_OK && t->next != HTTP_NEXT_NONE) {
        go_where_it_leads(t);
    } else if (t->paused || t->held != NULL) {
        t->has_outcome = true;
        loop_clear_alarm(t->http->loop, &t->idle);
    } else {
        http_conclude(t, &t->outcome);
    }
}

/* ---- the exchanges ---- */

static void start_exchange(struct wn_http_transfer *t)
{
    static const struct fetch_handler calls = {.on_sent = on_sent,
                                               .on_head = on_head,
                                               .on_body = on_body,
                                               .on_room = on_room,
                                               .on_end = on_end};
    t->next = HTTP_NEXT_NONE;
    t->dropped = 0;
    loop_clear_alarm(t->http->loop, &t->idle);
    if (t->sends_body && !http_rewind_body(t)) {
        http_end(t, WN_HTTP_BAD_BODY, 0, "the request's body is wanted again, and cannot be read a second time");
        return;
    }
    if (!http_request_make(t)) {
        http_end(t, WN_HTTP_BAD_OPTION, 0, "expected fields and credentials of less than %d octets, "
                 "no colon in the user's name, and a proxy's URL", HTTP_STORE_MAX);
        return;
    }
    t->fetch = fetch_start(t->http->fetcher, &t->request, &calls, t);
    if (t->fetch == NULL)
        http_end(t, WN_HTTP_NO_MEMORY, ENOMEM, "no memory");
    else if (t->paused)
        fetch_pause(t->fetch);
}

static void start_next(struct wn_http_transfer *t)
{
    http_enter(t);
    start_exchange(t);
    (void)http_leave(t);
}

static void on_timeout(struct alarm *alarm)
{
    struct wn_http_transfer *t = CONTAINER_OF(alarm, struct wn_http_transfer, timeout);
    char limit[32];
    struct text text = text_of(limit, sizeof limit);
    text_add_duration(&text, t->wish.timeout);
    http_end(t, WN_HTTP_TIMED_OUT, ETIMEDOUT, "%s: not done within %s", t->url.host, limit);
}

static void on_idle(struct alarm *alarm)
{
    struct wn_http_transfer *t = CONTAINER_OF(alarm, struct wn_http_transfer, idle);
    char limit[32];
    struct text text = text_of(limit, sizeof limit);
    text_add_duration(&text, t->wish.idle_timeout);
    http_end(t, WN_HTTP_TIMED_OUT, ETIMEDOUT, "%s: no sign of it within %s", t->url.host, limit);
}

static void on_task(struct task *task)
{
    struct wn_http_transfer *t = CONTAINER_OF(task, struct wn_http_transfer, task);
    http_enter(t);
    if (!t->waits)
        http_send_body(t);
    if (!t->dead && !t->paused)
        http_take_held(t);
    (void)http_leave(t);
}

static struct wn_http_transfer *new_transfer(struct wn_http *http,
                                             const struct wn_http_handler *handler, void *self)
{
    struct wn_http_transfer *t = calloc(1, sizeof *t);
    if (t == NULL)
        return NULL;
    t->http = http;
    t->handler = *handler;
    t->self = self;
    t->begun = loop_look(http->loop);
    t->outcome.reason = "";
    task_init(&t->task, on_task);
    alarm_init(&t->timeout, on_timeout);
    alarm_init(&t->idle, on_idle);
    alarm_init(&t->patience, on_patience_over);
    list_append(&http->transfers, &t->node);
    http->transfer_count++;
    return t;
}

int wn_http_start(struct wn_http *http, const struct wn_http_request *request,
                  const struct wn_http_handler *handler, void *self, struct wn_http_transfer **out)
{
    if (http->transfer_count == WN_HTTP_TRANSFERS_MAX)
        return http_fail(http, WN_HTTP_TOO_MANY, "expected at most %d transfers at a time",
                         WN_HTTP_TRANSFERS_MAX);
    struct wn_http_transfer *t = new_transfer(http, handler, self);
    if (t == NULL)
        return http_fail(http, WN_HTTP_NO_MEMORY, "no memory");
    int result = http_request_take(t, request);
    if (result != 0) {
        wn_http_cancel(t);
        return result;
    }
    if (t->wish.timeout > 0)
        loop_set_alarm(http->loop, &t->timeout, t->begun + t->wish.timeout);
    /* What cannot be from here on is told by on_end, from the loop. */
    static const struct wn_http_handler nobody;
    t->handler = nobody;
    http_enter(t);
    start_next(t);
    t->handler = *handler;
    if (!http_leave(t))
        return http_fail(http, WN_HTTP_BAD_OPTION, "the request has no room, or there is no memory");
    if (out != NULL)
        *out = t;
    return 0;
}

/* ---- what the program may do with it ---- */

void wn_http_pause(struct wn_http_transfer *t)
{
    t->paused = true;
    loop_clear_alarm(t->http->loop, &t->idle);
    if (t->fetch != NULL)
        fetch_pause(t->fetch);
}

void wn_http_resume(struct wn_http_transfer *t)
{
    if (!t->paused || t->dead)
        return;
    t->paused = false;
    if (t->fetch != NULL)
        http_touch(t);
    loop_queue(t->http->loop, &t->task);
}

void wn_http_body_ready(struct wn_http_transfer *t)
{
    if (!t->dead)
        loop_queue(t->http->loop, &t->task);
}
