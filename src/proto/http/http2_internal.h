/* SPDX-License-Identifier: ISC */
/*
 * http2_internal.h - what the parts of a session of HTTP/2 share.
 *
 *      http2_session.c  its streams, errors, settings and time
 *      http2_input.c    frames that come (RFC 9113 §6)
 *      http2_head.c     field lists that come: what makes a message of them (§8)
 *      http2_output.c   what goes: heads, bodies by their priority, windows
 */
#ifndef WN_PROTO_HTTP_HTTP2_INTERNAL_H
#define WN_PROTO_HTTP_HTTP2_INTERNAL_H

#include "proto/http/http2_session.h"

/* ---- http2_session.c ---- */

struct http2_stream *http2_find(const struct http2_session *s, uint32_t id);

/* The stream is the session's, with fresh windows. */
void http2_enter(struct http2_session *s, struct http2_stream *stream);

/* Nothing more goes or comes on it: the closed list has it. */
void http2_close(struct http2_session *s, struct http2_stream *stream, uint32_t error);

/* The same when both sides have ended. */
void http2_close_ended(struct http2_session *s, struct http2_stream *stream);

/* GOAWAY, and the end (§5.4.1). */
void http2_fail(struct http2_session *s, enum http2_error error);

/* RST_STREAM (§5.4.2), whether the stream is known or not; by the peer's fault. */
void http2_stream_error(struct http2_session *s, uint32_t id, enum http2_error error);

/* Has it ended not long ago? *by_us: we have reset it, and what is still on its way is ignored. */
bool http2_is_recent(const struct http2_session *s, uint32_t id, bool *by_us);

/* One of those that a peer may not have too many of. False: too many; the connection has failed. */
bool http2_spend_reset(struct http2_session *s);
bool http2_spend_idle(struct http2_session *s);

/* ---- http2_head.c ---- */

/* A whole header block of the stream. */
void http2_take_block(struct http2_session *s, uint32_t id, uint8_t flags, struct bytes block,
                      struct http2_event *out);

/* The value of a Priority field, or of PRIORITY_UPDATE (RFC 9218 §4). */
void http2_prioritize(struct http2_stream *stream, struct bytes value);

/* ---- http2_output.c ---- */

/* A frame whose payload is written behind it by the caller; NULL: no memory, and the connection has failed. */
uint8_t *http2_reserve(struct http2_session *s, size_t len);
void http2_write_frame(struct http2_session *s, struct http2_frame frame, const void *payload);
void http2_write_number_frame(struct http2_session *s, uint8_t type, uint32_t stream, uint32_t value);

/* May it send now? Puts it where it belongs. */
void http2_arrange(struct http2_session *s, struct http2_stream *stream);

/* Octets of the connection were used up that belong to no stream. */
void http2_consume_connection(struct http2_session *s, size_t len);

#endif
