/* SPDX-License-Identifier: ISC */
/* fdpass.h - hands a descriptor to another process through a Unix socket (SCM_RIGHTS, unix(7)). */
#ifndef WN_OS_FDPASS_H
#define WN_OS_FDPASS_H

#include "base/bytes.h"

/* Sends `fd`, which stays open here, with `message`, which must not be empty. 0 or a negative
 * errno. */
MUST_USE int fdpass_send(int socket, int fd, struct bytes message);

/* The length of the message, and in *fd the descriptor (close-on-exec) or -1 when none came with
 * it; 0: the other side has closed; or a negative errno. */
MUST_USE int fdpass_receive(int socket, void *message, size_t size, int *fd);

#endif
