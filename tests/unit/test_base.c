/* base/: buffers respect their limit, JSON is read back as written, every thread runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/file.h"

#include "base/base64.h"
#include "base/buf.h"
#include "base/byte_order.h"
#include "base/crc32c.h"
#include "base/json.h"
#include "base/pool.h"
#include "base/sealed.h"
#include "base/sha256.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

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

static void crc32c_equals_the_reference(void **state)
{
    enum { SIZE = 3 * 3 * 8192 + 100 };
    assert_int_equal(scry_crc32c(0, "123456789", 9), 0xe3069283);   /* RFC 3720's check value */
    uint8_t *bytes = malloc(SIZE);
    uint32_t seed = 1;
    for (int i = 0; i < SIZE; i++)
        bytes[i] = (uint8_t)((seed = seed * 1664525 + 1013904223) >> 24);
    for (size_t n = 0; n <= SIZE; n += n < 40 ? 1 : 2999)
        for (size_t from = 0; from < 9 && from < n; from++)
            assert_int_equal(scry_crc32c(7, bytes + from, n - from), scry_crc32c_portable(7, bytes + from, n - from));
    assert_int_equal(scry_crc32c(scry_crc32c(0, bytes, 50001), bytes + 50001, SIZE - 50001), scry_crc32c(0, bytes, SIZE));
    free(bytes);
}

static void write_raw(const char *path, const void *bytes, size_t n)
{
    assert_int_equal(scry_write_file(path, bytes, n, NULL), 0);
}

