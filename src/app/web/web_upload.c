/* SPDX-License-Identifier: ISC */
/*
 * web_upload.c - PUT and DELETE (RFC 9110 §9.3.4, §9.3.5). What is sent goes to a file of its own,
 * which takes the name's place when it is whole and on the disk; until then who reads sees the old.
 * The disk is waited for by a thread aside (io/errand.h): nobody else's request waits with us.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/web/web_exchange.h"
#include "wire/http/http_conditions.h"

struct web_upload {
    struct errand errand;
    struct web_exchange *exchange; /* while the disk is at work; NULL: nobody waits for it any more */
    bool at_work;
    bool deletes;
    unsigned status;               /* of the answer, if all goes well */
    int folder_fd;
    int fd;
    int error;      /* a positive errno: what has been sent is not all here */
    bool existed;
    bool conditional;
    struct stat before; /* when it existed */
    char name[NAME_MAX + 1];
    char temporary[40];
};

void web_upload_free(struct web_upload *upload)
{
    if (upload == NULL)
        return;
    if (upload->at_work) {
        upload->exchange = NULL; /* it frees itself */
        return;
    }
    if (upload->fd >= 0) {
        (void)close(upload->fd);
        (void)unlinkat(upload->folder_fd, upload->temporary, 0);
    }
    if (upload->folder_fd >= 0)
        (void)close(upload->folder_fd);
    free(upload);
}

/* The folder of the path, and the name in it. 0, or a status to refuse with. */
static unsigned open_folder(const struct web_exchange *exchange, struct bytes path,
                            struct web_upload *upload)
{
    char folder[WEB_PATH_MAX];
    size_t slash = path.len;
    while (slash > 0 && path.data[slash - 1] != '/')
        slash--;
    struct bytes name = bytes_after(path, slash);
    if (name.len == 0)
        return 409; /* a folder is not made by PUT */
    if (name.len > NAME_MAX || path.len >= sizeof folder)
        return 414;
    if (web_files_hidden(path) && !exchange->place->rule->hidden)
        return 403;
    snprintf(upload->name, sizeof upload->name, "%.*s", (int)name.len, (const char *)name.data);
    snprintf(folder, sizeof folder, "%.*s", (int)slash - 1, (const char *)path.data + 1);
    upload->folder_fd = web_open_beneath(exchange->place->root_fd, exchange->place->rule->symlinks,
                                         folder, O_RDONLY | O_DIRECTORY);
    if (upload->folder_fd >= 0)
        return 0;
    return upload->folder_fd == -EACCES ? 403 : 409;
}

