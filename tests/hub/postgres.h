/*
 * postgres.h - a PostgreSQL of the test's own, which ends with it
 */
#ifndef SAT_TESTS_HUB_POSTGRES_H
#define SAT_TESTS_HUB_POSTGRES_H

#include <stddef.h>

/* Starts it where it is not running, and makes a fresh database; its address.
 * Root or not. Fails the test where that does not work. */
void postgres_database(char *address, size_t size);

/* It is killed, and is there again with what it had. */
void postgres_stop(void);
void postgres_start(void);

/* Starts it again, and its files may be so large. */
void postgres_limit(size_t bytes);

/* The same as postgresql://… */
void postgres_url(char *address, size_t size);

#endif /* SAT_TESTS_HUB_POSTGRES_H */
