/* SPDX-License-Identifier: ISC */
#include "proto/websocket/websocket_session.h"

#include "base/text.h"
#include "tests/support/check.h"

static struct websocket_session s;
static struct prng prng;

static void begin(enum websocket_role role, uint64_t max)
{
    const struct websocket_options options = {.role = role,
                                              .compression = false,
                                              .message_max = max,
                                              .ping_interval = 10 * USEC_PER_SEC,
                                              .prng = &prng};
    prng_init_number(&prng, 7);
    websocket_init(&s, &options, 0);
}

/* What is told, in words; what the machine answers stays in its output. */
static void feed(struct bytes in, size_t piece, char *told, size_t size)
{
    struct text text = text_of(told, size);
    size_t start = 0, end = 0;
    while (end < in.len) {
        end = piece < in.len - end ? end + piece : in.len;
        struct websocket_event event;
        size_t used;
        do {
            used = websocket_input(&s, bytes_of(in.data + start, end - start), 0, &event);
            start += used;
            if (event.kind == WEBSOCKET_DATA) {
                if (event.first)
                    text_add(&text, event.text ? "text " : "binary ");
                text_add_bytes(&text, event.data);
                text_add(&text, event.last ? ";" : "");
            } else if (event.kind == WEBSOCKET_CLOSED) {
                text_add_format(&text, "closed %u%s", event.code, event.data.len > 0 ? " " : "");
                text_add_bytes(&text, event.data);
                text_add(&text, ";");
            } else if (event.kind == WEBSOCKET_PONGED) {
                text_add(&text, "pong;");
            }
        } while (used > 0 || event.kind != WEBSOCKET_NO_EVENT);
    }
}

#define KEY "\x37\xfa\x21\x3d"
#define HELLO "\x7f\x9f\x4d\x51\x58" /* masked */
#define NONE "\0\0\0\0"

static const struct {
    const char *name;
    const char *in;
    size_t len;
    const char *told;
    const char *answer; /* its octets */
    size_t answer_len;
} cases[] = {
#define IN(text) text, sizeof text - 1
    {"a message (RFC 6455 §5.7)", IN("\x81\x85" KEY HELLO), "text Hello;", IN("")},
    {"in fragments (§5.4)", IN("\x01\x83" NONE "Hel\x80\x82" NONE "lo"), "text Hello;", IN("")},
    {"an empty one", IN("\x82\x80" NONE), "binary ;", IN("")},
    {"empty fragments", IN("\x01\x80" NONE "\x00\x80" NONE "\x80\x81" NONE "x"), "text x;", IN("")},
    {"a ping is answered (§5.5.3)", IN("\x89\x85" KEY HELLO), "", IN("\x8a\x05Hello")},
    {"a ping between fragments (§5.4)", IN("\x01\x81" NONE "a\x89\x81" NONE "p\x80\x81" NONE "b"),
     "text ab;", IN("\x8a\x01p")},
    {"a pong that nobody asked for (§5.5.3)", IN("\x8a\x80" NONE), "pong;", IN("")},
    {"a close (§5.5.1)", IN("\x88\x82" NONE "\x03\xe8"), "closed 1000;", IN("\x88\x02\x03\xe8")},
    {"a close without a code", IN("\x88\x80" NONE), "closed 1005;", IN("\x88\x00")},
    {"a close with a reason", IN("\x88\x85" NONE "\x03\xe9" "bye"), "closed 1001 bye;", IN("\x88\x02\x03\xe9")},
    {"nothing counts after a close", IN("\x88\x80" NONE "\x81\x81" NONE "x"), "closed 1005;", IN("\x88\x00")},
    {"a close of one octet (§5.5.1)", IN("\x88\x81" NONE "\x03"), "closed 1002;", IN("\x88\x02\x03\xea")},
    {"a close with a code of nobody's (§7.4)", IN("\x88\x82" NONE "\x03\xed"), "closed 1002;",
     IN("\x88\x02\x03\xea")},
    {"a reason that is no UTF-8", IN("\x88\x83" NONE "\x03\xe8\xff"), "closed 1007;", IN("\x88\x02\x03\xef")},
    {"no mask (§5.1)", IN("\x81\x05Hello"), "closed 1002;", IN("\x88\x02\x03\xea")},
    {"a continuation of nothing (§5.4)", IN("\x80\x80" NONE), "closed 1002;", IN("\x88\x02\x03\xea")},
    {"a message within another (§5.4)", IN("\x01\x81" NONE "a\x81\x81" NONE "b"), "text aclosed 1002;",
     IN("\x88\x02\x03\xea")},
    {"a reserved bit (§5.2)", IN("\xa1\x80" NONE), "closed 1002;", IN("\x88\x02\x03\xea")},
    {"compressed without agreement (§5.2)", IN("\xc1\x80" NONE), "closed 1002;", IN("\x88\x02\x03\xea")},
    {"text that is none (§8.1)", IN("\x81\x81" NONE "\xff"), "closed 1007;", IN("\x88\x02\x03\xef")},
    {"a character in two fragments", IN("\x01\x81" NONE "\xc3\x80\x81" NONE "\xa9"), "text \xc3\xa9;",
     IN("")},
    {"too large", IN("\x82\xfe\x00\xc9" NONE), "closed 1009;", IN("\x88\x02\x03\xf1")},
    {"too large with its second fragment", IN("\x02\x81" NONE "a\x80\xfe\x00\xc8" NONE),
     "binary aclosed 1009;", IN("\x88\x02\x03\xf1")},
};

