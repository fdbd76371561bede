/*
 * files_test.c - blobs of media files, between devices
 */
#include <stdio.h>

#include "base/cbor.h"
#include "crypto/stream.h"
#include "site.h"
#include "store/blob_part.h"
#include "store/file.h"
#include "store/fs.h"

#define BIG ((size_t)3 * 1024 * 1024 + 17)

typedef struct scene {
    site a, b; /* a serves; b is authorised */
    char url[256], a_files[300], b_files[300];
    line l;
} scene;

static void give_folder(site *s, char path[300])
{
    sat_error err = {0};

    (void)snprintf(path, 300, "%s.files", s->path);
    must(sat__fs_remove_tree(path, &err), &err);
    must(sat__fs_make_folder(path, &err), &err);
    s->peer.db = s->own;
    s->peer.files = path;
}

static void scene_open(scene *s)
{
    sat_error err = {0};

    site_open(&s->a, "a");
    site_open(&s->b, "b");
    give_folder(&s->a, s->a_files);
    give_folder(&s->b, s->b_files);
    must(sat__file_table(s->a.app, NULL, &err), &err);
    must(sat_replica_track(s->a.peer.replica, "satchel_file", &err), &err);
    site_serve(&s->a, s->url);
    site_befriend(&s->b, &s->a, s->url);
    line_open(&s->l, &s->b, s->url);
}

static void scene_close(scene *s)
{
    sat_error err = {0};

    line_close(&s->l);
    site_close(&s->b);
    site_close(&s->a);
    must(sat__fs_remove_tree(s->a_files, &err), &err);
    must(sat__fs_remove_tree(s->b_files, &err), &err);
}

DEFINE_AUTO(scene, scene_close);

/* A file of `size` bytes, sealed into `folder`, with a row at `s`. */
static sat__media add_file(site *s, const char *folder, const char *id,
                           size_t size)
{
    const sat_env *const env = sat_env_system();
    char path[320];
    sat__media media = {.size = 0};
    AUTO(sat_buf) content = SAT_BUF_INIT;
    AUTO(sat_buf) sql = SAT_BUF_INIT;
    sat_error err = {0};
    char key[2 * sizeof media.key.bytes + 1];

    assert_true(sat__buf_reserve(&content, size));
    env->random(env->context, content.data, size);
    content.len = size;
    (void)snprintf(path, sizeof path, "%s.content", s->path);
    must(sat__fs_replace(path, buf_view(&content), &err), &err);
    FILE *const source = fopen(path, "rb");
    assert_non_null(source);
    must(sat__media_seal(env, fileno(source), folder, &media, &err), &err);
    (void)fclose(source);
    (void)unlink(path);
    sat__hex_format(media.key.bytes, sizeof media.key.bytes, key);
    sat__buf_printf(&sql,
                    "INSERT INTO satchel_file VALUES('%s', 'f', %zu, 1, '%s', "
                    "x'%s', zeroblob(32))",
                    id, size, media.blob.text, key);
    site_run(s, sat__buf_text(&sql));
    return media;
}

static void assert_same(const scene *s, const sat__media *media)
{
    sat_error err = {0};

    must(sat__media_unseal(s->a_files, media, -1, &err), &err);
    must(sat__media_unseal(s->b_files, media, -1, &err), &err);
}

static void blobs_follow_their_rows_both_ways(void **state)
{
    AUTO(scene) s = {0};
    uint64_t sent, received;

    (void)state;
    scene_open(&s);
    const sat__media big = add_file(&s.a, s.a_files, "1", BIG);
    const sat__media none = add_file(&s.a, s.a_files, "2", 0);
    (void)site_sync(&s.l);
    assert_same(&s, &big);
    assert_same(&s, &none);
    const sat__media theirs = add_file(&s.b, s.b_files, "3", BIG);
    (void)site_sync(&s.l);
    assert_same(&s, &theirs);
    s.l.transport.count(s.l.transport.self, &sent, &received);
    assert_in_range(sent, BIG, BIG + BIG / 10);
    assert_in_range(received, BIG, BIG + BIG / 10);
}

static void a_blob_that_nobody_has_is_no_error(void **state)
{
    AUTO(scene) s = {0};
    sat_error err = {0};
    char path[400];

    (void)state;
    scene_open(&s);
    const sat__media lost = add_file(&s.a, s.a_files, "1", 1000);
    const sat__media kept = add_file(&s.a, s.a_files, "2", 1000);
    (void)snprintf(path, sizeof path, "%s/%s", s.a_files, lost.blob.text);
    must(sat__fs_remove(path, &err), &err);
    (void)site_sync(&s.l);
    (void)site_sync(&s.l);
    assert_same(&s, &kept);
    assert_false(sat__blob_exists(s.b_files, &lost.blob));
    assert_int_equal(site_get(&s.b, "SELECT count(*) FROM satchel_file"), 2);
}

