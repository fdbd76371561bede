/*
 * sqlite.h - the one SQLite of this process
 *
 * In the library and the programs that is SQLCipher, linked. In the loadable
 * extension it is whatever the host brought, reached through the routines that
 * the host hands over. A second SQLite must never be linked beside it.
 */
#ifndef SAT_SRC_BASE_SQLITE_H
#define SAT_SRC_BASE_SQLITE_H

#if defined(SAT_EXTENSION)
#include <sqlcipher/sqlite3ext.h>
extern const sqlite3_api_routines *sqlite3_api;
#else
#include <sqlcipher/sqlite3.h>
#endif

#endif /* SAT_SRC_BASE_SQLITE_H */
