/*
 * schema.c - the tables of a hub
 *
 * What a hub knows, and no more: accounts by e-mail and public keys, chains and
 * heads as they were signed, items as they were sealed, sizes and times.
 */
#include "hub/storage/storage.h"

const char *const hub_schema[] = {
    "CREATE TABLE IF NOT EXISTS hub_meta("
    " name TEXT PRIMARY KEY, value BIGINT NOT NULL)",

    /* ---- people ---- */
    "CREATE TABLE IF NOT EXISTS accounts("
    " id BYTEA PRIMARY KEY, email TEXT NOT NULL UNIQUE,"
    " created BIGINT NOT NULL, login_key BYTEA NOT NULL,"
    " kdf BIGINT NOT NULL, passes BIGINT NOT NULL, memory BIGINT NOT NULL,"
    " slot BYTEA NOT NULL, phrase_slot BYTEA, links BIGINT NOT NULL,"
    " totp BIGINT NOT NULL DEFAULT 0, totp_secret BYTEA,"
    " totp_step BIGINT NOT NULL DEFAULT 0, lnurl_key BYTEA,"
    " used BIGINT NOT NULL DEFAULT 0)",
    "CREATE TABLE IF NOT EXISTS account_links("
    " account BYTEA NOT NULL, n BIGINT NOT NULL, hash BYTEA NOT NULL,"
    " link BYTEA NOT NULL, PRIMARY KEY(account, n))",
    "CREATE TABLE IF NOT EXISTS devices("
    " account BYTEA NOT NULL, id BYTEA NOT NULL, kind BIGINT NOT NULL,"
    " sign BYTEA NOT NULL, name TEXT NOT NULL, added BIGINT NOT NULL,"
    " removed BIGINT, PRIMARY KEY(account, id))",
    "CREATE INDEX IF NOT EXISTS devices_id ON devices(id)",
    "CREATE INDEX IF NOT EXISTS devices_removed ON devices(removed)"
    " WHERE removed IS NOT NULL",
    "CREATE TABLE IF NOT EXISTS recovery_codes("
    " account BYTEA NOT NULL, hash BYTEA NOT NULL,"
    " PRIMARY KEY(account, hash))",
    "CREATE TABLE IF NOT EXISTS mfa_entries("
    " account BYTEA NOT NULL, id BYTEA NOT NULL, state BIGINT NOT NULL,"
    " created BIGINT NOT NULL, verified BIGINT NOT NULL, used BIGINT NOT NULL,"
    " reported BIGINT NOT NULL, PRIMARY KEY(account, id))",
    "CREATE TABLE IF NOT EXISTS mfa_devices("
    " account BYTEA NOT NULL, entry BYTEA NOT NULL, device BYTEA NOT NULL,"
    " PRIMARY KEY(account, entry, device))",
    "CREATE TABLE IF NOT EXISTS challenges("
    " id BYTEA PRIMARY KEY, account BYTEA, expires BIGINT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS sessions("
    " id BYTEA PRIMARY KEY, account BYTEA NOT NULL, device BYTEA NOT NULL,"
    " sign BYTEA NOT NULL, name TEXT NOT NULL, created BIGINT NOT NULL,"
    " seen BIGINT NOT NULL, refresh BYTEA NOT NULL, former BYTEA,"
    " former_until BIGINT NOT NULL DEFAULT 0, ended BIGINT)",
    "CREATE INDEX IF NOT EXISTS sessions_account ON sessions(account)",
    "CREATE INDEX IF NOT EXISTS sessions_ended ON sessions(ended)"
    " WHERE ended IS NOT NULL",
    "CREATE UNIQUE INDEX IF NOT EXISTS sessions_refresh ON sessions(refresh)",
    "CREATE INDEX IF NOT EXISTS sessions_former ON sessions(former)",
    "CREATE TABLE IF NOT EXISTS lnurl("
    " k1 BYTEA PRIMARY KEY, expires BIGINT NOT NULL, key BYTEA,"
    " used BIGINT NOT NULL DEFAULT 0)",

    /* ---- vaults ---- */
    "CREATE TABLE IF NOT EXISTS vaults("
    " id BYTEA PRIMARY KEY, owner BYTEA NOT NULL, created BIGINT NOT NULL,"
    " updated BIGINT NOT NULL, sequence BIGINT NOT NULL DEFAULT 0,"
    " horizon BIGINT NOT NULL DEFAULT 0, head_sequence BIGINT NOT NULL"
    " DEFAULT 0, head_hash BYTEA, head BYTEA, links BIGINT NOT NULL,"
    " deleted BIGINT)",
    "CREATE TABLE IF NOT EXISTS vault_links("
    " vault BYTEA NOT NULL, n BIGINT NOT NULL, hash BYTEA NOT NULL,"
    " link BYTEA NOT NULL, PRIMARY KEY(vault, n))",
    "CREATE TABLE IF NOT EXISTS members("
    " vault BYTEA NOT NULL, account BYTEA NOT NULL, role BIGINT NOT NULL,"
    " standing BIGINT NOT NULL, link BYTEA NOT NULL,"
    " PRIMARY KEY(vault, account))",
    "CREATE INDEX IF NOT EXISTS members_account ON members(account)",
    "CREATE TABLE IF NOT EXISTS writers("
    " vault BYTEA NOT NULL, id BYTEA NOT NULL, sign BYTEA NOT NULL,"
    " role BIGINT NOT NULL, PRIMARY KEY(vault, id))",
    "CREATE UNIQUE INDEX IF NOT EXISTS vault_links_hash"
    " ON vault_links(vault, hash)",
    "CREATE TABLE IF NOT EXISTS heads("
    " vault BYTEA NOT NULL, sequence BIGINT NOT NULL, head BYTEA NOT NULL,"
    " PRIMARY KEY(vault, sequence))",
    "CREATE TABLE IF NOT EXISTS items("
    " vault BYTEA NOT NULL, id BYTEA NOT NULL, version BIGINT NOT NULL,"
    " sequence BIGINT NOT NULL, epoch BYTEA NOT NULL, device BYTEA NOT NULL,"
    " data BYTEA NOT NULL, deleted BIGINT NOT NULL, updated BIGINT NOT NULL,"
    " PRIMARY KEY(vault, id))",
    "CREATE UNIQUE INDEX IF NOT EXISTS items_sequence"
    " ON items(vault, sequence)",
    "CREATE INDEX IF NOT EXISTS items_deleted ON items(updated)"
    " WHERE deleted = 1",
    "CREATE TABLE IF NOT EXISTS versions("
    " vault BYTEA NOT NULL, id BYTEA NOT NULL, version BIGINT NOT NULL,"
    " sequence BIGINT NOT NULL, epoch BYTEA NOT NULL, device BYTEA NOT NULL,"
    " data BYTEA NOT NULL, deleted BIGINT NOT NULL, updated BIGINT NOT NULL,"
    " PRIMARY KEY(vault, id, version))",
    "CREATE TABLE IF NOT EXISTS pushes("
    " account BYTEA NOT NULL, vault BYTEA NOT NULL, key BYTEA NOT NULL,"
    " hash BYTEA NOT NULL, sequence BIGINT NOT NULL,"
    " head_sequence BIGINT NOT NULL, time BIGINT NOT NULL,"
    " PRIMARY KEY(account, vault, key))",
    "CREATE INDEX IF NOT EXISTS pushes_time ON pushes(time)",
    "CREATE TABLE IF NOT EXISTS parts("
    " account BYTEA NOT NULL, vault BYTEA NOT NULL, key BYTEA NOT NULL,"
    " part BIGINT NOT NULL, hash BYTEA NOT NULL, items BYTEA NOT NULL,"
    " time BIGINT NOT NULL, PRIMARY KEY(account, vault, key, part))",

    /* ---- blobs ---- */
    "CREATE TABLE IF NOT EXISTS blobs("
    " key TEXT PRIMARY KEY, account BYTEA NOT NULL, vault BYTEA,"
    " purpose BIGINT NOT NULL, size BIGINT NOT NULL, hash BYTEA NOT NULL,"
    " created BIGINT NOT NULL, complete BIGINT NOT NULL DEFAULT 0)",
    "CREATE INDEX IF NOT EXISTS blobs_vault ON blobs(vault, hash)",
    "CREATE INDEX IF NOT EXISTS blobs_account ON blobs(account, purpose)",
    "CREATE TABLE IF NOT EXISTS files("
    " vault BYTEA NOT NULL, file BYTEA NOT NULL, part BIGINT NOT NULL,"
    " key TEXT NOT NULL, size BIGINT NOT NULL, created BIGINT NOT NULL,"
    " PRIMARY KEY(vault, file, part))",
    "CREATE TABLE IF NOT EXISTS gone_blobs("
    " key TEXT PRIMARY KEY, due BIGINT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS backups("
    " account BYTEA NOT NULL, version BIGINT NOT NULL, manifest TEXT NOT NULL,"
    " size BIGINT NOT NULL, device BYTEA NOT NULL, created BIGINT NOT NULL,"
    " objects BIGINT NOT NULL, PRIMARY KEY(account, version))",
    "CREATE TABLE IF NOT EXISTS backup_objects("
    " account BYTEA NOT NULL, version BIGINT NOT NULL, n BIGINT NOT NULL,"
    " key TEXT NOT NULL, PRIMARY KEY(account, version, n))",
    "CREATE INDEX IF NOT EXISTS backup_objects_key ON"
    " backup_objects(account, key)",
    "CREATE TABLE IF NOT EXISTS transfers("
    " id BYTEA PRIMARY KEY, account BYTEA NOT NULL,"
    " token BYTEA NOT NULL UNIQUE, blob TEXT NOT NULL, state BIGINT NOT NULL,"
    " claim BYTEA, claim_hash BYTEA, release BYTEA,"
    " expires BIGINT NOT NULL)",

    "CREATE TABLE IF NOT EXISTS endpoints("
    " account BYTEA NOT NULL, device BYTEA NOT NULL, endpoint TEXT NOT NULL,"
    " point BYTEA NOT NULL, auth BYTEA NOT NULL, created BIGINT NOT NULL,"
    " PRIMARY KEY(account, device))",
    "CREATE TABLE IF NOT EXISTS backup_days("
    " account BYTEA PRIMARY KEY, due BIGINT NOT NULL)",
    "CREATE INDEX IF NOT EXISTS backup_days_due ON backup_days(due)",

    /* ---- guarding ---- */
    "CREATE TABLE IF NOT EXISTS rates("
    " name TEXT PRIMARY KEY, since BIGINT NOT NULL, count BIGINT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS audit("
    " account BYTEA NOT NULL, n BIGINT NOT NULL, time BIGINT NOT NULL,"
    " event TEXT NOT NULL, detail TEXT NOT NULL, hash BYTEA NOT NULL,"
    " PRIMARY KEY(account, n))",
    NULL,
};
