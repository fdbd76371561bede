/*
 * file_routes.c - media files of vaults, in parts
 *
 * A file is named by the SHA-256 of its whole ciphertext, and comes in parts,
 * one after the other, each a blob of its own. What no row of the vault names
 * any more only a device can know: it says so, together with the head that it
 * has seen, and a file that is younger than a day stays in any case.
 */
#include "hub/blob_routes.h"
#include "hub/handlers.h"
#include "hub/live.h"
#include "hub/vaults.h"

#define ASKED_MAX 500
#define LISTED 500
#define DELETED_MAX 2000 /* parts, of one request */
#define PARTS_MAX 1000000
#define YOUNG_MS ((int64_t)86400000)

typedef struct file_call {
    hub_call *call;
    uint8_t vault[32], file[32];
    hub_blob blob;
    int64_t part, parts; /* parts: how many are here */
    bool is_full, is_found, is_known;
    /* of requests about many */
    sat_bytes *files;
    size_t count;
    int64_t head_sequence, deleted;
    char (*gone)[HUB_BLOB_KEY_SIZE]; /* to be removed from the store */
    size_t gone_count;
} file_call;

/* ---- who may ---- */

static sat_status require_writer(hub_db *db, const file_call *f, sat_error *err)
{
    AUTO(hub_rows) rows = HUB_ROWS_INIT;

    TRY(hub_query(db, &rows, err,
                  "SELECT 1 FROM writers w JOIN members m ON m.vault = w.vault"
                  " WHERE w.vault = $1 AND w.id = $2 AND w.role >= 2"
                  " AND m.account = $3 AND m.standing = 3",
                  "xxx", f->vault, f->call->session.device,
                  f->call->session.account));
    return HUB_NEXT(&rows, err)
               ? SAT_OK
               : sat__fail(err, SAT_ERR_NOT_FOUND, "no such vault");
}

static sat_status count_parts(hub_db *db, const file_call *f,
                              const uint8_t file[32], int64_t *out,
                              sat_error *err)
{
    AUTO(hub_rows) rows = HUB_ROWS_INIT;

    *out = 0;
    TRY(hub_query(db, &rows, err,
                  "SELECT count(*) FROM files WHERE vault = $1 AND file = $2",
                  "xx", f->vault, file));
    if (HUB_NEXT(&rows, err))
        *out = hub_int(&rows, 0);
    return SAT_OK;
}

/* ---- bringing ---- */

static sat_status store_upload(hub_db *db, void *context, sat_error *err)
{
    file_call *const f = context;

    TRY(require_writer(db, f, err));
    return hub_blob_store(db, f->call, &f->blob, f->vault, HUB_BLOB_VAULT,
                          &f->is_full, err);
}

sat_status hub_file_upload(hub_call *call, sat_error *err)
{
    file_call f = {.call = call};

    TRY(hub_path_id(call, f.vault, err));
    TRY(hub_blob_announce(call, f.vault, INT64_MAX, &f.blob, err));
    TRY(hub_write(call, store_upload, &f, err));
    if (f.is_full)
        return hub_refuse(call, 507, "quota", err,
                          "there is no room left for this account");
    return hub_blob_answer_upload(call, &f.blob, err);
}

static sat_status find_own(hub_db *db, void *context, sat_error *err)
{
    file_call *const f = context;
    AUTO(hub_rows) rows = HUB_ROWS_INIT;

    TRY(require_writer(db, f, err));
    TRY(hub_query(db, &rows, err,
                  "SELECT key, size, hash FROM blobs WHERE key = $1"
                  " AND vault = $2 AND account = $3 AND complete = 0",
                  "txx", f->blob.key, f->vault, f->call->session.account));
    f->is_found = HUB_NEXT(&rows, err);
    return f->is_found ? hub_blob_row(&rows, &f->blob, err) : SAT_OK;
}

/* A part that is here already came from another device: ours goes. */
static sat_status keep_part(hub_db *db, void *context, sat_error *err)
{
    file_call *const f = context;

    TRY(require_writer(db, f, err));
    TRY(hub_exec(db, NULL, err, "SELECT 1 FROM vaults WHERE id = $1 " HUB_LOCK,
                 "x", f->vault));
    TRY(count_parts(db, f, f->file, &f->parts, err));
    f->is_known = f->part < f->parts;
    if (f->is_known)
        return hub_blob_forget(db, f->call->hub, f->blob.key, err);
    if (f->part > f->parts)
        return SAT_OK;
    TRY(hub_exec(db, NULL, err, "UPDATE blobs SET complete = 1 WHERE key = $1",
                 "t", f->blob.key));
    TRY(hub_exec(db, NULL, err,
                 "INSERT INTO files(vault, file, part, key, size, created)"
                 " VALUES($1, $2, $3, $4, $5, $6)",
                 "xxitii", f->vault, f->file, f->part, f->blob.key,
                 f->blob.size, (int64_t)hub_now(f->call->hub)));
    f->parts++;
    return SAT_OK;
}

