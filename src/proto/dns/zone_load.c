/* SPDX-License-Identifier: ISC */
/* zone_load.c - records from master files into a zone that nobody sees until it is whole. */
#include "proto/dns/zone_load.h"

#include "proto/dns/zone_check.h"
#include "wire/dns/dns_master.h"

struct source {
    char path[DNS_MASTER_FILE_MAX];
    struct bytes text;
    struct dns_master master;
};

struct zone_load {
    struct heap heap;
    struct zone_files files;
    void (*on_warning)(void *self, const char *text);
    void *self;
    struct zone *zone;
    size_t depth; /* sources that are open; the last one is being read. 0: the zone is checked */
    struct zone_checker checker;
    struct zone_check check;
    struct source sources[ZONE_LOAD_DEPTH_MAX];
    size_t warning_count;
    bool failed;
    char error[ZONE_LOAD_MESSAGE_MAX];
    struct dns_master_item item;
    uint8_t rdata[DNS_RDATA_MAX];
};

static struct source *current(struct zone_load *load)
{
    return &load->sources[load->depth - 1];
}

/* ---- what is said ---- */

static void add_place(const struct zone_load *load, struct text *t)
{
    const struct dns_master_item *item = &load->item;
    if (load->depth == 0)
        return;
    text_add_format(t, "%s:%u:", load->sources[load->depth - 1].path, item->line);
    if (item->column > 0)
        text_add_format(t, "%u:", item->column);
    text_add(t, " ");
}

static enum zone_load_status fail(struct zone_load *load, const char *what)
{
    struct text t = text_of(load->error, sizeof load->error);
    add_place(load, &t);
    text_add(&t, what);
    load->failed = true;
    return ZONE_LOAD_FAILED;
}

static void warn(struct zone_load *load, const char *text)
{
    if (load->on_warning != NULL && load->warning_count++ < ZONE_LOAD_WARNINGS_MAX)
        load->on_warning(load->self, text);
}

static void warn_here(struct zone_load *load, const char *what)
{
    char line[ZONE_LOAD_MESSAGE_MAX];
    char name[DNS_NAME_TEXT_MAX];
    struct text t = text_of(line, sizeof line);
    add_place(load, &t);
    text_add_format(&t, "%s: %s", dns_name_format(&load->item.record.owner, name), what);
    warn(load, line);
}

/* ---- files ---- */

/* A name that is not absolute is meant beside the file that includes it. */
static bool resolve(const struct zone_load *load, const char *path, char out[DNS_MASTER_FILE_MAX])
{
    struct text t = text_of(out, DNS_MASTER_FILE_MAX);
    if (load->depth > 0 && path[0] != '/') {
        const char *base = load->sources[load->depth - 1].path;
        size_t len = strlen(base);
        while (len > 0 && base[len - 1] != '/')
            len--;
        text_add_bytes(&t, bytes_of(base, len));
    }
    text_add(&t, path);
    return !t.failed;
}

static const char *open_source(struct zone_load *load, const char *path)
{
    if (load->depth == ZONE_LOAD_DEPTH_MAX)
        return "files include each other too deeply";
    struct source *source = &load->sources[load->depth];
    if (!resolve(load, path, source->path))
        return "the name of the file is too long";
    const char *reason = load->files.open(load->files.self, source->path, &source->text);
    if (reason == NULL)
        load->depth++;
    return reason;
}

static void close_source(struct zone_load *load)
{
    load->files.close(load->files.self, current(load)->text);
    load->depth--;
}

static enum zone_load_status include(struct zone_load *load)
{
    const char *reason = open_source(load, load->item.file);
    if (reason != NULL) {
        char what[ZONE_LOAD_MESSAGE_MAX];
        struct text t = text_of(what, sizeof what);
        text_add_format(&t, "$INCLUDE %.300s: %s", load->item.file, reason);
        return fail(load, what);
    }
    struct source *source = current(load);
    dns_master_include(&source->master, source->text, &load->item.origin,
                       &load->sources[load->depth - 2].master);
    return ZONE_LOAD_MORE;
}

/* ---- records ---- */

