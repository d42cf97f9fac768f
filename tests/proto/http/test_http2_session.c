/* SPDX-License-Identifier: ISC */
/* test_http2_session.c - sessions of HTTP/2: each rule of RFC 9113, by what the user is told and what goes out, however
 * the octets are cut; windows, priorities, limits and time. */
#include "proto/http/http2_session.h"

#include "tests/support/check.h"
#include "tests/support/http2_play.h"

/* ---- octets of a peer ---- */

static uint8_t wire[1 << 20];
static struct writer w;

static void frame(uint8_t type, uint8_t flags, uint32_t stream, const void *payload, size_t len)
{
    http2_frame_write(&w, (struct http2_frame){(uint32_t)len, type, flags, stream});
    write_copy(&w, payload, len);
    assert_false(w.failed);
}

#define FRAME(type, flags, stream, text) frame(type, flags, stream, "" text, sizeof(text) - 1)
#define SETTING(id, value) \
    FRAME(HTTP2_SETTINGS, 0, 0, "\0" id value)

/* Fields as "name: value\n" lines, each a literal that is not indexed. */
static size_t block_of(const char *fields, uint8_t *out, size_t size)
{
    struct writer b = writer_of(out, size);
    while (*fields != '\0') {
        const char *colon = strchr(fields + 1, ':');
        const char *end = strchr(fields, '\n');
        write_u8(&b, 0);
        write_u8(&b, (uint8_t)(colon - fields));
        write_copy(&b, fields, (size_t)(colon - fields));
        size_t len = (size_t)(end - colon) - 2;
        if (len >= 127) {
            write_u8(&b, 127);
            for (len -= 127; len >= 128; len >>= 7)
                write_u8(&b, (uint8_t)(len | 0x80));
            write_u8(&b, (uint8_t)len);
        } else {
            write_u8(&b, (uint8_t)len);
        }
        write_copy(&b, colon + 2, (size_t)(end - colon) - 2);
        fields = end + 1;
    }
    assert_false(b.failed);
    return writer_len(&b);
}

static void head(uint32_t stream, uint8_t flags, const char *fields)
{
    uint8_t block[4096];
    frame(HTTP2_HEADERS, flags, stream, block, block_of(fields, block, sizeof block));
}

enum { WHOLE = HTTP2_END_HEADERS | HTTP2_END_STREAM, OPEN = HTTP2_END_HEADERS };
#define GET(path) ":method: GET\n:scheme: http\n:path: " path "\n:authority: h\n"
#define PUT(path) ":method: PUT\n:scheme: http\n:path: " path "\n:authority: h\n"

static void hello(void)
{
    w = writer_of(wire, sizeof wire);
    write_copy(&w, HTTP2_PREFACE, HTTP2_PREFACE_LEN);
    FRAME(HTTP2_SETTINGS, 0, 0, "");
    FRAME(HTTP2_SETTINGS, HTTP2_ACK, 0, "");
}

static struct http2_play p;

static void play(bool client, size_t piece)
{
    http2_play_init(&p, client);
    http2_play_input(&p, writer_bytes(&w), piece);
}

/* ---- a server: cases ---- */

static void plain(void) { head(1, WHOLE, GET("/5")); }
static void none(void) { head(1, WHOLE, GET("/0")); }
static void several(void) { head(1, WHOLE, GET("/5")); head(3, WHOLE, GET("/7")); }
static void upload(void) { head(1, OPEN, PUT("/up")); FRAME(HTTP2_DATA, 0, 1, "ab"); FRAME(HTTP2_DATA, HTTP2_END_STREAM, 1, "cde"); }
static void padded(void) { head(1, OPEN, PUT("/up")); FRAME(HTTP2_DATA, HTTP2_PADDED | HTTP2_END_STREAM, 1, "\3ab\0\0\0"); }
static void padding_alone(void) { head(1, OPEN, PUT("/up")); FRAME(HTTP2_DATA, HTTP2_PADDED | HTTP2_END_STREAM, 1, "\2\0\0"); }
static void padding_too_long(void) { head(1, OPEN, PUT("/up")); FRAME(HTTP2_DATA, HTTP2_PADDED, 1, "\3ab"); }
static void padding_of_nothing(void) { head(1, OPEN, PUT("/up")); FRAME(HTTP2_DATA, HTTP2_PADDED, 1, ""); }
static void trailers(void) { head(1, OPEN, PUT("/up")); FRAME(HTTP2_DATA, 0, 1, "ab"); head(1, WHOLE, "x: y\n"); }
static void trailers_open(void) { head(1, OPEN, PUT("/up")); head(1, OPEN, "x: y\n"); }
static void trailers_pseudo(void) { head(1, OPEN, PUT("/up")); head(1, WHOLE, ":path: /\n"); }
static void sends_trailers(void) { head(1, WHOLE, GET("/trailers")); }

