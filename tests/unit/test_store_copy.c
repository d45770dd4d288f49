/* Copying and comparing collections of more files than are held at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store_model.h"

#include "scry/copy.h"
#include "store/side_by_side.h"

enum { MANY = 20000, BATCH = 2000 };

typedef struct {
    char folder[64], here_path[96], there_path[96];
    scry_store *here, *there;
    scry_root root;
} pair;

#define OK(call) assert_ok((call), &err, #call, __LINE__)

static void assert_ok(int result, const scry_error *err, const char *call, int line)
{
    if (result < 0)
        fail_msg("line %d: %s: %s", line, call, err->message);
}

static scry_store *open_store(const char *where)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_store *s;
    scry_store_options o = SCRY_STORE_OPTIONS_INIT;
    o.mode = SCRY_STORE_CREATE;
    o.model_identity = "0123456789abcdef";
    o.model_name = "toy";
    o.precision = "fp32";
    o.dim = MODEL_DIM;
    OK(scry_store_open(&s, where, &o, &err));
    return s;
}

static void put_files(scry_store *s, const scry_root *root, int first, int count, int shift)
{
    static scry_put puts[BATCH];
    static float vectors[BATCH][MODEL_DIM];
    static model_file files[BATCH];
    scry_error err = SCRY_ERROR_INIT;
    for (int at = 0; at < count; at += BATCH) {
        int n = count - at < BATCH ? count - at : BATCH;
        for (int i = 0; i < n; i++) {
            model_file *f = &files[i];
            *f = (model_file){ .content = first + at + i, .size = 5 + (first + at + i) % 100 };
            memcpy(f->root, root->id, SCRY_ID_BYTES);
            snprintf(f->relative, sizeof f->relative, "f%d.jpg", first + at + i);
            model_vector(f->content + shift, vectors[i], MODEL_DIM);
            puts[i] = (scry_put){ .file = model_to_file(f), .vector = vectors[i] };
        }
        OK(scry_store_put(s, puts, (size_t)n, &err));
    }
}

static int open_pair(void **state)
{
    pair *p = calloc(1, sizeof *p);
    scry_error err = SCRY_ERROR_INIT;
    make_fast_scratch(p->folder);
    snprintf(p->here_path, sizeof p->here_path, "%s/here", p->folder);
    snprintf(p->there_path, sizeof p->there_path, "%s/there", p->folder);
    p->here = open_store(p->here_path);
    p->there = open_store(p->there_path);
    OK(scry_store_add_root(p->here, "/pictures", &p->root, &err));
    *state = p;
    return 0;
}

static int close_pair(void **state)
{
    pair *p = *state;
    scry_store_close(p->here, NULL);
    scry_store_close(p->there, NULL);
    remove_tree(p->folder);
    free(p);
    return 0;
}

static void remember_last(void *arg, const char *text)
{
    snprintf(arg, 256, "%s", text);
}

static scry_compare_report compare(pair *p, char last[256])
{
    scry_error err = SCRY_ERROR_INIT;
    scry_compare_report r;
    last[0] = '\0';
    OK(scry_store_compare(p->here, p->there, remember_last, last, NULL, &r, &err));
    return r;
}

static void many_files_are_copied_and_equal(void **state)
{
    pair *p = *state;
    scry_error err = SCRY_ERROR_INIT;
    scry_copy_progress done;
    char last[256];
    put_files(p->here, &p->root, 0, MANY, 0);
    OK(scry_store_put_bad(p->here, p->root.id, "torn/x.jpg", 7, 8, "torn", &err));
    OK(scry_store_copy(p->here, p->there, NULL, &done, &err));
    assert_int_equal(done.total, MANY);
    assert_int_equal(done.done, MANY);
    assert_int_equal(done.copied, MANY);
    assert_int_equal(done.skipped, 1);
    scry_file_state bad;
    OK(scry_store_file_state(p->there, p->root.id, "torn/x.jpg", &bad, &err));
    assert_true(bad.bad && bad.size == 7 && bad.mtime_ns == 8);
    scry_compare_report r = compare(p, last);
    assert_int_equal(r.files, MANY);
    assert_int_equal(r.only_here + r.only_there + r.different, 0);
    OK(scry_store_copy(p->here, p->there, NULL, &done, &err));
    assert_int_equal(done.done, MANY);
    assert_int_equal(done.copied, 0);
}

static void put_text(scry_store *s, int content, const char *text)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_text_line line = { .text = text, .confidence = 0.5f };
    scry_picture_text t = { .reader = "r", .lines = &line, .line_count = 1 };
    model_hash(content, t.content);
    OK(scry_store_put_texts(s, &t, 1, &err));
}

static void texts_are_compared(void **state)
{
    pair *p = *state;
    scry_error err = SCRY_ERROR_INIT;
    scry_copy_progress done;
    char last[256];
    put_files(p->here, &p->root, 0, 30, 0);
    OK(scry_store_copy(p->here, p->there, NULL, &done, &err));
    put_text(p->here, 7, "here");
    scry_compare_report r = compare(p, last);
    assert_int_equal(r.texts, 1);
    assert_int_equal(r.files, 30);
    assert_non_null(strstr(last, ": text in the picture only here"));
    put_text(p->there, 7, "there");
    r = compare(p, last);
    assert_int_equal(r.texts, 1);
    assert_non_null(strstr(last, ": different text in the picture"));
    OK(scry_store_copy(p->here, p->there, NULL, &done, &err));
    assert_int_equal(compare(p, last).texts, 0);
    put_text(p->there, 9, "there");
    r = compare(p, last);
    assert_int_equal(r.texts, 1);
    assert_non_null(strstr(last, ": text in the picture only there"));
    put_files(p->here, &p->root, 30, 1, 0);   /* whose content the other has not: the file is the difference */
    put_text(p->here, 30, "new");
    r = compare(p, last);
    assert_int_equal(r.texts, 1);
    assert_int_equal(r.only_here, 1);
}