static sat_status read_part(file_call *f, sat_error *err)
{
    TRY(hub_path_id(f->call, f->vault, err));
    TRY(hub_node_fixed(f->call->body, "file", f->file, 32, err));
    return hub_node_int(f->call->body, "part", 0, PARTS_MAX, &f->part, err);
}

sat_status hub_file_complete(hub_call *call, sat_error *err)
{
    file_call f = {.call = call};

    bool is_last = false;

    TRY(read_part(&f, err));
    if (hub_node_find(call->body, "last") != NULL)
        TRY(hub_node_bool(call->body, "last", &is_last, err));
    TRY(hub_blob_read_key(call, "key", f.blob.key, err));
    TRY(hub_read(call, find_own, &f, err));
    if (!f.is_found)
        return sat__fail(err, SAT_ERR_NOT_FOUND, "no such blob");
    TRY(hub_blob_check(call, &f.blob, err));
    TRY(hub_write(call, keep_part, &f, err));
    if (f.is_known)
        hub_blob_remove(call->hub, f.blob.key);
    else if (f.part > f.parts)
        return hub_refuse(call, 409, "parts", err,
                          "part %lld of the file comes next",
                          (long long)f.parts);
    else if (is_last)
        hub_live_file(call->hub->live, f.vault);
    hub_out out = hub_answer(call, 200);
    hub_out_map(&out, 1);
    hub_out_key(&out, "parts");
    hub_out_int(&out, f.parts);
    hub_out_end(&out);
    return SAT_OK;
}

/* ---- fetching ---- */

static sat_status find_part(hub_db *db, void *context, sat_error *err)
{
    file_call *const f = context;
    AUTO(hub_rows) rows = HUB_ROWS_INIT;

    TRY(hub_vault_find(db, &f->call->session, f->vault, 3, err));
    TRY(hub_query(db, &rows, err,
                  "SELECT b.key, b.size, b.hash FROM files f"
                  " JOIN blobs b ON b.key = f.key WHERE f.vault = $1"
                  " AND f.file = $2 AND f.part = $3",
                  "xxi", f->vault, f->file, f->part));
    if (!HUB_NEXT(&rows, err))
        return sat__fail(err, SAT_ERR_NOT_FOUND, "no such part of a file");
    return hub_blob_row(&rows, &f->blob, err);
}

sat_status hub_file_download(hub_call *call, sat_error *err)
{
    file_call f = {.call = call};

    TRY(read_part(&f, err));
    TRY(hub_read(call, find_part, &f, err));
    return hub_blob_answer_download(call, &f.blob, err);
}

/* ---- what there is ---- */

static sat_status read_files(file_call *f, sat_error *err)
{
    TRY(hub_path_id(f->call, f->vault, err));
    TRY(hub_node_list(f->call->body, "files", ASKED_MAX, 32, &f->call->arena,
                      &f->files, &f->count, err));
    for (size_t i = 0; i < f->count; i++)
        if (f->files[i].len != 32)
            return sat__fail(err, SAT_ERR_INVALID,
                             "'files' has SHA-256 hashes of 32 bytes");
    return SAT_OK;
}

static sat_status write_parts(hub_db *db, void *context, sat_error *err)
{
    file_call *const f = context;
    hub_out out = hub_answer(f->call, 200);

    TRY(hub_vault_find(db, &f->call->session, f->vault, 3, err));
    hub_out_map(&out, 1);
    hub_out_key(&out, "parts");
    hub_out_array(&out, f->count);
    for (size_t i = 0; i < f->count; i++) {
        int64_t parts;
        TRY(count_parts(db, f, f->files[i].data, &parts, err));
        hub_out_int(&out, parts);
    }
    hub_out_end(&out);
    hub_out_end(&out);
    return SAT_OK;
}

sat_status hub_file_parts(hub_call *call, sat_error *err)
{
    file_call f = {.call = call};

    TRY(read_files(&f, err));
    return hub_read(call, write_parts, &f, err);
}

static void write_file(const hub_rows *rows, hub_out *out)
{
    const sat_bytes file = hub_bytes(rows, 0);

    hub_out_map(out, 4);
    hub_out_key(out, "file");
    hub_out_id(out, file.data, file.len);
    hub_out_key(out, "size");
    hub_out_int(out, hub_int(rows, 2));
    hub_out_key(out, "parts");
    hub_out_int(out, hub_int(rows, 1));
    hub_out_key(out, "updatedAt");
    hub_out_int(out, hub_int(rows, 3));
    hub_out_end(out);
}

