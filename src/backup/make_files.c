/*
 * make_files.c - the media files of a vault that the chain does not have
 */
#include <stdio.h>

#include "backup/maker.h"
#include "base/error.h"
#include "base/sql.h"
#include "store/file.h"
#include "store/media_stream.h"

static sat_status plan_file(const sat__media *media, void *context,
                            sat_error *err)
{
    sat__maker *const job = context;
    sat__todo todo = {
        .size = media->size, .blob = media->blob, .key = media->key};
    uint64_t done;
    bool is_there;
    if (!sat__blob_exists(job->folder, &media->blob)) {
        job->made.missing++;
        return SAT_OK;
    }
    job->made.files++;
    job->made.content += media->size;
    job->sender.total += media->size;
    TRY(sat__backup_state_blob(&job->state, job->made.vaults[job->vault].name,
                               &media->blob, &done, &is_there, err));
    job->sender.done += done;
    if (is_there && done == media->size)
        return SAT_OK;
    memcpy(todo.content, media->content, sizeof todo.content);
    const sat_status st = sat__backup_state_plan(&job->state, &todo, err);
    sat__file_key_wipe(&todo.key);
    return st;
}

sat_status sat__maker_plan_files(sat__maker *job, sqlite3 *db, sat_error *err)
{
    AUTO(sat__sql_transaction) change = {NULL, false};
    TRY(sat__sql_begin(job->state.db, &change, err));
    TRY(sat__backup_state_unplan(&job->state, err));
    TRY(sat__file_each(db, plan_file, job, err));
    return sat__sql_commit(&change, err);
}

/* The frame of pieces that is being filled. */
typedef struct filling {
    sat__maker *job;
    sat__send_job *frame; /* NULL: none is begun */
} filling;

static void give_pieces(filling *in)
{
    if (in->frame != NULL)
        sat__sender_give(&in->job->sender);
    in->frame = NULL;
}

/* Room for content in the frame, a new one where there is next to none. */
static sat_status make_room(filling *in, const char *vault, uint64_t wanted,
                            size_t *room, sat_error *err)
{
    if (in->frame != NULL) {
        *room = sat__frame_room(in->frame->len, vault);
        if (*room >= wanted || *room >= SAT_STREAM_CHUNK)
            return SAT_OK;
        give_pieces(in);
    }
    TRY(sat__sender_job(&in->job->sender, &in->frame, err));
    *room = sat__frame_room(0, vault);
    return SAT_OK;
}

static void put_piece(filling *in, const sat__file_piece *piece)
{
    sat__send_job *const frame = in->frame;
    const sat__pack_blob note = {.vault = in->job->vault,
                                 .blob = piece->blob,
                                 .done = piece->offset + piece->bytes.len};
    frame->len = sat__frame_put_piece(frame->frame, frame->len, piece);
    sat__buf_put(&frame->record.blobs, &note, sizeof note);
}

/* Reads content from `piece->offset` on, at most `room` bytes of it. */
static sat_status read_content(sat__media_reader *reader,
                               const sat__file_piece *piece, size_t room,
                               sat_buf *out, sat_error *err)
{
    const size_t skip = (size_t)(piece->offset % SAT_STREAM_CHUNK);
    uint64_t index = piece->offset / SAT_STREAM_CHUNK;
    out->len = 0;
    do
        TRY(sat__media_chunk(reader, index++, out, err));
    while (out->len < skip + room && index * SAT_STREAM_CHUNK < piece->size);
    const size_t there = out->len - skip;
    out->len = skip + (there < room ? there : room);
    return SAT_OK;
}

static sat_status send_pieces(filling *in, sat__media_reader *reader,
                              sat__file_piece *piece, sat_buf *content,
                              sat_error *err)
{
    size_t room;
    do {
        const size_t skip = (size_t)(piece->offset % SAT_STREAM_CHUNK);
        TRY(make_room(in, piece->vault, piece->size - piece->offset, &room,
                      err));
        TRY(read_content(reader, piece, room, content, err));
        piece->bytes = bytes_of(content->data + skip, content->len - skip);
        put_piece(in, piece);
        piece->offset += piece->bytes.len;
    } while (piece->offset < piece->size);
    return SAT_OK;
}

/* A file that went, or is damaged on this device, is missing in the backup. */
static sat_status send_file(filling *in, const sat__todo *todo,
                            sat_buf *content, sat_error *err)
{
    sat__maker *const job = in->job;
    const char *const vault = job->made.vaults[job->vault].name;
    AUTO(sat__media_reader) reader = SAT_MEDIA_READER_INIT;
    sat__file_piece piece = {
        .blob = todo->blob, .size = todo->size, .key = todo->key};
    bool is_there;
    (void)snprintf(piece.vault, sizeof piece.vault, "%s", vault);
    memcpy(piece.content, todo->content, sizeof piece.content);
    TRY(sat__backup_state_blob(&job->state, vault, &todo->blob, &piece.offset,
                               &is_there, err));
    sat_status st = sat__media_open(&reader, job->folder, &todo->blob,
                                    &todo->key, todo->size, err);
    memcpy(piece.header, reader.header, sizeof piece.header);
    if (st == SAT_OK)
        st = send_pieces(in, &reader, &piece, content, err);
    sat__file_key_wipe(&piece.key);
    if (st != SAT_ERR_NOT_FOUND && st != SAT_ERR_CORRUPT)
        return st;
    job->made.missing++;
    job->made.files--;
    return SAT_OK;
}

sat_status sat__maker_send_files(sat__maker *job, sat_error *err)
{
    filling in = {.job = job};
    AUTO(sat_buf) content = SAT_BUF_INIT;
    sat__todo todo = {.id = 0};
    bool found = true;
    while (found) {
        TRY(sat__backup_state_next(&job->state, todo.id, &todo, &found, err));
        if (found)
            TRY(send_file(&in, &todo, &content, err));
    }
    sat__file_key_wipe(&todo.key);
    give_pieces(&in);
    TRY(sat__sender_drain(&job->sender, err));
    return sat__backup_state_unplan(&job->state, err);
}