/* Whatever bit changes, wherever it is cut: nothing is read. */
static void sealed_files_are_whole_or_nothing(void **state)
{
    char path[] = "/tmp/scry-sealed.XXXXXX";
    close(mkstemp(path));
    scry_buf b = SCRY_BUF_INIT(100), file = SCRY_BUF_INIT(100);
    scry_buf_puts(&b, "before ");
    assert_int_equal(scry_sealed_write(path, "some bytes", 10, NULL), 0);
    assert_true(scry_sealed_read(path, &b));
    assert_string_equal(scry_buf_str(&b), "before some bytes");
    assert_int_equal(scry_read_file(path, &file, NULL), 0);
    assert_int_equal(file.size, 10 + SCRY_SEAL_BYTES);
    for (size_t i = 0; i < file.size; i++) {
        for (int bit = 0; bit < 8; bit++) {
            file.data[i] ^= (char)(1 << bit);
            write_raw(path, file.data, file.size);
            file.data[i] ^= (char)(1 << bit);
            assert_false(scry_sealed_read(path, &b));
        }
        write_raw(path, file.data, i);
        assert_false(scry_sealed_read(path, &b));
    }
    assert_string_equal(scry_buf_str(&b), "before some bytes");
    assert_int_equal(scry_sealed_write(path, "", 0, NULL), 0);
    assert_true(scry_sealed_read(path, &b));
    assert_int_equal(b.size, 17);
    unlink(path);
    assert_false(scry_sealed_read(path, &b));
    scry_buf_dispose(&b);
    scry_buf_dispose(&file);
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
    scry_json_add_str(&w, "path", "a\"b\\\n\xff.jpg");
    scry_json_key(&w, "list");
    scry_json_begin(&w, '[');
    scry_json_put_int(&w, 1);
    scry_json_put_num(&w, 0.25, 6);
    scry_json_end(&w, ']');
    scry_json_add_bool(&w, "ok", true);
    scry_json_add_str(&w, "none", NULL);
    scry_json_add_int(&w, "least", INT64_MIN);
    scry_json_add_num(&w, "half", 0.5, 6);
    scry_json_end(&w, '}');
    assert_string_equal(scry_buf_str(&b),
                        "{\"path\":\"a\\\"b\\\\\\u000a\xEF\xBF\xBD.jpg\",\"list\":[1,0.25],\"ok\":true,"
                        "\"none\":null,\"least\":-9223372036854775808,\"half\":0.5}");
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

/* One number that is too large for a whole one, as transformers writes it, leaves the others what they are. */
static void json_large_number(void **state)
{
    static const char text[] = "{\"a\":1000000000000000019884624838656,\"b\":[7,-3,{\"c\":12}],\"d\":0.5,\"e\":9007199254740992}";
    scry_json *root;
    assert_int_equal(scry_json_parse(&root, text, sizeof text - 1, "test", NULL), 0);
    assert_true(scry_json_num(scry_json_get(root, "a"), 0) == 1e30);
    assert_int_equal(scry_json_int(scry_json_get(root, "a"), -1), -1);
    const scry_json *list = scry_json_get(root, "b");
    assert_int_equal(scry_json_int(scry_json_at(list, 0), 0), 7);
    assert_int_equal(scry_json_int(scry_json_at(list, 1), 0), -3);
    assert_int_equal(scry_json_int(scry_json_get(scry_json_at(list, 2), "c"), 0), 12);
    assert_int_equal(scry_json_type_of(scry_json_get(root, "d")), SCRY_JSON_REAL);
    assert_int_equal(scry_json_type_of(scry_json_get(root, "e")), SCRY_JSON_REAL);
    scry_json_free(root);
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

static int decode(const char *text, const char *expected, size_t n)
{
    scry_buf b = SCRY_BUF_INIT(64);
    int r = scry_base64_decode(&b, text, strlen(text));
    if (r == 0) {
        assert_int_equal(b.size, n);
        assert_memory_equal(scry_buf_str(&b), expected, n);
    }
    scry_buf_dispose(&b);
    return r;
}

static void base64_decoded(void **state)
{
    assert_int_equal(decode("", "", 0), 0);
    assert_int_equal(decode("Zg==", "f", 1), 0);
    assert_int_equal(decode("Zm9vYmE=", "fooba", 5), 0);
    assert_int_equal(decode("+/8A", "\xfb\xff\0", 3), 0);
    static const char *const refused[] = { "Zg", "Zg=", "Zg===", "Z===", "====", "Zm=v", "Zm9-", " Zm9v", "Zm9v Zm9", "Zm9v\nZm9" };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        assert_int_equal(decode(refused[i], NULL, 0), -1);
}

/* More than EVP is given at once. */
static void base64_of_megabytes(void **state)
{
    size_t n = 7000001;
    scry_buf text = SCRY_BUF_INIT(16 << 20), back = SCRY_BUF_INIT(16 << 20);
    uint8_t *bytes = malloc(n);
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)(i * 2654435761u >> 13);
    scry_base64_append(&text, bytes, n);
    assert_int_equal(text.size, (n + 2) / 3 * 4);
    assert_int_equal(scry_base64_decode(&back, text.data, text.size), 0);
    assert_int_equal(back.size, n);
    assert_memory_equal(back.data, bytes, n);
    back.limit = 10;
    scry_buf_clear(&back);
    assert_int_equal(scry_base64_decode(&back, text.data, text.size), -1);
    scry_buf_dispose(&text);
    scry_buf_dispose(&back);
    free(bytes);
}

static void numbers_of_both_byte_orders(void **state)
{
    const uint8_t bytes[] = { 0xff, 1, 2, 3, 4, 5, 6, 7, 0xf8 };
    assert_int_equal(scry_read_big_endian(bytes + 1, 2), 0x0102);
    assert_int_equal(scry_read_little_endian(bytes + 1, 2), 0x0201);
    assert_int_equal(scry_read_big_endian(bytes, 3), 0xff0102);
    assert_int_equal(scry_read_big_endian(bytes + 1, 8), 0x01020304050607f8);
    assert_int_equal(scry_read_little_endian(bytes + 1, 8), (int64_t)0xf807060504030201u);
    assert_int_equal(scry_read_endian(bytes, 4, true), 0xff010203);
    assert_int_equal(scry_read_endian(bytes, 4, false), 0x030201ff);
    uint8_t out[10] = { [9] = 0xaa };
    scry_write_big_endian(out + 1, 8, 0x01020304050607f8);
    assert_memory_equal(out + 1, bytes + 1, 8);
    assert_int_equal(out[0], 0);
    assert_int_equal(out[9], 0xaa);
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

/* The child of a fork has none of the parent's threads: a pool that waited for them would wait for ever. */
static void pool_runs_in_both_after_a_fork(void **state)
{
    int runs[4] = { 0 }, others[4] = { 0 }, status;
    scry_pool *used = scry_pool_new(4), *unused = scry_pool_new(4);   /* in the child */
    /* All threads have begun then: the sanitizers' allocator is not made for a fork beside one that starts. */
    scry_pool_run(used, count_runs, runs);
    scry_pool_run(unused, count_runs, others);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        alarm(60);   /* ends it by a signal */
        for (int i = 0; i < 50; i++)
            scry_pool_run(used, count_runs, runs);
        bool all = runs[0] == 51 && runs[1] == 51 && runs[2] == 51 && runs[3] == 51;
        scry_pool_free(used);
        scry_pool_free(unused);
        _exit(all ? 7 : 8);
    }
    scry_pool_run(used, count_runs, runs);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 7);
    for (int i = 0; i < 4; i++)
        assert_int_equal(runs[i], 2);
    scry_pool_free(used);
    scry_pool_free(unused);
}

static void times_of_files(void **state)
{
    assert_int_equal(scry_time_ns((struct timespec){ 1, 2 }), 1000000002);
    assert_int_equal(scry_time_ns((struct timespec){ -1, 2 }), -999999998);
    assert_int_equal(scry_time_ns((struct timespec){ 9223372036, 854775807 }), INT64_MAX);
    assert_int_equal(scry_time_ns((struct timespec){ 9223372036, 854775808 }), INT64_MAX);   /* in 2262 */
    assert_int_equal(scry_time_ns((struct timespec){ INT64_MAX, 0 }), INT64_MAX);
    assert_int_equal(scry_time_ns((struct timespec){ -9223372037, 0 }), INT64_MIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffer_keeps_its_cap),
        cmocka_unit_test(sha256_of_abc),
        cmocka_unit_test(json_round_trip),
        cmocka_unit_test(json_large_number),
        cmocka_unit_test(base64_of_every_length),
        cmocka_unit_test(base64_decoded),
        cmocka_unit_test(base64_of_megabytes),
        cmocka_unit_test(numbers_of_both_byte_orders),
        cmocka_unit_test(times_of_files),
        cmocka_unit_test(crc32c_equals_the_reference),
        cmocka_unit_test(sealed_files_are_whole_or_nothing),
        cmocka_unit_test(pool_runs_every_index_once),
        cmocka_unit_test(pool_runs_in_both_after_a_fork),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