static void no_settings(void) { w.next = w.start + HTTP2_PREFACE_LEN; FRAME(HTTP2_PING, 0, 0, "12345678"); }
static void ack_first(void) { w.next = w.start + HTTP2_PREFACE_LEN; FRAME(HTTP2_SETTINGS, HTTP2_ACK, 0, ""); }
static void bad_preface(void) { w.next = w.start; write_copy(&w, "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", 24); }
static void unknown(void) { FRAME(0x42, 0xff, 77, "what"); head(1, WHOLE, GET("/5")); }
static void reserved_bit(void) { frame(HTTP2_PING, 0, 0x80000000u, "12345678", 8); }
static void ping(void) { FRAME(HTTP2_PING, 0, 0, "12345678"); }
static void ping_ack(void) { FRAME(HTTP2_PING, HTTP2_ACK, 0, "12345678"); }
static void ping_short(void) { FRAME(HTTP2_PING, 0, 0, "1234567"); }
static void ping_stream(void) { FRAME(HTTP2_PING, 0, 1, "12345678"); }
static void too_long(void) { static const uint8_t zeros[16385]; frame(HTTP2_DATA, 0, 1, zeros, sizeof zeros); }
static void data_zero(void) { FRAME(HTTP2_DATA, 0, 0, "x"); }
static void data_idle(void) { FRAME(HTTP2_DATA, 0, 1, "x"); }
static void data_closed(void) { head(1, WHOLE, GET("/5")); FRAME(HTTP2_DATA, 0, 1, "x"); }
static void data_half_closed(void) { head(1, WHOLE, GET("/wait")); FRAME(HTTP2_DATA, 0, 1, "x"); }
static void head_half_closed(void) { head(1, WHOLE, GET("/wait")); head(1, WHOLE, "x: y\n"); }
static void head_closed(void) { head(1, WHOLE, GET("/5")); head(1, WHOLE, GET("/5")); }
static void head_even(void) { head(2, WHOLE, GET("/5")); }
static void head_back(void) { head(5, WHOLE, GET("/5")); head(3, WHOLE, GET("/5")); }
static void head_zero(void) { head(0, WHOLE, GET("/5")); }
static void head_padded(void)
{
    uint8_t block[256] = {2, 0, 0, 0, 0, 9};
    size_t len = block_of(GET("/5"), block + 6, 200);
    frame(HTTP2_HEADERS, WHOLE | HTTP2_PADDED | HTTP2_HAS_PRIORITY, 1, block, 6 + len + 2);
}
static void head_padded_wrong(void) { FRAME(HTTP2_HEADERS, WHOLE | HTTP2_PADDED, 1, "\5\x82"); }
static void head_priority_short(void) { FRAME(HTTP2_HEADERS, WHOLE | HTTP2_HAS_PRIORITY, 1, "\0\0"); }
static void compression(void) { FRAME(HTTP2_HEADERS, WHOLE, 1, "\xbe"); }
static void rst(void) { head(1, OPEN, PUT("/up")); FRAME(HTTP2_RST_STREAM, 0, 1, "\0\0\0\10"); head(3, WHOLE, GET("/5")); }
static void rst_idle(void) { FRAME(HTTP2_RST_STREAM, 0, 1, "\0\0\0\10"); }
static void rst_zero(void) { FRAME(HTTP2_RST_STREAM, 0, 0, "\0\0\0\10"); }
static void rst_short(void) { head(1, OPEN, PUT("/up")); FRAME(HTTP2_RST_STREAM, 0, 1, "\0\0\0"); }
static void rst_closed(void) { head(1, WHOLE, GET("/5")); FRAME(HTTP2_RST_STREAM, 0, 1, "\0\0\0\10"); head(3, WHOLE, GET("/5")); }
static void priority(void) { FRAME(HTTP2_PRIORITY, 0, 1, "\0\0\0\0\1"); head(1, WHOLE, GET("/5")); }
static void priority_zero(void) { FRAME(HTTP2_PRIORITY, 0, 0, "\0\0\0\0\1"); }
static void priority_short(void) { head(1, OPEN, PUT("/up")); FRAME(HTTP2_PRIORITY, 0, 1, "\0\0\0\0"); }
static void priority_short_idle(void) { FRAME(HTTP2_PRIORITY, 0, 1, "\0\0\0\0"); }
static void settings(void) { SETTING("\1", "\0\0\0\0"); SETTING("\xf0", "\0\0\0\7"); SETTING("\5", "\0\xff\xff\xff"); }
static void settings_stream(void) { FRAME(HTTP2_SETTINGS, 0, 1, ""); }
static void settings_odd(void) { FRAME(HTTP2_SETTINGS, 0, 0, "\0\1\0"); }
static void settings_ack_long(void) { FRAME(HTTP2_SETTINGS, HTTP2_ACK, 0, "\0\1\0\0\0\0"); }
static void settings_push(void) { SETTING("\2", "\0\0\0\2"); }
static void settings_window(void) { SETTING("\4", "\x80\0\0\0"); }
static void settings_frame_small(void) { SETTING("\5", "\0\0\x3f\xff"); }
static void settings_frame_large(void) { SETTING("\5", "\1\0\0\0"); }
static void settings_connect(void) { SETTING("\10", "\0\0\0\1"); SETTING("\10", "\0\0\0\0"); }
static void settings_many(void)
{
    uint8_t many[6 * 33] = {0};
    frame(HTTP2_SETTINGS, 0, 0, many, sizeof many);
}
static void push(void) { head(1, OPEN, PUT("/up")); FRAME(HTTP2_PUSH_PROMISE, OPEN, 1, "\0\0\0\2\x82"); }
static void goaway(void) { head(1, WHOLE, GET("/wait")); FRAME(HTTP2_GOAWAY, 0, 0, "\0\0\0\0\0\0\0\0bye"); }
static void goaway_short(void) { FRAME(HTTP2_GOAWAY, 0, 0, "\0\0\0\0\0\0\0"); }
static void goaway_stream(void) { FRAME(HTTP2_GOAWAY, 0, 1, "\0\0\0\0\0\0\0\0"); }
static void window_zero(void) { FRAME(HTTP2_WINDOW_UPDATE, 0, 0, "\0\0\0\0"); }
static void window_zero_stream(void) { head(1, OPEN, PUT("/up")); FRAME(HTTP2_WINDOW_UPDATE, 0, 1, "\0\0\0\0"); }
static void window_over(void) { FRAME(HTTP2_WINDOW_UPDATE, 0, 0, "\x7f\xff\xff\xff"); }
static void window_over_stream(void) { head(1, OPEN, PUT("/up")); FRAME(HTTP2_WINDOW_UPDATE, 0, 1, "\x7f\xff\xff\xff"); }
static void window_over_settings(void) { head(1, OPEN, PUT("/up")); FRAME(HTTP2_WINDOW_UPDATE, 0, 1, "\0\0\0\1"); SETTING("\4", "\x7f\xff\xff\xff"); }
static void window_idle(void) { FRAME(HTTP2_WINDOW_UPDATE, 0, 1, "\0\0\0\1"); }
static void window_short(void) { FRAME(HTTP2_WINDOW_UPDATE, 0, 0, "\0\0\1"); }
static void window_closed(void) { head(1, WHOLE, GET("/5")); FRAME(HTTP2_WINDOW_UPDATE, 0, 1, "\0\0\0\1"); head(3, WHOLE, GET("/5")); }
static void in_pieces(void)
{
    uint8_t block[256];
    size_t len = block_of(GET("/5"), block, sizeof block);
    frame(HTTP2_HEADERS, HTTP2_END_STREAM, 1, block, 3);
    frame(HTTP2_CONTINUATION, 0, 1, block + 3, 10);
    FRAME(HTTP2_CONTINUATION, 0, 1, "");
    frame(HTTP2_CONTINUATION, HTTP2_END_HEADERS, 1, block + 13, len - 13);
}
static void continuation_alone(void) { FRAME(HTTP2_CONTINUATION, OPEN, 1, "\x82"); }
static void continuation_after_end(void) { head(1, OPEN, PUT("/up")); FRAME(HTTP2_CONTINUATION, OPEN, 1, "\x82"); }
static void continuation_broken(void) { FRAME(HTTP2_HEADERS, 0, 1, "\x82"); FRAME(HTTP2_PING, 0, 0, "12345678"); }
static void continuation_other(void) { FRAME(HTTP2_HEADERS, 0, 1, "\x82"); FRAME(HTTP2_CONTINUATION, OPEN, 3, "\x82"); }
static void continuation_unknown(void) { FRAME(HTTP2_HEADERS, 0, 1, "\x82"); FRAME(0x42, 0, 1, ""); }
static void continuation_flood(void)
{
    FRAME(HTTP2_HEADERS, 0, 1, "\x82");
    for (int i = 0; i < 20; i++)
        FRAME(HTTP2_CONTINUATION, 0, 1, "");
}
static void streams_too_many(void)
{
    for (uint32_t id = 1; id < 11; id += 2)
        head(id, OPEN, PUT("/up"));
    FRAME(HTTP2_DATA, 0, 9, "was on its way");
    head(9, WHOLE, "so: were trailers\n");
}
static void flow_stream(void)
{
    uint8_t octets[1001] = {0};
    head(1, OPEN, PUT("/hold"));
    frame(HTTP2_DATA, 0, 1, octets, 1000);
    frame(HTTP2_DATA, 0, 1, octets, 1);
}
static void length_right(void) { head(1, OPEN, PUT("/up") "content-length: 3\n"); FRAME(HTTP2_DATA, HTTP2_END_STREAM, 1, "abc"); }
static void length_short(void) { head(1, OPEN, PUT("/up") "content-length: 3\n"); FRAME(HTTP2_DATA, HTTP2_END_STREAM, 1, "ab"); }
static void length_long(void) { head(1, OPEN, PUT("/up") "content-length: 3\n"); FRAME(HTTP2_DATA, 0, 1, "abcd"); }
static void length_head(void) { head(1, WHOLE, PUT("/up") "content-length: 3\n"); }
static void length_trailers(void) { head(1, OPEN, PUT("/up") "content-length: 3\n"); head(1, WHOLE, "x: y\n"); }
static void length_twice(void) { head(1, WHOLE, PUT("/up") "content-length: 0\ncontent-length: 1\n"); }
static void length_none(void) { head(1, WHOLE, PUT("/up") "content-length: x\n"); }

