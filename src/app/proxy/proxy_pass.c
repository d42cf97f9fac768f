/* SPDX-License-Identifier: ISC */
/* proxy_pass.c - an ask of the cache and a request to a server, for somebody who has the client. */
#include "app/proxy/proxy_pass.h"

#include <stdlib.h>

#include "app/proxy/proxy_internal.h"

struct proxy_pass {
    struct proxy_caller caller;
    struct task task;
    const struct proxy_pass_handler *handler;
    void *self;
    bool answered;
    bool content_whole;
};

static struct proxy_pass *pass_of(struct proxy_caller *caller)
{
    return CONTAINER_OF(caller, struct proxy_pass, caller);
}

/* ---- what the cache says ---- */

/* A request that waited for another one's answer goes for itself. */
static void start_job(struct proxy_pass *pass)
{
    struct proxy *proxy = pass->caller.proxy;
    struct http_cache_fill *fill = http_cache_ask_fill(&pass->caller.ask);
    struct proxy_job *job = proxy_job_new(proxy, fill, &pass->caller);
    if (job == NULL)
        return;
    proxy_job_describe(job, bytes_of_text("GET"), bytes_empty(), NULL);
    proxy_job_start(job);
}

static void look(struct proxy_pass *pass)
{
    struct proxy_caller *caller = &pass->caller;
    if (!caller->asked)
        return;
    switch (http_cache_verdict(&caller->ask)) {
    case HTTP_CACHE_WAIT:
        break;
    case HTTP_CACHE_FORWARD:
        if (http_cache_fill_owner(http_cache_ask_fill(&caller->ask)) == NULL)
            start_job(pass);
        break;
    case HTTP_CACHE_ANSWER:
        if (pass->answered) {
            pass->handler->on_octets(pass->self);
        } else {
            pass->answered = true;
            pass->handler->on_answer(pass->self);
        }
        break;
    case HTTP_CACHE_FAIL:
        pass->handler->on_failed(pass->self, 504, NULL);
        break;
    case HTTP_CACHE_REFUSED:
        pass->handler->on_failed(pass->self,
                                 caller->tried_status != 0 ? caller->tried_status : 502,
                                 caller->tried);
        break;
    }
}

static void on_task(struct task *task)
{
    look(CONTAINER_OF(task, struct proxy_pass, task));
}

static void on_wake(struct proxy_caller *caller)
{
    look(pass_of(caller));
}

static void on_room(struct proxy_caller *caller)
{
    struct proxy_pass *pass = pass_of(caller);
    if (!pass->content_whole)
        pass->handler->on_room(pass->self);
}

static void on_interim(struct proxy_caller *caller, const struct http_response_head *head)
{
    struct proxy_pass *pass = pass_of(caller);
    struct http_fields fields;
    if (pass->answered)
        return;
    proxy_request_fields(&head->fields, &fields);
    pass->handler->on_interim(pass->self, head->status, &fields);
}

static void on_switched(struct proxy_caller *caller, struct stream *stream,
                        const struct http_response_head *head)
{
    struct proxy_pass *pass = pass_of(caller);
    pass->answered = true;
    pass->handler->on_switched(pass->self, stream, &head->fields);
}

static void on_refused(struct proxy_caller *caller UNUSED)
{
    ASSERT(false); /* there are no tunnels here */
}

static const struct proxy_caller_ops ops = {.wake = on_wake,
                                            .room = on_room,
                                            .interim = on_interim,
                                            .switched = on_switched,
                                            .refused = on_refused};

/* ---- its life ---- */

/* Asks the cache, and if it says so a server. */
static void ask(struct proxy_pass *pass, const struct proxy_pass_request *from,
                const struct http_cache_request *request)
{
    struct proxy *proxy = pass->caller.proxy;
    struct proxy_caller *caller = &pass->caller;
    caller->asked = true;
    proxy->counters.requests++;
    http_cache_ask(proxy->cache, &caller->ask, request, proxy_time(proxy));
    struct http_cache_fill *fill = http_cache_ask_fill(&caller->ask);
    if (fill == NULL) {
        loop_queue(proxy->loop, &pass->task);
        proxy_stir(proxy);
        return;
    }
    struct proxy_job *job = proxy_job_new(proxy, fill, caller);
    if (job == NULL)
        return;
    const struct proxy_content content = {
        .has_body = from->has_body,
        .body_len = from->body_len,
        .upgrade = proxy_may_switch(from->upgrade) ? from->upgrade : bytes_empty(),
    };
    proxy_job_describe(job, from->method, from->uri, &content);
    proxy_job_start(job);
}