/* What is there under the name. 0, or a status to refuse with. */
static unsigned look(struct web_upload *upload)
{
    if (fstatat(upload->folder_fd, upload->name, &upload->before, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : 403;
    upload->existed = true;
    if (S_ISREG(upload->before.st_mode))
        return 0;
    return S_ISDIR(upload->before.st_mode) ? 409 : 403;
}

static unsigned check_conditions(struct web_exchange *exchange, struct web_upload *upload)
{
    const struct http_fields *fields = &exchange->event->head.fields;
    char etag[WEB_ETAG_MAX] = "";
    if (upload->existed)
        web_etag_of(&upload->before, etag);
    const struct http_representation there = {
        .exists = upload->existed,
        .etag = bytes_of_text(etag),
        .modified = upload->existed ? upload->before.st_mtim.tv_sec : INT64_MIN,
    };
    upload->conditional = http_field_count(fields, "If-Match") > 0 ||
                          http_field_count(fields, "If-None-Match") > 0 ||
                          http_field_count(fields, "If-Unmodified-Since") > 0;
    return http_conditions_check(fields, false, &there,
                                 loop_wall_seconds(net_loop(exchange->web->net)));
}

/* All that PUT and DELETE have in common. NULL: it has been answered. */
static struct web_upload *begin(struct web_exchange *exchange, struct bytes path)
{
    struct web_upload *upload = calloc(1, sizeof *upload);
    if (upload == NULL) {
        web_reply_error(exchange, 503, NULL);
        return NULL;
    }
    upload->folder_fd = -1;
    upload->fd = -1;
    unsigned refusal = open_folder(exchange, path, upload);
    if (refusal == 0)
        refusal = look(upload);
    if (refusal == 0)
        refusal = check_conditions(exchange, upload);
    if (refusal == 0)
        return upload;
    web_upload_free(upload);
    web_reply_error(exchange, refusal, NULL);
    return NULL;
}

static int open_temporary(struct web_exchange *exchange, struct web_upload *upload)
{
    uint64_t random = prng_u64(loop_prng(net_loop(exchange->web->net)));
    snprintf(upload->temporary, sizeof upload->temporary, ".upload-%016llx",
             (unsigned long long)random);
    upload->fd = openat(upload->folder_fd, upload->temporary,
                        O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    return upload->fd < 0 ? errno : 0;
}

void web_upload_put(struct web_exchange *exchange, struct bytes path)
{
    const struct web_rule *rule = exchange->place->rule;
    /* A part is not to be taken for the whole (§14.5). */
    if (http_field_count(&exchange->event->head.fields, "Content-Range") > 0) {
        web_reply_error(exchange, 400, "A part cannot be put: send the whole.");
        return;
    }
    struct web_upload *upload = begin(exchange, path);
    if (upload == NULL)
        return;
    int error = open_temporary(exchange, upload);
    if (error != 0) {
        web_upload_free(upload);
        web_files_error(exchange, error == ENOENT ? EIO : error);
        return;
    }
    exchange->upload = upload;
    uint64_t max = rule->body_max > 0 ? rule->body_max : WEB_BODY_DEFAULT;
    if (exchange->transport->accept_body(exchange, max))
        return;
    web_upload_free(upload);
    exchange->upload = NULL;
}

void web_upload_body(struct web_exchange *exchange, struct bytes data)
{
    struct web_upload *upload = exchange->upload;
    if (upload->error != 0)
        return;
    while (data.len > 0) {
        ssize_t wrote = write(upload->fd, data.data, data.len);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0) {
            upload->error = wrote < 0 ? errno : EIO;
            return;
        }
        data = bytes_after(data, (size_t)wrote);
    }
}

/* Another may have come in between whom the condition did not know. */
static bool is_as_before(const struct web_upload *upload)
{
    struct stat now;
    bool there = fstatat(upload->folder_fd, upload->name, &now, AT_SYMLINK_NOFOLLOW) == 0;
    if (!there || !upload->existed)
        return there == upload->existed;
    return now.st_ino == upload->before.st_ino && now.st_size == upload->before.st_size &&
           now.st_mtim.tv_sec == upload->before.st_mtim.tv_sec &&
           now.st_mtim.tv_nsec == upload->before.st_mtim.tv_nsec;
}

/* A positive errno, or 0. */
static int put_in_place(struct web_upload *upload)
{
    if (fsync(upload->fd) < 0)
        return errno;
    if (upload->conditional && !is_as_before(upload)) {
        upload->status = 412;
        return 0;
    }
    if (renameat(upload->folder_fd, upload->temporary, upload->folder_fd, upload->name) < 0)
        return errno;
    (void)close(upload->fd);
    upload->fd = -1;
    return fsync(upload->folder_fd) < 0 ? errno : 0;
}

static int take_away(struct web_upload *upload)
{
    if (!upload->existed)
        return ENOENT;
    if (unlinkat(upload->folder_fd, upload->name, 0) < 0)
        return errno;
    return fsync(upload->folder_fd) < 0 ? errno : 0;
}

static void answer(struct web_exchange *exchange, unsigned status, int error)
{
    web_cache_distrust(&exchange->web->cache);
    if (error != 0)
        web_files_error(exchange, error);
    else if (status == 204)
        web_reply(exchange, &(struct web_reply){.status = 204, .modified = INT64_MIN});
    else
        web_reply_error(exchange, status, status == 201 ? "It is here now." : NULL);
}

/* In another thread. */
static void on_disk(struct errand *errand)
{
    struct web_upload *upload = CONTAINER_OF(errand, struct web_upload, errand);
    upload->error = upload->deletes ? take_away(upload) : put_in_place(upload);
}

static void on_done(struct errand *errand)
{
    struct web_upload *upload = CONTAINER_OF(errand, struct web_upload, errand);
    struct web_exchange *exchange = upload->exchange;
    unsigned status = upload->status;
    int error = upload->error;
    upload->at_work = false;
    web_upload_free(upload);
    if (exchange == NULL)
        return; /* the client is gone; what it has sent is there all the same */
    exchange->upload = NULL;
    exchange->transport->wake(exchange);
    answer(exchange, status, error);
}

/* Has the disk do what is to be done. When it is busy with many we wait ourselves. */
static void finish(struct web_exchange *exchange, struct web_upload *upload)
{
    struct web *web = exchange->web;
    upload->exchange = exchange;
    if (upload->error == 0 && web->errands != NULL &&
        errands_send(web->errands, &upload->errand, on_disk, on_done)) {
        upload->at_work = true;
        return;
    }
    if (upload->error == 0)
        on_disk(&upload->errand);
    unsigned status = upload->status;
    int error = upload->error;
    exchange->upload = NULL;
    web_upload_free(upload);
    answer(exchange, status, error);
}

void web_upload_end(struct web_exchange *exchange)
{
    struct web_upload *upload = exchange->upload;
    upload->status = upload->existed ? 204 : 201;
    finish(exchange, upload);
}

void web_upload_delete(struct web_exchange *exchange, struct bytes path)
{
    struct web_upload *upload = begin(exchange, path);
    if (upload == NULL)
        return;
    upload->deletes = true;
    upload->status = 204;
    exchange->upload = upload;
    finish(exchange, upload);
}
