/* SPDX-License-Identifier: ISC */
/*
 * site_file.c - reads a site file: libconfuse knows the syntax, site_options.c the meaning.
 *
 * Every value is taken as text together with the line it stands on, and read by the table of
 * options once the file's syntax is known to be right; so every message can say where. libconfuse
 * hands no pointer of ours to its callbacks; each section's options therefore begin with one that
 * no file can name, whose variable lies in our reader.
 */
#include "site/site_file.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "os/file.h"

enum { SITE_FILE_MAX = 1024 * 1024 };

/* A quoted name with a line feed in it; written in a file it sets a string that nobody reads. */
static const char anchor_name[] = "\n";

/* libconfuse takes the end of the file for the end of every open block. An option that only the
 * outside of blocks has is put behind the text, so that a forgotten brace is found. */
static const char last_name[] = "end-of-site-file";
static const char last_text[] = "\nend-of-site-file = here\n";

static struct site_reader *reader_behind(cfg_t *cfg)
{
    for (size_t i = 0; cfg->opts[i].name != NULL; i++)
        if (strcmp(cfg->opts[i].name, anchor_name) == 0)
            return CONTAINER_OF(cfg->opts[i].simple_value.string, struct site_reader, anchor);
    ASSERT(!"a section without an anchor");
    return NULL;
}

struct text *site_file_complain(struct site_reader *reader, unsigned line)
{
    ASSERT(!reader->failed);
    reader->failed = true;
    if (line > reader->line_count)
        line = reader->line_count;
    text_add_format(reader->error, "%s:%u: ", reader->name, line);
    return reader->error;
}

/* "no such option 'lsiten'": what was meant, if something is like it, and all there is. */
static void add_known_options(struct text *out, const cfg_t *cfg, const char *words)
{
    const char *separator = "; known here: ";
    const char *near = NULL;
    char found[64];
    struct text name = text_of(found, sizeof found);
    struct bytes quoted = bytes_of_text(words);
    quoted = bytes_after(quoted, bytes_find(quoted, '\'') + 1);
    text_add_bytes(&name, bytes_first(quoted, bytes_find(quoted, '\'')));
    unsigned best = 3;
    for (size_t i = 0; cfg->opts[i].name != NULL; i++) {
        unsigned distance = text_distance(found, cfg->opts[i].name);
        if (distance < best && 2 * distance < name.len) {
            best = distance;
            near = cfg->opts[i].name;
        }
    }
    if (near != NULL)
        text_add_format(out, "; did you mean \"%s\"?", near);
    for (size_t i = 0; cfg->opts[i].name != NULL; i++) {
        if (strcmp(cfg->opts[i].name, anchor_name) == 0 ||
            strcmp(cfg->opts[i].name, last_name) == 0)
            continue;
        text_add(out, separator);
        text_add(out, cfg->opts[i].name);
        separator = ", ";
    }
}

static void PRINTF_LIKE(2, 0) on_error(cfg_t *cfg, const char *format, va_list arguments)
{
    struct site_reader *reader = reader_behind(cfg);
    if (reader->failed)
        return;
    char words[256];
    struct text message = text_of(words, sizeof words);
    text_add_format_list(&message, format, arguments);
    bool unknown = strstr(format, "no such option") != NULL;
    if (unknown && strstr(words, last_name) != NULL) {
        struct text *out = site_file_complain(reader, (unsigned)cfg->line);
        text_add_format(out, "the file ends inside of the block \"%s\": expected }", cfg->name);
        return;
    }
    struct text *out = site_file_complain(reader, (unsigned)cfg->line);
    text_add(out, words);
    if (strcmp(words, "premature end of file") == 0)
        text_add(out, ": a value, a string or a comment does not end");
    if (unknown)
        add_known_options(out, cfg, words);
}

static int take_value(cfg_t *cfg, cfg_opt_t *option UNUSED, const char *text, void *result)
{
    size_t size = strlen(text) + 1;
    struct site_file_value *value = malloc(sizeof *value + size);
    if (value == NULL)
        return -1;
    value->line = (unsigned)cfg->line;
    memcpy(value->text, text, size);
    *(void **)result = value;
    return 0;
}

