/* SPDX-License-Identifier: ISC */
/*
 * download.c - what is at a URL, into a file; redirects, gzip, https and HTTP/2 included.
 *
 *      cc download.c $(pkg-config --cflags --libs wholenet-http) && ./a.out URL FILE [ROOTS]
 *
 * ROOTS: a file of certificates to trust, in the place of those that the system trusts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wholenet/http.h>

struct download {
    struct wn_loop *loop;
    FILE *file;
    int failed;
};

static void on_response(void *self, struct wn_http_transfer *transfer,
                        const struct wn_http_response *response)
{
    const char *type = wn_http_field(response, "Content-Type");
    (void)self;
    (void)transfer;
    printf("%u %s, %s\n", response->status, response->url, type != NULL ? type : "of no known type");
}

static void on_body(void *self, struct wn_http_transfer *transfer, const void *data, size_t len)
{
    struct download *download = self;
    if (fwrite(data, 1, len, download->file) == len)
        return;
    perror("cannot write");
    download->failed = 1;
    wn_http_cancel(transfer);
    wn_loop_stop(download->loop);
}

static double seconds(wn_time from, wn_time to)
{
    return from != 0 && to > from ? (double)(to - from) / (double)WN_SECOND : 0;
}

static void on_end(void *self, struct wn_http_transfer *transfer, const struct wn_http_result *result)
{
    struct download *download = self;
    const struct wn_http_times *t = &result->times;
    (void)transfer;
    if (result->error != WN_HTTP_OK) {
        fprintf(stderr, "%s\n", result->why);
        download->failed = 1;
    } else {
        printf("%llu octets; connected after %.3f s, first octet after %.3f s, all after %.3f s; %s\n",
               (unsigned long long)result->body_len, seconds(t->begun, t->connected),
               seconds(t->begun, t->first), seconds(t->begun, t->ended),
               result->tls_version != NULL ? result->tls_version : "no TLS");
    }
    wn_loop_stop(download->loop);
}

int main(int argc, char **argv)
{
    static const struct wn_http_handler calls = {NULL, on_response, on_body, on_end};
    struct download download = {NULL, NULL, 0};
    struct wn_http_options options;
    struct wn_http_request request;
    struct wn_http *http;
    char why[256] = "no memory";
    if (argc < 3)
        return fprintf(stderr, "usage: download URL FILE [ROOTS]\n"), 2;
    memset(&options, 0, sizeof options);
    options.size = sizeof options;
    options.flags = WN_HTTP_PROXY_ENVIRONMENT;
    options.trust_file = argc > 3 ? argv[3] : NULL;
    options.why = why;
    options.why_size = sizeof why;
    memset(&request, 0, sizeof request);
    request.size = sizeof request;
    request.url = argv[1];
    request.flags = WN_HTTP_FAIL;
    download.loop = wn_loop_new();
    download.file = fopen(argv[2], "wb");
    if (download.loop == NULL || download.file == NULL)
        return perror(argv[2]), 1;
    if (wn_http_new(download.loop, &options, &http) != 0)
        return fprintf(stderr, "%s\n", why), 1;
    if (wn_http_start(http, &request, &calls, &download, NULL) == 0) {
        wn_loop_run(download.loop);
    } else {
        fprintf(stderr, "%s\n", wn_http_why(http));
        download.failed = 1;
    }
    wn_http_free(http);
    wn_loop_free(download.loop);
    if (fclose(download.file) != 0)
        download.failed = 1;
    return download.failed;
}
