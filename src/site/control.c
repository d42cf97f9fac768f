/* SPDX-License-Identifier: ISC */
/* control.c - the control socket's server and client. */
#include "site/control.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"
#include "os/file.h"

enum { CLIENTS_MAX = 8, ASK_TIMEOUT_MSEC = 5000, READ_STEP = 64 * 1024 };
#define CLIENT_TIMEOUT (5 * USEC_PER_SEC)

struct client {
    struct watch watch;
    struct alarm late;
    struct control *control;
    char question[CONTROL_QUESTION_MAX];
    size_t question_len;
    char *answer; /* NULL: not asked yet */
    size_t answer_len;
    size_t sent;
};

struct control {
    struct loop *loop;
    struct watch watch;
    char *(*answer)(void *self, const char *question, size_t *len);
    void *self;
    struct client clients[CLIENTS_MAX];
};

static socklen_t address_of(unsigned uid, const char *name, struct sockaddr_un *out)
{
    memset(out, 0, sizeof *out);
    out->sun_family = AF_UNIX;
    /* An abstract name begins with a zero octet and has no end but its length. */
    int len = snprintf(out->sun_path + 1, sizeof out->sun_path - 1, "wholenet/%u/%s", uid, name);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len);
}

static void let_go(struct client *client)
{
    loop_unwatch(&client->watch);
    loop_clear_alarm(client->control->loop, &client->late);
    file_close(&client->watch.fd);
    free(client->answer);
    client->answer = NULL;
    client->watch.fd = -1;
}

static void on_late(struct alarm *alarm)
{
    let_go(CONTAINER_OF(alarm, struct client, late));
}

static void answer_client(struct client *client)
{
    struct control *control = client->control;
    client->answer = control->answer(control->self, client->question, &client->answer_len);
    if (client->answer != NULL)
        loop_want(&client->watch, LOOP_WRITE);
}

/* False: the client is to go. */
static bool take_question(struct client *client)
{
    size_t room = sizeof client->question - client->question_len;
    ssize_t len = recv(client->watch.fd, client->question + client->question_len, room, 0);
    if (len < 0)
        return errno == EAGAIN || errno == EINTR;
    client->question_len += (size_t)len;
    char *end = memchr(client->question, '\n', client->question_len);
    if (end == NULL)
        return len > 0 && client->question_len < sizeof client->question;
    *end = '\0';
    answer_client(client);
    return client->answer != NULL;
}

static bool send_answer(struct client *client)
{
    ssize_t len = send(client->watch.fd, client->answer + client->sent,
                       client->answer_len - client->sent, MSG_NOSIGNAL);
    if (len < 0)
        return errno == EAGAIN || errno == EINTR;
    client->sent += (size_t)len;
    return client->sent < client->answer_len;
}

static void on_client(struct watch *watch, unsigned ready UNUSED)
{
    struct client *client = CONTAINER_OF(watch, struct client, watch);
    bool stays = client->answer == NULL ? take_question(client) : send_answer(client);
    if (!stays)
        let_go(client);
}

/* Of our own user, or root? */
static bool allowed(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof peer;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
           (peer.uid == geteuid() || peer.uid == 0);
}

