/* SPDX-License-Identifier: ISC */
/*
 * get_mirror_file.c - a mirror's files: their names, which cannot lead out of the directory whatever a server says,
 * and the links in them, which lead to each other at the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <iconv.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/get_mirror.h"
#include "os/file.h"
#include "os/idna.h"

/* ---- names ---- */

/* What a segment of a URL may mean to a file system is taken from it. */
static void add_safely(struct text *name, struct bytes segment)
{
    bool dots = bytes_equal(segment, bytes_of_text(".")) || bytes_equal(segment, bytes_of_text(".."));
    for (size_t i = 0; i < segment.len; i++) {
        uint8_t c = segment.data[i];
        if (c < 0x20 || c == 0x7f || c == '/' || c == '\\' || (dots && c == '.'))
            text_add_format(name, "%%%02X", c);
        else
            text_add_bytes(name, bytes_of(&c, 1));
    }
}

/* One file's or directory's name: decoded, safe, and not too long. */
static void add_name(struct text *out, struct bytes segment, struct bytes query)
{
    static const struct siphash_key key; /* the next run names it the same */
    char decoded[URL_TARGET_MAX + 1];
    char name[4 * URL_TARGET_MAX];
    struct text d = text_of(decoded, sizeof decoded);
    struct text n = text_of(name, sizeof name);
    bool good = url_decode(segment, &d);
    add_safely(&n, good ? text_bytes(&d) : segment);
    if (query.len > 0)
        text_add(&n, "?");
    add_safely(&n, query);
    if (n.len <= MIRROR_NAME_MAX) {
        text_add_bytes(out, text_bytes(&n));
        return;
    }
    uint64_t hash = siphash13(&key, text_bytes(&n));
    text_add_bytes(out, bytes_first(text_bytes(&n), MIRROR_NAME_MAX - 20));
    text_add_format(out, "-%016llx", (unsigned long long)hash);
}

/* Goes into the directory `path`, which may be there already. What is there as a file keeps its name. */
static int make_folder(struct text *path)
{
    struct stat facts;
    if (mkdir(path->start, 0777) == 0)
        return 0;
    if (errno != EEXIST)
        return -errno;
    if (stat(path->start, &facts) == 0 && S_ISDIR(facts.st_mode))
        return 0;
    text_add(path, ".d");
    return mkdir(path->start, 0777) == 0 || errno == EEXIST ? 0 : -errno;
}

/* --directory, as it stands. */
static int make_prefix(const char *prefix, struct text *path)
{
    if (prefix == NULL)
        return 0;
    text_add(path, prefix);
    if (mkdir(path->start, 0777) != 0 && errno != EEXIST)
        return -errno;
    text_add(path, "/");
    return 0;
}

static int add_folders(const struct url *url, struct text *path)
{
    struct bytes rest = bytes_after(url_path(url), 1);
    int status = make_folder(path);
    while (status == 0 && bytes_find(rest, '/') < rest.len) {
        size_t end = bytes_find(rest, '/');
        if (end > 0) {
            text_add(path, "/");
            add_name(path, bytes_first(rest, end), bytes_empty());
            status = path->failed ? -ENAMETOOLONG : make_folder(path);
        }
        rest = bytes_after(rest, end + 1);
    }
    return status;
}

static bool is_taken(const struct get_mirror *m, const char *file)
{
    struct stat facts;
    return map_find(&m->by_file, mirror_hash(m, file), file) != NULL ||
           (stat(file, &facts) == 0 && S_ISDIR(facts.st_mode));
}

int mirror_make_file(struct get_mirror *m, struct mirror_item *item, const struct url *url)
{
    char file[MIRROR_FILE_MAX];
    struct text path = text_of(file, sizeof file);
    struct bytes whole = url_path(url);
    size_t last = whole.len;
    while (last > 0 && whole.data[last - 1] != '/')
        last--;
    int status = make_prefix(m->get->directory, &path);
    add_safely(&path, bytes_of_text(url->host));
    if (url->port != url_default_port(url->scheme))
        text_add_format(&path, ":%u", url->port);
    if (status == 0)
        status = path.failed ? -ENAMETOOLONG : add_folders(url, &path);
    if (status != 0)
        return status;
    text_add(&path, "/");
    struct bytes name = bytes_after(whole, last);
    add_name(&path, name.len > 0 ? name : bytes_of_text("index.html"),
             bytes_after(url_target(url), url->path_len + 1u));
    size_t len = path.len;
    for (unsigned i = 1; !path.failed && i < 100 && is_taken(m, file); i++) {
        path.len = len;
        text_add_format(&path, ".%u", i);
    }
    item->file = path.failed ? NULL : strdup(file);
    if (item->file == NULL)
        return path.failed ? -ENAMETOOLONG : -ENOMEM;
    item->file_hash = mirror_hash(m, item->file);
    return map_insert(&m->by_file, item->file_hash, item) ? 0 : -ENOMEM;
}

