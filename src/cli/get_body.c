/* SPDX-License-Identifier: ISC */
/*
 * get_body.c - what a request carries: data of a form (URL standard, application/x-www-form-urlencoded),
 * parts of one (RFC 7578), or a file.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/get.h"
#include "os/entropy.h"
#include "os/file.h"

static bool refuse(struct text *error, const char *what, int status)
{
    text_add_format(error, "%s: %s", what, strerror(-status));
    return false;
}

/* ---- -d ---- */

/* All of standard input. 0 or a negative errno. */
static int read_input(char **out, size_t *out_len)
{
    size_t size = 64 * 1024;
    char *all = malloc(size);
    *out_len = 0;
    while (all != NULL) {
        ssize_t got = read(STDIN_FILENO, all + *out_len, size - *out_len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            int status = got < 0 ? -errno : 0;
            *out = all;
            return status;
        }
        *out_len += (size_t)got;
        if (*out_len < size)
            continue;
        char *more = size < GET_BODY_MAX ? realloc(all, 2 * size) : NULL;
        if (more == NULL) {
            free(all);
            return size < GET_BODY_MAX ? -ENOMEM : -EFBIG;
        }
        all = more;
        size *= 2;
    }
    return -ENOMEM;
}

static bool read_whole(const char *path, char **out, size_t *out_len, struct text *error)
{
    int status = strcmp(path, "-") == 0 ? read_input(out, out_len)
                                        : file_read(path, GET_BODY_MAX, out, out_len);
    return status == 0 || refuse(error, path, status);
}

/* Several are joined by "&". */
static bool append(struct get_body *b, struct bytes more, struct text *error)
{
    bool joined = b->data_len > 0;
    char *data = realloc(b->data, b->data_len + joined + more.len + 1);
    if (b->data_len + more.len > GET_BODY_MAX || data == NULL) {
        text_add(error, "more than 1 GiB, or no memory for it; -T sends a file of any size");
        return false;
    }
    b->data = data;
    if (joined)
        data[b->data_len++] = '&';
    memcpy(data + b->data_len, more.data, more.len);
    b->data_len += more.len;
    b->type = "application/x-www-form-urlencoded";
    return true;
}

/* As text files have it: line ends are not sent (curl's rule, which is what people expect of @). */
static size_t drop_line_ends(char *text, size_t len)
{
    size_t out = 0;
    for (size_t i = 0; i < len; i++)
        if (text[i] != '\r' && text[i] != '\n')
            text[out++] = text[i];
    return out;
}

static bool add_file(struct get_body *b, const char *path, bool text, struct text *error)
{
    char *content;
    size_t len;
    if (!read_whole(path, &content, &len, error))
        return false;
    bool good = append(b, bytes_of(content, text ? drop_line_ends(content, len) : len), error);
    free(content);
    return good;
}

bool get_body_add_data(struct get_body *b, const char *value, struct text *error)
{
    if (value[0] == '@')
        return add_file(b, value + 1, true, error);
    return append(b, bytes_of_text(value), error);
}

bool get_body_add_raw(struct get_body *b, const char *value, struct text *error)
{
    if (value[0] == '@')
        return add_file(b, value + 1, false, error);
    return append(b, bytes_of_text(value), error);
}

/* "name=text", "text" or "name@file": what is behind is encoded. */
bool get_body_add_encoded(struct get_body *b, const char *value, struct text *error)
{
    const char *mark = strpbrk(value, "=@");
    struct bytes name = mark != NULL ? bytes_of(value, (size_t)(mark - value)) : bytes_empty();
    char *content = NULL;
    struct bytes text = bytes_of_text(mark != NULL ? mark + 1 : value);
    size_t len;
    if (mark != NULL && *mark == '@') {
        if (!read_whole(mark + 1, &content, &len, error))
            return false;
        text = bytes_of(content, len);
    }
    size_t size = name.len + 3 * text.len + 2;
    char *encoded = malloc(size);
    bool good = encoded != NULL;
    if (good) {
        struct text t = text_of(encoded, size);
        text_add_bytes(&t, name);
        text_add(&t, name.len > 0 ? "=" : "");
        url_encode(text, &t);
        good = append(b, text_bytes(&t), error);
    } else {
        text_add(error, "no memory");
    }
    free(encoded);
    free(content);
    return good;
}

/* ---- files ---- */

