/* SPDX-License-Identifier: ISC */
/* web_form.c - the page, and what is sent by it. */
#include "app/web/web_form.h"

#include <stdlib.h>

#include "app/web/web_exchange.h"
#include "base/text.h"
#include "wire/http/http_form.h"

enum {
    NOTE_MAX = 200,   /* octets that are kept of what was said */
    LINE_MAX = 300,   /* octets for what is said of a file */
    SESSION_SECONDS = 24 * 3600,
};
_Static_assert(NOTE_MAX + LINE_MAX + 1 <= HTTP_SESSION_DATA_MAX, "a session holds both");

/* A form that is being sent. */
struct web_sent {
    struct http_session session;
    bool has_session;
    bool multipart;
    char boundary[HTTP_BOUNDARY_MAX + 1];
    size_t len;
    uint8_t body[WEB_FORM_BODY_MAX];
};

/* What was found in a body; views of it or of the scratch. */
struct answers {
    struct bytes token;
    struct bytes note;
    struct bytes file_name;
    size_t file_octets;
    bool has_file;
};

static struct prng *chance(const struct web_exchange *exchange)
{
    return loop_prng(net_loop(exchange->web->net));
}

static int64_t wall(const struct web_exchange *exchange)
{
    return loop_wall_seconds(net_loop(exchange->web->net));
}

/* Of the request that is looked at. A browser sends several cookies in one field, HTTP/2 in some. */
static bool find_session(const struct web_exchange *exchange, struct http_session *out)
{
    const struct http_fields *fields = &exchange->event->head.fields;
    for (size_t i = 0; i < fields->count; i++)
        if (bytes_equal_nocase(fields->list[i].name, bytes_of_text("Cookie")) &&
            http_session_read(&exchange->web->sessions_of_forms, fields->list[i].value,
                              exchange->secure, wall(exchange), out))
            return true;
    return false;
}

/* ---- the page ---- */

/* The note, and what was said of a file, with a NUL between. */
static void add_said(struct page_text *page, const struct http_session *session)
{
    struct bytes data = bytes_of(session->data, session->data_len);
    size_t end = bytes_find(data, '\0');
    struct bytes file = bytes_after(data, end + 1);
    page_add(page, "<p id=\"said\">");
    if (data.len > 0) {
        page_add(page, "You said: <b>");
        page_add_escaped(page, bytes_first(data, end));
        page_add(page, "</b>");
    } else {
        page_add(page, "You have not said anything yet.");
    }
    if (file.len > 0) {
        page_add(page, ", and sent ");
        page_add_escaped(page, file);
    }
    page_add(page, "</p>");
}

static void add_form(struct page_text *page, const char *prefix, bool multipart, const char *token)
{
    page_add(page, "<form method=\"post\" action=\"");
    page_add_text(page, prefix);
    page_add(page, "/form\"");
    page_add(page, multipart ? " enctype=\"multipart/form-data\">" : ">");
    page_add(page, "<input type=\"hidden\" name=\"token\" value=\"");
    page_add_text(page, token);
    page_add(page, "\"><p><label>Say something <input name=\"note\" maxlength=\"100\" "
                   "autocomplete=\"off\"></label></p>");
    if (multipart)
        page_add(page, "<p><label>A small file <input type=\"file\" name=\"file\"></label></p>");
    page_add(page, "<p><button>Send</button></p></form>");
}

/* The session is written anew with each page, so that it lasts as long as it is used. */
static void show(struct web_exchange *exchange)
{
    struct http_session session;
    char cookie[HTTP_SESSION_FIELD_MAX], token[HTTP_SESSION_TOKEN_LEN + 1];
    const struct http_sessions *sessions = &exchange->web->sessions_of_forms;
    const struct uri_target *target = &exchange->event->target;
    bool multipart = target->has_query && bytes_equal(target->query, bytes_of_text("file"));
    int64_t now = wall(exchange);
    if (!find_session(exchange, &session))
        http_session_begin(&session, 0, chance(exchange));
    session.expires = now + SESSION_SECONDS;
    if (!http_session_write(sessions, &session, exchange->secure, now, cookie)) {
        web_reply_error(exchange, 503, "This host's library has no HMAC with SHA-256.");
        return;
    }
    http_session_token(sessions, &session, chance(exchange), token);
    struct page_text content = {0};
    struct page_text page = {0};
    page_add(&content, "<article><h1>A form</h1>");
    add_said(&content, &session);
    add_form(&content, exchange->place->prefix, multipart, token);
    page_add(&content, "<p>What you say is kept in a cookie of this browser, signed, for a day; the form has a "
                       "token, so that no other site can send it for you.</p></article>");
    web_page_wrap(exchange, "A form", page_bytes(&content), &page);
    page.failed |= content.failed;
    page_done(&content);
    web_reply_page_with_cookie(exchange, &page, cookie);
}

/* ---- what is sent ---- */

static struct bytes decoded(struct bytes in, struct writer *scratch)
{
    size_t from = writer_len(scratch);
    http_form_decode(in, scratch);
    return scratch->failed ? bytes_empty() : bytes_after(writer_bytes(scratch), from);
}

static void take_pairs(struct bytes body, struct writer *scratch, struct answers *out)
{
    struct bytes name, value;
    while (http_form_pair(&body, &name, &value)) {
        name = decoded(name, scratch);
        value = decoded(value, scratch);
        if (bytes_equal(name, bytes_of_text("token")))
            out->token = value;
        else if (bytes_equal(name, bytes_of_text("note")))
            out->note = value;
    }
}

