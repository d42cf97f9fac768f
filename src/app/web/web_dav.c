/* SPDX-License-Identifier: ISC */
/* web_dav.c - the methods of WebDAV: RFC 4918 §9, with Depth (§10.2). */
#include "app/web/web_dav.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum method { PROPFIND, PROPPATCH, MKCOL, DELETE, COPY, MOVE, LOCK, UNLOCK, METHOD_COUNT };

static const char *const methods[METHOD_COUNT] = {
    [PROPFIND] = "PROPFIND", [PROPPATCH] = "PROPPATCH", [MKCOL] = "MKCOL",
    [DELETE] = "DELETE",     [COPY] = "COPY",           [MOVE] = "MOVE",
    [LOCK] = "LOCK",         [UNLOCK] = "UNLOCK",
};

static enum method method_of(const char *name)
{
    size_t i = 0;
    while (i < METHOD_COUNT && strcmp(methods[i], name) != 0)
        i++;
    return (enum method)i;
}

bool web_dav_has(const char *method)
{
    return method_of(method) != METHOD_COUNT;
}

void dav_answer(struct web_exchange *exchange, unsigned status)
{
    if (status == 204)
        web_reply(exchange, &(struct web_reply){.status = 204, .modified = INT64_MIN});
    else
        web_reply_error(exchange, status, status == 201 ? "It is here now." : NULL);
}

/* ---- MKCOL ---- */

static void make_folder(struct web_exchange *exchange, struct bytes path)
{
    struct dav_resource resource;
    unsigned status = dav_resource_open(exchange->place, path, &resource);
    if (status == 0)
        status = dav_check(exchange, &resource, DAV_TOUCH_MEMBER);
    if (status == 0 && exchange->event->framing.kind != HTTP_FRAMING_NONE &&
        exchange->event->framing.length > 0)
        status = 415; /* §9.3: no body has a meaning */
    if (status == 0 && resource.exists)
        status = 405;
    if (status == 0 && mkdirat(resource.folder_fd, resource.name, 0755) < 0)
        status = errno == EEXIST ? 405 : dav_status_of(errno);
    else if (status == 0)
        (void)fsync(resource.folder_fd);
    dav_resource_close(&resource);
    if (status == 405)
        web_reply_method(exchange, DAV_METHODS);
    else
        dav_answer(exchange, status != 0 ? status : 201);
}

/* ---- PROPFIND, PROPPATCH, LOCK ---- */

struct asked {
    enum method method;
    bool deep;      /* PROPFIND: its members, too; LOCK: all below */
    usec timeout;   /* LOCK */
    struct dav_resource resource;
    struct web_flow body;
};

static void asked_free(struct asked *asked)
{
    dav_resource_close(&asked->resource);
    web_flow_done(&asked->body);
    free(asked);
}

static void on_asked(struct web_exchange *exchange, struct bytes data)
{
    struct asked *asked = exchange->work;
    if (!web_flow_add(&asked->body, data))
        asked->body.failed = true;
}

