/* SPDX-License-Identifier: ISC */
/*
 * web_tree.h - files and folders with all that is in them, copied or removed a piece at a time, so that a large
 * one keeps nobody waiting.
 */
#ifndef WN_APP_WEB_WEB_TREE_H
#define WN_APP_WEB_WEB_TREE_H

#include <stdbool.h>

#include "base/compiler.h"

enum {
    WEB_TREE_DEPTH_MAX = 64,              /* folders within each other: more are refused (ELOOP) */
    WEB_TREE_ENTRIES = 64,                /* of a step, at most, */
    WEB_TREE_OCTETS = 8 * 1024 * 1024,    /* and so many octets */
};

struct web_tree;

/* Copies `name` of the folder `from_fd` to `to_name` of `to_fd`, which is not there; of a folder without what is
 * in it when `shallow`. Both folders are used in the call only. NULL with errno. */
struct web_tree *web_tree_copy(int from_fd, const char *name, int to_fd, const char *to_name,
                               bool shallow);

/* Removes it, and all below. */
struct web_tree *web_tree_remove(int folder_fd, const char *name);

/* 1: there is more to do; 0: done; or a negative errno: it has stopped there. */
MUST_USE int web_tree_step(struct web_tree *tree);
void web_tree_free(struct web_tree *tree); /* also in its midst */

#endif
