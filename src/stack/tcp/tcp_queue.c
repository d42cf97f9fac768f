/* SPDX-License-Identifier: ISC */
/*
 * tcp_queue.c - queues of octets that stay in the frames they came in.
 *
 * A queue must not hold much more memory than octets: a payload that would keep a far larger frame
 * is copied, and copies are gathered, so that a peer that sends octet by octet fills blocks, not a
 * frame each. Appending behind the last chunk is safe when the queue made that frame, or has its
 * only reference: nobody else writes there, and slices of what was there before are not touched.
 */
#include "stack/tcp/internal.h"

static void add_chunk(struct tcp_queue *queue, struct tcp_chunk *chunk)
{
    chunk->next = NULL;
    chunk->ends = false;
    if (queue->last != NULL)
        queue->last->next = chunk;
    else
        queue->first = chunk;
    queue->last = chunk;
}

size_t tcp_queue_room(const struct tcp_queue *queue)
{
    const struct tcp_chunk *chunk = queue->last;
    if (chunk == NULL || chunk->ends || (!chunk->ours && chunk->owner->refs != 1))
        return 0;
    const struct frame *owner = chunk->owner;
    return (size_t)(owner->storage + owner->size - (chunk->data + chunk->len));
}

size_t tcp_queue_extend(struct tcp_queue *queue, struct bytes text)
{
    struct tcp_chunk *last = queue->last;
    size_t room = tcp_queue_room(queue);
    size_t len = text.len < room ? text.len : room;
    if (len > 0) {
        memcpy(last->data + last->len, text.data, len);
        last->len += (uint32_t)len;
    }
    return len;
}

struct tcp_chunk *tcp_queue_add_room(struct stack *stack, struct tcp_queue *queue, size_t room,
                                     struct seq start)
{
    struct tcp_chunk *chunk = tcp_alloc(stack, TCP_CACHE_CHUNK);
    if (chunk == NULL)
        return NULL;
    chunk->owner = frame_new(stack->frames, room);
    if (chunk->owner == NULL) {
        tcp_free(stack, TCP_CACHE_CHUNK, chunk);
        return NULL;
    }
    chunk->data = chunk->owner->data;
    chunk->len = 0;
    chunk->start = start;
    chunk->ours = true;
    add_chunk(queue, chunk);
    return chunk;
}

bool tcp_queue_add_whole(struct stack *stack, struct tcp_queue *queue, struct frame *frame,
                         struct bytes text, struct seq start)
{
    struct tcp_chunk *chunk = tcp_alloc(stack, TCP_CACHE_CHUNK);
    if (chunk == NULL)
        return false;
    chunk->owner = frame_ref(frame);
    chunk->data = frame->storage + (text.data - frame->storage);
    chunk->len = (uint32_t)text.len;
    chunk->start = start;
    chunk->ours = false;
    add_chunk(queue, chunk);
    return true;
}

/* The first copy takes a frame of its size; each further one twice the last's, up to a block. */
static size_t room_for_copy(const struct stack *stack, const struct tcp_queue *queue, size_t len)
{
    size_t room = queue->last != NULL ? 2 * (size_t)queue->last->owner->size : 0;
    size_t most = stack->tcp->profile.receive_buffer < TCP_BLOCK ? TCP_PACKET : TCP_BLOCK;
    if (room > most)
        room = most;
    return room > len ? room : len;
}

bool tcp_queue_add(struct stack *stack, struct tcp_queue *queue, struct frame *frame,
                   struct bytes text, struct seq start)
{
    bool wasteful = text.len < frame->size / 4;
    bool small = text.len <= TCP_SMALL_PAYLOAD;
    if ((wasteful || small) && tcp_queue_room(queue) >= text.len) {
        (void)tcp_queue_extend(queue, text);
        return true;
    }
    if (!wasteful && (!small || queue->last == NULL))
        return tcp_queue_add_whole(stack, queue, frame, text, start);

    struct tcp_chunk *chunk =
        tcp_queue_add_room(stack, queue, room_for_copy(stack, queue, text.len), start);
    if (chunk == NULL)
        return false;
    memcpy(chunk->data, text.data, text.len);
    chunk->len = (uint32_t)text.len;
    return true;
}

void tcp_queue_join(struct tcp_queue *queue, struct tcp_queue *more)
{
    if (more->first == NULL)
        return;
    if (queue->last != NULL)
        queue->last->next = more->first;
    else
        queue->first = more->first;
    queue->last = more->last;
    *more = (struct tcp_queue){NULL, NULL};
}

void tcp_queue_drop(struct stack *stack, struct tcp_queue *queue, size_t len)
{
    while (len > 0) {
        struct tcp_chunk *chunk = queue->first;
        ASSERT(chunk != NULL);
        if (chunk->len > len) {
            chunk->data += len;
            chunk->len -= (uint32_t)len;
            chunk->start = seq_add(chunk->start, (uint32_t)len);
            return;
        }
        len -= chunk->len;
        queue->first = chunk->next;
        if (queue->first == NULL)
            queue->last = NULL;
        frame_unref(chunk->owner);
        tcp_free(stack, TCP_CACHE_CHUNK, chunk);
    }
}

void tcp_queue_clear(struct stack *stack, struct tcp_queue *queue)
{
    while (queue->first != NULL)
        tcp_queue_drop(stack, queue, queue->first->len);
}
