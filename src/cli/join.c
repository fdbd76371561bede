/*
 * join.c - satchel join
 */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/json.h"
#include "cli/session.h"
#include "cli/terminal.h"
#include "satchel/peer.h"

/* Completes an address that came without an id by that of whoever answers. */
static sat_status complete_url(const char *url, char out[SAT_PEER_URL_SIZE],
                               sat_error *err)
{
    uint8_t id[SAT_DEVICE_ID_SIZE];
    char text[2 * SAT_DEVICE_ID_SIZE + 1] = "";
    int len;

    if (strchr(url, '#') == NULL) {
        TRY(sat_peer_probe(url, id, err));
        sat__hex_format(id, sizeof id, text);
    }
    len = snprintf(out, SAT_PEER_URL_SIZE, "%s%s%s", url,
                   text[0] != '\0' ? "#" : "", text);
    if (len >= SAT_PEER_URL_SIZE)
        return sat__fail(err, SAT_ERR_LIMIT, "the address is too long");
    return SAT_OK;
}

static void format_fingerprint(const char *url, char out[SAT_FINGERPRINT_SIZE])
{
    const char *const id_text = strchr(url, '#') + 1;
    uint8_t id[SAT_DEVICE_ID_SIZE];

    (void)snprintf(out, SAT_FINGERPRINT_SIZE, "%s", "unreadable");
    if (strlen(id_text) == (size_t)2 * SAT_DEVICE_ID_SIZE &&
        sat__hex_parse(id_text, id, sizeof id, NULL) == SAT_OK)
        sat_device_fingerprint(id, out);
}

static sat_status report(const cli_run *cli, const sat_device *device,
                         const char *own, const char *other, const char *url,
                         sat_error *err)
{
    AUTO(cli_json) json = CLI_JSON_INIT;
    char id[2 * SAT_DEVICE_ID_SIZE + 1];

    sat__hex_format(device->id, sizeof device->id, id);
    if (!cli->json) {
        cli_say(cli, "Joined '%s'. %s", device->name,
                device->is_authorized
                    ? "'satchel sync' brings its vault."
                    : "There, 'satchel device authorize' lets this device in.");
        return cli_flush(err);
    }
    cli_json_open(&json, '{');
    cli_json_put_text(&json, "device_id", id);
    cli_json_put_text(&json, "device_name", device->name);
    cli_json_put_text(&json, "address", url);
    cli_json_put_text(&json, "fingerprint", other);
    cli_json_put_text(&json, "own_fingerprint", own);
    cli_json_put_bool(&json, "authorized", device->is_authorized);
    cli_json_close(&json, '}');
    return cli_json_print(&json, err);
}

sat_status cli_join(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    char url[SAT_PEER_URL_SIZE];
    char own[SAT_FINGERPRINT_SIZE];
    char other[SAT_FINGERPRINT_SIZE];
    sat_device device = {0};

    TRY(cli_session_unlock(cli, &session, err));
    TRY(complete_url(cli->operands[0], url, err));
    sat_device_fingerprint(sat_profile_device_id(session.profile), own);
    format_fingerprint(url, other);
    if (!cli->json)
        (void)printf("this device   %s\nthe other one %s\n", own, other);
    TRY(cli_flush(err));
    if (!cli_confirm(cli, "Is that what the other device shows?")) {
        cli_hint(cli, "compare the fingerprints on both devices; --yes says "
                      "that they are right");
        return sat__fail(err, SAT_ERR_STOPPED, "not joined");
    }
    TRY(sat_peer_join(session.profile, url, &device, err));
    return report(cli, &device, own, other, url, err);
}
