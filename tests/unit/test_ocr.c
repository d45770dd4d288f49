/* Reading whole pictures: what they say, where, and that odd ones and impossible ones give a page or a reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ocr/ocr.h"
#include "decoder_fixture.h"
#include "words_golden.h"

#include <math.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static scry_ocr *ocr;
static uint8_t *word;   /* [32, 96, 3]: "Ab 12", from tests/golden/words.safetensors */
enum { WORD_W = 96, WORD_H = 32, W = 400, H = 200 };

static scry_ocr_page read_picture(const uint8_t *data, int width, int height, ptrdiff_t stride)
{
    scry_ocr_page page;
    scry_error err = SCRY_ERROR_INIT;
    if (scry_ocr_read(ocr, &(scry_rgb){ data, width, height, stride }, &page, &err) < 0)
        fail_msg("%s", err.message);
    return page;
}

/* The word at (x, y) of a white picture [H, W, 3], twice as large, turned by `quarters` of a circle to the right. */
static void put_word(uint8_t *picture, size_t x, size_t y, int quarters)
{
    for (size_t i = 0; i < (size_t)4 * WORD_W * WORD_H; i++) {
        size_t wx = i % (2 * WORD_W), wy = i / (2 * WORD_W), px = wx, py = wy;
        if (quarters == 1) {
            px = 2 * WORD_H - 1 - wy;
            py = wx;
        } else if (quarters == 2) {
            px = 2 * WORD_W - 1 - wx;
            py = 2 * WORD_H - 1 - wy;
        }
        memcpy(picture + ((y + py) * W + x + px) * 3, word + (wy / 2 * WORD_W + wx / 2) * 3, 3);
    }
}

static void a_word_and_where_it_is(void **state)
{
    static uint8_t picture[W * H * 3], upside[W * H * 3];
    memset(picture, 255, sizeof picture);
    put_word(picture, 40, 20, 0);
    put_word(picture, 320, 4, 1);
    scry_ocr_page page = read_picture(picture, W, H, 0);
    assert_int_equal(page.count, 2);
    size_t level = page.lines[0].corner[0] < 0.5f ? 0 : 1;
    const float *c = page.lines[level].corner, *standing = page.lines[1 - level].corner;
    assert_string_equal(page.lines[level].text, "Ab 12");
    assert_string_equal(page.lines[1 - level].text, "Ab 12");
    assert_true(page.lines[level].confidence > 0.9f && page.lines[level].confidence <= 1);
    assert_true(c[0] < c[2] && c[1] < c[7] && fabsf(c[1] - c[3]) < 0.05f);
    assert_true(c[0] * W > 36 && c[0] * W < 56 && c[1] * H > 16 && c[1] * H < 40);
    assert_true(standing[1] < standing[3] && standing[0] > standing[6]);   /* read downwards: its top is on the right */
    for (size_t y = 0; y < H; y++)   /* the same picture with its last row first */
        memcpy(upside + y * W * 3, picture + (H - 1 - y) * W * 3, W * 3);
    scry_ocr_page same = read_picture(upside + (H - 1) * W * 3, W, H, -(ptrdiff_t)W * 3);
    assert_int_equal(same.count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(same.lines[i].text, page.lines[i].text);
        assert_memory_equal(same.lines[i].corner, page.lines[i].corner, sizeof page.lines[i].corner);
    }
    scry_ocr_page_free(&page);
    scry_ocr_page_free(&same);
    assert_int_equal(page.count, 0);
}

static void upside_down(void **state)
{
    static uint8_t picture[W * H * 3];
    memset(picture, 255, sizeof picture);
    put_word(picture, 100, 60, 2);
    scry_ocr_page page = read_picture(picture, W, H, 0);
    assert_int_equal(page.count, 1);
    assert_string_equal(page.lines[0].text, "Ab 12");
    assert_true(page.lines[0].corner[0] > page.lines[0].corner[2]);   /* it begins on the right, */
    assert_true(page.lines[0].corner[1] > page.lines[0].corner[7]);   /* and its top is below */
    scry_ocr_page_free(&page);
}

/* A page that stands, turned to the right. The classifier takes "9,63" of it to be the other way up than the rest: it is read both
 * ways, and only that way if it is to be read once. */
static void an_unsure_line(void **state)
{
    scry_decoder *d = new_decoder(NULL);
    const scry_decode_request whole = { .kind = SCRY_DECODE_RGB, .max_side = 2000 };
    scry_decode_result till;
    assert_int_equal(decode_file(d, "tests/e2e/words/pages/till.png", &whole, &till, NULL), 0);
    scry_ocr_page both = read_picture(till.pixels, till.rgb_width, till.rgb_height, 0);
    scry_ocr_read_once(ocr, true);
    scry_ocr_page once = read_picture(till.pixels, till.rgb_width, till.rgb_height, 0);
    scry_ocr_read_once(ocr, false);
    assert_int_equal(both.count, once.count);
    int differ = 0;
    for (size_t i = 0; i < both.count; i++) {
        const scry_ocr_line *b = &both.lines[i], *o = &once.lines[i];
        if (strcmp(b->text, o->text) == 0)
            continue;
        differ++;
        assert_string_equal(b->text, "9,63");
        assert_true(b->confidence > 0.9f && o->confidence < 0.9f);
        for (int k = 0; k < 8; k++)   /* the same box from the opposite corner */
            assert_true(b->corner[k] == o->corner[(k + 4) % 8]);
    }
    assert_int_equal(differ, 1);
    scry_ocr_page_free(&both);
    scry_ocr_page_free(&once);
    scry_decoder_free(d);
}

