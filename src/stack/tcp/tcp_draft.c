/* SPDX-License-Identifier: ISC */
/* tcp_draft.c - a connection for the time that one segment takes, made of an entry. */
#include "stack/tcp/internal.h"

/* An interval of challenges has eight slots, which are numbered in turn. Nine of them later a whole one
 * has passed. */
enum { CHALLENGE_SLOTS = 511, CHALLENGE_PARTS = 8, CHALLENGE_APART = CHALLENGE_PARTS + 1 };

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

/* In which one of the entry's time we are: 0 on. */
static unsigned slot_of(const struct stack *stack, const struct tcp_profile *profile,
                        const struct tcp_entry *entry)
{
    usec len = usec_max(profile->challenge_interval / CHALLENGE_PARTS, 1);
    return (unsigned)(tcp_entry_age(stack, entry) / len % CHALLENGE_SLOTS);
}

/* Has it had a challenge too short a time ago (RFC 5961 §7)? */
static bool challenged_lately(const struct stack *stack, const struct tcp_profile *profile,
                              const struct tcp_entry *entry)
{
    if (entry->challenged == 0 || profile->challenge_interval == 0)
        return false;
    unsigned since = slot_of(stack, profile, entry) + CHALLENGE_SLOTS - (entry->challenged - 1);
    return since % CHALLENGE_SLOTS < CHALLENGE_APART;
}

void tcp_draft_thaw(struct tcp_draft *draft, struct stack *stack,
                    const struct tcp_profile *profile, const struct tcp_entry *entry)
{
    struct endpoint local = tcp_entry_local(entry);
    struct endpoint remote = tcp_entry_remote(entry);
    tcp_draft_begin(draft, stack, profile, &local, &remote);
    if (challenged_lately(stack, profile, entry))
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
    const struct tcp_connection *c = &draft->c;
    if (draft->extra.challenge_at != 0 && !challenged_lately(c->stack, c->profile, entry))
        entry->challenged = (slot_of(c->stack, c->profile, entry) + 1) & CHALLENGE_SLOTS;
}
