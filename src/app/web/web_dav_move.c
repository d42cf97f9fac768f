/* SPDX-License-Identifier: ISC */
/*
 * web_dav_move.c - COPY, MOVE and DELETE (RFC 4918 §9.6, §9.8, §9.9).
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

enum stage { STAGE_BEGIN, STAGE_COPY, STAGE_REMOVE };

struct job {
    struct errand errand;
    struct list_node node;         /* in web->dav_jobs */
    struct web *web;
    struct web_exchange *exchange; /* NULL: it has been answered, or has gone */
    enum dav_move_kind kind;
    enum stage stage;
    bool shallow;
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
    return job->kind == DAV_DELETE ? job->from.folder_fd : job->to.folder_fd;
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
    if (job->kind == DAV_COPY) {
        job->stage = STAGE_COPY;
        job->tree = web_tree_copy(job->from.folder_fd, job->from.name, job->to.folder_fd,
                                  job->fresh, job->shallow);
        job->error = job->tree == NULL ? errno : 0;
        job->more = job->tree != NULL;
        return;
    }
    if (job->kind == DAV_DELETE) {
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

static void work_on(struct job *job);

/* On the loop. The answer is known when nothing is left to do but to remove. */
static void done(struct errand *errand)
{
    struct job *job = CONTAINER_OF(errand, struct job, errand);
    struct web_exchange *exchange = job->exchange;
    if (exchange != NULL && (job->error != 0 || job->stage == STAGE_REMOVE)) {
        unsigned status = dav_status_of(job->error);
        if (status == 204 && job->kind != DAV_DELETE && !job->to.exists)
            status = 201;
        job->exchange = NULL;
        exchange->service = NULL;
        exchange->work = NULL;
        if (job->error == 0 && job->kind != DAV_COPY)
            dav_lock_forget(job->web, job->root, job->from.path);
        exchange->transport->wake(exchange);
        dav_answer(exchange, status);
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

static struct job *job_new(struct web_exchange *exchange, enum dav_move_kind kind)
{
    struct web *web = exchange->web;
    struct prng *prng = loop_prng(net_loop(web->net));
    struct job *job = web->dav_job_count < DAV_REMOVALS_MAX ? calloc(1, sizeof *job) : NULL;
    if (job == NULL)
        return NULL;
    job->web = web;
    job->exchange = exchange;
    job->kind = kind;
    job->from.folder_fd = job->to.folder_fd = -1;
    snprintf(job->fresh, sizeof job->fresh, "%s%016llx", DAV_HIDDEN,
             (unsigned long long)prng_u64(prng));
    snprintf(job->old, sizeof job->old, "%s%016llx", DAV_HIDDEN, (unsigned long long)prng_u64(prng));
    snprintf(job->root, sizeof job->root, "%s", exchange->place->root_path);
    list_init(&job->node);
    web->dav_job_count++;
    return job;
}

/* ---- what is asked for ---- */

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
    size_t len = dav_local_path(exchange, destination, path);
    if (len == 0)
        return 502; /* §9.8.5: of another server, or no URI */
    struct bytes to = bytes_of(path, len);
    if (!dav_same_place(exchange, to) || web_dav_reserved(to) ||
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
    job->shallow = job->kind == DAV_COPY && bytes_equal(depth, bytes_of_text("0"));
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

void dav_move(struct web_exchange *exchange, struct bytes path, enum dav_move_kind kind)
{
    struct job *job = job_new(exchange, kind);
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
        status = dav_check(exchange, &job->from, kind == DAV_COPY ? DAV_TOUCH_NONE : DAV_TOUCH_ALL);
    if (status == 0 && kind != DAV_DELETE)
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