#define S "SETTINGS 0;SETTINGS 0 ACK;"
#define OK5 S "HEADERS 1;DATA 1 5 END;"
#define BROKEN(error) "failed 0 " #error ";", S "GOAWAY 0 0 " #error ";"
#define BROKEN_1(error) S "GOAWAY 0 1 " #error ";"
#define RST_1(error) S "RST 1 " #error ";"

static const struct {
    const char *name;
    void (*make)(void);
    const char *events;
    const char *frames;
} cases[] = {
    {"a request", plain, "request 1 GET /5 END;", OK5},
    {"an answer of no octets", none, "request 1 GET /0 END;", S "HEADERS 1 END;"},
    {"several", several, "request 1 GET /5 END;request 3 GET /7 END;",
     OK5 "HEADERS 3;DATA 3 7 END;"},
    {"a request's body", upload, "request 1 PUT /up;body 1 5;", S "HEADERS 1 END;"},
    {"padding (§6.1)", padded, "request 1 PUT /up;body 1 2;", S "HEADERS 1 END;"},
    {"nothing but padding", padding_alone, "request 1 PUT /up;body 1 0;", S "HEADERS 1 END;"},
    {"padding longer than the frame", padding_too_long,
     "request 1 PUT /up;failed 0 PROTOCOL_ERROR;", BROKEN_1(PROTOCOL_ERROR)},
    {"padding without its length", padding_of_nothing,
     "request 1 PUT /up;failed 0 FRAME_SIZE_ERROR;", BROKEN_1(FRAME_SIZE_ERROR)},
    {"trailers (§8.1)", trailers, "request 1 PUT /up;trailers 1 1;", S},
    {"trailers that do not end the stream", trailers_open, "request 1 PUT /up;closed 1 broken;",
     RST_1(PROTOCOL_ERROR)},
    {"pseudo fields in trailers", trailers_pseudo, "request 1 PUT /up;closed 1 broken;",
     RST_1(PROTOCOL_ERROR)},
    {"trailers of ours", sends_trailers, "request 1 GET /trailers END;", S "HEADERS 1;HEADERS 1 END;"},
    {"no SETTINGS (§3.4)", no_settings, "failed 0 PROTOCOL_ERROR;", "SETTINGS 0;GOAWAY 0 0 PROTOCOL_ERROR;"},
    {"an acknowledgement in the place of SETTINGS", ack_first, "failed 0 PROTOCOL_ERROR;",
     "SETTINGS 0;GOAWAY 0 0 PROTOCOL_ERROR;"},
    {"a preface that is none", bad_preface, "failed 0 PROTOCOL_ERROR;",
     "SETTINGS 0;GOAWAY 0 0 PROTOCOL_ERROR;"},
    {"a frame of an unknown kind (§5.5)", unknown, "request 1 GET /5 END;", OK5},
    {"the reserved bit (§4.1)", reserved_bit, "", S "PING 0 ACK;"},
    {"PING (§6.7)", ping, "", S "PING 0 ACK;"},
    {"its acknowledgement", ping_ack, "", S},
    {"PING of seven octets", ping_short, BROKEN(FRAME_SIZE_ERROR)},
    {"PING on a stream", ping_stream, BROKEN(PROTOCOL_ERROR)},
    {"a frame that is too long (§4.2)", too_long, BROKEN(FRAME_SIZE_ERROR)},
    {"DATA on stream 0", data_zero, BROKEN(PROTOCOL_ERROR)},
    {"DATA on an idle stream (§5.1)", data_idle, BROKEN(PROTOCOL_ERROR)},
    {"DATA on a closed stream", data_closed, "request 1 GET /5 END;", OK5 "RST 1 STREAM_CLOSED;"},
    {"DATA behind END_STREAM", data_half_closed, "request 1 GET /wait END;closed 1 broken;",
     RST_1(STREAM_CLOSED)},
    {"HEADERS behind END_STREAM", head_half_closed, "request 1 GET /wait END;closed 1 broken;",
     RST_1(STREAM_CLOSED)},
    {"HEADERS on a closed stream", head_closed, "request 1 GET /5 END;failed 0 STREAM_CLOSED;",
     OK5 "GOAWAY 0 1 STREAM_CLOSED;"},
    {"an even stream (§5.1.1)", head_even, BROKEN(PROTOCOL_ERROR)},
    {"a stream that goes back", head_back, "request 5 GET /5 END;failed 0 PROTOCOL_ERROR;",
     S "HEADERS 5;DATA 5 5 END;GOAWAY 0 5 PROTOCOL_ERROR;"},
    {"HEADERS on stream 0", head_zero, BROKEN(PROTOCOL_ERROR)},
    {"HEADERS with padding and priority (§6.2)", head_padded, "request 1 GET /5 END;", OK5},
    {"HEADERS with more padding than octets", head_padded_wrong, BROKEN(PROTOCOL_ERROR)},
    {"HEADERS with half a priority", head_priority_short, BROKEN(FRAME_SIZE_ERROR)},
    {"HPACK that is wrong (§4.3)", compression, "failed 0 COMPRESSION_ERROR;", BROKEN_1(COMPRESSION_ERROR)},
    {"RST_STREAM (§6.4)", rst, "request 1 PUT /up;closed 1 broken;request 3 GET /5 END;",
     S "HEADERS 3;DATA 3 5 END;"},
    {"RST_STREAM of an idle stream", rst_idle, BROKEN(PROTOCOL_ERROR)},
    {"RST_STREAM of stream 0", rst_zero, BROKEN(PROTOCOL_ERROR)},
    {"RST_STREAM of three octets", rst_short, "request 1 PUT /up;failed 0 FRAME_SIZE_ERROR;",
     BROKEN_1(FRAME_SIZE_ERROR)},
    {"RST_STREAM of a closed stream", rst_closed, "request 1 GET /5 END;request 3 GET /5 END;",
     OK5 "HEADERS 3;DATA 3 5 END;"},
    {"PRIORITY (§6.3)", priority, "request 1 GET /5 END;", OK5},
    {"PRIORITY of stream 0", priority_zero, BROKEN(PROTOCOL_ERROR)},
    {"PRIORITY of four octets", priority_short, "request 1 PUT /up;closed 1 broken;",
     RST_1(FRAME_SIZE_ERROR)},
    {"the same on an idle stream", priority_short_idle, BROKEN(FRAME_SIZE_ERROR)},
    {"SETTINGS (§6.5)", settings, "", S "SETTINGS 0 ACK;SETTINGS 0 ACK;SETTINGS 0 ACK;"},
    {"SETTINGS on a stream", settings_stream, BROKEN(PROTOCOL_ERROR)},
    {"SETTINGS of three octets", settings_odd, BROKEN(FRAME_SIZE_ERROR)},
    {"an acknowledgement with a payload", settings_ack_long, BROKEN(FRAME_SIZE_ERROR)},
    {"ENABLE_PUSH of 2", settings_push, BROKEN(PROTOCOL_ERROR)},
    {"a window beyond bounds", settings_window, BROKEN(FLOW_CONTROL_ERROR)},
    {"frames smaller than may be", settings_frame_small, BROKEN(PROTOCOL_ERROR)},
    {"frames larger than may be", settings_frame_large, BROKEN(PROTOCOL_ERROR)},
    {"ENABLE_CONNECT_PROTOCOL taken back (RFC 8441 §3)", settings_connect,
     "failed 0 PROTOCOL_ERROR;", S "SETTINGS 0 ACK;GOAWAY 0 0 PROTOCOL_ERROR;"},
    {"more parameters than anybody has", settings_many, BROKEN(ENHANCE_YOUR_CALM)},
    {"PUSH_PROMISE of a client (§8.4)", push, "request 1 PUT /up;failed 0 PROTOCOL_ERROR;",
     BROKEN_1(PROTOCOL_ERROR)},
    {"GOAWAY (§6.8)", goaway, "request 1 GET /wait END;going away 0;", S},
    {"GOAWAY of seven octets", goaway_short, BROKEN(FRAME_SIZE_ERROR)},
    {"GOAWAY on a stream", goaway_stream, BROKEN(PROTOCOL_ERROR)},
    {"WINDOW_UPDATE of 0 (§6.9)", window_zero, BROKEN(PROTOCOL_ERROR)},
    {"the same on a stream", window_zero_stream, "request 1 PUT /up;closed 1 broken;",
     RST_1(PROTOCOL_ERROR)},
    {"a window that is too large (§6.9.1)", window_over, BROKEN(FLOW_CONTROL_ERROR)},
    {"the same on a stream", window_over_stream, "request 1 PUT /up;closed 1 broken;",
     RST_1(FLOW_CONTROL_ERROR)},
    {"the same by SETTINGS (§6.9.2)", window_over_settings,
     "request 1 PUT /up;failed 0 FLOW_CONTROL_ERROR;", BROKEN_1(FLOW_CONTROL_ERROR)},
    {"WINDOW_UPDATE on an idle stream", window_idle, BROKEN(PROTOCOL_ERROR)},
    {"WINDOW_UPDATE of three octets", window_short, BROKEN(FRAME_SIZE_ERROR)},
    {"WINDOW_UPDATE on a closed stream (§5.1)", window_closed,
     "request 1 GET /5 END;request 3 GET /5 END;", OK5 "HEADERS 3;DATA 3 5 END;"},
    {"CONTINUATION (§6.10)", in_pieces, "request 1 GET /5 END;", OK5},
    {"CONTINUATION of nothing", continuation_alone, BROKEN(PROTOCOL_ERROR)},
    {"CONTINUATION behind END_HEADERS", continuation_after_end,
     "request 1 PUT /up;failed 0 PROTOCOL_ERROR;", BROKEN_1(PROTOCOL_ERROR)},
    {"another frame in a header block", continuation_broken, BROKEN(PROTOCOL_ERROR)},
    {"another stream's in a header block", continuation_other, BROKEN(PROTOCOL_ERROR)},
    {"an unknown frame in a header block", continuation_unknown, BROKEN(PROTOCOL_ERROR)},
    {"CONTINUATION without end (§10.5.1)", continuation_flood, BROKEN(ENHANCE_YOUR_CALM)},
    {"more streams than may be (§5.1.2)", streams_too_many,
     "request 1 PUT /up;request 3 PUT /up;request 5 PUT /up;request 7 PUT /up;",
     S "RST 9 REFUSED_STREAM;"},
    {"more octets than the window of a stream", flow_stream, "request 1 PUT /hold;closed 1 broken;",
     RST_1(FLOW_CONTROL_ERROR)},
    {"Content-Length (§8.1.1)", length_right, "request 1 PUT /up;body 1 3;", S "HEADERS 1 END;"},
    {"fewer octets than it says", length_short, "request 1 PUT /up;closed 1 broken;",
     RST_1(PROTOCOL_ERROR)},
    {"more octets than it says", length_long, "request 1 PUT /up;closed 1 broken;",
     RST_1(PROTOCOL_ERROR)},
    {"no octets, and it says more", length_head, "", RST_1(PROTOCOL_ERROR)},
    {"trailers in the place of octets", length_trailers, "request 1 PUT /up;closed 1 broken;",
     RST_1(PROTOCOL_ERROR)},
    {"two that differ", length_twice, "", RST_1(PROTOCOL_ERROR)},
    {"one that is none", length_none, "", RST_1(PROTOCOL_ERROR)},
};