static void what_comes(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (size_t piece = 1; piece <= cases[i].len; piece++) {
            char told[200] = "";
            begin(WEBSOCKET_SERVER, 200);
            uint8_t *copy = exact_copy(cases[i].in, cases[i].len);
            feed(bytes_of(copy, cases[i].len), piece, told, sizeof told);
            free(copy);
            if (strcmp(told, cases[i].told) != 0)
                fail_msg("%s, in pieces of %zu: told \"%s\"", cases[i].name, piece, told);
            CHECK(cases[i].name, bytes_equal(websocket_output(&s),
                                             bytes_of(cases[i].answer, cases[i].answer_len)));
            CHECK_EQUAL(cases[i].name, websocket_over(&s), strstr(told, "closed") != NULL);
        }
    }
}

/* RFC 6455 §5.1: of a server nothing is masked, of a client all. */
static void what_comes_to_a_client(void **state UNUSED)
{
    static const struct {
        const char *name, *in;
        size_t len;
        const char *told;
        unsigned code; /* of the close that answers; 0: none */
    } from_server[] = {
        {"text", IN("\x81\x05Hello"), "text Hello;", 0},
        {"masked", IN("\x81\x85" KEY HELLO), "closed 1002;", 1002},
        {"a masked ping", IN("\x89\x80" NONE), "closed 1002;", 1002},
        {"a close", IN("\x88\x05\x03\xe9" "bye"), "closed 1001 bye;", 1001},
        {"a reserved opcode", IN("\x83\x00"), "closed 1002;", 1002},
        {"a length that could be shorter", IN("\x82\x7e\x00\x01x"), "closed 1002;", 1002},
        {"text that is none", IN("\x81\x01\xff"), "closed 1007;", 1007},
        {"too large", IN("\x82\x7e\x00\xc9"), "closed 1009;", 1009},
    };
    for (size_t i = 0; i < ARRAY_LEN(from_server); i++) {
        for (size_t piece = 1; piece <= from_server[i].len; piece++) {
            char told[200] = "";
            struct websocket_header header;
            size_t len;
            begin(WEBSOCKET_CLIENT, 200);
            feed(bytes_of(from_server[i].in, from_server[i].len), piece, told, sizeof told);
            CHECK(from_server[i].name, strcmp(told, from_server[i].told) == 0);
            struct bytes answer = websocket_output(&s);
            CHECK_EQUAL(from_server[i].name, answer.len > 0, from_server[i].code != 0);
            if (answer.len == 0)
                continue;
            CHECK_EQUAL(from_server[i].name, websocket_header_decode(answer, &header, &len), WIRE_OK);
            CHECK(from_server[i].name, header.masked && header.opcode == WEBSOCKET_CLOSE && header.length == 2);
            uint8_t code[2] = {answer.data[len], answer.data[len + 1]};
            websocket_mask(code, 2, header.key, 0);
            CHECK_EQUAL(from_server[i].name, (unsigned)(code[0] << 8 | code[1]), from_server[i].code);
        }
    }
}

static void half_a_character_ends_no_text(void **state UNUSED)
{
    char told[100] = "";
    begin(WEBSOCKET_SERVER, 200);
    feed(bytes_of("\x81\x81" NONE "\xc3", 7), 7, told, sizeof told);
    assert_string_equal(told, "closed 1007;");
}

/* A peer that asks and asks without reading is not read any more. */
static void pings_wait_for_room(void **state UNUSED)
{
    static const char ping[] = "\x89\xfd" NONE
        "01234567890123456789012345678901234567890123456789012345678901234567890123456789"
        "012345678901234567890123456789012345678901234";
    static uint8_t flood[20 * (sizeof ping - 1)];
    struct websocket_event event;
    size_t total = 0;
    size_t used;
    begin(WEBSOCKET_SERVER, 200);
    for (size_t i = 0; i < 20; i++)
        memcpy(flood + i * (sizeof ping - 1), ping, sizeof ping - 1);
    for (unsigned rounds = 0; rounds < 20 && total < sizeof flood; rounds++) {
        do {
            used = websocket_input(&s, bytes_of(flood + total, sizeof flood - total), 0, &event);
            total += used;
        } while (used > 0);
        assert_true(websocket_output(&s).len <= WEBSOCKET_OUTPUT_MAX);
        assert_true(rounds > 0 || total < sizeof flood);
        websocket_sent(&s, websocket_output(&s).len);
    }
    assert_int_equal(total, sizeof flood);
}