/* §9.10.4: what is not there is made, without content. */
static void lock(struct web_exchange *exchange, struct asked *asked, const struct dav_body *body)
{
    struct dav_resource *resource = &asked->resource;
    const struct dav_wish wish = {
        .exclusive = body->exclusive,
        .deep = asked->deep,
        .timeout = asked->timeout,
        .owner = body->count > 0 ? body->props[0].value : "",
    };
    unsigned status = 0;
    bool made = false;
    if (!body->write || body->exclusive == body->shared)
        status = 422;
    else if (dav_lock_excluded(exchange, resource->path, &wish))
        status = 423;
    if (status == 0 && !resource->exists) {
        int fd = openat(resource->folder_fd, resource->name,
                        O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
        made = fd >= 0;
        if (made)
            (void)close(fd);
        else if (errno != EEXIST) /* another worker has made it meanwhile */
            status = dav_status_of(errno);
    }
    if (status != 0)
        web_reply_error(exchange, status, NULL);
    else
        dav_lock_make(exchange, resource->path, &wish, made ? 201 : 200);
}

static void on_asked_end(struct web_exchange *exchange)
{
    static const enum dav_body_kind kinds[] = {
        [PROPFIND] = DAV_BODY_FIND, [PROPPATCH] = DAV_BODY_PATCH, [LOCK] = DAV_BODY_LOCK};
    struct asked *asked = exchange->work;
    struct dav_body *body = malloc(sizeof *body);
    exchange->service = NULL;
    exchange->work = NULL;
    unsigned status = 503;
    if (body != NULL)
        status = dav_body_parse(web_flow_bytes(&asked->body), kinds[asked->method], body);
    if (status != 0 || asked->body.failed)
        web_reply_error(exchange, status != 0 ? status : 503, NULL);
    else if (asked->method == LOCK)
        lock(exchange, asked, body);
    else if (asked->method == PROPPATCH)
        dav_patch(exchange, &asked->resource, body);
    else
        dav_find(exchange, &asked->resource, body, asked->deep);
    if (body != NULL)
        dav_body_done(body);
    free(body);
    asked_free(asked);
}

static void on_asked_gone(struct web_exchange *exchange)
{
    asked_free(exchange->work);
}

static void on_asked_failed(struct web_exchange *exchange UNUSED) {}

static const struct web_service asked_service = {on_asked, on_asked_end, on_asked_failed,
                                                 on_asked_gone};

/* No Depth is infinity (§9.1, §9.10.3), which PROPFIND does not answer (§9.1.1). 0 or a status. */
static unsigned take_depth(const struct web_exchange *exchange, struct asked *asked)
{
    struct bytes depth;
    bool find = asked->method == PROPFIND;
    if (asked->method == PROPPATCH)
        return 0;
    if (!http_field_find(&exchange->event->head.fields, "Depth", &depth) ||
        bytes_equal_nocase(depth, bytes_of_text("infinity"))) {
        asked->deep = true;
        return find ? 403 : 0;
    }
    asked->deep = find && bytes_equal(depth, bytes_of_text("1"));
    return asked->deep || bytes_equal(depth, bytes_of_text("0")) ? 0 : 400;
}

static unsigned open_asked(struct web_exchange *exchange, struct bytes path, struct asked *asked)
{
    unsigned status = dav_resource_open(exchange->place, path, &asked->resource);
    bool there = asked->resource.exists;
    if (asked->method != LOCK && (status == 409 || (status == 0 && !there)))
        return 404;
    if (status != 0)
        return status;
    enum dav_touch touch = asked->method == PROPPATCH            ? DAV_TOUCH_CONTENT
                           : asked->method == LOCK && !there ? DAV_TOUCH_MEMBER
                                                                 : DAV_TOUCH_NONE;
    return dav_check(exchange, &asked->resource, touch);
}

static void describe(struct web_exchange *exchange, struct bytes path, enum method method)
{
    bool has_body = exchange->event->framing.kind != HTTP_FRAMING_NONE;
    struct asked *asked = calloc(1, sizeof *asked);
    if (asked == NULL) {
        web_reply_error(exchange, 503, NULL);
        return;
    }
    asked->method = method;
    asked->timeout =
        dav_lock_timeout(http_field_value(&exchange->event->head.fields, "Timeout"));
    unsigned status = open_asked(exchange, path, asked);
    unsigned depth = status == 0 ? take_depth(exchange, asked) : 0;
    if (status != 0 || depth != 0) {
        asked_free(asked);
        if (depth == 403)
            dav_refuse(exchange, 403, "propfind-finite-depth");
        else
            web_reply_error(exchange, status != 0 ? status : depth, NULL);
        return;
    }
    if (method == LOCK && !has_body) {
        dav_lock_refresh(exchange, asked->resource.path, asked->timeout);
        asked_free(asked);
        return;
    }
    exchange->work = asked;
    exchange->service = &asked_service;
    if (!has_body) {
        on_asked_end(exchange);
    } else if (!exchange->transport->accept_body(exchange, DAV_BODY_MAX)) {
        exchange->service = NULL;
        exchange->work = NULL;
        asked_free(asked);
    }
}

static void unlock(struct web_exchange *exchange, struct bytes path)
{
    struct dav_resource resource;
    unsigned status = dav_resource_open(exchange->place, path, &resource);
    if (status == 409 || (status == 0 && !resource.exists))
        status = 404;
    if (status == 0)
        dav_unlock(exchange, resource.path);
    else
        web_reply_error(exchange, status, NULL);
    dav_resource_close(&resource);
}

void web_dav_request(struct web_exchange *exchange, struct bytes path)
{
    enum method method = method_of(exchange->method);
    if (web_dav_reserved(path) || (web_files_hidden(path) && !exchange->place->rule->hidden)) {
        web_reply_error(exchange, method == PROPFIND ? 404 : 403, NULL);
        return;
    }
    switch (method) {
    case PROPFIND:
    case PROPPATCH:
        describe(exchange, path, method);
        break;
    case LOCK:
    case UNLOCK:
        if (method == LOCK)
            describe(exchange, path, method);
        else
            unlock(exchange, path);
        break;
    case MKCOL:
        make_folder(exchange, path);
        break;
    case COPY:
        dav_move(exchange, path, DAV_COPY);
        break;
    case MOVE:
        dav_move(exchange, path, DAV_MOVE);
        break;
    case DELETE:
        dav_move(exchange, path, DAV_DELETE);
        break;
    case METHOD_COUNT:
        web_reply_method(exchange, DAV_METHODS);
        break;
    }
}
