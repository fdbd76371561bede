/*
 * serve.c - a profile's vault, at an address
 */
#include <stdio.h>

#include "base/error.h"
#include "peer/session.h"

struct sat_peer_server {
    sat__peer_session session;
    sat__tls_context *tls;
    sat__peer_host *host;
    sat__server *server;
    char url[SAT_PEER_URL_SIZE];
};

DEFINE_AUTO_PTR(sat_peer_server, sat_peer_server_stop);

/* Where others reach us: a server that listens on every address of the machine
 * is reached by the machine's name. */
static void describe_url(sat_peer_server *server)
{
    const char *const address = sat__server_address(server->server);
    char id[2 * SAT_DEVICE_ID_SIZE + 1], name[256] = "";

    sat__hex_format(server->session.peer.id, SAT_DEVICE_ID_SIZE, id);
    if (strncmp(address, "0.0.0.0:", 8) == 0 ||
        strncmp(address, "[::]:", 5) == 0)
        (void)gethostname(name, sizeof name - 1);
    if (name[0] == 0)
        (void)snprintf(server->url, sizeof server->url, "https://%s#%s",
                       address, id);
    else
        (void)snprintf(server->url, sizeof server->url, "https://%s%s#%s", name,
                       strrchr(address, ':'), id);
}

sat_status sat_peer_serve(sat_profile *profile, const char *vault,
                          const char *listen, sat_peer_server **out,
                          sat_error *err)
{
    AUTO_PTR(sat_peer_server) server = calloc(1, sizeof *server);

    if (server == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    TRY(sat__peer_session_open(profile, vault, &server->session, err));
    const sat__peer *const peer = &server->session.peer;
    TRY(sat__tls_context_server(peer->identity, &server->tls, err));
    TRY(sat__peer_host_new(peer, &server->host, err));
    const sat__server_options options = {
        .listen = listen,
        .tls = server->tls,
        .handler = sat__peer_host_handler(server->host)};
    TRY(sat__server_start(&options, &server->server, err));
    describe_url(server);
    *out = TAKE(server);
    return SAT_OK;
}

const char *sat_peer_server_url(const sat_peer_server *server)
{
    return server->url;
}

void sat_peer_server_stop(sat_peer_server *server)
{
    if (server == NULL)
        return;
    sat__server_stop(server->server);
    sat__peer_host_free(server->host);
    sat__tls_context_free(server->tls);
    sat__peer_session_close(&server->session);
    free(server);
}
