/* SPDX-License-Identifier: ISC */
/* http2_head.c - header blocks that come: whose they are (RFC 9113 §5.1), and which messages are malformed
 * (§8.1 to §8.5; RFC 8441 §4). */
#include "proto/http/http2_internal.h"
#include "wire/http/http_octets.h"
#include "wire/http/http_structured.h"

enum pseudo { METHOD, SCHEME, AUTHORITY, PATH, PROTOCOL, STATUS, PSEUDO_COUNT };
#define BIT(pseudo) (1u << (pseudo))

/* What a header block says. */
struct list {
    struct http_fields *fields;
    struct bytes pseudo[PSEUDO_COUNT];
    unsigned seen; /* BIT() of pseudo fields */
    bool has_host;
    bool malformed;
    bool too_large;
    size_t size;
    uint64_t length;
    struct bytes priority;
};

/* ---- field by field ---- */

static enum pseudo pseudo_of(enum hpack_name known)
{
    static const uint8_t of[HPACK_NAME_COUNT] = {
        [HPACK_METHOD] = METHOD + 1,       [HPACK_SCHEME] = SCHEME + 1,
        [HPACK_AUTHORITY] = AUTHORITY + 1, [HPACK_PATH] = PATH + 1,
        [HPACK_PROTOCOL] = PROTOCOL + 1,   [HPACK_STATUS] = STATUS + 1,
    };
    return of[known] > 0 ? (enum pseudo)(of[known] - 1) : PSEUDO_COUNT;
}

/* §8.3: before all others, known, and once. */
static void take_pseudo(struct list *l, const struct hpack_field *field)
{
    enum pseudo pseudo = pseudo_of(field->known);
    if (pseudo == PSEUDO_COUNT || (l->seen & BIT(pseudo)) != 0 || l->fields->count > 0) {
        l->malformed = true;
        return;
    }
    l->seen |= BIT(pseudo);
    l->pseudo[pseudo] = field->value;
}

static void take_length(struct list *l, struct bytes value)
{
    uint64_t length;
    if (!http_number(value, INT64_MAX, &length) ||
        (l->length != HTTP2_LENGTH_UNKNOWN && l->length != length))
        l->malformed = true;
    else
        l->length = length;
}

/* What some names mean here. */
static void look_at(struct list *l, const struct hpack_field *field)
{
    switch ((unsigned)field->known) {
    case HPACK_CONNECTION: /* §8.2.2 */
    case HPACK_KEEP_ALIVE:
    case HPACK_PROXY_CONNECTION:
    case HPACK_TRANSFER_ENCODING:
    case HPACK_UPGRADE:
        l->malformed = true;
        break;
    case HPACK_TE:
        l->malformed |= !bytes_equal_nocase(field->value, bytes_of_text("trailers"));
        break;
    case HPACK_CONTENT_LENGTH:
        take_length(l, field->value);
        break;
    case HPACK_HOST:
        l->has_host = true;
        break;
    case HPACK_PRIORITY:
        l->priority = field->value;
        break;
    default:
        break;
    }
}

static void take_field(struct list *l, const struct hpack_field *field)
{
    l->size += field->name.len + field->value.len;
    if (l->size > HTTP_HEAD_MAX || (field->flaws & HPACK_TOO_LONG))
        l->too_large = true;
    l->malformed |= (field->flaws & (HPACK_BAD_NAME | HPACK_BAD_VALUE)) != 0;
    if (l->too_large || l->malformed)
        return;
    if (field->name.data[0] == ':') {
        take_pseudo(l, field);
        return;
    }
    if (l->fields->count == HTTP_FIELDS_MAX) {
        l->too_large = true;
        return;
    }
    if (field->known != HPACK_OTHER)
        look_at(l, field);
    l->fields->list[l->fields->count++] = (struct http_field){field->name, field->value};
}

/* Decodes all of the block, whatever is wrong with its fields. False: the connection has failed. */
static bool decode(struct http2_session *s, struct bytes block, struct list *l)
{
    struct writer text = writer_of(s->scratch->text, sizeof s->scratch->text);
    struct reader r = reader_of(block);
    struct hpack_field field;
    enum hpack_step step;
    hpack_decode_begin(&s->decoder);
    while ((step = hpack_decode(&s->decoder, &r, &text, &field)) == HPACK_FIELD) {
        take_field(l, &field);
        if (l->too_large || l->malformed) /* beyond what is kept */
            text.next = text.start + HTTP_HEAD_MAX;
    }
    if (step == HPACK_MALFORMED)
        http2_fail(s, HTTP2_COMPRESSION_ERROR);
    return step == HPACK_END;
}