static void a_server_keeps_every_rule(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        hello();
        cases[i].make();
        for (size_t piece = 1; piece <= writer_len(&w); piece += piece < 60 ? 1 : 1000) {
            play(false, piece);
            if (strcmp(p.events, cases[i].events) != 0 || strcmp(p.frames, cases[i].frames) != 0)
                fail_msg("%s, %zu octets at a time: %s | %s", cases[i].name, piece, p.events, p.frames);
            http2_play_done(&p);
        }
    }
}

/* ---- requests that are malformed (§8.1.1 to §8.5) ---- */

static const struct {
    const char *name;
    const char *fields;
    bool good;
} requests[] = {
    {"a plain one", GET("/"), true},
    {"Host in the place of :authority", ":method: GET\n:scheme: http\n:path: /\nhost: h\n", true},
    {"neither (§8.3.1)", ":method: GET\n:scheme: http\n:path: /\n", false},
    {"no :method", ":scheme: http\n:path: /\n:authority: h\n", false},
    {"no :scheme", ":method: GET\n:path: /\n:authority: h\n", false},
    {"no :path", ":method: GET\n:scheme: http\n:authority: h\n", false},
    {"an empty :path", ":method: GET\n:scheme: http\n:path: \n:authority: h\n", false},
    {"a :path that is none", ":method: GET\n:scheme: http\n:path: x\n:authority: h\n", false},
    {"a star for GET", ":method: GET\n:scheme: http\n:path: *\n:authority: h\n", false},
    {"a star for OPTIONS", ":method: OPTIONS\n:scheme: http\n:path: *\n:authority: h\n", true},
    {"a user in :authority", ":method: GET\n:scheme: http\n:path: /\n:authority: u@h\n", false},
    {"another scheme, with a path of its own", ":method: GET\n:scheme: x\n:path: y\n", true},
    {"two :method", ":method: GET\n" GET("/"), false},
    {"two :path", GET("/") ":path: /\n", false},
    {"a pseudo field behind another field (§8.3)", ":method: GET\n:scheme: http\n:path: /\nx: y\n:authority: h\n", false},
    {"a pseudo field of responses", GET("/") ":status: 200\n", false},
    {"an unknown pseudo field", GET("/") ":x: y\n", false},
    {"a method that is none", ":method: G T\n:scheme: http\n:path: /\n:authority: h\n", false},
    {"an empty method", ":method: \n:scheme: http\n:path: /\n:authority: h\n", false},
    {"capitals in a name (§8.2)", GET("/") "X: y\n", false},
    {"a blank in a name (§8.2.1)", GET("/") "x y: z\n", false},
    {"a blank before a value", GET("/") "x:  y\n", false},
    {"a blank behind a value", GET("/") "x: y \n", false},
    {"a carriage return in a value", GET("/") "x: y\rz\n", false},
    {"a value of nothing", GET("/") "x: \n", true},
    {"Connection (§8.2.2)", GET("/") "connection: close\n", false},
    {"Keep-Alive", GET("/") "keep-alive: 1\n", false},
    {"Proxy-Connection", GET("/") "proxy-connection: close\n", false},
    {"Transfer-Encoding", GET("/") "transfer-encoding: chunked\n", false},
    {"Upgrade", GET("/") "upgrade: x\n", false},
    {"TE: trailers", GET("/") "te: trailers\n", true},
    {"any other TE", GET("/") "te: gzip\n", false},
    {"CONNECT (§8.5)", ":method: CONNECT\n:authority: h:80\n", true},
    {"CONNECT with a :path", ":method: CONNECT\n:authority: h:80\n:path: /\n", false},
    {"CONNECT with a :scheme", ":method: CONNECT\n:authority: h:80\n:scheme: http\n", false},
    {"CONNECT to nobody", ":method: CONNECT\n", false},
    {"extended CONNECT (RFC 8441 §4)",
     ":method: CONNECT\n:protocol: websocket\n:scheme: http\n:path: /\n:authority: h\n", true},
    {"the same without a :path", ":method: CONNECT\n:protocol: websocket\n:scheme: http\n:authority: h\n", false},
    {":protocol with another method", GET("/") ":protocol: websocket\n", false},
};

