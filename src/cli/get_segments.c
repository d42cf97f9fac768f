/* SPDX-License-Identifier: ISC */
/*
 * get_segments.c - one large file by several connections, each for a range of it (RFC 9110 §14).
 *
 * The first request asks for all of it. When the answer shows that there are ranges and by what the file is known
 * (a strong validator, §8.8.1), the rest is divided, and the first response is only listened to for its own part.
 * Without, it is a transfer like any other. What was written is noted in a file beside, for -C.
 */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/get.h"
#include "os/file.h"
#include "wire/http/http_date.h"
#include "wire/http/http_list.h"

enum {
    SEGMENT_MIN = 256 * 1024, /* not worth a connection below */
    ROUNDS_MAX = 3,
    STATE_MAX = 64 * 1024,
    NAME_MAX_LEN = 4096,
};
#define SAVE_INTERVAL (2 * USEC_PER_SEC)

struct segment {
    struct get_segments *all;
    uint64_t start, at, end;
    struct get_transfer *part; /* with its request; NULL: none is under way */
    bool first;                /* the transfer's own response fills it */
    bool idle;                 /* it goes on when another one has ended */
    unsigned tries;
    char reason[FETCH_REASON_MAX];
    struct alarm retry;
};

struct get_segments {
    struct get_transfer *t;
    uint64_t len;              /* of the whole */
    size_t count;
    bool running;
    bool whole;                /* the first response has all of the file */
    bool keep_state;           /* what is there may be gone on with */
    usec saved_at;
    unsigned rounds;           /* of waiting, with nothing under way */
    struct segment list[GET_SEGMENTS_MAX];
};

static void start_part(struct segment *s);
static void on_retry(struct alarm *alarm);

/* ---- the file beside ---- */

static bool state_name(const struct get_transfer *t, char name[NAME_MAX_LEN])
{
    struct text n = text_of(name, NAME_MAX_LEN);
    text_add_format(&n, "%s.segments", t->output.name);
    return !n.failed;
}

static int save(struct get_segments *all)
{
    const struct get_transfer *t = all->t;
    char name[NAME_MAX_LEN];
    json_t *list = json_array();
    for (size_t i = 0; i < all->count; i++) {
        const struct segment *s = &all->list[i];
        json_array_append_new(list, json_pack("[I,I,I]", (json_int_t)s->start, (json_int_t)s->at,
                                              (json_int_t)s->end));
    }
    json_t *state = json_pack("{s:s,s:I,s:s,s:o}", "url", t->asked, "length",
                              (json_int_t)all->len, "validator", t->validator, "segments", list);
    char *text = state != NULL ? json_dumps(state, JSON_INDENT(1)) : NULL;
    json_decref(state);
    all->saved_at = loop_now(t->get->loop);
    int status = -ENOMEM;
    if (text != NULL)
        status = state_name(t, name) ? file_write(name, bytes_of_text(text), 0666) : -ENAMETOOLONG;
    free(text);
    return status;
}

static bool read_segments(struct get_segments *all, const json_t *list)
{
    uint64_t expected = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_int_t start, at, end;
        if (i == GET_SEGMENTS_MAX ||
            json_unpack(json_array_get(list, i), "[I,I,I]", &start, &at, &end) != 0 || start < 0 ||
            (uint64_t)start != expected || at < start || end < at)
            return false;
        all->list[all->count++] =
            (struct segment){.start = (uint64_t)start, .at = (uint64_t)at, .end = (uint64_t)end};
        expected = (uint64_t)end;
    }
    return all->count > 0 && expected == all->len;
}

/* The first one that something is missing of, or NULL. */
static struct segment *first_open(struct get_segments *all)
{
    for (size_t i = 0; i < all->count; i++)
        if (all->list[i].at < all->list[i].end)
            return &all->list[i];
    return NULL;
}

/* Is as much of the file there as the state says? */
static bool fits_file(const struct get_segments *all)
{
    uint64_t least = 0;
    for (size_t i = 0; i < all->count; i++)
        if (all->list[i].at > all->list[i].start)
            least = all->list[i].at;
    return get_output_size(&all->t->output) >= least;
}

static struct get_segments *segments_new(struct get_transfer *t)
{
    struct get_segments *all = calloc(1, sizeof *all);
    if (all != NULL)
        all->t = t;
    return all;
}

