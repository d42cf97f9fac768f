/* SPDX-License-Identifier: ISC */
/*
 * command_serve.c - wholenet serve: a site from its file, in the foreground, until it is told to
 * end. SIGHUP reads the file again; what is wrong in it then changes nothing.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/commands.h"
#include "io/tap_port.h"
#include "os/netlink.h"
#include "os/tap.h"
#include "site/site.h"

enum { COMPLAINT_MAX = 2048 }; /* a list of all options has room */

struct serve {
    const struct cli_command *command;
    const char *capture_path;
    const char *workers; /* NULL: as the file says */
    unsigned verbose, quiet;
    const char *path;
    struct log log;
    struct loop *loop;
    struct capture *capture;
    struct site *site;
    struct signal_watch signals;
};

static const struct cli_option options[] = {
    {"capture", 0, "FILE", "record every frame in FILE (pcapng)", cli_take_text,
     offsetof(struct serve, capture_path), NULL, NULL},
    {"workers", 0, "N", "threads that serve, or auto: for each processor one", cli_take_text,
     offsetof(struct serve, workers), NULL, NULL},
    {"verbose", 'v', NULL, "say what happens; twice: more", cli_take_count,
     offsetof(struct serve, verbose), NULL, NULL},
    {"quiet", 'q', NULL, "say only errors", cli_take_count, offsetof(struct serve, quiet), NULL,
     NULL},
};

/* The command line's number counts more than the file's. */
static bool set_workers(struct site_config *config, const char *workers, struct text *error)
{
    if (workers == NULL)
        return true;
    struct text before = *error;
    text_add(error, "--workers: ");
    if (!site_config_set(config, "", "workers", workers, error))
        return false;
    *error = before;
    error->start[error->len] = '\0';
    return true;
}

static struct site_config *read_site(const char *path, const char *workers, struct text *error)
{
    struct site_config *config = site_config_read(path, error);
    if (config == NULL)
        return NULL;
    bool good = set_workers(config, workers, error) && site_config_finish(config, error);
    if (good && config->link.device == SITE_DEVICE_NONE) {
        text_add_format(error, "%s: it has no link: expected link \"tap:NAME\" {…} or link "
                               "\"host\" {…}", path);
        good = false;
    }
    if (good)
        return config;
    site_config_free(config);
    return NULL;
}

/* A device that nobody may use yet: up, if we may. Otherwise its owner has to. */
static void bring_up(const struct serve *serve, const char *name)
{
    struct netlink netlink;
    struct netlink_link link;
    if (netlink_open(&netlink) < 0)
        return;
    int result = netlink_find(&netlink, name, &link);
    if (result == 0 && !link.up)
        result = netlink_set_up(&netlink, link.index, true);
    if (result < 0)
        log_warning(&serve->log, "cannot bring %s up: %s; do it: ip link set %s up", name,
                    strerror(-result), name);
    netlink_close(&netlink);
}

static int open_device(struct serve *serve)
{
    const struct site_config *config = site_config(serve->site);
    if (config->link.device != SITE_DEVICE_TAP)
        return 0;
    struct tap tap;
    const struct tap_options tap_options = {
        .name = config->link.name,
        .vnet_header_len = TAP_VNET_HEADER_LEN,
        .offload = site_wants_offload(config),
    };
    int result = tap_open(&tap_options, &tap);
    if (result < 0)
        return cli_fail(serve->command, EXIT_FAILED,
                        "cannot open the TAP device %s: %s; as root it is made for you, for others: "
                        "ip tuntap add dev %s mode tap user NAME", config->link.name,
                        tap_error_text(result), config->link.name);
    char complaint[COMPLAINT_MAX] = "";
    struct text error = text_of(complaint, sizeof complaint);
    if (site_attach(serve->site, tap.fd, tap.name, &error) < 0)
        return cli_fail(serve->command, EXIT_FAILED, "%s", complaint);
    bring_up(serve, tap.name);
    return 0;
}

static void reload(struct serve *serve)
{
    char complaint[COMPLAINT_MAX] = "";
    struct text error = text_of(complaint, sizeof complaint);
    struct site_config *config = read_site(serve->path, serve->workers, &error);
    if (config == NULL || site_reload(serve->site, config, &error) < 0)
        log_error(&serve->log, "not reloaded, all stays as it was: %s", complaint);
    else
        log_notice(&serve->log, "reloaded %s", serve->path);
}

