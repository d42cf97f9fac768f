/* SPDX-License-Identifier: ISC */
/*
 * drill_tool.c - the shared object for packetdrill, driven as the tool drives it: loaded with
 * dlopen(), packets made by hand, calls that wait in a second thread, and time that passes only where
 * the tool lets it. argv[1] says where the library is; test_library.sh builds and installs it.
 */
#include "tests/support/check.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <time.h>

#include "api/drill/drill_interface.h"
#include "base/checksum.h"

#define HOST UINT32_C(0x0a0a0a01)
#define PEER UINT32_C(0xc0000201)
enum { PORT = 8080, PEER_PORT = 5000 };

static const char *library;

struct tool {
    void *handle;
    struct drill_interface ifc;
    uint32_t sequence; /* the peer's next */
    uint32_t theirs;   /* the stack's next */
    struct tcphdr last; /* that came from the stack */
    size_t last_len;    /* of its text */
    char text[4096];
};

static void tool_init(struct tool *t, const char *flags)
{
    *t = (struct tool){.handle = dlopen(library, RTLD_NOW | RTLD_LOCAL)};
    if (t->handle == NULL)
        fail_msg("%s", dlerror());
    void (*init)(const char *, struct drill_interface *);
    *(void **)&init = dlsym(t->handle, "packetdrill_interface_init");
    assert_non_null(init);
    init(flags, &t->ifc);
}

static void tool_done(struct tool *t)
{
    t->ifc.free(t->ifc.self);
    dlclose(t->handle);
}

static int64_t now(struct tool *t)
{
    struct timeval out;
    assert_int_equal(t->ifc.gettimeofday(t->ifc.self, &out, NULL), 0);
    return (int64_t)out.tv_sec * 1000000 + out.tv_usec;
}

/* A segment of the peer's. */
static void inject(struct tool *t, uint16_t port, uint8_t flags, const char *text)
{
    struct {
        struct ip ip;
        struct tcphdr tcp;
        char text[64];
    } packet = {0};
    size_t len = strlen(text);
    size_t whole = sizeof packet.ip + sizeof packet.tcp + len;
    packet.ip.ip_v = 4;
    packet.ip.ip_hl = 5;
    packet.ip.ip_len = htons((uint16_t)whole);
    packet.ip.ip_ttl = 64;
    packet.ip.ip_p = IPPROTO_TCP;
    packet.ip.ip_src.s_addr = htonl(PEER);
    packet.ip.ip_dst.s_addr = htonl(HOST);
    packet.ip.ip_sum = htons(checksum_of(bytes_of(&packet.ip, sizeof packet.ip)));
    packet.tcp.th_sport = htons(PEER_PORT);
    packet.tcp.th_dport = htons(port);
    packet.tcp.th_seq = htonl(t->sequence);
    packet.tcp.th_ack = flags & TH_ACK ? htonl(t->theirs) : 0;
    packet.tcp.th_off = 5;
    packet.tcp.th_flags = flags;
    packet.tcp.th_win = htons(60000);
    memcpy(packet.text, text, len);
    struct {
        struct in_addr source, target;
        uint8_t zero, protocol;
        uint16_t len;
        struct tcphdr tcp;
        char text[64];
    } sum = {packet.ip.ip_src, packet.ip.ip_dst, 0, IPPROTO_TCP,
             htons((uint16_t)(sizeof packet.tcp + len)), packet.tcp, {0}};
    memcpy(sum.text, text, len);
    packet.tcp.th_sum =
        htons(checksum_of(bytes_of(&sum, offsetof(__typeof__(sum), text) + len)));
    assert_int_equal(t->ifc.netdev_send(t->ifc.self, &packet, whole), 0);
    t->sequence += (uint32_t)len + ((flags & (TH_SYN | TH_FIN)) != 0);
}

/* The next segment of the stack's; when it was sent, or -1: there was none. */
static int64_t sniff(struct tool *t)
{
    struct {
        struct ip ip;
        char rest[70000];
    } packet;
    size_t len = sizeof packet;
    long long at = -1;
    assert_int_equal(t->ifc.netdev_receive(t->ifc.self, &packet, &len, &at), 0);
    if (len == 0)
        return -1;
    assert_true(packet.ip.ip_v == 4 && packet.ip.ip_hl == 5 && ntohs(packet.ip.ip_len) == len);
    memcpy(&t->last, packet.rest, sizeof t->last);
    size_t header = t->last.th_off * 4u;
    t->last_len = len - sizeof packet.ip - header;
    memcpy(t->text, packet.rest + header, t->last_len < sizeof t->text ? t->last_len : 0);
    t->theirs = ntohl(t->last.th_seq) + (uint32_t)t->last_len +
                ((t->last.th_flags & (TH_SYN | TH_FIN)) != 0);
    return at;
}

