/* SPDX-License-Identifier: ISC */
/* command_get.c - wholenet get: what is at a URL (RFC 9110), over connections that last. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/get.h"
#include "cli/host_name.h"
#include "os/file.h"
#include "os/public_suffix.h"

enum { JAR_FILE_MAX = 16 << 20 };

/* ---- names ---- */

static bool pinned(const struct get *g, const char *host, uint16_t port, struct ip_address *out)
{
    for (size_t i = 0; i < g->pin_count; i++) {
        struct bytes name = bytes_of_text(g->pins[i].host);
        name = bytes_first(name, bytes_find(name, ':'));
        if (g->pins[i].port == port && bytes_equal_nocase(name, bytes_of_text(host))) {
            *out = g->pins[i].address;
            return true;
        }
    }
    return false;
}

static size_t find(void *self, const char *host, uint16_t port,
                   struct endpoint out[FETCH_ADDRESSES_MAX], struct text *reason)
{
    const struct get *g = self;
    struct ip_address addresses[FETCH_ADDRESSES_MAX];
    size_t count = 1;
    if (!pinned(g, host, port, &addresses[0]))
        count = host_name_find_all(host,
                                   g->v4   ? HOST_NAME_V4
                                   : g->v6 ? HOST_NAME_V6
                                           : HOST_NAME_ANY,
                                   addresses, ARRAY_LEN(addresses), reason);
    for (size_t i = 0; i < count; i++)
        out[i] = (struct endpoint){addresses[i], port};
    return count;
}

/* ---- TLS ---- */

static struct tls_client *open_tls(void *self, bool http2, struct text *reason)
{
    struct get *g = self;
    struct tls_client **tls = &g->tls[http2];
    const struct tls_client_options options = {
        .trust_file = g->ca_file,
        .trust_anybody = g->insecure,
        .pins = g->key_pins[0],
        .pin_count = g->key_pin_count,
        .alpn = http2 ? "h2 http/1.1" : "http/1.1",
        .certificate = {.chain = g->certificate, .key = g->key},
    };
    if (*tls == NULL && tls_client_new(g->loop, &options, reason, tls) != 0)
        *tls = NULL;
    return *tls;
}

/* ---- cookies ---- */

static bool load_jar(struct get *g, const char *path, bool must_be_there)
{
    char *text;
    size_t len;
    int status = file_read(path, JAR_FILE_MAX, &text, &len);
    if (status == -ENOENT && !must_be_there)
        return true;
    if (status != 0) {
        cli_fail(g->command, 0, "cannot read cookies from %s: %s", path, strerror(-status));
        return false;
    }
    (void)cookie_jar_load(g->jar, bytes_of(text, len), loop_wall_seconds(g->loop));
    free(text);
    return true;
}

static bool open_jar(struct get *g)
{
    struct heap heap = loop_heap(g->loop);
    g->jar = cookie_jar_new(&heap);
    if (g->jar == NULL)
        return false;
    cookie_jar_set_suffixes(g->jar, public_suffix);
    if (g->jar_file != NULL && !load_jar(g, g->jar_file, false))
        return false;
    return g->cookie == NULL || strchr(g->cookie, '=') != NULL || load_jar(g, g->cookie, true);
}

/* Session cookies too: the next run is the same session, to whoever uses a jar. */
static int save_jar(struct get *g)
{
    size_t size = cookie_jar_text_max(g->jar);
    char *all = malloc(size);
    if (all == NULL)
        return -ENOMEM;
    struct text text = text_of(all, size);
    cookie_jar_write_text(g->jar, loop_wall_seconds(g->loop), &text);
    int status = file_write(g->jar_file, text_bytes(&text), 0600);
    free(all);
    return status;
}

/* ---- the URLs, one after the other or several at a time ---- */

/* -G: data behind the "?". */
static enum url_status add_query(const struct get *g, struct url *url)
{
    static struct url longer;
    static char reference[URL_TARGET_MAX + 1];
    struct text t = text_of(reference, sizeof reference);
    text_add_bytes(&t, url_target(url));
    text_add(&t, url->target_len > url->path_len ? "&" : "?");
    text_add_bytes(&t, bytes_of(g->body.data, g->body.data_len));
    if (t.failed)
        return URL_TOO_LONG;
    enum url_status status = url_resolve(url, text_bytes(&t), NULL, &longer);
    memcpy(longer.user, url->user, sizeof longer.user);
    if (status == URL_OK)
        *url = longer;
    return status;
}

