/*
 * commands.h - the tables of commands, one a group, and what they run
 */
#ifndef SAT_SRC_CLI_COMMANDS_H
#define SAT_SRC_CLI_COMMANDS_H

#include "cli/cli.h"

/* Each ends with a row that names the next one. */
extern const cli_command cli_device_commands[];
extern const cli_command cli_peers_commands[];
extern const cli_command cli_hub_commands[];
extern const cli_command cli_settings_commands[];
extern const cli_command cli_backup_commands[];
extern const cli_command cli_agent_commands[];

/* Options of several commands. */
#define YES                                                                    \
    {                                                                          \
        "yes", NULL, "do not ask whether it is meant"                          \
    }

#define PHRASE_FILE                                                            \
    {                                                                          \
        "phrase-file", "FILE",                                                 \
            "read the recovery phrase from the first line of FILE"             \
    }

typedef sat_status cli_command_fn(cli_run *cli, sat_error *err);

cli_command_fn cli_agent;
cli_command_fn cli_account_login;
cli_command_fn cli_account_logout;
cli_command_fn cli_account_mfa;
cli_command_fn cli_account_register;
cli_command_fn cli_account_sessions;
cli_command_fn cli_account_show;
cli_command_fn cli_audit;
cli_command_fn cli_backup_delete;
cli_command_fn cli_backup_disable;
cli_command_fn cli_backup_enable;
cli_command_fn cli_backup_export;
cli_command_fn cli_backup_import;
cli_command_fn cli_backup_list;
cli_command_fn cli_backup_now;
cli_command_fn cli_backup_pushed;
cli_command_fn cli_backup_restore;
cli_command_fn cli_backup_settings;
cli_command_fn cli_backup_trigger;
cli_command_fn cli_transfer_cancel;
cli_command_fn cli_transfer_receive;
cli_command_fn cli_transfer_send;
cli_command_fn cli_transfer_status;
cli_command_fn cli_backup_verify;
cli_command_fn cli_conflicts_ignore;
cli_command_fn cli_conflicts_list;
cli_command_fn cli_conflicts_resolve;
cli_command_fn cli_conflicts_show;
cli_command_fn cli_device_authorize;
cli_command_fn cli_device_list;
cli_command_fn cli_device_rename;
cli_command_fn cli_device_renew;
cli_command_fn cli_device_revoke;
cli_command_fn cli_device_show;
cli_command_fn cli_doctor;
cli_command_fn cli_files_add;
cli_command_fn cli_files_get;
cli_command_fn cli_files_list;
cli_command_fn cli_files_remove;
cli_command_fn cli_files_verify;
cli_command_fn cli_help;
cli_command_fn cli_history;
cli_command_fn cli_init;
cli_command_fn cli_item_delete;
cli_command_fn cli_item_get;
cli_command_fn cli_item_history;
cli_command_fn cli_item_list;
cli_command_fn cli_item_put;
cli_command_fn cli_item_restore;
cli_command_fn cli_join;
cli_command_fn cli_lock;
cli_command_fn cli_log;
cli_command_fn cli_mfa_add;
cli_command_fn cli_mfa_backup_codes;
cli_command_fn cli_mfa_code;
cli_command_fn cli_mfa_disable;
cli_command_fn cli_mfa_enable;
cli_command_fn cli_mfa_export;
cli_command_fn cli_mfa_list;
cli_command_fn cli_mfa_remove;
cli_command_fn cli_mfa_verify;
cli_command_fn cli_password;
cli_command_fn cli_phrase_check;
cli_command_fn cli_revert;
cli_command_fn cli_serve;
cli_command_fn cli_settings_get;
cli_command_fn cli_settings_import;
cli_command_fn cli_settings_list;
cli_command_fn cli_settings_set;
cli_command_fn cli_settings_unset;
cli_command_fn cli_settings_watch;
cli_command_fn cli_share_accept;
cli_command_fn cli_share_confirm;
cli_command_fn cli_share_invite;
cli_command_fn cli_share_list;
cli_command_fn cli_share_revoke;
cli_command_fn cli_share_role;
cli_command_fn cli_sql;
cli_command_fn cli_status;
cli_command_fn cli_strategy;
cli_command_fn cli_sync;
cli_command_fn cli_track;
cli_command_fn cli_ui;
cli_command_fn cli_unlock;
cli_command_fn cli_untrack;
cli_command_fn cli_vault_create;
cli_command_fn cli_vault_delete;
cli_command_fn cli_vault_export;
cli_command_fn cli_vault_import;
cli_command_fn cli_vault_key;
cli_command_fn cli_vault_list;
cli_command_fn cli_vault_rename;

#endif /* SAT_SRC_CLI_COMMANDS_H */
