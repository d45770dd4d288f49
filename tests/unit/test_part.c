/* base/part: a part that is not installed is a clear error, not a crash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/part.h"

#include <string.h>

static void absent_part_is_named(void **state)
{
    void *symbol = NULL;
    scry_error err = SCRY_ERROR_INIT;
    assert_int_equal(scry_part_symbol(&symbol, "absent", "scry_absent", &err), SCRY_ENOTFOUND);
    assert_non_null(strstr(err.message, "scry-absent.so"));
    assert_null(symbol);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(absent_part_is_named) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
