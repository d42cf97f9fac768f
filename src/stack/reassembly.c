/* SPDX-License-Identifier: ISC */
/*
 * reassembly.c - puts fragments together (RFC 791 §3.2, RFC 1122 §3.3.2).
 *
 * Fragments that overlap spoil the whole datagram, and what comes of it later too, as RFC 5722
 * §4 has it for IPv6: nobody sends them but to slip past a filter. An exact repetition is only
 * ignored (RFC 8200 §4.5), for links do duplicate.
 *
 * Bounded in datagrams, in fragments of each, and in octets of storage; when full the oldest
 * datagram goes. RFC 1858 and RFC 3128: fragments made to hide a TCP header are dropped.
 * DEVIATES RFC 1122 §3.3.2: 30 s, not 60 to 120, as other systems do.
 */
#include "stack/ip.h"
#include "wire/inet/icmp_message.h"

struct datagram {
    struct list_node node; /* in reassembly.datagrams */
    struct ip_address source;
    struct ip_address target;
    uint16_t identification;
    uint8_t protocol;
    bool spoiled; /* overlapped: everything of it is dropped until the timer runs out */
    bool last_seen;
    uint8_t ecn_seen; /* a bit for each codepoint (RFC 3168 §5.3) */
    unsigned interface;
    size_t total;   /* of payload; known when last_seen */
    size_t present; /* octets of payload here */
    size_t octets;  /* of storage */
    size_t count;
    struct frame *fragments; /* by offset; data at the IP header */
    struct timer timer;
};

/* Where the fragment lies in the payload of the whole. */
struct span {
    size_t from;
    size_t end;
};

static struct span span_of(const struct frame *fragment)
{
    size_t header_len = (size_t)(fragment->data[0] & 0xf) * 4;
    size_t from = (size_t)((fragment->data[6] & 0x1f) << 8 | fragment->data[7]) * 8;
    return (struct span){from, from + fragment->len - header_len};
}

static struct bytes payload_of(const struct frame *fragment)
{
    size_t header_len = (size_t)(fragment->data[0] & 0xf) * 4;
    return bytes_after(frame_bytes(fragment), header_len);
}

static void drop_fragments(struct stack *stack, struct datagram *d)
{
    struct frame *next;
    for (struct frame *frame = d->fragments; frame != NULL; frame = next) {
        next = frame->next;
        frame->next = NULL;
        frame_unref(frame);
    }
    stack->ip->reassembly.octets -= d->octets;
    d->fragments = NULL;
    d->octets = 0;
    d->count = 0;
}

static void forget(struct stack *stack, struct datagram *d)
{
    drop_fragments(stack, d);
    wheel_disarm(&stack->wheel, &d->timer);
    list_remove(&d->node);
    stack->ip->reassembly.count--;
    heap_release(&stack->heap, d, sizeof *d);
}

static void fail(struct stack *stack, struct datagram *d, enum drop_reason reason)
{
    if (!d->spoiled) {
        stack->counters.ipReasmFails++;
        stack_drop(stack, reason, d->fragments);
    }
    forget(stack, d);
}

void reassembly_done(struct stack *stack)
{
    struct list_node *first;
    while ((first = list_first(&stack->ip->reassembly.datagrams)) != NULL)
        forget(stack, CONTAINER_OF(first, struct datagram, node));
}

/* RFC 1122 §3.3.2: told only when the first fragment is here to be quoted. */
void reassembly_timer(struct stack *stack, struct timer *timer)
{
    struct datagram *d = CONTAINER_OF(timer, struct datagram, timer);
    struct frame *first = d->fragments;
    if (first != NULL && span_of(first).from == 0) {
        struct ip_packet packet = {
            .frame = first,
            .payload = payload_of(first),
            .source = d->source,
            .target = d->target,
            .interface = d->interface,
            .protocol = d->protocol,
        };
        icmp_time_exceeded(stack, &packet, ICMP_REASSEMBLY_EXCEEDED);
    }
    fail(stack, d, DROP_FRAGMENT_TIMEOUT);
}

