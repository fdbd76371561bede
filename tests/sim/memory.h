/*
 * memory.h - memory for SQLite that is quickly had and quickly given back
 *
 * A run takes and gives back memory some hundred thousand times, in one thread.
 * Blocks of one size are kept in a list and come from there again. Under a
 * sanitizer, which wants to see each of them, memory stays what it is.
 */
#ifndef SAT_TESTS_SIM_MEMORY_H
#define SAT_TESTS_SIM_MEMORY_H

/* To be called before SQLite is used. */
void memory_install(void);

#endif /* SAT_TESTS_SIM_MEMORY_H */