static void adopt(struct get_segments *all)
{
    for (size_t i = 0; i < all->count; i++) {
        all->list[i].all = all;
        alarm_init(&all->list[i].retry, on_retry);
    }
    all->t->segments = all;
}

static bool take_state(struct get_segments *all, const char *text)
{
    struct get_transfer *t = all->t;
    const char *url, *validator;
    json_int_t len;
    json_t *list;
    json_t *state = json_loads(text, 0, NULL);
    struct text v = text_of(t->validator, sizeof t->validator);
    bool good = state != NULL &&
                json_unpack(state, "{s:s,s:I,s:s,s:o}", "url", &url, "length", &len, "validator",
                            &validator, "segments", &list) == 0 &&
                strcmp(url, t->asked) == 0 && len > 0 && validator[0] != '\0';
    if (good) {
        all->len = (uint64_t)len;
        text_add(&v, validator);
        good = !v.failed && read_segments(all, list) && first_open(all) != NULL && fits_file(all);
    }
    json_decref(state);
    return good;
}

bool get_segments_load(struct get_transfer *t)
{
    char name[NAME_MAX_LEN];
    char *text;
    size_t len;
    if (!state_name(t, name) || file_read(name, STATE_MAX, &text, &len) != 0)
        return false;
    struct get_segments *all = segments_new(t);
    bool good = all != NULL && take_state(all, text);
    free(text);
    if (!good) {
        t->validator[0] = '\0';
        free(all);
        return false;
    }
    adopt(all);
    struct segment *s = first_open(all);
    s->first = true;
    t->range = (struct get_range){true, s->at, s->end};
    return true;
}

/* ---- what there is to divide ---- */

/* "bytes 100-199/200" for that place of a file of that length? */
static bool is_range(const struct http_response_head *head, uint64_t from, uint64_t len)
{
    struct bytes value = http_field_value(&head->fields, "Content-Range");
    size_t slash = bytes_find(value, '/');
    size_t dash = bytes_find(value, '-');
    struct bytes unit = bytes_of_text("bytes ");
    uint64_t start, whole;
    return head->status == 206 && bytes_equal_nocase(bytes_first(value, unit.len), unit) &&
           dash < slash && dash > unit.len &&
           http_number(bytes_after(bytes_first(value, dash), unit.len), INT64_MAX, &start) &&
           http_number(bytes_after(value, slash + 1), INT64_MAX, &whole) && start == from &&
           whole == len;
}

/* A strong ETag, or a date that is old enough that nothing can have changed within its second (RFC 9110 §8.8.2.2). */
static bool is_known_well(const struct get_transfer *t, const struct http_response_head *head)
{
    int64_t modified, date;
    int64_t now = loop_wall_seconds(t->get->loop);
    if (t->validator[0] == '"')
        return true;
    return http_date_parse(http_field_value(&head->fields, "Last-Modified"), now, &modified) &&
           http_date_parse(http_field_value(&head->fields, "Date"), now, &date) && modified < date;
}

static size_t how_many(const struct get_transfer *t, const struct http_response_head *head,
                       const struct http_framing *framing)
{
    const struct get *g = t->get;
    if (g->segments < 2 || t->in_one_piece || head->status != 200 || framing->kind != HTTP_FRAMING_LENGTH ||
        framing->length > INT64_MAX || t->decoder != NULL || !t->output.is_file ||
        strcmp(t->method, "GET") != 0 || g->include || g->range != NULL ||
        (g->size_max != 0 && framing->length > g->size_max) ||
        !http_field_has(&head->fields, "Accept-Ranges", "bytes") || !is_known_well(t, head))
        return 1;
    uint64_t most = framing->length / SEGMENT_MIN;
    return most < g->segments ? (size_t)most : g->segments;
}

/* ---- its end ---- */

static void end_part(struct segment *s)
{
    loop_clear_alarm(s->all->t->get->loop, &s->retry);
    if (s->part == NULL)
        return;
    if (s->part->fetch != NULL)
        fetch_cancel(s->part->fetch);
    free(s->part);
    s->part = NULL;
}

/* The first response is not needed any more. */
static void end_first(struct get_transfer *t)
{
    if (t->fetch == NULL)
        return;
    t->outcome = *fetch_so_far(t->fetch);
    fetch_cancel(t->fetch);
    t->fetch = NULL;
}

