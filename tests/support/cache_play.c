/* SPDX-License-Identifier: ISC */
#include "tests/support/cache_play.h"

#include "proto/http/http_cache_file.h"
#include "wire/http/http_date.h"
#include "wire/http/uri_reference.h"

void cache_play_init(struct cache_play *p, bool shared)
{
    memset(p, 0, sizeof *p);
    struct heap heap = counting_heap(&p->heap);
    http_cache_options_init(&p->options, &heap, &(struct siphash_key){1, 2});
    p->options.rules.shared = shared;
    p->options.rules.stale_max = 0;
    p->epoch = 1700000000 - 1000;
    p->time = (struct http_cache_time){1000 * USEC_PER_SEC, 1700000000};
    cache_play_begin(p);
}

void cache_play_begin(struct cache_play *p)
{
    http_cache_free(p->cache);
    p->cache = http_cache_new(&p->options);
    assert_non_null(p->cache);
}

/* ---- files ---- */

void cache_play_tier(struct cache_play *p)
{
    p->tier = true;
    p->options.file_octets_max = 1024 * 1024;
    p->options.file_object_max = 256 * 1024;
    cache_play_begin(p);
}

static void append(struct play_file *f, size_t at, struct bytes in)
{
    f->octets = realloc(f->octets, at + in.len + 1);
    assert_non_null(f->octets);
    memcpy(f->octets + at, in.data, in.len);
    f->len = at + in.len;
}

static void write_tail(struct cache_play *p, struct http_cache_file *file)
{
    struct play_file *f = &p->files[file->id];
    static uint8_t block[HTTP_CACHE_TAIL_MAX];
    struct writer w = writer_of(block, sizeof block);
    if (!http_cache_file_tail(file, p->time, &w)) {
        http_cache_file_failed(file);
        return;
    }
    append(f, (size_t)file->written, writer_bytes(&w));
    f->whole = true;
    http_cache_file_done(file, f->len);
}

static void write_file(struct cache_play *p, struct http_cache_file *file)
{
    bool whole;
    struct bytes octets = http_cache_file_octets(file, &whole);
    if (octets.len == 0 && !whole)
        return;
    if (p->full) {
        http_cache_file_failed(file);
        return;
    }
    if (file->id == 0) {
        assert_true(p->file_count + 1 < PLAY_FILES);
        file->id = ++p->file_count;
        append(&p->files[file->id], 0, bytes_empty());
    }
    if (whole) {
        write_tail(p, file);
        return;
    }
    octets = bytes_first(octets, 1000);
    append(&p->files[file->id], (size_t)file->written, octets);
    http_cache_file_wrote(file, octets.len);
}

size_t cache_play_files(struct cache_play *p, size_t acts)
{
    enum http_cache_file_want want;
    struct http_cache_file *file;
    size_t done = 0;
    while (done < acts && (file = http_cache_next_file(p->cache, &want)) != NULL) {
        struct play_file *f = &p->files[file->id];
        done++;
        switch (want) {
        case HTTP_CACHE_FILE_WRITE:
            write_file(p, file);
            break;
        case HTTP_CACHE_FILE_RENEW:
            write_tail(p, file);
            break;
        case HTTP_CACHE_FILE_REMOVE:
            f->removed = true;
            break;
        case HTTP_CACHE_FILE_CLOSE:
            free(f->octets);
            *f = (struct play_file){NULL, 0, false, false};
            http_cache_file_free(file);
            break;
        }
    }
    return done;
}

/* What the cache does between two steps when it has a second tier. */
static void settle(struct cache_play *p)
{
    if (!p->tier || p->lazy)
        return;
    (void)cache_play_files(p, SIZE_MAX);
    http_cache_shed(p->cache);
}

void cache_play_load(struct cache_play *p)
{
    for (uint64_t id = 1; id <= p->found_count; id++) {
        struct play_file *f = &p->files[id];
        struct http_cache_tail_end end;
        struct http_cache_file *file = NULL;
        if (f->octets == NULL)
            continue;
        if (f->whole && !f->removed) {
            struct bytes all = bytes_of(f->octets, f->len);
            assert_true(http_cache_tail_end(bytes_after(all, all.len - HTTP_CACHE_TAIL_END), &end));
            assert_int_equal(end.body_len + end.tail_len, all.len);
            uint8_t *tail = exact_copy(f->octets + end.body_len, end.tail_len);
            file = http_cache_load(p->cache, bytes_of(tail, end.tail_len), p->time);
            free(tail);
        }
        if (file != NULL) {
            file->id = id;
            continue;
        }
        free(f->octets);
        *f = (struct play_file){NULL, 0, false, false};
    }
}

