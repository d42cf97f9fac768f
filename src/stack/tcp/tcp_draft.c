/* SPDX-License-Identifier: ISC */
/* tcp_draft.c - a connection for the time that one segment takes, made of an entry. */
#include "stack/tcp/internal.h"

enum { CHALLENGE_SLOTS = 127 };

#define CHALLENGE_SLOT (USEC_PER_SEC / 2)

void tcp_draft_begin(struct tcp_draft *draft, struct stack *stack,
                     const struct tcp_profile *profile, const struct endpoint *local,
                     const struct endpoint *remote)
{
    draft->extra = *tcp_extra_none();
    draft->c = (struct tcp_connection){
        .stack = stack,
        .profile = profile,
        .local = *local,
        .remote = *remote,
        .draft = true,
        .direct = profile->direct,
        .extra = &draft->extra,
        .sending = tcp_sending_none(),
        .peer_mss = TCP_MSS_DEFAULT,
        .receive_buffer = profile->receive_buffer,
    };
    list_init(&draft->c.pending);
    timer_init(&draft->c.timer, STACK_TIMER_TCP);
    timer_init(&draft->c.ack_timer, STACK_TIMER_TCP_ACK);
}

void tcp_draft_end(struct tcp_draft *draft)
{
    list_remove(&draft->c.pending);
}

/* In which half second of the entry's time we are. */
static unsigned slot_of(const struct stack *stack, const struct tcp_entry *entry)
{
    usec slot = tcp_entry_age(stack, entry) / CHALLENGE_SLOT + 1;
    return (unsigned)usec_min(slot, CHALLENGE_SLOTS);
}

void tcp_draft_thaw(struct tcp_draft *draft, struct stack *stack,
                    const struct tcp_profile *profile, const struct tcp_entry *entry)
{
    struct endpoint local = tcp_entry_local(entry);
    struct endpoint remote = tcp_entry_remote(entry);
    tcp_draft_begin(draft, stack, profile, &local, &remote);
    if (entry->challenged == slot_of(stack, entry))
        draft->extra.challenge_at = (uint32_t)(stack->now / USEC_PER_MSEC) | 1;
}

void tcp_draft_complete(struct tcp_draft *draft)
{
    struct tcp_connection *c = &draft->c;
    if (c->timestamps)
        (void)tcp_initial_sequence(c->stack, &c->local, &c->remote, &c->ts_offset);
    tcp_destination_recall_path(c);
}

void tcp_draft_freeze(const struct tcp_draft *draft, struct tcp_entry *entry)
{
    entry->ts_recent = draft->c.ts_recent;
    if (draft->extra.challenge_at != 0)
        entry->challenged = slot_of(draft->c.stack, entry) & CHALLENGE_SLOTS;
}