/* The options of one section as libconfuse wants them, and `nested` sections in it. */
static cfg_opt_t *section_options(struct site_reader *reader, const char *section,
                                  const cfg_opt_t *nested, size_t nested_count)
{
    ASSERT(reader->section_count < SITE_SECTIONS_MAX);
    cfg_opt_t *options = reader->options[reader->section_count++];
    size_t count = 0;
    options[count++] = (cfg_opt_t)CFG_SIMPLE_STR(anchor_name, &reader->anchor);
    const struct site_option *option;
    for (size_t i = 0; (option = site_option_at(i)) != NULL; i++) {
        if (!site_option_is_in(option, section))
            continue;
        ASSERT(count + nested_count + 1 < SITE_SECTION_OPTIONS_MAX);
        cfg_flag_t flags = CFGF_NODEFAULT | (option->list ? CFGF_LIST : CFGF_NONE);
        options[count++] = (cfg_opt_t)CFG_PTR_CB(option->name, NULL, flags, take_value, free);
    }
    for (size_t i = 0; i < nested_count; i++)
        options[count++] = nested[i];
    options[count] = (cfg_opt_t)CFG_END();
    return options;
}

static cfg_opt_t *root_options(struct site_reader *reader)
{
    const cfg_opt_t host = CFG_SEC("host", section_options(reader, "host", NULL, 0),
                                   CFGF_MULTI | CFGF_TITLE);
    const cfg_opt_t secondary = CFG_SEC("secondary", section_options(reader, "secondary", NULL, 0),
                                        CFGF_MULTI | CFGF_TITLE);
    const cfg_opt_t group = CFG_SEC("group", section_options(reader, "group", NULL, 0),
                                    CFGF_MULTI | CFGF_TITLE);
    const cfg_opt_t in_names[] = {
        CFG_SEC("view", section_options(reader, "view", &secondary, 1), CFGF_MULTI | CFGF_TITLE),
        CFG_SEC("key", section_options(reader, "key", NULL, 0), CFGF_MULTI | CFGF_TITLE),
        secondary,
        CFG_SEC("catalog", section_options(reader, "catalog", &group, 1), CFGF_MULTI | CFGF_TITLE),
        CFG_SEC("signing", section_options(reader, "signing", NULL, 0), CFGF_MULTI | CFGF_TITLE),
    };
    const cfg_opt_t location =
        CFG_SEC("location", section_options(reader, "location", NULL, 0), CFGF_MULTI | CFGF_TITLE);
    const cfg_opt_t in_web[] = {
        CFG_SEC("site", section_options(reader, "site", &location, 1), CFGF_MULTI | CFGF_TITLE),
        location,
    };
    const cfg_opt_t sections[] = {
        CFG_SEC("link", section_options(reader, "link", NULL, 0), CFGF_MULTI | CFGF_TITLE),
        CFG_SEC("gateway", section_options(reader, "gateway", NULL, 0), CFGF_MULTI),
        CFG_SEC("addresses", section_options(reader, "addresses", &host, 1), CFGF_MULTI),
        CFG_SEC("names", section_options(reader, "names", in_names, ARRAY_LEN(in_names)),
                CFGF_MULTI),
        CFG_SEC("web", section_options(reader, "web", in_web, ARRAY_LEN(in_web)), CFGF_MULTI),
        CFG_SEC("proxy", section_options(reader, "proxy", NULL, 0), CFGF_MULTI),
        CFG_SEC("mdns", section_options(reader, "mdns", NULL, 0), CFGF_MULTI),
    };
    cfg_opt_t *root = section_options(reader, "", sections, ARRAY_LEN(sections));
    size_t count = 0;
    while (root[count].name != NULL)
        count++;
    ASSERT(count + 1 < SITE_SECTION_OPTIONS_MAX);
    root[count] = (cfg_opt_t)CFG_PTR_CB(last_name, NULL, CFGF_NODEFAULT, take_value, free);
    root[count + 1] = (cfg_opt_t)CFG_END();
    return root;
}

static unsigned count_lines(const char *content)
{
    unsigned lines = 0;
    for (const char *at = content; at != NULL && *at != '\0'; lines++) {
        at = strchr(at, '\n');
        at = at != NULL ? at + 1 : NULL;
    }
    return lines > 0 ? lines : 1;
}

