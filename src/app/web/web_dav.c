/* SPDX-License-Identifier: ISC */
/*
 * web_dav.c - the methods of WebDAV: RFC 4918 §9, with §10 (Depth, Destination, If, Overwrite).
 *
 * What takes long is done by the thread aside, a piece at a time, and to its end even when the client has gone. A
 * copy is made under another name and takes its own when it is whole; what is removed or replaced gives up its name
 * at once. So nobody sees half of anything.
 *
 * DEVIATES RFC 4918 §9.6.1, §9.8.3: when a part of a folder cannot be copied, none is, and one status says so.
 */
#include "app/web/web_dav.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/web/web_tree.h"
#include "io/errand.h"
#include "wire/http/dav_if.h"
#include "wire/http/http_conditions.h"
#include "wire/http/uri_reference.h"

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

bool web_dav_reserved(struct bytes path)
{
    static const char *const ours[] = {"/" DAV_SIDECAR, "/" DAV_HIDDEN, "/.upload-"};
    for (size_t i = 0; i < path.len; i++)
        for (size_t k = 0; k < ARRAY_LEN(ours); k++)
            if (bytes_equal(bytes_first(bytes_after(path, i), strlen(ours[k])),
                            bytes_of_text(ours[k])))
                return true;
    return false;
}

/* ---- resources ---- */

void dav_resource_close(struct dav_resource *resource)
{
    if (resource->folder_fd >= 0)
        (void)close(resource->folder_fd);
    resource->folder_fd = -1;
}

