/*
 * audit.c - satchel audit
 *
 * What happened on this device, in a chain of hashes; and the log of every
 * vault, without what was written: who did what, where, when, and the hash that
 * holds each entry.
 */
#include "cli/commands.h"
#include "cli/list.h"
#include "cli/session.h"
#include "satchel/audit.h"

static const cli_column audit_columns[] = {
    {"timestamp", "TIME"},
    {"vault", "VAULT"},
    {"device", NULL},
    {"by_this_device", "OWN"},
    {"operation", "OPERATION"},
    {"table_name", "TABLE"},
    {"record_id", "KEY"},
    {"version", "VERSION"},
    {"detail", "DETAIL"},
    {"hash", "HASH"},
    {NULL, NULL},
};

/* Going through the vaults. */
typedef struct audit {
    cli_run *cli;
    cli_session *session;
    cli_list *list;
    const char *vault;
    const char *search; /* or NULL */
    uint64_t since_ms;
    char device[2 * SAT_DEVICE_ID_SIZE + 1]; /* this one */
} audit;

static sat_status put_entry(const sat_log_entry *entry, void *context,
                            sat_error *err)
{
    const audit *const self = context;

    if (self->search != NULL &&
        strcasestr(entry->operation, self->search) == NULL &&
        strcasestr(entry->table_name, self->search) == NULL)
        return SAT_OK;
    cli_list_time(self->list, entry->timestamp);
    cli_list_text(self->list, self->vault);
    cli_list_text(self->list, entry->device);
    cli_list_bool(self->list, strcmp(entry->device, self->device) == 0);
    cli_list_text(self->list, entry->operation);
    cli_list_text(self->list, entry->table_name);
    cli_list_raw(self->list, entry->record_id);
    cli_list_integer(self->list, (int64_t)entry->version);
    cli_list_text(self->list, NULL);
    cli_list_text(self->list, entry->hash);
    return sat__buf_status(&self->list->json.text, err);
}

static sat_status put_event(const sat_audit_entry *entry, void *context,
                            sat_error *err)
{
    const audit *const self = context;

    cli_list_time(self->list, entry->time);
    cli_list_text(self->list, NULL);
    cli_list_text(self->list, self->device);
    cli_list_bool(self->list, true);
    cli_list_text(self->list, entry->event);
    cli_list_text(self->list, NULL);
    cli_list_raw(self->list, NULL);
    cli_list_integer(self->list, (int64_t)entry->number);
    cli_list_text(self->list, entry->detail);
    cli_list_text(self->list, entry->hash);
    return sat__buf_status(&self->list->json.text, err);
}

static sat_status audit_vault(const char *name, void *context, sat_error *err)
{
    audit *const self = context;

    self->vault = name;
    TRY(cli_session_enter(self->cli, self->session, name, err));
    return sat_replica_log(self->session->replica, NULL, NULL, self->since_ms,
                           SIZE_MAX, put_entry, self, err);
}

sat_status cli_audit(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    AUTO(cli_list) list = {0};
    audit self = {.cli = cli, .session = &session, .list = &list};

    TRY(cli_moment(cli, "since", &self.since_ms, err));
    TRY(cli_session_unlock(cli, &session, err));
    sat__hex_format(sat_profile_device_id(session.profile), SAT_DEVICE_ID_SIZE,
                    self.device);
    self.search = cli_value(cli, "search");
    cli_list_init(&list, cli, audit_columns);
    list.is_long = true;
    TRY(sat_audit_list(session.profile, self.since_ms, self.search, put_event,
                       &self, err));
    TRY(sat_vault_list(session.profile, audit_vault, &self, err));
    return cli_list_print(&list, "Nothing happened.", err);
}
