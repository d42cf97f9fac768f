/* SPDX-License-Identifier: ISC */
/* site_anchors.c - asks for the keys of trust anchors, and keeps what was learned of them (RFC 5011). */
#include "site/site_anchors.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "io/loop.h"
#include "os/file.h"
#include "proto/dns/anchor_track.h"
#include "site/site_config.h"

enum {
    STATE_FILE_MAX = RESOLVER_ANCHORS_MAX * ANCHOR_KEYS_MAX * ANCHOR_LINE_MAX + 1024,
    LOOKS_MAX = 5, /* at the cache, until what was asked for is there: longer than RESOLVER_TIMEOUT */
};
#define LOOK_INTERVAL (3 * USEC_PER_SEC)

struct followed {
    struct anchor_track track;
    struct site_anchors *anchors;
    struct alarm alarm;    /* the next query, or the next look at the cache */
    unsigned looks;        /* 0: nothing was asked */
    bool known;            /* when it was asked … */
    uint32_t ttl;          /* … for so long still */
};

struct site_anchors {
    struct site_anchors_options options;
    char path[SITE_PATH_MAX];
    struct names *names;              /* NULL: not started */
    struct names_recursion *given;    /* as it is configured */
    struct names_recursion *trusted;  /* the same with what was learned */
    uint8_t *scratch;
    bool unwritten;                   /* the file is behind */
    size_t count;
    struct followed watches[RESOLVER_ANCHORS_MAX];
};

static void on_alarm(struct alarm *alarm);

/* NULL: there are too many. */
static struct followed *watch_of(struct site_anchors *anchors, const struct dns_name *zone)
{
    for (size_t i = 0; i < anchors->count; i++)
        if (dns_name_equal(&anchors->watches[i].track.zone, zone))
            return &anchors->watches[i];
    if (anchors->count == RESOLVER_ANCHORS_MAX)
        return NULL;
    struct followed *watch = &anchors->watches[anchors->count++];
    anchor_track_init(&watch->track, zone);
    watch->anchors = anchors;
    watch->looks = 0;
    alarm_init(&watch->alarm, on_alarm);
    return watch;
}

/* ---- the file ---- */

static const char *read_line(struct site_anchors *anchors, struct bytes line)
{
    struct dns_name zone;
    struct anchor_key key;
    if (line.len == 0 || line.data[0] == '#')
        return NULL;
    const char *wrong = anchor_key_parse(line, &zone, &key);
    if (wrong != NULL)
        return wrong;
    struct followed *watch = watch_of(anchors, &zone);
    return watch != NULL && anchor_track_restore(&watch->track, &key) ? NULL : "too many keys, or twice";
}

/* What cannot be read is not taken for nothing: it may say what was revoked. */
static int read_file(struct site_anchors *anchors, struct text *error)
{
    char *content;
    size_t len;
    int result = file_read(anchors->path, STATE_FILE_MAX, &content, &len);
    if (result == -ENOENT)
        return 0;
    if (result < 0) {
        text_add_format(error, "anchors-state: cannot read %s: %s", anchors->path, strerror(-result));
        return result;
    }
    struct bytes rest = bytes_of(content, len);
    const char *wrong = NULL;
    for (unsigned number = 1; rest.len > 0 && wrong == NULL; number++) {
        size_t end = bytes_find(rest, '\n');
        wrong = read_line(anchors, bytes_first(rest, end));
        if (wrong != NULL)
            text_add_format(error, "anchors-state: %s: line %u: %s", anchors->path, number, wrong);
        rest = bytes_after(rest, end + 1);
    }
    free(content);
    return wrong == NULL ? 0 : -EINVAL;
}

static void format_all(const struct site_anchors *anchors, struct text *out)
{
    text_add(out, "# Keys of trust anchors (RFC 5011), written by wholenet: zone, state, since when and for how\n"
                  "# long it waits in seconds, and the DNSKEY\n");
    for (size_t i = 0; i < anchors->count; i++) {
        const struct anchor_track *track = &anchors->watches[i].track;
        for (size_t j = 0; j < track->key_count; j++) {
            anchor_key_format(&track->zone, &track->keys[j], out);
            text_add(out, "\n");
        }
    }
}

