/*
 * count.h - how often what the simulation is about really happened
 *
 * A check of what never occurs is none. Everything that is said to occur is
 * counted where it does, over all runs of the program.
 */
#ifndef SAT_TESTS_SIM_COUNT_H
#define SAT_TESTS_SIM_COUNT_H

#include <stdint.h>

#define SIM_COUNTS(X)                                                          \
    X(TRANSACTION, "transactions of apps")                                     \
    X(ROLLED_BACK, "of them rolled back, or refused by a constraint")          \
    X(REQUEST, "requests sent")                                                \
    X(REPLY, "replies sent")                                                   \
    X(REQUEST_CUT, "requests on a link that was cut")                          \
    X(REPLY_CUT, "replies on a link that was cut")                             \
    X(ONE_WAY, "of them on a link cut in that direction alone")                \
    X(REQUEST_LOST, "requests lost")                                           \
    X(REPLY_LOST, "replies lost")                                              \
    X(DOUBLED, "messages doubled")                                             \
    X(OVERTAKEN, "messages that a later one overtook")                         \
    X(REFUSED, "pages that came late, twice or out of order")                  \
    X(MIDDLE_PAGE, "pages that were not their pull's last")                    \
    X(APPLIED, "pulls applied")                                                \
    X(CLOCK_DAY, "clocks that jumped a day ahead or back")                     \
    X(CLOCK_BACK, "clocks that went back")                                     \
    X(CRASH, "power cuts amid a write")                                        \
    X(SECTOR_LOST, "unsynced sectors lost")                                    \
    X(SECTOR_TORN, "sectors torn")                                             \
    X(DISK_FULL, "writes refused by a full disk")                              \
    X(DISK_ERROR, "writes that failed halfway")                                \
    X(UNSURE, "commits of which only the tables could tell")                   \
    X(UNDONE, "of them undone by the power cut")                               \
    X(ADDED, "changes of a counter that add up")                               \
    X(UPGRADED, "devices that took the later schema")                          \
    X(FORGOTTEN, "deletions forgotten")                                        \
    X(BEHIND, "pulls by who had missed deletions that were")                   \
    X(RESTART, "restarts")                                                     \
    X(RESTORED, "disks restored from a copy")                                  \
    X(COPIED, "devices that went on from another's disk")                      \
    X(BLANK, "devices that came blank")                                        \
    X(ENCRYPTED, "runs on encrypted disks")                                    \
    X(CONFLICT, "open conflicts compared")                                     \
    X(RESOLVED, "conflicts decided by people")                                 \
    X(RESOLVED_ALL, "times that all conflicts were decided at once")           \
    X(STRATEGY, "strategies set")                                              \
    X(AUTOMATIC, "conflicts decided by a strategy")                            \
    X(HUB_CALL, "calls of a hub")                                              \
    X(HUB_LOST, "of them lost, or their answers")                              \
    X(HUB_PULLED, "pulls from a hub that brought something")                   \
    X(HUB_PUSHED, "pushes to a hub")                                           \
    X(HUB_LATE, "pushes that came after another's")                            \
    X(HUB_HEAD, "heads of a hub that peers named to each other")               \
    X(HUB_SPLIT, "times that a hub began to show two histories")               \
    X(HUB_LIE, "answers in which a hub lied")                                  \
    X(HUB_OLD_VERSION, "of them with an item as it was")                       \
    X(HUB_WITHHELD, "of them without an item")                                 \
    X(HUB_SWAPPED, "of them with two items swapped")                           \
    X(HUB_ALTERED, "of them with a bit changed")                               \
    X(HUB_OLD_STATE, "of them with the vault as it was")                       \
    X(HUB_NOTICED, "lies that a device noticed")                               \
    X(COMPARED, "tables compared with the reference")

enum sim_counter {
#define X(name, text) COUNT_##name,
    SIM_COUNTS(X)
#undef X
        COUNT_COUNT
};

extern uint64_t sim_counts[COUNT_COUNT];

static inline void sim_count(enum sim_counter what)
{
    sim_counts[what]++;
}

/* Prints them all. */
void sim_counts_print(void);

#endif /* SAT_TESTS_SIM_COUNT_H */
