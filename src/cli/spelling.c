/*
 * spelling.c - the command that somebody meant
 *
 * The distance of two words is the number of letters that must be added, left
 * out, replaced, or swapped with their neighbour (optimal string alignment).
 */
#include "cli/spelling.h"

#include "cli/cli.h"

#define WORD_MAX 32 /* what is longer is not compared */

static int least(int a, int b)
{
    return a < b ? a : b;
}

static int distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    int cost[WORD_MAX + 1][WORD_MAX + 1];

    for (size_t i = 0; i <= a_len; i++)
        cost[i][0] = (int)i;
    for (size_t j = 0; j <= b_len; j++)
        cost[0][j] = (int)j;
    for (size_t i = 1; i <= a_len; i++) {
        for (size_t j = 1; j <= b_len; j++) {
            const int differs = a[i - 1] != b[j - 1];
            int best = cost[i - 1][j - 1] + differs;
            best = least(best, cost[i - 1][j] + 1);
            best = least(best, cost[i][j - 1] + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                best = least(best, cost[i - 2][j - 2] + 1);
            cost[i][j] = best;
        }
    }
    return cost[a_len][b_len];
}

const char *cli_similar_command(const char *word)
{
    const size_t len = strlen(word);
    const char *nearest = NULL;
    int nearest_distance = 1 + (len > 4 ? 2 : 1);

    if (len > WORD_MAX)
        return NULL;
    for (const cli_command *at = cli_command_first(); at != NULL;
         at = cli_command_next(at)) {
        const size_t name_len = strlen(at->name);
        const int here = name_len > WORD_MAX
                             ? WORD_MAX
                             : distance(word, len, at->name, name_len);
        if (here < nearest_distance) {
            nearest = at->name;
            nearest_distance = here;
        }
    }
    return nearest;
}