/* Opens it and learns its length; UINT64_MAX: it has none that could be told. */
static bool open_file(const char *path, int *fd, uint64_t *len, struct text *error)
{
    struct stat facts;
    *fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0 || fstat(*fd, &facts) < 0)
        return refuse(error, path, -errno);
    if (S_ISDIR(facts.st_mode)) {
        (void)close(*fd);
        return refuse(error, path, -EISDIR);
    }
    *len = S_ISREG(facts.st_mode) ? (uint64_t)facts.st_size : UINT64_MAX;
    return true;
}

bool get_body_set_file(struct get_body *b, const char *path, struct text *error)
{
    struct get_part part = {.text = bytes_empty(), .name = path};
    if (!open_file(path, &part.fd, &part.len, error))
        return false;
    b->unknown_len = part.len == UINT64_MAX;
    b->parts[b->count++] = part;
    return true;
}

/* ---- -F ---- */

static bool add_text(struct get_body *b, char *owned, size_t len, struct text *error)
{
    if (owned == NULL || b->count == GET_PARTS_MAX) {
        text_add(error, owned == NULL ? "no memory" : "expected at most 64 parts");
        free(owned);
        return false;
    }
    b->parts[b->count++] =
        (struct get_part){.text = bytes_of(owned, len), .owned = owned, .fd = -1, .len = len};
    return true;
}

static void make_boundary(struct get_body *b)
{
    uint8_t random[12] = {0};
    if (entropy_fill(random, sizeof random) != 0)
        memset(random, 0, sizeof random); /* a boundary, too */
    struct text t = text_of(b->boundary, sizeof b->boundary);
    text_add(&t, "wholenet-");
    for (size_t i = 0; i < sizeof random; i++)
        text_add_format(&t, "%02x", random[i]);
}

/* RFC 7578 §4.2, as browsers do it: quotes and line ends are percent-encoded. */
static void add_name(struct text *t, const char *key, struct bytes name)
{
    text_add_format(t, "; %s=\"", key);
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.data[i];
        text_add_format(t, c == '"' || c == '\r' || c == '\n' ? "%%%02X" : "%c", c);
    }
    text_add(t, "\"");
}

/* "value;type=text/plain;filename=x": what is behind the first of the two. */
static void split_attributes(struct bytes *value, struct bytes *type, struct bytes *filename)
{
    static const char type_key[] = ";type=";
    static const char name_key[] = ";filename=";
    struct bytes all = *value;
    for (size_t i = all.len; i-- > 0;) {
        if (all.data[i] != ';')
            continue;
        struct bytes rest = bytes_after(all, i);
        if (bytes_equal(bytes_first(rest, sizeof type_key - 1), bytes_of_text(type_key)))
            *type = bytes_after(rest, sizeof type_key - 1);
        else if (bytes_equal(bytes_first(rest, sizeof name_key - 1), bytes_of_text(name_key)))
            *filename = bytes_after(rest, sizeof name_key - 1);
        else
            break;
        all = bytes_first(all, i);
    }
    *value = all;
}

static struct bytes last_segment(struct bytes path)
{
    size_t at = path.len;
    while (at > 0 && path.data[at - 1] != '/')
        at--;
    return bytes_after(path, at);
}

static bool add_form_head(struct get_body *b, struct bytes name, const struct bytes *filename,
                          struct bytes type, struct text *error)
{
    size_t size = 256 + 3 * (name.len + (filename != NULL ? filename->len : 0)) + type.len;
    char *head = malloc(size);
    if (head == NULL)
        return add_text(b, NULL, 0, error);
    struct text t = text_of(head, size);
    text_add_format(&t, "%s--%s\r\nContent-Disposition: form-data", b->count > 0 ? "\r\n" : "",
                    b->boundary);
    add_name(&t, "name", name);
    if (filename != NULL)
        add_name(&t, "filename", *filename);
    if (type.len > 0) {
        text_add(&t, "\r\nContent-Type: ");
        text_add_bytes(&t, type);
    }
    text_add(&t, "\r\n\r\n");
    return add_text(b, head, t.len, error);
}