static void on_connection(struct watch *watch, unsigned ready UNUSED)
{
    struct control *control = CONTAINER_OF(watch, struct control, watch);
    int fd = accept4(watch->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    struct client *client = NULL;
    for (size_t i = 0; i < CLIENTS_MAX && client == NULL; i++)
        if (control->clients[i].watch.fd < 0)
            client = &control->clients[i];
    /* One too many is sent away: it sees the end of the stream without an answer. */
    if (fd < 0 || client == NULL || !allowed(fd) ||
        loop_watch(control->loop, &client->watch, fd, LOOP_READ, on_client) < 0) {
        file_close(&fd);
        return;
    }
    client->control = control;
    client->question_len = 0;
    client->sent = 0;
    loop_set_alarm(control->loop, &client->late, loop_now(control->loop) + CLIENT_TIMEOUT);
}

int control_new(struct loop *loop, const char *name,
                char *(*answer)(void *self, const char *question, size_t *len), void *self,
                struct control **out)
{
    char own[32];
    snprintf(own, sizeof own, "%d", (int)getpid());
    struct sockaddr_un address;
    socklen_t len = address_of(geteuid(), name != NULL ? name : own, &address);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct control *control = calloc(1, sizeof *control);
    int result = fd < 0 ? -errno : 0;
    if (result == 0 && control == NULL)
        result = -ENOMEM;
    if (result == 0 && (bind(fd, (struct sockaddr *)&address, len) < 0 || listen(fd, 8) < 0))
        result = -errno;
    if (result == 0)
        result = loop_watch(loop, &control->watch, fd, LOOP_READ, on_connection);
    if (result < 0) {
        free(control);
        file_close(&fd);
        return result;
    }
    control->loop = loop;
    control->answer = answer;
    control->self = self;
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        control->clients[i].watch.fd = -1;
        control->clients[i].control = control;
        alarm_init(&control->clients[i].late, on_late);
    }
    *out = control;
    return 0;
}

void control_free(struct control *control)
{
    if (control == NULL)
        return;
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        if (control->clients[i].watch.fd >= 0)
            let_go(&control->clients[i]);
    loop_unwatch(&control->watch);
    file_close(&control->watch.fd);
    free(control);
}

int control_find(unsigned uid, char names[][CONTROL_NAME_MAX], size_t max)
{
    FILE *file = fopen("/proc/net/unix", "re");
    if (file == NULL)
        return -errno;
    char prefix[40], line[512];
    int prefix_len = snprintf(prefix, sizeof prefix, "@wholenet/%u/", uid);
    size_t count = 0;
    while (count < max && fgets(line, sizeof line, file) != NULL) {
        unsigned long flags = 0;
        char *name = strstr(line, prefix);
        /* Num RefCount Protocol Flags …; a listener has __SO_ACCEPTCON, its connections do not. */
        if (name == NULL || sscanf(line, "%*s %*s %*s %lx", &flags) != 1 || (flags & 0x10000) == 0)
            continue;
        name += prefix_len;
        name[strcspn(name, "\n")] = '\0';
        snprintf(names[count++], CONTROL_NAME_MAX, "%.*s", CONTROL_NAME_MAX - 1, name);
    }
    fclose(file);
    return (int)count;
}

/* Reads until the end of the stream. */
static int read_answer(int fd, char **content)
{
    size_t len = 0, size = 0;
    for (;;) {
        if (size - len < READ_STEP) {
            size += size / 2 + 2 * READ_STEP;
            char *larger = size <= CONTROL_ANSWER_MAX + 4 * READ_STEP + CONTROL_ANSWER_MAX / 2
                               ? realloc(*content, size)
                               : NULL;
            if (larger == NULL)
                return -ENOMEM;
            *content = larger;
        }
        struct pollfd ready = {fd, POLLIN, 0};
        int result = poll(&ready, 1, ASK_TIMEOUT_MSEC);
        if (result == 0)
            return -ETIMEDOUT;
        ssize_t got = result > 0 ? recv(fd, *content + len, size - len - 1, 0) : -1;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            break;
        len += (size_t)got;
    }
    (*content)[len] = '\0';
    return len > 0 ? 0 : -ECONNRESET;
}

int control_ask(unsigned uid, const char *name, const char *question, char **out)
{
    struct sockaddr_un address;
    socklen_t len = address_of(uid, name, &address);
    CLOSE_AT_END int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, len) < 0)
        return -errno;
    char line[CONTROL_QUESTION_MAX];
    int line_len = snprintf(line, sizeof line, "%s\n", question);
    if (line_len >= (int)sizeof line)
        return -EMSGSIZE;
    if (send(fd, line, (size_t)line_len, MSG_NOSIGNAL) != line_len)
        return -errno;
    char *content = NULL;
    int result = read_answer(fd, &content);
    if (result == 0)
        *out = content;
    else
        free(content);
    return result;
}