static void malformed_requests_are_reset(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
        hello();
        head(1, WHOLE, requests[i].fields);
        head(3, WHOLE, GET("/5")); /* the table is in step, and the connection goes on */
        play(false, SIZE_MAX);
        CHECK(requests[i].name, (strstr(p.events, "request 1 ") != NULL) == requests[i].good);
        CHECK(requests[i].name, (strstr(p.frames, "RST 1 PROTOCOL_ERROR") == NULL) == requests[i].good);
        CHECK(requests[i].name, strstr(p.frames, "DATA 3 5 END") != NULL);
        http2_play_done(&p);
    }
}

static void heads_that_are_too_large_are_told(void **state UNUSED)
{
    static uint8_t block[40000];
    static char text[40000];
    hello();
    strcpy(text, GET("/5"));
    for (int i = 0; i < 5; i++) {
        strcat(text, "x: ");
        size_t at = strlen(text);
        memset(text + at, 'y', 3900);
        strcpy(text + at + 3900, "\n");
    }
    size_t len = block_of(text, block, sizeof block);
    frame(HTTP2_HEADERS, HTTP2_END_STREAM, 1, block, 16000);
    frame(HTTP2_CONTINUATION, HTTP2_END_HEADERS, 1, block + 16000, len - 16000);
    strcpy(text, GET("/5"));
    for (int i = 0; i < 120; i++)
        strcat(text, "x: y\n");
    frame(HTTP2_HEADERS, WHOLE, 3, block, block_of(text, block, sizeof block));
    play(false, 777);
    assert_non_null(strstr(p.events, "request 1 GET /5 LARGE END;request 3 GET /5 LARGE END;"));
    http2_play_done(&p);
    hello();
    frame(HTTP2_HEADERS, 0, 1, block, 16000);
    for (int i = 0; i < 3; i++)
        frame(HTTP2_CONTINUATION, 0, 1, block, 16000);
    play(false, 777);
    assert_string_equal(p.events, "failed 0 ENHANCE_YOUR_CALM;");
    http2_play_done(&p);
}

/* A block of a few octets that stands for many (§10.5.1): bounded by what is kept, and in step. */
static void a_bomb_does_not_go_off(void **state UNUSED)
{
    static uint8_t block[16000];
    hello();
    struct writer b = writer_of(block, sizeof block);
    write_copy(&b, "\x82\x86\x84\x41\x01h", 6);
    write_copy(&b, "\x40\x01" "x\x7f\x81\x1e", 6);
    for (int i = 0; i < 127 + 0xf01 - 0; i++)
        write_u8(&b, 'y');
    for (int i = 0; i < 10000; i++)
        write_u8(&b, 0xbe);
    frame(HTTP2_HEADERS, WHOLE, 1, block, writer_len(&b));
    head(3, WHOLE, GET("/5"));
    play(false, SIZE_MAX);
    assert_non_null(strstr(p.events, "LARGE END;request 3 GET /5 END;"));
    http2_play_done(&p);
}

/* ---- windows ---- */

static void bodies_stay_within_windows(void **state UNUSED)
{
    hello();
    SETTING("\4", "\0\0\0\12"); /* ten octets */
    head(1, WHOLE, GET("/100"));
    play(false, SIZE_MAX);
    assert_int_equal(p.sent, 10);
    w = writer_of(wire, sizeof wire);
    SETTING("\4", "\0\0\0\5"); /* five fewer than were: the window is negative (§6.9.2) */
    FRAME(HTTP2_WINDOW_UPDATE, 0, 1, "\0\0\0\5");
    http2_play_input(&p, writer_bytes(&w), SIZE_MAX);
    assert_int_equal(p.sent, 10);
    w = writer_of(wire, sizeof wire);
    FRAME(HTTP2_WINDOW_UPDATE, 0, 1, "\0\0\0\1");
    http2_play_input(&p, writer_bytes(&w), SIZE_MAX);
    assert_int_equal(p.sent, 11);
    w = writer_of(wire, sizeof wire);
    SETTING("\4", "\0\0\xff\xff");
    http2_play_input(&p, writer_bytes(&w), SIZE_MAX);
    assert_int_equal(p.sent, 100);
    assert_non_null(strstr(p.frames, "DATA 1 100 END"));
    http2_play_done(&p);
}

static void the_connection_has_a_window_too(void **state UNUSED)
{
    hello();
    SETTING("\4", "\0\x7f\xff\xff");
    head(1, WHOLE, GET("/60000"));
    head(3, WHOLE, GET("/60000"));
    play(false, SIZE_MAX);
    assert_int_equal(p.sent, 65535);
    w = writer_of(wire, sizeof wire);
    FRAME(HTTP2_WINDOW_UPDATE, 0, 0, "\0\1\0\0");
    http2_play_input(&p, writer_bytes(&w), SIZE_MAX);
    assert_int_equal(p.sent, 120000);
    http2_play_done(&p);
}

/* What is told and used up opens the windows again, padding and what nobody wants included. */
static void windows_open_again(void **state UNUSED)
{
    uint8_t octets[500] = {200};
    hello();
    head(1, OPEN, PUT("/up"));
    head(3, OPEN, PUT("/5")); /* answered at once: what comes later is read past */
    for (int i = 0; i < 300; i++)
        frame(HTTP2_DATA, i % 2 ? HTTP2_PADDED : 0, 1, octets, sizeof octets);
    play(false, 700);
    assert_null(strstr(p.events, "failed"));
    assert_in_range(p.windows, 290, 310); /* at half of the stream's, and a few of the connection's */
    http2_play_done(&p);

    hello();
    head(1, OPEN, PUT("/hold"));
    frame(HTTP2_DATA, 0, 1, octets, 500);
    frame(HTTP2_DATA, 0, 1, octets, 500);
    play(false, SIZE_MAX);
    assert_int_equal(p.windows, 0);
    http2_play_done(&p);

    hello(); /* what was on its way to a stream that is reset is the connection's again */
    for (uint32_t id = 1; id < 2 * 180; id += 2) {
        head(id, OPEN, PUT("/hold"));
        frame(HTTP2_DATA, 0, id, octets, 500);
        frame(HTTP2_DATA, 0, id, octets, 500);
        FRAME(HTTP2_RST_STREAM, 0, id, "\0\0\0\10");
    }
    play(false, SIZE_MAX);
    assert_null(strstr(p.events, "failed"));
    assert_int_equal(p.windows, 5); /* 180,000 octets, 32,768 at a time */
    http2_play_done(&p);
}