static int listen_at(struct tool *t)
{
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    own.sin_addr.s_addr = htonl(HOST);
    int fd = t->ifc.socket(t->ifc.self, AF_INET, SOCK_STREAM, IPPROTO_TCP);
    assert_true(fd >= 1000);
    assert_int_equal(t->ifc.bind(t->ifc.self, fd, (struct sockaddr *)&own, sizeof own), 0);
    assert_int_equal(t->ifc.listen(t->ifc.self, fd, 1), 0);
    return fd;
}

static void shake_hands(struct tool *t)
{
    t->sequence = 1000;
    inject(t, PORT, TH_SYN, "");
    assert_true(sniff(t) > 0);
    assert_int_equal(t->last.th_flags, TH_SYN | TH_ACK);
    inject(t, PORT, TH_ACK, "");
}

static void test_server(void **state)
{
    (void)state;
    struct tool t;
    struct sockaddr_in from;
    socklen_t len = sizeof from;
    char got[16];
    tool_init(&t, NULL);
    int listener = listen_at(&t);
    shake_hands(&t);
    int fd = t.ifc.accept(t.ifc.self, listener, (struct sockaddr *)&from, &len);
    assert_true(fd > listener && from.sin_addr.s_addr == htonl(PEER));
    inject(&t, PORT, TH_ACK | TH_PUSH, "hello");
    assert_int_equal(t.ifc.read(t.ifc.self, fd, got, sizeof got), 5);
    assert_true(sniff(&t) > 0);
    assert_int_equal(ntohl(t.last.th_ack), 1006);
    assert_int_equal(t.ifc.send(t.ifc.self, fd, "world", 5, 0), 5);
    assert_true(sniff(&t) > 0);
    assert_int_equal(t.last_len, 5);
    assert_memory_equal(t.text, "world", 5);
    struct tcp_info info;
    socklen_t size = sizeof info;
    assert_int_equal(t.ifc.getsockopt(t.ifc.self, fd, SOL_TCP, TCP_INFO, &info, &size), 0);
    assert_int_equal(info.tcpi_unacked, 1);
    assert_int_equal(t.ifc.fcntl(t.ifc.self, fd, F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(t.ifc.read(t.ifc.self, fd, got, sizeof got), -1);
    assert_int_equal(errno, EAGAIN);
    int queued = 0;
    assert_int_equal(t.ifc.ioctl(t.ifc.self, fd, 0x5411 /* SIOCOUTQ */, &queued), 0);
    assert_int_equal(queued, 5);
    assert_int_equal(t.ifc.close(t.ifc.self, fd), 0);
    assert_int_equal(t.ifc.pipe(t.ifc.self, (int[2]){0}), -1);
    tool_done(&t);
}

/* Retransmissions come at their times, and the machine's clock has nothing to do with it. */
static void test_time(void **state)
{
    (void)state;
    struct tool t;
    struct timespec before, after;
    tool_init(&t, "local_ip=10.10.10.1");
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(80)};
    to.sin_addr.s_addr = htonl(PEER);
    int fd = t.ifc.socket(t.ifc.self, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    clock_gettime(CLOCK_MONOTONIC, &before);
    int64_t began = now(&t);
    assert_int_equal(t.ifc.connect(t.ifc.self, fd, (struct sockaddr *)&to, sizeof to), -1);
    assert_int_equal(errno, EINPROGRESS);
    static const int64_t wanted[] = {0, 1000, 3000, 7000};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        int64_t at = sniff(&t) - began;
        assert_int_equal(t.last.th_flags, TH_SYN);
        assert_true(at >= wanted[i] * 1000 && at < wanted[i] * 1000 + 5000);
    }
    assert_int_equal(t.ifc.usleep(t.ifc.self, 500000), 0);
    int64_t passed = now(&t) - began;
    assert_true(passed >= 7500000 && passed < 7600000);
    clock_gettime(CLOCK_MONOTONIC, &after);
    assert_true(after.tv_sec - before.tv_sec < 5);
    tool_done(&t);
}

/* A call of the second thread, and when it was over. */
struct call {
    struct tool *t;
    int fd;
    int timeout;
    volatile bool begun;
    ssize_t result;
    char got[16];
    int64_t ended;
};

static void *read_in_thread(void *self)
{
    struct call *c = self;
    c->begun = true;
    c->result = c->t->ifc.read(c->t->ifc.self, c->fd, c->got, sizeof c->got);
    c->ended = now(c->t);
    return NULL;
}

static void *poll_in_thread(void *self)
{
    struct call *c = self;
    struct pollfd poll = {.fd = c->fd, .events = POLLIN};
    c->begun = true;
    c->result = c->t->ifc.poll(c->t->ifc.self, &poll, 1, c->timeout);
    c->ended = now(c->t);
    return NULL;
}

/* As the tool does: until it sleeps. */
static void begin(struct call *c, pthread_t *thread, void *(*run)(void *))
{
    struct timespec little = {0, 20 * 1000 * 1000};
    assert_int_equal(pthread_create(thread, NULL, run, c), 0);
    while (!c->begun)
        nanosleep(&little, NULL);
    nanosleep(&little, NULL);
}

static void test_waiting(void **state)
{
    (void)state;
    struct tool t;
    pthread_t thread;
    tool_init(&t, "");
    int listener = listen_at(&t);
    shake_hands(&t);
    int fd = t.ifc.accept(t.ifc.self, listener, NULL, NULL);
    struct call call = {.t = &t, .fd = fd};
    begin(&call, &thread, read_in_thread);
    int64_t began = now(&t);
    assert_int_equal(t.ifc.usleep(t.ifc.self, 100000), 0);
    inject(&t, PORT, TH_ACK | TH_PUSH, "late");
    assert_int_equal(t.ifc.usleep(t.ifc.self, 1000000), 0); /* the call was over before */
    pthread_join(thread, NULL);
    assert_int_equal(call.result, 4);
    assert_true(call.ended - began >= 100000 && call.ended - began < 101000);
    /* A timeout is over at its instant, though the tool sleeps on. */
    call = (struct call){.t = &t, .fd = fd, .timeout = 250};
    began = now(&t);
    begin(&call, &thread, poll_in_thread);
    assert_int_equal(t.ifc.usleep(t.ifc.self, 1000000), 0);
    pthread_join(thread, NULL);
    assert_int_equal(call.result, 0);
    assert_true(call.ended - began >= 250000 && call.ended - began < 251000);
    /* And when the tool does nothing but wait for it. */
    call = (struct call){.t = &t, .fd = fd, .timeout = 60000};
    began = now(&t);
    begin(&call, &thread, poll_in_thread);
    pthread_join(thread, NULL);
    assert_int_equal(call.result, 0);
    assert_true(call.ended - began >= 60000000 && call.ended - began < 60001000);
    tool_done(&t);
}

static void test_epoll(void **state)
{
    (void)state;
    struct tool t;
    tool_init(&t, NULL);
    int listener = listen_at(&t);
    shake_hands(&t);
    int fd = t.ifc.accept(t.ifc.self, listener, NULL, NULL);
    int epoll = t.ifc.epoll_create(t.ifc.self, 1);
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data = {.u64 = 0x123456789abcdef0}};
    assert_int_equal(t.ifc.epoll_ctl(t.ifc.self, epoll, EPOLL_CTL_ADD, fd, &event), 0);
    struct epoll_event got[2];
    assert_int_equal(t.ifc.epoll_wait(t.ifc.self, epoll, got, 2, 0), 0);
    inject(&t, PORT, TH_ACK | TH_PUSH, "x");
    assert_int_equal(t.ifc.epoll_wait(t.ifc.self, epoll, got, 2, -1), 1);
    assert_true(got[0].events == EPOLLIN && got[0].data.u64 == 0x123456789abcdef0);
    assert_int_equal(t.ifc.epoll_create(t.ifc.self, 0), -1);
    assert_int_equal(errno, EINVAL);
    tool_done(&t);
}

/* What cannot be taken is refused; what does not come is not waited for for ever. */
static void test_nothing(void **state)
{
    (void)state;
    struct tool t;
    tool_init(&t, "");
    int listener = listen_at(&t);
    uint8_t ipv6[40] = {0x60};
    assert_int_equal(t.ifc.netdev_send(t.ifc.self, ipv6, sizeof ipv6), -1);
    assert_int_equal(t.ifc.netdev_send(t.ifc.self, ipv6, 0), -1);
    assert_int_equal(sniff(&t), -1);
    assert_int_equal(t.ifc.close(t.ifc.self, listener), 0);
    tool_done(&t);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_server),  cmocka_unit_test(test_time),
        cmocka_unit_test(test_waiting), cmocka_unit_test(test_epoll),
        cmocka_unit_test(test_nothing),
    };
    if (argc != 2) {
        fprintf(stderr, "usage: drill_tool LIBRARY\n");
        return 2;
    }
    library = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
