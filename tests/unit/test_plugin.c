/* base/plugin: a plugin that is not installed, or that would bring a second copy of the library, is a clear error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/plugin.h"

#include <string.h>

static void absent_plugin_is_named(void **state)
{
    void *symbol = NULL;
    scry_error err = SCRY_ERROR_INIT;
    assert_int_equal(scry_plugin_symbol(&symbol, "absent", "scry_absent", &err), SCRY_ENOTFOUND);
    assert_non_null(strstr(err.message, "scry-absent.so"));
    assert_null(symbol);
}

/* This program is linked with libscry.a, the plugin with libscry.so. */
static void second_copy_is_refused(void **state)
{
    void *symbol = NULL;
    scry_error err = SCRY_ERROR_INIT;
    assert_int_equal(scry_plugin_symbol(&symbol, "fetch", "scry_fetch_checkpoint", &err), SCRY_EIO);
    assert_non_null(strstr(err.message, "scry-fetch.so needs libscry.so"));
    assert_null(symbol);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(absent_plugin_is_named), cmocka_unit_test(second_copy_is_refused) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
