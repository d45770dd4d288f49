/* multipart/form-data: what is read, and that damage is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "server/multipart.h"

#include <stdlib.h>
#include <string.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_read),
        cmocka_unit_test(damage_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
