/* SPDX-License-Identifier: ISC */
/*
 * http_server.c - a connection as an HTTP/1.x server sees it: RFC 9112 §9.3 (persistence, pipelining), §9.5 (timeouts),
 * §9.6 (closing). Reading the request and sending the response are two small machines; the next request
 * begins when both are done.
 */
#include "proto/http/http_server_internal.h"

#include "wire/http/http_status.h"

void http_server_init(struct http_server *s, const char *name, usec now)
{
    memset(s, 0, offsetof(struct http_server, output));
    s->name = name;
    s->now = now;
    s->keep_alive = true;
    s->read_deadline = now + HTTP_SERVER_IDLE_TIMEOUT;
    s->send_deadline = USEC_NEVER;
}

void http_server_set_wall(struct http_server *s, int64_t seconds)
{
    s->wall = seconds;
}

void http_server_set_date(struct http_server *s, const char *date)
{
    s->date = date;
}

void http_server_end(struct http_server *s, usec now)
{
    http_server_advance(s, now);
    s->ended = true;
}

/* ---- request and response ---- */

void http_server_abort(struct http_server *s)
{
    s->aborted = true;
    s->request = HTTP_SERVER_DRAIN;
    s->response = HTTP_SERVER_SENT;
    s->read_deadline = USEC_NEVER;
    s->send_deadline = USEC_NEVER;
}

void http_server_settle(struct http_server *s)
{
    if (s->response != HTTP_SERVER_SENT)
        return;
    if (s->output_len == 0)
        s->send_deadline = USEC_NEVER;
    if (!s->keep_alive && s->request != HTTP_SERVER_DRAIN) {
        s->request = HTTP_SERVER_DRAIN;
        s->read_deadline = USEC_NEVER;
    }
    if (s->request == HTTP_SERVER_DRAIN) {
        if (s->output_len == 0 && s->read_deadline == USEC_NEVER && !s->aborted)
            s->read_deadline = s->now + HTTP_SERVER_LINGER;
    } else if (s->request == HTTP_SERVER_COMPLETE) {
        s->request = HTTP_SERVER_HEAD;
        s->response = HTTP_SERVER_NONE;
        s->finder = (struct http_finder){0};
        s->blank_lines = 0;
        s->head_only = false;
        s->read_deadline = s->now + HTTP_SERVER_IDLE_TIMEOUT;
    }
}

void http_server_stop_reading(struct http_server *s)
{
    s->keep_alive = false;
    if (s->request != HTTP_SERVER_DRAIN)
        s->read_deadline = USEC_NEVER;
    s->request = HTTP_SERVER_DRAIN;
    http_server_settle(s);
}

void http_server_write_opening(const struct http_server *s, struct writer *w, unsigned status)
{
    http_write_status_line(w, status);
    if (s->date != NULL)
        http_write_field_text(w, "Date", s->date);
    else if (s->wall != 0)
        http_write_field_date(w, "Date", s->wall);
    if (s->name != NULL)
        http_write_field_text(w, "Server", s->name);
}

void http_server_refuse(struct http_server *s, unsigned status)
{
    if (s->response == HTTP_SERVER_SENDING || s->aborted) {
        http_server_abort(s);
        return;
    }
    if (s->response == HTTP_SERVER_SENT) { /* has answered already */
        http_server_stop_reading(s);
        return;
    }
    const char *reason = http_status_text(status);
    struct writer w = http_server_output_writer(s);
    http_server_write_opening(s, &w, status);
    http_write_field_text(&w, "Content-Type", "text/plain");
    http_write_field_number(&w, "Content-Length", 3 + 1 + strlen(reason) + 1);
    http_write_field_text(&w, "Connection", "close");
    http_write_end(&w);
    if (!s->head_only) {
        http_write_number(&w, status);
        write_u8(&w, ' ');
        http_write_text(&w, reason);
        write_u8(&w, '\n');
    }
    if (w.failed) { /* only behind a response that the peer does not read */
        http_server_abort(s);
        return;
    }
    http_server_commit(s, &w);
    s->status = status;
    s->responses++;
    s->response = HTTP_SERVER_SENT;
    http_server_stop_reading(s);
}

/* ---- what is to be sent ---- */

struct bytes http_server_output(const struct http_server *s)
{
    return bytes_of(s->output + s->output_at, s->output_len);
}

void http_server_sent(struct http_server *s, size_t len, usec now)
{
    ASSERT(len <= s->output_len);
    http_server_advance(s, now);
    s->output_at = (uint16_t)(s->output_at + len);
    s->output_len = (uint16_t)(s->output_len - len);
    if (s->output_len == 0) {
        s->output_at = 0;
        if (s->response != HTTP_SERVER_SENDING)
            s->send_deadline = USEC_NEVER;
        if (http_server_idle(s))
            s->read_deadline = now + HTTP_SERVER_IDLE_TIMEOUT;
    }
    if (s->send_deadline != USEC_NEVER)
        http_server_send_progress(s, len);
    http_server_settle(s);
}

void http_server_hold_body(struct http_server *s, bool held, usec now)
{
    http_server_advance(s, now);
    if (s->request == HTTP_SERVER_TAKE_BODY && !s->switched)
        s->read_deadline = held ? USEC_NEVER : now + HTTP_SERVER_BODY_TIMEOUT;
}

/* ---- time, and the end ---- */

enum http_server_want http_server_want(const struct http_server *s)
{
    if (s->aborted)
        return HTTP_SERVER_ABORT;
    if (s->closed)
        return HTTP_SERVER_CLOSE;
    if (s->request != HTTP_SERVER_DRAIN || s->response != HTTP_SERVER_SENT || s->output_len > 0)
        return HTTP_SERVER_STAY;
    if (s->ended)
        return HTTP_SERVER_CLOSE;
    return s->last_request ? HTTP_SERVER_LEAVE : HTTP_SERVER_FINISH;
}

bool http_server_idle(const struct http_server *s)
{
    return s->request == HTTP_SERVER_HEAD && s->finder.scanned == 0 && s->output_len == 0;
}

usec http_server_deadline(const struct http_server *s)
{
    return s->closed || s->aborted ? USEC_NEVER : usec_min(s->read_deadline, s->send_deadline);
}

void http_server_tick(struct http_server *s, usec now)
{
    http_server_advance(s, now);
    if (now >= s->send_deadline) {
        http_server_abort(s);
        return;
    }
    if (now < s->read_deadline)
        return;
    s->read_deadline = USEC_NEVER;
    if (s->request == HTTP_SERVER_DRAIN)
        s->closed = true;
    else if (s->request != HTTP_SERVER_HEAD)
        http_server_fail_body(s, 408);
    else if (s->finder.scanned > 0)
        http_server_refuse(s, 408);
    else if (s->output_len == 0)
        s->closed = true; /* idle: nothing is asked, so nothing is answered */
}
