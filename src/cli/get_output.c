/* SPDX-License-Identifier: ISC */
/* get_output.c - where the octets go: standard output, or a file that may be gone on with. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/get.h"
#include "os/file.h"

/* The last segment of the path, decoded; what could lead elsewhere, or to nothing, is left out. */
static bool name_of_url(const struct url *url, char *out, size_t size)
{
    struct bytes path = url_path(url);
    size_t at = path.len;
    while (at > 0 && path.data[at - 1] != '/')
        at--;
    struct text t = text_of(out, size);
    if (!url_decode(bytes_after(path, at), &t))
        return false;
    for (size_t i = 0; i < t.len; i++)
        if (out[i] == '/' || (uint8_t)out[i] < 0x20 || out[i] == 0x7f)
            out[i] = '_';
    if (t.len == 0 || strcmp(out, ".") == 0 || strcmp(out, "..") == 0) {
        t = text_of(out, size);
        text_add(&t, "index.html");
    }
    return !t.failed;
}

bool get_output_choose(const struct get *g, size_t which, const struct url *url,
                       struct get_output *out)
{
    *out = (struct get_output){.fd = -1};
    if (which < g->output_count) {
        if (strcmp(g->output[which], "-") != 0)
            out->name = g->output[which];
    } else if (g->remote_name) {
        if (!name_of_url(url, out->own_name, sizeof out->own_name))
            return false;
        out->name = out->own_name;
    }
    return true;
}

uint64_t get_output_size(const struct get_output *o)
{
    struct stat facts;
    return o->name != NULL && stat(o->name, &facts) == 0 && S_ISREG(facts.st_mode)
               ? (uint64_t)facts.st_size
               : 0;
}

int get_output_open(struct get_output *o, uint64_t offset, bool keep)
{
    o->written = offset;
    if (o->memory_max > 0)
        return 0;
    if (o->name == NULL) {
        o->fd = STDOUT_FILENO;
        return 0;
    }
    o->is_file = true;
    int cut = offset == 0 && !keep ? O_TRUNC : 0;
    o->fd = open(o->name, O_WRONLY | O_CREAT | O_CLOEXEC | cut, 0666);
    if (o->fd < 0)
        return -errno;
    if (offset > 0 && lseek(o->fd, (off_t)offset, SEEK_SET) < 0)
        return -errno;
    return 0;
}

static int keep(struct get_output *o, struct bytes octets)
{
    octets = bytes_first(octets, o->memory_max - o->memory_len);
    char *memory = octets.len > 0 ? realloc(o->memory, o->memory_len + octets.len) : o->memory;
    if (octets.len > 0 && memory == NULL)
        return -ENOMEM;
    o->memory = memory;
    if (octets.len > 0)
        memcpy(memory + o->memory_len, octets.data, octets.len);
    o->memory_len += octets.len;
    return 0;
}

int get_output_write(struct get_output *o, struct bytes octets)
{
    o->written += octets.len;
    if (o->memory_max > 0)
        return keep(o, octets);
    return file_write_all(o->fd, octets);
}

int get_output_write_at(struct get_output *o, uint64_t offset, struct bytes octets)
{
    while (octets.len > 0) {
        ssize_t written = pwrite(o->fd, octets.data, octets.len, (off_t)offset);
        if (written < 0 && errno != EINTR)
            return -errno;
        size_t len = written > 0 ? (size_t)written : 0;
        octets = bytes_after(octets, len);
        offset += len;
        o->written += len;
    }
    return 0;
}

int get_output_cut(struct get_output *o, uint64_t len)
{
    return ftruncate(o->fd, (off_t)len) < 0 ? -errno : 0;
}

int get_output_close(struct get_output *o)
{
    int status = 0;
    if (o->fd >= 0 && o->is_file && close(o->fd) < 0)
        status = -errno;
    o->fd = -1;
    return status;
}