/* ---- links ---- */

/* What was read before its links were converted is kept beside, when the server may say that it is unchanged. */
static bool original_name(const struct mirror_item *item, char name[MIRROR_FILE_MAX])
{
    struct text n = text_of(name, MIRROR_FILE_MAX);
    text_add_format(&n, "%s.orig", item->file);
    return !n.failed;
}

int mirror_read(const struct mirror_item *item, char **out, size_t *len)
{
    char name[MIRROR_FILE_MAX];
    if (item->unchanged && original_name(item, name) &&
        file_read(name, MIRROR_DOCUMENT_MAX, out, len) == 0)
        return 0;
    return file_read(item->file, MIRROR_DOCUMENT_MAX, out, len);
}

/* False: it is not of that charset. */
static bool convert_charset(const char *charset, struct text *text)
{
    char in[URL_TEXT_MAX], out[URL_TEXT_MAX];
    iconv_t converter = iconv_open("UTF-8", charset);
    if (converter == (iconv_t)-1)
        return false;
    memcpy(in, text->start, text->len);
    char *from = in, *to = out;
    size_t from_len = text->len, to_len = sizeof out;
    bool good = iconv(converter, &from, &from_len, &to, &to_len) != (size_t)-1;
    (void)iconv_close(converter);
    if (good) {
        text->len = 0;
        text_add_bytes(text, bytes_of(out, sizeof out - to_len));
    }
    return good;
}

/* A reference in the document's charset, in UTF-8, as URLs are (URL standard §4.4). Where none is said, or
 * one that nobody knows, it is what browsers take it for. */
static void to_utf8(const char *charset, struct text *reference)
{
    bool ascii = true;
    for (size_t i = 0; i < reference->len; i++)
        ascii = ascii && (uint8_t)reference->start[i] < 0x80;
    if (!ascii && (charset[0] == '\0' || !convert_charset(charset, reference)) &&
        !convert_charset("UTF-8", reference))
        (void)convert_charset("WINDOWS-1252", reference);
}

/* What it leads to. False: nothing that could be fetched, or this document itself. */
static bool resolve(const struct mirror_links *links, const struct html_link *link, struct url *out,
                    char reference[URL_TEXT_MAX], struct bytes *fragment)
{
    struct text t = text_of(reference, URL_TEXT_MAX);
    if (!html_link_decode(link, &t))
        return false;
    to_utf8(links->item->charset, &t);
    if (t.failed || t.len == 0 || reference[0] == '#')
        return false;
    size_t hash = bytes_find(text_bytes(&t), '#');
    *fragment = bytes_after(text_bytes(&t), hash);
    return url_resolve(&links->url, bytes_first(text_bytes(&t), hash), idna_to_ascii, out) == URL_OK &&
           (strcmp(out->scheme, "http") == 0 || strcmp(out->scheme, "https") == 0);
}

/* First what the others depend on. */
static void take_base(void *self, const struct html_link *link)
{
    struct mirror_links *links = self;
    char reference[URL_TEXT_MAX];
    struct bytes fragment;
    char *charset = links->item->charset;
    if (link->kind == HTML_LINK_CHARSET && charset[0] == '\0') {
        struct text t = text_of(charset, MIRROR_CHARSET_MAX);
        text_add_bytes(&t, link->raw);
    }
    if (link->kind != HTML_LINK_BASE || links->has_base ||
        !resolve(links, link, &links->target, reference, &fragment))
        return;
    links->url = links->target;
    links->has_base = true;
}

static void take_link(void *self, const struct html_link *link)
{
    struct mirror_links *links = self;
    char reference[URL_TEXT_MAX];
    struct bytes fragment = bytes_empty();
    if (link->kind == HTML_LINK_CHARSET)
        return;
    if (link->kind == HTML_LINK_BASE)
        links->take(links, link, NULL, fragment);
    else if (resolve(links, link, &links->target, reference, &fragment))
        links->take(links, link, &links->target, fragment);
}

void mirror_each_link(struct mirror_links *links, struct bytes document)
{
    links->has_base = false;
    if (links->item->type == MIRROR_CSS) {
        css_each_link(document, take_link, links);
        return;
    }
    html_each_link(document, take_base, links);
    html_each_link(document, take_link, links);
}

/* ---- converting ---- */

struct replacement {
    size_t at, len;
    char *text;
};

struct conversion {
    struct get_mirror *mirror;
    const char *document;
    struct replacement *list;
    size_t count, size;
    bool failed;
};

static void replace(struct conversion *c, struct bytes raw, const char *text)
{
    if (c->count == c->size) {
        size_t size = c->size > 0 ? 2 * c->size : 64;
        struct replacement *list = realloc(c->list, size * sizeof *list);
        c->failed |= list == NULL;
        if (list == NULL)
            return;
        c->list = list;
        c->size = size;
    }
    char *copy = strdup(text);
    c->failed |= copy == NULL;
    if (copy != NULL)
        c->list[c->count++] =
            (struct replacement){(size_t)((const char *)raw.data - c->document), raw.len, copy};
}