static bool begins_word(const char *content, const char *at)
{
    return at == content || strchr(" \t\r\n=+,{}()\"'", at[-1]) != NULL;
}

static char *after_string(char *at)
{
    char quote = *at++;
    while (*at != '\0' && *at != quote)
        at += at[0] == '\\' && at[1] != '\0' ? 2 : 1;
    return *at != '\0' ? at + 1 : at;
}

/* libconfuse 3.3 counts the line of a comment up to three times, and then says the wrong one of
 * what follows: so it sees none. One that does not end is left to its complaint. */
static void blank_comments(char *content)
{
    char *at = content;
    while (*at != '\0') {
        if (*at == '"' || *at == '\'') {
            at = after_string(at);
            continue;
        }
        bool word = begins_word(content, at);
        const char *end = at;
        if (*at == '#' || (word && strncmp(at, "//", 2) == 0))
            end = at + strcspn(at, "\n");
        else if (word && strncmp(at, "/*", 2) == 0 && (end = strstr(at + 2, "*/")) != NULL)
            end += 2;
        if (end == NULL)
            return;
        if (end == at)
            at++;
        for (; at < end; at++)
            if (*at != '\n')
                *at = ' ';
    }
}

/* `name` NULL: the built-in site. */
static struct site_config *read_site(const char *name, const char *content, struct text *error)
{
    struct site_reader *reader = calloc(1, sizeof *reader);
    struct site_config *config = site_config_new(name);
    size_t size = strlen(content) + sizeof last_text;
    char *whole = malloc(size);
    cfg_t *cfg = NULL;
    bool good = false;
    if (reader != NULL)
        cfg = cfg_init(root_options(reader), CFGF_NONE);
    if (config == NULL || whole == NULL || cfg == NULL) {
        text_add(error, "no memory for a site");
        goto out;
    }
    reader->error = error;
    reader->name = name != NULL ? name : "built-in site";
    reader->line_count = count_lines(content);
    cfg_set_error_function(cfg, on_error);
    snprintf(whole, size, "%s", content);
    blank_comments(whole);
    memcpy(whole + strlen(content), last_text, sizeof last_text);
    bool parsed = cfg_parse_buf(cfg, whole) == CFG_SUCCESS;
    if (parsed && cfg_size(cfg, last_name) == 0)
        text_add(site_file_complain(reader, reader->line_count), "a comment does not end");
    else if (parsed)
        good = site_file_take_options(reader, config, cfg, "", config) &&
               site_file_take_blocks(reader, config, cfg);
    else if (!reader->failed)
        text_add_format(site_file_complain(reader, (unsigned)cfg->line), "not understood");
out:
    if (cfg != NULL)
        cfg_free(cfg);
    if (reader != NULL)
        free(reader->anchor);
    free(reader);
    free(whole);
    if (good)
        return config;
    site_config_free(config);
    return NULL;
}

struct site_config *site_config_read(const char *path, struct text *error)
{
    char *content;
    size_t len;
    int result = file_read(path, SITE_FILE_MAX, &content, &len);
    if (result < 0) {
        text_add_format(error, "%s: %s", path, strerror(-result));
        return NULL;
    }
    struct site_config *config = NULL;
    if (memchr(content, '\0', len) != NULL)
        text_add_format(error, "%s: not a text file: it has an octet of zero", path);
    else
        config = read_site(path, content, error);
    free(content);
    return config;
}

struct site_config *site_config_parse(const char *name, const char *content, struct text *error)
{
    return read_site(name, content, error);
}

struct site_config *site_config_builtin(void)
{
    char complaint[256];
    struct text error = text_of(complaint, sizeof complaint);
    struct site_config *config = read_site(NULL, site_builtin_text, &error);
    if (config == NULL)
        return NULL;
    /* Derived from the link's address, so that --address moves all of it. */
    config->addresses.pool_first = address_any_v4();
    config->addresses.pool_last = address_any_v4();
    memset(config->lines, 0, sizeof config->lines);
    return config;
}

void site_config_free(struct site_config *config)
{
    if (config != NULL)
        web_config_done(&config->web.config);
    free(config);
}
