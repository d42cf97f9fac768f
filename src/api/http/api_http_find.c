/* SPDX-License-Identifier: ISC */
/*
 * api_http_find.c - addresses of names, without waiting: as text, from the hosts that the client was given, by the
 * host's resolver in threads beside the loop (io/host_lookup.h), or by a resolver over sockets of a stack.
 */
#include <stdlib.h>

#include "api/api_names.h"
#include "api/http/api_http.h"
#include "base/text.h"
#include "io/host_lookup.h"
#include "proto/dns/hosts_file.h"

struct question {
    struct list_node node;
    struct wn_http *http;
    struct fetch *fetch;
    const char *name;           /* the fetch's */
    uint16_t port;
    struct host_question *host; /* NULL: not asked there */
    struct wn_lookup *lookup;   /* the same */
};

static void drop(struct question *q)
{
    list_remove(&q->node);
    host_lookup_cancel(q->host);
    wn_lookup_cancel(q->lookup);
    free(q);
}

static void answer_none(struct fetch *fetch, const char *name, const char *why)
{
    char reason[FETCH_REASON_MAX];
    struct text t = text_of(reason, sizeof reason);
    text_add_format(&t, "%s: %s", name, why);
    fetch_found(fetch, NULL, 0, reason);
}

static void answer(struct fetch *fetch, const struct ip_address *addresses, size_t count,
                   uint16_t port)
{
    struct endpoint out[FETCH_ADDRESSES_MAX];
    count = count < FETCH_ADDRESSES_MAX ? count : FETCH_ADDRESSES_MAX;
    for (size_t i = 0; i < count; i++)
        out[i] = (struct endpoint){addresses[i], port};
    fetch_found(fetch, out, count, "");
}

/* ---- what is known ---- */

static size_t look_at_hosts(const struct wn_http *http, const char *name, struct ip_address *out)
{
    struct bytes rest = http->hosts != NULL ? bytes_of_text(http->hosts) : bytes_empty();
    struct hosts_line line;
    size_t count = 0;
    while (count < FETCH_ADDRESSES_MAX && hosts_next(&rest, &line))
        if (hosts_has(&line, bytes_of_text(name)))
            out[count++] = line.address;
    return count;
}

/* ---- the host's resolver ---- */

static void on_answer(void *self, const struct host_answer *found)
{
    struct question *q = self;
    struct fetch *fetch = q->fetch;
    const char *name = q->name;
    uint16_t port = q->port;
    q->host = NULL;
    drop(q);
    if (found->count > 0)
        answer(fetch, found->addresses, found->count, port);
    else
        answer_none(fetch, name, found->error);
}

static void ask_host(struct question *q, const char *name)
{
    struct host_answer found;
    struct fetch *fetch = q->fetch;
    if (host_lookup_ask(q->http->lookup, name, on_answer, q, &found, &q->host)) {
        on_answer(q, &found);
    } else if (q->host == NULL) {
        drop(q);
        answer_none(fetch, name, "too many names are being looked for");
    }
}

/* ---- a resolver over a stack ---- */

static size_t addresses_of(const struct wn_addrinfo *list, struct ip_address *out)
{
    size_t count = 0;
    for (const struct wn_addrinfo *a = list; a != NULL && count < FETCH_ADDRESSES_MAX;
         a = a->ai_next) {
        if (a->ai_family == WN_AF_INET) {
            const struct wn_sockaddr_in *in = (const void *)a->ai_addr;
            uint8_t octets[4];
            memcpy(octets, &in->sin_addr, sizeof octets);
            out[count++] = address_v4((uint32_t)octets[0] << 24 | (uint32_t)octets[1] << 16 |
                                      (uint32_t)octets[2] << 8 | octets[3]);
        } else if (a->ai_family == WN_AF_INET6) {
            const struct wn_sockaddr_in6 *in = (const void *)a->ai_addr;
            memcpy(out[count++].octets, &in->sin6_addr, sizeof out->octets);
        }
    }
    return count;
}