static void more_than_the_connection_s_window_ends_it(void **state UNUSED)
{
    static uint8_t octets[16384];
    for (size_t more = 0; more < 2; more++) {
        hello();
        head(1, OPEN, PUT("/hold"));
        for (int i = 0; i < 3; i++)
            frame(HTTP2_DATA, 0, 1, octets, sizeof octets);
        frame(HTTP2_DATA, 0, 1, octets, sizeof octets - 1 + more); /* 65,535, and one more */
        http2_play_init(&p, false);
        p.session.options.window = 1 << 20; /* of a stream: it is not that one that is left */
        http2_play_input(&p, writer_bytes(&w), 5000);
        assert_string_equal(p.events, more ? "request 1 PUT /hold;failed 0 FLOW_CONTROL_ERROR;"
                                           : "request 1 PUT /hold;");
        http2_play_done(&p);
    }
}

/* What nobody wants is decoded, too (§4.3). */
static void the_table_stays_in_step(void **state UNUSED)
{
    hello();
    head(1, WHOLE, GET("/wait"));
    FRAME(HTTP2_HEADERS, WHOLE, 1, "\x40\1x\1y"); /* behind the end */
    FRAME(HTTP2_HEADERS, WHOLE, 3, "\x82\x86\x84\x41\1h\xbf"); /* that field, and :authority before it */
    play(false, SIZE_MAX);
    assert_string_equal(p.events, "request 1 GET /wait END;closed 1 broken;request 3 GET / END;");
    http2_play_done(&p);
}

/* ---- priorities (RFC 9218) ---- */

static void the_urgent_goes_first(void **state UNUSED)
{
    static const struct {
        const char *name;
        const char *first, *second;
        const char *frames;
    } orders[] = {
        {"in the order they came", "", "", "DATA 1 3000 END;DATA 3 3000 END;"},
        {"the second is more urgent", "priority: u=5\n", "priority: u=1\n", "DATA 3 3000 END;DATA 1 3000 END;"},
        {"the first has said nothing", "", "priority: u=2, i\n", "DATA 3 3000 END;DATA 1 3000 END;"},
        {"out of range is not said", "", "priority: u=9\n", "DATA 1 3000 END;DATA 3 3000 END;"},
        {"malformed is not said", "", "priority: u=0,,\n", "DATA 1 3000 END;DATA 3 3000 END;"},
    };
    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        char text[200];
        hello();
        SETTING("\4", "\0\0\0\0");
        snprintf(text, sizeof text, GET("/3000") "%s", orders[i].first);
        head(1, WHOLE, text);
        snprintf(text, sizeof text, GET("/3000") "%s", orders[i].second);
        head(3, WHOLE, text);
        SETTING("\4", "\0\0\xff\xff");
        play(false, SIZE_MAX);
        CHECK(orders[i].name, strstr(p.frames, orders[i].frames) != NULL);
        http2_play_done(&p);
    }
}

static void priority_update_changes_it(void **state UNUSED)
{
    hello();
    SETTING("\4", "\0\0\0\0");
    head(1, WHOLE, GET("/3000"));
    head(3, WHOLE, GET("/3000"));
    FRAME(0x10, 0, 0, "\0\0\0\3u=0");
    FRAME(0x10, 0, 0, "\0\0\0\11u=0"); /* not there: ignored */
    SETTING("\4", "\0\0\xff\xff");
    play(false, SIZE_MAX);
    assert_non_null(strstr(p.frames, "DATA 3 3000 END;DATA 1 3000 END;"));
    http2_play_done(&p);
    hello();
    FRAME(0x10, 0, 0, "\0\0\0\0u=0");
    play(false, SIZE_MAX);
    assert_string_equal(p.events, "failed 0 PROTOCOL_ERROR;");
    http2_play_done(&p);
}

/* Incremental ones share: neither ends long before the other. */
static void incremental_bodies_take_turns(void **state UNUSED)
{
    hello();
    SETTING("\4", "\0\0\0\0");
    FRAME(HTTP2_WINDOW_UPDATE, 0, 0, "\0\x7f\0\0");
    head(1, WHOLE, GET("/200000") "priority: i\n");
    head(3, WHOLE, GET("/200000") "priority: i\n");
    SETTING("\4", "\0\x7f\xff\xff");
    http2_play_init(&p, false);
    p.deaf = true;
    http2_play_input(&p, writer_bytes(&w), SIZE_MAX);
    assert_in_range(p.streams[0].left, 1, 199999);
    assert_in_range(p.streams[1].left, 1, 199999);
    p.deaf = false;
    http2_play_turn(&p);
    assert_non_null(strstr(p.frames, "DATA 1 200000 END;DATA 3 200000 END;"));
    http2_play_done(&p);
}

/* ---- limits ---- */

static void floods_are_told_to_calm_down(void **state UNUSED)
{
    static const struct {
        const char *name;
        uint8_t type, flags;
        const char *payload;
        size_t len, most;
    } floods[] = {
        {"PING", HTTP2_PING, 0, "12345678", 8, HTTP2_IDLES_BURST},
        {"SETTINGS", HTTP2_SETTINGS, 0, "", 0, HTTP2_IDLES_BURST},
        {"what is not known", 0x42, 0, "", 0, HTTP2_IDLES_BURST},
        {"PRIORITY_UPDATE", 0x10, 0, "\0\0\0\1u=1", 7, HTTP2_IDLES_BURST},
    };
    for (size_t i = 0; i < ARRAY_LEN(floods); i++) {
        hello();
        size_t begun = writer_len(&w);
        for (size_t k = 0; k < floods[i].most; k++)
            frame(floods[i].type, floods[i].flags, 0, floods[i].payload, floods[i].len);
        play(false, SIZE_MAX);
        CHECK(floods[i].name, strstr(p.events, "failed") == NULL);
        p.now += USEC_PER_SEC; /* gives 200 */
        http2_play_input(&p, bytes_of(wire + begun, 200 * (9 + floods[i].len)), SIZE_MAX);
        CHECK(floods[i].name, strstr(p.events, "failed") == NULL);
        http2_play_input(&p, bytes_of(wire + begun, 9 + floods[i].len), SIZE_MAX);
        CHECK(floods[i].name, strcmp(p.events, "failed 0 ENHANCE_YOUR_CALM;") == 0);
        http2_play_done(&p);
    }
}

static void rapid_reset_ends(void **state UNUSED)
{
    hello();
    for (uint32_t id = 1; id < 2 * HTTP2_RESETS_BURST + 4; id += 2) {
        head(id, OPEN, PUT("/up"));
        FRAME(HTTP2_RST_STREAM, 0, id, "\0\0\0\10");
    }
    play(false, SIZE_MAX);
    assert_non_null(strstr(p.events, "failed 0 ENHANCE_YOUR_CALM;"));
    http2_play_done(&p);
    hello(); /* the same, but it is we who are made to reset */
    for (uint32_t id = 1; id < 2 * HTTP2_RESETS_BURST + 4; id += 2) {
        head(id, OPEN, PUT("/up"));
        FRAME(HTTP2_WINDOW_UPDATE, 0, id, "\0\0\0\0");
    }
    play(false, SIZE_MAX);
    assert_non_null(strstr(p.events, "failed 0 ENHANCE_YOUR_CALM;"));
    http2_play_done(&p);
}

static void empty_data_is_bounded(void **state UNUSED)
{
    hello();
    head(1, OPEN, PUT("/up"));
    for (int i = 0; i < HTTP2_IDLES_BURST + 1; i++)
        FRAME(HTTP2_DATA, 0, 1, "");
    play(false, SIZE_MAX);
    assert_non_null(strstr(p.events, "failed 0 ENHANCE_YOUR_CALM;"));
    http2_play_done(&p);
}