static void write_file(struct site_anchors *anchors)
{
    char *buffer = malloc(STATE_FILE_MAX);
    int result = -ENOMEM;
    if (buffer != NULL) {
        struct text text = text_of(buffer, STATE_FILE_MAX);
        format_all(anchors, &text);
        ASSERT(!text.failed);
        result = file_write(anchors->path, text_bytes(&text), 0644);
    }
    free(buffer);
    anchors->unwritten = result < 0; /* and the next query tries again */
    if (result < 0)
        log_error(anchors->options.log, "names: cannot write %s: %s", anchors->path, strerror(-result));
}

/* ---- what is trusted ---- */

static struct bytes configured_of(const struct site_anchors *anchors, const struct dns_name *zone)
{
    const struct names_recursion *given = anchors->given;
    for (size_t i = 0; i < given->anchor_count; i++)
        if (dns_name_equal(&given->anchors[i].zone, zone))
            return bytes_of(given->anchors[i].ds, given->anchors[i].ds_len);
    return bytes_empty();
}

static void make_trusted(struct site_anchors *anchors)
{
    *anchors->trusted = *anchors->given;
    for (size_t i = 0; i < anchors->given->anchor_count; i++) {
        struct resolver_anchor *to = &anchors->trusted->anchors[i];
        struct followed *watch = watch_of(anchors, &to->zone);
        struct bytes configured = configured_of(anchors, &to->zone);
        ASSERT(watch != NULL); /* there are as many as anchors, and others were dropped */
        memset(to->ds, 0, sizeof to->ds); /* they are compared as a whole */
        struct writer w = writer_of(to->ds, sizeof to->ds);
        if (!anchor_track_trusted(&watch->track, anchors->options.crypto, configured, &w))
            log_error(anchors->options.log, "names: more trust anchors than there is room for");
        to->ds_len = writer_len(&w);
    }
}

/* Zones whose anchors the administrator has taken away are not followed any more. */
static void drop_unwanted(struct site_anchors *anchors)
{
    for (size_t i = anchors->count; i-- > 0;) {
        struct followed *watch = &anchors->watches[i];
        loop_clear_alarm(anchors->options.loop, &watch->alarm);
        if (configured_of(anchors, &watch->track.zone).len > 0)
            continue;
        struct followed *last = &anchors->watches[--anchors->count];
        loop_clear_alarm(anchors->options.loop, &last->alarm);
        if (watch != last)
            watch->track = last->track;
        anchors->unwritten = true;
    }
}

static void ask_all(struct site_anchors *anchors)
{
    for (size_t i = 0; i < anchors->count; i++) {
        anchors->watches[i].looks = 0;
        loop_set_alarm(anchors->options.loop, &anchors->watches[i].alarm, loop_now(anchors->options.loop));
    }
}

void site_anchors_apply(struct site_anchors *anchors, struct names_recursion *recursion)
{
    *anchors->given = *recursion;
    drop_unwanted(anchors);
    make_trusted(anchors);
    *recursion = *anchors->trusted;
    if (anchors->names != NULL)
        ask_all(anchors);
}

void site_anchors_copy(const struct site_anchors *anchors, struct names_recursion *recursion)
{
    recursion->anchor_count = anchors->trusted->anchor_count;
    memcpy(recursion->anchors, anchors->trusted->anchors, sizeof recursion->anchors);
}

void site_anchors_start(struct site_anchors *anchors, struct names *names)
{
    anchors->names = names;
    ask_all(anchors);
}

/* ---- queries ---- */

static bool look_up(const struct followed *watch, struct cache_found *out)
{
    return cache_find(names_cache(watch->anchors->names, NAMES_EVERYBODY), &watch->track.zone, DNS_DNSKEY,
                      loop_now(watch->anchors->options.loop), false, out) &&
           out->content.kind == CACHE_DATA;
}

static void ask(struct followed *watch)
{
    struct cache_found found;
    watch->known = look_up(watch, &found);
    watch->ttl = watch->known ? found.content.ttl : 0;
    watch->looks = 1;
    names_renew(watch->anchors->names, &watch->track.zone, DNS_DNSKEY);
    loop_set_alarm(watch->anchors->options.loop, &watch->alarm,
                   loop_now(watch->anchors->options.loop) + LOOK_INTERVAL);
}

/* Has it come since it was asked for? What is bogus is not kept for as long as its TTL says. */
static bool is_new(const struct followed *watch, const struct cache_content *content)
{
    int64_t elapsed = (int64_t)watch->looks * LOOK_INTERVAL / USEC_PER_SEC;
    return content->security != CACHE_UNCHECKED &&
           (!watch->known || content->security == CACHE_BOGUS ||
            (int64_t)content->ttl > (int64_t)watch->ttl - elapsed + 1);
}

