/* SPDX-License-Identifier: ISC */
/* test_script_parse.c - scripts as trees; and for what is wrong the line, the column and the words. */
#include "sim/script/script_tree.h"

#include "os/memory.h"
#include "sim/script/script_packet.h"
#include "tests/support/check.h"
#include "wire/inet/icmp_message.h"
#include "wire/inet/tcp_header.h"

static bool parse(struct script *script, const char *text, struct script_error *error)
{
    static struct script_defines defines;
    struct heap heap = memory_heap();
    defines = (struct script_defines){.count = 0};
    return script_parse(script, &heap, bytes_of_text(text), &defines, error);
}

static void test_what_is_wrong(void **state UNUSED)
{
    static const struct {
        const char *text;
        uint32_t line, column;
        const char *want;
    } cases[] = {
        {"", 1, 1, "expected a time in seconds, but the script ends"},
        {"0 ", 1, 3, "expected a packet, a system call, a command or code, but the script ends"},
        {"x socket(...) = 3", 1, 1, "expected a time in seconds, not \"x\""},
        {"-1 socket(...) = 3", 1, 1, "a time is negative"},
        {"0 socket(... = 3", 1, 14, "expected \")\", not \"=\""},
        {"0 socket(...)", 1, 14, "expected \"=\", but the script ends"},
        {"0 socket(...) = ", 1, 17, "expected a value, but the script ends"},
        {"0 close(,) = 0", 1, 9, "expected a value, not \",\""},
        {"* close(3) = 0", 1, 1, "only an outbound packet can come at any time (*)"},
        {"0~1 close(3) = 0", 1, 1, "only an outbound packet can come within a range of time"},
        {"* < . 1:1(0) ack 1 win 5", 1, 1, "only an outbound packet can come at any time (*)"},
        {"0\n+.2~+.1 > . 1:1(0) ack 1", 2, 1, "expected a packet, a system call"},
        {"+.2~+.1 > . 1:1(0) ack 1", 1, 9, "the range of time is backwards"},
        {"+.2~.3 > . 1:1(0) ack 1", 1, 5, "expected \"+\""},
        {"0 > Q. 1:1(0)", 1, 5, "unknown TCP flag \"Q\""},
        {"0 > 1:1(0)", 1, 6, "expected \">\""},
        {"0 >", 1, 4, "expected the flags of a TCP segment, udp or icmp"},
        {"0 > . 1:3(1)", 1, 7, "1 and 1 octets do not make 3"},
        {"0 > . 1:70001(70000)", 1, 15, "the length of a segment is out of range"},
        {"0 > . 4294967296:1(0)", 1, 7, "a sequence number is out of range"},
        {"0 < . 1:1(0) ack 1", 1, 19, "an inbound segment needs its window (win)"},
        {"0 < . 1:1(0) ack 1 win 65536", 1, 24, "a window is out of range"},
        {"0 > . 1:1(0) ack 1 <nop>", 1, 20, "the options have 1 octets"},
        {"0 > . 1:1(0) ack 1 <foo 1>", 1, 21, "unknown TCP option \"foo\""},
        {"0 > . 1:1(0) ack 1 <mss 70000>", 1, 25, "an MSS is out of range"},
        {"0 > . 1:1(0) ack 1 <TS 1>", 1, 24, "expected TS val NUMBER ecr NUMBER"},
        {"0 > . 1:1(0) ack 1 <FO abc>", 1, 24, "expected at most 40 octets in hexadecimal"},
        {"0 > . 1:1(0) ack 1 <FO xy>", 1, 24, "not hexadecimal: xy"},
        {"0 > . 1:1(0) ack 1 <sack 1:2 3:4 5:6 7:8 9:10>", 1, 20, "longer than 40 octets"},
        {"0 < . 1:1(0) ack 1 win 5 <...>", 1, 27, "<...> is for outbound segments only"},
        {"0 < [ect01] . 1:1(0) ack 1 win 5", 1, 6, "[ect01] is for outbound packets only"},
        {"0 > [tos 5] . 1:1(0)", 1, 10, "expected the type of service"},
        {"0 > [what] . 1:1(0)", 1, 6, "expected noecn, ect0"},
        {"0 < ipv6 fd::1 > fd::2: . 1:1(0)", 1, 5, "packets within packets (ipv6)"},
        {"0 < icmp nonsense", 1, 10, "unknown ICMP type \"nonsense\""},
        {"0 < icmp unreachable nonsense", 1, 22, "unknown ICMP code \"nonsense\""},
        {"0 < icmp unreachable host_unreachable mtu 5", 1, 39, "an MTU is told by"},
        {"0 < icmp echo_request [raw (4)]", 1, 31, "an ICMP message has at least 8 octets"},
        {"0 %{ a", 1, 3, "code without its }%"},
        {"`a`\n`b`", 2, 1, "expected a time in seconds, not \"b\""},
        {"0 `a`\n`b`\n0 `c`", 3, 1, "expected the end of the script behind a command"},
        {"--define=5\n0 `a`", 1, 1, "expected --define=NAME=VALUE"},
        {"0 f({a=1) = 0", 1, 9, "expected \"}\", not \")\""},
        {"0 f([1) = 0", 1, 7, "expected \"]\", not \")\""},
        {"0 f(\"a) = 0", 1, 5, "a text without its second quote"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct script script;
        struct script_error error;
        if (parse(&script, cases[i].text, &error))
            fail_msg("taken: %s", cases[i].text);
        if (strstr(error.text, cases[i].want) == NULL)
            fail_msg("%s: said \"%s\"", cases[i].text, error.text);
        CHECK_EQUAL(cases[i].text, error.line, cases[i].line);
        CHECK_EQUAL(cases[i].text, error.column, cases[i].column);
    }
}

static void test_nested_values_are_bounded(void **state UNUSED)
{
    char text[1024] = "0 f(";
    size_t len = strlen(text);
    memset(text + len, '[', 200);
    struct script script;
    struct script_error error;
    assert_false(parse(&script, text, &error));
    assert_non_null(strstr(error.text, "nested"));
}

static void test_events_and_times(void **state UNUSED)
{
    static const char text[] =
        "// a script\n"
        "--tolerance_usecs=100\n"
        "--local_ip=fd::1 --strict_segments\n"
        "`init`\n"
        "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"
        "+.1 close(3) = -1 EBADF (Bad file descriptor)\n"
        "1.5...2 accept(3, ..., ...) = 4\n"
        "* > S. 0:0(0) ack 1 <...>\n"
        "+1~+2.5 > . 1:1(0) ack 1\n"
        "3~4 > F. 1:1(0) ack 1\n"
        "5 `command`\n"
        "+0 %{ code }%\n"
        "`end`\n";
    struct script script;
    struct script_error error;
    assert_true(parse(&script, text, &error));
    assert_int_equal(script.event_count, 8);
    assert_true(script.has_init && script.has_cleanup);
    assert_true(bytes_equal(script.init.text, bytes_of_text("init")));
    assert_true(bytes_equal(script.cleanup.text, bytes_of_text("end")));
    const struct script_option *option = script.options;
    assert_true(bytes_equal(option->name.text, bytes_of_text("tolerance_usecs")));
    assert_true(bytes_equal(option->value, bytes_of_text("100")));
    assert_true(bytes_equal(option->next->value, bytes_of_text("fd::1")));
    assert_false(option->next->next->has_value);
    static const struct {
        enum script_event_kind kind;
        enum script_time_kind time;
        usec at, end_at;
        uint32_t line;
    } want[] = {
        {SCRIPT_EVENT_CALL, SCRIPT_TIME_ABSOLUTE, 0, 0, 5},
        {SCRIPT_EVENT_CALL, SCRIPT_TIME_RELATIVE, 100000, 0, 6},
        {SCRIPT_EVENT_CALL, SCRIPT_TIME_ABSOLUTE, 1500000, 0, 7},
        {SCRIPT_EVENT_PACKET, SCRIPT_TIME_ANY, 0, 0, 8},
        {SCRIPT_EVENT_PACKET, SCRIPT_TIME_RELATIVE_RANGE, 1000000, 2500000, 9},
        {SCRIPT_EVENT_PACKET, SCRIPT_TIME_ABSOLUTE_RANGE, 3000000, 4000000, 10},
        {SCRIPT_EVENT_COMMAND, SCRIPT_TIME_ABSOLUTE, 5000000, 0, 11},
        {SCRIPT_EVENT_CODE, SCRIPT_TIME_RELATIVE, 0, 0, 12},
    };
    const struct script_event *event = script.events;
    for (size_t i = 0; i < ARRAY_LEN(want); i++, event = event->next) {
        CHECK_EQUAL("kind", event->kind, want[i].kind);
        CHECK_EQUAL("time", event->time_kind, want[i].time);
        CHECK_EQUAL("at", event->at, want[i].at);
        CHECK_EQUAL("end", event->end_at, want[i].end_at);
        CHECK_EQUAL("line", event->line, want[i].line);
    }
    const struct script_call *failing = script.events->next->u.call;
    assert_int_equal(failing->result->number, -1);
    assert_true(bytes_equal(failing->error, bytes_of_text("EBADF")));
    const struct script_call *blocking = script.events->next->next->u.call;
    assert_true(blocking->blocking);
    assert_int_equal(blocking->end_at, 2000000);
    script_done(&script);
}

static const struct script_call *parse_call(struct script *script, const char *text)
{
    struct script_error error;
    if (!parse(script, text, &error))
        fail_msg("%s: %s", text, error.text);
    return script->events->u.call;
}

static void test_values(void **state UNUSED)
{
    struct script script;
    const struct script_call *call =
        parse_call(&script, "0 f([], [1, 0x10], A|B|4, \"a\\x41\" \"\\n\", {fd=3, events=A|B}, "
                            "{msg_name(...)=..., msg_iov(2)=[{..., 5}]}, htons(80)) = 0x2");
    const struct script_value *value = call->arguments;
    assert_int_equal(call->argument_count, 7);
    assert_int_equal(call->result->number, 2);
    assert_int_equal(value->kind, SCRIPT_VALUE_LIST);
    assert_int_equal(value->count, 0);
    value = value->next;
    assert_int_equal(value->count, 2);
    assert_int_equal(value->first->next->number, 16);
    value = value->next;
    assert_int_equal(value->kind, SCRIPT_VALUE_OR);
    assert_int_equal(value->first->kind, SCRIPT_VALUE_OR);
    assert_int_equal(value->first->next->number, 4);
    value = value->next;
    assert_true(bytes_equal(value->text, bytes_of_text("aA\n")));
    value = value->next;
    assert_int_equal(value->kind, SCRIPT_VALUE_STRUCT);
    assert_true(bytes_equal(value->first->name, bytes_of_text("fd")));
    assert_int_equal(value->first->next->kind, SCRIPT_VALUE_OR);
    assert_true(bytes_equal(value->first->next->name, bytes_of_text("events")));
    value = value->next;
    assert_int_equal(value->first->kind, SCRIPT_VALUE_ELLIPSIS);
    assert_int_equal(value->first->next->bound->number, 2);
    assert_int_equal(value->first->next->kind, SCRIPT_VALUE_LIST);
    value = value->next;
    assert_int_equal(value->kind, SCRIPT_VALUE_CALL);
    script_done(&script);
}

/* A packet is what it is when it is written out again. */
static void test_packets(void **state UNUSED)
{
    static const struct {
        const char *text, *want; /* NULL: the same */
    } cases[] = {
        {"S 0:0(0) win 32792 <mss 1000,sackOK,nop,nop,nop,wscale 7>", NULL},
        {"S. 0:0(0) ack 1 win 5 <mss 1460,sackOK,TS val 1 ecr 2,nop,wscale 8>", NULL},
        {". 1:1001(1000) ack 4294967295 win 0", NULL},
        {"FP. 1:1001(1000) ack 1 win 257", NULL},
        {"R 1:1(0) win 0", NULL},
        {"- 1:2(1) win 7", NULL},
        {"SEWA. 0:0(0) ack 1 win 9", NULL},
        {"S.3 0:0(0) ack 1 win 9", "SEW. 0:0(0) ack 1 win 9"},
        {"U. 1:3(2) ack 1 win 9 urg 2", NULL},
        {". 1:1(0) ack 1 win 9 <nop,nop,sack 1:2 3:4>", NULL},
        {"S 0:0(0) win 9 <FO,nop,nop>", NULL},
        {"S 0:0(0) win 9 <FO 0011223344556677,nop,nop>", NULL},
        {"S 0:0(0) win 9 <FOEXP 1234123412341234>", NULL},
        {"S 0:0(0) win 9 <FOEXP>", NULL},
        {". 1:1(0) ack 1 win 9 <md5 000102030405060708090a0b0c0d0e0f,nop,eol>", NULL},
        {". 1:1(0) ack 1 win 9 <ECN e0b 1 ceb 2 e1b 3,nop>",
         ". 1:1(0) ack 1 win 9 <kind 172 000001000002000003,nop>"},
        {"[ect0] . 1:1(0) ack 1 win 9", NULL},
        {"[ce] . 1:1(0) ack 1 win 9", NULL},
        {"(noecn) . 1:1(0) ack 1 win 9", "[noecn] . 1:1(0) ack 1 win 9"},
        {"[tos 0x1c] . 1:1(0) ack 1 win 9", NULL},
        {"1234 > 80 . 1:1(0) ack 1 win 9", ". 1:1(0) ack 1 win 9"},
        {"udp (1000)", NULL},
        {"icmp unreachable frag_needed mtu 1200 [1:1001(1000)]", NULL},
        {"icmp unreachable host_unreachable [0:10(10)]", NULL},
        {"icmp time_exceeded code_1 [1:1(0)]", NULL},
        {"icmp type_9 code_3 [udp (8)]", "icmp type_9 code_3"},
    };
    char text[256], got[256];
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct script script;
        struct script_error error;
        snprintf(text, sizeof text, "0 < %s", cases[i].text);
        if (!parse(&script, text, &error))
            fail_msg("%s: %s", text, error.text);
        struct text out = text_of(got, sizeof got);
        script_packet_format(script.events->u.packet, &out);
        assert_string_equal(got, cases[i].want != NULL ? cases[i].want : cases[i].text);
        script_done(&script);
    }
}

static void test_memory_that_is_not_there(void **state UNUSED)
{
    static const char text[] = "--a=b\n`c`\n0 f([1, 2], {a=\"b\"}) = 0\n+0 > S 0:0(0) <mss 5>";
    for (size_t fail_at = 1; fail_at < 4; fail_at++) {
        struct counting_heap counts = {.fail_at = fail_at};
        struct heap heap = counting_heap(&counts);
        struct script_defines defines = {.count = 0};
        struct script script;
        struct script_error error;
        if (script_parse(&script, &heap, bytes_of_text(text), &defines, &error))
            script_done(&script);
        else
            assert_string_equal(error.text, "the script is too large");
        assert_int_equal(counts.octets, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_wrong),
        cmocka_unit_test(test_nested_values_are_bounded),
        cmocka_unit_test(test_events_and_times),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_packets),
        cmocka_unit_test(test_memory_that_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