static void let_all_go(struct cache_play *p)
{
    enum http_cache_fill_state state;
    struct http_cache_fill *fill;
    for (size_t i = 0; i < PLAY_ASKS; i++)
        http_cache_ask_done(&p->asks[i]);
    while ((fill = http_cache_next_fill(p->cache, &state)) != NULL)
        http_cache_fill_fail(fill, p->time);
}

void cache_play_restart(struct cache_play *p, bool in_order)
{
    struct play_file kept[PLAY_FILES];
    memcpy(kept, p->files, sizeof kept);
    if (!in_order) { /* what is done from now on is not: to copies */
        for (size_t i = 0; i < PLAY_FILES; i++)
            p->files[i].octets = kept[i].octets != NULL
                                     ? exact_copy(kept[i].octets, kept[i].len)
                                     : NULL;
    }
    let_all_go(p);
    (void)cache_play_files(p, SIZE_MAX);
    for (size_t i = 0; !in_order && i < PLAY_FILES; i++) {
        free(p->files[i].octets);
        p->files[i] = kept[i];
    }
    /* Another clock, whose zero means nothing. */
    p->time.now = 7 * USEC_PER_SEC + p->time.now % USEC_PER_SEC;
    p->epoch = p->time.wall - p->time.now / USEC_PER_SEC;
    cache_play_begin(p);
    p->found_count = p->file_count;
    http_cache_load_begin(p->cache);
}

void cache_play_done(struct cache_play *p)
{
    let_all_go(p);
    (void)cache_play_files(p, SIZE_MAX);
    http_cache_free(p->cache);
    for (size_t i = 0; i < PLAY_FILES; i++)
        free(p->files[i].octets);
    assert_int_equal(p->heap.blocks, 0);
    assert_int_equal(p->heap.octets, 0);
}

void cache_play_wait(struct cache_play *p, double seconds)
{
    p->time.now += (usec)(seconds * (double)USEC_PER_SEC);
    p->time.wall = p->epoch + p->time.now / USEC_PER_SEC;
}

/* Text with fields, cut at "|"; "@N" becomes a date. Everything lies in `text`. */
struct parsed {
    char text[PLAY_TEXT];
    char *first;
    char *body;
    struct http_fields fields;
};

static void expand(const struct cache_play *p, const char *in, char *out, size_t size)
{
    size_t len = 0;
    while (*in != '\0' && len + 40 < size) {
        if (in[0] == '@' && (in[1] == '-' || in[1] == '+' || (in[1] >= '0' && in[1] <= '9'))) {
            char *end;
            long offset = strtol(in + 1, &end, 10);
            char date[HTTP_DATE_LEN + 1];
            len += (size_t)snprintf(out + len, size - len, "%s",
                                    http_date_format(p->time.wall + offset, date));
            in = end;
        } else {
            out[len++] = *in++;
        }
    }
    out[len] = '\0';
}

static void parse(const struct cache_play *p, const char *in, struct parsed *out)
{
    expand(p, in, out->text, sizeof out->text);
    out->fields.count = 0;
    out->first = out->text;
    out->body = strstr(out->text, "||");
    if (out->body != NULL) {
        *out->body = '\0';
        out->body += 2;
    } else {
        out->body = out->text + strlen(out->text);
    }
    for (char *bar = strchr(out->text, '|'); bar != NULL;) {
        *bar = '\0';
        char *field = bar + 1;
        bar = strchr(field, '|');
        size_t len = bar != NULL ? (size_t)(bar - field) : strlen(field);
        size_t colon = bytes_find(bytes_of(field, len), ':');
        if (colon == len)
            continue;
        out->fields.list[out->fields.count++] =
            (struct http_field){bytes_of(field, colon),
                                http_trim(bytes_after(bytes_of(field, len), colon + 1))};
    }
}