unsigned proxy_pass_new(struct proxy *proxy, const struct proxy_pass_request *from,
                        const struct proxy_pass_handler *handler, void *self,
                        struct proxy_pass **out)
{
    if (proxy_is_loop(proxy, from->fields))
        return 508;
    struct proxy_pass *pass = calloc(1, sizeof *pass);
    struct http_fields *fields = malloc(sizeof *fields);
    if (pass == NULL || fields == NULL) {
        free(pass);
        free(fields);
        return 503;
    }
    pass->handler = handler;
    pass->self = self;
    pass->content_whole = !from->has_body;
    pass->caller = (struct proxy_caller){.ops = &ops,
                                         .proxy = proxy,
                                         .peer = from->peer,
                                         .secured = from->secured,
                                         .old = from->old};
    task_init(&pass->task, on_task);
    proxy_request_fields(from->fields, fields);
    if (proxy->upstream != NULL && upstream_balance(proxy->upstream) == UPSTREAM_COOKIE)
        pass->caller.wished = proxy_request_wish(fields);
    bool get = bytes_equal(from->method, bytes_of_text("GET")) ||
               bytes_equal(from->method, bytes_of_text("HEAD"));
    const struct http_cache_request request = {
        .method = from->method,
        .uri = from->uri,
        .target = from->target,
        .fields = fields,
        .trusted = proxy_is_loopback(&from->peer.address),
        .alone = from->upgrade.len > 0 || (from->has_body && get),
    };
    *out = pass;
    ask(pass, from, &request);
    free(fields);
    return 0;
}

void proxy_pass_free(struct proxy_pass *pass)
{
    struct proxy_caller *caller = &pass->caller;
    proxy_caller_leave(caller, pass->content_whole);
    if (caller->asked)
        http_cache_ask_done(&caller->ask);
    proxy_stir(caller->proxy);
    loop_unqueue(&pass->task);
    free(caller->tried);
    free(pass);
}

/* ---- the request's content ---- */

size_t proxy_pass_body(struct proxy_pass *pass, struct bytes in)
{
    struct proxy_job *job = pass->caller.job;
    if (job == NULL)
        return in.len; /* answered early, or failed: nobody wants it any more */
    if (job->origin == NULL)
        return 0;
    in = bytes_first(in, proxy_origin_room(job->origin));
    if (in.len == 0)
        return 0;
    size_t taken = http_client_body(&job->origin->core, in);
    job->body_begun = true;
    proxy_origin_flush(job->origin);
    return taken;
}

bool proxy_pass_body_end(struct proxy_pass *pass)
{
    struct proxy_job *job = pass->caller.job;
    if (job == NULL) {
        pass->content_whole = true;
        return true;
    }
    if (job->origin == NULL || proxy_origin_room(job->origin) == 0 ||
        !http_client_body_end(&job->origin->core, bytes_empty()))
        return false;
    pass->content_whole = true;
    proxy_origin_flush(job->origin);
    return true;
}

/* ---- the answer ---- */

void proxy_pass_answer(struct proxy_pass *pass, struct proxy_pass_answer *out)
{
    struct proxy *proxy = pass->caller.proxy;
    struct http_cache_reply reply;
    _Static_assert(sizeof out->scratch >= HTTP_CACHE_SCRATCH, "reply_fields() needs it");
    struct writer scratch = writer_of(out->scratch, sizeof out->scratch);
    http_cache_reply(&pass->caller.ask, &reply);
    out->status = reply.status;
    out->length = reply.length == HTTP_CACHE_LENGTH_UNKNOWN ? UINT64_MAX : reply.length;
    out->has_body = reply.has_body;
    out->field_count =
        http_cache_reply_fields(&pass->caller.ask, proxy_time(proxy), &scratch, out->fields);
    _Static_assert(sizeof out->cookie >= PROXY_COOKIE_MAX, "reply_cookie() needs it");
    if (out->field_count < HTTP_FIELDS_MAX && proxy_reply_cookie(&pass->caller, out->cookie))
        out->fields[out->field_count++] =
            (struct http_field){bytes_of_text("Set-Cookie"), bytes_of_text(out->cookie)};
}

enum proxy_pass_read proxy_pass_read(const struct proxy_pass *pass, struct bytes *out)
{
    switch (http_cache_read(&pass->caller.ask, out)) {
    case HTTP_CACHE_OCTETS:
        return PROXY_PASS_OCTETS;
    case HTTP_CACHE_LATER:
        return PROXY_PASS_LATER;
    case HTTP_CACHE_END:
        return PROXY_PASS_END;
    case HTTP_CACHE_IN_FILE: /* such a proxy has no directory */
    case HTTP_CACHE_BROKEN:
        break;
    }
    return PROXY_PASS_BROKEN;
}

void proxy_pass_used(struct proxy_pass *pass, size_t len)
{
    http_cache_used(&pass->caller.ask, len);
    pass->caller.proxy->counters.octets_out += len;
    proxy_stir(pass->caller.proxy);
}

struct bytes proxy_pass_trailers(const struct proxy_pass *pass)
{
    return http_cache_trailers(&pass->caller.ask);
}