static void tell(const struct site_anchors *anchors, const struct anchor_track *track)
{
    char zone[DNS_NAME_TEXT_MAX];
    for (size_t i = 0; i < track->key_count; i++)
        log_notice(anchors->options.log, "names: trust anchor of %s: key %u is %s",
                   dns_name_format(&track->zone, zone),
                   validate_key_tag(bytes_of(track->keys[i].rdata, track->keys[i].len)),
                   anchor_state_name(track->keys[i].state));
}

/* The file first: what was revoked stays so, even if we end now. */
static void take_over(struct site_anchors *anchors, const struct anchor_track *track)
{
    tell(anchors, track);
    write_file(anchors);
    make_trusted(anchors);
    if (names_set_roots(anchors->names, anchors->trusted) < 0)
        log_error(anchors->options.log, "names: no memory for trust anchors: they stay as they were");
}

static bool see(struct followed *watch, const struct cache_content *content)
{
    struct site_anchors *anchors = watch->anchors;
    struct validate_context v;
    int64_t date = anchors->options.date != 0 ? anchors->options.date
                                              : loop_wall_seconds(anchors->options.loop);
    struct validate_set set = {&watch->track.zone, DNS_DNSKEY, content->records, content->signatures};
    validate_init(&v, anchors->options.crypto, date, anchors->scratch);
    struct anchor_news news =
        anchor_track_see(&watch->track, &v, &set, configured_of(anchors, &watch->track.zone));
    if (news.full)
        log_error(anchors->options.log, "names: more keys of a trust anchor than there is room for");
    if (news.changed)
        take_over(anchors, &watch->track);
    else if (anchors->unwritten)
        write_file(anchors);
    return news.validated;
}

static void wait_for_next(struct followed *watch, bool validated)
{
    usec interval = (usec)anchor_track_interval(&watch->track, validated) * USEC_PER_SEC;
    char zone[DNS_NAME_TEXT_MAX];
    if (!validated)
        log_warning(watch->anchors->options.log, "names: no keys of the trust anchor %s were to be had that "
                                                 "are signed by one that is trusted",
                    dns_name_format(&watch->track.zone, zone));
    watch->looks = 0;
    loop_set_alarm(watch->anchors->options.loop, &watch->alarm,
                   loop_now(watch->anchors->options.loop) + interval);
}

static void on_alarm(struct alarm *alarm)
{
    struct followed *watch = CONTAINER_OF(alarm, struct followed, alarm);
    struct cache_found found;
    if (watch->looks == 0) {
        ask(watch);
        return;
    }
    if (look_up(watch, &found) && is_new(watch, &found.content)) {
        wait_for_next(watch, see(watch, &found.content));
    } else if (watch->looks++ == LOOKS_MAX) {
        wait_for_next(watch, false);
    } else {
        loop_set_alarm(watch->anchors->options.loop, alarm,
                       loop_now(watch->anchors->options.loop) + LOOK_INTERVAL);
    }
}

/* ---- the whole ---- */

int site_anchors_new(const struct site_anchors_options *options, struct site_anchors **out,
                     struct text *error)
{
    struct site_anchors *anchors = calloc(1, sizeof *anchors);
    *out = anchors;
    if (anchors == NULL)
        return -ENOMEM;
    anchors->options = *options;
    struct text path = text_of(anchors->path, sizeof anchors->path);
    text_add(&path, options->path);
    anchors->given = calloc(1, sizeof *anchors->given);
    anchors->trusted = calloc(1, sizeof *anchors->trusted);
    anchors->scratch = malloc(VALIDATE_SCRATCH_LEN);
    if (anchors->given == NULL || anchors->trusted == NULL || anchors->scratch == NULL) {
        text_add(error, "anchors-state: no memory");
        return -ENOMEM;
    }
    return read_file(anchors, error);
}

void site_anchors_free(struct site_anchors *anchors)
{
    if (anchors == NULL)
        return;
    for (size_t i = 0; i < anchors->count; i++)
        loop_clear_alarm(anchors->options.loop, &anchors->watches[i].alarm);
    free(anchors->given);
    free(anchors->trusted);
    free(anchors->scratch);
    free(anchors);
}
