/* SPDX-License-Identifier: ISC */
/*
 * get_report.c - what is said about a transfer: the heads (-v), progress on a terminal, times, and all of
 * it as JSON, one object on a line for each URL.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/get.h"
#include "os/clock.h"

#define PROGRESS_INTERVAL (100 * USEC_PER_MSEC)
enum { BAR = 24 };

/* Text of a peer for a terminal: what could steer it is shown as "?". */
static void print_safely(const char *prefix, struct bytes text)
{
    fputs(prefix, stderr);
    for (size_t i = 0; i < text.len; i++)
        fputc(text.data[i] < 0x20 || text.data[i] == 0x7f ? '?' : text.data[i], stderr);
}

static void print_field(char mark, const struct http_field *field)
{
    char prefix[] = {mark, ' ', '\0'};
    print_safely(prefix, field->name);
    print_safely(": ", field->value);
    fputc('\n', stderr);
}

static const char *version_text(const struct get *g, bool http2)
{
    return http2 ? "HTTP/2" : g->version == FETCH_HTTP_1_0 ? "HTTP/1.0" : "HTTP/1.1";
}

void get_show_request(const struct get_transfer *t, bool http2)
{
    char host[URL_HOST_MAX + 16];
    struct text h = text_of(host, sizeof host);
    url_add_authority(&t->url, &h);
    fprintf(stderr, "> %s %s %s\n> Host: %s\n", t->method, t->url.target,
            version_text(t->get, http2), t->request.host != NULL ? t->request.host : host);
    for (size_t i = 0; i < t->request.field_count; i++)
        print_field('>', &t->fields[i]);
    if (t->request.upgrade != NULL)
        fprintf(stderr, "> Upgrade: %s\n> Connection: Upgrade\n", t->request.upgrade);
    fputs(">\n", stderr);
}

void get_show_head(const struct http_response_head *head, bool http2)
{
    fprintf(stderr, "< HTTP/%s %u",
            http2 ? "2" : head->version == HTTP_VERSION_1_1 ? "1.1" : "1.0", head->status);
    if (head->reason.len > 0)
        print_safely(" ", head->reason);
    fputc('\n', stderr);
    for (size_t i = 0; i < head->fields.count; i++)
        print_field('<', &head->fields.list[i]);
    fputs("<\n", stderr);
}

/* ---- progress ---- */

static usec since(usec from, usec to)
{
    return from != 0 && to > from ? to - from : 0;
}

static void add_rate(struct text *line, uint64_t octets, usec taken)
{
    if (taken <= 0)
        return;
    text_add(line, "  ");
    text_add_size(line, (uint64_t)((double)octets * USEC_PER_SEC / (double)taken));
    text_add(line, "/s");
}

static void add_bar(struct text *line, uint64_t done, uint64_t all)
{
    size_t filled = all > 0 ? (size_t)((double)done * BAR / (double)all) : BAR;
    text_add_format(line, "  %3u%% [", all > 0 ? (unsigned)((double)done * 100 / (double)all) : 100);
    for (size_t i = 0; i < BAR; i++)
        text_add(line, i < filled ? "=" : i == filled ? ">" : " ");
    text_add(line, "]");
}

/* Of several URLs that are got at a time: how many, and how much. */
static void show_total(struct get *g, usec now, bool last)
{
    char buffer[128];
    struct text line = text_of(buffer, sizeof buffer);
    if (!last && now - g->total.shown_at < PROGRESS_INTERVAL)
        return;
    text_add_format(&line, "\r%zu of %zu  ", g->total.ended, g->total.all);
    text_add_size(&line, g->total.octets);
    add_rate(&line, g->total.octets, now - g->total.begun);
    fprintf(stderr, "%s\033[K%s", buffer, last ? "\n" : "");
    g->total.shown_at = now;
    g->total.shown = true;
}

static void show_one(struct get_transfer *t, usec now, bool last)
{
    char buffer[256];
    struct text line = text_of(buffer, sizeof buffer);
    bool known = t->expected != UINT64_MAX;
    text_add_format(&line, "\r%.40s", t->output.name != NULL ? t->output.name : t->url.host);
    if (known)
        add_bar(&line, t->resumed_at + t->received, t->resumed_at + t->expected);
    text_add(&line, "  ");
    text_add_size(&line, t->resumed_at + t->received);
    if (t->shown_at != 0)
        add_rate(&line, t->received, now - t->outcome.times.begun);
    if (known && t->received > 0 && !last) {
        text_add(&line, "  ");
        text_add_duration(&line, (usec)((double)(now - t->outcome.times.begun) *
                                        (double)(t->expected - t->received) / (double)t->received));
        text_add(&line, " left");
    }
    fprintf(stderr, "%s\033[K%s", buffer, last ? "\n" : "");
    t->shown_at = now;
    t->shown = true;
}

void get_show_progress(struct get_transfer *t, bool last)
{
    struct get *g = t->get;
    usec now = clock_monotonic();
    bool terminal = isatty(STDERR_FILENO) == 1 &&
                    (t->output.name != NULL || isatty(STDOUT_FILENO) == 0);
    if (g->quiet || g->json || g->verbose || !terminal || !t->delivers)
        return;
    if (g->parallel > 1)
        show_total(g, now, false);
    else if (last ? t->shown : now - t->shown_at >= PROGRESS_INTERVAL)
        show_one(t, now, last);
}

void get_show_progress_end(struct get *g)
{
    if (g->total.shown)
        show_total(g, clock_monotonic(), true);
}

/* ---- the end ---- */