static void choose_method(struct get_transfer *t)
{
    const struct get *g = t->get;
    t->sends_body = get_body_there(&g->body);
    if (g->method != NULL)
        t->method = g->method;
    else if (g->head_only)
        t->method = "HEAD";
    else if (g->upload != NULL)
        t->method = "PUT";
    else
        t->method = t->sends_body ? "POST" : "GET";
}

/* A file goes to a URL that names a directory under its own name. */
static enum url_status add_upload_name(const struct get *g, struct url *url)
{
    static struct url longer;
    char name[3 * 256];
    struct text t = text_of(name, sizeof name);
    const char *slash = g->upload != NULL ? strrchr(g->upload, '/') : NULL;
    const char *last = slash != NULL ? slash + 1 : g->upload;
    if (g->upload == NULL || strcmp(g->upload, "-") == 0 || url->target_len > url->path_len ||
        url->target[url->path_len - 1] != '/')
        return URL_OK;
    url_encode(bytes_of_text(last), &t);
    enum url_status status = url_resolve(url, text_bytes(&t), NULL, &longer);
    memcpy(longer.user, url->user, sizeof longer.user);
    if (status == URL_OK)
        *url = longer;
    return status;
}

static enum get_status free_transfer(struct get_transfer *t, enum get_status status)
{
    t->get->total.ended++;
    free(t->head);
    free(t);
    return status;
}

/* NULL: it has ended already, with *status. */
static struct get_transfer *begin(struct get *g, size_t which, enum get_status *result)
{
    struct get_transfer *t = calloc(1, sizeof *t);
    *result = GET_USAGE;
    if (t == NULL) {
        *result = (enum get_status)cli_fail(g->command, GET_FAILED, "no memory");
        return NULL;
    }
    t->get = g;
    t->which = which;
    t->asked = g->urls[which];
    enum url_status status = get_parse_url(g->urls[which], &t->url);
    if (status == URL_OK && g->as_query)
        status = add_query(g, &t->url);
    if (status == URL_OK)
        status = add_upload_name(g, &t->url);
    t->first = t->url;
    choose_method(t);
    if (status == URL_OK && get_output_choose(g, which, &t->url, &t->output)) {
        get_transfer_start(t);
        return t;
    }
    if (status != URL_OK)
        cli_fail(g->command, 0, "%s: %s", g->urls[which], url_status_text(status));
    else
        cli_fail(g->command, 0, "%s: its last segment is no name for a file; use -o", g->urls[which]);
    (void)free_transfer(t, *result);
    return NULL;
}

static enum get_status end(struct get_transfer *t)
{
    enum get_status status = t->status;
    bool robots = t->output.memory_max > 0;
    if (!robots)
        get_show_end(t);
    if (t->item != NULL)
        status = get_mirror_took(t);
    return free_transfer(t, status);
}

static enum get_status worse(enum get_status a, enum get_status b)
{
    return a > b ? a : b;
}

/* Ends those that are done. */
static enum get_status reap(struct get_transfer **running, size_t *count)
{
    enum get_status worst = GET_DONE;
    size_t kept = 0;
    for (size_t i = 0; i < *count; i++) {
        if (running[i]->done)
            worst = worse(worst, end(running[i]));
        else
            running[kept++] = running[i];
    }
    *count = kept;
    return worst;
}

/* Begins as many as may be under way; *next: the URL that comes next. */
static enum get_status fill(struct get *g, struct get_transfer **running, size_t *count, size_t *next)
{
    enum get_status worst = GET_DONE;
    while (*count < g->parallel && (g->mirror != NULL || *next < g->url_count)) {
        enum get_status status = GET_DONE;
        struct get_transfer *t = g->mirror != NULL ? get_mirror_next(g->mirror)
                                                   : begin(g, (*next)++, &status);
        if (t != NULL)
            running[(*count)++] = t;
        else if (g->mirror != NULL)
            break;
        else
            worst = worse(worst, status);
    }
    return worst;
}

