/* SPDX-License-Identifier: ISC */
/*
 * http2_frame.h - frames of HTTP/2 (RFC 9113 §4, §6): their heads, and what is demanded of each kind whatever
 * the connection has seen before it.
 */
#ifndef WN_WIRE_HTTP_HTTP2_FRAME_H
#define WN_WIRE_HTTP_HTTP2_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum {
    HTTP2_FRAME_HEAD_LEN = 9,
    HTTP2_FRAME_MAX = 16384,            /* SETTINGS_MAX_FRAME_SIZE, the least and ours (§6.5.2) */
    HTTP2_FRAME_LIMIT = 16777215,       /* the most that it may be */
    HTTP2_WINDOW_DEFAULT = 65535,       /* §6.9.2 */
    HTTP2_STREAM_MAX = 0x7fffffff,
    HTTP2_PREFACE_LEN = 24,
};
#define HTTP2_WINDOW_MAX 0x7fffffff     /* §6.9.1 */
#define HTTP2_PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" /* §3.4 */

enum http2_frame_type {
    HTTP2_DATA,
    HTTP2_HEADERS,
    HTTP2_PRIORITY,
    HTTP2_RST_STREAM,
    HTTP2_SETTINGS,
    HTTP2_PUSH_PROMISE,
    HTTP2_PING,
    HTTP2_GOAWAY,
    HTTP2_WINDOW_UPDATE,
    HTTP2_CONTINUATION,
    HTTP2_FRAME_TYPE_COUNT,
    HTTP2_PRIORITY_UPDATE = 0x10, /* RFC 9218 §7.1 */
};

enum http2_flag {
    HTTP2_END_STREAM = 0x01,
    HTTP2_ACK = 0x01,
    HTTP2_END_HEADERS = 0x04,
    HTTP2_PADDED = 0x08,
    HTTP2_HAS_PRIORITY = 0x20,
};

enum http2_error { /* §7 */
    HTTP2_NO_ERROR,
    HTTP2_PROTOCOL_ERROR,
    HTTP2_INTERNAL_ERROR,
    HTTP2_FLOW_CONTROL_ERROR,
    HTTP2_SETTINGS_TIMEOUT,
    HTTP2_STREAM_CLOSED,
    HTTP2_FRAME_SIZE_ERROR,
    HTTP2_REFUSED_STREAM,
    HTTP2_CANCEL,
    HTTP2_COMPRESSION_ERROR,
    HTTP2_CONNECT_ERROR,
    HTTP2_ENHANCE_YOUR_CALM,
    HTTP2_INADEQUATE_SECURITY,
    HTTP2_HTTP_1_1_REQUIRED,
    HTTP2_ERROR_COUNT
};

/* The RFC's name of it; "unknown error" for others. Static. */
const char *http2_error_text(uint32_t error);

enum http2_setting { /* §6.5.2; RFC 8441 §3; RFC 9218 §2.1 */
    HTTP2_SETTING_HEADER_TABLE_SIZE = 1,
    HTTP2_SETTING_ENABLE_PUSH = 2,
    HTTP2_SETTING_MAX_CONCURRENT_STREAMS = 3,
    HTTP2_SETTING_INITIAL_WINDOW_SIZE = 4,
    HTTP2_SETTING_MAX_FRAME_SIZE = 5,
    HTTP2_SETTING_MAX_HEADER_LIST_SIZE = 6,
    HTTP2_SETTING_ENABLE_CONNECT_PROTOCOL = 8,
    HTTP2_SETTING_NO_RFC7540_PRIORITIES = 9,
};

struct http2_frame {
    uint32_t len; /* of the payload */
    uint8_t type; /* enum http2_frame_type, or any other */
    uint8_t flags;
    uint32_t stream;
};

/* Reads the head of a frame: `in` has HTTP2_FRAME_HEAD_LEN octets. */
struct http2_frame http2_frame_read(struct bytes in);
void http2_frame_write(struct writer *w, struct http2_frame frame);

/* What a frame's head alone makes wrong: its length (§4.2, `max`: ours), or its stream (§6). *of_stream: it is an
 * error of the stream only. HTTP2_NO_ERROR also for kinds that are not known. */
enum http2_error http2_frame_check(const struct http2_frame *frame, uint32_t max, bool *of_stream);

/* Takes the padding off, and the priority of HEADERS. False: the padding is longer than the payload, or the priority
 * is not whole. */
MUST_USE bool http2_frame_strip(const struct http2_frame *frame, struct bytes *payload);

struct http2_parameter {
    uint16_t id; /* enum http2_setting, or any other */
    uint32_t value;
};

/* The next parameter of SETTINGS. *error: its value is none that may be. */
struct http2_parameter http2_parameter_read(struct reader *r, enum http2_error *error);
void http2_settings_write(struct writer *w, const struct http2_parameter *list, size_t count);

#endif
