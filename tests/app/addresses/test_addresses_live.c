/* SPDX-License-Identifier: ISC */
/*
 * The address service and the client against the Linux kernel and against others' clients, in a network
 * namespace of this test's own: our stack behind a TAP device, and the kernel's sockets on a veth
 * pair. Skipped where an ordinary user may not have such a namespace, or the client is not there.
 */
#include "app/addresses/addresses.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/addresses/address_client.h"
#include "io/tap_port.h"
#include "os/clock.h"
#include "os/netlink.h"
#include "os/packet.h"
#include "os/tap.h"
#include "tests/support/check.h"

enum { SERVER = 0x0a000201, FIRST = 0x0a00020a, LAST = 0x0a00021d };

static bool permitted;
static char folder[64];
static char script[96];
static char result[96];

static int enter_namespace(void **state UNUSED)
{
    char line[64];
    unsigned uid = getuid();
    unsigned gid = getgid();
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
        return 0;
    static const char *const files[] = {"/proc/self/setgroups", "/proc/self/uid_map",
                                        "/proc/self/gid_map"};
    for (int i = 0; i < 3; i++) {
        snprintf(line, sizeof line, i == 0 ? "deny" : "0 %u 1", i == 1 ? uid : gid);
        FILE *file = fopen(files[i], "w");
        if (file == NULL || fputs(line, file) < 0 || fclose(file) != 0)
            return 0;
    }
    strcpy(folder, "/tmp/wholenet-dhcp-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(script, sizeof script, "%s/script", folder);
    snprintf(result, sizeof result, "%s/result", folder);
    permitted = true;
    return 0;
}

static int leave(void **state UNUSED)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return permitted ? system(command) : 0;
}

static struct addresses_options usual_options(void)
{
    return (struct addresses_options){
        .server = address_v4(SERVER),
        .network = {address_v4(0x0a000200), 24},
        .pool_first = address_v4(FIRST),
        .pool_last = address_v4(LAST),
        .router = address_v4(SERVER),
        .dns = {address_v4(SERVER)},
        .dns_count = 1,
        .domain = "home.arpa",
        .mtu = 1400,
    };
}

/* Serves until it is killed, or this test ends. */
static void serve(struct net *net, const struct addresses_options *options)
{
    struct addresses *addresses;
    if (addresses_new(net, options, &addresses) == 0)
        (void)loop_run_until(net_loop(net), loop_now(net_loop(net)) + 30 * USEC_PER_SEC);
    _exit(1);
}

static pid_t serve_on_tap(int fd)
{
    pid_t child = fork();
    if (child != 0)
        return child;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    static const struct stack_options none;
    struct node *node = node_new(loop_new(), &none);
    struct interface_options interface = {.name = "eth0", .mtu = 1500, .mac = {{2, 0, 0, 0, 0, 1}}};
    struct ip_prefix prefix = {address_v4(SERVER), 24};
    struct tap_port_options port = {.fd = fd, .mtu = 1500, .name = "eth0", .mac = interface.mac};
    struct tap_port *made;
    if (node == NULL || stack_add_interface(node_stack(node), &interface) != 0 ||
        !stack_add_address(node_stack(node), 0, &prefix, false) ||
        tap_port_new(node, &port, &made) != 0)
        _exit(1);
    struct addresses_options options = usual_options();
    serve(net_stack_new(node), &options);
    return 0;
}

static pid_t serve_on_kernel(const char *interface)
{
    pid_t child = fork();
    if (child != 0)
        return child;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct addresses_options options = usual_options();
    options.interface = interface;
    serve(net_kernel_new(loop_new()), &options);
    return 0;
}

static void stop(pid_t child)
{
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, 0);
}

static bool have(const char *program)
{
    char command[128];
    snprintf(command, sizeof command, "command -v %s >/dev/null 2>&1", program);
    return system(command) == 0;
}

static void our_client_asks(const char *interface)
{
    struct netlink netlink;
    struct netlink_link link;
    assert_int_equal(netlink_open(&netlink), 0);
    assert_int_equal(netlink_find(&netlink, interface, &link), 0);
    netlink_close(&netlink);
    int fd = packet_open_udp(link.index, DHCP_CLIENT_PORT);
    assert_true(fd >= 0);
    struct dhcp_lease lease = {0};
    usec best = USEC_NEVER;
    for (int i = 0; i < 3; i++) { /* the first waits for the server to start */
        usec before = clock_monotonic();
        assert_int_equal(
            address_client_acquire(fd, &link.mac, "guest", 5 * USEC_PER_SEC, &lease), 0);
        best = usec_min(best, clock_monotonic() - before);
    }
    (void)close(fd);
    if (getenv("VERBOSE") != NULL)
        printf("# the exchange on %s took %jd us\n", interface, (intmax_t)best);
    assert_in_range(address_v4_value(&lease.address), FIRST, LAST);
    assert_int_equal(address_v4_value(&lease.router), SERVER);
    assert_int_equal(lease.mtu, 1400);
    assert_string_equal(lease.domain, "home.arpa");
}

