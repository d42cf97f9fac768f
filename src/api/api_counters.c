/* SPDX-License-Identifier: ISC */
/* api_counters.c - wholenet/stack.h: counters by name. */
#include "api/internal.h"

int wn_stack_each_counter(const struct wn_stack *stack, size_t *place, const char **name,
                          uint64_t *value)
{
    struct counter counter;
    if (!stack_each_counter(stack_counters(stack->stack), place, &counter))
        return 0;
    *name = counter.name;
    *value = counter.value;
    return 1;
}

int wn_stack_each_interface_counter(const struct wn_stack *stack, int interface, size_t *place,
                                    const char **name, uint64_t *value)
{
    struct counter counter;
    if (!api_has_interface(stack, interface) ||
        !interface_each_counter(stack_interface_counters(stack->stack, (unsigned)interface), place,
                                &counter))
        return 0;
    *name = counter.name;
    *value = counter.value;
    return 1;
}

int wn_stack_each_drop(const struct wn_stack *stack, size_t *place, const char **name,
                       uint64_t *value)
{
    size_t next = *place + 1; /* DROP_NONE is none */
    if (next >= DROP_REASON_COUNT)
        return 0;
    *place = next;
    *name = drop_reason_text((enum drop_reason)next);
    *value = stack_drops(stack->stack, (enum drop_reason)next);
    return 1;
}

uint64_t wn_stack_counter(const struct wn_stack *stack, const char *name)
{
    const char *each;
    uint64_t value;
    for (size_t place = 0; wn_stack_each_counter(stack, &place, &each, &value);)
        if (strcmp(each, name) == 0)
            return value;
    return 0;
}
