/* SPDX-License-Identifier: ISC */
/*
 * get_mirror.h - what the parts of a mirror share: get_mirror.c what is asked for, in which order, and what an
 * answer leads to; get_mirror_file.c where it is kept, and its links at the end.
 */
#ifndef WN_CLI_GET_MIRROR_H
#define WN_CLI_GET_MIRROR_H

#include "base/map.h"
#include "base/siphash.h"
#include "cli/get.h"
#include "wire/html/html_links.h"

enum {
    MIRROR_ITEMS_MAX = 1000000,  /* URLs that are known; more are left out, and it is said */
    MIRROR_HOSTS_MAX = 1024,
    MIRROR_NAME_MAX = 240,       /* of one file or directory; what is longer gets a hash */
    MIRROR_FILE_MAX = 4096,
    MIRROR_DOCUMENT_MAX = 64 << 20, /* larger ones have no links for us */
    MIRROR_HOPS_MAX = 8,         /* from part to part: styles that import styles, frames in frames */
    MIRROR_CHARSET_MAX = 32,
};

enum mirror_state { MIRROR_WAITING, MIRROR_UNDER_WAY, MIRROR_THERE, MIRROR_ELSEWHERE, MIRROR_FAILED };
enum mirror_type { MIRROR_OTHER, MIRROR_HTML, MIRROR_CSS };

struct mirror_host {
    char key[URL_SCHEME_MAX + URL_HOST_MAX + 16]; /* scheme, host and port */
    bool start;          /* one of those that it began with */
    char *folder;        /* of a start: paths begin so, with --no-parent */
    bool asked, known;   /* for its robots.txt */
    bool closed;         /* nobody could say what may be asked for (RFC 9309 §2.3.1.4) */
    char *robots;        /* NULL: nothing is forbidden */
    size_t robots_len;
};

struct mirror_item {
    char *url;
    uint32_t url_hash, file_hash;
    struct mirror_host *host;
    unsigned depth, hops;
    bool start, part, robots;
    bool discard;        /* looked through for links, and not kept */
    enum mirror_state state;
    enum mirror_type type;
    struct mirror_item *led; /* it was elsewhere */
    char *file;          /* NULL: none */
    bool unchanged;      /* the server says so: the file is of an earlier run */
    char charset[MIRROR_CHARSET_MAX];
};

struct get_mirror {
    struct get *get;
    struct siphash_key key;
    struct map by_url, by_file;
    struct mirror_item **items;
    size_t count, size, waiting_from, under_way, begun;
    bool full;
    bool forbidden;      /* robots.txt forbids one of those to begin with */
    struct mirror_host *hosts[MIRROR_HOSTS_MAX];
    size_t host_count;
    usec next_at;        /* --wait */
    struct alarm pause;
    uint64_t octets;     /* --quota */
};

uint32_t mirror_hash(const struct get_mirror *m, const char *text);

/* The item of a URL, or NULL. */
struct mirror_item *mirror_find(const struct get_mirror *m, const struct url *url);

/* ---- get_mirror_file.c ---- */

/* Settles the item's file, and makes the directories to it. 0 or a negative errno. */
MUST_USE int mirror_make_file(struct get_mirror *m, struct mirror_item *item, const struct url *url);

/* What the item's links are to be read from; to be freed. 0 or a negative errno. */
MUST_USE int mirror_read(const struct mirror_item *item, char **out, size_t *len);

/* Goes through the links of a document: `take` is told of each, with the URL that is meant. */
struct mirror_links {
    struct mirror_item *item;
    struct url url;      /* of the document; then its base */
    struct url target;
    bool has_base;
    void (*take)(struct mirror_links *links, const struct html_link *link, const struct url *url,
                 struct bytes fragment);
    void *self;
};
void mirror_each_link(struct mirror_links *links, struct bytes document);

/* Writes documents anew, with relative links to what is there. Returns how many could not be written. */
size_t mirror_convert(struct get_mirror *m);

#endif