static void write_script(const char *text)
{
    (void)unlink(result);
    FILE *file = fopen(script, "w");
    assert_non_null(file);
    fprintf(file, "#!/bin/sh\nresult=%s\n%s", result, text);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(script, 0700), 0);
}

static void check_result(void)
{
    char line[256] = "";
    FILE *file = fopen(result, "r");
    if (file == NULL)
        fail_msg("the client got no lease");
    (void)!fgets(line, sizeof line, file);
    (void)fclose(file);
    struct ip_address address = {0};
    size_t end = strcspn(line, " ");
    assert_true(address_parse(bytes_of(line, end), &address));
    assert_in_range(address_v4_value(&address), FIRST, LAST);
    assert_string_equal(line + end, " 255.255.255.0 10.0.2.1 10.0.2.1 home.arpa 1400\n");
}

static void udhcpc_asks(const char *interface)
{
    if (!have("udhcpc"))
        return;
    write_script("[ \"$1\" = bound ] || exit 0\n"
                 "echo $ip $subnet $router $dns $domain $mtu > $result\n");
    char command[256];
    snprintf(command, sizeof command,
             "udhcpc -i %s -f -n -q -t 5 -T 1 -O mtu -x hostname:box -s %s >%s/log 2>&1",
             interface, script, folder);
    assert_int_equal(system(command), 0);
    check_result();
}

static void dhclient_asks(const char *interface)
{
    if (!have("dhclient"))
        return;
    write_script("case $reason in BOUND|REBOOT|RENEW) ;; *) exit 0;; esac\n"
                 "echo $new_ip_address $new_subnet_mask $new_routers $new_domain_name_servers"
                 " $new_domain_name $new_interface_mtu > $result\n");
    char command[640];
    snprintf(command, sizeof command,
             "cd %s; echo 'request subnet-mask, routers, domain-name-servers, domain-name,"
             " interface-mtu;' >conf; timeout 15 dhclient -1 -d -cf $PWD/conf -sf $PWD/script"
             " -lf $PWD/leases -pf $PWD/pid %s >log 2>&1 & pid=$!; cd %s; for i in $(seq 100);"
             " do [ -s result ] && break; sleep 0.1; done; kill $pid; wait",
             folder, interface, folder);
    (void)!system(command);
    check_result();
}

static void our_stack_serves_the_kernel(void **state UNUSED)
{
    if (!permitted)
        skip();
    struct tap_options options = {.name = "wndhcp0"};
    struct tap tap;
    int status = tap_open(&options, &tap);
    if (status == -ENOENT || status == -EACCES || status == -EPERM)
        skip();
    assert_int_equal(status, 0);
    pid_t child = serve_on_tap(tap.fd);
    struct netlink netlink;
    assert_int_equal(netlink_open(&netlink), 0);
    struct netlink_link link;
    assert_int_equal(netlink_find(&netlink, tap.name, &link), 0);
    assert_int_equal(netlink_set_up(&netlink, link.index, true), 0);
    netlink_close(&netlink);
    our_client_asks(tap.name);
    udhcpc_asks(tap.name);
    dhclient_asks(tap.name);
    stop(child);
    (void)close(tap.fd);
}

static void the_kernels_sockets_serve_a_link(void **state UNUSED)
{
    if (!permitted || !have("ip"))
        skip();
    if (system("ip link add wnveth0 type veth peer name wnveth1 2>/dev/null") != 0)
        skip();
    assert_int_equal(system("ip link set wnveth0 up; ip link set wnveth1 up; ip link set lo up;"
                            "ip addr add 10.0.2.1/24 dev wnveth0"), 0);
    pid_t child = serve_on_kernel("wnveth0");
    our_client_asks("wnveth1");
    udhcpc_asks("wnveth1");
    dhclient_asks("wnveth1");
    stop(child);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_stack_serves_the_kernel),
        cmocka_unit_test(the_kernels_sockets_serve_a_link),
    };
    return cmocka_run_group_tests(tests, enter_namespace, leave);
}
