/* SPDX-License-Identifier: ISC */
#include "tests/support/check.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "site/control.h"

enum { LONG_ANSWER = 500000 };

struct world {
    struct loop *loop;
    struct control *control;
    char name[32];
    size_t answer_len;
};

static char *status(void *self, const char *question, size_t *len)
{
    const struct world *world = self;
    bool known = strcmp(question, "status") == 0;
    char *out = malloc(world->answer_len + 100);
    assert_non_null(out);
    memset(out, 'x', world->answer_len);
    *len = known ? world->answer_len : (size_t)snprintf(out, 100, "{\"error\": \"%.20s\"}", question);
    return out;
}

static void start(struct world *world, size_t answer_len)
{
    static unsigned number;
    *world = (struct world){.loop = loop_new(), .answer_len = answer_len};
    assert_non_null(world->loop);
    snprintf(world->name, sizeof world->name, "test-%d-%u", (int)getpid(), number++);
    assert_int_equal(control_new(world->loop, world->name, status, world, &world->control), 0);
}

static void end(struct world *world)
{
    control_free(world->control);
    loop_free(world->loop);
}

/* Runs `client` in another process while the loop turns; its exit status. */
static int with_client(struct world *world, int (*client)(const struct world *world))
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(client(world));
    int exit_status = -1;
    for (unsigned i = 0; i < 500; i++) {
        assert_int_equal(loop_run_until(world->loop, loop_now(world->loop) + 5000), 0);
        if (waitpid(pid, &exit_status, WNOHANG) == pid)
            return WEXITSTATUS(exit_status);
    }
    fail_msg("the client does not end");
    return -1;
}

static int ask_status(const struct world *world)
{
    char *answer = NULL;
    if (control_ask(geteuid(), world->name, "status", &answer) != 0)
        return 1;
    size_t len = strlen(answer);
    bool good = len == world->answer_len && answer[0] == 'x' && answer[len - 1] == 'x';
    free(answer);
    return good ? 0 : 2;
}

static void a_question_is_answered_whole(void **state UNUSED)
{
    static const size_t lens[] = {1, 4096, LONG_ANSWER};
    for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
        struct world world;
        start(&world, lens[i]);
        assert_int_equal(with_client(&world, ask_status), 0);
        assert_int_equal(with_client(&world, ask_status), 0);
        end(&world);
    }
}

static int ask_nonsense(const struct world *world)
{
    char *answer = NULL;
    int result = control_ask(geteuid(), world->name, "nonsense", &answer);
    bool good = result == 0 && strstr(answer, "\"error\"") != NULL;
    free(answer);
    return good ? 0 : 1;
}

static void an_unknown_question_is_told(void **state UNUSED)
{
    struct world world;
    start(&world, 10);
    assert_int_equal(with_client(&world, ask_nonsense), 0);
    end(&world);
}

/* A connection that nothing was said on; -1: refused. */
static int connect_to(const struct world *world)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int len = snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "wholenet/%u/%s",
                       (unsigned)geteuid(), world->name);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len);
    return connect(fd, (struct sockaddr *)&address, size) == 0 ? fd : -1;
}

/* Sends a question without an end that is too long, and one that stops in the middle. */
static int be_rude(const struct world *world)
{
    for (size_t len = 10; len <= 2000; len += 1990) {
        int fd = connect_to(world);
        char junk[2000];
        memset(junk, 'j', sizeof junk);
        if (fd < 0 || send(fd, junk, len, MSG_NOSIGNAL) < 0)
            return 1;
        if (len > 64 && recv(fd, junk, sizeof junk, 0) > 0)
            return 2;
        close(fd);
    }
    return 0;
}

static void a_rude_client_is_let_go(void **state UNUSED)
{
    struct world world;
    start(&world, 10);
    assert_int_equal(with_client(&world, be_rude), 0);
    assert_int_equal(with_client(&world, ask_status), 0);
    end(&world);
}

static void a_name_is_taken_once(void **state UNUSED)
{
    struct world world;
    struct control *second;
    start(&world, 10);
    assert_int_equal(control_new(world.loop, world.name, status, &world, &second), -EADDRINUSE);
    end(&world);
}

static void running_ones_are_found(void **state UNUSED)
{
    struct world world;
    char names[CONTROL_FOUND_MAX][CONTROL_NAME_MAX];
    start(&world, 10);
    int connection = connect_to(&world); /* has the same name, and is none */
    assert_true(connection >= 0);
    int count = control_find(geteuid(), names, CONTROL_FOUND_MAX);
    unsigned found = 0;
    for (int i = 0; i < count; i++)
        found += strcmp(names[i], world.name) == 0;
    assert_int_equal(found, 1);
    close(connection);
    assert_int_equal(control_find(geteuid() + 1, names, CONTROL_FOUND_MAX), 0);
    end(&world);
}

static void nobody_of_that_name_refuses(void **state UNUSED)
{
    char *answer;
    assert_int_equal(control_ask(geteuid(), "nobody-of-that-name", "status", &answer),
                     -ECONNREFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_is_answered_whole),
        cmocka_unit_test(an_unknown_question_is_told),
        cmocka_unit_test(a_rude_client_is_let_go),
        cmocka_unit_test(a_name_is_taken_once),
        cmocka_unit_test(running_ones_are_found),
        cmocka_unit_test(nobody_of_that_name_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