static unsigned look(struct dav_resource *resource)
{
    const char *name = resource->name[0] != '\0' ? resource->name : ".";
    if (fstatat(resource->folder_fd, name, &resource->facts, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : 403;
    resource->exists = true;
    resource->is_folder = S_ISDIR(resource->facts.st_mode);
    return resource->is_folder || S_ISREG(resource->facts.st_mode) ? 0 : 403;
}

unsigned dav_resource_open(const struct web_place *place, struct bytes path,
                           struct dav_resource *out)
{
    char folder[WEB_PATH_MAX];
    out->folder_fd = -1;
    out->exists = out->is_folder = false;
    while (path.len > 1 && path.data[path.len - 1] == '/')
        path.len--;
    size_t slash = path.len - 1;
    while (path.data[slash] != '/')
        slash--;
    struct bytes name = bytes_after(path, slash + 1);
    if (path.len >= sizeof out->path || name.len > NAME_MAX)
        return 414;
    snprintf(out->path, sizeof out->path, "%.*s", (int)path.len, (const char *)path.data);
    snprintf(out->name, sizeof out->name, "%.*s", (int)name.len, (const char *)name.data);
    snprintf(folder, sizeof folder, "%.*s", slash > 0 ? (int)slash - 1 : 0, (const char *)path.data + 1);
    out->folder_fd = web_open_beneath(place->root_fd, place->rule->symlinks, folder,
                                      O_RDONLY | O_DIRECTORY);
    if (out->folder_fd < 0)
        return out->folder_fd == -EACCES ? 403 : 409;
    return look(out);
}

static unsigned status_of(int error)
{
    switch (error) {
    case 0:
        return 204;
    case ENOENT:
    case ENOTDIR:
        return 409;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return 507;
    case ENOMEM:
    case EMFILE:
    case ENFILE:
        return 503;
    case ENAMETOOLONG:
        return 414;
    case EACCES:
    case EPERM:
    case EROFS:
    case ELOOP:
    case EXDEV: /* SKIPS: a move to another file system; a client copies then */
        return 403;
    default:
        return 500;
    }
}

/* ---- conditions ---- */

/* A path of the same server, decoded; 0: it is none. */
static size_t local_path(const struct web_exchange *exchange, struct bytes uri,
                         char out[WEB_PATH_MAX])
{
    struct uri_parts parts;
    uri_split(uri, &parts);
    struct bytes host = http_field_value(&exchange->event->head.fields, "Host");
    if (parts.has_authority && !bytes_equal_nocase(parts.authority, host))
        return 0;
    if (parts.path.len == 0 || parts.path.len >= WEB_PATH_MAX || parts.path.data[0] != '/')
        return 0;
    return uri_path_decode(parts.path, out, WEB_PATH_MAX - 1);
}

/* Has the path that place, as the one that was asked for has it? */
static bool same_place(const struct web_exchange *exchange, struct bytes path)
{
    const struct web_place *place = web_rules_place(exchange->rules, exchange->site, path);
    return place == exchange->place;
}

struct asking {
    struct web_exchange *exchange;
    const struct dav_resource *resource;
};

/* A state token is that of a lock (§10.4.4). */
static bool holds(void *self, const struct dav_if_condition *condition)
{
    const struct asking *asking = self;
    const struct dav_resource *resource = asking->resource;
    char etag[WEB_ETAG_MAX];
    char path[WEB_PATH_MAX];
    struct dav_resource other = {.folder_fd = -1};
    bool good;
    if (condition->resource.len > 0) {
        size_t len = local_path(asking->exchange, condition->resource, path);
        if (len == 0 || !same_place(asking->exchange, bytes_of(path, len)) ||
            dav_resource_open(asking->exchange->place, bytes_of(path, len), &other) != 0)
            other.exists = false;
        resource = &other;
    }
    if (!condition->is_etag) {
        good = dav_lock_holds(asking->exchange, resource->path, condition->token);
    } else {
        good = resource->exists;
        if (good)
            web_etag_of(&resource->facts, etag);
        good = good && bytes_equal(condition->token, bytes_of_text(etag));
    }
    dav_resource_close(&other);
    return good;
}

/* 0 or 400, 412, 423. */
static unsigned check(struct web_exchange *exchange, const struct dav_resource *resource,
                      enum dav_touch touch)
{
    const struct http_fields *fields = &exchange->event->head.fields;
    char etag[WEB_ETAG_MAX] = "";
    struct asking asking = {exchange, resource};
    struct bytes value;
    if (resource->exists)
        web_etag_of(&resource->facts, etag);
    const struct http_representation there = {
        .exists = resource->exists,
        .etag = bytes_of_text(etag),
        .modified = resource->exists ? resource->facts.st_mtim.tv_sec : INT64_MIN,
    };
    unsigned status = http_conditions_check(fields, false, &there,
                                            loop_wall_seconds(net_loop(exchange->web->net)));
    if (status != 0)
        return status;
    if (!http_field_find(fields, "If", &value))
        return dav_lock_check(exchange, resource->path, touch);
    switch (dav_if_check(value, holds, &asking)) {
    case DAV_IF_HOLDS:
        return dav_lock_check(exchange, resource->path, touch);
    case DAV_IF_FAILS:
        return 412;
    case DAV_IF_MALFORMED:
        break;
    }
    return 400;
}

unsigned web_dav_check_put(struct web_exchange *exchange, struct bytes path)
{
    struct dav_resource resource;
    unsigned status = dav_resource_open(exchange->place, path, &resource);
    if (status == 0)
        status = check(exchange, &resource,
                       resource.exists ? DAV_TOUCH_CONTENT : DAV_TOUCH_MEMBER);
    else
        status = 0; /* it will be found by who looks at the rest */
    dav_resource_close(&resource);
    return status;
}

/* ---- what takes long ---- */

enum stage { STAGE_BEGIN, STAGE_COPY, STAGE_REMOVE };

struct job {
    struct errand errand;
    struct list_node node;         /* in web->dav_jobs */
    struct web *web;
    struct web_exchange *exchange; /* NULL: it has been answered, or has gone */
    enum method method;
    enum stage stage;
    bool shallow;
    bool overwrites;
    bool more;                     /* the stage goes on */
    int error;                     /* positive errno */
    struct web_tree *tree;
    struct dav_resource from, to;  /* `to` of COPY and MOVE */
    char root[WEB_PATH_MAX];       /* the directory that paths are below */
    char fresh[40];                /* the copy, until it is whole; in to.folder_fd */
    char old[40];                  /* what is to be removed; "" nothing */
};

static void job_free(struct job *job)
{
    list_remove(&job->node);
    web_tree_free(job->tree);
    dav_resource_close(&job->from);
    dav_resource_close(&job->to);
    job->web->dav_job_count--;
    free(job);
}

/* The folder that what is removed lies in. */
static int old_folder(const struct job *job)
{
    return job->method == DELETE ? job->from.folder_fd : job->to.folder_fd;
}

/* Gives up its name. 0 or a positive errno. */
static int put_aside(struct job *job, const struct dav_resource *resource)
{
    char sidecar[2 * NAME_MAX];
    if (renameat(resource->folder_fd, resource->name, resource->folder_fd, job->old) < 0)
        return errno;
    if (!resource->is_folder && dav_sidecar_name(resource, sidecar))
        (void)unlinkat(resource->folder_fd, sidecar, 0);
    return 0;
}

/* What was there goes aside, and comes back when the new one cannot take its place. */
static int take_place(struct job *job, int from_fd, const char *from)
{
    int error = job->to.exists ? put_aside(job, &job->to) : 0;
    if (!job->to.exists)
        job->old[0] = '\0';
    if (error == 0 &&
        renameat2(from_fd, from, job->to.folder_fd, job->to.name, RENAME_NOREPLACE) < 0) {
        error = errno;
        if (job->old[0] != '\0')
            (void)renameat(job->to.folder_fd, job->old, job->to.folder_fd, job->to.name);
        job->old[0] = '\0';
    }
    return error;
}

/* Properties of a file go with it; those of a folder lie in it. */
static void move_sidecar(struct job *job)
{
    char from[2 * NAME_MAX], to[2 * NAME_MAX];
    struct dav_resource target = job->to;
    target.is_folder = false;
    if (!job->from.is_folder && dav_sidecar_name(&job->from, from) && dav_sidecar_name(&target, to))
        (void)renameat(job->from.folder_fd, from, job->to.folder_fd, to);
}

static void copy_whole(int from_fd, const char *from, int to_fd, const char *to)
{
    struct web_tree *tree = web_tree_copy(from_fd, from, to_fd, to, false);
    while (tree != NULL && web_tree_step(tree) == 1)
        continue;
    web_tree_free(tree);
}

static void copy_sidecar(struct job *job)
{
    char from[2 * NAME_MAX], to[2 * NAME_MAX];
    struct dav_resource target = job->to;
    target.is_folder = job->from.is_folder;
    if ((!job->from.is_folder || job->shallow) && dav_sidecar_name(&job->from, from) &&
        dav_sidecar_name(&target, to))
        copy_whole(job->from.folder_fd, from, job->to.folder_fd, to);
}

static void begin_removal(struct job *job)
{
    job->stage = STAGE_REMOVE;
    job->more = false;
    web_tree_free(job->tree);
    job->tree = job->old[0] != '\0' ? web_tree_remove(old_folder(job), job->old) : NULL;
    job->more = job->tree != NULL;
}

static void begin_work(struct job *job)
{
    if (job->method == COPY) {
        job->stage = STAGE_COPY;
        job->tree = web_tree_copy(job->from.folder_fd, job->from.name, job->to.folder_fd,
                                  job->fresh, job->shallow);
        job->error = job->tree == NULL ? errno : 0;
        job->more = job->tree != NULL;
        return;
    }
    if (job->method == DELETE) {
        job->error = put_aside(job, &job->from);
    } else {
        job->error = take_place(job, job->from.folder_fd, job->from.name);
        if (job->error == 0)
            move_sidecar(job);
        (void)fsync(job->to.folder_fd);
    }
    (void)fsync(job->from.folder_fd);
    if (job->error == 0)
        begin_removal(job);
}

static void end_copy(struct job *job, int status)
{
    job->error = status < 0 ? -status : take_place(job, job->to.folder_fd, job->fresh);
    if (job->error == 0)
        copy_sidecar(job);
    else
        memcpy(job->old, job->fresh, sizeof job->old); /* what has been copied is removed */
    (void)fsync(job->to.folder_fd);
    begin_removal(job);
}

/* In the thread. */
static void run(struct errand *errand)
{
    struct job *job = CONTAINER_OF(errand, struct job, errand);
    job->more = false;
    if (job->stage == STAGE_BEGIN) {
        begin_work(job);
        return;
    }
    int status = web_tree_step(job->tree);
    job->more = status == 1;
    if (job->stage == STAGE_COPY && status != 1)
        end_copy(job, status);
}

static void answer(struct web_exchange *exchange, unsigned status)
{
    if (status == 204)
        web_reply(exchange, &(struct web_reply){.status = 204, .modified = INT64_MIN});
    else
        web_reply_error(exchange, status, status == 201 ? "It is here now." : NULL);
}

static void work_on(struct job *job);

/* On the loop. The answer is known when nothing is left to do but to remove. */
static void done(struct errand *errand)
{
    struct job *job = CONTAINER_OF(errand, struct job, errand);
    struct web_exchange *exchange = job->exchange;
    if (exchange != NULL && (job->error != 0 || job->stage == STAGE_REMOVE)) {
        unsigned status = status_of(job->error);
        if (status == 204 && job->method != DELETE && !job->to.exists)
            status = 201;
        job->exchange = NULL;
        exchange->service = NULL;
        exchange->work = NULL;
        if (job->error == 0 && job->method != COPY)
            dav_lock_forget(job->web, job->root, job->from.path);
        exchange->transport->wake(exchange);
        answer(exchange, status);
    }
    if (job->more && !job->web->dav_ending)
        work_on(job);
    else
        job_free(job);
}

static void on_gone(struct web_exchange *exchange)
{
    struct job *job = exchange->work;
    job->exchange = NULL; /* what has begun goes on */
}

static void on_body(struct web_exchange *exchange UNUSED, struct bytes data UNUSED) {}
static void on_body_over(struct web_exchange *exchange UNUSED) {}

static const struct web_service job_service = {on_body, on_body_over, on_body_over, on_gone};

static void work_on(struct job *job)
{
    if (errands_send(job->web->errands, &job->errand, run, done))
        return;
    struct web_exchange *exchange = job->exchange;
    job_free(job);
    if (exchange == NULL)
        return; /* a hidden name is left, of what was to be removed */
    exchange->service = NULL;
    exchange->work = NULL;
    const struct web_reply facts = {.retry_after = "5"};
    web_reply_error_with(exchange, 503, NULL, &facts);
}

static struct job *job_new(struct web_exchange *exchange, enum method method)
{
    struct web *web = exchange->web;
    struct prng *prng = loop_prng(net_loop(web->net));
    struct job *job = web->dav_job_count < DAV_REMOVALS_MAX ? calloc(1, sizeof *job) : NULL;
    if (job == NULL)
        return NULL;
    job->web = web;
    job->exchange = exchange;
    job->method = method;
    job->from.folder_fd = job->to.folder_fd = -1;
    snprintf(job->fresh, sizeof job->fresh, "%s%016llx", DAV_HIDDEN,
             (unsigned long long)prng_u64(prng));
    snprintf(job->old, sizeof job->old, "%s%016llx", DAV_HIDDEN, (unsigned long long)prng_u64(prng));
    snprintf(job->root, sizeof job->root, "%s", exchange->place->root_path);
    list_init(&job->node);
    web->dav_job_count++;
    return job;
}

/* ---- COPY, MOVE, DELETE ---- */

static bool is_below(const char *path, const char *folder)
{
    size_t len = strlen(folder);
    return strncmp(path, folder, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

/* §9.8, §9.9, §10.3: where to. 0 or a status. */
static unsigned find_target(struct web_exchange *exchange, struct job *job)
{
    const struct http_fields *fields = &exchange->event->head.fields;
    char path[WEB_PATH_MAX];
    struct bytes destination;
    if (!http_field_find(fields, "Destination", &destination))
        return 400;
    size_t len = local_path(exchange, destination, path);
    if (len == 0)
        return 502; /* §9.8.5: of another server, or no URI */
    struct bytes to = bytes_of(path, len);
    if (!same_place(exchange, to) || web_dav_reserved(to) ||
        (web_files_hidden(to) && !exchange->place->rule->hidden))
        return 403;
    unsigned status = dav_resource_open(exchange->place, to, &job->to);
    if (status != 0)
        return status;
    if (is_below(job->to.path, job->from.path) || is_below(job->from.path, job->to.path))
        return 403; /* onto itself, into itself, or over what it lies in */
    bool overwrite = !bytes_equal(http_field_value(fields, "Overwrite"), bytes_of_text("F"));
    if (job->to.exists && !overwrite)
        return 412;
    return dav_lock_check(exchange, job->to.path,
                          job->to.exists ? DAV_TOUCH_ALL : DAV_TOUCH_MEMBER);
}

/* Depth of COPY is 0 or infinity; that of MOVE and DELETE of folders infinity. 0 or 400. */
static unsigned check_depth(const struct web_exchange *exchange, struct job *job)
{
    struct bytes depth;
    if (!http_field_find(&exchange->event->head.fields, "Depth", &depth) ||
        bytes_equal_nocase(depth, bytes_of_text("infinity")))
        return 0;
    job->shallow = job->method == COPY && bytes_equal(depth, bytes_of_text("0"));
    return job->shallow || !job->from.is_folder ? 0 : 400;
}

/* What the location is about stays where it is. */
static bool is_top(const struct web_rule *rule, const struct dav_resource *resource)
{
    size_t len = rule->match == WEB_MATCH_ALL ? 0 : strlen(rule->pattern);
    if (len > 0 && rule->pattern[len - 1] == '/')
        len--;
    return resource->name[0] == '\0' ||
           (strlen(resource->path) == len && strncmp(resource->path, rule->pattern, len) == 0);
}

static void change(struct web_exchange *exchange, struct bytes path, enum method method)
{
    struct job *job = job_new(exchange, method);
    if (job == NULL) {
        web_reply_error(exchange, 503, NULL);
        return;
    }
    unsigned status = dav_resource_open(exchange->place, path, &job->from);
    if (status == 409 || (status == 0 && !job->from.exists))
        status = 404;
    if (status == 0 && is_top(exchange->place->rule, &job->from))
        status = 403;
    if (status == 0)
        status = check_depth(exchange, job);
    if (status == 0)
        status = check(exchange, &job->from, method == COPY ? DAV_TOUCH_NONE : DAV_TOUCH_ALL);
    if (status == 0 && method != DELETE)
        status = find_target(exchange, job);
    if (status != 0) {
        job_free(job);
        web_reply_error(exchange, status, NULL);
        return;
    }
    exchange->service = &job_service;
    exchange->work = job;
    list_append(&exchange->web->dav_jobs, &job->node);
    work_on(job);
}

/* ---- MKCOL ---- */

static void make_folder(struct web_exchange *exchange, struct bytes path)
{
    struct dav_resource resource;
    unsigned status = dav_resource_open(exchange->place, path, &resource);
    if (status == 0)
        status = check(exchange, &resource, DAV_TOUCH_MEMBER);
    if (status == 0 && exchange->event->framing.kind != HTTP_FRAMING_NONE &&
        exchange->event->framing.length > 0)
        status = 415; /* §9.3: no body has a meaning */
    if (status == 0 && resource.exists)
        status = 405;
    if (status == 0 && mkdirat(resource.folder_fd, resource.name, 0755) < 0)
        status = errno == EEXIST ? 405 : status_of(errno);
    else if (status == 0)
        (void)fsync(resource.folder_fd);
    dav_resource_close(&resource);
    if (status == 405)
        web_reply_method(exchange, DAV_METHODS);
    else
        answer(exchange, status != 0 ? status : 201);
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
    if (!body->write || body->exclusive == body->shared)
        status = 422;
    else if (dav_lock_excluded(exchange, resource->path, &wish))
        status = 423;
    if (status == 0 && !resource->exists) {
        int fd = openat(resource->folder_fd, resource->name,
                        O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
        status = fd < 0 ? status_of(errno) : 0;
        if (fd >= 0)
            (void)close(fd);
    }
    if (status != 0)
        web_reply_error(exchange, status, NULL);
    else
        dav_lock_make(exchange, resource->path, &wish, resource->exists ? 200 : 201);
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

static const struct web_service asked_service = {on_asked, on_asked_end, on_body_over,
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
    return check(exchange, &asked->resource, touch);
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
        if (!dav_locks_here(exchange->web))
            web_reply_method(exchange, DAV_METHODS);
        else if (method == LOCK)
            describe(exchange, path, method);
        else
            unlock(exchange, path);
        break;
    case MKCOL:
        make_folder(exchange, path);
        break;
    case DELETE:
    case COPY:
    case MOVE:
        change(exchange, path, method);
        break;
    case METHOD_COUNT:
        web_reply_method(exchange, DAV_METHODS);
        break;
    }
}
