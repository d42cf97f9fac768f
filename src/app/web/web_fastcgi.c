/* SPDX-License-Identifier: ISC */
/*
 * web_fastcgi.c - FastCGI 1.0: one request at a time on a connection, in the role of responder (§6.2).
 *
 * A request goes to another server, or over another connection, only while nothing of it can have been
 * worked on: the connection did not open; or it had been kept, was closed without an octet of an answer,
 * and the request may be repeated (RFC 9110 §9.2.2). Others get a connection of their own.
 *
 * SKIPS FastCGI 1.0 §4.1 (GET_VALUES): we do not ask for several requests on one connection, which hardly
 * any application knows; and §6.3, §6.4: authorizers and filters.
 */
#include "app/web/web_fastcgi.h"

#include <errno.h>
#include <stdlib.h>

#include "app/web/web_fastcgi_link.h"
#include "app/web/web_gateway.h"

struct fcgi_job {
    struct web_gateway base; /* first: it is freed as that */
    struct fcgi_link *link;  /* NULL: none */
    uint32_t first;          /* of rule->backends, where the turn began */
    uint32_t tried;
    uint32_t failed;         /* a bit for each that did, this time */
    bool said;               /* something has come */
    bool repeatable;
    bool busy;               /* a server had no place */
    bool stdin_ended;
    uint8_t frame[FASTCGI_HEADER_LEN]; /* of standard input */
    uint8_t frame_at, frame_len;
    size_t record_left;
    uint8_t end[FASTCGI_END_LEN];
    uint8_t end_len;
};
_Static_assert(offsetof(struct fcgi_job, base) == 0, "a gateway is freed as what it begins");

static struct fcgi_job *job_of(struct web_gateway *gateway)
{
    return CONTAINER_OF(gateway, struct fcgi_job, base);
}

static usec now_of(const struct web *web)
{
    return loop_now(net_loop(web->net));
}

/* ---- the request ---- */

static void put_params(struct writer *w, struct bytes pairs)
{
    while (pairs.len > 0) {
        struct bytes part = bytes_first(pairs, FASTCGI_CONTENT_MAX);
        fastcgi_write_header(w, FASTCGI_PARAMS, (uint16_t)part.len);
        write_bytes(w, part);
        pairs = bytes_after(pairs, part.len);
    }
    fastcgi_write_header(w, FASTCGI_PARAMS, 0);
}

/* All before standard input. It fits into what a stream takes at once. False: no memory. */
static bool send_head(struct fcgi_job *job)
{
    struct bytes meta = page_bytes(&job->base.meta);
    struct bytes name, value;
    size_t at = 0;
    size_t size = 3 * meta.len + 256; /* each pair has its NUL and "=" to spare */
    uint8_t *pairs = malloc(2 * size);
    if (pairs == NULL)
        return false;
    struct writer params = writer_of(pairs, size);
    struct writer all = writer_of(pairs + size, size);
    while (web_meta_next(meta, &at, &name, &value))
        fastcgi_write_pair(&params, name, value);
    fastcgi_write_begin(&all, FASTCGI_RESPONDER, true);
    put_params(&all, writer_bytes(&params));
    bool good = !params.failed && !all.failed &&
                stream_send(job->link->stream, writer_bytes(&all)) == writer_len(&all);
    free(pairs);
    return good;
}

/* What stands before a record of standard input. False: the stream is full. */
static bool send_frame(struct fcgi_job *job)
{
    struct bytes frame = bytes_after(bytes_of(job->frame, job->frame_len), job->frame_at);
    job->frame_at = (uint8_t)(job->frame_at + stream_send(job->link->stream, frame));
    return job->frame_at == job->frame_len;
}

static void begin_record(struct fcgi_job *job, size_t len)
{
    struct writer w = writer_of(job->frame, sizeof job->frame);
    fastcgi_write_header(&w, FASTCGI_STDIN, (uint16_t)len);
    job->frame_at = 0;
    job->frame_len = (uint8_t)writer_len(&w);
    job->record_left = len;
}

static void send_body(struct web_gateway *g)
{
    struct fcgi_job *job = job_of(g);
    if (job->link == NULL || !job->link->opened)
        return;
    while (send_frame(job)) {
        struct bytes data = web_flow_bytes(&g->in);
        if (job->record_left == 0 && data.len > 0) {
            begin_record(job, data.len < FASTCGI_CONTENT_MAX ? data.len : FASTCGI_CONTENT_MAX);
            continue;
        }
        if (job->record_left == 0 && g->in.ended && !job->stdin_ended) {
            job->stdin_ended = true;
            begin_record(job, 0);
            continue;
        }
        data = bytes_first(data, job->record_left);
        if (data.len == 0)
            return;
        size_t taken = stream_send(job->link->stream, data);
        job->record_left -= taken;
        web_gateway_sent(g, taken);
        if (taken < data.len)
            return; /* on_room() goes on */
    }
}

