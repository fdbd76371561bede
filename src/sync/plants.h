/*
 * plants.h - bugs that are planted on purpose
 *
 * The simulation must find them (docs/simulation.md), or it is no test. They
 * are compiled into the simulation's copy of the engine alone, where a run
 * chooses one by its number; everywhere else SAT_PLANT() is the constant 0.
 */
#ifndef SAT_SRC_SYNC_PLANTS_H
#define SAT_SRC_SYNC_PLANTS_H

#if defined(SAT_PLANTS)
extern int sat__planted; /* 0: none */
#define SAT_PLANT(number) (sat__planted == (number))
#else
#define SAT_PLANT(number) 0
#endif

#endif /* SAT_SRC_SYNC_PLANTS_H */
