/*
 * simulate.c - runs seeds of the simulation
 *
 *      satchel-simulate [-t] [-r] [-v] [-x] [-d FOLDER] [-p BUG] FIRST[-LAST]
 *
 * Prints the seeds that fail, each with what went wrong, and exits with 1 if
 * any did. -t tells what happens in each run; -r runs every seed twice, the
 * second time with nothing left open by the runs before, and compares what
 * happened; -v counts how often what is said to
 * happen did; -d leaves the databases of a failed run in FOLDER; -p
 * plants bug N (plants.h).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "sim/count.h"
#include "sim/memory.h"
#include "sim/world.h"
#include "sync/plants.h"

int sat__planted;

typedef struct settings {
    uint64_t first, last;
    bool is_talkative;
    bool runs_twice;
    bool wants_failure;
    bool counts;
    const char *dump_folder;
} settings;

static int misused(void)
{
    (void)fprintf(stderr, "usage: satchel-simulate [-t] [-r] [-v] [-x] [-d "
                          "FOLDER] [-p BUG] FIRST[-LAST]\n");
    return 2;
}

static bool parse_seeds(const char *text, settings *out)
{
    char *end;

    out->first = out->last = strtoull(text, &end, 10);
    if (end == text)
        return false;
    if (*end == '-') {
        text = end + 1;
        out->last = strtoull(text, &end, 10);
    }
    return *end == 0 && out->first <= out->last;
}

static bool run_seed(sim_world *world, uint64_t seed, const settings *how,
                     uint64_t *events)
{
    sim_result result;
    sim_result again;
    const world_mode mode = {.is_talkative = how->is_talkative};
    const world_mode cold = {.is_cold = true};
    bool kept = world_run(world, seed, &mode, &result);

    *events += result.events;
    if (!kept)
        (void)printf("seed %" PRIu64 " failed: %s\n", seed, result.why);
    if (how->is_talkative)
        (void)printf("seed %" PRIu64 ": hash %016" PRIx64 "\n", seed,
                     result.hash);
    if (how->runs_twice && (world_run(world, seed, &cold, &again) != kept ||
                            again.hash != result.hash)) {
        (void)printf("seed %" PRIu64 " went differently the second time\n",
                     seed);
        kept = false;
    }
    (void)fflush(stdout);
    return kept;
}

static int run(const settings *how)
{
    sim_world *const world = world_new();
    const clock_t begun = clock();
    uint64_t failed = 0;
    uint64_t events = 0;

    world_dump_into(world, how->dump_folder);
    uint64_t seed = how->first;
    for (; seed <= how->last && !(how->wants_failure && failed > 0); seed++)
        failed += !run_seed(world, seed, how, &events);
    world_free(world);
    const double seconds = (double)(clock() - begun) / CLOCKS_PER_SEC;
    const double count = (double)(seed - how->first);
    (void)printf("%.0f seeds, %" PRIu64 " failed, %" PRIu64
                 " events, %.1f s of one core, %.0f seeds/s\n",
                 count, failed, events, seconds, count / seconds);
    if (how->counts)
        sim_counts_print();
    return how->wants_failure ? failed == 0 : failed > 0;
}

int main(int argc, char **argv)
{
    settings how = {0};

    for (int option; (option = getopt(argc, argv, "trvxd:p:")) != -1;) {
        switch (option) {
        case 't':
            how.is_talkative = true;
            break;
        case 'r':
            how.runs_twice = true;
            break;
        case 'v':
            how.counts = true;
            break;
        case 'x':
            how.wants_failure = true;
            break;
        case 'p':
            sat__planted = atoi(optarg);
            break;
        case 'd':
            how.dump_folder = optarg;
            break;
        default:
            return misused();
        }
    }
    /* One thread, and much memory that comes and goes. */
    (void)sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    memory_install();
    if (optind + 1 != argc || !parse_seeds(argv[optind], &how))
        return misused();
    return run(&how);
}