static void begin_job(struct fcgi_job *job)
{
    if (send_head(job))
        send_body(&job->base);
    else
        web_gateway_fail(&job->base, 503);
}

static const struct stream_handler link_handler;

/* ---- whom to ask ---- */

static bool is_down(const struct web *web, const struct fcgi_peer *peer)
{
    return now_of(web) < peer->down_until;
}

/* One of the servers. 0: it is asked; or a negative errno. */
static int ask(struct fcgi_job *job, struct fcgi_peer *peer)
{
    job->link = job->repeatable ? fcgi_link_take(peer, job) : NULL;
    if (job->link != NULL) {
        begin_job(job);
        return 0;
    }
    if (peer->open >= WEB_FASTCGI_OPEN_MAX) {
        if (peer->idle_count == 0)
            return -EAGAIN;
        fcgi_link_close(CONTAINER_OF(list_first(&peer->idle), struct fcgi_link, node));
    }
    return fcgi_link_open(job->base.web, peer, &link_handler, job, &job->link);
}

static uint32_t bit_of(const struct fcgi_job *job, const struct fcgi_peer *peer)
{
    uint32_t bits = 0;
    for (uint32_t i = 0; i < job->base.rule->backend_count; i++)
        if (strcmp(job->base.rule->backends[i], peer->address) == 0)
            bits |= 1u << i;
    return bits;
}

static void note_failure(struct fcgi_job *job, struct fcgi_peer *peer, int error)
{
    job->failed |= bit_of(job, peer);
    job->busy |= error == EAGAIN;
    if (error == EAGAIN)
        return;
    web_gateway_say(&job->base, "%s: %s", peer->address, strerror(error));
    peer->down_until = now_of(job->base.web) + WEB_FASTCGI_DOWN;
}

/* The next server that is not known to be down; when all are, those too. */
static void ask_next(struct fcgi_job *job, unsigned status)
{
    const struct web_rule *rule = job->base.rule;
    while (job->tried < 2 * rule->backend_count) {
        bool again = job->tried >= rule->backend_count;
        uint32_t at = (job->first + job->tried++) % rule->backend_count;
        struct fcgi_peer *peer = fcgi_peer_of(&job->base.web->fastcgi, rule->backends[at]);
        if (peer == NULL) {
            job->busy = true;
            continue;
        }
        if ((job->failed & 1u << at) != 0 || is_down(job->base.web, peer) != again)
            continue;
        int error = ask(job, peer);
        if (error == 0)
            return;
        note_failure(job, peer, -error);
    }
    web_gateway_fail(&job->base, job->busy ? 503 : status);
}

static void start(struct web_gateway *g)
{
    struct fcgi_job *job = job_of(g);
    job->first = (uint32_t)(g->web->turn++ % g->rule->backend_count);
    ask_next(job, 502);
}

/* ---- the answer ---- */

/* The job has its answer, or never will; the link is nobody's now. */
static struct fcgi_link *part(struct fcgi_job *job)
{
    struct fcgi_link *link = job->link;
    job->link = NULL;
    link->job = NULL;
    return link;
}

static void end_request(struct fcgi_link *link)
{
    struct fcgi_job *job = link->job;
    uint32_t exit_status;
    enum fastcgi_end end = FASTCGI_REQUEST_COMPLETE;
    bool good = fastcgi_read_end(bytes_of(job->end, job->end_len), &exit_status, &end) == WIRE_OK;
    bool whole = job->stdin_ended && job->frame_at == job->frame_len && job->record_left == 0;
    (void)part(job);
    if (good && whole) /* else octets of this request would be read as the next one's */
        fcgi_link_keep(link);
    else
        fcgi_link_close(link);
    if (good && end == FASTCGI_REQUEST_COMPLETE) {
        web_gateway_over(&job->base);
        return;
    }
    web_gateway_say(&job->base, "FastCGI: the request was refused");
    web_gateway_fail(&job->base, end == FASTCGI_OVERLOADED ? 503 : 502);
}

/* False: the link is gone, or serves nobody any more. */
static bool take_piece(struct fcgi_link *link, const struct fastcgi_piece *piece)
{
    struct fcgi_job *job = link->job;
    job->said = true;
    switch (piece->type) {
    case FASTCGI_STDOUT:
        web_gateway_output(&job->base, piece->content);
        break;
    case FASTCGI_STDERR:
        web_gateway_complain(&job->base, piece->content);
        break;
    case FASTCGI_END_REQUEST: {
        size_t room = sizeof job->end - job->end_len;
        struct bytes part_of = bytes_first(piece->content, room);
        memcpy(job->end + job->end_len, part_of.data, part_of.len);
        job->end_len = (uint8_t)(job->end_len + part_of.len);
        if (piece->last)
            end_request(link);
        return !piece->last;
    }
    default: /* of the peer's: what we do not know counts for nothing */
        break;
    }
    return job->link == link; /* the answer may have been given up */
}

