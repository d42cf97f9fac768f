/* SPDX-License-Identifier: ISC */
/*
 * socket_batch.c - datagrams by the dozen. The headers are made once, and after each call only what
 * the kernel has written in them is put back.
 */
#include "os/socket_batch.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
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

enum {
    SEGMENTED_LEN_MAX = 1232, /* each on its own must fit into one packet */
    BUCKETS = 2 * HOST_BATCH_MAX,
    REFUSALS_MAX = 8,         /* of the kernel to segment; then it is not asked any more */
    NONE = UINT8_MAX,
};

struct slot {
    struct sockaddr_storage address;
    struct host_control control;
    struct iovec part;
    /* of what is sent: */
    uint8_t next;   /* of the same length to the same peer; NONE */
    uint8_t last;   /* of those, for the first of them */
    uint8_t count;
};
_Static_assert((int)HOST_BATCH_MAX < (int)NONE, "their numbers fit");

struct host_batch {
    struct mmsghdr in[HOST_BATCH_MAX];
    struct mmsghdr out[HOST_BATCH_MAX];
    struct slot in_slots[HOST_BATCH_MAX];
    struct slot out_slots[HOST_BATCH_MAX];
    unsigned in_count;
    unsigned out_count;
    size_t out_len;
    unsigned refusals;
    uint8_t firsts[BUCKETS];            /* of those of one length to one peer, by their hash */
    struct mmsghdr runs[HOST_BATCH_MAX]; /* what is handed over: some of `out`, or several as one */
    uint8_t run_first[HOST_BATCH_MAX];
    struct iovec parts[HOST_BATCH_MAX];
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
    batch->refusals = 0;
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

/* ---- runs ---- */

static unsigned bucket_of(const struct mmsghdr *m)
{
    const struct msghdr *header = &m->msg_hdr;
    const uint8_t *octets = header->msg_name;
    uint32_t hash = (uint32_t)header->msg_iov->iov_len;
    for (size_t i = 0; i < header->msg_namelen; i += 4) {
        uint32_t word;
        memcpy(&word, octets + i, sizeof word);
        hash = (hash ^ word) * 2654435761u;
    }
    return hash >> 16 & (BUCKETS - 1);
}
_Static_assert((BUCKETS & (BUCKETS - 1)) == 0 && sizeof(struct sockaddr_in) % 4 == 0 &&
                   sizeof(struct sockaddr_in6) % 4 == 0,
               "a mask, and whole words");

/* May the two go as one? */
static bool is_alike(const struct mmsghdr *a, const struct mmsghdr *b)
{
    const struct msghdr *x = &a->msg_hdr, *y = &b->msg_hdr;
    return x->msg_iov->iov_len == y->msg_iov->iov_len && x->msg_namelen == y->msg_namelen &&
           memcmp(x->msg_name, y->msg_name, x->msg_namelen) == 0 &&
           x->msg_controllen == y->msg_controllen &&
           (x->msg_controllen == 0 ||
            memcmp(x->msg_control, y->msg_control, x->msg_controllen) == 0);
}

/* Puts the datagram to the run that it belongs to; true: it begins one. */
static bool begins_run(struct host_batch *batch, uint8_t index)
{
    struct slot *slot = &batch->out_slots[index];
    const struct mmsghdr *message = &batch->out[index];
    unsigned at = bucket_of(message);
    slot->next = NONE;
    slot->last = index;
    slot->count = 1;
    if (slot->part.iov_len == 0 || slot->part.iov_len > SEGMENTED_LEN_MAX ||
        batch->refusals >= REFUSALS_MAX)
        return true;
    while (batch->firsts[at] != NONE && !is_alike(&batch->out[batch->firsts[at]], message))
        at = (at + 1) % BUCKETS;
    if (batch->firsts[at] == NONE) {
        batch->firsts[at] = index;
        return true;
    }
    struct slot *first = &batch->out_slots[batch->firsts[at]];
    batch->out_slots[first->last].next = index;
    first->last = index;
    first->count++;
    return false;
}

/* The message that is all of the run, with its parts from `parts` on. */
static void make_run(struct host_batch *batch, uint8_t first, struct iovec *parts,
                     struct mmsghdr *out)
{
    struct slot *slot = &batch->out_slots[first];
    *out = batch->out[first];
    if (slot->count == 1)
        return;
    size_t count = 0;
    for (unsigned i = first; i != NONE; i = batch->out_slots[i].next)
        parts[count++] = batch->out_slots[i].part;
    out->msg_hdr.msg_iov = parts;
    out->msg_hdr.msg_iovlen = count;
    uint16_t len = (uint16_t)slot->part.iov_len;
    struct cmsghdr header = {
        .cmsg_level = IPPROTO_UDP, .cmsg_type = UDP_SEGMENT, .cmsg_len = CMSG_LEN(sizeof len)};
    char *control = slot->control.octets + out->msg_hdr.msg_controllen;
    memcpy(control, &header, sizeof header);
    memcpy(CMSG_DATA((struct cmsghdr *)control), &len, sizeof len);
    out->msg_hdr.msg_control = slot->control.octets;
    out->msg_hdr.msg_controllen += CMSG_SPACE(sizeof len);
}
_Static_assert(CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(uint16_t)) <=
                   HOST_CONTROL_SIZE,
               "both fit");

static unsigned make_runs(struct host_batch *batch)
{
    unsigned runs = 0, parts = 0;
    memset(batch->firsts, NONE, sizeof batch->firsts);
    for (unsigned i = 0; i < batch->out_count; i++)
        if (begins_run(batch, (uint8_t)i))
            batch->run_first[runs++] = (uint8_t)i;
    for (unsigned i = 0; i < runs; i++) {
        make_run(batch, batch->run_first[i], batch->parts + parts, &batch->runs[i]);
        parts += batch->out_slots[batch->run_first[i]].count;
    }
    return runs;
}

/* What the kernel, or the device, does not segment goes one by one. */
static void send_each(struct host_batch *batch, uint8_t first, int fd)
{
    batch->refusals++;
    for (unsigned i = first; i != NONE; i = batch->out_slots[i].next)
        (void)!sendmsg(fd, &batch->out[i].msg_hdr, MSG_NOSIGNAL);
}

/* With IP_RECVERR an ICMP error for an earlier datagram also fails one later call, which has then
 * cleared it: the same datagram is tried again. Another error is that of the first one not sent. */
void host_batch_flush(struct host_batch *batch, int fd)
{
    unsigned sent = 0;
    unsigned attempts = 0;
    unsigned runs = make_runs(batch);
    while (sent < runs) {
        int count = sendmmsg(fd, batch->runs + sent, runs - sent, MSG_NOSIGNAL);
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
        if (batch->out_slots[batch->run_first[sent]].count > 1)
            send_each(batch, batch->run_first[sent], fd);
        sent++;
        attempts = 0;
    }
    batch->out_count = 0;
    batch->out_len = 0;
}
