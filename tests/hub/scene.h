/*
 * scene.h - a town of two, where one has a vault, and what they say in JSON
 */
#ifndef SAT_TESTS_HUB_SCENE_H
#define SAT_TESTS_HUB_SCENE_H

#include "town.h"

typedef struct scene {
    town t;
    citizen alice, bob;
    vault v;      /* alice's */
    char hex[65]; /* its id */
} scene;

void scene_open(scene *s);
void scene_close(scene *s);
DEFINE_AUTO(scene, scene_close);

/* Asks with a body of JSON, or none; the status. */
unsigned scene_ask(scene *s, const citizen *who, const char *method,
                   const char *path, const char *body);

/* The same below "/api/vaults/:id". */
unsigned scene_ask_vault(scene *s, const citizen *who, const char *method,
                         const char *rest, const char *body);

/* Sends one link: as the list "links", or under another name by itself. */
unsigned scene_send_link(scene *s, const citizen *who, const char *method,
                         const char *path, const char *key,
                         const sat_buf *link);

/* Links, which are taken into the chain here; the hub is not told. */
void scene_invite(scene *s, sat__vault_op op, sat__vault_role role,
                  sat_buf *link);
void scene_accept(scene *s, sat_buf *link);
void scene_confirm(scene *s, sat_buf *link);
void scene_remove(scene *s, sat_buf *link);

/* Invites, accepts, confirms, as it should be. */
void scene_share(scene *s, sat__vault_role role);

#endif /* SAT_TESTS_HUB_SCENE_H */