static void what_is_missing_is_told_and_made_up_for(void **state)
{
    pair *p = *state;
    scry_error err = SCRY_ERROR_INIT;
    scry_copy_progress done;
    char last[256];
    put_files(p->here, &p->root, 0, 1000, 0);
    OK(scry_store_copy(p->here, p->there, NULL, &done, &err));
    put_files(p->here, &p->root, 1000, MANY - 1000, 0);
    put_files(p->there, &p->root, MANY, 1, 0);
    scry_compare_report r = compare(p, last);
    assert_int_equal(r.files, 1000);
    assert_int_equal(r.only_here, MANY - 1000);
    assert_int_equal(r.only_there, 1);
    OK(scry_store_copy(p->here, p->there, NULL, &done, &err));
    assert_int_equal(done.copied, MANY - 1000);
    r = compare(p, last);
    assert_int_equal(r.files, MANY);
    assert_string_equal(last, "/pictures/f20000.jpg: only there");
}

static void another_vector_is_a_difference(void **state)
{
    pair *p = *state;
    scry_error err = SCRY_ERROR_INIT;
    char last[256];
    put_files(p->here, &p->root, 0, 50, 0);
    OK(scry_store_put_root(p->there, &p->root, &err));
    put_files(p->there, &p->root, 0, 49, 0);
    put_files(p->there, &p->root, 49, 1, 1);
    scry_compare_report r = compare(p, last);
    assert_int_equal(r.different, 1);
    assert_string_equal(last, "/pictures/f49.jpg: different vector");
}

/* As after damage: the copy has other numbers under the same content, which two files share. */
static void another_vector_is_repaired(void **state)
{
    pair *p = *state;
    scry_error err = SCRY_ERROR_INIT;
    scry_copy_progress done;
    char last[256];
    model_file twin = { .content = 49, .relative = "twin.jpg", .size = 7 };
    memcpy(twin.root, p->root.id, SCRY_ID_BYTES);
    scry_put put = { .file = model_to_file(&twin) };
    OK(scry_store_put_root(p->there, &p->root, &err));
    put_files(p->here, &p->root, 0, 100, 0);
    put_files(p->there, &p->root, 0, 48, 0);
    put_files(p->there, &p->root, 48, 2, 3);
    OK(scry_store_put(p->here, &put, 1, &err));
    OK(scry_store_put(p->there, &put, 1, &err));
    assert_int_equal(compare(p, last).different, 3);
    OK(scry_store_copy(p->here, p->there, NULL, &done, &err));
    assert_int_equal(done.done, 101);
    assert_int_equal(done.there, 48);
    assert_int_equal(done.copied, 53);
    scry_compare_report r = compare(p, last);
    assert_int_equal(r.files, 101);
    assert_int_equal(r.only_here + r.only_there + r.different, 0);
}

