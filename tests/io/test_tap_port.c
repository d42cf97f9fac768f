/* SPDX-License-Identifier: ISC */
/*
 * test_tap_port.c - the TAP port on one end of a socket pair that keeps messages apart, as a TAP
 * device does; the test is the kernel on the other end. And the capture of what crosses.
 */
#include "tests/support/check.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_net.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/checksum.h"
#include "io/tap_port.h"
#include "os/file.h"
#include "stack/tcp/tcp.h"
#include "stack/udp.h"
#include "wire/capture/pcapng.h"

enum { GUEST = 0x0a00020f, GATEWAY = 0x0a000201, ETHERNET = 14, IP = 20 };

static const uint8_t guest_mac[6] = {2, 0, 0, 0, 0, 15};
static const uint8_t gateway_mac[6] = {2, 0, 0, 0, 0, 1};

struct bed {
    struct loop *loop;
    struct node *node;
    struct tap_port *port;
    int kernel; /* the other end */
    struct capture *capture;
};

static void bed_begin(struct bed *bed, bool vnet, const struct wire_options *wire,
                      const char *capture_path)
{
    *bed = (struct bed){.loop = loop_new()};
    assert_non_null(bed->loop);
    struct stack_options options = {0};
    if (capture_path != NULL) {
        assert_int_equal(capture_new(bed->loop, capture_path, &bed->capture), 0);
        options.trace = capture_trace(bed->capture);
    }
    bed->node = node_new(bed->loop, &options);
    assert_non_null(bed->node);
    struct interface_options interface = {.name = "eth0", .mtu = 1500};
    memcpy(interface.mac.octets, gateway_mac, 6);
    interface.features = vnet ? INTERFACE_CHECKSUM | INTERFACE_TSO4 : 0;
    assert_int_equal(stack_add_interface(node_stack(bed->node), &interface), 0);
    struct ip_prefix prefix = {address_v4(GATEWAY), 24};
    assert_true(stack_add_address(node_stack(bed->node), 0, &prefix, false));
    struct ip_address guest = address_v4(GUEST);
    struct mac mac;
    memcpy(mac.octets, guest_mac, 6);
    assert_true(stack_add_neighbour(node_stack(bed->node), 0, &guest, &mac));
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    bed->kernel = pair[1];
    struct wire_options complete;
    if (wire != NULL) {
        complete = *wire;
        complete.trace = options.trace;
        wire = &complete;
    }
    struct tap_port_options port = {.fd = pair[0], .vnet = vnet, .mtu = 1500, .name = "eth0",
                                    .mac = interface.mac, .capture = bed->capture, .wire = wire};
    assert_int_equal(tap_port_new(bed->node, &port, &bed->port), 0);
}

static int bed_end(struct bed *bed)
{
    tap_port_free(bed->port);
    node_free(bed->node);
    int error = capture_free(bed->capture);
    loop_free(bed->loop);
    close(bed->kernel);
    return error;
}

static void turn(struct bed *bed, usec duration)
{
    assert_int_equal(loop_run_until(bed->loop, loop_now(bed->loop) + duration), 0);
}

/* The next frame for the kernel that is not ARP, without the header in front. */
static size_t kernel_reads(struct bed *bed, bool vnet, struct virtio_net_hdr_v1 *header,
                           uint8_t *frame, size_t size)
{
    for (;;) {
        struct iovec parts[2] = {{header, vnet ? sizeof *header : 0}, {frame, size}};
        ssize_t got = readv(bed->kernel, parts, 2);
        if (got < 0)
            return 0;
        size_t len = (size_t)got - (vnet ? sizeof *header : 0);
        if (frame[12] == 0x08 && frame[13] == 0x00)
            return len;
    }
}

static void kernel_writes(struct bed *bed, const struct virtio_net_hdr_v1 *header,
                          const uint8_t *frame, size_t len)
{
    struct iovec parts[2] = {{(void *)(uintptr_t)header, header != NULL ? sizeof *header : 0},
                             {(void *)(uintptr_t)frame, len}};
    assert_int_equal(writev(bed->kernel, parts, 2),
                     (ssize_t)len + (header != NULL ? (ssize_t)sizeof *header : 0));
}