static void on_signal(struct signal_watch *watch, int number)
{
    struct serve *serve = CONTAINER_OF(watch, struct serve, signals);
    if (number == SIGHUP) {
        reload(serve);
        return;
    }
    log_info(&serve->log, "ending: %s", strsignal(number));
    loop_stop(serve->loop);
}

static int start(struct serve *serve, struct site_config *config)
{
    char complaint[COMPLAINT_MAX] = "";
    struct text error = text_of(complaint, sizeof complaint);
    const struct site_options site_options = {
        .loop = serve->loop,
        .config = config,
        .log = &serve->log,
        .capture = serve->capture,
        .capture_path = serve->capture_path,
    };
    if (site_new(&site_options, &serve->site, &error) < 0)
        return cli_fail(serve->command, EXIT_FAILED, "%s: %s", serve->path, complaint);
    return open_device(serve);
}

/* Before anything is started: zones may take seconds to load, and what is told meanwhile is heard when
 * they are there. */
static int watch_signals(struct serve *serve)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    signal(SIGPIPE, SIG_IGN);
    int result = loop_watch_signals(serve->loop, &serve->signals, numbers, ARRAY_LEN(numbers),
                                    on_signal);
    if (result < 0)
        return cli_fail(serve->command, EXIT_FAILED, "cannot watch signals: %s",
                        strerror(-result));
    return 0;
}

static int serve_site(struct serve *serve, struct site_config *config)
{
    int status = watch_signals(serve);
    if (status != 0) {
        site_config_free(config);
        return status;
    }
    status = start(serve, config);
    if (status != 0)
        return status;
    const struct site_config *site = site_config(serve->site);
    char address[PREFIX_TEXT_MAX], pid[16];
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    log_notice(&serve->log, "serving %s on %s%s, %s; wholenet status %s tells more", site->domain,
               site->link.device == SITE_DEVICE_TAP ? "tap:" : "host", site->link.name,
               prefix_format(&site->link.address, address),
               site->control[0] != '\0' ? site->control : pid);
    int result = loop_run(serve->loop);
    if (result < 0)
        return cli_fail(serve->command, EXIT_FAILED, "the event loop failed: %s",
                        strerror(-result));
    site_log_summary(serve->site);
    return EXIT_OK;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
    struct serve serve = {.command = command};
    int at;
    enum cli_outcome outcome = cli_read_options(command, &serve, argc, argv, &at);
    if (outcome != CLI_GO_ON)
        return outcome == CLI_DONE ? EXIT_OK : cli_usage_status(command);
    if (at + 1 != argc)
        return cli_wrong_usage(command, "expected one site file");
    serve.path = argv[at];
    log_init(&serve.log, STDERR_FILENO, "wholenet",
             serve.quiet > 0     ? LOG_LEVEL_ERROR
             : serve.verbose > 1 ? LOG_LEVEL_DEBUG
             : serve.verbose > 0 ? LOG_LEVEL_INFO
                                 : LOG_LEVEL_NOTICE);

    char complaint[COMPLAINT_MAX] = "";
    struct text error = text_of(complaint, sizeof complaint);
    struct site_config *config = read_site(serve.path, serve.workers, &error);
    if (config == NULL)
        return cli_fail(command, EXIT_FAILED, "%s", complaint);
    serve.loop = loop_new();
    int result = serve.loop == NULL ? -errno : 0;
    if (result == 0 && serve.capture_path != NULL)
        result = capture_new(serve.loop, serve.capture_path, &serve.capture);
    int status;
    if (result < 0) {
        site_config_free(config);
        status = cli_fail(command, EXIT_FAILED, "cannot %s: %s",
                          serve.loop == NULL ? "make an event loop" : "write the capture",
                          strerror(-result));
    } else {
        status = serve_site(&serve, config);
    }
    loop_unwatch_signals(&serve.signals);
    site_free(serve.site);
    result = capture_free(serve.capture);
    if (result < 0)
        log_error(&serve.log, "the capture %s is not whole: %s", serve.capture_path,
                  strerror(-result));
    if (serve.loop != NULL)
        loop_free(serve.loop);
    return status;
}

const struct cli_command command_serve = {
    .name = "serve",
    .usage = "[options] FILE",
    .summary = "serve a site from its file",
    .about = "Serves the site that FILE describes (wholenet-site(5)) in the foreground, until SIGINT\n"
             "or SIGTERM. SIGHUP reads FILE again: what did not change goes on undisturbed, and a\n"
             "file that is wrong changes nothing.",
    .options = options,
    .option_count = ARRAY_LEN(options),
    .run = run,
};
