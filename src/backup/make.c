/*
 * make.c - making a backup
 */
#include <jansson.h>
#include <stdio.h>

#include "backup/copy.h"
#include "backup/maker.h"
#include "backup/schedule.h"
#include "backup/tidy.h"
#include "base/error.h"
#include "store/fs.h"

#define NUMBER_TRIES 3

/* The slot of the phrase, which says whose the backup is. */
static sat_status find_phrase(const sat_profile *profile, sat__keys_entry *out,
                              sat_error *err)
{
    for (size_t i = 0; i < profile->keys.count; i++)
        if (profile->keys.entries[i].slot.kind == SAT_SLOT_PHRASE) {
            *out = profile->keys.entries[i];
            return SAT_OK;
        }
    return sat__fail(err, SAT_ERR_UNSUPPORTED,
                     "the profile has no recovery phrase, so nobody could "
                     "restore a backup of it");
}

static sat_status note_vault(const char *name, void *context, sat_error *err)
{
    sat__manifest *const made = context;
    (void)err;
    (void)snprintf(made->vaults[made->vault_count++].name,
                   SAT_VAULT_NAME_MAX + 1, "%s", name);
    return SAT_OK;
}

/* Deterministic, as far as JSON is. */
static sat_status describe_settings(const sat_profile *profile, sat_buf *out,
                                    sat_error *err)
{
    char path[SAT_PATH_SIZE];
    AUTO(sat_buf) conf = SAT_BUF_INIT;
    TRY(sat__profile_file(profile, "satchel.conf", path, err));
    TRY(sat__fs_read(path, (size_t)1 << 20, &conf, err));
    json_t *const json =
        json_pack("{s:s, s:s%}", "device_name", profile->conf.device_name,
                  "satchel.conf", sat__buf_text(&conf), conf.len);
    char *const text = json == NULL ? NULL : json_dumps(json, JSON_COMPACT);
    json_decref(json);
    if (text != NULL)
        sat__buf_put_text(out, text);
    free(text);
    return sat__buf_status(out, err);
}

