/* SPDX-License-Identifier: ISC */
/* api_http_wait.c - calls that turn the loop until an answer is whole; and URLs. */
#include <errno.h>
#include <stdlib.h>

#include "api/http/api_http.h"
#include "base/text.h"
#include "os/idna.h"

/* An answer, with what is behind its pointers. */
struct whole {
    struct wn_http_answer answer;
    struct wn_loop *loop;
    struct http_told *told; /* NULL: no response */
    size_t size;            /* of the body's block */
    bool over;
    bool no_memory;
    char why[HTTP_WHY_MAX];
};

/* Room for `more` octets of the body and a NUL. */
static bool reserve(struct whole *w, size_t more)
{
    if (more < w->size - w->answer.body_len)
        return true;
    size_t size = w->size + more + 1;
    if (size < 2 * w->size)
        size = 2 * w->size;
    char *body = realloc(w->answer.body, size);
    if (body == NULL)
        return false;
    w->answer.body = body;
    w->size = size;
    return true;
}

static void on_body(void *self, struct wn_http_transfer *transfer, const void *data, size_t len)
{
    struct whole *w = self;
    if (w->no_memory || !reserve(w, len)) {
        w->no_memory = true;
        wn_http_pause(transfer); /* no more of it; it is cancelled outside */
        wn_loop_stop(w->loop);
        return;
    }
    memcpy(w->answer.body + w->answer.body_len, data, len);
    w->answer.body_len += len;
}

static void on_end(void *self, struct wn_http_transfer *transfer UNUSED,
                   const struct wn_http_result *result)
{
    struct whole *w = self;
    struct text why = text_of(w->why, sizeof w->why);
    text_add(&why, result->why);
    w->answer.result = *result;
    w->answer.result.why = w->why;
    w->answer.result.response = NULL;
    w->told = result->response != NULL ? http_tell_again(result->response) : NULL;
    if (w->told != NULL)
        w->answer.result.response = &w->told->response;
    w->no_memory |= result->response != NULL && w->told == NULL;
    w->over = true;
    wn_loop_stop(w->loop);
}

static void conclude(struct whole *w, int error, const char *why)
{
    struct text text = text_of(w->why, sizeof w->why);
    text_add(&text, why);
    w->answer.result.error = error;
    w->answer.result.why = w->why;
}

static struct whole *run(struct wn_http *http, const struct wn_http_request *request)
{
    static const struct wn_http_handler calls = {.on_body = on_body, .on_end = on_end};
    struct wn_http_transfer *transfer;
    struct whole *w = calloc(1, sizeof *w);
    if (w == NULL || !reserve(w, 0)) {
        free(w);
        return NULL;
    }
    w->loop = http->outer;
    int error = wn_http_start(http, request, &calls, w, &transfer);
    if (error != 0) {
        conclude(w, error, http->why);
        return w;
    }
    (void)wn_loop_run(http->outer);
    if (!w->over)
        wn_http_cancel(transfer);
    if (w->no_memory)
        conclude(w, WN_HTTP_NO_MEMORY, "no memory for the answer");
    else if (!w->over)
        conclude(w, WN_HTTP_STOPPED, "the loop was stopped, or nothing will ever happen on it");
    return w;
}

int wn_http_do(struct wn_http *http, const struct wn_http_request *request,
               struct wn_http_answer **out)
{
    struct wn_http_request limited = {.size = sizeof limited};
    *out = NULL;
    if (api_loop_runs(http->outer))
        return http_fail(http, WN_HTTP_BAD_OPTION, "expected to be outside of the loop's callbacks");
    if (request->size < offsetof(struct wn_http_request, fields) || request->size > sizeof limited)
        return http_fail(http, WN_HTTP_BAD_OPTION, "expected `size` to be that of the structure");
    memcpy(&limited, request, request->size);
    limited.size = sizeof limited;
    if (limited.body_max == 0)
        limited.body_max = WN_HTTP_ANSWER_MAX;
    struct whole *w = run(http, &limited);
    if (w == NULL)
        return http_fail(http, WN_HTTP_NO_MEMORY, "no memory for the answer");
    w->answer.body[w->answer.body_len] = '\0';
    *out = &w->answer;
    if (w->answer.result.error != 0)
        return http_fail(http, w->answer.result.error, "%s", w->why);
    return 0;
}

int wn_http_get(const char *url, size_t body_max, wn_time timeout, struct wn_http_answer **out)
{
    const struct wn_http_request request = {
        .size = sizeof request,
        .url = url,
        .flags = WN_HTTP_FAIL,
        .body_max = body_max,
        .timeout = timeout,
    };
    struct wn_loop *loop = wn_loop_new();
    struct wn_http *http = NULL;
    *out = NULL;
    int result = loop != NULL ? wn_http_new(loop, NULL, &http) : WN_HTTP_NO_MEMORY;
    if (result == 0)
        result = wn_http_do(http, &request, out);
    wn_http_free(http);
    wn_loop_free(loop);
    return result;
}

void wn_http_answer_free(struct wn_http_answer *answer)
{
    if (answer == NULL)
        return;
    struct whole *w = CONTAINER_OF(answer, struct whole, answer);
    free(w->told);
    free(w->answer.body);
    free(w);
}

/* ---- URLs ---- */

_Static_assert((int)WN_HTTP_URL_MAX >= (int)URL_TEXT_MAX, "room for each");

int wn_http_url(const char *base, const char *reference, char *out, size_t size)
{
    struct url from;
    struct url to;
    enum url_status status = URL_OK;
    if (size == 0)
        return -ENAMETOOLONG;
    if (base != NULL)
        status = url_parse(bytes_of_text(base), idna_to_ascii, &from);
    if (status == URL_OK)
        status = base != NULL ? url_resolve(&from, bytes_of_text(reference), idna_to_ascii, &to)
                              : url_parse(bytes_of_text(reference), idna_to_ascii, &to);
    if (status != URL_OK)
        return status == URL_TOO_LONG ? -ENAMETOOLONG : -EINVAL;
    char text[URL_TEXT_MAX];
    struct text t = text_of(text, sizeof text);
    url_add_text(&to, &t);
    if (t.failed || t.len >= size)
        return -ENAMETOOLONG;
    memcpy(out, text, t.len + 1);
    return 0;
}

int wn_http_url_encode(const void *data, size_t len, char *out, size_t size)
{
    if (size == 0)
        return -ENAMETOOLONG;
    struct text t = text_of(out, size);
    url_encode(bytes_of(data, len), &t);
    return t.failed ? -ENAMETOOLONG : 0;
}
