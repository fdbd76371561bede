/*
 * spelling.h - the command that somebody meant
 */
#ifndef SAT_SRC_CLI_SPELLING_H
#define SAT_SRC_CLI_SPELLING_H

/* The name of the command nearest to `word`, or NULL if none is near. */
const char *cli_similar_command(const char *word);

#endif /* SAT_SRC_CLI_SPELLING_H */
