/* CSV reading: quotes, separators, line ends, damage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/file.h"
#include "engine/csv.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int collect(void *arg, size_t line, char **fields, size_t n)
{
    scry_buf *b = arg;
    scry_buf_printf(b, "%zu", line);
    for (size_t i = 0; i < n; i++)
        scry_buf_printf(b, "[%s]", fields[i]);
    scry_buf_putc(b, ';');
    return 0;
}

static int read_bytes(const char *text, size_t n, char separator, scry_buf *out, scry_error *err)
{
    char path[] = "/tmp/scry-csv-XXXXXX";
    close(mkstemp(path));
    assert_int_equal(scry_write_file(path, text, n, err), 0);
    int r = scry_csv_read(path, separator, collect, out, err);
    unlink(path);
    return r;
}

static int read_text(const char *text, char separator, scry_buf *out, scry_error *err)
{
    return read_bytes(text, strlen(text), separator, out, err);
}

static void check(const char *text, char separator, const char *expected)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_buf b = SCRY_BUF_INIT(4096);
    assert_int_equal(read_text(text, separator, &b, &err), 0);
    assert_string_equal(scry_buf_str(&b), expected);
    scry_buf_dispose(&b);
}

static void fields_and_quotes(void **state)
{
    check("id,path,label\n1,a.jpg,dog\n", 0, "1[id][path][label];2[1][a.jpg][dog];");
    check("1,\"a,b \"\"c\"\".jpg\",\"two\nlines\"\r\n2,x", 0, "1[1][a,b \"c\".jpg][two\nlines];3[2][x];");
    check("a\tb,c\n", 0, "1[a][b,c];");
    check("\xEF\xBB\xBFid,path\n\n,\n", 0, "1[id][path];3[][];");
    check("a\tb\n", ',', "1[a\tb];");
    check("id,path\r1,a.jpg\r\r2,\"x\ry\"\r", 0, "1[id][path];2[1][a.jpg];4[2][x\ry];");
    check("a\r\nb\nc\rd", 0, "1[a];2[b];3[c];4[d];");
    check("a;b\n1;\"x;y\",z\n", 0, "1[a][b];2[1][x;y,z];");
    check("a;b,c\n", 0, "1[a;b][c];");
    check("sep=;\na,b;c\n", 0, "2[a,b][c];");
    check("sep=,\na,b;c\n", 0, "2[a][b;c];");
    check("sep=;x\n", 0, "1[sep=][x];");
    check("", 0, "");
}

static void an_open_quote_is_an_error(void **state)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_buf b = SCRY_BUF_INIT(4096);
    assert_int_equal(read_text("1,\"open\n2,x\n", 0, &b, &err), SCRY_EINVALID);
    assert_non_null(strstr(err.message, "no closing quote"));
    assert_int_equal(scry_csv_read("/nonexistent/x.csv", 0, collect, &b, &err), SCRY_ENOTFOUND);
    scry_buf_dispose(&b);
}

static void a_zero_byte_is_an_error(void **state)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_buf b = SCRY_BUF_INIT(4096);
    assert_int_equal(read_bytes("1,a\n2,b\0c\n", 10, 0, &b, &err), SCRY_EINVALID);
    assert_non_null(strstr(err.message, "line 2 contains a zero byte"));
    scry_buf_dispose(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_and_quotes),
        cmocka_unit_test(an_open_quote_is_an_error),
        cmocka_unit_test(a_zero_byte_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
