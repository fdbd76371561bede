/*
 * pair.c - two devices of one person, with real profiles, and a clock to set
 */
#include "settings/pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

uint64_t pair_now_ms = 1700000000000;

static char templates[64];
static char phrases[2][SAT_PHRASE_SIZE];

static uint64_t show_time(void *context)
{
    (void)context;
    return pair_now_ms;
}

static void give_random(void *context, uint8_t *out, size_t len)
{
    const sat_env *const system = sat_env_system();

    (void)context;
    system->random(system->context, out, len);
}

static const sat_env world = {sizeof(sat_env), show_time, give_random, NULL,
                              NULL};

void must(sat_status status, const sat_error *err)
{
    if (status != SAT_OK)
        fail_msg("%s: %s", sat_status_name(status), err->message);
}

PRINTF_LIKE(1, 2)
static int shell(const char *format, ...)
{
    char command[512];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(command, sizeof command, format, args);
    va_end(args);
    return system(command);
}

int pair_make(void **state)
{
    static const char *const names[] = {"one", "two"};
    char path[96];

    (void)state;
    (void)snprintf(templates, sizeof templates, "/tmp/satchel-pair-XXXXXX");
    if (mkdtemp(templates) == NULL)
        return -1;
    for (int i = 0; i < 2; i++) {
        sat_profile_options options = SAT_PROFILE_INIT;
        sat_profile *profile = NULL;
        options.device_name = names[i];
        (void)snprintf(path, sizeof path, "%s/%s", templates, names[i]);
        if (sat_profile_init(path, &world, &options, "a long password",
                             phrases[i], &profile, NULL) != SAT_OK)
            return -1;
        sat_profile_close(profile);
    }
    return 0;
}

int pair_remove(void **state)
{
    (void)state;
    return shell("rm -rf '%s'", templates);
}

static sat_profile *open_profile(const pair *p, int i)
{
    sat_profile *profile = NULL;
    sat_error err = {0};
    char path[96];

    (void)snprintf(path, sizeof path, "%s/%s", p->folder,
                   i == 0 ? "one" : "two");
    must(sat_profile_open(path, &world, &profile, &err), &err);
    must(sat_profile_unlock_phrase(profile, phrases[i], &err), &err);
    return profile;
}

int pair_setup(void **state)
{
    pair *const p = calloc(1, sizeof *p);

    if (p == NULL)
        return -1;
    pair_now_ms = 1700000000000;
    (void)snprintf(p->folder, sizeof p->folder, "/tmp/satchel-pair-XXXXXX");
    if (mkdtemp(p->folder) == NULL ||
        shell("cp -a '%s/one' '%s/two' '%s'", templates, templates,
              p->folder) != 0)
        return -1;
    p->one = open_profile(p, 0);
    p->two = open_profile(p, 1);
    *state = p;
    return 0;
}

int pair_teardown(void **state)
{
    pair *const p = *state;
    const int removed = shell("rm -rf '%s'", p->folder);

    sat_profile_close(p->one);
    sat_profile_close(p->two);
    free(p);
    return removed;
}

static void pull(sat_profile *to, sat_profile *from)
{
    static const sat__page_limits limits = {1 << 20, 1000};
    AUTO_PTR(sat_replica) target = NULL;
    AUTO_PTR(sat_replica) source = NULL;
    AUTO(sat_buf) base = SAT_BUF_INIT, cursor = SAT_BUF_INIT;
    const uint8_t *const id = sat_profile_device_id(from);
    sat__apply_report report;
    sat_error err = {0};
    bool is_complete = false;

    must(sat_replica_open(to, "account", &target, &err), &err);
    must(sat_replica_open(from, "account", &source, &err), &err);
    must(sat__replica_knowledge(target, &base, &err), &err);
    while (!is_complete) {
        AUTO(sat_buf) page = SAT_BUF_INIT, next = SAT_BUF_INIT;
        must(sat__replica_read(source, buf_view(&base), buf_view(&cursor),
                               &limits, &page, &next, &err),
             &err);
        must(
            sat__replica_stage(target, id, buf_view(&page), &is_complete, &err),
            &err);
        cursor.len = 0;
        sat__buf_put(&cursor, next.data, next.len);
    }
    must(sat__replica_apply(target, id, &report, &err), &err);
}

void pair_sync(pair *p)
{
    pull(p->two, p->one);
    pull(p->one, p->two);
    pull(p->two, p->one);
}

uint64_t pair_conflicts(sat_profile *profile)
{
    AUTO_PTR(sat_replica) replica = NULL;
    sat_error err = {0};
    uint64_t count = 0;

    must(sat_replica_open(profile, "account", &replica, &err), &err);
    must(sat_replica_conflict_count(replica, &count, &err), &err);
    return count;
}