static void fill_with_noise(uint8_t *picture, size_t bytes)
{
    static unsigned random = 7;
    for (size_t i = 0; i < bytes; i++) {
        random = random * 1664525 + 1013904223;
        picture[i] = (uint8_t)(random >> 24);
    }
}

/* With a first look, a word is found in a part of a large picture as without, and nothing where there is none. */
static void a_first_look(void **state)
{
    enum { WIDE = 1200, HIGH = 900, X = 900, Y = 700 };
    uint8_t *picture = scry_alloc(WIDE * HIGH * 3);
    memset(picture, 255, WIDE * HIGH * 3);
    scry_ocr_look_first(ocr, true);
    scry_ocr_page nothing = read_picture(picture, WIDE, HIGH, 0);
    assert_int_equal(nothing.count, 0);
    for (size_t i = 0; i < (size_t)4 * WORD_W * WORD_H; i++) {
        size_t x = i % (2 * WORD_W), y = i / (2 * WORD_W);
        memcpy(picture + ((Y + y) * WIDE + X + x) * 3, word + (y / 2 * WORD_W + x / 2) * 3, 3);
    }
    scry_ocr_page page = read_picture(picture, WIDE, HIGH, 0);
    scry_ocr_look_first(ocr, false);
    scry_ocr_page whole = read_picture(picture, WIDE, HIGH, 0);
    assert_int_equal(page.count, 1);
    assert_int_equal(whole.count, 1);
    assert_string_equal(page.lines[0].text, "Ab 12");
    assert_string_equal(whole.lines[0].text, "Ab 12");
    for (int i = 0; i < 8; i++)
        assert_true(fabsf(page.lines[0].corner[i] - whole.lines[0].corner[i]) < 0.06f);   /* one box has the green at its side */
    scry_ocr_page_free(&page);
    scry_ocr_page_free(&whole);
    free(picture);
}

/* What the other reader says, and how often it was asked. */
typedef struct {
    const char *text;
    float confidence;
    int result, calls;
} answer;

static int give_answer(void *arg, const scry_ocr_grey *line, char **text, float *confidence, scry_error *err)
{
    answer *a = arg;
    unsigned sum = 0;
    for (size_t i = 0; i < line->height * line->width; i++)   /* all of it is there */
        sum += line->pixels[i];
    assert_true(sum > 0);
    a->calls++;
    *text = scry_strdup(a->text);
    *confidence = a->confidence;
    return a->result == 0 ? 0 : scry_fail(err, a->result, "this reader is ill");
}

/* Of a word with wide letters the networks are not sure: another reader is asked, and taken where it is sure of letters that the
 * networks do not have. */
static void another_reader(void **state)
{
    static uint8_t picture[W * H * 3];
    static const char other[] = "\u0410\u043f\u0442\u0435\u043a\u0430 12";
    static const char greek[] = "\u039a\u03b1\u03bb\u03b7\u03bc\u03ad\u03c1\u03b1";
    answer answers[] = { { other, 0.9f, 0, 0 }, { other, 0.5f, 0, 0 }, { "Pharmacy", 0.9f, 0, 0 }, { NULL, 0, 0, 0 }, { "\u0438", 0.9f, 0, 0 },
                         { other, 0.9f, SCRY_EINVALID, 0 }, { other, 0.9f, SCRY_ELIMIT, 0 }, { other, 0.9f, SCRY_EIO, 0 },
                         { greek, 0.9f, 0, 0 }, { greek, 0.5f, 0, 0 }, { "\u03b1\u03b2\u03b3\u03b4", 0.9f, 0, 0 } };   /* the networks have these letters */
    memset(picture, 255, sizeof picture);
    for (size_t i = 0; i < (size_t)W * 48; i++) {   /* four times as wide as high */
        size_t x = i % W, y = i / W;
        memcpy(picture + ((y + 70) * W + x) * 3, word + (y * WORD_H / 48 * WORD_W + x * 64 / W) * 3, 3);
    }
    scry_ocr_page before = read_picture(picture, W, H, 0);
    assert_true(before.count >= 1);
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        scry_ocr_page page;
        scry_error err = SCRY_ERROR_INIT;
        scry_ocr_ask_other(ocr, &(scry_ocr_other){ &answers[i], give_answer });
        int rc = scry_ocr_read(ocr, &(scry_rgb){ picture, W, H, 0 }, &page, &err);
        assert_true(answers[i].calls > 0);
        assert_int_equal(rc, answers[i].result == SCRY_EIO ? SCRY_EIO : 0);
        if (rc < 0) {
            assert_string_equal(err.message, "this reader is ill");
            assert_int_equal(page.count, 0);
            continue;
        }
        assert_true(page.count >= 1);
        assert_string_equal(page.lines[0].text, i == 0 ? other : i == 8 ? greek : before.lines[0].text);
        scry_ocr_page_free(&page);
    }
    scry_ocr_ask_other(ocr, &(scry_ocr_other){ NULL, NULL });
    scry_ocr_page_free(&before);
}

