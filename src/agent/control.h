/*
 * control.h - the folder, the lock and the socket of an agent
 *
 *      PROFILE/agent         mode 0700, of the user
 *      PROFILE/agent/lock    held while an agent runs; says its process id
 *      PROFILE/agent/socket  where it answers; stale when nobody holds the lock
 *
 * Both sides look at who the other is before a word is said.
 */
#ifndef SAT_SRC_AGENT_CONTROL_H
#define SAT_SRC_AGENT_CONTROL_H

#include "base/buf.h"
#include "base/error.h"

#define SAT_CONTROL_LINE_MAX 65536 /* of a question */
#define SAT_CONTROL_ANSWER_MAX ((size_t)4 << 20)

/* Takes the lock, which ends when *lock is closed. SAT_ERR_BUSY: an agent runs.
 * SAT_ERR_DENIED: the folder is not this user's alone. */
SAT_CHECK sat_status sat__control_lock(const char *profile, int *lock,
                                       sat_error *err);

/* Makes the socket, in place of a stale one; to be called with the lock held.
 */
SAT_CHECK sat_status sat__control_listen(const char *profile, int *fd,
                                         sat_error *err);

/* Removes the socket. */
void sat__control_remove(const char *profile);

/* Whether the other end of `fd` is a process of this user. */
bool sat__control_is_ours(int fd);

/* Writes the path of a file in the folder, which is made where it is not there;
 * SAT_ERR_DENIED where it is not this user's alone. */
SAT_CHECK sat_status sat__control_path(const char *profile, const char *name,
                                       char *out, size_t size, sat_error *err);

#endif /* SAT_SRC_AGENT_CONTROL_H */