/* Tells one that is over. False: all are under way. Who is told may begin and forget others. */
static bool tell_one(struct wn_http *http)
{
    for (struct list_node *n = http->questions.next; n != &http->questions; n = n->next) {
        struct question *q = CONTAINER_OF(n, struct question, node);
        struct wn_addrinfo *list = NULL;
        struct ip_address found[FETCH_ADDRESSES_MAX];
        int status = q->lookup != NULL ? wn_lookup_result(q->lookup, &list) : WN_EAI_INPROGRESS;
        if (status == WN_EAI_INPROGRESS)
            continue;
        struct fetch *fetch = q->fetch;
        const char *name = q->name;
        uint16_t port = q->port;
        q->lookup = NULL;
        drop(q);
        size_t count = status == 0 ? addresses_of(list, found) : 0;
        wn_freeaddrinfo(list);
        if (count > 0)
            answer(fetch, found, count, port);
        else
            answer_none(fetch, name, wn_gai_strerror(status));
        return true;
    }
    return false;
}

static void run_resolver(struct wn_http *http)
{
    usec due_at;
    do
        due_at = wn_resolver_run(http->resolver);
    while (tell_one(http));
    api_loop_wake(http->outer, http->resolver->stack);
    loop_set_alarm(http->loop, &http->resolver_alarm, due_at);
}

static void on_task(struct task *task)
{
    struct wn_http *http = CONTAINER_OF(task, struct wn_http, watcher.task);
    if (!list_empty(&http->questions))
        run_resolver(http);
}

static void on_alarm(struct alarm *alarm)
{
    run_resolver(CONTAINER_OF(alarm, struct wn_http, resolver_alarm));
}

static void ask_resolver(struct question *q, const char *name)
{
    const struct wn_addrinfo hints = {.ai_flags = WN_AI_ADDRCONFIG, .ai_socktype = WN_SOCK_STREAM};
    struct wn_http *http = q->http;
    struct fetch *fetch = q->fetch;
    int status = wn_lookup_start(http->resolver, name, NULL, &hints, &q->lookup);
    if (status == 0) {
        loop_queue(http->loop, &http->watcher.task);
        return;
    }
    drop(q);
    answer_none(fetch, name, wn_gai_strerror(status));
}

/* ---- for the fetcher ---- */

void http_find(void *self, struct fetch *fetch, const char *host, uint16_t port)
{
    struct wn_http *http = self;
    struct ip_address found[FETCH_ADDRESSES_MAX];
    size_t count = address_parse(bytes_of_text(host), &found[0]) ? 1
                                                                 : look_at_hosts(http, host, found);
    if (count > 0) {
        answer(fetch, found, count, port);
        return;
    }
    if (http->resolver == NULL && http->lookup == NULL) {
        answer_none(fetch, host, "the client has no resolver, and its hosts have no such name");
        return;
    }
    struct question *q = calloc(1, sizeof *q);
    if (q == NULL) {
        answer_none(fetch, host, "no memory to look for it");
        return;
    }
    q->http = http;
    q->fetch = fetch;
    q->name = host;
    q->port = port;
    list_append(&http->questions, &q->node);
    if (http->resolver != NULL)
        ask_resolver(q, host);
    else
        ask_host(q, host);
}

void http_find_forget(void *self, struct fetch *fetch)
{
    struct wn_http *http = self;
    for (struct list_node *n = http->questions.next; n != &http->questions; n = n->next) {
        struct question *q = CONTAINER_OF(n, struct question, node);
        if (q->fetch != fetch)
            continue;
        drop(q);
        return;
    }
}

int http_find_open(struct wn_http *http)
{
    task_init(&http->watcher.task, on_task);
    alarm_init(&http->resolver_alarm, on_alarm);
    if (http->resolver != NULL)
        return api_loop_watch(http->outer, http->resolver->stack, &http->watcher)
                   ? 0
                   : WN_HTTP_BAD_OPTION;
    if (http->stack != NULL)
        return 0;
    return host_lookup_new(http->loop, &http->lookup) == 0 ? 0 : WN_HTTP_NO_MEMORY;
}

void http_find_close(struct wn_http *http)
{
    while (!list_empty(&http->questions))
        drop(CONTAINER_OF(list_first(&http->questions), struct question, node));
    api_loop_unwatch(&http->watcher);
    if (http->resolver_alarm.on_due != NULL)
        loop_clear_alarm(http->loop, &http->resolver_alarm);
    host_lookup_free(http->lookup);
}