static void add_step(struct text *line, const char *name, usec taken)
{
    text_add_format(line, "%s%s ", line->len > 0 ? ", " : "", name);
    text_add_duration(line, taken);
}

static void show_times(const struct get_transfer *t)
{
    char buffer[512];
    struct text line = text_of(buffer, sizeof buffer);
    const struct fetch_times *at = &t->outcome.times;
    if (!t->outcome.reused) {
        add_step(&line, "name", since(at->begun, at->found));
        add_step(&line, "connection", since(at->found, at->connected));
        if (at->secured != 0)
            add_step(&line, "TLS", since(at->connected, at->secured));
    }
    add_step(&line, "first octet", since(at->sent, at->first));
    add_step(&line, "rest", since(at->first, at->ended));
    add_step(&line, "all", since(at->begun, at->ended));
    text_add(&line, "; ");
    text_add_size(&line, t->received);
    add_rate(&line, t->received, since(at->begun, at->ended));
    fprintf(stderr, "%s\n", buffer);
}

/* JSON strings are UTF-8; what a server sends need not be. */
static json_t *octets_as_text(struct bytes b)
{
    json_t *text = json_stringn((const char *)b.data, b.len);
    if (text != NULL)
        return text;
    char *latin = malloc(2 * b.len + 1);
    size_t len = 0;
    for (size_t i = 0; latin != NULL && i < b.len; i++) {
        uint8_t c = b.data[i];
        if (c >= 0x80)
            latin[len++] = (char)(0xc0 | c >> 6);
        latin[len++] = (char)(c >= 0x80 ? 0x80 | (c & 0x3f) : c);
    }
    text = json_stringn(latin != NULL ? latin : "", len);
    free(latin);
    return text;
}

static json_t *fields_as_json(const struct get_transfer *t)
{
    json_t *list = json_array();
    struct http_response_head head;
    if (t->head == NULL || http_response_decode(bytes_of(t->head, t->head_len), &head) != WIRE_OK)
        return list;
    for (size_t i = 0; i < head.fields.count; i++) {
        json_t *pair = json_array();
        json_array_append_new(pair, octets_as_text(head.fields.list[i].name));
        json_array_append_new(pair, octets_as_text(head.fields.list[i].value));
        json_array_append_new(list, pair);
    }
    return list;
}

static void put_seconds(json_t *object, const char *key, usec taken)
{
    json_object_set_new(object, key, json_real((double)taken / USEC_PER_SEC));
}

static json_t *times_as_json(const struct fetch_times *at)
{
    json_t *times = json_object();
    put_seconds(times, "name", since(at->begun, at->found));
    put_seconds(times, "connection", since(at->begun, at->connected));
    if (at->secured != 0)
        put_seconds(times, "tls", since(at->begun, at->secured));
    put_seconds(times, "sent", since(at->begun, at->sent));
    put_seconds(times, "first_octet", since(at->begun, at->first));
    put_seconds(times, "all", since(at->begun, at->ended));
    return times;
}

static void show_json(const struct get_transfer *t)
{
    static char text[URL_TEXT_MAX];
    char server[ENDPOINT_TEXT_MAX];
    struct text url = text_of(text, sizeof text);
    json_t *object = json_object();
    url_add_text(&t->url, &url);
    json_object_set_new(object, "asked", octets_as_text(bytes_of_text(t->asked)));
    json_object_set_new(object, "url", json_string(text));
    json_object_set_new(object, "method", json_string(t->method));
    json_object_set_new(object, "exit", json_integer(t->status));
    if (t->reason[0] != '\0')
        json_object_set_new(object, "reason", octets_as_text(bytes_of_text(t->reason)));
    if (t->outcome.status != 0)
        json_object_set_new(object, "status", json_integer(t->outcome.status));
    json_object_set_new(object, "redirects", json_integer(t->redirects));
    json_object_set_new(object, "octets", json_integer((json_int_t)t->received));
    if (t->close_code != 0) {
        json_object_set_new(object, "messages", json_integer((json_int_t)t->messages));
        json_object_set_new(object, "close", json_integer(t->close_code));
        json_object_set_new(object, "close_reason", octets_as_text(bytes_of_text(t->close_reason)));
    }
    if (t->output.name != NULL)
        json_object_set_new(object, "file", octets_as_text(bytes_of_text(t->output.name)));
    if (t->outcome.server.port != 0)
        json_object_set_new(object, "server",
                            json_string(endpoint_format(&t->outcome.server, server)));
    if (t->outcome.secured) {
        json_object_set_new(object, "tls", json_string(t->outcome.tls.version));
        json_object_set_new(object, "cipher", json_string(t->outcome.tls.cipher));
    }
    if (t->outcome.status != 0)
        json_object_set_new(object, "version", json_string(version_text(t->get, t->outcome.http2)));
    json_object_set_new(object, "reused", json_boolean(t->outcome.reused));
    json_object_set_new(object, "seconds", times_as_json(&t->outcome.times));
    json_object_set_new(object, "fields", fields_as_json(t));
    char *line = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(6));
    json_decref(object);
    /* The body has standard output to itself, unless there is a file for it. */
    fprintf(t->output.name != NULL ? stdout : stderr, "%s\n", line != NULL ? line : "{}");
    free(line);
}

void get_show_end(const struct get_transfer *t)
{
    if (t->get->json)
        show_json(t);
    else if (t->reason[0] != '\0' && (!t->get->quiet || t->get->show_errors))
        cli_fail(t->get->command, 0, "%s: %s", t->asked, t->reason);
    if (t->get->times)
        show_times(t);
    get_write_out(t);
}
