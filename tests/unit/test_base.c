/* base/: buffers keep their cap, JSON writes what it reads, threads all run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/pool.h"
#include "base/sha256.h"

#include <stdlib.h>
#include <string.h>

static void buffer_keeps_its_cap(void **state)
{
    scry_buf b = SCRY_BUF_INIT(8);
    scry_buf_puts(&b, "12345678");
    assert_false(b.failed);
    scry_buf_putc(&b, '9');
    assert_true(b.failed);
    assert_string_equal(scry_buf_str(&b), "12345678");
    scry_buf_dispose(&b);
}

static void sha256_of_abc(void **state)
{
    uint8_t digest[SCRY_SHA256_BYTES], back[SCRY_SHA256_BYTES];
    char hex[65];
    scry_sha256_of("abc", 3, digest);
    scry_hex(digest, sizeof digest, hex);
    /* FIPS 180-4, example B.1 */
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(scry_unhex(hex, back, sizeof back), 0);
    assert_memory_equal(digest, back, sizeof back);
    assert_int_equal(scry_unhex("zz", back, 1), -1);
}

static void json_round_trip(void **state)
{
    scry_buf b = SCRY_BUF_INIT(4096);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
    scry_json_begin(&w, '{');
    scry_json_key(&w, "path");
    scry_json_put_str(&w, "a\"b\\\n\xff.jpg");
    scry_json_key(&w, "list");
    scry_json_begin(&w, '[');
    scry_json_put_int(&w, 1);
    scry_json_put_num(&w, 0.25, 6);
    scry_json_end(&w, ']');
    scry_json_key(&w, "ok");
    scry_json_put_bool(&w, true);
    scry_json_end(&w, '}');
    assert_string_equal(scry_buf_str(&b),
                        "{\"path\":\"a\\\"b\\\\\\u000a\xEF\xBF\xBD.jpg\",\"list\":[1,0.25],\"ok\":true}");
    scry_json *root;
    scry_error err = SCRY_ERROR_INIT;
    assert_int_equal(scry_json_parse(&root, b.data, b.size, "test", &err), 0);
    assert_int_equal(scry_json_size(scry_json_get(root, "list")), 2);
    assert_true(scry_json_bool(scry_json_get(root, "ok"), false));
    assert_string_equal(scry_json_str(scry_json_get(root, "absent"), "none"), "none");
    scry_json_free(root);
    assert_int_equal(scry_json_parse(&root, "{\"a\":", 5, "broken", &err), SCRY_EINVALID);
    assert_non_null(strstr(err.message, "broken is not valid JSON: line 1"));
    scry_buf_dispose(&b);
}

static void base64_of_every_length(void **state)
{
    /* RFC 4648, section 10 */
    static const char *const expected[] = { "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy" };
    for (size_t n = 0; n <= 6; n++) {
        scry_buf b = SCRY_BUF_INIT(64);
        scry_base64_append(&b, "foobar", n);
        assert_string_equal(scry_buf_str(&b), expected[n]);
        scry_buf_dispose(&b);
    }
}

static void count_runs(void *arg, int index, int count)
{
    ((int *)arg)[index]++;
}

static void pool_runs_every_index_once(void **state)
{
    int runs[4] = { 0 };
    scry_pool *p = scry_pool_new(4);
    for (int i = 0; i < 100; i++)
        scry_pool_run(p, count_runs, runs);
    for (int i = 0; i < 4; i++)
        assert_int_equal(runs[i], 100);
    scry_pool_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffer_keeps_its_cap),
        cmocka_unit_test(sha256_of_abc),
        cmocka_unit_test(json_round_trip),
        cmocka_unit_test(base64_of_every_length),
        cmocka_unit_test(pool_runs_every_index_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
