/* engine/eval_set: columns by their usual names, several captions a picture, filters, mistakes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "engine/eval_set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

static void put(const char *name, const char *text)
{
    char *path = scry_path_join(folder, name);
    assert_int_equal(scry_write_file(path, text, strlen(text), NULL), 0);
    free(path);
}

static int set_up(void **state)
{
    strcpy(folder, "/tmp/scry-eval-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    char *img = scry_path_join(folder, "img");
    mkdir(img, 0700);
    free(img);
    put("img/a.png", "");
    put("b.png", "");
    return 0;
}

static int tear_down(void **state)
{
    char *command = scry_asprintf("rm -r %s", folder);
    int r = system(command);
    free(command);
    return r;
}

static int read_set(scry_eval_set **out, const char *text, scry_eval_set_options o, scry_error *err)
{
    put("table", text);
    char *path = scry_path_join(folder, "table");
    o.table = path;
    int r = scry_eval_set_read(out, &o, err);
    free(path);
    return r;
}

static void captions(void **state)
{
    scry_eval_set *s;
    scry_error err = SCRY_ERROR_INIT;
    scry_eval_set_options o = { .where = "split=dev" };
    assert_int_equal(read_set(&s, "split\tfile\tcaption\ndev\ta.png\tA dog\ntrain\tx.png\tno\ndev\ta.png\ttwo dogs\n"
                              "dev\tc.png\t\n", o, &err), 0);
    assert_int_equal(scry_eval_set_pictures(s), 2);
    assert_int_equal(scry_eval_set_texts(s), 2);
    assert_string_equal(s->captions[1], "two dogs");
    assert_int_equal(s->caption_of[1], 0);
    assert_non_null(strstr(s->paths[0], "/img/a.png"));
    scry_eval_set_free(s);
}

static void labels_and_limit(void **state)
{
    scry_eval_set *s;
    scry_error err = SCRY_ERROR_INIT;
    scry_eval_set_options o = { .labels = true, .limit = 2 };
    put("c.png", "");
    put("d.png", "");
    assert_int_equal(read_set(&s, "id,path,label\n1,b.png,\"bee, a\"\n2,c.png,wasp\n3,d.png,ant\n1,b.png,\"bee, a\"\n", o, &err), 0);
    assert_int_equal(scry_eval_set_pictures(s), 2);
    assert_int_equal(scry_eval_set_texts(s), 3);   /* a sample is asked about every label */
    for (size_t i = 0; i < 2; i++) {
        const char *file = scry_table_text(&s->files, i), *label = scry_table_text(&s->labels, s->label_of[i]);
        assert_string_equal(label, strcmp(file, "b.png") == 0 ? "bee, a" : strcmp(file, "c.png") == 0 ? "wasp" : "ant");
    }
    scry_eval_set_free(s);
}

/* --limit takes pictures from all of the table, the same each time, in its order, with their captions. */
static void a_sample(void **state)
{
    enum { ROWS = 1000, FEW = 10, MORE = 50 };
    scry_error err = SCRY_ERROR_INIT;
    scry_buf b = SCRY_BUF_INIT(1 << 20);
    scry_eval_set *few, *more;
    size_t late = 0, shared = 0;
    scry_buf_puts(&b, "file,caption\n");
    for (int i = 0; i < ROWS; i++)
        scry_buf_printf(&b, "%04d.png,one %04d\n%04d.png,two %04d\n", i, i, i, i);
    assert_int_equal(read_set(&few, scry_buf_str(&b), (scry_eval_set_options){ .limit = FEW, .pictures = "/" }, &err), SCRY_ENOTFOUND);
    for (int i = 0; i < ROWS; i++) {
        char name[16];
        snprintf(name, sizeof name, "%04d.png", i);
        put(name, "");
    }
    assert_int_equal(read_set(&few, scry_buf_str(&b), (scry_eval_set_options){ .limit = FEW }, &err), 0);
    assert_int_equal(read_set(&more, scry_buf_str(&b), (scry_eval_set_options){ .limit = MORE }, &err), 0);
    assert_int_equal(scry_eval_set_pictures(few), FEW);
    assert_int_equal(scry_eval_set_texts(few), 2 * FEW);
    for (size_t i = 0; i < FEW; i++) {
        const char *name = scry_table_text(&few->files, i);
        assert_true(i == 0 || strcmp(scry_table_text(&few->files, i - 1), name) < 0);
        shared += scry_table_find(&more->files, name) >= 0;
        late += atoi(name) >= ROWS / 2;
    }
    for (size_t i = 0; i < 2 * FEW; i++)
        assert_memory_equal(few->captions[i] + 4, scry_table_text(&few->files, few->caption_of[i]), 4);
    assert_int_equal(shared, FEW);
    assert_true(late >= 1 && late < FEW);
    scry_eval_set_free(few);
    scry_eval_set_free(more);
    scry_buf_dispose(&b);
}

static void refuse(const char *text, scry_eval_set_options o, const char *part)
{
    scry_eval_set *s;
    scry_error err = SCRY_ERROR_INIT;
    assert_true(read_set(&s, text, o, &err) < 0);
    if (!strstr(err.message, part))
        fail_msg("\"%s\" is not in: %s", part, err.message);
}

static void mistakes(void **state)
{
    scry_eval_set_options captions = { 0 }, labels = { .labels = true };
    refuse("name,words\na.png,x\n", captions, "no column file");
    refuse("file,words\na.png,x\n", captions, "--column");
    refuse("file,label\na.png,x\nb.png,x\n", labels, "one label only");
    refuse("file,label\nb.png,x\nb.png,y\n", labels, "another label");
    refuse("file,caption\n", captions, "names no pictures");
    refuse("file,caption\nz.png,x\n", captions, "--pictures");
    refuse("file,caption\na.png,\"x\n", captions, "closing quote");
    captions.where = "split";
    refuse("file,caption\na.png,x\n", captions, "COLUMN=VALUE");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(captions),
        cmocka_unit_test(labels_and_limit), cmocka_unit_test(a_sample),
        cmocka_unit_test(mistakes),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
