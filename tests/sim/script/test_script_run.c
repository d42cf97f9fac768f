/* SPDX-License-Identifier: ISC */
/*
 * test_script_run.c - scripts against the stack: every tests/scenario/pkt/NAME.pkt passes, and one
 * that is changed in a single place fails there, in these words.
 */
#include <dirent.h>

#include "os/file.h"
#include "os/memory.h"
#include "sim/script/script.h"
#include "stack/tcp/tcp_profile.h"
#include "tests/support/check.h"

enum { SCRIPTS_MAX = 256 };

static const char folder[] = "tests/scenario/pkt";

static struct script_report report;

static void run_text(const char *text)
{
    struct script_options options = {.heap = memory_heap()};
    size_t len = strlen(text);
    uint8_t *exact = exact_copy(text, len);
    script_run(bytes_of(exact, len), &options, &report);
    free(exact);
}

static void passes(void **state)
{
    const char *path = *state;
    char *text;
    size_t len;
    assert_int_equal(file_read(path, 1 << 20, &text, &len), 0);
    run_text(text);
    free(text);
    if (report.outcome != SCRIPT_PASSED)
        fail_msg("%s:%u: %s: %s", path, report.line, script_outcome_text(report.outcome),
                 report.text);
    assert_true(report.events > 0);
}

#define BEGIN                                                                                     \
    "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"                                               \
    "+0 bind(3, ..., ...) = 0\n"                                                                  \
    "+0 listen(3, 1) = 0\n"                                                                       \
    "+0 < S 0:0(0) win 65535 <mss 1000,sackOK,nop,nop,nop,wscale 7>\n"                            \
    "+0 > S. 0:0(0) ack 1 <mss 1460,nop,nop,sackOK,nop,wscale 7>\n"                               \
    "+.1 < . 1:1(0) ack 1 win 1000\n"                                                             \
    "+0 accept(3, ..., ...) = 4\n"                                                                \
    "+0 write(4, ..., 1000) = 1000\n"