static void odd_pictures(void **state)
{
    static const int sizes[][2] = { { 1, 1 }, { 3, 3 }, { 31, 29 }, { 1, 700 }, { 20000, 1 }, { 60, 20000 }, { 300, 200 } };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t bytes = (size_t)sizes[i][0] * (size_t)sizes[i][1] * 3;
        uint8_t *picture = scry_alloc(bytes);
        for (int noise = 0; noise < 2; noise++) {
            if (noise)
                fill_with_noise(picture, bytes);
            scry_ocr_page page = read_picture(picture, sizes[i][0], sizes[i][1], 0);
            if (!noise)
                assert_int_equal(page.count, 0);
            scry_ocr_page_free(&page);
        }
        free(picture);
    }
}

/* Half a GB is enough for the flattest picture that is read; one that is too flat for letters is not read. (As enlarged for reading
 * lines, 2,000 x 1 pixels would be 2.7 GB.) */
static void flat_pictures(void **state)
{
    static const int sizes[][2] = {
#ifndef SCRY_SANITIZED   /* where it takes minutes, and memory is not limited */
        { 2000, 5 },
#endif
        { 2000, 1 }, { 1, 2000 }, { 2000, 4 }, { 4, 3 }
    };
    static uint8_t picture[2000 * 5 * 3];
    struct rlimit was, half;
    fill_with_noise(picture, sizeof picture);
    assert_int_equal(getrlimit(RLIMIT_AS, &was), 0);
    half = was;
#ifndef SCRY_SANITIZED
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f && fscanf(f, "%ld", &pages) == 1)
        half.rlim_cur = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + (512 << 20);
    if (f)
        fclose(f);
#endif
    assert_int_equal(setrlimit(RLIMIT_AS, &half), 0);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        scry_ocr_page page = read_picture(picture, sizes[i][0], sizes[i][1], 0);
        if (sizes[i][0] < 5 || sizes[i][1] < 5)
            assert_int_equal(page.count, 0);
        scry_ocr_page_free(&page);
    }
    assert_int_equal(setrlimit(RLIMIT_AS, &was), 0);
}

static void impossible_pictures(void **state)
{
    scry_ocr_page page = { (scry_ocr_line *)"x", 9 };
    static const uint8_t one[3];
    scry_error err = SCRY_ERROR_INIT;
    assert_int_equal(scry_ocr_read(ocr, &(scry_rgb){ NULL, 4, 4, 0 }, &page, &err), SCRY_EINVALID);
    assert_int_equal(page.count, 0);
    assert_int_equal(scry_ocr_read(ocr, &(scry_rgb){ one, 0, 4, 0 }, &page, &err), SCRY_EINVALID);
    assert_int_equal(scry_ocr_read(ocr, &(scry_rgb){ one, 4, 4, 11 }, &page, &err), SCRY_EINVALID);
    assert_int_equal(scry_ocr_read(ocr, &(scry_rgb){ one, 1000001, 4, 0 }, &page, &err), SCRY_ELIMIT);
    assert_true(err.message[0]);
}

static int open_all(void **state)
{
    char *folder = top_path("models/words");
    scry_error err = SCRY_ERROR_INIT;
    float floats[WORD_W * WORD_H * 3];
    int rc = scry_ocr_open(&ocr, folder, 1, &err);
    free(folder);
    if (rc < 0 || open_golden(state) < 0) {
        print_error("%s\n", err.message);
        return -1;
    }
    scry_tensor t = golden_tensor("det.pixels");
    if (!t.data || scry_tensor_count(&t) != sizeof floats / sizeof *floats)
        return -1;
    word = scry_alloc(sizeof floats / sizeof *floats);
    scry_tensor_floats(&t, floats);
    for (size_t i = 0; i < sizeof floats / sizeof *floats; i++)
        word[i] = (uint8_t)floats[i];
    return 0;
}

static int close_all(void **state)
{
    scry_ocr_close(ocr);
    scry_ocr_close(NULL);
    free(word);
    return close_golden(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_word_and_where_it_is),
        cmocka_unit_test(upside_down),
        cmocka_unit_test(an_unsure_line),
        cmocka_unit_test(a_first_look),
        cmocka_unit_test(another_reader),
        cmocka_unit_test(odd_pictures),
        cmocka_unit_test(flat_pictures),
        cmocka_unit_test(impossible_pictures),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