void get_segments_end(struct get_transfer *t)
{
    struct get_segments *all = t->segments;
    char name[NAME_MAX_LEN];
    if (all == NULL)
        return;
    for (size_t i = 0; i < all->count; i++)
        end_part(&all->list[i]);
    bool open = first_open(all) != NULL;
    if (all->running && open && all->keep_state)
        (void)save(all);
    else if (all->running && state_name(t, name))
        (void)unlink(name);
    t->segments = NULL;
    free(all);
}

static bool any_under_way(const struct get_segments *all)
{
    for (size_t i = 0; i < all->count; i++) {
        const struct segment *s = &all->list[i];
        if (s->at < s->end && (s->part != NULL || s->first || timer_armed(&s->retry.timer)))
            return true;
    }
    return false;
}

static void segment_done(struct segment *s)
{
    struct get_segments *all = s->all;
    end_part(s);
    if (s->first)
        end_first(all->t);
    s->first = false;
    if (first_open(all) == NULL) {
        all->t->write_error = get_output_cut(&all->t->output, all->len);
        get_transfer_complete(all->t);
        return;
    }
    for (size_t i = 0; i < all->count; i++)
        if (all->list[i].idle) {
            start_part(&all->list[i]);
            return;
        }
}

/* ---- what goes wrong ---- */

/* Another try, later; or when another segment is done: servers let nobody have any number of connections. */
static void segment_failed(struct segment *s, const char *why, bool refused)
{
    struct get_segments *all = s->all;
    const struct get *g = all->t->get;
    end_part(s);
    s->first = false;
    snprintf(s->reason, sizeof s->reason, "%s", why);
    if (s->tries < g->retries) {
        usec wait = USEC_PER_SEC << (s->tries < 6 ? s->tries : 6);
        s->tries++;
        loop_set_alarm(g->loop, &s->retry, loop_look(g->loop) + usec_min(wait, GET_RETRY_WAIT_MAX));
        return;
    }
    s->idle = any_under_way(all);
    if (!s->idle && refused && all->rounds < ROUNDS_MAX)
        loop_set_alarm(g->loop, &s->retry, loop_look(g->loop) + (USEC_PER_SEC << all->rounds++));
    else if (!s->idle)
        get_transfer_fail(all->t, GET_BROKEN, "octets from %llu on: %s",
                          (unsigned long long)s->at, s->reason);
}

static void on_retry(struct alarm *alarm)
{
    start_part(CONTAINER_OF(alarm, struct segment, retry));
}

/* There are no ranges after all, or the file has changed. The first response may still have all of it. */
static void no_range(struct get_segments *all)
{
    struct segment *s = &all->list[0];
    if (!all->whole || !s->first) {
        all->keep_state = false;
        get_transfer_restart(all->t);
        return;
    }
    for (size_t i = 1; i < all->count; i++) {
        end_part(&all->list[i]);
        all->t->received -= all->list[i].at - all->list[i].start;
    }
    all->count = 1;
    s->end = all->len;
}

/* ---- responses ---- */

static void on_head(void *self, struct fetch *fetch, const struct http_response_head *head,
                    const struct http_framing *framing UNUSED)
{
    struct segment *s = self;
    struct get_segments *all = s->all;
    char why[64];
    if (all->t->get->verbose)
        get_show_head(head, fetch_is_http2(fetch));
    if (head->status < 200 || is_range(head, s->at, all->len))
        return;
    if (head->status >= 400) {
        snprintf(why, sizeof why, "the server says %u", head->status);
        segment_failed(s, why, true);
        return;
    }
    no_range(all);
}

static void put(struct segment *s, struct bytes data)
{
    struct get_segments *all = s->all;
    struct get_transfer *t = all->t;
    uint64_t left = s->end - s->at;
    data = bytes_first(data, left < data.len ? (size_t)left : data.len);
    t->write_error = get_output_write_at(&t->output, s->at, data);
    if (t->write_error != 0) {
        get_transfer_fail(t, GET_NOT_WRITTEN, "%s", "");
        return;
    }
    s->at += data.len;
    s->tries = 0;
    all->rounds = 0;
    t->received += data.len;
    t->get->total.octets += data.len;
    get_show_progress(t, false);
    if (loop_now(t->get->loop) - all->saved_at >= SAVE_INTERVAL)
        (void)save(all); /* if it cannot be, there is nothing to go on with */
}

static void on_body(void *self, struct fetch *fetch UNUSED, struct bytes data)
{
    put(self, data);
}

