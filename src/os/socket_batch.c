/* SPDX-License-Identifier: ISC */
/*
 * socket_batch.c - datagrams by the dozen. The headers are made once, and after each call only what
 * the kernel has written in them is put back.
 */
#include "os/socket_batch.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "os/socket_control.h"

enum {
    RECEIVE_SIZE = 64 * 1024,
    /* Not a multiple of a page: the first lines of all buffers would meet in the same set of the
     * cache. */
    RECEIVE_STRIDE = RECEIVE_SIZE + 5 * 64,
};

struct slot {
    struct sockaddr_storage address;
    struct host_control control;
    struct iovec part;
};

struct host_batch {
    struct mmsghdr in[HOST_BATCH_MAX];
    struct mmsghdr out[HOST_BATCH_MAX];
    struct slot in_slots[HOST_BATCH_MAX];
    struct slot out_slots[HOST_BATCH_MAX];
    unsigned in_count;
    unsigned out_count;
    size_t out_len;
    uint8_t send[HOST_BATCH_SEND_SIZE];
    uint8_t receive[HOST_BATCH_MAX * RECEIVE_STRIDE];
};

static void prepare(struct host_batch *batch, unsigned index)
{
    struct slot *slot = &batch->in_slots[index];
    batch->in[index].msg_hdr = (struct msghdr){
        .msg_name = &slot->address,
        .msg_namelen = sizeof slot->address,
        .msg_iov = &slot->part,
        .msg_iovlen = 1,
        .msg_control = slot->control.octets,
        .msg_controllen = sizeof slot->control.octets,
    };
}

struct host_batch *host_batch_new(void)
{
    struct host_batch *batch = malloc(sizeof *batch);
    if (batch == NULL)
        return NULL;
    for (unsigned i = 0; i < HOST_BATCH_MAX; i++) {
        batch->in_slots[i].part = (struct iovec){batch->receive + i * RECEIVE_STRIDE, RECEIVE_SIZE};
        prepare(batch, i);
    }
    batch->in_count = 0;
    batch->out_count = 0;
    batch->out_len = 0;
    return batch;
}

void host_batch_free(struct host_batch *batch)
{
    free(batch);
}

int host_batch_receive(struct host_batch *batch, int fd)
{
    for (unsigned i = 0; i < batch->in_count; i++)
        prepare(batch, i);
    batch->in_count = 0;
    int count = recvmmsg(fd, batch->in, HOST_BATCH_MAX, MSG_DONTWAIT, NULL);
    if (count < 0)
        return -errno;
    batch->in_count = (unsigned)count;
    return count;
}

bool host_batch_get(const struct host_batch *batch, unsigned index, struct host_datagram *facts,
                    struct bytes *payload)
{
    const struct mmsghdr *message = &batch->in[index];
    struct host_datagram found = {.len = message->msg_len};
    ASSERT(index < batch->in_count);
    if (!host_endpoint_of(&batch->in_slots[index].address, &found.from))
        return false;
    host_control_read(&message->msg_hdr, &found);
    *facts = found;
    *payload = bytes_of(batch->in_slots[index].part.iov_base, message->msg_len);
    return true;
}

int host_batch_put(struct host_batch *batch, int family, const struct host_datagram *facts,
                   struct bytes payload)
{
    if (batch->out_count == HOST_BATCH_MAX || payload.len > HOST_BATCH_SEND_SIZE - batch->out_len)
        return 0;
    struct slot *slot = &batch->out_slots[batch->out_count];
    struct msghdr *header = &batch->out[batch->out_count].msg_hdr;
    int status = host_control_target(facts, family, &slot->address);
    if (status < 0)
        return status;
    memcpy(batch->send + batch->out_len, payload.data, payload.len);
    slot->part = (struct iovec){batch->send + batch->out_len, payload.len};
    *header = (struct msghdr){
        .msg_name = &slot->address,
        .msg_namelen = (socklen_t)status,
        .msg_iov = &slot->part,
        .msg_iovlen = 1,
    };
    if (facts->interface != 0 || !address_is_any(&facts->from.address)) {
        header->msg_control = slot->control.octets;
        header->msg_controllen = host_control_source(facts, family, &slot->control);
    }
    batch->out_len += payload.len;
    batch->out_count++;
    return 1;
}

/* With IP_RECVERR an ICMP error for an earlier datagram also fails one later call, which has then
 * cleared it: the same datagram is tried again. Another error is that of the first one not sent. */
void host_batch_flush(struct host_batch *batch, int fd)
{
    unsigned sent = 0;
    unsigned attempts = 0;
    while (sent < batch->out_count) {
        int count = sendmmsg(fd, batch->out + sent, batch->out_count - sent, MSG_NOSIGNAL);
        if (count > 0) {
            sent += (unsigned)count;
            attempts = 0;
            continue;
        }
        bool earlier = errno == ECONNREFUSED || errno == EHOSTUNREACH || errno == EINTR;
        if (count < 0 && earlier && ++attempts < 3)
            continue;
        if (count < 0 && (errno == EAGAIN || errno == ENOBUFS))
            break;
        sent++;
        attempts = 0;
    }
    batch->out_count = 0;
    batch->out_len = 0;
}