static struct datagram *find(const struct stack *stack, const struct ipv4_header *header)
{
    const struct list_node *head = &stack->ip->reassembly.datagrams;
    for (struct list_node *node = head->previous; node != head; node = node->previous) {
        struct datagram *d = CONTAINER_OF(node, struct datagram, node);
        if (d->identification == header->identification && d->protocol == header->protocol &&
            address_equal(&d->source, &header->source) &&
            address_equal(&d->target, &header->target))
            return d;
    }
    return NULL;
}

static void evict_oldest(struct stack *stack)
{
    struct list_node *oldest = list_first(&stack->ip->reassembly.datagrams);
    ASSERT(oldest != NULL);
    fail(stack, CONTAINER_OF(oldest, struct datagram, node), DROP_FRAGMENT_LIMIT);
}

static struct datagram *begin(struct stack *stack, const struct ip_packet *packet,
                              const struct ipv4_header *header)
{
    struct reassembly *r = &stack->ip->reassembly;
    if (r->count >= REASSEMBLY_DATAGRAMS_MAX)
        evict_oldest(stack);
    struct datagram *d = heap_zeroed(&stack->heap, sizeof *d);
    if (d == NULL)
        return NULL;
    d->source = header->source;
    d->target = header->target;
    d->identification = header->identification;
    d->protocol = header->protocol;
    d->interface = packet->interface;
    list_init(&d->node);
    list_append(&r->datagrams, &d->node);
    r->count++;
    timer_init(&d->timer, STACK_TIMER_REASSEMBLY);
    wheel_arm(&stack->wheel, &d->timer, stack->now + REASSEMBLY_TIMEOUT);
    return d;
}

/* What can be said of a fragment by itself. */
static bool well_formed(const struct ipv4_header *header)
{
    size_t len = header->payload.len;
    if (len == 0 || (header->more_fragments && len % 8 != 0))
        return false;
    /* "Ping of death": the whole would not be a packet. */
    if (header->fragment_offset + len > IPV4_PACKET_MAX - IPV4_HEADER_LEN)
        return false;
    /* RFC 1858 §3.2.2, RFC 3128: the ports and flags of TCP lie in the first fragment. */
    if (header->protocol == IP_PROTOCOL_TCP)
        return header->fragment_offset == 0 ? len >= 16 : header->fragment_offset > 8;
    return true;
}

enum placing { PLACED, REPEATED, OVERLAPS };

/* Links the fragment where it belongs. */
static enum placing place(struct datagram *d, struct frame *frame)
{
    struct span span = span_of(frame);
    struct frame **link = &d->fragments;
    while (*link != NULL && span_of(*link).end <= span.from)
        link = &(*link)->next;
    struct frame *next = *link;
    if (next != NULL) {
        struct span other = span_of(next);
        if (other.from == span.from && other.end == span.end)
            return bytes_equal(payload_of(next), payload_of(frame)) ? REPEATED : OVERLAPS;
        if (other.from < span.end)
            return OVERLAPS;
    }
    frame->next = next;
    *link = frame;
    return PLACED;
}

/* The last fragment says how long the whole is; nothing may lie behind, nor two ends differ. */
static bool note_end(struct datagram *d, const struct ipv4_header *header)
{
    size_t end = header->fragment_offset + header->payload.len;
    if (header->more_fragments)
        return !d->last_seen || end < d->total;
    if (d->last_seen)
        return end == d->total;
    for (const struct frame *f = d->fragments; f != NULL; f = f->next)
        if (span_of(f).end > end)
            return false;
    d->last_seen = true;
    d->total = end;
    return true;
}

/* RFC 3168 §5.3: congestion that one fragment met, the datagram met; but a datagram that did not
 * take part cannot have been marked. */
static bool merge_ecn(const struct datagram *d, uint8_t *traffic_class)
{
    bool marked = (d->ecn_seen & 1u << IP_CE) != 0;
    if (marked && (d->ecn_seen & 1u << IP_NOT_ECT) != 0)
        return false;
    if (marked)
        *traffic_class |= IP_CE;
    return true;
}