/* Ethernet and IPv4 headers from the guest to the gateway. */
static size_t put_headers(uint8_t *frame, uint8_t protocol, size_t payload_len)
{
    struct writer w = writer_of(frame, ETHERNET + IP);
    write_copy(&w, gateway_mac, 6);
    write_copy(&w, guest_mac, 6);
    write_u16(&w, 0x0800);
    write_u16(&w, 0x4500);
    write_u16(&w, (uint16_t)(IP + payload_len));
    write_u32(&w, 0x00004000);
    write_u16(&w, (uint16_t)(64 << 8 | protocol));
    write_u16(&w, 0);
    write_u32(&w, GUEST);
    write_u32(&w, GATEWAY);
    assert_false(w.failed);
    write_u16_at(&w, ETHERNET + 10, checksum_of(bytes_of(frame + ETHERNET, IP)));
    return writer_len(&w);
}

static size_t make_ping(uint8_t *frame, uint16_t sequence)
{
    size_t at = put_headers(frame, 1, 16);
    uint8_t icmp[16] = {8, 0, 0, 0, 0x12, 0x34, (uint8_t)(sequence >> 8), (uint8_t)sequence, 'h', 'i'};
    uint16_t sum = checksum_of(bytes_of(icmp, sizeof icmp));
    icmp[2] = (uint8_t)(sum >> 8);
    icmp[3] = (uint8_t)sum;
    memcpy(frame + at, icmp, sizeof icmp);
    return at + sizeof icmp;
}

static void test_ping_crosses_with_and_without_header(void **state UNUSED)
{
    for (int vnet = 0; vnet <= 1; vnet++) {
        struct bed bed;
        bed_begin(&bed, vnet, NULL, NULL);
        uint8_t frame[2048];
        struct virtio_net_hdr_v1 header = {0};
        size_t len = make_ping(frame, 7);
        kernel_writes(&bed, vnet ? &header : NULL, frame, len);
        turn(&bed, 5 * USEC_PER_MSEC);
        size_t got = kernel_reads(&bed, vnet, &header, frame, sizeof frame);
        assert_int_equal(got, len);
        assert_int_equal(frame[ETHERNET + IP], 0); /* echo reply */
        assert_int_equal(frame[ETHERNET + IP + 7], 7);
        assert_int_equal(checksum_of(bytes_of(frame + ETHERNET + IP, 16)), 0);
        struct tap_port_counters counters;
        tap_port_counters(bed.port, &counters);
        assert_int_equal(counters.frames_in, 1);
        assert_int_equal(counters.octets_in, len);
        assert_int_equal(bed_end(&bed), 0);
    }
}

/* After a dialogue, one at a time, a crowd is read in batches again, soon enough. */
static void test_batches_follow_what_comes(void **state UNUSED)
{
    enum { CROWD = 60, TURNS_MAX = 45 };
    struct bed bed;
    bed_begin(&bed, false, NULL, NULL);
    uint8_t frame[2048];
    struct tap_port_counters counters;
    for (uint16_t i = 0; i < 100; i++) {
        size_t len = make_ping(frame, i);
        kernel_writes(&bed, NULL, frame, len);
        turn(&bed, 0);
        assert_int_equal(kernel_reads(&bed, false, NULL, frame, sizeof frame), len);
        assert_int_equal(frame[ETHERNET + IP + 7], i);
    }
    for (uint16_t i = 0; i < CROWD; i++)
        kernel_writes(&bed, NULL, frame, make_ping(frame, i));
    int turns = 0;
    do {
        turn(&bed, 0);
        tap_port_counters(bed.port, &counters);
    } while (++turns < TURNS_MAX && counters.frames_in < 100 + CROWD);
    assert_int_equal(counters.frames_in, 100 + CROWD);
    turn(&bed, 0);
    for (uint16_t i = 0; i < CROWD; i++) {
        assert_true(kernel_reads(&bed, false, NULL, frame, sizeof frame) > 0);
        assert_int_equal(frame[ETHERNET + IP + 7], i);
    }
    assert_int_equal(bed_end(&bed), 0);
}

/* A datagram to port 99 with only the pseudo-header's sum in its field. */
static size_t make_partial_datagram(uint8_t *frame, struct virtio_net_hdr_v1 *header)
{
    size_t at = put_headers(frame, 17, 12);
    struct ip_address guest = address_v4(GUEST);
    struct ip_address gateway = address_v4(GATEWAY);
    struct writer w = writer_of(frame + at, 12);
    write_u16(&w, 5555);
    write_u16(&w, 99);
    write_u16(&w, 12);
    write_u16(&w, checksum_fold(checksum_pseudo(&guest, &gateway, 17, 12)));
    write_u32(&w, 0xdeadbeef);
    *header = (struct virtio_net_hdr_v1){.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
                                         .csum_start = (uint16_t)at, .csum_offset = 6};
    return at + writer_len(&w);
}