/* Everything of the manifest that is known before anything is read. */
static sat_status prepare(sat__maker *job, sat_error *err)
{
    const sat_profile *const profile = job->profile;
    sat__manifest *const made = &job->made;
    made->created = profile->env->wall(profile->env->context);
    made->keys.device = profile->keys.device;
    made->keys.generation = profile->keys.generation;
    made->keys.count = 1;
    memcpy(made->home.device, profile->device_id, sizeof made->home.device);
    (void)snprintf(made->device_name, sizeof made->device_name, "%s",
                   profile->conf.device_name);
    made->secret_key = profile->secrets->secret_key;
    made->vaults = calloc(SAT_VAULTS_MAX, sizeof *made->vaults);
    if (made->vaults == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for a manifest");
    TRY(find_phrase(profile, &made->keys.entries[0], err));
    TRY(sat_vault_list(job->profile, note_vault, made, err));
    return describe_settings(profile, &made->settings, err);
}

/* One more than any that this device made or finds here. */
static sat_status choose_number(sat__maker *job, sat_error *err)
{
    const sat__manifest *const newest =
        sat__shelf_find(&job->shelf, maker_owner(job), 0);
    int64_t highest;
    TRY(sat__backup_state_get(&job->state, SAT_BACKUP_NUMBER, &highest, err));
    job->made.number = (uint64_t)highest + 1;
    if (newest != NULL && newest->number > (uint64_t)highest)
        job->made.number = newest->number + 1;
    return SAT_OK;
}

/* Where somebody reads, the next backup will. */
static sat_status prune(sat__maker *job, sat_error *err)
{
    const unsigned keep =
        job->place.keep != 0 ? job->place.keep : job->options.keep;
    const sat_status st = sat__shelf_prune(&job->place, job->profile->env,
                                           maker_owner(job), keep, err);
    return st == SAT_ERR_BUSY ? SAT_OK : st;
}

static sat_status read_shelf(sat__maker *job, sat_error *err)
{
    sat__shelf_clear(&job->shelf);
    return sat__shelf_read(&job->place, &job->shelf, err);
}

/* Another device may have taken the number meanwhile, where a place is not
 * ours alone. */
static sat_status put_manifest(sat__maker *job, sat_error *err)
{
    const sat_profile *const profile = job->profile;
    for (unsigned tries = 0;; tries++) {
        const sat_status st = sat__manifest_put(
            &job->made, profile->env, &profile->secrets->master,
            profile->secrets->identity, &job->place, err);
        if (st != SAT_ERR_CONFLICT || tries == NUMBER_TRIES)
            return st;
        TRY(read_shelf(job, err));
        TRY(choose_number(job, err));
    }
}

/* The manifest makes a backup of what was sent. */
static sat_status conclude(sat__maker *job, sat_error *err)
{
    sat__manifest *const made = &job->made;
    const size_t before = made->pack_count;
    free(TAKE(made->packs));
    TRY(sat__backup_state_packs(&job->state, &made->packs, &made->pack_count,
                                err));
    if (before == 0 || made->base == 0)
        made->base = made->pack_count;
    TRY(sat__maker_check_size(job, err));
    TRY(sat__shelf_check(&job->place, made, err));
    TRY(put_manifest(job, err));
    TRY(sat__backup_state_finish(&job->state, made, err));
    return prune(job, err);
}

/* ---- where it went ---- */

sat_status sat_backup_place(const sat_profile *profile, char out[SAT_PATH_SIZE],
                            sat_error *err)
{
    char path[SAT_PATH_SIZE];
    AUTO(sat_buf) text = SAT_BUF_INIT;
    TRY(sat__profile_file(profile, "backup/place", path, err));
    TRY(sat__fs_read(path, SAT_PATH_SIZE - 1, &text, err));
    (void)snprintf(out, SAT_PATH_SIZE, "%s", sat__buf_text(&text));
    return SAT_OK;
}

/* A relative path means nothing later; what is called "hub" does. */
static sat_status remember(const sat__maker *job, const char *to,
                           sat_error *err)
{
    char path[SAT_PATH_SIZE];
    AUTO_FREE char *real =
        sat__place_is_hub(to) ? strdup(to) : realpath(to, NULL);
    if (real == NULL)
        return SAT_OK; /* it is there, but can not be looked at */
    TRY(sat__backup_made_set(job->profile, real, job->made.created, err));
    TRY(sat__profile_file(job->profile, "backup/place", path, err));
    return sat__fs_replace(path, bytes_of(real, strlen(real)), err);
}

static void describe(const sat__maker *job, sat_backup *out)
{
    const sat__manifest *const made = &job->made;
    *out = (sat_backup){.version = made->number,
                        .created = made->created,
                        .size = sat__manifest_total(made),
                        .uploaded = job->sender.sent + made->size,
                        .files = made->files,
                        .missing = made->missing,
                        .device = sat_profile_device_name(job->profile),
                        .signer = sat_profile_device_id(job->profile)};
}

static sat_status make(sat__maker *job, const char *to, sat_error *err)
{
    const sat__place_access access = {.env = job->profile->env,
                                      .profile = job->profile};
    TRY(sat__profile_require(job->profile, err));
    TRY(sat__profile_reload(job->profile, err));
    sat__restore_tidy(job->profile->path, -1);
    TRY(prepare(job, err));
    TRY(sat__place_open(to, &access, SAT__PLACE_WRITE, &job->place, err));
    TRY(sat__backup_state_open(job->profile, job->place.id, &job->state, err));
    TRY(read_shelf(job, err));
    TRY(sat__maker_join(job, err));
    TRY(prune(job, err)); /* of one that was interrupted before it did */
    TRY(choose_number(job, err));
    TRY(sat__maker_measure(job, err));
    TRY(sat__maker_send(job, &job->place, &job->state, err));
    return conclude(job, err);
}

static sat_status complete(const sat_backup_options *options,
                           sat_backup_options *out, sat_error *err)
{
    *out = (sat_backup_options)SAT_BACKUP_INIT;
    if (options == NULL)
        return SAT_OK;
    if (options->size > sizeof *out)
        return sat__fail(err, SAT_ERR_VERSION, "options of a newer version");
    memcpy(out, options, options->size);
    if (out->keep == 0)
        return sat__fail(err, SAT_ERR_INVALID, "no backup would be kept");
    return SAT_OK;
}

sat_status sat_backup_make(sat_profile *profile, const char *to,
                           const sat_backup_options *options, sat_backup *out,
                           sat_error *err)
{
    AUTO(sat__maker) job = SAT_MAKER_INIT(profile);
    TRY(complete(options, &job.options, err));
    TRY(make(&job, to, err));
    TRY(remember(&job, to, err));
    if (out != NULL)
        describe(&job, out);
    return SAT_OK;
}

sat_status sat__backup_copy(sat_profile *profile, const char *to,
                            const sat_backup_options *options, sat_error *err)
{
    AUTO(sat__maker) job = SAT_MAKER_INIT(profile);
    TRY(complete(options, &job.options, err));
    TRY(make(&job, to, err));
    return sat__backup_state_remove(profile, job.place.id, &job.state, err);
}