static void list_begin(struct list *l, struct http_fields *fields)
{
    *l = (struct list){.fields = fields, .length = HTTP2_LENGTH_UNKNOWN};
    l->priority = bytes_empty();
    for (size_t i = 0; i < PSEUDO_COUNT; i++)
        l->pseudo[i] = bytes_empty();
    fields->count = 0;
}

/* ---- messages ---- */

/* §8.3.1, §8.5, RFC 8441 §4. */
static bool is_request(const struct list *l)
{
    const unsigned needed = BIT(METHOD) | BIT(SCHEME) | BIT(PATH);
    struct bytes scheme = l->pseudo[SCHEME];
    struct bytes path = l->pseudo[PATH];
    bool connect = bytes_equal(l->pseudo[METHOD], bytes_of_text("CONNECT"));
    if ((l->seen & BIT(STATUS)) || !http_is_token(l->pseudo[METHOD]))
        return false;
    if (connect && (l->seen & BIT(PROTOCOL)) == 0)
        return l->seen == (BIT(METHOD) | BIT(AUTHORITY)) && l->pseudo[AUTHORITY].len > 0;
    if ((l->seen & needed) != needed || (!connect && (l->seen & BIT(PROTOCOL))) ||
        (connect && (l->seen & BIT(AUTHORITY)) == 0))
        return false;
    if (!bytes_equal_nocase(scheme, bytes_of_text("http")) &&
        !bytes_equal_nocase(scheme, bytes_of_text("https")))
        return true;
    if ((l->seen & BIT(AUTHORITY)) == 0 && !l->has_host)
        return false;
    if (bytes_find(l->pseudo[AUTHORITY], '@') < l->pseudo[AUTHORITY].len)
        return false; /* user information is not for there */
    bool star = bytes_equal(path, bytes_of_text("*")) &&
                bytes_equal(l->pseudo[METHOD], bytes_of_text("OPTIONS"));
    return star || (path.len > 0 && path.data[0] == '/');
}

void http2_prioritize(struct http2_stream *stream, struct bytes value)
{
    struct http_sf_member member;
    struct bytes rest = value;
    if (!http_sf_is_dictionary(value))
        return; /* RFC 9218 §4: what is malformed, or out of range, is as if it were not there */
    for (bool first = true; http_sf_dictionary(&rest, first, &member) == HTTP_SF_MEMBER; first = false) {
        if (bytes_equal(member.key, bytes_of_text("u")) && member.kind == HTTP_SF_INTEGER &&
            member.number >= 0 && member.number < HTTP2_URGENCIES)
            stream->urgency = (uint8_t)member.number;
        else if (bytes_equal(member.key, bytes_of_text("i")) && member.kind == HTTP_SF_BOOLEAN)
            stream->incremental = member.number != 0;
    }
}

/* A message that is complete with its head has no octets of a body (§8.1.1). */
static bool length_fits(const struct list *l, bool ended, bool bodiless)
{
    return !ended || bodiless || l->length == HTTP2_LENGTH_UNKNOWN || l->length == 0;
}

static void take_request(struct http2_session *s, uint32_t id, bool ended, struct bytes block,
                         struct http2_event *out)
{
    struct list l;
    s->last_remote = id;
    list_begin(&l, &out->head.request.fields);
    if (!decode(s, block, &l))
        return;
    if (s->left || s->remote_count >= s->options.streams_max) { /* §5.1.2 */
        http2_stream_error(s, id, HTTP2_REFUSED_STREAM);
        return;
    }
    bool good = !l.malformed && (l.too_large || (is_request(&l) && length_fits(&l, ended, false)));
    if (!good) {
        http2_stream_error(s, id, HTTP2_PROTOCOL_ERROR);
        return;
    }
    s->pending = id;
    s->pending_as = (struct http2_stream){
        .id = id,
        .left = l.length,
        .urgency = HTTP2_URGENCY_DEFAULT,
        .head_received = true,
        .remote_ended = ended,
    };
    if (l.priority.len > 0)
        http2_prioritize(&s->pending_as, l.priority);
    out->kind = HTTP2_REQUEST;
    out->id = id;
    out->stream = NULL;
    out->ended = ended;
    out->too_large = l.too_large;
    out->scheme = l.pseudo[SCHEME];
    out->authority = l.pseudo[AUTHORITY];
    out->protocol = l.pseudo[PROTOCOL];
    out->length = l.length;
    out->head.request.version = HTTP_VERSION_1_1;
    out->head.request.method = l.pseudo[METHOD];
    out->head.request.target = l.seen & BIT(PATH) ? l.pseudo[PATH] : l.pseudo[AUTHORITY];
}