enum http_cache_verdict cache_play_ask(struct cache_play *p, size_t i, const char *request)
{
    static struct parsed r;
    static uint8_t uri[URI_MAX];
    bool trusted = request[0] == '~';
    parse(p, request + trusted, &r);
    char *space = strchr(r.first, ' ');
    assert_non_null(space);
    struct uri_parts parts;
    struct writer w = writer_of(uri, sizeof uri);
    uri_split(bytes_of_text(space + 1), &parts);
    assert_true(uri_normalise(&parts, &w));
    struct http_cache_request asked = {.method = bytes_of(r.first, (size_t)(space - r.first)),
                                       .uri = writer_bytes(&w),
                                       .target = bytes_of_text(space + 1),
                                       .fields = &r.fields,
                                       .trusted = trusted};
    http_cache_ask_done(&p->asks[i]);
    settle(p);
    http_cache_ask(p->cache, &p->asks[i], &asked, p->time);
    memset(r.text, '?', sizeof r.text); /* nobody may look at it later */
    return http_cache_verdict(&p->asks[i]);
}

static void note_sent(struct cache_play *p, const struct http_cache_fill *fill)
{
    uint8_t scratch[HTTP_CACHE_SCRATCH];
    struct writer w = writer_of(scratch, sizeof scratch);
    static struct http_cache_forward forward;
    http_cache_fill_request(fill, &w, &forward);
    p->sent[0] = '\0';
    for (size_t i = 0; i < forward.fields.count; i++) {
        const struct http_field *f = &forward.fields.list[i];
        size_t len = strlen(p->sent);
        snprintf(p->sent + len, sizeof p->sent - len, "%.*s: %.*s\n", (int)f->name.len,
                 (const char *)f->name.data, (int)f->value.len, (const char *)f->value.data);
    }
}

enum http_cache_step cache_play_origin(struct cache_play *p, struct http_cache_fill *fill,
                                       const char *response)
{
    static struct parsed r;
    bool breaks = response[0] == '!';
    note_sent(p, fill);
    if (response[0] == '!' && response[1] == '\0') {
        http_cache_fill_fail(fill, p->time);
        return HTTP_CACHE_DROP;
    }
    if (response[0] == '~') {
        http_cache_fill_confine(fill);
        response++;
    }
    parse(p, response + breaks, &r);
    char date[HTTP_DATE_LEN + 1];
    struct bytes value;
    if (strstr(response, "-Date") == NULL && !http_field_find(&r.fields, "Date", &value))
        r.fields.list[r.fields.count++] = (struct http_field){
            bytes_of_text("Date"), bytes_of_text(http_date_format(p->time.wall, date))};
    struct bytes body = bytes_of_text(r.body);
    uint64_t length = body.len;
    if (http_field_find(&r.fields, "Content-Length", &value))
        length = (uint64_t)atoll((const char *)value.data);
    if (http_field_find(&r.fields, "Transfer-Encoding", &value))
        length = HTTP_CACHE_LENGTH_UNKNOWN;
    struct http_cache_response head = {
        .status = (unsigned)atoi(r.first), .fields = &r.fields, .length = length};
    enum http_cache_step step = http_cache_fill_head(fill, &head, p->time);
    if (step == HTTP_CACHE_AGAIN)
        return step;
    uint8_t *copy = exact_copy(body.data, body.len);
    size_t taken = http_cache_fill_body(fill, bytes_of(copy, body.len));
    assert_int_equal(taken, body.len);
    free(copy);
    if (breaks)
        http_cache_fill_fail(fill, p->time);
    else
        http_cache_fill_end(fill, bytes_empty());
    return step;
}

static void note_fields(struct cache_play *p, struct http_cache_ask *ask)
{
    uint8_t scratch[HTTP_CACHE_SCRATCH];
    struct writer w = writer_of(scratch, sizeof scratch);
    static struct http_field fields[HTTP_FIELDS_MAX];
    size_t count = http_cache_reply_fields(ask, p->time, &w, fields);
    assert_false(w.failed);
    p->fields[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(p->fields);
        snprintf(p->fields + len, sizeof p->fields - len, "%.*s: %.*s\n", (int)fields[i].name.len,
                 (const char *)fields[i].name.data, (int)fields[i].value.len,
                 (const char *)fields[i].value.data);
    }
}