static struct frame *assemble(struct stack *stack, const struct datagram *d)
{
    struct ipv4_header header;
    enum wire_status decoded = ipv4_decode(frame_bytes(d->fragments), &header);
    ASSERT(decoded == WIRE_OK);
    size_t header_len = header.header_len;
    if (header_len + d->total > IPV4_PACKET_MAX || !merge_ecn(d, &header.traffic_class)) {
        stack_drop(stack, DROP_FRAGMENT_MALFORMED, d->fragments);
        return NULL;
    }
    struct frame *whole = frame_new(d->fragments->pool, header_len + d->total);
    if (whole == NULL) {
        stack_drop(stack, DROP_NO_MEMORY, d->fragments);
        return NULL;
    }
    struct writer w = writer_of(whole->data, header_len + d->total);
    header.total_len = (uint16_t)(header_len + d->total);
    header.more_fragments = false;
    header.fragment_offset = 0;
    ipv4_encode(&header, &w);
    for (const struct frame *f = d->fragments; f != NULL; f = f->next)
        write_bytes(&w, payload_of(f));
    ASSERT(!w.failed && writer_room(&w) == 0);
    whole->len = writer_len(&w);
    return whole;
}

static struct frame *finish(struct stack *stack, struct datagram *d)
{
    struct frame *whole = assemble(stack, d);
    if (whole != NULL)
        stack->counters.ipReasmOKs++;
    else
        stack->counters.ipReasmFails++;
    forget(stack, d);
    return whole;
}

static struct frame *refuse(struct stack *stack, enum drop_reason reason, struct frame *frame)
{
    stack_drop(stack, reason, frame);
    frame_unref(frame);
    return NULL;
}

/* Overlapped: all of it goes, and what comes later too. */
static void spoil(struct stack *stack, struct datagram *d)
{
    stack->counters.ipReasmFails++;
    drop_fragments(stack, d);
    d->spoiled = true;
}

static struct frame *keep(struct stack *stack, struct datagram *d, struct frame *frame,
                          const struct ipv4_header *header)
{
    struct reassembly *r = &stack->ip->reassembly;
    size_t size = frame->size;
    enum placing placing = note_end(d, header) ? place(d, frame) : OVERLAPS;
    if (placing == REPEATED) {
        frame_unref(frame);
        return NULL;
    }
    if (placing == OVERLAPS) {
        spoil(stack, d);
        return refuse(stack, DROP_FRAGMENT_OVERLAP, frame);
    }
    d->ecn_seen |= (uint8_t)(1u << (header->traffic_class & IP_ECN_MASK));
    d->present += header->payload.len;
    d->octets += size;
    d->count++;
    r->octets += size;
    if (d->last_seen && d->present == d->total)
        return finish(stack, d);
    if (d->count > REASSEMBLY_FRAGMENTS_MAX) {
        spoil(stack, d);
        stack_drop(stack, DROP_FRAGMENT_LIMIT, NULL);
        return NULL;
    }
    while (r->octets > r->octets_max)
        evict_oldest(stack);
    return NULL;
}

struct frame *reassembly_add(struct stack *stack, struct frame *frame,
                             const struct ip_packet *packet, const struct ipv4_header *header)
{
    stack->counters.ipReasmReqds++;
    if (!well_formed(header)) {
        stack->counters.ipReasmFails++;
        return refuse(stack, DROP_FRAGMENT_MALFORMED, frame);
    }
    struct datagram *d = find(stack, header);
    if (d == NULL)
        d = begin(stack, packet, header);
    if (d == NULL)
        return refuse(stack, DROP_NO_MEMORY, frame);
    if (d->spoiled)
        return refuse(stack, DROP_FRAGMENT_OVERLAP, frame);
    frame = stack_fit(frame); /* of the header's views only the lengths are used from here */
    if (frame == NULL) {
        stack_drop(stack, DROP_NO_MEMORY, NULL);
        return NULL;
    }
    return keep(stack, d, frame, header);
}