/* From one file to another: up to where their ways part, and down. */
static void add_relative(struct text *out, const char *from, const char *to)
{
    size_t common = 0;
    for (size_t i = 0; from[i] != '\0' && from[i] == to[i]; i++)
        if (from[i] == '/')
            common = i + 1;
    for (size_t i = common; from[i] != '\0'; i++)
        if (from[i] == '/')
            text_add(out, "../");
    struct bytes rest = bytes_of_text(to + common);
    while (rest.len > 0) {
        size_t end = bytes_find(rest, '/');
        url_encode(bytes_first(rest, end), out);
        if (end < rest.len)
            text_add(out, "/");
        rest = bytes_after(rest, end + 1);
    }
}

static const struct mirror_item *follow(const struct mirror_item *item)
{
    for (unsigned i = 0; item != NULL && item->state == MIRROR_ELSEWHERE && i < 32; i++)
        item = item->led;
    return item != NULL && item->state == MIRROR_THERE && !item->discard ? item : NULL;
}

static void convert_link(struct mirror_links *links, const struct html_link *link,
                         const struct url *url, struct bytes fragment)
{
    struct conversion *c = links->self;
    char text[3 * URL_TEXT_MAX], encoded[4 * URL_TEXT_MAX];
    struct text t = text_of(text, sizeof text);
    struct text e = text_of(encoded, sizeof encoded);
    if (url == NULL) { /* <base>: the links say all */
        replace(c, link->raw, "");
        return;
    }
    const struct mirror_item *there = follow(mirror_find(c->mirror, url));
    if (there != NULL)
        add_relative(&t, links->item->file, there->file);
    else
        url_add_text(url, &t);
    text_add_bytes(&t, fragment);
    html_link_encode(link, text_bytes(&t), &e);
    if (!t.failed && !e.failed)
        replace(c, link->raw, encoded);
}

static int by_place(const void *a, const void *b)
{
    const struct replacement *x = a, *y = b;
    return x->at < y->at ? -1 : x->at > y->at;
}

static int write_anew(const struct conversion *c, const char *file, size_t len)
{
    char *out = NULL;
    size_t out_len = 0, at = 0;
    FILE *stream = open_memstream(&out, &out_len);
    if (stream == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < c->count; i++) {
        const struct replacement *r = &c->list[i];
        if (r->at < at)
            continue;
        fwrite(c->document + at, 1, r->at - at, stream);
        fputs(r->text, stream);
        at = r->at + r->len;
    }
    fwrite(c->document + at, 1, len - at, stream);
    int status = fclose(stream) == 0 ? file_write(file, bytes_of(out, out_len), 0666) : -ENOMEM;
    free(out);
    return status;
}

/* The file's date is the server's, by which the next run asks. */
static int write_with_date(const struct conversion *c, const struct mirror_item *item, size_t len)
{
    struct stat facts;
    char original[MIRROR_FILE_MAX];
    if (stat(item->file, &facts) != 0)
        return -errno;
    int status = 0;
    if (c->mirror->get->newer && !item->unchanged && original_name(item, original))
        status = file_write(original, bytes_of(c->document, len), 0666);
    if (status == 0)
        status = write_anew(c, item->file, len);
    const struct timespec times[2] = {facts.st_atim, facts.st_mtim};
    if (status == 0 && utimensat(AT_FDCWD, item->file, times, 0) != 0)
        status = -errno;
    return status;
}

static int convert(struct get_mirror *m, struct mirror_item *item)
{
    static struct mirror_links links;
    struct conversion c = {.mirror = m};
    char *document;
    size_t len;
    int status = mirror_read(item, &document, &len);
    if (status != 0)
        return status;
    c.document = document;
    links.item = item;
    links.take = convert_link;
    links.self = &c;
    if (url_parse(bytes_of_text(item->url), idna_to_ascii, &links.url) == URL_OK)
        mirror_each_link(&links, bytes_of(document, len));
    if (c.count > 0)
        qsort(c.list, c.count, sizeof *c.list, by_place);
    if (c.failed)
        status = -ENOMEM;
    else if (c.count > 0)
        status = write_with_date(&c, item, len);
    for (size_t i = 0; i < c.count; i++)
        free(c.list[i].text);
    free(c.list);
    free(document);
    return status;
}

size_t mirror_convert(struct get_mirror *m)
{
    size_t failed = 0;
    for (size_t i = 0; i < m->count; i++) {
        struct mirror_item *item = m->items[i];
        if (item->state != MIRROR_THERE || item->type == MIRROR_OTHER || item->discard)
            continue;
        int status = convert(m, item);
        if (status != 0)
            cli_fail(m->get->command, 0, "cannot convert the links of %s: %s", item->file,
                     strerror(-status));
        failed += status != 0;
    }
    return failed;
}