static bool is_done(const struct get *g, size_t count, size_t next)
{
    return count == 0 && (g->mirror != NULL ? get_mirror_is_done(g->mirror) : next >= g->url_count);
}

static enum get_status get_urls(struct get *g)
{
    struct get_transfer *running[GET_PARALLEL_MAX];
    enum get_status worst = GET_DONE;
    size_t count = 0;
    size_t next = 0;
    int error = 0;
    g->total.begun = loop_look(g->loop);
    g->total.all = g->url_count;
    if (g->recursive || g->requisites) {
        if (!get_mirror_begin(g))
            return GET_USAGE;
    }
    while (error == 0 && !is_done(g, count, next)) {
        worst = worse(worst, fill(g, running, &count, &next));
        size_t before = count;
        worst = worse(worst, reap(running, &count));
        if (count == before && !is_done(g, count, next))
            error = loop_run(g->loop);
        for (size_t i = 0; i < count && error != 0; i++)
            get_transfer_give_up(running[i], error);
    }
    worst = worse(worst, reap(running, &count));
    get_show_progress_end(g);
    return g->mirror != NULL ? worse(worst, get_mirror_finish(g)) : worst;
}

static int get_all(struct get *g)
{
    int worst = (int)get_urls(g);
    if (g->jar_file != NULL) {
        int status = save_jar(g);
        if (status != 0)
            worst = cli_fail(g->command, GET_NOT_WRITTEN, "cannot keep cookies in %s: %s", g->jar_file,
                             strerror(-status));
    }
    return worst;
}

static void done(struct get *g)
{
    get_mirror_free(g);
    fetcher_free(g->fetcher);
    cookie_jar_free(g->jar);
    for (size_t i = 0; i < ARRAY_LEN(g->tls); i++)
        tls_client_free(g->tls[i]);
    if (g->net != NULL)
        net_free(g->net);
    loop_free(g->loop);
    get_body_done(&g->body);
}

static int run(const struct cli_command *command, int argc, char **argv)
{
    static struct get get;
    struct get *g = &get;
    *g = (struct get){.command = command, .redirects_max = GET_REDIRECTS_DEFAULT, .parallel = 1,
                      .level = GET_LEVEL_DEFAULT};
    enum cli_outcome outcome = get_read_arguments(g, argc, argv);
    if (outcome != CLI_GO_ON)
        return outcome == CLI_DONE ? EXIT_OK : cli_usage_status(command);
    signal(SIGPIPE, SIG_IGN);
    g->loop = loop_new();
    g->net = g->loop != NULL ? net_kernel_new(g->loop) : NULL;
    struct fetcher_options options = {
        .net = g->net,
        .find = find,
        .tls = open_tls,
        .self = g,
        .connect_timeout = g->connect_timeout,
    };
    g->fetcher = g->net != NULL ? fetcher_new(&options) : NULL;
    int status = GET_FAILED;
    if (g->fetcher == NULL)
        cli_fail(command, 0, "cannot begin: %s", strerror(errno));
    else if (open_jar(g))
        status = get_all(g);
    done(g);
    return status;
}

const struct cli_command command_get = {
    .name = "get",
    .usage = "[options] URL…",
    .summary = "fetch what is at a URL",
    .about = "Asks HTTP servers for what is at URLs, and writes it to standard output, or to files (-o, -O). "
             "Redirects are followed, connections kept, HTTP/2 spoken with https servers, Content-Encoding undone. A page about an error "
             "(4xx, 5xx) is shown, but takes no file's place, and the exit status is 8. With ws:// and wss:// lines of standard input become messages of a WebSocket, and what comes lines.\n\n"
             "wholenet get http://www.home.arpa/ -O -t\n"
             "wholenet get wss://www.home.arpa/echo --message hello --count 1\n"
             "wholenet get --recursive -p --convert-links http://www.home.arpa/",
    .options = get_options,
    .option_count = GET_OPTION_COUNT,
    .elsewhere = get_elsewhere,
    .elsewhere_count = GET_ELSEWHERE_COUNT,
    .run = run,
};