static sat_status write_list(hub_db *db, void *context, sat_error *err)
{
    file_call *const f = context;
    AUTO(hub_rows) rows = HUB_ROWS_INIT;
    AUTO(sat_buf) text = SAT_BUF_INIT;
    hub_out out = hub_answer(f->call, 200);
    hub_out list = {.buf = &text, .is_json = out.is_json, .depth = 2};
    size_t count = 0;

    TRY(hub_vault_find(db, &f->call->session, f->vault, 3, err));
    TRY(hub_query(db, &rows, err,
                  "SELECT file, count(*), CAST(sum(size) AS BIGINT),"
                  " max(created) FROM files WHERE vault = $1 AND file > $2"
                  " GROUP BY file ORDER BY file LIMIT 500",
                  "xx", f->vault, f->file));
    for (; HUB_NEXT(&rows, err); count++)
        write_file(&rows, &list);
    TRY(sat__buf_status(&text, err));
    hub_out_map(&out, 2);
    hub_out_key(&out, "done");
    hub_out_bool(&out, count < LISTED);
    hub_out_key(&out, "files");
    hub_out_list(&out, &text, count);
    hub_out_end(&out);
    return SAT_OK;
}

sat_status hub_file_list(hub_call *call, sat_error *err)
{
    file_call f = {.call = call};

    TRY(hub_path_id(call, f.vault, err));
    if (hub_node_find(call->body, "after") != NULL)
        TRY(hub_node_fixed(call->body, "after", f.file, 32, err));
    return hub_read(call, write_list, &f, err);
}

/* ---- what nobody needs ---- */

static sat_status collect_parts(hub_db *db, file_call *f,
                                const uint8_t file[32], sat_error *err)
{
    AUTO(hub_rows) rows = HUB_ROWS_INIT;
    const size_t before = f->gone_count;

    TRY(hub_query(db, &rows, err,
                  "SELECT key FROM files WHERE vault = $1 AND file = $2"
                  " AND NOT EXISTS (SELECT 1 FROM files o WHERE o.vault = $1"
                  " AND o.file = $2 AND o.created > $3) ORDER BY part DESC",
                  "xxi", f->vault, file,
                  (int64_t)hub_now(f->call->hub) - YOUNG_MS));
    while (f->gone_count < DELETED_MAX && HUB_NEXT(&rows, err))
        (void)snprintf(f->gone[f->gone_count++], HUB_BLOB_KEY_SIZE, "%s",
                       hub_text(&rows, 0));
    hub_rows_clear(&rows);
    for (size_t i = before; i < f->gone_count; i++) {
        TRY(hub_exec(db, NULL, err,
                     "DELETE FROM files WHERE vault = $1 AND file = $2"
                     " AND key = $3",
                     "xxt", f->vault, file, f->gone[i]));
        TRY(hub_blob_forget(db, f->call->hub, f->gone[i], err));
    }
    f->deleted += f->gone_count > before;
    return SAT_OK;
}

static sat_status delete_files(hub_db *db, void *context, sat_error *err)
{
    file_call *const f = context;
    AUTO(hub_rows) rows = HUB_ROWS_INIT;

    f->gone_count = 0;
    f->deleted = 0;
    TRY(require_writer(db, f, err));
    TRY(hub_query(db, &rows, err,
                  "SELECT head_sequence FROM vaults WHERE id = $1 " HUB_LOCK,
                  "x", f->vault));
    f->is_found = HUB_NEXT(&rows, err) && hub_int(&rows, 0) == f->head_sequence;
    hub_rows_clear(&rows);
    for (size_t i = 0; f->is_found && i < f->count; i++)
        TRY(collect_parts(db, f, f->files[i].data, err));
    return SAT_OK;
}

sat_status hub_file_delete(hub_call *call, sat_error *err)
{
    file_call f = {.call = call};

    TRY(read_files(&f, err));
    TRY(hub_node_int(call->body, "head_sequence", 0, INT64_MAX,
                     &f.head_sequence, err));
    f.gone = sat__arena_alloc(&call->arena, DELETED_MAX * sizeof *f.gone);
    if (f.gone == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    TRY(hub_write(call, delete_files, &f, err));
    if (!f.is_found)
        return hub_refuse(call, 409, "head", err,
                          "another head is here: pull first");
    for (size_t i = 0; i < f.gone_count; i++)
        hub_blob_remove(call->hub, f.gone[i]);
    hub_out out = hub_answer(call, 200);
    hub_out_map(&out, 1);
    hub_out_key(&out, "deleted");
    hub_out_int(&out, f.deleted);
    hub_out_end(&out);
    return SAT_OK;
}
