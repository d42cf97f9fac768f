/* SPDX-License-Identifier: ISC */
/*
 * web_files.c - files and folders below a root. The kernel resolves every path with RESOLVE_BENEATH:
 * neither ".." nor a symbolic link leads out of the root. Names that begin with a dot are not there,
 * but for /.well-known/ (RFC 8615).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/web/web_compress.h"
#include "app/web/web_exchange.h"
#include "app/web/web_types.h"

void web_files_error(struct web_exchange *exchange, int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
    case EXDEV:
    case ENAMETOOLONG:
    case ENXIO:
        web_reply_error(exchange, 404, NULL);
        break;
    case EACCES:
    case EPERM:
        web_reply_error(exchange, 403, NULL);
        break;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        web_reply_error(exchange, 507, NULL);
        break;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
        web_reply_error(exchange, 503, NULL);
        break;
    default:
        web_reply_error(exchange, 500, NULL);
        break;
    }
}

bool web_files_hidden(struct bytes path)
{
    static const char well_known[] = "/.well-known/";
    size_t skip = strlen(well_known);
    if (path.len >= skip && memcmp(path.data, well_known, skip) == 0)
        path = bytes_after(path, skip - 1);
    for (size_t i = 0; i + 1 < path.len; i++)
        if (path.data[i] == '/' && path.data[i + 1] == '.')
            return true;
    return false;
}

/* ---- files ---- */

/* The type by the rule's own list, else by the table. */
static const char *type_of(const struct web_rule *rule, const struct web_file *file)
{
    struct bytes path = bytes_of_text(file->path);
    for (uint32_t i = 0; i < rule->type_count; i++) {
        struct bytes line = bytes_of_text(rule->types[i]);
        struct bytes ending = bytes_first(line, bytes_find(line, ' '));
        if (path.len > ending.len && path.data[path.len - ending.len - 1] == '.' &&
            bytes_equal_nocase(bytes_after(path, path.len - ending.len), ending))
            return rule->types[i] + ending.len + 1;
    }
    return file->type;
}

/* The body of a file in the form that is wanted; takes the file. */
static struct web_body body_of(struct web_file *file, const struct web_form *form)
{
    struct web_body body = {.kind = WEB_BODY_FILE, .file = file, .len = file->size};
    if (form != NULL)
        body = (struct web_body){.kind = WEB_BODY_MEMORY,
                                 .data = bytes_of(form->data, form->len),
                                 .len = form->len,
                                 .file = file};
    return body;
}

static void reply_with(struct web_exchange *exchange, struct web_file *file, unsigned status,
                       struct web_reply *reply, enum web_coding coding)
{
    const struct web_form *form = web_file_form(file, coding);
    if (form == NULL && coding != WEB_IDENTITY) {
        coding = WEB_IDENTITY; /* it would be no smaller */
        form = web_file_form(file, coding);
    }
    reply->status = status;
    if (coding != WEB_IDENTITY)
        reply->encoding = web_coding_names[coding];
    reply->etag = web_file_etag(file, coding);
    reply->modified = file->modified;
    reply->body = body_of(file, form);
    if (status == 200)
        web_reply_entity(exchange, &exchange->event->head, reply);
    else
        web_reply(exchange, reply);
}

/* "name.br" or "name.gz" beside the file, when it is not older; takes its place. */
static enum web_coding find_precompressed(struct web_exchange *exchange, struct web_file **file,
                                          enum web_coding coding)
{
    static const char *const endings[WEB_CODING_COUNT] = {"", ".gz", ".br"};
    char path[WEB_PATH_MAX + 4];
    struct web_file *found;
    int folder;
    if (coding == WEB_IDENTITY || !exchange->place->rule->precompressed)
        return WEB_IDENTITY;
    int len = snprintf(path, sizeof path, "%s%s", (*file)->path, endings[coding]);
    if (len < 0 || (size_t)len >= sizeof path)
        return WEB_IDENTITY;
    int status = web_files_open(exchange, path, &found, &folder);
    if (status == 1)
        (void)close(folder);
    if (status != 0)
        return WEB_IDENTITY;
    if (found->modified < (*file)->modified) {
        web_file_release(found);
        return WEB_IDENTITY;
    }
    web_file_release(*file);
    *file = found;
    return coding;
}

