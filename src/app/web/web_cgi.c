/* SPDX-License-Identifier: ISC */
/*
 * web_cgi.c - CGI/1.1: RFC 3875 §7.2 (on systems like UNIX): the environment, the folder, the pipes.
 *
 * SKIPS RFC 3875 §4.4 (words of the query as arguments): programs have taken them for options of theirs.
 */
#include "app/web/web_cgi.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "app/web/web_gateway.h"

enum { ENVIRONMENT_MAX = HTTP_FIELDS_MAX + WEB_PARAMS_MAX + 40 };

struct job {
    struct web_gateway base;   /* first: it is freed as that */
    struct list_node waiting;  /* in web->cgi_waiting */
    struct program *program;   /* NULL: not started, or over */
};
_Static_assert(offsetof(struct job, base) == 0, "a gateway is freed as what it begins");

static struct job *job_of(struct web_gateway *gateway)
{
    return CONTAINER_OF(gateway, struct job, base);
}

static unsigned processes_max(const struct web *web)
{
    uint32_t max = web->rules->config.cgi_processes;
    return max > 0 ? max : WEB_CGI_DEFAULT;
}

/* ---- the program ---- */

static void send_body(struct web_gateway *g)
{
    struct job *job = job_of(g);
    if (job->program == NULL)
        return;
    while (g->in.len > 0) {
        struct bytes data = web_flow_bytes(&g->in);
        size_t taken = program_write(job->program, data);
        web_gateway_sent(g, taken);
        if (taken < data.len)
            return; /* on_room() goes on */
    }
    if (g->in.ended)
        program_write_end(job->program);
}

static size_t on_output(void *self, struct bytes data)
{
    struct job *job = self;
    if (web_gateway_full(&job->base))
        return 0; /* resume() goes on */
    web_gateway_output(&job->base, data);
    return data.len;
}

static void on_complaint(void *self, struct bytes data)
{
    struct job *job = self;
    web_gateway_complain(&job->base, data);
}

static void on_room(void *self)
{
    struct job *job = self;
    send_body(&job->base);
}

static void on_ended(void *self, int exit_code)
{
    struct job *job = self;
    job->program = NULL;
    if (exit_code != 0)
        web_gateway_say(&job->base, "the program has ended with %d", exit_code);
    web_gateway_over(&job->base);
}

static const struct program_handler program_handler = {
    .on_output = on_output,
    .on_complaint = on_complaint,
    .on_room = on_room,
    .on_ended = on_ended,
};

/* ---- its beginning ---- */

/* The meta-variables lie in a row, each with its NUL. The path of the program's file is one of them. */
static const char *make_environment(struct job *job, const char *list[ENVIRONMENT_MAX + 2])
{
    static const char path[] = "PATH=/usr/local/bin:/usr/bin:/bin";
    struct bytes meta = page_bytes(&job->base.meta);
    struct bytes name, value;
    const char *file = NULL;
    size_t count = 0;
    size_t at = 0;
    list[count++] = path;
    while (count <= ENVIRONMENT_MAX && web_meta_next(meta, &at, &name, &value)) {
        if (bytes_equal(name, bytes_of_text("SCRIPT_FILENAME")))
            file = (const char *)value.data;
        list[count++] = (const char *)name.data;
    }
    list[count] = NULL;
    return file;
}

static void set_limits(const struct web_rule *rule, struct program_options *options)
{
    options->limits[0].resource = RLIMIT_CORE;
    options->limits[0].max = 0;
    options->limit_count = 1;
    if (rule->cgi_memory > 0) {
        options->limits[options->limit_count].resource = RLIMIT_AS;
        options->limits[options->limit_count++].max = rule->cgi_memory;
    }
    if (rule->cgi_cpu > 0) {
        options->limits[options->limit_count].resource = RLIMIT_CPU;
        options->limits[options->limit_count++].max = (rule->cgi_cpu + USEC_PER_SEC - 1) / USEC_PER_SEC;
    }
}

/* 0 or a negative errno. */
static int run(struct job *job)
{
    const char *environment[ENVIRONMENT_MAX + 2];
    const char *file = make_environment(job, environment);
    char folder[2 * WEB_PATH_MAX];
    if (file == NULL)
        return -ENOENT;
    snprintf(folder, sizeof folder, "%s", file);
    char *slash = strrchr(folder, '/');
    if (slash == NULL)
        return -ENOENT;
    slash[slash == folder] = '\0';
    const char *argv[] = {file, NULL};
    struct program_options options = {.argv = argv, .environment = environment, .folder = folder};
    set_limits(job->base.rule, &options);
    return program_start(&job->base.web->programs, &options, &program_handler, job, &job->program);
}

static void run_or_fail(struct job *job)
{
    int status = run(job);
    if (status == 0) {
        send_body(&job->base);
        return;
    }
    bool ours = status == -EAGAIN || status == -ENOMEM || status == -EMFILE || status == -ENFILE;
    web_gateway_say(&job->base, "the program cannot be run: %s", strerror(-status));
    web_gateway_fail(&job->base, ours ? 503 : status == -EACCES ? 403 : 500);
}

static void start(struct web_gateway *g)
{
    struct job *job = job_of(g);
    struct web *web = g->web;
    if (web->programs.count < processes_max(web)) {
        run_or_fail(job);
    } else if (web->cgi_waiting_count < WEB_CGI_WAITING_MAX) {
        list_append(&web->cgi_waiting, &job->waiting);
        web->cgi_waiting_count++;
    } else {
        web_gateway_fail(g, 503);
    }
}

static bool stop_waiting(struct job *job)
{
    if (!list_linked(&job->waiting))
        return false;
    list_remove(&job->waiting);
    job->base.web->cgi_waiting_count--;
    return true;
}

static void on_gone(struct programs *programs)
{
    struct web *web = CONTAINER_OF(programs, struct web, programs);
    struct list_node *node;
    while (programs->count < processes_max(web) &&
           (node = list_first(&web->cgi_waiting)) != NULL) {
        struct job *job = CONTAINER_OF(node, struct job, waiting);
        (void)stop_waiting(job);
        run_or_fail(job);
    }
}

static void resume(struct web_gateway *g)
{
    struct job *job = job_of(g);
    if (job->program != NULL)
        program_resume(job->program);
}

static void cancel(struct web_gateway *g)
{
    struct job *job = job_of(g);
    if (stop_waiting(job) || job->program == NULL)
        return;
    struct program *program = job->program;
    job->program = NULL;
    program_kill(program);
}

static const struct web_backend backend = {
    .start = start,
    .send = send_body,
    .resume = resume,
    .cancel = cancel,
};

void web_cgi_init(struct web *web)
{
    programs_init(&web->programs, net_loop(web->net));
    web->programs.on_gone = on_gone;
    list_init(&web->cgi_waiting);
}

void web_cgi_done(struct web *web)
{
    programs_done(&web->programs);
}

unsigned web_cgi_request(struct web_exchange *exchange, const struct web_script *script)
{
    struct job *job = calloc(1, sizeof *job);
    if (job == NULL)
        return 503;
    list_init(&job->waiting);
    unsigned refusal = web_gateway_begin(&job->base, exchange, script, &backend);
    if (refusal != 0)
        free(job);
    return refusal;
}