static void we_close(void **state UNUSED)
{
    char told[100] = "";
    struct websocket_header header;
    begin(WEBSOCKET_SERVER, 200);
    websocket_close(&s, WEBSOCKET_GOING_AWAY, bytes_of_text("bye"), 0);
    assert_true(bytes_equal(websocket_output(&s), bytes_of("\x88\x05\x03\xe9" "bye", 7)));
    websocket_close(&s, WEBSOCKET_NORMAL, bytes_empty(), 0); /* once */
    assert_int_equal(websocket_output(&s).len, 7);
    assert_false(websocket_over(&s));
    assert_false(websocket_frame(&s, WEBSOCKET_TEXT, false, 1, &header));
    feed(bytes_of("\x81\x81" NONE "x\x88\x82" NONE "\x03\xe9", 15), 15, told, sizeof told);
    assert_string_equal(told, "text x;closed 1001;"); /* what was under way still comes */
    assert_true(websocket_over(&s));
}

static void who_does_not_close_is_given_up(void **state UNUSED)
{
    begin(WEBSOCKET_SERVER, 200);
    websocket_close(&s, WEBSOCKET_NORMAL, bytes_empty(), 0);
    assert_true(websocket_deadline(&s) == WEBSOCKET_CLOSE_TIMEOUT);
    websocket_tick(&s, WEBSOCKET_CLOSE_TIMEOUT);
    assert_true(websocket_over(&s) && websocket_failed(&s));
}

static void who_is_silent_is_asked_and_then_given_up(void **state UNUSED)
{
    char told[100] = "";
    begin(WEBSOCKET_SERVER, 200);
    assert_true(websocket_deadline(&s) == 10 * USEC_PER_SEC);
    websocket_tick(&s, 10 * USEC_PER_SEC);
    assert_true(bytes_equal(websocket_output(&s), bytes_of("\x89\x00", 2)));
    assert_true(websocket_deadline(&s) == 20 * USEC_PER_SEC);
    struct websocket_event event;
    assert_int_equal(websocket_input(&s, bytes_of("\x8a\x80" NONE, 6), 11 * USEC_PER_SEC, &event), 6);
    assert_int_equal(event.kind, WEBSOCKET_PONGED);
    assert_true(websocket_deadline(&s) == 21 * USEC_PER_SEC);
    websocket_tick(&s, 21 * USEC_PER_SEC);
    assert_false(websocket_over(&s));
    websocket_tick(&s, 31 * USEC_PER_SEC);
    assert_true(websocket_over(&s) && websocket_failed(&s));
    (void)told;
}

/* Both ends of our own understand each other. */
static void a_client_masks(void **state UNUSED)
{
    static struct websocket_session client;
    const struct websocket_options options = {.role = WEBSOCKET_CLIENT, .message_max = 200, .prng = &prng};
    struct websocket_header header;
    uint8_t frame[100] = {0};
    char told[100] = "";
    begin(WEBSOCKET_SERVER, 200);
    websocket_init(&client, &options, 0);
    assert_true(websocket_frame(&client, WEBSOCKET_TEXT, false, 5, &header));
    assert_true(header.masked);
    struct writer w = writer_of(frame, sizeof frame);
    websocket_header_encode(&w, &header);
    memcpy(w.next, "Hello", 5);
    websocket_mask(w.next, 5, header.key, 0);
    feed(bytes_of(frame, writer_len(&w) + 5), 3, told, sizeof told);
    assert_string_equal(told, "text Hello;");
    websocket_close(&client, WEBSOCKET_NORMAL, bytes_empty(), 0);
    feed(websocket_output(&client), 3, told, sizeof told);
    assert_string_equal(told, "closed 1000;");
    struct websocket_event event;
    (void)websocket_input(&client, websocket_output(&s), 0, &event);
    assert_int_equal(event.kind, WEBSOCKET_CLOSED);
    assert_true(websocket_over(&client));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes),
        cmocka_unit_test(what_comes_to_a_client),
        cmocka_unit_test(half_a_character_ends_no_text),
        cmocka_unit_test(pings_wait_for_room),
        cmocka_unit_test(we_close),
        cmocka_unit_test(who_does_not_close_is_given_up),
        cmocka_unit_test(who_is_silent_is_asked_and_then_given_up),
        cmocka_unit_test(a_client_masks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