/* Who does not read is not read either: what waits is bounded, and nothing is lost. */
static void who_does_not_read_is_not_read(void **state UNUSED)
{
    hello();
    SETTING("\4", "\0\x7f\xff\xff");
    FRAME(HTTP2_WINDOW_UPDATE, 0, 0, "\0\x7f\0\0");
    head(1, WHOLE, GET("/300000"));
    for (uint32_t id = 3; id < 15000; id += 2)
        head(id, WHOLE, GET("/0"));
    http2_play_init(&p, false);
    p.deaf = true;
    http2_play_input(&p, writer_bytes(&w), 999);
    assert_in_range(http2_output(&p.session).len, 1, HTTP2_OUTPUT_HIGH + 100);
    assert_true(p.pending_len > 0);
    p.deaf = false;
    http2_play_turn(&p);
    http2_play_offer(&p);
    assert_int_equal(p.pending_len, 0);
    assert_int_equal(p.session.last_remote, 14999);
    assert_int_equal(p.sent, 300000);
    assert_null(strstr(p.frames, "RST"));
    http2_play_done(&p);
}

/* ---- ends and time ---- */

static void settings_that_are_not_acknowledged(void **state UNUSED)
{
    hello();
    w.next -= 9;
    play(false, SIZE_MAX);
    assert_int_equal(http2_deadline(&p.session), p.now + HTTP2_ACK_TIMEOUT);
    http2_tick(&p.session, p.now + HTTP2_ACK_TIMEOUT - 1);
    assert_false(http2_over(&p.session));
    http2_tick(&p.session, p.now + HTTP2_ACK_TIMEOUT);
    assert_true(http2_over(&p.session));
    http2_play_offer(&p);
    assert_string_equal(p.events, "failed 0 SETTINGS_TIMEOUT;");
    assert_string_equal(p.frames, S "GOAWAY 0 0 SETTINGS_TIMEOUT;");
    http2_play_done(&p);
    hello();
    play(false, SIZE_MAX);
    assert_int_equal(http2_deadline(&p.session), USEC_NEVER);
    http2_play_done(&p);
}

static void going_away_is_done_in_two_steps(void **state UNUSED)
{
    hello();
    head(1, WHOLE, GET("/wait"));
    play(false, SIZE_MAX);
    http2_shut_down(&p.session);
    http2_play_turn(&p);
    assert_string_equal(p.frames, S "GOAWAY 0 255 NO_ERROR;PING 0;");
    w = writer_of(wire, sizeof wire);
    head(3, WHOLE, GET("/5")); /* was on its way */
    FRAME(HTTP2_PING, HTTP2_ACK, 0, "goodbye\0");
    head(5, WHOLE, GET("/5")); /* was not */
    http2_play_input(&p, writer_bytes(&w), SIZE_MAX);
    assert_string_equal(p.frames, S "GOAWAY 0 255 NO_ERROR;PING 0;HEADERS 3;DATA 3 5 END;"
                                    "GOAWAY 0 3 NO_ERROR;RST 5 REFUSED_STREAM;");
    assert_false(http2_over(&p.session));
    p.streams[0].left = 0;
    http2_play_respond(&p, &p.streams[0]);
    http2_play_turn(&p);
    assert_true(http2_over(&p.session));
    http2_play_done(&p);
}

static void without_memory_it_ends(void **state UNUSED)
{
    struct counting_heap counts = {.fail_at = 1};
    struct heap heap = counting_heap(&counts);
    static const struct http2_options options = {
        .streams_max = 4, .window = 1000, .connection_window = HTTP2_WINDOW_DEFAULT};
    http2_session_init(&p.session, &options, &heap, &p.scratch, 0);
    assert_true(http2_over(&p.session));
    http2_session_done(&p.session);
}

/* ---- a client ---- */

static struct http2_play_stream *ask(bool bodiless, bool ended)
{
    struct http2_play_stream *s = http2_play_stream_new(&p);
    http2_open(&p.session, &s->core, bodiless);
    http2_begin_head(&p.session, &s->core);
    http2_add_known(&p.session, HPACK_METHOD, bytes_of_text(bodiless ? "HEAD" : "GET"));
    http2_add_known(&p.session, HPACK_SCHEME, bytes_of_text("http"));
    http2_add_known(&p.session, HPACK_PATH, bytes_of_text("/"));
    http2_end_head(&p.session, true, ended);
    return s;
}

#define C "SETTINGS 0;HEADERS 1 END;SETTINGS 0 ACK;"

static void r_plain(void) { head(1, OPEN, ":status: 200\n"); FRAME(HTTP2_DATA, HTTP2_END_STREAM, 1, "abc"); }
static void r_head_only(void) { head(1, WHOLE, ":status: 204\n"); }
static void r_interim(void) { head(1, OPEN, ":status: 103\nx: y\n"); r_plain(); }
static void r_interim_end(void) { head(1, WHOLE, ":status: 103\n"); }
static void r_switch(void) { head(1, OPEN, ":status: 101\n"); }
static void r_no_status(void) { head(1, OPEN, "x: y\n"); }
static void r_status_odd(void) { head(1, OPEN, ":status: 20\n"); }
static void r_status_twice(void) { head(1, OPEN, ":status: 200\n:status: 200\n"); }
static void r_request_field(void) { head(1, OPEN, ":status: 200\n:path: /\n"); }
static void r_trailers(void) { head(1, OPEN, ":status: 200\n"); FRAME(HTTP2_DATA, 0, 1, "abc"); head(1, WHOLE, "x: y\n"); }
static void r_data_first(void) { FRAME(HTTP2_DATA, 0, 1, "abc"); }
static void r_push(void) { FRAME(HTTP2_PUSH_PROMISE, OPEN, 1, "\0\0\0\2\x82"); }
static void r_enable_push(void) { SETTING("\2", "\0\0\0\1"); }
static void r_even(void) { head(2, WHOLE, ":status: 200\n"); }
static void r_idle(void) { head(3, WHOLE, ":status: 200\n"); }
static void r_after_end(void) { r_head_only(); head(1, WHOLE, ":status: 200\n"); }
static void r_refused(void) { FRAME(HTTP2_RST_STREAM, 0, 1, "\0\0\0\7"); }
static void r_reset(void) { FRAME(HTTP2_RST_STREAM, 0, 1, "\0\0\0\2"); }
static void r_goaway(void) { FRAME(HTTP2_GOAWAY, 0, 0, "\0\0\0\0\0\0\0\0"); }
static void r_goaway_later(void) { FRAME(HTTP2_GOAWAY, 0, 0, "\0\0\0\1\0\0\0\0"); r_plain(); }
static void r_length(void) { head(1, OPEN, ":status: 200\ncontent-length: 4\n"); FRAME(HTTP2_DATA, HTTP2_END_STREAM, 1, "abc"); }
static void r_not_modified(void) { head(1, WHOLE, ":status: 304\ncontent-length: 4\n"); }
static void r_no_content_data(void) { head(1, OPEN, ":status: 204\n"); FRAME(HTTP2_DATA, HTTP2_END_STREAM, 1, "abc"); }