static void test_partial_checksum_is_taken_as_sound(void **state UNUSED)
{
    struct bed bed;
    bed_begin(&bed, true, NULL, NULL);
    struct udp_options options = {.local = {address_v4(GATEWAY), 99}};
    struct udp_socket *socket = udp_open(node_stack(bed.node), &options);
    assert_non_null(socket);
    udp_socket_base(socket)->user = NULL;
    uint8_t frame[256];
    struct virtio_net_hdr_v1 header;
    size_t len = make_partial_datagram(frame, &header);
    kernel_writes(&bed, &header, frame, len);
    header = (struct virtio_net_hdr_v1){0}; /* the same octets as a wire would bring them: wrong */
    kernel_writes(&bed, &header, frame, len);
    turn(&bed, 5 * USEC_PER_MSEC);
    struct udp_datagram datagram;
    assert_true(udp_receive(socket, &datagram));
    assert_int_equal(datagram.payload.len, 4);
    assert_int_equal(datagram.payload.data[0], 0xde);
    frame_unref(datagram.frame);
    assert_false(udp_receive(socket, &datagram));
    assert_int_equal(stack_drops(node_stack(bed.node), DROP_UDP_CHECKSUM), 1);
    udp_close(socket);
    assert_int_equal(bed_end(&bed), 0);
}

static void test_confused_header_is_counted_and_ignored(void **state UNUSED)
{
    static const struct virtio_net_hdr_v1 confused[] = {
        {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 60000, .csum_offset = 6},
        {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 40, .csum_offset = 65535},
        {.gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .gso_size = 0},
        {.gso_type = 77, .gso_size = 1448},
    };
    struct bed bed;
    bed_begin(&bed, true, NULL, NULL);
    uint8_t frame[2048];
    for (size_t i = 0; i < ARRAY_LEN(confused); i++) {
        size_t len = make_ping(frame, (uint16_t)i);
        kernel_writes(&bed, &confused[i], frame, len);
    }
    turn(&bed, 5 * USEC_PER_MSEC);
    struct tap_port_counters counters;
    tap_port_counters(bed.port, &counters);
    assert_int_equal(counters.malformed, ARRAY_LEN(confused));
    assert_int_equal(bed_end(&bed), 0);
}

