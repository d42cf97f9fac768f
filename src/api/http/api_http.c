/* SPDX-License-Identifier: ISC */
/* api_http.c - wholenet/http.h: clients, over app/fetch/, with whom they trust, their proxy and their cookies. */
#include "api/http/api_http.h"

#include <errno.h>
#include <stdlib.h>

#include "app/fetch/fetch_proxy.h"
#include "base/text.h"
#include "io/tls.h"
#include "os/file.h"
#include "os/idna.h"

enum { JAR_FILE_MAX = 16 << 20 };

int http_fail(struct wn_http *http, int error, const char *format, ...)
{
    struct text why = text_of(http->why, sizeof http->why);
    va_list arguments;
    va_start(arguments, format);
    text_add_format_list(&why, format, arguments);
    va_end(arguments);
    return error;
}

const char *wn_http_why(const struct wn_http *http)
{
    return http->why;
}

/* ---- TLS ---- */

static struct tls_client *open_tls(void *self, bool http2, struct text *reason)
{
    struct wn_http *http = self;
    struct tls_client **tls = &http->tls[http2];
    const struct tls_client_options options = {
        .trust_file = http->trust_file,
        .trust_folder = http->trust_folder,
        .trust_anybody = (http->flags & WN_HTTP_TRUST_ANYBODY) != 0,
        .alpn = http2 ? "h2 http/1.1" : "http/1.1",
        .certificate = {.chain = http->certificate, .key = http->key},
    };
    if (*tls == NULL && tls_client_new(http->loop, &options, reason, tls) != 0)
        *tls = NULL;
    return *tls;
}

/* ---- life ---- */

static bool copy_text(const char *text, char **out)
{
    *out = NULL;
    if (text == NULL)
        return true;
    *out = strdup(text);
    return *out != NULL;
}

static int take_proxy(struct wn_http *http, const char *proxy)
{
    if (proxy == NULL || proxy[0] == '\0')
        return 0;
    enum url_status status = fetch_parse_url(proxy, idna_to_ascii, &http->proxy);
    if (status != URL_OK || strcmp(http->proxy.scheme, "http") != 0)
        return http_fail(http, WN_HTTP_BAD_OPTION,
                         "expected \"http://host:port\" for the proxy, not \"%.100s\": %s", proxy,
                         status != URL_OK ? url_status_text(status) : "it is of another scheme");
    http->has_proxy = true;
    return 0;
}

static int take_options(struct wn_http *http, const struct wn_http_options *o)
{
    http->flags = o->flags;
    http->stack = o->stack;
    http->resolver = o->resolver;
    if ((o->flags & ~(unsigned)(WN_HTTP_COOKIES | WN_HTTP_PROXY_ENVIRONMENT |
                                WN_HTTP_TRUST_ANYBODY)) != 0 || o->connect_timeout < 0)
        return http_fail(http, WN_HTTP_BAD_OPTION,
                         "expected flags of enum wn_http_flags and no negative time");
    if (!copy_text(o->hosts, &http->hosts) || !copy_text(o->agent, &http->agent) ||
        !copy_text(o->trust_file, &http->trust_file) ||
        !copy_text(o->trust_folder, &http->trust_folder) ||
        !copy_text(o->certificate, &http->certificate) || !copy_text(o->key, &http->key))
        return WN_HTTP_NO_MEMORY;
    return take_proxy(http, o->proxy);
}

static int open_parts(struct wn_http *http, usec connect_timeout)
{
    if (http->stack == NULL && loop_is_virtual(http->loop))
        return http_fail(http, WN_HTTP_BAD_OPTION,
                         "expected a stack: a virtual loop has no sockets of the host");
    http->net = http->stack != NULL ? api_loop_net(http->outer, http->stack)
                                    : net_kernel_new(http->loop);
    if (http->net == NULL && http->stack != NULL)
        return http_fail(http, WN_HTTP_BAD_OPTION, "expected a stack that is on the loop");
    if (http->net == NULL)
        return WN_HTTP_NO_MEMORY;
    struct fetcher_options options = {
        .net = http->net,
        .tls = open_tls,
        .self = http,
        .connect_timeout = connect_timeout,
        .seek = http_find,
        .forget = http_find_forget,
    };
    http->fetcher = fetcher_new(&options);
    struct heap heap = loop_heap(http->loop);
    bool keeps = (http->flags & WN_HTTP_COOKIES) != 0;
    http->jar = keeps ? cookie_jar_new(&heap) : NULL;
    if (http->fetcher == NULL || (keeps && http->jar == NULL))
        return WN_HTTP_NO_MEMORY;
    /* What is wrong with files is said now, and not with the first request. */
    struct text why = text_of(http->why, sizeof http->why);
    bool files = http->trust_file != NULL || http->trust_folder != NULL || http->certificate != NULL;
    if (files && open_tls(http, true, &why) == NULL)
        return WN_HTTP_BAD_OPTION;
    return http_find_open(http);
}