/* Its name is the hash of what it should be. */
static void a_damaged_blob_is_not_taken(void **state)
{
    AUTO(scene) s = {0};
    char path[400];

    (void)state;
    scene_open(&s);
    const sat__media bad = add_file(&s.a, s.a_files, "1", BIG);
    const sat__media good = add_file(&s.a, s.a_files, "2", 10);
    (void)snprintf(path, sizeof path, "%s/%s", s.a_files, bad.blob.text);
    FILE *const file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, 2000000, SEEK_SET), 0);
    assert_int_equal(fwrite("damage", 1, 6, file), 6);
    (void)fclose(file);
    (void)site_sync(&s.l);
    assert_same(&s, &good);
    assert_false(sat__blob_exists(s.b_files, &bad.blob));
    assert_int_equal(sat__blob_part_size(s.b_files, &bad.blob), 0);
}

typedef struct part {
    const char *folder;
    const sat__blob_name *name;
} part;

/* Stops after the first piece. */
static bool stop_when_part(const sat__peer_report *so_far, void *context)
{
    const part *const coming = context;

    (void)so_far;
    return sat__blob_part_size(coming->folder, coming->name) == 0;
}

static void a_cut_costs_the_piece_under_way(void **state)
{
    AUTO(scene) s = {0};
    sat__peer_report report = {0};
    sat_error err = {0};
    uint64_t sent, before, after;

    (void)state;
    scene_open(&s);
    const sat__media big = add_file(&s.a, s.a_files, "1", BIG);
    part coming = {s.b_files, &big.blob};
    assert_int_equal(
        sat__peer_sync(&s.l.call, stop_when_part, &coming, &report, &err),
        SAT_ERR_STOPPED);
    assert_int_equal(sat__blob_part_size(s.b_files, &big.blob),
                     SAT_PEER_PIECE_MAX);
    s.l.transport.count(s.l.transport.self, &sent, &before);
    (void)site_sync(&s.l);
    s.l.transport.count(s.l.transport.self, &sent, &after);
    assert_same(&s, &big);
    assert_in_range(after - before, BIG - SAT_PEER_PIECE_MAX,
                    BIG - SAT_PEER_PIECE_MAX / 2);
}

static unsigned push_piece(scene *s, const sat__media *media, uint64_t size,
                           uint64_t offset, size_t len)
{
    AUTO(sat__response) response = {0};
    AUTO(sat_buf) body = SAT_BUF_INIT, data = SAT_BUF_INIT;
    uint8_t id[SAT_SHA256_SIZE];
    sat_error err = {0};

    must(sat__hex_parse(media->blob.text, id, sizeof id, &err), &err);
    assert_true(sat__buf_reserve(&data, len));
    memset(data.data, 0x55, len);
    sat__cbor_put_map(&body, 4);
    sat__cbor_put_str(&body, "id");
    sat__cbor_put_bytes(&body, id, sizeof id);
    sat__cbor_put_str(&body, "data");
    sat__cbor_put_bytes(&body, data.data, len);
    sat__cbor_put_str(&body, "size");
    sat__cbor_put_uint(&body, size);
    sat__cbor_put_str(&body, "offset");
    sat__cbor_put_uint(&body, offset);
    const sat_status status = sat__peer_call_send(
        &s->l.call, "POST", "/files/push", "application/cbor", buf_view(&body),
        &response, &err);
    assert_int_equal(status == SAT_OK, response.status == 200);
    return response.status;
}

static void only_what_a_row_needs_is_taken(void **state)
{
    AUTO(scene) s = {0};
    char path[400];
    sat_error err = {0};

    (void)state;
    scene_open(&s);
    const sat__media lost = add_file(&s.a, s.a_files, "1", 1000);
    const uint64_t size = sat__stream_size(1000);
    sat__media other = lost;
    (void)snprintf(path, sizeof path, "%s/%s", s.a_files, lost.blob.text);
    must(sat__fs_remove(path, &err), &err);
    memset(other.blob.text, 'a', sizeof other.blob.text - 1);
    assert_int_equal(push_piece(&s, &other, size, 0, 10), 404);
    assert_int_equal(push_piece(&s, &lost, size + 1, 0, 10), 400);
    assert_int_equal(push_piece(&s, &lost, size, 0, 10), 200);
    assert_int_equal(push_piece(&s, &lost, size, 500, 10), 200);
    assert_int_equal(sat__blob_part_size(s.a_files, &lost.blob), 10);
    assert_int_equal(push_piece(&s, &lost, size, 10, (size_t)size), 200);
    assert_int_equal(sat__blob_part_size(s.a_files, &lost.blob), 10);
    assert_int_equal(push_piece(&s, &lost, size, 10, (size_t)size - 10), 400);
    assert_int_equal(sat__blob_part_size(s.a_files, &lost.blob), 0);
    assert_false(sat__blob_exists(s.a_files, &lost.blob));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blobs_follow_their_rows_both_ways),
        cmocka_unit_test(a_blob_that_nobody_has_is_no_error),
        cmocka_unit_test(a_damaged_blob_is_not_taken),
        cmocka_unit_test(a_cut_costs_the_piece_under_way),
        cmocka_unit_test(only_what_a_row_needs_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