bool get_body_add_form(struct get_body *b, const char *argument, struct text *error)
{
    const char *equals = strchr(argument, '=');
    if (equals == NULL || equals == argument) {
        text_add(error, "expected NAME=TEXT, NAME=@FILE or NAME=<FILE");
        return false;
    }
    if (!b->is_form)
        make_boundary(b);
    b->is_form = true;
    struct bytes name = bytes_of(argument, (size_t)(equals - argument));
    struct bytes value = bytes_of_text(equals + 1);
    struct bytes type = bytes_empty();
    struct bytes filename = bytes_empty();
    bool file = value.len > 0 && (value.data[0] == '@' || value.data[0] == '<');
    bool named = file && value.data[0] == '@';
    split_attributes(&value, &type, &filename);
    value = bytes_after(value, file);
    if (named && filename.len == 0)
        filename = last_segment(value);
    if (named && type.len == 0)
        type = bytes_of_text("application/octet-stream");
    if (!add_form_head(b, name, filename.len > 0 ? &filename : NULL, type, error))
        return false;
    char *copy = strndup((const char *)value.data, value.len);
    if (!file)
        return add_text(b, copy, value.len, error);
    struct get_part part = {.text = bytes_empty(), .owned = copy, .name = copy};
    if (copy == NULL || b->count == GET_PARTS_MAX)
        return add_text(b, copy, 0, error);
    if (!open_file(copy, &part.fd, &part.len, error)) {
        free(copy);
        return false;
    }
    b->unknown_len = b->unknown_len || part.len == UINT64_MAX;
    b->parts[b->count++] = part;
    return true;
}

bool get_body_finish(struct get_body *b, struct text *error)
{
    if (b->is_form) {
        char *end = malloc(sizeof b->boundary + 16);
        if (end == NULL)
            return add_text(b, NULL, 0, error);
        struct text t = text_of(end, sizeof b->boundary + 16);
        text_add_format(&t, "\r\n--%s--\r\n", b->boundary);
        struct text type = text_of(b->type_text, sizeof b->type_text);
        text_add_format(&type, "multipart/form-data; boundary=%s", b->boundary);
        b->type = b->type_text;
        return add_text(b, end, t.len, error);
    }
    if (b->data != NULL) {
        bool added = add_text(b, b->data, b->data_len, error);
        b->data = NULL;
        return added;
    }
    return true;
}

void get_body_done(struct get_body *b)
{
    for (size_t i = 0; i < b->count; i++) {
        free(b->parts[i].owned);
        if (b->parts[i].fd >= 0)
            (void)close(b->parts[i].fd);
    }
    free(b->data);
    b->data = NULL;
    b->count = 0;
}

/* ---- reading it ---- */

uint64_t get_body_len(const struct get_body *b)
{
    uint64_t total = 0;
    for (size_t i = 0; i < b->count; i++)
        total += b->parts[i].len;
    return b->unknown_len ? HTTP_CLIENT_LENGTH_UNKNOWN : total;
}

bool get_body_rewind(const struct get_body *b, struct get_place *place)
{
    *place = (struct get_place){0};
    return !b->pipe_begun;
}

static ssize_t read_fd(int fd, uint8_t *buffer, size_t size, off_t offset)
{
    ssize_t got;
    do
        got = offset < 0 ? read(fd, buffer, size) : pread(fd, buffer, size, offset);
    while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : got;
}

static struct bytes read_pipe(struct get_body *b, const struct get_part *part, int *error)
{
    b->pipe_begun = true;
    if (b->pipe_at == b->pipe_len) {
        ssize_t got = read_fd(part->fd, b->pipe, sizeof b->pipe, -1);
        *error = got < 0 ? (int)got : 0;
        b->pipe_at = 0;
        b->pipe_len = got > 0 ? (size_t)got : 0;
    }
    return bytes_of(b->pipe + b->pipe_at, b->pipe_len - b->pipe_at);
}

static struct bytes read_file(const struct get_part *part, uint64_t offset, uint8_t *buffer,
                              size_t size, int *error)
{
    uint64_t left = part->len - offset;
    ssize_t got = read_fd(part->fd, buffer, left < size ? (size_t)left : size, (off_t)offset);
    if (got > 0)
        return bytes_of(buffer, (size_t)got);
    *error = got == 0 ? -EIO : (int)got; /* 0: it has become shorter than was said */
    return bytes_empty();
}

struct bytes get_body_read(struct get_body *b, struct get_place *place, uint8_t *buffer, size_t size,
                           int *error)
{
    *error = 0;
    for (; place->part < b->count; place->part++, place->offset = 0) {
        const struct get_part *part = &b->parts[place->part];
        if (place->offset >= part->len)
            continue;
        if (part->fd < 0)
            return bytes_after(part->text, (size_t)place->offset);
        if (part->len != UINT64_MAX)
            return read_file(part, place->offset, buffer, size, error);
        struct bytes piece = read_pipe(b, part, error);
        if (piece.len > 0 || *error != 0)
            return piece;
    }
    return bytes_empty();
}

void get_body_advance(struct get_body *b, struct get_place *place, size_t len)
{
    place->offset += len;
    if (place->part < b->count && b->parts[place->part].len == UINT64_MAX)
        b->pipe_at += len;
}
