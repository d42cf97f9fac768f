/* SPDX-License-Identifier: ISC */
/* test_script_settings.c - shell commands that set something, and those that are not understood. */
#include "sim/script/script_settings.h"

#include "tests/support/check.h"

static bool run_command(struct script_settings *settings, const char *commands, char *out,
                        size_t size)
{
    size_t len = strlen(commands);
    uint8_t *exact = exact_copy(commands, len);
    struct text error = text_of(out, size);
    bool good = script_settings_command(settings, bytes_of(exact, len), &error);
    free(exact);
    return good;
}

static struct script_settings settings_after(const char *commands)
{
    struct script_settings settings;
    char error[256];
    script_settings_init(&settings, &tcp_profile_linux);
    if (!run_command(&settings, commands, error, sizeof error))
        fail_msg("%s: %s", commands, error);
    return settings;
}

static void test_every_form_of_a_sysctl(void **state UNUSED)
{
    static const char *const forms[] = {
        "sysctl -q net.ipv4.tcp_sack=0",
        "sysctl -q net/ipv4/tcp_sack=0",
        "sysctl -w -e net.ipv4.tcp_sack=\"0\"",
        "../common/set_sysctls.py /proc/sys/net/ipv4/tcp_sack=0",
        "../../common/set_sysctls.py \\\n  /proc/sys/net/ipv4/tcp_dsack=1 \\\n"
        "\t/proc/sys/net/ipv4/tcp_sack=0\n",
        "true; sysctl -q net.ipv4.tcp_sack=0 && true",
        "nstat > /dev/null || sysctl net.ipv4.tcp_sack=0 # off\n",
        "echo 0 > /proc/sys/net/ipv4/tcp_sack",
        "\n# nothing\nsysctl -q net.ipv4.tcp_sack=0 &> /dev/null",
        "sysctl net.ipv4.tcp_sack=0 > /dev/null 2>&1\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(forms); i++)
        CHECK(forms[i], !settings_after(forms[i]).profile.sack);
}

static void test_what_sysctls_set(void **state UNUSED)
{
    struct script_settings s = settings_after(
        "sysctl -q net.ipv4.tcp_rmem=\"4096 540000 15728640\" net.ipv4.tcp_wmem='4096 50000 4194304'\n"
        "sysctl net.ipv4.tcp_timestamps=0 net.ipv4.tcp_ecn=1 net.ipv4.tcp_syn_retries=3\n"
        "sysctl net.ipv4.tcp_early_retrans=0 net.ipv4.tcp_recovery=0 net.ipv4.tcp_reordering=5\n"
        "sysctl net.ipv4.tcp_keepalive_time=600 net.ipv4.tcp_notsent_lowat=4294967295\n"
        "sysctl net.ipv4.tcp_fastopen=0x603 net.ipv4.tcp_congestion_control=cubic\n");
    assert_int_equal(s.profile.receive_buffer, 540000);
    assert_int_equal(s.profile.receive_buffer_max, 15728640);
    assert_int_equal(s.profile.send_buffer, 50000);
    assert_false(s.profile.timestamps);
    assert_int_equal(s.profile.ecn, TCP_ECN_ASK);
    assert_int_equal(s.profile.syn_retries, 3);
    assert_false(s.profile.tail_loss_probe);
    assert_false(s.profile.rack);
    assert_int_equal(s.profile.reordering, 5);
    assert_int_equal(s.profile.keepalive_idle, 600 * USEC_PER_SEC);
    assert_int_equal(s.profile.not_sent_low, UINT32_MAX);
    assert_int_equal(s.profile.fast_open,
                     TCP_FAST_OPEN_CLIENT | TCP_FAST_OPEN_SERVER | TCP_FAST_OPEN_SERVER_NO_COOKIE |
                         TCP_FAST_OPEN_EVERY_LISTENER);
    assert_int_equal(s.profile.congestion, tcp_congestion_find("cubic"));
    assert_int_equal(settings_after("sysctl net.ipv4.tcp_orphan_retries=3").profile.orphan_retries, 3);
    assert_int_equal(settings_after("sysctl net.ipv4.tcp_orphan_retries=0").profile.orphan_retries, 8);
}

static void test_the_key_of_cookies(void **state UNUSED)
{
    static const uint8_t want[] = {0xf7, 0x63, 0xbf, 0xa0, 0x81, 0x3d, 0x80, 0xed,
                                   0x30, 0x1d, 0x64, 0xcd, 0x90, 0x4a, 0xbc, 0xce};
    struct script_settings s =
        settings_after("sysctl net.ipv4.tcp_fastopen_key=a0bf63f7-ed803d81-cd641d30-cebc4a90");
    assert_true(s.has_fast_open_key);
    assert_memory_equal(s.fast_open_key, want, sizeof want);
}

static void test_the_link(void **state UNUSED)
{
    assert_true(settings_after("true").tso);
    struct script_settings s = settings_after(
        "ip route change 192.0.2.1 via 192.168.0.2 dev tun0 advmss 600 mtu lock 640 initcwnd 11\n"
        "ethtool -K tun0 gso off tso off\n"
        "tc qdisc replace dev tun0 root fq\n"
        "ip tcp_metrics flush all > /dev/null 2>&1");
    assert_false(s.tso);
    assert_int_equal(s.route_mtu, 640);
    assert_int_equal(s.profile.mss_max, 600);
    assert_int_equal(s.profile.initial_window, 11);
    assert_true(s.profile.pacing);
    assert_true(s.forget_metrics);
    assert_false(s.device_drops);
    s = settings_after("tc qdisc delete dev tun0 root 2>/dev/null ; "
                       "tc qdisc add dev tun0 root pfifo limit 0");
    assert_true(s.device_drops);
}

static void test_the_public_scripts_defaults(void **state UNUSED)
{
    struct script_settings s = settings_after("../common/defaults.sh");
    assert_true(s.profile.timestamps && s.profile.sack && s.profile.rack);
    assert_int_equal(s.profile.ecn, TCP_ECN_OFF);
    assert_int_equal(s.profile.syn_retries, 5);
    assert_int_equal(s.profile.receive_buffer_max, 15 * 1024 * 1024);
    assert_false(s.profile.restart_after_idle);
    assert_int_equal(s.fast_open_key[0], 0xa1);
    settings_after("/tmp/sysctl_restore_${PPID}.sh");
}

static void test_what_is_not_understood(void **state UNUSED)
{
    static const struct {
        const char *command, *want;
    } cases[] = {
        {"rm -rf /", "this command is not understood: rm -rf /"},
        {"sysctl net.ipv4.tcp_unheard_of=1", "sysctl net.ipv4.tcp_unheard_of: nothing here"},
        {"sysctl net.ipv4.tcp_sack=maybe", "sysctl tcp_sack: not a value that it can have here"},
        {"sysctl net.ipv4.tcp_ecn=7", "sysctl tcp_ecn: not a value"},
        {"sysctl net.ipv4.tcp_rmem=5", "sysctl tcp_rmem: not a value"},
        {"sysctl net.ipv4.tcp_congestion_control=magic", "tcp_congestion_control: not a value"},
        {"sysctl net.ipv4.tcp_sack", "this command is not understood: sysctl"},
        {"sysctl net.ipv4.tcp_fastopen_key=12-34", "tcp_fastopen_key: not a value"},
        {"ip link set dev tun0 down", "this command is not understood: ip link"},
        {"ethtool -K tun0 magic on", "this command is not understood: ethtool"},
        {"echo 1 > /etc/passwd", "sysctl /etc/passwd: nothing here"},
        {"true\ntrue\nfrobnicate now", "this command is not understood: frobnicate now"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct script_settings settings;
        char error[256];
        script_settings_init(&settings, &tcp_profile_linux);
        if (run_command(&settings, cases[i].command, error, sizeof error))
            fail_msg("taken: %s", cases[i].command);
        if (strstr(error, cases[i].want) == NULL)
            fail_msg("%s: said %s", cases[i].command, error);
    }
}

static void test_too_many_words(void **state UNUSED)
{
    char command[512] = "sysctl";
    char error[256];
    struct script_settings settings;
    for (size_t i = 0; i < 70; i++)
        memcpy(command + 6 + i * 3, " -q", 4);
    script_settings_init(&settings, &tcp_profile_linux);
    assert_false(run_command(&settings, command, error, sizeof error));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_form_of_a_sysctl),
        cmocka_unit_test(test_what_sysctls_set),
        cmocka_unit_test(test_the_key_of_cookies),
        cmocka_unit_test(test_the_link),
        cmocka_unit_test(test_the_public_scripts_defaults),
        cmocka_unit_test(test_what_is_not_understood),
        cmocka_unit_test(test_too_many_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