/* A client on our stack; the test plays the server by hand, and sees one super-segment. */
static void test_super_segment_leaves_in_one_piece(void **state UNUSED)
{
    enum { TCP = ETHERNET + IP, LEN = 40000 };
    struct bed bed;
    bed_begin(&bed, true, NULL, NULL);
    struct tcp_connect_options options = {.remote = {address_v4(GUEST), 80}};
    struct tcp_connection *c = tcp_connect(node_stack(bed.node), &options);
    assert_non_null(c);
    tcp_base(c)->user = NULL;
    node_wake(bed.node);
    turn(&bed, 2 * USEC_PER_MSEC);
    static uint8_t frame[70000];
    struct virtio_net_hdr_v1 header;
    assert_true(kernel_reads(&bed, true, &header, frame, sizeof frame) > TCP);
    assert_int_equal(frame[TCP + 13], 0x02); /* SYN */
    uint16_t source_port = (uint16_t)(frame[TCP] << 8 | frame[TCP + 1]);
    uint32_t iss;
    memcpy(&iss, frame + TCP + 4, 4);
    iss = __builtin_bswap32(iss);

    /* SYN-ACK with MSS 1460 and window scale 7, its checksum left to the device. */
    uint8_t answer[128];
    size_t at = put_headers(answer, 6, 28);
    struct writer w = writer_of(answer + at, 28);
    write_u16(&w, 80);
    write_u16(&w, source_port);
    write_u32(&w, 0xfffffff0);
    write_u32(&w, iss + 1);
    write_u16(&w, 0x7012);
    write_u16(&w, 65535);
    write_u32(&w, 0);
    write_u32(&w, 0x020405b4);
    write_u32(&w, 0x01030307);
    assert_false(w.failed);
    header = (struct virtio_net_hdr_v1){.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
                                        .csum_start = (uint16_t)at, .csum_offset = 16};
    kernel_writes(&bed, &header, answer, at + writer_len(&w));
    turn(&bed, 2 * USEC_PER_MSEC);
    assert_int_equal(tcp_state(c), TCP_ESTABLISHED);
    while (kernel_reads(&bed, true, &header, frame, sizeof frame) > 0)
        ;

    struct frame *payload = frame_new(node_frames(bed.node), LEN);
    assert_non_null(payload);
    for (size_t i = 0; i < LEN; i++)
        payload->data[i] = (uint8_t)(i * 31);
    payload->len = LEN;
    assert_true(tcp_send_frame(c, payload));
    node_wake(bed.node);
    turn(&bed, 2 * USEC_PER_MSEC);
    size_t len = kernel_reads(&bed, true, &header, frame, sizeof frame);
    assert_true(len > TCP + 20 + 8 * 1460); /* the initial window (RFC 6928), in one frame */
    assert_int_equal(header.gso_type, VIRTIO_NET_HDR_GSO_TCPV4);
    assert_int_equal(header.gso_size, 1460);
    assert_int_equal(header.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
    assert_int_equal(header.csum_start, TCP);
    assert_int_equal(header.csum_offset, 16);
    assert_int_equal(header.hdr_len, TCP + (frame[TCP + 12] >> 4) * 4);
    for (size_t i = 0; header.hdr_len + i < len; i++)
        if (frame[header.hdr_len + i] != (uint8_t)(i * 31))
            fail_msg("octet %zu of the payload differs", i);
    tcp_abort(c);
    assert_int_equal(bed_end(&bed), 0);
}

static void test_full_device_is_asked_again(void **state UNUSED)
{
    struct bed bed;
    bed_begin(&bed, false, NULL, NULL);
    struct udp_options options = {.local = {address_v4(GATEWAY), 99}};
    struct udp_socket *socket = udp_open(node_stack(bed.node), &options);
    assert_non_null(socket);
    static const uint8_t payload[1400] = {1};
    size_t sent = 0;
    struct udp_send_options to = {.to = {address_v4(GUEST), 7}, .interface = -1};
    for (size_t i = 0; i < 600; i++)
        sent += udp_send(socket, &to, bytes_of(payload, sizeof payload)) == UDP_SENT;
    node_wake(bed.node);
    turn(&bed, 2 * USEC_PER_MSEC);
    uint8_t frame[2048];
    struct virtio_net_hdr_v1 header;
    size_t got = 0;
    for (size_t quiet = 0; quiet < 3; quiet++) { /* the pair holds fewer than 600 */
        while (kernel_reads(&bed, false, &header, frame, sizeof frame) > 0) {
            got++;
            quiet = 0;
        }
        turn(&bed, 2 * USEC_PER_MSEC);
    }
    assert_true(sent > 300);
    assert_int_equal(got, sent);
    udp_close(socket);
    assert_int_equal(bed_end(&bed), 0);
}

static void test_wire_delays_what_crosses(void **state UNUSED)
{
    struct wire_impairments slow = {.delay = 20 * USEC_PER_MSEC};
    struct wire_options wire = {.a_to_b = slow, .b_to_a = slow, .seed = 3};
    struct counting_heap counts = {0};
    wire.heap = counting_heap(&counts);
    struct bed bed;
    bed_begin(&bed, false, &wire, NULL);
    uint8_t frame[2048];
    struct virtio_net_hdr_v1 header;
    size_t len = make_ping(frame, 1);
    kernel_writes(&bed, NULL, frame, len);
    turn(&bed, 30 * USEC_PER_MSEC);
    assert_int_equal(kernel_reads(&bed, false, &header, frame, sizeof frame), 0);
    turn(&bed, 30 * USEC_PER_MSEC);
    assert_int_equal(kernel_reads(&bed, false, &header, frame, sizeof frame), len);
    assert_int_equal(bed_end(&bed), 0);
    assert_int_equal(counts.blocks, 0);
}

/* ---- capture ---- */

static char *read_capture(const char *path, size_t *len)
{
    char *file;
    assert_int_equal(file_read(path, 16 << 20, &file, len), 0);
    return file;
}

static void test_capture_has_every_frame_with_its_fate(void **state UNUSED)
{
    char path[] = "/tmp/wholenet-test-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    struct bed bed;
    bed_begin(&bed, true, NULL, path);
    uint8_t frame[2048];
    struct virtio_net_hdr_v1 header = {0};
    size_t len = make_ping(frame, 1);
    kernel_writes(&bed, &header, frame, len);
    frame[ETHERNET + IP + 9] ^= 1; /* now the ICMP checksum is wrong */
    kernel_writes(&bed, &header, frame, len);
    len = make_partial_datagram(frame, &header); /* to a port where nobody listens */
    kernel_writes(&bed, &header, frame, len);
    turn(&bed, 5 * USEC_PER_MSEC);
    assert_int_equal(bed_end(&bed), 0);

    size_t file_len;
    char *file = read_capture(path, &file_len);
    struct pcapng_reader reader = pcapng_reader_of(bytes_of(file, file_len));
    struct pcapng_block block;
    size_t interfaces = 0, inbound = 0, outbound = 0, bad_checksum = 0, no_port = 0;
    while (pcapng_next(&reader, &block) == WIRE_OK) {
        interfaces += block.type == PCAPNG_INTERFACE;
        if (block.type != PCAPNG_PACKET)
            continue;
        const struct pcapng_packet *packet = &block.u.packet;
        inbound += packet->direction == PCAPNG_INBOUND;
        outbound += packet->direction == PCAPNG_OUTBOUND;
        char comment[256];
        snprintf(comment, sizeof comment, "%.*s", (int)packet->comment.len,
                 (const char *)packet->comment.data);
        bad_checksum += strstr(comment, drop_reason_text(DROP_ICMP_CHECKSUM)) != NULL;
        if (strstr(comment, drop_reason_text(DROP_UDP_NO_PORT)) != NULL) {
            no_port++; /* recorded as on a real wire: with its checksum */
            struct ip_address guest = address_v4(GUEST);
            struct ip_address gateway = address_v4(GATEWAY);
            struct bytes udp = bytes_after(packet->captured, ETHERNET + IP);
            uint64_t sum = checksum_pseudo(&guest, &gateway, 17, 12);
            assert_int_equal(checksum_fold(checksum_add(sum, udp, 0)), 0xffff);
        }
    }
    assert_int_equal(reader.rest.len, 0);
    assert_int_equal(interfaces, 1);
    assert_int_equal(inbound, 3);
    assert_true(outbound >= 2); /* the echo reply and the ICMP error; ARP announcements too */
    assert_int_equal(bad_checksum, 1);
    assert_int_equal(no_port, 1);
    free(file);
    unlink(path);
}

static void test_capture_tells_what_the_wire_lost(void **state UNUSED)
{
    char path[] = "/tmp/wholenet-test-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    struct counting_heap counts = {0};
    struct wire_options wire = {.a_to_b = {.loss = 1000000}, .seed = 3,
                                .heap = counting_heap(&counts)};
    struct bed bed;
    bed_begin(&bed, false, &wire, path);
    uint8_t frame[2048];
    size_t len = make_ping(frame, 1);
    kernel_writes(&bed, NULL, frame, len);
    turn(&bed, 5 * USEC_PER_MSEC);
    assert_int_equal(bed_end(&bed), 0);
    size_t file_len;
    char *file = read_capture(path, &file_len);
    assert_non_null(memmem(file, file_len, drop_reason_text(DROP_WIRE_LOSS),
                           strlen(drop_reason_text(DROP_WIRE_LOSS))));
    free(file);
    unlink(path);
}

static void test_capture_says_what_is_wrong(void **state UNUSED)
{
    struct loop *loop = loop_new();
    struct capture *capture;
    assert_int_equal(capture_new(loop, "/nonexistent/x.pcapng", &capture), -ENOENT);
    if (access("/dev/full", W_OK) == 0)
        assert_int_equal(capture_new(loop, "/dev/full", &capture), -ENOSPC);
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ping_crosses_with_and_without_header),
        cmocka_unit_test(test_batches_follow_what_comes),
        cmocka_unit_test(test_partial_checksum_is_taken_as_sound),
        cmocka_unit_test(test_confused_header_is_counted_and_ignored),
        cmocka_unit_test(test_super_segment_leaves_in_one_piece),
        cmocka_unit_test(test_full_device_is_asked_again),
        cmocka_unit_test(test_wire_delays_what_crosses),
        cmocka_unit_test(test_capture_has_every_frame_with_its_fate),
        cmocka_unit_test(test_capture_tells_what_the_wire_lost),
        cmocka_unit_test(test_capture_says_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