/* §8.3.2. 0: it is none. */
static unsigned status_of(const struct list *l)
{
    uint64_t status;
    if (l->seen != BIT(STATUS) || l->pseudo[STATUS].len != 3 ||
        !http_number(l->pseudo[STATUS], 999, &status) || status < 100 || status == 101)
        return 0; /* 101 has no place here (§8.6) */
    return (unsigned)status;
}

static void take_response(struct http2_session *s, struct http2_stream *stream, bool ended,
                          struct bytes block, struct http2_event *out)
{
    struct list l;
    list_begin(&l, &out->head.response.fields);
    if (!decode(s, block, &l))
        return;
    unsigned status = l.malformed ? 0 : status_of(&l);
    bool final = status >= 200;
    stream->bodiless |= status == 204 || status == 304;
    if (status == 0 || (!final && ended) || !length_fits(&l, ended, stream->bodiless)) {
        http2_stream_error(s, stream->id, HTTP2_PROTOCOL_ERROR);
        return;
    }
    out->kind = final ? HTTP2_RESPONSE : HTTP2_INTERIM;
    out->id = stream->id;
    out->stream = stream;
    out->ended = ended;
    out->too_large = l.too_large;
    out->length = l.length;
    out->head.response.version = HTTP_VERSION_1_1;
    out->head.response.status = status;
    out->head.response.reason = bytes_empty();
    stream->head_received = final;
    if (final && !stream->bodiless)
        stream->left = l.length;
    stream->remote_ended = ended;
    http2_close_ended(s, stream);
}

/* §8.1: they end the message, and have no pseudo fields. */
static void take_trailers(struct http2_session *s, struct http2_stream *stream, bool ended,
                          struct bytes block, struct http2_event *out)
{
    struct list l;
    list_begin(&l, &out->head.trailers);
    if (!decode(s, block, &l))
        return;
    bool whole = stream->left == HTTP2_LENGTH_UNKNOWN || stream->left == 0;
    if (!ended || l.malformed || l.seen != 0 || !whole) {
        http2_stream_error(s, stream->id, HTTP2_PROTOCOL_ERROR);
        return;
    }
    out->kind = HTTP2_TRAILERS;
    out->id = stream->id;
    out->stream = stream;
    out->ended = true;
    out->too_large = l.too_large;
    stream->remote_ended = true;
    http2_close_ended(s, stream);
}

/* The table is kept in step by what nobody wants, too. */
static bool decode_nothing(struct http2_session *s, struct bytes block, struct http2_event *out)
{
    struct list l;
    list_begin(&l, &out->head.trailers);
    return decode(s, block, &l);
}

/* Of a stream that is no more, or never was (§5.1, §5.1.1). */
static void take_stray(struct http2_session *s, uint32_t id, struct bytes block, struct http2_event *out)
{
    bool by_us = false;
    bool recent = http2_is_recent(s, id, &by_us);
    if (recent && by_us) /* it was on its way */
        (void)decode_nothing(s, block, out);
    else
        http2_fail(s, recent ? HTTP2_STREAM_CLOSED : HTTP2_PROTOCOL_ERROR);
}

void http2_take_block(struct http2_session *s, uint32_t id, uint8_t flags, struct bytes block,
                      struct http2_event *out)
{
    bool ended = (flags & HTTP2_END_STREAM) != 0;
    struct http2_stream *stream = http2_find(s, id);
    if (stream == NULL && !s->options.client && id % 2 == 1 && id > s->last_remote) {
        take_request(s, id, ended, block, out);
    } else if (stream == NULL) {
        take_stray(s, id, block, out);
    } else if (stream->remote_ended) {
        if (decode_nothing(s, block, out))
            http2_stream_error(s, id, HTTP2_STREAM_CLOSED);
    } else if (!stream->head_received) {
        take_response(s, stream, ended, block, out);
    } else {
        take_trailers(s, stream, ended, block, out);
    }
}
