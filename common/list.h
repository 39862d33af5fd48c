/*
 * An intrusive doubly linked list: the node lives inside the element, so that linking never
 * allocates and an element leaves every list it is on without searching.
 *
 * A list head is a node too. Owner: whoever embeds the node. list_remove() leaves the node
 * unlinked, so removing twice is harmless.
 */
#ifndef SPARKBRIDGE_COMMON_LIST_H
#define SPARKBRIDGE_COMMON_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next, *prev;
};

#define container_of(pointer, type, member)                                                        \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* The first element as `type *`, or NULL where the list is empty. */
#define list_first(head, type, member)                                                             \
    (list_is_empty(head) ? NULL : container_of((head)->next, type, member))

/* NOLINTBEGIN(bugprone-macro-parentheses): `node` is a name to declare */
/* Visits each node; the body may remove the visited one, and nothing else. */
#define list_for_each(node, head)                                                                  \
    for (struct list *node = (head)->next, *node##_next = node->next; node != (head);              \
         node = node##_next, node##_next = node->next)
/* NOLINTEND(bugprone-macro-parentheses) */

static inline void list_init(struct list *node)
{
    node->next = node->prev = node;
}

static inline bool list_is_empty(const struct list *head)
{
    return head->next == head;
}

/* Is this node on a list? */
static inline bool list_is_linked(const struct list *node)
{
    return node->next != node;
}

static inline void list_append(struct list *head, struct list *node)
{
    node->prev = head->prev;
    node->next = head;
    head->prev->next = node;
    head->prev = node;
}

static inline void list_remove(struct list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

/* Moves all nodes of `from` to the empty list `to`. */
static inline void list_take_all(struct list *to, struct list *from)
{
    list_init(to);
    if (list_is_empty(from))
        return;
    *to = *from;
    to->next->prev = to;
    to->prev->next = to;
    list_init(from);
}

#endif
