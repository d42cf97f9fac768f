/* SPDX-License-Identifier: ISC */
/* test_list.c - nodes in and out of rings, in order. */
#include "tests/support/check.h"

#include "base/list.h"

static void check_order(const struct list_node *head, struct list_node *const *want, size_t count)
{
    const struct list_node *node = head->next;
    const struct list_node *before = head;
    for (size_t i = 0; i < count; i++) {
        assert_ptr_equal(node, want[i]);
        assert_ptr_equal(node->previous, before);
        before = node;
        node = node->next;
    }
    assert_ptr_equal(node, head);
    assert_ptr_equal(head->previous, before);
}

static void test_order(void **state UNUSED)
{
    struct list_node head;
    struct list_node a;
    struct list_node b;
    struct list_node c;
    list_init(&head);
    list_init(&a);
    list_init(&b);
    list_init(&c);
    assert_true(list_empty(&head));
    assert_null(list_first(&head));
    assert_false(list_linked(&a));

    list_append(&head, &b);
    list_append(&head, &c);
    list_prepend(&head, &a);
    check_order(&head, (struct list_node *[]){&a, &b, &c}, 3);
    assert_ptr_equal(list_first(&head), &a);
    assert_true(list_linked(&b));

    list_remove(&b);
    list_remove(&b);
    assert_false(list_linked(&b));
    check_order(&head, (struct list_node *[]){&a, &c}, 2);
    list_insert_after(&a, &b);
    check_order(&head, (struct list_node *[]){&a, &b, &c}, 3);
    list_remove(&a);
    list_remove(&b);
    list_remove(&c);
    assert_true(list_empty(&head));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