static void reply_file(struct web_exchange *exchange, struct web_file *file, unsigned status)
{
    const struct web_rule *rule = exchange->place->rule;
    const struct http_fields *fields = &exchange->event->head.fields;
    struct web_reply reply = {.type = type_of(rule, file), .modified = INT64_MIN};
    bool coded = (!rule->compress_off || rule->precompressed) && web_type_compresses(reply.type);
    enum web_coding coding = WEB_IDENTITY;
    if (coded) {
        struct bytes accept = http_field_value(fields, "Accept-Encoding");
        coding = web_choose_coding(http_field_count(fields, "Accept-Encoding") > 0, accept, true);
        reply.vary = "Accept-Encoding";
    }
    if (coding == WEB_CODING_COUNT)
        coding = WEB_IDENTITY; /* better than 406 for who wants no form at all (§12.5.3) */
    enum web_coding beside = find_precompressed(exchange, &file, coding);
    if (beside != WEB_IDENTITY) {
        reply.encoding = web_coding_names[beside];
        coding = WEB_IDENTITY;
    } else if (rule->compress_off) {
        coding = WEB_IDENTITY;
    }
    reply_with(exchange, file, status, &reply, coding);
}

int web_files_open(struct web_exchange *exchange, const char *path, struct web_file **out,
                   int *folder)
{
    struct loop *loop = net_loop(exchange->web->net);
    const struct web_lookup lookup = {
        .root_fd = exchange->place->root_fd,
        .symlinks = exchange->place->rule->symlinks,
        .path = path,
        .now = loop_now(loop),
        .wall = loop_wall_seconds(loop),
    };
    return web_cache_open(&exchange->web->cache, &lookup, out, folder);
}

bool web_files_error_page(struct web_exchange *exchange, unsigned status, const char *path)
{
    struct web_file *file;
    int folder;
    if (exchange->event == NULL || exchange->place->root_fd < 0 ||
        web_site_is_program(exchange, bytes_of_text(path)))
        return false;
    int result = web_files_open(exchange, path + (path[0] == '/'), &file, &folder);
    if (result == 1)
        (void)close(folder);
    if (result != 0)
        return false;
    reply_file(exchange, file, status);
    return true;
}

/* "/folder" -> "/folder/", so that relative links of its index lead into it. */
static void redirect_to_folder(struct web_exchange *exchange, struct bytes path)
{
    char location[3 * WEB_PATH_MAX];
    size_t len = uri_path_encode(path, location, sizeof location);
    struct bytes query = exchange->event->target.query;
    if (len == 0 || len + query.len + 3 > sizeof location) {
        web_reply_error(exchange, 414, NULL);
        return;
    }
    location[len++] = '/';
    if (exchange->event->target.has_query) {
        location[len++] = '?';
        memcpy(location + len, query.data, query.len);
        len += query.len;
    }
    location[len] = '\0';
    web_reply(exchange, &(struct web_reply){
                           .status = 301, .location = location, .modified = INT64_MIN});
}

/* ---- folders ---- */

/* True: an index has answered. */
static bool reply_index(struct web_exchange *exchange, struct bytes path)
{
    const struct web_rule *rule = exchange->place->rule;
    uint32_t count = rule->index_count > 0 ? rule->index_count : 1;
    for (uint32_t i = 0; i < count; i++) {
        char name[WEB_PATH_MAX + sizeof rule->indexes[0]];
        struct web_file *file;
        int folder;
        snprintf(name, sizeof name, "%.*s%s", (int)path.len, (const char *)path.data,
                 rule->index_count > 0 ? rule->indexes[i] : "index.html");
        int status = web_files_open(exchange, name + 1, &file, &folder);
        if (status == 1)
            (void)close(folder);
        if (status == 0 && web_site_is_program(exchange, bytes_of_text(name))) {
            web_file_release(file);
            web_site_index(exchange, bytes_of_text(name));
            return true;
        }
        if (status == 0) {
            reply_file(exchange, file, 200);
            return true;
        }
    }
    return false;
}

static void reply_folder(struct web_exchange *exchange, int fd, struct bytes path)
{
    bool redirect = path.data[path.len - 1] != '/';
    if (redirect) {
        (void)close(fd);
        redirect_to_folder(exchange, path);
    } else if (reply_index(exchange, path)) {
        (void)close(fd);
    } else if (exchange->place->rule->listing_off) {
        (void)close(fd);
        web_reply_error(exchange, 403, "This folder is not listed.");
    } else {
        web_list_reply(exchange, fd, path, exchange->event->target.query);
    }
}

void web_files_request(struct web_exchange *exchange, struct bytes path)
{
    char name[WEB_PATH_MAX];
    struct web_file *file;
    int folder;
    if (path.len >= sizeof name ||
        (web_files_hidden(path) && !exchange->place->rule->hidden)) {
        web_files_error(exchange, ENOENT);
        return;
    }
    memcpy(name, path.data, path.len);
    name[path.len] = '\0';
    int status = web_files_open(exchange, name + 1, &file, &folder);
    if (status < 0)
        web_files_error(exchange, -status);
    else if (status == 1)
        reply_folder(exchange, folder, path);
    else
        reply_file(exchange, file, 200);
}