const char *cache_play_reply(struct cache_play *p, size_t i)
{
    struct http_cache_ask *ask = &p->asks[i];
    struct http_cache_reply reply;
    struct bytes octets;
    enum http_cache_read got = HTTP_CACHE_END;
    assert_int_equal(http_cache_verdict(ask), HTTP_CACHE_ANSWER);
    http_cache_reply(ask, &reply);
    note_fields(p, ask);
    size_t len = (size_t)snprintf(p->told, sizeof p->told, "%u ", reply.status);
    uint64_t total = 0;
    while (reply.has_body && ((got = http_cache_read(ask, &octets)) == HTTP_CACHE_OCTETS ||
                              got == HTTP_CACHE_IN_FILE)) {
        if (got == HTTP_CACHE_IN_FILE) {
            uint64_t left = 0;
            const struct http_cache_file *file = http_cache_read_file(ask, &left);
            assert_non_null(file);
            assert_true(left > 0 && ask->at + left <= p->files[file->id].len);
            octets = bytes_of(p->files[file->id].octets + ask->at, (size_t)left);
        }
        octets = bytes_first(octets, 3);
        if (len + octets.len < sizeof p->told)
            memcpy(p->told + len, octets.data, octets.len);
        len += octets.len;
        total += octets.len;
        http_cache_used(ask, octets.len);
    }
    p->told[len < sizeof p->told ? len : sizeof p->told - 1] = '\0';
    if (reply.has_body && got == HTTP_CACHE_END && reply.length != HTTP_CACHE_LENGTH_UNKNOWN)
        assert_int_equal(total, reply.length);
    if (got == HTTP_CACHE_LATER)
        strncat(p->told, "…", sizeof p->told - len - 1);
    if (got == HTTP_CACHE_BROKEN)
        strncat(p->told, "!", sizeof p->told - len - 1);
    if (got != HTTP_CACHE_LATER)
        http_cache_ask_done(ask);
    return p->told;
}

static void told_verdict(struct cache_play *p, const char *how, size_t i)
{
    char text[PLAY_TEXT];
    switch (http_cache_verdict(&p->asks[i])) {
    case HTTP_CACHE_ANSWER:
        snprintf(text, sizeof text, "%s %s", how, cache_play_reply(p, i));
        break;
    case HTTP_CACHE_FAIL:
        snprintf(text, sizeof text, "504");
        break;
    case HTTP_CACHE_REFUSED:
        snprintf(text, sizeof text, "%s refused", how);
        break;
    case HTTP_CACHE_WAIT:
    case HTTP_CACHE_FORWARD:
        snprintf(text, sizeof text, "%s nothing", how);
        break;
    }
    memcpy(p->told, text, sizeof text);
    size_t len = strlen(p->told);
    while (len > 0 && p->told[len - 1] == ' ')
        p->told[--len] = '\0';
    http_cache_ask_done(&p->asks[i]);
}

const char *cache_play_fetch(struct cache_play *p, const char *request, const char *response)
{
    static char rest[PLAY_TEXT];
    char how[10] = "fwd";
    if (cache_play_ask(p, 0, request) != HTTP_CACHE_FORWARD) {
        told_verdict(p, "hit", 0);
        return p->told;
    }
    if (response == NULL) {
        http_cache_ask_done(&p->asks[0]);
        snprintf(p->told, sizeof p->told, "fwd");
    } else {
        struct http_cache_fill *fill = http_cache_ask_fill(&p->asks[0]);
        snprintf(rest, sizeof rest, "%s", response);
        char *next = strstr(rest, "##");
        if (next != NULL)
            *next = '\0';
        if (cache_play_origin(p, fill, rest) == HTTP_CACHE_AGAIN) {
            assert_non_null(next);
            assert_int_not_equal(cache_play_origin(p, fill, next + 2), HTTP_CACHE_AGAIN);
            strcat(how, "*");
        }
        char conditions[4] = "";
        if (strstr(p->sent, "If-None-Match: ") != NULL)
            strcat(conditions, "N");
        if (strstr(p->sent, "If-Modified-Since: ") != NULL)
            strcat(conditions, "M");
        if (strstr(p->sent, "Range: bytes") != NULL)
            strcat(conditions, "R");
        if (conditions[0] != '\0') {
            strcat(how, ":");
            strcat(how, conditions);
        }
        told_verdict(p, how, 0);
    }
    enum http_cache_fill_state state;
    struct http_cache_fill *fill;
    while ((fill = http_cache_next_fill(p->cache, &state)) != NULL)
        if (state == HTTP_CACHE_FILL_UNUSED)
            http_cache_fill_fail(fill, p->time);
    settle(p);
    return p->told;
}