static const struct {
    const char *name;
    void (*make)(void);
    const char *events;
    const char *frames;
} answers[] = {
    {"a response", r_plain, "response 1 200;body 1 3;", C},
    {"one without a body", r_head_only, "response 1 204 END;", C},
    {"an interim one before it", r_interim, "interim 1 103;response 1 200;body 1 3;", C},
    {"an interim one that ends (§8.1)", r_interim_end, "closed 1 broken;", C "RST 1 PROTOCOL_ERROR;"},
    {"101 (§8.6)", r_switch, "closed 1 broken;", C "RST 1 PROTOCOL_ERROR;"},
    {"no :status (§8.3.2)", r_no_status, "closed 1 broken;", C "RST 1 PROTOCOL_ERROR;"},
    {"a status of two digits", r_status_odd, "closed 1 broken;", C "RST 1 PROTOCOL_ERROR;"},
    {"two of them", r_status_twice, "closed 1 broken;", C "RST 1 PROTOCOL_ERROR;"},
    {"a pseudo field of requests", r_request_field, "closed 1 broken;", C "RST 1 PROTOCOL_ERROR;"},
    {"trailers", r_trailers, "response 1 200;trailers 1 1;", C},
    {"a body before the head", r_data_first, "closed 1 broken;", C "RST 1 PROTOCOL_ERROR;"},
    {"a push, which we forbid (§8.4)", r_push, "failed 0 PROTOCOL_ERROR;", C "GOAWAY 0 0 PROTOCOL_ERROR;"},
    {"ENABLE_PUSH of a server (§6.5.2)", r_enable_push, "failed 0 PROTOCOL_ERROR;", C "GOAWAY 0 0 PROTOCOL_ERROR;"},
    {"a stream of the server's", r_even, "failed 0 PROTOCOL_ERROR;", C "GOAWAY 0 0 PROTOCOL_ERROR;"},
    {"a stream that was not asked for", r_idle, "failed 0 PROTOCOL_ERROR;", C "GOAWAY 0 0 PROTOCOL_ERROR;"},
    {"a response behind the response", r_after_end, "response 1 204 END;failed 0 STREAM_CLOSED;",
     C "GOAWAY 0 0 STREAM_CLOSED;"},
    {"REFUSED_STREAM (§8.7)", r_refused, "closed 1 unprocessed;", C},
    {"any other reset", r_reset, "closed 1 broken;", C},
    {"GOAWAY before the request (§6.8)", r_goaway, "closed 1 unprocessed;going away 0;", C},
    {"GOAWAY behind it", r_goaway_later, "going away 0;response 1 200;body 1 3;", C},
    {"fewer octets than Content-Length", r_length, "response 1 200;closed 1 broken;", C "RST 1 PROTOCOL_ERROR;"},
    {"304 with the length that it would have", r_not_modified, "response 1 304 END;", C},
    {"204 with a body", r_no_content_data, "response 1 204;closed 1 broken;", C "RST 1 PROTOCOL_ERROR;"},
};

static void a_client_keeps_every_rule(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        w = writer_of(wire, sizeof wire);
        FRAME(HTTP2_SETTINGS, 0, 0, "");
        answers[i].make();
        for (size_t piece = 1; piece <= writer_len(&w); piece++) {
            http2_play_init(&p, true);
            (void)ask(false, true);
            http2_play_input(&p, writer_bytes(&w), piece);
            bool same = strcmp(p.frames, answers[i].frames) == 0;
            bool told = strstr(answers[i].events, "going away") != NULL ||
                        strcmp(p.events, answers[i].events) == 0;
            if (!same || !told)
                fail_msg("%s, %zu octets at a time: %s | %s", answers[i].name, piece, p.events, p.frames);
            http2_play_done(&p);
        }
    }
}

static void a_client_asks_within_limits(void **state UNUSED)
{
    http2_play_init(&p, true);
    w = writer_of(wire, sizeof wire);
    SETTING("\3", "\0\0\0\2");
    http2_play_input(&p, writer_bytes(&w), SIZE_MAX);
    assert_true(http2_may_open(&p.session));
    (void)ask(true, true);
    struct http2_play_stream *second = ask(false, true);
    assert_int_equal(second->core.id, 3);
    assert_false(http2_may_open(&p.session));
    http2_reset(&p.session, &second->core, HTTP2_CANCEL);
    assert_true(http2_may_open(&p.session));
    w = writer_of(wire, sizeof wire);
    head(3, OPEN, ":status: 200\n"); /* was on its way */
    head(1, WHOLE, ":status: 200\ncontent-length: 7\n"); /* to HEAD */
    FRAME(HTTP2_GOAWAY, 0, 0, "\0\0\0\1\0\0\0\0");
    http2_play_input(&p, writer_bytes(&w), SIZE_MAX);
    assert_string_equal(p.events, "closed 3 broken;response 1 200 END;going away 0;");
    assert_false(http2_may_open(&p.session));
    assert_true(http2_over(&p.session));
    http2_play_done(&p);
}

/* What comes goes back: a request with a body, a long head in several frames, an answer to it. */
static void the_two_understand_each_other(void **state UNUSED)
{
    static struct http2_play server;
    static char large[9000];
    http2_play_init(&p, true);
    http2_play_init(&server, false);
    struct http2_play_stream *s = http2_play_stream_new(&p);
    http2_open(&p.session, &s->core, false);
    memset(large, 'z', sizeof large - 1);
    http2_begin_head(&p.session, &s->core);
    http2_add_known(&p.session, HPACK_METHOD, bytes_of_text("PUT"));
    http2_add_known(&p.session, HPACK_SCHEME, bytes_of_text("http"));
    http2_add_known(&p.session, HPACK_PATH, bytes_of_text("/up"));
    http2_add_known(&p.session, HPACK_AUTHORITY, bytes_of_text("h"));
    http2_add(&p.session, bytes_of_text("X-One"), bytes_of_text(large));
    http2_add(&p.session, bytes_of_text("X-Two"), bytes_of_text(large));
    http2_end_head(&p.session, true, false);
    http2_sleep(&p.session, &s->core);
    p.deaf = server.deaf = true;
    for (int i = 0; i < 100; i++) {
        struct bytes out = bytes_first(http2_output(&p.session), 333);
        http2_play_input(&server, out, SIZE_MAX);
        http2_sent(&p.session, out.len);
        if (i == 80)
            http2_end_body(&p.session, &s->core);
        out = bytes_first(http2_output(&server.session), 333);
        http2_play_input(&p, out, SIZE_MAX);
        http2_sent(&server.session, out.len);
    }
    assert_string_equal(server.events, "request 1 PUT /up LARGE;body 1 0;");
    assert_string_equal(p.events, "response 1 200 END;");
    http2_play_done(&p);
    http2_play_done(&server);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_keeps_every_rule),
        cmocka_unit_test(malformed_requests_are_reset),
        cmocka_unit_test(heads_that_are_too_large_are_told),
        cmocka_unit_test(a_bomb_does_not_go_off),
        cmocka_unit_test(bodies_stay_within_windows),
        cmocka_unit_test(the_connection_has_a_window_too),
        cmocka_unit_test(windows_open_again),
        cmocka_unit_test(more_than_the_connection_s_window_ends_it),
        cmocka_unit_test(the_table_stays_in_step),
        cmocka_unit_test(the_urgent_goes_first),
        cmocka_unit_test(priority_update_changes_it),
        cmocka_unit_test(incremental_bodies_take_turns),
        cmocka_unit_test(floods_are_told_to_calm_down),
        cmocka_unit_test(rapid_reset_ends),
        cmocka_unit_test(empty_data_is_bounded),
        cmocka_unit_test(who_does_not_read_is_not_read),
        cmocka_unit_test(settings_that_are_not_acknowledged),
        cmocka_unit_test(going_away_is_done_in_two_steps),
        cmocka_unit_test(without_memory_it_ends),
        cmocka_unit_test(a_client_keeps_every_rule),
        cmocka_unit_test(a_client_asks_within_limits),
        cmocka_unit_test(the_two_understand_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