/* Broken off in its midst. */
static void lose(struct fcgi_job *job, unsigned status, const char *why)
{
    web_gateway_say(&job->base, "FastCGI: %s", why);
    web_gateway_fail(&job->base, status);
}

static size_t on_bytes(void *self, struct stream *stream UNUSED, struct bytes in)
{
    struct fcgi_link *link = self;
    size_t total = 0;
    size_t used;
    struct fastcgi_piece piece;
    do {
        if (link->job != NULL && web_gateway_full(&link->job->base))
            return total; /* resume() goes on */
        used = fastcgi_input(&link->reader, bytes_after(in, total), &piece);
        total += used;
        if (link->reader.malformed || (piece.present && link->job == NULL)) {
            struct fcgi_job *job = link->job;
            if (job != NULL)
                (void)part(job);
            fcgi_link_close(link);
            if (job != NULL)
                lose(job, 502, "malformed records");
            return in.len;
        }
        if (piece.present && !take_piece(link, &piece))
            return total;
    } while (used > 0 || piece.present);
    return total;
}

static void on_open(void *self, struct stream *stream)
{
    struct fcgi_link *link = self;
    link->opened = true;
    link->peer->down_until = 0;
    stream_set_deadline(stream, USEC_NEVER);
    begin_job(link->job);
}

static void on_room(void *self, struct stream *stream UNUSED)
{
    struct fcgi_link *link = self;
    if (link->job != NULL)
        send_body(&link->job->base);
}

/* The connection is no more; who used it looks for another, if that may be. */
static void on_lost(struct fcgi_link *link, int error)
{
    struct fcgi_job *job = link->job;
    struct fcgi_peer *peer = link->peer;
    bool opened = link->opened;
    bool stale = link->reused;
    fcgi_link_drop(link);
    if (job == NULL)
        return;
    job->link = NULL;
    if (!opened) {
        note_failure(job, peer, error);
        ask_next(job, error == ETIMEDOUT ? 504 : 502);
    } else if (stale && !job->said && job->repeatable && !job->base.has_body) {
        job->repeatable = false; /* a new connection now */
        job->tried = 0;
        ask_next(job, 502);
    } else {
        lose(job, 502, error != 0 ? strerror(error) : "the connection has ended before the answer");
    }
}

static void on_end(void *self, struct stream *stream)
{
    stream_close(stream);
    on_lost(self, 0);
}

static void on_closed(void *self, struct stream *stream UNUSED, int error)
{
    on_lost(self, error);
}

static void on_deadline(void *self, struct stream *stream)
{
    stream_abort(stream); /* idle for long, or it does not open */
    on_lost(self, ETIMEDOUT);
}

static const struct stream_handler link_handler = {
    .on_open = on_open,
    .on_bytes = on_bytes,
    .on_end = on_end,
    .on_room = on_room,
    .on_closed = on_closed,
    .on_deadline = on_deadline,
};

static void resume(struct web_gateway *g)
{
    struct fcgi_job *job = job_of(g);
    if (job->link != NULL)
        stream_resume(job->link->stream);
}

/* The application may go on with something else (§5.4), if it looks. */
static void cancel(struct web_gateway *g)
{
    struct fcgi_job *job = job_of(g);
    if (job->link == NULL)
        return;
    struct fcgi_link *link = part(job);
    uint8_t record[FASTCGI_HEADER_LEN];
    struct writer w = writer_of(record, sizeof record);
    fastcgi_write_header(&w, FASTCGI_ABORT_REQUEST, 0);
    if (link->opened && job->record_left == 0 && job->frame_at == job->frame_len)
        (void)stream_send(link->stream, writer_bytes(&w));
    fcgi_link_close(link);
}

static const struct web_backend backend = {
    .start = start,
    .send = send_body,
    .resume = resume,
    .cancel = cancel,
};

/* RFC 9110 §9.2.2 */
static bool is_repeatable(const struct web_exchange *exchange)
{
    static const char *const known[] = {"GET", "HEAD", "OPTIONS"};
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (strcmp(exchange->method, known[i]) == 0)
            return true;
    return false;
}

unsigned web_fastcgi_request(struct web_exchange *exchange, const struct web_script *script)
{
    struct fcgi_job *job = calloc(1, sizeof *job);
    if (job == NULL)
        return 503;
    job->repeatable = is_repeatable(exchange);
    unsigned refusal = web_gateway_begin(&job->base, exchange, script, &backend);
    if (refusal != 0)
        free(job);
    return refusal;
}
