/* multipart/form-data: what is read, and that damage is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "server/multipart.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static int collect(void *arg, const multipart_part *p)
{
    scry_buf_printf(arg, "%s|%s|%.*s;", p->name, p->filename, (int)p->size, p->data);
    return 0;
}

static int read_body(const char *type, const char *body, scry_buf *out)
{
    scry_error err;
    /* On the heap to the byte, so that the sanitizer sees a read past the end. */
    size_t n = strlen(body);
    char *exact = malloc(n ? n : 1);
    memcpy(exact, body, n);
    int r = multipart_read(type, exact, n, collect, out, &err);
    free(exact);
    return r;
}

static void parts_are_read(void **state)
{
    scry_buf b = SCRY_BUF_INIT(4096);
    assert_int_equal(read_body("multipart/form-data; boundary=\"x y\"",
                               "preamble\r\n--x y\r\nContent-Disposition: form-data; name=\"q\"\r\n\r\na dog\r\n"
                               "--x y\r\ncontent-type: image/png\r\ncontent-disposition: form-data; name=image; "
                               "filename=\"a \\\"b\\\".png\"\r\n\r\n--x\r\nnot--x y the end\r\n--x y--\r\n", &b), 0);
    assert_string_equal(scry_buf_str(&b), "q||a dog;image|a \"b\".png|--x\r\nnot--x y the end;");
    scry_buf_clear(&b);
    assert_int_equal(read_body("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=e\r\n\r\n\r\n--b--", &b), 0);
    assert_string_equal(scry_buf_str(&b), "e||;");
    scry_buf_dispose(&b);
}

static void damage_is_refused(void **state)
{
    static const char *const bodies[] = {
        "", "--b", "--b\r\n", "--b\r\n\r\nno name\r\n--b--", "--b\r\nContent-Disposition: form-data; name=x\r\n\r\nopen",
        "--b\r\nContent-Disposition: form-data; name=x\r\n", "--bContent-Disposition: form-data; name=x\r\n\r\ny\r\n--b--",
    };
    scry_buf b = SCRY_BUF_INIT(4096);
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        assert_int_equal(read_body("multipart/form-data; boundary=b", bodies[i], &b), SCRY_EINVALID);
    assert_int_equal(read_body("text/plain; boundary=b", "--b--", &b), SCRY_EINVALID);
    assert_int_equal(read_body("multipart/form-data; boundary=", "--b--", &b), SCRY_EINVALID);
    assert_int_equal(read_body(NULL, "--b--", &b), SCRY_EINVALID);
    scry_buf_dispose(&b);
}

/* Data that consists of the bytes of delimiters is read back unchanged, at every length. */
static void data_near_a_delimiter_is_kept(void **state)
{
    static const char *const pieces[] = { "\r", "\n", "-", "--", "\r\n", "\r\n-", "\r\n--", "\r\n--b", "--bb", "b", "\r\r\n--b" };
    unsigned seed = 7;
    for (int round = 0; round < 2000; round++) {
        scry_buf data = SCRY_BUF_INIT(1 << 16), body = SCRY_BUF_INIT(1 << 16), seen = SCRY_BUF_INIT(1 << 16);
        for (unsigned n = (seed = seed * 1103515245 + 12345) >> 16 & 15; n > 0; n--)
            scry_buf_puts(&data, pieces[((seed = seed * 1103515245 + 12345) >> 16) % (sizeof pieces / sizeof *pieces)]);
        if (!strstr(scry_buf_str(&data), "\r\n--bb")) {
            scry_buf_printf(&body, "%s--bb\r\nContent-Disposition: form-data; name=a\r\n\r\n%s\r\n--bb\r\n"
                            "Content-Disposition: form-data; name=z\r\n\r\n\r\n--bb--", round % 2 ? "\r\n" : "", scry_buf_str(&data));
            assert_int_equal(read_body("multipart/form-data; boundary=bb", scry_buf_str(&body), &seen), 0);
            scry_buf_clear(&body);
            scry_buf_printf(&body, "a||%s;z||;", scry_buf_str(&data));
            assert_string_equal(scry_buf_str(&seen), scry_buf_str(&body));
        }
        scry_buf_dispose(&data);
        scry_buf_dispose(&body);
        scry_buf_dispose(&seen);
    }
}

static double thread_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Processor time for a part of `size` bytes that repeats `piece`: the least of three. */
static double read_ms(const char *boundary, const char *piece, size_t size)
{
    char *type = scry_asprintf("multipart/form-data; boundary=%s", boundary);
    scry_buf body = SCRY_BUF_INIT(SIZE_MAX);
    scry_buf_printf(&body, "--%s\r\nContent-Disposition: form-data; name=a\r\n\r\n", boundary);
    while (body.size < size)
        scry_buf_puts(&body, piece);
    double best = 1e9;
    for (int i = 0; i < 3; i++) {
        double start = thread_ms();
        assert_int_equal(multipart_read(type, body.data, body.size, NULL, NULL, NULL), SCRY_EINVALID);   /* no closing delimiter */
        double ms = thread_ms() - start;
        best = ms < best ? ms : best;
    }
    scry_buf_dispose(&body);
    free(type);
    return best;
}

/* Processor time for reading each of `size` bytes once: the least of three. */
static double pass_ms(size_t size)
{
    volatile char *bytes = scry_alloc(size);
    size_t found = 0;
    double best = 1e9;
    for (int i = 0; i < 3; i++) {
        double start = thread_ms();
        for (size_t k = 0; k < size; k++)
            found += bytes[k] == '\r';
        double ms = thread_ms() - start;
        best = ms < best ? ms : best;
    }
    free((void *)bytes);
    assert_int_equal(found, 0);
    return best;
}

/* Bodies that resemble their boundary everywhere take linear time: less than 50 passes over
 * the bytes (measured: 17; a search that starts anew at each byte takes 150). */
static void hostile_bodies_take_linear_time(void **state)
{
    static const char dashes[] = "----------------------------------------------------------------------";
    static const struct { const char *boundary, *piece; } cases[] = {
        { dashes, dashes }, { "-", "-" }, { dashes, "\r" }, { dashes, "\r\n" }, { dashes, "\r\n--" },
        { dashes, "\r\n---------------------------------------------------------------------" },
    };
    double pass = pass_ms(16 << 20);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double small = read_ms(cases[i].boundary, cases[i].piece, 1 << 20);
        double large = read_ms(cases[i].boundary, cases[i].piece, 16 << 20);
        print_message("# case %zu: %.2f ms for 1 MiB, %.2f ms for 16 MiB; a pass over 16 MiB: %.2f ms\n", i, small, large, pass);
        assert_true(large < 64 * (small + 1) && large < 50 * pass);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_read),
        cmocka_unit_test(damage_is_refused),
        cmocka_unit_test(data_near_a_delimiter_is_kept),
        cmocka_unit_test(hostile_bodies_take_linear_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
