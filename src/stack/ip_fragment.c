/* SPDX-License-Identifier: ISC */
/*
 * ip_fragment.c - cuts a packet that is larger than the link takes (RFC 791 §3.2, "Fragmentation").
 *
 * Works on our own packets and on those passing through, which may be fragments already and may
 * have options, of which later fragments get those that are to be copied.
 */
#include "base/checksum.h"
#include "stack/ip.h"

/* The options that go into every fragment (RFC 791 §3.1, the copied flag). */
static struct bytes copied_options(struct bytes options, uint8_t out[IPV4_HEADER_MAX])
{
    struct writer w = writer_of(out, IPV4_HEADER_MAX - IPV4_HEADER_LEN);
    struct ipv4_option option;
    while (ipv4_option_next(&options, &option) == IPV4_OPTION_FOUND) {
        if ((option.type & IPV4_OPTION_COPIED) == 0)
            continue;
        write_u8(&w, option.type);
        write_u8(&w, (uint8_t)(option.data.len + 2));
        write_bytes(&w, option.data);
    }
    return writer_bytes(&w);
}

static size_t padded(size_t options_len)
{
    return (options_len + 3) & ~(size_t)3;
}

/* `len` octets of the whole's payload from `from` on, as a packet with `header`. */
static struct frame *fragment_of(const struct frame *whole, size_t from, size_t len,
                                 const struct ipv4_header *header)
{
    struct frame *part = frame_new(whole->pool, len);
    if (part == NULL)
        return NULL;
    frame_copy_out(whole, from, part->data, len);
    part->len = len;
    ipv4_push(part, header);
    return part;
}

static enum ip_status send_parts(struct stack *stack, const struct route_choice *choice,
                                 const struct mac *mac, const struct frame *whole,
                                 const struct ipv4_header *header)
{
    uint8_t copied_room[IPV4_HEADER_MAX];
    struct bytes copied = copied_options(header->options, copied_room);
    size_t total = frame_total(whole) - header->header_len;
    enum ip_status status = IP_SENT;
    struct ipv4_header part_header = *header;
    for (size_t at = 0; at < total && status == IP_SENT;) {
        size_t room = choice->mtu - IPV4_HEADER_LEN - padded(part_header.options.len);
        room &= ~(size_t)7;
        size_t len = total - at < room ? total - at : room;
        part_header.fragment_offset = (uint16_t)(header->fragment_offset + at);
        part_header.more_fragments = header->more_fragments || at + len < total;
        struct frame *part = fragment_of(whole, header->header_len + at, len, &part_header);
        if (part == NULL) {
            stack_drop(stack, DROP_NO_MEMORY, whole);
            return IP_NO_MEMORY;
        }
        stack->counters.ipOutFragCreates++;
        status = ip_link_output(stack, choice, mac, part);
        part_header.options = copied;
        at += len;
    }
    return status;
}

enum ip_status ip_fragment(struct stack *stack, const struct route_choice *choice,
                           const struct mac *mac, struct frame *frame)
{
    if (frame->offload.checksum == FRAME_CHECKSUM_PARTIAL)
        checksum_complete(frame);
    struct ipv4_header header;
    /* The header lies in the linear part: we, or the input path, have put it there. */
    enum wire_status decoded = ipv4_decode_quoted(frame_bytes(frame), &header);
    ASSERT(decoded == WIRE_OK);
    enum ip_status status = send_parts(stack, choice, mac, frame, &header);
    if (status == IP_SENT)
        stack->counters.ipOutFragOKs++;
    else
        stack->counters.ipOutFragFails++;
    frame_unref(frame);
    return status;
}
