/*
 * sqltext.c - names, parentheses and terms
 */
#include "sync/sqltext.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

const char *sat__sqltext_name(const char *sql, size_t *len)
{
    while (*sql != 0) {
        if (sql[0] == '-' && sql[1] == '-') {
            sql += strcspn(sql, "\n");
        } else if (sql[0] == '/' && sql[1] == '*') {
            const char *const end = strstr(sql + 2, "*/");
            sql = end != NULL ? end + 2 : sql + strlen(sql);
        } else if (*sql == '\'') {
            const char *const end = strchr(sql + 1, '\'');
            sql = end != NULL ? end + 1 : sql + strlen(sql);
        } else if (*sql == '"' || *sql == '`' || *sql == '[') {
            const char close = *sql == '[' ? ']' : *sql;
            const char *const end = strchr(sql + 1, close);
            *len = end != NULL ? (size_t)(end - sql - 1) : strlen(sql + 1);
            return sql + 1;
        } else if (isalpha((unsigned char)*sql) || *sql == '_' ||
                   (unsigned char)*sql >= 0x80) {
            const char *end = sql;
            while (isalnum((unsigned char)*end) || *end == '_' || *end == '$' ||
                   (unsigned char)*end >= 0x80)
                end++;
            *len = (size_t)(end - sql);
            return sql;
        } else {
            sql++;
        }
    }
    return NULL;
}

const char *sat__sqltext_closing(const char *open)
{
    int depth = 0;

    for (const char *p = open; *p != 0; p++) {
        if (*p == '\'' || *p == '"') {
            const char *const end = strchr(p + 1, *p);
            if (end == NULL)
                return p + strlen(p);
            p = end;
        } else if (*p == '(') {
            depth++;
        } else if (*p == ')' && --depth == 0) {
            return p;
        }
    }
    return open + strlen(open);
}

const char *sat__sqltext_term(sat__arena *arena, const char *sql, int seqno)
{
    const char *open = sql;

    while (*open != 0 && *open != '(') {
        const char close = *open == '[' ? ']' : *open;
        if (*open == '"' || *open == '`' || *open == '[' || *open == '\'')
            open = strchr(open + 1, close);
        if (open == NULL)
            return NULL;
        open++;
    }
    const char *const end = sat__sqltext_closing(open);
    const char *from = open + 1;
    const char *to = from;
    for (int k = 0; to < end; k++, from = to + 1) {
        for (to = from; to < end && *to != ','; to++) {
            if (*to == '(')
                to = sat__sqltext_closing(to);
            else if ((*to == '\'' || *to == '"') && strchr(to + 1, *to) != NULL)
                to = strchr(to + 1, *to);
        }
        if (k == seqno)
            break;
    }
    while (to > from && isspace((unsigned char)to[-1]))
        to--;
    if (to - from > 4 && strncasecmp(to - 4, " ASC", 4) == 0)
        to -= 4;
    if (to - from > 5 && strncasecmp(to - 5, " DESC", 5) == 0)
        to -= 5;
    return to > from ? sat__arena_text(arena, from, (size_t)(to - from)) : NULL;
}