/* A runner that cannot fail is worth nothing. */
static void broken_scripts_fail(void **state UNUSED)
{
    static const struct {
        const char *text;
        enum script_outcome outcome;
        uint32_t line;
        const char *want;
    } cases[] = {
        {BEGIN "+0 > P. 1:1001(1000) ack 1\n", SCRIPT_PASSED, 0, ""},
        {BEGIN "+0 > . 1:1001(1000) ack 1\n", SCRIPT_FAILED, 9, "flags: expected ., got P."},
        {BEGIN "+0 > P. 2:1002(1000) ack 1\n", SCRIPT_FAILED, 9,
         "sequence number: expected 2, got 1"},
        {BEGIN "+0 > P. 1:901(900) ack 1\n", SCRIPT_FAILED, 9, "payload: expected 900, got 1000"},
        {BEGIN "+0 > P. 1:1101(1100) ack 1\n", SCRIPT_FAILED, 9, "sequence number: expected 1001"},
        {BEGIN "+0 > P. 1:1001(1000) ack 2\n", SCRIPT_FAILED, 9,
         "acknowledgement: expected 2, got 1"},
        {BEGIN "+0 > P. 1:1001(1000) ack 1 win 77\n", SCRIPT_FAILED, 9, "window: expected 77, got"},
        {BEGIN "+0 > P. 1:1001(1000) ack 1 <nop,nop,sack 1:2>\n", SCRIPT_FAILED, 9,
         "TCP options: missing nop"},
        {BEGIN "+0 > [ect0] P. 1:1001(1000) ack 1\n", SCRIPT_FAILED, 9,
         "ECN mark: expected 2, got 0"},
        {BEGIN "+.1 > P. 1:1001(1000) ack 1\n", SCRIPT_FAILED, 9,
         "the packet: expected at 0.200000 s, came at 0.100000 s (tolerance 0.012500 s)"},
        {BEGIN "+.05~+.1 > P. 1:1001(1000) ack 1\n", SCRIPT_FAILED, 9,
         "the packet: expected at 0.150000 to 0.200000 s, came at 0.100000 s"},
        {BEGIN "+0 > P. 1:1001(1000) ack 1\n+0 > . 1:1(0) ack 1\n", SCRIPT_FAILED, 10,
         "flags: expected ., got P."},
        {BEGIN "+0 > P. 1:1001(1000) ack 1\n+0 < . 1:1(0) ack 1001 win 9\n+0 > . 1:1(0) ack 1\n",
         SCRIPT_FAILED, 11, "no packet came until 2.100000 s"},
        {BEGIN "+0 read(4, ..., 10) = 5\n", SCRIPT_FAILED, 9,
         "the call did not come back: read(4, ..., 10)"},
        {BEGIN "+0 recv(4, ..., 10, MSG_DONTWAIT) = 10\n", SCRIPT_FAILED, 9,
         "the call gave -1 EAGAIN, expected 10: recv(4, ..., 10, MSG_DONTWAIT)"},
        {BEGIN "+0 recv(4, ..., 10, MSG_DONTWAIT) = -1 ECONNRESET (Connection reset)\n",
         SCRIPT_FAILED, 9, "the call gave -1 EAGAIN, expected -1 ECONNRESET"},
        {BEGIN "+0...0.3 read(4, ..., 10) = 10\n+.1 < P. 1:11(10) ack 1001 win 1000\n",
         SCRIPT_FAILED, 9, "the call ended at 0.200000 s, expected at 0.400000 s"},
        {BEGIN "+0 getsockopt(4, SOL_SOCKET, SO_TYPE, [2], [4]) = 0\n", SCRIPT_FAILED, 9,
         "the option's value: expected 2, got 1"},
        {BEGIN "+0 poll([{fd=4, events=POLLOUT, revents=POLLIN}], 1, 0) = 1\n", SCRIPT_FAILED, 9,
         "revents: expected POLLIN, got POLLOUT"},
        {BEGIN "+0 ioctl(4, SIOCINQ, [5]) = 0\n", SCRIPT_FAILED, 9, "the value: expected 5, got 0"},
        {BEGIN "+0 %{\nassert tcpi_snd_mss == 1000\nassert tcpi_snd_mss == 999, 'mss' }%\n",
         SCRIPT_FAILED, 11, "code: not so: tcpi_snd_mss == 999: tcpi_snd_mss is 1000 (mss)"},
        {BEGIN "+0 %{ asert tcpi_snd_mss }%\n", SCRIPT_FAILED, 9, "code: "},
        {BEGIN "+0 `rm -rf /`\n", SCRIPT_WRONG, 9, "this command is not understood: rm -rf /"},
        {"`frobnicate`\n" BEGIN, SCRIPT_WRONG, 1, "this command is not understood: frobnicate"},
        {BEGIN "+0 close(9) = 0\n", SCRIPT_WRONG, 9, "there is no descriptor 9"},
        {BEGIN "+0 fork() = 0\n", SCRIPT_WRONG, 9, "there is no system call fork() here"},
        {BEGIN "+0 close(4, 5) = 0\n", SCRIPT_WRONG, 9, "close() takes 1 to 1 arguments, not 2"},
        {BEGIN "+0 close(4) = 0 EFOO\n", SCRIPT_WRONG, 9, "there is no error called EFOO"},
        {BEGIN "+0 fcntl(4, F_WHAT) = 0\n", SCRIPT_WRONG, 9, "nothing is called F_WHAT"},
        {BEGIN "+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 4\n", SCRIPT_WRONG, 9,
         "the descriptor 4 is in use already"},
        {BEGIN "0 close(4) = 0\n", SCRIPT_FAILED, 9, "the event: expected at 0.000000 s"},
        {BEGIN "1 close(4) = 0\n.5 close(3) = 0\n", SCRIPT_WRONG, 10, "time goes backwards"},
        {BEGIN "+0 < . 1:1(0) ack 1 win 5 <nop,nop,TS val 1 ecr 77>\n", SCRIPT_WRONG, 9,
         "no packet went out with the timestamp that is echoed: 77"},
        {"1 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n", SCRIPT_WRONG, 1,
         "the first event is at time 0"},
        {"0 > S 0:0(0)\n", SCRIPT_WRONG, 1, "there is no socket that this packet could belong to"},
        {"--local_ip=fd::1\n" BEGIN, SCRIPT_SKIPPED, 1, "IPv6"},
        {"--ip_version=ipv6\n" BEGIN, SCRIPT_SKIPPED, 1, "IPv6"},
        {"--nonsense=5\n" BEGIN, SCRIPT_WRONG, 1, "there is no such option here"},
        {"--mtu=70000\n" BEGIN, SCRIPT_WRONG, 1, "the option wants a number"},
        {"0 socket(...\n", SCRIPT_WRONG, 2, "expected \")\", but the script ends"},
        {"", SCRIPT_WRONG, 1, "but the script ends"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        run_text(cases[i].text);
        const char *end = strstr(cases[i].text, "= 1000\n");
        const char *name = end != NULL && end[7] != '\0' ? end + 7 : cases[i].text;
        if (report.outcome != cases[i].outcome || report.line != cases[i].line ||
            strstr(report.text, cases[i].want) == NULL)
            fail_msg("%s: %s in line %u: %s", name, script_outcome_text(report.outcome),
                     report.line, report.text);
    }
}

static void profiles_differ(void **state UNUSED)
{
    static const char text[] =
        "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"
        "+0 fcntl(3, F_SETFL, O_NONBLOCK) = 0\n"
        "+0 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)\n"
        "+0 > S 0:0(0) <mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7>\n";
    struct script_options options = {.heap = memory_heap(), .profile = &tcp_profile_linux};
    script_run(bytes_of_text(text), &options, &report);
    assert_string_equal(report.text, "");
    options.profile = &tcp_profile_freebsd;
    script_run(bytes_of_text(text), &options, &report);
    assert_int_equal(report.outcome, SCRIPT_FAILED);
    assert_non_null(strstr(report.text, "TCP options: expected sackOK, got nop"));
}

static void definitions_are_put_in(void **state UNUSED)
{
    static const char *const defines[] = {"KIND=SOCK_STREAM", "NUMBER=3"};
    struct script_options options = {.heap = memory_heap(), .defines = defines, .define_count = 2};
    script_run(bytes_of_text("0 socket(..., KIND, IPPROTO_TCP) = NUMBER\n+0 close(3) = 0\n"),
               &options, &report);
    assert_string_equal(report.text, "");
    static const char *const wrong[] = {"KIND"};
    options.defines = wrong;
    options.define_count = 1;
    script_run(bytes_of_text("0 close(3) = 0"), &options, &report);
    assert_int_equal(report.outcome, SCRIPT_WRONG);
}

/* Whatever is refused, everything is given back. */
static void memory_that_is_not_there(void **state UNUSED)
{
    for (size_t fail_at = 1; fail_at < 60; fail_at++) {
        struct counting_heap counts = {.fail_at = fail_at};
        struct script_options options = {.heap = counting_heap(&counts)};
        script_run(bytes_of_text(BEGIN "+0 > P. 1:1001(1000) ack 1\n+0 close(4) = 0\n"), &options,
                   &report);
        CHECK_EQUAL("octets left", counts.octets, 0);
    }
}

static int is_script(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return len > 4 && strcmp(entry->d_name + len - 4, ".pkt") == 0;
}

int main(void)
{
    static struct CMUnitTest tests[SCRIPTS_MAX];
    static char paths[SCRIPTS_MAX][512];
    struct dirent **entries;
    size_t count = 0;
    int found = scandir(folder, &entries, is_script, alphasort);
    for (int i = 0; i < found; i++) {
        if (count < SCRIPTS_MAX - 8) {
            snprintf(paths[count], sizeof paths[0], "%s/%s", folder, entries[i]->d_name);
            tests[count] = (struct CMUnitTest)cmocka_unit_test_prestate(passes, paths[count]);
            tests[count].name = paths[count];
            count++;
        }
        free(entries[i]);
    }
    if (found <= 0) {
        printf("not ok 1 - there are scripts in %s\n", folder);
        return 1;
    }
    free(entries);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(broken_scripts_fail);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(profiles_differ);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(definitions_are_put_in);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(memory_that_is_not_there);
    return _cmocka_run_group_tests("scripts", tests, count, NULL, NULL);
}