static void nothing_is_there_in_an_empty_one(void **state)
{
    pair *p = *state;
    scry_error err = SCRY_ERROR_INIT;
    scry_copy_progress done;
    scry_root around = { .path = "/pictures/below" };
    memset(around.id, 7, SCRY_ID_BYTES);
    put_files(p->here, &p->root, 0, 10, 0);
    OK(scry_store_put_root(p->there, &around, &err));
    assert_int_equal(scry_store_copy(p->here, p->there, NULL, &done, &err), SCRY_EINVALID);   /* it overlaps */
    assert_int_equal(done.there, 0);
}

static void roots_are_compared(void **state)
{
    pair *p = *state;
    scry_error err = SCRY_ERROR_INIT;
    char last[256];
    scry_root other;
    OK(scry_store_put_root(p->there, &p->root, &err));
    assert_int_equal(compare(p, last).roots, 0);
    OK(scry_store_add_root(p->there, "/others", &other, &err));
    assert_int_equal(compare(p, last).roots, 1);
    assert_string_equal(last, "root /others: only there");
}

static void roots_keep_their_ids(void **state)
{
    pair *p = *state;
    scry_error err = SCRY_ERROR_INIT;
    scry_root moved = p->root, got;
    OK(scry_store_put_root(p->there, &p->root, &err));
    moved.path = "/elsewhere";
    OK(scry_store_put_root(p->there, &moved, &err));   /* known already: it stays */
    OK(scry_store_add_root(p->there, "/pictures/below", &got, &err));
    assert_memory_equal(got.id, p->root.id, SCRY_ID_BYTES);
    assert_string_equal(got.path, "/pictures");
    moved.id[0] ^= 1;
    moved.path = "/pictures/below";
    assert_int_equal(scry_store_put_root(p->there, &moved, &err), SCRY_EINVALID);
    moved.path = "/";
    assert_int_equal(scry_store_put_root(p->there, &moved, &err), SCRY_EINVALID);
    moved.path = "relative";
    assert_int_equal(scry_store_put_root(p->there, &moved, &err), SCRY_EINVALID);
}

static int count_piece(void *arg, scry_id_range r, scry_error *err)
{
    uint64_t *covered = arg;
    if (r.end - r.first > 1000000)
        return 1;
    assert_int_equal(r.first, *covered);
    *covered = r.end;
    return 0;
}

static int refuse_piece(void *arg, scry_id_range r, scry_error *err)
{
    return 1;
}

static void pieces_cover_everything_once(void **state)
{
    scry_error err = SCRY_ERROR_INIT;
    uint64_t covered = 0;
    OK(scry_each_piece(1000000, 512, count_piece, &covered, &err));
    assert_int_equal(covered, (uint64_t)1 << 32);
    assert_int_equal(scry_each_piece(0, 0, refuse_piece, NULL, &err), SCRY_EINVALID);
}

static void cancelled_copies_go_on(void **state)
{
    pair *p = *state;
    scry_error err = SCRY_ERROR_INIT;
    scry_cancel cancel = 1;
    scry_copy_options o = { .cancel = &cancel };
    scry_copy_progress done;
    put_files(p->here, &p->root, 0, 10, 0);
    assert_int_equal(scry_store_copy(p->here, p->there, &o, &done, &err), SCRY_ECANCELLED);
    OK(scry_store_copy(p->here, p->there, NULL, &done, &err));
    assert_int_equal(done.copied, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(many_files_are_copied_and_equal, open_pair, close_pair),
        cmocka_unit_test_setup_teardown(texts_are_compared, open_pair, close_pair),
        cmocka_unit_test_setup_teardown(what_is_missing_is_told_and_made_up_for, open_pair, close_pair),
        cmocka_unit_test_setup_teardown(another_vector_is_a_difference, open_pair, close_pair),
        cmocka_unit_test_setup_teardown(another_vector_is_repaired, open_pair, close_pair),
        cmocka_unit_test_setup_teardown(nothing_is_there_in_an_empty_one, open_pair, close_pair),
        cmocka_unit_test_setup_teardown(roots_are_compared, open_pair, close_pair),
        cmocka_unit_test_setup_teardown(roots_keep_their_ids, open_pair, close_pair),
        cmocka_unit_test_setup_teardown(cancelled_copies_go_on, open_pair, close_pair),
        cmocka_unit_test(pieces_cover_everything_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
