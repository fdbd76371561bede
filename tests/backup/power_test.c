/*
 * power_test.c - what is on the disk when the power goes
 *
 * The calls that bring something to the disk are this program's own here: they
 * do it, and note when. At the exchange of a restore, and when a manifest gets
 * its name, all that is named must have been brought there after it was last
 * written. So whenever the power goes, there is the old or the new.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "backup/site.h"

#define NOTES_MAX 100000

typedef struct note {
    dev_t device;
    ino_t inode; /* 0: of everything */
    struct timespec when;
} note;

static note notes[NOTES_MAX];
static size_t note_count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of both */
static char exchanged[SAT_PATH_SIZE],
    named[SAT_PATH_SIZE]; /* what to look at */
static unsigned looked_at, not_there;
static size_t notes_before; /* the exchange */

/* What is written from now on is stamped later, to a tick. */
static struct timespec before_call(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return now;
}

static void keep(int fd, bool is_all, struct timespec when)
{
    struct stat info = {.st_ino = 0};
    if (!is_all && fstat(fd, &info) != 0)
        return;
    (void)pthread_mutex_lock(&lock);
    if (note_count < NOTES_MAX)
        notes[note_count++] =
            (note){info.st_dev, is_all ? 0 : info.st_ino, when};
    (void)pthread_mutex_unlock(&lock);
}

int fsync(int fd)
{
    const struct timespec when = before_call();
    const int rc = (int)syscall(SYS_fsync, fd);
    if (rc == 0)
        keep(fd, false, when);
    return rc;
}

int fdatasync(int fd)
{
    const struct timespec when = before_call();
    const int rc = (int)syscall(SYS_fdatasync, fd);
    if (rc == 0)
        keep(fd, false, when);
    return rc;
}

int syncfs(int fd)
{
    const struct timespec when = before_call();
    const int rc = (int)syscall(SYS_syncfs, fd);
    if (rc == 0)
        keep(fd, true, when);
    return rc;
}

static bool is_after(struct timespec a, struct timespec b)
{
    return a.tv_sec > b.tv_sec ||
           (a.tv_sec == b.tv_sec && a.tv_nsec > b.tv_nsec);
}

/* Whether the file, or the list that a folder is, was brought to the disk after
 * it was last written. */
static bool is_on_disk(const struct stat *info)
{
    bool found = false;
    (void)pthread_mutex_lock(&lock);
    for (size_t i = 0; i < note_count && !found; i++)
        found = (notes[i].inode == 0 || (notes[i].inode == info->st_ino &&
                                         notes[i].device == info->st_dev)) &&
                !is_after(info->st_mtim, notes[i].when);
    (void)pthread_mutex_unlock(&lock);
    return found;
}

static void look_at(const char *path)
{
    struct stat info;
    if (lstat(path, &info) != 0 ||
        (!S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)))
        return;
    /* What SQLite shares in memory means nothing afterwards. */
    const size_t len = strlen(path);
    if (len > 4 && strcmp(path + len - 4, "-shm") == 0)
        return;
    looked_at++;
    if (!is_on_disk(&info)) {
        not_there++;
        print_message("not on the disk: %s\n", path);
    }
    DIR *const entries = S_ISDIR(info.st_mode) ? opendir(path) : NULL;
    for (const struct dirent *entry = entries != NULL ? readdir(entries) : NULL;
         entry != NULL; entry = readdir(entries)) {
        char inner[SAT_PATH_SIZE + 300];
        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
        look_at(inner);
    }
    if (entries != NULL)
        (void)closedir(entries);
}

/* A restore exchanges the profiles with this. */
int renameat2(int from_folder, const char *from, int to_folder, const char *to,
              unsigned flags)
{
    if (exchanged[0] != 0 && strcmp(to, exchanged) == 0)
        look_at(from);
    const int rc =
        (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, flags);
    notes_before = note_count;
    return rc;
}

/* A blob gets its name with this. */
int rename(const char *from, const char *to)
{
    if (named[0] != 0 && strncmp(to, named, strlen(named)) == 0 &&
        strstr(to, "/manifests/") != NULL) {
        char packs[SAT_PATH_SIZE + 8];
        look_at(from);
        (void)snprintf(packs, sizeof packs, "%spacks", named);
        look_at(packs);
    }
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

static void row_3_all_is_on_the_disk_before_the_exchange(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    const char *const at = site_place(state, "b");
    const char *const path = site_place(state, "profile");
    site_fill(state, profile);
    (void)site_back_up(profile, at);
    sat_profile_close(TAKE(profile));
    (void)snprintf(exchanged, sizeof exchanged, "%s", path);
    looked_at = not_there = 0;
    assert_int_equal(site_restore(path, at, 0, NULL), SAT_OK);
    assert_true(looked_at > 8); /* keys, settings, databases, files, folders */
    assert_int_equal(not_there, 0);
    /* And the exchange itself. */
    struct stat parent;
    char *const end = strrchr(exchanged, '/');
    *end = 0;
    assert_int_equal(stat(exchanged, &parent), 0);
    bool was_synced = false;
    for (size_t i = notes_before; i < note_count; i++)
        was_synced |= notes[i].inode == parent.st_ino;
    assert_true(was_synced);
    exchanged[0] = 0;
}

static void row_3_a_manifest_names_what_is_on_the_disk(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    const char *const at = site_place(state, "folder/");
    site_fill(state, profile);
    (void)snprintf(named, sizeof named, "%s", at);
    looked_at = not_there = 0;
    (void)site_back_up(profile, at);
    assert_true(looked_at >= 3); /* manifest, packs, their folder */
    assert_int_equal(not_there, 0);
    named[0] = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROFILE_TEST(row_3_all_is_on_the_disk_before_the_exchange),
        PROFILE_TEST(row_3_a_manifest_names_what_is_on_the_disk),
    };

    return cmocka_run_group_tests(tests, fixture_make, fixture_remove);
}