static void on_end(void *self, struct fetch *fetch UNUSED, const struct fetch_outcome *outcome)
{
    struct segment *s = self;
    s->part->fetch = NULL;
    if (s->at == s->end)
        segment_done(s);
    else
        segment_failed(s, outcome->result != FETCH_OK ? outcome->reason : "it ends too early",
                       false);
}

/* ---- requests ---- */

/* A request like the transfer's, to where that has led. */
static struct get_transfer *part_new(const struct segment *s)
{
    const struct get_transfer *t = s->all->t;
    struct get_transfer *part = calloc(1, sizeof *part);
    if (part == NULL)
        return NULL;
    part->get = t->get;
    part->which = t->which;
    part->url = t->url;
    part->first = t->first;
    part->proxy = t->proxy;
    part->has_proxy = t->has_proxy;
    part->method = "GET";
    part->challenge = t->challenge;
    part->proxy_challenge = t->proxy_challenge;
    memcpy(part->validator, t->validator, sizeof part->validator);
    part->range = (struct get_range){true, s->at, s->end};
    return part;
}

static void on_sent(void *self, struct fetch *fetch)
{
    const struct segment *s = self;
    if (s->all->t->get->verbose)
        get_show_request(s->part, fetch_is_http2(fetch));
}

static void start_part(struct segment *s)
{
    static const struct fetch_handler calls = {
        .on_sent = on_sent, .on_head = on_head, .on_body = on_body, .on_end = on_end};
    const struct get *g = s->all->t->get;
    s->idle = false;
    s->part = part_new(s);
    bool made = s->part != NULL && get_request_make(s->part);
    if (made) {
        s->part->request.fresh = true; /* several connections are what this is for */
        s->part->fetch = fetch_start(g->fetcher, &s->part->request, &calls, s);
    }
    if (!made || s->part->fetch == NULL)
        segment_failed(s, "no memory", false);
}

static void run(struct get_segments *all)
{
    struct get_transfer *t = all->t;
    all->running = true;
    all->keep_state = true;
    t->resumed_at = 0;
    for (size_t i = 0; i < all->count; i++)
        t->resumed_at += all->list[i].at - all->list[i].start;
    t->expected = all->len - t->resumed_at;
    (void)save(all);
    for (size_t i = 0; i < all->count; i++)
        if (!all->list[i].first && all->list[i].at < all->list[i].end)
            start_part(&all->list[i]);
}

void get_segments_begin(struct get_transfer *t, const struct http_response_head *head,
                        const struct http_framing *framing)
{
    size_t count = how_many(t, head, framing);
    struct get_segments *all = count > 1 ? segments_new(t) : NULL;
    if (all == NULL)
        return;
    all->len = framing->length;
    all->count = count;
    all->whole = true;
    for (size_t i = 0; i < count; i++) {
        struct segment *s = &all->list[i];
        s->start = s->at = all->len / count * i;
        s->end = i + 1 == count ? all->len : all->len / count * (i + 1);
    }
    all->list[0].first = true;
    adopt(all);
    run(all);
}

bool get_segments_go_on(struct get_transfer *t, const struct http_response_head *head)
{
    struct get_segments *all = t->segments;
    struct segment *s = first_open(all);
    t->range.wanted = false;
    if (!is_range(head, s->at, all->len)) {
        all->running = true; /* what was noted is of no use any more */
        get_segments_end(t);
        t->validator[0] = '\0';
        return false;
    }
    t->write_error = get_output_open(&t->output, 0, true);
    if (t->write_error == 0)
        run(all);
    return true;
}

bool get_segments_running(const struct get_transfer *t)
{
    return t->segments != NULL && t->segments->running;
}

static struct segment *first_segment(struct get_segments *all)
{
    for (size_t i = 0; i < all->count; i++)
        if (all->list[i].first)
            return &all->list[i];
    return NULL;
}

void get_segments_take(struct get_transfer *t, struct bytes data)
{
    struct segment *s = first_segment(t->segments);
    put(s, data);
    if (!t->done && s->at == s->end)
        segment_done(s);
}

void get_segments_first_ended(struct get_transfer *t, const struct fetch_outcome *outcome)
{
    struct segment *s = first_segment(t->segments);
    segment_failed(s, outcome->result != FETCH_OK ? outcome->reason : "it ends too early",
                       false);
}