static enum zone_load_status take_record(struct zone_load *load)
{
    const struct dns_record *record = &load->item.record;
    if (record->class != DNS_IN)
        return fail(load, "expected class IN, as the zone has");
    size_t differences = load->zone->ttl_differences;
    enum zone_result result = zone_put(load->zone, record);
    if (result == ZONE_OUTSIDE) {
        warn_here(load, "not in this zone; ignored");
        return ZONE_LOAD_MORE;
    }
    if (result != ZONE_OK) {
        char what[ZONE_LOAD_MESSAGE_MAX];
        char name[DNS_NAME_TEXT_MAX];
        char type[DNS_TYPE_TEXT_MAX];
        struct text t = text_of(what, sizeof what);
        text_add_format(&t, "%s %s: %s", dns_name_format(&record->owner, name),
                        dns_type_format(record->type, type), zone_result_text(result));
        return fail(load, what);
    }
    if (load->zone->ttl_differences > differences)
        warn_here(load, "its TTL is not that of the records before it: the lowest is taken for all");
    return ZONE_LOAD_MORE;
}

/* ---- the end ---- */

static void report(void *self, bool error, const char *text)
{
    struct zone_load *load = self;
    char line[ZONE_LOAD_MESSAGE_MAX];
    struct text t = text_of(line, sizeof line);
    text_add_format(&t, "%s: %s", load->sources[0].path, text);
    if (!error)
        warn(load, line);
    else if (load->error[0] == '\0')
        memcpy(load->error, line, sizeof line);
}

static enum zone_load_status check(struct zone_load *load, size_t names)
{
    if (!zone_check_step(&load->check, names))
        return ZONE_LOAD_MORE;
    if (load->check.good)
        return ZONE_LOAD_DONE;
    load->failed = true;
    return ZONE_LOAD_FAILED;
}

static enum zone_load_status end_of_file(struct zone_load *load)
{
    close_source(load);
    if (load->depth == 0) {
        load->checker = (struct zone_checker){report, load};
        zone_check_start(&load->check, load->zone, &load->checker);
    }
    return ZONE_LOAD_MORE;
}

static enum zone_load_status read_record(struct zone_load *load)
{
    struct writer w = writer_of(load->rdata, sizeof load->rdata);
    switch (dns_master_next(&current(load)->master, &w, &load->item)) {
    case DNS_MASTER_RECORD:
        return take_record(load);
    case DNS_MASTER_INCLUDE:
        return include(load);
    case DNS_MASTER_END:
        return end_of_file(load);
    case DNS_MASTER_ERROR:
        break;
    }
    return fail(load, load->item.error);
}

enum zone_load_status zone_load_step(struct zone_load *load, size_t records)
{
    enum zone_load_status status = load->failed ? ZONE_LOAD_FAILED : ZONE_LOAD_MORE;
    for (size_t i = 0; i < records && status == ZONE_LOAD_MORE; i++) {
        if (load->depth == 0)
            return check(load, records - i);
        status = read_record(load);
    }
    return status;
}

struct zone_load *zone_load_new(const struct zone_load_options *options)
{
    struct zone_load *load = options->heap.resize(options->heap.self, NULL, 0, sizeof *load);
    if (load == NULL)
        return NULL;
    load->heap = options->heap;
    load->files = options->files;
    load->on_warning = options->on_warning;
    load->self = options->self;
    load->depth = 0;
    load->warning_count = 0;
    load->failed = false;
    load->error[0] = '\0';
    load->item.line = 1;
    load->item.column = 0;
    load->zone = zone_new(&load->heap, options->name, options->records_max);
    if (load->zone == NULL) {
        zone_load_free(load);
        return NULL;
    }
    const char *reason = open_source(load, options->path);
    if (reason != NULL) {
        struct text t = text_of(load->error, sizeof load->error);
        text_add_format(&t, "%.500s: %s", options->path, reason);
        load->failed = true;
    } else {
        dns_master_start(&load->sources[0].master, load->sources[0].text, options->name);
    }
    return load;
}

void zone_load_free(struct zone_load *load)
{
    if (load == NULL)
        return;
    while (load->depth > 0)
        close_source(load);
    zone_free(load->zone);
    struct heap heap = load->heap;
    heap_release(&heap, load, sizeof *load);
}

struct zone *zone_load_abandon(struct zone_load *load)
{
    struct zone *zone = load != NULL ? load->zone : NULL;
    if (load != NULL)
        load->zone = NULL;
    zone_load_free(load);
    return zone;
}

struct zone *zone_load_take(struct zone_load *load)
{
    struct zone *zone = load->zone;
    load->zone = NULL;
    return zone;
}

const char *zone_load_error(const struct zone_load *load)
{
    return load->error;
}