static bool take_parts(struct bytes body, struct bytes boundary, struct answers *out)
{
    struct http_part part;
    enum http_part_step step;
    for (bool first = true; (step = http_part_next(&body, first, boundary, &part)) == HTTP_PART;
         first = false) {
        if (part.has_file_name && part.file_name.len > 0) {
            out->file_name = part.file_name;
            out->file_octets = part.content.len;
            out->has_file = true;
        } else if (bytes_equal(part.name, bytes_of_text("token"))) {
            out->token = part.content;
        } else if (bytes_equal(part.name, bytes_of_text("note"))) {
            out->note = part.content;
        }
    }
    return step == HTTP_PART_END;
}

/* The transport holds what comes to the bound that it was told. */
static void on_body(struct web_exchange *exchange, struct bytes data)
{
    struct web_sent *form = exchange->work;
    if (data.len > sizeof form->body - form->len)
        data = bytes_first(data, sizeof form->body - form->len);
    if (data.len > 0)
        memcpy(form->body + form->len, data.data, data.len);
    form->len += data.len;
}

static void keep(struct http_session *session, const struct answers *answers)
{
    struct text said = text_of((char *)session->data, NOTE_MAX);
    text_add_bytes(&said, bytes_first(answers->note, NOTE_MAX - 1));
    session->data_len = (uint32_t)said.len;
    if (!answers->has_file)
        return;
    struct text file = text_of((char *)session->data + said.len + 1, LINE_MAX);
    text_add_bytes(&file, bytes_first(answers->file_name, LINE_MAX - 40));
    text_add_format(&file, ", %zu octets", answers->file_octets);
    session->data_len += (uint32_t)(1 + file.len);
}

static void answer(struct web_exchange *exchange, struct web_sent *form)
{
    char cookie[HTTP_SESSION_FIELD_MAX], location[WEB_TEXT_MAX + 8];
    const struct http_sessions *sessions = &exchange->web->sessions_of_forms;
    struct answers answers = {.file_octets = 0};
    struct bytes body = bytes_of(form->body, form->len);
    uint8_t *scratch = malloc(form->len + 1); /* decoding makes nothing longer */
    struct writer w = writer_of(scratch, scratch != NULL ? form->len + 1 : 0);
    bool whole = true;
    if (form->multipart)
        whole = take_parts(body, bytes_of_text(form->boundary), &answers);
    else
        take_pairs(body, &w, &answers);
    bool allowed = form->has_session &&
                   http_session_token_fits(sessions, &form->session, answers.token);
    if (allowed)
        keep(&form->session, &answers);
    free(scratch);
    int64_t now = wall(exchange);
    struct text to = text_of(location, sizeof location);
    text_add_format(&to, "%s/form", exchange->place->prefix);
    if (!whole)
        web_reply_error(exchange, 400, "The parts of the form do not end where they should.");
    else if (!allowed)
        web_reply_error(exchange, 403, "The form's token is not this browser's: load the form again, and let it "
                                       "keep the cookie.");
    else if (!http_session_write(sessions, &form->session, exchange->secure, now, cookie))
        web_reply_error(exchange, 503, NULL);
    else
        web_reply(exchange, &(struct web_reply){.status = 303,
                                               .location = location,
                                               .cookie = cookie,
                                               .cache = "no-store",
                                               .modified = INT64_MIN});
}

static void on_body_end(struct web_exchange *exchange)
{
    answer(exchange, exchange->work);
}

/* It has been refused, or the client has gone: done() follows. */
static void on_body_failed(struct web_exchange *exchange UNUSED)
{
}

static void on_done(struct web_exchange *exchange)
{
    free(exchange->work);
    exchange->work = NULL;
}

static const struct web_service service = {
    .body = on_body,
    .body_end = on_body_end,
    .body_failed = on_body_failed,
    .done = on_done,
};

static void accept_form(struct web_exchange *exchange)
{
    const struct http_request_head *head = &exchange->event->head;
    struct bytes type = http_field_value(&head->fields, "Content-Type");
    struct bytes boundary = bytes_empty();
    bool multipart = http_part_boundary(type, &boundary);
    struct bytes media = http_trim(bytes_first(type, bytes_find(type, ';')));
    if (!multipart &&
        !bytes_equal_nocase(media, bytes_of_text("application/x-www-form-urlencoded"))) {
        web_reply_error(exchange, 415, "Send it as application/x-www-form-urlencoded or as "
                                       "multipart/form-data.");
        return;
    }
    struct web_sent *form = malloc(sizeof *form);
    if (form == NULL) {
        web_reply_error(exchange, 503, NULL);
        return;
    }
    form->multipart = multipart;
    form->len = 0;
    struct text text = text_of(form->boundary, sizeof form->boundary);
    text_add_bytes(&text, boundary);
    form->has_session = find_session(exchange, &form->session);
    exchange->service = &service;
    exchange->work = form;
    (void)exchange->transport->accept_body(exchange, WEB_FORM_BODY_MAX);
}

void web_form_request(struct web_exchange *exchange)
{
    if (exchange->web->sessions_of_forms.hmac.start == NULL)
        web_reply_error(exchange, 503, "This server has no sessions.");
    else if (strcmp(exchange->method, "POST") == 0)
        accept_form(exchange);
    else
        show(exchange);
}