static void tell_why(const struct wn_http *http, const struct wn_http_options *o, int result)
{
    if (o->why == NULL || o->why_size == 0)
        return;
    struct text why = text_of(o->why, o->why_size);
    text_add(&why, http->why[0] != '\0' ? http->why : wn_http_error_text(result));
}

int wn_http_new(struct wn_loop *loop, const struct wn_http_options *options, struct wn_http **out)
{
    struct wn_http_options o = {.size = sizeof o};
    if (options != NULL) {
        if (options->size < offsetof(struct wn_http_options, stack) || options->size > sizeof o)
            return WN_HTTP_BAD_OPTION;
        memcpy(&o, options, options->size);
    }
    struct wn_http *http = calloc(1, sizeof *http);
    if (http == NULL)
        return WN_HTTP_NO_MEMORY;
    http->outer = loop;
    http->loop = api_loop_inside(loop);
    list_init(&http->transfers);
    list_init(&http->questions);
    list_init(&http->watcher.node);
    list_init(&http->watcher.task.node);
    int result = take_options(http, &o);
    if (result == 0)
        result = open_parts(http, o.connect_timeout);
    if (result != 0) {
        tell_why(http, &o, result);
        wn_http_free(http);
        return result;
    }
    *out = http;
    return 0;
}

void wn_http_free(struct wn_http *http)
{
    if (http == NULL)
        return;
    while (!list_empty(&http->transfers))
        wn_http_cancel(CONTAINER_OF(list_first(&http->transfers), struct wn_http_transfer, node));
    fetcher_free(http->fetcher);
    http_find_close(http);
    cookie_jar_free(http->jar);
    for (size_t i = 0; i < ARRAY_LEN(http->tls); i++)
        tls_client_free(http->tls[i]);
    if (http->net != NULL)
        net_free(http->net);
    char *const texts[] = {http->hosts,        http->agent,       http->trust_file,
                           http->trust_folder, http->certificate, http->key};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        free(texts[i]);
    free(http);
}

/* ---- cookies ---- */

static bool keep_cookies(struct wn_http *http)
{
    struct heap heap = loop_heap(http->loop);
    if (http->jar == NULL)
        http->jar = cookie_jar_new(&heap);
    return http->jar != NULL;
}

int wn_http_load_cookies(struct wn_http *http, const char *path)
{
    char *text;
    size_t len;
    int status = keep_cookies(http) ? file_read(path, JAR_FILE_MAX, &text, &len) : -ENOMEM;
    if (status != 0)
        return http_fail(http, status, "cannot read cookies from %s: %s", path, strerror(-status));
    (void)cookie_jar_load(http->jar, bytes_of(text, len), loop_wall_seconds(http->loop));
    free(text);
    return 0;
}

int wn_http_save_cookies(struct wn_http *http, const char *path)
{
    size_t size = keep_cookies(http) ? cookie_jar_text_max(http->jar) : 0;
    char *all = size > 0 ? malloc(size) : NULL;
    int status = -ENOMEM;
    if (all != NULL) {
        struct text text = text_of(all, size);
        cookie_jar_write_text(http->jar, loop_wall_seconds(http->loop), &text);
        status = file_write(path, text_bytes(&text), 0600);
    }
    free(all);
    if (status != 0)
        return http_fail(http, status, "cannot keep cookies in %s: %s", path, strerror(-status));
    return 0;
}

/* ---- errors ---- */

const char *wn_http_error_text(int error)
{
    static const char *const texts[] = {
        [-WN_HTTP_OK] = "no error",
        [-WN_HTTP_BAD_OPTION] = "an option that cannot be",
        [-WN_HTTP_NO_MEMORY] = "no memory",
        [-WN_HTTP_TOO_MANY] = "too many transfers at a time",
        [-WN_HTTP_NO_NAME] = "the name has no address",
        [-WN_HTTP_NO_CONNECTION] = "no connection",
        [-WN_HTTP_NO_TLS] = "no TLS with the server",
        [-WN_HTTP_NO_TUNNEL] = "the proxy refuses",
        [-WN_HTTP_BROKEN] = "no whole response",
        [-WN_HTTP_TIMED_OUT] = "timed out",
        [-WN_HTTP_TOO_LARGE] = "the body is too large",
        [-WN_HTTP_MANY_REDIRECTS] = "too many redirects",
        [-WN_HTTP_BAD_REDIRECT] = "a redirect that cannot be followed",
        [-WN_HTTP_BAD_CONTENT] = "the body is not what it is said to be",
        [-WN_HTTP_BAD_BODY] = "the request's body cannot be sent",
        [-WN_HTTP_REFUSED] = "the server refuses",
        [-WN_HTTP_UNSUPPORTED] = "a scheme or version that is not spoken",
        [-WN_HTTP_STOPPED] = "stopped before its end",
    };
    bool known = error <= 0 && -(int64_t)error < (int64_t)ARRAY_LEN(texts);
    return known ? texts[-error] : "an unknown error";
}
